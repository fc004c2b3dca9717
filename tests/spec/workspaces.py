"""A workspace on disk that a test bends: everything in it is stated, and every check passes.

Two makers share one battery module and one e-axle. Alpha's car has the native places of the module; Beta's
car extends the same slot templates. `Folder` writes it, and changes one thing at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from kyotsu.errors import Problem
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.record import Record
from kyotsu.spec.vehicle import Vehicle
from kyotsu.spec.workspace import Workspace, check_workspace, load_workspace

RecordT = TypeVar("RecordT", bound=Record)

ALLIANCE = """\
format = 1
name = "Two makers"
year = 2024
currency = "USD"
adopted_standards = ["common_module@1.0"]
proposed_battery_module = "block_8s"
proposed_eaxles = ["drive_100"]

[[market]]
id = "japan"
name = "Japan"
currency = "JPY"
cycle = "wltc_3b"

[[agreement]]
id = "shared_parts"
name = "Shared parts"
parties = ["alpha", "beta"]
date = "2024-08-01"
state = "memorandum"
"""

MODULES = """\
format = 1

[[battery_module]]
id = "block_8s"
name = "Block 8s2p"
supplier = "Cell Works"
conforms_to = ["common_module@1.0"]
chemistry = "NMC"
cell = "pouch"
cells_series = 8
cells_parallel = 2
capacity_ah = 112.0
nominal_voltage_v = 29.6
energy_kwh = 3.3
mass_kg = 20.0
sources."*" = { source = "data sheet 7", status = "declared" }
sources.mass_kg = { source = "scale, lot 7", status = "measured" }
[battery_module.limits]
operating = { cell_voltage_min_v = 2.5, cell_voltage_max_v = 4.2, discharge_temperature_min_c = -30.0, discharge_temperature_max_c = 55.0, charge_temperature_min_c = -30.0, charge_temperature_max_c = 50.0, discharge_current_a = 200.0, charge_current_a = 200.0 }
recommended = { cell_voltage_min_v = 2.45, cell_voltage_max_v = 4.22 }
safety = { cell_voltage_min_v = 2.4, cell_voltage_max_v = 4.25, discharge_temperature_max_c = 65.0, charge_temperature_min_c = -30.0, discharge_current_a = 700.0, charge_current_a = 600.0 }
[battery_module.curves.open_circuit_voltage]
soc = [0.0, 0.1, 0.5, 0.9, 1.0]
voltage_v = [3.2, 3.4, 3.7, 4.1, 4.19]
[battery_module.curves.resistance]
temperature_c = [-30.0, 0.0, 25.0, 45.0]
resistance_mohm = [20.0, 9.0, 5.0, 4.0]
[battery_module.curves.charge_current]
soc = [0.0, 0.5, 0.8, 1.0]
current_a = [250.0, 250.0, 150.0, 20.0]
[battery_module.envelope]
length_mm = 300.0
width_mm = 200.0
height_mm = 150.0
tolerance_mm = 1.0
swelling_mm = 2.0
swelling_along = "length"
[battery_module.mounting]
pattern = "four_bolts"
thread = "M8"
vibration_class = 2
ip_code = "IP67"
crush_force_kn = 120.0
face_pressure_min_kpa = 20.0
face_pressure_max_kpa = 200.0
[battery_module.electrical]
discharge_peak_current_a = 600.0
charge_peak_current_a = 400.0
peak_duration_s = 10.0
max_system_voltage_v = 500.0
capacity_spread_pct = 1.0
insulation_mega_ohm = 100.0
y_capacitance_nf = 5.0
creepage_mm = 8.0
clearance_mm = 6.0
max_altitude_m = 4000.0
terminal = "busbar_m6"
interlock = true
[battery_module.thermal]
medium = "water_glycol"
port = "quick_12"
flow_l_min = 1.0
pressure_drop_kpa = 20.0
inlet_max_c = 45.0
max_pressure_kpa = 250.0
cooled_face = "bottom"
contact_area_mm2 = 55000.0
flatness_mm = 0.3
interface_resistance_k_per_w = 0.02
storage_temperature_min_c = -40.0
storage_temperature_max_c = 60.0
[battery_module.communication]
bus = "can"
bitrate_kbit_s = 500.0
connector = "signal_12"
message_set = "common_1"
signals = ["voltage", "current", "temperature"]
period_ms = 10.0
cell_voltage_taps = 8
temperature_sensors = 2
voltage_accuracy_mv = 5.0
temperature_accuracy_k = 1.0
balancing_current_ma = 50.0
diagnostics = "uds_1"
[battery_module.safety]
propagation = "with_warning"
propagation_warning_s = 360.0
vent_face = "side"
reess_type = "common_a"
transport_test_summary = "TR-38-7"
asil = "C"
[battery_module.life]
end_of_life_share = 0.7
calendar_years = 12.0
distance_km = 300000.0
[battery_module.service]
replaceable_in_bay = true
dismantling_instructions = "manual 7, page 3"
traceability_code = "X12MCPM27KLPCLX2M2382320"
passport_lacks = []
[battery_module.offer]
price_usd = 400.0
price_year = 2024

[[battery_module]]
id = "block_8s_heavy"
extends = "block_8s"
name = "Block 8s2p, first series"
mass_kg = 20.5
sources.mass_kg = { source = "data sheet 6", status = "declared" }
"""

EAXLES = """\
format = 1

[[eaxle]]
id = "drive_100"
name = "Drive 100"
supplier = "Turn Works"
mass_kg = 80.0
sources."*" = { source = "data sheet 9", status = "declared" }
ratings = [
  { id = "70kw", peak_power_kw = 70.0, peak_torque_nm = 200.0, continuous_power_kw = 35.0, peak_duration_s = 30.0, dc_current_max_a = 300.0 },
  { id = "100kw", peak_power_kw = 100.0, peak_torque_nm = 260.0, continuous_power_kw = 50.0, peak_duration_s = 30.0, dc_current_max_a = 400.0 },
]
motor = { type = "pm", max_speed_rpm = 14000.0, overspeed_rpm = 15500.0 }
inverter = { voltage_min_v = 200.0, full_power_min_v = 230.0, full_power_max_v = 430.0, voltage_max_v = 450.0, voltage_class = "b_400v", dc_link_capacitance_uf = 500.0, ripple_current_a = 60.0, active_discharge_s = 1.0, passive_discharge_s = 60.0, insulation_ohm_per_v = 1000.0 }
reducer = { ratio = 9.5, efficiency = 0.97, axle_peak_torque_nm = 2500.0, backlash_mrad = 5.0, park_lock = true, oil = "atf_1" }
loss_model = { t2 = 0.05, w1 = 0.6 }
envelope = { length_mm = 450.0, width_mm = 400.0, height_mm = 350.0, output_axis_offset_mm = 10.0 }
mounting = { pattern = "three_mounts", reaction_torque_nm = 2600.0, output_spline = "spline_30", shaft_angle_max_deg = 12.0, seal = "seal_40" }
thermal = { medium = "water_glycol", port = "quick_16", flow_l_min = 8.0, pressure_drop_kpa = 15.0, inlet_max_c = 65.0, heat_rejection_kw = 4.0 }
vehicle_interface = { hv_connector = "hv_2", hv_cable_mm2 = 50.0, hv_shielded = true, interlock = true, lv_supply_min_v = 8.0, lv_supply_max_v = 16.0, quiescent_current_ma = 0.5, wake_line = true, bus = "can", bitrate_kbit_s = 500.0, message_set = "drive_1", period_ms = 10.0, end_to_end_profile = "e2e_1a", signals = ["torque", "speed"], safe_state = "freewheel", back_emf_max_v = 380.0, asil_torque = "D", torque_error_limit_nm = 30.0, fault_tolerant_time_ms = 100.0, software_signed = true }
environment = { ip_code = "IP67", vibration_class = 2, temperature_min_c = -40.0, temperature_max_c = 85.0, emc_class = 3, max_altitude_m = 4000.0, noise_db = 60.0, endurance_rank = "A" }
"""

SLOTS = """\
format = 1

[[battery_bay]]
id = "twelve_places"
places = 12
clearance_mm = 2.0
envelope_tolerance_mm = 10.0
max_mass_kg = 320.0
mass_tolerance_kg = 30.0
structure_mass_kg = 60.0
sources."*" = { source = "drawing 3", status = "declared" }
place = { length_mm = 310.0, width_mm = 210.0, height_mm = 160.0 }
bay = { length_mm = 1000.0, width_mm = 900.0, height_mm = 170.0 }
[battery_bay.mounting]
pattern = "four_bolts"
thread = "M8"
vibration_class = 2
ip_code = "IP67"
crush_force_kn = 100.0
face_pressure_min_kpa = 30.0
face_pressure_max_kpa = 150.0
growth_allowance_mm = 3.0
[battery_bay.electrical]
voltage_min_v = 240.0
full_power_min_v = 288.0
voltage_max_v = 410.0
voltage_class = "b_400v"
class_limit_v = 450.0
discharge_peak_power_kw = 100.0
regeneration_peak_power_kw = 60.0
continuous_power_kw = 30.0
peak_duration_s = 10.0
power_soc = 0.3
power_temperature_c = 10.0
capacity_spread_max_pct = 2.0
fuse_current_a = 250.0
breaking_capacity_a = 10000.0
dc_link_capacitance_uf = 1000.0
precharge_resistance_ohm = 30.0
precharge_time_max_s = 0.5
precharge_energy_max_j = 100.0
insulation_ohm_per_v = 500.0
creepage_mm = 8.0
clearance_mm = 5.5
altitude_m = 3000.0
terminal = "busbar_m6"
interlock = true
[battery_bay.thermal]
medium = "water_glycol"
port = "quick_12"
flow_l_min = 14.0
pump_pressure_kpa = 60.0
inlet_c = 40.0
heat_rejection_w = 2500.0
cooled_face = "bottom"
contact_area_mm2 = 50000.0
flatness_mm = 0.5
interface_resistance_max_k_per_w = 0.03
climate_min_c = -25.0
climate_max_c = 45.0
storage_min_c = -30.0
storage_max_c = 60.0
[battery_bay.communication]
bus = "can"
bitrate_kbit_s = 500.0
connector = "signal_12"
message_set = "common_1"
signals = ["voltage", "current"]
period_max_ms = 100.0
voltage_accuracy_mv = 10.0
temperature_accuracy_k = 2.0
balancing_current_ma = 20.0
diagnostics = "uds_1"
[battery_bay.safety]
propagation_warning_s = 300.0
vent_faces = ["side", "end"]
reess_types = ["common_a"]
chemistries = ["NMC", "LFP"]
asil = "C"

[[eaxle_mount]]
id = "subframe"
peak_power_kw = 80.0
peak_duration_s = 10.0
continuous_power_kw = 40.0
axle_torque_nm = 2000.0
half_shaft_torque_max_nm = 3000.0
backlash_max_mrad = 8.0
top_speed_km_h = 150.0
speed_reserve_share = 0.1
park_lock = true
sources."*" = { source = "drawing 4", status = "declared" }
electrical = { voltage_min_v = 240.0, voltage_max_v = 410.0, voltage_class = "b_400v", dc_current_max_a = 450.0, dc_link_capacitance_max_uf = 1000.0, ripple_current_max_a = 80.0, active_discharge_max_s = 2.0, passive_discharge_max_s = 120.0, insulation_ohm_per_v = 500.0 }
body = { clear = { length_mm = 500.0, width_mm = 450.0, height_mm = 400.0 }, max_mass_kg = 90.0, mass_tolerance_kg = 10.0, pattern = "three_mounts", reaction_torque_max_nm = 3000.0, output_spline = "spline_30", shaft_angle_deg = 10.0, seal = "seal_40", output_axis_offset_mm = 8.0, output_axis_tolerance_mm = 5.0 }
thermal = { medium = "water_glycol", port = "quick_16", flow_l_min = 10.0, pump_pressure_kpa = 40.0, inlet_c = 60.0, heat_rejection_kw = 6.0 }
interface = { hv_connector = "hv_2", hv_cable_mm2 = 35.0, hv_shielded = true, interlock = true, lv_supply_min_v = 9.0, lv_supply_max_v = 15.5, quiescent_current_max_ma = 1.0, wake_line = true, bus = "can", bitrate_kbit_s = 500.0, message_set = "drive_1", period_max_ms = 20.0, end_to_end_profile = "e2e_1a", signals = ["torque", "speed"], asil_torque = "C", torque_error_max_nm = 50.0, fault_tolerant_time_max_ms = 200.0, software_signed = true }
environment = { ip_code = "IP67", vibration_class = 2, climate_min_c = -30.0, climate_max_c = 60.0, emc_class = 3, altitude_m = 3000.0, noise_max_db = 65.0, endurance_rank = "B" }
"""

STANDARDS = """\
format = 1

[[standard]]
id = "common_module"
version = "0.9"
kind = "battery_module"
name = "Common module, first draft"
state = "withdrawn"
owner = "Two makers"
constraints = [
  { field = "mass_kg", rule = "at_most", value = 25.0, reason = "two people can lift it" },
  { field = "chemistry", rule = "one_of", values = ["NMC", "LFP"], reason = "both controllers know them" },
  { field = "envelope.height_mm", rule = "between", low = 140.0, high = 160.0, reason = "the lowest floor" },
]

[[standard]]
id = "common_module"
version = "1.0"
kind = "battery_module"
name = "Common module"
state = "adopted"
owner = "Two makers"
constraints = [
  { field = "mass_kg", rule = "at_most", value = 21.0, reason = "one person with a hoist" },
  { field = "chemistry", rule = "one_of", values = ["NMC", "LFP", "LMO"], reason = "both controllers know them" },
  { field = "cells_series", rule = "equal", value = 8.0, reason = "twelve make 400 V" },
]

[[standard]]
id = "common_drive"
version = "0.1"
kind = "eaxle"
name = "Common drive"
state = "proposal"
owner = "Two makers"
constraints = [{ field = "ratings.peak_power_kw", rule = "at_least", value = 90.0, reason = "the larger car" }]
"""

ALPHA_VEHICLES = """\
format = 1

[[vehicle]]
id = "hatch"
name = "Alpha Hatch"
markets = ["japan"]
drive = "front"
body_class = "compact"
coast_down = { a_n = 120.0, b_n_per_mps = 1.5, c_n_per_mps2 = 0.45 }
masses = { curb_kg = 1500.0, test_kg = 1640.0, cargo_kg = 400.0 }
tyre = { radius_mm = 316.0 }
battery = { energy_kwh = 40.0, usable_kwh = 38.0, mass_kg = 310.0, part = "block_8s", parts = 12 }
charging = { ac_power_kw = 6.6, dc_power_kw = 100.0, dc_current_max_a = 250.0, dc_voltage_max_v = 450.0, inlet = "ccs2" }
requirements = { range_km = 200.0, charge_10_to_80_min = 40.0, life_years = 8.0, life_distance_km = 160000.0 }
sources."*" = { source = "type approval 12", status = "declared" }
battery_bay = { id = "floor", extends = "twelve_places" }

[[vehicle.eaxle_mounts]]
id = "front"
extends = "subframe"
axle = "front"
fitted = { part = "drive_100", rating = "100kw" }

[[vehicle]]
id = "hatch_plus"
extends = "hatch"
name = "Alpha Hatch Plus"
masses = { curb_kg = 1550.0, test_kg = 1690.0 }
sources.masses = { source = "type approval 13", status = "declared" }
"""

BETA_VEHICLES = """\
format = 1

[[vehicle]]
id = "box"
name = "Beta Box"
markets = ["japan"]
drive = "rear"
resistances = { drag_coefficient = 0.32, frontal_area_m2 = 2.6, rolling_resistance_coefficient = 0.01 }
masses = { curb_kg = 1400.0 }
tyre = { radius_mm = 300.0 }
charging = { dc_power_kw = 50.0, dc_current_max_a = 150.0, dc_voltage_max_v = 450.0 }
sources."*" = { source = "brochure", status = "declared" }
battery_bay = { id = "floor", extends = "twelve_places", max_mass_kg = 340.0, sources.max_mass_kg = { source = "drawing 8", status = "declared" } }
eaxle_mounts = [{ id = "rear", extends = "subframe", axle = "rear" }]
"""

CELL: dict[str, Any] = {
    "Header": {"BPX": "1.1.0", "Title": "Pouch 56 Ah", "Model": "Partial"},
    "Parameterisation": {
        "Cell": {
            "Electrode area [m2]": 0.0168,
            "Number of electrode pairs connected in parallel to make a cell": 34,
            "Lower voltage cut-off [V]": 2.5,
            "Upper voltage cut-off [V]": 4.2,
            "Nominal cell capacity [A.h]": 56.0,
        }
    },
}

FILES: Mapping[str, str] = {
    "alliance.toml": ALLIANCE,
    "parts/battery_modules.toml": MODULES,
    "parts/eaxles.toml": EAXLES,
    "parts/cells/pouch.json": json.dumps(CELL, indent=2),
    "standards/slots.toml": SLOTS,
    "standards/common.toml": STANDARDS,
    "makers/alpha/maker.toml": 'format = 1\nname = "Alpha"\ncountry = "Japan"\n',
    "makers/alpha/vehicles.toml": ALPHA_VEHICLES,
    "makers/beta/maker.toml": 'format = 1\nname = "Beta"\n',
    "makers/beta/vehicles.toml": BETA_VEHICLES,
}


class Folder:
    """A workspace on disk, and what is wrong with it."""

    def __init__(self, root: Path, files: Mapping[str, str] = FILES) -> None:
        self.root = root
        for name, text in files.items():
            self.write(name, text)

    def path(self, name: str) -> Path:
        return self.root / name

    def write(self, name: str, text: str | bytes) -> None:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def text(self, name: str) -> str:
        return self.path(name).read_text("utf-8")

    def line(self, name: str, words: str) -> int:
        """The line on which `words` stand first."""
        before, found, _ = self.text(name).partition(words)
        assert found, f"{words!r} does not stand in {name}"
        return before.count("\n") + 1

    def change(self, name: str, old: str, new: str) -> int:
        """Put `new` in the first place of `old`; the line on which it stands."""
        line = self.line(name, old)
        self.write(name, self.text(name).replace(old, new, 1))
        return line

    def append(self, name: str, text: str) -> int:
        """Add `text` at the end; the line on which it starts."""
        line = self.text(name).count("\n") + 1
        self.write(name, self.text(name) + text)
        return line

    def problems(self) -> list[Problem]:
        return check_workspace(self.root)[1]

    def problem(self) -> Problem:
        """The one problem that there is."""
        problems = self.problems()
        assert len(problems) == 1, "\n".join(str(problem) for problem in problems) or "no problem"
        return problems[0]

    def load(self) -> Workspace:
        return load_workspace(self.root)

    def at(self, problem: Problem) -> tuple[str, int | None, str | None]:
        """A problem's place, its file as named in the workspace."""
        file = Path(problem.location.file or "").relative_to(self.root)
        return file.as_posix(), problem.location.line, problem.location.key


def changed(record: RecordT, changes: Mapping[str, Any]) -> RecordT:
    """The record with other values at dotted paths, read anew; `None` takes a value away."""
    raw = record.model_dump()
    for path, value in changes.items():
        *tables, name = path.split(".")
        table: Any = raw
        for part in tables:
            table = table[int(part)] if part.isdigit() else table[part]
        table[name] = value
    return type(record).model_validate(raw)


def stated_paths(record: Record) -> list[str]:
    """The dotted path of every optional value that a record states, its identity and origins left out."""
    return list(_stated(record, type(record)(**_required(record)).model_dump(), ""))


def _required(record: Record) -> dict[str, Any]:
    return {
        name: getattr(record, name) for name, field in type(record).model_fields.items() if field.is_required()
    }


def _stated(record: Any, empty: Mapping[str, Any], prefix: str) -> Iterable[str]:
    for name, field in type(record).model_fields.items():
        value = getattr(record, name)
        if name in ("id", "sources") or value is None:
            continue
        if hasattr(value, "model_fields") and field.default is not None and not field.is_required():
            yield from _stated(value, empty, f"{prefix}{name}.")
        elif not field.is_required() and field.default is None:
            yield f"{prefix}{name}"


def module_of(workspace: Workspace) -> BatteryModule:
    return workspace.battery_modules["block_8s"]


def eaxle_of(workspace: Workspace) -> EAxle:
    return workspace.eaxles["drive_100"]


def vehicle_of(workspace: Workspace) -> Vehicle:
    return workspace.vehicles["alpha/hatch"]
