"""Shapes as Google Earth wants them: cut, rounded, turned the right way, points as columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.core.layer import METRES_PER_DEGREE, View
from futuremap.errors import ExportError
from futuremap.export.kml.profiles import DECIMALS

CORNERS = 12  # of the foot of a facility's column
FOOT_SHARE = 1 / 300  # of the width of the view
FOOT_METRES = (25.0, 300.0)
MANY, THICKEST = 500, 3.0  # columns that fill a view, and how much thicker a few may be
OUTER, HOLE, LINE = range(3)  # what a ring is
HALF, TURN = 180.0, 360.0
FURTHEST = (HALF + TURN, 90.0)  # longitudes of one turn too much are brought back
NAMED = 5  # features that a message names
WIDTH = 1 + 3 + 1 + DECIMALS  # of a coordinate with its sign


class Outlines(NamedTuple):
    """Rings of shapes as they are written, those of a polygon together, its outer one first.

    Parameters
    ----------
    coordinates
        Longitude and latitude of every corner ``(V, 2)``.
    ends
        Where each ring starts, and the end of the last ``(R + 1,)``.
    owners
        The shape of every ring, ascending ``(R,)``.
    roles
        `OUTER`, `HOLE` or, of a shape that is a line, `LINE` ``(R,)``.
    """

    coordinates: NDArray[np.float64]
    ends: NDArray[np.int_]
    owners: NDArray[np.int_]
    roles: NDArray[np.uint8]

    @property
    def shapes(self) -> list[list[list[int]]]:
        """For every shape its polygons, for every polygon its rings: the outer one, then holes."""
        found: list[list[list[int]]] = [[] for _ in range(int(self.owners.max(initial=-1)) + 1)]
        pairs = zip(self.owners.tolist(), self.roles.tolist(), strict=True)
        for ring, (owner, role) in enumerate(pairs):
            if role == OUTER:
                found[owner].append([ring])
            elif role == HOLE:
                found[owner][-1].append(ring)
        return found


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


def vertex_counts(
    shapes: NDArray[np.object_],
    *,
    ids: Sequence[str] | None = None,
) -> NDArray[np.int64]:
    """Vertices that each shape takes in a file ``(N,)``; at most, flat parts are left out.

    Raises
    ------
    ExportError
        If a shape cannot be drawn; `ids` name it.

    Examples
    --------
    >>> vertex_counts(np.array([shapely.box(0, 0, 1, 1), shapely.Point(0, 0)])).tolist()
    [5, 13]
    """
    parts, owners = _parts(shapes, FOOT_METRES[1], ids)
    counts = np.bincount(owners, shapely.get_num_coordinates(parts), minlength=len(shapes))
    return counts.astype(np.int64)


def outlines(
    shapes: NDArray[np.object_],
    *,
    radius: float,
    ids: Sequence[str] | None = None,
    lines: bool = False,
) -> Outlines:
    """Rings of every shape, in order; points have grown to columns.

    Coordinates are rounded, outer rings run counter-clockwise, holes clockwise. What
    rounding has made flat (holes and islands under about 0.1 m) is left out, unless nothing
    else is there. What crosses the 180th meridian is cut there, whether its longitudes go on
    beyond 180 or start again at -180: no edge is longer than half a turn.

    Parameters
    ----------
    shapes
        Areas, points and collections of them, in degrees ``(N,)``.
    radius
        Radius of the column that stands for a point. [m]
    ids
        Names of the shapes in messages; without them their places are named.
    lines
        Whether lines are drawn too.

    Raises
    ------
    ExportError
        If a shape is missing, empty, not on the globe, goes around a pole, or is a line where
        none are drawn; the message names it.

    Examples
    --------
    >>> found = outlines(np.array([shapely.box(0, 0, 1, 1)]), radius=50)
    >>> found.shapes, found.coordinates.tolist()
    ([[[0]]], [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    >>> found = outlines(np.array([shapely.box(179, 0, 181, 1)]), radius=50)
    >>> sorted(set(found.coordinates[:, 0].tolist()))
    [-180.0, -179.0, 179.0, 180.0]
    """
    parts, owners = _parts(shapes, radius, ids)
    rings, part_of, roles = _rings(parts)
    owners = owners[part_of]
    if not lines:
        wrong = np.unique(owners[roles == LINE])
        _refuse(wrong, "have lines, and only areas and points are drawn here", ids)
    # adding zero makes the negative zero a plain one
    coordinates = np.round(shapely.get_coordinates(rings), DECIMALS) + 0.0
    ends = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(rings))])
    solid = _turn(coordinates, ends, roles)
    found = Outlines(coordinates, ends, owners, roles)
    return found if solid.all() else _without_flat(found, solid)


def ring_texts(found: Outlines, tops: Sequence[bytes]) -> list[bytes]:
    """Content of the ``coordinates`` of every ring.

    Parameters
    ----------
    found
        The rings.
    tops
        Third coordinate of every shape as text ``(N,)``.

    Examples
    --------
    >>> square = np.array([shapely.box(-1, 0, 134.5, 0.25)])
    >>> ring_texts(outlines(square, radius=50), [b"12.5"])[0][:42]
    b'134.500000,0.000000,12.5 134.500000,0.2500'
    """
    longitude, latitude = (_degrees(column) for column in found.coordinates.T)
    comma, third, blank = (np.full((1, longitude.shape[1]), ord(sign), np.uint8) for sign in ",h ")
    # a table of bytes for all corners: no number is formatted one by one
    table = np.vstack([longitude, comma, latitude, comma, third, blank]).T
    ends = found.ends * table.shape[1]
    if not table.all():  # NUL is what is not written
        written = table != 0
        ends = np.concatenate([[0], np.cumsum(np.count_nonzero(written, axis=1))])[found.ends]
        table = table[written]
    whole = table.tobytes()  # row by row
    # a ring ends before the blank behind its last corner
    pairs = zip(pairwise(ends.tolist()), found.owners.tolist(), strict=True)
    return [whole[start : end - 1].replace(b"h", tops[owner]) for (start, end), owner in pairs]


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


def _degrees(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Degrees as text, a column each; NUL is what is not written, in front only."""
    whole = np.rint(values * 10**DECIMALS).astype(np.int32)
    size = np.abs(whole)
    point = WIDTH - DECIMALS - 1
    text = np.empty((WIDTH, len(values)), dtype=np.uint8)
    rest = size
    for place in [*range(WIDTH - 1, point, -1), *range(point - 1, 0, -1)]:
        tens = rest // 10
        text[place] = rest - 10 * tens
        rest = tens
    text += ord("0")
    text[point] = ord(".")
    for place, least in ((1, 100), (2, 10)):  # no zeros in front
        text[place, size < least * 10**DECIMALS] = 0
    text[0] = np.where(whole < 0, ord("-"), 0)
    used = text[:point].any(axis=1)
    return text[int(used.argmax()) :]


def _parts(
    shapes: NDArray[np.object_],
    radius: float,
    ids: Sequence[str] | None,
) -> tuple[NDArray[np.object_], NDArray[np.int_]]:
    """Polygons and lines between -180 and 180 degrees, with the shape that each belongs to."""
    given = np.asarray(shapes, dtype=object)
    nothing = shapely.is_missing(given) | shapely.is_empty(given)
    _refuse(np.flatnonzero(nothing), "are missing or empty", ids)
    parts, owners = _flat(given, np.arange(len(given)))
    corners, part_of = _corners(parts, owners, ids)
    points = shapely.get_type_id(parts) == shapely.GeometryType.POINT
    if points.any():
        parts = parts.copy()
        parts[points] = _feet(parts[points], radius)
        corners, part_of = _corners(parts, owners, ids)
    far = np.abs(corners[:, 0]) > HALF
    jump = (np.abs(np.diff(corners[:, 0])) > HALF) & (part_of[1:] == part_of[:-1])
    crossing = np.unique(part_of[far | np.append(jump, False)])
    if not len(crossing):
        return parts, owners
    around = [part for part in crossing.tolist() if _jumps(_eastward(parts[part]))]
    _refuse(np.unique(owners[around]), "go around a pole", ids)
    parts = parts.copy()
    parts[crossing] = [_cut(part) for part in parts[crossing]]
    return _flat(parts, owners)


def _corners(
    parts: NDArray[np.object_],
    owners: NDArray[np.int_],
    ids: Sequence[str] | None,
) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    """Coordinates of the parts, and the part of each, all of them on the globe."""
    corners, part_of = shapely.get_coordinates(parts, return_index=True)
    away = ~(np.abs(corners) <= FURTHEST).all(axis=1)  # true where a coordinate is no number
    _refuse(np.unique(owners[part_of[away]]), "have coordinates that are not on the globe", ids)
    return corners, part_of


def _flat(
    shapes: NDArray[np.object_],
    owners: NDArray[np.int_],
) -> tuple[NDArray[np.object_], NDArray[np.int_]]:
    parts = shapes
    while (shapely.get_type_id(parts) > shapely.GeometryType.POLYGON).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owners = owners[inner]
    full = ~shapely.is_empty(parts)
    return (parts, owners) if full.all() else (parts[full], owners[full])


def _refuse(wrong: NDArray[np.int_], fault: str, ids: Sequence[str] | None) -> None:
    if not len(wrong):
        return
    named = [f"number {place + 1}" if ids is None else str(ids[place]) for place in wrong[:NAMED]]
    more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
    raise ExportError(f"{len(wrong)} shapes {fault}: {', '.join(named)}{more}")


def _eastward(part: shapely.Geometry) -> shapely.Geometry:
    """A part that starts again at -180 with longitudes that go on instead."""
    if not _jumps(part):
        return part
    return shapely.transform(part, lambda xy: xy + (xy[:, :1] < 0) * np.array([TURN, 0.0]))


def _jumps(part: shapely.Geometry) -> bool:
    rings = shapely.get_rings(part) if isinstance(part, shapely.Polygon) else [part]
    return any(bool((np.abs(np.diff(r.coords, axis=0)[:, 0]) > HALF).any()) for r in rings)


def _cut(part: shapely.Geometry) -> shapely.Geometry:
    """A part in pieces, each brought between -180 and 180 degrees."""
    whole, pieces = shapely.make_valid(_eastward(part)), []
    for turn in (-TURN, 0.0, TURN):
        world = shapely.box(turn - HALF, -FURTHEST[1], turn + HALF, FURTHEST[1])
        found, _ = _flat(np.array([shapely.intersection(whole, world)]), np.zeros(1, dtype=int))
        alike = found[shapely.get_dimensions(found) == shapely.get_dimensions(part)]
        pieces += list(shapely.transform(alike, lambda xy, turn=turn: xy - np.array([turn, 0.0])))
    return shapely.GeometryCollection(pieces)


def _rings(
    parts: NDArray[np.object_],
) -> tuple[NDArray[np.object_], NDArray[np.int_], NDArray[np.uint8]]:
    """Rings and lines in the order of the parts, the part of each, and what it is."""
    areas = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    if areas.all() and not shapely.get_num_interior_rings(parts).any():
        # an area without holes has the corners of its ring
        return parts, np.arange(len(parts)), np.full(len(parts), OUTER, dtype=np.uint8)
    rings, of = shapely.get_rings(parts[areas], return_index=True)
    roles = np.where(np.diff(of, prepend=-1) > 0, OUTER, HOLE).astype(np.uint8)
    part_of = np.flatnonzero(areas)[of]
    if areas.all():
        return rings, part_of, roles
    part_of = np.concatenate([part_of, np.flatnonzero(~areas)])
    order = np.argsort(part_of, kind="stable")
    lines = parts[~areas]
    roles = np.append(roles, np.full(len(lines), LINE, dtype=np.uint8))
    return np.concatenate([rings, lines])[order], part_of[order], roles[order]


def _turn(
    coordinates: NDArray[np.float64],
    ends: NDArray[np.int_],
    roles: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    # turns rings in place; the sign of the area decides, as it does for rings that cross
    if not len(roles):
        return np.zeros(0, dtype=bool)
    areas = ring_areas(coordinates, ends)
    wrong = np.where(roles == HOLE, areas > 0, areas < 0) & (roles != LINE)
    if wrong.any():
        sizes = np.diff(ends)
        mirrored = np.repeat(ends[:-1] + ends[1:] - 1, sizes) - np.arange(len(coordinates))
        turned = np.repeat(wrong, sizes)
        coordinates[turned] = coordinates[mirrored[turned]]
    return np.asarray((areas != 0) | (roles == LINE))


def _without_flat(found: Outlines, solid: NDArray[np.bool_]) -> Outlines:
    heads = np.flatnonzero(found.roles != HOLE)
    owners = found.owners[heads]
    some = np.bincount(owners, solid[heads]) > 0  # of every shape: whether anything is solid
    first = np.diff(owners, prepend=-1) > 0
    stays = solid[heads] | (first & ~some[owners])
    kept = np.repeat(stays, np.diff(np.append(heads, len(solid)))) & solid
    kept[heads] = stays
    sizes = np.diff(found.ends)
    return Outlines(
        found.coordinates[np.repeat(kept, sizes)],
        np.concatenate([[0], np.cumsum(sizes[kept])]),
        found.owners[kept],
        found.roles[kept],
    )


def _feet(points: NDArray[np.object_], radius: float) -> NDArray[np.object_]:
    longitude, latitude = shapely.get_coordinates(points).T[:, :, None]
    turn = np.arange(CORNERS) * (2 * np.pi / CORNERS)
    high = radius / METRES_PER_DEGREE
    wide = high / np.cos(np.radians(latitude))
    ring = (longitude + wide * np.cos(turn), latitude + high * np.sin(turn))
    return np.asarray(shapely.polygons(np.stack(ring, axis=-1)), dtype=object)
