"""Numbers to frames: the inverse of the codec, for one message or a whole table.

    raw      physical values or labels to raw values, each checked against what its bits and stated limits hold
    branch   signals of the branches that the multiplexors choose; a value of another branch is a problem
    bits     raw values into payloads, byte by byte
    guard    counters and checksums, filled as the matrix declares them

All problems of a call are found, not only the first. What is not given is the signal's initial value, or else its raw
value for "not available", or else 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kyotsu.can.decoded import guarded_names
from kyotsu.can.frames import FD_BYTES, Flag, Frames, empty_frames
from kyotsu.can.guards import expected_checksum
from kyotsu.can.layout import FD_LENGTHS, has_source, is_real, raw_limits
from kyotsu.can.matrix import Matrix, Message, Signal
from kyotsu.errors import InputError, Location, Problem

CLASSIC_BYTES = 8
SHOWN = 3  # wrong values that a problem names
RawArray = npt.NDArray[np.uint64]
Given = Mapping[str, Any]


class Encoder:
    """Encodes messages of one matrix.

    Args:
        matrix: what the bits mean.
        strict: whether a value outside a signal's stated minimum and maximum is a problem; one that its bits cannot
            hold always is.
    """

    def __init__(self, matrix: Matrix, *, strict: bool = False) -> None:
        self.matrix = matrix
        self.strict = strict

    def encode(self, name: str, table: pa.RecordBatch | pa.Table | Given, *, first_counter: int = 0) -> Frames:
        """The frames of a table of one message, as `Codec.decode` gives it.

        Args:
            name: of the message.
            table: columns by signal: physical values or labels. `<signal>.raw` goes before the signal's own column, and
                `<signal>.label` counts where there is no number. `time` [ns], `bus` and, for J1939, `source` where they
                are there. Null is what is not given.
            first_counter: of the first frame, where the matrix declares a counter that the table does not give.

        Raises:
            InputError: every column that cannot be encoded, with its first rows.
        """
        message = self.matrix.by_name.get(name)
        if message is None:
            place = Location(self.matrix.file, key=name)
            raise InputError([Problem(place, "no such message", "a message of the matrix", "Check its name.")])
        columns, count = _columns(table)
        problems = _unknown_columns(message, columns, self.matrix.file)
        raws = {}
        for signal in message.signals:
            raws[signal.name], found = raw_values(message, signal, columns, count, strict=self.strict)
            problems += [_problem(self.matrix.file, message, signal, *part) for part in found]
        counter, _ = guarded_names(message)
        if counter and counter not in columns:
            bits = message.by_name[counter].length
            numbers = (np.arange(count, dtype=np.uint64) + np.uint64(first_counter)) & np.uint64((1 << bits) - 1)
            raws[counter] = Raw(numbers, np.ones(count, dtype=np.bool_))
        problems += [_problem(self.matrix.file, message, *part) for part in _strayed(message, raws)]
        if problems:
            raise InputError(problems)
        return _frames(message, columns, raws, count)


def encode(message: Message, values: Given, *, strict: bool = False, counter: int = 0) -> bytes:
    """The payload of one message.

    Args:
        message: what the bits mean.
        values: physical values, or labels, by signal.
        strict: whether stated limits are kept.
        counter: of the frame, where one is declared and not given.

    Raises:
        InputError: every value that cannot be encoded.

    Example:
        >>> speed = Signal("speed", start=7, length=16, big_endian=True, scale=0.01)
        >>> encode(Message("WHEELS", 0x1D4, 8, (speed,)), {"speed": 50}).hex()
        '1388000000000000'
    """
    table = {name: [value] for name, value in values.items()}
    frames = Encoder(Matrix("", (message,)), strict=strict).encode(message.name, table, first_counter=counter)
    return frames.payload[0, : int(frames.length[0])].tobytes()


# --- to raw values ---


class Raw:
    """Raw values of a signal as bits, and where they were given."""

    def __init__(self, bits: Any, given: npt.NDArray[np.bool_]) -> None:
        self.bits = bits
        self.given = given


Found = tuple[str, str]  # what was found, what was expected


def raw_values(
    message: Message, signal: Signal, columns: Mapping[str, Any], count: int, *, strict: bool
) -> tuple[Raw, list[Found]]:
    """Raw values of a signal, and what is wrong with what was given."""
    if signal.length > 64:
        return _wide(signal, columns, count)
    if f"{signal.name}.raw" in columns:
        columns = {signal.name: columns[f"{signal.name}.raw"]}
        signal = replace(signal, scale=1.0, offset=0.0, minimum=None, maximum=None)
    numbers, given, problems = _numbers(signal, columns, count)
    if is_real(signal):
        same = signal.scale == 1 and signal.offset == 0
        raw = numbers if same else (np.asarray(numbers, dtype=np.float64) - signal.offset) / signal.scale
        kind, bits = np.dtype(f"f{signal.length // 8}"), np.dtype(f"u{signal.length // 8}")
        with np.errstate(over="ignore"):
            cut = raw.astype(kind)
        problems += _wrong(given & np.isinf(cut) & np.isfinite(raw), numbers, f"at most {np.finfo(kind).max}")
        result = np.where(given, cut.view(bits).astype(np.uint64), _not_given(signal))
        return Raw(result, given), problems + _limits(signal, numbers, given, strict)
    raw, whole = _whole(signal, numbers, given)
    low, high = raw_limits(signal)
    lowest, highest = sorted((low * signal.scale + signal.offset, high * signal.scale + signal.offset))
    problems += _wrong(~whole & given, numbers, f"{lowest:g} to {highest:g}")
    result = np.where(given & whole, raw, _not_given(signal)) & np.uint64((1 << signal.length) - 1)
    return Raw(result, given), problems + _limits(signal, numbers, given & whole, strict)


def _not_given(signal: Signal) -> np.uint64:
    """The bits of what nobody gave."""
    nothing = max((high for _, high in signal.not_available), default=0)
    return np.uint64((nothing if signal.initial is None else signal.initial) & ((1 << signal.length) - 1))


def _whole(signal: Signal, numbers: Any, given: npt.NDArray[np.bool_]) -> tuple[RawArray, npt.NDArray[np.bool_]]:
    """The nearest raw values in two's complement, and which of them the signal's bits can hold."""
    low, high = raw_limits(signal)
    if float(signal.scale).is_integer() and float(signal.offset).is_integer() and numbers.dtype.kind in "iu":
        scale, offset = int(signal.scale), int(signal.offset)
        if scale == 1 and offset == 0:
            return numbers.astype(np.uint64), (numbers >= low) & (numbers <= high)
        exact = [_nearest(int(number) - offset, scale) for number in numbers.tolist()]
        fits = np.array([low <= number <= high for number in exact], dtype=np.bool_)
        return np.array([number & ((1 << 64) - 1) for number in exact], dtype=np.uint64), fits
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        raw = np.rint((np.asarray(numbers, dtype=np.float64) - signal.offset) / signal.scale)
        fits = (raw >= low) & ((raw <= high) if high < 1 << 53 else (raw < float(high) + 1))
    safe = np.where(fits & given, raw, 0.0)
    return (safe.astype(np.int64).view(np.uint64) if signal.signed else safe.astype(np.uint64)), fits


def _nearest(number: int, scale: int) -> int:
    quotient, rest = divmod(number, scale) if scale else (0, 0)
    return quotient + (2 * abs(rest) >= abs(scale)) if rest else quotient


def _numbers(signal: Signal, columns: Mapping[str, Any], count: int) -> tuple[Any, npt.NDArray[np.bool_], list[Found]]:
    """What was given of a signal as numbers; labels become the numbers that they stand for."""
    problems: list[Found] = []
    numbers: Any = np.zeros(count)
    given = np.zeros(count, dtype=np.bool_)
    values = columns.get(signal.name)
    if values is not None and signal.length <= 64:
        numbers, given, problems = _labels(signal, values) if _is_text(values) else _plain(values)
    texts = columns.get(f"{signal.name}.label")
    if texts is not None:
        named, there, more = _labels(signal, texts)
        if there.any():
            numbers = np.where(there & ~given, named, numbers)
            given = given | there
        problems += more
    return numbers, given, problems


def _plain(values: pa.Array) -> tuple[Any, npt.NDArray[np.bool_], list[Found]]:
    given = ~values.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_null(values.type):
        return np.zeros(len(values)), given, []
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_boolean(values.type)):
        return np.zeros(len(values)), np.zeros(len(values), dtype=np.bool_), [(str(values.type), "numbers or labels")]
    filled = values.fill_null(False if pa.types.is_boolean(values.type) else 0)
    numbers = filled.to_numpy(zero_copy_only=False)
    if numbers.dtype == np.bool_:
        numbers = numbers.astype(np.uint8)
    return numbers, given, []


def _is_text(values: pa.Array) -> bool:
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _labels(signal: Signal, values: pa.Array) -> tuple[Any, npt.NDArray[np.bool_], list[Found]]:
    from_label = {text: number for number, text in reversed(list(signal.labels.items()))}
    texts = values.to_pylist()
    given = np.array([text is not None for text in texts], dtype=np.bool_)
    unknown = sorted({text for text in texts if text is not None and text not in from_label})
    whole = float(signal.scale).is_integer() and float(signal.offset).is_integer() and not is_real(signal)
    scale, offset = (int(signal.scale), int(signal.offset)) if whole else (signal.scale, signal.offset)
    numbers = np.array([from_label.get(text, 0) * scale + offset for text in texts])
    known = ", ".join(list(from_label)[:8]) or "a signal with labels"
    return numbers, given, [(f"label {text!r}", f"one of {known}") for text in unknown[:SHOWN]]


def _limits(signal: Signal, numbers: Any, given: npt.NDArray[np.bool_], strict: bool) -> list[Found]:
    if not strict or signal.minimum is None or signal.maximum is None or signal.minimum >= signal.maximum:
        return []
    outside = given & ((numbers < signal.minimum) | (numbers > signal.maximum))
    return _wrong(outside, numbers, f"{signal.minimum:g} to {signal.maximum:g} {signal.unit}".strip())


def _wrong(wrong: npt.NDArray[np.bool_], numbers: Any, expected: str) -> list[Found]:
    rows = np.flatnonzero(wrong)
    if not rows.size:
        return []
    shown = ", ".join(f"{numbers[row]} in row {row}" for row in rows[:SHOWN].tolist())
    more = f" and {rows.size - SHOWN} more" if rows.size > SHOWN else ""
    return [(shown + more, expected)]


def _wide(signal: Signal, columns: Mapping[str, Any], count: int) -> tuple[Raw, list[Found]]:
    """A signal of more than 64 bits: its bytes, most significant first."""
    values = columns.get(signal.name)
    size = -(-signal.length // 8)
    rows = [None] * count if values is None else values.to_pylist()
    whole = [value is None or (isinstance(value, bytes) and len(value) == size) for value in rows]
    wrong = [row for row, good in enumerate(whole) if not good]
    given = np.array([value is not None for value in rows], dtype=np.bool_)
    if wrong:
        return Raw(np.zeros((count, size), np.uint8), given), [(f"row {wrong[0]}", f"{size} bytes")]
    content = b"".join(value or bytes(size) for value in rows)
    return Raw(np.frombuffer(content, dtype=np.uint8).reshape(count, size), given), []


# --- branches ---


def present_rows(message: Message, signal: Signal, raws: Mapping[str, Raw], count: int) -> npt.NDArray[np.bool_]:
    """The rows in which a signal's branch is there."""
    there = np.ones(count, dtype=np.bool_)
    seen = {signal.name}
    selector = message.by_name.get(signal.multiplexor or "")
    while selector is not None and selector.name not in seen and selector.length <= 64:
        raw = _signed(selector, raws[selector.name].bits)  # as a branch's ranges are written
        inside = np.zeros(count, dtype=np.bool_)
        for low, high in signal.multiplex_values:
            inside |= (raw >= low) & (raw <= high)
        there &= inside
        seen.add(selector.name)
        signal, selector = selector, message.by_name.get(selector.multiplexor or "")
    return there


def _signed(signal: Signal, bits: RawArray) -> Any:
    if not signal.signed or is_real(signal):
        return bits
    unused = np.int64(64 - signal.length)
    return (bits.view(np.int64) << unused) >> unused


def _strayed(message: Message, raws: Mapping[str, Raw]) -> Iterable[tuple[Signal, str, str]]:
    for signal in message.signals:
        raw = raws[signal.name]
        if signal.multiplexor is None or not raw.given.any():
            continue
        astray = np.flatnonzero(raw.given & ~present_rows(message, signal, raws, raw.given.size))
        if astray.size:
            ranges = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in signal.multiplex_values)
            yield signal, f"a value in row {astray[0]}", f"none, or {signal.multiplexor} = {ranges}"


# --- to payloads ---


def _frames(message: Message, columns: Mapping[str, Any], raws: Mapping[str, Raw], count: int) -> Frames:
    length = _padded(message)
    width = max(CLASSIC_BYTES, length + -length % 8)
    frames = empty_frames(count, FD_BYTES if CLASSIC_BYTES < width <= FD_BYTES else width)
    for name, target in (("time", frames.time), ("bus", frames.bus)):
        if name in columns:
            target[:] = columns[name].cast(pa.int64()).to_numpy(zero_copy_only=False)
    frames.frame_id[:] = message.frame_id
    if has_source(message) and "source" in columns:
        frames.frame_id[:] = message.frame_id & ~0xFF | columns["source"].to_numpy(zero_copy_only=False).astype(
            np.uint32
        )
    frames.flags[:] = (Flag.EXTENDED if message.is_extended else 0) | (Flag.FD if message.is_fd else 0)
    frames.length[:] = length
    for signal in sorted(message.signals, key=lambda signal: raws[signal.name].given.any()):
        put(frames.payload, signal, raws[signal.name].bits, present_rows(message, signal, raws, count))
    _, checksum = guarded_names(message)
    if checksum and checksum not in columns:
        every = np.arange(count)
        expected = expected_checksum(message, frames.payload, frames, every)
        put(frames.payload, message.by_name[checksum], expected, np.ones(count, dtype=np.bool_))
    return frames


def _padded(message: Message) -> int:
    longer = [length for length in FD_LENGTHS if length >= message.length]
    return longer[0] if message.is_fd and longer else message.length


def put(payload: npt.NDArray[np.uint8], signal: Signal, bits: Any, there: npt.NDArray[np.bool_]) -> None:
    """Write raw values into payloads, a byte of each row at a time, where they are there.

    Args:
        payload: shape (row, width); changed.
        signal: whose bits they are.
        bits: raw values, or rows of bytes for a signal of more than 64 bits.
        there: rows to write.
    """
    numbers = list(reversed(signal.bits))  # least significant first
    for byte in sorted({number // 8 for number in numbers}):
        if byte >= payload.shape[1]:
            continue
        value, mask = np.zeros(payload.shape[0], dtype=np.uint8), 0
        for shift, number in enumerate(numbers):
            if number // 8 == byte:
                value |= _bit(bits, shift) << np.uint8(number % 8)
                mask |= 1 << number % 8
        target = payload[:, byte]
        target[there] = (target[there] & np.uint8(0xFF ^ mask)) | value[there]


def _bit(bits: Any, shift: int) -> npt.NDArray[np.uint8]:
    if bits.ndim == 2:
        last = bits.shape[1] - 1 - shift // 8
        return np.asarray(bits[:, last] >> np.uint8(shift % 8) & np.uint8(1), dtype=np.uint8)
    return np.asarray(bits >> np.uint64(shift) & np.uint64(1), dtype=np.uint8)


# --- what was given ---


def _columns(table: pa.RecordBatch | pa.Table | Given) -> tuple[dict[str, pa.Array], int]:
    if isinstance(table, pa.Table):
        columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    elif isinstance(table, pa.RecordBatch):
        columns = {name: table.column(name) for name in table.schema.names}
    else:
        columns = {name: values if isinstance(values, pa.Array) else pa.array(values) for name, values in table.items()}
    return columns, max((len(values) for values in columns.values()), default=1)


def _unknown_columns(message: Message, columns: Mapping[str, Any], file: str | None) -> list[Problem]:
    known = {"time", "bus", "source", "counter_ok", "checksum_ok"}
    for name in message.by_name:
        known |= {name, f"{name}.label", f"{name}.raw"}
    sizes = {len(values) for values in columns.values()}
    problems = [
        Problem(Location(file, message.line, f"{message.name}.{name}"), "no such signal", "a signal of it", "Check it.")
        for name in columns
        if name not in known
    ]
    if len(sizes) > 1:
        found = f"columns of {min(sizes)} to {max(sizes)} rows"
        problems.append(
            Problem(Location(file, message.line, message.name), found, "as many rows in each", "Check them.")
        )
    return problems


def _problem(file: str | None, message: Message, signal: Signal, found: str, expected: str) -> Problem:
    place = Location(file, signal.line, f"{message.name}.{signal.name}")
    return Problem(place, found, expected, "Give another value.")
