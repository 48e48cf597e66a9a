"""The shape of a decided document, worked out by hand, and what a model makes of it."""

import numpy as np
import pytest
from tiny import features_of

from cleaner.decode import PARAGRAPH_LENGTH
from cleaner.model.scorer import SHAPE, QualityModel
from cleaner.quality import document_shape
from cleaner.training.calibration import quality_model

PARAGRAPH = "A" * (PARAGRAPH_LENGTH - 1) + "."
SHORT = "B" * 7


def shape(scores, kept, *documents):
    return document_shape(np.array(scores, float), np.array(kept, bool), features_of(*documents))


def test_a_shape_by_hand():
    got = shape([0.1, 0.3, 0.9], [1, 1, 0], [PARAGRAPH, SHORT, SHORT])
    mean = (PARAGRAPH_LENGTH + len(SHORT)) // 2
    assert got[:, 0] == pytest.approx([2.0, 1.0, 0.5, 0.2, np.round(16 * np.log2(1 + mean)) / 16])
    assert len(got) == len(SHAPE)


def test_documents_without_lines_and_without_any_left():
    assert shape([], []).shape == (len(SHAPE), 0)
    got = shape([0.9, 0.2], [0, 1], [], [SHORT], [], [PARAGRAPH])
    assert got[:, 0].tolist() == [0.0] * len(SHAPE)
    assert got[:, 2].tolist() == [0.0] * len(SHAPE)
    assert got[1:, 1].tolist() == [0.0] * (len(SHAPE) - 1)
    assert got[:, 3].tolist() == shape([0.2], [1], [PARAGRAPH])[:, 0].tolist()


def test_what_was_removed_speaks_for_nothing():
    doubtful, sure = shape([0.1, 0.5], [1, 0], [PARAGRAPH, SHORT]), shape([0.1, 1.0], [1, 0], [PARAGRAPH, SHORT])
    assert doubtful.tolist() == sure.tolist()


def test_a_model_of_shapes():
    model = QualityModel(np.array([2.0, -1.0]), 0.5)
    assert model(np.array([[0.0, 1.0, 40.0], [0.0, 2.5, 0.0]])).tolist() == [0.6225, 0.5, 1.0]
    assert model(np.zeros((2, 0))).tolist() == []


def test_a_model_learns_what_is_good():
    draw = np.random.default_rng(7)
    shapes = draw.normal(size=(len(SHAPE), 400))
    good = shapes[0] - shapes[3] > 0
    model = quality_model(shapes, good)
    assert ((model(shapes) > 0.5) == good).mean() > 0.95


@pytest.mark.parametrize(("good", "least", "most"), [([True] * 3, 0.9, 1.0), ([False] * 3, 0.0, 0.1), ([], 0.0, 0.1)])
def test_where_there_is_nothing_to_learn_it_says_so_of_all(good, least, most):
    model = quality_model(np.ones((len(SHAPE), len(good))), np.array(good, bool))
    rated = model(np.ones((len(SHAPE), 1)))
    assert least <= rated[0] <= most
