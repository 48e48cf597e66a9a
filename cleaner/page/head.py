"""What the head of a page, and the data in it, say about the article: its titles, its summary, sometimes all of it.

Publishers describe their articles in JSON-LD (schema.org), and some put the whole text there as ``articleBody``. What
this is worth as evidence is left to ``evidence``.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from html import unescape
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lxml.etree import _Element

_TITLES = frozenset({"og:title", "twitter:title"})
_SUMMARIES = frozenset({"description", "og:description", "twitter:description"})
_JSON_LD = "application/ld+json"
_BODY = "articleBody"
# A body of fewer code points is a teaser.
LEAST_BODY = 200
# Deeper nesting than this is made by hand.
_DEEPEST = 64

_TAG = re.compile(r"<[^<>]{1,2000}>")
# A string that does not end runs to the end of its script, so that it is not tried again from each mark inside.
_LONG_STRING = re.compile(rf'"(?:[^"\\]|\\.){{{LEAST_BODY},}}+(?:"|\Z)', re.DOTALL)
_PARAGRAPH = re.compile(r"(?:<|\\u003[cC])p\b")


class Head(NamedTuple):
    """``titles`` and ``summaries`` as the page gives them, and the ``bodies`` of articles in its JSON-LD, as text."""

    titles: list[str]
    summaries: list[str]
    bodies: list[str]


def read_head(root: "_Element") -> Head:
    """Read the titles, summaries and bodies of a page."""
    # Pictures have titles, too.
    titles = [title.text for title in root.iter("title") if next(title.iterancestors("svg"), None) is None]
    summaries, bodies = [], []
    for meta in root.iter("meta"):
        name = (meta.get("property") or meta.get("name") or "").strip().lower()
        if name in _TITLES:
            titles.append(meta.get("content"))
        elif name in _SUMMARIES:
            summaries.append(meta.get("content"))
    for script in root.iter("script"):
        if _is_json_ld(script.get("type")) and _BODY in (script.text or ""):
            bodies += article_bodies(script.text or "")
    return Head(_filled(titles), _filled(summaries), [body for body in bodies if len(body) >= LEAST_BODY])


def bodies_in_scripts(root: "_Element") -> list[str]:
    """Texts of paragraphs that the scripts of a page hold as JSON strings, with tags as line breaks.

    That is where pages that are built in the browser keep their article until then.
    """
    found = []
    for script in root.iter("script"):
        for string in _LONG_STRING.findall(script.text or ""):
            if _PARAGRAPH.search(string):
                with suppress(ValueError):  # a string of JavaScript that is none of JSON
                    found.append(_TAG.sub("\n", unescape(json.loads(string, strict=False))).strip())
    return [body for body in found if len(body) >= LEAST_BODY]


def _is_json_ld(kind: str | None) -> bool:
    return (kind or "").partition(";")[0].strip().lower() == _JSON_LD


def _filled(texts: list[str | None]) -> list[str]:
    return [text for text in texts if text and text.strip()]


def article_bodies(data: str) -> list[str]:
    """The ``articleBody`` of every article in some JSON-LD, with tags as line breaks; nothing if it is no JSON.

    >>> article_bodies('{"@graph": [{"@type": "NewsArticle", "articleBody": "<p>Rain &amp; wind</p>"}]}')
    ['Rain & wind']
    """
    # The marks of a comment or of CDATA may stand around it.
    objects = data[data.find("{") : data.rfind("}") + 1]
    try:
        parsed = json.loads(f"[{objects}]", strict=False)
    except (ValueError, RecursionError):
        return []
    return [_TAG.sub("\n", unescape(body)).strip() for body in _bodies(parsed, _DEEPEST)]


def _bodies(value: Any, depth: int) -> Iterator[str]:
    if depth:
        if isinstance(value, dict):
            if isinstance(body := value.get(_BODY), str):
                yield body
            value = list(value.values())
        if isinstance(value, list):
            for inner in value:
                yield from _bodies(inner, depth - 1)
