"""One Arrow record batch → the same batch cleaned: the core that jobs and engines have in common.

The column of text is replaced by the cleaned text, what was asked for in addition comes behind the other columns, and
those are left as they were. One row in is one row out, in its place: a document that cannot be cleaned has no text,
and its ``clean_error`` says why.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cleaner.document import CleanResult, Metadata
from cleaner.errors import CleanerError, InputError, OptionError
from cleaner.ingest.needs import needed
from cleaner.lines import decode

if TYPE_CHECKING:
    import pyarrow as pa

    from cleaner.pipeline import Cleaner

ERROR: Final = "clean_error"
# What can be asked for, each in a column of its own, named ``clean_`` and this.
EXTRAS: Final = ("kinds", "quality", "flags", "metadata", "removed")
FORMS: Final = ("auto", "text", "html")


@dataclass(frozen=True, slots=True)
class Request:
    """What to clean, and what to tell of it.

    text
        The column, or field, that holds the documents; the cleaned text takes its place. Strings, or bytes.
    form
        Whether documents are ``text`` or ``html``; ``auto`` looks at each.
    url
        The column that holds where each document came from, for its metadata and for site lines; it may be missing.
    charset
        The column that holds the encoding that each page came with; it may be missing.
    extras
        What else to tell, some of ``EXTRAS``: removed lines counted by kind, the estimate of quality, flags, metadata,
        and the removed lines themselves.
    """

    text: str = "text"
    form: str = "auto"
    url: str = "url"
    charset: str = "charset"
    extras: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check every field.

        Raises
        ------
        OptionError
            On an unknown form or extra, or one name for two fields.
        """
        if self.form not in FORMS:
            raise OptionError(f"no form is called {self.form!r}; there are {', '.join(FORMS)}")
        if self.text in {self.url, self.charset}:
            raise OptionError(f"{self.text!r} cannot be both the document and what is said of it")
        for extra in self.extras:
            if extra not in EXTRAS:
                raise OptionError(f"nothing is called {extra!r} that could be told; there are {', '.join(EXTRAS)}")
        if self.text in {ERROR, *(f"clean_{extra}" for extra in self.extras)}:
            raise OptionError(f"the text cannot be called {self.text!r}: that holds something else")
        object.__setattr__(self, "extras", tuple(extra for extra in EXTRAS if extra in self.extras))


class Outcome(NamedTuple):
    """What became of one document: its result or the reason why there is none, and the seconds that it took."""

    result: CleanResult | None
    reason: str | None
    seconds: float


MISSING: Final = Outcome(None, None, 0.0)
"""What becomes of no document."""


class ArrowCleaner:
    r"""Cleans record batches; made once a worker, because reading the model takes longer than cleaning a batch.

    >>> import pyarrow as pa
    >>> from cleaner import Cleaner
    >>> clean = ArrowCleaner(Cleaner.load(), Request(extras=("kinds",)))
    >>> clean(pa.record_batch({"id": [7], "text": ["The council met on Tuesday.\nADVERTISEMENT"]})).to_pylist()
    [{'id': 7, 'text': 'The council met on Tuesday.', 'clean_kinds': [('advert', 1)], 'clean_error': None}]
    """

    def __init__(
        self,
        cleaner: "Cleaner",
        request: Request | None = None,
        observe: Callable[[int, Outcome], None] = lambda _number, _outcome: None,
    ) -> None:
        """Clean with ``cleaner`` as ``request`` asks; ``observe`` is told of each row that holds a document."""
        needed("pyarrow", "jobs")
        self._cleaner = cleaner
        self._request = request or Request()
        self._observe = observe

    def __call__(self, batch: "pa.RecordBatch") -> "pa.RecordBatch":
        """The same rows, cleaned.

        Raises
        ------
        InputError
            When the batch has no column of documents, or it holds neither strings nor bytes.
        """
        outcomes = self.outcomes_of(batch)
        for number, outcome in enumerate(outcomes):
            if outcome is not MISSING:
                self._observe(number, outcome)
        return self.told(batch, outcomes)

    def outcomes_of(self, batch: "pa.RecordBatch") -> list[Outcome]:
        """What becomes of the document in each row.

        Raises
        ------
        InputError
            As for the batch.
        """
        return self.outcomes(*documents_of(batch, self._request))

    def told(self, batch: "pa.RecordBatch", outcomes: list[Outcome]) -> "pa.RecordBatch":
        """The same rows with what became of the document of each."""
        pa = needed("pyarrow", "jobs")
        request, schema = self._request, self.schema(batch.schema)
        batch = batch.select(_left(batch.schema, request))
        results = [outcome.result for outcome in outcomes]
        place = batch.schema.get_field_index(request.text)
        columns = batch.columns
        columns[place] = pa.array([result and result.text for result in results], schema.field(place).type)
        for extra in request.extras:
            values = [None if result is None else _EXTRA[extra](result) for result in results]
            if extra == "kinds":  # a map is made of pairs
                values = [value and list(value.items()) for value in values]
            columns.append(pa.array(values, schema.field(f"clean_{extra}").type))
        reasons = pa.array([outcome.reason for outcome in outcomes], pa.string())
        return pa.RecordBatch.from_arrays([*columns, reasons], schema=schema)

    def schema(self, schema: "pa.Schema") -> "pa.Schema":
        """What the columns of a batch will be, given what they are.

        Raises
        ------
        InputError
            As for a batch.
        """
        return cleaned_schema(schema, self._request)

    def outcomes(self, documents: list[Any], urls: list[str | None], charsets: list[str | None]) -> list[Outcome]:
        """What becomes of some documents, in order, wherever they stood; ``MISSING`` of ``None``.

        One that breaks the cleaner does not take the others along.
        """
        pages = [document is not None and is_html(document, self._request.form) for document in documents]
        texts = [number for number, document in enumerate(documents) if not (pages[number] or document is None)]
        cleaned = iter(self._clean_texts([documents[number] for number in texts], [urls[number] for number in texts]))
        outcomes = []
        for document, page, url, charset in zip(documents, pages, urls, charsets, strict=True):
            if document is None:
                outcomes.append(MISSING)
            elif page:
                outcomes.append(_guarded(partial(self._cleaner.clean_html, document, url, charset)))
            else:
                outcomes.append(next(cleaned))
        return outcomes

    def _clean_texts(self, texts: list[str | bytes], urls: list[str | None]) -> Iterable[Outcome]:
        start = perf_counter()
        try:
            results = self._cleaner.clean_batch(texts, sites=urls)
        except CleanerError:
            raise
        except Exception:  # noqa: BLE001 -- the batch is taken apart to find the document that breaks the cleaner
            pairs = zip(texts, urls, strict=True)
            return [_guarded(partial(self._cleaner.clean, text, site=url)) for text, url in pairs]
        # Texts are cleaned together; each took its share of the time by its share of the text.
        rate = (perf_counter() - start) / max(sum(map(len, texts)), 1)
        return [Outcome(result, None, rate * len(text)) for result, text in zip(results, texts, strict=True)]


def is_html(document: str | bytes, form: str) -> bool:
    """Whether a document is a page: one of ``FORMS`` says so, or its looks."""
    from cleaner.page.source import looks_like_markup

    if form != "auto":
        return form == "html"
    return looks_like_markup(document if isinstance(document, str) else decode(document)[0])


def cleaned_schema(schema: "pa.Schema", request: Request) -> "pa.Schema":
    """What the columns of a batch will be, given what they are; told without a model.

    Raises
    ------
    InputError
        When there is no column of documents, or it holds neither strings nor bytes.
    """
    pa = needed("pyarrow", "jobs")
    schema = pa.schema([schema.field(place) for place in _left(schema, request)], schema.metadata)
    place = _place_of_text(schema, request)
    field = schema.field(place)
    schema = schema.set(place, field.with_type(type_of_text(field)).with_nullable(True))
    for extra in request.extras:
        schema = schema.append(pa.field(f"clean_{extra}", _type(extra)))
    return schema.append(pa.field(ERROR, pa.string()))


def _left(schema: "pa.Schema", request: Request) -> list[int]:
    """The places of the columns that are not replaced, as those of an earlier job are."""
    told = {ERROR, *(f"clean_{extra}" for extra in request.extras)} - {request.text}
    return [place for place, name in enumerate(schema.names) if name not in told]


def _place_of_text(schema: "pa.Schema", request: Request) -> int:
    place: int = schema.get_field_index(request.text)
    if place < 0:
        # -1 also means that there are several.
        raise InputError(f"there is not one column {request.text!r}, there are {', '.join(schema.names)}")
    return place


def documents_of(batch: "pa.RecordBatch", request: Request) -> tuple[list[Any], list[str | None], list[str | None]]:
    """The documents of a batch, where each came from, and the encoding that came with it.

    Raises
    ------
    InputError
        As for the schema.
    """
    _place_of_text(batch.schema, request)
    return _strings(batch, request.text), _beside(batch, request.url), _beside(batch, request.charset)


def sizes_of(batch: "pa.RecordBatch", name: str) -> list[int]:
    """The bytes of each document; 0 where there is none."""
    if name not in batch.schema.names:
        return [0] * batch.num_rows
    type_of_text(batch.schema.field(name))
    pa, compute = needed("pyarrow", "jobs"), needed("pyarrow.compute", "jobs")
    # Dictionaries and views have no lengths.
    return [size or 0 for size in compute.binary_length(batch.column(name).cast(pa.large_binary())).to_pylist()]


def _guarded(clean: Callable[[], CleanResult]) -> Outcome:
    start = perf_counter()
    try:
        return Outcome(clean(), None, perf_counter() - start)
    except CleanerError:
        raise
    except Exception as error:  # noqa: BLE001 -- told with its type, and the document set aside
        reason = f"cleaning failed, please report this: {type(error).__name__}: {error}"
        return Outcome(None, reason, perf_counter() - start)


def _beside(batch: "pa.RecordBatch", name: str) -> list[Any]:
    """A column of strings that may be missing, or hold something else."""
    try:
        values = _strings(batch, name)
    except (InputError, KeyError):
        return [None] * batch.num_rows
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values]


def _strings(batch: "pa.RecordBatch", name: str) -> list[Any]:
    """A column of strings or bytes as a list."""
    type_of_text(batch.schema.field(name))
    values: list[Any] = batch.column(name).to_pylist()
    return values


def type_of_text(field: "pa.Field") -> "pa.DataType":
    """What cleaned text is written as, where this stood.

    Raises
    ------
    InputError
        When it holds neither strings nor bytes.
    """
    types = needed("pyarrow", "jobs").types
    pa = needed("pyarrow", "jobs")
    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    if types.is_large_string(kind) or types.is_large_binary(kind):
        return pa.large_string()
    if types.is_string_view(kind):
        return pa.string_view()
    # Where all documents are missing, nobody may have told what they would have been.
    if types.is_string(kind) or types.is_binary(kind) or types.is_binary_view(kind) or types.is_null(kind):
        return pa.string()
    raise InputError(f"column {field.name!r} holds {field.type}; documents are strings or bytes")


def _type(extra: str) -> "pa.DataType":
    pa = needed("pyarrow", "jobs")
    line = {"index": pa.int64(), "text": pa.string(), "kind": pa.string(), "score": pa.float64(), "reason": pa.string()}
    return {
        "kinds": pa.map_(pa.string(), pa.int64()),
        "quality": pa.float64(),
        "flags": pa.list_(pa.string()),
        "metadata": pa.struct(dict.fromkeys(Metadata.__slots__, pa.string())),
        "removed": pa.list_(pa.struct(line)),
    }[extra]


def taken(batch: "pa.RecordBatch", rows: list[int]) -> "pa.RecordBatch":
    """Some rows of a batch."""
    pa = needed("pyarrow", "jobs")
    try:
        return batch.take(pa.array(rows, pa.int64()))
    except pa.ArrowNotImplementedError:
        # Columns of views cannot be taken from, only cut.
        parts = [batch.slice(row, 1) for row in rows]
        return pa.concat_batches(parts) if parts else batch.slice(0, 0)


def kinds_removed(result: CleanResult) -> dict[str, int]:
    """How many lines of each kind were removed, by name."""
    counts: dict[str, int] = {}
    for kind, kept in zip(result.columns.kind, result.columns.kept, strict=True):
        if not kept:
            counts[kind.value] = counts.get(kind.value, 0) + 1
    return dict(sorted(counts.items()))


def _removed(result: CleanResult) -> list[dict[str, Any]]:
    columns = result.columns
    lines = zip(columns.index, columns.text, columns.kind, columns.score, columns.reason, columns.kept, strict=True)
    return [
        {"index": index, "text": text, "kind": kind.value, "score": score, "reason": reason.value}
        for index, text, kind, score, reason, kept in lines
        if not kept
    ]


_EXTRA: Final[dict[str, Callable[[CleanResult], Any]]] = {
    "kinds": kinds_removed,
    "quality": lambda result: result.quality,
    "flags": lambda result: [flag.value for flag in result.flags],
    "metadata": lambda result: result.metadata.as_dict(),
    "removed": _removed,
}


def told_of(result: CleanResult, request: Request) -> dict[str, Any]:
    """What a record holds of a document that was cleaned: its text, and what was asked for beside, as JSON types."""
    told = {request.text: result.text}
    for extra in request.extras:
        told[f"clean_{extra}"] = _EXTRA[extra](result)
    return told
