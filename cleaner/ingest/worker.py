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
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cleaner.errors import CleanerError
from cleaner.ingest.arrow import ERROR, ArrowCleaner, Outcome, Request, taken, type_of_text
from cleaner.ingest.encode import Target, encoded, read_items, read_lines
from cleaner.ingest.needs import needed
from cleaner.ingest.sources import JSONL, WARC
from cleaner.options import Options
from cleaner.pipeline import Cleaner
from cleaner.report.tally import Tally

if TYPE_CHECKING:
    import pyarrow as pa

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
        setup, request, tally = self._setup, self._setup.request, Tally()
        rest: list[dict[str, Any]] | None = None
        bad: list[tuple[int, str]] = []
        if task.format == JSONL:
            batch, rest, numbers, bad = read_lines(task.documents, request)
        else:
            batch = task.documents if not isinstance(task.documents, list) else read_items(task.documents, request)
            batch, numbers, bad = _of_size(batch, request.text, setup.document_bytes)
            if isinstance(task.documents, list):
                # What is said of captures has names of its own; and their types said that they are pages.
                form = "html" if task.format == WARC else request.form
                request = Request(request.text, form, "url", "charset", request.extras)
        sizes = _sizes(batch, request.text)

        def observe(row: int, outcome: Outcome) -> None:
            if outcome.result is not None:
                tally.add(task.names[numbers[row]], sizes[row], outcome.result, outcome.seconds)

        cleaned = ArrowCleaner(self._cleaner, request, observe)(batch)
        reasons = cleaned.column(ERROR).to_pylist()
        unasked = {request.charset} if isinstance(task.documents, list) else set()
        cleaned = cleaned.drop_columns([ERROR, *(unasked & set(cleaned.schema.names))])
        if any(reasons):
            good = [row for row, reason in enumerate(reasons) if reason is None]
            bad += [(numbers[row], reason) for row, reason in enumerate(reasons) if reason is not None]
            cleaned = taken(cleaned, good)
            rest = None if rest is None else [rest[row] for row in good]
        for _, reason in bad:
            tally.add_error(reason)
        return Answer(encoded(setup.target, cleaned, rest, request), cleaned.num_rows, sorted(bad), tally)


def _of_size(
    batch: "pa.RecordBatch", name: str, most: int
) -> tuple["pa.RecordBatch", list[int], list[tuple[int, str]]]:
    """The rows whose documents are not too long, their numbers, and those that are."""
    sizes = _sizes(batch, name)
    long = [(number, f"longer than {most} bytes") for number, size in enumerate(sizes) if size > most]
    numbers = [number for number, size in enumerate(sizes) if size <= most]
    return (taken(batch, numbers) if long else batch), numbers, long


def _sizes(batch: "pa.RecordBatch", name: str) -> list[int]:
    """The bytes of each document; 0 where there is none."""
    if name not in batch.schema.names:
        return [0] * batch.num_rows
    type_of_text(batch.schema.field(name))
    pa, compute = needed("pyarrow", "jobs"), needed("pyarrow.compute", "jobs")
    # Dictionaries and views have no lengths.
    return [size or 0 for size in compute.binary_length(batch.column(name).cast(pa.large_binary())).to_pylist()]


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
