"""``clean model``: what a bundle says of itself, and whether its files are whole."""

import json
from typing import Any

import click

from cleaner.cli.choices import SETTINGS
from cleaner.cli.terminal import escape

HELP = """Look at a model.

\b
  clean model info                  the model that ships
  clean model verify models/news-2  read a bundle through, check its digests
"""

# Of a long list this many entries are shown.
SHOWN = 8


@click.group(context_settings=SETTINGS, help=HELP)
def command() -> None: ...


@command.command(context_settings=SETTINGS)
@click.argument("path", required=False, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="The whole manifest as JSON.")
def info(path: str | None, as_json: bool) -> int:
    """Show what a bundle was made from, its thresholds and its metrics."""
    from cleaner.model.bundle import find_bundle, read_bundle

    folder = find_bundle(path)
    manifest = read_bundle(folder).manifest
    if as_json:
        click.echo(json.dumps(manifest, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join([f"{'bundle':22}{escape(str(folder))}", *_facts(manifest)]))
    return 0


@command.command(context_settings=SETTINGS)
@click.argument("path", required=False, type=click.Path())
def verify(path: str | None) -> int:
    """Read a bundle through; exit 5 when it is missing, damaged or made for another version."""
    from cleaner.model.bundle import find_bundle, read_bundle

    folder = find_bundle(path)
    manifest = read_bundle(folder).manifest
    click.echo(f"{escape(str(folder))}: ok, {len(manifest.get('files', {}))} files match their digests")
    return 0


def _facts(manifest: dict[str, Any], indent: str = "") -> list[str]:
    """The manifest as lines: its plain facts, then its tables, each below its name."""
    plain = [f"{indent}{escape(str(key)):22}{_value(value)}" for key, value in manifest.items() if not _is_table(value)]
    tables = []
    for key, value in manifest.items():
        if _is_table(value):
            tables += [f"{indent}{escape(str(key))}", *_facts(value, indent + "  ")]
    return plain + tables


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _value(value: Any) -> str:
    if isinstance(value, list):
        shown = ", ".join(escape(str(part)) for part in value[:SHOWN])
        return shown + (f", … ({len(value)} in all)" if len(value) > SHOWN else "")
    return f"{value:.4f}" if isinstance(value, float) else escape(str(value))
