"""Where documents come from: names, folders, patterns and URLs → the files behind them, in one order, and opened."""

import bz2
import glob
import gzip
import hashlib
import io
import lzma
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from cleaner.errors import InputError, OptionError
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
# What opening, reading and unpacking raise when a file is damaged or ends too early.
TORN: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)
# So much of either end tells whether a file is still what it was.
_ENDS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Source:
    """One file of documents: its name, what it holds, its size in bytes, and a stamp that changes when it does."""

    name: str
    format: str
    compression: str
    size: int
    stamp: str


def find_sources(inputs: Iterable[str], given: str | None = None) -> list[Source]:
    """The files that some names, folders, patterns and URLs stand for; those of a folder or a pattern are sorted.

    ``given`` is the format of files whose names do not tell it.

    Raises
    ------
    InputError
        When nothing is there, a file cannot be read, or its name does not tell what it holds.
    OptionError
        When a URL is given and fsspec is not installed.
    """
    sources: dict[str, Source] = {}
    for one in inputs:
        found = list(_remote(one, given) if "://" in one else _local(one, given))
        if not found:
            raise InputError(f"{one}: no files of documents there; looked for {', '.join(_SUFFIXES)}")
        # A file that is named twice is read once.
        sources |= {source.name: source for source in found if source.name not in sources}
    return list(sources.values())


def format_of(name: str) -> tuple[str | None, str]:
    """What a file of that name holds, if the name tells, and how it is compressed."""
    stem, suffix = os.path.splitext(name)
    compression = COMPRESSIONS.get(suffix.lower(), "")
    if compression:
        suffix = os.path.splitext(stem)[1]
    return _SUFFIXES.get(suffix.lower()), compression


def _local(one: str, given: str | None) -> Iterator[Source]:
    if one == "-":
        raise OptionError("a job reads files, because it may have to read them again; for a stream use: clean -f jsonl")
    path = Path(one)
    if path.is_dir():
        names = sorted(str(Path(folder) / name) for folder, _, files in os.walk(path) for name in files)
        known = [name for name in names if format_of(name)[0] and not Path(name).name.startswith(".")]
    elif not path.exists() and glob.has_magic(one):
        known = sorted(name for name in glob.glob(one, recursive=True) if os.path.isfile(name))
    else:
        known = [one]
    for name in known:
        try:
            with open(name, "rb") as file:
                status = os.fstat(file.fileno())
                head = file.read(_ENDS)
                file.seek(max(status.st_size - _ENDS, 0))
                tail = file.read(_ENDS)
        except OSError as error:
            raise InputError(f"cannot read {name}: {error.strerror}") from error
        digest = hashlib.sha256(head + tail).hexdigest()[:16]
        yield _source(name, given, status.st_size, f"{status.st_size}-{status.st_mtime_ns}-{digest}")


def _remote(one: str, given: str | None) -> Iterator[Source]:
    fs, path = _filesystem(one)
    try:
        if glob.has_magic(path):
            paths = sorted(fs.glob(path))
        elif fs.isdir(path):
            paths = sorted(name for name in fs.find(path) if format_of(name)[0])
        else:
            paths = [path]
        for name in paths:
            yield _source(fs.unstrip_protocol(name), given, int(fs.size(name) or 0), str(fs.ukey(name)))
    except OSError as error:
        raise InputError(f"cannot read {one}: {error.strerror or error}") from error


def _filesystem(url: str) -> tuple[Any, str]:
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
        fs, path = _filesystem(source.name)
        opened: IO[bytes] = fs.open(path, "rb")
        return opened
    return open(source.name, "rb")


def unpacked(source: Source, raw: IO[bytes]) -> IO[bytes]:
    """The bytes of a file as they were before it was compressed; raises one of ``TORN`` where they cannot be read."""
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
            return raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)  # type: ignore[type-var]


def zstandard_library() -> Any:
    """The standard library's ``compression.zstd``, or what brings it to older Pythons."""
    try:
        return needed("compression.zstd", "jobs")
    except OptionError:
        return needed("backports.zstd", "jobs")
