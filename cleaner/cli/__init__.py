"""The command ``clean``: options, bytes in and out, exit codes. What cleaning means is decided elsewhere.

Importing this package loads nothing. Each verb has a file of its own that is read when the verb is named, and the core
is loaded only once there is something to clean, so that ``clean --help`` and a filter in a shell loop start at once.
"""

import os
import sys
from collections.abc import Sequence

INTERRUPTED = 130

# The matrix products here are small: threads would only wait for each other, and starting them takes as long as
# cleaning an article.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main(args: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (those of the process by default) and return its exit code."""
    try:
        from cleaner.cli.root import run

        return run(list(sys.argv[1:] if args is None else args))
    except KeyboardInterrupt:
        # Ctrl-C is no error: unfinished files have been taken away by now, and stdout gets its last record whole.
        from cleaner.cli.output import finish_stdout

        finish_stdout()
        return INTERRUPTED
