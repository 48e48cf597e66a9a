"""What came in → the markup of a page: which bytes are a page at all, and how they are encoded.

The order of evidence is that of browsers, but for two things: bytes that are valid UTF-8 and could hardly be so by
chance are believed before any label, because labels are wrong more often; and without any label the bytes are looked
at. What the markup means is left to ``blocks``.
"""

import codecs
import re

from cleaner.lines import BYTE_ORDER_MARKS, decode

# A label names a small encoding where files use the larger one that holds it (WHATWG Encoding Standard, section 4.2).
_LARGER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs",
}  # fmt: skip
# Codecs of Python that no page is written in.
_NO_CHARSETS = frozenset({"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7"})

# Where a label in the page counts: browsers look at the first kilobyte, pages put long comments before it.
_LABEL_WITHIN = 8192
_META = re.compile(rb"""<meta\b[^>]{0,500}?\bcharset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_DECLARATION = re.compile(rb"""^\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']([\w.:-]{2,40})""", re.IGNORECASE)
# As much as is looked at to guess an encoding; more does not make the guess better.
_GUESS_FROM = 65536

# What may stand before the root of a page, and the root.
_BEFORE = re.compile(r"(?:\s|\ufeff|<!--.*?-->|<\?[^>]*>)*+", re.DOTALL)
_ROOT = re.compile(r"<(?:!doctype\s+html|html|head|body|frameset)\b[^<>]*>(?:\s|<!--.*?-->)*+(?=<)", re.I | re.DOTALL)
# A piece of a page begins with the tag of a block and ends with the end of one.
_PIECE = re.compile(
    r"<(address|article|aside|blockquote|center|div|dl|figure|footer|h[1-6]|header|main|nav|ol|p|pre|section|table|ul)"
    r"(?:\s+[\w:-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'<>]+))?)*+\s*>",
    re.IGNORECASE,
)
_END = re.compile(r"</[a-z][a-z0-9]{0,9}\s*>(?:\s|<!--[^<>]*-->)*+\Z", re.IGNORECASE)
_SNIFFED = 65536


def markup_of(html: str | bytes, charset: str | None = None) -> tuple[str, bool]:
    r"""A page as text, and whether any byte had to be replaced.

    ``charset`` is what came with the page, as in the header of its response. NULs are dropped: no character of a page
    is one, and parsers stop there.

        >>> markup_of(b'<meta charset="iso-8859-1"><p>caf\xe9')[0][-4:]
        'café'
        >>> markup_of(b'<meta charset="iso-8859-1"><p>caf\xc3\xa9')[0][-4:]
        'café'
    """
    text, replaced = (html, False) if isinstance(html, str) else _decoded(html, charset)
    return text.replace("\0", ""), replaced


def looks_like_markup(text: str) -> bool:
    """Whether a text is a page or a piece of one, and not an article that quotes a tag.

    Told by how it begins: a page with its doctype or root and another tag behind it, a piece with the tag of a block,
    and then it ends with the end of one.

        >>> looks_like_markup("<!DOCTYPE html><html><body><p>Storm hits coast")
        True
        >>> looks_like_markup("<p>Storm hits <b>coast</b></p>")
        True
        >>> looks_like_markup("<html> is where each page begins. Then comes <body>.")
        False
        >>> looks_like_markup("Use <p> for a paragraph</p>")
        False
    """
    begin = _BEFORE.match(text, 0, _SNIFFED).end()  # type: ignore[union-attr]  # it matches nothing too
    if _ROOT.match(text, begin, begin + _SNIFFED):
        return True
    return bool(_PIECE.match(text, begin, begin + _SNIFFED)) and bool(_END.search(text, max(0, len(text) - 200)))


def _decoded(data: bytes, charset: str | None) -> tuple[str, bool]:
    if any(data.startswith(mark) for mark, _ in BYTE_ORDER_MARKS):
        return decode(data)
    labels = [label for label in (_codec(charset), *map(_codec, _labels_in(data))) if label]
    if not data.isascii() and (text := _read(data, "utf-8")) is not None:
        return text, False
    for label in labels:
        if (text := _read(data, label)) is not None:
            return text, False
    if data.isascii():
        return data.decode("ascii"), False
    if not labels and (guess := _guess(data)) and (text := _read(data, guess)) is not None:
        return text, False
    # Some byte is wrong whatever the encoding: a torn character, a cut page. The first label is the best guess.
    return data.decode(labels[0] if labels else "utf-8", "replace"), True


def _labels_in(data: bytes) -> list[str]:
    head = data[:_LABEL_WITHIN]
    found = (pattern.search(head) for pattern in (_DECLARATION, _META))
    # A page in UTF-16 without a mark could not be read up to its label, so the label is wrong (HTML standard, 13.2.3.2).
    return [match[1].decode("ascii") for match in found if match and not match[1].lower().startswith(b"utf-16")]


def _codec(label: str | None) -> str | None:
    """The codec to use for a label, if there is one; ``charset="utf-8, ie=edge"`` and ``x-sjis`` are labels too."""
    word = re.search(r"(?:x-)?+([\w.:-]+)", label or "", re.ASCII | re.IGNORECASE)
    try:
        name = codecs.lookup(word[1] if word else "").name
        "".encode(name)  # some codecs are none of text, such as base64
    except (LookupError, ValueError):
        return None
    return None if name.replace("_", "-") in _NO_CHARSETS else _LARGER.get(name, name)


def _read(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _guess(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_GUESS_FROM], enable_fallback=False).best()
    return best.encoding if best else None
