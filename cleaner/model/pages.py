"""The part of a bundle that judges the blocks of pages: evidence, features and text scores in, scores out.

The text model is that of the lines. A second linear model reads the path of each block, and two perceptrons judge it in
its surroundings, the second knowing what the first one said of all blocks. What follows from a score is decided in
``page.decision``.
"""

from collections.abc import Collection
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleaner.document import Kind
from cleaner.features import LineFeatures
from cleaner.model.scorer import DECIMALS, Calibration, Perceptron, QualityModel, Scores, TextModel, softmax
from cleaner.page.evidence import Evidence
from cleaner.page.surroundings import expected_f1, first_columns, second_columns


class Pass(NamedTuple):
    """One look at all blocks: a perceptron, and what its probabilities are worth."""

    perceptron: Perceptron
    calibration: Calibration

    def probabilities(self, columns: NDArray[np.float32]) -> NDArray[np.float64]:
        """From (columns, blocks) to (blocks, kinds), before calibration."""
        return softmax(self.perceptron.logits(columns))


class PageClassifier(NamedTuple):
    """The model of pages. ``kinds`` names the outputs of both passes."""

    kinds: tuple[Kind, ...]
    path_model: TextModel
    first: Pass
    second: Pass
    quality: QualityModel

    def score(
        self, text_model: TextModel, features: LineFeatures, evidence: Evidence, certain: Collection[int], sure: float
    ) -> Scores:
        """Calibrated scores and kinds of the blocks of a page; one pass does if it promises an F1 of ``sure``.

        ``boilerplate`` is the probability that a block is not content: on a page the title is metadata.
        """
        text_scores = text_model.scores(features, certain)
        columns = first_columns(text_scores, path_scores(self.path_model, evidence), evidence, features)
        probabilities = self.first.probabilities(columns)
        doubt = not_content(self.kinds, probabilities)
        boilerplate = self.first.calibration(doubt)
        if sure == inf or expected_f1(boilerplate, features.lengths)[0] < sure:
            probabilities = self.second.probabilities(second_columns(columns, doubt, evidence, features))
            boilerplate = self.second.calibration(not_content(self.kinds, probabilities))
        content = self.kinds.index(Kind.CONTENT)
        titles = probabilities.argmax(axis=1) == self.kinds.index(Kind.HEADLINE)
        probabilities[:, content] = -1
        return Scores(self.kinds, boilerplate, probabilities.argmax(axis=1), titles)


def path_scores(path_model: TextModel, evidence: Evidence) -> NDArray[np.int32]:
    """What the paths of the blocks say, shape (heads, blocks)."""
    paths, element = evidence.paths, evidence.element
    sums, count = path_model.sums([paths.grams()], 3 * len(paths.own))
    return path_model.logits(paths.whole(sums, element), paths.whole(count, element))


def not_content(kinds: tuple[Kind, ...], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely each line is anything but content, before calibration, rounded to ``DECIMALS``; shape (lines,)."""
    return np.round(1 - probabilities[:, kinds.index(Kind.CONTENT)], DECIMALS)
