"""From scores to the decisions on a page: the threshold that its scores ask for, and the last word of the caller."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import KINDS, REMOVABLE, features_of

from cleaner.document import Kind, Reason
from cleaner.model.scorer import Scores
from cleaner.options import Options
from cleaner.page.decision import CAUTION, decide_blocks, removed_kinds
from cleaner.page.surroundings import expected_f1

LINE = "The council of Pell met on Tuesday and voted for the new bridge."
PARAGRAPH = f"{LINE} The ferry will go on until the last stone has been laid down."


def lines_of(count):
    """Lines of one length, of which none is like another."""
    return [f"{LINE} ({number:03})" for number in range(count)]


def decided(values, kinds=None, lines=None, known=None, options=None):
    """Decide on blocks with these scores; they are adverts unless other kinds are given."""
    lines = lines or lines_of(len(values))
    best = [KINDS.index(kind) for kind in kinds or [Kind.ADVERT] * len(values)]
    scores = Scores(KINDS, np.array(values, float), np.array(best, np.intp), np.zeros(len(values), bool))
    return decide_blocks(scores, lines, features_of(lines), known or {}, options or Options())


# The threshold of a page


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([0.0, 0.0, 1.0], [True, True, False]),
        ([0.1, 0.39, 0.61, 0.9], [True, True, False, False]),
        # On a doubtful page the same block stays: nothing better is to be had.
        ([0.7, 0.7, 0.95, 0.95], [True, True, False, False]),
        # Blocks that are all alike stay while each is content with more than CAUTION - 1.
        ([0.79, 0.79], [True, True]),
        ([0.81, 0.81], [False, False]),
        ([1.0, 1.0], [False, False]),
        ([], []),
    ],
)
def test_a_page_is_kept_as_far_as_its_scores_promise(values, kept):
    decision = decided(values)
    assert decision.kept == kept
    assert decision.kinds == [Kind.CONTENT if stays else Kind.ADVERT for stays in kept]
    assert decision.scores == values
    assert set(decision.reasons) <= {Reason.MODEL}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_a_block_needs_a_little_more_than_the_best_f1_asks_for(values):
    _, limit = expected_f1(np.array(values), features_of(lines_of(len(values))).lengths)
    assert 1 < CAUTION < 2
    assert decided(values).kept == [value < 1 - CAUTION * limit for value in values]


def test_long_blocks_weigh_more():
    # Beside a long article the doubtful block is not worth its risk; beside a single line it is.
    values, doubtful = [0.0, 0.55], f"{LINE} (1)"
    assert decided(values, lines=[LINE * 50, doubtful]).kept == [True, False]
    assert decided([0.5, 0.55], lines=["x", doubtful]).kept == [True, True]


# The caller


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (Options(threshold=0.99), [True, True, True]),
        (Options(threshold=0.95), [True, True, False]),
        (Options(threshold=0.1), [False, False, False]),
        (Options(threshold=0.0), [False, False, False]),
        (Options(thresholds={"bio": 0.1}), [False, True, False]),
        (Options(thresholds={"advert": 0.99}), [True, True, True]),
        (Options(threshold=0.1, thresholds={"advert": 0.5}), [False, True, False]),
        (Options(keep=["bio"], threshold=0.1), [True, False, False]),
    ],
)
def test_a_threshold_of_the_caller_counts_alone(options, kept):
    assert decided([0.2, 0.3, 0.95], [Kind.BIO, Kind.ADVERT, Kind.ADVERT], options=options).kept == kept


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from(REMOVABLE)), min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_threshold_keeps_more(blocks, one, other):
    values, kinds = zip(*blocks, strict=True)
    low, high = (decided(values, kinds, options=Options(threshold=limit)).kept for limit in sorted((one, other)))
    assert all(more or not stays for stays, more in zip(low, high, strict=True))


def test_the_title_of_a_page_goes_unless_it_is_asked_for():
    values, kinds = [1.0, 0.0, 1.0], [Kind.HEADLINE, Kind.ADVERT, Kind.ADVERT]
    assert decided(values, kinds).kept == [False, True, False]
    assert decided(values, kinds, options=Options(remove=["headline"])).kept == [False, True, False]
    asked = decided(values, kinds, options=Options(keep=["headline"]))
    assert asked.kept == [True, True, False]
    assert asked.kinds == [Kind.HEADLINE, Kind.CONTENT, Kind.ADVERT]
    assert Kind.HEADLINE in removed_kinds(Options(keep=["caption"]))
    assert removed_kinds(Options(keep=["headline"])) == removed_kinds(Options()) - {Kind.HEADLINE}


def test_kinds_that_the_caller_keeps_stay_in_his_name():
    decision = decided([0.0, 1.0, 1.0], [Kind.BIO, Kind.CAPTION, Kind.ADVERT], options=Options(keep=["caption"]))
    assert decision.kept == [True, True, False]
    assert decision.kinds == [Kind.CONTENT, Kind.CAPTION, Kind.ADVERT]
    assert decision.reasons == [Reason.MODEL, Reason.CALLER, Reason.MODEL]


# What is certain


def test_what_is_known_goes_whatever_its_score():
    decision = decided([0.0, 0.0, 0.0], known={1: (Kind.RESIDUE, Reason.LEXICON)})
    assert decision.kept == [True, False, True]
    assert decision.kinds == [Kind.CONTENT, Kind.RESIDUE, Kind.CONTENT]
    assert decision.reasons == [Reason.MODEL, Reason.LEXICON, Reason.MODEL]


def test_a_phrase_goes_even_when_its_kind_is_kept():
    known = {0: (Kind.ADVERT, Reason.CALLER), 1: (Kind.ADVERT, Reason.LEXICON)}
    assert decided([0.0, 0.0], known=known, options=Options(keep=["advert"])).kept == [False, True]


# Repeats


def test_a_repeat_goes_and_the_first_of_it_stays():
    lines = [PARAGRAPH, LINE, PARAGRAPH, "Share", "Share"]
    decision = decided([0.0] * 5, lines=lines)
    assert decision.kept == [True, True, False, True, True]
    assert (decision.kinds[2], decision.reasons[2]) == (Kind.REPEAT, Reason.CONTEXT)
    kept = decided([0.0] * 5, lines=lines, options=Options(keep=["repeat"]))
    assert kept.kept == [True] * 5
    assert kept.kinds[2] is Kind.REPEAT


def test_a_repeat_that_goes_anyhow_keeps_its_kind():
    decision = decided([0.0, 1.0], [Kind.ADVERT, Kind.RELATED], lines=[PARAGRAPH, PARAGRAPH])
    assert decision.kinds == [Kind.CONTENT, Kind.RELATED]
    assert decision.reasons == [Reason.MODEL, Reason.MODEL]
