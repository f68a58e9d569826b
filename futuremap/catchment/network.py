"""Reach by travel time on a road graph: who gets to a facility on foot, by car or bus in time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from futuremap.catchment.bounded import Arrival, Engine, least, search, to_nearest
from futuremap.catchment.pairs import Pairs
from futuremap.catchment.reach import require_one_plane
from futuremap.catchment.streets import Footing, Mode, Speed, Streets, footing, streets
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.network import Network
from futuremap.core.zones import Zones
from futuremap.errors import LabelError
from futuremap.problems import Report

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
FARTHEST = 500.0  # straight line to the nearest street [m]
ROUNDING = 1e-9  # a sum of edges may pass the limit by rounding only
NEIGHBOURHOOD = 0.02  # degrees; facilities are searched together with their neighbours
WORDS = {"walk": ("on foot", "徒歩"), "car": ("by car", "自動車"), "bus": ("by bus", "バス")}


class Reached(NamedTuple):
    """Places from which facilities are reached in time.

    reach
        Places to facilities ``(F, M)``: 1 where the time is within. [ratio]
    times
        The same pairs with their times as ``distance``. [min]
    nearest
        Time to the nearest facility; infinite where none is within ``(M,)``. [min]
    far_facilities, far_places
        Ids of those that stand too far from any street: they are in no pair.
    """

    reach: Crosswalk
    times: Pairs
    nearest: Floats
    far_facilities: tuple[str, ...]
    far_places: tuple[str, ...]


class Nearest(NamedTuple):
    """The facility that is reached soonest.

    facility
        Position of the facility, -1 where none is reached ``(M,)``.
    minutes
        Time to it; infinite where none is reached ``(M,)``. [min]
    """

    facility: Positions
    minutes: Floats


class Pieces(NamedTuple):
    """Parts of a network between which no street leads.

    piece
        Position of each node's part, 0 the longest, -1 for nodes without a street ``(N,)``.
    length
        Length of the streets of each part, the longest first ``(K,)``. [m]
    """

    piece: Positions
    length: Floats

    def outside(self) -> float:
        """Share of the length that is not in the longest part. [ratio]"""
        return float(self.length[1:].sum() / self.length.sum()) if self.length.any() else 0.0


class _Ends(NamedTuple):
    # nodes through which zones are entered or left, sorted by node
    zone: Positions
    node: Positions
    minutes: Floats


def within_time(
    facilities: Zones,
    places: Zones,
    network: Network,
    *,
    minutes: float,
    mode: Mode,
    speed: Speed | None = None,
    farthest: float = FARTHEST,
    engine: Engine = "auto",
) -> Reached:
    """Places from which people get to facilities in time, each facility for itself.

    Parameters
    ----------
    facilities, places
        Points.
    network
        The road graph. People travel to the facility, in the direction of its edges.
    minutes
        Longest time, the walk to and from the street in it; exactly so long is within. [min]
    mode
        On foot, by car or by bus.
    speed
        See :func:`futuremap.catchment.streets.streets`. [km/h]
    farthest
        Those whose straight line to the nearest street is longer are not joined to it. [m]
    engine
        See :func:`futuremap.catchment.bounded.search`.

    Returns
    -------
    Reached
        A place reaches several facilities or none.

    Raises
    ------
    CrsError
        If facilities and places stand in different plane zones.
    LabelError
        If `minutes` or `farthest` is not a number of at least 0, or a speed is not above 0.

    Notes
    -----
    Facilities and places stand at the nearest point of the nearest street, which splits its
    time in proportion; the straight line to that point is walked. Of the shortest paths by
    either end of either street, and along a street that both share, the fastest counts.

    References
    ----------
    E. W. Dijkstra (1959), "A note on two problems in connexion with graphs".

    Examples
    --------
    A footpath of 1,200 m along a parallel, and a hall at its western end:

    >>> import shapely
    >>> yes = np.ones(2, dtype=bool)
    >>> path = Network(
    ...     np.array([133.0, 133.013]), np.array([34.4, 34.4]), np.array([0, 1]),
    ...     np.array([1, 0]), np.array([1200.0, 1200.0]),
    ...     np.array(["footway"] * 2, dtype=object), np.full(2, np.nan), yes, ~yes,
    ... )
    >>> def points(east, kind):
    ...     return Zones.build([f"{kind}{i}" for i in range(len(east))],
    ...                        shapely.points(east, [34.4] * len(east)), names=east,
    ...                        parents=["34204"] * len(east), kind=kind, plane_zone=3)
    >>> found = within_time(points([133.0], "facility"), points([133.0065, 133.013], "place"),
    ...                     path, minutes=15, mode="walk")
    >>> found.times.distance.round(3).tolist()
    [7.5, 15.0]
    """
    if not (np.isfinite(minutes) and minutes >= 0):
        raise LabelError(f"a time of {minutes} minutes")
    ways, halls, homes = _joined(facilities, places, network, mode, speed, farthest)
    limit = minutes * (1 + ROUNDING)
    order = _neighbours_together(facilities)
    doors, gates = _ends(halls, ways, arriving=True), _ends(homes, ways, arriving=False)
    standing = np.empty_like(order)
    standing[order] = np.arange(len(order))
    entries = Arrival(standing[doors.zone], doors.node, doors.minutes)
    found = [_along_one(halls, homes, ways, limit)]
    starts = np.searchsorted(gates.node, np.arange(len(network) + 1))
    for part in search(ways.back, entries, sources=len(order), limit=limit, engine=engine):
        at, gate = _matches(part.node, starts)
        total = part.cost[at] + gates.minutes[gate]
        near = total <= limit
        pairs = Arrival(order[part.source[at[near]]], gates.zone[gate[near]], total[near])
        found.append(least(pairs, nodes=len(places)))
    pairs = Arrival(*(np.concatenate(columns) for columns in zip(*found, strict=True)))
    times = Pairs(*least(pairs, nodes=len(places)))
    nearest = np.full(len(places), np.inf)
    np.minimum.at(nearest, times.place, times.distance)
    reach = from_pairs(
        times.facility,
        times.place,
        np.ones(len(times.place)),
        targets=facilities.ids,
        sources=places.ids,
        rule=f"within {minutes:g} minutes {WORDS[mode][0]} on the road network",
        credits=(*facilities.sources, *places.sources, *network.sources),
    )
    far = [_far(*pair, farthest=farthest) for pair in ((facilities, halls), (places, homes))]
    return Reached(reach, times, nearest, *far)


def nearest_time(
    facilities: Zones,
    places: Zones,
    network: Network,
    *,
    mode: Mode,
    minutes: float = np.inf,
    speed: Speed | None = None,
    farthest: float = FARTHEST,
) -> Nearest:
    """Time to the facility that is reached soonest, in one search for all of them.

    Parameters
    ----------
    facilities, places, network, mode, speed, farthest
        As for :func:`within_time`.
    minutes
        Times longer than this are not looked for. [min]

    Raises
    ------
    CrsError
        If facilities and places stand in different plane zones.
    LabelError
        If a speed is not above 0.
    """
    ways, halls, homes = _joined(facilities, places, network, mode, speed, farthest)
    doors, gates = _ends(halls, ways, arriving=True), _ends(homes, ways, arriving=False)
    limit = minutes * (1 + ROUNDING)
    found = [_along_one(halls, homes, ways, limit)]
    if len(facilities):
        entries = Arrival(doors.zone, doors.node, doors.minutes)
        settled = to_nearest(ways.back, entries, sources=len(facilities), limit=limit)
        starts = np.searchsorted(gates.node, np.arange(len(network) + 1))
        at, gate = _matches(settled.node, starts)
        total = settled.cost[at] + gates.minutes[gate]
        found.append(Arrival(settled.source[at], gates.zone[gate], total))
    facility, place, time = (np.concatenate(columns) for columns in zip(*found, strict=True))
    soonest = np.lexsort((facility, time, place))
    soonest = soonest[time[soonest] <= limit]
    first = soonest[np.diff(place[soonest], prepend=-1) != 0]
    nearest = Nearest(np.full(len(places), -1, dtype=np.intp), np.full(len(places), np.inf))
    nearest.facility[place[first]], nearest.minutes[place[first]] = facility[first], time[first]
    return nearest


def components(network: Network, *, mode: Mode) -> Pieces:
    """The parts that a network falls into; one-way streets connect like all others.

    Examples
    --------
    Two streets that do not meet, of 300 m and 100 m:

    >>> yes = np.ones(2, dtype=bool)
    >>> apart = Network(np.arange(133.0, 137.0), np.full(4, 34.4), np.array([0, 2]),
    ...                 np.array([1, 3]), np.array([100.0, 300.0]),
    ...                 np.array(["", ""], dtype=object), np.full(2, np.nan), yes, yes)
    >>> pieces = components(apart, mode="walk")
    >>> pieces.piece.tolist(), pieces.length.tolist(), pieces.outside()
    ([1, 1, 0, 0], [300.0, 100.0], 0.25)
    """
    usable = network.by_car if mode == "car" else network.on_foot
    start, end, length = network.start[usable], network.end[usable], network.length[usable]
    # a street open both ways is one street
    low, high = np.minimum(start, end), np.maximum(start, end)
    order = np.lexsort((length, high, low))
    low, high, length = low[order], high[order], length[order]
    again = (np.diff(low, prepend=-1) == 0) & (np.diff(high, prepend=-1) == 0)
    again &= np.diff(length, prepend=-1) == 0
    low, high, length = low[~again], high[~again], length[~again]
    count = len(network)
    shape = sparse.coo_array((np.ones(len(low)), (low, high)), shape=(count, count))
    _, label = connected_components(shape, directed=False)
    used = np.unique(np.concatenate([label[low], label[high]]))
    total = np.bincount(label[low], weights=length, minlength=count)[used]
    longest = np.argsort(-total, kind="stable")
    piece = np.full(count + 1, -1, dtype=np.intp)
    piece[used[longest]] = np.arange(len(used))
    return Pieces(piece[label], total[longest])


def check_network(
    facilities: Zones,
    places: Zones,
    network: Network,
    *,
    mode: Mode,
    file: str,
    report: Report,
    farthest: float = FARTHEST,
) -> None:
    """Say what a road graph cannot answer: where it falls apart, and who stands far from it.

    Parameters
    ----------
    facilities, places, network, mode, farthest
        As for :func:`within_time`.
    file
        Where the graph comes from, for the problems.
    report
        Takes FM624 (parts), FM625 (a facility far from all streets), FM626 (places far from
        all streets) and FM627 (no street for this mode).

    Raises
    ------
    CrsError
        If facilities and places stand in different plane zones.
    """
    english, japanese = WORDS[mode]
    pieces = components(network, mode=mode)
    if not len(pieces.length):
        report.add("FM627", file=file, value=f"{japanese} / {english}")
        return
    if len(pieces.length) > 1:
        share = f"{pieces.outside():.2%}"
        report.add("FM624", file=file, value=len(pieces.length), share=share, mode=japanese)
    _, halls, homes = _joined(facilities, places, network, mode, None, farthest)
    names = dict(zip(facilities.ids, facilities.names, strict=True))
    distances = dict(zip(facilities.ids, halls.distance.tolist(), strict=True))
    limit = f"{farthest:g}"
    for facility in _far(facilities, halls, farthest=farthest):
        name, far = names[facility], f"{distances[facility]:,.0f}"
        report.add("FM625", file=file, value=facility, name=name, distance=far, farthest=limit)
    if alone := _far(places, homes, farthest=farthest):
        report.add(
            "FM626",
            file=file,
            value=", ".join(alone[:5]),
            count=f"{len(alone):,}",
            all=f"{len(places):,}",
            largest=f"{homes.distance.max():,.0f}",
            farthest=limit,
        )


def _joined(
    facilities: Zones,
    places: Zones,
    network: Network,
    mode: Mode,
    speed: Speed | None,
    farthest: float,
) -> tuple[Streets, Footing, Footing]:
    require_one_plane(facilities, places)
    if not farthest >= 0:
        raise LabelError(f"{farthest} m to the nearest street")
    ways = streets(network, mode=mode, speed=speed)
    halls, homes = (footing(zones, network, ways=ways) for zones in (facilities, places))
    return ways, halls.within(farthest), homes.within(farthest)


def _far(zones: Zones, on: Footing, *, farthest: float) -> tuple[str, ...]:
    return tuple(zones.frame.index[on.distance > farthest])


def _neighbours_together(zones: Zones) -> Positions:
    points = zones.frame.geometry
    east, north = points.x.to_numpy(), points.y.to_numpy()
    row, column = np.floor(north / NEIGHBOURHOOD), np.floor(east / NEIGHBOURHOOD)
    return np.lexsort((north, east, column, row))


def _ends(on: Footing, ways: Streets, *, arriving: bool) -> _Ends:
    # to or from the low end, then the high end; who stands at an end needs no street to it
    up, down = ways.up[on.street], ways.down[on.street]
    to_low, to_high = (up, down) if arriving else (down, up)
    with np.errstate(invalid="ignore"):  # 0 times a closed direction is put right beside it
        low = np.where(on.along == 0, 0.0, on.along * to_low)
        high = np.where(on.along == 1, 0.0, (1 - on.along) * to_high)
    minutes = np.concatenate([low, high]) + np.tile(on.walk / ways.walk, 2)
    node = np.concatenate([ways.low[on.street], ways.high[on.street]])
    open_ = np.flatnonzero(np.isfinite(minutes))
    order = open_[np.argsort(node[open_], kind="stable")]
    return _Ends(np.tile(on.zone, 2)[order], node[order], minutes[order])


def _along_one(halls: Footing, homes: Footing, ways: Streets, limit: float) -> Arrival:
    # from place to facility along a street on which both stand
    order = np.argsort(homes.street, kind="stable")
    starts = np.searchsorted(homes.street[order], np.arange(len(ways.low) + 1))
    hall, at = _matches(halls.street, starts)
    home, street = order[at], halls.street[hall]
    way = halls.along[hall] - homes.along[home]
    with np.errstate(invalid="ignore"):
        ridden = np.where(way > 0, way * ways.up[street], -way * ways.down[street])
    ridden = np.where(way == 0, 0.0, ridden)
    total = ridden + (halls.walk[hall] + homes.walk[home]) / ways.walk
    near = (total <= limit) & np.isfinite(total)
    return Arrival(halls.zone[hall[near]], homes.zone[home[near]], total[near])


def _matches(keys: Positions, starts: Positions) -> tuple[Positions, Positions]:
    # every row of the left with every row of the right that has its key
    counts = starts[keys + 1] - starts[keys]
    left = np.repeat(np.arange(len(keys)), counts)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    return left, np.arange(len(left)) - before + starts[keys][left]
