"""Which parts to make common, with a proof.

    settings, candidates, costs   what a workspace says of the choice
    builds                        every way to build every vehicle: fit, simulation, limits
    standards                     `Model.explored(workspace).choose(options)`: the cheapest family, as a plan
    branch, relaxation, search    the optimiser, on arrays (`Assortment`)
    decision                      the whole answer: the curve, who gains, what would change it
    evaluate                      a plan checked without what made it

A `Plan` is plain data that comes back from its file; `Options` are the bounds on it.
"""

from kyotsu.plan.family import Options, Plan, load_plans
from kyotsu.plan.settings import Settings, load_settings

__all__ = ["Options", "Plan", "Settings", "load_plans", "load_settings"]
