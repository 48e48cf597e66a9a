"""Scores and certain hits → one decision a line: thresholds, blocks, repeats, the budget.

Everything is linear in the number of lines; no decision looks beyond its document. What a score is worth was measured
by ``training``, and the thresholds come with the bundle.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleaner.document import Flag, Kind, Reason
from cleaner.features import COLUMN, Edges, LineFeatures, running
from cleaner.letters import OPENING_LENGTH, letter_lines
from cleaner.lexicon import ENDINGS, OPENINGS, certain_kind
from cleaner.model.bundle import Thresholds
from cleaner.model.scorer import Scores
from cleaner.normalize import normalized
from cleaner.options import Options
from cleaner.tails import tail_lines

# A line between two removed ones, or between a removed one and the end of the document, goes with them from this
# fraction of its threshold on: the middle sentences of a letter read like news, its edges do not.
BLOCK_FRACTION = 0.75
# As many such lines in a row; a longer stretch of doubtful lines is more likely the article.
BLOCK_LINES = 6

# Some lines are asked for more certainty: short ones that seem to ask for something, because most of them are subheads;
# the first line, and what looks like a title among the next, because it is one, while further on it leads to another
# story; most of all what seems to offer a subscription amid sentences of the article, because news about newsletters
# and guides that say "sign up" read the same.
WARY_SCORE = 0.9
SHORT_LENGTH = 40
ASKING_KINDS = frozenset({Kind.ADVERT, Kind.APPEAL, Kind.SUBSCRIPTION})
TITLE_LINES = 3
OFFER_SCORE = 0.99
# A line of at least this many code points that ends a sentence and looks like content is a sentence of the article.
SENTENCE_LENGTH = 30
# In front of the credits that end an article, a sentence goes only from this score on, whatever stands around it.
SIGNED_SCORE = 0.95

# An exact repeat of an earlier line of at least this many code points is an upstream's mistake; shorter ones are
# refrains and scores.
REPEAT_LENGTH = 80

# A line of at least this many code points that ends a sentence and looks like content is a paragraph of the article.
PARAGRAPH_LENGTH = 100

# Lines that may be a label or machine output as a whole are at most this long, in code points.
LABEL_LENGTH = 250
# Labels of one or two code points, with marks around them, are too short for ``features.Edges``.
TINY_LENGTH = 6

# Who is certain enough to leave nothing of a document: a lone ad label, not a lone word that the model does not know.
_CERTAIN = {Reason.LEXICON, Reason.CALLER}


class Decision(NamedTuple):
    """The fate of the lines of a batch, as parallel lists. Made by ``decide``, corrected by what comes after it."""

    kept: list[bool]
    kinds: list[Kind]
    scores: list[float]
    reasons: list[Reason]

    def call(self, line: int, kind: Kind, reason: Reason, removed: frozenset[Kind]) -> None:
        """Give a line its kind, and the fate that the caller chose for that kind: ``removed`` are the kinds that go."""
        self.kinds[line] = kind
        self.kept[line] = kind not in removed
        self.reasons[line] = reason

    def call_known(self, known: Mapping[int, tuple[Kind, Reason]], removed: frozenset[Kind]) -> None:
        """Give the lines that are certain without a model their kinds, over whatever it said."""
        for line, (kind, reason) in known.items():
            self.call(line, kind, reason, removed)
            # A phrase that was handed in goes whatever its kind.
            self.kept[line] &= reason is not Reason.CALLER


ByLine = Callable[[Decision, Sequence[str], Scores, LineFeatures], None]
"""Evidence from beyond the documents of a batch: corrects their decision, by their lines as they were normalised."""

# How a label goes on behind bullets and dashes.
_MARKS = " \t-–—•·*|"
_LABEL_STARTS = frozenset(text[:3] for text in OPENINGS)


@cache
def _label_edges() -> Edges:
    return Edges(OPENINGS, ENDINGS)


def known_kinds(lines: list[str], features: LineFeatures, options: Options) -> dict[int, tuple[Kind, Reason]]:
    """The lines whose kind is certain before any model looks: the caller's phrases and the lexicon's whole lines."""
    short = features.lengths <= LABEL_LENGTH
    first = features.dense[COLUMN["starts_lower"] : COLUMN["starts_dash"] + 1]
    listed = first[-1] | first[-2]
    odd = first.sum(axis=0) == features.column("starts_bracket")
    tiny = features.lengths <= TINY_LENGTH
    possible = np.flatnonzero(short & (odd | tiny | _label_edges().found_in(features))).tolist()
    possible += [
        i
        for i in np.flatnonzero(short & (listed > 0)).tolist()
        if lines[i].lstrip(_MARKS)[:3].casefold() in _LABEL_STARTS
    ]
    known = {i: (kind, Reason.LEXICON) for i in possible if (kind := certain_kind(lines[i]))}
    # Nothing but invisible characters: nothing is left of it, whatever anybody decides.
    known |= dict.fromkeys(np.flatnonzero(features.lengths == 0).tolist(), (Kind.RESIDUE, Reason.LEXICON))
    if options.phrases:
        phrases = {line.casefold() for line in normalized(list(options.phrases), options) if line}
        known |= {i: (Kind.ADVERT, Reason.CALLER) for i, line in enumerate(lines) if line.casefold() in phrases}
    return known


def decide(
    scores: Scores,
    features: LineFeatures,
    known: Mapping[int, tuple[Kind, Reason]],
    thresholds: Thresholds,
    options: Options,
) -> Decision:
    """Turn the scores of a batch into decisions: by threshold, by block, and by what was known before."""
    removed = options.removed_kinds
    best = scores.best
    chosen = options.threshold is not None or bool(options.thresholds)
    paragraphs = paragraphs_of(scores.boilerplate, features)
    limit = _limits(scores, features, paragraphs, thresholds, options, wary=not chosen)
    goes = scores.likely(removed)
    signed = np.zeros(len(best), bool) if chosen else before_sign_off(known, features)
    limit = np.where(signed, np.maximum(limit, SIGNED_SCORE), limit)
    over = scores.boilerplate >= limit
    alone = over & goes
    certain = np.zeros_like(alone)
    certain[list(known)] = True
    doubtful = goes & (scores.boilerplate >= limit * BLOCK_FRACTION)
    enclosed = in_blocks(alone, doubtful, long_sentences(features), features.document_of, certain)
    letter, tail, talk = np.zeros_like(alone), np.zeros_like(alone), np.zeros_like(alone)
    if not chosen:
        comments = scores.likely({Kind.COMMENT})
        tail, talk = tail_lines(scores.boilerplate, goes, comments, paragraphs, features.lengths, features.offsets)
        tail &= ~over
        if Kind.APPEAL in removed:
            letter = in_letters(scores, features, paragraphs, goes) & ~over
    enclosed &= ~signed
    tail &= ~signed
    lines = len(alone)
    decision = Decision(
        kept=(~(alone | enclosed | tail | letter)).tolist(),
        kinds=[Kind.CONTENT] * lines,
        scores=scores.boilerplate.tolist(),
        reasons=[Reason.MODEL] * lines,
    )
    for i in np.flatnonzero(scores.headline & ~over).tolist():
        decision.call(i, Kind.HEADLINE, Reason.MODEL, removed)
    for i in np.flatnonzero(over).tolist():
        decision.call(i, scores.kinds[best[i]], Reason.MODEL if goes[i] else Reason.CALLER, removed)
    for i in np.flatnonzero(enclosed | tail).tolist():
        decision.call(i, Kind.COMMENT if talk[i] else scores.kinds[best[i]], Reason.CONTEXT, removed)
    for i in np.flatnonzero(letter).tolist():
        decision.call(i, Kind.APPEAL, Reason.CONTEXT, removed)
    decision.call_known(known, removed)
    return decision


def _limits(
    scores: Scores,
    features: LineFeatures,
    paragraphs: NDArray[np.bool_],
    thresholds: Thresholds,
    options: Options,
    *,
    wary: bool,
) -> NDArray[np.float64]:
    """The score from which on each line goes, by its likeliest kind and its place; shape (lines,)."""
    given: Mapping[Kind, float] = {Kind(name): value for name, value in options.thresholds.items()}
    asked = [given.get(kind, options.threshold) for kind in scores.kinds]
    zones = [
        np.array(
            [zone.get(kind, 1.0) if mine is None else mine for kind, mine in zip(scores.kinds, asked, strict=True)]
        )
        for zone in (thresholds.edge, thresholds.inside)
    ]
    best = scores.best
    limit = np.where(inside_article(paragraphs, features), zones[1][best], zones[0][best])
    if wary:
        asks = scores.likely(ASKING_KINDS)
        place = np.arange(len(best)) - features.offsets[features.document_of]
        titles = (place == 0) | (scores.headline & (place < TITLE_LINES))
        careful = titles | (asks & (features.lengths < SHORT_LENGTH))
        limit = np.where(careful, np.maximum(limit, WARY_SCORE), limit)
        sentences = _sentences(features, SENTENCE_LENGTH) & (scores.boilerplate < EVEN)
        offers = scores.likely({Kind.SUBSCRIPTION}) & inside_article(sentences, features)
        limit = np.where(offers, np.maximum(limit, OFFER_SCORE), limit)
    return limit


# A line below this score looks more like content than not.
EVEN = 0.5


def before_sign_off(known: Mapping[int, tuple[Kind, Reason]], features: LineFeatures) -> NDArray[np.bool_]:
    """Which lines are sentences in front of the last certain credit of their document: "(Reporting by …)" ends one."""
    sign_offs = np.zeros(len(features.lengths), bool)
    sign_offs[[line for line, known_as in known.items() if known_as == (Kind.CREDIT, Reason.LEXICON)]] = True
    signed: NDArray[np.bool_] = _sentences(features, SENTENCE_LENGTH) & (_around(sign_offs, features)[1] > 0)
    return signed


def long_sentences(features: LineFeatures) -> NDArray[np.bool_]:
    """Which lines are as long as a paragraph and end a sentence."""
    return _sentences(features, PARAGRAPH_LENGTH)


def _sentences(features: LineFeatures, length: int) -> NDArray[np.bool_]:
    """Which lines of at least so many code points end a sentence."""
    ends: NDArray[np.bool_] = (features.lengths >= length) & (features.column("ends_sentence") > 0)
    return ends


def paragraphs_of(boilerplate: NDArray[np.float64], features: LineFeatures) -> NDArray[np.bool_]:
    """Which lines are long, end a sentence and look more like content than not."""
    return long_sentences(features) & (boilerplate < EVEN)


def inside_article(paragraphs: NDArray[np.bool_], features: LineFeatures) -> NDArray[np.bool_]:
    """Which lines stand between two paragraphs of the article: a list there is content more often than at its edges."""
    before, behind = _around(paragraphs, features)
    between: NDArray[np.bool_] = (before > 0) & (behind > 0)
    return between


def _around(marked: NDArray[np.bool_], features: LineFeatures) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """How many marked lines of its document stand before each line, and how many behind it."""
    total, index = running(marked), np.arange(len(marked))
    begin, end = features.offsets[features.document_of], features.offsets[features.document_of + 1]
    return total[index] - total[begin], total[end] - total[index + 1]


def in_letters(
    scores: Scores, features: LineFeatures, paragraphs: NDArray[np.bool_], goes: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which lines belong to a letter to the reader, by what the model says of its edges.

    Offers of subscriptions count as well, where ``goes`` says that they are to be removed.
    """
    pleas = scores.likely({Kind.APPEAL})
    asks = pleas | (scores.likely({Kind.SUBSCRIPTION}) & goes)
    dash = features.column("starts_dash") > 0
    asks &= ~dash
    speech = dash & (scores.boilerplate < EVEN)
    openings = (features.lengths <= OPENING_LENGTH) & (features.column("ends_colon") > 0)
    return letter_lines(np.where(asks, scores.boilerplate, 0.0), pleas, paragraphs, speech, openings, features.offsets)


def in_blocks(
    alone: NDArray[np.bool_],
    possible: NDArray[np.bool_],
    paragraphs: NDArray[np.bool_],
    document_of: NDArray[np.intp],
    certain: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """The doubtful lines that a block of removed lines encloses, or that stand between one and the document's end.

    Lines that are built like paragraphs are never among them: a lead between a byline and an ad label, and the last
    lines of an article before its credits, are enclosed as well. Nor do ``certain`` lines open a block that runs to the
    end: ad labels stand in the midst of articles and say nothing of what follows.
    """
    doubtful = possible & ~alone & ~paragraphs
    enclosed = np.zeros_like(alone)
    if not doubtful.any():
        return enclosed
    same = document_of[1:] == document_of[:-1]
    joined = doubtful[1:] & doubtful[:-1] & same
    starts = np.flatnonzero(doubtful & ~np.concatenate([[False], joined]))
    ends = np.flatnonzero(doubtful & ~np.concatenate([joined, [False]]))
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        follows = start > 0 and same[start - 1] and alone[start - 1]
        last = end + 1 == len(alone) or not same[end]
        open_end = last and not certain[start - 1]
        if follows and end - start < BLOCK_LINES and (open_end or (not last and alone[end + 1])):
            enclosed[start : end + 1] = True
    return enclosed


def drop_repeats(decision: Decision, lines: list[str], features: LineFeatures, removed: frozenset[Kind]) -> None:
    """Call the lines repeats that equal an earlier one, letter by letter, and are long enough to be no refrain.

    Only what repeats a line that stays: of a teaser that goes and the paragraph that it was taken from, one is left.
    """
    alike = features.column("seen_before") | features.column("seen_again")  # up to case
    long = np.flatnonzero((features.lengths >= REPEAT_LENGTH) & (alike > 0))
    seen: set[tuple[int, str]] = set()
    for i, document in zip(long.tolist(), features.document_of[long].tolist(), strict=True):
        key = (document, lines[i])
        if decision.kept[i] and key in seen:
            decision.call(i, Kind.REPEAT, Reason.CONTEXT, removed)
        elif decision.kept[i]:
            seen.add(key)


def over_budget(decision: Decision, texts: list[str], begin: int, end: int, options: Options) -> bool:
    """Whether more words of the lines ``begin`` to ``end`` would go than the caller allows; then all of them stay."""
    kept, share = decision.kept[begin:end], options.max_removed_share
    if share is None or all(kept):
        return False
    words = [len(text.split()) for text in texts[begin:end]]
    over = sum(n for n, stays in zip(words, kept, strict=True) if not stays) > share * sum(words)
    if over:
        _restore(decision, begin, end)
    return over


def keep_within_budget(
    decision: Decision, texts: list[str], begin: int, end: int, options: Options
) -> tuple[Flag, ...]:
    """Flag the document of the lines ``begin`` to ``end`` when too much of it would go, and keep it whole.

    A document of which nothing would be left is emptied only when every verdict is certain.
    """
    if over_budget(decision, texts, begin, end, options):
        return (Flag.OVER_BUDGET,)
    kept = decision.kept[begin:end]
    # A line of nothing but invisible characters may be kept and still leave nothing.
    if begin == end or any(compress(texts[begin:end], kept)):
        return ()
    if not all(decision.reasons[i] in _CERTAIN or not texts[i] for i in range(begin, end)):
        _restore(decision, begin, end)
    return (Flag.NOTHING_LEFT,)


def _restore(decision: Decision, begin: int, end: int) -> None:
    for i in range(begin, end):
        if not decision.kept[i]:
            decision.kept[i] = True
            decision.reasons[i] = Reason.BUDGET
