"""What a line is made of → what it looks like in its document: neighbours, edges, the shape of the whole.

A fixed window, a few whole-document sums and what has been seen before, all in integers, so the cost grows with the
number of lines and nothing depends on what else is in the batch. Training and serving call the same function;
``FEATURES_VERSION`` covers it.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from cleaner.features import BOUNDS, COLUMN, DENSE, LARGEST_LOG, LineFeatures, floor_ratio, log_scale, running

# Text scores come in sixteenths of a logit and are cut off here, where they are as good as certain.
SCORE_UNIT = 16
SCORE_LIMIT = 8 * SCORE_UNIT

# Neighbours that are seen one by one, and the half-widths of the windows that are seen as averages.
_NEAR = (-3, -2, -1, 1, 2, 3)
_NEXT = (-1, 1)
_WINDOWS = (3, 12)
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
    """Shape (columns, lines): every line with its neighbourhood and its document, integers all of them.

    ``text_scores`` (heads, lines) are what the words of each line say, in ``SCORE_UNIT``; the first head is boilerplate
    against main content.
    """
    dense, offsets, document_of = features.dense, features.offsets, features.document_of
    heads, lines = text_scores.shape
    index = np.arange(lines)
    begin, end = offsets.take(document_of), offsets.take(document_of + 1)
    size = end - begin
    score, length, ends_sentence = text_scores[0], features.column("length"), features.column("ends_sentence")
    out = np.zeros((len(column_bounds(heads)), lines), np.float32)
    out[:heads] = text_scores
    out[heads : heads + len(dense)] = dense
    row = heads + len(dense)

    # Where the line stands, and where the article stands, seen from the line.
    before, behind = index - begin, end - 1 - index
    anchor = (length >= _ANCHOR_LENGTH) & (ends_sentence > 0) & (score < 0)
    anchors = running(anchor)
    body = running(np.where(score < 0, length, 0))
    whole = body.take(end) - body.take(begin)
    last = np.maximum.accumulate(np.where(anchor, index, -1))
    last = np.concatenate([[-1], last[:-1]])
    following = np.minimum.accumulate(np.where(anchor, index, lines)[::-1])[::-1]
    following = np.concatenate([following[1:], [lines]])
    places = (
        log_scale(before),
        log_scale(behind),
        floor_ratio(before * 256, size),
        log_scale(size),
        before == 0,
        behind == 0,
        log_scale(anchors[:-1] - anchors.take(begin)),
        log_scale(anchors.take(end) - anchors[1:]),
        floor_ratio((body[:-1] - body.take(begin)) * 256, whole),
        floor_ratio((body.take(end) - body[1:]) * 256, whole),
        np.where(last >= begin, log_scale(np.maximum(index - last, 0)), _FAR),
        np.where(following < end, log_scale(np.maximum(following - index, 0)), _FAR),
    )
    for values in places:
        out[row] = values
        row += 1

    # The neighbours one by one; zero where there is none.
    near = np.concatenate([text_scores, [length, ends_sentence]]).astype(np.float32)
    nearest = np.concatenate([near, dense[_NEIGHBOUR_COLUMNS]])
    for step in _NEAR:
        seen = nearest if step in _NEXT else near
        here = slice(0, lines - step) if step > 0 else slice(-step, lines)
        there = slice(step, lines) if step > 0 else slice(0, lines + step)
        if lines > abs(step):
            np.multiply(seen[:, there], document_of[there] == document_of[here], out=out[row : row + len(seen), here])
        row += len(seen)

    # Windows and the whole document as averages; the sums are whole numbers, far below where floats lose any.
    averaged = np.zeros((heads + 4, lines + 1))
    np.cumsum(text_scores, axis=1, out=averaged[:heads, 1:])
    for i, values in enumerate((length, ends_sentence * 256, features.column("cohesion"), anchor * 256), heads):
        np.cumsum(values, out=averaged[i, 1:])
    windows = [(np.maximum(index - width, begin), np.minimum(index + width + 1, end)) for width in _WINDOWS]
    windows += [(np.maximum(index - 6, begin), index), (index + 1, np.minimum(index + 7, end)), (begin, end)]
    for low, high in windows:
        out[row : row + len(averaged)] = floor_ratio(
            averaged.take(high, axis=1) - averaged.take(low, axis=1), high - low
        )
        row += len(averaged)

    # What has been seen before in the document: behind the heading of the comments stand comments, however they read.
    # Documents are lifted above each other, so that one running maximum serves them all.
    lift = document_of * (4 * SCORE_LIMIT)
    seen = np.maximum.accumulate(text_scores + lift, axis=1)
    out[row:, 1:] = seen[:, :-1] - lift[1:]
    out[row:, before == 0] = -SCORE_LIMIT
    return out


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
    bounds += (scores + length + share + cohesion + share) * (len(_WINDOWS) + 3)
    return tuple(bounds + scores)
