"""Pairs: which places lie how far from which facilities, in a straight line on the ellipsoid."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from futuremap.catchment.rows import within_chord
from futuremap.core.zones import Zones
from futuremap.errors import LabelError

Floats = NDArray[np.float64]
# GRS80, the ellipsoid of JGD2011 (EPSG:6668); heights are left out, as in official distances
SEMI_MAJOR = 6_378_137.0  # [m]
FLATTENING = 1 / 298.257222101
RADIUS = 6_371_000.0  # of the sphere that turns chords into arcs [m]
TOLD_APART = 3  # decimals of a metre: distances alike to the millimetre are a tie
MARGIN = 1e-6  # of a search beyond its radius, larger than all rounding of a chord [m]


class Pairs(NamedTuple):
    """Places and facilities, sorted by facility and then by place.

    facility, place
        Positions in the order of their zones ``(K,)``.
    distance
        Distance, or travel time where a rule gives it ``(K,)``. [m or min]
    """

    facility: NDArray[np.intp]
    place: NDArray[np.intp]
    distance: Floats


def near(facilities: Zones, places: Zones, *, radius: float) -> Pairs:
    """All pairs within a straight-line distance.

    Parameters
    ----------
    facilities, places
        Points, anywhere in the country: neither needs a plane zone.
    radius
        Distance; a place exactly so far away is within. [m]

    Returns
    -------
    Pairs
        A facility with nobody near is in no pair.

    Raises
    ------
    LabelError
        If a facility or place is not a point, or the radius is not a number above 0.

    Notes
    -----
    Points become Cartesian coordinates on GRS80 (ECEF, height 0), in which distances of the
    whole country are measured; those worth measuring are found in rows of latitude
    (:func:`futuremap.catchment.rows.within_chord`). A chord becomes the arc over it on a sphere:
    beside geodesics in Japan the distance is right within 0.01 mm at 10 km and 1 mm at 50 km.

    Examples
    --------
    One arc second of latitude is about 31 m:

    >>> import numpy as np, shapely
    >>> hall, homes = (
    ...     Zones.build([f"{kind}{i}" for i in range(len(north))],
    ...                 shapely.points([133.0] * len(north), 34.4 + np.array(north) / 3600),
    ...                 names=north, parents=["34204"] * len(north), kind="facility",
    ...                 plane_zone=3)
    ...     for kind, north in (("hall", [0]), ("home", [1, 10, 20]))
    ... )
    >>> pairs = near(hall, homes, radius=500)
    >>> pairs.place.tolist(), pairs.distance.round().tolist()
    ([0, 1], [31.0, 308.0])
    """
    if not 0 < radius < np.inf:
        raise LabelError(f"a radius of {radius} m")
    found = within_chord(
        _degrees_and_space(facilities),
        _degrees_and_space(places),
        arc=radius,
        chord=float(_chord(radius)) + MARGIN,
    )
    distance = _arc(found.chord)
    within = distance <= radius
    return _sorted(
        found.facility[within],
        found.place[within],
        distance[within],
        shape=(len(facilities), len(places)),
    )


def nearest(
    facilities: Zones,
    places: Zones,
    *,
    k: int = 1,
    farthest: float = np.inf,
) -> Pairs:
    """The nearest facilities of every place.

    Parameters
    ----------
    facilities, places
        Points, anywhere in the country.
    k
        How many facilities a place.
    farthest
        Facilities farther away don't count. [m]

    Returns
    -------
    Pairs
        At most `k` pairs a place, fewer where fewer are within `farthest`. Of facilities that
        are equally far, to the millimetre, those with the lower ids come first, whatever the
        order they are given in.

    Raises
    ------
    LabelError
        If a facility or place is not a point, or `k` or `farthest` is not above 0.

    Examples
    --------
    >>> import shapely
    >>> halls, home = (
    ...     Zones.build(ids, shapely.points(east, [34.4] * len(ids)), names=ids,
    ...                 parents=["34204"] * len(ids), kind="facility", plane_zone=3)
    ...     for ids, east in ((["west", "east"], [133.0, 133.03]), (["home"], [133.01]))
    ... )
    >>> nearest(halls, home).facility.tolist()
    [0]
    >>> nearest(halls, home, k=2).distance.round().tolist()
    [919.0, 1839.0]
    """
    if k < 1 or not farthest > 0:
        raise LabelError(f"the {k} nearest facilities within {farthest} m")
    points, tree = cartesian(places), _tree(facilities)
    shape = len(facilities), len(places)
    if not all(shape):
        nobody = np.empty(0, dtype=np.intp)
        return Pairs(nobody, nobody, np.empty(0))
    facility, place, distance = _candidates(tree, points, min(k, len(facilities)))
    rank = np.empty(len(facilities), dtype=np.intp)
    rank[np.argsort(np.asarray(facilities.ids, dtype=object))] = np.arange(len(facilities))
    order = np.lexsort((rank[facility], distance.round(TOLD_APART), place))
    counts = np.bincount(place, minlength=len(places))
    standing = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = order[standing < k]
    kept = kept[distance[kept] <= farthest]
    return _sorted(facility[kept], place[kept], distance[kept], shape=shape)


def cartesian(zones: Zones) -> Floats:
    """Points in Cartesian coordinates on the ellipsoid ``(N, 3)``. [m]

    Parameters
    ----------
    zones
        Points in EPSG:6668, taken at height 0.

    Raises
    ------
    LabelError
        If a zone is not a point.

    Examples
    --------
    >>> import shapely
    >>> pole = Zones.build(["pole"], [shapely.Point(0, 90)], names=["pole"], parents=["00000"],
    ...                    kind="facility", plane_zone=1)
    >>> cartesian(pole).round(1).tolist()
    [[0.0, 0.0, 6356752.3]]
    """
    return _degrees_and_space(zones)[1]


def _degrees_and_space(zones: Zones) -> tuple[Floats, Floats]:
    shapes = zones.geometry
    degrees = shapely.get_coordinates(shapes)
    bad = shapely.get_type_id(shapes) != shapely.GeometryType.POINT
    if bad.any() or len(degrees) != len(shapes):
        bad |= shapely.is_empty(shapes)
        ids = [zones.ids[i] for i in np.flatnonzero(bad)[:5]]
        raise LabelError(f"{int(bad.sum())} zones are not points, such as {ids}")
    east, north = np.radians(degrees).T
    square = FLATTENING * (2 - FLATTENING)  # e²
    sine = np.sin(north)
    normal = SEMI_MAJOR / np.sqrt(1 - square * sine**2)
    across = normal * np.cos(north)
    space = np.empty((len(degrees), 3))
    space[:, 0] = across * np.cos(east)
    space[:, 1] = across * np.sin(east)
    space[:, 2] = normal * (1 - square) * sine
    return degrees, space


def _tree(zones: Zones) -> cKDTree:
    # split at middles rather than medians: built in half the time and searched as fast
    return cKDTree(cartesian(zones), compact_nodes=False, balanced_tree=False)


def _candidates(tree: cKDTree, points: Floats, k: int) -> Pairs:
    # the k nearest, and where others are as far as the last of them, those others as well
    more = min(k + 1, tree.n)
    chord, facility = tree.query(points, k=np.arange(1, more + 1))
    distance = _arc(chord)
    last = distance[:, k - 1]
    tied = distance.round(TOLD_APART)[:, -1] == last.round(TOLD_APART)
    tied &= more > k
    place = np.repeat(np.arange(len(points)), more)
    clear = np.repeat(~tied, more)
    parts = [Pairs(facility.ravel()[clear], place[clear], distance.ravel()[clear])]
    if tied.any():
        rows = np.flatnonzero(tied)
        reach = _chord(last[rows] + 10.0**-TOLD_APART)
        others = tree.query_ball_point(points[rows], reach)
        place = np.repeat(rows, [len(some) for some in others])
        facility = np.concatenate([np.asarray(some, dtype=np.intp) for some in others])
        chord = np.sqrt(((tree.data[facility] - points[place]) ** 2).sum(axis=1))
        parts.append(Pairs(facility, place, _arc(chord)))
    return Pairs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _chord(arc: Floats | float) -> Floats:
    return np.asarray(2 * RADIUS * np.sin(np.minimum(arc, np.pi * RADIUS) / (2 * RADIUS)))


def _arc(chord: Floats) -> Floats:
    return np.asarray(2 * RADIUS * np.arcsin(np.minimum(chord / (2 * RADIUS), 1.0)))


def _sorted(
    facility: NDArray[np.intp],
    place: NDArray[np.intp],
    distance: Floats,
    *,
    shape: tuple[int, int],
) -> Pairs:
    # sorted by row and by column in it, as a sparse matrix is
    triples = sparse.csr_array(sparse.coo_array((distance, (facility, place)), shape=shape))
    row = np.repeat(np.arange(shape[0]), np.diff(triples.indptr))
    return Pairs(row, triples.indices.astype(np.intp), np.asarray(triples.data))
