"""Cleaning in Ray Data: a callable class for ``map_batches``, each of whose actors reads the model once."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleaner.ingest.arrow import Request
from cleaner.ingest.needs import needed
from cleaner.integrations.tables import ROWS, arrow_cleaner, clean_table
from cleaner.options import Options

if TYPE_CHECKING:
    import pyarrow as pa
    from ray.data import Dataset


class CleanBatches:
    """For ``Dataset.map_batches`` with ``batch_format="pyarrow"``."""

    def __init__(
        self,
        request: Request | None = None,
        bundle: str | Path | None = None,
        options: Options | None = None,
        site_lines: str | Path | None = None,
    ) -> None:
        """Read the model; every node can read the bundle and the site lines."""
        self._clean = arrow_cleaner(request, bundle, options, site_lines)

    def __call__(self, table: "pa.Table") -> "pa.Table":
        """The same rows, cleaned."""
        return clean_table(self._clean, table)


def clean_dataset(
    ds: "Dataset",
    request: Request | None = None,
    bundle: str | Path | None = None,
    options: Options | None = None,
    site_lines: str | Path | None = None,
    **how: Any,
) -> "Dataset":
    """The same rows, cleaned by as many actors as Ray finds room for; ``how`` goes to ``map_batches``.

    The order of rows is that of Ray: without ``preserve_order`` in its execution options, blocks come as they are done.
    """
    needed("ray.data", "ray")
    settings = {"batch_format": "pyarrow", "batch_size": ROWS, "udf_modifying_row_count": False} | how
    made_with = {"request": request, "bundle": bundle, "options": options, "site_lines": site_lines}
    return ds.map_batches(CleanBatches, fn_constructor_kwargs=made_with, **settings)
