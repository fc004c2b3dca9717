"""How long cars take at a fast charger, from 10 to 80 %: the one question that a vehicle's requirement asks.

The station is a generic one of today, so that the car decides; preconditioned cells, cooling and the taper of cells
of which no curve is stated are generic, see `kyotsu.sim.charging`. Of eight published charges it meets the time to
10 % in the mean, and to 20 % at worst.

It follows from the battery and the vehicle's inlet alone: neither drives nor mass count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kyotsu.sim.charging import charge_dc
from kyotsu.sim.parameters import BatteryParameters, FloatArray
from kyotsu.sim.station import Inlet, Station, constants
from kyotsu.spec.build import SOC_GRID, Build
from kyotsu.spec.vehicle import Charging, Vehicle

STATION_KW, STATION_A, STATION_MIN_V, STATION_MAX_V = 350.0, 500.0, 200.0, 920.0  # CCS, liquid-cooled; our choice
START_C = 25.0  # °C of the cells; preconditioned, or a mild day
UNSTATED = 1e6  # kW or A; stands for an inlet that limits nothing


class CellCurrents(NamedTuple):
    """What the cells of packs take, in A of the pack; both follow the strings.

    Attributes:
        largest_a: continuously, over which the generic taper counts; shape (vehicle,).
        over_soc_a: as stated over the states of charge of `SOC_GRID`, rows of NaN where not; shape (vehicle, table).
    """

    largest_a: FloatArray
    over_soc_a: FloatArray


def charges(vehicle: Vehicle) -> bool:
    """Whether a vehicle is known to charge with direct current."""
    return vehicle.charging.dc_power_kw is not None and vehicle.charging.inlet != "none"


def charge_times_min(builds: Sequence[Build], battery: BatteryParameters) -> list[float | None]:
    """Time from 10 to 80 % of the display [min], one for each build.

    The inlet is the vehicle's. What the cells take is the curve of their module, else its continuous current with the
    generic taper, else the power that the vehicle was built to charge at with that taper, else all generic.

    Args:
        builds: vehicles with their packs.
        battery: their packs' parameters, in the same order.

    Returns:
        `None` where no direct-current charging is stated, infinity where 80 % is not reached.
    """
    charging = [build.vehicle.charging for build in builds]
    times = fast_charge_min(charging, battery, cell_currents(builds, battery)).tolist()
    return [time if charges(build.vehicle) else None for build, time in zip(builds, times, strict=True)]


def cell_currents(builds: Sequence[Build], battery: BatteryParameters) -> CellCurrents:
    """What the cells of builds take; `battery` are their packs' parameters, in the same order."""
    generic = constants()["chosen"]["charge_rate"] * battery.capacity / 3600.0
    voltage = np.mean(battery.open_circuit_voltage, axis=1)
    largest = [
        build.pack.charging_current_a or (_power_kw(build) * 1e3 / volt if _power_kw(build) else ampere)
        for build, volt, ampere in zip(builds, voltage.tolist(), generic.tolist(), strict=True)
    ]
    unstated = [np.nan] * len(SOC_GRID)
    return CellCurrents(
        np.array(largest), np.array([build.pack.charging_current_over_soc_a or unstated for build in builds])
    )


def fast_charge_min(
    charging: Charging | Sequence[Charging], battery: BatteryParameters, cells: CellCurrents
) -> FloatArray:
    """Time from 10 to 80 % of the display [min], shape (vehicle,); infinity where 80 % is not reached.

    Args:
        charging: what each vehicle's inlet can do, or one for all.
        battery: the packs.
        cells: what their cells take.
    """
    inlets = [charging] * battery.capacity.size if isinstance(charging, Charging) else charging
    highest = np.array([one.dc_voltage_max_v or STATION_MAX_V for one in inlets])
    done = charge_dc(
        battery,
        Station(STATION_KW, STATION_A, STATION_MIN_V, np.minimum(highest, STATION_MAX_V)),
        battery_c=START_C,
        inlet=Inlet(
            np.array([one.dc_power_kw or UNSTATED for one in inlets]),
            np.array([one.dc_current_max_a or UNSTATED for one in inlets]),
        ),
        cell_current_a=cells.largest_a,
        cell_current_over_soc_a=cells.over_soc_a,
    )
    minutes: FloatArray = done.time_s / 60.0
    return minutes


def _power_kw(build: Build) -> float:
    """What the battery that the vehicle was built with charges at; 0 where unknown or another is in."""
    return (build.vehicle.charging.dc_power_kw or 0.0) if build.pack.layout is None else 0.0
