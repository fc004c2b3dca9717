"""Two buses side by side, and the command that shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from tests.public_data import public_data
from typer.testing import CliRunner

from kyotsu.can.difference import difference, offers
from kyotsu.can.maker_bus import Bus, load_bus
from kyotsu.cli.can_diff import diff
from kyotsu.errors import InputError

MAKERS = Path(__file__).parents[2] / "examples" / "alliance" / "makers"
BATTERY = "Vehicle.Powertrain.TractionBattery"


@pytest.fixture(scope="module")
def buses() -> dict[str, Bus]:
    return {name: load_bus(MAKERS / name) for name in ("honda", "nissan", "mitsubishi")}


def test_how_often_how_finely_how_far(buses: dict[str, Bus]) -> None:
    voltage = offers(buses["nissan"])[f"{BATTERY}.CurrentVoltage"]
    assert (voltage.period_ms, voltage.resolution, voltage.minimum, voltage.maximum) == (10, 0.5, 0, 450)
    assert (voltage.inputs, voltage.rule, voltage.status) == (("BATTERY.VOLTAGE",), "value", "declared")


def test_numbers_are_in_the_catalogues_unit(buses: dict[str, Bus]) -> None:
    reach = offers(buses["nissan"])[f"{BATTERY}.Range"]
    assert (reach.resolution, reach.maximum) == (200, 818_800), "0.2 km is 200 m"
    motor = offers(buses["nissan"])["Vehicle.Powertrain.ElectricMotor.Temperature"]
    assert motor.resolution == pytest.approx(5 / 9), "a degree Fahrenheit"
    pedal = offers(buses["honda"])["Vehicle.Chassis.Accelerator.PedalPosition"]
    assert (pedal.resolution, pedal.minimum, pedal.maximum) == (1, 0, 100), "whole per cent, though a bit is 0.39"


def test_an_interval_slows_and_a_derived_signal_names_its_inputs(buses: dict[str, Bus]) -> None:
    assert offers(buses["honda"])["Vehicle.Speed"].period_ms == 20, "sent every 10 ms, told every 20"
    power = offers(buses["mitsubishi"])[f"{BATTERY}.CurrentPower"]
    assert power.inputs == ("BATTERY.VOLTAGE", "BATTERY.CURRENT")
    assert power.resolution is None


def test_who_gives_what(buses: dict[str, Bus]) -> None:
    pairs = {pair.signal.path: pair for pair in difference(buses["honda"], buses["mitsubishi"])}
    assert pairs["Vehicle.Speed"].where == "both"
    cells = pairs[f"{BATTERY}.CellVoltage.Max"]
    assert cells.where == "second"
    assert "bus of the battery" in cells.reason, "the reason stands at the branch"
    assert pairs["Vehicle.Acceleration.Lateral"].where == "first"
    turned = {pair.signal.path: pair for pair in difference(buses["mitsubishi"], buses["honda"])}
    assert turned.keys() == pairs.keys()
    assert turned["Vehicle.Acceleration.Lateral"].where == "second"


def test_what_can_be_set_is_said(buses: dict[str, Bus]) -> None:
    path = "Vehicle.MotionManagement.ElectricAxle.Row1.TorqueTarget"
    assert offers(buses["nissan"])[path].can_write
    assert not offers(buses["honda"])["Vehicle.MotionManagement.ElectricAxle.Row2.TorqueTarget"].can_write


def test_an_overlay_of_kuksas_is_a_bus_as_well() -> None:
    folder = public_data("can/kuksa_mapping")
    with pytest.raises(InputError) as caught:
        load_bus(folder / "Model3CAN.dbc", signals=folder / "dbc_overlay.vspec")
    assert {problem.location.line for problem in caught.value.problems} == {48, 96, 178, 457}


def test_a_folder_without_a_bus_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_bus(tmp_path)
    assert len(caught.value.problems) == 2, "neither matrix nor mapping"


# --- the command ---


@pytest.fixture
def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(diff)
    return app


def test_the_command_prints_a_table(command: typer.Typer) -> None:
    result = CliRunner().invoke(command, [str(MAKERS / "honda"), str(MAKERS / "nissan")], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "Powertrain.Transmission.SelectedGear" in result.output
    assert "signals on both" in result.output


def test_the_command_writes_json(command: typer.Typer) -> None:
    result = CliRunner().invoke(command, [str(MAKERS / "honda"), str(MAKERS / "nissan"), "--json", "--shared"])
    read = json.loads(result.output)
    assert (read["first"], read["second"]) == ("honda", "nissan")
    assert {signal["where"] for signal in read["signals"]} == {"both"}
    speed = next(signal for signal in read["signals"] if signal["path"] == "Vehicle.Speed")
    assert (speed["unit"], speed["first"]["resolution"], speed["second"]["resolution"]) == ("km/h", 0.01, 0.005)
