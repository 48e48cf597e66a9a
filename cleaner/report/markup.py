"""The few pieces of HTML that a report is made of: sections, tables, bars, histograms, and the page around them.

A page needs nothing but itself: no script, no request, charts as SVG. What is not ``Markup`` is shown as text, so that
nothing from a document can ever act as markup. What the pieces show is the business of ``page``.
"""

import html
import json
from base64 import b64encode
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import accumulate, pairwise

NONE = "–"

# Of a longer list of facts, such as the inputs of a job, only the first are shown.
MOST_PARTS = 20


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def to_html(value: object) -> str:
    r"""Anything as HTML: numbers with separators, text escaped and its invisible characters written out.

    >>> to_html(1234567), to_html(None), to_html("<b>\u202e&")
    ('1,234,567', '–', '&lt;b&gt;<i>U+202E</i>&amp;')
    """
    if isinstance(value, Markup):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    text = NONE if value is None else str(value)
    if text.isprintable():
        return html.escape(text)
    return "".join(html.escape(char) if _is_visible(char) else f"<i>U+{ord(char):04X}</i>" for char in text)


def _is_visible(char: str) -> bool:
    """Whether a character may stand as it is; the joiners may, because Persian, Hindi and emoji need them."""
    return char.isprintable() or char in "\u200c\u200d"


def joined(*parts: str) -> Markup:
    """Some markup, a line each."""
    return Markup("\n".join(parts))


def section(title: str, *parts: Markup) -> Markup:
    """Some parts below a heading."""
    return joined("<section>", f"<h2>{to_html(title)}</h2>", *parts, "</section>")


def definitions(facts: Mapping[str, object]) -> Markup:
    """Facts with their names; a fact may have parts."""
    rows = (f"<div><dt>{to_html(name)}</dt><dd>{_fact(value)}</dd></div>" for name, value in facts.items())
    return joined("<dl>", *rows, "</dl>")


def _fact(value: object) -> str:
    match value:
        case list() | dict() | "" if not value:
            return to_html(None)
        case list():
            parts = [to_html(part) for part in value[:MOST_PARTS]]
            parts += [f"and {to_html(len(value) - MOST_PARTS)} more"] if len(value) > MOST_PARTS else []
        case dict():
            parts = [f"{to_html(name)}: {to_html(_plain(part))}" for name, part in value.items()]
        case _:
            return to_html(value)
    return f"<ul>{''.join(f'<li>{part}</li>' for part in parts)}</ul>"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def table(caption: str, head: Mapping[str, str], rows: Iterable[Sequence[object]]) -> Markup:
    """A table whose rows are named by their first cell; ``head`` has the name and the CSS class of each column."""
    classes = [f' class="{css}"' if css else "" for css in head.values()]
    names = [
        f'<th scope="col"{css}>{to_html(name)}</th>' if name else "<td></td>"
        for name, css in zip(head, classes, strict=True)
    ]
    body = [_row(row, classes) for row in rows]
    if not body:
        return Markup(f'<p class="note">{to_html(caption)}: none.</p>')
    return joined(
        f"<table><caption>{to_html(caption)}</caption>",
        f"<thead><tr>{''.join(names)}</tr></thead>",
        *("<tbody>", *body, "</tbody></table>"),
    )


def _row(row: Sequence[object], classes: Sequence[str]) -> str:
    cells = [f"<td{css}>{to_html(cell)}</td>" for cell, css in zip(row[1:], classes[1:], strict=True)]
    return f'<tr><th scope="row"{classes[0]}>{to_html(row[0])}</th>{"".join(cells)}</tr>'


def bars(
    caption: str,
    names: tuple[str, str],
    counts: Mapping[str, int],
    whole: int,
    meanings: Mapping[str, str] | None = None,
) -> Markup:
    """A table of counts with a bar in each row, the longest first; shares are those of ``whole``."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    head = {names[0]: "", "": "bar", names[1]: "number", "share": "number"}
    rows = [
        (_named(name, meanings or {}), _bar(count, ordered[0][1]), count, share(count, whole))
        for name, count in ordered
    ]
    return table(caption, head, rows)


def _named(name: str, meanings: Mapping[str, str]) -> Markup:
    return Markup(to_html(name) + (f"<small>{to_html(meanings[name])}</small>" if name in meanings else ""))


def _bar(count: int, largest: int) -> Markup:
    width = 100 * count / (largest or 1)
    return Markup(
        '<svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{width:.2f}" height="1"/></svg>'
    )


def histogram(caption: str, bins: Sequence[int], form: str, end: int) -> Markup:
    """Documents by a number from 0 to ``end``, which is written in that form.

    Bars side by side, what they say as a sentence, and their numbers in a table that can be opened.
    """
    whole, largest = sum(bins), max(bins)
    if not whole:
        return Markup(f'<p class="note">{to_html(caption)}: none.</p>')
    edges = [form.format(end * edge / len(bins)) for edge in range(len(bins) + 1)]
    spans = [f"{low} – {high}" for low, high in pairwise(edges)]
    median = bisect_left(list(accumulate(bins)), (whole + 1) // 2)
    fullest = bins.index(largest)
    said = to_html(
        f"The median lies in {spans[median]}. "
        f"The fullest bin is {spans[fullest]}, with {largest:,} of {whole:,} documents."
    )
    ticks = (f"<span>{to_html(edge)}</span>" for edge in edges[:: len(bins) // 4])
    return joined(
        f"<figure><figcaption>{to_html(caption)}<small>{said}</small></figcaption>",
        f'<svg viewBox="0 0 {10 * len(bins)} 100" preserveAspectRatio="none" role="img"',
        f'aria-label="Histogram. {said}">',
        *(_column(place, count, largest, span) for place, (count, span) in enumerate(zip(bins, spans, strict=True))),
        f'</svg><p class="axis" aria-hidden="true">{"".join(ticks)}</p>',
        "<details><summary>Numbers</summary>",
        table(caption, {"Bin": "", "documents": "number"}, zip(spans, bins, strict=True)),
        "</details></figure>",
    )


def _column(place: int, count: int, largest: int, span: str) -> str:
    """One bar of a histogram; a low one can still be seen."""
    height = max(100 * count / largest, 1) if count else 0
    return (
        f'<rect x="{10 * place + 0.5}" y="{100 - height:.2f}" width="9" height="{height:.2f}">'
        f"<title>{to_html(span)}: {to_html(count)}</title></rect>"
    )


def share(part: int, whole: int) -> str:
    """A part of a whole in percent."""
    return f"{100 * part / whole:.1f} %" if whole else NONE


def whole_page(title: str, lead: Markup, *sections: Markup) -> str:
    """A page of its own."""
    return _PAGE.format(policy=_POLICY, style=_STYLE, title=to_html(title), lead=lead, body=joined(*sections))


_STYLE = """
:root { color-scheme: light dark; --ground: #fcfcfa; --ink: #1c2228; --soft: #59636d; --rule: #dde1e4; --bar: #2f74c0 }
@media (prefers-color-scheme: dark) {
  :root { --ground: #15191d; --ink: #e4e7ea; --soft: #9ba6b0; --rule: #333a41; --bar: #64a5ea }
}
* { box-sizing: border-box }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 54rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word;
}
h1 { margin: 0; font-size: 1.6rem; line-height: 1.2 }
h2 { margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--rule); font-size: 1.2rem }
p { margin: .5rem 0 }
small, .note, header p, dt, .axis, summary { color: var(--soft); font-size: .875rem }
small { display: block; font-weight: 400 }
.equation { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; margin: 0 0 1.25rem }
.equation b { font-size: 1.6rem; font-variant-numeric: tabular-nums }
dl { margin: 0 }
dl div {
  display: grid; grid-template-columns: 16rem 1fr; gap: 0 1rem; padding: .3rem 0; border-bottom: 1px solid var(--rule);
}
dd { margin: 0 }
dd, .text { overflow-wrap: anywhere }
section { overflow-x: auto }
ul { margin: 0; padding: 0; list-style: none }
table { width: 100%; margin: 1.5rem 0 .5rem; border-collapse: collapse }
caption, figcaption { padding-bottom: .4rem; text-align: left; font-weight: 600 }
th, td { padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top }
th { font-weight: 400 }
thead th { color: var(--soft); font-size: .875rem; vertical-align: bottom }
.number {
  padding-right: 0; padding-left: .75rem; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums;
}
td.bar { width: 40% }
svg { display: block; width: 100%; fill: var(--bar) }
.bar svg { height: .8rem; margin-top: .35rem }
figure { margin: 1.5rem 0 2rem }
figure > svg { height: 9rem; border-bottom: 1px solid var(--soft) }
.axis { display: flex; justify-content: space-between; margin: .25rem 0 }
bdi { display: block; contain: paint }
i {
  padding: 0 .2em; border: 1px solid var(--rule); border-radius: .2em; color: var(--soft); font-size: .8em;
  font-style: normal;
}
@media (min-width: 34rem) {
  .number { min-width: 7rem }
}
@media (max-width: 34rem) {
  dl div { grid-template-columns: 1fr }
  td.bar { width: 20% }
}
@media print {
  :root { color-scheme: light; --ground: #fff; --ink: #000; --soft: #444; --rule: #bbb; --bar: #2f74c0 }
  section { overflow: visible }
  body { max-width: none; padding: 0; font-size: 10pt }
  h2, caption, thead { break-after: avoid }
  tr, figure { break-inside: avoid }
  svg { print-color-adjust: exact }
  details { display: none }
}
"""

# Should anything ever slip through as markup, it may neither run nor load anything.
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
)

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{lead}</p>
</header>
<main>
{body}
</main>
</body>
</html>
"""
