"""Markup to blocks: what a reader sees, in reading order, and where it stands."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaner.page.blocks import BLOCKS, parse_markup, read_blocks


def blocks(markup):
    root, cut = parse_markup(markup)
    assert not cut
    return read_blocks(root)


def texts(markup):
    return blocks(markup).texts


def inside(page, tag):
    """The texts of the first element of a name."""
    number = page.tags.index(tag)
    return page.texts[page.begin[number] : page.end[number]]


# Text


def test_blocks_come_in_reading_order_with_white_space_collapsed():
    assert texts(
        "<body>before<h1> Storm\n hits\t<i>the</i> coast </h1><p>Roads&nbsp;are shut.</p>between<p>Schools.</p>after"
    ) == ["before", "Storm hits the coast", "Roads are shut.", "between", "Schools.", "after"]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one<b>two</b>three", "onetwothree"),
        ("<p>one <b>two</b> three", "one two three"),
        ("<p>one<b> two </b>three", "one two three"),
        ("<p>one <b> two </b> three", "one two three"),
        ("<p> <b> </b> one <b> </b>", "one"),
        ("<p>one<b> </b>two", "one two"),
        ("<p>one<!-- no --><!-- word -->two", "onetwo"),
        ("<p>one<script>x()</script>two<img alt=no>three<svg><text>no</text></svg>four", "onetwothreefour"),
        ("<p>one<wbr>two&shy;three\u200bfour", "onetwo\u00adthree\u200bfour"),
        ("<p>x &lt; y &amp;&amp; z &bogus; &#x41;", "x < y && z &bogus; A"),
        ("<p>\U0001f600 and \ud83d\ude00", "\U0001f600 and \U0001f600"),
    ],
)
def test_pieces_of_a_block_are_put_together_as_they_are_seen(markup, text):
    assert texts(markup) == [text]


def test_br_divides_a_block_and_says_so():
    page = blocks("<body>one<br>two <b>and</b> more<br><br>\n three<p>four<br></p>five<br><div>six</div>")
    assert page.texts == ["one", "two and more", "three", "four", "five", "six"]
    assert page.broken == [False, True, True, False, False, False]


@pytest.mark.parametrize(
    "tag", ["script", "style", "template", "textarea", "select", "iframe", "object", "video", "svg", "noembed", "title"]
)
def test_what_is_not_shown_as_text_is_no_block(tag):
    assert texts(f"<body><p>one</p><{tag}>hidden <b>words</b></{tag}>two<p>three") == ["one", "two", "three"]


def test_the_head_is_no_text_and_formulas_are_not_said_twice():
    assert texts("<head><title>Storm</title><noscript>no</noscript></head><body><p>Storm") == ["Storm"]
    assert texts("<p>Let <math><mi>x</mi><annotation>\\mathit x</annotation></math> be") == ["Let x be"]


def test_what_is_hidden_is_read_and_known_by_its_attributes():
    page = blocks("<p hidden>one<p style='display:none'>two<p aria-hidden=true class='A b'>three")
    assert page.texts == ["one", "two", "three"]
    assert [page.attributes[number] for number in page.element] == [
        {"hidden": ""},
        {"style": "display:none"},
        {"aria-hidden": "true", "class": "A b"},
    ]


def test_noscript_is_read():
    assert texts("<p>one</p><noscript><p>two</p><img></noscript><noscript>three") == ["one", "two", "three"]


@pytest.mark.parametrize(
    "frames",
    [
        "<frameset><frame src=a><NOFRAMES><body><p>one <b>two</b></p><p>three</body></NOFRAMES></frameset>",
        "<frameset><frame src=a></frameset><noframes><p>one <b>two</b></p><p>three</noframes>",
        "<body><noframes><p>one <b>two</b></p><p>three</noframes></body>",
    ],
)
def test_what_stands_in_for_frames_is_read(frames):
    assert texts(f"<html><head><title>x</title></head>{frames}</html>") == ["one two", "three"]


@pytest.mark.parametrize(
    "markup",
    [
        "<html><body><p>one</p></body></html><p>two",
        "<html><body><p>one</p></body></html>two",
        "<p>one</p></html><!-- no --><div>two</div></html>",
        "<html><body>one</body></html><html><body>two</body></html>",
        "<html><body><div>one</body></html></div>two",
    ],
)
def test_what_stands_behind_the_end_of_the_page_is_read(markup):
    page = blocks(markup)
    assert page.texts == ["one", "two"]
    assert page.parent.count(-1) == 1
    assert page.end[0] == 2


@pytest.mark.parametrize("tag", ["amp-story", "x-y", "my-paragraph"])
def test_custom_elements_begin_blocks(tag):
    assert texts(f"<p>one</p>two<{tag}>three</{tag}>four") == ["one", "two", "three", "four"]


def test_amp_pages():
    page = "<body><amp-ad><div placeholder>ad</div></amp-ad><p>one<amp-img src=a></amp-img></p><amp-list><template>no"
    assert texts(page) == ["ad", "one"]


# Code


def test_code_keeps_its_lines():
    page = blocks("<p>See:</p><pre>\ndef f():\n    return  1\n\n<b>g</b>()\n</pre>end")
    assert page.texts == ["See:", "def f():", "    return  1", "g()", "end"]


def test_lines_of_code_have_their_own_counts_and_elements():
    page = blocks("<pre>\n<code><a href=x>one</a> two\n<b>three</b>\n  <i>fo\nur</i></code></pre>")
    assert page.texts == ["one two", "three", "  fo", "ur"]
    assert page.linked == [3, 0, 0, 0]
    assert page.links == [1, 0, 0, 0]
    assert page.bold == [0, 5, 0, 0]
    assert [page.tags[number] for number in page.element] == ["code", "b", "i", "i"]
    assert inside(page, "code") == page.texts
    assert inside(page, "b") == ["three"]
    assert inside(page, "i") == ["  fo", "ur"]


# Tables


def test_a_row_of_data_is_one_block():
    page = blocks("<table><tr><th>Fish<th>Tonnes</tr><tr><td>Cod</td>\n<td><b>95</b> t</td></tr></table>")
    assert page.texts == ["Fish | Tonnes", "Cod | 95 t"]
    assert [page.tags[number] for number in page.element] == ["tr", "tr"]
    assert page.bold == [0, 2]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("<td>a<td><td>c", "a | | c"),
        ("<td>a<td><td>", "a"),
        ("<td><td>b", "b"),
        ("<td> <td>b<td> ", "b"),
        ("<td colspan=1000000000>a<td rowspan=9>b", "a | b"),
        ("<td><a href=x>a</a><td><span>b</span>c", "a | bc"),
    ],
)
def test_cells_that_are_empty(row, text):
    assert texts(f"<table><tr>{row}</table>") == [text]


@pytest.mark.parametrize(
    "cell", ["<p>two</p>", "<div>two</div>", "two<br>", "<font><p>two</p></font>", "<ul><li>two</ul>", "<b>two<br></b>"]
)
def test_cells_of_a_layout_are_blocks_of_their_own(cell):
    assert texts(f"<table><tr><td>one</td><td>{cell}</td><td>three</td><td>four</td></tr></table>") == [
        "one",
        "two",
        "three | four",
    ]


def test_a_table_in_a_layout():
    layout = "<table><tr><td>menu<td>Intro<table><tr><td>a<td>b</table>text</table>"
    assert texts(layout) == ["menu", "Intro", "a | b", "text"]


# Links and bold type


@pytest.mark.parametrize(
    ("markup", "linked", "links"),
    [
        ("<p>none", 0, 0),
        ("<p><a href=x>One two</a>", 7, 1),
        ("<p><a href=x>\n   One\n   two  </a>\n", 7, 1),
        ("<p>see <a href=x>One</a>", 4, 1),
        ("<p>see<a href=x>One</a>", 3, 1),
        ("<p><a>One</a> <a>two</a>", 7, 2),
        ("<p><a>One <b>two</b> three</a>", 13, 1),
        ("<p><a><img></a>none", 0, 0),
        ("<p><a name=top></a>none", 0, 0),
        ("<a href=x><div>One</div></a>", 3, 1),
    ],
)
def test_links_are_counted_where_they_hold_text(markup, linked, links):
    page = blocks(markup)
    assert (page.linked, page.links) == ([linked], [links])


def test_a_link_around_blocks_counts_in_each():
    page = blocks("<a href=x><h3>One</h3><p>two</p></a><p>three <a href=y>four</a>")
    assert page.linked == [3, 3, 5]
    assert page.links == [1, 1, 1]


def test_bold_type_is_counted():
    assert blocks("<p>one <b>two</b> <strong>three<b>four</b></strong><p>five").bold == [14, 0]


# Elements


def test_a_block_stands_in_the_innermost_element_that_holds_all_of_it():
    page = blocks("<div><p><b>one</b></p><p><b>two</b> three</p><i>four</i> <u>five</u></div>")
    assert [page.tags[number] for number in page.element] == ["b", "p", "div"]


def test_elements_know_their_blocks():
    page = blocks(
        "<main><h1>one</h1><ul><li>two<li>three <i>four</i></ul></main><aside></aside>"
        "five<em><p>six</p></em> <u></u><s>seven</s>"
    )
    assert page.texts == ["one", "two", "three four", "five", "six", "seven"]
    assert inside(page, "html") == page.texts
    assert inside(page, "main") == page.texts[:3]
    assert inside(page, "ul") == ["two", "three four"]
    assert inside(page, "i") == ["three four"]
    assert inside(page, "aside") == []
    assert inside(page, "em") == ["six"]
    assert inside(page, "u") == []
    assert inside(page, "s") == ["seven"]


def test_elements_are_numbered_in_document_order():
    page = blocks("<div id=a><p id=b>one</p></div><p id=c>two")
    assert page.tags == ["html", "body", "div", "p", "p"]
    assert page.parent == [-1, 0, 1, 2, 1]
    assert [said.get("id") for said in page.attributes] == [None, None, "a", "b", "c"]
    assert page.ancestry(0) == [3, 2, 1, 0]


TAGS = ["p", "div", "b", "a", "pre", "ul", "li", "table", "tr", "td", "br", "span", "x-y", "blockquote", "i", "script"]
markup_of_tags = st.lists(
    st.sampled_from(
        [f"<{tag}>" for tag in TAGS] + [f"</{tag}>" for tag in TAGS] + ["one", " ", "two\nthree", "\n", " four "]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(markup_of_tags)
def test_every_word_is_in_one_block_and_every_block_in_its_elements(markup):
    root, _ = parse_markup("<body>" + markup)
    page = read_blocks(root)
    for script in list(root.iter("script")):
        script.text = ""
    assert "".join("".join(page.texts).replace("|", "").split()) == "".join("".join(root.itertext()).split())
    for block, text in enumerate(page.texts):
        assert text.strip()
        assert page.linked[block] <= len(text)
        assert page.bold[block] <= len(text)
        assert bool(page.linked[block]) == bool(page.links[block])
        # Elements that begin blocks hold whole ones; others may hold a part.
        around = set(page.ancestry(block))
        holders = {n for n in range(len(page.tags)) if page.begin[n] <= block < page.end[n]}
        assert around <= holders
        assert all(page.tags[number] not in BLOCKS for number in holders - around)


# Paths


@pytest.mark.parametrize(
    ("markup", "path"),
    [
        ("<p>x", "html>body>p"),
        ("<div id=main><p class='lead  big'>x", "html>body>div#main>p.lead.big"),
        ("<div id='two words' class='md:flex w-1/2 7up -a _b naïve'>x", "html>body>div#two.-a._b.naïve"),
        ("<p id='' class=' '>x", "html>body>p"),
        (f"<p class='{'a ' * 20}{'b' * 99}'>x", "html>body>p" + ".a" * 8),
        (f"<p id='{'b' * 99}' class='c'>x", "html>body>p.c"),
        ("<x-y><o:p>x", "html>body>x-y>o:p"),
    ],
)
def test_a_path_is_a_selector(markup, path):
    page = blocks(markup)
    assert page.path(0) == path
    assert page.path(0) == path


def test_equal_paths_are_one_string():
    page = blocks("<div>" + "<p>x" * 9)
    assert len({id(page.path(block)) for block in range(9)}) == 1


# Depth


@pytest.mark.parametrize("tag", ["div", "span", "b", "ul><li", "table><tr><td"])
def test_what_is_nested_too_deeply_is_read_without_its_tags(tag):
    markup = f"<title>no</title><p>one &amp; all</p>{f'<{tag}>' * 5000}two<script>no</script> three<p class=a>4 < 5"
    root, cut = parse_markup(markup)
    assert cut
    assert read_blocks(root).texts == ["one & all", "two", "three", "4 < 5"]


@pytest.mark.parametrize(
    ("end", "blocks"),
    [
        ("<!-- no > no --> two", ["two"]),
        ("<!--> two <!-- no -->", ["two"]),
        ("<!---> two <!-- no -->", ["two"]),
        ("<!-- no --!> two <!-- no -->", ["two"]),
        ("<svg class=icon /> two", ["two"]),
        ("<svg><text>no</text></svg> two", ["two"]),
        ('<script>x = "<!--"; no</script> two', ["two"]),
        ("<SCRIPT>no</Script > two", ["two"]),
        ("<template>no", []),
    ],
)
def test_without_tags_what_is_not_shown_is_left_out_and_no_more(end, blocks):
    root, cut = parse_markup(f"<p>one{'<div>' * 5000}{end}")
    assert cut
    assert read_blocks(root).texts == ["one", *blocks]


def test_text_behind_a_source_or_track_that_is_not_closed_is_read():
    assert texts("<picture><source srcset=a><img src=b></picture><p>one<track src=c><p>two") == ["one", "two"]
    assert texts("<video><source src=a><p>no</video>one") == ["one"]


def test_nesting_that_can_be_read_is_read():
    page = blocks("<div>" * 1500 + "one<p>two")
    assert page.texts == ["one", "two"]
    assert page.path(1).count(">div") == 1500


@pytest.mark.parametrize("markup", ["", " ", "<!-- no -->", "<!doctype html>", "<!-- never closed <p>one"])
def test_markup_of_nothing_has_no_root(markup):
    assert parse_markup(markup) == (None, False)


@pytest.mark.parametrize("markup", ["<", "one", "one < two", "&", "</"])
def test_text_without_a_tag_is_a_block(markup):
    assert texts(markup) == [markup]


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<div",
        "<div ",
        "<div a=",
        "</div>",
        "<!--",
        "<p>x",
        "<td>x",
        "<td><span>",
        "<b>",
        "<br>",
        "&",
        "x ",
        "<pre>\nx",
    ],
)
def test_half_a_megabyte_of_one_piece_is_read_in_time(piece):
    begin = time.process_time()
    root, _ = parse_markup("<body>x" + piece * (500_000 // len(piece)))
    page = read_blocks(root)
    page.path(len(page.texts) - 1)
    assert time.process_time() - begin < 5
