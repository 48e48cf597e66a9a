"""One call of the filter: what it is to do, how it is going, and what it tells the user on the way."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleaner.cli.output import STDOUT
from cleaner.cli.terminal import say, tell, wants_color

if TYPE_CHECKING:
    from cleaner.document import CleanResult
    from cleaner.errors import CleanerError
    from cleaner.pipeline import Cleaner

FINDINGS, BAD_RECORDS = 1, 3


@dataclass(slots=True)
class Run:
    """The choices of one call, and the exit code so far."""

    cleaner: "Cleaner"
    sources: tuple[str, ...]
    # one of sources.FORMS, and "text", "json" or "markdown"
    form: str
    to: str
    metadata: bool
    url: str | None
    output: str | None
    errors: str | None
    # None, "text" or "json"
    explain: str | None
    diff: bool
    check: bool
    quiet: bool
    color: str
    text_field: str
    url_field: str
    id_field: str
    line_buffered: bool
    code: int = 0

    def fail(self, error: "CleanerError") -> None:
        """Report an input that cannot be used; the others still are."""
        say(str(error))
        self.note(error.exit_code)

    def note(self, code: int) -> None:
        """Remember that something happened. The highest code wins: unreadable over bad records over findings."""
        self.code = max(self.code, code)

    def found(self, name: str) -> None:
        """Report a document that ``--check`` finds to be unclean."""
        say(f"{name}: would change")
        self.note(FINDINGS)

    def warn(self, name: str, result: "CleanResult") -> None:
        """Say why a document should not be trusted blindly, if there is anything to say."""
        if result.flags and not self.quiet:
            from cleaner.cli.account import warnings

            say(*(f"{name}: {warning}" for warning in warnings(result)))

    def account(self, name: str, result: "CleanResult") -> None:
        """Say what was removed, if that was asked for."""
        if self.explain is None:
            return
        from cleaner.cli.account import as_json, removals

        if self.explain == "json":
            tell(as_json(name, result))
        else:
            tell(removals(name, result, wants_color(self.color, sys.stderr)))

    def difference(self, name: str, before: str, result: "CleanResult") -> bytes:
        """The change as a unified diff; coloured and safe to look at when it goes to a terminal."""
        from cleaner.cli.difference import unified

        stream = sys.stdout if self.output is None or self.output in STDOUT else None
        at_terminal = stream is not None and stream.isatty()
        colored = wants_color(self.color, stream)
        after = result.text + "\n" if result.text else ""
        return unified(name, before, after, result.lines, colored, at_terminal)
