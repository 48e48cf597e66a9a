"""From what was measured out of fold to what a bundle promises: calibrated scores, thresholds, a quality estimate."""

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from cleaner.document import Kind
from cleaner.model.bundle import Thresholds
from cleaner.model.scorer import Calibration, QualityModel

# Points of a calibration curve; more would only follow the noise.
POINTS = 64
# The calibrated score from which on a line goes: at the edges of a document one for all kinds; between two paragraphs
# of the article more for the kinds whose look-alikes stand there. Chosen by hand on scores out of fold, by the share of
# true boilerplate in each band of scores, kind by kind: of lines that look like links to other stories, say, only half
# are that inside an article below 0.95, and nine in ten at its edges from 0.9 on. Thresholds fitted by a program for
# every kind followed the noise of a few pages. Run `clean eval --folds` before changing one.
AT_THE_EDGES, INSIDE = 0.8, 0.8
INSIDE_BY_KIND = {
    Kind.RELATED: 0.95,
    Kind.RESIDUE: 0.95,
    Kind.CAPTION: 0.9,
    Kind.NAVIGATION: 0.9,
    Kind.ADVERT: 0.85,
    Kind.BYLINE: 0.85,
}


def calibrate(raw: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64]) -> Calibration:
    """The rising map from raw scores to shares of truth (isotonic regression), thinned to ``POINTS`` points."""
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw, truth, sample_weight=weights)
    x, y = fitted.X_thresholds_, fitted.y_thresholds_
    pick = np.unique(np.linspace(0, len(x) - 1, POINTS).round().astype(int))
    # Strictly rising at the ends, so that certain lines can still be told from nearly certain ones.
    x = np.concatenate([[0.0], np.clip(x[pick], 1e-6, 1 - 1e-6), [1.0]])
    y = np.concatenate([[0.0], np.clip(y[pick], 0.0005, 0.9995), [1.0]])
    return Calibration(np.maximum.accumulate(x), np.maximum.accumulate(y))


def thresholds_of(kinds: tuple[Kind, ...]) -> Thresholds:
    """The thresholds of a bundle with these kinds."""
    removable = [kind for kind in kinds if kind not in (Kind.CONTENT, Kind.HEADLINE)]
    return Thresholds(
        edge=dict.fromkeys(removable, AT_THE_EDGES),
        inside={kind: INSIDE_BY_KIND.get(kind, INSIDE) for kind in removable},
    )


def quality_model(shape: NDArray[np.float64], good: NDArray[np.bool_]) -> QualityModel:
    """The model of ``good`` (documents,) given ``shape`` (columns, documents).

    Where nothing is to be learned, because all documents are alike or there is none, it says so of every document.
    """
    if good.all() or not good.any():
        return QualityModel(np.zeros(len(shape)), 4.0 if len(good) and good.all() else -4.0)
    mean, deviation = shape.mean(axis=1), shape.std(axis=1) + 1e-6
    fitted = LogisticRegression(max_iter=500).fit(((shape.T - mean) / deviation), good)
    weights = fitted.coef_[0] / deviation
    return QualityModel(weights, float(fitted.intercept_[0] - weights @ mean))
