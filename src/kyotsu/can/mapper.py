"""What a bus says, as datapoints of the signal catalogue: one long table, sorted by time, whichever maker's bus it was.

    mapper = Mapper(mapping, matrix, load_vss())
    for block in blocks:
        table = mapper.map(codec.decode(block))     # time, path, value, text, quality

Last values, intervals and changes carry over from block to block, so that blocks of any size, down to one frame on a
live bus, give the same datapoints. Frames are taken in the order of their times; of equal times in the order of the
messages in the mapping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kyotsu.can.decoded import Decoded
from kyotsu.can.mapping import Quality, SignalMapping
from kyotsu.can.mapping_checks import linked
from kyotsu.can.mapping_kernel import run_rules
from kyotsu.can.mapping_links import LinkedRule, Place
from kyotsu.can.mapping_tables import FIRST_TRIGGER, QUALITY, FlatRules, RuleState, flatten, new_state
from kyotsu.can.mapping_writes import Writer
from kyotsu.can.matrix import Matrix, Message, Signal
from kyotsu.spec.vss import VssTree, load_vss

TIME_TYPE = pa.timestamp("ns", tz="UTC")
QUALITIES = pa.array([quality.name.lower() for quality in Quality])
SCHEMA = pa.schema(
    [
        pa.field("time", TIME_TYPE, nullable=False),
        pa.field("path", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("quality", pa.dictionary(pa.int8(), pa.string()), nullable=False),
    ]
)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Tables = Mapping[str, pa.Table | pa.RecordBatch]


class Datapoints(NamedTuple):
    """Datapoints in columns, sorted by time; every array has one entry for each.

    Attributes:
        time: [ns] since 1970 UTC.
        target: number of the path in `Mapper.paths`.
        value: number, or 0 and 1 for a truth value; NaN for a text and where the quality is not good.
        text: number of the text in `Mapper.texts`; -1 for none.
        quality: a `Quality`.
    """

    time: Integers
    target: Integers
    value: Floats
    text: Integers
    quality: Integers


class Mapper:
    """Turns decoded frames into datapoints of the catalogue, and actuators' values into what goes onto the bus.

    Args:
        mapping: of the maker.
        matrix: of the bus that the frames are from.
        tree: the catalogue; VSS 6.0 where none is given.

    Attributes:
        rules: linked, each after those that it reads.
        writer: the other direction.
        flat: the rules as tables.
        most: datapoints that a frame of each message in `flat` can make.

    Raises:
        InputError: with every error that the mapping has against matrix and catalogue.
    """

    def __init__(self, mapping: SignalMapping, matrix: Matrix, tree: VssTree | None = None) -> None:
        rules, writes = linked(mapping, matrix, load_vss() if tree is None else tree)
        self._start(rules, [condition.place for write in writes for condition in write.conditions])
        self.writer = Writer(writes)

    @classmethod
    def of_rules(cls, rules: tuple[LinkedRule, ...]) -> Mapper:
        """A mapper of rules that are linked already, each after those that it reads; it writes nothing."""
        mapper = cls.__new__(cls)
        mapper._start(rules)
        mapper.writer = Writer(())
        return mapper

    def _start(self, rules: tuple[LinkedRule, ...], also: Iterable[Place] = ()) -> None:
        self.rules = rules
        self.flat: FlatRules = flatten(rules, also)
        self._paths = pa.array(self.flat.targets, pa.string())
        self._texts = pa.array(self.flat.texts, pa.string())
        self.most = np.diff(
            self.flat.tables.messages[:, FIRST_TRIGGER]
        )  # datapoints that a frame of each message can make
        slots = zip(self.flat.messages, self.flat.slots, strict=True)
        self._slot_of = {
            (message.name, signal.name): number
            for number, (message, signal) in enumerate((m, signal) for m, signals in slots for signal in signals)
        }
        self.reset()

    @property
    def paths(self) -> tuple[str, ...]:
        """The signals of the catalogue that it makes, by the numbers of `Datapoints.target`."""
        return self.flat.targets

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that signals can have, by the numbers of `Datapoints.text`."""
        return self.flat.texts

    @property
    def messages(self) -> tuple[str, ...]:
        """The messages that it reads: no others need be decoded."""
        return tuple(message.name for message in self.flat.messages)

    @property
    def unplaced(self) -> dict[str, int]:
        """Values of each rule whose instance no entry names: they are in no table."""
        counts = zip(self.rules, self._state.counts[:-1].tolist(), strict=True)
        return {rule.rule.path: count for rule, count in counts if count}

    def reset(self) -> None:
        """Forgets all that it heard."""
        self._state = new_state(self.flat)

    def last(self, place: Place) -> float | None:
        """The physical value that the bus said last of a signal that the mapping reads; `None` for nothing usable."""
        slot = self._slot_of.get((place.message.name, place.signal.name))
        if slot is None or self._state.slots[slot, QUALITY] != Quality.GOOD:
            return None
        return float(self._state.values[slot])

    def map(self, decoded: Decoded | Tables) -> pa.Table:
        """The datapoints of a block of decoded frames, as `SCHEMA` says.

        Args:
            decoded: what `Codec.decode` returned, or tables by message as it makes them (`time`, one column for each
                signal), from Parquet for example. Messages and columns that are absent say nothing.
        """
        return self.table(self.feed(decoded))

    def feed(self, decoded: Decoded | Tables) -> Datapoints:
        """The same in plain arrays, for a live bus."""
        return self._run(*self._gathered(decoded))

    def table(self, points: Datapoints) -> pa.Table:
        """Datapoints as a table."""
        texts: pa.Array = pa.nulls(points.time.size, pa.string())
        if len(self._texts) and (points.text >= 0).any():
            texts = self._texts.take(pa.array(points.text, mask=points.text < 0))
        columns = [
            pa.array(np.ascontiguousarray(points.time), pa.int64()).view(TIME_TYPE),
            pa.DictionaryArray.from_arrays(pa.array(points.target.astype(np.int32)), self._paths),
            pa.array(points.value, mask=np.isnan(points.value)),
            texts,
            pa.DictionaryArray.from_arrays(pa.array(points.quality.astype(np.int8)), QUALITIES),
        ]
        return pa.Table.from_arrays(columns, schema=SCHEMA)

    # --- one block ---

    def _gathered(self, decoded: Decoded | Tables) -> tuple[list[tuple[int, Integers, Bools]], list[Floats]]:
        """Of each message that is there its number, times and trusted rows; and its values, signal after signal."""
        events: list[tuple[int, Integers, Bools]] = []
        values: list[Floats] = []
        read: Callable[..., tuple[Integers, Bools]] = _decoded_rows if isinstance(decoded, Decoded) else _table_rows
        there = decoded.count if isinstance(decoded, Decoded) else decoded.__contains__
        for number, (message, signals) in enumerate(zip(self.flat.messages, self.flat.slots, strict=True)):
            if there(message.name):
                times, trusted = read(decoded, message, signals, values)
                events.append((number, times, trusted))
        return events, values

    def _run(self, events: list[tuple[int, Integers, Bools]], values: list[Floats]) -> Datapoints:
        if not events:
            empty = np.empty(0, dtype=np.int64)
            return Datapoints(empty, empty, np.empty(0), empty, empty)
        counts = np.array([times.size for _, times, _ in events])
        numbers = np.array([number for number, _, _ in events])
        widths = np.array([len(self.flat.slots[number]) for number in numbers])
        begins = np.concatenate(([0], np.cumsum(counts * widths)[:-1]))
        strides = np.zeros(len(self.flat.messages), dtype=np.int64)
        strides[numbers] = counts
        times = np.concatenate([times for _, times, _ in events])
        rows = np.arange(times.size) - np.repeat(np.cumsum(counts) - counts, counts)
        order = np.argsort(times, kind="stable")
        frames = np.empty((4, times.size), dtype=np.int64)
        frames[0], frames[1] = times[order], np.repeat(numbers, counts)[order]
        frames[2] = (np.repeat(begins, counts) + rows)[order]
        frames[3] = np.concatenate([trusted for _, _, trusted in events])[order]
        room = int((counts * self.most[numbers]).sum())
        laid = np.concatenate(values) if values else np.empty(0)
        return self.run(frames, times.size, strides, laid, room)

    @property
    def state(self) -> RuleState:
        """What the rules remember; `reset` puts another in its place."""
        return self._state

    def run(self, events: Integers, size: int, strides: Integers, values: Floats, room: int) -> Datapoints:
        """The datapoints of frames laid out for `mapping_kernel.run_rules`, of which there are `room` at most."""
        notes, results = np.empty((4, room), dtype=np.int64), np.empty(room)
        count = run_rules(events, size, strides, values, self.flat.tables, self._state, notes, results)
        return datapoints(notes, results, count)


def datapoints(notes: Integers, results: Floats, count: int) -> Datapoints:
    """The first datapoints of what `mapping_kernel.run_rules` filled, as a copy."""
    time, target, text, quality = notes[:, :count].copy()
    return Datapoints(time, target, results[:count].copy(), text, quality)


def _decoded_rows(
    decoded: Decoded, message: Message, signals: tuple[Signal, ...], values: list[Floats]
) -> tuple[Integers, Bools]:
    """Times and trusted rows of a message just decoded; its values are added to `values`."""
    for signal in signals:
        column, valid = decoded.numbers(message.name, signal.name)
        numbers = column.astype(np.float64)
        if valid is not None:
            numbers[~valid] = np.nan
        values.append(numbers)
    times = decoded.time(message.name)
    trusted = np.ones(times.size, dtype=np.bool_)
    for checks in (decoded.counters, decoded.checksums):
        verdict = checks.get(message.name)
        if verdict is not None:
            trusted &= verdict.right | ~verdict.known
    return times, trusted


def _table_rows(
    tables: Tables, message: Message, signals: tuple[Signal, ...], values: list[Floats]
) -> tuple[Integers, Bools]:
    """The same of a message's table."""
    table = tables[message.name]
    names = set(table.schema.names)
    times = _flat(table["time"]).cast(pa.int64()).to_numpy(zero_copy_only=False)
    for signal in signals:
        if signal.name in names:
            values.append(_numbers(_flat(table[signal.name]), signal))
        else:
            values.append(np.full(times.size, np.nan))
    trusted = np.ones(times.size, dtype=np.bool_)
    for name in {"counter_ok", "checksum_ok"} & names:
        trusted &= _flat(table[name]).fill_null(True).to_numpy(zero_copy_only=False)
    return times, trusted


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _numbers(column: pa.Array, signal: Signal) -> Floats:
    """Physical values of a column, NaN for null; labels go back to what they name."""
    if pa.types.is_dictionary(column.type):
        raw = {label: number * signal.scale + signal.offset for number, label in signal.labels.items()}
        known = np.array([raw.get(label, np.nan) for label in column.dictionary.to_pylist()] + [np.nan])
        labelled: Floats = known[column.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
        return labelled
    found: Any = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(found, dtype=np.float64)
