"""Worker processes, each with one task at a time: what takes too long or dies is replaced, and its documents found out.

No signal interrupts a worker and no thread watches it: a deadline stands at the socket, and behind it the process is
killed. So it does not matter in which library, or in which loop of it, a hostile document makes it hang.
"""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from socket import socketpair
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

from cleaner.errors import CleanerError
from cleaner.ingest.readers import Chunk
from cleaner.ingest.worker import Answer, Setup, Task

# Documents that are cleaned together have the time of one, and once more for each so many.
_TOGETHER: Final = 16
# Reading the model takes time, too, on a busy machine.
_START: Final = 60.0
# A process that closed its socket ends within these seconds, by itself or because somebody killed it.
_PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Lost:
    """A task whose worker did not answer, and what is said of each document if it was the only one."""

    reason: str


Steps = Generator[Task, Answer | Lost, Answer]


def steps(chunk: Chunk) -> Steps:
    """The tasks by which a chunk is cleaned: all of it at once, or, if that is lost, what is left without the culprits.

    So what is written of a chunk depends on its documents alone, and not on what happened to a worker.
    """
    name = os.path.basename(chunk.source)

    def task(part: Chunk) -> Task:
        return Task(name, chunk.format, part.documents)

    whole = yield task(chunk)
    if isinstance(whole, Answer):
        return whole
    if len(chunk) == 1:
        nothing = yield task(chunk.part([]))
        return _with(nothing, [], [(0, whole.reason)])
    lost: list[tuple[int, str]] = []
    for number in range(len(chunk)):
        if isinstance(answer := (yield task(chunk.part([number]))), Lost):
            lost.append((number, answer.reason))  # noqa: PERF401 -- a comprehension cannot yield
    numbers = sorted(set(range(len(chunk))) - {number for number, _ in lost})
    rest = yield task(chunk.part(numbers))
    if isinstance(rest, Lost):
        lost += [(number, f"cleaned with others: {rest.reason}") for number in numbers]
        rest = yield task(chunk.part([]))
        numbers = []
    return _with(rest, numbers, lost)


def _with(answer: Answer | Lost, numbers: list[int], lost: list[tuple[int, str]]) -> Answer:
    """The answer to the documents of these numbers, with those that are lost."""
    if isinstance(answer, Lost):
        raise CleanerError(f"a worker cannot even clean nothing: {answer.reason}")
    bad = sorted([*((numbers[number], reason) for number, reason in answer.bad), *lost])
    return answer._replace(bad=bad)


@dataclass(slots=True)
class _Worker:
    """A process, the socket to it, and what it is doing."""

    process: "subprocess.Popen[bytes]"
    connection: Connection
    key: Any = None
    steps: Steps | None = None
    deadline: float = field(default=0.0)
    fresh: bool = True


class Pool:
    """Some workers; as many chunks at a time as there are workers."""

    def __init__(self, count: int, setup: Setup, seconds: float) -> None:
        """Start the workers; ``seconds`` is the time for one document."""
        self._setup = setup
        self._seconds = seconds
        self._workers = [self._started() for _ in range(count)]

    def _started(self) -> _Worker:
        ours, theirs = socketpair()
        with theirs:
            package = str(Path(__file__).parents[2])
            path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
            process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
                [sys.executable, "-c", f"from cleaner.ingest.worker import main; main({theirs.fileno()})"],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                # One core a worker: the threads of its libraries would only stand in each other's way.
                env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        connection = Connection(ours.detach())
        connection.send(self._setup)
        return _Worker(process, connection)

    @property
    def idle(self) -> bool:
        """Whether a worker has nothing to do."""
        return any(worker.steps is None for worker in self._workers)

    @property
    def busy(self) -> bool:
        """Whether a worker has something to do."""
        return any(worker.steps is not None for worker in self._workers)

    def submit(self, key: Any, chunk: Chunk) -> None:
        """Give a chunk to an idle worker."""
        worker = next(worker for worker in self._workers if worker.steps is None)
        worker.key, worker.steps = key, steps(chunk)
        self._send(worker, next(worker.steps))

    def wait(self) -> list[tuple[Any, Answer]]:
        """What was finished since, or is next; in no order.

        Raises
        ------
        CleanerError
            What a worker raised because of what it was asked for, and not because of one document.
        """
        done: list[tuple[Any, Answer]] = []
        while self.busy and not done:
            working = {worker.connection: worker for worker in self._workers if worker.steps is not None}
            until = min(worker.deadline for worker in working.values())
            ready = wait(list(working), max(until - monotonic(), 0.0))
            for connection in ready:
                self._step(working[connection], self._received(working[connection]), done)  # type: ignore[index]
            for worker in working.values():
                if worker.steps is not None and worker.connection not in ready and worker.deadline <= monotonic():
                    self._replace(worker)
                    self._step(worker, Lost(f"took longer than {self._seconds:g} s"), done)
        return done

    def _received(self, worker: _Worker) -> Answer | Lost:
        try:
            answer = worker.connection.recv()
        except (EOFError, OSError):
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(_PATIENCE)
            code = self._replace(worker)
            return Lost(f"ended the process that cleaned it ({f'signal {-code}' if code < 0 else f'exit code {code}'})")
        if isinstance(answer, CleanerError):
            raise answer
        worker.fresh = False
        given: Answer = answer
        return given

    def _step(self, worker: _Worker, answer: Answer | Lost, done: list[tuple[Any, Answer]]) -> None:
        """Go on with what a worker is doing."""
        assert worker.steps is not None
        try:
            self._send(worker, worker.steps.send(answer))
        except StopIteration as end:
            done.append((worker.key, end.value))
            worker.key = worker.steps = None

    def _send(self, worker: _Worker, task: Task) -> None:
        count = len(task.documents) if isinstance(task.documents, list) else task.documents.num_rows
        worker.deadline = monotonic() + self._seconds * (1 + count / _TOGETHER) + _START * worker.fresh
        # A worker that is gone is noticed when its answer is waited for.
        try:
            worker.connection.send(task)
        except OSError:
            return

    def _replace(self, worker: _Worker) -> int:
        """Put a new process in the place of one that does not answer; the exit code of the old one."""
        code = self._stop(worker)
        fresh = self._started()
        worker.process, worker.connection, worker.fresh = fresh.process, fresh.connection, True
        return code

    @staticmethod
    def _stop(worker: _Worker) -> int:
        worker.connection.close()
        worker.process.kill()
        return worker.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End all workers, whatever they are doing."""
        for worker in self._workers:
            self._stop(worker)
