"""What the integrations share: the model of this process, and tables and records around ``ArrowCleaner``.

A task that is sent to a worker holds what to do (``Request``, ``Options``) and the names of a bundle and of a table of
site lines, never the model: each process reads that once, when its first batch comes.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from cleaner.errors import InputError
from cleaner.ingest.arrow import ArrowCleaner, Request
from cleaner.ingest.needs import needed
from cleaner.model.bundle import MANIFEST
from cleaner.normalize import replace_surrogates
from cleaner.options import Options
from cleaner.pipeline import Cleaner

if TYPE_CHECKING:
    import pyarrow as pa

# So many rows of a table are cleaned together, and their accounts held at a time.
ROWS: Final = 1024

_loading = Lock()


@lru_cache(maxsize=8)
def _read(bundle: str | None, options: Options, site_lines: str | None, _stamps: tuple[object, ...]) -> Cleaner:
    return Cleaner.load(bundle, options, site_lines)


def _stamp(path: str | Path | None) -> tuple[int, ...] | None:
    """What changes when a file is written again; nothing of a file that is not there."""
    try:
        told = Path(path).stat() if path else None
    except OSError:
        return None
    return told and (told.st_ino, told.st_size, told.st_mtime_ns)


def cleaner_of(
    bundle: str | Path | None = None, options: Options | None = None, site_lines: str | Path | None = None
) -> Cleaner:
    """The cleaner of this process with that model, these options and that table; threads that ask at once wait for one.

    A model or a table that was written anew is read anew.

    >>> cleaner_of() is cleaner_of(options=Options())
    True
    """
    with _loading:
        stamps = _stamp(bundle and Path(bundle, MANIFEST)), _stamp(site_lines)
        return _read(bundle and str(bundle), options or Options(), site_lines and str(site_lines), stamps)


def arrow_cleaner(
    request: Request | None = None,
    bundle: str | Path | None = None,
    options: Options | None = None,
    site_lines: str | Path | None = None,
) -> ArrowCleaner:
    """The same for record batches."""
    return ArrowCleaner(cleaner_of(bundle, options, site_lines), request)


def clean_table(clean: ArrowCleaner, table: "pa.Table") -> "pa.Table":
    """A table with the same rows, cleaned."""
    pa = needed("pyarrow", "jobs")
    return pa.Table.from_batches(map(clean, table.to_batches(max_chunksize=ROWS)), clean.schema(table.schema))


def columns_of(names: Iterable[str], request: Request) -> list[str]:
    """Those columns of a frame that cleaning reads: the others need not become Arrow.

    Raises
    ------
    InputError
        When there is none of documents.
    """
    if request.text not in (names := list(names)):
        raise InputError(f"no column {request.text!r}; there are {', '.join(map(str, names))}")
    return [name for name in (request.text, request.url, request.charset) if name in names]


def clean_records(
    clean: ArrowCleaner, request: Request, documents: Sequence[Any], urls: Sequence[Any]
) -> list[dict[str, Any]]:
    """Documents of a program without tables → the cleaned text of each and what is told of it, as plain Python types.

    Raises
    ------
    InputError
        When a document is neither a string nor bytes nor ``None``.
    """
    pa = needed("pyarrow", "jobs")
    for document in documents:
        if not isinstance(document, str | bytes | None):
            raise InputError(f"{request.text!r} holds a {type(document).__name__}; documents are strings or bytes")
    kind = pa.binary() if any(isinstance(document, bytes) for document in documents) else pa.string()
    texts = [replace_surrogates(document) if isinstance(document, str) else document for document in documents]
    links = [replace_surrogates(url) if isinstance(url, str) else None for url in urls]
    batch = clean(pa.record_batch({request.text: pa.array(texts, kind), request.url: pa.array(links, pa.string())}))
    return batch.drop_columns([request.url]).to_pylist(maps_as_pydicts="strict")  # type: ignore[no-any-return]
