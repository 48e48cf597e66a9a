"""Blocks to Markdown: the form that elements give to text, and nothing that the text itself would be taken for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaner.document import Kind, Line, Reason
from cleaner.normalize import squeeze_spaces
from cleaner.page.blocks import parse_markup, read_blocks
from cleaner.page.markdown import markdown_of


def markdown(markup, drop=()):
    """All of a page as Markdown, but for some blocks."""
    root, _ = parse_markup(markup)
    page = read_blocks(root)
    lines = [
        Line(number, text, squeeze_spaces(text), True, Kind.CONTENT, 0.0, Reason.MODEL)
        for number, text in enumerate(page.texts)
        if text not in drop
    ]
    return markdown_of(page, lines)


def test_paragraphs_and_headings():
    assert markdown("<h1>A <i>b</i></h1><p>c<br>d</p><h6>e</h6>f<h3><a href=x>g</a></h3>") == (
        "# A b\n\nc\n\nd\n\n###### e\n\nf\n\n### g"
    )


def test_nothing():
    assert markdown("<p>a", drop="a") == ""
    root, _ = parse_markup("<h1>a</h1><p>\u200b")
    lines = [Line(number, "x", text, True, Kind.CONTENT, 0.0, Reason.MODEL) for number, text in enumerate(["a", ""])]
    assert markdown_of(read_blocks(root), lines) == "# a"


# Lists


def test_a_list():
    assert markdown("<p>a<ul><li>b<li><b>c</b><li><p>d</p></ul>e") == "a\n\n- b\n- c\n- d\n\ne"


def test_an_ordered_list():
    assert markdown("<ol><li>a<li>b</ol><ol><li>c</ol>") == "1. a\n2. b\n\n1. c"
    assert markdown("<ol start=9><li>a<li>b</ol>") == "9. a\n10. b"
    assert markdown("<ol start='-1'><li>a</ol><ol start=x><li>b</ol>") == "1. a\n\n1. b"


def test_the_items_that_are_left_are_numbered():
    assert markdown("<ol><li>a<li>b<li>c</ol>", drop="b") == "1. a\n2. c"


def test_nested_lists_are_indented_by_their_marks():
    page = "<ul><li>a<ul><li>b<ol><li>c<li>d</ol></ul><li>e<ol start=10><li>f<ul><li>g</ul></ol></ul>"
    assert markdown(page) == "- a\n  - b\n    1. c\n    2. d\n- e\n  10. f\n      - g"


def test_what_goes_on_in_an_item():
    assert markdown("<ol><li>a<p>b</p><ul><li>c</ul>d<li>e<br>f</ol>g") == (
        "1. a\n\n   b\n   - c\n\n   d\n2. e\n\n   f\n\ng"
    )


def test_an_item_whose_text_is_gone_keeps_its_mark():
    assert markdown("<ul><li>a<ul><li>b</ul><li>c</ul>", drop="a") == "- - b\n- c"


def test_items_without_a_list():
    assert markdown("<body><li>a<li>b</body>") == "- a\n- b"


def test_a_heading_in_an_item():
    assert markdown("<ul><li><h3>a</h3>b<li><h3>c</h3></ul>") == "- ### a\n\n  b\n- ### c"


# Quotations


def test_quotations():
    assert markdown("a<blockquote>b<p>c</p><blockquote>d</blockquote>e</blockquote>f") == (
        "a\n\n> b\n>\n> c\n>\n> > d\n>\n> e\n\nf"
    )


def test_quotations_side_by_side_stay_apart():
    assert markdown("<blockquote>a</blockquote><blockquote>b</blockquote>") == "> a\n\n> b"


def test_lists_and_quotations_in_each_other():
    assert markdown("<blockquote><ul><li>a<li>b</ul>c</blockquote>") == "> - a\n> - b\n>\n> c"
    assert markdown("<ol><li>a<blockquote>b<p>c</blockquote><li>d</ol>") == "1. a\n\n   > b\n   >\n   > c\n2. d"


# Code


def test_code_keeps_its_lines():
    assert markdown("a<pre>def f():\n    return '# &lt;b&gt; 1. '\n</pre>b") == (
        "a\n\n```\ndef f():\n    return '# <b> 1. '\n```\n\nb"
    )


def test_blocks_of_code_stay_apart():
    assert markdown("<pre>a\nb</pre><pre>c</pre>") == "```\na\nb\n```\n\n```\nc\n```"


def test_a_fence_is_longer_than_those_in_the_code():
    assert markdown("<pre>```\na\n`````\n</pre><pre>b</pre>") == "``````\n```\na\n`````\n``````\n\n```\nb\n```"


def test_code_in_a_list_and_in_a_quotation():
    assert markdown("<ul><li>a<pre>b\n  c</pre>d</ul>") == "- a\n\n  ```\n  b\n    c\n  ```\n\n  d"
    assert markdown("<ol><li><pre>a</pre><li>b</ol>") == "1. ```\n   a\n   ```\n2. b"
    assert markdown("<blockquote><pre>a\nb</pre></blockquote>c") == "> ```\n> a\n> b\n> ```\n\nc"


def test_what_stands_in_code_has_no_form():
    page = "<pre>a\n<x-y><blockquote>b</blockquote><table><tr><td>c<td>d</table></x-y>\ne</pre>"
    assert markdown(page) == "```\na\nb\nc | d\ne\n```"


# Tables


def test_a_table():
    page = "<p>a<table><tr><th>Fish<th>Tonnes<tr><td>Cod<td>95<tr><td>Eel<td>7</table>b"
    assert markdown(page) == "a\n\n| Fish | Tonnes |\n| --- | --- |\n| Cod | 95 |\n| Eel | 7 |\n\nb"


def test_the_head_of_a_table_is_as_wide_as_its_rows():
    page = "<table><tr><td>a<td>b<tr><td>c<td><td>d</table><table><tr><td>e<td>f</table>"
    assert markdown(page) == "| a | b |  |\n| --- | --- | --- |\n| c |  | d |\n\n| e | f |\n| --- | --- |"


def test_bars_and_tags_in_cells():
    assert markdown("<table><tr><td>a|b<td>&lt;b&gt;</table>") == "| a\\|b | \\<b> |\n| --- | --- |"


def test_a_layout_is_no_table():
    assert markdown("<table><tr><td><p>Home | News</p><td><p>a</p></table>") == "Home | News\n\na"


def test_a_table_in_a_list():
    page = "<ul><li>a<table><tr><td>b<td>c<tr><td>d<td>e</table></ul>"
    assert markdown(page) == "- a\n\n  | b | c |\n  | --- | --- |\n  | d | e |"


# Text that looks like Markdown


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("# one", r"\# one"),
        ("###### one", r"\###### one"),
        ("#", r"\#"),
        ("1. one", r"1\. one"),
        ("12) one", r"12\) one"),
        ("1.", r"1\."),
        ("- one", r"\- one"),
        ("+ one", r"\+ one"),
        ("* one", r"\* one"),
        ("&gt; one", r"\> one"),
        ("&gt;one", r"\>one"),
        ("---", r"\---"),
        ("* * *", r"\* * *"),
        ("___", r"\___"),
        ("```one", r"\```one"),
        ("~~~", r"\~~~"),
        ("[one]: two", r"\[one]: two"),
        ("&lt;b&gt; one &lt;/b&gt; &lt;!-- two", r"\<b> one \</b> \<!-- two"),
        ("#one", "#one"),
        ("#1 of 3", "#1 of 3"),
        ("####### one", "####### one"),
        ("1.5 metres", "1.5 metres"),
        ("2024 was dry.", "2024 was dry."),
        ("-one", "-one"),
        ("– one", "– one"),
        ("one # 1. - two", "one # 1. - two"),
        ("1 &lt; 2 &lt;3", "1 < 2 <3"),
        ("[one] two", "[one] two"),
    ],
)
def test_text_at_the_head_of_a_line_is_taken_for_text(text, written):
    assert markdown(f"<p>{text}") == written
    assert markdown(f"<ul><li>{text}</ul>") == f"- {written}"
    assert markdown(f"<blockquote>{text}</blockquote>") == f"> {written}"


def test_headings_need_no_second_mark():
    assert markdown("<h2>1. One</h2><h2># Two &lt;b&gt;</h2>") == "## 1. One\n\n## # Two \\<b>"


TAGS = ["p", "ul", "ol", "li", "blockquote", "pre", "table", "tr", "td", "h2", "br", "div", "b"]
markup_of_tags = st.lists(
    st.sampled_from([*(f"<{tag}>" for tag in TAGS), *(f"</{tag}>" for tag in TAGS), "one", "two\nthree", "``` x"]),
    max_size=40,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(markup_of_tags, st.sets(st.integers(0, 20)))
def test_every_line_that_is_kept_is_written_once_and_in_order(markup, gone):
    root, _ = parse_markup("<body>" + markup)
    page = read_blocks(root)
    lines = [
        Line(number, text, squeeze_spaces(text), True, Kind.CONTENT, 0.0, Reason.MODEL)
        for number, text in enumerate(page.texts)
        if number not in gone
    ]
    written = [word for word in markdown_of(page, lines).split() if word.isalpha()]
    assert written == [word for line in lines for word in line.text.split() if word.isalpha()]
    assert markdown_of(page, lines) == markdown_of(page, lines)
