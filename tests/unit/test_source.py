"""Bytes to markup: which evidence of an encoding is believed, and what passes for a page at all."""

import codecs
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner.page.source import looks_like_markup, markup_of

FRENCH = (
    "Le conseil municipal s’est réuni mardi et a voté pour le nouveau pont. Les travaux débuteront en mai, a dit le "
    "maire, qui a promis l’été près de la forêt, où ça ira."
)
GERMAN = "Die Brücke über den Fluß wird größer, sagte Grete Lohm."
RUSSIAN = "Директор порта заявил, что новый кран поставят до первых морозов."
JAPANESE = "港の責任者は木曜日、古いクレーンを撤去すると発表した。"
CHINESE = "港务局长星期四表示，旧吊车将在冬季风暴来临之前拆除。"
KOREAN = "항만 책임자는 목요일에 낡은 기중기를 철거한다고 말했다."
GREEK = "Ο λιμενάρχης είπε την Πέμπτη ότι ο παλιός γερανός θα φύγει."
MEGA = 1_000_000


def page(text, head=""):
    return f"<html><head>{head}</head><body><p>{text}</p></body></html>"


# Encodings


def test_text_stays_as_it_is():
    assert markup_of(page(GERMAN)) == (page(GERMAN), False)
    assert markup_of(page(RUSSIAN, "<meta charset=iso-8859-1>"), "shift_jis") == (
        page(RUSSIAN, "<meta charset=iso-8859-1>"),
        False,
    )


def test_nuls_are_dropped():
    assert markup_of("<p>S\0torm\0</p>") == ("<p>Storm</p>", False)
    assert markup_of(b"<p>S\0torm\0</p>") == ("<p>Storm</p>", False)


@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_a_byte_order_mark_goes_over_every_label(mark, codec):
    markup = page(RUSSIAN, '<meta charset="windows-1252">')
    assert markup_of(mark + markup.encode(codec), "shift_jis") == (markup, False)
    assert markup_of(mark + markup.encode(codec) + b"\xff\xff\xff")[1] or "16" in codec


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_wide_characters_without_a_mark_are_seen(codec):
    for text in (GERMAN, RUSSIAN, "Storm"):
        assert markup_of(page(text).encode(codec)) == (page(text), False)


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("iso-8859-1", "cp1252", "It’s “late” – €5"),
        ("ISO-8859-9", "cp1254", "Şişli’de"),
        ("windows-1251", "cp1251", RUSSIAN),
        ("koi8-r", "koi8-r", RUSSIAN),
        ("shift_jis", "cp932", JAPANESE + "①"),
        ("x-sjis", "cp932", JAPANESE),
        ("euc-jp", "euc-jp", JAPANESE),
        ("iso-2022-jp", "iso2022-jp", JAPANESE),
        ("gb2312", "gb18030", CHINESE + "镕"),
        ("GBK", "gb18030", CHINESE + "€"),
        ("big5", "big5hkscs", "市議會星期二晚上開會"),
        ("euc-kr", "cp949", KOREAN + "똠"),
        (" x-MAC-cyrillic ", "mac-cyrillic", RUSSIAN),
        ("utf-16", "utf-16-le", RUSSIAN),
    ],
)
def test_a_label_names_the_largest_encoding_that_is_written_under_it(label, codec, text):
    data = page(text).encode(codec)
    assert markup_of(data, label) == (page(text), False)
    if label != "utf-16":
        head = f'<meta http-equiv="Content-Type" content="text/html; charset={label.strip()}">'
        assert markup_of(page(text, head).encode(codec)) == (page(text, head), False)


@pytest.mark.parametrize(
    "label",
    [
        "<meta charset=windows-1251>",
        "<META CHARSET = 'windows-1251' />",
        '<meta charset="windows-1251, ie=edge">',
        "<meta name='a' content='b'><meta\ncontent='text/html;charset=windows-1251' http-equiv=Content-Type>",
        "<!--" + "a long licence " * 400 + "--><meta charset='windows-1251'>",
    ],
)
def test_labels_in_the_page(label):
    assert markup_of(page(RUSSIAN, label).encode("cp1251")) == (page(RUSSIAN, label), False)


def test_the_declaration_of_xml():
    markup = '<?xml version="1.0" encoding="ISO-8859-1"?>\n' + page(GERMAN)
    assert markup_of(markup.encode("latin-1")) == (markup, False)
    assert markup_of(b"\n " + markup.encode("latin-1")) == ("\n " + markup, False)


def test_what_came_with_the_page_goes_over_what_stands_in_it():
    markup = page(RUSSIAN, "<meta charset='koi8-r'>")
    assert markup_of(markup.encode("cp1251"), "windows-1251") == (markup, False)
    assert markup_of(markup.encode("koi8-r"), "no-such-thing") == (markup, False)


@pytest.mark.parametrize(
    "label", ["iso-8859-1", "windows-1251", "shift_jis", "utf-16", "utf-7", "hex", "", "ö", "..", "a" * 999]
)
def test_utf8_is_known_under_any_label(label):
    for text in (GERMAN, RUSSIAN, JAPANESE, "Storm", "Storms"):
        markup = page(text, f'<meta charset="{label}">')
        assert markup_of(markup.encode(), label) == (markup, False)


@pytest.mark.parametrize("label", ["iso-8859-1", "windows-1251", None])
def test_utf8_that_is_torn_is_utf8_still_and_flagged(label):
    markup = page(RUSSIAN)
    data = markup.encode()
    torn = data[: data.rindex("морозов".encode()) + 3]
    text, replaced = markup_of(torn, label)
    assert replaced
    assert text == markup[: markup.rindex("морозов") + 1] + "\ufffd"
    assert markup_of(page(RUSSIAN + "|").encode().replace(b"|", b"\x92"), label) == (page(RUSSIAN + "\ufffd"), True)


def test_a_label_that_is_wrong_gives_way_to_the_next():
    markup = page(JAPANESE, "<meta charset='shift_jis'>")
    assert markup_of(markup.encode("shift_jis"), "euc-kr") == (markup, False)


@pytest.mark.parametrize("codec", ["utf-7", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "rot13", "hex"])
def test_codecs_that_no_page_is_written_in_are_no_labels(codec):
    assert markup_of(b"<p>a\\u0041+AGE-</p>", codec) == ("<p>a\\u0041+AGE-</p>", False)


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp1251", RUSSIAN),
        ("koi8-r", RUSSIAN),
        ("cp1253", GREEK),
        ("cp1252", FRENCH),
        ("cp1252", "El niño pidió ñandú en la peluquería, ¿cómo no?"),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy."),
        ("cp932", JAPANESE),
        ("euc-jp", JAPANESE),
        ("gb18030", CHINESE),
        ("cp949", KOREAN),
    ],
)
def test_without_a_label_an_encoding_is_guessed(codec, text):
    assert markup_of(page(text * 3).encode(codec)) == (page(text * 3), False)


@pytest.mark.parametrize("before", range(4))
def test_a_guess_does_not_hang_on_where_a_character_is_cut(before):
    markup = "x" * before + f"<p>{CHINESE * 40}</p>" * 80
    assert markup_of(markup.encode("gb18030")) == (markup, False)


def test_a_guess_looks_at_text_and_not_at_scripts():
    markup = page(RUSSIAN, f"<script>{'let a = 1;' * 20_000}</script>")
    assert markup_of(markup.encode("cp1251")) == (markup, False)


def test_bytes_that_cannot_be_read_are_replaced_and_flagged():
    assert markup_of(b"<p>caf\xff</p>", "utf-8") == ("<p>caf\ufffd</p>", True)
    assert markup_of(b"<meta charset=shift_jis><p>\x8d\x60</p>\x8d")[1]
    # The label that breaks least.
    data = page(RUSSIAN, "<meta charset=windows-1251>").encode("cp1251") + b"\x98"
    text, replaced = markup_of(data, "utf-8")
    assert replaced
    assert RUSSIAN in text


@given(st.binary(max_size=300), st.sampled_from([None, "utf-8", "windows-1251", "shift_jis", "utf-16", "x-nothing"]))
def test_no_bytes_are_fatal_and_the_flag_tells_the_truth(data, charset):
    text, replaced = markup_of(data, charset)
    text.encode()
    assert "\0" not in text
    assert not replaced or "\ufffd" in text


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_utf8_comes_back_as_it_was(text):
    assert markup_of("<p>" + text.encode().decode()) == ("<p>" + text, False)
    assert markup_of(("<p>" + text).encode()) == ("<p>" + text, False)


# Pages and articles


@pytest.mark.parametrize(
    "text",
    [
        page("Storm"),
        "<!DOCTYPE html><html>",
        '<!doctype HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">\n<HTML LANG=en>',
        "\ufeff\n  <html><body>Storm",
        "<!-- saved on Monday --><!doctype html>\n<!-- again --><html>",
        "<?xml version='1.0'?>\n<!-- a --><?style?><html xmlns='x'><head>",
        "<!doctype html><!--[if lt IE 7]><html class='old'><![endif]--><html>",
        "<head><title>Storm</title>",
        "<body class='a'><p>Storm",
        "<meta charset=utf-8><title>Storm</title><p>The storm",
        "<frameset cols='1,2'><frame src=a>",
        "<p>Storm</p>",
        "<p>Storm<br></p><hr />\n",
        "<div class=story data-x.y='1' @click=\"go('>')\" hidden><p>Storm</p></div>\n\n<!-- end -->\n" + "\n" * 900,
        "<ARTICLE>\n<H1>Storm</H1></ARTICLE>",
        "<body>Storm hits coast</body>",
        "<table\nwidth=1><tr><td>Storm</table>",
        "<section><x-story>Storm</x-story>",
        page("Storm")[:-30],
    ],
)  # fmt: skip
def test_pages_and_pieces_of_pages(text):
    assert looks_like_markup(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<",
        "   \n",
        "<!-- nothing but a comment -->",
        "<!-- never closed <html><head>",
        "Storm hits coast",
        "Storm hits coast <p>in the evening</p>",
        "<html> is where each page begins. Then comes <body>, and it ends with </html>.",
        "<p> is how a paragraph begins, and it needs no end.",
        "<p>\nThe tag <p> is short for paragraph.\nIt needs no end.",
        "<b>NEW QUAY</b> The harbour master said on Thursday that the crane would go.</b>",
        "<3 from all of us in Pell</3>",
        "<pell@example.org> wrote:\n<p>hello</p>",
        "<div> and <span> are boxes.",
        "<!DOCTYPE html> begins the page, and then comes <html>.",
        "1 < 2 and 3 > 2</p>",
        '{"html": "<p>Storm</p>"}',
        "< p>Storm</p>",
    ],
)
def test_articles_that_are_no_markup(text):
    assert not looks_like_markup(text)


PIECES = [
    "<", "<!", "<!--", "<!-- -->", "<!-- --", "<?", "<?x>", "<!doctype html", "<!doctype html>", "<html ", "<html>x",
    "<p ", "<p a", "<p a=", '<p a="', "<p a=b ", "<p  ", " ", "\n", "\ufeff", "</p>", "</p> ", "</", "</a", "<br",
    "<br ", "<br>", "<p>", "<p/", "a=b ", "a = ", "a='", "=", '"', "-->", "a", ">",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES, ids=ascii)
@pytest.mark.parametrize("before", ["", "<p>", "<p ", "<p a='", "<html>", "<!doctype html>"])
def test_a_megabyte_of_one_piece_is_told_at_once(piece, before):
    body = piece * (MEGA // len(piece))
    begin = time.process_time()
    for text in (before + body, before + body + "</p>", before + body + ">"):
        looks_like_markup(text)
    assert time.process_time() - begin < 0.5


@pytest.mark.parametrize(
    "piece", [b"<meta ", b"<meta a", b"charset=", b"<?xml ", b"encoding='", b"\xe9", b"<\xe9", b"\x1b$"]
)
def test_a_megabyte_of_one_piece_is_decoded_in_time(piece):
    begin = time.process_time()
    markup_of(piece * (MEGA // len(piece)))
    assert time.process_time() - begin < 2
