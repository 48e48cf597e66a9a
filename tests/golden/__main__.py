"""Rewrite what is expected of golden articles: ``python -m tests.golden [SLUG…]``, all of them without a slug.

What the model that ships makes of it takes the place of what a person wrote, so read the diff before committing:
a change is either a better verdict or a mistake about to become the truth.
"""

import json
import sys
from pathlib import Path

from cleaner import Cleaner

FOLDER = Path(__file__).parent


def rewrite(slug: str) -> None:
    """Clean one article and write down what came out."""
    folder = FOLDER / slug
    result = Cleaner.load().clean((folder / "source.txt").read_bytes())
    removed = [{"index": line.index, "kind": line.kind.value, "line": line.raw} for line in result.removed]
    (folder / "expected.txt").write_text(result.text + "\n", "utf-8")
    rows = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in removed)
    (folder / "removed.jsonl").write_text(rows, "utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.parent.name for path in FOLDER.glob("*/source.txt")):
        rewrite(name)
