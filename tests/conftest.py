"""Keeps numpy to one thread: on a busy machine the threads of its products wait for each other longer than they work.

What cleaning gives must not depend on their number; ``test_properties`` asks for others by itself.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
