"""Scores and certain hits → one decision a line: thresholds, blocks, repeats, the budget.

Everything is linear in the number of lines; no decision looks beyond its document. What a score is worth was measured by ``training``,
and the thresholds come with the bundle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cleaner.document import Flag, Kind, Reason
from cleaner.features import COLUMN, Edges, LineFeatures
from cleaner.letters import OPENING_LENGTH, letter_lines
from cleaner.lexicon import ENDINGS, OPENINGS, certain_kind
from cleaner.model.bundle import Thresholds
from cleaner.model.scorer import Scores
from cleaner.normalize import normalized
from cleaner.options import Options

# A line between two removed ones, or between a removed one and the end of the document, goes with them from this fraction of its
# threshold on: the middle sentences of a letter read like news, its edges do not.
BLOCK_FRACTION = 0.6
# As many such lines in a row; a longer stretch of doubtful lines is more likely the article.
BLOCK_LINES = 6

# An exact repeat of an earlier line of at least this many code points is an upstream's mistake; shorter ones are refrains and scores.
REPEAT_LENGTH = 80

# A line of at least this many code points that ends a sentence and looks like content is a paragraph of the article.
PARAGRAPH_LENGTH = 100

# From this score on a verdict counts as certain when nothing would be left of a document.
CERTAIN = 0.98

# Lines that may be a label or machine output as a whole are at most this long, in code points.
LABEL_LENGTH = 120

_FINAL = {Reason.LEXICON, Reason.CALLER}


@dataclass(slots=True)
class Decision:
    """The fate of the lines of a batch, as parallel lists. Made by ``decide``, corrected by what comes after it."""

    kept: list[bool]
    kinds: list[Kind]
    scores: list[float]
    reasons: list[Reason]

    def call(self, line: int, kind: Kind, reason: Reason, options: Options) -> None:
        """Give a line its kind, and the fate that the caller chose for that kind."""
        self.kinds[line] = kind
        self.kept[line] = kind not in options.removed_kinds
        self.reasons[line] = reason


@cache
def _label_edges() -> Edges:
    return Edges(OPENINGS, ENDINGS)


def known_kinds(lines: list[str], features: LineFeatures, options: Options) -> dict[int, tuple[Kind, Reason]]:
    """The lines whose kind is certain before any model looks: the caller's phrases and the lexicon's whole lines."""
    dense = features.dense
    wordlike = dense[:, COLUMN["starts_lower"]] | dense[:, COLUMN["starts_upper"]]
    possible = (features.lengths <= LABEL_LENGTH) & ((wordlike == 0) | _label_edges().found_in(features))
    known = {i: (kind, Reason.LEXICON) for i in np.flatnonzero(possible).tolist() if (kind := certain_kind(lines[i]))}
    if options.phrases:
        phrases = {line.casefold() for line in normalized(list(options.phrases), options)}
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
    limits = np.array([_limits(kind, thresholds, options) for kind in scores.kinds]).T
    limit = np.where(inside_article(scores.boilerplate, features), limits[1][best], limits[0][best])
    goes = np.array([kind in removed for kind in scores.kinds])[best]
    over = scores.boilerplate >= limit
    alone = over & goes
    enclosed = in_blocks(alone, goes & (scores.boilerplate >= limit * BLOCK_FRACTION), features.document_of)
    letter = in_letters(scores, features) & ~alone if Kind.APPEAL in removed else np.zeros_like(alone)
    lines = len(alone)
    decision = Decision(
        kept=(~(alone | enclosed | letter)).tolist(),
        kinds=[Kind.CONTENT] * lines,
        scores=scores.boilerplate.tolist(),
        reasons=[Reason.MODEL] * lines,
    )
    for i in np.flatnonzero(scores.headline & ~over).tolist():
        decision.call(i, Kind.HEADLINE, Reason.MODEL, options)
    for i in np.flatnonzero(over).tolist():
        decision.call(i, scores.kinds[best[i]], Reason.MODEL if goes[i] else Reason.CALLER, options)
    for i in np.flatnonzero(enclosed).tolist():
        decision.call(i, scores.kinds[best[i]], Reason.CONTEXT, options)
    for i in np.flatnonzero(letter).tolist():
        decision.call(i, Kind.APPEAL, Reason.CONTEXT, options)
    for i, (kind, reason) in known.items():
        decision.call(i, kind, reason, options)
        # A phrase that was handed in goes whatever its kind.
        decision.kept[i] &= reason is not Reason.CALLER
    return decision


def _limits(kind: Kind, thresholds: Thresholds, options: Options) -> tuple[float, float]:
    given: Mapping[Kind, float] = {Kind(name): value for name, value in options.thresholds.items()}
    asked = given.get(kind, options.threshold)
    return (asked, asked) if asked is not None else (thresholds.edge.get(kind, 1.0), thresholds.inside.get(kind, 1.0))


def _paragraphs(boilerplate: NDArray[np.float64], features: LineFeatures) -> NDArray[np.bool_]:
    ends_sentence = features.dense[:, COLUMN["ends_sentence"]] > 0
    return (features.lengths >= PARAGRAPH_LENGTH) & ends_sentence & (boilerplate < 0.5)


def inside_article(boilerplate: NDArray[np.float64], features: LineFeatures) -> NDArray[np.bool_]:
    """Which lines stand between two paragraphs of the article: a list or a name there is content more often than at its edges."""
    total = np.concatenate([[0], np.cumsum(_paragraphs(boilerplate, features))])
    document_of, index = features.document_of, np.arange(len(boilerplate))
    before = total[index] - total[features.offsets[document_of]]
    behind = total[features.offsets[document_of + 1]] - total[index + 1]
    return (before > 0) & (behind > 0)


def in_letters(scores: Scores, features: LineFeatures) -> NDArray[np.bool_]:
    """Which lines belong to a letter to the reader, by what the model says of its edges."""
    asks = np.array([kind is Kind.APPEAL for kind in scores.kinds])[scores.best]
    openings = (features.lengths <= OPENING_LENGTH) & (features.dense[:, COLUMN["ends_colon"]] > 0)
    paragraphs = _paragraphs(scores.boilerplate, features)
    return letter_lines(np.where(asks, scores.boilerplate, 0.0), paragraphs, openings, features.offsets)


def in_blocks(
    alone: NDArray[np.bool_], possible: NDArray[np.bool_], document_of: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """The doubtful lines that a block of removed lines encloses, or that stand between one and the end of their document."""
    doubtful = possible & ~alone
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
        if follows and end - start < BLOCK_LINES and (last or alone[end + 1]):
            enclosed[start : end + 1] = True
    return enclosed


def repeated_lines(lines: list[str], features: LineFeatures) -> list[int]:
    """The lines that repeat, letter by letter, an earlier line of their document long enough to be no refrain."""
    if not features.dense[:, COLUMN["seen_before"]].any():
        return []
    again = features.dense[:, COLUMN["seen_before"]] | features.dense[:, COLUMN["seen_again"]]
    document_of = features.document_of
    seen: set[tuple[int, str]] = set()
    found = []
    for i in np.flatnonzero(again).tolist():
        if len(lines[i]) >= REPEAT_LENGTH:
            key = (int(document_of[i]), lines[i])
            if key in seen:
                found.append(i)
            seen.add(key)
    return found


def keep_within_budget(decision: Decision, texts: list[str], begin: int, end: int, options: Options) -> tuple[Flag, ...]:
    """Flag the document of the lines ``begin`` to ``end`` when too much of it would go, and keep it whole.

    A document of which nothing would be left is emptied only when every verdict is certain.
    """
    kept = decision.kept[begin:end]
    if all(kept):
        return ()
    share = options.max_removed_share
    if share is not None:
        words = [len(text.split()) for text in texts[begin:end]]
        if sum(n for n, stays in zip(words, kept, strict=True) if not stays) > share * sum(words):
            _restore(decision, begin, end)
            return (Flag.OVER_BUDGET,)
    if any(kept):
        return ()
    sure = (decision.reasons[i] in _FINAL or decision.scores[i] >= CERTAIN or not texts[i] for i in range(begin, end))
    if not all(sure):
        _restore(decision, begin, end)
    return (Flag.NOTHING_LEFT,)


def _restore(decision: Decision, begin: int, end: int) -> None:
    for i in range(begin, end):
        if not decision.kept[i]:
            decision.kept[i] = True
            decision.reasons[i] = Reason.BUDGET
