"""The elements of a page → the path of each: hashed tokens of what it is called, and of what stands around it.

Authors of pages choose the words for classes and names, and a linear model reads them as it reads the n-grams of lines.
A path holds the tokens of an element as such, those of the element around it, and those of all elements up to the root
together, each once. Paths of one page have most of their tokens in common, so sums over them are taken along the tree.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleaner.features import MOST_GRAMS, Grams, running
from cleaner.page.blocks import Page

# Buckets of the tokens of paths.
PATH_BITS: Final = 16
# What is said of the element around, and of all up to the root, has buckets of its own: these bits are turned over.
_OUTER, _TOGETHER = 0x5A5A, 0xC33C
# The attributes that name an element.
_NAMING: Final = ("class", "id", "role", "itemprop", "itemtype")
# Class names of one element that are looked at, and code points of each: pages with more are made by programs.
_MOST_CLASSES, _LONGEST_CLASS = 12, 80
# An attribute is looked at up to here.
_LONGEST_NAME: Final = 4096
_PARTS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_HIDDEN: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


class Paths(NamedTuple):
    """The paths of the elements of a page, numbered as there.

    Of the ``k``-th element ``own[k]`` are the buckets of its tokens, none if it holds no text, and ``fresh[k]`` those
    of them that no element around it has; ``outer[k]`` is the number of the element around it (-1: none), and
    ``behind[k]`` that of the first element behind its end.
    """

    own: list[tuple[int, ...]]
    fresh: list[tuple[int, ...]]
    outer: NDArray[np.intp]
    behind: NDArray[np.intp]

    def buckets(self, element: int) -> tuple[int, ...]:
        """All tokens of one path."""
        own, outer = self.own[element], int(self.outer[element])
        next_to = self.own[outer] if outer >= 0 else ()
        together: list[int] = []
        while element >= 0:
            together += self.fresh[element]
            element = int(self.outer[element])
        return (*own, *(one ^ _OUTER for one in next_to), *sorted(one ^ _TOGETHER for one in together))

    def grams(self) -> Grams:
        """The parts of the paths as n-grams are kept: of all elements ``own``, then ``own`` as ``outer``, ``fresh``."""
        own, fresh = _flat(self.own), _flat(self.fresh)
        lengths = np.fromiter(map(len, chain(self.own, self.own, self.fresh)), np.intp, 3 * len(self.own))
        stops = np.cumsum(lengths)
        return Grams(
            0, len(lengths), [np.concatenate([own, own ^ _OUTER, fresh ^ _TOGETHER])], stops - lengths, [stops]
        )

    def whole(self, parts: NDArray[np.integer], element: NDArray[np.intp]) -> NDArray[np.int64]:
        """Sums over the whole paths of some elements; from (…, 3 · elements), sums over ``grams``, to (…, element)."""
        own, outer, fresh = np.moveaxis(parts.reshape(*parts.shape[:-1], 3, len(self.own)), -2, 0)
        # Of what began up to an element, all that has not ended is around it.
        order = np.argsort(self.behind, kind="stable")
        ended = np.searchsorted(self.behind[order], element, side="right")
        together = running(fresh)[..., element + 1] - running(fresh[..., order])[..., ended]
        next_to = np.where(self.outer[element] >= 0, outer[..., self.outer[element]], 0)
        total: NDArray[np.int64] = own[..., element] + next_to + together
        return total


def _flat(buckets: Sequence[tuple[int, ...]]) -> NDArray[np.intp]:
    return np.fromiter(chain.from_iterable(buckets), np.intp)


def read_paths(page: Page) -> Paths:
    """The paths of all elements of a page."""
    own: list[tuple[int, ...]] = []
    fresh: list[tuple[int, ...]] = []
    behind = [len(page.tags)] * len(page.tags)
    around: set[int] = set()
    inside = [-1]
    for element, outer in enumerate(page.parent):
        while inside[-1] != outer:
            ended = inside.pop()
            around.difference_update(fresh[ended])
            behind[ended] = element
        inside.append(element)
        buckets = _buckets_of(page.tags[element], page.attributes[element]) if page.holds_text(element) else ()
        new = () if around.issuperset(buckets) else tuple([one for one in buckets if one not in around])
        around.update(new)
        own.append(buckets)
        fresh.append(new)
    return Paths(own, fresh, np.array(page.parent, np.intp), np.array(behind, np.intp))


def _buckets_of(tag: str, said: Mapping[str, str]) -> tuple[int, ...]:
    """The buckets of what an element is called."""
    if not said:
        return _buckets(tag, False, "", "", "", "", "")
    if sum(map(len, said.values())) > _LONGEST_NAME:
        said = {name: value[:_LONGEST_NAME] for name, value in said.items()}
    get = said.get
    hidden = (
        "hidden" in said or get("aria-hidden") == "true" or ("style" in said and bool(_HIDDEN.search(said["style"])))
    )
    return _buckets(tag, hidden, *[get(name, "") for name in _NAMING])


# Pages of a site share their names, so they are remembered from page to page.
@lru_cache(maxsize=1 << 14)
def _buckets(tag: str, hidden: bool, *said: str) -> tuple[int, ...]:
    """The buckets of an element that says this under each of ``_NAMING``."""
    classes, name, role, prop, kind = said
    buckets = [_bucket(tag), _bucket("hidden")] if hidden else [_bucket(tag)]
    for mark, value in (("r", role), ("i", prop), ("t", kind.rsplit("/", 1)[-1])):
        if value:
            buckets.append(_bucket(f"{mark}={value.lower()}"))
    for mark, words in (("c", classes), ("i", name)):
        for word in words.split(maxsplit=_MOST_CLASSES)[:_MOST_CLASSES]:
            buckets += _word(mark, word[:_LONGEST_CLASS])
    return tuple(dict.fromkeys(buckets))[:MOST_GRAMS]


@lru_cache(maxsize=1 << 14)
def _word(mark: str, word: str) -> tuple[int, ...]:
    """The buckets of a class or a name as a whole, and of the words that it is made of."""
    parts = [f"w={part.lower()}" for part in _PARTS.findall(word) if len(part) > 1]
    return tuple([_bucket(token) for token in [f"{mark}={word.lower()}", *parts]])


def _bucket(token: str) -> int:
    return zlib.crc32(token.encode("utf-8", "replace")) >> (32 - PATH_BITS)
