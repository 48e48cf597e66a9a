"""Lines are labelled by the gold text alone, and doubt is said aloud."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner.training.align import BOILERPLATE, CONTENT, UNDECIDED, align, words

GOLD = """What next?
The council will vote on the new bridge in May, the mayor said.
Nobody else spoke that night, as far as we know."""


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("The council will vote on the new bridge in May, the mayor said.", CONTENT),
        ("THE COUNCIL WILL VOTE ON THE NEW BRIDGE IN MAY — the mayor said", CONTENT),
        ("What next?", CONTENT),
        ("Sign up for our letters and never miss a story again", BOILERPLATE),
        ("Share", BOILERPLATE),
        ("May", UNDECIDED),
        ("the mayor", UNDECIDED),
        ("***", UNDECIDED),
        ("", UNDECIDED),
        ("The council will vote on the new bridge in May. Sign up for our letters and miss nothing of it", UNDECIDED),
    ],
)
def test_a_line_alone(line, label):
    assert align([line], GOLD) == [label]


def test_the_title_cannot_be_told():
    assert align(["What next?", "Nobody else spoke that night, as far as we know."], GOLD, "What next") == [
        UNDECIDED,
        CONTENT,
    ]


def test_a_repeat_that_the_gold_text_does_not_have_cannot_be_told():
    line = "Nobody else spoke that night, as far as we know."
    assert align([line, line], GOLD) == [CONTENT, UNDECIDED]
    assert align([line, line], f"{GOLD}\n{line}") == [CONTENT, CONTENT]
    assert align(["What next?", "What next?"], GOLD) == [CONTENT, UNDECIDED]


def test_scripts_without_spaces_are_compared_by_letter():
    gold = "市議会は火曜日に新しい橋について投票した。"
    assert align(["市議会は火曜日に新しい橋について投票した。", "会員登録はこちら無料です"], gold) == [
        CONTENT,
        BOILERPLATE,
    ]
    assert words("東京 and Café") == ["東", "京", "and", "café"]


def test_no_gold_no_content():
    assert align(["The council will vote on it.", "Share"], "") == [BOILERPLATE, BOILERPLATE]
    assert align([], GOLD) == []


LINES = st.lists(st.text("abc A.?\u4e00é", max_size=30), max_size=8)


@given(LINES, st.text("abc A.?\n\u4e00é", max_size=100))
def test_every_line_gets_a_label(lines, gold):
    labels = align(lines, gold)
    assert len(labels) == len(lines)
    assert set(labels) <= {BOILERPLATE, CONTENT, UNDECIDED}


@given(st.lists(st.text("abcdefgh ", min_size=1, max_size=40).filter(str.strip), max_size=8, unique=True))
def test_the_gold_text_is_never_boilerplate(lines):
    assert BOILERPLATE not in align(lines, "\n".join(lines))


@given(LINES, st.text("abc \n", max_size=80))
def test_labels_do_not_depend_on_case(lines, gold):
    assert align([line.upper() for line in lines], gold.upper()) == align(lines, gold)
