from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyotsu.errors import InputError
from kyotsu.sim.battery import table_value
from kyotsu.sim.circuit import (
    Circuit,
    Elements,
    Memory,
    approached,
    fading,
    heat_of,
    kelvin_per_watt,
    simple_circuit,
    source_resistance,
    source_voltage,
)
from kyotsu.sim.pack import PackParameters, module_pack, pack_parameters
from kyotsu.sim.pack_simulation import simulate_pack
from kyotsu.spec.layout import Layout
from kyotsu.spec.workspace import Workspace

SLOPED = simple_circuit(
    open_circuit_voltage_v=np.linspace(3.0, 4.2, 101),
    resistance_ohm=1e-3,
    pair_resistance_ohm=[0.5e-3, 0.4e-3],
    pair_time_s=[20.0, 300.0],
)
FLAT = simple_circuit(open_circuit_voltage_v=[3.7, 3.7], resistance_ohm=1e-3)
LIMITS: dict[str, Any] = {"voltage_min_v": 2.5, "voltage_max_v": 4.4, "heat_capacity_j_per_k": 1000.0}


def pack(circuit: Circuit = SLOPED, *, series: int = 1, strings: int = 1, **changes: Any) -> PackParameters:
    return pack_parameters(circuit, series=series, strings=strings, **{"capacity_ah": 50.0, **LIMITS, **changes})


def drive(steps: int = 600) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(3).uniform(-60.0, 90.0, steps)


# --- conservation ---


@settings(max_examples=20)
@given(
    series=st.integers(1, 4),
    strings=st.integers(1, 3),
    seed=st.integers(0, 1000),
    duration=st.floats(0.1, 20.0),
    conductance=st.floats(0.0, 5.0),
)
def test_charge_energy_and_heat_are_conserved(
    series: int, strings: int, seed: int, duration: float, conductance: float
) -> None:
    random = np.random.default_rng(seed)
    shape = (strings, series)
    capacity, factor = random.uniform(30.0, 60.0, shape), random.uniform(0.5, 2.0, shape)
    parameters = pack(
        series=series,
        strings=strings,
        capacity_ah=capacity,
        resistance_factor=factor,
        conductance_w_per_k=conductance,
        activation_k=2000.0,
        voltage_min_v=0.0,
        voltage_max_v=99.0,
    )
    start = random.uniform(0.4, 0.6, shape)
    current = random.uniform(-40.0, 40.0, 40)
    run = simulate_pack(parameters, current_a=current, duration_s=duration, initial_soc=start)
    assert run.history is not None
    assert run.history.string_current_a.sum(axis=1)[0] == pytest.approx(current, abs=1e-9)
    through = 3600.0 * capacity * (start - run.soc[0])  # A s out of each module
    assert through == pytest.approx(np.repeat((run.history.string_current_a[0].sum(-1) * duration)[:, None], series, 1))
    lost = run.heat_wh.sum()
    assert run.cells_wh[0] == pytest.approx(run.terminals_wh[0] + lost, abs=1e-9 * (1.0 + lost))
    warmed = 1000.0 * (run.temperature_c - 25.0) / 3600.0
    assert run.heat_wh == pytest.approx(run.cooling_wh + warmed, abs=1e-9)
    assert run.terminals_wh[0] == pytest.approx((run.voltage_v * run.current_a * duration).sum() / 3600.0)


def test_a_module_without_cooling_keeps_its_heat() -> None:
    run = simulate_pack(pack(FLAT), current_a=np.full(3600, 40.0))
    assert run.heat_wh[0, 0, 0] == pytest.approx(1e-3 * 40.0**2, rel=1e-9)
    assert run.temperature_c[0, 0, 0] - 25.0 == pytest.approx(1.6 * 3600.0 / 1000.0, rel=1e-6)


def test_a_cooled_module_settles_where_heat_and_cooling_are_equal() -> None:
    run = simulate_pack(pack(FLAT, capacity_ah=1e5, conductance_w_per_k=0.4), current_a=np.full(20000, 40.0))
    assert run.temperature_c[0, 0, 0] == pytest.approx(25.0 + 1.6 / 0.4, abs=0.01)


# --- layout ---


def test_equal_modules_are_one_module_scaled() -> None:
    current = drive()
    one = simulate_pack(pack(conductance_w_per_k=0.5), current_a=current)
    many = simulate_pack(pack(series=6, strings=4, conductance_w_per_k=0.5), current_a=4.0 * current)
    assert many.voltage_v[0] == pytest.approx(6.0 * one.voltage_v[0], rel=1e-12)
    assert many.soc.ravel() == pytest.approx(one.soc[0, 0, 0], rel=1e-12)
    assert many.temperature_c.ravel() == pytest.approx(one.temperature_c[0, 0, 0], rel=1e-12)
    assert many.cells_wh[0] == pytest.approx(24.0 * one.cells_wh[0], rel=1e-9)
    assert many.soc_spread[0] == pytest.approx(0.0, abs=1e-12)


def test_the_compiled_pack_is_the_physics_of_circuit_in_numpy() -> None:
    current, duration, capacity = drive(200), 2.0, np.array([50.0, 35.0]) * 3600.0
    run = simulate_pack(
        pack(series=2, capacity_ah=[50.0, 35.0], conductance_w_per_k=0.3),
        current_a=current,
        duration_s=duration,
        initial_soc=0.6,
    )
    step, lanes = np.full(2, duration), np.arange(2)
    table = np.repeat(SLOPED.open_circuit_voltage_v[None], 2, axis=0)
    fast, slow = (fading(step, np.full(2, time)) for time in SLOPED.pair_time_s)
    ohms = [np.full(2, value) for value in (1e-3, 0.5e-3, 0.4e-3)]
    now = Memory(np.full(2, 0.6), np.zeros(2), np.zeros(2), np.full(2, 298.15))
    warming = kelvin_per_watt(step, np.full(2, 1000.0), np.full(2, 0.3))
    for number, ampere in enumerate(current):
        part = Elements(table_value(table, now.soc, lanes), np.full(2, 1.2), *ohms)
        string = source_voltage(part, now, fast, slow) - source_resistance(part, step / capacity, fast, slow) * ampere
        assert run.voltage_v[0, number] == pytest.approx(string.sum(), rel=1e-12)
        out = 0.3 * (now.temperature - 298.15)
        now = Memory(
            now.soc - ampere * step / capacity,
            approached(now.pair_current, np.full(2, ampere), fast.left),
            approached(now.slow_current, np.full(2, ampere), slow.left),
            now.temperature + (heat_of(part, now, np.full(2, ampere), fast, slow) - out) * warming,
        )
    assert run.soc[0, 0] == pytest.approx(now.soc, rel=1e-12)
    assert run.temperature_c[0, 0] == pytest.approx(now.temperature - 273.15, rel=1e-10)


def test_cells_scaled_to_a_module_are_the_cells_one_by_one() -> None:
    current = drive()
    cells = simulate_pack(pack(series=12), current_a=current)
    module = simulate_pack(
        pack(SLOPED.scaled(12.0), voltage_min_v=30.0, voltage_max_v=53.0, heat_capacity_j_per_k=12e3), current_a=current
    )
    assert module.voltage_v == pytest.approx(cells.voltage_v, rel=1e-12)
    assert module.temperature_c[0, 0, 0] == pytest.approx(cells.temperature_c[0, 0, 0], rel=1e-9)


def test_two_strings_share_as_their_resistances_say() -> None:
    # One source voltage and no capacity to speak of: I_1 : I_2 = R_2 : R_1.
    run = simulate_pack(
        pack(FLAT, series=2, strings=2, capacity_ah=1e6, resistance_factor=[[1.0, 1.0], [3.0, 3.0]]),
        current_a=[80.0, -40.0],
    )
    assert run.history is not None
    assert run.history.string_current_a[0] == pytest.approx(np.array([[60.0, -30.0], [20.0, -10.0]]), rel=1e-6)
    assert run.voltage_v[0] == pytest.approx([2 * (3.7 - 60e-3), 2 * (3.7 + 30e-3)], rel=1e-6)


def test_strings_at_rest_balance_through_each_other() -> None:
    # Linear U_oc = 3.0 + 1.2 z: the difference decays with τ = Q R / U_oc', R_0 alone, both ways at once.
    circuit = simple_circuit(open_circuit_voltage_v=[3.0, 4.2], resistance_ohm=2e-3)
    run = simulate_pack(pack(circuit, strings=2), current_a=np.zeros(600), duration_s=1.0, initial_soc=[[0.6], [0.5]])
    expected = 0.1 * np.exp(-600.0 * 1.2 / (50.0 * 3600.0 * 2e-3))
    assert run.soc_spread[0] == pytest.approx(expected, rel=1e-4)
    assert run.soc.mean() == pytest.approx(0.55, rel=1e-12)
    assert run.current_a == pytest.approx(np.zeros((1, 600)), abs=1e-9)


def test_long_steps_do_not_make_strings_swing() -> None:
    fine = simulate_pack(
        pack(strings=2, resistance_factor=[[0.5], [2.0]]), current_a=np.full(6000, 30.0), duration_s=0.1
    )
    coarse = simulate_pack(
        pack(strings=2, resistance_factor=[[0.5], [2.0]]), current_a=np.full(4, 30.0), duration_s=150.0
    )
    assert coarse.soc == pytest.approx(fine.soc, abs=2e-3)


# --- input and limits ---


def test_power_is_what_is_asked_for() -> None:
    power = np.array([10.0, 25.0, -15.0, 0.0])
    run = simulate_pack(pack(series=24, strings=2), power_kw=power)
    assert run.voltage_v[0] * run.current_a[0] == pytest.approx(1e3 * power, abs=1e-6)


def test_a_power_that_the_pack_cannot_give_opens_the_contactors() -> None:
    run = simulate_pack(pack(FLAT), power_kw=[1.0, 4.0, 1.0])  # 3.7²/4e-3 W = 3.42 kW
    assert run.limiter() == ["power"]
    assert run.limited_s[0] == 2.0
    assert run.current_a[0, 1:] == pytest.approx([0.0, 0.0])


def test_the_weak_module_limits_and_is_named() -> None:
    capacity = np.full((2, 5), 50.0)
    capacity[1, 3] = 30.0
    run = simulate_pack(
        pack(series=5, strings=2, capacity_ah=capacity, voltage_min_v=3.2), current_a=np.full(7200, 100.0)
    )
    assert run.limiter() == ["voltage_min"]
    assert run.limited_module[0].tolist() == [1, 3]
    assert run.soc[0, 1, 3] == run.soc.min()
    after = run.time_s > run.limited_s[0]
    assert run.current_a[0, ~after] == pytest.approx(100.0)
    assert run.current_a[0, after] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("current", "limits", "name"),
    [
        (60.0, {"discharge_current_a": 50.0}, "discharge_current"),
        (-60.0, {"charge_current_a": 50.0}, "charge_current"),
        (-60.0, {"voltage_max_v": 3.9}, "voltage_max"),
        (60.0, {"temperature_max_c": 25.1}, "temperature_max"),
        (10.0, {}, "none"),
    ],
)
def test_each_limit_binds_in_its_turn(current: float, limits: dict[str, float], name: str) -> None:
    run = simulate_pack(pack(**limits), current_a=np.full(600, current), initial_soc=0.7)
    assert run.limiter() == [name]
    assert (run.limited_s[0] < np.inf) == (name != "none")


def test_packs_of_a_batch_do_not_know_of_each_other() -> None:
    capacity = np.array([[[50.0]], [[40.0]]])
    both = simulate_pack(pack(packs=2, capacity_ah=capacity), current_a=np.array([[10.0] * 50, [-5.0] * 50]))
    for number, current in enumerate((10.0, -5.0)):
        alone = simulate_pack(pack(capacity_ah=capacity[number]), current_a=np.full(50, current))
        assert both.voltage_v[number] == pytest.approx(alone.voltage_v[0], rel=1e-14)


def test_without_history_the_results_are_the_same() -> None:
    kept, bare = (simulate_pack(pack(series=3), current_a=drive(), history=keep) for keep in (True, False))
    assert bare.history is None
    assert np.array_equal(kept.soc, bare.soc)
    assert np.array_equal(kept.voltage_v, bare.voltage_v)


def test_the_result_settles_as_the_step_shrinks() -> None:
    coarse, middle, fine = (
        simulate_pack(pack(activation_k=3000.0), current_a=np.full(int(1800 / step), 90.0), duration_s=step)
        for step in (10.0, 5.0, 0.1)
    )
    errors = [abs(run.temperature_c[0, 0, 0] - fine.temperature_c[0, 0, 0]) for run in (coarse, middle)]
    assert errors[1] < 0.6 * errors[0] < 0.03


# --- the specification ---


def test_a_battery_module_makes_a_pack_in_its_layout(alliance: Workspace) -> None:
    module = next(m for m in alliance.battery_modules.values() if m.curves.resistance and m.capacity_ah and m.mass_kg)
    layout = Layout(places=12, series=6, strings=2)
    parameters = module_pack(module, layout)
    assert parameters.modules.shape[2:] == (2, 6)
    run = simulate_pack(parameters, current_a=[1.0], initial_soc=0.5)
    at_rest = module.open_circuit_voltage_v(0.5)
    ohm = module.resistance_ohm(25.0)
    assert at_rest is not None
    assert ohm is not None
    assert run.voltage_v[0, 0] == pytest.approx(6 * (at_rest - 0.5 * ohm), rel=1e-3)
    cold = simulate_pack(parameters, current_a=[1.0], initial_soc=0.5, initial_c=-10.0)
    ratio = (6 * at_rest - cold.voltage_v[0, 0]) / (6 * at_rest - run.voltage_v[0, 0])
    assert ratio == pytest.approx((module.resistance_ohm(-10.0) or 0.0) / ohm, rel=0.2)


def test_a_module_that_says_too_little_makes_no_pack(alliance: Workspace) -> None:
    module = next(m for m in alliance.battery_modules.values() if m.curves.resistance and m.capacity_ah and m.mass_kg)
    bare = module.model_copy(update={"capacity_ah": None, "mass_kg": None})
    with pytest.raises(InputError) as caught:
        module_pack(bare, Layout(places=1, series=1, strings=1))
    assert [str(problem.location.key).split()[-1] for problem in caught.value.problems] == ["capacity_ah", "mass_kg"]


# --- bad input ---


def test_bad_parameters_are_named_all_at_once() -> None:
    with pytest.raises(InputError) as caught:
        pack(strings=0, capacity_ah=-1.0, resistance_factor=np.nan)
    assert {p.location.key for p in caught.value.problems} == {"strings", "capacity_ah", "resistance_factor"}


def test_bad_runs_are_named_all_at_once() -> None:
    with pytest.raises(InputError) as caught:
        simulate_pack(pack(), current_a=[1.0, np.nan], duration_s=[1.0, 1.0, 1.0], initial_soc=1.2)
    assert {p.location.key for p in caught.value.problems} == {"current_a", "duration_s", "initial_soc"}


@pytest.mark.parametrize("given", [{}, {"current_a": [1.0], "power_kw": [1.0]}])
def test_current_or_power_and_not_both(given: dict[str, list[float]]) -> None:
    with pytest.raises(InputError, match="exactly one"):
        simulate_pack(pack(), **given)  # type: ignore[arg-type]


def test_modules_that_do_not_match_the_layout_are_refused() -> None:
    with pytest.raises(InputError):
        pack(series=3, strings=2, capacity_ah=[50.0, 50.0])
    with pytest.raises(InputError):
        pack(FLAT._replace(resistance_ohm=np.ones(3)))
