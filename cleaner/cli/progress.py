"""How far a job is, on stderr: one running line at a terminal, a line every so often elsewhere."""

import contextlib
from time import monotonic
from typing import TYPE_CHECKING, TextIO

from cleaner.cli.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleaner.ingest.job import Progress

# Seconds between two looks at a terminal, and between two lines of a log.
AT_TERMINAL, IN_LOG = 0.2, 30.0
_BACK = "\r\x1b[K"


@contextlib.contextmanager
def reporter(choice: str, stream: TextIO | None) -> "Iterator[Callable[[Progress], None]]":
    """What to call with every step forward, as ``--progress`` asks; the running line is taken away in the end."""
    if stream is None or choice == "never":
        yield lambda _: None
        return
    running = stream.isatty()
    last = monotonic() - (AT_TERMINAL if running else 0)

    def report(progress: "Progress") -> None:
        nonlocal last
        if monotonic() - last < (AT_TERMINAL if running else IN_LOG):
            return
        last = monotonic()
        if not running:
            say(line_of(progress))
            return
        with contextlib.suppress(OSError):
            stream.write(_BACK + line_of(progress))
            stream.flush()

    try:
        yield report
    finally:
        if running:
            with contextlib.suppress(OSError):
                stream.write(_BACK)
                stream.flush()


def line_of(progress: "Progress") -> str:
    """One line that says how far a job is, how fast, and when it will be done if it goes on like this.

    >>> from cleaner.ingest.job import Progress
    >>> line_of(Progress(documents=12_000, errors=3, begun=0, consumed=25, size=100, seconds=10.0))
    '12,000 documents, 3 set aside, 25 % read, 1,200/s, 30 s left'
    """
    rate = progress.fresh / progress.seconds if progress.seconds else 0.0
    read = progress.consumed - progress.begun
    left = progress.seconds * (progress.size - progress.consumed) / read if read > 0 else None
    parts = [
        f"{progress.documents:,} documents",
        *([f"{progress.errors:,} set aside"] if progress.errors else []),
        f"{100 * progress.consumed // max(progress.size, 1)} % read",
        f"{rate:,.0f}/s",
        *([f"{_duration(left)} left"] if left is not None else []),
    ]
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    """Some seconds as people say it.

    >>> _duration(42), _duration(170), _duration(7500)
    ('42 s', '3 min', '2 h 5 min')
    """
    if seconds < 100:  # noqa: PLR2004 -- below, seconds say more
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004 -- the same
