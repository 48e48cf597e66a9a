"""Cleaning in Hugging Face ``datasets``: a function for ``Dataset.map(…, batched=True)``, and a data set as a whole."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleaner import __version__
from cleaner.ingest.arrow import Request
from cleaner.ingest.needs import needed
from cleaner.integrations.tables import ROWS, arrow_cleaner, clean_table, columns_of
from cleaner.model.bundle import read_bundle
from cleaner.options import Options
from cleaner.sites import SiteLines

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset


def clean_batch(
    batch: "Mapping[str, list[Any]] | pa.Table",
    request: Request | None = None,
    bundle: str | Path | None = None,
    options: Options | None = None,
    site_lines: str | Path | None = None,
    version: object = None,  # noqa: ARG001 -- part of what `datasets` tells its cached results apart by
) -> "dict[str, list[Any]] | pa.Table":
    """The same rows, cleaned, in the form that they came in: a table, or lists by name."""
    pa = needed("pyarrow", "jobs")
    request = request or Request()
    clean = arrow_cleaner(request, bundle, options, site_lines)
    if not isinstance(batch, Mapping):
        return _without_maps(clean_table(clean, batch))
    # What is not given back is left as it was.
    table = pa.table({name: batch[name] for name in columns_of(batch, request)})
    return _without_maps(clean_table(clean, table)).to_pydict()


def clean_dataset(
    ds: "Dataset",
    request: Request | None = None,
    bundle: str | Path | None = None,
    options: Options | None = None,
    site_lines: str | Path | None = None,
    **how: Any,
) -> "Dataset":
    """The same rows, cleaned, and without a format; ``how`` goes to ``map``, as ``num_proc=4``.

    Counts by kind are lists of a key and a value each. What ``datasets`` caches it tells apart by model, site lines and
    version.
    """
    needed("datasets", "huggingface")
    version = __version__, read_bundle(bundle).manifest, None if site_lines is None else SiteLines(site_lines).digest
    clean = partial(
        clean_batch, request=request, bundle=bundle, options=options, site_lines=site_lines, version=version
    )
    return ds.with_format("arrow").map(clean, batched=True, **{"batch_size": ROWS} | how).with_format(None)


def _without_maps(table: "pa.Table") -> "pa.Table":
    """The same with maps as lists of their items: ``datasets`` knows no maps."""
    pa = needed("pyarrow", "jobs")
    fields = []
    for field in table.schema:
        is_map = pa.types.is_map(field.type)
        items = pa.list_(pa.struct({"key": field.type.key_type, "value": field.type.item_type})) if is_map else None
        fields.append(field.with_type(items) if is_map else field)
    return table.cast(pa.schema(fields))
