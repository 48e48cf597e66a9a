"""Text that was broken into lines of even width → where its paragraphs begin.

Mail, wire copy and old archives break lines at 72 columns or so and set paragraphs apart by blank lines. Such a
document is told by its breaks: each comes where the next word would not have fitted any more. Verse, lists and code do
not break like that, so they are left as they are. What the paragraphs are is judged elsewhere.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

# Widths at which people and programs wrap; a paragraph that was not wrapped has longer lines, a poem or a menu shorter.
NARROWEST, WIDEST = 50, 100
# So many breaks of a document have to be where the next word would not have fitted, and no fewer than so many at all.
FULL_SHARE, LEAST_BREAKS = 0.85, 3

# Patterns are compiled when they are first used (`re` keeps them): few documents are wrapped.
# A line that begins with a bullet, a number, a quoting mark or the indent of code is an item of its own.
_ITEM = r"\s{4}|\t|\s*(?:[-–—•·*+>|#]\s|\(?\w{1,3}[.)]\s)"
# In scripts without spaces a line can break behind any letter.
_UNSPACED = "[\u0e00-\u0eff\u3041-\u3096\u309d-\u30ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff9d]"


def paragraph_starts(index: Sequence[int], lines: Sequence[str]) -> list[int] | None:
    """The positions in ``lines`` at which a paragraph begins, or nothing when the document is not hard-wrapped.

    ``index`` are the numbers that the lines, none of them blank, had among all lines of the document.

        >>> verse = ["Roses are red,", "violets are blue,", "sugar is sweet."]
        >>> paragraph_starts(range(3), verse) is None
        True
        >>> news = ["The council met on Tuesday evening and voted for the", "new bridge.", "", "Work begins in May."]
        >>> paragraph_starts([0, 1, 3], [news[0], news[1], news[3]]) is None  # a single break proves nothing
        True
    """
    if len(index) < LEAST_BREAKS + 1 or index[-1] + 1 == len(index) + index[0]:
        return None  # no blank lines between the first and the last
    width = max(map(len, lines))
    if not NARROWEST <= width <= WIDEST:
        return None
    breaks = full = 0
    starts = [0]
    for i in range(1, len(lines)):
        if index[i] != index[i - 1] + 1 or re.match(_ITEM, lines[i]):
            starts.append(i)
            continue
        breaks += 1
        if _is_full(lines[i - 1], lines[i], width):
            full += 1
        else:
            starts.append(i)
    return starts if full >= max(LEAST_BREAKS, FULL_SHARE * breaks) else None


def _is_full(line: str, following: str, width: int) -> bool:
    """Whether the first word of the line behind would not have fitted on this one."""
    line, following = line.strip(), following.strip()
    word = 1 if re.match(_UNSPACED, following) else len(following.split(None, 1)[0]) + 1
    return len(line) + word > width


def glued(lines: Sequence[str]) -> list[bool]:
    """For each line of a paragraph but the first, whether no space stood at the break before it.

    >>> glued(["The long-", "awaited bridge", "is open."])
    [True, False]
    """
    return [_belong_together(before, line) for before, line in pairwise(lines)]


def join_wrapped(lines: Sequence[str], joints: Sequence[bool]) -> str:
    """The lines of one paragraph as one line; a hyphen at a break stays, because it may belong to the word.

    >>> join_wrapped(["The long-", "awaited bridge", "is open."], [True, False])
    'The long-awaited bridge is open.'
    """
    parts = (line if joint else f" {line}" for line, joint in zip(lines[1:], joints, strict=True))
    return "".join([lines[0], *parts])


def spans(lines: Sequence[str], joints: Sequence[bool]) -> list[tuple[int, int]]:
    """Where each line of a paragraph stands in what ``join_wrapped`` makes of them.

    >>> spans(["The long-", "awaited bridge", "is open."], [True, False])
    [(0, 9), (9, 23), (24, 32)]
    """
    out = [(0, len(lines[0]))]
    for line, joint in zip(lines[1:], joints, strict=True):
        begin = out[-1][1] + (not joint)
        out.append((begin, begin + len(line)))
    return out


def _belong_together(text: str, line: str) -> bool:
    """Whether no space stood at the break."""
    hyphenated = text[-1:] in ("-", "\N{SOFT HYPHEN}") and text[-2:-1].isalpha() and line[:1].islower()
    return hyphenated or bool(re.match(_UNSPACED, text[-1:]) and re.match(_UNSPACED, line))
