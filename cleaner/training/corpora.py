"""Documents to learn from: the public corpora beside the project, and our own examples inside it.

Everything becomes the same thing, a ``Document`` of normalised lines with a label, a kind where it is known, and a
weight. Which sites go into which fold is decided here too, because nothing may leak from one to the other.
"""

import gzip
import hashlib
import json
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cleaner.document import Kind
from cleaner.errors import InputError
from cleaner.lines import split_lines
from cleaner.normalize import normalize_lines
from cleaner.training.align import BOILERPLATE, CONTENT, UNDECIDED, align, words
from cleaner.training.labels import Annotations

LINES_CORPUS = "lines-dev.jsonl.gz"
OWN = "own"

# The text of whole pages is mostly menus; it must not drown what extractors leave. News of many countries is what
# users send and what the corpora hold least of.
WEIGHT_OF_FULL_PAGE = 0.3
WEIGHT_OF_NEWS = 3.0
WEIGHT_OF_STREWN = 0.5

# Of the pages this share is strewn with our own lines; of those, and of our own articles, this share gets a letter.
STREWN_SHARE, LETTER_SHARE = 0.5, 0.7
# A page whose article ends before this line is too short to be strewn.
SHORTEST_STREWN = 4

_FIELDS = frozenset({"id", "domain", "upstream", "title", "gold", "lines"})

_IN_FRONT = frozenset({Kind.BYLINE, Kind.NAVIGATION, Kind.SHARING, Kind.CAPTION, Kind.RESIDUE})
_IN_THE_MIDDLE = frozenset({Kind.ADVERT, Kind.RELATED, Kind.SUBSCRIPTION, Kind.CAPTION, Kind.RESIDUE})


@dataclass(frozen=True, slots=True)
class Document:
    """Some normalised lines and what is known of each.

    ``labels`` are 1, 0 or -1 as in ``align``, corrected by those who read the lines; ``aligned`` are those of the gold
    text alone; ``kinds`` stand where somebody said. ``indexes`` are the numbers of the lines in the row that they came
    from.
    """

    page: str
    site: str
    upstream: str
    lines: list[str]
    labels: list[int]
    kinds: list[Kind | None]
    aligned: list[int]
    weight: float = 1.0
    indexes: list[int] = field(default_factory=list)

    @property
    def corpus(self) -> str:
        """The corpus that the page stands in."""
        return self.page.split("/")[0]


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a line corpus.

    Raises
    ------
    InputError
        When the file is missing or a row is no JSON object.
    """
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):  # noqa: B007 -- the message below names it
                row = json.loads(line)
                if not (isinstance(row, dict) and row.keys() >= _FIELDS):
                    raise ValueError(  # noqa: TRY301 -- joins what json and gzip raise
                        f"a row is an object with the fields {', '.join(sorted(_FIELDS))}"
                    )
                yield row
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise InputError(f"cannot read the corpus {path} behind line {number}: {error}") from error


def document_of_row(row: dict[str, Any], annotations: Annotations) -> Document:
    """One page as one extractor delivered it, labelled by our aligner and by those who read it."""
    indexes, raw = split_lines("\n".join(row["lines"]))
    lines = normalize_lines(raw)
    aligned = align(lines, row["gold"], row["title"] or "")
    labels = aligned.copy()
    title = words(row["title"] or "")
    kinds: list[Kind | None] = []
    for i, line in enumerate(lines):
        kind = Kind.HEADLINE if title and words(line) == title else annotations.kind(row["id"], line)
        if kind is Kind.HEADLINE:
            labels[i] = UNDECIDED
        elif kind is Kind.CONTENT:
            labels[i] = CONTENT
        elif kind is not None:
            # Where the gold text holds what a reader calls boilerplate, neither is trusted.
            labels[i] = UNDECIDED if labels[i] == CONTENT else BOILERPLATE
            kind = None if labels[i] == UNDECIDED else kind
        kinds.append(kind)
    weight = WEIGHT_OF_FULL_PAGE if row["upstream"] == "fullpage" else 1.0
    if row["id"].startswith("fundus"):
        weight *= WEIGHT_OF_NEWS
    return Document(row["id"], row["domain"], row["upstream"], lines, labels, kinds, aligned, weight, list(indexes))


def read_lines_corpus(path: Path, annotations: Annotations) -> list[Document]:
    """All documents of a line corpus (fields ``id domain upstream title gold lines``)."""
    return [document_of_row(row, annotations) for row in read_rows(path)]


def _read_jsonl(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _own(name: str, pairs: list[tuple[str, Kind]], site: str) -> Document:
    kept = {Kind.CONTENT: CONTENT, Kind.HEADLINE: UNDECIDED}
    kinds = [kind for _, kind in pairs]
    lines = normalize_lines([text for text, _ in pairs])
    labels = [kept.get(kind, BOILERPLATE) for kind in kinds]
    return Document(f"{OWN}/{name}", site, OWN, lines, labels, list(kinds), labels)


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
            pool = pools.get((language, fold), _Pool())
            draw = random.Random(f"{name} {copy}")
            documents.append(_own(f"{name}-{copy}", _strew(draw, body, pool), f"{site}@{fold}"))
    return documents


def strewn_pages(documents: list[Document], folder: Path, folds: int) -> list[Document]:
    """Some pages of the corpora again, each with a letter or a few lines of our own in its language and fold.

    Our own articles are short; where an appeal stands behind a long one can only be learned from long ones. Languages
    are those of the country that the corpus names, else English.
    """
    pools = _read_pools(folder, folds)
    seen: set[str] = set()
    out = []
    for document in documents:
        draw = random.Random(f"{document.page} {document.upstream}")
        if document.page in seen or document.upstream in ("fullpage", OWN) or draw.random() > STREWN_SHARE:
            continue
        seen.add(document.page)
        pool = pools.get((_language(document), fold_of_site(document.site, folds)))
        last = max((i for i, label in enumerate(document.labels) if label == CONTENT), default=-1)
        if pool is None or last < SHORTEST_STREWN:
            continue
        rows = list(zip(document.lines, document.labels, document.kinds, document.aligned, strict=True))
        if pool.letters and draw.random() < LETTER_SHARE:
            rows[last + 1 : last + 1] = _rows(draw.choice(pool.letters))
        for pairs in draw.sample(pool.lines, min(draw.randint(0, 2), len(pool.lines))):
            rows.insert(draw.randint(2, last), _rows(pairs)[0])
        lines, labels, kinds, aligned = (list(column) for column in zip(*rows, strict=True))
        out.append(
            Document(f"{OWN}/{document.page}", document.site, OWN, lines, labels, kinds, aligned, WEIGHT_OF_STREWN)
        )
    return out


def _rows(pairs: list[tuple[str, Kind]]) -> list[tuple[str, int, Kind | None, int]]:
    return [
        (line, BOILERPLATE, kind, BOILERPLATE)
        for line, (_, kind) in zip(normalize_lines([text for text, _ in pairs]), pairs, strict=True)
    ]


_LANGUAGES = {
    "de": "de", "at": "de", "ch": "de", "fr": "fr", "es": "es", "mx": "es", "ar": "es", "it": "it", "pt": "pt",
    "br": "pt", "nl": "nl", "pl": "pl", "ru": "ru", "ua": "uk", "tr": "tr", "jp": "ja", "kr": "ko", "cn": "zh",
    "tw": "zh", "no": "no", "se": "sv", "dk": "da", "fi": "fi", "gr": "el", "cz": "cs", "hu": "hu", "ro": "ro",
    "il": "he", "vn": "vi", "id": "id", "th": "th", "ir": "fa",
}  # fmt: skip


def _language(document: Document) -> str:
    corpus, _, rest = document.page.partition("/")
    country, within, _ = rest.partition("/")
    return _LANGUAGES.get(country, "en") if corpus == "fundus" and within else "en"


def _read_pools(folder: Path, folds: int) -> dict[tuple[str, int], "_Pool"]:
    pools: dict[tuple[str, int], _Pool] = {}
    for name, read in (("lines", _read_line), ("letters", _read_letter), ("lookalikes", _read_line)):
        for row in _read_jsonl(folder / f"{name}.jsonl"):
            pairs = read(row)
            pool = pools.setdefault((row["lang"], fold_of_site(pairs[0][0], folds)), _Pool())
            getattr(pool, name).append(pairs)
    return pools


@dataclass(slots=True)
class _Pool:
    """The examples of one language and fold, each a list of lines that belong together."""

    lines: list[list[tuple[str, Kind]]] = field(default_factory=list)
    letters: list[list[tuple[str, Kind]]] = field(default_factory=list)
    lookalikes: list[list[tuple[str, Kind]]] = field(default_factory=list)


def _read_line(row: dict[str, Any]) -> list[tuple[str, Kind]]:
    return [(row["text"], Kind(row.get("kind", Kind.CONTENT)))]


def _read_letter(row: dict[str, Any]) -> list[tuple[str, Kind]]:
    return [(text, Kind.APPEAL) for text in row["lines"]]


def _strew(draw: random.Random, body: list[tuple[str, Kind]], pool: _Pool) -> list[tuple[str, Kind]]:
    """An article with look-alikes in it and junk before, in and behind it."""
    out = list(body)
    for pairs in draw.sample(pool.lookalikes, min(draw.randint(1, 5), len(pool.lookalikes))):
        out.insert(draw.randint(1, len(out)), pairs[0])
    junk = [pairs[0] for pairs in pool.lines]
    middle = [pair for pair in junk if pair[1] in _IN_THE_MIDDLE]
    for pair in draw.sample(middle, min(draw.randint(0, 3), len(middle))):
        out.insert(draw.randint(1, len(out)), pair)
    head = [pair for pair in junk if pair[1] in _IN_FRONT]
    tail = [pair for pair in junk if pair[1] not in (Kind.BYLINE, Kind.CAPTION)]
    before = draw.sample(head, min(draw.randint(0, 3), len(head)))
    behind = draw.sample(tail, min(draw.randint(0, 4), len(tail)))
    if pool.letters and draw.random() < LETTER_SHARE:
        behind[:0] = draw.choice(pool.letters)
    return before + out + behind


def fold_of_site(site: str, folds: int) -> int:
    """The fold of a site, a hash of its name: no matter which other sites are there; ``@n`` at its end names it.

    >>> fold_of_site("example.org", 5) == fold_of_site("example.org", 5)
    True
    """
    name, _, fold = site.rpartition("@")
    if name and fold.isdecimal():
        return int(fold) % folds
    return int.from_bytes(hashlib.blake2b(site.encode(), digest_size=8).digest()) % folds
