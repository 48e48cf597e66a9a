"""Cleaning in polars: a frame in, a frame out, eager or lazy. Only what cleaning reads is handed over."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cleaner.ingest.arrow import Request, cleaned_schema
from cleaner.ingest.needs import needed
from cleaner.integrations.tables import arrow_cleaner, clean_table, columns_of
from cleaner.options import Options

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_Frame = TypeVar("_Frame", "pl.DataFrame", "pl.LazyFrame")


def clean_frame(
    frame: "_Frame",
    request: Request | None = None,
    bundle: str | Path | None = None,
    options: Options | None = None,
    site_lines: str | Path | None = None,
) -> "_Frame":
    """The same rows, cleaned; of a lazy frame when it is collected, piece by piece if it is streamed."""
    pl = needed("polars", "polars")
    request = request or Request()
    if isinstance(frame, pl.LazyFrame):
        clean = partial(clean_frame, request=request, bundle=bundle, options=options, site_lines=site_lines)
        empty = pl.DataFrame(schema=frame.collect_schema())
        schema = _with(empty, cleaned_schema(_documents(empty, request).schema, request).empty_table(), request).schema
        # Nothing may pass: a filter on the cleaned text would be one on the text as it came.
        passing = dict.fromkeys(("predicate_pushdown", "projection_pushdown", "slice_pushdown"), False)
        return frame.map_batches(clean, schema=schema, streamable=True, **passing)
    cleaned = clean_table(arrow_cleaner(request, bundle, options, site_lines), _documents(frame, request))
    return _with(frame, cleaned, request)


def _documents(frame: "pl.DataFrame", request: Request) -> "pa.Table":
    return frame.select(columns_of(frame.columns, request)).to_arrow()


def _with(frame: "pl.DataFrame", cleaned: "pa.Table", request: Request) -> "pl.DataFrame":
    columns = needed("polars", "polars").from_arrow(cleaned).get_columns()
    return frame.with_columns(column for column in columns if column.name not in (request.url, request.charset))
