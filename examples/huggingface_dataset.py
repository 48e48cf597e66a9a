"""Cleans a data set of Hugging Face `datasets` in two processes: python examples/huggingface_dataset.py."""

from datasets import Dataset

from cleaner.ingest import Request
from cleaner.integrations.huggingface import clean_dataset

ARTICLE = """The winter ferry will sail again from December, after the island council found the money for a third crew.
ADVERTISEMENT
“We are not asking for luxury,” the chairwoman told a full hall. “We are asking to be able to leave.”"""

if __name__ == "__main__":
    articles = Dataset.from_dict({"id": list(range(8)), "text": [ARTICLE] * 8})  # or load_dataset("parquet", …)
    cleaned = clean_dataset(articles, Request(extras=("kinds", "quality")), num_proc=2)
    print(cleaned[0]["text"])
    print(cleaned.features)
