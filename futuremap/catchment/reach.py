"""Reach: which people count at a facility; every rule gives the same noun, a Crosswalk."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.catchment.disc import area_inside, edges, shares_inside
from futuremap.catchment.pairs import near
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.zones import Zones
from futuremap.errors import CrsError, LabelError

POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
SHOWN = 5  # ids in an error


def within_radius(facilities: Zones, areas: Zones, *, radius: float) -> Crosswalk:
    """People within a straight-line distance, by the exact share of each area in the disc.

    Parameters
    ----------
    facilities
        Facilities as points.
    areas
        Town blocks or meshes as valid polygons.
    radius
        Distance. [m]

    Returns
    -------
    Crosswalk
        Areas to facilities: the share of each area inside each disc. People may count at
        several facilities or at none, so it does not conserve.

    Raises
    ------
    CrsError
        If the two stand in different plane zones: distances would be wrong.
    LabelError
        If an area is not a valid polygon.

    Examples
    --------
    A block of 40 x 40 m around a facility, and a strip of which the disc holds the half:

    >>> import shapely
    >>> from futuremap.core.zones import plane_epsg
    >>> import geopandas as gpd
    >>> shapes = gpd.GeoSeries([shapely.box(-20, -20, 20, 20), shapely.box(20, -1, 180, 1)],
    ...                        crs=plane_epsg(3)).to_crs(6668)
    >>> blocks = Zones.build(["near", "strip"], shapes.to_numpy(), names=["near", "strip"],
    ...                      parents=["34204"] * 2, kind="town_block", plane_zone=3)
    >>> middle = gpd.GeoSeries([shapely.Point(0, 0)], crs=plane_epsg(3)).to_crs(6668)
    >>> hall = Zones.build(["hall"], middle.to_numpy(), names=["hall"], parents=["34204"],
    ...                    kind="facility", plane_zone=3)
    >>> within_radius(hall, blocks, radius=100.0).weights.toarray().round(3).tolist()
    [[1.0, 0.5]]
    """
    require_one_plane(facilities, areas)
    require_valid(areas)
    centre = shapely.get_coordinates(facilities.plane_geometry())
    part = shares_inside(areas.plane_geometry(), centre=centre, radius=radius)
    return from_pairs(
        part.disc,
        part.polygon,
        part.share,
        targets=facilities.ids,
        sources=areas.ids,
        rule=f"within {radius:g} m, by exact area of the disc",
        credits=(*facilities.sources, *areas.sources),
    )


def by_centroid(facilities: Zones, areas: Zones, *, radius: float) -> Crosswalk:
    """People within a straight-line distance, an approximation: areas count whole or not at all.

    Parameters
    ----------
    facilities
        Facilities as points.
    areas
        Town blocks or meshes as valid polygons. All people of one stand on its centre of
        gravity, or on a point inside where that lies outside.
    radius
        Distance; a point exactly so far away is within. [m]

    Returns
    -------
    Crosswalk
        Areas to facilities, each weight 1. On synthetic blocks of 0.2 km² it differs from exact
        areas by 11 % on average at 800 m and by 42 % at 300 m.

    Raises
    ------
    LabelError
        If an area is not a valid polygon, or a facility not a point.

    Examples
    --------
    >>> import shapely
    >>> blocks = Zones.build(["in", "out"], [shapely.box(133.0, 34.0, 133.01, 34.01),
    ...                                      shapely.box(133.01, 34.0, 133.03, 34.01)],
    ...                      names=["in", "out"], parents=["34204"] * 2, kind="town_block",
    ...                      plane_zone=3)
    >>> hall = Zones.build(["hall"], [shapely.Point(133.008, 34.005)], names=["hall"],
    ...                    parents=["34204"], kind="facility", plane_zone=3)
    >>> by_centroid(hall, blocks, radius=800.0).weights.toarray().tolist()
    [[1.0, 0.0]]
    """
    require_valid(areas)
    shapes = areas.geometry
    middle = shapely.centroid(shapes)
    points = np.where(shapely.contains(shapes, middle), middle, shapely.point_on_surface(shapes))
    frame = areas.frame.set_geometry(points, crs=areas.frame.crs)
    places = Zones(frame, "place", areas.plane_zone, areas.notes, areas.sources)
    rule = f"within {radius:g} m of a point in the middle of each area, an approximation"
    return _on_points(facilities, places, radius=radius, rule=rule)


def by_places(facilities: Zones, places: Zones, *, radius: float) -> Crosswalk:
    """People on places within a straight-line distance on the ellipsoid.

    Parameters
    ----------
    facilities
        Facilities as points.
    places
        Where people stand, as points (:mod:`futuremap.catchment.stand`); towns in several
        plane zones may be together.
    radius
        Distance; a place exactly so far away is within. [m]

    Returns
    -------
    Crosswalk
        Places to facilities, each weight 1. Composed with the walk of the standing it is the
        reach of areas.

    Raises
    ------
    LabelError
        If a facility or place is not a point.

    Examples
    --------
    >>> import shapely
    >>> homes = Zones.build(["near", "far"], shapely.points([133.0, 133.01], [34.4, 34.4]),
    ...                     names=["near", "far"], parents=["34204"] * 2, kind="place",
    ...                     plane_zone=3)
    >>> by_places(homes, homes, radius=800.0).weights.toarray().tolist()  # 919 m apart
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return _on_points(facilities, places, radius=radius, rule=f"places within {radius:g} m")


def _on_points(facilities: Zones, places: Zones, *, radius: float, rule: str) -> Crosswalk:
    pairs = near(facilities, places, radius=radius)
    return from_pairs(
        pairs.facility,
        pairs.place,
        np.ones(len(pairs.place)),
        targets=facilities.ids,
        sources=places.ids,
        rule=rule,
        credits=(*facilities.sources, *places.sources),
    )


def share_outside(facilities: Zones, outline: Zones, *, radius: float) -> NDArray[np.float64]:
    """Share of each facility's disc that lies outside the municipality ``(F,)``. [ratio]

    The people who live there, and the sea, are not counted in the reach.
    """
    require_one_plane(facilities, outline)
    points = shapely.get_coordinates(facilities.plane_geometry())
    first = np.zeros(len(points), dtype=np.intp)
    inside = area_inside(edges(outline.plane_geometry()), first, centre=points, radius=radius)
    return np.asarray(np.clip(1 - inside / (np.pi * radius**2), 0.0, 1.0))


def require_one_plane(first: Zones, second: Zones) -> None:
    """Refuse to measure between different plane zones.

    Raises
    ------
    CrsError
        If the plane zones differ.
    """
    if first.plane_zone != second.plane_zone:
        raise CrsError(
            f"plane zones {first.plane_zone} and {second.plane_zone} cannot be measured together",
        )


def require_valid(areas: Zones) -> None:
    """Refuse what is not a valid polygon: areas and shares would be wrong without a sign.

    Raises
    ------
    LabelError
        If an area is no polygon, is empty, or its lines cross; its id and the reason are named.

    Examples
    --------
    >>> import shapely
    >>> bow = shapely.Polygon([(133, 34), (134, 35), (134, 34), (133, 35)])
    >>> require_valid(Zones.build(["bow"], [bow], names=["bow"], parents=["34204"],
    ...                           kind="town_block", plane_zone=3))
    Traceback (most recent call last):
        ...
    futuremap.errors.LabelError: 1 areas are no valid polygons: bow (Self-intersection[133.5 34.5])
    """
    shapes = areas.geometry
    good = np.isin(shapely.get_type_id(shapes), POLYGONS) & ~shapely.is_empty(shapes)
    (bad,) = np.nonzero(~(good & shapely.is_valid(shapes)))
    if len(bad):
        named = [f"{areas.ids[i]} ({_why(shapes[i])})" for i in bad[:SHOWN]]
        raise LabelError(f"{len(bad)} areas are no valid polygons: {', '.join(named)}")


def _why(shape: shapely.Geometry | None) -> str:
    if shape is None or shape.is_empty or shapely.get_type_id(shape) not in POLYGONS:
        return "no shape" if shape is None or shape.is_empty else shape.geom_type
    return str(shapely.is_valid_reason(shape))
