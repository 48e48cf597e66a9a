"""A process that cleans chunks, one after the other: reads the model once, and ends when nobody sends any more.

It is a program of its own, not a fork of its parent: nothing is shared but a socket, so it can be killed at any moment.
"""

import ctypes
import gc
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

from cleaner.errors import CleanerError
from cleaner.ingest.arrow import ERROR, ArrowCleaner, Request, sizes_of, taken, told_of
from cleaner.ingest.encode import Encoded, Target, encoded, encoded_rows, read_items, read_lines, with_fields
from cleaner.ingest.sources import JSONL, PARQUET, WARC
from cleaner.options import Options
from cleaner.pipeline import Cleaner
from cleaner.report.tally import Tally, size_of

_PR_SET_PDEATHSIG: Final = 1
# A worker may have so many bytes of memory, of which it takes one in thirty for documents that mean no harm. Of 2 MB of
# single letters, a line each, it would take 1.7 GB, and of as many paragraphs of a page 4.4.
_MOST_MEMORY: Final = 4 << 30
# What a worker says when it has read the model.
READY: Final = "ready"


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker is told when it starts.

    ``document_bytes`` is the size above which a row is refused, ``site_lines`` the file of a table of ``clean sites``.
    """

    bundle: str | None
    options: Options
    request: Request
    target: Target
    document_bytes: int
    site_lines: str | None = None


class Task(NamedTuple):
    """Documents of one file, as items or as rows; ``name`` is that of the file, ``names`` are theirs in the account."""

    name: str
    names: list[str]
    format: str
    documents: Any


class Answer(NamedTuple):
    """What is written of the documents, how many there are, which could not be cleaned and why, and the account."""

    data: Any
    documents: int
    bad: list[tuple[int, str]]
    tally: Tally


class Lost(NamedTuple):
    """A task that came to nothing, and why; ``died`` says that the worker ended, which may be the fault of others."""

    reason: str
    died: bool = False


class Work:
    """Cleans tasks with one model."""

    def __init__(self, setup: Setup) -> None:
        """Read the model."""
        self._setup = setup
        self._cleaner = Cleaner.load(setup.bundle, setup.options, setup.site_lines)
        # What is read at the first document is read now, so that it has all of its time.
        self._cleaner.clean_batch([""])
        self.answer(Task("", [], JSONL, []))

    def answer(self, task: Task) -> Answer:
        """Clean one task."""
        done = (_Lines if task.format == JSONL else _Rows)(self._cleaner, self._setup, task)
        tally, bad, good = Tally(), done.bad, []
        for row, (number, size, outcome) in enumerate(zip(done.numbers, done.sizes, done.outcomes, strict=True)):
            if outcome.reason is not None:
                bad.append((number, outcome.reason))
                continue
            good.append(row)
            if outcome.result is not None:
                tally.add(task.names[number], size, outcome.result, outcome.seconds)
        for _, reason in bad:
            tally.add_error(reason)
        return Answer(done.written(good), len(good), sorted(bad), tally)


class _Lines:
    """Cleaned lines of JSON, of which nothing was decoded but the text and the URL.

    ``numbers`` are those of the documents in the task, ``sizes`` their bytes; ``bad`` could not be read, and why.
    """

    def __init__(self, cleaner: Cleaner, setup: Setup, task: Task) -> None:
        self._request, self._target = setup.request, setup.target
        self._clean = ArrowCleaner(cleaner, setup.request)
        lines, self.bad = read_lines(task.documents, setup.request)
        self._fields, self.numbers = lines.fields, lines.numbers
        self.sizes = list(map(size_of, lines.texts))
        self.outcomes = self._clean.outcomes(lines.texts, lines.urls, [None] * len(lines.texts))

    def written(self, good: list[int]) -> Encoded:
        """Some of them as they are written."""
        fields, outcomes = [self._fields[row] for row in good], [self.outcomes[row] for row in good]
        if self._target.format == PARQUET:
            rows = self._clean.told(with_fields(fields, self._request), outcomes)
            return encoded_rows(self._target, rows.drop_columns([ERROR]), self._request)
        records = (
            own | told_of(outcome.result, self._request)
            for own, outcome in zip(fields, outcomes, strict=True)
            if outcome.result is not None
        )
        return encoded(self._target, records, self._request)


class _Rows:
    """Cleaned rows of a table, files or captures; the same as of lines."""

    def __init__(self, cleaner: Cleaner, setup: Setup, task: Task) -> None:
        request, self._target, self._unasked = setup.request, setup.target, {ERROR}
        if isinstance(task.documents, list):
            # What is said of captures has names of its own; and their types said that they are pages.
            request = Request(request.text, "html" if task.format == WARC else request.form, extras=request.extras)
            batch = read_items(task.documents, request)
            self._unasked.add(request.charset)
        else:
            batch = task.documents
        sizes = sizes_of(batch, request.text)
        most = setup.document_bytes
        self.bad = [(number, f"longer than {most} bytes") for number, size in enumerate(sizes) if size > most]
        self.numbers = [number for number, size in enumerate(sizes) if size <= most]
        self.sizes = [sizes[number] for number in self.numbers]
        self._request = request
        self._batch = taken(batch, self.numbers) if self.bad else batch
        self._clean = ArrowCleaner(cleaner, request)
        self.outcomes = self._clean.outcomes_of(self._batch)

    def written(self, good: list[int]) -> Encoded:
        """Some of them as they are written."""
        rows = self._clean.told(self._batch, self.outcomes)
        rows = rows.drop_columns([name for name in rows.schema.names if name in self._unasked])
        return encoded_rows(self._target, rows if len(good) == rows.num_rows else taken(rows, good), self._request)


def main(descriptor: int) -> None:
    """Serve the other end of a socket until it is closed."""
    # An interrupt at the terminal is for the parent, which ends its workers itself; and none outlives its parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY if most < 0 else min(most, _MOST_MEMORY), most))
    with Connection(descriptor) as connection, suppress(EOFError, ConnectionError):
        try:
            work = Work(connection.recv())
        except CleanerError as error:
            connection.send(error)
            return
        # What is there now stays, so nobody need look through it for garbage; what comes is counted by references.
        gc.freeze()
        gc.set_threshold(100_000)
        connection.send(READY)
        while True:
            connection.send(_answer(work, connection.recv()))


def _answer(work: Work, task: Task) -> Answer | Lost | CleanerError:
    try:
        return work.answer(task)
    except CleanerError as error:
        # Of what was asked for, and not of one document.
        return type(error)(f"{task.name}: {error}")
    except Exception as error:  # noqa: BLE001 -- told with its type; which document it was is found out next
        return Lost(f"cleaning failed, please report this: {type(error).__name__}: {error}")
