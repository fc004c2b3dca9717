"""Logs to recordings: every frame accounted for, the same answer however the log comes, earlier recordings safe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.public_data import public_data

from kyotsu.can.codec import Codec
from kyotsu.can.frames import Frames, joined, take
from kyotsu.can.log_decoding import Decoding, decode_logs, gathered
from kyotsu.can.log_writers import write_blf, write_candump
from kyotsu.can.logs import open_log
from kyotsu.can.maker_bus import load_bus
from kyotsu.can.mapper import Mapper
from kyotsu.can.matrix import Matrix, Message, Signal
from kyotsu.can.matrix_files import load_matrix
from kyotsu.can.recording import file_name
from kyotsu.can.workloads import bus_load
from kyotsu.errors import InputError

MAKERS = Path(__file__).parents[2] / "examples" / "alliance" / "makers"


def frames_of_log(path: Path) -> Frames:
    return joined(open_log(path).blocks())


def test_every_frame_of_a_real_log_is_accounted_for(tmp_path: Path) -> None:
    log = public_data("can/motec_sample/can_sample.log")
    matrix = load_matrix(public_data("can/motec_sample/sample_can_spec.dbc"))
    outcome = decode_logs([log], Decoding(matrix, output=tmp_path / "out", summary=True))
    record = outcome.coverage.record()
    assert (record["frames"], record["described"], record["unknown"]) == (82558, 38015, 44543)
    assert sum(item["frames"] for item in record["unknown_ids"]) == record["unknown"]
    assert not record["partial"]
    whole = Codec(matrix).decode(frames_of_log(log))
    rows = {row["signal"]: row for row in outcome.summary.rows()}
    for name in whole:
        file = tmp_path / "out" / "messages" / f"{name}.parquet"
        table = pq.read_table(file)
        expected = whole.table(name)
        assert table.num_rows == expected.num_rows
        for column in expected.schema.names:
            assert table[column].to_pylist() == expected[column].to_pylist()
        assert pq.read_schema(file).metadata[b"matrix_fingerprint"].decode() == matrix.fingerprint
        provenance = json.loads(pq.ParquetFile(file).metadata.metadata[b"kyotsu"])
        assert provenance["matrix"]["sha256"] == matrix.fingerprint
        assert len(provenance["inputs"][0]["sha256"]) == 64
        for signal_of in matrix.by_name[name].signals:
            values = np.array(expected[signal_of.name].to_pylist())
            row = rows[signal_of.name]
            assert row["count"] == values.size
            assert (row["first"], row["last"], row["min"], row["max"]) == (
                values[0], values[-1], values.min(), values.max(),
            )  # fmt: skip
            assert row["sum"] == pytest.approx(values.sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("log", "matrix", "messages", "signal_of", "value"),
    [
        ("uds_nissan_leaf_2019_2F6913DB.MF4", "tp_uds_nissan.dbc", 26, "SoC", 89.2286),
        ("uds_kona_ev_17BD1DB7.MF4", "tp_uds.dbc", 270, "M_SID_0x220101_StateOfChargeBMS", 50.0),
        ("j1939_tp_FCBF0606.MF4", "tp_j1939.dbc", 13, "EngineSpeedAtPoint5", 1566.5),
        ("nmea2000_94C49784.MF4", "tp_nmea.dbc", 60, "latitude", 42.66101),
    ],
)
def test_longer_messages_of_real_logs_are_put_together(
    log: str, matrix: str, messages: int, signal_of: str, value: float
) -> None:
    folder = public_data("can/css_electronics")
    outcome = decode_logs([folder / log], Decoding(load_matrix(folder / matrix), summary=True))
    record = outcome.coverage.record()
    assert sum(item["frames"] for item in record["messages"]) == messages
    assert record["frames"] == sum(record[name] for name in ("described", "transported", "unknown", "remote", "error"))
    assert record["transported"] > messages
    row = next(row for row in outcome.summary.rows() if row["signal"] == signal_of)
    assert row["first"] == pytest.approx(value)


def test_a_real_drive_becomes_signals_of_the_catalogue(tmp_path: Path) -> None:
    log = public_data("can/mitsubishi_outlander_phev/damienmaguire_DRIVING1.csv")
    bus = load_bus(MAKERS / "mitsubishi")
    outcome = decode_logs([log], Decoding(bus.matrix, Mapper.of_rules(bus.rules), tmp_path))
    table = pq.read_table(tmp_path / "signals.parquet").to_pandas()
    assert len(table) == sum(outcome.datapoints.values())
    assert table["time"].is_monotonic_increasing
    speed = table[table["path"] == "Vehicle.Speed"]["value"].dropna()
    assert -15.0 < speed.min() < 0.0, "the driver backs out"
    assert 20.0 < speed.max() < 120.0
    charge = table[table["path"] == "Vehicle.Powertrain.TractionBattery.StateOfCharge.Displayed"]["value"].dropna()
    assert charge.between(0.0, 100.0).all()
    written = json.loads((tmp_path / "coverage.json").read_text("utf-8"))
    assert written["vss"]["datapoints"] == outcome.datapoints


SPEED = Signal("speed", start=0, length=16, scale=0.01, unit="km/h")
CAR = Matrix("car", (Message("WHEELS", 0x100, 8, (SPEED,)), Message("a/b", 0x101, 8, (SPEED,))))


@pytest.mark.parametrize("write", [write_candump, write_blf])
def test_blocks_and_formats_make_no_difference(tmp_path: Path, write) -> None:  # type: ignore[no-untyped-def]
    load = bus_load(CAR, 200_000)
    write(load, tmp_path / "load.log")
    outcome = decode_logs([tmp_path / "load.log"], Decoding(CAR, output=tmp_path / "out"))
    assert outcome.coverage.described == outcome.coverage.frames == 200_000
    names = {path.name for path in (tmp_path / "out" / "messages").iterdir()}
    assert names == {"WHEELS.parquet", "a%2Fb.parquet"}
    whole = Codec(CAR).decode(load)
    for name, file in (("WHEELS", "WHEELS"), ("a/b", "a%2Fb")):
        table = pq.read_table(tmp_path / "out" / "messages" / f"{file}.parquet")
        assert table["speed"].to_pylist() == whole.table(name)["speed"].to_pylist()


def test_gathered_blocks_are_the_same_frames() -> None:
    load = bus_load(CAR, 10_000)
    blocks = [take(load, slice(at, at + 700)) for at in range(0, 10_000, 700)]
    found = list(gathered(iter(blocks), 2000))
    assert all(block.size >= 2000 for block in found[:-1])
    for ours, given in zip(joined(found), load, strict=True):
        assert np.array_equal(ours, given)


def test_several_logs_are_one_recording_that_says_which_row_is_of_which(tmp_path: Path) -> None:
    for number, count in ((1, 3000), (2, 1000)):
        write_candump(bus_load(CAR, count, seed=number), tmp_path / f"{number}.log")
    paths = [tmp_path / "1.log", tmp_path / "2.log"]
    outcome = decode_logs(paths, Decoding(CAR, output=tmp_path / "out"))
    tables = [pq.read_table(path) for path in outcome.files if path.suffix == ".parquet"]
    logs = [name for table in tables for name in table["log"].to_pylist()]
    assert (logs.count("1.log"), logs.count("2.log")) == (3000, 1000)
    assert len(json.loads((tmp_path / "out" / "coverage.json").read_text())["inputs"]) == 2


def test_a_damaged_log_is_kept_as_far_as_it_goes_and_says_so(tmp_path: Path) -> None:
    write_blf(bus_load(CAR, 100_000), tmp_path / "whole.blf")
    content = (tmp_path / "whole.blf").read_bytes()
    (tmp_path / "cut.blf").write_bytes(content[: len(content) * 2 // 3])
    outcome = decode_logs([tmp_path / "cut.blf"], Decoding(CAR, output=tmp_path / "out"))
    assert outcome.coverage.partial
    assert 10_000 < outcome.coverage.frames < 100_000
    assert json.loads((tmp_path / "out" / "coverage.json").read_text())["partial"] is True
    file = next(path for path in outcome.files if path.suffix == ".parquet")
    assert json.loads(pq.ParquetFile(file).metadata.metadata[b"kyotsu"])["partial"] is True


def test_gaps_wrong_lengths_and_time_that_goes_back_are_counted(tmp_path: Path) -> None:
    matrix = Matrix("car", (Message("WHEELS", 0x100, 8, (SPEED,), cycle_ms=10.0),))
    lines = [f"(1600000000.{index:02d}0000) can0 100#0011223344556677" for index in range(0, 50)]
    lines[20:30] = []  # a gap of 110 ms
    lines[5] = lines[5][:-4]  # two bytes short
    lines.append("(1599999999.000000) can0 100#0011223344556677")
    lines.append("(1600000000.500000) can0 7FF#00")
    (tmp_path / "log.log").write_text("\n".join(lines) + "\n")
    found = decode_logs([tmp_path / "log.log"], Decoding(matrix)).coverage
    message = found.messages["WHEELS"]
    assert (message.frames, message.gaps, message.too_short) == (41, 1, 1)
    assert message.longest_gap_ms == pytest.approx(110.0)
    assert found.logs[0].backwards == 1
    assert found.undescribed == 1


def test_what_is_no_log_and_no_place_to_write(tmp_path: Path) -> None:
    (tmp_path / "junk.bin").write_bytes(bytes(range(256)) * 10)
    with pytest.raises(InputError, match="a log"):
        decode_logs([tmp_path / "junk.bin"], Decoding(CAR, output=tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    write_candump(bus_load(CAR, 100), tmp_path / "log.log")
    with pytest.raises(InputError, match="cannot be written"):
        decode_logs([tmp_path / "log.log"], Decoding(CAR, output=tmp_path / "junk.bin"))
    assert (tmp_path / "junk.bin").stat().st_size == 2560


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", "a%b", "", "ü", "nul\0", "x" * 300])
def test_names_of_messages_cannot_leave_the_folder(name: str) -> None:
    found = file_name(name)
    assert found
    assert "/" not in found
    assert not found.startswith(".")
    assert len(found) <= 200


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from kyotsu.cli import main
sys.argv = ["kyotsu", "decode", sys.argv[1], "--maker", sys.argv[2], "-o", sys.argv[3]]
main()
"""


@pytest.mark.slow
def test_a_full_disk_and_a_killed_run_leave_the_earlier_recording_as_it_was(tmp_path: Path) -> None:
    maker, bus = MAKERS / "nissan", load_bus(MAKERS / "nissan")
    write_candump(bus_load(bus.matrix, 400_000), tmp_path / "long.log")
    write_candump(bus_load(bus.matrix, 2_000), tmp_path / "short.log")
    out = tmp_path / "out"
    decode_logs([tmp_path / "short.log"], Decoding(bus.matrix, output=out))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    words = [sys.executable, "-c", LIMITED, str(tmp_path / "long.log"), str(maker), str(out)]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert run.returncode == 2, run.stderr
    assert "cannot be written" in run.stderr
    assert "Traceback" not in run.stderr
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before

    words = [
        sys.executable,
        "-m",
        "kyotsu",
        "decode",
        str(tmp_path / "long.log"),
        "--maker",
        str(maker),
        "-o",
        str(out),
    ]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(out.glob(".partial-*/messages/*")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert {path for path in out.rglob("*") if path.is_file() and ".partial" not in str(path)} == set(before)
    decode_logs([tmp_path / "short.log"], Decoding(bus.matrix, output=out))
    assert not list(out.glob(".partial-*"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the most memory is read from Linux's /proc")
def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    bus = load_bus(MAKERS / "nissan")
    used = []
    for count in (500_000, 3_000_000):
        write_blf(bus_load(bus.matrix, count), tmp_path / "load.blf")
        code = (
            "import sys; from pathlib import Path\n"
            "from kyotsu.can.log_decoding import Decoding, decode_logs\n"
            "from kyotsu.can.matrix_files import load_matrix\n"
            "decode_logs([Path(sys.argv[1])], Decoding(load_matrix(sys.argv[2]), output=Path(sys.argv[3])))\n"
            "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
        )
        words = [sys.executable, "-c", code, tmp_path / "load.blf", MAKERS / "nissan" / "bus.dbc", tmp_path / "out"]
        run = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True)
        used.append(int(run.stdout) / 1024)
    assert max(used) < 500, "MB"
    assert used[1] < used[0] + 120
