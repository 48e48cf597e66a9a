"""Counting on an engine: batches of documents → batches of partial counts, a pure function of batch, model and key.

Engines call ``partial_counts`` wherever the documents are, may put together rows that agree in site, fingerprint and
day (the least ``low``, the greatest ``high``, the sums of the others), and bring what is left to one ``LineCounts``.
"""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from cleaner.errors import InputError
from cleaner.sites.counting import Document, Judge, Tally, counts_of
from cleaner.sites.fingerprints import site_of

if TYPE_CHECKING:
    import pyarrow as pa

DOCUMENT_COLUMNS = ("site", "text", "day", "charset")


def counts_schema() -> "pa.Schema":
    """The columns of partial counts: ``fingerprint`` 0 stands for the documents themselves, a null day for no day."""
    import pyarrow as pa

    sums = [(name, pa.int64()) for name in Tally._fields]
    return pa.schema([("site", pa.string()), ("fingerprint", pa.int64()), ("day", pa.date32()), *sums])


def partial_counts(batch: "pa.RecordBatch", judge: Judge, key: bytes) -> "pa.RecordBatch":
    """What the documents of a batch add to the counts of their sites.

    Columns ``site`` (a host or a URL), ``text``, ``day`` (see ``days_of``) and ``charset`` (of pages in bytes); the
    last two may hold nulls or be missing. A document without a site or a text counts for nothing.
    """
    import pyarrow as pa

    names = batch.schema.names
    if missing := {"site", "text"} - set(names):
        raise InputError(f"the batch has no column {', '.join(sorted(missing))}; there are {names}")
    sites, texts, days, charsets = (
        batch.column(name) if name in names else pa.nulls(batch.num_rows) for name in DOCUMENT_COLUMNS
    )
    rows = zip(sites.to_pylist(), texts.to_pylist(), days_of(days), charsets.to_pylist(), strict=True)
    documents = [
        Document(site, day, text, charset)
        for name, text, day, charset in rows
        if text is not None and (site := site_of(name))
    ]
    total = counts_of(documents, judge, key)
    found = [
        (site, fingerprint, date.fromordinal(day) if day else None, *tally)
        for (site, fingerprint, day), tally in sorted(total.items())
    ]
    return pa.RecordBatch.from_pylist(
        [dict(zip(counts_schema().names, row, strict=True)) for row in found], counts_schema()
    )


def days_of(column: "pa.Array") -> list[date | None]:
    """The days of a column of dates, of times (those of its time zone) or of texts, as ``day_of`` tells each."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        # Times may be finer, and years greater, than Python knows; as text they are in ISO form.
        column = column.cast(pa.string())
    return list(map(day_of, column.to_pylist()))


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
