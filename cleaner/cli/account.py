"""What happened to a document, in words and as JSON: removed lines, trims, verdicts, warnings."""

import json
from typing import TYPE_CHECKING, Any

from cleaner.cli.terminal import escape, escape_json, paint
from cleaner.document import CleanResult, Flag, Line, Metadata

if TYPE_CHECKING:
    from collections.abc import Iterator


def removals(name: str, result: CleanResult, colored: bool) -> str:
    """The removed lines and the trims of a document, below a heading that counts them."""
    trims = sum(len(line.trims) for line in result.lines if line.kept)
    counted = f"{len(result.removed)} of {_count(len(result.lines), _unit(result))} removed, {_count(trims, 'trim')}"
    rows = [paint(f"{escape(name)}: {counted}", "bold", colored)]
    for line in result.lines:
        if not line.kept:
            rows.append(_row(line, "remove", colored))
        else:
            rows.extend(_trims(line, colored))
    return "\n".join(rows) + "\n"


def verdicts(name: str, result: CleanResult, colored: bool) -> str:
    """Every line of a document with its verdict, kind, score and reason, and the trims below the line that they cut."""
    flags = f"; flags: {', '.join(result.flags)}" if result.flags else ""
    removed = f"{len(result.removed)} of {_count(len(result.lines), _unit(result))} removed"
    counted = f"{removed}; quality {result.quality:.2f}{flags}"
    rows = [paint(f"{escape(name)}: {counted}", "bold", colored), paint(_columns(result), "dim", colored)]
    for line in result.lines:
        rows.append(_row(line, "keep" if line.kept else "remove", colored))
        rows.extend(_trims(line, colored))
    return "\n".join(rows) + "\n"


def as_json(name: str, result: CleanResult, metadata: Metadata | None = None) -> str:
    """The whole result as one line of JSON that is safe on a terminal, with its metadata if there are any."""
    account = {"name": name, **result.as_dict()} | ({"metadata": metadata.as_dict()} if metadata else {})
    return escape_json(json.dumps(account, ensure_ascii=False)) + "\n"


def clean_field(result: CleanResult) -> dict[str, Any]:
    """The result as a field of a record, whose text stands in another field already."""
    account = result.as_dict()
    del account["text"]
    return account


def warnings(result: CleanResult) -> "Iterator[str]":
    """Why not to trust the document blindly, one sentence a flag."""
    for flag in result.flags:
        match flag:
            case Flag.NOTHING_LEFT if result.text:
                yield "every line looks like boilerplate; nothing would be left, so the text stays whole"
            case Flag.NOTHING_LEFT:
                yield "every line is boilerplate; nothing is left"
            case Flag.OVER_BUDGET:
                yield "more words would go than --max-removed-share allows, so the text stays whole"
            case Flag.UNDECODABLE_BYTES:
                encoding = "UTF-8" if result.origin is None else "the encoding of the page"
                yield f"some bytes are not text in {encoding}; they were replaced by U+FFFD"
            case Flag.NO_ARTICLE:
                yield "no article was found in the page" + ("" if result.text else "; nothing is left")
            case Flag.FROM_SCRIPT:
                yield "the text comes from a script of the page, not from what the page shows without it"
            case Flag.FROM_JSON_LD:
                yield "the text comes from the data of the page (JSON-LD), not from what the page shows"
            case Flag.MARKUP_CUT:
                yield "the markup is nested too deeply to be followed; the page was read without its tags"


def _unit(result: CleanResult) -> str:
    return "line" if result.origin is None else "block"


def _columns(result: CleanResult) -> str:
    path = "" if result.origin is None else "path  "
    return f"{_unit(result):>6}  {'verdict':7}  {'kind':12}  {'score':>5}  {'reason':8}  {path}text"


def _row(line: Line, verdict: str, colored: bool) -> str:
    kind = paint(f"{line.kind.value:12}", "cyan", colored)
    verdict = paint(f"{verdict:7}", "green" if line.kept else "red", colored)
    path = f"{paint(escape(line.path), 'dim', colored)}  " if line.path else ""
    text = escape(line.text or line.raw)
    return f"{line.index + 1:6}  {verdict}  {kind}  {line.score:5.2f}  {line.reason.value:8}  {path}{text}"


def _trims(line: Line, colored: bool) -> "Iterator[str]":
    for trim in line.trims:
        verb = paint(f"{'trim':7}", "yellow", colored)
        kind = paint(f"{trim.kind.value:12}", "cyan", colored)
        change = f"[{escape(trim.text)}]" + (f" -> [{escape(trim.replacement)}]" if trim.replacement else "")
        if not trim.text:
            change = f"lost space put back at character {trim.start + 1}"
        yield f"{line.index + 1:6}  {verb}  {kind}  {'':5}  {'':8}  {change}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
