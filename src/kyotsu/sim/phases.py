"""Phases of tests: cycles cut and joined, and what a vehicle uses in each part of one drive.

A `PhasedCycle` is one drive with named phases; phases of the same name count together (the city part of US06 lies at
both ends), and a phase without a name is driven but not counted (the soak of the FTP). `drive_phases` drives
each test once, as a whole, so that temperatures and state of charge go from phase to phase as on the
dynamometer: the phases add up to the test.

    UDDS, FTP  bags of 0-505 and 505-1369 s; the FTP adds 10 minutes of soak and 0-505 s again:
               40 CFR 1066.801, 1066.815
    US06       city 0-130 and 495-600 s, highway 130-495 s, cut where the trace stands still: 40 CFR 1066.831
    WLTC       low, medium, high and extra high, to 589, 1022, 1477 and 1800 s: UN GTR 15, annex 1
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.batch import simulate_batch
from kyotsu.sim.cycles import Cycle, load_cycle
from kyotsu.sim.parameters import FloatArray, VehicleParameters
from kyotsu.sim.performance import full_range_km
from kyotsu.sim.simulate import LEAST_DISTANCE_KM, Results

SOAK_S = 600.0  # s between the second and third bag of the FTP and of SAE J1634; 40 CFR 1066.815, 600.116-12(a)(2)
PAUSE_S = 15.0  # s between UDDS and HWFET of SAE J1634; 40 CFR 600.116-12(a)(2)(i)


class PhasedCycle(NamedTuple):
    """One drive with named phases.

    Attributes:
        cycle: what is driven.
        ends_s: end of each phase [s], rising, the last one the end of the cycle.
        names: name of each phase; empty where it is driven but not counted.
    """

    cycle: Cycle
    ends_s: tuple[float, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PhaseResults:
    """What vehicles used in the phases of one test; arrays of shape (vehicle, phase).

    Attributes:
        names: of the phases, each once.
        energy_ac_wh: at the wall, charging loss included.
        energy_dc_wh: net out of the cells.
        distance_km: driven.
        validity: flags of the whole test, see `simulate.Validity`; shape (vehicle,).
    """

    names: tuple[str, ...]
    energy_ac_wh: FloatArray
    energy_dc_wh: FloatArray
    distance_km: FloatArray
    validity: npt.NDArray[np.int64]

    def consumption_ac_wh_per_km(self, *names: str) -> FloatArray:
        """At the wall over the phases named, all when none is [Wh/km], shape (vehicle,); 0 without distance."""
        return self._per_km(self.energy_ac_wh, names)

    def consumption_dc_wh_per_km(self, *names: str) -> FloatArray:
        """Out of the cells over the phases named, all when none is [Wh/km], shape (vehicle,)."""
        return self._per_km(self.energy_dc_wh, names)

    def distance_of(self, *names: str) -> FloatArray:
        """Driven over the phases named, all when none is [km], shape (vehicle,)."""
        return np.asarray(self.distance_km[:, self._places(names)].sum(axis=1))

    def _places(self, names: tuple[str, ...]) -> list[int]:
        return [self.names.index(name) for name in names or self.names]

    def _per_km(self, energy: FloatArray, names: tuple[str, ...]) -> FloatArray:
        used, far = energy[:, self._places(names)].sum(axis=1), self.distance_of(*names)
        moved = far >= LEAST_DISTANCE_KM
        return np.where(moved, used / np.where(moved, far, 1.0), 0.0)


def cut(cycle: Cycle, start_s: float, end_s: float, name: str | None = None) -> Cycle:
    """The part of a cycle between two times, starting at 0 s; between samples the trace is a straight line.

    Args:
        cycle: what is cut.
        start_s: first moment, in the cycle's time [s].
        end_s: last moment, later than the first and not after the cycle's end [s].
        name: of the part; by default the cycle's with the times.

    Raises:
        InputError: the times do not lie in the cycle in this order.
    """
    first, last = float(cycle.time[0]), float(cycle.time[-1])
    if not first <= start_s < end_s <= last:
        expected = f"{first:g} <= start < end <= {last:g} s"
        problem = Problem(Location(key=cycle.name), f"{start_s:g} to {end_s:g} s", expected, "Correct the times.")
        raise InputError([problem])
    inside = cycle.time[(cycle.time > start_s) & (cycle.time < end_s)]
    time = np.concatenate([[start_s], inside, [end_s]])
    speed, grade = (np.interp(time, cycle.time, values) for values in (cycle.speed, cycle.grade))
    wind = None if cycle.wind is None else np.interp(time, cycle.time, cycle.wind)
    return Cycle(name or f"{cycle.name} {start_s:g}-{end_s:g} s", time - start_s, speed, grade, wind)


def join(name: str, *cycles: Cycle) -> Cycle:
    """Cycles one after the other; where one ends and the next starts at another speed, within a second.

    Args:
        name: of the whole.
        cycles: at least one, in the order driven.

    Raises:
        InputError: no cycle was given.
    """
    if not cycles:
        raise InputError([Problem(Location(key=name), "no cycle", "at least one", "Name a cycle.")])
    whole = cycles[0]
    for part in cycles[1:]:
        same = int(part.speed[0] == whole.speed[-1])  # then the first sample of the part is the last of the whole
        shift = whole.time[-1] + 1.0 - same - part.time[0]
        pairs = (
            (whole.time, part.time + shift),
            (whole.speed, part.speed),
            (whole.grade, part.grade),
            (_wind(whole), _wind(part)),
        )
        whole = Cycle(name, *(np.concatenate([before, after[same:]]) for before, after in pairs))
    return Cycle(name, whole.time, whole.speed, whole.grade, whole.wind)


@cache
def named_cycle(name: str) -> Cycle:
    """The shipped cycle of that name, read once."""
    return load_cycle(name)


def udds_test() -> PhasedCycle:
    """UDDS with its bags `1` and `2`."""
    return PhasedCycle(named_cycle("udds"), (505.0, 1369.0), ("1", "2"))


def ftp_test() -> PhasedCycle:
    """The FTP: both bags of UDDS, 10 minutes of soak, the first bag again; bags `1`, `2` and `3`."""
    udds = named_cycle("udds")
    cycle = join("ftp", udds, _standing(SOAK_S), cut(udds, 0.0, 505.0))
    end = udds.duration_s
    return PhasedCycle(cycle, (505.0, end, end + SOAK_S, end + SOAK_S + 505.0), ("1", "2", "", "3"))


def udds_hwfet_test() -> PhasedCycle:
    """The dynamic part of the multi-cycle test of SAE J1634: UDDS, pause, HWFET, soak, UDDS; `udds`, `hwfet`."""
    udds, hwfet = named_cycle("udds"), named_cycle("hwfet")
    parts = (udds, _standing(PAUSE_S), hwfet, _standing(SOAK_S), udds)
    ends = np.cumsum([part.duration_s for part in parts])
    cycle = join("udds_hwfet", *parts)
    return PhasedCycle(cycle, tuple(float(end) for end in ends), ("udds", "", "hwfet", "", "udds"))


def us06_test() -> PhasedCycle:
    """US06 with its phases `city` and `highway`."""
    return PhasedCycle(named_cycle("us06"), (130.0, 495.0, 600.0), ("city", "highway", "city"))


def wltc_test(name: str = "wltc_3b") -> PhasedCycle:
    """A WLTC of class 3 with its phases `low`, `medium`, `high` and `extra_high`."""
    return PhasedCycle(named_cycle(name), (589.0, 1022.0, 1477.0, 1800.0), ("low", "medium", "high", "extra_high"))


def whole_test(cycle: Cycle | str) -> PhasedCycle:
    """A cycle as a test of one phase, named as the cycle."""
    trace = cycle if isinstance(cycle, Cycle) else named_cycle(cycle)
    return PhasedCycle(trace, (float(trace.time[-1]),), (trace.name,))


def drive_phases(parameters: VehicleParameters, tests: Mapping[str, PhasedCycle]) -> dict[str, PhaseResults]:
    """Drive every test once, each from the same state of charge, and split what it took by phase.

    A phase is the difference of two drives from the start, one to its end and one to its beginning, so that
    the phases of a test add up to it exactly.

    Args:
        parameters: the vehicles.
        tests: by any name.

    Returns:
        Results by the same names.
    """
    cuts = [_cuts(test) for test in tests.values()]
    results = simulate_batch(parameters, [cycle for several in cuts for cycle in several])
    found, first = {}, 0
    for (name, test), several in zip(tests.items(), cuts, strict=True):
        found[name] = _split(test, results, slice(first, first + len(several)))
        first += len(several)
    return found


def phase_range_km(parameters: VehicleParameters, driven: PhaseResults, *names: str) -> FloatArray:
    """Distance from full to empty on the phases named, on all when none is [km], shape (vehicle,)."""
    return full_range_km(parameters, driven.consumption_dc_wh_per_km(*names), driven.distance_of(*names))


def _cuts(test: PhasedCycle) -> list[Cycle]:
    start = float(test.cycle.time[0])
    return [cut(test.cycle, start, end, f"{test.cycle.name} to {end:g} s") for end in test.ends_s]


def _split(test: PhasedCycle, results: Results, columns: slice) -> PhaseResults:
    names = tuple(dict.fromkeys(name for name in test.names if name))
    share = np.array([[name == other for name in names] for other in test.names], dtype=np.float64)
    energy_ac, energy_dc, distance = (
        np.diff(total[:, columns], prepend=0.0) @ share
        for total in (results.ledger.wall_wh, results.ledger.cells_wh, results.distance_km)
    )
    return PhaseResults(names, energy_ac, energy_dc, distance, results.validity[:, columns][:, -1])


def _wind(cycle: Cycle) -> FloatArray:
    return np.zeros_like(cycle.time) if cycle.wind is None else cycle.wind


def _standing(duration_s: float) -> Cycle:
    time = np.arange(duration_s + 1.0)
    return Cycle("standstill", time, np.zeros_like(time), np.zeros_like(time))
