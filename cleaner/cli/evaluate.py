"""``clean eval``: measure a model on labelled lines, and fail when it is worse than it was."""

import json
from pathlib import Path

import click

from cleaner.cli.choices import SETTINGS
from cleaner.cli.terminal import say
from cleaner.cli.train import without_training
from cleaner.errors import InputError

HELP = """Measure a model on a corpus of labelled lines.

\b
  clean eval lines-dev.jsonl.gz --folds build/folds
  clean eval lines-test.jsonl.gz --json > baseline.json
  clean eval lines-test.jsonl.gz --baseline baseline.json

Prints a table with a row for each upstream. Pages that a model was fitted on say nothing about it: give
--folds for the corpora that it learned from. With --baseline the exit code is 1 when a figure is worse.
"""
Table = dict[str, dict[str, float]]

# Figures that are better when they are higher, and when they are lower. The others (docs, before, oracle, undec%)
# describe the corpus or are for information.
HIGHER = frozenset({"bP", "bR", "bF1", "after", "headroom%"})
LOWER = frozenset({"lost%", "dirty%"})
# Two machines may differ in the last digits; percentages are on a scale a hundred times larger.
TOLERANCE, TOLERANCE_PERCENT = 0.0005, 0.05


@click.command(context_settings=SETTINGS, help=HELP)
@click.argument("corpus", type=click.Path(path_type=Path))
@click.option("--model", metavar="PATH", type=click.Path(path_type=Path), help="Bundle in place of the one that ships.")
@click.option(
    "--folds",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Bundles of clean train --folds; each page is cleaned by the one that never saw it.",
)
@click.option(
    "--baseline",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Figures of an earlier run, as --json writes them; exit 1 when one is worse.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(corpus: Path, model: Path | None, folds: Path | None, baseline: Path | None, as_json: bool) -> int:
    if model and folds:
        raise click.UsageError("--model and --folds exclude each other: the folds are the models")
    if not corpus.exists():
        raise InputError(f"cannot read {corpus}: there is no such file")
    floor = _read_baseline(baseline) if baseline else {}
    try:
        from cleaner.training.evaluate import evaluate

        table = evaluate(corpus, model, folds)
    except ModuleNotFoundError as error:
        raise without_training(error) from error
    click.echo(json.dumps(table, indent=1) if as_json else as_text(table))
    worse = list(regressions(table, floor))
    say(*worse)
    return 1 if worse else 0


def as_text(table: Table) -> str:
    """The figures as a table: percentages with two digits, shares with four."""
    columns = list(dict.fromkeys(name for row in table.values() for name in row))
    width = max([14, *(len(name) + 1 for name in table)])
    rows = ["".ljust(width) + "".join(f"{name:>10}" for name in columns)]
    rows += [
        name.ljust(width) + "".join(_figure(column, row.get(column)) for column in columns)
        for name, row in table.items()
    ]
    return "\n".join(rows)


def _figure(column: str, value: float | None) -> str:
    if value is None:
        return f"{'-':>10}"
    return (
        f"{value:>10}" if isinstance(value, int) else f"{value:>10.2f}" if column.endswith("%") else f"{value:>10.4f}"
    )


def regressions(table: Table, baseline: Table) -> "list[str]":
    """What is worse than the baseline says, a sentence each; a figure that is no longer there is worse.

    >>> regressions({"all": {"bF1": 0.7, "lost%": 0.5}}, {"all": {"bF1": 0.8, "lost%": 0.9}})
    ['all: bF1 is 0.7000; the baseline has 0.8000']
    """
    worse = []
    for name, floor in baseline.items():
        for column, before in floor.items():
            if column not in HIGHER | LOWER:
                continue
            now = table.get(name, {}).get(column)
            tolerance = TOLERANCE_PERCENT if column.endswith("%") else TOLERANCE
            if now is None:
                worse.append(f"{name}: {column} is missing; the baseline has {before:.4f}")
            elif (before - now if column in HIGHER else now - before) > tolerance:
                worse.append(f"{name}: {column} is {now:.4f}; the baseline has {before:.4f}")
    return worse


def _read_baseline(path: Path) -> Table:
    try:
        table: Table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the baseline {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"the baseline {path} is not JSON: {error}") from error
    rows = table.values() if isinstance(table, dict) else [None]
    if not all(isinstance(row, dict) and all(isinstance(n, int | float) for n in row.values()) for row in rows):
        raise InputError(f"the baseline {path} is not a table of figures as clean eval --json writes it")
    return table
