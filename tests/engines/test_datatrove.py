import json

import pytest
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

from cleaner.integrations.datatrove import CleanDocuments

FILES = 4


def told(row):
    """What metadata hold of a row of the core: what is known, as JSON has it."""
    told = {name: value for name, value in row.items() if name.startswith("clean_") and value is not None}
    if "clean_kinds" in told:
        told["clean_kinds"] = dict(told["clean_kinds"])
    return told


def read(folder):
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    return {int(document["id"]): document for document in map(json.loads, lines)}


@pytest.fixture
def rows(documents):
    """The documents that the reader of datatrove lets in: none without text."""
    return [row for row in documents.to_pylist() if row["text"]]


@pytest.fixture
def sources(rows, tmp_path):
    """They stand in several files, one for each task."""
    for number in range(FILES):
        path = tmp_path / "in" / f"{number}.jsonl"
        path.parent.mkdir(exist_ok=True)
        part = [row | {"id": str(row["id"])} for row in rows[number::FILES]]
        path.write_text("".join(json.dumps(row) + "\n" for row in part), encoding="utf-8")
    return tmp_path / "in"


@pytest.mark.parametrize("set_aside", [True, False])
def test_a_pipeline_cleans_as_the_core(rows, sources, recipe, expected, set_aside, reads):
    tmp_path = sources.parent
    bad = JsonlWriter(str(tmp_path / "bad"), compression=None) if set_aside else None
    step = CleanDocuments(*recipe, exclusion_writer=bad, batch_size=7)
    pipeline = [JsonlReader(str(sources)), step, JsonlWriter(str(tmp_path / "out"), compression=None)]
    executor = LocalPipelineExecutor(pipeline, tasks=FILES, workers=2, logging_dir=str(tmp_path / "logs"))
    stats = executor.run().stats[1].stats
    out, cleaned = read(tmp_path / "out"), expected.to_pylist()
    aside = read(tmp_path / "bad") if set_aside else {}
    assert sorted([*out, *aside]) == [row["id"] for row in rows], "none is lost, none comes twice"
    for row in rows:
        core = cleaned[row["id"]]
        document = (aside if core["clean_error"] and set_aside else out)[row["id"]]
        assert document["text"] == (row["text"] if core["clean_error"] else core["text"])
        found = {name: value for name, value in document["metadata"].items() if name.startswith("clean_")}
        assert found == told(core)
        assert document["metadata"]["url"] == row["url"] and document["metadata"]["rest"] == row["rest"]
    errors = sum(cleaned[row["id"]]["clean_error"] is not None for row in rows)
    assert stats["total"].total == len(rows) and stats["not_cleaned"].total == errors > 0
    assert stats["forwarded"].total == len(out) and (stats["dropped"].total if set_aside else 0) == len(aside)
    kinds = [dict(cleaned[row["id"]]["clean_kinds"] or ()) for row in rows]
    assert stats["removed_advert"].total == sum(counts.get("advert", 0) for counts in kinds) > 0
    by_process = reads()
    assert len(by_process) >= 2 and set(by_process.values()) == {1}, "each process reads the model once"


def test_a_document_without_text_stays(recipe):
    ids = ["none", "empty", "half"]
    documents = [Document(text, name) for text, name in zip([None, "", "A \ud83d pair was torn."], ids, strict=True)]
    after = list(CleanDocuments(*recipe).run(documents))
    assert [document.text for document in after] == [None, "", "A \ufffd pair was torn."]
    assert [document.id for document in after] == ids


def test_the_example(run_example, tmp_path):
    run_example("datatrove_pipeline.py", tmp_path)
    out = read(tmp_path / "clean")
    assert sorted(out) == list(range(8))
    assert "ADVERTISEMENT" not in out[7]["text"] and "chairwoman" in out[7]["text"]
