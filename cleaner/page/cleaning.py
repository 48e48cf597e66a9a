"""A whole page → ``CleanResult``: the stages of this package, and those that it shares with plain text.

markup → blocks → normalize → features → trims → evidence → text model → block model → decision → quality → join
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from cleaner.decode import ByLine, Decision, known_kinds, over_budget
from cleaner.document import CleanResult, Flag, Line, LineColumns, Metadata
from cleaner.features import LineFeatures
from cleaner.lines import join_lines
from cleaner.model.pages import PageClassifier
from cleaner.model.scorer import Scores, TextModel
from cleaner.normalize import normalized
from cleaner.options import Engine, Options
from cleaner.page.blocks import Page, parse_markup, read_blocks
from cleaner.page.decision import decide_blocks
from cleaner.page.evidence import read_evidence
from cleaner.page.head import Head, bodies_in_scripts, read_head
from cleaner.page.markdown import markdown_of, markdown_of_text
from cleaner.page.metadata import read_metadata
from cleaner.quality import document_shape
from cleaner.trims import repair_credits, trimmed_features

if TYPE_CHECKING:
    from lxml.etree import _Element

# What JSON-LD says is taken for the article when it has this many times the text that was found on the page.
MORE_IN_BODY = 4
# A page of which the first pass promises this F1 is not looked at again. With 0.9 one in eight news pages is, and nine
# in ten of products. Out of fold with 0, 0.8, 0.9 and always: products 0.618, 0.629, 0.638, 0.641; news 0.961, 0.961,
# 0.964, 0.964.
SURE = {Engine.DEFAULT: inf, Engine.FAST: 0.9}


@dataclass(frozen=True, slots=True)
class PageOrigin:
    """The page that a result was made from: what ``CleanResult`` asks it for is worked out when it asks.

    Without ``page`` the lines of the result are those of a text that the page holds as data.
    """

    markup: str
    url: str | None
    page: Page | None

    def metadata(self) -> Metadata:
        """What the page says about its article."""
        return read_metadata(self.markup, self.url)

    def path(self, block: int) -> str:
        """Where a block stands, as a selector."""
        return "" if self.page is None else self.page.path(block)

    def markdown(self, lines: Sequence[Line]) -> str:
        """Some of its blocks as Markdown."""
        return markdown_of_text(lines) if self.page is None else markdown_of(self.page, lines)


def clean_page(
    markup: str,
    url: str | None,
    models: tuple[TextModel, PageClassifier],
    clean_text: Callable[[str], CleanResult],
    options: Options,
    by_site: ByLine | None = None,
) -> CleanResult:
    """Clean one page. ``clean_text`` is for what turns out to be text, or to hold its article as text."""
    if "<" not in markup:
        result = clean_text(markup)
        flags = result.flags if result.text else (Flag.NO_ARTICLE, *result.flags)
        return replace(result, flags=flags, origin=PageOrigin(markup, url, None))
    root, cut = parse_markup(markup)
    page, head = read_page(root)
    result = _clean_blocks(page, head, models, options, by_site)
    flags = (Flag.MARKUP_CUT,) * cut
    for flag, bodies in _held_as_data(root, head, result):
        body = max(bodies, key=len, default="")
        if len(body) > MORE_IN_BODY * len(result.text) and (found := clean_text(body)).text:
            return replace(found, flags=(*flags, flag, *found.flags), origin=PageOrigin(markup, url, None))
    if not result.text:
        flags += (Flag.NO_ARTICLE,)
    return replace(result, flags=flags + result.flags, origin=PageOrigin(markup, url, page))


def score_page(
    markup: str,
    models: tuple[TextModel, PageClassifier],
    clean_text: Callable[[str], CleanResult],
    score_text: Callable[[str], tuple[list[str], list[float]]],
    options: Options,
) -> tuple[list[str], list[float]]:
    """The lines of one page as ``by_site`` is asked about them, and their scores; told by cleaning it.

    Of what ``clean_page`` cleans as text they are those of the text, which ``score_text`` gives.
    """
    blocks: tuple[list[str], list[float]] = [], []
    texts: list[str] = []

    def hear(_decision: Decision, lines: Sequence[str], scores: Scores, _features: LineFeatures) -> None:
        nonlocal blocks
        blocks = list(lines), scores.boilerplate.tolist()

    def clean(text: str) -> CleanResult:
        texts.append(text)
        return clean_text(text)

    result = clean_page(markup, None, models, clean, options, hear)
    # The last of the texts is the one that was taken.
    was_text = isinstance(result.origin, PageOrigin) and result.origin.page is None
    return score_text(texts[-1]) if was_text else blocks


def read_page(root: "_Element | None") -> tuple[Page, Head]:
    """The blocks below a root, and what the page says of its article; nothing of a page that has no root."""
    return (Page(), Head([], [], [])) if root is None else (read_blocks(root), read_head(root))


def _held_as_data(root: "_Element | None", head: Head, result: CleanResult) -> Iterator[tuple[Flag, list[str]]]:
    """Where else the article may be: in the JSON-LD of the page, or, if it is empty, in the data of its scripts."""
    yield Flag.FROM_JSON_LD, head.bodies
    if root is not None and not result.text:
        yield Flag.FROM_SCRIPT, bodies_in_scripts(root)


def _clean_blocks(
    page: Page,
    head: Head,
    models: tuple[TextModel, PageClassifier],
    options: Options,
    by_site: ByLine | None,
) -> CleanResult:
    text_model, classifier = models
    # What stands between `<` and `>` on a page is text that somebody wrote about tags, not a tag.
    as_given = normalized(page.texts, options, markup=False)
    lines, features, trims = trimmed_features(as_given, np.array([0, len(page.texts)]), options)
    if not lines:
        return CleanResult("", (), 0.0, LineColumns([], [], [], [], [], [], [], []))
    evidence, known = read_evidence(page, head, lines), known_kinds(lines, features, options)
    scores = classifier.score(text_model, features, evidence, known, SURE[Engine(options.engine)])
    decision = decide_blocks(scores, lines, features, known, options)
    if by_site is not None:
        by_site(decision, as_given, scores, features)
    texts, trims = repair_credits(lines, decision.kinds, trims) if options.trims else (lines, trims)
    flags = (Flag.OVER_BUDGET,) if over_budget(decision, texts, 0, len(lines), options) else ()
    columns = LineColumns(
        range(len(lines)), page.texts, texts, decision.kept, decision.kinds, decision.scores, decision.reasons,
        [trims.get(number, ()) for number in range(len(lines))],
    )  # fmt: skip
    return CleanResult(
        join_lines(compress(texts, decision.kept)),
        flags,
        _quality(classifier, decision.scores, decision.kept, features),
        columns,
    )


def _quality(classifier: PageClassifier, scores: list[float], kept: list[bool], features: LineFeatures) -> float:
    shape = document_shape(np.array(scores), np.array(kept, bool), features)
    return float(classifier.quality(shape)[0])
