"""The exceptions of the package: what a caller may want to catch, and nothing else.

Every message says what was found, what was expected and what to do about it. The command turns each class into the
exit code that it carries.
"""

from typing import ClassVar


class CleanerError(Exception):
    """Base of everything that this package raises on purpose."""

    exit_code: ClassVar[int] = 2


class OptionError(CleanerError, ValueError):
    """An option has a value that it cannot have."""


class InputError(CleanerError):
    """The input cannot be read, or is not what it was said to be."""

    exit_code: ClassVar[int] = 4


class ModelError(CleanerError):
    """The bundle is missing, damaged, or made for another version."""

    exit_code: ClassVar[int] = 5


class OutputError(CleanerError):
    """The result could not be written; whatever stood at the target before still does."""

    exit_code: ClassVar[int] = 6
