"""Repeated lines of sites: what is one line, counting and merging, the files, and what follows for a line."""

import os
import pickle
import sqlite3
import stat
from contextlib import closing
from datetime import date, timedelta
from textwrap import fill

import numpy as np
import pyarrow as pa
import pytest
import tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleaner import Cleaner, InputError, Kind, Options, Reason
from cleaner.errors import OptionError, OutputError
from cleaner.ingest import LineJudge, partial_counts
from cleaner.sites import SiteLines, site_of
from cleaner.sites.arrow import counts_schema, day_of, days_of
from cleaner.sites.counting import DOCUMENTS_AT_ONCE, EDGE_LINES, Document, LineCounts, check_target
from cleaner.sites.decision import ASKING, LEAST_DAYS, LEAST_DOCUMENTS, OTHER, is_repeated
from cleaner.sites.fingerprints import KEY_BYTES, mark_of, opening_bits, opening_of, slotted
from cleaner.sites.store import PARTIAL, SITES_VERSION, content_digest, key_of
from cleaner.sites.table import NOWHERE, Standing

KEY = bytes(range(KEY_BYTES))
FIRST = date(2024, 3, 1)
SITE = "lantern.example"


def by_length(documents):
    """A judge without a model: longer lines have higher scores."""
    for document in documents:
        lines = document.text.splitlines()
        yield lines, [min(len(line), 99) / 100 for line in lines]


def written(path, documents, *, partial=False, key=KEY):
    with LineCounts(key) as counts:
        counts.add(documents, by_length)
        counts.write(path, partial=partial)
    return path


def content(path):
    """All rows of a database, as they stand in it."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


def days(number, line, site=SITE):
    """So many documents, a day each, that hold a line."""
    return [Document(site, FIRST + timedelta(days=day), line) for day in range(number)]


# What is one line


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Join our 12,345 readers", "Join our 12,399 readers"),
        ("Read on for £4.50 a month", "Read on for £ 7 a month"),
        ("Noch 12 € bis zum Ziel der Sammlung", "Noch 1.250 EUR bis zum Ziel der Sammlung"),
        ("Our offer ends on 3 May 2024 at noon", "Our offer ends on June 14, 2025 at noon"),
        ("Die Aktion endet am 3. März um zwölf", "Die Aktion endet am 28. Juni um zwölf"),
        ("Подписка до 15 марта стоит меньше", "Подписка до 2 июня стоит меньше"),
        ("Write to our editor Orla Venn about this", "Write to our editor Tam van Usker Quill about this"),
        ("“Help us stay” – it’s easy", '"help us stay" - it\'s easy'),
        ("今月は残り12日、月額980円で読み放題です", "今月は残り3日、月額1,480円で読み放題です"),
    ],
)
def test_fillings_of_one_template_are_one_line(one, other):
    if "van" in other:
        # A particle in small letters is no part of a name: these two are not one, and that is the price.
        assert slotted(one) != slotted(other)
        other = other.replace("van ", "")
    assert mark_of(one, KEY).fingerprint == mark_of(other, KEY).fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Join our 12,345 readers", "Join our 12,345 writers"),
        ("Mayor Opens Bridge", "Mayor Closes Tunnel"),
        ("RUSSIAN MEDIATION FAILED", "RUSSIAN VISIT POSTPONED"),
        ("Der Hund im Garten", "Der Kater im Keller"),
        ("Orla Venn, Tam Usker", "Orla Venn, Ida Quillan"),
        ("read on for £4 a month", "read on for 4 a month"),
    ],
)
def test_lines_that_say_something_else_are_not(one, other):
    assert mark_of(one, KEY).fingerprint != mark_of(other, KEY).fingerprint


@pytest.mark.parametrize("line", ["", "2:1 (1:0)", "10:30", "– – –", "€ 12", "Live"])
def test_what_says_too_little_is_not_counted(line):
    assert mark_of(line, KEY) is None


def test_a_fingerprint_needs_the_key():
    line = "Would you miss us if we closed?"
    assert mark_of(line, KEY) == mark_of(line, KEY) != mark_of(line, bytes(KEY_BYTES))


@given(st.text(max_size=60))
@settings(max_examples=200)
def test_any_text_has_marks_of_64_bits_or_none(text):
    for number in mark_of(text, KEY) or ():
        assert -(2**63) <= number < 2**63 and number != 0


@given(
    st.lists(st.sampled_from(["Orla Venn", "12,345", "May 3, 2024", "€ 5", "read on", "“And", "a/B", "—"]), max_size=8)
)
@settings(max_examples=200)
def test_a_fingerprint_ends_in_the_opening_of_its_line(parts):
    line = " ".join(parts)
    if mark := mark_of(line, KEY):
        assert opening_bits(mark.fingerprint) == opening_of(line, KEY)


def test_fillings_have_one_opening():
    assert opening_of("12,345 people read us", KEY) == opening_of("7 people give", KEY) != opening_of("7 readers", KEY)


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.Lantern.example/a?b#c", SITE),
        ("//lantern.example:8080", SITE),
        ("https://user:word@lantern.example./", SITE),
        ("www.lantern.example", SITE),
        ("lantern.example/ferry", SITE),
        ("https://news.lantern.example", "news.lantern.example"),
        ("http://[::1]/x", "[::1]"),
        ("https://user@[2001:DB8::7]:8080", "[2001:db8::7]"),
        ("[2001:db8::7]:8080/x", "[2001:db8::7]"),
        ("[::1]", "[::1]"),
        *(
            (nothing, None)
            for nothing in ("", None, "/a", "mailto:us@lantern.example", "https://", "two words", "http://[", "[]")
        ),
    ],
)
def test_the_site_is_the_host(url, site):
    assert site_of(url) == site


def test_the_day_of_a_date():
    assert day_of("2024-03-01T23:00:00+02:00") == day_of(FIRST) == FIRST
    assert [day_of(value) for value in ("1 March 2024", None, 20240301, "2024-13-01", "")] == [None] * 5


def test_days_are_told_of_dates_times_and_texts_alone():
    day = date(2024, 3, 1)
    texts = pa.array(["2024-03-01T09:00:00Z", None, "no"])
    views = (pa.string_view(), pa.binary_view())
    for kind in (pa.string(), pa.large_string(), pa.binary(), *views, pa.dictionary(pa.int32(), pa.string())):
        assert days_of(texts.cast(kind)) == [day, None, None]
    assert days_of(pa.array([b"2024-03-01", None, b"2024-03-\xff1"], pa.binary(10))) == [day, None, None]
    morning = pa.array(["2024-03-01T09:00:00", None]).cast(pa.timestamp("us"))
    for zone in ("Foo/Bar", "GMT+08:00", "+08:00"):
        times = morning.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", zone))
        assert days_of(times) == days_of(times.dictionary_encode()) == [day, None]
    nested = pa.list_(pa.timestamp("ns")), pa.struct({"at": pa.timestamp("ns")})
    others = [pa.array([1], kind) for kind in (pa.time64("ns"), pa.duration("ns"), pa.int64(), pa.float64())]
    for column in (*others, pa.array([[1]], nested[0]), pa.array([{"at": 1}], nested[1]), pa.array([True])):
        assert days_of(column) == [None]


def test_the_days_of_a_column():
    late = pa.array([0, None, 20_000 * 86_400 - 1], pa.timestamp("s"))
    assert days_of(late) == [date(1970, 1, 1), None, date(2024, 10, 3)]
    assert days_of(late.cast(pa.timestamp("s", "Asia/Tokyo")))[2] == date(2024, 10, 4)
    assert days_of(pa.array([1, 400_000_000_000 * 10**6], pa.timestamp("us"))) == [date(1970, 1, 1), None]
    assert days_of(pa.array([1], pa.timestamp("ns"))) == [date(1970, 1, 1)]
    assert days_of(pa.array([FIRST, None], pa.date64())) == days_of(pa.array(["2024-03-01T9", "no"])) == [FIRST, None]
    assert days_of(pa.nulls(1)) == days_of(pa.array([20240301])) == [None]


# Counting

LINES = ["Join our 1 readers!", "Join our 22 readers!", "The council met on Tuesday.", "Nobody was hurt.", "2:1"]
DOCUMENTS = st.lists(
    st.builds(
        Document,
        st.sampled_from(["a.example", "b.example"]),
        st.none() | st.dates(FIRST, FIRST + timedelta(days=3)),
        st.lists(st.sampled_from(LINES), max_size=5).map("\n".join),
    ),
    max_size=12,
)
slow = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(DOCUMENTS, st.randoms(use_true_random=False))
@slow
def test_the_order_of_documents_changes_nothing(tmp_path, documents, draw):
    one = content(written(tmp_path / "one.db", documents))
    draw.shuffle(documents)
    assert content(written(tmp_path / "other.db", documents)) == one


@given(DOCUMENTS, st.integers(0, 12), st.integers(0, 12), st.booleans())
@slow
def test_counts_that_are_merged_are_those_that_were_made_together(tmp_path, documents, cut, other_cut, turned):
    first, last = sorted((cut, other_cut))
    # Each has a document of its own: what holds the same counts is not merged twice.
    own = [Document(f"{number}.example", None, "") for number in range(3)]
    parts = [[*documents[:first], own[0]], [*documents[first:last], own[1]], [*documents[last:], own[2]]]
    names = [written(tmp_path / f"{i}.db", part, partial=True) for i, part in enumerate(parts)]
    with LineCounts(KEY) as counts:
        # Two are merged before, in one order or the other.
        for name in names[2:0:-1] if turned else names[1:]:
            counts.add_file(name)
        counts.write(tmp_path / "pair.db", partial=True)
    for partial in (True, False):
        with LineCounts(KEY) as counts:
            for name in (tmp_path / "pair.db", names[0]):
                counts.add_file(name)
            counts.write(tmp_path / "merged.db", partial=partial)
        together = written(tmp_path / "together.db", [*documents, *own], partial=partial)
        assert content(tmp_path / "merged.db") == content(together)
        assert (tmp_path / "merged.db").read_bytes() == together.read_bytes()


@given(DOCUMENTS, st.integers(0, 12))
@slow
def test_counts_of_an_engine_are_those_that_were_made_here(tmp_path, documents, cut):
    with LineCounts(KEY) as counts:
        for part in (documents[:cut], documents[cut:]):
            columns = {
                "url": pa.array([f"https://www.{document.site}/x" for document in part], pa.string()),
                "text": pa.array([document.text for document in part], pa.string()),
                "date": pa.array([document.day for document in part], pa.date32()),
            }
            batch = partial_counts(pa.RecordBatch.from_pydict(columns), by_length, KEY)
            assert batch.schema == counts_schema()
            counts.add_counts(batch)
        counts.write(tmp_path / "engine.db")
    assert content(tmp_path / "engine.db") == content(written(tmp_path / "here.db", documents))


def test_an_engine_leaves_out_what_has_no_site_or_text():
    batch = pa.record_batch({"url": [None, SITE, SITE], "text": [LINES[0], None, LINES[0]]})
    assert partial_counts(batch, by_length, KEY).column("documents").to_pylist() == [1, 1]
    with pytest.raises(InputError, match="not one column 'text'"):
        partial_counts(batch.select(["url"]), by_length, KEY)
    with LineCounts(KEY) as counts, pytest.raises(InputError, match="documents, edges"):
        counts.add_counts(batch)


def test_a_line_counts_once_a_document(tmp_path):
    texts = ["\n".join([LINES[0], LINES[2], LINES[1], LINES[0]]), LINES[2], "Join our 1 readers!"]
    table = SiteLines(written(tmp_path / "t.db", [Document(SITE, FIRST, text) for text in texts]))
    assert table.standing(SITE, LINES[0])[:2] == (2, 1)
    assert table.documents(SITE) == 3


def test_days_are_counted_and_documents_without_one_are_not_lost(tmp_path):
    documents = [*days(3, LINES[2]), *days(2, LINES[2]), Document(SITE, None, LINES[2]), Document(SITE, None, "x")]
    path = written(tmp_path / "t.db", documents)
    standing = SiteLines(path).standing(SITE, LINES[2])
    assert (standing.documents, standing.days, standing.of) == (6, 3, 7)
    ((*_, first, last),) = content(path)["lines"]
    assert (first, last) == (FIRST.toordinal(), FIRST.toordinal() + 2)


def test_scores_edges_and_fillings(tmp_path):
    many = ["x" * 20] * (EDGE_LINES + 2)
    inside, end = [*many[:1], LINES[0], *many], [*many, LINES[1]]
    table = SiteLines(written(tmp_path / "t.db", [Document(SITE, FIRST, "\n".join(t)) for t in (inside, end, end)]))
    standing = table.standing(SITE, LINES[0])
    assert standing.edge_share == pytest.approx(2 / 3)
    assert standing.score == pytest.approx((len(LINES[0]) + 2 * len(LINES[1])) / 300)
    assert standing.varied and not table.standing(SITE, many[0]).varied


def test_lines_of_one_document_are_kept_only_for_merging(tmp_path):
    documents = [Document(SITE, FIRST, LINES[2])]
    assert content(written(tmp_path / "t.db", documents))["lines"] == []
    assert len(content(written(tmp_path / "p.db", documents, partial=True))["counts"]) == 2  # and the document


def test_memory_is_bounded(tmp_path, monkeypatch):
    documents = [Document(f"{i % 3}.example", FIRST, "\n".join(LINES)) for i in range(2 * DOCUMENTS_AT_ONCE)]
    together = content(written(tmp_path / "together.db", documents))
    monkeypatch.setattr("cleaner.sites.counting.COUNTS_IN_MEMORY", 2)
    monkeypatch.setattr("cleaner.sites.counting.DOCUMENTS_AT_ONCE", 7)
    assert content(written(tmp_path / "apart.db", documents)) == together


# Files


def test_no_text_is_in_the_database(tmp_path):
    data = b"".join(written(tmp_path / f"{p}.db", days(4, LINES[2]), partial=p).read_bytes() for p in (0, 1))
    assert SITE.encode() in data
    assert not any(word in data.lower() for word in (b"council", b"tuesday"))


def test_a_line_stands_only_in_its_site(tmp_path):
    table = SiteLines(written(tmp_path / "t.db", days(4, LINES[2])))
    assert table.standing("https://www.lantern.example/x", LINES[2]).documents == 4
    assert table.standing("other.example", LINES[2]) == table.standing(SITE, "Nobody was hurt.") == NOWHERE
    assert table.standing(SITE, "2:1") == NOWHERE


def test_lines_that_are_frequent(tmp_path):
    documents = [*days(4, LINES[2]), *days(3, LINES[3]), *days(3, "x" * 20)]
    table = SiteLines(written(tmp_path / "t.db", documents))
    assert len(table.frequent(SITE, 3, 0.0)) == 3
    assert (
        table.frequent(SITE, 4, 0.0)
        == table.frequent(SITE, 0, 0.31)
        == {table.fingerprint(LINES[2]): table.standing(SITE, LINES[2])}
    )
    assert (
        table.frequent(SITE, 5, 0.0) == table.frequent(SITE, 0, 0.41) == table.frequent("other.example", 0, 0.0) == {}
    )


def test_the_same_counts_have_the_same_digest(tmp_path):
    one, other = (SiteLines(written(tmp_path / f"{i}.db", days(4, LINES[2]))) for i in range(2))
    assert one.digest == other.digest != SiteLines(written(tmp_path / "5.db", days(5, LINES[2]))).digest


def test_a_pickle_names_the_file_and_knows_another(tmp_path, monkeypatch):
    table = SiteLines(written(tmp_path / "t.db", days(4, LINES[2])))
    data = pickle.dumps(table)
    assert len(data) < 500
    monkeypatch.chdir("/")
    assert pickle.loads(data).standing(SITE, LINES[2]) == table.standing(SITE, LINES[2])
    written(tmp_path / "t.db", days(5, LINES[2]))
    with pytest.raises(InputError, match=r"t\.db is another table"):
        pickle.loads(data)


def changed(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "there is no such file"),
        (lambda path: path.write_bytes(b""), "no table of site lines"),
        (lambda path: path.write_bytes(b"This is no database." * 99), "damaged or no table"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "damaged"),
        (lambda path: changed(path, "PRAGMA application_id = 7"), "no table of site lines"),
        (lambda path: changed(path, "UPDATE lines SET documents = documents + 1"), "digest"),
        (lambda path: changed(path, "DELETE FROM sites"), "digest"),
        (lambda path: changed(path, "DROP TABLE lines"), "damaged"),
        (lambda path: changed(path, "DELETE FROM meta WHERE name = 'key'"), "damaged"),
        (lambda path: changed(path, "UPDATE meta SET value = 'short' WHERE name = 'key'"), "damaged"),
        (lambda path: changed(path, f"PRAGMA user_version = {SITES_VERSION + 1}"), f"version {SITES_VERSION + 1}"),
    ],
)
def test_what_cannot_be_trusted_is_refused(tmp_path, damage, message):
    path = written(tmp_path / "t.db", days(4, LINES[2]))
    SiteLines(path)
    damage(path)
    with pytest.raises(InputError, match=message) as refused:
        SiteLines(path)
    assert "t.db" in str(refused.value) and "clean sites" in str(refused.value)


def test_finished_and_partial_are_not_taken_for_each_other(tmp_path):
    finished = written(tmp_path / "f.db", days(4, LINES[2]))
    partial = written(tmp_path / "p.db", days(4, LINES[2]), partial=True)
    with pytest.raises(InputError, match=r"p\.db is unfinished; finish it first: clean sites --merge"):
        SiteLines(partial)
    with LineCounts(KEY) as counts, pytest.raises(InputError, match=r"f\.db is finished.*--partial"):
        counts.add_file(finished)


def test_other_keys_are_not_merged(tmp_path):
    partial = written(tmp_path / "p.db", days(4, LINES[2]), partial=True)
    assert key_of(partial) == KEY
    with LineCounts() as counts, pytest.raises(InputError, match=r"p\.db was counted with another key"):
        counts.add_file(partial)


def test_what_stood_there_stays_when_writing_fails(tmp_path, monkeypatch):
    path = written(tmp_path / "t.db", days(4, LINES[2]))
    before = path.read_bytes()
    monkeypatch.setattr("cleaner.disk._sync", lambda _: (_ for _ in ()).throw(OSError(28, "no space left")))
    with pytest.raises(OutputError, match=r"cannot write .*t\.db: no space left"):
        written(path, days(5, LINES[2]))
    assert path.read_bytes() == before
    assert [child.name for child in tmp_path.iterdir()] == ["t.db"]
    with pytest.raises(OutputError):
        written(tmp_path / "nowhere" / "t.db", [])


def test_nothing_but_a_table_is_replaced(tmp_path):
    (tmp_path / "notes.txt").write_text("not a table")
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE t (x)")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("notes.txt")
    (tmp_path / "link to the pipe").symlink_to("pipe")
    before = {path.name: path.lstat() for path in tmp_path.iterdir()}
    for name in before:
        with pytest.raises(OptionError, match=f"{name} is no "):
            check_target(tmp_path / name)
        with pytest.raises(OptionError, match=f"{name} is no "):
            written(tmp_path / name, [])
    assert {path.name: path.lstat().st_ino for path in tmp_path.iterdir()} == {
        name: found.st_ino for name, found in before.items()
    }
    assert (tmp_path / "notes.txt").read_text() == "not a table"


def test_a_table_that_is_replaced_keeps_its_mode(tmp_path):
    path = written(tmp_path / "t.db", days(4, LINES[2]))
    fresh = path.stat().st_mode
    path.chmod(0o640)
    (tmp_path / "link.db").symlink_to("t.db")
    written(tmp_path / "link.db", days(5, LINES[2]))
    assert (stat.S_IMODE(path.stat().st_mode), SiteLines(path).documents(SITE)) == (0o640, 5)
    path.write_bytes(path.read_bytes()[:3000])
    assert written(path, days(3, LINES[2]), partial=True).stat().st_mode != fresh, "a damaged one is replaced too"


def test_the_same_counts_are_merged_once(tmp_path):
    path = written(tmp_path / "p.db", days(4, LINES[2]), partial=True)
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    for other in (path, copy):
        with LineCounts(KEY) as counts:
            counts.add_file(path)
            with pytest.raises(InputError, match=rf"{other.name} holds the same counts as .*p\.db"):
                counts.add_file(other)
    with LineCounts(KEY) as counts:
        for name in ("one.db", "other.db"):
            counts.add_file(written(tmp_path / name, [], partial=True))


def test_the_digest_covers_every_table(tmp_path):
    path = written(tmp_path / "p.db", days(2, LINES[2]), partial=True)
    with closing(sqlite3.connect(path)) as connection:
        before = content_digest(connection, "main", PARTIAL, KEY)
        connection.execute("UPDATE counts SET steps = steps + 1")
        assert content_digest(connection, "main", PARTIAL, KEY) != before
        assert content_digest(connection, "main", PARTIAL, bytes(KEY_BYTES)) != before


# What follows for a line

ENOUGH = Standing(documents=20, days=15, edges=0, steps=20 * 4000, varied=0, of=1000)


@pytest.mark.parametrize(
    ("change", "length", "asking", "other"),
    [
        ({"steps": 20 * 6000}, 80, True, True),
        ({}, 80, True, False),
        ({"days": 1}, 80, False, False),
        ({"days": LEAST_DAYS - 1}, 80, False, False),
        ({"documents": LEAST_DOCUMENTS - 1, "steps": 9000}, 80, False, False),
        ({"of": 10_000}, 80, False, False),
        ({"steps": 20 * 1000}, 80, False, False),
        ({"steps": 20 * 1000, "varied": 1, "edges": 15}, 80, True, True),
        ({"steps": 20 * 300, "varied": 1, "edges": 15}, 80, True, False),
        ({"steps": 20 * 1000, "varied": 1, "edges": 2}, 80, False, False),
        ({"steps": 20 * 1000, "varied": 0, "edges": 15}, 80, False, False),
        ({"steps": 20 * 1200, "of": 60}, 80, True, False),
        ({"steps": 20 * 2000, "of": 60}, 80, True, True),
        ({"steps": 0, "varied": 1, "edges": 20, "of": 20}, 80, False, False),
        ({"steps": 20 * 6000}, 20, False, False),
        ({"steps": 20 * 8000}, 20, True, True),
    ],
)
def test_the_evidence_that_is_enough(change, length, asking, other):
    standing = ENOUGH._replace(**change)
    assert (is_repeated(standing, length, ASKING), is_repeated(standing, length, OTHER)) == (asking, other)


APPEAL = "A line of medium length that zzappeal stands in, and that asks for {} pounds."
STORY = ["The council met on Tuesday and voted for the bridge, and then it went on to the ferry, at some length."]
DOUBT = 0.6  # the tiny model is sure of its markers, so its threshold is moved out of their reach


@pytest.fixture(scope="module")
def doubtful(tmp_path_factory):
    """A bundle that finds appeals likely, and never likely enough."""
    from cleaner.model.bundle import WEIGHTS

    never = {zone: {kind.value: 1.0 for kind in tiny.REMOVABLE} for zone in ("edge", "inside")}
    arrays = tiny.arrays()
    arrays["score_to"] = np.array([0.0, DOUBT])
    folder = tiny.write_bundle(tmp_path_factory.mktemp("doubtful") / "b", tiny.npz(arrays), thresholds=never)
    assert (folder / WEIGHTS).exists()
    return folder


@pytest.fixture
def cleaner_with(doubtful, tmp_path):
    """A cleaner that knows the lines of some documents."""

    def make(documents):
        with LineCounts(KEY) as counts:
            counts.add(documents, LineJudge(Cleaner.load(doubtful)))
            counts.write(tmp_path / "sites.db")
        return Cleaner.load(doubtful, site_lines=tmp_path / "sites.db")

    return make


def issues(number, line, day=lambda number: number):
    """So many documents: a story each, and a line that is filled anew."""
    return [
        Document(SITE, FIRST + timedelta(days=day(i)), f"Story {'abcdefghij'[i]} of the day.\n{line.format(i)}")
        for i in range(number)
    ]


TEXT = "\n".join([*STORY, APPEAL.format(99)])


def test_an_appeal_below_the_threshold_goes_for_its_site(cleaner_with):
    cleaner = cleaner_with(issues(6, APPEAL))
    (line,) = cleaner.clean(TEXT, site="https://www.lantern.example/story").removed
    assert (line.raw, line.kind, line.reason) == (APPEAL.format(99), Kind.APPEAL, Reason.SITE)
    assert line.score == pytest.approx(DOUBT, abs=0.01)
    assert cleaner.clean(TEXT).removed == cleaner.clean(TEXT, site="other.example").removed == ()


@pytest.mark.parametrize(
    ("documents", "text"),
    [
        (issues(2, APPEAL), TEXT),
        (issues(6, APPEAL, lambda _: 0), TEXT),
        (issues(6, "A line of medium length that stands in every issue, for {} pounds or so."), TEXT),
        (issues(6, APPEAL), f"{APPEAL.format(1)}\n{TEXT}\n{APPEAL.format(1)}".replace("99", "1")),
        (issues(6, "We zzappeal to you."), "\n".join([*STORY, "We zzappeal to you."])),
        (issues(6, STORY[0]), TEXT.replace(APPEAL.format(99), "")),
    ],
    ids=["few documents", "one day only", "another line", "a refrain", "a short sentence", "content"],
)
def test_a_line_does_not_go_because_it_repeats(cleaner_with, documents, text):
    assert cleaner_with(documents).clean(text, site=SITE).removed == ()


def test_the_caller_has_the_last_word(cleaner_with):
    cleaner = cleaner_with(issues(6, APPEAL))
    for options in (Options(keep=["appeal"]), Options(threshold=0.99), Options(thresholds={"appeal": 0.99})):
        assert cleaner.clean(TEXT, options, site=SITE).removed == ()


def test_a_batch_gives_what_each_text_gives_alone_and_so_does_a_pickle(cleaner_with):
    cleaner = cleaner_with(issues(6, APPEAL))
    sites = [SITE, None, "other.example", SITE]
    alone = [cleaner.clean(TEXT, site=site) for site in sites]
    assert cleaner.clean_batch([TEXT] * 4, sites=sites) == alone
    assert [len(result.removed) for result in alone] == [1, 0, 0, 1]
    assert pickle.loads(pickle.dumps(cleaner)).clean_batch([TEXT] * 4, sites=sites) == alone
    with pytest.raises(ValueError, match="zip"):
        cleaner.clean_batch([TEXT] * 4, sites=[SITE])


def test_without_a_table_a_site_means_nothing(doubtful):
    cleaner = Cleaner.load(doubtful)
    assert cleaner.clean(TEXT, site=SITE) == cleaner.clean(TEXT)


def test_a_document_of_which_nothing_is_left_stays(cleaner_with):
    result = cleaner_with(issues(6, APPEAL)).clean(APPEAL.format(5), site=SITE)
    assert (result.text, result.lines[0].reason) == (APPEAL.format(5), Reason.BUDGET)


def test_hard_wrapped_text_is_counted_by_its_paragraphs(cleaner_with):
    story = "On {} the council met in the old hall, and it was late when all had spoken and the vote on the bridge came"
    appeal = "This paper zzappeal is paid by the people who read it, and {} of them have joined since the winter began"
    texts = [
        "\n\n".join(
            fill(text, 60) for text in [*map(story.format, ["Monday", "Friday", "Sunday"]), appeal.format(number)]
        )
        for number in range(6)
    ]
    documents = [Document(SITE, FIRST + timedelta(days=day), text) for day, text in enumerate(texts)]
    removed = cleaner_with(documents).clean(texts[0], site=SITE).removed
    assert [line.raw for line in removed] == texts[0].splitlines()[-2:]
    assert {line.reason for line in removed} == {Reason.SITE}


class OneLine:
    """A table in which one line stands everywhere."""

    def __init__(self, line):
        self.line = line

    def frequent(self, site, *_):
        return {7: ENOUGH._replace(steps=20 * 6000)} if site == "https://www.lantern.example/x" else {}

    def opening(self, _):
        return 7

    def fingerprint(self, line):
        return 7 if line == self.line else None


def test_a_block_of_a_page_goes_for_the_site_of_its_address(monkeypatch):
    monkeypatch.setattr("cleaner.sites.decision.LEAST_SCORE", 0.0)
    other = "The ferry will sail again in December, and the council has found the money for a third crew."
    page = f"<p>{STORY[0]}</p><p>{other}</p><p>{STORY[0].replace('bridge', 'tunnel')}</p>"
    cleaner = Cleaner(Cleaner.load()._bundle, site_lines=OneLine(other))
    (gone,) = cleaner.clean_html(page, url="https://www.lantern.example/x").removed
    assert (gone.raw, gone.reason) == (other, Reason.SITE)
    assert cleaner.clean_html(page).removed == cleaner.clean_html(page, url="https://other.example/x").removed == ()
