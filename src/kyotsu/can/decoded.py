"""What a block of frames says: one table for each message, and a count of all that was not decoded.

Numbers lie in one arena, and become Arrow when they are asked for. Nothing is dropped in silence:

    frames = rows of all messages + unknown + remote + error
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kyotsu.can.layout import Column, Plan
from kyotsu.can.matrix import Signal
from kyotsu.can.table_form import TableForm, guarded_names

__all__ = ["Decoded", "Quality", "UnknownId", "WideBytes", "guarded_names"]

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
        return pa.Array.from_buffers(
            pa.binary(width), count, [pa.py_buffer(np.packbits(self.valid, bitorder="little")), content]
        )


@dataclass(frozen=True, eq=False)
class Decoded(Mapping[str, pa.RecordBatch]):
    """A block of frames, decoded: a mapping from the names of the messages that were there to their tables.

    Attributes:
        frames: number of frames.
        rows: of each message of the matrix, in its order.
        unknown: frames of each id that the matrix does not describe.
        remote, error: frames that carry no data.
        too_short, too_long: frames of each message with less or more bytes than described.
        wrong: rows of each guarded message whose counter and whose checksum is wrong, shape (guard, 2).
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
    wrong: npt.NDArray[np.int64]
    last_counters: npt.NDArray[np.int64]
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

    @cached_property
    def counters(self) -> Mapping[str, Quality]:
        """Verdicts on the counters of the messages that have them."""
        return {name: self._quality(name, *slots[:2]) for name, slots in self.form.verdicts.items() if slots[0] >= 0}

    @cached_property
    def checksums(self) -> Mapping[str, Quality]:
        """Verdicts on the checksums of the messages that have them."""
        return {name: self._quality(name, *slots[2:]) for name, slots in self.form.verdicts.items() if slots[2] >= 0}

    def _quality(self, name: str, right: int, known: int) -> Quality:
        count, kind = self.count(name), np.dtype(np.bool_)
        return Quality(self._slot(right, kind, count), self._slot(known, kind, count))

    @property
    def wrong_counters(self) -> dict[str, int]:
        """Frames of each message whose counter does not follow the one before."""
        return self._wrong(0)

    @property
    def wrong_checksums(self) -> dict[str, int]:
        """Frames of each message whose checksum is not that of its payload."""
        return self._wrong(1)

    def _wrong(self, which: int) -> dict[str, int]:
        counts = zip(self.form.verdicts, self.wrong[:, which].tolist(), strict=True)
        return {name: count for name, count in counts if count}

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
        number = self.form.numbers[name]
        shape = self.form.shapes[number]
        content = self._arrow.slice(int(self.form.heads.begin[number]))
        batch = pa.ipc.read_record_batch(content, shape.stored)
        if shape.is_plain:
            return batch
        stored, arrays = iter(batch.columns), []
        for texts, signal in zip(shape.texts, shape.wide, strict=True):
            if signal is not None:
                arrays.append((self.wide.get((name, signal.name)) or WideBytes.nothing(signal)).array())
            elif texts is not None:
                arrays.append(pa.DictionaryArray.from_arrays(next(stored), texts, safe=False))
            else:
                arrays.append(next(stored))
        return pa.RecordBatch.from_arrays(arrays, schema=shape.schema)

    @cached_property
    def _arrow(self) -> pa.Buffer:
        """The arena, now with all that Arrow needs to read the tables in it."""
        form, offsets, rows = self.form, self.offsets, self.rows
        words = self.arena.view(np.uint64)
        wholes = self.arena, self.arena.view(np.uint16), self.arena.view(np.uint32), words
        nulls = np.zeros(offsets.size, dtype=np.int64)
        form.kernels.dress(*form.dressing, rows, offsets, wholes, nulls)
        heads, numbers = form.heads, words.view(np.int64)
        self.arena[: heads.content.size] = heads.content
        numbers[heads.length] = rows
        numbers[heads.body_length] = self.arena.size - heads.body
        count, body = rows[heads.message], heads.body[heads.message]
        missing = np.where(heads.mask >= 0, nulls[heads.mask], 0)
        numbers[heads.node], numbers[heads.node + 1] = count, missing
        values = offsets[heads.slot] - body
        numbers[heads.buffer] = np.where(missing > 0, offsets[heads.mask] - body, values)
        numbers[heads.buffer + 1] = np.where(missing > 0, (count + 7) >> 3, 0)
        numbers[heads.buffer + 2], numbers[heads.buffer + 3] = values, (count * heads.bits + 7) >> 3
        return pa.py_buffer(self.arena)
