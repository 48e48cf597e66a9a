import pyarrow as pa
import pytest
import ray
from ray.cluster_utils import Cluster

from cleaner.integrations.ray import CleanBatches, clean_dataset

pytestmark = pytest.mark.usefixtures("cluster")


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two nodes, with room for one actor each."""
    node = {"num_cpus": 1, "object_store_memory": 100_000_000}
    cluster = Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
    try:
        cluster.add_node(**node)
        ray.init(address=cluster.address, log_to_driver=False)
        assert len(ray.nodes()) == 2
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def pieces(documents, size=10):
    return ray.data.from_arrow([documents.slice(start, size) for start in range(0, documents.num_rows, size)])


def gathered(ds):
    """The rows of a data set as one table in order."""
    return pa.concat_tables(ray.get(ds.to_arrow_refs())).sort_by("id").combine_chunks()


def test_a_data_set_is_cleaned_as_by_the_core(documents, recipe, expected, reads):
    actors = ray.data.ActorPoolStrategy(size=2)
    after = clean_dataset(pieces(documents), *recipe, compute=actors, batch_size=10).materialize()
    table = gathered(after)
    assert table.to_pylist() == expected.to_pylist()
    assert table.schema.equals(expected.schema)
    assert after.schema().names == expected.column_names
    by_process = reads()
    assert len(by_process) == 2 and set(by_process.values()) == {1}, "each actor reads the model once"
    assert len({node for _, node, _ in by_process}) == 2, "both nodes did some of the work"


def test_the_class_is_made_for_map_batches(documents, recipes, core):
    recipe = recipes["shipped"]
    how = {"batch_format": "pyarrow", "fn_constructor_args": tuple(recipe), "batch_size": None}
    after = pieces(documents).map_batches(CleanBatches, **how)
    assert gathered(after).to_pylist() == core(recipe).to_pylist()
    assert after.count() == documents.num_rows


def test_blocks_without_any_document_are_cleaned_like_the_others():
    nothing = pa.table({"id": [1, 2], "text": pa.nulls(2), "url": pa.nulls(2)})
    something = pa.table({"id": [3], "text": ["The council met on Tuesday.\nADVERTISEMENT"], "url": pa.nulls(1)})
    assert CleanBatches()(nothing)["text"].to_pylist() == [None, None]
    after = gathered(clean_dataset(ray.data.from_arrow([nothing, something]), batch_size=None))
    assert after["text"].to_pylist() == [None, None, "The council met on Tuesday."]
    assert after["clean_error"].null_count == 3


def test_the_example(run_example):
    out = run_example("ray_dataset.py")
    assert "ADVERTISEMENT" not in out and "chairwoman" in out and "8 articles, 0 not cleaned" in out
