"""A plan that holds is found to hold; one that was bent is not, and says where."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kyotsu.plan import evaluate as room
from kyotsu.plan.evaluate import Evaluation, _Evaluator
from kyotsu.plan.family import Options, Plan
from kyotsu.plan.settings import Wish
from plan.small import model, parts, settings, workspace


def checked(plan: Plan, **others: Any) -> Evaluation:
    """As `evaluate` does, with the few vehicles and parts of the small choice."""
    given = {"settings": _small_settings(), **others}
    return _Evaluator(plan, workspace(), given["settings"], parts(), model().costs).run()


def _small_settings() -> Any:
    return replace(settings(), units_per_year={name: settings().units_per_year[name] for name in workspace().vehicles})


@pytest.fixture(scope="module")
def plan() -> Plan:
    return model().choose(Options(variants=5))


def bent(plan: Plan, index: int = 0, **changes: Any) -> Plan:
    items = list(plan.assignments)
    items[index] = items[index].model_copy(update=changes)
    return plan.model_copy(update={"assignments": tuple(items)})


def test_a_plan_holds(plan: Plan) -> None:
    found = checked(plan)
    assert found.faults == ()
    assert found.holds
    assert found.cost_usd == pytest.approx(plan.cost_usd, abs=30_000.0)


@pytest.mark.slow
def test_with_parts_of_their_own_too() -> None:
    for variants in (0, 3):
        assert checked(model(keep_own=True).choose(Options(variants=variants))).faults == ()


def test_the_evaluator_simulates_by_another_way_than_the_choice(plan: Plan) -> None:
    assert not {"simulate_batch", "solve", "explore"} & vars(room).keys()


def test_a_cheaper_claim_is_caught(plan: Plan) -> None:
    found = checked(plan.model_copy(update={"cost_usd": 0.999 * plan.cost_usd, "bound_usd": 0.999 * plan.cost_usd}))
    assert "found anew" in " ".join(found.faults)


def test_a_bound_above_the_cost_is_caught(plan: Plan) -> None:
    assert "bound" in " ".join(checked(plan.model_copy(update={"bound_usd": 1.01 * plan.cost_usd})).faults)


def test_fewer_modules_than_the_range_needs_are_caught(plan: Plan) -> None:
    index = next(i for i, item in enumerate(plan.assignments) if item.battery.strings > 1)
    battery = plan.assignments[index].battery.model_copy(update={"strings": 1})
    faults = " ".join(checked(bent(plan, index, battery=battery)).faults)
    assert "range" in faults
    assert "found anew" in faults


def test_a_layout_that_the_bay_does_not_take_is_caught(plan: Plan) -> None:
    battery = plan.assignments[0].battery.model_copy(update={"series": 40})
    assert "is no layout of its bay" in " ".join(checked(bent(plan, battery=battery)).faults)


def test_a_part_that_fails_is_caught(plan: Plan) -> None:
    index = next(i for i, item in enumerate(plan.assignments) if item.vehicle == "honda/honda_e")
    axle = plan.assignments[index].axles[0].model_copy(update={"part": "kyotsu_ea_small", "rating": "70kw"})
    faults = " ".join(checked(bent(plan, index, axles=(axle,))).faults)
    assert "kyotsu_ea_small in rear is fail" in faults


def test_a_vehicle_that_is_missing_twice_or_foreign_is_caught(plan: Plan) -> None:
    first = plan.assignments[0]
    assert "is not built" in " ".join(checked(plan.model_copy(update={"assignments": plan.assignments[1:]})).faults)
    doubled = plan.model_copy(update={"assignments": (*plan.assignments, first)})
    assert "is built 2 times" in " ".join(checked(doubled).faults)
    assert "no vehicle of the choice" in " ".join(checked(bent(plan, vehicle="honda/none")).faults)


def test_unknown_parts_ratings_and_standards_are_caught(plan: Plan) -> None:
    axle = plan.assignments[0].axles[0]
    for change in ({"part": "none"}, {"rating": "none"}):
        axles = (axle.model_copy(update=change), *plan.assignments[0].axles[1:])
        assert "does not know" in " ".join(checked(bent(plan, axles=axles)).faults)
    foreign = plan.standards[0].model_copy(update={"part": "none"})
    family = plan.model_copy(update={"standards": (*plan.standards, foreign)})
    assert "none: no such candidate" in " ".join(checked(family).faults)


def test_parts_outside_the_family_are_caught(plan: Plan) -> None:
    assert "not in the family" in " ".join(checked(plan.model_copy(update={"standards": plan.standards[1:]})).faults)


def test_bounds_are_checked(plan: Plan) -> None:
    tight = plan.model_copy(update={"options": Options(variants=1, modules=0, axles=1)})
    assert sum("allowed" in fault for fault in checked(tight).faults) == 3


def test_other_units_are_caught(plan: Plan) -> None:
    assert "units in the plan" in " ".join(checked(bent(plan, units=1.0)).faults)


def test_wishes_are_checked(plan: Plan) -> None:
    choice = settings().choice.model_copy(
        update={"wish": (Wish(maker="honda", veto=("*",)), Wish(maker="nissan", must_have=("nissan_em57",)))}
    )
    faults = " ".join(checked(plan, settings=replace(_small_settings(), choice=choice)).faults)
    assert "which honda refuses" in faults
    assert "nissan insists on nissan_em57" in faults


def test_refused_unknowns_are_checked() -> None:
    own = model().choose(Options())
    if not any(item.unknown for item in own.assignments):
        index = next(i for i, item in enumerate(own.assignments) if item.vehicle == "nissan/leaf_40")
        axle = own.assignments[index].axles[0].model_copy(update={"part": "nissan_em57", "rating": "110kw"})
        own = bent(own, index, axles=(axle,))
    strict = own.model_copy(update={"options": Options(accept_unknown=False)})
    assert "is unknown" in " ".join(checked(strict).faults)
