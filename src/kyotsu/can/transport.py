"""Messages longer than a frame: put together from blocks of frames, live and from logs by the same code.

    together = reassembler("isotp", ids={0x7BB})
    for frames in log.blocks():
        messages = together.push(frames)    # Frames with a wider payload, each with the id of its message
    together.finish()
    print(together.report)

Several senders may be under way at once, and over the border of blocks. A message has the time of its last frame. A
protocol is a class with the methods of `Reassembler`: it says by columns what each frame is (`Steps`) and leaves the
putting together to `Assembly`. A new one is one file, listed once in PROTOCOLS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from kyotsu.can.assembly import TransportReport
from kyotsu.can.fast_packet import FastPacket
from kyotsu.can.frames import Frames
from kyotsu.can.isotp import IsoTp
from kyotsu.can.j1939_transport import J1939Transport
from kyotsu.errors import InputError, Location, Problem


class Reassembler(Protocol):
    """Puts the messages of one protocol together."""

    def push(self, frames: Frames) -> Frames:
        """Messages that these frames complete, in the order in which they do."""

    def finish(self) -> None:
        """Give up what is under way, at the end of a log."""

    @property
    def report(self) -> TransportReport:
        """How many messages there were, and what became of the others."""


# By the name that `kyotsu.can.matrix.Protocol` has for it.
PROTOCOLS: Mapping[str, Callable[..., Reassembler]] = {
    "isotp": IsoTp,
    "j1939": J1939Transport,
    "nmea2000": FastPacket,
}


def reassembler(protocol: str, **options: Any) -> Reassembler:
    """A new reassembler; the options are those of its class.

    Raises:
        InputError: there is no such protocol.
    """
    if protocol not in PROTOCOLS:
        expected = f"one of {', '.join(PROTOCOLS)}"
        raise InputError([Problem(Location(), repr(protocol), expected, "Name a protocol of transport.")])
    return PROTOCOLS[protocol](**options)
