#!/usr/bin/env python3
"""The quality gate: figures of the bundle that ships, against the floors pinned in ``floors.json``.

Owns what is measured and how a floor is compared, pinned and lowered; ``README.md`` beside it says how to use it. What
a figure of a corpus means is the business of ``cleaner.training.evaluate``, and of ``page_metrics`` for pages.
"""

import argparse
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from page_metrics import SHINGLES, WORDS, scored_pages

from cleaner import Cleaner, Kind, Line
from cleaner.errors import CleanerError, InputError
from cleaner.model.bundle import PAGE_WEIGHTS, WEIGHTS, digest, read_bundle
from cleaner.training.corpora import LINES_CORPUS
from cleaner.training.evaluate import evaluate
from cleaner.training.markup import NEWS_CORPUS
from cleaner.training.pages import MIXED_CORPUS

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "cases"
GOLDEN = ROOT / "tests" / "golden"
GOLDEN_PAGES = ROOT / "tests" / "golden_pages"
FLOORS = Path(__file__).resolve().with_name("floors.json")

OWN, CORPORA = "own data", "corpora"

# Of each corpus of pages the type that is measured (none: all), how many pages of it, the first ones, and by what.
# Together they take half a minute; all pages would take three.
MARKED = {NEWS_CORPUS: (None, None, (SHINGLES, WORDS)), MIXED_CORPUS: ("article", 150, (WORDS,))}

# What is pinned, better when it is higher and when it is lower, and into how many parts one is divided: a floor is the
# measured figure rounded to such a part, towards worse. So a figure falls just when its rounded value would lower the
# floor. The parts are small enough that one case of ours, or one golden line, is always seen.
HIGHER = {"right%": 10, "exact": 1, "gain": 10_000, "headroom%": 10, SHINGLES.name: 10_000, WORDS.name: 10_000}
LOWER = {"lost": 1, "left": 1, "lost%": 100}

Table = dict[str, dict[str, float]]
"""Figures, or floors, by row and column."""


class Part(NamedTuple):
    """Figures or floors of one part of the gate, and what they were measured with."""

    measured_with: dict[str, str]
    table: Table


class Comparison(NamedTuple):
    """A figure beside its floor; either may be missing."""

    row: str
    column: str
    measured: float | None
    floor: float | None

    @property
    def fell(self) -> bool:
        """Whether the figure is worse than its floor, or no longer measured.

        >>> Comparison("extracted", "lost%", 0.451, 0.45).fell, Comparison("golden", "exact", 8, 8).fell
        (True, False)
        """
        if self.floor is None:
            return False
        if self.measured is None:
            return True
        rounded = round_to_worse(self.column, self.measured)
        return rounded < self.floor if self.column in HIGHER else rounded > self.floor


def round_to_worse(column: str, figure: float) -> float:
    """The floor that a figure is worth.

    >>> round_to_worse("headroom%", 41.87), round_to_worse("lost%", 0.451), round_to_worse("right%", 100.0)
    (41.8, 0.46, 100.0)
    """
    # The inner rounding takes the error of binary fractions away: 0.29 * 100 is more than 28, but less than 29.
    if column in HIGHER:
        return math.floor(round(figure * HIGHER[column], 6)) / HIGHER[column]
    return math.ceil(round(figure * LOWER[column], 6)) / LOWER[column]


def worth(figures: Table) -> Table:
    """The floors that figures are worth."""
    return {
        row: {column: round_to_worse(column, figure) for column, figure in columns.items()}
        for row, columns in figures.items()
    }


def judged_cases() -> Iterator[tuple[dict[str, Any], Line]]:
    """Every case of ``tests/cases`` with the verdict on its line."""
    files = sorted(CASES.glob("*.jsonl"))
    cases = [json.loads(row) for path in files for row in path.read_text("utf-8").splitlines()]
    articles = ("\n".join([*case["before"], case["line"], *case["after"]]) for case in cases)
    for case, result in zip(cases, Cleaner.load().clean_batch(articles), strict=True):
        yield case, result.lines[len(case["before"])]


def is_right(case: dict[str, Any], line: Line) -> bool:
    """Whether a verdict is what ``tests/test_cases.py`` wants: content stays as it is, all else goes."""
    if case["kind"] == Kind.CONTENT:
        return line.kept and line.text == " ".join(case["line"].split())
    return not line.kept


def measure_cases() -> Table:
    """The share of cases that are right: look-alikes that stay as they are, and lines of each kind that go."""
    right = defaultdict[str, list[bool]](list)
    for case, line in judged_cases():
        right["look-alikes" if case["kind"] == Kind.CONTENT else case["kind"]].append(is_right(case, line))
    return {f"cases: {kind}": {"right%": 100 * sum(right[kind]) / len(right[kind])} for kind in sorted(right)}


def measure_golden() -> dict[str, float]:
    """How many golden articles come out to the letter, and how many of their lines are lost or wrongly left."""
    exact = lost = left = 0
    for source in sorted(GOLDEN.glob("*/source.txt")):
        folder = source.parent
        rows = (folder / "removed.jsonl").read_text("utf-8").splitlines()
        wanted = {json.loads(row)["index"] for row in rows}
        result = Cleaner.load().clean(source.read_bytes())
        removed = {line.index for line in result.removed}
        exact += result.text + "\n" == (folder / "expected.txt").read_text("utf-8")
        lost += len(removed - wanted)
        left += len(wanted - removed)
    return {"exact": exact, "lost": lost, "left": left}


def measure_golden_pages() -> dict[str, float]:
    """How many golden pages come out to the letter, and how many lines are lost or wrongly left, in all of them."""
    exact, lost, left = 0, Counter[str](), Counter[str]()
    cleaner = Cleaner.load()
    for source in sorted(GOLDEN_PAGES.glob("*/source.html")):
        wanted = (source.parent / "expected.txt").read_text("utf-8").splitlines()
        found = cleaner.clean_html(source.read_bytes()).text.split("\n")
        exact += found == wanted
        lost += Counter(wanted) - Counter(found)
        left += Counter(found) - Counter(wanted)
    return {"exact": exact, "lost": lost.total(), "left": left.total()}


def measure_corpus(corpus: Path) -> Table:
    """What the figures of ``clean eval`` say of the gain in word F1 and of content that was lost."""
    return {
        row: {
            "gain": figures["after"] - figures["before"],
            "headroom%": figures["headroom%"],
            "lost%": figures["lost%"],
        }
        for row, figures in evaluate(corpus).items()
    }


def measure_pages(corpora: Path) -> Table:
    """How well the articles that come out of pages match those of the corpora."""
    cleaner, table = Cleaner.load(), {}
    for name, (page_type, count, metrics) in MARKED.items():
        rows = list(islice(scored_pages(corpora / name, WORDS.needs, page_type), count))
        if not rows:
            raise InputError(f"{corpora / name} holds no pages that can be scored; there is nothing to measure")
        texts = [cleaner.clean_html(row["html"], row.get("url")).text for row in rows]
        table[f"pages: {name.partition('.')[0]}"] = {metric.name: metric.score(rows, texts) for metric in metrics}
    return table


def measure(corpora: Path | None) -> dict[str, Part]:
    """The figures of the bundle that ships on our own data, and on the corpora when their folder is given."""
    manifest = read_bundle().manifest
    files = manifest["files"]
    bundle = {"bundle": manifest["name"], "weights": files[WEIGHTS], "pages": files.get(PAGE_WEIGHTS, "none")}
    own = {"golden": measure_golden(), "golden pages": measure_golden_pages()}
    parts = {OWN: Part(bundle, {**measure_cases(), **own})}
    if corpora:
        table = {**measure_corpus(corpora / LINES_CORPUS), **measure_pages(corpora)}
        used = {name: digest((corpora / name).read_bytes()) for name in (LINES_CORPUS, *MARKED)}
        parts[CORPORA] = Part({**bundle, **used}, table)
    return parts


def compare(figures: Table, floors: Table) -> list[Comparison]:
    """Put every figure beside its floor.

    >>> compare({"golden": {"exact": 7, "left": 2}}, {"golden": {"exact": 8}})[0].fell
    True
    """
    names = dict.fromkeys((row, column) for table in (figures, floors) for row in table for column in table[row])
    return [
        Comparison(row, column, figures.get(row, {}).get(column), floors.get(row, {}).get(column))
        for row, column in names
    ]


def read_floors(path: Path) -> dict[str, Part]:
    """Read pinned floors; a file that is not there holds none.

    Raises
    ------
    InputError
        When the file is damaged, or pins a figure that this gate does not know.
    """
    try:
        parts = {name: Part(**part) for name, part in json.loads(path.read_text("utf-8")).items()}
        columns = {column for part in parts.values() for row in part.table.values() for column in row}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"cannot read the floors in {path}: {error}; take the file of the last commit") from error
    if unknown := columns - {*HIGHER, *LOWER}:
        raise InputError(f"{path} pins {', '.join(sorted(unknown))}, which the gate does not measure; remove them")
    return parts


def write_floors(path: Path, parts: dict[str, Part]) -> None:
    """Write floors as JSON that shows in a diff which of them moved."""
    pinned = {name: part._asdict() for name, part in sorted(parts.items())}
    path.write_text(json.dumps(pinned, indent=1, sort_keys=True) + "\n", "utf-8")


def as_text(comparisons: list[Comparison]) -> str:
    """Comparisons as a table; what is not measured, or not pinned, is ``missing``."""
    rows = [("", "", "measured", "floor")]
    rows += [(one.row, one.column, _number(one.measured), _number(one.floor)) for one in comparisons]
    return "\n".join(
        f"  {row:<22}{column:<11}{measured:>9}{floor:>10}".rstrip() for row, column, measured, floor in rows
    )


def _number(value: float | None) -> str:
    return "missing" if value is None else f"{value:.5g}"


def describe(name: str, part: Part, pinned: Part) -> str:
    """One part of the gate in words: what it is, every figure, and when its floors come from another model."""
    lines = [f"{name}: {', '.join(f'{key} {value[:12]}' for key, value in part.measured_with.items())}"]
    if name == CORPORA:
        lines.append("  A smoke test: the model was fitted on these pages. What it is worth stands in its model card.")
    if pinned.measured_with and pinned.measured_with != part.measured_with:
        with_what = ", ".join(f"{key} {value[:12]}" for key, value in pinned.measured_with.items())
        lines.append(f"  The floors were measured with others: {with_what}.")
    return "\n".join([*lines, as_text(compare(part.table, pinned.table))])


def check(floors: Path, corpora: Path | None, update: bool, allow_regression: bool) -> int:
    """Measure, compare, and on demand pin; 1 when a figure is below its floor and that was not allowed."""
    pinned = read_floors(floors)
    if not pinned and not update:
        raise InputError(f"there are no floors in {floors}; pin what is measured now with --update")
    measured = measure(corpora)
    compared: list[Comparison] = []
    for name, part in measured.items():
        mine = pinned.get(name, Part({}, {}))
        _say(describe(name, part, mine))
        compared += compare(part.table, mine.table)
    fell = [one for one in compared if one.fell]
    if fell:
        _say(f"{len(fell)} below the floor:", as_text(fell))
    if not update and (open_ended := [one for one in compared if one.floor is None]):
        _say(f"{len(open_ended)} without a floor, so nobody sees them fall; --update pins them:", as_text(open_ended))
    parts = ", ".join(measured)
    if fell and not (update and allow_regression):
        if update:
            _say(f"{floors.name} stays as it is; --allow-regression lowers these floors.")
        return 1
    if update:
        for name, part in measured.items():
            pinned[name] = Part(part.measured_with, worth(part.table))
        write_floors(floors, pinned)
        _say(f"{floors.name} now holds the floors that were measured: {parts}.")
    else:
        _say(f"No figure is below its floor: {parts}.")
    return 0


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the gate as a command: 0 when no floor falls, 1 when one does, the code of the error when there is one."""
    parser = argparse.ArgumentParser(
        description="Compare the bundle that ships with the floors of benchmarks/floors.json."
    )
    parser.add_argument(
        "--corpora", metavar="DIR", type=Path, help="folder of the public corpora; left out when not there"
    )
    parser.add_argument("--update", action="store_true", help="pin what is measured now, unless that lowers a floor")
    parser.add_argument("--allow-regression", action="store_true", help="with --update: lower floors too")
    parser.add_argument("--floors", metavar="FILE", type=Path, default=FLOORS, help="another file of floors")
    asked = parser.parse_args(arguments)
    if asked.allow_regression and not asked.update:
        parser.error("--allow-regression is for --update")
    corpora = asked.corpora
    if corpora and not corpora.is_dir():
        _say(f"{CORPORA}: left out, there is no folder {corpora}")
        corpora = None
    try:
        return check(asked.floors, corpora, asked.update, asked.allow_regression)
    except CleanerError as error:
        sys.stderr.write(f"quality_gate: {error}\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
