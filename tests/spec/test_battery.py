"""The battery module: levels, limits and curves hold together, and ratings follow from them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from kyotsu.spec.battery import BatteryModule, Limits
from kyotsu.spec.workspace import Workspace
from spec.workspaces import changed, module_of


def module(**values: Any) -> BatteryModule:
    required = {"id": "m", "name": "M", "supplier": "S", "cells_series": 4, "cells_parallel": 2}
    return BatteryModule.model_validate({**required, **values})


def test_all_but_identity_and_layout_may_be_unknown() -> None:
    bare = module()
    assert bare.level == "battery_module"
    assert bare.mass_kg is None
    assert bare.rated_energy_kwh is None
    assert bare.open_circuit_voltage_v(0.5) is None
    assert bare.resistance_ohm(25.0) is None


@pytest.mark.parametrize("name", ["id", "name", "supplier", "cells_series", "cells_parallel"])
def test_identity_and_layout_are_required(name: str) -> None:
    with pytest.raises(ValidationError, match="Field required"):
        BatteryModule.model_validate({key: value for key, value in module().model_dump().items() if key != name})


@pytest.mark.parametrize("level", ["cell", "battery_module", "cell_block", "pack"])
def test_a_part_may_stand_at_any_of_four_levels(level: str) -> None:
    assert module(level=level).level == level


def test_energy_is_as_stated_else_capacity_times_nominal_voltage() -> None:
    assert module(energy_kwh=3.0, capacity_ah=100.0, nominal_voltage_v=30.0).rated_energy_kwh == 3.0
    assert module(capacity_ah=100.0, nominal_voltage_v=29.6).rated_energy_kwh == pytest.approx(2.96)
    assert module(capacity_ah=100.0).rated_energy_kwh is None
    assert module(nominal_voltage_v=30.0).rated_energy_kwh is None


def test_the_voltage_of_a_part_is_its_cells_in_series(two_makers: Workspace) -> None:
    part = module_of(two_makers)
    assert part.open_circuit_voltage_v(0.5) == pytest.approx(8 * 3.7)
    assert part.open_circuit_voltage_v(0.7) == pytest.approx(8 * 3.9)
    assert part.open_circuit_voltage_v(-1.0) == pytest.approx(8 * 3.2)


def test_the_resistance_of_a_part_is_in_ohm_at_a_temperature(two_makers: Workspace) -> None:
    part = module_of(two_makers)
    assert part.resistance_ohm(25.0) == pytest.approx(0.005)
    assert part.resistance_ohm(-15.0) == pytest.approx(0.0145)
    assert part.resistance_ohm(99.0) == pytest.approx(0.004)


@pytest.mark.parametrize("name", ["discharge_current_a", "charge_temperature_max_c", "cell_voltage_max_v"])
def test_an_upper_limit_widens_outwards(name: str) -> None:
    assert Limits.model_validate({"operating": {name: 2.0}, "recommended": {name: 2.0}, "safety": {name: 3.0}})
    for inner, outer in [("operating", "recommended"), ("recommended", "safety"), ("operating", "safety")]:
        with pytest.raises(ValidationError, match=f"{name} must widen"):
            Limits.model_validate({inner: {name: 2.0}, outer: {name: 1.0}})


@pytest.mark.parametrize("name", ["discharge_temperature_min_c", "cell_voltage_min_v"])
def test_a_lower_limit_widens_outwards(name: str) -> None:
    assert Limits.model_validate({"operating": {name: 2.0}, "safety": {name: 1.0}})
    with pytest.raises(ValidationError, match=f"{name} must widen"):
        Limits.model_validate({"operating": {name: 1.0}, "safety": {name: 2.0}})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("curves.open_circuit_voltage", {"soc": [0.0, 1.0], "voltage_v": [3.0]}),
        ("curves.open_circuit_voltage", {"soc": [1.0, 0.0], "voltage_v": [3.0, 4.0]}),
        ("curves.open_circuit_voltage", {"soc": [0.0, 1.1], "voltage_v": [3.0, 4.0]}),
        ("curves.open_circuit_voltage", {"soc": [0.5], "voltage_v": [3.0]}),
        ("curves.resistance", {"temperature_c": [25.0], "resistance_mohm": [0.0]}),
        ("limits.operating.cell_voltage_min_v", 4.3),
        ("mounting.ip_code", "IP7"),
        ("service.traceability_code", "short"),
        ("conforms_to", ["common_module"]),
        ("envelope.orientations", []),
        ("envelope.orientations", ["upside_down"]),
        ("thermal.medium", "oil"),
        ("safety.asil", "E"),
    ],
)
def test_what_is_refused(two_makers: Workspace, path: str, value: object) -> None:
    with pytest.raises(ValidationError):
        changed(module_of(two_makers), {path: value})
