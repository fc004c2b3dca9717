"""What weather does to whole drives, and what is asked for in vain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sim.vehicles import any_vehicle, finite, kei, leaf

from kyotsu.errors import InputError
from kyotsu.sim.climate import Climate, Temperatures, in_climate, parked, weather_of
from kyotsu.sim.cycles import load_cycle, make_cycle
from kyotsu.sim.drive import LIMITERS
from kyotsu.sim.parameters import VehicleParameters, map_arrays, stack, take
from kyotsu.sim.simulate import Results, Validity, simulate

MOTORWAY = make_cycle("motorway", np.arange(1800.0), np.minimum(np.arange(1800.0) * 0.6, 36.0))
CLIMATES = [Climate(-25.0), Climate(-6.7), Climate(23.0), Climate(38.0, soak_c=50.0, solar_w=900.0)]

any_climate = st.builds(
    Climate,
    ambient_c=st.floats(-60.0, 60.0),
    soak_c=st.one_of(st.none(), st.floats(-60.0, 80.0)),
    cabin_c=st.floats(10.0, 30.0),
    solar_w=st.floats(0.0, 1500.0),
    hvac=st.booleans(),
    on_road=st.booleans(),
)


def warm(results: Results) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], ...]:
    assert results.warmth is not None
    return (*results.warmth.heat, *results.warmth.end, *results.warmth.peak)


def with_thermal(vehicle: VehicleParameters, part: str, **changes: float) -> VehicleParameters:
    one = getattr(vehicle.thermal, part)
    one = one._replace(**{name: np.full_like(getattr(one, name), value) for name, value in changes.items()})
    return vehicle._replace(thermal=vehicle.thermal._replace(**{part: one}))


@pytest.mark.parametrize("climate", CLIMATES)
def test_both_ledgers_close_in_any_weather(climate: Climate) -> None:
    results = simulate(stack([leaf(), kei()]), ("udds", "us06"), climate=climate)
    assert results.warmth is not None
    assert np.abs(results.ledger.closure()).max() < 1e-12
    assert np.abs(results.warmth.heat.closure()).max() < 1e-10


@settings(max_examples=40, deadline=None)
@given(
    any_vehicle(),
    any_climate,
    st.lists(st.tuples(st.floats(0.1, 900.0), st.floats(0.0, 50.0), st.floats(-0.2, 0.2)), min_size=2, max_size=8),
    st.floats(0.0, 1.0),
)
def test_any_vehicle_in_any_weather_gives_numbers_that_balance(
    vehicle: VehicleParameters, climate: Climate, rows: list[tuple[float, float, float]], soc: float
) -> None:
    steps, speed, grade = np.array(rows).T
    cycle = make_cycle("any", np.cumsum(steps), speed, grade, 3.0)
    results = simulate(vehicle, cycle, initial_soc=soc, climate=climate)
    assert results.warmth is not None
    assert finite(*results.ledger, *warm(results), results.final_soc)
    assert np.abs(results.ledger.closure()).max() < 1e-9
    assert np.abs(results.warmth.heat.closure()).max() < 1e-7


def test_heat_given_off_is_the_integral_over_the_temperatures() -> None:
    """An independent sum: conductance times excess temperature, over the history of fine steps."""
    car, ambient, begin = leaf(), 5.0, 25.0
    results = simulate(car, "jp1015", climate=Climate(ambient, soak_c=begin), history=True, substeps=10)
    assert results.warmth is not None
    history = results.history["jp1015"]
    assert history.temperatures is not None
    thermal, parts = car.thermal, history.temperatures
    conductances = [
        (parts.battery_c, thermal.battery.conductance),
        (parts.front_motor_c, thermal.front.motor_conductance),
        (parts.front_inverter_c, thermal.front.inverter_conductance),
        (parts.cabin_c, thermal.cabin.conductance),
    ]
    off = 0.0
    for celsius, conductance in conductances:
        excess = np.concatenate([[begin], celsius[0]]) - ambient
        off += float(np.trapezoid(excess, np.concatenate([[0.0], history.time_s]))) * conductance[0]
    share = 1.0 - thermal.front.motor_loss_share[0] - thermal.front.inverter_loss_share[0]
    reducer = results.warmth.heat.drive_loss_wh[0, 0] * share
    assert off / 3600.0 + reducer == pytest.approx(results.warmth.heat.given_off_wh[0, 0], rel=1e-5)


def test_finer_steps_converge() -> None:
    cold, cycle = Climate(-10.0), load_cycle("jp1015")
    several = [simulate(leaf(), cycle, climate=cold, substeps=steps) for steps in (1, 2, 4, 8)]
    soc = np.array([one.final_soc[0, 0] for one in several])
    battery = np.array([one.warmth.end.battery_c[0, 0] for one in several if one.warmth is not None])
    for values, scale in ((soc, 0.03), (battery, 1.0)):
        gaps = np.abs(np.diff(values))
        assert gaps[2] < gaps[0]
        assert gaps[0] < 0.02 * scale


def test_one_long_step_ends_where_many_short_ones_do() -> None:
    still = make_cycle("still", [0.0, 36000.0], [0.0, 0.0])
    fine = make_cycle("still", np.arange(0.0, 36001.0, 60.0), np.zeros(601))
    climate = Climate(-20.0, soak_c=20.0)
    coarse, many = (simulate(leaf(), cycle, climate=climate, initial_soc=0.9) for cycle in (still, fine))
    assert coarse.warmth is not None
    assert many.warmth is not None
    assert coarse.warmth.end.cabin_c[0, 0] == pytest.approx(22.0)
    assert many.warmth.end.cabin_c[0, 0] == pytest.approx(22.0)
    assert coarse.warmth.end.front_motor_c[0, 0] == pytest.approx(many.warmth.end.front_motor_c[0, 0], abs=0.1)
    assert coarse.final_soc[0, 0] == pytest.approx(many.final_soc[0, 0], abs=0.02)


def test_a_mild_climate_without_heating_is_nearly_none() -> None:
    cars = stack([leaf(), kei()])
    none = simulate(cars, "udds").consumption_ac_wh_per_km
    mild = simulate(cars, "udds", climate=Climate(25.0, hvac=False)).consumption_ac_wh_per_km
    assert mild == pytest.approx(none, rel=0.01)


def test_cold_and_heat_cost_and_the_sun_helps_in_winter() -> None:
    consumption = {
        climate: float(simulate(leaf(), "udds", climate=climate).consumption_ac_wh_per_km[0, 0])
        for climate in (Climate(22.0), Climate(35.0), Climate(0.0), Climate(-10.0), Climate(-10.0, solar_w=600.0))
    }
    mild, hot, cool, cold, sunny = consumption.values()
    assert mild < hot < cool < cold
    assert sunny < cold


def test_a_heat_pump_heats_for_less_and_a_resistive_heater_for_its_heat() -> None:
    results = simulate(leaf(), "udds", climate=Climate(-6.7))
    resistive = with_thermal(leaf(), "cabin", heating_cop=1.0, heating_cop_slope=0.0, blower_power=0.0)
    plain = simulate(resistive, "udds", climate=Climate(-6.7))
    assert results.warmth is not None
    assert plain.warmth is not None
    assert plain.warmth.heat.hvac_wh == pytest.approx(plain.warmth.heat.cabin_heat_wh)
    assert results.warmth.heat.hvac_wh[0, 0] < 0.8 * plain.warmth.heat.hvac_wh[0, 0]


def test_the_road_feels_the_weather_only_where_asked() -> None:
    car, cold = leaf(), Climate(-10.0, on_road=True)
    bench, road = in_climate(car, Climate(-10.0)).chassis, in_climate(car, cold).chassis
    assert bench.road_load_c == pytest.approx(car.chassis.road_load_c)
    assert road.road_load_c == pytest.approx(car.chassis.road_load_c * 293.15 / 263.15)
    assert road.road_load_a == pytest.approx(car.chassis.road_load_a / (1.0 - 0.0086 * 30.0))
    same = in_climate(car, Climate(20.0, on_road=True)).chassis
    assert same.road_load_a == pytest.approx(car.chassis.road_load_a)


def test_no_air_conditioning_draws_nothing() -> None:
    weather = weather_of(leaf(), Climate(-20.0, hvac=False))
    assert weather.cabin_heating == weather.cabin_cooling == weather.blower == 0.0


def first(results: Results, name: str) -> tuple[float, float]:
    code = LIMITERS.index(name)
    return float(results.limited_s[0, 0, code]), float(results.first_limited_s[0, 0, code])


def test_a_frozen_battery_holds_back_and_says_so() -> None:
    frozen = with_thermal(leaf(), "battery", heater_power=0.0)
    results = simulate(frozen, "us06", climate=Climate(-38.0))
    time, begin = first(results, "battery_cold")
    assert time > 0.0
    assert begin < 60.0
    assert results.limiter()[0][0] == "battery_cold"


def test_a_hot_battery_holds_back_and_says_so() -> None:
    hot = with_thermal(leaf(), "battery", cooler_power=0.0)
    assert first(simulate(hot, "us06", climate=Climate(40.0, soak_c=58.5)), "battery_hot")[0] > 0.0


def test_a_motor_that_is_not_cooled_gets_hot_in_its_time() -> None:
    uncooled = with_thermal(leaf(), "front", motor_conductance=0.1, motor_loss_share=0.8, inverter_loss_share=0.0)
    results = simulate(uncooled, MOTORWAY, climate=Climate(40.0), initial_soc=0.95)
    assert results.warmth is not None
    time, begin = first(results, "motor_hot")
    assert time > 60.0
    assert begin > 60.0
    assert 150.0 < results.warmth.peak.motor_c[0, 0] < 185.0, "derating keeps it near its limit"


def test_an_inverter_that_is_not_cooled_gets_hot() -> None:
    uncooled = with_thermal(leaf(), "front", inverter_conductance=0.1, inverter_loss_share=0.4)
    results = simulate(uncooled, MOTORWAY, climate=Climate(40.0), initial_soc=0.95)
    assert first(results, "inverter_hot")[0] > 0.0


def test_peak_power_falls_with_the_voltage() -> None:
    weak = with_thermal(kei(), "front", per_rated_voltage=1.0 / 500.0)
    time, _ = first(simulate(weak, "us06", climate=Climate(25.0)), "motor_voltage")
    assert time > 0.0


def test_an_almost_empty_battery_gives_less_before_it_gives_nothing() -> None:
    full, low = (simulate(kei(), "us06", climate=Climate(25.0), initial_soc=soc) for soc in (0.8, 0.06))
    assert first(full, "battery_low") == (0.0, np.inf)
    assert first(low, "battery_low")[0] > 0.0


def test_a_cold_or_a_full_battery_brakes_by_friction() -> None:
    mild = simulate(leaf(), "udds", climate=Climate(25.0)).ledger.friction_brake_wh
    frozen = with_thermal(leaf(), "battery", heater_power=0.0)
    cold = simulate(frozen, "udds", climate=Climate(-20.0, hvac=False)).ledger.friction_brake_wh
    full = simulate(leaf(), "udds", climate=Climate(25.0), initial_soc=0.97).ledger.friction_brake_wh
    assert cold > 2.0 * mild
    assert full > mild


def test_a_parked_car_follows_the_air_and_drives_on_from_there() -> None:
    cars, cold = stack([leaf(), kei()]), Climate(-10.0)
    driven = simulate(cars, ("udds", "jp1015"), climate=cold)
    assert driven.warmth is not None
    short, long = (parked(cars, driven.warmth.end, cold, time) for time in (600.0, 1e7))
    assert short.cabin_c.shape == (2, 2)
    assert ((short.cabin_c > -10.0) & (short.cabin_c < 22.0)).all()
    assert np.asarray(long) == pytest.approx(-10.0)
    again = simulate(cars, ("udds", "jp1015"), climate=cold, start=short)
    assert (again.consumption_ac_wh_per_km < driven.consumption_ac_wh_per_km).all()
    kept = parked(cars, driven.warmth.end, cold, 0.0)
    assert np.asarray(kept) == pytest.approx(np.asarray(driven.warmth.end))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"ambient_c": np.nan}, "ambient_c.: found nan"),
        ({"ambient_c": 280.0}, "found 280.0; expected -60 to 60"),
        ({"ambient_c": "warm"}, "found 'warm'"),
        ({"ambient_c": 20.0, "soak_c": -99.0}, "climate.soak_c"),
        ({"ambient_c": 20.0, "solar_w": -1.0}, "climate.solar_w"),
        ({"ambient_c": 20.0, "hvac": "on"}, "climate.hvac"),
    ],
)
def test_impossible_weather_is_refused(arguments: dict[str, float], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        Climate(**arguments)  # type: ignore[arg-type]


def test_all_that_is_wrong_with_the_weather_is_said_at_once() -> None:
    with pytest.raises(InputError) as caught:
        Climate(99.0, cabin_c=-99.0, solar_w=np.inf)
    assert len(caught.value.problems) == 3


def test_a_start_of_another_shape_or_beyond_all_parts_is_refused() -> None:
    even = Temperatures(*(np.zeros(3) for _ in Temperatures._fields))
    with pytest.raises(InputError, match="battery_c"):
        simulate(leaf(), "jp1015", climate=Climate(0.0), start=even)
    melting = Temperatures(*(np.full(1, 1e4) for _ in Temperatures._fields))
    with pytest.raises(InputError, match="-60 to 300 degC"):
        simulate(leaf(), "jp1015", climate=Climate(0.0), start=melting)


def test_impossible_thermal_parameters_blank_their_row_only_in_a_climate() -> None:
    cars = with_thermal(take(leaf(), np.array([0, 0])), "cabin", heat_capacity=3e4)
    cars.thermal.cabin.heat_capacity[0] = np.nan
    plain, cold = simulate(cars, "jp1015"), simulate(cars, "jp1015", climate=Climate(0.0))
    assert plain.validity[:, 0].tolist() == [0, 0]
    assert cold.validity[:, 0].tolist() == [Validity.INVALID_PARAMETERS, 0]
    assert finite(*cold.ledger, *warm(cold))
    assert cold.ledger.wall_wh[1, 0] == simulate(leaf(), "jp1015", climate=Climate(0.0)).ledger.wall_wh[0, 0]
    nothing = map_arrays(lambda values: values * np.nan, leaf())
    assert finite(*warm(simulate(nothing, "jp1015", climate=Climate(0.0))))
