"""Counting the lines of sites: chunks or batches of documents → their sites, days, texts and pages, judged and counted.

What is counted is what a job looks up: texts by their lines, and pages by their blocks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

from cleaner.errors import CleanerError, InputError
from cleaner.ingest.arrow import Request, documents_of, is_html, sizes_of
from cleaner.ingest.readers import DOCUMENT_BYTES, Chunk
from cleaner.ingest.records import Item, LineError, fields_of, text_of
from cleaner.ingest.sources import JSONL, WARC
from cleaner.normalize import replace_surrogates
from cleaner.sites.arrow import batch_of_counts, day_of, days_of
from cleaner.sites.counting import Document, Judge, LineCounts, Scored, counts_of
from cleaner.sites.fingerprints import site_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from cleaner.pipeline import Cleaner


@dataclass(frozen=True, slots=True)
class LineJudge:
    """Scores the lines of documents for ``LineCounts``, those of pages too; ``form`` is that of ``Request``.

    A document that breaks the cleaner counts for nothing; ``refuse`` is told of it, and why.
    """

    cleaner: "Cleaner"
    form: str = "auto"
    refuse: Callable[[Document, str], None] = lambda _document, _reason: None

    def __call__(self, documents: "Sequence[Document]") -> Iterator[Scored | None]:
        """The normalised lines of each document, and what the model says of them."""
        pages = [is_html(document.text, self.form) for document in documents]
        texts = self._texts([document for document, page in zip(documents, pages, strict=True) if not page])
        for document, page in zip(documents, pages, strict=True):
            yield self._one(document, self._page) if page else next(texts)

    def _texts(self, documents: "list[Document]") -> Iterator[Scored | None]:
        try:
            return iter(list(self.cleaner.score_batch([document.text for document in documents])))
        except CleanerError:
            raise
        except Exception:  # noqa: BLE001 -- the batch is taken apart to find the document that breaks the cleaner
            return (self._one(document, self._text) for document in documents)

    def _one(self, document: Document, score: Callable[[Document], Scored]) -> Scored | None:
        try:
            return score(document)
        except CleanerError:
            raise
        except Exception as error:  # noqa: BLE001 -- told with its type, and the document left out
            self.refuse(document, f"cleaning failed, please report this: {type(error).__name__}: {error}")
            return None

    def _text(self, document: Document) -> Scored:
        return next(self.cleaner.score_batch([document.text]))

    def _page(self, document: Document) -> Scored:
        return self.cleaner.score_html(document.text, document.charset)


class _Found(NamedTuple):
    """What a chunk holds at one place: a document, or the reason why it is none."""

    text: str | bytes | None
    url: str | None = None
    day: date | None = None
    charset: str | None = None
    reason: str | None = None


class ChunkCounter:
    """Counts the documents of chunks: ``counted`` so many, ``without_day`` of them without a date; ``refused`` so many.

    ``torn`` says which files could not be read to their end, and why.
    ``request`` names what holds text and URL, ``date`` what holds the date. ``refuse`` is told of each document that
    cannot be counted: where it stands, why, and its bytes as they came, of which there may be none.
    """

    def __init__(
        self,
        counts: LineCounts,
        cleaner: "Cleaner",
        request: Request,
        date: str = "date",
        refuse: Callable[[str, str, bytes], None] = lambda _place, _reason, _document: None,
    ) -> None:
        """Judge with this cleaner, and count here."""
        self._counts, self._cleaner, self._request = counts, cleaner, request
        self._date, self._refuse = date, refuse
        self.counted = self.without_day = self.refused = 0
        self.torn: list[str] = []

    def add(self, chunk: Chunk) -> None:
        """Count the documents of a chunk.

        Raises
        ------
        InputError
            When its file has no column of documents.
        """
        for refused in chunk.refused:
            if refused.torn:
                self.torn.append(f"{refused.source} {refused.reason}")
            else:
                self._leave_out(f"{refused.source}:{refused.number}", refused.reason, refused.raw)
        form = "html" if chunk.format == WARC else self._request.form
        judge = LineJudge(self._cleaner, form, lambda document, reason: self._leave_out(document.name, reason, b""))
        self._counts.add(self._documents(chunk), partial(self._judged, judge))

    def _judged(self, judge: LineJudge, documents: "Sequence[Document]") -> Iterator[Scored | None]:
        """What the judge says of documents; those of which it says anything are counted."""
        for document, scored in zip(documents, judge(documents), strict=True):
            if scored is not None:
                self.counted += 1
                self.without_day += document.day is None
            yield scored

    def _documents(self, chunk: Chunk) -> Iterator[Document]:
        """What can be counted; of the rest it is told why not, but for rows that hold nothing."""
        for number, (place, found) in enumerate(zip(chunk.places, self._found(chunk), strict=True)):
            site = site_of(found.url)
            if found.text is not None and site:
                yield Document(site, found.day, found.text, found.charset, place)
            elif found.text is not None or found.reason:
                came = chunk.documents[number].data if isinstance(chunk.documents, list) else b""
                field = "url" if chunk.format == WARC else self._request.url
                self._leave_out(place, found.reason or f"no site in field {field!r}", came)

    def _leave_out(self, place: str, reason: str, document: bytes) -> None:
        self.refused += 1
        self._refuse(place, reason, document)

    def _found(self, chunk: Chunk) -> Iterator[_Found]:
        if not isinstance(chunk.documents, list):
            return self._rows(chunk.documents, chunk.source)
        return map(self._record if chunk.format == JSONL else _capture, chunk.documents)

    def _record(self, item: Item) -> _Found:
        """What a line of JSON Lines holds."""
        try:
            fields = fields_of(item.data)
            text = text_of(fields, self._request.text)
        except LineError as error:
            return _Found(None, reason=str(error))
        url = fields.get(self._request.url)
        return _Found(text, replace_surrogates(url) if isinstance(url, str) else None, day_of(fields.get(self._date)))

    def _rows(self, batch: "pa.RecordBatch", source: str) -> Iterator[_Found]:
        try:
            yield from _rows(batch, self._request, self._date)
        except InputError as error:
            raise InputError(f"{source}: {error}") from error


def _rows(batch: "pa.RecordBatch", request: Request, date: str) -> Iterator[_Found]:
    """What the rows of a table hold; of several columns of dates nobody knows which counts."""
    documents, urls, charsets = documents_of(batch, request)
    place = batch.schema.get_field_index(date)
    days = days_of(batch.column(place)) if place >= 0 else repeat(None)
    rows = zip(documents, urls, days, charsets, sizes_of(batch, request.text), strict=False)
    for document, url, day, charset, size in rows:
        if size > DOCUMENT_BYTES:
            yield _Found(None, reason=f"longer than {DOCUMENT_BYTES} bytes")
        else:
            yield _Found(document, url, day, charset)


def _capture(item: Item) -> _Found:
    """What a record of a crawl holds."""
    url = item.fields.get("url")
    return _Found(item.data, url and replace_surrogates(url), day_of(item.fields.get("date")), item.charset)


def partial_counts(
    batch: "pa.RecordBatch", judge: Judge, key: bytes, request: Request | None = None, date: str = "date"
) -> "pa.RecordBatch":
    """What the documents of a batch add to the counts of their sites: a pure function, for engines.

    It reads the columns that ``request`` and ``date`` name, as ``clean sites`` does those of a table: a document that
    has no site, or is too long, counts for nothing. ``LineCounts.add_counts`` takes the result in.

    Raises
    ------
    InputError
        When the batch has no column of documents, or it holds neither strings nor bytes.
    """
    documents = [
        Document(site, found.day, found.text, found.charset)
        for found in _rows(batch, request or Request(), date)
        if found.text is not None and (site := site_of(found.url))
    ]
    return batch_of_counts(counts_of(documents, judge, key))
