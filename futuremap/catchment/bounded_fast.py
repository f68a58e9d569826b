"""The bounded search compiled with numba (extra ``[fast]``): the same answers as scipy's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from futuremap.catchment.bounded import Arrival

Floats = NDArray[np.float64]
Whole = NDArray[np.int32]
Positions = NDArray[np.intp]
ROOM = 4096  # entries of a heap or an answer before it first grows


class Workspace:
    """A graph with what a search needs of memory, kept from one search to the next.

    Parameters
    ----------
    graph
        Cost of each directed edge ``(N, N)``.
    """

    def __init__(self, graph: sparse.csr_array) -> None:
        self._starts = graph.indptr.astype(np.int32)
        self._ends = graph.indices.astype(np.int32)
        self._costs = graph.data.astype(np.float64)
        self._best = np.full(graph.shape[0], np.inf)

    def settle(self, starts: Positions, node: Positions, cost: Floats, *, limit: float) -> Arrival:
        """Nodes within a cost of some sources.

        Parameters
        ----------
        starts
            First entry of each source and, at the end, their count ``(S + 1,)``.
        node, cost
            Where each entry leads, and what it costs.
        limit
            Largest cost.
        """
        found = _settle(
            self._starts, self._ends, self._costs, starts.astype(np.int32),
            node.astype(np.int32), cost, limit, self._best,
        )  # fmt: skip
        source, at, spent = found
        return Arrival(source.astype(np.intp), at.astype(np.intp), spent)


@njit(nogil=True)
def _settle(
    starts: Whole,
    ends: Whole,
    costs: Floats,
    entry_starts: Whole,
    entry_node: Whole,
    entry_cost: Floats,
    limit: float,
    best: Floats,
) -> tuple[Whole, Whole, Floats]:
    source, node, cost = np.empty(ROOM, np.int32), np.empty(ROOM, np.int32), np.empty(ROOM)
    key, item, size, count = np.empty(ROOM), np.empty(ROOM, np.int32), 0, 0
    for s in range(len(entry_starts) - 1):
        first = count
        for e in range(entry_starts[s], entry_starts[s + 1]):
            if entry_cost[e] <= limit and entry_cost[e] < best[entry_node[e]]:
                best[entry_node[e]] = entry_cost[e]
                key, item, size = _push(key, item, size, entry_cost[e], entry_node[e])
        while size:
            at, here = key[0], item[0]
            size = _pop(key, item, size)
            if at > best[here]:  # a dearer way to where it has been
                continue
            if count == len(node):
                source, node, cost = _longer(source), _longer(node), _longer(cost)
            source[count], node[count], cost[count] = s, here, at
            count += 1
            for e in range(starts[here], starts[here + 1]):
                there = at + costs[e]
                if there <= limit and there < best[ends[e]]:
                    best[ends[e]] = there
                    key, item, size = _push(key, item, size, there, ends[e])
        for k in range(first, count):
            best[node[k]] = np.inf
    return source[:count], node[:count], cost[:count]


@njit(nogil=True)
def _longer(array: NDArray[Any]) -> NDArray[Any]:
    grown = np.empty(2 * len(array), array.dtype)
    grown[: len(array)] = array
    return grown


@njit(nogil=True)
def _push(key: Floats, item: Whole, size: int, cost: float, node: int) -> tuple[Floats, Whole, int]:
    # a binary heap in two arrays
    if size == len(key):
        key, item = _longer(key), _longer(item)
    k = size
    while k and key[(k - 1) >> 1] > cost:
        key[k], item[k] = key[(k - 1) >> 1], item[(k - 1) >> 1]
        k = (k - 1) >> 1
    key[k], item[k] = cost, node
    return key, item, size + 1


@njit(nogil=True)
def _pop(key: Floats, item: Whole, size: int) -> int:
    size -= 1
    cost, node, k = key[size], item[size], 0
    while 2 * k + 1 < size:
        child = 2 * k + 1
        if child + 1 < size and key[child + 1] < key[child]:
            child += 1
        if key[child] >= cost:
            break
        key[k], item[k] = key[child], item[child]
        k = child
    key[k], item[k] = cost, node
    return size
