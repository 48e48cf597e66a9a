"""Line labels for any text whose main content is known: compare the lines with a gold text by runs of words.

The labels mean what those of the public line corpora mean, so that both can be trained on together; the method is the
usual one of shingling, with runs of four words.
"""

import re
from collections import Counter
from collections.abc import Sequence

BOILERPLATE, CONTENT, UNDECIDED = 0, 1, -1

# Scripts without spaces are compared letter by letter.
WORD = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]|[^\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+")
RUN = 4
# A line is content when at least this share of its words stands in runs of the gold text, boilerplate below the other.
SURE, SURELY_NOT = 0.8, 0.2


def words(text: str) -> list[str]:
    """The words of a text in lower case.

    >>> words("Don't panic, 東京!")
    ['don', 't', 'panic', '東', '京']
    """
    return WORD.findall(text.lower())


def align(lines: Sequence[str], gold: str, title: str = "") -> list[int]:
    r"""Label each line 1 (main content), 0 (boilerplate) or -1 (cannot be told), given the gold text.

    Lines too short for a run count as content when a line of the gold text equals them, and cannot be told when they
    merely occur in it. The title, and a line that comes more often than the gold text has it, cannot be told either:

        >>> gold = "What next?\nThe council will vote on the new bridge in May, he said."
        >>> align(["What next?", "The council will vote on the new bridge in May, he said.", "Share", "May"], gold)
        [1, 1, 0, -1]
    """
    gold_lines = [words(line) for line in gold.splitlines()]
    flat = [word for line in gold_lines for word in line]
    runs = {tuple(flat[i : i + RUN]) for i in range(len(flat) - RUN + 1)}
    short = Counter(tuple(line) for line in gold_lines)
    spread = {tuple(flat[i : i + n]) for n in range(1, RUN) for i in range(len(flat) - n + 1)}
    joined = " ".join(flat)
    title_words, seen, labels = words(title), Counter[tuple[str, ...]](), []
    for line in lines:
        own = words(line)
        key = tuple(own)
        seen[key] += 1
        if not own or own == title_words:
            labels.append(UNDECIDED)
        elif len(own) < RUN:
            found = CONTENT if short[key] else UNDECIDED if key in spread else BOILERPLATE
            labels.append(UNDECIDED if found == CONTENT and seen[key] > short[key] else found)
        else:
            label = _label(_covered(own, runs) / len(own))
            repeated = label == CONTENT and seen[key] > 1 and joined.count(" ".join(own)) < seen[key]
            labels.append(UNDECIDED if repeated else label)
    return labels


def _label(share: float) -> int:
    return CONTENT if share >= SURE else BOILERPLATE if share <= SURELY_NOT else UNDECIDED


def _covered(own: list[str], runs: set[tuple[str, ...]]) -> int:
    """How many of the words stand in a run that the gold text has too."""
    covered = [False] * len(own)
    for i in range(len(own) - RUN + 1):
        if tuple(own[i : i + RUN]) in runs:
            covered[i : i + RUN] = [True] * RUN
    return sum(covered)
