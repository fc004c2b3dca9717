"""The choice of standards as flat tables; a study without one has them empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kyotsu.study.choice import Choice
    from kyotsu.study.results import Study

Records = list[dict[str, Any]]


def choice_curve(study: Study) -> Records:
    """One record for each number of standards: the cheapest family, its cost and its proof."""
    if study.choice is None:
        return []
    return [
        {
            "variants": plan.variants,
            "battery_modules": len(plan.of_kind("battery_module")),
            "eaxles": len(plan.of_kind("eaxle")),
            "cost_usd": plan.cost_usd,
            "bound_usd": plan.bound_usd,
            "as_built_usd": plan.as_built_usd,
            "proven": plan.proven,
            "shared_volume_share": plan.commonality_by_volume(),
            "shared_cost_share": plan.commonality_by_cost(),
            "knee": plan.variants == study.choice.decision.knee,
        }
        for plan in study.choice.decision.plans
    ]


def choice_standards(study: Study) -> Records:
    """One record for each standard of each family."""
    if study.choice is None:
        return []
    return [
        {
            "variants": plan.variants,
            "kind": item.kind,
            "part": item.part,
            "name": item.name,
            "suppliers": "; ".join(item.suppliers),
            "scaled": item.scaled,
            "vehicles": "; ".join(item.vehicles),
            "units": item.units,
            "once_usd": item.once_usd,
        }
        for plan in study.choice.decision.plans
        for item in plan.standards
    ]


def choice_vehicles(study: Study) -> Records:
    """One record for each vehicle in each family: what it takes, costs and does."""
    if study.choice is None:
        return []
    return [
        {
            "variants": plan.variants,
            "vehicle": row.vehicle,
            "units": row.units,
            "battery": row.battery.part,
            "layout": f"{row.battery.series}s{row.battery.strings}p" if row.battery.part else None,
            "eaxles": "; ".join(f"{axle.mount}: {axle.part} {axle.rating}" for axle in row.axles),
            "energy_kwh": row.energy_kwh,
            "cost_usd": row.cost.total_usd,
            "over_design_usd": row.over_design_usd,
            "conditional": row.conditional,
            "unknown": row.unknown,
            "basis": row.basis,
            "figures": "; ".join(f"{item.title} {item.value:.6g} {item.unit}" for item in row.figures),
            "meets_all": all(item.met for item in row.figures),
        }
        for plan in study.choice.decision.plans
        for row in plan.assignments
    ]


def choice_sensitivities(study: Study) -> Records:
    """One record for each end of each coefficient's range: the best family there, and the one chosen."""
    if study.choice is None:
        return []
    return [
        {
            "coefficient": item.name,
            "assumed": item.value,
            "end": end,
            "value": outcome.value,
            "cost_usd": outcome.cost_usd,
            "kept_usd": outcome.kept_usd,
            "as_built_usd": outcome.as_built_usd,
            "proven": outcome.proven,
        }
        for item in study.choice.decision.sensitivities
        for end, outcome in (("low", item.low), ("high", item.high))
    ]


def choice_record(choice: Choice | None) -> dict[str, Any] | None:
    """All of the choice as plain data, for the report and JSON; `None` where there is none."""
    if choice is None:
        return None
    return {
        **choice.decision.model_dump(mode="json"),
        "shown": [plan.variants for plan in choice.shown],
        "commonality": [
            {"volume": plan.commonality_by_volume(), "cost": plan.commonality_by_cost()}
            for plan in choice.decision.plans
        ],
        "checked": [
            {"variants": item.variants, "cost_usd": item.cost_usd, "faults": list(item.faults)}
            for item in choice.checked
        ],
    }
