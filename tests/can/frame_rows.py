"""Frames as rows that compare well, random ones, and python-can's messages as such rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

import can
from kyotsu.can.frames import Flag, Frames, empty_frames, joined
from kyotsu.can.log_report import LogReport
from kyotsu.can.logs import open_log

FD_LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)
START_NS = 1_700_000_000_123_000_000


class Row(NamedTuple):
    time_us: int
    frame_id: int
    flags: int
    bus: int
    payload: bytes


def rows_of(frames: Frames) -> list[Row]:
    assert not any(payload[length:].any() for payload, length in zip(frames.payload, frames.length, strict=True))
    columns = (frames.time.tolist(), frames.frame_id.tolist(), frames.flags.tolist(), frames.bus.tolist())
    payloads = [payload[:length].tobytes() for payload, length in zip(frames.payload, frames.length, strict=True)]
    return [Row((t + 500) // 1000, i, f, b, p) for t, i, f, b, p in zip(*columns, payloads, strict=True)]


def read(path: Path, **options: Any) -> tuple[Frames, LogReport]:
    """All frames of a log, and its report, whose account must be complete."""
    log = open_log(path, **options)
    frames = joined(log.blocks())
    assert log.report.finished
    assert log.report.frames == frames.size
    return frames, log.report


def row_of_message(message: can.Message, *, bus: int) -> Row:
    """A row as ours: python-can counts the channels of ASC and BLF from 0, and gives error frames an extended id."""
    flags = (Flag.EXTENDED if message.is_extended_id and not message.is_error_frame else 0) | (
        (Flag.REMOTE if message.is_remote_frame else 0)
        | (Flag.ERROR if message.is_error_frame else 0)
        | (Flag.FD if message.is_fd else 0)
        | (Flag.BIT_RATE_SWITCH if message.bitrate_switch else 0)
        | (Flag.ERROR_STATE if message.error_state_indicator else 0)
        | (0 if message.is_rx else Flag.SENT)
    )
    payload = b"" if message.is_remote_frame else bytes(message.data)
    return Row(round(message.timestamp * 1e6), message.arbitration_id, int(flags), bus, payload)


@st.composite
def random_frames(draw: st.DrawFn, *, kinds: str = "dxrf", buses: int = 3, most: int = 40) -> Frames:
    """Frames in order of time: `d` classic, `x` extended, `r` remote, `f` FD, `e` error."""
    count = draw(st.integers(1, most))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frames = empty_frames(count, 64 if "f" in kinds else 8)
    frames.time[:] = START_NS + np.sort(random.integers(0, 10**10, count)) // 1000 * 1000
    frames.bus[:] = random.integers(0, buses, count)
    for row in range(count):
        kind = kinds[random.integers(len(kinds))]
        extended = kind != "e" and random.integers(2) if "x" in kinds else 0
        length = int(random.choice(FD_LENGTHS)) if kind == "f" else int(random.integers(0, 9))
        length = 0 if kind in "re" else length
        flags = {"r": Flag.REMOTE, "f": Flag.FD, "e": Flag.ERROR}.get(kind, Flag(0))
        if kind == "f":
            flags |= int(random.choice([0, Flag.BIT_RATE_SWITCH])) | int(random.choice([0, Flag.ERROR_STATE]))
        flags |= (Flag.EXTENDED if extended else 0) | (Flag.SENT if random.integers(2) and kind != "e" else 0)
        frames.frame_id[row] = 0 if kind == "e" else random.integers(1 << 29 if extended else 1 << 11)
        frames.flags[row], frames.length[row] = int(flags), length
        frames.payload[row, :length] = random.integers(0, 256, length)
    return frames
