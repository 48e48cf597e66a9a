"""From raw scores out of fold to what a bundle promises: calibrated scores, thresholds per kind, a quality estimate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from cleaner.document import Kind
from cleaner.model.bundle import Thresholds
from cleaner.model.scorer import DECIMALS, Calibration

# Points of a calibration curve; more would only follow the noise.
POINTS = 64
# Thresholds are looked for among these scores; the last one removes nothing.
SCORES = np.round([*np.arange(0.5, 0.96, 0.02), 0.97, 0.98, 0.985, 0.99, 0.995, 1.0], DECIMALS)
# What a lost line of content costs, in removed lines of boilerplate, from cheap to dear; the cheapest that keeps the
# promises is taken.
# Kinds whose lines are short and whose look-alikes are the items of a list. A threshold for every single kind fitted
# the noise: on sites held out from all of training it lost more content and won less than one for a whole family.
LIST_LIKE = frozenset({Kind.NAVIGATION, Kind.BYLINE, Kind.CREDIT, Kind.SHARING, Kind.RESIDUE})
PRICES = (8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 24.0, 28.0, 34.0, 40.0, 56.0, 80.0)
# A line is worth its words, and a few more because it is a line: a label of one word disturbs as well.
WORDS_OF_A_LINE, MOST_WORDS, LETTERS_OF_A_WORD = 3.0, 60.0, 6.0


def calibrate(raw: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64]) -> Calibration:
    """The rising map from raw scores to shares of truth (isotonic regression), thinned to ``POINTS`` points."""
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw, truth, sample_weight=weights)
    x, y = fitted.X_thresholds_, fitted.y_thresholds_
    pick = np.unique(np.linspace(0, len(x) - 1, POINTS).round().astype(int))
    # Strictly rising at the ends, so that certain lines can still be told from nearly certain ones.
    x = np.concatenate([[0.0], np.clip(x[pick], 1e-6, 1 - 1e-6), [1.0]])
    y = np.concatenate([[0.0], np.clip(y[pick], 0.0005, 0.9995), [1.0]])
    return Calibration(np.maximum.accumulate(x), np.maximum.accumulate(y))


@dataclass(frozen=True, slots=True)
class Judged:
    """Lines out of fold; all of shape (lines,).

    Calibrated ``scores``, their ``best`` kind of boilerplate, whether they stand ``inside`` an article, their lengths
    and weights, and which are known to be ``boilerplate`` or ``content``.
    """

    scores: NDArray[np.float64]
    best: NDArray[np.intp]
    inside: NDArray[np.bool_]
    lengths: NDArray[np.intp]
    weights: NDArray[np.float64]
    boilerplate: NDArray[np.bool_]
    content: NDArray[np.bool_]


def thresholds_for(price: float, lines: Judged, kinds: tuple[Kind, ...]) -> Thresholds:
    """For each kind, at the edges and inside, the score at which removing gains most when content has that price."""
    words = np.minimum(lines.lengths / LETTERS_OF_A_WORD, MOST_WORDS) + WORDS_OF_A_LINE
    gain = np.where(lines.boilerplate, words, 0) * lines.weights
    # A long paragraph lost costs more than a line of a list.
    cost = np.where(lines.content, price * (1 + words / 10), 0) * lines.weights
    zones: list[dict[Kind, float]] = []
    for inside in (False, True):
        zone: dict[Kind, float] = {}
        for family in (LIST_LIKE, frozenset(kinds) - LIST_LIKE - {Kind.CONTENT, Kind.HEADLINE}):
            members = [number for number, kind in enumerate(kinds) if kind in family]
            mine = np.isin(lines.best, members) & (lines.inside == inside) & (lines.scores >= SCORES[0])
            values = [np.where(lines.scores[mine] >= score, (gain - cost)[mine], 0).sum() for score in SCORES]
            # The highest of equally good ones.
            best = float(SCORES[len(SCORES) - 1 - int(np.argmax(values[::-1]))])
            zone |= {kinds[number]: best for number in members}
        zones.append(zone)
    return Thresholds(*zones)


def limits_of(lines: Judged, kinds: tuple[Kind, ...], thresholds: Thresholds) -> NDArray[np.float64]:
    """The threshold that holds for each line, shape (lines,)."""
    edge, inside = (np.array([zone.get(kind, 2.0) for kind in kinds]) for zone in (thresholds.edge, thresholds.inside))
    return np.where(lines.inside, inside[lines.best], edge[lines.best])
