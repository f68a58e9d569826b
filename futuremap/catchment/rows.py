"""Rows: which points may be near which, by rows of latitude and windows of longitude in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
DEGREE = 110_000.0  # less than any degree of latitude [m]
WIDER = 1.01  # than a sphere has it: more than the ellipsoid differs from one
APART = 1_000.0  # between the keys of rows, more than any longitudes differ [degrees]
ALL = 360.0  # a window that leaves out no longitude [degrees]
# beyond these a window cannot be told by plane geometry, and holds the whole row
STEEP, FAR = 85.0, 5.0  # latitude, height of a row [degrees]
AT_ONCE = 1 << 17  # pairs looked at together, so that they stay in the cache


class Close(NamedTuple):
    """Pairs of points, by facility in an order of its own.

    facility, place
        Positions ``(K,)``.
    chord
        Straight line through the ground between them ``(K,)``. [m]
    """

    facility: Positions
    place: Positions
    chord: Floats


class _Windows(NamedTuple):
    # runs of places in the order of rows, three for each facility
    first: Positions
    size: Positions


def within_chord(
    facilities: tuple[Floats, Floats],
    places: tuple[Floats, Floats],
    *,
    arc: float,
    chord: float,
) -> Close:
    """All pairs whose chord is no longer than given.

    Parameters
    ----------
    facilities, places
        Longitude and latitude ``(N, 2)`` [degrees], and the same points in Cartesian
        coordinates ``(N, 3)``. [m]
    arc
        Distance on the ground that no pair within the chord exceeds. [m]
    chord
        The limit. [m]

    Notes
    -----
    Places are sorted by rows of latitude as high as the distance, and by longitude in each. What
    is near a facility lies in its row and the two beside it, within a window of longitude. Of
    the pairs so found some three fifths are near; distances alone decide.

    Examples
    --------
    >>> degrees = np.array([[133.0, 34.0], [133.0, 34.001], [133.0, 34.1]])
    >>> flat = np.column_stack([degrees * 111_000.0, np.zeros(3)])
    >>> found = within_chord((degrees[:1], flat[:1]), (degrees, flat), arc=800.0, chord=800.0)
    >>> found.place.tolist(), found.chord.round(6).tolist()
    ([0, 1], [0.0, 111.0])
    """
    height = arc * WIDER / DEGREE
    keys, own = (np.floor(at[:, 1] / height) * APART + at[:, 0] for at in
                 (places[0], facilities[0]))  # fmt: skip
    by_place, by_facility = np.argsort(keys), np.argsort(own)
    windows = _windows(keys[by_place], facilities[0][by_facility], height)
    there = np.ascontiguousarray(places[1][by_place].T)
    here = np.ascontiguousarray(facilities[1][by_facility].T)
    ends = np.cumsum(windows.size)
    cuts = np.searchsorted(ends, np.arange(AT_ONCE, int(ends[-1]) if len(ends) else 0, AT_ONCE))
    edges = np.unique(np.concatenate([[0], cuts, [len(ends)]]))
    parts = [
        _near(here, there, windows, slice(a, b), chord)
        for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
    nothing = (np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp), np.empty(0))
    facility, place, length = (np.concatenate(c) for c in zip(nothing, *parts, strict=True))
    return Close(by_facility[facility], by_place[place], length)


def _windows(keys: Floats, at: Floats, height: float) -> _Windows:
    longitude, latitude = at.T
    row = np.floor(latitude / height)
    # keys of far rows are large numbers, and longitudes in them rounded
    rounding = 4 * np.spacing(np.abs(keys).max(initial=0.0) + APART)
    first, last = np.empty((2, len(at), 3), dtype=np.intp)
    for k in range(3):
        south = (row + k - 1) * height
        north = south + height
        gap = np.maximum(0.0, np.maximum(south - latitude, latitude - north))
        steepest = np.maximum(np.abs(south), np.abs(north))
        shrunk = np.cos(np.radians(np.minimum(steepest, STEEP)))
        half = np.sqrt(np.maximum(height**2 - gap**2, 0.0)) / shrunk + rounding
        if height > FAR:
            half[:] = ALL
        half[steepest > STEEP] = ALL
        middle = (row + k - 1) * APART + longitude
        first[:, k] = np.searchsorted(keys, middle - half, side="left")
        last[:, k] = np.searchsorted(keys, middle + half, side="right")
    return _Windows(first.ravel(), (last - first).ravel())


def _near(
    here: Floats,
    there: Floats,
    windows: _Windows,
    some: slice,
    chord: float,
) -> tuple[Positions, Positions, Floats]:
    """Pairs of some windows within the chord, in the orders of the rows."""
    size = windows.size[some]
    before = np.cumsum(size) - size
    place = np.arange(int(size.sum())) + np.repeat(windows.first[some] - before, size)
    facility = np.repeat(np.arange(some.start, some.stop) // 3, size)
    square = np.zeros(len(place))
    for axis in range(3):
        leg = there[axis][place] - here[axis][facility]
        square += leg * leg
    near = np.flatnonzero(square <= chord * chord)
    return facility[near], place[near], np.sqrt(square[near])
