"""``clean sites``: count the lines that sites repeat, and put counts together."""

from typing import Any

import click

from cleaner.cli.choices import SETTINGS
from cleaner.cli.records import left_out
from cleaner.cli.run import BAD_RECORDS
from cleaner.cli.terminal import say

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


@click.command(context_settings=SETTINGS, help=HELP)
@click.argument("sources", nargs=-1, required=True, metavar="IN...", type=click.Path())
@click.option("-o", "--output", metavar="FILE", required=True, type=click.Path(), help="Database to write.")
@click.option("--merge", is_flag=True, help="Each IN is a database of --partial; add them up.")
@click.option("--partial", is_flag=True, help="Write a database that can be merged; it cannot be used yet.")
@click.option("--key-of", metavar="FILE", type=click.Path(), help="Count with the key of this database of --partial.")
@click.option(
    "-f",
    "--from",
    "given",
    type=click.Choice(("jsonl", "parquet", "warc")),
    default="jsonl",
    show_default=True,
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
    from cleaner.sites.counting import LineCounts
    from cleaner.sites.store import key_of

    if choices["merge"]:
        if choices["key_of"]:
            raise click.UsageError("--merge takes the key of what it merges, so --key-of has no use", ctx)
        with LineCounts(key_of(sources[0])) as counts:
            for source in sources:
                counts.add_file(source)
            counts.write(output, partial=choices["partial"])
        return 0
    from cleaner.ingest.arrow import Request
    from cleaner.ingest.counting import ChunkCounter
    from cleaner.ingest.readers import Limits, Reader
    from cleaner.ingest.records import Position
    from cleaner.ingest.sources import find_sources
    from cleaner.pipeline import Cleaner

    request = Request(choices["text_field"], choices["form"], choices["url_field"])
    found = find_sources(sources, choices["given"], once=True)
    with LineCounts(key_of(choices["key_of"]) if choices["key_of"] else None) as counts:
        cleaner = Cleaner.load(choices["model"])
        counter = ChunkCounter(counts, cleaner, request, choices["date_field"], lambda *bad: say(left_out(*bad)))
        for chunk in Reader(found, Limits(), None, one_schema=False).chunks(Position(), 0):
            counter.add(chunk)
        counts.write(output, partial=choices["partial"])
    if not choices["quiet"]:
        say(f"counted {counter.counted} documents")
        if counter.without_day:
            # A line goes only when it stood there on some days.
            field = choices["date_field"]
            say(f"{counter.without_day} of them have no date in field {field!r}, and count for no day")
    return BAD_RECORDS if counter.refused else 0
