"""A page and its blocks → what their elements say of each block, before any model looks at it.

Integers, each within known bounds, as the models need them. What the elements are called is left to ``paths``, what the
models make of all this to ``model``, and how a block looks beside others to ``surroundings``.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleaner.features import BOUNDS, log_scale
from cleaner.page.blocks import Page
from cleaner.page.head import Head
from cleaner.page.paths import Paths, read_paths

# The innermost element of a block, and elements around it, that are told apart.
_TAGS: Final = {
    **{tag: tag for tag in "p h1 h2 h3 li td div span a blockquote pre figcaption button".split()},
    **dict.fromkeys(("h4", "h5", "h6"), "h4"),
    **dict.fromkeys(("th", "tr"), "td"),
    **dict.fromkeys(("dt", "dd"), "li"),
}
_OTHER: Final = "other"
TAGS: Final = tuple(dict.fromkeys([*_TAGS.values(), _OTHER]))
AROUND: Final = tuple(
    "article main section aside header footer nav form table ul ol dl blockquote figure pre details dialog address"
    " button label a noscript".split()
)
# What else is known of a block: shares in 1/256, counts as ``log_scale``, flags.
SHARE, LOG, FLAG = 256, BOUNDS["length"], 1
OTHERS: Final = {
    "depth": 255, "linked": SHARE, "all_linked": FLAG, "links": LOG, "bold": SHARE, "broken": FLAG,
    "like_title": SHARE, "like_summary": SHARE, "behind_title": FLAG, "has_title": FLAG, "title_distance": LOG,
    "in_body": SHARE, "has_body": FLAG,
}  # fmt: skip
COLUMNS: Final = (*(f"is_{tag}" for tag in TAGS), *(f"in_{tag}" for tag in AROUND), *OTHERS)
COLUMN_BOUNDS: Final = (*[FLAG] * (len(TAGS) + len(AROUND)), *OTHERS.values())

# Containers of a block that are looked at: its element, and those around it that hold more blocks, one by one.
LEVELS: Final = 5
# A block resembles a title from this share of common words on.
_TITLE_SHARE: Final = 0.6
# The elements that make the shape of a block: its own, and two around it.
_SHAPED: Final = 3
# A line that is so many times longer, or shorter, than all titles is none.
_MUCH_LONGER, _MUCH_SHORTER = 3, 5
# So many titles of a page are looked at; they rarely differ.
MOST_TITLES: Final = 3
# A block is looked for in a JSON-LD body by this many code points of either end.
_PROBE: Final = 60
# So much of the bodies is searched: more than any article, and no page can make it slow.
_LONGEST_BODY: Final = 200_000
# In all, so much of a page has to stand in the body, in code points.
_LEAST_IN_BODY: Final = 200

_WORDS: Final = re.compile(r"\w+")


class Evidence(NamedTuple):
    """What the elements of a page say of its blocks.

    ``columns`` int32 (``COLUMNS``, blocks); ``paths`` are those of the elements, and ``element`` (blocks,) numbers the
    innermost of each block; ``containers`` (``LEVELS``, 2, blocks) are the first block of each container of a block and
    the one behind its last; ``shape`` (blocks,) is one number for blocks whose elements look alike; ``spans`` (2,
    elements) are the first block of each element, and the one behind its last.
    """

    columns: NDArray[np.int32]
    paths: Paths
    element: NDArray[np.intp]
    containers: NDArray[np.intp]
    shape: NDArray[np.intp]
    spans: NDArray[np.intp]

    def column(self, name: str) -> NDArray[np.int32]:
        """One column of all blocks, by its name in ``COLUMNS``; shape (blocks,)."""
        column: NDArray[np.int32] = self.columns[COLUMNS.index(name)]
        return column


def read_evidence(page: Page, head: Head, lines: list[str]) -> Evidence:
    """What is known of the blocks of a page; ``lines`` are their normalised texts."""
    element = np.array(page.element, np.intp)
    return Evidence(
        columns=_columns(page, element, head, lines),
        paths=read_paths(page),
        element=element,
        containers=_containers(page, element, len(lines)),
        shape=_shapes(page),
        spans=np.minimum(np.array([page.begin, page.end], np.intp).reshape(2, len(page.tags)), len(lines)),
    )


def _columns(page: Page, element: NDArray[np.intp], head: Head, lines: list[str]) -> NDArray[np.int32]:
    count = len(lines)
    depths, around = _surrounded(page)
    flags = [
        np.array([_TAG_NUMBERS.get(page.tags[one], TAGS.index(_OTHER)) for one in page.element])
        == np.arange(len(TAGS))[:, None],
        np.array(around, np.int64)[element] >> np.arange(len(AROUND))[:, None] & 1,
    ]
    length = np.fromiter((max(len(text), 1) for text in page.texts), np.intp, count)
    linked = np.minimum(np.array(page.linked, np.intp) * SHARE // length, SHARE)
    (title, summary), place = _alike(lines, (head.titles[:MOST_TITLES], head.summaries[:1])), np.arange(count)
    at = _title_place(title, [page.tags[one] for one in page.element])
    body = _in_bodies(lines, head.bodies)
    has_body = int((body * length).sum() >= _LEAST_IN_BODY * SHARE)
    others = {
        "depth": np.minimum(6 * np.array(depths, np.intp), OTHERS["depth"])[element],
        "linked": linked,
        "all_linked": linked > 0.95 * SHARE,
        "links": log_scale(np.array(page.links, np.intp)),
        "bold": np.minimum(np.array(page.bold, np.intp) * SHARE // length, SHARE),
        "broken": np.array(page.broken, np.intp),
        "like_title": title,
        "like_summary": summary,
        "behind_title": (place > at) & (at >= 0),
        "has_title": np.full(count, at >= 0),
        "title_distance": log_scale(np.abs(place - at)) if at >= 0 else np.zeros(count),
        "in_body": body * has_body,
        "has_body": np.full(count, has_body),
    }
    return np.concatenate([*flags, [others[name] for name in OTHERS]]).astype(np.int32)


_TAG_NUMBERS: Final = {tag: TAGS.index(told) for tag, told in _TAGS.items()}


def _surrounded(page: Page) -> tuple[list[int], list[int]]:
    """How deep each element stands, and which of the tags ``AROUND`` it stands in, its own included: a bit for each."""
    depths: list[int] = []
    around: list[int] = []
    for tag, outer in zip(page.tags, page.parent, strict=True):
        own = _AROUND_BITS.get(tag, 0)
        depths.append(depths[outer] + 1 if outer >= 0 else 0)
        around.append(around[outer] | own if outer >= 0 else own)
    return depths, around


_AROUND_BITS: Final = {tag: 1 << bit for bit, tag in enumerate(AROUND)}


def _shapes(page: Page) -> NDArray[np.intp]:
    """One number for the blocks whose elements, and two around them, have the same tags and classes."""
    known: dict[tuple[tuple[str, str | None], ...], int] = {}
    shapes: dict[int, int] = {}
    for one in dict.fromkeys(page.element):
        outer, shape = one, list[tuple[str, str | None]]()
        while outer >= 0 and len(shape) < _SHAPED:
            shape.append((page.tags[outer], page.attributes[outer].get("class")))
            outer = page.parent[outer]
        shapes[one] = known.setdefault(tuple(shape), len(known))
    return np.fromiter(map(shapes.__getitem__, page.element), np.intp, len(page.element))


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORDS.findall(text.casefold()))


def _alike(lines: list[str], groups: Sequence[list[str]]) -> NDArray[np.intp]:
    """How much of its words each line shares with the likest text of each group, in 1/256 (Dice's coefficient).

    Shape (groups, lines). Lines that are much longer or shorter than the texts have too many other words, or too few.
    """
    alike = np.zeros((len(groups), len(lines)), np.intp)
    words: dict[str, frozenset[str]] = {}
    for row, texts in zip(alike, groups, strict=True):
        if not texts:
            continue
        wanted = [_words(text) for text in dict.fromkeys(texts)]
        shortest, longest = min(map(len, texts)) // _MUCH_SHORTER, max(map(len, texts)) * _MUCH_LONGER
        for i, line in enumerate(lines):
            if shortest <= len(line) <= longest:
                if (own := words.get(line)) is None:
                    own = words[line] = _words(line)
                row[i] = max(2 * SHARE * len(own & text) // max(len(own) + len(text), 1) for text in wanted)
    return alike


def _title_place(like: NDArray[np.intp], tags: list[str]) -> int:
    """The block that is most like the title; if none is, the first of the largest headings; else -1."""
    if len(like) and like.max() > _TITLE_SHARE * SHARE:
        return int(like.argmax())
    return tags.index("h1") if "h1" in tags else -1


def _in_bodies(lines: list[str], bodies: list[str]) -> NDArray[np.intp]:
    """How many of the two ends of each line stand in the bodies, in 1/256."""
    text = " ".join(" ".join(bodies).split())[:_LONGEST_BODY].casefold()
    if not text:
        return np.zeros(len(lines), np.intp)
    ends = [(folded[:_PROBE], folded[-_PROBE:]) for folded in map(str.casefold, lines)]
    held = {end: end in text for end in {end for both in ends for end in both}}
    return np.array([SHARE // 2 * (held[head] + held[tail]) for head, tail in ends], np.intp)


def _containers(page: Page, element: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """The containers of each block, (``LEVELS``, 2, blocks); the whole page where there are fewer."""
    larger: list[int] = []  # of each element, the one around it that holds more blocks
    for begin, end, outer in zip(page.begin, page.end, page.parent, strict=True):
        same = outer >= 0 and page.begin[outer] == begin and page.end[outer] == end
        larger.append(larger[outer] if same else outer)
    # The last stands for the page.
    outer_of, spans = np.array([*larger, -1], np.intp), np.array([[*page.begin, 0], [*page.end, count]], np.intp)
    found = []
    for _ in range(LEVELS):
        found.append(spans[:, element])
        element = outer_of[element]
    return np.minimum(np.array(found, np.intp).reshape(LEVELS, 2, count), count)
