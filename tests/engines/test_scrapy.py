import dataclasses
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import scrapy
from scrapy.utils.test import get_crawler

from cleaner import Cleaner
from cleaner.errors import InputError
from cleaner.integrations.scrapy import CleanItems

PAGES = 12


def page(number):
    links = "".join(f"<a href=/{other}>Story {other}</a> " for other in range(PAGES))
    return (
        f"<html lang=en><head><meta charset=utf-8><title>Ferry {number}</title></head><body><nav>{links}</nav><article>"
        f"<h1>Ferry {number}</h1><p>The ferry will sail again from December, the council of island {number} said.</p>"
        f"<p>“We are not asking for luxury,” the chairwoman told hall {number}. “We are asking to leave.”</p>"
        "<p>ADVERTISEMENT</p></article><footer>© 2024 The Skarholm Lantern. All rights reserved.</footer></body></html>"
    )


@pytest.fixture
def site():
    """A small site of ours, served on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            number = self.path.strip("/") or "0"
            found = number.isdigit() and int(number) < PAGES
            body = page(int(number)).encode() if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_a_site_is_crawled_and_cleaned_as_by_the_core(site, run_example, tmp_path, reads):
    arguments = ["-a", f"start={site}", "-O", tmp_path / "out.jsonl", "-s", "ROBOTSTXT_OBEY=False"]
    run_example("scrapy_spider.py", *arguments, program=(sys.executable, "-m", "scrapy", "runspider"))
    items = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(item["url"] for item in items) == sorted([site, *(f"{site}{number}" for number in range(PAGES))])
    cleaner = Cleaner.load()
    for item in items:
        result = cleaner.clean_html(page(int(item["url"].removeprefix(site) or 0)), item["url"])
        assert item == {
            "url": item["url"],
            "text": result.text,
            "clean_quality": result.quality,
            "clean_metadata": result.metadata.as_dict(),
            "clean_error": None,
        }
        assert "chairwoman" in item["text"] and "©" not in item["text"]
    assert sum(times for (_, parent, _), times in reads().items()) == 2, "the crawl read the model once, and so did we"


def pipeline(recipe, **settings):
    settings |= {"CLEANER_TELL": list(recipe.request.extras), "CLEANER_BUNDLE": recipe.bundle}
    settings |= {"CLEANER_SITE_LINES": recipe.site_lines}
    if recipe.options:
        settings["CLEANER_OPTIONS"] = {"keep": ["caption"]}
    crawler = get_crawler(settings_dict=settings)
    return CleanItems.from_crawler(crawler), crawler.stats


def test_items_are_cleaned_as_by_the_core(documents, recipe, expected):
    step, stats = pipeline(recipe)
    rows = expected.to_pylist()
    for row in rows:
        row["clean_kinds"] = row["clean_kinds"] and dict(row["clean_kinds"])
    empty = {"clean_kinds": {}}
    after = [step.process_item(row) for row in documents.to_pylist()]
    assert after == [row | (empty if row["clean_kinds"] == [] else {}) for row in rows]
    errors = sum(row["clean_error"] is not None for row in rows)
    assert stats.get_value("cleaner/not_cleaned") == errors > 0
    assert stats.get_value("cleaner/cleaned") == sum(row["text"] is not None for row in rows)
    assert stats.get_value("cleaner/removed/advert") == sum((row["clean_kinds"] or {}).get("advert", 0) for row in rows)


def test_the_text_may_go_to_another_field(recipes):
    step, _ = pipeline(recipes["shipped"], CLEANER_FIELD="body", CLEANER_TARGET="article", CLEANER_FORM="html")
    item = step.process_item({"body": page(3).encode(), "url": "https://lantern.example/3"})
    result = Cleaner.load().clean_html(page(3), "https://lantern.example/3")
    assert item["body"] == page(3).encode() and item["article"] == result.text
    assert item["clean_metadata"]["title"] == "Ferry 3"


def test_items_of_every_type():
    class Declared(scrapy.Item):
        text = scrapy.Field()
        clean_error = scrapy.Field()

    @dataclasses.dataclass
    class Plain:
        text: str
        clean_error: str | None = None

    step = CleanItems.from_crawler(get_crawler())
    text = "The council met on Tuesday.\nADVERTISEMENT"
    assert step.process_item(Declared(text=text))["text"] == "The council met on Tuesday."
    assert step.process_item(Plain(text)) == Plain("The council met on Tuesday.")
    assert step.process_item(Plain("zzbreak")).clean_error.endswith("ValueError: broken on purpose")
    assert step.process_item({"text": "A \ud83d pair was torn."})["text"] == "A \ufffd pair was torn."


def test_an_item_without_the_field_passes_and_one_that_holds_no_text_is_refused():
    crawler = get_crawler()
    step = CleanItems.from_crawler(crawler)
    assert step.process_item({"picture": "1.png"}) == {"picture": "1.png"}
    assert crawler.stats.get_value("cleaner/without_field") == 1
    with pytest.raises(InputError, match="'text' holds a list"):
        step.process_item({"text": ["The council met on Tuesday."]})
