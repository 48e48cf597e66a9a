"""Markup → the blocks of text that a reader of the page would see, in reading order, with the elements around them.

A block is a run of text that no block element, cell or ``<br>`` interrupts. What the elements say about it is left to
``evidence``; which blocks are the article is left to the model.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from cleaner.normalize import replace_surrogates

if TYPE_CHECKING:
    from lxml.etree import _Element

# Elements that begin a new block. A name with a hyphen (a custom element) begins one as well.
BLOCKS: Final = frozenset(
    "address article aside blockquote body button caption center dd details dialog dir div dl dt fieldset figcaption"
    " figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html label legend li main menu nav noframes"
    " noscript ol p pre search section summary table tbody tfoot thead tr ul".split()
)
CELLS: Final = frozenset({"td", "th"})
# Elements whose text is not shown, or not as text.
UNSEEN: Final = frozenset(
    "annotation applet area audio base canvas datalist embed head iframe img input link meta noembed object param"
    " script select style svg template textarea title video".split()
)
BOLD: Final = frozenset({"b", "strong"})
LINK: Final = "a"
BREAK: Final = "br"
# Stands in front of each cell of a table row that is one block, but for the first, and a space behind it.
CELL_MARK: Final = " |"

_BOLD: Final = "bold"
_PRE: Final = "pre"
# The elements that are counted while they are open, and what they are counted as.
_COUNTED: Final = {LINK: LINK, _PRE: _PRE, **dict.fromkeys(BOLD, _BOLD)}
# A cell that holds any of these is no field of a table but a part of the layout.
_NO_FIELD: Final = BLOCKS | CELLS | {BREAK}
# Of an element a path shows so many classes at most, and no name that is longer: more would say less.
_CLASSES_SHOWN: Final = 8
_LONGEST_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Page:
    """The blocks of a page, and its elements.

    Of the ``i``-th block, ``texts[i]`` is the text as it came with white space collapsed (inside ``<pre>`` as it is),
    ``element[i]`` the number of the innermost element that holds all of it, ``linked[i]`` and ``bold[i]`` count its
    code points inside links and bold type, ``links[i]`` the links that hold some of it, and ``broken[i]`` says whether
    a ``<br>`` stands before it. Of the ``k``-th element, numbered in document order, ``tags[k]`` is the name,
    ``attributes[k]`` what it says if it holds text, ``parent[k]`` the number of the element around it (-1: none), and
    the blocks that have a part in it are those from ``begin[k]`` to before ``end[k]``.
    """

    texts: list[str] = field(default_factory=list)
    element: list[int] = field(default_factory=list)
    linked: list[int] = field(default_factory=list)
    bold: list[int] = field(default_factory=list)
    links: list[int] = field(default_factory=list)
    broken: list[bool] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    attributes: list[Mapping[str, str]] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    begin: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    _paths: dict[int, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def holds_text(self, element: int) -> bool:
        """Whether any block has a part in an element."""
        return self.begin[element] < self.end[element]

    def ancestry(self, block: int) -> list[int]:
        """The elements around a block, from the innermost to the root."""
        numbers = [self.element[block]]
        while (outer := self.parent[numbers[-1]]) >= 0:
            numbers.append(outer)
        return numbers

    def path(self, block: int) -> str:
        """Where a block stands, as a selector: ``html>body>div#main>p.lead``."""
        unknown, number = [], self.element[block]
        while number >= 0 and number not in self._paths:
            unknown.append(number)
            number = self.parent[number]
        path = self._paths.get(number, "")
        for number in reversed(unknown):
            # Thousands of blocks may stand at one path, and deep.
            path = self._paths[number] = intern(f"{path}>{self._step(number)}" if path else self._step(number))
        return path

    def _step(self, number: int) -> str:
        said = self.attributes[number]
        names = _names("#", said.get("id", ""), 1) + _names(".", said.get("class", ""), _CLASSES_SHOWN)
        return "".join([self.tags[number][:_LONGEST_SHOWN], *names])


def _names(mark: str, said: str, most: int) -> list[str]:
    """The words of an attribute that can stand in a selector as they are."""
    words = said.split(maxsplit=most)[:most]
    return [mark + word for word in words if len(word) <= _LONGEST_SHOWN and word.replace("-", "_").isidentifier()]


def read_blocks(root: "_Element") -> Page:
    """All blocks below the root of a page."""
    return _Collector().collect(root)


class _Collector:
    """Walks over a page once, and remembers what the block that it is in has gathered so far."""

    def __init__(self) -> None:
        self._page = Page()
        self._around: list[int] = []  # the elements that are open
        self._cells: list[bool] = []  # of the open cells, whether they hold blocks
        self._depths = {LINK: 0, _BOLD: 0, _PRE: 0}
        self._link = -1  # the link that was opened last
        self._broken = False
        self._start_block()

    def _start_block(self) -> None:
        self._pieces: list[str] = []
        self._gap = False  # whether white space stands behind them
        self._marks = 0  # the cells that began behind them
        self._linked = self._bold = self._links = 0
        self._counted = -1  # the link that was counted last
        self._home: list[int] | None = None  # the elements around the first piece
        self._depth = self._lowest = 0  # how many of these hold all of the block, and how many stayed open since

    def collect(self, root: "_Element") -> Page:
        from lxml.etree import iterwalk

        walk = iterwalk(root, events=("start", "end"))
        for event, element in walk:
            tag: Any = element.tag
            seen = isinstance(tag, str) and tag not in UNSEEN
            if event == "start":
                if not seen:
                    walk.skip_subtree()
                elif tag == BREAK:
                    self._end_block(broken=True)
                else:
                    self._enter(tag, element)
                    if text := element.text:
                        self._read(text)
            else:
                if seen and tag != BREAK:
                    self._leave(tag, element)
                if (text := element.tail) and self._around:
                    self._read(text)
        return self._page

    def _enter(self, tag: str, element: "_Element") -> None:
        page = self._page
        if tag in BLOCKS or "-" in tag:
            self._end_block()
        elif tag in CELLS:
            self._cells.append(any(inner.tag in _NO_FIELD for inner in element.iterdescendants()))
            if self._cells[-1]:
                self._end_block()
            elif self._home is not None:
                self._marks += 1
        if (counted := _COUNTED.get(tag)) is not None:
            self._depths[counted] += 1
            if tag == LINK:
                self._link = len(page.tags)
        block = len(page.texts)
        around = self._around
        page.parent.append(around[-1] if around else -1)
        around.append(len(page.tags))
        page.tags.append(tag)
        page.attributes.append({})
        page.begin.append(block)
        page.end.append(block)

    def _leave(self, tag: str, element: "_Element") -> None:
        if tag in BLOCKS or "-" in tag or (tag in CELLS and self._cells.pop()):
            self._end_block()
        if (counted := _COUNTED.get(tag)) is not None:
            self._depths[counted] -= 1
        number, depth, page = self._around.pop(), len(self._around), self._page
        end = len(page.texts)
        if depth < self._lowest:
            # The block that is open has a part in the element, since its last piece has.
            end += self._home is not None
            self._lowest = depth
        page.end[number] = end
        if page.begin[number] < end:
            page.attributes[number] = dict(element.items())

    def _read(self, text: str) -> None:
        if self._depths[_PRE]:
            self._read_as_it_is(text)
            return
        words = text.split()
        if not words:
            self._gap = True
            return
        if self._pieces and not self._marks and (self._gap or text[0].isspace()):
            words.insert(0, "")
        self._add(" ".join(words))
        self._gap = text[-1].isspace()

    def _read_as_it_is(self, text: str) -> None:
        for line in text.splitlines(keepends=True):
            if line.isspace():
                self._pieces.append(line)
            else:
                self._add(line)
            if line.splitlines() != [line]:
                self._end_block()

    def _add(self, piece: str) -> None:
        """Take a piece of text, which is not blank, into the block."""
        if self._marks:
            self._pieces.append(CELL_MARK * self._marks + " ")
            self._marks = 0
        self._pieces.append(piece)
        depth = len(self._around)
        if self._home is None:
            self._home, self._depth = self._around.copy(), depth
        else:
            self._depth = min(self._depth, self._lowest, depth)
        self._lowest = depth
        if self._depths[LINK]:
            self._linked += len(piece)
            self._links += self._link != self._counted
            self._counted = self._link
        if self._depths[_BOLD]:
            self._bold += len(piece)

    def _end_block(self, *, broken: bool = False) -> None:
        if self._home is not None:
            page, text = self._page, "".join(self._pieces).rstrip()
            page.texts.append(text)
            page.element.append(self._home[self._depth - 1])
            page.linked.append(min(self._linked, len(text)))
            page.bold.append(min(self._bold, len(text)))
            page.links.append(self._links)
            page.broken.append(self._broken)
            # What was opened behind the last piece begins with the next block.
            for number in self._around[self._lowest :]:
                page.begin[number] = len(page.texts)
        self._broken = broken
        if self._pieces:
            self._start_block()


# A comment, a tag, or the end of the markup.
_TAG: Final = re.compile(r"<!--(?:-?>|.*?(?:--!?>|\Z))|<(/?)([A-Za-z][A-Za-z0-9-]{0,30})?[^<>]*>|\Z", re.DOTALL)
# Of these the text goes with the tags, when tags are all that is looked at.
_RAW_ENDS: Final = {
    name: re.compile(rf"</{name}\b[^<>]*>|\Z", re.IGNORECASE)
    for name in ("script", "style", "svg", "template", "textarea", "title")
}
_NO_FRAMES: Final = re.compile(r"<(/?)noframes\b", re.IGNORECASE)


def parse_markup(markup: str) -> "tuple[_Element | None, bool]":
    """The root of a page, and whether the parser had to give up on its nesting.

    What is nested too deeply is read without its tags, a paragraph for each piece of text, so that nothing is lost.
    Nothing at all may be found in markup that holds nothing but comments.

        >>> root, cut = parse_markup("<p>Storm hits coast")
        >>> read_blocks(root).texts, cut
        (['Storm hits coast'], False)
        >>> root, cut = parse_markup("<div>" * 5000 + "Storm hits coast")
        >>> read_blocks(root).texts, cut
        (['Storm hits coast'], True)
    """
    root, cut = _parse(markup)
    if root is not None and next(root.iter("noframes"), None) is not None:
        # The parser takes what stands in it for plain text.
        root, cut = _parse(_NO_FRAMES.sub(r"<\1noscript", markup))
    if cut:
        root, _ = _parse("<p>".join(["", *_pieces(markup)]))
    return root, cut


def _pieces(markup: str) -> Iterator[str]:
    """What stands between the tags of some markup, fit to be parsed again."""
    at = 0
    while at < len(markup):
        tag = _TAG.search(markup, at)
        assert tag is not None  # the end is always found
        if piece := markup[at : tag.start()].strip():
            yield piece.replace("<", "&lt;")
        at, name = tag.end(), (tag[2] or "").lower()
        empty = name == "svg" and tag[0].endswith("/>")
        if name in _RAW_ENDS and not tag[1] and not empty and (end := _RAW_ENDS[name].search(markup, at)):
            at = end.end()


def _parse(markup: str) -> "tuple[_Element | None, bool]":
    from lxml.etree import ErrorLevels, HTMLParser, fromstring

    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = fromstring(_utf8(markup), parser)
    except SyntaxError:  # lxml's ParserError and XMLSyntaxError are
        return None, False
    if root is None:
        return None, False
    # Behind the end of the root the parser begins another, and pages go on there.
    root.extend(list(root.itersiblings()))
    return root, any(error.level == ErrorLevels.FATAL for error in parser.error_log)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return replace_surrogates(text).encode()
