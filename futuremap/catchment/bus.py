"""Bus: the lines of buses laid over the streets on which people walk to the stops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
