"""Which lines normalisation can leave alone, told for a whole batch at once.

Nineteen lines of twenty need no repair, and finding that out one by one costs more than judging them. One look-up per
code point decides; a line that is let through here is one that ``normalize_line`` would give back as it is. What the
repairs are is left to ``normalize``.
"""

import unicodedata

import numpy as np
from numpy.typing import NDArray

# What a code point can mean for its line: work in any case, a space, the first or a later half of a letter that was
# decoded wrongly.
_WORK, _SPACE, _LEAD, _TRAIL, _SEEN = 1, 2, 4, 8, 16

# Every sequence that ``normalize.has_mojibake`` looks for begins with one of these and goes on with one of those.
_LEADS = frozenset([*map(chr, range(0xC2, 0xF5)), *"РСв"])
_TRAILS = frozenset([*map(chr, range(0x80, 0xC0)), *"€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸЂЃѓЉЊЌЋЏђљњќћџЎўЈҐЁЄЇІіґё№єјЅѕї"])
# Code points of combining class 0 that may join the one before them (Unicode's NFC_Quick_Check=Maybe).
_JOIN = frozenset(
    map(chr, [
        0x09BE, 0x09D7, 0x0B3E, 0x0B56, 0x0B57, 0x0BBE, 0x0BD7, 0x0CC2, 0x0CD5, 0x0CD6, 0x0D3E, 0x0D57, 0x0DCF,
        0x0DDF, 0x102E, 0x1B35, *range(0x1161, 0x1176), *range(0x11A8, 0x11C3), 0x110BA, 0x11127, 0x1133E, 0x11357,
        0x113B8, 0x113BB, 0x113C2, 0x113C5, 0x113C7, 0x113C8, 0x113C9, 0x114B0, 0x114BA, 0x114BD, 0x115AF, 0x11930,
        0x16121, 0x16122, 0x16123, 0x16124, 0x16125, 0x16126, 0x16127, 0x16128, 0x16129, 0x16D63, 0x16D67, 0x16D68,
        0x16D69, 0x16D6A,
    ])
)  # fmt: skip

# Lines that are looked at together: few enough for the arrays to stay in the processor's cache.
TILE = 1536

# Filled as code points turn up.
_MEANING = np.zeros(0x110000, np.uint8)


def needs_work(lines: list[str]) -> NDArray[np.bool_]:
    """For each line whether it may change when it is normalised; false only where it certainly does not.

    >>> needs_work(["Storm hits coast", "Storm  hits coast", "R&amp;D", "“Über” alles"]).tolist()
    [False, True, True, False]
    """
    work = np.zeros(len(lines), bool)
    for begin in range(0, len(lines), TILE):
        work[begin : begin + TILE] = _needs_work(lines[begin : begin + TILE])
    return work


def _needs_work(lines: list[str]) -> NDArray[np.bool_]:
    work = np.zeros(len(lines), bool)
    text = "\n".join(["", *lines, ""])
    meaning = _meanings(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32))
    lengths = np.fromiter(map(len, lines), np.intp, len(lines))
    starts = np.cumsum(lengths + 1) - lengths
    breaks = np.append(starts - 1, len(meaning) - 1)
    meaning[breaks] = _SPACE
    here, behind = meaning[:-1], meaning[1:]
    suspects = here & _WORK
    suspects |= here & behind & _SPACE
    suspects |= (here << 1) & behind & _TRAIL
    at = np.flatnonzero(suspects != 0)  # numpy finds what is true several times faster than what is not zero
    # A pair may be a break and the first code point of the line behind it.
    for position in (at, at + 1):
        work[np.clip(np.searchsorted(starts, position, side="right") - 1, 0, len(lines) - 1)] = True
    return work


def _meanings(codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    meaning = _MEANING.take(codes)
    if not meaning.all():
        for code in distinct(codes[meaning == 0]):
            _MEANING[code] = _meaning_of(chr(code))
        meaning = _MEANING.take(codes)
    return meaning


def distinct(codes: NDArray[np.uint32]) -> list[int]:
    """The different code points among some, rising; ``numpy.unique`` would load ``numpy.ma``, a tenth of the start."""
    codes = np.sort(codes)
    different: list[int] = codes[np.flatnonzero(np.diff(codes, prepend=codes[:1] - np.uint32(1)))].tolist()
    return different


def _meaning_of(char: str) -> int:
    if (
        not char.isprintable()
        or char in "&<"
        or char in _JOIN
        or unicodedata.combining(char)
        or not unicodedata.is_normalized("NFC", char)
    ):
        return _SEEN | _WORK
    return _SEEN | _SPACE * (char == " ") | _LEAD * (char in _LEADS) | _TRAIL * (char in _TRAILS)
