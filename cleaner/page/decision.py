"""Scores of the blocks of a page → one decision a block.

A page is one choice, how much of it to keep, and is judged by how well what is kept matches the article. So there is no
fixed threshold: the best F1 that the scores let expect sets it, unless the caller does.
"""

from collections.abc import Mapping

import numpy as np

from cleaner.decode import Decision, drop_repeats
from cleaner.document import Kind, Reason
from cleaner.features import LineFeatures
from cleaner.model.scorer import Scores
from cleaner.options import Options
from cleaner.page.surroundings import expected_f1

# The probability of content that a block needs is this times what the expected F1 asks for: scores of one page err
# together, so that F1 is expected too high. Measured out of fold with 1.0, 1.2 and 1.4: news 0.966, 0.964, 0.963;
# products 0.634, 0.641, 0.644; listings 0.756, 0.733, 0.700.
CAUTION = 1.2


def removed_kinds(options: Options) -> frozenset[Kind]:
    """The kinds that go from a page: the title is metadata there, unless the caller wants to keep it."""
    kept = frozenset({Kind.HEADLINE}) & frozenset(options.keep)
    return (options.removed_kinds | {Kind.HEADLINE}) - kept


def decide_blocks(
    scores: Scores,
    lines: list[str],
    features: LineFeatures,
    known: Mapping[int, tuple[Kind, Reason]],
    options: Options,
) -> Decision:
    """Turn the scores of the blocks of a page into decisions; ``known`` are those that are certain without a model."""
    removed = removed_kinds(options)
    best = [scores.kinds[number] for number in scores.best.tolist()]
    given = {Kind(kind): value for kind, value in options.thresholds.items()}
    _, limit = expected_f1(scores.boilerplate, features.lengths)
    own = options.threshold if options.threshold is not None else 1 - CAUTION * limit
    over = scores.boilerplate >= np.array([given.get(kind, own) for kind in best])
    goes = over & np.array([kind in removed for kind in best], bool)
    fates = list(zip(goes.tolist(), over.tolist(), strict=True))
    decision = Decision(
        (~goes).tolist(),
        [kind if is_over else Kind.CONTENT for kind, (_, is_over) in zip(best, fates, strict=True)],
        scores.boilerplate.tolist(),
        # What is over the threshold and stays does so because the caller keeps its kind.
        [Reason.CALLER if is_over and not gone else Reason.MODEL for gone, is_over in fates],
    )
    decision.call_known(known, removed)
    drop_repeats(decision, lines, features, removed)
    return decision
