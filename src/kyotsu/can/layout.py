"""A matrix laid out as flat tables, so that a few kernels with run-time shifts decode any message of any matrix.

A payload is read as 64-bit words, word `k` from byte `8 k` on, in either byte order. A field (the bits of a signal)
lies in one such word or in two neighbours, which are joined first; then

    raw = (((word << up) >> down) ^ sign) - sign          sign = 2^(length - 1) where signed, else 0

Whether a value is there is decided apart from what it is. A *gate* is one branch of a multiplexor (with the gate above
it, if the multiplexor is itself multiplexed); a *validity* is a gate, the bytes that the frame must have, and the raw
values that mean "no value". Signals with the same three share one. Each row of a table is described by the constants
that number its columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.can.matrix import Matrix, Message, RawRange, Signal
from kyotsu.errors import InputError, Location, Problem

Precision = Literal["float64", "float32"]
IntArray = npt.NDArray[np.int64]

WORD_BITS = 64
MOST_MESSAGES = 65_000  # so that the group of a frame fits in 16 bits, beside the three that no message has
UNKNOWN, REMOTE, ERROR = 0, 1, 2  # groups of frames that are not decoded; message m is group OTHERS + m
OTHERS = 3

# Columns of `Tables.messages`; where a message's rows begin in the other tables, they end at the next message's.
LENGTH, LONGEST, PLANES, GATES, VALIDITIES, COLUMNS, SLOTS, SOURCE_SLOT, POSITION_SLOT = range(9)
# Columns of `Tables.planes`: the words of a payload that a message needs, in one byte order.
PLANE_WORD, PLANE_BIG = range(2)
# Columns of `Tables.fields`; planes are counted within the message, and second is -1 where one word is enough.
FIRST_PLANE, SECOND_PLANE, FIELD_WORD, FIELD_BIG, JOIN, UP, DOWN, SIGN = range(8)
# Columns of `Tables.gates`, counted within the message; parent is -1 where there is none.
GATE_PARENT, GATE_FIELD, GATE_RANGES, GATE_RANGES_END, GATE_BIAS = range(5)
# Columns of `Tables.validities`; field is -1 where every raw value counts.
VALID_GATE, VALID_BYTES, VALID_FIELD, VALID_RANGES, VALID_RANGES_END, VALID_BIAS, VALID_SLOT = range(7)
# Columns of `Tables.columns`; validity is counted within the message, signal over the whole matrix (-1: none).
COLUMN_FIELD, COLUMN_KIND, COLUMN_WIDTH, COLUMN_SLOT, COLUMN_VALIDITY, COLUMN_SIGNAL = range(6)
COLUMN_SCALE, COLUMN_OFFSET, COLUMN_SIGNED = range(6, 9)

# Kinds of column: how bits become a number.
INTEGER = 0  # raw, cut to the width
AFFINE = 1  # raw x scale + offset in whole numbers
REAL = 2  # raw x scale + offset; the raw value fits in 32 signed bits
REAL_WIDE = 3  # the same in 64 signed bits
REAL_UNSIGNED = 4  # the same in 64 unsigned bits
FLOAT_16, FLOAT_32, FLOAT_64 = 5, 6, 7  # IEEE 754; of the width of the field or less where scale is 1 and offset 0

FLOAT_KINDS = {16: FLOAT_16, 32: FLOAT_32, 64: FLOAT_64}
NEVER = -(1 << 63)  # [ns] the time of a signal that was not there yet
ALWAYS = 1 << 30  # a validity that is written however long the frames are
# What a CAN FD frame can be long: a described length in between is padded by its sender.
FD_LENGTHS = (*range(9), 12, 16, 20, 24, 32, 48, 64)


class Tables(NamedTuple):
    """What the kernels read; all C order.

    Attributes:
        standard: group of each 11-bit id, shape (2048,).
        extended: open-addressed hash table of 29-bit ids, rows (id or -1, group).
        groups: the same of J1939's group numbers.
        messages: one row for each and one more where the last one's rows end.
        planes, fields, gates, validities, columns: see the constants above.
        ranges: unsigned (low, high), both ends inside; of signed fields with the sign bit turned over.
        factors: (scale, offset) of each column.
    """

    standard: npt.NDArray[np.uint16]
    extended: IntArray
    groups: IntArray
    messages: IntArray
    planes: IntArray
    fields: IntArray
    gates: IntArray
    ranges: npt.NDArray[np.uint64]
    validities: IntArray
    columns: IntArray
    factors: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Column:
    """One column that is decoded.

    Attributes:
        name: the signal's, with `.raw` behind it for its raw value.
        signal: what it holds.
        dtype: of its values.
        slot: where it lies in the arena.
        validity_slot: where it is said which values count.
        shown: whether it becomes a column of the table; the others serve checks.
        is_raw: whether it holds raw values.
    """

    name: str
    signal: Signal
    dtype: np.dtype[Any]
    slot: int
    validity_slot: int
    shown: bool
    is_raw: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """One message's columns.

    Attributes:
        message: as described.
        columns: in the order of its signals.
        wide: signals of more than 64 bits, which are no numbers but bytes.
        slot: of its times; the next is that of its bus numbers.
        source_slot: of its source addresses; -1 where it has none.
        position_slot: of its rows' places in the block; -1 where nobody asks.
    """

    message: Message
    columns: tuple[Column, ...]
    wide: tuple[Signal, ...]
    slot: int
    source_slot: int
    position_slot: int


@dataclass(frozen=True)
class Layout:
    """A matrix for the kernels.

    Attributes:
        matrix: what is laid out.
        plans: one for each message, in the matrix's order.
        tables: what the kernels read.
        slot_bytes: bytes of one row of each slot of the arena.
        slot_message: number of the message that each slot belongs to.
        slot_needs: of a validity, the bytes of payload below which it must be written; 0 of all that always is.
        signals: the message and signal of each signal number.
        most_planes, most_gates, most_validities: of any message.
    """

    matrix: Matrix
    plans: tuple[Plan, ...]
    tables: Tables
    slot_bytes: IntArray
    slot_message: IntArray
    slot_needs: IntArray
    signals: tuple[tuple[Message, Signal], ...]
    most_planes: int
    most_gates: int
    most_validities: int


def lay_out(matrix: Matrix, *, raw: bool = False, narrow: bool = True, dtype: Precision = "float64") -> Layout:
    """The tables of a matrix.

    Args:
        matrix: what to decode.
        raw: a column of raw values beside each signal's.
        narrow: whole numbers in the smallest type that holds all; else in 64 bits.
        dtype: type of scaled values; with `float32` a signal has it only where each raw value can be told from it.

    Raises:
        InputError: there are more messages than fit.
    """
    if len(matrix.messages) > MOST_MESSAGES:
        place = Location(matrix.file)
        found = f"{len(matrix.messages)} messages"
        raise InputError([Problem(place, found, f"at most {MOST_MESSAGES}", "Split the matrix by bus.")])
    rows = _Rows(raw, narrow, dtype)
    return rows.finished(matrix, tuple(rows.add(message) for message in matrix.messages))


@dataclass
class _Rows:
    """Rows of the tables as they come, message by message."""

    raw: bool
    narrow: bool
    dtype: Precision
    messages: list[list[int]] = field(default_factory=list)
    planes: list[tuple[int, ...]] = field(default_factory=list)
    fields: list[tuple[int, ...]] = field(default_factory=list)
    gates: list[tuple[int, ...]] = field(default_factory=list)
    ranges: list[RawRange] = field(default_factory=list)
    validities: list[tuple[int, ...]] = field(default_factory=list)
    columns: list[tuple[int, ...]] = field(default_factory=list)
    factors: list[tuple[float, float]] = field(default_factory=list)
    slots: list[tuple[int, int, int]] = field(default_factory=list)
    signals: list[tuple[Message, Signal]] = field(default_factory=list)

    def add(self, message: Message) -> Plan:
        """The rows of one message."""
        wide = tuple(signal for signal in message.signals if signal.length > WORD_BITS)
        growing = (self.planes, self.gates, self.validities, self.columns, self.slots)
        row = [message.length, _longest(message), *(len(rows) for rows in growing)]
        time_slot, _bus_slot = self.slot(8), self.slot(1)
        source = self.slot(1) if has_source(message) else -1
        position = self.slot(8) if wide or message.contained or message.protection else -1
        inside = _MessageRows(self, message)
        columns = [column for signal in message.signals if signal.length <= WORD_BITS for column in inside.add(signal)]
        self.messages.append([*row, source, position])
        return Plan(message, tuple(columns), wide, time_slot, source, position)

    def slot(self, size: int, needs: int = 0) -> int:
        """A place in the arena for one value of each row of the present message."""
        self.slots.append((size, len(self.messages), needs))
        return len(self.slots) - 1

    def finished(self, matrix: Matrix, plans: tuple[Plan, ...]) -> Layout:
        """All rows as arrays."""
        ends = [len(rows) for rows in (self.planes, self.gates, self.validities, self.columns, self.slots)]
        messages = _table([*self.messages, [0, 0, *ends, -1, -1]], 9)
        tables = Tables(
            *_lookups(matrix),
            messages,
            _table(self.planes, 2),
            _table(self.fields, 8),
            _table(self.gates, 5),
            np.array(self.ranges, dtype=np.uint64).reshape(-1, 2),
            _table(self.validities, 7),
            _table(self.columns, 9),
            np.array(self.factors, dtype=np.float64).reshape(-1, 2),
        )
        sizes, owners, needs = (np.ascontiguousarray(column) for column in _table(self.slots, 3).T)
        planes, gates, validities = (
            int(np.diff(messages[:, column]).max(initial=0)) for column in (PLANES, GATES, VALIDITIES)
        )
        signals = tuple(self.signals)
        return Layout(matrix, plans, tables, sizes, owners, needs, signals, planes, gates, validities)


class _MessageRows:
    """What one message adds; planes, gates and validities that several signals need are there once."""

    def __init__(self, rows: _Rows, message: Message) -> None:
        self.rows = rows
        self.message = message
        self.planes: dict[tuple[int, int], int] = {}
        self.fields: dict[str, int] = {}
        self.gates: dict[tuple[str, tuple[RawRange, ...]], int] = {}
        self.validities: dict[tuple[int, ...], tuple[int, int]] = {}
        guard = message.protection
        self.checked = {guard.counter, guard.checksum} if guard else set()

    def add(self, signal: Signal) -> Iterator[Column]:
        """The columns of a signal."""
        number, bits = self.field(signal), _raw_dtype(signal)
        validity, valid_slot = self.validity(signal, number)
        form = physical_form(signal, narrow=self.rows.narrow, dtype=self.rows.dtype)
        slot = self._column(form, number, validity, len(self.rows.signals))
        self.rows.signals.append((self.message, signal))
        yield Column(signal.name, signal, form.dtype, slot, valid_slot, shown=True, is_raw=False)
        if self.rows.raw or signal.name in self.checked:
            if form.kind != INTEGER or form.dtype != bits:
                kind = FLOAT_KINDS[signal.length] if is_real(signal) else INTEGER
                slot = self._column(Form(kind, bits), number, validity, -1)
            yield Column(f"{signal.name}.raw", signal, bits, slot, valid_slot, shown=self.rows.raw, is_raw=True)

    def _column(self, form: Form, number: int, validity: int, signal: int) -> int:
        width = form.dtype.itemsize
        slot = self.rows.slot(width)
        signed = int(form.dtype.kind == "i")
        whole = (int(form.scale), int(form.offset)) if form.kind == AFFINE else (1, 0)
        self.rows.columns.append((number, form.kind, width, slot, validity, signal, *whole, signed))
        self.rows.factors.append((form.scale, form.offset))
        return slot

    def field(self, signal: Signal) -> int:
        """Number of the row that says where a signal's bits are."""
        if signal.name not in self.fields:
            self.fields[signal.name] = len(self.rows.fields)
            start = signal.start
            first = 8 * (start // 8) + 7 - start % 8 if signal.big_endian else start
            word, join = divmod(first, WORD_BITS)
            big, unused = int(signal.big_endian), WORD_BITS - signal.length
            crosses = join > unused
            up = 0 if crosses and big else unused if crosses else join if big else unused - join
            second = self._plane(word + 1, big) if crosses else -1
            sign = 1 << (signal.length - 1) if signal.signed and not is_real(signal) else 0
            signed = sign - (1 << 64) if sign >> 63 else sign  # the same bits in a table of signed numbers
            self.rows.fields.append((self._plane(word, big), second, word, big, join, up, unused, signed))
        return self.fields[signal.name]

    def _plane(self, word: int, big: int) -> int:
        if (word, big) not in self.planes:
            self.planes[word, big] = len(self.planes)
            self.rows.planes.append((word, big))
        return self.planes[word, big]

    def gate(self, signal: Signal, above: frozenset[str] = frozenset()) -> int:
        """Number in the message of the branch that a signal is in; -1 for one that is always there."""
        selector = self.message.by_name.get(signal.multiplexor or "")
        if selector is None or selector.name in above or selector.length > WORD_BITS:
            return -1
        key = selector.name, signal.multiplex_values
        if key not in self.gates:
            parent = self.gate(selector, above | {signal.name})
            self.gates[key] = len(self.gates)
            ranges = self._ranges(selector, signal.multiplex_values)
            self.rows.gates.append((parent, self.field(selector), *ranges, _bias(selector)))
        return self.gates[key]

    def validity(self, signal: Signal, number: int) -> tuple[int, int]:
        """Number in the message and slot of what says which values of a signal count."""
        gate = self.gate(signal)
        checked = number if signal.not_available else -1
        needed = max([signal.end_byte, *(selector.end_byte for selector in self._selectors(signal))])
        key = (gate, needed, checked)
        if key not in self.validities:
            slot = self.rows.slot(1, ALWAYS if gate >= 0 or checked >= 0 else needed)
            self.validities[key] = len(self.validities), slot
            ranges = self._ranges(signal, signal.not_available)
            self.rows.validities.append((gate, needed, checked, *ranges, _bias(signal), slot))
        return self.validities[key]

    def _selectors(self, signal: Signal) -> Iterator[Signal]:
        seen = {signal.name}
        selector = self.message.by_name.get(signal.multiplexor or "")
        while selector is not None and selector.name not in seen:
            yield selector
            seen.add(selector.name)
            selector = self.message.by_name.get(selector.multiplexor or "")

    def _ranges(self, signal: Signal, ranges: tuple[RawRange, ...]) -> tuple[int, int]:
        lowest, highest = raw_limits(signal)
        turned = (1 << 63) if _bias(signal) else 0
        begin = len(self.rows.ranges)
        cut = ((max(low, lowest), min(high, highest)) for low, high in ranges)
        self.rows.ranges.extend((low + turned, high + turned) for low, high in cut if low <= high)
        return begin, len(self.rows.ranges)


class Form(NamedTuple):
    """How the bits of a signal become the numbers of a column.

    Attributes:
        kind: one of the constants above.
        dtype: of the numbers.
        scale, offset: what the raw value is multiplied with, and then added.
    """

    kind: int
    dtype: np.dtype[Any]
    scale: float = 1.0
    offset: float = 0.0


def physical_form(signal: Signal, *, narrow: bool = True, dtype: Precision = "float64") -> Form:
    """How a signal's physical values are kept: exactly as `raw x scale + offset` gives them in double precision.

    Whole numbers stay whole where scale and offset are, in the smallest type that holds all. Only where float32 is
    asked for is anything rounded, and only if the rounding error stays below half the step of the raw value.
    """
    scale, offset = signal.scale, signal.offset
    if is_real(signal):
        same = narrow and scale == 1 and offset == 0
        bits = max(signal.length, 32) if same else 64
        return Form(FLOAT_KINDS[signal.length], np.dtype(f"f{bits // 8}"), scale, offset)
    low, high = raw_limits(signal)
    if math.isfinite(scale) and math.isfinite(offset) and scale == int(scale) and offset == int(offset):
        ends = sorted((low * int(scale) + int(offset), high * int(scale) + int(offset)))
        if scale == 1 and offset == 0:
            return Form(INTEGER, whole_dtype(ends[0], ends[1], narrow=narrow))
        if min(ends[0], int(scale), int(offset)) >= -(1 << 63) and max(ends[1], int(scale), int(offset)) < 1 << 63:
            return Form(AFFINE, whole_dtype(ends[0], ends[1], narrow=narrow), scale, offset)
    kind = REAL if high < 1 << 31 else REAL_WIDE if high < 1 << 63 else REAL_UNSIGNED
    furthest = max(abs(low * scale + offset), abs(high * scale + offset))
    with np.errstate(over="ignore", invalid="ignore"):
        tells = dtype == "float32" and np.spacing(np.float32(furthest)) < abs(scale)
    return Form(kind, np.dtype(np.float32 if tells else np.float64), scale, offset)


def physical(signal: Signal, raw: float) -> float:
    """The physical value of one raw value, as the columns hold it."""
    if is_real(signal) or not (float(signal.scale).is_integer() and float(signal.offset).is_integer()):
        return raw * signal.scale + signal.offset
    return raw * int(signal.scale) + int(signal.offset)


def is_real(signal: Signal) -> bool:
    """Whether a signal's bits are IEEE 754; of other lengths than 16, 32 and 64 there is none."""
    return signal.is_float and signal.length in FLOAT_KINDS


def has_source(message: Message) -> bool:
    """Whether a message is matched by its group number, so that its sender's address says who sent it."""
    return message.is_extended and message.protocol in ("j1939", "nmea2000")


def raw_limits(signal: Signal) -> RawRange:
    """Least and greatest raw value; of a float, its bits as a whole number."""
    if signal.signed and not is_real(signal):
        return -(1 << (signal.length - 1)), (1 << (signal.length - 1)) - 1
    return 0, (1 << signal.length) - 1


def whole_dtype(low: int, high: int, *, narrow: bool = True) -> np.dtype[Any]:
    """The smallest type of whole numbers that holds both."""
    bits = next((bits for bits in (8, 16, 32) if narrow and _fits(low, high, bits)), 64)
    return np.dtype(f"{'i' if low < 0 or (not narrow and high < 1 << 63) else 'u'}{bits // 8}")


def _fits(low: int, high: int, bits: int) -> bool:
    return -(1 << (bits - 1)) <= low and high < (1 << (bits - 1)) if low < 0 else high < 1 << bits


def _raw_dtype(signal: Signal) -> np.dtype[Any]:
    return np.dtype(f"f{max(signal.length, 32) // 8}") if is_real(signal) else whole_dtype(*raw_limits(signal))


def _bias(signal: Signal) -> int:
    return int(signal.signed and not is_real(signal))


def _longest(message: Message) -> int:
    padded = [length for length in FD_LENGTHS if length >= message.length]
    return padded[0] if padded else message.length


def _table(rows: Sequence[Sequence[int]], width: int) -> IntArray:
    return np.array(rows, dtype=np.int64).reshape(-1, width)


def hash_place(key: int, size: int) -> int:
    """Where the search for a key begins in a table of `size` places, a power of two."""
    return ((key * 2654435761) >> 16) & (size - 1)


def _hashed(groups: dict[int, int]) -> IntArray:
    size = max(8, 1 << (4 * len(groups)).bit_length())
    table = np.full((size, 2), -1, dtype=np.int64)
    for key, group in groups.items():
        place = hash_place(key, size)
        while table[place, 0] >= 0:
            place = (place + 1) & (size - 1)
        table[place] = key, group
    return table


def _lookups(matrix: Matrix) -> tuple[npt.NDArray[np.uint16], IntArray, IntArray]:
    standard = np.zeros(1 << 11, dtype=np.uint16)
    extended: dict[int, int] = {}
    groups: dict[int, int] = {}
    for group, message in enumerate(matrix.messages, start=OTHERS):
        if message.is_extended:
            extended.setdefault(message.frame_id, group)
            if has_source(message):
                groups.setdefault(message.group_number, group)
        elif message.frame_id < standard.size and standard[message.frame_id] == UNKNOWN:
            standard[message.frame_id] = group
    return standard, _hashed(extended), _hashed(groups)
