from __future__ import annotations

import numpy as np
import pytest

from kyotsu.sim.cold import ColdCheck, cold_check


@pytest.fixture(scope="module")
def check() -> ColdCheck:
    return cold_check()


@pytest.mark.slow
def test_the_cold_costs_about_what_it_costs_real_cars(check: ColdCheck) -> None:
    """31 tests, nothing fitted to them: 1.29 measured in the median."""
    assert np.median(check.measured) == pytest.approx(1.294, abs=0.001)
    assert np.median(check.predicted) == pytest.approx(np.median(check.measured), rel=0.10)
    assert np.abs(check.error_pct).mean() < 12.0


@pytest.mark.slow
def test_the_report_has_the_figures(check: ColdCheck) -> None:
    text = str(check)
    assert text.startswith("cold: 31 tests of the FTP at -6.7 degC")
    assert f"mean |error| {np.abs(check.error_pct).mean():.1f} %" in text
