"""How much of a recording the matrix describes, and what is wrong with the rest: counted while the blocks go by.

    frames = described + unknown + remote + error + parts of transported messages

Each message says how often it came, against the period that the matrix states; a *gap* is a pause of more than
`GAP_PERIODS` of these, or of the usual pause in the first block where nothing is stated.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from kyotsu.can.decoded import Decoded, UnknownId
from kyotsu.can.log_report import LogReport
from kyotsu.can.matrix import Matrix, Message

GAP_PERIODS = 2.5  # -, so that one frame lost makes no gap of jitter, and two in a row always make one
NS_PER_MS = 1e6
MOST_LISTED = 10_000  # ids that are not described; further ones are counted as one


@dataclass(slots=True)
class MessageCoverage:
    """One message of the matrix.

    Attributes:
        frames: that were decoded.
        first_ns, last_ns: least and greatest time.
        longest_gap_ms: the longest pause between two frames on one bus.
        gaps: pauses of more than `GAP_PERIODS` periods.
        too_short, too_long: frames with less or more bytes than described.
        wrong_counter, wrong_checksum: frames whose counter or checksum is not right.
    """

    frames: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    longest_gap_ms: float = 0.0
    gaps: int = 0
    too_short: int = 0
    too_long: int = 0
    wrong_counter: int = 0
    wrong_checksum: int = 0

    @property
    def period_ms(self) -> float | None:
        """Mean time between two frames."""
        if self.first_ns is None or self.last_ns is None or self.frames < 2:
            return None
        return (self.last_ns - self.first_ns) / (self.frames - 1) / NS_PER_MS


@dataclass
class Coverage:
    """The account of a recording, one or more logs.

    Attributes:
        frames: of all logs.
        described: decoded as they are.
        transported: parts of messages that a transport protocol spreads over frames.
        unknown: frames by id that the matrix does not describe.
        remote, error: frames without data.
        messages: by name, of those that were there.
        transport: messages put together by each protocol, and what became of the others.
        logs: what was read of each.
        interrupted: whether somebody stopped it.
    """

    matrix: Matrix
    frames: int = 0
    described: int = 0
    transported: int = 0
    unknown: Counter[UnknownId] = field(default_factory=Counter)
    remote: int = 0
    error: int = 0
    messages: dict[str, MessageCoverage] = field(default_factory=dict)
    transport: Counter[str] = field(default_factory=Counter)
    logs: list[LogReport] = field(default_factory=list)
    interrupted: bool = False
    _last: dict[tuple[str, int], int] = field(default_factory=dict, repr=False)
    _pause_ns: dict[str, float] = field(default_factory=dict, repr=False)

    def new_log(self) -> None:
        """From here on times are those of another log."""
        self._last.clear()

    def carry(self, frames: int) -> None:
        """Take note of frames that are parts of longer messages."""
        self.frames += frames
        self.transported += frames

    def add(self, decoded: Decoded) -> None:
        """Take in a block of frames as they came."""
        self.frames += decoded.frames
        self.described += int(decoded.rows.sum())
        self.remote += decoded.remote
        self.error += decoded.error
        for key, count in decoded.unknown.items():
            known = key in self.unknown or len(self.unknown) < MOST_LISTED
            self.unknown[key if known else UnknownId(-1, False, -1)] += count
        self.add_messages(decoded)

    def add_messages(self, decoded: Decoded) -> None:
        """Take in what messages say, without counting frames: those that a transport protocol put together."""
        wrong_counters, wrong_checksums = decoded.wrong_counters, decoded.wrong_checksums
        for name in decoded:
            found = self.messages.setdefault(name, MessageCoverage())
            found.frames += decoded.count(name)
            if self.matrix.by_name[name].protocol != "isotp":  # whose answers are as long as the question asks
                found.too_short += decoded.too_short.get(name, 0)
                found.too_long += decoded.too_long.get(name, 0)
            found.wrong_counter += wrong_counters.get(name, 0)
            found.wrong_checksum += wrong_checksums.get(name, 0)
            self._times(found, self.matrix.by_name[name], decoded.time(name), decoded.bus(name))

    def _times(
        self, found: MessageCoverage, message: Message, time: npt.NDArray[np.int64], bus: npt.NDArray[np.uint8]
    ) -> None:
        least, greatest = int(time.min()), int(time.max())
        found.first_ns = least if found.first_ns is None else min(found.first_ns, least)
        found.last_ns = greatest if found.last_ns is None else max(found.last_ns, greatest)
        one_bus = bool(np.all(bus == bus[0]))
        for number in (int(bus[0]),) if one_bus else np.unique(bus).tolist():
            own = time if one_bus else time[bus == number]
            before = self._last.get((message.name, number))
            self._last[message.name, number] = int(own[-1])
            pauses = np.diff(own) if before is None else np.diff(own, prepend=before)
            if not pauses.size:
                continue
            found.longest_gap_ms = max(found.longest_gap_ms, int(pauses.max()) / NS_PER_MS)
            usual = self._pause_ns.get(message.name)
            if usual is None:
                usual = message.cycle_ms * NS_PER_MS if message.cycle_ms else float(np.median(pauses))
                self._pause_ns[message.name] = usual
            if usual > 0.0:
                found.gaps += int(np.count_nonzero(pauses > GAP_PERIODS * usual))

    @property
    def undescribed(self) -> int:
        """Frames of ids that the matrix does not describe."""
        return sum(self.unknown.values())

    @property
    def partial(self) -> bool:
        """Whether there is, or may be, more in the logs than was read."""
        return self.interrupted or any(log.partial for log in self.logs)

    @property
    def wrong(self) -> int:
        """Frames of a wrong length, counter or checksum."""
        return sum(
            item.too_short + item.too_long + item.wrong_counter + item.wrong_checksum for item in self.messages.values()
        )

    def record(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "partial": self.partial,
            "interrupted": self.interrupted,
            "frames": self.frames,
            "described": self.described,
            "transported": self.transported,
            "unknown": self.undescribed,
            "remote": self.remote,
            "error": self.error,
            "described_share": (self.described + self.transported) / self.frames if self.frames else None,
            "unknown_ids": [
                {
                    "id": f"0x{key.frame_id:X}" if key.frame_id >= 0 else "further ids",
                    "extended": key.is_extended,
                    "bus": key.bus,
                    "frames": count,
                    "share": count / self.frames,
                }
                for key, count in self.unknown.most_common()
            ],
            "transport": dict(self.transport),
            "messages": [self._message(name) for name in self.messages],
            "never_seen": [item.name for item in self.matrix.messages if item.name not in self.messages],
            "logs": [_log(report) for report in self.logs],
        }

    def _message(self, name: str) -> dict[str, Any]:
        message, found = self.matrix.by_name[name], self.messages[name]
        return {
            "message": name,
            "id": f"0x{message.frame_id:X}",
            "extended": message.is_extended,
            "frames": found.frames,
            "period_ms": found.period_ms,
            "stated_ms": message.cycle_ms,
            "longest_gap_ms": found.longest_gap_ms,
            "gaps": found.gaps,
            "too_short": found.too_short,
            "too_long": found.too_long,
            "wrong_counter": found.wrong_counter,
            "wrong_checksum": found.wrong_checksum,
        }


def _log(report: LogReport) -> dict[str, Any]:
    return {
        "file": report.path,
        "format": report.format,
        "frames": report.frames,
        "partial": report.partial,
        "damages": dict(report.damages),
        "ignored": dict(report.ignored),
        "lost_bytes": report.lost_bytes,
        "time_backwards": report.backwards,
        "clock": report.clock,
        "first_ns": report.first_ns,
        "last_ns": report.last_ns,
        "buses": {str(number): name for number, name in report.buses.items()},
        "problems": [str(problem) for problem in report.problems],
    }
