"""What the tests of jobs have in common: a cleaner that is made by hand, and files of every kind."""

import pytest
import tiny

from cleaner import Cleaner


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory):
    """A folder with the hand-made bundle of ``tiny``."""
    return tiny.write_bundle(tmp_path_factory.mktemp("bundle") / "tiny-1")


@pytest.fixture(scope="session")
def cleaner(tiny_bundle):
    """A cleaner that removes lines with the word zzadvert."""
    return Cleaner.load(tiny_bundle)
