"""Random message matrices and payloads for hypothesis: every length, both byte orders, signs, floats, multiplexors."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from kyotsu.can.matrix import Matrix, Message, Signal

SCALES = (1.0, 0.1, 0.25, 2.0, -1.0, 0.0078125, 1e-3)
OFFSETS = (0.0, -40.0, 0.5, 100.0)
EXACT_BITS = 40  # of a scaled signal, so that its raw value can be told from double precision


@st.composite
def fields(draw: Any, bytes_long: int, taken: set[int]) -> Signal | None:
    """A signal on free bits; `None` where there is no room."""
    big_endian = draw(st.booleans())
    length = draw(st.sampled_from([1, 2, 3, 4, 7, 8, 9, 12, 16, 17, 24, 31, 32, 33, 40, 48, 57, 60, 63, 64]))
    start = draw(st.integers(0, 8 * bytes_long - 1))
    is_float = length in (16, 32, 64) and draw(st.booleans())
    scaled = not is_float and length <= EXACT_BITS
    signal = Signal(
        "s",
        start,
        length,
        big_endian=big_endian,
        signed=length > 1 and draw(st.booleans()),
        is_float=is_float,
        scale=draw(st.sampled_from(SCALES)) if scaled else 1.0,
        offset=draw(st.sampled_from(OFFSETS)) if scaled else 0.0,
    )
    bits = set(signal.bits)
    if max(bits) >= 8 * bytes_long or bits & taken:
        return None
    taken |= bits
    return signal


@st.composite
def messages(draw: Any, number: int = 0, *, longest: int = 64, overlapping: bool = False) -> Message:
    """A message, at times with a multiplexor and branches that lie on the same bits."""
    length = draw(st.sampled_from([size for size in (1, 2, 5, 8, 12, 20, 64) if size <= longest]))
    taken: set[int] = set()
    signals: list[Signal] = []
    if length > 1 and draw(st.booleans()):
        signals.append(Signal("selector", 0, 4, is_multiplexor=True))
        taken |= {0, 1, 2, 3}
        for branch in range(draw(st.integers(1, 3))):
            own = set(taken)
            for signal in _drawn(draw, length, own, 3, overlapping):
                ranges = ((branch, branch), (branch + 8, branch + 9))
                signals.append(_named(signal, len(signals), multiplexor="selector", multiplex_values=ranges))
        taken |= {bit for signal in signals for bit in signal.bits}
    for signal in _drawn(draw, length, taken, 6, overlapping):
        signals.append(_named(signal, len(signals)))
    frame_id = draw(st.integers(0, 0x1FFF_FFFF)) & ~0xF | number
    is_extended = frame_id > 0x7FF
    return Message(f"message{number}", frame_id, length, tuple(signals), is_extended=is_extended, is_fd=length > 8)


def _drawn(draw: Any, length: int, taken: set[int], most: int, overlapping: bool) -> list[Signal]:
    found = (draw(fields(length, set() if overlapping else taken)) for _ in range(draw(st.integers(0, most))))
    return [signal for signal in found if signal is not None]


def _named(signal: Signal, number: int, **more: Any) -> Signal:
    changed = {name: getattr(signal, name) for name in Signal.__dataclass_fields__}
    return Signal(**{**changed, "name": f"s{number}", **more})


@st.composite
def matrices(draw: Any, *, longest: int = 64, overlapping: bool = False) -> Matrix:
    """One to three messages."""
    count = draw(st.integers(1, 3))
    found = tuple(draw(messages(number, longest=longest, overlapping=overlapping)) for number in range(count))
    return Matrix("random", found)
