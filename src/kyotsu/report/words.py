"""How the report calls things: names of vehicles, makers and parts, words and marks for codes, one order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kyotsu.spec.build import AS_BUILT, COMMON
from kyotsu.spec.finding import Verdict
from kyotsu.spec.vehicle import CYCLE_TITLES

Record = dict[str, Any]

MARKS = {Verdict.PASS: "●", Verdict.CONDITIONAL: "◐", Verdict.UNKNOWN: "?", Verdict.FAIL: "✕"}
RANKS = {verdict.value: verdict.rank for verdict in Verdict}
BUILD_WORDS = {AS_BUILT: "as built", COMMON: "common parts"}
CYCLE_WORDS: Mapping[str, str] = CYCLE_TITLES
LIMITER_WORDS = {
    "tyre": "tyre grip",
    "motor_torque": "motor torque",
    "motor_power": "motor power",
    "motor_speed": "motor speed",
    "battery": "battery power",
    "battery_empty": "empty battery",
    "battery_cold": "cold battery",
    "battery_hot": "hot battery",
    "battery_low": "low battery",
    "battery_voltage": "battery voltage",
    "motor_hot": "hot motor",
    "inverter_hot": "hot inverter",
    "motor_voltage": "low voltage at the motor",
}


def worded(words: Mapping[str, str], code: str) -> str:
    """A code in words, or itself when it has none."""
    return words.get(code, code.replace("_", " "))


def works(verdict: str) -> bool:
    """Whether it can be used: it passes, or passes with an action."""
    return RANKS[verdict] <= Verdict.CONDITIONAL.rank


def vehicle_name(record: Record, vehicle: str) -> str:
    """A vehicle's name, or its id when the record has no name for it."""
    return str(record.get("vehicles", {}).get(vehicle, vehicle))


def maker_name(record: Record, maker: str) -> str:
    """A maker's name, or its id."""
    return str(record.get("makers", {}).get(maker, maker))


def part_name(record: Record, part: str) -> str:
    """A part's name, or its id."""
    return str(record.get("parts", {}).get(part, {}).get("name", part))


def by_vehicle(rows: Iterable[Record]) -> list[Record]:
    """Rows with those of one vehicle together, in the order in which the vehicles first appear."""
    grouped: dict[str, list[Record]] = {}
    for row in rows:
        grouped.setdefault(row["vehicle"], []).append(row)
    return [row for own in grouped.values() for row in own]
