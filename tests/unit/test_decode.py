"""From scores to decisions: thresholds, blocks, repeats, the budget, and the last word of the caller."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import KINDS, REMOVABLE, features_of

from cleaner.decode import (
    BLOCK_FRACTION,
    BLOCK_LINES,
    PARAGRAPH_LENGTH,
    REPEAT_LENGTH,
    SHORT_LENGTH,
    TITLE_LINES,
    WARY_SCORE,
    Decision,
    decide,
    drop_repeats,
    in_blocks,
    inside_article,
    keep_within_budget,
    known_kinds,
    paragraphs_of,
)
from cleaner.document import Flag, Kind, Reason
from cleaner.model.bundle import Thresholds
from cleaner.model.scorer import Scores
from cleaner.options import Options

LIMIT = 0.8
THRESHOLDS = Thresholds(dict.fromkeys(REMOVABLE, LIMIT), dict.fromkeys(REMOVABLE, LIMIT))
SURE, DOUBTFUL, FINE = 0.95, LIMIT * BLOCK_FRACTION + 0.01, 0.1


# Longer than anything else, and so fine that no document of ours is one of which too much would go.
BODY = "The council met and went on meeting " * 200
PARAGRAPH = "The council met and voted for the bridge" + " and for the ferry" * 40 + "."


def decided(*documents, kinds=None, headline=(), known=None, options=None):
    """Decide on documents that are lists of scores; each stands behind a body that nobody asks about."""
    values, asked, lines = [], [], []
    for document in documents:
        asked += range(len(values) + 1, len(values) + 1 + len(document))
        values += [FINE, *document]
        # Long enough that no line has to be surer than its threshold because it is short.
        lines.append(
            [BODY, *(f"Line {i} of a list that goes on and on".ljust(SHORT_LENGTH, ".") for i in range(len(document)))]
        )
    best = np.zeros(len(values), np.intp)
    best[asked] = [KINDS.index(kind) for kind in kinds or [Kind.ADVERT] * len(asked)]
    titles = np.isin(np.arange(len(values)), [asked[i] for i in headline])
    decision = decide(
        Scores(KINDS, np.array(values), best, titles),
        features_of(*lines),
        {asked[i]: certain for i, certain in (known or {}).items()},
        THRESHOLDS,
        options or Options(),
    )
    pick = lambda column: [column[i] for i in asked]  # noqa: E731
    return Decision(pick(decision.kept), pick(decision.kinds), pick(decision.scores), pick(decision.reasons))


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
    assert in_blocks(none, none, none, np.zeros(0, np.intp), none).tolist() == []


@pytest.mark.parametrize(
    ("states", "documents", "enclosed"),
    [
        ("a?a", "000", [1]),
        ("a?", "00", [1]),
        ("aPa", "000", []),
        ("aP", "00", []),
        ("a?P", "000", []),
        ("aP?", "000", []),
        ("a?Pa", "0000", []),
        ("aPa", "001", []),
        ("aP ", "001", []),
        ("a? ", "001", [1]),
        ("a?a", "011", []),
        ("P", "0", []),
        ("PPP", "000", []),
    ],
)
def test_a_block_takes_no_paragraph(states, documents, enclosed):
    """``a`` is a removed line, ``?`` a doubtful one, ``P`` a doubtful paragraph, a blank is sure content."""
    marks = np.array(list(states))
    document_of, none = np.array(list(documents), np.intp), np.zeros(len(marks), bool)
    found = in_blocks(marks == "a", np.isin(marks, ["?", "P"]), marks == "P", document_of, none)
    assert np.flatnonzero(found).tolist() == enclosed


@pytest.mark.parametrize(("states", "enclosed"), [("a?", [1]), ("l?", []), ("l?a", [1]), ("al?", []), ("la?", [2])])
def test_a_label_opens_no_block_that_runs_to_the_end(states, enclosed):
    """``a`` and ``?`` as above, ``l`` is a line that is certain by itself."""
    marks = np.array(list(states))
    none = np.zeros(len(marks), bool)
    same = np.zeros(len(marks), np.intp)
    found = in_blocks(np.isin(marks, ["a", "l"]), marks == "?", none, same, marks == "l")
    assert np.flatnonzero(found).tolist() == enclosed


def test_only_a_long_sentence_that_looks_like_content_is_a_paragraph():
    long = "The council met and voted for the bridge" + " and for the ferry" * 4
    lines = [f"{long}.", long, "The council met.", f"{long}.", f"“{long}.”"]
    assert [len(line) >= PARAGRAPH_LENGTH for line in lines] == [True, True, False, True, True]
    scores = np.array([0.4, 0.4, 0.4, 0.5, 0.0])
    assert paragraphs_of(scores, features_of(lines)).tolist() == [True, False, False, False, True]


def test_inside_is_between_two_paragraphs_of_one_document():
    long = "The council met and voted for the bridge" + " and for the ferry" * 4 + "."
    features = features_of(["a", long, "b", "c", long, "d"], ["e", long, "f"], [long, "g", long])
    scores = np.zeros(len(features.lengths))
    assert np.flatnonzero(inside_article(paragraphs_of(scores, features), features)).tolist() == [2, 3, 10]
    assert not inside_article(paragraphs_of(np.ones(len(scores)), features), features).any()


def test_a_list_inside_the_article_has_a_threshold_of_its_own():
    line = "L" * SHORT_LENGTH
    features = features_of([line, PARAGRAPH, line, PARAGRAPH, line])
    thresholds = Thresholds(dict.fromkeys(REMOVABLE, 0.6), dict.fromkeys(REMOVABLE, 0.9))
    best = np.full(5, KINDS.index(Kind.ADVERT))
    values = np.array([WARY_SCORE, FINE, 0.7, FINE, 0.7])
    scores = Scores(KINDS, values, best, np.zeros(5, bool))
    assert decide(scores, features, {}, thresholds, Options()).kept == [False, True, True, True, False]
    assert decide(scores, features, {}, thresholds, Options(threshold=0.7)).kept == [False, True, False, True, False]


@pytest.mark.parametrize("kind", [Kind.ADVERT, Kind.APPEAL, Kind.SUBSCRIPTION, Kind.NAVIGATION])
def test_a_short_line_that_asks_has_to_be_sure(kind):
    features = features_of([BODY, "S" * (SHORT_LENGTH - 1), "L" * SHORT_LENGTH, "S" * (SHORT_LENGTH - 1)])
    best = np.full(4, KINDS.index(kind))
    scores = Scores(KINDS, np.array([FINE, LIMIT, LIMIT, WARY_SCORE]), best, np.zeros(4, bool))
    asks = kind is not Kind.NAVIGATION
    assert decide(scores, features, {}, THRESHOLDS, Options()).kept == [True, asks, False, False]
    assert decide(scores, features, {}, THRESHOLDS, Options(threshold=LIMIT)).kept == [True, False, False, False]


def test_the_first_line_has_to_be_sure():
    scores = Scores(KINDS, np.array([LIMIT, LIMIT]), np.full(2, KINDS.index(Kind.NAVIGATION)), np.zeros(2, bool))
    assert decide(scores, features_of(["L" * SHORT_LENGTH] * 2), {}, THRESHOLDS, Options()).kept == [True, False]


def test_what_looks_like_a_title_has_to_be_sure_at_the_top_only():
    lines = [BODY] + ["T" * SHORT_LENGTH] * TITLE_LINES
    count = len(lines)
    values = np.array([FINE] + [LIMIT] * TITLE_LINES)
    scores = Scores(KINDS, values, np.full(count, KINDS.index(Kind.ADVERT)), np.ones(count, bool))
    assert decide(scores, features_of(lines), {}, THRESHOLDS, Options()).kept == [True] * TITLE_LINES + [False]


@pytest.mark.parametrize(
    ("lines", "options", "kept"),
    [
        (["Dear reader,", "Times are hard", "Give now"], Options(), [False] * 3),
        (["- Dear reader,", "- Times are hard", "- Give now"], Options(), [False, True, False]),
        (["Dear reader,", "Times are hard", "Give now"], Options(keep=["appeal"]), [True] * 3),
        (["Dear reader,", "Times are hard", "Give now"], Options(threshold=LIMIT), [False, True, False]),
        (["Dear reader,", "Times are hard", "Give now"], Options(threshold=1.0), [True] * 3),
    ],
)
def test_a_letter_takes_its_doubtful_lines_and_a_dialogue_is_none(lines, options, kept):
    features = features_of([PARAGRAPH, *lines])
    best = np.full(len(lines) + 1, KINDS.index(Kind.APPEAL))
    values = np.array([FINE, WARY_SCORE, LIMIT * BLOCK_FRACTION - 0.01, WARY_SCORE])
    decision = decide(Scores(KINDS, values, best, np.zeros(4, bool)), features, {}, THRESHOLDS, options)
    assert decision.kept == [True, *kept]
    assert {decision.kinds[i] for i, stays in enumerate(decision.kept) if not stays} <= {Kind.APPEAL}


@pytest.mark.parametrize(
    ("options", "left"), [(Options(), 1), (Options(keep=["subscription"]), 4), (Options(keep=["appeal"]), 5)]
)
def test_a_letter_sells_as_well_but_not_what_the_caller_keeps(options, left):
    features = features_of(
        [PARAGRAPH, "Stand by our newsroom this winter, every gift counts", *["Take the paper with you"] * 3]
    )
    best = np.array([0, *map(KINDS.index, [Kind.APPEAL] + [Kind.SUBSCRIPTION] * 3)])
    scores = Scores(KINDS, np.array([FINE, WARY_SCORE, 0.6, 0.6, 0.6]), best, np.zeros(5, bool))
    decision = decide(scores, features, {}, THRESHOLDS, options)
    assert sum(decision.kept) == left
    assert {kind for kind, stays in zip(decision.kinds, decision.kept, strict=True) if not stays} <= {Kind.APPEAL}


@pytest.mark.parametrize(
    ("kind", "options", "kept"),
    [
        (Kind.COMMENT, Options(), [False] * 4),
        (Kind.COMMENT, Options(keep=["comment"]), [True] * 4),
        (Kind.COMMENT, Options(threshold=LIMIT), [False, True, True, True]),
        (Kind.RELATED, Options(), [False, True, True, True]),
    ],
)
def test_comments_go_with_their_heading(kind, options, kept):
    said = "I have crossed that river for forty years and never once saw them clear the ice in time"
    features = features_of(
        [PARAGRAPH] * 3 + ["What readers of this paper have to say about it", said, said[::-1], said.upper()]
    )
    scores = Scores(
        KINDS, np.array([FINE] * 3 + [WARY_SCORE] + [0.3] * 3), np.full(7, KINDS.index(kind)), np.zeros(7, bool)
    )
    decision = decide(scores, features, {}, THRESHOLDS, options)
    assert decision.kept == [True] * 3 + kept


def test_a_rest_that_is_clear_as_a_whole_goes():
    features = features_of(
        [PARAGRAPH] * 3
        + ["Other stories of the day in our paper", "A mill burns", "A bridge is built", "A ferry sinks"]
    )
    best = np.full(7, KINDS.index(Kind.RELATED))
    for doubtful, stays in ((0.75, False), (0.65, True)):
        scores = Scores(KINDS, np.array([FINE] * 3 + [WARY_SCORE] + [doubtful] * 3), best, np.zeros(7, bool))
        thresholds = Thresholds(dict.fromkeys(REMOVABLE, WARY_SCORE), dict.fromkeys(REMOVABLE, WARY_SCORE))
        decision = decide(scores, features, {}, thresholds, Options())
        assert decision.kept == [True] * 3 + [False] + [stays] * 3
        assert stays or decision.reasons[-1] is Reason.CONTEXT


@pytest.mark.parametrize("removed", [frozenset(), frozenset({Kind.ADVERT}), frozenset({Kind.CAPTION})])
def test_a_call_leaves_the_fate_to_the_caller(removed):
    decision = decision_of([True, True])
    decision.call(0, Kind.CAPTION, Reason.CONTEXT, removed)
    assert decision.kinds == [Kind.CAPTION, Kind.ADVERT]
    assert decision.reasons == [Reason.CONTEXT, Reason.MODEL]
    assert decision.kept == [Kind.CAPTION not in removed, True]


def test_sentences_in_front_of_a_sign_off_go_only_when_they_are_sure():
    scores, sign_off = [0.9, DOUBTFUL, 0.97, DOUBTFUL, 0.9, SURE, 0.9], {5: (Kind.CREDIT, Reason.LEXICON)}
    assert decided(scores, known=sign_off).kept == [True, True, False, True, True, False, False]
    assert not any(decided(scores).kept)
    # A caller who chose a threshold has it.
    assert not any(decided(scores, known=sign_off, options=Options(threshold=LIMIT)).kept)


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


@pytest.mark.parametrize("options", [{}, {"phrases": ["", "\u200b", " "]}])
def test_what_is_nothing_is_residue_and_matches_no_phrase(options):
    lines = ["The council met.", "", "It voted."]
    assert known_kinds(lines, features_of(lines), Options(**options)) == {1: (Kind.RESIDUE, Reason.LEXICON)}


def dropped(*documents, gone=()):
    """The lines that are gone when repeats were dropped."""
    lines = [line for lines in documents for line in lines]
    decision = decision_of([i not in gone for i in range(len(lines))])
    drop_repeats(decision, lines, features_of(*documents), Options().removed_kinds)
    return [i for i, kept in enumerate(decision.kept) if not kept]


def test_repeats_are_exact_long_and_within_one_document():
    long, short = "x" * REPEAT_LENGTH, "x" * (REPEAT_LENGTH - 1)
    assert dropped([long, "a", long, long]) == [2, 3]
    assert dropped([short, short]) == []
    assert dropped([long], [long]) == []
    assert dropped([long, long.upper()]) == []
    assert dropped([long[:60] + "a" * 100 + long[60:], long[:60] + "b" * 100 + long[60:]]) == []
    assert dropped([], []) == []


def test_only_what_repeats_a_line_that_stays_is_a_repeat():
    long = "x" * REPEAT_LENGTH
    assert dropped([long, "a", long, long], gone=[0]) == [0, 3]
    assert dropped([long, "a", long], gone=[2]) == [2]


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


def test_a_repeat_is_seen_wherever_its_two_copies_stand():
    lines = [
        f"{i} bridges, and an article that goes on about each, for longer than a refrain would." for i in range(30)
    ]
    assert dropped([*lines, lines[0]]) == [30]
    assert dropped(lines * 2) == list(range(30, 60))
    assert dropped(lines, lines) == []
