"""Arrays of a bundle + features of lines → scores. Numpy only; what follows from a score is left to ``decode``.

Two stages. The *text model* is linear over hashed n-grams and looks at one line at a time; it has several heads
(boilerplate, and families of kinds). The *context model* is a small multilayer perceptron over what the heads say of
the line and of its neighbours, the line's shape and the shape of its document.
"""

import os
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleaner.context import SCORE_LIMIT, SCORE_UNIT, context_features
from cleaner.document import Kind
from cleaner.features import MOST_GRAMS, Grams, LineFeatures, segment_sums

# Eight weights of 8 bits share one 64-bit word, so that one gather serves eight heads; they are summed in lanes of 16
# bits, every other weight at once. Lanes never spill into each other: no line has more than 257 grams of one order, and
# orders are summed apart.
LANES = 8
_WEIGHT_BITS, _LANE_BITS = 8, 16
_EVERY_OTHER = np.uint64(0x00FF00FF00FF00FF)
_BIAS = 128
assert MOST_GRAMS <= ((1 << _LANE_BITS) - 1) // ((1 << _WEIGHT_BITS) - 1)

# Lines per matrix product, to stay in the processor's cache.
TILE = 256
# A product of more multiplications calls the threads of OpenBLAS, which on a busy machine wait for each other longer
# than they work, so wide ones are taken in strips; but where it has no threads, as in the command and its workers.
SMALL_PRODUCT = 1 << 18
HAS_THREADS = os.environ.get("OPENBLAS_NUM_THREADS") != "1"

# What the context model computes is exact, so that no sum depends on the order in which BLAS takes it, and no score on
# what else is in the batch: inputs are integers within known bounds, weights of the first layer are multiples of a
# power of two so that no sum needs more than the 24 bits of float32, activations are rounded to 1/64 and cut off, and
# the second layer is computed in float64.
EXACT_BITS = 24
ACTIVATION_STEPS, MOST_ACTIVE = 64, 4096
OUTPUT_STEPS = 2.0**20

# Scores are rounded to this many decimals before anything is compared with them.
DECIMALS = 4


def in_steps(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rounded scores as whole numbers of their last decimal, so that sums of them are exact in any order."""
    steps: NDArray[np.int64] = np.rint(scores * 10**DECIMALS).astype(np.int64)
    return steps


class TextModel(NamedTuple):
    """Linear heads over hashed n-grams.

    ``weights`` int8 (buckets, heads); ``units`` float64 (heads,), what one step of a weight is worth; ``intercepts``
    float64 (heads,).
    """

    weights: NDArray[np.int8]
    units: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    packed: list[NDArray[np.uint64]]

    @classmethod
    def of(cls, weights: NDArray[np.int8], units: NDArray[np.float64], intercepts: NDArray[np.float64]) -> "TextModel":
        """Pack the weights for serving."""
        packed = []
        for first in range(0, weights.shape[1], LANES):
            # Bytes with the sign bit turned over are the weights plus the bias.
            lanes = weights[:, first : first + LANES].view(np.uint8) ^ np.uint8(_BIAS)
            if lanes.shape[1] < LANES:
                lanes = np.pad(lanes, ((0, 0), (0, LANES - lanes.shape[1])))
            packed.append(np.ascontiguousarray(lanes).view("<u8")[:, 0])
        return cls(weights, units, intercepts, packed)

    def scores(self, features: LineFeatures, certain: Collection[int] = ()) -> NDArray[np.int32]:
        """Shape (heads, lines), in ``SCORE_UNIT``: the logit of each head, rounded and cut off.

        ``certain`` numbers lines that are known to be boilerplate, so that their neighbours are judged knowing it.
        """
        scores = self.logits(*self.sums(features.grams, len(features.lengths)))
        if certain:
            scores[0, list(certain)] = SCORE_LIMIT
        return scores

    def sums(self, all_grams: list[Grams], lines: int) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
        """The weights of the grams of each line added up, shape (heads, lines), and how many there are, (lines,)."""
        heads = self.weights.shape[1]
        sums = np.zeros((LANES * len(self.packed), lines), np.int32)
        count = np.zeros(lines, np.intp)
        for grams in all_grams:
            here = slice(grams.begin, grams.end)
            for buckets, stops in zip(grams.buckets, grams.stops, strict=True):
                count[here] += stops - grams.starts
                for first, table in zip(range(0, heads, LANES), self.packed, strict=True):
                    words = table.take(buckets)
                    for odd, weights in enumerate((words, words >> np.uint64(_WEIGHT_BITS))):
                        lanes = segment_sums(weights & _EVERY_OTHER, grams.starts, stops).astype("<u8", copy=False)
                        sums[first + odd : first + LANES : 2, here] += lanes.view("<u2").reshape(-1, LANES // 2).T
        return sums[:heads] - _BIAS * count.astype(np.int32), count

    def logits(self, sums: NDArray[np.integer], count: NDArray[np.integer]) -> NDArray[np.int32]:
        """What sums of weights, (heads, lines), over so many grams, (lines,), come to; (heads, lines)."""
        logits: NDArray[np.float64] = sums / np.sqrt(np.maximum(count, 1)) * self.units[:, None]
        logits += self.intercepts[:, None]
        return np.clip(np.rint(logits * SCORE_UNIT), -SCORE_LIMIT, SCORE_LIMIT).astype(np.int32)


class Perceptron(NamedTuple):
    """One hidden layer of rectified units; the scaling of the inputs is folded into it.

    ``hidden`` (inputs, units) and ``hidden_bias`` are float32, ``output`` (units, outputs) and ``output_bias`` float64.
    """

    hidden: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    output: NDArray[np.float64]
    output_bias: NDArray[np.float64]

    @classmethod
    def exact(
        cls, hidden: NDArray[np.float64], hidden_bias: NDArray[np.float64], output: NDArray[np.float64],
        output_bias: NDArray[np.float64], bounds: NDArray[np.float64],
    ) -> "Perceptron":  # fmt: skip
        """Round weights so that all sums are exact for inputs of at most ``bounds`` (inputs,) in absolute value."""
        largest = np.abs(hidden).T @ bounds + np.abs(hidden_bias)
        # Half a step per weight is room for the rounding itself.
        steps = 2.0 ** np.floor(EXACT_BITS - np.log2(largest + 1e-9) - 0.01)
        steps = np.where(
            (np.abs(np.rint(hidden * steps)).T @ bounds + np.abs(np.rint(hidden_bias * steps))) < 2.0**EXACT_BITS,
            steps,
            steps / 2,
        )
        return cls(
            (np.rint(hidden * steps) / steps).astype(np.float32),
            (np.rint(hidden_bias * steps) / steps).astype(np.float32),
            np.rint(output * OUTPUT_STEPS) / OUTPUT_STEPS,
            np.rint(output_bias * OUTPUT_STEPS) / OUTPUT_STEPS,
        )

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """From (inputs, lines) to (lines, outputs)."""
        lines = inputs.shape[1]
        out = np.empty((self.output.shape[1], lines), np.float64)
        # Steps are a power of two, so scaling the weights instead of the activations changes no bit of them.
        weights = np.ascontiguousarray(self.hidden.T) * np.float32(ACTIVATION_STEPS)
        bias = self.hidden_bias[:, None] * np.float32(ACTIVATION_STEPS)
        output = self.output.T / ACTIVATION_STEPS
        # Whole vector registers of lines.
        strip = max(SMALL_PRODUCT // weights.size // 8, 1) * 8 if HAS_THREADS else TILE
        for begin in range(0, lines, TILE):
            tile = inputs[:, begin : begin + TILE]
            layer = np.empty((len(weights), tile.shape[1]), np.float32)
            for first in range(0, tile.shape[1], strip):
                np.matmul(weights, tile[:, first : first + strip], out=layer[:, first : first + strip])
            layer += bias
            np.clip(layer, 0, MOST_ACTIVE * ACTIVATION_STEPS, out=layer)
            np.rint(layer, out=layer)
            np.matmul(output, layer.astype(np.float64), out=out[:, begin : begin + TILE])
        out += self.output_bias[:, None]
        return out.T


class Calibration(NamedTuple):
    """A rising, piecewise linear map from raw to calibrated probability, through (``raw``, ``calibrated``)."""

    raw: NDArray[np.float64]
    calibrated: NDArray[np.float64]

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The calibrated values, rounded to ``DECIMALS``."""
        return np.round(np.interp(values, self.raw, self.calibrated), DECIMALS)


# What a document is like once its lines are decided: the columns of ``cleaner.quality.document_shape``.
SHAPE = ("lines_before", "paragraphs", "share_of_paragraphs", "mean_score", "mean_length")


class QualityModel(NamedTuple):
    """A logistic model over the shape of a decided document: ``weights`` (columns of ``SHAPE``,), and what is added."""

    weights: NDArray[np.float64]
    bias: float

    def __call__(self, shape: NDArray[np.float64]) -> NDArray[np.float64]:
        """From (columns, documents) to probabilities (documents,), rounded to ``DECIMALS``."""
        logits = np.full(shape.shape[1], self.bias)
        for weight, column in zip(self.weights, shape, strict=True):
            logits += weight * column
        probabilities: NDArray[np.float64] = np.round(1 / (1 + np.exp(-np.clip(logits, -30, 30))), DECIMALS)
        return probabilities


class Scores(NamedTuple):
    """What a model says of some lines.

    ``boilerplate`` (lines,) is the calibrated probability that a line is neither content nor headline; ``best``
    (lines,) points into ``kinds`` at the likeliest kind of boilerplate; ``headline`` (lines,) says whether a line looks
    more like a title than like content.
    """

    kinds: tuple[Kind, ...]
    boilerplate: NDArray[np.float64]
    best: NDArray[np.intp]
    headline: NDArray[np.bool_]

    def likely(self, kinds: Collection[Kind]) -> NDArray[np.bool_]:
        """Which lines would be of one of these kinds if they were boilerplate, shape (lines,)."""
        return np.array([kind in kinds for kind in self.kinds])[self.best]


class LineClassifier(NamedTuple):
    """The whole model: features of lines in, scores out. ``kinds`` names the outputs of the context model."""

    kinds: tuple[Kind, ...]
    text_model: TextModel
    context_model: Perceptron
    calibration: Calibration
    quality: QualityModel

    def probabilities(self, features: LineFeatures, certain: Collection[int] = ()) -> NDArray[np.float64]:
        """Shape (lines, kinds), before calibration; ``certain`` as in ``TextModel.scores``."""
        if not len(features.lengths):
            return np.zeros((0, len(self.kinds)))
        text_scores = self.text_model.scores(features, certain)
        return softmax(self.context_model.logits(context_features(text_scores, features)))

    def score(self, features: LineFeatures, certain: Collection[int] = ()) -> Scores:
        """Calibrated scores and kinds of the lines of a batch."""
        probabilities = self.probabilities(features, certain)
        content, headline = self.kinds.index(Kind.CONTENT), self.kinds.index(Kind.HEADLINE)
        boilerplate = self.calibration(1 - probabilities[:, content] - probabilities[:, headline])
        looks_like_title = probabilities[:, headline] > probabilities[:, content]
        probabilities[:, [content, headline]] = -1
        return Scores(self.kinds, boilerplate, probabilities.argmax(axis=1), looks_like_title)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities (lines, kinds) of logits."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares
