"""What the head of a page, and the data in it, say of the article."""

import json
import time

import pytest

from cleaner.page.blocks import parse_markup
from cleaner.page.head import LEAST_BODY, article_bodies, bodies_in_scripts, read_head

STORY = "The council met on Tuesday evening and voted for the new bridge over the river. " * 4


def head(markup):
    root, _ = parse_markup(markup)
    return read_head(root)


def data(value):
    return f'<script type="application/ld+json">{value if isinstance(value, str) else json.dumps(value)}</script>'


def test_paragraphs_that_a_script_holds_as_strings():
    state = json.dumps({"story": {"html": f"<p>{STORY}</p><p>Two &amp; three</p>", "title": "Bridge"}, "n": [1]})
    escaped = state.replace("<", "\\u003c")
    for script in (f"window.state = {state};", f"push({escaped})"):
        root, _ = parse_markup(f"<div id=app></div><script>{script}</script><script>let a = 'b'</script>")
        (body,) = bodies_in_scripts(root)
        assert [line for line in body.splitlines() if line.strip()] == [STORY, "Two & three"]


@pytest.mark.parametrize("script", ['"' * 500_000, '"' + "\\" * 500_000, f'"{"<p>" * 200_000}', f'"<p>{"x" * 300}\\q"'])
def test_scripts_without_strings_that_end_hold_nothing(script):
    root, _ = parse_markup(f"<script>{script}</script>")
    start = time.process_time()
    assert bodies_in_scripts(root) == []
    assert time.process_time() - start < 1


def test_titles_and_summaries():
    read = head(
        "<head><title>Storm &amp; flood | Quillan Observer</title>"
        "<meta property='og:title' content='Storm and flood'><META NAME=' Twitter:Title ' CONTENT='Storm!'>"
        "<meta name=Description content='A storm.'><meta property=og:description content='The storm.'>"
        "<meta name=keywords content=storm></head><body><p>x"
    )
    assert read.titles == ["Storm & flood | Quillan Observer", "Storm and flood", "Storm!"]
    assert read.summaries == ["A storm.", "The storm."]
    assert read.bodies == []


def test_what_is_blank_is_not_said():
    assert head("<title> </title><meta property=og:title><meta name=description content=' '><p>x") == ([], [], [])
    assert head("<title></title><p>x") == ([], [], [])


def test_titles_of_pictures_are_none_of_the_page():
    page = "<head><title>Storm</title></head><body><svg><title>Share</title><g><title>Bird</title></g></svg><p>x"
    assert head(page).titles == ["Storm"]


def test_a_head_that_ended_too_soon_is_read():
    assert head("<head><div>no</div><title>Storm</title><meta name=description content=Rain></head><p>x") == (
        ["Storm"],
        ["Rain"],
        [],
    )


@pytest.mark.parametrize("kind", ["application/ld+json", " Application/LD+JSON ", "application/ld+json; charset=utf-8"])
def test_bodies_of_articles(kind):
    body = json.dumps({"@type": "NewsArticle", "articleBody": STORY})
    page = f"<script type='{kind}'>{body}</script><script>{body}</script><script type=text/json>{body}</script>"
    assert head(page).bodies == [STORY.strip()]


def test_a_short_body_is_a_teaser():
    long, short = "x" * LEAST_BODY, "x" * (LEAST_BODY - 1)
    assert head(data([{"articleBody": short}, {"articleBody": long}])).bodies == [long]


@pytest.mark.parametrize(
    ("value", "bodies"),
    [
        ('{"articleBody": "Rain"}', ["Rain"]),
        ('[{"articleBody": "Rain"}, {"articleBody": "Wind"}]', ["Rain", "Wind"]),
        ('{"@graph": [{"mainEntity": {"articleBody": "Rain", "hasPart": {"articleBody": "Wind"}}}]}', ["Rain", "Wind"]),
        ('\n// <![CDATA[\n{"articleBody": "Rain"}\n// ]]>\n', ["Rain"]),
        ('<!-- {"articleBody": "Rain"} -->', ["Rain"]),
        ('{"articleBody": "Rain"};', ["Rain"]),
        ('{"articleBody": "Rain\nand\twind"}', ["Rain\nand\twind"]),
        (r'{"articleBody": "<p>Rain<\/p><p>R&amp;D<br>1 &lt; 2"}', ["Rain\n\nR&D\n1 < 2"]),
        ('{"articleBody": "&lt;p&gt;Rain &amp;amp; wind&lt;/p&gt;"}', ["Rain &amp; wind"]),
        ('{"articleBody": ["Rain"]}', []),
        ('{"articleBody": null}', []),
        ('{"articlebody": "Rain"}', []),
        ('{"articleBody": "Rain"', []),
        ('"articleBody"', []),
        ("", []),
        ("}{", []),
        ("{" * 100_000, []),
        ("[" * 100_000 + "]" * 100_000, []),
        ('{"a":' * 900 + '{"articleBody": "Rain"}' + "}" * 900, []),
        ('{"articleBody": ' + "1" * 5000 + "}", []),
    ],
    ids=lambda value: str(value)[:40],
)
def test_json_that_pages_have(value, bodies):
    assert article_bodies(value) == bodies


@pytest.mark.parametrize("piece", ["<", "<p", "<p>", "&", "&amp", "<a ", ">"])
def test_a_megabyte_in_a_body(piece):
    begin = time.process_time()
    article_bodies(json.dumps({"articleBody": piece * (1_000_000 // len(piece))}))
    assert time.process_time() - begin < 2
