"""`kyotsu bench can`: decoding, whole files and a live bus, in turns with cantools, python-can and asammdf.

The loads are buses of opendbc's matrices (a Nissan Leaf and a Honda Civic) with signals that walk at random, see
`kyotsu.can.workloads`. Peers that are slow run on the first part of the same frames; rates are frames per second.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kyotsu.cli.check import JsonOption
from kyotsu.cli.output import error_screen, optional, print_json, screen, table

if TYPE_CHECKING:
    from kyotsu.can.frames import Frames
    from kyotsu.can.matrix import Matrix

LOADS = {"Leaf": "nissan_leaf_2018", "Civic": "honda_civic_touring_2016_can"}  # names of opendbc's generated matrices
SLOW_FRAMES = 50_000  # of a peer that decodes frame by frame
MDF_FRAMES = 1_000_000  # that asammdf decodes
DECODED_FRAMES = 1 << 19  # at once
LIVE_FRAMES, LIVE_BATCH = 160_000, 16
FULL_BUS = 4_000  # frames a second on a full bus of 500 kbit/s: 8 bytes and about 125 bits on the wire each

# A fresh process decodes a log to Parquet, once to load and compile, then as often as asked; says the least wall and
# processor time [s] and the most memory [MB].
OURS = """
import json, resource, sys, time
from pathlib import Path
from kyotsu.can.log_decoding import Decoding, decode_logs
from kyotsu.can.matrix_files import load_matrix
log, matrix, small, output, repeats = sys.argv[1:]
asked = Decoding(load_matrix(matrix), output=Path(output))
decode_logs([Path(small)], asked)
wall, processor = [], []
for _ in range(int(repeats)):
    begin = time.perf_counter(), time.process_time()
    decode_logs([Path(log)], asked)
    wall.append(time.perf_counter() - begin[0]); processor.append(time.process_time() - begin[1])
try:  # of this program alone: ru_maxrss begins with that of the one that started it
    memory = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
except (OSError, IndexError):
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"wall": min(wall), "processor": min(processor), "memory_mb": memory}))
"""


def can(
    frames: Annotated[int, typer.Option(min=100_000, help="Frames of each load.")] = 5_000_000,
    repeats: Annotated[int, typer.Option(min=1, help="Turns; the least time of each counts.")] = 3,
    matrix: Annotated[
        list[Path] | None, typer.Option(help="Loads of these matrices instead of opendbc's.", metavar="FILE")
    ] = None,
    maker: Annotated[
        Path | None, typer.Option(help="Folder of a maker, for the live bus with its mapping.", metavar="DIR")
    ] = None,
    files: Annotated[bool, typer.Option(help="Time whole files too, which takes longest.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Time the decoding of buses beside cantools and asammdf, of whole files beside python-can, and a live bus.

    Decoding is of one core, by processor time: frames in memory to typed columns, without labels and without judging
    counters and checksums, which the peers do not; of kyotsu both ways are told. A whole file goes to Parquet, by wall
    time, on as many cores as there are: from the same candump log as python-can's, from the same MF4 log as asammdf's.
    The peers come with `pip install 'kyotsu[bench]'`.
    """
    with optional("bench"):
        import asammdf  # noqa: F401, PLC0415  (an extra)
        import cantools  # noqa: F401, PLC0415

        from kyotsu.can.dbc_writer import save_dbc  # noqa: PLC0415
        from kyotsu.can.workloads import bus_load  # noqa: PLC0415
    records: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="kyotsu-bench-") as place:
        for name, described in _matrices(matrix).items():
            error_screen.print(f"{name}: make {frames:,} frames", highlight=False)
            load = bus_load(described, frames)
            dbc = Path(place) / f"{name}.dbc"
            save_dbc(described, dbc)  # mended, so that the peers can read it
            error_screen.print(f"{name}: decode")
            record = {"load": name, "frames": frames, **_decoding(described, load, dbc, repeats)}
            if files:
                error_screen.print(f"{name}: whole files")
                record |= {"file": _files(load, dbc, Path(place), repeats)}
            records.append(record)
        live = None if maker is None else _live(maker, repeats)
    if as_json:
        print_json({"loads": records, "live": live})
    else:
        _print(records, live)


def _matrices(paths: list[Path] | None) -> dict[str, Matrix]:
    from kyotsu.can.matrix_files import load_matrix, matrix_of  # noqa: PLC0415  (an extra)

    if paths:
        return {path.stem: load_matrix(path) for path in paths}
    with optional("bench"):
        import opendbc  # noqa: PLC0415
    texts = opendbc.get_generated_dbcs()
    found = {}
    for name, key in LOADS.items():
        text = next(text for file, text in texts.items() if file.startswith(key))
        described, _ = matrix_of(text.encode(), key)
        assert described is not None  # a test reads all of opendbc's
        found[name] = described
    return found


# --- decoding ---


def _decoding(matrix: Matrix, load: Frames, dbc: Path, repeats: int) -> dict[str, Any]:
    """Frames per second and core of the three decoders, in turns."""
    from kyotsu.can.codec import Codec  # noqa: PLC0415  (an extra)
    from kyotsu.can.frames import take  # noqa: PLC0415

    codec = Codec(matrix, labels=False, checks=False)  # as the peers do
    blocks = [take(load, slice(at, at + DECODED_FRAMES)) for at in range(0, load.size, DECODED_FRAMES)]

    def ours() -> None:
        for block in blocks:
            codec.decode(block)

    def ours_to_arrow() -> None:
        for block in blocks:
            decoded = codec.decode(block)
            for name in decoded:
                decoded.table(name)

    whole = Codec(matrix)

    def ours_with_all() -> None:
        for block in blocks:
            decoded = whole.decode(block)
            for name in decoded:
                decoded.table(name)

    ours_to_arrow()  # compiles
    ours_with_all()
    signals = sum(len(message.signals) for message in matrix.messages)
    cases: dict[str, tuple[int, Callable[[], object]]] = {
        "kyotsu": (load.size, ours_to_arrow),
        "kyotsu, arrays only": (load.size, ours),
        "kyotsu, labels and checks": (load.size, ours_with_all),
        "cantools": (min(SLOW_FRAMES, load.size), _cantools(load, dbc)),
    }
    with tempfile.TemporaryDirectory(prefix="kyotsu-bench-") as place:
        count = min(MDF_FRAMES, load.size)
        log = Path(place) / "load.mf4"
        _write_mf4(take(load, slice(0, count)), log)
        cases["asammdf"] = (count, partial(_asammdf, log, dbc))
        least = _least(cases, repeats, time.process_time)
    rates = {name: count / least[name] for name, (count, _) in cases.items()}
    return {
        "signals": signals,
        "frames_per_second": rates,
        "times_cantools": rates["kyotsu"] / rates["cantools"],
        "times_asammdf": rates["kyotsu"] / rates["asammdf"],
    }


def _least(
    cases: dict[str, tuple[int, Callable[[], object]]], repeats: int, clock: Callable[[], float]
) -> dict[str, float]:
    """The least time of each case [s]; they run in turns, so that what else the machine does falls on all."""
    least = dict.fromkeys(cases, float("inf"))
    for _ in range(repeats):
        for name, (_, call) in cases.items():
            begin = clock()
            call()
            least[name] = min(least[name], clock() - begin)
    return least


def _cantools(load: Frames, dbc: Path) -> Callable[[], object]:
    import cantools  # noqa: PLC0415  (an extra)

    database: Any = cantools.database.load_file(str(dbc), strict=False)
    count = min(SLOW_FRAMES, load.size)
    ids = load.frame_id[:count].tolist()
    payloads = [bytes(load.payload[row, : load.length[row]]) for row in range(count)]

    def run() -> None:
        decode = database.decode_message
        for frame_id, payload in zip(ids, payloads, strict=True):
            decode(frame_id, payload, decode_choices=False)

    return run


def _asammdf(log: Path, dbc: Path, parquet: Path | None = None) -> None:
    import asammdf  # noqa: PLC0415  (an extra)

    with warnings.catch_warnings(), asammdf.MDF(log) as whole:
        warnings.simplefilter("ignore")  # of what asammdf asks of its own libraries
        signals = whole.extract_bus_logging({"CAN": [(str(dbc), 0)]})
        if parquet is not None:
            signals.export("parquet", parquet)
        signals.close()


def _write_mf4(frames: Frames, path: Path) -> None:
    """Frames as a bus log, by asammdf."""
    import asammdf  # noqa: PLC0415  (an extra)
    import numpy as np  # noqa: PLC0415
    from asammdf.blocks.v4_constants import BUS_TYPE_CAN, SOURCE_BUS  # noqa: PLC0415

    fields = [("BusChannel", "<u1"), ("ID", "<u4"), ("IDE", "<u1"), ("DLC", "<u1"), ("DataLength", "<u1")]
    fields += [("DataBytes", f"({frames.payload.shape[1]},)u1"), ("Dir", "<u1"), ("EDL", "<u1"), ("BRS", "<u1")]
    samples = np.zeros(frames.size, dtype=[(f"CAN_DataFrame.{name}", *kind) for name, *kind in fields])
    samples["CAN_DataFrame.BusChannel"] = 1
    samples["CAN_DataFrame.ID"], samples["CAN_DataFrame.IDE"] = frames.frame_id, frames.flags & 1
    samples["CAN_DataFrame.DLC"] = samples["CAN_DataFrame.DataLength"] = frames.length
    samples["CAN_DataFrame.DataBytes"] = frames.payload
    log = asammdf.MDF(version="4.10")
    source = asammdf.Source("CAN", "CAN", "", SOURCE_BUS, BUS_TYPE_CAN)
    times = (frames.time - frames.time[0]) / 1e9
    log.append(asammdf.Signal(samples, times, name="CAN_DataFrame", source=source), comment="bus")
    log.save(path, overwrite=True)
    log.close()


# --- whole files ---


def _files(load: Frames, dbc: Path, place: Path, repeats: int) -> dict[str, Any]:
    """Frames per second from a log to Parquet, by wall time, and the memory that it takes."""
    from kyotsu.can.frames import take  # noqa: PLC0415  (an extra)
    from kyotsu.can.log_writers import write_blf, write_candump  # noqa: PLC0415

    part = take(load, slice(0, min(SLOW_FRAMES, load.size)))
    logs = {"candump": place / "load.log", "BLF": place / "load.blf", "MF4": place / "load.mf4"}
    small = place / "part.log"
    write_candump(load, logs["candump"])
    write_blf(load, logs["BLF"])
    _write_mf4(load, logs["MF4"])
    write_candump(part, small)
    found: dict[str, Any] = {}
    for form, log in logs.items():
        words = [sys.executable, "-c", OURS, log, dbc, small, place / "recording", repeats]
        run = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True)
        ours = json.loads(run.stdout)
        found[form] = {
            "frames_per_second": load.size / ours["wall"],
            "frames_per_core_second": load.size / ours["processor"],
            "memory_mb": ours["memory_mb"],
            "log_mb": log.stat().st_size / 1e6,
        }
    cases: dict[str, tuple[int, Callable[[], object]]] = {
        "python-can, cantools, pyarrow": (part.size, partial(_usual_path, small, dbc, place / "usual")),
        "asammdf": (load.size, partial(_asammdf, logs["MF4"], dbc, place / "asammdf.parquet")),
    }
    least = _least(cases, 1, time.perf_counter)
    peers = {name: count / least[name] for name, (count, _) in cases.items()}
    return {
        "kyotsu": found,
        "peers_frames_per_second": peers,
        "times_usual_path": found["candump"]["frames_per_second"] / peers["python-can, cantools, pyarrow"],
        "times_asammdf": found["MF4"]["frames_per_second"] / peers["asammdf"],
    }


def _usual_path(log: Path, dbc: Path, output: Path) -> None:
    """A log to one Parquet file for each message, as one writes it with the usual libraries."""
    import cantools  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    import can as python_can  # noqa: PLC0415  (an extra)

    database: Any = cantools.database.load_file(str(dbc), strict=False)
    output.mkdir(exist_ok=True)
    rows: dict[int, list[dict[str, Any]]] = {}
    with python_can.LogReader(log) as reader:
        for frame in reader:
            values = database.decode_message(frame.arbitration_id, frame.data, decode_choices=False)
            rows.setdefault(frame.arbitration_id, []).append({"time": frame.timestamp, **values})
    for frame_id, own in rows.items():
        pq.write_table(pa.Table.from_pylist(own), output / f"{frame_id:X}.parquet")


# --- a live bus ---


def _live(maker: Path, repeats: int) -> dict[str, Any]:
    """Microseconds for each frame of a maker's bus in small batches: decoding, mapping and the test for changes."""
    from kyotsu.can.codec import Codec  # noqa: PLC0415  (an extra)
    from kyotsu.can.frames import take  # noqa: PLC0415
    from kyotsu.can.live import Live  # noqa: PLC0415
    from kyotsu.can.live_mapping import LiveMapper  # noqa: PLC0415
    from kyotsu.can.maker_bus import load_bus  # noqa: PLC0415
    from kyotsu.can.mapper import Mapper  # noqa: PLC0415
    from kyotsu.can.workloads import bus_load  # noqa: PLC0415

    bus = load_bus(maker)
    load = bus_load(bus.matrix, LIVE_FRAMES)
    batches = [take(load, slice(at, at + LIVE_BATCH)) for at in range(0, load.size, LIVE_BATCH)]
    mapper = LiveMapper(Mapper.of_rules(bus.rules), Live(Codec(bus.matrix)))

    def run() -> None:
        for batch in batches:
            mapper.update(batch)

    run()  # compiles
    least = _least({"live": (load.size, run)}, repeats, time.process_time)["live"]
    each = least / load.size
    return {
        "maker": maker.name,
        "batch": LIVE_BATCH,
        "microseconds_per_frame": each * 1e6,
        "share_of_a_core_for_four_full_buses": each * 4 * FULL_BUS,
    }


# --- what it says ---


def _print(records: list[dict[str, Any]], live: dict[str, Any] | None) -> None:
    heads = ("frames/s", "kyotsu is faster")
    listing = table("load", "what", *heads, right=heads)
    for record in records:
        own = record["frames_per_second"]
        for name, rate in own.items():
            times = record.get(f"times_{name}")
            listing.add_row(
                record["load"], f"decode, {name}", f"{rate:,.0f}", "" if times is None else f"{times:.0f} x"
            )
        file = record.get("file")
        if file is not None:
            for form, found in file["kyotsu"].items():
                words = f"{form} to Parquet, kyotsu ({found['memory_mb']:.0f} MB)"
                listing.add_row(record["load"], words, f"{found['frames_per_second']:,.0f}", "")
            for name, times in (("python-can, cantools, pyarrow", "times_usual_path"), ("asammdf", "times_asammdf")):
                rate = file["peers_frames_per_second"][name]
                listing.add_row(record["load"], f"file to Parquet, {name}", f"{rate:,.0f}", f"{file[times]:.0f} x")
    screen.print(listing)
    screen.print("decode: one core, processor time. file to Parquet: wall time.")
    if live is not None:
        share = 100.0 * live["share_of_a_core_for_four_full_buses"]
        screen.print(
            f"Live, {live['maker']}, batches of {live['batch']}: {live['microseconds_per_frame']:.2f} us a frame; four "
            f"full buses take {share:.1f} % of a core.",
            soft_wrap=True, highlight=False,
        )  # fmt: skip
