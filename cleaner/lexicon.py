"""Named phrases and patterns that decide without the model, because they are certain in every context.

Few on purpose: whatever needs its neighbours to be judged belongs to the model. Each entry has a name, lines that it
must match and look-alikes that it must leave alone; both are run as tests. Origin of all of them: the labels that ad
servers and content systems print, written down by us from the kinds in ``docs/labels.md``.
"""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from cleaner.document import Kind

# Ad-slot labels in the languages that we could check, without case and closing punctuation. Every one of them is a
# label of its own, never a heading: "Publicité" may head an article about advertising, but a heading alone on a line in
# the midst of a text costs less than the label left in.
_AD_LABELS: Final = (
    "advertisement", "advertisements", "advertisment", "sponsored content", "paid content", "anzeige", "werbung",
    "reklame", "advertentie", "publicité", "publicidad", "pubblicità", "publicidade", "publicitat", "annons",
    "annonse", "mainos", "reklama", "reklam", "reklám", "hirdetés", "oglas", "реклама", "рэклама", "διαφήμιση",
    "إعلان", "اعلان", "تبلیغات", "פרסומת", "विज्ञापन", "বিজ্ঞাপন", "விளம்பரம்", "広告", "広 告", "广告", "廣告", "광고",
    "quảng cáo", "iklan", "โฆษณา", "publicitate", "oglaševanje",
)  # fmt: skip
_AD_TAILS: Final = (
    "scroll to continue", "continue reading below", "scroll to continue reading", "article continues below",
    "story continues below", "scroll to continue with content", "story continues below advertisement",
    "article continues below advertisement",
)  # fmt: skip
_EDGES: Final = " \t:.,;-–—·•|*_~()[]<>《》【】"

# What templates print where nothing was filled in.
_PLACEHOLDERS: Final = ("object object", "lorem ipsum", "lorem ipsum dolor sit amet")

LABELS: Final[dict[str, Kind]] = {
    **dict.fromkeys(_AD_LABELS, Kind.ADVERT),
    **{f"{label} {label}": Kind.ADVERT for label in _AD_LABELS},
    **dict.fromkeys(_AD_TAILS, Kind.ADVERT),
    **{
        f"{label}{between}{tail}": Kind.ADVERT
        for label in _AD_LABELS[:2]
        for tail in _AD_TAILS
        for between in (" ", " - ", " – ", ". ")
    },
    **dict.fromkeys(_PLACEHOLDERS, Kind.RESIDUE),
}
# A label longer than this is none, so most lines are let through by their length alone.
_LONGEST: Final = max(map(len, LABELS)) + 8


@dataclass(frozen=True)
class Pattern:
    """A regular expression with its name and kind, lines that it must match, and look-alikes that it must not."""

    name: str
    kind: Kind
    expression: str
    matches: tuple[str, ...]
    lookalikes: tuple[str, ...]

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """Compiled when it is first used: most articles need few of them, and compiling all would take as long."""
        return re.compile(self.expression)


# Leaked metadata begins with one of these, the name of a picture ends with one of those.
_MACHINE_WORDS: Final = ("date", "datum", "fecha", "pubdate", "publish", "timest")
_PICTURE_ENDS: Final = frozenset({".jpg", "jpeg", ".png", ".gif", "webp", ".svg", "avif"})
# Words that invite to read something else when a colon stands behind them.
INVITING: Final = (
    "Read more|READ MORE|Read also|READ ALSO|Also read|ALSO READ|Lire aussi|LIRE AUSSI|À lire aussi|Lees ook|LEES OOK"
    "|Lees meer|Leia também|LEIA TAMBÉM|Leia mais|Lea también|LEA TAMBIÉN|Lee también|Leggi anche|LEGGI ANCHE"
    "|Lesen Sie auch|Lesen Sie mehr|Läs mer|Läs också|Les også|Læs også|Lue myös|Czytaj też"
    "|Czytaj także|Čtěte také|Читайте также|Читайте також|Διαβάστε επίσης|Baca juga"
)

CERTAIN_LINES: Final = (
    Pattern(
        "leaked-date",
        Kind.RESIDUE,
        r"(?:date|datum|fecha|pubdate|published_at|datePublished|timestamp)"
        r"\s*[:=]?\s*\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?",
        ("date 2023-10-13", "datePublished: 2021-02-03T10:00:00Z"),
        ("date of the vote: 2023-10-13", "2023-10-13", "The date 2023-10-13 was set"),
    ),
    Pattern(
        "shortcode",
        Kind.RESIDUE,
        r"\[/?(?:caption|gallery|embed|video|audio|adrotate|contact-form-7|playlist|vc_\w+|et_pb_\w+)"
        r"(?:\s+[\w-]+=[^\[\]]{0,300})?\]",
        ('[caption id="attachment_77" align="alignnone"]', "[/caption]", '[gallery ids="1,2"]'),
        ("[applause]", "[video shows a bridge]", "[1]"),
    ),
    Pattern(
        "bracketed-credit",
        Kind.CREDIT,
        # Five words in small letters in a row are a sentence, not names and desks.
        r"\((?![^()]*(?:\b[a-zß-ÿ]+ ){4}[a-zß-ÿ]+)"
        r"(?:Additional reporting|Reporting|Writing|Editing|Compiled|Translated|Written|Edited|Reported)"
        r" by (?:[A-ZÀ-Þ]|the )[^()]{1,240}\)",
        ("(Reporting by the harbour desk; Editing by the night desk)", "(Writing by A. WriterEditing by B. Editor)"),
        (
            "(Writing by hand takes longer.)",
            "Reporting by Monday is a must (Editing by Friday)",
            "(Reporting by The Courier has shown how the money was spent.)",
        ),
    ),
    Pattern(
        "invitation",
        Kind.RELATED,
        rf"(?:[-–—•·*►▶>] ?)?(?:{INVITING}) ?[:：] ?[\"“„«'‘]?[A-ZÀ-ÞА-ЯЁΑ-Ω0-9][^\s]* .{{4,180}}",
        ("Read more: How the bridge was paid for", "• Lesen Sie auch: Was die Brücke die Stadt kostet"),
        ("Read more: it helps you sleep", "Read more books", "She said: Read more: Not less"),
    ),
    Pattern(
        "image-file",
        Kind.RESIDUE,
        r"(?i:[\w()%+-]{1,120}\.(?:jpe?g|png|gif|webp|svg|avif))",
        ("img_2043.jpg", "Screenshot-2021-03-04.png"),
        ("He sent mayor.jpg to the police", "readme.txt"),
    ),
)


def certain_kind(line: str) -> Kind | None:
    """The kind of a normalised line that is boilerplate wherever it stands, or nothing.

    >>> certain_kind("ADVERTISEMENT Advertisement")
    <Kind.ADVERT: 'advert'>
    >>> certain_kind("Advertisement sales fell by a third") is None
    True
    """
    if len(line) <= _LONGEST:
        kind = LABELS.get(line.casefold().strip(_EDGES))
        if kind is not None:
            return kind
    found = _any_pattern().fullmatch(line)
    return CERTAIN_LINES[found.lastindex - 1].kind if found and found.lastindex else None


@cache
def _any_pattern() -> re.Pattern[str]:
    """All patterns as one, each a group of its own: a line is matched once, not once for each."""
    return re.compile("|".join(f"({pattern.expression})" for pattern in CERTAIN_LINES))


# How a line that ``certain_kind`` knows can begin and end, for whoever wants to leave out the others without a call for
# each.
OPENINGS: Final = frozenset({*LABELS, *_MACHINE_WORDS, *(phrase.casefold() for phrase in INVITING.split("|"))})
ENDINGS: Final = _PICTURE_ENDS
