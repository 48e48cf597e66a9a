"""The folder that a job writes: shards that are whole or not there, their markers, and who may write.

A shard is written beside its place, synced and renamed, then its errors, then its marker. So a marker says that all of
its shard is there, and what stands without one is written again.
"""

import fcntl
import json
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from cleaner.errors import OutputError
from cleaner.ingest.encode import TEXT, Target
from cleaner.ingest.needs import needed
from cleaner.ingest.records import Position, Refused
from cleaner.ingest.sources import PARQUET

# Everything but the shards stands here; whoever reads the folder as a table passes over names like this.
STATE: Final = ".job"
# Rows of Parquet are written in groups of so many rows, or bytes.
_GROUP_ROWS: Final = 20_000
_GROUP_BYTES: Final = 64_000_000


@dataclass(frozen=True, slots=True)
class Marker:
    """What is known of a shard that is whole: where reading goes on behind it, how much it holds, and its account."""

    after: Position
    documents: int
    errors: int
    torn: list[str]
    tally: dict[str, Any]


class Folder:
    """The folder of a job, held by one job at a time."""

    def __init__(self, path: str, target: Target) -> None:
        """Name the folder, and what is to be written there."""
        self.path = Path(path)
        self.state = self.path / STATE
        self.spills = self.state / "spills"
        self._target = target

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder if it is not there, and let no other job write to it.

        Raises
        ------
        OutputError
            When it cannot be made, is a link, is in use, or holds what no job has written.
        """
        with writing(self.path):
            for path in (self.path, self.state):
                if path.is_symlink():
                    raise OutputError(f"{path} is a symbolic link; name the folder that it points to")
            if self.path.exists() and not self.state.exists() and any(self.path.iterdir()):
                raise OutputError(f"{self.path} holds files that no job has written; name a new folder")
            self.spills.mkdir(parents=True, exist_ok=True)
            lock = (self.state / "lock").open("w")
        with lock:
            with writing(self.path):
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise OutputError(f"{self.path} is being written by another job; wait, or name another") from None
                self._clear()
            yield

    def _clear(self) -> None:
        """Take away what an interrupted job has left."""
        for left in [*self.spills.iterdir(), *self.state.glob("*.tmp")]:
            _remove(left)

    def plan(self) -> dict[str, Any] | None:
        """What the job in this folder was asked for, if there is one.

        Raises
        ------
        OutputError
            When that cannot be read any more.
        """
        path = self.state / "job.json"
        try:
            return _read(path)
        except (OSError, ValueError) as error:
            raise OutputError(f"{path} is damaged, so this job cannot go on; name a new folder: {error}") from error

    def write_plan(self, plan: dict[str, Any]) -> None:
        """Remember what the job was asked for."""
        self.write(f"{STATE}/job.json", json.dumps(plan))

    def markers(self) -> list[Marker]:
        """The markers of the shards that are whole, from the first up to the first that is not."""
        markers: list[Marker] = []
        while (marker := self._marker(len(markers))) is not None:
            markers.append(marker)
        return markers

    def _marker(self, number: int) -> Marker | None:
        """The marker of a shard; what is damaged, or speaks of a shard that is gone, is as good as none."""
        try:
            told = _read(self.state / f"{number:05}.json")
            if told is None or (told["documents"] and not self._place(number).exists()):
                return None
            if not _errors_of(self.state, number).exists():
                return None
            return Marker(**told | {"after": Position(*told["after"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _place(self, number: int) -> Path:
        return self.path / f"part-{number:05}{self._target.suffix}"

    def shard(self, number: int) -> "Shard":
        """Begin a shard."""
        return Shard(self.state, self._place(number), number, self._target)

    def commit(self, number: int, marker: Marker) -> None:
        """Say that a shard is whole."""
        told = {name: getattr(marker, name) for name in Marker.__slots__}
        self.write(f"{STATE}/{number:05}.json", json.dumps(told))

    def write(self, name: str, text: str) -> None:
        """Write a file of the folder, whole or not at all."""
        path = self.path / name
        with writing(path):
            beside = self.state / f"{path.name}.tmp"
            with beside.open("w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
                _sync(file)
            _put(beside, path)

    def gather_errors(self, shards: int, path: Path) -> None:
        """Write the errors of all shards into one file, whole or not at all; a pipe or a device gets them as it is."""
        with writing(path):
            beside = path if _is_device(path) else self._beside(path)
            with beside.open("wb") as file:
                for number in range(shards):
                    with _errors_of(self.state, number).open("rb") as part:
                        shutil.copyfileobj(part, file)
                if beside != path:
                    _sync(file)
            if beside != path:
                _put(beside, path)

    def check_errors(self, path: Path) -> None:
        """Find out before the work whether the errors can be written where they shall be.

        Raises
        ------
        OutputError
            When not.
        """
        with writing(path):
            if path.is_dir():
                raise OutputError(f"cannot write {path}: it is a folder")
            if not _is_device(path):
                beside = self._beside(path)
                beside.open("wb").close()
                beside.unlink()

    def _beside(self, path: Path) -> Path:
        """Where a file is written before it comes to its place: on the same file system."""
        return self.state / f"{path.name}.tmp" if path.parent == self.path else path.with_name(f".{path.name}.tmp")


class Shard:
    """One shard that is being written; nothing of it is seen until it is finished."""

    def __init__(self, state: Path, place: Path, number: int, target: Target) -> None:
        """Open it, beside its place."""
        self._place = place
        self._beside = state / f"{place.name}.tmp"
        self._errors_place = _errors_of(state, number)
        self._errors_beside = state / f"{number:05}.errors.tmp"
        kinds: dict[str, Callable[[Path], _Out]] = {PARQUET: _Rows, TEXT: _Files}
        with writing(place):
            self._out = kinds.get(target.format, _Bytes)(self._beside)
            self._errors: IO[bytes] = self._errors_beside.open("wb")

    def add(self, data: Any) -> None:
        """Take what a worker made of some documents."""
        with writing(self._place):
            self._out.add(data)

    def refuse(self, refused: Refused) -> None:
        """Set one aside."""
        with writing(self._errors_place):
            refused.write_to(self._errors)
            if refused.spilled is not None:
                refused.spilled.unlink()

    def finish(self) -> None:
        """Put the shard and its errors where they belong; what stood there is replaced."""
        with writing(self._place):
            filled = self._out.close()
            _sync(self._errors)
            self._errors.close()
            _put(self._errors_beside, self._errors_place)
            if self._place.is_dir():
                _remove(self._place)
            if filled:
                _put(self._beside, self._place)
            else:
                # A shard without documents is no file; one of an interrupted run may stand there.
                _remove(self._beside)
                _remove(self._place)

    def abandon(self) -> None:
        """Let go of what was not finished; the next run takes it away."""
        with suppress(OSError):
            self._errors.close()
        self._out.abandon()


class _Out(ABC):
    """What a shard is made of."""

    @abstractmethod
    def __init__(self, path: Path) -> None:
        """Open it there."""

    @abstractmethod
    def add(self, data: Any) -> None:
        """Take what a worker made of some documents."""

    @abstractmethod
    def close(self) -> bool:
        """Bring everything to the disk; whether there is anything."""

    @abstractmethod
    def abandon(self) -> None:
        """Let go of it, in whatever state it is."""


class _Bytes(_Out):
    """A shard that is one file of bytes."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._filled = False

    def add(self, data: bytes) -> None:
        self._filled = self._filled or bool(data)
        self._file.write(data)

    def close(self) -> bool:
        with self._file:
            _sync(self._file)
        return self._filled

    def abandon(self) -> None:
        with suppress(OSError):
            self._file.close()


class _Rows(_Out):
    """A shard that is one file of Parquet, in groups of rows that are worth reading together."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None
        self._held: list[Any] = []
        self._rows = self._size = 0

    def add(self, data: Any) -> None:
        if data.num_rows:
            self._held.append(data)
            self._rows += data.num_rows
            self._size += data.nbytes
        if self._rows >= _GROUP_ROWS or self._size >= _GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._held:
            return
        schema = self._held[0].schema
        if self._writer is None:
            self._writer = needed("pyarrow.parquet", "jobs").ParquetWriter(self._path, schema, compression="zstd")
        self._writer.write_table(needed("pyarrow", "jobs").Table.from_batches(self._held, schema))
        self._held, self._rows, self._size = [], 0, 0

    def close(self) -> bool:
        self._flush()
        if self._writer is None:
            return False
        self._writer.close()
        _sync_path(self._path)
        return True

    def abandon(self) -> None:
        with suppress(Exception):  # Arrow has its own, when the end of a file cannot be written
            if self._writer is not None:
                self._writer.close()


class _Files(_Out):
    """A shard that is a folder of texts, numbered in their order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        path.mkdir()

    def add(self, data: list[tuple[str, bytes]]) -> None:
        for stem, text in data:
            name = f"{self._count:06}-{stem}.txt" if stem else f"{self._count:06}.txt"
            with (self._path / name).open("xb") as file:
                file.write(text)
            self._count += 1

    def close(self) -> bool:
        # In the end, when the first of them takes most of the others along.
        for path in self._path.iterdir():
            _sync_path(path)
        _sync_path(self._path)
        return self._count > 0

    def abandon(self) -> None:
        pass


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Name the file when it cannot be written.

    Raises
    ------
    OutputError
        For any ``OSError``, and for what pyarrow makes of one.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file()


def _errors_of(state: Path, number: int) -> Path:
    return state / f"{number:05}.errors.jsonl"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return told


def _remove(path: Path) -> None:
    """Take a file or a folder away, if it is there; what a link points to stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _put(beside: Path, place: Path) -> None:
    """Rename, and make sure that the name is on the disk, too."""
    beside.replace(place)
    _sync_path(place.parent)


def _sync_path(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
