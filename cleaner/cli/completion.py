"""``clean completion``: the script that teaches a shell to complete options, verbs, kinds and file names."""

import click
from click.shell_completion import get_completion_class

from cleaner.cli.choices import SETTINGS
from cleaner.cli.root import COMPLETE_VARIABLE, Root

HELP = """Print the completion script of a shell.

\b
  bash  clean completion bash > ~/.local/share/bash-completion/completions/clean
  zsh   clean completion zsh > a file that your .zshrc reads with `source`
  fish  clean completion fish > ~/.config/fish/completions/clean.fish
"""


@click.command(context_settings=SETTINGS, help=HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"this version of Click knows no completion for {shell}")
    click.echo(kind(Root("clean"), {}, "clean", COMPLETE_VARIABLE).source())
    return 0
