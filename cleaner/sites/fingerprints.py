"""A line → the numbers that its site counts it by; a URL → its site.

What changes from one day to the next (numbers, prices, dates, names) is taken out first, so that two fillings of one
template are one line. What is left is hashed with a key, so that a table of fingerprints holds no text, and cannot be
searched for a sentence by who does not have the key.
"""

import re
from hashlib import blake2b
from typing import Final, NamedTuple

from cleaner.normalize import plain_dashes, straighten_quotes

# Part of the version of every table: raise it when a line gets another fingerprint than before.
FINGERPRINTS_VERSION: Final = 1
FINGERPRINT_BYTES: Final = 8
KEY_BYTES: Final = 16

# Counts the document itself, once: no line has this fingerprint.
DOCUMENT: Final = 0

# Of a fingerprint so many bits are the first word's, which is looked for in the first code points of a line.
_OPENING_BITS: Final = 0xFFFF
_HEAD: Final = 48

# Shorter lines say too little to be told apart once their numbers are gone: scores, times, initials. Code points that
# are letters; ad labels of fewer are the lexicon's.
LEAST_LETTERS: Final = 8
# Names are taken out of a line of which at least so many words, and this share, are none: of a headline in capitals, a
# list of people or a short German sentence nothing would be left, and different lines would become one.
LEAST_WORDS, LEAST_WORD_SHARE = 4, 0.4

# What stands for a slot. Control characters, because no normalised line holds any.
PRICE, DATE, NUMBER, NAME = "\x01", "\x02", "\x03", "\x04"
_SLOT = re.compile(f"[{PRICE}{DATE}{NUMBER}{NAME}]")

_NUMBER = re.compile(r"\d+(?:[.,:/'·-]\d+)*(?: \d{3}\b)*")
_SIGNS = "$¢£¤¥฿€₠₡₢₣₤₥₦₧₨₩₪₫₭₮₯₰₱₲₳₴₵₸₹₺₽₾₿"
_CODES = frozenset(
    "usd eur gbp chf jpy cny inr cad aud nzd sek nok dkk pln czk huf rub uah try brl mxn zar krw"
    " euro euros dollar dollars pounds rs kr zł kč ft руб грн".split()
)
# Months, which are part of a date beside a number; its other words are left as they are.
_MONTHS = frozenset(
    (
        "january february march april may june july august september october november december"
        " jan feb mar apr jun jul aug sept sep oct nov dec"
        " januar februar märz mai juni juli oktober dezember"
        " janvier février mars avril juin juillet août septembre octobre novembre décembre"
        " enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
        " gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre"
        " janeiro fevereiro março maio junho julho setembro outubro novembro dezembro"
        " januari februari maart mei augustus maj augusti marts"
        " stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia"
        " января февраля марта апреля мая июня июля августа сентября октября ноября декабря"
        " січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня"
        " ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık"
    ).split()
)
# What a number is read together with: the word or sign behind it, behind the end of an ordinal.
_BEHIND = re.compile(rf"(?:(?:st|nd|rd|th|er)\b)?\.? ?(?:(?:de|of) )?([{_SIGNS}]|\w+)\.?")
_ORDINAL = re.compile(r"^(?:st|nd|rd|th)\b")
# What may stand between a day with its month and the year.
_YEAR_FOLLOWS = re.compile(r",?(?: de)? ")
# Capitals of the scripts that have any; regular expressions know no such class.
_CAPITALS = "".join(
    chr(code) for code in (*range(0x590), *range(0x10A0, 0x1100), *range(0x1E00, 0x2000)) if chr(code).isupper()
)
_NAME = re.compile(rf"(?<=[^\w'-])[{_CAPITALS}][\w'-]*")
_NAMES = re.compile(rf"{_NAME.pattern}(?: [{_CAPITALS}][\w'-]*)*")
_FIRST_WORD = re.compile(r"\W*\w[\w'-]*")
_ENOUGH_LETTERS = re.compile(rf"(?:[\W\d_]*+[^\W\d_]){{{LEAST_LETTERS}}}")


def slotted(line: str) -> str | None:
    r"""The template that a line with plain quotes and dashes was filled from, in small letters.

    Nothing when it says too little to be told apart:

        >>> slotted("Join our 12,345 readers for € 4.50 a month until 3 May!")
        'join our \x03 readers for \x01 a month until \x02!'
        >>> slotted("Write to our editor Ada Brook about this story")
        'write to our editor \x04 about this story'
        >>> slotted("2:1 (1:0)") is None
        True
    """
    line = _without_numbers(line)
    return _without_names(line).casefold() if _ENOUGH_LETTERS.match(line) else None


def _without_numbers(line: str) -> str:
    """The line with its numbers as slots, each together with its currency or month."""
    before, *pieces = _NUMBER.split(line)
    if not pieces:
        return line
    parts: list[str] = []
    slot = ""
    for piece in pieces:
        behind = _BEHIND.match(piece)
        follower = behind[1].casefold() if behind else ""
        bare = before.rstrip(" ")
        leader = bare.rpartition(" ")[2]
        word = leader.rstrip(".").casefold()
        following = piece
        if slot == DATE and _YEAR_FOLLOWS.fullmatch(before):
            before, slot = "", parts.pop()
        elif leader and leader[-1] in _SIGNS:
            before, slot = bare[:-1], PRICE
        elif word in _CODES or word in _MONTHS:
            before, slot = bare.removesuffix(leader), PRICE if word in _CODES else DATE
        elif behind and (follower in _CODES or follower in _SIGNS):
            slot, following = PRICE, piece[behind.end() :]
        elif behind and follower in _MONTHS:
            slot, following = DATE, piece[behind.end() :]
        else:
            slot, following = NUMBER, _ORDINAL.sub("", piece)
        parts += [before, slot]
        before = following
    return "".join([*parts, before])


def _without_names(line: str) -> str:
    """The line with each run of words in capitals behind the first word as one slot, if enough words are none."""
    begin = _FIRST_WORD.match(line)
    names = len(_NAME.findall(line, begin.end())) if begin else 0
    words = line.count(" ") + 1
    if begin is None or not names or words - names < LEAST_WORDS or words - names < LEAST_WORD_SHARE * words:
        return line
    return line[: begin.end()] + _NAMES.sub(NAME, line[begin.end() :])


class Mark(NamedTuple):
    """What a line is counted by, 64 bits with a sign each: its template, and this filling of it.

    They are the same number when the line has no slot.
    """

    fingerprint: int
    filling: int


def mark_of(line: str, key: bytes) -> Mark | None:
    """The mark of a normalised line, or nothing for one that is not counted.

    >>> key = bytes(KEY_BYTES)
    >>> one, other = (mark_of(f"Join our {number} readers", key) for number in ("12,345", "12,399"))
    >>> one.fingerprint == other.fingerprint, one.filling == other.filling
    (True, False)
    """
    plain = _plain(line)
    form = slotted(plain)
    if form is None:
        return None
    # Never 0, which is the document's.
    fingerprint = (_hashed(form, key) & ~_OPENING_BITS | opening_of(plain, key)) or DOCUMENT + 1
    return Mark(fingerprint, _hashed(plain, key) if _SLOT.search(form) else fingerprint)


def opening_of(line: str, key: bytes) -> int:
    """The last 16 bits of the fingerprint of a line, which its first word gives: told in a tenth of the time."""
    word = _FIRST_WORD.match(_without_numbers(_plain(line[:_HEAD])))
    return _hashed(word[0].casefold() if word else "", key) & _OPENING_BITS


def _plain(line: str) -> str:
    """The line with plain quotes and dashes, so that options which make them plain change no fingerprint."""
    return line if line.isascii() else plain_dashes(straighten_quotes(line))


def _hashed(text: str, key: bytes) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=FINGERPRINT_BYTES).digest()
    return int.from_bytes(digest, "little", signed=True) or DOCUMENT + 1


def opening_bits(fingerprint: int) -> int:
    """The opening of the line that a fingerprint is of."""
    return fingerprint & _OPENING_BITS


# An address of IPv6 stands in brackets.
_NAME_OF_HOST = r"(\[[^][/?#@\\\s]+\]|[^][/?#:@\\\s]+)"
_HOST = re.compile(
    rf"(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#@\\]*@)?{_NAME_OF_HOST}|{_NAME_OF_HOST}(?::\d+)?(?=[/?#]|$)", re.IGNORECASE
)


def site_of(url: str | None) -> str | None:
    """The site of a URL or a host name: the host in small letters, without ``www.``; nothing when there is none.

    >>> site_of("https://www.Lantern.example:8080/ferry?page=2"), site_of("lantern.example")
    ('lantern.example', 'lantern.example')
    >>> site_of("") is None and site_of("/ferry.html") is None
    True
    """
    found = _HOST.match(url.strip()) if url else None
    if found is None:
        return None
    return (found[1] or found[2]).lower().rstrip(".").removeprefix("www.") or None
