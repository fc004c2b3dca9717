"""Frames that carry longer messages are told from those that stand for themselves, by the matrix alone."""

from __future__ import annotations

import numpy as np

from kyotsu.can.carriers import Carriers, counts_length
from kyotsu.can.frames import Flag, frames_of
from kyotsu.can.matrix import Matrix, Message, Signal

ANSWER = bytes(range(1, 21))  # 20 bytes over ISO-TP
FRAMES = [
    (0, 0x7BB, bytes([0x10, 20]) + ANSWER[:6]),
    (1, 0x100, bytes(8)),
    (2, 0x7BB, bytes([0x21]) + ANSWER[6:13]),
    (3, 0x7BB, bytes([0x22]) + ANSWER[13:]),
]


def answering(start: int) -> Message:
    service = Signal("service", start=start, length=8, is_multiplexor=True)
    value = Signal("value", start=start + 8, length=8, multiplexor="service", multiplex_values=((0x62, 0x62),))
    far = Signal("far", start=start + 16, length=8, multiplexor="service", multiplex_values=((256, 256),))
    return Message("ANSWER", 0x7BB, 21, (service, value, far), protocol="isotp")


def test_carriers_go_to_their_protocol_and_the_rest_stays() -> None:
    carriers = Carriers(Matrix("car", (Message("ANSWER", 0x7BB, 20, protocol="isotp"), Message("PLAIN", 0x100, 8))))
    plain, (message,), count = carriers.split(frames_of(FRAMES))
    assert (plain.frame_id.tolist(), count) == ([0x100], 3)
    assert (message.frame_id.tolist(), message.length.tolist(), message.time.tolist()) == ([0x7BB], [20], [3])
    assert bytes(message.payload[0, :20]) == ANSWER
    assert carriers.finish() == {"isotp messages": 1}


def test_a_matrix_that_counts_the_length_byte_gets_it() -> None:
    assert [counts_length(answering(start)) for start in (0, 8, 16)] == [False, True, False]
    assert not counts_length(Message("OTHER", 0x7BB, 21, protocol="isotp"))
    _, (message,), _ = Carriers(Matrix("car", (answering(8),))).split(frames_of(FRAMES))
    assert message.length.tolist() == [21]
    assert bytes(message.payload[0, :21]) == bytes([20]) + ANSWER


def test_nothing_is_taken_apart_where_nothing_is_long() -> None:
    frames = frames_of(FRAMES)
    plain, messages, count = Carriers(Matrix("car", (Message("PLAIN", 0x100, 8),))).split(frames)
    assert plain is frames
    assert (messages, count) == ([], 0)


def test_remote_and_error_frames_carry_nothing_and_what_breaks_is_told() -> None:
    frames = frames_of([*FRAMES[:1], (5, 0x7BB, bytes([0x23]) + bytes(7))])
    frames.flags[:] = [0, Flag.REMOTE]
    carriers = Carriers(Matrix("car", (Message("ANSWER", 0x7BB, 20, protocol="isotp"),)))
    plain, messages, count = carriers.split(frames)
    assert (plain.size, messages, count) == (1, [], 1)
    assert carriers.finish() == {"isotp messages": 0, "isotp unfinished at the end": 1}


def test_j1939_s_transport_is_asked_only_for_long_groups() -> None:
    short = Message("EEC1", 0x0CF00400, 8, is_extended=True, protocol="j1939")
    long = Message("EC1", 0x18FEE300, 40, is_extended=True, protocol="j1939")
    assert Carriers(Matrix("truck", (short,))).protocols == {}
    carriers = Carriers(Matrix("truck", (short, long)))
    frames = frames_of(
        [(0, 0x1CECFF00, bytes([32, 9, 0, 2, 255, 0xE3, 0xFE, 0])), (1, 0x0CF00400, bytes(8))], extended=True
    )
    plain, _, count = carriers.split(frames)
    assert (plain.frame_id.tolist(), count) == ([0x0CF00400], 1)
    assert np.all(plain.length == 8)
