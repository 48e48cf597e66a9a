"""What counting and Arrow have in common: columns of dates → days, and counts → the batches that engines add up.

Engines may put together rows that agree in site, fingerprint and day (the least ``low``, the greatest ``high``, the
sums of the others), and bring what is left to one ``LineCounts``. See ``cleaner.ingest.partial_counts``.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from cleaner.sites.counting import Count, Tally

if TYPE_CHECKING:
    import pyarrow as pa


def counts_schema() -> "pa.Schema":
    """The columns of partial counts: ``fingerprint`` 0 stands for the documents themselves, a null day for no day."""
    import pyarrow as pa

    sums = [(name, pa.int64()) for name in Tally._fields]
    return pa.schema([("site", pa.string()), ("fingerprint", pa.int64()), ("day", pa.date32()), *sums])


def batch_of_counts(counts: Mapping[Count, Tally]) -> "pa.RecordBatch":
    """Counts as a batch of partial counts, in order."""
    import pyarrow as pa

    schema = counts_schema()
    rows = [
        (site, fingerprint, date.fromordinal(day) if day else None, *tally)
        for (site, fingerprint, day), tally in sorted(counts.items())
    ]
    return pa.RecordBatch.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)


def days_of(column: "pa.Array") -> list[date | None]:
    """The days of a column of dates, of times (those of its time zone), of texts or of bytes, as ``day_of`` tells each.

    A time zone that Arrow does not know is taken for UTC. Columns of other types have no days.
    """
    import pyarrow as pa

    types = pa.types
    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    if types.is_timestamp(kind) or types.is_date(kind):
        # Times may be finer, and years greater, than Python knows; as text they are in ISO form.
        column = column.cast(kind)
        try:
            column = column.cast(pa.string())
        except pa.ArrowInvalid:
            column = column.cast(pa.timestamp(kind.unit)).cast(pa.string())
    elif not any(is_such(kind) for is_such in _texts(types)):
        return [None] * len(column)
    values = column.to_pylist()
    return [day_of(value.decode("utf-8", "replace") if isinstance(value, bytes) else value) for value in values]


def _texts(types: Any) -> "list[Callable[[pa.DataType], bool]]":
    """What tells types of texts and bytes."""
    texts = [types.is_string, types.is_large_string, types.is_string_view]
    return [*texts, types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary]


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
