#!/usr/bin/env python3
"""The article out of whole pages, out of fold, beside other extractors in the same run: tables for the model card.

    OPENBLAS_NUM_THREADS=1 python benchmarks/pages.py ../shared/corpora --folds build/folds -o pages.md

Each page is cleaned by the bundle that never saw its site (``clean train --folds`` writes them). The others are called
as their manuals say, for the article without its comments; ``README.md`` beside this says how to install them. What
the figures mean is the business of ``page_metrics``. No text of any page comes into the tables.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from page_metrics import SHINGLES, SNIPPETS, WORDS, Floats, Metric, Row, scored_pages
from report import NONE, cell, estimate, section

from cleaner import Cleaner, Options
from cleaner.errors import CleanerError, InputError
from cleaner.options import Engine
from cleaner.training.evaluate import IDS, rows_by_bundle

METRICS = {"fundus-dev": (SHINGLES, WORDS), "wcxb-dev": (WORDS,), "trafilatura-eval-dev": (SNIPPETS,)}
NOTES = {
    "fundus-dev": "News of about 30 countries, with a gold text.",
    "wcxb-dev": "Pages of seven types, mostly English, with a gold text.",
    "trafilatura-eval-dev": "Pages of many languages, German first, with snippets that belong to the article or not.",
}
# What time is given as a multiple of.
BASE = "trafilatura"
# Models, caches and late imports are loaded outside the clock, by so many pages.
WARM_UP = 20

_LANGUAGE = re.compile(r"<html\b[^>]*?\blang=[\"']?([A-Za-z]{2})")
# jusText names its stop words in English; a page in another language than these gets those of its default.
STOP_WORDS = {
    "ar": "Arabic", "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "es": "Spanish",
    "et": "Estonian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hr": "Croatian", "hu": "Hungarian",
    "id": "Indonesian", "is": "Icelandic", "it": "Italian", "lt": "Lithuanian", "lv": "Latvian", "ms": "Malay",
    "nb": "Norwegian_Bokmal", "nl": "Dutch", "no": "Norwegian_Bokmal", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sv": "Swedish", "tr": "Turkish",
    "uk": "Ukrainian", "vi": "Vietnamese",
}  # fmt: skip

Run = Callable[[Row], str | None]
"""One system: the text that it takes from a page."""


class Measured(NamedTuple):
    """What a system made of the pages of a corpus."""

    texts: list[str]
    seconds: float
    failed: int


def cleaners_by_page(rows: list[Row], folds: Path) -> dict[str, Cleaner]:
    """For each page the cleaner that never saw it."""
    cleaners: dict[str, Cleaner] = {}
    for folder, mine in rows_by_bundle(rows, folds).items():
        cleaner = Cleaner.load(folder)
        cleaner.clean_html(mine[0]["html"])  # reads the part of the model that judges pages
        cleaners |= {row["id"]: cleaner for row in mine}
    return cleaners


def own(cleaners: Mapping[str, Cleaner], engine: Engine, *, metadata: bool) -> Run:
    """Our own system, with one of its engines; the metadata are read when somebody asks, so they take extra time."""
    options = Options(engine=engine)

    def run(row: Row) -> str:
        result = cleaners[row["id"]].clean_html(row["html"], url=row.get("url"), options=options)
        return result.text if not metadata or result.metadata else ""

    return run


def trafilatura(**options: Any) -> Run:
    """Trafilatura in one of its modes."""
    from trafilatura import bare_extraction
    from trafilatura.meta import reset_caches

    reset_caches()

    def run(row: Row) -> str | None:
        html, url = row["html"], row.get("url")
        document: Any = bare_extraction(html, url=url, include_comments=False, with_metadata=True, **options)
        return str(document.text or "") if document else None

    return run


def readability() -> Run:
    """The reader mode of readability-lxml; its result is markup, which resiliparse reads as text."""
    from readability import Document
    from resiliparse.extract.html2text import extract_plain_text

    return lambda row: str(extract_plain_text(Document(row["html"]).summary(), alt_texts=False))


def newspaper() -> Run:
    """Newspaper4k, kept from fetching anything."""
    from newspaper import Article, Config

    config = Config()
    config.fetch_images = False

    def run(row: Row) -> str:
        article = Article(row.get("url") or "https://page.example/", config=config)
        article.download(input_html=row["html"])
        article.parse()
        return str(article.text)

    return run


def resiliparse() -> Run:
    """The main content by resiliparse."""
    from resiliparse.extract.html2text import extract_plain_text

    return lambda row: str(extract_plain_text(row["html"], main_content=True, alt_texts=False, comments=False))


def justext() -> Run:
    """JusText with the stop words of the language that a page says it is in."""
    from justext import get_stoplist
    from justext import justext as classify

    lists = {name: get_stoplist(name) for name in {"English", *STOP_WORDS.values()}}

    def run(row: Row) -> str:
        language = _LANGUAGE.search(row["html"])
        words = lists[STOP_WORDS.get(language[1].lower() if language else "", "English")]
        return "\n".join(part.text for part in classify(row["html"], words) if not part.is_boilerplate)

    return run


# The package that each peer comes in, and how it is made.
PEERS: dict[str, tuple[str, Callable[[], Run]]] = {
    BASE: ("trafilatura", trafilatura),
    "trafilatura, precision": ("trafilatura", partial(trafilatura, favor_precision=True)),
    "trafilatura, recall": ("trafilatura", partial(trafilatura, favor_recall=True)),
    "trafilatura, fast": ("trafilatura", partial(trafilatura, fast=True)),
    "readability": ("readability-lxml", readability),
    "newspaper": ("newspaper4k", newspaper),
    "resiliparse": ("resiliparse", resiliparse),
    "jusText": ("jusText", justext),
}


def installed_peers() -> list[str]:
    """The names of the peers that can be run here; what is left out is said."""
    names = []
    for name, (package, make) in PEERS.items():
        try:
            make()
        except ImportError as error:
            _note(f"{name}: left out, {package} does not import: {error}")
        else:
            names.append(name)
    return names


def systems(cleaners: Mapping[str, Cleaner], peers: Sequence[str]) -> dict[str, Callable[[], Run]]:
    """What is measured, each made when its turn comes."""
    made: dict[str, Callable[[], Run]] = {}
    for engine, name in ((Engine.DEFAULT, "cleaner"), (Engine.FAST, "cleaner, fast")):
        made[name] = partial(own, cleaners, engine, metadata=False)
        made[f"{name}, with metadata"] = partial(own, cleaners, engine, metadata=True)
    return made | {name: PEERS[name][1] for name in peers}


def measure(name: str, run: Run, rows: Sequence[Row]) -> Measured:
    """Take the text from each page, one after the other; a page on which the system fails counts as empty.

    The clock counts time of the processor, which other work on the machine changes least.
    """
    texts, failed, seconds = [], 0, 0.0
    for number, row in enumerate([*rows[:WARM_UP], *rows], -len(rows[:WARM_UP])):
        begin = time.process_time()
        try:
            text = run(row) or ""
        except Exception as error:  # noqa: BLE001 -- what a peer raises on a page is a finding about it
            text = ""
            if number >= 0:
                failed += 1
                _note(f"{name}: {row['id']}: {type(error).__name__}: {error}")
        if number >= 0:
            seconds += time.process_time() - begin
            texts.append(text)
    return Measured(texts, seconds, failed)


def pages_of(corpus: Path, needs: str, folds: Path, limit: int | None) -> list[Row]:
    """The pages of a corpus that can be scored; those that no fold names are left out, and counted."""
    named = {page for ids in folds.glob(f"*/{IDS}") for page in ids.read_text(encoding="utf-8").splitlines()}
    rows = list(islice(scored_pages(corpus, needs), limit))
    known = [row for row in rows if row["id"] in named]
    if not known:
        raise InputError(f"no fold of {folds} names a page of {corpus.name}; give what `clean train --folds` filled")
    if len(known) < len(rows):
        _note(f"{corpus.name}: left out {len(rows) - len(known)} of {len(rows)} pages, which no fold names")
    return known


def columns(metrics: Sequence[Metric], rows: Sequence[Row]) -> dict[str, tuple[Metric, list[int]]]:
    """The columns of the table of a corpus: a metric and the numbers of its pages, by type of page if there are any."""
    types = sorted({row["page_type"] for row in rows if row.get("page_type")})
    groups = {"": list(range(len(rows)))}
    if len(types) > 1:
        groups = {kind: [i for i, row in enumerate(rows) if row.get("page_type") == kind] for kind in types} | groups
    return {f"{kind} {metric.name}".strip(): (metric, mine) for metric in metrics for kind, mine in groups.items()}


def figures(measured: Measured, metric: Metric, rows: Sequence[Row]) -> Floats:
    """A figure with its interval over sites."""
    tallies = np.array([metric.tally(row, text) for row, text in zip(rows, measured.texts, strict=True)], np.float64)
    sites = np.array([row["domain"] for row in rows])
    (figure,) = estimate(sites, lambda times: [metric.figure(times @ tallies)])
    return np.asarray(figure)


def compare(name: str, metrics: Sequence[Metric], rows: list[Row], peers: Sequence[str], folds: Path) -> "Compared":
    """Measure all systems on one corpus."""
    wanted = columns(metrics, rows)
    compared = Compared(name, {column: len(mine) for column, (_, mine) in wanted.items()}, {})
    for system, make in systems(cleaners_by_page(rows, folds), peers).items():
        _note(f"{name}: {system}")
        measured = measure(system, make(), rows)
        found = {}
        for column, (metric, mine) in wanted.items():
            part = measured._replace(texts=[measured.texts[i] for i in mine])
            found[column] = figures(part, metric, [rows[i] for i in mine])
        compared.rows[system] = found, measured
    return compared


class Compared(NamedTuple):
    """All systems on one corpus: the pages behind each column, and the figures of each system with what it took."""

    name: str
    pages: dict[str, int]
    rows: dict[str, tuple[dict[str, Floats], Measured]]

    def times(self, system: str) -> float | None:
        """The time of a system as a multiple of that of trafilatura's default."""
        base = self.rows.get(BASE)
        return self.rows[system][1].seconds / base[1].seconds if base else None

    def table(self) -> str:
        """The table of the corpus."""
        rows = []
        for system, (found, measured) in self.rows.items():
            took = self.times(system)
            last = [NONE if took is None else f"{took:.2f}", measured.failed]
            rows.append([system, *(cell(found[column], 4) for column in self.pages), *last])
        header = " | ".join(["system", *(f"{column}, {count} pages" for column, count in self.pages.items())])
        return section(self.name, NOTES[self.name], f"{header} | time | failed", rows)

    def as_dict(self) -> dict[str, dict[str, float | None]]:
        """The figures of each system without their intervals."""
        return {
            system: {
                **{column: float(figure[0]) for column, figure in found.items()},
                "ms per page": 1000 * measured.seconds / len(measured.texts),
                "time": self.times(system),
                "failed": measured.failed,
            }
            for system, (found, measured) in self.rows.items()
        }


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Read the arguments, measure, write the tables and the figures."""
    parser = argparse.ArgumentParser(description="The article out of pages, beside other extractors, as tables.")
    parser.add_argument("corpora", type=Path, help="folder of the public corpora")
    parser.add_argument("--folds", type=Path, required=True, help="folder of bundles, each with its ids.txt")
    parser.add_argument("--limit", type=int, help="only so many pages of each corpus, to try this out")
    parser.add_argument("-o", "--output", type=Path, required=True, help="Markdown file to write")
    parser.add_argument("--json", type=Path, help="file for the figures as JSON")
    arguments = parser.parse_args()
    peers = installed_peers()
    versions = {package: version(package) for package in dict.fromkeys(PEERS[name][0] for name in peers)}
    done: list[Compared] = []
    try:
        for name, metrics in METRICS.items():
            corpus = arguments.corpora / f"{name}.jsonl.xz"
            rows = pages_of(corpus, metrics[0].needs, arguments.folds, arguments.limit)
            done.append(compare(name, metrics, rows, peers, arguments.folds))
            write(done, versions, arguments.output, arguments.json)  # all so far, since a corpus takes long
    except CleanerError as error:
        parser.exit(error.exit_code, f"{parser.prog}: {error}\n")


def write(done: Sequence[Compared], versions: Mapping[str, str], tables: Path, figures: Path | None) -> None:
    """Write the tables, and the figures as JSON if there is a file for them."""
    note = (
        "Each page cleaned by a bundle that saw no page of its site; the others in the same run "
        f"({', '.join(f'{package} {number}' for package, number in versions.items())}). In brackets: 95 % intervals, "
        f"by drawing the sites again. Time is that of the processor, as a multiple of {BASE}'s."
    )
    tables.write_text("\n\n".join([note, *(one.table() for one in done)]) + "\n", encoding="utf-8")
    if figures:
        found = {"versions": versions} | {one.name: {"pages": one.pages, "systems": one.as_dict()} for one in done}
        figures.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
