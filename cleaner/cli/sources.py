"""Where documents come from: files and stdin, and what the name of a file says about its form."""

import os
import sys
from typing import BinaryIO

import click

from cleaner.errors import InputError

STDIN = "-"
FORMS = ("auto", "text", "jsonl")
RECORDS = (".jsonl", ".ndjson")
PAGES = (".html", ".htm", ".xhtml")
NO_HTML = "HTML is for a later version; extract the text first, or say -f text to clean the file as it is"


def form_of(source: str, asked: str) -> str:
    """The form of a source, ``text`` or ``jsonl``: what was asked for, else what its suffix says."""
    suffix = os.path.splitext(source)[1].lower()
    if asked == "html" or (asked == "auto" and suffix in PAGES):
        raise click.UsageError(NO_HTML if source == STDIN else f"{source}: {NO_HTML}")
    if asked != "auto":
        return asked
    return "jsonl" if suffix in RECORDS else "text"


def name_of(source: str) -> str:
    """What messages call a source."""
    return "<stdin>" if source == STDIN else source


def open_source(source: str) -> BinaryIO:
    """The source as a stream of bytes, or `InputError`."""
    if source == STDIN:
        if sys.stdin is None:
            raise InputError("cannot read <stdin>: it is closed")
        return sys.stdin.buffer
    try:
        return open(source, "rb")
    except (OSError, ValueError) as error:
        raise _unreadable(source, error) from error


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
