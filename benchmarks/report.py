#!/usr/bin/env python3
"""The quality report: every document of the line corpus cleaned out of fold, as tables for the model card.

    python benchmarks/report.py ../shared/corpora --folds build/folds -o tables.md --figures docs/figures

Each page is cleaned by the bundle that never saw its site (``clean train --folds`` writes them). What the figures mean
is decided in ``cleaner.training.evaluate``; here they are counted by group, and get intervals by drawing the sites
again. Pictures are the business of ``report_plots``. No text of any page comes into the tables.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaner.document import KEPT_BY_DEFAULT, CleanResult, Kind
from cleaner.errors import CleanerError
from cleaner.pipeline import Cleaner
from cleaner.training.align import BOILERPLATE, CONTENT, UNDECIDED
from cleaner.training.corpora import LINES_CORPUS, document_of_row, read_rows
from cleaner.training.evaluate import FULL_PAGE, GOOD_F1, Sums, add_document, checked_row, rows_by_bundle, texts_left
from cleaner.training.fit import NEWS
from cleaner.training.labels import Annotations, line_hash, read_annotations

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]
Mask = NDArray[np.bool_]

DRAWS, SEED = 500, 20261122
# Over fewer sites than this an interval is mere noise, and none is given.
LEAST_SITES = 5
# Where less word F1 than this is to be won, the part of it that was won says nothing.
LEAST_TO_WIN = 0.005

BINS = 15
# The bar of ``quality``: how many of the documents that stay bad stand among the lowest rated.
LOWEST_SHARE = 0.1
WORST = 20
# Why the worst documents are what they are, by page; written by hand after looking at them.
REMARKS = Path(__file__).with_name("remarks.json")

NONE = "–"
TEXT_COLUMNS = {"upstream", "corpus", "country", "kind", "text", "page", "remark", "system"}
GROUP_HEADER = (
    "documents | sites | content lost % | word F1 before | word F1 after | best possible | headroom % | still dirty %"
)

KINDS = tuple(Kind)
POINTED_OUT = (Kind.ADVERT, Kind.APPEAL)
STAYING = (Kind.CONTENT, Kind.HEADLINE)
# What a reader may call a line that goes; repeats are found by the program alone.
GOING = tuple(sorted(set(KINDS) - KEPT_BY_DEFAULT - {Kind.REPEAT}))

# A tally is what one document adds to the sums of ``clean eval``: five numbers, then lines by label and whether kept.
_CELLS = tuple((label, kept) for label in (BOILERPLATE, CONTENT, UNDECIDED) for kept in (False, True))
_BEFORE, _AFTER, _ORACLE = 2, 3, 4
_LEFT, _LOST = 5 + _CELLS.index((BOILERPLATE, True)), 5 + _CELLS.index((CONTENT, False))


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents after cleaning as arrays, and their lines one after the other with what is known of them.

    ``document`` says whose a line is. ``kind`` and ``said`` (what somebody who read the page said, or -1) number
    ``KINDS``; ``label`` is the one that training takes.
    """

    page: NDArray[np.str_]
    site: NDArray[np.str_]
    upstream: NDArray[np.str_]
    tally: Floats
    quality: Floats
    document: Numbers
    score: Floats
    kept: Mask
    kind: Numbers
    label: Numbers
    said: Numbers

    @classmethod
    def joined(cls, parts: Sequence["Corpus"]) -> "Corpus":
        """Put single documents together."""
        columns = {field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)}
        columns["document"] = np.repeat(np.arange(len(parts)), [len(part.document) for part in parts])
        return cls(**columns)

    @property
    def extracted(self) -> Mask:
        """Which documents an extractor left; the others are all text of a page."""
        return np.asarray(self.upstream != FULL_PAGE)

    @property
    def origin(self) -> NDArray[np.str_]:
        """The corpus that each document comes from."""
        return np.array([page.split("/")[0] for page in self.page.tolist()])


def clean(corpora: Path, data: Path, folds: Path) -> Corpus:
    """Clean every document by the bundle that never saw its page."""
    annotations = read_annotations(data / "annotations.jsonl")
    path = corpora / LINES_CORPUS
    rows = [checked_row(row, number, path) for number, row in enumerate(read_rows(path), 1)]
    parts = []
    for folder, mine in rows_by_bundle(rows, folds).items():
        results = Cleaner.load(folder).clean_batch("\n".join(row["lines"]) for row in mine)
        parts += [judge(row, result, annotations) for row, result in zip(mine, results, strict=True)]
    return Corpus.joined(parts)


def judge(row: dict[str, Any], result: CleanResult, annotations: Annotations) -> Corpus:
    """Put beside each line of a cleaned document what is known of it."""
    sums, known, verdict = Sums(), document_of_row(row, annotations), result.columns
    add_document(sums, row, texts_left(row, result))
    assert known.indexes == list(verdict.index), f"{known.page}: lines were split in two ways"
    said = [annotations.of_page.get((known.page, line_hash(line))) for line in known.lines]
    return Corpus(
        page=np.array([known.page]),
        site=np.array([known.site]),
        upstream=np.array([known.upstream]),
        tally=np.array([_tally(sums)]),
        quality=np.array([result.quality]),
        document=np.zeros(len(said), np.intp),
        score=np.array(verdict.score, np.float64),
        kept=np.array(verdict.kept, np.bool_),
        kind=np.array([KINDS.index(kind) for kind in verdict.kind], np.intp),
        label=np.array(known.labels, np.intp),
        said=np.array([-1 if kind is None else KINDS.index(kind) for kind in said], np.intp),
    )


def _tally(sums: Sums) -> list[float]:
    return [sums.docs, sums.dirty, sums.before, sums.after, sums.oracle, *(sums.lines[which] for which in _CELLS)]


def _figures(tally: Floats) -> dict[str, float]:
    """The figures of ``clean eval`` for the sum of some tallies."""
    docs, dirty, before, after, oracle, *lines = tally.tolist()
    counts = dict(zip(_CELLS, map(int, lines), strict=True))
    return Sums(int(docs), int(dirty), before, after, oracle, Counter(counts)).figures()


def estimate(sites: NDArray[np.str_], figures: Callable[[Numbers], Sequence[float]]) -> Floats:
    """Figures with their 95 % intervals by bootstrap over sites, shape (figures, 3): the figure, its two ends.

    ``figures`` gets how many times each document counts: once for the figures themselves, as often as its site was
    drawn for the intervals. Too few sites have no interval, and its ends are not numbers.
    """
    names, site_of = np.unique(sites, return_inverse=True)
    point = np.array(figures(np.ones(len(sites), np.intp)), np.float64)
    if len(names) < LEAST_SITES:
        return np.stack([point, np.full_like(point, np.nan), np.full_like(point, np.nan)], axis=1)
    draws = np.random.default_rng(SEED).multinomial(len(names), np.full(len(names), 1 / len(names)), DRAWS)
    drawn = np.array([figures(times[site_of]) for times in draws], np.float64)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return np.stack([point, low, high], axis=1)


def share(part: Numbers, whole: Numbers, sites: NDArray[np.str_]) -> Floats:
    """A share of lines, given the counts by document, with its interval over the sites that have such lines."""
    mine = whole > 0
    if not mine.any():
        return np.full(3, np.nan)
    (figure,) = estimate(sites[mine], lambda times: [float(times @ part[mine] / (times @ whole[mine]))])
    return np.asarray(figure)


def bin_sums(score: Floats, truth: Mask, document: Numbers, documents: int) -> Floats:
    """Sums by document and bin of the score, shape (documents, 3, bins): lines, their scores, how many are true."""
    place = document * BINS + np.minimum((score * BINS).astype(np.intp), BINS - 1)
    sums = [np.bincount(place, weights, documents * BINS) for weights in (np.ones_like(score), score, truth)]
    return np.stack([part.reshape(documents, BINS) for part in sums], axis=1)


def calibration_error(sums: Floats) -> float:
    """Expected calibration error of lines summed by bin, shape (3, bins): the mean gap, weighted by lines."""
    lines, scores, truths = sums
    return float(np.abs(scores - truths).sum() / lines.sum())


def share_found(quality: Floats, f1: Floats, times: Numbers) -> float:
    """Of the bad documents, the share among the lowest rated; where the border cuts through a tie, its part counts."""
    values, rank = np.unique(quality, return_inverse=True)
    documents, bad = (np.bincount(rank, weights, len(values)).cumsum() for weights in (times, times * (f1 < GOOD_F1)))
    found = np.interp(LOWEST_SHARE * documents[-1], [0, *documents], [0, *bad])
    return float(found / max(bad[-1], 1))


def rank_correlation(quality: Floats, f1: Floats, times: Numbers) -> float:
    """Spearman's correlation of the ratings and the word F1 of the cleaned text; 0 when either never changes."""
    from scipy.stats import spearmanr

    if not np.ptp(quality[times > 0]) or not np.ptp(f1[times > 0]):
        return 0.0
    return float(spearmanr(np.repeat(quality, times), np.repeat(f1, times)).statistic)


def cell(figure: Floats, decimals: int, factor: int = 1) -> str:
    """Write a figure with its interval, as far as there are any.

    >>> cell(np.array([0.91268, 0.9, 0.925]), 1, factor=100)
    '91.3 (90.0 to 92.5)'
    """
    point, low, high = (f"{number * factor:.{decimals}f}" for number in figure.tolist())
    return NONE if point == "nan" else point if low == "nan" else f"{point} ({low} to {high})"


def section(title: str, note: str, header: str, rows: Sequence[Sequence[object]]) -> str:
    """Write a heading, what has to be known, and a table, its numbers to the right."""
    names = [name.strip() for name in header.split("|")]
    rule = ["---" if name in TEXT_COLUMNS else "---:" for name in names]
    lines = [f"| {' | '.join(map(str, cells))} |" for cells in (names, rule, *rows)]
    return "\n".join([f"## {title}", "", note, "", *lines])


def group_cells(corpus: Corpus, mine: Mask) -> list[object]:
    """The cells of a group of documents."""
    tally, sites = corpus.tally[mine], corpus.site[mine]

    def figures(times: Numbers) -> list[float]:
        named = _figures(times @ tally)
        return [named[name] for name in ("lost%", "before", "after", "oracle", "headroom%", "dirty%")]

    lost, before, after, oracle, headroom, dirty = estimate(sites, figures)
    won = cell(headroom, 1) if oracle[0] - before[0] >= LEAST_TO_WIN else NONE
    counts = [len(tally), len(np.unique(sites))]
    return [*counts, cell(lost, 2), cell(before, 4), cell(after, 4), f"{oracle[0]:.4f}", won, cell(dirty, 1)]


def group_sections(corpus: Corpus) -> list[str]:
    """Tables per upstream, per corpus, and of news per country."""
    extracted, news = corpus.extracted, corpus.origin == NEWS
    upstreams = {name: corpus.upstream == name for name in np.unique(corpus.upstream[extracted]).tolist()}
    upstreams |= {"all extractors": extracted, "whole pages": ~extracted}
    names = np.unique(corpus.origin).tolist()
    corpora = {f"{name}, extracted": (corpus.origin == name) & extracted for name in names}
    corpora |= {f"{name}, whole pages": (corpus.origin == name) & ~extracted for name in names}
    news &= extracted
    country = np.array([page.split("/")[1] for page in corpus.page.tolist()])
    countries = {name: news & (country == name) for name in np.unique(country[news]).tolist()}
    few = [name for name, mine in countries.items() if len(np.unique(corpus.site[mine])) < LEAST_SITES]
    countries[f"those of fewer than {LEAST_SITES} sites together"] = news & np.isin(country, few)
    countries["all countries"] = news
    parts = []
    for title, of, groups, note in (
        ("By upstream", "upstream", upstreams, "Whole pages are all text of a page, with its menus."),
        ("By corpus", "corpus", corpora, f"`{NEWS}` is news, the other mostly blogs and company pages."),
        ("News by country", "country", countries, "What extractors left of news, by the country that the id names."),
    ):
        rows = [[name, *group_cells(corpus, mine)] for name, mine in groups.items() if mine.any()]
        parts.append(section(title, note, f"{of} | {GROUP_HEADER}", rows))
    return parts


def kind_section(corpus: Corpus) -> str:
    """What became of the lines that somebody read, by the kind that the reader named."""
    gone, known = ~corpus.kept, corpus.kind != KINDS.index(Kind.REPEAT)
    parts = [corpus.extracted | ~corpus.extracted, corpus.extracted, corpus.extracted & (corpus.origin == NEWS)]

    def count(lines: Mask) -> Numbers:
        return np.bincount(corpus.document[lines], minlength=len(corpus.page))

    def row(name: str, kinds: Sequence[Kind], *, as_one: bool = True, named: bool = True) -> list[object]:
        mine = np.isin(corpus.said, [KINDS.index(kind) for kind in kinds])
        lines, removed = count(mine), count(mine & gone)
        cells: list[object] = [name, len(np.unique(corpus.site[lines > 0]))]
        for part in parts:
            share_removed = share(removed, np.where(part, lines, 0), corpus.site)
            cells += [int(lines[part].sum()), cell(share_removed, 1, 100) if as_one else NONE]
        right = share(count(mine & gone & (corpus.kind == corpus.said)), count(mine & gone & known), corpus.site)
        return [*cells, cell(right, 1, 100) if named else NONE]

    rows = [row(f"**{kind}**" if kind in POINTED_OUT else kind, [kind]) for kind in GOING]
    rows += [row("**advert and appeal**", POINTED_OUT), row("all that should go", GOING)]
    rows += [row(f"{kind}, should stay", [kind], named=False) for kind in STAYING]
    rows += [row("all of these", [*GOING, *STAYING], as_one=False)]
    return section(
        "By kind",
        "Lines that somebody read on their page (`data/annotations.jsonl`), in each document that holds them. They "
        "were chosen where readers were needed most, so content among them is harder than elsewhere. Lines removed as "
        "`repeat` count for no kind.",
        "kind | sites | lines | removed % | extracted lines | removed % | of these news | removed % "
        "| right kind among all removed %",
        rows,
    )


def calibration_groups(corpus: Corpus) -> dict[str, tuple[Floats, NDArray[np.str_]]]:
    """The decided lines of all text and of parts of it, summed by bin and document, and the documents' sites."""
    decided, news = corpus.label != UNDECIDED, corpus.origin == NEWS
    truth = corpus.label[decided] == BOILERPLATE
    sums = bin_sums(corpus.score[decided], truth, corpus.document[decided], len(corpus.page))
    groups = {"all text": news | ~news, "extracted text": corpus.extracted, "news": news}
    groups["extracted text of news"] = news & corpus.extracted
    return {name: (sums[mine], corpus.site[mine]) for name, mine in groups.items()}


def calibration_section(corpus: Corpus) -> str:
    """How far scores are from the share of boilerplate among the lines that have them."""
    rows = []
    for name, (sums, sites) in calibration_groups(corpus).items():

        def figures(times: Numbers, sums: Floats = sums) -> list[float]:
            return [calibration_error(np.tensordot(times, sums, 1))]

        rows.append([name, int(sums[:, 0].sum()), cell(estimate(sites, figures)[0], 4)])
    return section(
        "Calibration of `score`",
        f"Lines that are known to be content or boilerplate, as corrected for training; {BINS} bins of equal width.",
        "text | lines | expected calibration error",
        rows,
    )


def quality_section(corpus: Corpus) -> str:
    """Whether ``quality`` finds the documents that are still bad."""
    rows = []
    for name, mine in {"extracted text": corpus.extracted, "all text": corpus.quality >= 0}.items():
        quality, f1 = corpus.quality[mine], corpus.tally[mine, _AFTER]

        def figures(times: Numbers, quality: Floats = quality, f1: Floats = f1) -> list[float]:
            return [share_found(quality, f1, times), rank_correlation(quality, f1, times)]

        found, correlation = estimate(corpus.site[mine], figures)
        rows.append([name, len(f1), int((f1 < GOOD_F1).sum()), cell(found, 1, 100), cell(correlation, 3)])
    return section(
        "`quality`",
        f"Bad are documents whose word F1 is below {GOOD_F1} after cleaning; the correlation is that of the ranks.",
        f"text | documents | bad | found in the lowest rated {LOWEST_SHARE:.0%}, % | Spearman with word F1",
        rows,
    )


def worst_section(corpus: Corpus, remarks: Mapping[str, str]) -> str:
    """The documents where cleaning is furthest from the best possible, each page once, with the reason if it is known.

    ``remarks`` says for a page, in our words, why.
    """
    gap = corpus.tally[:, _ORACLE] - corpus.tally[:, _AFTER]
    rows: dict[str, list[object]] = {}
    for i in np.argsort(-gap, kind="stable").tolist():
        page, tally = str(corpus.page[i]), corpus.tally[i]
        figures = [f"{tally[column]:.3f}" for column in (_BEFORE, _AFTER, _ORACLE)]
        rows.setdefault(
            page, [page, corpus.upstream[i], *figures, int(tally[_LOST]), int(tally[_LEFT]), remarks.get(page, "")]
        )
        if len(rows) == WORST:
            break
    return section(
        f"The {WORST} worst documents",
        "Furthest from the best possible after cleaning, each page once; word F1, lines of content and of boilerplate.",
        "page | upstream | before | after | best possible | content lost | boilerplate left | remark",
        list(rows.values()),
    )


def draw(corpus: Corpus, folder: Path, learning: Path | None) -> None:
    """Draw what the tables cannot show, and the learning curve of the JSON file ``learning``."""
    import report_plots

    folder.mkdir(parents=True, exist_ok=True)
    extracted = corpus.extracted[corpus.document]

    def picked(mine: Mask) -> report_plots.Lines:
        return report_plots.Lines(corpus.score[mine & extracted], ~corpus.kept[mine & extracted])

    kinds = {kind.value: picked(corpus.said == KINDS.index(kind)) for kind in GOING}
    report_plots.precision_recall(kinds, picked(corpus.label == CONTENT), folder / "precision-recall.png")
    bins = {name: sums.sum(axis=0) for name, (sums, _) in calibration_groups(corpus).items()}
    with_errors = {name: (sums, calibration_error(sums)) for name, sums in bins.items()}
    report_plots.reliability(with_errors, folder / "reliability.png")
    if learning:
        points = json.loads(learning.read_text(encoding="utf-8"))
        report_plots.learning_curve(points, folder / "learning-curve.png")


def main() -> None:
    """Read the arguments, clean, write the tables and draw the pictures."""
    parser = argparse.ArgumentParser(description="Quality of the model out of fold, as tables and pictures.")
    parser.add_argument("corpora", type=Path, help="folder of the public corpora")
    parser.add_argument("--folds", type=Path, required=True, help="folder of bundles, each with its ids.txt")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[1] / "data", help="folder of annotations")
    parser.add_argument("-o", "--output", type=Path, required=True, help="Markdown file to write")
    parser.add_argument("--figures", type=Path, help="folder for the pictures; needs matplotlib")
    parser.add_argument("--learning-curve", type=Path, help="JSON: a list of objects with sites, headroom and lost")
    arguments = parser.parse_args()
    try:
        corpus = clean(arguments.corpora, arguments.data, arguments.folds)
    except CleanerError as error:
        parser.exit(error.exit_code, f"{parser.prog}: {error}\n")
    counts = f"{len(corpus.page):,} documents of {len(set(corpus.page)):,} pages from {len(set(corpus.site)):,} sites"
    note = (
        f"{counts}, each cleaned by a bundle that saw no page of its site. In brackets: 95 % intervals, by drawing the "
        f"sites again {DRAWS} times; there is none for fewer than {LEAST_SITES} sites."
    )
    sections = [*group_sections(corpus), kind_section(corpus), calibration_section(corpus), quality_section(corpus)]
    remarks = json.loads(REMARKS.read_text(encoding="utf-8"))
    text = "\n\n".join([note, *sections, worst_section(corpus, remarks)])
    arguments.output.write_text(f"{text}\n", encoding="utf-8")
    if arguments.figures:
        draw(corpus, arguments.figures, arguments.learning_curve)


if __name__ == "__main__":
    main()
