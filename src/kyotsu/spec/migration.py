"""Formats of the files of a workspace, and the way from an older one to today's.

Every file starts with `format = N`. A step from N to N + 1 is a pure function on the raw document,
listed once in `STEPS`; a file of any older format is read as if it had been written today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kyotsu.errors import Problem
from kyotsu.spec.document import Document

FORMAT = 1
Step = Callable[[dict[str, Any]], dict[str, Any]]
STEPS: Mapping[int, Step] = {}  # format 1 is the first that was published


def migrate(
    document: Document, target: int = FORMAT, steps: Mapping[int, Step] = STEPS
) -> tuple[Document | None, list[Problem]]:
    """The document in the target format, or why it cannot be read. Line numbers stay those of the file."""
    found = document.content.get("format")
    oldest = min(steps, default=target)
    if not isinstance(found, int) or isinstance(found, bool) or not oldest <= found <= target:
        expected = f"format = {target}" if oldest == target else f"format = {oldest} to {target}"
        action = (
            "Update kyotsu: the file was written for a newer one."
            if isinstance(found, int) and not isinstance(found, bool) and found > target
            else f"Write format = {target} on the first line."
        )
        shown = "no key 'format'" if found is None else f"format = {found!r}"
        return None, [Problem(document.locate(("format",)), shown, expected, action)]
    content = document.content
    for version in range(found, target):
        content = steps[version](content)
    return replace(document, content={**content, "format": target}), []
