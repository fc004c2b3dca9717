"""The compiled kernel of a live bus with its mapping: what `live_kernel` and `mapping_kernel` do, in one call."""

from __future__ import annotations

from typing import Any

from kyotsu.can.kernel_bits import (
    byte_column,
    compiled,
    number_column,
    real_column,
    real_table,
    whole_column,
    whole_table,
)
from kyotsu.can.live_kernel import HELD, follow
from kyotsu.can.mapping_kernel import lay_out_changes, run_rules
from kyotsu.can.mapping_tables import RuleState, RuleTables


@compiled
def follow_rules(
    time: Any, frame_id: Any, flags: Any, bus: Any, length: Any, words: Any, addresses: Any, verify: bool
) -> int:
    """The datapoints of a few frames.

    Args:
        time, frame_id, flags, bus, length, words: of the frames.
        addresses: of the arrays of `live.Held` and `live_mapping.Mapped`.
        verify: whether counters and checksums are judged.

    Returns:
        How many there are.
    """
    filled = follow(time, frame_id, flags, bus, length, words, addresses, verify)
    changes = (
        number_column(addresses, 18), number_column(addresses, 19), real_column(addresses, 20),
        byte_column(addresses, 21), whole_column(addresses, 23),
    )  # fmt: skip
    tables = RuleTables(
        whole_table(addresses, HELD), whole_column(addresses, HELD + 1), whole_table(addresses, HELD + 2),
        real_table(addresses, HELD + 3), whole_table(addresses, HELD + 4), real_table(addresses, HELD + 5),
        whole_column(addresses, HELD + 6), real_table(addresses, HELD + 7), whole_table(addresses, HELD + 8),
        real_table(addresses, HELD + 9), real_table(addresses, HELD + 10),
    )  # fmt: skip
    state = RuleState(
        real_column(addresses, HELD + 11), whole_table(addresses, HELD + 12), real_column(addresses, HELD + 13),
        whole_table(addresses, HELD + 14), whole_column(addresses, HELD + 15),
    )  # fmt: skip
    places, widths = whole_table(addresses, HELD + 16), whole_column(addresses, HELD + 17)
    strides, events = whole_column(addresses, HELD + 18), whole_table(addresses, HELD + 19)
    values, notes = real_column(addresses, HELD + 20), whole_table(addresses, HELD + 21)
    results, trusted = real_column(addresses, HELD + 22), whole_column(addresses, 28)
    count = lay_out_changes(changes, filled, trusted, places, widths, events, values)
    return run_rules(events, count, strides, values, tables, state, notes, results)
