"""Rewrite what is expected of golden pages: ``python -m tests.golden_pages [SLUG…]``, all of them without a slug.

What the model that ships makes of it takes the place of what a person wrote, so read the diff before committing:
a change is either a better verdict or a mistake about to become the truth.
"""

import sys
from pathlib import Path

from cleaner import Cleaner

FOLDER = Path(__file__).parent


def rewrite(slug: str) -> None:
    """Clean one page and write down what came out."""
    folder = FOLDER / slug
    result = Cleaner.load().clean_html((folder / "source.html").read_bytes())
    (folder / "expected.txt").write_text(result.text + "\n", "utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.parent.name for path in FOLDER.glob("*/source.html")):
        rewrite(name)
