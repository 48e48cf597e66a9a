"""Options take any spelling that is clear, keep one form, and say what is wrong with the rest."""

import pickle
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from cleaner.document import KEPT_BY_DEFAULT, Kind
from cleaner.errors import CleanerError, OptionError
from cleaner.options import Options, kind_named


def test_by_default_all_goes_but_content_and_headline():
    assert Options().removed_kinds == frozenset(Kind) - {Kind.CONTENT, Kind.HEADLINE}
    assert frozenset(Kind) - Options().removed_kinds == KEPT_BY_DEFAULT


@pytest.mark.parametrize("kind", sorted(set(Kind) - KEPT_BY_DEFAULT))
@pytest.mark.parametrize("form", [str, Kind])
def test_every_kind_can_be_kept(kind, form):
    assert Options().removed_kinds - Options(keep=[form(kind)]).removed_kinds == {kind}


@pytest.mark.parametrize("form", [str, Kind])
def test_the_headline_can_be_removed(form):
    assert Options(remove=[form(Kind.HEADLINE)]).removed_kinds - Options().removed_kinds == {Kind.HEADLINE}


def test_asking_for_the_default_changes_nothing():
    assert Options(keep=["content", "headline"], remove=["advert"]).removed_kinds == Options().removed_kinds


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"keep": ["captoin"]}, "captoin"),
        ({"remove": ["adverts"]}, "adverts"),
        ({"remove": ["content"]}, "content"),
        ({"keep": ["advert"], "remove": [Kind.ADVERT]}, "advert"),
        ({"keep": "caption"}, "keep=['caption']"),
        ({"remove": "headline"}, "remove=['headline']"),
        ({"phrases": "Buy now"}, "phrases=['Buy now']"),
        ({"threshold": 1.01}, "1.01"),
        ({"threshold": -0.0001}, "-0.0001"),
        ({"threshold": float("nan")}, "nan"),
        ({"threshold": float("inf")}, "inf"),
        ({"threshold": "0.5"}, "'0.5'"),
        ({"threshold": True}, "True"),
        ({"max_removed_share": 2}, "2"),
        ({"thresholds": {"advert": 7}}, "7"),
        ({"thresholds": {"advertt": 0.5}}, "advertt"),
        ({"thresholds": {"advert": None}}, "None"),
    ],
)
def test_a_wrong_value_is_refused_and_named(arguments, found):
    with pytest.raises(OptionError) as error:
        Options(**arguments)
    assert found in str(error.value)
    assert isinstance(error.value, CleanerError)
    assert isinstance(error.value, ValueError)
    assert error.value.exit_code == 2


def test_an_unknown_kind_is_answered_with_those_that_exist():
    with pytest.raises(OptionError) as error:
        kind_named("ad")
    assert all(kind.value in str(error.value) for kind in Kind)


@pytest.mark.parametrize("value", [0, 1, 0.0, 1.0, 0.5])
def test_shares_include_their_bounds_and_become_floats(value):
    options = Options(threshold=value, max_removed_share=value, thresholds={"advert": value})
    for got in (options.threshold, options.max_removed_share, options.thresholds[Kind.ADVERT]):
        assert got == value
        assert type(got) is float


def test_every_field_has_one_form():
    options = Options(keep=iter(["caption"]), remove=["headline"], thresholds={"bio": 0.5}, phrases=iter(["a", "b"]))
    assert options.keep == frozenset({Kind.CAPTION})
    assert options.remove == frozenset({Kind.HEADLINE})
    assert options.thresholds == {Kind.BIO: 0.5}
    assert all(type(kind) is Kind for kind in [*options.keep, *options.remove, *options.thresholds])
    assert options.phrases == ("a", "b")


def test_what_the_caller_handed_in_is_copied():
    thresholds, phrases = {"bio": 0.5}, ["a"]
    options = Options(thresholds=thresholds, phrases=phrases)
    thresholds["bio"] = 0.9
    phrases.append("b")
    assert options.thresholds == {Kind.BIO: 0.5}
    assert options.phrases == ("a",)


def test_options_are_values():
    one, two = (
        Options(keep=["bio"], thresholds={"advert": 0.3}),
        Options(keep=[Kind.BIO], thresholds={Kind.ADVERT: 0.3}),
    )
    assert one == two
    assert hash(one) == hash(two)
    assert pickle.loads(pickle.dumps(one)) == one
    assert replace(one, threshold=0.2).keep == one.keep
    with pytest.raises(FrozenInstanceError):
        one.threshold = 0.5


def test_every_field_has_a_default_and_is_described():
    for field in fields(Options):
        assert getattr(Options(), field.name, ...) is not ...
        assert field.name in Options.__doc__
