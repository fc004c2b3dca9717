"""The form of a codec's tables: their schemas, their room in the arena, and the heads by which Arrow reads them there.

All columns of a block lie in one arena. To hand each to Arrow by itself takes longer than to decode it, so each message
has a *head* at the beginning of the arena: the metadata of a record batch in Arrow's IPC format (a flatbuffer, see
"Encapsulated message format" of the Arrow columnar specification), written once with the codec. For a block only the
numbers in it are filled in, and Arrow takes the whole table over in one call, without a copy.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kyotsu.can.arena import ALIGNMENT
from kyotsu.can.checksums import CHECKSUMS
from kyotsu.can.layout import WORD_BITS, Column, Layout, Plan, is_real, physical, raw_limits
from kyotsu.can.matrix import Message, Signal

TIME_TYPE = pa.timestamp("ns", tz="UTC")
UINT8, INDEX = pa.uint8(), pa.int16()
NUMBER_TYPES = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8")
ARROW = {np.dtype(code): pa.from_numpy_dtype(np.dtype(code)) for code in NUMBER_TYPES}
Integers = npt.NDArray[np.int64]


def guarded_names(message: Message) -> tuple[str | None, str | None]:
    """The signals that hold a message's counter and its checksum, where there is something to judge."""
    guard = message.protection
    if guard is None:
        return None, None

    def judged(name: str | None) -> bool:
        return name is not None and name in message.by_name and message.by_name[name].length <= WORD_BITS

    checksum = guard.checksum if guard.algorithm in CHECKSUMS and judged(guard.checksum) else None
    return guard.counter if judged(guard.counter) else None, checksum


class Verdicts(NamedTuple):
    """Slots of a message's verdicts: whether counter and checksum are right, and whether that is known; -1 for none."""

    counter_right: int = -1
    counter_known: int = -1
    checksum_right: int = -1
    checksum_known: int = -1


class Slots(NamedTuple):
    """What lies in an arena, behind the heads; every array has one entry for each slot.

    Attributes:
        bits: of one row.
        message: number of the message that it belongs to.
        needs: of a validity, the bytes of payload below which it must be written; 0 of all that always is.
    """

    bits: Integers
    message: Integers
    needs: Integers


class Dressing(NamedTuple):
    """What is done before Arrow takes columns over, see `table_kernel`."""

    packs: Integers
    jobs: Integers
    of_byte: npt.NDArray[np.int16]
    keys: npt.NDArray[np.uint64]
    labels: npt.NDArray[np.int16]


class Heads(NamedTuple):
    """The heads of all tables, and where their numbers stand.

    Attributes:
        content: as they begin the arena.
        begin, body: of each message, where its head begins and where it ends [byte].
        length: of each message, the place of its number of rows [64-bit word].
        body_length: and that of the bytes behind it.
        message, slot, bits, mask: of each column of all tables: message, slot of its values, bits of one, and slot of
            the bits that say which count (-1: all do).
        node: of each column, the place of its length, which its number of nulls follows [64-bit word].
        buffer: and of the offset and length of its two buffers.
    """

    content: npt.NDArray[np.uint8]
    begin: Integers
    body: Integers
    length: Integers
    body_length: Integers
    message: Integers
    slot: Integers
    bits: Integers
    mask: Integers
    node: Integers
    buffer: Integers


class Shape(NamedTuple):
    """How a table is made of what Arrow reads.

    Attributes:
        stored: schema of what is read.
        schema: of the table.
        texts: of each column of the table its labels, or `None`.
        wide: and the signal of which it holds bytes, or `None`.
    """

    stored: pa.Schema
    schema: pa.Schema
    texts: tuple[pa.Array | None, ...]
    wide: tuple[Signal | None, ...]

    @property
    def is_plain(self) -> bool:
        """Whether what is read is the table."""
        return self.stored is self.schema


@dataclass(frozen=True)
class TableForm:
    """How the tables of a codec look.

    Attributes:
        layout: of the matrix.
        numbers: place of each message in the layout, by its name.
        verdicts: slots of each guarded message.
        guards: number of each guarded message among them.
        shapes: of each message.
        slots: of the arena: the layout's, the verdicts', and those that Arrow needs.
        dressing: how those are filled.
        heads: at the arena's beginning.
        kernels: by which.
    """

    layout: Layout
    numbers: Mapping[str, int]
    verdicts: Mapping[str, Verdicts]
    shapes: tuple[Shape, ...]
    slots: Slots
    dressing: Dressing
    heads: Heads
    kernels: ModuleType


class _Stored(NamedTuple):
    """A column as Arrow reads it."""

    field: pa.Field
    slot: int
    bits: int
    mask: int = -1
    shown: pa.Field | None = None
    texts: pa.Array | None = None


def table_form(
    layout: Layout, verdicts: Mapping[str, Verdicts], owners: Sequence[int], kernels: ModuleType, *, labels: bool
) -> TableForm:
    """The form of the tables of a layout.

    Args:
        layout: of the matrix.
        verdicts: slots of each guarded message, which follow the layout's.
        owners: message of each of those slots.
        kernels: that fill them.
        labels: whether a column of labels stands beside each signal that has a value table.
    """
    rows = _Rows(layout, verdicts, owners, labels)
    stored = [list(rows.columns(number, plan)) for number, plan in enumerate(layout.plans)]
    shapes = tuple(_shape(plan, layout, columns) for plan, columns in zip(layout.plans, stored, strict=True))
    numbers = {plan.message.name: number for number, plan in enumerate(layout.plans)}
    heads = _heads([shape.stored for shape in shapes], stored)
    return TableForm(layout, numbers, verdicts, shapes, rows.slots(), rows.dressing(), heads, kernels)


class _Rows:
    """Slots and jobs as they come."""

    def __init__(self, layout: Layout, verdicts: Mapping[str, Verdicts], owners: Sequence[int], labels: bool) -> None:
        self.layout, self.verdicts, self.with_labels = layout, verdicts, labels
        self.more = [(8, owner, 0) for owner in owners]
        self.packs: list[tuple[int, int, int]] = []
        self.jobs: list[tuple[int, ...]] = []
        self.of_byte: list[npt.NDArray[np.int16]] = []
        self.keys: list[npt.NDArray[np.uint64]] = []
        self.labels: list[npt.NDArray[np.int16]] = []

    def columns(self, number: int, plan: Plan) -> Iterator[_Stored]:
        """What Arrow reads of a message; bytes of long signals are added later."""
        yield _Stored(pa.field("time", TIME_TYPE, nullable=False), plan.slot, 64)
        yield _Stored(pa.field("bus", UINT8, nullable=False), plan.slot + 1, 8)
        if plan.source_slot >= 0:
            yield _Stored(pa.field("source", UINT8, nullable=False), plan.source_slot, 8)
        masks: dict[int, int] = {}
        for column in plan.columns:
            if not column.shown:
                continue
            if column.validity_slot not in masks:
                needs = int(self.layout.slot_needs[column.validity_slot])
                masks[column.validity_slot] = self.packed(column.validity_slot, number, needs)
            field = pa.field(column.name, ARROW[column.dtype], metadata=_signal_metadata(column))
            yield _Stored(field, column.slot, 8 * column.dtype.itemsize, masks[column.validity_slot])
            if self.with_labels and column.signal.labels and not column.is_raw:
                yield self.labelled(number, column)
        slots = self.verdicts.get(plan.message.name, Verdicts())
        for name, right, known in (("counter_ok", *slots[:2]), ("checksum_ok", *slots[2:])):
            if right >= 0:
                bits = self.packed(right, number, 0), self.packed(known, number, 0)
                yield _Stored(pa.field(name, pa.bool_()), bits[0], 1, bits[1])

    def slot(self, bits: int, number: int, needs: int = 0) -> int:
        self.more.append((bits, number, needs))
        return self.layout.slot_bytes.size + len(self.more) - 1

    def packed(self, slot: int, number: int, needs: int) -> int:
        target = self.slot(1, number, needs)
        self.packs.append((slot, target, number))
        return target

    def labelled(self, number: int, column: Column) -> _Stored:
        """The column of labels beside a signal's."""
        table = label_table(column)
        target, bits = self.slot(16, number), self.slot(1, number)
        begin = sum(part.size for part in self.keys)
        byte_row = -1
        if column.dtype.itemsize == 1:
            byte_row = len(self.of_byte)
            self.of_byte.append(table.of_byte)
        self.keys.append(table.keys)
        self.labels.append(table.indices)
        real = int(column.dtype.kind == "f")
        self.jobs.append((
            column.slot, column.dtype.itemsize, column.validity_slot, target, bits, number,
            begin, begin + table.keys.size, byte_row, real,
        ))  # fmt: skip
        name = f"{column.name}.label"
        shown = pa.field(name, pa.dictionary(INDEX, pa.string()))
        return _Stored(pa.field(name, INDEX), target, 16, bits, shown, table.texts)

    def slots(self) -> Slots:
        """The layout's slots and those of this form."""
        more = np.array(self.more, dtype=np.int64).reshape(-1, 3).T
        own = (self.layout.slot_bytes * 8, self.layout.slot_message, self.layout.slot_needs)
        return Slots(*(np.concatenate(pair) for pair in zip(own, more, strict=True)))

    def dressing(self) -> Dressing:
        """The jobs as arrays."""
        return Dressing(
            np.array(self.packs, dtype=np.int64).reshape(-1, 3),
            np.array(self.jobs, dtype=np.int64).reshape(-1, 10),
            np.array(self.of_byte, dtype=np.int16).reshape(-1, 256),
            np.concatenate([np.empty(0, dtype=np.uint64), *self.keys]),
            np.concatenate([np.empty(0, dtype=np.int16), *self.labels]),
        )


# --- labels ---


class Labels(NamedTuple):
    """A value table.

    Attributes:
        keys: bits of the values, as the column holds them, in rising order; a zero without its sign.
        indices: of each value's label.
        of_byte: the same of each value of one byte, by its bits; -1 for one without a label.
        texts: the labels, each once.
    """

    keys: npt.NDArray[np.uint64]
    indices: npt.NDArray[np.int16]
    of_byte: npt.NDArray[np.int16]
    texts: pa.Array


def label_table(column: Column) -> Labels:
    """The value table of a column."""
    signal = column.signal
    raw = [number for number in signal.labels if _holds(signal, number)]
    texts = list(dict.fromkeys(signal.labels[number] for number in raw))
    places = {text: place for place, text in enumerate(texts)}
    numbers = np.array([physical(signal, number) for number in raw], dtype=column.dtype)
    if column.dtype.kind == "f":
        numbers = numbers + column.dtype.type(0)  # -0.0 becomes 0.0
    keys = numbers.view(f"u{column.dtype.itemsize}").astype(np.uint64)
    indices = np.array([places[signal.labels[number]] for number in raw], dtype=np.int16)
    of_byte = np.full(256, -1, dtype=np.int16)
    if column.dtype.itemsize == 1:
        of_byte[keys.astype(np.int64)] = indices
    order = np.argsort(keys, kind="stable")
    return Labels(keys[order], indices[order], of_byte, pa.array(texts, pa.string()))


def _holds(signal: Signal, number: int) -> bool:
    low, high = raw_limits(signal)
    return is_real(signal) or low <= number <= high


# --- schemas ---


def _shape(plan: Plan, layout: Layout, columns: Sequence[_Stored]) -> Shape:
    """The schemas of a message's table, with what the matrix says of each column in its metadata."""
    message, matrix = plan.message, layout.matrix
    metadata = {
        "message": message.name,
        "frame_id": f"0x{message.frame_id:X}",
        "is_extended": json.dumps(message.is_extended),
        "matrix": matrix.name,
        "matrix_version": matrix.version,
        "matrix_fingerprint": matrix.fingerprint,
    }
    stored = pa.schema([column.field for column in columns], metadata=metadata)
    if not plan.wide and all(column.texts is None for column in columns):
        return Shape(stored, stored, (), ())
    verdicts = sum(column.bits == 1 for column in columns)
    entries: list[tuple[pa.Field, pa.Array | None, Signal | None]] = [
        (column.shown or column.field, column.texts, None) for column in columns
    ]
    wide = [(pa.field(signal.name, pa.binary(-(-signal.length // 8))), None, signal) for signal in plan.wide]
    place = len(entries) - verdicts
    fields, texts, signals = zip(*entries[:place], *wide, *entries[place:], strict=True)
    return Shape(stored, pa.schema(fields, metadata=metadata), texts, signals)


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


# --- heads ---


def _heads(schemas: Sequence[pa.Schema], stored: Sequence[Sequence[_Stored]]) -> Heads:
    """The heads of tables with such schemas."""
    content = bytearray()
    places: list[tuple[int, int, int, int]] = []
    columns: list[tuple[int, ...]] = []
    for number, (schema, own) in enumerate(zip(schemas, stored, strict=True)):
        content += bytes(-len(content) % ALIGNMENT)
        begin, head = len(content), _head(schema)
        content += head
        length, body_length, nodes, buffers = (place + begin // 8 for place in _places(head))
        places.append((begin, len(content), length, body_length))
        for place, column in enumerate(own):
            row = (number, column.slot, column.bits, column.mask, nodes + 2 * place, buffers + 4 * place)
            columns.append(row)
    content += bytes(-len(content) % ALIGNMENT)
    table = np.array(places, dtype=np.int64).reshape(-1, 4).T
    rows = np.array(columns, dtype=np.int64).reshape(-1, 6).T
    whole = np.frombuffer(bytes(content), dtype=np.uint8)
    return Heads(whole, *(np.ascontiguousarray(part) for part in (*table, *rows)))


def _head(schema: pa.Schema) -> bytes:
    """The encapsulated metadata of a record batch of one row, whose numbers are to be replaced."""
    columns: list[Any] = [_any_row(field.type) for field in schema]
    whole: bytes = pa.RecordBatch.from_arrays(columns, schema=schema).serialize().to_pybytes()
    return whole[: 8 + int.from_bytes(whole[4:8], "little")]


def _any_row(kind: pa.DataType) -> pa.Array:
    bits = kind.bit_width
    return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(bytes(max(1, bits // 8)))], 0)


def _places(head: bytes) -> tuple[int, int, int, int]:
    """Where a record batch's metadata has its rows, bytes of its body, first node and first buffer [64-bit word].

    A table of a flatbuffer begins with the distance back to its list of places: 16-bit numbers, from the third on where
    each field stands behind the beginning, 0 for one that is not there. See `Message.fbs` of Arrow's format for fields.
    """

    def number(form: str, place: int) -> int:
        return int(struct.unpack_from(f"<{form}", head, place)[0])

    def field(table: int, index: int) -> int:
        return table + number("H", table - number("i", table) + 4 + 2 * index)

    def followed(place: int) -> int:
        return place + number("I", place)

    message = followed(8)
    batch = followed(field(message, 2))  # header
    nodes, buffers = followed(field(batch, 1)), followed(field(batch, 2))
    places = field(batch, 0), field(message, 3), nodes + 4, buffers + 4
    assert all(place % 8 == 0 for place in places)
    length, body_length, node, buffer = (place // 8 for place in places)
    return length, body_length, node, buffer
