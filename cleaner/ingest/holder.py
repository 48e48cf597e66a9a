"""Who holds an output that no lock of the system can hold: a process, told so that others know whether it still lives.

What is told says nothing of where it stands, or of what follows from it.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds an output, and the folder where it makes what goes there.

    Numbers of processes are used again, so ``started`` is told beside; and names of hosts are given twice, so ``space``
    says where the number means something: among processes that see each other, on one machine since it was started.
    ``work`` also tells apart what one process holds at different times.
    """

    host: str
    space: str
    process: int
    started: str
    since: str
    work: str

    @classmethod
    def here(cls, work: Path) -> Self:
        """Whoever asks, from now on."""
        since = datetime.now(UTC).isoformat(timespec="seconds")
        process = os.getpid()
        return cls(os.uname().nodename, _space(), process, _started(process), since, str(work))

    @classmethod
    def from_bytes(cls, told: bytes) -> Self | None:
        """Who was told of; nobody, when that cannot be read."""
        with suppress(ValueError, TypeError):
            return cls(**json.loads(told))
        return None

    def as_bytes(self) -> bytes:
        """What others are told."""
        return json.dumps(asdict(self)).encode()

    @property
    def is_dead(self) -> bool:
        """Whether the process is certainly gone, or is this one and is done; only those know that would see it."""
        if not self.space or self.space != _space() or _is_hidden(self.process):
            return False
        return self.started != _started(self.process) or (self.process == os.getpid() and not os.path.exists(self.work))

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, since {self.since}"


def _space() -> str:
    """The start of this machine and the processes seen from here; empty where the system does not tell."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    return ""


def _is_hidden(process: int) -> bool:
    """Whether there is such a process, but the system hides what it tells of it, as it may of other users' ones."""
    if os.path.exists(f"/proc/{process}"):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _started(process: int) -> str:
    """When a process was started, in the clock ticks of its machine; empty when there is none, or it has ended."""
    with suppress(OSError):
        # The name of the program, in brackets, may hold anything.
        state, *rest = (
            Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
        return "" if state in "ZX" else rest[18]
    return ""
