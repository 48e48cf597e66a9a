"""What the site says of a line → whether it goes: evidence beside the model, which has to have its doubts.

A line goes for its site only if it stands in enough documents, on enough days, and is not clearly content. What a
document repeats itself is a refrain, and stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cleaner.decode import ASKING_KINDS, SHORT_LENGTH, Decision
from cleaner.document import Reason
from cleaner.features import LineFeatures
from cleaner.model.scorer import Scores
from cleaner.options import Options
from cleaner.sites.fingerprints import DOCUMENT, opening_bits
from cleaner.sites.table import SiteLines, Standing

# All of these were chosen on the corpora that ``benchmarks/site_lines.py`` makes of seeds 2, 3, 4 and 8, for the most
# appeals at no more than 0.1 % of content lost beyond what the model loses. Run it before changing one.

# Lines of fewer documents or days prove nothing: a paragraph that many articles of one day share is news. The share is
# for sites of thousands of documents, where short sentences of everybody meet by chance; it was not measured.
LEAST_DOCUMENTS, LEAST_DAYS, LEAST_SHARE = 3, 3, 0.01
# Below this score a line is clearly content in this document, whatever the others say. Costs 0.05 % of the appeals.
LEAST_SCORE = 0.005


class Doubt(NamedTuple):
    """What the model has to say of a line in the mean of all its documents, which tells far more than one score.

    ``frequent`` is asked of what stands in more than ``FREQUENT_SHARE`` of the documents of its site: few stories are
    told that often. ``at_edge`` is asked of a template that was filled in several ways and stands at an edge in
    ``EDGE_SHARE`` of its documents: of appeals, 95 % do that in half of theirs, of the lines of a report in which only
    the figures change, 5 % in a third.
    """

    least: float
    frequent: float
    at_edge: float


EDGE_SHARE, FREQUENT_SHARE = 0.3, 1 / 6
# The likeliest kind of an appeal that stays without its site is one that asks for something five times in six; of the
# background of running stories, and of reports, one time in four. One limit for both loses as many appeals and a
# third more content.
ASKING, OTHER = Doubt(0.22, 0.1, 0.02), Doubt(0.55, 0.15, 0.04)
# Subheads ("What we know") and sentences that everybody writes ("He did not reply") are short, below ``SHORT_LENGTH``:
# one subhead in a hundred has a mean of 0.5 and more.
LEAST_MEAN_SHORT = 0.7


@dataclass(frozen=True, slots=True)
class BySite:
    """What a table knows of the documents of a batch: ``sites`` are where they were published, one for each."""

    table: SiteLines
    sites: Sequence[str | None]
    options: Options

    def __call__(self, decision: Decision, lines: Sequence[str], scores: Scores, features: LineFeatures) -> None:
        """Take away the lines that stay so far and that their site repeats.

        ``lines`` are as they came, only normalised: trims would part what the site has put together. A caller's
        threshold counts alone, as ``Options`` promises.
        """
        if self.options.threshold is not None or self.options.thresholds:
            return
        removed = self.options.removed_kinds
        suspects = {site: self._suspects(site) for site in set(self.sites) if site}
        # Most lines are told from all suspects by their first word.
        openings = {site: set(map(opening_bits, numbers)) for site, numbers in suspects.items()}
        known = np.array([bool(site and suspects[site]) for site in self.sites])[features.document_of]
        refrain = (features.column("seen_before") > 0) | (features.column("seen_again") > 0)
        possible = known & scores.likely(removed) & (scores.boilerplate >= LEAST_SCORE) & ~refrain
        for i in np.flatnonzero(possible & np.array(decision.kept, bool)).tolist():
            site = self.sites[features.document_of[i]] or ""
            if self.table.opening(lines[i]) not in openings[site]:
                continue
            standing = suspects[site].get(self.table.fingerprint(lines[i]) or DOCUMENT)
            kind = scores.kinds[scores.best[i]]
            if standing and is_repeated(standing, len(lines[i]), ASKING if kind in ASKING_KINDS else OTHER):
                decision.call(i, kind, Reason.SITE, removed)

    def _suspects(self, site: str) -> dict[int, Standing]:
        frequent = self.table.frequent(site, LEAST_DOCUMENTS, LEAST_SHARE)
        return {
            number: standing for number, standing in frequent.items() if is_repeated(standing, SHORT_LENGTH, ASKING)
        }


def is_repeated(standing: Standing, length: int, doubt: Doubt) -> bool:
    """Whether a line of so many code points is the site's and not the article's.

    >>> standing = Standing(documents=12, days=11, edges=2, steps=12 * 3500, varied=1, of=300)
    >>> is_repeated(standing, 80, ASKING), is_repeated(standing, 80, OTHER), is_repeated(standing, 20, ASKING)
    (True, False, False)
    >>> is_repeated(standing._replace(days=1), 80, ASKING)
    False
    """
    if standing.documents < LEAST_DOCUMENTS or standing.days < LEAST_DAYS or standing.share < LEAST_SHARE:
        return False
    if length < SHORT_LENGTH:
        return standing.score >= LEAST_MEAN_SHORT
    if standing.varied and standing.edge_share >= EDGE_SHARE:
        return standing.score >= doubt.at_edge
    return standing.score >= (doubt.frequent if standing.share > FREQUENT_SHARE else doubt.least)
