"""What elements are called, as hashed tokens: of an element, of the one around it, of all up to the root."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from invented import PAGE, markups, read

from cleaner.features import MOST_GRAMS
from cleaner.page.paths import PATH_BITS
from cleaner.training.text import paths_of

FIRST, LAST = 2, 4


@settings(max_examples=100, deadline=None)
@given(markups)
def test_buckets_are_within_their_range_and_an_element_has_few(markup):
    paths = read(markup).evidence.paths
    assert all(0 <= bucket < 1 << PATH_BITS for own in paths.own for bucket in own)
    assert all(len(own) <= MOST_GRAMS for own in paths.own)
    assert all(set(fresh) <= set(own) for own, fresh in zip(paths.own, paths.fresh, strict=True))


@settings(max_examples=100, deadline=None)
@given(markups)
def test_only_elements_with_text_have_tokens(markup):
    page, _, _, evidence = read(markup)
    assert [bool(own) for own in evidence.paths.own] == [page.holds_text(number) for number in range(len(page.tags))]


@settings(max_examples=100, deadline=None)
@given(markups)
def test_ends_are_where_the_next_element_outside_begins(markup):
    page, _, _, evidence = read(markup)
    inside = [{number} for number in range(len(page.tags))]
    for number in reversed(range(len(page.tags))):
        if page.parent[number] >= 0:
            inside[page.parent[number]] |= inside[number]
    assert [max(all_of) + 1 for all_of in inside] == evidence.paths.behind.tolist()


@settings(max_examples=100, deadline=None)
@given(markups)
def test_sums_along_the_tree_are_sums_over_whole_paths(markup):
    _, _, _, evidence = read(markup)
    paths, weights = evidence.paths, np.random.default_rng(1).integers(-128, 128, (2, 1 << PATH_BITS))
    grams = paths.grams()
    parts = np.array(
        [
            [row[grams.buckets[0][start:stop]].sum() for start, stop in zip(grams.starts, grams.stops[0], strict=True)]
            for row in weights
        ]
    ).reshape(2, -1)
    expected = [[row[list(path)].sum() for path in paths_of(evidence)] for row in weights]
    assert np.array_equal(paths.whole(parts, evidence.element), np.array(expected).reshape(2, -1))


def test_paths_do_not_depend_on_the_hash_seed():
    code = "from invented import PAGE, read\nprint(read(PAGE).evidence.paths.own)"
    said = set()
    for seed in ("0", "4242"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, cwd=Path(__file__).parent, env=env, check=True, text=True
        )
        said.add(run.stdout)
    assert said == {f"{read(PAGE).evidence.paths.own}\n"}


def path_of(markup, block=-1):
    return set(paths_of(read(markup).evidence)[block])


def test_blocks_of_one_place_share_their_path():
    paths = paths_of(read(PAGE).evidence)
    assert paths[FIRST] == paths[FIRST + 1] == paths[LAST]
    assert len(set(paths)) == 5


@pytest.mark.parametrize(
    "hiding", ["hidden", "aria-hidden=true", 'style="color:red; Display : none"', "style=visibility:hidden"]
)
def test_what_is_hidden_is_said_of_all_that_is_in_it(hiding):
    plain, hidden = path_of("<p>one"), path_of(f"<p {hiding}>one")
    assert plain < hidden == path_of("<p hidden>one")
    inner, hidden_inner = path_of("<div><div><p>one"), path_of(f"<div {hiding}><div><p>one")
    assert inner < hidden_inner
    # Once for itself, once for any element around it.
    assert len(hidden - plain) == 2 and len(hidden_inner - inner) == 1


def test_what_is_shown_is_not_hidden():
    for shown in ("aria-hidden=false", 'style="display:block"', "class=hidden-sm"):
        assert not path_of("<p hidden>one") <= path_of(f"<p {shown}>one")


def test_names_are_read_as_a_whole_and_by_their_words():
    dashed, joined, other = (path_of(f"<p class={name}>one") for name in ("related-box", "RelatedBox", "story-body"))
    plain = path_of("<p>one")
    assert len((dashed & joined) - plain) == 4  # two words, in two places
    assert dashed != joined
    assert dashed & other == plain
    assert path_of("<p class=x id=y>one") != path_of("<p class=y id=x>one")
    for said in ("role=main", "itemprop=articleBody", "itemtype=https://schema.org/Article"):
        assert plain < path_of(f"<p {said}>one")


def test_names_without_end_are_cut_off():
    many, most = (path_of(f'<p class="{" ".join(map("n{}".format, range(count)))}">one') for count in (5000, 12))
    assert many == most
    assert path_of(f"<p class={'x' * 5000}>one") == path_of(f"<p class={'x' * 80}>one")
