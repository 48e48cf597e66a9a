"""What cleaning changes, as a unified diff that ``patch`` can apply."""

import difflib

from cleaner.cli.terminal import escape, paint

NO_NEWLINE = "\\ No newline at end of file"
COLORS = {"-": "red", "+": "green", "@": "cyan"}


def unified(name: str, before: str, after: str, colored: bool, at_terminal: bool) -> bytes:
    """The diff from one text to the other, empty when they are equal. At a terminal, unsafe characters are written out."""
    rows = []
    old, new = _lines(before), _lines(after)
    for number, line in enumerate(difflib.unified_diff(old, new, escape(name), f"{escape(name)} (clean)")):
        text = line.removesuffix("\n")
        shown = escape(text) if at_terminal else text
        rows.append(paint(shown, "bold" if number < 2 else COLORS.get(text[:1], "dim"), colored and text[:1] != " "))
        if not line.endswith("\n"):
            rows.append(NO_NEWLINE)
    return "".join(f"{row}\n" for row in rows).encode("utf-8", "replace")


def _lines(text: str) -> list[str]:
    # Not str.splitlines(): patch knows no line end but "\n".
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
