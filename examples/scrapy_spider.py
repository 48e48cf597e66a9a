"""Crawls a site and keeps the articles of its pages.

scrapy runspider examples/scrapy_spider.py -a start=http://127.0.0.1:8000/ -O articles.jsonl
"""

import scrapy


class Articles(scrapy.Spider):
    """Follows links on one site; each page goes through the cleaner as a whole."""

    name = "articles"
    custom_settings = {
        "ITEM_PIPELINES": {"cleaner.integrations.scrapy.CleanItems": 300},
        "CLEANER_FORM": "html",
        "CLEANER_TELL": ["quality", "metadata"],
    }

    def __init__(self, start, **named):
        """Begin at ``start``."""
        super().__init__(start_urls=[start], **named)

    def parse(self, response):
        """One item for the page, and its links."""
        yield {"url": response.url, "text": response.text}
        yield from response.follow_all(css="nav a")
