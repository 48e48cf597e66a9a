"""The filter: ``clean [FILE|- ...]``. Its options, which of them go together, and the run that they describe."""

import sys

import click
from click.shell_completion import CompletionItem

from cleaner import __version__
from cleaner.cli.choices import SETTINGS, cleaning_options, load_cleaner
from cleaner.cli.root import VERBS
from cleaner.cli.run import Run
from cleaner.cli.sources import FORMS, STDIN, form_of

TARGETS = ("text", "json", "markdown")
HELP = """Strip boilerplate and advertisements from news text and web pages.

\b
  clean < article.txt                      clean text on stdout
  clean article.txt -o clean.txt           into a file, written whole or not at all
  clean page.html                          the article of a page
  clean -t markdown --metadata page.html   as Markdown, below its title, author and date
  clean --explain article.txt              and, on stderr, what was removed and why
  clean --diff article.txt                 as a diff
  clean --keep caption,credit a.txt b.txt  with some kinds of line left in
  clean -f jsonl < articles.jsonl          a JSON object a line; its field "text" is cleaned

Without a FILE, or with -, stdin is read. A first word from the list of verbs below is a verb; write
./train for a file of that name.
"""
EPILOG = """Verbs (each has its own --help):

\b
  clean explain [FILE...]           every line with its verdict, kind, score and reason
  clean job IN... -o OUT            clean very many documents, from files to a folder
  clean train CORPORA -o BUNDLE     fit a model
  clean eval CORPUS                 measure a model
  clean model info|verify [PATH]    look at a model, check its files
  clean sites IN... -o FILE         count the lines that sites repeat
  clean completion bash|zsh|fish    completion for your shell

\b
Exit codes: 0 done; 1 findings of --check or eval; 2 usage; 3 some records were bad; 4 input
unreadable; 5 model missing or damaged; 6 output not written; 130 interrupted.
"""


def complete_words(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files, and in the first place the verbs as well."""
    verbs = [] if ctx.params.get("files") else [verb for verb in VERBS if verb.startswith(incomplete)]
    return [CompletionItem(incomplete, type="file"), *map(CompletionItem, verbs)]


@click.command(context_settings=SETTINGS, help=HELP, epilog=EPILOG)
@click.argument("files", nargs=-1, metavar="[FILE|-]...", shell_complete=complete_words)
@click.option(
    "-f",
    "--from",
    "form",
    metavar="FORM",
    type=click.Choice(FORMS),
    default="auto",
    show_default=True,
    help="Form of the input: text, html, jsonl (a JSON object a line), or auto: by the suffix of a file; without one "
    "that says it, a page is told from a text by how it begins.",
)
@click.option(
    "-t",
    "--to",
    metavar="FORM",
    type=click.Choice(TARGETS),
    default="text",
    show_default=True,
    help="Form of the output: text, json (the whole result, an object a document), or markdown.",
)
@click.option("--metadata", is_flag=True, help="Pages: title, author, date and the like in front; in json, in a field.")
@click.option("--url", metavar="URL", help="Where the page came from; helps to tell its date and its site.")
@click.option("--site-lines", metavar="FILE", type=click.Path(), help="What clean sites counted: judge by it as well.")
@click.option(
    "-o", "--output", metavar="PATH", type=click.Path(), help="Write here, not to stdout; replaced whole or not at all."
)
@cleaning_options
@click.option("--explain", is_flag=True, help="Say on stderr what was removed and why; in jsonl, in a field _clean.")
@click.option("--json", "as_json", is_flag=True, help="With --explain: as JSON, an object a document.")
@click.option("--diff", is_flag=True, help="Write a unified diff in place of the text.")
@click.option("--check", is_flag=True, help="Write nothing; name what would change on stderr, and exit 1.")
@click.option("--text-field", metavar="NAME", default="text", show_default=True, help="jsonl: the field to clean.")
@click.option(
    "--url-field", metavar="NAME", default="url", show_default=True, help="jsonl: the field with the URL of a record."
)
@click.option(
    "--id-field",
    metavar="NAME",
    default="id",
    show_default=True,
    help="jsonl: the field that names a record in messages.",
)
@click.option("--errors", metavar="FILE", type=click.Path(), help="jsonl: write records that cannot be cleaned here.")
@click.option("--line-buffered", is_flag=True, help="jsonl: write each record as soon as it was read.")
@click.version_option(__version__, prog_name="clean", message="%(prog)s %(version)s")
@click.pass_context
def command(ctx: click.Context, /, files: tuple[str, ...], form: str, explain: bool, as_json: bool, **_: object) -> int:
    choices = ctx.params
    forms = {form_of(source, form) for source in files or [STDIN]}
    _check_combination(ctx, forms)
    if not files and sys.stdin is not None and sys.stdin.isatty():
        click.echo(ctx.get_help())
        return 0
    run = Run(
        cleaner=load_cleaner(ctx),
        sources=files or (STDIN,),
        form=form,
        explain=("json" if as_json else "text") if explain else None,
        **{name: choices[name] for name in ("output", "diff", "check", "errors", "quiet", "color")},
        **{name: choices[name] for name in ("to", "metadata", "url")},
        **{name: choices[name] for name in ("text_field", "url_field", "id_field", "line_buffered")},
    )
    if forms == {"jsonl"}:
        from cleaner.cli.jsonl import clean_records

        return clean_records(run)
    from cleaner.cli.documents import clean_documents

    return clean_documents(run)


def _check_combination(ctx: click.Context, forms: set[str]) -> None:
    chosen = ctx.params
    records = forms == {"jsonl"}
    shaped = chosen["to"] != "text" or chosen["metadata"]
    compared = chosen["diff"] or chosen["check"]
    one_page = len(chosen["files"]) <= 1 and forms & (
        {"auto", "html", "text"} if chosen["site_lines"] else {"auto", "html"}
    )
    wrong = [
        ("jsonl" in forms and not records, "jsonl and other forms would be mixed in one output; clean them apart"),
        (chosen["as_json"] and not chosen["explain"], "--json goes with --explain; for JSON on stdout say -t json"),
        (chosen["check"] and chosen["output"], "--check writes nothing, so --output has no use"),
        (chosen["errors"] and not records, "--errors is for records: -f jsonl"),
        (chosen["line_buffered"] and not records, "--line-buffered is for records: -f jsonl"),
        (chosen["errors"] and chosen["errors"] == chosen["output"], "--errors and --output name the same file"),
        (shaped and records, "--to and --metadata are for texts and pages; records come out as records"),
        (shaped and compared, "--to and --metadata say how to write documents, and --diff and --check write none"),
        (chosen["url"] and not one_page, "--url is the address of one page; give one file, or one page on stdin"),
    ]
    for applies, message in wrong:
        if applies:
            raise click.UsageError(message, ctx)
