"""The battery module: what a supplier offers for a vehicle's battery bay.

One schema serves the four levels at which makers buy (`cell`, `battery_module`, `cell_block` of a
cell-to-pack design, `pack`). Names follow the field: BPX for the cell, foxBMS 2 for the three limit
levels, the EU battery passport (DIN DKE SPEC 99100) for ratings. The interface of a module (envelope,
mounting, terminals, coolant, messages) has no public standard: it is kyotsu's own schema.

Everything but identity and cell layout may be absent, which means unknown.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kyotsu.spec.record import (
    Celsius,
    Count,
    Curve,
    Flag,
    Identifier,
    Natural,
    NonNegative,
    Number,
    Positive,
    Record,
    Share,
    StandardReference,
    Table,
    Text,
    interpolate,
)

Level = Literal["cell", "battery_module", "cell_block", "pack"]
Chemistry = Literal["LFP", "LMFP", "LMO", "LTO", "NCA", "NMC", "NMCA", "NA_ION", "SOLID_STATE"]
LifeCycle = Literal["proposal", "announced", "production", "service_only", "ended"]
CoolantMedium = Literal["none", "air", "water_glycol", "refrigerant", "dielectric"]
Face = Literal["none", "bottom", "top", "side", "end", "immersed"]
Bus = Literal["none", "analog", "can", "can_fd", "iso_spi", "lin", "ethernet", "wireless"]
Asil = Literal["QM", "A", "B", "C", "D"]
SolidAngle = tuple[Number, Number, Number]


class LimitLevel(Table):
    """Cell voltage, temperature and module current limits of one level (foxBMS: MOL, RSL, MSL)."""

    cell_voltage_min_v: Positive | None = None
    cell_voltage_max_v: Positive | None = None
    discharge_temperature_min_c: Celsius | None = None
    discharge_temperature_max_c: Celsius | None = None
    charge_temperature_min_c: Celsius | None = None
    charge_temperature_max_c: Celsius | None = None
    discharge_current_a: Positive | None = None
    charge_current_a: Positive | None = None


class Limits(Table):
    """The three levels: `operating` is for daily use, `recommended` warns, `safety` opens the contactors."""

    operating: LimitLevel = LimitLevel()
    recommended: LimitLevel = LimitLevel()
    safety: LimitLevel = LimitLevel()

    @model_validator(mode="after")
    def _nested(self) -> Self:
        for name in LimitLevel.model_fields:
            inner_to_outer = [
                value
                for level in (self.operating, self.recommended, self.safety)
                if (value := getattr(level, name)) is not None
            ]
            ordered = sorted(inner_to_outer, reverse="_min_" in name)
            if inner_to_outer != ordered:
                raise ValueError(f"{name} must widen from operating to recommended to safety")
        return self


class OpenCircuitVoltage(Curve):
    """Open-circuit voltage of one cell over state of charge."""

    soc: Annotated[tuple[Share, ...], Field(min_length=2)]
    voltage_v: Annotated[tuple[Positive, ...], Field(min_length=2)]


class ResistanceOverTemperature(Curve):
    """Direct-current resistance of one module (10 s, mid state of charge, begin of life) over temperature."""

    temperature_c: Annotated[tuple[Celsius, ...], Field(min_length=1)]
    resistance_mohm: Annotated[tuple[Positive, ...], Field(min_length=1)]


class ChargeCurrent(Curve):
    """Highest continuous direct charging current of one module over state of charge at 25 degC."""

    soc: Annotated[tuple[Share, ...], Field(min_length=2)]
    current_a: Annotated[tuple[NonNegative, ...], Field(min_length=2)]


class Curves(Table):
    """The tables that a simulation needs."""

    open_circuit_voltage: OpenCircuitVoltage | None = None
    resistance: ResistanceOverTemperature | None = None
    charge_current: ChargeCurrent | None = None


class Envelope(Table):
    """Outer size at begin of life, its tolerance, and growth to end of life along one side."""

    length_mm: Positive | None = None
    width_mm: Positive | None = None
    height_mm: Positive | None = None
    tolerance_mm: NonNegative | None = None
    swelling_mm: NonNegative | None = None
    swelling_along: Literal["length", "width", "height"] = "length"
    orientations: Annotated[tuple[Literal["upright", "on_side", "on_end"], ...], Field(min_length=1)] = ("upright",)
    center_of_gravity_mm: SolidAngle | None = None


class Mounting(Table):
    """How the part is held, and what it withstands."""

    pattern: Identifier | None = None
    thread: Text | None = None
    torque_nm: Positive | None = None
    clamp_force_n: Positive | None = None
    vibration_class: Natural | None = None
    ip_code: Annotated[str, Field(pattern=r"^IP[0-6X][0-9X]K?$")] | None = None
    crush_force_kn: Positive | None = None
    face_pressure_min_kpa: NonNegative | None = None
    face_pressure_max_kpa: Positive | None = None


class BatteryElectrical(Table):
    """Power, protection and insulation. Currents are the part's own, not the pack's."""

    discharge_peak_current_a: Positive | None = None
    charge_peak_current_a: Positive | None = None
    peak_duration_s: Positive | None = None
    max_system_voltage_v: Positive | None = None
    capacity_spread_pct: NonNegative | None = None
    insulation_mega_ohm: Positive | None = None
    y_capacitance_nf: NonNegative | None = None
    creepage_mm: Positive | None = None
    clearance_mm: Positive | None = None
    max_altitude_m: Positive | None = None
    terminal: Identifier | None = None
    terminal_thread: Text | None = None
    interlock: Flag | None = None


class BatteryThermal(Table):
    """Cooling interface of one part."""

    medium: CoolantMedium | None = None
    port: Identifier | None = None
    flow_l_min: NonNegative | None = None
    pressure_drop_kpa: NonNegative | None = None
    inlet_max_c: Celsius | None = None
    max_pressure_kpa: Positive | None = None
    cooled_face: Face | None = None
    contact_area_mm2: Positive | None = None
    flatness_mm: Positive | None = None
    interface_resistance_k_per_w: Positive | None = None
    heat_capacity_j_per_k: Positive | None = None
    storage_temperature_min_c: Celsius | None = None
    storage_temperature_max_c: Celsius | None = None


class BatteryCommunication(Table):
    """What the part reports, and over which wire."""

    bus: Bus | None = None
    bitrate_kbit_s: Positive | None = None
    connector: Identifier | None = None
    message_set: Identifier | None = None
    signals: tuple[Text, ...] | None = None
    period_ms: Positive | None = None
    cell_voltage_taps: Natural | None = None
    temperature_sensors: Natural | None = None
    voltage_accuracy_mv: Positive | None = None
    temperature_accuracy_k: Positive | None = None
    balancing_current_ma: NonNegative | None = None
    diagnostics: Identifier | None = None


class BatterySafety(Table):
    """Propagation, approval, transport and functional safety."""

    propagation: Literal["none", "with_warning", "without_warning"] | None = None
    propagation_warning_s: NonNegative | None = None
    vent_face: Face | None = None
    reess_type: Identifier | None = None
    transport_test_summary: Text | None = None
    asil: Asil | None = None


class BatteryLife(Table):
    """Declared life, and the share of capacity that counts as its end."""

    end_of_life_share: Share | None = None
    calendar_years: Positive | None = None
    distance_km: Positive | None = None
    full_cycles: Positive | None = None


class BatteryService(Table):
    """Repair, traceability and passport.

    `traceability_code` is a code of this type of part with serial and date as the supplier prints them
    (24 characters, GB/T 34014); `passport_lacks` lists mandatory passport entries not yet filled.
    """

    replaceable_in_bay: Flag | None = None
    dismantling_instructions: Text | None = None
    traceability_code: Annotated[str, Field(pattern=r"^[0-9A-Z]{24}$")] | None = None
    passport_lacks: tuple[Text, ...] | None = None


class Offer(Table):
    """On what terms a part is offered: price with its year, and the plants that make it."""

    price_usd: Positive | None = None
    price_year: Annotated[int, Field(ge=2000, le=2100, strict=True)] | None = None
    plants: tuple[Text, ...] = ()


class BatteryModule(Record):
    """A battery module, cell block or pack on offer.

    `cells_series` and `cells_parallel` are of this one part: 4 and 2 for a 4s2p module.
    """

    name: Text
    supplier: Text
    template: Flag = False
    level: Level = "battery_module"
    life_cycle: LifeCycle = "production"
    conforms_to: tuple[StandardReference, ...] = ()
    chemistry: Chemistry | None = None
    cell: Identifier | None = None
    cells_series: Count
    cells_parallel: Count
    capacity_ah: Positive | None = None
    nominal_voltage_v: Positive | None = None
    energy_kwh: Positive | None = None
    mass_kg: Positive | None = None
    notes: Text | None = None
    limits: Limits = Limits()
    curves: Curves = Curves()
    envelope: Envelope = Envelope()
    mounting: Mounting = Mounting()
    electrical: BatteryElectrical = BatteryElectrical()
    thermal: BatteryThermal = BatteryThermal()
    communication: BatteryCommunication = BatteryCommunication()
    safety: BatterySafety = BatterySafety()
    life: BatteryLife = BatteryLife()
    service: BatteryService = BatteryService()
    offer: Offer = Offer()
    evidence: tuple[Text, ...] = ()

    @property
    def rated_energy_kwh(self) -> float | None:
        """Energy [kWh]: as stated, or capacity times nominal voltage."""
        if self.energy_kwh is not None:
            return self.energy_kwh
        if self.capacity_ah is None or self.nominal_voltage_v is None:
            return None
        return self.capacity_ah * self.nominal_voltage_v / 1000.0

    def open_circuit_voltage_v(self, soc: float) -> float | None:
        """Open-circuit voltage of the part [V] at a state of charge, from its cell curve."""
        curve = self.curves.open_circuit_voltage
        return None if curve is None else self.cells_series * interpolate(curve.soc, curve.voltage_v, soc)

    def resistance_ohm(self, temperature_c: float) -> float | None:
        """Direct-current resistance of the part [ohm] at a temperature, from its curve."""
        curve = self.curves.resistance
        return (
            None if curve is None else interpolate(curve.temperature_c, curve.resistance_mohm, temperature_c) / 1000.0
        )
