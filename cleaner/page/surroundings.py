"""Evidence and scores of blocks → how each block looks beside others: columns for the two passes of the block model.

The first pass sees what the words and the path of each block say, its neighbours, and the containers that it stands in.
The second sees the first one's verdicts on all that: on blocks of the same shape, on every container, and on where the
article seems to begin and end. Integers within known bounds, linear in the number of blocks.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cleaner.context import SCORE_LIMIT, SCORE_UNIT, column_bounds, context_features
from cleaner.features import LARGEST_LOG, LineFeatures, floor_ratio, log_scale, running
from cleaner.page.evidence import COLUMN_BOUNDS, FLAG, LEVELS, SHARE, Evidence

# Scores are read in this unit where they weigh text: whole numbers, so that sums are exact.
STEPS = 10_000
# A block counts for at most this many code points where text is weighed: one long block must not drown its list.
LONGEST = 600
# Neighbours that are seen one by one, and windows of which the mean is seen: blocks before and behind, -1 for none of
# that side nor the block itself.
_NEAR = (-3, -2, -1, 1, 2, 3)
_WINDOWS = ((1, 1), (3, 3), (8, 8), (20, 20), (4, -1), (-1, 4), (16, -1), (-1, 16))


def first_columns(
    text_scores: NDArray[np.int32], path_scores: NDArray[np.int32], evidence: Evidence, features: LineFeatures
) -> NDArray[np.float32]:
    """Shape (columns, blocks): what the first pass sees; the scores (heads, blocks) are in ``SCORE_UNIT``."""
    both = np.clip(text_scores[0] + path_scores[0], -SCORE_LIMIT, SCORE_LIMIT)
    linked = evidence.column("linked") // 2
    body = np.where(evidence.column("has_body") > 0, evidence.column("in_body") // 2 - 64, 0)
    heads = np.concatenate([both[None], text_scores, path_scores, linked[None], body[None]]).astype(np.int32)
    weighed = [text_scores[0], path_scores[0], linked, (both < 0) * SCORE_LIMIT]
    return np.concatenate(
        [context_features(heads, features), evidence.columns, _containers(weighed, evidence, features)]
    ).astype(np.float32)


@cache
def first_bounds(heads: int) -> tuple[int, ...]:
    """The largest absolute value of each column of ``first_columns``, for that many heads in all."""
    return (*column_bounds(heads + 3), *COLUMN_BOUNDS, *_container_bounds(4))


def second_columns(
    first: NDArray[np.float32], boilerplate: NDArray[np.float64], evidence: Evidence, features: LineFeatures
) -> NDArray[np.float32]:
    """Shape (columns, blocks): what the second pass sees, ``first`` and the first one's probabilities (blocks,)."""
    steps = np.rint(boilerplate * STEPS).astype(np.int64)
    odds = np.log(np.clip(boilerplate, 1e-4, 1 - 1e-4)) - np.log(1 - np.clip(boilerplate, 1e-4, 1 - 1e-4))
    logit = np.clip(np.rint(odds * SCORE_UNIT), -SCORE_LIMIT, SCORE_LIMIT).astype(np.int64)
    share = steps * SHARE // STEPS
    text = np.minimum(features.lengths, LONGEST)
    worth = (STEPS // 2 - steps) * text
    expected, limit = expected_f1(boilerplate, features.lengths)
    count = len(boilerplate)
    content = int((features.lengths * (STEPS - steps)).sum()) * SHARE // max(int(features.lengths.sum()) * STEPS, 1)
    return np.concatenate(
        [
            first,
            _alike(evidence.shape, logit, share, text),
            _extent(_best_element(evidence.spans, worth), count),
            _extent(_best_run(worth), count),
            _containers([logit, share], evidence, features),
            _neighbours(logit),
            [
                logit,
                np.full(count, int(expected * SHARE)),
                np.full(count, content),
                boilerplate <= 1 - limit,
            ],
        ]
    ).astype(np.float32)


@cache
def second_bounds(heads: int) -> tuple[int, ...]:
    """The largest absolute value of each column of ``second_columns``, for that many heads in all."""
    alike = (LARGEST_LOG, SHARE, LARGEST_LOG, SCORE_LIMIT, SHARE, SCORE_LIMIT)
    extent = (FLAG, SHARE, LARGEST_LOG, SHARE)
    near = [SCORE_LIMIT] * (len(_WINDOWS) + len(_NEAR))
    return (*first_bounds(heads), *alike, *extent * 2, *_container_bounds(2), *near, SCORE_LIMIT, SHARE, SHARE, FLAG)


def expected_f1(boilerplate: NDArray[np.float64], lengths: NDArray[np.intp]) -> tuple[float, float]:
    """The best F1 that can be expected of keeping some blocks, and the probability of content that this asks for.

    Keeping the likeliest blocks until the expected F1 is largest is what maximises it, and the last block kept then has
    half of that F1 as its probability of being content (Lipton et al. 2014, "Optimal thresholding of classifiers to
    maximize F1 measure"). So a page of one clear article asks for a half, and a doubtful page for less.

        >>> best, limit = expected_f1(np.array([0.1, 0.1, 0.9]), np.array([100, 100, 100]))
        >>> round(best, 3), round(limit, 3)
        (0.923, 0.462)
    """
    if not len(lengths):
        return 0.0, 0.0
    content = 1 - boilerplate
    order = np.argsort(-content, kind="stable")
    text = np.maximum(lengths, 1)[order]
    hits = np.cumsum(content[order] * text)
    best = float((2 * hits / (np.cumsum(text) + hits[-1])).max())
    return best, best / 2


def _containers(
    weighed: Sequence[NDArray[np.integer]], evidence: Evidence, features: LineFeatures
) -> NDArray[np.float64]:
    """For each level: the blocks of the container, its share of the page, and the means of some values in it."""
    rows = []
    text = running(features.lengths)
    sums = [running(values * features.lengths) for values in weighed]
    for begin, end in evidence.containers:
        length = text[end] - text[begin]
        rows += [log_scale(end - begin), floor_ratio(length * SHARE, text[-1:])]
        rows += [floor_ratio(total[end] - total[begin], length) for total in sums]
    return np.array(rows, np.float64)


def _container_bounds(weighed: int) -> list[int]:
    return [LARGEST_LOG, SHARE, *[max(SCORE_LIMIT, SHARE)] * weighed] * LEVELS


def _alike(
    shape: NDArray[np.intp], logit: NDArray[np.int64], share: NDArray[np.int64], text: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Of the blocks that are shaped like this one: how many, how much of the page, how long, what verdicts."""
    shapes = int(shape.max(initial=-1)) + 1

    def total(values: NDArray[np.integer]) -> NDArray[np.int64]:
        # Weights of bincount are floats, and exact as long as the sums stay below 2**53.
        return np.bincount(shape, values, shapes).astype(np.int64)

    number, length = np.bincount(shape, minlength=shapes), total(text)
    rows = [
        log_scale(number),
        length * SHARE // max(int(text.sum()), 1),
        log_scale(length // np.maximum(number, 1)),
        floor_ratio(total(logit * text), length),
        floor_ratio(total(share * text), length),
        floor_ratio(total(logit), number),
    ]
    return np.array(rows, np.float64).reshape(len(rows), shapes)[:, shape]


def _best_element(spans: NDArray[np.intp], worth: NDArray[np.int64]) -> tuple[int, int]:
    """The first block of the element whose blocks are worth most together, and the one behind its last."""
    total = running(worth)
    begin, end = spans
    if not len(begin):
        return 0, len(worth)
    best = np.lexsort((end - begin, -(total[end] - total[begin])))[0]
    return int(begin[best]), int(end[best])


def _best_run(worth: NDArray[np.int64]) -> tuple[int, int]:
    """The first block of the run of blocks that is worth most, and the one behind its last (Kadane's algorithm)."""
    total = running(worth)
    if not len(worth):
        return 0, 0
    lowest = np.minimum.accumulate(total[:-1])
    end = int((total[1:] - lowest).argmax()) + 1
    return int(total[:end].argmin()), end


def _extent(span: tuple[int, int], count: int) -> NDArray[np.float64]:
    """Whether a block stands in a span, how far in, how far before (below 0) or behind, and how much the span holds."""
    begin, end = span
    place = np.arange(count)
    inside = (place >= begin) & (place < end)
    far = np.where(place < begin, -log_scale(np.maximum(begin - place, 0)), log_scale(np.maximum(place - end + 1, 0)))
    rows = [
        inside,
        np.where(inside, (place - begin) * SHARE // max(end - begin, 1), 0),
        np.where(inside, 0, far),
        np.full(count, SHARE * (end - begin) // max(count, 1)),
    ]
    return np.array(rows, np.float64)


def _neighbours(logit: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean verdict in windows around a block, before it and behind it; then the verdicts of the nearest."""
    count, total = len(logit), running(logit)
    place = np.arange(count)
    rows: list[NDArray[np.generic]] = []
    for before, behind in _WINDOWS:
        low, high = np.maximum(place - before, 0), np.minimum(place + behind + 1, count)
        rows.append(floor_ratio(total[high] - total[np.minimum(low, high)], np.maximum(high - low, 0)))
    for step in _NEAR:
        shifted = np.zeros(count, np.int64)
        here = slice(0, max(count - step, 0)) if step > 0 else slice(min(-step, count), count)
        there = slice(min(step, count), count) if step > 0 else slice(0, max(count + step, 0))
        shifted[here] = logit[there]
        rows.append(shifted)
    return np.array(rows, np.float64)
