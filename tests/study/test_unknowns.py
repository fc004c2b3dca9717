from __future__ import annotations

from kyotsu.spec import Verdict
from kyotsu.study import Study


def test_each_missing_value_is_asked_once(study: Study) -> None:
    asked = [(unknown.record, unknown.field) for unknown in study.unknowns]
    assert len(set(asked)) == len(asked)


def test_whoever_knows_is_asked(study: Study) -> None:
    suppliers = {part.supplier for part in study.workspace.parts.values()}
    makers = {maker.name for maker in study.workspace.makers.values()}
    for unknown in study.unknowns:
        of_part = unknown.record in study.workspace.parts
        assert unknown.ask in (suppliers if of_part else makers)
        assert unknown.location.line


def test_nobody_is_asked_about_a_pair_that_fails_anyway(study: Study) -> None:
    open_fields = {
        field
        for fit in study.fits
        if fit.verdict is not Verdict.FAIL
        for finding in fit.findings
        for field in finding.missing
    }
    assert {unknown.field for unknown in study.unknowns} == open_fields


def test_the_question_names_quantity_and_unit(study: Study) -> None:
    questions = {unknown.field: unknown.question for unknown in study.unknowns}
    mass = questions.get("battery_module.mass_kg")
    assert mass is None or mass == "Mass [kg]"
    assert all(questions.values())
