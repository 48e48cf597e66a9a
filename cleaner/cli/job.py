"""``clean job``: many documents, from files to a folder of shards; survives interruptions."""

import os
import re
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from cleaner.cli.choices import SETTINGS, cleaning_options, options_from
from cleaner.cli.progress import reporter
from cleaner.cli.terminal import say
from cleaner.errors import InputError

if TYPE_CHECKING:
    from cleaner.ingest.job import Job

BAD_RECORDS = 3
_STDERR = 2
HELP = """Clean many documents, from files to a folder.

\b
  clean job articles/*.jsonl.gz -o cleaned             JSON Lines, into shards of JSON Lines
  clean job crawl.warc.gz -o cleaned -t parquet        the pages of a crawl, into Parquet
  clean job in.parquet -o out -t parquet -j 8          all other columns stay as they are
  clean job pages/ -o texts -t text                    a folder of pages, into texts
  clean job in/ -o out --tell kinds,quality --resume   go on after an interruption
  clean job s3://bucket/in -o s3://bucket/out          from and to any place that fsspec knows

Inputs are files, folders, patterns and URLs of JSON Lines (.jsonl, .ndjson, .json), Parquet, WARC,
texts and pages; all but Parquet may end in .gz, .bz2, .xz or .zst. Needs article-cleaner[jobs], for
URLs article-cleaner[remote].

OUT gets shards (part-00000.jsonl …), what could not be used with its reason and its bytes
(_errors.jsonl), and an account (_summary.json, _summary.html). Every document is in a shard or among
the errors.
"""
EPILOG = """\b
Exit codes: 0 done; 2 usage, or not the job to resume; 3 done, some documents are among the errors;
4 an input cannot be read (on), or too many errors; 5 model missing or damaged; 6 output not written
or in use; 130 interrupted, --resume goes on.
"""


@click.command(context_settings=SETTINGS, help=HELP, epilog=EPILOG)
@click.argument("inputs", nargs=-1, required=True, metavar="IN...", type=click.Path())
@click.option(
    "-o", "--output", metavar="OUT", required=True, type=click.Path(), help="Folder for the shards, or its URL."
)
@click.option(
    "-f",
    "--from",
    "given",
    type=click.Choice(("jsonl", "parquet", "warc", "file")),
    help="Format of inputs whose names do not tell it.",
)
@click.option(
    "-t",
    "--to",
    type=click.Choice(("jsonl", "parquet", "warc", "text")),
    default="jsonl",
    show_default=True,
    help="Format of the shards; text is a folder of files, warc are records of type conversion.",
)
@click.option(
    "--compress", type=click.Choice(("gz", "bz2", "xz", "zst")), help="Compress the shards (jsonl; warc with gz)."
)
@click.option(
    "--form",
    "documents_form",  # the key "from" of the configuration says what the filter reads, and is called form there
    type=click.Choice(("auto", "text", "html")),
    default="auto",
    show_default=True,
    help="Whether documents are texts or pages; auto looks at each. Those of WARC are pages.",
)
@click.option("--text-field", metavar="NAME", default="text", show_default=True, help="Field or column to clean.")
@click.option("--site-lines", metavar="FILE", type=click.Path(), help="What clean sites counted: judge by it as well.")
@click.option("--url-field", metavar="NAME", default="url", show_default=True, help="Where the document came from.")
@click.option(
    "--tell",
    metavar="WHAT,…",
    multiple=True,
    help="Tell more of each document, in fields clean_…: kinds (lines removed of each), quality, flags, metadata, "
    "removed (the lines themselves).",
)
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes that clean.")
@click.option("--ordered/--unordered", default=True, help="Keep the order of documents within a shard (the default).")
@click.option("--resume", is_flag=True, help="Go on with an interrupted job; the result is that of an unbroken one.")
@click.option("--errors", metavar="FILE", type=click.Path(), help="Put what cannot be used here; a URL, too.")
@click.option("--max-errors", metavar="N|N%", help="Stop when more documents than this cannot be used.")
@click.option(
    "--limit-bytes",
    metavar="SIZE",
    default="20MB",
    show_default=True,
    help="Set longer documents aside, without ever holding one whole.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(0.1, 86_400),
    default=30.0,
    show_default=True,
    help="Set documents aside that take longer than this to clean.",
)
@click.option(
    "--shard-documents", metavar="N", type=click.IntRange(1), default=50_000, show_default=True,
    help="Documents of a shard, which holds up to 255 more; an interruption loses the work of one shard at most.",
)  # fmt: skip
@click.option(
    "--progress",
    type=click.Choice(("auto", "always", "never")),
    default="auto",
    show_default=True,
    help="A running line on stderr at a terminal; elsewhere a line every half minute.",
)
@cleaning_options
@click.pass_context
def command(ctx: click.Context, /, resume: bool, progress: str, quiet: bool, **_: object) -> int:
    _open_standard_streams()
    job = _job(ctx)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with reporter(progress, sys.stderr) as report:
            summary = job.run(resume=resume, progress=report)
    except KeyboardInterrupt:
        say(f"interrupted; what is whole stays in {job.output}, and --resume goes on")
        raise
    return _finish(summary, job, quiet)


def _open_standard_streams() -> None:
    """Put something behind the first three descriptors, or a shard takes one and gets what others say there."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _job(ctx: click.Context) -> "Job":
    from cleaner.ingest.arrow import Request
    from cleaner.ingest.encode import Target
    from cleaner.ingest.job import Job
    from cleaner.ingest.readers import Limits

    choices = ctx.params
    extras = tuple(name.strip() for names in choices["tell"] for name in names.split(",") if name.strip())
    return Job(
        inputs=choices["inputs"],
        output=choices["output"],
        target=Target(choices["to"], choices["compress"] or ""),
        request=Request(choices["text_field"], choices["documents_form"], choices["url_field"], extras=extras),
        options=options_from(ctx),
        bundle=choices["model"],
        site_lines=choices["site_lines"],
        workers=choices["jobs"],
        limits=Limits(size_of(choices["limit_bytes"]), choices["shard_documents"]),
        seconds=choices["timeout"],
        ordered=choices["ordered"],
        errors=choices["errors"],
        most_errors=most_errors_of(choices["max_errors"]),
        given=choices["given"],
    )


def _finish(summary: dict[str, Any], job: "Job", quiet: bool) -> int:
    tally, torn = summary["tally"], summary["job"]["torn"]
    for name in torn:
        say(f"{name} could not be read to its end; see the errors")
    if not quiet:
        counts = f"{tally['documents']} documents cleaned, {tally['errors']} set aside"
        say(f"{counts}; the account: {job.output}/_summary.html")
    if torn:
        return InputError.exit_code
    return BAD_RECORDS if tally["errors"] else 0


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


_LONGEST_NUMBER = 18
_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(KB|MB|GB|)", re.ASCII | re.IGNORECASE)
_MOST_ERRORS = re.compile(r"(\d+)|(\d{1,2}(?:\.\d+)?)%", re.ASCII)


def size_of(said: str) -> int:
    """A number of bytes, as people write it.

    >>> size_of("20MB"), size_of("512")
    (20000000, 512)
    """
    found = _SIZE.fullmatch(said.strip())
    size = int(float(found[1]) * _UNITS[found[2].upper()]) if found and len(said) < _LONGEST_NUMBER else 0
    if size < 1:
        raise click.UsageError(f"--limit-bytes takes a size like 512, 300KB or 20MB, not {said!r}")
    return size


def most_errors_of(said: str | None) -> float | None:
    """How many documents may be bad: a number, or a share of all.

    >>> most_errors_of("100"), most_errors_of("2%"), most_errors_of(None)
    (100.0, 0.02, None)
    """
    if said is None:
        return None
    found = _MOST_ERRORS.fullmatch(said.strip())
    if found is None or len(said) > _LONGEST_NUMBER:
        raise click.UsageError(f"--max-errors takes a number like 100, or a share like 2%, not {said!r}")
    return float(found[1]) if found[1] else float(found[2]) / 100
