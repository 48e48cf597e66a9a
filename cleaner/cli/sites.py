"""``clean sites``: count the lines that sites repeat, and put counts together."""

import contextlib
import gzip
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click

from cleaner.cli.choices import SETTINGS
from cleaner.cli.records import BadRecord, read_records
from cleaner.cli.run import BAD_RECORDS
from cleaner.cli.sources import STDIN, name_of, open_source
from cleaner.cli.terminal import say
from cleaner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleaner.sites.counting import Document

HELP = """Count the lines that sites repeat, for --site-lines.

\b
  clean sites articles.jsonl.gz -o sites.db
  clean --site-lines sites.db -f jsonl articles.jsonl.gz
  clean sites --partial -o monday.db monday.jsonl
  clean sites --partial --key-of monday.db -o tuesday.db tuesday.jsonl
  clean sites --merge monday.db tuesday.db -o sites.db

Each IN is JSON Lines, plain or gzipped; - is stdin. A record counts for the site of its URL and for the
day that its date begins with. The database holds keyed hashes and counts, no text. Lines of a single
document are left out of it, so what is to be merged has to be counted with --partial, which keeps them.
"""
GZIP = b"\x1f\x8b"


@click.command(context_settings=SETTINGS, help=HELP)
@click.argument("sources", nargs=-1, required=True, metavar="IN...", type=click.Path())
@click.option("-o", "--output", metavar="FILE", required=True, type=click.Path(), help="Database to write.")
@click.option("--merge", is_flag=True, help="Each IN is a database of --partial; add them up.")
@click.option("--partial", is_flag=True, help="Write a database that can be merged; it cannot be used yet.")
@click.option("--key-of", metavar="FILE", type=click.Path(), help="Count with the key of this database of --partial.")
@click.option("--text-field", metavar="NAME", default="text", show_default=True, help="Field that holds the text.")
@click.option("--url-field", metavar="NAME", default="url", show_default=True, help="Field that holds the URL or host.")
@click.option("--date-field", metavar="NAME", default="date", show_default=True, help="Field that holds the date.")
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
    from cleaner.pipeline import Cleaner

    reading = Reading(choices["text_field"], choices["url_field"], choices["date_field"])
    key = key_of(choices["key_of"]) if choices["key_of"] else None
    with LineCounts(key) as counts:
        judge = Cleaner.load(choices["model"]).score_batch
        for source in sources:
            counts.add(reading.documents(source), judge)
        counts.write(output, partial=choices["partial"])
    if not choices["quiet"]:
        reading.report()
    return BAD_RECORDS if reading.bad else 0


class Reading:
    """Documents out of JSON Lines, and what was met on the way."""

    def __init__(self, text_field: str, url_field: str, date_field: str) -> None:
        """Remember which fields hold what."""
        self._text_field, self._url_field, self._date_field = text_field, url_field, date_field
        self.counted = self.bad = self.without_day = 0

    def documents(self, source: str) -> "Iterator[Document]":
        """The documents of a source that have a text and a site; the others are reported."""
        from cleaner.sites.arrow import day_of
        from cleaner.sites.counting import Document
        from cleaner.sites.fingerprints import site_of

        name = name_of(source)
        with contextlib.nullcontext() if source == STDIN else open_source(source) as opened:
            stream = unzipped(opened or open_source(source))
            try:
                for record in read_records(stream, name, self._text_field, self._url_field):
                    if isinstance(record, BadRecord):
                        self._set_aside(record.message())
                        continue
                    url = record.fields.get(self._url_field)
                    site = site_of(url) if isinstance(url, str) else None
                    if site is None:
                        self._set_aside(f"{name}:{record.number}: no site in field {self._url_field!r}; not counted")
                        continue
                    day = day_of(record.fields.get(self._date_field))
                    self.counted += 1
                    self.without_day += day is None
                    yield Document(site, day, record.text)
            except (OSError, EOFError) as error:
                raise InputError(f"cannot read {name}: {error}") from error

    def _set_aside(self, message: str) -> None:
        self.bad += 1
        say(message)

    def report(self) -> None:
        """Say how much was counted, and when dates are missing, because a line goes only when it stood on some days."""
        say(f"counted {self.counted} documents")
        if self.without_day:
            say(f"{self.without_day} of them have no date in field {self._date_field!r}, and count for no day")


def unzipped(stream: BinaryIO) -> BinaryIO:
    """A stream, or what was gzipped in it, as its first bytes tell."""
    peek: Callable[[int], bytes] = getattr(stream, "peek", lambda _: b"")
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream)) if peek(len(GZIP)).startswith(GZIP) else stream
