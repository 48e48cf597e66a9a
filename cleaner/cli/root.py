"""Which command runs, and what its end means: verbs, exit codes, messages.

``clean`` is a filter whose first word may be a verb. Click's groups cannot take both a verb and file names in that
place, so the choice is made here, before Click parses anything; everything after it, shell completion included, is
Click's.
"""

import io
import os
import sys
from importlib import import_module
from typing import Any

import click

from cleaner.cli.output import ReaderGone, close_stdout
from cleaner.cli.terminal import say
from cleaner.errors import CleanerError, InputError, OutputError

# verb -> module of this package; the module calls its command `command`.
VERBS = {
    "explain": "explain",
    "job": "job",
    "train": "train",
    "eval": "evaluate",
    "model": "model",
    "sites": "sites",
    "completion": "completion",
}
FILTER = "filter"
COMPLETE_VARIABLE = "_CLEAN_COMPLETE"
USAGE = 2


class Root(click.Command):
    """The command as typed: the verb that its first word names, else the filter."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the arguments as those of the command that they name."""
        if args and args[0] in VERBS:
            return load(VERBS[args[0]]).make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return load(FILTER).make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that `make_context` chose."""
        return ctx.command.invoke(ctx)


def load(module: str) -> click.Command:
    """The command that a module of this package defines."""
    command: click.Command = import_module(f"cleaner.cli.{module}").command
    return command


def run(args: list[str]) -> int:
    """Run ``clean`` with these arguments and return its exit code; expected errors become one message on stderr."""
    root = Root("clean")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Help in a narrow encoding; documents go out as bytes.
        sys.stdout.reconfigure(errors="backslashreplace")
    if COMPLETE_VARIABLE in os.environ:
        root.main(args, "clean", COMPLETE_VARIABLE)
    try:
        return close_stdout(_invoke(root, args))
    except ReaderGone:
        # The reader has what it wanted (`clean big.txt | head -1`): not our failure, and nothing to say.
        return 0
    except CleanerError as error:
        say(str(error))
        return error.exit_code


def _invoke(root: Root, args: list[str]) -> int:
    try:
        with root.make_context("clean", args) as ctx:
            return int(root.invoke(ctx) or 0)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "clean"
        say(" ".join(error.format_message().split()), f"see {path} --help")
        return USAGE
    except BrokenPipeError:
        raise ReaderGone from None
    except OSError as error:
        # Our own reading and writing names its errors; what is left is Click printing help, or training that meets a
        # file.
        if error.filename is None:
            raise OutputError(f"cannot write the output: {error.strerror}") from error
        raise InputError(f"{error.filename}: {error.strerror}") from error
