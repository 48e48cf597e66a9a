"""The command on pages: real processes, as in ``test_cli``.

The pages are so plain that no reasonable model can err on them: paragraphs in an ``<article>``, a menu in a ``<nav>``.
"""

import codecs
import json
import re
import subprocess
import sys

import pytest
import test_cli
from test_cli import AD, ARTICLE, CLEANED, STORY, Result, command, environment

from cleaner.cli.account import warnings
from cleaner.cli.choices import ENGINES
from cleaner.cli.pages import front_matter
from cleaner.document import CleanResult, Flag, LineColumns, Metadata
from cleaner.options import Engine

clean = test_cli.clean  # the fixture

MENU = "<nav><ul><li><a href='/'>Home</a></li><li><a href='/sport'>Sport</a></li></ul></nav>"
PARAGRAPHS = "".join(f"<p>{line}</p>" for line in STORY)
HEAD = "<title>Harbour bridge to be rebuilt</title><meta name='author' content='Mira Holm'>"
BODY = f"<body>{MENU}<article id='story' class='wide'>{PARAGRAPHS}</article></body>"
PAGE = f"<!DOCTYPE html>\n<html lang='en'><head>{HEAD}</head>{BODY}</html>\n"
FRAGMENT = f"<div>{MENU}<article>{PARAGRAPHS}</article></div>\n"
EMPTY_PAGE = "<!DOCTYPE html><html><head><script>start()</script></head><body></body></html>"


# What is a page


@pytest.mark.parametrize(
    "page",
    [
        PAGE,
        FRAGMENT,
        f"\ufeff\n <!-- made by hand -->{PAGE}",
        f"<?xml version='1.0' encoding='utf-8'?>{PAGE}",
        f"{MENU}<article>{PARAGRAPHS}</article>",
    ],
)
def test_stdin_that_begins_like_a_page_is_one(clean, page):
    assert clean(stdin=page) == Result(code=0, out=CLEANED, err="")


@pytest.mark.parametrize(
    "first",
    [
        "<p> is a tag that begins a paragraph, and this article is about it.",
        "<html> is where each page begins, and <body> is where it becomes visible to its readers.",
        "A page begins with <!DOCTYPE html><html><head>, which no reader of a newspaper ever has to see.",
        "< 5 is how the price of bread was written on the board that hung in the window of the bakery.",
    ],
)
def test_a_text_that_quotes_a_tag_is_none(clean, first):
    text = "\n".join([first, *STORY]) + "\n"
    rows = clean("explain", stdin=text).out.splitlines()
    assert rows[1].split() == ["line", "verdict", "kind", "score", "reason", "text"]
    assert len(rows) == 2 + 5 and CLEANED in clean(stdin=text).out


@pytest.mark.parametrize("name", ["a.html", "a.HTM", "a.xhtml", "a.txt", "a"])
def test_a_page_in_a_file(clean, tmp_path, name):
    (tmp_path / name).write_text(PAGE)
    assert clean(name) == Result(code=0, out=CLEANED, err="")


def test_a_suffix_says_it_where_the_beginning_does_not(clean, tmp_path):
    page = f"The menu {MENU}<article>{PARAGRAPHS}</article>"
    (tmp_path / "a.html").write_text(page)
    assert clean("a.html").out.endswith(CLEANED) and "<" not in clean("a.html").out
    assert clean("-f", "html", stdin=page).out == clean("a.html").out
    assert "of 1 line removed" in clean("explain", stdin=page).out


def test_a_page_can_be_cleaned_as_text(clean, tmp_path):
    (tmp_path / "a.html").write_text(ARTICLE)
    assert clean("-f", "text", "a.html").out == CLEANED
    assert "line" in clean("-f", "text", "--explain", stdin=PAGE).err.splitlines()[0]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_page_in_utf_16(clean, encoding):
    mark = codecs.BOM_UTF16_LE if encoding == "utf-16-le" else codecs.BOM_UTF16_BE
    assert clean(stdin=mark + PAGE.encode(encoding)) == Result(code=0, out=CLEANED, err="")
    assert clean(stdin=mark + ARTICLE.encode(encoding)).out == CLEANED, "a text in UTF-16 stays one"


def test_the_encoding_that_a_page_names(clean):
    story = "Городской совет во вторник решил восстановить старый мост в гавани после девяти лет споров."
    page = f"<html><head><meta charset='windows-1251'></head><body><article><p>{story}</p><p>{story[:-1]} и шума.</p>"
    done = clean(stdin=page.encode("cp1251"))
    assert (done.code, done.err) == (0, "") and done.out.startswith(story)


# Output


def test_pages_and_texts_in_one_call(clean, tmp_path):
    (tmp_path / "a.html").write_text(PAGE)
    (tmp_path / "a.txt").write_text(ARTICLE)
    (tmp_path / "empty.html").write_text(EMPTY_PAGE)
    done = clean("a.html", "empty.html", "missing.html", "a.txt", "-", stdin=FRAGMENT)
    assert (done.code, done.out) == (4, f"{CLEANED}\n{CLEANED}\n{CLEANED}")
    assert done.err.splitlines() == [
        "clean: empty.html: no article was found in the page; nothing is left",
        "clean: cannot read missing.html: No such file or directory",
    ]


def test_output_into_a_file(clean, tmp_path):
    assert clean("-o", "out.txt", stdin=PAGE) == Result(code=0, out="", err="")
    assert (tmp_path / "out.txt").read_text() == CLEANED


def test_to_json(clean, tmp_path):
    (tmp_path / "a.html").write_text(PAGE)
    (tmp_path / "ad.txt").write_text(AD)
    done = clean("-q", "-t", "json", "a.html", "ad.txt", "-", stdin=ARTICLE)
    page, ad, text = map(json.loads, done.out.splitlines())
    assert list(page) == ["name", "version", "text", "flags", "quality", "lines"]
    assert [page["name"], ad["name"], text["name"]] == ["a.html", "ad.txt", "<stdin>"]
    assert page["text"] + "\n" == text["text"] + "\n" == CLEANED and ad["text"] == ""
    assert page["lines"][0]["path"] == "html>body>nav>ul>li>a"
    assert page["lines"][-1]["path"] == "html>body>article#story.wide>p"
    assert all("path" not in line for line in text["lines"])


def test_to_markdown(clean, tmp_path):
    (tmp_path / "a.html").write_text(PAGE)
    (tmp_path / "a.txt").write_text(ARTICLE)
    done = clean("-t", "markdown", "a.html", "a.txt")
    assert done == Result(code=0, out="\n\n".join(STORY) + "\n\n" + CLEANED, err="")


def matter(text):
    """The fields of the front matter of a document, and the document."""
    mark, fields, rest = re.split(r"^---\n", text, maxsplit=2, flags=re.MULTILINE)
    assert mark == ""
    pairs = [line.split(": ", 1) for line in fields.splitlines()]
    return {name: json.loads(value) for name, value in pairs}, rest


@pytest.mark.parametrize("to", ["text", "markdown"])
def test_metadata_as_front_matter(clean, tmp_path, to):
    (tmp_path / "a.txt").write_text(ARTICLE)
    done = clean("-t", to, "--metadata", "-", "a.txt", stdin=PAGE)
    fields, rest = matter(done.out)
    assert fields == {"title": "Harbour bridge to be rebuilt", "author": "Mira Holm", "language": "en"}
    expected = CLEANED if to == "text" else "\n\n".join(STORY) + "\n"
    assert rest == f"\n{expected}\n{CLEANED}", "nothing is known of a text"


def test_metadata_in_json(clean, tmp_path):
    (tmp_path / "a.txt").write_text(ARTICLE)
    page, text = map(json.loads, clean("-t", "json", "--metadata", "-", "a.txt", stdin=PAGE).out.splitlines())
    assert list(page["metadata"]) == ["title", "author", "date", "language", "site", "url"]
    assert page["metadata"]["author"] == "Mira Holm" and page["metadata"]["url"] is None
    assert "metadata" not in text


def test_url(clean):
    address = "https://www.harbour-news.example/2024/05/03/bridge"
    fields, _ = matter(clean("--metadata", "--url", address, stdin=PAGE).out)
    assert fields["url"] == address and fields["date"] == "2024-05-03"
    assert clean("--url", address, stdin=ARTICLE).out == CLEANED, "who pipes need not know what comes"


def test_front_matter_holds_whatever_a_page_says():
    assert front_matter(Metadata()) == ""
    title = 'He said: "#1 \\ no"\n--- \t'
    assert matter(front_matter(Metadata(title=title, site="é"))) == ({"title": title, "site": "é"}, "\n")
    assert front_matter(Metadata(author="a\x85\u2028\U000e0041")) == '---\nauthor: "a\\x85\\u2028\\U000e0041"\n---\n\n'


# How to clean


def test_engines(clean, tmp_path):
    assert set(ENGINES) == set(Engine)
    for engine in ENGINES:
        assert clean("--engine", engine, stdin=PAGE).out == CLEANED
    (tmp_path / "cleaner.toml").write_text('engine = "fast"\nfrom = "html"\n')
    assert clean(stdin=PAGE).out == CLEANED


def test_kinds_and_phrases_count_for_pages_too(clean, tmp_path):
    (tmp_path / "phrases.txt").write_text(STORY[0])
    assert clean("--phrases", "phrases.txt", stdin=PAGE).out == CLEANED.partition("\n")[2]
    assert "Sport" in clean("--keep", "navigation,related", stdin=PAGE).out


# Accounts


def test_explain_says_where_a_block_stands(clean):
    done = clean("--explain", stdin=PAGE)
    assert done.out == CLEANED and done.err.startswith("<stdin>: 2 of 6 blocks removed")
    assert re.search(r"^ +2  remove +\w+ +\d\.\d\d  \w+ +html>body>nav>ul>li>a  Sport$", done.err, re.MULTILINE)
    rows = clean("explain", stdin=PAGE).out.splitlines()
    assert rows[1].split() == ["block", "verdict", "kind", "score", "reason", "path", "text"]
    assert rows[2].endswith("html>body>nav>ul>li>a  Home")
    assert rows[-1].endswith(f"html>body>article#story.wide>p  {STORY[-1]}")


def test_explain_as_json_says_it_too(clean, tmp_path):
    (tmp_path / "a.html").write_text(PAGE)
    account = json.loads(clean("explain", "--json", "a.html").out)
    assert account["lines"][-1]["path"] == "html>body>article#story.wide>p"
    assert json.loads(clean("--explain", "--json", "a.html").err) == account


def test_explain_escapes_what_a_page_calls_its_elements(clean):
    done = clean("explain", stdin=PAGE.replace("wide", "w\u202e\x1b[2J"))
    assert "\x1b" not in done.out and "\u202e" not in done.out


# What can go wrong


@pytest.mark.parametrize("data", ["", "\n", "<!-- nothing -->", EMPTY_PAGE])
def test_nothing_left_of_a_page_is_said_unless_quiet(clean, data):
    said = "clean: <stdin>: no article was found in the page; nothing is left\n"
    assert clean("-f", "html", stdin=data) == Result(code=0, out="", err=said)
    assert clean("-f", "html", "-q", stdin=data) == Result(code=0, out="", err="")
    assert clean("-f", "html", "--metadata", "-t", "markdown", stdin=data) == Result(code=0, out="", err=said)


def test_undecodable_bytes_are_a_warning(clean):
    done = clean(stdin=codecs.BOM_UTF8 + PAGE.encode().replace(b"The city", b"The c\xffty"))
    assert done.code == 0 and "\ufffd" in done.out
    assert done.err == (
        "clean: <stdin>: some bytes are not text in the encoding of the page; they were replaced by U+FFFD\n"
    )


def test_markup_nested_too_deeply_is_a_warning(clean):
    done = clean(stdin=f"<!DOCTYPE html><html><body>{'<div>' * 5000}{PARAGRAPHS}</html>")
    assert done.code == 0 and STORY[1] in done.out
    assert "nested too deeply" in done.err


@pytest.mark.parametrize("flag", Flag)
@pytest.mark.parametrize("text", ["", STORY[0]])
def test_every_flag_has_its_words(flag, text):
    result = CleanResult(text, (flag,), 0.5, LineColumns(*[()] * 8))
    (said,) = warnings(result)
    assert ("nothing is left" in said) == (not text and flag in (Flag.NOTHING_LEFT, Flag.NO_ARTICLE))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--url", "https://a.example/", "a.html", "b.html"], "--url"),
        (["--url", "https://a.example/", "a.jsonl"], "--url"),
        (["--url", "https://a.example/", "-f", "text"], "--url"),
        (["-t", "json", "-f", "jsonl"], "records"),
        (["--metadata", "-f", "jsonl"], "records"),
        (["-t", "markdown", "--diff"], "--diff and --check write none"),
        (["-t", "json", "--check"], "--diff and --check write none"),
        (["--metadata", "--check"], "--diff and --check write none"),
        (["-t", "pdf"], "'pdf'"),
        (["--json"], "-t json"),
        (["a.html", "b.jsonl"], "mixed"),
        (["-f", "html", "--errors", "x"], "-f jsonl"),
        (["--diff"], "<stdin>: it is a page"),
        (["-f", "html", "--check"], "<stdin>: it is a page"),
    ],
)
def test_usage_errors(clean, args, said):
    done = clean(*args, stdin=PAGE)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_page_does_not_stop_the_comparison_of_texts(clean, tmp_path):
    (tmp_path / "a.html").write_text(PAGE)
    (tmp_path / "a.txt").write_text(ARTICLE)
    done = clean("--check", "a.html", "a.txt")
    assert (done.code, done.out) == (2, "")
    assert [line.split(": ")[1] for line in done.err.splitlines()] == ["a.html", "a.txt"]
    (tmp_path / "out").write_text("old")
    assert clean("--diff", "-o", "out", "a.html").code == 2
    assert (tmp_path / "out").read_text() == "old"


def after(program, args, stdin):
    """A process that runs a line of Python, then the command, and ends with the modules on stderr."""
    program = f"import sys; {program}; from cleaner.cli import main; code = main({args!r})"
    program += "; print(*sys.modules, file=sys.stderr); sys.exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", program], input=stdin.encode(), capture_output=True, env=environment(), check=False
    )
    return Result(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())


@pytest.mark.parametrize(
    ("library", "args"),
    [("lxml", []), ("lxml", ["explain"]), ("trafilatura", ["--metadata"]), ("trafilatura", ["--metadata", "-tjson"])],
)
def test_a_missing_library_is_named(library, args):
    done = after(f"sys.modules[{library!r}] = None", args, PAGE)
    assert (done.code, done.out) == (2, "") and "Traceback" not in done.err
    assert done.err.startswith(f"clean: {library} is not installed; pages need it: pip install {library}\n")


@pytest.mark.parametrize("text", [ARTICLE, f"<p> is a tag.\n{ARTICLE}"])
@pytest.mark.parametrize("args", [["-q"], ["-t", "json"], ["--metadata"], ["--explain"]])
def test_a_text_pays_for_no_page(text, args):
    done = after("pass", args, text)
    modules = set(done.err.splitlines()[-1].split())
    assert done.code == 0 and "numpy" in modules
    assert not modules & {"lxml", "trafilatura", "charset_normalizer", "ftfy", "cleaner.page.cleaning"}
    assert ("cleaner.page.source" in modules) == text.startswith("<")


@pytest.mark.parametrize("args", [[], ["-t", "json"], ["-t", "markdown"], ["explain"]])
def test_reader_that_leaves(tmp_path, args):
    paragraphs = "".join(f"<p>{line} ({number})</p>" for number in range(1500) for line in STORY)
    (tmp_path / "big.html").write_text(f"<html><body><article>{paragraphs}</article></body></html>")
    process = subprocess.Popen(
        command(*args, tmp_path / "big.html"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert process.stdout.read(1)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 0
    process.stderr.close()
