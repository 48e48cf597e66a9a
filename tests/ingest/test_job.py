"""Whole jobs, as the library runs them: what the account, the errors and the exit say agrees with what came out."""

import gzip
import json

import pytest
from job_corpus import capture_of

from cleaner.errors import InputError, OptionError
from cleaner.ingest import Job, Request, readers
from cleaner.ingest.encode import Target

PAGE = "<!doctype html><html><body><p>{}</p><p>zzadvert here</p></body></html>"


def run(tiny_bundle, output, *inputs, **choices):
    """The summary of a job, its records and its errors."""
    summary = Job(tuple(map(str, inputs)), str(output), bundle=str(tiny_bundle), **choices).run()
    read = lambda path: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]  # noqa: E731
    shards = sorted(output.glob("part-*.jsonl"))
    return summary, [row for path in shards for row in read(path)], read(output / "_errors.jsonl")


def encoded(number, body, header):
    capture = capture_of(number, body)
    head, rest = capture.split(b"charset=utf-8\r\n", 1)
    length = int(head.split(b"msgtype=response\r\nContent-Length: ")[1].split(b"\r\n")[0])
    head = head.replace(b"Content-Length: %d" % length, b"Content-Length: %d" % (length + len(header) + 2))
    return head + b"charset=utf-8\r\n" + header + b"\r\n" + rest


def test_a_capture_that_cannot_be_decoded_takes_no_other_along(tmp_path, tiny_bundle):
    page = PAGE.format("A story about the bridge.").encode()
    captures = [
        capture_of(1, page),
        encoded(2, b"\x00\x01no gzip", b"Content-Encoding: gzip"),
        encoded(3, gzip.compress(page), b"Content-Encoding: gzip"),
        encoded(4, page, b"Transfer-Encoding: chunked"),
        encoded(5, b"zz\r\n\x00broken", b"Transfer-Encoding: chunked"),
        capture_of(6, page).replace(b"WARC-Record-ID", b"WARC-Other-Name"),
    ]
    (tmp_path / "c.warc").write_bytes(b"".join(captures))
    summary, rows, errors = run(tiny_bundle, tmp_path / "out", tmp_path / "c.warc", request=Request(url="link"))
    assert [row["url"][-1] for row in rows] == ["1", "3", "4", "6"]
    assert {row["text"] for row in rows} == {"A story about the bridge."}
    assert rows[3]["id"] is None
    assert [(error["number"], "decoded" in error["reason"]) for error in errors] == [(2, True), (5, True)]
    assert (summary["tally"]["documents"], summary["tally"]["errors"]) == (4, 2)


def test_the_account_names_each_file_and_tells_the_page_in_any_encoding(tmp_path, tiny_bundle):
    (tmp_path / "in").mkdir()
    for number, charset in enumerate(["utf-8", "utf-16"]):
        (tmp_path / "in" / f"p{number}.html").write_bytes(PAGE.format("Größe zählt.").encode(charset))
    summary, rows, _ = run(tiny_bundle, tmp_path / "out", tmp_path / "in")
    assert [row["text"] for row in rows] == ["Größe zählt."] * 2
    assert {row["name"] for row in summary["tally"]["slowest"]} == {"p0.html", "p1.html"}


def test_a_job_whose_input_goes_away_says_how_to_go_on(tmp_path, tiny_bundle, monkeypatch):
    (tmp_path / "a.jsonl").write_text('{"text": "A story."}\n')

    def gone(source):
        raise FileNotFoundError(2, "No such file or directory", source.name)

    monkeypatch.setattr(readers, "open_raw", gone)
    with pytest.raises(
        InputError, match=r"a\.jsonl cannot be read on: No such file.*; what is whole stays, and --resume"
    ):
        run(tiny_bundle, tmp_path / "out", tmp_path / "a.jsonl")


@pytest.mark.parametrize(("name", "target"), [("path", Target()), ("date", Target()), ("fields", Target("parquet"))])
def test_the_text_cannot_have_the_name_of_something_else(tmp_path, tiny_bundle, name, target):
    (tmp_path / "a.txt").write_text("A story.")
    (tmp_path / "a.jsonl").write_text('{"fields": "A story."}\n')
    with pytest.raises(OptionError, match="holds something else"):
        run(
            tiny_bundle,
            tmp_path / "out",
            tmp_path / "a.txt",
            tmp_path / "a.jsonl",
            request=Request(name),
            target=target,
        )


def test_names_may_be_paths(tiny_bundle, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "The council met on Tuesday."}\n', encoding="utf-8")
    summary = Job((source,), tmp_path / "out", bundle=str(tiny_bundle), errors=tmp_path / "bad.jsonl").run()
    assert summary["tally"]["documents"] == 1 and (tmp_path / "bad.jsonl").exists()
