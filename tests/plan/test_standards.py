"""The choice against trying every family, and what bounds and wishes do to it."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations
from pathlib import Path

import pytest

from kyotsu.errors import InputError
from kyotsu.plan.decision import Decision, save_decision
from kyotsu.plan.family import Options, load_plans
from kyotsu.plan.settings import Wish
from kyotsu.plan.standards import Model
from plan.small import EAXLES, MODULES, VEHICLES, everything, model

POUND = 30_000.0  # USD; each cost of a choice is rounded to whole thousands


def wishing(own: Model, *wishes: Wish) -> Model:
    choice = own.settings.choice.model_copy(update={"wish": wishes})
    return replace(own, settings=replace(own.settings, choice=choice))


def families() -> list[tuple[str, ...]]:
    parts = (*MODULES, *EAXLES)
    return [*chain.from_iterable(combinations(parts, size) for size in range(2, len(parts) + 1))]


def cost_of_family(family: tuple[str, ...]) -> float:
    total = sum(model().once_usd(part) for part in family)
    for vehicle in VEHICLES:
        served = [
            tried.cost_usd
            for tried in everything()
            if tried.vehicle == vehicle and tried.serves and tried.module in family and set(tried.axles) <= set(family)
        ]
        if not served:
            return float("inf")
        total += min(served)
    return total


@pytest.fixture(scope="module")
def by_size() -> dict[int, float]:
    """The least cost of families of each size, by trying all."""
    best: dict[int, float] = {}
    for family in families():
        size = len(family)
        best[size] = min(best.get(size, float("inf")), cost_of_family(family))
    return best


@pytest.mark.slow
def test_the_choice_is_that_of_trying_every_family(by_size: dict[int, float]) -> None:
    for bound in range(2, 8):
        least = min(cost for size, cost in by_size.items() if size <= bound)
        if least == float("inf"):
            with pytest.raises(InputError, match="limits that leave enough parts"):
                model().choose(Options(variants=bound))
            continue
        plan = model().choose(Options(variants=bound))
        assert plan.proven
        assert plan.variants <= bound
        assert plan.cost_usd == pytest.approx(least, abs=POUND)
    assert model().choose(Options()).cost_usd == pytest.approx(min(by_size.values()), abs=POUND)


@pytest.mark.slow
def test_modules_and_axles_are_bounded_apart() -> None:
    plan = model().choose(Options(modules=1, axles=2))
    found = [
        cost_of_family((module, *axles))
        for module in MODULES
        for size in (1, 2)
        for axles in combinations(EAXLES, size)
    ]
    assert (len(plan.of_kind("battery_module")), len(plan.of_kind("eaxle"))) == (1, 2)
    assert plan.cost_usd == pytest.approx(min(found), abs=POUND)


def test_every_vehicle_is_built_and_meets_its_limits() -> None:
    plan = model().choose(Options())
    assert [item.vehicle for item in plan.assignments] == list(VEHICLES)
    assert all(figure.met for item in plan.assignments for figure in item.figures)
    parts = {item.part for item in plan.standards}
    for item in plan.assignments:
        assert item.battery.part in parts
        assert {axle.part for axle in item.axles} <= parts
        assert item.over_design_usd >= -POUND
    total = sum(item.once_usd for item in plan.standards) + sum(item.cost.total_usd for item in plan.assignments)
    assert plan.cost_usd == pytest.approx(total, abs=POUND)


def test_a_veto_is_heeded_and_costs() -> None:
    free = model().choose(Options())
    taken = next(axle.part for item in free.assignments if item.maker == "nissan" for axle in item.axles)
    plan = wishing(model(), Wish(maker="nissan", veto=(taken,))).choose(Options())
    assert all(axle.part != taken for item in plan.assignments if item.maker == "nissan" for axle in item.axles)
    assert plan.cost_usd >= free.cost_usd


def test_vetoes_that_leave_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="vetoes leave no build") as refused:
        wishing(model(), Wish(maker="nissan", veto=("*",))).choose(Options())
    assert {problem.found.split(",")[0] for problem in refused.value.problems} == {"nissan/leaf_40", "nissan/sakura"}


def test_what_a_maker_insists_on_is_in_the_family() -> None:
    free = model().choose(Options())
    part = next(name for name in MODULES if name not in {item.part for item in free.standards})
    plan = wishing(model(), Wish(maker="honda", must_have=(part,))).choose(Options())
    assert part in {item.part for item in plan.standards}
    assert plan.cost_usd > free.cost_usd


def test_wishes_against_bounds_and_for_parts_of_no_use_are_refused() -> None:
    insisting = wishing(model(), Wish(maker="honda", must_have=MODULES[:2]))
    with pytest.raises(InputError, match="insist on"):
        insisting.choose(Options(modules=1))
    with pytest.raises(InputError, match="serves no vehicle"):
        wishing(model(), Wish(maker="honda", must_have=("leaf_gen1_2s2p",))).choose(Options())


@pytest.mark.parametrize("options", [Options(variants=0), Options(modules=0), Options(axles=-1)])
def test_bounds_that_allow_nothing_are_refused(options: Options) -> None:
    with pytest.raises(InputError, match="Allow at least one"):
        model().choose(options)


def test_dual_sourcing_leaves_parts_of_one_supplier_out() -> None:
    plan = model().choose(Options(dual_source=True))
    assert all(len(item.suppliers) > 1 for item in plan.standards)
    assert plan.cost_usd >= model().choose(Options()).cost_usd


def test_vehicles_may_keep_their_own_parts() -> None:
    own = model(keep_own=True)
    plan = own.choose(Options())
    assert plan.proven
    assert plan.cost_usd <= model().choose(Options()).cost_usd
    assert plan.cost_usd <= plan.as_built_usd + POUND
    kept = own.choose(Options(variants=0))
    assert not kept.standards
    assert all(item.battery.part is None and all(axle.own for axle in item.axles) for item in kept.assignments)
    assert kept.cost_usd == pytest.approx(kept.as_built_usd, abs=POUND)


def test_makers_apart_cost_no_less_than_together() -> None:
    together = model().choose(Options())
    apart = [model().of_makers([maker]).choose(Options()) for maker in ("honda", "nissan")]
    assert together.cost_usd <= sum(plan.cost_usd for plan in apart) + POUND
    assert [item.vehicle for item in apart[1].assignments] == ["nissan/leaf_40", "nissan/sakura"]


def test_other_costs_and_volumes_move_the_choice() -> None:
    dear = model().priced({"module_standard_usd": 5e9, "eaxle_standard_usd": 5e9}).choose(Options())
    free = model().priced({"module_standard_usd": 0.0, "eaxle_standard_usd": 0.0}).choose(Options())
    assert dear.variants < free.variants
    assert dear.options.costs["module_standard_usd"] == 5e9
    more = model().priced({}, dict.fromkeys(VEHICLES, 1000000.0)).choose(Options())
    assert more.variants >= model().choose(Options()).variants


def test_more_standards_never_cost_more() -> None:
    costs = []
    for bound in range(3, 8):
        costs.append(model().choose(Options(variants=bound)).cost_usd)
    assert costs == sorted(costs, reverse=True)


def test_a_plan_comes_back_from_its_file(tmp_path: Path) -> None:
    plans = tuple(model().choose(Options(variants=bound)) for bound in (4, 5))
    save_decision(Decision(plans=plans, knee=4), tmp_path / "plans.json")
    assert load_plans(tmp_path / "plans.json") == plans
    (tmp_path / "plan.json").write_text(plans[0].model_dump_json(), "utf-8")
    assert load_plans(tmp_path / "plan.json") == plans[:1]


def test_shares_are_between_none_and_all() -> None:
    plan = model().choose(Options())
    assert 0.0 <= plan.commonality_by_volume() <= 1.0
    assert 0.0 <= plan.commonality_by_cost() <= 1.0
    assert plan.commonality_by_volume(1) == pytest.approx(1.0)
    assert plan.commonality_by_volume(3) == 0.0  # only two makers take part
