"""Standing: where inside their town blocks people stand, as points that a distance can reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from scipy import sparse

from futuremap.catchment.reach import require_valid
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.overlap import shares
from futuremap.core.zones import GEOGRAPHIC, Zones, by_parent, join, plane_epsg
from futuremap.errors import LabelError

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
SLIVER = 1e-6  # of a cell, or of the area if it is smaller; less comes from rounded coordinates


class Standing(NamedTuple):
    """Where people stand.

    places
        Points of kind "place" (M), each in one municipality.
    walk
        Areas to places ``(M, Z)``; it keeps totals.
    by_area
        Areas whose people stand all over them, evenly ``(Z,)``.
    """

    places: Zones
    walk: Crosswalk
    by_area: NDArray[np.bool_]


class _Cells(NamedTuple):
    # pieces of areas in the cells of a grid, one row a piece
    area: Positions
    east: NDArray[np.int64]  # whole cells from the origin of the plane zone
    north: NDArray[np.int64]
    size: Floats
    middle: Floats  # centre of gravity of the piece (N, 2) [m]


def stand(areas: Zones, *, spacing: float = 100.0) -> Standing:
    """People evenly over their areas, on the cells of a square grid.

    Parameters
    ----------
    areas
        Town blocks or meshes as valid polygons, each of some area.
    spacing
        Side of a cell; the grid begins at the origin of the plane zone. [m]

    Returns
    -------
    Standing
        A place for each municipality in each cell, at the centre of gravity of its ground
        there: the middle of the cell where it fills it. Weights are exact shares of the areas,
        so that an area smaller than a cell has a place too, and how a municipality is cut into
        blocks moves no place. At a hollow shore a place may lie beside its ground.

    Raises
    ------
    LabelError
        If an area is not a valid polygon, or the spacing is not a number above 0.

    Examples
    --------
    >>> import shapely
    >>> block = Zones.build(["b"], [shapely.box(133.0, 34.4, 133.001, 34.401)], names=["b"],
    ...                     parents=["34204"], kind="town_block", plane_zone=3)
    >>> standing = stand(block, spacing=50.0)
    >>> len(standing.places), standing.walk.conserves()
    (9, True)
    """
    if not 0 < spacing < np.inf:
        raise LabelError(f"a spacing of {spacing} m")
    require_valid(areas)
    cells = _cut(areas.plane_geometry(), spacing)
    codes, parent = by_parent(areas.frame["parent"].to_numpy(dtype=object))
    key = np.stack([parent[cells.area], cells.north, cells.east], axis=1)
    found, place = np.unique(key, axis=0, return_inverse=True)
    place = place.ravel()
    ground = np.bincount(place, weights=cells.size)
    moments = [np.bincount(place, weights=cells.size * axis) for axis in cells.middle.T]
    points = np.stack(moments, axis=1) / ground[:, None]
    corner = found[:, 1:] * spacing
    names = [
        f"{codes[town]}@{north:g}N{east:g}E"
        for town, (north, east) in zip(found[:, 0], corner, strict=True)
    ]
    places = Zones.build(
        names,
        _degrees(points, areas.plane_zone),
        names=names,
        parents=np.asarray(codes, dtype=object)[found[:, 0]],
        kind="place",
        plane_zone=areas.plane_zone,
        sources=areas.sources,
    )
    walk = from_pairs(
        place,
        cells.area,
        shares(cells.size, cells.area, count=len(areas)),
        targets=places.ids,
        sources=areas.ids,
        rule=f"people evenly over their areas on cells of {spacing:g} m",
        credits=areas.sources,
    )
    return Standing(places, walk, np.ones(len(areas), dtype=np.bool_))


def stand_on(
    areas: Zones,
    *,
    longitude: Floats,
    latitude: Floats,
    weight: Floats,
    sources: Sequence[str],
    spacing: float = 100.0,
) -> Standing:
    """People on given places: buildings, addresses, or cells of a land-use raster.

    Parameters
    ----------
    areas
        Town blocks or meshes as valid polygons.
    longitude, latitude
        Places in EPSG:6668 ``(N,)``; those outside all areas do not count. [degrees]
    weight
        Floor area, people, or 1 for each address ``(N,)``; a place of weight 0 is left out.
    sources
        Credit keys of the places.
    spacing
        Side of the cells for areas in which no place lies. [m]

    Returns
    -------
    Standing
        Each area's people on its places, in proportion to their weights. The people of an
        area without any stand evenly over it and are flagged in `by_area`. A place on a border
        belongs to the area of the lower id.

    Raises
    ------
    LabelError
        If columns differ in length, a coordinate is not finite, a weight is negative or not
        finite, or an area is not a valid polygon.

    Examples
    --------
    >>> import numpy as np, shapely
    >>> block = Zones.build(["b"], [shapely.box(133.0, 34.4, 133.001, 34.401)], names=["b"],
    ...                     parents=["34204"], kind="town_block", plane_zone=3)
    >>> standing = stand_on(block, longitude=np.array([133.0002, 133.0008]),
    ...                     latitude=np.array([34.4005, 34.4005]), weight=np.array([1.0, 3.0]),
    ...                     sources=["buildings"])
    >>> standing.walk.weights.toarray().ravel().tolist()
    [0.25, 0.75]
    """
    _require_numbers(longitude, latitude, weight)
    require_valid(areas)
    (used,) = np.nonzero(weight > 0)
    points = np.stack([longitude[used], latitude[used]], axis=1)
    area = _area_of(points, areas)
    used, points, area = used[area >= 0], points[area >= 0], area[area >= 0]
    lacking = np.bincount(area, minlength=len(areas)) == 0
    codes, parent = by_parent(areas.frame["parent"].to_numpy(dtype=object))
    rest = stand(_only(areas, lacking), spacing=spacing)
    others = rest.walk.weights.tocoo()
    names = [f"{codes[parent[at]]}#{number}" for at, number in zip(area, used, strict=True)]
    places = Zones.build(
        [*names, *rest.places.ids],
        np.concatenate([shapely.points(points), rest.places.geometry]),
        names=[*names, *rest.places.ids],
        parents=[*np.asarray(codes, dtype=object)[parent[area]], *rest.places.frame["parent"]],
        kind="place",
        plane_zone=areas.plane_zone,
        sources=(*areas.sources, *sources),
    )
    walk = from_pairs(
        np.concatenate([np.arange(len(used)), len(used) + others.row]),
        np.concatenate([area, np.flatnonzero(lacking)[others.col]]),
        np.concatenate([shares(weight[used], area, count=len(areas)), others.data]),
        targets=places.ids,
        sources=areas.ids,
        rule=f"people on {len(used)} given places; {int(lacking.sum())} areas evenly",
        credits=places.sources,
    )
    return Standing(places, walk, lacking)


def together(parts: Sequence[Standing]) -> Standing:
    """Standings of several municipalities as one, areas and places in their order.

    Parameters
    ----------
    parts
        Standings of different areas, in one plane zone.

    Raises
    ------
    LabelError
        If plane zones differ, or an area or place stands twice.

    Examples
    --------
    >>> first, second = (
    ...     stand(Zones.build([code], [shapely.box(east, 34.4, east + 0.001, 34.401)],
    ...                       names=[code], parents=[code], kind="town_block", plane_zone=3))
    ...     for code, east in (("34204", 133.0), ("34205", 133.2)))
    >>> both = together([first, second])
    >>> both.walk.sources, len(both.places) == len(first.places) + len(second.places)
    (('34204', '34205'), True)
    """
    places = join([part.places for part in parts])
    walks = [part.walk for part in parts]
    walk = Crosswalk(
        sparse.csr_array(sparse.block_diag([one.weights for one in walks], format="csr")),
        places.ids,
        tuple(source for one in walks for source in one.sources),
        "; ".join(dict.fromkeys(one.rule for one in walks)),
        tuple(sorted({credit for one in walks for credit in one.credits})),
    )
    return Standing(places, walk, np.concatenate([part.by_area for part in parts]))


def coarser(standing: Standing, people: Floats, *, spacing: float) -> tuple[Zones, Floats]:
    """Places put together in the cells of a grid, for questions that need fewer of them.

    Parameters
    ----------
    standing
        Where people stand.
    people
        People of its areas ``(Z,)``. [persons]
    spacing
        Side of a cell; the grid begins at the origin of the plane zone. [m]

    Returns
    -------
    tuple of Zones and numpy.ndarray
        A point for each cell in which anybody lives, where its people stand on average, and
        how many they are ``(C,)``. [persons]

    Raises
    ------
    LabelError
        If people do not match the areas.

    Examples
    --------
    >>> block = Zones.build(["b"], [shapely.box(133.0, 34.4, 133.001, 34.401)], names=["b"],
    ...                     parents=["34204"], kind="town_block", plane_zone=3)
    >>> cells, crowd = coarser(stand(block, spacing=20.0), np.array([90.0]), spacing=5000.0)
    >>> len(cells), crowd.round(9).tolist()
    (1, [90.0])
    """
    if people.shape != (len(standing.walk.sources),):
        raise LabelError(f"people have shape {people.shape} for {len(standing.by_area)} areas")
    crowd = np.asarray(standing.walk.weights @ people)
    (lived,) = np.nonzero(crowd > 0)
    crowd, places = crowd[lived], standing.places
    points = shapely.get_coordinates(places.plane_geometry())[lived]
    parents = places.frame["parent"].to_numpy(dtype=object)[lived]
    codes, parent = by_parent(parents)
    east, north = np.floor(points / spacing).astype(np.int64).T
    key = np.stack([parent, north, east], axis=1)
    found, cell = np.unique(key, axis=0, return_inverse=True)
    cell = cell.ravel()
    total: Floats = np.bincount(cell, weights=crowd).astype(np.float64)
    middle = [np.bincount(cell, weights=crowd * axis) / total for axis in points.T]
    names = [f"{codes[town]}@{y * spacing:g}N{x * spacing:g}E" for town, y, x in found.tolist()]
    cells = Zones.build(
        names,
        _degrees(np.stack(middle, axis=1), places.plane_zone),
        names=names,
        parents=[codes[town] for town in found[:, 0]],
        kind="place",
        plane_zone=places.plane_zone,
        sources=places.sources,
    )
    return cells, total


def _cut(shapes: NDArray[np.object_], spacing: float) -> _Cells:
    """Cut areas ``(Z,)`` in a plane system along the lines of a grid."""
    low, high = np.split(np.floor(shapely.bounds(shapes) / spacing).astype(np.int64), 2, axis=1)
    wide, tall = (high - low + 1).T
    area = np.repeat(np.arange(len(shapes)), wide * tall)
    number = np.arange(len(area)) - np.repeat(np.cumsum(wide * tall) - wide * tall, wide * tall)
    east, north = low[area, 0] + number % wide[area], low[area, 1] + number // wide[area]
    west, south = east * spacing, north * spacing
    boxes = shapely.box(west, south, west + spacing, south + spacing)
    shapely.prepare(shapes)
    whole = shapely.contains_properly(shapes[area], boxes)
    size = np.where(whole, spacing**2, 0.0)
    middle = np.stack([west, south], axis=1) + spacing / 2
    (partly,) = np.nonzero(~whole & shapely.intersects(shapes[area], boxes))
    pieces = shapely.intersection(shapes[area[partly]], boxes[partly])
    size[partly] = shapely.area(pieces)
    kept = size > SLIVER * np.minimum(spacing**2, shapely.area(shapes)[area])
    some = kept[partly]
    middle[partly[some]] = shapely.get_coordinates(shapely.centroid(pieces[some]))
    return _Cells(area[kept], east[kept], north[kept], size[kept], middle[kept])


def _degrees(points: Floats, plane_zone: int) -> NDArray[np.object_]:
    transform = pyproj.Transformer.from_crs(plane_epsg(plane_zone), GEOGRAPHIC, always_xy=True)
    longitude, latitude = transform.transform(*points.T)
    return np.asarray(shapely.points(longitude, latitude), dtype=object)


def _area_of(points: Floats, areas: Zones) -> Positions:
    # -1 where a point lies in no area; on a border the area of the lower id has it
    by_id = np.argsort(np.asarray(areas.ids, dtype=object), kind="stable")
    tree = shapely.STRtree(areas.geometry[by_id])
    point, found = tree.query(shapely.points(points), predicate="intersects")
    first = np.full(len(points), len(areas))
    np.minimum.at(first, point, found)
    return np.asarray(np.append(by_id, -1)[first], dtype=np.intp)


def _only(areas: Zones, chosen: NDArray[np.bool_]) -> Zones:
    return Zones(areas.frame[chosen], areas.kind, areas.plane_zone, areas.notes, areas.sources)


def _require_numbers(longitude: Floats, latitude: Floats, weight: Floats) -> None:
    lengths = [len(column) for column in (longitude, latitude, weight)]
    if len(set(lengths)) > 1:
        raise LabelError(f"places have {lengths} longitudes, latitudes and weights")
    if not (np.isfinite(longitude) & np.isfinite(latitude)).all():
        raise LabelError("coordinates of places must be numbers")
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise LabelError("weights of places must be finite and not negative")
