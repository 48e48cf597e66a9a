"""``clean sites``: count the lines that sites repeat, and put counts together."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from cleaner.cli.choices import SETTINGS
from cleaner.cli.records import left_out
from cleaner.cli.run import BAD_RECORDS
from cleaner.cli.terminal import say
from cleaner.errors import InputError

if TYPE_CHECKING:
    from cleaner.ingest.counting import ChunkCounter

# So many documents that are left out are named; more would only hide what else is said.
MOST_NAMED = 20
# What means nothing to what was counted already.
OF_COUNTING = ("key_of", "given", "form", "text_field", "url_field", "date_field", "model")
HELP = """Count the lines that sites repeat, for --site-lines.

\b
  clean sites articles.jsonl.gz -o sites.db
  clean sites crawl/*.warc.gz feed/ s3://bucket/*.parquet -o sites.db
  zcat articles.jsonl.gz | clean --site-lines sites.db -f jsonl
  clean sites --partial -o monday.db monday.jsonl
  clean sites --partial --key-of monday.db -o tuesday.db tuesday.jsonl
  clean sites --merge monday.db tuesday.db -o sites.db

Each IN is what clean job takes: files, folders, patterns and (with article-cleaner[remote]) URLs of JSON
Lines, Parquet and WARC, packed or not; - is JSON Lines on stdin. All but JSON Lines needs
article-cleaner[jobs]. A document counts for the site of its URL and for the day that its date begins
with; texts are counted by their lines, and pages by their blocks.

The database holds keyed hashes and counts, no text. Lines of a single document are left out of it, so
what is to be merged has to be counted with --partial, which keeps them.
"""
EPILOG = """\b
Exit codes: 0 done; 2 usage; 3 done, some documents were left out; 4 an input cannot be read, or is
damaged: what stood before the damage is counted; 5 model missing or damaged; 6 output not written.
"""


@click.command(context_settings=SETTINGS, help=HELP, epilog=EPILOG)
@click.argument("sources", nargs=-1, required=True, metavar="IN...", type=click.Path())
@click.option(
    "-o", "--output", metavar="FILE", required=True, type=click.Path(), help="Database to write, or to replace."
)
@click.option("--merge", is_flag=True, help="Each IN is a database of --partial; add them up.")
@click.option("--partial", is_flag=True, help="Write a database that can be merged; it cannot be used yet.")
@click.option("--key-of", metavar="FILE", type=click.Path(), help="Count with the key of this database of --partial.")
@click.option(
    "-f",
    "--from",
    "given",
    type=click.Choice(("jsonl", "parquet", "warc")),
    help="Format of inputs whose names do not tell it.",
)
@click.option(
    "--form",
    type=click.Choice(("auto", "text", "html")),
    default="auto",
    show_default=True,
    help="Whether documents are texts or pages, as for the job; auto looks at each. Those of WARC are pages.",
)
@click.option(
    "--text-field", metavar="NAME", default="text", show_default=True, help="Field or column that holds the text."
)
@click.option(
    "--url-field", metavar="NAME", default="url", show_default=True, help="Field or column that holds the URL or host."
)
@click.option(
    "--date-field", metavar="NAME", default="date", show_default=True, help="Field or column that holds the date."
)
@click.option("--model", metavar="PATH", type=click.Path(), help="Bundle to use in place of the one that ships.")
@click.option("-q", "--quiet", is_flag=True, help="Do not say what was counted. Errors are still reported.")
@click.pass_context
def command(ctx: click.Context, /, sources: tuple[str, ...], output: str, **choices: Any) -> int:
    if output == "-":
        raise click.UsageError("a table is a file and cannot go to stdout; name one: -o FILE", ctx)
    if choices["merge"]:
        return _merge(ctx, sources, output, partial=choices["partial"])
    return _count(ctx, sources, output, **choices)


def _merge(ctx: click.Context, sources: tuple[str, ...], output: str, *, partial: bool) -> int:
    from cleaner.sites.counting import LineCounts
    from cleaner.sites.store import key_of

    for option in ctx.command.params:
        if option.name in OF_COUNTING and ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--merge adds up what was counted already, so {option.opts[-1]} has no use", ctx)
    _check_output(ctx, output, map(os.path.realpath, sources))
    with LineCounts(key_of(sources[0])) as counts:
        for source in sources:
            counts.add_file(source)
        counts.write(output, partial=partial)
    return 0


def _count(ctx: click.Context, sources: tuple[str, ...], output: str, **choices: Any) -> int:
    from cleaner.ingest.arrow import Request
    from cleaner.ingest.counting import ChunkCounter
    from cleaner.ingest.readers import Limits, Reader
    from cleaner.ingest.records import Position
    from cleaner.ingest.sources import FILE, find_sources
    from cleaner.pipeline import Cleaner
    from cleaner.sites.counting import LineCounts
    from cleaner.sites.store import key_of

    def name(*bad: Any) -> None:
        if counter.refused <= MOST_NAMED:
            say(left_out(*bad))

    request = Request(choices["text_field"], choices["form"], choices["url_field"])
    found = find_sources(sources, choices["given"], once=True)
    _check_output(ctx, output, (source.name for source in found))
    of_sites = [source for source in found if source.format != FILE]
    with LineCounts(key_of(choices["key_of"]) if choices["key_of"] else None) as counts:
        counter = ChunkCounter(counts, Cleaner.load(choices["model"]), request, choices["date_field"], name)
        for chunk in Reader(of_sites, Limits(), None, one_schema=False).chunks(Position(), 0):
            counter.add(chunk)
        counts.write(output, partial=choices["partial"])
    return _tell(counter, len(found) - len(of_sites), choices["date_field"], quiet=choices["quiet"])


def _check_output(ctx: click.Context, output: str, inputs: Iterable[str]) -> None:
    """Refuse, before the work, to replace an input, or what is no table."""
    from cleaner.ingest.sources import address_of
    from cleaner.sites.counting import check_target

    if address_of(os.path.realpath(output)) in map(address_of, inputs):
        raise click.UsageError(f"{output} is an input, and the table would replace it; name another file", ctx)
    check_target(output)


def _tell(counter: "ChunkCounter", files: int, date_field: str, *, quiet: bool) -> int:
    """Say what was counted and what was not; the exit code. ``files`` are texts and pages in files of their own."""
    if counter.refused > MOST_NAMED:
        say(f"{counter.refused - MOST_NAMED} more records left out")
    if files:
        say(f"left out {files} texts and pages in files of their own, which have no URL and so no site")
    for damage in counter.torn:
        say(f"{damage}; counted up to there")
    if not quiet:
        say(f"counted {counter.counted} documents")
        if counter.without_day:
            # A line goes only when it stood there on some days.
            say(f"{counter.without_day} of them have no date in field {date_field!r}, and count for no day")
    if counter.torn:
        return InputError.exit_code
    return BAD_RECORDS if counter.refused or files else 0
