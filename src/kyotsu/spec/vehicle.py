"""The vehicle: its road load, masses, tyres, slots, what it is built with and what it must do."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kyotsu.spec.battery import Chemistry, OpenCircuitVoltage
from kyotsu.spec.record import (
    Count,
    Fault,
    Flag,
    Identifier,
    NonNegative,
    Number,
    Positive,
    Record,
    Share,
    Table,
    Text,
    misplaced,
)
from kyotsu.spec.slots import BatteryBay, EAxleMount

CycleName = Literal["udds", "hwfet", "us06", "wltc_3b", "jc08", "nedc", "jp1015"]
CYCLE_TITLES: dict[str, str] = {
    "udds": "UDDS",
    "hwfet": "HWFET",
    "us06": "US06",
    "wltc_3b": "WLTC 3b",
    "jc08": "JC08",
    "nedc": "NEDC",
    "jp1015": "10-15 mode",
}
Drive = Literal["front", "rear", "all"]


class CoastDown(Table):
    """Road load from a coast-down: F = A + B v + C v² with v in m/s (40 CFR 1066.305 target coefficients)."""

    a_n: Number
    b_n_per_mps: Number
    c_n_per_mps2: Positive


class Resistances(Table):
    """Road load from its parts: F = m g Crr + ½ ρ Cd A v², at ρ = 1.2 kg/m³."""

    drag_coefficient: Positive
    frontal_area_m2: Positive
    rolling_resistance_coefficient: Positive


class Masses(Table):
    """Curb mass (ready to drive, no driver), mass at the test, and allowed load."""

    curb_kg: Positive
    test_kg: Positive | None = None
    cargo_kg: NonNegative | None = None
    front_share: Share | None = None

    @model_validator(mode="after")
    def _test_above_curb(self) -> Self:
        if self.test_kg is not None and self.test_kg < 0.9 * self.curb_kg:
            raise ValueError(f"test_kg = {self.test_kg:g} must not be far below curb_kg = {self.curb_kg:g}")
        return self


class Tyre(Table):
    """Tyre: size code as printed on it, dynamic rolling radius, friction on dry road."""

    size: Text | None = None
    radius_mm: Positive | None = None
    friction_coefficient: Positive | None = None


class Body(Table):
    """Wheelbase and height of the centre of gravity, for the load shift between axles."""

    wheelbase_mm: Positive | None = None
    center_of_gravity_height_mm: Positive | None = None


class Auxiliaries(Table):
    """Electric load beside propulsion, at 23 degC with heating and cooling off."""

    base_w: NonNegative | None = None


class Battery(Table):
    """The battery that the vehicle is built with, as far as it is known."""

    energy_kwh: Positive | None = None
    usable_kwh: Positive | None = None
    nominal_voltage_v: Positive | None = None
    voltage_min_v: Positive | None = None
    voltage_max_v: Positive | None = None
    cells_series: Count | None = None
    cells_parallel: Count | None = None
    capacity_ah: Positive | None = None
    chemistry: Chemistry | None = None
    peak_power_kw: Positive | None = None
    resistance_mohm: Positive | None = None
    mass_kg: Positive | None = None
    parts: Count | None = None
    part: Identifier | None = None
    open_circuit_voltage: OpenCircuitVoltage | None = None


class Charging(Table):
    """What the vehicle's inlet and on-board charger can do."""

    ac_power_kw: Positive | None = None
    dc_power_kw: Positive | None = None
    dc_current_max_a: Positive | None = None
    dc_voltage_max_v: Positive | None = None
    station_voltage_min_v: Positive | None = None
    inlet: Literal["chademo", "ccs1", "ccs2", "nacs", "gb_t", "none"] | None = None


class Requirements(Table):
    """What the vehicle must do with any battery and e-axle; a missing line is not required."""

    range_km: Positive | None = None
    range_cycle: CycleName = "wltc_3b"
    zero_to_100_km_h_s: Positive | None = None
    top_speed_km_h: Positive | None = None
    gradeability_pct: Positive | None = None
    continuous_power_kw: Positive | None = None
    charge_10_to_80_min: Positive | None = None
    life_years: Positive | None = None
    life_distance_km: Positive | None = None
    max_curb_mass_kg: Positive | None = None


class Published(Table):
    """Published results to compare a simulation with; never an input to it."""

    udds_ac_wh_per_km: Positive | None = None
    hwfet_ac_wh_per_km: Positive | None = None
    label_range_km: Positive | None = None
    wltp_range_km: Positive | None = None
    wltp_ac_wh_per_km: Positive | None = None
    jc08_range_km: Positive | None = None
    zero_to_100_km_h_s: Positive | None = None
    top_speed_km_h: Positive | None = None
    charge_10_to_80_min: Positive | None = None


class Vehicle(Record):
    """A vehicle of a maker; its full name is `maker/id`.

    `template` vehicles are never driven or fitted: others extend them.
    """

    name: Text
    template: Flag = False
    model_years: Text | None = None
    markets: tuple[Identifier, ...] = ()
    drive: Drive
    body_class: Literal["kei", "small", "compact", "midsize", "suv", "van"] | None = None
    coast_down: CoastDown | None = None
    resistances: Resistances | None = None
    masses: Masses
    tyre: Tyre = Tyre()
    body: Body = Body()
    auxiliaries: Auxiliaries = Auxiliaries()
    battery: Battery = Battery()
    charging: Charging = Charging()
    requirements: Requirements = Requirements()
    published: Published = Published()
    price_usd: Positive | None = None
    battery_bay: BatteryBay
    eaxle_mounts: Annotated[tuple[EAxleMount, ...], Field(min_length=1, max_length=2)]
    notes: Text | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = []
        if (self.coast_down is None) == (self.resistances is None):
            given = "neither of them" if self.coast_down is None else "both"
            faults.append(Fault(f"road load: {given}", "coast_down or resistances, exactly one of them"))
        axles = [mount.axle for mount in self.eaxle_mounts]
        wanted = {"front", "rear"} if self.drive == "all" else {self.drive}
        if len(set(axles)) != len(axles):
            found = f"two eaxle_mounts at the {axles[0]} axle"
            faults.append(Fault(found, "one for each axle", ("eaxle_mounts", 1, "axle")))
        elif set(axles) != wanted:
            found = f'drive = "{self.drive}" with eaxle_mounts at {" and ".join(sorted(axles))}'
            faults.append(Fault(found, f"eaxle_mounts at {' and '.join(sorted(wanted))}", ("drive",)))
        energy, usable = self.battery.energy_kwh, self.battery.usable_kwh
        if energy is not None and usable is not None and usable > energy:
            expected = f"at most energy_kwh = {energy:g}"
            faults.append(Fault(f"usable_kwh = {usable:g}", expected, ("battery", "usable_kwh")))
        if faults:
            raise misplaced(faults)
        return self
