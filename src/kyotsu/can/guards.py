"""What is judged of decoded rows beside their numbers: counters, checksums, long signals, containers.

All of it works on whole columns. It needs the frames themselves, so it is done with the block at hand and not later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from kyotsu.can.checksums import CHECKSUMS, Guarded
from kyotsu.can.decoded import Decoded, Quality, WideBytes, guarded_names
from kyotsu.can.frames import Flag, Frames, empty_frames
from kyotsu.can.layout import Column, Plan
from kyotsu.can.matrix import Message, Signal

HEADER_BYTES = 4  # before each contained PDU: three of id, big-endian, and one of length (AUTOSAR's short header)
Rows = npt.NDArray[np.int64]
Counters = Mapping[str, npt.NDArray[np.int64]]


def raw_column(plan: Plan, name: str) -> Column | None:
    """The column of a signal's raw values; `None` for a signal of more than 64 bits."""
    return next((column for column in plan.columns if column.is_raw and column.signal.name == name), None)


def judge_counter(
    decoded: Decoded, plan: Plan, sender: npt.NDArray[np.int64], last: npt.NDArray[np.int64], kernels: ModuleType
) -> Quality | None:
    """Whether each row's counter follows the one before of the same sender; `last` is brought up to date."""
    name, _ = guarded_names(plan.message)
    column = raw_column(plan, name) if name else None
    if column is None:
        return None
    count = sender.size
    values, valid = decoded.column(column, count), decoded.valid(column, count)
    right, known = np.empty(count, dtype=np.bool_), np.empty(count, dtype=np.bool_)
    there = np.ones(count, dtype=np.bool_) if valid is None else valid
    modulus = 1 << min(column.signal.length, 62)
    kernels.follow_counters(values.astype(np.int64), there, sender, modulus, last, right, known)
    return Quality(right, known)


def judge_checksum(decoded: Decoded, plan: Plan, rows: Rows, frames: Frames) -> Quality | None:
    """Whether each row's checksum is that of its payload."""
    _, name = guarded_names(plan.message)
    column = raw_column(plan, name) if name else None
    if column is None or plan.message.protection is None:
        return None
    values, valid = decoded.column(column, rows.size), decoded.valid(column, rows.size)
    right = values.astype(np.uint64) == expected_checksum(plan.message, payload_of(frames, rows), frames, rows)
    return Quality(right, np.ones(rows.size, dtype=np.bool_) if valid is None else valid)


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
    touched = [bit // 8 for bit in signal.bits]
    guarded = Guarded(
        payload, frames.length[rows], frames.frame_id[rows], guard.data_id, min(touched), max(touched) + 1
    )
    return CHECKSUMS[guard.algorithm].expected(guarded) & np.uint64((1 << min(signal.length, 64)) - 1)


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
