"""Serving computes what the arrays say: no lane spills, no line is scored by the company it keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import KINDS, MARKERS, columns, features_of

from cleaner.context import SCORE_LIMIT, SCORE_UNIT, column_bounds
from cleaner.document import Kind
from cleaner.features import HASH_BITS
from cleaner.model.bundle import read_bundle
from cleaner.model.scorer import (
    ACTIVATION_STEPS,
    DECIMALS,
    MOST_ACTIVE,
    SMALL_PRODUCT,
    TILE,
    Calibration,
    LineClassifier,
    Perceptron,
    TextModel,
    softmax,
)

LINES = [
    "",
    "a",
    "Share",
    "The council met on Tuesday. " * 3,
    "aaaa" * 100,
    "市議会は火曜日に開かれた。" * 30,
    "x" * 95,
    "é" * 96,
    "ab" * 49,
]
IDENTITY = Calibration(np.array([0.0, 1.0]), np.array([0.0, 1.0]))


def plain_scores(weights, units, intercepts, features):
    """The definition, head by head and line by line."""
    out = np.empty((len(weights), len(features.lengths)), np.int32)
    for i in range(len(features.lengths)):
        (tile,) = (tile for tile in features.grams if tile.begin <= i < tile.end)
        here = i - tile.begin
        grams = np.concatenate(
            [buckets[tile.starts[here] : stops[here]] for buckets, stops in zip(tile.buckets, tile.stops, strict=True)]
        )
        total = weights[:, grams].astype(np.int64).sum(axis=1)
        logits = total / np.sqrt(max(len(grams), 1)) * units + intercepts
        out[:, i] = np.clip(np.rint(logits * SCORE_UNIT), -SCORE_LIMIT, SCORE_LIMIT)
    return out


@pytest.mark.parametrize("heads", [1, 2, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("weights", ["random", "highest", "lowest", "alternating"])
def test_packed_lanes_are_plain_sums(heads, weights):
    draw = np.random.default_rng(heads)
    table = draw.integers(-128, 128, (heads, 1 << HASH_BITS)).astype(np.int8)
    if weights != "random":
        table[:] = {"highest": 127, "lowest": -128, "alternating": 127}[weights]
    if weights == "alternating":
        table[1::2] = -128
    units, intercepts = draw.uniform(1e-4, 3e-3, heads), draw.uniform(-1, 1, heads)
    features = features_of(LINES)
    scores = TextModel.of(np.ascontiguousarray(table.T), units, intercepts).scores(features)
    assert scores.dtype == np.int32
    # A sum of the same numbers in another order may fall on the other side of a half.
    assert abs(scores - plain_scores(table, units, intercepts, features)).max() <= (weights == "random")
    assert len(np.unique(scores)) > 3


def test_text_scores_are_cut_off():
    weights = np.array([[127, -127]], np.int8).repeat(1 << HASH_BITS, axis=0)
    scores = TextModel.of(weights, np.ones(2), np.zeros(2)).scores(features_of(["The council met."]))
    assert scores.tolist() == [[SCORE_LIMIT], [-SCORE_LIMIT]]


def perceptron(units=64, seed=1):
    draw = np.random.default_rng(seed)
    of = lambda *shape: draw.normal(size=shape)  # noqa: E731
    weights = of(columns(4), units) / 300, of(units), of(units, len(KINDS)), of(len(KINDS))
    return Perceptron.exact(*weights, np.array(column_bounds(4), np.float64)), weights


def inputs_within_bounds(lines, seed=2):
    bounds = np.array(column_bounds(4))[:, None]
    return np.random.default_rng(seed).integers(-bounds, bounds + 1, (len(bounds), lines)).astype(np.float32)


@pytest.mark.parametrize("lines", [0, 1, 2, TILE - 1, TILE, TILE + 1, 3 * TILE + 17])
def test_tiles_are_one_matrix_product(lines):
    model, (hidden, hidden_bias, output, output_bias) = perceptron()
    inputs = inputs_within_bounds(lines)
    logits = model.logits(inputs)
    assert logits.shape == (lines, len(KINDS))
    layer = np.maximum(inputs.T.astype(np.float64) @ hidden + hidden_bias, 0)
    assert np.allclose(logits, layer @ output + output_bias, atol=0.2)
    # The rounded weights themselves give the very same numbers in integers of any length.
    step = 2**40
    exact = (model.hidden.astype(np.float64) * step).astype(object).T @ inputs[:, :5].astype(np.int64).astype(object)
    sums = (exact + (model.hidden_bias.astype(np.float64) * step).astype(object)[:, None]) / step
    active = np.rint(np.clip(sums.astype(np.float64), 0, MOST_ACTIVE) * ACTIVATION_STEPS) / ACTIVATION_STEPS
    assert np.allclose(logits[:5], active.T @ model.output + model.output_bias, rtol=0, atol=1e-9)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, TILE - 1, TILE, TILE + 1, 2 * TILE + 5])
@pytest.mark.parametrize("threads", [False, True])
def test_a_line_has_the_same_logits_in_any_company(size, threads, monkeypatch):
    model, _ = perceptron()
    inputs = inputs_within_bounds(3 * TILE)
    whole = model.logits(inputs)
    monkeypatch.setattr("cleaner.model.scorer.HAS_THREADS", threads)
    monkeypatch.setattr("cleaner.model.scorer.SMALL_PRODUCT", 1 << 12)
    for begin in (0, 1, 5, 8, TILE - 1, TILE):
        part = model.logits(np.ascontiguousarray(inputs[:, begin : begin + size]))
        assert np.array_equal(part, whole[begin : begin + size])
        assert np.array_equal(model.logits(inputs[:, begin : begin + size]), part)
    order = np.random.default_rng(1).permutation(3 * TILE)
    assert np.array_equal(model.logits(inputs[:, order]), whole[order])


def test_no_product_is_large_enough_for_threads(monkeypatch):
    sizes, multiply = [], np.matmul
    monkeypatch.setattr("cleaner.model.scorer.HAS_THREADS", True)
    monkeypatch.setattr(np, "matmul", lambda a, b, out: sizes.append(a.size * b.shape[1]) or multiply(a, b, out=out))
    draw = np.random.default_rng(5)
    for inputs, units in ((200, 48), (475, 64)):
        layers = draw.normal(size=(inputs, units)), draw.normal(size=units), draw.normal(size=(units, 15)), np.zeros(15)
        Perceptron.exact(*layers, np.ones(inputs)).logits(np.ones((inputs, 2 * TILE + 3), np.float32))
    assert len(sizes) > 50 and max(sizes) <= SMALL_PRODUCT


@pytest.fixture(scope="module")
def random_classifier():
    draw = np.random.default_rng(4)
    weights = draw.integers(-128, 128, (1 << HASH_BITS, 4)).astype(np.int8)
    text = TextModel.of(weights, draw.uniform(1e-3, 3e-3, 4), np.zeros(4))
    return LineClassifier(KINDS, text, perceptron()[0], IDENTITY, IDENTITY)


DOCUMENT = st.lists(st.sampled_from(LINES), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.lists(DOCUMENT, min_size=1, max_size=5))
def test_a_document_has_the_same_scores_alone_and_in_any_batch(random_classifier, documents):
    together = random_classifier.score(features_of(*documents))
    at = 0
    for lines in documents:
        alone = random_classifier.score(features_of(lines))
        part = slice(at, at := at + len(lines))
        assert np.array_equal(alone.boilerplate, together.boilerplate[part])
        assert np.array_equal(alone.best, together.best[part])
        assert np.array_equal(alone.headline, together.headline[part])


def test_scores_are_rounded_probabilities(random_classifier):
    scores = random_classifier.score(features_of(LINES))
    assert np.array_equal(scores.boilerplate, np.round(scores.boilerplate, DECIMALS))
    assert ((scores.boilerplate >= 0) & (scores.boilerplate <= 1)).all()
    assert not {KINDS[best] for best in scores.best} & {Kind.CONTENT, Kind.HEADLINE}
    probabilities = random_classifier.probabilities(features_of(LINES))
    assert np.allclose(probabilities.sum(axis=1), 1)


def test_no_lines_have_no_scores(random_classifier):
    scores = random_classifier.score(features_of([], []))
    assert len(scores.boilerplate) == len(scores.best) == len(scores.headline) == 0


def test_what_is_certain_is_known_to_the_neighbours_of_its_document_only(random_classifier):
    documents = [["The council met."] * 4, ["The council met."] * 4]
    plain = random_classifier.probabilities(features_of(*documents))
    told = random_classifier.probabilities(features_of(*documents), [1])
    assert (plain[:4] != told[:4]).any(axis=1).all()
    assert np.array_equal(plain[4:], told[4:])


@pytest.mark.parametrize("kind", MARKERS)
def test_the_hand_made_bundle_reads_its_markers(tiny_bundle, kind):
    classifier = read_bundle(tiny_bundle).classifier
    scores = classifier.score(features_of(["The council met on Tuesday.", f"Some {MARKERS[kind]} words"]))
    assert scores.boilerplate[0] < 0.01
    assert not scores.headline[0]
    if kind is Kind.HEADLINE:
        assert scores.headline[1]
        assert scores.boilerplate[1] < 0.01
    else:
        assert scores.boilerplate[1] > 0.99
        assert scores.kinds[scores.best[1]] is kind


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.lists(st.floats(-1, 2), min_size=2, max_size=20))
def test_calibration_rises(points, values):
    raw = np.concatenate([[0.0], np.sort(points), [1.0]])
    calibration = Calibration(raw, np.sort(np.concatenate([[0.0], points[::-1], [1.0]])))
    out = calibration(np.sort(values))
    assert (np.diff(out) >= 0).all()
    assert ((out >= 0) & (out <= 1)).all()
    assert np.array_equal(out, np.round(out, DECIMALS))


def test_softmax_survives_large_logits():
    probabilities = softmax(np.array([[1e4, -1e4, 0], [0, 0, 0]], np.float32))
    assert np.allclose(probabilities, [[1, 0, 0], [1 / 3] * 3])
