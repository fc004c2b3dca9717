"""What a block of frames says: one table for each message, and a count of all that was not decoded.

Numbers lie in one arena, and become Arrow when they are asked for. Nothing is dropped in silence:

    frames = rows of all messages + unknown + remote + error
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kyotsu.can.checksums import CHECKSUMS
from kyotsu.can.layout import WORD_BITS, Column, Layout, Plan, has_source, is_real, physical, raw_limits
from kyotsu.can.matrix import Message, Signal

TIME_TYPE = pa.timestamp("ns", tz="UTC")
UINT8, INDEX = pa.uint8(), pa.int16()
NUMBER_TYPES = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8")
ARROW = {np.dtype(code): pa.from_numpy_dtype(np.dtype(code)) for code in NUMBER_TYPES}
BoolArray = npt.NDArray[np.bool_]


class UnknownId(NamedTuple):
    """An id that the matrix does not describe."""

    frame_id: int
    is_extended: bool
    bus: int


class Quality(NamedTuple):
    """Whether counter or checksum are right, of each row; `known` is false where nothing can be said."""

    right: BoolArray
    known: BoolArray

    @property
    def wrong(self) -> int:
        """Rows that are known to be wrong."""
        return int((self.known & ~self.right).sum())


def guarded_names(message: Message) -> tuple[str | None, str | None]:
    """The signals that hold a message's counter and its checksum, where there is something to judge."""
    guard = message.protection
    if guard is None:
        return None, None

    def judged(name: str | None) -> bool:
        return name is not None and name in message.by_name and message.by_name[name].length <= WORD_BITS

    checksum = guard.checksum if guard.algorithm in CHECKSUMS and judged(guard.checksum) else None
    return guard.counter if judged(guard.counter) else None, checksum


class WideBytes(NamedTuple):
    """Values of a signal of more than 64 bits: bytes, most significant first, shape (row, byte)."""

    content: npt.NDArray[np.uint8]
    valid: BoolArray

    @staticmethod
    def nothing(signal: Signal) -> WideBytes:
        """No rows."""
        return WideBytes(np.empty((0, -(-signal.length // 8)), dtype=np.uint8), np.empty(0, dtype=np.bool_))

    def array(self) -> pa.Array:
        """As Arrow's."""
        count, width = self.content.shape
        content = pa.py_buffer(np.ascontiguousarray(self.content))
        return pa.Array.from_buffers(pa.binary(width), count, [_bits(self.valid), content])


@dataclass(frozen=True)
class TableForm:
    """How the tables of a codec look.

    Attributes:
        layout: of the matrix.
        labels: value tables by message and signal, of those that have a column of labels.
        schemas: of each message, by its name.
        numbers: place of each message in the layout, by its name.
    """

    layout: Layout
    labels: Mapping[tuple[str, str], Labels]
    schemas: Mapping[str, pa.Schema]
    numbers: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Decoded(Mapping[str, pa.RecordBatch]):
    """A block of frames, decoded: a mapping from the names of the messages that were there to their tables.

    Attributes:
        frames: number of frames.
        rows: of each message of the matrix, in its order.
        unknown: frames of each id that the matrix does not describe.
        remote, error: frames that carry no data.
        too_short, too_long: frames of each message with less or more bytes than described.
        counters, checksums: verdicts on each row of the messages that have them, by message.
        last_counters: for the next block, see `Codec.decode`.
        contained: what was inside container messages, by the container's name.
        form, arena, offsets: where the numbers lie.
        wide: columns of bytes, by message and signal.
    """

    frames: int
    rows: npt.NDArray[np.int64]
    unknown: Mapping[UnknownId, int]
    remote: int
    error: int
    too_short: Mapping[str, int]
    too_long: Mapping[str, int]
    form: TableForm
    arena: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    counters: Mapping[str, Quality] = field(default_factory=dict)
    checksums: Mapping[str, Quality] = field(default_factory=dict)
    last_counters: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    contained: Mapping[str, Decoded] = field(default_factory=dict)
    wide: Mapping[tuple[str, str], WideBytes] = field(default_factory=dict)

    def __getitem__(self, name: str) -> pa.RecordBatch:
        count = self.count(name)
        if not count:
            raise KeyError(name)
        return self.table(name)

    def __iter__(self) -> Iterator[str]:
        names = self.form.layout.matrix.messages
        return (names[number].name for number in np.flatnonzero(self.rows))

    def __len__(self) -> int:
        return int(np.count_nonzero(self.rows))

    @property
    def wrong_counters(self) -> dict[str, int]:
        """Frames of each message whose counter does not follow the one before."""
        return {name: quality.wrong for name, quality in self.counters.items() if quality.wrong}

    @property
    def wrong_checksums(self) -> dict[str, int]:
        """Frames of each message whose checksum is not that of its payload."""
        return {name: quality.wrong for name, quality in self.checksums.items() if quality.wrong}

    def count(self, name: str) -> int:
        """Rows of a message; 0 for one that was not there."""
        return int(self.rows[self.form.numbers[name]])

    def plan(self, name: str) -> Plan:
        """Where a message's columns lie."""
        return self.form.layout.plans[self.form.numbers[name]]

    def time(self, name: str) -> npt.NDArray[np.int64]:
        """Times [ns] of a message's rows."""
        return self._slot(self.plan(name).slot, np.dtype(np.int64), self.count(name))

    def bus(self, name: str) -> npt.NDArray[np.uint8]:
        """Bus numbers of a message's rows."""
        return self._slot(self.plan(name).slot + 1, np.dtype(np.uint8), self.count(name))

    def source(self, name: str) -> npt.NDArray[np.uint8] | None:
        """Source addresses of a J1939 message's rows; `None` for any other."""
        slot = self.plan(name).source_slot
        return self._slot(slot, np.dtype(np.uint8), self.count(name)) if slot >= 0 else None

    def positions(self, name: str) -> npt.NDArray[np.int64]:
        """Places in the block of a message's rows, of the messages that are judged."""
        return self._slot(self.plan(name).position_slot, np.dtype(np.int64), self.count(name))

    def numbers(self, name: str, signal: str) -> tuple[npt.NDArray[Any], BoolArray | None]:
        """Values of a signal's rows and which of them count; `None` if all do. Nothing is copied."""
        column = next(column for column in self.plan(name).columns if column.name == signal)
        return self.column(column, self.count(name)), self.valid(column, self.count(name))

    def column(self, column: Column, count: int) -> npt.NDArray[Any]:
        """Values of a column."""
        return self._slot(column.slot, column.dtype, count)

    def valid(self, column: Column, count: int) -> BoolArray | None:
        """Which values of a column count; `None` if all do."""
        if self.offsets[column.validity_slot] < 0:
            return None
        return self._slot(column.validity_slot, np.dtype(np.bool_), count)

    def _slot(self, slot: int, dtype: np.dtype[Any], count: int) -> npt.NDArray[Any]:
        begin = int(self.offsets[slot])
        return self.arena[begin : begin + count * dtype.itemsize].view(dtype)

    def table(self, name: str) -> pa.RecordBatch:
        """The table of a message, with no rows if it was not there."""
        plan, count = self.plan(name), self.count(name)
        buffer = pa.py_buffer(self.arena)
        arrays = [self._array(buffer, plan.slot, TIME_TYPE, 8, count)]
        arrays.append(self._array(buffer, plan.slot + 1, UINT8, 1, count))
        if plan.source_slot >= 0:
            arrays.append(self._array(buffer, plan.source_slot, UINT8, 1, count))
        masks: dict[int, pa.Buffer | None] = {}
        for column in plan.columns:
            if column.validity_slot not in masks:
                masks[column.validity_slot] = _bits(self.valid(column, count))
            if column.shown:
                mask, width = masks[column.validity_slot], column.dtype.itemsize
                arrays.append(self._array(buffer, column.slot, ARROW[column.dtype], width, count, mask))
                if (name, column.name) in self.form.labels:
                    labels = self.form.labels[name, column.name]
                    arrays.append(labelled(labels, self.column(column, count), self.valid(column, count)))
        for signal in plan.wide:
            content = self.wide.get((name, signal.name)) or WideBytes.nothing(signal)
            arrays.append(content.array())
        for wanted, verdicts in zip(guarded_names(plan.message), (self.counters, self.checksums), strict=True):
            if wanted:
                quality = verdicts[name]
                arrays.append(pa.array(quality.right, mask=~quality.known))
        return pa.RecordBatch.from_arrays(arrays, schema=self.form.schemas[name])

    def _array(
        self, buffer: pa.Buffer, slot: int, kind: pa.DataType, width: int, count: int, mask: pa.Buffer | None = None
    ) -> pa.Array:
        values = buffer.slice(int(self.offsets[slot]), count * width)
        return pa.Array.from_buffers(kind, count, [mask, values], 0 if mask is None else -1)


def _bits(valid: BoolArray | None) -> pa.Buffer | None:
    return None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))


# --- labels ---


class Labels(NamedTuple):
    """A value table, sorted by value.

    Attributes:
        values: physical, as the column holds them.
        indices: of each value's label.
        of_byte: the same of each value of one byte, by its bits; -1 for one without a label.
        texts: the labels, each once.
    """

    values: npt.NDArray[Any]
    indices: npt.NDArray[np.int16]
    of_byte: npt.NDArray[np.int16]
    texts: pa.Array


def label_table(column: Column) -> Labels:
    """The value table of a column."""
    signal = column.signal
    raw = [number for number in signal.labels if _holds(signal, number)]
    texts = list(dict.fromkeys(signal.labels[number] for number in raw))
    numbers = np.array([physical(signal, number) for number in raw], dtype=column.dtype)
    order = np.argsort(numbers, kind="stable")
    places = np.array([texts.index(signal.labels[number]) for number in raw], dtype=np.int16)
    of_byte = np.full(256, -1, dtype=np.int16)
    if numbers.dtype.itemsize == 1:
        of_byte[numbers.view(np.uint8)] = places
    return Labels(numbers[order], places[order], of_byte, pa.array(texts, pa.string()))


def _holds(signal: Signal, number: int) -> bool:
    low, high = raw_limits(signal)
    return is_real(signal) or low <= number <= high


def labelled(labels: Labels, values: npt.NDArray[Any], valid: BoolArray | None) -> pa.Array:
    """The label of each value; null for a value without one."""
    if not labels.values.size:
        return pa.DictionaryArray.from_arrays(pa.nulls(values.size, INDEX), labels.texts)
    if values.dtype.itemsize == 1:
        indices = labels.of_byte[values.view(np.uint8)]
    else:
        places = np.minimum(np.searchsorted(labels.values, values), labels.values.size - 1)
        indices = np.where(labels.values[places] == values, labels.indices[places], np.int16(-1))
    if valid is None and indices.min(initial=0) >= 0:
        return pa.DictionaryArray.from_arrays(pa.array(indices), labels.texts)
    known = indices >= 0 if valid is None else (indices >= 0) & valid
    return pa.DictionaryArray.from_arrays(pa.array(indices, mask=~known), labels.texts)


# --- schemas ---


def table_schema(plan: Plan, layout: Layout, *, labels: bool) -> pa.Schema:
    """The columns of a message's table, with what the matrix says of each in its metadata."""
    fields = [pa.field("time", TIME_TYPE, nullable=False), pa.field("bus", UINT8, nullable=False)]
    if has_source(plan.message):
        fields.append(pa.field("source", UINT8, nullable=False))
    for column in plan.columns:
        if column.shown:
            fields.append(pa.field(column.name, ARROW[column.dtype], metadata=_signal_metadata(column)))
            if labels and column.signal.labels and not column.is_raw:
                kind = pa.dictionary(INDEX, pa.string())
                fields.append(pa.field(f"{column.name}.label", kind))
    fields += [pa.field(signal.name, pa.binary(-(-signal.length // 8))) for signal in plan.wide]
    counter, checksum = guarded_names(plan.message)
    if counter:
        fields.append(pa.field("counter_ok", pa.bool_()))
    if checksum:
        fields.append(pa.field("checksum_ok", pa.bool_()))
    message, matrix = plan.message, layout.matrix
    metadata = {
        "message": message.name,
        "frame_id": f"0x{message.frame_id:X}",
        "is_extended": json.dumps(message.is_extended),
        "matrix": matrix.name,
        "matrix_version": matrix.version,
        "matrix_fingerprint": matrix.fingerprint,
    }
    return pa.schema(fields, metadata=metadata)


def _signal_metadata(column: Column) -> dict[str, str]:
    signal = column.signal
    metadata = {
        "unit": "" if column.is_raw else signal.unit,
        "scale": repr(signal.scale),
        "offset": repr(signal.offset),
    }
    if signal.labels:
        metadata["labels"] = json.dumps({str(number): text for number, text in signal.labels.items()})
    if signal.comment:
        metadata["comment"] = signal.comment
    return metadata
