"""The whole answer to "which parts should we make common?": the curve, who gains what, what would change it.

    decide(model)   ->   Decision   <->   a JSON file, whose plans `kyotsu evaluate` checks

Interrupted (Ctrl-C), it gives what is there, and says that it is not complete.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from kyotsu.errors import InputError, Location, Problem
from kyotsu.plan.curve import knee
from kyotsu.plan.family import PLAN_FORMAT, Options, Plan
from kyotsu.plan.menus import THOUSAND
from kyotsu.plan.sensitivity import Robustness, Sensitivity, robustness, sensitivities
from kyotsu.plan.sharing import MOST_PARTNERS, split_cost
from kyotsu.plan.standards import Model
from kyotsu.spec.document import read_json
from kyotsu.spec.inheritance import Entry, Place
from kyotsu.spec.record import Table
from kyotsu.spec.validation import read_record

Report = Callable[[str], None]


class Gain(Table):
    """What one maker pays for common parts, and what it would pay otherwise [USD over all years].

    Attributes:
        as_built_usd: with every part its own, as today.
        alone_usd: with the best family for its own vehicles only.
        shapley_usd: the mean of what it adds to the common cost, over all orders of joining.
        agreed_usd: its part of the common cost, so that no group of makers would rather go without the others.
    """

    maker: str
    as_built_usd: float
    alone_usd: float
    shapley_usd: float
    agreed_usd: float


class Coalition(Table):
    """Some makers together, with the best family for their vehicles."""

    makers: tuple[str, ...]
    cost_usd: float


class Sharing(Table):
    """Who gains what of the common family.

    Attributes:
        core_is_empty: whether some group would pay less without the others, however the cost is split.
        shapley_in_core: whether no group would refuse the split of `shapley_usd`.
        least_gain_usd: what the group that gains least gains by the agreed split.
    """

    gains: tuple[Gain, ...]
    coalitions: tuple[Coalition, ...]
    core_is_empty: bool
    shapley_in_core: bool
    least_gain_usd: float
    proven: bool


class WindowPoint(Table):
    """The least cost with so many standards, as the voltage windows are and with wider ones."""

    variants: int
    cost_usd: float | None
    wide_usd: float | None
    proven: bool


class Window(Table):
    """What wider voltage windows of inverters and vehicles would save, before what they cost.

    Attributes:
        share: by which each window is wider at both ends [-].
        points: for each number of standards; `None` where so few serve not every vehicle.
    """

    share: float
    points: tuple[WindowPoint, ...]


class Decision(Table):
    """All that a choice of standards rests on.

    Attributes:
        plans: the cheapest family for each number of standards; the last is the cheapest of all.
        knee: the number of standards at which the curve bends most.
        complete: False after an interruption.
    """

    format: int = PLAN_FORMAT
    plans: Annotated[tuple[Plan, ...], Field(min_length=1)]
    knee: int
    sharing: Sharing | None = None
    robustness: Robustness | None = None
    sensitivities: tuple[Sensitivity, ...] = ()
    window: Window | None = None
    complete: bool = True

    @property
    def best(self) -> Plan:
        """The cheapest family of all."""
        return self.plans[-1]

    @property
    def proven(self) -> bool:
        """Whether every family of the curve is known to be the cheapest."""
        return all(plan.proven for plan in self.plans)


def decide(
    model: Model,
    options: Options,
    *,
    seconds: float = 300.0,
    wide: tuple[float, Model] | None = None,
    report: Report = lambda step: None,
) -> Decision:
    """The curve over the number of standards, and of its cheapest family all that could change it.

    Args:
        model: explored.
        options: as for `Model.choose`; without a bound on all standards, every number of them is tried.
        seconds: time for each proof.
        wide: a share, and the model of the workspace with windows wider by it.
        report: told each step as it begins.

    Raises:
        InputError: nothing can be built within the options.
    """
    plans = _curve(model, options, seconds, report)
    bends = knee(np.array([plan.variants for plan in plans]), np.array([plan.cost_usd for plan in plans]))
    complete = plans[-1].options.variants == options.variants
    found: dict[str, object] = {"plans": plans, "knee": bends, "complete": complete}
    if found["complete"]:
        try:
            report("who gains what")
            found["sharing"] = sharing(model, plans[-1].options, seconds)
            report("scenarios")
            found["robustness"] = robustness(model, plans[-1])
            found["sensitivities"] = sensitivities(
                model, plans[-1], report=lambda name: report(f"sensitivity to {name}")
            )
            if wide is not None:
                report("wider voltage windows")
                found["window"] = _window(plans, *wide, options, seconds, report)
        except KeyboardInterrupt:
            found["complete"] = False
    return Decision.model_validate(found)


def _curve(model: Model, options: Options, seconds: float, report: Report) -> tuple[Plan, ...]:
    if options.variants is not None:
        return (model.choose(options, seconds),)
    return model.choose_each(options, seconds, lambda bound: report(f"at most {bound} standards"))


def sharing(model: Model, options: Options, seconds: float = 300.0) -> Sharing | None:
    """What each maker gains; `None` for one maker alone, or for too many.

    Raises:
        InputError: some makers cannot build their vehicles within the options.
    """
    makers = model.makers
    if not 1 < len(makers) <= MOST_PARTNERS:
        return None
    partner = np.array([makers.index(item.maker) for item in model.ways])
    split = split_cost(model.bounded(options), partner, makers, seconds=seconds)
    return Sharing(
        gains=tuple(
            Gain(
                maker=maker,
                as_built_usd=model.of_makers((maker,)).as_built_usd(),
                alone_usd=split.alone[maker] * THOUSAND,
                shapley_usd=split.shapley[maker] * THOUSAND,
                agreed_usd=split.agreed[maker] * THOUSAND,
            )
            for maker in makers
        ),
        coalitions=tuple(Coalition(makers=names, cost_usd=cost * THOUSAND) for names, cost in split.coalition.items()),
        core_is_empty=split.core_is_empty,
        shapley_in_core=split.shapley_in_core,
        least_gain_usd=split.least_gain * THOUSAND,
        proven=split.proven,
    )


def _window(
    plans: tuple[Plan, ...], share: float, model: Model, options: Options, seconds: float, report: Report
) -> Window:
    ours = {plan.variants: plan for plan in plans}
    wide = {plan.variants: plan for plan in _curve(model, options, seconds, report)}
    points = []
    for variants in sorted({*ours, *wide}):
        pair = [_best_within(curve, variants) for curve in (ours, wide)]
        points.append(
            WindowPoint(
                variants=variants,
                cost_usd=pair[0].cost_usd if pair[0] else None,
                wide_usd=pair[1].cost_usd if pair[1] else None,
                proven=all(plan is None or plan.proven for plan in pair),
            )
        )
    return Window(share=share, points=tuple(points))


def _best_within(curve: dict[int, Plan], variants: int) -> Plan | None:
    within = [plan for count, plan in curve.items() if count <= variants]
    return min(within, key=lambda plan: plan.cost_usd, default=None)


def save_decision(decision: Decision, path: Path) -> None:
    """Write a decision as JSON, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    text = json.dumps(decision.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        found = f"{error.strerror or error}"
        raise InputError([Problem(Location(str(path)), found, "a file to write", "Give another path.")]) from error


def load_decision(path: Path) -> Decision:
    """A decision from a JSON file that `save_decision` wrote.

    Raises:
        InputError: with everything that is wrong with it.
    """
    document, problems = read_json(path, str(path))
    if document is not None:
        entry = Entry(document.content, (Place(document, ()),))
        decision, found = read_record(Decision, entry)
        problems += found
        if decision is not None and decision.format != PLAN_FORMAT:
            expected, action = f"format {PLAN_FORMAT}", "Choose anew with this version."
            problems.append(Problem(entry.locate(("format",)), f"format {decision.format}", expected, action))
        if decision is not None and not problems:
            return decision
    raise InputError(problems)
