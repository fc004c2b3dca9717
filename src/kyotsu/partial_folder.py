"""A place beside what is written: all of it is moved from there when it is whole, or nothing is."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

PARTIAL = ".partial-"


def new_partial_folder(folder: Path) -> Path:
    """A new folder inside `folder`, which is made where there is none; what killed processes left there is removed.

    Raises:
        OSError: there is no room or no permission.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob(f"{PARTIAL}*-*"):
        process = path.name.removeprefix(PARTIAL).partition("-")[0]
        if process.isdigit() and not _alive(int(process)):  # what a living one is writing stays
            shutil.rmtree(path, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{PARTIAL}{os.getpid()}-", dir=folder))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
