"""Lets unit tests import their helper, ``tiny``, by name, and hands out the bundle that it makes."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tiny  # the path above leads to it


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory):
    """A folder with the hand-made bundle of ``tiny``."""
    return tiny.write_bundle(tmp_path_factory.mktemp("bundle") / "tiny-1")
