"""The filter on texts and pages: one article a file, written as text, JSON or Markdown."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleaner.cli.output import sink_for
from cleaner.cli.pages import clean_page, front_matter, is_page, metadata_of
from cleaner.cli.sources import form_of, name_of, read_source
from cleaner.errors import InputError, OptionError

if TYPE_CHECKING:
    from cleaner.cli.run import Run
    from cleaner.document import CleanResult
    from cleaner.pipeline import Cleaner

NO_COMPARISON = "it is a page, and --diff and --check compare texts; say -f text to compare the file as it is"


@dataclass(frozen=True, slots=True)
class Document:
    """What one source holds: a text or a page."""

    name: str
    data: bytes
    is_page: bool

    def cleaned(self, cleaner: "Cleaner", url: str | None = None) -> "CleanResult":
        """The document without its boilerplate; ``url`` is where it came from."""
        return clean_page(cleaner, self.data, url) if self.is_page else cleaner.clean(self.data, site=url)


def read_document(source: str, asked: str) -> Document:
    """Read a source, in the form that was asked for, or that its suffix or its bytes tell; or raise `InputError`."""
    form, data = form_of(source, asked), read_source(source)
    return Document(name_of(source), data, is_page(data) if form == "auto" else form == "html")


def clean_documents(run: "Run") -> int:
    """Clean every source and return the exit code. Between two texts stands an empty line, after the last one none."""
    wrote = read = False
    with sink_for(run.output) as sink:
        for source in run.sources:
            try:
                document = _readable(run, source)
            except (InputError, OptionError) as error:
                run.fail(error)
                continue
            read = True
            name, data, result = document.name, document.data, document.cleaned(run.cleaner, run.url)
            output = _written(run, name, result)
            if run.check and output != data:
                run.found(name)
            if run.diff:
                sink.write(run.difference(name, data.decode("utf-8", "replace"), result))
            elif output and not run.check:
                sink.write(b"\n" + output if wrote and run.to != "json" else output)
                wrote = True
            if run.explain:
                sink.flush()
            run.warn(name, result)
            run.account(name, result)
        if read:
            # With nothing read, an output file from an earlier call is worth more than an empty one.
            sink.commit()
    return run.code


def _readable(run: "Run", source: str) -> Document:
    document = read_document(source, run.form)
    if document.is_page and (run.diff or run.check):
        raise OptionError(f"{document.name}: {NO_COMPARISON}")
    return document


def _written(run: "Run", name: str, result: "CleanResult") -> bytes:
    """A document in the form that was asked for; nothing when nothing is left of it, unless it is an object of JSON."""
    metadata = metadata_of(result) if run.metadata and result.origin is not None else None
    if run.to == "json":
        from cleaner.cli.account import as_json

        return as_json(name, result, metadata).encode()
    text = result.markdown if run.to == "markdown" else result.text
    return text_as_bytes(front_matter(metadata) + text if text and metadata else text)


def text_as_bytes(text: str) -> bytes:
    """A cleaned text as it leaves: in UTF-8, with one newline at its end unless it is empty."""
    return (text + "\n").encode("utf-8", "replace") if text else b""
