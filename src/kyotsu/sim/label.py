"""All labels of a car in one call: the window sticker of the United States, WLTP of Europe, WLTC and JC08 of Japan.

    labels(mass_kg=..., road_load_a_n=..., ...)    from the outline of a car
    labels_of(parameters)                          from full parameters
        two_cycle   UDDS and HWFET, adjusted by 0.7          40 CFR 600.210-12
        five_cycle  FTP, HWFET, US06, SC03 and cold FTP      40 CFR 600.114-12, SAE J1634
        wltp        WLTC class 3, JC08                       UN GTR 15, UN R154

Scalars or arrays in, arrays of shape (vehicle,) out; `print` shows a table. One mass and one road load hold for
all labels, although the procedures of the three markets weigh and coast cars differently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.components import LAYOUTS, MOTOR_TYPES, REFERENCE_YEAR, generic_vehicle
from kyotsu.sim.cycles import Cycle
from kyotsu.sim.five_cycle import FiveCycle, five_cycle, mild_tests
from kyotsu.sim.parameters import FloatArray, Numbers, VehicleParameters
from kyotsu.sim.phases import cut, drive_phases, named_cycle, whole_test
from kyotsu.sim.two_cycle import CITY_WEIGHT, Label, epa_label, label_of, miles_per_gallon_equivalent
from kyotsu.sim.wltp import JapanLabel, Rating, WltpLabel, japan_label, wltc_tests, wltp_label

__all__ = [
    "Label",
    "LabelRow",
    "Labels",
    "epa_label",
    "label_of",
    "labels",
    "labels_of",
    "miles_per_gallon_equivalent",
]

Interval = Callable[[Cycle], tuple[float, float]]

# Bounds that no road vehicle leaves, so that a wrong unit shows; our assumption.
ARGUMENT_BOUNDS = {
    "mass_kg": (50.0, 100_000.0),
    "road_load_a_n": (-1_000.0, 50_000.0),
    "road_load_b_n_per_mps": (-200.0, 2_000.0),
    "road_load_c_n_per_mps2": (-1.0, 50.0),
    "rated_power_kw": (0.1, 10_000.0),
    "battery_kwh": (0.01, 10_000.0),
    "model_year": (1900.0, 2200.0),
}


class LabelRow(NamedTuple):
    """One line of a table of labels."""

    procedure: str
    rating: Rating


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What the procedures of three markets say of the same vehicles; arrays of shape (vehicle,).

    Attributes:
        epa: United States, two cycles and the factor 0.7.
        five_cycle: United States, with the car's own factor.
        wltp: Europe.
        japan: Japan, today's WLTC and the former JC08.
        validity: flags of `simulate.Validity` of all tests together.
    """

    epa: Label
    five_cycle: FiveCycle
    wltp: WltpLabel
    japan: JapanLabel
    validity: npt.NDArray[np.int64]

    def rows(self) -> Iterator[LabelRow]:
        """Consumption and range by procedure, in the order of the table."""
        yield from _epa_rows("EPA", self.epa)
        yield from _epa_rows("EPA five-cycle", self.five_cycle.label)
        yield LabelRow("WLTP", self.wltp.combined)
        yield LabelRow("WLTP city", self.wltp.city)
        yield LabelRow("Japan WLTC", self.japan.wltc)
        yield LabelRow("Japan JC08", self.japan.jc08)

    def bounds_wh_per_km(self, interval_pct: Interval) -> dict[str, FloatArray]:
        """Bounds of consumption by procedure, lower and upper [Wh/km], each of shape (vehicle, 2).

        City and highway are taken to be off together. The five-cycle values are left out: how sure cold and heat
        are is not known.

        Args:
            interval_pct: bounds of measured over predicted consumption on a cycle, less one [%]; for example those
                of held-out cars.
        """
        wltc = named_cycle("wltc_3b")
        basis = {
            "EPA city": named_cycle("udds"),
            "EPA highway": named_cycle("hwfet"),
            "WLTP": wltc,
            "WLTP city": cut(wltc, 0.0, 1022.0),
            "Japan WLTC": cut(wltc, 0.0, 1477.0),
            "Japan JC08": named_cycle("jc08"),
        }
        found = {
            name: np.outer(rating.consumption_ac_wh_per_km, 1.0 + np.asarray(interval_pct(basis[name])) / 100.0)
            for name, rating in self.rows()
            if name in basis
        }
        return found | {"EPA combined": CITY_WEIGHT * found["EPA city"] + (1.0 - CITY_WEIGHT) * found["EPA highway"]}

    def __repr__(self) -> str:
        count = self.validity.size
        lines = [f"Labels of {count} vehicles, means" if count > 1 else "Labels"]
        lines.append(f"{'':<26}{'Wh/km':>8}{'km':>8}")
        lines += [
            f"{name:<26}{rating.consumption_ac_wh_per_km.mean():>8.1f}{rating.range_km.mean():>8.0f}"
            for name, rating in self.rows()
        ]
        return "\n".join(lines)


def labels(
    *,
    mass_kg: Numbers,
    road_load_a_n: Numbers,
    road_load_b_n_per_mps: Numbers,
    road_load_c_n_per_mps2: Numbers,
    rated_power_kw: Numbers | None = None,
    motor_type: str | Sequence[str] = "pm",
    layout: str | Sequence[str] = "front",
    battery_kwh: Numbers | None = None,
    model_year: Numbers = REFERENCE_YEAR,
) -> Labels:
    """All labels of cars of which the outline is known.

    Args:
        mass_kg: test mass [kg], shape () or (vehicle,), as all numbers here.
        road_load_a_n: coast-down A [N].
        road_load_b_n_per_mps: coast-down B [N s/m].
        road_load_c_n_per_mps2: coast-down C [N s²/m²].
        rated_power_kw: peak power of all motors together [kW]; NaN or `None` where unknown.
        motor_type: `pm`, `induction` or `eesm`, for all or for each vehicle.
        layout: driven axles, `front`, `rear` or `all`, for all or for each vehicle.
        battery_kwh: gross energy [kWh]; NaN or `None` where unknown.
        model_year: first model year.

    Raises:
        InputError: with every value that is no number, out of bounds or unknown, and every length that does
            not fit the others.
    """
    numbers = {
        "mass_kg": mass_kg,
        "road_load_a_n": road_load_a_n,
        "road_load_b_n_per_mps": road_load_b_n_per_mps,
        "road_load_c_n_per_mps2": road_load_c_n_per_mps2,
        "rated_power_kw": rated_power_kw,
        "battery_kwh": battery_kwh,
        "model_year": model_year,
    }
    problems = [*_number_problems(numbers), *_name_problems(motor_type, layout)]
    if not problems:
        problems += _length_problems({**numbers, "motor_type": motor_type, "layout": layout})
    if problems:
        raise InputError(problems)
    parameters = generic_vehicle(
        mass_kg=mass_kg,
        road_load_a_n=road_load_a_n,
        road_load_b_n_per_mps=road_load_b_n_per_mps,
        road_load_c_n_per_mps2=road_load_c_n_per_mps2,
        rated_power_kw=rated_power_kw,
        motor_type=motor_type,
        layout=layout,
        battery_kwh=battery_kwh,
        model_year=model_year,
    )
    return labels_of(parameters)


def labels_of(parameters: VehicleParameters) -> Labels:
    """All labels of vehicles with full parameters.

    Args:
        parameters: the vehicles.
    """
    tests = {**mild_tests(), **wltc_tests(parameters), "jc08": whole_test("jc08")}
    driven = drive_phases(parameters, tests)
    usa, europe, japan = five_cycle(parameters, driven), wltp_label(parameters, driven), japan_label(parameters, driven)
    validity = usa.validity | europe.validity | japan.validity
    return Labels(usa.two_cycle, usa, europe, japan, validity)


def _epa_rows(name: str, label: Label) -> Iterator[LabelRow]:
    """City, highway and combined values of a label of the United States."""
    city_range, highway_range = (
        _scaled(value, label.adjustment)
        for value in (label.city_range_unadjusted_km, label.highway_range_unadjusted_km)
    )
    yield LabelRow(f"{name} city", Rating(label.city_wh_per_km, city_range))
    yield LabelRow(f"{name} highway", Rating(label.highway_wh_per_km, highway_range))
    yield LabelRow(f"{name} combined", Rating(label.combined_wh_per_km, label.range_km))


def _scaled(range_km: FloatArray, factor: FloatArray) -> FloatArray:
    return np.where(factor > 0.0, range_km, 0.0) * factor


def _number_problems(numbers: dict[str, Numbers | None]) -> Iterator[Problem]:
    for name, given in numbers.items():
        if given is None:
            continue
        low, high = ARGUMENT_BOUNDS[name]
        expected = f"{low:g} to {high:g}"
        try:
            values = np.atleast_1d(np.asarray(given, dtype=np.float64))
        except (TypeError, ValueError):
            yield Problem(Location(key=name), repr(given), f"numbers, {expected}", "Correct the value.")
            continue
        unknown_allowed = name in ("rated_power_kw", "battery_kwh")
        wrong = ~((values >= low) & (values <= high)) & ~(np.isnan(values) & unknown_allowed)
        if wrong.any():
            first = int(np.argmax(wrong))
            where = f"{values[first]:g}" + (f" (vehicle {first}, {int(wrong.sum())} in all)" if values.size > 1 else "")
            yield Problem(Location(key=name), where, expected, "Correct the value or its unit.")


def _name_problems(motor_type: str | Sequence[str], layout: str | Sequence[str]) -> Iterator[Problem]:
    for key, given, allowed in (("motor_type", motor_type, MOTOR_TYPES), ("layout", layout, LAYOUTS)):
        names = [given] if isinstance(given, str) else given
        for name in sorted({str(name) for name in names} - set(allowed)):
            yield Problem(Location(key=key), repr(name), "one of " + ", ".join(allowed), "Correct the name.")


def _length_problems(arguments: Mapping[str, npt.ArrayLike | None]) -> list[Problem]:
    shapes = {name: np.asarray(given).shape for name, given in arguments.items() if given is not None}
    sizes = {name: shape[0] if shape else 1 for name, shape in shapes.items()}
    longest = max(sizes.values())
    return [
        Problem(Location(key=name), f"shape {shape}", f"one value or {longest}", "Give one for each vehicle.")
        for name, shape in shapes.items()
        if len(shape) > 1 or sizes[name] not in (1, longest)
    ]
