"""The configuration file: where it is looked for, and what may stand in it.

The keys are the names of options without the dashes in front. Only options that say how to clean are accepted: what a
single call is to do (``--check``, ``--output``) belongs on the command line.
"""

import os
from typing import Any

from cleaner.errors import OptionError

PLAIN, TABLE = "cleaner.toml", "pyproject.toml"
# The directories that make their parent the root of a repository; in a worktree of git it is a file.
REPOSITORY = (".git", ".hg")

# key -> (what Click calls the option, what its value must be)
KEYS = {
    "from": ("form", "one of auto, text, html, jsonl"),
    "keep": ("keep", "a list of kinds"),
    "remove": ("remove", "a list of kinds"),
    "threshold": ("threshold", "a number from 0 to 1, or a table of kind = number"),
    "phrases": ("phrases", "a file name, or a list of them"),
    "max-removed-share": ("max_removed_share", "a number from 0 to 1"),
    "trims": ("trims", "true or false"),
    "unwrap": ("unwrap", "true or false"),
    "engine": ("engine", "one of default, fast"),
    "plain-quotes": ("plain_quotes", "true or false"),
    "plain-dashes": ("plain_dashes", "true or false"),
    "text-field": ("text_field", "a string"),
    "id-field": ("id_field", "a string"),
    "model": ("model", "a path"),
    "color": ("color", "one of auto, always, never"),
}


def read_config(path: str | None) -> dict[str, Any]:
    """The defaults that a configuration file sets, by the names that Click has for the options.

    Without a path the nearest file counts: see `find_config`. Raises `OptionError` on anything that is not understood,
    since a misspelt key that does nothing is worse than one that stops the run.
    """
    found = path or find_config(os.getcwd())
    if found is None:
        return {}
    table = _table(found)
    if table is None:
        raise OptionError(f"{found} has no table [tool.cleaner]")
    return _defaults(found, table)


def find_config(start: str) -> str | None:
    """The nearest ``cleaner.toml`` or ``pyproject.toml`` with a table ``[tool.cleaner]``, up to the repository's root.

    Outside a repository only the directory itself is searched, so that a file that somebody left in ``/tmp`` does not
    count.
    """
    searched = [start]
    while not any(os.path.exists(os.path.join(searched[-1], mark)) for mark in REPOSITORY):
        parent = os.path.dirname(searched[-1])
        if parent == searched[-1]:
            searched = [start]
            break
        searched.append(parent)
    for folder in searched:
        for name in (PLAIN, TABLE):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and (name == PLAIN or _table(path) is not None):
                return path
    return None


def _table(path: str) -> dict[str, Any] | None:
    """The settings in a file; ``None`` when it is a ``pyproject.toml`` without any."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise OptionError(f"cannot read the configuration {path}: {error.strerror}") from error
    in_project = os.path.basename(path) == TABLE
    if in_project and b"cleaner" not in data:
        # Saves loading a parser for the projects of others.
        return None
    import tomllib

    try:
        table: Any = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path} is not valid TOML: {error}") from None
    if in_project:
        table = table.get("tool", {}).get("cleaner")
        if table is not None and not isinstance(table, dict):
            raise OptionError(f"{path}: tool.cleaner must be a table")
    return table  # type: ignore[no-any-return]  # a TOML document is a dict


def _defaults(path: str, table: dict[str, Any]) -> dict[str, Any]:
    defaults = {}
    for key, value in table.items():
        if key not in KEYS:
            raise OptionError(f"{path}: there is no setting {key!r}; there are {', '.join(KEYS)}")
        name, expected = KEYS[key]
        try:
            defaults[name] = _converted(key, value, os.path.dirname(os.path.abspath(path)))
        except TypeError:
            raise OptionError(f"{path}: {key} must be {expected}, not {value!r}") from None
        except OptionError as error:
            raise OptionError(f"{path}: {key}: {error}") from None
    return defaults


def _converted(key: str, value: Any, folder: str) -> Any:  # noqa: C901, PLR0911 -- a table of settings, read from top to bottom
    """The value as Click would get it from the command line; `TypeError` when it has the wrong type."""
    from cleaner.options import Options

    match key:
        case "keep" | "remove":
            kinds = _strings(value)
            Options(keep=kinds) if key == "keep" else Options(remove=kinds)
            return kinds
        case "threshold":
            if isinstance(value, dict):
                Options(thresholds=value)
                return [f"{kind}={number}" for kind, number in value.items()]
            Options(threshold=_number(value))
            return [str(value)]
        case "max-removed-share":
            Options(max_removed_share=_number(value))
            return value
        case "phrases":
            return [os.path.join(folder, name) for name in ([value] if isinstance(value, str) else _strings(value))]
        case "model":
            return os.path.join(folder, _string(value))
        case "trims" | "unwrap" | "plain-quotes" | "plain-dashes":
            if not isinstance(value, bool):
                raise TypeError
            return value
        case "from" | "engine" | "color":
            if value not in KEYS[key][1].removeprefix("one of ").split(", "):
                raise TypeError
            return value
        case _:
            return _string(value)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _strings(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise TypeError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return value
