"""The transport protocol of SAE J1939-21: up to 1,785 bytes, announced to all (BAM) or agreed with one (RTS and CTS).

    TP.CM  group 0xEC00: 32 BAM, 16 RTS, 17 CTS, 19 end of message, 255 abort; then size, packets, and the group number
    TP.DT  group 0xEB00: number of the packet from 1, then 7 bytes

A message has the id of the group that it carries: priority and source of its announcement, and its destination where
the group has one.
"""

from __future__ import annotations

import numpy as np

from kyotsu.can.assembly import ABORT, FIRST, NEXT, NOTHING, TOUCH, WRONG, Assembly, Steps, TransportReport, no_steps
from kyotsu.can.frames import CLASSIC_BYTES, Flag, Frames

CONTROL, DATA = 0xEC, 0xEB  # PDU formats
BAM, RTS, CTS, END, ABORTED = 32, 16, 17, 19, 255
PACKET_BYTES, LEAST_BYTES, LONGEST_BYTES = 7, 9, 1785
T1_NS, T2_NS = 750_000_000, 1_250_000_000  # between packets, and from a CTS to its packet; J1939-21 figure C
MODULUS = 256
GLOBAL = 255


class J1939Transport:
    """Puts J1939 messages together, see `kyotsu.can.transport.Reassembler`."""

    def __init__(self) -> None:
        self.assembly = Assembly(LONGEST_BYTES, MODULUS)

    def push(self, frames: Frames) -> Frames:
        """Messages that these frames complete."""
        return self.assembly.push(frames, _steps(frames))

    def finish(self) -> None:
        """Give up what is under way."""
        self.assembly.finish()

    @property
    def report(self) -> TransportReport:
        """How many messages there were, and what became of the others."""
        return self.assembly.report


def _steps(frames: Frames) -> Steps:
    form = (frames.frame_id >> 16) & 0xFF
    sound = (frames.flags & (Flag.ERROR | Flag.REMOTE | Flag.EXTENDED)) == Flag.EXTENDED
    rows = np.flatnonzero(sound & ((form == CONTROL) | (form == DATA)) & (frames.length == CLASSIC_BYTES))
    steps = no_steps(frames.size)
    frame_id, form = frames.frame_id[rows].astype(np.int64), form[rows]
    head = frames.payload[rows, :CLASSIC_BYTES].astype(np.int64)
    source, destination, bus = frame_id & 0xFF, (frame_id >> 8) & 0xFF, frames.bus[rows].astype(np.int64)
    total, packets = head[:, 1] | (head[:, 2] << 8), head[:, 3]
    group = (head[:, 5] | (head[:, 6] << 8) | (head[:, 7] << 16)) & 0x3FFFF
    is_control, control = form == CONTROL, head[:, 0]
    is_first = is_control & ((control == BAM) | (control == RTS))
    is_possible = (total >= LEAST_BYTES) & (total <= LONGEST_BYTES) & (packets == -(-total // PACKET_BYTES))
    # BAM goes to all, RTS to one.
    is_possible &= (control == BAM) == (destination == GLOBAL)
    choices = [
        is_first & is_possible,
        is_first,
        form == DATA,
        is_control & (control == CTS),
        is_control & (control == ABORTED),
    ]
    steps.kind[rows] = np.select(choices, [FIRST, WRONG, NEXT, TOUCH, ABORT], NOTHING)
    there, back = (bus << 16) | (source << 8) | destination, (bus << 16) | (destination << 8) | source
    is_answer = is_control & (control == CTS)
    steps.key[rows] = np.where(is_answer, back, there)
    steps.other_key[rows] = back
    steps.sequence[rows] = np.where(is_first, 1, head[:, 0])
    steps.total[rows] = total
    steps.begin[rows] = np.where(is_first, CLASSIC_BYTES, 1)
    steps.patience[rows] = np.where(control == BAM, T1_NS, T2_NS)
    steps.is_placed[rows] = control == RTS
    specific = np.where(((group >> 8) & 0xFF) < 240, destination, 0)
    steps.message_id[rows] = (frame_id & 0x1C00_0000) | ((group | specific) << 8) | source
    return steps
