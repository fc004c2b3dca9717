"""What batteries, e-axles, standards and changes cost.

Every coefficient stands with its origin and range in `data/costs.toml`. Public curves where there are some; the rest is
our assumption, to be moved within its range by whoever doubts it.

A standard costs once (design, tests, tooling), each unit of it what its energy, power and torque cost, and a car that
takes it once for the change. The volume effect, off by default, makes the value added of a unit cheaper with the units
of its standard: c V^-b with 2^-b = 1 - share. That cost, c V^(1-b) in all, is concave; it is represented by its tangent
at `reference_units`, a once-off part b c V0 and units at (1 - b) c, which is exact there and never too low elsewhere.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from kyotsu.errors import InputError, Problem
from kyotsu.plan.family import CostParts
from kyotsu.plan.settings import Settings
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.build import Build, Drive
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.finding import Verdict
from kyotsu.spec.fit import Fit
from kyotsu.spec.layout import Layout

USUAL_PACK_KWH = 45.0  # of which the volume effect's once-off part is taken; our assumption, the mean of the example
_LFP_LIKE = frozenset({"LFP", "LMFP", "LMO"})


@dataclass(frozen=True)
class Coefficient:
    """One coefficient of the cost model: its value, the range for sensitivities, and where it comes from."""

    name: str
    value: float
    low: float
    high: float
    status: str
    source: str


@cache
def _table() -> dict[str, Any]:
    text = (files("kyotsu.plan") / "data" / "costs.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def coefficients() -> Mapping[str, Coefficient]:
    """Every coefficient as shipped, by name."""
    return {name: Coefficient(name, **entry) for name, entry in _table()["coefficient"].items()}


def battery_cost_usd(energy_kwh: float, chemistry: str | None, year: int) -> float:
    """Cost of a pack [USD of 2022] by gross energy [kWh], chemistry and year (EPA OMEGA's curves)."""
    table = _table()["battery_curve"]
    curve = table["LFP" if chemistry in _LFP_LIKE else "NMC"]
    elapsed = min(max(year, table["first_year"]), table["last_year"]) - table["first_year"]
    per_kwh = curve["base"] + curve["size"] / math.pow(energy_kwh, curve["exponent"])
    per_kwh -= curve["fall"] * elapsed * math.exp(-curve["decay"] * elapsed)
    return float(energy_kwh * per_kwh * math.pow(1.0 - table["yearly_fall_share"], max(year - table["last_year"], 0)))


def battery_cost_source() -> str:
    """Where the curves of `battery_cost_usd` come from."""
    return str(_table()["battery_curve"]["source"])


@dataclass(frozen=True)
class CostModel:
    """The coefficients as they apply to one choice, by name, and the year that prices are of."""

    values: Mapping[str, float]
    year: int

    def __getitem__(self, name: str) -> float:
        return self.values[name]

    @property
    def learning_exponent(self) -> float:
        """b of c V^-b: cost falls by the volume effect with each doubling of volume."""
        return -math.log2(1.0 - min(self["volume_effect_share"], 0.99))

    def unit_ratio(self) -> float:
        """What a unit costs against the price at the reference volume, once the tangent's once-off part is paid."""
        return 1.0 - self["value_added_share"] * self.learning_exponent

    def pack_usd(self, energy_kwh: float, chemistry: str | None, ratio: float = 1.0) -> float:
        """A pack of any layout; `ratio` is that of cells that are dearer than their chemistry's."""
        return battery_cost_usd(energy_kwh, chemistry, self.year) * ratio * self["pack_price_ratio"]

    def battery_usd(self, module: BatteryModule, layout: Layout, ratio: float = 1.0) -> float:
        """A battery of modules [USD a vehicle], without the once-off part of the volume effect."""
        energy = (module.rated_energy_kwh or 0.0) * layout.parts
        cost = self.pack_usd(energy, module.chemistry, ratio) + self["module_handling_usd"] * layout.parts
        return cost * self.unit_ratio()

    def eaxle_usd(self, eaxle: EAxle) -> float:
        """An e-axle [USD], by the most that its hardware can do, without the once-off part of the volume effect."""
        return self.drive_usd(eaxle) * self.unit_ratio()

    def drive_usd(self, eaxle: EAxle) -> float:
        """An e-axle at the reference volume [USD]."""
        power = max(rating.peak_power_kw for rating in eaxle.ratings)
        torque = max(rating.peak_torque_nm for rating in eaxle.ratings)
        return self["drive_fixed_usd"] + self["inverter_usd_per_kw"] * power + self["motor_usd_per_nm"] * torque

    def module_standard_usd(self, module: BatteryModule, ratio: float = 1.0) -> float:
        """A battery module made common, once [USD]."""
        return self["module_standard_usd"] + self._once(self.pack_usd(USUAL_PACK_KWH, module.chemistry, ratio))

    def eaxle_standard_usd(self, eaxle: EAxle) -> float:
        """An e-axle made common, once [USD]."""
        return self["eaxle_standard_usd"] + self._once(self.drive_usd(eaxle))

    def battery_parts(
        self, base: Build, units: float, module: BatteryModule | None, layout: Layout | None, ratio: float = 1.0
    ) -> CostParts:
        """A vehicle's battery over all its units, findings aside; `module` is `None` for the battery as built."""
        if module is None or layout is None:
            cost = units * self.pack_usd(base.pack.energy_kwh, base.pack.chemistry) * self.unit_ratio()
            renewal = self["own_renewal_ratio"] * self["module_standard_usd"]
            once = self._once(self.pack_usd(USUAL_PACK_KWH, base.pack.chemistry))  # it has a volume of its own
            return CostParts(battery_usd=cost, change_usd=renewal + once)
        cost = units * self.battery_usd(module, layout, ratio)
        return CostParts(battery_usd=cost, change_usd=self["battery_change_usd"])

    def axle_parts(self, base: Build, units: float, drive: Drive, own: bool = False) -> CostParts:
        """A vehicle's e-axle at one mount over all its units, findings aside; `own` is the drive as built, kept."""
        cost = units * self.eaxle_usd(drive.eaxle)
        if not own:
            return CostParts(eaxles_usd=cost, change_usd=self["eaxle_change_usd"])
        alike = sum(item.eaxle.id == drive.eaxle.id for item in base.drives)  # one unit at both axles renews once
        renewal = self["own_renewal_ratio"] * self["eaxle_standard_usd"] + self._once(self.drive_usd(drive.eaxle))
        return CostParts(eaxles_usd=cost, change_usd=renewal / max(alike, 1))

    def finding_parts(self, fit: Fit | None) -> CostParts:
        """What settling the findings of a fit costs, once."""
        if fit is None:
            return CostParts()
        settled = self["conditional_usd"] * fit.count(Verdict.CONDITIONAL)
        return CostParts(findings_usd=settled + self["unknown_usd"] * fit.count(Verdict.UNKNOWN))

    def _once(self, unit_usd: float) -> float:
        return self.learning_exponent * self["value_added_share"] * unit_usd * self["reference_units"]


def cost_model(settings: Settings, year: int, changes: Mapping[str, float] | None = None) -> CostModel:
    """The shipped coefficients with those that the workspace, and then `changes`, replace.

    Raises:
        InputError: a coefficient that there is none of, or one out of what it can be.
    """
    shipped = coefficients()
    given = {**settings.choice.costs, **(changes or {})}
    problems = []
    for name, value in given.items():
        place = settings.locate("costs", name)
        if name not in shipped:
            expected = f"one of: {', '.join(shipped)}"
            problems.append(Problem(place, f"a cost {name!r}", expected, "Correct the name."))
        elif not 0.0 <= value < math.inf:
            problems.append(Problem(place, f"{name} = {value:g}", "0 or more", "Correct the value."))
        elif name.endswith("_share") and value > 0.9:
            problems.append(Problem(place, f"{name} = {value:g}", "a share from 0 to 0.9", "Correct the value."))
    if problems:
        raise InputError(problems)
    return CostModel({name: given.get(name, entry.value) for name, entry in shipped.items()}, year)
