"""Frames become typed signals at memory speed, the same answer live and from files; nothing is dropped in silence.

    log file -> frames -> codec -> one Arrow table for each message -> mapping -> one table of VSS signals
    live bus -> frames ----^ the same kernels                                      ^ the same rules

`matrix` says what the bits of a message mean; `frames` is the one form that frames have between rooms and files.
"""

from kyotsu.can.frames import Flag, Frames
from kyotsu.can.matrix import Matrix, Message, Signal

__all__ = ["Flag", "Frames", "Matrix", "Message", "Signal"]
