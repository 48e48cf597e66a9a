"""Fit, export and serve on a small corpus of our own: what was fitted is what is served, the same each time."""

import gzip
import json
import lzma
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from cleaner.context import column_bounds, context_features
from cleaner.decode import known_kinds
from cleaner.document import Kind
from cleaner.errors import InputError
from cleaner.features import HEAD, TAIL, line_features
from cleaner.model.bundle import read_bundle, read_page_classifier
from cleaner.model.pages import path_scores
from cleaner.model.scorer import SCORE_LIMIT, SCORE_UNIT
from cleaner.normalize import normalize_line
from cleaner.options import Options
from cleaner.pipeline import Cleaner
from cleaner.training import context
from cleaner.training import fit as fitting
from cleaner.training.calibration import calibrate
from cleaner.training.corpora import fold_of_site
from cleaner.training.evaluate import evaluate, word_f1
from cleaner.training.examples import read_examples
from cleaner.training.export import Fitted, write_bundle
from cleaner.training.fit import FOLDS, document_features, train
from cleaner.training.labels import line_hash
from cleaner.training.markup import MARKED_CORPORA, NEWS_CORPUS
from cleaner.training.pages import MIXED_CORPUS, PAGE_CORPORA
from cleaner.training.text import HEADS, fit_text_model, gram_matrix, line_table, path_matrix, paths_of

DATA = Path(__file__).parents[2] / "data"
# Of our examples the small corpus takes one in so many, because seven models are fitted on it.
EVERY = 5


@pytest.fixture(scope="module")
def documents():
    return read_examples(DATA / "examples", FOLDS, copies=2)


@pytest.fixture(scope="module")
def text_model(documents):
    table = line_table(documents, FOLDS)
    return fit_text_model(table, np.ones(len(table.fold), bool), 1)


def features_of(lines):
    return line_features(lines, np.array([0, len(lines)]))


def test_the_text_model_serves_what_was_fitted(documents, text_model):
    """The n-gram matrix that the estimator saw, times the weights, is what serving adds up in lanes."""
    lines = sorted({line for document in documents for line in document.lines if len(line) <= HEAD + TAIL})
    grams = gram_matrix(lines)
    logits = (grams @ text_model.weights.astype(np.float64)) * text_model.units + text_model.intercepts
    expected = np.clip(logits * SCORE_UNIT, -SCORE_LIMIT, SCORE_LIMIT).T
    scores = text_model.scores(features_of(lines))
    assert scores.shape == (len(HEADS), len(lines))
    assert abs(scores - expected).max() <= 0.5 + 1e-6


def test_the_text_model_has_learned_something(text_model):
    ad, news = text_model.scores(
        features_of(["Subscribe to our newsletter", "The mayor said that the council had voted."])
    )[0]
    assert ad > news


@pytest.fixture(scope="module")
def examples(documents, text_model):
    features = document_features(documents)
    inputs = context_features(text_model.scores(features), features).T
    # No column is constant, so that each network has a use for all of them.
    inputs = inputs + np.random.default_rng(1).integers(0, 2, inputs.shape).astype(np.float32)
    targets = np.array([context.KINDS.index(kind) for document in documents for kind in document.kinds])
    return context.Examples(np.ascontiguousarray(inputs), targets, np.ones(len(targets)))


def test_the_context_model_is_the_mean_of_its_networks(examples):
    (model,) = context.fit_context_models([examples], 5, column_bounds(len(HEADS)))
    mean, deviation = (
        examples.inputs.mean(axis=0, dtype=np.float64),
        examples.inputs.std(axis=0, dtype=np.float64) + 1e-6,
    )
    scaled = ((examples.inputs - mean) / deviation).astype(np.float32)
    logits = np.zeros((len(scaled), len(context.KINDS)))
    for number in range(context.NETWORKS):
        network = MLPClassifier(
            (context.UNITS,),
            alpha=context.PENALTY,
            batch_size=min(context.ROWS_PER_STEP, len(scaled)),
            max_iter=context.PASSES,
            learning_rate_init=context.LEARNING_RATE,
            random_state=5 + number,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            network.fit(scaled, examples.targets, sample_weight=examples.weights)
        hidden = np.maximum(scaled @ network.coefs_[0] + network.intercepts_[0], 0)
        logits += (hidden @ network.coefs_[1] + network.intercepts_[1]) / context.NETWORKS
    assert abs(model.logits(np.ascontiguousarray(examples.inputs.T)) - logits).max() < 0.02


def test_fewer_kinds_than_there_are_is_an_error(examples):
    some = examples.targets != context.KINDS.index(Kind.BIO)
    with pytest.raises(ValueError, match="kinds"):
        context.fit_context_models(
            [context.Examples(examples.inputs[some], examples.targets[some], examples.weights[some])],
            1,
            column_bounds(len(HEADS)),
        )


def test_calibration_follows_the_truth():
    draw = np.random.default_rng(1)
    raw = draw.uniform(0, 1, 5000)
    calibration = calibrate(raw, draw.uniform(0, 1, 5000) < raw**2, np.ones(5000))
    assert (np.diff(calibration.raw) >= 0).all()
    assert (np.diff(calibration.calibrated) >= 0).all()
    assert calibration(np.array([0.0, 1.0])).tolist() == [0, 1]
    assert abs(calibration(np.array([0.3, 0.5, 0.8])) - [0.09, 0.25, 0.64]).max() < 0.08
    assert ((calibration(draw.uniform(-1, 2, 100)) >= 0) & (calibration(draw.uniform(-1, 2, 100)) <= 1)).all()


@pytest.mark.parametrize("truth", [True, False])
def test_calibration_of_a_truth_without_exceptions(truth):
    calibration = calibrate(np.linspace(0, 1, 50), np.full(50, truth), np.ones(50))
    assert (np.diff(calibration(np.linspace(0, 1, 50))) >= 0).all()


def test_word_f1():
    assert word_f1("", "") == 0
    assert word_f1("a b", "a b") == 1
    assert word_f1("a b", "c") == 0
    assert word_f1("東京", "京") == pytest.approx(2 / 3)


def examples_of(name):
    return [json.loads(line) for line in (DATA / "examples" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def write_pages(path, pages):
    with lzma.open(path, "wt", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(page)}\n" for page in pages)


def page_around(story, title, noise):
    """A page that tells a story in an article, with a line of each kind of boilerplate around it."""
    lines = "".join(f'<div class="{kind}">{line}</div>' for kind, line in noise.items())
    told = "".join(f"<p>{line}</p>" for line in story)
    head = f"<html><head><title>{title}</title></head>"
    return f"{head}<body><div>{lines}</div><article><h1>{title}</h1>{told}</article></body></html>"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A corpus of our own articles on a dozen sites: as two extractors would have left them, and as pages."""
    folder = tmp_path_factory.mktemp("small")
    articles = examples_of("articles")
    lines_by_kind = defaultdict(list)
    for line in examples_of("lines"):
        lines_by_kind[line["kind"]].append(line["text"])
    rows, pages, annotations = [], [], []
    for number, article in enumerate(articles[:24]):
        gold = [line["text"] for line in article["lines"] if line["kind"] == "content"]
        title = next((line["text"] for line in article["lines"] if line["kind"] == "headline"), "")
        corpus = "fundus/en" if number % 2 else "wcxb-dev"
        page = {
            "id": f"{corpus}/{article['slug']}",
            "domain": f"site{number % 12}.example",
            "title": title or f"Story {number} of Pell",
            "gold": "\n".join(gold),
        }
        for upstream in ("goose", "fullpage"):
            lines = [line["text"] for line in article["lines"]] + (["Home", "Sport"] if upstream == "fullpage" else [])
            labels = [int(line in gold) for line in lines]
            rows.append(page | {"upstream": upstream, "title": title, "lines": lines, "labels": labels})
        noise = {kind: lines[number] for kind, lines in lines_by_kind.items()}
        pages.append(page | {"page_type": "article", "html": page_around(gold, page["title"], noise)})
        annotations += [
            {"hash": line_hash(normalize_line(line)), "page": page["id"], "kind": kind} for kind, line in noise.items()
        ]
    with gzip.open(folder / "lines-dev.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(row)}\n" for row in rows)
    (folder / "data" / "examples").mkdir(parents=True)
    for path in sorted((DATA / "examples").glob("*.jsonl")):
        some = path.read_text(encoding="utf-8").splitlines(keepends=True)[::EVERY]
        (folder / "data" / "examples" / path.name).write_text("".join(some), encoding="utf-8")
    said = "".join(f"{json.dumps(one)}\n" for one in annotations)
    (folder / "data" / "annotations.jsonl").write_text(said, encoding="utf-8")
    # One page that was read whole, with an id in three words, which must not reach a list of ids apart by white space.
    lines = [line["text"] for line in articles[0]["lines"] if line["kind"] == "content"]
    html = "".join(f"<p>{line}</p>" for line in lines)
    page = {"id": "page of ours", "domain": "ours.example", "title": "Ours", "html": f"<body><article>{html}</article>"}
    for name in PAGE_CORPORA:
        write_pages(folder / name, [page] if name == PAGE_CORPORA[0] else [])
    shop = page | {"id": "shop of ours", "domain": "shop.example", "page_type": "product", "gold": "\n".join(lines)}
    write_pages(folder / NEWS_CORPUS, pages[1::2])
    write_pages(folder / MIXED_CORPUS, [*pages[::2], shop])
    read = {"page": page["id"], "article": True, "kinds": {"content": [line_hash(normalize_line(x)) for x in lines]}}
    (folder / "data" / "readings.jsonl").write_text(json.dumps(read) + "\n", encoding="utf-8")
    return folder, rows


@pytest.fixture(scope="module")
def fits():
    """On which pages ``trained`` fitted, and what, bundle by bundle, before it was written."""
    return []


@pytest.fixture(scope="module")
def trained(small, fits):
    folder, _ = small

    def fit(documents, pages, progress):
        fits.append((pages, *real(documents, pages, progress)))
        return fits[-1][1:]

    with pytest.MonkeyPatch.context() as patch:
        real = fitting.fit
        patch.setattr(fitting, "fit", fit)
        train(folder, folder / "data", folder / "one", folder / "folds")
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_two_runs_write_the_same_bytes(trained):
    metrics = train(trained, trained / "data", trained / "again" / "one")
    assert contents(trained / "again" / "one") == contents(trained / "one")
    assert read_bundle(trained / "one").manifest["metrics"] == json.loads(json.dumps(metrics))


def test_a_bundle_written_again_is_the_same(trained, tmp_path):
    read = read_bundle(trained / "one")
    manifest, pages = read.manifest, read_page_classifier(read)
    fitted = Fitted(read.classifier, read.thresholds, manifest["metrics"])
    for folder in (tmp_path / "x" / "one", tmp_path / "y" / "one"):
        write_bundle(folder, fitted, pages, ["a", "b"], manifest["data"])
    assert contents(tmp_path / "x" / "one") == contents(tmp_path / "y" / "one")
    for name in ("weights.npz", "pages.npz"):
        assert contents(tmp_path / "x" / "one")[name] == contents(trained / "one")[name]
    again = read_bundle(tmp_path / "x" / "one")
    assert again.thresholds == read.thresholds
    features = features_of(["Share", "The council met on Tuesday."])
    assert np.array_equal(again.classifier.probabilities(features), read.classifier.probabilities(features))


def test_a_bundle_without_a_model_of_pages_judges_text_only(trained, tmp_path):
    read = read_bundle(trained / "one")
    write_bundle(tmp_path, Fitted(read.classifier, read.thresholds, {}), None, [], {})
    assert sorted(contents(tmp_path)) == ["NOTICE", "manifest.json", "weights.npz"]
    assert Cleaner.load(tmp_path).clean("The council met on Tuesday.").lines


def blocks_of(page):
    """The features of the blocks of a page, and which of them are certain."""
    lines = page.document.lines
    features = features_of(lines)
    return features, known_kinds(lines, features, Options())


def test_the_model_of_pages_serves_what_was_fitted(trained, fits):
    marked, fitted, classifier = fits[0]
    served = read_page_classifier(read_bundle(trained / "one"))
    assert len(fits) == 1 + FOLDS
    for page in marked:
        features, certain = blocks_of(page)
        for sure in (0.0, 1.0):
            asked = fitted.classifier.text_model, features, page.evidence, certain, sure
            for mine, yours in zip(classifier.score(*asked)[1:], served.score(*asked)[1:], strict=True):
                assert np.array_equal(mine, yours)


def test_a_page_is_served_as_training_reads_it(trained, fits):
    """From markup to scores: the lines and the evidence that training learned from are those that cleaning sees."""
    cleaner = Cleaner.load(trained / "one", Options(trims=False))
    bundle = read_bundle(trained / "one")
    classifier = read_page_classifier(bundle)
    marked = fits[0][0]
    html = {row["id"]: row["html"] for name in MARKED_CORPORA for row in rows_in(trained / name)}
    assert sorted(html) == sorted(page.document.page for page in marked)
    for page in marked:
        features, certain = blocks_of(page)
        scores = classifier.score(bundle.classifier.text_model, features, page.evidence, certain, 2)
        lines = cleaner.clean_html(html[page.document.page]).lines
        assert [line.text for line in lines] == page.document.lines
        assert [line.score for line in lines] == scores.boilerplate.tolist()


def rows_in(path):
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_the_path_model_serves_what_was_fitted(fits):
    """The matrix of tokens that the estimator saw, times the weights, is what serving adds up in lanes."""
    marked, _, classifier = fits[0]
    model = classifier.path_model
    for page in marked:
        evidence = page.evidence
        grams = path_matrix(paths_of(evidence))
        logits = (grams @ model.weights.astype(np.float64)) * model.units + model.intercepts
        expected = np.clip(logits * SCORE_UNIT, -SCORE_LIMIT, SCORE_LIMIT).T
        scores = path_scores(model, evidence)
        assert scores.shape == (len(HEADS), len(page.document.lines))
        assert abs(scores - expected).max() <= 0.5 + 1e-6


def test_the_model_of_pages_has_learned_something(trained, small):
    _, rows = small
    cleaner = Cleaner.load(trained / "one")
    gold = {row["id"]: row["gold"] for row in rows}
    f1 = [word_f1(cleaner.clean_html(row["html"]).text, gold[row["id"]]) for row in rows_in(trained / NEWS_CORPUS)]
    assert np.mean(f1) > 0.9


def test_every_page_is_unseen_by_exactly_one_fold(small, trained):
    _, rows = small
    ids = {path.parent.name: path.read_text(encoding="utf-8").split() for path in (trained / "folds").glob("*/ids.txt")}
    assert len(ids) == FOLDS
    assert sorted(page for pages in ids.values() for page in pages) == sorted({row["id"] for row in rows})
    for row in rows:
        assert row["id"] in ids[f"fold-{fold_of_site(row['domain'], FOLDS)}"]
    for name, pages in ids.items():
        # The page that was read whole and the shop are no pages of the line corpus, but they were fitted on.
        others = sum(name != f"fold-{fold_of_site(site, FOLDS)}" for site in ("ours.example", "shop.example"))
        seen = len({row["id"] for row in rows}) - len(pages)
        assert read_bundle(trained / "folds" / name).manifest["pages"] == seen + others


def test_the_manifest_says_what_it_was_made_of(trained):
    manifest = read_bundle(trained / "one").manifest
    assert {"lines-dev.jsonl.gz", *MARKED_CORPORA, "annotations.jsonl", "articles.jsonl"} <= set(manifest["data"])
    assert len(manifest["pages_digest"]) == 64
    assert set(manifest["files"]) == {"weights.npz", "pages.npz", "NOTICE"}
    assert "CC-BY-4.0" in (trained / "one" / "NOTICE").read_text(encoding="utf-8")


def test_evaluate_counts_what_cleaning_does(small, trained):
    _, rows = small
    table = evaluate(trained / "lines-dev.jsonl.gz", trained / "one")
    assert list(table) == sorted(["- fundus", "- wcxb-dev", "extracted", "fullpage", "goose"])
    assert [list(figures) for figures in table.values()] == [list(table["goose"])] * len(table)
    assert table["goose"] == table["extracted"]
    assert table["goose"]["docs"] == 24
    assert type(table["goose"]["docs"]) is int
    assert table["- fundus"]["docs"] + table["- wcxb-dev"]["docs"] == 24
    cleaner, hit, lost, held = Cleaner.load(trained / "one"), 0, 0, 0
    for row in rows:
        if row["upstream"] == "goose":
            for line in cleaner.clean("\n".join(row["lines"])).lines:
                content = row["labels"][line.index] == 1
                held += content
                hit += not content and not line.kept
                lost += content and not line.kept
    assert table["goose"]["lost%"] == pytest.approx(100 * lost / held)
    assert table["goose"]["bP"] == pytest.approx(hit / max(hit + lost, 1))


def test_evaluate_by_folds(trained):
    table = evaluate(trained / "lines-dev.jsonl.gz", folds=trained / "folds")
    assert table["extracted"]["docs"] == 24
    whole = evaluate(trained / "lines-dev.jsonl.gz", trained / "one")
    assert table["extracted"]["before"] == pytest.approx(whole["extracted"]["before"])


@pytest.mark.parametrize("change", ["no folds", "page twice", "page nowhere", "site twice"])
def test_folds_that_do_not_part_the_pages(small, trained, tmp_path, change):
    _, rows = small
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    pages = sorted({row["id"] for row in rows})
    lists = {
        "no folds": None,
        "page twice": (pages, pages[:1]),
        "page nowhere": (pages[1:], []),
        "site twice": (pages[::2], pages[1::2]),
    }
    for name, some in zip(("a", "b"), lists[change] or (), strict=False):
        (tmp_path / name / "ids.txt").write_text("\n".join(some), encoding="utf-8")
    with pytest.raises(InputError):
        evaluate(trained / "lines-dev.jsonl.gz", folds=tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"id": 5}'])
def test_evaluate_refuses_what_is_no_corpus(tmp_path, text):
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    with pytest.raises(InputError):
        evaluate(tmp_path / "x.jsonl.gz")


def test_train_needs_its_corpus_and_its_annotations(tmp_path):
    with pytest.raises(InputError):
        train(tmp_path, DATA, tmp_path / "out")
    with pytest.raises(InputError):
        train(tmp_path, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
