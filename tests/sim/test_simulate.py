from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sim.vehicles import any_vehicle, finite, kei, leaf, lossless

from kyotsu.errors import InputError
from kyotsu.sim.cycles import CYCLES, Cycle, load_cycle, make_cycle
from kyotsu.sim.drive import LIMITERS
from kyotsu.sim.parameters import VehicleParameters, stack
from kyotsu.sim.simulate import Results, Validity, simulate

CLOSED = 1e-9


def steady(speed: float, seconds: int = 100, grade: float = 0.0) -> Cycle:
    return make_cycle("steady", np.arange(seconds + 1.0), np.full(seconds + 1, speed), grade)


def sound(results: Results) -> bool:
    tables = [value for _, value in vars_of(results) if isinstance(value, np.ndarray)]
    never = results.first_limited_s == np.inf
    tables = [np.where(never, 0.0, value) if value.shape == never.shape else value for value in tables]
    return finite(*tables, *results.ledger) and bool((never == (results.limited_s == 0.0))[..., 1:].all())


def vars_of(results: Results) -> list[tuple[str, object]]:
    return [(name, getattr(results, name)) for name in results.__slots__]


def test_steady_consumption_is_road_load_over_the_charger() -> None:
    results = simulate(lossless(charge_efficiency=0.9), steady(20.0))
    force = 100.0 + 20.0 + 200.0  # N, and 1 N is 1 J/m = 1/3.6 Wh/km
    assert results.consumption_dc_wh_per_km[0, 0] == pytest.approx(force / 3.6)
    assert results.consumption_ac_wh_per_km[0, 0] == pytest.approx(force / 3.6 / 0.9)
    assert results.distance_km[0, 0] == pytest.approx(2.0)
    assert results.validity[0, 0] == 0


def test_a_lossless_round_trip_over_a_hill_costs_the_road_only() -> None:
    time = np.arange(401.0)
    grade = np.sign(200.0 - time) * 0.03
    hill = make_cycle("hill", time, np.full(401, 15.0), grade)
    ledger = simulate(lossless(), hill).ledger
    assert ledger.potential_wh[0, 0] == pytest.approx(0.0, abs=1e-6)
    assert ledger.friction_brake_wh[0, 0] == pytest.approx(0.0, abs=1e-6)
    assert ledger.wall_wh[0, 0] - ledger.potential_wh[0, 0] == pytest.approx(ledger.road_wh[0, 0])


def test_pack_resistance_costs_current_squared() -> None:
    results = simulate(lossless(resistance_ohm=1.0), steady(20.0))
    power = 6400.0
    current = (400.0 - np.sqrt(400.0**2 - 4.0 * power)) / 2.0
    assert results.ledger.battery_loss_wh[0, 0] == pytest.approx(current**2 * 100.0 / 3600.0)
    assert results.ledger.terminals_wh[0, 0] == pytest.approx(power * 100.0 / 3600.0)


def test_every_car_completes_every_cycle_with_numbers() -> None:
    cars = stack([leaf(), kei()])
    results = simulate(cars, CYCLES)
    assert sound(results)
    assert np.abs(results.ledger.closure()).max() < CLOSED
    assert (results.missed_s[0, [CYCLES.index("udds"), CYCLES.index("hwfet"), CYCLES.index("jc08")]] == 0.0).all()
    us06 = CYCLES.index("us06")
    assert results.missed_s[1, us06] > 30.0
    assert results.shortfall_km_h[1, us06] > 10.0
    assert results.distance_shortfall_km[1, us06] > 0.1
    assert results.validity[1, us06] == Validity.TRACE_MISSED
    assert results.limiter()[1][us06] in ("motor_power", "motor_torque")
    assert results.limited_s[1, us06].sum() == pytest.approx(600.0)


def test_after_a_miss_the_vehicle_catches_up() -> None:
    time = np.arange(0.0, 61.0, 0.5)
    trace = make_cycle("dash", time, np.minimum(5.0 * time, 25.0))
    results = simulate(lossless(peak_power_kw=40.0), trace, history=True)
    history = results.history["dash"]
    behind = history.trace_km_h - history.speed_km_h[0]
    assert behind.max() > 10.0
    assert abs(behind[-1]) < 1e-6
    assert results.missed_s[0, 0] > 1.0


def test_an_empty_battery_ends_the_drive_and_is_flagged() -> None:
    results = simulate(kei(), steady(20.0, 400), initial_soc=0.035)
    assert results.validity[0, 0] == Validity.TRACE_MISSED | Validity.BATTERY_EMPTY
    assert results.limiter()[0] == ["battery_empty"]
    assert results.final_soc[0, 0] == pytest.approx(0.03, abs=1e-6)
    assert 0.5 < results.distance_km[0, 0] < 7.0
    assert np.abs(results.ledger.closure()).max() < CLOSED


def test_impossible_parameters_blank_their_row_and_no_other() -> None:
    cars = stack([leaf(), leaf()])
    bad = cars._replace(chassis=cars.chassis._replace(mass=np.array([np.nan, 1757.7])))
    results = simulate(bad, ("us06", "jp1015"))
    assert sound(results)
    assert (results.validity[0] == Validity.INVALID_PARAMETERS).all()
    assert (results.consumption_ac_wh_per_km[0] == 0.0).all()
    alone = simulate(leaf(), ("us06", "jp1015"))
    assert results.consumption_ac_wh_per_km[1].tolist() == alone.consumption_ac_wh_per_km[0].tolist()


def test_a_parked_car_has_no_consumption_per_distance() -> None:
    results = simulate(leaf(), steady(0.0))
    assert results.validity[0, 0] == Validity.NO_DISTANCE
    assert results.consumption_ac_wh_per_km[0, 0] == 0.0
    assert results.ledger.auxiliary_wh[0, 0] > 0.0


def test_a_batch_is_the_same_as_one_by_one() -> None:
    cars, names = [leaf(), kei(), lossless()], ("us06", "jp1015")
    together = simulate(stack(cars), names)
    for row, car in enumerate(cars):
        alone = simulate(car, names[1])
        assert together.consumption_dc_wh_per_km[row, 1] == pytest.approx(alone.consumption_dc_wh_per_km[0, 0])


def test_the_history_sums_to_the_result() -> None:
    results = simulate(leaf(), ("udds", "jp1015"), history=True)
    history = results.history["jp1015"]
    assert history.time_s.shape == (660,)
    assert history.speed_km_h.shape == history.limiter.shape == (1, 660)
    assert history.cells_w.sum() / 3600.0 == pytest.approx(results.ledger.cells_wh[0, 1])
    assert history.soc[0, -1] == results.final_soc[0, 1]


def test_results_converge_as_the_step_shrinks() -> None:
    """The midpoint rule is of second order: halving the step quarters the error, on a smooth trace."""
    time = np.arange(0.0, 121.0, 4.0)
    smooth = make_cycle("smooth", time, 12.0 - 12.0 * np.cos(2.0 * np.pi * time / 120.0))
    energy = [simulate(leaf(), smooth, substeps=n).ledger.cells_wh[0, 0] for n in (1, 2, 4, 8, 64)]
    errors = np.abs(np.array(energy[:-1]) - energy[-1])
    assert errors[3] < errors[0] / 16.0
    assert errors[3] < 1e-3 * energy[-1]


def test_the_second_of_a_cycle_is_short_enough() -> None:
    udds = load_cycle("udds")
    start = make_cycle("start", udds.time[:340], udds.speed[:340])
    coarse, fine = (simulate(leaf(), start, substeps=n).consumption_ac_wh_per_km[0, 0] for n in (1, 8))
    assert coarse == pytest.approx(fine, rel=5e-3)


@settings(max_examples=40, deadline=None)
@given(
    any_vehicle(),
    st.lists(st.tuples(st.floats(0.1, 30.0), st.floats(0.0, 60.0), st.floats(-0.3, 0.3)), min_size=2, max_size=12),
    st.floats(0.0, 1.0),
)
def test_any_vehicle_on_any_trace_closes_its_ledger(
    vehicle: VehicleParameters, rows: list[tuple[float, float, float]], soc: float
) -> None:
    steps, speed, grade = np.array(rows).T
    results = simulate(vehicle, make_cycle("any", np.cumsum(steps), speed, grade), initial_soc=soc, substeps=2)
    assert sound(results)
    assert np.abs(results.ledger.closure()).max() < CLOSED
    assert (results.distance_km <= results.trace_distance_km * (1.0 + 1e-9) + 1e-9).all()
    assert (results.shortfall_km_h >= 0.0).all()
    assert results.limited_s.shape == (1, 1, len(LIMITERS))


@pytest.mark.parametrize(
    ("cycles", "arguments", "expected"),
    [
        ((), {}, "no cycle"),
        ("udds", {"initial_soc": 1.2}, "1.2; expected 0 to 1"),
        ("udds", {"initial_soc": float("nan")}, "nan; expected 0 to 1"),
        ("udds", {"substeps": 0}, "substeps"),
        ("ftp75", {}, "one of udds"),
    ],
)
def test_a_wrong_question_is_refused(cycles: str | tuple[str, ...], arguments: dict[str, float], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        simulate(leaf(), cycles, **arguments)  # type: ignore[arg-type]


def test_results_say_what_they_are() -> None:
    assert repr(simulate(leaf(), "jp1015")).startswith("Results: 1 vehicle on 1 cycle\n  jp1015  1")
