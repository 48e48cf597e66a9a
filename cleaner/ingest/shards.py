"""What a job writes: shards that are whole or not there, their errors, their markers, and what the job was asked for.

A shard is made beside its place and put there when it is whole, its errors before it and its marker after it. So a
marker says that all of its shard is there, and what stands without one is written again. How things come to their
place, and who may write there, is the business of ``places``.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from cleaner.errors import OutputError
from cleaner.ingest.encode import TEXT, Target
from cleaner.ingest.needs import needed
from cleaner.ingest.places import STATE, Place, parted, place_of, remove, writing
from cleaner.ingest.records import Position, Refused
from cleaner.ingest.sources import PARQUET

# Where errors go for which no other place is named.
ERRORS: Final = "_errors.jsonl"
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

    spills: Path

    def __init__(self, name: str, target: Target) -> None:
        """Name the folder, which may be a URL, and what is to be written there.

        Raises
        ------
        OptionError
            When it is the URL of no folder, or what it needs is not installed.
        """
        self._place = place_of(name)
        self._target = target
        self._work: Path

    @property
    def name(self) -> str:
        """What it is called; its URL when it is not on this machine."""
        return self._place.name

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder if it is not there, and let no other job write to it.

        Raises
        ------
        OutputError
            When it cannot be made, is a link, is in use, or holds what no job has written.
        """
        with self._place.held() as work:
            self._work, self.spills = work, work / "spills"
            with writing(work):
                self.spills.mkdir(exist_ok=True)
                self._clear()
            yield

    def _clear(self) -> None:
        """Take away what an interrupted job has left."""
        for left in [*self.spills.iterdir(), *self._work.glob("*.tmp")]:
            remove(left)

    def plan(self) -> dict[str, Any] | None:
        """What the job in this folder was asked for, if there is one.

        Raises
        ------
        OutputError
            When that cannot be read any more.
        """
        name = f"{STATE}/job.json"
        try:
            return self._read(name)
        except (OSError, ValueError) as error:
            raise OutputError(
                f"{self.name}/{name} is damaged, so this job cannot go on; name a new folder: {error}"
            ) from error

    def write_plan(self, plan: dict[str, Any]) -> None:
        """Remember what the job was asked for."""
        self.write(f"{STATE}/job.json", json.dumps(plan))

    def markers(self) -> list[Marker]:
        """The markers of the shards that are whole, from the first up to the first that is not."""
        markers: list[Marker] = []
        there = self._place.names() | {f"{STATE}/{name}" for name in self._place.names(STATE)}
        while (marker := self._marker(len(markers), there)) is not None:
            markers.append(marker)
        return markers

    def _marker(self, number: int, there: set[str]) -> Marker | None:
        """The marker of a shard; what is damaged, or speaks of a shard that is gone, is as good as none."""
        if not {_marker_of(number), _errors_of(number)} <= there:
            return None
        try:
            told = self._read(_marker_of(number))
            if told is None or (told["documents"] and self._shard_of(number) not in there):
                return None
            return Marker(**told | {"after": Position(*told["after"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _read(self, name: str) -> dict[str, Any] | None:
        data = self._place.read(name)
        if data is None:
            return None
        told: dict[str, Any] = json.loads(data.decode())
        return told

    def _shard_of(self, number: int) -> str:
        return f"part-{number:05}{self._target.suffix}"

    def shard(self, number: int) -> "Shard":
        """Begin a shard."""
        return Shard(self._place, self._work, self._shard_of(number), _errors_of(number), self._target)

    def commit(self, number: int, marker: Marker) -> None:
        """Say that a shard is whole."""
        told = {name: getattr(marker, name) for name in Marker.__slots__}
        self.write(_marker_of(number), json.dumps(told))

    def write(self, name: str, text: str) -> None:
        """Write a file of the folder, whole or not at all."""
        made = _made(self._work, name)
        with writing(made):
            made.write_text(text, encoding="utf-8", errors="backslashreplace")
        self._place.put(made, name)

    def gather_errors(self, shards: int, errors: str | None = None) -> None:
        """Write the errors of all shards into one file, whole or not at all; a pipe or a device gets them as it is."""
        made = _made(self._work, ERRORS)
        with writing(made), made.open("wb") as file:
            for number in range(shards):
                file.writelines(self._place.pieces(_errors_of(number)))
        place, name = self._place_of_errors(errors)
        place.put(made, name)

    def check_errors(self, errors: str | None = None) -> None:
        """Find out before the work whether the errors can be written where they shall be: in this folder, if unnamed.

        Raises
        ------
        OutputError
            When not.
        """
        place, name = self._place_of_errors(errors)
        place.check(name)

    def _place_of_errors(self, errors: str | None) -> tuple[Place, str]:
        return (self._place, ERRORS) if errors is None else parted(errors)


class Shard:
    """One shard that is being written; nothing of it is seen until it is finished."""

    def __init__(self, place: Place, work: Path, name: str, errors: str, target: Target) -> None:
        """Open it, beside its place."""
        self._place = place
        self._name, self._made = name, _made(work, name)
        self._errors_name, self._errors_made = errors, _made(work, errors)
        kinds: dict[str, Callable[[Path], _Out]] = {PARQUET: _Rows, TEXT: _Files}
        with writing(self._made):
            self._out = kinds.get(target.format, _Bytes)(self._made)
            self._errors: IO[bytes] = self._errors_made.open("wb")

    def add(self, data: Any) -> None:
        """Take what a worker made of some documents."""
        with writing(self._made):
            self._out.add(data)

    def refuse(self, refused: Refused) -> None:
        """Set one aside."""
        with writing(self._errors_made):
            refused.write_to(self._errors)
            if refused.spilled is not None:
                refused.spilled.unlink()

    def finish(self) -> None:
        """Put the shard and its errors where they belong; what stood there is replaced."""
        with writing(self._made):
            filled = self._out.close()
            self._errors.close()
        self._place.put(self._errors_made, self._errors_name)
        if not filled or self._made.is_dir():
            # A shard without documents is no file; one of an interrupted run may stand there, or a folder of texts.
            self._place.remove(self._name)
        if filled:
            self._place.put(self._made, self._name)
        else:
            remove(self._made)

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
        """End it; whether there is anything in it."""

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
        self._file.close()
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
        return self._count > 0

    def abandon(self) -> None:
        pass


def _marker_of(number: int) -> str:
    return f"{STATE}/{number:05}.json"


def _errors_of(number: int) -> str:
    return f"{STATE}/{number:05}.errors.jsonl"


def _made(work: Path, name: str) -> Path:
    """Where a file is made that gets such a name."""
    return work / f"{name.rpartition('/')[2]}.tmp"
