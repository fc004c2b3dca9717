from __future__ import annotations

import pytest
from tests.sim.vehicles import kei, leaf

from kyotsu.sim.components import generic_vehicle
from kyotsu.sim.parameters import VehicleParameters, stack
from kyotsu.sim.performance import top_speed_km_h, usable_energy_kwh
from kyotsu.sim.phases import drive_phases, whole_test
from kyotsu.sim.wltp import CITY, JAPAN, PHASES, japan_label, rating, wltc_tests, wltp_label


def slow() -> VehicleParameters:
    """A van whose motor stops at 100 km/h."""
    van = kei()
    limit = 100.0 / 3.6 / van.chassis.tyre_radius * van.front.gear_ratio
    return van._replace(front=van.front._replace(maximum_speed=limit))


def leaf_62() -> VehicleParameters:
    """A Leaf e+ by the EPA's test car list of 2020."""
    return generic_vehicle(
        mass_kg=1927.8,
        road_load_a_n=125.217,
        road_load_b_n_per_mps=2.8777,
        road_load_c_n_per_mps2=0.44717,
        rated_power_kw=160.0,
        battery_kwh=62.0,
        model_year=2020,
    )


def test_consumption_is_the_energy_of_a_full_charge_over_range() -> None:
    """UN GTR 15, annex 8, 4.3.4: EC = E_AC / PER."""
    car, label = leaf(), wltp_label(leaf())
    full_charge_wh = 1e3 * usable_energy_kwh(car) / car.battery.charge_efficiency
    for part in (label.combined, label.city, label.low, label.medium, label.high, label.extra_high):
        assert part.consumption_ac_wh_per_km * part.range_km == pytest.approx(full_charge_wh)


def test_wholes_are_means_of_their_phases_by_distance() -> None:
    driven = drive_phases(leaf(), {**wltc_tests(leaf()), "jc08": whole_test("jc08")})
    label, japan, wltc = wltp_label(leaf(), driven), japan_label(leaf(), driven), driven["wltc_3b"]
    used = {name: getattr(label, name).consumption_ac_wh_per_km for name in PHASES}
    for whole, names in ((label.combined, PHASES), (label.city, CITY), (japan.wltc, JAPAN)):
        far = sum(wltc.distance_of(name) for name in names)
        mean = sum(used[name] * wltc.distance_of(name) for name in names) / far
        assert whole.consumption_ac_wh_per_km == pytest.approx(mean)
    assert (japan.urban.range_km, japan.suburban.range_km) == (label.low.range_km, label.medium.range_km)
    assert label.city.range_km > label.combined.range_km > label.extra_high.range_km
    assert rating(leaf(), driven["jc08"]) == japan.jc08


def test_the_cycle_follows_the_top_speed() -> None:
    """UN GTR 15, annex 1: class 3a under 120 km/h; every electric vehicle is of class 3."""
    assert top_speed_km_h(slow())[0] < 120.0 <= top_speed_km_h(leaf())[0]
    both = wltp_label(stack([slow(), leaf()]))
    assert both.class_3a.tolist() == [True, False]
    for index, (car, name) in enumerate([(slow(), "wltc_3a"), (leaf(), "wltc_3b")]):
        assert list(wltc_tests(car)) == [name]
        alone = wltp_label(car)
        assert both.combined.range_km[index] == pytest.approx(alone.combined.range_km[0])
        assert both.city.consumption_ac_wh_per_km[index] == pytest.approx(alone.city.consumption_ac_wh_per_km[0])
        assert both.validity[index] == alone.validity[0]
        assert alone.class_3a.tolist() == [index == 0]


@pytest.mark.parametrize(
    ("car", "wltc_km", "jc08_km"),
    [(leaf(), 322.0, 400.0), (leaf_62(), 458.0, None)],
    ids=["leaf 40 kWh", "leaf 62 kWh"],
)
def test_a_car_goes_as_far_as_its_catalogue_says(car: VehicleParameters, wltc_km: float, jc08_km: float | None) -> None:
    """Japan's catalogue of 2020, dime.jp/genre/1007754; JC08 of the 40 kWh car as announced in 2017."""
    label = japan_label(car)
    assert label.wltc.range_km[0] == pytest.approx(wltc_km, rel=0.1)
    if jc08_km is not None:
        assert label.jc08.range_km[0] == pytest.approx(jc08_km, rel=0.1)
