"""Whole pages: from markup to blocks, to arrays, to a cleaned document and its metadata."""
