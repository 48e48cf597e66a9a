"""The filter on plain text: one article a file."""

from typing import TYPE_CHECKING

from cleaner.cli.output import sink_for
from cleaner.cli.sources import name_of, read_source
from cleaner.errors import InputError

if TYPE_CHECKING:
    from cleaner.cli.run import Run


def clean_texts(run: "Run") -> int:
    """Clean every source and return the exit code. Between two texts stands an empty line, after the last one none."""
    wrote = read = False
    with sink_for(run.output) as sink:
        for source in run.sources:
            try:
                data = read_source(source)
            except InputError as error:
                run.fail(error)
                continue
            read = True
            name, result = name_of(source), run.cleaner.clean(data)
            output = text_as_bytes(result.text)
            if run.check and output != data:
                run.found(name)
            if run.diff:
                sink.write(run.difference(name, data.decode("utf-8", "replace"), result))
            elif output and not run.check:
                sink.write(b"\n" + output if wrote else output)
                wrote = True
            if run.explain:
                sink.flush()
            run.warn(name, result)
            run.account(name, result)
        if read:
            # With nothing read, an output file from an earlier call is worth more than an empty one.
            sink.commit()
    return run.code


def text_as_bytes(text: str) -> bytes:
    """A cleaned text as it leaves: in UTF-8, with one newline at its end unless it is empty."""
    return (text + "\n").encode("utf-8", "replace") if text else b""
