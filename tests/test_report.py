"""The quality report on an invented corpus: intervals and errors are what they should be, and no text comes out."""

import doctest
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import report
import report_plots
import tiny

from cleaner.training.labels import line_hash

ROOT = Path(__file__).parents[1]
STORY = "The ferry left the harbour at dawn and reached the island before noon."
ADVERT = "zzadvert zzadvert zzadvert"  # what the hand-made bundle of the unit tests takes for an advert
MISSED = "Buy two tickets and pay for one."
COUNTRIES = ("aa", "bb")
PAGES = {f"fundus/{country}/Paper{n}": f"paper{n}.{country}.example" for country in COUNTRIES for n in range(6)}


def rows():
    for number, (page, site) in enumerate(PAGES.items()):
        story = STORY + " Nobody was late." * number
        for upstream, lines in (("goose", [story, ADVERT, MISSED]), ("fullpage", [MISSED, story, ADVERT])):
            yield {
                "id": page,
                "domain": site,
                "upstream": upstream,
                "title": "",
                "gold": story,
                "lines": lines,
                "labels": [int(line == story) for line in lines],
            }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus of twelve sites, what readers said of its adverts, and two folds with one and the same bundle."""
    folder = tmp_path_factory.mktemp("report")
    with gzip.open(folder / "lines-dev.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows())
    said = [(ADVERT, "advert"), (MISSED, "appeal")]
    readings = [{"hash": line_hash(line), "page": page, "kind": kind} for page in PAGES for line, kind in said]
    (folder / "annotations.jsonl").write_text("".join(json.dumps(row) + "\n" for row in readings), encoding="utf-8")
    for country in COUNTRIES:
        bundle = tiny.write_bundle(folder / "folds" / country)
        ids = [page for page in PAGES if f"/{country}/" in page]
        (bundle / "ids.txt").write_text("\n".join(ids), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def corpus(folder):
    return report.clean(folder, folder, folder / "folds")


def test_the_interval_of_a_share_of_sites_is_that_of_the_textbook():
    sites, truth = np.arange(100).astype(str), np.arange(100) % 2
    ((point, low, high),) = report.estimate(sites, lambda times: [times @ truth / times.sum()])
    assert point == 0.5
    assert low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.02)
    assert high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.02)


def test_sites_are_drawn_and_not_documents():
    def of(sites):
        truth = sites.astype(int) % 2
        return report.estimate(sites, lambda times: [times @ truth / times.sum(), times.sum() / len(sites)])

    once, often = np.arange(10).astype(str), np.repeat(np.arange(10), 100).astype(str)
    np.testing.assert_array_equal(of(once), of(often))
    np.testing.assert_array_equal(of(once)[1], 1)


def test_too_few_sites_have_no_interval():
    figure = report.estimate(np.array(["a.example"] * 50), lambda times: [float(times.sum())])
    assert figure[0, 0] == 50
    assert np.isnan(figure[0, 1:]).all()
    assert report.cell(figure[0], 1) == "50.0"
    assert report.cell(report.share(np.zeros(3), np.zeros(3), np.array(["a", "b", "c"])), 1) == report.NONE


@pytest.mark.parametrize(
    ("score", "truth", "error"),
    [
        ([0.0, 1.0, 1.0], [0, 1, 1], 0.0),
        ([0.9, 0.9], [0, 1], 0.4),
        ([0.2, 0.2, 0.2, 1.0], [1, 1, 1, 1], 0.6),  # weighted by lines: three of four are off by 0.8
        ([0.48, 0.52], [0, 1], 0.0),  # one bin, and as many as the mean of its scores says
    ],
)
def test_calibration_error(score, truth, error):
    document = np.arange(len(score)) % 2
    sums = report.bin_sums(np.array(score), np.array(truth, bool), document, 2)
    assert sums.shape == (2, 3, report.BINS)
    assert report.calibration_error(sums.sum(axis=0)) == pytest.approx(error)


def test_how_many_bad_documents_are_rated_lowest():
    once, f1 = np.ones(20, int), np.array([0.1, 0.2, *[0.9] * 18])
    assert report.share_found(np.linspace(0, 1, 20), f1, once) == 1
    assert report.share_found(np.linspace(1, 0, 20), f1, once) == 0
    assert report.share_found(np.full(20, 0.5), f1, once) == pytest.approx(0.1)
    assert report.rank_correlation(np.linspace(0, 1, 20), np.linspace(3, 4, 20), once) == pytest.approx(1)


def test_lines_have_their_verdict_and_what_is_known_of_them(corpus):
    kinds = [kind.value for kind in report.KINDS]
    advert, appeal = (corpus.said == kinds.index(kind) for kind in ("advert", "appeal"))
    assert len(corpus.page) == 2 * len(PAGES)
    assert not corpus.kept[advert].any() and (corpus.score[advert] > 0.9).all()
    assert corpus.kept[~advert].all() and (corpus.score[~advert] < 0.1).all()
    assert (corpus.label[advert | appeal] == 0).all() and (corpus.label[~advert & ~appeal] == 1).all()
    assert (np.bincount(corpus.document) == 3).all()


def test_the_tables_hold_the_figures_and_no_text(folder, monkeypatch):
    output = folder / "tables.md"
    arguments = [folder, "--folds", folder / "folds", "--data", folder, "-o", output]
    monkeypatch.setattr(sys, "argv", ["report.py", *map(str, arguments)])
    report.main()
    text = output.read_text(encoding="utf-8")
    assert "24 documents of 12 pages from 12 sites" in text
    assert "| aa | 6 | 6 | 0.00 (0.00 to 0.00) |" in text
    hundred, none = "100.0 (100.0 to 100.0)", "0.0 (0.0 to 0.0)"
    assert f"| **advert** | 12 | 24 | {hundred} | 12 | {hundred} | 12 | {hundred} | {hundred} |" in text
    assert f"| **appeal** | 12 | 24 | {none} | 12 | {none} | 12 | {none} | – |" in text
    assert "| fundus/aa/Paper0 |" in text
    assert not any(word in text for word in ("harbour", "zzadvert", "tickets"))


def test_pictures(folder, corpus, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    learning = folder / "learning.json"
    learning.write_text(json.dumps([{"sites": n, "headroom": n / 20, "lost": 1 / n} for n in (200, 100)]))
    report.draw(corpus, folder / "figures", learning)
    names = {path.name for path in (folder / "figures").iterdir()}
    assert names == {"precision-recall.png", "reliability.png", "learning-curve.png"}


@pytest.mark.parametrize("module", [report, report_plots])
def test_examples_in_docstrings(module):
    tried = doctest.testmod(module)
    assert tried.attempted and not tried.failed
