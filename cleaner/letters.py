"""Letters to the reader: runs of lines at an edge of a document that go as a whole.

The middle sentences of a donation letter read like the news around it; its first and last lines do not. So a letter is
found by its edges: lines that clearly ask or address, with little between them, and no paragraph of the article behind
(or before) it. Which line asks is the model's word; this module only joins them.
"""

import numpy as np
from numpy.typing import NDArray

from cleaner.features import running

# A line that asks is clear from the second score on, and may belong to a letter from the third on. A letter has at
# least one sure line: without it, a conversation at the end of a report was taken for one; and one clear line that
# pleads: without it, an offer of subscriptions was.
SURE, CLEAR, POSSIBLE = 0.9, 0.5, 0.15
# Lines of other looks in a row that a letter may hold, and the lines of a letter in all.
MOST_BETWEEN = 3
MOST_LINES = 24
# A letter begins and ends with clear lines, has at least this many of them, and so much evidence in the mean.
FEWEST_CLEAR = 3
LEAST_EVIDENCE = 0.4
# Below this length a line that ends in a colon, right before a letter, opens it ("A message from the newsroom:").
OPENING_LENGTH = 80


def letter_lines(
    evidence: NDArray[np.float64],
    pleas: NDArray[np.bool_],
    paragraphs: NDArray[np.bool_],
    speech: NDArray[np.bool_],
    openings: NDArray[np.bool_],
    offsets: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """Which lines belong to a letter, shape (lines,).

    ``evidence`` (lines,) is the score of a line that asks for something, else 0; ``pleas`` says which lines look like
    an appeal, ``paragraphs`` which are certainly paragraphs of the article, ``speech`` which are said in a dialogue (no
    letter goes over one), ``openings`` which are short and end in a colon; ``offsets`` (documents + 1,).

        >>> scores = np.array([0, 0, 0, 0.1, 0.8, 0, 0, 0.6, 0.9])
        >>> long = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0], bool)
        >>> none = np.zeros(9, bool)
        >>> letter_lines(scores, scores > 0.5, long, none, none, np.array([0, 9])).nonzero()[0].tolist()
        [4, 5, 6, 7, 8]
    """
    found = np.zeros(len(evidence), bool)
    at = np.flatnonzero(evidence >= POSSIBLE)
    if not len(at) or not (evidence >= SURE).any():
        return found
    document = np.searchsorted(offsets, at, side="right") - 1
    apart = (np.diff(at) > MOST_BETWEEN + 1) | (np.diff(document) > 0)
    said = running(speech)
    apart |= said[at[1:]] > said[at[:-1]]
    spans = []
    for run in np.split(at, np.flatnonzero(apart) + 1):
        clear = run[evidence[run] >= CLEAR]
        if len(clear) < FEWEST_CLEAR or evidence[clear].max() < SURE or not pleas[clear].any():
            continue
        first, last = int(clear[0]), int(clear[-1])
        if last - first < MOST_LINES and evidence[first : last + 1].mean() >= LEAST_EVIDENCE:
            spans.append((first, last))
    # A paragraph in one letter does not make the other one stand before or behind an article.
    article = paragraphs.copy()
    for first, last in spans:
        article[first : last + 1] = False
    total = running(article)
    for first, last in spans:
        begin, end = (int(offsets[np.searchsorted(offsets, first, side="right") - 1 + step]) for step in (0, 1))
        nothing_behind, nothing_before = total[end] == total[last + 1], total[first] == total[begin]
        if nothing_behind != nothing_before:
            opened = first > begin and openings[first - 1]
            found[first - opened : last + 1] = True
    return found
