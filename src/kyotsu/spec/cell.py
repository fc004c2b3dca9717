"""The cell, by reference to a BPX file: read and validated by the `bpx` package.

BPX (Battery Parameter eXchange) is the field's open format for physics-based cell parameters. The file
is the truth; a `Cell` holds what the specification compares: capacity and cut-off voltages.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpx
from pydantic import ValidationError

from kyotsu.errors import Problem
from kyotsu.spec.document import KeyPath, read_json

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


def load_cell(path: Path, shown: str) -> tuple[Cell | None, list[Problem]]:
    """The cell in a BPX file, or everything that is wrong with the file."""
    document, problems = read_json(path, shown)
    if document is None:
        return None, problems
    header = document.content.get("Header")
    version = str(header.get("BPX", "none")) if isinstance(header, dict) else "none"
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
        return None, [
            Problem(
                document.locate(
                    tuple(part for part in detail["loc"] if _is_key(document.lines, detail["loc"], part))
                ),
                f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}",
                "a valid BPX parameter set",
                "Correct the value as the BPX standard says.",
            )
            for detail in error.errors(include_url=False)
        ]
    except Exception as error:  # bpx evaluates expressions; whatever it raises is about this file
        found = f"{type(error).__name__}: {error}"
        return None, [Problem(document.locate(()), found, "a valid BPX parameter set", "Correct the file.")]
    cell = parsed.parameterisation.cell
    return (
        Cell(
            path.stem,
            parsed.header.title or path.stem,
            float(cell.nominal_cell_capacity),
            float(cell.lower_voltage_cutoff),
            float(cell.upper_voltage_cutoff),
            parsed,
        ),
        [],
    )


def _is_key(lines: Any, location: tuple[Any, ...], part: Any) -> bool:
    path: KeyPath = location[: location.index(part) + 1]
    return path in lines
