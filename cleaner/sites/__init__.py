"""Lines that a site repeats from document to document: what no single document can tell.

``fingerprints`` says when two lines are one, ``counting`` counts them in one pass, ``arrow`` does its first half on an
engine, ``store`` keeps the counts in a file, ``table`` answers from it, and ``decision`` says what follows for a line.
"""

from cleaner.sites.fingerprints import site_of
from cleaner.sites.table import SiteLines

__all__ = ["SiteLines", "site_of"]
