"""A study as flat tables: one list of records for each, the source of Parquet, JSON and the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kyotsu import __version__
from kyotsu.spec.build import AS_BUILT, COMMON
from kyotsu.study.certainty import CYCLE_OF, RESTS_ON, comparisons, rests_on, told_apart
from kyotsu.study.choice_tables import (
    choice_curve,
    choice_record,
    choice_sensitivities,
    choice_standards,
    choice_vehicles,
)
from kyotsu.study.costs import COST_SOURCE, DRIVE_SOURCE
from kyotsu.study.results import BuildResult, Study

Records = list[dict[str, Any]]

CHANGES = (
    "udds_ac_wh_per_km",
    "hwfet_ac_wh_per_km",
    "wltc_ac_wh_per_km",
    "epa_range_km",
    "wltc_range_km",
    "zero_to_100_km_h_s",
    "top_speed_km_h",
    "gradeability_pct",
    "charge_10_to_80_min",
    "curb_mass_kg",
    "cost_usd",
)


def fits(study: Study) -> Records:
    """One record for each part in each slot."""
    return [fit.record() for fit in study.fits]


def findings(study: Study) -> Records:
    """One record for each check of each part in each slot."""
    return [
        {"vehicle": fit.vehicle, "slot": fit.slot, "part": fit.part, **finding.record()}
        for fit in study.fits
        for finding in fit.findings
    ]


def build_record(build: BuildResult) -> dict[str, Any]:
    """A build's figures."""
    return {
        "vehicle": build.vehicle,
        "maker": build.maker,
        "name": build.name,
        "build": build.build,
        "parts": "; ".join(build.parts),
        "fit": build.fit.value if build.fit else None,
        "requirements": build.verdict.value,
        "energy_kwh": build.energy_kwh,
        "usable_kwh": build.usable_kwh,
        "nominal_voltage_v": build.nominal_voltage_v,
        "test_mass_kg": build.test_mass_kg,
        "battery_cost_usd": build.battery_cost_usd,
        "drive_cost_usd": build.drive_cost_usd,
        **{name: getattr(build, name) for name in CHANGES},
        **{
            bound_name(name, which): bounds[place]
            for name, bounds in build.bounds.items()
            for place, which in enumerate(("low", "high"))
        },
        "notes": "; ".join(build.notes),
    }


def bound_name(figure: str, which: str) -> str:
    """The column of a figure's bound: `wltc_range_low_km` of `wltc_range_km`."""
    unit = next(unit for unit in ("wh_per_km", "km") if figure.endswith(unit))
    return f"{figure.removesuffix(unit)}{which}_{unit}"


def builds(study: Study) -> Records:
    """One record for each build."""
    return [build_record(build) for build in study.builds]


def requirements(study: Study) -> Records:
    """One record for each requirement of each build."""
    return [
        {"vehicle": build.vehicle, "build": build.build, **finding.record()}
        for build in study.builds
        for finding in build.requirements
    ]


def cycles(study: Study) -> Records:
    """One record for each build and drive cycle, its energy ledger in columns."""
    return [
        {
            **{name: getattr(result, name) for name in result.__dataclass_fields__ if name != "ledger"},
            **{f"{use}_wh": energy for use, energy in result.ledger.items()},
        }
        for result in study.cycles
    ]


def changes(study: Study) -> Records:
    """One record for each rebuilt vehicle: every figure as built, with common parts, and the difference."""
    before = {build.vehicle: build for build in study.builds if build.build == AS_BUILT}
    result: Records = []
    for after in study.builds:
        if after.build != COMMON or after.vehicle not in before:
            continue
        old = before[after.vehicle]
        record: dict[str, Any] = {
            "vehicle": after.vehicle,
            "name": after.name,
            "fit": after.fit.value if after.fit else None,
            "requirements": after.verdict.value,
        }
        for name in CHANGES:
            was, now = getattr(old, name), getattr(after, name)
            record[f"{name}_as_built"], record[f"{name}_common"] = was, now
            record[f"{name}_change"] = None if was is None or now is None else now - was
            if name in CYCLE_OF:
                record[f"{name}_told_apart"] = told_apart(name, was, now)
            if name in RESTS_ON:
                record[f"{name}_rests_on"] = ", ".join(rests_on(name, old, after))
        result.append(record)
    return result


def published(study: Study) -> Records:
    """One record for each published figure of a vehicle, beside the same figure of its build as built."""
    return [
        {
            "vehicle": item.vehicle,
            "name": item.name,
            "figure": item.figure,
            "published": item.published,
            "simulated": item.simulated,
            "low": item.low,
            "high": item.high,
            "difference_pct": item.difference_pct,
            "inside": item.inside,
        }
        for item in comparisons(study)
    ]


def unknowns(study: Study) -> Records:
    """One record for each field that nobody stated."""
    return [
        {
            "ask": item.ask,
            "record": item.record,
            "field": item.field,
            "question": item.question,
            "checks": ", ".join(item.checks),
            "pairs": item.pairs,
            "file": item.location.file,
            "line": item.location.line,
        }
        for item in study.unknowns
    ]


def not_built(study: Study) -> Records:
    """One record for each build that could not be made."""
    return [{"vehicle": item.vehicle, "build": item.build, "reason": item.reason} for item in study.not_built]


TABLES: Mapping[str, Callable[[Study], Records]] = {
    "fits": fits,
    "findings": findings,
    "builds": builds,
    "requirements": requirements,
    "cycles": cycles,
    "changes": changes,
    "published": published,
    "unknowns": unknowns,
    "not_built": not_built,
    "choice_curve": choice_curve,
    "choice_standards": choice_standards,
    "choice_vehicles": choice_vehicles,
    "choice_sensitivities": choice_sensitivities,
}


def study_record(study: Study) -> dict[str, Any]:
    """The whole study as plain data."""
    head = study.workspace.alliance
    return {
        "kyotsu": __version__,
        "alliance": head.name,
        "year": head.year,
        "makers": {key: maker.name for key, maker in study.workspace.makers.items()},
        "vehicles": {key: vehicle.name for key, vehicle in study.workspace.vehicles.items()},
        "parts": {
            key: {
                "name": part.name,
                "supplier": part.supplier,
                "life_cycle": part.life_cycle,
                "conforms_to": list(part.conforms_to),
            }
            for key, part in study.workspace.parts.items()
        },
        "seconds": study.seconds,
        "cost_sources": [COST_SOURCE, DRIVE_SOURCE],
        "files": {name: (records.__doc__ or "").rstrip(".") for name, records in TABLES.items()},
        **{name: records(study) for name, records in TABLES.items()},
        "choice": choice_record(study.choice),
    }
