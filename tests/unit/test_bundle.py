"""A bundle is read or refused with ``ModelError``, whatever was done to it; nothing else is raised, nothing is run."""

import hashlib
import json
import os
import pickle
import random
import struct
import subprocess
import sys
import warnings
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tiny

from cleaner.document import Kind
from cleaner.errors import ModelError
from cleaner.features import FEATURES_VERSION, HASH_BITS
from cleaner.model import bundle
from cleaner.model.bundle import (
    FORMAT,
    MANIFEST,
    MAX_ARRAY_BYTES,
    MAX_MANIFEST_BYTES,
    WEIGHTS,
    find_bundle,
    read_bundle,
)
from cleaner.pipeline import Cleaner

SAMPLE = "The council met on Tuesday.\nSome zzadvert words\nShare"


def read_or_refuse(folder):
    """Whether the bundle is refused; what is accepted must also work."""
    try:
        with warnings.catch_warnings():
            # Arrays that somebody changed may hold numbers that overflow; they may not raise.
            warnings.simplefilter("ignore", RuntimeWarning)
            Cleaner.load(folder).clean(SAMPLE)
    except ModelError as error:
        return bool(str(error)) and error.exit_code == 5
    return False


def refused(folder, match=None):
    with pytest.raises(ModelError, match=match):
        read_bundle(folder)


@pytest.fixture(scope="module")
def small():
    """The arrays of a bundle with one head."""
    return tiny.arrays(1)


@pytest.fixture(scope="module")
def small_bytes(small):
    return tiny.npz(small)


def test_a_good_bundle_is_read(tiny_bundle):
    read = read_bundle(tiny_bundle)
    assert read.manifest["name"] == "tiny-1"
    assert read.classifier.kinds == tiny.KINDS
    assert set(read.thresholds.edge) == set(read.thresholds.inside) == set(tiny.REMOVABLE)
    assert read_bundle(str(tiny_bundle)).manifest == read.manifest


def test_the_bundle_that_ships_is_read():
    folder = find_bundle()
    assert read_bundle().manifest["name"] == folder.name
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 8 << 20


def test_a_symbolic_link_to_a_bundle_is_as_good(tiny_bundle, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tiny_bundle)
    assert not read_or_refuse(link)
    (tmp_path / "files").mkdir()
    for name in (MANIFEST, WEIGHTS):
        (tmp_path / "files" / name).symlink_to(tiny_bundle / name)
    assert not read_or_refuse(tmp_path / "files")


@pytest.mark.parametrize("path", ["", ".", "missing", "x" * 5000, "a\0b", "\ud800", "/dev/null", "/proc/self/mem"])
def test_no_bundle_at_a_path(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(path)
    refused(Path(path))


def test_a_folder_that_may_not_be_entered(tiny_bundle, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    # What it does before Python 3.14 where the folder may not be searched; root may search all.
    monkeypatch.setattr(Path, "is_file", denied)
    refused(tiny_bundle)


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS])
@pytest.mark.parametrize("kind", ["missing", "folder", "loop", "dangling", "fifo", "zero", "empty", "noise", "huge"])
def test_a_file_that_is_not_one(tmp_path, small_bytes, name, kind):
    folder = tiny.write_bundle(tmp_path / "b", small_bytes)
    file = folder / name
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind in ("loop", "dangling", "zero"):
        file.symlink_to({"loop": file, "dangling": tmp_path / "nowhere", "zero": "/dev/zero"}[kind])
    elif kind == "fifo":
        os.mkfifo(file)
    elif kind == "huge":
        with file.open("wb") as stream:
            stream.truncate((MAX_MANIFEST_BYTES if name == MANIFEST else MAX_ARRAY_BYTES) + 1)
    elif kind != "missing":
        file.write_bytes(b"" if kind == "empty" else random.Random(1).randbytes(5000))
    # In a process of its own: a file without an end must not take the tests with it.
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "from cleaner.model.bundle import read_bundle\nfrom cleaner.errors import ModelError\n"
        "try: read_bundle(sys.argv[1])\nexcept ModelError: sys.exit(5)"
    )
    run = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, timeout=20, check=False)
    assert (run.returncode, run.stderr) == (5, b"")


CHANGES = {
    "format of tomorrow": {"format": FORMAT + 1},
    "format as text": {"format": str(FORMAT)},
    "no format": {"format": None},
    "features of tomorrow": {"features_version": FEATURES_VERSION + 1},
    "features of nobody": {"features_version": None},
    "no files": {"files": {}},
    "files as a list": {"files": [WEIGHTS]},
    "files as nothing": {"files": None},
    "wrong digest": {"files": {WEIGHTS: "0" * 64}},
    "digest of another type": {"files": {WEIGHTS: 5}},
    "kinds of nobody": {"kinds": None},
    "kinds as text": {"kinds": "content"},
    "an unknown kind": {"kinds": [*(kind.value for kind in tiny.KINDS[:-1]), "weather"]},
    "a kind twice": {"kinds": [*(kind.value for kind in tiny.KINDS[:-1]), "advert"]},
    "a kind too few": {"kinds": [kind.value for kind in tiny.KINDS[:-1]]},
    "a kind too many": {"kinds": [*(kind.value for kind in tiny.KINDS), "repeat"]},
    "no content": {"kinds": ["repeat" if kind is Kind.CONTENT else kind.value for kind in tiny.KINDS]},
    "no headline": {"kinds": ["repeat" if kind is Kind.HEADLINE else kind.value for kind in tiny.KINDS]},
    "kinds as numbers": {"kinds": list(range(15))},
    "kinds as lists": {"kinds": [[]] * 15},
    "thresholds of nobody": {"thresholds": None},
    "thresholds as a list": {"thresholds": []},
    "thresholds as text": {"thresholds": "advert"},
    "no thresholds": {"thresholds": {}},
    "thresholds of no zone": {"thresholds": {"edge": {}, "inside": {}}},
    "zones as lists": {"thresholds": {"edge": [], "inside": []}},
    **{
        f"threshold {value!r}": {"thresholds": dict.fromkeys(["edge", "inside"], dict.fromkeys(tiny.REMOVABLE, value))}
        for value in (float("nan"), float("inf"), -0.1, 7, None, "high", [], {})
    },
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_a_manifest_that_does_not_fit(tmp_path, small_bytes, changes):
    refused(tiny.write_bundle(tmp_path, small_bytes, **changes))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "5",
        '"format"',
        "{",
        "{}",
        "[" * 200_000,
        '{"format": ' + "9" * 5000 + "}",
        '{"format": NaN}',
        "\ufeff{}",
        "{\x00}",
    ],
)
def test_a_manifest_that_is_none(tmp_path, small_bytes, text):
    folder = tiny.write_bundle(tmp_path, small_bytes)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    refused(folder)
    (folder / MANIFEST).write_bytes(text.encode("utf-16"))
    refused(folder)
    (folder / MANIFEST).write_bytes(b"\xff\xfe\xfd" + text.encode())
    refused(folder)


def test_the_message_for_another_version_says_which(tmp_path, small_bytes):
    refused(tiny.write_bundle(tmp_path, small_bytes, format=99), "99")
    refused(tiny.write_bundle(tmp_path, small_bytes, features_version=98), "98")


HEADS = 1
ARRAYS = {
    "missing": None,
    "no head": np.zeros((1 << HASH_BITS, 0), np.int8),
    "floats": np.zeros((1 << HASH_BITS, HEADS), np.float32),
    "too few buckets": np.zeros((1 << (HASH_BITS - 1), HEADS), np.int8),
    "one dimension": np.zeros(1 << HASH_BITS, np.int8),
    "text": np.zeros((HEADS, 5), "U5"),
    "times": np.zeros((HEADS, 5), "M8[s]"),
    "fields": np.zeros((HEADS, 5), [("a", "i4")]),
    "big ends": np.zeros((1 << HASH_BITS, HEADS), ">f8"),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_text_weights_that_do_not_fit(tmp_path, small, array):
    arrays = {name: value for name, value in small.items() if name != "text_weights"}
    refused(tiny.write_bundle(tmp_path, tiny.npz(arrays if array is None else arrays | {"text_weights": array})))


@pytest.mark.parametrize("name", [name for name in tiny.arrays(1) if name != "text_weights"])
@pytest.mark.parametrize(
    "wrong", ["missing", "longer", "shorter", "empty", "integers", "nan", "infinite", "scalar", "nested"]
)
def test_any_array_that_does_not_fit(tmp_path, small, name, wrong):
    array = small[name]
    changed = {
        "missing": None,
        "longer": np.concatenate([array, array]),
        "shorter": array[:-1],
        "empty": array[:0],
        "integers": array.astype(np.int64),
        "nan": np.full_like(array, np.nan),
        "infinite": np.full_like(array, np.inf),
        "scalar": np.array(1, array.dtype),
        "nested": array[None],
    }[wrong]
    arrays = {key: value for key, value in small.items() if key != name}
    folder = tiny.write_bundle(tmp_path, tiny.npz(arrays if changed is None else arrays | {name: changed}))
    assert read_or_refuse(folder)


@pytest.mark.parametrize("name", ["score_from", "score_to"])
def test_a_calibration_that_falls(tmp_path, small, name):
    refused(tiny.write_bundle(tmp_path, tiny.npz(small | {name: np.array([1.0, 0.0])})))


@pytest.mark.parametrize("points", [[-1.0, 1.0], [0.0, 7.0]])
def test_a_calibration_that_leaves_0_to_1(tmp_path, small, points):
    refused(tiny.write_bundle(tmp_path, tiny.npz(small | {"score_to": np.array(points)})))


class Bomb:
    """Leaves a trace when it is unpickled."""

    trace: Path

    def __reduce__(self):
        return (Path.touch, (self.trace,))


def npy(header, data=b""):
    text = (header if isinstance(header, bytes) else str(header).encode()) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def zipped(members, compression=zipfile.ZIP_STORED):
    buffer = BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.simplefilter("ignore", UserWarning)  # the same name twice
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def members_of(data):
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def test_pickles_are_never_read(tmp_path, small, monkeypatch):
    Bomb.trace = tmp_path / "trace"
    objects = np.empty(1, object)
    objects[0] = Bomb()
    pickled = pickle.dumps(Bomb())
    for name in (*small, "extra"):
        refused(tiny.write_bundle(tmp_path / "b", tiny.npz(small | {name: objects})))
    plain = members_of(tiny.npz(small))
    for member in (
        ("text_units.npy", pickled),
        ("extra.npy", pickled),
        ("extra.pkl", pickled),
        ("extra.npy", npy({"descr": "|O", "fortran_order": False, "shape": (1,)}, pickled)),
        ("extra.npy", npy(b"__import__('os').system('touch %s')" % str(Bomb.trace).encode())),
    ):
        read_or_refuse(tiny.write_bundle(tmp_path / "b", zipped([*plain, member])))
    folder = tiny.write_bundle(tmp_path / "b", pickled)
    refused(folder)
    (folder / MANIFEST).write_bytes(pickled)
    refused(folder)
    assert not Bomb.trace.exists()

    def never(*_, **__):
        raise AssertionError("pickle was asked to load")

    monkeypatch.setattr(pickle, "load", never)
    monkeypatch.setattr(pickle, "loads", never)
    monkeypatch.setattr(pickle, "Unpickler", never)
    assert not read_or_refuse(tiny.write_bundle(tmp_path / "good", tiny.npz(small)))


def test_the_module_does_not_know_pickle():
    source = Path(bundle.__file__).read_text(encoding="utf-8")
    assert "import pickle" not in source
    assert "allow_pickle=True" not in source
    assert "eval(" not in source


HEADERS = {
    "huge": {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)},
    "huge in two": {"descr": "|i1", "fortran_order": False, "shape": (1 << 31, 1 << 31)},
    "negative": {"descr": "<f8", "fortran_order": False, "shape": (-1,)},
    "overflow": {"descr": "<f8", "fortran_order": False, "shape": (1 << 62, 4)},
    "zero by huge": {"descr": "<f8", "fortran_order": False, "shape": (0, 1 << 62)},
    "no shape": {"descr": "<f8", "fortran_order": False},
    "text shape": {"descr": "<f8", "fortran_order": False, "shape": "abc"},
    "no type": {"descr": "zz", "fortran_order": False, "shape": (1,)},
    "fortran": {"descr": "<f8", "fortran_order": True, "shape": (2, 2)},
    "no dictionary": "[]",
    "open bracket": "{'descr': '<f8', 'fortran_order': False, 'shape': (1",
    "open string": "{'descr': '''",
    "long number": "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 5000 + ",)}",
    "deep": "(" * 10_000,
    "noise": random.Random(3).randbytes(100),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_that_lies(tmp_path, small_bytes, header):
    plain = members_of(small_bytes)
    for name in ("text_units.npy", "extra.npy"):
        rest = [member for member in plain if member[0] != name]
        refused(tiny.write_bundle(tmp_path, zipped([*rest, (name, npy(header, b"\0" * 64))])))


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_bombs_do_not_go_off(tmp_path, small_bytes, compression):
    bomb = npy({"descr": "|i1", "fortran_order": False, "shape": (1 << 28,)}, bytes(1 << 28))
    data = zipped([*members_of(small_bytes), ("extra.npy", bomb)], compression)
    del bomb
    folder = tiny.write_bundle(tmp_path, data)
    code = (
        "import resource, sys\nfrom cleaner.model.bundle import read_bundle\nfrom cleaner.errors import ModelError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read_bundle(sys.argv[1])\n"
        "except ModelError: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    run = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, timeout=30, check=True, text=True)
    assert int(run.stdout) < 100 << 10


def test_names_in_the_archive_write_nothing(tmp_path, small_bytes):
    for name in ("../evil.npy", "/tmp/evil.npy", "a/b.npy", "text_units.npy"):
        read_or_refuse(tiny.write_bundle(tmp_path / "b", zipped([*members_of(small_bytes), (name, b"evil")])))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["b", MANIFEST, WEIGHTS]


def test_truncated_weights(tmp_path, small_bytes):
    sizes = [
        *range(0, 400, 7),
        *range(400, len(small_bytes), 9973),
        *range(len(small_bytes) - 1200, len(small_bytes), 13),
    ]
    for size in sizes:
        assert read_or_refuse(tiny.write_bundle(tmp_path, small_bytes[:size])), size


def test_a_single_bit_is_noticed(tmp_path, small_bytes):
    folder = tiny.write_bundle(tmp_path, small_bytes)
    draw = random.Random(7)
    for _ in range(50):
        data = bytearray(small_bytes)
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        (folder / WEIGHTS).write_bytes(data)
        refused(folder, "digest")


def places(data):
    """Where the structure of the archive is: headers of members and arrays, and the directory at the end."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        heads = [member.header_offset for member in archive.infolist()]
        return [*(at for head in heads for at in range(head, head + 260)), *range(archive.start_dir, len(data))]


@pytest.mark.parametrize("seed", range(4))
def test_mutated_weights_with_a_matching_digest(tmp_path, small_bytes, seed):
    draw, spots = random.Random(seed), [at for at in places(small_bytes) if at < len(small_bytes)]
    good = json.dumps(tiny.manifest(small_bytes))
    old = hashlib.sha256(small_bytes).hexdigest()
    tmp_path.joinpath("b").mkdir()
    for _ in range(600):
        data = bytearray(small_bytes)
        for _ in range(draw.choice([1, 1, 2, 5])):
            at = draw.choice(spots) % len(data)
            action = draw.random()
            if action < 0.5:
                data[at] ^= 1 << draw.randrange(8)
            elif action < 0.8:
                data[at] = draw.choice([0, 1, 0x7F, 0x80, 0xFF, ord("("), ord("'"), ord("9")])
            elif action < 0.9:
                data[at : at + 4] = draw.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"])
            else:
                del data[at : at + draw.randrange(1, 9)]
        (tmp_path / "b" / WEIGHTS).write_bytes(data)
        text = good.replace(old, hashlib.sha256(data).hexdigest())
        (tmp_path / "b" / MANIFEST).write_text(text, encoding="utf-8")
        read_or_refuse(tmp_path / "b")


@pytest.mark.parametrize("seed", range(4))
def test_mutated_manifests(tmp_path, small_bytes, seed):
    draw = random.Random(100 + seed)
    folder = tiny.write_bundle(tmp_path, small_bytes)
    good = (folder / MANIFEST).read_bytes()
    values = [
        b"null",
        b"[]",
        b"{}",
        b"-1",
        b"1e999",
        b'"x"',
        b"NaN",
        b"true",
        b"0",
        b'"content"',
        b"\xff",
        b'"\\ud800"',
        b"",
    ]
    for _ in range(600):
        data = bytearray(good)
        for _ in range(draw.choice([1, 1, 2, 4])):
            at = draw.randrange(max(len(data), 1))
            action = draw.random()
            if action < 0.4:
                data[at] ^= 1 << draw.randrange(8)
            elif action < 0.8:
                data[at : at + draw.choice([0, 1, 5, 20])] = draw.choice(values)
            else:
                del data[at : at + draw.randrange(1, 40)]
        (folder / MANIFEST).write_bytes(data)
        read_or_refuse(folder)


@pytest.mark.parametrize("key", ["format", "features_version", "kinds", "thresholds", "files"])
@pytest.mark.parametrize(
    "value", [None, [], {}, "", 0, -1, 1.5, True, [None], {"edge": None}, "content", [1, [2, [3]]]], ids=repr
)
def test_any_value_for_any_key(tmp_path, small_bytes, key, value):
    if key == "format" and value is True:
        return  # equals 1 in Python and in spirit
    if key == "features_version" and value is True and FEATURES_VERSION == 1:
        return
    assert read_or_refuse(tiny.write_bundle(tmp_path, small_bytes, **{key: value}))
