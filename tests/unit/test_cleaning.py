"""Whole pages in, results out, with the hand-made bundle: nothing vanishes, and the caller has the last word."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import PAGE, STORY, TITLE, json_ld, markups, read

from cleaner import Cleaner, Flag, Kind, Options, Reason
from cleaner.lines import join_lines
from cleaner.page import cleaning

AD, CAPTION, HEADING = "Buy zzadvert now", "The bridge, zzcaption", "A zzheadline about it"
MARKED = f"<h1>{HEADING}</h1><p>{STORY[0]}<p>{AD}<p>{STORY[1]}<figure><figcaption>{CAPTION}</figcaption></figure>"


@pytest.fixture(scope="module")
def cleaner(tiny_bundle):
    return Cleaner.load(tiny_bundle)


def seen(result):
    """Everything that a result says."""
    return result.as_dict(), result.markdown


def kept(result):
    return [line.text for line in result.lines if line.kept]


# Laws

shares = st.floats(0, 1)
options = st.builds(
    Options,
    keep=st.frozensets(st.sampled_from(sorted(Kind)), max_size=4),
    threshold=st.none() | shares,
    thresholds=st.dictionaries(st.sampled_from(sorted(Kind)), shares, max_size=3),
    phrases=st.lists(st.sampled_from([*STORY, "Share", "x"]), max_size=2),
    trims=st.booleans(),
    max_removed_share=st.none() | shares,
    engine=st.sampled_from(["default", "fast"]),
    plain_quotes=st.booleans(),
)


@settings(max_examples=100, deadline=None)
@given(markups, options)
def test_every_block_is_accounted_for_and_the_text_is_what_was_kept(cleaner, markup, chosen):
    result = cleaner.clean_html(markup, options=chosen)
    if Flag.FROM_JSON_LD not in result.flags:
        assert [(line.index, line.raw) for line in result.lines] == list(enumerate(read(markup).page.texts))
        assert all(line.path.startswith("html") for line in result.lines)
    assert result.text == join_lines(kept(result))
    assert sorted(
        [*(line for line in result.lines if line.kept), *result.removed], key=lambda line: line.index
    ) == list(result.lines)
    assert result.text or {Flag.NO_ARTICLE, Flag.NOTHING_LEFT} & {*result.flags}
    assert all(0 <= line.score <= 1 for line in result.lines) and 0 <= result.quality <= 1


@settings(max_examples=40, deadline=None)
@given(markups, options)
def test_the_same_page_gives_the_same_result(cleaner, markup, chosen):
    once = seen(cleaner.clean_html(markup, options=chosen))
    assert seen(cleaner.clean_html(markup, options=chosen)) == once
    assert seen(cleaner.clean_html(markup.encode(), charset="utf-8", options=chosen)) == once


@settings(max_examples=40, deadline=None)
@given(markups, st.sampled_from(sorted(set(Kind) - {Kind.CONTENT})))
def test_a_kind_that_is_kept_stays(cleaner, markup, kind):
    result = cleaner.clean_html(markup, options=Options(keep=[kind]))
    assert all(line.kept for line in result.lines if line.kind is kind)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_cleaner_that_was_pickled_gives_the_same(tiny_bundle, fresh):
    cleaner = Cleaner.load(tiny_bundle, Options(keep=["caption"]))
    if not fresh:
        cleaner.clean_html(PAGE)
    copy = pickle.loads(pickle.dumps(cleaner))
    for page in (PAGE, MARKED):
        assert seen(copy.clean_html(page)) == seen(cleaner.clean_html(page))


def test_a_result_can_be_pickled_before_it_is_looked_at(cleaner):
    result = cleaner.clean_html(PAGE)
    copy = pickle.loads(pickle.dumps(result))
    assert seen(copy) == seen(result)
    assert copy.metadata.title == TITLE


def test_threads_share_a_cleaner(tiny_bundle):
    cleaner = Cleaner.load(tiny_bundle)
    pages = [PAGE.replace("Home", f"{tiny.MARKERS[Kind.ADVERT] * (number % 2)} {number}") for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        together = [seen(result) for result in pool.map(cleaner.clean_html, pages)]
    assert together == [seen(cleaner.clean_html(page)) for page in pages]


def test_text_and_pages_do_not_disturb_each_other(cleaner):
    text = "\n".join([*STORY, AD])
    before = seen(cleaner.clean(text))
    cleaner.clean_html(PAGE)
    assert seen(cleaner.clean(text)) == before


# What comes in


def test_marked_blocks_go_and_the_story_stays(cleaner):
    result = cleaner.clean_html(MARKED)
    assert result.text == "\n".join(STORY[:2])
    assert [line.kind for line in result.removed] == [Kind.HEADLINE, Kind.ADVERT, Kind.CAPTION]
    assert {line.reason for line in result.lines} == {Reason.MODEL}
    assert result.lines[2].path == "html>body>p"
    assert result.flags == ()


def test_what_holds_no_tag_goes_the_road_of_text(cleaner):
    text = "\n".join([HEADING, STORY[0], AD, "a & b &amp; c"])
    result = cleaner.clean_html(text, "https://paper.example/1")
    assert result.as_dict() == cleaner.clean(text).as_dict()
    assert HEADING in result.text  # of a text, the title stays
    assert (result.metadata.url, result.lines[0].path) == ("https://paper.example/1", "")
    assert cleaner.clean_html("").flags == (Flag.NO_ARTICLE,)


def test_options_reach_the_road_of_text(cleaner):
    text = f"{STORY[0]}\n{AD}"
    assert cleaner.clean_html(text, options=Options(keep=["advert"])).text == text


def test_what_cannot_be_decoded_is_flagged_first(cleaner):
    page = '<meta charset="utf-8"><p>Café '.encode() + b"\xff " + AD.encode()
    assert cleaner.clean_html(page + f"<p>{STORY[0]}".encode()).flags == (Flag.UNDECODABLE_BYTES,)
    assert cleaner.clean_html(page).flags == (Flag.UNDECODABLE_BYTES, Flag.NO_ARTICLE)


def test_a_charset_that_came_with_the_page_is_used(cleaner):
    page = f"<p>{STORY[0]} Café".encode("cp1252")
    assert cleaner.clean_html(page, charset="windows-1252").text.endswith("Café")


@pytest.mark.parametrize("page", ["<p></p>", "<script>x()</script>", "<!-- -->", f"<p>{AD}", "<p>\u200b"])
def test_a_page_without_an_article_says_so(cleaner, page):
    result = cleaner.clean_html(page)
    assert (result.text, result.flags) == ("", (Flag.NO_ARTICLE,))


def test_nesting_without_end_is_flagged(cleaner):
    result = cleaner.clean_html("<div>" * 5000 + f"{STORY[0]}<p>{AD}")
    assert (result.text, result.flags) == (STORY[0], (Flag.MARKUP_CUT,))
    assert cleaner.clean_html("<div>" * 5000 + AD).flags == (Flag.MARKUP_CUT, Flag.NO_ARTICLE)


def test_an_article_that_a_script_holds_until_the_page_is_built(cleaner):
    script = f"<script>start({json.dumps({'body': ''.join(f'<p>{line}</p>' for line in [*STORY, AD])})})</script>"
    result = cleaner.clean_html(f"<div id=app>{AD}</div>{script}")
    assert (result.text, result.flags) == ("\n".join(STORY), (Flag.FROM_SCRIPT,))
    # What is shown counts first.
    assert cleaner.clean_html(f"<p>{STORY[0]}</p>{script}").text == STORY[0]


def test_text_of_the_data_is_escaped_as_markdown(cleaner):
    lines = [f"# {STORY[0]}", f"2024. {STORY[1]}", f"{STORY[2]} <b>"]
    result = cleaner.clean_html(f"{json_ld(chr(10).join(lines))}<p>Loading")
    assert result.flags == (Flag.FROM_JSON_LD,)
    assert result.markdown.startswith(f"\\# {STORY[0]}\n\n2024\\. {STORY[1]}")


def test_an_article_that_stands_in_the_data_of_the_page_alone(cleaner):
    data = json_ld("\n".join([*STORY, AD]))
    result = cleaner.clean_html(f"<title>{TITLE}</title>{data}<p>Loading<p>{AD}", "https://paper.example/1")
    assert (result.text, result.flags) == ("\n".join(STORY), (Flag.FROM_JSON_LD,))
    assert [line.path for line in result.lines] == [""] * 4
    assert result.markdown == "\n\n".join(STORY)
    assert (result.metadata.title, result.metadata.url) == (TITLE, "https://paper.example/1")
    cut = cleaner.clean_html(data + "<div>" * 5000 + "Loading")
    assert cut.flags[0] is Flag.MARKUP_CUT
    kept_all = cleaner.clean_html(f"{data}<p>Loading", options=Options(keep=["advert"]))
    assert kept_all.text.endswith(AD)


def test_an_article_that_stands_on_the_page_is_read_there(cleaner):
    story = "".join(f"<p>{line}" for line in STORY)
    assert cleaner.clean_html(json_ld("\n".join(STORY)) + story).flags == ()
    # As much again and more may be a list of its comments.
    longer = json_ld("\n".join(f"{line} {i}" for i in range(cleaning.MORE_IN_BODY - 1) for line in STORY))
    assert cleaner.clean_html(longer + story).text == "\n".join(STORY)


def test_data_that_hold_nothing_but_boilerplate_are_no_article(cleaner):
    body = "ADVERTISEMENT\n" * 40
    result = cleaner.clean_html(f"{json_ld(body)}<p>{AD}")
    assert (result.text, result.flags) == ("", (Flag.NO_ARTICLE,))


def test_angle_brackets_on_a_page_are_text(cleaner):
    assert cleaner.clean_html("<p>Write &lt;b&gt; for bold type, said the teacher of Pell").text.startswith("Write <b>")


def test_what_is_asked_of_a_page_later_is_of_that_page(cleaner):
    result = cleaner.clean_html(f"<title>{TITLE}</title><h2>One zzheadline</h2><h2>On the quay</h2><p>{STORY[0]}")
    assert result.markdown == f"## On the quay\n\n{STORY[0]}"
    assert result.metadata.title == TITLE


# Options


def test_kinds_are_kept_and_removed_as_asked(cleaner):
    ask = lambda **chosen: kept(cleaner.clean_html(MARKED, options=Options(**chosen)))  # noqa: E731
    assert ask(keep=["advert", "caption"]) == [STORY[0], AD, STORY[1], CAPTION]
    assert ask(keep=["headline"]) == [HEADING, *STORY[:2]]
    assert ask(remove=["headline"]) == ask() == STORY[:2]


def test_thresholds_are_those_of_the_caller(cleaner):
    scores = [line.score for line in cleaner.clean_html(MARKED).lines]
    assert min(scores) < 0.01 and 0.99 < max(scores) < 1
    ask = lambda **chosen: kept(cleaner.clean_html(MARKED, options=Options(**chosen)))  # noqa: E731
    assert ask(threshold=1.0) == [HEADING, STORY[0], AD, STORY[1], CAPTION]
    assert ask(threshold=0.0) == []
    assert ask(thresholds={"advert": 1.0}) == [STORY[0], AD, STORY[1]]


def test_phrases_go_wherever_they_stand(cleaner):
    chosen = Options(phrases=[STORY[1].upper()], keep=["advert"])
    result = cleaner.clean_html(MARKED, options=chosen)
    assert result.text == f"{STORY[0]}\n{AD}"
    assert result.lines[3].reason is Reason.CALLER


def test_what_is_glued_to_a_block_is_cut_unless_asked_otherwise(cleaner):
    page = f"<p>{STORY[0]} Advertisement<p>{STORY[1]}"
    result = cleaner.clean_html(page)
    assert result.text == "\n".join(STORY[:2])
    assert [trim.text.strip() for trim in result.lines[0].trims] == ["Advertisement"]
    # Uncut, it would go as a whole, so alike are the two words.
    uncut = cleaner.clean_html(page, options=Options(trims=False, keep=["advert"]))
    assert uncut.text.startswith(f"{STORY[0]} Advertisement")


def test_a_page_that_would_lose_too_much_comes_back_whole(cleaner):
    for share, flags in ((0.1, (Flag.OVER_BUDGET,)), (0.9, ())):
        result = cleaner.clean_html(MARKED, options=Options(max_removed_share=share))
        assert result.flags == flags
        assert bool(result.removed) == (not flags)


def test_a_repeat_goes(cleaner):
    result = cleaner.clean_html(f"<p>{STORY[0]}<p>{STORY[1]}<div>{STORY[0]}</div>")
    assert result.text == "\n".join(STORY[:2])
    assert [(line.kind, line.reason) for line in result.removed] == [(Kind.REPEAT, Reason.CONTEXT)]


def test_the_fast_engine_looks_once(tmp_path):
    # A bundle whose second pass takes everything for an advert.
    pages = tiny.page_arrays()
    pages["second_output_bias"] = np.where(np.array(tiny.KINDS) == Kind.ADVERT, 9.0, -9.0)
    cleaner = Cleaner.load(tiny.write_bundle(tmp_path, pages=tiny.npz(pages)))
    assert cleaner.clean_html(MARKED).flags == (Flag.NO_ARTICLE,)
    assert cleaner.clean_html(MARKED, options=Options(engine="fast")).text == "\n".join(STORY[:2])
