"""Markup → the blocks of text that a reader of the page would see, in reading order, with the elements around them.

A block is a run of text that no block element, cell or ``<br>`` interrupts. What the elements say about it is left to
``evidence``; which blocks are the article is left to the model.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

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
    "applet area audio base canvas datalist embed head iframe img input link meta object param script select source"
    " style svg template textarea track video".split()
)
BOLD: Final = frozenset({"b", "strong"})
LINK: Final = "a"
BREAK: Final = "br"
# Stands between the cells of a table row that is one block.
CELL_MARK: Final = " | "


@dataclass(frozen=True, slots=True)
class Page:
    """The blocks of a page, and its elements.

    Of the ``i``-th block, ``texts[i]`` is the text as it came with white space collapsed (inside ``<pre>`` as it is),
    ``element[i]`` the number of the innermost element that holds all of it, ``linked[i]`` and ``bold[i]`` count its
    code points inside links and bold type, ``links[i]`` the links, and ``broken[i]`` says whether a ``<br>`` stands
    before it. Of the ``k``-th element, numbered in document order, ``tags[k]`` is the name, ``attributes[k]`` what it
    says, ``parent[k]`` the number of the element around it (-1: none), and its blocks are those from ``begin[k]`` to
    ``end[k]``.
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

    def ancestry(self, block: int) -> list[int]:
        """The elements around a block, from the innermost to the root."""
        numbers = [self.element[block]]
        while (outer := self.parent[numbers[-1]]) >= 0:
            numbers.append(outer)
        return numbers

    def path(self, block: int) -> str:
        """Where a block stands, as a selector: ``html>body>div#main>p.lead``."""
        steps = []
        for number in reversed(self.ancestry(block)):
            said = self.attributes[number]
            name, classes = said.get("id", "").strip(), said.get("class", "").split()
            steps.append("".join([self.tags[number], *(f"#{name}" for _ in name[:1]), *(f".{one}" for one in classes)]))
        return ">".join(steps)


def read_blocks(root: "_Element") -> Page:
    """All blocks below the root of a page."""
    return _Collector().collect(root)


class _Collector:
    """Walks over a page once, and remembers what the block that it is in has gathered so far."""

    def __init__(self) -> None:
        self._page = Page()
        self._around: list[int] = []  # the elements that are open
        self._cells: list[bool] = []  # of the open cells, whether they hold blocks
        self._depths = {LINK: 0, "bold": 0, "pre": 0}
        self._broken = False
        self._start_block()

    def _start_block(self) -> None:
        self._pieces: list[str] = []
        self._linked = self._bold = self._links = 0
        self._home: list[int] | None = None  # the elements around its first piece of text
        self._depth = self._lowest = 0  # how many of these hold all of it, and the fewest since the last piece

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
                    self._end_block()
                    self._broken = True
                else:
                    self._enter(tag, element)
                    if element.text:
                        self._read(element.text)
            else:
                if seen and tag != BREAK:
                    self._leave(tag)
                if element.tail and self._around:
                    self._read(element.tail)
        return self._page

    def _enter(self, tag: str, element: "_Element") -> None:
        page = self._page
        if tag in BLOCKS or "-" in tag:
            self._end_block()
            self._broken = False
        elif tag in CELLS:
            self._cells.append(any(child.tag in BLOCKS for child in element))
            if self._cells[-1]:
                self._end_block()
            elif self._home is not None:
                self._pieces.append(CELL_MARK)
        self._count(tag, 1)
        self._links += tag == LINK
        page.parent.append(self._around[-1] if self._around else -1)
        self._around.append(len(page.tags))
        page.tags.append(tag)
        page.attributes.append(dict(element.items()))
        page.begin.append(len(page.texts))
        page.end.append(len(page.texts))

    def _leave(self, tag: str) -> None:
        if tag in BLOCKS or "-" in tag or (tag in CELLS and self._cells.pop()):
            self._end_block()
        self._count(tag, -1)
        number = self._around.pop()
        self._lowest = min(self._lowest, len(self._around))
        # The block that is open has a part in it.
        self._page.end[number] = len(self._page.texts) + (self._home is not None)

    def _count(self, tag: str, step: int) -> None:
        what = "bold" if tag in BOLD else tag
        if what in self._depths:
            self._depths[what] += step

    def _read(self, text: str) -> None:
        self._pieces.append(text)
        if text.isspace():
            return
        depth = len(self._around)
        if self._home is None:
            self._home, self._depth = self._around.copy(), depth
        else:
            self._depth = min(self._depth, self._lowest, depth)
        self._lowest = depth
        if self._depths[LINK]:
            self._linked += len(text)
        if self._depths["bold"]:
            self._bold += len(text)

    def _end_block(self) -> None:
        if self._home is not None:
            text = "".join(self._pieces)
            lines = text.splitlines() if self._depths["pre"] else [" ".join(text.split())]
            home = self._home[self._depth - 1]
            for line in filter(str.strip, lines):
                self._page.texts.append(line)
                self._page.element.append(home)
                self._page.linked.append(min(self._linked, len(line)))
                self._page.bold.append(min(self._bold, len(line)))
                self._page.links.append(self._links)
                self._page.broken.append(self._broken)
            self._broken = False
        if self._pieces or self._links:
            self._start_block()



_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]{0,30})?[^<>]*>")
# Of these the text goes with the tags, when tags are all that is looked at.
_RAW: Final = frozenset({"head", "script", "style", "svg", "template", "title"})


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
    if cut:
        root, _ = _parse("<p>" + "<p>".join(filter(str.strip, _pieces(markup))))
    return root, cut


def _pieces(markup: str) -> Iterator[str]:
    """What stands between the tags of some markup."""
    at, inside = 0, None
    for tag in _TAG.finditer(markup):
        if inside is None:
            yield markup[at : tag.start()]
        at, name = tag.end(), (tag[2] or "").lower()
        if inside is None and not tag[1] and name in _RAW:
            inside = name
        elif tag[1] and name == inside:
            inside = None
    if inside is None:
        yield markup[at:]


def _parse(markup: str) -> "tuple[_Element | None, bool]":
    from lxml.etree import ErrorLevels, HTMLParser, fromstring

    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = fromstring(markup.encode("utf-8", "replace"), parser)
    except SyntaxError:  # lxml's ParserError and XMLSyntaxError are
        return None, False
    return root, any(error.level == ErrorLevels.FATAL for error in parser.error_log)
