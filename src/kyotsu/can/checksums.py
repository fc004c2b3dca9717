"""Checksums of payloads; a plug-in is one entry in `CHECKSUMS`.

    value = CHECKSUMS["j1850"].expected(Guarded(payload, length, frame_id, data_id=0, begin=7, end=8))

An entry says which of four ways to go through the bytes it takes (sum of nibbles, sum or exclusive or of bytes, CRC),
with which CRC, and where the data ID comes in. The kernels do the rest, on whole columns and on one frame, so that a
new algorithm is as fast as the others. The bytes from `begin` to `end` hold the checksum itself and are left alone;
what stands behind a frame's length does not count.

Sources: Honda's sum and the J1850 CRC of Nissan's steering frames from opendbc (MIT); the CRC of the Leaf's frames from
those who wrote to its bus; AUTOSAR's from its specifications of CRC routines and of the E2E protocol, R22-11.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.can import guard_tables
from kyotsu.can.backend import kernels_for

Values = npt.NDArray[np.uint64]
NO_CRCS = np.zeros((1, 256), dtype=np.uint64)


class Method(Enum):
    """How a checksum goes through the bytes."""

    NIBBLES = (
        guard_tables.NIBBLES
    )  # Honda's: eight less the sum of all of id and payload but the last; three more on 29-bit ids
    SUM = guard_tables.SUM  # of the bytes, of which eight bits are kept
    XOR = guard_tables.XOR  # of the bytes
    CRC = guard_tables.CRC


class DataId(Enum):
    """Where the data ID comes in."""

    NOWHERE = 0  # or it is in the payload
    ADDED = 1  # its low byte, to the sum or exclusive or
    FIRST_LOW_HIGH = 2  # two bytes before the payload
    LAST_LOW_HIGH = 3  # two bytes behind it
    LAST_HIGH_LOW = 4
    # One of sixteen bytes behind the payload, that of the frame's counter, which is in the low four bits of the second
    # byte. The list is one number here, that of counter 0 in its low byte; below 256 it is that of all.
    LISTED = 5


class Guarded(NamedTuple):
    """Frames of one message.

    Attributes:
        payload: shape (frame, width).
        length: bytes of each frame, shape (frame,).
        frame_id: of each frame, shape (frame,).
        data_id: what the algorithm mixes in, where it does.
        begin, end: bytes of the payload that hold the checksum.
    """

    payload: npt.NDArray[np.uint8]
    length: npt.NDArray[np.uint16]
    frame_id: npt.NDArray[np.uint32]
    data_id: int
    begin: int
    end: int


class Crc(NamedTuple):
    """A cyclic redundancy check in the words of Williams' model.

    Attributes:
        width: bits.
        polynomial: without its highest term.
        initial, final: what the register starts with, and what its end is combined with.
        reflected: whether bytes and register go least significant bit first.
    """

    width: int
    polynomial: int
    initial: int
    final: int
    reflected: bool = False

    @property
    def spare(self) -> int:
        """Bits of 64 that the register does not use: it stands at the top, or at the bottom where reflected."""
        return 0 if self.reflected else 64 - self.width

    @property
    def table(self) -> Values:
        """The register after each byte, from zero."""
        top, mask = 1 << (self.width - 1), (1 << self.width) - 1
        polynomial = int(f"{self.polynomial:0{self.width}b}"[::-1], 2) if self.reflected else self.polynomial
        entries = []
        for byte in range(256):
            register = byte if self.reflected else byte << (self.width - 8)
            for _ in range(8):
                if self.reflected:
                    register = register >> 1 ^ (polynomial if register & 1 else 0)
                else:
                    register = (register << 1 & mask) ^ (polynomial if register & top else 0)
            entries.append(register << self.spare)
        return np.array(entries, dtype=np.uint64)

    def start(self, before: bytes) -> int:
        """The register after constant bytes."""
        register, table, mask = self.initial << self.spare, self.table.tolist(), (1 << 64) - 1
        for byte in before:
            if self.reflected:
                register = register >> 8 ^ table[(register ^ byte) & 0xFF]
            else:
                register = (register << 8 & mask) ^ table[register >> 56 ^ byte]
        return int(register)


# AUTOSAR, Specification of CRC Routines, section 7.2; the names are AUTOSAR's.
CRC8 = Crc(8, 0x1D, 0xFF, 0xFF)  # SAE J1850
CRC8H2F = Crc(8, 0x2F, 0xFF, 0xFF)
CRC16 = Crc(16, 0x1021, 0xFFFF, 0)  # CCITT-FALSE
CRC32P4 = Crc(32, 0xF4ACFB13, 0xFFFF_FFFF, 0xFFFF_FFFF, reflected=True)
CRC64 = Crc(64, 0x42F0E1EBA9EA3693, (1 << 64) - 1, (1 << 64) - 1, reflected=True)
CRC8_E2E = Crc(8, 0x1D, 0, 0)  # profile 1 takes CRC8 without its start and end
CRC8_LEAF = Crc(8, 0x85, 0, 0)


@dataclass(frozen=True, slots=True)
class Checksum:
    """An algorithm.

    Attributes:
        bits: of its value.
        method: how it goes through the bytes.
        crc: which one, if it is one.
        data_id: where the data ID comes in.
        finds_every_bit: whether the change of any one covered bit changes the value.
    """

    bits: int
    method: Method
    crc: Crc | None = None
    data_id: DataId = DataId.NOWHERE
    finds_every_bit: bool = True

    def recipe(self, data_id: int, begin: int, end: int, table: int = 0) -> tuple[int, ...]:
        """What the kernels need to know, see `guard_tables`.

        Args:
            data_id: what is mixed in.
            begin, end: bytes of the payload that hold the checksum.
            table: number of the CRC's table.
        """
        low, high, after, before = 0, 0, 0, b""
        two = (data_id & 0xFFFF).to_bytes(2, "little")
        if self.data_id is DataId.ADDED:
            low = data_id & 0xFF
        elif self.data_id is DataId.FIRST_LOW_HIGH:
            before = two
        elif self.data_id in (DataId.LAST_LOW_HIGH, DataId.LAST_HIGH_LOW):
            low, after = int.from_bytes(two, "little" if self.data_id is DataId.LAST_LOW_HIGH else "big"), 2
        elif self.data_id is DataId.LISTED:
            every = data_id if data_id > 0xFF else int.from_bytes(bytes([data_id]) * 16, "little")
            low, high, after = every & (1 << 64) - 1, every >> 64 & (1 << 64) - 1, 1
        crc = self.crc
        listed = int(self.data_id is DataId.LISTED)
        register = (0, 0, 0, 0) if crc is None else (crc.start(before), crc.final, crc.spare, int(crc.reflected))
        numbers = (self.method.value, begin, end, low, high, after, listed, table, *register)
        return tuple(number - (1 << 64) if number >> 63 else number for number in numbers)  # the same bits, signed

    def expected(self, guarded: Guarded, *, compiled: bool | None = None) -> Values:
        """The value that each frame should have.

        Args:
            guarded: the frames.
            compiled: whether to use compiled kernels; by default if there is a compiler.
        """
        values = np.empty(guarded.length.size, dtype=np.uint64)
        width = guarded.payload.shape[1]
        payload = np.zeros((values.size, max(8, width + -width % 8)), dtype=np.uint8)
        payload[:, :width] = guarded.payload
        recipe = np.array(self.recipe(guarded.data_id, guarded.begin, guarded.end), dtype=np.int64)
        length, frame_id = np.array(guarded.length, dtype=np.uint16), np.array(guarded.frame_id, dtype=np.uint32)
        crcs = NO_CRCS if self.crc is None else self.crc.table[None]
        kernels_for(compiled).expected(payload.view(np.uint64), length, frame_id, recipe, crcs, values)
        return values


CHECKSUMS: dict[str, Checksum] = {
    "honda": Checksum(4, Method.NIBBLES),
    "nissan": Checksum(8, Method.CRC, CRC8_LEAF),
    "j1850": Checksum(8, Method.CRC, CRC8),
    "sum8": Checksum(8, Method.SUM, data_id=DataId.ADDED),
    "xor8": Checksum(8, Method.XOR, data_id=DataId.ADDED),
    "autosar_e2e_p1": Checksum(8, Method.CRC, CRC8_E2E, DataId.FIRST_LOW_HIGH),
    # The counter also chooses what is mixed in.
    "autosar_e2e_p2": Checksum(8, Method.CRC, CRC8H2F, DataId.LISTED, finds_every_bit=False),
    "autosar_e2e_p4": Checksum(32, Method.CRC, CRC32P4),  # length and data ID are in the payload
    "autosar_e2e_p5": Checksum(16, Method.CRC, CRC16, DataId.LAST_LOW_HIGH),
    "autosar_e2e_p6": Checksum(16, Method.CRC, CRC16, DataId.LAST_HIGH_LOW),
    "autosar_e2e_p7": Checksum(64, Method.CRC, CRC64),  # as in profile 4
}
