"""Write a bundle: arrays, manifest, notice. The same model always gives the same bytes."""

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

from cleaner.errors import OutputError
from cleaner.features import FEATURES_VERSION
from cleaner.model.bundle import FORMAT, MANIFEST, WEIGHTS, Thresholds, digest
from cleaner.model.scorer import LineClassifier
from cleaner.training.text import HEADS

NOTICE = "NOTICE"
CREDITS = """\
This model was trained on annotations and alignments of these public data sets and pages. It contains weights, counts and hashes, no text of theirs.

Web Content Extraction Benchmark (WCXB), Murrough Foley, https://github.com/Murrough-Foley/web-content-extraction-benchmark,
    commit c039d5ee, licence of the annotations CC-BY-4.0 (https://creativecommons.org/licenses/by/4.0/). Changes: the annotated texts were
    aligned with the output of text extractors, and labels were corrected after reading the lines.
Fundus, flairNLP, https://github.com/flairNLP/fundus, commit 18da6e53, test resources, MIT licence.
Pages read by us, their text taken out by extractors: trafilatura's evaluation data, Adrien Barbaresi, https://github.com/adbar/trafilatura,
    commit e90b0ef5, Apache-2.0; test pages of https://github.com/mozilla/readability, commit ab4027a8, Apache-2.0, of
    https://github.com/postlight/parser, MIT or Apache-2.0, and of https://github.com/AndyTheFactory/newspaper4k, MIT licence.
"""  # noqa: E501 -- a text for readers, with lines of its own


def data_digests(*paths: Path) -> dict[str, str]:
    """The SHA-256 of each file, by name."""
    return {path.name: digest(path.read_bytes()) for path in paths}


def write_bundle(
    folder: Path,
    classifier: LineClassifier,
    thresholds: Thresholds,
    pages: list[str],
    data: dict[str, str],
    metrics: dict[str, Any],
) -> None:
    """Write the bundle of a classifier to a folder, which is made if need be.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    text, context = classifier.text_model, classifier.context_model
    buffer = BytesIO()
    np.savez(
        buffer,
        text_weights=text.weights,
        text_units=text.units,
        text_intercepts=text.intercepts,
        hidden=context.hidden,
        hidden_bias=context.hidden_bias,
        output=context.output,
        output_bias=context.output_bias,
        score_from=classifier.calibration.raw,
        score_to=classifier.calibration.calibrated,
        quality_weights=classifier.quality.weights,
        quality_bias=np.array([classifier.quality.bias]),
    )
    weights = buffer.getvalue()
    notice = CREDITS.encode()
    manifest = {
        "name": folder.name,
        "format": FORMAT,
        "features_version": FEATURES_VERSION,
        "kinds": [kind.value for kind in classifier.kinds],
        "heads": list(HEADS),
        "thresholds": {
            zone: {kind.value: value for kind, value in scores.items()}
            for zone, scores in (("edge", thresholds.edge), ("inside", thresholds.inside))
        },
        "files": {WEIGHTS: digest(weights), NOTICE: digest(notice)},
        "pages": len(pages),
        "pages_digest": hashlib.sha256("\n".join(pages).encode()).hexdigest(),
        "data": data,
        "trained_with": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
        "metrics": metrics,
    }
    encoded = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in ((WEIGHTS, weights), (NOTICE, notice), (MANIFEST, encoded)):
            # The manifest goes last: a bundle that was cut short has digests that do not match, or none.
            temporary = folder / f".{name}.part"
            temporary.write_bytes(content)
            temporary.replace(folder / name)
    except OSError as error:
        raise OutputError(f"cannot write the model to {folder}: {error}") from error
