"""``python -m cleaner`` is the command ``clean``."""

import sys

from cleaner.cli import main

sys.exit(main())
