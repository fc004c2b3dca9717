"""Live buses of python-can, both ends real: one inside the process and one over the network of this machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from tests.can.frame_rows import random_frames, rows_of

import can
from kyotsu.can.bus import LiveBus, frames_of_messages, messages_of
from kyotsu.can.frames import Flag, Frames, frames_of, joined, take
from kyotsu.can.isotp import segmented
from kyotsu.can.transport import reassembler
from kyotsu.errors import InputError

ROWS = [(0, 0x123, b"abc"), (0, 0x7FF, b""), (0, 0x1, bytes(8))]
BUSES = [("virtual", "kyotsu", {}), ("udp_multicast", "239.74.163.2", {"port": 43_114})]


@pytest.mark.parametrize(("interface", "channel", "options"), BUSES, ids=[name for name, _, _ in BUSES])
def test_what_one_sends_the_other_receives(interface: str, channel: str, options: dict[str, Any]) -> None:
    try:
        sender, receiver = LiveBus(interface, channel, **options), LiveBus(interface, channel, number=3, **options)
    except InputError as error:
        pytest.skip(f"no {interface} here: {error}")
    with sender, receiver:
        sender.send(frames_of(ROWS))
        found = joined(receiver.blocks(patience_s=0.2, idle_s=0.5))
    assert [(row.frame_id, row.payload) for row in rows_of(found)] == [row[1:] for row in ROWS]
    assert set(found.bus.tolist()) == {3}
    assert (np.diff(found.time) >= 0).all()
    assert found.time[0] > 1_600_000_000 * 10**9


def test_diagnostics_go_over_a_live_bus() -> None:
    message = bytes(range(100))
    with LiveBus("virtual", "diagnostics") as sender, LiveBus("virtual", "diagnostics") as receiver:
        sender.send(segmented(0, 0x7E8, message))
        together = reassembler("isotp")
        found = [together.push(block) for block in receiver.blocks(idle_s=0.2)]
    assert [row.payload for row in rows_of(joined(found))] == [message]


def test_a_block_has_at_most_what_is_asked_for() -> None:
    with LiveBus("virtual", "bounded") as sender, LiveBus("virtual", "bounded") as receiver:
        sender.send(frames_of(ROWS))
        assert receiver.receive(1, 0.1, most=2).size == 2
        assert receiver.receive(1).size == 1
        assert receiver.receive(0.01).size == 0


@pytest.mark.parametrize(("interface", "channel"), [("no such interface", "x"), ("socketcan", "no such channel")])
def test_a_bus_that_cannot_be_opened_is_a_problem(interface: str, channel: str) -> None:
    with pytest.raises(InputError, match="a bus that can be opened"):
        LiveBus(interface, channel)


@given(frames=random_frames(kinds="dxrf"))
def test_messages_and_frames_are_the_same_said_twice(frames: Frames) -> None:
    messages = list(messages_of(frames))
    assert all(isinstance(message, can.Message) for message in messages)
    back = frames_of_messages(messages)
    assert [row._replace(bus=0) for row in rows_of(frames)] == rows_of(back)
    errors = take(frames, slice(0, 1))._replace(flags=np.array([int(Flag.ERROR)], dtype=np.uint8))
    assert frames_of_messages(list(messages_of(errors))).flags.tolist() == [int(Flag.ERROR)]
