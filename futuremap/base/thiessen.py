"""Thiessen cells: town blocks drawn from their points where no boundary is published."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.core.zones import GEOGRAPHIC, Zones, plane_epsg
from futuremap.errors import LabelError

APPROXIMATE = (
    "境界は代表点から作成した近似です（ティーセン分割）。実際の町丁の境界とは異なります。",
    "Boundaries are approximations made from points (Thiessen cells), not the real ones.",
)


def thiessen(points: Zones, outline: Zones) -> Zones:
    """Give every point the part of the municipality that is nearest to it.

    Parameters
    ----------
    points
        Town blocks as points, all different, inside or just outside the outline.
    outline
        The municipality, one polygon zone.

    Returns
    -------
    Zones
        The same blocks as polygons that cover the outline without overlap; they carry the
        note that they are approximations.

    Raises
    ------
    LabelError
        If a point is missing, two points are the same, or a cell lies outside the outline.
    """
    plane = points.plane_geometry()
    if any(shape is None for shape in plane):
        raise LabelError("a block without a point cannot be given a cell")
    _, first = np.unique(shapely.to_wkb(plane), return_index=True)
    if len(first) < len(plane):
        twice = sorted(set(range(len(plane))) - set(first.tolist()))
        raise LabelError(f"points coincide: {[points.names[i] for i in twice[:5]]}")
    area = outline.plane_geometry()[0]
    if len(points) == 1:
        cells = np.array([area], dtype=object)
    else:
        drawn = shapely.voronoi_polygons(
            shapely.MultiPoint(plane.tolist()),
            extend_to=area,
            ordered=True,
        )
        cells = shapely.intersection(np.array(drawn.geoms, dtype=object), area)
    cells = _only_polygons(cells)
    empty = [points.names[i] for i in np.flatnonzero(shapely.is_empty(cells))]
    if len(cells) != len(points) or empty:
        raise LabelError(f"points lie too far out to be given a cell: {empty[:5]}")
    degrees = gpd.GeoSeries(cells, crs=plane_epsg(points.plane_zone)).to_crs(GEOGRAPHIC)
    return Zones.build(
        points.ids,
        degrees.to_numpy(),
        names=points.names,
        parents=tuple(points.frame["parent"]),
        kind="town_block",
        plane_zone=points.plane_zone,
        notes=(*points.notes, APPROXIMATE),
        sources=(*points.sources, *outline.sources),
    )


def _only_polygons(cells: NDArray[np.object_]) -> NDArray[np.object_]:
    # a cell that touches the outline along a line leaves points and lines behind; only
    # areas can hold people
    mixed = shapely.get_type_id(cells) == shapely.GeometryType.GEOMETRYCOLLECTION
    cells = cells.copy()
    for i in np.flatnonzero(mixed):
        parts = shapely.get_parts(cells[i])
        cells[i] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])  # noqa: PLR2004
    return np.asarray(shapely.normalize(cells))
