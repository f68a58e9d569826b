"""Bounded search: all nodes of a graph within a cost of many sources, never as a dense matrix."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from futuremap.errors import LabelError

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
Engine = Literal["auto", "scipy", "numba"]
TOGETHER = 128  # sources searched at a time
DENSE = 2**20  # numbers of a dense answer of scipy at a time: 8 MiB


class Arrival(NamedTuple):
    """Nodes and what it costs to get from a source to them.

    source
        Position of the source ``(K,)``.
    node
        Position of the node ``(K,)``.
    cost
        In the unit of the graph's weights ``(K,)``.
    """

    source: Positions
    node: Positions
    cost: Floats


def search(
    graph: sparse.csr_array,
    seeds: Arrival,
    *,
    sources: int,
    limit: float,
    engine: Engine = "auto",
) -> Iterator[Arrival]:
    """Nodes within a cost of every source, some sources at a time.

    Parameters
    ----------
    graph
        Cost of each directed edge ``(N, N)``, none negative; zeros are edges where stored.
    seeds
        Nodes at which each source enters the graph, and what that costs. A source may have
        several, such as both ends of the street it stands in.
    sources
        Count of sources.
    limit
        Largest cost; what costs exactly so much is within.
    engine
        "numba" needs the extra ``[fast]``; "auto" takes it where it is installed. Both give
        the same nodes and costs.

    Yields
    ------
    Arrival
        Of the next sources, sorted by source; each node of a source once, in any order.

    Raises
    ------
    LabelError
        If a cost is negative or not a number.

    Notes
    -----
    Without numba, one search from all sources of a part together finds the nodes that any of
    them reaches; every shortest path within the limit runs through these alone, so each
    source is then searched in that small graph, exactly. Sources of a part should be neighbours.

    References
    ----------
    E. W. Dijkstra (1959), "A note on two problems in connexion with graphs".

    Examples
    --------
    A street of three nodes, 5 minutes each, entered at its first node after a minute:

    >>> street = sparse.csr_array(np.array([[0.0, 5, 0], [0, 0, 5], [0, 0, 0]]))
    >>> entry = Arrival(np.array([0]), np.array([0]), np.array([1.0]))
    >>> [(part.node.tolist(), part.cost.tolist())
    ...  for part in search(street, entry, sources=1, limit=6.0)]
    [([0, 1], [1.0, 6.0])]
    """
    if not (graph.data >= 0).all() or not (seeds.cost >= 0).all():
        raise LabelError("a cost of an edge or of an entry is negative or not a number")
    entries = least(seeds, nodes=graph.shape[0])
    starts = np.searchsorted(entries.source, np.arange(sources + 1))
    if engine == "numba" or (engine == "auto" and find_spec("numba") is not None):
        from futuremap.catchment import bounded_fast  # noqa: PLC0415 - needs the extra [fast]

        workspace = bounded_fast.Workspace(graph)
    else:
        workspace = None
    for first in range(0, sources, TOGETHER):
        span = starts[first : first + TOGETHER + 1]
        node, cost = entries.node[span[0] : span[-1]], entries.cost[span[0] : span[-1]]
        own = span - span[0]
        if workspace is None:
            found = _by_scipy(graph, own, node, cost, limit=limit)
        else:
            found = workspace.settle(own, node, cost, limit=limit)
        yield found._replace(source=found.source + first)


def least(arrivals: Arrival, *, nodes: int) -> Arrival:
    """The cheapest arrival of each source at each node, sorted by source and then by node.

    Examples
    --------
    >>> twice = Arrival(np.array([0, 0]), np.array([3, 3]), np.array([2.0, 1.0]))
    >>> least(twice, nodes=4).cost.tolist()
    [1.0]
    """
    key = arrivals.source.astype(np.int64) * nodes + arrivals.node
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    if not len(starts):
        return arrivals
    cost = np.minimum.reduceat(arrivals.cost[order], starts)
    first = order[starts]
    return Arrival(arrivals.source[first], arrivals.node[first], cost)


def to_nearest(graph: sparse.csr_array, seeds: Arrival, *, sources: int, limit: float) -> Arrival:
    """The source that is nearest to each node, in one search from all of them.

    Parameters
    ----------
    graph, seeds, sources, limit
        As for :func:`search`.

    Returns
    -------
    Arrival
        One row for each node within the limit of any source, sorted by node.

    Examples
    --------
    >>> street = sparse.csr_array(np.array([[0.0, 5, 0], [5, 0, 5], [0, 5, 0]]))
    >>> ends = Arrival(np.array([0, 1]), np.array([0, 2]), np.array([0.0, 1.0]))
    >>> to_nearest(street, ends, sources=2, limit=9.0).source.tolist()
    [0, 0, 1]
    """
    entries = least(seeds, nodes=graph.shape[0])
    starts = np.searchsorted(entries.source, np.arange(sources + 1))
    count = graph.shape[0]
    cost, _, origin = dijkstra(
        _entered(graph, starts, entries.node, entries.cost),
        indices=np.arange(count, count + sources),
        min_only=True,
        limit=limit,
        return_predecessors=True,
    )
    node = np.flatnonzero(np.isfinite(cost[:count]))
    return Arrival(origin[node].astype(np.intp) - count, node, cost[node])


def _by_scipy(
    graph: sparse.csr_array,
    starts: Positions,
    node: Positions,
    cost: Floats,
    *,
    limit: float,
) -> Arrival:
    sources, count = len(starts) - 1, graph.shape[0]
    entered = _entered(graph, starts, node, cost)
    doors = np.arange(count, count + sources)
    around = dijkstra(entered, indices=doors, min_only=True, limit=limit)
    inside = np.flatnonzero(np.isfinite(around))
    small = sparse.csr_array(entered[inside][:, inside])
    doors = np.searchsorted(inside, doors)
    nodes = inside[: doors[0]]
    parts = []
    rows = max(1, DENSE // len(inside))
    for first in range(0, sources, rows):
        costs = dijkstra(small, indices=doors[first : first + rows], limit=limit)[:, : len(nodes)]
        source, at = np.nonzero(np.isfinite(costs))
        parts.append(Arrival(source + first, nodes[at], costs[source, at]))
    return Arrival(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _entered(
    graph: sparse.csr_array,
    starts: Positions,
    node: Positions,
    cost: Floats,
) -> sparse.csr_array:
    # every source as a node of its own, from which edges lead in and none leads back
    count = graph.shape[0] + len(starts) - 1
    return sparse.csr_array(
        (
            np.concatenate([graph.data, cost]),
            np.concatenate([graph.indices, node]),
            np.concatenate([graph.indptr, graph.indptr[-1] + starts[1:]]),
        ),
        shape=(count, count),
    )
