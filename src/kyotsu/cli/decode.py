"""`kyotsu decode`: logs of a bus to tables, and how much of them the matrix describes."""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from kyotsu.cli.check import JsonOption
from kyotsu.cli.output import FINDINGS, OK, error_screen, optional, print_json, print_problems, screen, table
from kyotsu.errors import InputError, Location, Problem

if TYPE_CHECKING:
    from kyotsu.can.log_decoding import Decoding, Outcome
    from kyotsu.can.log_report import LogReport

SHOWN = 12  # ids that are not described; all of them stand in coverage.json


def decode(
    logs: Annotated[list[Path], typer.Argument(help="Logs: candump, ASC, BLF, MF4, TRC, GVRET CSV.", metavar="LOG...")],
    maker: Annotated[
        Path | None, typer.Option(help="Folder of the maker, with bus.dbc and signals.toml.", metavar="DIR")
    ] = None,
    matrix: Annotated[Path | None, typer.Option(help="Matrix instead: DBC, KCD, SYM or ARXML.", metavar="FILE")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="With --matrix: signals.toml, or a VSS overlay with dbc2vss.", metavar="FILE")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the tables; without it nothing is written.")
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Print count, first, last, min, max and sum of each signal as CSV.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="A column of raw values beside each signal's.")] = False,
    labels: Annotated[bool, typer.Option(help="A column of labels beside each signal that has a value table.")] = True,
    start: Annotated[
        datetime | None,
        typer.Option(help="When a log began [UTC] that does not say so.", formats=["%Y-%m-%dT%H:%M:%S"]),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Decode logs of a bus into Parquet: a table for each message, and one of VSS signals where there is a mapping.

    Every frame is accounted for: described by the matrix, of an unknown id, remote, an error, or part of a message that
    a transport protocol spread (ISO-TP, J1939, NMEA 2000). Damage in a log is named and passed over, the rest is read
    and marked partial. Exit code 1 where a log is partial or a counter, checksum or length is wrong.
    """
    with optional("can"):
        from kyotsu.can.log_decoding import decode_logs  # noqa: PLC0415  (an extra)
    asked = _asked(maker, matrix, mapping, output, summary=summary, raw=raw, labels=labels, start=start)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=error_screen, transient=True) as bar:
        tasks: dict[str, TaskID] = {}
        prepare = bar.add_task("prepare; the first time compiles", total=None)

        def report(log: LogReport) -> None:
            bar.update(prepare, visible=False)
            if log.path not in tasks:
                tasks[log.path] = bar.add_task(Path(log.path).name, total=max(log.file_bytes, 1))
            bar.update(tasks[log.path], completed=log.read_bytes)

        outcome = decode_logs(logs, asked, report)
    coverage = outcome.coverage
    print_problems(problem for log in coverage.logs for problem in log.problems)
    if as_json:
        print_json(
            {**coverage.record(), "datapoints": outcome.datapoints, "files": [str(path) for path in outcome.files]}
        )
    elif summary:
        outcome.summary.write_csv(sys.stdout)
    else:
        _print(outcome)
    raise typer.Exit(FINDINGS if coverage.partial or coverage.wrong else OK)


def _asked(
    maker: Path | None, matrix: Path | None, mapping: Path | None, output: Path | None, **options: Any
) -> Decoding:
    from kyotsu.can.log_decoding import Decoding  # noqa: PLC0415  (an extra)
    from kyotsu.can.maker_bus import load_bus  # noqa: PLC0415
    from kyotsu.can.mapper import Mapper  # noqa: PLC0415
    from kyotsu.can.matrix_files import load_matrix  # noqa: PLC0415

    if (maker is None) == (matrix is None):
        found = "neither --maker nor --matrix" if maker is None else "--maker and --matrix"
        raise InputError([Problem(Location(key="--maker"), found, "one of the two", "Say what describes the bus.")])
    if mapping is not None and matrix is None:
        raise InputError([Problem(Location(key="--mapping"), "--mapping without --matrix", "both", "Name the matrix.")])
    if options["start"] is not None:
        options["start"] = options["start"].replace(tzinfo=UTC)
    place = maker or matrix
    assert place is not None
    if maker is None and mapping is None:
        return Decoding(load_matrix(place), output=output, **options)
    bus = load_bus(place, signals=mapping)
    file = mapping or place / "signals.toml"
    return Decoding(
        bus.matrix,
        Mapper.of_rules(bus.rules),
        output,
        mapping_fingerprint=hashlib.sha256(file.read_bytes()).hexdigest(),
        **options,
    )


def _print(outcome: Outcome) -> None:
    record = outcome.coverage.record()
    for log in record["logs"]:
        state = "partial" if log["partial"] else "whole"
        back = f", {log['time_backwards']:,} frames earlier than the one before" if log["time_backwards"] else ""
        _say(f"{log['file']}: {log['format']}, {log['frames']:,} frames, {state}{back}; times {log['clock']}")
    if record["messages"]:
        _print_messages(record["messages"])
    parts = [f"{record['described']:,} of {record['frames']:,} frames described"]
    parts += [
        f"{record[name]:,} {words}"
        for name, words in (
            ("transported", "parts of longer messages"), ("unknown", "of unknown ids"),
            ("remote", "remote"), ("error", "error frames"),
        ) if record[name]
    ]  # fmt: skip
    _say("; ".join(parts) + ".")
    if record["transport"]:
        _say("Transport: " + ", ".join(f"{words} {count:,}" for words, count in record["transport"].items()) + ".")
    if record["unknown_ids"]:
        listed = [
            f"{item['id']}{'x' if item['extended'] else ''} {100.0 * item['share']:.1f} %"
            for item in record["unknown_ids"]
        ]
        more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
        _say(f"Not described: {', '.join(listed[:SHOWN])}{more} (x: 29 bits).")
    if record["never_seen"]:
        _say(f"Described and never seen: {len(record['never_seen'])} messages.")
    if outcome.datapoints:
        _say(f"VSS: {sum(outcome.datapoints.values()):,} datapoints of {len(outcome.datapoints)} signals.")
    if outcome.coverage.interrupted:
        _say("Interrupted: what was decoded until then is kept, and marked partial.")
    if outcome.files:
        _say(f"Written: {outcome.files[-1]}  (and {len(outcome.files) - 1} tables beside it)")


def _print_messages(messages: list[dict[str, Any]]) -> None:
    numbers = ("frames", "every ms", "stated", "longest gap", "gaps")
    listing = table("message", "id", *numbers, "wrong", right=numbers)
    listing.columns[0].no_wrap = True
    for row in messages:
        faults = {
            "length": row["too_short"] + row["too_long"],
            "counter": row["wrong_counter"],
            "checksum": row["wrong_checksum"],
        }
        listing.add_row(
            row["message"], row["id"], f"{row['frames']:,}", _number(row["period_ms"]), _number(row["stated_ms"]),
            _number(row["longest_gap_ms"]), f"{row['gaps']:,}" if row["gaps"] else "",
            ", ".join(f"{name} {count:,}" for name, count in faults.items() if count),
        )  # fmt: skip
    screen.print(listing)
    screen.print("wrong: frames of another length, counter or checksum; gap: a pause of more than 2.5 periods")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4g}"


def _say(line: str) -> None:
    screen.print(line, soft_wrap=True, highlight=False)
