"""A batch is cleaned in its place: rows, other columns, types, nulls and metadata stay as they were."""

import pyarrow as pa
import pytest

from cleaner.errors import InputError, OptionError
from cleaner.ingest import ArrowCleaner, Request
from cleaner.ingest.arrow import taken

STORY = "The council met on Tuesday and voted for the bridge."
TYPES = [
    (pa.string(), pa.string()),
    (pa.large_string(), pa.large_string()),
    (pa.string_view(), pa.string_view()),
    (pa.binary(), pa.string()),
    (pa.large_binary(), pa.large_string()),
    (pa.binary_view(), pa.string()),
    (pa.dictionary(pa.int32(), pa.string()), pa.string()),
]


class Broken:
    """A cleaner that fails at certain documents, alone or with others."""

    def __init__(self, cleaner):
        self._cleaner = cleaner

    def clean(self, text, *_, **__):
        if "zzbroken" in text:
            raise ValueError("so it was asked")
        return self._cleaner.clean(text)

    def clean_batch(self, texts, **_):
        return [self.clean(text) for text in texts]

    clean_html = clean


@pytest.mark.parametrize(("came", "goes"), TYPES, ids=str)
def test_types_stay_and_nulls_stay_null(cleaner, came, goes):
    texts = pa.array([STORY, None, STORY + "\nzzadvert", ""], pa.string()).cast(
        came if came != TYPES[-1][0] else pa.string()
    )
    texts = texts.dictionary_encode() if came == TYPES[-1][0] else texts
    done = ArrowCleaner(cleaner)(pa.record_batch({"text": texts}))
    assert done.schema.field("text").type == goes
    assert done.column("text").to_pylist() == [STORY, None, STORY, ""]
    assert done.column("clean_error").to_pylist() == [None] * 4


def test_other_columns_and_metadata_are_left_alone(cleaner):
    others = {
        "n": pa.array([1, None]),
        "nested": pa.array([[{"a": [b"x"]}], None]),
        "word": pa.array(["a", None]).dictionary_encode(),
        "view": pa.array(["a", None], pa.string_view()),
        "none": pa.nulls(2),
    }
    fields = [pa.field(name, array.type, metadata={"k": name}) for name, array in others.items()]
    schema = pa.schema([*fields[:2], pa.field("text", pa.string(), nullable=False), *fields[2:]], {"who": "us"})
    arrays = list(others.values())
    batch = pa.RecordBatch.from_arrays(
        [*arrays[:2], pa.array([STORY, STORY + "\nzzadvert"]), *arrays[2:]], schema=schema
    )
    done = ArrowCleaner(cleaner, Request(extras=("quality", "kinds")))(batch)
    assert done.schema.names == [*schema.names, "clean_kinds", "clean_quality", "clean_error"]
    assert done.schema.metadata == schema.metadata
    for field in fields:
        assert done.schema.field(field.name).equals(field, check_metadata=True)
        assert done.column(field.name).equals(batch.column(field.name))
    assert done.column("clean_kinds").to_pylist() == [[], [("advert", 1)]]


def test_errors_keep_their_place_and_take_nobody_along(cleaner):
    seen = []
    batch = pa.record_batch({"text": [STORY, "zzbroken", None, "<html><body><p>zzbroken</p></body></html>", STORY]})
    done = ArrowCleaner(Broken(cleaner), observe=lambda row, outcome: seen.append((row, outcome.reason is None)))(batch)
    assert done.column("text").to_pylist() == [STORY, None, None, None, STORY]
    reasons = done.column("clean_error").to_pylist()
    assert [reason is None for reason in reasons] == [True, False, True, False, True]
    assert reasons[1] == "cleaning failed, please report this: ValueError: so it was asked"
    assert seen == [(0, True), (1, False), (3, False), (4, True)]


def test_what_was_told_before_is_replaced(cleaner):
    clean = ArrowCleaner(cleaner, Request(extras=("kinds",)))
    once = clean(pa.record_batch({"text": [STORY + "\nzzadvert"], "id": [1]}))
    twice = clean(once)
    assert twice.schema == once.schema
    assert twice.column("clean_kinds").to_pylist() == [[]]


def test_everything_can_be_told(cleaner):
    request = Request(extras=("removed", "metadata", "flags", "quality", "kinds"))
    page = f"<html><head><title>Bridge</title></head><body><p>{STORY}</p><p>zzadvert</p></body></html>"
    (row,) = ArrowCleaner(cleaner, request)(
        pa.record_batch({"text": [page], "url": ["https://a.example/x"]})
    ).to_pylist()
    assert row["text"] == STORY and [line["kind"] for line in row["clean_removed"]] == ["advert"]
    assert row["clean_metadata"]["title"] == "Bridge" and 0 <= row["clean_quality"] <= 1


def test_a_column_beside_may_be_missing_or_hold_something_else(cleaner):
    for beside in ({}, {"url": [7]}, {"url": [b"https://a.example"], "charset": pa.nulls(1)}):
        assert ArrowCleaner(cleaner)(pa.record_batch({"text": [STORY], **beside})).column("text").to_pylist() == [STORY]


def test_what_cannot_be_cleaned_at_all_is_named(cleaner):
    with pytest.raises(InputError, match="not one column 'text', there are a"):
        ArrowCleaner(cleaner)(pa.record_batch({"a": [1]}))
    with pytest.raises(InputError, match="holds int64"):
        ArrowCleaner(cleaner)(pa.record_batch({"text": [1]}))
    wrong_names = {"text": "clean_kinds", "extras": ("kinds",)}, {"text": "clean_error"}
    for wrong in ({"form": "pdf"}, {"extras": ("all",)}, {"text": "url"}, *wrong_names):
        with pytest.raises(OptionError):
            Request(**wrong)


def test_no_rows_are_no_rows(cleaner):
    assert ArrowCleaner(cleaner)(pa.record_batch({"text": pa.array([], pa.string())})).num_rows == 0


def test_rows_are_taken_of_any_type():
    batch = pa.record_batch({"v": pa.array(["a", None, "c"], pa.string_view()), "l": pa.array([[1], [], None])})
    assert taken(batch, [0, 2]).to_pylist() == [{"v": "a", "l": [1]}, {"v": "c", "l": None}]
    assert taken(batch, []).num_rows == 0
