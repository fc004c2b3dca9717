"""How a search divides: a group of parts of which at most k may be open becomes two, with at most i and k - i.

Every plan is in one of the k + 1 cases. Where few parts are to be chosen from many, the relaxation opens halves of
parts that do not go together (half an e-axle of either voltage, say), and to close one of a hundred that are nearly
alike changes nothing: to say how many parts there are of each kind, and of each family within a kind, lifts the bound
much more. Only then single parts are opened and closed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from kyotsu.plan.assortment import Assortment, BoolArray, FloatArray, IntArray
from kyotsu.plan.relaxation import Arrays, Node

MOST_CASES = 16  # of a division; a larger group has single parts opened and closed


def whole_group(choice: Assortment) -> Node:
    """The node that allows all: one group of all parts, or one of each kind where there is no limit in all."""
    status = choice.required.astype(np.int8)
    if choice.limit >= 0:
        return Node(status, np.zeros(status.size, dtype=np.int32), np.array([choice.limit], dtype=np.int64))
    return Node(status, choice.part_kind.astype(np.int32), choice.kind_limit.astype(np.int64))


def families(choice: Assortment) -> IntArray:
    """Numbers of the families, shape (part,): parts of one kind that compete for a need, directly or through others."""
    parts, kinds = choice.part_kind.size, len(choice.kinds)
    need = choice.offer_need * kinds + choice.part_kind[choice.offer_part]
    size = parts + choice.need_menu.size * kinds
    ones = np.ones(need.size, dtype=np.int8)
    competing = sparse.coo_matrix((ones, (choice.offer_part, parts + need)), shape=(size, size))
    return np.asarray(csgraph.connected_components(competing, directed=False)[1][:parts], dtype=np.int64)


def cases(a: Arrays, family: IntArray, node: Node, share: FloatArray) -> Iterator[Node]:
    """The nodes that a node divides into, some perhaps impossible.

    Args:
        a: the problem.
        family: see `families`.
        node: to be divided; at least one part is free.
        share: of the relaxation's rounds in which each part was chosen, shape (part,).
    """
    free = np.flatnonzero(node.status == 0)
    leaving = _leaving(a, family, node)
    if leaving is None:
        part = free[np.argmin(np.abs(share[free] - 0.5))]
        for value in (1, -1):
            status = node.status.copy()
            status[part] = value
            yield Node(status, node.group, node.most)
        return
    old = node.group[np.argmax(leaving)]
    room = int(node.most[old]) - int(np.sum((node.group == old) & (node.status == 1)))
    group = np.where(leaving, node.most.size, node.group).astype(np.int32)
    for count in range(min(room, int(leaving.sum())) + 1):
        most = np.append(node.most, count)
        most[old] -= count
        yield Node(node.status.copy(), group, most)


def _leaving(a: Arrays, family: IntArray, node: Node) -> BoolArray | None:
    """Free parts that are to become a group of their own: a kind, or a family of a kind; None where none should."""
    free = node.status == 0
    for group, most in enumerate(node.most):
        inside = node.group == group
        members = np.flatnonzero(inside & free)
        if not 0 < most - np.sum(inside & (node.status == 1)) < MOST_CASES:
            continue
        for number in (a.part_kind, family):
            if np.any(number[members] != number[members[:1]]):
                return np.asarray(inside & free & (number == number[members[0]]))
    return None
