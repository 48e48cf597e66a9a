"""``clean sites`` and ``--site-lines`` as their users meet them: real processes, files, messages and exit codes."""

import gzip
import json
import os
import sqlite3
import threading
from contextlib import closing

import job_corpus
import pytest
from test_cli import clean, record  # noqa: F401 -- a fixture

from cleaner.sites import SiteLines

# What the model finds doubtful at most: it is the site that has to say so.
PROMO = "The evening letter brings three stories and one picture, and {} people in {} read it before they go to bed."
STORY = [
    "The city council voted on Tuesday to rebuild the old harbour bridge, ending a dispute that had lasted nine years.",
    "Engineers told the meeting that two of its pillars had moved by several centimetres since the floods in spring.",
    "“We could not wait any longer,” the mayor said after the vote, which passed with the votes of both large parties.",
    "Work is expected to begin in March and to take about two years, during which a ferry will carry people across.",
]


def issue(number, **fields):
    """A record of a site: an article, and a promo with other numbers each time."""
    lines = [f"{STORY[number % 4]} That was issue {'abcdefghijkl'[number % 12]}.", *STORY]
    text = "\n".join([*lines, PROMO.format(100 + number, "Skarholm")])
    return record(
        text, **{"url": f"https://www.lantern.example/{number}", "date": f"2024-03-{number + 1:02}T08:00:00Z"} | fields
    )


@pytest.fixture
def feed(tmp_path):
    (tmp_path / "feed.jsonl").write_text("".join(map(issue, range(8))), encoding="utf-8")
    return tmp_path


def standing(path):
    return SiteLines(path).standing("lantern.example", PROMO.format(7, "Skarholm"))


def test_counting_says_what_it_did_and_writes_a_table(clean, feed):  # noqa: F811
    done = clean("sites", "feed.jsonl", "-o", "sites.db")
    assert (done.code, done.out, done.err) == (0, "", "clean: counted 8 documents\n")
    assert standing(feed / "sites.db")[:2] == (8, 8)
    assert clean("sites", "-q", "feed.jsonl", "-o", "sites.db").err == ""
    assert sorted(path.name for path in feed.iterdir()) == ["feed.jsonl", "sites.db"]


def test_gzip_and_stdin_and_other_fields(clean, feed):  # noqa: F811
    rows = [json.loads(line) for line in (feed / "feed.jsonl").read_text().splitlines()]
    other = "".join(
        json.dumps({"body": r["text"], "host": "Lantern.example", "on": r["date"][:10]}) + "\n" for r in rows
    )
    (feed / "feed.gz").write_bytes(gzip.compress(other.encode()))
    names = ("--text-field", "body", "--url-field", "host", "--date-field", "on")
    for arguments, stdin in ((["feed.gz"], b""), (["-"], other.encode()), (["-"], gzip.compress(other.encode()))):
        assert clean("sites", "-f", "jsonl", *arguments, *names, "-o", "sites.db", stdin=stdin).code == 0
        assert standing(feed / "sites.db")[:2] == (8, 8)


def test_a_crawl_is_counted_and_cleaned_by_its_pages(clean, feed):  # noqa: F811
    rows = [json.loads(line) for line in (feed / "feed.jsonl").read_text().splitlines()]
    crawl = feed / "crawl"
    crawl.mkdir()
    for number, row in enumerate(rows):
        page = "<html><body><article>{}</article></body></html>".format(
            "".join(f"<p>{line}</p>" for line in row["text"].splitlines())
        )
        capture = job_corpus.capture_of(number, page.encode())
        (crawl / f"{number}.warc.gz").write_bytes(gzip.compress(capture))
    assert clean("sites", "--partial", "crawl", "-o", "all.db").err == "clean: counted 8 documents\n"
    turned = [f"crawl/{number}.warc.gz" for number in range(7, -1, -1)]
    for inputs in (["crawl/*.warc.gz"], [f"file://{crawl}"], [*turned, "crawl"]):
        assert clean("sites", "--partial", "--key-of", "all.db", *inputs, "-o", "again.db").code == 0
        assert (feed / "again.db").read_bytes() == (feed / "all.db").read_bytes()
    assert clean("sites", "--merge", "all.db", "-o", "sites.db").code == 0
    assert SiteLines(feed / "sites.db").standing("letter.example", PROMO.format(7, "Skarholm"))[:2] == (8, 8)
    texts = []
    for output, options in (("with", ["--site-lines", "sites.db"]), ("without", [])):
        assert clean("job", "-q", "crawl", "-o", output, *options).code == 0
        shard = (feed / output / "part-00000.jsonl").read_text(encoding="utf-8")
        texts.append([json.loads(line)["text"] for line in shard.splitlines()])
    assert all("evening letter" in text for text in texts[1]), "the model should have its doubts at most"
    assert not any("evening letter" in text for text in texts[0])


def test_names_that_do_not_tell_have_to_be_told_and_pipes_are_json_lines(clean, feed):  # noqa: F811
    lines = (feed / "feed.jsonl").read_bytes()
    (feed / "feed.dat").write_bytes(lines)
    done = clean("sites", "feed.dat", "-o", "sites.db")
    assert (done.code, "say so with --from" in done.err, (feed / "sites.db").exists()) == (4, True, False)
    assert clean("sites", "-f", "jsonl", "feed.dat", "-o", "sites.db").code == 0
    assert clean("sites", "--from", "parquet", "feed.dat", "-o", "sites.db").code == 4
    os.mkfifo(feed / "pipe")
    writer = threading.Thread(target=(feed / "pipe").write_bytes, args=[gzip.compress(lines)])
    writer.start()
    done = clean("sites", "pipe", "feed.jsonl", "./pipe", "-o", "sites.db")
    writer.join()
    assert (done.code, done.err) == (0, "clean: counted 16 documents\n")
    assert standing(feed / "sites.db")[:2] == (16, 8)
    os.mkfifo(feed / "pipe.warc")
    for arguments in (["-f", "parquet", "-"], ["-f", "warc", "pipe"], ["pipe.warc"]):
        done = clean("sites", *arguments, "-o", "sites.db", stdin=lines)
        assert (done.code, "holds JSON Lines only" in done.err) == (2, True)


def test_parts_are_merged(clean, feed):  # noqa: F811
    lines = (feed / "feed.jsonl").read_text().splitlines(keepends=True)
    for name, part in (("a", lines[:3]), ("b", lines[3:])):
        (feed / f"{name}.jsonl").write_text("".join(part))
    assert clean("sites", "--partial", "a.jsonl", "-o", "a.db").code == 0
    assert clean("sites", "--partial", "--key-of", "a.db", "b.jsonl", "-o", "b.db").code == 0
    assert clean("sites", "--merge", "b.db", "a.db", "-o", "sites.db").code == 0
    assert standing(feed / "sites.db")[:2] == (8, 8)
    assert clean("sites", "--partial", "b.jsonl", "-o", "c.db").code == 0
    done = clean("sites", "--merge", "a.db", "c.db", "-o", "other.db")
    assert (done.code, "another key" in done.err) == (4, True)
    done = clean("sites", "--merge", "sites.db", "-o", "other.db")
    assert (done.code, "sites.db is finished" in done.err) == (4, True)
    assert not (feed / "other.db").exists()


def test_bad_records_are_reported_and_the_others_counted(clean, feed):  # noqa: F811
    bad = issue(1, url=None) + "no JSON\n" + issue(2, date="last week") + issue(3)
    done = clean("sites", "-", "-o", "sites.db", stdin=bad)
    assert done.code == 3
    assert "<stdin>:1: no site in field 'url'" in done.err and "<stdin>:2: not JSON" in done.err
    assert "counted 2 documents" in done.err and "1 of them have no date in field 'date'" in done.err
    with closing(sqlite3.connect(feed / "sites.db")) as connection:
        assert connection.execute("SELECT documents, days FROM sites").fetchall() == [(2, 1)]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["feed.jsonl"], 2, "--output"),
        (["-o", "sites.db"], 2, "IN..."),
        (["nothing.jsonl", "-o", "sites.db"], 4, "cannot read nothing.jsonl"),
        (["feed.jsonl", "-o", "nowhere/sites.db"], 6, "cannot write nowhere/sites.db"),
        (["--merge", "feed.jsonl", "-o", "sites.db"], 4, "feed.jsonl is damaged or no table of site lines"),
        (["--merge", "--key-of", "a.db", "a.db", "-o", "sites.db"], 2, "--key-of"),
        (["--key-of", "feed.jsonl", "feed.jsonl", "-o", "sites.db"], 4, "feed.jsonl"),
        (["--model", "nowhere", "feed.jsonl", "-o", "sites.db"], 5, "no model at nowhere"),
    ],
)
def test_what_cannot_be_done_is_said(clean, feed, arguments, code, message):  # noqa: F811
    done = clean("sites", *arguments)
    assert (done.code, message in done.err) == (code, True), done.err
    assert [path.name for path in feed.iterdir()] == ["feed.jsonl"]


def test_a_damaged_file_is_counted_up_to_there_and_the_others_whole(clean, feed):  # noqa: F811
    packed = gzip.compress("".join(map(issue, range(30))).encode(), 0)
    (feed / "cut.jsonl.gz").write_bytes(packed[:-20])
    pages = [f"<html><body><article><p>{line}</p></article></body></html>".encode() for line in STORY]
    crawl = b"".join(job_corpus.capture_of(number, page) for number, page in enumerate(pages))
    (feed / "cut.warc").write_bytes(crawl[:-50])
    (feed / "no.parquet").write_bytes(b"PAR1 no more")
    done = clean("sites", "-q", "cut.jsonl.gz", "no.parquet", "cut.warc", "feed.jsonl", "-o", "sites.db")
    assert done.code == 4
    messages = done.err.splitlines()
    assert [message.split()[1] for message in messages] == ["cut.jsonl.gz", "no.parquet", "cut.warc"]
    assert all("cannot be read on: " in message for message in messages)
    assert all(message.endswith("; counted up to there") for message in messages)
    assert 8 < standing(feed / "sites.db").documents < 38
    assert SiteLines(feed / "sites.db").documents("letter.example") == len(pages) - 1
    # What is damaged weighs more than what is left out.
    (feed / "bad.jsonl").write_text("no JSON\n")
    done = clean("sites", "bad.jsonl", "cut.warc", "-o", "sites.db")
    assert (done.code, "counted 3 documents" in done.err) == (4, True)


def test_few_of_many_documents_that_are_left_out_are_named(clean):  # noqa: F811
    done = clean("sites", "-", "-o", "sites.db", stdin=issue(0) + "no JSON\n" * 33)
    assert done.code == 3
    messages = done.err.splitlines()
    assert sum("not JSON" in message for message in messages) == 20
    assert messages[20:] == ["clean: 13 more records left out", "clean: counted 1 documents"]


def test_texts_in_files_of_their_own_are_left_out_in_one_line(clean, feed):  # noqa: F811
    folder = feed / "texts"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.txt").write_text("\n".join(STORY))
    done = clean("sites", "texts", "feed.jsonl", "-o", "sites.db")
    assert (done.code, done.err.splitlines()) == (
        3,
        [
            "clean: left out 3 texts and pages in files of their own, which have no URL and so no site",
            "clean: counted 8 documents",
        ],
    )


def test_a_table_replaces_nothing_but_a_table(clean, feed):  # noqa: F811
    for name in ("a.db", "b.db"):
        assert clean("sites", "-q", "--partial", "feed.jsonl", "-o", name).code == 0
    (feed / "notes.txt").write_text("not a table")
    (feed / "link.jsonl").symlink_to("feed.jsonl")
    os.mkfifo(feed / "pipe")
    (feed / "sub/deep").mkdir(parents=True)
    (feed / "sub/a.db").write_bytes((feed / "a.db").read_bytes())
    (feed / "far").symlink_to("sub/deep")
    before = {path.name: path.lstat() for path in feed.iterdir()}
    lines = (feed / "feed.jsonl").read_bytes()
    refused = [
        (["feed.jsonl", "-o", "feed.jsonl"], "is an input"),
        (["feed.jsonl", "-o", "link.jsonl"], "is an input"),
        (["link.jsonl", "-o", f"{feed}/feed.jsonl"], "is an input"),
        ([f"file://{feed}/feed.jsonl", "-o", "feed.jsonl"], "is an input"),
        (["--merge", "a.db", "-o", "./a.db"], "is an input"),
        (["--merge", "sub/a.db", "-o", "far/../a.db"], "is an input"),
        (["feed.jsonl", "-o", "notes.txt"], "no table of site lines"),
        (["--merge", "a.db", "-o", "notes.txt"], "no table of site lines"),
        (["feed.jsonl", "-o", "pipe"], "no regular file"),
        (["feed.jsonl", "-o", "."], "no regular file"),
        (["feed.jsonl", "-o", "-"], "stdout"),
        (["--merge", "a.db", "-o", "-"], "stdout"),
        # Refused before the model is read.
        (["--model", "nowhere", "feed.jsonl", "-o", "notes.txt"], "no table of site lines"),
    ]
    for arguments, message in refused:
        done = clean("sites", *arguments)
        assert (done.code, message in done.err) == (2, True), (arguments, done.err)
    after = {path.name: path.lstat() for path in feed.iterdir()}
    assert {name: (s.st_ino, s.st_mtime_ns) for name, s in after.items()} == {
        name: (s.st_ino, s.st_mtime_ns) for name, s in before.items()
    }
    assert (feed / "feed.jsonl").read_bytes() == lines
    (feed / "b.db").chmod(0o604)
    assert clean("sites", "--merge", "a.db", "-o", "b.db").code == 0
    assert ((feed / "b.db").stat().st_mode & 0o777, standing(feed / "b.db").documents) == (0o604, 8)


def test_what_was_counted_already_is_merged_once_and_as_it_is(clean, feed):  # noqa: F811
    assert clean("sites", "-q", "--partial", "feed.jsonl", "-o", "a.db").code == 0
    (feed / "copy.db").write_bytes((feed / "a.db").read_bytes())
    for other in ("a.db", "./a.db", "copy.db"):
        done = clean("sites", "--merge", "a.db", other, "-o", "sites.db")
        assert (done.code, "holds the same counts as a.db" in done.err) == (4, True)
    for option, value in (
        ("--key-of", "a.db"),
        ("--model", "nowhere"),
        ("--form", "auto"),
        ("--from", "jsonl"),
        ("--text-field", "text"),
        ("--url-field", "url"),
        ("--date-field", "date"),
    ):
        done = clean("sites", "--merge", option, value, "a.db", "-o", "sites.db")
        assert (done.code, f"so {option} has no use" in done.err) == (2, True)
    assert clean("sites", "--merge", "-f", "jsonl", "a.db", "-o", "sites.db").code == 2
    assert not (feed / "sites.db").exists()
    assert clean("sites", "-q", "--merge", "a.db", "-o", "sites.db").code == 0


@pytest.fixture
def table(feed):
    """A table in which the promo stands, whatever the model says of it."""
    from cleaner.sites.arrow import day_of
    from cleaner.sites.counting import Document, LineCounts

    rows = [json.loads(line) for line in (feed / "feed.jsonl").read_text().splitlines()]
    promos = [Document("lantern.example", day_of(row["date"]), row["text"].splitlines()[-1]) for row in rows]
    with LineCounts() as counts:
        counts.add(promos, lambda documents: [([document.text], [0.6]) for document in documents])
        counts.write(feed / "sites.db")
    return feed / "sites.db"


def test_records_are_cleaned_by_their_site(clean, feed, table):  # noqa: ARG001, F811
    (feed / "new.jsonl").write_text(issue(9) + issue(10, url="https://other.example/") + issue(11, url=None))
    plain, by_site = (
        [
            json.loads(line)["text"].splitlines()[-1]
            for line in clean("-f", "jsonl", *with_, "new.jsonl").out.splitlines()
        ]
        for with_ in ([], ["--site-lines", "sites.db"])
    )
    promos = [PROMO.format(100 + number, "Skarholm") for number in (9, 10, 11)]
    assert plain == promos, "the model should have its doubts at most; take another promo"
    assert by_site == [STORY[-1], *promos[1:]]
    renamed = (feed / "new.jsonl").read_text().replace('"url"', '"link"')
    done = clean("-f", "jsonl", "--site-lines", "sites.db", "--url-field", "link", "--explain", stdin=renamed)
    removed = [json.loads(line)["_clean"] for line in done.out.splitlines()]
    assert ["site" in json.dumps(account) for account in removed] == [True, False, False]


def test_a_text_is_cleaned_by_the_site_of_its_url(clean, feed, table):  # noqa: F811
    text = json.loads(issue(9))["text"]
    with_table = ("--site-lines", "sites.db")
    assert clean(*with_table, "--url", "https://lantern.example/9", stdin=text).out.splitlines()[-1] == STORY[-1]
    assert clean(*with_table, "--url", "https://lantern.example/9", "-f", "text", stdin=text).code == 0
    assert clean(*with_table, stdin=text).out == clean(stdin=text).out
    (feed / "broken.db").write_bytes(table.read_bytes()[:3000])
    done = clean("--site-lines", "broken.db", stdin=text)
    assert (done.code, done.out, "broken.db is damaged" in done.err) == (4, "", True)


def test_a_job_judges_by_the_table_as_the_filter_does(clean, feed):  # noqa: F811
    assert clean("sites", "-q", "feed.jsonl", "-o", "sites.db").code == 0
    by_site = clean("-f", "jsonl", "--site-lines", "sites.db", "feed.jsonl").out
    plain = clean("-f", "jsonl", "feed.jsonl").out
    assert by_site != plain
    for output, options in (("with", ["--site-lines", "sites.db"]), ("without", [])):
        assert clean("job", "-q", "feed.jsonl", "-o", output, *options).code == 0
        expected = [json.loads(line) for line in (by_site if options else plain).splitlines()]
        shard = (feed / output / "part-00000.jsonl").read_text(encoding="utf-8")
        assert [json.loads(line) for line in shard.splitlines()] == expected
    # The bytes of the output depend on the table, so another one is another job.
    other = clean("job", "-q", "feed.jsonl", "-o", "with", "--resume")
    assert (other.code, "site lines" in other.err) == (2, True)
    missing = clean("job", "-q", "feed.jsonl", "-o", "new", "--site-lines", "none.db")
    assert (missing.code, "none.db" in missing.err) == (4, True)
