"""A hand-made bundle: a line that holds a marker word has the kind of that marker, any other line is main content.

Small, readable and independent of every trained model, so that unit tests break when the code does and not when the
weights do.
"""

import hashlib
import json
from io import BytesIO

import numpy as np

from cleaner.context import context_features
from cleaner.document import Kind
from cleaner.features import FEATURES_VERSION, HASH_BITS, line_features
from cleaner.model.bundle import FORMAT, MANIFEST, WEIGHTS
from cleaner.model.scorer import SHAPE

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
    hidden = np.zeros((columns(heads), heads), np.float32)
    hidden[:heads] = np.eye(heads) / 16
    output = np.zeros((heads, len(KINDS)))
    bias = np.full(len(KINDS), -4.0)
    bias[KINDS.index(Kind.CONTENT)] = 4
    for head, kind in enumerate(list(MARKERS)[: heads - 1], 1):
        output[head, KINDS.index(kind)] = 2
    identity = np.array([0.0, 1.0])
    return {
        "text_weights": np.ascontiguousarray(weights.T),
        "text_units": np.ones(heads),
        "text_intercepts": np.full(heads, -8.0),
        "hidden": hidden,
        "hidden_bias": np.zeros(heads, np.float32),
        "output": output,
        "output_bias": bias,
        "score_from": identity,
        "score_to": identity,
        "quality_weights": np.zeros(len(SHAPE)),
        "quality_bias": np.ones(1),
    }


def npz(arrays):
    """The bytes of ``weights.npz``."""
    buffer = BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def manifest(weights, **changes):
    """The manifest that goes with those bytes."""
    whole = {
        "name": "tiny-1",
        "format": FORMAT,
        "features_version": FEATURES_VERSION,
        "kinds": [kind.value for kind in KINDS],
        "thresholds": {zone: {kind.value: THRESHOLD for kind in REMOVABLE} for zone in ("edge", "inside")},
        "files": {WEIGHTS: hashlib.sha256(weights).hexdigest()},
    }
    return whole | changes


def write_bundle(folder, weights=None, **changes):
    """Write the bundle, or one with other weights (bytes) or with changes to its manifest."""
    weights = npz(arrays()) if weights is None else weights
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(weights)
    (folder / MANIFEST).write_text(json.dumps(manifest(weights, **changes)), encoding="utf-8")
    return folder
