"""WARC files: where reading goes on, what a capture held before it was encoded, and whether a file ends inside one."""

import io
import zlib
from contextlib import suppress
from typing import IO, Any, Final

from cleaner.ingest.needs import needed
from cleaner.ingest.sources import Source, is_damage, open_raw, skip, unpacked

DAMAGED: Final = "the file is damaged or cut off"
_PIECE: Final = 1 << 20
# How zlib is told that what follows is a member of a gzip file.
_GZIP_MEMBER: Final = 16 + zlib.MAX_WBITS


def decoded(record: Any, body: bytes, most: int) -> bytes:
    """What was sent, up to so many bytes, without the encodings that its headers name.

    Each body is decoded by itself, so that a bad one does not end its file. Crawlers decode many and leave the headers
    as they were; what looks like a page then is one.

    Raises
    ------
    OSError
        When it cannot be decoded, and is no page as it is.
    """
    named = {name: record.http_headers.get(name) for name in ("Content-Encoding", "Transfer-Encoding")}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
    if not head:
        return body
    block = b"HTTP/1.1 200 OK\r\n" + head.encode("utf-8", "replace") + b"\r\n" + body
    about = f"WARC/1.1\r\nWARC-Type: response\r\nContent-Type: application/http\r\nContent-Length: {len(block)}\r\n\r\n"
    alone = needed("fastwarc.warc", "jobs").WarcRecord.from_bytes(about.encode() + block + b"\r\n\r\n")
    try:
        alone.parse_http(auto_decode="all")
        decoded: bytes = alone.reader.read(most)
    except OSError:
        if body.lstrip()[:1] != b"<":
            raise
        return body
    return decoded


class _InPieces:
    """A stream that is packed, read as ``skip`` reads it, whatever the reader asks for."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        """Some bytes; none at the end."""
        self._stream.peek()
        return bytes(self._stream.read1(size))

    def tell(self) -> int:
        """How many bytes were read."""
        return int(self._stream.tell())


def opened(source: Source, raw: IO[bytes], offset: int, *, is_packed: bool) -> "IO[bytes] | _InPieces":
    """A WARC file from a place on, which is one of the file as it is unless that ``is_packed``."""
    stream = unpacked(source, raw) if is_packed else raw
    skip(stream, offset, is_packed=is_packed)
    return _InPieces(stream) if is_packed else stream


def is_packed_whole(source: Source) -> bool:
    """Whether a WARC file is packed as a whole, so that its records cannot be sought: not each by itself, nor none."""
    if source.compression != "gz":
        return bool(source.compression)
    with open_raw(source) as raw, suppress(zlib.error, EOFError):
        first = io.BytesIO(zlib.decompressobj(_GZIP_MEMBER).decompress(raw.read(_PIECE), _PIECE))
        return _pass_record(first) and bool(first.read().strip())
    return False


def whole_records(source: Source, offset: int, *, is_packed: bool) -> int | None:
    """How many records from a place on are whole, when the file is cut off behind them; ``None`` when it is not."""
    whole = 0
    with open_raw(source) as raw:
        stream = unpacked(source, raw)
        skip(stream if is_packed else raw, offset, is_packed=is_packed)
        try:
            while _pass_record(stream):
                whole += 1
        except Exception as error:
            if not is_damage(source, error):
                raise
            return whole
    return None


def _pass_record(stream: IO[bytes]) -> bool:
    """Read over one record of a WARC file; whether there was any."""
    line = stream.readline(_PIECE)
    while line in {b"\r\n", b"\n"}:
        line = stream.readline(_PIECE)
    if not line:
        return False
    length = 0
    while line.strip():
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value) if value.strip().isdigit() else 0
        line = stream.readline(_PIECE)
    if not line:
        raise EOFError(DAMAGED)
    while length > 0:
        piece = stream.read(min(length, _PIECE))
        if not piece:
            raise EOFError(DAMAGED)
        length -= len(piece)
    return True
