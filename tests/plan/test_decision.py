"""The whole answer on a choice that is small enough to ask it many times."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from kyotsu.errors import InputError
from kyotsu.plan.decision import Decision, decide, load_decision, save_decision, sharing
from kyotsu.plan.family import Options, load_plans
from plan.small import model

POUND = 30_000.0  # USD; each cost of a choice is rounded to whole thousands


@cache
def decision() -> Decision:
    return decide(model(), Options())


@pytest.mark.slow
def test_each_point_is_what_is_chosen_for_so_many_alone() -> None:
    assert decision().complete
    assert decision().proven
    costs = [plan.cost_usd for plan in decision().plans]
    assert costs == sorted(costs, reverse=True)
    assert decision().plans[0].variants <= decision().knee <= decision().best.variants
    for plan in decision().plans:
        alone = model().choose(Options(variants=plan.variants))
        assert alone.cost_usd == plan.cost_usd
        assert plan.options.variants in (plan.variants, None)
    with pytest.raises(InputError):
        model().choose(Options(variants=decision().plans[0].variants - 1))


@pytest.mark.slow
def test_the_makers_pay_the_whole_and_no_group_more_than_alone() -> None:
    shared = decision().sharing
    assert shared is not None
    for split in ("agreed_usd", "shapley_usd"):
        assert sum(getattr(gain, split) for gain in shared.gains) == pytest.approx(decision().best.cost_usd)
    assert sum(gain.as_built_usd for gain in shared.gains) == pytest.approx(decision().best.as_built_usd)
    for coalition in shared.coalitions:
        alone = model().of_makers(coalition.makers).choose(Options())
        assert alone.cost_usd == pytest.approx(coalition.cost_usd)
        paid = sum(gain.agreed_usd for gain in shared.gains if gain.maker in coalition.makers)
        assert shared.core_is_empty or paid <= coalition.cost_usd + 1.0


def test_one_maker_shares_with_nobody() -> None:
    assert sharing(model().of_makers(("nissan",)), Options()) is None


@pytest.mark.slow
def test_a_sensitivity_is_the_choice_made_again() -> None:
    rows = {item.name: item for item in decision().sensitivities}
    assert {"demand", "pack_price_ratio", "module_standard_usd", "unknown_usd"} <= rows.keys()
    spans = [abs(item.high.cost_usd - item.low.cost_usd) for item in decision().sensitivities]
    assert spans == sorted(spans, reverse=True)
    for item in decision().sensitivities:
        for end in (item.low, item.high):
            assert end.kept_usd is None or end.kept_usd >= end.cost_usd
    price = rows["pack_price_ratio"]
    again = model().priced({"pack_price_ratio": price.low.value}).choose(Options())
    assert again.cost_usd == price.low.cost_usd
    assert {item.part for item in again.standards} == set(price.low.parts)
    less = model().priced({}, {ways.vehicle: 0.5 * ways.units for ways in model().ways})
    assert less.choose(Options()).cost_usd == rows["demand"].low.cost_usd


@pytest.mark.slow
def test_scenarios_bound_the_regret_of_the_chosen_family() -> None:
    found = decision().robustness
    assert found is not None
    assert found.scenarios[0] == "as assumed"
    assert found.best_usd[0] == decision().best.cost_usd
    own = found.families[found.chosen]
    assert set(own.parts) == {item.part for item in decision().best.standards}
    regrets = [family.greatest_usd for family in found.families if family.greatest_usd is not None]
    assert regrets == sorted(regrets)
    assert found.bound_usd <= regrets[0] + 1.0
    scenario = model().settings.choice.scenario[0]
    units = {
        ways.vehicle: ways.units * scenario.factor(ways.vehicle, ways.base.vehicle.markets) for ways in model().ways
    }
    assert model().priced(scenario.costs, units).choose(Options()).cost_usd == found.best_usd[1]


def test_factors_of_a_scenario_multiply_and_markets_are_averaged() -> None:
    scenario = next(item for item in model().settings.choice.scenario if item.id == "small_cars_win")
    assert scenario.factor("honda/honda_e", ("europe", "japan")) == pytest.approx(2.0 * 1.4)
    assert scenario.factor("nissan/sakura", ("japan",)) == pytest.approx(1.8)
    assert scenario.factor("nissan/x", ()) == 1.0


@pytest.mark.slow
def test_an_interrupted_answer_keeps_its_plans(tmp_path: Path) -> None:
    def stop(step: str) -> None:
        if step == "scenarios":
            raise KeyboardInterrupt

    found = decide(model(), Options(), report=stop)
    assert not found.complete
    assert found.plans == decision().plans or [plan.cost_usd for plan in found.plans] == [
        plan.cost_usd for plan in decision().plans
    ]
    assert found.sharing == decision().sharing
    assert found.robustness is None
    save_decision(found, tmp_path / "choice.json")
    assert load_decision(tmp_path / "choice.json") == found
    assert load_plans(tmp_path / "choice.json") == found.plans
    assert [path.name for path in tmp_path.iterdir()] == ["choice.json"]


def test_a_decision_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "choice.json"
    path.write_text('{"format": 1, "plans": [], "knee": "five"}')
    with pytest.raises(InputError, match="knee"):
        load_decision(path)
    with pytest.raises(InputError, match="no such file"):
        load_decision(tmp_path / "none.json")


@pytest.mark.slow
def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="a file to write"):
        save_decision(decision(), tmp_path / "file" / "choice.json")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
