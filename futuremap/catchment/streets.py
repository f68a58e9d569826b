"""Streets of a network for one way of moving, and where facilities and places stand on them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from scipy import sparse

from futuremap.core.network import Network
from futuremap.core.zones import GEOGRAPHIC, Zones, plane_epsg
from futuremap.errors import LabelError

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
Mode = Literal["walk", "car", "bus"]
Speed = float | Mapping[str, float]
WALK = 4.8  # 80 m a minute, 不動産の表示に関する公正競争規約施行規則 [km/h]
RIDE, BOARD = "bus ride", "bus stop"  # kinds of edges that only bus users see
PER_MINUTE = 1000 / 60  # metres a minute of 1 km/h
SEVERAL = ";"  # between the kinds of an edge that has several
# degrees on GRS80 at height 0 to Cartesian coordinates: lengths without a plane's distortion
_TO_SPACE = pyproj.Transformer.from_pipeline(
    "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +ellps=GRS80"
)


class Streets(NamedTuple):
    """Straight pieces between two nodes, each once, with the time it takes each way.

    low, high
        Positions of the nodes ``(S,)``, low the one farther west (south, if none is), so that
        nothing depends on how nodes are numbered.
    up, down
        Time from low to high and back; infinite where closed ``(S,)``. [min]
    back
        Times against the direction of travel ``(N, N)``: from a facility to where people
        come from. [min]
    walk
        Speed of people on foot, also to and from the street. [m/min]
    """

    low: Positions
    high: Positions
    up: Floats
    down: Floats
    back: sparse.csr_array
    walk: float


class Footing(NamedTuple):
    """Points on their nearest streets; on all of them where several are as near.

    zone, street
        Positions of the zone and of the street ``(K,)``.
    along
        How far from the low to the high end, 0 to 1 ``(K,)``. [ratio]
    walk
        Straight line between zone and street ``(K,)``. [m]
    distance
        The same by zone; infinite if there is no street ``(Z,)``. [m]
    """

    zone: Positions
    street: Positions
    along: Floats
    walk: Floats
    distance: Floats

    def within(self, farthest: float) -> Footing:
        """Those no farther from their street than this. [m]"""
        near = self.walk <= farthest
        return self._replace(
            zone=self.zone[near],
            street=self.street[near],
            along=self.along[near],
            walk=self.walk[near],
        )


@cache
def car_speeds() -> Mapping[str, float]:
    """Speed of cars by kind of road, from ``speeds.csv``: assumptions, to be replaced. [km/h]

    Examples
    --------
    >>> car_speeds()["residential"]
    20.0
    """
    text = (files("futuremap.catchment") / "speeds.csv").read_text(encoding="utf-8")
    return {row["kind"]: float(row["speed"]) for row in csv.DictReader(text.splitlines())}


def streets(network: Network, *, mode: Mode, speed: Speed | None = None) -> Streets:
    """The streets that people on foot, or cars, may use.

    Parameters
    ----------
    network
        The road graph.
    mode
        On foot, by car, or on foot and by bus on a network that has buses
        (:func:`futuremap.catchment.bus.with_bus`); stops are reached on foot alone.
    speed
        One speed, or for cars one by kind of edge, "" standing for all others. On foot 4.8
        if not given; by car those of :func:`car_speeds`. Where an edge has a speed of its own
        too, cars drive at the lower of both: a limit is no promise. [km/h]

    Raises
    ------
    LabelError
        If a speed is not above 0, or nothing says how fast cars are on an edge.
    """
    usable = network.by_car if mode == "car" else network.on_foot
    usable = usable & (network.start != network.end)
    walk = (speed if mode == "walk" and isinstance(speed, int | float) else WALK) * PER_MINUTE
    if mode != "car":
        per_minute = np.full(int(usable.sum()), walk)
    else:
        chosen = car_speeds() if speed is None else speed
        per_minute = _by_car(network, usable, chosen) * PER_MINUTE
    if not (per_minute > 0).all() or not walk > 0:
        raise LabelError("speeds must be known, and above 0 km/h")
    minutes = network.length[usable] / per_minute
    rank = _rank(network)
    start, end, minutes = _fastest(network.start[usable], network.end[usable], minutes, rank)
    upward = rank[start] < rank[end]
    low, high = np.where(upward, start, end), np.where(upward, end, start)
    key = rank[low].astype(np.int64) * len(network) + rank[high]
    distinct, first, street = np.unique(key, return_index=True, return_inverse=True)
    up, down = np.full((2, len(distinct)), np.inf)
    up[street[upward]], down[street[~upward]] = minutes[upward], minutes[~upward]
    if mode == "bus":
        start, end, minutes = _with_rides(network, (start, end, minutes), rank)
    shape = (len(network), len(network))
    back = sparse.csr_array(sparse.coo_array((minutes, (end, start)), shape=shape))
    return Streets(low[first], high[first], up, down, back, walk)


def footing(zones: Zones, network: Network, *, ways: Streets) -> Footing:
    """Where points stand on the nearest streets.

    Parameters
    ----------
    zones
        Points, all in one plane zone.
    network, ways
        The road graph and its streets.

    Notes
    -----
    The nearest point of a street is taken, not its nearest node: junctions may be hundreds of
    metres apart. It is found in the plane zone and measured in space, on the ellipsoid.
    """
    points = shapely.get_coordinates(zones.geometry)
    distance = np.full(len(zones), np.inf)
    if not len(ways.low) or not len(zones):
        nothing = np.empty(0, dtype=np.intp)
        return Footing(nothing, nothing, np.empty(0), np.empty(0), distance)
    plane = pyproj.Transformer.from_crs(GEOGRAPHIC, plane_epsg(zones.plane_zone), always_xy=True)
    flat = np.column_stack(plane.transform(network.longitude, network.latitude))
    lines = shapely.linestrings(np.stack([flat[ways.low], flat[ways.high]], axis=1))
    seen = shapely.points(np.column_stack(plane.transform(points[:, 0], points[:, 1])))
    zone, street = shapely.STRtree(lines).query_nearest(seen, all_matches=True)
    here = _space(points[:, 0], points[:, 1])[zone]
    nodes = _space(network.longitude, network.latitude)
    start = nodes[ways.low[street]]
    leg = nodes[ways.high[street]] - start
    square = (leg**2).sum(axis=1)
    along = ((here - start) * leg).sum(axis=1) / np.where(square > 0, square, 1.0)
    along = np.clip(along, 0.0, 1.0)
    walk = np.sqrt(((here - start - along[:, None] * leg) ** 2).sum(axis=1))
    np.minimum.at(distance, zone, walk)
    return Footing(zone, street, along, walk, distance)


def _by_car(network: Network, usable: NDArray[np.bool_], chosen: Speed) -> Floats:
    if isinstance(chosen, int | float):
        return np.full(int(usable.sum()), float(chosen))
    kinds, position = np.unique(network.kind[usable].astype(str), return_inverse=True)
    other = chosen.get("", np.nan)
    by_kind = [
        min((chosen[one] for one in kind.split(SEVERAL) if one in chosen), default=other)
        for kind in kinds.tolist()
    ]
    return np.fmin(np.array(by_kind, dtype=np.float64)[position], network.speed[usable])


def _with_rides(
    network: Network,
    on_foot: tuple[Positions, Positions, Floats],
    rank: Positions,
) -> tuple[Positions, Positions, Floats]:
    # nobody stands on a ride: it adds ways between nodes, not streets
    rides = np.isin(network.kind.astype(str), (RIDE, BOARD)) & (network.start != network.end)
    minutes = network.length[rides] / (network.speed[rides] * PER_MINUTE)
    ways = _fastest(network.start[rides], network.end[rides], minutes, rank)
    start, end, all_minutes = (np.concatenate(pair) for pair in zip(on_foot, ways, strict=True))
    return start, end, all_minutes


def _rank(network: Network) -> Positions:
    order = np.lexsort((network.latitude, network.longitude))
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank


def _fastest(
    start: Positions,
    end: Positions,
    minutes: Floats,
    rank: Positions,
) -> tuple[Positions, Positions, Floats]:
    # of parallel edges the fastest; all of it in an order that only coordinates decide
    order = np.lexsort((minutes, rank[end], rank[start]))
    start, end, minutes = start[order], end[order], minutes[order]
    first = (np.diff(start, prepend=-1) != 0) | (np.diff(end, prepend=-1) != 0)
    return start[first], end[first], minutes[first]


def _space(longitude: Floats, latitude: Floats) -> Floats:
    return np.column_stack(_TO_SPACE.transform(longitude, latitude, np.zeros_like(longitude)))
