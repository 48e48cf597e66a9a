"""What pages take that texts do not: to be told from texts, libraries to read them, and their metadata.

Everything that costs time is imported only once there is a page.
"""

import contextlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cleaner.cli.terminal import escape
from cleaner.errors import CleanerError

if TYPE_CHECKING:
    from cleaner.document import CleanResult, Metadata
    from cleaner.pipeline import Cleaner

# What may stand before the first tag: byte order marks, white space, and in UTF-16 the zeros between them.
_BEFORE_MARKUP = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n\v\f"


def is_page(data: bytes) -> bool:
    """Whether some bytes are a page, by what they hold; a text is told by its first character, at no cost.

    >>> is_page(b"<!DOCTYPE html><html><body>Storm hits coast")
    True
    >>> is_page(b"<p> is a tag, and this is a text about it.")
    False
    """
    if not data.lstrip(_BEFORE_MARKUP).startswith(b"<"):
        return False
    from cleaner.lines import decode
    from cleaner.page.source import looks_like_markup

    text, _ = decode(data)
    return looks_like_markup(text)


def clean_page(cleaner: "Cleaner", data: bytes, url: str | None) -> "CleanResult":
    """Clean a page; raises `CleanerError` when a library that this takes is not there."""
    with _libraries():
        return cleaner.clean_html(data, url)


def metadata_of(result: "CleanResult") -> "Metadata":
    """What a page says about its article; raises `CleanerError` when a library that this takes is not there."""
    with _libraries():
        return result.metadata


def front_matter(metadata: "Metadata") -> str:
    """What is known about a document as YAML, to stand in front of it; nothing when nothing is known.

    The values are quoted as in JSON, which is YAML too; invisible characters are escaped, because YAML takes some of
    them for the end of a line and others for an error.
    """
    known = {field: value for field, value in metadata.as_dict().items() if value}
    if not known:
        return ""
    fields = "".join(f"{field}: {escape(json.dumps(value, ensure_ascii=False))}\n" for field, value in known.items())
    return f"---\n{fields}---\n\n"


@contextlib.contextmanager
def _libraries() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library in ("", "cleaner"):
            raise
        raise CleanerError(f"{library} is not installed; pages need it: pip install {library}") from error
