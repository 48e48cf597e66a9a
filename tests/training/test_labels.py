"""Annotations are keyed by hashes, read strictly, and count beyond their page only when nobody disagrees."""

import json

import pytest

from cleaner.document import Kind
from cleaner.errors import InputError
from cleaner.training.labels import line_hash, read_annotations


def write(path, *rows):
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def row(line, kind, page="a/1"):
    return {"hash": line_hash(line), "page": page, "kind": kind}


def test_hashes():
    assert line_hash("Advertisement") == line_hash("ADVERTISEMENT") == line_hash("- advertisement")
    assert line_hash("Advertisement") != line_hash("Advertisements")
    assert line_hash("-") != line_hash("*")
    assert len(line_hash("half \ud83d")) == 16


def test_boilerplate_counts_everywhere_and_content_on_its_page(tmp_path):
    file = write(
        tmp_path / "a.jsonl", row("Share", "sharing"), row("He sang.", "content"), row("Rain", "headline", "a/2")
    )
    read = read_annotations(file)
    assert read.kind("a/1", "share") is Kind.SHARING
    assert read.kind("b/9", "• Share") is Kind.SHARING
    assert read.kind("a/1", "He sang.") is Kind.CONTENT
    assert read.kind("b/9", "He sang.") is None
    assert read.kind("a/1", "Storm") is None


def test_a_line_that_readers_call_differently_counts_on_its_pages_only(tmp_path):
    read = read_annotations(write(tmp_path / "a.jsonl", row("Share", "sharing"), row("Share", "navigation", "a/2")))
    assert read.kind("a/1", "Share") is Kind.SHARING
    assert read.kind("a/2", "Share") is Kind.NAVIGATION
    assert read.kind("a/3", "Share") is None


@pytest.mark.parametrize(
    "bad", ["{", "", "[1]", "5", "null", '{"hash": "x"}', json.dumps(row("x", "weather")), json.dumps(row("x", []))]
)
def test_a_line_that_is_no_annotation_is_named(tmp_path, bad):
    file = write(tmp_path / "a.jsonl", row("Share", "sharing"), bad)
    with pytest.raises(InputError, match="line 2"):
        read_annotations(file)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError):
        read_annotations(tmp_path / "missing.jsonl")
    (tmp_path / "a.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError):
        read_annotations(tmp_path / "a.jsonl")
