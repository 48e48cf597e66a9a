"""Which kind each line to learn from has: as a reader said, or, where nobody read it, as its words suggest."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import SGDClassifier

from cleaner.document import Kind
from cleaner.features import excerpts
from cleaner.training.align import BOILERPLATE, CONTENT
from cleaner.training.context import KINDS
from cleaner.training.corpora import Document
from cleaner.training.text import LineTable, gram_matrix

_UNKNOWN = -1
_BOILERPLATE_KINDS = [kind for kind in KINDS if kind not in (Kind.CONTENT, Kind.HEADLINE)]
_LINES_AT_ONCE = 8192


class KindModel:
    """Tells the kinds of boilerplate apart by words alone; learned from the lines that somebody read."""

    def __init__(self, table: LineTable, seed: int) -> None:
        order = list(Kind)
        counts = table.kinds[:, [order.index(kind) for kind in _BOILERPLATE_KINDS]]
        known = counts.sum(axis=1) > 0
        self._model = SGDClassifier("log_loss", alpha=1e-5, max_iter=5, tol=None, average=True, random_state=seed)
        self._model.fit(table.grams[known], counts[known].argmax(axis=1))

    def guess(self, grams: csr_matrix) -> list[int]:
        """The number in ``KINDS`` of the likeliest kind of each row of n-grams."""
        return [KINDS.index(_BOILERPLATE_KINDS[number]) for number in self._model.predict(grams).tolist()]

    def guesses(self, documents: list[Document]) -> list[dict[int, int]]:
        """For each document the likeliest kind of each line of boilerplate whose kind nobody said, by its number."""
        wanted = [
            [i for i, (label, kind) in enumerate(zip(one.labels, one.kinds, strict=True)) if _is_open(label, kind)]
            for one in documents
        ]
        texts: dict[str, int] = {}
        for one, numbers in zip(documents, wanted, strict=True):
            seen = excerpts(one.lines, np.array([0, len(one.lines)]))
            texts |= dict.fromkeys((seen[i] for i in numbers), _UNKNOWN)
        distinct = list(texts)
        for begin in range(0, len(distinct), _LINES_AT_ONCE):
            some = distinct[begin : begin + _LINES_AT_ONCE]
            texts.update(zip(some, self.guess(gram_matrix(some)), strict=True))
        found = []
        for one, numbers in zip(documents, wanted, strict=True):
            seen = excerpts(one.lines, np.array([0, len(one.lines)]))
            found.append({i: texts[seen[i]] for i in numbers})
        return found


def _is_open(label: int, kind: Kind | None) -> bool:
    return kind is None and label == BOILERPLATE


def targets_of(documents: list[Document], guesses: list[dict[int, int]]) -> NDArray[np.intp]:
    """The number of the kind of each line of the documents in ``KINDS``, or -1 where nothing is known; (lines,)."""
    targets = []
    for document, guessed in zip(documents, guesses, strict=True):
        for i, (label, kind) in enumerate(zip(document.labels, document.kinds, strict=True)):
            if kind is not None:
                targets.append(KINDS.index(kind))
            elif label == CONTENT:
                targets.append(KINDS.index(Kind.CONTENT))
            else:
                targets.append(guessed.get(i, _UNKNOWN))
    return np.array(targets, np.intp)
