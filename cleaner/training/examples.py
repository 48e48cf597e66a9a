"""Our own examples → documents: invented articles with boilerplate, look-alikes and whole blocks of both strewn in.

Also pages of the corpora with our own boilerplate strewn in, because our articles are short. What is strewn is drawn by
generators seeded with names, so two runs make the same documents.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from cleaner.document import Kind
from cleaner.normalize import normalize_lines
from cleaner.training.align import BOILERPLATE, CONTENT, UNDECIDED
from cleaner.training.corpora import OWN, Document, fold_of_site

WEIGHT_OF_STREWN = 0.5

# Each upstream's text of a page is strewn with our own lines with this probability, until one is; of those, and of our
# own articles, this share gets a letter.
STREWN_SHARE, LETTER_SHARE = 0.5, 0.7
# A page whose article ends before this line is too short to be strewn.
SHORTEST_STREWN = 4

_IN_FRONT = frozenset({Kind.BYLINE, Kind.NAVIGATION, Kind.SHARING, Kind.CAPTION, Kind.RESIDUE})
_IN_THE_MIDDLE = frozenset({Kind.ADVERT, Kind.RELATED, Kind.SUBSCRIPTION, Kind.CAPTION, Kind.RESIDUE, Kind.LEGAL})
_BEHIND = frozenset(Kind) - {Kind.BYLINE, Kind.CAPTION, Kind.CONTENT, Kind.HEADLINE}


def _read_jsonl(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


_Card = TypeVar("_Card")
_Pair = tuple[str, Kind]
_Row = tuple[str, int, Kind | None, int]

_LABEL_OF = {Kind.CONTENT: CONTENT, Kind.HEADLINE: UNDECIDED}


def _own(name: str, pairs: list[_Pair], site: str) -> Document:
    lines, labels, kinds, aligned = (list(column) for column in zip(*_rows(pairs), strict=True))
    return Document(f"{OWN}/{name}", site, OWN, lines, labels, kinds, aligned)


def read_examples(folder: Path, folds: int, copies: int = 8) -> list[Document]:
    """Our own articles as they are, and again with our own boilerplate lines, letters and look-alikes strewn in.

    Each article comes ``copies`` times with other lines of its language, drawn by a generator seeded with its name:
    where an ad label, a read-more line or a donation letter stands is what the context has to learn. An article only
    ever meets examples of its own fold, so that every example is new to the model that judges it.
    """
    articles = _read_jsonl(folder / "articles.jsonl")
    pools = _read_pools(folder, folds)
    documents = []
    for article in articles:
        name, language = article["slug"], article["lang"]
        pairs = [(line["text"], Kind(line["kind"])) for line in article["lines"]]
        site = f"{OWN}/{name}"
        documents.append(_own(name, pairs, site))
        body = [pair for pair in pairs if pair[1] is Kind.CONTENT]
        for copy in range(copies):
            # Every copy stands in another fold, so that all examples of the language are met.
            fold = copy % folds
            if pool := pools.get((language, fold)):
                draw = random.Random(f"{name} {copy}")
                documents.append(_own(f"{name}-{copy}", _strew(draw, body, pool), f"{site}@{fold}"))
    return documents


def strewn_pages(documents: list[Document], folder: Path, folds: int) -> list[Document]:
    """Some pages of the corpora again, each with a letter or a few lines of our own in its language and fold.

    Our own articles are short; where an appeal stands behind a long one can only be learned from long ones.
    """
    pools = _read_pools(folder, folds)
    seen: set[str] = set()
    out = []
    for document in documents:
        draw = random.Random(f"{document.page} {document.upstream}")
        if document.page in seen or document.upstream in ("fullpage", OWN) or draw.random() > STREWN_SHARE:
            continue
        seen.add(document.page)
        pool = pools.get((document.language, fold_of_site(document.site, folds)))
        last = max((i for i, label in enumerate(document.labels) if label == CONTENT), default=-1)
        if pool is None or last < SHORTEST_STREWN:
            continue
        rows = list(zip(document.lines, document.labels, document.kinds, document.aligned, strict=True))
        letter = pool.letters.deal(1) if draw.random() < LETTER_SHARE else []
        blocks = letter + pool.blocks["tail"].deal(draw.randint(0, 1))
        rows[last + 1 : last + 1] = _rows([pair for block in blocks for pair in block])
        inside = [[pair] for pair in pool.middle.deal(draw.randint(0, 3))]
        inside += pool.blocks["middle"].deal(draw.randint(0, 1))
        _insert(draw, rows, [_rows(pairs) for pairs in inside], 2, last)
        rows += _rows(pool.tail.deal(draw.randint(0, 2)))
        rows[:0] = _rows([pair for block in pool.blocks["front"].deal(draw.randint(0, 1)) for pair in block])
        lines, labels, kinds, aligned = (list(column) for column in zip(*rows, strict=True))
        out.append(
            Document(f"{OWN}/{document.page}", document.site, OWN, lines, labels, kinds, aligned, WEIGHT_OF_STREWN)
        )
    return out


def _rows(pairs: list[_Pair]) -> list[_Row]:
    lines = normalize_lines([text for text, _ in pairs])
    labels = [_LABEL_OF.get(kind, BOILERPLATE) for _, kind in pairs]
    return [(line, label, kind, label) for line, label, (_, kind) in zip(lines, labels, pairs, strict=True)]


class _Deck(Generic[_Card]):
    """Examples that are dealt one after the other and from the start again, so that none is left out for long."""

    def __init__(self, cards: list[_Card], name: str) -> None:
        self._cards = random.Random(name).sample(cards, len(cards))
        self._next = 0

    def deal(self, number: int) -> list[_Card]:
        """The next few, each at most once; fewer when there are not as many."""
        number = min(number, len(self._cards))
        dealt = [self._cards[(self._next + i) % len(self._cards)] for i in range(number)]
        self._next += number
        return dealt


@dataclass(frozen=True, slots=True)
class _Pool:
    """The examples of one language and fold, by where in an article they may stand."""

    front: _Deck[_Pair]
    middle: _Deck[_Pair]
    tail: _Deck[_Pair]
    lookalikes: _Deck[_Pair]
    letters: _Deck[list[_Pair]]
    blocks: dict[str, _Deck[list[_Pair]]]


def _read_pools(folder: Path, folds: int) -> dict[tuple[str, int], _Pool]:
    lines: dict[tuple[str, int], list[_Pair]] = {}
    letters: dict[tuple[str, int], list[list[_Pair]]] = {}
    for name in ("lines", "lookalikes"):
        for row in _read_jsonl(folder / f"{name}.jsonl"):
            pair = (row["text"], Kind(row.get("kind", Kind.CONTENT)))
            lines.setdefault((row["lang"], fold_of_site(row["text"], folds)), []).append(pair)
    for row in _read_jsonl(folder / "letters.jsonl"):
        letter = [(text, Kind.APPEAL) for text in row["lines"]]
        letters.setdefault((row["lang"], fold_of_site(row["lines"][0], folds)), []).append(letter)
    blocks: dict[tuple[str, int], dict[str, list[list[_Pair]]]] = {}
    for row in _read_jsonl(folder / "blocks.jsonl"):
        block = [(line["text"], Kind(line["kind"])) for line in row["lines"]]
        places = blocks.setdefault((row["lang"], fold_of_site(block[0][0], folds)), {})
        places.setdefault(row["place"], []).append(block)
    pools = {}
    for key in sorted(lines.keys() | letters.keys() | blocks.keys()):
        pairs, name = lines.get(key, []), " ".join(map(str, key))
        pools[key] = _Pool(
            front=_Deck([pair for pair in pairs if pair[1] in _IN_FRONT], name),
            middle=_Deck([pair for pair in pairs if pair[1] in _IN_THE_MIDDLE], name),
            tail=_Deck([pair for pair in pairs if pair[1] in _BEHIND], name),
            lookalikes=_Deck([pair for pair in pairs if pair[1] is Kind.CONTENT], name),
            letters=_Deck(letters.get(key, []), name),
            blocks={place: _Deck(blocks.get(key, {}).get(place, []), name) for place in ("front", "middle", "tail")},
        )
    return pools


def _insert(draw: random.Random, lines: list[_Card], parts: list[list[_Card]], low: int, high: int) -> None:
    """Put each part somewhere from ``low`` to ``high``; places are drawn first, so that none stands within another."""
    places = [(draw.randint(low, high), number) for number in range(len(parts))]
    for place, number in sorted(places, reverse=True):
        lines[place:place] = parts[number]


def _strew(draw: random.Random, body: list[_Pair], pool: _Pool) -> list[_Pair]:
    """An article with look-alikes in it and junk before, in and behind it."""
    inside = [[pair] for pair in pool.lookalikes.deal(draw.randint(1, 5)) + pool.middle.deal(draw.randint(0, 4))]
    inside += pool.blocks["middle"].deal(draw.randint(0, 2))
    out = list(body)
    _insert(draw, out, inside, 1, len(body))
    front, tail = pool.blocks["front"].deal(draw.randint(0, 1)), pool.blocks["tail"].deal(draw.randint(0, 2))
    letter = pool.letters.deal(1) if draw.random() < LETTER_SHARE else []
    before = pool.front.deal(draw.randint(0, 2)) + [pair for block in front for pair in block]
    behind = [pair for block in letter + tail for pair in block] + pool.tail.deal(draw.randint(0, 4))
    return before + out + behind
