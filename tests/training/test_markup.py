"""The blocks of pages are labelled by gold text, readers and snippets, and doubt is said aloud."""

import json
import lzma

import numpy as np
import pytest
from invented import PAGE, STORY, TITLE, read

from cleaner.document import Kind
from cleaner.errors import InputError
from cleaner.training.align import BOILERPLATE, CONTENT, UNDECIDED
from cleaner.training.labels import Annotations, Reading, line_hash
from cleaner.training.markup import MARKED_CORPORA, NEWS_CORPUS, WEIGHT_OF_NEWS, WEIGHT_OF_WEAK, read_marked_pages
from cleaner.training.pages import MIXED_CORPUS
from cleaner.training.text import paths_of

LINES = ["Home News", TITLE, *STORY, "Ferry to Pell is late", "Rain on Sunday", "Made in Pell"]
NOBODY = Annotations({}, {})
ROW = {"id": "own/bridge", "domain": "pell.example", "title": TITLE, "html": PAGE}
GOLD = ROW | {"gold": "\n".join(STORY)}


def marked(folder, *rows, corpus=NEWS_CORPUS, annotations=NOBODY, readings=None, texts=None):
    """The pages that training makes of some rows of a corpus."""
    for name in MARKED_CORPORA:
        with lzma.open(folder / name, "wt", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row)}\n" for row in rows if name == corpus)
    return read_marked_pages(folder, annotations, readings or {}, texts or {})


def told(folder, row, **how):
    """The label and the kind of each block of one page."""
    (page,) = marked(folder, row, **how)
    document = page.document
    assert document.lines == LINES
    return dict(zip(LINES, zip(document.labels, document.kinds, strict=True), strict=True))


def test_blocks_are_labelled_by_the_gold_text(tmp_path):
    said = told(tmp_path, GOLD)
    assert [said[line] for line in STORY] == [(CONTENT, None)] * 3
    assert [said[line] for line in LINES[-3:]] == [(BOILERPLATE, None)] * 3
    assert said[LINES[0]] == (BOILERPLATE, None)


def test_the_title_is_metadata_wherever_it_stands(tmp_path):
    assert told(tmp_path, GOLD)[TITLE] == (BOILERPLATE, Kind.HEADLINE)
    assert told(tmp_path, GOLD | {"gold": f"{TITLE}\n{GOLD['gold']}"})[TITLE] == (BOILERPLATE, Kind.HEADLINE)
    assert told(tmp_path, ROW)[TITLE] == (BOILERPLATE, Kind.HEADLINE)
    assert told(tmp_path, GOLD | {"title": None})[TITLE] == (BOILERPLATE, None)


def test_a_page_remembers_where_it_comes_from(tmp_path):
    (page,) = marked(tmp_path, GOLD)
    document = page.document
    assert (document.page, document.site, document.upstream) == ("own/bridge", "pell.example", "page")
    assert document.gold == GOLD["gold"]
    assert marked(tmp_path, ROW)[0].document.gold is None


def test_readers_name_the_kinds_and_where_they_disagree_neither_is_trusted(tmp_path):
    said = {LINES[0]: Kind.NAVIGATION, STORY[2]: Kind.BIO, LINES[5]: Kind.CONTENT}
    annotations = Annotations({("own/bridge", line_hash(line)): kind for line, kind in said.items()}, {})
    labelled = told(tmp_path, GOLD, annotations=annotations)
    assert labelled[LINES[0]] == (BOILERPLATE, Kind.NAVIGATION)
    assert labelled[STORY[2]] == labelled[LINES[5]] == (UNDECIDED, None)
    assert labelled[STORY[0]] == (CONTENT, None)


def test_what_readers_said_elsewhere_of_boilerplate_counts_here(tmp_path):
    annotations = Annotations({}, {line_hash("made in pell"): Kind.LEGAL})
    assert told(tmp_path, GOLD, annotations=annotations)["Made in Pell"] == (BOILERPLATE, Kind.LEGAL)


def test_a_page_that_was_read_whole_is_labelled_by_its_reader(tmp_path):
    kinds = {line_hash(line): Kind.CONTENT for line in STORY[:2]} | {line_hash("Rain on Sunday"): Kind.RELATED}
    reading = Reading(True, kinds, frozenset({line_hash("Made in Pell")}))
    labelled = told(tmp_path, ROW, readings={"own/bridge": reading}, texts={"own/bridge": "\n".join(STORY)})
    assert [labelled[line] for line in STORY[:2]] == [(CONTENT, Kind.CONTENT)] * 2
    assert labelled["Rain on Sunday"] == (BOILERPLATE, Kind.RELATED)
    assert labelled["Made in Pell"][0] == UNDECIDED
    # What was cut in another way when it was read is known by the text of the article.
    assert labelled[STORY[2]] == (CONTENT, None)
    assert labelled[LINES[0]] == (BOILERPLATE, None)
    # A reader of another page says nothing of this one.
    assert told(tmp_path, ROW, readings={"own/ferry": reading})[STORY[0]] == (UNDECIDED, None)


def test_the_gold_text_counts_more_than_a_reading(tmp_path):
    reading = Reading(True, {line_hash(STORY[0]): Kind.BIO}, frozenset())
    assert told(tmp_path, GOLD, readings={"own/bridge": reading})[STORY[0]] == (CONTENT, None)


def test_snippets_say_something_of_the_blocks_that_hold_one(tmp_path):
    labelled = told(tmp_path, ROW | {"with": [STORY[0][9:40]], "without": ["Ferry to", "Home News"]})
    assert labelled[STORY[0]] == (CONTENT, None)
    assert labelled[LINES[5]] == labelled[LINES[0]] == (BOILERPLATE, None)
    assert labelled[STORY[1]] == labelled["Rain on Sunday"] == (UNDECIDED, None)


def test_news_weighs_more_and_what_a_reader_mode_left_less(tmp_path):
    weak = GOLD | {"gold_html": "<p>"}
    assert marked(tmp_path, GOLD)[0].document.weight == WEIGHT_OF_NEWS
    assert marked(tmp_path, GOLD, corpus=MIXED_CORPUS)[0].document.weight == 1
    assert marked(tmp_path, weak, corpus=MIXED_CORPUS)[0].document.weight == WEIGHT_OF_WEAK < 1


@pytest.mark.parametrize("html", ["", "<script>x()</script>", "<!-- -->", "<html><body></body></html>"])
def test_a_page_without_text_is_one_without_blocks(tmp_path, html):
    pages = marked(tmp_path, GOLD | {"html": html}, GOLD | {"id": "own/ferry"})
    assert [(page.document.page, len(page.document.lines)) for page in pages] == [("own/bridge", 0), ("own/ferry", 8)]
    assert len(pages[0].evidence.element) == 0


def test_the_evidence_is_what_serving_reads(tmp_path):
    (page,) = marked(tmp_path, GOLD)
    evidence = read(PAGE).evidence
    assert paths_of(page.evidence) == paths_of(evidence)
    for mine, yours in zip(page.evidence[2:], evidence[2:], strict=True):
        assert np.array_equal(mine, yours)
    assert np.array_equal(page.evidence.columns, evidence.columns)


@pytest.mark.parametrize("name", MARKED_CORPORA)
def test_a_corpus_that_cannot_be_read_is_named(tmp_path, name):
    marked(tmp_path, GOLD)
    (tmp_path / name).unlink()
    with pytest.raises(InputError, match=name):
        read_marked_pages(tmp_path, NOBODY, {}, {})
