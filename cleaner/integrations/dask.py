"""Cleaning in Dask: a data frame in, a data frame out, partition by partition as in pandas."""

from pathlib import Path
from typing import TYPE_CHECKING

from cleaner.ingest.arrow import Request
from cleaner.ingest.needs import needed
from cleaner.integrations.pandas import clean_frame, cleaned_meta
from cleaner.options import Options

if TYPE_CHECKING:
    from dask.dataframe import DataFrame


def clean_dataframe(
    ddf: "DataFrame",
    request: Request | None = None,
    bundle: str | Path | None = None,
    options: Options | None = None,
    site_lines: str | Path | None = None,
) -> "DataFrame":
    """The same rows under the same index, cleaned. Every worker can read the bundle and the site lines.

    Threads of one worker share a model, but take turns in Python: workers with one thread each are faster.
    """
    needed("dask.dataframe", "dask")
    request = request or Request()
    meta = cleaned_meta(ddf._meta, request)  # noqa: SLF001 -- there is no public name for what a partition looks like
    how = {"request": request, "bundle": bundle, "options": options, "site_lines": site_lines}
    return ddf.map_partitions(clean_frame, **how, meta=meta)
