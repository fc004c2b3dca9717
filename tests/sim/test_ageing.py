from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sim import reference_ageing
from tests.sim.vehicles import finite

from kyotsu.errors import InputError
from kyotsu.sim import ageing
from kyotsu.sim.ageing import DAYS_PER_YEAR, Ageing, AgeingFlag, age
from kyotsu.sim.ageing_model import ageing_model, ageing_models, anode_potential
from kyotsu.sim.formula import Formula
from kyotsu.sim.parameters import FloatArray
from kyotsu.sim.rainflow import rainflow, reversals

MODELS = ageing_models()
WEEK = np.arange(169.0) * 3600.0
FULL_LIFE = ("uneven", "deep")  # compared over all ten years; the others over the first steps

models = st.sampled_from(MODELS)


def commute(depth: float = 0.25, top: float = 0.85, step_h: float = 1.0) -> tuple[FloatArray, FloatArray, FloatArray]:
    hours = np.arange(0.0, 168.0 + 0.5 * step_h, step_h)
    of_day = hours % 24.0
    swing = np.interp(of_day, [0.0, 7.0, 8.0, 17.0, 18.0, 19.0, 23.0, 24.0], [0, 0, 0.5, 0.5, 1.0, 1.0, 0.0, 0.0])
    return hours * 3600.0, top - depth * swing, 25.0 - 8.0 * np.cos(2.0 * np.pi * (of_day - 3.0) / 24.0)


def left(life: Ageing) -> float:
    return float(life.capacity[0, -1])


# --- against the reference ---


def check_against_reference(profile: str, name: str, kind: str, most: int = 10_000) -> None:
    found = reference_ageing.simulate(name, profile, kind, most)
    wanted = reference_ageing.reference()[profile, name, kind][: len(found)]
    assert len(found) >= 5
    for one, other in zip(found, wanted, strict=True):
        assert one.days == pytest.approx(other.days, rel=1e-9)
        assert one.cycles == pytest.approx(other.cycles, rel=1e-9)
        assert one.capacity == pytest.approx(other.capacity, rel=1e-9)
        if other.resistance is not None:
            assert one.resistance == pytest.approx(other.resistance, rel=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_equations_are_those_of_the_reference(name: str) -> None:
    runs = [key for key in reference_ageing.reference() if key[1] == name]
    assert len(runs) >= 6
    for profile, _, kind in runs:
        check_against_reference(profile, name, kind, 10_000 if kind == "constant" else 110)


@pytest.mark.slow
@pytest.mark.parametrize("profile", FULL_LIFE)
@pytest.mark.parametrize("name", MODELS)
def test_equations_are_those_of_the_reference_for_ten_years(name: str, profile: str) -> None:
    check_against_reference(profile, name, "varying")


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("profile", ["commute", "commute_cold", "commute_hot", "storage", "uneven"])
def test_exact_integration_stays_near_the_reference(name: str, profile: str) -> None:
    """The rest is the reference's: explicit steps, intervals left out, swings that grow from each window's start."""
    record = reference_ageing.reference()[profile, name, "varying"][-1]
    if record.capacity < ageing.LEAST_CAPACITY:
        pytest.skip("beyond the range in which rates follow the capacity")
    life = age(name, *reference_ageing.profiles()[profile], years=record.days / DAYS_PER_YEAR)
    faded = 1.0 - left(life) / ageing_model(name).initial
    assert faded == pytest.approx(1.0 - record.capacity, rel=0.15)
    if profile == "storage":
        assert faded == pytest.approx(1.0 - record.capacity, rel=2e-3)


@pytest.mark.parametrize("name", MODELS)
def test_many_small_explicit_steps_lead_to_the_same_life(name: str) -> None:
    """Another integration of the same rates: hour by hour, capacity and rates anew in each window, no table."""
    model, (time, soc, celsius) = ageing_model(name), commute()
    edges = 24 * np.arange(8)
    week = ageing.Profile.of(time, soc[None], celsius[None] + 273.15, edges)
    values = [state.start for state in model.states]
    for _ in range(26):
        for window in range(7):
            capacity = model.capacity({s.name: np.array(v) for s, v in zip(model.states, values, strict=True)})
            stress, cycles = ageing.stress_of(week, float(capacity))
            for index, state in enumerate(model.states):
                rates = np.broadcast_to(state.rate(stress._asdict()), (1, 168))[0, edges[window] : edges[window + 1]]
                moved = (1.0 if state.driver == "time_days" else cycles[0, window]) / 24.0 / state.unit
                for rate in rates:
                    values[index] += reference_ageing.explicit_step(state, values[index], moved, float(rate))
    life = age(name, time, soc, celsius, years=26 * 7.0 / DAYS_PER_YEAR)
    for state, value in zip(model.states, values, strict=True):
        assert life.states[state.name][0, -1] == pytest.approx(value, rel=5e-4, abs=1e-6)


def test_turning_points_give_the_windows_of_the_reference() -> None:
    for name, (time, soc, _) in reference_ageing.profiles().items():
        turns = np.unique(rainflow(soc).last)
        cycles = np.cumsum(np.abs(np.diff(soc, prepend=soc[0]))) / 2.0
        edges, last = [], 0
        for turn in turns:
            if time[turn] - time[last] > 86400.0:
                for index in range(last, turn):
                    if time[index] - time[last] > 86400.0:
                        edges.append(index)
                        last = index
            elif cycles[turn] - cycles[last] > 1.0:
                edges.append(int(turn))
                last = int(turn)
        edges += [time.size - 1] if not edges or edges[-1] != time.size - 1 else []
        assert edges == [end for _, end in reference_ageing.windows()[name]]


# --- against the published laws ---


@pytest.mark.parametrize("name", MODELS)
def test_storage_follows_the_published_law(name: str) -> None:
    model = ageing_model(name)
    soc, kelvin = 0.6, 298.15
    life = age(name, WEEK, np.full(169, soc), np.full(169, kelvin - 273.15), years=10.0)
    values = {
        "T": kelvin, "theta": kelvin / 308.15, "soc": soc, "U": float(anode_potential(np.array(soc))),
        "upsilon": float(anode_potential(np.array(soc))) / 0.123, "mean_temperature": kelvin, "mean_soc": soc,
        "depth": 0.0, "c_rate": 0.0, "charge_rate": 0.0,
    }  # fmt: skip
    calendar = next(state for state in model.states if state.driver == "time_days")
    rate = float(calendar.rate({key: np.asarray(value) for key, value in values.items()}))
    expected = rate * (10.0 * DAYS_PER_YEAR / calendar.unit) ** calendar.exponent
    assert life.states[calendar.name][0, -1] == pytest.approx(expected, rel=1e-12)
    assert left(life) == pytest.approx(model.initial * (1.0 - expected), rel=1e-9)
    assert (life.full_cycles == 0.0).all()


def test_lithium_iron_phosphate_by_hand() -> None:
    life = age("lfp_250ah_prismatic", WEEK, np.full(169, 0.5), np.full(169, 25.0), years=1000.0 / DAYS_PER_YEAR)
    potential = float(anode_potential(np.array(0.5)))
    rate = 8.37e4 * np.exp(-5210.0 / 298.15) * np.exp(-3560.0 * potential / 298.15)
    assert left(life) == pytest.approx(1.0 - rate * 1000.0**0.526, rel=1e-12)
    assert potential == pytest.approx(0.1235, abs=2e-3)  # near the plateau, where `upsilon` is 1


def test_cold_and_heat_add_their_damage_in_any_order() -> None:
    """Half the time at 10 degC, half at 40: d = (k1^(1/p) + k2^(1/p)) t/2, loss d^p, by day or by month."""
    potential, p = float(anode_potential(np.array(0.5))), 0.526
    rates = np.array([8.37e4 * np.exp((-5210.0 - 3560.0 * potential) / kelvin) for kelvin in (283.15, 313.15)])
    expected = 1.0 - (np.mean(rates ** (1.0 / p)) * 3600.0) ** p
    for half in (0.5, 15.0):
        time = np.array([0.0, half, half + 1e-5, 2.0 * half]) * 86400.0
        celsius = np.array([10.0, 10.0, 40.0, 40.0])
        for turned in (celsius, celsius[::-1]):
            life = age("lfp_250ah_prismatic", time, np.full(4, 0.5), turned, years=3600.0 / DAYS_PER_YEAR)
            assert left(life) == pytest.approx(expected, abs=2e-6)


def test_resistance_is_that_of_the_source_or_none() -> None:
    lives = {name: age(name, *commute(), years=1.0) for name in MODELS}
    assert [name for name, life in lives.items() if life.resistance is not None] == ["nmc111_75ah_kokam"]
    resistance = lives["nmc111_75ah_kokam"].resistance
    assert resistance is not None
    assert resistance[0, 0] == pytest.approx(1.0, abs=0.01)
    assert (np.diff(resistance[0]) >= 0.0).all()


# --- properties ---


@given(model=models, depth=st.floats(0.0, 0.8), mean=st.floats(-20.0, 55.0), years=st.floats(0.1, 25.0))
@settings(max_examples=60, deadline=None)
def test_capacity_never_rises_and_is_a_number(model: str, depth: float, mean: float, years: float) -> None:
    time, soc, temperature = commute(depth)
    life = age(model, time, soc, temperature - 25.0 + mean, years=years)
    assert finite(life.capacity, life.time_years, *life.states.values())
    assert (np.diff(life.capacity, axis=1) <= 0.0).all()
    assert (life.capacity >= 0.0).all()
    assert life.time_years[-1] == pytest.approx(years)
    assert life.full_cycles[0, -1] >= 0.0


@given(name=models, depth=st.floats(0.05, 0.3), mean=st.floats(10.0, 40.0))
@settings(max_examples=30, deadline=None)
def test_storage_in_the_heat_ages_faster(name: str, depth: float, mean: float) -> None:
    time, soc, _ = commute(depth)
    calendar = next(state.name for state in ageing_model(name).states if state.driver == "time_days")
    life = age(name, time, np.full((2, 169), soc.mean()), np.array([[mean], [mean + 5.0]]) + np.zeros(169), years=5.0)
    assert life.states[calendar][0, -1] < life.states[calendar][1, -1]


@given(model=models, soc=st.floats(0.1, 1.0), celsius=st.floats(10.0, 45.0))
@settings(max_examples=30, deadline=None)
def test_without_use_only_time_counts(model: str, soc: float, celsius: float) -> None:
    life = age(model, WEEK, np.full(169, soc), np.full(169, celsius), years=8.0)
    for state in ageing_model(model).states:
        if state.driver == "full_cycles":
            assert life.states[state.name][0] == pytest.approx(state.start, rel=1e-6)


@given(model=models, weeks=st.integers(1, 60).map(lambda n: 4 * n))
@settings(max_examples=20, deadline=None)
def test_a_life_in_two_parts_is_one_life(model: str, weeks: int) -> None:
    profile = commute()
    first = age(model, *profile, years=7.0 * weeks / DAYS_PER_YEAR)
    second = age(model, *profile, years=10.0 - 7.0 * weeks / DAYS_PER_YEAR, start=first.damage)
    whole = age(model, *profile, years=10.0)
    assert left(second) == pytest.approx(left(whole), rel=1e-12)
    assert first.full_cycles[0, -1] + second.full_cycles[0, -1] == pytest.approx(whole.full_cycles[0, -1])


@pytest.mark.parametrize("name", MODELS)
def test_the_order_of_packs_does_not_matter(name: str) -> None:
    time, soc, temperature = commute()
    socs = np.array([soc, soc - 0.2, 0.5 + 0.5 * soc, np.full(169, 0.4)])
    whole = age(name, time, socs, temperature, years=5.0)
    order = np.array([2, 0, 3, 1])
    turned = age(name, time, socs[order], temperature, years=5.0)
    np.testing.assert_allclose(turned.capacity, whole.capacity[order], rtol=1e-12)
    alone = age(name, time, socs[2], temperature, years=5.0)
    np.testing.assert_allclose(alone.capacity[0], whole.capacity[2], rtol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_finer_profiles_and_steps_change_little(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    coarse, fine = (left(age(name, *commute(step_h=step), years=10.0)) for step in (1.0, 0.25))
    finer = left(age(name, *commute(step_h=0.125), years=10.0))
    assert abs(fine - finer) < max(0.5 * abs(coarse - finer), 1e-6)
    assert abs(coarse - finer) < 3e-3
    monkeypatch.setattr(ageing, "STEP_DAYS", 7.0)
    assert left(age(name, *commute(step_h=0.125), years=10.0)) == pytest.approx(finer, abs=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_the_table_over_capacity_is_fine_enough(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = left(age(name, *commute(), years=10.0))
    monkeypatch.setattr(ageing, "NODE", 0.005)
    monkeypatch.setattr(ageing, "NODES", 101)
    assert left(age(name, *commute(), years=10.0)) == pytest.approx(usual, abs=1e-6)


def test_many_packs_are_aged_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    time, soc, temperature = commute()
    socs = soc - np.linspace(0.0, 0.3, 7)[:, None]
    whole = age("lfp_250ah_prismatic", time, socs, temperature, years=3.0)
    monkeypatch.setattr(ageing, "CHUNK", 340)
    parts = age("lfp_250ah_prismatic", time, socs, temperature, years=3.0)
    np.testing.assert_allclose(parts.capacity, whole.capacity, rtol=1e-12)


def test_a_year_repeated_is_its_weeks_in_turn() -> None:
    week, soc, temperature = commute()
    time = np.concatenate([[0.0], *(week[1:] + 7.0 * 86400.0 * k for k in range(52))])
    year_soc = np.concatenate([soc[:1], *[soc[1:]] * 52])
    year_temperature = np.concatenate([temperature[:1], *[temperature[1:]] * 52])
    one = left(age("nmc_50ah_pouch_b1", time, year_soc, year_temperature, years=10.0))
    assert one == pytest.approx(left(age("nmc_50ah_pouch_b1", week, soc, temperature, years=10.0)), abs=1e-5)


@given(share=st.floats(0.5, 1.0))
@settings(max_examples=10, deadline=None)
def test_a_stored_pack_reaches_each_state_in_its_share_of_the_time(share: float) -> None:
    soc, celsius = np.full(169, 0.7), np.full(169, 30.0)
    cell = age("lfp_250ah_prismatic", WEEK, soc, celsius, years=10.0)
    pack = age("lfp_250ah_prismatic", WEEK, soc, celsius, years=10.0 * share, pack_life_share=share)
    assert left(pack) == pytest.approx(left(cell), rel=1e-9)


# --- flags and results ---


def flags(model: str, **changes: object) -> AgeingFlag:
    time, soc, temperature = commute(depth=0.85, top=0.95)
    given_ = {"time_s": time, "soc": soc, "temperature_c": temperature, "years": 0.5} | changes
    return AgeingFlag(int(age(model, **given_).flags[0]))  # type: ignore[arg-type]


def test_what_leaves_the_tests_is_flagged() -> None:
    time, _, temperature = commute(depth=0.85, top=0.95)
    lfp, denso = "lfp_250ah_prismatic", "nmc622_50ah_denso"
    assert flags(lfp) == AgeingFlag(0)
    assert flags(lfp, temperature_c=temperature - 10.0) == AgeingFlag.TEMPERATURE
    assert flags(lfp, soc=commute(0.3)[1]) == AgeingFlag.DEPTH
    assert flags(denso, soc=commute(0.6, 0.65)[1]) == AgeingFlag.SOC
    quick = np.where(np.arange(169) % 24 < 2, 0.1, 0.95)
    found = flags(lfp, soc=quick)
    assert AgeingFlag.CHARGE_RATE in found
    assert AgeingFlag.DISCHARGE_RATE not in found
    assert AgeingFlag.DISCHARGE_RATE in flags(
        lfp, soc=quick[::2], time_s=time[::2] / 3.0, temperature_c=temperature[::2]
    )
    assert AgeingFlag.OPEN_ENDED in flags(lfp, soc=np.linspace(0.95, 0.1, 169))
    assert AgeingFlag.OPEN_ENDED not in flags(lfp, soc=np.linspace(0.95, 0.1, 169), years=0.01)
    assert AgeingFlag.RAN_EMPTY in flags(lfp, years=10.0)
    assert AgeingFlag.WORN in flags("lmo_66ah_leaf_aged", temperature_c=temperature + 20.0, years=15.0)


def test_a_weekly_charger_needs_weekly_windows() -> None:
    soc = np.interp(np.arange(169.0), [0.0, 160.0, 168.0], [0.9, 0.1, 0.9])
    _, _, temperature = commute()
    assert AgeingFlag.LONG_CYCLES in flags("lfp_250ah_prismatic", soc=soc)
    assert flags("lfp_250ah_prismatic", soc=soc, window_days=7.0) == AgeingFlag(0)
    deep = age("nmc111_75ah_kokam", WEEK, soc, temperature, years=10.0, window_days=7.0)
    assert left(deep) < left(age("nmc111_75ah_kokam", WEEK, soc, temperature, years=10.0))


@pytest.mark.parametrize("name", MODELS)
def test_nonsense_that_passes_the_checks_still_gives_numbers(name: str) -> None:
    time = np.arange(0.0, 86401.0, 60.0)
    noise = (np.arange(time.size) % 2).astype(float)  # 60 full swings an hour
    for celsius in (-80.0, 0.0, 120.0):
        life = age(name, time, noise, np.full(time.size, celsius), years=1.0)
        assert finite(life.capacity, *life.states.values())
        assert life.flags[0] & int(AgeingFlag.CHARGE_RATE)


def test_time_to_a_capacity() -> None:
    life = age("nmc_50ah_pouch_b1", *commute(), years=12.0)
    years = life.years_to(0.9)[0]
    assert np.interp(years, life.time_years, life.capacity[0]) == pytest.approx(0.9, abs=1e-12)
    assert life.years_to(0.1)[0] == np.inf
    assert life.years_to(1.0)[0] == 0.0
    assert "nmc_50ah_pouch_b1, 12.0 years" in repr(life)


def test_an_aged_cell_starts_below_new() -> None:
    life = age("lmo_66ah_leaf_aged", *commute(), years=1.0)
    assert life.capacity[0, 0] == pytest.approx(0.7)


# --- bad input ---


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"time_s": WEEK[::-1]}, "rising times"),
        ({"time_s": np.full(169, np.nan)}, "rising times"),
        ({"time_s": [], "soc": [], "temperature_c": []}, "2 or more"),
        ({"soc": np.full(169, 85.0)}, "not per cent"),
        ({"soc": np.full(169, np.nan)}, "nan at (0, 0) (169 in all)"),
        ({"soc": np.full(7, 0.5)}, "as time_s"),
        ({"soc": np.full((2, 169), 0.5), "temperature_c": np.full((3, 169), 20.0)}, "packs"),
        ({"temperature_c": np.full(169, 298.15)}, "subtract 273.15"),
        ({"years": 0.0}, "more than 0"),
        ({"years": np.nan}, "more than 0"),
        ({"window_days": 0.0}, "charge to charge"),
        ({"pack_life_share": 0.0}, "pack's life"),
        ({"start": np.zeros((5, 1))}, "2 states"),
    ],
)
def test_bad_input_is_named(changes: dict[str, object], said: str) -> None:
    time, soc, temperature = commute()
    given_: dict[str, object] = {"time_s": time, "soc": soc, "temperature_c": temperature, "years": 1.0} | changes
    with pytest.raises(InputError) as error:
        age("lfp_250ah_prismatic", **given_)  # type: ignore[arg-type]
    assert said in str(error.value)


def test_all_problems_come_at_once() -> None:
    with pytest.raises(InputError) as error:
        age("lfp_250ah_prismatic", WEEK[::-1], np.full(169, 1.5), np.full(169, 300.0), years=-1.0)
    assert len(error.value.problems) == 4
    with pytest.raises(InputError, match="lfp_250ah_prismatic"):
        age("lfp", *commute(), years=1.0)


# --- formulas ---


def test_formulas_are_arithmetic_and_nothing_else() -> None:
    assert Formula("2 * x**2 - positive(-x)", ["x"])({"x": np.array([-1.0, 3.0])}) == pytest.approx([1.0, 18.0])
    assert "2 * x" in repr(Formula("2 * x", ["x"]))
    for text in ("y", "x.real", "__import__('os')", "x if x else x", "(lambda: x)()", "x[0]", "'a' * x", "True", "2 *"):
        with pytest.raises(InputError):
            Formula(text, ["x"])


@pytest.mark.parametrize("name", MODELS)
def test_models_say_where_they_come_from_and_hold(name: str) -> None:
    model = ageing_model(name)
    assert model.doi.startswith("10.")
    assert model.title
    assert model.note
    assert model.temperature_c[0] < model.temperature_c[1]
    for state in model.states:
        for value in (0.0, 0.1, 0.7):
            assert state.value(np.array(state.damage(value))) == pytest.approx(value, abs=1e-12)
    assert dataclasses.is_dataclass(model)


# --- rainflow ---


def test_the_example_of_astm_e1049() -> None:
    """Figure 6 of the standard: -2, 1, -3, 5, -1, 3, -4, 4, -2."""
    cycles = rainflow(np.array([-2.0, 1.0, -3.0, 5.0, -1.0, 3.0, -4.0, 4.0, -2.0]))
    assert sorted(zip(cycles.depth, cycles.weight, strict=True)) == [
        (3.0, 0.5), (4.0, 0.5), (4.0, 1.0), (6.0, 0.5), (8.0, 0.5), (8.0, 0.5), (9.0, 0.5),
    ]  # fmt: skip


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=60))
def test_cycles_move_all_the_charge(values: list[float]) -> None:
    history = np.array(values)
    cycles = rainflow(history)
    assert np.sum(2.0 * cycles.weight * cycles.depth) == pytest.approx(np.abs(np.diff(history)).sum(), abs=1e-9)
    assert cycles.depth.max() == pytest.approx(np.ptp(history))
    assert 0.0 <= cycles.throughput_depth <= np.ptp(history) + 1e-12
    assert (cycles.first < cycles.last).all()
    assert (np.diff(reversals(history)) > 0).all()


@given(
    steps=st.lists(st.floats(1.0, 5e6), min_size=1, max_size=12),
    window=st.floats(0.01, 40.0),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_any_sampling_is_cut_into_windows(steps: list[float], window: float, data: st.DataObject) -> None:
    time = np.concatenate([[0.0], np.cumsum(steps)])
    soc = np.array(data.draw(st.lists(st.floats(0.0, 1.0), min_size=time.size, max_size=time.size)))
    life = age("nmc622_50ah_denso", time, soc, np.full(time.size, 25.0), years=3.0, window_days=window)
    assert finite(life.capacity, life.full_cycles)
    assert (np.diff(life.capacity[0]) <= 0.0).all()
    assert life.time_years[-1] == pytest.approx(3.0)
