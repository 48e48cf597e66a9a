"""Documents to learn from, of the public corpora beside the project.

Everything that training reads becomes the same thing, a ``Document`` of normalised lines with a label, a kind where it
is known, and a weight. Which sites go into which fold is decided here too, because nothing may leak from one to the
other.
"""

import gzip
import hashlib
import json
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

_FIELDS = frozenset({"id", "domain", "upstream", "title", "gold", "lines"})


@dataclass(frozen=True, slots=True)
class Document:
    """Some normalised lines and what is known of each.

    ``labels`` are 1, 0 or -1 as in ``align``, corrected by those who read the lines; ``aligned`` are those of the gold
    text alone; ``kinds`` stand where somebody said. ``indexes`` are the numbers of the lines in the row that they came
    from, ``gold`` is the text of the article, where there is one.
    """

    page: str
    site: str
    upstream: str
    lines: list[str]
    labels: list[int]
    kinds: list[Kind | None]
    aligned: list[int]
    weight: float = 1.0
    language: str = "en"
    indexes: list[int] = field(default_factory=list)
    gold: str | None = None

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
    title = words(row["title"] or "")
    said = [Kind.HEADLINE if title and words(line) == title else annotations.kind(row["id"], line) for line in lines]
    labels, kinds = corrected(aligned, said)
    weight = weight_of_upstream(row["upstream"])
    if row["id"].startswith("fundus"):
        weight *= WEIGHT_OF_NEWS
    return Document(
        row["id"], row["domain"], row["upstream"], lines, labels, kinds, aligned, weight,
        language=_language(row["id"]), indexes=list(indexes), gold=row["gold"],
    )  # fmt: skip


def weight_of_upstream(upstream: str) -> float:
    """What a line weighs by the upstream that left it."""
    return WEIGHT_OF_FULL_PAGE if upstream == "fullpage" else 1.0


def corrected(aligned: list[int], said: list[Kind | None]) -> tuple[list[int], list[Kind | None]]:
    """Labels and kinds of lines, given the labels by alignment and what readers said."""
    labels, kinds = aligned.copy(), said.copy()
    for i, kind in enumerate(said):
        if kind is Kind.HEADLINE:
            labels[i] = UNDECIDED
        elif kind is Kind.CONTENT:
            labels[i] = CONTENT
        elif kind is not None and labels[i] == CONTENT:
            # Where the gold text holds what a reader calls boilerplate, neither is trusted.
            labels[i], kinds[i] = UNDECIDED, None
        elif kind is not None:
            labels[i] = BOILERPLATE
    return labels, kinds


def read_lines_corpus(path: Path, annotations: Annotations) -> list[Document]:
    """All documents of a line corpus (fields ``id domain upstream title gold lines``)."""
    return [document_of_row(row, annotations) for row in read_rows(path)]


_LANGUAGES = {
    "de": "de", "at": "de", "ch": "de", "fr": "fr", "es": "es", "mx": "es", "ar": "es", "it": "it", "pt": "pt",
    "br": "pt", "nl": "nl", "pl": "pl", "ru": "ru", "ua": "uk", "tr": "tr", "jp": "ja", "kr": "ko", "cn": "zh",
    "tw": "zh", "no": "no", "se": "sv", "dk": "da", "fi": "fi", "gr": "el", "cz": "cs", "hu": "hu", "ro": "ro",
    "il": "he", "vn": "vi", "id": "id", "th": "th", "ir": "fa",
}  # fmt: skip


def _language(page: str) -> str:
    """The language of the country that a news page's id names; else English, as most pages of the corpora are."""
    corpus, _, rest = page.partition("/")
    country, within, _ = rest.partition("/")
    return _LANGUAGES.get(country, "en") if corpus == "fundus" and within else "en"


def fold_of_site(site: str, folds: int) -> int:
    """The fold of a site, a hash of its name: no matter which other sites are there; ``@n`` at its end names it.

    >>> fold_of_site("example.org", 5) == fold_of_site("example.org", 5)
    True
    """
    name, _, fold = site.rpartition("@")
    if name and fold.isdecimal():
        return int(fold) % folds
    return int.from_bytes(hashlib.blake2b(site.encode(), digest_size=8).digest()) % folds
