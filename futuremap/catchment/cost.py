"""Cost distance: a raster of travel cost as a network of moves, for the rules of networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyproj
from numpy.typing import NDArray

from futuremap.core.network import Network
from futuremap.core.surface import Surface

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
# rows south and columns east of half of the 16 moves; the others lead back
STRAIGHT = ((0, 1), (1, 0))
DIAGONAL = ((1, 1), (1, -1))
KNIGHT = ((1, 2), (1, -2), (2, 1), (2, -1))
MOVES = (*STRAIGHT, *DIAGONAL, *KNIGHT)
KMH = 3.6  # of 1 m/s
# the speed to give to a rule of networks, by car: that of the surface, whatever it is [km/h]
AS_SURFACE: Mapping[str, float] = {"": np.inf}
_GEOD = pyproj.Geod(ellps="GRS80")


class _Moves(NamedTuple):
    # one of the moves from all cells where it is open
    start: Positions
    end: Positions
    length: Floats
    speed: Floats


def network_of(surface: Surface) -> Network:
    """The moves between the cells of a surface as a network, times being length over speed.

    Parameters
    ----------
    surface
        Time per metre of each cell.

    Returns
    -------
    Network
        A node in the middle of each cell that can be passed, in the order of rows, and edges to
        its 8 neighbours and by the 8 knight's moves of chess, in both directions. Lengths
        are geodesics on GRS80; ``length / speed`` is the time over the straight line between
        the two middles, each cell with its part. All edges are open to people on foot and to
        cars; only the rules for cars look at speeds: ``within_time(facilities, places,
        network_of(surface), mode="car", speed=AS_SURFACE, minutes=30)`` is cost distance.
        On foot everybody walks at the same speed around what cannot be passed.

    Notes
    -----
    A move is closed if a cell on its line cannot be passed; a diagonal, which touches the
    two cells beside it in a corner, if both cannot. Times in open ground are those of the
    straight line or longer by at most the factor that :func:`overestimate` gives.

    References
    ----------
    Goodchild, M. F. (1977), Environment and Planning A 9(7), 727-737: paths on lattices of 4,
    8 and 16 moves.

    Examples
    --------
    Two cells side by side, 0.75 s/m (4.8 km/h) and 0.25 s/m: on average 0.5 s/m or 7.2 km/h.

    >>> pair = network_of(Surface(np.array([[0.75, 0.25]]), 133.0, 34.5, 0.001, 0.001))
    >>> pair.start.tolist(), pair.end.tolist(), pair.speed.tolist()
    ([0, 1], [1, 0], [7.2, 7.2])
    """
    open_ = ~np.isnan(surface.values)
    row, column = np.nonzero(open_)
    node = np.full(surface.shape, -1, dtype=np.intp)
    node[row, column] = np.arange(len(row))
    moves = [_moves(surface, node, south, east) for south, east in MOVES]
    there = _Moves(*(np.concatenate(columns) for columns in zip(*moves, strict=True)))
    count = 2 * len(there.start)
    yes = np.ones(count, dtype=bool)
    return Network(
        surface.longitude[column],
        surface.latitude[row],
        np.concatenate([there.start, there.end]),
        np.concatenate([there.end, there.start]),
        np.tile(there.length, 2),
        np.full(count, "", dtype=object),
        np.tile(there.speed, 2),
        yes,
        yes.copy(),
        surface.sources,
    )


def overestimate(surface: Surface) -> float:
    """How much longer than the straight line a path of the 16 moves is at most, in open ground.

    Returns
    -------
    float
        1 / cos(α / 2), α being the largest angle between neighbouring moves on the ground, at
        the row where it is largest. 1.0275 for square cells. [ratio]

    Examples
    --------
    >>> equator = Surface(np.ones((2, 2)), 0.0, 0.001, 0.001, 0.001)
    >>> round(overestimate(equator), 3)
    1.028
    """
    top, bottom = surface.latitude[[0, -1]]
    ratios = [_overestimate_at(latitude, surface) for latitude in (top, bottom)]
    # between the two the cells' shape lies between theirs; square is best, so an end is worst
    return max(ratios)


def _overestimate_at(latitude: float, surface: Surface) -> float:
    east = _GEOD.inv(0.0, latitude, surface.width, latitude)[2]
    half = surface.height / 2
    south = _GEOD.inv(0.0, latitude - half, 0.0, latitude + half)[2]
    angles = np.arctan2(np.array([0, 1, 1, 2, 1]) * south, np.array([1, 2, 1, 1, 0]) * east)
    return float(1 / np.cos(np.diff(angles).max() / 2))


def _moves(surface: Surface, node: Positions, south: int, east: int) -> _Moves:
    values = surface.values
    side = int(np.sign(east))
    on_line = {
        (0, 1): [(0, 0), (0, side)],
        (1, 0): [(0, 0), (1, 0)],
        (1, 1): [(0, 0), (1, side)],
        (1, 2): [(0, 0), (0, side), (1, side), (1, 2 * side)],
        (2, 1): [(0, 0), (1, 0), (1, side), (2, side)],
    }[south, abs(east)]

    def at(grid: NDArray[Any], down: int, right: int) -> NDArray[Any]:
        # the cells so many rows and columns from all those that the move can start from
        rows, columns = max(values.shape[0] - south, 0), max(values.shape[1] - abs(east), 0)
        left = right + (abs(east) if east < 0 else 0)
        return grid[down : down + rows, left : left + columns]

    # the line crosses each of its cells over the same length
    pace = np.mean([at(values, *cell) for cell in on_line], axis=0)
    closed = np.isnan(pace)
    if south == abs(east):
        closed |= np.isnan(at(values, 0, side)) & np.isnan(at(values, 1, 0))
    row, column = np.nonzero(~closed)
    start, end = at(node, 0, 0), at(node, south, east)
    lengths = _lengths(surface, south, east)
    return _Moves(
        np.asarray(start[row, column], dtype=np.intp),
        np.asarray(end[row, column], dtype=np.intp),
        lengths[row],
        np.asarray(KMH / pace[row, column], dtype=np.float64),
    )


def _lengths(surface: Surface, south: int, east: int) -> Floats:
    # (R,) geodesics; the same for all columns of a row
    latitude = surface.latitude
    from_, to = latitude, latitude - south * surface.height
    away = np.full(len(latitude), east * surface.width)
    return np.asarray(_GEOD.inv(np.zeros(len(latitude)), from_, away, to)[2], dtype=np.float64)
