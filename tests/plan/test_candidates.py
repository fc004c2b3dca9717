"""Scaled parts: the part itself at scale one, and the rules of similar designs elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from kyotsu.errors import InputError
from kyotsu.plan.candidates import Candidates, candidates
from kyotsu.plan.settings import load_settings
from kyotsu.spec.workspace import Workspace
from spec.workspaces import Folder


@pytest.fixture(scope="module")
def found(alliance: Workspace) -> Candidates:
    return candidates(alliance, load_settings(alliance))


def test_there_are_some_hundred_of_each(found: Candidates) -> None:
    assert 250 < len(found.battery_modules) < 600
    assert 80 < len(found.eaxles) < 300
    assert found.scaled < {*found.battery_modules, *found.eaxles}


def test_nobody_makes_an_ended_part_common(found: Candidates, alliance: Workspace) -> None:
    assert alliance.battery_modules["leaf_gen1_2s2p"].life_cycle == "service_only"
    assert "leaf_gen1_2s2p" not in found.battery_modules


def test_a_module_at_scale_one_is_the_part(found: Candidates) -> None:
    part, same = found.battery_modules["kyotsu_bm_nmc_8s1p"], found.battery_modules["nmc_57ah_8s1p_155x108"]
    for path in ("capacity_ah", "nominal_voltage_v", "energy_kwh", "mass_kg", "chemistry"):
        assert getattr(same, path) == pytest.approx(getattr(part, path)), path
    assert same.envelope.length_mm == pytest.approx(part.envelope.length_mm)
    assert same.resistance_ohm(25.0) == pytest.approx(part.resistance_ohm(25.0))
    assert same.electrical.discharge_peak_current_a == pytest.approx(part.electrical.discharge_peak_current_a)
    assert same.limits == part.limits


def test_wiring_alone_moves_neither_energy_nor_size(found: Candidates) -> None:
    one, other = found.battery_modules["nmc_57ah_8s1p_155x108"], found.battery_modules["nmc_57ah_4s2p_155x108"]
    assert one.energy_kwh == pytest.approx(other.energy_kwh)
    assert one.envelope.length_mm == other.envelope.length_mm
    assert one.mass_kg == other.mass_kg
    assert one.resistance_ohm(25.0) == pytest.approx(4.0 * (other.resistance_ohm(25.0) or 0.0))
    wired = found.battery_modules["kyotsu_bm_nmc_4s2p"]
    assert other.resistance_ohm(25.0) == pytest.approx(wired.resistance_ohm(25.0))
    assert other.electrical.discharge_peak_current_a == pytest.approx(wired.electrical.discharge_peak_current_a)


def test_every_scaled_module_keeps_the_cells_loss_at_one_c_rate(found: Candidates) -> None:
    """R Q / U is that of the part, but for the ratio of its class."""
    part = found.battery_modules["kyotsu_bm_nmc_8s1p"]

    def loss(module: object) -> float:
        return module.resistance_ohm(25.0) * module.capacity_ah / module.nominal_voltage_v  # type: ignore[attr-defined, no-any-return]

    for name, module in found.battery_modules.items():
        if name in found.scaled and name.startswith("nmc"):
            ratio = 0.5 if name.startswith("nmc_power") else 1.0
            assert loss(module) == pytest.approx(ratio * loss(part)), name


def test_volume_follows_energy(found: Candidates) -> None:
    for name, module in found.battery_modules.items():
        if name in found.scaled:
            box = module.envelope
            litres = (box.length_mm - 16.0) * box.width_mm * box.height_mm / 1e6  # type: ignore[operator]
            density = module.energy_kwh / litres  # type: ignore[operator]
            expected = {"nmc_power": 0.75 * 0.4438, "nmc": 0.4438, "lfp": 0.3072}
            kind = max((key for key in expected if name.startswith(key)), key=len)
            assert density == pytest.approx(expected[kind], rel=2e-3), name


def test_an_eaxle_at_scale_one_is_the_part(found: Candidates) -> None:
    part, same = found.eaxles["kyotsu_ea_large"], found.eaxles["large_l100_n100_i100"]
    full, own = (max(unit.ratings, key=lambda rating: rating.peak_power_kw) for unit in (part, same))
    assert (own.peak_power_kw, own.peak_torque_nm) == (full.peak_power_kw, full.peak_torque_nm)
    assert own.continuous_power_kw == full.continuous_power_kw
    assert same.mass_kg == pytest.approx(part.mass_kg, rel=0.01)
    assert same.loss_model == part.loss_model
    assert same.inverter.voltage_max_v == part.inverter.voltage_max_v
    assert same.envelope.length_mm == pytest.approx(part.envelope.length_mm)


def test_more_current_is_more_power_and_a_longer_stack_more_torque(found: Candidates) -> None:
    units = found.eaxles

    def most(name: str) -> tuple[float, float]:
        full = max(units[name].ratings, key=lambda rating: rating.peak_power_kw)
        return full.peak_power_kw, full.peak_torque_nm

    short, long, strong = (most(name) for name in ("large_l80_n100_i80", "large_l100_n100_i80", "large_l80_n100_i100"))
    assert short[0] == long[0] < strong[0]
    assert short[1] < long[1]
    assert short[1] < strong[1]
    model, longer = units["large_l80_n100_i80"].loss_model, units["large_l100_n100_i80"].loss_model
    assert model is not None
    assert longer is not None
    assert model.t2 > longer.t2  # more copper for the same torque
    assert model.w1 < longer.w1  # less iron to turn


def test_ratings_keep_their_order(found: Candidates) -> None:
    for name in found.scaled & found.eaxles.keys():
        ratings = found.eaxles[name].ratings
        assert len({rating.id for rating in ratings}) == len(ratings)
        powers = [rating.peak_power_kw for rating in ratings]
        assert powers == sorted(powers)
        assert all((rating.continuous_power_kw or 0.0) <= rating.peak_power_kw for rating in ratings)


def test_every_scaled_value_is_assumed(found: Candidates) -> None:
    for name in found.scaled:
        record = found.battery_modules.get(name) or found.eaxles[name]
        assert record.sources["*"].status == "assumed"
        assert len(found.suppliers(name)) >= 1


CELLS = (
    'format = 1\n[[cell_class]]\nid = "{id}"\npart = "{part}"\ncapacity_ah = [56.0]\ncells_series = [8]\n'
    "cells_parallel = [2]\nsections_mm = [[200.0, 150.0]]\n"
)


def test_a_part_that_lacks_what_is_scaled_is_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "two_makers")
    motors = '[[eaxle_class]]\nid = "a"\npart = "drive_100"\nstack_ratio = [1.0]\nturns_ratio = [1.0]\n'
    folder.write("choice.toml", f"format = 1\n{motors}current_ratio = [1.0]\naxle_torque_max_nm = 9000.0\n")
    loaded = folder.load()
    with pytest.raises(InputError, match=r"motor\.mass_kg"):
        candidates(loaded, load_settings(loaded))


def test_two_parts_of_one_id_are_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "two_makers")
    folder.write("choice.toml", CELLS.format(id="a", part="block_8s"))
    loaded = folder.load()
    name = next(iter(candidates(loaded, load_settings(loaded)).scaled))
    text = folder.text("parts/battery_modules.toml")
    folder.append("parts/battery_modules.toml", f'\n[[battery_module]]\nid = "{name}"\nextends = "block_8s"\n')
    assert name not in text
    loaded = folder.load()
    with pytest.raises(InputError, match="which another part has"):
        candidates(loaded, load_settings(loaded))
