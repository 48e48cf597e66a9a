"""Keeps numpy to one thread, and lets tests import what stands in no package by name.

On a busy machine the threads of numpy's products wait for each other longer than they work. What cleaning gives must
not depend on their number; ``test_properties`` asks for others by itself.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

TESTS = Path(__file__).parent
# The benchmarks, the tests that others compare themselves with, and ``tiny``, the helper with the hand-made bundle.
sys.path[:0] = [str(TESTS.parent / "benchmarks"), str(TESTS), str(TESTS / "unit")]
