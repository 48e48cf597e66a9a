"""The summary of a job: what it says as JSON, and as a page for people.

The numbers are those of the ``Tally``; the pieces of the page, and that nothing of a document becomes markup, are the
business of ``markup``.
"""

from collections.abc import Mapping
from typing import Any

from cleaner.document import Flag, Reason
from cleaner.report.markup import (
    NONE,
    Markup,
    bars,
    definitions,
    histogram,
    joined,
    section,
    share,
    table,
    to_html,
    whole_page,
)
from cleaner.report.tally import MOST, SECOND, Tally

# Raised by one when a field of the JSON form changes its meaning or goes away. New fields do not raise it.
SUMMARY_VERSION = 1

_THOUSAND, _MINUTE, _HOUR = 1000, 60, 3600

# Facts of a job in the order in which they are shown; others follow under their own names.
_LABELS = {
    "inputs": "Inputs",
    "output": "Output",
    "options": "Options",
    "model": "Model",
    "versions": "Versions",
    "started": "Started",
    "finished": "Finished",
    "seconds": "Took",
    "workers": "Workers",
    "resumed": "Shards of an earlier run",
}

# Why a document should not be trusted blindly, and who had the last word on a line.
FLAG_MEANINGS: dict[str, str] = {
    Flag.NOTHING_LEFT: "Every line looked like boilerplate.",
    Flag.OVER_BUDGET: "More would have gone than was allowed, so the text stayed whole.",
    Flag.UNDECODABLE_BYTES: "Some bytes are no text; they were replaced by U+FFFD.",
    Flag.NO_ARTICLE: "No article was found in the page.",
    Flag.FROM_JSON_LD: "The text comes from the data of the page (JSON-LD).",
    Flag.FROM_SCRIPT: "The text comes from a script of the page.",
    Flag.MARKUP_CUT: "The markup is nested too deeply; the page was read without its tags.",
}
REASON_MEANINGS: dict[str, str] = {
    Reason.MODEL: "the score of the line",
    Reason.LEXICON: "a phrase that is certain anywhere",
    Reason.CONTEXT: "the lines around it",
    Reason.SITE: "it stands on many pages of its site",
    Reason.CALLER: "an option of the job",
    Reason.BUDGET: "the share that may go",
}


def summary_of(job: Mapping[str, Any], tally: Tally) -> dict[str, Any]:
    """The summary of a job as plain JSON types: the facts about it, and what happened to its documents."""
    return {"version": SUMMARY_VERSION, "job": dict(job), "tally": tally.as_dict()}


def summary_page(summary: Mapping[str, Any]) -> str:
    """The summary as one HTML page.

    >>> page = summary_page(summary_of({"output": "<b>clean</b>"}, Tally()))
    >>> "&lt;b&gt;clean&lt;/b&gt;" in page, "<b>clean" in page
    (True, False)
    """
    job, tally = summary["job"], summary["tally"]
    sections = (
        section("Documents", _equation(tally), _pace(job, tally)),
        section("In and out", _in_and_out(tally)),
        section("What was removed", _removed(tally)),
        section("How far to trust it", _trust(tally)),
        section("What stands out", _standing_out(tally)),
        section("Errors", _errors(tally)),
        section("The job", _facts(job)),
    )
    return whole_page("Summary of a cleaning job", Markup(f"Finished {to_html(job.get('finished'))}"), *sections)


def _equation(tally: Mapping[str, Any]) -> Markup:
    """Nothing vanishes: whatever came in went out, or is an error."""
    terms = ("in", tally["documents"] + tally["errors"]), ("out", tally["documents"]), ("errors", tally["errors"])
    came, went, failed = (f"<span><b>{to_html(count)}</b> {name}</span>" for name, count in terms)
    return Markup(f'<p class="equation">{came} <span>=</span> {went} <span>+</span> {failed}</p>')


def _pace(job: Mapping[str, Any], tally: Mapping[str, Any]) -> Markup:
    documents, busy = tally["documents"], tally["microseconds"] / SECOND
    # What an earlier run did stands in the tally, but not in the time of this one.
    seconds = 0 if job.get("resumed") else job.get("seconds") or 0
    facts = {
        "Documents a second": _per(documents + tally["errors"], seconds),
        "Text a second": _size(tally["bytes_in"] / seconds) if seconds else NONE,
        "Cleaning a document, on average": f"{busy / documents * 1000:,.2f} ms" if documents else NONE,
        "Cleaning, all workers together": _duration(busy),
    }
    return definitions(facts)


def _in_and_out(tally: Mapping[str, Any]) -> Markup:
    rows = []
    for unit in ("lines", "bytes"):
        came, went = tally[f"{unit}_in"], tally[f"{unit}_out"]
        rows.append((unit.capitalize(), came, went, came - went, share(came - went, came)))
    head = {"": "", "in": "number", "out": "number", "less": "number", "share": "number"}
    note = f"Cut or mended inside lines that stayed: {to_html(tally['trims'])} trims. Blank lines are not counted."
    return joined(table("Lines and bytes before and after", head, rows), f'<p class="note">{note}</p>')


def _removed(tally: Mapping[str, Any]) -> Markup:
    whole = tally["lines_in"] - tally["lines_out"]
    return joined(
        bars("Lines removed by kind", ("Kind", "lines"), tally["removed_by_kind"], whole),
        bars("Lines removed by reason", ("Reason", "lines"), tally["removed_by_reason"], whole, REASON_MEANINGS),
    )


def _trust(tally: Mapping[str, Any]) -> Markup:
    note = (
        "Quality estimates how likely the text that is left is clean and whole. "
        "What was removed of a document is measured in code points."
    )
    return joined(
        f'<p class="note">{note}</p>',
        histogram("Quality of the documents", tally["quality"], "{:.2f}", 1),
        histogram("Share of each document that was removed", tally["removed_share"], "{:.0f} %", 100),
        bars("Documents by flag", ("Flag", "documents"), tally["flags"], tally["documents"], FLAG_MEANINGS),
    )


def _standing_out(tally: Mapping[str, Any]) -> Markup:
    lines = tally["frequent_lines"]
    missed = lines["missed"]
    note = (
        f"Counts are lower bounds: each may be up to {to_html(missed)} too low." if missed else "All counts are exact."
    )
    texts = [(_line(row["text"]), row["kind"], row["count"]) for row in lines["rows"][:MOST]]
    slowest = [(_line(row["name"]), f"{row['seconds']:,.3f}") for row in tally["slowest"]]
    doubtful = [(_line(row["name"]), f"{row['quality']:.2f}") for row in tally["least_trusted"]]
    return joined(
        table("Lines removed most often", {"Line": "text", "Kind": "", "times": "number"}, texts),
        f'<p class="note">{note}</p>' if texts else "",
        table("Documents trusted least", {"Document": "text", "quality": "number"}, doubtful),
        table("Documents that took longest", {"Document": "text", "seconds": "number"}, slowest),
    )


def _errors(tally: Mapping[str, Any]) -> Markup:
    rows = [(_line(row["reason"]), row["count"]) for row in tally["errors_by_reason"]["rows"][:MOST]]
    rest = tally["errors"] - sum(count for _, count in rows)
    return table("Errors by reason", {"Reason": "text", "documents": "number"}, rows + [("others", rest)] * (rest > 0))


def _facts(job: Mapping[str, Any]) -> Markup:
    """What the job says of itself; also what this version has no label for."""
    known = dict.fromkeys(_LABELS) | dict(job)
    if known["seconds"] is not None:
        known["seconds"] = _duration(known["seconds"])
    return definitions({_LABELS.get(name, name): value for name, value in known.items()})


def _line(text: str) -> Markup:
    """A line of a document, or its name, apart from the direction of the text around it."""
    return Markup(f"<bdi>{to_html(text)}</bdi>" if text else "<small>(nothing visible)</small>")


def _per(count: float, seconds: float) -> str:
    return f"{count / seconds:,.1f}" if seconds else NONE


def _size(count: float) -> str:
    """A number of bytes for people.

    >>> _size(999), _size(123_456_789)
    ('999.0 B', '123.5 MB')
    """
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while count >= _THOUSAND and (larger := next(units, None)):
        count, unit = count / _THOUSAND, larger
    return f"{count:,.1f} {unit}"


def _duration(seconds: float) -> str:
    """A time for people.

    >>> _duration(7.25), _duration(93_784)
    ('7.2 s', '26 h 03 min 04 s')
    """
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    hours, rest = divmod(round(seconds), _HOUR)
    return f"{hours:,} h {rest // _MINUTE:02} min {rest % _MINUTE:02} s"
