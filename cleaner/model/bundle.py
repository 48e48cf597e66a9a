"""A bundle: the folder that holds one trained model as plain arrays and a JSON manifest.

Finds it, checks it, reads it. Nothing in a bundle is ever executed: arrays are read with pickling switched off, after
the manifest's digests, sizes and shapes were checked. What the arrays mean is the business of ``scorer``.
"""

import hashlib
import json
import math
import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleaner.context import column_bounds
from cleaner.document import Kind
from cleaner.errors import ModelError
from cleaner.features import FEATURES_VERSION, HASH_BITS
from cleaner.model.scorer import SHAPE, Calibration, LineClassifier, Perceptron, QualityModel, TextModel

if TYPE_CHECKING:
    from cleaner.model.pages import PageClassifier

FORMAT = 3
DEFAULT_BUNDLE = "news-1"
MANIFEST, WEIGHTS = "manifest.json", "weights.npz"
# The model of pages has a file of its own, because who cleans text need not wait for it.
PAGE_WEIGHTS = "pages.npz"

# No bundle of ours comes near; what claims to be larger is damaged or hostile.
MAX_MANIFEST_BYTES = 1 << 20
MAX_ARRAY_BYTES = 64 << 20
# From larger weights sums may overflow, and what is no number cannot be a score.
LARGEST_WEIGHT = 1e9

# What reading a file that somebody tampered with may raise.
_UNREADABLE = (
    OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError, MemoryError, OverflowError,
    NotImplementedError, RuntimeError, zipfile.BadZipFile,
)  # fmt: skip


class Thresholds(NamedTuple):
    """For each kind the score from which on a line goes: at the edges of a document, and inside the article."""

    edge: dict[Kind, float]
    inside: dict[Kind, float]


class Bundle(NamedTuple):
    """A model that is ready to score, the thresholds from which its scores remove a line, and its manifest."""

    folder: Path
    manifest: dict[str, Any]
    thresholds: Thresholds
    classifier: LineClassifier


def find_bundle(path: str | Path | None = None) -> Path:
    """The folder of a bundle: the one given, or the one that ships with the package.

    Raises
    ------
    ModelError
        When there is no such folder or it holds no manifest.
    """
    # Beside the package in a checkout and inside it when installed; asking importlib.resources would cost 10 ms at each
    # start.
    package = Path(__file__).resolve().parent.parent
    shipped = next(
        (home for home in (package / "models", package.parent / "models") if home.is_dir()), package / "models"
    )
    folder = shipped / DEFAULT_BUNDLE if path is None else Path(path)
    try:
        found = (folder / MANIFEST).is_file()
    except OSError:
        found = False
    if not found:
        hint = "reinstall article-cleaner" if path is None else "give the folder that `clean train -o` wrote"
        raise ModelError(f"no model at {folder}: {MANIFEST} is not there; {hint}")
    return folder


def read_bundle(path: str | Path | None = None) -> Bundle:
    """Read a bundle and check everything about it that can be wrong.

    Raises
    ------
    ModelError
        When it is missing, damaged, or made for another format or another version of the features.
    """
    folder = find_bundle(path)
    manifest = _read_manifest(folder / MANIFEST)
    data = _read_checked(folder, manifest, WEIGHTS)
    try:
        arrays = _read_arrays(data)
        return _assemble(folder, manifest, arrays)
    except _UNREADABLE as error:
        raise ModelError(f"{folder / WEIGHTS} is damaged ({error}); install or train the model again") from error


def read_page_classifier(bundle: Bundle) -> "PageClassifier":
    """Read the part of a bundle that judges pages, with the same checks.

    Raises
    ------
    ModelError
        When the bundle has no such part, or it is damaged.
    """
    if PAGE_WEIGHTS not in bundle.manifest["files"]:
        raise ModelError(f"the model at {bundle.folder} judges text only: {PAGE_WEIGHTS} is not part of it")
    data = _read_checked(bundle.folder, bundle.manifest, PAGE_WEIGHTS)
    try:
        return _assemble_pages(bundle.classifier, _Arrays(_read_arrays(data)))
    except _UNREADABLE as error:
        raise ModelError(
            f"{bundle.folder / PAGE_WEIGHTS} is damaged ({error}); install or train the model again"
        ) from error


def digest(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _read_file(path: Path, limit: int) -> bytes:
    """A regular file of at most ``limit`` bytes."""
    try:
        if not path.is_file():
            raise ModelError(
                f"cannot read {path}: it is not there or no regular file; install or train the model again"
            )
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error}; install or train the model again") from error
    if len(data) > limit:
        raise ModelError(f"{path} is larger than {limit} bytes; that is no model of ours")
    return data


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(_read_file(path, MAX_MANIFEST_BYTES))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"cannot read {path}: {error}; install or train the model again") from error
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise ModelError(f"{path} is not the manifest of a model: it names no format")
    if manifest["format"] != FORMAT:
        raise ModelError(f"{path} has format {manifest['format']!r}, this version reads {FORMAT}; get a matching model")
    if manifest.get("features_version") != FEATURES_VERSION:
        made = manifest.get("features_version")
        raise ModelError(
            f"{path} was trained with features {made!r}, this version has {FEATURES_VERSION}; train it again"
        )
    return manifest


def _read_checked(folder: Path, manifest: dict[str, Any], name: str) -> bytes:
    files = manifest.get("files")
    expected = files.get(name) if isinstance(files, dict) else None
    data = _read_file(folder / name, MAX_ARRAY_BYTES)
    if digest(data) != expected:
        raise ModelError(f"{folder / name} does not match the digest in its manifest; install or train the model again")
    return data


def _read_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    arrays = {}
    with zipfile.ZipFile(BytesIO(data)) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{member.filename} is compressed")
            arrays[member.filename.removesuffix(".npy")] = _read_array(archive.read(member), member.filename)
    return arrays


# The header that numpy writes for the arrays of a bundle; anything else is not parsed at all.
_HEADER = re.compile(
    rb"\{'descr': '([<|][fi][1248])', 'fortran_order': False, 'shape': \(((?:\d{1,9},? ?){0,2})\), \} *\n"
)


def _read_array(data: bytes, name: str) -> NDArray[Any]:
    """An array in numpy's own format, version 1.0, plain numbers only.

    The header is matched, not evaluated as ``numpy.load`` does, and has to promise just the bytes that are there.
    """
    length = int.from_bytes(data[8:10], "little")
    header = _HEADER.fullmatch(data[10 : 10 + length])
    if data[:8] != b"\x93NUMPY\x01\x00" or header is None:
        raise ValueError(f"{name} is no plain array")
    shape = tuple(int(side) for side in header[2].split(b",") if side.strip())
    dtype = np.dtype(header[1].decode())
    if len(data) - 10 - length != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{name} does not hold what its header says")
    return np.frombuffer(data, dtype, offset=10 + length).reshape(shape)


class _Arrays:
    """The arrays of a file, each checked when it is taken."""

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._arrays = arrays

    def take(self, name: str, dtype: type[np.generic], *shape: int | None) -> NDArray[Any]:
        """An array of that type and shape; ``None`` stands for any size."""
        array = self._arrays[name]
        if array.dtype != dtype or array.ndim != len(shape):
            raise ValueError(f"array {name} has type {array.dtype} and {array.ndim} dimensions")
        if any(want is not None and want != have for want, have in zip(shape, array.shape, strict=True)):
            raise ValueError(f"array {name} has shape {array.shape}")
        if np.issubdtype(dtype, np.floating) and not (np.abs(array) <= LARGEST_WEIGHT).all():
            raise ValueError(f"array {name} holds values that are no weights")
        return array

    def text_model(self, prefix: str, bits: int) -> TextModel:
        """The linear heads whose arrays begin with a prefix."""
        weights = self.take(f"{prefix}weights", np.int8, 1 << bits, None)
        heads = weights.shape[1]
        if not heads:
            raise ValueError(f"{prefix}weights hold no head")
        units, intercepts = (self.take(f"{prefix}{name}", np.float64, heads) for name in ("units", "intercepts"))
        return TextModel.of(weights, units, intercepts)

    def perceptron(self, prefix: str, inputs: int, outputs: int) -> Perceptron:
        """The perceptron whose arrays begin with a prefix."""
        hidden = self.take(f"{prefix}hidden", np.float32, inputs, None)
        units = hidden.shape[1]
        return Perceptron(
            hidden,
            self.take(f"{prefix}hidden_bias", np.float32, units),
            self.take(f"{prefix}output", np.float64, units, outputs),
            self.take(f"{prefix}output_bias", np.float64, outputs),
        )

    def calibration(self, prefix: str) -> Calibration:
        """The calibration whose arrays begin with a prefix."""
        raw = self.take(f"{prefix}score_from", np.float64, None)
        calibrated = self.take(f"{prefix}score_to", np.float64, len(raw))
        shares = len(raw) and calibrated[0] >= 0 and calibrated[-1] <= 1
        if not shares or (np.diff(raw) < 0).any() or (np.diff(calibrated) < 0).any():
            raise ValueError("its calibration does not rise from 0 to 1")
        return Calibration(raw, calibrated)

    def quality(self) -> QualityModel:
        """The model of whole documents."""
        weights, bias = self.take("quality_weights", np.float64, len(SHAPE)), self.take("quality_bias", np.float64, 1)
        return QualityModel(weights, float(bias[0]))


def _assemble(folder: Path, manifest: dict[str, Any], given: dict[str, NDArray[Any]]) -> Bundle:
    arrays = _Arrays(given)
    kinds = tuple(Kind(name) for name in manifest["kinds"])
    if len(set(kinds)) != len(kinds) or not {Kind.CONTENT, Kind.HEADLINE} < set(kinds):
        raise ValueError("its kinds are not those of a line classifier")
    removable = set(kinds) - {Kind.CONTENT, Kind.HEADLINE}
    thresholds = Thresholds(*(_thresholds(manifest["thresholds"][zone], removable) for zone in ("edge", "inside")))
    text_model = arrays.text_model("text_", HASH_BITS)
    classifier = LineClassifier(
        kinds,
        text_model,
        arrays.perceptron("", len(column_bounds(text_model.weights.shape[1])), len(kinds)),
        arrays.calibration(""),
        arrays.quality(),
    )
    return Bundle(folder, manifest, thresholds, classifier)


def _assemble_pages(classifier: LineClassifier, arrays: _Arrays) -> "PageClassifier":
    # Late, because who cleans text need not wait for what pages take.
    from cleaner.model.pages import PageClassifier, Pass
    from cleaner.page.paths import PATH_BITS
    from cleaner.page.surroundings import first_bounds, second_bounds

    path_model = arrays.text_model("path_", PATH_BITS)
    heads = classifier.text_model.weights.shape[1] + path_model.weights.shape[1]
    outputs = len(classifier.kinds)
    first, second = (
        Pass(arrays.perceptron(prefix, len(bounds(heads)), outputs), arrays.calibration(prefix))
        for prefix, bounds in (("first_", first_bounds), ("second_", second_bounds))
    )
    return PageClassifier(classifier.kinds, path_model, first, second, arrays.quality())


def _thresholds(values: dict[str, float], kinds: set[Kind]) -> dict[Kind, float]:
    thresholds = {Kind(name): float(value) for name, value in values.items()}
    if set(thresholds) != kinds or not all(0 <= value <= 1 for value in thresholds.values()):
        raise ValueError("its thresholds are not one number from 0 to 1 for each kind that can go")
    return thresholds
