from __future__ import annotations

import numpy as np
from tests.sim.vehicles import kei, leaf

from kyotsu.sim.parameter_checks import battery_findings, chassis_findings, drive_findings, invalid
from kyotsu.sim.parameters import stack


def test_good_vehicles_have_no_findings() -> None:
    car = leaf()
    findings = [
        *chassis_findings(car.chassis),
        *drive_findings("front", car.front),
        *drive_findings("rear", car.rear),
        *battery_findings(car.battery),
    ]
    assert findings == []
    assert not invalid(car).any()


def test_only_the_bad_vehicle_is_marked() -> None:
    batch = stack([leaf(), kei(), leaf()])
    mass = batch.chassis.mass.copy()
    mass[1] = -1.0
    voltage = batch.battery.open_circuit_voltage.copy()
    voltage[2, 3] = np.nan
    bad = batch._replace(
        chassis=batch.chassis._replace(mass=mass), battery=batch.battery._replace(open_circuit_voltage=voltage)
    )
    assert invalid(bad).tolist() == [False, True, True]
    (_, problem), *_ = chassis_findings(bad.chassis)
    assert problem.location.key == "chassis.mass"
    assert problem.found == "-1 (vehicle 1, 1 in all)"
