"""Kept blocks of a page → Markdown: headings, lists, quotations, tables and code keep their form.

Type inside a block (bold, links) is not kept, so a block is its text behind the marks that its elements call for.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cleaner.document import Line
from cleaner.page.blocks import CELL_MARK, Page

_HEADINGS: Final = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_ROWS: Final = frozenset({"table", "tbody", "tfoot", "thead", "tr"})
_CODE: Final = "pre"
_ITEM: Final = "li"
_QUOTE: Final = "blockquote"
# What would begin a heading, a list, a quotation, a rule, code or a definition at the head of a line; a tag anywhere.
_MARK: Final = re.compile(
    r"(?P<number>\d{1,9}(?=[.)](?:\s|$)))|(?=#{1,6}(?:\s|$)|[*+-](?:\s|$)|>|[*_-]{3}|`{3}|~{3}|\[[^\]]{1,999}\]:)"
)
_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])")
# White space is squeezed in a line, so that the marks of cells that are empty have one space between them.
_NEXT_CELL: Final = re.compile(rf"(?:^| ){re.escape(CELL_MARK.strip())}(?= |$)")
_FENCE: Final = re.compile(r" {0,3}(`{3,})")


def markdown_of(page: Page, lines: Sequence[Line]) -> str:
    """The lines, each a block of the page, as Markdown."""
    blocks = [_Block(page, line) for line in lines if line.text]
    return "".join(_Writer(page, blocks).write(blocks))


def markdown_of_text(lines: Sequence[Line]) -> str:
    """The lines, each a paragraph of plain text, as Markdown."""
    return "\n\n".join(_without_mark(_without_tags(line.text)) for line in lines if line.text)


class _Block:
    """One block and the elements that give it its form."""

    def __init__(self, page: Page, line: Line) -> None:
        around = page.ancestry(line.index)
        self.code = next((number for number in reversed(around) if page.tags[number] == _CODE), None)
        if self.code is not None:  # what stands in code has no form of its own
            around = around[around.index(self.code) :]
        tags = [page.tags[number] for number in around]
        # The outermost first, because that is how their marks stand in a line.
        self.boxes = [number for number, tag in zip(around, tags, strict=True) if tag in (_QUOTE, _ITEM)][::-1]
        self.lists = {page.parent[number] for number in self.boxes if page.tags[number] == _ITEM}
        self.table = around[tags.index("table")] if tags[0] in _ROWS and "table" in tags else None
        self.heading = next((_HEADINGS[tag] for tag in tags if tag in _HEADINGS), "")
        self.text = line.text if self.code is None else line.raw
        self.cells = [_without_tags(cell.strip()).replace("|", r"\|") for cell in _NEXT_CELL.split(line.text)]


class _Writer:
    """Writes blocks one behind the other, and remembers the marks of the items that were begun."""

    def __init__(self, page: Page, blocks: Sequence[_Block]) -> None:
        self._page = page
        self._marks: dict[int, str] = {}
        self._items: Counter[int] = Counter()
        self._columns = _most((block.table, len(block.cells)) for block in blocks)
        self._ticks = _most((block.code, len(ticks[1])) for block in blocks if (ticks := _FENCE.match(block.text)))

    def write(self, blocks: Sequence[_Block]) -> Iterator[str]:
        before = None
        for block in blocks:
            if before is not None:
                yield self._between(before, block)
            yield self._written(block, before)
            before = block
        if before is not None:
            yield self._end(before)

    def _between(self, before: _Block, block: _Block) -> str:
        """A line break inside code, inside a table and in front of an item of the same list, else a paragraph's."""
        same = before.code == block.code is not None or before.table == block.table is not None
        begins_item = any(number not in self._marks for number in block.boxes if self._page.tags[number] == _ITEM)
        end = "" if before.code == block.code else self._end(before)
        if same or (begins_item and not before.lists.isdisjoint(block.lists)):
            return f"{end}\n"
        shared = [box for box, other in zip(before.boxes, block.boxes, strict=False) if box == other]
        return f"{end}\n{self._margin(shared).rstrip()}\n"

    def _written(self, block: _Block, before: _Block | None) -> str:
        if block.code is not None:
            return self._as_code(block, before is not None and before.code == block.code)
        if block.table is not None:
            return self._as_row(block, before is not None and before.table == block.table)
        text = _without_tags(block.text)
        return self._opened(block.boxes) + (block.heading + text if block.heading else _without_mark(text))

    def _as_code(self, block: _Block, goes_on: bool) -> str:
        opened = "" if goes_on else f"{self._opened(block.boxes)}{self._fence(block)}\n"
        return f"{opened}{self._margin(block.boxes)}{block.text}"

    def _as_row(self, block: _Block, goes_on: bool) -> str:
        if goes_on:
            return f"{self._opened(block.boxes)}| {' | '.join(block.cells)} |"
        # The first row is the head, and what goes beyond its cells is not shown.
        columns = self._columns[block.table or 0]
        cells = block.cells + [""] * (columns - len(block.cells))
        row = f"{self._opened(block.boxes)}| {' | '.join(cells)} |"
        return f"{row}\n{self._margin(block.boxes)}|{' --- |' * columns}"

    def _end(self, block: _Block) -> str:
        """The end of code, if this block is code."""
        return "" if block.code is None else f"\n{self._margin(block.boxes)}{self._fence(block)}"

    def _fence(self, block: _Block) -> str:
        """A fence that is longer than any in the code."""
        return "`" * max(3, 1 + self._ticks.get(block.code or 0, 0))

    def _opened(self, boxes: Sequence[int]) -> str:
        """The head of the first line of a block: an item that begins with it has its mark there."""
        return "".join(self._inside(box) if box in self._marks else self._begun(box) for box in boxes)

    def _margin(self, boxes: Sequence[int]) -> str:
        """The head of any further line."""
        return "".join(map(self._inside, boxes))

    def _inside(self, box: int) -> str:
        mark = self._marks[box]
        return mark if self._page.tags[box] == _QUOTE else " " * len(mark)

    def _begun(self, box: int) -> str:
        mark = "> " if self._page.tags[box] == _QUOTE else self._item_mark(self._page.parent[box])
        self._marks[box] = mark
        return mark

    def _item_mark(self, number: int) -> str:
        if self._page.tags[number] != "ol":
            return "- "
        start = self._page.attributes[number].get("start", "")
        first = int(start) if re.fullmatch("[0-9]{1,6}", start) else 1
        self._items[number] += 1
        return f"{first + self._items[number] - 1}. "


def _most(sizes: Iterable[tuple[int | None, int]]) -> dict[int, int]:
    """The greatest size of each number."""
    most: dict[int, int] = {}
    for number, size in sizes:
        if number is not None:
            most[number] = max(size, most.get(number, 0))
    return most


def _without_tags(text: str) -> str:
    return _TAG.sub(r"\\<", text)


def _without_mark(text: str) -> str:
    mark = _MARK.match(text)
    return f"{mark['number'] or ''}\\{text[mark.end() :]}" if mark else text
