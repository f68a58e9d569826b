"""Bus: lines of buses, as they run or as one would, over the streets that lead to the stops."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from futuremap.catchment.streets import BOARD, PER_MINUTE, RIDE, WALK, Mode, footing, streets
from futuremap.core.network import Network
from futuremap.core.zones import Zones
from futuremap.errors import LabelError

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
FROM_LINE = 100.0  # straight line from a stop to its bus line [m]
INSTANT = 1e-6  # the graph has no edges without a time [min]


class WithBus(NamedTuple):
    """Streets with buses.

    network
        Streets, lines and the boarding between them; for ``mode="bus"`` of the rules of networks.
        People on foot and cars see the streets alone.
    far
        Ids of the stops that lie too far from every line: nobody boards there.
    """

    network: Network
    far: tuple[str, ...]


class Junctions(NamedTuple):
    """A network with a node at the foot of each point on its nearest street.

    network
        Its streets, cut there.
    node
        Position of the node of each point, -1 where there is no street ``(P,)``.
    distance
        Straight line to it, infinite where there is none ``(P,)``. [m]
    """

    network: Network
    node: Positions
    distance: Floats


def with_bus(
    roads: Network,
    lines: Network,
    stops: Zones,
    *,
    speed: float,
    wait: float,
) -> WithBus:
    """Lay bus lines over the streets.

    Parameters
    ----------
    roads
        Streets on which people walk.
    lines
        Where buses run, in the directions in which they do.
    stops
        Points at which people get on and off.
    speed
        Of the bus from stop to stop, with its halts (表定速度). [km/h]
    wait
        From the stop to the ride, at each boarding; half the interval between buses where
        people come without looking at the timetable. [min]

    Raises
    ------
    LabelError
        If `speed` is not above 0 or `wait` is negative.

    Notes
    -----
    A stop belongs to the nearest street and the nearest line within 100 m; both are cut there.
    Changing from line to line where lines share a node takes no time: a ride is a ride on the
    network of all lines. Where lines must not be mixed, give them as lines that do not meet.

    Examples
    --------
    Two stops 2 km apart on a street; the bus takes 8 minutes at 15 km/h, walking takes 25:

    >>> import shapely
    >>> yes = np.ones(2, dtype=bool)
    >>> street = Network(np.array([133.0, 133.0218]), np.array([34.4, 34.4]), np.array([0, 1]),
    ...                  np.array([1, 0]), np.full(2, 2000.0), np.full(2, "", dtype=object),
    ...                  np.full(2, np.nan), yes, yes)
    >>> stops = Zones.build(["a", "b"], shapely.points([133.0, 133.0218], [34.4, 34.4]),
    ...                     names=["a", "b"], parents=["34204"] * 2, kind="place", plane_zone=3)
    >>> both = with_bus(street, street, stops, speed=15.0, wait=5.0).network
    >>> from futuremap.catchment.network import nearest_time
    >>> nearest_time(Zones(stops.frame[:1], "facility", 3), stops, both,
    ...              mode="bus").minutes.round(2).tolist()
    [0.0, 13.0]
    """
    if not speed > 0 or not wait >= 0:
        raise LabelError(f"a bus of {speed} km/h after a wait of {wait} minutes")
    near = footing(stops, lines, ways=streets(lines, mode="car")).distance <= FROM_LINE
    served = Zones(stops.frame[near], stops.kind, stops.plane_zone, sources=stops.sources)
    track = with_junctions(lines, served, mode="car")
    streets_ = with_junctions(roads, served, mode="walk")
    joined = streets_.node >= 0
    at_street, at_line = streets_.node[joined], track.node[joined] + len(streets_.network)
    walk = (streets_.distance[joined] + track.distance[joined]) / (WALK * PER_MINUTE)
    ride = track.network.by_car
    count = len(walk)
    boarding = np.concatenate([walk + wait, walk]) + INSTANT
    first, then = streets_.network, track.network
    extra = int(ride.sum()) + 2 * count
    network = Network(
        np.concatenate([first.longitude, then.longitude]),
        np.concatenate([first.latitude, then.latitude]),
        np.concatenate([first.start, then.start[ride] + len(first), at_street, at_line]),
        np.concatenate([first.end, then.end[ride] + len(first), at_line, at_street]),
        np.concatenate([first.length, then.length[ride], boarding * WALK * PER_MINUTE]),
        np.concatenate([first.kind, np.full(extra - 2 * count, RIDE, dtype=object),
                        np.full(2 * count, BOARD, dtype=object)]),
        np.concatenate([first.speed, np.full(extra - 2 * count, speed), np.full(2 * count, WALK)]),
        np.concatenate([first.on_foot, np.zeros(extra, dtype=np.bool_)]),
        np.concatenate([first.by_car, np.zeros(extra, dtype=np.bool_)]),
        tuple(sorted({*first.sources, *then.sources, *stops.sources})),
    )  # fmt: skip
    return WithBus(network, tuple(stops.frame.index[~near]))


class Along(NamedTuple):
    """A bus line along roads.

    network
        The roads that it runs on, in its directions.
    stops
        Its stops, on those roads.
    distance
        From each stop as given to the nearest road ``(P,)``. [m]
    broken
        Positions of the stops from which no road leads to the next ``(B,)``.
    """

    network: Network
    stops: Zones
    distance: Floats
    broken: tuple[int, ...]


def along_roads(roads: Network, stops: Zones, *, back: bool = True) -> Along:
    """The shortest way by car from each stop to the next, and back.

    Parameters
    ----------
    roads
        The road graph.
    stops
        Stops in the order in which the bus calls at them.
    back
        Whether it also runs the other way, where roads lead so.

    Examples
    --------
    >>> import shapely
    >>> yes = np.ones(4, dtype=bool)
    >>> street = Network(np.array([133.0, 133.01, 133.02]), np.full(3, 34.4),
    ...                  np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1]), np.full(4, 920.0),
    ...                  np.full(4, "", dtype=object), np.full(4, np.nan), yes, yes)
    >>> stops = Zones.build(["a", "b"], shapely.points([133.005, 133.015], [34.4, 34.4]),
    ...                     names=["a", "b"], parents=["34204"] * 2, kind="place", plane_zone=3)
    >>> line = along_roads(street, stops)
    >>> line.network.length.round().tolist(), line.broken
    ([460.0, 460.0, 460.0, 460.0], ())
    """
    cut = with_junctions(roads, stops, mode="car")
    shortest = _shortest(cut.network)
    legs = [(i, i + 1) for i in range(len(stops) - 1)]
    ways = [_way(shortest, *cut.node[[i, j]].tolist()) for i, j in legs]
    broken = tuple(i for (i, _), way in zip(legs, ways, strict=True) if way is None)
    if back:
        ways += [_way(shortest, *cut.node[[j, i]].tolist()) for i, j in reversed(legs)]
    pieces = [np.stack([way[:-1], way[1:]]) for way in ways if way is not None]
    edges = np.unique(np.concatenate([np.empty((2, 0), dtype=np.intp), *pieces], axis=1), axis=1)
    nodes, ends = np.unique(edges, return_inverse=True)
    start, end = ends.reshape(edges.shape)
    count = len(start)
    yes = np.ones(count, dtype=np.bool_)
    network = Network(
        cut.network.longitude[nodes], cut.network.latitude[nodes], start, end,
        np.asarray(shortest[edges[0], edges[1]], dtype=np.float64).reshape(count),
        np.full(count, "", dtype=object), np.full(count, np.nan), yes, yes, roads.sources,
    )  # fmt: skip
    joined = cut.node >= 0
    points = stops.geometry.copy()
    points[joined] = shapely.points(
        cut.network.longitude[cut.node[joined]], cut.network.latitude[cut.node[joined]]
    )
    on_road = replace(stops, frame=stops.frame.set_geometry(points, crs=stops.frame.crs))
    return Along(network, on_road, cut.distance, broken)


def _shortest(network: Network) -> sparse.csr_array:
    """Length of the shortest edge by car between every two nodes ``(N, N)``. [m]"""
    edges = np.flatnonzero(network.by_car)
    order = edges[np.lexsort((network.length[edges], network.end[edges], network.start[edges]))]
    pairs = np.stack([network.start[order], network.end[order]])
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)
    kept = order[first]
    length = np.maximum(network.length[kept], INSTANT)  # the graph has no edges without a length
    size = (len(network), len(network))
    return sparse.csr_array((length, (network.start[kept], network.end[kept])), shape=size)


def _way(lengths: sparse.csr_array, first: int, last: int) -> Positions | None:
    """Nodes of the shortest way; None if there is no way, or no road at one of its ends."""
    if min(first, last) < 0:
        return None
    found, before = csgraph.dijkstra(lengths, indices=first, return_predecessors=True)
    if not np.isfinite(found[last]):
        return None
    nodes = [last]
    while nodes[-1] != first:
        nodes.append(int(before[nodes[-1]]))
    return np.array(nodes[::-1], dtype=np.intp)


def with_junctions(network: Network, points: Zones, *, mode: Mode) -> Junctions:
    """Cut the nearest street of each point at its foot.

    Parameters
    ----------
    network
        The road graph.
    points
        Points, all in one plane zone.
    mode
        Whose streets.

    Examples
    --------
    >>> import shapely
    >>> yes = np.ones(1, dtype=bool)
    >>> street = Network(np.array([133.0, 133.01]), np.array([34.4, 34.4]), np.array([0]),
    ...                  np.array([1]), np.array([920.0]), np.array([""], dtype=object),
    ...                  np.array([np.nan]), yes, yes)
    >>> stop = Zones.build(["s"], [shapely.Point(133.0025, 34.4)], names=["s"],
    ...                    parents=["34204"], kind="place", plane_zone=3)
    >>> cut = with_junctions(street, stop, mode="walk")
    >>> cut.node.tolist(), cut.network.length.round().tolist()
    ([2], [230.0, 690.0])
    """
    count = len(network)
    ways = streets(network, mode=mode)
    on = footing(points, network, ways=ways)
    _, first = np.unique(on.zone, return_index=True)
    point, street, along, distance = (
        column[first] for column in (on.zone, on.street, on.along, on.walk)
    )
    node, away = np.full(len(points), -1, dtype=np.intp), np.full(len(points), np.inf)
    node[point], away[point] = count + np.arange(len(point)), distance
    low, high = ways.low[street], ways.high[street]
    east, north = (
        np.concatenate([axis, axis[low] + along * (axis[high] - axis[low])])
        for axis in (network.longitude, network.latitude)
    )
    usable = network.on_foot if mode == "walk" else network.by_car
    edge, cut = _on_edges(network, usable, low, high)
    share = np.where(network.start[edge] == low[cut], along[cut], 1 - along[cut])
    kept = np.setdiff1d(np.arange(len(network.start)), edge)
    start, end, length, source = _pieces(network, edge, count + cut, share)
    of = np.concatenate([kept, source])
    return Junctions(
        Network(
            east,
            north,
            np.concatenate([network.start[kept], start]),
            np.concatenate([network.end[kept], end]),
            np.concatenate([network.length[kept], length]),
            network.kind[of],
            network.speed[of],
            network.on_foot[of],
            network.by_car[of],
            network.sources,
        ),
        node,
        away,
    )


def _on_edges(
    network: Network,
    usable: NDArray[np.bool_],
    low: Positions,
    high: Positions,
) -> tuple[Positions, Positions]:
    """Edges along the streets of the points, both ways, and the point of each ``(K,)``."""
    count = len(network)
    ends = np.minimum(network.start, network.end) * count + np.maximum(network.start, network.end)
    wanted = np.minimum(low, high) * count + np.maximum(low, high)
    order = np.argsort(wanted, kind="stable")
    edges = np.flatnonzero(usable & np.isin(ends, wanted))
    first = np.searchsorted(wanted[order], ends[edges], side="left")
    often = np.searchsorted(wanted[order], ends[edges], side="right") - first
    edge = np.repeat(edges, often)
    before = np.repeat(np.cumsum(often) - often, often)
    return edge, order[np.repeat(first, often) + np.arange(len(edge)) - before]


def _pieces(
    network: Network,
    edge: Positions,
    node: Positions,
    share: Floats,
) -> tuple[Positions, Positions, Floats, Positions]:
    """Edges cut at nodes: starts, ends and lengths of the pieces, and the edge of each."""
    whole = np.unique(edge)
    rank = np.repeat([0, 1, 2], [len(whole), len(edge), len(whole)])
    of = np.concatenate([whole, edge, whole])
    at = np.concatenate([np.zeros(len(whole)), share, np.ones(len(whole))])
    nodes = np.concatenate([network.start[whole], node, network.end[whole]])
    order = np.lexsort((nodes, at, rank, of))
    of, at, nodes = of[order], at[order], nodes[order]
    same = np.flatnonzero(of[1:] == of[:-1])
    length = network.length[of[same]] * (at[same + 1] - at[same])
    return nodes[same], nodes[same + 1], length, of[same]
