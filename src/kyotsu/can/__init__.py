"""Frames become typed signals at memory speed, the same answer live and from files; nothing is dropped in silence.

    log file -> frames -> codec -> one Arrow table for each message -> mapping -> one table of VSS signals
    live bus -> frames ----^ the same kernels                                      ^ the same rules

`load_matrix` says what the bits of a message mean, `open_log` streams frames, `Codec` decodes them, `load_bus` adds a
maker's mapping, and `decode_logs` does all of it into a folder. See `docs/can.md`.

    matrix     DBC of our own, KCD, SYM, ARXML by cantools; checks, a writer
    codec      layout, kernels, decoded, encoder, checksums, live
    logs       candump, ASC, BLF, MF4, TRC, GVRET; transport: ISO-TP, J1939, NMEA 2000
    mapping    rules from signals to VSS and back, by columns and live; KUKSA's overlays
    recording  tables on disk, with the account of every frame
"""

from kyotsu.can.codec import Codec
from kyotsu.can.encoder import Encoder, encode
from kyotsu.can.frames import Flag, Frames
from kyotsu.can.live import Live
from kyotsu.can.log_decoding import Decoding, decode_logs
from kyotsu.can.logs import open_log
from kyotsu.can.maker_bus import load_bus
from kyotsu.can.mapper import Mapper
from kyotsu.can.matrix_files import load_matrix

__all__ = [
    "Codec",
    "Decoding",
    "Encoder",
    "Flag",
    "Frames",
    "Live",
    "Mapper",
    "decode_logs",
    "encode",
    "load_bus",
    "load_matrix",
    "open_log",
]
