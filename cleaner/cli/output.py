"""Where results go: stdout, or a file that is replaced whole or not at all.

Every failure to write ends as `OutputError` (exit code 6), except that of a reader who left: `ReaderGone`, which is no
failure.
"""

import contextlib
import itertools
import os
import signal
import stat
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from cleaner.errors import OutputError

# What names stdout in -o. The device is in the list because it may lead to a regular file, which must be written, not
# replaced.
STDOUT = ("-", "/dev/stdout")


class ReaderGone(Exception):  # noqa: N818 -- no error: the reader has what it wanted
    """Whoever read our stdout has closed it."""


class Sink(Protocol):
    """Something that takes the output."""

    def write(self, data: bytes) -> None:
        """Take these bytes."""

    def flush(self) -> None:
        """Hand everything on now."""

    def commit(self) -> None:
        """Make the output final."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


def sink_for(path: str | None) -> Sink:
    """The file of that name, or stdout when there is none or it is called so."""
    return FileSink(path) if path is not None and path not in STDOUT else StdoutSink()


class StdoutSink:
    """Standard output, as bytes."""

    def write(self, data: bytes) -> None:
        """Take these bytes."""
        with _stdout_errors():
            _stdout().write(data)

    def flush(self) -> None:
        """Hand everything on now."""
        if sys.stdout is not None:
            with _stdout_errors():
                sys.stdout.buffer.flush()

    def commit(self) -> None:
        """Make sure that everything arrived."""
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing to undo."""


class FileSink:
    """A file written beside its target and renamed over it by `commit`; without that the target stays as it was.

    A symbolic link keeps pointing where it did, and the file behind it is replaced. An existing file keeps its mode.
    What is not a regular file (a pipe, ``/dev/null``) cannot be replaced and is written to directly.
    """

    def __init__(self, path: str) -> None:
        """Open the file, or raise `OutputError`."""
        self.path = path
        self._beside: str | None = None
        with self._errors():
            try:
                found: os.stat_result | None = os.stat(path)
            except FileNotFoundError:
                found = None
            if found is not None and stat.S_ISDIR(found.st_mode):
                raise OutputError(f"{path} is a directory; name a file to write to")
            if found is not None and not stat.S_ISREG(found.st_mode):
                self._stream: BinaryIO = open(path, "wb")  # noqa: SIM115 -- closed by __exit__
                return
            target = os.path.realpath(path)
            if found is not None and not os.access(target, os.W_OK):
                raise OutputError(f"{path} is write-protected")
            self._beside, descriptor = _open_beside(target)
            self._target = target
            self._stream = os.fdopen(descriptor, "wb")
            if found is not None:
                os.fchmod(descriptor, stat.S_IMODE(found.st_mode))

    def write(self, data: bytes) -> None:
        """Take these bytes."""
        with self._errors():
            self._stream.write(data)

    def flush(self) -> None:
        """Hand everything on now."""
        with self._errors():
            self._stream.flush()

    def commit(self) -> None:
        """Put the finished file in the place of its target."""
        with self._errors():
            self._stream.flush()
            if self._beside is not None:
                os.fsync(self._stream.fileno())
                os.replace(self._beside, self._target)
                self._beside = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take away what was not committed."""
        with contextlib.suppress(OSError):
            # After a full disk, closing tries to write what is buffered, and fails again.
            self._stream.close()
        if self._beside is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._beside)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from error


def _open_beside(target: str) -> tuple[str, int]:
    """A new file in the folder of the target, and its descriptor."""
    folder, name = os.path.split(target)
    for attempt in itertools.count():
        # 200 bytes of the name at most: a file system takes 255, and a character has up to 4.
        beside = os.path.join(folder, f".{name[:50]}.{os.getpid()}-{attempt}.tmp")
        with contextlib.suppress(FileExistsError):
            # By open(2), not by tempfile, so that a new file gets the mode that the umask asks for.
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            _end_orderly_when_terminated()
            return beside, descriptor
    raise AssertionError("count() has no end")


def _end_orderly_when_terminated() -> None:
    """Let SIGTERM and SIGHUP unwind the stack, so that the file beside the target goes away."""

    def unwind(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        # ValueError: not in the main thread, where nothing can be done about signals.
        with contextlib.suppress(ValueError):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, unwind)


def close_stdout(code: int) -> int:
    """Flush what the verbs printed, so that a full disk is an exit code and not a message of the interpreter."""
    if sys.stdout is not None:
        with _stdout_errors():
            sys.stdout.flush()
    return code


def finish_stdout() -> None:
    """Write what is buffered if anybody still takes it; after an interrupt nobody wants to hear of it if not."""
    with contextlib.suppress(OutputError, ReaderGone):
        close_stdout(0)


def _discard_stdout() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _stdout() -> BinaryIO:
    if sys.stdout is None:
        raise OutputError("cannot write the output: stdout is closed")
    return sys.stdout.buffer


@contextlib.contextmanager
def _stdout_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # What is still buffered would fail again when the interpreter ends: let it go nowhere.
        _discard_stdout()
        if isinstance(error, BrokenPipeError):
            raise ReaderGone from None
        raise OutputError(f"cannot write the output: {error.strerror}") from error
