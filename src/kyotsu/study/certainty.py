"""How far a study's figures can be trusted: against published figures, and in a difference of two builds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kyotsu.sim.interval import apart_pct
from kyotsu.spec.build import AS_BUILT
from kyotsu.study.requirements import REQUIREMENTS
from kyotsu.study.results import BuildResult, CycleResult, Study

LIMITED = (
    "top_speed_km_h"  # published of the car, simulated of its drive: a limiter may set the car's as low as it likes
)
CYCLE_OF = {
    "udds_ac_wh_per_km": "udds",
    "hwfet_ac_wh_per_km": "hwfet",
    "wltc_ac_wh_per_km": "wltc_3b",
    "epa_range_km": "udds",
    "wltc_range_km": "wltc_3b",
}
# What a figure rests on, besides what every build states: ends of the dotted fields that may be generic.
CONSUMPTION = ("loss_model", "reducer.ratio", "resistance_mohm", "open_circuit_voltage")
POWER = ("battery.peak_power_kw", "resistance_mohm", "open_circuit_voltage", "reducer.ratio")
RESTS_ON = {
    **dict.fromkeys(CYCLE_OF, CONSUMPTION),
    "zero_to_100_km_h_s": POWER,
    "gradeability_pct": POWER,
    "top_speed_km_h": (*POWER, "motor.max_speed_rpm", "loss_model"),
    "charge_10_to_80_min": ("battery.charge_current", "resistance_mohm", "open_circuit_voltage"),
}


@dataclass(frozen=True)
class Comparison:
    """A published figure of a vehicle beside the same figure of its build as built.

    Attributes:
        figure: name of the figure, with its unit.
        low: at least what is expected to be published: interval of consumption and range, accuracy of the rest.
        high: at most.
    """

    vehicle: str
    name: str
    figure: str
    published: float
    simulated: float
    low: float
    high: float

    @property
    def difference_pct(self) -> float:
        """Simulated over published less one [%]."""
        return 100.0 * (self.simulated / self.published - 1.0)

    @property
    def inside(self) -> bool:
        """Whether the published figure is where it was expected."""
        return self.low <= self.published <= self.high


def comparisons(study: Study) -> tuple[Comparison, ...]:
    """Every published figure of every vehicle that was driven as built."""
    driven = {(row.vehicle, row.cycle): row for row in study.cycles if row.build == AS_BUILT}
    return tuple(
        Comparison(build.vehicle, build.name, figure, published, *simulated)
        for build in study.builds
        if build.build == AS_BUILT
        for figure, published in _published(study, build.vehicle)
        if (simulated := _simulated(build, driven, figure)) is not None
    )


def _published(study: Study, vehicle: str) -> Iterator[tuple[str, float]]:
    published = study.workspace.vehicles[vehicle].published
    for figure in type(published).model_fields:
        value = getattr(published, figure)
        if isinstance(value, float):
            yield figure, value


def _simulated(
    build: BuildResult, driven: dict[tuple[str, str], CycleResult], figure: str
) -> tuple[float, float, float] | None:
    """The figure and its bounds, as simulated."""
    same = {
        "label_range_km": "epa_range_km",
        "wltp_range_km": "wltc_range_km",
        "wltp_ac_wh_per_km": "wltc_ac_wh_per_km",
    }
    name = same.get(figure, figure)
    if name in build.bounds:
        return (getattr(build, name), *build.bounds[name])
    if figure == "jc08_range_km":
        row = driven[build.vehicle, "jc08"]
        return row.range_km, row.range_low_km, row.range_high_km
    accuracy = next((one.accuracy for one in REQUIREMENTS if one.figure == figure), None)
    value = getattr(build, figure, None)
    if accuracy is None or value is None:
        return None
    least = 0.0 if figure == LIMITED else value / (1.0 + accuracy)
    return value, least, value / (1.0 - accuracy)


def told_apart(figure: str, was: float | None, now: float | None) -> bool | None:
    """Whether a change is more than the model may be wrong about two cars of one make; `None` where unknown."""
    if figure not in CYCLE_OF or not was or now is None:
        return None
    ratio = now / was
    return max(ratio, 1.0 / ratio) - 1.0 > apart_pct(CYCLE_OF[figure]) / 100.0 if ratio > 0.0 else True


def rests_on(figure: str, before: BuildResult, after: BuildResult) -> tuple[str, ...]:
    """Fields that one of two builds states and generic components fill in the other: a change may come from that."""
    ends = RESTS_ON.get(figure, ())
    one, other = ({_field(field) for field in build.generic if field.endswith(ends)} for build in (before, after))
    return tuple(sorted(one ^ other))


def _field(dotted: str) -> str:
    """A field without the unit that it belongs to, so that two builds can be compared."""
    return dotted.split()[-1] if dotted.startswith("eaxle ") else dotted
