"""What a page says about itself; the work is others', so only what is ours is tested closely."""

import logging

import pytest

from cleaner.document import Metadata
from cleaner.page.metadata import read_metadata

PAGE = """<!DOCTYPE html>
<html lang="en-GB"><head><title>Harbour crane comes down | Quillan Observer</title>
<meta name="author" content="Ada Venn"><meta property="og:site_name" content="Quillan Observer">
<meta property="og:title" content="Harbour crane comes down">
<meta property="article:published_time" content="2024-05-06T08:00:00Z">
<link rel="canonical" href="https://observer.example/crane"></head>
<body><article><h1>Harbour crane comes down</h1><p>The old crane will be taken down.</p></article></body></html>"""


def test_a_page_that_says_all():
    assert read_metadata(PAGE, "https://observer.example/crane?from=mail") == Metadata(
        title="Harbour crane comes down",
        author="Ada Venn",
        date="2024-05-06",
        language="en-GB",
        site="Quillan Observer",
        url="https://observer.example/crane",
    )


def test_a_page_that_says_nothing():
    assert read_metadata("<p>Storm</p>", None) == Metadata()
    assert read_metadata("<p>Storm</p>", "https://observer.example/a").url == "https://observer.example/a"


@pytest.mark.parametrize(
    ("markup", "language"),
    [
        ("<html lang=de>", "de"),
        ("<html lang=' pt_BR '>", "pt-BR"),
        ("<html xml:lang=fr>", "fr"),
        ("<html lang='' xml:lang=fr>", "fr"),
        ("<html><head><meta http-equiv=Content-Language content='is, en'>", "is"),
        ("<html><head><meta name=LANGUAGE content=zh-Hant-TW>", "zh-Hant-TW"),
        ("<html lang='{{ lang }}'><head><meta name=language content=en>", "en"),
        ("<html lang=x><head><meta name=language><meta name=language content='English (UK)'>", None),
        ("<html>", None),
    ],
)
def test_languages(markup, language):
    assert read_metadata(markup + "<body><p>Storm", None).language == language


@pytest.mark.parametrize(
    "markup",
    [
        "",
        " ",
        "<",
        "Storm",
        "<!-- Storm -->",
        "<!doctype html>",
        "<p>\ud83d",
        "<div>" * 5000,
        "<script type='application/ld+json'>{",
        "<?xml version='1.0' encoding='utf-16'?><html><p>Storm",
        "<time datetime='9999999-99'>",
        "<meta name=author content=''>",
    ],
)
def test_odd_pages_are_silent(markup, caplog):
    with caplog.at_level(logging.WARNING):
        found = read_metadata(markup, "https://observer.example/a")
    assert (found.title, found.author, found.language) == (None, None, None)


def test_what_the_library_raises_is_no_error_of_ours(monkeypatch):
    def fail(*_arguments, **_options):
        raise RecursionError

    monkeypatch.setattr("trafilatura.metadata.extract_metadata", fail)
    assert read_metadata(PAGE, "https://observer.example/a") == Metadata(
        language="en-GB", url="https://observer.example/a"
    )
