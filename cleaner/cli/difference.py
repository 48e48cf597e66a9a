"""What cleaning changes, as a unified diff that ``patch`` can apply.

The verdicts already say what became of each line, so no search for the shortest difference is needed. Searching takes
minutes on a text of 100,000 lines with many repeats; this is linear.
"""

import difflib
from collections.abc import Iterable, Iterator

from cleaner.cli.terminal import escape, paint
from cleaner.document import Line

NO_NEWLINE = "\\ No newline at end of file"
COLORS = {"-": "red", "+": "green", "@": "cyan"}
_Step = tuple[str, int, int, int, int]


def unified(name: str, before: str, after: str, verdicts: Iterable[Line], colored: bool, at_terminal: bool) -> bytes:
    """The diff from one text to the other, empty when they are equal; for a terminal unsafe characters are escaped."""
    rows = []
    old, new = _lines(before), _lines(after)
    for line in _rows(escape(name), old, new, _steps(old, new, verdicts)):
        text = line.removesuffix("\n")
        shown = escape(text) if at_terminal else text
        rows.append(paint(shown, COLORS.get(text[:1], "dim"), colored and text[:1] != " "))
        if not line.endswith("\n"):
            rows.append(NO_NEWLINE)
    return "".join(f"{row}\n" for row in rows).encode("utf-8", "replace")


def _lines(text: str) -> list[str]:
    # Not str.splitlines(): patch knows no line end but "\n".
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _steps(old: list[str], new: list[str], verdicts: Iterable[Line]) -> list[_Step]:
    """What to do with each line, as difflib's opcodes."""
    kept = {line.index: line.text for line in verdicts if line.kept}
    steps: list[_Step] = []
    physical = written = 0
    for at, line in enumerate(old):
        # One line of the diff can be several to the cleaner, which also splits at form feeds and the like.
        parts = len(line.splitlines())
        texts = [kept[index] for index in range(physical, physical + parts) if index in kept]
        physical += parts
        upto = written + len(texts)
        same = new[written:upto] == [line]
        tag = "equal" if same else "replace" if texts else "delete"
        if steps and steps[-1][0] == tag:
            steps[-1] = (tag, steps[-1][1], at + 1, steps[-1][3], upto)
        else:
            steps.append((tag, at, at + 1, written, upto))
        written = upto
    if written != len(new):
        # The output is not made of the kept lines, one by one: whatever it is, this is a true account of it.
        return [("replace", 0, len(old), 0, len(new))]
    return steps


def _rows(name: str, old: list[str], new: list[str], steps: list[_Step]) -> Iterator[str]:
    matcher = difflib.SequenceMatcher(None, "", "")
    matcher.opcodes = steps  # type: ignore[attr-defined]  # typeshed does not know it; get_opcodes() returns it when it is set
    for number, group in enumerate(matcher.get_grouped_opcodes()):
        if number == 0:
            yield f"--- {name}\n"
            yield f"+++ {name} (clean)\n"
        (_, first, _, new_first, _), (_, _, last, _, new_last) = group[0], group[-1]
        yield f"@@ -{_range(first, last)} +{_range(new_first, new_last)} @@\n"
        for tag, begin, end, new_begin, new_end in group:
            if tag == "equal":
                yield from (f" {line}" for line in old[begin:end])
                continue
            yield from (f"-{line}" for line in old[begin:end])
            yield from (f"+{line}" for line in new[new_begin:new_end])


def _range(begin: int, end: int) -> str:
    """Lines as a hunk names them: the first, counted from 1, and how many; of none, the line before."""
    return f"{begin + (end > begin)},{end - begin}"
