"""Markup → what the page says about itself: title, author, date, language, site.

The work is trafilatura's and htmldate's; it takes about as long as cleaning the page, so it is done only when asked
for.
"""

import re
from typing import TYPE_CHECKING

from cleaner.document import Metadata

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_NAMES_OF_LANGUAGE = frozenset({"content-language", "language"})
# The form of a BCP 47 tag; templates that were never filled in have another.
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


def read_metadata(markup: str, url: str | None) -> Metadata:
    """What a page says about itself; every field that it is silent on is ``None``.

    >>> read_metadata('<html lang="de-AT"><head><title>Sturm an der Küste</title></head><body>', None).language
    'de-AT'
    """
    from trafilatura import load_html
    from trafilatura.metadata import extract_metadata

    tree = load_html(markup)
    if tree is None:
        return Metadata(url=url)
    try:
        found = extract_metadata(tree, default_url=url)
    except Exception:  # noqa: BLE001 -- of hostile pages it may raise anything, and no article is worth less for it
        return Metadata(language=_language(tree), url=url)
    return Metadata(
        title=found.title or None,
        author=found.author or None,
        date=found.date or None,
        language=found.language or _language(tree),
        site=found.sitename or None,
        url=found.url or url,
    )


def _language(tree: "HtmlElement") -> str | None:
    """The first language that the root or a meta element names."""
    metas = ((meta.get("http-equiv") or meta.get("name") or "", meta.get("content")) for meta in tree.iter("meta"))
    said = [tree.get("lang"), tree.get("xml:lang")]
    said += [content for name, content in metas if name.strip().lower() in _NAMES_OF_LANGUAGE]
    tags = ((words or "").partition(",")[0].strip().replace("_", "-") for words in said)
    return next(filter(_LANGUAGE_TAG.fullmatch, tags), None)
