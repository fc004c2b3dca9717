"""The command line as people call it: the words, and what comes back."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kyotsu.cli import main
from spec.workspaces import Folder


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
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Run(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def alliance(root: Path) -> Path:
    return root / "examples" / "alliance"


@pytest.fixture(scope="session")
def interchange(root: Path) -> Path:
    return root / "examples" / "interchange"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A copy of the workspace of two makers, to be bent."""
    return Folder(tmp_path / "two_makers")
