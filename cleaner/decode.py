"""Scores and certain hits → one decision a line: thresholds, blocks, repeats, the budget.

Everything is linear in the number of lines; no decision looks beyond its document. What a score is worth was measured by ``training``,
and the thresholds come with the bundle.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaner.document import Flag, Kind, Reason
from cleaner.features import COLUMN, LineFeatures, log_scale
from cleaner.lexicon import certain_kind
from cleaner.model.scorer import Scores
from cleaner.normalize import normalize_line
from cleaner.options import Options

# A line between two removed ones, or between a removed one and the end of the document, goes with them from this fraction of its
# threshold on: the middle sentences of a letter read like news, its edges do not.
BLOCK_FRACTION = 0.6
# As many such lines in a row; a longer stretch of doubtful lines is more likely the article.
BLOCK_LINES = 6

# An exact repeat of an earlier line of at least this many code points is an upstream's mistake; shorter ones are refrains and scores.
REPEAT_LENGTH = 80

# From this score on a verdict counts as certain when nothing would be left of a document.
CERTAIN = 0.98

# Lines that may be a label or machine output as a whole are at most this long, in code points.
LABEL_LENGTH = 60

_FINAL = {Reason.LEXICON, Reason.CALLER}


@dataclass(slots=True)
class Decision:
    """The fate of the lines of a batch, as parallel lists. Made by ``decide``, corrected by what comes after it."""

    kept: list[bool]
    kinds: list[Kind]
    scores: list[float]
    reasons: list[Reason]

    def remove(self, lines: Iterable[int], kind: Kind, reason: Reason, options: Options) -> None:
        """Let lines go as ``kind``, unless the caller keeps that kind."""
        for i in lines:
            self.kinds[i] = kind
            self.kept[i] = kind not in options.removed_kinds
            self.reasons[i] = reason


def known_kinds(lines: list[str], features: LineFeatures, options: Options) -> dict[int, tuple[Kind, Reason]]:
    """The lines whose kind is certain before any model looks: the caller's phrases and the lexicon's whole lines."""
    short = features.dense[:, COLUMN["length"]] <= int(log_scale(np.array([LABEL_LENGTH]))[0])
    marked = short | (features.dense[:, COLUMN["has_markup"]] > 0)
    known = {i: (kind, Reason.LEXICON) for i in np.flatnonzero(marked).tolist() if (kind := certain_kind(lines[i]))}
    if options.phrases:
        phrases = {normalize_line(phrase).casefold() for phrase in options.phrases}
        known |= {i: (Kind.ADVERT, Reason.CALLER) for i, line in enumerate(lines) if line.casefold() in phrases}
    return known


def decide(
    scores: Scores,
    features: LineFeatures,
    known: Mapping[int, tuple[Kind, Reason]],
    thresholds: Mapping[Kind, float],
    options: Options,
) -> Decision:
    """Turn the scores of a batch into decisions: by threshold, by block, and by what was known before."""
    removed = options.removed_kinds
    best = scores.best
    limit = np.array([_threshold(kind, thresholds, options) for kind in scores.kinds])[best]
    over = scores.boilerplate >= limit
    goes = np.array([kind in removed for kind in scores.kinds])[best]
    alone = over & goes
    with_block = _in_blocks(alone, goes & (scores.boilerplate >= limit * BLOCK_FRACTION), features.document_of)
    lines = len(alone)
    decision = Decision(
        kept=(~(alone | with_block)).tolist(),
        kinds=[Kind.CONTENT] * lines,
        scores=scores.boilerplate.tolist(),
        reasons=[Reason.MODEL] * lines,
    )
    for i in np.flatnonzero(over | with_block).tolist():
        decision.kinds[i] = scores.kinds[best[i]]
    for i in np.flatnonzero(over & ~goes).tolist():
        decision.reasons[i] = Reason.CALLER
    for i in np.flatnonzero(with_block).tolist():
        decision.reasons[i] = Reason.CONTEXT
    for i in np.flatnonzero(scores.headline & ~over & ~with_block).tolist():
        decision.kinds[i] = Kind.HEADLINE
        decision.kept[i] = Kind.HEADLINE not in removed
    for i, (kind, reason) in known.items():
        decision.remove([i], kind, reason, options)
        if reason is Reason.CALLER:
            decision.kept[i] = False
    return decision


def _threshold(kind: Kind, thresholds: Mapping[Kind, float], options: Options) -> float:
    given: Mapping[Kind, float] = {Kind(name): value for name, value in options.thresholds.items()}
    if kind in given:
        return given[kind]
    return options.threshold if options.threshold is not None else thresholds.get(kind, 1.0)


def _in_blocks(
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
    """Flag the document of the lines ``begin`` to ``end`` when too much of it would go, and keep it whole unless all of that is certain."""
    kept = decision.kept[begin:end]
    if not any(kept):
        if begin == end:
            return ()
        sure = all(
            decision.reasons[i] in _FINAL or decision.scores[i] >= CERTAIN or not texts[i] for i in range(begin, end)
        )
        if not sure:
            _restore(decision, begin, end)
        return (Flag.NOTHING_LEFT,)
    share = options.max_removed_share
    if share is not None and not all(kept):
        words = [len(text.split()) for text in texts[begin:end]]
        if sum(n for n, stays in zip(words, kept, strict=True) if not stays) > share * sum(words):
            _restore(decision, begin, end)
            return (Flag.OVER_BUDGET,)
    return ()


def _restore(decision: Decision, begin: int, end: int) -> None:
    for i in range(begin, end):
        if not decision.kept[i]:
            decision.kept[i] = True
            decision.reasons[i] = Reason.BUDGET
