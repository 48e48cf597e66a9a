"""Fit the model of pages: a linear model over paths, and two perceptrons over blocks in their surroundings.

Stacked by site as that of lines is: each pass learns from what the models below it say of pages that they never saw.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaner.decode import known_kinds
from cleaner.document import Kind, Reason
from cleaner.features import LineFeatures, line_features
from cleaner.model.pages import PageClassifier, Pass, not_content, path_scores
from cleaner.model.scorer import Perceptron, QualityModel, Scores, TextModel, softmax
from cleaner.options import Options
from cleaner.page.decision import decide_blocks
from cleaner.page.surroundings import first_bounds, first_columns, second_bounds, second_columns
from cleaner.quality import document_shape
from cleaner.training.align import BOILERPLATE, UNDECIDED
from cleaner.training.calibration import calibrate, quality_model
from cleaner.training.context import KINDS, Examples, fit_context_models
from cleaner.training.corpora import fold_of_site
from cleaner.training.evaluate import GOOD_F1, word_f1
from cleaner.training.kinds import KindModel, targets_of
from cleaner.training.markup import MarkedPage
from cleaner.training.text import HEADS, fit_text_model, path_table

# Paths have far fewer tokens than lines have n-grams, and names that one site made up.
RESTRAINT = 5.0
# Blocks weigh by the root of their length, up to this many code points: F1 counts words, and a list of links is many
# short blocks.
LONGEST = 400
# Units of one network; a block has more columns than a line.
UNITS = 32


@dataclass(frozen=True, slots=True)
class _Stack:
    """The pages side by side: ``rows[i]`` are the blocks of the ``i``-th among all, ``known[i]`` those certain."""

    pages: list[MarkedPage]
    features: list[LineFeatures]
    known: list[dict[int, tuple[Kind, Reason]]]
    rows: list[slice]
    fold: NDArray[np.intp]
    lengths: NDArray[np.intp]

    @classmethod
    def of(cls, pages: list[MarkedPage], folds: int) -> "_Stack":
        size = [len(page.document.lines) for page in pages]
        ends = np.cumsum(size).tolist()
        features = [line_features(page.document.lines, np.array([0, len(page.document.lines)])) for page in pages]
        return cls(
            pages,
            features,
            # Serving tells the model what is certain; so does training.
            [known_kinds(page.document.lines, own, Options()) for page, own in zip(pages, features, strict=True)],
            [slice(end - count, end) for end, count in zip(ends, size, strict=True)],
            np.array([fold_of_site(page.document.site, folds) for page in pages]),
            np.array([len(line) for page in pages for line in page.document.lines]),
        )

    def spread(self, values: list[float]) -> NDArray[np.float64]:
        """One value a page → one a block."""
        return np.repeat(values, [rows.stop - rows.start for rows in self.rows])


def fit_page_classifier(
    pages: list[MarkedPage],
    kind_model: KindModel,
    text_models: dict[int, TextModel],
    folds: int,
    seed: int,
    progress: Callable[[str], None],
) -> PageClassifier:
    """Fit the model of pages; ``text_models`` are those that never saw a fold."""
    pages = [page for page in pages if page.document.lines]
    documents = [page.document for page in pages]
    stack = _Stack.of(pages, folds)
    present = sorted(text_models)
    table = path_table(documents, [page.evidence for page in pages], folds)
    progress(f"path model on {table.grams.shape[0]} paths")
    path_models = {fold: fit_text_model(table, table.fold != fold, seed, RESTRAINT) for fold in present}
    path_model = fit_text_model(table, np.ones(len(table.fold), bool), seed, RESTRAINT)

    targets = targets_of(documents, kind_model.guesses(documents))
    weights = stack.spread([document.weight for document in documents])
    weights *= np.sqrt(1 + np.minimum(stack.lengths, LONGEST))
    labels = np.array([label for document in documents for label in document.labels])
    fold_of_block = stack.spread(stack.fold.tolist()).astype(np.intp)
    learn = targets >= 0
    heads = 2 * len(HEADS)

    def fit(columns: NDArray[np.float32], held_out: list[int], bounds: tuple[int, ...]) -> list[Perceptron]:
        sets = [learn & (fold_of_block != fold) for fold in held_out] + [learn]
        examples = (Examples(columns[use], targets[use], weights[use]) for use in sets)
        return fit_context_models(examples, seed, bounds, UNITS)

    first = _first(stack, text_models, path_models, len(first_bounds(heads)))
    progress(f"first pass on {np.count_nonzero(learn)} blocks")
    first_models = dict(zip([*present, None], fit(first, present, first_bounds(heads)), strict=True))
    probabilities = np.zeros((len(first), len(KINDS)))
    for fold in present:
        mine = fold_of_block == fold
        probabilities[mine] = softmax(first_models[fold].logits(np.ascontiguousarray(first[mine].T)))
    doubt = not_content(KINDS, probabilities)

    second = _second(stack, first, doubt, len(second_bounds(heads)))
    del first
    progress("second pass")
    # Two folds are enough to tell what the second pass's probabilities are worth.
    judged = present[:2]
    second_models = dict(zip([*judged, None], fit(second, judged, second_bounds(heads)), strict=True))
    seen = np.isin(fold_of_block, judged)
    for fold in judged:
        mine = fold_of_block == fold
        probabilities[mine] = softmax(second_models[fold].logits(np.ascontiguousarray(second[mine].T)))
    raw = not_content(KINDS, probabilities)
    decided = labels != UNDECIDED
    truth = labels == BOILERPLATE
    calibration = calibrate(raw[seen & decided], truth[seen & decided], weights[seen & decided])
    return PageClassifier(
        KINDS,
        path_model,
        Pass(first_models[None], calibrate(doubt[decided], truth[decided], weights[decided])),
        Pass(second_models[None], calibration),
        _quality(stack, np.flatnonzero(np.isin(stack.fold, judged)), calibration(raw), probabilities),
    )


def _first(
    stack: _Stack, text_models: dict[int, TextModel], path_models: dict[int, TextModel], columns: int
) -> NDArray[np.float32]:
    """What the first pass sees of every block, scored by models that never saw its site; (blocks, columns)."""
    out = np.zeros((len(stack.lengths), columns), np.float32)
    parts = zip(stack.pages, stack.features, stack.known, stack.rows, stack.fold.tolist(), strict=True)
    for page, features, known, rows, fold in parts:
        text_scores = text_models[fold].scores(features, known)
        out[rows] = first_columns(text_scores, path_scores(path_models[fold], page.evidence), page.evidence, features).T
    return out


def _second(stack: _Stack, first: NDArray[np.float32], doubt: NDArray[np.float64], columns: int) -> NDArray[np.float32]:
    out = np.zeros((len(first), columns), np.float32)
    for page, features, rows in zip(stack.pages, stack.features, stack.rows, strict=True):
        out[rows] = second_columns(first[rows].T, doubt[rows], page.evidence, features).T
    return out


def _quality(
    stack: _Stack, numbers: NDArray[np.intp], boilerplate: NDArray[np.float64], probabilities: NDArray[np.float64]
) -> QualityModel:
    """The model of clean and whole pages, from those of ``numbers`` that have a gold text."""
    shapes, good = [], []
    content = KINDS.index(Kind.CONTENT)
    best = np.where(np.arange(len(KINDS)) == content, -1.0, probabilities).argmax(axis=1)
    for number in numbers.tolist():
        (document, _), features, rows = stack.pages[number], stack.features[number], stack.rows[number]
        if document.gold is None:
            continue
        scores = Scores(KINDS, boilerplate[rows], best[rows], np.zeros(len(document.lines), bool))
        kept = decide_blocks(scores, document.lines, features, stack.known[number], Options()).kept
        left = "\n".join(line for line, stays in zip(document.lines, kept, strict=True) if stays)
        shapes.append(document_shape(boilerplate[rows], np.array(kept, bool), features)[:, 0])
        good.append(word_f1(left, document.gold) >= GOOD_F1)
    return quality_model(np.array(shapes).T, np.array(good, bool))
