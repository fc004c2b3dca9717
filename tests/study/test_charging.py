"""The time at a fast charger, as a study shows it."""

from __future__ import annotations

from kyotsu.spec.build import AS_BUILT
from kyotsu.study import Study
from kyotsu.study.certainty import comparisons


def test_the_study_shows_it_of_every_car_with_direct_current(study: Study) -> None:
    for build in study.builds:
        stated = study.workspace.vehicles[build.vehicle].charging.dc_power_kw
        assert (build.charge_10_to_80_min is None) == (stated is None)
        assert any(found.check == "D6" for found in build.requirements) or not _required(study, build.vehicle)


def _required(study: Study, vehicle: str) -> bool:
    return study.workspace.vehicles[vehicle].requirements.charge_10_to_80_min is not None


def test_a_published_time_stands_beside_the_simulated(study: Study) -> None:
    (found,) = (one for one in comparisons(study) if one.figure == "charge_10_to_80_min")
    own = next(build for build in study.builds if (build.vehicle, build.build) == (found.vehicle, AS_BUILT))
    assert found.simulated == own.charge_10_to_80_min
    assert found.inside
