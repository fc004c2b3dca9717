"""The report: one HTML file that opens offline."""

from __future__ import annotations

from typing import Any


def report_html(record: dict[str, Any]) -> str:
    """The whole report as one HTML document."""
    return "<!doctype html><title>kyotsu study</title>"
