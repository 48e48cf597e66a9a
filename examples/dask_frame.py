"""Cleans the articles of a Dask data frame on a cluster of two processes: python examples/dask_frame.py."""

import dask.dataframe as dd
import pandas as pd
from distributed import Client, LocalCluster

from cleaner.ingest import Request
from cleaner.integrations.dask import clean_dataframe

ARTICLE = """The winter ferry will sail again from December, after the island council found the money for a third crew.
ADVERTISEMENT
“We are not asking for luxury,” the chairwoman told a full hall. “We are asking to be able to leave.”"""

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        articles = dd.from_pandas(pd.DataFrame({"id": range(8), "text": ARTICLE}), npartitions=4)  # or dd.read_parquet
        cleaned = clean_dataframe(articles, Request(extras=("quality",))).compute()  # or .to_parquet(…)
    print(cleaned["text"].iloc[0])
    print(cleaned[["id", "clean_quality"]])
