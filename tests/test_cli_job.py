"""``clean job`` as its users meet it: files of every kind in and out, and everything that can go wrong with either."""

import bz2
import gzip
import json
import lzma
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import frail
import fsspec
import job_corpus
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tiny
from backports import zstd
from fastwarc import warc

from cleaner.cli import main
from cleaner.cli.job import most_errors_of, size_of

STORY = "The council met on Tuesday and voted for the bridge."
PAGE = f"<html><head><title>Bridge</title></head><body><p>{STORY}</p><p>zzadvert</p></body></html>"
TEXT = f"{STORY}\nzzadvert"
EVERYTHING = ("--tell", "kinds,quality,flags,metadata,removed")
SUFFIXES = {"jsonl": ".jsonl", "parquet": ".parquet", "warc": ".warc", "text": ""}
PACK = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd.compress}


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    return tiny.write_bundle(tmp_path_factory.mktemp("bundle") / "tiny-1")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder of its own, with nothing near; and what the command does to SIGTERM is undone."""
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def clean(bundle, capfd):
    """Run the job in this process; the workers are processes anyway."""

    def run(*arguments, code=0):
        got = main(["job", "--no-config", "--model", str(bundle), *map(str, arguments)])
        out, err = capfd.readouterr()
        assert out == "" and "Traceback" not in err, err
        assert got == code, err
        return err

    return run


def job_of(bundle, *arguments):
    """The command line of a job as a process of its own."""
    return [sys.executable, "-m", "cleaner", "job", "--no-config", "--model", str(bundle), *map(str, arguments)]


def lines(count, **more):
    return b"".join(job_corpus.line_of({"id": n, "text": f"{STORY}\nzzadvert {n}", **more}) for n in range(count))


@pytest.fixture
def mixed():
    """A folder with a file of every kind: two documents in each, one of the lines torn."""
    folder = Path("in")
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(lines(2) + b'{"torn"\n')
    (folder / "b.jsonl.zst").write_bytes(zstd.compress(lines(2)))
    pq.write_table(pa.table({"text": [TEXT, None], "n": [1, 2]}), folder / "c.parquet")
    captures = [job_corpus.capture_of(n, PAGE.encode()) for n in range(2)]
    (folder / "d.warc.gz").write_bytes(b"".join(map(gzip.compress, captures)))
    (folder / "e.txt").write_text(TEXT, encoding="utf-8")
    (folder / "f.html.gz").write_bytes(gzip.compress(PAGE.encode()))
    return folder


@pytest.mark.parametrize(
    ("to", "packed"),
    [
        ("jsonl", None),
        ("jsonl", "gz"),
        ("jsonl", "bz2"),
        ("jsonl", "xz"),
        ("jsonl", "zst"),
        ("parquet", None),
        ("warc", "gz"),
        ("text", None),
    ],
)
def test_anything_goes_to_anything(clean, mixed, to, packed):
    compress = ["--compress", packed] if packed else []
    said = clean(mixed, "-o", "out", "-t", to, *compress, *EVERYTHING, code=3)
    assert "9 documents cleaned, 1 set aside" in said
    texts = list(texts_of(Path("out"), to, packed))
    assert len(texts) == 10 and texts.count(STORY) == 9
    (error,) = map(json.loads, Path("out/_errors.jsonl").read_bytes().splitlines())
    assert (error["source"], error["number"], error["raw"]) == ("in/a.jsonl", 3, "eyJ0b3JuIg==")
    summary = json.loads(Path("out/_summary.json").read_text(encoding="utf-8"))
    told = summary["tally"]
    # One row has no document, and is written nonetheless.
    assert (told["documents"], told["errors"], summary["job"]["written"]) == (9, 1, 10)
    assert told["removed_by_kind"] == {"advert": 9}
    assert Path("out/_summary.html").read_text(encoding="utf-8").startswith("<!")
    assert sorted(path.name for path in Path("out/.job/spills").iterdir()) == []


def texts_of(output, to, packed):
    for path in sorted(output.glob("part-*")):
        if to == "text":
            yield from (one.read_text(encoding="utf-8").removesuffix("\n") for one in sorted(path.iterdir()))
        elif to == "parquet":
            yield from pq.read_table(path).column("text").to_pylist()
        elif to == "warc":
            yield from (record.reader.read().decode().removesuffix("\n") for record in captures_of(path))
        else:
            unpack = {
                None: bytes,
                "gz": gzip.decompress,
                "bz2": bz2.decompress,
                "xz": lzma.decompress,
                "zst": zstd.decompress,
            }
            yield from (json.loads(line)["text"] for line in unpack[packed](path.read_bytes()).splitlines())


def captures_of(path):
    with path.open("rb") as file:
        yield from warc.ArchiveIterator(file, record_types=warc.WarcRecordType.conversion)


def test_lines_keep_their_other_fields_byte_for_byte(clean):
    Path("a.jsonl").write_bytes(
        b'{"n": 1.50, "text": "%s", "big": 123456789012345678901234, "e": "\\u00e9",  "l": [1,  2]}\n'
        % TEXT.replace("\n", "\\n").encode()
    )
    clean("a.jsonl", "-o", "out", "--tell", "kinds")
    rest = '"big":123456789012345678901234,"e":"\\u00e9","l":[1,  2],"clean_kinds":{"advert":1}}'
    wanted = f'{{"n":1.50,"text":"{STORY}",{rest}\n'
    assert Path("out/part-00000.jsonl").read_text(encoding="utf-8") == wanted


def test_a_table_may_hold_no_document_at_all(clean):
    for name, texts in (("a", pa.array([TEXT])), ("b", pa.nulls(2)), ("c", pa.array([None, TEXT]))):
        pq.write_table(pa.table({"text": texts}), f"{name}.parquet")
    clean("a.parquet", "b.parquet", "c.parquet", "-o", "out", "-t", "parquet")
    written = [pq.read_table(part)["text"].to_pylist() for part in sorted(Path("out").glob("*.parquet"))]
    assert [text for texts in written for text in texts] == [STORY, None, None, None, STORY]


def test_tables_keep_their_other_columns_and_metadata(clean):
    columns = {
        "nested": pa.array([[{"a": b"x", "b": {"c": 1}}], None]),
        "word": pa.array(["a", None]).dictionary_encode(),
        "large": pa.array(["a", None], pa.large_string()),
        "view": pa.array(["a" * 20, None], pa.string_view()),
        "binary": pa.array([b"\xff\0", None]),
        "when": pa.array([1, None], pa.timestamp("ns", "UTC")),
        "text": pa.array([TEXT, None], pa.large_string()),
        "exact": pa.array([1, None], pa.decimal128(20, 3)),
        "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
        "none": pa.nulls(2),
    }
    fields = [pa.field(name, array.type, metadata={"about": name}) for name, array in columns.items()]
    table = pa.Table.from_arrays(list(columns.values()), schema=pa.schema(fields, {"who": "us", "pandas": "{}"}))
    pq.write_table(table, "a.parquet")
    before = pq.read_table("a.parquet")
    clean("a.parquet", "-o", "out", "-t", "parquet", *EVERYTHING)
    after = pq.read_table("out/part-00000.parquet")
    told = ["clean_kinds", "clean_quality", "clean_flags", "clean_metadata", "clean_removed"]
    assert after.schema.names == [*before.schema.names, *told]
    assert after.schema.metadata == before.schema.metadata
    assert after.column("text").to_pylist() == [STORY, None] and after.schema.field("text").type == pa.large_string()
    for name in before.schema.names:
        assert after.schema.field(name).type == before.schema.field(name).type, name
        assert after.schema.field(name).metadata[b"about"] == name.encode()
        assert name == "text" or after.column(name).equals(before.column(name)), name


def test_captures_keep_their_address_and_date_and_can_be_read_one_by_one(clean):
    job_corpus.write_warc(Path("in.warc"), 3)
    clean("in.warc", "-o", "out", "-t", "warc", "--compress", "gz")
    path = Path("out/part-00000.warc.gz")
    read = [
        (one.headers["WARC-Target-URI"], one.record_date.isoformat()[:10], one.stream_pos) for one in captures_of(path)
    ]
    assert [one[:2] for one in read] == [(f"https://letter.example/{n}", f"2024-05-0{n + 1}") for n in range(3)]
    for *_, place in read:
        assert path.read_bytes()[place : place + 2] == b"\x1f\x8b"


def test_what_is_torn_is_told_and_the_rest_is_cleaned(clean):
    whole = lines(400)
    for name, pack in PACK.items():
        Path(f"{name}.jsonl.{name}").write_bytes(pack(whole)[:-20])
    pq.write_table(pa.table({"text": [TEXT] * 50}), "p.parquet")
    Path("p.parquet").write_bytes(Path("p.parquet").read_bytes()[:-20])
    job_corpus.write_warc(Path("w.warc"), 5)
    Path("w.warc").write_bytes(Path("w.warc").read_bytes()[:-50])
    job_corpus.write_warc(Path("x.warc.gz"), 5)
    Path("x.warc.gz").write_bytes(Path("x.warc.gz").read_bytes()[:-50])
    Path("z.jsonl").write_bytes(lines(1))
    names = [
        "gz.jsonl.gz",
        "bz2.jsonl.bz2",
        "xz.jsonl.xz",
        "zst.jsonl.zst",
        "p.parquet",
        "w.warc",
        "x.warc.gz",
        "z.jsonl",
    ]
    said = clean(*names, "-o", "out", code=4)
    errors = [json.loads(line) for line in Path("out/_errors.jsonl").read_bytes().splitlines()]
    torn = [one for one in errors if one["reason"].startswith("cannot be read on")]
    assert [one["source"] for one in torn] == names[:-1]
    assert all(f"{name} could not be read to its end" in said for name in names[:-1])
    ids = job_corpus.ids_of(Path("out"))
    assert (
        ids[-1] == 0
        and [one for one in ids if not isinstance(one, int)]
        == [f"urn:uuid:{n:08d}-0000-4000-8000-000000000000" for n in range(4)] * 2
    )


def test_a_full_disk_is_named_and_the_job_goes_on_when_there_is_room(bundle, clean):
    Path("a.jsonl").write_bytes(lines(512) + lines(600, pad="y" * 400))
    clean("a.jsonl", "-o", "whole", "--shard-documents", 300)
    size = Path("whole/part-00001.jsonl").stat().st_size
    done = subprocess.run(
        job_of(bundle, "a.jsonl", "-o", "out", "--shard-documents", 300),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1, size - 1)),
        capture_output=True,
        encoding="utf-8",
        env=job_corpus.environment(),
        check=False,
    )
    assert done.returncode == 6 and "cannot write" in done.stderr and "Traceback" not in done.stderr, done.stderr
    before = job_corpus.written(Path("out"))
    clean("a.jsonl", "-o", "out", "--shard-documents", 300, "--resume")
    after = job_corpus.written(Path("out"))
    assert before.items() <= after.items() and after == job_corpus.written(Path("whole"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_disk_without_any_room_is_named(bundle):
    Path("a.jsonl").write_bytes(lines(3000, pad="y" * 400))
    script = 'mount -t tmpfs -o size=600k none small || exit 77; "$@"; code=$?; ls small/out; exit $code'
    Path("small").mkdir()
    job = job_of(bundle, "a.jsonl", "-o", "small/out", "--shard-documents", 300)
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *job],
        capture_output=True, encoding="utf-8", env=job_corpus.environment(), check=False,
    )  # fmt: skip
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("nothing can be mounted here")
    assert done.returncode == 6 and "No space left" in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert "part-00000.jsonl" in done.stdout and "_summary" not in done.stdout


def test_inputs_that_cannot_be_read_are_named_before_anything_is_written(clean):
    Path("empty").mkdir()
    Path("what.bin").write_bytes(b"x")
    os.mkfifo("pipe.jsonl")
    for name, said in {
        "none.jsonl": "cannot read none.jsonl: No such file",
        "empty": "no files of documents",
        "*.gz": "no files of documents",
        "what.bin": "--from",
        "pipe.jsonl": "no regular file",
    }.items():
        assert said in clean(name, "-o", "out", code=4)
    assert "clean -f jsonl" in clean("-", "-o", "out", code=2)
    assert not Path("out").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(clean):
    Path("a.jsonl").write_bytes(b"")
    Path("a.jsonl").chmod(0)
    assert "cannot read a.jsonl: Permission denied" in clean("a.jsonl", "-o", "out", code=4)


def test_nothing_in_nothing_out(clean):
    Path("a.jsonl").write_bytes(b"\n\n")
    Path("b.jsonl.gz").write_bytes(b"")
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), "c.parquet")
    clean("a.jsonl", "b.jsonl.gz", "c.parquet", "-o", "out")
    assert sorted(path.name for path in Path("out").iterdir()) == [
        ".job",
        "_errors.jsonl",
        "_summary.html",
        "_summary.json",
    ]
    assert Path("out/_errors.jsonl").read_bytes() == b""


def test_outputs_that_are_no_jobs_are_left_alone(clean):
    Path("a.jsonl").write_bytes(lines(1))
    Path("file").write_bytes(b"mine")
    Path("link").symlink_to("file")
    Path("full").mkdir()
    Path("full/mine.txt").write_bytes(b"mine")
    for output, said in {
        "file": "cannot write file",
        "link": "symbolic link",
        "full": "no job has written",
        "file/x": "cannot write",
        "/proc/x": "cannot write",
    }.items():
        assert said in clean("a.jsonl", "-o", output, code=6)
    assert Path("file").read_bytes() == b"mine" and [one.name for one in Path("full").iterdir()] == ["mine.txt"]


def test_a_place_for_errors_is_tried_before_the_work(clean):
    Path("a.jsonl").write_bytes(lines(1) + b"torn")
    before = Path("a.jsonl").read_bytes()
    assert "cannot write none/e.jsonl" in clean("a.jsonl", "-o", "out", "--errors", "none/e.jsonl", code=6)
    assert "it is a folder" in clean("a.jsonl", "-o", "out", "--errors", ".", code=6)
    assert "is an input" in clean("a.jsonl", "-o", "out", "--errors", "./a.jsonl", code=2)
    assert "only the job writes" in clean("a.jsonl", "-o", "out", "--errors", "out/part-00000.jsonl", code=2)
    assert not list(Path("out").glob("part-*")) and Path("a.jsonl").read_bytes() == before
    clean("a.jsonl", "-o", "out", "--errors", "e.jsonl", code=3)
    assert json.loads(Path("e.jsonl").read_bytes())["raw"] == "dG9ybg==" and not Path("out/_errors.jsonl").exists()


def test_hostile_names_stay_in_their_folder(clean):
    names = ["../../x", "/etc/x", "a\0b\nc", "y" * 5000, "..", "con.txt", "\ud800", 7, None, ["z"], "é" * 200]
    records = [{"id": name, "url": name, "text": STORY} for name in names]
    Path("a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    Path("b\nc.txt").write_text(STORY, encoding="utf-8")
    Path(os.fsdecode(b"d\xff.txt")).write_text(STORY, encoding="utf-8")
    before = set(Path().rglob("*"))
    clean(*(path.name for path in sorted(before)), "-o", "out", "-t", "text")
    made = [path for path in Path().rglob("*") if path not in before and "out" not in path.parts[:1]]
    assert made == []
    written = sorted(path for path in Path("out").glob("part-00000/*"))
    assert len(written) == len(names) + 2 and all(path.name.isprintable() for path in written)


def test_options_of_the_job(clean):
    Path("a.jsonl").write_bytes(b"torn\n" * 3 + lines(1100) + b'{"text": "' + b"x" * 3000 + b'"}\n')
    assert "3 of " in clean("a.jsonl", "-o", "few", "--max-errors", "2", code=4)
    assert "more than are allowed" in clean("a.jsonl", "-o", "share", "--max-errors", "0.1%", code=4)
    arguments = ["--max-errors", "1%", "--unordered", "-j", "2", "--limit-bytes", "2KB", "--progress", "always"]
    clean("a.jsonl", "-o", "free", *arguments, code=3)
    assert Path("free/_errors.jsonl").read_bytes().count(b"longer than 2000 bytes") == 1
    assert sorted(job_corpus.ids_of(Path("free"))) == list(range(1100))
    for wrong in (
        "--timeout nan", "--timeout inf", "--timeout 0", "--limit-bytes -1", "--max-errors x", "--tell all",
        "--text-field url", "-t parquet --compress gz", "-j 0",
    ):  # fmt: skip
        clean("a.jsonl", "-o", "wrong", *wrong.split(), code=2)
    assert not Path("wrong").exists()


@pytest.mark.parametrize("said", ["inf", "nan", "1e999", "", "-5", "5XB", "٣", "9" * 400])
def test_numbers_that_are_none_are_refused(said):
    with pytest.raises(click.UsageError):
        size_of(said)
    with pytest.raises(click.UsageError):
        most_errors_of(said)


def test_urls_are_inputs(clean, tmp_path):
    fs = fsspec.filesystem("memory")
    fs.pipe("/cli/a.jsonl.gz", gzip.compress(lines(2)))
    try:
        Path("b.jsonl").write_bytes(lines(3))
        pq.write_table(pa.table({"text": [TEXT]}), "c.parquet")
        clean("memory://cli/*.gz", f"file://{tmp_path}/b.jsonl", f"file://{tmp_path}/c.parquet", "-o", "out")
        assert Path("out/part-00000.jsonl").read_bytes().count(b"\n") == 6
        assert "memory://cli/none.jsonl" in clean("memory://cli/none.jsonl", "-o", "o", code=4)
        assert "nothing" in clean("nothing://x/a.jsonl", "-o", "o", code=2)
    finally:
        fs.rm("/cli", recursive=True)


def at_url(fs, folder):
    """What a job has written there that does not tell the time."""
    found = {name.partition(f"{folder}/")[2]: fs.cat(name) for name in fs.find(folder)}
    return {name: data for name, data in found.items() if not name.startswith((".job/", "_summary"))}


@pytest.mark.parametrize(
    "form", ["-t jsonl", "-t jsonl --compress zst", "-t parquet", "-t warc --compress gz", "-t text"]
)
def test_urls_are_outputs(clean, mixed, form):
    fs = fsspec.filesystem("memory")
    fs.pipe("/cli/in/a.jsonl", lines(2))
    arguments = [mixed, "memory://cli/in", *form.split(), *EVERYTHING, "--shard-documents", 4]
    try:
        clean(*arguments, "-o", "out", code=3)
        said = clean(*arguments, "-o", "memory://cli/in/out", code=3)
        assert "the account: memory://cli/in/out/_summary.html" in said
        wanted = job_corpus.written(Path("out"))
        assert len(wanted) > 3 and at_url(fs, "/cli/in/out") == wanted
        account = json.loads(fs.cat("/cli/in/out/_summary.json"))
        assert (account["tally"]["documents"], account["tally"]["errors"]) == (11, 1)
        assert fs.cat("/cli/in/out/_summary.html").startswith(b"<!")
        # The output stands in one of the inputs, of which it is none.
        clean(*arguments, "-o", "memory://cli/in/out", "--resume", code=3)
        assert at_url(fs, "/cli/in/out") == wanted
        assert "--resume" in clean(*arguments, "-o", "memory://cli/in/out", code=2)
        assert "options" in clean(*arguments, "-o", "memory://cli/in/out", "--resume", "--keep", "advert", code=2)
    finally:
        fs.rm("/cli", recursive=True)


def test_a_url_of_this_machine_is_a_folder_like_any(clean, tmp_path):
    Path("in").mkdir()
    Path("in/a.jsonl").write_bytes(lines(2))
    clean("in", "-o", f"file://{tmp_path}/in/out")
    # Named twice it is the same job, by the name that it has first; by another name it is another.
    clean("in", f"file://{tmp_path}/in", "-o", "in/out", "--resume")
    clean(f"file://{tmp_path}/in", "in", "-o", "in/out", "--resume", code=2)
    clean("in", "-o", "in/out", "--resume")
    assert job_corpus.ids_of(Path("in/out")) == [0, 1]


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The folder behind frail://."""
    monkeypatch.setenv(frail.ROOT, str(tmp_path / "store"))
    monkeypatch.delenv(frail.LEFT, raising=False)
    return tmp_path / "store"


def test_a_store_that_fails_is_named_and_the_job_goes_on_when_it_works(clean, store, monkeypatch):
    Path("a.jsonl").write_bytes(lines(1100) + b"torn")
    arguments = ["a.jsonl", "--shard-documents", 300]
    clean(*arguments, "-o", "whole", code=3)
    monkeypatch.setenv(frail.THEN, "fail")
    monkeypatch.setenv(frail.LEFT, "7")
    said = clean(*arguments, "-o", "frail://out", code=6)
    assert "cannot write frail://out/part-00001.jsonl: no room in the store" in said
    before = job_corpus.written(store / "out")
    assert list(before) == ["part-00000.jsonl"]
    monkeypatch.delenv(frail.LEFT)
    clean(*arguments, "-o", "frail://out", "--resume", code=3)
    after = job_corpus.written(store / "out")
    assert before.items() <= after.items() and after == job_corpus.written(Path("whole"))
    assert not (store / "out/.job/lock").exists()


@pytest.mark.parametrize("form", ["-t jsonl", "-t text"])
def test_a_job_that_is_killed_goes_on_elsewhere_too(bundle, clean, store, form):
    Path("a.jsonl").write_bytes(lines(1100) + b"torn")
    Path("tmp").mkdir()
    arguments = ["a.jsonl", "--shard-documents", 300, *form.split()]
    clean(*arguments, "-o", "whole", code=3)
    program = "import sys, frail; from cleaner.cli import main; sys.exit(main())"
    path = os.pathsep.join([str(Path(frail.__file__).parent), job_corpus.environment()["PYTHONPATH"]])
    first = len(list(Path("whole/part-00000").glob("*"))) or 1
    for left, resume in ((5 + first, []), (5 + first // 2, ["--resume"])):
        job = job_of(bundle, *arguments, "-o", "frail://out", *resume)
        more = {"PYTHONPATH": path, "TMPDIR": "tmp", frail.LEFT: str(left), frail.THEN: "kill"}
        done = subprocess.run(
            [sys.executable, "-c", program, *job[3:]],
            env=job_corpus.environment() | more,
            capture_output=True,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert (store / "out/.job/lock").exists() and len(list(Path("tmp").iterdir())) == 1
        assert "another job" not in done.stderr.decode()
    assert not (store / "out/.job/00002.json").exists()
    clean(*arguments, "-o", "frail://out", "--resume", code=3)
    assert job_corpus.written(store / "out") == job_corpus.written(Path("whole"))
    assert not (store / "out/.job/lock").exists()


def test_errors_may_go_to_a_url(clean, store):
    Path("a.jsonl").write_bytes(lines(1) + b"torn")
    arguments = ["a.jsonl", "-o", "frail://out", "--errors"]
    assert "only the job writes" in clean(*arguments, "frail://out/part-00000.jsonl", code=2)
    Path("store/in").mkdir(parents=True)
    Path("store/in/b.jsonl").write_bytes(lines(1))
    assert "is an input" in clean("frail://in", *arguments, "frail://in/b.jsonl", code=2)
    assert not list(store.glob("out/part-*"))
    clean(*arguments, "frail://errors/e.jsonl", code=3)
    assert json.loads((store / "errors/e.jsonl").read_bytes())["raw"] == "dG9ybg=="
    assert not (store / "out/_errors.jsonl").exists()


def test_a_job_can_stand_in_the_folder_that_it_reads_and_be_read_by_the_next(clean):
    Path("in").mkdir()
    Path("in/a.jsonl").write_bytes(lines(2) + b"torn")
    clean("in", "-o", "in/out", code=3)
    clean("in", "-o", "in/out", "--resume", code=3)
    clean("in/out", "-o", "again")
    assert Path("again/part-00000.jsonl").read_bytes() == Path("in/out/part-00000.jsonl").read_bytes()


def test_what_is_damaged_in_the_state_is_told_or_made_again(clean):
    Path("a.jsonl").write_bytes(lines(1000))
    arguments = ["a.jsonl", "-o", "out", "--shard-documents", 250]
    clean(*arguments)
    whole = job_corpus.written(Path("out"))
    Path("out/.job/00001.json").write_bytes(b"{")
    Path("out/part-00002.jsonl").write_bytes(b"half")
    clean(*arguments, "--resume")
    assert job_corpus.written(Path("out")) == whole
    Path("out/.job/job.json").write_bytes(b"\xff")
    assert "job.json is damaged" in clean(*arguments, "--resume", code=6)
    assert job_corpus.written(Path("out")) == whole


def test_what_has_changed_is_not_resumed(clean):
    Path("a.jsonl").write_bytes(lines(2))
    clean("a.jsonl", "-o", "out")
    assert "--resume" in clean("a.jsonl", "-o", "out", code=2)
    assert "options" in clean("a.jsonl", "-o", "out", "--resume", "--keep", "advert", code=2)
    assert "target" in clean("a.jsonl", "-o", "out", "--resume", "-t", "text", code=2)
    Path("a.jsonl").write_bytes(lines(2).replace(b"council", b"COUNCIL"))
    assert "inputs" in clean("a.jsonl", "-o", "out", "--resume", code=2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_job_says_how_to_go_on(bundle, clean, number):
    Path("a.jsonl").write_bytes(lines(5_000))
    arguments = ["a.jsonl", "-o", "out", "--shard-documents", 256]
    job = subprocess.Popen(job_of(bundle, *arguments), env=job_corpus.environment(), stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while not Path("out/.job/00000.json").exists() and time.monotonic() < until:
        time.sleep(0.01)
    job.send_signal(number)
    said = job.communicate(timeout=60)[1].decode()
    assert job.returncode == 130 and "--resume goes on" in said and "Traceback" not in said, said
    clean(*arguments, "--resume")
    assert job_corpus.ids_of(Path("out")) == list(range(5_000))


def test_standard_streams_may_be_closed(bundle):
    Path("a.jsonl").write_bytes(lines(600) + b"torn\n")
    script = '"$@" <&- >&- 2>&-'
    arguments = job_of(bundle, "a.jsonl", "-o", "out", "--progress", "always", "--shard-documents", 256)
    done = subprocess.run(["sh", "-c", script, "sh", *arguments], env=job_corpus.environment(), check=False)
    assert done.returncode == 3
    assert job_corpus.ids_of(Path("out")) == list(range(600))


def test_modules_in_the_folder_where_one_stands_are_not_imported(bundle):
    Path("a.jsonl").write_bytes(lines(3))
    for name in ("json", "numpy", "cleaner", "socket"):
        Path(f"{name}.py").write_text("raise SystemExit(99)", encoding="utf-8")
    program = "import sys; from cleaner.cli import main; sys.exit(main())"
    arguments = [sys.executable, "-c", program, *job_of(bundle, "a.jsonl", "-o", "out")[3:]]
    safe = job_corpus.environment(PYTHONSAFEPATH="1")
    done = subprocess.run(arguments, env=safe, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
