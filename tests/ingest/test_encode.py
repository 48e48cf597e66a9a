"""What goes in as records comes out as records: fields that are not cleaned are not touched, and no name is trusted."""

import gzip
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from fastwarc import warc
from hypothesis import given
from hypothesis import strategies as st

from cleaner.errors import OptionError
from cleaner.ingest.arrow import ERROR, Request
from cleaner.ingest.encode import Target, encoded, encoded_rows, read_items, read_lines, with_fields
from cleaner.ingest.records import Item

REQUEST = Request()
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def through(*lines, request=REQUEST, target=None):
    """Lines through a job that cleans nothing."""
    lines, bad = read_lines(list(lines), request)
    told = [fields | {request.text: text} for fields, text in zip(lines.fields, lines.texts, strict=True)]
    return encoded(target or Target(), told, request), bad


@given(st.dictionaries(st.text(), ANY_JSON, max_size=5), st.text(st.characters(exclude_categories=["Cs"])))
def test_every_other_field_comes_out_as_it_came(fields, text):
    fields = {**fields, "text": text}
    out, bad = through(json.dumps(fields).encode())
    assert bad == [] and json.loads(out) == fields and out.count(b"\n") == 1


@pytest.mark.parametrize(
    "value", ["1.50", "1e5", "-0", '"\\u00e9\\/"', "[1,  2]", '{"a" :\t1}', "12345678901234567890123", "true"]
)
def test_values_are_the_same_bytes(value):
    out, _ = through(f'{{ "text" : "a" ,"v":{value}, "w": null}}'.encode())
    assert out == f'{{"text":"a","v":{value},"w":null}}\n'.encode()


def test_what_only_the_standard_library_reads_is_read():
    out, bad = through(b'{"text": "a \\ud800 b", "n": NaN, "k\\udc00": "\\ud83d"}')
    assert bad == []
    assert json.loads(out, parse_constant=str) == {"text": "a \ufffd b", "n": "NaN", "k\udc00": "\ud83d"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "no field 'text'"),
        (b'{"text": 1}', "field 'text' is not a string"),
        (b'{"text": "a"}}', "not JSON"),
        (b'{"text": "\xff"}', "not UTF-8 at byte 11"),
        (b'{"text": ' + b"[" * 90_000, "not JSON that can be read"),
        (b'{"text": "x", "y": ' + b"[" * 90_000 + b"]" * 90_000 + b"}", "not JSON that can be read"),
    ],
)
def test_what_is_no_record_is_said(line, reason):
    out, bad = through(b'{"text": "good"}', line)
    assert out == b'{"text":"good"}\n'
    ((number, said),) = bad
    assert number == 1 and said.startswith(reason)


def test_fields_have_a_column_where_there_are_columns():
    lines, _ = read_lines([b'{"text": "a", "url": "u", "n": [1.50]}'], REQUEST)
    assert lines.texts == ["a"] and lines.urls == ["u"]
    assert with_fields(lines.fields, REQUEST).to_pylist() == [{"text": None, "fields": '{"url":"u","n":[1.50]}'}]


def names(*ids):
    files, _ = through(*(json.dumps({"id": one, "text": "a"}).encode() for one in ids), target=Target("text"))
    return [stem for stem, _ in files]


def test_names_of_files_are_safe():
    hostile = [
        "../../x",
        "/etc/passwd",
        "a\0b",
        "a\nb",
        "x" * 5000,
        "..",
        ".",
        "",
        "~",
        "-rf",
        "CON",
        "é" * 300,
        "a/",
        "\\\\a\\b",
        "😀",
    ]
    for stem in names(*hostile):
        name = f"000000-{stem}.txt"
        assert len(name.encode()) < 256 and "/" not in name and "\0" not in name and name.isprintable(), name
        assert stem == "" or stem.replace("-", "a").replace("_", "a").isalnum()
    assert names("bridge", 7, None, "https://a.example/b/c.html?d") == ["bridge", "7", "", "c"]


def rows(**columns):
    return pa.record_batch({"text": ["a"], **columns})


def test_rows_become_records_whatever_they_hold():
    batch = rows(
        nested=pa.array([[{"a": b"x"}]]),
        when=pa.array([datetime(2024, 1, 2, tzinfo=UTC)]),
        fine=pa.array([1], pa.timestamp("ns")),
        finer=pa.array([1], pa.time64("ns")),
        took=pa.array([1], pa.duration("ns")),
        exact=pa.array([Decimal("1.10")]),
        none=pa.array([None], pa.null()),
        odd=pa.array([float("nan")]),
        pairs=pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        view=pa.array(["v"], pa.string_view()),
        word=pa.array(["w"]).dictionary_encode(),
    )
    (row,) = map(json.loads, encoded_rows(Target(), batch, REQUEST).splitlines())
    assert (
        row["exact"] == "1.10"
        and row["pairs"] == {"k": 1}
        and row["odd"] is None
        and row["when"].startswith("2024-01-02")
    )
    assert row["fine"].endswith("00.000000001") and row["view"] == "v" and row["word"] == "w"


@pytest.mark.parametrize("compression", ["", "gz"])
def test_captures_can_be_read_again_and_one_by_one(compression):
    found = [
        Item(n, n, b"x", None, {"id": f"urn:uuid:{n}", "url": url, "date": "2024-05-01T08:00:00Z"})
        for n, url in enumerate(["https://a.example/1", "https://a.example/\r\nWARC-Type: evil\0", None])
    ]
    batch = read_items(found, REQUEST)
    batch = batch.set_column(batch.schema.get_field_index("text"), "text", pa.array(["first\nline", "", "third"]))
    data = encoded_rows(Target("warc", compression), batch, REQUEST)
    read = [
        (
            one.headers.get("WARC-Target-URI"),
            one.record_date,
            one.reader.read(),
        )
        for one in warc.ArchiveIterator(io.BytesIO(data), record_types=warc.WarcRecordType.conversion)
    ]
    assert [text for *_, text in read] == [b"first\nline\n", b"\n", b"third\n"]
    assert read[0][0] == "https://a.example/1" and "evil" in read[1][0] and read[2][0] is None
    assert {date.isoformat()[:19] for _, date, _ in read} == {"2024-05-01T08:00:00"}
    if compression:
        assert data.count(b"\x1f\x8b\x08") == 3 and gzip.decompress(data).count(b"WARC/1.1") == 3


def test_targets_that_cannot_be_written_are_refused():
    for wrong in (("csv", ""), ("parquet", "gz"), ("warc", "zst"), ("jsonl", "rar")):
        with pytest.raises(OptionError, match=r"cannot write|compressed"):
            Target(*wrong)


def test_surrogates_in_the_names_of_files_do_not_matter():
    batch = read_items([Item(0, 1, b"x", None, {"path": "a\udc80.txt"})], REQUEST)
    assert batch.column("path").to_pylist() == ["a\ufffd.txt"]
    assert ERROR not in batch.schema.names
