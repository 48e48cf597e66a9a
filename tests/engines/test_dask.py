import dask.dataframe as dd
import pandas as pd
import pyarrow as pa
import pytest
from distributed import Client, LocalCluster

from cleaner.integrations.dask import clean_dataframe

pytestmark = pytest.mark.usefixtures("client")


@pytest.fixture(scope="module")
def client():
    """A cluster of two processes with two threads each."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def ddf(documents):
    return dd.from_pandas(documents.to_pandas().set_index("id", drop=False), npartitions=9)


def test_a_frame_is_cleaned_as_by_the_core(ddf, recipe, expected, reads):
    lazy = clean_dataframe(ddf, *recipe)
    assert not reads(), "nothing is read before it is needed"
    after = lazy.compute()
    assert pa.Table.from_pandas(after, preserve_index=False).to_pylist() == expected.to_pylist()
    assert after.dtypes.equals(lazy.dtypes) and after["text"].dtype == ddf.dtypes["text"]
    for name in expected.column_names[4:]:
        assert lazy.dtypes[name] == pd.ArrowDtype(expected.schema.field(name).type)
    by_process = reads()
    assert len(by_process) == 2 and set(by_process.values()) == {1}, "each process reads the model once"


def test_other_operations_follow(ddf, recipes, core, tmp_path):
    recipe = recipes["shipped"]
    after = clean_dataframe(ddf, *recipe)
    errors = core(recipe)["clean_error"].null_count
    assert after["clean_error"].isna().sum().compute() == errors
    after[["id", "text", "clean_error"]].to_parquet(tmp_path / "out", write_index=False)
    written = pd.read_parquet(tmp_path / "out").sort_values("id")
    assert pa.array(written["text"], from_pandas=True).to_pylist() == core(recipe)["text"].to_pylist()


def test_the_example(run_example):
    out = run_example("dask_frame.py")
    assert "ADVERTISEMENT" not in out and "chairwoman" in out and "clean_quality" in out
