"""What is judged of decoded rows beside their numbers: counters, checksums, long signals, containers.

It needs the frames themselves, so it is done with the block at hand and not later.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.can import layout as at
from kyotsu.can.checksums import CHECKSUMS, NO_CRCS, Crc, Guarded
from kyotsu.can.decoded import WideBytes
from kyotsu.can.frames import Flag, Frames, empty_frames
from kyotsu.can.guard_tables import RECIPE, WIDTH, Guards
from kyotsu.can.layout import WORD_BITS, Layout, Plan, has_source
from kyotsu.can.matrix import Message, Signal
from kyotsu.can.table_form import Verdicts, guarded_names

HEADER_BYTES = 4  # before each contained PDU: three of id, big-endian, and one of length (AUTOSAR's short header)
BUSES, ADDRESSES = 256, 256
COUNTER_BITS = 62  # of a longer counter the low ones are followed
Rows = npt.NDArray[np.int64]


class GuardPlan(NamedTuple):
    """What is judged of a matrix.

    Attributes:
        tables: for the kernels.
        verdicts: of each guarded message by its name, in the order of the rows.
        owners: number of the message that each slot of a verdict belongs to, in the order of the slots.
        senders: counters that are followed.
    """

    tables: Guards
    verdicts: dict[str, Verdicts]
    owners: list[int]
    senders: int


def plan_guards(layout: Layout) -> GuardPlan:
    """What is judged of a matrix; slots of the verdicts follow the layout's."""
    rows: list[tuple[int, ...]] = []
    verdicts: dict[str, Verdicts] = {}
    owners: list[int] = []
    crcs: dict[Crc, int] = {}
    of_message = np.full(len(layout.plans), -1, dtype=np.int64)
    senders = 0
    for number, plan in enumerate(layout.plans):
        counter, checksum = guarded_names(plan.message)
        if counter is None and checksum is None:
            continue
        of_message[number] = len(rows)
        slots = []
        for name in (counter, counter, checksum, checksum):
            slots.append(-1 if name is None else layout.slot_bytes.size + len(owners))
            owners += [] if name is None else [number]
        verdicts[plan.message.name] = Verdicts(*slots)
        source = has_source(plan.message)
        rows.append((
            *_recipe(plan.message, checksum, crcs), number, plan.position_slot, int(source), senders,
            *_field(layout, plan, counter, COUNTER_BITS), *slots[:2],
            *_field(layout, plan, checksum, WORD_BITS), *slots[2:],
        ))  # fmt: skip
        senders += BUSES * (ADDRESSES if source else 1)
    table = np.array(rows, dtype=np.int64).reshape(-1, WIDTH)
    tables = Guards(table, np.stack([crc.table for crc in crcs]) if crcs else NO_CRCS, of_message)
    return GuardPlan(tables, verdicts, owners, senders)


def _recipe(message: Message, checksum: str | None, crcs: dict[Crc, int]) -> tuple[int, ...]:
    guard = message.protection
    if guard is None or checksum is None or guard.algorithm is None:
        return (0,) * RECIPE
    algorithm = CHECKSUMS[guard.algorithm]
    table = 0 if algorithm.crc is None else crcs.setdefault(algorithm.crc, len(crcs))
    return algorithm.recipe(guard.data_id, *_place(message.by_name[checksum]), table)


def _place(signal: Signal) -> tuple[int, int]:
    """The bytes that a signal touches."""
    touched = [bit // 8 for bit in signal.bits]
    return min(touched), max(touched) + 1


def _field(layout: Layout, plan: Plan, name: str | None, most: int) -> tuple[int, int, int, int]:
    """Field, validity, slot of the validity and bits of a signal that is judged."""
    if name is None:
        return -1, -1, -1, 0
    column = next(column for column in plan.columns if column.signal.name == name)
    rows = layout.tables.columns
    row = rows[np.flatnonzero(rows[:, at.COLUMN_SLOT] == column.slot)[0]]
    mask = (1 << min(column.signal.length, most)) - 1
    signed = mask - (1 << WORD_BITS) if mask >> 63 else mask  # the same bits in a table of signed numbers
    return int(row[at.COLUMN_FIELD]), int(row[at.COLUMN_VALIDITY]), column.validity_slot, signed


def new_counters(plan: GuardPlan) -> npt.NDArray[np.int64]:
    """The counters of all senders before the first frame."""
    return np.full(plan.senders, -1, dtype=np.int64)


def payload_of(frames: Frames, rows: Rows) -> npt.NDArray[np.uint8]:
    """Payloads of some rows; `frames` are the kernels', whose payloads are 64-bit words."""
    return frames.payload[rows].view(np.uint8)


def expected_checksum(
    message: Message, payload: npt.NDArray[np.uint8], frames: Frames, rows: Rows
) -> npt.NDArray[np.uint64]:
    """The value that the checksum signal of a message should have in each row, cut to its bits."""
    guard = message.protection
    assert guard is not None
    assert guard.algorithm is not None
    signal = message.by_name[guard.checksum or ""]
    guarded = Guarded(payload, frames.length[rows], frames.frame_id[rows], guard.data_id, *_place(signal))
    return CHECKSUMS[guard.algorithm].expected(guarded) & np.uint64((1 << min(signal.length, WORD_BITS)) - 1)


def wide_bytes(signal: Signal, payload: npt.NDArray[np.uint8], length: npt.NDArray[Any]) -> WideBytes:
    """A signal of more than 64 bits as bytes, most significant first."""
    chosen = np.array(signal.bits)
    needed = int(chosen.max()) // 8 + 1
    if payload.shape[1] < needed:
        payload = np.pad(payload, ((0, 0), (0, needed - payload.shape[1])))
    bits = payload[:, chosen // 8] >> (chosen % 8).astype(np.uint8) & 1
    spare = -bits.shape[1] % 8
    return WideBytes(np.packbits(np.pad(bits, ((0, 0), (spare, 0))), axis=1), length >= needed)


def contained_frames(frames: Frames, rows: Rows) -> Frames:
    """The PDUs inside container frames as frames of their own, whose id is that of the PDU's header.

    One pass for each PDU that the fullest frame has. An id of zero with a length of zero is padding. A PDU that is
    cut off has what there is of it.
    """
    payload, length = payload_of(frames, rows), frames.length[rows].astype(np.int64)
    parts = list(_parts(payload, length))
    if not parts:
        return empty_frames(0)
    found, ids, begins, sizes = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((begins, found))
    found, ids, begins, sizes = found[order], ids[order], begins[order], sizes[order]
    inside = empty_frames(found.size, max(8, int(sizes.max())))
    inside.time[:], inside.bus[:] = frames.time[rows][found], frames.bus[rows][found]
    inside.frame_id[:], inside.length[:] = ids, sizes
    inside.flags[:] = Flag.EXTENDED  # as `Codec` lays them out: 24 bits do not fit in a standard id
    places = np.arange(inside.payload.shape[1])
    there = places < sizes[:, None]
    from_payload = np.minimum(begins[:, None] + places, payload.shape[1] - 1)
    inside.payload[:] = np.where(there, payload[found[:, None], from_payload], 0)
    return inside


def _parts(payload: npt.NDArray[np.uint8], length: Rows) -> Iterator[tuple[Rows, Rows, Rows, Rows]]:
    """Row, id, first byte and bytes of the first PDU of each frame, then of the second, and so on."""
    place = np.zeros(length.size, dtype=np.int64)
    rows = np.flatnonzero(length >= HEADER_BYTES)
    while rows.size:
        header = payload[rows[:, None], place[rows, None] + np.arange(HEADER_BYTES)].astype(np.int64)
        ids = header[:, 0] << 16 | header[:, 1] << 8 | header[:, 2]
        begins = place[rows] + HEADER_BYTES
        sizes = np.minimum(header[:, 3], length[rows] - begins)
        real = (ids != 0) | (header[:, 3] != 0)
        yield rows[real], ids[real], begins[real], sizes[real]
        place[rows] = begins + header[:, 3]
        rows = rows[place[rows] + HEADER_BYTES <= length[rows]]
