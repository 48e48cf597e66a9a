"""A hand-made bundle: a line that holds a marker word has the kind of that marker, any other line is main content.

Blocks of pages are judged in the same way: both passes look at nothing but what their words say. Small, readable and
independent of every trained model, so that unit tests break when the code does and not when the weights do.
"""

import hashlib
import json
from io import BytesIO

import numpy as np

from cleaner.context import context_features
from cleaner.document import Kind
from cleaner.features import FEATURES_VERSION, HASH_BITS, line_features
from cleaner.model.bundle import FORMAT, MANIFEST, PAGE_WEIGHTS, WEIGHTS
from cleaner.model.scorer import SHAPE
from cleaner.page.paths import PATH_BITS
from cleaner.page.surroundings import first_bounds, second_bounds

MARKERS = {
    Kind.ADVERT: "zzadvert",
    Kind.APPEAL: "zzappeal",
    Kind.RELATED: "zzrelated",
    Kind.CAPTION: "zzcaption",
    Kind.HEADLINE: "zzheadline",
}
KINDS = tuple(kind for kind in Kind if kind is not Kind.REPEAT)
REMOVABLE = tuple(kind for kind in KINDS if kind not in (Kind.CONTENT, Kind.HEADLINE))
HEADS = 1 + len(MARKERS)
THRESHOLD = 0.9


def features_of(*documents):
    """The features of documents, each a list of lines."""
    offsets = np.cumsum([0, *map(len, documents)])
    return line_features([line for lines in documents for line in lines], offsets)


def columns(heads=HEADS):
    """How many inputs a context model has."""
    return len(context_features(np.zeros((heads, 1), np.int32), features_of(["x"])))


def arrays(heads=HEADS):
    """The arrays of the bundle; with fewer heads, some markers mean nothing."""
    weights = np.zeros((heads, 1 << HASH_BITS), np.int8)
    for head, word in enumerate(list(MARKERS.values())[: heads - 1], 1):
        features = features_of([word])
        (grams,) = features.grams
        inside = grams.buckets[-1][grams.starts[0] + 1 : grams.stops[-1][0] - 1]  # without the ends of the line
        weights[0, inside] = weights[head, inside] = 127
    return {
        "text_weights": np.ascontiguousarray(weights.T),
        "text_units": np.ones(heads),
        "text_intercepts": np.full(heads, -8.0),
        **_kinds_by_head("", columns(heads), 0, heads),
        **_quality(),
    }


def page_arrays(heads=HEADS):
    """The arrays that judge pages; one head reads paths, and finds nothing in them."""
    return {
        "path_weights": np.zeros((1 << PATH_BITS, 1), np.int8),
        "path_units": np.ones(1),
        "path_intercepts": np.zeros(1),
        # The first row is the sum of both models; the text heads stand behind it.
        **_kinds_by_head("first_", len(first_bounds(heads + 1)), 1, heads),
        **_kinds_by_head("second_", len(second_bounds(heads + 1)), 1, heads),
        **_quality(),
    }


def _kinds_by_head(prefix, inputs, row, heads):
    """A perceptron that sees the text heads, which begin at a row of its inputs, and gives each marker its kind."""
    hidden = np.zeros((inputs, heads), np.float32)
    hidden[row : row + heads] = np.eye(heads) / 16
    output = np.zeros((heads, len(KINDS)))
    bias = np.full(len(KINDS), -4.0)
    bias[KINDS.index(Kind.CONTENT)] = 4
    for head, kind in enumerate(list(MARKERS)[: heads - 1], 1):
        output[head, KINDS.index(kind)] = 2
    identity = np.array([0.0, 1.0])
    return {
        f"{prefix}hidden": hidden,
        f"{prefix}hidden_bias": np.zeros(heads, np.float32),
        f"{prefix}output": output,
        f"{prefix}output_bias": bias,
        f"{prefix}score_from": identity,
        f"{prefix}score_to": identity,
    }


def _quality():
    return {"quality_weights": np.zeros(len(SHAPE)), "quality_bias": np.ones(1)}


def npz(arrays):
    """The bytes of a file of arrays."""
    buffer = BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def manifest(weights, pages=None, **changes):
    """The manifest that goes with those bytes."""
    files = {WEIGHTS: weights} | ({} if pages is None else {PAGE_WEIGHTS: pages})
    whole = {
        "name": "tiny-1",
        "format": FORMAT,
        "features_version": FEATURES_VERSION,
        "kinds": [kind.value for kind in KINDS],
        "thresholds": {zone: {kind.value: THRESHOLD for kind in REMOVABLE} for zone in ("edge", "inside")},
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    return whole | changes


def write_bundle(folder, weights=None, pages=None, **changes):
    """Write the bundle, or one with other arrays (bytes) or with changes to its manifest.

    Other weights judge text only, unless arrays that judge pages come with them.
    """
    if weights is None:
        weights, pages = npz(arrays()), pages or npz(page_arrays())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(weights)
    if pages is not None:
        (folder / PAGE_WEIGHTS).write_bytes(pages)
    (folder / MANIFEST).write_text(json.dumps(manifest(weights, pages, **changes)), encoding="utf-8")
    return folder
