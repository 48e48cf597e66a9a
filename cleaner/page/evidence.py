"""A page and its blocks → what their elements say of each block, before any model looks at it.

Integers, each within known bounds, as the models need them. Words that authors of pages choose for classes and names
become hashed tokens of a *path*, which a linear model reads as it reads the n-grams of lines. What the models make of
all this is left to ``model``, and how a block looks beside others is left to ``surroundings``.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from cleaner.features import BOUNDS, MOST_GRAMS, Grams, log_scale
from cleaner.page.blocks import Page
from cleaner.page.head import Head

# Buckets of the tokens of paths.
PATH_BITS: Final = 16
# Class names of one element that are looked at, and code points of each: pages with more are made by programs.
_MOST_CLASSES, _LONGEST_CLASS = 12, 80
# An attribute is looked at up to here.
_LONGEST_NAME: Final = 4096
_CAMEL: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

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

# What stands deeper than this many elements adds nothing to what is said around it: no page of the corpora does.
# Nor does what comes to so many different words: the longest path of the corpora has 390.
DEEPEST: Final = 128
MOST_AROUND: Final = 2048
# Containers of a block that are looked at: its element, and those around it that hold more blocks, one by one.
LEVELS: Final = 5
# A block resembles a title from this share of common words on.
_TITLE_SHARE: Final = 0.6
# So many titles of a page are looked at; they rarely differ.
MOST_TITLES: Final = 3
# A block is looked for in a JSON-LD body by this many code points of either end.
_PROBE: Final = 60
# So much of the bodies is searched: more than any article, and no page can make it slow.
_LONGEST_BODY: Final = 200_000
# In all, so much of a page has to stand in the body, in code points.
_LEAST_IN_BODY: Final = 200

_HIDDEN: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


class Evidence(NamedTuple):
    """What the elements of a page say of its blocks.

    ``columns`` int32 (``COLUMNS``, blocks); ``paths`` are the different paths of the page, each as the buckets of its
    tokens, and ``path`` (blocks,) numbers those of the blocks; ``containers`` (``LEVELS``, 2, blocks) are the first
    block of each container of a block and the one behind its last; ``shape`` (blocks,) is one number for blocks whose
    elements look alike; ``spans`` (2, elements) are the first block of each element, and the one behind its last.
    """

    columns: NDArray[np.int32]
    paths: list[tuple[int, ...]]
    path: NDArray[np.intp]
    containers: NDArray[np.intp]
    shape: NDArray[np.intp]
    spans: NDArray[np.intp]

    def column(self, name: str) -> NDArray[np.int32]:
        """One column of all blocks, by its name in ``COLUMNS``; shape (blocks,)."""
        column: NDArray[np.int32] = self.columns[COLUMNS.index(name)]
        return column

    def path_grams(self) -> list[Grams]:
        """The tokens of the paths as n-grams are kept, so that a ``TextModel`` can score them."""
        return path_grams(self.paths)


def path_grams(paths: Sequence[tuple[int, ...]]) -> list[Grams]:
    """The tokens of some paths, given as buckets, in the form of n-grams."""
    lengths = np.fromiter(map(len, paths), np.intp, len(paths))
    stops = np.cumsum(lengths)
    starts = stops - lengths
    buckets = np.fromiter((bucket for path in paths for bucket in path), np.intp, int(lengths.sum()))
    parts = []
    # No more of one path at a time than the sums of a ``TextModel`` have room for.
    for first in range(0, max(int(lengths.max(initial=0)), 1), MOST_GRAMS):
        low = np.minimum(starts + first, stops)
        parts.append(Grams(0, len(paths), [buckets], low, [np.minimum(low + MOST_GRAMS, stops)]))
    return parts


def read_evidence(page: Page, head: Head, lines: list[str]) -> Evidence:
    """What is known of the blocks of a page; ``lines`` are their normalised texts."""
    homes = {element: number for number, element in enumerate(dict.fromkeys(page.element))}
    home = np.fromiter((homes[element] for element in page.element), np.intp, len(lines))
    elements = _Elements(page)
    count = len(lines)
    return Evidence(
        columns=_columns(page, elements, head, lines, list(homes), home),
        paths=[elements.path(element) for element in homes],
        path=home,
        containers=_containers(page, list(homes), count)[:, :, home],
        shape=_numbers([elements.shape(element) for element in homes])[home],
        spans=np.minimum(np.array([page.begin, page.end], np.intp).reshape(2, len(page.tags)), count),
    )


class _Elements:
    """What the elements of one page are called; each name is taken apart once."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.depth = _depths(page.parent)
        self._buckets: dict[int, _Buckets] = {}
        self._around: dict[int, frozenset[str]] = {-1: frozenset()}
        self._together: dict[int, frozenset[int]] = {-1: frozenset()}

    def path(self, element: int) -> tuple[int, ...]:
        """The buckets of what names an element, the one around it, and all of them up to the root together."""
        outer = self._page.parent[element]
        next_to = self._named(outer).outer if outer >= 0 else ()
        together = self._gathered(element, self._together, lambda one: self._named(one).together)
        return (*self._named(element).own, *next_to, *sorted(together))

    def shape(self, element: int) -> tuple[tuple[str, str], ...]:
        """The tags and classes of an element and of two around it."""
        page = self._page
        shape: list[tuple[str, str]] = []
        while element >= 0 and len(shape) < 3:  # noqa: PLR2004 -- as the docstring says
            shape.append((page.tags[element], page.attributes[element].get("class", "")))
            element = page.parent[element]
        return tuple(shape)

    def around(self, element: int) -> frozenset[str]:
        """Which of the tags ``AROUND`` an element stands in, its own included."""
        return self._gathered(element, self._around, lambda one: _AROUND & {self._page.tags[one]})

    def _named(self, element: int) -> "_Buckets":
        if (buckets := self._buckets.get(element)) is None:
            said = self._page.attributes[element]
            style = said.get("style", "")[:_LONGEST_NAME]
            hidden = "hidden" in said or said.get("aria-hidden") == "true" or bool(_HIDDEN.search(style))
            names = (said.get(name, "")[:_LONGEST_NAME] for name in _NAMING)
            buckets = self._buckets[element] = _buckets_of(self._page.tags[element], hidden, *names)
        return buckets

    def _gathered(
        self, element: int, known: "dict[int, frozenset[_Named]]", own: "Callable[[int], Iterable[_Named]]"
    ) -> "frozenset[_Named]":
        """What an element and all around it say, remembered for each."""
        chain = []
        while element not in known:
            chain.append(element)
            element = self._page.parent[element]
        gathered = known[element]
        for one in reversed(chain):
            grows = self.depth[one] < DEEPEST and len(gathered) < MOST_AROUND
            gathered = known[one] = gathered.union(own(one)) if grows else gathered
        return gathered


_Named = TypeVar("_Named", str, int)
_AROUND: Final = frozenset(AROUND)
_NAMING: Final = ("class", "id", "role", "itemprop", "itemtype")


class _Buckets(NamedTuple):
    """The buckets of the words that name an element: as that of a block, as the one around it, as any around it."""

    own: tuple[int, ...]
    outer: tuple[int, ...]
    together: tuple[int, ...]


# Pages of a site share their names, so they are remembered from page to page.
@lru_cache(maxsize=1 << 14)
def _buckets_of(tag: str, hidden: bool, *said: str) -> _Buckets:
    """The buckets of an element, by what it says under each of ``_NAMING``."""
    classes, name, role, prop, kind = said
    tokens = [tag, *([f"r={role.lower()}"] if role else []), *([f"i={prop.lower()}"] if prop else [])]
    if kind:
        tokens.append(f"t={kind.rsplit('/', 1)[-1].lower()}")
    for mark, words in (("c", classes), ("i", name)):
        for word in words.split()[:_MOST_CLASSES]:
            short = word[:_LONGEST_CLASS]
            tokens.append(f"{mark}={short.lower()}")
            tokens += [f"w={part.lower()}" for part in _CAMEL.findall(short) if len(part) > 1]
    if hidden:
        tokens.append("hidden")
    encoded = [token.encode("utf-8", "replace") for token in dict.fromkeys(tokens)]
    # A checksum goes on from that of what stands in front.
    own, outer, together = (
        tuple(zlib.crc32(token, place) >> (32 - PATH_BITS) for token in encoded) for place in _PLACES
    )
    return _Buckets(own, outer, together)


_PLACES: Final = tuple(zlib.crc32(place) for place in (b"0:", b"1:", b"*:"))


def _columns(
    page: Page, elements: _Elements, head: Head, lines: list[str], homes: list[int], home: NDArray[np.intp]
) -> NDArray[np.int32]:
    count = len(lines)
    flags = np.zeros((len(homes), len(TAGS) + len(AROUND)), np.int32)
    flags.ravel()[
        [
            number * len(_FLAGS) + _FLAGS[name]
            for number, element in enumerate(homes)
            for name in (f"is_{_TAGS.get(page.tags[element], _OTHER)}", *elements.around(element))
        ]
    ] = 1
    length = np.fromiter((max(len(text), 1) for text in page.texts), np.intp, count)
    linked = np.minimum(np.array(page.linked, np.intp) * SHARE // length, SHARE)
    (title, summary), place = _alike(lines, (head.titles[:MOST_TITLES], head.summaries[:1])), np.arange(count)
    at = _title_place(title, [page.tags[element] for element in page.element])
    body = _in_bodies(lines, head.bodies)
    has_body = int((body * length).sum() >= _LEAST_IN_BODY * SHARE)
    others = {
        "depth": np.array([min(6 * elements.depth[element], OTHERS["depth"]) for element in homes], np.intp)[home],
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
    return np.concatenate([flags.T[:, home], np.array([others[name] for name in OTHERS], np.int32)])


_FLAGS: Final = {name: number for number, name in enumerate([*(f"is_{tag}" for tag in TAGS), *AROUND])}


def _depths(parent: list[int]) -> list[int]:
    depths: list[int] = []
    for outer in parent:
        depths.append(depths[outer] + 1 if outer >= 0 else 0)
    return depths


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


def _alike(lines: list[str], groups: Sequence[list[str]]) -> NDArray[np.intp]:
    """How much of its words each line shares with the likest text of each group, in 1/256 (Dice's coefficient).

    Shape (groups, lines).
    """
    # Lines that are much longer than the texts have too many other words.
    longest = [3 * max(map(len, texts), default=0) for texts in groups]
    wanted = [[_words(text) for text in dict.fromkeys(texts)] for texts in groups]
    alike = np.zeros((len(groups), len(lines)), np.intp)
    for i, line in enumerate(lines):
        if len(line) <= max(longest):
            words = _words(line)
            for row, texts, most in zip(alike, wanted, longest, strict=True):
                if len(line) <= most:
                    row[i] = max(
                        (2 * SHARE * len(words & text) // max(len(words) + len(text), 1) for text in texts), default=0
                    )
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


def _containers(page: Page, homes: list[int], count: int) -> NDArray[np.intp]:
    """The containers of each element of ``homes``, (``LEVELS``, 2, elements); the whole page where there are fewer."""
    spans: list[tuple[tuple[int, int], ...]] = []  # of the containers of each element, from the innermost on
    for span, outer in zip(zip(page.begin, page.end, strict=True), page.parent, strict=True):
        around = spans[outer] if outer >= 0 else ()
        spans.append(around if around and around[0] == span else (span, *around[: LEVELS - 1]))
    found = [(*spans[home], *[(0, count)] * (LEVELS - len(spans[home]))) for home in homes]
    return np.minimum(np.array(found, np.intp).reshape(len(homes), LEVELS, 2).transpose(1, 2, 0), count)


def _numbers(keys: Sequence[object]) -> NDArray[np.intp]:
    """A number for each key, equal keys having equal ones."""
    known: dict[object, int] = {}
    return np.fromiter((known.setdefault(key, len(known)) for key in keys), np.intp, len(keys))
