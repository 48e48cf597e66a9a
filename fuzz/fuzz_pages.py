"""Throws pages at the cleaner that nobody would write, and checks what must hold for any.

    make fuzz SECONDS=600

Atheris changes the pages of ``tests/pages`` and keeps what reaches new code of ours. An input that breaks a law is
written to ``.fuzz/``; with its name as the only argument this program tries it again.
"""

import sys

import atheris

with atheris.instrument_imports(include=["cleaner"]):
    from cleaner import Cleaner, CleanResult, Flag
    from cleaner.page import cleaning, metadata  # noqa: F401  imported late, so else without instruments
    from cleaner.page.blocks import Page, parse_markup, read_blocks
    from cleaner.page.head import read_head
    from cleaner.page.source import looks_like_markup, markup_of

CHARSETS = [None, "", "utf-8", "iso-8859-1", "windows-1251", "shift_jis", "x-sjis", "gb2312", "utf-16", "utf-7", "hex"]
# Metadata are read by others and take long, and a page that is cleaned again takes twice as long: now and then.
SELDOM, OFTEN = 64, 8
CLEANER = Cleaner.load()


def try_page(data: bytes) -> None:
    """Clean one page; how is told from the last bytes."""
    provider = atheris.FuzzedDataProvider(data)
    charset = CHARSETS[provider.ConsumeIntInRange(0, len(CHARSETS) - 1)]
    chance = provider.ConsumeIntInRange(0, SELDOM - 1)
    html = provider.ConsumeBytes(len(data))
    result = CLEANER.clean_html(html, charset=charset)
    markup, _ = markup_of(html, charset)
    looks_like_markup(markup)
    root, _ = parse_markup(markup)
    page = Page() if root is None else read_blocks(root)
    if root is not None:
        read_head(root)
    check_page(page)
    if "<" in markup:  # else it is cleaned as text, which has no blocks
        check_result(result, page)
    if chance % OFTEN == 0:
        assert seen(result) == seen(CLEANER.clean_html(html, charset=charset)), "the same page, another result"
    if chance == SELDOM - 1:
        result.metadata.as_dict()


def check_page(page: Page) -> None:
    """Check that blocks are text, and that they stand in their elements."""
    assert all(map(str.strip, page.texts)), "a blank block"
    for block, text in enumerate(page.texts):
        assert 0 <= page.linked[block] <= len(text)
        assert 0 <= page.bold[block] <= len(text)
        assert all(page.begin[number] <= block < page.end[number] for number in page.ancestry(block)), "a stray block"
    for number, outer in enumerate(page.parent):
        begin, end = page.begin[number], page.end[number]
        assert outer < number, "elements out of order"
        assert begin <= end
        assert outer < 0 or begin == end or page.begin[outer] <= begin < end <= page.end[outer], "a stray element"


def check_result(result: CleanResult, page: Page) -> None:
    """Check that every block is accounted for, and that what is left was kept."""
    result.text.encode()
    result.markdown.encode("utf-8", "surrogatepass")
    assert result.text or result.flags or not page.texts, "silent emptiness"
    if not {Flag.FROM_JSON_LD, Flag.FROM_SCRIPT}.isdisjoint(result.flags):
        return  # its text stands in no block
    assert [(line.index, line.raw) for line in result.lines] == list(enumerate(page.texts)), "blocks without account"
    assert result.text.splitlines() == [line.text for line in result.lines if line.kept and line.text]


def seen(result: CleanResult) -> tuple[object, str]:
    """All that a result says."""
    return result.as_dict(), result.markdown


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_page)
    atheris.Fuzz()
