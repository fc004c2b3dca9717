"""Writing a study: every file whole or not at all.

All files are written beside their place first and moved into it when every one is complete, the report
last; a full disk or a killed process leaves an earlier study as it was.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kyotsu.errors import InputError, Location, Problem
from kyotsu.partial_folder import new_partial_folder
from kyotsu.report import report_html
from kyotsu.study.columns import schema
from kyotsu.study.results import Study
from kyotsu.study.tables import TABLES, study_record

REPORT, RESULTS = "report.html", "results.json"


def write_study(study: Study, folder: Path) -> list[Path]:
    """Write the report, `results.json` and one Parquet file for each table; returns their paths.

    Raises:
        InputError: the folder cannot be written; nothing in it has changed.
    """
    try:
        partial = new_partial_folder(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        names = _write_all(study, partial)
        for name in names:
            (partial / name).replace(folder / name)
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return [folder / name for name in names]


def _write_all(study: Study, folder: Path) -> list[str]:
    names, record = [], study_record(study)
    for name in TABLES:
        pq.write_table(pa.Table.from_pylist(record[name], schema=schema(name)), folder / f"{name}.parquet")
        names.append(f"{name}.parquet")
    (folder / RESULTS).write_text(json.dumps(record, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    (folder / REPORT).write_text(report_html(record), encoding="utf-8")
    return [*names, RESULTS, REPORT]


def _unwritable(folder: Path, error: OSError) -> InputError:
    found = f"the folder cannot be written ({error.strerror or error})"
    return InputError(
        [
            Problem(
                Location(str(folder)),
                found,
                "a folder with space and permission",
                "Free space, or give another -o.",
            )
        ]
    )
