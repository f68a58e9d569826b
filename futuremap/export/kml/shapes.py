"""Shapes as Google Earth wants them: rounded, turned the right way, points grown to columns."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.core.layer import METRES_PER_DEGREE, View
from futuremap.errors import ExportError

DECIMALS = 6  # of a degree: about 0.1 m
CORNERS = 12  # of the foot of a facility's column
FOOT_SHARE = 1 / 300  # of the width of the view
FOOT_METRES = (25.0, 300.0)
MANY, THICKEST = 500, 3.0  # columns that fill a view, and how much thicker a few may be
AREAS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
POINTS = (shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT)


class Outlines(NamedTuple):
    """Rings of shapes as they are written.

    Parameters
    ----------
    coordinates
        Longitude and latitude of every corner ``(V, 2)``.
    ends
        Where each ring starts, and the end of the last ``(R + 1,)``.
    shapes
        For every shape its polygons, for every polygon its rings: the outer one, then holes.
    """

    coordinates: NDArray[np.float64]
    ends: NDArray[np.int_]
    shapes: list[list[list[int]]]


def foot_radius(view: View, count: int) -> float:
    """Radius of a facility's column: thin where columns are many, readable where they are few. [m]

    Examples
    --------
    >>> foot_radius(View(134.0, 34.3, 15_000.0), 1000)
    50.0
    >>> foot_radius(View(134.0, 34.3, 15_000.0), 10)
    150.0
    """
    low, high = FOOT_METRES
    thicker = min(max((MANY / max(count, 1)) ** 0.5, 1.0), THICKEST)
    return float(min(max(view.width_m * FOOT_SHARE * thicker, low), high))


def vertex_counts(shapes: NDArray[np.object_]) -> NDArray[np.int64]:
    """Vertices that each shape takes in a file ``(N,)``; at most, flat parts are left out.

    Examples
    --------
    >>> vertex_counts(np.array([shapely.box(0, 0, 1, 1), shapely.Point(0, 0)])).tolist()
    [5, 13]
    """
    counts = shapely.get_num_coordinates(shapes)
    columns = np.isin(shapely.get_type_id(shapes), POINTS)
    return np.asarray(np.where(columns, counts * (CORNERS + 1), counts), dtype=np.int64)


def outlines(shapes: NDArray[np.object_], *, radius: float) -> Outlines:
    """Rings of every shape, in order; points have grown to columns.

    Coordinates are rounded, outer rings run counter-clockwise, holes clockwise. What
    rounding has made flat (holes and islands under about 0.1 m) is left out, unless nothing
    else is there.

    Parameters
    ----------
    shapes
        Polygons and points of any number of parts, in degrees ``(N,)``.
    radius
        Radius of the column that stands for a point. [m]

    Raises
    ------
    ExportError
        If a shape is missing, empty, or neither area nor point.

    Examples
    --------
    >>> found = outlines(np.array([shapely.box(0, 0, 1, 1)]), radius=50)
    >>> found.shapes, found.coordinates.tolist()
    ([[[0]]], [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    """
    kind, exact, offsets = shapely.to_ragged_array(_areas(shapes, radius), include_z=False)
    if not np.isfinite(exact).all():
        raise ExportError("a shape has coordinates that are not numbers")
    # adding zero makes the negative zero a plain one
    coordinates = np.round(exact, DECIMALS) + 0.0
    solid = _turn(coordinates, offsets[0], offsets[1]).tolist()
    ends = offsets[1].tolist()
    polygons = [
        [first, *(ring for ring in range(first + 1, end) if solid[ring])]
        for first, end in pairwise(ends)
    ]
    if kind == shapely.GeometryType.POLYGON:
        return Outlines(coordinates, offsets[0], [[rings] for rings in polygons])
    parts = (polygons[first:end] for first, end in pairwise(offsets[2].tolist()))
    kept = [[rings for rings in part if solid[rings[0]]] or part[:1] for part in parts]
    return Outlines(coordinates, offsets[0], kept)


def ring_areas(coordinates: NDArray[np.float64], ends: NDArray[np.int_]) -> NDArray[np.int64]:
    """Twice the signed area of every closed ring, in units of the last decimal, exact.

    Positive where a ring runs counter-clockwise.

    Examples
    --------
    >>> square = np.array([[0, 0], [2e-6, 0], [2e-6, 2e-6], [0, 2e-6], [0, 0]])
    >>> ring_areas(square, np.array([0, 5])).tolist()
    [8]
    """
    whole = np.rint(coordinates * 10**DECIMALS).astype(np.int64)
    x, y = whole[:, 0], whole[:, 1]
    cross = x[:-1] * y[1:] - x[1:] * y[:-1]
    cross = np.append(cross, 0)
    cross[ends[1:] - 1] = 0  # from the end of one ring to the start of the next is no edge
    return np.asarray(np.add.reduceat(cross, ends[:-1]), dtype=np.int64)


def _areas(shapes: NDArray[np.object_], radius: float) -> NDArray[np.object_]:
    areas = np.array(shapes, dtype=object)
    points = np.isin(shapely.get_type_id(areas), POINTS) & ~shapely.is_empty(areas)
    areas[points] = [_foot(point, radius) for point in areas[points]]
    wrong = ~np.isin(shapely.get_type_id(areas), AREAS) | shapely.is_empty(areas)
    if wrong.any():
        kinds = sorted({getattr(shape, "geom_type", "no shape") for shape in areas[wrong]})
        raise ExportError(f"{wrong.sum()} shapes are empty or neither areas nor points: {kinds}")
    return areas


def _turn(
    coordinates: NDArray[np.float64],
    ring_ends: NDArray[np.int_],
    polygon_ends: NDArray[np.int_],
) -> NDArray[np.bool_]:
    # turns rings in place; the sign of the area decides, as it does for rings that cross
    areas = ring_areas(coordinates, ring_ends)
    outer = np.zeros(len(areas), dtype=bool)
    outer[polygon_ends[:-1]] = True
    for ring in np.flatnonzero((areas < 0) == outer).tolist():
        here = slice(ring_ends[ring], ring_ends[ring + 1])
        coordinates[here] = coordinates[here][::-1].copy()
    return np.asarray(areas != 0)


def _foot(point: shapely.Geometry, radius: float) -> shapely.Geometry:
    turn = np.arange(CORNERS) * (2 * np.pi / CORNERS)
    high = radius / METRES_PER_DEGREE
    feet = []
    for longitude, latitude in shapely.get_coordinates(point):
        wide = high / np.cos(np.radians(latitude))
        ring = (longitude + wide * np.cos(turn), latitude + high * np.sin(turn))
        feet.append(shapely.Polygon(np.column_stack(ring)))
    return feet[0] if len(feet) == 1 else shapely.MultiPolygon(feet)
