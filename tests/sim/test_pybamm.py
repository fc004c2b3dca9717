"""PyBaMM as a witness: the circuit's equations, the open-circuit voltage of a BPX cell, and an identified circuit.

PyBaMM: V. Sulzer et al., J. Open Research Software 9 (2021) 14, doi 10.5334/jors.309.
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from tests.sim.vehicles import leaf

from kyotsu.sim import simulate
from kyotsu.sim.circuit import Circuit, identify_circuit, simple_circuit
from kyotsu.sim.pack import pack_parameters
from kyotsu.sim.pack_simulation import PackResults, simulate_pack
from kyotsu.spec.cell import Cell, load_cell

os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"
pybamm = pytest.importorskip("pybamm")

pytestmark = pytest.mark.slow  # the import alone takes seconds
FARADAY = 96485.33212  # C/mol
RAMP = 1e-4  # s, of PyBaMM's current from one value to the next
CELLS = ("lg_m50", "kyotsu_nmc_57ah")


class Profile(NamedTuple):
    """A current that stays for each step, discharging positive."""

    time: Any  # s, of each row
    current: Any  # A, from each row to the next; the last is of no effect

    def for_pybamm(self) -> Any:
        """The same as a function of time."""
        edges = self.edges()
        row = np.clip(np.searchsorted(self.time, edges, side="right") - 1, 0, len(self.current) - 1)
        return pybamm.Interpolant(edges, self.current[row], pybamm.t)

    def edges(self) -> Any:
        """The rows, and the moments just before them."""
        return np.sort(np.append(self.time, self.time[1:] - RAMP))

    def jumps(self) -> Any:
        """When the current changes, for the solver to start afresh."""
        return np.append(self.time[np.flatnonzero(np.diff(self.current, prepend=np.nan))], self.time[-1])


def drive_profile(seconds: int, peak: float) -> Profile:
    """The battery current of a car on the UDDS, scaled to a peak."""
    history = simulate(leaf(), "udds", history=True).history["udds"]
    power = history.cells_w[0, : seconds + 1]
    return Profile(np.arange(seconds + 1.0), power / np.abs(power).max() * peak)


def pulses(capacity: float) -> Profile:
    """Discharge to near empty in ten steps, each with pulses both ways of 10 s, 60 s and a rest."""
    pattern = [(0.0, 60), (1.0, 10), (0.0, 40), (-0.5, 10), (0.0, 40), (1.0, 60), (0.0, 120), (0.5, 450), (0.0, 600)]
    rates = np.concatenate([np.full(length, rate) for _ in range(10) for rate, length in pattern])
    return Profile(np.arange(len(rates) + 1.0), np.append(rates, 0.0) * capacity)


def solve(model: Any, parameters: Any, profile: Profile) -> Any:
    parameters["Current function [A]"] = profile.for_pybamm()
    solver = pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-9)
    solution = pybamm.Simulation(model, parameter_values=parameters, solver=solver).solve(
        t_eval=profile.jumps(), t_interp=profile.edges()
    )
    assert solution["Time [s]"].entries[-1] == profile.time[-1], "the cell reached a cut-off: a gentler current"
    return solution


def run_circuit(circuit: Circuit, profile: Profile, capacity: float, soc: float, **changes: Any) -> PackResults:
    heat = {"heat_capacity_j_per_k": 1e3, **changes}
    limits = {"voltage_min_v": 0.0, "voltage_max_v": 10.0}
    pack = pack_parameters(circuit, series=1, strings=1, capacity_ah=capacity, **limits, **heat)
    return simulate_pack(pack, current_a=profile.current[:-1], duration_s=np.diff(profile.time), initial_soc=soc)


# --- the equations ---


@pytest.mark.parametrize("pairs", [1, 2])
def test_the_circuit_is_pybammss_thevenin(pairs: int) -> None:
    table = np.array([3.0, 3.4, 3.55, 3.62, 3.66, 3.73, 3.83, 3.93, 4.03, 4.1, 4.18])
    resistances, times = [0.8e-3, 1.2e-3][:pairs], [12.0, 240.0][:pairs]
    profile = drive_profile(600, peak=180.0)
    model = pybamm.equivalent_circuit.Thevenin(options={"number of rc elements": pairs})
    parameters = model.default_parameter_values
    grid = np.linspace(0.0, 1.0, len(table))
    values: dict[str, Any] = {
        "Initial SoC": 0.8,
        "Cell capacity [A.h]": 60.0,
        "Nominal cell capacity [A.h]": 60.0,
        "Open-circuit voltage [V]": lambda soc: pybamm.Interpolant(grid, table, soc),
        "R0 [Ohm]": 1.5e-3,
        "Entropic change [V/K]": 0.0,
        "Cell thermal mass [J/K]": 900.0,
        "Cell-jig heat transfer coefficient [W/K]": 0.7,
        "Jig thermal mass [J/K]": 1e12,  # so that the jig is our coolant
        "Initial temperature [K]": 298.15,
        "Ambient temperature [K]": 298.15,
        "Upper voltage cut-off [V]": 5.0,
        "Lower voltage cut-off [V]": 1.0,
    }
    for number, (resistance, time) in enumerate(zip(resistances, times, strict=True), 1):
        values[f"R{number} [Ohm]"], values[f"C{number} [F]"] = resistance, time / resistance
        values[f"Element-{number} initial overpotential [V]"] = 0.0
    parameters.update(values, check_already_exists=False)
    theirs = solve(model, parameters, profile)
    circuit = simple_circuit(
        open_circuit_voltage_v=np.interp(np.linspace(0.0, 1.0, 101), grid, table),
        resistance_ohm=1.5e-3,
        pair_resistance_ohm=resistances,
        pair_time_s=times,
    )
    ours = run_circuit(
        circuit, profile, 60.0, 0.8, heat_capacity_j_per_k=900.0, conductance_w_per_k=0.7, coolant_c=25.0
    )
    trace = ours.history
    assert trace is not None
    just_before = profile.time[1:] - RAMP
    assert np.abs(trace.module_soc[0, 0, 0] - theirs["SoC"](profile.time[1:])).max() < 1e-6
    assert np.abs(trace.module_voltage_v[0, 0, 0] - theirs["Voltage [V]"](just_before)).max() < 2e-5
    assert np.abs(trace.module_c[0, 0, 0] - theirs["Cell temperature [degC]"](profile.time[1:])).max() < 1e-3
    assert np.ptp(trace.module_c[0, 0, 0]) > 0.2, "the cell warms, so that its temperature says something"


# --- the cell ---


class Electrochemistry(NamedTuple):
    """A BPX cell in PyBaMM."""

    cell: Cell
    parameters: Any
    capacity: float  # A h, between the stoichiometry limits

    def at(self, soc: float) -> Any:
        """Its parameters at a state of charge between the stoichiometry limits of the file."""
        ours = self.cell.parameters.parameterisation
        negative, positive = ours.negative_electrode, ours.positive_electrode
        x = negative.minimum_stoichiometry + soc * (negative.maximum_stoichiometry - negative.minimum_stoichiometry)
        y = positive.maximum_stoichiometry - soc * (positive.maximum_stoichiometry - positive.minimum_stoichiometry)
        there = self.parameters.copy()
        there["Initial concentration in negative electrode [mol.m-3]"] = x * negative.maximum_concentration
        there["Initial concentration in positive electrode [mol.m-3]"] = y * positive.maximum_concentration
        return there


def electrochemistry(root: Path, name: str) -> Electrochemistry:
    path = root / "examples" / "alliance" / "parts" / "cells" / f"{name}.json"
    cell, problems = load_cell(path, path.name)
    assert cell is not None, problems
    content = json.loads(path.read_text("utf-8"))
    for electrode in ("Negative electrode", "Positive electrode"):  # PyBaMM asks for what BPX leaves open
        content["Parameterisation"][electrode]["Entropic change coefficient [V.K-1]"] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of cut-off voltages that stand for those at 0 and 100 %
        parameters = pybamm.ParameterValues.create_from_bpx_obj(content)
    whole = cell.parameters.parameterisation
    electrode = whole.negative_electrode
    solid = electrode.surface_area_per_unit_volume * electrode.particle_radius / 3.0
    area = whole.cell.electrode_area * whole.cell.number_of_electrodes
    moles = solid * electrode.thickness * area * electrode.maximum_concentration
    span = electrode.maximum_stoichiometry - electrode.minimum_stoichiometry
    return Electrochemistry(cell, parameters, FARADAY * moles * span / 3600.0)


@pytest.mark.parametrize("name", CELLS)
def test_the_open_circuit_voltage_of_a_cell_is_pybamms(root: Path, name: str) -> None:
    theirs = electrochemistry(root, name)
    cell, functions = theirs.cell, theirs.parameters
    for soc in np.linspace(0.0, 1.0, 21):
        there = theirs.at(float(soc))
        x, y = (
            there[f"Initial concentration in {side} electrode [mol.m-3]"]
            / there[f"Maximum concentration in {side} electrode [mol.m-3]"]
            for side in ("negative", "positive")
        )
        expected = functions["Positive electrode OCP [V]"](pybamm.Scalar(y)).evaluate()
        expected -= functions["Negative electrode OCP [V]"](pybamm.Scalar(x)).evaluate()
        assert cell.open_circuit_voltage_v(float(soc)) == pytest.approx(expected, abs=1e-9)


def test_a_cell_without_electrodes_has_no_open_circuit_voltage(root: Path) -> None:
    path = root / "examples" / "alliance" / "parts" / "cells" / "kyotsu_lfp_45ah.json"
    cell, _ = load_cell(path, path.name)
    assert cell is not None
    assert cell.open_circuit_voltage_v(0.5) is None


# --- a circuit found from pulses ---


def test_a_circuit_from_pulses_repeats_another_drive(root: Path) -> None:
    chemistry = electrochemistry(root, "lg_m50")
    capacity, cell = chemistry.capacity, chemistry.cell
    known = np.array([cell.open_circuit_voltage_v(float(soc)) or 0.0 for soc in np.linspace(0.0, 1.0, 101)])
    test = pulses(capacity)
    measured = solve(pybamm.lithium_ion.SPMe(), chemistry.at(0.9), test)["Voltage [V]"](test.time)
    found = identify_circuit(
        test.time, test.current, measured, capacity_ah=capacity, initial_soc=0.9, open_circuit_voltage_v=known
    )
    assert found.rms_mv < 4.0
    assert np.all(np.diff(found.circuit.pair_time_s) > 0.0)
    # What a linear circuit cannot know: at 1.5C the reaction takes less than 1.5 times the overvoltage of 1C.
    drive = drive_profile(1200, peak=1.5 * capacity)
    for soc in (0.8, 0.4):
        theirs = solve(pybamm.lithium_ion.SPMe(), chemistry.at(soc), drive)["Voltage [V]"](drive.time[1:] - RAMP)
        ours = run_circuit(found.circuit, drive, capacity, soc).history
        assert ours is not None
        error_mv = 1e3 * (ours.module_voltage_v[0, 0, 0] - theirs)
        assert np.sqrt(np.mean(error_mv**2)) < 6.0
