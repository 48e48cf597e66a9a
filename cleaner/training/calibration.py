"""From raw scores out of fold to what a bundle promises: calibrated scores, thresholds per kind, a quality estimate."""

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from cleaner.document import Kind
from cleaner.model.bundle import Thresholds
from cleaner.model.scorer import Calibration

# Points of a calibration curve; more would only follow the noise.
POINTS = 64
# Kinds whose lines are short and whose look-alikes are the items of a list.
LIST_LIKE = frozenset({Kind.NAVIGATION, Kind.BYLINE, Kind.CREDIT, Kind.SHARING, Kind.RESIDUE})
# The calibrated score from which on a line goes, at the edges of a document and inside the article. Four numbers for
# all bundles, chosen by hand on scores out of fold among some twenty settings: most words of boilerplate gained on news
# while no more than 0.8 % of the content lines there are lost, and 1 % in the text of any extractor. Thresholds fitted
# for every kind, or for these two families, followed the noise of a few pages: on sites held out from all of training
# they reached 23 and 24 % of the headroom on news, these 27 %. Run `clean eval --folds` before changing one.
EDGE_OF_LISTS, INSIDE_OF_LISTS = 0.80, 0.96
EDGE_OF_TEXTS, INSIDE_OF_TEXTS = 0.70, 0.82


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
        edge={kind: EDGE_OF_LISTS if kind in LIST_LIKE else EDGE_OF_TEXTS for kind in removable},
        inside={kind: INSIDE_OF_LISTS if kind in LIST_LIKE else INSIDE_OF_TEXTS for kind in removable},
    )


def limits_of(
    best: NDArray[np.intp], inside: NDArray[np.bool_], kinds: tuple[Kind, ...], thresholds: Thresholds
) -> NDArray[np.float64]:
    """The threshold that holds for each line, shape (lines,), by its likeliest kind ``best`` and its place."""
    edge, middle = (np.array([zone.get(kind, 2.0) for kind in kinds]) for zone in (thresholds.edge, thresholds.inside))
    return np.where(inside, middle[best], edge[best])
