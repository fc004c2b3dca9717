"""How long a build takes at a fast charger, from 10 to 80 %.

The station is a generic one of today, so that the car decides; preconditioned cells, cooling and the taper of cells
of which no curve is stated are generic, see `kyotsu.sim.charging`. Of eight published charges it meets the time to
10 % in the mean, and to 20 % at worst.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kyotsu.sim.charging import charge_dc
from kyotsu.sim.parameters import BatteryParameters
from kyotsu.sim.station import Inlet, Station, constants
from kyotsu.spec.build import SOC_GRID, Build

STATION_KW, STATION_A, STATION_MIN_V, STATION_MAX_V = 350.0, 500.0, 200.0, 920.0  # CCS, liquid-cooled; our choice
START_C = 25.0  # °C of the cells; preconditioned, or a mild day
UNSTATED = 1e6  # kW or A; stands for an inlet that limits nothing


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
    highest = np.array([one.dc_voltage_max_v or STATION_MAX_V for one in charging])
    done = charge_dc(
        battery,
        Station(STATION_KW, STATION_A, STATION_MIN_V, np.minimum(highest, STATION_MAX_V)),
        battery_c=START_C,
        inlet=Inlet(
            np.array([one.dc_power_kw or UNSTATED for one in charging]),
            np.array([one.dc_current_max_a or UNSTATED for one in charging]),
        ),
        cell_current_a=_largest_a(builds, battery),
        cell_current_over_soc_a=np.array(
            [build.pack.charging_current_over_soc_a or [np.nan] * len(SOC_GRID) for build in builds]
        ),
    )
    times = (done.time_s / 60.0).tolist()
    return [time if charges(build) else None for build, time in zip(builds, times, strict=True)]


def charges(build: Build) -> bool:
    """Whether the vehicle is known to charge with direct current."""
    charging = build.vehicle.charging
    return charging.dc_power_kw is not None and charging.inlet != "none"


def _largest_a(builds: Sequence[Build], battery: BatteryParameters) -> list[float]:
    generic = constants()["chosen"]["charge_rate"] * battery.capacity / 3600.0
    voltage = np.mean(battery.open_circuit_voltage, axis=1)
    return [
        build.pack.charging_current_a or (_power_kw(build) * 1e3 / volt if _power_kw(build) else ampere)
        for build, volt, ampere in zip(builds, voltage.tolist(), generic.tolist(), strict=True)
    ]


def _power_kw(build: Build) -> float:
    """What the battery that the vehicle was built with charges at; 0 where unknown or another is in."""
    return (build.vehicle.charging.dc_power_kw or 0.0) if build.pack.layout is None else 0.0
