from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sim.vehicles import any_vehicle, finite, kei, leaf

from kyotsu.errors import InputError
from kyotsu.sim.cycles import Cycle, load_cycle, make_cycle
from kyotsu.sim.parameters import VehicleParameters, stack
from kyotsu.sim.phases import (
    PhasedCycle,
    cut,
    drive_phases,
    ftp_test,
    join,
    phase_range_km,
    udds_hwfet_test,
    us06_test,
    whole_test,
    wltc_test,
)
from kyotsu.sim.simulate import Validity, simulate
from kyotsu.units import KM_PER_MILE

# phase: distance [km]; UN GTR 15 annex 1 for the WLTC; 40 CFR 86 appendix I and the EPA's schedules in miles
WLTC_KM = {
    "wltc_3a": {"low": 3.095, "medium": 4.721, "high": 7.124, "extra_high": 8.254},
    "wltc_3b": {"low": 3.095, "medium": 4.756, "high": 7.162, "extra_high": 8.254},
}


def distances(test: PhasedCycle) -> dict[str, float]:
    starts = (float(test.cycle.time[0]), *test.ends_s)
    found: dict[str, float] = {}
    for name, start, end in zip(test.names, starts, test.ends_s, strict=False):
        found[name] = found.get(name, 0.0) + cut(test.cycle, start, end).distance_km
    return found


@pytest.mark.parametrize("name", WLTC_KM)
def test_the_wltc_phases_have_the_distances_of_gtr_15(name: str) -> None:
    assert distances(wltc_test(name)) == pytest.approx(WLTC_KM[name], abs=0.0006)


def test_the_ftp_has_the_bags_of_the_epa() -> None:
    found = distances(ftp_test())
    assert found[""] == 0.0
    miles = {bag: km / KM_PER_MILE for bag, km in found.items()}
    assert miles["1"] == pytest.approx(3.59, abs=0.005)
    assert miles["2"] == pytest.approx(3.86, abs=0.005)
    assert miles["3"] == pytest.approx(3.59, abs=0.005)
    assert ftp_test().cycle.distance_km == pytest.approx(17.77, abs=0.005)
    assert ftp_test().cycle.duration_s == 505.0 + 864.0 + 600.0 + 505.0


def test_us06_is_cut_where_it_stands_still() -> None:
    test = us06_test()
    assert np.interp([130.0, 495.0], test.cycle.time, test.cycle.speed).tolist() == [0.0, 0.0]
    assert distances(test)["city"] / KM_PER_MILE == pytest.approx(1.77, abs=0.005)
    assert distances(test)["highway"] / KM_PER_MILE == pytest.approx(6.24, abs=0.005)


def test_the_multi_cycle_test_holds_its_schedules() -> None:
    found = distances(udds_hwfet_test())
    assert found["udds"] == pytest.approx(2.0 * load_cycle("udds").distance_km)
    assert found["hwfet"] == pytest.approx(load_cycle("hwfet").distance_km)
    assert found[""] == 0.0


@pytest.mark.parametrize("test", [ftp_test(), us06_test(), udds_hwfet_test(), wltc_test()], ids=lambda t: t.cycle.name)
def test_cut_phases_add_up_to_the_cycle(test: PhasedCycle) -> None:
    assert sum(distances(test).values()) == pytest.approx(test.cycle.distance_km, rel=1e-12)
    starts = (0.0, *test.ends_s[:-1])
    whole = join("whole", *(cut(test.cycle, *ends) for ends in zip(starts, test.ends_s, strict=True)))
    assert whole.time == pytest.approx(test.cycle.time)
    assert whole.speed == pytest.approx(test.cycle.speed)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_cut_loses_no_distance(one: float, other: float) -> None:
    cycle = load_cycle("jp1015")
    first, second = sorted((660.0 * one, 660.0 * other))
    if not 0.0 < first < second < 660.0:
        return
    parts = [cut(cycle, *ends) for ends in ((0.0, first), (first, second), (second, 660.0))]
    assert all((np.diff(part.time) > 0.0).all() for part in parts)
    assert sum(part.distance_km for part in parts) == pytest.approx(cycle.distance_km, rel=1e-9)


@pytest.mark.parametrize(("start", "end"), [(-1.0, 10.0), (10.0, 10.0), (20.0, 10.0), (0.0, 661.0), (np.nan, 10.0)])
def test_a_cut_outside_the_cycle_is_refused(start: float, end: float) -> None:
    with pytest.raises(InputError, match="0 <= start < end <= 660 s"):
        cut(load_cycle("jp1015"), start, end)


def test_joined_cycles_follow_each_other() -> None:
    run, stand = make_cycle("run", [5, 6, 7], [0, 4, 2]), make_cycle("stand", [0, 10], [0, 0])
    whole = join("whole", run, stand, run)
    assert whole.time.tolist() == [5, 6, 7, 8, 18, 19, 20]
    assert whole.speed.tolist() == [0, 4, 2, 0, 0, 4, 2]
    with pytest.raises(InputError, match="at least one"):
        join("none")


@pytest.mark.parametrize("car", [leaf(), kei()], ids=["leaf", "kei"])
def test_phases_of_one_drive_add_up_to_it(car: VehicleParameters) -> None:
    tests = {"us06": us06_test(), "wltc": wltc_test()}
    driven = drive_phases(car, tests)
    for name, test in tests.items():
        whole, parts = simulate(car, test.cycle), driven[name]
        assert parts.energy_ac_wh.sum(axis=1) == pytest.approx(whole.ledger.wall_wh[:, 0], rel=1e-9)
        assert parts.distance_km.sum(axis=1) == pytest.approx(whole.distance_km[:, 0], rel=1e-9)
        assert parts.consumption_ac_wh_per_km() == pytest.approx(whole.consumption_ac_wh_per_km[:, 0], rel=1e-9)
        assert (parts.validity == whole.validity[:, 0]).all()


def test_a_phase_takes_what_its_part_of_the_cycle_takes_alone() -> None:
    """But for the state of charge, which the phases before have moved."""
    parts = drive_phases(leaf(), {"us06": us06_test()})["us06"]
    alone = simulate(leaf(), cut(load_cycle("us06"), 130.0, 495.0))
    highway = parts.consumption_ac_wh_per_km("highway")
    assert highway == pytest.approx(alone.consumption_ac_wh_per_km[:, 0], rel=2e-3)


def test_a_soak_is_driven_but_not_counted() -> None:
    parts = drive_phases(leaf(), {"ftp": ftp_test()})["ftp"]
    assert parts.names == ("1", "2", "3")
    assert parts.distance_of("1") == pytest.approx(parts.distance_of("3"))
    assert parts.consumption_ac_wh_per_km("1") == pytest.approx(parts.consumption_ac_wh_per_km("3"), rel=5e-3)
    whole = simulate(leaf(), ftp_test().cycle)
    assert parts.energy_ac_wh.sum() < whole.ledger.wall_wh[0, 0]


@settings(max_examples=20)
@given(any_vehicle())
def test_phases_of_any_vehicle_are_numbers(car: VehicleParameters) -> None:
    parts = drive_phases(car, {"jp1015": whole_test("jp1015")})["jp1015"]
    assert finite(parts.energy_ac_wh, parts.energy_dc_wh, parts.distance_km, parts.consumption_ac_wh_per_km())
    assert not np.isnan(phase_range_km(car, parts)).any()


def test_range_is_nothing_where_nothing_moves_and_endless_downhill() -> None:
    broken = leaf()._replace(chassis=leaf().chassis._replace(mass=np.array([np.nan])))
    cars = stack([broken, leaf()])
    downhill = Cycle("downhill", np.array([0.0, 100.0]), np.array([20.0, 20.0]), np.array([-0.2, -0.2]))
    parts = drive_phases(cars, {"down": whole_test(downhill)})["down"]
    assert parts.validity[0] == Validity.INVALID_PARAMETERS
    assert phase_range_km(cars, parts).tolist() == [0.0, np.inf]
