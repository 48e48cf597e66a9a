"""Cleans the articles of a polars frame that is larger than memory, piece by piece: python examples/polars_frame.py."""

import polars as pl

from cleaner.ingest import Request
from cleaner.integrations.polars import clean_frame

ARTICLE = """The winter ferry will sail again from December, after the island council found the money for a third crew.
ADVERTISEMENT
“We are not asking for luxury,” the chairwoman told a full hall. “We are asking to be able to leave.”"""

if __name__ == "__main__":
    articles = pl.LazyFrame({"id": [7, 8], "text": [ARTICLE, None]})  # or pl.scan_parquet(…)
    cleaned = clean_frame(articles, Request(extras=("kinds",))).filter(pl.col("clean_error").is_null())
    frame = cleaned.collect(engine="streaming")  # or .sink_parquet(…)
    print(frame["text"][0])
    print(frame.select("id", "clean_kinds"))
