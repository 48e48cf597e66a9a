"""Where documents come from: names, folders, patterns and URLs → the files behind them, in one order, and opened."""

import bz2
import glob
import gzip
import hashlib
import io
import lzma
import os
import stat
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import IO, Any, Final

from cleaner.errors import CleanerError, InputError, OptionError
from cleaner.ingest.needs import needed

JSONL, PARQUET, WARC, FILE = "jsonl", "parquet", "warc", "file"
FORMATS: Final = (JSONL, PARQUET, WARC, FILE)
_SUFFIXES: Final = {
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), JSONL),
    **dict.fromkeys((".parquet", ".pq"), PARQUET),
    ".warc": WARC,
    **dict.fromkeys((".txt", ".text", ".md", ".html", ".htm", ".xhtml"), FILE),
}
COMPRESSIONS: Final = {".gz": "gz", ".bz2": "bz2", ".xz": "xz", ".zst": "zst"}
# Of what is read once, the first bytes tell whether it is gzipped.
UNTOLD: Final = "untold"
_GZIP: Final = b"\x1f\x8b"
# So much of either end tells whether a file is still what it was.
_ENDS: Final = 1 << 16
# Lines are read faster when many fit into the buffer. What unpacks has a small one: in front of damage, what one call
# would have filled it with is lost.
_BUFFER: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Source:
    """One file of documents: its name, what it holds, its size in bytes, and a stamp that changes when it does."""

    name: str
    format: str
    compression: str
    size: int
    stamp: str


STDIN: Final = Source("<stdin>", JSONL, UNTOLD, 0, "")


def find_sources(
    inputs: Iterable[str], given: str | None = None, without: str | None = None, *, once: bool = False
) -> list[Source]:
    """The files that some names, folders, patterns and URLs stand for; those of a folder or a pattern are sorted.

    ``given`` is the format of files whose names do not tell it; ``without`` is a folder inside others that is no input,
    or its URL.
    Whatever begins with a dot or an underscore, as what a job writes beside its shards, is passed over, unless named.
    With ``once``, who asks reads each source but once: ``-`` and pipes of JSON Lines may be among them then.

    Raises
    ------
    InputError
        When nothing is there, a file cannot be read, or its name does not tell what it holds.
    OptionError
        When a URL is given and fsspec is not installed, or a pipe is said to hold anything but JSON Lines.
    """
    sources: dict[str, Source] = {}
    for one in inputs:
        if once and (stream := _stream(one, given)):
            sources.setdefault(one if stream == STDIN else address_of(one), stream)
            continue
        found = list(_remote(one, given, without) if "://" in one else _local(one, given, without))
        if not found:
            raise InputError(f"{one}: no files of documents there; looked for {', '.join(_SUFFIXES)}")
        # A file that is named twice, in whatever way, is read once.
        for source in found:
            sources.setdefault(address_of(source.name), source)
    return list(sources.values())


def format_of(name: str) -> tuple[str | None, str]:
    """What a file of that name holds, if the name tells, and how it is compressed."""
    stem, suffix = os.path.splitext(name.partition("?")[0] if "://" in name else name)
    compression = COMPRESSIONS.get(suffix.lower(), "")
    if compression:
        suffix = os.path.splitext(stem)[1]
    return _SUFFIXES.get(suffix.lower()), compression


def local_name(name: str) -> str | None:
    """What a file is called on this machine, with or without a scheme; nothing, when it is elsewhere."""
    scheme, parted, path = name.partition("://")
    if not parted:
        return name
    return path if scheme in {"file", "local"} else None


def address_of(name: str) -> str:
    """A URL for a file or a folder, the same whatever it is called."""
    if (here := local_name(name)) is not None:
        return f"file://{os.path.realpath(here)}"
    fs, path = filesystem_of(name)
    return str(fs.unstrip_protocol(path.rstrip("/")))


def _stream(one: str, given: str | None) -> Source | None:
    """What can be read but once, if a name stands for such a thing."""
    is_pipe = "\0" not in one and os.path.exists(one) and stat.S_ISFIFO(os.stat(one).st_mode)
    if one != "-" and not is_pipe:
        return None
    if (form := format_of(one)[0] or given or JSONL) != JSONL:
        raise OptionError(f"{one} can be read but once, and so holds JSON Lines only; {form} takes a file")
    return STDIN if one == "-" else Source(one, JSONL, UNTOLD, 0, "")


def _local(one: str, given: str | None, without: str | None) -> Iterator[Source]:
    if one == "-":
        raise OptionError("a job reads files, because it may have to read them again; for a stream use: clean -f jsonl")
    if "\0" in one:
        raise InputError(f"cannot read {one!r}: no name of a file holds a null character")
    here = None if without is None else local_name(without)
    aside = None if here is None else os.path.realpath(here)
    if os.path.isdir(one):
        names = sorted(_below(one, aside))
    elif not os.path.lexists(one) and glob.has_magic(one):
        found = (name for name in glob.iglob(one, recursive=True) if os.path.isfile(name))
        if not _is_aside(os.path.basename(one)):
            found = (name for name in found if not _is_aside(os.path.basename(name)))
        names = sorted(name for name in found if aside is None or not _inside(name, aside))
    else:
        names = [one]
    for name in names:
        try:
            yield _source(name, given, *_look(name))
        except OSError as error:
            raise InputError(f"cannot read {name}: {error.strerror}") from error


def _below(folder: str, aside: str | None) -> Iterator[str]:
    """The files of documents in a folder."""

    def fail(error: OSError) -> None:
        raise InputError(f"cannot read {error.filename}: {error.strerror}") from error

    for path, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [
            name for name in folders if not _is_aside(name) and os.path.realpath(os.path.join(path, name)) != aside
        ]
        yield from (os.path.join(path, name) for name in files if format_of(name)[0] and not _is_aside(name))


def _is_aside(name: str) -> bool:
    return name.startswith((".", "_"))


def _inside(name: str, folder: str) -> bool:
    return os.path.realpath(name).startswith(os.path.join(folder, ""))


def _look(name: str) -> tuple[int, str]:
    """The size of a file, and its stamp."""
    if not stat.S_ISREG(os.stat(name).st_mode):
        raise InputError(f"cannot read {name}: it is no regular file, and a job may have to read it again")
    with open(name, "rb") as file:
        status = os.fstat(file.fileno())
        digest = hashlib.sha256(file.read(_ENDS))
        file.seek(max(status.st_size - _ENDS, 0))
        digest.update(file.read(_ENDS))
    return status.st_size, f"{status.st_size}-{status.st_mtime_ns}-{digest.hexdigest()[:16]}"


def _remote(one: str, given: str | None, without: str | None) -> Iterator[Source]:
    fs, path = filesystem_of(one)
    aside = None if without is None else os.path.join(address_of(without), "")

    def is_input(path: str) -> bool:
        return aside is None or not fs.unstrip_protocol(path).startswith(aside)

    try:
        # A question mark begins the query of a web address.
        if glob.has_magic(path.replace("?", "") if one.startswith(("http:", "https:")) else path):
            paths = sorted(filter(is_input, fs.glob(path)))
        elif fs.isdir(path):
            root = len(path.rstrip("/"))
            paths = [name for name in sorted(fs.find(path)) if not any(map(_is_aside, name[root:].split("/")))]
            paths = [name for name in paths if format_of(name)[0] and is_input(name)]
        else:
            paths = [path]
        for name in paths:
            size = int(fs.size(name) or 0)
            yield _source(fs.unstrip_protocol(name), given, size, f"{size}-{fs.ukey(name)}")
    except CleanerError:
        raise
    except Exception as error:
        # Every file system has exceptions of its own.
        raise InputError(
            f"cannot read {one}: {getattr(error, 'strerror', None) or str(error) or repr(error)}"
        ) from error


def filesystem_of(url: str) -> tuple[Any, str]:
    """The file system of a URL, and what the file is called there.

    Raises
    ------
    OptionError
        When there is none, or fsspec or what it needs is not installed.
    """
    try:
        fs, path = needed("fsspec", "remote").core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise OptionError(f"{url}: {error}") from error
    return fs, path


def _source(name: str, given: str | None, size: int, stamp: str) -> Source:
    told, compression = format_of(name)
    if (form := told or given) is None:
        raise InputError(
            f"{name}: the name does not tell what it holds; say so with --from, one of {', '.join(FORMATS)}"
        )
    return Source(name, form, compression, size, stamp)


def open_raw(source: Source) -> IO[bytes]:
    """The bytes of a file as they are."""
    if "://" in source.name:
        fs, path = filesystem_of(source.name)
        opened: IO[bytes] = fs.open(path, "rb")
        return opened
    if source == STDIN:
        if sys.stdin is None:
            raise InputError(f"cannot read {STDIN.name}: it is closed")
        return sys.stdin.buffer
    return open(source.name, "rb", buffering=_BUFFER)


def is_damage(source: Source, error: Exception) -> bool:
    """Whether an error says that a file is damaged or ends too early, and not that it could not be read this time."""
    if isinstance(error, OSError):
        # What the system refuses has a number; gzip, bz2, Arrow and fastwarc raise the same class without one.
        return error.errno is None
    known: tuple[type[Exception], ...] = (EOFError, zlib.error, lzma.LZMAError)
    if source.compression == "zst":
        known += (zstandard_library().ZstdError,)
    if source.format == PARQUET:
        known += (needed("pyarrow.lib", "jobs").ArrowException,)
    return isinstance(error, known)


def unpacked(source: Source, raw: IO[bytes]) -> IO[bytes]:
    """The bytes of a file as they were before it was compressed; see ``is_damage`` for where they cannot be read."""
    match source.compression:
        case "gz":
            return io.BufferedReader(gzip.GzipFile(fileobj=raw))
        case "bz2":
            return io.BufferedReader(bz2.BZ2File(raw))
        case "xz":
            return io.BufferedReader(lzma.LZMAFile(raw))
        case "zst":
            zstd = zstandard_library()
            return io.BufferedReader(zstd.ZstdFile(raw))
        case _:
            stream = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)  # type: ignore[type-var]
            if source.compression == UNTOLD and stream.peek(len(_GZIP)).startswith(_GZIP):
                return unpacked(replace(source, compression="gz"), stream)
            return stream


def skip(stream: IO[bytes], offset: int, *, is_packed: bool) -> None:
    """Go to a byte of what was unpacked.

    What is packed is read over, in the same pieces as it is read in: what one of them had begun to unpack in front of
    damage is lost, so other pieces would be other documents.
    """
    if offset and not is_packed and stream.seekable():
        stream.seek(offset)
        return
    while offset > 0 and (piece := stream.read(min(offset, io.DEFAULT_BUFFER_SIZE))):
        offset -= len(piece)


def zstandard_library() -> Any:
    """The standard library's ``compression.zstd``, or what brings it to older Pythons."""
    try:
        return needed("compression.zstd", "jobs")
    except OptionError:
        return needed("backports.zstd", "jobs")
