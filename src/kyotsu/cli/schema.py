"""`kyotsu schema`: the specification as JSON Schema."""

from __future__ import annotations

from typing import Annotated

import typer

from kyotsu.cli.check import JsonOption
from kyotsu.cli.output import print_json, screen, table
from kyotsu.errors import InputError, Location, Problem
from kyotsu.spec.schema import KINDS, json_schema


def schema(
    kind: Annotated[str | None, typer.Argument(help=f"One of: {', '.join(KINDS)}.", metavar="[KIND]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the JSON Schema of one kind of entry, or list the kinds.

    Point your editor at it to get completion and checks while you write a workspace.
    """
    if kind is not None and kind not in KINDS:
        raise InputError(
            [
                Problem(
                    Location("command line"),
                    f"kind {kind!r}",
                    f"one of {', '.join(KINDS)}",
                    "Correct the name.",
                )
            ]
        )
    if kind is not None:
        print_json(json_schema(kind))
    elif as_json:
        print_json({name: json_schema(name) for name in KINDS})
    else:
        listing = table("kind", "what it is")
        for name, model in KINDS.items():
            listing.add_row(name, (model.__doc__ or "").strip().splitlines()[0])
        screen.print(listing)
