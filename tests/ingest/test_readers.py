"""Reading goes on at any chunk as it would have gone on; no document is lost at a cut or behind a tear."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import random
from dataclasses import replace
from pathlib import Path

import job_corpus
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleaner.errors import InputError, OutputError
from cleaner.ingest import readers
from cleaner.ingest.readers import Limits, Reader
from cleaner.ingest.records import Item, Position
from cleaner.ingest.sources import find_sources

PACK = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd.compress}


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(readers, "CHUNK_DOCUMENTS", 4)
    monkeypatch.setattr(readers, "CHUNK_BYTES", 400)


@pytest.fixture
def inputs(tmp_path):
    """Files of every kind; some are damaged, one line is too long, two kinds stand beside each other."""
    lines = b"".join(b'{"text": "%d"}\r\n' % n for n in range(11)) + b"\n" + b"x" * 900 + b"\nlast line"
    for suffix, pack in PACK.items():
        (tmp_path / f"a.jsonl{suffix}").write_bytes(pack(b"\xef\xbb\xbf" + lines))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(job_corpus.line_of({"text": "x"}) * 300)[:-9])
    table = pa.table({"text": [f"text {n} " * n for n in range(23)], "n": list(range(23))})
    pq.write_table(table, tmp_path / "c.parquet", row_group_size=10)
    pq.write_table(table.rename_columns(["text", "m"]), tmp_path / "d.parquet", row_group_size=5)
    (tmp_path / "d2.parquet").write_bytes(b"PAR1 and nothing")
    captures = [job_corpus.capture_of(n, b"<html><p>%d</p></html>" % n * 9) for n in range(9)]
    captures[4] = captures[4].replace(b"text/html", b"image/png")
    for suffix, pack in PACK.items():
        (tmp_path / f"e.warc{suffix}").write_bytes(b"".join(map(pack, captures)))
    (tmp_path / "e2.warc.gz").write_bytes(gzip.compress(b"".join(captures)))
    (tmp_path / "f.warc").write_bytes(b"".join(captures)[:-40])
    (tmp_path / "g.warc.gz").write_bytes(b"".join(map(gzip.compress, captures))[:-30])
    damaged = bytearray(b"".join(map(gzip.compress, captures)))
    damaged[len(damaged) // 2] ^= 0xFF
    damaged[len(damaged) // 2 + 9] ^= 0xFF
    (tmp_path / "h.warc.gz").write_bytes(damaged)
    for name in ("i.txt", "j.html", "k.md", "l.txt", "m.html.gz", "n.txt"):
        (tmp_path / name).write_bytes(gzip.compress(name.encode()) if name.endswith(".gz") else name.encode() * 60)
    (tmp_path / "o.txt.gz").write_bytes(gzip.compress(b"o" * 50)[:-5])
    return tmp_path


def chunks_of(folder: Path, limits=Limits(600, 9), start=Position(), shard=0, one_schema=True):  # noqa: B008
    spills = folder / "spills"
    spills.mkdir(exist_ok=True)
    reader = Reader(find_sources([str(folder)]), limits, spills, one_schema=one_schema)
    return list(reader.chunks(start, shard))


def documents_of(chunk):
    """What a chunk holds, as it can be compared."""
    if isinstance(chunk.documents, list):
        own = [(item.offset, item.number, item.data, item.charset, item.fields) for item in chunk.documents]
    else:
        own = chunk.documents.to_pylist()
    refused = [
        (one.source, one.offset, one.number, one.reason, one.spilled.read_bytes() if one.spilled else one.raw, one.torn)
        for one in chunk.refused
    ]
    return chunk.source, own, refused, chunk.after, chunk.consumed, chunk.shard, chunk.ends_shard


def test_from_behind_every_chunk_reading_goes_on_as_before(inputs):
    whole = chunks_of(inputs)
    assert len(whole) > 30
    told = list(map(documents_of, whole))
    for place, chunk in enumerate(whole):
        if chunk.ends_shard:
            rest = chunks_of(inputs, start=chunk.after, shard=chunk.shard + 1)
            assert list(map(documents_of, rest)) == told[place + 1 :], chunk


@pytest.mark.parametrize(
    "suffix", [".jsonl.gz", ".jsonl.bz2", ".jsonl.xz", ".jsonl.zst", ".warc.gz", ".warc.bz2", ".warc.zst"]
)
def test_from_behind_every_chunk_in_front_of_damage_too(tmp_path, suffix):
    draw = random.Random(7)
    texts = [draw.randbytes(draw.randrange(90, 180)).hex() for _ in range(400)]
    kind, _, packing = suffix[1:].partition(".")
    parts = [
        b'{"text": "%s"}\n' % text.encode() if kind == "jsonl" else job_corpus.capture_of(n, text.encode())
        for n, text in enumerate(texts)
    ]
    pack = PACK[f".{packing}"]
    packed = b"".join(map(pack, parts)) if suffix == ".warc.gz" else pack(b"".join(parts))
    flipped = bytearray(packed)
    flipped[len(packed) * 3 // 5] ^= 0xFF
    (tmp_path / f"cut{suffix}").write_bytes(packed[: len(packed) * 2 // 3])
    (tmp_path / f"flipped{suffix}").write_bytes(flipped)
    limits = Limits(600, 60)
    whole = chunks_of(tmp_path, limits)
    # How far that is in the file is told by pieces that fastwarc reads, and is for the progress only.
    told = [documents_of(replace(chunk, consumed=0)) for chunk in whole]
    assert any(chunk.refused for chunk in whole)
    for place, chunk in enumerate(whole):
        if chunk.ends_shard:
            rest = chunks_of(tmp_path, limits, chunk.after, chunk.shard + 1)
            assert [documents_of(replace(chunk, consumed=0)) for chunk in rest] == told[place + 1 :], chunk


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=st.integers(1, 40), size=st.integers(1, 5000))
def test_cut_anywhere_the_documents_are_the_same(inputs, documents, size):
    def of(chunks):
        told = [documents_of(chunk) for chunk in chunks]
        return [one for _, own, refused, *_ in told for one in own], [
            one for _, _, refused, *_ in told for one in refused
        ]

    cut = chunks_of(inputs, Limits(600, documents, size))
    assert of(cut) == of(chunks_of(inputs, Limits(600, 10**6, 10**9)))
    shards = [chunk.shard for chunk in cut]
    assert shards == sorted(shards) and set(shards) == set(range(shards[-1] + 1))
    assert [chunk.ends_shard for chunk in cut] == [a != b for a, b in zip(shards, [*shards[1:], None], strict=True)]


def by_source(chunks):
    """The documents and the refusals of each file."""
    found = {}
    for chunk in chunks:
        for item in chunk.documents if isinstance(chunk.documents, list) else chunk.documents.to_pylist():
            name = item.fields["path"] if isinstance(item, Item) and "path" in item.fields else chunk.source
            found.setdefault(Path(name).name, ([], []))[0].append(item)
        for one in chunk.refused:
            found.setdefault(Path(one.source).name, ([], []))[1].append(one)
    return found


def test_nothing_is_lost_and_what_is_damaged_is_told(inputs):
    found = by_source(chunks_of(inputs))
    for suffix in PACK:
        items, refused = found[f"a.jsonl{suffix}"]
        assert [item.data for item in items] == [b'{"text": "%d"}' % n for n in range(11)] + [b"last line"]
        assert [item.number for item in items] == [*range(1, 12), 14]
        (long,) = refused
        assert (long.number, long.spilled.read_bytes(), long.torn) == (13, b"x" * 900, False)
        captures, none = found[f"e.warc{suffix}"]
        assert [item.fields["url"][-1] for item in captures] == list("01235678") and none == []
        assert captures[0].fields["date"] == "2024-05-01T08:00:00Z" and captures[0].charset == "utf-8"
    for name, good in {
        "b.jsonl.gz": None,
        "d2.parquet": 0,
        "f.warc": 7,
        "g.warc.gz": 7,
        "h.warc.gz": None,
        "o.txt.gz": 0,
    }.items():
        items, refused = found[name]
        assert good is None or len(items) == good, name
        assert [one.torn for one in refused] == [True], name
        assert refused[0].reason.startswith("cannot be read on: "), name
    assert found["f.warc"][1][0].raw.startswith(b"<html>")  # what there is of the last page
    assert [row["n"] for row in found["c.parquet"][0]] == list(range(23))
    assert set(found) >= {"i.txt", "j.html", "k.md", "l.txt", "m.html.gz", "n.txt"}


def test_whole_files_are_taken_together(inputs):
    chunks = [chunk for chunk in chunks_of(inputs) if chunk.format == "file"]
    assert max(map(len, chunks)) > 1
    reason = chunks[0].refuse(len(chunks[0]) - 1, "why")
    assert reason.source == chunks[0].documents[-1].fields["path"]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_line_that_is_too_long_is_spilled_without_its_end(tmp_path, end):
    (tmp_path / "a.jsonl").write_bytes(b"y" * 5000 + end.encode())
    (chunk,) = chunks_of(tmp_path, Limits(100))
    assert chunk.refused[0].spilled.read_bytes() == b"y" * 5000
    sink = io.BytesIO()
    chunk.refused[0].write_to(sink)
    assert json.loads(sink.getvalue())["reason"] == "longer than 100 bytes"


def test_lines_are_as_long_as_they_may_be(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"y" * 100 + b"\n" + b"z" * 101 + b"\n" + b"v\n")
    (chunk,) = chunks_of(tmp_path, Limits(100))
    assert [item.data for item in chunk.documents] == [b"y" * 100, b"v"]
    assert [one.number for one in chunk.refused] == [2]


def test_a_disk_that_is_full_is_no_fault_of_the_input(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"y" * 5000)
    reader = Reader(find_sources([str(tmp_path)]), Limits(100), Path("/dev/full/no"), one_schema=False)
    with pytest.raises(OutputError, match="cannot write"):
        list(reader.chunks(Position(), 0))


def test_what_the_system_does_not_let_us_read_ends_reading(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"{}")
    sources = find_sources([str(tmp_path)])
    (tmp_path / "a.jsonl").unlink()
    with pytest.raises(InputError, match=r"a\.jsonl.*No such file"):
        list(Reader(sources, Limits(), tmp_path, one_schema=False).chunks(Position(), 0))


def test_a_document_may_be_as_long_as_it_may_whatever_ends_its_line(tmp_path):
    lines = [
        b"a" * 40 + b"\n",
        b"b" * 40 + b"\r\n",
        b"c" * 40 + b"\r" + b"c" * 9 + b"\n",
        b"d" * 41 + b"\r\n",
        b"e" * 40,
    ]
    (tmp_path / "a.jsonl").write_bytes(b"".join(lines))
    chunks = chunks_of(tmp_path, Limits(40, 99))
    assert [item.data[:1] for chunk in chunks for item in chunk.documents] == [b"a", b"b", b"e"]
    refused = [one for chunk in chunks for one in chunk.refused]
    assert [one.spilled.read_bytes() for one in refused] == [b"c" * 40 + b"\r" + b"c" * 9, b"d" * 41]
    assert [one.offset for one in refused] == [83, 134]


def test_long_rows_are_sent_alone(tmp_path):
    pq.write_table(pa.table({"text": ["x" * 3000 + str(n) for n in range(20)]}), tmp_path / "a.parquet")
    sizes = [len(pickle.dumps(chunk.documents)) for chunk in chunks_of(tmp_path, Limits(9999, 99))]
    assert len(sizes) == 20 and max(sizes) < 6000
