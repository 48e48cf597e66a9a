"""``Cleaner``: the one place where the stages meet. Text in, ``CleanResult`` out.

    lines → normalize → features → trims → text model → context model → decode → quality → join

Each stage is owned by the module of its name; this one only passes arrays and lists from one to the next, a few
documents at a time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import compress, pairwise, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from cleaner.decode import ByLine, decide, drop_repeats, keep_within_budget, known_kinds
from cleaner.document import CleanResult, Flag, Kind, LineColumns, Reason, Trim
from cleaner.features import LineFeatures
from cleaner.lines import decode, join_lines, split_lines
from cleaner.model.bundle import PAGE_WEIGHTS, Bundle, read_bundle, read_page_classifier
from cleaner.model.scorer import Scores
from cleaner.normalize import normalized
from cleaner.options import Options
from cleaner.quality import document_shape
from cleaner.trims import apply_trims, repair_credits, trimmed_features, trims_within
from cleaner.wrapping import glued, join_wrapped, paragraph_starts, spans

if TYPE_CHECKING:
    from cleaner.model.pages import PageClassifier
    from cleaner.model.scorer import TextModel
    from cleaner.sites import SiteLines

# Documents are taken together until they have this many lines: enough for numpy to be worth its calls, and no more
# memory than it needs. Results do not depend on it.
LINES_AT_ONCE: Final = 8192


class _Document(NamedTuple):
    """One document on its way: its lines as they came, and what is wrong with it so far.

    ``numbers`` are those of the lines in the input; ``units`` are the texts to be judged: the lines themselves, or the
    paragraphs of a hard-wrapped document, which begin at the lines ``starts``. ``site`` is where it was published.
    """

    flags: tuple[Flag, ...]
    numbers: Sequence[int]
    raw: list[str]
    units: list[str]
    starts: list[int] | None
    site: str | None = None

    def wrapped(self, begin: int, end: int) -> list[str]:
        """Some lines as they were wrapped, before anything that tells how is normalised away."""
        return [line.strip() for line in self.raw[begin:end]]


class _Judged(NamedTuple):
    """Some documents behind the model: their lines as they came and without trims, and what is known of them."""

    as_given: list[str]
    offsets: NDArray[np.intp]
    lines: list[str]
    features: LineFeatures
    trims: dict[int, tuple[Trim, ...]]
    known: dict[int, tuple[Kind, Reason]]
    scores: Scores


class Cleaner:
    r"""Cleans article text with one model, one set of options and, if there is one, one table of site lines.

    Holds no state of any document: it can be shared by threads and pickled to workers. The same text of the same site
    with the same options always gives the same result, alone or in a batch.

        >>> from cleaner import Cleaner
        >>> story = "The council met on Tuesday and voted for the bridge."
        >>> result = Cleaner.load().clean(story + "\nADVERTISEMENT Advertisement")
        >>> result.text
        'The council met on Tuesday and voted for the bridge.'
        >>> [(line.kind.value, line.reason.value) for line in result.removed]
        [('advert', 'lexicon')]
    """

    def __init__(self, bundle: Bundle, options: Options | None = None, site_lines: "SiteLines | None" = None) -> None:
        """Use a bundle that was read already; ``Cleaner.load`` reads one."""
        self._bundle = bundle
        self._options = options or Options()
        self._site_lines = site_lines

    @classmethod
    def load(
        cls,
        bundle: str | Path | None = None,
        options: Options | None = None,
        site_lines: "SiteLines | str | Path | None" = None,
    ) -> "Cleaner":
        """Read a bundle (the one that ships, unless a folder is given) and make a cleaner of it.

        ``site_lines`` is a table that ``clean sites`` has counted, or its file: lines that a site repeats are judged
        by it as well, where a call says which site its document is from.

        Raises
        ------
        ModelError
            When the bundle is missing, damaged or made for another version.
        InputError
            When the table is.
        """
        if isinstance(site_lines, str | Path):
            from cleaner.sites import SiteLines

            site_lines = SiteLines(site_lines)
        return cls(read_bundle(bundle), options, site_lines)

    @property
    def options(self) -> Options:
        """What this cleaner does when a call gives no options of its own."""
        return self._options

    def clean(self, text: str | bytes, options: Options | None = None, *, site: str | None = None) -> CleanResult:
        """Clean one document.

        Bytes are read as UTF-8, or as their byte order mark says; what cannot be decoded is replaced and flagged.
        ``site`` is the host that published it, or its URL; it means nothing to a cleaner without site lines.
        """
        return self.clean_batch([text], options, sites=[site])[0]

    def clean_batch(
        self,
        texts: Iterable[str | bytes],
        options: Options | None = None,
        *,
        sites: Iterable[str | None] | None = None,
    ) -> list[CleanResult]:
        """Clean many documents, in order; each result is the same as ``clean`` gives for its text alone.

        ``sites`` are those of the documents, one for each.

        >>> from cleaner import Cleaner
        >>> [result.text for result in Cleaner.load().clean_batch(["", "Anzeige"])]
        ['', '']
        """
        options = options or self._options
        results: list[CleanResult] = []
        for documents in _batches(_documents(texts, sites, options.unwrap)):
            results += self._clean_together(documents, options)
        return results

    def clean_html(
        self, html: str | bytes, url: str | None = None, charset: str | None = None, options: Options | None = None
    ) -> CleanResult:
        r"""Clean a whole page; ``lines`` of the result are its blocks, and ``metadata`` is what it says of itself.

        ``url`` is where it came from: it helps to tell its date and its site. ``charset`` is the encoding that came
        with it, as in the header of its response; without one it is told from the bytes.

            >>> from cleaner import Cleaner
            >>> page = "<nav><a href=/>Home</a></nav><article><p>The council met on Tuesday and voted for the bridge."
            >>> Cleaner.load().clean_html(page).text
            'The council met on Tuesday and voted for the bridge.'
        """
        from cleaner.page.cleaning import clean_page
        from cleaner.page.source import markup_of

        options = options or self._options
        markup, replaced = markup_of(html, charset)
        by_site = self._by_site([url], options) if url else None
        clean_text = partial(self.clean, options=options, site=url)
        result = clean_page(markup, url, self._page_models, clean_text, options, by_site)
        return replace(result, flags=(Flag.UNDECODABLE_BYTES, *result.flags)) if replaced else result

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle holds: the model of pages too, because the folder may not be where it is unpickled."""
        if PAGE_WEIGHTS in self._bundle.manifest["files"]:
            self._page_classifier  # noqa: B018 -- reads it
        return self.__dict__

    @cached_property
    def _page_classifier(self) -> "PageClassifier":
        """The part of the model that judges pages, read when the first page comes."""
        return read_page_classifier(self._bundle)

    @property
    def _page_models(self) -> "tuple[TextModel, PageClassifier]":
        """What a page is judged by."""
        return self._bundle.classifier.text_model, self._page_classifier

    def _by_site(self, sites: list[str | None], options: Options) -> "ByLine | None":
        """What the site lines say of documents of these sites; nothing when there are none to ask."""
        if self._site_lines is None or not any(sites):
            return None
        from cleaner.sites.decision import BySite

        return BySite(self._site_lines, sites, options)

    def score_batch(
        self, texts: Iterable[str | bytes], options: Options | None = None
    ) -> Iterator[tuple[list[str], list[float]]]:
        """What the model says of the lines of documents: of each its normalised lines, and their scores.

        A line is what is judged as one: a paragraph of hard-wrapped text.
        """
        options = options or self._options
        for documents in _batches(_documents(texts, None, options.unwrap)):
            judged = self._judged(documents, options)
            scores = judged.scores.boilerplate.tolist()
            for begin, end in pairwise(judged.offsets.tolist()):
                yield judged.as_given[begin:end], scores[begin:end]

    def score_html(
        self, html: str | bytes, charset: str | None = None, options: Options | None = None
    ) -> tuple[list[str], list[float]]:
        """What the model says of the blocks of a page, as ``score_batch`` does of the lines of texts.

        When the page is cleaned as a text that it holds as data, or that it is, these are the lines of that text.
        """
        from cleaner.page.cleaning import score_page
        from cleaner.page.source import markup_of

        options = options or self._options
        markup, _ = markup_of(html, charset)
        as_text = partial(self.clean, options=options), lambda text: next(self.score_batch([text], options))
        return score_page(markup, self._page_models, *as_text, options)

    def _judged(self, documents: list[_Document], options: Options) -> _Judged:
        as_given = normalized([unit for document in documents for unit in document.units], options)
        offsets = np.cumsum([0, *(len(document.units) for document in documents)])
        lines, features, trims = trimmed_features(as_given, offsets, options)
        known = known_kinds(lines, features, options)
        return _Judged(as_given, offsets, lines, features, trims, known, self._bundle.classifier.score(features, known))

    def _clean_together(self, documents: list[_Document], options: Options) -> list[CleanResult]:
        as_given, offsets, lines, features, trims, known, scores = self._judged(documents, options)
        decision = decide(scores, features, known, self._bundle.thresholds, options)
        if by_site := self._by_site([document.site for document in documents], options):
            by_site(decision, as_given, scores, features)
        drop_repeats(decision, lines, features, options.removed_kinds)
        texts, trims = repair_credits(lines, decision.kinds, trims) if options.trims else (lines, trims)
        bounds = list(pairwise(offsets.tolist()))
        flags = [keep_within_budget(decision, texts, begin, end, options) for begin, end in bounds]
        shape = document_shape(scores.boilerplate, np.array(decision.kept, bool), features)
        quality: list[float] = self._bundle.classifier.quality(shape).tolist()
        results = []
        for number, (document, (begin, end)) in enumerate(zip(documents, bounds, strict=True)):
            kept = decision.kept[begin:end]
            columns = LineColumns(
                document.numbers,
                document.raw,
                texts[begin:end],
                kept,
                decision.kinds[begin:end],
                decision.scores[begin:end],
                decision.reasons[begin:end],
                [trims.get(i, ()) for i in range(begin, end)] if trims else [()] * (end - begin),
            )
            text = join_lines(compress(columns.text, kept))
            if document.starts:
                columns = _by_line(document.starts, normalized(document.raw, options), document, columns)
            results.append(CleanResult(text, document.flags + flags[number], quality[number], columns))
        return results


def _by_line(starts: list[int], pieces: list[str], document: _Document, paragraphs: LineColumns) -> LineColumns:
    """The account of a hard-wrapped document line by line: each has the fate of its paragraph."""
    sizes = np.diff([*starts, len(pieces)]).tolist()
    texts: list[str] = []
    trims: list[tuple[Trim, ...]] = []
    for start, size, changes, outcome in zip(starts, sizes, paragraphs.trims, paragraphs.text, strict=True):
        own = pieces[start : start + size]
        # A repair across a break (a tag on two lines) moves everything behind it.
        joints = glued(document.wrapped(start, start + size))
        known = changes if apply_trims(join_wrapped(own, joints), changes) == outcome else ()
        parts = [trims_within(known, begin, end) for begin, end in spans(own, joints)]
        texts += map(apply_trims, own, parts)
        trims += parts
    return LineColumns(
        document.numbers,
        document.raw,
        texts,
        _spread(paragraphs.kept, sizes),
        _spread(paragraphs.kind, sizes),
        _spread(paragraphs.score, sizes),
        _spread(paragraphs.reason, sizes),
        trims,
    )


_Value = TypeVar("_Value")


def _spread(values: Sequence[_Value], sizes: list[int]) -> list[_Value]:
    return [value for value, size in zip(values, sizes, strict=True) for _ in range(size)]


def _documents(texts: Iterable[str | bytes], sites: Iterable[str | None] | None, unwrap: bool) -> Iterator[_Document]:
    pairs = zip(texts, repeat(None)) if sites is None else zip(texts, sites, strict=True)
    for given, site in pairs:
        text, replaced = (given, False) if isinstance(given, str) else decode(given)
        index, raw = split_lines(text)
        flags = (Flag.UNDECODABLE_BYTES,) if replaced else ()
        starts = paragraph_starts(index, raw) if unwrap else None
        document = _Document(flags, index, raw, raw, starts, site)
        if starts:
            paragraphs = map(document.wrapped, starts, [*starts[1:], len(raw)])
            document = document._replace(units=[join_wrapped(lines, glued(lines)) for lines in paragraphs])
        yield document


def _batches(documents: Iterable[_Document]) -> Iterator[list[_Document]]:
    batch: list[_Document] = []
    lines = 0
    for document in documents:
        batch.append(document)
        lines += len(document.raw) + 1  # an empty document takes memory too
        if lines >= LINES_AT_ONCE:
            yield batch
            batch, lines = [], 0
    if batch:
        yield batch
