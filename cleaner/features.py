r"""A batch of documents, as normalised lines, → arrays: what each line is made of and how it sits in its document.

Training and serving call the same functions, so a bundle names the ``FEATURES_VERSION`` that it was fitted with.
Everything here is exact integer work or an element-wise step on it: no value depends on what else is in the batch. What
the model makes of the arrays is left to ``model``; which neighbours matter is left to ``context``.
"""

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from cleaner.screen import TILE, distinct

# Raised by one whenever any value below can come out different for some line.
FEATURES_VERSION = 4

# A line is judged by its two ends: the middle of a paragraph says little and costs most. Measured out of fold on the
# lines that extractors left, 48 + 24 code points rank lines as well as 64 + 32, and those as well as 240 + 120.
HEAD, TAIL = 48, 24
# The last lines of a document are read (nearly) whole: that is where letters to the reader stand, and in the middle of
# their paragraphs stands what they ask for. No more than fits a lane of the scorer.
LAST_LINES = 12
LONG_HEAD, LONG_TAIL = 120, 60
MOST_GRAMS = LONG_HEAD + LONG_TAIL + 2
# How many code points a line begins or ends with are looked up by ``Edges``, the break beside them not counted.
EDGE = 3

# Hashed n-grams of code points. Several orders, because a code point is a letter in one script and a word in another.
ORDERS = (3, 5)
HASH_BITS = 18

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
_ROLL_TWICE = np.uint32(0x9E3779B1**2 & 0xFFFFFFFF)
_MIX = np.uint32(0x85EBCA6B)
_SPREAD = np.int64(0x2545F4914F6CDD1D)

# Buckets in which the words of one document are counted.
_SKETCH_BITS = 13
# A sketch takes 64 kB: the documents of a batch, if each has but a line, must not take theirs all at once.
_SKETCHES_AT_ONCE = 512

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


class Grams(NamedTuple):
    """The n-grams of the lines ``begin`` to ``end`` of a batch.

    ``buckets`` holds the hash bucket of each, order by order; those of the ``i``-th of these lines and of order ``k``
    stand at ``buckets[k][starts[i] : stops[k][i]]``.
    """

    begin: int
    end: int
    buckets: list[NDArray[np.intp]]
    starts: NDArray[np.intp]
    stops: list[NDArray[np.intp]]


class LineFeatures(NamedTuple):
    """The lines of some documents as arrays.

    ``grams`` holds their n-grams, some lines at a time. ``edges`` (2, lines) holds the buckets of the first and of the
    last ``EDGE`` code points of each line with the break beside them. ``lengths`` (lines,) counts the code points of
    whole lines. ``dense`` has shape (``len(DENSE)``, lines), dtype int32. ``offsets`` has shape (documents + 1,):
    document ``d`` owns the lines ``offsets[d]`` to ``offsets[d + 1]``, and ``document_of`` (lines,) says the same.
    """

    grams: list[Grams]
    edges: NDArray[np.intp]
    lengths: NDArray[np.intp]
    dense: NDArray[np.int32]
    offsets: NDArray[np.intp]
    document_of: NDArray[np.intp]

    def column(self, name: str) -> NDArray[np.int32]:
        """One dense feature of all lines, by its name in ``DENSE``; shape (lines,)."""
        column: NDArray[np.int32] = self.dense[COLUMN[name]]
        return column


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
        self._opens = self._table([text[:EDGE] for text in openings], 0)
        self._closes = self._table([text[-EDGE:] for text in endings], 1)

    def found_in(self, features: LineFeatures) -> NDArray[np.bool_]:
        """Which lines begin or end like a member, shape (lines,)."""
        found: NDArray[np.bool_] = self._opens[features.edges[0]] | self._closes[features.edges[1]]
        return found

    @staticmethod
    def _table(texts: list[str], side: int) -> NDArray[np.bool_]:
        table = np.zeros(1 << HASH_BITS, bool)
        table[line_features(texts, np.array([0, len(texts)])).edges[side]] = True
        return table


def excerpts(lines: list[str], offsets: NDArray[np.intp]) -> list[str]:
    """The part of each line that the n-grams see: its two ends, longer ones for the last lines of a document.

    >>> [len(text) for text in excerpts(["word " * 100] * 30, np.array([0, 30]))][16:20]
    [73, 73, 181, 181]
    """
    head, tail, most = HEAD, -TAIL, HEAD + TAIL
    out = [line if len(line) <= most else f"{line[:head]}\x1f{line[tail:]}" for line in lines]
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
    lines = len(ends)
    document_of = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    edges, dense = np.zeros((2, lines), np.intp), np.zeros((len(DENSE), lines), np.int32)
    features = LineFeatures([], edges, full_lengths, dense, offsets, document_of)
    if not lines:
        return features
    sums = np.zeros((2, lines), np.intp)
    words: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []
    for begin in range(0, lines, TILE):
        here = slice(begin, min(begin + TILE, lines))
        # The breaks at the end only spare the windows below a special case for very short texts.
        codes = _code_points("\n" + "\n".join(ends[here]) + "\n" * max(ORDERS))
        classes = _classes(codes)
        lengths = np.fromiter(map(len, ends[here]), np.intp, here.stop - begin)
        starts = np.cumsum(lengths + 1) - lengths  # of the first code point of each line; a break stands before it
        stops = starts + lengths

        hashes = _rolling_hashes(_FOLD.take(codes))
        for side, at in zip(edges, (starts - 1, np.maximum(stops - EDGE, 0)), strict=True):
            side[here] = _edge_buckets(hashes, at)
        begins = _word_begins(classes)
        line, bucket = _words(hashes, classes, begins, lengths)
        words.append((line + begin, bucket))
        # From the break before the line to the break behind it, both included as marks of its ends.
        gram_stops = [np.maximum(stops + 2 - order, starts - 1) for order in ORDERS]
        buckets = [_buckets(hashes[order], order) for order in ORDERS]
        features.grams.append(Grams(begin, here.stop, buckets, starts - 1, gram_stops))
        # Of the two ends that the n-grams see of every line, wherever it stands.
        head = starts - 1, np.minimum(gram_stops[0], starts + HEAD - ORDERS[0] + 1)
        tail = np.maximum(stops - TAIL, starts - 1), gram_stops[0]
        for total, (first, last) in zip(sums, (head, tail), strict=True):
            total[here] = segment_sums(buckets[0], first, last)
        for row, values in enumerate(_shape(classes, begins, starts, stops, full_lengths[here])):
            dense[row, here] = values
    line, bucket = (np.concatenate(part) for part in zip(*words, strict=True))
    same = sums[0] * _SPREAD + sums[1]
    whole = (*_cohesion(line, bucket, document_of), *_repeats(same, full_lengths, document_of))
    dense[-len(whole) :] = whole
    return features


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
    """For some orders, the hash of the n-gram that begins at each position, shape (n - order + 1,)."""
    one = folded * _MIX
    two = one[:-1] * _ROLL + one[1:]
    three = two[:-1] * _ROLL + one[2:]
    return {1: one, 2: two, 3: three, 5: three[:-2] * _ROLL_TWICE + two[3:]}


def _edge_buckets(hashes: dict[int, NDArray[np.uint32]], at: NDArray[np.intp]) -> NDArray[np.intp]:
    """The buckets of the four code points from each position on."""
    return _buckets(hashes[3].take(at) * _ROLL + hashes[1].take(at + EDGE), EDGE + 1)


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


def running(values: NDArray[np.generic]) -> NDArray[np.int64]:
    """What the values before each place add up to, shape (…, n + 1): one less another is the sum of what is between.

    >>> running(np.array([3, 1, 2])).tolist()
    [0, 3, 4, 6]
    """
    total = np.zeros((*values.shape[:-1], values.shape[-1] + 1), np.int64)
    np.cumsum(values, axis=-1, out=total[..., 1:], dtype=np.int64)
    return total


# 16 * log2(1 + n) for small n, so that a logarithm is an exact look-up; above, lengths count as this one.
_LOG_TABLE = np.round(16 * np.log2(1 + np.arange(8192.0))).astype(np.int32)


def log_scale(counts: NDArray[np.integer]) -> NDArray[np.int32]:
    """16 * log2(1 + n), rounded; counts from 8,191 on are taken as 8,191.

    >>> log_scale(np.array([0, 1, 3, 10**6])).tolist()
    [0, 16, 32, 208]
    """
    scaled: NDArray[np.int32] = _LOG_TABLE.take(np.minimum(counts, len(_LOG_TABLE) - 1))
    return scaled


def floor_ratio(part: NDArray[np.integer], whole: NDArray[np.integer]) -> NDArray[np.float64]:
    """``part // max(whole, 1)`` as floats: numpy divides those several times faster than integers.

    Exact as long as both stay far below 2**53.

        >>> floor_ratio(np.array([49, -7, 3]), np.array([49, 2, 0])).tolist()
        [1.0, -4.0, 3.0]
    """
    quotient: NDArray[np.float64] = part / np.maximum(whole, 1)
    return np.floor(quotient, out=quotient)


def _share(part: NDArray[np.integer], whole: NDArray[np.integer]) -> NDArray[np.float64]:
    return floor_ratio(part * 256, whole)


def _word_begins(classes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a word begins; in scripts without spaces every letter is one."""
    wordlike = (classes >= _LOWER) & (classes <= _IDEOGRAPH)
    begins = wordlike.copy()
    begins[1:] &= ~wordlike[:-1] | (classes[1:] == _IDEOGRAPH)
    return begins


# What is counted in each line, by what a code point is: its class, whether a word begins there, whether a sentence ends
# there. Seven counters share a 64-bit word in lanes of nine bits, so that one gather and one sum serve seven of them.
_BEGIN, _END = 32, 64
_COUNTED: tuple[tuple[str, frozenset[int], int], ...] = (
    ("letters", frozenset({_LOWER, _UPPER, _IDEOGRAPH}), 0),
    ("upper", frozenset({_UPPER}), 0),
    ("digits", frozenset({_DIGIT}), 0),
    ("words", frozenset(range(_CLASSES)), _BEGIN),
    ("capitals", frozenset({_UPPER}), _BEGIN),
    ("numbers", frozenset({_DIGIT}), _BEGIN),
    ("sentences", frozenset(range(_CLASSES)), _END),
    ("commas", frozenset({_COMMA}), 0),
    ("marks", frozenset({_STOP, _COMMA, _COLON, _DASH}), 0),
    ("symbols", frozenset(range(_BULLET, _DOTS + 1)), 0),
    ("quotes", frozenset({_QUOTE}), 0),
    ("brackets", frozenset({_BRACKET}), 0),
    ("markup", frozenset({_MARKUP}), 0),
    ("bullets", frozenset({_BULLET}), 0),
    ("colons", frozenset({_COLON}), 0),
    ("at", frozenset({_AT}), 0),
    ("hash", frozenset({_HASH}), 0),
    ("copyright", frozenset({_COPYRIGHT}), 0),
    ("slash", frozenset({_SLASH}), 0),
)
_COUNTERS, _COUNTER_BITS = 7, 9
assert MOST_GRAMS < 1 << _COUNTER_BITS


def _counter_tables() -> list[NDArray[np.uint64]]:
    code = np.arange(2 * _END)
    tables = []
    for first in range(0, len(_COUNTED), _COUNTERS):
        table = np.zeros(len(code), np.uint64)
        for lane, (_, classes, mark) in enumerate(_COUNTED[first : first + _COUNTERS]):
            counts = np.isin(code % _BEGIN, sorted(classes)) & (code & mark == mark)
            table |= counts.astype(np.uint64) << np.uint64(_COUNTER_BITS * lane)
        tables.append(table)
    return tables


_COUNTER_TABLES = _counter_tables()


def _counts(
    classes: NDArray[np.uint8], begins: NDArray[np.bool_], starts: NDArray[np.intp]
) -> dict[str, NDArray[np.int64]]:
    """For each line how often each thing of ``_COUNTED`` stands in it."""
    codes = classes + begins * np.uint8(_BEGIN)
    codes[:-1] += ((classes[:-1] == _STOP) & (classes[1:] <= _SPACE)) * np.uint8(_END)
    counts = {}
    mask = np.uint64((1 << _COUNTER_BITS) - 1)
    for number, table in enumerate(_COUNTER_TABLES):
        # The break behind a line counts for nothing, so a line may be summed up to the next.
        sums = np.add.reduceat(table.take(codes), starts)
        for lane, (name, _, _) in enumerate(_COUNTED[number * _COUNTERS : (number + 1) * _COUNTERS]):
            counts[name] = ((sums >> np.uint64(_COUNTER_BITS * lane)) & mask).view(np.int64)
    return counts


def _shape(
    classes: NDArray[np.uint8],
    begins: NDArray[np.bool_],
    starts: NDArray[np.intp],
    stops: NDArray[np.intp],
    full_lengths: NDArray[np.intp],
) -> list[NDArray[np.generic]]:
    count = _counts(classes, begins, starts)
    words = count["words"]
    seen = np.maximum(stops - starts, 1)
    first, last = classes[starts], classes[stops - 1]
    enclosed = (last == _QUOTE) | (last == _BRACKET)
    # A full stop may stand before a closing quote.
    core = np.where(enclosed, classes[np.maximum(stops - 2, starts)], last)
    starts_with = (_LOWER, _UPPER, _DIGIT, _QUOTE, _BRACKET, _BULLET, _DASH)
    holds = ("quotes", "brackets", "markup", "bullets", "colons", "at", "hash", "copyright", "slash")
    return [
        log_scale(full_lengths),
        log_scale(words),
        log_scale(count["sentences"]),
        log_scale(count["commas"]),
        log_scale(count["numbers"]),
        _share(count["upper"], count["letters"]),
        _share(count["capitals"], words),
        _share(count["digits"], seen),
        _share(count["marks"], seen),
        _share(count["symbols"], seen),
        np.minimum(floor_ratio(seen * 16, words), LARGEST_WORD),
        core == _STOP,
        core == _COLON,
        last == _QUOTE,
        core == _DOTS,
        core == _BULLET,
        *(first == one for one in starts_with),
        *(count[one] > 0 for one in holds),
    ]


def _words(
    hashes: dict[int, NDArray[np.uint32]],
    classes: NDArray[np.uint8],
    begins: NDArray[np.bool_],
    lengths: NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The longer words of some lines, as the number of the line and a hash of the word.

    A word counts by its first five letters, in scripts without spaces by each pair of letters.
    """
    letters = (classes == _LOWER) | (classes == _UPPER)
    long = begins[:-4] & letters[:-4]
    for step in (1, 2, 3, 4):
        long &= letters[step : len(letters) - 4 + step]
    ideographs = classes == _IDEOGRAPH
    at, pairs = np.flatnonzero(long), np.flatnonzero(ideographs[:-1] & ideographs[1:])
    bucket = _buckets(hashes[5].take(at), 5, _SKETCH_BITS)
    if len(pairs):
        bucket = np.concatenate([bucket, _buckets(hashes[2].take(pairs), 2, _SKETCH_BITS)])
        at = np.concatenate([at, pairs])
    line = np.repeat(np.arange(len(lengths)), lengths + 1).take(at - 1)  # there is a break before the first line
    return line, bucket


def _cohesion(
    line: NDArray[np.intp], bucket: NDArray[np.intp], document_of: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """How many of a line's longer words its document uses elsewhere too, in 1/256, and how many such words it has.

    The sketch may take two words for one in a very long document; it never misses a repetition.
    """
    document = document_of.take(line)
    common = np.zeros(len(line), bool)
    documents = int(document_of[-1]) + 1
    for first in range(0, documents, _SKETCHES_AT_ONCE):
        mine: slice | NDArray[np.bool_] = slice(None)
        if documents > _SKETCHES_AT_ONCE:
            mine = (document >= first) & (document < first + _SKETCHES_AT_ONCE)
        key = ((document[mine] - first) << _SKETCH_BITS) + bucket[mine]
        common[mine] = np.bincount(key, minlength=1).take(key) > 1
    total = np.bincount(line, minlength=len(document_of))
    shared = np.bincount(line[common], minlength=len(document_of))
    return _share(shared, total), log_scale(total)


def _repeats(
    same: NDArray[np.intp], lengths: NDArray[np.intp], document_of: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether the same line stood earlier in its document, and whether it comes again (up to case and collisions).

    ``same`` (lines,) is one number for lines of one text; lines that differ only in the middle, between their first
    ``HEAD`` and last ``TAIL`` code points, may share it.
    """
    keys = (same * _SPREAD + lengths) * _SPREAD + document_of
    order = np.argsort(keys, kind="stable")
    repeated = keys[order[1:]] == keys[order[:-1]]
    before, again = np.zeros(len(keys), bool), np.zeros(len(keys), bool)
    before[order[1:][repeated]] = True
    again[order[:-1][repeated]] = True
    return before, again
