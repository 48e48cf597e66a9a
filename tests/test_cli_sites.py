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
        assert clean("sites", *arguments, *names, "-o", "sites.db", stdin=stdin).code == 0
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


def test_names_that_do_not_tell_and_pipes_are_json_lines(clean, feed):  # noqa: F811
    lines = (feed / "feed.jsonl").read_bytes()
    (feed / "feed.dat").write_bytes(lines)
    assert clean("sites", "feed.dat", "-o", "sites.db").code == 0
    assert clean("sites", "--from", "parquet", "feed.dat", "-o", "sites.db").code == 4
    os.mkfifo(feed / "pipe")
    writer = threading.Thread(target=(feed / "pipe").write_bytes, args=[gzip.compress(lines)])
    writer.start()
    done = clean("sites", "pipe", "feed.dat", "pipe", "-o", "sites.db")
    writer.join()
    assert (done.code, done.err) == (0, "clean: counted 16 documents\n")
    assert standing(feed / "sites.db")[:2] == (16, 8)


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


def test_a_gzip_that_ends_too_soon_is_unreadable(clean, feed):  # noqa: F811
    (feed / "cut.gz").write_bytes(gzip.compress((feed / "feed.jsonl").read_bytes())[:-20])
    done = clean("sites", "cut.gz", "-o", "sites.db")
    assert (done.code, "cut.gz cannot be read on: Compressed file ended" in done.err) == (4, True)
    assert not (feed / "sites.db").exists()


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
