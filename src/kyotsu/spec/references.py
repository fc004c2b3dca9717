"""What the records of a workspace say of each other: dead references, and claims that do not hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from kyotsu.errors import Problem
from kyotsu.spec.battery_body_checks import BODY_CHECKS
from kyotsu.spec.battery_electrical_checks import ELECTRICAL_CHECKS
from kyotsu.spec.battery_operation_checks import OPERATION_CHECKS
from kyotsu.spec.eaxle_checks import EAXLE_CHECKS
from kyotsu.spec.inheritance import Entry
from kyotsu.spec.standard import conformance

if TYPE_CHECKING:
    from kyotsu.spec.battery import BatteryModule
    from kyotsu.spec.workspace import Workspace

Names = Mapping[str, Iterable[str] | None]

BATTERY_CHECK_IDS = [check.id for check in (*BODY_CHECKS, *ELECTRICAL_CHECKS, *OPERATION_CHECKS)]
EAXLE_CHECK_IDS = [check.id for check in EAXLE_CHECKS]
CAPACITY_TOLERANCE = 0.05  # a module's stated capacity against its cells': covers rating conventions


def reference_problems(workspace: Workspace, entries: Mapping[str, Entry], names: Names) -> list[Problem]:
    """Every reference that leads nowhere and every claim that the figures contradict.

    `names` are those written down of each kind, even by records that are not valid: what is wrong with
    them was said where they stand. `None` when some could not be read, so nobody can say what is dead.
    """
    return [
        *_alliance(workspace, entries, names),
        *_parts(workspace, entries, names),
        *_vehicles(workspace, entries, names),
    ]


def _alliance(workspace: Workspace, entries: Mapping[str, Entry], names: Names) -> Iterator[Problem]:
    head, entry = workspace.alliance, entries["alliance.toml"]
    for index, reference in enumerate(head.adopted_standards):
        yield from _known(entry, ("adopted_standards", index), reference, names["standard"])
    if head.proposed_battery_module is not None:
        yield from _known(entry, ("proposed_battery_module",), head.proposed_battery_module, names["battery_module"])
    for index, name in enumerate(head.proposed_eaxles):
        yield from _known(entry, ("proposed_eaxles", index), name, names["eaxle"])
    for number, agreement in enumerate(head.agreement):
        for index, party in enumerate(agreement.parties):
            yield from _known(entry, ("agreement", number, "parties", index), party, names["maker"])


def _parts(workspace: Workspace, entries: Mapping[str, Entry], names: Names) -> Iterator[Problem]:
    for name in sorted(workspace.battery_modules.keys() & workspace.eaxles.keys()):
        yield Problem(
            entries[name].locate(("id",)),
            f"id {name!r} for a battery module and for an e-axle",
            "ids that are unique among all parts",
            "Rename one of the two.",
        )
    for part in workspace.parts.values():
        entry = entries[part.id]
        for index, reference in enumerate(part.conforms_to):
            yield from _known(entry, ("conforms_to", index), reference, names["standard"])
            standard = workspace.standards.get(reference)
            for deviation in conformance(part, standard) if standard is not None else ():
                constraint = deviation.constraint
                found = "not stated" if deviation.unknown else f"{deviation.found}"
                yield Problem(
                    entry.locate(tuple(constraint.field.split("."))),
                    f"{part.id}: {constraint.field} is {found}",
                    f"{constraint.field} {constraint.text}, as {reference} asks ({constraint.reason})",
                    f"Correct the part, or withdraw its claim to conform to {reference}.",
                    "warning",
                )
    for module in workspace.battery_modules.values():
        yield from _cell(workspace, module, entries[module.id], names["cell"])


def _cell(workspace: Workspace, module: BatteryModule, entry: Entry, names: Iterable[str] | None) -> Iterator[Problem]:
    if module.cell is None:
        return
    yield from _known(entry, ("cell",), module.cell, names)
    cell = workspace.cells.get(module.cell)
    if cell is None:
        return
    capacity = cell.capacity_ah * module.cells_parallel
    if module.capacity_ah is not None and abs(module.capacity_ah / capacity - 1.0) > CAPACITY_TOLERANCE:
        yield Problem(
            entry.locate(("capacity_ah",)),
            f"capacity_ah = {module.capacity_ah:g}",
            f"{module.cells_parallel} x {cell.capacity_ah:g} = {capacity:g} Ah, as the cell {cell.id} gives",
            "Correct the capacity, the cell or cells_parallel.",
            "warning",
        )
    highest = module.limits.operating.cell_voltage_max_v
    if highest is not None and highest > cell.voltage_max_v:
        yield Problem(
            entry.locate(("limits", "operating", "cell_voltage_max_v")),
            f"cell_voltage_max_v = {highest:g}",
            f"at most {cell.voltage_max_v:g} V, the upper cut-off of the cell {cell.id}",
            "Lower the limit, or correct the cell.",
        )


def _vehicles(workspace: Workspace, entries: Mapping[str, Entry], names: Names) -> Iterator[Problem]:
    markets = {market.id for market in workspace.alliance.market}
    for name, vehicle in workspace.vehicles.items():
        entry = entries[name]
        for index, market in enumerate(vehicle.markets):
            yield from _known(entry, ("markets", index), market, markets)
        yield from _waived(entry, ("battery_bay",), vehicle.battery_bay.waived, BATTERY_CHECK_IDS)
        for index, mount in enumerate(vehicle.eaxle_mounts):
            yield from _waived(entry, ("eaxle_mounts", index), mount.waived, EAXLE_CHECK_IDS)
        if vehicle.battery.part is not None:
            yield from _known(entry, ("battery", "part"), vehicle.battery.part, names["battery_module"])
        for index, mount in enumerate(vehicle.eaxle_mounts):
            if mount.fitted is None:
                continue
            path = ("eaxle_mounts", index, "fitted")
            yield from _known(entry, (*path, "part"), mount.fitted.part, names["eaxle"])
            eaxle = workspace.eaxles.get(mount.fitted.part)
            if eaxle is not None:
                ratings = [rating.id for rating in eaxle.ratings]
                yield from _known(entry, (*path, "rating"), mount.fitted.rating, ratings)


def _waived(
    entry: Entry, slot: tuple[str | int, ...], waived: Iterable[str], checks: Sequence[str]
) -> Iterator[Problem]:
    for check in waived:
        if check not in checks:
            yield Problem(
                entry.locate((*slot, "waived", check)),
                f"waived.{check}",
                f"the id of a check of this slot, {checks[0]} to {checks[-1]}",
                "Correct the id: kyotsu fit shows them.",
            )


def _known(entry: Entry, path: tuple[str | int, ...], name: str, names: Iterable[str] | None) -> Iterator[Problem]:
    known = sorted(names or ())
    if names is not None and name not in known:
        listed = ", ".join(known[:8]) + (" ..." if len(known) > 8 else "")
        yield Problem(
            entry.locate(path), f"{path[-1] if isinstance(path[-1], str) else path[-2]} = {name!r}",
            f"one of: {listed}" if known else "a record that exists (there is none yet)",
            "Correct the name, or add what it names.",
        )  # fmt: skip
