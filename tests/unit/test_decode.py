"""From scores to decisions: thresholds, blocks, repeats, the budget, and the last word of the caller."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import KINDS, REMOVABLE, features_of

from cleaner.decode import (
    BLOCK_FRACTION,
    BLOCK_LINES,
    REPEAT_LENGTH,
    Decision,
    decide,
    in_blocks,
    keep_within_budget,
    known_kinds,
    repeated_lines,
)
from cleaner.document import Flag, Kind, Reason
from cleaner.model.bundle import Thresholds
from cleaner.model.scorer import Scores
from cleaner.options import Options

LIMIT = 0.8
THRESHOLDS = Thresholds(dict.fromkeys(REMOVABLE, LIMIT), dict.fromkeys(REMOVABLE, LIMIT))
SURE, DOUBTFUL, FINE = 0.95, LIMIT * BLOCK_FRACTION + 0.01, 0.1


def decided(*documents, kinds=None, headline=(), known=None, options=None):
    """Decide on documents that are lists of scores."""
    values = [score for document in documents for score in document]
    features = features_of(*([f"Line {i}" for i in range(len(document))] for document in documents))
    best = np.array([KINDS.index(kind) for kind in kinds or [Kind.ADVERT] * len(values)], np.intp)
    titles = np.isin(np.arange(len(values)), list(headline))
    return decide(
        Scores(KINDS, np.array(values), best, titles), features, known or {}, THRESHOLDS, options or Options()
    )


def test_the_threshold_itself_removes():
    decision = decided([LIMIT, LIMIT - 0.0001, 0.0, 1.0])
    assert decision.kept == [False, True, True, False]
    assert decision.kinds == [Kind.ADVERT, Kind.CONTENT, Kind.CONTENT, Kind.ADVERT]
    assert set(decision.reasons) == {Reason.MODEL}
    assert decision.scores == [LIMIT, LIMIT - 0.0001, 0.0, 1.0]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (Options(threshold=0.99), [True, True]),
        (Options(threshold=0.5), [False, False]),
        (Options(threshold=0.99, thresholds={"advert": 0.6}), [False, True]),
        (Options(thresholds={"bio": 0.6}), [True, False]),
        (Options(keep=["advert"], threshold=0.5), [True, False]),
    ],
)
def test_the_caller_sets_thresholds_for_all_and_for_single_kinds(options, kept):
    # A line of main content stands between them, so that neither takes the other along.
    decision = decided([0.7, 0.0, 0.7], kinds=[Kind.ADVERT, Kind.ADVERT, Kind.BIO], options=options)
    assert decision.kept[::2] == kept


def test_a_kind_that_is_kept_is_named_and_stays():
    decision = decided([SURE, SURE], kinds=[Kind.CAPTION, Kind.ADVERT], options=Options(keep=["caption"]))
    assert decision.kept == [True, False]
    assert decision.kinds == [Kind.CAPTION, Kind.ADVERT]
    assert decision.reasons == [Reason.CALLER, Reason.MODEL]


def test_headlines_stay_unless_asked():
    assert decided([FINE, FINE], headline=[0]).kinds == [Kind.HEADLINE, Kind.CONTENT]
    assert decided([FINE, FINE], headline=[0]).kept == [True, True]
    assert decided([FINE, FINE], headline=[0], options=Options(remove=["headline"])).kept == [False, True]


@pytest.mark.parametrize(
    ("scores", "removed"),
    [
        ([FINE, SURE, DOUBTFUL, SURE, FINE], [1, 2, 3]),
        ([FINE, SURE, DOUBTFUL, DOUBTFUL], [1, 2, 3]),
        ([FINE, SURE, DOUBTFUL, FINE], [1]),
        ([DOUBTFUL, SURE, FINE], [1]),
        ([DOUBTFUL, DOUBTFUL], []),
        ([SURE, *[DOUBTFUL] * BLOCK_LINES, SURE], list(range(BLOCK_LINES + 2))),
        ([SURE, *[DOUBTFUL] * (BLOCK_LINES + 1), SURE], [0, BLOCK_LINES + 2]),
        ([SURE, FINE, SURE], [0, 2]),
    ],
)
def test_a_block_takes_the_doubtful_lines_that_it_encloses(scores, removed):
    decision = decided(scores)
    assert [i for i, kept in enumerate(decision.kept) if not kept] == removed
    for i in removed:
        assert decision.reasons[i] is (Reason.CONTEXT if scores[i] == DOUBTFUL else Reason.MODEL)
        assert decision.kinds[i] is Kind.ADVERT


def test_a_block_ends_with_its_document():
    assert decided([FINE, SURE], [DOUBTFUL, SURE]).kept == [True, False, True, False]
    assert decided([SURE, DOUBTFUL], [FINE]).kept == [False, False, True]


@given(st.lists(st.lists(st.sampled_from([SURE, DOUBTFUL, FINE]), max_size=12), min_size=1, max_size=4))
def test_documents_are_decided_apart(documents):
    together = decided(*documents)
    alone = [decided(document) for document in documents]
    assert together.kept == [kept for one in alone for kept in one.kept]
    assert together.reasons == [reason for one in alone for reason in one.reasons]


def test_blocks_of_nothing():
    none = np.zeros(0, bool)
    assert in_blocks(none, none, np.zeros(0, np.intp)).tolist() == []


def test_what_is_known_overrules_the_model_and_the_caller_overrules_that():
    known = {0: (Kind.ADVERT, Reason.LEXICON), 1: (Kind.ADVERT, Reason.CALLER)}
    decision = decided([FINE, FINE, FINE], known=known)
    assert decision.kept == [False, False, True]
    assert decision.reasons == [Reason.LEXICON, Reason.CALLER, Reason.MODEL]
    decision = decided([FINE, FINE, FINE], known=known, options=Options(keep=["advert"]))
    assert decision.kept == [True, False, True]


@pytest.mark.parametrize(
    ("phrase", "line", "options"),
    [
        ("Buy our mugs", "BUY OUR MUGS", {}),
        ("Buy&nbsp;our  mugs ", "Buy our mugs", {}),
        ("Straße", "STRASSE", {}),
        ("It’s our “mug”", 'It\'s our "mug"', {"plain_quotes": True}),
        ("Mugs – now", "Mugs - now", {"plain_dashes": True}),
    ],
)
def test_phrases_are_compared_after_normalisation_without_case(phrase, line, options):
    lines = ["The council met.", line, f"{line} again"]
    assert known_kinds(lines, features_of(lines), Options(phrases=[phrase], **options)) == {
        1: (Kind.ADVERT, Reason.CALLER)
    }


def test_a_phrase_overrules_the_lexicon():
    assert (
        known_kinds(["Advertisement"], features_of(["Advertisement"]), Options(phrases=["advertisement"]))[0][1]
        is Reason.CALLER
    )


def test_repeats_are_exact_long_and_within_one_document():
    long, short = "x" * REPEAT_LENGTH, "x" * (REPEAT_LENGTH - 1)
    find = lambda *documents: repeated_lines([line for lines in documents for line in lines], features_of(*documents))  # noqa: E731
    assert find([long, "a", long, long]) == [2, 3]
    assert find([short, short]) == []
    assert find([long], [long]) == []
    assert find([long, long.upper()]) == []
    assert find([long[:60] + "a" * 100 + long[60:], long[:60] + "b" * 100 + long[60:]]) == []
    assert find([], []) == []


def decision_of(kept, scores=None, reasons=None):
    size = len(kept)
    return Decision(list(kept), [Kind.ADVERT] * size, scores or [SURE] * size, reasons or [Reason.MODEL] * size)


@pytest.mark.parametrize(
    ("reasons", "sure"),
    [
        ([Reason.LEXICON, Reason.LEXICON], True),
        ([Reason.CALLER, Reason.LEXICON], True),
        ([Reason.MODEL, Reason.LEXICON], False),
        ([Reason.CONTEXT, Reason.CALLER], False),
    ],
)
def test_a_document_is_emptied_only_when_every_verdict_is_certain(reasons, sure):
    decision = decision_of([False, False], reasons=list(reasons))
    assert keep_within_budget(decision, ["one", "two"], 0, 2, Options()) == (Flag.NOTHING_LEFT,)
    assert decision.kept == [not sure] * 2
    assert decision.reasons == (reasons if sure else [Reason.BUDGET] * 2)


def test_the_budget_counts_words():
    texts = ["one two three", "four", "five six", "another document"]
    for share, whole in ((0.5, True), (0.51, False), (0.49, True), (1.0, False), (0.0, True)):
        decision = decision_of([False, True, True, False])
        flags = keep_within_budget(decision, texts, 0, 3, Options(max_removed_share=share))
        over = share * 6 < 3
        assert flags == ((Flag.OVER_BUDGET,) if over else ())
        assert decision.kept == [over, True, True, False]
        assert whole or not over


def test_nothing_to_say_about_documents_that_stay_or_are_empty():
    decision = decision_of([True, False, True])
    assert keep_within_budget(decision, ["a", "b", "c"], 0, 3, Options()) == ()
    assert keep_within_budget(decision, ["a", "b", "c"], 1, 1, Options(max_removed_share=0)) == ()
    assert decision.kept == [True, False, True]
