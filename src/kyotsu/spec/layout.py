"""The layout of a battery: how many parts stand in a bay, how many in series, how many strings.

It is derived, never typed in: from the places that the bay has for a part of this size, and from the
voltage window of the vehicle over state of charge and temperature.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

from kyotsu.spec.battery import BatteryModule, Envelope
from kyotsu.spec.slots import BatteryBay, Box

SOC_STEPS = 200  # grid on which the voltage window is judged: 0.5 % of state of charge
MAX_LOST_SHARE = 0.20  # of the SOC range below the window; beyond, a layout is no answer (our proposal)
REFERENCE_TEMPERATURE_C = 25.0


@dataclass(frozen=True)
class Layout:
    """Parts of one kind in a bay: `series` parts make a string, `strings` of them stand in parallel."""

    places: int
    series: int
    strings: int

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


def places_for(module: BatteryModule, bay: BatteryBay) -> int | None:
    """How many parts of this kind the bay can hold; `None` when sizes or places are not known.

    A pack takes the whole bay. A part that fits the bay's native places takes those; another one is
    stacked in the free space, in one orientation throughout.
    """
    if module.level == "pack":
        return 1
    sizes, clearance = orientations_mm(module.envelope), bay.clearance_mm or 0.0
    place, space = box_mm(bay.place), box_mm(bay.bay)
    if bay.places is not None and (place is None or not sizes):
        return bay.places
    native = bay.places or 0
    if place is None or not any(fits(size, place, clearance) for size in sizes):
        native = 0
    if space is None or not sizes:
        return native or (None if bay.places is None else 0)
    return max(native, max(_stacked(size, space, clearance) for size in sizes))


def _stacked(size: tuple[float, float, float], space: tuple[float, float, float], clearance: float) -> int:
    count = 1
    for own, free in zip(size, space, strict=True):
        count *= int((free + 1e-9) // (own + clearance))
    return count


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
    if highest is None or resistance is None or lower_limit is None or bay.electrical.voltage_min_v is None:
        return None
    floor = max(bay.electrical.voltage_min_v, layout.series * module.cells_series * lower_limit)
    full_power = bay.electrical.full_power_min_v or bay.electrical.voltage_min_v
    string_resistance = resistance * layout.series / layout.strings
    lost = derated = 0
    lowest = highest
    for step in range(SOC_STEPS + 1):
        open_circuit = module.open_circuit_voltage_v(step / SOC_STEPS)
        if open_circuit is None:
            return None
        open_circuit *= layout.series
        root = open_circuit**2 - 4.0 * string_resistance * power_kw * 1000.0
        loaded = (open_circuit + root**0.5) / 2.0 if root >= 0 else 0.0
        lost += loaded < floor
        derated += loaded < full_power
        lowest = min(lowest, loaded or open_circuit / 2.0)
    count = SOC_STEPS + 1
    return Window(lowest, highest, lost / count, derated / count)


def layouts(module: BatteryModule, bay: BatteryBay) -> list[Layout]:
    """Every layout whose voltage lies in the vehicle's window, the best first.

    Best: inside the mass limit, then most parts, then least of the SOC range lost, then most in series.
    Unknown data never excludes a layout here: the checks say what is unknown.
    """
    places = places_for(module, bay)
    if not places:
        return []
    found: list[tuple[tuple[bool, int, float, int], Layout]] = []
    for series in range(1, places + 1):
        highest = highest_voltage_v(module, series)
        limit = bay.electrical.voltage_max_v
        if highest is not None and limit is not None and highest > limit:
            break
        lost = _lost_share(module, Layout(places, series, 1), bay)
        if lost is not None and lost > MAX_LOST_SHARE:
            continue
        for strings in range(1, places // series + 1):
            layout = Layout(places, series, strings)
            mass = battery_mass_kg(module, layout, bay)
            light = mass is None or bay.max_mass_kg is None or mass <= bay.max_mass_kg
            rank = (light, layout.parts if light else -layout.parts, -(lost or 0.0), series)
            found.append((rank, layout))
    return [layout for _, layout in sorted(found, key=lambda item: item[0], reverse=True)]


def nearest_layout(module: BatteryModule, bay: BatteryBay) -> Layout | None:
    """The layout that comes nearest to the vehicle's nominal voltage when none lies in its window."""
    places = places_for(module, bay)
    if not places:
        return None
    low, high = bay.electrical.voltage_min_v, bay.electrical.voltage_max_v
    highest_of_one = highest_voltage_v(module, 1)
    if low is None or high is None or highest_of_one is None:
        return Layout(places, places, 1)
    series = min(max(round(high / highest_of_one), 1), places)
    return Layout(places, series, places // series)


def _lost_share(module: BatteryModule, layout: Layout, bay: BatteryBay) -> float | None:
    """Share of the SOC range that a string loses to the window, without load, at reference temperature."""
    floor = bay.electrical.voltage_min_v
    if floor is None or module.curves.open_circuit_voltage is None:
        return None
    below = 0
    for step in range(SOC_STEPS + 1):
        voltage = module.open_circuit_voltage_v(step / SOC_STEPS) or 0.0
        below += voltage * layout.series < floor
    return below / (SOC_STEPS + 1)


def battery_mass_kg(module: BatteryModule, layout: Layout, bay: BatteryBay) -> float | None:
    """Mass of the whole battery [kg]: all parts and, unless the part is a pack, the bay's own structure."""
    if module.mass_kg is None:
        return None
    structure = 0.0 if module.level == "pack" else bay.structure_mass_kg
    return None if structure is None else layout.parts * module.mass_kg + structure
