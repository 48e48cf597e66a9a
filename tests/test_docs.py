"""The reference of the command is complete and true: every verb, option, setting, exit code and example is in it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cleaner.cli.config import KEYS, read_config
from cleaner.cli.records import BadRecord
from cleaner.cli.root import FILTER, VERBS, load
from cleaner.document import CleanResult, Kind, Line, LineColumns, Reason, Trim

REFERENCE = (Path(__file__).parent.parent / "docs/cli.md").read_text(encoding="utf-8")


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command and subcommand by what one types."""
    yield "clean", load(FILTER)
    for verb, module in VERBS.items():
        command = load(module)
        yield f"clean {verb}", command
        if isinstance(command, click.Group):
            yield from ((f"clean {verb} {name}", child) for name, child in command.commands.items())


def options(command: click.Command) -> list[str]:
    """All spellings of the options of a command."""
    found = [param for param in command.params if isinstance(param, click.Option)]
    return [name for param in found for name in (*param.opts, *param.secondary_opts)]


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_and_option_is_documented(name, command):
    assert " ".join(name.split()[:2]) in REFERENCE
    section = REFERENCE.partition("## Options")[2].partition("## Records")[0]
    if name != "clean":
        section += REFERENCE.partition("## Verbs")[2]
    assert [option for option in options(command) if not re.search(rf"`{re.escape(option)}[` ]", section)] == []


def test_no_documented_option_is_made_up():
    known = {option for _, command in commands() for option in options(command)} | {"-h", "--help"}
    assert set(re.findall(r"`(--?[a-z][a-z-]*)[` ]", REFERENCE)) <= known


def test_every_option_and_command_has_help():
    for name, command in commands():
        assert command.help, name
        assert all(param.help for param in command.params if isinstance(param, click.Option)), name


def test_every_setting_is_documented_and_is_an_option():
    section = REFERENCE.partition("## Configuration")[2].partition("## Verbs")[0]
    assert [key for key in KEYS if f"`{key}`" not in section] == []
    spelled = options(load(FILTER))
    assert [key for key in KEYS if f"--{key}" not in spelled] == []
    names = {param.name for param in load(FILTER).params}
    assert {name for name, _ in KEYS.values()} <= names


def test_the_example_configuration_is_valid(tmp_path):
    example = re.search(r"```toml\n(.*?)```", REFERENCE, re.DOTALL)[1]
    (tmp_path / "cleaner.toml").write_text(example, encoding="utf-8")
    assert set(read_config(str(tmp_path / "cleaner.toml"))) == {"keep", "threshold", "phrases"}


def test_the_examples_of_json_have_the_fields_of_the_program():
    bad, result = (json.loads(text) for text in re.findall(r"```json\n(.*?)```", REFERENCE, re.DOTALL))
    assert json.loads(BadRecord("feed.jsonl", 7, b"[1]", "not a JSON object").as_json()) == bad
    trim = Trim(0, 1, "a", "", Kind.BYLINE)
    line = Line(1, "a", "a", False, Kind.ADVERT, 0.5, Reason.MODEL, (trim,))
    columns = LineColumns(*([getattr(line, name)] for name in LineColumns._fields))
    real = CleanResult(text="", flags=(), quality=1.0, columns=columns).as_dict()
    assert list(result) == ["name", *real]
    assert list(result["lines"][0]) == list(real["lines"][0])
    assert all(f"`{field}`" in REFERENCE for field in real["lines"][0]["trims"][0])


def test_every_exit_code_is_documented():
    section = REFERENCE.partition("## Exit codes")[2]
    assert re.findall(r"^\| (\d+) \|", section, re.MULTILINE) == ["0", "1", "2", "3", "4", "5", "6", "130"]
    assert re.findall(r"(\d+) ", load(FILTER).epilog.partition("Exit codes:")[2]) == [
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "130",
    ]
