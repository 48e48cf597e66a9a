"""Worker processes, each with one task at a time: what takes too long or dies is replaced, and its documents found out.

No signal interrupts a worker and no thread watches it: a deadline stands at the socket, and behind it the process is
killed. So it does not matter in which library, or in which loop of it, a hostile document makes it hang.
"""

import os
import socket
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from cleaner.errors import CleanerError
from cleaner.ingest.readers import Chunk
from cleaner.ingest.worker import READY, Answer, Lost, Setup, Task

# Seconds that the documents of a chunk have together, beside the time of one. They take a fraction of one second; when
# they take longer, nothing is lost but time, because they are cleaned one by one then.
_TOGETHER: Final = 5.0
# A busy machine gives a worker less time than passes. What counts is its own, up to so many times as much by the clock.
_WAITING: Final = 4
# Reading the model takes time, too, on a busy machine; and so many starts in a row may fail.
_START: Final = 60.0
_STARTS: Final = 3
# A process that closed its socket ends within these seconds, by itself or because somebody killed it; and no more may
# pass between two pieces of a message.
_PATIENCE: Final = 5.0
# Messages of more bytes are not made ahead: they would stand beside the documents that they are made of.
_AHEAD: Final = 4 << 20
# The worker imports what its parent does, wherever that comes from, and nothing from the folder it was started in.
_PROGRAM: Final = (
    "import sys; sys.path[:] = sys.argv[2:]; from cleaner.ingest.worker import main; main(int(sys.argv[1]))"
)


class Order(NamedTuple):
    """A task, and the seconds that it may take."""

    task: Task
    seconds: float


Steps = Generator[Order, Answer | Lost, Answer]


def steps(chunk: Chunk, seconds: float) -> Steps:
    """The tasks by which a chunk is cleaned: all of it at once, or, if that is lost, what is left without the culprits.

    So what is written of a chunk depends on its documents alone, and not on what happened to a worker. ``seconds`` is
    the time for one document.
    """
    name, names = os.path.basename(chunk.source), chunk.names

    def order(numbers: list[int], most: float) -> Order:
        part = chunk.part(numbers)
        return Order(Task(name, [names[number] for number in numbers], part.format, part.raw), most)

    whole = yield Order(Task(name, names, chunk.format, chunk.raw), seconds + _TOGETHER)
    if isinstance(whole, Answer):
        return whole
    lost: list[tuple[int, str]] = []
    for number in range(len(chunk)):
        answer = yield from _twice(order([number], seconds))
        if isinstance(answer, Lost):
            lost.append((number, answer.reason))
    numbers = sorted(set(range(len(chunk))) - {number for number, _ in lost})
    rest = yield from _twice(order(numbers, seconds * (1 + len(numbers))))
    if isinstance(rest, Lost):
        lost += [(number, f"cleaned with others: {rest.reason}") for number in numbers]
        numbers = []
        rest = yield from _twice(order([], seconds + _TOGETHER))
    if isinstance(rest, Lost):
        raise CleanerError(f"a worker cannot even clean nothing: {rest.reason}")
    for _, reason in lost:
        rest.tally.add_error(reason)
    bad = sorted([*((numbers[number], reason) for number, reason in rest.bad), *lost])
    return rest._replace(bad=bad)


def _twice(order: Order) -> Generator[Order, Answer | Lost, Answer | Lost]:
    """Try again when the worker ended: somebody may have killed it, or the machine may have run out of memory."""
    answer = yield order
    if isinstance(answer, Lost) and answer.died:
        answer = yield order
    return answer


class _Assignment:
    """A chunk on its way: what it is known by, the steps still to take, and the next of them as it is sent."""

    __slots__ = ("_message", "_order", "_steps", "key")

    def __init__(self, key: Any, running: Steps, *, ahead: bool) -> None:
        self.key = key
        self._steps = running
        self._order = next(running)
        self._message = ForkingPickler.dumps(self._order.task) if ahead else None

    @property
    def seconds(self) -> float:
        """The time that a worker has for the next step."""
        return self._order.seconds

    def message(self) -> memoryview:
        """The next step as it is sent, which is done but once."""
        message, self._message = self._message or ForkingPickler.dumps(self._order.task), None
        return message

    def go_on(self, answer: Answer | Lost) -> Answer | None:
        """Take the next step after the answer to the last; what the chunk came to, if there is none."""
        try:
            self._order = self._steps.send(answer)
        except StopIteration as end:
            done: Answer = end.value
            return done
        return None


@dataclass(slots=True)
class _Worker:
    """A process, the socket to it, and what it is doing. Its task is sent when it has read the model."""

    process: "subprocess.Popen[bytes]"
    connection: Connection
    ready: bool = False
    assigned: _Assignment | None = None
    deadline: float = 0.0
    began: float = 0.0
    spent: float = 0.0
    failed: int = 0  # starts, since the last that did not

    def expired(self) -> bool:
        """Whether it has had its time; if not, it gets what is left of it."""
        now = monotonic()
        if now < self.deadline:
            return False
        if self.ready and self.assigned is not None:
            seconds = self.assigned.seconds
            left = min(seconds - (_spent(self.process.pid) - self.spent), self.began + _WAITING * seconds - now)
            self.deadline = now + max(left, 0.0)
        return now >= self.deadline


def _spent(process: int) -> float:
    """The seconds that a process has worked; where the system does not tell, those that have passed."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return monotonic()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


class Pool:
    """Some workers with a chunk each, and as many chunks more, so that who is done finds one ready to be sent."""

    def __init__(self, count: int, setup: Setup, seconds: float) -> None:
        """Start the workers; ``seconds`` is the time for one document.

        Raises
        ------
        CleanerError
            When none can be started.
        """
        self._setup = setup
        self._seconds = seconds
        self._workers: list[_Worker] = []
        self._waiting: deque[_Assignment] = deque()
        try:
            for _ in range(count):
                self._workers.append(_Worker(*self._started()))
        except BaseException:
            self._end()
            raise

    def _started(self) -> tuple["subprocess.Popen[bytes]", Connection]:
        ours, theirs = socket.socketpair()
        # A worker that stands still in the middle of a message holds nobody up.
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            ours.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(_PATIENCE), 0))
        connection = Connection(ours.detach())
        try:
            with theirs:
                process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
                    [sys.executable, "-P", "-c", _PROGRAM, str(theirs.fileno()), *sys.path],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                    # One core a worker: the threads of its libraries would only stand in each other's way.
                    env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                )
        except OSError as error:
            connection.close()
            raise CleanerError(f"cannot start a worker: {error.strerror}") from error
        with suppress(OSError):  # a worker that is gone is noticed when it is waited for
            connection.send(self._setup)
        return process, connection

    @property
    def has_room(self) -> bool:
        """Whether a chunk can be submitted."""
        return len(self._waiting) < len(self._workers)

    @property
    def busy(self) -> bool:
        """Whether a worker has something to do."""
        return any(worker.assigned is not None for worker in self._workers)

    def submit(self, key: Any, chunk: Chunk) -> None:
        """Take a chunk, for which there must be room."""
        assert self.has_room
        self._waiting.append(_Assignment(key, steps(chunk, self._seconds), ahead=chunk.size <= _AHEAD))
        idle = [worker for worker in self._workers if worker.assigned is None]
        if idle:
            self._give_next(next((worker for worker in idle if worker.ready), idle[0]))

    def _give_next(self, worker: _Worker) -> None:
        """Give the chunk that has waited longest, if one does, to a worker that has none."""
        worker.assigned = self._waiting.popleft() if self._waiting else None
        if worker.assigned is not None:
            self._send(worker, worker.assigned)

    def wait(self) -> list[tuple[Any, Answer]]:
        """What was finished since, or is next; in no order.

        Raises
        ------
        CleanerError
            What a worker raised because of what it was asked for, and not because of one document; or when no worker
            can be started.
        """
        done: list[tuple[Any, Answer]] = []
        while self.busy and not done:
            working = {worker.connection: worker for worker in self._workers if worker.assigned is not None}
            until = min(worker.deadline for worker in working.values())
            ready = wait(list(working), max(until - monotonic(), 0.0))
            for connection, worker in working.items():
                if connection in ready:
                    self._hear(worker, done)
                elif worker.expired():
                    self._lose(worker, f"took longer than {self._seconds:g} s", died=False, done=done)
        return done

    def _hear(self, worker: _Worker, done: list[tuple[Any, Answer]]) -> None:
        """Take what a worker says, or that it has ended."""
        try:
            answer = worker.connection.recv()
        except (EOFError, OSError):
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(_PATIENCE)
            self._lose(worker, "ended the process that cleaned it ({})", died=True, done=done)
            return
        if isinstance(answer, CleanerError):
            raise answer
        assert worker.assigned is not None
        if answer == READY:
            worker.ready, worker.failed = True, 0
            self._send(worker, worker.assigned)
        else:
            self._step(worker, worker.assigned, answer, done)

    def _step(
        self, worker: _Worker, assigned: _Assignment, answer: Answer | Lost, done: list[tuple[Any, Answer]]
    ) -> None:
        """Go on with what a worker is doing."""
        if (whole := assigned.go_on(answer)) is None:
            self._send(worker, assigned)
        else:
            self._give_next(worker)
            done.append((assigned.key, whole))

    @staticmethod
    def _send(worker: _Worker, assigned: _Assignment) -> None:
        """Send a task to a worker that is ready for it; the others have it when they are."""
        worker.began = monotonic()
        worker.deadline = worker.began + (assigned.seconds if worker.ready else _START)
        if worker.ready:
            worker.spent = _spent(worker.process.pid)
            try:
                worker.connection.send_bytes(assigned.message())
            except OSError:
                # It is gone, which is noticed when its answer is waited for; or it stands still with half a message.
                worker.process.kill()

    def _lose(self, worker: _Worker, reason: str, *, died: bool, done: list[tuple[Any, Answer]]) -> None:
        """Put a new process in the place of one that does not answer, and go on without its answer."""
        assert worker.assigned is not None
        code, was_ready = self._stop(worker), worker.ready
        ending = f"signal {-code}" if code < 0 else f"exit code {code}"
        if not was_ready:
            worker.failed += 1
            if worker.failed >= _STARTS:
                raise CleanerError(f"a worker cannot start ({ending}); the reason may stand above")
        worker.process, worker.connection = self._started()
        worker.ready = False
        if was_ready:
            self._step(worker, worker.assigned, Lost(reason.format(ending), died), done)
        else:
            self._send(worker, worker.assigned)

    @staticmethod
    def _stop(worker: _Worker) -> int:
        worker.connection.close()
        worker.process.kill()
        return worker.process.wait()

    def _end(self) -> None:
        for worker in self._workers:
            self._stop(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End all workers, whatever they are doing."""
        self._end()
