"""Trims cut what is glued on and put back what was lost; prose stays untouched, and every change can be undone."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import features_of

from cleaner.document import Kind, Trim
from cleaner.normalize import normalize_line
from cleaner.trims import HEADS, TAILS, repair_credit, repair_credits, trim, trim_lines

EXAMPLES = Path(__file__).parents[2] / "data" / "examples"
ALL = [
    pytest.param(pattern, id=f"{place}-{pattern.name}")
    for place, some in (("head", HEADS), ("tail", TAILS))
    for pattern in some
]

# Prose that comes near: words of the patterns, datelines, brackets, colons, ends without a full stop.
PROSE = """
The minister said the advertisement was misleading.
Advertisement spending rose by a tenth, the agency said on Monday
ADVERTISEMENT SALES AND CIRCULATION BOTH FELL
He asked them to read more: novels, plays and the papers of the day.
“Read more,” she told the class. “Read anything.”
Asked what she wanted, she said: Read more books
The date was 2023-10-13, a Friday.
date palms grow along the canal that the province dug in 1911
Photos by the hundred were sent in; editing by committee took a week.
The book, with an introduction and editing by Ana Prell, sold out (in May) - nobody knows why.
LONDON (Reuters) - The ferry is back in service, the port said.
KYIV (Agency) — Trains ran again on Sunday.
The union (founded in 1911) -which few remember - was dissolved.
He ran 100 metres in 10.2 seconds (wind: +1.1) - a personal best.
The Act (as amended) –section 4 – says otherwise.
Die Anzeige wurde am Montag erstattet, sagte die Polizei.
Anzeige gegen Unbekannt hat die Stadt erstattet.
Werbung kostet Geld: Wer mehr liest, weiß das.
Publicité : le Sénat vote une loi sur les écrans dans les gares.
La publicidad exterior quedará prohibida en el centro desde mayo.
El cartel decía: Publicidad
La pubblicità è sparita dai tram, ha detto il sindaco.
A publicidade caiu; leia mais livros, pediu a ministra.
Реклама на фасадах будет запрещена с мая, сообщила мэрия.
РЕКЛАМА ИЗМЕНИЛА ГОРОД ЗА ОДНО ЛЕТО
Он сказал: читайте также между строк.
Reklama na budynkach zniknie do maja, zapowiedział burmistrz.
Reklam gelirleri üçte bir düştü, dedi sözcü.
Annons eller nyhet? Frågan delar redaktionen.
Annonse på annonse dekket hele veggen i år.
広告の売り上げは三分の一減った、と同社は述べた。
广告收入下降了三分之一。发言人说：请多读书
광고 매출이 3분의 1 줄었다고 회사는 밝혔다.
قالت الشركة إن إيرادات الإعلان انخفضت بمقدار الثلث.
המודעה הוסרה מהקיר, אמר ראש העיר.
विज्ञापन से आय एक तिहाई घटी, कंपनी ने कहा।
รายได้จากโฆษณาลดลงหนึ่งในสาม
Doanh thu quảng cáo giảm một phần ba, công ty cho biết.
Διαφήμιση χωρίς όρια; Το ερώτημα τέθηκε στο δημοτικό συμβούλιο.
They told the court where to click to tweet
“Tweet this,” the poster said in letters a foot high
Chapter 3 > The bridge » and what came after
""".strip().splitlines()


def undo(text, changes):
    """The line before its trims. Offsets count in the line as it was, so pieces of both are laid side by side."""
    out, at, done = [], 0, 0
    for change in changes:
        between = change.start - done
        out += [text[at : at + between], change.text]
        at += between + len(change.replacement)
        done = change.end
    return "".join([*out, text[at:]])


def check(line, text, changes):
    assert undo(text, changes) == line
    for change in changes:
        assert line[change.start : change.end] == change.text
        assert change.text != change.replacement
    bounds = [bound for change in changes for bound in (change.start, change.end)]
    assert bounds == sorted(bounds)
    assert bool(changes) == (text != line)


@pytest.mark.parametrize("pattern", ALL)
def test_a_pattern_matches_its_examples_and_no_lookalike(pattern):
    find = pattern.regex.match if pattern in HEADS else pattern.regex.search
    assert pattern.matches
    assert pattern.lookalikes
    for line in pattern.matches:
        assert find(line), line
    for line in pattern.lookalikes:
        assert not find(line), line


@pytest.mark.parametrize("pattern", ALL)
def test_what_a_pattern_matches_is_cut_and_reported(pattern):
    for glued in pattern.matches:
        # Behind a sentence of its own, because next to nothing must not be left.
        line = glued if pattern in HEADS else f"The council met again in the old town hall. {glued}"
        text, changes = trim(line)
        check(line, text, changes)
        assert pattern.kind in [change.kind for change in changes], line
        assert text in line
    for line in pattern.lookalikes:
        assert trim(line) == (line, ()), line


@pytest.mark.parametrize("line", PROSE)
def test_prose_is_never_trimmed(line):
    assert trim(line) == (line, ())
    assert trim_lines([line], features_of([line])) == ([line], {})


def test_our_own_content_and_lookalikes_are_never_trimmed():
    read = lambda name: map(json.loads, (EXAMPLES / name).read_text(encoding="utf-8").splitlines())  # noqa: E731
    lines = [row["text"] for row in read("lookalikes.jsonl")]
    lines += [line["text"] for row in read("articles.jsonl") for line in row["lines"] if line["kind"] == "content"]
    lines = [normalize_line(line) for line in lines]
    trimmed = {line: trim(line)[1] for line in lines if trim(line)[1]}
    # Articles of ours may carry what trims are for; nothing else of a sentence may go.
    assert all(change.kind is not Kind.CONTENT or not change.text for changes in trimmed.values() for change in changes)
    assert len(trimmed) < 0.02 * len(lines)
    assert not [line for line in trimmed if line in {normalize_line(row["text"]) for row in read("lookalikes.jsonl")}]


@pytest.mark.parametrize(
    ("line", "repaired"),
    [
        ("MOSCOW (Reuters) -Russian troops moved north.", "MOSCOW (Reuters) - Russian troops moved north."),
        ("MOSCOW (Reuters) –Russian troops moved north.", "MOSCOW (Reuters) – Russian troops moved north."),
        ("PORT ELLEN, March 3 (Agency) —“We saw it,” he said.", "PORT ELLEN, March 3 (Agency) — “We saw it,” he said."),
        ("МОСКВА (ТАСС) -Поезда снова ходят.", "МОСКВА (ТАСС) - Поезда снова ходят."),
        ("MOSCOW (Reuters) - Russian troops moved north.", "MOSCOW (Reuters) - Russian troops moved north."),
        ("MOSCOW (Reuters) -5 degrees fell overnight.", "MOSCOW (Reuters) -5 degrees fell overnight."),
        ("(Agency) -Text without a place in front of it", "(Agency) -Text without a place in front of it"),
    ],
)
def test_the_dash_of_a_dateline_gets_its_space_back(line, repaired):
    text, changes = trim(line)
    check(line, text, changes)
    assert text == repaired
    assert all(change.kind is Kind.CONTENT and change.replacement == " " and not change.text for change in changes)


@pytest.mark.parametrize(
    ("line", "repaired"),
    [
        ("(Reporting by A. TrevelyanEditing by B. Ostrow)", "(Reporting by A. Trevelyan Editing by B. Ostrow)"),
        ("Reporting by Ana Prell;Editing by Bo Ostrow", "Reporting by Ana Prell; Editing by Bo Ostrow"),
        ("(Reporting by Ana Prell)Additional reporting by Cy", "(Reporting by Ana Prell) Additional reporting by Cy"),
        ("Reporting by Ana PrellWriting by BoEditing by Cy", "Reporting by Ana Prell Writing by Bo Editing by Cy"),
        ("Reporting by Ana Prell Editing by Bo Ostrow", "Reporting by Ana Prell Editing by Bo Ostrow"),
        ("CoEditing bylaws", "CoEditing bylaws"),
        ("", ""),
    ],
)
def test_a_credit_gets_its_spaces_back(line, repaired):
    text, changes = repair_credit(line)
    check(line, text, changes)
    assert text == repaired
    assert repair_credit(text) == (text, ())


def test_several_trims_of_one_line_are_in_order():
    line = "date 2023-10-13 BISHKEK (Agency) -The summit opened on Friday morning. Read more: What the summit is about"
    text, changes = trim(line)
    check(line, text, changes)
    assert text == "BISHKEK (Agency) - The summit opened on Friday morning."
    assert [change.kind for change in changes] == [Kind.RESIDUE, Kind.CONTENT, Kind.RELATED]
    assert changes[0] == Trim(0, 16, "date 2023-10-13 ", "", Kind.RESIDUE)


@pytest.mark.parametrize("line", ["Yes. Advertisement", "date 2023-10-13 Storm", "No. Read more: one two three"])
def test_nothing_is_cut_when_hardly_anything_would_be_left(line):
    assert trim(line) == (line, ())


def test_trimming_again_finds_nothing():
    for pattern in (*HEADS, *TAILS):
        for line in pattern.matches:
            text, _ = trim(line)
            assert trim(text) == (text, ())


PIECES = [
    "date 2023-10-13 ",
    "ADVERTISEMENT ",
    "Advertisement Advertisement ",
    "Anzeige Anzeige ",
    "PORT ELLEN (Agency) -",
    "The ferry is back in service",
    ", he said",
    ".",
    "?",
    "” ",
    " ",
    "Advertisement",
    " ADVERTISEMENT Advertisement",
    "Реклама",
    "Read more: ",
    "Lire aussi : ",
    "How the bridge was paid for",
    "Click to Tweet",
    "(",
    ")",
    "-",
    ":",
    "[Read more: ",
    "]",
    "Editing by ",
    "é",
    "東京",
    "\U0001f600",
]
LINES = st.lists(st.sampled_from(PIECES), max_size=9).map("".join).map(normalize_line)


@given(LINES)
def test_trims_undo_to_the_original(line):
    check(line, *trim(line))
    check(line, *repair_credit(line))


@given(st.lists(st.tuples(LINES, st.sampled_from([Kind.CONTENT, Kind.CREDIT, Kind.ADVERT])), max_size=6))
def test_a_batch_is_trimmed_like_its_lines(batch):
    lines, kinds = ([one[column] for one in batch] for column in range(2))
    before = lines.copy()
    texts, trims = trim_lines(lines, features_of(lines))
    assert lines == before
    assert [(text, trims.get(i, ())) for i, text in enumerate(texts)] == [trim(line) for line in lines]
    cut = texts.copy()
    repaired, changes = repair_credits(texts, kinds, trims)
    assert texts == cut
    for i, line in enumerate(lines):
        alone = kinds[i] is Kind.CREDIT and i not in trims
        assert (repaired[i], changes.get(i, ())) == (repair_credit(line) if alone else trim(line))


def test_a_long_line_is_trimmed_like_a_short_one():
    filler = "The council met again on Tuesday and voted for the bridge. " * 5
    for pattern in (*HEADS, *TAILS):
        for line in pattern.matches:
            long = line + " " + filler.strip() if pattern in HEADS else filler + line
            expected = trim(long)
            assert expected[1], long
            texts, trims = trim_lines([long], features_of([long]))
            assert (texts[0], trims.get(0, ())) == expected


@pytest.mark.parametrize(
    "title",
    [
        "How the bridge was paid for.",
        "How the bridge over the river was paid for by the people of a small town in the north.",
        "Why?",
    ],
)
def test_a_read_more_tail_is_found_however_long_its_title_is(title):
    line = f"The council met on Tuesday. Read more: {title}"
    texts, _ = trim_lines([line], features_of([line]))
    assert texts == ["The council met on Tuesday."]


@pytest.mark.parametrize(
    "piece", [":", "Read more:", "(", "Advertisement ", "A (B) -", "date ", "[", ". ", "Editing by", "\U0001f600"]
)
def test_trims_are_linear_in_the_length_of_a_line(piece):
    line = piece * (2_000_000 // len(piece))
    draw = random.Random(1)
    for one in (line, line + draw.choice([".", "Advertisement"]), "A" * 2_000_000 + piece * 200):
        trim(one)
        repair_credit(one)
