"""Cleaning as a step of an ingestion job: many documents, from files to files or inside another program's tables.

``Job`` goes from files to a folder of shards, and survives what happens to long jobs. ``ArrowCleaner`` does the same to
one Arrow record batch: every road through this package, and every engine in ``cleaner.integrations``, is a thin skin
over it. ``LineJudge`` says what the lines of documents count for in ``cleaner.sites``, and ``partial_counts`` counts
those of one record batch. Needs ``article-cleaner[jobs]``, but for counting JSON Lines.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cleaner.ingest.arrow import ArrowCleaner, Request
    from cleaner.ingest.counting import LineJudge, partial_counts
    from cleaner.ingest.job import Job

_HOME = {
    "ArrowCleaner": "arrow",
    "Job": "job",
    "LineJudge": "counting",
    "Request": "arrow",
    "partial_counts": "counting",
}

__all__ = ["ArrowCleaner", "Job", "LineJudge", "Request", "partial_counts"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
