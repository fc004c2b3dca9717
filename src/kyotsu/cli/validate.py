"""`kyotsu validate`: how near is the simulation to what real cars did on the test bench?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kyotsu.cli.check import JsonOption
from kyotsu.cli.output import optional, print_json, screen

if TYPE_CHECKING:
    from kyotsu.sim.offcycle import OffcycleCheck, TestRatio
    from kyotsu.sim.validation import Validation


def validate(
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Also judge each make by constants fitted without it (some seconds).")
    ] = False,
    fit: Annotated[
        bool, typer.Option("--fit", help="Fit constants and intervals again and print them beside the shipped.")
    ] = False,
    predict: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--predict", help="Predict the cars of a CSV file instead.", metavar="CARS.csv OUT.csv"),
    ] = None,
    intervals: Annotated[
        bool, typer.Option("--intervals", help="With --predict: what 8 of 10 such cars would measure as well.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare the simulation with EPA certification results of real cars, and print how far it is off.

    One set of generic component models for all cars, no constant for any single car: only test mass,
    coast-down coefficients, rated power, motor type, drive layout, battery size and model year are taken.
    """
    with optional("sim"):
        import numpy as np  # noqa: PLC0415  (an extra)

        from kyotsu.sim.calibration import fit_components, held_out_prediction  # noqa: PLC0415
        from kyotsu.sim.components import fitted_constants  # noqa: PLC0415
        from kyotsu.sim.interval import fit_intervals, interval_record, shipped_intervals  # noqa: PLC0415
        from kyotsu.sim.offcycle import offcycle_check  # noqa: PLC0415
        from kyotsu.sim.validation import predict as predict_cars  # noqa: PLC0415
        from kyotsu.sim.validation import validate as validate_cars  # noqa: PLC0415
    if predict is not None:
        cars = predict_cars(*predict, intervals=intervals)
        written = {"cars": len(cars), "file": str(predict[1])}
        print_json(written) if as_json else screen.print(f"{len(cars)} cars predicted: {predict[1]}", soft_wrap=True)
        return
    if fit:
        found = fit_components()
        fitted, shipped = found.fitted._asdict(), fitted_constants()._asdict()
        cars = found.cars
        again = fit_intervals(cars.make, cars.model_year, np.log(cars.measured / held_out_prediction(found)))
        fitted |= interval_record(again)
        shipped |= interval_record(shipped_intervals())
        rows = {name: {"shipped": float(shipped[name]), "fitted": float(value)} for name, value in fitted.items()}
        if as_json:
            print_json(rows)
        for name, row in () if as_json else rows.items():
            screen.print(f"{name:<26} shipped {row['shipped']:.6g}  fitted again {row['fitted']:.6g}", soft_wrap=True)
        return
    result, offcycle = validate_cars(held_out), offcycle_check()
    if as_json:
        print_json(_record(result, offcycle))
        return
    screen.print(f"{result}\n\n{offcycle}", highlight=False, soft_wrap=True)


def _record(result: Validation, offcycle: OffcycleCheck) -> dict[str, Any]:
    cars = result.cars
    held_out = None if result.held_out is None else result.held_out_mean_absolute_error_pct
    return {
        "cars": len(cars),
        "mean_absolute_error_pct": result.mean_absolute_error_pct,
        "held_out_mean_absolute_error_pct": held_out,
        "within_5_pct": result.share_within_pct(5.0),
        "within_10_pct": result.share_within_pct(10.0),
        "interval_pct": dict(zip(("udds", "hwfet"), result.interval_pct().tolist(), strict=True)),
        "cold": _ratios(offcycle.cold),
        "us06": _ratios(offcycle.us06),
        "sc03": _ratios(offcycle.sc03),
        "bias": [asdict(entry) for entry in result.bias()],
        "rows": [
            {
                "make": str(cars.make[index]),
                "model": str(cars.model[index]),
                "model_year": float(cars.model_year[index]),
                "udds_error_pct": float(udds),
                "hwfet_error_pct": float(hwfet),
            }
            for index, (udds, hwfet) in enumerate(result.error_pct)
        ],
    }


def _ratios(test: TestRatio) -> dict[str, Any]:
    import numpy as np  # noqa: PLC0415  (an extra)

    return {
        "tests": len(test.cars),
        "measured_ratio": float(np.median(test.measured)),
        "predicted_ratio": float(np.median(test.predicted)),
        "mean_error_pct": float(test.error_pct.mean()),
        "mean_absolute_error_pct": float(np.abs(test.error_pct).mean()),
        "correlation": test.correlation,
    }
