"""A decided document → its shape as a whole, from which the model estimates whether it is clean and whole.

Sums of integers, so nothing depends on what else is in the batch.
"""

import numpy as np
from numpy.typing import NDArray

from cleaner.decode import long_sentences
from cleaner.features import LineFeatures, log_scale, segment_sums
from cleaner.model.scorer import DECIMALS, in_steps

_LOG_STEPS = 16


def document_shape(
    boilerplate: NDArray[np.float64], kept: NDArray[np.bool_], features: LineFeatures
) -> NDArray[np.float64]:
    """What a document is like once its lines are decided, shape (columns of ``SHAPE``, documents).

    The number of its lines as it came and of the paragraphs left, as logarithms to base 2; of the lines left, the share
    that are paragraphs, the mean score, and the mean length, again as a logarithm. What was removed does not count: it
    would speak for a document that content was taken from. ``boilerplate`` and ``kept`` (lines,) are scores and
    decisions.
    """
    lengths = features.lengths
    starts, stops = features.offsets[:-1], features.offsets[1:]
    left, paragraphs, doubt, text = (
        segment_sums(values.astype(np.int64), starts, stops)
        for values in (
            kept,
            kept & long_sentences(features),
            np.where(kept, in_steps(boilerplate), 0),
            np.where(kept, lengths, 0),
        )
    )
    lines = np.maximum(left, 1)
    return np.array(
        [
            log_scale(stops - starts) / _LOG_STEPS,
            log_scale(paragraphs) / _LOG_STEPS,
            paragraphs / lines,
            doubt / (10**DECIMALS * lines),
            log_scale(text // lines) / _LOG_STEPS,
        ]
    )
