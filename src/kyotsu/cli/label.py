"""`kyotsu label`: all labels of a car from its outline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kyotsu.cli.check import JsonOption
from kyotsu.cli.output import error_screen, optional, print_json, screen, table
from kyotsu.units import KM_PER_MILE, KWH_PER_US_GALLON, MPS_PER_MPH, N_PER_LBF

if TYPE_CHECKING:
    from kyotsu.sim.label import Labels

KG_PER_LB = 0.45359237  # exact, international pound
KW_PER_HP = 0.745699872  # mechanical horsepower, 550 ft lbf/s


class Units(StrEnum):
    """Units of mass, road load and power."""

    SI = "si"
    EPA = "epa"


class Motor(StrEnum):
    """Kinds of motor that the generic components know."""

    PM = "pm"
    INDUCTION = "induction"
    EESM = "eesm"


class Layout(StrEnum):
    """Driven axles."""

    FRONT = "front"
    REAR = "rear"
    ALL = "all"


def label(
    mass: Annotated[float, typer.Option("--mass", help="Test mass [kg; epa: lb].")],
    a: Annotated[float, typer.Option("--a", help="Coast-down coefficient A [N; epa: lbf].")],
    b: Annotated[float, typer.Option("--b", help="Coast-down coefficient B [N s/m; epa: lbf/mph].")],
    c: Annotated[float, typer.Option("--c", help="Coast-down coefficient C [N s²/m²; epa: lbf/mph²].")],
    power: Annotated[
        float | None, typer.Option("--power", help="Peak power of all motors [kW; epa: hp]; by default usual.")
    ] = None,
    battery: Annotated[
        float | None, typer.Option("--battery", help="Gross battery energy [kWh]; by default usual for the mass.")
    ] = None,
    motor: Annotated[Motor, typer.Option("--motor", help="Kind of motor.")] = Motor.PM,
    layout: Annotated[Layout, typer.Option("--layout", help="Driven axles.")] = Layout.FRONT,
    year: Annotated[int | None, typer.Option("--year", help="First model year; by default of today.")] = None,
    units: Annotated[
        Units, typer.Option("--units", help="Units of the options: SI, or those of the EPA's test car lists.")
    ] = Units.SI,
    as_json: JsonOption = False,
) -> None:
    """Predict consumption and range of a car on the labels of the United States, Europe and Japan.

    Needs mass and road load; what else is unknown is taken from generic components. Consumption comes with what
    8 of 10 such cars would measure. The values of `--units epa` are those of the EPA's test car lists: equivalent
    test weight, target coefficients, rated horsepower. Exit code 2 when a value is out of bounds.
    """
    with optional("sim"):
        from kyotsu.sim.components import REFERENCE_YEAR  # noqa: PLC0415  (an extra)
        from kyotsu.sim.label import labels  # noqa: PLC0415
    epa = units is Units.EPA
    with error_screen.status("driving the cycles; the first time on a machine their code is compiled: a minute"):
        found = labels(
            mass_kg=mass * (KG_PER_LB if epa else 1.0),
            road_load_a_n=a * (N_PER_LBF if epa else 1.0),
            road_load_b_n_per_mps=b * (N_PER_LBF / MPS_PER_MPH if epa else 1.0),
            road_load_c_n_per_mps2=c * (N_PER_LBF / MPS_PER_MPH**2 if epa else 1.0),
            rated_power_kw=None if power is None else power * (KW_PER_HP if epa else 1.0),
            battery_kwh=battery,
            motor_type=motor.value,
            layout=layout.value,
            model_year=REFERENCE_YEAR if year is None else year,
        )
    records, notes = _records(found), _notes(found)
    if as_json:
        print_json({"labels": records, "notes": notes})
    else:
        _print(records, notes)


def _print(records: Sequence[dict[str, Any]], notes: Sequence[str]) -> None:
    numbers = ("Wh/km", "8 of 10", "range km", "kWh/100 mi", "MPGe", "range mi")
    listing = table("label", *numbers, right=numbers)
    for record in records:
        used, far = record["consumption_ac_wh_per_km"], record["range_km"]
        miles_per_gallon = 1e3 * KWH_PER_US_GALLON / KM_PER_MILE / used if used > 0.0 else math.inf
        range_km, range_mi = ("endless", "endless") if far is None else (f"{far:.0f}", f"{far / KM_PER_MILE:.0f}")
        figures = (range_km, f"{used * KM_PER_MILE / 10.0:.1f}", f"{miles_per_gallon:.0f}", range_mi)
        listing.add_row(record["label"], f"{used:.1f}", _span(record), *figures)
    screen.print(listing)
    for note in notes:
        screen.print(f"  note: {note}", soft_wrap=True, highlight=False)


def _span(record: dict[str, Any]) -> str:
    low, high = record["ac_low_wh_per_km"], record["ac_high_wh_per_km"]
    return "" if low is None else f"{low:.0f}-{high:.0f}"


def _records(found: Labels) -> list[dict[str, Any]]:
    from kyotsu.sim.interval import interval_pct  # noqa: PLC0415  (an extra)

    bounds = {name: both[0].tolist() for name, both in found.bounds_wh_per_km(interval_pct).items()}
    return [
        {
            "label": name,
            "consumption_ac_wh_per_km": float(rating.consumption_ac_wh_per_km[0]),
            **dict(zip(("ac_low_wh_per_km", "ac_high_wh_per_km"), bounds.get(name, (None, None)), strict=True)),
            "range_km": float(rating.range_km[0]) if math.isfinite(rating.range_km[0]) else None,
        }
        for name, rating in found.rows()
    ]


def _notes(found: Labels) -> list[str]:
    from kyotsu.sim.simulate import Validity  # noqa: PLC0415  (an extra)

    notes = [
        "energy is at the wall, charging loss included; mass and road load are the same on every label",
        "8 of 10 such cars would measure within the bounds; how sure the five-cycle values are is not known",
    ]
    if found.wltp.class_3a[0]:
        notes.append("WLTC of class 3a: the top speed is under 120 km/h")
    words = {
        Validity.TRACE_MISSED: "the car cannot follow the cycles: at times it is more than 2 mph too slow",
        Validity.BATTERY_EMPTY: "the battery runs empty on a cycle",
        Validity.NO_DISTANCE: "the car does not move",
        Validity.INVALID_PARAMETERS: "the car cannot be driven",
    }
    groups = {"EPA": found.five_cycle.validity, "WLTP": found.wltp.validity, "Japan": found.japan.validity}
    for group, validity in groups.items():
        notes += [f"{group}: {text}" for flag, text in words.items() if validity[0] & flag]
    return notes
