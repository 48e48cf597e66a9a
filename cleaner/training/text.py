"""Fit the text model: linear heads over hashed n-grams, by averaged stochastic gradient descent, quantised to 8 bits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import SGDClassifier

from cleaner.document import Kind
from cleaner.features import HASH_BITS, LineFeatures, line_features
from cleaner.model.scorer import TextModel
from cleaner.training.align import BOILERPLATE, CONTENT
from cleaner.training.corpora import Document, fold_of_site

# The heads after the first, which tells boilerplate from content: families of kinds that read alike and stand together.
FAMILIES: dict[str, frozenset[Kind]] = {
    "address": frozenset({Kind.APPEAL, Kind.SUBSCRIPTION, Kind.COMMENT, Kind.SHARING}),
    "links": frozenset({Kind.RELATED, Kind.NAVIGATION}),
    "makers": frozenset({Kind.BYLINE, Kind.CREDIT, Kind.CAPTION, Kind.BIO}),
}
HEADS = ("boilerplate", *FAMILIES)

# Found on the inner folds: half or twice these cost up to 0.01 of average precision.
PENALTY = 2e-6
PASSES = 6
# A line read by a person says more about its kind than the many that were not.
WEIGHT_OF_KIND, WEIGHT_OF_OTHER_KIND = 10.0, 4.0
# A line that many extractors of one page delivered counts for at most this many.
MOST_WEIGHT = 4.0

_LINES_AT_ONCE = 8192


@dataclass(frozen=True, slots=True)
class LineTable:
    """Every distinct line of each fold once, with what its documents say of it.

    ``rows[d]`` numbers the lines of document ``d`` in the table; ``labels`` (rows, 2) sums the weights of boilerplate and content;
    ``kinds`` (rows, kinds) counts how often each kind was written down; ``grams`` (rows, buckets) is the normalised n-gram matrix.
    """

    rows: list[NDArray[np.intp]]
    fold: NDArray[np.intp]
    labels: NDArray[np.float64]
    kinds: NDArray[np.int64]
    grams: csr_matrix


def line_table(documents: list[Document], folds: int) -> LineTable:
    """Collect the distinct lines of some documents."""
    numbers: dict[tuple[int, str], int] = {}
    rows = []
    for document in documents:
        fold = fold_of_site(document.site, folds)
        own = (numbers.setdefault((fold, line), len(numbers)) for line in document.lines)
        rows.append(np.fromiter(own, np.intp, len(document.lines)))
    order = list(Kind)
    labels, kinds = np.zeros((len(numbers), 2)), np.zeros((len(numbers), len(order)), np.int64)
    for document, numbered in zip(documents, rows, strict=True):
        for row, label, kind in zip(numbered.tolist(), document.labels, document.kinds, strict=True):
            if label in (BOILERPLATE, CONTENT):
                labels[row, label] += document.weight
            if kind is not None:
                kinds[row, order.index(kind)] += 1
    lines = [line for _, line in numbers]
    blocks = [gram_matrix(lines[i : i + _LINES_AT_ONCE]) for i in range(0, len(lines), _LINES_AT_ONCE)]
    return LineTable(rows, np.array([fold for fold, _ in numbers]), labels, kinds, vstack(blocks).tocsr())


def gram_matrix(lines: list[str]) -> csr_matrix:
    """The n-grams of some lines as the text model weighs them: each occurrence counts one over the root of their number."""
    features = line_features(lines, np.array([0, len(lines)]))
    return _matrix(features, len(lines))


def _matrix(features: LineFeatures, lines: int) -> csr_matrix:
    row_parts, column_parts = [], []
    for grams, starts, stops in zip(features.grams, features.starts, features.stops, strict=True):
        number = stops - starts
        row_parts.append(np.repeat(np.arange(lines), number))
        within = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
        column_parts.append(grams[np.repeat(starts, number) + within])
    rows, columns = np.concatenate(row_parts), np.concatenate(column_parts)
    norm = 1 / np.sqrt(np.maximum(np.bincount(rows, minlength=lines), 1))
    return csr_matrix((norm[rows], (rows, columns)), shape=(lines, 1 << HASH_BITS))


def fit_text_model(table: LineTable, use: NDArray[np.bool_], seed: int) -> TextModel:
    """Fit all heads on the rows of the table that ``use`` (rows,) names."""
    boilerplate, content = table.labels.T
    order = list(Kind)
    weight = np.minimum(np.maximum(boilerplate, content), MOST_WEIGHT)
    fitted = [_fit(table, boilerplate > content, weight, use & (weight > 0), seed)]
    known = table.kinds[:, [order.index(kind) for kind in order if kind not in (Kind.CONTENT, Kind.HEADLINE)]].sum(axis=1) > 0
    for family in FAMILIES.values():
        member = table.kinds[:, [order.index(kind) for kind in sorted(family)]].sum(axis=1) > 0
        other = known & ~member
        rest = (content > 0) & (boilerplate == 0)
        weight = np.where(member, WEIGHT_OF_KIND, np.where(other, WEIGHT_OF_OTHER_KIND, 1.0))
        fitted.append(_fit(table, member, weight, use & (member | other | rest), seed))
    weights = np.stack([weights for weights, _ in fitted])
    units = np.quantile(np.abs(weights), 0.9999, axis=1) / 127
    quantised = np.clip(np.rint(weights / units[:, None]), -127, 127).astype(np.int8)
    return TextModel.of(quantised, units, np.array([intercept for _, intercept in fitted]))


def _fit(
    table: LineTable, positive: NDArray[np.bool_], weight: NDArray[np.float64], use: NDArray[np.bool_], seed: int
) -> tuple[NDArray[np.float64], float]:
    model = SGDClassifier("log_loss", alpha=PENALTY, max_iter=PASSES, tol=None, average=True, random_state=seed)
    model.fit(table.grams[use], positive[use], sample_weight=weight[use])
    return model.coef_[0], float(model.intercept_[0])
