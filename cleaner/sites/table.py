"""``SiteLines``: the finished table, opened for reading; how often a line stands in the documents of its site."""

from math import ceil
from pathlib import Path
from typing import NamedTuple

from cleaner.errors import InputError
from cleaner.model.scorer import DECIMALS
from cleaner.sites.fingerprints import DOCUMENT, mark_of, opening_of, site_of
from cleaner.sites.store import FINISHED, open_store


class Standing(NamedTuple):
    """In how many documents of a site a line stands, of how many in all, on how many days, and how.

    ``edges`` are the documents where it stands at an edge, ``steps`` what the model said of it in all of them;
    ``varied`` is 1 when it is a template that was filled in more than one way.
    """

    documents: int
    days: int
    edges: int
    steps: int
    varied: int
    of: int

    @property
    def share(self) -> float:
        """The share of the documents of the site."""
        return self.documents / self.of if self.of else 0.0

    @property
    def edge_share(self) -> float:
        """The share of its documents where the line stands at an edge."""
        return self.edges / self.documents if self.documents else 0.0

    @property
    def score(self) -> float:
        """The mean of what the model said of the line."""
        return self.steps / self.documents / 10**DECIMALS if self.documents else 0.0


NOWHERE = Standing(0, 0, 0, 0, 0, 0)


class SiteLines:
    """The repeated lines of sites, as ``clean sites`` has counted them. Never changes; a pickle names the file.

    Threads can share it: each question is one look-up, and none leaves a trace.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a table and check all of it.

        Raises
        ------
        InputError
            When it is missing, damaged, unfinished or of another version.
        """
        self.path = Path(path).absolute()
        self._connection, meta = open_store(self.path, FINISHED)
        self._key, self.digest = meta["key"], meta["digest"]

    def documents(self, site: str) -> int:
        """How many documents of a site were counted."""
        row = self._connection.execute("SELECT documents FROM sites WHERE name = ?", [site_of(site)]).fetchone()
        return int(row[0]) if row else 0

    def fingerprint(self, line: str) -> int | None:
        """The number of a normalised line, by the key of this table."""
        mark = mark_of(line, self._key)
        return mark and mark.fingerprint

    def opening(self, line: str) -> int:
        """What the fingerprint of a line ends in, told faster."""
        return opening_of(line, self._key)

    def frequent(self, site: str, documents: int, share: float) -> dict[int, Standing]:
        """The lines of a site that stand in so many of its documents at least, and in this share of them.

        They are no more than the lines of a document divided by the share, however long the site was counted.
        """
        of = self.documents(site)
        least = max(documents, ceil(share * of))
        rows = self._connection.execute(_LINES, [site_of(site), least])
        return {number: Standing._make([*counts, of]) for number, *counts in rows}

    def standing(self, site: str, line: str) -> Standing:
        """How often a normalised line, or another filling of the same template, stands in the documents of a site."""
        return self.frequent(site, 0, 0.0).get(self.fingerprint(line) or DOCUMENT, NOWHERE)

    def __getstate__(self) -> tuple[Path, bytes]:
        return self.path, self.digest

    def __setstate__(self, state: tuple[Path, bytes]) -> None:
        """Open the file again; it has to be there, and to be the same."""
        path, digest = state
        self.__init__(path)  # type: ignore[misc]  # as unpickling makes an object without it
        if self.digest != digest:
            raise InputError(f"{path} is another table than the one that was pickled; give all workers the same file")


_LINES = """
    SELECT fingerprint, lines.documents, lines.days, edges, steps, varied FROM lines JOIN sites USING (site)
    WHERE name = ? AND lines.documents >= ?
"""
