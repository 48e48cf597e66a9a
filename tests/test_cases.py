"""Lines that must go and look-alikes that must stay, each in an article, through the library and the command.

A row of ``cases/*.jsonl`` holds one line with its neighbours. What must happen follows from its ``kind``: ``content``
stays untouched, every other kind goes. ``known_failures.jsonl`` holds the rows that the model that ships gets wrong;
they are strict, so that a row which comes right is noticed. ``python tests/test_cases.py`` then moves it to the file
where it belongs; ``--accept-failures`` moves rows that went wrong the other way, for a person to look at in the diff.
Rows are written for the tests: training may learn from similar lines, never from these.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cleaner import Cleaner, Kind

ROOT = Path(__file__).parent.parent
FOLDER = Path(__file__).parent / "cases"
EXAMPLES = ROOT / "data" / "examples"
FILES = ("removed", "kept", "known_failures")
FIELDS = ["name", "kind", "before", "line", "after", "note", "source"]


@cache
def rows(file: str) -> list[dict[str, Any]]:
    """The cases of one file."""
    return [json.loads(line) for line in (FOLDER / f"{file}.jsonl").read_text("utf-8").splitlines()]


def article(row: dict[str, Any]) -> str:
    """The document in which the line of a case stands."""
    return "\n".join([*row["before"], row["line"], *row["after"]])


def wrong(row: dict[str, Any], line: dict[str, Any]) -> str:
    """What is wrong with the verdict on the line of a case, or nothing."""
    must_stay = row["kind"] == Kind.CONTENT
    if line["kept"] != must_stay:
        fate = "kept" if line["kept"] else "removed"
        return f"{fate} ({line['kind']}, {line['reason']}, {line['score']}): {row['line']}"
    if must_stay and line["text"] != " ".join(row["line"].split()):
        return f"changed to {line['text']!r}: {row['line']}"
    return ""


@cache
def by_library() -> dict[str, dict[str, Any]]:
    """The verdict of the library on the line of every case."""
    cases = [row for file in FILES for row in rows(file)]
    results = Cleaner.load().clean_batch(map(article, cases))
    return {row["name"]: result.lines[len(row["before"])].as_dict() for row, result in zip(cases, results, strict=True)}


@cache
def by_command() -> dict[str, dict[str, Any]]:
    """The verdict of the command, run on a stream of records, on the line of every case."""
    cases = [row for file in FILES for row in rows(file)]
    records = "".join(json.dumps({"id": row["name"], "body": article(row)}) + "\n" for row in cases)
    done = subprocess.run(
        [sys.executable, "-m", "cleaner", "-f", "jsonl", "--text-field", "body", "--explain", "--no-config", "-q"],
        input=records,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    verdicts = {}
    for row, out in zip(cases, map(json.loads, done.stdout.splitlines()), strict=True):
        line = out["_clean"]["lines"][len(row["before"])]
        assert out["id"] == row["name"]
        assert (line["text"] in out["body"].split("\n")) or not line["kept"]
        verdicts[row["name"]] = line
    return verdicts


CASES = [
    pytest.param(row, id=row["name"], marks=[pytest.mark.xfail(strict=True)] if file == "known_failures" else [])
    for file in FILES
    for row in rows(file)
]


@pytest.mark.parametrize("row", CASES)
def test_the_library_decides(row: dict[str, Any]) -> None:
    assert not wrong(row, by_library()[row["name"]])


@pytest.mark.parametrize("row", CASES)
def test_the_command_decides(row: dict[str, Any]) -> None:
    assert not wrong(row, by_command()[row["name"]])


def test_the_command_says_what_the_library_says() -> None:
    assert by_command() == by_library()


def test_rows_are_well_formed() -> None:
    names = Counter(row["name"] for file in FILES for row in rows(file))
    assert [name for name, count in names.items() if count > 1] == []
    for file in FILES:
        for row in rows(file):
            assert list(row) == FIELDS
            assert row["line"].strip() and row["note"] and row["source"]
            assert (Kind(row["kind"]) is Kind.CONTENT) == (file == "kept") or file == "known_failures"


def test_every_kind_and_many_languages_are_there() -> None:
    cases = [row for file in FILES for row in rows(file)]
    removed = [row for row in cases if row["kind"] != Kind.CONTENT]
    kept = [row for row in cases if row["kind"] == Kind.CONTENT]
    assert {row["kind"] for row in removed} == set(Kind) - {Kind.CONTENT, Kind.HEADLINE}
    assert len(removed) >= 120
    assert len(kept) >= 160
    for some in (removed, kept):
        assert len({row["name"].split("-")[0] for row in some}) >= 15


def test_no_line_is_trained_on() -> None:
    def texts(value: object) -> set[str]:
        if isinstance(value, str):
            return {value.strip()}
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return set().union(*map(texts, parts))

    examples = [line for path in EXAMPLES.glob("*.jsonl") for line in path.read_text("utf-8").splitlines()]
    trained = set().union(*(texts(json.loads(line)) for line in examples))
    tested = {line for file in FILES for row in rows(file) for line in article(row).split("\n")}
    assert tested & trained == set()


def sort_cases(*, accept_failures: bool) -> int:
    """Move the rows that came right, and on demand those that went wrong; 1 when some went wrong and stay."""
    moved: dict[str, list[dict[str, Any]]] = {file: [] for file in FILES}
    regressions = 0
    for file in FILES:
        for row in rows(file):
            why = wrong(row, by_library()[row["name"]])
            fate = "known_failures" if why else "kept" if row["kind"] == Kind.CONTENT else "removed"
            worse = fate != file and bool(why)
            regressions += worse and not accept_failures
            moved[file if worse and not accept_failures else fate].append(row)
            if fate != file:
                sys.stdout.write(f"{file} -> {fate}: {row['name']} {why}\n")
    for file, found in moved.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found)
        (FOLDER / f"{file}.jsonl").write_text(text, "utf-8")
    return int(regressions > 0)


if __name__ == "__main__":
    sys.exit(sort_cases(accept_failures="--accept-failures" in sys.argv))
