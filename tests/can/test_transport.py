"""Messages put together: on real diagnostics, trucks and boats, and whatever order frames come in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.public_data import public_data

from kyotsu.can.frames import Flag, Frames, frames_of, joined, take
from kyotsu.can.isotp import IsoTp, segmented, segments
from kyotsu.can.logs import open_log
from kyotsu.can.transport import PROTOCOLS, reassembler
from kyotsu.errors import InputError

MS = 1_000_000


def put_together(protocol: str, frames: Frames, **options: Any) -> tuple[list[bytes], Any]:
    together = reassembler(protocol, **options)
    messages = together.push(frames)
    together.finish()
    assert together.report.messages == messages.size
    return payloads(messages), together.report


def payloads(messages: Frames) -> list[bytes]:
    return [row[:length].tobytes() for row, length in zip(messages.payload, messages.length, strict=True)]


def css(name: str) -> Frames:
    return joined(open_log(public_data(f"can/css_electronics/{name}")).blocks())


def slow_isotp(frames: Frames, frame_id: int) -> list[bytes]:
    """An independent reading of one id: plain, without time."""
    found, message, total, expected = [], b"", 0, 0
    for row in np.flatnonzero(frames.frame_id == frame_id).tolist():
        data = frames.payload[row, : frames.length[row]].tobytes()
        if data[0] >> 4 == 0:
            found.append(data[1 : 1 + data[0]])
        elif data[0] >> 4 == 1:
            total, message, expected = (data[0] & 15) << 8 | data[1], data[2:], 1
        elif data[0] >> 4 == 2 and total and data[0] & 15 == expected & 15:
            message, expected = message + data[1:], expected + 1
            if len(message) >= total:
                found.append(message[:total])
                total = 0
        elif data[0] >> 4 == 2:
            total = 0
    return found


def test_the_diagnostics_of_a_leaf_are_whole() -> None:
    frames = css("uds_nissan_leaf_2019_2F6913DB.MF4")
    messages, report = put_together("isotp", frames)
    assert (report.messages, report.broken) == (52, {})
    assert [message for message in messages if len(message) > 8] == slow_isotp(frames, 0x7BB)
    assert {len(message) for message in messages} == {2, 31, 53}
    requests = [message for message in messages if len(message) == 2]
    assert set(requests) == {b"\x21\x01", b"\x21\x04"}
    assert sum(message[:2] == b"\x61\x01" for message in messages) == 13  # positive answers to service 0x21


def test_the_diagnostics_of_a_kona_are_whole_but_for_answers_that_began_anew() -> None:
    frames = css("uds_kona_ev_17BD1DB7.MF4")
    together = IsoTp({0x7BB, 0x7EC})
    messages = together.push(frames)
    for frame_id in (0x7BB, 0x7EC):
        chosen = take(messages, messages.frame_id == frame_id)
        assert payloads(chosen) == slow_isotp(frames, frame_id)
        assert all(message[:1] == b"\x62" for message in payloads(chosen))  # ReadDataByIdentifier, answered
    first = int(np.sum(frames.payload[np.isin(frames.frame_id, [0x7BB, 0x7EC]), 0] >> 4 == 1))
    report = together.report
    assert first == report.messages + sum(report.broken.values()) + report.under_way


def test_a_truck_announces_to_all() -> None:
    frames = css("j1939_tp_FCBF0606.MF4")
    together = reassembler("j1939")
    messages = together.push(frames)
    assert (together.report.messages, together.report.broken) == (16, {})
    assert set(messages.frame_id.tolist()) == {0x1CFEE300, 0x1CFEEC00}  # engine configuration, vehicle identification
    announced = frames.payload[(frames.frame_id >> 16) & 0xFF == 0xEC]
    assert [int(row[1]) | int(row[2]) << 8 for row in announced] == [len(message) for message in payloads(messages)]
    identification = take(messages, messages.frame_id == 0x1CFEEC00)
    assert all(message.isascii() for message in payloads(identification)), "a VIN is text"


def test_a_boat_sends_fast_packets() -> None:
    frames = css("nmea2000_94C49784.MF4")
    messages, report = put_together("nmea2000", frames)
    assert (report.messages, report.broken) == (521, {})
    positions = [message for message in messages if len(message) == 43]  # 129029, GNSS position
    assert len(positions) == 60


@pytest.mark.parametrize(
    ("name", "protocol"),
    [("uds_kona_ev_17BD1DB7.MF4", "isotp"), ("j1939_tp_FCBF0606.MF4", "j1939"), ("nmea2000_94C49784.MF4", "nmea2000")],
)
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_blocks_of_any_size_give_the_same(name: str, protocol: str, step: int) -> None:
    frames = css(name)
    if step == 1:
        frames = take(frames, slice(0, 600))
    whole, pieces = reassembler(protocol), reassembler(protocol)
    expected = whole.push(frames)
    parts = [pieces.push(take(frames, slice(begin, begin + step))) for begin in range(0, frames.size, step)]
    assert payloads(joined(parts)) == payloads(expected)
    assert np.array_equal(joined(parts).time, expected.time)
    assert pieces.report == whole.report


@given(
    messages=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=6),
    frame_bytes=st.sampled_from([8, 12, 64]),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_is_cut_into_frames_comes_back_however_interleaved(
    messages: list[bytes], frame_bytes: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    queues = [segmented(0, 0x700 + index, message, frame_bytes=frame_bytes) for index, message in enumerate(messages)]
    turns = np.repeat(np.arange(len(queues)), [queue.size for queue in queues])
    random.shuffle(turns)
    taken = [0] * len(queues)
    rows = []
    for time, index in enumerate(turns.tolist()):
        row = take(queues[index], slice(taken[index], taken[index] + 1))
        rows.append(row._replace(time=row.time + time * MS))
        taken[index] += 1
    together = reassembler("isotp")
    found = together.push(joined(rows))
    assert together.report.broken == {}
    by_id = dict(zip(found.frame_id.tolist(), payloads(found), strict=True))
    assert by_id == {0x700 + index: message for index, message in enumerate(messages)}


def test_extended_addressing_and_long_messages() -> None:
    message = bytes(range(256)) * 20  # more than 12 bits of length
    parts = list(segments(message, address=0x42))
    assert parts[0][:7] == bytes.fromhex("42100000001400")
    rows = [(time * MS, 0x6F1, part) for time, part in enumerate(parts)]
    found, report = put_together("isotp", frames_of(rows), ids={0x6F1}, has_address=True, longest_bytes=10_000)
    assert (found, report.broken) == ([message], {})
    found, report = put_together("isotp", frames_of(rows), ids={0x6F1}, has_address=True)
    assert not found
    assert report.broken["length that cannot be"] == 1


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(0, "1014112233445566"), (1, "2211223344556677")], "frames out of order or missing"),
        ([(0, "1014112233445566"), (1, "1014112233445566")], "begun anew before its end"),
        ([(0, "1014112233445566"), (1, "0111")], "begun anew before its end"),
        ([(0, "1014112233445566"), (1200, "2111223344556677")], "timed out"),
        ([(0, "2111223344556677")], "frames without a beginning"),
        ([(0, "1014112233445566")], "unfinished at the end"),
        ([(0, "0911223344556677")], "length that cannot be"),
        ([(0, "1005112233445566")], "length that cannot be"),
    ],
)
def test_what_breaks_is_named(rows: list[tuple[int, str]], reason: str) -> None:
    frames = frames_of([(time * MS, 0x7E8, bytes.fromhex(data)) for time, data in rows])
    _, report = put_together("isotp", frames)
    assert reason in report.broken


def test_segments_refuse_what_no_frame_has() -> None:
    for payload, size in ((b"", 8), (b"1", 9)):
        with pytest.raises(InputError):
            list(segments(payload, frame_bytes=size))
    with pytest.raises(InputError, match="isotp, j1939, nmea2000"):
        reassembler("flexray")


def j1939(*rows: tuple[int, int, str]) -> Frames:
    return frames_of([(time * MS, frame_id, bytes.fromhex(data)) for time, frame_id, data in rows], extended=True)


RTS, CTS, ABORT = (
    (0, 0x18EC0B00, "100900020200EF00"),
    (5, 0x18EC000B, "110201FFFF00EF00"),
    (9, 0x18EC000B, "FF01FFFFFF00EF00"),
)
ONE, TWO = (10, 0x18EB0B00, "0141424344454647"), (20, 0x18EB0B00, "024849FFFFFFFFFF")


def test_a_message_agreed_with_one_may_repeat_packets_and_has_its_destination() -> None:
    together = reassembler("j1939")
    found = together.push(j1939(RTS, CTS, ONE, ONE, TWO))
    assert payloads(found) == [b"ABCDEFGHI"]
    assert found.frame_id.tolist() == [0x18EF0B00]  # group 0xEF00 is for one destination
    assert found.time.tolist() == [20 * MS]
    assert int(found.flags[0]) == Flag.EXTENDED


def test_packets_of_an_agreed_message_may_come_in_the_order_in_which_they_are_asked_for() -> None:
    late = (30, *ONE[1:])
    assert put_together("j1939", j1939(RTS, CTS, TWO, late))[0] == [b"ABCDEFGHI"]


def test_an_abort_of_either_side_ends_it() -> None:
    found, report = put_together("j1939", j1939(RTS, CTS, ABORT, ONE, TWO))
    assert not found
    assert report.broken == {"aborted": 1, "frames without a beginning": 2}


def test_two_announcements_at_once_and_one_that_waits_too_long() -> None:
    rows = [(time, frame_id, data) for time, frame_id, data in (
        (0, 0x1CECFF01, "20090002FFECFE00"), (1, 0x1CECFF02, "20090002FFECFE00"), (10, 0x1CEBFF01, "0141424344454647"),
        (11, 0x1CEBFF02, "0151525354555657"), (60, 0x1CEBFF02, "025859FFFFFFFFFF"),
        (900, 0x1CEBFF01, "024849FFFFFFFFFF"),
    )]  # fmt: skip
    together = reassembler("j1939")
    found = together.push(j1939(*rows))
    assert payloads(found) == [b"QRSTUVWXY"]
    assert found.frame_id.tolist() == [0x1CFEEC02]
    assert together.report.broken == {"timed out": 1, "frames without a beginning": 1}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 400))
def test_any_bytes_are_taken_and_every_message_is_accounted_for(protocol: str, seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    frames = frames_of([(0, 0, b"12345678")] * count) if count else frames_of([])
    ids = {"isotp": [0x7E0, 0x7E8], "j1939": [0x1CECFF01, 0x1CEBFF01, 0x18EC0B00, 0x18EB0B00], "nmea2000": [0x19F80102]}
    frames.frame_id[:] = random.choice(ids[protocol], count)
    frames.flags[:] = 0 if protocol == "isotp" else int(Flag.EXTENDED)
    frames.time[:] = np.cumsum(random.integers(0, 100 * MS, count))
    frames.length[:] = random.integers(0, 9, count)
    frames.payload[:] = random.choice([0, 1, 2, 16, 17, 32, 33, 255], (count, 8))
    frames.payload[np.arange(8) >= frames.length[:, None]] = 0
    _, report = put_together(protocol, frames)
    assert report.under_way == 0
    assert all(count > 0 for count in report.broken.values())
