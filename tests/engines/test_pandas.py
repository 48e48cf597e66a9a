import pandas as pd
import pyarrow as pa
import pytest

from cleaner.errors import InputError
from cleaner.ingest import Request
from cleaner.integrations.pandas import clean_frame, cleaned_meta


@pytest.fixture
def frame(documents):
    df = documents.to_pandas()
    df.index = df["id"] * 10
    df["mixed"] = [1, "two", None, object] * (len(df) // 4)
    return df


def told(df, expected):
    """What a frame holds beside the columns that came, as Arrow."""
    return pa.Table.from_pandas(df[["text", *expected.column_names[4:]]], preserve_index=False)


@pytest.mark.parametrize("dtype", [None, object, "string", "category", pd.ArrowDtype(pa.string())])
def test_a_frame_is_cleaned_as_by_the_core(frame, recipe, expected, dtype):
    before = frame if dtype is None else frame.astype({"text": dtype})
    kept = before.copy()
    after = clean_frame(before, *recipe)
    assert told(after, expected).to_pylist() == expected.drop_columns(["id", "url", "rest"]).to_pylist()
    assert list(after.columns) == [*before.columns, *expected.column_names[4:]]
    pd.testing.assert_frame_equal(after[["id", "url", "rest", "mixed"]], before[["id", "url", "rest", "mixed"]])
    pd.testing.assert_frame_equal(before, kept)
    assert after.index.equals(before.index)
    for name in expected.column_names[4:]:
        assert after[name].dtype == pd.ArrowDtype(expected.schema.field(name).type)
    if dtype != "category":
        assert after["text"].dtype == before["text"].dtype
    assert cleaned_meta(before.iloc[:0], recipe.request).dtypes.equals(after.dtypes)


def test_documents_may_be_bytes(documents, recipe, core):
    texts = [text and text.encode() for text in documents["text"].to_pylist()]
    df = pd.DataFrame({"text": pd.Series(texts, dtype=object), "url": documents["url"].to_pylist()})
    after = clean_frame(df, *recipe)
    assert after["text"].dtype == object
    assert after["text"].tolist() == core(recipe)["text"].to_pylist()


def test_frames_without_rows_or_texts():
    empty = pd.DataFrame({"text": pd.Series([], dtype=object)})
    assert clean_frame(empty).columns.tolist() == ["text", "clean_error"]
    nothing = clean_frame(pd.DataFrame({"text": [None, None], "url": None}, index=["a", "a"]))
    assert nothing["text"].isna().all() and nothing["clean_error"].isna().all() and list(nothing.index) == ["a", "a"]


def test_what_is_no_text_is_said():
    with pytest.raises(InputError, match="no column 'body'; there are id, text"):
        clean_frame(pd.DataFrame({"id": [1], "text": ["x"]}), Request(text="body"))
    with pytest.raises(InputError, match="'id' holds int64"):
        clean_frame(pd.DataFrame({"id": [1]}), Request(text="id"))


def test_the_model_is_read_once(frame, recipe, reads):
    for _ in range(3):
        clean_frame(frame, *recipe)
    assert sum(reads().values()) == 1


def test_the_example(run_example):
    out = run_example("pandas_frame.py")
    assert "ADVERTISEMENT" not in out and "Photograph" in out and "('advert', 1)" in out
