"""Names, folders, patterns and URLs → files, in one order; what is no input is refused by name."""

import gzip
import io
import os

import fsspec
import pytest

from cleaner.errors import InputError, OptionError
from cleaner.ingest.sources import find_sources, format_of, unpacked


def names(*inputs, **more):
    return [source.name.rpartition("/")[2] for source in find_sources(map(str, inputs), **more)]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a.jsonl", ("jsonl", "")),
        ("a.NDJSON.GZ", ("jsonl", "gz")),
        ("a.warc.zst", ("warc", "zst")),
        ("a.parquet", ("parquet", "")),
        ("a.html.xz", ("file", "xz")),
        ("a.bz2", (None, "bz2")),
        ("noname", (None, "")),
        ("https://a.example/x.jsonl.gz?key=a.b", ("jsonl", "gz")),
        ("what?.jsonl", ("jsonl", "")),
    ],
)
def test_names_tell_what_files_hold(name, told):
    assert format_of(name) == told


def test_folders_are_walked_in_order_without_what_jobs_leave(tmp_path):
    for name in (
        "b.jsonl",
        "a/z.txt",
        ".job/1.jsonl",
        "_errors.jsonl",
        "a/_summary.json",
        "a/.x/y.txt",
        "note.pdf",
        "_old/q.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    assert names(tmp_path) == ["z.txt", "b.jsonl"]
    assert names(tmp_path, tmp_path / "b.jsonl") == ["z.txt", "b.jsonl"]
    assert names(f"{tmp_path}/**/*.jsonl") == ["b.jsonl"]
    assert names(f"{tmp_path}/_*.jsonl") == ["_errors.jsonl"]
    (tmp_path / "out").mkdir()
    (tmp_path / "out/part-00000.jsonl").write_text("x", encoding="utf-8")
    assert names(tmp_path, without=f"{tmp_path}/out") == ["z.txt", "b.jsonl"]
    assert names(f"{tmp_path}/*/*", without=f"{tmp_path}/out", given="file") == ["q.txt", "z.txt"]


def test_a_file_with_two_names_is_read_once_by_the_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("d/a.jsonl", "d/b.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "link.jsonl").symlink_to("d/b.jsonl")
    os.mkfifo(tmp_path / "pipe")

    def found(*inputs):
        return [source.name for source in find_sources(inputs, once=True)]

    assert found("d", "./d/a.jsonl", f"{tmp_path}/d/*.jsonl", "link.jsonl") == ["d/a.jsonl", "d/b.jsonl"]
    assert found("link.jsonl", "d/../d/b.jsonl", "d") == ["link.jsonl", "d/a.jsonl"]
    assert found(f"file://{tmp_path}/d/b.jsonl", "d") == [f"file://{tmp_path}/d/b.jsonl", "d/a.jsonl"]
    (tmp_path / "-").write_text("x", encoding="utf-8")
    with pytest.raises(OptionError, match="JSON Lines only"):
        find_sources(["pipe"], "warc", once=True)
    assert [s.name for s in find_sources(["pipe", "-", "./pipe", "-", "./-"], "jsonl", once=True)] == [
        "pipe",
        "<stdin>",
        "./-",
    ]


def test_a_name_with_the_signs_of_a_pattern_is_a_name_first(tmp_path):
    (tmp_path / "[1].jsonl").write_text("x", encoding="utf-8")
    assert names(tmp_path / "[1].jsonl") == ["[1].jsonl"]


def test_what_is_no_input_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "what.bin").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe.jsonl")
    for name, said in {
        "none.jsonl": "No such file",
        "*.none": "no files of documents",
        "empty": "no files of documents",
        "what.bin": "say so with --from",
        "pipe.jsonl": "no regular file",
        "nul\0.jsonl": "null character",
    }.items():
        with pytest.raises(InputError, match=said):
            names(tmp_path / name)
    with pytest.raises(OptionError, match="clean -f jsonl"):
        names("-")
    assert names(tmp_path / "what.bin", given="jsonl") == ["what.bin"]


def test_a_stamp_changes_with_the_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 10)
    (before,) = find_sources([str(path)])
    assert [before] == find_sources([str(path)])
    path.write_bytes(b"x" * 9 + b"y")
    os.utime(path, ns=(1, 1))
    assert find_sources([str(path)])[0].stamp != before.stamp


def test_urls_are_files_too(tmp_path):
    fs = fsspec.filesystem("memory")
    for name in ("/job/a.jsonl", "/job/_x/b.jsonl", "/job/c/d.txt.gz"):
        fs.pipe(name, b"x" * 7)
    try:
        assert [(s.name, s.size) for s in find_sources(["memory://job"])] == [
            ("memory:///job/a.jsonl", 7),
            ("memory:///job/c/d.txt.gz", 7),
        ]
        assert names("memory://job/*.jsonl") == ["a.jsonl"]
        with pytest.raises(InputError, match=r"memory://job/no\.jsonl"):
            names("memory://job/no.jsonl")
    finally:
        fs.rm("/job", recursive=True)
    (tmp_path / "a.jsonl").write_bytes(b"x")
    assert names(f"file://{tmp_path}/a.jsonl") == ["a.jsonl"]
    with pytest.raises(OptionError, match="nothing"):
        names("nothing://at/all.jsonl")


def test_what_is_read_once_may_be_a_stream(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.jsonl").write_bytes(b"x")
    assert names("-", tmp_path / "pipe", tmp_path / "a.jsonl", "-", once=True) == ["<stdin>", "pipe", "a.jsonl"]
    (stream,) = find_sources(["-"], once=True)
    for data in (b"one\ntwo\n", gzip.compress(b"one\ntwo\n"), b"", b"\x1f"):
        expected = b"one\ntwo\n" if len(data) > 1 else data
        assert unpacked(stream, io.BytesIO(data)).read() == expected
