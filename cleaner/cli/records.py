"""Records of JSON Lines: read from a stream of bytes, given back with their text replaced and all else as it came."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cleaner.ingest.records import LineError, fields_of, text_of

# How many documents go through the core together, and how many characters at most: enough to fill numpy's loops, and a
# bound on memory whatever the documents' size.
BATCH_DOCUMENTS = 256
BATCH_CHARACTERS = 4_000_000
# A message shows this much of a record that is left out.
EXCERPT = 120
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Record:
    """One document of a source, and the fields it came with."""

    source: str
    number: int
    raw: bytes
    fields: dict[str, Any]
    text: str
    id: Any

    @property
    def name(self) -> str:
        """Source and line number, and the id when the record has one."""
        return f"{self.source}:{self.number}" + (f" ({self.id})" if isinstance(self.id, str | int) else "")


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A line of a source that is no document, and why."""

    source: str
    number: int
    raw: bytes
    reason: str

    def message(self) -> str:
        """What to tell the user."""
        return left_out(f"{self.source}:{self.number}", self.reason, self.raw)

    def as_json(self) -> bytes:
        """The record for the file of errors; ``raw`` is the line without its line end, in base64."""
        from base64 import b64encode

        raw = b64encode(self.raw).decode("ascii")
        fields = {"source": self.source, "line": self.number, "reason": self.reason, "raw": raw}
        return json_line(fields)


def left_out(name: str, reason: str, raw: bytes) -> str:
    """What to tell of a record that cannot be used; its beginning is part of it, so that none is dropped in silence."""
    excerpt = raw[:EXCERPT].decode("utf-8", "backslashreplace")
    return f"{name}: {reason}; record left out" + (f": {excerpt}{'…' * (len(raw) > EXCERPT)}" if raw else "")


def read_records(stream: Iterable[bytes], source: str, text_field: str, id_field: str) -> Iterator[Record | BadRecord]:
    """Every non-blank line of a stream, in order, as a document or as what is wrong with it."""
    for number, line in enumerate(stream, 1):
        raw = line.rstrip(b"\r\n")
        if number == 1:
            raw = raw.removeprefix(BOM)
        if not raw.strip():
            continue
        try:
            fields = fields_of(raw)
            yield Record(source, number, raw, fields, text_of(fields, text_field), fields.get(id_field))
        except LineError as error:
            yield BadRecord(source, number, raw, str(error))


def batches(
    records: Iterable[Record | BadRecord], documents: int = BATCH_DOCUMENTS
) -> Iterator[list[Record | BadRecord]]:
    """The records in lists of at most that many, and not many more characters than `BATCH_CHARACTERS`."""
    batch: list[Record | BadRecord] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(record.raw)
        if len(batch) >= documents or size >= BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def json_line(fields: dict[str, Any]) -> bytes:
    """A record as one line of JSON in UTF-8; half a surrogate pair, which UTF-8 cannot hold, becomes an escape."""
    try:
        return json.dumps(fields, ensure_ascii=False).encode("utf-8") + b"\n"
    except UnicodeEncodeError:
        return json.dumps(fields).encode("ascii") + b"\n"
