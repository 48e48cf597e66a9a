"""Hard-wrapped text is told by its breaks; what only looks narrow is left alone."""

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner import Cleaner, Options
from cleaner.lines import split_lines
from cleaner.wrapping import glued, join_wrapped, paragraph_starts, spans

BRIDGE = (
    "The council met on Tuesday evening and voted for the new bridge over the river, after four years of talks about "
    "money, land and the ferry that has carried people over since the war."
)
FERRY = (
    "Work is to begin in May, the mayor said. The ferry will go on until the last stone has been laid, and its crew "
    "has been promised work on the building site."
)
BAKER = (
    "“We waited long enough,” said a baker from the far bank, who had collected signatures for a second lane and had "
    "been told that there was no money left for it."
)
PARAGRAPHS = (BRIDGE, FERRY, BAKER)
TABLE = ["Bridge      4.2 m", "Ferry       0.3 m", "Reserve     1.0 m", "Sum         5.5 m"]
VERSE = ["The ferry goes by day and night,", "it never asks who pays,", "and when the river is in flood", "it stays."]
CODE = ["def cross(river):", "    for bank in river.banks:", "        yield bank", "    return None"]
LIST = ["- the bridge, which two firms are to build from May on until August", "- the ferry", "3. the road", "4. signs"]


def starts_of(text):
    return paragraph_starts(*split_lines(text))


def wrapped(width, *paragraphs):
    return "\n\n".join(textwrap.fill(paragraph, width) for paragraph in paragraphs)


@pytest.mark.parametrize("width", [55, 65, 72, 80, 95])
def test_wrapped_paragraphs_are_found_and_joined(width):
    index, lines = split_lines(wrapped(width, *PARAGRAPHS))
    starts = paragraph_starts(index, lines)
    assert starts is not None
    bounds = zip(starts, [*starts[1:], len(lines)], strict=True)
    assert [join_wrapped(lines[begin:end], glued(lines[begin:end])) for begin, end in bounds] == list(PARAGRAPHS)


@pytest.mark.parametrize("block", [TABLE, VERSE, CODE, LIST], ids=["table", "verse", "code", "list"])
def test_what_is_narrow_for_another_reason_is_left_alone(block):
    lone = "\n\n".join(["\n".join(block)] * 4)
    assert starts_of(lone) is None
    index, lines = split_lines(wrapped(72, *PARAGRAPHS) + "\n\n" + "\n".join(block))
    starts = paragraph_starts(index, lines)
    if starts is not None:
        first = len(lines) - len(block)
        assert [i for i in starts if i >= first] == list(range(first, len(lines)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "One line.",
        "\n".join(PARAGRAPHS),
        "\n\n".join(PARAGRAPHS),
        wrapped(72, *PARAGRAPHS).replace("\n\n", "\n"),
        wrapped(30, *PARAGRAPHS),
        wrapped(140, *PARAGRAPHS * 2),
        wrapped(72, PARAGRAPHS[0]),
    ],
)
def test_other_documents_are_not_taken_for_wrapped(text):
    assert starts_of(text) is None


def test_scripts_without_spaces():
    text = "市议会星期二晚上开会，投票决定在河上修建新桥，此前就资金和土地问题谈判了四年之久，渡船将继续运营。" * 3
    lines = [text[i : i + 60] for i in range(0, len(text), 60)]
    index, filled = split_lines("\n".join(lines) + "\n\n" + "\n".join(lines))
    starts = paragraph_starts(index, filled)
    assert starts == [0, len(lines)]
    assert join_wrapped(filled[: len(lines)], glued(filled[: len(lines)])) == text


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=6))
def test_spans_point_at_the_lines(lines):
    joined = join_wrapped(lines, glued(lines))
    assert [joined[begin:end] for begin, end in spans(lines, glued(lines))] == lines


@pytest.fixture(scope="module")
def cleaner():
    return Cleaner.load()


def test_a_wrapped_document_is_written_one_paragraph_a_line(cleaner):
    text = "ADVERTISEMENT\n\n" + wrapped(72, *PARAGRAPHS)
    result = cleaner.clean(text)
    assert result.text == "\n".join(PARAGRAPHS)
    index, raw = split_lines(text)
    assert [(line.index, line.raw) for line in result.lines] == list(zip(index, raw, strict=True))
    assert [line.text for line in result.lines] == raw
    assert [line.kept for line in result.lines] == [False] + [True] * (len(raw) - 1)
    assert cleaner.clean(result.text).text == result.text


def test_a_trim_is_accounted_for_on_its_line(cleaner):
    text = wrapped(72, BRIDGE, FERRY, f"{BAKER} Advertisement")
    result = cleaner.clean(text)
    assert result.text == "\n".join(PARAGRAPHS)
    assert [trim.text.strip() for line in result.lines for trim in line.trims] == ["Advertisement"]
    assert not result.lines[-1].text.endswith("Advertisement")


def test_a_trim_behind_a_word_that_was_divided_is_accounted_for(cleaner):
    before, behind = BAKER.split("collected ")
    divided = f"{before}col\N{SOFT HYPHEN}\n{textwrap.fill(f'lected {behind} Advertisement', 72)}"
    result = cleaner.clean(wrapped(72, BRIDGE, FERRY) + f"\n\n{divided}")
    assert result.text == "\n".join(PARAGRAPHS)
    assert [trim.text.strip() for line in result.lines for trim in line.trims] == ["Advertisement"]


def test_the_caller_may_want_the_lines_as_they_are(cleaner):
    text = wrapped(72, *PARAGRAPHS)
    assert cleaner.clean(text, Options(unwrap=False)).text == "\n".join(split_lines(text)[1])


def test_a_batch_mixes_wrapped_and_other_documents(cleaner):
    texts = [wrapped(72, *PARAGRAPHS), "\n".join(PARAGRAPHS), "", wrapped(60, *PARAGRAPHS)]
    assert [r.as_dict() for r in cleaner.clean_batch(texts)] == [cleaner.clean(text).as_dict() for text in texts]
