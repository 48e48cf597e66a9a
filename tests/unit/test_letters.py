"""Letters to the reader: found by their edges, taken whole, and only at the head or the tail of a document."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner.letters import (
    CLEAR,
    FEWEST_CLEAR,
    LEAST_EVIDENCE,
    MOST_BETWEEN,
    MOST_LINES,
    POSSIBLE,
    SURE,
    letter_lines,
)

# What a line of a document may be: its evidence, whether it pleads, is a paragraph, is speech, and opens a letter.
MARKS = {
    "!": (SURE, True, False, False, False),
    "s": (SURE, False, False, False, False),
    "c": (CLEAR, True, False, False, False),
    "p": (POSSIBLE, True, False, False, False),
    "P": (0.0, False, True, False, False),
    "-": (0.0, False, False, True, False),
    ":": (0.0, False, False, False, True),
    ".": (0.0, False, False, False, False),
}


def letters(*documents):
    """The letters in documents that are strings of marks, as the same strings with ``x`` for every line of a letter."""
    lines = [MARKS[mark] for document in documents for mark in document]
    evidence, *flags = (np.array([line[column] for line in lines]) for column in range(5))
    offsets = np.cumsum([0, *map(len, documents)])
    found = letter_lines(evidence.astype(float), *(flag.astype(bool) for flag in flags), offsets)
    marks = ["x" if taken else mark for taken, mark in zip(found.tolist(), "".join(documents), strict=True)]
    return ["".join(marks[a:b]) for a, b in pairwise(offsets)]


@pytest.mark.parametrize(
    ("document", "letter"),
    [
        ("PPPc!c", "PPPxxx"),
        ("c!cPPP", "xxxPPP"),
        ("PPc.!c", "PPxxxx"),
        ("PP:c!c", "PPxxxx"),
        ("PP..:c!c..", "PP..xxxx.."),
        ("PPp!ccp", "PPpxxxp"),
        ("PP:.c!c", "PP:.xxx"),
        ("PPcss", "PPxxx"),
        ("PP-c!c", "PP-xxx"),
    ],
)
def test_a_letter_at_an_edge_goes_whole(document, letter):
    assert letters(document) == [letter]


@pytest.mark.parametrize(
    "document",
    [
        "",
        "PPP",
        "c!c",  # nothing but the letter: whose is it?
        "PPc!cPP",  # in the midst of the article
        "PPccc",  # nobody asks clearly
        "PPccccccc",
        "PP!!",  # too few
        "PPp!pcp",
        "PPc....!....c",  # too far apart
        "PPc...c...!",  # too little evidence in the mean
        "c!cP!cc",
        "PPsss",  # an offer, and no plea
        "PPc-!-c",  # a dialogue
        "cPc!-cPc!",  # two letters, and no article that either stands before or behind
    ],
)
def test_what_is_no_letter_stays(document):
    assert letters(document) == [document]


def test_the_limits_are_what_they_say():
    assert FEWEST_CLEAR == 3
    assert letters(f"P!{'.' * MOST_BETWEEN}{'!' * 6}") == [f"P{'x' * (MOST_BETWEEN + 7)}"]
    apart = f"P!{'.' * (MOST_BETWEEN + 1)}{'!' * 6}"
    assert letters(apart) == [f"P!{'.' * (MOST_BETWEEN + 1)}{'x' * 6}"]
    assert letters("P" + "!" * MOST_LINES) == ["P" + "x" * MOST_LINES]
    assert letters("P" + "!" * (MOST_LINES + 1)) == ["P" + "!" * (MOST_LINES + 1)]


def test_a_letter_needs_evidence_in_the_mean():
    enough, too_little = "!.cc", "!..cc"
    means = [sum(MARKS[mark][0] for mark in run) / len(run) for run in (enough, too_little)]
    assert means[0] > LEAST_EVIDENCE > means[1]
    assert letters(f"P{enough}", f"P{too_little}") == ["Pxxxx", f"P{too_little}"]


def test_an_opening_belongs_to_its_own_document():
    assert letters("PP:", "c!cP") == ["PP:", "xxxP"]
    assert letters("PPc!", "cPP") == ["PPc!", "cPP"]


@given(st.lists(st.text(list(MARKS), max_size=12), max_size=4))
def test_documents_are_judged_apart(documents):
    assert letters(*documents) == [letters(document)[0] for document in documents]


@given(st.text(list(MARKS), max_size=30))
def test_a_letter_takes_no_paragraph_from_between_others_and_ends_clearly(document):
    found = letters(document)[0]
    taken = [i for i, mark in enumerate(found) if mark == "x"]
    if taken:
        assert document[taken[-1]] in "!sc"
        assert document[taken[0]] in "!sc:"
        assert sum(document[i] in "!sc" for i in taken) >= FEWEST_CLEAR
        assert {"!", "s"} & {document[i] for i in taken}
        assert "P" in found
    else:
        assert found == document
