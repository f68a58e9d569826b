"""Outlines of reach, for maps: circles, districts, and hulls of where people come from in time."""

from __future__ import annotations

from typing import cast

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.core.crosswalk import Crosswalk
from futuremap.core.zones import GEOGRAPHIC, Zones, plane_epsg
from futuremap.errors import LabelError

Shapes = NDArray[np.object_]
QUARTER = 16  # corners of a quarter of a circle
HOLLOW = 0.25  # 0 follows every bay of the places reached, 1 is their convex hull
AROUND = 50.0  # beyond the outermost places; a hull of one or two has an area then [m]


def circles(facilities: Zones, *, radius: float) -> Shapes:
    """Circles around facilities, round on the ground ``(F,)``.

    Parameters
    ----------
    facilities
        Points.
    radius
        In the facilities' plane zone. [m]

    Raises
    ------
    LabelError
        If the radius is not above 0.

    Examples
    --------
    A degree of latitude is about 110.9 km at 34°:

    >>> hall = Zones.build(["h"], [shapely.Point(133.0, 34.4)], names=["h"], parents=["34204"],
    ...                    kind="facility", plane_zone=3)
    >>> west, south, east, north = shapely.bounds(circles(hall, radius=800.0)[0])
    >>> round((north - south) * 110_933), float(round((east - west) / (north - south), 2))
    (1600, 1.21)
    """
    if not radius > 0:
        raise LabelError(f"a circle of {radius} m")
    return _degrees(
        shapely.buffer(facilities.plane_geometry(), radius, quad_segs=QUARTER), facilities
    )


def of_districts(served: Crosswalk, districts: Zones) -> Shapes:
    """All districts that each facility serves, as one area; None where it serves none ``(F,)``.

    Parameters
    ----------
    served
        Districts to facilities ``(F, D)``. [ratio]
    districts
        Their areas.

    Raises
    ------
    LabelError
        If the districts are not the crosswalk's sources in the same order.
    """
    if served.sources != districts.ids:
        raise LabelError("the districts are not those that are served")
    pairs = served.weights.tocoo()
    order = np.lexsort((pairs.col, pairs.row))
    found = np.full(len(served.targets), None, dtype=object)
    rows, place = np.unique(pairs.row[order], return_inverse=True)
    if len(rows):
        parts = shapely.geometrycollections(districts.geometry[pairs.col[order]], indices=place)
        found[rows] = shapely.union_all(parts[:, None], axis=1)
    return found


def hulls(reach: Crosswalk, facilities: Zones, places: Zones) -> Shapes:
    """Areas around the places from which each facility is reached ``(F,)``.

    Parameters
    ----------
    reach
        Places to facilities ``(F, M)``, as of :func:`futuremap.catchment.network.within_time`.
    facilities, places
        Points in one plane zone.

    Returns
    -------
    ndarray
        Concave hulls of the places and the facility itself, `AROUND` wider: no street map, but
        an outline of where people come from.

    Raises
    ------
    LabelError
        If the zones are not those of the crosswalk in the same order.

    Notes
    -----
    Duckham et al. (2008), "Efficient generation of simple polygons for characterizing the shape
    of a set of points in the plane", as GEOS has it.
    """
    if (reach.targets, reach.sources) != (facilities.ids, places.ids):
        raise LabelError("the facilities or places are not those of the reach")
    pairs = reach.weights.tocoo()
    own = np.arange(len(facilities))
    points = np.concatenate([facilities.plane_geometry(), places.plane_geometry()[pairs.col]])
    owner = np.concatenate([own, pairs.row])
    order = np.argsort(owner, kind="stable")
    if not len(own):
        return np.empty(0, dtype=object)
    groups = shapely.multipoints(points[order], indices=owner[order])
    around = shapely.buffer(shapely.concave_hull(groups, ratio=HOLLOW), AROUND, quad_segs=4)
    return _degrees(around, facilities)


def _degrees(shapes: Shapes, zones: Zones) -> Shapes:
    plane = gpd.GeoSeries(shapes, crs=plane_epsg(zones.plane_zone))
    return cast("Shapes", plane.to_crs(GEOGRAPHIC).to_numpy())
