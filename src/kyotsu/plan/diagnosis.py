"""Why nothing serves a vehicle, and the least that would help.

The first question that no candidate answers is what stands in the way: an e-axle for each mount, a layout in the bay's
places and voltage window, a module that fits, an inverter that bears its voltage. Where builds fit but none meets all
limits, the nearest one is looked for: that whose figures miss their limits by the least, each as a share of the limit,
all together. Lower bounds of that order the builds, so that the search ends as soon as no other can be nearer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from kyotsu.plan.assortment import FloatArray
from kyotsu.plan.duty import RANGE, REQUIREMENT, Limit
from kyotsu.plan.laboratory import TABLED, Laboratory
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.battery_case import BatteryCase
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.fit import BatteryFitting, Fit, fit_eaxle
from kyotsu.spec.layout import MAX_LOST_SHARE, highest_voltage_v, places_for
from kyotsu.spec.slots import EAxleMount
from kyotsu.spec.vehicle import Vehicle

AT_ONCE = 2048  # builds simulated before the nearest so far is looked at
MOST_BUILDS = 60_000  # that are simulated to find the nearest
MOST_FITS = 300  # batteries that are asked in full what they lack
HOPELESS = 1e6  # stands for the infinite shortfall of a figure that is never reached


def mostly(left_out: Mapping[str, int], builds: int) -> str:
    """The reasons that leave out most, in words."""
    reasons = sorted(((count, reason) for reason, count in left_out.items() if count), reverse=True)[:4]
    listed = ", ".join(f"{reason} ({count:,})" for count, reason in reasons)
    return f"{builds:,} builds are left out, most by: {listed}" if listed else ""


def no_eaxle(name: str, vehicle: Vehicle, mount: EAxleMount, eaxles: Sequence[EAxle]) -> str:
    """Of a mount that no e-axle fits: the one that lacks least."""
    head = f"no e-axle fits the mount {mount.id}"
    if not eaxles:
        return f"{head}; there is none on offer"
    return f"{head}; {_nearest(fit_eaxle(name, vehicle, mount, eaxle) for eaxle in eaxles)}"


def no_layout(vehicle: Vehicle, modules: Sequence[BatteryModule]) -> str:
    """Of a bay in which no module has a layout: whether size or voltage is in the way, and the nearest window."""
    head = "no battery module fits the bay: none has a layout in it"
    placed = [module for module in modules if places_for(module, vehicle)]
    widened = [found for module in placed if (found := _window_for(module, vehicle)) is not None]
    if not widened:
        return f"{head}; of {len(modules)} modules {len(placed)} go into it"
    _, module, lowest, highest = min(widened, key=lambda item: item[0])
    electrical = vehicle.battery_bay.electrical
    changes = [
        f"{word} battery_bay.electrical.{name} to {value:.4g} V"
        for word, name, value, needed in (
            ("lower", "voltage_min_v", _down(lowest), lowest < (electrical.voltage_min_v or 0.0)),
            ("raise", "voltage_max_v", _up(highest), highest > (electrical.voltage_max_v or math.inf)),
        )
        if needed
    ]
    return (
        f"{head}; {len(placed)} of {len(modules)} go into it, but leave its voltage window. For a layout of "
        f"{module.id} {' and '.join(changes)}"
    )


def _window_for(module: BatteryModule, vehicle: Vehicle) -> tuple[float, BatteryModule, float, float] | None:
    """How far the vehicle's window must widen at least for a layout, and the window [V] that takes it."""
    electrical, curve = vehicle.battery_bay.electrical, module.open_circuit_voltage_v(MAX_LOST_SHARE)
    found = []
    for series in range(1, (places_for(module, vehicle) or 0) + 1):
        highest = highest_voltage_v(module, series) or 0.0
        lowest = math.inf if curve is None else series * curve
        above = max(highest / (electrical.voltage_max_v or math.inf) - 1.0, 0.0)
        below = max(1.0 - lowest / electrical.voltage_min_v, 0.0) if electrical.voltage_min_v else 0.0
        if above + below > 0.0:
            found.append((above + below, series, lowest, highest))
    if not found:
        return None
    away, _, lowest, highest = min(found)
    return away, module, lowest, highest


def nearest_battery(name: str, vehicle: Vehicle, lab: Laboratory) -> str:
    """Of a bay that no module fits in any layout: the one that lacks least, among those of most energy."""
    fits = []
    for row in np.argsort(-lab.usable_wh, kind="stable")[:MOST_FITS]:
        index = int(lab.batteries.module[row])
        if index < len(lab.modules):
            fitting = BatteryFitting(name, vehicle, lab.modules[index])
            case = BatteryCase(lab.modules[index], vehicle, lab.batteries.layouts[row])
            fits.append(fitting.fit(case, fitting.findings(case)))
    return f"no battery module fits the bay; {_nearest(fits)}"


def too_high_a_voltage(lab: Laboratory, fitting: Sequence[int]) -> str:
    """Of batteries that fit, and that no inverter of the e-axles that fit bears."""
    lowest, borne = np.nanmin(lab.highest_v[list(fitting)]), np.nanmax(lab.bears_v)
    return (
        f"every battery that fits has {_down(lowest):.4g} V or more at the end of charge, and the inverters of the "
        f"e-axles that fit bear {borne:.4g} V at most: add an e-axle for {_up(lowest):.4g} V, or a battery of less"
    )


def _nearest(fits: Iterable[Fit]) -> str:
    """The part whose checks deny least, and what they say."""
    nearest = min(fits, key=lambda fit: (fit.verdict.rank, len(fit.deciding)))
    layout = f" in {nearest.layout.text}" if nearest.layout is not None else ""
    return f"nearest is {nearest.part}{layout}: {' '.join(item.reason for item in nearest.deciding)}"


def nearest_build(lab: Laboratory, fits: Callable[[int], bool]) -> str | None:
    """Of builds that fit, the limits that the nearest misses and what they would have to be; `None` where none fits."""
    bounds = _least_shortfall(lab)
    order = np.argsort(bounds, axis=None, kind="stable")
    order = order[: int(np.isfinite(bounds).sum())]
    best, values, tried = math.inf, {}, 0
    known: dict[int, bool] = {}
    for first in range(0, order.size, AT_ONCE):
        part = order[first : first + AT_ONCE]
        if bounds.flat[part[0]] >= best or tried >= MOST_BUILDS:
            break
        battery, combination = np.unravel_index(part, bounds.shape)
        for row in np.unique(battery):
            if int(row) not in known:
                known[int(row)] = fits(int(row))
        fitting = np.array([known[int(row)] for row in battery])
        if not fitting.any():
            continue
        figures = lab.figures(battery[fitting], combination[fitting])
        tried += int(fitting.sum())
        total = sum((_short(limit, figures[limit.figure]) for limit in lab.limits), np.zeros(int(fitting.sum())))
        at = int(np.argmin(total))
        if total[at] < best:
            best, values = float(total[at]), {name: float(found[at]) for name, found in figures.items()}
    return None if not values else _relaxed(lab.limits, values)


def _short(limit: Limit, values: FloatArray) -> FloatArray:
    return np.minimum(limit.shortfall(values), HOPELESS)


def _least_shortfall(lab: Laboratory) -> FloatArray:
    """At least how far each build misses its limits, infinity where no inverter bears it; (battery, combination)."""
    battery, combination = np.arange(lab.count)[:, None], np.arange(lab.combinations)[None, :]
    total = np.where(lab.windows, 0.0, np.inf)
    for limit in lab.limits:
        if limit.figure in TABLED:
            total += _short(limit, lab.tabled(limit.figure, battery, combination))
        elif limit.figure == RANGE:
            total += _short(limit, lab.range_at_best(battery, combination))
    return total


def _relaxed(limits: Sequence[Limit], values: Mapping[str, float]) -> str:
    missed = [limit for limit in limits if not limit.met(np.array([values[limit.figure]]))[0]]
    listed = " and ".join(f"{limit.title} of {limit.direction} {limit.limit:.4g} {limit.unit}" for limit in missed)
    if len(missed) == 1:
        change = _change(missed[0], values[missed[0].figure], "it")
        return f"{listed}: met by no build that fits and meets the rest. {change}, or add a part"
    changes = "; ".join(_change(limit, values[limit.figure], limit.title) for limit in missed)
    return f"{listed}: met together by no build that fits. {changes}; or add a part"


def _change(limit: Limit, value: float, name: str) -> str:
    """What to write for a limit, so that a build of this value meets it."""
    key = f"requirements.{REQUIREMENT[limit.figure]}"
    if math.isinf(value):
        return f"{limit.title} is never reached: leave {key} out"
    least = limit.direction == "at least"
    shown = f"{_down(value) if least else _up(value):.4g} {limit.unit}"
    if not limit.stated:
        return f"State {key}, which now follows from the vehicle as built, as {shown}"
    return f"{'Lower' if least else 'Raise'} {name} to {shown} ({key})"


def _down(value: float) -> float:
    """Four digits, not above."""
    return _rounded(value, math.floor)


def _up(value: float) -> float:
    """Four digits, not below."""
    return _rounded(value, math.ceil)


def _rounded(value: float, rule: Callable[[float], int]) -> float:
    if value <= 0.0:
        return value
    step = 10.0 ** (math.floor(math.log10(value)) - 3)
    return rule(value / step) * step
