"""A build: a vehicle with its slots filled, as its maker builds it or with other parts.

A build says what the battery and the drives are once laid out, and what the vehicle then weighs. What is
not known is `None` here and named in `unknown`; the simulation fills it with generic models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.eaxle import EAxle, Rating
from kyotsu.spec.layout import REFERENCE_TEMPERATURE_C, Layout, battery_mass_kg
from kyotsu.spec.record import interpolate
from kyotsu.spec.slots import EAxleMount
from kyotsu.spec.vehicle import Vehicle

AS_BUILT, COMMON = "as_built", "common"  # kinds of builds: the maker's own, and with the proposed parts
USABLE_SHARE = 0.95  # of gross energy where a vehicle's own share is not known; our assumption
SOC_GRID = tuple(step / 20 for step in range(21))


@dataclass(frozen=True)
class Pack:
    """A battery as a whole.

    Attributes:
        name: what it is called in a report.
        energy_kwh, usable_kwh: gross energy, and the part of it that driving may use.
        open_circuit_voltage_v: at the states of charge of `SOC_GRID`, if known.
        resistance_ohm: direct-current resistance at 25 degC, if known.
        discharge_current_a, charge_current_a: peak limits of the whole pack, if known.
        charging_current_a: most that it takes continuously, if known; and over the states of charge of `SOC_GRID`.
    """

    name: str
    energy_kwh: float
    usable_kwh: float
    nominal_voltage_v: float | None = None
    voltage_min_v: float | None = None
    voltage_max_v: float | None = None
    capacity_ah: float | None = None
    open_circuit_voltage_v: tuple[float, ...] | None = None
    resistance_ohm: float | None = None
    discharge_current_a: float | None = None
    charge_current_a: float | None = None
    charging_current_a: float | None = None
    charging_current_over_soc_a: tuple[float, ...] | None = None
    peak_power_kw: float | None = None
    mass_kg: float | None = None
    price_usd: float | None = None
    chemistry: str | None = None
    layout: Layout | None = None


@dataclass(frozen=True)
class Drive:
    """An e-axle at one of its ratings, at one axle."""

    mount: EAxleMount
    eaxle: EAxle
    rating: Rating


@dataclass(frozen=True)
class Build:
    """A vehicle with its slots filled.

    Attributes:
        vehicle_name: `maker/id`.
        kind: `as_built`, or what the parts are called, such as `common`.
        mass_change_kg: against the vehicle as built.
        unknown: fields that a number of this build would need and nobody stated.
    """

    vehicle_name: str
    vehicle: Vehicle
    kind: str
    pack: Pack
    drives: tuple[Drive, ...]
    mass_change_kg: float = 0.0
    unknown: tuple[str, ...] = ()

    @property
    def curb_mass_kg(self) -> float:
        """Ready to drive, without driver."""
        return self.vehicle.masses.curb_kg + self.mass_change_kg

    @property
    def test_mass_kg(self) -> float:
        """Mass at the test: as stated, else curb mass and 136 kg (40 CFR 1066: 300 lb)."""
        masses = self.vehicle.masses
        return (masses.test_kg or masses.curb_kg + 136.0) + self.mass_change_kg

    @property
    def continuous_power_kw(self) -> float | None:
        """30-minute power of all drives together (UN R85); `None` when that of one is not known."""
        powers = [drive.rating.continuous_power_kw for drive in self.drives]
        return None if None in powers else sum(power for power in powers if power is not None)

    def with_drives(self, kind: str, drives: tuple[Drive, ...]) -> Build:
        """The same vehicle with other drives, under another name."""
        old_mass, new_mass = drives_mass_kg(self.drives), drives_mass_kg(drives)
        if old_mass is None or new_mass is None:
            unknown = (*self.unknown, "eaxle.mass_kg") if drives != self.drives else self.unknown
            return replace(self, kind=kind, drives=drives, unknown=unknown)
        return replace(self, kind=kind, drives=drives, mass_change_kg=self.mass_change_kg + new_mass - old_mass)


def as_built(name: str, vehicle: Vehicle, eaxles: Mapping[str, EAxle]) -> tuple[Build | None, tuple[str, ...]]:
    """The vehicle as its maker builds it, or the fields that would have to be known for it."""
    battery = vehicle.battery
    missing = [] if battery.energy_kwh is not None else ["vehicle.battery.energy_kwh"]
    drives = []
    for mount in vehicle.eaxle_mounts:
        if mount.fitted is None:
            missing.append(f"vehicle.eaxle_mounts.{mount.id}.fitted")
            continue
        eaxle = eaxles[mount.fitted.part]
        rating = next(rating for rating in eaxle.ratings if rating.id == mount.fitted.rating)
        drives.append(Drive(mount, eaxle, rating))
    if missing or battery.energy_kwh is None:
        return None, tuple(missing)
    curve = battery.open_circuit_voltage
    cells = battery.cells_series
    pack = Pack(
        name="as built",
        energy_kwh=battery.energy_kwh,
        usable_kwh=battery.usable_kwh or USABLE_SHARE * battery.energy_kwh,
        nominal_voltage_v=battery.nominal_voltage_v,
        voltage_min_v=battery.voltage_min_v,
        voltage_max_v=battery.voltage_max_v,
        capacity_ah=battery.capacity_ah,
        open_circuit_voltage_v=None
        if curve is None or cells is None
        else tuple(cells * interpolate(curve.soc, curve.voltage_v, soc) for soc in SOC_GRID),
        resistance_ohm=None if battery.resistance_mohm is None else battery.resistance_mohm / 1000.0,
        peak_power_kw=battery.peak_power_kw,
        mass_kg=battery.mass_kg,
        chemistry=battery.chemistry,
    )
    return Build(name, vehicle, AS_BUILT, pack, tuple(drives)), ()


def rebuilt(base: Build, kind: str, module: BatteryModule, layout: Layout, drives: tuple[Drive, ...]) -> Build | None:
    """The vehicle with another battery and other drives; `None` when the battery's energy is not known."""
    pack = laid_out(base.vehicle, module, layout)
    if pack is None:
        return None
    build = base.with_drives(kind, drives)
    if pack.mass_kg is None or base.pack.mass_kg is None:
        unknown = "vehicle.battery.mass_kg" if base.pack.mass_kg is None else "battery_module.mass_kg"
        return replace(build, pack=pack, unknown=(*build.unknown, unknown))
    change = build.mass_change_kg + pack.mass_kg - base.pack.mass_kg
    return replace(build, pack=pack, mass_change_kg=change)


def laid_out(vehicle: Vehicle, module: BatteryModule, layout: Layout) -> Pack | None:
    """The pack that a layout of parts makes in a vehicle."""
    energy = module.rated_energy_kwh
    if energy is None:
        return None
    battery = vehicle.battery
    usable = (battery.usable_kwh / battery.energy_kwh) if battery.usable_kwh and battery.energy_kwh else USABLE_SHARE
    cells = layout.series * module.cells_series
    operating, electrical = module.limits.operating, module.electrical
    resistance = module.resistance_ohm(REFERENCE_TEMPERATURE_C)
    curve, charging = [module.open_circuit_voltage_v(soc) for soc in SOC_GRID], module.curves.charge_current
    price = module.offer.price_usd

    def of_strings(current: float | None) -> float | None:
        return None if current is None else current * layout.strings

    return Pack(
        name=f"{module.name}: {layout.text}",
        energy_kwh=layout.parts * energy,
        usable_kwh=usable * (1.0 - layout.lost_share) * layout.parts * energy,
        nominal_voltage_v=None if module.nominal_voltage_v is None else layout.series * module.nominal_voltage_v,
        voltage_min_v=None if operating.cell_voltage_min_v is None else cells * operating.cell_voltage_min_v,
        voltage_max_v=None if operating.cell_voltage_max_v is None else cells * operating.cell_voltage_max_v,
        capacity_ah=of_strings(module.capacity_ah),
        open_circuit_voltage_v=tuple(layout.series * value for value in curve if value is not None) or None,
        resistance_ohm=None if resistance is None else resistance * layout.series / layout.strings,
        discharge_current_a=of_strings(electrical.discharge_peak_current_a),
        charge_current_a=of_strings(electrical.charge_peak_current_a),
        charging_current_a=of_strings(operating.charge_current_a),
        charging_current_over_soc_a=None
        if charging is None
        else tuple(layout.strings * interpolate(charging.soc, charging.current_a, soc) for soc in SOC_GRID),
        mass_kg=battery_mass_kg(module, layout, vehicle.battery_bay),
        price_usd=None if price is None else layout.parts * price,
        chemistry=module.chemistry,
        layout=layout,
    )


def drives_mass_kg(drives: tuple[Drive, ...]) -> float | None:
    """Mass of all drives together; `None` when one is not known."""
    masses = [drive.eaxle.mass_kg for drive in drives]
    return None if None in masses else sum(mass for mass in masses if mass is not None)
