"""The neighbourhood of a line ends where its document does."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import features_of

from cleaner.context import SCORE_LIMIT, column_bounds, context_features
from cleaner.features import DENSE

LINES = [
    "The council met on Tuesday and voted for the bridge, as the mayor had asked it to do all the spring long.",
    "Share",
    "Read more",
    "",
]
DOCUMENT = st.lists(
    st.tuples(st.sampled_from(LINES), st.integers(-SCORE_LIMIT, SCORE_LIMIT), st.integers(-SCORE_LIMIT, SCORE_LIMIT)),
    max_size=60,
)


def columns_of(*documents):
    """The columns of each document; a document is a list of lines with the scores of two heads."""
    features = features_of(*([line for line, *_ in document] for document in documents))
    scores = np.array([scores for document in documents for _, *scores in document], np.int32).reshape(-1, 2).T
    return np.split(context_features(scores, features), features.offsets[1:-1], axis=1)


@settings(max_examples=200, deadline=None)
@given(DOCUMENT.filter(bool), st.lists(DOCUMENT.filter(bool), max_size=3), st.lists(DOCUMENT.filter(bool), max_size=3))
def test_a_document_has_the_same_columns_alone_and_between_others(document, before, behind):
    (alone,) = columns_of(document)
    assert np.array_equal(columns_of(*before, document, *behind)[len(before)], alone)


def test_the_most_certain_neighbours_do_not_reach_over():
    document = [(LINES[0], -10, 0)] * 5
    (alone,) = columns_of(document)
    wall = [(LINES[1], SCORE_LIMIT, SCORE_LIMIT)] * 50
    for before, behind in (([wall], []), ([], [wall]), ([wall, wall], [wall])):
        assert np.array_equal(columns_of(*before, document, *behind)[len(before)], alone)


def test_documents_without_lines_change_nothing():
    document = [(LINES[0], -10, 0), (LINES[1], 90, 3)]
    (alone,) = columns_of(document)
    assert np.array_equal(columns_of([], document, [], [])[1], alone)


def test_every_line_sees_its_neighbours_scores():
    quiet = [(LINES[0], -10, 0)] * 9
    for other in range(9):
        loud = quiet.copy()
        loud[other] = (LINES[0], 100, 0)
        changed = np.any(columns_of(quiet)[0] != columns_of(loud)[0], axis=0)
        assert changed[max(other - 4, 0) : other + 5].all()


def test_columns_begin_with_the_scores_and_the_shape_of_the_line():
    document = [(LINES[0], -10, 7), (LINES[1], 90, 3)]
    (columns,) = columns_of(document)
    assert columns.dtype == np.float32
    assert columns[:2].tolist() == [[-10, 90], [7, 3]]
    assert np.array_equal(columns[2 : 2 + len(DENSE)], features_of([line for line, *_ in document]).dense)


def test_columns_are_finite_small_integers():
    (columns,) = columns_of([(LINES[i % 4], (-1) ** i * SCORE_LIMIT, SCORE_LIMIT) for i in range(20_000)])
    assert np.isfinite(columns).all()
    assert np.array_equal(columns, np.rint(columns))
    assert abs(columns).max() < 2**24


@settings(max_examples=100, deadline=None)
@given(st.lists(DOCUMENT.filter(bool), min_size=1, max_size=3))
def test_columns_stay_within_their_bounds(documents):
    bounds = np.array(column_bounds(2))
    for columns in columns_of(*documents):
        assert len(columns) == len(bounds)
        assert (abs(columns).max(axis=1) <= bounds).all()


def test_extreme_lines_stay_within_their_bounds():
    lines = [
        "x" * 100_000,
        "A1." * 9000,
        "…" * 500,
        "(" * 500,
        "会" * 9000,
        "",
        "1" * 500,
        ". " * 9000,
        "@#©/" * 200,
        "A " * 9000,
    ]
    document = [(line, score, -score) for line in lines for score in (-SCORE_LIMIT, SCORE_LIMIT)] * 500
    assert (abs(columns_of(document)[0]).max(axis=1) <= np.array(column_bounds(2))).all()


def test_the_last_columns_are_the_highest_scores_so_far():
    first, second = columns_of([(LINES[1], -10, 7), (LINES[1], 90, -3), (LINES[1], 20, 9)], [(LINES[1], -50, 0)] * 2)
    assert first[-2:].tolist() == [[-SCORE_LIMIT, -10, 90], [-SCORE_LIMIT, 7, 7]]
    assert second[-2:].tolist() == [[-SCORE_LIMIT, -50], [-SCORE_LIMIT, 0]]
