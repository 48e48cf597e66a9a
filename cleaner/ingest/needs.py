"""Libraries that come with an extra: imported when needed, with a message that names the extra when they are absent."""

from functools import cache
from importlib import import_module
from typing import Any

from cleaner.errors import OptionError


@cache
def needed(module: str, extra: str) -> Any:
    """The module of that name.

    Raises
    ------
    OptionError
        When it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise OptionError(f"this needs {module}; install it with: pip install 'article-cleaner[{extra}]'") from None
