"""The model of pages: what it says of blocks depends on all that it is given, and is the same each time."""

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from invented import PAGE, markups, read
from tiny import KINDS, MARKERS

from cleaner.context import SCORE_LIMIT
from cleaner.document import Kind
from cleaner.features import HASH_BITS
from cleaner.model.bundle import read_bundle, read_page_classifier
from cleaner.model.pages import PageClassifier, Pass, not_content, path_scores
from cleaner.model.scorer import DECIMALS, Calibration, Perceptron, QualityModel, TextModel
from cleaner.page.paths import PATH_BITS
from cleaner.page.surroundings import expected_f1, first_bounds, second_bounds

# What asks for one pass, and for two.
SURE = {1: 0.0, 2: 1.0}
TEXT_HEADS, PATH_HEADS, UNITS = 3, 2, 8
IDENTITY = Calibration(np.array([0.0, 1.0]), np.array([0.0, 1.0]))


def linear(draw, bits, heads):
    weights = draw.integers(-128, 128, (1 << bits, heads)).astype(np.int8)
    return TextModel.of(weights, draw.uniform(1e-3, 3e-3, heads), np.zeros(heads))


def one_pass(draw, bounds):
    of = lambda *shape: draw.normal(size=shape)  # noqa: E731
    weights = of(len(bounds), UNITS) / 300, of(UNITS), of(UNITS, len(KINDS)) / 20, of(len(KINDS))
    return Pass(Perceptron.exact(*weights, np.array(bounds, float)), IDENTITY)


@pytest.fixture(scope="module")
def models():
    """A text model and a model of pages, all of whose weights are drawn."""
    draw = np.random.default_rng(4)
    heads = TEXT_HEADS + PATH_HEADS
    passes = one_pass(draw, first_bounds(heads)), one_pass(draw, second_bounds(heads))
    quality = QualityModel(np.zeros(5), 0.0)
    return linear(draw, HASH_BITS, TEXT_HEADS), PageClassifier(
        KINDS, linear(draw, PATH_BITS, PATH_HEADS), *passes, quality
    )


def scored(models, markup, certain=(), passes=2):
    text_model, classifier = models
    _, _, features, evidence = read(markup)
    return classifier.score(text_model, features, evidence, certain, SURE[passes])


@settings(max_examples=50, deadline=None)
@given(markups)
def test_scores_are_rounded_probabilities_and_kinds_are_boilerplate(models, markup):
    for passes in (1, 2):
        scores = scored(models, markup, passes=passes)
        assert len(scores.boilerplate) == len(scores.best) == len(scores.headline) == len(read(markup).lines)
        assert np.array_equal(scores.boilerplate, np.round(scores.boilerplate, DECIMALS))
        assert ((scores.boilerplate >= 0) & (scores.boilerplate <= 1)).all()
        assert Kind.CONTENT not in {scores.kinds[best] for best in scores.best}


@settings(max_examples=30, deadline=None)
@given(markups)
def test_the_same_page_has_the_same_scores(models, markup):
    for one, other in zip(scored(models, markup)[1:], scored(models, markup)[1:], strict=True):
        assert np.array_equal(one, other)


def test_a_page_without_blocks_has_no_scores():
    draw = np.random.default_rng(1)
    bounds = first_bounds(2), second_bounds(2)
    passes = (one_pass(draw, some) for some in bounds)
    classifier = PageClassifier(KINDS, linear(draw, PATH_BITS, 1), *passes, QualityModel(np.zeros(5), 0.0))
    for count in (1, 2):
        assert len(scored((linear(draw, HASH_BITS, 1), classifier), "<html><body></body></html>", (), count).best) == 0


def test_each_pass_says_its_own(models):
    one, two = scored(models, PAGE, passes=1), scored(models, PAGE, passes=2)
    assert not np.array_equal(one.boilerplate, two.boilerplate)


def test_a_page_is_looked_at_again_only_if_the_first_pass_promises_too_little(models):
    text_model, classifier = models
    _, _, features, evidence = read(PAGE)
    promised, _ = expected_f1(scored(models, PAGE, passes=1).boilerplate, features.lengths)
    assert 0 < promised < 1
    for sure, passes in ((promised - 0.01, 1), (promised + 0.01, 2)):
        scores = classifier.score(text_model, features, evidence, (), sure)
        assert np.array_equal(scores.boilerplate, scored(models, PAGE, passes=passes).boilerplate)


def test_the_second_pass_knows_what_the_first_one_said(models):
    text_model, classifier = models
    perceptron = classifier.first.perceptron
    moved = perceptron._replace(output_bias=np.roll(perceptron.output_bias, 1))
    other = classifier._replace(first=Pass(moved, IDENTITY))
    assert not np.array_equal(scored(models, PAGE).boilerplate, scored((text_model, other), PAGE).boilerplate)
    # What the first one's probabilities are worth is no business of the second.
    bent = classifier._replace(first=Pass(perceptron, Calibration(IDENTITY.raw, np.array([0.4, 0.6]))))
    assert np.array_equal(scored(models, PAGE).boilerplate, scored((text_model, bent), PAGE).boilerplate)
    assert not np.array_equal(
        scored(models, PAGE, passes=1).boilerplate, scored((text_model, bent), PAGE, passes=1).boilerplate
    )


@pytest.mark.parametrize("passes", [1, 2])
def test_the_names_of_elements_and_the_rest_of_the_page_are_read(models, passes):
    plain = scored(models, PAGE, passes=passes).boilerplate
    renamed = scored(models, PAGE.replace('class="story"', 'class="advert"'), passes=passes).boilerplate
    assert not np.array_equal(plain, renamed)
    further = scored(models, PAGE.replace("Made in Pell", "All rights reserved 2024"), passes=passes).boilerplate
    assert not np.array_equal(plain[:-1], further[:-1])


def test_what_is_certain_is_known_to_the_other_blocks(models):
    plain, told = scored(models, PAGE), scored(models, PAGE, [1])
    assert not np.array_equal(plain.boilerplate, told.boilerplate)


def test_blocks_of_one_path_have_one_path_score(models):
    _, lines, _, evidence = read(PAGE)
    scores = path_scores(models[1].path_model, evidence)
    assert scores.shape == (PATH_HEADS, len(lines))
    assert abs(scores).max() <= SCORE_LIMIT
    assert np.array_equal(scores[:, 2], scores[:, 4])
    assert not np.array_equal(scores[:, 2], scores[:, 5])


def test_path_scores_are_plain_sums(models):
    _, _, _, evidence = read(PAGE)
    model = models[1].path_model
    for block, element in enumerate(evidence.element.tolist()):
        path = list(evidence.paths.buckets(element))
        logits = model.weights[path].astype(np.int64).sum(axis=0) / np.sqrt(len(path)) * model.units * 16
        assert abs(path_scores(model, evidence)[:, block] - np.clip(logits, -SCORE_LIMIT, SCORE_LIMIT)).max() <= 1


def test_a_title_is_not_content():
    probabilities = np.zeros((1, len(KINDS)))
    probabilities[0, [KINDS.index(Kind.CONTENT), KINDS.index(Kind.HEADLINE)]] = 0.3, 0.7
    assert not_content(KINDS, probabilities).tolist() == [0.7]


@pytest.mark.parametrize("kind", MARKERS)
@pytest.mark.parametrize("passes", [1, 2])
def test_the_hand_made_bundle_reads_its_markers_on_pages(tiny_bundle, kind, passes):
    bundle = read_bundle(tiny_bundle)
    models = bundle.classifier.text_model, read_page_classifier(bundle)
    scores = scored(models, f"<p>The council met on Tuesday.<p>Some {tiny.MARKERS[kind]} words", passes=passes)
    assert scores.boilerplate[0] < 0.01
    assert scores.boilerplate[1] > 0.99
    assert scores.kinds[scores.best[1]] is kind
    assert scores.headline.tolist() == [False, kind is Kind.HEADLINE]
