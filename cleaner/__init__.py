"""Strip boilerplate and advertisements from news text, line by line, and say what was removed and why.

    >>> from cleaner import Cleaner
    >>> Cleaner.load().clean("ADVERTISEMENT Advertisement").removed[0].kind.value
    'advert'

Importing this package loads nothing: the names below arrive when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cleaner.document import CleanResult, Flag, Kind, Line, Reason, Trim
    from cleaner.errors import CleanerError, InputError, ModelError, OptionError
    from cleaner.options import Options
    from cleaner.pipeline import Cleaner

__version__ = "0.1.0"

_HOME = {
    "Cleaner": "pipeline",
    "Options": "options",
    **dict.fromkeys(["CleanResult", "Flag", "Kind", "Line", "Reason", "Trim"], "document"),
    **dict.fromkeys(["CleanerError", "InputError", "ModelError", "OptionError"], "errors"),
}

__all__ = [
    "CleanResult",
    "Cleaner",
    "CleanerError",
    "Flag",
    "InputError",
    "Kind",
    "Line",
    "ModelError",
    "OptionError",
    "Options",
    "Reason",
    "Trim",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
