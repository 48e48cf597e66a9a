#!/usr/bin/env python3
"""Designs for the context model, compared out of fold on the same lines and the same scores of the text models.

    OMP_NUM_THREADS=1 python benchmarks/context_designs.py ../shared/corpora -o build/context-designs.md

About seven minutes on one core. The text models are made once, as ``cleaner.training.fit`` makes them; then each
design is fitted five times, without the sites of one fold, and scores the lines of that fold. A row is printed as soon
as its design is done.

Recall is of boilerplate lines, at the score that loses 0.5 % of the content lines. Times are processor seconds of one
thread. Scoring is of 60,000 lines in batches of about 1,024, the computing of the columns left out; fitting is of one
model, and where a design builds on another, both count.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits

from cleaner.context import column_bounds
from cleaner.document import Kind
from cleaner.features import DENSE
from cleaner.model.scorer import Calibration, Perceptron, softmax
from cleaner.training.align import BOILERPLATE, CONTENT
from cleaner.training.calibration import calibrate
from cleaner.training.context import KINDS, NETWORKS, Examples, average, fit_network, scale_of
from cleaner.training.corpora import OWN, fold_of_site
from cleaner.training.fit import FOLDS, NEWS, SEED, _out_of_fold_inputs, line_weights, read_documents
from cleaner.training.kinds import KindModel, targets_of
from cleaner.training.text import HEADS, fit_text_model, line_table

LOST = 0.005
TIMED_LINES, BATCH_LINES = 60_000, 1024
# Of the text of whole pages the context models learn from this share, and it weighs as much as all of it, to save time.
FULL_PAGES = 0.4
# Draws of sites for the interval of a difference.
DRAWS = 100
TREES, LEAVES = 100, 31
# How far the second pass sees, and what counts as sure there.
REACH, SURE = 3, 0.9
# How much a chain may say against the scores: at 1 all that its transitions do, near 0 nothing.
STRENGTHS = (0.05, 0.1, 0.25, 0.5, 1.0)
_DOCUMENTS_AT_ONCE = 64
# Sites are ordered by a hash with this many values.
_BINS = 1000
_GOOD = [KINDS.index(Kind.CONTENT), KINDS.index(Kind.HEADLINE)]

HEADER = """\
| design | AP extracted | AP news | recall extracted | recall news | score 60,000 lines, s | size, kB | fit, s \
| AP against shipped, extracted | the same, news |
|---|---|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Lines:
    """All lines side by side: ``inputs`` (lines, columns), the rest (lines,); ``groups`` are what is measured.

    ``truth`` is 1 for boilerplate, 0 for main content, -1 where nobody knows.
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.intp]
    weights: NDArray[np.float64]
    truth: NDArray[np.int8]
    fold: NDArray[np.intp]
    document: NDArray[np.intp]
    site: NDArray[np.intp]
    own: NDArray[np.bool_]
    groups: dict[str, NDArray[np.bool_]]

    def learned(self, held_out: int) -> NDArray[np.bool_]:
        """The lines that a model without that fold learns from."""
        learned: NDArray[np.bool_] = (self.targets >= 0) & (self.fold != held_out)
        return learned

    def judged(self, held_out: int) -> NDArray[np.bool_]:
        """The lines of the corpora outside that fold whose label is known."""
        judged: NDArray[np.bool_] = (self.truth >= 0) & ~self.own & (self.fold != held_out)
        return judged


class Model(Protocol):
    """From columns (columns, lines) and documents (lines,) to scores of boilerplate (lines,)."""

    @property
    def size(self) -> int:
        """Bytes of its arrays."""

    def __call__(self, inputs: NDArray[np.float32], document: NDArray[np.intp], /) -> NDArray[np.float64]:
        """Score the lines of whole documents."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The models of a design by the fold that they never saw, their scores of it, and seconds for one of them."""

    models: dict[int, Model]
    scores: NDArray[np.float64]
    seconds: float


Design = Callable[[Lines, int], Model]


@dataclass(frozen=True, slots=True)
class Perceptrons:
    """The shipped design: the average of a few small perceptrons."""

    network: Perceptron

    @classmethod
    def fit(cls, lines: Lines, held_out: int, extra: NDArray[np.float32] | None = None) -> "Perceptrons":
        """Fit as ``fit_context_models`` does, but in this process; ``extra`` columns (lines, n) are 0 to 256."""
        use = lines.learned(held_out)
        inputs = lines.inputs[use] if extra is None else np.hstack([lines.inputs[use], extra[use]])
        mean, deviation = scale_of(inputs)
        examples = Examples(inputs, lines.targets[use], lines.weights[use])
        fitted = [fit_network(examples, mean, deviation, SEED + number) for number in range(NETWORKS)]
        bounds = column_bounds(len(HEADS)) + (256,) * (inputs.shape[1] - lines.inputs.shape[1])
        return cls(average(fitted, mean, deviation, bounds))

    @property
    def size(self) -> int:
        """Bytes of its arrays."""
        return sum(array.nbytes for array in self.network)

    def __call__(self, inputs: NDArray[np.float32], _: NDArray[np.intp]) -> NDArray[np.float64]:
        """One less content and title."""
        scores: NDArray[np.float64] = 1 - softmax(self.network.logits(inputs))[:, _GOOD].sum(axis=1)
        return scores


@dataclass(frozen=True, slots=True)
class Trees:
    """Boosted trees that tell boilerplate from the rest."""

    forest: HistGradientBoostingClassifier

    @classmethod
    def fit(cls, lines: Lines, held_out: int) -> "Trees":
        """Fit on the same columns and weights as the perceptrons."""
        use = lines.learned(held_out)
        forest = HistGradientBoostingClassifier(
            max_iter=TREES, max_leaf_nodes=LEAVES, learning_rate=0.1, l2_regularization=1.0, min_samples_leaf=50,
            early_stopping=False, random_state=SEED,
        )  # fmt: skip
        boilerplate = ~np.isin(lines.targets[use], _GOOD)
        return cls(forest.fit(lines.inputs[use], boilerplate, sample_weight=lines.weights[use]))

    @property
    def size(self) -> int:
        """Bytes of the nodes as scikit-learn holds them."""
        return sum(tree.nodes.nbytes for trees in self.forest._predictors for tree in trees)  # noqa: SLF001 -- no public way

    def __call__(self, inputs: NDArray[np.float32], _: NDArray[np.intp]) -> NDArray[np.float64]:
        """Probabilities of boilerplate."""
        return np.asarray(self.forest.predict_proba(np.ascontiguousarray(inputs.T))[:, 1])


@dataclass(frozen=True, slots=True)
class LineOnly:
    """A logistic regression that sees no neighbours: what the words say of the line, and its shape."""

    weights: NDArray[np.float64]
    bias: float

    @classmethod
    def fit(cls, lines: Lines, held_out: int) -> "LineOnly":
        """Fit on the first columns; the scaling goes into the weights."""
        use = lines.learned(held_out)
        inputs = lines.inputs[use, : len(HEADS) + len(DENSE)].astype(np.float64)
        mean, deviation = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 0.02)
        boilerplate = ~np.isin(lines.targets[use], _GOOD)
        model = LogisticRegression(max_iter=100)
        model.fit((inputs - mean) / deviation, boilerplate, sample_weight=lines.weights[use])
        weights = model.coef_[0] / deviation
        return cls(weights, float(model.intercept_[0] - mean @ weights))

    @property
    def size(self) -> int:
        """Bytes of its arrays."""
        return self.weights.nbytes + 8

    def __call__(self, inputs: NDArray[np.float32], _: NDArray[np.intp]) -> NDArray[np.float64]:
        """Probabilities of boilerplate."""
        scores: NDArray[np.float64] = 1 / (1 + np.exp(-(self.weights @ inputs[: len(self.weights)] + self.bias)))
        return scores


@dataclass(frozen=True, slots=True)
class Chain:
    """Two states, forward and backward over the calibrated scores of another model.

    ``transition`` (from, to), ``initial`` and ``final`` are likelihoods over what the share of the state gives alone,
    to the power of the strength, so that at strength 0 the scores come out as they were.
    """

    first: Model
    calibration: Calibration
    transition: NDArray[np.float64]
    initial: NDArray[np.float64]
    final: NDArray[np.float64]

    @classmethod
    def fit(cls, lines: Lines, held_out: int, first: Fitted, strengths: tuple[float, ...]) -> "Chain":
        """Count transitions outside the fold; the strength is the best there by average precision."""
        judged = lines.judged(held_out)
        calibration = calibrate(first.scores[judged], lines.truth[judged] == 1, lines.weights[judged])
        together = lines.document[1:] == lines.document[:-1]
        pairs = np.flatnonzero(judged[1:] & judged[:-1] & together)
        begins = np.flatnonzero(judged & np.concatenate([[True], ~together]))
        ends = np.flatnonzero(judged & np.concatenate([~together, [True]]))
        share = np.bincount(lines.truth[judged], lines.weights[judged], 2) / lines.weights[judged].sum()
        counts = np.bincount(lines.truth[pairs] * 2 + lines.truth[pairs + 1], lines.weights[pairs], 4).reshape(2, 2)
        transition = counts / counts.sum(axis=1, keepdims=True) / share
        initial, final = (np.bincount(lines.truth[at], lines.weights[at], 2) for at in (begins, ends))
        initial, final = initial / initial.sum() / share, final / final.sum() / share
        tried = [
            cls(first.models[held_out], calibration, transition**power, initial**power, final**power)
            for power in strengths
        ]
        if len(tried) == 1:
            return tried[0]
        outside = lines.fold != held_out
        extracted = lines.groups["extracted"][outside]
        scores, document, labels = first.scores[outside], lines.document[outside], lines.truth[outside]
        precision = [
            average_precision_score(labels[extracted], chain.posterior(scores, document)[extracted]) for chain in tried
        ]
        print(f"strength {strengths[int(np.argmax(precision))]}", file=sys.stderr, flush=True)
        return tried[int(np.argmax(precision))]

    @property
    def size(self) -> int:
        """Bytes of its arrays and of the model below."""
        return self.first.size + sum(array.nbytes for array in (*self.calibration, self.transition)) + 32

    def __call__(self, inputs: NDArray[np.float32], document: NDArray[np.intp]) -> NDArray[np.float64]:
        """Scores of the model below, smoothed."""
        return self.posterior(self.first(inputs, document), document)

    def posterior(self, scores: NDArray[np.float64], document: NDArray[np.intp]) -> NDArray[np.float64]:
        """The probability of boilerplate at every line, given all scores of its document."""
        # Not the rounded call of a calibration, and a trace of the raw score, so that lines on one step keep an order.
        calibrated = np.interp(scores, self.calibration.raw, self.calibration.calibrated)
        calibrated = np.clip(0.999 * calibrated + 0.001 * scores, 1e-6, 1 - 1e-6)
        begins = np.flatnonzero(np.concatenate([[True], document[1:] != document[:-1]]))
        sizes = np.diff(np.append(begins, len(document)))
        order = np.argsort(sizes, kind="stable")
        out = np.empty(len(scores))
        for at in range(0, len(order), _DOCUMENTS_AT_ONCE):
            chunk = order[at : at + _DOCUMENTS_AT_ONCE]
            self._smooth(calibrated, begins[chunk], sizes[chunk], out)
        return out

    def _smooth(
        self, scores: NDArray[np.float64], begins: NDArray[np.intp], sizes: NDArray[np.intp], out: NDArray[np.float64]
    ) -> None:
        steps = np.arange(sizes.max())[:, None]
        real = steps < sizes
        rows = np.where(real, begins + steps, begins)
        emission = np.stack([1 - scores[rows], scores[rows]], axis=2)
        forward, backward = np.empty_like(emission), np.empty_like(emission)
        for step in range(len(steps)):
            before = forward[step - 1] @ self.transition if step else np.broadcast_to(self.initial, emission[0].shape)
            forward[step] = before * emission[step]
            forward[step] /= forward[step].sum(axis=1, keepdims=True)
        for step in range(len(steps) - 1, -1, -1):
            backward[step] = self.final
            if step + 1 < len(steps):
                inner = (backward[step + 1] * emission[step + 1]) @ self.transition.T
                backward[step] = np.where(real[step + 1][:, None], inner, self.final)
            backward[step] /= backward[step].sum(axis=1, keepdims=True)
        both = forward * backward
        out[rows[real]] = (both[:, :, 1] / both.sum(axis=2))[real]


@dataclass(frozen=True, slots=True)
class TwoPasses:
    """Perceptrons that also see what first ones said of the neighbours and of the document."""

    first: Model
    second: Perceptrons

    @classmethod
    def fit(cls, lines: Lines, held_out: int, first: Fitted) -> "TwoPasses":
        """Learn from scores that the first pass gave to lines it never saw."""
        extra = opinions(first.scores, lines.document)
        return cls(first.models[held_out], Perceptrons.fit(lines, held_out, extra.T))

    @property
    def size(self) -> int:
        """Bytes of the arrays of both."""
        return self.first.size + self.second.size

    def __call__(self, inputs: NDArray[np.float32], document: NDArray[np.intp]) -> NDArray[np.float64]:
        """Scores of the second pass."""
        return self.second(np.concatenate([inputs, opinions(self.first(inputs, document), document)]), document)


def opinions(scores: NDArray[np.float64], document: NDArray[np.intp]) -> NDArray[np.float32]:
    """Scores of a line and its neighbours, and the document's shares of boilerplate and of sure lines; 0 to 256."""
    padded = np.pad(scores, REACH)
    where = np.pad(document, REACH, constant_values=-1)
    shifts = [slice(step, step + len(scores)) for step in range(2 * REACH + 1)]
    columns = [padded[shift] * (where[shift] == document) for shift in shifts]
    number = document - document.min()
    size = np.maximum(np.bincount(number), 1)
    columns += [(np.bincount(number, some) / size)[number] for some in (scores, scores >= SURE, scores <= 1 - SURE)]
    shares: NDArray[np.float32] = np.rint(np.stack(columns) * 256).astype(np.float32)
    return shares


def read_lines(corpora: Path, data: Path, part: float) -> Lines:
    """Lines with the scores of text models that never saw their site."""
    documents, measured = read_documents(corpora, data)
    documents = [
        one
        for one in documents
        if one.site.startswith(f"{OWN}/") or fold_of_site(f"context designs {one.site}", _BINS) < part * _BINS
    ]
    fold = np.array([fold_of_site(document.site, FOLDS) for document in documents])
    table = line_table(documents, FOLDS)
    text_models = {held_out: fit_text_model(table, table.fold != held_out, SEED) for held_out in range(FOLDS)}
    targets, weights = targets_of(documents, KindModel(table, SEED).guesses(documents)), line_weights(documents)
    size = [len(document.lines) for document in documents]
    labels = np.array([label for document in documents for label in document.labels], np.int8)
    _, site = np.unique([document.site for document in documents], return_inverse=True)
    extracted = [one.page in measured and one.upstream not in ("fullpage", OWN) for one in documents]
    news = [chosen and one.corpus == NEWS for chosen, one in zip(extracted, documents, strict=True)]
    truth = np.select([labels == BOILERPLATE, labels == CONTENT], [1, 0], -1).astype(np.int8)
    known = truth >= 0
    whole = np.repeat([one.upstream == "fullpage" for one in documents], size)
    drawn = np.repeat([fold_of_site(one.page, _BINS) < FULL_PAGES * _BINS for one in documents], size)
    return Lines(
        inputs=_out_of_fold_inputs(documents, fold, text_models),
        targets=np.where(whole & ~drawn, -1, targets),
        weights=np.where(whole & drawn, weights / FULL_PAGES, weights),
        truth=truth,
        fold=np.repeat(fold, size),
        document=np.repeat(np.arange(len(documents)), size),
        site=np.repeat(site, size),
        own=np.repeat([document.upstream == OWN for document in documents], size),
        groups={"extracted": known & np.repeat(extracted, size), "news": known & np.repeat(news, size)},
    )


def fit_folds(lines: Lines, design: Design, before: float) -> Fitted:
    """Fit a design without each fold and score that fold; ``before`` are the seconds of what it builds on."""
    began = time.process_time()
    models = {held_out: design(lines, held_out) for held_out in range(FOLDS)}
    seconds = before + (time.process_time() - began) / FOLDS
    scores = np.zeros(len(lines.truth))
    for held_out, model in models.items():
        mine = lines.fold == held_out
        scores[mine] = model(lines.inputs[mine].T, lines.document[mine])
    return Fitted(models, scores, seconds)


def recall_at_loss(truth: NDArray[np.int8], scores: NDArray[np.float64]) -> float:
    """The share of boilerplate above the score that no more than ``LOST`` of the content exceeds."""
    content = np.sort(scores[truth == 0])[::-1]
    return float(np.mean(scores[truth == 1] > content[int(LOST * len(content))]))


def seconds_to_score(lines: Lines, model: Model) -> float:
    """For ``TIMED_LINES`` lines of what extractors left, whole documents at a time."""
    batches = list(_batches(lines))
    began = time.process_time()
    for inputs, document in batches:
        model(inputs, document)
    return (time.process_time() - began) * TIMED_LINES / sum(len(document) for _, document in batches)


def _batches(lines: Lines) -> Iterator[tuple[NDArray[np.float32], NDArray[np.intp]]]:
    extracted = np.unique(lines.document[lines.groups["extracted"]])
    rows = np.flatnonzero(np.isin(lines.document, extracted))[:TIMED_LINES]
    ends = np.append(np.flatnonzero(np.diff(lines.document[rows])) + 1, len(rows))
    begin = 0
    for end in ends.tolist():
        if end - begin >= BATCH_LINES or end == len(rows):
            batch = rows[begin:end]
            yield np.ascontiguousarray(lines.inputs[batch].T), lines.document[batch]
            begin = end


def difference(lines: Lines, group: str, scores: NDArray[np.float64], shipped: NDArray[np.float64]) -> str:
    """By how much average precision differs, and the middle 90 % of that over draws of sites."""
    mine = lines.groups[group]
    labels, sites = lines.truth[mine], lines.site[mine]
    _, site = np.unique(sites, return_inverse=True)
    draw = np.random.default_rng(SEED)
    found = []
    for number in range(DRAWS + 1):
        drawn = draw.multinomial(site.max() + 1, np.full(site.max() + 1, 1 / (site.max() + 1)))
        weights = drawn[site] if number else np.ones(len(site))
        here, there = (
            average_precision_score(labels, every[mine], sample_weight=weights) for every in (scores, shipped)
        )
        found.append(here - there)
    low, high = np.quantile(found[1:], [0.05, 0.95])
    return f"{found[0]:+.4f} ({low:+.4f} to {high:+.4f})"


def row(lines: Lines, name: str, fitted: Fitted, shipped: Fitted) -> str:
    """A row of the table."""
    cells = [name]
    for measure in (average_precision_score, recall_at_loss):
        cells += [f"{measure(lines.truth[mine], fitted.scores[mine]):.4f}" for mine in lines.groups.values()]
    model = fitted.models[0]
    cells += [f"{seconds_to_score(lines, model):.2f}", f"{model.size / 1000:.1f}", f"{fitted.seconds:.1f}"]
    if fitted is shipped:
        cells += ["", ""]
    else:
        cells += [difference(lines, group, fitted.scores, shipped.scores) for group in lines.groups]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Fit each design, measure it, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--sites", type=float, default=1.0, help="share of the sites of the corpora, to try things out")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.parent.mkdir(parents=True, exist_ok=True)
    table = []

    def add(text: str) -> None:
        table.append(text)
        print(text, flush=True)
        args.output.write_text("\n".join(table) + "\n", encoding="utf-8")

    with threadpool_limits(1):
        lines = read_lines(args.corpora, args.data, args.sites)
        counts = {name: f"{np.count_nonzero(mine):,}" for name, mine in lines.groups.items()}
        add(
            f"{np.count_nonzero(lines.targets >= 0):,} lines to learn from in {FOLDS} folds, {lines.inputs.shape[1]} "
            f"columns; measured on {counts['extracted']} lines, {counts['news']} of them of news.\n"
        )
        add(HEADER)
        shipped = fit_folds(lines, Perceptrons.fit, 0)
        add(row(lines, "perceptrons (shipped)", shipped, shipped))
        line_only = fit_folds(lines, LineOnly.fit, 0)
        add(row(lines, "logistic regression, line only", line_only, shipped))
        for name, first, strengths in (
            ("chain over line only", line_only, STRENGTHS),
            ("chain over perceptrons, full strength", shipped, (1.0,)),
            ("chain over perceptrons, best strength", shipped, STRENGTHS),
        ):
            fitted = fit_folds(lines, partial(Chain.fit, first=first, strengths=strengths), first.seconds)
            add(row(lines, name, fitted, shipped))
        fitted = fit_folds(lines, partial(TwoPasses.fit, first=shipped), shipped.seconds)
        add(row(lines, "two passes", fitted, shipped))
        fitted = fit_folds(lines, Trees.fit, 0)
        add(row(lines, f"{TREES} boosted trees", fitted, shipped))
    return 0


if __name__ == "__main__":
    sys.exit(main())
