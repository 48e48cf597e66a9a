"""A whole page → ``CleanResult``: the stages of this package, and those that it shares with plain text.

    markup → blocks → normalize → features → trims → text model → evidence → block model → decide → join
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cleaner.decode import decide, known_kinds
from cleaner.document import CleanResult, Flag, Line, LineColumns, Metadata
from cleaner.features import line_features
from cleaner.lines import join_lines
from cleaner.model.bundle import Bundle
from cleaner.normalize import normalized
from cleaner.options import Options
from cleaner.page.blocks import Page, parse_markup, read_blocks
from cleaner.page.markdown import markdown_of
from cleaner.page.metadata import read_metadata
from cleaner.page.source import markup_of


@dataclass(frozen=True, slots=True)
class PageOrigin:
    """The page that a result was made from: what ``CleanResult`` asks it for is worked out when it asks."""

    markup: str
    url: str | None
    page: Page

    def metadata(self) -> Metadata:
        """What the page says about its article."""
        return read_metadata(self.markup, self.url)

    def path(self, block: int) -> str:
        """Where a block stands, as a selector."""
        return self.page.path(block)

    def markdown(self, lines: Sequence[Line]) -> str:
        """Some of its blocks as Markdown."""
        return markdown_of(self.page, lines)


def clean_page(
    html: str | bytes, url: str | None, charset: str | None, bundle: Bundle, options: Options
) -> CleanResult:
    """Clean one page; ``charset`` is what came with it, as in the header of its response."""
    markup, replaced = markup_of(html, charset)
    root, cut = parse_markup(markup)
    page = Page() if root is None else read_blocks(root)
    flags = [Flag.UNDECODABLE_BYTES] * replaced + [Flag.MARKUP_CUT] * cut
    origin = PageOrigin(markup, url, page)
    lines = normalized(page.texts, options)
    offsets = np.array([0, len(lines)])
    features = line_features(lines, offsets)
    known = known_kinds(lines, features, options)
    scores = bundle.classifier.score(features, known)
    decision = decide(scores, features, known, bundle.thresholds, options)
    if not any(decision.kept):
        flags.append(Flag.NO_ARTICLE)
    columns = LineColumns(
        range(len(lines)), page.texts, lines, decision.kept, decision.kinds, decision.scores, decision.reasons,
        [()] * len(lines),
    )  # fmt: skip
    text = join_lines(line for line, kept in zip(lines, decision.kept, strict=True) if kept)
    return CleanResult(text, tuple(flags), 0.0, columns, origin)
