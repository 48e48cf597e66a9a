"""A tally adds up: in any order and from any parts it says the same, and what it cannot say exactly is bounded."""

import json
from collections import Counter
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner.document import CleanResult, Flag, Kind, LineColumns, Reason, Trim
from cleaner.errors import InputError
from cleaner.report import tally as module
from cleaner.report.tally import BINS, LONGEST, MOST, TALLY_VERSION, TEXTS, Foremost, Frequent, Tally

TRIM = Trim(0, 5, "Ad — ", "", Kind.ADVERT)


def result(*lines, flags=(), quality=0.75):
    """A result with these lines: text, whether kept, kind, reason, trims."""
    texts, kept, kinds, reasons, trims = ([line[place] for line in lines] for place in range(5))
    columns = LineColumns(range(len(lines)), texts, texts, kept, kinds, [0.5] * len(lines), reasons, trims)
    text = "\n".join(line for line, stays in zip(texts, kept, strict=True) if stays)
    return CleanResult(text, flags, quality, columns)


def stays(text, *trims):
    return text, True, Kind.CONTENT, Reason.MODEL, trims


def goes(text, kind=Kind.ADVERT, reason=Reason.MODEL, *trims):
    return text, False, kind, reason, trims


LINES = st.lists(
    st.tuples(
        st.text(max_size=6),
        st.booleans(),
        st.sampled_from(Kind),
        st.sampled_from(Reason),
        st.sampled_from([(), (TRIM,)]),
    ),
    max_size=6,
)
CLEANED = st.tuples(
    st.sampled_from(["a", "b", "c", "d"]),
    st.integers(0, 10**12),
    st.builds(
        lambda lines, flags, quality: result(*lines, flags=tuple(flags), quality=quality),
        LINES,
        st.sets(st.sampled_from(Flag), max_size=2),
        st.floats(0, 1),
    ),
    st.floats(0, 1000),
)
JOBS = st.lists(CLEANED | st.sampled_from(["not JSON", "too large"]), max_size=60)


def tally_of(documents):
    tally = Tally()
    for one in documents:
        if isinstance(one, str):
            tally.add_error(one)
        else:
            tally.add(*one)
    return tally


def merged(tallies):
    whole = Tally()
    for tally in tallies:
        whole.merge(tally)
    return whole


def copied(tally):
    return Tally.from_dict(json.loads(json.dumps(tally.as_dict())))


def test_what_a_document_adds():
    tally = Tally()
    tally.add(
        "ferry.txt",
        100,
        result(
            stays("Ähren", TRIM, TRIM),
            goes("Share", Kind.SHARING, Reason.CONTEXT, TRIM),
            goes("Deal of the day", Kind.ADVERT, Reason.LEXICON),
            flags=(Flag.UNDECODABLE_BYTES,),
        ),
        0.25,
    )
    tally.add_error("not JSON")
    shares = [0] * BINS
    shares[16] = 1  # 20 of 25 code points
    quality = [0] * BINS
    quality[15] = 1
    assert tally.as_dict() == {
        "version": TALLY_VERSION,
        "documents": 1,
        "errors": 1,
        "bytes_in": 100,
        "bytes_out": 6,
        "lines_in": 3,
        "lines_out": 1,
        "trims": 2,  # those of the line that stayed
        "microseconds": 250_000,
        "removed_by_kind": {"advert": 1, "sharing": 1},
        "removed_by_reason": {"context": 1, "lexicon": 1},
        "flags": {"undecodable-bytes": 1},
        "quality": quality,
        "removed_share": shares,
        "slowest": [{"seconds": 0.25, "name": "ferry.txt"}],
        "least_trusted": [{"quality": 0.75, "name": "ferry.txt"}],
        "frequent_lines": {
            "missed": 0,
            "rows": [
                {"count": 1, "kind": "advert", "text": "Deal of the day"},
                {"count": 1, "kind": "sharing", "text": "Share"},
            ],
        },
        "errors_by_reason": {"missed": 0, "rows": [{"count": 1, "reason": "not JSON"}]},
    }


def test_whoever_knows_the_bytes_of_the_text_may_say_so():
    tally = Tally()
    tally.add("a", 9, result(stays("Ähren")), 0.0, bytes_out=6)
    assert tally.bytes_out == 6


def test_documents_without_anything():
    tally = Tally()
    tally.add("empty", 0, result(quality=0.0), 0.0)
    tally.add("invisible", 9, result(goes("", Kind.RESIDUE)), 0.0)
    tally.add("all gone", 9, result(goes("Share")), 0.0)
    tally.add("lone surrogate", 3, result(stays("\ud800"), quality=1.0), 0.0)
    assert tally.removed_share == [3, *[0] * 18, 1]
    assert (tally.quality[0], tally.quality[-1]) == (1, 1)
    assert tally.bytes_out == 3


@given(JOBS)
def test_the_sums_are_those_of_the_documents(documents):
    cleaned = [one for one in documents if not isinstance(one, str)]
    columns = [one[2].columns for one in cleaned]
    gone = [
        (kind, reason)
        for one in columns
        for kept, kind, reason in zip(one.kept, one.kind, one.reason, strict=True)
        if not kept
    ]
    tally = tally_of(documents)
    assert tally.documents + tally.errors == len(documents)
    assert tally.bytes_in == sum(one[1] for one in cleaned)
    assert tally.bytes_out == sum(len(one[2].text.encode("utf-8", "surrogatepass")) for one in cleaned)
    assert tally.lines_in == sum(len(one.kept) for one in columns)
    assert tally.lines_in - tally.lines_out == len(gone)
    assert tally.removed_by_kind == Counter(kind for kind, _ in gone)
    assert tally.removed_by_reason == Counter(reason for _, reason in gone)
    assert tally.flags == Counter(flag for one in cleaned for flag in one[2].flags)
    assert sum(tally.quality) == sum(tally.removed_share) == tally.documents
    account = tally.as_dict()
    slow = sorted((-round(one[3] * 1e6), one[0]) for one in cleaned)[:MOST]
    assert [(row["seconds"], row["name"]) for row in account["slowest"]] == [(-time / 1e6, name) for time, name in slow]
    doubtful = sorted((one[2].quality, one[0]) for one in cleaned)[:MOST]
    assert [(row["quality"], row["name"]) for row in account["least_trusted"]] == doubtful


@given(st.lists(JOBS, max_size=4), st.randoms())
def test_parts_can_be_merged_in_any_order_and_grouping(parts, random):
    documents = [one for part in parts for one in part]
    whole = tally_of(documents).as_dict()
    random.shuffle(documents)
    assert tally_of(documents).as_dict() == whole
    tallies = list(map(tally_of, parts))
    assert merged(tallies).as_dict() == whole
    random.shuffle(tallies)
    right = reduce(lambda behind, tally: merged([tally, behind]), reversed(tallies), Tally())
    assert right.as_dict() == whole


@given(JOBS, JOBS)
def test_the_json_form_holds_everything(first, second):
    tally = tally_of(first)
    assert copied(tally).as_dict() == tally.as_dict()
    again = copied(tally)
    for one in second:
        again.add_error(one) if isinstance(one, str) else again.add(*one)
    assert again.as_dict() == tally_of(first + second).as_dict()


def test_the_json_form_has_only_plain_types():
    def types(value):
        parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
        return {type(value)}.union(*map(types, parts))

    tally = tally_of([("a", 1, result(goes("Share"), flags=(Flag.NOTHING_LEFT,)), 0.5), "not JSON"])
    assert types(tally.as_dict()) <= {dict, list, str, int, float}


def test_what_as_dict_gave_does_not_change_later():
    tally = tally_of([("a", 1, result(goes("Share")), 0.5)])
    account = tally.as_dict()
    before = json.dumps(account)
    tally.add("b", 1, result(goes("Share")), 0.5)
    tally.merge(tally)
    assert json.dumps(account) == before
    assert (tally.documents, tally.removed_by_kind) == (4, {"advert": 4})


@pytest.mark.parametrize("known", [{}, {"version": TALLY_VERSION + 1}])
def test_a_tally_of_another_version_is_refused(known):
    with pytest.raises(InputError, match="go on with the version"):
        Tally.from_dict(known)


def test_of_equal_documents_the_first_by_name_are_remembered():
    names = [f"{number:03}" for number in range(500)]
    foremost = Foremost("seconds", highest=True)
    for name in reversed(names):
        foremost.add(0.5, name)
    assert [row["name"] for row in foremost.as_list()] == names[:MOST]


def test_long_names_lines_and_reasons_are_cut():
    tally = tally_of([("n" * 10**6, 1, result(goes("x" * 10**6)), 0.5), "r" * 10**6])
    assert len(json.dumps(tally.as_dict())) < 3000
    assert tally.frequent_lines.counts == {("advert", "x" * LONGEST): 1}


def test_a_tally_stays_small(monkeypatch):
    monkeypatch.setattr(module, "TEXTS", 10)
    tally = Tally()
    for number in range(500):
        tally.add(
            str(number), 1, result(*(goes(f"{number} {line}") for line in range(7)), goes("Share")), number / 1000
        )
        tally.add_error(f"reason {number}")
        assert len(tally.frequent_lines.counts) <= 20
        assert len(tally.errors_by_reason.counts) <= 20
    assert tally.errors == 500
    (first, *_), missed = tally.as_dict()["frequent_lines"]["rows"], tally.frequent_lines.missed
    assert first["text"] == "Share"
    assert 500 - missed <= first["count"] <= 500


# As a stream of texts with many rare ones.
STREAMS = st.lists(st.integers(0, 12).flatmap(lambda bits: st.integers(0, 2**bits)), max_size=400)


@given(st.lists(STREAMS, max_size=4))
def test_counts_are_lower_bounds_and_miss_little(streams):
    few = 10
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TEXTS", few)
        whole = Frequent("text")
        for stream in streams:
            part = Frequent("text")
            for number in stream:
                part.add(str(number))
            whole.merge(part)
    true = Counter(str(number) for stream in streams for number in stream)
    assert all(count <= true[text] for (text,), count in whole.counts.items())
    assert all(count - whole.counts.get((text,), 0) <= whole.missed for text, count in true.items())
    assert whole.missed * few <= true.total()
    if len(true) <= 2 * few:
        assert whole.missed == 0


def test_the_bounds_are_what_the_job_was_promised():
    assert (MOST, BINS, LONGEST) == (20, 20, 200)
    assert TEXTS >= 10 * MOST
