"""A result is plain frozen data: it can be compared, pickled, read lazily and written as JSON."""

import json
import pickle
from dataclasses import FrozenInstanceError

import pytest

from cleaner.document import (
    KEPT_BY_DEFAULT,
    RESULT_VERSION,
    CleanResult,
    Flag,
    Kind,
    Line,
    LineColumns,
    Reason,
    Trim,
)

TRIM = Trim(0, 5, "Ad — ", "", Kind.ADVERT)


def result(**changes):
    columns = LineColumns(
        [0, 3],
        ["Ad — Storm hits", "Share"],
        ["Storm hits", "Share"],
        [True, False],
        [Kind.CONTENT, Kind.SHARING],
        [0.0312, 0.9987],
        [Reason.MODEL, Reason.MODEL],
        [(TRIM,), ()],
    )
    return CleanResult(**({"text": "Storm hits", "flags": (), "quality": 0.75, "columns": columns} | changes))


def test_the_closed_lists_are_those_of_the_contract():
    assert [kind.value for kind in Kind] == [
        "content",
        "headline",
        "advert",
        "appeal",
        "subscription",
        "related",
        "navigation",
        "sharing",
        "legal",
        "byline",
        "credit",
        "bio",
        "caption",
        "comment",
        "residue",
        "repeat",
    ]
    assert [reason.value for reason in Reason] == ["model", "lexicon", "context", "site", "caller", "budget"]
    assert {"nothing-left", "over-budget", "undecodable-bytes"} <= {flag.value for flag in Flag}
    assert {Kind.CONTENT, Kind.HEADLINE} == KEPT_BY_DEFAULT


def test_lines_are_the_columns_read_across():
    assert result().lines == (
        Line(0, "Ad — Storm hits", "Storm hits", True, Kind.CONTENT, 0.0312, Reason.MODEL, (TRIM,)),
        Line(3, "Share", "Share", False, Kind.SHARING, 0.9987, Reason.MODEL),
    )


def test_lines_are_made_once():
    one = result()
    assert one.lines is one.lines


def test_removed_is_what_was_not_kept():
    assert [line.index for line in result().removed] == [3]


def test_a_result_writes_as_json_and_comes_back_the_same():
    plain = result(flags=(Flag.UNDECODABLE_BYTES,)).as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain == {
        "version": RESULT_VERSION,
        "text": "Storm hits",
        "flags": ["undecodable-bytes"],
        "quality": 0.75,
        "lines": [
            {
                "index": 0,
                "raw": "Ad — Storm hits",
                "text": "Storm hits",
                "kept": True,
                "kind": "content",
                "score": 0.0312,
                "reason": "model",
                "trims": [{"start": 0, "end": 5, "text": "Ad — ", "replacement": "", "kind": "advert"}],
            },
            {
                "index": 3,
                "raw": "Share",
                "text": "Share",
                "kept": False,
                "kind": "sharing",
                "score": 0.9987,
                "reason": "model",
                "trims": [],
            },
        ],
    }


def test_json_holds_no_enum_members():
    def leaves(value):
        if isinstance(value, dict):
            value = list(value.values())
        return [leaf for one in value for leaf in leaves(one)] if isinstance(value, list) else [value]

    assert {type(leaf) for leaf in leaves(result(flags=tuple(Flag)).as_dict())} <= {str, int, float, bool}


def test_results_are_values():
    assert result() == result()
    assert result() != result(quality=0.5)
    assert pickle.loads(pickle.dumps(result())) == result()


def test_a_result_pickles_also_after_its_lines_were_read():
    one = result()
    lines = one.lines
    assert pickle.loads(pickle.dumps(one)).lines == lines


@pytest.mark.parametrize("one", [result(), result().lines[0], TRIM])
def test_nothing_can_be_assigned(one):
    with pytest.raises((FrozenInstanceError, AttributeError)):
        one.text = "other"


def test_a_result_prints_without_its_columns():
    assert "columns" not in repr(result())
