"""The frames of a bus apart: those that stand for themselves, and those that carry longer messages of a matrix.

Which protocols are at work follows from the matrix: messages marked `isotp` or `nmea2000`, and J1939 messages of more
than a frame. Frames of these ids go to the protocol and are not decoded as they are.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from kyotsu.can.fast_packet import FastPacket
from kyotsu.can.frames import CLASSIC_BYTES, Flag, Frames, take
from kyotsu.can.isotp import MOST_BYTES, IsoTp
from kyotsu.can.j1939_transport import CONTROL, DATA, J1939Transport
from kyotsu.can.matrix import Matrix, Message
from kyotsu.can.transport import Reassembler

FIRST_RESPONSE, LAST_RESPONSE = 0x41, 0x7E  # ISO 14229-1


class Carriers:
    """The protocols of one matrix at work.

    Args:
        matrix: whose longer messages are to be put together.
    """

    def __init__(self, matrix: Matrix) -> None:
        isotp = [message for message in matrix.messages if message.protocol == "isotp"]
        fast = [message.group_number for message in matrix.messages if message.protocol == "nmea2000"]
        self._ids = np.unique(np.array([message.frame_id for message in isotp], dtype=np.uint32))
        self._counting_length = np.array([item.frame_id for item in isotp if counts_length(item)], dtype=np.uint32)
        self._groups = np.unique(np.array(fast, dtype=np.uint32))
        self._is_j1939 = any(item.protocol == "j1939" and item.length > CLASSIC_BYTES for item in matrix.messages)
        self.protocols: dict[str, Reassembler] = {}
        if isotp:
            longest = max(message.length for message in isotp)
            self.protocols["isotp"] = IsoTp(self._ids, longest_bytes=min(max(longest, 4095), MOST_BYTES))
        if fast:
            self.protocols["nmea2000"] = FastPacket(self._groups)
        if self._is_j1939:
            self.protocols["j1939"] = J1939Transport()

    def split(self, frames: Frames) -> tuple[Frames, list[Frames], int]:
        """Frames that stand for themselves, messages that the others complete, and how many others there are."""
        if not self.protocols:
            return frames, [], 0
        carrying = self._carrying(frames)
        count = int(np.count_nonzero(carrying))
        if not count:
            return frames, [], 0
        carried = take(frames, carrying)
        messages = [protocol.push(carried) for protocol in self.protocols.values()]
        messages = [self._headed(found) for found in messages]
        return take(frames, ~carrying), [found for found in messages if found.size], count

    def _carrying(self, frames: Frames) -> npt.NDArray[np.bool_]:
        sound = (frames.flags & (Flag.ERROR | Flag.REMOTE)) == 0
        carrying = np.isin(frames.frame_id, self._ids)
        if self._groups.size or self._is_j1939:
            form = (frames.frame_id >> 16) & 0xFF
            extended = (frames.flags & Flag.EXTENDED) != 0
            group = (frames.frame_id >> 8) & 0x3FFFF
            group = np.where(form < 240, group & 0x3FF00, group)  # below, the last byte is the destination
            carrying |= extended & np.isin(group, self._groups)
            if self._is_j1939:
                carrying |= extended & ((form == CONTROL) | (form == DATA))
        return np.asarray(carrying & sound)

    def _headed(self, messages: Frames) -> Frames:
        """With the length byte before the payload of those messages whose matrix counts it."""
        rows = np.flatnonzero(np.isin(messages.frame_id, self._counting_length))
        if not rows.size:
            return messages
        payload = np.zeros((messages.size, messages.payload.shape[1] + 8), dtype=np.uint8)
        payload[:, :-8] = messages.payload
        payload[rows, 1:-7] = messages.payload[rows]
        payload[rows, 0] = messages.length[rows] & 0xFF
        length = messages.length.copy()
        length[rows] += 1
        return messages._replace(payload=payload, length=length)

    def finish(self) -> dict[str, int]:
        """At the end of a log: how many messages each protocol put together, and what became of the others."""
        found: Counter[str] = Counter()
        for name, protocol in self.protocols.items():
            protocol.finish()
            report = protocol.report
            found[f"{name} messages"] += report.messages
            for reason, count in report.broken.items():
                if count:
                    found[f"{name} {reason}"] += count
        return dict(found)


def counts_length(message: Message) -> bool:
    """Whether the bits of an ISO-TP message are counted from the second byte of its first frame, that of the length.

    CSS Electronics' matrices do so. It shows where the matrix says where the service of a diagnostic answer stands: a
    multiplexor of one byte whose values are all those of positive responses (ISO 14229-1: 0x41 to 0x7E).
    """
    services = [signal for signal in message.signals if signal.is_multiplexor and signal.length == 8]
    for service in services:
        values = [
            value
            for signal in message.signals
            if signal.multiplexor == service.name
            for value in signal.multiplex_values
        ]
        reachable = [(low, high) for low, high in values if low < 256]
        if reachable and all(FIRST_RESPONSE <= low <= high <= LAST_RESPONSE for low, high in reachable):
            return min(service.bits) == 8
    return False
