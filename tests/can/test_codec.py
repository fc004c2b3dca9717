"""The codec: every bit as a slow decoder reads it, nothing dropped, and what was handed out stays as it is."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.can.random_matrices import matrices
from tests.can.slow_decoder import decode_slowly, frames_for, same_number

from kyotsu.can.codec import Codec
from kyotsu.can.decoded import Decoded, UnknownId
from kyotsu.can.frames import Flag, Frames, empty_frames, frames_of, joined, take
from kyotsu.can.matrix import Matrix, Message, Protection, Signal

both = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "numpy"])


def one(*signals: Signal, length: int = 8, **more: Any) -> Matrix:
    return Matrix("car", (Message("M", 0x100, length, signals, **more),))


def rows(decoded: Decoded, message: Message) -> list[dict[str, Any]]:
    """What each row says, without nulls."""
    if message.name not in decoded:
        return []
    table = decoded[message.name].select([signal.name for signal in message.signals])
    return [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]


def nanoseconds(table: pa.RecordBatch) -> list[int]:
    return [int(time) for time in table["time"].cast(pa.int64()).to_pylist()]


# --- bits ---


@both
@settings(max_examples=60)
@given(data=st.data())
def test_random_messages_as_the_slow_decoder(compiled: bool, data: st.DataObject) -> None:
    matrix = data.draw(matrices(overlapping=data.draw(st.booleans())))
    codec = Codec(matrix, compiled=compiled)
    lengths = st.one_of(st.just(64), st.integers(0, 64))
    payloads = {
        message.name: data.draw(
            st.lists(lengths.flatmap(lambda size: st.binary(min_size=size, max_size=size)), max_size=4)
        )
        for message in matrix.messages
    }
    payloads = {name: [content[: matrix.by_name[name].length] for content in some] for name, some in payloads.items()}
    decoded = codec.decode(joined(frames_for(message, payloads[message.name]) for message in matrix.messages))
    for message in matrix.messages:
        expected = [decode_slowly(message, payload) for payload in payloads[message.name]]
        ours = rows(decoded, message)
        assert [row.keys() for row in ours] == [row.keys() for row in expected]
        for mine, theirs in zip(ours, expected, strict=True):
            assert not {name: (mine[name], theirs[name]) for name in mine if not same_number(mine[name], theirs[name])}


@both
def test_a_signal_that_crosses_nine_bytes_and_one_of_4095_bytes(compiled: bool) -> None:
    crossing = Signal("crossing", 5, 64, signed=True)
    far = Signal("far", 8 * 4090 + 7, 40, big_endian=True)
    matrix = one(crossing, far, length=4095, protocol="isotp")
    payload = bytes(number * 7 & 0xFF for number in range(4095))
    decoded = Codec(matrix, compiled=compiled).decode(frames_of([(0, 0x100, payload), (1, 0x100, payload[:9])]))
    assert rows(decoded, matrix.messages[0]) == [
        decode_slowly(matrix.messages[0], payload), {"crossing": decode_slowly(matrix.messages[0], payload)["crossing"]}
    ]  # fmt: skip


@both
def test_a_signal_above_64_bits_is_bytes(compiled: bool) -> None:
    matrix = one(Signal("big", 7, 100, big_endian=True), Signal("little", 100, 100), length=32)
    value = 0x0123456789ABCDEF0123456789
    payload = (value << 156 | 0x5).to_bytes(32, "big")
    decoded = Codec(matrix, compiled=compiled).decode(frames_of([(0, 0x100, payload), (1, 0x100, payload[:12])]))
    table = decoded["M"]
    assert table.schema.field("big").type == pa.binary(13)
    assert [content and int.from_bytes(content, "big") for content in table["big"].to_pylist()] == [value, None]
    little = int.from_bytes(payload, "little") >> 100 & (1 << 100) - 1
    assert int.from_bytes(table["little"].to_pylist()[0], "big") == little


@both
@pytest.mark.parametrize(
    ("signal", "dtype"),
    [
        (Signal("s", 0, 1), "uint8"),
        (Signal("s", 0, 8, signed=True), "int8"),
        (Signal("s", 0, 8, offset=-40.0), "int16"),
        (Signal("s", 0, 8, scale=2.0), "uint16"),
        (Signal("s", 0, 17), "uint32"),
        (Signal("s", 0, 64), "uint64"),
        (Signal("s", 0, 8, scale=0.5), "double"),
        (Signal("s", 0, 16, is_float=True), "float"),
        (Signal("s", 0, 32, is_float=True), "float"),
        (Signal("s", 0, 32, is_float=True, scale=0.1), "double"),
        (Signal("s", 0, 64, scale=1e30), "double"),
    ],
)
def test_a_column_has_the_smallest_type_that_holds_it_exactly(compiled: bool, signal: Signal, dtype: str) -> None:
    payloads = [bytes(8), b"\xff" * 8 if not signal.is_float else bytes(8), bytes(range(1, 9))]
    message = Message("M", 0x100, 8, (signal,))
    frames = frames_for(message, payloads)
    decoded = Codec(Matrix("car", (message,)), compiled=compiled).decode(frames)["M"]
    assert str(decoded.schema.field("s").type) == dtype
    expected = [decode_slowly(message, payload)["s"] for payload in payloads]
    assert all(ours in (theirs, float(theirs)) for ours, theirs in zip(decoded["s"].to_pylist(), expected, strict=True))
    wide = Codec(Matrix("car", (message,)), narrow=False, compiled=compiled).decode(frames)["M"]
    assert str(wide.schema.field("s").type) in ("int64", "uint64", "double")
    assert all(ours in (theirs, float(theirs)) for ours, theirs in zip(wide["s"].to_pylist(), expected, strict=True))


@both
def test_single_precision_only_where_each_raw_value_can_be_told(compiled: bool) -> None:
    near, far = Signal("near", 0, 16, scale=0.1), Signal("far", 16, 32, scale=0.01, offset=-1e6)
    codec = Codec(one(near, far), dtype="float32", compiled=compiled)
    frames = empty_frames(1 << 16)
    frames.frame_id[:], frames.length[:] = 0x100, 8
    frames.payload[:, :2] = np.arange(1 << 16, dtype="<u2").view(np.uint8).reshape(-1, 2)
    table = codec.decode(frames)["M"]
    assert [str(table.schema.field(name).type) for name in ("near", "far")] == ["float", "double"]
    assert np.rint(table["near"].to_numpy() / 0.1).astype(int).tolist() == list(range(1 << 16))


# --- what is there ---


@both
def test_nulls_where_a_raw_value_says_so(compiled: bool) -> None:
    signal = Signal("s", 0, 8, scale=0.5, not_available=((0xFE, 0xFF),))
    signed = Signal("t", 8, 8, signed=True, not_available=((-128, -128), (-3, -1)))
    unsigned = Signal("u", 0, 64, not_available=(((1 << 64) - 1, (1 << 64) - 1),))
    matrix = one(signal, signed, unsigned)
    payloads = [bytes([0xFE, 0x80]), bytes([0xFD, 0xFE]), bytes([1, 0x7F]), b"\xff" * 8]
    decoded = Codec(matrix, raw=True, compiled=compiled).decode(
        frames_of([(0, 0x100, p.ljust(8, b"\0")) for p in payloads])
    )
    table = decoded["M"].to_pydict()
    assert table["s"] == [None, 126.5, 0.5, None]
    assert table["s.raw"] == [None, 253, 1, None]
    assert table["t"] == [None, None, 127, None]
    assert table["u"][2:] == [0x7F01, None]


@both
def test_labels_and_a_number_without_one(compiled: bool) -> None:
    gear = Signal("gear", 0, 4, labels={0: "P", 1: "R", 2: "N", 7: "P"})
    level = Signal("level", 8, 16, scale=0.5, labels={3: "low", 70_000: "never"})
    frames = frames_of([(number, 0x100, bytes([number, number, 0])) for number in (0, 3, 7)])
    table = Codec(one(gear, level, length=3), compiled=compiled).decode(frames)["M"]
    assert table["gear"].to_pylist() == [0, 3, 7]
    assert table["gear.label"].to_pylist() == ["P", None, "P"]
    assert table["level"].to_pylist() == [0.0, 1.5, 3.5]
    assert table["level.label"].to_pylist() == [None, "low", None]
    assert pa.types.is_dictionary(table.schema.field("gear.label").type)
    assert b'"7": "P"' in table.schema.field("gear").metadata[b"labels"]
    assert "gear.label" not in Codec(one(gear), labels=False, compiled=compiled).decode(frames)["M"].schema.names


@both
def test_cascaded_multiplexors(compiled: bool) -> None:
    outer = Signal("outer", 0, 4, is_multiplexor=True)
    inner = Signal("inner", 4, 4, is_multiplexor=True, multiplexor="outer", multiplex_values=((1, 2),))
    value = Signal("value", 8, 8, multiplexor="inner", multiplex_values=((3, 3), (5, 9)))
    matrix = one(outer, inner, value, length=2)
    frames = frames_of([(0, 0x100, bytes(content)) for content in ([0x31, 9], [0x30, 9], [0x62, 9], [0x42, 9], [0x31])])
    assert Codec(matrix, compiled=compiled).decode(frames)["M"].to_pydict()["value"] == [9, None, 9, None, None]


def test_multiplexors_that_select_each_other_end() -> None:
    a = Signal("a", 0, 4, is_multiplexor=True, multiplexor="b", multiplex_values=((1, 1),))
    b = Signal("b", 4, 4, is_multiplexor=True, multiplexor="a", multiplex_values=((1, 1),))
    decoded = Codec(one(a, b, length=1)).decode(frames_of([(0, 0x100, b"\x11")]))
    assert decoded["M"].to_pydict()["a"] == [1]


# --- which message ---


@both
def test_ids_of_both_kinds_and_frames_without_data(compiled: bool) -> None:
    signal = Signal("s", 0, 8)
    matrix = Matrix("car", (Message("A", 0x100, 1, (signal,)), Message("B", 0x100, 1, (signal,), is_extended=True)))
    frames = frames_of([(number, 0x100, bytes([number])) for number in range(6)], bus=3)
    frames.flags[:] = [0, Flag.EXTENDED, Flag.REMOTE, Flag.ERROR, Flag.ERROR | Flag.EXTENDED, Flag.FD]
    decoded = Codec(matrix, compiled=compiled).decode(frames)
    assert {name: table["s"].to_pylist() for name, table in decoded.items()} == {"A": [0, 5], "B": [1]}
    assert nanoseconds(decoded["A"]) == [0, 5]
    assert decoded["A"]["bus"].to_pylist() == [3, 3]
    assert (decoded.remote, decoded.error, dict(decoded.unknown)) == (1, 2, {})


@both
def test_j1939_is_matched_by_its_group_whoever_sends(compiled: bool) -> None:
    signal = Signal("s", 0, 8)
    engine = Message("ENGINE", 0x0CF00400, 8, (signal,), is_extended=True, protocol="j1939")
    request = Message("REQUEST", 0x18EA00FE, 3, (signal,), is_extended=True, protocol="j1939")
    own = Message("OWN", 0x0CF00417, 8, (signal,), is_extended=True, protocol="j1939")
    plain = Message("PLAIN", 0x18FEF100, 8, (signal,), is_extended=True)
    ids = [0x0CF00400, 0x18F00433, 0x0CF00417, 0x18EA2155, 0x18FEF1AA, 0x18FEF100]
    frames = frames_of([(number, frame_id, bytes(8)) for number, frame_id in enumerate(ids)], extended=True)
    decoded = Codec(Matrix("truck", (engine, request, own, plain)), compiled=compiled).decode(frames)
    times = {name: nanoseconds(table) for name, table in decoded.items()}
    assert times == {"ENGINE": [0, 1], "OWN": [2], "REQUEST": [3], "PLAIN": [5]}
    assert decoded["ENGINE"]["source"].to_pylist() == [0x00, 0x33]
    assert decoded["REQUEST"]["source"].to_pylist() == [0x55]
    assert "source" not in decoded["PLAIN"].schema.names
    assert dict(decoded.unknown) == {UnknownId(0x18FEF1AA, True, 0): 1}


@both
@settings(max_examples=40)
@given(data=st.data())
def test_every_frame_is_counted_once(compiled: bool, data: st.DataObject) -> None:
    matrix = Matrix("car", tuple(Message(f"M{number}", number, number, ()) for number in (1, 2, 3)))
    count = data.draw(st.integers(0, 40))
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    frames = empty_frames(count)
    frames.frame_id[:] = random.integers(0, 6, count)
    frames.flags[:] = random.choice([0, 1, 2, 4, 8], count)
    frames.length[:] = random.integers(0, 12, count)  # more than the payload has, at times
    frames.bus[:] = random.integers(0, 2, count)
    decoded = Codec(matrix, compiled=compiled).decode(frames)
    assert decoded.rows.sum() + sum(decoded.unknown.values()) + decoded.remote + decoded.error == count
    assert sum(table.num_rows for table in decoded.values()) == decoded.rows.sum()
    sizes = np.minimum(frames.length, 8)
    for number, message in enumerate(matrix.messages, start=1):
        its = sizes[(frames.frame_id == number) & (frames.flags & 7 == 0)]
        assert decoded.too_short.get(message.name, 0) == (its < number).sum()
        assert decoded.too_long.get(message.name, 0) == (its > number).sum()


def test_padding_of_can_fd_is_no_conflict() -> None:
    frames = frames_of([(0, 0x100, bytes(size)) for size in (10, 12, 16)])
    frames.flags[:] = Flag.FD
    assert Codec(one(length=10)).decode(frames).too_long == {"M": 1}


def test_many_unknown_ids() -> None:
    frames = empty_frames(9_000)
    frames.frame_id[:] = np.arange(9_000) % 3_000 << 11
    frames.flags[:] = Flag.EXTENDED
    for compiled in (True, False):
        unknown = Codec(one(), compiled=compiled).decode(frames).unknown
        assert len(unknown) == 3_000
        assert set(unknown.values()) == {3}
        assert next(iter(unknown)) == UnknownId(0, True, 0)


# --- blocks ---


def test_any_cut_into_blocks_gives_the_same() -> None:
    """Across the kernels' own blocks and tiles too."""
    random = np.random.default_rng(5)
    signals = (Signal("a", 0, 12, scale=0.1), Signal("b", 15, 8, big_endian=True, not_available=((255, 255),)))
    matrix = Matrix("car", tuple(Message(f"M{number}", number, 4, signals) for number in range(5)))
    frames = empty_frames(20_001)
    frames.frame_id[:] = random.integers(0, 7, frames.size)
    frames.length[:] = random.integers(1, 5, frames.size)
    frames.payload[:] = random.integers(0, 256, frames.payload.shape)
    frames.time[:] = np.arange(frames.size)
    whole = Codec(matrix).decode(frames)
    numpys = Codec(matrix, compiled=False).decode(frames)
    parts = [Codec(matrix).decode(take(frames, slice(begin, begin + 777))) for begin in range(0, frames.size, 777)]
    assert list(whole) == list(numpys) == [message.name for message in matrix.messages]
    for name, table in whole.items():
        assert table.equals(numpys[name])
        assert pa.Table.from_batches([table]).equals(pa.Table.from_batches([p[name] for p in parts]).combine_chunks())


def test_what_was_handed_out_stays_and_memory_is_used_again() -> None:
    codec = Codec(one(Signal("s", 0, 8)))

    def block(value: int) -> Frames:
        frames = empty_frames(5_000)
        frames.frame_id[:], frames.length[:], frames.payload[:] = 0x100, 8, value
        return frames

    kept = codec.decode(block(1))["M"]["s"]
    place = codec.decode(block(2)).arena.ctypes.data
    gc.collect()
    places = {codec.decode(block(value)).arena.ctypes.data for value in range(3, 9)}
    assert kept.to_pylist() == [1] * 5_000
    assert places == {place}, "the arena that nobody holds serves the next block"


def test_frames_of_odd_arrays() -> None:
    """Read-only, of other types, cut out with steps: what a reader may hand over."""
    signal = Signal("s", 0, 16)
    frames = frames_of([(number, 0x100, bytes([number, 1])) for number in range(8)])
    expected = Codec(one(signal, length=2)).decode(frames)["M"]
    for values in frames:
        values.flags.writeable = False
    assert Codec(one(signal, length=2)).decode(frames)["M"].equals(expected)
    wide = frames._replace(frame_id=frames.frame_id.astype(np.int64), payload=frames.payload[:, :3])
    assert Codec(one(signal, length=2)).decode(wide)["M"].equals(expected)
    every_other = Frames(*(values[::2] for values in frames))
    assert Codec(one(signal, length=2)).decode(every_other)["M"]["s"].to_pylist() == [256, 258, 260, 262]


def test_no_messages_and_no_frames() -> None:
    for compiled in (True, False):
        nothing = Codec(Matrix("empty"), compiled=compiled).decode(frames_of([(0, 1, b"")]))
        assert (dict(nothing), dict(nothing.unknown)) == ({}, {UnknownId(1, False, 0): 1})
        codec = Codec(one(Signal("s", 0, 8)), compiled=compiled)
        assert dict(codec.decode(empty_frames(0))) == {}
        assert codec.decode(empty_frames(0)).table("M").num_rows == 0


# --- counters, checksums, containers ---


def guarded_matrix() -> Matrix:
    signals = (Signal("value", 0, 32), Signal("counter", 52, 2), Signal("sum", 56, 8))
    return one(*signals, protection=Protection("counter", "sum", "j1850"))


@both
def test_wrong_counters_and_checksums_are_counted(compiled: bool) -> None:
    payloads = []
    for number in (0, 1, 2, 2, 3, 0):
        content = bytes([number, 1, 2, 3, 0, 0, number << 4])
        register = 0xFF
        for byte in content:
            register ^= byte
            for _ in range(8):
                register = (register << 1 ^ (0x1D if register & 0x80 else 0)) & 0xFF
        payloads.append(content + bytes([register ^ 0xFF]))
    payloads[4] = payloads[4][:7] + bytes([payloads[4][7] ^ 1])
    frames = frames_of([(number, 0x100, payload) for number, payload in enumerate(payloads)])
    codec = Codec(guarded_matrix(), compiled=compiled)
    decoded = codec.decode(frames)
    assert decoded["M"]["counter_ok"].to_pylist() == [None, True, True, False, True, True]
    assert decoded["M"]["checksum_ok"].to_pylist() == [True, True, True, True, False, True]
    assert (decoded.wrong_counters, decoded.wrong_checksums) == ({"M": 1}, {"M": 1})
    first, second = take(frames, slice(0, 2)), take(frames, slice(2, 6))
    before = codec.decode(first)
    after = codec.decode(second, after=before)
    assert after["M"]["counter_ok"].to_pylist() == [True, False, True, True]
    assert codec.decode(second)["M"]["counter_ok"].to_pylist() == [None, False, True, True]
    assert before.last_counters[0] == 1, "a later block changes nothing of an earlier one"
    unchecked = Codec(guarded_matrix(), checks=False, compiled=compiled).decode(frames)
    assert unchecked["M"].equals(decoded["M"].drop_columns(["counter_ok", "checksum_ok"]))


@both
def test_messages_inside_containers(compiled: bool) -> None:
    inside = Message("INSIDE", 0, 2, (Signal("s", 0, 16),))
    other = Message("OTHER", 0, 1, (Signal("t", 0, 8),))
    container = Message("BOX", 0x200, 64, (), contained={0x0A0B0C: inside, 7: other}, is_fd=True)
    first = bytes.fromhex("0a0b0c02 1234 00000701 55 00000903 aabbcc".replace(" ", "")) + bytes(6)
    cut = bytes.fromhex("0a0b0c0212")
    frames = frames_of([(5, 0x200, first), (6, 0x200, cut), (7, 0x200, b"")])
    decoded = Codec(Matrix("car", (container,)), compiled=compiled).decode(frames).contained["BOX"]
    assert decoded["INSIDE"].to_pydict()["s"] == [0x3412, None]
    assert nanoseconds(decoded["INSIDE"]) == [5, 6]
    assert decoded["OTHER"].to_pydict()["t"] == [0x55]
    assert dict(decoded.unknown) == {UnknownId(9, True, 0): 1}
    assert decoded.too_short == {"INSIDE": 1}
