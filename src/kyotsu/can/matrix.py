"""A message matrix: which messages a bus carries, and what the bits of each mean.

Plain frozen data, whatever file it came from (DBC, KCD, SYM, ARXML). Bit numbers are those of DBC: bit `8 b + i` is bit
`i` of byte `b`, where bit 0 is a byte's least significant. A little-endian signal starts at its least significant bit
and goes up; a big-endian one starts at its most significant bit and goes down through the byte and on at bit 7 of the
next ("sawtooth").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Literal

RawRange = tuple[int, int]  # of raw values, both ends inside
Protocol = Literal["", "j1939", "isotp", "nmea2000"]

NO_LABELS: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Signal:
    """A number in a message: physical = raw x scale + offset.

    Attributes:
        name: unique in its message.
        start: bit number of the least (little-endian) or most (big-endian) significant bit.
        length: bits.
        big_endian: byte order (Motorola); else little-endian (Intel).
        signed: two's complement; of no meaning where `is_float`.
        is_float: IEEE 754 of 16, 32 or 64 bits.
        scale, offset: physical = raw x scale + offset.
        minimum, maximum: stated for the physical value; `None` where nothing is stated.
        unit: as written in the matrix.
        labels: the value table, by raw value.
        is_multiplexor: whether it selects other signals of the message.
        multiplexor: name of the signal that selects this one; `None` for one that is always there.
        multiplex_values: ranges of the multiplexor's raw value at which it is there.
        not_available: ranges of raw values that mean "no value".
        comment: as written in the matrix.
        line: where it stands in the file.
    """

    name: str
    start: int
    length: int
    big_endian: bool = False
    signed: bool = False
    is_float: bool = False
    scale: float = 1.0
    offset: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    labels: Mapping[int, str] = field(default_factory=lambda: NO_LABELS)  # a mapping proxy has no hash before 3.12
    is_multiplexor: bool = False
    multiplexor: str | None = None
    multiplex_values: tuple[RawRange, ...] = ()
    not_available: tuple[RawRange, ...] = ()
    initial: int | None = None
    receivers: tuple[str, ...] = ()
    comment: str = ""
    line: int | None = None

    @property
    def bits(self) -> tuple[int, ...]:
        """Its bit numbers, most significant first."""
        if not self.big_endian:
            return tuple(range(self.start + self.length - 1, self.start - 1, -1))
        position = 8 * (self.start // 8) + 7 - self.start % 8  # counted from the first bit on the wire
        return tuple(8 * (at // 8) + 7 - at % 8 for at in range(position, position + self.length))

    @property
    def end_byte(self) -> int:
        """Bytes that a frame must have for the signal to be whole."""
        if not self.big_endian:
            return (self.start + self.length - 1) // 8 + 1
        return (8 * (self.start // 8) + 7 - self.start % 8 + self.length - 1) // 8 + 1


@dataclass(frozen=True, slots=True)
class Protection:
    """What guards a message against loss and change: a counter, a checksum, or both.

    Attributes:
        counter: name of the signal that rises by one in each frame and starts anew; `None` without one.
        checksum: name of the signal that holds the checksum; `None` without one.
        algorithm: name of the checksum's algorithm, see `kyotsu.can.checksums`.
        data_id: secret or constant that some algorithms mix in.
    """

    counter: str | None = None
    checksum: str | None = None
    algorithm: str | None = None
    data_id: int = 0


@dataclass(frozen=True)
class Message:
    """A frame with a name.

    Attributes:
        name: unique in its matrix.
        frame_id: 11 or 29 bits.
        is_extended: 29 bits.
        length: bytes that the matrix describes; more than 64 only with a transport protocol.
        signals: in the order of the file.
        is_fd: sent as CAN FD.
        cycle_ms: stated period; `None` where nothing is stated.
        protocol: `j1939` is matched by its group number, whoever sends it.
        protection: counter and checksum.
        contained: messages inside a container PDU, by the header id that stands before each.
        senders: nodes that send it.
        comment: as written in the matrix.
        line: where it stands in the file.
    """

    name: str
    frame_id: int
    length: int
    signals: tuple[Signal, ...] = ()
    is_extended: bool = False
    is_fd: bool = False
    cycle_ms: float | None = None
    protocol: Protocol = ""
    protection: Protection | None = None
    contained: Mapping[int, Message] = field(default_factory=dict)
    senders: tuple[str, ...] = ()
    comment: str = ""
    line: int | None = None

    @cached_property
    def by_name(self) -> Mapping[str, Signal]:
        """Its signals by name."""
        return MappingProxyType({signal.name: signal for signal in self.signals})

    @property
    def group_number(self) -> int:
        """J1939's parameter group number (PGN) of the id: 18 bits, without a destination address."""
        number = (self.frame_id >> 8) & 0x3FFFF
        return number & 0x3FF00 if (number >> 8) & 0xFF < 240 else number


@dataclass(frozen=True)
class Matrix:
    """All messages of a bus.

    Attributes:
        name: of the bus or file.
        messages: in the order of the file; each frame of the file is here, whatever had to be mended.
        version: as written in the file.
        file: where it came from.
        fingerprint: SHA-256 of the file, in hexadecimal; empty for one made in memory.
    """

    name: str
    messages: tuple[Message, ...] = ()
    version: str = ""
    file: str | None = None
    fingerprint: str = ""

    @cached_property
    def by_name(self) -> Mapping[str, Message]:
        """Its messages by name."""
        return MappingProxyType({message.name: message for message in self.messages})

    @cached_property
    def by_id(self) -> Mapping[tuple[int, bool], Message]:
        """Its messages by id and whether it is extended; of two with one id, the first."""
        return MappingProxyType({
            (message.frame_id, message.is_extended): message for message in reversed(self.messages)
        })  # fmt: skip
