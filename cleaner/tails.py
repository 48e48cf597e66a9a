"""What stands behind an article: from a sure line on, the rest of the document goes as a whole.

Two rests are known. One is doubtful line by line and clear in the mean: menus, lists of stories, boxes. The other is
readers' comments: three sentences of a reader read like a column, but the heading over them, the counter and the names
between them do not. Which line is which is the model's word; this module only draws the line.
"""

import numpy as np
from numpy.typing import NDArray

from cleaner.features import running
from cleaner.model.scorer import DECIMALS, in_steps

# The line that opens a rest has at least this score, and this many paragraphs of the article before it: a menu or a
# counter of comments above the article opens nothing.
SURE = 0.9
FEWEST_BEFORE = 3
# The mean score of a rest, by length, and how much of it may be paragraphs of the article; and the mean score of
# comments, of which so much looks like comments, by length again. Measured out of fold: three points of headroom on
# what extractors leave and six on whole pages, for 0.01 and 0.16 % of the content.
LEAST_MEAN, MOST_ARTICLE = 0.7, 0.1
LEAST_MEAN_OF_TALK, LEAST_TALK = 0.2, 0.8


def tail_lines(
    scores: NDArray[np.float64],
    goes: NDArray[np.bool_],
    comments: NDArray[np.bool_],
    paragraphs: NDArray[np.bool_],
    lengths: NDArray[np.intp],
    offsets: NDArray[np.intp],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which lines stand in a rest that goes, and which of them among comments, each of shape (lines,).

    ``scores`` and ``lengths`` (lines,) are those of the lines; ``goes`` says of which lines the kind is one to remove,
    ``comments`` which look like comments if they are boilerplate, ``paragraphs`` which are certainly paragraphs of the
    article; ``offsets`` (documents + 1,).

        >>> scores = np.array([0, 0, 0, 0.95, 0.3, 0.1, 0.8])
        >>> comments, long = scores > 0, np.array([1, 1, 1, 0, 0, 0, 0], bool)
        >>> tail, talk = tail_lines(scores, comments, comments, long, np.full(7, 50), np.array([0, 7]))
        >>> tail.nonzero()[0].tolist(), talk.nonzero()[0].tolist()
        ([4, 5, 6], [4, 5, 6])
    """
    tail, talk = np.zeros(len(scores), bool), np.zeros(len(scores), bool)
    at = np.flatnonzero((scores >= SURE) & goes)
    if not len(at):
        return tail, talk
    document = np.searchsorted(offsets, at, side="right") - 1
    end = offsets[document + 1]
    before = running(paragraphs)
    behind = before[at] - before[offsets[document]] >= FEWEST_BEFORE
    totals = (running(lengths * of) for of in (1, comments, paragraphs, in_steps(scores)))
    text, spoken, written, evidence = (total[end] - total[at + 1] for total in totals)
    mean = evidence / np.maximum(text * 10**DECIMALS, 1)
    article = written > MOST_ARTICLE * text
    talks = behind & comments[at] & (spoken >= LEAST_TALK * text) & (mean >= LEAST_MEAN_OF_TALK)
    for marks, opens in ((talk, talks), (tail, talks | (behind & ~article & (mean >= LEAST_MEAN)))):
        for first, last in zip(at[opens].tolist(), end[opens].tolist(), strict=True):
            marks[first + 1 : last] = True
    return tail & goes, talk & goes
