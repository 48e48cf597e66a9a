"""What the engines are compared with is worth it: every kind of document does what it is there for."""


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
    changed = sum(before != after for before, after in zip(documents["text"], expected["text"], strict=True))
    assert changed > documents.num_rows // 3
