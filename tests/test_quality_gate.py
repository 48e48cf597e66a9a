"""The model that ships is above its pinned floors, and no floor is lowered by accident.

The figures of the corpora take a minute and files that are not ours: ``benchmarks/README.md`` says who runs them.
"""

import gzip
import json
import lzma

import pytest
import quality_gate as gate
import test_cases

ROW = {
    "id": "mini/1",
    "title": "The lock",
    "domain": "paper.example",
    "upstream": "goose",
    "gold": "The harbour master closed the northern lock on Monday.",
    "lines": ["The harbour master closed the northern lock on Monday.", "ADVERTISEMENT Advertisement"],
    "labels": [1, 0],
}
PAGE = {
    "id": "mini/1",
    "url": "https://paper.example/lock",
    "domain": "paper.example",
    "page_type": "article",
    "gold": ROW["gold"],
    "html": f"<nav><a href='/'>Home</a></nav><article><p>{ROW['gold']}</p></article>",
}


@pytest.fixture
def floors(tmp_path):
    """A file of floors that the model that ships just reaches."""
    path = tmp_path / "floors.json"
    assert gate.main(["--floors", str(path), "--update"]) == 0
    return path


@pytest.fixture
def corpora(tmp_path):
    """A folder of corpora that hold one invented page."""
    with gzip.open(tmp_path / gate.LINES_CORPUS, "wt", encoding="utf-8") as file:
        file.write(json.dumps(ROW) + "\n")
    for name in gate.MARKED:
        with lzma.open(tmp_path / name, "wt", encoding="utf-8") as file:
            file.write(json.dumps(PAGE) + "\n")
    return tmp_path


def change_own(path, change):
    """Change the floors of our own data."""
    parts = json.loads(path.read_text("utf-8"))
    change(parts[gate.OWN]["table"])
    path.write_text(json.dumps(parts), "utf-8")


def raise_floor(path, row, column, by):
    change_own(path, lambda table: table[row].update({column: table[row][column] + by}))


def test_the_model_that_ships_is_above_its_floors():
    assert gate.main([]) == 0


def test_a_case_is_right_when_its_own_test_says_so():
    verdicts = list(gate.judged_cases())
    assert len(verdicts) == sum(len(test_cases.rows(file)) for file in test_cases.FILES)
    agrees = lambda case, line: gate.is_right(case, line) == (not test_cases.wrong(case, line.as_dict()))  # noqa: E731
    assert [case["name"] for case, line in verdicts if not agrees(case, line)] == []


def test_both_parts_are_pinned():
    pinned = gate.read_floors(gate.FLOORS)
    assert set(pinned) == {gate.OWN, gate.CORPORA}
    for part in pinned.values():
        assert {"bundle", "weights"} <= set(part.measured_with)
        assert gate.worth(part.table) == part.table
    assert {"golden", "golden pages"} < set(pinned[gate.OWN].table)
    pages = {"pages: fundus-dev", "pages: wcxb-dev"}
    assert {"extracted", "- fundus", "fullpage", *pages} < set(pinned[gate.CORPORA].table)


def test_pinning_again_changes_nothing(floors):
    before = floors.read_bytes()
    assert gate.main(["--floors", str(floors), "--update"]) == 0
    assert floors.read_bytes() == before


@pytest.mark.parametrize(
    ("row", "column", "by"),
    [("cases: look-alikes", "right%", 0.1), ("golden", "left", -1), ("golden pages", "exact", 1)],
)
def test_a_floor_falls_only_by_an_explicit_flag(floors, capsys, row, column, by):
    pinned = floors.read_bytes()
    raise_floor(floors, row, column, by)
    raised = floors.read_bytes()
    for arguments in ([], ["--update"]):
        capsys.readouterr()
        assert gate.main(["--floors", str(floors), *arguments]) == 1
        named = capsys.readouterr().out.partition("1 below the floor:")[2]
        assert row in named and column in named
        assert floors.read_bytes() == raised
    assert gate.main(["--floors", str(floors), "--update", "--allow-regression"]) == 0
    assert row in capsys.readouterr().out.partition("1 below the floor:")[2]
    assert floors.read_bytes() == pinned


def test_a_figure_that_is_no_longer_measured_falls(floors, capsys):
    change_own(floors, lambda table: table.update({"cases: gossip": {"right%": 50.0}}))
    assert gate.main(["--floors", str(floors), "--update"]) == 1
    named = capsys.readouterr().out.partition("1 below the floor:")[2].splitlines()[2]
    assert named.split() == ["cases:", "gossip", "right%", "missing", "50"]


def test_a_figure_that_is_not_pinned_is_named_until_it_is(floors, capsys):
    pinned = floors.read_bytes()
    change_own(floors, lambda table: table.pop("golden pages"))
    capsys.readouterr()
    assert gate.main(["--floors", str(floors)]) == 0
    named = capsys.readouterr().out.partition("3 without a floor")[2]
    assert [line.split()[:3] + line.split()[4:] for line in named.splitlines()[2:5]] == [
        ["golden", "pages", column, "missing"] for column in ("exact", "lost", "left")
    ]
    assert gate.main(["--floors", str(floors), "--update"]) == 0
    assert floors.read_bytes() == pinned


def test_a_better_model_raises_its_floors(floors):
    pinned = floors.read_bytes()
    raise_floor(floors, "cases: advert", "right%", -1)
    assert gate.main(["--floors", str(floors)]) == 0
    assert gate.main(["--floors", str(floors), "--update"]) == 0
    assert floors.read_bytes() == pinned


def test_floors_of_another_model_are_named(floors, capsys):
    text = floors.read_text("utf-8")
    weights = json.loads(text)[gate.OWN]["measured_with"]["weights"]
    floors.write_text(text.replace(weights, "0" * 64), "utf-8")
    capsys.readouterr()
    assert gate.main(["--floors", str(floors)]) == 0
    assert f"weights {'0' * 12}." in capsys.readouterr().out.partition("measured with others")[2]


def test_the_corpora_are_measured_when_they_are_there(floors, corpora, capsys):
    own = gate.read_floors(floors)[gate.OWN]
    assert gate.main(["--floors", str(floors), "--corpora", str(corpora), "--update"]) == 0
    assert "fitted on these pages" in capsys.readouterr().out
    pinned = gate.read_floors(floors)
    assert pinned[gate.OWN] == own
    figures = gate.evaluate(corpora / gate.LINES_CORPUS)["goose"]
    assert pinned[gate.CORPORA].table["goose"] == {
        "gain": pytest.approx(figures["after"] - figures["before"], abs=1e-4),
        "headroom%": 100.0,
        "lost%": 0.0,
    }
    assert pinned[gate.CORPORA].table["pages: fundus-dev"] == {"shingle F1": 1.0, "word F1": 1.0}
    assert pinned[gate.CORPORA].table["pages: wcxb-dev"] == {"word F1": 1.0}
    assert gate.main(["--floors", str(floors), "--update"]) == 0
    assert gate.read_floors(floors) == pinned


def test_corpora_that_are_not_there_are_left_out(floors, tmp_path, capsys):
    assert gate.main(["--floors", str(floors), "--corpora", str(tmp_path / "nowhere")]) == 0
    assert "corpora: left out, there is no folder" in capsys.readouterr().out


def test_floors_that_cannot_be_read_are_an_error(tmp_path, capsys):
    path = tmp_path / "floors.json"
    assert gate.main(["--floors", str(path)]) == 4
    assert "--update" in capsys.readouterr().err
    path.write_text("[]", "utf-8")
    assert gate.main(["--floors", str(path)]) == 4
    path.write_text('{"own data": {"measured_with": {}, "table": {"golden": {"beauty": 1}}}}', "utf-8")
    assert gate.main(["--floors", str(path)]) == 4
    assert "beauty" in capsys.readouterr().err


def test_the_flag_is_only_for_pinning():
    with pytest.raises(SystemExit):
        gate.main(["--allow-regression"])


def test_floors_are_rounded_towards_worse():
    assert gate.worth({"a": {"gain": 0.00449, "headroom%": 41.87, "lost%": 0.451, "right%": 66.67}}) == {
        "a": {"gain": 0.0044, "headroom%": 41.8, "lost%": 0.46, "right%": 66.6}
    }
    assert gate.worth({"a": {"lost%": 0.29, "gain": -0.00031, "exact": 8}}) == {
        "a": {"lost%": 0.29, "gain": -0.0004, "exact": 8}
    }
