"""The e-axle: motor, inverter and reducer as hardware, with the ratings it is allowed to run at.

One motor serves several cars at several powers (Nissan's MM48 runs at 47, 50 and 100 kW): a rating is
software, inverter and cooling, not only hardware. So hardware is described once and ratings are a list.
Motors and inverters may be bought apart: the boundary between them (`motor_interface`) and the boundary
between inverter and vehicle (`vehicle_interface`) each have their own record.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kyotsu.spec.battery import Asil, Bus, CoolantMedium, LifeCycle, Offer, SolidAngle
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
    StandardReference,
    Table,
    Text,
    require_rising,
)

MotorType = Literal["pm", "induction", "eesm"]
Scope = Literal["e_axle", "motor_inverter", "motor"]
EnduranceRank = Literal["C", "B", "A", "S"]


class Rating(Table):
    """A power at which the hardware may be run (ISO 21782: at a voltage, a coolant inlet and a duration)."""

    id: Identifier
    peak_power_kw: Positive
    peak_torque_nm: Positive
    continuous_power_kw: Positive | None = None
    continuous_torque_nm: Positive | None = None
    peak_duration_s: Positive | None = None
    dc_current_max_a: Positive | None = None

    @model_validator(mode="after")
    def _continuous_below_peak(self) -> Self:
        if self.continuous_power_kw is not None and self.continuous_power_kw > self.peak_power_kw:
            raise ValueError(
                f"continuous_power_kw = {self.continuous_power_kw:g} must not exceed "
                f"peak_power_kw = {self.peak_power_kw:g}"
            )
        return self


class LossModel(Table):
    """Loss of motor and inverter [W] over shaft torque T [N m] and speed w [rad/s].

    P = c0 + w1 w + w2 w² + w3 w³ + t1 T + t2 T² + tw T w + t2w T² w + tw2 T w²
    (the polynomial form of Mahmoudi and Soong; |T| is used for both quadrants).
    """

    c0: NonNegative = 0.0
    w1: NonNegative = 0.0
    w2: NonNegative = 0.0
    w3: NonNegative = 0.0
    t1: NonNegative = 0.0
    t2: NonNegative = 0.0
    tw: NonNegative = 0.0
    t2w: NonNegative = 0.0
    tw2: NonNegative = 0.0


class LossMap(Table):
    """Loss of motor and inverter [W] as a table, one row for each torque and one column for each speed."""

    speed_rpm: Annotated[tuple[NonNegative, ...], Field(min_length=2)]
    torque_nm: Annotated[tuple[NonNegative, ...], Field(min_length=2)]
    loss_w: Annotated[tuple[tuple[NonNegative, ...], ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        if len(self.loss_w) != len(self.torque_nm):
            raise ValueError(
                f"loss_w has {len(self.loss_w)} rows, must have one for each of {len(self.torque_nm)} torques"
            )
        if any(len(row) != len(self.speed_rpm) for row in self.loss_w):
            raise ValueError(f"every row of loss_w must have one entry for each of {len(self.speed_rpm)} speeds")
        for name in ("speed_rpm", "torque_nm"):
            axis = getattr(self, name)
            if any(second <= first for first, second in pairwise(axis)):
                raise ValueError(f"{name} must rise from entry to entry")
        return self


class Motor(Table):
    """The electric machine."""

    type: MotorType | None = None
    max_speed_rpm: Positive | None = None
    overspeed_rpm: Positive | None = None
    pole_pairs: Count | None = None
    rotor_inertia_kg_m2: Positive | None = None
    mass_kg: Positive | None = None

    @model_validator(mode="after")
    def _overspeed_above_speed(self) -> Self:
        highest, beyond = self.max_speed_rpm, self.overspeed_rpm
        if highest is not None and beyond is not None and beyond < highest:
            raise ValueError(f"overspeed_rpm = {beyond:g} must not be below max_speed_rpm = {highest:g}")
        return self


class Inverter(Table):
    """The inverter: voltage window, derating and the direct-current side.

    Between `full_power_min_v` and `full_power_max_v` all ratings hold; outside, down to `voltage_min_v`
    and up to `voltage_max_v`, the unit works with less; beyond, it shuts down.
    """

    voltage_min_v: Positive | None = None
    full_power_min_v: Positive | None = None
    full_power_max_v: Positive | None = None
    voltage_max_v: Positive | None = None
    voltage_class: Identifier | None = None
    dc_link_capacitance_uf: Positive | None = None
    ripple_current_a: Positive | None = None
    active_discharge_s: Positive | None = None
    passive_discharge_s: Positive | None = None
    insulation_ohm_per_v: Positive | None = None
    mass_kg: Positive | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        require_rising(self, "voltage_min_v", "full_power_min_v", "full_power_max_v", "voltage_max_v")
        return self


class Reducer(Table):
    """The gear between motor and wheels."""

    ratio: Positive | None = None
    efficiency: Share | None = None
    axle_peak_torque_nm: Positive | None = None
    backlash_mrad: NonNegative | None = None
    park_lock: Flag | None = None
    oil: Identifier | None = None
    oil_volume_l: Positive | None = None
    mass_kg: Positive | None = None


class EAxleEnvelope(Table):
    """Outer size, mass centre and position of the output axis."""

    length_mm: Positive | None = None
    width_mm: Positive | None = None
    height_mm: Positive | None = None
    center_of_gravity_mm: SolidAngle | None = None
    output_axis_offset_mm: Number | None = None


class EAxleMounting(Table):
    """Mounting and half shafts."""

    pattern: Identifier | None = None
    reaction_torque_nm: Positive | None = None
    output_spline: Identifier | None = None
    shaft_angle_max_deg: Positive | None = None
    seal: Identifier | None = None


class EAxleThermal(Table):
    """Cooling interface, and what the unit gives off at its continuous rating."""

    medium: CoolantMedium | None = None
    port: Identifier | None = None
    flow_l_min: Positive | None = None
    pressure_drop_kpa: NonNegative | None = None
    inlet_max_c: Celsius | None = None
    heat_rejection_kw: Positive | None = None


class MotorInterface(Table):
    """The split between motor and inverter: what an inverter must know to drive this motor."""

    phases: Count | None = None
    phase_current_max_a: Positive | None = None
    back_emf_v_per_krpm: Positive | None = None
    pole_pairs: Count | None = None
    d_inductance_uh: Positive | None = None
    q_inductance_uh: Positive | None = None
    flux_linkage_mwb: Positive | None = None
    position_sensor: Literal["resolver", "inductive", "hall", "none"] | None = None
    offset_stored_in_unit: Flag | None = None
    winding_sensor: Identifier | None = None


class VehicleInterface(Table):
    """The split between inverter and vehicle: direct current, low voltage, messages and safety."""

    hv_connector: Identifier | None = None
    hv_cable_mm2: Positive | None = None
    hv_shielded: Flag | None = None
    interlock: Flag | None = None
    lv_supply_min_v: Positive | None = None
    lv_supply_max_v: Positive | None = None
    quiescent_current_ma: NonNegative | None = None
    wake_line: Flag | None = None
    bus: Bus | None = None
    bitrate_kbit_s: Positive | None = None
    message_set: Identifier | None = None
    period_ms: Positive | None = None
    end_to_end_profile: Identifier | None = None
    signals: tuple[Text, ...] | None = None
    safe_state: Literal["freewheel", "active_short_circuit", "both"] | None = None
    safe_state_speed_max_rpm: Positive | None = None
    back_emf_max_v: Positive | None = None
    asil_torque: Asil | None = None
    torque_error_limit_nm: Positive | None = None
    fault_tolerant_time_ms: Positive | None = None
    software_signed: Flag | None = None


class EAxleEnvironment(Table):
    """What the unit withstands, how loud it is, how long it lasts."""

    ip_code: Annotated[str, Field(pattern=r"^IP[0-6X][0-9X]K?$")] | None = None
    vibration_class: Natural | None = None
    temperature_min_c: Celsius | None = None
    temperature_max_c: Celsius | None = None
    emc_class: Natural | None = None
    max_altitude_m: Positive | None = None
    noise_db: Positive | None = None
    endurance_rank: EnduranceRank | None = None


class EAxle(Record):
    """An e-axle on offer: one hardware, a list of ratings, and its interfaces."""

    name: Text
    supplier: Text
    template: Flag = False
    scope: Scope = "e_axle"
    life_cycle: LifeCycle = "production"
    conforms_to: tuple[StandardReference, ...] = ()
    ratings: Annotated[tuple[Rating, ...], Field(min_length=1)]
    mass_kg: Positive | None = None
    notes: Text | None = None
    motor: Motor = Motor()
    inverter: Inverter = Inverter()
    reducer: Reducer = Reducer()
    loss_model: LossModel | None = None
    loss_map: LossMap | None = None
    envelope: EAxleEnvelope = EAxleEnvelope()
    mounting: EAxleMounting = EAxleMounting()
    thermal: EAxleThermal = EAxleThermal()
    motor_interface: MotorInterface = MotorInterface()
    vehicle_interface: VehicleInterface = VehicleInterface()
    environment: EAxleEnvironment = EAxleEnvironment()
    offer: Offer = Offer()
    evidence: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.loss_model is not None and self.loss_map is not None:
            raise ValueError("loss_model and loss_map are both given, give one of them")
        names = [rating.id for rating in self.ratings]
        if len(set(names)) != len(names):
            raise ValueError("two ratings share an id, each must have its own")
        return self
