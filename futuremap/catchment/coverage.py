"""Coverage: people within reach of any facility, each counted once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from futuremap.catchment.disc import shares_inside
from futuremap.catchment.pairs import nearest
from futuremap.catchment.reach import require_one_plane, require_valid
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.zones import Zones
from futuremap.errors import LabelError

CORNERS = 128  # of the polygon that stands for a quarter of a circle


class SharedPeople(NamedTuple):
    """People whom two facilities both have in reach, sorted by the first and the second.

    first, second
        Positions of the facilities, the first before the second ``(K,)``.
    people
        People of both ``(K,)``. [persons]
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    people: NDArray[np.float64]


def within_radius_of_any(
    facilities: Zones,
    areas: Zones,
    *,
    radius: float,
    target: str,
) -> Crosswalk:
    """People within a straight-line distance of at least one facility.

    Parameters
    ----------
    facilities
        Facilities as points.
    areas
        Town blocks or meshes as valid polygons.
    radius
        Distance. [m]
    target
        Id of the one target zone.

    Returns
    -------
    Crosswalk
        Areas to the target: the share of each area in the union of the discs. Unlike a sum
        over facilities it counts nobody twice.

    Notes
    -----
    Areas that one disc touches, or holds whole, have their exact share. Where several discs
    cut an area, a polygon of 512 corners with the area of the disc stands for each; its rim is
    off by less than 3 parts in 100,000 of the radius.

    Raises
    ------
    CrsError
        If the two stand in different plane zones.
    LabelError
        If an area is not a valid polygon.

    Examples
    --------
    Two facilities at one address cover no more than one of them:

    >>> import shapely
    >>> block = Zones.build(["b"], [shapely.box(133.0, 34.4, 133.01, 34.41)], names=["b"],
    ...                     parents=["34204"], kind="town_block", plane_zone=3)
    >>> halls = Zones.build(["h", "i"], shapely.points([133.0, 133.0], [34.4, 34.4]),
    ...                     names=["h", "i"], parents=["34204"] * 2, kind="facility",
    ...                     plane_zone=3)
    >>> walk = within_radius_of_any(halls, block, radius=500.0, target="34204")
    >>> walk.weights.toarray().round(2).tolist()  # a quarter of a disc in 1.02 km²
    [[0.19]]
    """
    require_one_plane(facilities, areas)
    require_valid(areas)
    shapes = areas.plane_geometry()
    centre = shapely.get_coordinates(facilities.plane_geometry())
    part = shares_inside(shapes, centre=centre, radius=radius)
    share = np.zeros(len(areas))
    np.maximum.at(share, part.polygon, part.share)
    touched = np.bincount(part.polygon, minlength=len(areas))
    several = (touched > 1) & (share < 1)
    cut = several[part.polygon]
    if cut.any():
        discs = _polygons_of(centre, radius)[part.disc[cut]]
        share[several] = _in_union(shapes, discs, part.polygon[cut])
    (source,) = np.nonzero(share)
    return from_pairs(
        np.zeros(len(source), dtype=np.intp),
        source,
        share[source],
        targets=[target],
        sources=areas.ids,
        rule=f"within {radius:g} m of any facility",
        credits=(*facilities.sources, *areas.sources),
    )


def covered_places(facilities: Zones, places: Zones, *, radius: float) -> NDArray[np.bool_]:
    """Which places lie within a straight-line distance of at least one facility ``(M,)``.

    Parameters
    ----------
    facilities
        Facilities as points.
    places
        Where people stand, as points; those of :func:`futuremap.catchment.stand.stand` are the
        handbook's 100 m cells (徒歩圏人口カバー率).
    radius
        Distance on the ellipsoid; a place exactly so far away is covered. [m]

    Raises
    ------
    LabelError
        If a facility or place is not a point, or the radius is not a number above 0.

    Examples
    --------
    >>> import shapely
    >>> homes = Zones.build(["near", "far"], shapely.points([133.0, 133.01], [34.4, 34.4]),
    ...                     names=["near", "far"], parents=["34204"] * 2, kind="place",
    ...                     plane_zone=3)
    >>> covered_places(Zones(homes.frame[:1], "facility", 3), homes, radius=800.0).tolist()
    [True, False]
    """
    covered = np.zeros(len(places), dtype=np.bool_)
    covered[nearest(facilities, places, farthest=radius).place] = True
    return covered


def covered_by_any(
    facilities: Zones,
    places: Zones,
    *,
    radius: float,
    target: str,
) -> Crosswalk:
    """People on places within a straight-line distance of at least one facility.

    Parameters
    ----------
    facilities, places, radius
        As of :func:`covered_places`. [m]
    target
        Id of the one target zone.

    Returns
    -------
    Crosswalk
        Places to the target, each weight 1. Composed with the walk of the standing it is used
        as that of :func:`within_radius_of_any` is.

    Raises
    ------
    LabelError
        If a facility or place is not a point, or the radius is not a number above 0.

    Examples
    --------
    >>> import shapely
    >>> homes = Zones.build(["near", "far"], shapely.points([133.0, 133.01], [34.4, 34.4]),
    ...                     names=["near", "far"], parents=["34204"] * 2, kind="place",
    ...                     plane_zone=3)
    >>> halls = Zones(homes.frame[:1], "facility", 3)
    >>> covered_by_any(halls, homes, radius=800.0, target="34204").weights.toarray().tolist()
    [[1.0, 0.0]]
    """
    (place,) = np.nonzero(covered_places(facilities, places, radius=radius))
    return from_pairs(
        np.zeros(len(place), dtype=np.intp),
        place,
        np.ones(len(place)),
        targets=[target],
        sources=places.ids,
        rule=f"places within {radius:g} m of any facility",
        credits=(*facilities.sources, *places.sources),
    )


def overlap(reach: Crosswalk) -> NDArray[np.float64]:
    """How many facilities the people of each area have in reach, on average ``(Z,)``.

    Parameters
    ----------
    reach
        Areas or places to facilities ``(F, Z)``, by any rule. [ratio]

    Examples
    --------
    >>> walk = from_pairs(np.array([0, 1]), np.array([0, 0]), np.array([1.0, 0.5]),
    ...                   targets=["hall", "school"], sources=["a", "b"], rule="800 m")
    >>> overlap(walk).tolist()
    [1.5, 0.0]
    """
    return np.asarray(reach.weights.sum(axis=0), dtype=np.float64).ravel()


def shared(reach: Crosswalk, people: NDArray[np.float64]) -> SharedPeople:
    """People whom two facilities both have in reach, for all pairs that share any.

    Parameters
    ----------
    reach
        Places to facilities ``(F, M)``, each weight the chance that people there use it. Shares
        of areas do not say whether two facilities reach the same part: put the people on places
        first. [ratio]
    people
        People on each place ``(M,)``. [persons]

    Returns
    -------
    SharedPeople
        The entries above the diagonal of ``W diag(p) Wᵀ``; never dense.

    Raises
    ------
    LabelError
        If people and places differ in number.

    Examples
    --------
    >>> walk = from_pairs(np.array([0, 0, 1]), np.array([0, 1, 1]), np.ones(3),
    ...                   targets=["hall", "school"], sources=["a", "b"], rule="800 m")
    >>> both = shared(walk, np.array([30.0, 20.0]))
    >>> both.first.tolist(), both.second.tolist(), both.people.tolist()
    ([0], [1], [20.0])
    """
    if people.shape != (len(reach.sources),):
        raise LabelError(f"people have shape {people.shape} for {len(reach.sources)} places")
    each = reach.weights @ sparse.diags_array(people)
    both = sparse.triu(each @ reach.weights.T, k=1, format="csr")
    both.eliminate_zeros()
    both.sort_indices()
    first = np.repeat(np.arange(len(reach.targets)), np.diff(both.indptr))
    return SharedPeople(first, both.indices.astype(np.intp), np.asarray(both.data))


def _polygons_of(centre: NDArray[np.float64], radius: float) -> NDArray[np.object_]:
    angle = np.pi / (2 * CORNERS)
    same_area = radius * np.sqrt(angle / np.sin(angle))
    return np.asarray(shapely.buffer(shapely.points(centre), same_area, quad_segs=CORNERS))


def _in_union(
    shapes: NDArray[np.object_],
    discs: NDArray[np.object_],
    area: NDArray[np.intp],
) -> NDArray[np.float64]:
    # share of each area in the union of its discs, areas ascending; discs are cut to the area
    # before they are joined, so that the work grows with the pairs and not with their square
    order = np.argsort(area, kind="stable")
    found, row = np.unique(area[order], return_inverse=True)
    cut = shapely.intersection(shapes[area[order]], discs[order])
    joined = shapely.union_all(shapely.geometrycollections(cut, indices=row)[:, None], axis=1)
    return np.asarray(np.minimum(shapely.area(joined) / shapely.area(shapes[found]), 1.0))
