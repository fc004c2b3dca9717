"""The encoder: what was decoded becomes the same bits again, and every problem is found."""

from __future__ import annotations

import math
from typing import Any

import cantools
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.can.random_matrices import matrices
from tests.can.slow_decoder import frames_for, is_present, matrix_of, raw_value
from tests.public_data import public_data

from kyotsu.can.codec import Codec
from kyotsu.can.encoder import Encoder, encode
from kyotsu.can.frames import frames_of
from kyotsu.can.matrix import Matrix, Message, Protection, Signal
from kyotsu.errors import InputError


def described_bits(message: Message, payload: bytes) -> int:
    """The payload with zeros where no signal of a branch that is there has its bits."""
    bits = {bit for signal in message.signals if is_present(message, signal, payload) for bit in signal.bits}
    return sum((payload[bit // 8] >> bit % 8 & 1) << bit for bit in bits)


def has_nan(message: Message, payload: bytes) -> bool:
    raws = (raw_value(signal, payload) for signal in message.signals if signal.is_float)
    return any(raw is not None and math.isnan(raw) for raw in raws)


@pytest.mark.parametrize("raw", [False, True])
@settings(max_examples=60)
@given(data=st.data())
def test_encode_undoes_decode(raw: bool, data: st.DataObject) -> None:
    matrix = data.draw(matrices())
    codec, encoder = Codec(matrix, raw=raw), Encoder(matrix)
    for message in matrix.messages:
        contents = st.binary(min_size=message.length, max_size=message.length)
        payloads = data.draw(st.lists(contents.filter(lambda content, m=message: not has_nan(m, content)), max_size=4))
        if payloads and (message.frame_id, message.is_extended) in matrix.by_id:
            frames = frames_for(message, payloads)
            again = encoder.encode(message.name, codec.decode(frames).table(message.name))
            encoded = [again.payload[row, : message.length].tobytes() for row in range(len(payloads))]
            assert [described_bits(message, payload) for payload in encoded] == [
                described_bits(message, payload) for payload in payloads
            ]
            assert again.time.tolist() == frames.time.tolist()
            assert again.frame_id.tolist() == frames.frame_id.tolist()


def test_encode_as_cantools() -> None:
    """Numbers that cantools takes, of all plain messages of a few of its own files."""
    random = np.random.default_rng(3)
    encoded = 0
    for name in ("motohawk", "vehicle", "foobar", "signed", "floating_point", "padding_bit_order", "socialledge"):
        database: Any = cantools.database.load_file(public_data(f"can/cantools_testfiles/dbc/{name}.dbc"), strict=False)
        for theirs, ours in zip(database.messages, matrix_of(database).messages, strict=True):
            if theirs.is_multiplexed() or ours.length > 64:
                continue
            payload = bytes(random.integers(0, 64, ours.length, dtype=np.uint8))
            values = theirs.decode(payload, decode_choices=False)
            if any(isinstance(value, float) and not math.isfinite(value) for value in values.values()):
                continue
            assert encode(ours, values) == theirs.encode(values, strict=False), (name, ours.name)
            encoded += 1
    assert encoded > 200


GEAR = Signal("gear", 0, 4, labels={0: "P", 1: "R", 4: "D"}, initial=1)
SPEED = Signal("speed", 15, 16, big_endian=True, scale=0.01, unit="km/h", minimum=0, maximum=300)
MESSAGE = Message("M", 0x100, 8, (GEAR, SPEED, Signal("spare", 24, 8, not_available=((0xFE, 0xFF),))))


def test_labels_initial_values_and_what_is_not_available() -> None:
    assert encode(MESSAGE, {"gear": "D", "speed": 1.25}).hex() == "04007dff00000000"
    assert encode(MESSAGE, {}).hex() == "010000ff00000000"
    assert encode(MESSAGE, {"gear": 15}).hex() == "0f0000ff00000000"
    table = {"gear": [None, 2, None], "gear.label": ["D", "D", None]}
    assert Encoder(Matrix("car", (MESSAGE,))).encode("M", table).payload[:, 0].tolist() == [4, 2, 1]


def test_every_problem_is_found_at_once() -> None:
    encoder = Encoder(Matrix("car", (MESSAGE,), file="car.dbc"), strict=True)
    table = {
        "gear": ["D", "sideways", None],
        "speed": [-0.5, 655.36, 400.0],
        "spare": [256, -1, 3],
        "wheels": [1, 2, 3],
    }
    with pytest.raises(InputError) as caught:
        encoder.encode("M", table)
    texts = [str(problem) for problem in caught.value.problems]
    assert len(texts) == 5
    assert "M.wheels): found no such signal" in texts[0]
    assert "label 'sideways'; expected one of D, R, P" in texts[1]
    assert "-0.5 in row 0, 655.36 in row 1; expected 0 to 655.35" in texts[2]
    assert "400.0 in row 2; expected 0 to 300 km/h" in texts[3]
    assert "256 in row 0, -1 in row 1; expected 0 to 255" in texts[4]


def test_other_bad_input() -> None:
    encoder = Encoder(Matrix("car", (MESSAGE,)))
    for table in ({"speed": [math.nan]}, {"speed": [math.inf]}, {"speed": [[1]]}, {"speed": [1], "gear": [1, 2]}):
        with pytest.raises(InputError):
            encoder.encode("M", table)
    with pytest.raises(InputError, match="no such message"):
        encoder.encode("N", {})


def test_a_value_of_another_branch_is_a_problem() -> None:
    selector = Signal("selector", 0, 8, is_multiplexor=True)
    left = Signal("left", 8, 8, multiplexor="selector", multiplex_values=((1, 1),))
    right = Signal("right", 8, 8, multiplexor="selector", multiplex_values=((2, 5),))
    message = Message("M", 0x100, 2, (selector, left, right))
    assert encode(message, {"selector": 3, "right": 9}) == b"\x03\x09"
    with pytest.raises(InputError, match=r"a value in row 0; expected none, or selector = 1"):
        encode(message, {"selector": 3, "left": 9})


def test_counters_and_checksums_are_filled() -> None:
    signals = (Signal("value", 0, 32), Signal("counter", 52, 2), Signal("sum", 56, 8))
    matrix = Matrix("car", (Message("M", 0x100, 8, signals, protection=Protection("counter", "sum", "nissan")),))
    frames = Encoder(matrix).encode("M", pa.record_batch({"value": pa.array(range(9))}), first_counter=3)
    decoded = Codec(matrix).decode(frames)
    assert decoded["M"]["counter"].to_pylist() == [3, 0, 1, 2, 3, 0, 1, 2, 3]
    assert (decoded.wrong_counters, decoded.wrong_checksums) == ({}, {})
    assert decoded["M"]["checksum_ok"].to_pylist() == [True] * 9
    wrong = Encoder(matrix).encode("M", {"value": [1], "sum": [0]})
    assert Codec(matrix).decode(wrong).wrong_checksums == {"M": 1}, "what is given stays as it is"


def test_a_long_signal_and_fd_padding() -> None:
    message = Message("M", 0x100, 18, (Signal("text", 7, 100, big_endian=True), Signal("last", 136, 8)), is_fd=True)
    matrix = Matrix("car", (message,))
    frames = Encoder(matrix).encode("M", {"text": [b"\x01" + bytes(range(12))], "last": [7]})
    assert frames.length.tolist() == [20]
    table = Codec(matrix).decode(frames)["M"]
    assert table.select(["text", "last"]).to_pylist() == [{"text": b"\x01" + bytes(range(12)), "last": 7}]
    with pytest.raises(InputError, match="13 bytes"):
        Encoder(matrix).encode("M", {"text": [b"short"]})


def test_j1939_keeps_its_source() -> None:
    message = Message("ENGINE", 0x0CF00400, 8, (Signal("s", 0, 8),), is_extended=True, protocol="j1939")
    codec = Codec(Matrix("truck", (message,)))
    frames = frames_of([(1, 0x0CF00433, bytes(8)), (2, 0x0CF00400, bytes(8))], extended=True)
    again = Encoder(codec.matrix).encode("ENGINE", codec.decode(frames)["ENGINE"])
    assert again.frame_id.tolist() == [0x0CF00433, 0x0CF00400]
    assert again.time.tolist() == [1, 2]
