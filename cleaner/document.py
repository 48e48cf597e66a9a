"""What a document is made of after cleaning: frozen data, no logic beyond simple views.

The words (line, kind, trim, reason) are those of ``docs/labels.md`` and the README. How a line got its verdict is
decided elsewhere; this module only gives the verdict a shape that can be read, compared, pickled and written as JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple, Protocol

# Raised by one when a field of the JSON form changes its meaning or goes away. New fields do not raise it.
RESULT_VERSION = 1


class _Word(StrEnum):
    """A word that is the same to a dictionary as its string; an enumeration has another hash, which takes longer."""

    __hash__ = str.__hash__


class Kind(_Word):
    """What a line is. The values are stable across versions."""

    CONTENT = "content"
    HEADLINE = "headline"
    ADVERT = "advert"
    APPEAL = "appeal"
    SUBSCRIPTION = "subscription"
    RELATED = "related"
    NAVIGATION = "navigation"
    SHARING = "sharing"
    LEGAL = "legal"
    BYLINE = "byline"
    CREDIT = "credit"
    BIO = "bio"
    CAPTION = "caption"
    COMMENT = "comment"
    RESIDUE = "residue"
    REPEAT = "repeat"


# The two kinds that stay unless somebody asks otherwise; all others go.
KEPT_BY_DEFAULT = frozenset({Kind.CONTENT, Kind.HEADLINE})


class Reason(_Word):
    """Who had the last word on a line."""

    MODEL = "model"
    LEXICON = "lexicon"
    CONTEXT = "context"
    SITE = "site"
    CALLER = "caller"
    BUDGET = "budget"


class Flag(_Word):
    """Why a document should not be trusted blindly."""

    NOTHING_LEFT = "nothing-left"
    OVER_BUDGET = "over-budget"
    UNDECODABLE_BYTES = "undecodable-bytes"
    NO_ARTICLE = "no-article"
    FROM_JSON_LD = "from-json-ld"
    FROM_SCRIPT = "from-script"
    MARKUP_CUT = "markup-cut"


@dataclass(frozen=True, slots=True)
class Trim:
    """A span inside a line that was cut, or replaced by a space that an upstream had lost.

    ``start`` and ``end`` are offsets in code points into the normalised line as it was before any trim, ``text`` is
    what stood there (empty for a pure insertion), ``replacement`` what stands there now (empty for a pure cut).
    """

    start: int
    end: int
    text: str
    replacement: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Line:
    """One non-blank line of the input and its fate.

    ``index`` is the 0-based number of the physical line, ``raw`` the line as it came, ``text`` the line after
    normalisation and trims (also when it was removed). ``score`` is what the model said, a calibrated probability that
    the line is boilerplate; ``kept`` is the final word. They disagree when the lexicon, the context, the caller or the
    budget overruled the model, and ``reason`` names which. Of a page, lines are its blocks of text: ``index`` is the
    number of the block and ``path`` says where it stands, as a selector.
    """

    index: int
    raw: str
    text: str
    kept: bool
    kind: Kind
    score: float
    reason: Reason
    trims: tuple[Trim, ...] = ()
    path: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The line as plain JSON types; with its ``path`` when it is a block of a page."""
        return {
            "index": self.index,
            "raw": self.raw,
            "text": self.text,
            "kept": self.kept,
            "kind": self.kind.value,
            "score": self.score,
            "reason": self.reason.value,
            "trims": [
                {"start": t.start, "end": t.end, "text": t.text, "replacement": t.replacement, "kind": t.kind.value}
                for t in self.trims
            ],
        } | ({"path": self.path} if self.path else {})


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a page says about its article; ``None`` where it is silent, and everywhere for plain text.

    ``date`` is the day of publication as ``YYYY-MM-DD``, ``language`` a BCP 47 tag, ``site`` the name of the site.
    """

    title: str | None = None
    author: str | None = None
    date: str | None = None
    language: str | None = None
    site: str | None = None
    url: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        """The metadata as plain JSON types."""
        return {name: getattr(self, name) for name in self.__slots__}


class Origin(Protocol):
    """What a result remembers of the page that it was made from, for those who ask."""

    def metadata(self) -> Metadata:
        """What the page says about its article."""

    def path(self, block: int) -> str:
        """Where a block stands, as a selector."""

    def markdown(self, lines: Sequence[Line]) -> str:
        """Some of its blocks as Markdown, by the elements that they stand in."""


class LineColumns(NamedTuple):
    """The lines of one document field by field: what ``CleanResult.lines`` is made of, when somebody asks for it."""

    index: Sequence[int]  # type: ignore[assignment]  # hides tuple.index, which nobody calls
    raw: Sequence[str]
    text: Sequence[str]
    kept: Sequence[bool]
    kind: Sequence[Kind]
    score: Sequence[float]
    reason: Sequence[Reason]
    trims: Sequence[tuple[Trim, ...]]


@dataclass(frozen=True)
class CleanResult:
    """A cleaned document: its text, and an account of every line of the input.

    ``lines`` holds every non-blank line of the input in input order, kept or not, so nothing ever vanishes. ``flags``
    says why not to trust the document; ``quality`` estimates, from 0 to 1, how likely what is left is clean and whole:
    that it has a word F1 of at least 0.8 with what an editor would leave. Of a page, lines are its blocks of text.
    """

    text: str
    flags: tuple[Flag, ...]
    quality: float
    columns: LineColumns = field(repr=False)
    origin: Origin | None = field(default=None, repr=False, compare=False)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """One ``Line`` per non-blank line of the input; made on first use: who wants only the text does not pay."""
        if self.origin is None:
            return tuple(map(Line, *self.columns))
        return tuple(map(Line, *self.columns, map(self.origin.path, self.columns.index)))

    @cached_property
    def metadata(self) -> Metadata:
        """Title, author, date and the like of a page; read on first use, because it takes as long as cleaning."""
        return self.origin.metadata() if self.origin else Metadata()

    @property
    def markdown(self) -> str:
        """The cleaned page with its headings, lists and quotes as Markdown; of plain text the text as it is."""
        return self.origin.markdown([line for line in self.lines if line.kept]) if self.origin else self.text

    @property
    def removed(self) -> tuple[Line, ...]:
        """The lines that were not kept, in input order."""
        return tuple(line for line in self.lines if not line.kept)

    def as_dict(self) -> dict[str, Any]:
        """The result as plain JSON types; ``version`` rises when a field changes its meaning."""
        return {
            "version": RESULT_VERSION,
            "text": self.text,
            "flags": [flag.value for flag in self.flags],
            "quality": self.quality,
            "lines": [line.as_dict() for line in self.lines],
        }
