"""What becomes of a family when costs, demand or the inverters' window are other than assumed.

    sensitivities     each coefficient at the ends of its range, one at a time: the family kept, and the best one
    robustness        scenarios in which several things change at once: the family that is regretted least
    widened           the workspace with wider voltage windows, to be explored anew

The family is chosen before anybody knows; who uses which of its parts may change after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from kyotsu.plan.assortment import BoolArray
from kyotsu.plan.branch import solve
from kyotsu.plan.costs import coefficients
from kyotsu.plan.curve import interrupted
from kyotsu.plan.family import Options, Plan
from kyotsu.plan.menus import OWN, THOUSAND
from kyotsu.plan.relaxation import NOWHERE, arrays
from kyotsu.plan.robust import least_regret
from kyotsu.plan.search import cost_of
from kyotsu.plan.standards import Model
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.record import Table
from kyotsu.spec.vehicle import Vehicle
from kyotsu.spec.workspace import Workspace

DEMAND_LOW, DEMAND_HIGH = 0.5, 1.5  # -, of the units of every vehicle; our assumption
BASE = "as assumed"

Report = Callable[[str], None]


class Outcome(Table):
    """One end of a range: what is assumed there, and what that does.

    Attributes:
        value: of the coefficient.
        cost_usd: of the best family there.
        kept_usd: of the family chosen without knowing it; `None` where it serves no more.
        as_built_usd: with every part a vehicle's own.
        parts: of the best family.
        proven: whether it is known to be best.
    """

    value: float
    cost_usd: float
    kept_usd: float | None
    as_built_usd: float
    parts: tuple[str, ...]
    proven: bool


class Sensitivity(Table):
    """What one coefficient does over its range.

    Attributes:
        name: of the coefficient, or `demand`.
        value: as assumed.
    """

    name: str
    value: float
    low: Outcome
    high: Outcome


class Regret(Table):
    """One family under every scenario, in their order.

    Attributes:
        parts: its standards.
        cost_usd: `None` where some vehicle cannot be built.
        greatest_usd: the most that it costs beyond the best family of a scenario; `None` likewise.
    """

    parts: tuple[str, ...]
    cost_usd: tuple[float | None, ...]
    greatest_usd: float | None


class Robustness(Table):
    """Families under scenarios.

    Attributes:
        scenarios: ids; the first is as assumed.
        best_usd: the least cost in each.
        families: that were met, least regret first.
        chosen: index of the family of the plan.
        bound_usd: no family is regretted less than this.
        proven: whether the first family is known to be regretted least.
    """

    scenarios: tuple[str, ...]
    best_usd: tuple[float, ...]
    families: tuple[Regret, ...]
    chosen: int
    bound_usd: float
    proven: bool


def sensitivities(
    model: Model, plan: Plan, *, seconds: float = 60.0, report: Report = lambda name: None
) -> tuple[Sensitivity, ...]:
    """Each coefficient and the demand at both ends of its range, the rest as assumed; widest first.

    Args:
        model: explored.
        plan: of it, whose family is kept.
        seconds: time for each proof.
        report: told each coefficient as it begins.
    """
    kept = opened(model, plan)
    found: list[Sensitivity] = []
    for name, value, low, high in _ranges(model):
        report(name)
        ends = []
        for end in (low, high):
            changed = _scaled(model, end) if name == "demand" else model.priced({name: end})
            outcome = _outcome(changed, plan.options, kept, end, seconds)
            if outcome is None:
                return _widest_first(found)  # interrupted
            ends.append(outcome)
        found.append(Sensitivity(name=name, value=value, low=ends[0], high=ends[1]))
    return _widest_first(found)


def _widest_first(found: list[Sensitivity]) -> tuple[Sensitivity, ...]:
    return tuple(sorted(found, key=lambda item: -abs(item.high.cost_usd - item.low.cost_usd)))


def _ranges(model: Model) -> Iterator[tuple[str, float, float, float]]:
    yield "demand", 1.0, DEMAND_LOW, DEMAND_HIGH
    idle = {"value_added_share", "reference_units"} if not model.costs["volume_effect_share"] else set()
    idle |= set() if model.keep_own else {"own_renewal_ratio"}  # then it moves only what all is compared with
    for name, entry in coefficients().items():
        if entry.low < entry.high and name not in idle:
            yield name, model.costs[name], entry.low, entry.high


def _scaled(model: Model, factor: float) -> Model:
    return model.priced({}, {item.vehicle: item.units * factor for item in model.ways})


def opened(model: Model, plan: Plan) -> BoolArray:
    """The parts of a plan's family as a mask, shape (part,)."""
    family = {OWN, *(item.part for item in plan.standards)}
    return np.array([name in family for name in model.part_names])


def _outcome(model: Model, options: Options, kept: BoolArray, value: float, seconds: float) -> Outcome | None:
    choice = model.bounded(options)
    answer = solve(choice, seconds=seconds, start=kept.copy())
    if interrupted(answer, seconds):
        return None
    return Outcome(
        value=value,
        cost_usd=answer.cost * THOUSAND,
        kept_usd=_usd(cost_of(arrays(choice.usable()), kept)),
        as_built_usd=model.as_built_usd(),
        parts=family_of(model, answer.is_open),
        proven=answer.proven,
    )


def family_of(model: Model, is_open: BoolArray) -> tuple[str, ...]:
    """The ids of open parts."""
    return tuple(name for name, taken in zip(model.part_names, is_open, strict=True) if taken and name != OWN)


def _usd(cost: float) -> float | None:
    return cost * THOUSAND if cost < NOWHERE else None


def robustness(model: Model, plan: Plan, *, seconds: float = 30.0) -> Robustness | None:
    """The family of a plan and others under the workspace's scenarios; `None` where it states none.

    Args:
        model: explored.
        plan: of it.
        seconds: time for each proof.
    """
    scenarios = model.settings.choice.scenario
    if not scenarios:
        return None
    models = [model]
    for scenario in scenarios:
        units = {
            item.vehicle: item.units * scenario.factor(item.vehicle, item.base.vehicle.markets) for item in model.ways
        }
        models.append(model.priced(scenario.costs, units))
    choices = [changed.bounded(plan.options) for changed in models]
    names = (BASE, *(scenario.id for scenario in scenarios))
    found = least_regret(choices, names, seconds=seconds, families=[opened(model, plan)])
    greatest = found.greatest_regret
    own = next(index for index, family in enumerate(found.families) if np.array_equal(family, opened(model, plan)))
    twins = {cost.tobytes(): index for index, cost in reversed([*enumerate(found.cost)])}  # equal in every scenario
    twins[found.cost[own].tobytes()] = own
    order = sorted(twins.values(), key=lambda index: float(greatest[index]))
    return Robustness(
        scenarios=names,
        best_usd=tuple((found.best * THOUSAND).tolist()),
        families=tuple(
            Regret(
                parts=family_of(model, found.families[index]),
                cost_usd=tuple(_usd(cost) for cost in found.cost[index].tolist()),
                greatest_usd=_usd(float(greatest[index])),
            )
            for index in order
        ),
        chosen=order.index(own),
        bound_usd=found.bound * THOUSAND,
        proven=found.proven,
    )


# --- voltage windows ---


def widened(workspace: Workspace, share: float) -> Workspace:
    """The workspace with every voltage window wider by a share at both ends, up to the limit of its class.

    Bays, mounts and inverters alike, so that all that stands on the vehicle's bus goes with it.
    """
    return replace(
        workspace,
        vehicles={name: _wide_vehicle(vehicle, share) for name, vehicle in workspace.vehicles.items()},
        eaxles={name: _wide_eaxle(eaxle, share) for name, eaxle in workspace.eaxles.items()},
    )


def _wide_vehicle(vehicle: Vehicle, share: float) -> Vehicle:
    bay = vehicle.battery_bay
    mounts = tuple(
        mount.model_copy(update={"electrical": _wide(mount.electrical, share)}) for mount in vehicle.eaxle_mounts
    )
    wide = bay.model_copy(update={"electrical": _wide(bay.electrical, share)})
    return vehicle.model_copy(update={"battery_bay": wide, "eaxle_mounts": mounts})


def _wide_eaxle(eaxle: EAxle, share: float) -> EAxle:
    return eaxle.model_copy(update={"inverter": _wide(eaxle.inverter, share)})


def _wide(electrical: Any, share: float) -> Any:
    limit = getattr(electrical, "class_limit_v", None) or np.inf
    changes: Mapping[str, float] = {
        "voltage_min_v": 1.0 - share,
        "full_power_min_v": 1.0 - share,
        "full_power_max_v": 1.0 + share,
        "voltage_max_v": 1.0 + share,
    }
    stated = {name: getattr(electrical, name, None) for name in changes}
    return electrical.model_copy(
        update={name: min(value * changes[name], limit) for name, value in stated.items() if value is not None}
    )
