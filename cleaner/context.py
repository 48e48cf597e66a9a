"""What a line is made of → what it looks like in its document: neighbours, edges, the shape of the whole.

A fixed window and a few whole-document sums per line, all in integers, so the cost grows with the number of lines and
nothing depends on what else is in the batch. Training and serving call the same function; ``FEATURES_VERSION`` covers
it.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from cleaner.features import BOUNDS, COLUMN, DENSE, LARGEST_LOG, LineFeatures, log_scale

# Text scores come in sixteenths of a logit and are cut off here, where they are as good as certain.
SCORE_UNIT = 16
SCORE_LIMIT = 8 * SCORE_UNIT

# Neighbours that are seen one by one, and the half-widths of the windows that are seen as averages.
_NEAR = (-4, -3, -2, -1, 1, 2, 3, 4)
_NEXT = (-2, -1, 1, 2)
_WINDOWS = (3, 8, 20)
# A line of at least this many code points (in the unit of ``log_scale``) that ends a sentence and whose words look like
# main content anchors the article: what stands before the first and behind the last anchor is its head and its tail.
_ANCHOR_LENGTH = int(log_scale(np.array([100]))[0])
_FAR = int(log_scale(np.array([200]))[0])

_NEIGHBOUR_COLUMNS = [
    COLUMN[name]
    for name in (
        "upper_share",
        "capital_share",
        "digit_share",
        "ends_colon",
        "starts_bullet",
        "cohesion",
        "words",
        "seen_again",
    )
]


def context_features(text_scores: NDArray[np.int32], features: LineFeatures) -> NDArray[np.float32]:
    """Shape (columns, lines): every line with its neighbourhood and its document.

    ``text_scores`` (heads, lines) are what the words of each line say, in ``SCORE_UNIT``; the first head is boilerplate
    against main content.
    """
    dense = np.ascontiguousarray(features.dense.T)  # every column is read many times
    offsets, document_of = features.offsets, features.document_of
    lines = dense.shape[1]
    index = np.arange(lines)
    begin, end = offsets[document_of], offsets[document_of + 1]
    size = end - begin
    score, length, ends_sentence = text_scores[0], dense[COLUMN["length"]], dense[COLUMN["ends_sentence"]]
    out: list[NDArray[np.integer]] = [*text_scores, *dense]

    # Where the line stands.
    before, behind = index - begin, end - 1 - index
    out += [log_scale(before), log_scale(behind), before * 256 // size, log_scale(size), before == 0, behind == 0]

    # Where the article stands, seen from the line.
    anchor = (length >= _ANCHOR_LENGTH) & (ends_sentence > 0) & (score < 0)
    anchors = _running(anchor)
    out += [log_scale(anchors[index] - anchors[begin]), log_scale(anchors[end] - anchors[index + 1])]
    body = _running(np.where(score < 0, length, 0))
    whole = np.maximum(body[end] - body[begin], 1)
    out += [(body[index] - body[begin]) * 256 // whole, (body[end] - body[index + 1]) * 256 // whole]
    last = np.maximum.accumulate(np.where(anchor, index, -1))
    last = np.concatenate([[-1], last[:-1]])
    following = np.minimum.accumulate(np.where(anchor, index, lines)[::-1])[::-1]
    following = np.concatenate([following[1:], [lines]])
    out += [
        np.where(last >= begin, log_scale(np.maximum(index - last, 0)), _FAR),
        np.where(following < end, log_scale(np.maximum(following - index, 0)), _FAR),
    ]

    # The neighbours one by one.
    for step in _NEAR:
        inside = document_of[step:] == document_of[:-step] if step > 0 else document_of[:step] == document_of[-step:]
        seen = [*text_scores, length, ends_sentence]
        if step in _NEXT:
            seen += [dense[column] for column in _NEIGHBOUR_COLUMNS]
        out += [_neighbours(values, step, inside) for values in seen]

    # Windows and the whole document as averages.
    averaged = [*text_scores, length, ends_sentence * 256, dense[COLUMN["cohesion"]], anchor * 256]
    for values in averaged:
        total = _running(values)
        for width in _WINDOWS:
            low, high = np.maximum(index - width, begin), np.minimum(index + width + 1, end)
            out.append((total[high] - total[low]) // (high - low))
        low, high = np.maximum(index - 6, begin), np.minimum(index + 7, end)
        out.append((total[index] - total[low]) // np.maximum(index - low, 1))
        out.append((total[high] - total[index + 1]) // np.maximum(high - index - 1, 1))
        out.append((total[end] - total[begin]) // size)
    matrix = np.empty((len(out), lines), np.float32)
    for row, values in enumerate(out):
        matrix[row] = values
    return matrix


def _running(values: NDArray[np.generic]) -> NDArray[np.int64]:
    total = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=total[1:], dtype=np.int64)
    return total


def _neighbours(values: NDArray[np.int32], step: int, inside: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The value of the line ``step`` lines on, zero where ``inside`` (lines - step,) says it is another document."""
    shifted = np.zeros_like(values)
    if step > 0:
        np.multiply(values[step:], inside, out=shifted[:-step])
    else:
        np.multiply(values[:step], inside, out=shifted[-step:])
    return shifted


@cache
def column_bounds(heads: int) -> tuple[int, ...]:
    """The largest absolute value that each column of ``context_features`` can have, for that many heads.

    In the order in which that function puts the columns; tests hold the two together.
    """
    scores, log, share, flag = [SCORE_LIMIT] * heads, [LARGEST_LOG], [256], [1]
    length, ends_sentence, cohesion = log, flag, share
    dense = [BOUNDS[name] for name in DENSE]
    bounds = scores + dense + log * 2 + share + log + flag * 2 + log * 2 + share * 2 + [max(LARGEST_LOG, _FAR)] * 2
    for step in _NEAR:
        bounds += scores + length + ends_sentence
        if step in _NEXT:
            bounds += [dense[column] for column in _NEIGHBOUR_COLUMNS]
    for bound in scores + length + share + cohesion + share:
        bounds += [bound] * (len(_WINDOWS) + 3)
    return tuple(bounds)
