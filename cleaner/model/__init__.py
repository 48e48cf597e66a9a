"""A trained model: the folder that it comes in, and what its arrays say of lines."""
