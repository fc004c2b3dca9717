"""Drive more vehicles than memory holds: block by block, from a table to a folder of Parquet files.

    cars = table_cars("cars.parquet")          or sales_cars(7_400_000), or vehicle_cars(...)
    sweep(cars, "out", cycles="wltc_3b")       FOLDER/rows holds a row for each vehicle and cycle

A *runner* drives the blocks: `local` on all cores of this machine, `ray` on a cluster; the rows are the same. A run
that stops, for whatever reason, is resumed where it was; every row comes exactly once. Vehicles that cannot be
driven are rows with a flag; the tally counts them and names the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kyotsu import __version__
from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.batch import Precision, simulate_batch
from kyotsu.sim.car_blocks import Block, Cars, Load
from kyotsu.sim.climate import Climate
from kyotsu.sim.cycles import Cycle
from kyotsu.sim.drive import LIMITERS
from kyotsu.sim.parameter_checks import battery_findings, chassis_findings, drive_findings
from kyotsu.sim.parameters import take
from kyotsu.sim.runners import RUNNERS, Runner
from kyotsu.sim.simulate import Results, Validity, checked_traces
from kyotsu.sim.sweep_folder import METADATA, open_sweep

NAMED = 10  # invalid vehicles that a tally names

Progress = Callable[[int, int | None], None]


@dataclass(slots=True)
class Tally:
    """What a sweep found, in short; lists have an entry for each cycle.

    Attributes:
        vehicles: driven or flagged.
        weight: cars that they stand for.
        invalid: vehicles that cannot be driven.
        first_invalid: which, and why; the first few.
        missed: vehicles that could not follow the cycle.
        battery_empty: vehicles whose battery ran empty.
        driven_weight: cars that moved.
        consumption_ac_wh_per_km: summed over the cars that moved; `mean_ac_wh_per_km` divides.
    """

    vehicles: int = 0
    weight: float = 0.0
    invalid: int = 0
    first_invalid: list[str] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)
    battery_empty: list[int] = field(default_factory=list)
    driven_weight: list[float] = field(default_factory=list)
    consumption_ac_wh_per_km: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count another tally in."""
        self.vehicles += other.vehicles
        self.weight += other.weight
        self.invalid += other.invalid
        self.first_invalid = [*self.first_invalid, *other.first_invalid][:NAMED]
        for name in ("missed", "battery_empty", "driven_weight", "consumption_ac_wh_per_km"):
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, [a + b for a, b in zip(mine or [0] * len(theirs), theirs, strict=True)])

    @property
    def mean_ac_wh_per_km(self) -> list[float]:
        """Mean consumption at the wall of the cars that moved, for each cycle; 0 where none did."""
        pairs = zip(self.consumption_ac_wh_per_km, self.driven_weight, strict=True)
        return [total / weight if weight > 0.0 else 0.0 for total, weight in pairs]


@dataclass(frozen=True, slots=True)
class Swept:
    """A finished sweep.

    Attributes:
        folder: where it stands.
        cycles: names of the cycles.
        rows: written, of this run and those before.
        parts: files.
        resumed_parts: of these, those that were there before this run.
        bytes_written: size of all parts.
        tally: what it found.
    """

    folder: Path
    cycles: tuple[str, ...]
    rows: int
    parts: int
    resumed_parts: int
    bytes_written: int
    tally: Tally


class Question(NamedTuple):
    """What is asked of every block."""

    cycles: tuple[Cycle, ...]
    initial_soc: float
    dtype: Precision
    climate: Climate | None
    record: dict[str, Any]  # all that the rows depend on, as plain data


class Task(NamedTuple):
    """One block to drive."""

    number: int
    block: Block
    fingerprint: str
    question: Question


class Part(NamedTuple):
    """A driven block."""

    number: int
    data: bytes  # a Parquet file
    tally: Tally


def sweep(
    cars: Cars,
    folder: str | Path,
    *,
    cycles: Cycle | str | Sequence[Cycle | str] = "wltc_3b",
    initial_soc: float = 0.6,
    dtype: Precision = "float64",
    climate: Climate | None = None,
    threads: int | None = None,
    runner: str = "local",
    resume: bool = False,
    progress: Progress | None = None,
) -> Swept:
    """Drive all cars over all cycles and write a row for each pair.

    Args:
        cars: from `table_cars`, `sales_cars` or `vehicle_cars`.
        folder: new or empty; or that of the same sweep, to resume it.
        cycles: cycles, or names of them.
        initial_soc: state of charge at the start [-].
        dtype: precision inside, see `simulate_batch`.
        climate: temperatures, sun and cabin, as of `simulate_batch`; part of the question.
        threads: of the local runner; by default one for each processor.
        runner: one of `RUNNERS`: `local`, or `ray` on the cluster that RAY_ADDRESS names.
        resume: go on with what is in the folder.
        progress: told how many vehicles are done, and of how many, now and then.

    Returns:
        Where it stands, and what it found.

    Raises:
        InputError: a question that cannot be asked; cars that cannot be read, or are no longer those that the sweep
            was begun with; a folder that cannot be used; a cluster that cannot be reached. Parts written stay.
    """
    question = _question(cars, cycles, initial_soc, dtype, climate)
    drive = _runner(runner, threads)
    with open_sweep(folder, question.record, resume) as place:
        before = dict(place.parts)
        tasks = _Tasks(cars, question, before)
        with closing(tasks), closing(drive(iter(tasks), drive_block)) as parts:
            for part in parts:
                place.write(part.number, part.data)
                tasks.count(part.tally)
                if progress is not None:
                    progress(tasks.tally.vehicles, cars.count)
        tasks.require_no_more(place.path)
        swept = Swept(
            place.path,
            tuple(cycle.name for cycle in question.cycles),
            tasks.tally.vehicles * len(question.cycles),
            tasks.parts,
            len(before),
            place.bytes_written,
            tasks.tally,
        )
        place.finish({"rows": swept.rows, "parts": swept.parts, **asdict(swept.tally)})
    return swept


def drive_block(task: Task) -> Part:
    """Drive one block: from its cars to a whole Parquet file, in memory. Runners call it, anywhere."""
    load = task.block.load()
    question = task.question
    results = simulate_batch(
        load.parameters,
        question.cycles,
        initial_soc=question.initial_soc,
        dtype=question.dtype,
        threads=1,
        climate=question.climate,
    )
    tally = _tally(load, results)
    record = {
        "question": question.record,
        "block": task.number,
        "fingerprint": task.fingerprint,
        "validity": {flag.name: int(flag) for flag in Validity},
        "tally": asdict(tally),
    }
    table = rows_table(load, results).replace_schema_metadata({METADATA: json.dumps(record)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return Part(task.number, sink.getvalue().to_pybytes(), tally)


def rows_table(load: Load, results: Results) -> pa.Table:
    """A row for each vehicle and cycle, those of a vehicle side by side."""
    vehicles, count = results.distance_km.shape
    time = results.limited_s.copy()
    time[..., 0] = 1e-12
    columns: dict[str, pa.Array] = {
        "id": _ids(np.repeat(load.ids, count)),
        "cycle": _names(np.tile(np.arange(count, dtype=np.int8), vehicles), results.cycles),
    }
    if load.weight is not None:
        columns["weight"] = pa.array(np.repeat(load.weight, count))
    for name in ("consumption_ac_wh_per_km", "consumption_dc_wh_per_km", "distance_km", "missed_s", "final_soc"):
        columns[name] = pa.array(getattr(results, name).ravel().astype(np.float32))
    columns["limiter"] = _names(time.argmax(axis=2).ravel().astype(np.int8), LIMITERS)
    columns["validity"] = pa.array(results.validity.ravel().astype(np.uint8))
    return pa.table(columns)


def _ids(ids: Any) -> pa.Array:
    return pa.array(ids, pa.string() if ids.dtype.kind in "OU" else None)


def _names(codes: Any, names: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names))


def _tally(load: Load, results: Results) -> Tally:
    validity = results.validity
    invalid = (validity == Validity.INVALID_PARAMETERS).any(axis=1)
    weight = np.ones(invalid.size) if load.weight is None else np.where(load.weight > 0.0, load.weight, 0.0)
    moved = np.where((validity & (Validity.NO_DISTANCE | Validity.INVALID_PARAMETERS)) == 0, weight[:, None], 0.0)
    return Tally(
        vehicles=int(invalid.size),
        weight=float(weight.sum()),
        invalid=int(invalid.sum()),
        first_invalid=[_why(load, place) for place in np.flatnonzero(invalid)[:NAMED].tolist()],
        missed=((validity & Validity.TRACE_MISSED) != 0).sum(axis=0).tolist(),
        battery_empty=((validity & Validity.BATTERY_EMPTY) != 0).sum(axis=0).tolist(),
        driven_weight=moved.sum(axis=0).tolist(),
        consumption_ac_wh_per_km=(moved * results.consumption_ac_wh_per_km).sum(axis=0).tolist(),
    )


def _why(load: Load, place: int) -> str:
    """Which vehicle, and what is wrong with it."""
    name = f"vehicle {load.ids[place]}"
    if place in load.wrong:
        return f"{name}: {load.wrong[place]}"
    car = take(load.parameters, np.array([place]))
    found = [
        *chassis_findings(car.chassis),
        *drive_findings("front", car.front),
        *drive_findings("rear", car.rear),
        *battery_findings(car.battery),
    ]
    reasons = (f"{p.location.key} = {p.found.partition(' (')[0]}, must be {p.expected}" for _, p in found[:1])
    return f"{name}: {'; '.join(reasons) or 'parameters that cannot be driven'}"


class _Tasks:
    """The blocks that are still to be driven, and the count of all that are done."""

    def __init__(self, cars: Cars, question: Question, before: dict[int, dict[str, Any]]) -> None:
        self.tally = Tally()
        self.parts = 0
        self._before = dict(before)
        self._blocks = cars.blocks()
        self._cars, self._question = cars, question

    def __iter__(self) -> Iterator[Task]:
        for number, block in enumerate(self._blocks):
            fingerprint = block.fingerprint()
            done = self._before.pop(number, None)
            if done is None:
                yield Task(number, block, fingerprint, self._question)
            elif done["fingerprint"] == fingerprint:
                self.count(Tally(**done["tally"]))
            else:
                raise InputError([self._changed(f"other vehicles in block {number}")])

    def count(self, tally: Tally) -> None:
        self.tally.add(tally)
        self.parts += 1

    def close(self) -> None:
        close = getattr(self._blocks, "close", None)
        if close is not None:
            close()

    def require_no_more(self, path: Path) -> None:
        """Raise where there was nothing to drive, or parts are there that no vehicle is of any more."""
        if not self.parts:
            raise InputError([Problem(Location(self._cars.name), "no vehicle", "at least one", "Add one.")])
        if self._before:
            raise InputError([self._changed(f"{len(self._before)} blocks less")])

    def _changed(self, found: str) -> Problem:
        action = "Give the vehicles that the sweep was begun with, or another folder."
        return Problem(Location(self._cars.name), found, "the vehicles of the sweep that is resumed", action)


def _question(
    cars: Cars,
    cycles: Cycle | str | Sequence[Cycle | str],
    initial_soc: float,
    dtype: Precision,
    climate: Climate | None,
) -> Question:
    traces = tuple(checked_traces(cycles, initial_soc))
    problems = []
    if dtype not in ("float64", "float32"):
        found = repr(dtype)
        problems.append(Problem(Location(key="dtype"), found, "float64 or float32", "Choose one of the two."))
    names = [trace.name for trace in traces]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(Problem(Location(key="cycles"), f"two cycles {name}", "names that differ", "Rename one."))
    if problems:
        raise InputError(problems)
    record = {
        "kyotsu": __version__,
        "input": cars.identity,
        "cycles": {trace.name: _digest(trace) for trace in traces},
        "initial_soc": initial_soc,
        "dtype": dtype,
        "climate": None if climate is None else _plain(climate),
    }
    return Question(traces, initial_soc, dtype, climate, record)


def _plain(climate: Climate) -> dict[str, float | bool]:
    """A climate as JSON says it: a soak at the temperature of the air is that, however it was given."""
    record = {**asdict(climate), "soak_c": climate.start_c}
    return {name: bool(value) if name in ("hvac", "on_road") else float(value) for name, value in record.items()}


def _digest(cycle: Cycle) -> str:
    rows = np.stack([cycle.time, cycle.speed, cycle.grade])
    return hashlib.blake2b(rows.tobytes(), digest_size=16).hexdigest()


def _runner(name: str, threads: int | None) -> Runner:
    if name not in RUNNERS:
        expected = "one of " + ", ".join(RUNNERS)
        raise InputError([Problem(Location(key="runner"), repr(name), expected, "Choose one of them.")])
    return RUNNERS[name](threads)
