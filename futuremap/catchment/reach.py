"""Reach: which people count at a facility; every rule gives the same noun, a Crosswalk."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.catchment.disc import area_inside, edges
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.zones import Zones
from futuremap.errors import CrsError


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
    """
    require_one_plane(facilities, areas)
    shapes = areas.plane_geometry()
    points = shapely.get_coordinates(facilities.plane_geometry())
    facility, area = shapely.STRtree(shapes).query(
        shapely.points(points),
        predicate="dwithin",
        distance=radius,
    )
    inside = area_inside(edges(shapes), area, centre=points[facility], radius=radius)
    share = inside / shapely.area(shapes)[area]
    # rounding may leave a share a hair outside [0, 1]
    return from_pairs(
        facility,
        area,
        np.clip(share, 0.0, 1.0),
        targets=facilities.ids,
        sources=areas.ids,
        rule=f"within {radius:g} m, by exact area of the disc",
        credits=(*facilities.sources, *areas.sources),
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
