"""A folder is written by one job at a time, shards are whole or not there, a marker that lies is not believed."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleaner.errors import OutputError
from cleaner.ingest.encode import Target
from cleaner.ingest.places import STATE
from cleaner.ingest.records import Position, Refused
from cleaner.ingest.shards import Folder, Marker

BATCH = pa.record_batch({"text": ["a", "b"], "n": [1, 2]})


def marker(documents=1, source=0):
    return Marker(Position(source, 5, 6), documents, 1, ["torn.gz"], {"version": 1})


def at(folder, *names):
    return Path(folder.name, *names)


def write(folder, number, *data, refused=()):
    shard = folder.shard(number)
    for one in data:
        shard.add(one)
    for one in refused:
        shard.refuse(one)
    shard.finish()


@pytest.fixture
def folder(tmp_path):
    folder = Folder(str(tmp_path / "out"), Target())
    with folder.held():
        yield folder


def test_nothing_is_seen_of_a_shard_before_it_is_whole(folder):
    shard = folder.shard(0)
    shard.add(b"one\n")
    assert sorted(path.name for path in at(folder).iterdir()) == [STATE]
    shard.finish()
    assert at(folder, "part-00000.jsonl").read_bytes() == b"one\n"
    assert folder.markers() == []
    folder.commit(0, marker())
    assert folder.markers() == [marker()]


@pytest.mark.parametrize(
    ("target", "name", "data"),
    [
        (Target(), "part-00000.jsonl", b"x"),
        (Target("parquet"), "part-00000.parquet", BATCH),
        (Target("text"), "part-00000", [("a", b"x")]),
    ],
)
def test_a_shard_without_documents_is_no_file_and_takes_an_older_one_away(tmp_path, target, name, data):
    folder = Folder(str(tmp_path), target)
    with folder.held():
        for _ in range(2):
            write(folder, 0, data)
            assert at(folder, name).exists()
        write(folder, 0)
        assert not at(folder, name).exists()
        assert not list(at(folder, STATE).glob("*.tmp"))


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b'{"after": [1]}', b'{"documents": 1}', b"\xff", b'"x"'])
def test_a_damaged_marker_is_none(folder, damage):
    for number in range(3):
        write(folder, number, b"x\n")
        folder.commit(number, marker(source=number))
    at(folder, STATE, "00001.json").write_bytes(damage)
    assert folder.markers() == [marker(source=0)]


def test_a_marker_of_a_shard_that_is_gone_is_none(folder):
    for number in range(3):
        write(folder, number, b"x\n")
        folder.commit(number, marker())
    at(folder, "part-00002.jsonl").unlink()
    assert len(folder.markers()) == 2
    at(folder, STATE, "00001.errors.jsonl").unlink()
    assert len(folder.markers()) == 1


def test_a_damaged_plan_is_named(folder):
    folder.write_plan({"a": 1})
    assert folder.plan() == {"a": 1}
    at(folder, STATE, "job.json").write_bytes(b"{")
    with pytest.raises(OutputError, match=r"job\.json is damaged"):
        folder.plan()


def test_one_job_at_a_time(folder):
    with pytest.raises(OutputError, match="another job"), Folder(folder.name, Target()).held():
        pass


def test_what_an_interrupted_job_left_is_taken_away(tmp_path):
    folder = Folder(str(tmp_path / "out"), Target("text"))
    with folder.held():
        shard = folder.shard(0)
        shard.add([("a", b"x")])
        shard.abandon()
        (folder.spills / "left").write_bytes(b"x")
        folder.write_plan({})
        at(folder, STATE, "link.tmp").symlink_to(tmp_path)
    with folder.held():
        assert sorted(path.name for path in at(folder, STATE).iterdir()) == ["job.json", "lock", "spills"]
        assert not any(folder.spills.iterdir())
    assert tmp_path.exists()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b"x"), "cannot write"),
        (lambda path: path.symlink_to("elsewhere"), "symbolic link"),
        (lambda path: path.mkdir() or (path / "mine.txt").write_bytes(b"x"), "no job has written"),
        (lambda path: path.mkdir() or (path / STATE).symlink_to("elsewhere"), "symbolic link"),
    ],
)
def test_a_place_that_is_no_jobs_is_left_alone(tmp_path, make, said):
    make(tmp_path / "out")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputError, match=said), Folder(str(tmp_path / "out"), Target()).held():
        pass
    assert sorted(tmp_path.rglob("*")) == before


def test_errors_hold_the_bytes_and_long_ones_are_moved_not_held(folder):
    spilled = folder.spills / "long"
    spilled.write_bytes(b"y" * 2_000_000)
    write(
        folder, 0, refused=[Refused("a\udc80", 1, 2, "why\n", b"\xff\0"), Refused("b", 3, 4, "long", spilled=spilled)]
    )
    assert not spilled.exists()
    elsewhere = at(folder).parent / "elsewhere.jsonl"
    for named, path in ((None, at(folder, "_errors.jsonl")), (str(elsewhere), elsewhere)):
        folder.check_errors(named)
        folder.gather_errors(1, named)
        first, second = path.read_bytes().splitlines()
        assert json.loads(first)["raw"] == "/wA=" and len(json.loads(second)["raw"]) > 2_600_000
    assert sorted(path.name for path in at(folder).parent.iterdir()) == ["elsewhere.jsonl", "out"]


def test_where_errors_cannot_be_written_is_known_before(folder, tmp_path):
    for path in (tmp_path / "none/errors.jsonl", tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(OutputError, match="cannot write"):
            folder.check_errors(str(path))
    folder.check_errors("/dev/null")
    write(folder, 0, refused=[Refused("a", 0, 1, "why")])
    folder.gather_errors(1, "/dev/null")
    assert Path("/dev/null").is_char_device()


def test_tables_are_written_in_groups_that_are_worth_reading(tmp_path, monkeypatch):
    monkeypatch.setattr("cleaner.ingest.shards._GROUP_ROWS", 5)
    folder = Folder(str(tmp_path / "out"), Target("parquet"))
    with folder.held():
        write(folder, 0, *[BATCH] * 4, BATCH.slice(0, 0))
    file = pq.ParquetFile(at(folder, "part-00000.parquet"))
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [6, 2]


@pytest.mark.parametrize("target", [Target(), Target("parquet"), Target("text")], ids=lambda target: target.format)
def test_a_full_disk_is_named(tmp_path, monkeypatch, target):
    folder = Folder(str(tmp_path / "out"), target)
    with folder.held():
        shard = folder.shard(0)
        shard.add({"jsonl": b"x", "parquet": BATCH, "text": [("a", b"x")]}[target.format])
        monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OutputError, match=r"cannot write .*No space left"):
            shard.finish()
        shard.abandon()
        assert not list(at(folder).glob("part-*"))
