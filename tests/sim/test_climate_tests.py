from __future__ import annotations

import numpy as np
import pytest
from tests.sim.vehicles import finite, kei, leaf

from kyotsu.sim.climate_tests import COLD, COLD_ROAD_LOAD, cold_ftp, composite_ac_wh_per_km, sc03
from kyotsu.sim.parameters import stack
from kyotsu.sim.phases import PhaseResults, ftp_test
from kyotsu.sim.simulate import simulate


def ftp(energy_wh: list[float], distance_km: list[float]) -> PhaseResults:
    energy, distance = np.array([energy_wh]), np.array([distance_km])
    return PhaseResults(("1", "2", "3"), energy, energy, distance, np.array([0]))


def test_the_composite_weighs_both_starts_by_distance() -> None:
    """40 CFR 1066.820: 0.43 of bags 1 and 2, 0.57 of bags 3 and 2."""
    driven = ftp([800.0, 700.0, 600.0], [4.0, 6.0, 5.0])
    assert composite_ac_wh_per_km(driven) == pytest.approx(0.43 * 1500.0 / 10.0 + 0.57 * 1300.0 / 11.0)
    assert composite_ac_wh_per_km(ftp([800.0, 700.0, 600.0], [0.0, 0.0, 0.0])) == 0.0


def test_the_first_two_bags_are_one_cold_udds() -> None:
    """Driven by the other backend, over UDDS as a whole, at the bench's road load."""
    car = stack([leaf(), kei()])
    load = {name: COLD_ROAD_LOAD * getattr(car.chassis, name) for name in ("road_load_a", "road_load_b", "road_load_c")}
    whole = simulate(car._replace(chassis=car.chassis._replace(**load)), "udds", climate=COLD)
    driven = cold_ftp(car)
    assert driven.energy_ac_wh[:, :2].sum(axis=1) == pytest.approx(whole.ledger.wall_wh[:, 0], rel=1e-9)
    assert driven.distance_km.sum(axis=1) == pytest.approx(ftp_test().cycle.distance_km, rel=1e-3)


def test_the_third_bag_starts_warmer_than_the_first() -> None:
    driven = cold_ftp(leaf())
    assert driven.consumption_ac_wh_per_km("3") < driven.consumption_ac_wh_per_km("1")


def test_sc03_runs_the_air_conditioning_of_a_warm_car() -> None:
    results = sc03(stack([leaf(), kei()]))
    assert results.warmth is not None
    assert results.distance_km.shape == (2, 1)
    assert (results.warmth.heat.hvac_wh > 0.0).all()
    assert finite(results.consumption_ac_wh_per_km)
