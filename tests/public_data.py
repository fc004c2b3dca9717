"""Public files too large, or not ours to pass on, that some tests measure against.

They lie in the folder that KYOTSU_DATA names, by default `shared/data` beside the repository. Without them those tests
are skipped and say so.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("KYOTSU_DATA") or Path(__file__).parents[2] / "shared" / "data")


def public_data(name: str) -> Path:
    """The file or folder of that name; skips the test where it is not there."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"no public data {name}: set KYOTSU_DATA")
    return path
