"""Rests of documents: found by a sure line behind the article, and taken to the end."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner.tails import FEWEST_BEFORE, LEAST_MEAN, LEAST_MEAN_OF_TALK, LEAST_TALK, SURE, tail_lines

# What a line of a document may be: its score, whether it looks like a comment, and whether it is a paragraph.
MARKS = {
    "H": (SURE, True, False),
    "h": (SURE - 0.01, True, False),
    "A": (SURE, False, False),
    "c": (LEAST_MEAN_OF_TALK, True, False),
    "d": (0.0, True, False),
    "x": (LEAST_MEAN_OF_TALK, False, False),
    "m": (LEAST_MEAN, False, False),
    "P": (0.0, False, True),
}
ARTICLE = "P" * FEWEST_BEFORE


def rests(*documents, kept=""):
    """The documents, strings of marks, with ``-`` for every line of a rest and ``~`` for every one among comments."""
    lines = [MARKS[mark] for document in documents for mark in document]
    scores, comments, paragraphs = (np.array([line[column] for line in lines]) for column in range(3))
    goes = np.array([mark not in kept for document in documents for mark in document], bool)
    offsets = np.cumsum([0, *map(len, documents)])
    lengths = np.full(len(lines), 10)
    found = tail_lines(scores.astype(float), goes, comments.astype(bool), paragraphs.astype(bool), lengths, offsets)
    flags = zip(*(part.tolist() for part in found), "".join(documents), strict=True)
    marks = ["~" if talk else "-" if tail else mark for tail, talk, mark in flags]
    return ["".join(marks[a:b]) for a, b in pairwise(offsets)]


@pytest.mark.parametrize(
    ("document", "left"),
    [
        (f"{ARTICLE}Hccc", f"{ARTICLE}H~~~"),
        (f"{ARTICLE}Hcccx", f"{ARTICLE}Hcccx"),
        (f"{ARTICLE}Hccccx", f"{ARTICLE}H~~~~~"),
        (f"{ARTICLE}xHcc", f"{ARTICLE}xH~~"),
        (f"{ARTICLE}PxxHHcc", f"{ARTICLE}PxxH~~~"),
        (f"{ARTICLE}H", f"{ARTICLE}H"),
        (f"{ARTICLE}Amm", f"{ARTICLE}A--"),
        (f"{ARTICLE}AxA", f"{ARTICLE}AxA"),
        (f"{ARTICLE}xAmA", f"{ARTICLE}xA--"),
        (f"{ARTICLE}AmHcc", f"{ARTICLE}AmH~~"),
    ],
)
def test_a_rest_goes_to_the_end_when_it_is_clear_as_a_whole(document, left):
    assert LEAST_TALK == 0.8
    assert rests(document) == [left]


@pytest.mark.parametrize(
    "document",
    [
        "",
        ARTICLE,
        f"{ARTICLE[1:]}Hccc",  # a counter under the title
        f"{ARTICLE[1:]}Ammm",
        f"{ARTICLE}hccc",
        f"{ARTICLE}Accc",
        f"{ARTICLE}Hddd",  # nothing in it is like boilerplate
        f"{ARTICLE}Hc{ARTICLE}",  # the article goes on
        f"{ARTICLE}AmPm",
    ],
)
def test_what_is_no_rest_stays(document):
    assert rests(document) == [document]


def test_a_kind_that_is_kept_opens_nothing_and_stays():
    assert rests(f"{ARTICLE}Amm", kept="A") == [f"{ARTICLE}Amm"]
    assert rests(f"{ARTICLE}Hccccx", kept="x") == [f"{ARTICLE}H~~~~x"]


def test_lines_count_by_their_length():
    scores, comments = np.array([0, 0, 0, SURE, 0.5, 0.5]), np.array([0, 0, 0, 1, 1, 0], bool)
    paragraphs, offsets, goes = np.array([1, 1, 1, 0, 0, 0], bool), np.array([0, 6]), np.ones(6, bool)
    found = [
        int(tail_lines(scores, goes, comments, paragraphs, np.array([9, 9, 9, 9, size, 20]), offsets)[1].sum())
        for size in (79, 80)
    ]
    assert found == [0, 2]


@given(st.lists(st.text(list(MARKS), max_size=12), max_size=4))
def test_documents_are_judged_apart(documents):
    assert rests(*documents) == [rests(document)[0] for document in documents]
