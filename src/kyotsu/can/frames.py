"""Frames in columns: the one form in which they go from logs and buses to the codec.

A block is some 64 thousand frames, so that a file larger than memory streams through, and the arrays stay in the
processor's cache. What a transport protocol has put together has the same form with a wider payload.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntFlag
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

BLOCK_FRAMES = 65_536
CLASSIC_BYTES, FD_BYTES = 8, 64

BytesArray = npt.NDArray[np.uint8]


class Flag(IntFlag):
    """What is said of a frame beside its id and payload."""

    EXTENDED = 1  # 29-bit id
    REMOTE = 2  # asks for data and carries none
    ERROR = 4  # an error frame of the bus
    FD = 8  # CAN FD
    BIT_RATE_SWITCH = 16  # FD: payload at the higher rate
    ERROR_STATE = 32  # FD: the sender is error passive
    SENT = 64  # by the logger itself ("Tx")


class Frames(NamedTuple):
    """A block of frames in the order of arrival; every array has one entry for each.

    Attributes:
        time: [ns] since 1970 UTC, or since the start of a log that does not state it.
        frame_id: 11 or 29 bits, without any flag in it, shape (frame,).
        flags: sum of `Flag`, shape (frame,).
        bus: channel number as the log counts them, shape (frame,).
        length: bytes of payload that were there, shape (frame,).
        payload: shape (frame, width), C order, zero from `length` on; width is 8, 64, or that of a transport protocol.
    """

    time: npt.NDArray[np.int64]
    frame_id: npt.NDArray[np.uint32]
    flags: BytesArray
    bus: BytesArray
    length: npt.NDArray[np.uint16]
    payload: BytesArray

    @property
    def size(self) -> int:
        """Number of frames."""
        return int(self.time.size)


def empty_frames(count: int, width: int = CLASSIC_BYTES) -> Frames:
    """Room for `count` frames; all zero."""
    return Frames(
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.uint32),
        np.zeros(count, dtype=np.uint8),
        np.zeros(count, dtype=np.uint8),
        np.zeros(count, dtype=np.uint16),
        np.zeros((count, width), dtype=np.uint8),
    )


def frames_of(rows: Sequence[tuple[int, int, bytes]], *, extended: bool = False, bus: int = 0) -> Frames:
    """Frames from a few rows of time [ns], id and payload, for tests and live use."""
    width = max([CLASSIC_BYTES, *(len(payload) for _, _, payload in rows)])
    frames = empty_frames(len(rows), width)
    frames.bus[:] = bus
    frames.flags[:] = Flag.EXTENDED if extended else 0
    for index, (time, frame_id, payload) in enumerate(rows):
        frames.time[index], frames.frame_id[index], frames.length[index] = time, frame_id, len(payload)
        frames.payload[index, : len(payload)] = np.frombuffer(payload, dtype=np.uint8)
    return frames


def take(frames: Frames, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> Frames:
    """Some of the frames, in their order."""
    columns: list[Any] = [values[chosen] for values in frames]
    return Frames(*columns)


def joined(blocks: Iterable[Frames]) -> Frames:
    """Blocks one after the other, at the width of the widest."""
    parts = list(blocks)
    if len(parts) < 2:
        return parts[0] if parts else empty_frames(0)
    width = max(part.payload.shape[1] for part in parts)
    wide = [
        np.pad(part.payload, ((0, 0), (0, width - part.payload.shape[1])))
        if part.payload.shape[1] < width
        else part.payload
        for part in parts
    ]
    columns: list[Any] = [np.concatenate([part[index] for part in parts]) for index in range(5)]
    columns.append(np.concatenate(wide))
    return Frames(*columns)
