"""The cell, by reference to a BPX file: read and validated by the `bpx` package.

BPX (Battery Parameter eXchange) is the field's open format for physics-based cell parameters. The file
is the truth; a `Cell` holds what the specification compares: capacity and cut-off voltages.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpx
from pydantic import ValidationError

from kyotsu.errors import Location, Problem
from kyotsu.spec.document import Document, read_json
from kyotsu.spec.record import interpolate

BPX_MAJOR = 1


@dataclass(frozen=True)
class Cell:
    """A cell of a BPX file.

    Attributes:
        id: the file's name without its ending.
        title: as the header says.
        capacity_ah: nominal capacity.
        voltage_min_v: lower cut-off.
        voltage_max_v: upper cut-off.
        parameters: the whole BPX object, for a physics-based simulation.
    """

    id: str
    title: str
    capacity_ah: float
    voltage_min_v: float
    voltage_max_v: float
    parameters: Any

    def open_circuit_voltage_v(self, soc: float) -> float | None:
        """Voltage at rest at a state of charge between BPX's stoichiometry limits, U = U_p(y) − U_n(x) [V].

        At a state of charge z, x = x_min + z (x_max − x_min) and y = y_max − z (y_max − y_min), as the BPX standard
        says. `None` for a file without electrodes, or with electrodes of several materials.
        """
        whole = self.parameters.parameterisation
        negative: Any = getattr(whole, "negative_electrode", None)
        positive: Any = getattr(whole, "positive_electrode", None)
        if getattr(negative, "ocp", None) is None or getattr(positive, "ocp", None) is None:
            return None
        x = negative.minimum_stoichiometry + soc * (negative.maximum_stoichiometry - negative.minimum_stoichiometry)
        y = positive.maximum_stoichiometry - soc * (positive.maximum_stoichiometry - positive.minimum_stoichiometry)
        return _value(positive.ocp, y) - _value(negative.ocp, x)


def load_cell(path: Path, shown: str) -> tuple[Cell | None, list[Problem]]:
    """The cell in a BPX file, or everything that is wrong with the file."""
    document, problems = read_json(path, shown)
    if document is None:
        return None, problems
    header = document.content.get("Header")
    version = f"{header.get('BPX', 'none')!s:.40}" if isinstance(header, dict) else "none"
    if not version.startswith(f"{BPX_MAJOR}."):
        return None, [
            Problem(
                document.locate(("Header", "BPX")),
                f"BPX version {version}",
                f"BPX {BPX_MAJOR}.x",
                'Convert it once: python -c \'import bpx; print(bpx.parse_bpx_file("FILE").model_dump_json('
                "by_alias=True, exclude_none=True))', check the result, and save it.",
            )
        ]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # bpx warns of style; what it refuses, it raises
            parsed = bpx.parse_bpx_obj(document.content, convert_legacy=False)
    except ValidationError as error:
        return None, _problems(document, error)
    except Exception as error:  # bpx evaluates expressions; whatever it raises is about this file
        found = f"{type(error).__name__}: {error!s:.200}"
        return None, [Problem(document.locate(()), found, "a valid BPX parameter set", "Correct the file.")]
    cell = parsed.parameterisation.cell
    if cell is None:
        place = document.locate(("Parameterisation",))
        return None, [Problem(place, "no key 'Cell'", "capacity and cut-off voltages", "Add the cell.")]
    capacity, lowest, highest = (
        float(cell.nominal_cell_capacity),
        float(cell.lower_voltage_cutoff),
        float(cell.upper_voltage_cutoff),
    )
    if not (0.0 < capacity < math.inf and 0.0 <= lowest < highest < math.inf):
        found = f"{capacity:g} Ah between {lowest:g} and {highest:g} V"
        expected = "a capacity above 0, and an upper cut-off above the lower one"
        return None, [Problem(document.locate(("Parameterisation", "Cell")), found, expected, "Correct the value.")]
    return Cell(path.stem, parsed.header.title or path.stem, capacity, lowest, highest, parsed), []


def _value(function: Any, x: float) -> float:
    """Value of a BPX function, table or number at x."""
    if isinstance(function, str):  # bpx has checked it: numbers, operators, these three functions, and x
        known = {"__builtins__": {}, "exp": math.exp, "tanh": math.tanh, "cosh": math.cosh}
        return float(eval(function, known, {"x": x}))
    if hasattr(function, "x"):
        return interpolate(tuple(function.x), tuple(function.y), x)
    return float(function)


def _problems(document: Document, error: ValidationError) -> list[Problem]:
    """What bpx finds wrong, once for each value: it adds the names of a union's branches to its path."""
    problems: dict[Location, Problem] = {}
    for detail in error.errors(include_url=False):
        path = detail["loc"]
        if path[:1] not in document.lines:  # told from inside the parameterisation
            path = ("Parameterisation", *path)
        known = max(end for end in range(len(path) + 1) if path[:end] in document.lines)
        place = document.locate(path[:known])
        found = f"{path[known]!r}: {detail['msg']}" if detail["type"] == "missing" else detail["msg"]
        action = "Correct the value as the BPX standard says."
        problems.setdefault(place, Problem(place, f"{found:.200}", "a valid BPX parameter set", action))
    return list(problems.values())
