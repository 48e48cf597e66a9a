#!/usr/bin/env python3
"""What more sites are worth: models fitted on a growing part of the sites, measured on sites that none of them saw.

    python benchmarks/learning_curve.py ../shared/corpora --folds build/folds -o build/learning-curve.json

For each held-out fold the sites of the other folds are taken in the order of a hash of their names, a part of them at
a time; our own examples are always there. The models of all sites are those that ``clean train --folds`` wrote, from
the same data. Takes about a minute a model on two cores. ``benchmarks/report.py --learning-curve`` draws the result.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from cleaner.training.corpora import LINES_CORPUS, OWN, Document, fold_of_site
from cleaner.training.evaluate import evaluate
from cleaner.training.export import write_bundle
from cleaner.training.fit import FOLDS, fit_lines, read_documents

PARTS = (0.1, 0.25, 0.5)
HELD_OUT = (0, 1)
# Sites are ordered by a hash with this many values.
_BINS = 1000
NEWS, EXTRACTED = "- fundus", "extracted"


def main() -> int:
    """Fit, measure, write one object for each part of the sites."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--folds", type=Path, required=True, help="the bundles of all sites but those of each fold")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    documents, scored = read_documents(args.corpora, args.data)
    corpus, points = args.corpora / LINES_CORPUS, []
    for part in (*PARTS, 1.0):
        tables = []
        for fold in HELD_OUT:
            rest = [one for one in documents if fold_of_site(one.site, FOLDS) != fold]
            used = _part_of(rest, part)
            unseen = {one.page for one in documents if fold_of_site(one.site, FOLDS) == fold} & scored
            with tempfile.TemporaryDirectory() as folder:
                bundle = Path(folder) / "part" if part < 1 else args.folds / f"fold-{fold}"
                if part < 1:
                    fitted, _, _ = fit_lines(used, lambda _: None)
                    write_bundle(bundle, fitted, None, [], {})
                table = evaluate(corpus, bundle, pages=frozenset(unseen))
            tables.append({"sites": len({one.site for one in used if one.upstream != OWN}), **_figures(table)})
        names = ("sites", "headroom", "lost", "headroom_extracted", "lost_extracted")
        points.append({name: sum(table[name] for table in tables) / len(tables) for name in names})
        print(json.dumps(points[-1]), file=sys.stderr, flush=True)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(points, indent=1) + "\n", encoding="utf-8")
    return 0


def _part_of(documents: list[Document], part: float) -> list[Document]:
    """Our own examples, and the pages of a part of the sites."""
    return [
        one
        for one in documents
        if one.site.startswith(f"{OWN}/") or fold_of_site(f"learning curve {one.site}", _BINS) < part * _BINS
    ]


def _figures(table: dict[str, dict[str, float]]) -> dict[str, float]:
    return {
        "headroom": table[NEWS]["headroom%"],
        "lost": table[NEWS]["lost%"],
        "headroom_extracted": table[EXTRACTED]["headroom%"],
        "lost_extracted": table[EXTRACTED]["lost%"],
    }


if __name__ == "__main__":
    sys.exit(main())
