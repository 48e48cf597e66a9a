"""What is whole on the disk or not there, also when the machine goes down: made beside its place, synced, renamed.

Says nothing of errors and of names beside: those are the business of whoever writes.
"""

import os
from pathlib import Path


def put_in_place(made: Path, place: Path) -> None:
    """Bring a file, or a folder of files, to the disk, and then to its place; a file that stood there is replaced."""
    # A folder in the end, when the first of its files takes most of the others along.
    for path in [*made.iterdir(), made] if made.is_dir() else [made]:
        _sync(path)
    made.replace(place)
    _sync(place.parent)


def _sync(path: Path) -> None:
    """Have a file on the disk, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
