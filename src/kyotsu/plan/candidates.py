"""The battery modules and e-axles that might be made common: those on offer, and scaled ones.

A scaled part takes the interfaces, limits and curves of a part on offer and changes its size:

    battery module   cell capacity x cells in series x cells in parallel x section
    e-axle           stack length x turns x inverter current, at the part's voltage class

The rules are those of similar designs: energy, mass and currents follow the cells, resistance their number in series
over parallel and their capacity; torque follows stack length times ampere-turns, power the inverter's current, copper
loss the torque squared over the length. Every scaled value is `assumed` until a supplier states it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from kyotsu.errors import InputError, Problem
from kyotsu.plan.settings import CellClass, Choice, EAxleClass, Settings
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.workspace import Workspace

ENDED = frozenset({"service_only", "ended"})  # life cycles of parts that nobody makes common any more
END_PLATES_MM = 16.0  # of a module's length, both together; our assumption, so that 8 cells of 28 mm make 240 mm
MOTOR_FIXED = 0.35  # -, of a motor's mass, whatever its stack: shields, shaft, resolver; our assumption
INVERTER_FIXED = 0.5  # -, of an inverter's mass, whatever its current: case, filter, control; our assumption
REDUCER_FIXED = 0.3  # -, of a reducer's mass, whatever its torque; our assumption
LENGTH_FIXED = 0.6  # -, of an e-axle's length, whatever its stack; our assumption
END_WINDING = 0.5  # -, copper outside the stack over that inside, of the part scaled from; our assumption
CONTINUOUS_MOST = 0.6  # -, of peak power, that a unit holds for 30 minutes; our assumption
RATING_TORQUE = 0.85  # -, of full torque that a rating of no power would keep; from the ratings of kyotsu_ea_large
RATING_CONTINUOUS = 0.5  # -, of continuous power, likewise


@dataclass(frozen=True)
class Candidates:
    """Everything that may be opened.

    Attributes:
        battery_modules, eaxles: by id.
        cost_ratio: of scaled battery modules whose cells cost more or less than their chemistry does.
        scaled: ids of the parts that are on nobody's list yet.
        sources: who makes a part, or could.
    """

    battery_modules: Mapping[str, BatteryModule]
    eaxles: Mapping[str, EAxle]
    cost_ratio: Mapping[str, float] = field(default_factory=dict)
    scaled: frozenset[str] = frozenset()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def suppliers(self, part: str) -> tuple[str, ...]:
        """Who makes a part, or could, each once."""
        record = self.battery_modules.get(part) or self.eaxles.get(part)
        proposed = record is None or record.life_cycle == "proposal"  # which nobody makes yet
        own = () if record is None or (proposed and part in self.sources) else (record.supplier,)
        return tuple(dict.fromkeys((*own, *self.sources.get(part, ()))))


def candidates(workspace: Workspace, settings: Settings) -> Candidates:
    """The parts on offer and the scaled ones.

    Raises:
        InputError: a part to scale from lacks a value that scaling needs, or two parts have one id.
    """
    modules = {name: part for name, part in workspace.battery_modules.items() if part.life_cycle not in ENDED}
    eaxles = {name: part for name, part in workspace.eaxles.items() if part.life_cycle not in ENDED}
    ratios: dict[str, float] = {}
    sources = {item.part: item.suppliers for item in settings.choice.second_source}
    scaled: set[str] = set()
    problems = [*_lacking(workspace, settings)]
    if problems:
        raise InputError(problems)
    known = {*workspace.battery_modules, *workspace.eaxles}
    for index, cells in enumerate(settings.choice.cell_class):
        for module in _scaled_modules(workspace.battery_modules[cells.part], cells, settings.choice):
            problems += _twice(settings, known, module.id, ("cell_class", index, "id"))
            modules[module.id], ratios[module.id] = module, cells.cost_ratio
            scaled.add(module.id)
            sources[module.id] = cells.suppliers or (module.supplier,)
    for index, motors in enumerate(settings.choice.eaxle_class):
        for eaxle in _scaled_eaxles(workspace.eaxles[motors.part], motors):
            problems += _twice(settings, known, eaxle.id, ("eaxle_class", index, "id"))
            eaxles[eaxle.id] = eaxle
            scaled.add(eaxle.id)
            sources[eaxle.id] = motors.suppliers or (eaxle.supplier,)
    if problems:
        raise InputError(problems)
    return Candidates(modules, eaxles, ratios, frozenset(scaled), sources)


def _twice(settings: Settings, known: set[str], name: str, path: tuple[str | int, ...]) -> list[Problem]:
    if name not in known:
        known.add(name)
        return []
    found = f"id {name!r} of a scaled part, which another part has"
    return [Problem(settings.locate(*path), found, "ids that are unique", "Rename the class.")]


MODULE_NEEDS = (
    "capacity_ah", "nominal_voltage_v", "energy_kwh", "mass_kg", "envelope.length_mm", "envelope.width_mm",
    "envelope.height_mm", "envelope.swelling_mm", "curves.open_circuit_voltage", "curves.resistance",
)  # fmt: skip
EAXLE_NEEDS = ("mass_kg", "motor.mass_kg", "inverter.mass_kg", "reducer.mass_kg", "reducer.ratio", "envelope.length_mm")


def _lacking(workspace: Workspace, settings: Settings) -> Iterator[Problem]:
    """Values that a part must state to be scaled from."""
    choice = settings.choice
    asked: tuple[tuple[str, tuple[Any, ...], Mapping[str, Any], tuple[str, ...]], ...] = (
        ("cell_class", choice.cell_class, workspace.battery_modules, MODULE_NEEDS),
        ("eaxle_class", choice.eaxle_class, workspace.eaxles, EAXLE_NEEDS),
    )
    for kind, classes, parts, needs in asked:
        for index, item in enumerate(classes):
            missing = [path for path in needs if _value(parts[item.part], path) is None]
            if missing:
                found = f"{item.part}, which does not state {', '.join(missing)}"
                place = settings.locate(kind, index, "part")
                yield Problem(place, found, "a part that states all that is scaled", "State it, or scale another part.")


def _value(record: Any, path: str) -> Any:
    for name in path.split("."):
        record = getattr(record, name)
        if record is None:
            return None
    return record


def _scaled_modules(part: BatteryModule, cells: CellClass, choice: Choice) -> Iterator[BatteryModule]:
    for capacity, series, parallel, section in product(
        cells.capacity_ah, cells.cells_series, cells.cells_parallel, cells.sections_mm
    ):
        module = _scaled_module(part, cells, capacity, series, parallel, section)
        length, mass = module.envelope.length_mm or 0.0, module.mass_kg or 0.0
        if length <= choice.module_length_max_mm and mass <= choice.module_mass_max_kg:
            yield module


def _scaled_module(
    part: BatteryModule, cells: CellClass, capacity: float, series: int, parallel: int, section: tuple[float, float]
) -> BatteryModule:
    raw = part.model_dump(mode="json")
    size = capacity * part.cells_parallel / (part.capacity_ah or 1.0)  # of a cell against the part's
    number = series * parallel / (part.cells_series * part.cells_parallel)
    volume = number * size / cells.energy_ratio
    strings = parallel * size / part.cells_parallel  # currents grow with it
    width, height = section
    old = raw["envelope"]
    stack = (old["length_mm"] - END_PLATES_MM) * old["width_mm"] * old["height_mm"] * volume
    length = round(END_PLATES_MM + stack / (width * height), 1)
    area = length * width / (old["length_mm"] * old["width_mm"])
    raw |= {
        "id": f"{cells.id}_{capacity:g}ah_{series}s{parallel}p_{width:g}x{height:g}",
        "name": f"{part.chemistry or ''} {capacity:g} Ah {series}s{parallel}p, {width:g} x {height:g} mm".strip(),
        "life_cycle": "proposal", "conforms_to": [], "cell": None, "offer": {}, "evidence": [],
        "cells_series": series, "cells_parallel": parallel, "capacity_ah": capacity * parallel,
        "nominal_voltage_v": raw["nominal_voltage_v"] * series / part.cells_series,
        "energy_kwh": raw["energy_kwh"] * number * size,
        "mass_kg": round(raw["mass_kg"] * volume, 2),
        "sources": _assumed(f"scaled from {part.id} as similar cells are, to {capacity:g} Ah, {series}s{parallel}p"),
    }  # fmt: skip
    old |= {
        "length_mm": length, "width_mm": width, "height_mm": height,
        "swelling_mm": round(old["swelling_mm"] * length / old["length_mm"], 2), "center_of_gravity_mm": None,
    }  # fmt: skip
    resistance = cells.resistance_ratio * series / part.cells_series / strings
    current = strings * cells.current_ratio
    _scale(raw, "curves.resistance.resistance_mohm", resistance)
    for path in (
        "curves.charge_current.current_a", "electrical.discharge_peak_current_a", "electrical.charge_peak_current_a",
        *(f"limits.{level}.{way}_current_a" for level in raw["limits"] for way in ("discharge", "charge")),
    ):  # fmt: skip
        _scale(raw, path, current)
    _scale(raw, "thermal.contact_area_mm2", area)
    _scale(raw, "thermal.interface_resistance_k_per_w", 1.0 / area)
    _scale(raw, "thermal.heat_capacity_j_per_k", volume)
    _scale(raw, "electrical.y_capacitance_nf", number)
    taps = raw["communication"]
    for name in ("cell_voltage_taps", "temperature_sensors"):
        if taps[name] is not None:
            taps[name] = max(1, round(taps[name] * series / part.cells_series))
    return BatteryModule.model_validate(raw)


def _scaled_eaxles(part: EAxle, motors: EAxleClass) -> Iterator[EAxle]:
    for stack, turns, current in product(motors.stack_ratio, motors.turns_ratio, motors.current_ratio):
        excitation = turns * current
        if not motors.excitation_min_ratio <= excitation <= motors.excitation_max_ratio:
            continue
        eaxle = _scaled_eaxle(part, motors, stack, turns, current)
        if (eaxle.reducer.axle_peak_torque_nm or 0.0) <= motors.axle_torque_max_nm:
            yield eaxle


def _scaled_eaxle(part: EAxle, motors: EAxleClass, stack: float, turns: float, current: float) -> EAxle:
    raw = part.model_dump(mode="json")
    full = max(part.ratings, key=lambda rating: rating.peak_power_kw)
    torque = stack * turns * current  # against the part's
    power = round(full.peak_power_kw * current, 1)
    raw |= {
        "id": f"{motors.id}_l{100 * stack:.0f}_n{100 * turns:.0f}_i{100 * current:.0f}",
        "name": f"{motors.id} {power:g} kW {full.peak_torque_nm * torque:.0f} N m",
        "life_cycle": "proposal", "conforms_to": [], "offer": {}, "evidence": [],
        "sources": _assumed(f"scaled from {part.id}: stack x {stack:g}, turns x {turns:g}, current x {current:g}"),
        "ratings": [_rating(full.model_dump(mode="json"), share, torque, current, stack)
                    for share in sorted(motors.rating_shares)],
    }  # fmt: skip
    axle = torque * (part.reducer.ratio or 1.0) * full.peak_torque_nm * (part.reducer.efficiency or 1.0)
    bears = axle / (raw["reducer"]["axle_peak_torque_nm"] or axle)
    raw["reducer"]["axle_peak_torque_nm"] = round(axle, 0) + 1.0  # never the first to give way
    masses = {
        "motor": (MOTOR_FIXED, stack),
        "inverter": (INVERTER_FIXED, current),
        "reducer": (REDUCER_FIXED, bears),
    }
    change = 0.0
    for name, (fixed, ratio) in masses.items():
        new = raw[name]["mass_kg"] * (fixed + (1.0 - fixed) * ratio)
        change += new - raw[name]["mass_kg"]
        raw[name]["mass_kg"] = round(new, 2)
    raw["mass_kg"] = round(raw["mass_kg"] + change, 2)
    _scale(raw, "envelope.length_mm", LENGTH_FIXED + (1.0 - LENGTH_FIXED) * stack)
    raw["envelope"]["center_of_gravity_mm"] = None
    for path, ratio in (
        ("motor.rotor_inertia_kg_m2", stack), ("motor_interface.phase_current_max_a", current),
        ("motor_interface.back_emf_v_per_krpm", stack * turns), ("motor_interface.flux_linkage_mwb", stack * turns),
        ("motor_interface.d_inductance_uh", stack * turns**2), ("motor_interface.q_inductance_uh", stack * turns**2),
        ("inverter.dc_link_capacitance_uf", current), ("inverter.ripple_current_a", current),
        ("mounting.reaction_torque_nm", bears), ("thermal.heat_rejection_kw", current),
        ("vehicle_interface.back_emf_max_v", stack * turns),
        ("loss_model.w1", stack), ("loss_model.w2", stack), ("loss_model.w3", stack),
        ("loss_model.t2", (stack + END_WINDING) / (1.0 + END_WINDING) / stack**2),
    ):  # fmt: skip
        _scale(raw, path, ratio)
    return EAxle.model_validate(raw)


def _rating(full: dict[str, Any], share: float, torque: float, current: float, stack: float) -> dict[str, Any]:
    """The hardware at a share of its power: less current at speed, nearly all of its torque."""
    power = full["peak_power_kw"] * current
    held = min((full["continuous_power_kw"] or 0.0) * stack, CONTINUOUS_MOST * power)
    of_held = RATING_CONTINUOUS + (1.0 - RATING_CONTINUOUS) * share
    return {
        "id": f"{power * share:.0f}kw",
        "peak_power_kw": round(power * share, 1),
        "peak_torque_nm": round(full["peak_torque_nm"] * torque * (RATING_TORQUE + (1.0 - RATING_TORQUE) * share), 1),
        "continuous_power_kw": None if not held else round(min(held * of_held, power * share), 1),
        "continuous_torque_nm": None
        if full["continuous_torque_nm"] is None
        else round(full["continuous_torque_nm"] * stack, 1),
        "peak_duration_s": full["peak_duration_s"],
        "dc_current_max_a": None
        if full["dc_current_max_a"] is None
        else round(full["dc_current_max_a"] * current * share, 0),
    }


def _scale(raw: dict[str, Any], path: str, ratio: float) -> None:
    """Multiply a value, or a list of values, at a dotted path; what nobody stated stays so."""
    *tables, name = path.split(".")
    table: Any = raw
    for key in tables:
        table = table[key]
        if table is None:
            return
    value = table[name]
    if isinstance(value, list):
        table[name] = [item * ratio for item in value]
    elif value is not None:
        table[name] = value * ratio


def _assumed(words: str) -> dict[str, Any]:
    return {"*": {"source": f"kyotsu: {words}", "status": "assumed"}}
