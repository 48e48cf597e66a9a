"""Normalisation repairs what machines broke, leaves what people wrote, and is stable."""

import re
import subprocess
import sys
import unicodedata
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cleaner import normalize
from cleaner.normalize import (
    BLOCK_TAGS,
    INLINE_TAGS,
    has_mojibake,
    normalize_line,
    normalize_lines,
    plain_dashes,
    straighten_quotes,
)

REPAIRED = {
    # entities
    "Bread &amp; butter": "Bread & butter",
    "ten&nbsp;past&amp;nbsp;two&amp;amp;nbsp;today": "ten past two today",
    "&#38;#38;#x26;amp;": "&",
    "it&#146;s &#x2019;ere": "it’s ’ere",
    "zero &#0; huge &#99999999; half &#xD800;": "zero \ufffd huge \ufffd half \ufffd",
    "&NotEqualTilde;": "≂̸",
    "&lt;p&gt;one&lt;/p&gt;two": "one two",
    "&amp;lt;script&amp;gt;go()&amp;lt;/script&amp;gt;": "go()",
    # tags
    "<p>one</p><p>two</p>": "one two",
    "one<br>two<BR/>three<br />four": "one two three four",
    "un<b>believ</b>able <SPAN class='x'>news</SPAN>": "unbelievable news",
    "see <a href='https://example.org/?a=1&b=2'>this</a>.": "see this.",
    "one<!-- ad slot -->two": "onetwo",
    "a <<b>p>b": "a b",
    "The end. </p> <p> Then <b>more</b> of it</div> and on": "The end. Then more of it and on",
    "the words <i>in</i> <i>slant</i> and <br> below": "the words in slant and below",
    "o <title> and others": "o and others",
    'write( "<pre>" )': 'write( " " )',
    "use the &lt;h1&gt; element, and not &amp;lt;b&amp;gt;.": "use the <h1> element, and not <b>.",
    # mojibake
    "itâ€™s â€œfineâ€\u009d â€“ reallyâ€¦": "it’s “fine” – really…",
    "Ã©tÃ© Ã\u00a0 Paris": "été à Paris",
    "SÃ£o Paulo, nÃ£o Ã©": "São Paulo, não é",
    "priceÂ\u00a0listÂ\u00a0here": "price list here",
    "ÐŸÑ€Ð¸Ð²ÐµÑ‚, Ð¼Ð¸Ñ€": "Привет, мир",
    "РџСЂРёРІРµС‚": "Привет",
    "zÅ‚oty i gÄ™Å›": "złoty i gęś",
    "ViÃªt Nam viá»‡t": "Viêt Nam việt",
    "ÎºÎ±Î»Î·Î¼Î\u00adÏ\u0081Î±": "καλημέρα",
    "fun ðŸ˜€": "fun 😀",
    "twice: cafÃƒÂ©": "twice: café",
    "It\x92s \x93late\x94": "It’s “late”",
    # white space
    "\u00a0a\u2003b\u3000c\u202fd\te\x0bf\x0cg\x85h\u2028i\u2029": "a b c d e f g h i",
    "a   b": "a b",
    # invisible characters
    "a\x00b\x07c\x1bd\x7fe\x81f": "abcdef",
    "in\u00advis\u200bi\u2060b\ufeffle": "invisible",
    "\u202aleft\u202c \u2067right\u2069\u200e\u200f": "left right",
    "wo\u200crd wo\u200drd \u200c \u200d": "word word",
    "می\u200c\u200cخواهم\u200c!": "می\u200cخواهم!",
    "می\u200b\u200cخواهم": "می\u200cخواهم",
    # composed, and what cannot be written
    "cafe\u0301": "café",
    "\u212b\u2126": "ÅΩ",
    "a\ud800b \ud83d\ude00 \udc00": "a\ufffdb 😀 \ufffd",
    "\ufeff": "",
}

UNTOUCHED = [
    "AT&T and R&D; Q&A, a &lt b, &nosuchname; &#; &#x; & &;",
    "https://example.org/?a=1&copy=2&reg=3",
    "x < y > z, I <3 you, 1<2>0, <<EOF, -> <-",
    "List<String>, vector<int>, Set<A>, Map<a, b>, Array<Object>, <Button>, <T>",
    "he said <a long time ago> and <b as in boy>",
    "They put <title> in place of <h1>, <script src='x.js'> behind it, and </footer> at the end.",
    "Break lines with “<br>”, (<hr>) or `<wbr>`, not with ‘<p>’ or «</p>».",
    "“Curly” ‘quotes’, «guillemets», em—dash, en–dash, non‑break, ellipsis…, ﬁne ½ ™ Ａ",
    "L’été à Noël, où l’œuvre coûta cher : « Ça va ? »",
    "ÉTÉ À LA CARTE – «À BIENTÔT» CHÂTEAU… PÂQUES”",
    "“ATÉ AMANHÃ”, «AMANHû MAÇÃ… LÃ – NÃO É NÃO",
    "CORAÇÃO, irmã… manhã – lã”, avô», está», já», pé»…",
    "Tiếng Việt: Đường phố Hà Nội đông đúc, ÂN CẦN, ĐÃ ĐẾN ‘Ã’ Ẩ",
    "ĐÃ… “ĐÔ VÀ – “Â”",
    "Größe: „Spaß“, „Fuß”, SÜẞ – Straß…",
    "Å være eller ikke være, “Å”, på… blå» Ä” Ö… ÄÖÅ",
    "Привет, «мир» – РС, СССР… Россия… “РФ”",
    "Київ: «Їжак» і Європа – В’ячеслав, РІЗНІ СІМ’Ї РІК",
    "Њујорк, Ђоковић и ЏЕП: СЂАЈ",
    "ÎLE, ÎLOT… Ñu “ESPAÑ” ÐÞ Øre Ùú Ú… × 2 ×—",
    "Ελληνικά «κείμενα» – ΕΛΛΑΔΑ…",
    "Łódź, żółć, ČEŠTINA “Č” ŽIŽEK… šťastný",
    "日本語の「文章」、中文…… 한국어",
    "می\u200cخواهم، ١٤٤٥ه\u200d",
    "क्\u200dष, ക്\u200dഷ, അവന്\u200d.",
    "👩\u200d👩\u200d👧 🏳️\u200d🌈 👩🏽\u200d🚒 ❤️\u200d🔥 🏴\U000e0067\U000e0062\U000e007f ☎️",
    "\ufffd stays",
    "à ã â ê ô õ ü ï ë Ã Â Ð Ø Þ",
    "",
]

# Characters that are dangerous in each other's company.
SHARP = st.sampled_from(
    [
        *"&<>#;/=ampltgbr38xÃÂâÐÑÅáØà€™œ\u009d\u0081\u00a0\u0085…”é°РСвЂ",
        *"\u200b\u200c\u200d\u00ad\ufeff\x00\x1f\t ",
        "&amp;",
        "&#38;",
        "&lt;",
        "&gt;",
        "<b>",
        "</p>",
        "<!--",
        "-->",
        "&zwnj;",
        "&shy;",
        "\u0338",
        "\u0301",
        "\u037e",
        "\u226e",
        "\ud83d",
        "\udc4d",
        *("ی", "ക്", "👩", "➡", "\u2adc", "â€‹", "Ã¢", "â‚¬", "&Atilde;", "&copy;"),
    ]
)
ANY_LINE = (
    st.text(st.characters())
    | st.text(st.characters(categories=["Cs", "Cc", "Cf", "Zs", "Zl", "Zp", "Mn"]))
    | st.lists(SHARP).map("".join)
)


@pytest.mark.parametrize(("broken", "repaired"), REPAIRED.items())
def test_what_machines_broke_is_repaired(broken: str, repaired: str) -> None:
    assert normalize_line(broken) == repaired


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_people_wrote_stays(text: str) -> None:
    assert normalize_line(text) == text


@pytest.mark.parametrize("tag", sorted(INLINE_TAGS | BLOCK_TAGS))
def test_every_known_tag_goes_and_blocks_part_words(tag: str) -> None:
    gap = " " if tag in BLOCK_TAGS else ""
    assert normalize_line(f'x <{tag} id="a">one</{tag.upper()}>two <{tag} />') == f"x one{gap}two"
    assert not INLINE_TAGS & BLOCK_TAGS


@given(ANY_LINE)
@settings(max_examples=600)
@example("&" + "#38;" * 40 + "lt;b>")
@example("<" * 40 + "b>" * 40)
@example("Ã\u200b©")
@example("&amp\u037e")
@example("a <b>  c</b> <i> d (<u>) e")
@example("a <b>&lt;/b&gt; c <b> d")
def test_the_result_is_clean_and_final(text: str) -> None:
    once = normalize_line(text)
    assert normalize_line(once) == once
    assert len(once.splitlines()) <= 1
    assert once == " ".join(once.split())
    assert unicodedata.is_normalized("NFC", once)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in once)
    once.encode()


@given(st.lists(ANY_LINE))
def test_a_batch_is_its_lines(lines: list[str]) -> None:
    assert normalize_lines(lines) == [normalize_line(line) for line in lines]


@given(ANY_LINE)
def test_the_fast_road_ends_where_the_slow_one_does(text: str) -> None:
    assert normalize_line(text) == normalize._settle(text, markup=True)
    assert normalize_line(text, markup=False) == normalize._settle(text, markup=False)


@given(ANY_LINE)
def test_what_is_fused_off_can_hold_no_mojibake(text: str) -> None:
    assert not has_mojibake(normalize._FUSE.sub("\ufffd", text))


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize(
    "text",
    [
        "Ça a été très sévère, déjà",
        "não há mágoa",
        "naïve señor",
        "über Größe",
        "“quoted” – it’s",
        "Привет, мир",
        "Việt Nam đẹp",
        "日本語の文章",
    ],
)
def test_a_wrong_reading_is_undone(text: str, encoding: str) -> None:
    codec = {"cp1252": "sloppy-windows-1252"}.get(encoding, encoding)
    __import__("ftfy.bad_codecs")
    assert normalize_line(text.encode().decode(codec)) == text


@given(st.text(st.characters(codec="ascii")))
def test_ascii_text_is_never_taken_for_mojibake(text: str) -> None:
    assert not has_mojibake(text)


def test_accented_letters_beside_letters_are_no_mojibake() -> None:
    accented = [chr(code) for code in range(0xC0, 0x250) if chr(code).isalpha()]
    accented.remove("Â")  # ends no word in any language, so what follows it is taken for the rest of its bytes
    for letter, after in product(accented, ".,!?”»…–—’ \u00a0"):
        word = f"SZ{letter}" if letter.isupper() else f"sz{letter}"
        assert not has_mojibake(f"“{word}{after} e {letter}. ")


def test_ftfy_is_imported_only_on_suspicion() -> None:
    program = (
        "import sys; from cleaner.normalize import normalize_line as n; n('<b>L’été</b> &amp; “Spaß”');"
        "assert n('Ã©tÃ© Itâ€™s') == 'été It’s'; assert 'ftfy' not in sys.modules;"
        "n('Ã©tÃ© на'); assert 'ftfy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    "unit",
    [
        "&",
        "<",
        "&amp;",
        "amp;&",
        "&#38;",
        "&lt;",
        "<b",
        "<a x=",
        "<!--",
        "<!-- --",
        " ",
        "\t",
        "\u200d",
        "ی\u200c",
        "\u0301",
        *("â€™", "Ã", "Ãƒ", "Ð°", "\xa0", "\x00", "\ud83d", "\ud83d\udc4d", "é ", "&am\u00adp;", "a" * 50),
    ],
)
def test_a_megabyte_of_anything_survives(unit: str) -> None:
    line = unit * (1_000_000 // len(unit))
    once = normalize_line(line)
    assert normalize_line(once) == once


@pytest.mark.parametrize(
    ("opening", "closing"), [("<", "b>"), ("&", "#38;"), ("&#38", "#59;"), ("â", "€‹"), ("&", "<b>amp;")]
)
def test_deep_nesting_ends_after_a_fixed_number_of_rounds(
    opening: str, closing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = []
    strip_tags = normalize.strip_tags
    monkeypatch.setattr(normalize, "strip_tags", lambda text: rounds.append(1) or strip_tags(text))
    once = normalize_line(opening * 20_000 + "x" + closing * 20_000)
    assert len(rounds) <= normalize.ROUNDS
    assert normalize_line(once) == once


def test_piled_up_marks_cannot_cost_quadratic_time() -> None:
    piled = normalize_line("a" + "\u0316\u0301" * 500_000)
    runs = re.findall(r"[\u0300-\u034e]+", piled)
    assert max(map(len, runs)) <= normalize.MARKS_IN_A_ROW
    assert sum(map(len, runs)) + len("a") == 1_000_000
    assert normalize_line("q" + "\u0301\u0316" * 15) == "q" + "\u0316" * 15 + "\u0301" * 15


def test_a_line_of_ten_megabytes_survives() -> None:
    assert normalize_line("word  " * 1_700_000) == ("word " * 1_700_000).rstrip()
    assert len(normalize_line("wörd\u00a0&amp; " * 1_000_000)) == 7_000_000 - 1


def test_options_write_quotes_and_dashes_one_for_one() -> None:
    text = "‘a’ ‚b‛ ‹c› “d” „e‟ «f» – — ‐ ‑ ‒ ― −"
    assert straighten_quotes(text) == "'a' 'b' 'c' \"d\" \"e\" \"f\" – — ‐ ‑ ‒ ― −"
    assert plain_dashes(text).count("-") == 7
    assert len(plain_dashes(straighten_quotes(text))) == len(text)
