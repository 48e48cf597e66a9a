"""Counts in how many documents of a site a line stands, and on how many days: one pass, in bounded memory.

Counts are gathered in memory until there are many, and then appended to a temporary database on disk; sorting and
adding them up is left to the end, because appending takes half the time of looking each up. A line counts once a
document. Counts are added up and days are united, so neither order nor division of the documents changes the table.
"""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date
from itertools import islice
from pathlib import Path
from secrets import token_bytes
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from cleaner.disk import put_in_place
from cleaner.errors import InputError, OptionError, OutputError
from cleaner.model.scorer import DECIMALS
from cleaner.sites.fingerprints import DOCUMENT, KEY_BYTES, mark_of
from cleaner.sites.store import FINISHED, PARTIAL, SCHEMA, create_tables, is_table, open_store, seal

if TYPE_CHECKING:
    from pyarrow import RecordBatch

NO_DAY: Final = 0
# Scores are added up as whole numbers of their last decimal, so that their order does not matter.
STEPS: Final = 10**DECIMALS
# A line stands at an edge of a document when it is the first or one of so many last lines.
EDGE_LINES: Final = 3
# Documents that are judged together.
DOCUMENTS_AT_ONCE: Final = 256
# So many counts are held in memory, about 60 MB; SQLite has a cache of as much.
COUNTS_IN_MEMORY: Final = 300_000
CACHE_KIBIBYTES: Final = 65_536


class Count(NamedTuple):
    """What is counted: a line of a site on a day; ``fingerprint`` 0 stands for the documents themselves."""

    site: str
    fingerprint: int
    day: int


class Tally(NamedTuple):
    """In how many documents, in how many of them at an edge, and what the model said there, in steps, all together.

    ``low`` and ``high`` are the least and the greatest of the fillings: they differ when the template was varied.
    """

    documents: int
    edges: int
    steps: int
    low: int
    high: int

    def plus(self, other: "Tally") -> "Tally":
        """Both together, when they are of different documents."""
        return Tally(
            self.documents + other.documents,
            self.edges + other.edges,
            self.steps + other.steps,
            min(self.low, other.low),
            max(self.high, other.high),
        )

    def within(self, other: "Tally") -> "Tally":
        """Both together, when they are of one document: what speaks for the line less counts."""
        return Tally(
            1,
            min(self.edges, other.edges),
            min(self.steps, other.steps),
            min(self.low, other.low),
            max(self.high, other.high),
        )


class Document(NamedTuple):
    """A document to count: the host that published it, the day if it is known, and its text, or the page that it is.

    ``charset`` is the encoding that came with a page in bytes, ``name`` what messages call the document.
    """

    site: str
    day: date | None
    text: str | bytes
    charset: str | None = None
    name: str = ""


Scored = tuple[Sequence[str], Sequence[float]]
"""The normalised lines of a document, and what the model says of each."""
Judge = Callable[[Sequence[Document]], Iterable[Scored | None]]
"""Scores documents, in order; what it has nothing for counts for nothing. See ``cleaner.ingest.LineJudge``."""


def new_key() -> bytes:
    """A key for fingerprints. Databases can be merged when they were counted with the same."""
    return token_bytes(KEY_BYTES)


def counts_of(documents: Iterable[Document], judge: Judge, key: bytes) -> dict[Count, Tally]:
    """What some documents add: each counts once, and once each of its lines."""
    total: dict[Count, Tally] = {}
    documents = list(documents)
    for document, scored in zip(documents, judge(documents), strict=True):
        if scored is not None:
            add_up(total, _counts_of_one(document, *scored, key).items())
    return total


def _counts_of_one(document: Document, lines: Sequence[str], scores: Sequence[float], key: bytes) -> dict[Count, Tally]:
    site, day = document.site, document.day.toordinal() if document.day else NO_DAY
    counts = {Count(site, DOCUMENT, day): Tally(1, 0, 0, DOCUMENT, DOCUMENT)}
    for place, (line, score) in enumerate(zip(lines, scores, strict=True)):
        if mark := mark_of(line, key):
            edge = int(place == 0 or place >= len(lines) - EDGE_LINES)
            tally = Tally(1, edge, round(score * STEPS), mark.filling, mark.filling)
            count = Count(site, mark.fingerprint, day)
            counts[count] = tally.within(counts.get(count, tally))
    return counts


def check_target(path: str | Path) -> None:
    """Refuse to write a table where something stands that is none.

    Raises
    ------
    OptionError
        When it is no regular file, or another one than a table of site lines.
    OutputError
        When nobody can tell.
    """
    target = Path(path)
    with _unwritable(path):
        if not target.exists():
            return
        if not stat.S_ISREG(target.stat().st_mode):
            raise OptionError(f"{path} is no regular file, and a table cannot be written to it; name another file")
        if not is_table(target):
            raise OptionError(f"{path} is no table of site lines, which alone is replaced; name another file")


def add_up(total: dict[Count, Tally], more: Iterable[tuple[Count, Tally]]) -> None:
    """Add some counts to others."""
    for count, tally in more:
        total[count] = tally.plus(total[count]) if count in total else tally


class LineCounts:
    r"""Counts under way. Add documents, partial counts or unfinished databases, then ``write``; a context manager.

    >>> from tempfile import TemporaryDirectory
    >>> from cleaner import Cleaner
    >>> from cleaner.ingest import LineJudge
    >>> from cleaner.sites import SiteLines
    >>> days = [Document("lantern.example", date(2024, 5, day), f"Write to our {day} editors!") for day in (1, 2, 3)]
    >>> with TemporaryDirectory() as folder, LineCounts() as counts:
    ...     counts.add(days, LineJudge(Cleaner.load()))
    ...     counts.write(f"{folder}/sites.db")
    ...     standing = SiteLines(f"{folder}/sites.db").standing("lantern.example", "Write to our 77 editors!")
    >>> standing.documents, standing.days, standing.varied, standing.of
    (3, 3, 1, 3)
    """

    def __init__(self, key: bytes | None = None) -> None:
        """Begin with nothing; without a key, with a new one."""
        self.key = new_key() if key is None else key
        if len(self.key) != KEY_BYTES:
            raise OptionError(f"a key has {KEY_BYTES} bytes, not {len(self.key)}")
        self._waiting: dict[Count, Tally] = {}
        # The files that were added, by their digests.
        self._files: dict[bytes, str | Path] = {}
        # The empty name is a database on disk that goes away by itself.
        self._work = sqlite3.connect("", isolation_level=None)
        self._work.execute("PRAGMA journal_mode = OFF")
        self._work.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
        for part in _WORKING:
            self._work.execute(f"CREATE {part}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let go of what was not written."""
        self._work.close()

    def add(self, documents: Iterable[Document], judge: Judge) -> None:
        """Count documents, as many at a time as ``DOCUMENTS_AT_ONCE``. One without a day counts for no day."""
        waiting = iter(documents)
        while some := list(islice(waiting, DOCUMENTS_AT_ONCE)):
            self._add(counts_of(some, judge, self.key).items())

    def _add(self, counts: Iterable[tuple[Count, Tally]]) -> None:
        add_up(self._waiting, counts)
        if len(self._waiting) >= COUNTS_IN_MEMORY:
            self._append()

    def add_counts(self, batch: "RecordBatch") -> None:
        """Add partial counts as ``arrow.partial_counts`` makes them, with the key of these."""
        self._add(_rows_of(batch))

    def add_file(self, path: str | Path) -> None:
        """Add an unfinished database.

        Raises
        ------
        InputError
            When it cannot be read, is finished, was counted with another key, or its counts were added before.
        """
        connection, meta = open_store(path, PARTIAL)
        with closing(connection):
            if meta["key"] != self.key:
                raise InputError(f"{path} was counted with another key; count again with --key-of one of the others")
            if (digest := meta["digest"]) in self._files and connection.execute("SELECT 1 FROM counts").fetchone():
                raise InputError(f"{path} holds the same counts as {self._files[digest]}, and would count them twice")
            self._files[digest] = path
            self._log(connection.execute(_ROWS))

    def write(self, path: str | Path, *, partial: bool = False) -> None:
        """Write the database beside its target and rename it; ``partial`` keeps what merging needs.

        A table that stood there is replaced, and its mode kept.

        Raises
        ------
        OptionError
            When something else stands there, see ``check_target``.
        OutputError
            When it cannot be written; what stood there before still does.
        """
        check_target(path)
        self._append()
        target = Path(path).resolve()
        beside = target.with_name(f".{target.name[:50]}.{os.getpid()}.tmp")
        with _unwritable(path):
            # Refuses a name that somebody else has taken.
            beside.touch(exist_ok=False)
            try:
                self._write(beside, PARTIAL if partial else FINISHED)
                if target.exists():
                    beside.chmod(stat.S_IMODE(target.stat().st_mode))
                put_in_place(beside, target)
            finally:
                beside.unlink(missing_ok=True)

    def _append(self) -> None:
        self._log((*count, *tally) for count, tally in self._waiting.items())
        self._waiting.clear()

    def _log(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Append counts, with names of sites, to those on disk."""
        numbers: dict[str, int] = dict(self._work.execute("SELECT name, site FROM names"))
        with _transaction(self._work):
            self._work.executemany(
                "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                ((numbers.get(name) or self._number(name, numbers), *rest) for name, *rest in rows),
            )
            self._work.executemany(
                "INSERT OR IGNORE INTO names VALUES (?, ?)", [(n, name) for name, n in numbers.items()]
            )

    @staticmethod
    def _number(name: str, numbers: dict[str, int]) -> int:
        """The number of a site that was not met before."""
        return numbers.setdefault(name, len(numbers) + 1)

    def _write(self, beside: Path, form: str) -> None:
        self._work.execute("ATTACH ? AS target", [str(beside)])
        try:
            self._work.execute("PRAGMA target.journal_mode = OFF")
            self._work.execute("PRAGMA target.synchronous = OFF")
            with _transaction(self._work):
                create_tables(self._work, "target", form)
                for statement in _RANK:
                    self._work.execute(statement)
                for table in SCHEMA[form]:
                    self._work.execute(_FILL[form, table])
                seal(self._work, "target", form, self.key)
        finally:
            # A database that could not be written to may not let go; what is told is why.
            with suppress(sqlite3.Error):
                self._work.execute("DETACH target")


def _rows_of(batch: "RecordBatch") -> Iterator[tuple[Count, Tally]]:
    """The rows of a batch of partial counts."""
    names = (*Count._fields, *Tally._fields)
    if missing := set(names) - set(batch.schema.names):
        raise InputError(f"partial counts have the columns {', '.join(names)}; {', '.join(sorted(missing))} is missing")
    for site, number, day, *sums in zip(*(batch.column(name).to_pylist() for name in names), strict=True):
        yield Count(site, number, day.toordinal() if day else NO_DAY), Tally._make(sums)


_ROWS = "SELECT name, fingerprint, day, documents, edges, steps, low, high FROM counts JOIN sites USING (site)"
# What the temporary database holds. Fingerprint 0 is ``DOCUMENT``, and day 0 is ``NO_DAY``.
_WORKING = (
    "TABLE names (site INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """
    TABLE log (
        site INTEGER, fingerprint INTEGER, day INTEGER, documents INTEGER, edges INTEGER, steps INTEGER, low INTEGER,
        high INTEGER
    )
    """,
    # Sites by name, so that their numbers do not depend on who was met first.
    "TABLE ranked (site INTEGER PRIMARY KEY, name TEXT, number INTEGER)",
    # What was logged, added up.
    """
    VIEW counts AS
    SELECT number AS site, fingerprint, day, SUM(documents) AS documents, SUM(edges) AS edges,
        SUM(steps) AS steps, MIN(low) AS low, MAX(high) AS high
    FROM log JOIN ranked USING (site) GROUP BY 1, 2, 3
    """,
)
_RANK = (
    "DELETE FROM ranked",
    "INSERT INTO ranked SELECT site, name, row_number() OVER (ORDER BY name) FROM names",
)
_FILL = {
    (PARTIAL, "sites"): "INSERT INTO target.sites SELECT number, name FROM ranked ORDER BY number",
    (PARTIAL, "counts"): "INSERT INTO target.counts SELECT * FROM main.counts ORDER BY 1, 2, 3",
    (FINISHED, "sites"): """
        INSERT INTO target.sites
        SELECT counts.site, name, SUM(documents), COUNT(NULLIF(day, 0))
        FROM main.counts JOIN ranked ON counts.site = number WHERE fingerprint = 0 GROUP BY 1, 2 ORDER BY 1
    """,
    (FINISHED, "lines"): """
        INSERT INTO target.lines
        SELECT site, fingerprint, SUM(documents), COUNT(NULLIF(day, 0)), SUM(edges), SUM(steps), MIN(low) < MAX(high),
            COALESCE(MIN(NULLIF(day, 0)), 0), MAX(day)
        FROM main.counts WHERE fingerprint <> 0 GROUP BY 1, 2 HAVING SUM(documents) > 1 ORDER BY 1, 3, 2
    """,
}


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def _unwritable(path: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise OutputError(f"cannot write {path}: {error}") from error
