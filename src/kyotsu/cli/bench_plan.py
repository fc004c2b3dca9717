"""`kyotsu bench plan`: the optimiser on published problems, one line of JSON for each answer."""

from __future__ import annotations

import json
import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kyotsu.cli.output import optional
from kyotsu.errors import InputError, Location, Problem

MOST_BOUNDS = 1000  # of a curve

if TYPE_CHECKING:
    from kyotsu.plan.assortment import Assortment


def plan(
    files: Annotated[
        list[Path] | None, typer.Argument(help="OR-Library pmed or cap files, or assortments.", metavar="[FILE]...")
    ] = None,
    synthetic: Annotated[
        list[str] | None,
        typer.Option(help="A made-up assortment, such as 60x500x200:1.", metavar="VEHICLESxMODULESxAXLES[:SEED]"),
    ] = None,
    curve: Annotated[
        str | None, typer.Option(help="Solve for each bound on the open parts from A to B.", metavar="A:B")
    ] = None,
    max_variants: Annotated[int | None, typer.Option(min=1, help="Most open parts.", metavar="N")] = None,
    seconds: Annotated[float, typer.Option(min=0.0, help="Time for each answer.")] = 300.0,
) -> None:
    """Solve published or made-up assortment problems and print objective, bound, gap and time of each.

    Takes OR-Library p-median (pmed) and uncapacitated facility location (cap) files, and assortments of battery
    modules and e-axles as JSON or CSV. `gap` is the part of the cost by which a better plan could at most be cheaper;
    0 is proven optimal. The time is that of the solution, without reading the file. Ctrl-C prints the best plan so
    far and ends (exit code 130).
    """
    with optional("plan"):
        from kyotsu.plan import synthetic as made_up  # noqa: PLC0415  (an extra)
        from kyotsu.plan.branch import solve  # noqa: PLC0415
        from kyotsu.plan.instances import load_instance  # noqa: PLC0415
    bounds = _bounds(curve, max_variants)
    sizes = [made_up.size_from(text) for text in synthetic or ()]
    if not files and not sizes:
        found = Problem(Location(key="FILE"), "nothing to solve", "a file or --synthetic", "Name one.")
        raise InputError([found])
    _warm_up()
    problems = chain(
        ((str(file), load_instance(file)) for file in files or ()),
        ((f"synthetic {size}", made_up.synthetic(size)) for size in sizes),
    )
    for name, whole in problems:
        for bound in bounds:
            choice = whole if bound is None else _bounded(whole, bound)
            answer = solve(choice, seconds=seconds)
            record = {
                "file": name,
                "objective": answer.cost,
                "bound": answer.bound,
                "gap": answer.gap,
                "seconds": round(answer.seconds, 3),
                "max_variants": choice.limit if choice.limit >= 0 else None,
                "variants": int(answer.is_open.sum()),
                "proven": answer.proven,
            }
            sys.stdout.write(json.dumps(record) + "\n")
            sys.stdout.flush()
            if not answer.proven and answer.seconds < seconds:  # interrupted
                raise typer.Exit(130)


def _warm_up() -> None:
    """Compile what is not in the cache yet, outside the time taken."""
    import numpy as np  # noqa: PLC0415  (an extra)

    from kyotsu.plan.assortment import Assortment  # noqa: PLC0415
    from kyotsu.plan.branch import solve  # noqa: PLC0415

    one, two = np.zeros(1, dtype=np.int64), np.arange(2)
    cost = np.array([1.0, 2.0])
    solve(Assortment(["a", "b"], two * 0, cost, ("part",), ["v"], one, one, one, two * 0, two, cost))


def _bounds(curve: str | None, limit: int | None) -> list[int | None]:
    if curve is None:
        return [limit]
    if limit is not None:
        problem = Problem(Location(key="--curve"), "--max-variants as well", "one of the two", "Leave one out.")
        raise InputError([problem])
    try:
        first, last = (int(bound) for bound in curve.split(":"))
    except ValueError:
        first, last = 1, 0
    if not 1 <= first <= last < first + MOST_BOUNDS:
        expected = f"A:B with 1 <= A <= B, {MOST_BOUNDS} bounds at most"
        raise InputError([Problem(Location(key="--curve"), repr(curve[:60]), expected, "Write, say, 2:24.")])
    return list(range(first, last + 1))


def _bounded(choice: Assortment, bound: int) -> Assortment:
    parts = len(choice.part_names)
    if bound > parts:
        expected = f"1 to {parts}, the parts there are"
        raise InputError([Problem(Location(key="--max-variants"), str(bound), expected, "Lower the bound.")])
    return choice.limited(bound)
