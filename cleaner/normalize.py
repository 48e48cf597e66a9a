r"""One line as an upstream left it → the same line in the one form that everything else sees.

Repairs what machines did to the text (entities, tags, wrong encodings, invisible characters, spaces) and decides
nothing about its content: quotes, dashes and letters stay unless an option asks. Line breaks are the business of
``lines``.
"""

import re
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING
from unicodedata import combining, is_normalized, normalize

from cleaner.options import Options
from cleaner.screen import needs_work

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

# Repairs can uncover work for each other (an entity hides a tag, a tag splits an entity), so they run in rounds until
# nothing changes. Real lines need one or two; nesting deeper than this is made by hand, and would cost quadratic time.
ROUNDS = 8

_ENTITY = re.compile(r"&(?:#[0-9]{1,10}|#[xX][0-9A-Fa-f]{1,8}|[A-Za-z][A-Za-z0-9]{1,31});")
_ESCAPED_AMPERSAND = re.compile(r"&(?:(?:amp|AMP|#0{0,6}38|#[xX]0{0,6}26);)++")

INLINE_TAGS = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rb rp rt rtc ruby s"
    " samp small span strike strong sub sup time tt u var wbr".split()
)
BLOCK_TAGS = frozenset(
    "address area article aside audio base blockquote body br button canvas caption center col colgroup dd"
    " details dialog dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6"
    " head header hgroup hr html iframe img input legend li link main map menu meta meter nav noframes noscript"
    " object ol optgroup option output p param picture pre progress script search section select source style"
    " summary svg table tbody td template textarea tfoot th thead title tr track ul video".split()
)
VOID_TAGS = frozenset("area base br col embed hr img input link meta param source track wbr".split())
# What stands around a tag that a sentence quotes (straight quotes also hold strings of code and leaked data, where tags
# are markup), and what may stand behind one that it uses as a word.
_AROUND = frozenset(["``", "()", "“”", "‘’", "„“", "«»", "»«", "「」"])
# One letter at the start of a line is a bullet.
_BEFORE_A_WORD = re.compile(r".[\w,:] ", re.DOTALL)
_BEHIND_A_WORD = frozenset(",.;:!?)")
# Names stand in one case, because `List<Object>` is no tag, and one capital after a word is a type, as in `Set<A>`.
# Attributes need an equals sign, because `<a long time` is prose. Possessive quantifiers, and no `<` inside a tag, keep
# `<<<<…` linear.
_NAME = "[a-z][a-z0-9]{0,9}|[A-Z][A-Z0-9]{1,9}|(?<!\\w<)[A-Z]"
_TAG = re.compile(rf"<(?:/?+({_NAME})(?:\s*+/?+\s*+|[\s/][^<>=]*+=[^<>]*+)|!--[^<>]*+(?<=--))>")

# What UTF-8 looks like when it was read as Windows-1252 or Latin-1: a byte that leads, as a letter from Â to ô, and
# bytes that continue. Real text holds some of these pairs too (`Spaß”`, `AMANHÃ…`, `Está»`), so each alternative asks
# for company, or for a byte that neither closes nor follows a word (no no-break space, quote, dash or ellipsis).
_MORE = "[\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_MORE_CLEAR = "[\x80-\x9f¡-ª¬-º¼-¿€ƒ†‡ˆ‰ŠŒŽ•˜™šœžŸ]"
_MORE_CYRILLIC = "[\x98\xa0-\xbfЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—™љ›њќћџЎўЈҐЁЄЇІіґё№єјЅѕї]"


@cache
def _mojibake() -> re.Pattern[str]:
    """Compiled when first needed, as all below that take a millisecond: a filter in a shell loop starts often."""
    return re.compile(
        r"[Â-ô][\x80-\x9f]"  # Latin-1: nothing else puts a C1 control behind a letter
        rf"|Â[\xa0-\xbf]|Ã{_MORE_CLEAR}|Ã{_MORE}(?=[A-Za-z])|(?<![A-ZÀ-Þ])Ã\xa0"  # é, à, no-break space, twice
        rf"|[âã][€\x80-\x83]{_MORE}|â„¢|ï»¿|ï¿½|ðŸ{_MORE}"  # quotes and dashes, kana, trade mark, BOM, emoji
        rf"|[ÄÅ]{_MORE_CLEAR}(?=[a-z])|(?<=[a-z])[ÄÅ]{_MORE_CLEAR}"  # ę, ł, š
        r"|[ÄÅ][›‚„…“](?=[a-z])|(?<=[a-z])[ÄÅ][›‚„…](?=[a-z ])"  # ą, ě, ś
        rf"|á[º»](?:{_MORE_CLEAR}|{_MORE}(?=[a-z]))"  # Vietnamese
        rf"|(?:[ÎÏÐÑ×ØÙÚÛ]{_MORE}){{2}}|(?:[à-ï]{_MORE}{{2}}){{2}}"  # Greek, Cyrillic, Hebrew, Arabic; Indic, Thai, CJK
        rf"|вЂ|(?:[РС]{_MORE_CYRILLIC}){{3}}"  # the same road through Windows-1251
    )


# Begins with a class of characters, which `re` skips to: 0.7 µs a line instead of 15. It passes 0.6 % of non-ASCII
# lines.
_MAYBE_MOJIBAKE = re.compile(f"[Â-ôРСв][{_MORE[1:-1]}{_MORE_CYRILLIC[1:-1]}]")

# C1 controls in Latin-1 text are Windows-1252 in truth; HTML reads `&#146;` the same way. Five have no meaning there,
# and U+0085 is a line break to Python, so they are left to the steps below.
_C1 = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x85, 0x8D, 0x8F, 0x90, 0x9D)
}
_C1_CONTROL = re.compile("[\x80-\x84\x86-\x9f]")

# Controls but those that are white space, soft hyphen, Arabic letter mark, zero-width space, marks, embeddings,
# overrides and isolates of direction, word joiner and its invisible kin, BOM, interlinear annotation. Joiners need a
# closer look.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]+"
)
# Letters and marks of Arabic, Syriac, N'Ko, Mandaic, the Indic scripts, Tibetan, Myanmar, Khmer, Mongolian and their
# kin.
_JOINING = (
    "\u0620-\u065f\u066e-\u06d3\u06d5-\u06ef\u06fa-\u06ff\u0710-\u07f5\u0840-\u085b\u0860-\u08ff\u0900-\u0963"
    "\u0970-\u0df3\u0f40-\u0fbc\u1000-\u109f\u1780-\u17d3\u1807\u1820-\u18aa\u1a20-\u1cff\ua840-\ua9ff"
    "\ufb50-\ufdff\ufe70-\ufefc"
)
_SYMBOL = "\u2190-\u2bff\U0001f000-\U0001faff"


@cache
def _joiners() -> re.Pattern[str]:
    return re.compile(
        rf"((?<=[{_JOINING}])\u200c(?=[\u200c\u200d]*+[{_JOINING}])"  # between letters
        rf"|(?<=[{_JOINING}])\u200d"  # also ending a word: an Arabic letter in its joined shape, a chillu
        rf"|(?<=[\ufe0f{_SYMBOL}])\u200d(?=[\u200c\u200d]*+[{_SYMBOL}])"  # an emoji made of several
        r")[\u200c\u200d]*+|[\u200c\u200d]++"
    )


# Sorting a run of combining marks takes CPython quadratic time. Unicode's stream-safe format (UAX 15) allows 30 in a
# row, far more than any language writes, and then puts a grapheme joiner between them.
MARKS_IN_A_ROW = 30
_MANY_MARKS = re.compile(rf"[^\w\s\x00-\u02ff]{{{MARKS_IN_A_ROW + 1},}}")  # no mark is a word character

_SURROGATE = re.compile("[\ud800-\udfff]")
# Without these there is neither entity nor tag, mojibake or joiner.
_FUSE = re.compile("[&<Â-ôРСв\u200c\u200d]")

_QUOTES = str.maketrans(dict.fromkeys("‘’‚‛‹›", "'") | dict.fromkeys("“”„‟«»", '"'))
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))


def normalize_line(text: str, markup: bool = True) -> str:
    r"""Bring one line into its one form; doing it again changes nothing, whatever the line holds.

    Without ``markup``, entities and tags are text: somebody wrote about them.

    >>> normalize_line("\ufeff The&amp;nbsp;cafÃ©\u200b <b>re\u00adopened</b>\t on Monday ")
    'The café reopened on Monday'
    >>> normalize_line("Yes, AT&T said “x < y” – twice")
    'Yes, AT&T said “x < y” – twice'
    """
    if _is_plain(text):
        return _tidy(text)
    # Most of what is left has nothing but odd white space.
    squeezed = squeeze_spaces(text)
    return squeezed if _is_plain(squeezed) and not has_mojibake(text) else _settle(text, markup)


def normalize_lines(lines: list[str], markup: bool = True) -> list[str]:
    """Do to each line what ``normalize_line`` does; lines that need nothing are told apart all at once.

    >>> normalize_lines(["Storm  hits coast", "R&amp;D"])
    ['Storm hits coast', 'R&D']
    """
    work = needs_work(lines)
    if not work.any():
        return lines
    return [normalize_line(text, markup) if todo else text for text, todo in zip(lines, work.tolist(), strict=True)]


def normalized(lines: list[str], options: Options, markup: bool = True) -> list[str]:
    """Normalise lines, and their quotes and dashes if the caller asks for it."""
    lines = normalize_lines(lines, markup)
    if options.plain_quotes:
        lines = [straighten_quotes(line) for line in lines]
    if options.plain_dashes:
        lines = [plain_dashes(line) for line in lines]
    return lines


def _tidy(text: str) -> str:
    """``squeeze_spaces`` for a text whose only white space is U+0020: most lines have no space too many."""
    return squeeze_spaces(text) if "  " in text else text.strip(" ")


def _is_plain(text: str) -> bool:
    """Whether nothing but spaces can need work.

    ``isprintable`` is false for every control, format and surrogate character and for every space but U+0020.
    """
    return (
        text.isprintable()
        and ("&" not in text or ";" not in text)
        and "<" not in text
        and (text.isascii() or (is_normalized("NFC", text) and not has_mojibake(text)))
    )


def _settle(text: str, markup: bool) -> str:
    """Repair in rounds until a round changes nothing, and end what does not settle."""
    text = replace_surrogates(text)
    for _ in range(ROUNDS):
        before = text
        if markup:
            text = strip_tags(unescape_entities(text))
        text = decode_c1(repair_mojibake(text))
        text = squeeze_spaces(compose(strip_joiners(strip_invisible(text))))
        if text == before or _is_plain(text):
            return text
    # U+FFFD composes with nothing and hides nothing, so the line is stable; dropping would make new neighbours.
    return _FUSE.sub("\N{REPLACEMENT CHARACTER}", text)


def replace_surrogates(text: str) -> str:
    r"""Join surrogate pairs to the character they mean; a lone one becomes U+FFFD, because no encoding can write it.

    >>> replace_surrogates("ok \ud83d\udc4d, not \ud83d ok")
    'ok 👍, not � ok'
    """
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def unescape_entities(text: str) -> str:
    """Replace HTML entities by their characters, also those that were escaped more than once.

    Only a known name with its semicolon counts, because ampersands are common in names; ``html.unescape`` would turn
    ``&notes`` into ``¬es``:

        >>> unescape_entities("Q&amp;amp;A &#8211; caf&eacute;")
        'Q&A – café'
        >>> unescape_entities("AT&T, R&D; a &lt b; &notes;")
        'AT&T, R&D; a &lt b; &notes;'
    """
    if "&" not in text:
        return text
    return _ENTITY.sub(lambda match: _character(match[0]), _ESCAPED_AMPERSAND.sub("&", text))


def _character(entity: str) -> str:
    from html import unescape
    from html.entities import html5

    return unescape(entity) if entity[1] == "#" else html5.get(entity[1:], entity)


def strip_tags(text: str, *, keep_quoted: bool = True) -> str:
    """Remove stray HTML tags and comments; the tag of a block leaves a space, because it stood between two words.

    >>> strip_tags('<p>Rain<br/>fell on the <a href="/north">nor</a>th</p>')
    ' Rain fell on the north '
    >>> strip_tags("x < y, I <3 it, List<String> and vector<int>")
    'x < y, I <3 it, List<String> and vector<int>'

    A tag that a sentence quotes stays, unless somebody wants it to go:

    >>> strip_tags("They replaced <title> with <h1> and, “<br>” by “<br/>”, so it ended in </footer>, not <b>here</b>.")
    'They replaced <title> with <h1> and, “<br>” by “<br/>”, so it ended in </footer>, not here.'
    """
    if "<" not in text:
        return text
    tags = list(_TAG.finditer(text))
    # The first opening and the last closing tag of each name.
    opening = {_name(tag): tag.start() for tag in reversed(tags) if not _closes(tag)}
    closing = {_name(tag): tag.start() for tag in tags if _closes(tag)}
    kept, done = [], 0
    for tag in tags:
        name = _name(tag)
        alone = tag.start() < opening.get(name, len(text)) if _closes(tag) else tag.start() > closing.get(name, -1)
        quoted = _is_in_quotes(tag) or (alone and name not in VOID_TAGS and _is_like_a_word(tag))
        stays = keep_quoted and name and quoted
        kept += [text[done : tag.start()], tag[0] if stays else _trace(name, tag[0])]
        done = tag.end()
    return "".join([*kept, text[done:]])


def _name(tag: re.Match[str]) -> str:
    return (tag[1] or "").lower()


def _closes(tag: re.Match[str]) -> bool:
    return tag[0].startswith("</")


def _is_in_quotes(tag: re.Match[str]) -> bool:
    """Whether quotation marks or brackets hold nothing but a tag."""
    return tag.string[max(tag.start() - 1, 0) : tag.start()] + tag.string[tag.end() : tag.end() + 1] in _AROUND


def _is_like_a_word(tag: re.Match[str]) -> bool:
    """Whether a tag stands amid a sentence as a word does."""
    before, behind = tag.string[max(tag.start() - 3, 0) : tag.start()], tag.string[tag.end() : tag.end() + 2]
    if not _BEFORE_A_WORD.fullmatch(before):
        return False
    # What begins with a capital behind a tag is the next sentence, or a name; it was cut off by the tag, or may be.
    return behind[:1] in _BEHIND_A_WORD or (behind[:1] == " " and behind[1:].isalnum() and not behind[1:].isupper())


def _trace(name: str, tag: str) -> str:
    """What a tag leaves behind."""
    if name in BLOCK_TAGS:
        return " "
    return "" if not name or name in INLINE_TAGS else tag


def has_mojibake(text: str) -> bool:
    """Whether the text has a sequence that is typical of UTF-8 read in another encoding, and rare in any language.

    >>> [has_mojibake(text) for text in ["cafÃ©", "café", "MAÇÃ"]]
    [True, False, False]
    """
    return bool(_MAYBE_MOJIBAKE.search(text) and _mojibake().search(text))


def repair_mojibake(text: str) -> str:
    """Undo UTF-8 that was read in another encoding.

    Asked only where a typical sequence stands. A line of which all bytes are UTF-8 again is read as such; else ftfy
    decides and repairs, which takes fifty times as long, its import more, and by itself would take some closing quotes
    after capitals for mojibake:

        >>> repair_mojibake("Itâ€™s a cafÃ©")
        'It’s a café'
        >>> repair_mojibake("“ATÉ AMANHÃ”, disse")
        '“ATÉ AMANHÃ”, disse'
    """
    if text.isascii() or not has_mojibake(text):
        return text
    for encoding in ("latin-1", "cp1252"):
        with suppress(UnicodeError):
            return text.encode(encoding).decode("utf-8")
    from ftfy import fix_encoding

    return fix_encoding(text, _encoding_only())


@cache
def _encoding_only() -> "TextFixerConfig":
    from ftfy import TextFixerConfig

    return TextFixerConfig(
        unescape_html=False,
        remove_terminal_escapes=False,
        fix_c1_controls=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        fix_surrogates=False,
        remove_control_chars=False,
        normalization=None,
        explain=False,
    )


def decode_c1(text: str) -> str:
    r"""Read C1 controls as the Windows-1252 characters that they were.

    >>> decode_c1("It\x92s \x93fine\x94")
    'It’s “fine”'
    """
    return text.translate(_C1) if not text.isascii() and _C1_CONTROL.search(text) else text


def strip_invisible(text: str) -> str:
    r"""Remove controls, soft hyphens, zero-width characters and direction marks, wherever they stand.

    Nothing takes their place, because most of them stand inside words:

        >>> strip_invisible("co\u00adope\u200brate\x00 \u202anow\u202c")
        'cooperate now'
    """
    return text if text.isprintable() else _INVISIBLE.sub("", text)


def strip_joiners(text: str) -> str:
    r"""Remove the zero-width joiner and non-joiner, but not where a script or an emoji is spelt with them.

    >>> strip_joiners("joi\u200dned") == "joined"
    True
    >>> all(strip_joiners(word) == word for word in ["می\u200cخواهم", "ക്\u200dഷ", "👩\u200d🚒"])
    True
    """
    return _joiners().sub(r"\1", text) if "\u200d" in text or "\u200c" in text else text


def compose(text: str) -> str:
    r"""Bring letters and their marks into Unicode's composed form, NFC.

    >>> compose("cafe\u0301")
    'café'
    """
    return text if is_normalized("NFC", text) else normalize("NFC", _MANY_MARKS.sub(_part_marks, text))


def _part_marks(run: re.Match[str]) -> str:
    parts, marks = [], 0
    for character in run[0]:
        marks = marks + 1 if combining(character) else 0
        if marks > MARKS_IN_A_ROW:
            parts.append("\N{COMBINING GRAPHEME JOINER}")
            marks = 1
        parts.append(character)
    return "".join(parts)


def squeeze_spaces(text: str) -> str:
    r"""Write any run of white space, no-break spaces and separators included, as one space, and strip the ends.

    >>> squeeze_spaces(" Sign  up\u00a0today\u2028")
    'Sign up today'
    """
    return " ".join(text.split())


def straighten_quotes(text: str) -> str:
    r"""Write typographic quotation marks and apostrophes as ASCII, one for one, so that offsets stay.

    >>> straighten_quotes("“It’s «fine»”")
    '"It\'s "fine""'
    """
    return text.translate(_QUOTES)


def plain_dashes(text: str) -> str:
    """Write every dash, hyphen and minus as the ASCII hyphen, one for one, so that offsets stay.

    >>> plain_dashes("1914–1918 — non‑stop")
    '1914-1918 - non-stop'
    """
    return text.translate(_DASHES)
