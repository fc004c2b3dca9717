"""Slots: the places in a vehicle that take a part, and what they ask of it.

A battery bay takes modules, blocks or a pack; an e-axle mount takes an e-axle. What a slot does not
state is unknown and keeps a check from passing; what it does not require it says by waiving the check
with a reason: `waived.E10 = "sea-level test vehicle"`.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kyotsu.spec.battery import Asil, Bus, Chemistry, CoolantMedium, Face, Level
from kyotsu.spec.eaxle import EnduranceRank
from kyotsu.spec.record import (
    Celsius,
    Count,
    Flag,
    Identifier,
    Natural,
    NonNegative,
    Number,
    Positive,
    Record,
    Share,
    Table,
    Text,
    require_rising,
)

CheckId = Annotated[str, Field(pattern=r"^[A-Z][0-9]{1,2}$")]
IpCode = Annotated[str, Field(pattern=r"^IP[0-6X][0-9X]K?$")]


class Box(Table):
    """A clear rectangular space."""

    length_mm: Positive | None = None
    width_mm: Positive | None = None
    height_mm: Positive | None = None


class BayMounting(Table):
    """How the bay holds parts, and what they must withstand."""

    pattern: Identifier | None = None
    thread: Text | None = None
    vibration_class: Natural | None = None
    ip_code: IpCode | None = None
    crush_force_kn: Positive | None = None
    face_pressure_min_kpa: NonNegative | None = None
    face_pressure_max_kpa: Positive | None = None
    growth_allowance_mm: NonNegative | None = None


class BayElectrical(Table):
    """The high-voltage side of the vehicle: its window, demand, protection and insulation.

    `power_soc` and `power_temperature_c` say in which state the vehicle still needs its peak power.
    Between `full_power_min_v` and `voltage_max_v` everything on the bus works; from there down to
    `voltage_min_v` with less power; below, it shuts down.
    """

    voltage_min_v: Positive | None = None
    full_power_min_v: Positive | None = None
    voltage_max_v: Positive | None = None
    voltage_class: Identifier | None = None
    class_limit_v: Positive | None = None
    discharge_peak_power_kw: Positive | None = None
    regeneration_peak_power_kw: Positive | None = None
    continuous_power_kw: Positive | None = None
    peak_duration_s: Positive | None = None
    power_soc: Share | None = None
    power_temperature_c: Celsius | None = None
    capacity_spread_max_pct: Positive | None = None
    fuse_current_a: Positive | None = None
    breaking_capacity_a: Positive | None = None
    dc_link_capacitance_uf: Positive | None = None
    precharge_resistance_ohm: Positive | None = None
    precharge_time_max_s: Positive | None = None
    precharge_energy_max_j: Positive | None = None
    insulation_ohm_per_v: Positive | None = None
    creepage_mm: Positive | None = None
    clearance_mm: Positive | None = None
    altitude_m: NonNegative | None = None
    terminal: Identifier | None = None
    interlock: Flag | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        require_rising(self, "voltage_min_v", "full_power_min_v", "voltage_max_v", "class_limit_v")
        return self


class BayThermal(Table):
    """Cooling that the vehicle offers to its battery, and the climate it must survive."""

    medium: CoolantMedium | None = None
    port: Identifier | None = None
    flow_l_min: Positive | None = None
    pump_pressure_kpa: Positive | None = None
    inlet_c: Celsius | None = None
    heat_rejection_w: Positive | None = None
    cooled_face: Face | None = None
    contact_area_mm2: Positive | None = None
    flatness_mm: Positive | None = None
    interface_resistance_max_k_per_w: Positive | None = None
    climate_min_c: Celsius | None = None
    climate_max_c: Celsius | None = None
    storage_min_c: Celsius | None = None
    storage_max_c: Celsius | None = None


class BayCommunication(Table):
    """What the vehicle's battery controller listens to."""

    bus: Bus | None = None
    bitrate_kbit_s: Positive | None = None
    connector: Identifier | None = None
    message_set: Identifier | None = None
    signals: tuple[Text, ...] | None = None
    period_max_ms: Positive | None = None
    voltage_accuracy_mv: Positive | None = None
    temperature_accuracy_k: Positive | None = None
    balancing_current_ma: NonNegative | None = None
    diagnostics: Identifier | None = None


class BaySafety(Table):
    """Approval and safety goals of the vehicle."""

    propagation_warning_s: NonNegative | None = None
    vent_faces: tuple[Face, ...] | None = None
    reess_types: tuple[Identifier, ...] | None = None
    chemistries: tuple[Chemistry, ...] | None = None
    asil: Asil | None = None


class BatteryBay(Record):
    """The place for the battery.

    `envelope_tolerance_mm` and `mass_tolerance_kg` say how far beyond the stated space and mass body and
    suspension work can reach.
    `places` counts the native places of the clear size `place`; `bay` is the whole free space, in which
    places for a part of another size are derived by stacking. A pack takes the whole bay.
    """

    accepts: Annotated[tuple[Level, ...], Field(min_length=1)] = ("battery_module", "cell_block")
    places: Count | None = None
    place: Box = Box()
    bay: Box = Box()
    clearance_mm: NonNegative | None = None
    envelope_tolerance_mm: NonNegative | None = None
    max_mass_kg: Positive | None = None
    mass_tolerance_kg: NonNegative | None = None
    structure_mass_kg: NonNegative | None = None
    short_module_allowed: Flag | None = None
    mounting: BayMounting = BayMounting()
    electrical: BayElectrical = BayElectrical()
    thermal: BayThermal = BayThermal()
    communication: BayCommunication = BayCommunication()
    safety: BaySafety = BaySafety()
    waived: dict[CheckId, Text] = Field(default_factory=dict)


class MountElectrical(Table):
    """What the vehicle's high-voltage bus gives an inverter, and asks of it."""

    voltage_min_v: Positive | None = None
    voltage_max_v: Positive | None = None
    voltage_class: Identifier | None = None
    dc_current_max_a: Positive | None = None
    dc_link_capacitance_max_uf: Positive | None = None
    ripple_current_max_a: Positive | None = None
    active_discharge_max_s: Positive | None = None
    passive_discharge_max_s: Positive | None = None
    insulation_ohm_per_v: Positive | None = None


class MountBody(Table):
    """Space, mass, mounts and half shafts at the axle."""

    clear: Box = Box()
    max_mass_kg: Positive | None = None
    mass_tolerance_kg: NonNegative | None = None
    pattern: Identifier | None = None
    reaction_torque_max_nm: Positive | None = None
    output_spline: Identifier | None = None
    shaft_angle_deg: Positive | None = None
    seal: Identifier | None = None
    output_axis_offset_mm: Number | None = None
    output_axis_tolerance_mm: NonNegative | None = None


class MountThermal(Table):
    """Coolant that the vehicle offers to the e-axle."""

    medium: CoolantMedium | None = None
    port: Identifier | None = None
    flow_l_min: Positive | None = None
    pump_pressure_kpa: Positive | None = None
    inlet_c: Celsius | None = None
    heat_rejection_kw: Positive | None = None


class MountInterface(Table):
    """Low voltage, messages and safety goals at the axle."""

    hv_connector: Identifier | None = None
    hv_cable_mm2: Positive | None = None
    hv_shielded: Flag | None = None
    interlock: Flag | None = None
    lv_supply_min_v: Positive | None = None
    lv_supply_max_v: Positive | None = None
    quiescent_current_max_ma: NonNegative | None = None
    wake_line: Flag | None = None
    bus: Bus | None = None
    bitrate_kbit_s: Positive | None = None
    message_set: Identifier | None = None
    period_max_ms: Positive | None = None
    end_to_end_profile: Identifier | None = None
    signals: tuple[Text, ...] | None = None
    asil_torque: Asil | None = None
    torque_error_max_nm: Positive | None = None
    fault_tolerant_time_max_ms: Positive | None = None
    software_signed: Flag | None = None


class MountEnvironment(Table):
    """What the unit must withstand at this axle."""

    ip_code: IpCode | None = None
    vibration_class: Natural | None = None
    climate_min_c: Celsius | None = None
    climate_max_c: Celsius | None = None
    emc_class: Natural | None = None
    altitude_m: NonNegative | None = None
    noise_max_db: Positive | None = None
    endurance_rank: EnduranceRank | None = None


class Fitted(Table):
    """The e-axle that a mount carries as built, at one of its ratings."""

    part: Identifier
    rating: Identifier


class EAxleMount(Record):
    """The place for an e-axle at one axle, and what that axle must deliver."""

    axle: Literal["front", "rear"]
    fitted: Fitted | None = None
    peak_power_kw: Positive | None = None
    peak_duration_s: Positive | None = None
    continuous_power_kw: Positive | None = None
    axle_torque_nm: Positive | None = None
    half_shaft_torque_max_nm: Positive | None = None
    backlash_max_mrad: Positive | None = None
    top_speed_km_h: Positive | None = None
    speed_reserve_share: Share | None = None
    efficiency_min: Share | None = None
    park_lock: Flag | None = None
    electrical: MountElectrical = MountElectrical()
    body: MountBody = MountBody()
    thermal: MountThermal = MountThermal()
    interface: MountInterface = MountInterface()
    environment: MountEnvironment = MountEnvironment()
    waived: dict[CheckId, Text] = Field(default_factory=dict)
