"""Documents as they came → a record batch to be cleaned; cleaned rows → what is written of them, in any format.

Fields of JSON Lines that are not cleaned are never decoded: they go out byte for byte as they came in.
"""

import bz2
import gzip
import json
import lzma
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from cleaner.errors import OptionError
from cleaner.ingest.needs import needed
from cleaner.ingest.records import Item, LineError, fields_of
from cleaner.ingest.sources import JSONL, PARQUET, WARC, zstandard_library
from cleaner.normalize import replace_surrogates

if TYPE_CHECKING:
    import pyarrow as pa

    from cleaner.ingest.arrow import Request

TEXT: Final = "text"
# What can be written, and the endings of its files.
TARGETS: Final = {JSONL: ".jsonl", PARQUET: ".parquet", WARC: ".warc", TEXT: ""}
COMPRESSED: Final = (JSONL, WARC)
# The other fields of a record of JSON Lines, where the target has columns.
FIELDS: Final = "fields"
_UNSAFE: Final = re.compile(r"[^\w-]+")
_LONGEST_STEM: Final = 60


@dataclass(frozen=True, slots=True)
class Target:
    """What a job writes: a format of ``TARGETS``, and how it is compressed (Parquet does that itself)."""

    format: str = JSONL
    compression: str = ""

    def __post_init__(self) -> None:
        """Check both.

        Raises
        ------
        OptionError
            On a format that cannot be written, or cannot be compressed in that way.
        """
        if self.format not in TARGETS:
            raise OptionError(f"cannot write {self.format!r}; there are {', '.join(TARGETS)}")
        if self.compression and (self.format not in COMPRESSED or self.compression not in _PACK):
            raise OptionError(f"cannot write {self.format} compressed as {self.compression!r}")
        if self.format == WARC and self.compression not in {"", "gz"}:
            raise OptionError("WARC files are compressed with gz, or not at all")

    @property
    def suffix(self) -> str:
        """The ending of the names of its files."""
        return TARGETS[self.format] + (f".{self.compression}" if self.compression else "")


_PACK: Final[dict[str, Callable[[bytes], bytes]]] = {
    "": bytes,
    "gz": lambda data: gzip.compress(data, 6, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: bytes(zstandard_library().compress(data)),
}


class _Json(NamedTuple):
    """What reads and writes JSON: made once, because making takes longer than a record."""

    fields: Callable[[bytes], dict[str, Any]]
    text: Callable[[Any], str]
    encode: Callable[[Any], bytes]
    encode_lines: Callable[[list[Any]], bytes]


@cache
def _json() -> _Json:
    msgspec = needed("msgspec", "jobs")
    fields = msgspec.json.Decoder(dict[str, msgspec.Raw])  # type: ignore[name-defined]
    encoder = msgspec.json.Encoder(enc_hook=str)
    return _Json(fields.decode, msgspec.json.Decoder(str).decode, encoder.encode, encoder.encode_lines)


class Lines(NamedTuple):
    """Documents that stood in lines of JSON: text, URL and all fields of each, these as they came, and its number."""

    texts: list[str]
    urls: list[str | None]
    fields: list[dict[str, Any]]
    numbers: list[int]


def read_lines(raw: list[bytes], request: "Request") -> tuple[Lines, list[tuple[int, str]]]:
    """Lines of JSON → their documents; and the numbers of the bad ones, with what is wrong with them."""
    lines, bad = Lines([], [], [], []), []
    for number, line in enumerate(raw):
        try:
            fields = _fields(line)
            text = _text_of(fields, request.text)
        except LineError as error:
            bad.append((number, str(error)))
            continue
        lines.texts.append(text)
        lines.urls.append(_string(fields.get(request.url)))
        lines.fields.append(fields)
        lines.numbers.append(number)
    return lines, bad


def _fields(raw: bytes) -> dict[str, Any]:
    """The fields of a line, each as it stands there."""
    msgspec = needed("msgspec", "jobs")
    try:
        if not raw.isascii():
            raw.decode()
        fields: dict[str, Any] = _json().fields(raw)
    except (UnicodeDecodeError, RecursionError, msgspec.DecodeError):
        # What is wrong with it is for the standard library to say, which also takes NaN and half a surrogate pair.
        return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields_of(raw).items()}
    return fields


def _text_of(fields: dict[str, Any], name: str) -> str:
    if name not in fields:
        raise LineError(f"no field {name!r}")
    if (text := _string(fields[name])) is None:
        raise LineError(f"field {name!r} is not a string")
    return text


def _string(raw: Any) -> str | None:
    """The string that some JSON is, if it is one."""
    if raw is None:
        return None
    try:
        return str(_json().text(raw))
    except needed("msgspec", "jobs").DecodeError:
        return replace_surrogates(json.loads(bytes(raw))) if bytes(raw).startswith(b'"') else None


def read_items(items: list[Item], request: "Request") -> "pa.RecordBatch":
    """Whole files and captures → a batch of documents and of what is said of each."""
    pa = needed("pyarrow", "jobs")
    names = list(items[0].fields) if items else []
    columns = {
        name: pa.array(
            [value and replace_surrogates(value) for item in items for value in [item.fields[name]]], pa.string()
        )
        for name in names
    }
    columns[request.text] = pa.array([item.data for item in items], pa.binary())
    columns[request.charset] = pa.array([item.charset for item in items], pa.string())
    return pa.record_batch(columns)


Encoded: TypeAlias = "bytes | pa.RecordBatch | list[tuple[str, bytes]]"


def encoded_rows(target: Target, batch: "pa.RecordBatch", request: "Request") -> "Encoded":
    """Cleaned rows as they are written: bytes, a batch of rows for Parquet, or files with the stems of their names."""
    return batch if target.format == PARQUET else encoded(target, _rows(batch), request)


def encoded(target: Target, records: Iterable[dict[str, Any]], request: "Request") -> "bytes | list[tuple[str, bytes]]":
    """The same of records; none of Parquet, which is written by columns."""
    if target.format == TEXT:
        named = ((_stem(record), record[request.text]) for record in records)
        return [(stem, f"{text}\n".encode() if text else b"") for stem, text in named]
    if target.format == WARC:
        return b"".join(_PACK[target.compression](_conversion(record, request)) for record in records)
    lines = _lines(list(records))
    return _PACK[target.compression](lines) if lines else b""


def _lines(records: list[dict[str, Any]]) -> bytes:
    """Records as JSON Lines."""
    try:
        return _json().encode_lines(records)
    except UnicodeEncodeError:  # which of them cannot be written at once is found out
        return b"".join(_object(fields) + b"\n" for fields in records)


def _object(fields: dict[str, Any]) -> bytes:
    """A record as JSON."""
    encode = _json().encode
    try:
        return encode(fields)
    except UnicodeEncodeError:
        # Half a surrogate pair in a name, which UTF-8 cannot hold, becomes an escape.
        return b"{" + b",".join(json.dumps(name).encode() + b":" + encode(fields[name]) for name in fields) + b"}"


def _rows(batch: "pa.RecordBatch") -> Iterator[dict[str, Any]]:
    """Each row as the fields of a record."""
    maps = [field.name for field in batch.schema if needed("pyarrow", "jobs").types.is_map(field.type)]
    for row in _as_python(batch):
        for name in maps:
            row[name] = dict(row[name] or ())
        yield row


def _as_python(batch: "pa.RecordBatch") -> list[dict[str, Any]]:
    """Rows as dictionaries; times that are too fine for Python as strings."""
    pa = needed("pyarrow", "jobs")
    try:
        rows: list[dict[str, Any]] = batch.to_pylist()
    except (ValueError, OverflowError):
        fine = [
            place
            for place, field in enumerate(batch.schema)
            if pa.types.is_temporal(field.type) and getattr(field.type, "unit", "") == "ns"
        ]
        for place in fine:
            batch = batch.set_column(place, batch.schema.names[place], _times(batch.column(place)))
        rows = batch.to_pylist()
    return rows


def _times(column: "pa.Array") -> "pa.Array":
    pa = needed("pyarrow", "jobs")
    if pa.types.is_duration(column.type):
        column = column.cast(pa.int64())
    return column.cast(pa.string())


def with_fields(records: list[dict[str, Any]], request: "Request") -> "pa.RecordBatch":
    """Records as rows that wait for their text, with all other fields in one column, as JSON."""
    pa = needed("pyarrow", "jobs")
    others = [
        _object({name: value for name, value in fields.items() if name != request.text}).decode() for fields in records
    ]
    return pa.record_batch({request.text: pa.nulls(len(others), pa.string()), FIELDS: pa.array(others, pa.string())})


def _said(row: dict[str, Any], name: str) -> str | None:
    """What a row says under a name, as a string; a field of JSON Lines is decoded for that."""
    value = row.get(name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, needed("msgspec", "jobs").Raw):
        raw = bytes(value)
        return _string(value) if raw.startswith(b'"') else None if raw == b"null" else raw.decode()
    return str(value)


def _stem(row: dict[str, Any]) -> str:
    """A name that is safe anywhere, after the file or the record that the row came from."""
    told = next(filter(None, (_said(row, name) for name in ("path", "id", "url"))), "")
    last = told.rstrip("/").rpartition("/")[2].partition("?")[0]
    return _UNSAFE.sub("-", last.partition(".")[0]).strip("-")[:_LONGEST_STEM]


def _conversion(row: dict[str, Any], request: "Request") -> bytes:
    """One row as a WARC record of type conversion, as crawls keep the text of their pages."""
    text = f"{row[request.text] or ''}\n".encode()
    url, refers = _said(row, request.url), _said(row, "id")
    name = uuid5(NAMESPACE_URL, f"{url} {refers}")
    headers = {
        "WARC-Type": "conversion",
        "WARC-Target-URI": url,
        "WARC-Date": _said(row, "date") or "1970-01-01T00:00:00Z",
        "WARC-Record-ID": f"<urn:uuid:{name}>",
        "WARC-Refers-To": f"<{refers}>" if refers else None,
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(text)),
    }
    lines = [f"{key}: {' '.join(value.split())}" for key, value in headers.items() if value is not None]
    return "\r\n".join(["WARC/1.1", *lines, "", ""]).encode() + text + b"\r\n\r\n"
