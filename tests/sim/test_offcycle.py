from __future__ import annotations

import numpy as np
import pytest

from kyotsu.sim.offcycle import OffcycleCheck, offcycle_check


@pytest.fixture(scope="module")
def check() -> OffcycleCheck:
    return offcycle_check()


@pytest.mark.slow
def test_the_cold_costs_about_what_it_costs_real_cars(check: OffcycleCheck) -> None:
    """31 tests: 1.29 measured in the median, which the level was set by; the spread of the errors was not."""
    assert np.median(check.cold.measured) == pytest.approx(1.294, abs=0.001)
    assert np.median(check.cold.predicted) == pytest.approx(np.median(check.cold.measured), rel=0.05)
    assert np.abs(check.cold.error_pct).mean() < 8.0


@pytest.mark.slow
def test_us06_and_sc03_are_those_of_the_four_cars_tested(check: OffcycleCheck) -> None:
    """EPA list 23-testcar-2024-05-17: VF 8 Eco 94.8 and 110.1 MPGe over 32.74 kWh/100 mile."""
    for test, mpge in ((check.us06, 94.8), (check.sc03, 110.1)):
        assert set(test.cars.make) == {"VinFast"}
        assert len(test.cars) == 4
        assert test.measured[0] == pytest.approx(3370.5 / mpge / 32.74, rel=1e-3)
    assert (check.us06.predicted > check.sc03.predicted).all()
    assert (check.sc03.predicted > 1.0).all()


@pytest.mark.slow
def test_the_report_has_the_figures_and_says_what_is_evidence(check: OffcycleCheck) -> None:
    text = str(check)
    assert text.startswith("cold: 31 tests of the FTP at -6.7 degC")
    assert f"mean |error| {np.abs(check.cold.error_pct).mean():.1f} %" in text
    assert "three thermal constants were set by this median" in text
    assert f"correlation {check.cold.correlation:.2f}" in text
    assert text.count("VF 9 Plus") == 2
