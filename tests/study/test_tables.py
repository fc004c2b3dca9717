from __future__ import annotations

import json
import math

import pytest

from kyotsu.study import Study, study_record
from kyotsu.study.columns import COLUMNS
from kyotsu.study.tables import TABLES, changes


@pytest.mark.parametrize("table", TABLES)
def test_records_have_the_columns_that_are_promised(study: Study, table: str) -> None:
    for record in TABLES[table](study):
        assert set(record) == set(COLUMNS[table])


@pytest.mark.parametrize("table", ["fits", "findings", "builds", "cycles", "changes", "unknowns", "requirements"])
def test_no_table_of_the_example_is_empty(study: Study, table: str) -> None:
    assert TABLES[table](study)


def test_the_record_is_json_without_nan(study: Study) -> None:
    assert json.loads(json.dumps(study_record(study), allow_nan=False))["alliance"]


def test_changes_are_differences(study: Study) -> None:
    for row in changes(study):
        was, now, change = (row[f"curb_mass_kg_{when}"] for when in ("as_built", "common", "change"))
        assert math.isclose(now - was, change)
