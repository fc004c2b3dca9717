"""What `kyotsu choose` prints: a family, the curve, who gains, and what would change the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from kyotsu.cli.output import screen, table

if TYPE_CHECKING:
    from kyotsu.plan.decision import Decision
    from kyotsu.plan.family import Plan
    from kyotsu.plan.sensitivity import Sensitivity
    from kyotsu.plan.standards import Model

MILLION = 1e6
SHOWN = 6  # sensitivities, the widest; all of them stand in the JSON


def say(line: str) -> None:
    """One line as it is, however long."""
    screen.print(line, soft_wrap=True, highlight=False)


def print_head(plan: Plan) -> None:
    """What was tried, and what was assumed."""
    say(
        f"{plan.workspace}: {len(plan.assignments)} vehicles, {plan.builds:,} builds, {plan.simulated:,} simulated in "
        f"{plan.explore_seconds:.0f} s; {plan.years:g} years, USD of 2022"
    )
    if plan.assumed_units:
        say(f"Nobody stated how many are built of {', '.join(plan.assumed_units)}: assumed.")


def print_plan(plan: Plan) -> None:
    """One family: its standards, who takes them, what each vehicle then does."""
    labels = _labels(plan)
    numbers = ("vehicles", "units")
    listing = table("", "standard", "what", *numbers, "taken by", right=numbers)
    for item in plan.standards:
        listing.add_row(
            labels[item.part], item.part + ("*" if item.scaled else ""), item.name, str(len(item.vehicles)),
            f"{item.units:,.0f}", ", ".join(item.makers) or "nobody",
        )  # fmt: skip
    screen.print(listing)
    if any(item.scaled for item in plan.standards):
        screen.print("* of a grid in choice.toml: nobody offers it yet")
    heads = ("range km", "0-100 s", "USD each", "over-design", "open")
    vehicles = table("vehicle", "battery", "e-axles", *heads, right=heads)
    for row in plan.assignments:
        figures = {figure.title: figure for figure in row.figures}
        battery = row.battery
        layout = "own" if battery.part is None else f"{labels[battery.part]} {battery.series}s{battery.strings}p"
        drives = ", ".join("own" if axle.own else f"{labels[axle.part]} {axle.rating}" for axle in row.axles)
        sprint, far = figures.get("0 to 100 km/h"), figures.get("range")
        units = max(row.units, 1.0)
        vehicles.add_row(
            row.vehicle, layout, drives,
            "-" if far is None else f"{far.value:.0f} ({far.limit:.0f})",
            "-" if sprint is None else f"{sprint.value:.1f} ({sprint.limit:.1f})",
            f"{row.cost.total_usd / units:,.0f}", f"{max(row.over_design_usd, 0.0) / units:,.0f}",
            f"{row.conditional}+{row.unknown}",
        )  # fmt: skip
    screen.print(vehicles)
    say("In brackets: what is required. over-design: USD a vehicle that sharing adds to the vehicle's own best.")
    say("open: findings of fit that are conditional + unknown.")


def _labels(plan: Plan) -> dict[str, str]:
    """Short names: M1, M2 of battery modules, A1, A2 of e-axles."""
    found: dict[str, str] = {}
    for letter, kind in (("M", "battery_module"), ("A", "eaxle")):
        parts = [item.part for item in plan.standards if item.kind == kind]
        found |= {part: f"{letter}{number}" for number, part in enumerate(parts, start=1)}
    return found


def print_proof(plan: Plan) -> None:
    """What a plan costs, against every part a vehicle's own, and how sure that is."""
    own, cost = plan.as_built_usd / MILLION, plan.cost_usd / MILLION
    against = f"saves {own - cost:,.0f}" if cost <= own else f"costs {cost - own:,.0f} more"
    volume, spent = (100.0 * share for share in (plan.commonality_by_volume(), plan.commonality_by_cost()))
    unknown = sum(row.unknown for row in plan.assignments)
    assumed = sum(row.basis == "assumed" for row in plan.assignments)
    change = 100.0 * (cost / own - 1.0)
    say(f"Cost {cost:,.0f} M USD; with every part a vehicle's own {own:,.0f}: {against} ({change:+.1f} %).")
    say(f"Shared by two makers or more: {volume:.0f} % of units, {spent:.0f} % of cost.")
    say(f"Rests on {unknown} unknown findings, and on assumed values in {assumed} of {len(plan.assignments)} vehicles.")
    proof = "Proven: no family costs less" if plan.proven else f"Not proven: at most {100.0 * plan.gap:.3f} % to gain"
    screen.print(Text(f"{proof} ({plan.solve_seconds:.1f} s).", style="green" if plan.proven else "yellow"))


def print_reasons(model: Model) -> None:
    """For each vehicle, what left how many builds out."""
    for ways in model.ways:
        say(
            f"{ways.vehicle}: {ways.builds:,} builds, {ways.simulated:,} simulated; "
            f"{len(ways.batteries)} batteries in layouts serve, {' and '.join(str(len(axle)) for axle in ways.axles)} "
            "e-axles fit. Builds left out, each by one reason:"
        )
        reasons = sorted(((count, reason) for reason, count in ways.left_out.items() if count), reverse=True)
        say("  " + "; ".join(f"{reason} {count:,}" for count, reason in reasons))


def print_curve(decision: Decision) -> None:
    """The least cost for every number of standards."""
    numbers = ("standards", "modules", "e-axles", "cost M USD", "one more saves", "against own", "shared", "seconds")
    listing = table(*numbers, "proof", right=numbers)
    plans = decision.plans
    for plan, after in zip(plans, [*plans[1:], None], strict=True):
        against = 100.0 * (plan.cost_usd / plan.as_built_usd - 1.0)
        bends = "  <- knee" if plan.variants == decision.knee else ""
        listing.add_row(
            str(plan.variants), str(len(plan.of_kind("battery_module"))), str(len(plan.of_kind("eaxle"))),
            f"{plan.cost_usd / MILLION:,.0f}",
            "-" if after is None else f"{(plan.cost_usd - after.cost_usd) / MILLION:,.0f}",
            f"{against:+.1f} %", f"{100.0 * plan.commonality_by_volume():.0f} %", f"{plan.solve_seconds:.1f}",
            ("proven" if plan.proven else f"gap {100.0 * plan.gap:.3f} %") + bends,
        )  # fmt: skip
    screen.print(listing)
    say("shared: units of batteries and e-axles on standards that two makers or more take. knee: where it bends most.")


def print_decision(decision: Decision) -> None:
    """Who gains, and what would change the answer."""
    if decision.sharing is not None:
        _print_gains(decision)
    if decision.robustness is not None:
        _print_scenarios(decision)
    if decision.sensitivities:
        _print_sensitivities(decision.sensitivities)
    if decision.window is not None:
        _print_window(decision)
    if not decision.complete:
        screen.print(Text("Interrupted: what was found until then is above.", style="yellow"))


def _print_gains(decision: Decision) -> None:
    sharing = decision.sharing
    assert sharing is not None
    heads = ("as built", "alone", "pays", "saves by sharing", "Shapley")
    listing = table("M USD", *heads, right=heads)
    for gain in sharing.gains:
        amounts = (gain.as_built_usd, gain.alone_usd, gain.agreed_usd, gain.alone_usd - gain.agreed_usd)
        listing.add_row(gain.maker, *(f"{usd / MILLION:,.0f}" for usd in (*amounts, gain.shapley_usd)))
    screen.print(listing)
    if sharing.core_is_empty:
        say("However the cost is split, some group of makers would pay less without the others.")
    else:
        say(f"No group of makers would refuse: the one that gains least gains {sharing.least_gain_usd / MILLION:,.0f}.")
    losing = [gain.maker for gain in sharing.gains if gain.agreed_usd > gain.as_built_usd]
    if losing:
        say(f"Dearer than their parts as built: {', '.join(losing)}. --keep-own lets vehicles keep what is cheaper.")


def _print_scenarios(decision: Decision) -> None:
    found = decision.robustness
    assert found is not None
    listing = table("scenario", "best family", "this family", "regret", right=("best family", "this family", "regret"))
    own = found.families[found.chosen]
    for name, best, cost in zip(found.scenarios, found.best_usd, own.cost_usd, strict=True):
        regret = "serves no more" if cost is None else f"{(cost - best) / MILLION:,.0f}"
        listing.add_row(name, f"{best / MILLION:,.0f}", "-" if cost is None else f"{cost / MILLION:,.0f}", regret)
    screen.print(listing)
    least = found.families[0]
    if least.greatest_usd is not None:
        sure = "proven" if found.proven else f"none has less than {found.bound_usd / MILLION:,.0f}"
        words = "this one" if found.chosen == 0 else f"{len(least.parts)} standards: {', '.join(least.parts)}"
        say(f"Least greatest regret {least.greatest_usd / MILLION:,.0f} M USD ({sure}): {words}.")


def _print_sensitivities(rows: tuple[Sensitivity, ...]) -> None:
    heads = ("cost low", "cost high", "saving low", "saving high", "regret low", "regret high")
    listing = table("M USD", "low", "high", *heads, right=("low", "high", *heads))
    for row in rows[:SHOWN]:
        ends = (row.low, row.high)
        listing.add_row(
            row.name, *(_short(end.value) for end in ends), *(f"{end.cost_usd / MILLION:,.0f}" for end in ends),
            *(f"{(end.as_built_usd - end.cost_usd) / MILLION:,.0f}" for end in ends),
            *("-" if end.kept_usd is None else f"{(end.kept_usd - end.cost_usd) / MILLION:,.0f}" for end in ends),
        )  # fmt: skip
    screen.print(listing)
    say("saving: against parts as built. regret: of keeping this family where another would be best.")


def _short(value: float) -> str:
    return f"{value / MILLION:g} M" if value >= MILLION else f"{value:,g}"


def _print_window(decision: Decision) -> None:
    window = decision.window
    assert window is not None
    heads = ("standards", "cost M USD", "with wider windows", "window saves", "one more standard saves")
    listing = table(*heads, right=heads)
    points = window.points
    for point, after in zip(points, [*points[1:], None], strict=True):
        now, wide = point.cost_usd, point.wide_usd
        more = None if now is None or after is None or after.cost_usd is None else now - after.cost_usd
        saves = None if now is None or wide is None else now - wide
        cells = (f"{usd / MILLION:,.0f}" if usd is not None else "-" for usd in (now, wide, saves, more))
        listing.add_row(str(point.variants), *cells)
    screen.print(listing)
    say(f"Windows of inverters and vehicles wider by {100.0 * window.share:g} % at both ends, before what they cost.")
