"""`kyotsu drive`: what one vehicle does on the drive cycles, as built or with other parts."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from kyotsu.cli.check import JsonOption, WorkspaceArgument
from kyotsu.cli.output import optional, print_json, screen, table, verdict_text
from kyotsu.errors import InputError, Location, Problem
from kyotsu.spec.finding import Verdict
from kyotsu.spec.vehicle import CYCLE_TITLES
from kyotsu.spec.workspace import load_workspace

if TYPE_CHECKING:
    from kyotsu.study.results import BuildResult, CycleResult
    from kyotsu.study.traces import Trace

FORMATS = (".svg", ".html")


def drive(
    workspace: WorkspaceArgument,
    vehicle: Annotated[str, typer.Argument(help="maker/id of the vehicle.")],
    battery_module: Annotated[str | None, typer.Option("--module", "-m", help="Battery module to build in.")] = None,
    eaxles: Annotated[
        list[str] | None, typer.Option("--eaxle", "-e", help="E-axle to build in, for each mount in order.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help="Draw one cycle second by second into a .svg or .html file.", metavar="FILE"),
    ] = None,
    cycle: Annotated[str, typer.Option("--cycle", help="The cycle to draw.")] = "wltc_3b",
    as_json: JsonOption = False,
) -> None:
    """Drive a vehicle over all cycles, as built or with another battery module and other e-axles.

    Prints consumption at the battery and at the wall with what 8 of 10 such cars would measure, range, 0 to
    100 km/h, top speed, gradeability, the time of a fast charge (eight published ones are met to 10 % in the mean),
    and which component limited the vehicle when. Exit code 2 when the vehicle cannot be built so.
    """
    with optional("study"):
        from kyotsu.study.single import drive_vehicle  # noqa: PLC0415  (an extra)
    loaded = load_workspace(workspace)
    if vehicle not in loaded.vehicles:
        known = ", ".join(sorted(loaded.vehicles))
        found = f"vehicle {vehicle!r}"
        raise InputError([Problem(Location(str(loaded.root)), found, f"one of: {known}", "Correct the name.")])
    build, cycles, traces = drive_vehicle(loaded, vehicle, battery_module, tuple(eaxles or ()))
    if plot is not None:
        _draw(plot, cycle, build, cycles, traces)
    if as_json:
        limits = {trace.cycle: [asdict(limit) for limit in trace.limits] for trace in traces}
        print_json({"build": asdict(build), "cycles": [asdict(item) for item in cycles], "limits": limits})
        return
    _print(build, cycles, traces)
    if plot is not None:
        screen.print(f"  drawn: {plot}", soft_wrap=True, highlight=False)


def _draw(
    file: Path, cycle: str, build: BuildResult, cycles: tuple[CycleResult, ...], traces: tuple[Trace, ...]
) -> None:
    from kyotsu.report import trace_html, trace_svg  # noqa: PLC0415  (an extra)

    problems = []
    if file.suffix not in FORMATS:
        found = f"a file named {file.name!r}"
        problems.append(Problem(Location(key="--plot"), found, " or ".join(FORMATS), "Name it so."))
    if cycle not in CYCLE_TITLES:
        found, known = f"cycle {cycle!r}", ", ".join(CYCLE_TITLES)
        problems.append(Problem(Location(key="--cycle"), found, f"one of: {known}", "Correct the name."))
    if problems:
        raise InputError(problems)
    driven = next(item for item in cycles if item.cycle == cycle)
    trace = next(item for item in traces if item.cycle == cycle)
    record = asdict(trace) | {
        "title": build.name,
        "subtitle": f"{CYCLE_TITLES[cycle]}, {build.build.replace('_', ' ')}: {driven.ac_wh_per_km:.0f} Wh/km AC "
        f"({_span(driven)})",
        "facts": [*build.parts, *build.notes],
    }
    try:
        file.write_text(trace_svg(record) if file.suffix == ".svg" else trace_html(record), encoding="utf-8")
    except OSError as error:
        found = error.strerror or "a path that cannot be written"
        raise InputError([Problem(Location(str(file)), found, "a writable path", "Choose another.")]) from error


def _span(cycle: CycleResult) -> str:
    return f"{cycle.ac_low_wh_per_km:.0f}-{cycle.ac_high_wh_per_km:.0f}"


def _print(build: BuildResult, cycles: tuple[CycleResult, ...], traces: tuple[Trace, ...]) -> None:
    from kyotsu.report import trace_lines  # noqa: PLC0415  (an extra)

    screen.print(Text.assemble((build.name, "bold"), f", {build.build.replace('_', ' ')}"), soft_wrap=True)
    for part in build.parts:
        screen.print(f"  {part}", soft_wrap=True, highlight=False)
    if build.fit not in (None, Verdict.PASS):
        verdict = verdict_text(build.fit)
        screen.print(
            Text.assemble("  ", verdict, f": kyotsu fit WORKSPACE -v {build.vehicle} says why"), soft_wrap=True
        )
    sprint = "never" if build.zero_to_100_km_h_s is None else f"{build.zero_to_100_km_h_s:.1f} s"
    charging = build.charge_10_to_80_min
    figures = (
        f"{build.curb_mass_kg:.0f} kg curb",
        f"{build.energy_kwh:.1f} kWh ({build.usable_kwh:.1f} usable)",
        f"0-100 km/h {sprint}",
        f"top speed {build.top_speed_km_h:.0f} km/h",
        f"grade {build.gradeability_pct:.0f} %",
        *(() if charging is None else (f"10 to 80 % at a fast charger in {charging:.0f} min",)),
        f"EPA label range {build.epa_range_km:.0f} km",
    )
    screen.print(f"  {', '.join(figures)}", soft_wrap=True, highlight=False)
    numbers = ("km", "battery Wh/km", "wall Wh/km", "8 of 10 cars", "range km", "missed s", "short km/h")
    listing = table("cycle", *numbers, "limited by", right=numbers)
    for cycle in cycles:
        values: tuple[Any, ...] = (
            f"{cycle.distance_km:.2f}",
            f"{cycle.dc_wh_per_km:.1f}",
            f"{cycle.ac_wh_per_km:.1f}",
            _span(cycle),
            f"{cycle.range_km:.0f}",
            f"{cycle.missed_s:.0f}",
            f"{cycle.shortfall_km_h:.1f}",
        )
        listing.add_row(cycle.cycle, *values, cycle.limited_by.replace("_", " "))
    screen.print(listing)
    for trace in traces:
        for line in trace_lines(asdict(trace)) if trace.limits else ():
            words = f"  {trace.cycle}, {line[0].lower()}{line[1:]}".replace("\u202f", " ")
            screen.print(words, soft_wrap=True, highlight=False)
    for note in build.notes:
        screen.print(f"  note: {note}", soft_wrap=True, highlight=False)
