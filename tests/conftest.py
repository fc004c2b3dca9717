"""What every test gets: one terminal, one search by hypothesis, and a browser for pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from kyotsu.spec import Workspace, load_workspace
from kyotsu.study import Study, run_study

# The terminal of whoever runs the tests must not change what a command prints.
for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "PY_COLORS", "TTY_COMPATIBLE"):
    os.environ.pop(name, None)
os.environ.update(COLUMNS="120", NO_COLOR="1", TERM="dumb")

# A busy machine is slow now and then, which is no failure. Where the tests guard a change (CI), the search
# is the same each time; elsewhere it goes on looking.
settings.register_profile("default", deadline=None)
settings.register_profile("repeatable", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("repeatable" if os.environ.get("CI") else "default")

BROWSER_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
)  # fmt: skip


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def alliance(root: Path) -> Workspace:
    """The worked example."""
    return load_workspace(root / "examples" / "alliance")


@pytest.fixture(scope="session")
def study(alliance: Workspace) -> Study:
    """The worked example, studied once."""
    return run_study(alliance)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A headless Chromium; without one the test is skipped, or fails where KYOTSU_NEEDS_BROWSER is set."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not (chromium and driver):
        missing = "chromium and chromedriver are not installed (Debian: chromium, chromium-driver)"
        (pytest.fail if os.environ.get("KYOTSU_NEEDS_BROWSER") else pytest.skip)(missing)
    options = ChromeOptions()
    options.binary_location = chromium
    for flag in (*BROWSER_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    chrome = Chrome(options=options, service=ChromeService(driver))
    yield chrome
    chrome.quit()
