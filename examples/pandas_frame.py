"""Cleans the articles of a pandas frame: python examples/pandas_frame.py."""

import pandas as pd

from cleaner import Options
from cleaner.ingest import Request
from cleaner.integrations.pandas import clean_frame

ARTICLE = """The winter ferry will sail again from December, after the island council found the money for a third crew.
ADVERTISEMENT
“We are not asking for luxury,” the chairwoman told a full hall. “We are asking to be able to leave.”
Photograph: the harbour on Friday"""

if __name__ == "__main__":
    df = pd.DataFrame({"id": [7, 8], "text": [ARTICLE, None]})
    cleaned = clean_frame(df, Request(extras=("kinds", "quality")), options=Options(keep=["credit"]))
    print(cleaned.loc[0, "text"])
    print(cleaned[["id", "clean_kinds", "clean_error"]])
