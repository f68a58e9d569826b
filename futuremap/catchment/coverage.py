"""Coverage: people within reach of any facility, each counted once."""

from __future__ import annotations

import numpy as np
import shapely

from futuremap.catchment.reach import require_one_plane
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.overlap import pieces
from futuremap.core.zones import Zones

CORNERS = 128  # of the polygon that stands for a quarter of a circle


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
    A polygon of 512 corners with the area of the disc stands for each circle; its rim is off
    by less than 3 parts in 100,000 of the radius.

    Raises
    ------
    CrsError
        If the two stand in different plane zones.
    """
    require_one_plane(facilities, areas)
    shapes = areas.plane_geometry()
    sizes = shapely.area(shapes)
    angle = np.pi / (2 * CORNERS)
    same_area = radius * np.sqrt(angle / np.sin(angle))
    discs = shapely.buffer(facilities.plane_geometry(), same_area, quad_segs=CORNERS)
    cut = pieces(np.array([shapely.union_all(discs)], dtype=object), shapes)
    share = shapely.area(cut.geometry) / sizes[cut.source]
    return from_pairs(
        cut.target,
        cut.source,
        np.clip(share, 0.0, 1.0),
        targets=[target],
        sources=areas.ids,
        rule=f"within {radius:g} m of any facility",
        credits=(*facilities.sources, *areas.sources),
    )
