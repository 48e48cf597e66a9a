"""From raw scores out of fold to what a bundle promises: calibrated scores, thresholds per kind, a quality estimate."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from cleaner.document import Kind
from cleaner.model.scorer import DECIMALS, Calibration

# Points of a calibration curve; more would only follow the noise.
POINTS = 64
# Thresholds are looked for among these precisions: the share of boilerplate among lines of a kind with about that score.
PRECISIONS = np.round(np.arange(0.5, 0.96, 0.02), 2)
# Of a kind with fewer lines out of fold than this, nothing can be said; it takes the threshold of all kinds together.
FEWEST_LINES = 150
NEVER = 1.0


def calibrate(raw: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64]) -> Calibration:
    """The rising map from raw scores to shares of truth (isotonic regression), thinned to ``POINTS`` points."""
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw, truth, sample_weight=weights)
    x, y = fitted.X_thresholds_, fitted.y_thresholds_
    pick = np.unique(np.linspace(0, len(x) - 1, POINTS).round().astype(int))
    # Strictly rising at the ends, so that certain lines can still be told from nearly certain ones.
    x = np.concatenate([[0.0], np.clip(x[pick], 1e-6, 1 - 1e-6), [1.0]])
    y = np.concatenate([[0.0], np.clip(y[pick], 0.0005, 0.9995), [1.0]])
    return Calibration(np.maximum.accumulate(x), np.maximum.accumulate(y))


def thresholds_at(
    precision: float, scores: NDArray[np.float64], best: NDArray[np.intp], truth: NDArray[np.bool_],
    weights: NDArray[np.float64], kinds: tuple[Kind, ...],
) -> dict[Kind, float]:  # fmt: skip
    """For each kind the lowest score at which lines of that kind are boilerplate in at least ``precision`` of the cases."""
    common = _lowest(precision, scores, truth, weights)
    out = {}
    for number, kind in enumerate(kinds):
        if kind in (Kind.CONTENT, Kind.HEADLINE):
            continue
        mine = best == number
        enough = np.count_nonzero(mine & (scores > 0.2)) >= FEWEST_LINES
        own = _lowest(precision, scores[mine], truth[mine], weights[mine]) if enough else common
        out[kind] = round(max(own, precision * 0.8), DECIMALS)
    return out


def _lowest(precision: float, scores: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64]) -> float:
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(scores, truth, sample_weight=weights)
    enough = fitted.y_thresholds_ >= precision
    return float(fitted.X_thresholds_[enough][0]) if enough.any() else NEVER


def removed(scores: NDArray[np.float64], best: NDArray[np.intp], kinds: tuple[Kind, ...], thresholds: Mapping[Kind, float]) -> NDArray[np.bool_]:
    """Which lines their own score would remove."""
    limits = np.array([thresholds.get(kind, 2.0) for kind in kinds])
    return scores >= limits[best]
