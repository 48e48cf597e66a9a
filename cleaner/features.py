r"""A batch of documents, as normalised lines, → arrays: what each line is made of and how it sits in its document.

Training and serving call the same functions, so a bundle names the ``FEATURES_VERSION`` that it was fitted with.
Everything here is exact integer work or an element-wise step on it: no value depends on what else is in the batch. What
the model makes of the arrays is left to ``model``; which neighbours matter is left to ``context``.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cleaner.screen import distinct

# Raised by one whenever any value below can come out different for some line.
FEATURES_VERSION = 1

# A line is judged by its two ends: the middle of a paragraph says little and costs most. Measured out of fold on the
# lines that extractors left, 64 + 32 code points rank lines as well as 240 + 120 (area under the curve 0.823 both).
HEAD, TAIL = 64, 32
# The last lines of a document are read (nearly) whole: that is where letters to the reader stand, and in the middle of
# their paragraphs stands what they ask for. No more than fits a lane of the scorer.
LAST_LINES = 20
LONG_HEAD, LONG_TAIL = 170, 80
MOST_GRAMS = LONG_HEAD + LONG_TAIL + 2

# Hashed n-grams of code points. Several orders, because a code point is a letter in one script and a word in another.
ORDERS = (2, 4, 6)
HASH_BITS = 18
# The order that sees three code points and a break, for ``Edges``.
_EDGE = ORDERS.index(4)

_BREAK, _SPACE, _LOWER, _UPPER, _DIGIT, _IDEOGRAPH, _STOP, _COMMA, _COLON, _QUOTE = range(1, 11)
_BRACKET, _DASH, _BULLET, _MARKUP, _SYMBOL, _AT, _HASH, _COPYRIGHT, _SLASH, _DOTS = range(11, 21)
_CLASSES = 32

_NAMED = {
    _STOP: ".!?。！？؟۔।॥։።။។៕",
    _DOTS: "…",
    _COMMA: ",;،、，；؛၊",
    _COLON: ":：",
    _QUOTE: "\"'“”„«»‘’‚‹›「」『』",
    _BRACKET: "()[]（）【】",
    _DASH: "-‐‑‒–—―",
    _BULLET: "•·▪►▶→←»›*+|✓",
    _MARKUP: "\\_={}<>&%~^",
    _AT: "@",
    _HASH: "#",
    _COPYRIGHT: "©®™",
    _SLASH: "/",
}
_BY_NAME = {char: code for code, chars in _NAMED.items() for char in chars}
_BY_CATEGORY = {"Lu": _UPPER, "Lt": _UPPER, "L": _LOWER, "M": _LOWER, "N": _DIGIT, "Z": _SPACE, "C": _SPACE}
# Scripts that write no spaces between words: each of their letters counts as a word of its own.
_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
    (0x3400, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)

# Filled as code points turn up: classifying all 1.1 million at start-up would cost more than cleaning an article.
_CLASS = np.zeros(0x110000, np.uint8)
_FOLD = np.zeros(0x110000, np.uint32)

_Number = TypeVar("_Number", bound=np.generic)

# Multipliers of the rolling hash: odd, from the fractional parts of the golden ratio and of the square root of five.
_ROLL = np.uint32(0x9E3779B1)
_MIX = np.uint32(0x85EBCA6B)

# Buckets in which the words of one document are counted.
_SKETCH_BITS = 13

# The dense features of a line, in the order of the columns. Shares are in 1/256, lengths in 16 * log2(1 + n).
DENSE = (
    "length", "words", "sentences", "commas", "numbers", "upper_share", "capital_share", "digit_share",
    "punctuation_share", "symbol_share", "word_length", "ends_sentence", "ends_colon", "ends_quote", "ends_dots",
    "ends_bullet", "starts_lower", "starts_upper", "starts_digit", "starts_quote", "starts_bracket",
    "starts_bullet", "starts_dash", "has_quote", "has_bracket", "has_markup", "has_bullet", "has_colon", "has_at",
    "has_hash", "has_copyright", "has_slash", "cohesion", "cohesive_words", "seen_before", "seen_again",
)  # fmt: skip
COLUMN = {name: i for i, name in enumerate(DENSE)}

# The largest value of each: a logarithm, a share, a flag, or the cut-off of the mean word length.
LARGEST_LOG, LARGEST_WORD = 208, 512
_LOGARITHMS = frozenset({"length", "words", "sentences", "commas", "numbers", "cohesive_words"})
BOUNDS = {
    name: LARGEST_LOG if name in _LOGARITHMS
    else LARGEST_WORD if name == "word_length"
    else 256 if name.endswith("_share") or name == "cohesion"
    else 1
    for name in DENSE
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LineFeatures:
    """The lines of some documents as arrays.

    ``grams`` holds the hash bucket of every n-gram of the batch, order by order; the grams of line ``i`` and order
    ``k`` stand at ``grams[k][starts[k][i] : stops[k][i]]``. ``lengths`` (lines,) counts the code points of whole lines.
    ``dense`` has shape (lines, ``len(DENSE)``), dtype int32. ``offsets`` has shape (documents + 1,): document ``d``
    owns the lines ``offsets[d]`` to ``offsets[d + 1]``.
    """

    grams: list[NDArray[np.intp]]
    starts: list[NDArray[np.intp]]
    stops: list[NDArray[np.intp]]
    lengths: NDArray[np.intp]
    dense: NDArray[np.int32]
    offsets: NDArray[np.intp]

    @property
    def document_of(self) -> NDArray[np.intp]:
        """The number of the document of each line, shape (lines,)."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


class Edges:
    """A set of line beginnings and ends, three code points each, that is looked up for a whole batch at once.

    Sees case and digits folded as the n-grams do; may let through what only collides with a member, never misses one.

        >>> edges = Edges(["Advertisement"], [".jpg"])
        >>> lines = ["ADVERTISEMENT", "The ad said so", "mayor.jpg"]
        >>> edges.found_in(line_features(lines, np.array([0, 3]))).tolist()
        [True, False, True]
    """

    def __init__(self, openings: Iterable[str], endings: Iterable[str]) -> None:
        """Remember the first and the last three code points of each; shorter texts cannot be remembered."""
        self._opens = self._table([text[:3] for text in openings], _first_grams)
        self._closes = self._table([text[-3:] for text in endings], _last_grams)

    def found_in(self, features: LineFeatures) -> NDArray[np.bool_]:
        """Which lines begin or end like a member, shape (lines,)."""
        return self._opens[_first_grams(features)] | self._closes[_last_grams(features)]

    @staticmethod
    def _table(texts: list[str], grams: Callable[[LineFeatures], NDArray[np.intp]]) -> NDArray[np.bool_]:
        table = np.zeros(1 << HASH_BITS, bool)
        if texts:
            table[grams(line_features(texts, np.array([0, len(texts)])))] = True
        return table


def _first_grams(features: LineFeatures) -> NDArray[np.intp]:
    """The bucket of the break before each line with its first three code points."""
    return _grams_at(features, features.starts[_EDGE])


def _last_grams(features: LineFeatures) -> NDArray[np.intp]:
    """The bucket of the last three code points of each line with the break behind it."""
    return _grams_at(features, np.maximum(features.stops[_EDGE] - 1, 0))


def _grams_at(features: LineFeatures, at: NDArray[np.intp]) -> NDArray[np.intp]:
    grams = features.grams[_EDGE]
    if not len(grams):
        return np.zeros(len(at), np.intp)
    return grams[np.minimum(at, len(grams) - 1)]


def excerpts(lines: list[str], offsets: NDArray[np.intp]) -> list[str]:
    """The part of each line that the n-grams see: its two ends, longer ones for the last lines of a document.

    >>> [len(text) for text in excerpts(["word " * 100] * 30, np.array([0, 30]))][8:12]
    [97, 97, 251, 251]
    """
    out = [line if len(line) <= HEAD + TAIL else f"{line[:HEAD]}\x1f{line[-TAIL:]}" for line in lines]
    for begin, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        for i in range(max(begin, end - LAST_LINES), end):
            line = lines[i]
            if len(line) > HEAD + TAIL:
                whole = len(line) <= LONG_HEAD + LONG_TAIL
                out[i] = line if whole else f"{line[:LONG_HEAD]}\x1f{line[-LONG_TAIL:]}"
    return out


def line_features(lines: list[str], offsets: NDArray[np.intp]) -> LineFeatures:
    """Turn normalised lines into arrays.

    ``lines`` are all lines of the batch, without line breaks; ``offsets`` (documents + 1,) says where each document
    begins.
    """
    full_lengths = np.fromiter(map(len, lines), np.intp, len(lines))
    return excerpt_features(excerpts(lines, offsets), full_lengths, offsets)


def excerpt_features(ends: list[str], full_lengths: NDArray[np.intp], offsets: NDArray[np.intp]) -> LineFeatures:
    """The arrays of lines whose excerpts were taken already; ``full_lengths`` (lines,) are those of the whole lines."""
    if not ends:
        none = np.zeros(0, np.intp)
        orders = len(ORDERS)
        return LineFeatures(
            [none] * orders, [none] * orders, [none] * orders, none, np.zeros((0, len(DENSE)), np.int32), offsets
        )
    # The breaks at the end only spare the windows below a special case for very short texts.
    codes = _code_points("\n" + "\n".join(ends) + "\n" * max(ORDERS))
    classes = _classes(codes)
    lengths = np.fromiter(map(len, ends), np.intp, len(ends))
    starts = np.cumsum(lengths + 1) - lengths  # of the first code point of each line; a break stands before it
    stops = starts + lengths
    document_of = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))

    hashes = _rolling_hashes(_FOLD.take(codes))
    grams, gram_starts, gram_stops = [], [], []
    for order in ORDERS:
        grams.append(_buckets(hashes[order], order))
        # From the break before the line to the break behind it, both included as marks of its ends.
        gram_starts.append(starts - 1)
        gram_stops.append(np.maximum(stops + 2 - order, starts - 1))
    line_at = np.repeat(np.arange(len(ends)), lengths + 1)  # of each code point; a break belongs to the line before it
    cohesion, cohesive_words = _cohesion(hashes, classes, line_at, document_of, len(offsets) - 1)
    before, again = _repeats(hashes[2], starts, stops, full_lengths, document_of)
    shape = _shape(classes[1 : len(line_at) + 1], line_at, starts - 1, stops - 1, full_lengths)
    dense = np.stack([*shape, cohesion, cohesive_words, before, again], axis=1).astype(np.int32)
    return LineFeatures(grams, gram_starts, gram_stops, full_lengths, dense, offsets)


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _classes(codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The class of each code point; classes met for the first time are worked out and remembered."""
    classes = _CLASS.take(codes)
    if not classes.all():
        for code in distinct(codes[classes == 0]):
            char = chr(code)
            lower = char.lower()
            _FOLD[code] = ord("0") if char.isdecimal() else ord(lower) if len(lower) == 1 else code
            _CLASS[code] = _class_of(char)
        classes = _CLASS.take(codes)
    return classes


def _class_of(char: str) -> int:
    if char == "\n":
        return _BREAK
    if char in _BY_NAME:
        return _BY_NAME[char]
    category = unicodedata.category(char)
    if category[0] == "L" and any(low <= ord(char) <= high for low, high in _UNSPACED):
        return _IDEOGRAPH
    return _BY_CATEGORY.get(category) or _BY_CATEGORY.get(category[0]) or (_COMMA if category[0] == "P" else _SYMBOL)


def _rolling_hashes(folded: NDArray[np.uint32]) -> dict[int, NDArray[np.uint32]]:
    """For each order up to the largest, the hash of the n-gram that begins at each position, shape (n - order + 1,)."""
    base = folded * _MIX
    hashes = {1: base}
    for order in range(2, max(ORDERS) + 1):
        hashes[order] = hashes[order - 1][:-1] * _ROLL + base[order - 1 :]
    return hashes


def _buckets(hashes: NDArray[np.uint32], order: int, bits: int = HASH_BITS) -> NDArray[np.intp]:
    mixed = (hashes ^ (hashes >> np.uint32(15))) * np.uint32(0x2C1B3C6D + 2 * order)
    return (mixed >> np.uint32(32 - bits)).astype(np.intp)


def segment_sums(values: NDArray[_Number], starts: NDArray[np.intp], stops: NDArray[np.intp]) -> NDArray[_Number]:
    """The sum of ``values[start:stop]`` for each pair; the segments must not overlap and come in order.

    >>> segment_sums(np.array([1, 2, 3, 4]), np.array([0, 2, 3]), np.array([2, 2, 4])).tolist()
    [3, 0, 4]
    """
    if not len(starts):
        return np.zeros(0, values.dtype)
    # An empty segment may begin behind the last value.
    bounds = np.minimum(np.stack([starts, stops], axis=1).ravel(), len(values))
    if bounds[-1] >= len(values) or bounds[-2] >= len(values):
        values = np.append(values, np.zeros(1, values.dtype))
    sums = np.add.reduceat(values, bounds, dtype=values.dtype)[::2]
    return np.where(stops > starts, sums, np.zeros(1, values.dtype))


# 16 * log2(1 + n) for small n, so that a logarithm is an exact look-up; above, lengths count as this one.
_LOG_TABLE = np.round(16 * np.log2(1 + np.arange(8192.0))).astype(np.int32)


def log_scale(counts: NDArray[np.integer]) -> NDArray[np.int32]:
    """16 * log2(1 + n), rounded; counts from 8,191 on are taken as 8,191.

    >>> log_scale(np.array([0, 1, 3, 10**6])).tolist()
    [0, 16, 32, 208]
    """
    scaled: NDArray[np.int32] = _LOG_TABLE.take(np.minimum(counts, len(_LOG_TABLE) - 1))
    return scaled


def _share(part: NDArray[np.integer], whole: NDArray[np.integer]) -> NDArray[np.int64]:
    share: NDArray[np.int64] = (part * 256) // np.maximum(whole, 1)
    return share


def _shape(
    classes: NDArray[np.uint8],
    line_at: NDArray[np.intp],
    starts: NDArray[np.intp],
    stops: NDArray[np.intp],
    full_lengths: NDArray[np.intp],
) -> list[NDArray[np.generic]]:
    lines = len(starts)

    def per_line(cells: NDArray[np.intp]) -> NDArray[np.intp]:
        return np.bincount(cells, minlength=lines * _CLASSES).reshape(lines, _CLASSES)

    cells = line_at * _CLASSES + classes
    count = per_line(cells)
    wordlike = (classes >= _LOWER) & (classes <= _IDEOGRAPH)
    begins = wordlike.copy()
    begins[1:] = wordlike[1:] & (~wordlike[:-1] | (classes[1:] == _IDEOGRAPH))
    word = per_line(cells[begins])
    words = word.sum(axis=1)
    sentence_end = (classes[:-1] == _STOP) & (classes[1:] <= _SPACE)
    sentences = np.bincount(line_at[:-1][sentence_end], minlength=lines)

    letters = count[:, _LOWER] + count[:, _UPPER] + count[:, _IDEOGRAPH]
    seen = np.maximum(stops - starts, 1)
    first, last = classes[starts], classes[stops - 1]
    enclosed = (last == _QUOTE) | (last == _BRACKET)
    core = np.where(
        enclosed, classes[np.maximum(stops - 2, starts)], last
    )  # a full stop may stand before a closing quote
    marks = count[:, _STOP] + count[:, _COMMA] + count[:, _COLON] + count[:, _DASH]
    symbols = count[:, _BULLET : _DOTS + 1].sum(axis=1)
    starts_with = (_LOWER, _UPPER, _DIGIT, _QUOTE, _BRACKET, _BULLET, _DASH)
    holds = (_QUOTE, _BRACKET, _MARKUP, _BULLET, _COLON, _AT, _HASH, _COPYRIGHT, _SLASH)
    return [
        log_scale(full_lengths),
        log_scale(words),
        log_scale(sentences),
        log_scale(count[:, _COMMA]),
        log_scale(word[:, _DIGIT]),
        _share(count[:, _UPPER], letters),
        _share(word[:, _UPPER], words),
        _share(count[:, _DIGIT], seen),
        _share(marks, seen),
        _share(symbols, seen),
        np.minimum(seen * 16 // np.maximum(words, 1), LARGEST_WORD),
        core == _STOP,
        core == _COLON,
        last == _QUOTE,
        core == _DOTS,
        core == _BULLET,
        *(first == one for one in starts_with),
        *(count[:, one] > 0 for one in holds),
    ]


def _cohesion(
    hashes: dict[int, NDArray[np.uint32]],
    classes: NDArray[np.uint8],
    line_at: NDArray[np.intp],
    document_of: NDArray[np.intp],
    documents: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """How many of a line's longer words its document uses elsewhere too, in 1/256, and how many such words it has.

    A word counts by its first five letters, in scripts without spaces by each pair of letters. The sketch may take two
    words for one in a very long document; it never misses a repetition.
    """
    letters = (classes == _LOWER) | (classes == _UPPER)
    run = letters[:-4] & letters[1:-3] & letters[2:-2] & letters[3:-1] & letters[4:]
    run[1:] &= ~letters[: len(run) - 1]
    pair = (classes[:-1] == _IDEOGRAPH) & (classes[1:] == _IDEOGRAPH)
    at = np.flatnonzero(run)
    at_pair = np.flatnonzero(pair)
    where = np.concatenate([at, at_pair])
    bucket = np.concatenate([_buckets(hashes[5][at], 5, _SKETCH_BITS), _buckets(hashes[2][at_pair], 2, _SKETCH_BITS)])
    line = line_at[where - 1]  # there is a break before the first line
    key = (document_of[line] << _SKETCH_BITS) + bucket
    common = np.bincount(key, minlength=documents << _SKETCH_BITS)[key] > 1
    total = np.bincount(line, minlength=len(document_of))
    shared = np.bincount(line[common], minlength=len(document_of))
    return _share(shared, total), log_scale(total)


def _repeats(
    pairs: NDArray[np.uint32],
    starts: NDArray[np.intp],
    stops: NDArray[np.intp],
    lengths: NDArray[np.intp],
    document_of: NDArray[np.intp],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether the same line stood earlier in its document, and whether it comes again (up to case and collisions)."""
    sums = segment_sums(pairs.astype(np.int64), starts - 1, stops)
    order = np.lexsort((sums, lengths, document_of))
    same = (np.diff(sums[order]) == 0) & (np.diff(lengths[order]) == 0) & (np.diff(document_of[order]) == 0)
    before, again = np.zeros(len(starts), bool), np.zeros(len(starts), bool)
    before[order[1:][same]] = True
    again[order[:-1][same]] = True
    return before, again
