"""Checksums: published values, makers' own functions, and one contract for all that are registered."""

from __future__ import annotations

import numpy as np
import pytest
from crccheck.crc import Crc8Base, Crc8SaeJ1850, Crc16CcittFalse
from hypothesis import given, settings
from hypothesis import strategies as st
from opendbc.car.honda.hondacan import honda_checksum
from opendbc.car.nissan.nissancan import nissan_checksum

from kyotsu.can.checksums import CHECKSUMS, CRC8, CRC8H2F, CRC16, CRC32P4, CRC64, Checksum, Crc, Guarded, Method
from kyotsu.can.codec import Codec
from kyotsu.can.frames import frames_of, take
from kyotsu.can.matrix import Matrix, Message, Protection, Signal

# Bytes that hold the checksum where an algorithm expects it, of frames of `LENGTH` bytes.
LENGTH = 24
PLACES = {
    "honda": (LENGTH - 1, LENGTH),
    "autosar_e2e_p4": (8, 12),
    "autosar_e2e_p5": (0, 2),
    "autosar_e2e_p6": (0, 2),
    "autosar_e2e_p7": (0, 8),
}
EVERY = sorted(CHECKSUMS)


def guarded(
    payloads: list[bytes], begin: int, end: int, *, data_id: int = 0, frame_id: int = 0x1D4, width: int = 64
) -> Guarded:
    content = np.zeros((len(payloads), width), dtype=np.uint8)
    for row, payload in enumerate(payloads):
        content[row, : len(payload)] = np.frombuffer(payload, dtype=np.uint8)
    length = np.array([len(payload) for payload in payloads], dtype=np.uint16)
    return Guarded(content, length, np.full(len(payloads), frame_id, dtype=np.uint32), data_id, begin, end)


def expected(name: str, payload: bytes, begin: int, end: int, data_id: int = 0) -> int:
    return int(CHECKSUMS[name].expected(guarded([payload], begin, end, data_id=data_id))[0])


@pytest.mark.parametrize(
    ("crc", "check"),
    [(CRC8, 0x4B), (CRC8H2F, 0xDF), (CRC16, 0x29B1), (CRC32P4, 0x1697D06A), (CRC64, 0x995DC9BBDF1939FA)],
)
def test_check_values_of_autosars_routines(crc: Crc, check: int) -> None:
    assert Checksum(crc.width, Method.CRC, crc).expected(guarded([b"123456789"], 9, 9)).tolist() == [check]


# The examples of AUTOSAR's E2E protocol specification, R22-11, section 6 for each profile: all data zero.
EXAMPLES = [
    ("autosar_e2e_p1", "cc00000000000000", 0, 1, 0x123),
    ("autosar_e2e_p2", "1b01000000000000", 0, 1, int.from_bytes(range(1, 17), "little")),
    ("autosar_e2e_p4", "001000000a0b0c0d862b055600000000", 8, 12, 0),
    ("autosar_e2e_p5", "1cca000000000000", 0, 2, 0x1234),
    ("autosar_e2e_p6", "b155000800000000", 0, 2, 0x1234),
    ("autosar_e2e_p7", "1fb2e737fcedbcd900000018000000000a0b0c0d00000000", 0, 8, 0),
]


@pytest.mark.parametrize(("name", "frame", "begin", "end", "data_id"), EXAMPLES)
def test_example_frames_of_autosars_profiles(name: str, frame: str, begin: int, end: int, data_id: int) -> None:
    payload = bytes.fromhex(frame)
    order = "little" if name == "autosar_e2e_p5" else "big"
    assert expected(name, payload, begin, end, data_id) == int.from_bytes(payload[begin:end], order)


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=40)
@given(
    payloads=st.lists(st.binary(max_size=64), min_size=1, max_size=5),
    frame_id=st.integers(0, 0x1FFF_FFFF),
    data_id=st.integers(0, (1 << 128) - 1),
    begin=st.integers(0, 64),
    size=st.integers(0, 8),
)
def test_compiled_checksums_are_numpys(
    name: str, payloads: list[bytes], frame_id: int, data_id: int, begin: int, size: int
) -> None:
    frames = guarded(payloads, begin, begin + size, data_id=data_id, frame_id=frame_id)
    compiled, plain = (CHECKSUMS[name].expected(frames, compiled=choice).tolist() for choice in (True, False))
    assert compiled == plain


class LeafCrc(Crc8Base):
    """As the bridges between a Leaf and other batteries compute it."""

    _poly, _initvalue = 0x85, 0


@given(payload=st.binary(min_size=8, max_size=8))
def test_the_leafs_crc_as_crccheck(payload: bytes) -> None:
    assert expected("nissan", payload, 7, 8) == LeafCrc.calc(payload[:7])


@given(payload=st.binary(min_size=1, max_size=8), frame_id=st.integers(0, 0x1FFF_FFFF))
def test_honda_as_opendbc(payload: bytes, frame_id: int) -> None:
    frames = guarded([payload], len(payload) - 1, len(payload), frame_id=frame_id, width=8)
    assert CHECKSUMS["honda"].expected(frames).tolist() == [honda_checksum(frame_id, None, bytearray(payload))]


@given(payload=st.binary(min_size=8, max_size=8))
def test_j1850_as_opendbc_and_crccheck(payload: bytes) -> None:
    ours = expected("j1850", payload, 7, 8)
    assert ours == nissan_checksum(payload[:7]) == Crc8SaeJ1850.calc(payload[:7])


@given(payload=st.binary(min_size=2, max_size=64), data_id=st.integers(0, 0xFFFF))
def test_profile_5_as_crccheck(payload: bytes, data_id: int) -> None:
    covered = payload[2:] + data_id.to_bytes(2, "little")
    assert expected("autosar_e2e_p5", payload, 0, 2, data_id) == Crc16CcittFalse.calc(covered)


# --- the contract of every plug-in ---


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=25)
@given(
    payload=st.binary(min_size=LENGTH, max_size=LENGTH),
    data_id=st.integers(0, 0xFFFF),
    bit=st.integers(0, 8 * LENGTH - 1),
)
def test_every_checksum_keeps_the_contract(name: str, payload: bytes, data_id: int, bit: int) -> None:
    algorithm = CHECKSUMS[name]
    begin, end = PLACES.get(name, (LENGTH // 2, LENGTH // 2 + 1))
    frames = guarded([payload, payload], begin, end, data_id=data_id)
    values = algorithm.expected(frames)
    assert values.dtype == np.uint64
    assert values[0] == values[1] < 1 << algorithm.bits
    narrow = frames._replace(payload=np.ascontiguousarray(frames.payload[:, :LENGTH]))
    assert algorithm.expected(narrow).tolist() == values.tolist(), "the same whatever the width"

    changed = bytearray(payload)
    changed[bit // 8] ^= 1 << bit % 8
    after = int(algorithm.expected(guarded([bytes(changed)], begin, end, data_id=data_id))[0])
    if begin <= bit // 8 < end and (name != "honda" or bit % 8 < 4):
        assert after == values[0], "what holds the checksum is not covered"
    elif algorithm.finds_every_bit:
        assert after != values[0]


@pytest.mark.parametrize("name", EVERY)
def test_no_frames_and_empty_frames(name: str) -> None:
    assert CHECKSUMS[name].expected(guarded([], 0, 1)).size == 0
    assert CHECKSUMS[name].expected(guarded([b""], 0, 1)).size == 1


@given(data=st.data())
def test_counters_follow_for_each_sender(data: st.DataObject) -> None:
    """Both kernels against the rule, written out, in two blocks."""
    message = Message(
        "M", 0x100, 1, (Signal("C", 0, 2), Signal("S", 7, 1, not_available=((1, 1),))), protection=Protection("C")
    )
    rows = data.draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(0, 2)), max_size=30))
    frames = frames_of([(at, 0x100, bytes([counter] if there else [])) for at, (counter, there, _) in enumerate(rows)])
    frames.bus[:] = [bus for _, _, bus in rows]
    last: dict[int, int] = {}
    verdicts: list[bool | None] = []
    for counter, there, bus in rows:
        verdicts.append(counter == (last[bus] + 1) % 4 if there and bus in last else None)
        if there:
            last[bus] = counter
    cut = data.draw(st.integers(0, len(rows)))
    for compiled in (True, False):
        codec = Codec(Matrix("car", (message,)), compiled=compiled)
        first = codec.decode(take(frames, slice(0, cut)))
        second = codec.decode(take(frames, slice(cut, None)), after=first)
        ours = [verdict for block in (first, second) for verdict in block.table("M")["counter_ok"].to_pylist()]
        assert ours == verdicts
        assert sum(block.wrong_counters.get("M", 0) for block in (first, second)) == verdicts.count(False)
