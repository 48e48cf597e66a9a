"""The options that say how to clean, shared by the filter and ``clean explain``, and what becomes of them."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from cleaner.cli.config import read_config
from cleaner.cli.terminal import COLOR_CHOICES
from cleaner.document import Kind

if TYPE_CHECKING:
    from cleaner.options import Options
    from cleaner.pipeline import Cleaner

# Those of `options.Engine`, which is read late.
ENGINES = ("default", "fast")
HELP_OPTIONS = ["-h", "--help"]
SETTINGS = {"help_option_names": HELP_OPTIONS, "max_content_width": 100}

_Function = TypeVar("_Function", bound=Callable[..., Any])


def configure(ctx: click.Context, _: click.Parameter, path: str | None) -> str | None:
    """Let the configuration file answer for the options that the command line leaves open."""
    if not ctx.resilient_parsing:
        if path is not None and ctx.params.get("no_config"):
            raise click.UsageError("--config and --no-config exclude each other", ctx)
        if not ctx.params.get("no_config"):
            ctx.default_map = read_config(path)
    return path


def refuse_both(ctx: click.Context, _: click.Parameter, no_config: bool) -> bool:
    """Catch ``--config`` before ``--no-config``; the other order is caught by `configure`."""
    if no_config and ctx.params.get("config") is not None:
        raise click.UsageError("--config and --no-config exclude each other", ctx)
    return no_config


def complete_kinds(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The kinds that begin like the last of a comma-separated list."""
    done, comma, last = incomplete.rpartition(",")
    return [CompletionItem(done + comma + kind) for kind in Kind if kind.startswith(last)]


# --no-config and --config come first and are eager: they decide what the defaults of all others are.
_OPTIONS = [
    click.option(
        "--keep", metavar="KIND,…", multiple=True, shell_complete=complete_kinds,
        help="Keep lines of these kinds, which would go.",
    ),
    click.option(
        "--remove", metavar="KIND,…", multiple=True, shell_complete=complete_kinds,
        help="Remove lines of these kinds, which would stay (headline).",
    ),
    click.option(
        "--threshold", metavar="N|KIND=N,…", multiple=True,
        help="Score from 0 to 1 that a line must reach to be removed, for all kinds or for one. Higher keeps more.",
    ),
    click.option(
        "--phrases", metavar="FILE", multiple=True, type=click.Path(),
        help="Lines that are always boilerplate: UTF-8, one a line, # begins a comment.",
    ),
    click.option(
        "--max-removed-share", metavar="N", type=float,
        help="Leave a document whole, and say so, when more than this share of its words would go (0 to 1).",
    ),
    click.option("--trims/--no-trims", default=True, help="Cut boilerplate glued to a kept line (the default)."),
    click.option("--unwrap/--no-unwrap", default=True, help="Join the lines of hard-wrapped text (the default)."),
    click.option(
        "--engine", type=click.Choice(ENGINES), default="default", show_default=True,
        help="How to judge the blocks of pages: as well as we can, or fast.",
    ),
    click.option("--plain-quotes/--no-plain-quotes", default=False, help="Write typographic quotes as ASCII."),
    click.option("--plain-dashes/--no-plain-dashes", default=False, help="Write typographic dashes as ASCII."),
    click.option("--model", metavar="PATH", type=click.Path(), help="Bundle to use in place of the one that ships."),
    click.option(
        "--config", metavar="PATH", type=click.Path(), is_eager=True, callback=configure,
        help="Configuration file in place of cleaner.toml or pyproject.toml.",
    ),
    click.option(
        "--no-config", is_flag=True, is_eager=True, callback=refuse_both, help="Read no configuration file."
    ),
    click.option(
        "--color", type=click.Choice(COLOR_CHOICES), default="auto", show_default=True,
        help="Colours in accounts and diffs; auto means at a terminal and without NO_COLOR.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="No warnings about documents. Errors are still reported."),
]  # fmt: skip


def cleaning_options(function: _Function) -> _Function:
    """Give a command the options of this module."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def load_cleaner(ctx: click.Context) -> "Cleaner":
    """The cleaner that the options ask for. Options are checked before the model is read."""
    options = options_from(ctx)
    from cleaner.pipeline import Cleaner

    return Cleaner.load(ctx.params["model"], options, ctx.params.get("site_lines"))


def options_from(ctx: click.Context) -> "Options":
    """What the command line and the configuration file say together; for a kind the command line counts first."""
    from cleaner.options import Options

    choices = ctx.params
    keep, remove = set(_kinds(choices["keep"])), set(_kinds(choices["remove"]))
    if _from_file(ctx, "keep") and not _from_file(ctx, "remove"):
        keep -= remove
    if _from_file(ctx, "remove") and not _from_file(ctx, "keep"):
        remove -= keep
    threshold, thresholds = parse_thresholds(choices["threshold"])
    return Options(
        keep=keep,
        remove=remove,
        threshold=threshold,
        thresholds=thresholds,
        phrases=[phrase for path in choices["phrases"] for phrase in read_phrases(path)],
        trims=choices["trims"],
        unwrap=choices["unwrap"],
        max_removed_share=choices["max_removed_share"],
        engine=choices["engine"],
        plain_quotes=choices["plain_quotes"],
        plain_dashes=choices["plain_dashes"],
    )


def _from_file(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP


def _kinds(lists: Iterable[str]) -> list[str]:
    return [name.strip() for names in lists for name in names.split(",") if name.strip()]


def parse_thresholds(values: Iterable[str]) -> tuple[float | None, dict[str, float]]:
    """The threshold of all kinds and those of single kinds.

    >>> parse_thresholds(["0.8,advert=0.5", "bio=0.9"])
    (0.8, {'advert': 0.5, 'bio': 0.9})
    """
    general, single = None, {}
    for part in _kinds(values):
        kind, equals, number = part.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            raise click.UsageError(f"--threshold takes a number or KIND=NUMBER, not {part!r}") from None
        if equals:
            single[kind.strip()] = value
        else:
            general = value
    return general, single


def read_phrases(path: str) -> list[str]:
    r"""The phrases of a file: a line each, without comments; ``\#`` begins a phrase that starts with ``#``."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = [line.strip() for line in file]
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise click.UsageError(f"cannot read the phrases of {path}: {why}") from None
    return [line.removeprefix("\\") if line.startswith("\\#") else line for line in lines if line and line[0] != "#"]
