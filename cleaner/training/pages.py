"""HTML pages of the corpora → documents: what several extractors left of each, with its labels.

Pages without a gold text were read whole. Readers went through everything that extractors left of them and named each
line of boilerplate; what they left unnamed is content, and serves as the gold text for lines that were cut in another
way. Pages that are no articles (shops, forums, documentation) have a gold text, and are labelled by that alone.
"""

import json
import lzma
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from cleaner.document import Kind
from cleaner.errors import InputError
from cleaner.lines import split_lines
from cleaner.normalize import normalize_line, normalize_lines, strip_tags
from cleaner.training.align import BOILERPLATE, UNDECIDED, align
from cleaner.training.corpora import Document, corrected, weight_of_upstream
from cleaner.training.labels import Reading, line_hash

MIXED_CORPUS = "wcxb-dev.jsonl.xz"
PAGE_CORPORA = ("news-fixtures.jsonl.xz", "readability-pages.jsonl.xz", "trafilatura-eval-dev.jsonl.xz")

_LANGUAGE = re.compile(r"<html\b[^>]*?\blang=[\"']?([A-Za-z]{2})")

# As much as a page of the line corpus; twice that gave an average precision of 0.749 there in place of 0.755.
WEIGHT_OF_READ = 1.0
# Pages that are not one article (shops, forums, lists of teasers) still show what menus look like.
WEIGHT_OF_OTHER = 0.3
# Their gold texts stop early: longer lines that these lack may be content all the same.
LONGEST_TRUSTED = 60


def extracts(html: str) -> dict[str, str]:
    """What each upstream makes of a page, the same ones that the line corpus was made with, as far as they install.

    ``markdown`` is trafilatura's text with its marks for headings, lists and emphasis, which some jobs store.
    """
    from lxml.etree import tostring
    from resiliparse.extract.html2text import extract_plain_text
    from trafilatura import extract, load_html
    from trafilatura.readability_lxml import Document as Readability

    main = Readability(load_html(html)).summary()
    main = main if isinstance(main, str) else tostring(main, encoding="unicode")
    return {
        "trafilatura": extract(html, favor_recall=True, include_comments=False) or "",
        "markdown": extract(html, output_format="markdown", include_comments=False, include_formatting=True) or "",
        "readability": extract_plain_text(main, main_content=False, alt_texts=False),
        "resiliparse": extract_plain_text(html, main_content=True, alt_texts=False),
        "fullpage": extract_plain_text(html, main_content=False, alt_texts=False),
    }


def read_pages(corpora: Path, readings: dict[str, Reading]) -> list[Document]:
    """The documents of all pages that somebody read whole.

    Raises
    ------
    InputError
        When a corpus is missing or cannot be read.
    """
    rows = (row for name in PAGE_CORPORA for row in rows_of(corpora / name) if row["id"] in readings)
    return _made(delayed(_documents)(row, readings[row["id"]]) for row in rows)


def texts_read(documents: list[Document], readings: dict[str, Reading]) -> dict[str, str]:
    """The article of each page that was read whole: what its reader called content, as the extractors left it."""
    lines: dict[str, dict[str, None]] = {}
    for document in documents:
        if document.page in readings:
            content = (line for line, kind in zip(document.lines, document.kinds, strict=True) if kind is Kind.CONTENT)
            lines.setdefault(document.page, {}).update(dict.fromkeys(content))
    return {page: "\n".join(content) for page, content in lines.items()}


def read_other_pages(corpora: Path) -> list[Document]:
    """The documents of all pages of ``MIXED_CORPUS`` that have a gold text and are no articles.

    Raises
    ------
    InputError
        When the corpus is missing or cannot be read.
    """
    rows = (row for row in rows_of(corpora / MIXED_CORPUS) if row.get("gold") and row.get("page_type") != "article")
    return _made(delayed(_documents_by_gold)(row) for row in rows)


def _made(jobs: Iterable[Any]) -> list[Document]:
    return [document for documents in Parallel(n_jobs=2, batch_size=8)(jobs) for document in documents]


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a corpus of pages.

    Raises
    ------
    InputError
        When the file is missing or cannot be read.
    """
    try:
        with lzma.open(path, "rt", encoding="utf-8") as file:
            yield from map(json.loads, file)
    except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
        raise InputError(f"cannot read the corpus {path}: {error}") from error


def _left(row: dict[str, Any]) -> dict[str, list[str]]:
    """The normalised lines of a page that each upstream left."""
    try:
        texts = extracts(row["html"])
    except ValueError as error:
        raise InputError(f"cannot extract text from the page {row['id']}: {error}") from error
    return {upstream: _as_read(normalize_lines(split_lines(text)[1])) for upstream, text in texts.items()}


def _as_read(lines: list[str]) -> list[str]:
    """Lines as they were when they were read: readings know them by their hashes, and tags in sentences went then."""
    return [normalize_line(strip_tags(line, keep_quoted=False)) if "<" in line else line for line in lines]


def _documents_by_gold(row: dict[str, Any]) -> list[Document]:
    documents = []
    for upstream, lines in _left(row).items():
        aligned = align(lines, row["gold"], row.get("title") or "")
        labels = [
            UNDECIDED if label == BOILERPLATE and len(line) > LONGEST_TRUSTED else label
            for line, label in zip(lines, aligned, strict=True)
        ]
        weight = WEIGHT_OF_OTHER * weight_of_upstream(upstream)
        unknown = [None for _ in lines]
        documents.append(Document(row["id"], row["domain"], upstream, lines, labels, [*unknown], aligned, weight))
    return documents


def _documents(row: dict[str, Any], reading: Reading) -> list[Document]:
    left = _left(row)
    language = _LANGUAGE.search(row["html"])
    keys = {line: line_hash(line) for lines in left.values() for line in lines}
    gold = "\n".join(dict.fromkeys(line for line, key in keys.items() if key in reading.content))
    documents = []
    for upstream, lines in left.items():
        aligned = align(lines, gold, row.get("title") or "")
        labels, kinds = corrected(aligned, [reading.kinds.get(keys[line]) for line in lines])
        for i, line in enumerate(lines):
            if keys[line] in reading.unsure:
                labels[i] = UNDECIDED
        weight = WEIGHT_OF_READ if reading.article else WEIGHT_OF_OTHER
        weight *= weight_of_upstream(upstream)
        documents.append(
            Document(
                row["id"],
                row["domain"],
                upstream,
                lines,
                labels,
                kinds,
                aligned,
                weight,
                language[1].lower() if language else "en",
            )
        )
    return documents
