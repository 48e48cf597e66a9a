"""What happened to many documents, in little memory: sums, histograms, and the few that stand out.

A tally is kept by whoever cleans, written as JSON, and merged with others. All of it is exact and the same in whatever
order documents come, except for the most frequent texts: whoever counts those in bounded memory counts some too low.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cleaner.document import CleanResult, LineColumns
from cleaner.errors import InputError

# Raised by one when a field of the JSON form changes its meaning or goes away. New fields do not raise it.
TALLY_VERSION = 1

# How many of the slowest and of the least trusted documents are remembered.
MOST = 20
# Bins of the histograms, each 0.05 wide; the last one holds 1 as well.
BINS = 20
# Names, lines and reasons are remembered by their first code points: a line may be a megabyte long.
LONGEST = 200
# How many different texts are left when the counts of a ``Frequent`` are cut; before, it holds up to twice as many.
# More would find rarer lines, and make the JSON of every shard longer (up to some 200 kB as it is).
TEXTS = 1000

# Time is summed in whole microseconds, because a sum of floats depends on the order of its terms.
SECOND = 1_000_000


class Frequent:
    """Counts the most frequent of very many texts in bounded memory, as Misra and Gries do, but in batches.

    A count is a lower bound: never too high, and at most ``missed`` too low, which is never more than one in ``TEXTS``
    of all that was counted. While no more than twice ``TEXTS`` different texts have come, nothing is missed. A text
    has the parts that are named at the start.

        >>> frequent = Frequent("text")
        >>> for text in ["Share", "Advertisement", "Advertisement"]:
        ...     frequent.add(text)
        >>> frequent.as_dict()
        {'missed': 0, 'rows': [{'count': 2, 'text': 'Advertisement'}, {'count': 1, 'text': 'Share'}]}
    """

    __slots__ = ("counts", "missed", "parts")

    def __init__(self, *parts: str) -> None:
        """Begin without any text; ``parts`` are the names of what a text consists of."""
        self.parts = parts
        self.counts: dict[tuple[str, ...], int] = {}
        self.missed = 0

    def add(self, *text: str) -> None:
        """Count a text once."""
        self.counts[text] = self.counts.get(text, 0) + 1
        self.cut()

    def cut(self) -> None:
        """Forget the rare texts when there are too many; every count falls by that of the first text too many."""
        if len(self.counts) > 2 * TEXTS:
            fall = sorted(self.counts.values(), reverse=True)[TEXTS]
            self.counts = {text: count - fall for text, count in self.counts.items() if count > fall}
            self.missed += fall

    def merge(self, other: "Frequent") -> None:
        """Add what somebody else counted."""
        for text, count in other.counts.items():
            self.counts[text] = self.counts.get(text, 0) + count
        self.missed += other.missed
        self.cut()

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain JSON types, the most frequent text first, equally frequent ones by text."""
        rows = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return {
            "missed": self.missed,
            "rows": [{"count": count, **dict(zip(self.parts, map(str, text), strict=True))} for text, count in rows],
        }

    def read(self, known: Mapping[str, Any]) -> None:
        """Go on from the JSON form of another."""
        self.counts = {tuple(row[part] for part in self.parts): row["count"] for row in known["rows"]}
        self.missed = known["missed"]


class Foremost:
    """Remembers the ``MOST`` documents with the highest or lowest values; of equal ones the first by name.

    >>> slowest = Foremost("seconds", highest=True)
    >>> slowest.add(0.5, "bridge.txt")
    >>> slowest.add(0.7, "ferry.txt")
    >>> slowest.as_list()
    [{'seconds': 0.7, 'name': 'ferry.txt'}, {'seconds': 0.5, 'name': 'bridge.txt'}]
    """

    __slots__ = ("_last", "_rows", "_sign", "measure")

    def __init__(self, measure: str, highest: bool = False) -> None:
        """Begin without any document; ``measure`` is the name of the values."""
        self.measure = measure
        self._sign = -1 if highest else 1
        self._rows: list[tuple[float, str]] = []
        self._last = (math.inf, "")

    def add(self, value: float, name: str) -> None:
        """Remember a document if it belongs to the foremost so far."""
        row = (value * self._sign, name[:LONGEST])
        if row < self._last:
            self._rows.append(row)
            # Sorted once in a while, which costs less than keeping order.
            if len(self._rows) > 4 * MOST:
                self._sort()

    def merge(self, other: "Foremost") -> None:
        """Take those of somebody else too."""
        self._rows += other._rows  # noqa: SLF001  its own kind
        self._sort()

    def _sort(self) -> None:
        self._rows = sorted(self._rows)[:MOST]
        if len(self._rows) == MOST:
            self._last = self._rows[-1]

    def as_list(self) -> list[dict[str, Any]]:
        """The foremost documents as plain JSON types, in order."""
        self._sort()
        return [{self.measure: value * self._sign, "name": name} for value, name in self._rows]

    def read(self, known: list[Mapping[str, Any]]) -> None:
        """Go on from the JSON form of another."""
        self._rows = [(row[self.measure] * self._sign, row["name"]) for row in known]
        self._sort()


@dataclass(slots=True, eq=False)
class Tally:
    r"""What happened to some documents; the tallies of the parts of a job can be merged.

    ``documents`` are those that were cleaned, and everything but ``errors`` is about them. Bytes are those of the input
    as it came, and of the text that is left as UTF-8. Lines are the non-blank lines of the input (of a page, its
    blocks): ``lines_out`` of them stayed, the others are counted by kind and by reason. ``trims`` are those of lines
    that stayed. The share of a document that was removed is that of its code points: those in lines that went, beside
    those of the text that is left.

        >>> from cleaner import Cleaner
        >>> text = "The council met on Tuesday and voted for the bridge.\nADVERTISEMENT Advertisement"
        >>> tally = Tally()
        >>> tally.add("bridge.txt", len(text.encode()), Cleaner.load().clean(text), seconds=0.001)
        >>> tally.add_error("not UTF-8")
        >>> account = tally.as_dict()
        >>> [account[key] for key in ("documents", "errors", "lines_in", "lines_out", "removed_by_kind")]
        [1, 1, 2, 1, {'advert': 1}]
    """

    documents: int = 0
    errors: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    lines_in: int = 0
    lines_out: int = 0
    trims: int = 0
    microseconds: int = 0
    removed_by_kind: Counter[str] = field(default_factory=Counter)
    removed_by_reason: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    quality: list[int] = field(default_factory=lambda: [0] * BINS)
    removed_share: list[int] = field(default_factory=lambda: [0] * BINS)
    slowest: Foremost = field(default_factory=partial(Foremost, "seconds", highest=True))
    least_trusted: Foremost = field(default_factory=partial(Foremost, "quality"))
    frequent_lines: Frequent = field(default_factory=partial(Frequent, "kind", "text"))
    errors_by_reason: Frequent = field(default_factory=partial(Frequent, "reason"))

    def add(self, name: str, bytes_in: int, result: CleanResult, seconds: float, bytes_out: int | None = None) -> None:
        """Count a document that was cleaned. This runs for each of millions, so it takes a few microseconds.

        Half of them go into telling ``bytes_out``; whoever knows it, because the text is encoded anyway, may say so.
        """
        text, columns = result.text, result.columns
        lines, left = len(columns.kept), columns.kept.count(True)
        microseconds = round(seconds * SECOND)
        self.documents += 1
        self.bytes_in += bytes_in
        self.bytes_out += size_of(text) if bytes_out is None else bytes_out
        self.lines_in += lines
        self.lines_out += left
        self.microseconds += microseconds
        gone = self._add_removed(columns, lines - left) if left < lines else 0
        self.removed_share[_bin(gone / (gone + len(text) or 1))] += 1
        self.quality[_bin(result.quality)] += 1
        if any(columns.trims):
            self.trims += sum(len(trims) for trims, kept in zip(columns.trims, columns.kept, strict=True) if kept)
        for flag in result.flags:
            self.flags[flag] += 1
        self.slowest.add(microseconds / SECOND, name)
        self.least_trusted.add(result.quality, name)

    def _add_removed(self, columns: LineColumns, lines: int) -> int:
        """Count the lines that went, which are so many, and give the number of their code points."""
        kinds, reasons, counts = self.removed_by_kind, self.removed_by_reason, self.frequent_lines.counts
        place, gone = -1, 0
        # Found one by one, because to pass by the lines that stayed would take longer than all the rest.
        for _ in range(lines):
            place = columns.kept.index(False, place + 1)
            kind, text = columns.kind[place], columns.text[place]
            gone += len(text)
            kinds[kind] += 1
            reasons[columns.reason[place]] += 1
            line = (kind, text[:LONGEST])
            counts[line] = counts.get(line, 0) + 1
        self.frequent_lines.cut()
        return gone

    def add_error(self, reason: str) -> None:
        """Count a document that could not be cleaned."""
        self.errors += 1
        self.errors_by_reason.add(reason[:LONGEST])

    def merge(self, other: "Tally") -> None:
        """Add what happened to other documents."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for name in _HISTOGRAMS:
            setattr(self, name, [a + b for a, b in zip(getattr(self, name), getattr(other, name), strict=True)])
        for name in (*_FOREMOST, *_FREQUENT):
            getattr(self, name).merge(getattr(other, name))

    def as_dict(self) -> dict[str, Any]:
        """The tally as plain JSON types, from which ``from_dict`` makes it again."""
        counters = {name: sorted(getattr(self, name).items()) for name in _COUNTERS}
        return (
            {"version": TALLY_VERSION}
            | {name: getattr(self, name) for name in _SUMS}
            | {name: {str(key): count for key, count in counts} for name, counts in counters.items()}
            | {name: list(getattr(self, name)) for name in _HISTOGRAMS}
            | {name: getattr(self, name).as_list() for name in _FOREMOST}
            | {name: getattr(self, name).as_dict() for name in _FREQUENT}
        )

    @classmethod
    def from_dict(cls, known: Mapping[str, Any]) -> "Tally":
        """The tally of which this is the JSON form.

        Raises
        ------
        InputError
            When another version of this package wrote it.
        """
        version = known.get("version")
        if version != TALLY_VERSION:
            raise InputError(
                f"a tally of version {version!r} was found and {TALLY_VERSION} was expected: "
                "go on with the version of clean that began the job, or begin it anew"
            )
        tally = cls(**{name: known[name] for name in _SUMS})
        for name in _COUNTERS:
            getattr(tally, name).update(known[name])
        for name in _HISTOGRAMS:
            setattr(tally, name, list(known[name]))
        for name in (*_FOREMOST, *_FREQUENT):
            getattr(tally, name).read(known[name])
        return tally


_SUMS = ("documents", "errors", "bytes_in", "bytes_out", "lines_in", "lines_out", "trims", "microseconds")
_COUNTERS = ("removed_by_kind", "removed_by_reason", "flags")
_HISTOGRAMS = ("quality", "removed_share")
_FOREMOST = ("slowest", "least_trusted")
_FREQUENT = ("frequent_lines", "errors_by_reason")


def _bin(share: float) -> int:
    """The bin of a number from 0 to 1."""
    return min(int(share * BINS), BINS - 1)


def size_of(text: str) -> int:
    """The number of bytes of a text as UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
