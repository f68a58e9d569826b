"""Coverage: people within reach of any facility of a class, each counted once."""

from __future__ import annotations

from collections.abc import Sequence

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
    classes: Sequence[str],
    names: Sequence[str],
) -> Crosswalk:
    """People within a straight-line distance of at least one facility of each class.

    Parameters
    ----------
    facilities
        Facilities as points.
    areas
        Town blocks or meshes as valid polygons.
    radius
        Distance. [m]
    classes
        Class of each facility ``(F,)``.
    names
        Classes asked for, and the ids of the targets.

    Returns
    -------
    Crosswalk
        Areas to classes: the share of each area in the union of the discs. Unlike a sum over
        facilities it counts nobody twice.

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
    held = np.asarray(classes, dtype=object)
    unions = np.array([shapely.union_all(discs[held == name]) for name in names], dtype=object)
    cut = pieces(unions, shapes)
    share = shapely.area(cut.geometry) / sizes[cut.source]
    return from_pairs(
        cut.target,
        cut.source,
        np.clip(share, 0.0, 1.0),
        targets=names,
        sources=areas.ids,
        rule=f"within {radius:g} m of any facility of a class",
        credits=(*facilities.sources, *areas.sources),
    )
