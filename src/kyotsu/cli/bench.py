"""`kyotsu bench`: how fast is it, here and now, beside the best open peer?

Both run in turns in one sitting, so that what else the machine does falls on both. A figure is the least of many
repeats; of one thread only repeats count in which wall and processor time agree, so that nobody was interrupted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from kyotsu.cli.check import JsonOption
from kyotsu.cli.output import optional, print_json, screen, table

if TYPE_CHECKING:
    from kyotsu.sim.batch import Precision
    from kyotsu.sim.cycles import Cycle
    from kyotsu.sim.parameters import VehicleParameters

AGREE = 1.05  # wall over processor time, at most, of a repeat that counts
COLD_C = -6.7  # of the case in a climate, 20 degF
PEER_RUNS = 20  # of the peer in one turn, some 40 ms

# A worker: for each line a turn, answered with the least wall time [s] of a run. A car without thermal model,
# no history, and no RUST_BACKTRACE, which would slow it down more than ten times.
PEER = f"""
import sys, time
from importlib.metadata import version
import fastsim
vehicle = fastsim.Vehicle.from_resource("2022_Renault_Zoe_ZE50_R135.yaml")
vehicle.set_save_interval(None)
drive = fastsim.SimDrive(vehicle, fastsim.Cycle.from_resource("udds.csv"))
print("FASTSim", version("fastsim"), flush=True)
for _ in sys.stdin:
    least = float("inf")
    for _ in range({PEER_RUNS}):
        run = drive.copy()
        wall, processor = time.perf_counter(), time.process_time()
        run.run()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        least = min(least, wall if wall <= {AGREE} * processor else least)
    print(least, flush=True)
"""

FIRST = """
import time
begin = time.perf_counter()
from kyotsu.sim import generic_vehicle
from kyotsu.sim.batch import simulate_batch
car = generic_vehicle(mass_kg=1700.0, road_load_a_n=110.0, road_load_b_n_per_mps=3.0, road_load_c_n_per_mps2=0.4)
loaded = time.perf_counter()
simulate_batch(car, "udds", threads=1)
print(loaded - begin, time.perf_counter() - loaded)
"""

app = typer.Typer(name="bench", no_args_is_help=True, help="How fast is it, beside the best open peer?")


@app.callback()
def _bench() -> None:
    """Measure speed on this machine."""


@app.command("sim")
def sim(
    vehicles: Annotated[int, typer.Option(min=1, help="Vehicles of one call, all different.")] = 8000,
    seconds: Annotated[float, typer.Option(min=0.0, help="How long to repeat.")] = 30.0,
    peer_python: Annotated[
        Path | None, typer.Option(help="Python that has FASTSim, where this one has not.", metavar="PYTHON")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Time the simulation of many vehicles over UDDS, plain and in the cold, and FASTSim 3.1 in turns with it.

    Whole calls are timed, from parameters to results, without history; on a GPU too where there is one, with the way
    there and back. FASTSim runs one car, without history or
    thermal model. It comes with `pip install 'kyotsu[bench]'`.
    """
    with optional("sim"):
        from kyotsu.sim.batch import simulate_batch  # noqa: PLC0415  (an extra)
        from kyotsu.sim.climate import Climate  # noqa: PLC0415
        from kyotsu.sim.cycles import load_cycle  # noqa: PLC0415
        from kyotsu.sim.gpu import gpu_name  # noqa: PLC0415
    cars, cycle = _cars(vehicles), load_cycle("udds")
    cases = [
        Case(dtype, threads, partial(simulate_batch, cars, cycle, dtype=dtype, threads=threads))
        for dtype in ("float64", "float32")
        for threads in (1, 2)
    ]
    device = gpu_name()
    cases += [
        Case(dtype, 1, partial(simulate_batch, cars, cycle, dtype=dtype, threads=1, climate=Climate(COLD_C)))
        for dtype in ("float64", "float32")
    ]
    on_gpu = [] if device is None else [_gpu_case(cars, cycle, dtype) for dtype in ("float64", "float32")]
    for case in [*cases, *on_gpu]:
        case.call()  # compile
    with _peer(peer_python or Path(sys.executable)) as peer:
        _repeat([*cases, *on_gpu], peer, seconds)
    record = _record(cases, peer, vehicles, cycle.time.size - 1)
    if device is not None:
        record["gpu"] = gpu_record(device, on_gpu, vehicles)
    print_json(record) if as_json else _print(record)


@dataclass(slots=True)
class Case:
    """One way to call the simulation, and the least times found."""

    dtype: str
    threads: int
    call: Callable[[], object]
    wall: list[float] = field(default_factory=list)  # s
    processor: list[float] = field(default_factory=list)  # s

    def repeat(self) -> None:
        """Call once more."""
        wall, processor = time.perf_counter(), time.process_time()
        self.call()
        self.wall.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)

    @property
    def least_s(self) -> float:
        """Least wall time; of one thread, least among the undisturbed if there are any [s]."""
        pairs = list(zip(self.wall, self.processor, strict=True))
        calm = [wall for wall, processor in pairs if self.threads > 1 or wall <= AGREE * processor]
        return min(calm or self.wall)


@dataclass(slots=True)
class Peer:
    """A worker process that runs the peer, or none."""

    name: str | None
    process: subprocess.Popen[str] | None
    least_s: float = float("inf")

    def repeat(self) -> None:
        """Let it have its turn."""
        if self.process is not None:
            print("turn", file=self.process.stdin, flush=True)
            self.least_s = min(self.least_s, float(_out(self.process).readline()))


@contextmanager
def _peer(python: Path) -> Iterator[Peer]:
    environment = {name: value for name, value in os.environ.items() if name != "RUST_BACKTRACE"}
    if not python.is_file():
        yield Peer(None, None)
        return
    command = [str(python), "-c", PEER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        name = _out(process).readline().strip()
        yield Peer(name, process) if name else Peer(None, None)
        assert process.stdin is not None
        process.stdin.close()


def _out(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def _repeat(cases: list[Case], peer: Peer, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while True:
        for case in cases:
            case.repeat()
            peer.repeat()
        if time.perf_counter() > end:
            return


def _cars(count: int) -> VehicleParameters:
    """Cars of the validation table, each varied by some per cent in what it weighs, resists, gives and holds."""
    import numpy as np  # noqa: PLC0415  (an extra)

    from kyotsu.sim.car_table import load_validation_cars  # noqa: PLC0415
    from kyotsu.sim.components import generic_vehicle  # noqa: PLC0415

    random = np.random.default_rng(20261122)
    table = load_validation_cars()
    cars = table.where(random.integers(len(table), size=count))

    def varied(values: Any) -> Any:
        return values * random.uniform(0.93, 1.07, count)

    return generic_vehicle(
        mass_kg=varied(cars.test_mass_kg),
        road_load_a_n=varied(cars.road_load_a_n),
        road_load_b_n_per_mps=varied(cars.road_load_b_n_per_mps),
        road_load_c_n_per_mps2=varied(cars.road_load_c_n_per_mps2),
        rated_power_kw=varied(cars.power_kw),
        motor_type=cars.motor_type.tolist(),
        layout=cars.layout.tolist(),
        battery_kwh=varied(cars.battery_gross_kwh),
        model_year=cars.model_year,
    )


def _gpu_case(cars: VehicleParameters, cycle: Cycle, dtype: Precision) -> Case:
    from kyotsu.sim.gpu import simulate_gpu  # noqa: PLC0415  (an extra)

    return Case(dtype, 1, partial(simulate_gpu, cars, cycle, dtype=dtype))


def gpu_record(name: str, cases: list[Case], vehicles: int) -> dict[str, Any]:
    """What a GPU did: vehicle cycles per second by precision."""
    speeds = {f"vehicle_cycles_per_s_{case.dtype}": round(vehicles / min(case.wall)) for case in cases}
    return {"name": name, **speeds}


def _first_s() -> tuple[float, float]:
    """Imports, and the first simulation, of a fresh process with a warm cache [s]; the least of three."""
    command = [sys.executable, "-c", FIRST]
    answers = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(3)]
    imports, first = zip(*(map(float, answer.split()) for answer in answers), strict=True)
    return min(imports), min(first)


def _record(cases: list[Case], peer: Peer, vehicles: int, steps: int) -> dict[str, Any]:
    imports, first = _first_s()
    record: dict[str, Any] = {"cycle": "udds", "vehicles": vehicles, "steps": steps, "repeats": len(cases[0].wall)}
    plain, cold = cases[:4], cases[4:]
    for one, two, warm in zip(plain[::2], plain[1::2], cold, strict=True):
        record[one.dtype] = {
            "vehicle_cycles_per_s_one_thread": round(vehicles / one.least_s),
            "vehicle_cycles_per_s_two_threads": round(vehicles / two.least_s),
            "two_threads_over_one": round(one.least_s / two.least_s, 2),
            "ns_per_step": round(one.least_s / vehicles / steps * 1e9, 2),
            "ns_per_step_in_climate": round(warm.least_s / vehicles / steps * 1e9, 2),
            "speed_in_climate_over_plain": round(one.least_s / warm.least_s, 2),
            "times_peer": round(peer.least_s * vehicles / one.least_s) if peer.name else None,
        }
    record["peer"] = {"name": peer.name, "vehicle_cycles_per_s": round(1.0 / peer.least_s)} if peer.name else None
    record["fresh_process"] = {"import_s": round(imports, 2), "first_simulation_s": round(first, 2)}
    return record


def _print(record: dict[str, Any]) -> None:
    screen.print(f"UDDS ({record['steps']} steps), {record['vehicles']} vehicles, least of {record['repeats']} repeats")
    columns = (
        "per s, one thread",
        "two threads",
        "two over one",
        "ns per step",
        "in climate",
        "its speed",
        "times peer",
    )
    listing = table("", *columns, right=columns)
    for dtype in ("float64", "float32"):
        figures = record[dtype]
        times = "-" if figures["times_peer"] is None else str(figures["times_peer"])
        listing.add_row(
            dtype,
            f"{figures['vehicle_cycles_per_s_one_thread']:,}",
            f"{figures['vehicle_cycles_per_s_two_threads']:,}",
            f"{figures['two_threads_over_one']:.2f}",
            f"{figures['ns_per_step']:.2f}",
            f"{figures['ns_per_step_in_climate']:.2f}",
            f"{figures['speed_in_climate_over_plain']:.2f}",
            times,
        )
    screen.print(listing)
    if "gpu" in record:
        gpu = record["gpu"]
        speeds = (f"{dtype} {gpu[f'vehicle_cycles_per_s_{dtype}']:,} per s" for dtype in ("float64", "float32"))
        screen.print(f"GPU {gpu['name']}: {', '.join(speeds)}", soft_wrap=True)
    peer, fresh = record["peer"], record["fresh_process"]
    if peer is None:
        screen.print("no peer: pip install 'kyotsu[bench]' brings FASTSim, or name a Python that has it: --peer-python")
    else:
        screen.print(f"{peer['name']}, same cycle, one thread: {peer['vehicle_cycles_per_s']:,} per s")
    screen.print(
        f"fresh process, kernels cached: first simulation {fresh['first_simulation_s']:.2f} s "
        f"after {fresh['import_s']:.2f} s of imports"
    )
