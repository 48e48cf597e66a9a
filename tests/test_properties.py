"""Laws of cleaning, tried on generated documents: what must hold whatever the model thinks of a line."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaner import Cleaner, CleanResult, Flag, Kind, Options, Reason
from cleaner.lines import join_lines
from cleaner.normalize import normalize_line, plain_dashes, straighten_quotes
from cleaner.pipeline import LINES_AT_ONCE

ROOT = Path(__file__).parent.parent

STORY = [
    "The harbour master of Quillan said on Thursday that the old crane would be taken down before the winter storms.",
    "Three firms have offered to do the work, and the cheapest of them wants 410,000 crowns for it.",
    "“It has stood there since my grandfather's day,” said Odo Farrant, who runs the chandlery on the quay.",
    "NEW QUAY",
    "Who will pay?",
    "- a smaller crane on rails",
    "Der Stadtrat von Hollern stimmte am Mittwoch mit 21 zu 14 Stimmen für den Abriss des alten Krans.",
    "El alcalde de Montejal dijo que la grúa nueva llegará por mar en la segunda semana de noviembre.",
    "Директор порта заявил, что новый кран привезут морем и поставят до первых морозов.",
    "港务局长星期四表示，旧吊车将在冬季风暴来临之前拆除。",
    "قال مدير الميناء إن الرافعة القديمة ستفكك قبل عواصف الشتاء.",
]
NOISE = [
    "ADVERTISEMENT Advertisement",
    "Anzeige",
    "Publicidad",
    "Реклама",
    "date 2024-05-06",
    "Sign up for our free harbour newsletter and never miss a story again",
    "Read more: Ferry to Pell is late again",
    "Share this article on Facebook",
    "© 2024 Quillan Observer. All rights reserved.",
    "Photo: Vera Tolmin",
    "(Reporting by Ada Venn; Editing by Cole Astor)",
    "Posted by Ada Venn on 6 May 2024",
]
GLUED = [
    f"{STORY[0]} Advertisement",
    f"date 2024-05-06 {STORY[1]}",
    "QUILLAN (Agency) -The harbour master said on Thursday that the crane would go. Read more: Ferry to Pell is late",
    "(Writing by Ada VennEditing by Cole Astor)",
]
ODD = [
    "\u200b",
    "\ufeff",
    "\x00",
    "a",
    "日",
    "&nbsp;",
    "<br>",
    "\ud83d",
    "…",
    "- - -",
    "e\u0301" * 3,
    "\u202e" * 4,
    "cafÃ©",
]
ENDS = ["\n", "\n", "\n", "\r\n", "\r", "\n\n", " \n\t\n", "\u2028", "\x85", "\x0b", "\x0c", "\x1d"]

lines = st.one_of(
    st.sampled_from(STORY), st.sampled_from(NOISE), st.sampled_from(GLUED), st.sampled_from(ODD), st.text(max_size=40)
)
documents = st.lists(st.tuples(lines, st.sampled_from(ENDS)), max_size=14).map(
    lambda rows: "".join(a + b for a, b in rows)
)
plain_documents = st.lists(st.sampled_from(STORY + NOISE + GLUED), min_size=1, max_size=14).map("\n".join)
shares = st.floats(0, 1)
options = st.builds(
    Options,
    keep=st.frozensets(st.sampled_from(sorted(set(Kind) - {Kind.HEADLINE})), max_size=4),
    remove=st.sampled_from([(), (Kind.HEADLINE,)]),
    threshold=st.none() | shares,
    thresholds=st.dictionaries(st.sampled_from(sorted(Kind)), shares, max_size=3),
    phrases=st.lists(st.sampled_from(STORY + NOISE), max_size=2),
    trims=st.booleans(),
    max_removed_share=st.none() | shares,
    plain_quotes=st.booleans(),
    plain_dashes=st.booleans(),
)
often = settings(max_examples=60, deadline=None)
seldom = settings(max_examples=20, deadline=None)


@cache
def cleaner() -> Cleaner:
    """The cleaner that ships, loaded once."""
    return Cleaner.load()


def seen(result: CleanResult) -> str:
    """Everything that a result says, as one string, so that comparing compares every byte."""
    return json.dumps(result.as_dict())


def normalized(raw: str, chosen: Options) -> str:
    """What a line is before any trim."""
    text = normalize_line(raw)
    text = straighten_quotes(text) if chosen.plain_quotes else text
    return plain_dashes(text) if chosen.plain_dashes else text


def words(texts: Iterable[str]) -> int:
    """How many words some lines have."""
    return sum(len(text.split()) for text in texts)


# The account of a document


@often
@given(documents, options)
def test_every_line_that_is_not_blank_is_accounted_for_once(text: str, chosen: Options) -> None:
    result = cleaner().clean(text, chosen)
    expected = [(number, raw) for number, raw in enumerate(text.splitlines()) if raw.strip()]
    assert [(line.index, line.raw) for line in result.lines] == expected
    kept = [line for line in result.lines if line.kept]
    assert sorted([*kept, *result.removed], key=lambda line: line.index) == list(result.lines)


@often
@given(documents, options)
def test_the_text_is_the_kept_lines_in_order(text: str, chosen: Options) -> None:
    result = cleaner().clean(text, chosen)
    assert result.text == join_lines(line.text for line in result.lines if line.kept)
    assert "\n\n" not in result.text
    assert result.text == result.text.strip("\n")


@often
@given(documents, options)
def test_a_line_is_its_input_but_for_normalisation_and_logged_trims(text: str, chosen: Options) -> None:
    for line in cleaner().clean(text, chosen).lines:
        before = normalized(line.raw, chosen)
        forth, back, at, read = [], [], 0, 0
        for trim in line.trims:
            assert at <= trim.start <= trim.end <= len(before)
            assert before[trim.start : trim.end] == trim.text
            forth += [before[at : trim.start], trim.replacement]
            same = trim.start - at
            assert line.text[read + same : read + same + len(trim.replacement)] == trim.replacement
            back += [line.text[read : read + same], trim.text]
            at, read = trim.end, read + same + len(trim.replacement)
        assert "".join([*forth, before[at:]]) == line.text
        assert "".join([*back, line.text[read:]]) == before
        assert chosen.trims or not line.trims


@often
@given(documents, options)
def test_scores_and_quality_are_probabilities(text: str, chosen: Options) -> None:
    result = cleaner().clean(text, chosen)
    assert 0 <= result.quality <= 1
    assert all(0 <= line.score <= 1 for line in result.lines)
    assert json.loads(seen(result)) == result.as_dict()


# Nothing but the text and the options matters


@seldom
@given(st.lists(documents, max_size=8), st.randoms(use_true_random=False), options)
def test_order_and_company_of_a_batch_change_nothing(texts: list[str], random: Any, chosen: Options) -> None:
    alone = {text: seen(cleaner().clean(text, chosen)) for text in texts}
    assert [seen(result) for result in cleaner().clean_batch(texts, chosen)] == [alone[text] for text in texts]
    random.shuffle(texts)
    assert [seen(result) for result in cleaner().clean_batch(iter(texts), chosen)] == [alone[text] for text in texts]


@settings(max_examples=8, deadline=None)
@given(st.lists(plain_documents, min_size=3, max_size=3), st.integers(-40, 40), st.integers(1, 3))
def test_documents_around_the_edge_of_a_chunk(texts: list[str], shift: int, times: int) -> None:
    first, second, third = texts
    filler = "\n".join(f"{STORY[i % len(STORY)]} {i}" for i in range(LINES_AT_ONCE + shift))
    batch = [first, filler, second, third] * times
    alone = {text: seen(cleaner().clean(text)) for text in (first, filler, second, third)}
    assert [seen(result) for result in cleaner().clean_batch(batch)] == [alone[text] for text in batch]


def test_every_cut_of_a_batch_gives_the_same() -> None:
    texts = [f"{one}\n{other}" for one in (*STORY, *NOISE) for other in (*NOISE, *STORY, *GLUED)]
    texts = texts[::5]
    whole = [seen(result) for result in cleaner().clean_batch(texts)]
    for size in (1, 7, 64):
        cut = [seen(r) for at in range(0, len(texts), size) for r in cleaner().clean_batch(texts[at : at + size])]
        assert cut == whole


def test_many_documents_without_lines() -> None:
    results = cleaner().clean_batch(["", "\n \n"] * 1500)
    assert {seen(result) for result in results} == {seen(cleaner().clean(""))}
    assert (results[0].text, results[0].lines, results[0].flags) == ("", (), ())


@often
@given(documents, options)
def test_bytes_give_what_their_text_gives(text: str, chosen: Options) -> None:
    text = text.encode("utf-8", "replace").decode().lstrip("\ufeff\x00")
    result = cleaner().clean(text.encode(), chosen)
    assert seen(result) == seen(cleaner().clean(text, chosen))
    for encoding in ("utf-16", "utf-32"):
        assert seen(cleaner().clean(text.encode(encoding), chosen)) == seen(result)


@seldom
@given(documents, options)
def test_options_of_a_call_and_of_a_cleaner_are_the_same(text: str, chosen: Options) -> None:
    own = Cleaner(cleaner()._bundle, chosen)
    assert seen(own.clean(text)) == seen(cleaner().clean(text, chosen))
    assert seen(own.clean(text, Options())) == seen(cleaner().clean(text))


def test_threads_share_a_cleaner() -> None:
    texts = ["\n".join([*STORY[i % 5 :], *NOISE[: i % 7], GLUED[i % 4]]) for i in range(60)]
    alone = [seen(cleaner().clean(text)) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert [seen(result) for result in pool.map(cleaner().clean, texts)] == alone


def test_a_cleaner_and_its_results_can_be_pickled() -> None:
    chosen = Options(keep=["caption"], phrases=["x"], thresholds={"advert": 0.5})
    copy = pickle.loads(pickle.dumps(Cleaner(cleaner()._bundle, chosen)))
    assert copy.options == chosen
    text = "\n".join([*STORY, *NOISE, *GLUED])
    result = cleaner().clean(text, chosen)
    assert seen(copy.clean(text)) == seen(result)
    assert pickle.loads(pickle.dumps(result)) == result
    assert result.lines and pickle.loads(pickle.dumps(result)).lines == result.lines


PROGRAM = """
import hashlib, json, sys
from cleaner import Cleaner, Options
texts = json.load(sys.stdin)
chosen = Options(keep=["caption", "credit"], phrases=texts[0].splitlines()[:3], thresholds={"advert": 0.5, "bio": 0.4})
cleaner = Cleaner.load()
results = [*cleaner.clean_batch(texts), *cleaner.clean_batch(texts, chosen)]
print(hashlib.sha256(json.dumps([result.as_dict() for result in results]).encode()).hexdigest())
"""


def test_hash_seed_and_number_of_threads_change_nothing() -> None:
    texts = ["\n".join(order) for order in ([*STORY, *NOISE], [*NOISE, *STORY], [*GLUED, *STORY], ODD[:7], NOISE)]
    digests = set()
    for seed, threads in (("0", "1"), ("1", "2"), ("4242", "3")):
        env = {**os.environ, "PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": threads, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            input=json.dumps(texts),
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def run_command(*args: str, stdin: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `clean` as its users do."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-m", "cleaner", *args],
        input=stdin,
        env=env,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize(
    ("flags", "chosen"),
    [
        ((), Options()),
        (("--keep", "caption,credit,sharing"), Options(keep=["caption", "credit", "sharing"])),
        (("--remove", "headline", "--threshold", "0.3"), Options(remove=["headline"], threshold=0.3)),
        (("--threshold", "0.9", "--threshold", "advert=0.2"), Options(threshold=0.9, thresholds={"advert": 0.2})),
        (
            ("--no-trims", "--plain-quotes", "--plain-dashes"),
            Options(trims=False, plain_quotes=True, plain_dashes=True),
        ),
        (("--max-removed-share", "0.1"), Options(max_removed_share=0.1)),
    ],
)
def test_the_command_gives_what_the_library_gives(flags: tuple[str, ...], chosen: Options, tmp_path: Path) -> None:
    texts = ["\n".join(group) for group in ([*STORY, *NOISE], [*NOISE, *STORY, *GLUED], ODD, NOISE, [], ["a"], STORY)]
    texts = [text.replace("\ud83d", "") for text in texts]
    records = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    done = run_command("-f", "jsonl", "--explain", "-q", *flags, stdin=records, cwd=tmp_path)
    for text, row in zip(texts, map(json.loads, done.stdout.splitlines()), strict=True):
        result = cleaner().clean(text, chosen)
        expected = result.as_dict()
        assert row["text"] == expected.pop("text")
        assert row["_clean"] == expected
    for text in texts[:3]:
        out = run_command("-q", *flags, stdin=text, cwd=tmp_path).stdout
        assert out == cleaner().clean(text, chosen).text + "\n"


# Options


@often
@given(documents, options)
def test_kept_kinds_stay_and_removed_kinds_go(text: str, chosen: Options) -> None:
    for line in cleaner().clean(text, chosen).lines:
        if line.reason in (Reason.BUDGET, Reason.CALLER):
            continue
        assert line.kept == (line.kind not in chosen.removed_kinds), line


@often
@given(documents)
def test_keeping_every_kind_removes_nothing(text: str) -> None:
    result = cleaner().clean(text, Options(keep=set(Kind) - {Kind.CONTENT}, trims=False))
    assert not result.removed
    assert result.text == join_lines(normalize_line(line.raw) for line in result.lines)


@often
@given(documents, shares, shares)
def test_a_higher_threshold_keeps_more(text: str, one: float, other: float) -> None:
    low, high = (cleaner().clean(text, Options(threshold=value)) for value in sorted((one, other)))
    if Flag.NOTHING_LEFT not in low.flags:
        # By text: where the first of two copies stays, the second is a repeat; where it goes, the second stays.
        kept = [{line.text for line in result.lines if line.kept} for result in (low, high)]
        assert kept[0] <= kept[1]


@often
@given(documents, shares)
def test_a_threshold_is_met_by_every_line_that_the_model_removes(text: str, threshold: float) -> None:
    for line in cleaner().clean(text, Options(threshold=threshold)).removed:
        assert line.reason is not Reason.MODEL or line.score >= threshold


@often
@given(documents, st.sampled_from(sorted(Kind)), shares)
def test_a_threshold_of_one_kind_goes_over_the_general_one(text: str, kind: Kind, threshold: float) -> None:
    result = cleaner().clean(text, Options(threshold=1.0, thresholds={kind: threshold}))
    for line in result.removed:
        if line.reason is Reason.MODEL and line.kind is not Kind.REPEAT:
            assert line.score >= (threshold if line.kind is kind else 1.0)
    everywhere = Options(threshold=threshold)
    by_name = Options(threshold=0.5, thresholds=dict.fromkeys([k.value for k in Kind], threshold))
    assert seen(cleaner().clean(text, everywhere)) == seen(cleaner().clean(text, by_name))


@often
@given(plain_documents, st.sampled_from(STORY + NOISE), options)
def test_a_phrase_goes_wherever_it_stands(text: str, phrase: str, chosen: Options) -> None:
    chosen = replace(chosen, phrases=(f"\u200b {phrase.upper()}&nbsp;",), max_removed_share=None)
    for line in cleaner().clean(text, chosen).lines:
        if normalize_line(line.raw).casefold() == normalize_line(phrase).upper().casefold():
            assert line.reason is Reason.BUDGET or (not line.kept and line.reason in (Reason.CALLER, Reason.CONTEXT)), (
                line
            )


def test_a_phrase_is_a_whole_line() -> None:
    text = "\n".join(
        [
            *STORY[:3],
            "Hear it from the gulls first",
            "Hear it from the gulls first, they say in Quillan, and they mean it.",
        ]
    )
    result = cleaner().clean(text, Options(phrases=["hear it from the GULLS first"]))
    assert [line.raw for line in result.lines if line.reason is Reason.CALLER] == ["Hear it from the gulls first"]
    assert STORY[0] in result.text


def test_a_phrase_that_is_nothing_takes_nothing() -> None:
    text = "\n".join([*STORY, "\u200b"])
    assert cleaner().clean(text, Options(phrases=["", "  ", "\u200b"])).text == cleaner().clean(text).text


@often
@given(plain_documents, shares)
def test_more_than_the_share_never_goes(text: str, share: float) -> None:
    result = cleaner().clean(text, Options(max_removed_share=share, trims=False))
    free = cleaner().clean(text, Options(trims=False))
    gone, whole = words(line.text for line in free.removed), words(line.text for line in free.lines)
    if Flag.NOTHING_LEFT in free.flags:
        assert seen(result) == seen(free) or Flag.OVER_BUDGET in result.flags
    elif gone > share * whole:
        assert result.flags == (Flag.OVER_BUDGET,)
        assert not result.removed
        assert result.text == "\n".join(line.text for line in result.lines)
        assert {line.index for line in result.lines if line.reason is Reason.BUDGET} == {
            line.index for line in free.removed
        }
    else:
        assert seen(result) == seen(free)


# Nothing left


@often
@given(documents, options)
def test_an_empty_text_is_never_silent(text: str, chosen: Options) -> None:
    result = cleaner().clean(text, chosen)
    if result.lines and not result.text:
        assert Flag.NOTHING_LEFT in result.flags
    if not result.lines:
        assert (result.text, result.flags) == ("", ())
    if Flag.NOTHING_LEFT in result.flags and result.text:
        assert not result.removed
        assert all(line.reason is Reason.BUDGET for line in result.lines if line.kind in chosen.removed_kinds)


@pytest.mark.parametrize(
    "label", ["Advertisement", "ADVERTISEMENT Advertisement", "Anzeige", "Publicidad\n\nPublicidad"]
)
def test_a_lone_ad_label_leaves_nothing(label: str) -> None:
    result = cleaner().clean(label)
    assert (result.text, result.flags) == ("", (Flag.NOTHING_LEFT,))
    assert all(line.kind is Kind.ADVERT and line.reason is Reason.LEXICON for line in result.removed)


@pytest.mark.parametrize("line", STORY[:3] + STORY[6:])
def test_a_lone_sentence_stays(line: str) -> None:
    assert cleaner().clean(line).text == line


def test_phrases_for_every_line_leave_nothing() -> None:
    result = cleaner().clean("\n".join(STORY), Options(phrases=STORY))
    assert (result.text, result.flags) == ("", (Flag.NOTHING_LEFT,))


def test_doubtful_verdicts_on_every_line_leave_the_document_whole() -> None:
    result = cleaner().clean("\n".join(STORY[:3]), Options(threshold=0.0))
    assert result.flags == (Flag.NOTHING_LEFT,)
    assert result.text == "\n".join(STORY[:3])
    assert {line.reason for line in result.lines} == {Reason.BUDGET}
