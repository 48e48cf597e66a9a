"""Who may import whom, and what a start costs: read from the source with ``ast``, and seen in fresh interpreters."""

import ast
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest
import tiny

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "cleaner"

# A module imports from lower floors only. Those on one floor that may import each other are told apart by a fraction.
FLOORS = {
    "errors": 0,
    "document": 0,
    "disk": 0,
    "lexicon": 1,
    "options": 1,
    "lines": 1,
    "wrapping": 1,
    "screen": 1,
    "page": 1,
    "page.head": 1,
    "page.metadata": 1,
    "page.source": 1.5,
    "normalize": 2,
    "page.blocks": 2.5,
    "features": 3,
    "page.markdown": 3,
    "context": 3.5,
    "trims": 3.5,
    "letters": 3.5,
    "page.paths": 3.55,
    "page.evidence": 3.6,
    "page.surroundings": 3.7,
    "model": 4,
    "model.scorer": 4,
    "model.pages": 4.2,
    "model.bundle": 4.5,
    "tails": 4.5,
    "decode": 5,
    "page.decision": 5.5,
    "quality": 5.5,
    "sites.fingerprints": 5,
    "sites.store": 5.1,
    "sites.table": 5.2,
    "sites.counting": 5.2,
    "sites.arrow": 5.3,
    "sites": 5.4,
    "sites.decision": 5.6,
    "page.cleaning": 5.7,
    "pipeline": 6,
    "report": 6,
    "ingest": 7,
    "training": 7,
    "integrations": 8,
    "cli": 8,
    "": 9,
    "__main__": 9,
}
# Whole folders count as one; their insides are checked for cycles.
FOLDERS = ("report", "ingest", "training", "integrations", "cli")

ONLY_IN_TRAINING = {"sklearn", "scipy", "joblib", "threadpoolctl", "resiliparse"}
NEVER_AT_THE_TOP = {"ftfy", "sklearn", "scipy", "pandas", "pyarrow"}
FOR_PAGES = {"lxml", "trafilatura", "charset_normalizer"}
# The parent of a job and its workers talk over a pair of sockets; nothing is fetched.
BY_SOCKET = {"ingest.pool"}
NEVER = {"pickle", "marshal", "shelve", "dill", "urllib", "requests", "socket", "http"}


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}


def is_for_types(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports_of(name, at_run_time=True, top_only=False):
    """The modules that a module imports, by full name; those for types alone count only when asked."""
    found, stack = set(), [TREES[name]]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute"
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {one for one in inside if one.removeprefix("cleaner.") in SOURCES and one.startswith("cleaner.")}
            found |= modules or {node.module}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and top_only:
            continue
        elif is_for_types(node) and at_run_time:
            stack += node.orelse
        else:
            stack += ast.iter_child_nodes(node)
    return found


def own_imports(name, **how):
    return {
        one.removeprefix("cleaner").removeprefix(".")
        for one in imports_of(name, **how)
        if one.split(".")[0] == "cleaner"
    }


def place(name):
    folder = name.split(".")[0]
    return folder if folder in FOLDERS else name


def outside(name, **how):
    return {one.split(".")[0] for one in imports_of(name, **how)} - {"cleaner"}


@pytest.mark.parametrize("name", SOURCES)
def test_a_module_imports_from_lower_floors_only(name):
    assert place(name) in FLOORS, f"cleaner/{name} has no floor; give it one in the table"
    here = FLOORS[place(name)]
    for other in own_imports(name, at_run_time=name == ""):
        if place(other) == place(name) in FOLDERS or other == "":
            continue  # one folder; or the version, which stands in the package itself
        assert FLOORS[place(other)] < here, f"{name} (floor {here}) imports {other} (floor {FLOORS[place(other)]})"


def test_every_floor_has_its_module():
    assert set(FLOORS) == set(map(place, SOURCES))


def test_there_are_no_cycles():
    TopologicalSorter({name: own_imports(name, at_run_time=False) - {"", name} for name in SOURCES if name}).prepare()


def test_only_the_command_imports_training_and_only_when_asked():
    for name in SOURCES:
        of_training = {one for one in own_imports(name) if place(one) == "training"}
        if place(name) not in FOLDERS:
            assert not of_training, name
        if place(name) == "cli":
            assert not {one for one in own_imports(name, top_only=True) if place(one) == "training"}, name


def test_nothing_imports_the_command_but_its_entry():
    assert {name for name in SOURCES if any(place(one) == "cli" for one in own_imports(name))} - {
        name for name in SOURCES if place(name) == "cli"
    } == {"__main__"}


@pytest.mark.parametrize("name", SOURCES)
def test_who_may_use_which_library(name):
    assert not (outside(name) & NEVER) - ({"socket"} if name in BY_SOCKET else set())
    if place(name) != "training":
        assert not outside(name) & ONLY_IN_TRAINING
        assert not outside(name, top_only=True) & NEVER_AT_THE_TOP
    assert not outside(name, top_only=True) & FOR_PAGES
    if place(name) != "training" and not name.startswith("page."):
        assert not outside(name) & FOR_PAGES
    if place(name) != "cli":
        assert "click" not in outside(name)
    if place(name) in ("", "cli", "errors", "document", "options", "lines", "lexicon"):
        assert "numpy" not in outside(name, top_only=True)


def test_text_is_cleaned_without_the_modules_of_pages():
    wanted, stack = set(), ["pipeline"]
    while stack:
        wanted |= (more := own_imports(stack.pop(), top_only=True) - wanted)
        stack += more
    assert {name for name in wanted if name.startswith("page") or name == "model.pages"} == set()


def test_no_module_shadows_the_standard_library_or_owns_nothing():
    names = {name.split(".")[-1] for name in SOURCES} - {""}
    assert not (names - {"__main__"}) & sys.stdlib_module_names
    assert not names & {"utils", "util", "helpers", "common", "misc"}


def test_every_module_says_what_it_owns():
    silent = [name for name, tree in TREES.items() if tree.body and not ast.get_docstring(tree)]
    assert silent == []


def test_no_module_imports_a_private_name():
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cleaner"):
                private = [one.name for one in node.names if one.name.startswith("_") and not one.name.startswith("__")]
                assert not private, f"{name} imports {private}"


def modules_after(code, *arguments):
    """The modules that a fresh interpreter holds after running some code."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\nimport sys\nprint('\\n'.join(sys.modules))", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def loaded_after(code):
    """The same, but packages as a whole."""
    return {name.split(".")[0] for name in modules_after(code)}


HEAVY = {"sklearn", "scipy", "joblib", "pandas", "pyarrow", *FOR_PAGES}
TEXT = "The council met on Tuesday.\\nADVERTISEMENT Advertisement\\nThe café re\\u0301opened (Agency) -Today."


def test_importing_the_package_loads_nothing():
    assert not loaded_after("import cleaner") & (HEAVY | {"numpy", "click", "ftfy", "json", "zipfile", "hashlib"})


def test_importing_the_command_loads_no_model_code():
    assert not loaded_after("import cleaner.cli") & (HEAVY | {"numpy", "ftfy"})


def test_cleaning_a_text_loads_numpy_and_nothing_heavier():
    loaded = loaded_after(f'from cleaner import Cleaner\nassert Cleaner.load().clean("{TEXT}").text')
    assert "numpy" in loaded
    assert not loaded & (HEAVY | {"click", "ftfy"})


def test_ftfy_comes_only_for_mojibake():
    clean = 'from cleaner import Cleaner\nassert Cleaner.load().clean("The {} opened on Tuesday.").text'
    assert "ftfy" not in loaded_after(clean.format("café"))
    assert "ftfy" not in loaded_after(clean.format("cafÃ©"))  # all of its bytes are UTF-8 again
    assert "ftfy" in loaded_after(clean.format("cafÃ© на углу"))


def test_reading_a_result_and_its_json_loads_nothing_more():
    code = (
        f'from cleaner import Cleaner, Options\nCleaner.load(options=Options(phrases=["x"])).clean("{TEXT}").as_dict()'
    )
    assert not loaded_after(code) & (HEAVY | {"click", "ftfy"})


# The hand-made bundle judges pages as well, and does not change when a model is trained.
LOAD = "import sys\nfrom cleaner import Cleaner, Options\ncleaner = Cleaner.load(sys.argv[1])\n"
PAGE = "<title>Bridge</title><p>The council met on Tuesday and voted for the bridge.</p>"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return str(tiny.write_bundle(tmp_path_factory.mktemp("bundle")))


def test_cleaning_a_text_loads_nothing_for_pages_and_of_others_only_numpy(bundle):
    text = f'cleaner.clean("{TEXT}", Options(phrases=["x"], max_removed_share=0.9)).as_dict()'
    loaded = modules_after(LOAD + text, bundle)
    assert not {name for name in loaded if name.startswith("cleaner.page") or name == "cleaner.model.pages"}
    # What the environment loads into every interpreter is none of ours.
    ours = {name.split(".")[0] for name in loaded - modules_after("")} - sys.stdlib_module_names
    assert ours == {"cleaner", "numpy"}


def test_a_page_loads_lxml_and_trafilatura_only_for_its_metadata(bundle):
    page = f'{LOAD}result = cleaner.clean_html("{PAGE}")\nassert result.text and result.markdown and result.as_dict()'
    outsiders = lambda code: {name.split(".")[0] for name in modules_after(code, bundle)} & (HEAVY | {"click"})  # noqa: E731
    assert outsiders(page) == {"lxml"}
    assert "trafilatura" in outsiders(f"{page}\nassert result.metadata.title")


def test_encodings_are_guessed_only_of_bytes_that_do_not_say_theirs(bundle):
    guess = LOAD + 'assert cleaner.clean_html("{}".encode("cp1251"){}).text'
    page = "<p>Директор порта заявил, что новый кран привезут морем и поставят до первых морозов."
    assert "charset_normalizer" not in modules_after(guess.format(page, ', charset="cp1251"'), bundle)
    assert "charset_normalizer" in modules_after(guess.format(page, ""), bundle)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["explain", "--help"], ["completion", "bash"]])
def test_help_is_given_without_numpy(arguments):
    code = f"import sys, io\nfrom cleaner.cli import main\nsys.argv = ['clean', *{arguments!r}]"
    code += "\nout, sys.stdout = sys.stdout, io.StringIO()"
    code += "\ntry: main()\nexcept SystemExit as end: assert not end.code\nsys.stdout = out"
    assert not loaded_after(code) & (HEAVY | {"numpy", "ftfy"})


def test_every_public_name_arrives():
    loaded_after("import cleaner\nfor name in cleaner.__all__: assert getattr(cleaner, name) is not None, name")
    loaded_after("import cleaner\nassert set(dir(cleaner)) >= set(cleaner.__all__)")
    with pytest.raises(AttributeError, match="nothing"):
        getattr(import_module("cleaner"), "nothing")  # noqa: B009  what is tested is the look-up


def test_the_package_is_typed():
    assert (PACKAGE / "py.typed").exists()
