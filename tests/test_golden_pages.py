"""Whole pages of our own, as a browser gets them, against the article that an editor would take from each.

``golden_pages/<slug>/`` holds the page and the text, written by hand. Rewritten only by
``python -m tests.golden_pages``, for a person to read the diff.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cleaner import Cleaner
from cleaner.normalize import normalize_lines
from cleaner.page.blocks import parse_markup, read_blocks

ROOT = Path(__file__).parent.parent
PAGES = sorted(path.parent for path in Path(__file__).parent.glob("golden_pages/*/source.html"))

# Pages that the model that ships does not get right yet; strict, so that a better one is noticed.
WRONG_TEXT = {"en-hives-forum", "en-quince-recipe", "en-viaduct-live"}

every_page = pytest.mark.parametrize(
    "folder",
    [
        pytest.param(path, id=path.name, marks=[pytest.mark.xfail(strict=True)] if path.name in WRONG_TEXT else [])
        for path in PAGES
    ],
)


def expected(folder: Path) -> str:
    return (folder / "expected.txt").read_text("utf-8")


@every_page
def test_library(folder: Path) -> None:
    result = Cleaner.load().clean_html((folder / "source.html").read_bytes())
    assert result.text + "\n" == expected(folder)
    assert result.flags == ()


@every_page
def test_command(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cleaner", "--no-config", str(folder / "source.html")],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        check=True,
    )
    assert (done.stdout.decode(), done.stderr) == (expected(folder), b"")


def test_expectations_agree_with_their_sources() -> None:
    assert len(PAGES) >= 8
    assert {path.name for path in PAGES} >= WRONG_TEXT
    for folder in PAGES:
        root, cut = parse_markup((folder / "source.html").read_text("utf-8"))
        assert root is not None and not cut
        blocks = iter(normalize_lines(read_blocks(root).texts, markup=False))
        assert [line for line in expected(folder).splitlines() if line not in blocks] == [], folder.name
