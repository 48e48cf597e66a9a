"""Input made to hurt: it must come through in bounded time, accounted for, and as text that can be written."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType, ModuleType

import pytest

from cleaner import Cleaner, CleanResult, Flag, Kind, lexicon, normalize, trims
from cleaner.lexicon import Pattern, certain_kind
from cleaner.normalize import normalize_line
from cleaner.trims import repair_credit, trim

ROOT = Path(__file__).parent.parent
MEGA = 1_000_000
# Far above what linear work on a megabyte takes on a slow machine, far below what quadratic work takes on a fast one.
SECONDS = 30.0

STORY = [
    "The ferry between Pell and the mainland sailed again on Monday after eleven days of storm.",
    "Its captain, Runa Selby, said the swell had been the worst that she had seen in thirty years.",
    "Shops on the island had run out of flour on the sixth day and of patience on the seventh.",
]


@cache
def cleaner() -> Cleaner:
    """The cleaner that ships, loaded once."""
    return Cleaner.load()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail, rather than hang, when the body takes longer. The matching engine of `re` lets signals in."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"still at work after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def survives(text: str | bytes, seconds: float = SECONDS) -> CleanResult:
    """Clean a text in bounded time, and check what holds for any."""
    with at_most(seconds):
        result = cleaner().clean(text)
    result.text.encode()  # it can be written
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]", result.text)
    if isinstance(text, str):
        assert [line.raw for line in result.lines] == [line for line in text.splitlines() if line.strip()]
    assert result.text or not result.lines or Flag.NOTHING_LEFT in result.flags
    return result


# Characters


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (STORY[0].replace(" ", "\x00 "), STORY[0]),
        (STORY[0].replace("ferry", "fer\x00ry"), STORY[0]),
        ("\ufeff" + STORY[0], STORY[0]),
        (STORY[0].replace("ferry", "fer\ufeffry"), STORY[0]),
        (STORY[0].replace("ferry", "fe\u200br\u00adry"), STORY[0]),
        (STORY[0].replace("ferry", "\u202eferry\u202c"), STORY[0]),
        (STORY[0].replace(" ", "\u00a0"), STORY[0]),
        (STORY[0].replace("ferry", "\ud83d ferry"), STORY[0].replace("ferry", "\ufffd ferry")),
        (STORY[0].replace("ferry", "\ude00\ud83d ferry"), STORY[0].replace("ferry", "\ufffd\ufffd ferry")),
        (STORY[0].replace("ferry", "\ud83d\ude00 ferry"), STORY[0].replace("ferry", "\U0001f600 ferry")),
    ],
)
def test_odd_characters_inside_a_sentence(raw: str, text: str) -> None:
    assert survives("\n".join([STORY[1], raw, STORY[2]])).text == "\n".join([STORY[1], text, STORY[2]])


@pytest.mark.parametrize(
    "line",
    [
        "\x00",
        "\ufeff",
        "\u200b",
        "\u200b\u200c\u200d\u2060",
        "\u202a\u202e\u202c",
        "\u2066\u2069\u200f",
        "\u00ad",
        "\x7f",
        "<br>",
        "&nbsp;",
        "&#8203;",
    ],
)
def test_lines_that_are_nothing_once_normalised(line: str) -> None:
    alone = survives(line)
    assert (alone.text, len(alone.lines)) == ("", 1)
    assert survives("\n".join([line] * 3)).text == ""
    around = survives("\n".join([line, STORY[0], line, STORY[1], STORY[2], line]))
    assert around.text == "\n".join(STORY)
    assert [row.index for row in around.lines] == list(range(6))
    assert not around.flags


@pytest.mark.parametrize(
    "text", ["a", "ab", "日", "é", ".", "7", "-", "\ud83d", "\x00", "🙂", "a\nb", "日\n本", "x\n" * 50]
)
def test_tiny_documents(text: str) -> None:
    survives(text)


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "\r\n \t\x0b\x0c\n", "\u2028\u2029", "\u3000\u00a0", "\x1c\x1d\x1e\x85"]
)
def test_documents_that_are_blank(text: str) -> None:
    for given in (text, text.encode()):
        result = survives(given)
        assert (result.text, result.lines, result.flags) == ("", (), ())


def test_mixed_line_ends() -> None:
    text = f"{STORY[0]}\r\n{STORY[1]}\r\r\n\n\x0b{STORY[2]}\x85Anzeige\u2028Anzeige\x1e\x1d\n"
    assert survives(text).text == "\n".join(STORY)
    assert [line.index for line in survives(text).lines] == [0, 1, 5, 6, 7]


@pytest.mark.parametrize(
    "junk", [b"\xff", b"\xc3", b"\xe2\x82", b"\xed\xa0\xbd", b"\xf5\x80\x80\x80", b"\x80" * 9, b"\xc0\xaf"]
)
def test_undecodable_bytes(junk: bytes) -> None:
    data = "\n".join(STORY).encode() + b" " + junk + b" " + b"The end was dry.\n"
    result = survives(data)
    assert result.flags == (Flag.UNDECODABLE_BYTES,)
    assert (
        result.text.startswith("\n".join(STORY))
        and "\ufffd" in result.text
        and result.text.endswith("The end was dry.")
    )


def test_bytes_of_every_value() -> None:
    assert Flag.UNDECODABLE_BYTES in survives(bytes(range(256)) * 400).flags
    survives("".join(map(chr, [*range(0x3000), *range(0xD7F0, 0xE010), *range(0xFB00, 0x10000), 0x10FFFF])))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_marked_encodings_cut_off(encoding: str) -> None:
    data = "\n".join(STORY).encode(encoding)
    assert survives(data).text == "\n".join(STORY)
    for cut in range(1, 9):
        survives(data[:cut])
        survives(data[:-cut])


# Sizes


def test_a_line_of_ten_megabytes() -> None:
    line = (STORY[0] + " ") * (10 * MEGA // len(STORY[0]))
    result = survives("\n".join([STORY[1], line, STORY[2]]), 60)
    assert [row.text for row in result.lines] == [STORY[1], line.strip(), STORY[2]]
    survives("x" * 10 * MEGA, 60)
    survives("\u0301" * MEGA, 60)
    survives(("日本" * 5 * MEGA).encode(), 60)


def test_a_hundred_thousand_empty_lines() -> None:
    result = survives(STORY[0] + "\n" * 100_000 + STORY[1] + "\r\n" * 100_000 + STORY[2])
    assert result.text == "\n".join(STORY)
    assert [line.index for line in result.lines] == [0, 100_000, 200_000]
    assert survives("\n" * 100_000).lines == ()


def test_a_hundred_thousand_lines_of_one_character() -> None:
    assert len(survives("x\n" * 100_000, 60).lines) == 100_000
    assert len(survives("\n".join(chr(0x4E00 + i % 20_000) for i in range(100_000)), 60).lines) == 100_000
    assert len(survives("\u200b\n" * 100_000, 60).lines) == 100_000


def test_a_hundred_thousand_lines_that_are_all_the_same() -> None:
    result = survives("\n".join([STORY[0]] * 100_000), 60)
    assert result.lines[0].kept or result.lines[0].kind is not Kind.REPEAT
    assert len(result.lines) == 100_000
    labels = survives("\n".join(["Anzeige"] * 50_000), 60)
    assert (labels.text, labels.flags, len(labels.removed)) == ("", (Flag.NOTHING_LEFT,), 50_000)


def test_twice_the_lines_take_about_twice_the_time() -> None:
    def seconds(text: str) -> float:
        begin = time.process_time()
        cleaner().clean(text)
        return time.process_time() - begin

    rows = [f"{STORY[i % 3]} {i % 977}" if i % 5 else "Anzeige" for i in range(30_000)]
    seconds("\n".join(rows[:5000]))
    once, twice = (
        min(seconds("\n".join(rows[:15_000])) for _ in range(3)),
        min(seconds("\n".join(rows)) for _ in range(3)),
    )
    assert twice < 4 * once


def test_many_documents_need_little_memory() -> None:
    program = (
        "import resource; from cleaner import Cleaner; c = Cleaner.load();"
        "resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30));"
        "assert len(c.clean_batch([''] * 100_000)) == 100_000;"
        "assert len(c.clean_batch(['x'] * 20_000)) == 20_000;"
        "assert len(c.clean_batch(['Anzeige\\n'] * 20_000)) == 20_000"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-600:]


# Patterns


def patterns(module: ModuleType) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every compiled pattern that a module holds, by name."""
    for name, value in vars(module).items():
        if isinstance(value, re.Pattern):
            yield f"{module.__name__}.{name}", value
        elif isinstance(value, tuple):
            for one in value:
                if isinstance(one, Pattern):
                    yield f"{module.__name__}.{name}.{one.name}", one.regex


def repeated(piece: str) -> str:
    return piece * (MEGA // len(piece))


PIECES = [
    " ", ".", ":", "-", "(", "&", "<", ">", "[", "{", "%", "$", "#", ";", "=", "/", "'", '"', "a", "1", "A", "日",
    "\u0301", "\u200d", "\u200c", "\xa0", "Ã", "a ", ". ", "A(", "A (B", "A (Bcd) ", "((", "()", "](", "[[", "{{",
    "{% ", "%%a", "${", "[caption ", "[caption a=", "a=b ", "<a", "<a b", "<a b=", "<b>", "<a/", "</", "<!--",
    "<!-- -", "-->", "< ", "<<a ", "&a", "&#", "&#1", "&amp;", "&amp;amp", "&lt;b&gt;", "date ", "date 2023-10-13",
    "date 2023-10-13 ", "date 2023-10-13T10:00", "1:", "2023-", "Advertisement ", "ADVERTISEMENT A",
    ". Advertisement", ". Read more: ", ".Read more:", "Read more : Read more", ".Lesen Sie auch", "aPhoto by ",
    "aEditing by", ".)Reporting by", "img_1.jpg", "a.", "(.jpg", "%+-", "Ð¿Ñ", "\xe2\u20ac", "Ã©", "РџС",
    "\u0430\u0301", "\u0915\u200d", "\U0001f469\u200d", "\u200c\u200d", "\u0627\u200c", "\x85\x86", "\ud83d",
    "Q" * 60 + "(",
    "A" + "b" * 59 + " (Cd", "»", "\u300b", "\u2028", "\x1c",
]  # fmt: skip


def attacks(piece: str) -> Iterator[str]:
    """A megabyte of one piece: bare, nearly closed, and with other ends."""
    body = repeated(piece)
    yield body
    yield f"date 2023-10-13 {body} Advertisement!"
    yield f"{body} (Agency) -A. Read more: {body[:300]}"


@pytest.mark.parametrize("piece", PIECES, ids=ascii)
def test_a_megabyte_of_one_piece(piece: str) -> None:
    for line in attacks(piece):
        with at_most(SECONDS):
            text = normalize_line(line)
        with at_most(SECONDS):
            assert normalize_line(text) == text
            certain_kind(text)
            trim(text)
            repair_credit(text)
    survives("\n".join([STORY[0], repeated(piece), STORY[1]]), 90)


@pytest.mark.parametrize(
    ("name", "regex"),
    [pair for module in (lexicon, normalize, trims) for pair in patterns(module)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_pattern_backtracks_without_bound(name: str, regex: re.Pattern[str]) -> None:
    anchored = "normalize" not in name
    for piece in PIECES:
        for line in (repeated(piece)[: MEGA // 4], repeated(piece)[: MEGA // 4] + "\x01"):
            with at_most(SECONDS):
                regex.match(line)
                regex.fullmatch(line)
                if not anchored:
                    regex.sub("", line)
                else:  # the patterns of trims are searched for in the end of a line only
                    regex.search(line, len(line) - 300)
