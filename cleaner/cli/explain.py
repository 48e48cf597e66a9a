"""``clean explain``: every line of a text with its verdict, and why."""

import sys

import click

from cleaner.cli.choices import SETTINGS, cleaning_options, load_cleaner
from cleaner.cli.documents import read_document
from cleaner.cli.output import StdoutSink
from cleaner.cli.sources import STDIN, form_of
from cleaner.cli.terminal import say, wants_color
from cleaner.errors import InputError

HELP = """Show every line of a text, or block of a page, with its verdict, kind, score and reason.

\b
  clean explain article.txt
  clean explain page.html
  clean explain --json article.txt | jq '.lines[] | select(.kept | not)'

The score is the model's: how likely the line is boilerplate, from 0 to 1. The reason says who had the
last word: model, lexicon, context, site, caller or budget. Of a page, each row also says where in the
page the block stands.
"""


@click.command(context_settings=SETTINGS, help=HELP)
@click.argument("files", nargs=-1, metavar="[FILE|-]...", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="As JSON, an object a document.")
@cleaning_options
@click.pass_context
def command(ctx: click.Context, /, files: tuple[str, ...], as_json: bool, **_: object) -> int:
    if any(form_of(source, "auto") == "jsonl" for source in files):
        raise click.UsageError("this verb reads texts and pages; for records see clean -f jsonl --explain", ctx)
    if not files and sys.stdin is not None and sys.stdin.isatty():
        click.echo(ctx.get_help())
        return 0
    cleaner = load_cleaner(ctx)
    from cleaner.cli.account import as_json as json_of
    from cleaner.cli.account import verdicts, warnings

    sink, code = StdoutSink(), 0
    for source in files or (STDIN,):
        try:
            document = read_document(source, "auto")
        except InputError as error:
            say(str(error))
            code = error.exit_code
            continue
        name, result = document.name, document.cleaned(cleaner)
        account = (
            json_of(name, result) if as_json else verdicts(name, result, wants_color(ctx.params["color"], sys.stdout))
        )
        sink.write(account.encode("utf-8", "backslashreplace"))
        if not ctx.params["quiet"]:
            say(*(f"{name}: {warning}" for warning in warnings(result)))
    sink.commit()
    return code
