"""Files of documents → chunks of documents, in order, from any place on.

Where a chunk or a shard ends depends on the documents alone, so a job that goes on after an interruption cuts as the
unbroken one does.
"""

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, chain, groupby
from pathlib import Path
from tempfile import mkstemp
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from cleaner.errors import CleanerError, InputError
from cleaner.ingest.arrow import taken
from cleaner.ingest.captures import DAMAGED, decoded, is_packed_whole, opened, whole_records
from cleaner.ingest.needs import needed
from cleaner.ingest.places import writing
from cleaner.ingest.records import Item, Position, Refused
from cleaner.ingest.sources import FILE, JSONL, PARQUET, WARC, Source, is_damage, open_raw, skip, unpacked

if TYPE_CHECKING:
    import pyarrow as pa

# A chunk is full when it has so many documents, or bytes.
CHUNK_DOCUMENTS: Final = 256
CHUNK_BYTES: Final = 1_000_000
# Longer documents are refused, unless told.
DOCUMENT_BYTES: Final = 20_000_000
_PIECE: Final = 1 << 20
_BOM: Final = b"\xef\xbb\xbf"
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
# The place behind the last document of a damaged file, from where there is nothing to read but that it is damaged.
_BEHIND: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a document may be, in bytes, and after how many documents or bytes a shard is full.

    A shard ends with a chunk, so it holds up to ``CHUNK_DOCUMENTS`` more; a small one is a chunk.
    """

    document_bytes: int = DOCUMENT_BYTES
    shard_documents: int = 50_000
    shard_bytes: int = 256_000_000


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some documents that stand one behind the other in one file, and those among them that were refused unread.

    ``documents`` are items, or rows of a table. ``shard`` is the shard that they go to, and ``ends_shard`` says that it
    is full then. ``size`` is that of all in bytes, ``after`` the place behind them, ``consumed`` the bytes of all files
    up to there.
    """

    number: int
    shard: int
    format: str
    source: str
    documents: "list[Item] | pa.RecordBatch"
    refused: list[Refused]
    size: int
    after: Position
    consumed: int
    ends_shard: bool = False

    def __len__(self) -> int:
        """How many documents there are, refused ones aside."""
        return len(self.documents) if isinstance(self.documents, list) else int(self.documents.num_rows)

    @property
    def kind(self) -> object:
        """Equal for chunks whose documents have the same columns."""
        return self.format if isinstance(self.documents, list) else self.documents.schema

    def part(self, numbers: list[int]) -> "Chunk":
        """Some of the documents, nothing refused."""
        documents = self.documents
        part = [documents[i] for i in numbers] if isinstance(documents, list) else taken(documents, numbers)
        return replace(self, documents=part, refused=[])

    @property
    def raw(self) -> "list[bytes] | list[Item] | pa.RecordBatch":
        """The documents as a worker takes them: of lines nothing but the bytes."""
        if self.format == JSONL and isinstance(self.documents, list):
            return [item.data for item in self.documents]
        return self.documents

    @property
    def places(self) -> list[str]:
        """Where each of the documents stands: its file, and its number there."""
        if not isinstance(self.documents, list):
            group, last = self.after.offset, self.after.number
            return [f"{self.source}:{group}:{row}" for row in range(last - len(self), last)]
        if self.format == FILE:
            return [item.fields["path"] or "" for item in self.documents]
        return [f"{self.source}:{item.number}" for item in self.documents]

    @property
    def names(self) -> list[str]:
        """The same without folders, as the account calls them."""
        return [place.rpartition("/")[2] for place in self.places]

    def refuse(self, number: int, reason: str) -> Refused:
        """Set one of the documents aside; of a row all columns are kept, as an Arrow stream."""
        if isinstance(self.documents, list):
            item = self.documents[number]
            # A chunk of whole files holds many of them.
            source = (item.fields["path"] or "") if self.format == FILE else self.source
            return Refused(source, item.offset, item.number, reason, item.data)
        sink, pa = io.BytesIO(), needed("pyarrow", "jobs")
        with pa.ipc.new_stream(sink, self.documents.schema) as stream:
            stream.write_batch(self.documents.slice(number, 1))
        group, last = self.after.offset, self.after.number
        return Refused(self.source, group, last - len(self) + number, reason, sink.getvalue())


class _Piece(NamedTuple):
    """What a file holds next, its size in bytes, the place behind it, and how far that is in the file as it is."""

    what: "Item | Refused | pa.RecordBatch"
    size: int
    after: Position
    consumed: int


class Reader:
    """Reads some files one after the other, from a place on.

    ``spills`` is the folder where what is too long to be held is put; without one it is lost. With ``one_schema`` a
    shard ends where rows with other columns begin.
    """

    def __init__(self, sources: list[Source], limits: Limits, spills: Path | None, *, one_schema: bool) -> None:
        self._sources = sources
        self._limits = limits
        self._spills = spills
        self._one_schema = one_schema
        # The bytes of all files in front of each.
        self._before = list(accumulate((source.size for source in sources), initial=0))

    def chunks(self, start: Position, shard: int) -> Iterator[Chunk]:
        """All chunks from ``start`` on, where the shard of that number begins."""
        number = documents = size = 0
        held: Chunk | None = None
        for chunk in chain(self._cut(start), [None]):
            if held is not None:
                documents += len(held) + len(held.refused)
                size += held.size
                full = documents >= self._limits.shard_documents or size >= self._limits.shard_bytes
                ends = full or chunk is None or (self._one_schema and held.kind != chunk.kind)
                yield replace(held, number=number, shard=shard, ends_shard=ends)
                number += 1
                if ends:
                    shard, documents, size = shard + 1, 0, 0
            held = chunk

    def _cut(self, start: Position) -> Iterator[Chunk]:
        """All documents in chunks; a chunk ends with its file, but whole files are taken together."""
        places = range(start.source, len(self._sources))
        runs = groupby(places, lambda place: -1 if self._sources[place].format == FILE else place)
        for _, run in runs:
            first = next(run)
            pieces = chain.from_iterable(
                self._pieces(place, start if place == start.source else Position(place))
                for place in chain([first], run)
            )
            for group in _grouped(pieces, min(CHUNK_DOCUMENTS, self._limits.shard_documents)):
                yield _chunk(self._sources[first], group)

    def _pieces(self, place: int, start: Position) -> Iterator[_Piece]:
        """What one file holds from ``start`` on; what is damaged ends it, and is told."""
        source, done = self._sources[place], self._before[place]
        after, consumed = start, done
        reading = {JSONL: self._lines, PARQUET: self._rows, WARC: self._captures, FILE: self._whole}[source.format]
        try:
            with open_raw(source) as raw:
                for piece in reading(source, raw, start):
                    after, consumed = piece.after, done + piece.consumed
                    yield _Piece(piece.what, piece.size, after, consumed)
        except CleanerError:
            raise
        except Exception as error:
            reason = f"cannot be read on: {getattr(error, 'strerror', None) or error}"
            if not is_damage(source, error):
                raise InputError(f"{source.name} {reason}") from error
            offset = source.size if after.offset == _BEHIND else after.offset
            torn = Refused(source.name, offset, after.number, reason, torn=True)
            yield _Piece(torn, 0, Position(place + 1), consumed)

    def _lines(self, source: Source, raw: IO[bytes], start: Position) -> Iterator[_Piece]:
        place, offset, number = start
        # Of a stream nobody knows how much there is.
        consumed = raw.tell if raw.seekable() else lambda: 0
        with unpacked(source, raw) as stream:
            skip(stream, offset, is_packed=bool(source.compression))
            most = self._limits.document_bytes
            # The longest line that is read whole is a document of that size with both characters of its line end.
            while line := stream.readline(most + 2):
                here, number, offset = offset, number + 1, offset + len(line)
                is_whole = line.endswith(b"\n")
                data = line[:-1].removesuffix(b"\r") if is_whole else line
                if here == 0:
                    data = data.removeprefix(_BOM)
                what: Item | Refused = Item(here, number, data)
                if len(data) > most or (len(line) > most + 1 and not is_whole):
                    spilled, size = self._spill(data, iter(()) if is_whole else _rest_of_line(stream))
                    offset += size - len(data)
                    if spilled is not None and not is_whole:
                        _end_line(spilled)
                    what = Refused(source.name, here, number, self._too_long(), spilled=spilled)
                elif not data.strip():
                    continue
                yield _Piece(what, len(data), Position(place, offset, number), consumed())

    def _rows(self, source: Source, raw: IO[bytes], start: Position) -> Iterator[_Piece]:
        parquet = needed("pyarrow.parquet", "jobs")
        file = parquet.ParquetFile(raw, pre_buffer=False)
        groups, place = file.num_row_groups, start.source
        for group in range(start.offset, groups):
            row = 0
            for batch in file.iter_batches(batch_size=CHUNK_DOCUMENTS, row_groups=[group]):
                # Few rows when they are long.
                step = max(1, batch.num_rows * CHUNK_BYTES // max(batch.nbytes, CHUNK_BYTES))
                for begin in range(0, batch.num_rows, step):
                    rows = range(begin, min(begin + step, batch.num_rows))
                    # A slice would be sent with all that it was cut from.
                    part = batch if len(rows) == batch.num_rows else taken(batch, list(rows))
                    row += part.num_rows
                    if group == start.offset and row <= start.number:
                        continue
                    yield _Piece(part, part.nbytes, Position(place, group, row), source.size * (group + 1) // groups)

    def _captures(self, source: Source, raw: IO[bytes], start: Position) -> Iterator[_Piece]:
        warc = needed("fastwarc.warc", "jobs")
        number, place, begin = start.number, start.source, start.offset
        if begin == _BEHIND:
            raise EOFError(DAMAGED)
        held: Item | Refused | None = None
        size, here, damaged = 0, begin, False
        responses = warc.WarcRecordType.response
        is_packed = is_packed_whole(source)
        try:
            stream = opened(source, raw, begin, is_packed=is_packed)
            for record in warc.ArchiveIterator(stream, record_types=responses):
                if (record.http_content_type or "").lower() not in _HTML:
                    continue
                here = record.stream_pos  # in the file, wherever reading began
                if held is not None:
                    yield _Piece(held, size, Position(place, here, number), raw.tell())
                    held = None
                number += 1
                held, size = self._capture(source, record, here, number)
        except Exception as error:
            if not is_damage(source, error):
                raise
            damaged = True
        # fastwarc takes a file that is cut off for one that has ended.
        whole = whole_records(source, here, is_packed=is_packed)
        if held is not None and whole == 0:
            yield _Piece(_cut_off(source, held), size, Position(place + 1), source.size)
            return
        damaged = damaged or whole is not None
        if held is not None:
            yield _Piece(held, size, Position(place, _BEHIND, number) if damaged else Position(place + 1), source.size)
        if damaged:
            raise EOFError(DAMAGED)

    def _capture(self, source: Source, record: Any, here: int, number: int) -> tuple[Item | Refused, int]:
        most = self._limits.document_bytes
        body = record.reader.read(most + 1)
        if len(body) > most:
            spilled, size = self._spill(body, iter(lambda: record.reader.read(_PIECE), b""))
            return Refused(source.name, here, number, self._too_long(), spilled=spilled), size
        try:
            data = decoded(record, body, most + 1)
        except OSError as error:
            return Refused(source.name, here, number, f"cannot be decoded: {error}", body), len(body)
        if len(data) > most:
            return Refused(source.name, here, number, self._too_long(), body), len(body)
        fields = {
            "id": (record.record_id or "").strip("<>") or None,
            "url": record.headers.get("WARC-Target-URI"),
            "date": record.headers.get("WARC-Date"),
        }
        return Item(here, number, data, record.http_charset, fields), len(data)

    def _whole(self, source: Source, raw: IO[bytes], start: Position) -> Iterator[_Piece]:
        if start.offset:
            return
        what: Item | Refused
        with unpacked(source, raw) as stream:
            data = stream.read(self._limits.document_bytes + 1)
            if len(data) > self._limits.document_bytes:
                spilled, size = self._spill(data, iter(lambda: stream.read(_PIECE), b""))
                what = Refused(source.name, 0, 1, self._too_long(), spilled=spilled)
            else:
                what, size = Item(0, 1, data, None, {"path": source.name}), len(data)
        yield _Piece(what, size, Position(start.source + 1), source.size)

    def _too_long(self) -> str:
        return f"longer than {self._limits.document_bytes} bytes"

    def _spill(self, first: bytes, rest: Iterator[bytes]) -> tuple[Path | None, int]:
        """Put what is too long into a file, if there is a place for it; the file, and how long it is."""
        if self._spills is None:
            return None, sum(map(len, chain([first], rest)))
        with writing(self._spills):
            handle, name = mkstemp(dir=self._spills)
        size = 0
        with open(handle, "wb", buffering=0) as file:
            for piece in chain([first], rest):
                # What cannot be written is no fault of the file that is read.
                with writing(self._spills):
                    size += _write(file, piece)
        return Path(name), size


def _write(file: IO[bytes], data: bytes) -> int:
    """Write all of it, which a file without a buffer need not do at once."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
    return len(data)


def _chunk(source: Source, group: list[_Piece]) -> Chunk:
    first, last = group[0].what, group[-1]
    refused = [piece.what for piece in group if isinstance(piece.what, Refused)]
    items = [piece.what for piece in group if isinstance(piece.what, Item)]
    table = not isinstance(first, Item | Refused)
    size = sum(piece.size for piece in group)
    return Chunk(0, 0, source.format, source.name, first if table else items, refused, size, last.after, last.consumed)


def _grouped(pieces: Iterator[_Piece], most: int) -> Iterator[list[_Piece]]:
    """Pieces in groups that are large enough to be a chunk; a table is one for itself."""
    group: list[_Piece] = []
    size = 0
    for piece in pieces:
        if not isinstance(piece.what, Item | Refused):
            if group:
                yield group
                group, size = [], 0
            yield [piece]
            continue
        group.append(piece)
        size += piece.size
        if len(group) >= most or size >= CHUNK_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _rest_of_line(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.readline(_PIECE):
        yield piece
        if piece.endswith(b"\n"):
            return


def _end_line(path: Path) -> None:
    """Take the line end away from a line that was put into a file."""
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 2, 0))
        end = file.read()
        file.truncate(size - len(end) + len(end.removesuffix(b"\n").removesuffix(b"\r")))


def _cut_off(source: Source, held: Item | Refused) -> Refused:
    """The last document of a file that ends inside it."""
    reason = f"cannot be read on: {DAMAGED}"
    if isinstance(held, Refused):
        return replace(held, reason=reason, torn=True)
    return Refused(source.name, held.offset, held.number, reason, held.data, torn=True)
