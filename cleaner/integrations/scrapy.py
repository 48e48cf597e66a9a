"""Cleaning in Scrapy: an item pipeline that cleans one field of each item.

    ITEM_PIPELINES = {"cleaner.integrations.scrapy.CleanItems": 300}

Its settings: ``CLEANER_FIELD`` is the field that holds the document, ``CLEANER_TARGET`` the one that the text goes to,
the same unless told. ``CLEANER_FORM``, ``CLEANER_URL`` and ``CLEANER_TELL`` are ``form``, ``url`` and ``extras`` of
``Request``; ``CLEANER_OPTIONS`` holds the fields of ``Options``, ``CLEANER_BUNDLE`` is the folder of another model, and
``CLEANER_SITE_LINES`` a table of ``clean sites``.
"""

from typing import TYPE_CHECKING, Any

from cleaner.ingest.arrow import ArrowCleaner, Outcome, Request, kinds_removed
from cleaner.ingest.needs import needed
from cleaner.integrations.tables import clean_records, cleaner_of
from cleaner.options import Options

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class CleanItems:
    """Cleans items one by one, and counts in the statistics of the crawl what was removed by kind.

    An item without the field is let through. One that cannot be cleaned keeps its place: its text is ``None``, and its
    ``clean_error`` says why. Items with declared fields need that one, and one for each thing to tell.
    """

    def __init__(self, crawler: "Crawler") -> None:
        """Read the settings and the model."""
        settings = crawler.settings
        self._request = Request(
            settings.get("CLEANER_FIELD", "text"),
            settings.get("CLEANER_FORM", "auto"),
            settings.get("CLEANER_URL", "url"),
            extras=tuple(settings.getlist("CLEANER_TELL")),
        )
        self._target = settings.get("CLEANER_TARGET", self._request.text)
        options = Options(**settings.getdict("CLEANER_OPTIONS"))
        self._stats = crawler.stats
        cleaner = cleaner_of(settings.get("CLEANER_BUNDLE"), options, settings.get("CLEANER_SITE_LINES"))
        self._clean = ArrowCleaner(cleaner, self._request, self._count)

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "CleanItems":
        """As Scrapy makes it."""
        return cls(crawler)

    def process_item(self, item: Any) -> Any:
        """The same item with its text cleaned."""
        fields = needed("itemadapter", "scrapy").ItemAdapter(item)
        if self._request.text not in fields:
            self._stats.inc_value("cleaner/without_field")
            return item
        documents, urls = [fields[self._request.text]], [fields.get(self._request.url)]
        (row,) = clean_records(self._clean, self._request, documents, urls)
        fields[self._target] = row.pop(self._request.text)
        fields.update(row)
        return item

    def _count(self, _row: int, outcome: Outcome) -> None:
        self._stats.inc_value("cleaner/not_cleaned" if outcome.result is None else "cleaner/cleaned")
        for kind, lines in kinds_removed(outcome.result).items() if outcome.result else ():
            self._stats.inc_value(f"cleaner/removed/{kind}", lines)
