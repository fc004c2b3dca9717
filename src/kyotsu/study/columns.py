"""The Parquet tables' columns and types: fixed, so that an empty table reads like a full one."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from kyotsu.sim.simulate import Ledger
from kyotsu.spec.finding import Verdict
from kyotsu.study.certainty import CYCLE_OF, RESTS_ON
from kyotsu.study.tables import CHANGES, bound_name

TEXT, NUMBER, WHOLE, TRUTH = pa.string(), pa.float64(), pa.int64(), pa.bool_()

_FINDING = {
    "check": TEXT,
    "title": TEXT,
    "verdict": TEXT,
    "offered": TEXT,
    "required": TEXT,
    "margin": NUMBER,
    "unit": TEXT,
    "reason": TEXT,
    "action": TEXT,
    "missing": TEXT,
    "standard": TEXT,
    "status": TEXT,
}
_PAIR = {"vehicle": TEXT, "slot": TEXT, "part": TEXT}
_BUILD = {"vehicle": TEXT, "build": TEXT}

COLUMNS: Mapping[str, Mapping[str, pa.DataType]] = {
    "fits": {
        "vehicle": TEXT,
        "slot": TEXT,
        "kind": TEXT,
        "part": TEXT,
        "rating": TEXT,
        "layout": TEXT,
        "parts_used": WHOLE,
        "verdict": TEXT,
        "status": TEXT,
        **{verdict.value: WHOLE for verdict in Verdict},
    },
    "findings": {**_PAIR, **_FINDING},
    "builds": {
        "vehicle": TEXT,
        "maker": TEXT,
        "name": TEXT,
        "build": TEXT,
        "parts": TEXT,
        "fit": TEXT,
        "requirements": TEXT,
        "energy_kwh": NUMBER,
        "usable_kwh": NUMBER,
        "nominal_voltage_v": NUMBER,
        "test_mass_kg": NUMBER,
        "battery_cost_usd": NUMBER,
        "drive_cost_usd": NUMBER,
        **dict.fromkeys(CHANGES, NUMBER),
        **{bound_name(figure, which): NUMBER for figure in CYCLE_OF for which in ("low", "high")},
        "notes": TEXT,
    },
    "requirements": {**_BUILD, **_FINDING},
    "cycles": {
        **_BUILD,
        "cycle": TEXT,
        "distance_km": NUMBER,
        "dc_wh_per_km": NUMBER,
        "ac_wh_per_km": NUMBER,
        "ac_low_wh_per_km": NUMBER,
        "ac_high_wh_per_km": NUMBER,
        "range_km": NUMBER,
        "range_low_km": NUMBER,
        "range_high_km": NUMBER,
        "missed_s": NUMBER,
        "shortfall_km_h": NUMBER,
        "limited_by": TEXT,
        **dict.fromkeys(Ledger._fields, NUMBER),
    },
    "changes": {
        "vehicle": TEXT,
        "name": TEXT,
        "fit": TEXT,
        "requirements": TEXT,
        **{f"{name}_{when}": NUMBER for name in CHANGES for when in ("as_built", "common", "change")},
        **{f"{name}_told_apart": TRUTH for name in CYCLE_OF},
        **{f"{name}_rests_on": TEXT for name in RESTS_ON},
    },
    "published": {
        "vehicle": TEXT,
        "name": TEXT,
        "figure": TEXT,
        "published": NUMBER,
        "simulated": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "difference_pct": NUMBER,
        "inside": TRUTH,
    },
    "unknowns": {
        "ask": TEXT,
        "record": TEXT,
        "field": TEXT,
        "question": TEXT,
        "checks": TEXT,
        "pairs": WHOLE,
        "file": TEXT,
        "line": WHOLE,
    },
    "not_built": {**_BUILD, "reason": TEXT},
    "choice_curve": {
        "variants": WHOLE,
        "battery_modules": WHOLE,
        "eaxles": WHOLE,
        "cost_usd": NUMBER,
        "bound_usd": NUMBER,
        "as_built_usd": NUMBER,
        "proven": TRUTH,
        "shared_volume_share": NUMBER,
        "shared_cost_share": NUMBER,
        "knee": TRUTH,
    },
    "choice_standards": {
        "variants": WHOLE,
        "kind": TEXT,
        "part": TEXT,
        "name": TEXT,
        "suppliers": TEXT,
        "scaled": TRUTH,
        "vehicles": TEXT,
        "units": NUMBER,
        "once_usd": NUMBER,
    },
    "choice_vehicles": {
        "variants": WHOLE,
        "vehicle": TEXT,
        "units": NUMBER,
        "battery": TEXT,
        "layout": TEXT,
        "eaxles": TEXT,
        "energy_kwh": NUMBER,
        "cost_usd": NUMBER,
        "over_design_usd": NUMBER,
        "conditional": WHOLE,
        "unknown": WHOLE,
        "basis": TEXT,
        "figures": TEXT,
        "meets_all": TRUTH,
    },
    "choice_sensitivities": {
        "coefficient": TEXT,
        "assumed": NUMBER,
        "end": TEXT,
        "value": NUMBER,
        "cost_usd": NUMBER,
        "kept_usd": NUMBER,
        "as_built_usd": NUMBER,
        "proven": TRUTH,
    },
}


def schema(table: str) -> pa.Schema:
    """The Arrow schema of one of the study's tables."""
    return pa.schema(list(COLUMNS[table].items()))
