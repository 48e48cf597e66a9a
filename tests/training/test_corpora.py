"""Documents to learn from: nothing leaks from one fold into another, and what is drawn is drawn alike each time."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from cleaner.document import Kind
from cleaner.errors import InputError
from cleaner.training.align import BOILERPLATE, CONTENT, UNDECIDED
from cleaner.training.corpora import OWN, document_of_row, fold_of_site, read_lines_corpus, read_rows
from cleaner.training.examples import read_examples
from cleaner.training.labels import Annotations, line_hash

EXAMPLES = Path(__file__).parents[2] / "data" / "examples"
FOLDS = 5
NOBODY = Annotations({}, {})


def rows(name):
    return [json.loads(line) for line in (EXAMPLES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def documents():
    return read_examples(EXAMPLES, FOLDS)


def test_folds_are_stable_and_even():
    assert fold_of_site("example.org", 5) == fold_of_site("example.org", 5)
    assert [fold_of_site(f"any@{n}", 5) for n in range(7)] == [0, 1, 2, 3, 4, 0, 1]
    assert fold_of_site("@3", 5) == fold_of_site("@3", 5)
    sizes = Counter(fold_of_site(f"site{n}.example", 5) for n in range(2000))
    assert set(sizes) == set(range(5))
    assert min(sizes.values()) > 300


def test_the_examples_are_read(documents):
    articles = {article["slug"] for article in rows("articles")}
    assert {document.page for document in documents} >= {f"{OWN}/{slug}" for slug in articles}
    assert {kind for document in documents for kind in document.kinds} >= set(Kind) - {Kind.REPEAT}
    for document in documents:
        assert document.corpus == document.upstream == OWN
        assert len(document.lines) == len(document.labels) == len(document.kinds) == len(document.aligned)
        for label, kind in zip(document.labels, document.kinds, strict=True):
            assert label == {Kind.CONTENT: CONTENT, Kind.HEADLINE: UNDECIDED}.get(kind, BOILERPLATE)


def test_what_is_strewn_is_drawn_alike_each_time(documents):
    assert read_examples(EXAMPLES, FOLDS) == documents


def test_an_example_belongs_to_one_fold(documents):
    """Of our lines, letters and look-alikes, each is met in one fold only; articles hold theirs in their own words."""
    of_articles = {line["text"] for article in rows("articles") for line in article["lines"]}
    of_letters = {line for letter in rows("letters") for line in letter["lines"]}
    of_blocks = {line["text"] for block in rows("blocks") for line in block["lines"]}
    texts = {row["text"] for name in ("lines", "lookalikes") for row in rows(name)}
    examples = texts - of_articles - of_letters - of_blocks
    folds: dict[str, set[int]] = {}
    for document in documents:
        for line in document.lines:
            if line in examples:
                folds.setdefault(line, set()).add(fold_of_site(document.site, FOLDS))
    assert len(folds) > 500
    assert {line: found for line, found in folds.items() if len(found) > 1} == {}
    letters = [lines for row in rows("letters") if not (lines := set(row["lines"])) & of_articles]
    for lines in letters:
        met = {fold_of_site(d.site, FOLDS) for d in documents if len(lines & set(d.lines)) > len(lines) / 2}
        assert len(met) <= 1


def row(**changes):
    gold = "The council met on Tuesday and voted for the bridge."
    whole = {
        "id": "fundus/x/1",
        "domain": "x.example",
        "upstream": "goose",
        "title": "Bridge",
        "gold": gold,
        "lines": ["Bridge", gold, "", "Share"],
    }
    return whole | changes


def test_a_row_becomes_a_document():
    document = document_of_row(row(), NOBODY)
    assert document.lines == ["Bridge", row()["gold"], "Share"]
    assert list(document.indexes) == [0, 1, 3]
    assert document.labels == [UNDECIDED, CONTENT, BOILERPLATE]
    assert document.kinds == [Kind.HEADLINE, None, None]
    assert document.corpus == "fundus"
    assert document_of_row(row(upstream="fullpage"), NOBODY).weight < document.weight
    assert document_of_row(row(id="wcxb/1"), NOBODY).weight < document.weight


def test_readers_correct_the_alignment():
    said = Annotations({}, {line_hash("Share"): Kind.SHARING, line_hash(row()["gold"]): Kind.APPEAL})
    document = document_of_row(row(), said)
    assert document.kinds == [Kind.HEADLINE, None, Kind.SHARING]
    assert document.labels == [UNDECIDED, UNDECIDED, BOILERPLATE]
    assert document.aligned == [UNDECIDED, CONTENT, BOILERPLATE]


def packed(tmp_path, text):
    path = tmp_path / "lines.jsonl.gz"
    path.write_bytes(gzip.compress(text if isinstance(text, bytes) else text.encode()))
    return path


def test_a_corpus_is_read(tmp_path):
    path = packed(tmp_path, f"{json.dumps(row())}\n{json.dumps(row(id='b/2'))}\n")
    assert [one["id"] for one in read_rows(path)] == ["fundus/x/1", "b/2"]
    assert [document.page for document in read_lines_corpus(path, NOBODY)] == ["fundus/x/1", "b/2"]


@pytest.mark.parametrize("bad", ["{", "[1]", "5", "{}", '{"id": "x"}', b"\xff\xfe"])
def test_a_bad_row_is_an_input_error(tmp_path, bad):
    with pytest.raises(InputError):
        read_lines_corpus(packed(tmp_path, bad), NOBODY)


def test_a_damaged_file_is_an_input_error(tmp_path):
    path = packed(tmp_path, "\n".join(json.dumps(row(id=f"b/{n}")) for n in range(300)))
    good = path.read_bytes()
    for bad in (good[:-20], good[: len(good) // 2], b"not gzip", good[:60] + bytes(40) + good[100:]):
        path.write_bytes(bad)
        with pytest.raises(InputError):
            read_lines_corpus(path, NOBODY)
    with pytest.raises(InputError):
        list(read_rows(tmp_path / "missing.gz"))
