from __future__ import annotations

from pathlib import Path

import pytest

# what a powertrain engineer must read in the answer
ORACLES = [
    ("nissan/leaf_ze1_40", "leaf_aze0_30", 0, ["pass", "34 checks: 34 pass"]),
    ("nissan/leaf_aze0", "leaf_ze1_40", 0, ["pass"]),
    ("nissan/leaf_aze0", "leaf_ze0_24", 1, ["conditional", "connector", "CAN bridge", "Message set"]),
    ("nissan/leaf_ze1_40", "leaf_ze1_62", 1, ["conditional", "410 kg", "height", "Suspension", "Body work"]),
    ("mitsubishi/imiev", "imiev_m_10", 1, ["fail", "117 cells in series", "below the vehicle's", "E1"]),
    ("ford/mache", "mache_nmc_94s", 0, ["pass"]),
    ("ford/mache", "mache_lfp_108s", 0, ["pass"]),
    ("example/car_400v", "small_car_72s", 1, ["fail", "E1", "72 cells in series", "below the vehicle's"]),
    ("example/car_400v", "800v_192s", 1, ["fail", "E1", "806.4 V", "192 cells in series"]),
]


@pytest.mark.parametrize(("vehicle", "part", "code", "words"), ORACLES)
def test_known_cases_are_explained(
    kyotsu, interchange: Path, vehicle: str, part: str, code: int, words: list[str]
) -> None:
    run = kyotsu("fit", interchange, "--vehicle", vehicle, "--part", part)
    assert run.code == code
    for word in words:
        assert word in run.out


def test_mechanically_yes_electrically_no(kyotsu, interchange: Path) -> None:
    run = kyotsu("fit", interchange, "-v", "mitsubishi/imiev", "-p", "imiev_m_10", "--json")
    verdicts = {finding["check"]: finding["verdict"] for finding in run.json[0]["findings"]}
    assert {verdicts[f"M{number}"] for number in range(1, 7)} == {"pass"}
    assert verdicts["E1"] == "fail"


def test_the_matrix_names_every_vehicle_and_part(kyotsu, alliance: Path) -> None:
    matrix, data = kyotsu("fit", alliance), kyotsu("fit", alliance, "--json")
    assert matrix.code == data.code == 1
    for fit in data.json:
        assert fit["vehicle"] in matrix.out
        assert fit["part"] in matrix.out
    assert max(map(len, matrix.out.splitlines())) <= 110


def test_passes_are_told_on_request(kyotsu, interchange: Path) -> None:
    pair = ("fit", interchange, "-v", "nissan/leaf_ze1_40", "-p", "leaf_aze0_30")
    assert "M1 Envelope" not in kyotsu(*pair).out
    assert "M1 Envelope" in kyotsu(*pair, "--all").out


@pytest.mark.parametrize("option", [["-v", "nobody/car"], ["-p", "nothing"]])
def test_an_unknown_name_lists_the_known_ones(kyotsu, interchange: Path, option: list[str]) -> None:
    run = kyotsu("fit", interchange, *option)
    assert run.code == 2
    assert "leaf" in run.err
