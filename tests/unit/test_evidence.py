"""What the elements of a page say of its blocks: whole numbers within their bounds, the same each time."""

import numpy as np
import pytest
from hypothesis import given, settings
from invented import PAGE, STORY, TITLE, json_ld, markups, read

from cleaner.features import log_scale
from cleaner.page.evidence import AROUND, COLUMN_BOUNDS, COLUMNS, LEVELS, OTHERS, SHARE, TAGS

TAG_COLUMNS = slice(0, len(TAGS))
HOME, HEADING, FIRST, LAST, MORE, FOOTER = 0, 1, 2, 4, 5, 7


@pytest.fixture(scope="module")
def evidence():
    """What is known of the page to look at closely."""
    return read(PAGE).evidence


def column(markup, name):
    return read(markup).evidence.column(name).tolist()


# Laws


@settings(max_examples=150, deadline=None)
@given(markups)
def test_columns_stay_within_their_bounds(markup):
    page, lines, _, evidence = read(markup)
    assert evidence.columns.dtype == np.int32
    assert evidence.columns.shape == (len(COLUMNS), len(lines)) == (len(COLUMN_BOUNDS), len(page.texts))
    assert (evidence.columns >= 0).all()
    assert (evidence.columns <= np.array(COLUMN_BOUNDS)[:, None]).all()
    assert (evidence.columns[TAG_COLUMNS].sum(axis=0) == 1).all()


@settings(max_examples=100, deadline=None)
@given(markups)
def test_every_block_has_its_path_and_its_containers(markup):
    page, lines, _, evidence = read(markup)
    blocks = np.arange(len(lines))
    assert evidence.element.tolist() == page.element
    begin, end = evidence.containers[:, 0], evidence.containers[:, 1]
    assert evidence.containers.shape == (LEVELS, 2, len(lines))
    assert ((begin <= blocks) & (blocks < end)).all()
    # Each holds the one before it.
    assert (np.diff(begin, axis=0) <= 0).all() and (np.diff(end, axis=0) >= 0).all()
    assert evidence.spans.shape == (2, len(page.tags))
    assert (evidence.spans[0] <= evidence.spans[1]).all() and (evidence.spans <= len(lines)).all()


@settings(max_examples=50, deadline=None)
@given(markups)
def test_a_page_read_twice_says_the_same(markup):
    one, other = read(markup).evidence, read(markup).evidence
    assert one.paths.own == other.paths.own
    for mine, yours in zip(one[2:], other[2:], strict=True):
        assert np.array_equal(mine, yours)
    assert np.array_equal(one.columns, other.columns)


def test_a_page_without_blocks_says_nothing():
    evidence = read("<html><head><title>Bridge</title></head><body><script>x()</script></body></html>").evidence
    assert evidence.columns.shape == (len(COLUMNS), 0)
    assert evidence.containers.shape == (LEVELS, 2, 0)
    assert evidence.element.tolist() == []


@pytest.mark.parametrize("head", ["", "<title>Bridge</title>", '<meta name="description" content="A bridge">'])
def test_a_block_of_nothing_that_can_be_seen(head):
    markup = f"{head}<p>\u200b</p><p>{STORY[0]}"
    page = read(markup)
    assert page.lines == ["", STORY[0]]
    assert page.evidence.column("like_title").tolist() == page.evidence.column("like_summary").tolist() == [0, 0]


# Elements


def test_the_innermost_element_is_told_by_its_tag(evidence):
    told = [[name for name in TAGS if evidence.column(f"is_{name}")[block]] for block in range(8)]
    assert told == [["other"], ["h1"], ["p"], ["p"], ["p"], ["a"], ["a"], ["other"]]


def test_elements_around_are_told_one_by_one(evidence):
    around = lambda block: {name for name in AROUND if evidence.column(f"in_{name}")[block]}  # noqa: E731
    assert around(HOME) == {"nav"}
    assert around(HEADING) == around(FIRST) == {"main", "article"}
    assert around(MORE) == {"main", "article", "ul", "a"}
    assert around(FOOTER) == {"footer"}


def test_depth_is_counted_from_the_root_and_cut_off(evidence):
    assert evidence.column("depth")[[HOME, FIRST]].tolist() == [6 * 2, 6 * 4]
    assert column("<div>" * 100 + "deep", "depth") == [OTHERS["depth"]]


def test_shares_are_of_the_text_of_a_block(evidence):
    assert evidence.column("linked")[[FIRST, MORE]].tolist() == [0, SHARE]
    assert evidence.column("all_linked")[[HOME, FIRST, MORE]].tolist() == [1, 0, 1]
    assert evidence.column("links")[[HOME, FIRST, MORE]].tolist() == log_scale(np.array([2, 0, 1])).tolist()
    assert column("<p><a href=x>half</a>half", "linked") == [SHARE // 2]
    assert column("<p><b>half</b>half<p>none", "bold") == [SHARE // 2, 0]
    assert column("<p>one<br>two", "broken") == [0, 1]


def test_containers_grow_from_the_element_to_the_page(evidence):
    spans = lambda block: [tuple(span) for span in evidence.containers[:, :, block].tolist()]  # noqa: E731
    assert spans(FIRST) == [(2, 3), (1, 7), (0, 8), (0, 8), (0, 8)]
    assert spans(MORE) == [(5, 6), (5, 7), (1, 7), (0, 8), (0, 8)]


def test_spans_are_those_of_all_elements(evidence):
    page = read(PAGE).page
    span = lambda tag: evidence.spans[:, page.tags.index(tag)].tolist()  # noqa: E731
    assert [span(tag) for tag in ("body", "nav", "article", "ul", "footer")] == [[0, 8], [0, 1], [1, 7], [5, 7], [7, 8]]


def test_blocks_of_one_make_share_their_shape(evidence):
    shape = evidence.shape.tolist()
    assert shape[FIRST] == shape[FIRST + 1] == shape[LAST]
    assert shape[MORE] == shape[MORE + 1]
    assert len(set(shape)) == 5
    other = read("<div class=a><p>one</div><div class=b><p>two</div><div class=a><p>three").evidence.shape.tolist()
    assert other[0] == other[2] != other[1]


# The head


def test_a_block_like_the_title_is_found_and_what_follows_it(evidence):
    assert evidence.column("like_title").argmax() == HEADING
    assert evidence.column("like_title")[HEADING] == SHARE
    assert evidence.column("has_title").tolist() == [1] * 8
    assert evidence.column("behind_title").tolist() == [0, 0, 1, 1, 1, 1, 1, 1]
    assert evidence.column("title_distance").tolist() == log_scale(np.array([1, 0, 1, 2, 3, 4, 5, 6])).tolist()


def test_without_a_title_the_first_large_heading_is_it():
    page = f"<title>Something else</title><p>one<h1>{TITLE}</h1><p>two<h1>three</h1>"
    assert column(page, "behind_title") == [0, 0, 1, 1]
    assert column(page.replace("h1", "h3"), "has_title") == [0] * 4
    assert column(page.replace("h1", "h3"), "title_distance") == [0] * 4


def test_words_count_for_likeness_and_case_does_not():
    title = "<title>Council votes for the bridge</title>"
    assert column(f"{title}<p>COUNCIL VOTES: for the “bridge”<p>Council votes<p>Rain", "like_title") == [
        SHARE,
        2 * SHARE * 2 // (2 + 5),
        0,
    ]
    assert column(f"{title}<p>{STORY[0] * 3}", "like_title") == [0]  # too long to be one


def test_the_summary_is_looked_for_like_the_title():
    head = f'<meta name="description" content="{STORY[1]}">'
    assert column(f"{head}<p>one<p>{STORY[1]}", "like_summary") == [0, SHARE]


def test_a_body_in_json_ld_says_which_blocks_it_holds():
    body = "\n\n".join(STORY)
    blocks = (
        f"<p>Share<p>{STORY[0]}<p>{STORY[1]}  <p>{STORY[2]} Read more about the bridge that Pell is to have next year"
    )
    assert column(json_ld(body) + blocks, "in_body") == [0, SHARE, SHARE, SHARE // 2]
    assert column(json_ld(body) + blocks, "has_body") == [1] * 4
    # A body of which the page shows next to nothing says nothing of it.
    for other in (json_ld("Rain on Sunday. " * 50), json_ld("too short"), ""):
        assert column(other + blocks, "in_body") == column(other + blocks, "has_body") == [0] * 4
    assert column(json_ld(body) + f"<p>Share<p>{STORY[0]}", "has_body") == [0, 0]
