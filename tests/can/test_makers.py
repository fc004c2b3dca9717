"""The example's three buses: sound in every tool, every path mapped or missing on purpose, and true on real logs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cantools
import numpy as np
import pyarrow as pa
import pytest
from tests.public_data import public_data

from kyotsu.can.codec import Codec
from kyotsu.can.logs import open_log
from kyotsu.can.mapper import Mapper
from kyotsu.can.mapping import load_mapping
from kyotsu.can.mapping_checks import check_mapping
from kyotsu.can.mapping_links import physical_limits
from kyotsu.can.matrix_files import load_matrix, read_matrix
from kyotsu.spec.vss import load_vss
from kyotsu.spec.workspace import check_workspace

ALLIANCE = Path(__file__).parents[2] / "examples" / "alliance"
MAKERS = ("honda", "nissan", "mitsubishi")
BATTERY, MOTOR = "Vehicle.Powertrain.TractionBattery", "Vehicle.Powertrain.ElectricMotor"
WANTED = (
    "Vehicle.Speed", "Vehicle.Chassis.Accelerator.PedalPosition", "Vehicle.Chassis.Brake.PedalPosition",
    "Vehicle.Powertrain.Transmission.SelectedGear", f"{BATTERY}.StateOfCharge.Current", f"{BATTERY}.CurrentVoltage",
    f"{BATTERY}.CurrentCurrent", f"{BATTERY}.CellVoltage.Max", f"{BATTERY}.CellVoltage.Min",
    f"{BATTERY}.Temperature.Max", f"{BATTERY}.Charging.IsCharging", f"{MOTOR}.Torque", f"{MOTOR}.Speed",
    f"{MOTOR}.Temperature",
)  # fmt: skip


def folder(maker: str) -> Path:
    return ALLIANCE / "makers" / maker


each_maker = pytest.mark.parametrize("maker", MAKERS)

# --- the files ---


@each_maker
def test_the_matrix_needs_no_repair_and_cantools_takes_it_strictly(maker: str) -> None:
    matrix, problems = read_matrix(folder(maker) / "bus.dbc")
    assert matrix is not None
    assert not problems
    peer = cantools.database.load_file(folder(maker) / "bus.dbc", strict=True)
    assert {message.name: {signal.name for signal in message.signals} for message in peer.messages} == {
        message.name: set(message.by_name) for message in matrix.messages
    }


@each_maker
def test_every_message_says_its_source_and_period(maker: str) -> None:
    matrix = load_matrix(folder(maker) / "bus.dbc")
    assert all(message.comment and message.cycle_ms for message in matrix.messages)


@each_maker
def test_every_signal_fits_what_its_bits_can_hold(maker: str) -> None:
    for message in load_matrix(folder(maker) / "bus.dbc").messages:
        for signal in message.signals:
            low, high = physical_limits(signal)
            ends = sorted(
                raw * signal.scale + signal.offset
                for raw in (
                    (-(2 ** (signal.length - 1)), 2 ** (signal.length - 1) - 1)
                    if signal.signed
                    else (0, 2**signal.length - 1)
                )
            )
            assert ends[0] - 1e-6 <= low
            assert high <= ends[1] + 1e-6, (message.name, signal.name)


@each_maker
def test_the_mapping_is_sound(maker: str) -> None:
    mapping = load_mapping(folder(maker) / "signals.toml")
    assert not check_mapping(mapping, load_matrix(folder(maker) / "bus.dbc"), load_vss())


@each_maker
def test_what_an_app_asks_first_is_mapped_or_missing_for_a_reason(maker: str) -> None:
    mapping = load_mapping(folder(maker) / "signals.toml")
    made = {rule.path for rule in mapping.signals}
    absent = [item.path for item in mapping.absent]
    for path in WANTED:
        explained = any(path == item or path.startswith(f"{item}.") for item in absent)
        assert (path in made) != explained, path


@each_maker
def test_every_rule_has_an_origin(maker: str) -> None:
    mapping = load_mapping(folder(maker) / "signals.toml")
    assert all(mapping.source_of(rule.path) for rule in (*mapping.signals, *mapping.writes))


def test_the_workspace_stays_quiet() -> None:
    _, problems = check_workspace(ALLIANCE)
    assert not problems


def test_counters_and_checksums_are_declared() -> None:
    guarded = {
        maker: Counter(message.protection is not None for message in load_matrix(folder(maker) / "bus.dbc").messages)
        for maker in MAKERS
    }
    assert guarded["honda"][True] == 12
    assert guarded["nissan"][True] == 5
    assert guarded["mitsubishi"][True] == 0, "nobody published any"


# --- real logs ---


def datapoints(name: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:  # type: ignore[type-arg]
    """Times [s] and values of every path that the Outlander's mapping makes of a log."""
    matrix = load_matrix(folder("mitsubishi") / "bus.dbc")
    mapper, codec = Mapper(load_mapping(folder("mitsubishi") / "signals.toml"), matrix), Codec(matrix)
    log = open_log(public_data(f"can/mitsubishi_outlander_phev/{name}"))
    table = pa.concat_tables([mapper.map(codec.decode(block)) for block in log.blocks()])
    good = table.filter(pa.compute.equal(table["quality"].cast(pa.string()), "good"))
    paths = good["path"].combine_chunks().dictionary_decode().to_numpy(zero_copy_only=False)
    times = good["time"].to_numpy().astype(np.int64) / 1e9
    values = good["value"].to_numpy()
    return {path: (times[paths == path], values[paths == path]) for path in np.unique(paths)}


@pytest.fixture(scope="module")
def drive() -> dict[str, tuple[np.ndarray, np.ndarray]]:  # type: ignore[type-arg]
    return datapoints("damienmaguire_DRIVING1.csv")


@pytest.fixture(scope="module")
def standing() -> dict[str, tuple[np.ndarray, np.ndarray]]:  # type: ignore[type-arg]
    return datapoints("projectgus_202109061515-steering-lock-to-lock.csv")


Series = dict[str, tuple["np.ndarray", "np.ndarray"]]  # type: ignore[type-arg]


def test_a_drive_is_plausible(drive: Series) -> None:
    _, speed = drive["Vehicle.Speed"]
    assert 55 < speed.max() < 70, "a short drive in a town"
    assert -12 < speed.min() < 0, "that began or ended in reverse"
    _, charge = drive[f"{BATTERY}.StateOfCharge.Current"]
    assert 80 < charge.min() < charge.max() < 85
    assert charge[0] == pytest.approx(84.5, abs=0.1)
    _, cells = drive[f"{BATTERY}.CellVoltage.Max"]
    assert 3.8 < cells.min() < cells.max() < 4.15


def test_pack_and_cells_agree_in_the_number_of_cells(drive: Series, standing: Series) -> None:
    for log in (drive, standing):
        times, pack = log[f"{BATTERY}.CurrentVoltage"]
        high, low = (np.interp(times, *log[f"{BATTERY}.CellVoltage.{end}"]) for end in ("Max", "Min"))
        assert np.median(pack / ((high + low) / 2)) == pytest.approx(80, abs=0.3), "80 cells in series"


def test_the_battery_gives_what_the_motors_take(drive: Series) -> None:
    times, power = drive[f"{BATTERY}.CurrentPower"]
    shafts = np.zeros_like(power)
    for row in ("Row1", "Row2"):
        axle = f"Vehicle.MotionManagement.ElectricAxle.{row}"
        torque, turns = (np.interp(times, *drive[f"{axle}.{name}"]) for name in ("Torque", "RotationalSpeed"))
        shafts += torque * turns * 2 * np.pi / 60  # W
    assert np.corrcoef(power, shafts)[0, 1] < -0.97, "negative while driving, as VSS has it"
    slope = np.polyfit(shafts, power, 1)[0]
    assert -1.3 < slope < -1.0, "some tenth is lost on the way"


def test_what_is_asked_is_what_is_done(drive: Series) -> None:
    axle = "Vehicle.MotionManagement.ElectricAxle.Row1"
    times, done = drive[f"{axle}.Torque"]
    asked = np.interp(times, *drive[f"{axle}.TorqueTarget"])
    assert np.corrcoef(asked, done)[0, 1] > 0.98


def test_both_axles_turn_alike(drive: Series) -> None:
    times, front = drive["Vehicle.MotionManagement.ElectricAxle.Row1.RotationalSpeed"]
    rear = np.interp(times, *drive["Vehicle.MotionManagement.ElectricAxle.Row2.RotationalSpeed"])
    moving = np.abs(rear) > 60
    assert np.median(front[moving] / rear[moving]) == pytest.approx(1.0, abs=0.01), "so the reductions fit each other"


def test_the_car_stands_and_the_driver_turns_the_wheel(standing: Series) -> None:
    assert set(standing["Vehicle.Powertrain.Transmission.SelectedGear"][1]) == {126}, "park, in the driver's record"
    assert set(standing["Vehicle.Speed"][1]) == {0}
    assert set(standing["Vehicle.Chassis.Accelerator.PedalPosition"][1]) == {0}
    times, angle = standing["Vehicle.Chassis.SteeringWheel.Angle"]
    assert set(angle[times < 243.5]) == {10}, "at rest until second 244 of the record"
    assert angle[-1] == -25, "and then to the right, which is negative"
    assert set(standing[f"{BATTERY}.Charging.IsCharging"][1]) == {0}


def test_a_cold_car_is_cold_all_over(standing: Series) -> None:
    temperatures = [standing[f"{BATTERY}.Temperature.Max"][1][-1], standing[f"{MOTOR}.Temperature"][1][-1]]
    temperatures.append(standing[f"{BATTERY}.Charging.Temperature"][1][-1])
    assert max(temperatures) - min(temperatures) <= 3, "battery, motor and charger after a night"
