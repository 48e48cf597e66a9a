"""The filter on JSON Lines: records stream through in batches, in order, and what is no document is set aside."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cleaner.cli.output import Sink, sink_for
from cleaner.cli.records import BATCH_DOCUMENTS, BadRecord, Record, batches, json_line, read_records
from cleaner.cli.run import BAD_RECORDS, Run
from cleaner.cli.sources import STDIN, name_of, open_source
from cleaner.cli.terminal import say
from cleaner.errors import CleanerError, InputError

if TYPE_CHECKING:
    from cleaner.document import CleanResult

FIELD = "_clean"


class _Reading:
    """The sources one after the other, and whether any of them could be opened."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.started = False

    def __iter__(self) -> Iterator[Record | BadRecord]:
        for source in self._run.sources:
            try:
                stream = open_source(source)
            except InputError as error:
                self._run.fail(error)
                continue
            with contextlib.nullcontext() if source == STDIN else stream:
                records = read_records(stream, name_of(source), self._run.text_field, self._run.id_field)
                try:
                    yield from records
                    self.started = True
                except OSError as error:
                    self._run.fail(InputError(f"cannot read {name_of(source)}: {error.strerror}"))


def clean_records(run: Run) -> int:
    """Clean every record of every source and return the exit code."""
    reading = _Reading(run)
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(sink_for(run.output))
        errors = stack.enter_context(sink_for(run.errors)) if run.errors else None
        for batch in batches(reading, 1 if run.line_buffered else BATCH_DOCUMENTS):
            for outcome in _cleaned(run, batch):
                if isinstance(outcome, BadRecord):
                    _set_aside(run, outcome, errors)
                else:
                    _deliver(run, *outcome, sink)
            if run.line_buffered:
                sink.flush()
        if reading.started:
            sink.commit()
            if errors is not None:
                errors.commit()
    return run.code


def _cleaned(run: Run, batch: list[Record | BadRecord]) -> "Iterator[tuple[Record, CleanResult] | BadRecord]":
    """Every record of a batch with its result, in order, or as one that could not be cleaned."""
    good = [record for record in batch if isinstance(record, Record)]
    results: Iterator[CleanResult] | None = None
    try:
        texts, sites = [record.text for record in good], [_site(run, record) for record in good]
        results = iter(run.cleaner.clean_batch(texts, sites=sites))
    except CleanerError:
        raise
    except Exception:  # noqa: BLE001 -- one document that breaks the core must not end a job: the batch is taken apart below
        results = None
    for record in batch:
        if isinstance(record, BadRecord):
            yield record
        elif results is not None:
            yield record, next(results)
        else:
            try:
                result = run.cleaner.clean(record.text, site=_site(run, record))
            except Exception as error:  # noqa: BLE001 -- reported with its type, and the record set aside
                reason = f"cleaning failed, please report this: {type(error).__name__}: {error}"
                yield BadRecord(record.source, record.number, record.raw, reason)
            else:
                yield record, result


def _site(run: Run, record: Record) -> str | None:
    """Where a record was published, if it says so."""
    url = record.fields.get(run.url_field)
    return url if isinstance(url, str) else None


def _set_aside(run: Run, record: BadRecord, errors: Sink | None) -> None:
    run.note(BAD_RECORDS)
    if errors is not None:
        errors.write(record.as_json())
    if errors is None or not run.quiet:
        say(record.message())


def _deliver(run: Run, record: Record, result: "CleanResult", sink: Sink) -> None:
    run.warn(record.name, result)
    if run.check and result.text != record.text:
        run.found(record.name)
    if run.diff:
        sink.write(run.difference(record.name, record.text + "\n", result))
    if run.check or run.diff:
        run.account(record.name, result)
        return
    fields = record.fields
    fields[run.text_field] = result.text
    if run.explain:
        from cleaner.cli.account import clean_field

        fields[FIELD] = clean_field(result)
    sink.write(json_line(fields))
