"""How a block looks beside others: whole numbers within their bounds, and sums that are what their names say."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import PAGE, markups, read

from cleaner.context import SCORE_LIMIT
from cleaner.features import log_scale
from cleaner.page import surroundings
from cleaner.page.evidence import SHARE
from cleaner.page.surroundings import expected_f1, first_bounds, first_columns, second_bounds, second_columns

TEXT_HEADS, PATH_HEADS = 3, 2
HEADS = TEXT_HEADS + PATH_HEADS


def scores_of(blocks, seed, *, extreme=False):
    """Scores of both models for some blocks, and what a first pass could have said of them."""
    draw = np.random.default_rng(seed)
    if extreme:
        values = draw.choice([-SCORE_LIMIT, SCORE_LIMIT], (HEADS, blocks))
        doubt = draw.choice([0.0, 1.0], blocks)
    else:
        values = draw.integers(-SCORE_LIMIT, SCORE_LIMIT + 1, (HEADS, blocks))
        doubt = np.round(draw.uniform(0, 1, blocks), 4)
    text, path = np.split(values.astype(np.int32), [TEXT_HEADS])
    return text, path, doubt


def columns_of(markup, seed=1, *, extreme=False):
    _, lines, features, evidence = read(markup)
    text, path, doubt = scores_of(len(lines), seed, extreme=extreme)
    first = first_columns(text, path, evidence, features)
    return first, second_columns(first, doubt, evidence, features)


def check(columns, bounds):
    assert columns.dtype == np.float32
    assert len(columns) == len(bounds)
    assert np.array_equal(columns, np.rint(columns))
    if columns.shape[1]:
        over = abs(columns).max(axis=1) > np.array(bounds)
        assert not over.any(), np.flatnonzero(over)


# Laws


@settings(max_examples=150, deadline=None)
@given(markups, st.integers(0, 1000), st.booleans())
def test_columns_are_whole_numbers_within_their_bounds(markup, seed, extreme):
    first, second = columns_of(markup, seed, extreme=extreme)
    check(first, first_bounds(HEADS))
    check(second, second_bounds(HEADS))


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize(
    "block", ["<p>x</p>", "<div>" * 9 + "x" + "</div>" * 9, "<li><a>" + "x" * 4000 + "</a></li>", "<p>\u200b</p>"]
)
def test_columns_of_thousands_of_blocks_stay_within_their_bounds(block, extreme):
    first, second = columns_of(block * 9000, 5, extreme=extreme)
    check(first, first_bounds(HEADS))
    check(second, second_bounds(HEADS))


@settings(max_examples=30, deadline=None)
@given(markups)
def test_the_same_page_has_the_same_columns(markup):
    for one, other in zip(columns_of(markup), columns_of(markup), strict=True):
        assert np.array_equal(one, other)


def test_a_page_without_blocks_has_no_columns_to_fill():
    first, second = columns_of("<html><body></body></html>")
    assert first.shape == (len(first_bounds(HEADS)), 0)
    assert second.shape == (len(second_bounds(HEADS)), 0)


def test_the_first_columns_are_both_scores_together_and_then_apart():
    _, lines, features, evidence = read(PAGE)
    text, path, _ = scores_of(len(lines), 3)
    text[0, :2], path[0, :2] = SCORE_LIMIT, [SCORE_LIMIT, -SCORE_LIMIT]
    first = first_columns(text, path, evidence, features)
    assert first[0, :2].tolist() == [SCORE_LIMIT, 0]
    assert np.array_equal(first[0], np.clip(text[0] + path[0], -SCORE_LIMIT, SCORE_LIMIT))
    assert np.array_equal(first[1 : 1 + HEADS], [*text, *path])


def test_the_second_pass_sees_what_the_first_saw():
    first, second = columns_of(PAGE)
    assert np.array_equal(second[: len(first)], first)


def test_containers_are_seen_as_means_of_their_text():
    _, _, features, evidence = read(PAGE)
    value = np.arange(8) * 10 - 30
    rows = surroundings._containers([value], evidence, features).reshape(-1, 3, 8)
    text = features.lengths
    # The last story of the box and its list: one block, then two, then the whole article.
    for level, (begin, end) in enumerate([(6, 7), (5, 7), (1, 7), (0, 8), (0, 8)]):
        size, share, mean = rows[level, :, 6]
        length = text[begin:end].sum()
        assert size == log_scale(np.array([end - begin]))[0]
        assert share == length * SHARE // text.sum()
        assert mean == (value * text)[begin:end].sum() // length


def test_blocks_of_one_shape_are_counted_together():
    shape = np.array([0, 1, 0, 2])
    logit, share, text = np.array([10, -20, 31, 5]), np.array([1, 2, 4, 8]), np.array([100, 0, 300, 100])
    number, length, mean_length, by_text, shares, mean = surroundings._alike(shape, logit, share, text)
    log = lambda *counts: log_scale(np.array(counts)).tolist()  # noqa: E731
    assert number.tolist() == log(2, 1, 2, 1)
    assert length.tolist() == [400 * SHARE // 500, 0, 400 * SHARE // 500, 100 * SHARE // 500]
    assert mean_length.tolist() == log(200, 0, 200, 100)
    assert by_text.tolist() == [(1000 + 9300) // 400, 0, (1000 + 9300) // 400, 5]
    assert shares.tolist() == [1300 // 400, 0, 1300 // 400, 8]
    assert mean.tolist() == [41 // 2, -20, 41 // 2, 5]


@given(st.lists(st.integers(-SCORE_LIMIT, SCORE_LIMIT), max_size=50))
def test_neighbours_are_means_of_windows_and_single_blocks(values):
    rows = surroundings._neighbours(np.array(values, np.int64))
    places = range(len(values))
    expected = []
    for before, behind in surroundings._WINDOWS:
        windows = [values[max(place - before, 0) : place + behind + 1] for place in places]
        expected.append([sum(window) // max(len(window), 1) for window in windows])
    padded = [0] * 3 + values + [0] * 3
    expected += [padded[3 + step :][: len(values)] for step in surroundings._NEAR]
    assert rows.tolist() == expected


# Where the article seems to be

WORTH = st.lists(st.integers(-5, 5), max_size=12)


@given(WORTH.filter(bool))
def test_the_best_run_is_worth_as_much_as_any(worth):
    begin, end = surroundings._best_run(np.array(worth, np.int64))
    assert 0 <= begin < end <= len(worth)
    runs = combinations(range(len(worth) + 1), 2)
    assert sum(worth[begin:end]) == max(sum(worth[one:other]) for one, other in runs)


def test_no_blocks_have_no_best_run():
    assert surroundings._best_run(np.zeros(0, np.int64)) == (0, 0)


@given(WORTH, st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=6))
def test_the_best_element_is_worth_most_and_is_the_smallest_that_is(worth, pairs):
    spans = [sorted((min(one, len(worth)), min(other, len(worth)))) for one, other in pairs]
    begin, end = surroundings._best_element(np.array(spans, np.intp).reshape(-1, 2).T, np.array(worth, np.int64))
    if not spans:
        assert (begin, end) == (0, len(worth))
        return
    value = lambda span: (sum(worth[span[0] : span[1]]), span[0] - span[1])  # noqa: E731
    assert [begin, end] in spans
    assert value((begin, end)) == max(map(value, spans))


def test_an_extent_says_how_far_in_and_how_far_out_a_block_is():
    inside, into, away, holds = surroundings._extent((2, 4), 6).astype(int).tolist()
    assert inside == [0, 0, 1, 1, 0, 0]
    assert into == [0, 0, 0, SHARE // 2, 0, 0]
    one, two = log_scale(np.array([1, 2])).tolist()
    assert away == [-two, -one, 0, 0, one, two]
    assert holds == [SHARE * 2 // 6] * 6


@pytest.mark.parametrize("span", [(0, 0), (3, 3), (5, 5)])
def test_an_extent_of_nothing_holds_no_block(span):
    inside, _, away, holds = surroundings._extent(span, 5).astype(int).tolist()
    assert inside == holds == [0] * 5
    assert all(away)


# Expected F1

PAGES = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 500)), min_size=1, max_size=8)


def f1_of(kept, content, lengths):
    """What keeping some blocks lets expect: twice the text that is both, through all that is either."""
    kept = list(kept)
    both = 2 * (content[kept] * lengths[kept]).sum()
    return both / (lengths[kept].sum() + (content * lengths).sum()) if kept else 0.0


@given(PAGES)
def test_no_choice_of_blocks_lets_expect_a_better_f1(page):
    boilerplate, lengths = (np.array(values) for values in zip(*page, strict=True))
    best, limit = expected_f1(boilerplate, lengths)
    choices = (kept for size in range(len(page) + 1) for kept in combinations(range(len(page)), size))
    assert best == pytest.approx(max(f1_of(kept, 1 - boilerplate, lengths) for kept in choices))
    assert 0 <= best <= 1 + 1e-9
    assert limit == best / 2


@given(PAGES)
def test_keeping_what_reaches_the_limit_has_that_f1(page):
    boilerplate, lengths = (np.array(values) for values in zip(*page, strict=True))
    best, limit = expected_f1(boilerplate, lengths)
    content = 1 - boilerplate
    assert f1_of(np.flatnonzero(content >= limit - 1e-9), content, lengths) == pytest.approx(best)


def test_a_clear_page_asks_for_a_half_and_a_doubtful_one_for_less():
    lengths = np.full(4, 100)
    assert expected_f1(np.array([0.0, 0.0, 1.0, 1.0]), lengths) == (1.0, 0.5)
    assert expected_f1(np.full(4, 0.7), lengths)[1] < 0.25
    assert expected_f1(np.ones(4), lengths) == (0.0, 0.0)


def test_no_blocks_let_expect_nothing():
    assert expected_f1(np.zeros(0), np.zeros(0, np.intp)) == (0.0, 0.0)


def test_blocks_without_text_hardly_count():
    best, _ = expected_f1(np.array([0.1, 0.1, 0.9]), np.array([100, 100, 0]))
    assert best == pytest.approx(expected_f1(np.array([0.1, 0.1]), np.array([100, 100]))[0], abs=0.01)


def test_the_last_columns_are_the_verdict_and_what_it_means_for_the_page():
    _, lines, features, evidence = read(PAGE)
    text, path, _ = scores_of(len(lines), 3)
    doubt = np.array([1.0, 0.5, 0.0, 0.1, 0.2, 0.9, 0.95, 0.99])
    second = second_columns(first_columns(text, path, evidence, features), doubt, evidence, features)
    logit, expected, content, kept = second[-4:].astype(int)
    best, limit = expected_f1(doubt, features.lengths)
    assert logit[:3].tolist() == [SCORE_LIMIT, 0, -SCORE_LIMIT]
    assert (np.diff(logit[2:]) > 0).all()
    assert set(expected) == {int(best * SHARE)}
    assert set(content) == {int(((1 - doubt) * features.lengths).sum() / features.lengths.sum() * SHARE)}
    assert kept.tolist() == (doubt <= 1 - limit).tolist()
