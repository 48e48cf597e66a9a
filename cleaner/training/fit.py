"""The whole training: documents → text models → context models → calibration and thresholds → bundles.

Stacked by site: the context model learns from what text models say of pages that they never saw, and calibration and
thresholds from what context models say of such pages. The same function fits the bundle that ships and, on the pages
outside a fold, each bundle of the benchmark.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cleaner.context import column_bounds, context_features
from cleaner.decode import decide, known_kinds
from cleaner.document import Kind
from cleaner.errors import InputError
from cleaner.features import DENSE, LineFeatures, line_features
from cleaner.model.pages import PageClassifier
from cleaner.model.scorer import LineClassifier, Perceptron, Scores, TextModel, softmax
from cleaner.options import Options
from cleaner.quality import document_shape
from cleaner.training.align import BOILERPLATE, CONTENT, UNDECIDED
from cleaner.training.blocks import fit_page_classifier
from cleaner.training.calibration import calibrate, quality_model, thresholds_of
from cleaner.training.context import KINDS, Examples, fit_context_models
from cleaner.training.corpora import (
    LINES_CORPUS,
    OWN,
    Document,
    fold_of_site,
    read_lines_corpus,
)
from cleaner.training.evaluate import GOOD_F1, word_f1
from cleaner.training.examples import read_examples, strewn_pages
from cleaner.training.export import Fitted, data_digests, write_bundle
from cleaner.training.kinds import KindModel, targets_of
from cleaner.training.labels import read_annotations, read_readings
from cleaner.training.markup import MARKED_CORPORA, MarkedPage, read_marked_pages
from cleaner.training.pages import read_other_pages, read_pages, texts_read
from cleaner.training.text import HEADS, fit_text_model, line_table

FOLDS = 5
SEED = 20261122

NEWS = "fundus"

# The title is known by its words alone, and golds disagree about it.
WEIGHT_OF_HEADLINE = 0.5

_DOCUMENTS_AT_ONCE = 64


def train(
    corpora: Path, data: Path, output: Path, folds: Path | None = None, progress: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Fit the bundle and write it to ``output``; with ``folds``, one for each fold too, with the page ids it never saw.

    Returns the metrics that stand in the manifest. Two runs on one machine with the same libraries write the same
    bytes.

    Raises
    ------
    InputError
        When a corpus or an annotation cannot be read.
    OutputError
        When a bundle cannot be written.
    """
    documents, scored = read_documents(corpora, data, progress)
    progress("reading the blocks of all pages")
    annotations, readings = read_annotations(data / "annotations.jsonl"), read_readings(data / "readings.jsonl")
    marked = read_marked_pages(corpora, annotations, readings, texts_read(documents, readings))
    scored |= {page.document.page for page in marked}
    used = [corpora / name for name in (LINES_CORPUS, *MARKED_CORPORA)]
    sources = data_digests(*used, *sorted(data.rglob("*.jsonl")))
    fitted, page_classifier = fit(documents, marked, progress)
    write_bundle(output, fitted, page_classifier, _pages(documents, marked), sources)
    if folds is not None:
        for fold in range(FOLDS):
            progress(f"fold {fold + 1} of {FOLDS}")
            rest, unseen = _apart(documents, lambda document: document.site, fold)
            marked_rest, marked_unseen = _apart(marked, lambda page: page.document.site, fold)
            part, part_of_pages = fit(rest, marked_rest, progress)
            folder = folds / f"fold-{fold}"
            write_bundle(folder, part, part_of_pages, _pages(rest, marked_rest), sources)
            # Ids are told apart by white space, and some hold spaces; no benchmark asks for those.
            ids = [page for page in _pages(unseen, marked_unseen) if page in scored and len(page.split()) == 1]
            (folder / "ids.txt").write_text("".join(f"{page}\n" for page in ids), encoding="utf-8")
    return fitted.metrics


def read_documents(
    corpora: Path, data: Path, progress: Callable[[str], None] = lambda _: None
) -> tuple[list[Document], set[str]]:
    """All documents to learn from, and the pages among them that the line corpus holds: those that can be scored.

    Raises
    ------
    InputError
        When a corpus or an annotation cannot be read.
    """
    progress(f"reading {corpora / LINES_CORPUS}")
    documents = read_lines_corpus(corpora / LINES_CORPUS, read_annotations(data / "annotations.jsonl"))
    if not documents:
        raise InputError(f"{corpora / LINES_CORPUS} holds no documents")
    scored = {document.page for document in documents}
    progress("extracting the pages that were read whole")
    documents += read_pages(corpora, read_readings(data / "readings.jsonl"))
    documents += strewn_pages(documents, data / "examples", FOLDS) + read_examples(data / "examples", FOLDS)
    progress("extracting the pages that are no articles")
    documents += read_other_pages(corpora)
    return documents, scored


_Held = TypeVar("_Held")


def _apart(held: list[_Held], site_of: Callable[[_Held], str], fold: int) -> tuple[list[_Held], list[_Held]]:
    """What is outside a fold, and what is in it."""
    inside = [fold_of_site(site_of(one), FOLDS) == fold for one in held]
    return list(compress(held, [not one for one in inside])), list(compress(held, inside))


def _pages(documents: list[Document], marked: list[MarkedPage]) -> list[str]:
    ids = {document.page for document in documents if document.upstream != OWN}
    return sorted(ids | {page.document.page for page in marked})


def fit(
    documents: list[Document], pages: list[MarkedPage], progress: Callable[[str], None]
) -> tuple[Fitted, PageClassifier]:
    """Fit the classifier of lines on some documents, and that of blocks on some pages."""
    fitted, kind_model, text_models = fit_lines(documents, progress)
    return fitted, fit_page_classifier(pages, kind_model, text_models, FOLDS, SEED, progress)


def fit_lines(
    documents: list[Document], progress: Callable[[str], None]
) -> tuple[Fitted, KindModel, dict[int, TextModel]]:
    """Fit the classifier of lines; the kind model and the text models, by the fold they never saw, serve pages too."""
    fold = np.array([fold_of_site(document.site, FOLDS) for document in documents])
    present = np.unique(fold).tolist()
    table = line_table(documents, FOLDS)
    progress(f"text model on {table.grams.shape[0]} lines")
    text_models = {held_out: fit_text_model(table, table.fold != held_out, SEED) for held_out in present}
    final_text_model = fit_text_model(table, np.ones(len(table.fold), bool), SEED)

    lines = _Lines.of(documents, fold)
    inputs = _out_of_fold_inputs(documents, fold, text_models)
    kind_model = KindModel(table, SEED)
    targets, weights = targets_of(documents, kind_model.guesses(documents)), line_weights(documents)
    learn = targets >= 0
    progress(f"context model on {np.count_nonzero(learn)} lines")
    sets = [learn & (lines.fold != held_out) for held_out in present] + [learn]
    examples = (Examples(inputs[use], targets[use], weights[use]) for use in sets)
    models = fit_context_models(examples, SEED, column_bounds(len(HEADS)))
    raw = np.zeros((len(inputs), len(KINDS)))
    for held_out, model in zip(present, models[:-1], strict=True):
        mine = lines.fold == held_out
        raw[mine] = softmax(model.logits(inputs[mine].T))
    dense = inputs[:, len(HEADS) : len(HEADS) + len(DENSE)].T.astype(np.int32)
    offsets = np.cumsum([0, *(len(document.lines) for document in documents)])
    features = LineFeatures([], np.zeros((2, 0), np.intp), lines.lengths, dense, offsets, lines.document)
    return _finish(final_text_model, models[-1], raw, documents, lines, features), kind_model, text_models


@dataclass(frozen=True, slots=True)
class _Lines:
    """All lines of some documents side by side, with what their documents know of them."""

    labels: NDArray[np.int8]
    aligned: NDArray[np.int8]
    weights: NDArray[np.float64]
    lengths: NDArray[np.intp]
    fold: NDArray[np.intp]
    document: NDArray[np.intp]
    upstream: NDArray[np.str_]
    news: NDArray[np.bool_]
    scored: NDArray[np.bool_]

    @classmethod
    def of(cls, documents: list[Document], fold: NDArray[np.intp]) -> "_Lines":
        size = [len(document.lines) for document in documents]
        return cls(
            labels=np.array([label for document in documents for label in document.labels], np.int8),
            aligned=np.array([label for document in documents for label in document.aligned], np.int8),
            weights=np.repeat([document.weight for document in documents], size),
            lengths=np.array([len(line) for document in documents for line in document.lines]),
            fold=np.repeat(fold, size),
            document=np.repeat(np.arange(len(documents)), size),
            upstream=np.repeat([document.upstream for document in documents], size),
            news=np.repeat([document.corpus == NEWS for document in documents], size),
            scored=np.repeat([document.gold is not None for document in documents], size),
        )


def document_features(documents: list[Document]) -> LineFeatures:
    """The features of the lines of some documents."""
    offsets = np.cumsum([0, *(len(document.lines) for document in documents)])
    return line_features([line for document in documents for line in document.lines], offsets)


def _out_of_fold_inputs(
    documents: list[Document], fold: NDArray[np.intp], text_models: dict[int, TextModel]
) -> NDArray[np.float32]:
    """What the context model sees of every line, scored by the text model that never saw its site; (lines, columns)."""
    parts: list[NDArray[np.float32] | None] = [None] * len(documents)
    for held_out, model in text_models.items():
        mine = np.flatnonzero(fold == held_out).tolist()
        for begin in range(0, len(mine), _DOCUMENTS_AT_ONCE):
            chunk = mine[begin : begin + _DOCUMENTS_AT_ONCE]
            features = document_features([documents[i] for i in chunk])
            lines = [line for i in chunk for line in documents[i].lines]
            # Serving tells the context what is certain; so does training.
            certain = known_kinds(lines, features, Options())
            columns = context_features(model.scores(features, certain), features).T
            for i, part in zip(chunk, np.split(columns, features.offsets[1:-1]), strict=True):
                parts[i] = part
    return np.concatenate([part for part in parts if part is not None])


def line_weights(documents: list[Document]) -> NDArray[np.float64]:
    """What each line of some documents weighs, shape (lines,)."""
    return np.array(
        [
            document.weight * (WEIGHT_OF_HEADLINE if kind is Kind.HEADLINE else 1.0)
            for document in documents
            for kind in document.kinds
        ]
    )


def _finish(
    text_model: TextModel,
    context_model: Perceptron,
    raw: NDArray[np.float64],
    documents: list[Document],
    lines: _Lines,
    features: LineFeatures,
) -> Fitted:
    """Calibrate, set the thresholds and measure, all on lines of sites that the scoring models never saw."""
    content, headline = KINDS.index(Kind.CONTENT), KINDS.index(Kind.HEADLINE)
    rough = 1 - raw[:, content] - raw[:, headline]
    best = np.where(np.isin(np.arange(len(KINDS)), [content, headline]), -1.0, raw).argmax(axis=1)
    decided = lines.labels != UNDECIDED
    truth = lines.labels == BOILERPLATE
    calibration = calibrate(rough[decided], truth[decided], lines.weights[decided])
    scores = Scores(KINDS, calibration(rough), best, raw[:, headline] > raw[:, content])
    thresholds = thresholds_of(KINDS)
    kept = np.array(decide(scores, features, {}, thresholds, Options()).kept)
    shape = document_shape(scores.boilerplate, kept, features)
    known, good = _good_documents(documents, kept, features.offsets)
    metrics = {"out_of_fold": _measure(~kept, lines)}
    quality = quality_model(shape[:, known], good)
    return Fitted(LineClassifier(KINDS, text_model, context_model, calibration, quality), thresholds, metrics)


def _groups(lines: _Lines) -> dict[str, NDArray[np.bool_]]:
    """The lines by what they are judged by: what extractors left, of all pages and of news, and each upstream alone."""
    extracted = (lines.upstream != "fullpage") & lines.scored
    groups = {"extracted": extracted, "news": extracted & lines.news}
    groups |= {str(name): lines.scored & (lines.upstream == name) for name in np.unique(lines.upstream[lines.scored])}
    return groups


def _measure(gone: NDArray[np.bool_], lines: _Lines) -> dict[str, dict[str, float]]:
    out = {}
    for name, mine in _groups(lines).items():
        junk, held = mine & (lines.aligned == BOILERPLATE), mine & (lines.aligned == CONTENT)
        hit, miss = int(np.count_nonzero(junk & gone)), int(np.count_nonzero(held & gone))
        out[name] = {
            "precision": round(float(hit / max(hit + miss, 1)), 4),
            "recall": round(float(hit / max(int(np.count_nonzero(junk)), 1)), 4),
            "lost": round(float(miss / max(int(np.count_nonzero(held)), 1)), 5),
        }
    return out


def _good_documents(
    documents: list[Document], kept: NDArray[np.bool_], offsets: NDArray[np.intp]
) -> tuple[list[int], NDArray[np.bool_]]:
    """The documents that have a gold text, and which of them are clean and whole by it."""
    known, good = [], []
    for number, document in enumerate(documents):
        if document.gold is not None:
            left = compress(document.lines, kept[offsets[number] : offsets[number + 1]].tolist())
            known.append(number)
            good.append(word_f1("\n".join(left), document.gold) >= GOOD_F1)
    return known, np.array(good, bool)
