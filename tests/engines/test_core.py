"""What the engines are compared with is worth it: every kind of document does what it is there for."""

import pyarrow.parquet as pq

from cleaner import Options
from cleaner.ingest import Job
from cleaner.ingest.encode import Target


def test_rows_of_every_kind_are_compared(documents, expected):
    assert expected.num_rows == documents.num_rows
    assert expected.column_names[: documents.num_columns] == documents.column_names
    assert expected.column_names[-1] == "clean_error"
    rows = expected.to_pylist()
    for before, after in zip(documents.to_pylist(), rows, strict=True):
        assert (before["id"], before["url"], before["rest"]) == (after["id"], after["url"], after["rest"])
        broken = before["text"] is not None and "zzbreak" in before["text"]
        assert (after["text"] is None) == (before["text"] is None or broken)
        assert (after["clean_error"] is not None) == broken
    assert {row["clean_error"] for row in rows} == {
        None,
        "cleaning failed, please report this: ValueError: broken on purpose",
    }
    by_site = [row["url"] for row in rows for line in row.get("clean_removed") or () if line["reason"] == "site"]
    if "clean_removed" in expected.column_names:
        promos = [row["url"] for row in documents.to_pylist() if "The evening letter" in (row["text"] or "")]
        assert by_site == [url for url in promos if url] != promos, (
            "what the site repeats goes, where the site is known"
        )
    changed = sum(before != after for before, after in zip(documents["text"], expected["text"], strict=True))
    assert changed > documents.num_rows // 3


def test_a_job_cleans_them_the_same(documents, recipe, expected, tmp_path):
    pq.write_table(documents, tmp_path / "in.parquet")
    request, bundle, options, site_lines = recipe
    Job(
        (str(tmp_path / "in.parquet"),),
        str(tmp_path / "out"),
        Target("parquet"),
        request,
        options or Options(),
        bundle,
        site_lines,
    ).run()
    written = pq.read_table(tmp_path / "out/part-00000.parquet").to_pylist()
    whole = expected.filter(expected["clean_error"].is_null()).drop_columns(["clean_error"])
    assert written == whole.to_pylist()
