import polars as pl
import pytest

from cleaner.errors import InputError
from cleaner.ingest import Request
from cleaner.integrations.polars import clean_frame


@pytest.fixture
def frame(documents):
    return pl.from_arrow(documents)


def test_a_frame_is_cleaned_as_by_the_core(frame, recipe, expected):
    kept = frame.clone()
    after = clean_frame(frame, *recipe)
    assert after.equals(pl.from_arrow(expected)) and after.schema == pl.from_arrow(expected).schema
    assert frame.equals(kept)
    assert clean_frame(frame.with_columns(pl.col("text").cast(pl.Categorical)), *recipe).equals(after)
    assert clean_frame(frame.with_columns(pl.col("text").cast(pl.Binary)), *recipe).equals(after)


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_a_lazy_frame_is_cleaned_when_it_is_collected(frame, recipe, expected, engine, reads):
    lazy = clean_frame(frame.lazy(), *recipe)
    assert lazy.collect_schema() == pl.from_arrow(expected).schema
    assert not reads(), "nothing is read before it is needed"
    assert lazy.collect(engine=engine).equals(pl.from_arrow(expected))
    assert lazy.select("clean_error").collect(engine=engine).equals(pl.from_arrow(expected).select("clean_error"))
    assert lazy.slice(5, 9).collect(engine=engine).equals(pl.from_arrow(expected)[5:14])


def test_a_filter_of_a_lazy_frame_sees_the_cleaned_text(frame):
    lazy = clean_frame(frame.lazy()).filter(pl.col("text").str.contains("ADVERTISEMENT"))
    assert lazy.collect().is_empty()
    assert lazy.collect(engine="streaming").is_empty()


def test_frames_without_rows_or_texts():
    assert clean_frame(pl.DataFrame(schema={"text": pl.String})).columns == ["text", "clean_error"]
    nothing = clean_frame(pl.DataFrame({"text": [None, None], "url": [None, None]}))
    assert nothing["text"].to_list() == nothing["clean_error"].to_list() == [None, None]


def test_what_is_no_text_is_said():
    with pytest.raises(InputError, match="no column 'body'; there are text"):
        clean_frame(pl.DataFrame({"text": ["x"]}), Request(text="body"))


def test_the_model_is_read_once(frame, recipe, reads):
    for _ in range(3):
        clean_frame(frame, *recipe)
    assert sum(reads().values()) == 1


def test_the_example(run_example):
    out = run_example("polars_frame.py")
    assert "ADVERTISEMENT" not in out and "chairwoman" in out and '{"advert": 1}' in out
