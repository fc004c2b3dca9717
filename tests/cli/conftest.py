from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kyotsu.cli import main


@dataclass(frozen=True)
class Run:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def kyotsu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    """Runs the whole command line in this process, as a shell would."""

    def run(*arguments: str | Path) -> Run:
        monkeypatch.setattr(sys, "argv", ["kyotsu", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Run(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def alliance(root: Path) -> Path:
    return root / "examples" / "alliance"


@pytest.fixture(scope="session")
def interchange(root: Path) -> Path:
    return root / "examples" / "interchange"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A workspace with three things wrong with it, in three files."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "makers" / "one").mkdir(parents=True)
    (tmp_path / "alliance.toml").write_text('format = 1\nname = "x"\nyear = "soon"\n')
    (tmp_path / "parts" / "battery_modules.toml").write_text(
        'format = 1\n[[battery_module]]\nid = "m"\nname = "M"\nsupplier = "S"\n'
        "cells_series = 4\ncells_parallel = 1\nmass_g = 5.0\n"
    )
    (tmp_path / "parts" / "eaxles.toml").write_bytes(b"format = 1\n# \xff\n")
    (tmp_path / "makers" / "one" / "maker.toml").write_text('format = 1\nname = "One"\n')
    (tmp_path / "makers" / "one" / "vehicles.toml").write_text("format = 1\n")
    return tmp_path
