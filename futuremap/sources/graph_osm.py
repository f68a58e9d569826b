"""What OpenStreetMap's words mean for people on foot and for cars, and a Network made of them.

Defaults are those of https://wiki.openstreetmap.org/wiki/OSM_tags_for_routing, without the
rules of other countries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray

from futuremap.core.network import Network

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
TAGS = ("highway", "oneway", "maxspeed", "junction", "access", "foot", "motor_vehicle")
NOT_OPEN = frozenset(("construction", "proposed", "abandoned", "razed", "raceway", "platform"))
NO_FOOT = NOT_OPEN | {"motorway", "motorway_link", "bus_guideway", "busway"}
NO_CARS = NOT_OPEN | {
    "footway", "path", "steps", "pedestrian", "corridor", "cycleway", "bridleway", "elevator",
    "bus_guideway", "busway", "via_ferrata", "escalator",
}  # fmt: skip
CLOSED = frozenset(("no", "private"))
OPEN = frozenset(("yes", "designated", "permissive", "public"))
ONE_WAY = {
    "": 0, "no": 0, "false": 0, "0": 0, "b": 0,
    "yes": 1, "true": 1, "1": 1, "f": 1, "-1": -1, "reverse": -1, "t": -1,
}  # fmt: skip
MILE = 1.609344  # [km]
SEVERAL = ";"  # between the kinds of an edge that has several
_SPEED = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?) ?(km/h|kmh|kph|mph)?")
_GEOD = pyproj.Geod(ellps="GRS80")


class Words(NamedTuple):
    """What the tags of ways say, each ``(E,)``.

    kind
        Values of ``highway``; several of one way stand with ";" between them.
    speed
        Lowest of ``maxspeed``, NaN where there is none. [km/h]
    on_foot, by_car
        Whether people on foot, and cars, may use the way at all.
    one_way
        1 or -1 where cars may go only along or against it, else 0.
    unread
        Values of ``oneway`` and ``maxspeed`` that say nothing to us, with how often they stand.
    """

    kind: NDArray[np.object_]
    speed: Floats
    on_foot: NDArray[np.bool_]
    by_car: NDArray[np.bool_]
    one_way: NDArray[np.int8]
    unread: Mapping[str, int]


class Ways(NamedTuple):
    """Ways between nodes, each once in the direction it is drawn, each ``(E,)``.

    start, end
        Positions of nodes.
    length
        Length. [m]
    forward, backward
        Whether people on foot and cars may go along it and against it ``(2, E)``.
    kind, speed
        As in :class:`Words`.
    """

    start: Positions
    end: Positions
    length: Floats
    forward: NDArray[np.bool_]
    backward: NDArray[np.bool_]
    kind: NDArray[np.object_]
    speed: Floats


def one_or_more(text: str) -> list[str]:
    """Values of a tag: OSMnx writes those of joined ways as a list, mappers with semicolons.

    Examples
    --------
    >>> one_or_more("['primary', 'tertiary']"), one_or_more("40; 50"), one_or_more("")
    (['primary', 'tertiary'], ['40', '50'], [])
    """
    if text.startswith("["):
        text = text.strip("[]").replace("'", "").replace('"', "").replace(",", SEVERAL)
    return [part.strip() for part in text.split(SEVERAL) if part.strip()]


def max_speed(text: str) -> float | None:
    """The lowest speed that a text names, NaN if it is empty, None if it names none. [km/h]

    Examples
    --------
    >>> max_speed("50"), round(max_speed("30 mph")), max_speed("['50', '40']"), max_speed("walk")
    (50.0, 48, 40.0, None)
    """
    speeds = []
    for part in one_or_more(text):
        found = _SPEED.fullmatch(part)
        if found is None or float(found[1]) == 0:
            return None
        speeds.append(float(found[1]) * (MILE if found[2] == "mph" else 1.0))
    return min(speeds, default=np.nan)


def words(tags: Mapping[str, NDArray[np.object_]]) -> Words:
    """What tags say.

    Parameters
    ----------
    tags
        Texts of :data:`TAGS` by name, each ``(E,)``; empty where a way has none, and left out
        where no way has one.

    Examples
    --------
    >>> said = words({"highway": np.array(["motorway", "steps"], dtype=object)})
    >>> said.on_foot.tolist(), said.by_car.tolist(), said.one_way.tolist()
    ([False, True], [True, False], [1, 0])
    """
    count = len(next(iter(tags.values())))
    nothing = np.full(count, "", dtype=object)
    rows = pd.MultiIndex.from_arrays([tags.get(name, nothing) for name in TAGS])
    position, distinct = pd.factorize(rows)
    unread: dict[str, int] = {}
    said = [_words(dict(zip(TAGS, row, strict=True))) for row in distinct]
    for (*_, bad), often in zip(said, np.bincount(position), strict=True):
        for value in bad:
            unread[value] = unread.get(value, 0) + int(often)
    kind, speed, on_foot, by_car, one_way = (
        np.array([row[i] for row in said], dtype=dtype)[position]
        for i, dtype in enumerate((object, np.float64, np.bool_, np.bool_, np.int8))
    )
    return Words(kind, speed, on_foot, by_car, one_way, unread)


def _words(tags: Mapping[str, str]) -> tuple[str, float, bool, bool, int, list[str]]:
    kinds = one_or_more(tags["highway"])
    shut = tags["access"] in CLOSED
    foot = not (shut or tags["foot"] in CLOSED or NO_FOOT & set(kinds)) or (
        tags["foot"] in OPEN and not NOT_OPEN & set(kinds)
    )
    car = not (shut or tags["motor_vehicle"] in CLOSED or NO_CARS & set(kinds)) or (
        shut and tags["motor_vehicle"] in OPEN and not NO_CARS & set(kinds)
    )
    unread = []
    one_way = ONE_WAY.get(tags["oneway"].lower())
    if one_way is None:
        unread.append(f"oneway={tags['oneway']}")
        one_way = 0
    elif not tags["oneway"] and (tags["junction"] == "roundabout" or kinds == ["motorway"]):
        one_way = 1
    speed = max_speed(tags["maxspeed"])
    if speed is None:
        unread.append(f"maxspeed={tags['maxspeed']}")
        speed = np.nan
    return SEVERAL.join(kinds), speed, foot, car, one_way, unread


def to_network(
    longitude: Floats,
    latitude: Floats,
    ways: Ways,
    *,
    credit: str,
) -> Network:
    """A Network in which every way is an edge in each direction that is open to anybody.

    Parameters
    ----------
    longitude, latitude
        Nodes in degrees ``(N,)``.
    ways
        What lies between them.
    credit
        Key of the credit line.
    """
    back = ways.backward.any(axis=0)
    used = np.concatenate([ways.forward, ways.backward[:, back]], axis=1)
    return Network(
        longitude,
        latitude,
        np.concatenate([ways.start, ways.end[back]]),
        np.concatenate([ways.end, ways.start[back]]),
        np.concatenate([ways.length, ways.length[back]]),
        np.concatenate([ways.kind, ways.kind[back]]),
        np.concatenate([ways.speed, ways.speed[back]]),
        used[0],
        used[1],
        (credit,),
    )


def on_ellipsoid(longitude: Floats, latitude: Floats, start: Positions, end: Positions) -> Floats:
    """Length of straight lines between nodes, on the ellipsoid ``(E,)``. [m]

    Examples
    --------
    >>> east, north = np.array([133.0, 133.0]), np.array([34.4, 34.4 + 1 / 3600])
    >>> on_ellipsoid(east, north, np.array([0]), np.array([1])).round(1).tolist()
    [30.8]
    """
    ends = (longitude[start], latitude[start], longitude[end], latitude[end])
    return np.asarray(_GEOD.inv(*ends)[2], dtype=np.float64)
