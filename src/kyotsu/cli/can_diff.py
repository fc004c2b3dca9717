"""`kyotsu can diff`: what two makers' buses have in common, signal by signal."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from kyotsu.cli.check import JsonOption
from kyotsu.cli.output import optional, print_json, print_problems, screen

if TYPE_CHECKING:
    from kyotsu.can.difference import Offer, Pair


def diff(
    first: Annotated[Path, typer.Argument(help="A maker's folder, or a matrix with signals.toml beside it.")],
    second: Annotated[Path, typer.Argument(help="The other maker's.")],
    signals: Annotated[
        Path | None, typer.Option("--signals", help="Mapping of FIRST: signals.toml or an overlay of KUKSA's.")
    ] = None,
    other_signals: Annotated[Path | None, typer.Option("--other-signals", help="Mapping of SECOND, likewise.")] = None,
    only_shared: Annotated[bool, typer.Option("--shared", help="Only what both give.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say which VSS signals FIRST and SECOND give, how often, how finely and over which range."""
    with optional("can"):
        from kyotsu.can.difference import difference  # noqa: PLC0415 - an extra
        from kyotsu.can.maker_bus import load_bus  # noqa: PLC0415
    one, other = load_bus(first, signals=signals), load_bus(second, signals=other_signals)
    pairs = [pair for pair in difference(one, other) if pair.where == "both" or not only_shared]
    if as_json:
        print_json({"first": one.name, "second": other.name, "signals": [_record(pair) for pair in pairs]})
        return
    print_problems([*one.problems, *other.problems])
    _print(one.name, other.name, pairs)


def _record(pair: Pair) -> dict[str, Any]:
    signal = pair.signal
    return {
        "path": signal.path,
        "kind": signal.kind,
        "datatype": signal.datatype,
        "unit": signal.unit,
        "where": pair.where,
        "first": pair.first,
        "second": pair.second,
        "reason": pair.reason,
    }


def _print(first: str, second: str, pairs: list[Pair]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("signal", overflow="fold")
    table.add_column("unit")
    for name in (first, second):
        table.add_column(Text(name), overflow="fold")
    for pair in pairs:
        path = Text(pair.signal.path.removeprefix("Vehicle."), style="" if pair.where == "both" else "dim")
        cells = [_offer(pair.first), _offer(pair.second)]
        if pair.reason:
            cells[0 if pair.first is None else 1] = Text(pair.reason, style="dim")
        table.add_row(path, Text(pair.signal.unit or ""), *cells)
    screen.print(table)
    counts = Counter(pair.where for pair in pairs)
    total = f"{counts['both']} signals on both, {counts['first']} only on {first}, {counts['second']} only on {second}"
    screen.print(Text(total, style="bold"))


def _offer(offer: Offer | None) -> Text:
    if offer is None:
        return Text("-", style="dim")
    parts = []
    if offer.period_ms is not None:
        parts.append(f"{offer.period_ms:g} ms")
    if offer.resolution is not None:
        parts.append(f"step {offer.resolution:.4g}")
    if offer.minimum is not None and offer.maximum is not None:
        parts.append(f"{offer.minimum:.6g} to {offer.maximum:.6g}")
    if offer.can_write:
        parts.append("can be set")
    if offer.status in ("assumed", "derived"):
        parts.append(offer.status)
    return Text(", ".join(parts) or offer.rule)
