"""Whole articles of our own, as an extractor leaves them, against what a careful reader would keep.

``golden/<slug>/`` holds the source, the expected text and the lines that go, written by hand. Rewritten only by
``python -m tests.golden``, for a person to read the diff.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cleaner import Cleaner, Kind
from cleaner.document import KEPT_BY_DEFAULT

ROOT = Path(__file__).parent.parent
ARTICLES = sorted(path.parent for path in Path(__file__).parent.glob("golden/*/source.txt"))

# Articles that the model that ships does not get right yet; strict, so that a better one is noticed. Of some the text
# is wrong, of some only the kind of a line that goes, and some change again when they are cleaned again.
WRONG_TEXT = {"en-courier-letter", "en-soup-recipe"}
WRONG_KIND = {"de-brunnen-rest"}
WRONG_AGAIN: set[str] = set()


def every_article(known_failures: set[str]) -> pytest.MarkDecorator:
    """Run a test on each article, with those that are known to fail marked."""
    return pytest.mark.parametrize(
        "folder",
        [
            pytest.param(
                path, id=path.name, marks=[pytest.mark.xfail(strict=True)] if path.name in known_failures else []
            )
            for path in ARTICLES
        ],
    )


def expected_removals(folder: Path) -> list[dict[str, object]]:
    return [json.loads(row) for row in (folder / "removed.jsonl").read_text("utf-8").splitlines()]


@every_article(WRONG_TEXT | WRONG_KIND)
def test_library(folder: Path) -> None:
    result = Cleaner.load().clean((folder / "source.txt").read_bytes())
    removed = [{"index": line.index, "kind": line.kind.value, "line": line.raw} for line in result.removed]
    assert result.text + "\n" == (folder / "expected.txt").read_text("utf-8")
    assert removed == expected_removals(folder)
    assert result.flags == ()


@every_article(WRONG_TEXT)
def test_command(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cleaner", "--no-config", str(folder / "source.txt")],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ((folder / "expected.txt").read_bytes(), b"")


@every_article(WRONG_AGAIN)
def test_cleaning_again_changes_nothing(folder: Path) -> None:
    for text in (
        Cleaner.load().clean((folder / "source.txt").read_bytes()).text,
        (folder / "expected.txt").read_text("utf-8"),
    ):
        again = Cleaner.load().clean(text)
        assert (again.text, again.removed) == (text.rstrip("\n"), ())
        assert all(not line.trims for line in again.lines)


def test_expectations_agree_with_their_sources() -> None:
    assert len(ARTICLES) >= 8
    for folder in ARTICLES:
        source = (folder / "source.txt").read_text("utf-8").splitlines()
        gone = {row["index"] for row in expected_removals(folder)}
        for row in expected_removals(folder):
            assert source[row["index"]] == row["line"]
            assert Kind(row["kind"]) not in KEPT_BY_DEFAULT
        left = [line for number, line in enumerate(source) if line.strip() and number not in gone]
        assert len(left) == len((folder / "expected.txt").read_text("utf-8").splitlines())
