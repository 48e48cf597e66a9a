"""Pages made to hurt: they must come through in bounded time, accounted for, and never empty without a word.

``tests/pages`` holds twenty small pages of every make. Each is cut off at every place, as a connection that breaks
does, and the fuzzer starts from them.
"""

import re
import time
from pathlib import Path

import pytest
from test_hostile import MEGA, STORY, at_most, cleaner

from cleaner import CleanResult, Flag
from cleaner.page.blocks import Page, parse_markup, read_blocks
from cleaner.page.source import looks_like_markup, markup_of

PAGES = {path.stem: path.read_bytes() for path in sorted((Path(__file__).parent / "pages").glob("*.html"))}
# Of processor time, for cleaning and for all that can be asked of the result.
SECONDS = 5
# A page is cleaned this many times while it grows.
CUTS = 40
STORY_PAGE = "<h1>Ferry sails again</h1>" + "".join(f"<p>{line}</p>" for line in STORY)


def blocks_of(html: str | bytes) -> Page:
    root, _ = parse_markup(markup_of(html)[0])
    return Page() if root is None else read_blocks(root)


def survives(html: str | bytes) -> CleanResult:
    """Clean a page in bounded time, and check what holds for any."""
    begin = time.process_time()
    with at_most(60):
        result = cleaner().clean_html(html, "https://observer.example/a")
        told, markdown = result.as_dict(), result.markdown
        if len(html) < MEGA:
            assert result.metadata
    assert time.process_time() - begin < SECONDS
    result.text.encode()
    markdown.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]", result.text)
    texts = blocks_of(html).texts
    assert result.text or result.flags or not texts, "silent emptiness"
    if result.origin is not None and Flag.FROM_JSON_LD not in result.flags:
        assert [line["raw"] for line in told["lines"]] == texts
    return result


# Size


@pytest.mark.parametrize("tag", ["div", "span", "ul><li", "table><tr><td", "blockquote"])
def test_a_million_nested_tags(tag: str) -> None:
    tags = f"<{tag}>" * (MEGA // (1 + tag.count(">")))
    for html in (STORY_PAGE + tags, tags + STORY_PAGE):
        result = survives(html)
        assert [line.raw for line in result.lines][-len(STORY) :] == STORY
        assert Flag.MARKUP_CUT in result.flags


@pytest.mark.parametrize("name", ["title", "class", "style", "id", "href", "data-x"])
def test_an_attribute_of_fifty_megabytes(name: str) -> None:
    result = survives(f"<div {name}='{'ad ' * (50 * MEGA // 3)}'>{STORY_PAGE}</div>")
    assert [line.raw for line in result.lines][-len(STORY) :] == STORY
    assert all(len(line.path) < 1000 for line in result.lines)


@pytest.mark.parametrize("piece", ["<div>x</div>", "<div></div>", "<p>x", "<a href=x>x</a>", "<td>x", "<li><b>x</b>"])
def test_twenty_thousand_elements(piece: str) -> None:
    survives(STORY_PAGE + piece * 20_000)


def test_many_attributes_and_classes() -> None:
    names = " ".join(f"a{i}='{i}'" for i in range(2000))
    classes = " ".join(f"c{i}" for i in range(100_000))
    result = survives(f"<div {names} class='{classes}'>{STORY_PAGE}</div>")
    assert [line.raw for line in result.lines][-len(STORY) :] == STORY


def test_a_table_that_says_it_is_wide() -> None:
    table = "<table><tr><td colspan=1000000000>One<td rowspan=999999999999>Two<tr><td colspan=-1>Three</table>"
    assert [line.raw for line in survives(table + STORY_PAGE).lines][:2] == ["One | Two", "Three"]


@pytest.mark.parametrize("tag", ["script", "style", "title", "textarea", "template", "iframe"])
def test_ten_megabytes_that_nobody_sees(tag: str) -> None:
    unseen = f"<body>{STORY_PAGE}<{tag}>" + 'let a = "<p>"; ' * 700_000
    assert [line.raw for line in survives(f"{unseen}</{tag}>").lines][1:] == STORY
    survives(unseen)


def test_a_block_of_ten_megabytes() -> None:
    survives("<p>" + STORY[0] * 100_000)


# Words that mean more than they say


def test_an_entity_bomb() -> None:
    bomb = "".join(f"<!ENTITY e{i} '" + f"&e{i - 1};" * 10 + "'>" for i in range(1, 30))
    document = f"<!DOCTYPE html [<!ENTITY e0 'boom'>{bomb}]>"
    page = f"<?xml version='1.0'?>{document}<html><body>{STORY_PAGE}<p>&e29;</p></html>"
    result = survives(page)
    assert [line.raw for line in result.lines][-1 - len(STORY) : -1] == STORY
    assert len(result.text) < 2000


def test_files_of_others_are_not_read() -> None:
    page = f'<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/hostname">]><html><body>{STORY_PAGE}<p>a &x; b</p>'
    assert any(line.raw == "a &x; b" for line in survives(page).lines)


@pytest.mark.parametrize("nuls", ["\0", "\0\0\0", "\0" * 1000])
def test_nuls(nuls: str) -> None:
    html = STORY_PAGE.replace("e", nuls + "e").replace("<p>", f"<p{nuls}>")
    assert [line.raw for line in survives(html).lines][1:] == STORY
    assert [line.raw for line in survives(html.encode()).lines][1:] == STORY


def test_bytes_of_every_value() -> None:
    assert Flag.UNDECODABLE_BYTES in survives(b"<p>" + bytes(range(1, 256)) * 400).flags
    survives("<p>" + "".join(map(chr, [*range(0x3000), *range(0xD7F0, 0xE010), *range(0xFB00, 0x10000), 0x10FFFF])))


@pytest.mark.parametrize(
    "piece",
    [
        "<", "</", "<!--", "-->", "<![CDATA[", "<?", "&", "&#", "&#x", "&#1;", "&amp;", "<p ", "<p a", "<p a=",
        "<p a='", "<br>", "<p", "</p>", "</div>", "<pre>\nx", "<td>", "<a>",
        "\ud83d", "\u0301", "\u200b<br>", "=", "'", '"', ">", "<script>", "<!doctype html>",
    ],
    ids=ascii,
)  # fmt: skip
def test_a_quarter_of_a_megabyte_of_one_piece(piece: str) -> None:
    survives("<p>x" + piece * (MEGA // 4 // len(piece)))
    survives(STORY_PAGE + piece * 99)


# Nothing


@pytest.mark.parametrize(
    "html",
    [
        "",
        " ",
        "\0",
        "\ufeff",
        "<",
        ">",
        "&",
        "<>",
        "</>",
        "</p>",
        "<!",
        "<!-- -->",
        "<!-- never closed",
        "<?xml?>",
        "<!doctype html>",
        "<html>",
        "<html></html>",
        "<body></body>",
        "<html><head><title>Storm hits coast</title></head></html>",
        "<html><head><title>Storm hits coast",
        "<script>let a = 1</script>",
        "<body><script>let a = 1</script><script src=a></script><style>a {}</style></body>",
        "<body><img src=a><iframe src=b></iframe></body>",
        "<p>\u200b</p>",
        "<p>&nbsp;</p>",
        "<pre>\n\n</pre>",
        "<frameset><frame src=a></frameset>",
    ],
)
def test_pages_on_which_there_is_nothing_to_see(html: str) -> None:
    for given in (html, html.encode()):
        assert survives(given).text in ("", html)


# Pages of every make


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_wherever_it_is_cut(name: str) -> None:
    page = PAGES[name]
    before: list[str] = []
    for end in range(len(page)):
        markup, _ = markup_of(page[:end])
        looks_like_markup(markup)
        texts = blocks_of(markup).texts
        # A tag that is cut may hide what stands behind it, but no more.
        assert len(texts) >= len(before) - 2
        before = texts


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_cleaned_wherever_it_is_cut(name: str) -> None:
    page = PAGES[name]
    for end in range(len(page) % 7, len(page), max(1, len(page) // CUTS)):
        survives(page[:end])
    survives(page)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("accordion", "Children who are smaller than the lamp pay nothing."),
        ("amp", "The first train leaves on the ninth of December."),
        ("answers", "It is hungry."),
        ("arabic", "عواصف الشتاء"),
        ("article", "Three firms have offered to do the work"),
        ("breaks", "We put out the small boat, all four of us, and by nine we had them on a line."),
        ("broken", "The gardener counted 41 panes < 50, and said: a & b & c"),
        ("broken", "Below the end of the page the gardener adds"),
        ("cyrillic", "новый кран привезут морем"),
        ("forum", "Neither holds in salt water."),
        ("frames", "meets on the first Friday of the month"),
        ("japanese", "祖父の時代からそこに立っていた"),
        ("layout", "On the second Sunday in April the choir sings"),
        ("liveblog", "The ferry between Pell and the mainland does not sail today."),
        ("manual", "    level = read_gauge(gauge)  # in metres"),
        ("noscript", "They ate eleven portions of chips"),
        ("quotes", "Nobody will be left on the quay."),
        ("recipe", "Cut the leeks into rings, and fry them in butter:"),
        ("shell", "The ferry will go on until the last stone has been laid"),
        ("table", "Herring | 812 | 640 | 377"),
        ("xhtml", "Sie faßt achtzig Autos und zwei Busse,"),
    ],
)
def test_what_a_page_says_is_found(name: str, sentence: str) -> None:
    assert any(sentence in line.raw for line in survives(PAGES[name]).lines)


def test_every_page_is_known_to_be_one() -> None:
    assert len(PAGES) == 20
    for page in PAGES.values():
        assert looks_like_markup(markup_of(page)[0])
