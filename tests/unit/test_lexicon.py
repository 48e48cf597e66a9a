"""What the lexicon calls certain is certain: every entry matches its lines, and none that an article would print."""

import json
from pathlib import Path

import pytest
from tiny import features_of

from cleaner.decode import known_kinds
from cleaner.document import KEPT_BY_DEFAULT, Kind, Reason
from cleaner.lexicon import CERTAIN_LINES, LABELS, certain_kind
from cleaner.normalize import normalize_line
from cleaner.options import Options

EXAMPLES = Path(__file__).parents[2] / "data" / "examples"
OF_MACHINES = [pytest.param(pattern, id=pattern.name) for pattern in CERTAIN_LINES]
EDGES = ["{}", "{}.", "{}:", "- {} -", "[{}]", "({})", "• {}", "*{}*", "— {} —", "| {}", "_{}_", "《{}》"]


def rows(name):
    return [json.loads(line) for line in (EXAMPLES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("pattern", OF_MACHINES)
def test_a_pattern_matches_its_examples_and_no_lookalike(pattern):
    assert pattern.matches
    assert pattern.lookalikes
    for line in pattern.matches:
        assert pattern.regex.fullmatch(line), line
    for line in pattern.lookalikes:
        assert not pattern.regex.fullmatch(line), line


@pytest.mark.parametrize("pattern", OF_MACHINES)
def test_the_whole_lexicon_agrees_with_each_pattern(pattern):
    for line in pattern.matches:
        assert certain_kind(line) == pattern.kind, line
    for line in pattern.lookalikes:
        assert certain_kind(line) is None, line


def test_names_are_unique_and_kinds_are_boilerplate():
    assert len({pattern.name for pattern in CERTAIN_LINES}) == len(CERTAIN_LINES)
    assert not {*LABELS.values(), *(pattern.kind for pattern in CERTAIN_LINES)} & KEPT_BY_DEFAULT


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_found_in_any_case_and_between_marks(label):
    for cased in (label, label.upper(), label.capitalize(), label.title()):
        for edge in EDGES:
            line = normalize_line(edge.format(cased))
            assert certain_kind(line) == LABELS[label], line


@pytest.mark.parametrize("label", LABELS)
def test_a_label_within_words_is_not_certain(label):
    for line in (
        f"{label} sales fell by a third",
        f"The {label} of the year",
        f"{label}s, {label}x and so on",
        f"x{label}",
    ):
        if line.casefold() not in LABELS:
            assert certain_kind(line) is None, line


def test_labels_are_short_and_no_sentences():
    for label in LABELS:
        assert len(label) <= 60
        assert len(label.split()) <= 8
        assert label[-1] not in ".!?。！？"


@pytest.mark.parametrize(
    "line",
    [
        # Subheads, speakers, foods, names, table cells: whatever an article may print on a line of its own.
        "Advertising",
        "Advertisers",
        "Advertise",
        "Sponsors",
        "Sponsor",
        "Sponsorship",
        "Promotion",
        "Promotions",
        "Relegated",
        "Promoted",
        "Null",
        "NULL",
        "Nan",
        "NAN:",
        "Zero",
        "Undefined behaviour",
        "News",
        "Politics",
        "What next?",
        "Q:",
        "A:",
        "Background",
        "Timeline",
        "Annonces",
        "Werbung im Radio",
        "Anzeigen",
        "Publicité et politique",
        "Reklamy",
        "Date",
        "Date:",
        "Fecha",
        "Datum",
        "2023-10-13",
        "Date 2023",
        "1",
        "42",
        "0-0",
        "$100",
        "$",
        "%",
        "50%",
        "{",
        "[1]",
        "[…]",
        "(…)",
        "***",
        "—",
        "",
        " ",
        "Contents",
        "Ad",
        "AD",
        "ads",
        "Image",
        "photo.jpg was the name of the file",
        "Paid",
        "Content",
        "Continue reading",
    ],
)
def test_what_an_article_may_print_is_not_certain(line):
    assert certain_kind(line) is None


def test_no_lookalike_and_no_content_of_our_examples_is_certain():
    content = [row["text"] for row in rows("lookalikes")]
    content += [
        line["text"] for row in rows("articles") for line in row["lines"] if Kind(line["kind"]) in KEPT_BY_DEFAULT
    ]
    assert len(content) > 500
    assert [line for line in map(normalize_line, content) if certain_kind(line)] == []


def test_what_is_certain_in_our_examples_has_the_kind_that_we_gave_it():
    labelled = [(line["text"], line["kind"]) for row in rows("articles") for line in row["lines"]]
    labelled += [(row["text"], row["kind"]) for row in rows("lines")]
    found = {(line, kind, certain_kind(normalize_line(line))) for line, kind in labelled}
    assert sum(certain is not None for _, _, certain in found) > 20
    assert [one for one in found if one[2] not in (None, one[1])] == []


def test_the_batch_finds_what_is_found_one_by_one():
    lines = [
        normalize_line(edge.format(cased)) for label in LABELS for cased in (label, label.upper()) for edge in EDGES
    ]
    lines += [line for pattern in CERTAIN_LINES for line in (*pattern.matches, *pattern.lookalikes)]
    lines += [normalize_line(row["text"]) for name in ("lookalikes", "lines") for row in rows(name)]
    lines = [line for line in lines if line]  # one that is nothing is no matter of the lexicon
    expected = {i: (kind, Reason.LEXICON) for i, line in enumerate(lines) if (kind := certain_kind(line))}
    assert known_kinds(lines, features_of(lines), Options()) == expected


def test_the_batch_finds_a_line_alone():
    for line in (*LABELS, *(line for pattern in CERTAIN_LINES for line in pattern.matches)):
        assert known_kinds([line], features_of([line]), Options()) == {0: (certain_kind(line), Reason.LEXICON)}, line


@pytest.mark.parametrize(
    "start", ["{{", "{%", "${", "%%", "[[", "[gallery ", "[caption a=", "date ", "date: 2023-10-13 ", "x"]
)
def test_patterns_stay_linear_on_hostile_lines(start):
    for filler in ("a", "{", "[", "A", "-", "a=", "0", "%", "a ", ". "):
        for end in ("", ".jpg", "]", "}}", "%%"):
            certain_kind(normalize_line(start + filler * 50_000 + end))
