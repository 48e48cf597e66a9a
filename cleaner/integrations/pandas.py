"""Cleaning in pandas: a frame in, a frame out. Only what cleaning reads becomes Arrow; other columns stay untouched."""

from pathlib import Path
from typing import TYPE_CHECKING

from cleaner.ingest.arrow import Request, cleaned_schema
from cleaner.ingest.needs import needed
from cleaner.integrations.tables import arrow_cleaner, clean_table, columns_of
from cleaner.options import Options

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def clean_frame(
    df: "pd.DataFrame",
    request: Request | None = None,
    bundle: str | Path | None = None,
    options: Options | None = None,
    site_lines: str | Path | None = None,
) -> "pd.DataFrame":
    """The same rows under the same index, cleaned; what is told stands in columns of Arrow types."""
    request = request or Request()
    return _with(df, clean_table(arrow_cleaner(request, bundle, options, site_lines), _documents(df, request)), request)


def cleaned_meta(df: "pd.DataFrame", request: Request) -> "pd.DataFrame":
    """What a frame without rows will be, told without a model."""
    return _with(df, cleaned_schema(_documents(df, request).schema, request).empty_table(), request)


def _documents(df: "pd.DataFrame", request: Request) -> "pa.Table":
    pa = needed("pyarrow", "jobs")
    return pa.Table.from_pandas(df[columns_of(df.columns, request)], preserve_index=False)


def _with(df: "pd.DataFrame", cleaned: "pa.Table", request: Request) -> "pd.DataFrame":
    """The frame with the columns of a table; text that stood in a column of strings or objects does so again."""
    pd = needed("pandas", "pandas")
    columns = {}
    for name in cleaned.column_names:
        if name in (request.url, request.charset):
            continue
        was = df.dtypes.get(name) if name == request.text else None
        if isinstance(was, pd.StringDtype) or pd.api.types.is_object_dtype(was):
            columns[name] = pd.Series(cleaned[name].to_pylist(), df.index, was)
        else:
            columns[name] = pd.Series(pd.arrays.ArrowExtensionArray(cleaned[name]), df.index)
    return df.assign(**columns)
