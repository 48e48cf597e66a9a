"""Counting takes what a job takes, and counts the lines that a job looks up."""

import json
import subprocess
import sys

import job_corpus
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaner import Cleaner
from cleaner.errors import InputError
from cleaner.ingest import LineJudge, Request, partial_counts
from cleaner.ingest.counting import ChunkCounter
from cleaner.ingest.readers import Limits, Reader
from cleaner.ingest.records import Position
from cleaner.ingest.sources import find_sources
from cleaner.sites import decision
from cleaner.sites.counting import Document, LineCounts

KEY = bytes(16)
URL = "https://www.lantern.example/ferry"
FERRY = "The winter ferry will sail again from December, the council of the island decided on Tuesday evening."
APPEAL = "Would you miss zzappeal the island paper if we had to close it this winter? Write to us today."
PAGE = (
    "<html><head><title>Ferry</title></head><body><nav><a href=/>Home page of the paper</a></nav>"
    f"<article><p>{FERRY}</p><p>caf\u00e9 re\u0301opened, <b>{{}}</b> people came</p><p>{APPEAL}</p></article>"
    "</body></html>"
)
HELD = (
    f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "articleBody": (FERRY + chr(10)) * 9})}'
)
TEXT = f"{FERRY}\n{APPEAL}\n2:1"


def page(number):
    return PAGE.format(number)


@pytest.fixture
def count(cleaner, tmp_path):
    """Count files; what was written, what was refused, and how many were counted."""

    def run(*inputs, request=None, key=KEY, **more):
        told = []
        with LineCounts(key) as counts:
            counter = ChunkCounter(counts, cleaner, request or Request(), refuse=lambda *bad: told.append(bad), **more)
            sources = find_sources(map(str, inputs), once=True)
            for chunk in Reader(sources, Limits(document_bytes=5000), None, one_schema=False).chunks(Position(), 0):
                counter.add(chunk)
            counts.write(tmp_path / "out.db", partial=True)
        assert counter.refused == len(told)
        return (tmp_path / "out.db").read_bytes(), told, (counter.counted, counter.without_day)

    return run


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def rows(texts):
    return [{"text": text, "url": URL, "date": f"2024-03-{day:02}T09:00:00Z"} for day, text in enumerate(texts, 1)]


@pytest.mark.parametrize(
    ("document", "form"),
    [
        (TEXT, "auto"),
        (TEXT.encode(), "auto"),
        ("The ferry\nwas late again, as it\nhas been all the winter.\n" * 9, "text"),
        (page(1), "auto"),
        (page(1), "text"),
        (page(1).encode("latin-1", "ignore"), "html"),
        (HELD, "html"),
        ("No page at all, but words.\nAnd some more of them.", "html"),
        (f"<html><body>{HELD}</script></body></html>", "auto"),
        ("", "auto"),
        ("<html><body></body></html>", "html"),
    ],
)
def test_what_is_counted_is_what_is_looked_up(cleaner, monkeypatch, document, form):
    asked = []

    class Asked:
        def __init__(self, *_):
            pass

        def __call__(self, _decision, lines, scores, _features):
            asked.append((list(lines), scores.boilerplate.tolist()))

    monkeypatch.setattr(decision, "BySite", Asked)
    ((lines, scores),) = LineJudge(cleaner, form)([Document("lantern.example", None, document)])
    by_site = Cleaner(cleaner._bundle, site_lines=object())
    if form == "html" or (form == "auto" and str(document).lstrip("b'").startswith("<")):
        by_site.clean_html(document, URL)
    else:
        by_site.clean(document, site=URL)
    # The last that was asked for is what the document was cleaned by; of one without lines nobody asks.
    assert (list(lines), list(scores)) == (asked[-1] if asked else ([], []))


def test_texts_and_pages_count_the_same_in_every_format(count, tmp_path):
    texts = [TEXT, page(1), TEXT + "\nMore of it.", page(2)]
    expected, told, counted = count(write_lines(tmp_path / "a.jsonl", rows(texts)))
    assert (told, counted) == ([], (4, 0))
    table = pa.Table.from_pylist(rows(texts))
    dates = [None, pa.date32(), pa.timestamp("ns"), pa.timestamp("s", "UTC")]
    for number, kind in enumerate(dates):
        days = pa.array([f"2024-03-0{day}" for day in range(1, 5)]).cast(pa.timestamp("s"))
        column = table["date"] if kind is None else days.cast(kind)
        made = table.set_column(2, "date", column)
        for text in (pa.string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())):
            pq.write_table(made.set_column(0, "text", made["text"].cast(text)), tmp_path / f"{number}.parquet")
            assert count(tmp_path / f"{number}.parquet") == (expected, [], (4, 0))
    # The order, and how they are divided, mean nothing.
    (tmp_path / "parts").mkdir()
    for number in range(4):
        part = tmp_path / "parts" / f"{4 - number}.jsonl"
        write_lines(part, rows(texts)[number : number + 1])
    for inputs in ([tmp_path / "parts"], [tmp_path / "parts/*.jsonl"], [f"file://{tmp_path}/parts/*.jsonl"]):
        assert count(*inputs) == (expected, [], (4, 0))
    assert count(tmp_path / "a.jsonl", request=Request(form="text"))[0] != expected


def test_pages_of_a_crawl_are_those_of_json_lines(count, tmp_path):
    pages = [page(1), page(2)]
    made = [job_corpus.capture_of(number, text.encode()) for number, text in enumerate(pages)]
    (tmp_path / "a.warc").write_bytes(b"".join(made))
    captures, told, counted = count(tmp_path / "a.warc")
    assert (told, counted) == ([], (2, 0))
    (chunk,) = Reader(find_sources([str(tmp_path / "a.warc")]), Limits(), None, one_schema=False).chunks(Position(), 0)
    records = [{"text": text, **item.fields} for text, item in zip(pages, chunk.documents, strict=True)]
    assert count(write_lines(tmp_path / "a.jsonl", records))[0] == captures


def bytes_of(column):
    return [value and value.encode() for value in column]


URLS = [URL, None, "lantern.example", "https://other.example/1"]
DATES = ["2024-03-01", "2024-03-02T23:00:00Z", None, "no"]
DAYS = ["2024-03-01", "2024-03-02", None, None]
BESIDE = {
    "strings": {"url": URLS, "date": DATES},
    "bytes": {"url": bytes_of(URLS), "date": bytes_of(DATES), "charset": [b"utf-8"] * 4},
    "views": {"url": pa.array(URLS, pa.string_view()), "date": pa.array(DATES, pa.string_view())},
    "dates": {"url": pa.array(URLS).dictionary_encode(), "date": pa.array(DAYS).cast(pa.date32())},
    "no encodings": {"url": URLS, "date": DATES, "charset": [1, 2, 3, 4]},
    "an unknown zone": {
        "url": URLS,
        "date": pa.array(DAYS).cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", "A/B")),
    },
}
NO_DAYS = [pa.array(range(4), kind) for kind in (pa.time64("ns"), pa.duration("ns"), pa.int64())]


def counted_on_an_engine(table, cleaner, path):
    with LineCounts(KEY) as counts:
        for batch in table.to_batches(max_chunksize=3):
            counts.add_counts(partial_counts(batch, LineJudge(cleaner), KEY))
        counts.write(path, partial=True)
    return path.read_bytes()


@pytest.mark.parametrize("name", BESIDE)
def test_what_stands_beside_documents_has_many_types(cleaner, count, tmp_path, name):
    texts = [page(1).encode(), TEXT.encode(), page(2).encode(), TEXT.encode()]
    table = pa.table({"text": texts} | BESIDE[name])
    pq.write_table(table, tmp_path / "a.parquet")
    written, told, counted = count(tmp_path / "a.parquet")
    assert (len(told), counted) == (1, (3, 2))
    pq.write_table(pa.table({"text": texts} | BESIDE["strings"]), tmp_path / "b.parquet")
    assert written == count(tmp_path / "b.parquet")[0] == counted_on_an_engine(table, cleaner, tmp_path / "engine.db")


def test_what_is_no_date_and_no_site_counts_for_none(cleaner, count, tmp_path):
    texts = [page(1), TEXT] * 2
    nested = pa.array([[1], None, [], [2]], pa.list_(pa.timestamp("ns")))
    tables = [pa.table({"text": texts, "url": URLS, "date": column}) for column in (*NO_DAYS, nested)]
    two = pa.Table.from_arrays(
        [pa.array(texts), pa.array(URLS), *[pa.array(DAYS)] * 2], ["text", "url", "date", "date"]
    )
    for table in (*tables, two):
        pq.write_table(table, tmp_path / "a.parquet")
        written, _, counted = count(tmp_path / "a.parquet")
        assert counted == (3, 3)
        assert counted_on_an_engine(table, cleaner, tmp_path / "engine.db") == written
    numbers = pa.table({"text": texts, "url": [123] * 4, "date": DATES})
    pq.write_table(numbers, tmp_path / "a.parquet")
    written, told, counted = count(tmp_path / "a.parquet")
    assert (len(told), counted) == (4, (0, 0))
    assert counted_on_an_engine(numbers, cleaner, tmp_path / "engine.db") == written


def test_an_engine_leaves_too_long_documents_out(cleaner, monkeypatch):
    monkeypatch.setattr("cleaner.ingest.counting.DOCUMENT_BYTES", len(TEXT))
    batch = pa.record_batch({"text": [TEXT, TEXT + "!"], "url": [URL] * 2})
    assert partial_counts(batch, LineJudge(cleaner), KEY).column("documents").to_pylist() == [1, 1, 1]


def test_an_encoding_that_came_with_a_page_is_believed(count, tmp_path):
    text, code = page("Директор порта заявил, что новый кран привезут морем, и"), "iso8859-5"
    text = text.replace("caf\u00e9 re\u0301opened, ", "")
    told = {"url": [URL], "date": ["2024-03-01"]}
    tables = {
        "text": {"text": [text]},
        "told": {"text": [text.encode(code)], "charset": [code]},
        "guessed": {"text": [text.encode(code)]},
    }
    for name, columns in tables.items():
        pq.write_table(pa.table(columns | told), tmp_path / f"{name}.parquet")
    counts = {name: count(tmp_path / f"{name}.parquet")[0] for name in tables}
    assert counts["text"] == counts["told"] != counts["guessed"]


def test_what_cannot_be_counted_is_told_with_its_place(count, tmp_path):
    long = json.dumps({"text": "x" * 6000})
    path = write_lines(tmp_path / "a.jsonl", [*rows([TEXT]), {"text": TEXT, "url": "/ferry"}, {"text": 3}])
    path.write_text(
        path.read_text() + "no JSON\n" + long + "\n" + json.dumps({"url": URL, "text": TEXT}), encoding="utf-8"
    )
    _, told, counted = count(path)
    assert counted == (2, 1)
    places = {place.rpartition(":")[2]: reason for place, reason, _ in told}
    assert places == {
        "2": "no site in field 'url'",
        "3": "field 'text' is not a string",
        "4": "not JSON: Expecting value at character 1",
        "5": "longer than 5000 bytes",
    }
    assert [document for _, reason, document in told if "JSON" in reason] == [b"no JSON"]


def test_rows_that_cannot_be_counted_are_told_too(count, tmp_path, monkeypatch):
    monkeypatch.setattr("cleaner.ingest.counting.DOCUMENT_BYTES", 5000)
    table = pa.table({"text": [TEXT, None, TEXT, "x" * 6000], "url": [URL, URL, None, URL]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=3)
    _, told, counted = count(tmp_path)
    assert counted == (1, 1)
    assert [(place.rpartition("/")[2], reason) for place, reason, _ in told] == [
        ("a.parquet:0:2", "no site in field 'url'"),
        ("a.parquet:1:0", "longer than 5000 bytes"),
    ]
    with pytest.raises(InputError, match=r"a\.parquet: there is not one column 'body'"):
        count(tmp_path / "a.parquet", request=Request("body"))


def test_a_document_that_breaks_the_cleaner_takes_no_other_along(count, tmp_path, monkeypatch):
    from cleaner import pipeline
    from cleaner.page import cleaning

    def broken(do):
        def do_or_break(given, *rest):
            if "zzbreak" in given:
                raise ValueError("broken on purpose")
            return do(given, *rest)

        return do_or_break

    texts = [TEXT, page(1)]
    expected, _, _ = count(write_lines(tmp_path / "a.jsonl", rows(texts)))
    monkeypatch.setattr(pipeline, "split_lines", broken(pipeline.split_lines))
    monkeypatch.setattr(cleaning, "parse_markup", broken(cleaning.parse_markup))
    written, told, counted = count(write_lines(tmp_path / "b.jsonl", rows([*texts, "zzbreak", page("zzbreak")])))
    assert (written, counted) == (expected, (2, 0))
    assert [reason for _, reason, _ in told] == [
        "cleaning failed, please report this: ValueError: broken on purpose"
    ] * 2


@given(st.lists(st.sampled_from([TEXT, page(1), page(2), FERRY, ""]), max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_pages_and_texts_are_judged_alone_as_together(cleaner, texts, draw):
    documents = [Document("lantern.example", None, text) for text in texts]
    together = list(LineJudge(cleaner)(documents))
    order = draw.sample(range(len(texts)), len(texts))
    for number in order:
        assert list(LineJudge(cleaner)([documents[number]])) == [together[number]]


WITHOUT = """
import sys
class Hide:
    def find_spec(self, name, *_):
        if name in ("pyarrow", "msgspec", "fastwarc", "fsspec"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
from cleaner.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("name", "needs"), [("a.jsonl", None), ("-", None), ("a.parquet", "pyarrow"), ("a.warc", "fastwarc")]
)
def test_json_lines_need_nothing_that_is_extra(tmp_path, name, needs):
    lines = write_lines(tmp_path / "a.jsonl", rows([TEXT, page(1)])).read_bytes()
    for other in ("a.parquet", "a.warc"):
        (tmp_path / other).write_bytes(b"x")
    command = [sys.executable, "-c", WITHOUT, "sites", name, "-o", "sites.db"]
    done = subprocess.run(command, input=lines, capture_output=True, cwd=tmp_path, check=False)
    said = done.stderr.decode()
    assert (done.returncode, (tmp_path / "sites.db").exists()) == ((2, False) if needs else (0, True)), said
    assert (
        "counted 2 documents" in said if needs is None else f"needs {needs}" in said and "article-cleaner[jobs]" in said
    )
