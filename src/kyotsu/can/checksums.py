"""Checksums of payloads, on whole columns; a plug-in is one function and one line in `CHECKSUMS`.

    value = CHECKSUMS["j1850"].expected(Guarded(payload, length, frame_id, data_id=0, begin=7, end=8))

A function sees the frames of one message and gives what their checksum should be, one number for each. It must give the
same for the same frame whatever the width of the array, and must leave the bytes from `begin` to `end` alone: they hold
the checksum itself.

Sources: Honda's sum and the J1850 CRC of Nissan's steering frames from opendbc (MIT); the CRC of the Leaf's frames from
those who wrote to its bus; AUTOSAR's from its specifications of CRC routines and of the E2E protocol, R22-11.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.can.backend import kernels_for

Values = npt.NDArray[np.uint64]


class Guarded(NamedTuple):
    """Frames of one message.

    Attributes:
        payload: shape (frame, width), zero from each frame's length on.
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


@dataclass(frozen=True, slots=True)
class Checksum:
    """An algorithm.

    Attributes:
        bits: of its value.
        expected: the value that each frame should have.
        finds_every_bit: whether the change of any one covered bit changes the value.
    """

    bits: int
    expected: Callable[[Guarded], Values]
    finds_every_bit: bool = True


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
            entries.append(register)
        return np.array(entries, dtype=np.uint64)


# AUTOSAR, Specification of CRC Routines, section 7.2; the names are AUTOSAR's.
CRC8 = Crc(8, 0x1D, 0xFF, 0xFF)  # SAE J1850
CRC8H2F = Crc(8, 0x2F, 0xFF, 0xFF)
CRC16 = Crc(16, 0x1021, 0xFFFF, 0)  # CCITT-FALSE
CRC32P4 = Crc(32, 0xF4ACFB13, 0xFFFF_FFFF, 0xFFFF_FFFF, reflected=True)
CRC64 = Crc(64, 0x42F0E1EBA9EA3693, (1 << 64) - 1, (1 << 64) - 1, reflected=True)
CRC8_E2E = Crc(8, 0x1D, 0, 0)  # profile 1 takes CRC8 without its start and end
CRC8_LEAF = Crc(8, 0x85, 0, 0)

_TABLES = {crc: crc.table for crc in (CRC8, CRC8H2F, CRC16, CRC32P4, CRC64, CRC8_E2E, CRC8_LEAF)}


def crc_of(
    crc: Crc, guarded: Guarded, *, before: bytes = b"", after: bytes = b"", last: npt.NDArray[np.uint8] | None = None
) -> Values:
    """The CRC of constant bytes, the payload without its checksum, and more bytes, of which `last` differ by frame."""
    table, count = _TABLES[crc], guarded.length.size
    register = np.full(count, crc.initial, dtype=np.uint64)
    kernels = kernels_for()

    def feed(content: npt.NDArray[np.uint8], length: npt.NDArray[np.uint16], begin: int, end: int) -> None:
        kernels.update_crc(np.ascontiguousarray(content), length, begin, end, table, crc.width, crc.reflected, register)

    def feed_constant(content: bytes) -> None:
        for byte in content:
            feed(np.full((count, 1), byte, dtype=np.uint8), np.ones(count, dtype=np.uint16), 1, 1)

    feed_constant(before)
    feed(guarded.payload, guarded.length, guarded.begin, guarded.end)
    feed_constant(after)
    if last is not None:
        feed(last[:, None], np.ones(count, dtype=np.uint16), 1, 1)
    register ^= np.uint64(crc.final)
    return register


def _honda(guarded: Guarded) -> Values:
    """Eight less the sum of all nibbles of id and payload but the last, which holds it; three more on 29-bit ids."""
    sums = np.empty(guarded.length.size, dtype=np.uint64)
    kernels_for().sum_nibbles(guarded.payload, guarded.length, guarded.frame_id, sums)
    return sums


def _rest(guarded: Guarded) -> npt.NDArray[np.uint8]:
    """The payload with zeros where the checksum is."""
    payload = guarded.payload.copy()
    payload[:, guarded.begin : guarded.end] = 0
    return payload


def _sum8(guarded: Guarded) -> Values:
    """The sum of the other bytes, of which eight bits are kept."""
    sums: Values = _rest(guarded).sum(axis=1, dtype=np.uint64)
    return (sums + np.uint64(guarded.data_id & 0xFF)) & np.uint64(0xFF)


def _xor8(guarded: Guarded) -> Values:
    """The other bytes, combined bit by bit."""
    combined: Values = np.bitwise_xor.reduce(_rest(guarded), axis=1).astype(np.uint64)
    return combined ^ np.uint64(guarded.data_id & 0xFF)


def _e2e_p1(guarded: Guarded) -> Values:
    """Profile 1, both bytes of the data ID first, the low one before the high one."""
    return crc_of(CRC8_E2E, guarded, before=(guarded.data_id & 0xFFFF).to_bytes(2, "little"))


def _e2e_p2(guarded: Guarded) -> Values:
    """Profile 2: the data ID of the frame's counter last, which is in the low four bits of the second byte.

    The list of sixteen data IDs is one number here, that of counter 0 in its low byte; below 256 it is that of all.
    """
    ids = [guarded.data_id >> 8 * counter & 0xFF for counter in range(16)]
    listed = np.array(ids if guarded.data_id > 0xFF else ids[:1] * 16, dtype=np.uint8)
    second = guarded.payload[:, min(guarded.begin + 1, guarded.payload.shape[1] - 1)]
    return crc_of(CRC8H2F, guarded, last=listed[second & 15])


def _e2e_p5(guarded: Guarded) -> Values:
    """Profile 5: the data ID last, its low byte first."""
    return crc_of(CRC16, guarded, after=(guarded.data_id & 0xFFFF).to_bytes(2, "little"))


def _e2e_p6(guarded: Guarded) -> Values:
    """Profile 6: the data ID last, its high byte first."""
    return crc_of(CRC16, guarded, after=(guarded.data_id & 0xFFFF).to_bytes(2, "big"))


CHECKSUMS: dict[str, Checksum] = {
    "honda": Checksum(4, _honda),
    "nissan": Checksum(8, lambda guarded: crc_of(CRC8_LEAF, guarded)),
    "j1850": Checksum(8, lambda guarded: crc_of(CRC8, guarded)),
    "sum8": Checksum(8, _sum8),
    "xor8": Checksum(8, _xor8),
    "autosar_e2e_p1": Checksum(8, _e2e_p1),
    "autosar_e2e_p2": Checksum(8, _e2e_p2, finds_every_bit=False),  # the counter also chooses what is mixed in
    "autosar_e2e_p4": Checksum(32, lambda guarded: crc_of(CRC32P4, guarded)),  # length and data ID are in the payload
    "autosar_e2e_p5": Checksum(16, _e2e_p5),
    "autosar_e2e_p6": Checksum(16, _e2e_p6),
    "autosar_e2e_p7": Checksum(64, lambda guarded: crc_of(CRC64, guarded)),  # as in profile 4
}
