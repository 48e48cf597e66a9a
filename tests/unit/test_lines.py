"""Bytes to text to lines and back: nothing is lost, nothing is guessed."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner.lines import decode, join_lines, split_lines

ANY_TEXT = st.text(st.characters())
ENCODABLE = st.text(st.characters(exclude_categories=["Cs"]))
MARKED = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
]


@pytest.mark.parametrize(("mark", "encoding"), MARKED)
def test_a_byte_order_mark_is_believed_and_taken_off(mark: bytes, encoding: str) -> None:
    assert decode(mark + "Grüße, Мир 🌍".encode(encoding)) == ("Grüße, Мир 🌍", False)


@pytest.mark.parametrize(("mark", "encoding"), MARKED[1:])
def test_a_cut_off_character_is_replaced_and_flagged(mark: bytes, encoding: str) -> None:
    text, replaced = decode(mark + "Grüße".encode(encoding)[:-1])
    assert replaced
    assert text == "Grüß\ufffd"


@pytest.mark.parametrize(
    ("data", "text", "replaced"),
    [
        (b"", "", False),
        (b"\x00a\x00", "\x00a\x00", False),
        (b"a\xef\xbb\xbfb", "a\ufeffb", False),
        (b"\xef\xbb\xbf\xef\xbb\xbfa", "\ufeffa", False),
        (b"na\xefve", "na\ufffdve", True),
        (b"it\x92s", "it\ufffds", True),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd", True),
        (b"\xef\xbf\xbd", "\ufffd", False),
    ],
)
def test_what_has_no_mark_is_utf8_and_never_guessed(data: bytes, text: str, replaced: bool) -> None:
    assert decode(data) == (text, replaced)


@given(ENCODABLE.filter(lambda text: not text.startswith("\ufeff")))
def test_utf8_comes_back_as_it_was(text: str) -> None:
    assert decode(text.encode()) == (text, False)


@given(st.binary())
def test_no_bytes_are_fatal_and_the_flag_tells_the_truth(data: bytes) -> None:
    text, replaced = decode(data)
    text.encode()
    assert not replaced or "\ufffd" in text


@given(ANY_TEXT)
def test_only_blank_lines_are_missing_and_numbers_stay(text: str) -> None:
    physical = text.splitlines()
    numbers, lines = split_lines(text)
    kept = dict(zip(numbers, lines, strict=True))
    assert list(numbers) == sorted(kept)
    assert [kept.get(number, "") for number in range(len(physical))] == [raw if raw.strip() else "" for raw in physical]


def test_every_line_end_of_splitlines_ends_a_line() -> None:
    ends = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
    text = "".join(f"line{end}" for end in ends)
    numbers, lines = split_lines(text)
    assert list(numbers) == list(range(len(ends)))
    assert lines == ["line"] * len(ends)


def test_white_space_of_any_kind_is_blank_but_invisible_characters_are_not() -> None:
    assert split_lines(" \u00a0\u3000\t\n\u200b\n\x00\n\ufeff") == ([1, 2, 3], ["\u200b", "\x00", "\ufeff"])


def test_a_hundred_thousand_empty_lines_survive() -> None:
    assert split_lines("\n" * 100_000 + "end") == ([100_000], ["end"])


def test_a_line_of_ten_megabytes_survives() -> None:
    line = "word " * 2_000_000
    numbers, lines = split_lines(line)
    assert list(numbers) == [0]
    assert lines == [line]


@given(st.lists(st.text(st.characters(categories=["L", "N"]))))
def test_joined_lines_split_into_the_same_lines(texts: list[str]) -> None:
    joined = join_lines(iter(texts))
    assert not joined.endswith("\n")
    assert split_lines(joined)[1] == [text for text in texts if text]
