"""ISO-TP (ISO 15765-2:2016): diagnostics and all else that sends up to 4,095 bytes, or more, on a pair of ids.

The first byte (the second with extended addressing, where the first is the address) says what a frame is:

    0L            single, L bytes; 00 LL in CAN FD frames of more than 8 bytes
    1L LL         first of LLL bytes; 10 00 LLLLLLLL for longer messages
    2N            next, N counts 1 to 15, 0, ...
    3S            flow control, which a listener ignores
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from kyotsu.can.assembly import FIRST, NEXT, NOTHING, SINGLE, WRONG, Assembly, Steps, TransportReport, no_steps
from kyotsu.can.frames import CLASSIC_BYTES, FD_BYTES, Flag, Frames, frames_of
from kyotsu.errors import InputError, Location, Problem

PATIENCE_NS = 1_000_000_000  # N_Cr, ISO 15765-2 table 21
LONGEST_BYTES = 4095  # of a first frame with 12 bits of length
MOST_BYTES = 65_535  # that `Frames` hold
MODULUS = 16
MOST_FRAME_ID = 1 << 29
FD_LENGTHS = (8, 12, 16, 20, 24, 32, 48, 64)


class IsoTp:
    """Puts ISO-TP messages together, see `kyotsu.can.transport.Reassembler`.

    Args:
        ids: of the frames that carry it; without them those that ISO 15765-4 has for diagnostics: 0x700 to 0x7FF, and
            0x18DAxxxx and 0x18DBxxxx.
        has_address: extended addressing, the first byte of each frame is an address.
        longest_bytes: of a message; one that claims more is broken.
    """

    def __init__(
        self, ids: Iterable[int] | None = None, *, has_address: bool = False, longest_bytes: int = LONGEST_BYTES
    ) -> None:
        self.ids = None if ids is None else np.unique(np.array(list(ids), dtype=np.uint32))
        self.at = 1 if has_address else 0
        self.assembly = Assembly(min(longest_bytes, MOST_BYTES), MODULUS)

    def push(self, frames: Frames) -> Frames:
        """Messages that these frames complete."""
        return self.assembly.push(frames, self._steps(frames))

    def finish(self) -> None:
        """Give up what is under way."""
        self.assembly.finish()

    @property
    def report(self) -> TransportReport:
        """How many messages there were, and what became of the others."""
        return self.assembly.report

    def _steps(self, frames: Frames) -> Steps:
        rows = np.flatnonzero(self._carries(frames) & (frames.length > self.at))
        steps = no_steps(frames.size)
        length = frames.length[rows].astype(np.int64)
        head = np.zeros((rows.size, self.at + 6), dtype=np.int64)
        width = min(head.shape[1], frames.payload.shape[1])
        head[:, :width] = frames.payload[rows, :width]
        one, two, *rest = (head[:, self.at + index] for index in range(6))
        kind, low = one >> 4, one & 15
        is_long_single, is_long_first = (low == 0) & (length > CLASSIC_BYTES), (low == 0) & (two == 0)
        single_total = np.where(is_long_single, two, low)
        single_begin = self.at + np.where(is_long_single, 2, 1)
        long_total = (rest[0] << 24) | (rest[1] << 16) | (rest[2] << 8) | rest[3]
        first_total = np.where(is_long_first, long_total, (low << 8) | two)
        first_begin = self.at + np.where(is_long_first, 6, 2)
        is_single = (kind == 0) & (single_total > 0) & (single_begin + single_total <= length)
        # A message that fits a single frame never begins with a first one.
        is_first = (kind == 1) & (first_total > length - self.at - 2) & (length >= CLASSIC_BYTES)
        choices = [is_single, is_first, kind == 2, kind < 2]
        steps.kind[rows] = np.select(choices, [SINGLE, FIRST, NEXT, WRONG], NOTHING)
        address = head[:, 0] if self.at else 0
        frame_id = frames.frame_id[rows].astype(np.int64)
        is_extended = (frames.flags[rows] & Flag.EXTENDED).astype(np.int64)
        steps.key[rows] = (
            ((frames.bus[rows].astype(np.int64) << 8 | address) << 1) | is_extended
        ) * MOST_FRAME_ID + frame_id
        steps.sequence[rows] = np.where(kind == 2, low, 1)
        steps.total[rows] = np.where(kind == 0, single_total, first_total)
        steps.begin[rows] = np.select([kind == 0, kind == 1], [single_begin, first_begin], self.at + 1)
        steps.patience[rows] = PATIENCE_NS
        steps.message_id[rows] = frame_id
        return steps

    def _carries(self, frames: Frames) -> npt.NDArray[np.bool_]:
        """Which frames may belong to a message."""
        whole: npt.NDArray[np.bool_] = (frames.flags & (Flag.ERROR | Flag.REMOTE)) == 0
        if self.ids is not None:
            whole &= np.isin(frames.frame_id, self.ids)
            return whole
        is_extended = (frames.flags & Flag.EXTENDED) != 0
        functional = np.isin(frames.frame_id >> 16, [0x18DA, 0x18DB])
        whole &= np.where(is_extended, functional, (frames.frame_id & ~np.uint32(0xFF)) == 0x700)
        return whole


def segments(
    payload: bytes, *, address: int | None = None, frame_bytes: int = CLASSIC_BYTES, padding: int | None = 0xCC
) -> Iterator[bytes]:
    """The payloads of the frames that carry a message; the sender waits for flow control behind the first.

    Args:
        payload: of the message.
        address: with extended addressing, the first byte of each frame.
        frame_bytes: most bytes of a frame: 8, or a length of CAN FD.
        padding: what fills frames up to 8 bytes; `None` for none, but up to a length that CAN FD has.

    Raises:
        InputError: an empty message, one of more than 4,294,967,295 bytes, or a length that no frame has.
    """
    if not 0 < len(payload) < 1 << 32 or frame_bytes not in FD_LENGTHS:
        found = f"{len(payload)} bytes in frames of {frame_bytes}"
        expected = f"1 to 4294967295 bytes, in frames of {', '.join(map(str, FD_LENGTHS))}"
        raise InputError([Problem(Location(), found, expected, "Choose another payload or frame.")])
    prefix = b"" if address is None else bytes([address])
    room = frame_bytes - len(prefix)
    if len(payload) < min(room, CLASSIC_BYTES - len(prefix)):
        yield _filled(prefix + bytes([len(payload)]) + payload, padding)
        return
    if len(payload) <= room - 2 and frame_bytes > CLASSIC_BYTES:
        yield _filled(prefix + bytes([0, len(payload)]) + payload, padding)
        return
    is_long = len(payload) > LONGEST_BYTES
    head = b"\x10\x00" + len(payload).to_bytes(4, "big") if is_long else (0x1000 | len(payload)).to_bytes(2, "big")
    at = room - len(head)
    yield prefix + head + payload[:at]
    sequence = 1
    while at < len(payload):
        yield _filled(prefix + bytes([0x20 | sequence]) + payload[at : at + room - 1], padding)
        at, sequence = at + room - 1, (sequence + 1) % MODULUS


def _filled(frame: bytes, padding: int | None) -> bytes:
    size = len(frame)
    if size > CLASSIC_BYTES:
        size = next(length for length in FD_LENGTHS if length >= size)
    elif padding is not None:
        size = CLASSIC_BYTES
    return frame.ljust(size, bytes([0xCC if padding is None else padding]))


def segmented(
    time: int, frame_id: int, payload: bytes, *, extended: bool = False, bus: int = 0, frame_bytes: int = CLASSIC_BYTES
) -> Frames:
    """The frames that carry a message, all with one time [ns], to be sent by a bus or written to a log."""
    parts = list(segments(payload, frame_bytes=frame_bytes))
    frames = frames_of([(time, frame_id, part) for part in parts], extended=extended, bus=bus)
    if frame_bytes > CLASSIC_BYTES:
        frames.flags[:] |= np.uint8(Flag.FD)
    return frames


assert FD_LENGTHS[-1] == FD_BYTES
