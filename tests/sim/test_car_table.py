from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kyotsu.errors import InputError
from kyotsu.sim.car_table import (
    layout_of,
    load_cars,
    load_validation_cars,
    motor_text_power_kw,
    motor_type_of,
)

HEADER = "row,make,model,drive,test_mass_kg,target_a_N,target_b_N_per_mps,target_c_N_per_mps2,rated_hp,motor_text\n"


def test_the_shipped_table_has_its_usable_rows() -> None:
    cars = load_validation_cars()
    assert len(cars) == 169
    assert np.unique(cars.make).size == 21
    assert not np.isin(cars.quality, ["suspect", "label"]).any()
    assert np.isfinite(cars.measured).all()
    assert (cars.power_kw[np.isfinite(cars.power_kw)] > 40.0).all()


@pytest.mark.parametrize(
    ("text", "kind", "power"),
    [
        ("104 kW ACPM", "pm", 104.0),
        ("80 and 150 kW Asynchron 3-Phase", "induction", 230.0),
        ("82 kW AC Induction", "induction", 82.0),
        ("190 and 360 kW EESM", "eesm", 550.0),
        ("165 and 165 kW ACPM 6-Phase", "pm", 330.0),
        ("270 kW AC Induction (85 kW-hr battery pack)", "induction", 270.0),
        ("140 (front) 140 (rear) (70 kW-hr battery pack)", "pm", 280.0),
        ("TBD", "pm", np.nan),
        ("", "pm", np.nan),
    ],
)
def test_the_makers_wording_is_understood(text: str, kind: str, power: float) -> None:
    assert motor_type_of(text) == kind
    assert motor_text_power_kw(text) == pytest.approx(power, nan_ok=True)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (("TBD", "BMW", "i7 xDrive60", 2023.0), "eesm"),
        (("193 (front) 193 (rear)", "Tesla", "Model S AWD - 100D", 2017.0), "induction"),
        (("193 and 205 kW AC 3-Phase", "Tesla", "Model S Long Range", 2019.0), "pm"),
        (("160 kW", "NISSAN", "ARIYA Engage", 2023.0), "eesm"),
        (("110 kW ACPM", "BMW", "i4", 2023.0), "pm"),
        (("125 kW", "BMW", "i3", 2021.0), "pm"),
        (("TBD", "BMW", "i7 xDrive60", float("nan")), "pm"),
    ],
)
def test_what_is_public_counts_where_the_wording_is_silent(told: tuple[str, str, str, float], kind: str) -> None:
    assert motor_type_of(*told) == kind


def test_layouts_by_the_epas_wording() -> None:
    words = ("Front-Wheel Drive", "Rear-Wheel Drive", "All-Wheel Drive", "Part-time 4-Wheel Drive", "")
    assert [layout_of(text) for text in words] == ["front", "rear", "all", "all", "all"]


def test_other_column_names_and_units_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "cars.csv"
    path.write_text(HEADER + "7,Kia,EV6,Rear-Wheel Drive,2041.2,103.7,1.188,0.494,225,168 kW PMSM\n", "utf-8")
    cars = load_cars(path)
    assert cars.row.tolist() == ["7"]
    assert cars.power_kw[0] == pytest.approx(168.0)
    assert cars.road_load_c_n_per_mps2[0] == 0.494
    assert np.isnan(cars.battery_gross_kwh[0])


def test_a_rating_too_small_to_be_one_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "cars.csv"
    path.write_text(HEADER + "0,Kia,Niro,Front-Wheel Drive,1927.8,145,1,0.5,38,TBD\n", "utf-8")
    assert np.isnan(load_cars(path).power_kw[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "test_mass_kg or test_mass_kg"),
        ("make,test_mass_kg\nKia,1\n", "road_load_a_n or target_a_N"),
        (HEADER, "no rows"),
        (HEADER + "0,Kia,EV6,All,heavy,1,1,1,,\n", "'heavy'"),
        (HEADER + "0,Kia,EV6,All,,1,1,1,,\n", r"cars\.csv:2 \(test_mass_kg\): found nothing"),
    ],
)
def test_what_is_no_table_of_cars_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "cars.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=expected):
        load_cars(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Check the path"):
        load_cars(tmp_path / "nothing.csv")
    (tmp_path / "latin.csv").write_bytes(b"make\n\xff\n")
    with pytest.raises(InputError, match="UTF-8"):
        load_cars(tmp_path / "latin.csv")
