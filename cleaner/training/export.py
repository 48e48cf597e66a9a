"""Write a bundle: arrays, manifest, notice. The same model always gives the same bytes."""

import hashlib
import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray

from cleaner.errors import OutputError
from cleaner.features import FEATURES_VERSION
from cleaner.model.bundle import FORMAT, MANIFEST, PAGE_WEIGHTS, WEIGHTS, Thresholds, digest
from cleaner.model.pages import PageClassifier
from cleaner.model.scorer import Calibration, LineClassifier, Perceptron, QualityModel, TextModel
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


@dataclass(frozen=True, slots=True)
class Fitted:
    """A classifier of lines, its thresholds, and what was measured out of fold while it was made."""

    classifier: LineClassifier
    thresholds: Thresholds
    metrics: dict[str, Any]


def write_bundle(
    folder: Path, fitted: Fitted, page_classifier: PageClassifier | None, pages: list[str], data: dict[str, str]
) -> None:
    """Write a bundle to a folder, which is made if need be; ``pages`` are the ids of those that it was fitted on.

    Without a ``page_classifier`` the bundle judges text only.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    classifier, thresholds = fitted.classifier, fitted.thresholds
    contents = {}
    contents[WEIGHTS] = _packed(
        _linear("text_", classifier.text_model)
        | _network("", classifier.context_model)
        | _curve("", classifier.calibration)
        | _quality(classifier.quality)
    )
    if page_classifier is not None:
        contents[PAGE_WEIGHTS] = _packed(_page_arrays(page_classifier))
    contents[NOTICE] = CREDITS.encode()
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
        "files": {name: digest(content) for name, content in contents.items()},
        "pages": len(pages),
        "pages_digest": hashlib.sha256("\n".join(pages).encode()).hexdigest(),
        "data": data,
        "trained_with": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
        "metrics": fitted.metrics,
    }
    # The manifest goes last: a bundle that was cut short has digests that do not match, or none.
    contents[MANIFEST] = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            temporary = folder / f".{name}.part"
            temporary.write_bytes(content)
            temporary.replace(folder / name)
    except OSError as error:
        raise OutputError(f"cannot write the model to {folder}: {error}") from error


def _packed(arrays: dict[str, NDArray[Any]]) -> bytes:
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _page_arrays(classifier: PageClassifier) -> dict[str, NDArray[Any]]:
    arrays = _linear("path_", classifier.path_model) | _quality(classifier.quality)
    for prefix, one in (("first_", classifier.first), ("second_", classifier.second)):
        arrays |= _network(prefix, one.perceptron) | _curve(prefix, one.calibration)
    return arrays


def _linear(prefix: str, model: TextModel) -> dict[str, NDArray[Any]]:
    return {
        f"{prefix}weights": model.weights,
        f"{prefix}units": model.units,
        f"{prefix}intercepts": model.intercepts,
    }


def _network(prefix: str, network: Perceptron) -> dict[str, NDArray[Any]]:
    return {
        f"{prefix}hidden": network.hidden,
        f"{prefix}hidden_bias": network.hidden_bias,
        f"{prefix}output": network.output,
        f"{prefix}output_bias": network.output_bias,
    }


def _curve(prefix: str, calibration: Calibration) -> dict[str, NDArray[Any]]:
    return {f"{prefix}score_from": calibration.raw, f"{prefix}score_to": calibration.calibrated}


def _quality(model: QualityModel) -> dict[str, NDArray[Any]]:
    return {"quality_weights": model.weights, "quality_bias": np.array([model.bias])}
