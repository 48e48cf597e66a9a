"""The README is true: its console examples print what they show, and what it links to and names exists.

Its Python examples run as doctests (see ``pyproject.toml``).
"""

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from cleaner import Cleaner, Kind, Options

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Commands with a comment behind them are there to be read.
EXAMPLES = [
    (command, output)
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for command, output in re.findall(r"^\$ ([^\n]*)\n((?:(?!\$ )[^\n]*\n)*)", block, re.MULTILINE)
    if "   # " not in command
]


def test_there_are_examples():
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize(("command", "output"), EXAMPLES, ids=[command[:40] for command, _ in EXAMPLES])
def test_console_examples_print_what_they_show(command, output):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", output)


def test_links_lead_to_files_of_the_repository():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("https://")]
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_every_kind_and_option_is_in_a_table():
    rows = [line for line in README.splitlines() if line.startswith("|")]
    assert [kind for kind in Kind if not any(row.startswith(f"| `{kind}` |") for row in rows)] == []
    assert [field.name for field in fields(Options) if not any(f"`{field.name}`" in row for row in rows)] == []


def test_what_make_does_is_what_the_readme_says():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"^make ([a-z]+)|`make ([a-z]+)", README, re.MULTILINE)) <= {
        (target, "") for target in targets
    } | {("", target) for target in targets}


def test_the_floor_plan_names_every_module():
    plan = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("| floor |")[2]
    package = ROOT / "cleaner"
    modules = {path.stem for path in package.glob("*.py") if not path.stem.startswith("__")}
    for folder in ("model", "page"):
        modules |= {f"{folder}.{path.stem}" for path in package.glob(f"{folder}/*.py") if path.stem != "__init__"}
    modules |= {"cli", "ingest", "integrations", "report", "sites", "training", "cleaner"}
    assert set(re.findall(r"^\| \d \| `([\w.]+)` \|", plan, re.MULTILINE)) == modules


def test_the_data_sheet_counts_right():
    sheet = (ROOT / "data/README.md").read_text(encoding="utf-8")
    counted = {
        name: int(rows.replace(",", ""))
        for name, rows in re.findall(r"^\| `([\w/.]+)` \| ([\d,]+) \|", sheet, re.MULTILINE)
    }
    for path in (ROOT / "data").rglob("*.jsonl"):
        name = path.relative_to(ROOT / "data").as_posix()
        assert counted.pop(name) == len(path.read_text(encoding="utf-8").splitlines()), name
    assert counted == {"corpora.json": 6}


def test_the_demo_loses_nothing_of_its_article():
    lines = (ROOT / "demo/article.txt").read_text(encoding="utf-8").splitlines()
    ferry, _, _ = "\n".join(lines).partition("(Reporting by")
    story = [line for line in ferry.splitlines() if line.endswith((".", '."'))]
    kept = Cleaner.load().clean("\n".join(lines)).text
    assert len(story) == 6 and all(line.rpartition(" -")[2] in kept for line in story)
