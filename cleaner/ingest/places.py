"""Where what a job makes ends up: a folder of this machine, or one of any file system that fsspec knows.

Things are made in a folder of this machine, and come to their place when they are whole. What they are is the business
of ``shards``.
"""

import fcntl
import glob
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from errno import EXDEV
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir
from typing import Final

from cleaner.disk import put_in_place
from cleaner.errors import CleanerError, OptionError, OutputError
from cleaner.ingest.holder import Holder
from cleaner.ingest.sources import filesystem_of, local_name

# Everything but the shards stands here; whoever reads the folder as a table passes over names like this.
STATE: Final = ".job"
LOCK: Final = f"{STATE}/lock"
# What folders on this machine are called in which that is made which goes elsewhere.
_WORK: Final = "clean-job-"
_PIECE: Final = 1 << 20


def place_of(name: str) -> "Place":
    """The folder of that name, here or elsewhere.

    Raises
    ------
    OptionError
        When a URL is given that names no folder, or fsspec or what it needs is not installed.
    """
    here = local_name(name)
    return _Remote(name) if here is None else _Local(here)


def parted(name: str) -> tuple["Place", str]:
    """The place where a file stands, and how it is called there."""
    if (here := local_name(name)) is not None:
        path = Path(here)
        return _Local(path.parent), path.name
    folder, _, last = name.rpartition("/")
    if "://" not in folder or not last:
        raise OptionError(f"{name} names no file in a folder")
    return place_of(folder), last


class Place(ABC):
    """A folder, in which files and folders of files have names; those in a folder of it are parted by a slash.

    All that it does may raise ``OutputError``, with the name of what could not be read or written.
    """

    name: str

    @abstractmethod
    def held(self) -> AbstractContextManager[Path]:
        """Make it if it is not there, and let no other job write to it; gives the folder to make things in.

        Raises
        ------
        OutputError
            When it cannot be made, is in use, or holds what no job has written.
        """

    @abstractmethod
    def names(self, folder: str = "") -> set[str]:
        """What stands there, or in a folder of it; nothing, when that is not there."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """What a file holds, if it is there.

        Raises
        ------
        OSError
            When it cannot be read here.
        """

    @abstractmethod
    def pieces(self, name: str) -> Iterator[bytes]:
        """What a file holds, which may be long.

        Raises
        ------
        OSError
            When it cannot be read here.
        """

    @abstractmethod
    def check(self, name: str) -> None:
        """Find out whether a file of that name can be put there; what an interrupted job left of it is taken away."""

    @abstractmethod
    def put(self, made: Path, name: str) -> None:
        """Bring a file, or a folder of files, from where it was made to its place; a file that stood there is replaced.

        Folders are not: take them away before.
        """

    @abstractmethod
    def remove(self, name: str) -> None:
        """Take a file or a folder away, if it is there."""

    def _check_ours(self) -> None:
        found = self.names()
        if found and STATE not in found:
            raise OutputError(f"{self.name} holds files that no job has written; name a new folder")


class _Local(Place):
    """A folder of this machine. What comes to its place is on the disk, and what is not whole is never seen."""

    def __init__(self, path: str | Path) -> None:
        """Name it."""
        self.name = str(path)
        self._path = Path(path)

    @contextmanager
    def held(self) -> Iterator[Path]:
        """Lock a file of the state, where things are made as well: a lock of the system goes when its process does."""
        state = self._path / STATE
        with writing(self._path):
            for path in (self._path, state):
                if path.is_symlink():
                    raise OutputError(f"{path} is a symbolic link; name the folder that it points to")
            self._check_ours()
            state.mkdir(parents=True, exist_ok=True)
            lock = (self._path / LOCK).open("w")
        with lock:
            with writing(self._path):
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise OutputError(f"{self.name} is being written by another job; wait, or name another") from None
            yield state

    def names(self, folder: str = "") -> set[str]:
        path = self._path / folder
        with writing(path):
            return {found.name for found in path.iterdir()} if path.exists() else set()

    def read(self, name: str) -> bytes | None:
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None

    def pieces(self, name: str) -> Iterator[bytes]:
        with (self._path / name).open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def check(self, name: str) -> None:
        path = self._path / name
        with writing(path):
            if path.is_dir():
                raise OutputError(f"cannot write {path}: it is a folder")
            if not _is_device(path):
                beside = _beside(path)
                beside.open("wb").close()
                beside.unlink()

    def put(self, made: Path, name: str) -> None:
        """Rename it; a pipe or a device gets it as it is."""
        path = self._path / name
        with writing(path):
            if _is_device(path):
                _copy(made, path)
                made.unlink()
                return
            try:
                put_in_place(made, path)
            except OSError as error:
                if error.errno != EXDEV:
                    raise
                # On another disk, where it has to be copied before it can be renamed.
                beside = _beside(path)
                _copy(made, beside)
                put_in_place(beside, path)
                made.unlink()

    def remove(self, name: str) -> None:
        with writing(self._path / name):
            remove(self._path / name)


class _Remote(Place):
    """A folder of a file system that fsspec knows. What comes there is sent whole, which object stores show so, too.

    No lock goes there when its process does: a file names the process that holds the place, and is created only where
    none is, as far as the file system can do that.
    """

    def __init__(self, url: str) -> None:
        """Find the file system."""
        self.name = url.rstrip("/")
        self._fs, path = filesystem_of(url)
        if glob.has_magic(path):
            # What is to be taken away would be a pattern, too.
            raise OptionError(f"{url} is a pattern, and not the name of one folder")
        self._path = path.rstrip("/")
        self._told: bytes | None = None

    @contextmanager
    def held(self) -> Iterator[Path]:
        """Put a file there that says who holds it, and make things in a folder of this machine that goes away then.

        That folder is named before it is there, so that whoever finds us dead knows what to take away.
        """
        self._check_ours()
        self._make(STATE)
        work = Path(gettempdir(), f"{_WORK}{token_hex(8)}")
        self._lock(Holder.here(work).as_bytes())
        try:
            with writing(work):
                work.mkdir(mode=0o700)
            self._check_held()
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
            self._unlock()

    def _lock(self, told: bytes) -> None:
        self._check_free()
        path = self._at(LOCK)
        with _remotely("write", self._url(LOCK)):
            try:
                self._fs.pipe_file(path, told, mode="create")
            except Exception:  # noqa: BLE001 -- every file system has exceptions of its own, also for what it cannot do
                if self.read(LOCK) is None:
                    self._fs.pipe_file(path, told)
        self._told = told

    def _check_free(self) -> None:
        """Refuse a place that another process holds. What one has left that has died is taken away."""
        told = self.read(LOCK)
        if told is None:
            return
        holder = Holder.from_bytes(told)
        if holder is None or not holder.is_dead:
            raise self._in_use(holder)
        self.remove(LOCK)
        left = Path(holder.work)
        if left.parent == Path(gettempdir()) and left.name.startswith(_WORK):
            shutil.rmtree(left, ignore_errors=True)

    def _check_held(self) -> None:
        """Refuse to write what somebody else holds by now: who takes over at the same moment, or after our death."""
        if self._told is not None and (told := self.read(LOCK)) != self._told:
            raise self._in_use(Holder.from_bytes(told or b""))

    def _in_use(self, holder: Holder | None) -> OutputError:
        who = f" ({holder})" if holder else ""
        return OutputError(
            f"{self.name} is being written by another job{who}; wait, or name another."
            f" When that job is dead, delete {self._url(LOCK)}"
        )

    def _unlock(self) -> None:
        # Where that fails, whoever comes next on this machine sees that we are done.
        with suppress(OutputError):
            if self.read(LOCK) == self._told:
                self.remove(LOCK)
        self._told = None

    def names(self, folder: str = "") -> set[str]:
        here = self._at(folder)
        with _remotely("read", self._url(folder)):
            self._fs.invalidate_cache()
            try:
                found = [path.rstrip("/") for path in self._fs.ls(here, detail=False)]
            except FileNotFoundError:
                return set()
        # An object store may hold an empty object that stands for the folder itself.
        return {path.rpartition("/")[2] for path in found if path != here}

    def read(self, name: str) -> bytes | None:
        with _remotely("read", self._url(name)):
            try:
                return bytes(self._fs.cat_file(self._at(name)))
            except FileNotFoundError:
                return None

    def pieces(self, name: str) -> Iterator[bytes]:
        with _remotely("read", self._url(name)), self._fs.open(self._at(name), "rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def check(self, name: str) -> None:
        beside = self._at(f".{name}.tmp")
        with _remotely("write", self._url(name)):
            self._fs.pipe_file(beside, b"")
            self._fs.rm_file(beside)

    def put(self, made: Path, name: str) -> None:
        """Send it."""
        self._check_held()
        with _remotely("write", self._url(name)):
            if made.is_dir():
                self._make(name)
                paths = sorted(made.iterdir())
                self._fs.put([str(path) for path in paths], [self._at(f"{name}/{path.name}") for path in paths])
            else:
                self._fs.put_file(str(made), self._at(name))
        remove(made)

    def remove(self, name: str) -> None:
        path = self._at(name)
        with _remotely("write", self._url(name)):
            self._fs.invalidate_cache()
            if self._fs.exists(path):
                self._fs.rm(path, recursive=True)

    def _make(self, folder: str) -> None:
        """Make a folder where there are any; where paths have no root they begin with a bucket, which must be there."""
        if self._path.startswith("/"):
            with _remotely("write", self._url(folder)):
                self._fs.makedirs(self._at(folder), exist_ok=True)

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path

    def _url(self, name: str) -> str:
        return f"{self.name}/{name}" if name else self.name


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Name the file of this machine that cannot be written.

    Raises
    ------
    OutputError
        For any ``OSError``, and for what pyarrow makes of one.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def _remotely(what: str, url: str) -> Iterator[None]:
    try:
        yield
    except CleanerError:
        raise
    except Exception as error:
        # Every file system has exceptions of its own.
        reason = getattr(error, "strerror", None) or str(error) or repr(error)
        raise OutputError(f"cannot {what} {url}: {reason}") from error


def remove(path: Path) -> None:
    """Take a file or a folder of this machine away, if it is there; what a link points to stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    """Where a file is written before it comes to its place; the same each time, so that the next run takes it away."""
    return path.with_name(f".{path.name}.tmp")


def _copy(made: Path, path: Path) -> None:
    with made.open("rb") as part, path.open("wb") as file:
        shutil.copyfileobj(part, file)


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()
