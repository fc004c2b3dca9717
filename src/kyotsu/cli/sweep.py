"""`kyotsu sweep`: what a whole market's vehicles do, one by one, from a table to Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from kyotsu.cli.check import JsonOption
from kyotsu.cli.output import FINDINGS, OK, error_screen, optional, print_json, screen, table
from kyotsu.errors import InputError, Location, Problem

if TYPE_CHECKING:
    from kyotsu.sim.sweep import Swept

ThreadsOption = Annotated[int | None, typer.Option(min=1, help="Threads; by default one for each processor.")]
PrecisionOption = Annotated[
    Literal["float64", "float32"], typer.Option("--dtype", help="Precision inside; float32 is nearly twice as fast.")
]


def sweep(
    cars: Annotated[
        Path | None, typer.Argument(help="Parquet or CSV table of cars, a row for each.", metavar="[TABLE]")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the rows.")] = Path("kyotsu-sweep"),
    cycle: Annotated[
        list[str] | None, typer.Option(help="Cycle, by name or CSV file; may be repeated. [default: wltc_3b]")
    ] = None,
    sales: Annotated[
        int | None, typer.Option(min=1, help="Instead of a table: so many variants of certified cars.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the variants.")] = 2026,
    soc: Annotated[float, typer.Option(help="State of charge at the start, 0 to 1.")] = 0.6,
    ambient: Annotated[
        float | None,
        typer.Option(help="Air [°C], cars soaked in it, cabin heated or cooled; by default a bench at 23."),
    ] = None,
    dtype: PrecisionOption = "float64",
    threads: ThreadsOption = None,
    runner: Annotated[
        Literal["local", "ray"], typer.Option(help="This machine, or the Ray cluster of RAY_ADDRESS.")
    ] = "local",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a sweep that was interrupted.")] = False,
    ignore: Annotated[list[str] | None, typer.Option(help="Column that means nothing here; may be repeated.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Drive every car of a table over drive cycles, however many, and write a row for each.

    The table has the columns mass_kg, road_load_a_n, road_load_b_n_per_mps and road_load_c_n_per_mps2, and if known
    rated_power_kw, battery_kwh, model_year, motor_type (pm, induction, eesm), layout (front, rear, all), id, and
    weight, the cars that a row stands for. Memory stays bounded. An interrupted sweep goes on with --resume, and
    every row comes once. Exit code 1: some cars cannot be driven; their rows say so.
    """
    with optional("sim"):
        from kyotsu.sim import sweep as room  # noqa: PLC0415  (an extra)
        from kyotsu.sim.car_blocks import sales_cars  # noqa: PLC0415
        from kyotsu.sim.car_files import table_cars  # noqa: PLC0415
        from kyotsu.sim.climate import Climate  # noqa: PLC0415
    if (cars is None) == (sales is None):
        found = "neither" if cars is None else "both"
        raise InputError([Problem(Location("arguments"), found, "a TABLE or --sales", "Give one of the two.")])
    given = table_cars(cars, ignored=ignore or ()) if cars is not None else sales_cars(sales or 0, seed=seed)
    with progress_bar() as progress:
        swept = room.sweep(
            given,
            output,
            cycles=cycle or "wltc_3b",
            initial_soc=soc,
            dtype=dtype,
            climate=None if ambient is None else Climate(ambient),
            threads=threads,
            runner=runner,
            resume=resume,
            progress=progress,
        )
    print_json(swept_record(swept)) if as_json else _print(swept)
    raise typer.Exit(FINDINGS if swept.tally.invalid else OK)


class RateColumn(ProgressColumn):
    """Vehicles per second."""

    def render(self, task: Task) -> Text:
        """The rate, once there is one."""
        return Text("" if task.speed is None else f"{task.speed:,.0f} per s")


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int | None], None]]:
    """A bar on the error stream with rate and time left; yields what it is told by."""
    columns = (TextColumn("{task.completed:,.0f} vehicles"), BarColumn(), TaskProgressColumn(), RateColumn())
    with Progress(*columns, TimeRemainingColumn(), console=error_screen, transient=True) as bar:
        task = bar.add_task("drive", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def swept_record(swept: Swept) -> dict[str, object]:
    """A finished sweep as plain data."""
    tally = swept.tally
    return {
        "folder": str(swept.folder),
        "rows": swept.rows,
        "parts": swept.parts,
        "resumed_parts": swept.resumed_parts,
        "bytes_written": swept.bytes_written,
        "vehicles": tally.vehicles,
        "weight": tally.weight,
        "invalid": tally.invalid,
        "first_invalid": tally.first_invalid,
        "cycles": {
            name: {"mean_ac_wh_per_km": mean, "missed": missed, "battery_empty": empty}
            for name, mean, missed, empty in zip(
                swept.cycles, tally.mean_ac_wh_per_km, tally.missed, tally.battery_empty, strict=True
            )
        },
    }


def _print(swept: Swept) -> None:
    tally = swept.tally
    columns = ("mean wall Wh/km", "missed the trace", "battery empty")
    listing = table("cycle", *columns, right=columns)
    for name, mean, missed, empty in zip(
        swept.cycles, tally.mean_ac_wh_per_km, tally.missed, tally.battery_empty, strict=True
    ):
        listing.add_row(name, f"{mean:.1f}", f"{missed:,}", f"{empty:,}")
    screen.print(listing)
    if tally.invalid:
        screen.print(f"{tally.invalid:,} of {tally.vehicles:,} vehicles cannot be driven:")
        for reason in tally.first_invalid:
            screen.print(f"  {reason}", soft_wrap=True)
        if tally.invalid > len(tally.first_invalid):
            screen.print(f"  ... and {tally.invalid - len(tally.first_invalid):,} more")
    resumed = f" ({swept.resumed_parts} from before)" if swept.resumed_parts else ""
    screen.print(
        f"{swept.rows:,} rows in {swept.parts} parts{resumed}, {swept.bytes_written / 1e6:.1f} MB: {swept.folder}/rows",
        soft_wrap=True,
    )
