"""Live buses through python-can: virtual, udp_multicast, socketcan and all others that it has an interface for.

    with LiveBus("socketcan", "can0") as bus:
        for frames in bus.blocks(patience_s=0.02):    # Frames as from a log
            ...
        bus.send(frames)

A block holds what came within a moment, so that a codec sees a few frames at once and late ones soon.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import numpy as np

import can
from kyotsu.can.frames import BLOCK_FRAMES, CLASSIC_BYTES, FD_BYTES, Flag, Frames, empty_frames
from kyotsu.errors import InputError, Location, Problem

NS_PER_S = 1_000_000_000


class LiveBus:
    """A bus that is listened to and sent on.

    Args:
        interface: as python-can calls it, such as `virtual`, `udp_multicast` or `socketcan`.
        channel: as the interface calls it.
        number: of the bus in the frames.
        options: further ones of the interface, such as `fd=True`.

    Raises:
        InputError: there is no such interface or channel.
    """

    def __init__(self, interface: str, channel: str, *, number: int = 0, **options: Any) -> None:
        self.number = number
        try:
            self._bus = can.Bus(interface=interface, channel=channel, **options)
        except (can.CanError, OSError, ValueError, TypeError) as error:
            found = f"{type(error).__name__}: {error}"
            action = "Check the interface, the channel, and that python-can has what the interface needs."
            place = Location(f"{interface} {channel}")
            raise InputError([Problem(place, found, "a bus that can be opened", action)]) from error

    def __enter__(self) -> LiveBus:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the bus."""
        self._bus.shutdown()

    def receive(self, timeout_s: float | None = None, patience_s: float = 0.0, most: int = BLOCK_FRAMES) -> Frames:
        """What comes: waits for a first frame, then takes what follows within the patience.

        Args:
            timeout_s: longest wait for the first frame; `None` waits for ever.
            patience_s: how long after the first frame further ones are waited for.
            most: frames at once.
        """
        messages: list[Any] = []
        message = self._bus.recv(timeout_s)
        end = time.monotonic() + patience_s
        while message is not None:
            messages.append(message)
            if len(messages) == most:
                break
            message = self._bus.recv(max(0.0, end - time.monotonic()))
        return frames_of_messages(messages, self.number)

    def blocks(self, *, patience_s: float = 0.0, idle_s: float | None = None) -> Iterator[Frames]:
        """Small blocks as frames come; ends after `idle_s` without one, by default never."""
        while (frames := self.receive(idle_s, patience_s)).size:
            yield frames

    def send(self, frames: Frames) -> None:
        """Send frames one after the other, at once; their times are not minded.

        Raises:
            InputError: the bus does not take one.
        """
        for message in messages_of(frames):
            try:
                self._bus.send(message)
            except (can.CanError, OSError, ValueError) as error:
                problem = Problem(
                    Location(self._bus.channel_info), str(error), "a bus that takes it", "See if it is up."
                )
                raise InputError([problem]) from error


def frames_of_messages(messages: list[Any], number: int = 0) -> Frames:
    """python-can's messages as frames; one without a time gets 0."""
    width = FD_BYTES if any(len(message.data) > CLASSIC_BYTES for message in messages) else CLASSIC_BYTES
    frames = empty_frames(len(messages), width)
    frames.bus[:] = number
    for row, message in enumerate(messages):
        data = b"" if message.is_remote_frame else bytes(message.data[:FD_BYTES])
        frames.time[row] = round(message.timestamp * NS_PER_S)
        frames.frame_id[row] = message.arbitration_id & 0x1FFF_FFFF
        frames.flags[row] = _flags_of(message)
        frames.length[row] = len(data)
        frames.payload[row, : len(data)] = np.frombuffer(data, dtype=np.uint8)
    return frames


def _flags_of(message: Any) -> int:
    flags = Flag.ERROR if message.is_error_frame else Flag.EXTENDED if message.is_extended_id else Flag(0)
    flags |= Flag.REMOTE if message.is_remote_frame else 0
    flags |= Flag.FD if message.is_fd else 0
    flags |= Flag.BIT_RATE_SWITCH if message.bitrate_switch else 0
    flags |= Flag.ERROR_STATE if message.error_state_indicator else 0
    return int(flags | (0 if message.is_rx else Flag.SENT))


def messages_of(frames: Frames) -> Iterator[Any]:
    """Frames as python-can's messages, the bus as the channel."""
    for row in range(frames.size):
        flags, length = int(frames.flags[row]), int(frames.length[row])
        yield can.Message(
            timestamp=int(frames.time[row]) / NS_PER_S,
            arbitration_id=int(frames.frame_id[row]),
            is_extended_id=bool(flags & (Flag.EXTENDED | Flag.ERROR)),
            is_remote_frame=bool(flags & Flag.REMOTE),
            is_error_frame=bool(flags & Flag.ERROR),
            is_fd=bool(flags & Flag.FD),
            bitrate_switch=bool(flags & Flag.BIT_RATE_SWITCH),
            error_state_indicator=bool(flags & Flag.ERROR_STATE),
            is_rx=not flags & Flag.SENT,
            dlc=length,
            data=frames.payload[row, :length].tobytes(),
            channel=int(frames.bus[row]),
        )
