"""What the engines are compared with: the cleaner in this process, over documents of every kind.

These tests need the real libraries, which do not all fit into one environment; ``make test-engines`` makes two.
"""

import os
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
import tiny

from cleaner import Cleaner, Options
from cleaner.ingest import ArrowCleaner, Request
from cleaner.integrations.tables import _read
from cleaner.sites.counting import Document, LineCounts

# No library has anything to ask or to tell anyone.
os.environ |= {"HF_HUB_OFFLINE": "1", "RAY_USAGE_STATS_ENABLED": "0", "DO_NOT_TRACK": "1"}

SPY = Path(__file__).parent / "spy"
ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"

# What stays unless the site says something else.
PROMO = "The evening letter brings three stories and one picture, and {n} people in Skarholm read it in bed."
BODY = (
    "The winter ferry will sail again from December, said berth {n}.\r\nADVERTISEMENT\r\nThe café re\u0301opened.",
    (
        "Sign up for our newsletter and get the news of island {n} in your inbox every morning.\nThe boat was late.\n"
        + PROMO
    ),
    "A line that only the small model takes for an ad: zzadvert {n}.\nThe council voted for bridge {n} on Tuesday.",
    "zzcaption The harbour on Friday, picture {n}\n“We ask to be able to leave,” she told hall {n}.\nRead more",
    "会議は火曜日に終わり、{n}人が橋に賛成した。\nADVERTISEMENT\nОстров {n} снова ждёт парома.",
    (
        "<html lang=en><head><title>Ferry {n}</title></head><body><nav><a href=/>Home</a> <a href=/news>News</a></nav>"
        "<article><h1>Ferry {n}</h1><p>The ferry will sail again from December, the council of island {n} decided.</p>"
        "<p>zzadvert {n}</p></article><footer>© 2024 The Skarholm Lantern. All rights reserved.</footer></body></html>"
    ),
    "Berth {n} holds a document that nobody can clean: zzbreak.\nADVERTISEMENT",
    "",
    None,
)


class Recipe(NamedTuple):
    """How to clean; fields are in the order of the arguments of every integration."""

    request: Request
    bundle: str | None
    options: Options | None
    site_lines: str | None = None


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Warnings of the libraries about themselves are not ours to mend."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session", autouse=True)
def log(tmp_path_factory):
    """The file in which every process of this run notes that it read a model."""
    path = tmp_path_factory.mktemp("log") / "reads"
    path.touch()
    # Every process has the cleaner of this checkout, wherever the installed one stands.
    where = os.pathsep.join(map(str, (SPY, ROOT)))
    os.environ |= {"CLEANER_TEST_LOG": str(path), "PYTHONPATH": where, "OPENBLAS_NUM_THREADS": "1"}
    sys.path.insert(0, str(SPY))
    sys.modules.pop("sitecustomize", None)  # this process may have one of its own
    import sitecustomize  # noqa: F401 -- what counts is that it runs

    return path


@pytest.fixture
def reads(log):
    """What the processes of one test read: how often each read each bundle. This one begins without a model."""
    _read.cache_clear()
    log.write_text("")
    return lambda: Counter(tuple(line.split("\t")) for line in log.read_text().splitlines())


@pytest.fixture(scope="session")
def recipes(tmp_path_factory):
    """The model that ships, with site lines, told of everything; and another with an option. They clean differently."""
    site_lines = tmp_path_factory.mktemp("sites") / "sites.db"
    promos = [Document("lantern.example", date(2026, 11, day), PROMO.format(n=day)) for day in range(1, 10)]
    with LineCounts() as counts:
        counts.add(promos, lambda documents: [([document.text], [0.6]) for document in documents])
        counts.write(site_lines)
    bundle = str(tiny.write_bundle(tmp_path_factory.mktemp("bundle") / "tiny-1"))
    everything = Request(extras=("kinds", "quality", "flags", "metadata", "removed"))
    return {
        "shipped": Recipe(everything, None, None, str(site_lines)),
        "tiny": Recipe(Request(extras=("kinds", "quality")), bundle, Options(keep=["caption"])),
    }


@pytest.fixture(params=["shipped", "tiny"])
def recipe(request, recipes):
    return recipes[request.param]


@pytest.fixture(scope="session")
def documents():
    texts = [body and body.format(n=number) for number in range(20) for body in BODY]
    urls = [None if number % 4 == 0 else f"https://lantern.example/{number}" for number in range(len(texts))]
    return pa.table({"id": pa.array(range(len(texts)), pa.int64()), "text": texts, "url": urls, "rest": texts[::-1]})


@pytest.fixture(scope="session")
def core(documents, recipes):
    """What this process makes of the documents, by recipe."""
    (batch,) = documents.to_batches()
    made = {}
    for recipe in recipes.values():
        clean = ArrowCleaner(Cleaner.load(recipe.bundle, recipe.options, recipe.site_lines), recipe.request)
        made[recipe] = pa.Table.from_batches([clean(batch)])
    assert made[recipes["shipped"]]["text"] != made[recipes["tiny"]]["text"]
    return lambda recipe: made[recipe]


@pytest.fixture
def expected(core, recipe):
    return core(recipe)


@pytest.fixture
def run_example():
    """Run an example, or a program, as a user would, and give what it prints."""

    def run(name, *arguments, program=(sys.executable,)):
        command = [*program, str(EXAMPLES / name), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
