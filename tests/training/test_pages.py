"""Pages that were read whole become documents of several upstreams, labelled by what the reader said."""

import json
import lzma

import pytest

from cleaner.document import Kind
from cleaner.errors import InputError
from cleaner.training.align import BOILERPLATE, CONTENT, UNDECIDED
from cleaner.training.corpora import WEIGHT_OF_FULL_PAGE
from cleaner.training.labels import Reading, line_hash, read_readings
from cleaner.training.pages import (
    LONGEST_TRUSTED,
    MIXED_CORPUS,
    PAGE_CORPORA,
    WEIGHT_OF_OTHER,
    WEIGHT_OF_READ,
    extracts,
    read_other_pages,
    read_pages,
    texts_read,
)

STORY = (
    "The council met on Tuesday evening and voted for the new bridge over the river, after four years of talks.",
    "Work is to begin in May, the mayor said, and the ferry will go on until the last stone has been laid down.",
    "Neighbours on the far bank had asked for a second lane, but there was no money left for it in the end.",
)
MENU = "Home News Weather"
BIO = "The writer covers bridges and ferries for the weekly paper of the valley and lives on the far bank."
HTML = f"""<html lang="en-GB"><head><title>Bridge</title></head><body><nav><a href="/">{MENU}</a></nav>
<article><h1>Bridge</h1>{"".join(f"<p>{line}</p>" for line in STORY)}<p>{BIO}</p></article></body></html>"""


def reading(*, article=True, unsure=()):
    kinds = {line_hash(line): Kind.CONTENT for line in STORY} | {line_hash(BIO): Kind.BIO}
    return Reading(article, kinds, frozenset(map(line_hash, unsure)))


def corpora(folder, *rows):
    for name in PAGE_CORPORA:
        with lzma.open(folder / name, "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows if name == PAGE_CORPORA[0])
    return folder


PAGE = {"id": "own/bridge", "domain": "valley.example", "title": "Bridge", "html": HTML}


def test_every_upstream_leaves_the_story():
    texts = extracts(HTML)
    assert set(texts) == {"trafilatura", "markdown", "readability", "resiliparse", "fullpage"}
    for upstream, text in texts.items():
        assert all(line in text for line in STORY), upstream
    assert MENU in texts["fullpage"]
    assert MENU not in texts["trafilatura"]


def test_lines_are_labelled_by_the_reader(tmp_path):
    documents = read_pages(corpora(tmp_path, PAGE), {"own/bridge": reading()})
    assert [document.upstream for document in documents] == list(extracts(HTML))
    for document in documents:
        assert (document.page, document.site, document.language) == ("own/bridge", "valley.example", "en")
        verdicts = dict(zip(document.lines, zip(document.labels, document.kinds, strict=True), strict=True))
        assert [verdicts[line] for line in STORY] == [(CONTENT, Kind.CONTENT)] * 3
        assert verdicts[BIO] == (BOILERPLATE, Kind.BIO)


def test_what_the_reader_could_not_tell_is_undecided(tmp_path):
    documents = read_pages(corpora(tmp_path, PAGE), {"own/bridge": reading(unsure=[BIO])})
    assert {document.labels[document.lines.index(BIO)] for document in documents} == {UNDECIDED}


def test_pages_that_are_no_article_weigh_less_and_unread_ones_are_left_out(tmp_path):
    folder = corpora(tmp_path, PAGE, PAGE | {"id": "own/unread"})
    for article, weight in ((True, WEIGHT_OF_READ), (False, WEIGHT_OF_OTHER)):
        documents = read_pages(folder, {"own/bridge": reading(article=article)})
        assert {document.page for document in documents} == {"own/bridge"}
        weights = {document.upstream: document.weight for document in documents}
        assert weights["trafilatura"] == weight > weights["fullpage"]


def test_the_article_of_a_page_is_what_its_reader_called_content_once(tmp_path):
    readings = {"own/bridge": reading()}
    documents = read_pages(corpora(tmp_path, PAGE), readings)
    assert texts_read(documents, readings) == {"own/bridge": "\n".join(STORY)}
    assert texts_read(documents, {}) == texts_read([], readings) == {}


def test_a_corpus_that_cannot_be_read_is_named(tmp_path):
    corpora(tmp_path, PAGE)
    (tmp_path / PAGE_CORPORA[1]).write_bytes(b"no archive")
    with pytest.raises(InputError, match=PAGE_CORPORA[1]):
        read_pages(tmp_path, {})


def test_readings_are_read(tmp_path):
    path = tmp_path / "readings.jsonl"
    path.write_text('{"page": "a", "article": true, "kinds": {"content": ["1"], "bio": ["2", "3"], "unsure": ["4"]}}\n')
    assert read_readings(path) == {
        "a": Reading(True, {"1": Kind.CONTENT, "2": Kind.BIO, "3": Kind.BIO}, frozenset({"4"}))
    }
    assert read_readings(path)["a"].content == {"1"}


@pytest.mark.parametrize("row", ["[]", "{}", '{"page": "a", "article": true, "kinds": {"news": ["1"]}}', "no json"])
def test_a_bad_reading_is_named_by_its_line(tmp_path, row):
    path = tmp_path / "readings.jsonl"
    path.write_text('{"page": "a", "article": true, "kinds": {}}\n' + row)
    with pytest.raises(InputError, match=r"readings\.jsonl, line 2"):
        read_readings(path)


def test_pages_that_are_no_articles_are_labelled_by_their_gold_text(tmp_path):
    shop = PAGE | {"id": "own/shop", "page_type": "product", "gold": "\n".join(STORY)}
    others = [shop | {"id": "own/article", "page_type": "article"}, shop | {"id": "own/bare", "gold": None}, PAGE]
    with lzma.open(tmp_path / MIXED_CORPUS, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in [*others, shop])
    documents = read_other_pages(tmp_path)
    assert {document.page for document in documents} == {"own/shop"}
    assert len(MENU) <= LONGEST_TRUSTED < len(BIO)
    for document in documents:
        verdicts = dict(zip(document.lines, document.labels, strict=True))
        assert [verdicts[line] for line in STORY] == [CONTENT] * 3
        assert verdicts.get(MENU, BOILERPLATE) == BOILERPLATE
        assert verdicts.get(BIO, UNDECIDED) == UNDECIDED
        full = document.upstream == "fullpage"
        assert document.weight == WEIGHT_OF_OTHER * (WEIGHT_OF_FULL_PAGE if full else 1)
        assert set(document.kinds) == {None}
