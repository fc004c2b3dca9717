"""Driving builds: from builds to the figures that a study reports."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kyotsu.sim.batch import simulate_batch
from kyotsu.sim.build import build_parameters, filled
from kyotsu.sim.fast_charge import charge_times_min
from kyotsu.sim.interval import consumption_bounds, range_bounds
from kyotsu.sim.label import label_of
from kyotsu.sim.parameters import FloatArray, VehicleParameters
from kyotsu.sim.performance import acceleration_time_s, gradeability_pct, ranges_km, top_speed_km_h
from kyotsu.sim.simulate import Results, simulate
from kyotsu.spec.build import AS_BUILT, Build, Drive
from kyotsu.spec.finding import Verdict
from kyotsu.study.costs import battery_cost_usd, drive_cost_usd
from kyotsu.study.requirements import Performance, requirement_findings
from kyotsu.study.results import BuildResult, CycleResult
from kyotsu.study.traces import Trace, traces

CYCLES = ("udds", "hwfet", "us06", "wltc_3b", "jc08", "nedc", "jp1015")
COMPILED_FROM = 1000  # builds from which it pays to compile in a first run: half a minute against as much of numpy
ENDLESS_KM = 1e6  # stands for an infinite range, which JSON cannot say


def drive_builds(
    builds: Sequence[tuple[Build, Verdict | None]], year: int
) -> tuple[tuple[BuildResult, ...], tuple[CycleResult, ...]]:
    """Every build, with the verdict of its parts' fit (`None`: not judged), over every cycle; `year` dates costs."""
    judged, driven, _ = _driven(builds, year)
    return judged, driven


def drive_one(
    build: Build, fit: Verdict | None, year: int
) -> tuple[BuildResult, tuple[CycleResult, ...], tuple[Trace, ...]]:
    """One build over every cycle, second by second as well."""
    (judged,), driven, results = _driven([(build, fit)], year, history=True)
    return judged, driven, () if results is None else traces(results)


def _driven(
    builds: Sequence[tuple[Build, Verdict | None]], year: int, history: bool = False
) -> tuple[tuple[BuildResult, ...], tuple[CycleResult, ...], Results | None]:
    if not builds:
        return (), (), None
    parameters = build_parameters(build for build, _ in builds)
    if history or len(builds) < COMPILED_FROM:
        results = simulate(parameters, CYCLES, history=history)
    else:
        results = simulate_batch(parameters, CYCLES)
    return (
        _build_results(builds, year, parameters, results),
        _cycle_results([build for build, _ in builds], parameters, results),
        results,
    )


def _build_results(
    builds: Sequence[tuple[Build, Verdict | None]], year: int, parameters: VehicleParameters, results: Results
) -> tuple[BuildResult, ...]:
    consumption = dict(zip(results.cycles, results.consumption_ac_wh_per_km.T, strict=True))
    ranges = _ranges_km(parameters, results)
    bounds = _bounds(consumption, ranges)
    label = label_of(consumption["udds"], consumption["hwfet"], ranges["udds"], ranges["hwfet"])
    performances = _performances([build for build, _ in builds], parameters, ranges)
    originals = {
        build.vehicle_name: found
        for (build, _), found in zip(builds, performances, strict=True)
        if build.kind == AS_BUILT
    }
    rows = []
    for index, ((build, fit), found) in enumerate(zip(builds, performances, strict=True)):
        reference = None if build.kind == AS_BUILT else originals.get(build.vehicle_name)
        rows.append(
            BuildResult(
                vehicle=build.vehicle_name,
                maker=build.vehicle_name.split("/")[0],
                name=build.vehicle.name,
                build=build.kind,
                parts=_parts(build),
                fit=fit,
                energy_kwh=build.pack.energy_kwh,
                usable_kwh=build.pack.usable_kwh,
                nominal_voltage_v=build.pack.nominal_voltage_v,
                curb_mass_kg=build.curb_mass_kg,
                test_mass_kg=build.test_mass_kg,
                udds_ac_wh_per_km=float(consumption["udds"][index]),
                hwfet_ac_wh_per_km=float(consumption["hwfet"][index]),
                wltc_ac_wh_per_km=float(consumption["wltc_3b"][index]),
                epa_range_km=float(label.range_km[index]),
                wltc_range_km=float(ranges["wltc_3b"][index]),
                zero_to_100_km_h_s=found.zero_to_100_km_h_s,
                top_speed_km_h=found.top_speed_km_h,
                gradeability_pct=found.gradeability_pct,
                charge_10_to_80_min=_finite(found.charge_10_to_80_min),
                battery_cost_usd=battery_cost_usd(build.pack.energy_kwh, build.pack.chemistry, year),
                drive_cost_usd=sum(drive_cost_usd(_hardware_power_kw(drive)) for drive in build.drives),
                requirements=requirement_findings(build.vehicle, found, reference),
                bounds={name: (float(low[index]), float(high[index])) for name, (low, high) in bounds.items()},
                generic=filled(build),
                notes=_notes(build, found),
            )
        )
    return tuple(rows)


def _performances(
    builds: Sequence[Build], parameters: VehicleParameters, ranges: dict[str, FloatArray]
) -> list[Performance]:
    sprint, fastest, steepest = (
        acceleration_time_s(parameters),
        top_speed_km_h(parameters),
        gradeability_pct(parameters),
    )
    return [
        Performance(
            range_km=float(ranges[build.vehicle.requirements.range_cycle][index]),
            zero_to_100_km_h_s=float(sprint[index]) if math.isfinite(sprint[index]) else None,
            top_speed_km_h=float(fastest[index]),
            gradeability_pct=float(steepest[index]),
            curb_mass_kg=build.curb_mass_kg,
            charge_10_to_80_min=charge,
            continuous_power_kw=build.continuous_power_kw,
        )
        for index, (build, charge) in enumerate(zip(builds, charge_times_min(builds, parameters.battery), strict=True))
    ]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _hardware_power_kw(drive: Drive) -> float:
    """A unit costs what its hardware can do, whatever rating it runs at."""
    return max(rating.peak_power_kw for rating in drive.eaxle.ratings)


def _ranges_km(parameters: VehicleParameters, results: Results) -> dict[str, FloatArray]:
    ranges = np.minimum(ranges_km(parameters, results), ENDLESS_KM)
    return dict(zip(results.cycles, ranges.T, strict=True))


def _bounds(consumption: dict[str, FloatArray], ranges: dict[str, FloatArray]) -> dict[str, tuple[FloatArray, ...]]:
    """Bounds of the figures that a study shows, each (low, high) of shape (vehicle,)."""
    city, highway = (range_bounds(ranges[cycle], cycle) for cycle in ("udds", "hwfet"))
    own = zip(city, highway, strict=True)  # both at once: errors on the two cycles go together
    labels = [label_of(1.0, 1.0, one, other).range_km for one, other in own]
    return {
        "udds_ac_wh_per_km": consumption_bounds(consumption["udds"], "udds"),
        "hwfet_ac_wh_per_km": consumption_bounds(consumption["hwfet"], "hwfet"),
        "wltc_ac_wh_per_km": consumption_bounds(consumption["wltc_3b"], "wltc_3b"),
        "epa_range_km": tuple(labels),
        "wltc_range_km": range_bounds(ranges["wltc_3b"], "wltc_3b"),
    }


def _parts(build: Build) -> tuple[str, ...]:
    drives = (f"{drive.mount.axle}: {drive.eaxle.name} at {drive.rating.peak_power_kw:g} kW" for drive in build.drives)
    return (f"battery: {build.pack.name}", *drives)


def _notes(build: Build, found: Performance) -> tuple[str, ...]:
    unknown = tuple(f"{field} unknown: mass not corrected for it" for field in build.unknown)
    generic = filled(build)
    never = ("a fast charger does not bring it to 80 %",) if found.charge_10_to_80_min == math.inf else ()
    return unknown + never + ((f"generic model for {', '.join(generic)}",) if generic else ())


def _cycle_results(builds: Sequence[Build], parameters: VehicleParameters, results: Results) -> tuple[CycleResult, ...]:
    ranges, limiters = _ranges_km(parameters, results), results.limiter()
    ledger = results.ledger._asdict()
    rows = []
    for index, build in enumerate(builds):
        for column, cycle in enumerate(results.cycles):
            missed = float(results.missed_s[index, column])
            consumed, far = float(results.consumption_ac_wh_per_km[index, column]), float(ranges[cycle][index])
            (least, most), (near, farthest) = consumption_bounds(consumed, cycle), range_bounds(far, cycle)
            rows.append(
                CycleResult(
                    vehicle=build.vehicle_name,
                    build=build.kind,
                    cycle=cycle,
                    distance_km=float(results.distance_km[index, column]),
                    dc_wh_per_km=float(results.consumption_dc_wh_per_km[index, column]),
                    ac_wh_per_km=consumed,
                    ac_low_wh_per_km=float(least),
                    ac_high_wh_per_km=float(most),
                    range_km=far,
                    range_low_km=float(near),
                    range_high_km=float(farthest),
                    missed_s=missed,
                    shortfall_km_h=float(results.shortfall_km_h[index, column]),
                    limited_by=limiters[index][column] if missed > 0 else "",
                    ledger={use.removesuffix("_wh"): float(values[index, column]) for use, values in ledger.items()},
                )
            )
    return tuple(rows)
