"""What came in → the markup of a page: which bytes are a page at all, and how they are encoded.

The order of evidence is that of browsers, but for three things: bytes that could hardly be UTF-8 by chance are read so
before any label is, because labels are wrong more often; a label that turns the tags into something else is not
believed; and without any label the bytes are looked at. What the markup means is left to ``blocks``.
"""

import codecs
import re
from collections.abc import Iterator

from cleaner.lines import BYTE_ORDER_MARKS, decode

# A label names a small encoding where files use the larger one that holds it (WHATWG Encoding Standard, section 4.2).
_LARGER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs",
}  # fmt: skip
# Codecs of Python that no page is written in.
_NO_CHARSETS = frozenset({"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7"})

# What the web is written in, but for UTF-8: other encodings are never guessed.
_GUESSED = [
    "big5hkscs", "cp866", "cp874", "cp932", "cp949", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255",
    "cp1256", "cp1257", "cp1258", "euc_jp", "gb18030", "iso2022_jp", "iso8859_2", "koi8_r", "koi8_u",
]  # fmt: skip
# How UTF-16 without a mark begins a page.
_WIDE = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
# Of so many characters beyond ASCII one may be broken, and the rest is UTF-8 still: in other encodings most are broken.
_UTF8_FOR_ONE_BROKEN = 20

# Where a label in the page counts: browsers look at the first kilobyte, pages put long comments before it.
_LABEL_WITHIN = 8192
_META = re.compile(rb"""<meta\b[^>]{0,500}?\bcharset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_DECLARATION = re.compile(rb"""^\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']([\w.:-]{2,40})""", re.IGNORECASE)
# As many bytes of text as are looked at to guess an encoding; more do not make the guess better.
_GUESS_FROM = 65536

# What may stand before the root of a page, and the root.
_BEFORE = re.compile(r"(?:\s|\ufeff|<!--.*?-->|<\?[^>]*>)*+", re.DOTALL)
_ROOT = re.compile(
    r"<(?:!doctype\s+html|html|head|body|frameset|meta|link)\b[^<>]*>(?:\s|<!--.*?-->)*+(?=<)",
    re.IGNORECASE | re.DOTALL,
)
# A piece of a page begins with the tag of a block and ends with the end of one, or with a tag that has no end.
_PIECE = re.compile(
    r"<(?:address|article|aside|blockquote|body|center|details|div|dl|figure|footer|form|h[1-6]|header|html|main|nav|ol"
    r"|p|pre|section|table|title|ul)(?:\s+[^\s\"'<>/=]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'<>]+))?)*+\s*>",
    re.IGNORECASE,
)
_END = re.compile(r"(?:</[a-z][\w-]{0,30}\s*|<(?:br|hr|img)\b[^<>]*)>(?:\s|<!--[^<>]*-->)*+\Z", re.IGNORECASE)
_SNIFFED = 65536
_SNIFFED_BEHIND = 4096


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
    if not _PIECE.match(text, begin, begin + _SNIFFED):
        return False
    return bool(_END.search(text.rstrip()[-_SNIFFED_BEHIND:]))


def _decoded(data: bytes, charset: str | None) -> tuple[str, bool]:
    if any(data.startswith(mark) for mark, _ in BYTE_ORDER_MARKS):
        return decode(data)
    if not data.isascii() and (found := _as_utf8(data)):
        return found
    said = (_WIDE.get(data[:2]), charset, *_labels_in(data))
    labels = [codec for codec in map(_codec, said) if codec]
    if data.isascii():
        labels.append("ascii")
    elif not labels:
        labels = _guesses(data)
    for label in labels:
        if (text := _read(data, label)) is not None:
            return text, False
    # Some byte is wrong whatever the encoding: a torn character, a cut page. The best is what breaks least.
    texts = [text for label in [*labels, "utf-8"] if (text := _read(data, label, "replace")) is not None]
    return min(texts, key=_broken), True


def _as_utf8(data: bytes) -> tuple[str, bool] | None:
    """The bytes as UTF-8, and whether any had to be replaced; nothing if they are in another encoding."""
    if (text := _read(data, "utf-8")) is not None:
        return text, False
    text = data.decode("utf-8", "replace")
    foreign = len(text) - len(text.encode("ascii", "ignore"))
    return (text, True) if _broken(text) * _UTF8_FOR_ONE_BROKEN <= foreign else None


def _broken(text: str) -> int:
    return text.count("\N{REPLACEMENT CHARACTER}")


def _labels_in(data: bytes) -> list[str]:
    head = data[:_LABEL_WITHIN]
    found = (pattern.search(head) for pattern in (_DECLARATION, _META))
    # A page in UTF-16 could not be read up to its label like this, so the label is wrong (HTML standard, 13.2.3.2).
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


def _read(data: bytes, codec: str, errors: str = "strict") -> str | None:
    """The bytes in one encoding, if they can be; one in which no tag is left of those that ASCII shows is wrong."""
    try:
        text = data.decode(codec, errors)
    except ValueError:
        return None
    return None if b"<" in data and "<" not in text else text


def _guesses(data: bytes) -> list[str]:
    from charset_normalizer import from_bytes

    found = from_bytes(b"\n".join(_foreign(data)), cp_isolation=_GUESSED, enable_fallback=False)
    # French may look as well in Baltic letters, though not to the French: of equals the commonest encoding goes first.
    return [match.encoding for match in sorted(found, key=lambda m: (m.chaos, -m.coherence, m.encoding != "cp1252"))]


def _foreign(data: bytes) -> Iterator[bytes]:
    """The first pieces of text that hold more than ASCII, whole: half a character would rule its encoding out."""
    room = _GUESS_FROM
    for piece in re.split(rb"[<>\r\n]+", data):
        if room > 0 and not piece.isascii():
            yield piece[:_GUESS_FROM]
            room -= len(piece)
