"""Kept blocks of a page → Markdown: headings, lists, quotations, tables and code keep their form.

Type inside a block (bold, links) is not kept, so a block is its text behind the marks that its elements call for.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from cleaner.document import Line
from cleaner.page.blocks import CELL_MARK, Page

_LISTS = frozenset({"ul", "ol"})
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
# What would begin a heading, a list, a quotation or a rule at the head of a line, and a tag anywhere.
_MARK = re.compile(r"(?=[#>*+-](?:\s|$))|(?<=^\d)(?=[.)]\s)|(?<=^\d\d)(?=[.)]\s)|(?=(?:---|\*\*\*|```|~~~))")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_FENCE = "```"


def markdown_of(page: Page, lines: Sequence[Line]) -> str:
    """The lines, each a block of the page, as Markdown."""
    blocks = [_Block(page, line) for line in lines]
    if not blocks:
        return ""
    out = [blocks[0].opened(None)]
    for before, block in pairwise(blocks):
        out.append(before.between(block))
        out.append(block.opened(before))
    return "".join([*out, blocks[-1].closed()])


class _Block:
    """One block and the elements that give it its form."""

    def __init__(self, page: Page, line: Line) -> None:
        around = page.ancestry(line.index)
        tags = [page.tags[number] for number in around]
        self.quotes = tags.count("blockquote")
        self.lists = [(page.tags[number], number) for number in around if page.tags[number] in _LISTS]
        self.item = next((number for number in around if page.tags[number] == "li"), None)
        self.code = next((number for number in around if page.tags[number] == "pre"), None)
        self.row = next((number for number in around if page.tags[number] == "tr"), None)
        self.table = next((number for number in around if page.tags[number] == "table"), None)
        self.heading = next((_HEADINGS[tag] for tag in tags if tag in _HEADINGS), "")
        self.text = line.raw.rstrip() if self.code is not None else line.text
        self.cells = CELL_MARK in line.text and self.row is not None

    @property
    def _margin(self) -> str:
        return "> " * self.quotes + "  " * max(len(self.lists) - 1, 0) * (self.item is not None)

    def opened(self, before: "_Block | None") -> str:
        """The block with its marks; ``before`` is the block in front."""
        if self.code is not None:
            fence = f"{self._margin}{_FENCE}\n" if before is None or before.code != self.code else ""
            return f"{fence}{self._margin}{self.text}"
        if self.cells:
            return self._as_row(before)
        text = _TAG.sub(r"\\<", _MARK.sub(r"\\", self.text, count=1) if _MARK.match(self.text) else self.text)
        mark = self.heading
        if self.item is not None and self.lists:
            again = before is not None and before.item == self.item
            numbered = self.lists[0][0] == "ol"
            mark = ("   " if numbered else "  ") if again else ("1. " if numbered else "- ")
        return f"{self._margin}{mark}{text}"

    def _as_row(self, before: "_Block | None") -> str:
        cells = self.text.split(CELL_MARK)
        row = f"{self._margin}| {' | '.join(cell.strip() for cell in cells)} |"
        first = before is None or not before.cells or before.table != self.table
        return f"{row}\n{self._margin}|{' --- |' * len(cells)}" if first else row

    def between(self, following: "_Block") -> str:
        """What stands between this block and the next: a line break inside a list, a table or code, else a paragraph."""
        close = following.code == self.code is not None
        close |= self.cells and following.cells and self.table == following.table
        close |= bool(self.lists) and bool(following.lists) and self.lists[-1] == following.lists[-1]
        end = "" if following.code == self.code else self.closed()
        return f"{end}\n" if close else f"{end}\n{('> ' * min(self.quotes, following.quotes)).rstrip()}\n"

    def closed(self) -> str:
        """The end of code, if this block is code."""
        return f"\n{self._margin}{_FENCE}" if self.code is not None else ""
