"""What stands elsewhere is held by one job at a time, and is whole whenever the job that writes it dies."""

import json
import os
import re
import subprocess
import sys
import tempfile
from errno import EXDEV
from pathlib import Path

import frail
import fsspec
import pyarrow as pa
import pytest

from cleaner.errors import OptionError, OutputError
from cleaner.ingest.encode import Target
from cleaner.ingest.holder import Holder
from cleaner.ingest.places import LOCK, STATE, parted, place_of
from cleaner.ingest.records import Position, Refused
from cleaner.ingest.shards import Folder, Marker

BATCH = pa.record_batch({"text": ["a", "b"], "n": [1, 2]})
SHARDS = 3
DATA = {
    "jsonl": [b"one\n", b"", b"three\n"],
    "parquet": [BATCH, BATCH.slice(0, 0), BATCH.slice(1)],
    "text": [[("a", b"x"), ("b", b"y")], [], [("", b"z")]],
}
TARGETS = [Target(), Target("parquet"), Target("text")]


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The folder behind frail://, and one of our own for what jobs make on this machine."""
    monkeypatch.setenv(frail.ROOT, str(tmp_path / "store"))
    monkeypatch.delenv(frail.LEFT, raising=False)
    monkeypatch.setenv(frail.THEN, "")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    yield tmp_path / "store"
    assert not list((tmp_path / "tmp").iterdir())


@pytest.fixture
def memory():
    fs = fsspec.filesystem("memory")
    yield fs
    fs.rm("/places", recursive=True)


def little_job(name, target):
    """What a job does to its folder; goes on where one was before."""
    folder = Folder(name, target)
    with folder.held():
        folder.check_errors()
        if folder.plan() is None:
            folder.write_plan({"what": "was asked for"})
        for number in range(len(folder.markers()), SHARDS):
            shard = folder.shard(number)
            shard.add(DATA[target.format][number])
            shard.refuse(Refused("a.jsonl", number, 1, "why", b"raw"))
            shard.finish()
            folder.commit(number, Marker(Position(0, number, 1), int(number != 1), 1, [], {}))
        folder.gather_errors(SHARDS)
        folder.write("_summary.json", "{}\n")


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def outcome(folder):
    """What a job has left: not the file that the system locks, and no folder that is empty."""
    return {name: data for name, data in files(folder).items() if name != LOCK}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.format)
def test_a_folder_elsewhere_is_that_of_this_machine(store, tmp_path, memory, target):
    little_job(str(tmp_path / "out"), target)
    little_job("frail://bucket/out/", target)
    little_job("memory://places/out", target)
    wanted = outcome(tmp_path / "out")
    assert len(wanted) > 2 * SHARDS
    assert files(store / "bucket/out") == wanted
    assert {name.removeprefix("/places/out/"): memory.cat(name) for name in memory.find("/places")} == wanted


def end_of(name, target):
    """How a job ends: by itself, by its death, or by an error."""
    try:
        little_job(name, target)
    except (frail.Death, OutputError) as error:
        return str(error)
    return "whole"


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.format)
@pytest.mark.parametrize("then", ["die", "fail", "fail once"])
def test_a_job_may_end_at_every_write_and_goes_on_to_the_same_bytes(store, monkeypatch, target, then):
    little_job("frail://whole", target)
    wanted, writes = files(store / "whole"), 0
    monkeypatch.setenv(frail.THEN, then)
    while True:
        out = f"out{writes}"
        monkeypatch.setenv(frail.LEFT, str(writes))
        said = end_of(f"frail://{out}", target)
        # Every error names what could not be written.
        assert re.fullmatch(rf"whole|dead|cannot write frail://{out}/\S+: no room in the store", said)
        assert all(json.loads(marker.read_bytes()) for marker in (store / out / STATE).glob("?????.json"))
        ended = os.environ.get(frail.LEFT, "0") == "0"
        monkeypatch.delenv(frail.LEFT, raising=False)
        little_job(f"frail://{out}", target)
        assert files(store / out) == wanted
        writes += 1
        if not ended:
            break
    assert writes > 4 * SHARDS


def test_shards_of_an_interrupted_run_are_replaced_whole(store):
    """Texts are numbered as they come; one that another run has put there must not stay beside."""
    (store / "out/part-00000").mkdir(parents=True)
    (store / "out/part-00000/000007-other.txt").write_bytes(b"left")
    (store / "out" / STATE).mkdir()
    (store / "out" / STATE / "00000.errors.jsonl").write_bytes(b"")
    little_job("frail://out", Target("text"))
    assert sorted(path.name for path in (store / "out/part-00000").iterdir()) == ["000000-a.txt", "000001-b.txt"]


def test_markers_elsewhere_are_believed_when_all_they_speak_of_is_there(store):
    little_job("frail://out", Target())
    folder = Folder("frail://out", Target())
    assert len(folder.markers()) == SHARDS
    (store / "out/part-00002.jsonl").unlink()
    assert len(folder.markers()) == 2
    (store / "out" / STATE / "00001.json").write_bytes(b"{")
    assert len(folder.markers()) == 1
    (store / "out" / STATE / "00000.errors.jsonl").unlink()
    assert folder.markers() == []
    (store / "out" / STATE / "job.json").write_bytes(b"\xff")
    with pytest.raises(OutputError, match=r"frail://out/\.job/job\.json is damaged"):
        folder.plan()


@pytest.mark.parametrize("then", ["", "no create"])
def test_one_job_at_a_time_elsewhere_too(store, monkeypatch, then):
    monkeypatch.setenv(frail.THEN, then)
    with Folder("frail://out", Target()).held():
        told = Holder.from_bytes((store / "out" / LOCK).read_bytes())
        assert (told.host, told.process) == (os.uname().nodename, os.getpid())
        said = rf"being written by another job \(process {os.getpid()} on .*dead, delete frail://out/\.job/lock"
        with pytest.raises(OutputError, match=said), Folder("frail://out", Target()).held():
            pass
    assert not (store / "out" / LOCK).exists()
    with Folder("frail://out", Target()).held():
        pass


@pytest.fixture
def dead_process():
    """One that has ended, as it was told of while it lived."""
    program = "import sys; from pathlib import Path; from cleaner.ingest.holder import Holder;"
    program += "sys.stdout.buffer.write(Holder.here(Path(sys.argv[1])).as_bytes())"
    left = Path(tempfile.mkdtemp(prefix="clean-job-"))
    done = subprocess.run([sys.executable, "-c", program, left], capture_output=True, check=True)
    return json.loads(done.stdout)


def test_a_lock_of_a_dead_process_of_this_machine_is_taken_over_and_what_it_made_goes_away(store, dead_process):
    lock = store / "out" / LOCK
    lock.parent.mkdir(parents=True)
    lock.write_text(json.dumps(dead_process), encoding="utf-8")
    (Path(dead_process["work"]) / "part-00000.jsonl.tmp").write_bytes(b"half")
    with Folder("frail://out", Target()).held():
        assert Holder.from_bytes(lock.read_bytes()).process == os.getpid()
        assert not Path(dead_process["work"]).exists()


def test_a_lock_of_which_nobody_here_can_know_is_refused(store, dead_process):
    lock = store / "out" / LOCK
    lock.parent.mkdir(parents=True)
    alive = json.loads(Holder.here(Path(tempfile.gettempdir())).as_bytes())
    for told in (
        json.dumps(dead_process | {"space": "another", "host": "far.example"}),
        json.dumps(dead_process | {"space": ""}),
        json.dumps(alive),
        "",
        "{}",
        "[1]",
    ):
        lock.write_text(told, encoding="utf-8")
        with pytest.raises(OutputError, match=r"When that job is dead, delete frail://out/\.job/lock"):
            little_job("frail://out", Target())
        assert lock.read_text(encoding="utf-8") == told
    Path(dead_process["work"]).rmdir()


def test_what_a_lock_names_is_taken_away_only_where_jobs_make_things(store, tmp_path, dead_process):
    lock = store / "out" / LOCK
    lock.parent.mkdir(parents=True)
    (tmp_path / "clean-job-mine").mkdir()
    Path(dead_process["work"]).rmdir()
    for work in (tmp_path / "clean-job-mine", tmp_path / "tmp", tmp_path / "tmp/clean-job-x/.."):
        lock.write_text(json.dumps(dead_process | {"work": str(work)}), encoding="utf-8")
        with Folder("frail://out", Target()).held():
            pass
    assert (tmp_path / "clean-job-mine").exists() and (tmp_path / "tmp").exists()


def test_a_process_that_the_system_hides_is_not_dead(dead_process, monkeypatch):
    def refuse(process, _signal):
        raise PermissionError(1, "not yours", str(process))

    holder = Holder.from_bytes(json.dumps(dead_process).encode())
    assert holder.is_dead
    monkeypatch.setattr("os.kill", refuse)
    assert not holder.is_dead


def test_a_process_that_has_ended_is_dead_though_its_number_is_used_again(dead_process):
    here = json.loads(Holder.here(Path(dead_process["work"])).as_bytes())
    holder = lambda **more: Holder.from_bytes(json.dumps(here | more).encode())  # noqa: E731
    assert not holder().is_dead
    assert holder(started="1").is_dead
    assert holder(process=dead_process["process"], started=dead_process["started"]).is_dead
    Path(dead_process["work"]).rmdir()
    assert holder().is_dead  # it is this process, which has let go of it


def test_who_was_taken_for_dead_writes_no_more(store):
    folder = Folder("frail://out", Target())
    with folder.held():
        folder.write_plan({"mine": 1})
        (store / "out" / LOCK).write_bytes(Holder.here(Path("/elsewhere")).as_bytes())
        with pytest.raises(OutputError, match="another job"):
            folder.write_plan({"mine": 2})
        (store / "out" / LOCK).unlink()
        with pytest.raises(OutputError, match="another job"):
            folder.write_plan({"mine": 2})
        (store / "out" / LOCK).write_bytes(b"another")
    assert json.loads((store / "out" / STATE / "job.json").read_bytes()) == {"mine": 1}
    assert (store / "out" / LOCK).read_bytes() == b"another"


def test_a_folder_elsewhere_that_is_no_jobs_is_left_alone(store):
    (store / "out").mkdir(parents=True)
    (store / "out/mine.txt").write_bytes(b"mine")
    with pytest.raises(OutputError, match="frail://out holds files that no job has written"):
        little_job("frail://out", Target())
    assert files(store) == {"out/mine.txt": b"mine"}


@pytest.mark.usefixtures("store")
def test_a_url_that_is_no_folder_is_refused():
    for url, said in {"frail://out/*": "is a pattern", "nothing://out": "nothing"}.items():
        with pytest.raises(OptionError, match=said):
            place_of(url)
    for url in ("frail://errors.jsonl", "frail://errors/"):
        with pytest.raises(OptionError, match="names no file"):
            parted(url)


def test_a_url_of_this_machine_is_a_folder_of_this_machine(tmp_path):
    little_job(f"file://{tmp_path}/out", Target())
    little_job(str(tmp_path / "other"), Target())
    assert files(tmp_path / "out") == files(tmp_path / "other")
    assert (tmp_path / "out" / LOCK).exists()


def test_errors_may_stand_elsewhere(store, tmp_path):
    (tmp_path / "errors").mkdir()
    for name, path in {
        "frail://errors/e.jsonl": store / "errors/e.jsonl",
        str(tmp_path / "errors/e.jsonl"): tmp_path / "errors/e.jsonl",
        f"file://{tmp_path}/errors/f.jsonl": tmp_path / "errors/f.jsonl",
    }.items():
        little_job("frail://out", Target())
        folder = Folder("frail://out", Target())
        with folder.held():
            folder.check_errors(name)
            folder.gather_errors(SHARDS, name)
        assert path.read_bytes() == (store / "out/_errors.jsonl").read_bytes()
    assert len(files(tmp_path / "errors")) == 2 and len(files(store / "errors")) == 1


def test_errors_come_to_another_disk_and_nothing_of_a_killed_run_stays_there(tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    (tmp_path / "e.jsonl").write_bytes(b"before")
    made = tmp_path / "made"
    made.write_bytes(b"errors")
    real = Path.replace

    def replace(self, target):
        if self == made:
            raise OSError(EXDEV, "Invalid cross-device link")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    place, name = parted(str(tmp_path / "e.jsonl"))
    (tmp_path / ".e.jsonl.tmp").write_bytes(b"left by a killed run")
    place.check(name)
    assert sorted(files(tmp_path)) == ["e.jsonl", "made"]
    place.put(made, name)
    assert files(tmp_path) == {"e.jsonl": b"errors"}


def test_errors_are_made_in_the_state_where_the_next_run_clears_them(tmp_path, monkeypatch):
    folder = Folder(str(tmp_path / "out"), Target())
    with folder.held():
        monkeypatch.setattr("cleaner.ingest.places.put_in_place", lambda *_: (_ for _ in ()).throw(frail.Death))
        with pytest.raises(frail.Death):
            folder.gather_errors(0, str(tmp_path / "e.jsonl"))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert list((tmp_path / "out" / STATE).glob("*.tmp"))
    with folder.held():
        assert not list((tmp_path / "out" / STATE).glob("*.tmp"))


def test_without_fsspec_the_extra_is_named(monkeypatch):
    from cleaner.ingest.needs import needed

    needed.cache_clear()
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(OptionError, match=r"article-cleaner\[remote\]"):
        Folder("s3://bucket/out", Target())
    needed.cache_clear()
    Folder("file:///somewhere", Target())
