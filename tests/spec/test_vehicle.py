"""The vehicle: one road load, one mount at each driven axle, and masses and energies that agree."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from kyotsu.spec.slots import BatteryBay, EAxleMount
from kyotsu.spec.vehicle import Vehicle
from kyotsu.spec.workspace import Workspace
from spec.workspaces import changed, vehicle_of

REQUIRED: dict[str, Any] = {
    "id": "v",
    "name": "V",
    "drive": "front",
    "coast_down": {"a_n": 100.0, "b_n_per_mps": -1.0, "c_n_per_mps2": 0.4},
    "masses": {"curb_kg": 1500.0},
    "battery_bay": {"id": "bay"},
    "eaxle_mounts": [{"id": "front", "axle": "front"}],
}
FRONT, REAR = {"id": "f", "axle": "front"}, {"id": "r", "axle": "rear"}
RESISTANCES = {"drag_coefficient": 0.3, "frontal_area_m2": 2.2, "rolling_resistance_coefficient": 0.01}


def vehicle(**values: Any) -> Vehicle:
    return Vehicle.model_validate({**REQUIRED, **values})


def test_the_least_that_a_vehicle_says() -> None:
    assert vehicle().requirements.range_cycle == "wltc_3b"
    assert vehicle().battery_bay.accepts == ("battery_module", "cell_block")


@pytest.mark.parametrize("name", [name for name in REQUIRED if name != "coast_down"])
def test_what_a_vehicle_must_say(name: str) -> None:
    with pytest.raises(ValidationError, match="Field required"):
        Vehicle.model_validate({key: value for key, value in REQUIRED.items() if key != name})


def test_exactly_one_road_load() -> None:
    assert vehicle(coast_down=None, resistances=RESISTANCES).resistances is not None
    with pytest.raises(ValidationError, match="road load: neither of them"):
        vehicle(coast_down=None)
    with pytest.raises(ValidationError, match="road load: both"):
        vehicle(resistances=RESISTANCES)


@pytest.mark.parametrize(
    ("drive", "mounts", "allowed"),
    [
        ("front", [FRONT], True),
        ("rear", [REAR], True),
        ("all", [FRONT, REAR], True),
        ("all", [REAR, FRONT], True),
        ("front", [REAR], False),
        ("all", [FRONT], False),
        ("front", [FRONT, REAR], False),
        ("all", [FRONT, FRONT], False),
        ("front", [], False),
        ("all", [FRONT, REAR, REAR], False),
    ],
)
def test_every_driven_axle_has_one_mount(drive: str, mounts: list[dict[str, str]], allowed: bool) -> None:
    if allowed:
        assert len(vehicle(drive=drive, eaxle_mounts=mounts).eaxle_mounts) == len(mounts)
    else:
        with pytest.raises(ValidationError):
            vehicle(drive=drive, eaxle_mounts=mounts)


def test_usable_energy_is_not_above_gross_energy() -> None:
    assert vehicle(battery={"energy_kwh": 40.0, "usable_kwh": 40.0})
    with pytest.raises(ValidationError, match="usable_kwh = 41, must be at most energy_kwh = 40"):
        vehicle(battery={"energy_kwh": 40.0, "usable_kwh": 41.0})


def test_the_mass_at_the_test_is_near_or_above_curb_mass() -> None:
    assert vehicle(masses={"curb_kg": 1500.0, "test_kg": 1450.0})
    with pytest.raises(ValidationError, match="far below"):
        vehicle(masses={"curb_kg": 1500.0, "test_kg": 1300.0})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("battery_bay.accepts", []),
        ("battery_bay.waived", {"E10": ""}),
        ("battery_bay.waived", {"e10": "sea level"}),
        ("battery_bay.places", 0),
        ("battery_bay.electrical.voltage_max_v", 100.0),
        ("battery_bay.electrical.class_limit_v", 300.0),
        ("battery_bay.electrical.power_soc", 1.5),
        ("eaxle_mounts.0.axle", "middle"),
        ("eaxle_mounts.0.electrical.voltage_min_v", 999.0),
        ("drive", "both"),
        ("charging.inlet", "type1"),
        ("requirements.range_cycle", "wltp"),
        ("coast_down", {"a_n": 1.0, "b_n_per_mps": 0.0}),
    ],
)
def test_what_is_refused(two_makers: Workspace, path: str, value: object) -> None:
    with pytest.raises(ValidationError):
        changed(vehicle_of(two_makers), {path: value})


def test_a_slot_may_leave_all_but_its_identity_open() -> None:
    assert BatteryBay(id="bay").waived == {}
    assert EAxleMount(id="front", axle="front").peak_power_kw is None
