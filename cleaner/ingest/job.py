"""A job: files of documents → a folder of cleaned shards, with an account of everything that went in.

    sources → readers → chunks → pool of workers → shards, in the order of the documents

One process reads, hands out and writes; it parses nothing and cleans nothing, so that the workers have the machine. A
job can be killed at any moment: what is whole stays, and ``resume`` goes on behind it.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from time import monotonic
from typing import Any, Final, NamedTuple

from cleaner.errors import InputError, OptionError
from cleaner.ingest.arrow import Request
from cleaner.ingest.encode import FIELDS, Target
from cleaner.ingest.pool import Pool
from cleaner.ingest.readers import Chunk, Limits, Reader
from cleaner.ingest.records import Position
from cleaner.ingest.shards import ERRORS, Folder, Marker, Shard
from cleaner.ingest.sources import FILE, JSONL, PARQUET, WARC, Source, address_of, find_sources
from cleaner.ingest.worker import Answer, Setup
from cleaner.model.bundle import Bundle, read_bundle
from cleaner.options import Options
from cleaner.report.page import summary_of, summary_page
from cleaner.report.tally import Tally
from cleaner.sites import SiteLines

SUMMARY: Final = "_summary.json"
PAGE: Final = "_summary.html"
# Chunks that may be under way, or wait for one before them, for each worker.
_AHEAD: Final = 4
# A share of documents that may be bad says something when there are so many.
_FOR_A_SHARE: Final = 1000
# What is said of pages of WARC and of whole files stands in fields of these names.
_SAID_OF_FILES: Final = frozenset({"id", "url", "date", "path", "charset"})
_DAY: Final = 24 * 60 * 60
_LIBRARIES: Final = ("article-cleaner", "numpy", "pyarrow", "msgspec", "fastwarc", "lxml")


class Progress(NamedTuple):
    """How far a job is: documents cleaned and set aside, in this run and before, and bytes read of all there are.

    This run has taken ``seconds``; it began behind ``begun`` bytes and ``before`` documents.
    """

    documents: int
    errors: int
    consumed: int
    size: int
    seconds: float
    begun: int = 0
    before: int = 0

    @property
    def fresh(self) -> int:
        """Documents of this run."""
        return self.documents + self.errors - self.before


@dataclass(frozen=True, slots=True)
class Job:
    """What to clean, how, and where to.

    inputs
        Files, folders, patterns (``*.jsonl.gz``) and URLs of JSON Lines, Parquet, WARC, or single texts and pages.
    output
        The folder for the shards, or its URL; new, or that of the same job before it was interrupted.
    target, request, options, bundle
        What to write, what to clean and tell of, and how to clean.
    site_lines
        A table of ``clean sites``, by which lines are judged as well.
    workers
        Processes that clean.
    limits, seconds
        How large a document may be, how large a shard is, and how long one document may take.
    ordered
        Whether documents stay in order within a shard. Without that a slow document holds nobody up, and two runs may
        write a shard in different orders.
    errors
        The file for what could not be cleaned, or its URL; ``_errors.jsonl`` in the output, unless given.
    most_errors
        The job stops when more documents than this are set aside: a number, or, below 1, a share, which is that of all
        so far, and counts from the thousandth on and in the end.
    given
        The format of inputs whose names do not tell it.
    """

    inputs: tuple[str, ...]
    output: str
    target: Target = field(default_factory=Target)
    request: Request = field(default_factory=Request)
    options: Options = field(default_factory=Options)
    bundle: str | None = None
    site_lines: str | None = None
    workers: int = 1
    limits: Limits = field(default_factory=Limits)
    seconds: float = 30.0
    ordered: bool = True
    errors: str | None = None
    most_errors: float | None = None
    given: str | None = None

    def run(self, *, resume: bool = False, progress: Callable[[Progress], None] = lambda _: None) -> dict[str, Any]:
        """Clean everything; with ``resume``, what an interrupted run has left.

        Returns the summary, which stands in the output as JSON and as a page. In is out: every document is in a shard
        or among the errors. What was interrupted and resumed has the same shards and errors as what was not.

        Raises
        ------
        OptionError
            When this is not the job that is to be resumed, or a library is missing.
        InputError
            When an input or the table of site lines cannot be read, or too many documents are bad; all shards that are
            whole stay.
        OutputError
            When the output cannot be written, is in use, or is not a job's.
        ModelError
            When the bundle cannot be used.
        """
        folder = Folder(self.output, self.target)
        sources = find_sources(self.inputs, self.given, folder.name)
        self._check_names({source.format for source in sources})
        bundle = read_bundle(self.bundle)
        with folder.held():
            errors = self._errors_name(sources, folder)
            folder.check_errors(errors)
            plan = self._plan(sources, bundle)
            if (before := folder.plan()) is None:
                folder.write_plan(plan)
            else:
                _agree(before, plan, resume=resume, output=self.output)
            return _Run(self, sources, folder, progress).run(plan, errors)

    def __post_init__(self) -> None:
        """Check what nothing else does; names may be paths.

        Raises
        ------
        OptionError
            When a document has no time, or more than a day.
        """
        object.__setattr__(self, "inputs", tuple(map(os.fspath, self.inputs)))
        object.__setattr__(self, "output", os.fspath(self.output))
        if self.errors is not None:
            object.__setattr__(self, "errors", os.fspath(self.errors))
        if not 0 < self.seconds <= _DAY:
            raise OptionError(f"a document can take up to {_DAY} s to clean, not {self.seconds:g}")

    def _check_names(self, formats: set[str]) -> None:
        """Refuse a name for the text that something else has."""
        taken = _SAID_OF_FILES if formats & {WARC, FILE} else frozenset()
        if self.target.format == PARQUET and JSONL in formats:
            taken |= {FIELDS}
        if self.request.text in taken:
            raise OptionError(f"the text cannot be called {self.request.text!r} here: that holds something else")

    def _errors_name(self, sources: list[Source], folder: Folder) -> str | None:
        """Where the errors go, which is no place of anything else; nothing, when that is in the folder."""
        if self.errors is None:
            return None
        address, inside = address_of(self.errors), address_of(folder.name)
        if address in (address_of(source.name) for source in sources):
            raise OptionError(f"{self.errors} is an input, so the errors would replace it; name another file")
        if address == f"{inside}/{ERRORS}":
            return None
        if address.startswith(f"{inside}/"):
            raise OptionError(
                f"{self.errors} is in the folder of the job, which only the job writes; name another file"
            )
        return self.errors

    def _plan(self, sources: list[Source], bundle: Bundle) -> dict[str, Any]:
        """Everything on which the bytes of the output depend, as JSON gives it back."""
        # The manifest holds the digests of all files of the bundle.
        manifest = json.dumps(bundle.manifest, sort_keys=True)
        told = {
            "inputs": {source.name: source.stamp for source in sources},
            "target": asdict(self.target),
            "request": asdict(self.request),
            "options": {name: getattr(self.options, name) for name in Options.__slots__},
            "limits": asdict(self.limits),
            "model": {"name": bundle.folder.name, "digest": hashlib.sha256(manifest.encode()).hexdigest()},
            "site lines": self._site_lines_digest(),
            "versions": _versions(),
        }
        plan: dict[str, Any] = json.loads(json.dumps(told, default=sorted))
        return plan

    def _site_lines_digest(self) -> str | None:
        """What tells one table of site lines from another; also checks that it can be used."""
        if self.site_lines is None:
            return None
        SiteLines(self.site_lines)
        with open(self.site_lines, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _agree(before: dict[str, Any], plan: dict[str, Any], *, resume: bool, output: str) -> None:
    """Check that a job may write to a folder where one has been before."""
    if not resume:
        raise OptionError(f"{output} holds a job already; go on with it by --resume, or name a new folder")
    for name, value in plan.items():
        if before.get(name) != value:
            raise OptionError(f"cannot resume: the {name} of the job in {output} were others; name a new folder")


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


class _Run:
    """One run of a job: what is whole already, and what is being written."""

    def __init__(self, job: Job, sources: list[Source], folder: Folder, progress: Callable[[Progress], None]) -> None:
        self._job = job
        self._sources = sources
        self._folder = folder
        self._progress = progress
        self._size = sum(source.size for source in sources)
        self._tally = Tally()
        self._documents = self._errors = 0
        self._torn: list[str] = []
        self._begin = monotonic()
        self._behind = (0, 0)  # bytes of whole files, and documents, that earlier runs have done

    def run(self, plan: dict[str, Any], errors: str | None) -> dict[str, Any]:
        started = datetime.now(UTC)
        markers = self._folder.markers()
        for marker in markers:
            self._count(marker)
        start = markers[-1].after if markers else Position()
        self._behind = sum(source.size for source in self._sources[: start.source]), self._documents + self._errors
        shards = self._clean(start, len(markers))
        self._check_errors(self._documents, self._errors)
        self._folder.gather_errors(shards, errors)
        facts = {
            "inputs": list(self._job.inputs), "output": self._job.output, "options": plan["options"],
            "model": plan["model"],
            "versions": plan["versions"], "started": started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(monotonic() - self._begin, 3), "workers": self._job.workers, "resumed": len(markers),
            "shards": shards, "written": self._documents, "torn": self._torn,
        }  # fmt: skip
        summary = summary_of(facts, self._tally)
        self._folder.write(SUMMARY, json.dumps(summary, ensure_ascii=False, indent=1) + "\n")
        self._folder.write(PAGE, summary_page(summary))
        return summary

    def _clean(self, start: Position, first: int) -> int:
        """Clean all from ``start`` on; how many shards there are then."""
        job = self._job
        reader = Reader(self._sources, job.limits, self._folder.spills, one_schema=job.target.format == PARQUET)
        limit = job.limits.document_bytes
        setup = Setup(job.bundle, job.options, job.request, job.target, limit, job.site_lines)
        done, writing = first, None
        with Pool(job.workers, setup, job.seconds) as pool:
            try:
                for chunk, answer in _answers(pool, _resumable(reader.chunks(start, first)), first, job):
                    writing = writing or _Writing(self._folder.shard(chunk.shard))
                    writing.add(chunk, answer)
                    self._report(chunk, writing)
                    if chunk.ends_shard:
                        marker = writing.finish(chunk.after)
                        self._folder.commit(chunk.shard, marker)
                        self._count(marker)
                        done, writing = chunk.shard + 1, None
            finally:
                if writing is not None:
                    writing.abandon()
        return done

    def _count(self, marker: Marker) -> None:
        self._documents += marker.documents
        self._errors += marker.errors
        self._torn += marker.torn
        self._tally.merge(Tally.from_dict(marker.tally))

    def _report(self, chunk: Chunk, writing: "_Writing") -> None:
        documents, errors = self._documents + writing.documents, self._errors + writing.errors
        self._check_errors(documents, errors, _FOR_A_SHARE)
        seconds = monotonic() - self._begin
        self._progress(Progress(documents, errors, chunk.consumed, self._size, seconds, *self._behind))

    def _check_errors(self, documents: int, errors: int, for_a_share: int = 1) -> None:
        most = self._job.most_errors
        if most is None or (0 < most < 1 and documents + errors < for_a_share):
            return
        if errors > (most if most >= 1 else most * (documents + errors)):
            raise InputError(
                f"{errors} of {documents + errors} documents cannot be used, more than are allowed;"
                " what is whole stays, and --resume goes on"
            )


class _Writing:
    """A shard with its account, while chunks arrive."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self._tally = Tally()
        self._torn: list[str] = []
        self.documents = self.errors = 0

    def add(self, chunk: Chunk, answer: Answer) -> None:
        """Take a chunk: what was made of it, and what was refused or could not be cleaned."""
        bad = [chunk.refuse(number, reason) for number, reason in answer.bad]
        refused = sorted([*chunk.refused, *bad], key=lambda one: (one.offset, one.number))
        self._shard.add(answer.data)
        for one in refused:
            self._shard.refuse(one)
        self._tally.merge(answer.tally)
        for one in chunk.refused:
            self._tally.add_error(one.reason)
        self.documents += answer.documents
        self.errors += len(refused)
        self._torn += [one.source for one in refused if one.torn]

    def finish(self, after: Position) -> Marker:
        """Put the shard in its place."""
        self._shard.finish()
        return Marker(after, self.documents, self.errors, self._torn, self._tally.as_dict())

    def abandon(self) -> None:
        """Leave it unfinished."""
        self._shard.abandon()


def _resumable(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The same chunks; when an input cannot be read on, what to do is said."""
    try:
        yield from chunks
    except InputError as error:
        raise InputError(f"{error}; what is whole stays, and --resume goes on") from error


def _answers(pool: Pool, chunks: Iterator[Chunk], shard: int, job: Job) -> Iterator[tuple[Chunk, Answer]]:
    """Every chunk with its answer, in order; or as they come, but shard by shard, and the last of each shard last."""
    queue, under_way = _Queue(shard, ordered=job.ordered), 0
    chunk = next(chunks, None)
    while chunk is not None or under_way or len(queue):
        # First the workers get something to do; reading and writing come while they do it.
        if chunk is not None and pool.has_room and under_way + len(queue) < _AHEAD * job.workers:
            pool.submit(chunk, chunk)
            under_way += 1
            chunk = next(chunks, None)
        elif (pair := queue.take()) is not None:
            yield pair
        else:
            finished = pool.wait()
            under_way -= len(finished)
            for pair in finished:
                queue.put(*pair)


class _Queue:
    """What has arrived before its turn."""

    def __init__(self, shard: int, *, ordered: bool) -> None:
        self._ordered = ordered
        self._arrived: dict[int, tuple[Chunk, Answer]] = {}
        self._shard = shard
        self._first = self._passed = 0  # number of the first chunk of the shard, and how many of it have passed

    def __len__(self) -> int:
        return len(self._arrived)

    def put(self, chunk: Chunk, answer: Answer) -> None:
        """Take what has arrived."""
        self._arrived[chunk.number] = chunk, answer

    def take(self) -> tuple[Chunk, Answer] | None:
        """One that may pass now, if there is one."""
        number = next(filter(self._may_pass, sorted(self._arrived)), None)
        if number is None:
            return None
        chunk, answer = self._arrived.pop(number)
        self._passed += 1
        if chunk.ends_shard:
            self._shard, self._first, self._passed = self._shard + 1, number + 1, 0
        return chunk, answer

    def _may_pass(self, number: int) -> bool:
        chunk, _ = self._arrived[number]
        in_turn = number == self._first + self._passed
        return in_turn or not (self._ordered or chunk.ends_shard or chunk.shard != self._shard)
