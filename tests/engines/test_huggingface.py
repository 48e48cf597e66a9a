import datasets
import pytest

from cleaner.integrations.huggingface import clean_batch, clean_dataset


@pytest.fixture
def ds(documents, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    documents.to_pandas().to_json(tmp_path / "documents.jsonl", orient="records", lines=True)
    return datasets.load_dataset("json", data_files=str(tmp_path / "documents.jsonl"), cache_dir=tmp_path)["train"]


def rows(expected):
    """Rows of the core as `datasets` holds them: maps are lists of items there."""
    found = expected.to_pylist()
    for row in found:
        row["clean_kinds"] = row["clean_kinds"] and [{"key": key, "value": value} for key, value in row["clean_kinds"]]
    return [
        {name: [] if name == "clean_kinds" and value == [] else value for name, value in row.items()} for row in found
    ]


@pytest.mark.parametrize("processes", [None, 2])
def test_a_data_set_is_cleaned_as_by_the_core(ds, recipe, expected, processes, reads):
    after = clean_dataset(ds, *recipe, num_proc=processes, batch_size=16)
    assert after.to_list() == rows(expected)
    assert after.column_names == expected.column_names
    assert all(after.features[name] == ds.features[name] for name in ("id", "text", "url", "rest"))
    assert after.features["clean_error"] == datasets.Value("string")
    # This process reads the bundle once more, to tell results apart that are cached.
    assert sorted(reads().values()) == ([1, 1, 1] if processes else [2])


def test_the_function_maps_lists_as_well(ds, recipe, expected):
    arguments = recipe._asdict()
    after = ds.map(clean_batch, batched=True, batch_size=16, fn_kwargs=arguments)
    assert after.to_list() == rows(expected)
    assert (
        ds.with_format("arrow").map(clean_batch, batched=True, fn_kwargs=arguments).with_format(None).to_list()
        == after.to_list()
    )


def test_a_streamed_data_set_is_cleaned_too(ds, recipe, expected):
    assert list(clean_dataset(ds.to_iterable_dataset(num_shards=3), *recipe)) == rows(expected)


def test_what_is_cached_is_of_one_model_and_table(ds, recipes):
    shipped, tiny = (clean_dataset(ds, recipes[name].request, recipes[name].bundle) for name in ("shipped", "tiny"))
    again = clean_dataset(ds, recipes["shipped"].request)
    by_site = clean_dataset(ds, *recipes["shipped"])
    assert shipped._fingerprint == again._fingerprint
    assert len({data._fingerprint for data in (shipped, tiny, by_site)}) == 3


def test_the_example(run_example):
    out = run_example("huggingface_dataset.py")
    assert "ADVERTISEMENT" not in out and "chairwoman" in out and "clean_kinds" in out
