"""The e-axle: one hardware, several ratings, one description of its losses."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from kyotsu.spec.eaxle import EAxle, LossMap
from kyotsu.spec.workspace import Workspace
from spec.workspaces import changed, eaxle_of

RATING = {"id": "100kw", "peak_power_kw": 100.0, "peak_torque_nm": 250.0}


def eaxle(**values: Any) -> EAxle:
    return EAxle.model_validate({"id": "e", "name": "E", "supplier": "S", "ratings": [RATING], **values})


def test_all_but_identity_and_one_rating_may_be_unknown() -> None:
    bare = eaxle()
    assert bare.scope == "e_axle"
    assert bare.loss_model is None
    assert bare.reducer.ratio is None


def test_one_motor_serves_several_cars_at_several_powers() -> None:
    """Nissan's MM48 runs at 47, 50 and 100 kW."""
    ratings = [{"id": f"{power}kw", "peak_power_kw": power, "peak_torque_nm": 195.0} for power in (47.0, 50.0, 100.0)]
    ratings = [{**rating, "id": rating["id"].replace(".0", "")} for rating in ratings]  # type: ignore[attr-defined]
    assert [rating.peak_power_kw for rating in eaxle(ratings=ratings).ratings] == [47.0, 50.0, 100.0]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ratings": []}, "at least 1 item"),
        ({"ratings": [RATING, RATING]}, "two ratings share an id"),
        ({"ratings": [{**RATING, "continuous_power_kw": 101.0}]}, "must not exceed"),
        ({"ratings": [{**RATING, "peak_power_kw": -5.0}]}, "greater than"),
        ({"loss_model": {"t2": -0.1}}, "greater than or equal to 0"),
        ({"inverter": {"voltage_min_v": 400.0, "voltage_max_v": 300.0}}, "at most voltage_max_v"),
        ({"inverter": {"full_power_min_v": 400.0, "full_power_max_v": 300.0}}, "at most full_power_max_v"),
        ({"inverter": {"voltage_min_v": 300.0, "full_power_min_v": 250.0}}, "must not exceed"),
        ({"inverter": {"full_power_max_v": 420.0, "voltage_max_v": 410.0}}, "must not exceed"),
        ({"inverter": {"voltage_min_v": 300.0, "voltage_max_v": 290.0, "full_power_min_v": 295.0}}, "at most"),
        ({"motor": {"max_speed_rpm": 12000.0, "overspeed_rpm": 11000.0}}, "must not be below"),
        ({"motor": {"type": "reluctance"}}, "Input should be"),
        ({"scope": "gearbox"}, "Input should be"),
        ({"reducer": {"efficiency": 1.01}}, "less than or equal to 1"),
    ],
)
def test_what_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        eaxle(**values)


def test_losses_are_a_model_or_a_map_not_both(two_makers: Workspace) -> None:
    loss_map = {"speed_rpm": [0.0, 1.0], "torque_nm": [0.0, 1.0], "loss_w": [[0.0, 1.0], [1.0, 2.0]]}
    assert changed(eaxle_of(two_makers), {"loss_model": None, "loss_map": loss_map}).loss_map is not None
    with pytest.raises(ValidationError, match="loss_model and loss_map are both given"):
        changed(eaxle_of(two_makers), {"loss_map": loss_map})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"loss_w": [[0.0, 1.0]]}, "at least 2 items"),
        ({"loss_w": [[0.0, 1.0]] * 3}, "3 rows, must have one for each of 2 torques"),
        ({"loss_w": [[0.0, 1.0], [0.0]]}, "one entry for each of 2 speeds"),
        ({"speed_rpm": [1.0, 1.0]}, "speed_rpm must rise"),
        ({"torque_nm": [2.0, 1.0]}, "torque_nm must rise"),
        ({"loss_w": [[0.0, -1.0], [0.0, 0.0]]}, "greater than or equal to 0"),
    ],
)
def test_a_loss_map_is_a_rectangle_over_rising_axes(change: dict[str, Any], words: str) -> None:
    whole = {"speed_rpm": [0.0, 1.0], "torque_nm": [0.0, 1.0], "loss_w": [[0.0, 1.0], [1.0, 2.0]]}
    assert LossMap.model_validate(whole)
    with pytest.raises(ValidationError, match=words):
        LossMap.model_validate(whole | change)
