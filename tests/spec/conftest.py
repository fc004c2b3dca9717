"""What the tests of the specification share: a workspace to bend, and one that nobody touches."""

from __future__ import annotations

from pathlib import Path

import pytest

from kyotsu.spec.workspace import Workspace, load_workspace
from spec.workspaces import TWO_MAKERS, Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A copy of the workspace of two makers, to be bent."""
    return Folder(tmp_path / "two_makers")


@pytest.fixture(scope="session")
def two_makers() -> Workspace:
    """The workspace of two makers as it stands."""
    return load_workspace(TWO_MAKERS)
