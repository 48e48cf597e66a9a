"""Text for people: messages on stderr, colours, and characters that must not reach a terminal as they are."""

import contextlib
import os
import re
import sys
from typing import TextIO

# Control characters, line and paragraph separators, invisible and bidirectional controls, tags, lone surrogates: they
# move the cursor, hide text or turn it round. The joiners U+200C and U+200D stay, because Persian, Hindi and emoji need
# them.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
COLOR_CHOICES = ("auto", "always", "never")


def escape(text: str) -> str:
    r"""The text with everything unsafe written out, as one line.

    >>> escape("Read\u202e more\x1b[2J")
    'Read\\u202e more\\x1b[2J'
    """
    return UNSAFE.sub(_written_out, text)


# The first code points that need more than two and more than four hexadecimal digits.
_FOUR_DIGITS, _EIGHT_DIGITS = 0x100, 0x10000


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < _FOUR_DIGITS else f"\\u{code:04x}" if code < _EIGHT_DIGITS else f"\\U{code:08x}"


def escape_json(text: str) -> str:
    r"""JSON with everything unsafe written as JSON escapes; it means the same.

    >>> escape_json('{"text": "\u202e"}')
    '{"text": "\\u202e"}'
    """
    return UNSAFE.sub(_as_json, text)


def _as_json(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < _EIGHT_DIGITS:
        return f"\\u{code:04x}"
    return f"\\u{0xD7C0 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def say(*messages: str) -> None:
    """Tell the user something on stderr, a line a message; a stderr that cannot be written is not worth dying for."""
    if sys.stderr is None:
        return
    with contextlib.suppress(OSError):
        for message in messages:
            sys.stderr.write(escape(f"clean: {message}") + "\n")
        sys.stderr.flush()


def tell(text: str) -> None:
    """Write a finished account (already escaped) to stderr."""
    if sys.stderr is None:
        return
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def wants_color(choice: str, stream: TextIO | None) -> bool:
    """Whether to colour what goes to this stream; ``NO_COLOR`` counts unless ``--color always`` was asked for."""
    if choice != "auto":
        return choice == "always"
    return (
        stream is not None and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()
    )


def paint(text: str, style: str, colored: bool) -> str:
    """The text in that style, or as it is."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if colored and text else text
