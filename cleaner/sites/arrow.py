"""Counting on an engine: batches of documents → batches of partial counts, a pure function of batch, model and key.

Engines call ``partial_counts`` wherever the documents are, may put together rows that agree in site, fingerprint and
day (the least ``low``, the greatest ``high``, the sums of the others), and bring what is left to one ``LineCounts``.
"""

from datetime import date, datetime
from itertools import repeat
from typing import TYPE_CHECKING, Any

from cleaner.errors import InputError
from cleaner.sites.counting import Document, Judge, Tally, counts_of
from cleaner.sites.fingerprints import site_of

if TYPE_CHECKING:
    import pyarrow as pa

DOCUMENT_COLUMNS = ("site", "text", "day")


def counts_schema() -> "pa.Schema":
    """The columns of partial counts: ``fingerprint`` 0 stands for the documents themselves, a null day for no day."""
    import pyarrow as pa

    sums = [(name, pa.int64()) for name in Tally._fields]
    return pa.schema([("site", pa.string()), ("fingerprint", pa.int64()), ("day", pa.date32()), *sums])


def partial_counts(batch: "pa.RecordBatch", judge: Judge, key: bytes) -> "pa.RecordBatch":
    """What the documents of a batch add to the counts of their sites.

    Columns ``site`` (a host or a URL), ``text`` and ``day`` (a date, a time stamp or ISO text; may be null or missing).
    A document without a site or a text counts for nothing.
    """
    import pyarrow as pa

    columns = {name: batch.column(name).to_pylist() for name in DOCUMENT_COLUMNS if name in batch.schema.names}
    if missing := {"site", "text"} - columns.keys():
        raise InputError(f"the batch has no column {', '.join(sorted(missing))}; there are {batch.schema.names}")
    documents = [
        Document(site, day_of(day), text)
        for name, text, day in zip(columns["site"], columns["text"], columns.get("day") or repeat(None), strict=False)
        if text is not None and (site := site_of(name))
    ]
    total = counts_of(documents, judge, key)
    rows = [
        (site, fingerprint, date.fromordinal(day) if day else None, *tally)
        for (site, fingerprint, day), tally in sorted(total.items())
    ]
    return pa.RecordBatch.from_pylist(
        [dict(zip(counts_schema().names, row, strict=True)) for row in rows], counts_schema()
    )


def day_of(value: Any) -> date | None:
    """The day of a date, of a time, or of a text that begins like one in ISO form; nothing of anything else.

    >>> day_of("2024-05-01T10:00:00Z"), day_of("yesterday")
    (datetime.date(2024, 5, 1), None)
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value[:10])
    except (TypeError, ValueError):
        return None
