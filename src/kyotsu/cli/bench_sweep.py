"""`kyotsu bench sweep`: how long a year's sales take, from their making to rows on the disk."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from kyotsu.cli.check import JsonOption
from kyotsu.cli.output import optional, print_json, screen
from kyotsu.cli.sweep import PrecisionOption, ThreadsOption, progress_bar

SALES = 7_400_000  # about what Honda and Nissan sold worldwide in one year


def sweep(
    vehicles: Annotated[int, typer.Option(min=1, help="How many, each with parameters of its own.")] = SALES,
    cycle: Annotated[str, typer.Option(help="Cycle that each drives.")] = "wltc_3b",
    dtype: PrecisionOption = "float64",
    threads: ThreadsOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write in, removed after; by default the system's.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Time a sweep over a year's sales of two makers, and measure its memory and what it writes.

    Parameters are made, driven over the cycle, and written as Parquet; kernels are compiled before. Memory is the most
    that this process ever held.
    """
    with optional("sim"):
        from kyotsu.sim import sweep as room  # noqa: PLC0415  (an extra)
        from kyotsu.sim.car_blocks import sales_cars  # noqa: PLC0415
    with tempfile.TemporaryDirectory(prefix="kyotsu-bench-", dir=output) as folder, progress_bar() as progress:
        room.sweep(sales_cars(1000), Path(folder) / "first", cycles=cycle, dtype=dtype, threads=1)
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        wall, processor = time.perf_counter(), time.process_time()
        swept = room.sweep(
            sales_cars(vehicles), Path(folder) / "all", cycles=cycle, dtype=dtype, threads=threads, progress=progress
        )
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
    record: dict[str, Any] = {
        "vehicles": vehicles,
        "cycle": cycle,
        "dtype": dtype,
        "threads": threads or "one for each processor",
        "load_before": load,
        "seconds": round(wall, 2),
        "processor_seconds": round(processor, 2),
        "vehicles_per_s": round(vehicles / wall),
        "rows": swept.rows,
        "parts": swept.parts,
        "bytes_written": swept.bytes_written,
        "peak_memory_mib": round(_peak_mib()),
    }
    print_json(record) if as_json else _print(record)


def _peak_mib() -> float:
    import resource  # noqa: PLC0415  (not on Windows)

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024.0**2 if sys.platform == "darwin" else 1024.0)  # macOS counts bytes


def _print(record: dict[str, Any]) -> None:
    screen.print(
        f"{record['vehicles']:,} vehicles over {record['cycle']}, {record['dtype']}, threads: {record['threads']}"
    )
    screen.print(
        f"{record['seconds']:.1f} s ({record['processor_seconds']:.1f} s of processors), "
        f"{record['vehicles_per_s']:,} vehicles per s"
    )
    screen.print(
        f"{record['rows']:,} rows in {record['parts']} parts, {record['bytes_written'] / 1e6:.1f} MB; "
        f"at most {record['peak_memory_mib']:,} MiB of memory"
    )
    if record["load_before"] is not None:
        screen.print(f"load of the machine before: {record['load_before']:.1f}")
