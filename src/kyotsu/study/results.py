"""What a study found: plain frozen data, the same in Python, JSON, Parquet and the report."""

from __future__ import annotations

from dataclasses import dataclass, field

from kyotsu.errors import Problem
from kyotsu.spec.finding import Finding, Verdict, overall
from kyotsu.spec.fit import Fit
from kyotsu.spec.workspace import Workspace
from kyotsu.study.choice import Choice
from kyotsu.study.unknowns import Unknown


@dataclass(frozen=True)
class CycleResult:
    """One build over one drive cycle.

    Attributes:
        dc_wh_per_km: energy taken from the battery's cells, per km driven.
        ac_wh_per_km: energy from the wall that puts it back, per km driven.
        ac_low_wh_per_km: at least what a bench would measure of 8 in 10 cars, see `kyotsu.sim.interval`.
        ac_high_wh_per_km: at most.
        range_km: usable energy over `dc_wh_per_km`.
        range_low_km: at least what 8 in 10 cars would reach, their usable energy being as stated.
        range_high_km: at most.
        missed_s: seconds in which the vehicle was slower than the cycle asks.
        shortfall_km_h: the largest speed missing.
        limited_by: what limited it when it was slower, else empty.
        ledger: energy [Wh] by use; it sums to the energy taken from the battery.
    """

    vehicle: str
    build: str
    cycle: str
    distance_km: float
    dc_wh_per_km: float
    ac_wh_per_km: float
    ac_low_wh_per_km: float
    ac_high_wh_per_km: float
    range_km: float
    range_low_km: float
    range_high_km: float
    missed_s: float
    shortfall_km_h: float
    limited_by: str
    ledger: dict[str, float]


@dataclass(frozen=True)
class BuildResult:
    """What one build of a vehicle is and does.

    Attributes:
        build: `as_built` or `common`.
        parts: what fills its slots, in words.
        fit: the worst verdict of its parts in their slots; `None` for the vehicle as built: nobody asks.
        epa_range_km: EPA label range (two-cycle, adjusted).
        gradeability_pct: steepest grade climbed from standstill.
        charge_10_to_80_min: at a fast charger, see `sim.fast_charge`; `None` without one, or when 80 % is not reached.
        requirements: the vehicle's own requirements judged by simulation.
        bounds: of consumption and range, by the name of the figure: what 8 in 10 measurements would be within.
        generic: values that nobody stated and generic components filled, as dotted fields.
        notes: what is not known or was assumed.
    """

    vehicle: str
    maker: str
    name: str
    build: str
    parts: tuple[str, ...]
    fit: Verdict | None
    energy_kwh: float
    usable_kwh: float
    nominal_voltage_v: float | None
    curb_mass_kg: float
    test_mass_kg: float
    udds_ac_wh_per_km: float
    hwfet_ac_wh_per_km: float
    wltc_ac_wh_per_km: float
    epa_range_km: float
    wltc_range_km: float
    zero_to_100_km_h_s: float | None
    top_speed_km_h: float
    gradeability_pct: float
    charge_10_to_80_min: float | None
    battery_cost_usd: float
    drive_cost_usd: float
    requirements: tuple[Finding, ...]
    bounds: dict[str, tuple[float, float]]
    generic: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def cost_usd(self) -> float:
        """Battery and drives together."""
        return self.battery_cost_usd + self.drive_cost_usd

    @property
    def verdict(self) -> Verdict:
        """The worst of all requirements; pass when the vehicle requires nothing."""
        return overall(self.requirements) if self.requirements else Verdict.PASS


@dataclass(frozen=True)
class NotBuilt:
    """A build that cannot be made, and why."""

    vehicle: str
    build: str
    reason: str


@dataclass(frozen=True)
class Study:
    """Everything that one run over a workspace found; `choice` is `None` where nobody asked for it."""

    workspace: Workspace
    fits: tuple[Fit, ...]
    builds: tuple[BuildResult, ...]
    cycles: tuple[CycleResult, ...]
    not_built: tuple[NotBuilt, ...]
    unknowns: tuple[Unknown, ...]
    warnings: tuple[Problem, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    choice: Choice | None = None
