"""Measure what cleaning does to text that upstream extractors left: the figures of ``clean eval``.

Uses the public interface only, so the figures hold for what a user gets. Where the labelled lines come from is the
business of ``corpora``; whether a figure is good enough, of whoever asked.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cleaner.document import CleanResult
from cleaner.errors import InputError
from cleaner.pipeline import Cleaner
from cleaner.training.align import BOILERPLATE, CONTENT, UNDECIDED
from cleaner.training.corpora import read_rows

FULL_PAGE = "fullpage"
EXTRACTED = "extracted"
IDS = "ids.txt"

# Words as the public line benchmarks count them, Thai in runs; the words of ``align`` would give other figures.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
_FIELDS = {"id": str, "domain": str, "upstream": str, "gold": str, "lines": list, "labels": list}

Row = dict[str, Any]


@dataclass(slots=True)
class Sums:
    """What the pages of one row of the table add up to; ``lines`` counts by label and by whether a line was kept."""

    docs: int = 0
    dirty: int = 0
    before: float = 0.0
    after: float = 0.0
    oracle: float = 0.0
    lines: Counter[tuple[int, bool]] = field(default_factory=Counter)

    def figures(self) -> dict[str, float]:
        """The row of the table, shares in per cent where the name ends in ``%``."""
        hit, left = self.lines[BOILERPLATE, False], self.lines[BOILERPLATE, True]
        lost, held = self.lines[CONTENT, False], self.lines[CONTENT, True]
        precision, recall = _part(hit, hit + lost), _part(hit, hit + left)
        before, after, oracle = self.before / self.docs, self.after / self.docs, self.oracle / self.docs
        doubtful = self.lines[UNDECIDED, False]
        return {
            "docs": self.docs,
            "bP": precision,
            "bR": recall,
            "bF1": 2 * precision * recall / max(precision + recall, 1e-9),
            "lost%": 100 * _part(lost, lost + held),
            "before": before,
            "after": after,
            "oracle": oracle,
            "headroom%": 100 * (after - before) / max(oracle - before, 1e-9),
            "dirty%": 100 * self.dirty / self.docs,
            "undec%": 100 * _part(doubtful, doubtful + self.lines[UNDECIDED, True]),
        }


def evaluate(
    corpus: Path, bundle: Path | None = None, folds: Path | None = None, pages: Collection[str] | None = None
) -> dict[str, dict[str, float]]:
    """Measure a model on a line corpus: figures per upstream, for all extractors together, and for these per corpus.

    ``bundle`` is a folder in place of the one that ships. With ``folds``, the folder that ``train`` filled, each page
    is cleaned by the model that never saw it; figures on pages that a model was fitted on say nothing. ``pages`` are
    the ids to measure on, all by default.

    bP, bR, bF1
        Precision, recall and their harmonic mean of removing lines of boilerplate.
    lost%
        Share of the lines of main content that were removed, the error that costs most.
    before, after, oracle
        Mean word F1 against the gold text of the uncleaned text, of the cleaned one, and of one without any line that
        is known to be boilerplate. Lines whose label is undecided count as kept in all three, so nothing is won by
        removing them.
    headroom%
        The part of what was to be won, from before to oracle, that was won.
    dirty%
        Share of documents left with boilerplate in them.
    undec%
        Share of the undecided lines that were removed.

    Raises
    ------
    InputError
        When the corpus cannot be read or is empty, or the folds do not part its pages by site.
    ModelError
        When a bundle is missing, damaged or made for another version.
    """
    rows = [checked_row(row, number, corpus) for number, row in enumerate(read_rows(corpus), 1)]
    rows = [row for row in rows if pages is None or row["id"] in pages]
    if not rows:
        raise InputError(f"{corpus} holds no documents; there is nothing to measure")
    by_bundle = {bundle: rows} if folds is None else rows_by_bundle(rows, folds)
    sums: dict[str, Sums] = {}
    for folder, mine in by_bundle.items():
        results = Cleaner.load(folder).clean_batch("\n".join(row["lines"]) for row in mine)
        for row, result in zip(mine, results, strict=True):
            for name in _names(row):
                add_document(sums.setdefault(name, Sums()), row, texts_left(row, result))
    return {name: sums[name].figures() for name in sorted(sums)}


# A cleaned document is clean and whole when its word F1 with the gold text is at least this.
GOOD_F1 = 0.8


def word_f1(text: str, gold: str) -> float:
    """Harmonic mean of precision and recall of the words of a text, as a bag, against those of the gold text.

    >>> round(word_f1("Rain fell. Share this", "Rain fell on Monday."), 3)
    0.5
    """
    found, wanted = Counter(_WORD.findall(text.lower())), Counter(_WORD.findall(gold.lower()))
    common = (found & wanted).total()
    return 2 * common / (found.total() + wanted.total()) if common else 0.0


def _part(some: int, of: int) -> float:
    return some / max(of, 1)


def checked_row(row: Any, number: int, corpus: Path) -> Row:
    """Give the row back when it has all that is needed to score it."""
    wrong = (
        list(_FIELDS)
        if not isinstance(row, dict)
        else [k for k, kind in _FIELDS.items() if not isinstance(row.get(k), kind)]
    )
    if wrong:
        raise InputError(f"{corpus.name}, line {number}: missing or of the wrong type: {', '.join(wrong)}")
    if len(row["lines"]) != len(row["labels"]):
        raise InputError(f"{corpus.name}, line {number}: {len(row['lines'])} lines, but {len(row['labels'])} labels")
    return dict(row)


def _names(row: Row) -> Iterator[str]:
    """Name the rows of the table that a page counts in."""
    yield row["upstream"]
    if row["upstream"] != FULL_PAGE:
        yield EXTRACTED
        yield f"- {row['id'].split('/')[0]}"


def texts_left(row: Row, result: CleanResult) -> list[str | None]:
    """Say what is left of each line of the row: its text, or nothing when it was removed."""
    left = {line.index: line.text if line.kept else None for line in result.lines}
    for number, label in enumerate(row["labels"]):
        if label != UNDECIDED and number not in left:
            where = f"{row['id']} ({row['upstream']}), line {number}"
            raise InputError(f"{where}: it has a label, but is blank or more than one line")
    return [left.get(number) for number in range(len(row["lines"]))]


def add_document(sums: Sums, row: Row, verdicts: list[str | None]) -> None:
    """Add a page to a row of the table; ``verdicts`` are its lines as they came out, nothing for those removed."""
    lines, labels, gold = row["lines"], row["labels"], row["gold"]
    judged = list(zip(lines, labels, verdicts, strict=True))
    cleaned = [line if label == UNDECIDED else text for line, label, text in judged]
    tally = Counter((label, text is not None) for _, label, text in judged)
    sums.docs += 1
    sums.dirty += tally[BOILERPLATE, True] > 0
    sums.before += word_f1("\n".join(lines), gold)
    sums.after += word_f1("\n".join(text for text in cleaned if text is not None), gold)
    sums.oracle += word_f1("\n".join(line for line, label, _ in judged if label != BOILERPLATE), gold)
    sums.lines += tally


def rows_by_bundle(rows: list[Row], folds: Path) -> dict[Path | None, list[Row]]:
    """Sort the rows by the bundle that never saw their page.

    Raises
    ------
    InputError
        When a page stands in no fold or in two, or a site in two.
    """
    fold_of: dict[str, Path] = {}
    for ids in sorted(folds.glob(f"*/{IDS}")):
        try:
            pages = ids.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read {ids}: {error}") from error
        for page in pages:
            if fold_of.setdefault(page, ids.parent) != ids.parent:
                raise InputError(f"{page} is in two folds, {fold_of[page].name} and {ids.parent.name}")
    if not fold_of:
        raise InputError(f"{folds} holds no folds; give the folder that `clean train --folds` filled")
    parts: dict[Path | None, list[Row]] = {}
    fold_of_site: dict[str, Path] = {}
    for row in rows:
        fold = fold_of.get(row["id"])
        if fold is None:
            raise InputError(f"{row['id']} is in no fold of {folds}")
        if fold_of_site.setdefault(row["domain"], fold) != fold:
            raise InputError(f"{row['domain']} is in two folds, {fold_of_site[row['domain']].name} and {fold.name}")
        parts.setdefault(fold, []).append(row)
    return parts
