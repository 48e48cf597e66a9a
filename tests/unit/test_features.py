"""What is measured of a line is exact, and depends on nothing but the line and its own document."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import features_of

from cleaner.features import (
    COLUMN,
    DENSE,
    HASH_BITS,
    HEAD,
    LAST_LINES,
    ORDERS,
    TAIL,
    TILE,
    excerpts,
    line_features,
    log_scale,
    segment_sums,
)

SCRIPTS = {
    "latin": "The council met on Tuesday, and voted twice.",
    "greek": "Το συμβούλιο συνεδρίασε την Τρίτη.",
    "cyrillic": "Совет собрался во вторник и проголосовал.",
    "arabic": "اجتمع المجلس يوم الثلاثاء وصوّت؟",
    "hebrew": "המועצה התכנסה ביום שלישי.",
    "devanagari": "परिषद की बैठक मंगलवार को हुई।",
    "tamil": "சபை செவ்வாய்க்கிழமை கூடியது.",
    "thai": "สภาประชุมเมื่อวันอังคาร",
    "chinese": "市议会星期二开会并投票。",
    "japanese": "市議会は火曜日に開かれた。",
    "korean": "시의회는 화요일에 열렸다.",
    "armenian": "Խորհուրդը հավաքվեց երեքշաբթի։",
    "georgian": "საბჭო სამშაბათს შეიკრიბა.",
    "ethiopic": "ምክር ቤቱ ማክሰኞ ተሰብስቧል።",
    "khmer": "ក្រុមប្រឹក្សាបានប្រជុំ។",
    "burmese": "ကောင်စီသည် အင်္ဂါနေ့တွင်။",
    "emoji": "👩‍🚒 🚒🔥 done!",
    "astral": "𐐔𐐯𐑅𐐨𐑉𐐯𐐻 𝓈𝒸𝓇𝒾𝓅𝓉 𠀋𠀋𠀋",
    "digits": "٣ من ٥، ३/५, 3:5",
    "surrogate": "half \ud83d and on",
    "controls": "a\x00b\x1fc",
    "empty": "",
    "space": " ",
    "one": "a",
    "two": "ab",
    "long": "The council met again, and again. " * 40,
    "wide": "会" * 500,
}
WORDS = st.lists(st.sampled_from([*SCRIPTS.values(), "Share", "Share", "A", "…", "(1)", "“Yes.”"]), max_size=6)
TEXT = st.text(st.characters(exclude_characters="\n"), max_size=160)
DOCUMENT = st.one_of(WORDS, st.lists(TEXT, max_size=5))


def of_line(features, i):
    """All that there is of line ``i``."""
    (tile,) = (tile for tile in features.grams if tile.begin <= i < tile.end)
    here = i - tile.begin
    grams = [
        buckets[tile.starts[here] : stops[here]].tolist()
        for buckets, stops in zip(tile.buckets, tile.stops, strict=True)
    ]
    return grams, int(features.lengths[i]), features.dense[:, i].tolist()


def of_document(features, d):
    return [of_line(features, i) for i in range(features.offsets[d], features.offsets[d + 1])]


@settings(max_examples=300, deadline=None)
@given(st.lists(DOCUMENT, min_size=1, max_size=5))
def test_a_document_has_the_same_features_alone_and_in_any_batch(documents):
    together = features_of(*documents)
    for d, lines in enumerate(documents):
        assert of_document(together, d) == of_document(features_of(lines), 0)


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_ngrams_depend_on_the_line_alone(lines, draw):
    together = features_of(lines)
    for i, line in enumerate(lines):
        assert of_line(together, i)[0] == of_line(features_of([line]), 0)[0]
    order = list(range(len(lines)))
    draw.shuffle(order)
    shuffled = features_of([lines[i] for i in order])
    assert [of_line(shuffled, j)[:2] for j in range(len(lines))] == [of_line(together, i)[:2] for i in order]


@pytest.mark.parametrize("line", SCRIPTS.values(), ids=SCRIPTS)
def test_every_script_has_shape_and_ngrams(line):
    features = features_of([line])
    grams, length, dense = of_line(features, 0)
    assert length == len(line)
    assert len(dense) == len(DENSE)
    assert bool(line) == (sum(map(len, grams)) > 0)
    assert all(0 <= gram < 1 << HASH_BITS for some in grams for gram in some)
    for order, some in zip(ORDERS, grams, strict=True):
        assert len(some) == max(0, len(excerpts([line], np.array([0, 1]))[0]) + 3 - order)
    if sum(char.isalpha() for char in line) > 3:
        assert dense[COLUMN["words"]] > 0
        assert dense[COLUMN["word_length"]] > 0


@pytest.mark.parametrize(
    "name", ["latin", "greek", "cyrillic", "arabic", "hebrew", "devanagari", "chinese", "japanese", "khmer", "ethiopic"]
)
def test_the_end_of_a_sentence_is_seen_in_every_script(name):
    line = SCRIPTS[name]
    value = lambda text: features_of([text]).dense[COLUMN["ends_sentence"], 0]  # noqa: E731
    assert value(line) == 1
    assert value(line[:-1]) == 0
    assert value(f"“{line}”") == 1


def test_case_and_digits_are_one_to_ngrams_but_not_to_the_shape():
    one, two = features_of(["Storm Hits 15 Towns"]), features_of(["STORM HITS 28 TOWNS"])
    assert of_line(one, 0)[0] == of_line(two, 0)[0]
    assert one.dense[COLUMN["upper_share"], 0] < two.dense[COLUMN["upper_share"], 0]


def test_an_astral_code_point_counts_once():
    assert of_line(features_of(["😀" * 10]), 0)[1] == 10
    assert features_of(["𠀋𠀋𠀋"]).dense[COLUMN["words"], 0] == features_of(["市議会"]).dense[COLUMN["words"], 0]


def test_lines_of_many_tiles_are_like_lines_of_one():
    lines = [f"{line} {number}" for number in range(120) for line in SCRIPTS.values()]
    assert len(lines) > 2 * TILE
    together = features_of(lines)
    assert [grams.end - grams.begin for grams in together.grams][:2] == [TILE, TILE]
    for i in [0, TILE - 1, TILE, TILE + 1, 2 * TILE, len(lines) - LAST_LINES - 1]:
        assert of_line(together, i)[0] == of_line(features_of([lines[i], *["x"] * LAST_LINES]), 0)[0]
    twice = features_of(lines, lines)
    assert of_document(twice, 1) == of_document(together, 0)


def test_no_lines_and_no_documents():
    for offsets in ([0], [0, 0], [0, 0, 0]):
        features = line_features([], np.array(offsets))
        assert features.dense.shape == (len(DENSE), 0)
        assert len(features.lengths) == 0
        assert len(features.document_of) == 0
        assert features.grams == []


def test_documents_without_lines_may_stand_anywhere():
    documents = [[], ["Share", "Share"], [], [], ["Share"], []]
    features = features_of(*documents)
    assert features.document_of.tolist() == [1, 1, 4]
    assert of_document(features, 1) == of_document(features_of(["Share", "Share"]), 0)
    assert of_document(features, 4) == of_document(features_of(["Share"]), 0)


def test_repeats_are_seen_within_their_document_only():
    features = features_of(["Share", "News", "Share", "Share"], ["Share", "share"], [""])
    assert features.column("seen_before").tolist() == [0, 0, 1, 1, 0, 1, 0]
    assert features.column("seen_again").tolist() == [1, 0, 1, 0, 1, 0, 0]


@pytest.mark.parametrize("lines_behind", [0, LAST_LINES])
def test_long_lines_that_open_alike_repeat_only_when_they_end_alike(lines_behind):
    opening = "The council of the island met again to speak of the ferry, "
    rest = [f"Behind it stands {letter}." for letter in "abcdefghijkl"[:lines_behind]]
    one, other = opening + "and all were for the old plan.", opening + "and all were for the new plan."
    assert len(one) > HEAD
    features = features_of([one, other, *rest, one])
    assert features.column("seen_before").tolist() == [0] * (lines_behind + 2) + [1]


def test_cohesion_counts_words_that_the_document_uses_elsewhere():
    lines = ["The minister opened the bridge", "The bridge was opened late", "Quick juicy burgers tonight"]
    column = features_of(lines).column("cohesion")
    assert column[0] > column[2]
    assert column[2] == 0
    assert features_of(lines[2:]).dense[COLUMN["cohesion"], 0] == 0


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("ends with a colon:", ["ends_colon", "starts_lower", "has_colon"]),
        ("She left…", ["ends_dots", "starts_upper"]),
        ("• Share »", ["starts_bullet", "has_bullet"]),
        ("- Share", ["starts_dash"]),
        ("12 dead", ["starts_digit"]),
        ("“Yes”", ["starts_quote", "ends_quote", "has_quote"]),
        (
            "(Agency) a@b #tag © 1/2 {x}",
            ["starts_bracket", "has_bracket", "has_at", "has_hash", "has_copyright", "has_slash", "has_markup"],
        ),
    ],
)
def test_marks_are_seen(line, names):
    dense = features_of([line]).dense[:, 0]
    assert [name for name in names if not dense[COLUMN[name]]] == []


def test_dense_names_are_unique_and_cover_the_columns():
    assert len(set(DENSE)) == len(DENSE) == features_of(["x"]).dense.shape[0]
    assert [COLUMN[name] for name in DENSE] == list(range(len(DENSE)))


@given(st.lists(st.text(max_size=400), min_size=1, max_size=5))
def test_an_excerpt_is_the_line_or_its_two_ends(lines):
    for line, short in zip(lines, excerpts(lines, np.array([0, len(lines)])), strict=True):
        if len(line) <= HEAD + TAIL:
            assert short == line
        else:
            assert short[:HEAD] == line[:HEAD]
            assert short[-TAIL:] == line[-TAIL:]


def test_what_stands_between_the_ends_of_a_paragraph_changes_nothing():
    head, tail = "The council met. " * 20, " and voted for the bridge" * 10
    one, two = (of_line(features_of([head + middle + tail]), 0) for middle in ("x" * 500, ("(:@” " * 100)))
    assert one == two


@given(st.data())
def test_segment_sums_are_sums(data):
    kind = data.draw(st.sampled_from([np.int64, np.uint64, np.int32, np.float64]))
    values = np.array(data.draw(st.lists(st.integers(0, 1000), max_size=30)), kind)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(values)), max_size=12)))
    cuts = cuts[: len(cuts) // 2 * 2]
    starts, stops = np.array(cuts[::2], np.intp), np.array(cuts[1::2], np.intp)
    sums = segment_sums(values, starts, stops)
    assert sums.dtype == values.dtype
    assert sums.tolist() == [values[start:stop].sum() for start, stop in zip(starts, stops, strict=True)]


def test_segment_sums_of_empty_segments_at_the_ends():
    values, sums = np.array([1, 2, 3]), lambda pairs: segment_sums(values, *np.array(pairs, np.intp).T).tolist()
    assert sums([(0, 0), (0, 3), (3, 3)]) == [0, 6, 0]
    assert sums([(3, 3)]) == [0]
    assert sums([(3, 3), (3, 3), (3, 3)]) == [0, 0, 0]
    assert sums([(0, 1), (1, 1), (1, 2), (3, 3), (4, 4)]) == [1, 0, 2, 0, 0]
    assert segment_sums(values[:0], np.array([0, 0]), np.array([0, 0])).tolist() == [0, 0]
    assert segment_sums(values, np.zeros(0, np.intp), np.zeros(0, np.intp)).tolist() == []


def test_log_scale_is_exact_and_rising():
    values = log_scale(np.arange(20_000))
    assert (np.diff(values) >= 0).all()
    assert values[[0, 1, 3, 7, 15]].tolist() == [0, 16, 32, 48, 64]
    assert values[8191] == values[-1]


def test_features_do_not_depend_on_which_code_points_were_seen_first():
    draw = random.Random(5)
    fresh = "".join(chr(draw.randrange(0x12000, 0x12400)) for _ in range(50))
    first = of_line(features_of([fresh]), 0)
    features_of([fresh[::-1], "x"])
    assert of_line(features_of(["x" * 50, fresh]), 1)[:2] == first[:2]
