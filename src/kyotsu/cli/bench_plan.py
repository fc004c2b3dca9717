"""`kyotsu bench plan`: the optimiser on published problems, one line of JSON for each answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kyotsu.cli.output import optional
from kyotsu.errors import InputError, Location, Problem

if TYPE_CHECKING:
    from kyotsu.plan.assortment import Assortment


def plan(
    files: Annotated[
        list[Path], typer.Argument(help="OR-Library pmed or cap files, or assortments.", metavar="FILE...")
    ],
    curve: Annotated[
        str | None, typer.Option(help="Solve for each bound on the open parts from A to B.", metavar="A:B")
    ] = None,
    max_variants: Annotated[int | None, typer.Option(min=1, help="Most open parts.", metavar="N")] = None,
    seconds: Annotated[float, typer.Option(min=0.0, help="Time for each answer.")] = 300.0,
) -> None:
    """Solve published assortment problems and print objective, bound, gap and time of each.

    Takes OR-Library p-median (pmed) and uncapacitated facility location (cap) files, and assortments of battery
    modules and e-axles as JSON or CSV. `gap` is the part of the cost by which a better plan could at most be cheaper;
    0 is proven optimal. The time is that of the solution, without reading the file.
    """
    with optional("plan"):
        from kyotsu.plan.branch import solve  # noqa: PLC0415  (an extra)
        from kyotsu.plan.instances import load_instance  # noqa: PLC0415
    _warm_up()
    for file in files:
        whole = load_instance(file)
        for choice in _bounded(whole, curve, max_variants):
            answer = solve(choice, seconds=seconds)
            record = {
                "file": str(file),
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


def _warm_up() -> None:
    """Compile what is not in the cache yet, outside the time taken."""
    import numpy as np  # noqa: PLC0415  (an extra)

    from kyotsu.plan.assortment import Assortment  # noqa: PLC0415
    from kyotsu.plan.branch import solve  # noqa: PLC0415

    one, two = np.zeros(1, dtype=np.int64), np.arange(2)
    cost = np.array([1.0, 2.0])
    solve(Assortment(["a", "b"], two * 0, cost, ("part",), ["v"], one, one, one, two * 0, two, cost))


def _bounded(choice: Assortment, curve: str | None, limit: int | None) -> list[Assortment]:
    if curve is None:
        return [choice if limit is None else choice.limited(limit)]
    try:
        first, last = (int(bound) for bound in curve.split(":"))
    except ValueError:
        first, last = 1, 0
    if not 1 <= first <= last:
        problem = Problem(Location(key="--curve"), repr(curve), "A:B with 1 <= A <= B", "Write, say, 2:24.")
        raise InputError([problem])
    return [choice.limited(bound) for bound in range(first, last + 1)]
