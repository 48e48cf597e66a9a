"""Kinds of lines that somebody read, line by line or page by page: keyed by a hash of the normalised line."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from cleaner.document import Kind
from cleaner.errors import InputError

# What a reader writes who cannot tell.
UNSURE = "unsure"


def line_hash(line: str) -> str:
    """The key of a normalised line: 64 bits of BLAKE2b over its case-folded form without a bullet in front.

    Extractors render the same list item with different bullets, and what was read once counts for all of them:

        >>> line_hash("Advertisement") == line_hash("• ADVERTISEMENT")
        True
    """
    bare = line.casefold().lstrip("-*•·▪►– ") or line.casefold()
    return hashlib.blake2b(bare.encode("utf-8", "replace"), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Annotations:
    """What readers said: for a line of a page, and for a line wherever it stands."""

    of_page: dict[tuple[str, str], Kind]
    anywhere: dict[str, Kind]

    def kind(self, page: str, line: str) -> Kind | None:
        """What the line was called on that page, or else, for boilerplate, on whatever page it was read."""
        key = line_hash(line)
        return self.of_page.get((page, key)) or self.anywhere.get(key)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader said of a whole page: the kinds of its lines by ``line_hash``, and those nobody could tell.

    ``article`` says whether the page is one article at all, and not a list of teasers, a shop or a forum.
    """

    article: bool
    kinds: dict[str, Kind]
    unsure: frozenset[str]

    @property
    def content(self) -> frozenset[str]:
        """The lines that are main content."""
        return frozenset(key for key, kind in self.kinds.items() if kind is Kind.CONTENT)


def read_readings(path: Path) -> dict[str, Reading]:
    """Read ``readings.jsonl``: for each page one object with ``page``, ``article`` and ``kinds``, hashes by kind.

    Raises
    ------
    InputError
        When a line of the file cannot be read; the message names it.
    """
    readings = {}
    for number, line in enumerate(_lines(path), 1):
        try:
            row = json.loads(line)
            kinds = {key: Kind(kind) for kind, keys in row["kinds"].items() if kind != UNSURE for key in keys}
            readings[row["page"]] = Reading(row["article"], kinds, frozenset(row["kinds"].get(UNSURE, ())))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path.name}, line {number}: not a reading ({error!r})") from error
    return readings


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"cannot read the labels {path}: {error}") from error


def read_annotations(path: Path) -> Annotations:
    """Read ``annotations.jsonl``: one object a line with ``hash``, ``page``, ``kind`` (and where it was read).

    A kind counts wherever the line stands when every reader gave it that kind; content counts on its own page only,
    because what one article says another may carry as a teaser.

    Raises
    ------
    InputError
        When a line of the file cannot be read; the message names it.
    """
    of_page: dict[tuple[str, str], Kind] = {}
    votes: dict[str, Counter[Kind]] = {}
    for number, line in enumerate(_lines(path), 1):
        try:
            row = json.loads(line)
            key, page, kind = row["hash"], row["page"], Kind(row["kind"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path.name}, line {number}: not an annotation ({error!r})") from error
        of_page[page, key] = kind
        votes.setdefault(key, Counter())[kind] += 1
    unanimous = {key: next(iter(kinds)) for key, kinds in votes.items() if len(kinds) == 1}
    return Annotations(of_page, {key: kind for key, kind in unanimous.items() if kind is not Kind.CONTENT})
