"""A line that the screen lets through is one that normalisation would not change."""

import sys
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cleaner import screen
from cleaner.normalize import normalize_line, normalize_lines
from cleaner.screen import needs_work

UTF8 = "éàüñßçøłśžšěőαβγПриветשלוםمرحباनमस्तेไทย中文日本語한국어việt“”‘’–—…€™😀\u00a0\u200b\ufeff"
MOJIBAKE = sorted(
    {
        char.encode().decode(encoding, "ignore")
        for char in UTF8
        for encoding in ("latin-1", "cp1252", "cp1251", "mac-roman")
    }
)


def letters(*ranges):
    return st.one_of(st.characters(min_codepoint=low, max_codepoint=high) for low, high in ranges)


ALPHABETS = {
    "everything": st.characters(),
    "ascii": letters((0x20, 0x7E)),
    "plain": st.sampled_from("abc ABC .,;:-!?“”‘’–—…éüß"),
    "latin": letters((0x80, 0x24F)),
    "combining": st.one_of(
        letters((0x300, 0x36F), (0x1AB0, 0x1AFF), (0x20D0, 0x20FF)), st.sampled_from("aeiouAEIOUnscz ǖ")
    ),
    "greek": letters((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "cyrillic": letters((0x400, 0x52F)),
    "semitic": letters((0x590, 0x8FF)),
    "indic": letters((0x900, 0xDFF)),
    "southeast": letters((0xE00, 0x109F), (0x1780, 0x17FF), (0x1B00, 0x1B7F)),
    "jamo": letters((0x1100, 0x11FF), (0xAC00, 0xAC40), (0xA960, 0xA97F), (0xD7B0, 0xD7FF)),
    "kana": letters((0x3000, 0x30FF), (0xFF00, 0xFFEF), (0xF900, 0xF9FF)),
    "astral": letters(
        (0x11000, 0x11AFF), (0x16100, 0x16D7F), (0x1D100, 0x1D1FF), (0x1F300, 0x1FAFF), (0x2F800, 0x2FA1F)
    ),
    "controls": st.one_of(
        letters((0, 0x1F), (0x7F, 0x9F), (0x2000, 0x206F), (0xFFF0, 0xFFFF), (0xE0000, 0xE01FF)), st.sampled_from("ab ")
    ),
    "surrogates": st.one_of(letters((0xD800, 0xDFFF)), st.sampled_from("ab ")),
    "markup": st.sampled_from([*list("&<>;#x3amp=/' \"lt"), "&amp;", "<b>", "</p>", "&#38;", "<!--", "-->"]),
    "mojibake": st.sampled_from(MOJIBAKE + list("abc ABC é")),
    "pairs": st.sampled_from(
        [chr(code) for code in range(0x80, 0x100)] + list("€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸРСвЂЃѓЉЊЌЋЏђљњќћџЎўЈҐЁ az")
    ),
}
LINES = st.sampled_from(sorted(ALPHABETS)).flatmap(lambda name: st.lists(ALPHABETS[name], max_size=12).map("".join))


def changed_unseen(lines):
    """The lines that the screen let through although normalisation changes them."""
    return [
        line
        for line, work in zip(lines, needs_work(lines).tolist(), strict=True)
        if not work and normalize_line(line) != line
    ]


@settings(max_examples=3000)
@given(st.lists(LINES, max_size=5))
@example([""])
@example(["", "", "a", ""])
@example(["a ", " a", "a  b", " "])
@example(["Ã", "©"])
@example(["가", "ᆨ"])
@example(["a", "\u0301"])
def test_a_line_that_needs_no_work_is_normal(lines):
    assert changed_unseen(lines) == []


@settings(max_examples=1000)
@given(st.lists(LINES, max_size=5))
def test_a_line_is_judged_alike_alone_and_in_a_batch(lines):
    """More work than needed may be seen only at the edges of the neighbours, and never less."""
    together = needs_work(lines).tolist()
    assert all(
        seen or not needs_work([line])[0] or normalize_line(line) == line
        for line, seen in zip(lines, together, strict=True)
    )


@settings(max_examples=1000)
@given(st.lists(LINES, max_size=8))
def test_a_batch_is_normalised_like_its_lines(lines):
    before = lines.copy()
    assert normalize_lines(lines) == [normalize_line(line) for line in lines]
    assert lines == before


def test_every_code_point_is_judged_rightly_alone_and_between_letters():
    chars = [chr(code) for code in range(sys.maxunicode + 1)]
    for pattern in ("{}", "a{}", "{}a"):
        lines = [pattern.format(char) for char in chars]
        assert changed_unseen(lines) == []


def test_every_pair_that_can_be_mojibake_is_seen():
    low = [chr(code) for code in range(0xA0, 0x180)] + list(
        "€‚ƒ„…†‡ˆ‰‹‘’“”•–—˜™›" + "".join(map(chr, range(0x400, 0x460)))
    )
    assert changed_unseen([a + b for a in low for b in low]) == []
    cyrillic = [a + b + a + b + a + b for a in "РС" for b in low]
    assert changed_unseen(cyrillic) == []
    assert changed_unseen([f"a{a}{b}a" for a in low for b in low]) == []


def absorbed_by_the_one_before():
    """Every code point that a canonical composition of this Python's Unicode data puts second, found by trying."""
    found = set(
        map(chr, [*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)])
    )  # Hangul vowels and finals, composed by rule
    for code in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            first, second = (chr(int(part, 16)) for part in parts)
            if unicodedata.normalize("NFC", first + second) == chr(code):
                found.add(second)
    return found


def test_all_that_a_composition_can_absorb_is_seen():
    absorbed = absorbed_by_the_one_before()
    assert len(absorbed) > 100
    assert [hex(ord(char)) for char in sorted(absorbed) if not needs_work([f"a{char}"])[0]] == []


def test_the_list_of_joining_starters_is_complete():
    starters = {char for char in absorbed_by_the_one_before() if not unicodedata.combining(char)}
    assert starters <= screen._JOIN


def test_plain_lines_of_many_scripts_are_let_through():
    lines = [
        "The council met on Tuesday, and voted: “yes” – twice.",
        "Über Straßen, façades, naïveté",
        "Шторм обрушился на побережье",
        "Η καταιγίδα έπληξε τις ακτές",
        "العاصفة تضرب الساحل",
        "הסערה היכתה בחוף",
        "暴风雨袭击海岸",
        "嵐が海岸を襲った",
        "폭풍이 해안을 강타했다",
        "😀 fine",
        "a",
    ]
    work = needs_work(lines).tolist()
    assert [line for line, todo in zip(lines, work, strict=True) if todo] == []


@pytest.mark.parametrize("lines", [[], [""], ["", ""], ["a"]])
def test_shapes_at_the_edges(lines):
    assert needs_work(lines).shape == (len(lines),)
