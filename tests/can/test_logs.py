"""All formats of logs: found by content, equal to python-can on its test data, every line accounted for."""

from __future__ import annotations

import gzip
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from tests.can.frame_rows import Row, random_frames, read, row_of_message, rows_of
from tests.public_data import FOLDER, public_data

import can
from kyotsu.can.frames import BLOCK_FRAMES, Flag, Frames, joined, take
from kyotsu.can.log_writers import write_asc, write_blf, write_candump
from kyotsu.can.logs import FORMATS, open_log
from kyotsu.errors import InputError

TEST_DATA = FOLDER / "can" / "python_can_testdata"
FIRST_BUS = {"ASC": 1, "BLF": 1}  # of python-can's channel 0; it takes those of the others as they are
LOGS = sorted(path.name for path in TEST_DATA.glob("*") if path.name.endswith((".asc", ".blf", ".trc", ".gz")))


def peer_rows(path: Path, first_bus: int) -> list[Row]:
    messages = can.LogReader(path)
    return [row_of_message(message, bus=int(str(message.channel or 0)) + first_bus) for message in messages]


@pytest.mark.parametrize("name", LOGS)
def test_it_equals_python_can(name: str) -> None:
    path = public_data(f"can/python_can_testdata/{name}")
    # python-can's times of ASC count from the start of the log unless told otherwise, as do those of TRC 1.0.
    relative = ".asc" in name or "V1_0" in name
    frames, report = read(path, start=datetime(1970, 1, 1, tzinfo=UTC) if relative else None)
    assert not report.damages
    peer = peer_rows(path, FIRST_BUS.get(report.format, 0))
    ours = rows_of(frames)
    if any(row.bus > 255 for row in peer):  # numbers of Vector's own tests, which we keep as the name of the bus
        assert {f"channel {row.bus}" for row in peer} == {report.buses[row.bus] for row in ours}
        ours = [row._replace(bus=other.bus) for row, other in zip(ours, peer, strict=True)]
        clean = Flag.EXTENDED | Flag.ERROR
        ours = [row._replace(flags=row.flags & ~Flag.EXTENDED) if row.flags & clean == clean else row for row in ours]
    if name in ("logfile.asc", "test_CanFdRemoteMessage.asc"):
        # The flags of the line say that it is a classic frame; python-can takes every line "CANFD" as one of FD.
        at = next(index for index, row in enumerate(ours) if row.frame_id == 0x50005)
        assert peer[at].flags & Flag.FD
        peer[at] = peer[at]._replace(flags=int(Flag.EXTENDED | Flag.REMOTE | Flag.SENT))
    assert ours == peer


@pytest.mark.parametrize("name", [name for name in LOGS if ".blf" not in name])
def test_every_line_is_a_frame_ignored_or_damaged(name: str) -> None:
    path = public_data(f"can/python_can_testdata/{name}")
    text = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    _, report = read(path)
    assert report.records == len(text.splitlines())
    assert report.read_bytes == report.file_bytes == path.stat().st_size


@pytest.mark.parametrize(
    ("name", "frames", "clock"),
    [
        ("tesla_dogmode/candump_DogMode.log", 12_138, "utc"),
        ("motec_sample/can_sample.log", 82_558, "utc"),
        ("mitsubishi_outlander_phev/damienmaguire_DRIVING1.csv", 14_712, "relative"),
        ("mitsubishi_outlander_phev/projectgus_202109061515-steering-lock-to-lock.csv", 19_871, "relative"),
    ],
)
def test_real_logs_are_whole(name: str, frames: int, clock: str) -> None:
    path = public_data(f"can/{name}")
    found, report = read(path)
    assert (found.size, report.clock, report.damages, report.partial) == (frames, clock, {}, False)
    assert report.records == len(path.read_bytes().splitlines())


def test_candump_equals_python_can_on_a_real_log() -> None:
    path = public_data("can/tesla_dogmode/candump_DogMode.log")
    peer = [row_of_message(message, bus=0) for message in can.LogReader(path)]
    assert rows_of(read(path)[0]) == peer


WRITERS = {"log": write_candump, "blf": write_blf, "asc": write_asc}


@pytest.mark.parametrize("suffix", WRITERS)
@settings(max_examples=25)
@given(frames=random_frames(kinds="dxrfe"))
def test_what_we_write_is_read_back_by_us_and_by_python_can(
    suffix: str, frames: Frames, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("logs") / f"written.{suffix}"
    assert WRITERS[suffix](frames, path) == frames.size
    found, report = read(path)
    assert not report.damages
    expected = rows_of(frames)
    if suffix == "log":
        expected = [
            row._replace(flags=row.flags & ~Flag.EXTENDED) if row.flags & Flag.ERROR else row for row in expected
        ]
    assert rows_of(found) == expected
    # python-can takes an error frame of candump as one only if it tells of a bus error.
    both = [pair for pair in zip(expected, can.LogReader(path), strict=True) if not pair[0].flags & Flag.ERROR]
    peer = [row_of_message(message, bus=row.bus)._replace(time_us=row.time_us) for row, message in both]
    if suffix == "asc":  # python-can takes an FD frame without payload as a remote request, which FD does not have
        peer = [row._replace(flags=row.flags & ~Flag.REMOTE) if row.flags & Flag.FD else row for row in peer]
    assert [row for row, _ in both] == peer


@pytest.mark.parametrize("suffix", ["log", "blf", "asc", "trc"])
@settings(max_examples=25)
@given(frames=random_frames(kinds="dxrf"))
def test_what_python_can_writes_is_read(suffix: str, frames: Frames, tmp_path_factory: pytest.TempPathFactory) -> None:
    if suffix == "trc":  # its writer knows data frames only
        frames = take(frames, (frames.flags & (Flag.REMOTE | Flag.FD)) == 0)
        if not frames.size:
            return
    path = tmp_path_factory.mktemp("logs") / f"peer.{suffix}"
    writer = can.Logger(path)
    for row in rows_of(frames):
        writer.on_message_received(
            can.Message(
                timestamp=row.time_us / 1e6,
                arbitration_id=row.frame_id,
                is_extended_id=bool(row.flags & Flag.EXTENDED),
                is_remote_frame=bool(row.flags & Flag.REMOTE),
                is_fd=bool(row.flags & Flag.FD),
                bitrate_switch=bool(row.flags & Flag.BIT_RATE_SWITCH),
                error_state_indicator=bool(row.flags & Flag.ERROR_STATE),
                is_rx=not row.flags & Flag.SENT,
                data=row.payload,
                channel=row.bus,
            )
        )
    writer.stop()
    found, report = read(path)
    assert not report.damages
    first_bus = 0 if suffix == "log" else 1
    expected = [row._replace(bus=row.bus + first_bus) for row in rows_of(frames)]
    if suffix in ("asc", "trc"):  # start and time of the first frame are cut to milliseconds each in their own way
        shift = rows_of(found)[0].time_us - expected[0].time_us
        expected = [row._replace(time_us=row.time_us + shift) for row in expected]
    ours = rows_of(found)
    if suffix == "asc":
        assert all(not (row.flags & Flag.FD and row.flags & Flag.REMOTE) for row in ours)
    assert [row[1:] for row in ours] == [row[1:] for row in expected]
    assert max(abs(a.time_us - b.time_us) for a, b in zip(ours, expected, strict=True)) <= 1


def test_blocks_are_bounded_and_each_its_own(tmp_path: Path) -> None:
    count = BLOCK_FRAMES + 10
    frames = Frames(
        np.arange(count) * 1000 + 1_700_000_000 * 10**9,
        np.full(count, 0x123, dtype=np.uint32),
        np.zeros(count, dtype=np.uint8),
        np.zeros(count, dtype=np.uint8),
        np.full(count, 2, dtype=np.uint16),
        np.tile(np.array([1, 2, 0, 0, 0, 0, 0, 0], dtype=np.uint8), (count, 1)),
    )
    for suffix, write in WRITERS.items():
        path = tmp_path / f"long.{suffix}"
        write(frames, path)
        log = open_log(path)
        blocks = list(log.blocks())
        assert [block.size for block in blocks] == [BLOCK_FRAMES, 10]
        assert np.array_equal(joined(blocks).time // 1000, frames.time // 1000)
        assert sum(block.size for block in log.blocks()) == count, "a log can be read again"


@pytest.mark.parametrize("content", [b"", b"no log\n" * 9, b"\x00" * 999, bytes(range(256)) * 9, b"MDF     3.30    "])
@pytest.mark.parametrize("name", ["file", "file.bin", "file.csv2"])
def test_a_file_that_is_no_log_is_a_problem(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        open_log(path)
    assert all(one.name in str(error.value) for one in FORMATS)


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.log", tmp_path):
        with pytest.raises(InputError, match="log file that can be read"):
            open_log(path)


def test_content_goes_before_the_suffix(tmp_path: Path) -> None:
    frames = read(public_data("can/python_can_testdata/test_CanFdMessage64.blf"))[0]
    path = tmp_path / "wrong.asc"
    write_blf(frames, path)
    assert open_log(path).report.format == "BLF"


def test_an_empty_text_log_is_a_log_without_frames(tmp_path: Path) -> None:
    path = tmp_path / "empty.log"
    path.touch()
    frames, report = read(path)
    assert (frames.size, report.records, report.partial) == (0, 0, False)


def test_a_given_start_moves_a_log_without_zone_but_not_one_that_counts_from_1970(tmp_path: Path) -> None:
    frames = read(public_data("can/python_can_testdata/issue_1256.asc"))[0]
    start = datetime(2020, 1, 1, tzinfo=UTC)
    path = tmp_path / "a.asc"
    write_asc(frames, path)
    found, report = read(path, start=start)
    assert report.is_absolute
    assert found.time[0] - int(start.timestamp()) * 10**9 == frames.time[0] - frames.time[0] // 10**6 * 10**6
    write_candump(frames, tmp_path / "a.log")
    assert np.array_equal(read(tmp_path / "a.log", start=start)[0].time, frames.time // 1000 * 1000)


def test_time_that_goes_backwards_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(f"({1_700_000_000 + time}.000000) can0 123#11\n" for time in (0, 2, 1, 3, 3, 0)))
    frames, report = read(path)
    assert (frames.size, report.backwards, report.partial) == (6, 2, False)
    assert (report.first_ns, report.last_ns) == (1_700_000_000 * 10**9, 1_700_000_003 * 10**9)


def test_a_report_before_the_end_says_so(tmp_path: Path) -> None:
    path = public_data("can/motec_sample/can_sample.log")
    log = open_log(path)
    next(iter(log.blocks()))
    assert log.report.partial
    assert not log.report.finished
    assert log.report.frames == BLOCK_FRAMES


WITHOUT_COMPILER = """
import sys
from kyotsu.can.compiler import HAS_COMPILER
from tests.can.frame_rows import read, rows_of
from pathlib import Path
assert not HAS_COMPILER
for name in sys.argv[1:]:
    frames, report = read(Path(name))
    print(hash(tuple(rows_of(frames))), report.records, report.damages)
"""


def test_it_reads_the_same_without_a_compiler(root: Path) -> None:
    css = public_data("can/css_electronics")
    paths = [public_data(f"can/python_can_testdata/{name}") for name in LOGS] + [css / "uds_kona_ev_17BD1DB7.MF4"]
    command = [sys.executable, "-c", WITHOUT_COMPILER, *map(str, paths)]
    environment = {"KYOTSU_NO_COMPILER": "1", "PYTHONPATH": f"{root / 'src'}:{root}", "PYTHONHASHSEED": "0"}
    plain = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    seeded = [sys.executable, "-c", WITHOUT_COMPILER.replace("assert not HAS_COMPILER", ""), *map(str, paths)]
    del environment["KYOTSU_NO_COMPILER"]
    fast = subprocess.run(seeded, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    assert plain == fast
    assert len(plain) == len(paths)
