"""Where documents come from: files and stdin, and what the name of a file says about its form."""

import io
import os
import sys
from typing import BinaryIO

from cleaner.errors import InputError

STDIN = "-"
FORMS = ("auto", "text", "html", "jsonl")
# What packed files begin with, and no text does.
PACKED = {b"\x1f\x8b": "gzip", b"(\xb5/\xfd": "zstd", b"\xfd7zXZ\x00": "xz", b"BZh91AY&SY": "bzip2"}
SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".html": "html", ".htm": "html", ".xhtml": "html"}


def form_of(source: str, asked: str) -> str:
    """The form of a source: what was asked for, else what its suffix says; ``auto`` when its bytes have to tell."""
    return asked if asked != "auto" else SUFFIXES.get(os.path.splitext(source)[1].lower(), "auto")


def name_of(source: str) -> str:
    """What messages call a source."""
    return "<stdin>" if source == STDIN else source


def open_source(source: str) -> BinaryIO:
    """The source as a stream of bytes, or `InputError`; what is packed is no text, and is not unpacked here."""
    if source == STDIN and sys.stdin is None:
        raise InputError("cannot read <stdin>: it is closed")
    try:
        stream = sys.stdin.buffer if source == STDIN else open(source, "rb")  # noqa: SIM115 -- the caller closes it
        begin = stream.peek(max(map(len, PACKED))) if isinstance(stream, io.BufferedReader) else b""
    except (OSError, ValueError) as error:
        raise _unreadable(source, error) from error
    for mark, name in PACKED.items():
        if begin.startswith(mark):
            if source != STDIN:
                stream.close()
            raise InputError(f"{name_of(source)} is packed with {name}: unpack it first, or give it to clean job")
    return stream


def read_source(source: str) -> bytes:
    """All of a source, or `InputError`."""
    stream = open_source(source)
    try:
        return stream.read()
    except OSError as error:
        raise _unreadable(source, error) from error
    finally:
        if source != STDIN:
            stream.close()


def _unreadable(source: str, error: OSError | ValueError) -> InputError:
    # open() refuses a name with a NUL by a ValueError.
    why = error.strerror if isinstance(error, OSError) else str(error)
    return InputError(f"cannot read {name_of(source)}: {why}")
