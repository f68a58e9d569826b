"""Exact area of a polygon inside a disc, in closed form over its edges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Edges(NamedTuple):
    """Directed edges of polygons, outer rings counter-clockwise and holes clockwise.

    x0, y0, x1, y1
        Ends of each edge ``(E,)``. [m]
    starts
        First edge of each polygon and, at the end, the count of edges ``(N + 1,)``.
    """

    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    starts: NDArray[np.intp]


def edges(polygons: NDArray[np.object_]) -> Edges:
    """Break polygons and multipolygons with any holes into directed edges.

    Parameters
    ----------
    polygons
        Valid areas in a plane system ``(N,)``. [m]
    """
    oriented = shapely.orient_polygons(polygons)
    parts, owner = shapely.get_parts(oriented, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    within = ring[:-1] == ring[1:]  # no edge from the end of one ring to the start of the next
    head, tail = points[:-1][within], points[1:][within]
    polygon = owner[part[ring[:-1][within]]]
    starts = np.searchsorted(polygon, np.arange(len(polygons) + 1))
    return Edges(head[:, 0], head[:, 1], tail[:, 0], tail[:, 1], starts)


def area_inside(
    shape: Edges,
    polygon: NDArray[np.intp],
    *,
    centre: Floats,
    radius: float,
) -> Floats:
    """Area that polygons share with discs, pair by pair.

    Parameters
    ----------
    shape
        Edges of the polygons.
    polygon
        Position of the polygon of each pair ``(K,)``.
    centre
        Centre of the disc of each pair ``(K, 2)``. [m]
    radius
        Radius of all discs. [m]

    Returns
    -------
    numpy.ndarray
        ``(K,)`` [m^2]

    Notes
    -----
    By Green's theorem the area is a sum over edges. Seen from the centre, a part of an edge
    inside the disc adds the triangle to the centre, ½ (p × q); a part outside adds the sector
    between its ends, ½ r² angle(p, q). Where the edge crosses the circle follows from a
    quadratic, so the result is exact to rounding; no polygon stands in for the circle.

    Examples
    --------
    A quarter of the unit disc lies in the unit square:

    >>> import numpy as np, shapely
    >>> square = edges(np.array([shapely.box(0, 0, 1, 1)]))
    >>> a = area_inside(square, np.array([0]), centre=np.array([[0.0, 0.0]]), radius=1.0)
    >>> round(float(a[0]), 12) == round(np.pi / 4, 12)
    True
    """
    counts = (shape.starts[1:] - shape.starts[:-1])[polygon]
    pair = np.repeat(np.arange(len(polygon)), counts)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(counts) else counts
    edge = np.arange(len(pair)) - np.repeat(first, counts) + shape.starts[polygon][pair]
    x, y = centre[pair, 0], centre[pair, 1]
    px, py = shape.x0[edge] - x, shape.y0[edge] - y
    dx, dy = shape.x1[edge] - shape.x0[edge], shape.y1[edge] - shape.y0[edge]
    marks = _marks(px, py, dx, dy, radius)
    total = np.zeros_like(px)
    for k in range(3):
        ax, ay = px + marks[k] * dx, py + marks[k] * dy
        bx, by = px + marks[k + 1] * dx, py + marks[k + 1] * dy
        cross = ax * by - ay * bx
        if k == 1:  # between entry and exit the edge runs inside the disc
            total += cross / 2
        else:
            total += radius**2 / 2 * np.arctan2(cross, ax * bx + ay * by)
    return np.asarray(np.bincount(pair, weights=total, minlength=len(polygon)), dtype=np.float64)


def _marks(px: Floats, py: Floats, dx: Floats, dy: Floats, radius: float) -> list[Floats]:
    # an edge p + t d, 0 ≤ t ≤ 1, is inside between the roots of |p + t d|² = r²; without
    # roots in that range it is outside all along, and entry and exit fall together
    square = dx * dx + dy * dy
    half = px * dx + py * dy
    discriminant = half * half - square * (px * px + py * py - radius * radius)
    root = np.sqrt(np.maximum(discriminant, 0.0))
    length = np.where(square > 0, square, 1.0)
    entry = np.clip((-half - root) / length, 0.0, 1.0)
    leave = np.clip((-half + root) / length, 0.0, 1.0)
    misses = (discriminant <= 0) | (square == 0)
    entry = np.where(misses, 1.0, entry)
    leave = np.where(misses, 1.0, leave)
    return [np.zeros_like(px), entry, leave, np.ones_like(px)]
