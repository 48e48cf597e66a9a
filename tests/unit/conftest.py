"""Hands out the bundle that ``tiny`` makes."""

import pytest
import tiny


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory):
    """A folder with the hand-made bundle of ``tiny``."""
    return tiny.write_bundle(tmp_path_factory.mktemp("bundle") / "tiny-1")
