"""A bundle: the folder that holds one trained model as plain arrays and a JSON manifest.

Finds it, checks it, reads it. Nothing in a bundle is ever executed: arrays are read with pickling switched off, after the manifest's digests,
sizes and shapes were checked. What the arrays mean is the business of ``scorer``.
"""

import hashlib
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaner.document import Kind
from cleaner.errors import ModelError
from cleaner.features import FEATURES_VERSION, HASH_BITS
from cleaner.model.scorer import Calibration, LineClassifier, Perceptron, TextModel

FORMAT = 1
DEFAULT_BUNDLE = "news-1"
MANIFEST, WEIGHTS = "manifest.json", "weights.npz"

# No bundle of ours comes near; what claims to be larger is damaged or hostile.
MAX_MANIFEST_BYTES = 1 << 20
MAX_ARRAY_BYTES = 64 << 20

# What reading a file that somebody tampered with may raise, from zipfile, zlib and numpy's own format.
_UNREADABLE = (
    OSError, ValueError, KeyError, TypeError, EOFError, MemoryError, OverflowError, NotImplementedError, RuntimeError, SyntaxError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model, ready to score, the thresholds from which on its scores remove a line, and the manifest that came with it."""

    manifest: dict[str, Any]
    thresholds: dict[Kind, float]
    classifier: LineClassifier


def find_bundle(path: str | Path | None = None) -> Path:
    """The folder of a bundle: the one given, or the one that ships with the package.

    Raises
    ------
    ModelError
        When there is no such folder or it holds no manifest.
    """
    if path is None:
        from importlib.resources import files

        folder = Path(str(files("cleaner.models"))) / DEFAULT_BUNDLE
    else:
        folder = Path(path)
    if not (folder / MANIFEST).is_file():
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
        return _assemble(manifest, arrays)
    except _UNREADABLE as error:
        raise ModelError(f"{folder / WEIGHTS} is damaged ({error}); install or train the model again") from error


def digest(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise ModelError(f"{path} is larger than {MAX_MANIFEST_BYTES} bytes; that is no manifest of a model")
        manifest = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"cannot read {path}: {error}; install or train the model again") from error
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise ModelError(f"{path} is not the manifest of a model: it names no format")
    if manifest["format"] != FORMAT:
        raise ModelError(f"{path} has format {manifest['format']!r}, this version reads {FORMAT}; get a matching model")
    if manifest.get("features_version") != FEATURES_VERSION:
        made = manifest.get("features_version")
        raise ModelError(f"{path} was trained with features {made!r}, this version has {FEATURES_VERSION}; train it again")
    return manifest


def _read_checked(folder: Path, manifest: dict[str, Any], name: str) -> bytes:
    files = manifest.get("files")
    expected = files.get(name) if isinstance(files, dict) else None
    try:
        if (folder / name).stat().st_size > MAX_ARRAY_BYTES:
            raise ModelError(f"{folder / name} is larger than {MAX_ARRAY_BYTES} bytes; that is no model of ours")
        data = (folder / name).read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {folder / name}: {error}; install or train the model again") from error
    if digest(data) != expected:
        raise ModelError(f"{folder / name} does not match the digest in its manifest; install or train the model again")
    return data


def _read_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    from io import BytesIO

    with zipfile.ZipFile(BytesIO(data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_ARRAY_BYTES:
            raise ValueError("its arrays are larger than any model of ours")
        arrays = {}
        for member in archive.infolist():
            with archive.open(member) as stream:
                _check_header(stream, member)
            with archive.open(member) as stream:
                arrays[member.filename.removesuffix(".npy")] = np.lib.format.read_array(stream, allow_pickle=False)
    return arrays


def _check_header(stream: Any, member: zipfile.ZipInfo) -> None:
    """Refuse an array whose header promises another size than its file has, before memory is set aside for it."""
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"{member.filename} has array format {version}")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    items = 1
    for side in shape:
        items *= side
    if dtype.hasobject or stream.tell() + items * dtype.itemsize != member.file_size:
        raise ValueError(f"{member.filename} does not hold what its header says")


def _assemble(manifest: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Bundle:
    kinds = tuple(Kind(name) for name in manifest["kinds"])
    thresholds = {Kind(name): float(value) for name, value in manifest["thresholds"].items()}
    if missing := set(kinds) - set(thresholds) - {Kind.CONTENT, Kind.HEADLINE}:
        raise ValueError(f"the manifest has no threshold for {', '.join(sorted(missing))}")

    def take(name: str, dtype: type[np.generic], *shape: int | None) -> NDArray[Any]:
        array = arrays[name]
        if array.dtype != dtype or array.ndim != len(shape):
            raise ValueError(f"array {name} has type {array.dtype} and {array.ndim} dimensions")
        if any(want is not None and want != have for want, have in zip(shape, array.shape, strict=True)):
            raise ValueError(f"array {name} has shape {array.shape}")
        if np.issubdtype(dtype, np.floating) and not np.isfinite(array).all():
            raise ValueError(f"array {name} holds values that are no numbers")
        return array

    weights = take("text_weights", np.int8, None, 1 << HASH_BITS)
    heads = len(weights)
    hidden = take("hidden", np.float32, None, None)
    units = hidden.shape[1]
    classifier = LineClassifier(
        kinds,
        TextModel.of(weights, take("text_units", np.float64, heads), take("text_intercepts", np.float64, heads)),
        Perceptron(
            hidden,
            take("hidden_bias", np.float32, units),
            take("output", np.float32, units, len(kinds)),
            take("output_bias", np.float32, len(kinds)),
        ),
        Calibration(take("score_from", np.float64, None), take("score_to", np.float64, len(arrays["score_from"]))),
        Calibration(take("quality_from", np.float64, None), take("quality_to", np.float64, len(arrays["quality_from"]))),
    )
    return Bundle(manifest, thresholds, classifier)
