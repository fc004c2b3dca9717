from __future__ import annotations

from pathlib import Path

import pytest

from kyotsu.spec import Workspace, load_workspace
from kyotsu.study import Study, run_study


@pytest.fixture(scope="session")
def alliance(root: Path) -> Workspace:
    """The worked example."""
    return load_workspace(root / "examples" / "alliance")


@pytest.fixture(scope="session")
def study(alliance: Workspace) -> Study:
    """The worked example, studied once."""
    return run_study(alliance)
