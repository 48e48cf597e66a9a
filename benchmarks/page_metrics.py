# ruff: noqa: INP001 -- a module beside its scripts, in no package
"""How text that was taken from a page is scored: the metrics of the public benchmarks of article extraction.

Owns the metrics that ``pages`` reports and ``quality_gate`` holds to floors, and which pages of a corpus they can be
asked of. The F1 of the words of one text is the business of ``cleaner.training.evaluate``.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleaner.training.evaluate import word_f1
from cleaner.training.pages import rows_of

Row = dict[str, Any]
Floats = NDArray[np.float64]

# The words of ``word_f1``, but capitals count: shingles tell how a text runs.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
SHINGLE_WORDS = 4


class Metric(NamedTuple):
    """A metric: the field of a row that it needs, what one page adds to its sums, and the figure that sums give.

    Sums can be taken over some pages more than once, which is how intervals are drawn.
    """

    name: str
    needs: str
    tally: Callable[[Row, str], tuple[float, ...]]
    figure: Callable[[Floats], float]

    def score(self, rows: Sequence[Row], texts: Sequence[str]) -> float:
        """The figure of some pages, given the text that was taken from each."""
        return self.figure(np.sum([self.tally(row, text) for row, text in zip(rows, texts, strict=True)], axis=0))


def scored_pages(path: Path, needs: str, page_type: str | None = None) -> Iterator[Row]:
    """The pages of a corpus that have what a metric needs; on demand those of one type.

    Raises
    ------
    InputError
        When the corpus is missing or cannot be read.
    """
    for row in rows_of(path):
        if page_type in (None, row.get("page_type")) and "".join(row.get(needs) or ()).strip():
            yield row


def harmonic_mean(precision: float, recall: float) -> float:
    """F1, which is nothing when either is.

    >>> harmonic_mean(0.5, 1.0), harmonic_mean(0.0, 0.0)
    (0.6666666666666666, 0.0)
    """
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Runs of four words, by how often they stand in a text; a shorter text is one run.

    >>> sorted(shingles("The bridge is open again."))
    [('The', 'bridge', 'is', 'open'), ('bridge', 'is', 'open', 'again')]
    """
    words = _WORD.findall(text)
    runs = range(max(1, len(words) - SHINGLE_WORDS + 1)) if words else ()
    return Counter(tuple(words[i : i + SHINGLE_WORDS]) for i in runs)


def _of_words(row: Row, text: str) -> tuple[float, ...]:
    return word_f1(text, row["gold"]), 1.0


def _of_shingles(row: Row, text: str) -> tuple[float, ...]:
    found, wanted = shingles(text), shingles(row["gold"])
    common = (found & wanted).total()
    return common / max(found.total(), 1), common / max(wanted.total(), 1), 1.0


def _of_snippets(row: Row, text: str) -> tuple[float, ...]:
    inside = [snippet in text for snippet in row["with"]]
    return sum(inside), len(inside), sum(snippet in text for snippet in row.get("without") or ())


def _snippet_figure(sums: Floats) -> float:
    found, wanted, wrong = sums.tolist()
    return harmonic_mean(found / max(found + wrong, 1), found / max(wanted, 1))


# The mean over pages of the F1 of their words.
WORDS = Metric("word F1", "gold", _of_words, lambda sums: float(sums[0] / sums[1]))
# The F1 of two means over pages, those of precision and of recall.
SHINGLES = Metric(
    "shingle F1", "gold", _of_shingles, lambda sums: harmonic_mean(float(sums[0] / sums[2]), float(sums[1] / sums[2]))
)
# Over all pages together: snippets of the article that were found, and those that should not have been.
SNIPPETS = Metric("snippet F1", "with", _of_snippets, _snippet_figure)
