"""Bytes to text, text to lines, and lines back to text.

The line is the unit that everything above judges, so what counts as one is decided here and nowhere else. What a line
looks like inside is left to ``normalize``.
"""

import codecs
from collections.abc import Iterable, Sequence

# The mark of UTF-32-LE begins with the mark of UTF-16-LE, so the longer ones are tried first.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode(data: bytes) -> tuple[str, bool]:
    r"""Read bytes as text, and tell whether any byte had to be replaced.

    A byte order mark is believed; everything else is UTF-8. Windows-1252 is not guessed: a wrong guess turns into
    plausible letters that nobody notices, a replacement character is seen and flagged:

        >>> decode(b"caf\xc3\xa9")
        ('café', False)
        >>> decode(b"caf\xe9 noir")
        ('caf\ufffd noir', True)
        >>> decode(codecs.BOM_UTF16_LE + "noir".encode("utf-16-le"))
        ('noir', False)
    """
    mark, encoding = next((pair for pair in BYTE_ORDER_MARKS if data.startswith(pair[0])), (b"", "utf-8"))
    body = data[len(mark) :]
    try:
        return body.decode(encoding), False
    except UnicodeDecodeError:
        return body.decode(encoding, "replace"), True


def split_lines(text: str) -> tuple[Sequence[int], list[str]]:
    r"""Every line that is not blank, and the 0-based numbers that they have among all lines.

    A line ends where ``str.splitlines`` says so, before anything is normalised. A line of nothing but zero-width
    characters is not blank, because nothing that came in may vanish without an account:

        >>> split_lines("Storm hits coast\r\n \n\nRoads closed\u2028\ufeff")
        ([0, 3, 4], ['Storm hits coast', 'Roads closed', '\ufeff'])
    """
    lines = text.splitlines()
    filled = list(filter(str.strip, lines))
    if len(filled) == len(lines):
        return range(len(lines)), filled
    return [number for number, line in enumerate(lines) if line.strip()], filled


def join_lines(texts: Iterable[str]) -> str:
    r"""Put lines together as a document: one paragraph a line, no final newline, empty ones left out.

    >>> join_lines(["Storm hits coast", "", "Roads closed"])
    'Storm hits coast\nRoads closed'
    """
    return "\n".join(filter(None, texts))
