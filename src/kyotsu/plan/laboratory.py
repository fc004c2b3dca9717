"""What the builds of one vehicle do, and which of them meet all its limits.

A *battery* is a module in a layout, a *combination* one drive for each mount; a build is one of each. Mass, continuous
power, charging time and the voltage windows follow from tables of batteries and combinations; the rest is simulated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from kyotsu.plan.assembly import (
    BatteryTable,
    DriveTable,
    ModuleTable,
    assembled,
    charging_of,
    drive_table,
)
from kyotsu.plan.assortment import BoolArray, FloatArray, IntArray
from kyotsu.plan.duty import CHARGING, CONTINUOUS, MASS, RANGE, Limit, meets, simulated
from kyotsu.sim.batch import simulate_batch
from kyotsu.sim.cycles import load_cycle
from kyotsu.sim.fast_charge import fast_charge_min
from kyotsu.sim.parameters import VehicleParameters, take
from kyotsu.sim.performance import usable_energy_kwh
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.build import Build, Drive
from kyotsu.spec.layout import highest_voltage_v

CHUNK = 40_000  # builds assembled at a time: some 100 MB
WINDOW, BY_R2 = "voltage above what an inverter bears", "range, by R2"  # reasons beside the titles of limits
TABLED = (MASS, CONTINUOUS, CHARGING)  # figures that follow from tables


class Laboratory:
    """Judges builds of one vehicle.

    Attributes:
        drives: of each mount for each combination, shape (mount, combination).
        windows: whether a battery's highest voltage lies in the windows of the inverters, shape (battery, combination).
        simulated: builds driven so far.
    """

    def __init__(
        self,
        base: Build,
        own: VehicleParameters,
        limits: Sequence[Limit],
        modules: Sequence[BatteryModule],
        table: ModuleTable,
        batteries: BatteryTable,
        offered: Sequence[Sequence[Drive]],
    ) -> None:
        self.base, self.own, self.limits, self.modules, self.table = base, own, tuple(limits), modules, table
        self.batteries, self.simulated = batteries, 0
        shape = tuple(len(drives) for drives in offered)
        self.drives: IntArray = np.array([*np.ndindex(*shape)], dtype=np.int64).reshape(-1, len(shape)).T
        self.tables: tuple[DriveTable, ...] = tuple(drive_table(base, drives) for drives in offered)
        self.highest_v = self._highest_voltages()
        self.bears_v = self._voltages_borne(offered)
        # What nobody stated does not exclude: a comparison with NaN is false.
        self.windows: BoolArray = ~(self.highest_v[:, None] > self.bears_v)
        self.cycle = load_cycle(base.vehicle.requirements.range_cycle)
        every = np.arange(self.count)
        alone, _ = self.assemble(every, np.zeros_like(every))
        self.usable_wh = usable_energy_kwh(alone) * 1e3
        self.minutes = self._charging_times(alone)
        self.continuous_kw, self.drive_mass_kg = self._of_drives(offered)
        combinations = np.arange(self.combinations)
        least, _ = self.assemble(np.full_like(combinations, np.argmin(batteries.mass_change)), combinations)
        self.taken = self._drive(least)[1]  # Wh/km at the terminals with the lightest battery

    @property
    def count(self) -> int:
        """Batteries in layouts."""
        return len(self.batteries.layouts)

    @property
    def combinations(self) -> int:
        """Of drives."""
        return int(self.drives.shape[1])

    def assemble(self, battery: IntArray, combination: IntArray) -> tuple[VehicleParameters, FloatArray]:
        """Parameters of builds, and their change of mass [kg], shape (build,)."""
        chosen = [places[combination] for places in self.drives]
        return assembled(self.base, self.own, self.table, self.batteries, self.tables, battery, chosen)

    # --- tables ---

    def _highest_voltages(self) -> FloatArray:
        found = [
            highest_voltage_v(self.modules[index], layout.series)
            if index < len(self.modules)
            else self.base.pack.voltage_max_v
            for index, layout in zip(self.batteries.module, self.batteries.layouts, strict=True)
        ]
        return np.array([np.nan if volt is None else volt for volt in found])

    def _voltages_borne(self, offered: Sequence[Sequence[Drive]]) -> FloatArray:
        """The most that the weakest inverter of a combination bears [V], shape (combination,)."""
        most = np.full(self.combinations, np.nan)
        for drives, places in zip(offered, self.drives, strict=True):
            stated = np.array([drive.eaxle.inverter.voltage_max_v or np.nan for drive in drives])
            most = np.fmin(most, stated[places])
        return most

    def _charging_times(self, alone: VehicleParameters) -> FloatArray:
        """Shape (battery,); NaN where nothing limits them."""
        if all(limit.figure != CHARGING for limit in self.limits):
            return np.full(self.count, np.nan)
        cells = charging_of(self.table, self.batteries)
        return fast_charge_min(self.base.vehicle.charging, alone.battery, cells)

    def _of_drives(self, offered: Sequence[Sequence[Drive]]) -> tuple[FloatArray, FloatArray]:
        """Continuous power [kW] and change of mass [kg] of drives, shape (combination,)."""
        power, change = np.zeros((2, self.combinations))
        for drives, table, places in zip(offered, self.tables, self.drives, strict=True):
            power += np.array([drive.rating.continuous_power_kw or np.nan for drive in drives])[places]
            change += table.mass_change[places]
        return power, np.where(np.isnan(change), 0.0, change)

    def tabled(self, figure: str, battery: IntArray, combination: IntArray) -> FloatArray:
        """One of `TABLED` of builds; both indices, and the result, of one shape or broadcast to it."""
        if figure == MASS:
            return self.base.curb_mass_kg + (self.drive_mass_kg[combination] + self.batteries.mass_change[battery])
        values = self.continuous_kw[combination] if figure == CONTINUOUS else self.minutes[battery]
        return np.broadcast_to(values, np.broadcast_shapes(battery.shape, combination.shape))

    def range_at_best(self, battery: IntArray, combination: IntArray) -> FloatArray:
        """What the range of builds is at most (rule R2 of `builds`) [km], shape as of `tabled`."""
        return self.usable_wh[battery] / np.maximum(self.taken[combination], 1e-9)

    def tests(self, battery: int) -> Iterator[tuple[str, BoolArray]]:
        """What can be said without simulation: a reason, and which combinations it leaves, shape (combination,)."""
        one, every = np.array([battery]), np.arange(self.combinations)
        yield WINDOW, self.windows[battery]
        for limit in self.limits:
            if limit.figure in TABLED:
                yield limit.title, limit.met(self.tabled(limit.figure, one, every))
            elif limit.figure == RANGE:
                yield BY_R2, limit.met(self.range_at_best(one, every))

    # --- simulation ---

    def _drive(self, parameters: VehicleParameters) -> tuple[FloatArray, FloatArray]:
        """Consumption of cells and at the terminals [Wh/km] on the cycle of the vehicle's range."""
        self.simulated += parameters.vehicle_count
        results = simulate_batch(parameters, self.cycle)
        return results.consumption_dc_wh_per_km[:, 0], results.consumption_terminals_wh_per_km[:, 0]

    def _range(self, parameters: VehicleParameters, battery: IntArray) -> FloatArray:
        return self.usable_wh[battery] / np.maximum(self._drive(parameters)[0], 1e-9)

    def figures(self, battery: IntArray, combination: IntArray) -> dict[str, FloatArray]:
        """Every limited figure of builds, by name, shape (build,)."""
        parameters, _ = self.assemble(battery, combination)
        return {
            limit.figure: self.tabled(limit.figure, battery, combination)
            if limit.figure in TABLED
            else self._range(parameters, battery)
            if limit.figure == RANGE
            else simulated(limit.figure, parameters)
            for limit in self.limits
        }

    def serving(self, batch: Sequence[tuple[int, BoolArray]], missed: Counter[str]) -> Iterator[tuple[int, BoolArray]]:
        """Of batteries and combinations that passed `tests`, those that meet all limits; the others count as missed."""
        battery = np.concatenate([np.full(int(pending.sum()), row) for row, pending in batch])
        combination = np.concatenate([np.flatnonzero(pending) for _, pending in batch])
        meets = np.concatenate([
            self._meets(battery[first : first + CHUNK], combination[first : first + CHUNK], missed)
            for first in range(0, battery.size, CHUNK)
        ])  # fmt: skip
        for row, pending in batch:
            serves = np.zeros_like(pending)
            serves[combination[meets & (battery == row)]] = True
            yield row, serves

    def _meets(self, battery: IntArray, combination: IntArray, missed: Counter[str]) -> BoolArray:
        """Which builds meet every simulated limit, cheapest question first (R3), shape (build,)."""
        parameters, _ = self.assemble(battery, combination)
        left = np.arange(battery.size)
        for limit in self.limits:
            if limit.figure in TABLED or not left.size:
                continue
            if limit.figure == RANGE:
                met = limit.met(self._range(parameters, battery[left]))
            else:
                met = meets(limit, parameters)
            missed[limit.title] += int(np.sum(~met))
            left, parameters = left[met], take(parameters, met)
        found = np.zeros(battery.size, dtype=np.bool_)
        found[left] = True
        return found
