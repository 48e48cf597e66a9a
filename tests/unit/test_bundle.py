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
    PAGE_WEIGHTS,
    WEIGHTS,
    find_bundle,
    read_bundle,
    read_page_classifier,
)
from cleaner.pipeline import Cleaner

SAMPLE = "The council met on Tuesday.\nSome zzadvert words\nShare"
PAGE = "<title>Bridge</title><p>The council met on Tuesday.<p>Some zzadvert words<ul><li>Share</ul>"


def read_or_refuse(folder, page=None):
    """Whether the bundle is refused, or at the latest when a page comes; what is accepted must also work."""
    try:
        with warnings.catch_warnings():
            # Arrays that somebody changed may hold numbers that overflow; they may not raise.
            warnings.simplefilter("ignore", RuntimeWarning)
            cleaner = Cleaner.load(folder)
            cleaner.clean(SAMPLE)
            if page:
                assert all(0 <= line.score <= 1 for line in cleaner.clean_html(page).lines)
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


@pytest.fixture(scope="module")
def small_pages():
    """The arrays that judge pages, for a bundle with one head."""
    return tiny.page_arrays(1)


def test_a_good_bundle_is_read(tiny_bundle):
    read = read_bundle(tiny_bundle)
    assert read.manifest["name"] == "tiny-1"
    assert read.classifier.kinds == tiny.KINDS
    assert set(read.thresholds.edge) == set(read.thresholds.inside) == set(tiny.REMOVABLE)
    assert read_bundle(str(tiny_bundle)).manifest == read.manifest
    assert read.folder == tiny_bundle
    assert read_page_classifier(read).kinds == tiny.KINDS


def test_the_bundle_that_ships_is_read():
    folder = find_bundle()
    read = read_bundle()
    assert read.manifest["name"] == folder.name
    assert read_page_classifier(read).kinds == read.classifier.kinds
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 8 << 20


def test_a_symbolic_link_to_a_bundle_is_as_good(tiny_bundle, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tiny_bundle)
    assert not read_or_refuse(link)
    (tmp_path / "files").mkdir()
    for name in (MANIFEST, WEIGHTS, PAGE_WEIGHTS):
        (tmp_path / "files" / name).symlink_to(tiny_bundle / name)
    assert not read_or_refuse(tmp_path / "files", PAGE)


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


WRONG = {
    "missing": lambda _: None,
    "longer": lambda array: np.concatenate([array, array]),
    "shorter": lambda array: array[:-1],
    "empty": lambda array: array[:0],
    "integers": lambda array: array.astype(np.int64),
    "nan": lambda array: np.full_like(array, np.nan),
    "infinite": lambda array: np.full_like(array, np.inf),
    "immense": lambda array: np.full_like(array, 1e38),
    "scalar": lambda array: np.array(1, array.dtype),
    "nested": lambda array: array[None],
}


def with_wrong(arrays, name, change):
    """The bytes of some arrays of which one was changed."""
    changed = change(arrays[name])
    rest = {key: value for key, value in arrays.items() if key != name}
    return tiny.npz(rest if changed is None else rest | {name: changed})


@pytest.mark.parametrize("name", [name for name in tiny.arrays(1) if name != "text_weights"])
@pytest.mark.parametrize("wrong", WRONG)
def test_any_array_that_does_not_fit(tmp_path, small, name, wrong):
    assert read_or_refuse(tiny.write_bundle(tmp_path, with_wrong(small, name, WRONG[wrong])))


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


def mutated(data, spots, draw):
    """Some bytes, of which a few at some places were changed or taken away."""
    data = bytearray(data)
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
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_weights_with_a_matching_digest(tmp_path, small_bytes, seed):
    draw, spots = random.Random(seed), [at for at in places(small_bytes) if at < len(small_bytes)]
    good = json.dumps(tiny.manifest(small_bytes))
    old = hashlib.sha256(small_bytes).hexdigest()
    tmp_path.joinpath("b").mkdir()
    for _ in range(600):
        data = mutated(small_bytes, spots, draw)
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


# The part that judges pages


def pages_refused(folder, match=PAGE_WEIGHTS):
    """A page is refused, and text is cleaned all the same."""
    cleaner = Cleaner.load(folder)
    with pytest.raises(ModelError, match=match):
        cleaner.clean_html(PAGE)
    assert cleaner.clean(SAMPLE).lines


def test_a_bundle_that_judges_text_only_says_so_when_a_page_comes(tmp_path, small_bytes):
    pages_refused(tiny.write_bundle(tmp_path, small_bytes), r"judges text only: pages\.npz is not part of it")


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "noise", "huge"])
def test_a_file_of_pages_that_is_not_one(tmp_path, small_bytes, small_pages, kind):
    folder = tiny.write_bundle(tmp_path, small_bytes, tiny.npz(small_pages))
    file = folder / PAGE_WEIGHTS
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind == "huge":
        with file.open("wb") as stream:
            stream.truncate(MAX_ARRAY_BYTES + 1)
    elif kind != "missing":
        file.write_bytes(b"" if kind == "empty" else random.Random(1).randbytes(5000))
    pages_refused(folder)


@pytest.mark.parametrize("value", [None, 5, "0" * 64, [], {}])
def test_a_digest_of_pages_that_does_not_match(tmp_path, small_bytes, small_pages, value):
    files = {WEIGHTS: hashlib.sha256(small_bytes).hexdigest(), PAGE_WEIGHTS: value}
    pages_refused(tiny.write_bundle(tmp_path, small_bytes, tiny.npz(small_pages), files=files), "digest")


@pytest.mark.parametrize("array", [array for name, array in ARRAYS.items() if name != "missing"])
def test_path_weights_that_do_not_fit(tmp_path, small_bytes, small_pages, array):
    pages_refused(tiny.write_bundle(tmp_path, small_bytes, tiny.npz(small_pages | {"path_weights": array})))


@pytest.mark.parametrize("name", [name for name in tiny.page_arrays(1) if name != "path_weights"])
@pytest.mark.parametrize("wrong", WRONG)
def test_any_array_of_pages_that_does_not_fit(tmp_path, small_bytes, small_pages, name, wrong):
    pages_refused(tiny.write_bundle(tmp_path, small_bytes, with_wrong(small_pages, name, WRONG[wrong])))


def test_pages_that_belong_to_another_text_model(tmp_path, small_bytes):
    pages_refused(tiny.write_bundle(tmp_path, small_bytes, tiny.npz(tiny.page_arrays(2))))


@pytest.mark.parametrize("prefix", ["first_", "second_"])
@pytest.mark.parametrize("points", [[1.0, 0.0], [-1.0, 1.0], [0.0, 7.0]])
def test_a_calibration_of_pages_that_is_none(tmp_path, small_bytes, small_pages, prefix, points):
    pages = small_pages | {f"{prefix}score_to": np.array(points)}
    pages_refused(tiny.write_bundle(tmp_path, small_bytes, tiny.npz(pages)))


def test_weights_as_large_as_they_may_be_give_scores(tmp_path, small_bytes, small_pages):
    draw = np.random.default_rng(1)
    for name, array in small_pages.items():
        if array.dtype.kind == "f" and "score" not in name:
            large = draw.choice([-bundle.LARGEST_WEIGHT, bundle.LARGEST_WEIGHT], array.shape).astype(array.dtype)
            assert not read_or_refuse(
                tiny.write_bundle(tmp_path, small_bytes, tiny.npz(small_pages | {name: large})), PAGE
            )


def test_pickles_are_never_read_when_a_page_comes(tmp_path, small_bytes, small_pages):
    Bomb.trace = tmp_path / "trace"
    objects = np.empty(1, object)
    objects[0] = Bomb()
    pickled = pickle.dumps(Bomb())
    pages_refused(tiny.write_bundle(tmp_path / "b", small_bytes, tiny.npz(small_pages | {"path_units": objects})))
    pages_refused(tiny.write_bundle(tmp_path / "b", small_bytes, pickled))
    members = [*members_of(tiny.npz(small_pages)), ("extra.npy", pickled)]
    pages_refused(tiny.write_bundle(tmp_path / "b", small_bytes, zipped(members)))
    assert not Bomb.trace.exists()


def test_truncated_pages(tmp_path, small_bytes, small_pages):
    data = tiny.npz(small_pages)
    for size in [*range(0, 400, 61), *range(400, len(data), 19_973), *range(len(data) - 1500, len(data), 97)]:
        assert read_or_refuse(tiny.write_bundle(tmp_path, small_bytes, data[:size]), PAGE), size


@pytest.mark.parametrize("seed", range(2))
def test_mutated_pages_with_a_matching_digest(tmp_path, small_bytes, small_pages, seed):
    draw, data = random.Random(seed), tiny.npz(small_pages)
    spots = [at for at in places(data) if at < len(data)]
    refusals = sum(
        read_or_refuse(tiny.write_bundle(tmp_path, small_bytes, mutated(data, spots, draw)), PAGE) for _ in range(150)
    )
    assert 0 < refusals < 150
