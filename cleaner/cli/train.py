"""``clean train``: fit a model from the public corpora and the annotations, and write it as a bundle."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from cleaner.cli.choices import SETTINGS
from cleaner.cli.run import FINDINGS
from cleaner.cli.terminal import say
from cleaner.errors import CleanerError, InputError

HELP = """Fit a model and write it as a bundle. Needs article-cleaner[train].

\b
  clean train ../corpora -o models/news-2
  clean train ../corpora -o models/news-2 --folds build/folds
  clean train ../corpora --reproduce

CORPORA is the folder of the corpora that data/README.md lists. Two runs on one machine with the pinned
versions write the same bytes. The metrics go to stdout as JSON. With --reproduce the model that ships is fitted
again, elsewhere, and compared byte for byte; exit 1 when it differs.
"""
TRAINING_LIBRARIES = {"sklearn", "scipy", "joblib", "trafilatura", "lxml", "resiliparse"}


@click.command(context_settings=SETTINGS, help=HELP)
@click.argument("corpora", type=click.Path(path_type=Path))
@click.option("-o", "--output", metavar="BUNDLE", type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--reproduce", is_flag=True, help="Fit the model that ships again and compare; writes nothing.")
@click.option(
    "--data", metavar="DIR", type=click.Path(path_type=Path), default=Path("data"), show_default=True,
    help="Annotations and example lines.",
)  # fmt: skip
@click.option(
    "--folds", metavar="DIR", type=click.Path(path_type=Path),
    help="Also fit one bundle for each fold, each in a folder of its own with the page ids that it never saw.",
)  # fmt: skip
@click.option(
    "--progress", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True,
    help="Say on stderr what is being done; auto means at a terminal.",
)  # fmt: skip
def command(corpora: Path, output: Path | None, reproduce: bool, data: Path, folds: Path | None, progress: str) -> int:
    if (output is None) != reproduce or (reproduce and folds is not None):
        raise click.UsageError("give either -o BUNDLE, with --folds if you like, or --reproduce")
    for folder, what in ((corpora, "corpora"), (data, "data")):
        if not folder.is_dir():
            raise InputError(f"cannot read {folder}: the folder of {what} is not there")
    shown = progress == "always" or (progress == "auto" and sys.stderr is not None and sys.stderr.isatty())
    try:
        from cleaner.training.fit import train

        tell = say if shown else _silent
        if output is None:
            return _reproduce(lambda folder: train(corpora, data, folder, progress=tell))
        metrics = train(corpora, data, output, folds, progress=tell)
    except ModuleNotFoundError as error:
        raise without_training(error) from error
    click.echo(json.dumps(metrics, indent=2, ensure_ascii=False, default=str))
    return 0


def _reproduce(fit: Callable[[Path], object]) -> int:
    """Fit into a folder that goes away again; 0 when it holds what the shipped bundle holds, else 1."""
    from tempfile import TemporaryDirectory

    from cleaner.model.bundle import MANIFEST, find_bundle, read_bundle

    shipped = find_bundle()
    names = [*read_bundle(shipped).manifest["files"], MANIFEST]
    with TemporaryDirectory() as parent:
        again = Path(parent) / shipped.name
        fit(again)
        different = [name for name in names if (shipped / name).read_bytes() != (again / name).read_bytes()]
    if different:
        say(f"{shipped.name} was not reproduced: {', '.join(different)} came out different")
    else:
        click.echo(f"{shipped.name} was reproduced byte for byte: {', '.join(names)}")
    return FINDINGS if different else 0


def without_training(error: ModuleNotFoundError) -> Exception:
    """The error to raise when a module is missing: a hint when it is one that only training needs."""
    if (error.name or "").partition(".")[0] in TRAINING_LIBRARIES:
        return CleanerError(f"{error.name} is not installed; training needs: pip install 'article-cleaner[train]'")
    return error


def _silent(_: str) -> None:
    pass
