"""What a caller may choose: one frozen dataclass, the same for the library, the command and the configuration file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cleaner.document import KEPT_BY_DEFAULT, Kind
from cleaner.errors import OptionError


class Engine(StrEnum):
    """How the blocks of a page are judged."""

    DEFAULT = "default"
    FAST = "fast"


@dataclass(frozen=True, slots=True)
class Options:
    """How to clean. Every field has a default; ``Options()`` is what the command does without flags.

    keep, remove
        Kinds to keep or to remove against the default (``content`` and ``headline`` stay, all others go). Names are
        accepted as well as ``Kind`` members. ``content`` cannot be removed.
    threshold
        One score, 0-1, that a line of any kind must reach to be removed; ``None`` takes the thresholds of the model.
        Higher keeps more. A caller's threshold counts alone: nothing but enclosed lines, repeats and certain labels
        goes below it.
    thresholds
        The same for single kinds, over ``threshold``.
    phrases
        Lines of your own that are boilerplate wherever they stand: a line that equals one of them after normalisation,
        case aside, is removed, and its neighbours are judged knowing that. In hard-wrapped text a paragraph counts as a
        line.
    trims
        Whether boilerplate glued to a kept line is cut off and lost spaces are put back.
    unwrap
        Whether the lines of a hard-wrapped document are judged by paragraph and written one paragraph a line.
    max_removed_share
        Above this share of removed words, 0-1, a document comes back whole and flagged ``over-budget``. Off by default,
        because the text of a whole page rightly loses most of its lines.
    engine
        How pages are judged: ``default``, as well as we can, or ``fast``. Plain text has but one engine.
    plain_quotes, plain_dashes
        Write typographic quotes or dashes as ASCII. Off by default: punctuation is left as it came.

        >>> sorted(k.value for k in Options(keep=["caption"], remove=["headline"]).removed_kinds)[:4]
        ['advert', 'appeal', 'bio', 'byline']
        >>> Options(keep=["captoin"])
        Traceback (most recent call last):
            ...
        cleaner.errors.OptionError: no kind is called 'captoin'; ...
    """

    keep: frozenset[Kind] | Iterable[Kind | str] = frozenset()
    remove: frozenset[Kind] | Iterable[Kind | str] = frozenset()
    threshold: float | None = None
    thresholds: Mapping[Kind, float] | Mapping[str, float] = field(default_factory=dict, hash=False)
    phrases: tuple[str, ...] | Iterable[str] = ()
    trims: bool = True
    unwrap: bool = True
    max_removed_share: float | None = None
    engine: Engine | str = Engine.DEFAULT
    plain_quotes: bool = False
    plain_dashes: bool = False

    def __post_init__(self) -> None:
        """Bring every field into its one form, or say what is wrong with it.

        Raises
        ------
        OptionError
            On an unknown kind or engine, a kind both kept and removed, or a number outside 0-1.
        """
        for name in ("keep", "remove", "phrases"):
            if isinstance(getattr(self, name), str):
                raise OptionError(f"{name} is a list, not one string: write {name}=[{getattr(self, name)!r}]")
        keep, remove = frozenset(map(kind_named, self.keep)), frozenset(map(kind_named, self.remove))
        if both := keep & remove:
            raise OptionError(f"asked both to keep and to remove {', '.join(sorted(both))}; choose one")
        if Kind.CONTENT in remove:
            raise OptionError("content cannot be removed: nothing but boilerplate would be left")
        thresholds = {
            kind_named(kind): _share(f"threshold of {kind}", value) for kind, value in self.thresholds.items()
        }
        for name in ("threshold", "max_removed_share"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, _share(name, value))
        if self.engine not in set(Engine):
            raise OptionError(f"no engine is called {self.engine!r}; there are {', '.join(Engine)}")
        object.__setattr__(self, "engine", Engine(self.engine))
        object.__setattr__(self, "keep", keep)
        object.__setattr__(self, "remove", remove)
        object.__setattr__(self, "thresholds", thresholds)
        object.__setattr__(self, "phrases", tuple(self.phrases))

    @property
    def removed_kinds(self) -> frozenset[Kind]:
        """The kinds that go."""
        return (frozenset(Kind) - KEPT_BY_DEFAULT - frozenset(self.keep)) | frozenset(map(Kind, self.remove))


def kind_named(name: Kind | str) -> Kind:
    """The kind of that name.

    Raises
    ------
    OptionError
        When there is none.
    """
    try:
        return Kind(name)
    except ValueError:
        raise OptionError(f"no kind is called {name!r}; there are {', '.join(Kind)}") from None


def _share(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise OptionError(f"{name} is {value!r}; it must be a number from 0 to 1")
    return float(value)
