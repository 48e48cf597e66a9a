"""One document on its way through a job: as it came, where it stood, and what is told of it when it cannot be used."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

# Bytes of base64 are made of three bytes each time, and of so many pieces.
_PIECE: Final = 3 << 18


class Position(NamedTuple):
    """A place between two documents of a job, from which reading can go on.

    ``source`` numbers the file; ``offset`` is a byte (of JSON Lines unpacked, of WARC as it is) or the row group of
    Parquet; ``number`` counts the lines or records in front of it, or the rows of its group.
    """

    source: int = 0
    offset: int = 0
    number: int = 0


class Item(NamedTuple):
    """One document as it came, and what the file says of it beside."""

    offset: int
    number: int
    data: bytes
    charset: str | None = None
    fields: dict[str, str | None] = {}  # noqa: RUF012 -- never changed


@dataclass(frozen=True, slots=True)
class Refused:
    """What is no document, or could not be cleaned: where it stood, why, and its bytes, or the file that holds them.

    ``torn`` says that all that follows in its file cannot be read either.
    """

    source: str
    offset: int
    number: int
    reason: str
    raw: bytes = b""
    spilled: Path | None = field(default=None, compare=False)
    torn: bool = False

    def write_to(self, stream: IO[bytes]) -> None:
        """Write it as a line of JSON, its bytes in base64, without holding all of them if they are many."""
        told = {"source": self.source, "offset": self.offset, "number": self.number, "reason": self.reason}
        stream.write(json.dumps(told, ensure_ascii=False).encode("utf-8", "backslashreplace")[:-1] + b', "raw": "')
        for piece in self._pieces():
            stream.write(b64encode(piece))
        stream.write(b'"}\n')

    def _pieces(self) -> Iterator[bytes]:
        if self.spilled is None:
            yield self.raw
            return
        with self.spilled.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


class LineError(ValueError):
    """A line that is no record; the message says why."""


def fields_of(raw: bytes) -> dict[str, Any]:
    """The fields of one line of JSON Lines.

    Raises
    ------
    LineError
        When it is not one JSON object in UTF-8.
    """
    try:
        fields = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise LineError(f"not UTF-8 at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise LineError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except (ValueError, RecursionError) as error:
        # An integer of thousands of digits; brackets nested by the thousand.
        raise LineError(f"not JSON that can be read: {error}") from None
    if not isinstance(fields, dict):
        raise LineError("not a JSON object")
    return fields


def text_of(fields: dict[str, Any], name: str) -> str:
    """The string in one of the fields.

    Raises
    ------
    LineError
        When there is none.
    """
    if name not in fields:
        raise LineError(f"no field {name!r}")
    if not isinstance(text := fields[name], str):
        raise LineError(f"field {name!r} is not a string")
    return text
