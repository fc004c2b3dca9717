"""MF4 against asammdf: CSS Electronics' five real logs, and files that asammdf writes in all its ways."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import asammdf
import numpy as np
import pytest
from asammdf.blocks.v4_constants import BUS_TYPE_CAN, SOURCE_BUS
from tests.can.frame_rows import read
from tests.public_data import public_data

from kyotsu.can.frames import Flag, Frames, frames_of
from kyotsu.can.mf4 import merged
from kyotsu.can.mf4_blocks import rows_of as rows_of_columns

CSS = {
    "j1939_tp_FCBF0606.MF4": 1_815,
    "j1939_truck_150k_frames.MF4": 150_411,
    "nmea2000_94C49784.MF4": 9_600,
    "uds_kona_ev_17BD1DB7.MF4": 2_010,
    "uds_nissan_leaf_2019_2F6913DB.MF4": 5_588,
}
FIELDS = ("ID", "IDE", "BusChannel", "DataLength", "DataBytes", "Dir")


def peer_columns(path: Path) -> tuple[Any, ...]:
    """Time [ns] since the start, id, extended, bus, sent, length and payload of all frames by asammdf, in order."""
    mdf = asammdf.MDF(path)
    parts = []
    groups: list[Any] = list(mdf.groups)
    for index, group in enumerate(groups):
        if group.channel_group.cycles_nr and "CAN_DataFrame" in [channel.name for channel in group.channels]:
            values = [mdf.get(f"CAN_DataFrame.{name}", group=index) for name in FIELDS]
            time = np.rint(values[0].timestamps * 1e9).astype(np.int64)
            ids, extended, bus, length, payload, sent = (value.samples for value in values)
            wide = np.zeros((time.size, 64), dtype=np.uint8)
            wide[:, : payload.shape[1]] = payload
            wide[np.arange(64) >= np.asarray(length)[:, None]] = 0
            parts.append((time, ids.astype(np.int64) & 0x1FFFFFFF, extended, bus, sent, length, wide))
    mdf.close()
    return ordered(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def ordered(*columns: Any) -> tuple[Any, ...]:
    *numbers, payload = columns
    keys = [*payload[:, :8].T, *(np.asarray(column, dtype=np.int64) for column in reversed(numbers))]
    order = np.lexsort(keys)
    return (*(np.asarray(column, dtype=np.int64)[order] for column in numbers), payload[order])


def columns_of(frames: Frames, start_ns: int) -> tuple[Any, ...]:
    wide = np.zeros((frames.size, 64), dtype=np.uint8)
    wide[:, : frames.payload.shape[1]] = frames.payload
    flags = frames.flags
    extended, sent = (flags & Flag.EXTENDED) != 0, (flags & Flag.SENT) != 0
    return ordered(frames.time - start_ns, frames.frame_id, extended, frames.bus, sent, frames.length, wide)


def assert_equal(ours: tuple[Any, ...], peer: tuple[Any, ...]) -> None:
    for our_column, peer_column in zip(ours, peer, strict=True):
        assert np.array_equal(our_column, peer_column)


@pytest.mark.parametrize("name", CSS)
def test_it_equals_asammdf_on_real_logs(name: str) -> None:
    path = public_data(f"can/css_electronics/{name}")
    frames, report = read(path)
    assert (frames.size, report.damages, report.clock) == (CSS[name], {}, "utc")
    assert_equal(columns_of(frames, report.start_ns or 0), peer_columns(path))


DTYPE = np.dtype([
    ("CAN_DataFrame.BusChannel", "<u1"), ("CAN_DataFrame.ID", "<u4"), ("CAN_DataFrame.IDE", "<u1"),
    ("CAN_DataFrame.DLC", "<u1"), ("CAN_DataFrame.DataLength", "<u1"), ("CAN_DataFrame.DataBytes", "(64,)u1"),
    ("CAN_DataFrame.Dir", "<u1"), ("CAN_DataFrame.EDL", "<u1"), ("CAN_DataFrame.BRS", "<u1"),
    ("CAN_DataFrame.ESI", "<u1"),
])  # fmt: skip


def write(path: Path, count: int, groups: int = 1, compression: Any = 0, version: str = "4.10") -> None:
    """Groups of random frames as asammdf writes them."""
    random = np.random.default_rng(count)
    mdf = asammdf.MDF(version=version)
    for number in range(groups):
        samples = np.zeros(count, dtype=DTYPE)
        samples["CAN_DataFrame.BusChannel"] = number + 1
        samples["CAN_DataFrame.ID"] = random.integers(0, 1 << 11, count)
        samples["CAN_DataFrame.DLC"] = samples["CAN_DataFrame.DataLength"] = random.integers(0, 9, count)
        payload = random.integers(0, 256, (count, 64)).astype(np.uint8)
        payload[np.arange(64) >= samples["CAN_DataFrame.DataLength"][:, None]] = 0
        samples["CAN_DataFrame.DataBytes"] = payload
        samples["CAN_DataFrame.Dir"] = random.integers(0, 2, count)
        source = asammdf.Source("CAN", "CAN", "", SOURCE_BUS, BUS_TYPE_CAN)
        times = np.cumsum(random.integers(1, 10**6, count)) / 1e6
        mdf.append(asammdf.Signal(samples, times, name="CAN_DataFrame", source=source), comment="bus")
    mdf.save(path, compression=compression, overwrite=True)
    mdf.close()


@pytest.mark.parametrize("compression", [0, 1, 2], ids=["plain", "deflated", "transposed"])
@pytest.mark.parametrize("groups", [1, 3])
def test_it_equals_asammdf_on_its_own_files(tmp_path: Path, compression: int, groups: int) -> None:
    path = tmp_path / "written.mf4"
    write(path, 30_000, groups, compression)
    frames, report = read(path)
    assert (frames.size, report.damages, report.backwards) == (30_000 * groups, {}, 0)
    assert set(frames.bus.tolist()) == set(range(1, groups + 1))
    assert_equal(columns_of(frames, report.start_ns or 0), peer_columns(path))


def test_a_log_is_read_the_same_left_unfinished_or_finished(tmp_path: Path) -> None:
    """CSS loggers leave it unfinished: no counts, a data block without its length, payloads in records of their own."""
    original = public_data("can/css_electronics/uds_nissan_leaf_2019_2F6913DB.MF4")
    whole, report = read(original)
    content = bytearray(original.read_bytes())
    data = content.index(b"##DT")
    assert content.startswith(b"UnFinMF ")
    assert struct.unpack_from("<Q", content, data + 8)[0] == 24, "the block does not say how long it is"
    path = tmp_path / "cut.mf4"
    path.write_bytes(content[:-5])
    cut, report = read(path)
    assert 0 < whole.size - cut.size <= 2
    assert report.partial

    content[:8] = b"MDF     "
    struct.pack_into("<Q", content, data + 8, len(content) - data)
    path.write_bytes(content)
    finished, report = read(path)
    assert report.damages == {"wrong number of records": 1}, "which the file states as none"
    for ours, expected in zip(list[Any](finished), list[Any](whole), strict=True):
        assert np.array_equal(ours, expected)


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    content = bytearray(public_data("can/css_electronics/uds_kona_ev_17BD1DB7.MF4").read_bytes())
    for kind in (b"##DG", b"##CG", b"##CN"):
        at = content.index(kind)
        struct.pack_into("<Q", content, at + 24, at)  # its next is itself
    path = tmp_path / "circle.mf4"
    path.write_bytes(content)
    _, report = read(path)
    assert "links in a circle" in report.damages


def test_columns_become_rows_even_where_the_last_is_cut() -> None:
    rows = bytes(range(12)) + b"res"
    turned = bytes(rows[row * 4 + column] for column in range(4) for row in range(3)) + b"res"
    assert rows_of_columns(turned, 4, 15) == rows
    assert rows_of_columns(turned[:11], 4, 15) == rows[:8]


def test_streams_are_merged_by_time_and_one_alone_is_left_as_it_is() -> None:
    first = frames_of([(1, 1, b""), (5, 1, b""), (3, 1, b""), (9, 1, b"")])
    second = frames_of([(2, 2, b""), (6, 2, b"")])
    third = frames_of([(4, 3, b"")])
    assert [block.time.tolist() for block in merged([iter([first])])] == [[1, 5, 3, 9]]
    together = [time for block in merged([iter([first]), iter([second, third])]) for time in block.time.tolist()]
    assert together[:1] == [1]
    assert sorted(together) == [1, 2, 3, 4, 5, 6, 9]
    assert together.index(3) == together.index(5) + 1, "a frame out of order stays behind the one before it"
