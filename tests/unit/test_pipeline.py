"""The stages together, with a model so simple that every verdict is known: a marker word gives a line its kind."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import MARKERS

from cleaner.document import Flag, Kind, Reason
from cleaner.errors import ModelError
from cleaner.normalize import normalize_line
from cleaner.options import Options
from cleaner.pipeline import LINES_AT_ONCE, Cleaner

AD, CAPTION, TITLE = (f"Some {MARKERS[kind]} words" for kind in (Kind.ADVERT, Kind.CAPTION, Kind.HEADLINE))
NEWS, MORE = "The council met on Tuesday.", "It voted for the bridge."
LONG = "The council voted on the long awaited bridge today, and the mayor said that it would open in May."


@pytest.fixture(scope="module")
def cleaner(tiny_bundle):
    return Cleaner.load(tiny_bundle)


def fates(result):
    return [(line.index, line.kept, line.kind, line.reason) for line in result.lines]


def test_one_document(cleaner):
    result = cleaner.clean(f"\n  {TITLE}\r\n{NEWS}\n\n{AD}\n{MORE}\nADVERTISEMENT Advertisement\n")
    assert result.text == f"{TITLE}\n{NEWS}\n{MORE}"
    assert fates(result) == [
        (1, True, Kind.HEADLINE, Reason.MODEL),
        (2, True, Kind.CONTENT, Reason.MODEL),
        (4, False, Kind.ADVERT, Reason.MODEL),
        (5, True, Kind.CONTENT, Reason.MODEL),
        (6, False, Kind.ADVERT, Reason.LEXICON),
    ]
    assert [line.index for line in result.removed] == [4, 6]
    assert result.lines[0].raw == f"  {TITLE}"
    assert result.flags == ()
    assert 0 <= result.quality <= 1


@pytest.mark.parametrize("text", ["", b"", "\n", " \n\t\r\n\u2028 ", b"\xef\xbb\xbf"])
def test_nothing_in_nothing_out(cleaner, text):
    result = cleaner.clean(text)
    assert (result.text, result.lines, result.flags) == ("", (), ())
    assert 0 <= result.quality <= 1


def test_no_documents(cleaner):
    assert cleaner.clean_batch([]) == []
    assert cleaner.clean_batch(iter([])) == []


def test_every_kind_can_be_switched(cleaner):
    text = f"{TITLE}\n{NEWS}\n{AD}\n{MORE}\n{CAPTION}"
    assert cleaner.clean(text).text == f"{TITLE}\n{NEWS}\n{MORE}"
    kept = cleaner.clean(text, options=Options(keep=["caption"]))
    assert kept.text == f"{TITLE}\n{NEWS}\n{MORE}\n{CAPTION}"
    assert fates(kept)[-1] == (4, True, Kind.CAPTION, Reason.CALLER)
    assert cleaner.clean(text, options=Options(remove=["headline"])).text == f"{NEWS}\n{MORE}"
    assert cleaner.clean(text, options=Options(threshold=1.0)).text == text


def test_options_of_the_cleaner_hold_unless_a_call_has_its_own(tiny_bundle):
    options = Options(keep=["advert"])
    cleaner = Cleaner.load(tiny_bundle, options=options)
    assert cleaner.options == options
    assert cleaner.clean(f"{NEWS}\n{AD}").text == f"{NEWS}\n{AD}"
    assert cleaner.clean(f"{NEWS}\n{AD}", options=Options()).text == NEWS
    assert cleaner.clean_batch([f"{NEWS}\n{AD}"], options=Options())[0].text == NEWS
    assert cleaner.options == options


@pytest.mark.parametrize("text", ["Advertisement", "Advertisement\n\nAnzeige", "\u200b\nAdvertisement"])
def test_only_certain_verdicts_empty_a_document(cleaner, text):
    result = cleaner.clean(text)
    assert (result.text, result.flags) == ("", (Flag.NOTHING_LEFT,))


def test_a_document_is_not_emptied_on_doubtful_verdicts(cleaner):
    result = cleaner.clean(f"{NEWS}\n{MORE}", options=Options(threshold=0.0))
    assert result.text == f"{NEWS}\n{MORE}"
    assert result.flags == (Flag.NOTHING_LEFT,)
    assert {line.reason for line in result.lines} == {Reason.BUDGET}


def test_over_budget(cleaner):
    text = f"{NEWS}\n{AD}\n{AD} again"
    assert cleaner.clean(text).text == NEWS
    result = cleaner.clean(text, options=Options(max_removed_share=0.2))
    assert (result.text, result.flags) == (text, (Flag.OVER_BUDGET,))
    assert {line.reason for line in result.lines if line.kind is Kind.ADVERT} == {Reason.BUDGET}


def test_phrases_of_the_caller(cleaner):
    result = cleaner.clean(f"{NEWS}\n{MORE}", options=Options(phrases=[MORE.upper()], keep=["advert"]))
    assert result.text == NEWS
    assert fates(result)[1] == (1, False, Kind.ADVERT, Reason.CALLER)


def test_repeats(cleaner):
    text = f"{NEWS}\n{LONG}\n{NEWS}\n{LONG}"
    result = cleaner.clean(text)
    assert result.text == f"{NEWS}\n{LONG}\n{NEWS}"
    assert fates(result)[3] == (3, False, Kind.REPEAT, Reason.CONTEXT)
    assert cleaner.clean(text, options=Options(keep=["repeat"])).text == text
    both = cleaner.clean(text, options=Options(keep=["repeat"], phrases=[LONG]))
    assert both.text == f"{NEWS}\n{NEWS}"


def test_trims_are_reported_and_can_be_switched_off(cleaner):
    line = "date 2023-10-13 BISHKEK (Agency) -The summit opened on Friday morning. Advertisement"
    result = cleaner.clean(f"{line}\n{NEWS}")
    assert result.lines[0].text == "BISHKEK (Agency) - The summit opened on Friday morning."
    assert [trim.kind for trim in result.lines[0].trims] == [Kind.RESIDUE, Kind.CONTENT, Kind.ADVERT]
    assert result.lines[1].trims == ()
    plain = cleaner.clean(f"{line}\n{NEWS}", options=Options(trims=False))
    assert plain.lines[0].text == line
    assert not any(one.trims for one in plain.lines)


def test_punctuation_stays_unless_asked(cleaner):
    text = "“It’s – well – open,” the mayor said."
    assert cleaner.clean(text).text == text
    assert cleaner.clean(text, options=Options(plain_quotes=True)).text == '"It\'s – well – open," the mayor said.'
    assert cleaner.clean(text, options=Options(plain_dashes=True)).text == "“It’s - well - open,” the mayor said."


def test_bytes_are_decoded_and_flagged(cleaner):
    assert cleaner.clean(NEWS.encode()) == cleaner.clean(NEWS)
    assert cleaner.clean(NEWS.encode("utf-16")).text == NEWS
    result = cleaner.clean(b"caf\xe9 noir in the town hall")
    assert result.text == "caf\ufffd noir in the town hall"
    assert result.flags == (Flag.UNDECODABLE_BYTES,)
    assert cleaner.clean_batch([b"\xff", NEWS])[1].flags == ()


def test_a_line_that_normalises_to_nothing_is_accounted_for(cleaner):
    result = cleaner.clean(f"{NEWS}\n\u200b\n{MORE}")
    assert result.text == f"{NEWS}\n{MORE}"
    assert [(line.index, line.raw, line.text) for line in result.lines][1] == (1, "\u200b", "")


LINES = st.sampled_from(
    [
        AD,
        CAPTION,
        TITLE,
        NEWS,
        MORE,
        LONG,
        "Advertisement",
        "",
        " ",
        "\u200b",
        "date 2023-10-13",
        "Café &amp; bar",
        "市議会",
    ]
)
TEXTS = st.lists(LINES, max_size=8).map("\n".join)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(TEXTS, max_size=6),
    st.sampled_from([Options(), Options(keep=["advert"], trims=False), Options(threshold=0.3)]),
)
def test_a_batch_is_its_documents(cleaner, texts, options):
    batch = cleaner.clean_batch(iter(texts), options)
    assert batch == [cleaner.clean(text, options) for text in texts]
    assert batch == [cleaner.clean(text.encode(), options) for text in texts]
    for text, result in zip(texts, batch, strict=True):
        assert [(line.index, line.raw) for line in result.lines] == [
            (number, raw) for number, raw in enumerate(text.splitlines()) if raw.strip()
        ]
        assert result.text == "\n".join(line.text for line in result.lines if line.kept and line.text)
        for line in result.lines:
            assert line.text == normalize_line(line.raw) or line.trims


def test_batches_larger_than_one_bite(cleaner):
    texts = [f"{NEWS}\n{AD}\n{MORE} {i}" for i in range(LINES_AT_ONCE)]
    assert [result.text for result in cleaner.clean_batch(texts)] == [
        f"{NEWS}\n{MORE} {i}" for i in range(LINES_AT_ONCE)
    ]


def test_very_many_empty_documents_take_little_memory(cleaner):
    assert len(cleaner.clean_batch("" for _ in range(200_000))) == 200_000


def test_one_document_larger_than_one_bite(cleaner):
    text = "\n".join(f"{NEWS} {i}" for i in range(2 * LINES_AT_ONCE))
    assert cleaner.clean(text).text == text


def test_threads_share_a_cleaner(cleaner):
    texts = [f"{NEWS} {chr(0x4E00 + 97 * i)}\n{AD}\n{MORE}" for i in range(60)]
    expected = [cleaner.clean(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(cleaner.clean, texts)) == expected


def test_a_cleaner_can_be_pickled_to_workers(cleaner):
    twin = pickle.loads(pickle.dumps(cleaner))
    assert twin.clean(f"{NEWS}\n{AD}") == cleaner.clean(f"{NEWS}\n{AD}")


def test_a_missing_bundle(tmp_path):
    with pytest.raises(ModelError, match="clean train"):
        Cleaner.load(tmp_path)
