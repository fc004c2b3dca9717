"""The command line: parse, call one public function of a room, print. No domain rule lives here.

Exit codes: 0 all is well, 1 there are findings, 2 the input is bad.
"""

from kyotsu.cli.app import main

__all__ = ["main"]
