"""The file that counts of lines are kept in: an SQLite database in one of two forms, checked before anybody reads it.

``partial`` holds for each site and fingerprint how many documents of each day have it, and so can be put together with
others. ``finished`` holds what serving asks for, of lines that more than one document has. Neither holds any text.

SQLite, because it comes with Python, so that neither counting nor serving needs anything installed. Measured on one
core with 600,000 and 3 million counts, appended 100,000 at a time and grouped at the end: SQLite 3.3 and 19.9 s (peak
190 and 745 MB with the test data itself), DuckDB 1.5 and 10.9 s (348 and 976 MB), SQLite with an upsert for each
count 6.2 and 31.8 s. Judging and hashing as many lines takes some 40 and 200 s, so the difference is no matter.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Final

from cleaner.errors import InputError
from cleaner.sites.fingerprints import FINGERPRINTS_VERSION, KEY_BYTES

# "clSL", so that file(1) and we can tell the databases from others.
APPLICATION_ID: Final = 0x636C534C
# How a database begins, and where it says whose it is: https://sqlite.org/fileformat.html
_SQLITE: Final = b"SQLite format 3\0"
_ID_AT: Final = 68
# Raised when a table changes, and with the fingerprints: one number for both is what a file names.
TABLES_VERSION: Final = 1
SITES_VERSION: Final = 100 * TABLES_VERSION + FINGERPRINTS_VERSION

PARTIAL, FINISHED = "partial", "finished"

# Days are ordinals as ``date.toordinal`` gives them; 0 is no day. Site numbers rise with the names of the sites, and
# tables are in the order of their keys: the same counts are the same rows, whatever order they came in.
SCHEMA: Final = {
    PARTIAL: {
        "sites": "site INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE",
        "counts": "site INTEGER, fingerprint INTEGER, day INTEGER, documents INTEGER, edges INTEGER, steps INTEGER,"
        " low INTEGER, high INTEGER, PRIMARY KEY (site, fingerprint, day)",
    },
    FINISHED: {
        "sites": "site INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, documents INTEGER, days INTEGER",
        "lines": "site INTEGER, fingerprint INTEGER, documents INTEGER, days INTEGER, edges INTEGER, steps INTEGER,"
        " varied INTEGER, first_day INTEGER, last_day INTEGER, PRIMARY KEY (site, documents, fingerprint)",
    },
}
# The keys of the tables.
_ORDER: Final = {"sites": "1", "counts": "1, 2, 3", "lines": "1, 3, 2"}
_ROWS_AT_ONCE: Final = 10_000


def is_table(path: Path) -> bool:
    """Whether a file says that it is such a database, in whatever state."""
    with path.open("rb") as file:
        head = file.read(_ID_AT + 4)
    return head.startswith(_SQLITE) and head[_ID_AT:] == APPLICATION_ID.to_bytes(4, "big")


def create_tables(connection: sqlite3.Connection, database: str, form: str) -> None:
    """Make the tables of a form in an attached database, and say in it what it is."""
    connection.execute(f"PRAGMA {database}.application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA {database}.user_version = {SITES_VERSION}")
    connection.execute(f"CREATE TABLE {database}.meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
    for table, columns in SCHEMA[form].items():
        rowid = "" if table == "sites" else " WITHOUT ROWID"
        connection.execute(f"CREATE TABLE {database}.{table} ({columns}){rowid}")


def seal(connection: sqlite3.Connection, database: str, form: str, key: bytes) -> None:
    """Write what a database holds beside its tables: its form, its key and the digest of its content."""
    meta = {"form": form.encode(), "key": key, "digest": content_digest(connection, database, form, key)}
    connection.executemany(f"INSERT INTO {database}.meta VALUES (?, ?)", meta.items())  # noqa: S608 -- a name of ours


def content_digest(connection: sqlite3.Connection, database: str, form: str, key: bytes) -> bytes:
    """The digest of all rows in order: the same for the same counts."""
    digest = blake2b(key, digest_size=16)
    for table in SCHEMA[form]:
        rows = connection.execute(f"SELECT * FROM {database}.{table} ORDER BY {_ORDER[table]}")  # noqa: S608 -- names of ours
        while some := rows.fetchmany(_ROWS_AT_ONCE):
            digest.update(repr(some).encode())
    return digest.digest()


def open_store(path: str | Path, form: str) -> tuple[sqlite3.Connection, dict[str, bytes]]:
    """A database, opened for reading only and checked, and what it says of itself.

    All rows are read once, a second for a million of them.

    Raises
    ------
    InputError
        When it is not there, not such a database, of another version or the other form, or damaged.
    """
    if not Path(path).is_file():
        raise InputError(f"cannot read {path}: there is no such file; `clean sites IN… -o {path}` makes one")
    with _damage(path):
        # A finished file is never written again, so no lock is needed; other threads may ask as well.
        uri = f"{Path(path).absolute().as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
    try:
        with _damage(path):
            return connection, _checked(connection, path, form)
    except BaseException:
        connection.close()
        raise


def _checked(connection: sqlite3.Connection, path: str | Path, form: str) -> dict[str, bytes]:
    ((application,),) = connection.execute("PRAGMA application_id")
    if application != APPLICATION_ID:
        raise InputError(f"{path} is no table of site lines; `clean sites IN… -o FILE` makes one")
    ((version,),) = connection.execute("PRAGMA user_version")
    if version != SITES_VERSION:
        raise InputError(f"{path} has version {version}, this program reads {SITES_VERSION}; count again: clean sites")
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    found = meta["form"].decode()
    if found != form:
        raise InputError(
            f"{path} is unfinished; finish it first: clean sites --merge {path} -o FILE"
            if found == PARTIAL
            else f"{path} is finished: lines of a single document are gone from it, so it can be merged with nothing; "
            "count with --partial what is to be merged"
        )
    if len(meta["key"]) != KEY_BYTES or content_digest(connection, "main", form, meta["key"]) != meta["digest"]:
        raise ValueError("its rows do not match its digest")
    return meta


@contextmanager
def _damage(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, LookupError, ValueError, TypeError, AttributeError, OSError) as error:
        raise InputError(f"{path} is damaged or no table of site lines ({error}); count again: clean sites") from error


def key_of(path: str | Path) -> bytes:
    """The key of an unfinished database, to count more with or to merge others into it."""
    connection, meta = open_store(path, PARTIAL)
    with closing(connection):
        return meta["key"]
