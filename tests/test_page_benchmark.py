"""The benchmark of pages on an invented corpus: scores are those of the public benchmarks, and no text comes out."""

import json
import lzma
import sys

import page_metrics
import pages
import pytest
import tiny
from page_metrics import SHINGLES, SNIPPETS, WORDS

STORY = "The ferry left the harbour at dawn and reached the island before noon."
ADVERT = "zzadvert zzadvert zzadvert"  # what the hand-made bundle of the unit tests takes for an advert
HTML = f"<html lang='en'><body><article><p>{STORY}</p><p>{ADVERT}</p></article></body></html>"
IDS = [f"mini/{number}" for number in range(6)]


def row(page, **changes):
    kind = "forum" if page == IDS[0] else "article"
    site = {"id": page, "domain": f"{page[5:]}.example", "url": f"https://{page[5:]}.example/a", "page_type": kind}
    return {**site, "html": HTML, "gold": STORY, "with": ["left the harbour"], "without": [ADVERT], **changes}


@pytest.fixture
def folder(tmp_path):
    """Three corpora of six pages, one page that no fold names, one that cannot be scored, and a fold."""
    for name in pages.METRICS:
        rows = [*map(row, IDS), row("mini/a b"), row("mini/6", gold=" ", **{"with": []})]
        with lzma.open(tmp_path / f"{name}.jsonl.xz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(one) + "\n" for one in rows)
    bundle = tiny.write_bundle(tmp_path / "folds" / "fold-0")
    (bundle / "ids.txt").write_text("\n".join(IDS), encoding="utf-8")
    return tmp_path


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["pages.py", *map(str, arguments)])
    pages.main()


def test_the_run_writes_tables_and_figures(folder, monkeypatch, capsys):
    monkeypatch.setattr(pages, "PEERS", {pages.BASE: pages.PEERS[pages.BASE]})
    run(monkeypatch, folder, "--folds", folder / "folds", "-o", folder / "out.md", "--json", folder / "out.json")
    text, found = (folder / "out.md").read_text("utf-8"), json.loads((folder / "out.json").read_text("utf-8"))
    assert set(found) == {"versions", *pages.METRICS}
    assert found["wcxb-dev"]["pages"] == {"article word F1": 5, "forum word F1": 1, "word F1": 6}
    for corpus, metric in (
        ("fundus-dev", "shingle F1"),
        ("wcxb-dev", "word F1"),
        ("trafilatura-eval-dev", "snippet F1"),
    ):
        systems = found[corpus]["systems"]
        assert systems["cleaner"][metric] == systems["cleaner, fast, with metadata"][metric] == 1
        assert systems[pages.BASE]["time"] == 1
        assert f"## {corpus}\n" in text
    assert "| cleaner, fast | 1.0000" in text
    assert "ferry" not in text + json.dumps(found) and "zzadvert" not in text
    assert "fundus-dev.jsonl.xz: left out 1 of 7 pages, which no fold names" in capsys.readouterr().err


def test_peers_that_are_not_there_are_left_out(folder, monkeypatch, capsys):
    def make():
        raise ImportError("no module named gossip")

    monkeypatch.setattr(pages, "PEERS", {"gossip": ("gossip4k", make)})
    run(monkeypatch, folder, "--folds", folder / "folds", "--limit", 6, "-o", folder / "out.md")
    assert "gossip: left out, gossip4k does not import" in capsys.readouterr().err
    assert "gossip" not in (folder / "out.md").read_text("utf-8")


def test_a_page_on_which_a_system_fails_counts_as_empty(capsys):
    rows = [row(page) for page in IDS]
    measured = pages.measure("gossip", lambda one: {IDS[5]: STORY}[one["id"]], rows)
    assert (measured.texts, measured.failed) == ([*[""] * 5, STORY], 5)
    assert capsys.readouterr().err.count("KeyError") == 5


def test_a_folder_without_folds_is_an_error(folder, monkeypatch, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, folder, "--folds", folder, "-o", folder / "out.md")
    assert stopped.value.code and "clean train --folds" in capsys.readouterr().err


def test_words_count_as_a_bag_and_their_f1_is_averaged_over_pages():
    texts = ["Ferry, ferry; the HARBOUR", ""]
    rows = [{"gold": "The ferry left the harbour"}, {"gold": "Noon"}]
    assert WORDS.score(rows, texts) == pytest.approx((2 * 3 / 9 + 0) / 2)


def test_precision_and_recall_of_shingles_are_averaged_before_they_meet():
    rows = [{"gold": "a b c d e"}, {"gold": "a b c d"}]
    # Precision 1 and 1/2, recall 1/2 and 1.
    assert SHINGLES.score(rows, ["a b c d", "a b c d e"]) == pytest.approx(0.75)
    assert SHINGLES.score(rows, ["A B C D E", ""]) == 0


def test_snippets_are_counted_over_all_pages():
    rows = [{"with": ["a", "b"], "without": ["x"]}, {"with": ["c"]}]
    assert SNIPPETS.score(rows, ["a x", "c"]) == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert SNIPPETS.score(rows, ["", ""]) == 0


def test_pages_that_cannot_be_scored_are_left_out(folder):
    corpus = folder / "wcxb-dev.jsonl.xz"
    for needs in ("gold", "with"):
        assert [one["id"] for one in page_metrics.scored_pages(corpus, needs)] == [*IDS, "mini/a b"]
    assert [one["id"] for one in page_metrics.scored_pages(corpus, "gold", "forum")] == IDS[:1]
