"""Boilerplate glued to the ends of a kept line, and spaces that an upstream lost inside it.

Precision first: an end is cut only where the pattern is certain and what is left is a sentence of its own. Every change
is recorded, so that the normalised line can be rebuilt from what is left. Whole lines are not judged here.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cleaner.document import Kind, Trim
from cleaner.features import HEAD, TAIL, Edges, LineFeatures, line_features
from cleaner.lexicon import INVITING, Pattern
from cleaner.options import Options

# An end is cut only if at least this many code points are left.
_LEAST_LEFT: Final = 20

_LABEL: Final = (
    r"(?:ADVERTISEMENT|Advertisement|ADVERTISMENT|PUBLICIDAD|Publicidad|ANZEIGE|Anzeige|PUBLICITÉ|Publicité|PUBBLICITÀ|Pubblicità"
    r"|PUBLICIDADE|Publicidade|ADVERTENTIE|Advertentie|REKLAMA|Reklama|РЕКЛАМА|Реклама|REKLAM|Reklam|ANNONS|Annons|ANNONSE|Annonse)"
)
_END: Final = r"(?<=[.!?…。！？؟”\"»])"

_INVITATIONS: Final = tuple({phrase.casefold() for phrase in INVITING.split("|")})
_INVITATION_ENDS: Final = frozenset(phrase[-2:] for phrase in _INVITATIONS)
_LONGEST_INVITATION: Final = max(map(len, _INVITATIONS)) + 1

HEADS: Final = (
    Pattern(
        "leaked-date",
        Kind.RESIDUE,
        r"(?:date|pubdate|datePublished|published_at) ?[:=]? ?"
        r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?)? (?=\S)",
        ("date 2023-10-13 BISHKEK (Agency) - The summit opened.",),
        ("date night 2023-10-13 was a success for the town", "2023-10-13 was the date of the vote in the capital"),
    ),
    Pattern(
        "glued-label",
        Kind.ADVERT,
        # Twice, or in capitals, or followed by a capital that begins a sentence of its own.
        rf"(?:{_LABEL} {_LABEL} (?=\S)|(?:ADVERTISEMENT|PUBLICIDAD|ANZEIGE|РЕКЛАМА|PUBLICITÉ|ADVERTENTIE)"
        r" (?=[A-ZÀ-ÞА-Я“\"][a-zß-ÿа-я]))",
        (
            "ADVERTISEMENT The council met on Tuesday to vote.",
            "Advertisement Advertisement The council met on Tuesday.",
        ),
        (
            "ADVERTISEMENT SALES fell by a third, the group said",
            "Advertisement sales fell by a third, the group said.",
            "Anzeige erstattet hat die Stadt.",
        ),
    ),
)
TAILS: Final = (
    Pattern(
        "glued-label",
        Kind.ADVERT,
        rf"{_END} ?{_LABEL}(?: {_LABEL})?$",
        ("The council met on Tuesday. Advertisement", "The council met on Tuesday.ADVERTISEMENT Advertisement"),
        ("The council discussed the Advertisement", "He placed an ad. It was titled Advertisement"),
    ),
    Pattern(
        "read-more",
        Kind.RELATED,
        rf"{_END} ?[\[(]?(?:{INVITING}) ?: ?[^.!?。]{{4,160}}[.!?]?[\])]?$",
        (
            "The council met on Tuesday. Read more: How the bridge was paid for",
            "Der Rat tagte. Lesen Sie auch: Was die Brücke kostet",
        ),
        (
            "The sign said: Read more books",
            "She smiled. Read more, he said",
            "The council met. Read more: one. Then: another sentence.",
        ),
    ),
    Pattern(
        "click-to-tweet",
        Kind.SHARING,
        rf"{_END} ?(?:Click to [Tt]weet|Click To Tweet|CLICK TO TWEET|Tweet this)$",
        ("Bridges are built twice. Click to Tweet",),
        ("He told them where to click to tweet",),
    ),
)
# A tail is looked for in this many code points at the end of a line.
_TAIL_WINDOW: Final = 240

# "(Agency) -Text": the place in capitals or with one, the agency in brackets, a space before the dash, a capital behind
# it.
_DATELINE_HINT: Final = re.compile(r"\) [-–—]\S")
_DATELINE: Final = re.compile(
    r"[A-ZÀ-ÞА-Я][^().!?]{1,60}\((?:[A-Z][\w. ]{1,20}|[А-ЯЁ][\w. ]{1,20})\) ([-–—])(?=[A-ZÀ-ÞА-ЯЁ\"“])"
)
# "TrevelyanEditing by" in a credit: the name's last letter runs into the next role.
_CREDIT_ROLE: Final = re.compile(
    r"(?<=[a-zß-ÿ.;)])(?=(?:Additional reporting|Reporting|Writing|Editing|Compiled|Translated|Translation|Photography"
    r"|Photo|Graphics|Produced) by\b)"
)


_LABELS: Final = re.findall(r"\w{3,}", _LABEL)
_TAIL_ENDS: Final = frozenset(text[-3:].casefold() for text in (*_LABELS, "click to tweet", "tweet this"))


@cache
def _edges() -> Edges:
    return Edges([*_LABELS, "date", "pubdate", "published_at"], _TAIL_ENDS)


def trim(line: str) -> tuple[str, tuple[Trim, ...]]:
    """Cut what is glued to the ends of a normalised line and put lost spaces back.

    >>> text, trims = trim("date 2023-10-13 PORT ELLEN (Agency) -The ferry is back in service. Advertisement")
    >>> text
    'PORT ELLEN (Agency) - The ferry is back in service.'
    >>> [(one.kind.value, one.text) for one in trims]
    [('residue', 'date 2023-10-13 '), ('content', ''), ('advert', ' Advertisement')]
    """
    begin, heads = _head(line)
    end, tails = _tail(line, begin)
    if not heads and not tails and "(" not in line[:80]:
        return line, ()
    repairs = list(_spaces(line, begin, end))
    if not (heads or tails or repairs):
        return line, ()
    changes = (*heads, *repairs, *tails)
    return apply_trims(line, changes), changes


def trim_lines(lines: list[str], features: LineFeatures) -> tuple[list[str], dict[int, tuple[Trim, ...]]]:
    """Trim the lines of a batch: the lines as they come out (the same list if none changed), and the trims of some.

    Most lines can be told from their features to have nothing to trim, and are not looked at.
    """
    found = _edges().found_in(features) & (features.lengths >= _LEAST_LEFT)
    bracket = np.flatnonzero(features.column("has_bracket") & features.column("starts_upper"))
    candidates = set(np.flatnonzero(found).tolist())
    candidates.update(i for i in bracket.tolist() if _DATELINE_HINT.search(lines[i], 0, 100))
    # Of lines that are seen whole, the features know whether there is a colon.
    maybe = (features.column("has_colon") > 0) | (features.lengths > HEAD + TAIL)
    for i in np.flatnonzero(maybe).tolist():
        line = lines[i]
        colon = line.find(":", -_TAIL_WINDOW)
        if colon >= 0 and _has_invitation(line, colon):
            candidates.add(i)
    return _changed(lines, {i: done for i in sorted(candidates) if (done := trim(lines[i]))[1]})


def trimmed_features(
    lines: list[str], offsets: NDArray[np.intp], options: Options
) -> tuple[list[str], LineFeatures, dict[int, tuple[Trim, ...]]]:
    """Trim the normalised lines of some documents, and read their features: a line is judged without what was glued."""
    features = line_features(lines, offsets)
    if not options.trims:
        return lines, features, {}
    lines, trims = trim_lines(lines, features)
    return lines, line_features(lines, offsets) if trims else features, trims


def repair_credits(
    lines: list[str], kinds: Sequence[Kind], trims: dict[int, tuple[Trim, ...]]
) -> tuple[list[str], dict[int, tuple[Trim, ...]]]:
    """Repair the credits of a batch that was trimmed; a credit that something was cut from is left alone."""
    credit = Kind.CREDIT
    found = [i for i, kind in enumerate(kinds) if kind is credit and i not in trims]
    lines, repairs = _changed(lines, {i: done for i in found if (done := repair_credit(lines[i]))[1]})
    return lines, trims | repairs


def _changed(
    lines: list[str], done: dict[int, tuple[str, tuple[Trim, ...]]]
) -> tuple[list[str], dict[int, tuple[Trim, ...]]]:
    """The lines with some replaced (the same list if none is), and the trims of those."""
    if done:
        lines = lines.copy()
        for i, (text, _) in done.items():
            lines[i] = text
    return lines, {i: changes for i, (_, changes) in done.items()}


def repair_credit(line: str) -> tuple[str, tuple[Trim, ...]]:
    """Put back the space that a credit line lost before a role.

    >>> repair_credit("(Writing by A. WriterEditing by B. Editor)")[0]
    '(Writing by A. Writer Editing by B. Editor)'
    """
    changes = tuple(Trim(at.start(), at.start(), "", " ", Kind.CREDIT) for at in _CREDIT_ROLE.finditer(line))
    return (apply_trims(line, changes), changes) if changes else (line, ())


def _head(line: str) -> tuple[int, list[Trim]]:
    for pattern in HEADS:
        if (found := pattern.regex.match(line)) and len(line) - found.end() >= _LEAST_LEFT:
            return found.end(), [Trim(0, found.end(), found[0], "", pattern.kind)]
    return 0, []


def _tail(line: str, begin: int) -> tuple[int, list[Trim]]:
    low = max(begin + _LEAST_LEFT, len(line) - _TAIL_WINDOW)
    if line[-3:].casefold() in _TAIL_ENDS or _has_invitation(line, line.find(":", low)):
        for pattern in TAILS:
            if found := pattern.regex.search(line, low):
                return found.start(), [Trim(found.start(), len(line), line[found.start() :], "", pattern.kind)]
    return len(line), []


def _has_invitation(line: str, colon: int) -> bool:
    """Whether this colon or one behind it stands behind words that invite to read something else."""
    while colon >= 0:
        end = colon - 1 if line[colon - 1 : colon] == " " else colon
        if line[max(end - 2, 0) : end].casefold() in _INVITATION_ENDS:
            before = line[max(end - _LONGEST_INVITATION, 0) : end].casefold()
            if before.endswith(_INVITATIONS):
                return True
        colon = line.find(":", colon + 1)
    return False


def _spaces(line: str, begin: int, end: int) -> Iterator[Trim]:
    if found := _DATELINE.match(line, begin, end):
        yield Trim(found.end(1), found.end(1), "", " ", Kind.CONTENT)


def apply_trims(line: str, changes: Sequence[Trim]) -> str:
    """The line after these changes, which come in order and do not overlap."""
    pieces, at = [], 0
    for change in changes:
        pieces += [line[at : change.start], change.replacement]
        at = change.end
    return "".join([*pieces, line[at:]])


def trims_within(changes: Sequence[Trim], begin: int, end: int) -> tuple[Trim, ...]:
    """What of some changes falls into the span of a line, with offsets from its beginning."""
    parts = []
    for change in changes:
        low, high = max(change.start, begin), min(change.end, end)
        if low < high or begin <= change.start == change.end < end:
            replacement = change.replacement if low == change.start else ""
            cut = change.text[low - change.start : high - change.start]
            parts.append(Trim(low - begin, high - begin, cut, replacement, change.kind))
    return tuple(parts)
