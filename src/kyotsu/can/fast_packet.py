"""Fast packets of NMEA 2000: up to 223 bytes in frames of one id.

The first byte of a frame counts: 3 bits the message, 5 bits the frame from 0; the second of frame 0 is the length.
A group is sent either as single frames or as fast packets, always; which one no frame says.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kyotsu.can.assembly import FIRST, NEXT, WRONG, Assembly, Steps, TransportReport, no_steps
from kyotsu.can.frames import Flag, Frames

LONGEST_BYTES = 223
PATIENCE_NS = 750_000_000
MODULUS = 32

# Groups that NMEA 2000 sends as fast packets, as far as they are publicly known (canboat's list of groups, Apache-2.0).
FAST_GROUPS = frozenset([
    126208, 126464, 126720, 126983, 126984, 126985, 126986, 126987, 126988, 126996, 126998, 127233, 127237,
    127489, 127490, 127491, 127494, 127495, 127496, 127497, 127498, 127500, 127503, 127504, 127506, 127507,
    127509, 127510, 127511, 127512, 127513, 127514, 128275, 128520, 128538, 129029, 129038, 129039, 129040,
    129041, 129044, 129045, 129284, 129285, 129301, 129302, 129538, 129540, 129541, 129542, 129545, 129547,
    129549, 129550, 129551, 129556, *range(129792, 129811), 130052, 130053, 130054, 130060, 130061,
    *range(130064, 130075), *range(130320, 130325), 130330, *range(130560, 130587), *range(130816, 131072),
])  # fmt: skip


class FastPacket:
    """Puts fast packets together, see `kyotsu.can.transport.Reassembler`.

    Args:
        groups: numbers of the groups that are sent as fast packets.
    """

    def __init__(self, groups: Iterable[int] = FAST_GROUPS) -> None:
        self.groups = np.unique(np.array(list(groups), dtype=np.uint32))
        self.assembly = Assembly(LONGEST_BYTES, MODULUS)

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
        group = (frames.frame_id >> 8) & 0x3FFFF
        group = np.where((group >> 8) & 0xFF < 240, group & 0x3FF00, group)  # below, the last byte is the destination
        sound = (frames.flags & (Flag.ERROR | Flag.REMOTE | Flag.EXTENDED)) == Flag.EXTENDED
        rows = np.flatnonzero(sound & (frames.length >= 2) & np.isin(group, self.groups))
        steps = no_steps(frames.size)
        head = frames.payload[rows, :2].astype(np.int64)
        frame_id, bus = frames.frame_id[rows].astype(np.int64), frames.bus[rows].astype(np.int64)
        count, message, total = head[:, 0] & 31, head[:, 0] >> 5, head[:, 1]
        is_first = count == 0
        is_possible = (total > 0) & (total <= LONGEST_BYTES)
        steps.kind[rows] = np.select([is_first & is_possible, is_first], [FIRST, WRONG], NEXT)
        steps.key[rows] = (frame_id << 11) | (bus << 3) | message
        steps.sequence[rows] = np.where(is_first, 1, count)
        steps.total[rows] = total
        steps.begin[rows] = np.where(is_first, 2, 1)
        steps.patience[rows] = PATIENCE_NS
        steps.message_id[rows] = frame_id
        return steps
