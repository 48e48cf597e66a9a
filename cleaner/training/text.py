"""Fit linear heads over hashed tokens by averaged stochastic gradient descent, in 8 bits: of lines, and of paths."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import SGDClassifier

from cleaner.document import Kind
from cleaner.features import HASH_BITS, excerpt_features, excerpts
from cleaner.model.scorer import TextModel
from cleaner.page.evidence import Evidence
from cleaner.page.paths import PATH_BITS
from cleaner.training.align import BOILERPLATE, CONTENT
from cleaner.training.corpora import OWN, Document, fold_of_site

# The heads after the first, which tells boilerplate from content: families of kinds that read alike.
FAMILIES: dict[str, frozenset[Kind]] = {
    "adverts": frozenset({Kind.ADVERT}),
    "asks": frozenset({Kind.APPEAL, Kind.SUBSCRIPTION}),
    "stories": frozenset({Kind.RELATED}),
    "machinery": frozenset({Kind.NAVIGATION, Kind.SHARING, Kind.RESIDUE}),
    "makers": frozenset({Kind.BYLINE, Kind.CREDIT}),
    "describers": frozenset({Kind.BIO, Kind.CAPTION}),
    "voices": frozenset({Kind.COMMENT, Kind.LEGAL}),
}
HEADS = ("boilerplate", *FAMILIES)

# The families have few examples: they need more restraint, or their scores say nothing but "certainly not".
PENALTY, FAMILY_PENALTY = 2e-6, 2e-5
PASSES = 6
# All members of a family together weigh this much against all other lines, and other boilerplate more than content.
SHARE_OF_FAMILY = 0.3
WEIGHT_OF_OTHER_KIND = 3.0
# In most languages the corpora hold little, and our examples hold more boilerplate than content: without this the
# words of a language as such would speak for boilerplate.
WEIGHT_OF_OWN_CONTENT = 5.0
# A line that many extractors of one page delivered counts for at most this many.
MOST_WEIGHT = 5.0

_LINES_AT_ONCE = 8192


@dataclass(frozen=True, slots=True)
class LineTable:
    """Every distinct excerpt of a line, or path of a block, in each fold once, with what its documents say of it.

    ``rows[d]`` numbers the lines of document ``d`` in the table; ``labels`` (rows, 2) sums the weights of boilerplate
    and content; ``kinds`` (rows, kinds) counts how often each kind was written down; ``grams`` (rows, buckets) is the
    normalised n-gram matrix.
    """

    rows: list[NDArray[np.intp]]
    fold: NDArray[np.intp]
    labels: NDArray[np.float64]
    kinds: NDArray[np.int64]
    grams: csr_matrix


def line_table(documents: list[Document], folds: int) -> LineTable:
    """Collect the distinct lines of some documents."""
    seen = (excerpts(document.lines, np.array([0, len(document.lines)])) for document in documents)
    return _table(documents, seen, gram_matrix, folds)


def path_table(documents: list[Document], evidence: list[Evidence], folds: int) -> LineTable:
    """Collect the distinct paths of the blocks of some pages."""
    return _table(documents, (paths_of(one) for one in evidence), path_matrix, folds)


def paths_of(evidence: Evidence) -> list[tuple[int, ...]]:
    """The path of each block of a page."""
    path = {element: evidence.paths.buckets(element) for element in dict.fromkeys(evidence.element.tolist())}
    return [path[element] for element in evidence.element.tolist()]


_Seen = TypeVar("_Seen", bound=Hashable)


def _table(
    documents: list[Document], seen: Iterable[list[_Seen]], matrix: Callable[[list[_Seen]], csr_matrix], folds: int
) -> LineTable:
    numbers: dict[tuple[int, _Seen], int] = {}
    rows = []
    for document, keys in zip(documents, seen, strict=True):
        fold = fold_of_site(document.site, folds)
        own = (numbers.setdefault((fold, key), len(numbers)) for key in keys)
        rows.append(np.fromiter(own, np.intp, len(document.lines)))
    order = list(Kind)
    labels, kinds = np.zeros((len(numbers), 2)), np.zeros((len(numbers), len(order)), np.int64)
    for document, numbered in zip(documents, rows, strict=True):
        ours = document.upstream == OWN
        for row, label, kind in zip(numbered.tolist(), document.labels, document.kinds, strict=True):
            if label in (BOILERPLATE, CONTENT):
                labels[row, label] += document.weight * (WEIGHT_OF_OWN_CONTENT if ours and label == CONTENT else 1.0)
            if kind is not None:
                kinds[row, order.index(kind)] += 1
    distinct = [key for _, key in numbers]
    blocks = [matrix(distinct[i : i + _LINES_AT_ONCE]) for i in range(0, len(distinct), _LINES_AT_ONCE)]
    return LineTable(rows, np.array([fold for fold, _ in numbers]), labels, kinds, vstack(blocks).tocsr())


def gram_matrix(texts: list[str]) -> csr_matrix:
    """The n-grams of some excerpts as the text model weighs them: each counts one over the root of their number."""
    lengths = np.fromiter(map(len, texts), np.intp, len(texts))
    all_grams = excerpt_features(texts, lengths, np.array([0, len(texts)])).grams
    row_parts, column_parts = [], []
    for grams in all_grams:
        for buckets, stops in zip(grams.buckets, grams.stops, strict=True):
            number = stops - grams.starts
            row_parts.append(np.repeat(np.arange(grams.begin, grams.end), number))
            within = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
            column_parts.append(buckets[np.repeat(grams.starts, number) + within])
    return _matrix(np.concatenate(row_parts), np.concatenate(column_parts), len(texts), HASH_BITS)


def path_matrix(paths: list[tuple[int, ...]]) -> csr_matrix:
    """The tokens of some paths, weighed in the same way."""
    rows = np.repeat(np.arange(len(paths)), [len(path) for path in paths])
    return _matrix(rows, np.fromiter(chain.from_iterable(paths), np.intp), len(paths), PATH_BITS)


def _matrix(rows: NDArray[np.intp], columns: NDArray[np.intp], lines: int, bits: int) -> csr_matrix:
    norm = 1 / np.sqrt(np.maximum(np.bincount(rows, minlength=lines), 1))
    return csr_matrix((norm[rows], (rows, columns)), shape=(lines, 1 << bits))


def fit_text_model(table: LineTable, use: NDArray[np.bool_], seed: int, restraint: float = 1.0) -> TextModel:
    """Fit all heads on the rows of the table that ``use`` (rows,) names; ``restraint`` multiplies the penalties."""
    boilerplate, content = table.labels.T
    order = list(Kind)
    weight = np.minimum(np.maximum(boilerplate, content), MOST_WEIGHT)
    fitted = [_fit(table, boilerplate > content, weight, use & (weight > 0), restraint * PENALTY, seed)]
    known = (
        table.kinds[:, [order.index(kind) for kind in order if kind not in (Kind.CONTENT, Kind.HEADLINE)]].sum(axis=1)
        > 0
    )
    for family in FAMILIES.values():
        member = table.kinds[:, [order.index(kind) for kind in sorted(family)]].sum(axis=1) > 0
        other = known & ~member
        rest = (content > 0) & (boilerplate == 0) & ~member
        chosen = use & (member | other | rest)
        weight = np.where(other, WEIGHT_OF_OTHER_KIND, np.clip(content, 1.0, WEIGHT_OF_OWN_CONTENT))
        weight[member] = SHARE_OF_FAMILY * weight[chosen & ~member].sum() / max(np.count_nonzero(chosen & member), 1)
        fitted.append(_fit(table, member, weight, chosen, restraint * FAMILY_PENALTY, seed))
    weights = np.stack([weights for weights, _ in fitted], axis=1)
    units = np.quantile(np.abs(weights), 0.9999, axis=0) / 127
    quantised = np.clip(np.rint(weights / units), -127, 127).astype(np.int8)
    return TextModel.of(quantised, units, np.array([intercept for _, intercept in fitted]))


def _fit(
    table: LineTable,
    positive: NDArray[np.bool_],
    weight: NDArray[np.float64],
    use: NDArray[np.bool_],
    penalty: float,
    seed: int,
) -> tuple[NDArray[np.float64], float]:
    model = SGDClassifier("log_loss", alpha=penalty, max_iter=PASSES, tol=None, average=True, random_state=seed)
    model.fit(table.grams[use], positive[use], sample_weight=weight[use])
    return model.coef_[0], float(model.intercept_[0])
