"""The layout of a battery: how many parts stand in a bay, how many in series, how many strings.

It is derived, never typed in: from the places that the bay has for a part of this size, and from the
voltage window of the vehicle over state of charge and temperature.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from kyotsu.spec.battery import BatteryModule, Envelope
from kyotsu.spec.record import LARGEST_COUNT, interpolate
from kyotsu.spec.slots import BatteryBay, Box
from kyotsu.spec.vehicle import Vehicle

SOC_STEPS = 200  # grid on which the voltage window is judged: 0.5 % of state of charge
MAX_LOST_SHARE = 0.20  # of the SOC range below the window; beyond, a layout is no answer (our proposal)
REFERENCE_TEMPERATURE_C = 25.0
ROUNDING = 1e-9  # relative; a limit that is met exactly is met


@dataclass(frozen=True)
class Layout:
    """Parts of one kind in a bay: `series` parts make a string, `strings` of them stand in parallel.

    `lost_share` of the SOC range lies below the vehicle's window without load and cannot be used.
    """

    places: int
    series: int
    strings: int
    lost_share: float = 0.0

    @property
    def parts(self) -> int:
        """Parts used; `places - parts` stay empty."""
        return self.series * self.strings

    @property
    def text(self) -> str:
        """The layout in words."""
        if self.parts == 1:
            return "1 part"
        strings = "1 string" if self.strings == 1 else f"{self.strings} strings"
        return f"{self.parts} parts ({self.series} in series, {strings})"


@dataclass(frozen=True)
class Window:
    """What a string's voltage does over state of charge, against the vehicle's window.

    Attributes:
        lowest_v, highest_v: at 0 % under load and at the end of charge.
        lost_share: of the SOC range in which the loaded voltage is below the vehicle's minimum.
        derated_share: of the SOC range in which it is below the full-power minimum.
    """

    lowest_v: float
    highest_v: float
    lost_share: float
    derated_share: float


def grown_size_mm(envelope: Envelope) -> tuple[float, float, float] | None:
    """Length, width, height with tolerance on each and swelling along its axis; `None` if any is unknown."""
    sizes = {"length": envelope.length_mm, "width": envelope.width_mm, "height": envelope.height_mm}
    if None in sizes.values() or envelope.tolerance_mm is None or envelope.swelling_mm is None:
        return None
    grown = {name: (size or 0.0) + envelope.tolerance_mm for name, size in sizes.items()}
    grown[envelope.swelling_along] += envelope.swelling_mm
    return grown["length"], grown["width"], grown["height"]


def orientations_mm(envelope: Envelope) -> list[tuple[float, float, float]]:
    """Every allowed way to stand in a place: upright may turn on the floor, on side and on end tip over."""
    size = grown_size_mm(envelope)
    if size is None:
        return []
    length, width, height = size
    up = {"upright": height, "on_side": width, "on_end": length}
    heights = {up[name] for name in envelope.orientations}
    turns = ((a, b, c) for a, b, c in permutations((length, width, height)))
    return [turned for turned in turns if turned[2] in heights]


def box_mm(box: Box) -> tuple[float, float, float] | None:
    """Length, width, height of a clear space; `None` if any is unknown."""
    if box.length_mm is None or box.width_mm is None or box.height_mm is None:
        return None
    return box.length_mm, box.width_mm, box.height_mm


def fits(size: tuple[float, float, float], space: tuple[float, float, float], clearance: float) -> bool:
    """Whether a size fits a space with a clearance on each dimension."""
    return all(own + clearance <= free for own, free in zip(size, space, strict=True))


def places_for(module: BatteryModule, vehicle: Vehicle) -> int | None:
    """How many parts of this kind the bay can hold; `None` when sizes or places are not known.

    A pack takes the whole bay. A part that fits the bay's native places takes those; another one is
    stacked in the free space, in one orientation throughout. A part of unknown size is only known to
    stand in places that were made for it.
    """
    if module.level == "pack":
        return 1
    bay = vehicle.battery_bay
    sizes, clearance = orientations_mm(module.envelope), bay.clearance_mm or 0.0
    place, space = box_mm(bay.place), box_mm(bay.bay)
    of_its_own = vehicle.battery.part == module.id and bay.places is not None
    if of_its_own and (not sizes or (place is None and space is None)):
        return bay.places
    if not sizes:
        return None
    in_place = place is not None and any(fits(size, place, clearance) for size in sizes)
    native = bay.places if in_place else None
    if space is None:
        return native
    return max(native or 0, max(_stacked(size, space, clearance) for size in sizes))


def _stacked(size: tuple[float, float, float], space: tuple[float, float, float], clearance: float) -> int:
    count = 1
    for own, free in zip(size, space, strict=True):
        count *= int((free + 1e-9) // (own + clearance))
    return min(count, LARGEST_COUNT)


def highest_voltage_v(module: BatteryModule, series: int) -> float | None:
    """Voltage of a string at the end of charge [V]; `None` when the cell limit is not stated."""
    highest = module.limits.operating.cell_voltage_max_v
    return None if highest is None else series * module.cells_series * highest


def window(
    module: BatteryModule, layout: Layout, bay: BatteryBay, power_kw: float, temperature_c: float
) -> Window | None:
    """The voltage window of a layout under a continuous power at a temperature; `None` if not computable.

    At each state of charge the loaded voltage follows from P = U I and U = U0 - R I:
    U = (U0 + sqrt(U0² - 4 R P)) / 2; where the root fails the power cannot be drawn and counts as lost.
    """
    highest = highest_voltage_v(module, layout.series)
    resistance = module.resistance_ohm(temperature_c)
    lower_limit = module.limits.operating.cell_voltage_min_v
    voltages = _voltages_over_soc(module)
    if highest is None or resistance is None or lower_limit is None or bay.electrical.voltage_min_v is None:
        return None
    if voltages is None:
        return None
    floor = max(bay.electrical.voltage_min_v, layout.series * module.cells_series * lower_limit)
    full_power = bay.electrical.full_power_min_v or bay.electrical.voltage_min_v
    drop = 4.0 * resistance * layout.series / layout.strings * power_kw * 1000.0  # 4 R P

    def loaded(voltage: float) -> float:
        """Rises with the open-circuit voltage, so that what lies below a limit can be found by halving."""
        root = (layout.series * voltage) ** 2 - drop
        return (layout.series * voltage + math.sqrt(root)) / 2.0 if root >= 0 else 0.0

    lost, derated = (bisect_left(voltages, limit, key=loaded) for limit in (floor, full_power))
    drawn = bisect_left(voltages, True, key=lambda voltage: loaded(voltage) > 0.0)  # below, the power cannot be drawn
    ends = (voltages[0], *voltages[drawn : drawn + 1])
    lowest = min(highest, *(loaded(voltage) or layout.series * voltage / 2.0 for voltage in ends))
    return Window(lowest, highest, lost / len(voltages), derated / len(voltages))


def _voltages_over_soc(module: BatteryModule) -> tuple[float, ...] | None:
    """Open-circuit voltage of one part on the grid of states of charge, lowest first."""
    curve = module.curves.open_circuit_voltage
    if curve is None:
        return None
    return _voltages_on_grid(module.cells_series, curve.soc, curve.voltage_v)


@lru_cache(maxsize=256)  # parts by the hundred share the curve of their chemistry
def _voltages_on_grid(cells: int, soc: tuple[float, ...], voltage_v: tuple[float, ...]) -> tuple[float, ...]:
    grid = (step / SOC_STEPS for step in range(SOC_STEPS + 1))
    return tuple(sorted(cells * interpolate(soc, voltage_v, at) for at in grid))


def layouts(module: BatteryModule, vehicle: Vehicle) -> list[Layout]:
    """Every layout whose voltage lies in the vehicle's window, the best first.

    Best: inside the mass limit, then most parts less the share of the SOC range lost (the energy that can be
    used), then most in series. Unknown data never excludes a layout here: the checks say what is unknown.
    """
    places, bay = places_for(module, vehicle), vehicle.battery_bay
    floor, limit = bay.electrical.voltage_min_v, bay.electrical.voltage_max_v
    voltages = _voltages_over_soc(module)
    ranked: list[tuple[tuple[bool, float, int], Layout]] = []
    for series in range(1, (places or 0) + 1):
        highest = highest_voltage_v(module, series)
        if highest is not None and limit is not None and highest > limit * (1.0 + ROUNDING):
            break
        lost = 0.0
        if floor is not None and voltages is not None:
            lost = bisect_left(voltages, floor, key=lambda voltage: series * voltage) / len(voltages)
        if lost > MAX_LOST_SHARE:
            continue
        for strings in range(1, (places or 0) // series + 1):
            layout = Layout(places or 0, series, strings, lost)
            mass = battery_mass_kg(module, layout, bay)
            light = mass is None or bay.max_mass_kg is None or mass <= bay.max_mass_kg
            usable = layout.parts * (1.0 - lost)
            ranked.append(((light, usable if light else -usable, series), layout))
    return [layout for _, layout in sorted(ranked, key=lambda item: item[0], reverse=True)]


def nearest_layout(module: BatteryModule, vehicle: Vehicle) -> Layout | None:
    """The layout that comes nearest to the vehicle's highest voltage when none lies in its window."""
    places = places_for(module, vehicle)
    if not places:
        return None
    high = vehicle.battery_bay.electrical.voltage_max_v
    highest_of_one = highest_voltage_v(module, 1)
    if high is None or highest_of_one is None:
        return Layout(places, places, 1)
    series = min(max(round(high / highest_of_one), 1), places)
    return Layout(places, series, places // series)


def battery_mass_kg(module: BatteryModule, layout: Layout, bay: BatteryBay) -> float | None:
    """Mass of the whole battery [kg]: all parts and, unless the part is a pack, the bay's own structure."""
    if module.mass_kg is None:
        return None
    structure = 0.0 if module.level == "pack" else bay.structure_mass_kg
    return None if structure is None else layout.parts * module.mass_kg + structure
