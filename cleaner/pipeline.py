"""``Cleaner``: the one place where the stages meet. Text in, ``CleanResult`` out.

    lines → normalize → features → trims → text model → context model → decode → quality → join

Each stage is owned by the module of its name; this one only passes arrays and lists from one to the next, a few
documents at a time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import numpy as np

from cleaner.decode import decide, drop_repeats, keep_within_budget, known_kinds
from cleaner.document import CleanResult, Flag, LineColumns, Trim
from cleaner.features import line_features
from cleaner.lines import decode, join_lines, split_lines
from cleaner.model.bundle import PAGE_WEIGHTS, Bundle, read_bundle, read_page_classifier
from cleaner.normalize import normalized
from cleaner.options import Options
from cleaner.quality import document_shape
from cleaner.trims import apply_trims, repair_credits, trim_lines, trims_within
from cleaner.wrapping import glued, join_wrapped, paragraph_starts, spans

if TYPE_CHECKING:
    from cleaner.model.pages import PageClassifier

# Documents are taken together until they have this many lines: enough for numpy to be worth its calls, and no more
# memory than it needs. Results do not depend on it.
LINES_AT_ONCE: Final = 4096


class _Document(NamedTuple):
    """One document on its way: its lines as they came, and what is wrong with it so far.

    ``numbers`` are those of the lines in the input; ``units`` are the texts to be judged: the lines themselves, or the
    paragraphs of a hard-wrapped document, which begin at the lines ``starts``.
    """

    flags: tuple[Flag, ...]
    numbers: Sequence[int]
    raw: list[str]
    units: list[str]
    starts: list[int] | None

    def wrapped(self, begin: int, end: int) -> list[str]:
        """Some lines as they were wrapped, before anything that tells how is normalised away."""
        return [line.strip() for line in self.raw[begin:end]]


class Cleaner:
    r"""Cleans article text with one model and one set of options.

    Holds no state of any document: it can be shared by threads and pickled to workers. The same text with the same
    options always gives the same result, alone or in a batch.

        >>> from cleaner import Cleaner
        >>> story = "The council met on Tuesday and voted for the bridge."
        >>> result = Cleaner.load().clean(story + "\nADVERTISEMENT Advertisement")
        >>> result.text
        'The council met on Tuesday and voted for the bridge.'
        >>> [(line.kind.value, line.reason.value) for line in result.removed]
        [('advert', 'lexicon')]
    """

    def __init__(self, bundle: Bundle, options: Options | None = None) -> None:
        """Use a bundle that was read already; ``Cleaner.load`` reads one."""
        self._bundle = bundle
        self._options = options or Options()

    @classmethod
    def load(cls, bundle: str | Path | None = None, options: Options | None = None) -> "Cleaner":
        """Read a bundle (the one that ships, unless a folder is given) and make a cleaner of it.

        Raises
        ------
        ModelError
            When the bundle is missing, damaged or made for another version.
        """
        return cls(read_bundle(bundle), options)

    @property
    def options(self) -> Options:
        """What this cleaner does when a call gives no options of its own."""
        return self._options

    def clean(self, text: str | bytes, options: Options | None = None) -> CleanResult:
        """Clean one document.

        Bytes are read as UTF-8, or as their byte order mark says; what cannot be decoded is replaced and flagged.
        """
        return self.clean_batch([text], options)[0]

    def clean_batch(self, texts: Iterable[str | bytes], options: Options | None = None) -> list[CleanResult]:
        """Clean many documents, in order; each result is the same as ``clean`` gives for its text alone.

        >>> from cleaner import Cleaner
        >>> [result.text for result in Cleaner.load().clean_batch(["", "Anzeige"])]
        ['', '']
        """
        options = options or self._options
        results: list[CleanResult] = []
        for documents in _batches(texts, options.unwrap):
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
        models = self._bundle.classifier.text_model, self._page_classifier
        result = clean_page(markup, url, models, lambda text: self.clean(text, options), options)
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

    def _clean_together(self, documents: list[_Document], options: Options) -> list[CleanResult]:
        lines = normalized([unit for document in documents for unit in document.units], options)
        offsets = np.cumsum([0, *(len(document.units) for document in documents)])
        features = line_features(lines, offsets)
        trims: dict[int, tuple[Trim, ...]] = {}
        if options.trims:
            lines, trims = trim_lines(lines, features)
            if trims:
                # A paragraph is judged without what was glued to it.
                features = line_features(lines, offsets)
        known = known_kinds(lines, features, options)
        scores = self._bundle.classifier.score(features, known)
        decision = decide(scores, features, known, self._bundle.thresholds, options)
        drop_repeats(decision, lines, features, options.removed_kinds)
        texts, trims = repair_credits(lines, decision.kinds, trims) if options.trims else (lines, trims)
        bounds = list(zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True))
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


def _documents(texts: Iterable[str | bytes], unwrap: bool) -> Iterator[_Document]:
    for given in texts:
        text, replaced = (given, False) if isinstance(given, str) else decode(given)
        index, raw = split_lines(text)
        flags = (Flag.UNDECODABLE_BYTES,) if replaced else ()
        starts = paragraph_starts(index, raw) if unwrap else None
        document = _Document(flags, index, raw, raw, starts)
        if starts:
            paragraphs = map(document.wrapped, starts, [*starts[1:], len(raw)])
            document = document._replace(units=[join_wrapped(lines, glued(lines)) for lines in paragraphs])
        yield document


def _batches(texts: Iterable[str | bytes], unwrap: bool) -> Iterator[list[_Document]]:
    batch: list[_Document] = []
    lines = 0
    for document in _documents(texts, unwrap):
        batch.append(document)
        lines += len(document.raw) + 1  # an empty document takes memory too
        if lines >= LINES_AT_ONCE:
            yield batch
            batch, lines = [], 0
    if batch:
        yield batch
