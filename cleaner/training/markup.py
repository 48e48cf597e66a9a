"""HTML pages of the corpora → the blocks of each, with their labels and with what their elements say of them.

Pages with a gold text are labelled by alignment with it; where a reader disagrees, neither is trusted, because a page
is judged by its gold. Pages that were read whole are labelled by their reading, and of the others with snippets only
the blocks that hold one.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed

from cleaner.document import Kind
from cleaner.normalize import normalize_lines
from cleaner.options import Options
from cleaner.page.blocks import parse_markup
from cleaner.page.cleaning import read_page
from cleaner.page.evidence import Evidence, read_evidence
from cleaner.page.source import markup_of
from cleaner.training.align import BOILERPLATE, CONTENT, UNDECIDED, align, words
from cleaner.training.corpora import Document, corrected
from cleaner.training.labels import Annotations, Reading, line_hash
from cleaner.training.pages import MIXED_CORPUS, PAGE_CORPORA, rows_of
from cleaner.trims import trimmed_features

NEWS_CORPUS = "fundus-dev.jsonl.xz"
MARKED_CORPORA = (NEWS_CORPUS, MIXED_CORPUS, *PAGE_CORPORA)

# News is what users send and what the corpora hold least of.
WEIGHT_OF_NEWS = 3.0
# A reader mode's text is a weak label, and pages that are no articles have the doubtful gold texts.
WEIGHT_OF_WEAK = 0.7
PAGE = "page"


class MarkedPage(NamedTuple):
    """One page: its blocks as a document whose lines they are, and the evidence of its elements."""

    document: Document
    evidence: Evidence


def read_marked_pages(
    corpora: Path, annotations: Annotations, readings: dict[str, Reading], texts: dict[str, str]
) -> list[MarkedPage]:
    """All pages of the corpora, also those without text; ``texts`` are the articles of those read whole, by page.

    Raises
    ------
    InputError
        When a corpus is missing or cannot be read.
    """
    rows = ((name, row) for name in MARKED_CORPORA for row in rows_of(corpora / name))
    jobs = (
        delayed(_marked)(name, row, annotations, readings.get(row["id"]), texts.get(row["id"], ""))
        for name, row in rows
    )
    pages: list[MarkedPage] = Parallel(n_jobs=2, batch_size=8)(jobs)
    return pages


def _marked(
    corpus: str, row: dict[str, Any], annotations: Annotations, reading: Reading | None, text: str
) -> MarkedPage:
    root, _ = parse_markup(markup_of(row["html"])[0])
    page, head = read_page(root)
    whole = normalize_lines(page.texts, markup=False)
    # Annotations name a line as it was before it was trimmed.
    lines, _, _ = trimmed_features(whole, np.array([0, len(whole)]), Options())
    title, gold = row.get("title") or "", (row.get("gold") or "").strip()
    said: list[Kind | None] = [None] * len(lines)
    if gold:
        said = [annotations.kind(row["id"], line) for line in whole]
        aligned = align(lines, gold, title)
        labels, kinds = _agreed(aligned, said)
    elif reading is not None:
        keys = [line_hash(line) for line in whole]
        said = [reading.kinds.get(key) for key in keys]
        aligned = align(lines, text, title)
        labels, kinds = corrected(aligned, said)
        labels = [UNDECIDED if key in reading.unsure else label for key, label in zip(keys, labels, strict=True)]
    else:
        aligned = labels = _by_snippets(lines, row.get("with") or [], row.get("without") or [])
        kinds = said
    # On a page the title is metadata, wherever it stands.
    titles = [bool(title) and words(line) == words(title) for line in lines]
    document = Document(
        row["id"],
        row["domain"],
        PAGE,
        lines,
        [BOILERPLATE if is_title else label for is_title, label in zip(titles, labels, strict=True)],
        [Kind.HEADLINE if is_title else kind for is_title, kind in zip(titles, kinds, strict=True)],
        aligned,
        _weight(corpus, row),
        gold=gold or None,
    )
    return MarkedPage(document, read_evidence(page, head, lines))


def _weight(corpus: str, row: dict[str, Any]) -> float:
    if corpus == NEWS_CORPUS:
        return WEIGHT_OF_NEWS
    weak = "gold_html" in row
    return WEIGHT_OF_WEAK if weak else 1.0


def _agreed(aligned: list[int], said: list[Kind | None]) -> tuple[list[int], list[Kind | None]]:
    """Labels and kinds of blocks, undecided where the gold text and a reader disagree."""
    labels, kinds = corrected(aligned, said)
    for i, (label, own) in enumerate(zip(labels, aligned, strict=True)):
        if UNDECIDED not in (label, own) and label != own:
            labels[i], kinds[i] = UNDECIDED, None
    return labels, kinds


def _by_snippets(lines: list[str], inside: list[str], outside: list[str]) -> list[int]:
    labels = []
    for line in lines:
        held = any(snippet in line for snippet in inside)
        labels.append(CONTENT if held else BOILERPLATE if any(one in line for one in outside) else UNDECIDED)
    return labels
