from __future__ import annotations

import copy
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sim.vehicles import finite, kei, leaf, lossless

from kyotsu.errors import InputError
from kyotsu.sim.ageing import AgeingFlag
from kyotsu.sim.parameters import VehicleParameters, stack, take
from kyotsu.sim.simulate import simulate
from kyotsu.sim.usage import (
    ConsumptionLaw,
    ConsumptionTable,
    UsageFlag,
    Use,
    aged,
    battery_temperature_c,
    use,
)
from kyotsu.sim.usage_profile import (
    HOUR,
    WEEKDAYS,
    YEAR_DAYS,
    AirYear,
    UsageProfile,
    default_usage,
    load_usage,
    make_usage,
)

DEFAULT = files("kyotsu.sim") / "data" / "usage.toml"


def values(**changes: Any) -> dict[str, Any]:
    """The default usage with other values: `charging={...}` and `air={...}` are merged, the rest replaced."""
    table = tomllib.loads(DEFAULT.read_text("utf-8"))
    del table["sources"]
    for name, value in changes.items():
        merged = name == "charging" and isinstance(value, dict)
        table[name] = {**table[name], **value} if merged else value
    return table


def profile(**changes: Any) -> UsageProfile:
    return make_usage(values(**changes))


def trip(distance_km: float, departure_h: float = 8.0, destination: str = "home", *days: str) -> dict[str, Any]:
    return {
        "days": list(days or WEEKDAYS),
        "departure_h": departure_h,
        "distance_km": distance_km,
        "mix": {"udds": 1.0},
        "destination": destination,
    }


def per_km(*wh: float) -> ConsumptionLaw:
    return lambda cycle, ambient_c: np.array(wh)


def residual(used: Use) -> float:
    return float(np.abs(used.stored_ac_kwh + used.stored_dc_kwh - used.consumed_kwh - used.stored_change_kwh).max())


BOX = lossless(capacity_ah=100.0)  # 40 kWh at 400 V: state of charge is energy over 40 kWh, usable 0.03 to 0.97


# --- a year by hand ---


def test_a_day_by_hand() -> None:
    usage = profile(trips=[trip(50.0)], charging={"plug_in_soc": 1.0, "dc_share": 0.0, "ac_power_kw": 2.0})
    used = use(usage, BOX, consumption=per_km(200.0), weeks=1, step_s=60.0)
    assert used.consumed_kwh[0] == pytest.approx(70.0)
    assert used.stored_ac_kwh[0] == pytest.approx(70.0)  # ten kWh a day, all back by midnight
    assert used.wall_kwh[0] == pytest.approx(70.0)
    assert used.ac_sessions[0] == 7
    assert used.dc_sessions[0] == 0
    assert used.distance_km[0] == pytest.approx(350.0)
    assert used.yearly_distance_km[0] == pytest.approx(50.0 * 365.25)
    assert used.least_soc[0] == pytest.approx(0.9 - 10.0 / 40.0, abs=1e-6)
    arrival = 8.0 * HOUR + 50.0 / 11.99 * 1369.0 * 1.0  # UDDS: 11.99 km in 1369 s
    soc = np.interp([8.0 * HOUR, arrival, arrival + 2.5 * HOUR, arrival + 5.5 * HOUR], used.time_s, used.soc[0])
    assert soc == pytest.approx([0.9, 0.65, 0.775, 0.9], abs=2e-3)
    assert used.flags[0] == 0


def test_the_wall_pays_for_both_chargers() -> None:
    usage = profile(trips=[trip(50.0)], charging={"plug_in_soc": 1.0, "dc_share": 0.5, "dc_efficiency": 0.8})
    used = use(usage, lossless(capacity_ah=100.0, charge_efficiency=0.9), consumption=per_km(200.0), weeks=4)
    assert used.wall_kwh[0] == pytest.approx(used.stored_ac_kwh[0] / 0.9 + used.stored_dc_kwh[0] / 0.8)
    assert used.dc_share[0] == pytest.approx(0.5, abs=0.05)
    assert used.trip_stops[0] == 0


def test_a_long_trip_stops_to_charge_just_enough() -> None:
    usage = profile(trips=[trip(400.0, 8.0, "home", "sat")], charging={"dc_power_kw": 50.0, "dc_efficiency": 1.0})
    used = use(usage, BOX, consumption=per_km(200.0), weeks=1, step_s=60.0)
    # 80 kWh: 32 from 0.9 to 0.1, then a stop of 28 (0.1 to 0.8) and one of 20
    assert used.trip_stops[0] == 2
    assert used.stored_dc_kwh[0] == pytest.approx(48.0)
    assert used.consumed_kwh[0] == pytest.approx(80.0)
    assert used.least_soc[0] == pytest.approx(0.1, abs=1e-6)
    assert used.flags[0] == 0


def test_what_is_too_far_is_given_up_and_flagged() -> None:
    usage = profile(trips=[trip(5000.0, 8.0, "home", "mon")])
    used = use(usage, stack([BOX, BOX]), consumption=per_km(400.0, 150.0), weeks=2)
    assert UsageFlag.STRANDED in UsageFlag(int(used.flags[0]))
    assert UsageFlag.STRANDED not in UsageFlag(int(used.flags[1]))
    assert used.distance_km[0] < used.distance_km[1] == pytest.approx(10000.0)
    assert residual(used) < 1e-6


def test_a_trip_that_cannot_begin_in_time_is_late() -> None:
    usage = profile(trips=[trip(300.0, 8.0, "town", "mon"), trip(10.0, 9.0, "home", "mon")])
    used = use(usage, BOX, consumption=per_km(150.0), weeks=1)
    assert used.flags[0] == UsageFlag.LATE
    assert used.distance_km[0] == pytest.approx(310.0)
    assert (np.diff(used.soc[0]) <= 1.0).all()


def test_consumption_that_is_no_number_is_flagged_not_spread() -> None:
    used = use(profile(), stack([BOX, BOX]), consumption=per_km(np.nan, 150.0), weeks=1)
    assert used.flags.tolist() == [UsageFlag.NO_CONSUMPTION, 0]
    assert finite(used.soc, used.wall_kwh, used.distance_km)
    assert used.consumed_kwh[0] == 0.0


def test_charging_may_wait_for_the_night() -> None:
    habits = {"plug_in_soc": 1.0, "dc_share": 0.0, "start_h": 23.0}
    used = use(profile(trips=[trip(50.0)], charging=habits), BOX, consumption=per_km(200.0), weeks=1, step_s=600.0)
    of_day = used.time_s[:-1] / HOUR % 24.0
    rising = np.diff(used.soc[0]) > 1e-9
    assert rising.any()
    assert ((of_day[rising] >= 22.5) | (of_day[rising] < 8.0)).all()


def test_who_plugs_in_always_charges_more_often() -> None:
    often, seldom = (
        use(profile(charging={"plug_in_soc": at, "dc_share": 0.0}), leaf(), consumption=per_km(110.0), weeks=8)
        for at in (1.0, 0.4)
    )
    assert often.ac_sessions[0] == pytest.approx(7 * 8, abs=1)
    assert seldom.ac_sessions[0] < 0.4 * often.ac_sessions[0]
    assert seldom.least_soc[0] < often.least_soc[0]
    assert seldom.days_per_session[0] > 2.5


# --- properties ---

trips = st.lists(
    st.builds(
        trip,
        st.floats(0.5, 600.0),
        st.floats(0.0, 23.9),
        st.sampled_from(["home", "work", "town"]),
        st.sampled_from(WEEKDAYS),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda t: (t["days"][0], round(t["departure_h"], 6)),  # the week's seconds cannot tell nearer ones apart
)
habits = st.fixed_dictionaries(
    {
        "target_soc": st.floats(0.5, 1.0),
        "plug_in_soc": st.floats(0.0, 1.0),
        "reserve_soc": st.floats(0.0, 0.3),
        "ac_power_kw": st.floats(1.0, 22.0),
        "dc_share": st.floats(0.0, 1.0),
    }
)


@given(trips=trips, habits=habits, wh=st.floats(80.0, 300.0), start=st.none() | st.floats(0.0, 1.0))
@settings(max_examples=60, deadline=None)
def test_energy_is_conserved_whatever_the_use(
    trips: list[dict[str, Any]], habits: dict[str, float], wh: float, start: float | None
) -> None:
    cars = stack([leaf(), kei(), BOX])
    used = use(
        profile(trips=trips, charging=habits), cars, consumption=per_km(wh, wh / 2.0, wh), weeks=2, initial_soc=start
    )
    assert residual(used) < 1e-7
    assert finite(used.soc, used.wall_kwh, used.battery_c)
    assert (used.soc >= -1e-9).all()
    assert (used.soc <= 1.0 + 1e-9).all()
    assert (used.wall_kwh >= used.stored_ac_kwh + used.stored_dc_kwh - 1e-9).all()
    floor = min(habits["reserve_soc"], 0.03 if start is None else start) - 1e-6
    assert (used.least_soc >= floor).all()
    assert (used.trip_stops <= used.dc_sessions).all()
    assert (used.distance_km <= 2.0 * sum(t["distance_km"] for t in trips) + 1e-6).all()


def test_each_vehicle_is_on_its_own() -> None:
    cars = stack([leaf(), kei(), BOX])
    law = per_km(150.0, 100.0, 200.0)
    whole = use(profile(), cars, consumption=law, weeks=6)
    order = np.array([2, 0, 1])
    turned = use(profile(), take(cars, order), consumption=lambda c, a: law(c, a)[order], weeks=6)
    np.testing.assert_allclose(turned.soc, whole.soc[order], atol=1e-12)
    np.testing.assert_allclose(turned.wall_kwh, whole.wall_kwh[order])


def test_sums_do_not_depend_on_the_samples() -> None:
    coarse, fine = (use(profile(), leaf(), consumption=per_km(120.0), weeks=3, step_s=step) for step in (HOUR, 300.0))
    assert coarse.wall_kwh == pytest.approx(fine.wall_kwh, rel=1e-12)
    assert coarse.soc[0] == pytest.approx(fine.soc[0, ::12], abs=1e-9)


def test_the_default_is_a_year_that_people_know() -> None:
    usage = default_usage()
    assert usage.weekly_distance_km == pytest.approx(5 * 20.0 + 2 * 28.0)
    assert usage.cycles == ("wltc_3b", "jc08")
    source = usage.source_of("trips")
    assert source is not None
    assert "JAMA" in source.source
    used = use(usage, stack([leaf(), kei()]))
    assert used.yearly_distance_km == pytest.approx(156.0 / 7.0 * 365.25)
    assert 90.0 < used.yearly_wall_kwh[0] / used.yearly_distance_km[0] * 1e3 < 200.0
    assert used.yearly_wall_kwh[1] < used.yearly_wall_kwh[0]
    assert used.dc_share == pytest.approx(0.1, abs=0.02)
    assert residual(used) < 1e-9
    assert used.flags.tolist() == [0, 0]
    assert "2 vehicles" in repr(used)
    per_car = simulate(leaf(), usage.cycles).consumption_dc_wh_per_km[0]
    expected = (100.0 * per_car[1] + 56.0 * per_car.mean()) * 52 / 1e3
    assert used.consumed_kwh[0] == pytest.approx(expected)


# --- temperature ---


def test_consumption_follows_the_air() -> None:
    table = ConsumptionTable(
        np.array([-10.0, 20.0]), {name: np.array([[250.0, 150.0]]) for name in ("jc08", "wltc_3b")}
    )
    assert table("jc08", 5.0) == pytest.approx(200.0)
    assert table("jc08", -40.0) == pytest.approx(250.0)
    assert table("wltc_3b", 40.0) == pytest.approx(150.0)
    cold, warm = (
        use(profile(air={"mean_c": mean}), BOX, consumption=table, weeks=1).consumed_kwh[0] for mean in (-10.0, 20.0)
    )
    assert cold / warm == pytest.approx(250.0 / 150.0)


def test_a_table_is_made_of_drives() -> None:
    driven = simulate(stack([leaf(), kei()]), ("jp1015", "nedc"))
    asked: list[float] = []

    def drive(ambient_c: float) -> Any:
        asked.append(ambient_c)
        return driven

    table = ConsumptionTable.of((0.0, 30.0), drive)
    assert asked == [0.0, 30.0]
    assert table("nedc", 12.0) == pytest.approx(driven.consumption_dc_wh_per_km[:, 1])
    single = ConsumptionTable.of((20.0,), drive)
    assert single("jp1015", -5.0) == pytest.approx(table("jp1015", -5.0))


def test_the_battery_follows_the_air_as_first_order_does() -> None:
    air = AirYear(mean_c=10.0, daily_swing_k=10.0)
    time = np.arange(0.0, 28 * 24.0 * HOUR, 600.0)
    constant = 12.0
    found = battery_temperature_c(air, time, constant, 1)[0]
    turn = 2.0 * np.pi / 24.0 * constant
    assert np.ptp(found) == pytest.approx(10.0 / np.hypot(1.0, turn), rel=2e-3)
    lag = (time[np.argmin(found[:144])] / HOUR - air.coldest_h) % 24.0
    assert lag == pytest.approx(np.arctan(turn) / (2.0 * np.pi) * 24.0, abs=0.2)
    assert battery_temperature_c(AirYear(mean_c=-3.0), time, [1.0, 50.0], 2) == pytest.approx(-3.0)


def test_air_by_months_hours_and_swings() -> None:
    hour = YEAR_DAYS * 24.0 * HOUR / 8760.0
    swings = AirYear(mean_c=15.0, yearly_swing_k=20.0, coldest_day=25)
    days = np.arange(364.0) * 24.0 * HOUR
    assert swings.temperature_c(days).mean() == pytest.approx(15.0, abs=1e-9)
    assert swings.temperature_c(np.array([25.0 / 365.0 * YEAR_DAYS * 24.0 * HOUR])) == pytest.approx(5.0)
    months = AirYear(monthly_c=tuple(float(m) for m in range(12)))
    middle = (np.arange(12) + 0.5) / 12.0 * YEAR_DAYS * 24.0 * HOUR
    assert months.temperature_c(middle) == pytest.approx(np.arange(12.0))
    assert months.temperature_c(np.array([0.0])) == pytest.approx(5.5)  # between December and January
    hours = AirYear(hourly_c=tuple(float(h % 24) for h in range(8760)))
    assert hours.temperature_c(np.arange(48.0) * hour) == pytest.approx(np.arange(48) % 24, abs=1e-6)


# --- ageing ---


def test_heat_and_distance_cost_life() -> None:
    cars = stack([leaf(), leaf()])
    law = per_km(150.0, 300.0)
    mild = use(profile(air={"mean_c": 15.0, "yearly_swing_k": 10.0}), cars, consumption=law, weeks=52)
    hot = use(profile(air={"mean_c": 30.0, "yearly_swing_k": 10.0}), cars, consumption=law, weeks=52)
    lives = [aged(used, "nmc_50ah_pouch_b1", 8.0) for used in (mild, hot)]
    assert (lives[1].capacity[:, -1] < lives[0].capacity[:, -1]).all()
    assert lives[0].capacity[1, -1] < lives[0].capacity[0, -1]
    assert lives[0].time_years[-1] == pytest.approx(8.0)
    assert all(0.5 < value < 1.0 for life in lives for value in life.capacity[:, -1])
    assert not (lives[0].flags & int(AgeingFlag.OPEN_ENDED)).any()


def test_throughput_of_the_life_is_that_of_the_year() -> None:
    used = use(profile(), BOX, consumption=per_km(180.0))
    life = aged(used, "lfp_250ah_prismatic")  # the ten years of the profile
    moved = (used.consumed_kwh + used.stored_ac_kwh + used.stored_dc_kwh)[0] * used.per_year * 10.0 / 2.0 / 40.0
    assert life.full_cycles[0, -1] == pytest.approx(moved, rel=0.03)


# --- bad input ---


def test_a_file_says_all_that_is_wrong_with_it(tmp_path: Path) -> None:
    text = DEFAULT.read_text("utf-8")
    for one, other in (
        ("departure_h = 8.0", "departure_h = 25.0"),
        ("{ jc08 = 1.0 }", "{ jc09 = 0.5 }"),
        ("target_soc = 0.9", "target_soc = 90"),
        ("mean_c = 15.4", "mean_c = 288.5"),
        ("ac_power_kw", "ac_power"),
    ):
        text = text.replace(one, other, 1)
    path = tmp_path / "usage.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as error:
        load_usage(path)
    said = str(error.value)
    for word in ("departure_h", "jc09", "add up to 0.5", "target_soc", "mean_c", "ac_power"):
        assert word in said
    assert all(found.location.line for found in error.value.problems)
    path.write_text("id = ", "utf-8")
    with pytest.raises(InputError, match="TOML"):
        load_usage(path)
    with pytest.raises(InputError, match="no such file"):
        load_usage(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trips": []}, "trips"),
        ({"trips": [trip(-5.0)]}, "distance_km"),
        ({"trips": [trip(5.0), trip(7.0)]}, "start together"),
        ({"trips": [trip(5.0, 8.0, "home", "mon", "mon")]}, "a day twice"),
        ({"trips": [trip(float("nan"))]}, "distance_km"),
        ({"charging": {"reserve_soc": 0.95}}, "more than reserve_soc"),
        ({"air": {}}, "no temperature"),
        ({"air": {"mean_c": 10.0, "monthly_c": [1.0] * 12}}, "mean_c and monthly_c"),
        ({"air": {"monthly_c": [1.0] * 11}}, "monthly_c"),
        ({"years": 0.0}, "years"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_values_are_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        profile(**changes)
    assert said in str(error.value)


def test_values_are_not_changed_by_the_check() -> None:
    given_ = values()
    before = copy.deepcopy(given_)
    make_usage(given_)
    assert given_ == before


def test_bad_arguments_come_at_once() -> None:
    with pytest.raises(InputError) as error:
        use(profile(), BOX, weeks=0, step_s=0.0, initial_soc=2.0, battery_time_constant_h=np.nan)
    assert len(error.value.problems) == 4
    with pytest.raises(InputError, match="battery_time_constant_h"):
        use(profile(), BOX, battery_time_constant_h=[1.0, 2.0])


def test_empty_batches_are_years_of_nobody() -> None:
    nobody: VehicleParameters = take(BOX, np.array([], dtype=np.int64))
    with pytest.raises(InputError, match="vehicles"):
        use(profile(), nobody, consumption=per_km(), weeks=1)
