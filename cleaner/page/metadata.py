"""Markup → what the page says about itself: title, author, date, language, site.

The work is trafilatura's and htmldate's; it takes about as long as cleaning the page, so it is done only when asked for.
"""

from typing import TYPE_CHECKING

from cleaner.document import Metadata

if TYPE_CHECKING:
    from lxml.html import HtmlElement


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
    """The language that the root or a meta element names, as a BCP 47 tag."""
    said = [tree.get("lang"), *tree.xpath("//meta[@http-equiv='content-language' or @name='language']/@content")]
    return next((tag.strip().replace("_", "-") for tag in said if tag and tag.strip()), None)
