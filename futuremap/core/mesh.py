"""Mesh codes of JIS X 0410: code <-> bounds <-> parent and children, exact and vectorised.

A cell is half-open, [south, north) by [west, east), so a point lies in one cell of each level.
Every cell is a whole number of 125 m cells, 3.75" of latitude by 5.625" of longitude, counted
from the equator and from 100 degrees east. Here a place is a pair of whole numbers on that grid,
because the lines themselves (34 + 1/3 degrees) have no exact float64.

Every function takes one value or an array and answers in the same shape. Codes are text; degrees
are JGD2000 or JGD2011, as the standard has been read since 2002.

References
----------
JIS X 0410, Grid square code (地域メッシュコード), 1976, amended 2002.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Generic, NamedTuple, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import KeyCodeError

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.str_]
Codes = NDArray[Any] | list[str] | tuple[str, ...]  # Sequence[str] would take in str itself
Degrees = NDArray[Any] | Sequence[float]
Value = TypeVar("Value", float, Floats)

SNAP = 1e-6  # in 125 m cells: what nine decimals of a degree can miss a line by, under 0.2 mm


class Bounds(NamedTuple, Generic[Value]):
    """Sides of cells in degrees, in this order."""

    south: Value
    west: Value
    north: Value
    east: Value


class Point(NamedTuple, Generic[Value]):
    """Degrees, latitude first as in the codes."""

    lat: Value
    lon: Value


class _Axis(NamedTuple):
    what: str
    origin: int  # degrees
    per_degree: int  # 125 m cells
    cells: int  # in all

    def measure(self, degrees: Floats) -> Floats:
        """Cells from the origin, those within `SNAP` of a whole number made whole."""
        with np.errstate(over="ignore", invalid="ignore"):  # inf and nan are refused by callers
            at = degrees * self.per_degree - self.origin * self.per_degree
            return np.where(np.abs(at - np.rint(at)) <= SNAP, np.rint(at), at)

    def cell(self, degrees: Floats) -> Ints:
        at = self.measure(degrees)
        outside = np.flatnonzero(~((at >= 0) & (at < self.cells)))  # nan compares false
        if outside.size:
            shown = ", ".join(f"index {i}, {degrees[i]}" for i in outside[:3])
            raise KeyCodeError(f"{outside.size} of {degrees.size} are no {self.what}: {shown}")
        return np.floor(at).astype(np.int64)

    def starts(self, low: float, high: float, span: int) -> Ints:
        """South or west sides of the cells that share more than a line with (low, high)."""
        first, last = self.measure(np.array([low, high], np.float64))
        if not 0 <= first < last <= self.cells:
            raise KeyCodeError(f"{low} to {high} is no span of {self.what}")
        return np.arange(first // span, np.ceil(last / span), dtype=np.int64) * span

    def degrees(self, halves: Ints) -> Floats:
        """Half cells to degrees: one division of whole numbers, so correctly rounded."""
        return (halves + 2 * self.origin * self.per_degree) / (2 * self.per_degree)


class _Place(NamedTuple):
    allowed: str  # digits, in the order of their steps
    north: int = 0  # 125 m cells in a step; a quadrant goes both ways
    east: int = 0


_Places = tuple[_Place, ...]
_LAT = _Axis("latitude from 0 to 66.67", 0, 960, 64_000)  # pp 00 to 99
_LON = _Axis("longitude from 100 to 180", 100, 640, 51_200)  # uu 00 to 79: negative from 180
_TEN, _EIGHT, _EVEN, _FOUR = "0123456789", "01234567", "02468", "1234"  # 1 SW, 2 SE, 3 NW, 4 NE
_FIRST = _Place(_TEN, 6400), _Place(_TEN, 640), _Place(_EIGHT, 0, 6400), _Place(_TEN, 0, 640)
_SECOND = *_FIRST, _Place(_EIGHT, 80), _Place(_EIGHT, 0, 80)
# the 1 km code of the south-west corner, and a 5 where the 500 m code has its quadrant
_TWOFOLD = *_SECOND, _Place(_EVEN, 8), _Place(_EVEN, 0, 8), _Place("5")
_THIRD = *_SECOND, _Place(_TEN, 8), _Place(_TEN, 0, 8)
_HALF = *_THIRD, _Place(_FOUR, 4, 4)
_QUARTER = *_HALF, _Place(_FOUR, 2, 2)


class Level(StrEnum):
    """Meshes by the usual length of a side, coarsest first; 5 km and 2 km are integrated ones."""

    KM80 = "80km", 640, "1次メッシュ", _FIRST
    KM10 = "10km", 80, "2次メッシュ", _SECOND
    KM5 = "5km", 40, "5倍（5km）", (*_SECOND, _Place(_FOUR, 40, 40))
    KM2 = "2km", 16, "2倍（2km）", _TWOFOLD
    KM1 = "1km", 8, "3次メッシュ（1km）", _THIRD
    M500 = "500m", 4, "2分の1（500m）", _HALF
    M250 = "250m", 2, "4分の1（250m）", _QUARTER
    M125 = "125m", 1, "8分の1（125m）", (*_QUARTER, _Place(_FOUR, 1, 1))

    span: int  # side, in 125 m cells
    label: str  # Japanese name
    places: _Places  # digits of a code
    size: Point[float]  # south to north and west to east [degrees]

    def __new__(cls, name: str, span: int = 0, label: str = "", places: _Places = ()) -> Self:
        """Hang the attributes on a member of the enumeration."""
        level = str.__new__(cls, name)
        level._value_, level.span, level.label, level.places = name, span, label, places
        level.size = Point(span / _LAT.per_degree, span / _LON.per_degree)
        return level


_LEVELS = tuple(Level)  # below, a level is its number here, and -1 is none
_WIDTH = 12  # one more than the longest code, so that an overlong one still shows
_NUMBERS = {len(level.places): number for number, level in enumerate(_LEVELS)}  # 9: 500 m
_BY_LENGTH = np.array([_NUMBERS.get(length, -1) for length in range(_WIDTH + 1)])


@overload
def level_of(codes: str) -> Level: ...
@overload
def level_of(codes: Codes) -> Texts: ...
def level_of(codes: str | Codes) -> Level | Texts:
    """Level of each code; an array compares with `Level` members.

    Raises
    ------
    KeyCodeError
        If a code is malformed.

    Examples
    --------
    >>> level_of(["513440132", "513440025"])
    array(['500m', '2km'], dtype='<U4')
    """
    cells = _read(codes)
    levels = np.array(_LEVELS, np.str_)[cells.levels]
    return levels.reshape(cells.shape) if cells.shape else Level(str(levels[0]))


@overload
def validate(codes: str) -> bool: ...
@overload
def validate(codes: Codes) -> Bools: ...
def validate(codes: str | Codes) -> bool | Bools:
    """Whether each value is a code of any level; numbers and missing values are not.

    Examples
    --------
    >>> validate(["51344013", "51348013"])  # the fifth digit goes to 7
    array([ True, False])
    """
    cells = _parse(np.asarray(codes))
    return cells.good.reshape(cells.shape) if cells.shape else bool(cells.good[0])


@overload
def encode(lat: float, lon: float, *, level: Level | str) -> str: ...
@overload
def encode(lat: Degrees, lon: Degrees, *, level: Level | str) -> Texts: ...
def encode(lat: float | Degrees, lon: float | Degrees, *, level: Level | str) -> str | Texts:
    """Code of the cell each point lies in; latitudes and longitudes in degrees, broadcast.

    A point within 0.2 mm of a line (`SNAP`) is taken to stand on it, and so in the cell to its
    north or east: every corner finds its cell, whichever float64 near the line it was given as.

    Raises
    ------
    KeyCodeError
        If a coordinate is not finite, or outside latitude 0 to 66.67 and longitude 100 to 180.

    Examples
    --------
    Takamatsu city hall. North: 34.3428 x 1.5 = 51.5142, 0.5142 x 8 = 4.1136, 0.1136 x 10 = 1.136.
    East of 100: 34.0466, 0.0466 x 8 = 0.3728, 0.3728 x 10 = 3.728. So 51 34, 4 0, 1 3:

    >>> encode(34.3428, 134.0466, level="1km")
    '51344013'
    """
    lats, lons = np.broadcast_arrays(np.asarray(lat, np.float64), np.asarray(lon, np.float64))
    codes = _write(_LAT.cell(lats.ravel()), _LON.cell(lons.ravel()), Level(level))
    return codes.reshape(lats.shape) if lats.shape else str(codes[0])


@overload
def bounds(codes: str) -> Bounds[float]: ...
@overload
def bounds(codes: Codes) -> Bounds[Floats]: ...
def bounds(codes: str | Codes) -> Bounds[float] | Bounds[Floats]:
    """Sides of each cell in degrees, as the float64 nearest to the true ones.

    Raises
    ------
    KeyCodeError
        If a code is malformed.

    Examples
    --------
    >>> bounds("5134")  # 51 / 1.5 = 34, and 100 + 34
    Bounds(south=34.0, west=134.0, north=34.666666666666664, east=135.0)
    """
    cells = _read(codes)
    box = Bounds(*_point(cells, 0), *_point(cells, 2))
    return box if cells.shape else Bounds(*map(float, box))


@overload
def centre(codes: str) -> Point[float]: ...
@overload
def centre(codes: Codes) -> Point[Floats]: ...
def centre(codes: str | Codes) -> Point[float] | Point[Floats]:
    """Middle of each cell in degrees, as the float64 nearest to the true one.

    Raises
    ------
    KeyCodeError
        If a code is malformed.

    Examples
    --------
    >>> centre("513400")  # half of 5 minutes north, half of 7.5 minutes east
    Point(lat=34.041666666666664, lon=134.0625)
    """
    cells = _read(codes)
    middle = Point(*_point(cells, 1))
    return middle if cells.shape else Point(*map(float, middle))


@overload
def parent(codes: str, level: Level | str) -> str: ...
@overload
def parent(codes: Codes, level: Level | str) -> Texts: ...
def parent(codes: str | Codes, level: Level | str) -> str | Texts:
    """Code of the larger cell of `level` that holds each cell.

    Raises
    ------
    KeyCodeError
        If a code is malformed, or its cell does not nest in cells of `level`.

    Examples
    --------
    >>> parent("513440132", "2km")  # row 1 and column 3 go down to even, then a 5
    '513440025'
    """
    to, cells = Level(level), _read(codes)
    for number in np.unique(cells.levels):
        _require_nesting(_LEVELS[number], to)
    larger = _write(cells.rows, cells.cols, to)
    return larger.reshape(cells.shape) if cells.shape else str(larger[0])


def children(codes: str | Codes, level: Level | str) -> Texts:
    """Codes of the smaller cells of `level`, sorted as text, along a new last axis.

    Raises
    ------
    KeyCodeError
        If a code is malformed, cells of `level` do not nest in it, or the codes are of several
        levels (or none), so that the length of the new axis is not known.

    Examples
    --------
    >>> children("51344013", "500m").tolist()  # south-west, south-east, north-west, north-east
    ['513440131', '513440132', '513440133', '513440134']
    """
    to, cells = Level(level), _read(codes)
    found = [_LEVELS[number] for number in np.unique(cells.levels)]
    if len(found) != 1:
        raise KeyCodeError(f"children need codes of one level, got {', '.join(found) or 'none'}")
    _require_nesting(to, found[0])
    steps = np.arange(0, found[0].span, to.span)
    north, east = np.repeat(steps, steps.size), np.tile(steps, steps.size)
    order = np.argsort(_write(north, east, to))  # the same in every cell of a level
    rows, cols = cells.rows[:, None] + north[order], cells.cols[:, None] + east[order]
    return _write(rows.ravel(), cols.ravel(), to).reshape(*cells.shape, order.size)


def cover(*, south: float, west: float, north: float, east: float, level: Level | str) -> Texts:
    """Codes, sorted, of all cells that share area, not just a line, with a box in degrees.

    Raises
    ------
    KeyCodeError
        If the box is empty, not finite, or beyond latitude 0 to 66.67 and longitude 100 to 180.

    Examples
    --------
    >>> cover(**bounds("51344013")._asdict(), level="500m").tolist()
    ['513440131', '513440132', '513440133', '513440134']
    """
    to = Level(level)
    rows, cols = _LAT.starts(south, north, to.span), _LON.starts(west, east, to.span)
    return np.sort(_write(np.repeat(rows, cols.size), np.tile(cols, rows.size), to))


class _Cells(NamedTuple):
    shape: tuple[int, ...]  # as given; all else is flat
    levels: Ints  # numbers of the levels
    rows: Ints  # south-west corners, in 125 m cells
    cols: Ints
    good: Bools


def _read(codes: str | Codes) -> _Cells:
    given = np.asarray(codes)
    cells = _parse(given)
    bad = np.flatnonzero(~cells.good)
    if bad.size:
        found = [(i, given.ravel()[i], cells.levels[i]) for i in bad[:3]]
        shown = "; ".join(f"index {i}, {_fault(code, number)}" for i, code, number in found)
        raise KeyCodeError(f"{bad.size} of {given.size} are no codes of JIS X 0410: {shown}")
    return cells


def _parse(codes: NDArray[Any]) -> _Cells:
    flat = codes.ravel()
    if flat.dtype.kind != "U":  # what is no text becomes empty, and so malformed
        flat = np.array([c if isinstance(c, str) else "" for c in flat.tolist()], f"U{_WIDTH}")
    text = np.ascontiguousarray(flat, f"U{_WIDTH}")
    chars = text.view(np.uint32).reshape(-1, _WIDTH)
    levels = _BY_LENGTH[np.strings.str_len(text)]
    levels[(levels == _NUMBERS[9]) & (chars[:, 8] == ord("5"))] = _LEVELS.index(Level.KM2)
    rows, cols, good = np.zeros_like(levels), np.zeros_like(levels), levels >= 0
    for number, level in enumerate(_LEVELS):
        here = np.flatnonzero(levels == number)
        if here.size:
            rows[here], cols[here], good[here] = _corner(chars[here], level.places)
    return _Cells(codes.shape, levels, rows, cols, good)


def _corner(chars: NDArray[np.uint32], places: _Places) -> tuple[Ints, Ints, Bools]:
    rows, cols = np.zeros(len(chars), np.int64), np.zeros(len(chars), np.int64)
    good = np.ones(len(chars), np.bool_)
    for column, place in zip(chars.T, places, strict=False):
        good &= np.isin(column, [ord(char) for char in place.allowed])
        digit = column.astype(np.int64) - ord("0")
        both = place.north and place.east
        rows += ((digit - 1) >> 1 if both else digit) * place.north
        cols += ((digit - 1) & 1 if both else digit) * place.east
    return rows, cols, good


def _write(rows: Ints, cols: Ints, level: Level) -> Texts:
    """Codes of the cells of `level` that hold the given 125 m cells."""
    rows, cols = rows - rows % level.span, cols - cols % level.span
    chars = np.empty((rows.size, len(level.places)), np.uint32)
    for at, place in enumerate(level.places):
        digit = np.full(rows.size, ord(place.allowed[0]))
        if place.north:
            digit += (rows // place.north) * (2 if place.east else 1)
            rows = rows % place.north
        if place.east:
            digit += cols // place.east
            cols = cols % place.east
        chars[:, at] = digit
    return chars.view(f"U{len(level.places)}").ravel()


def _point(cells: _Cells, halves: int) -> tuple[Floats, Floats]:
    """Degrees so many half sides north and east of each south-west corner."""
    away = halves * np.array([level.span for level in _LEVELS])[cells.levels]
    lat, lon = _LAT.degrees(2 * cells.rows + away), _LON.degrees(2 * cells.cols + away)
    return lat.reshape(cells.shape), lon.reshape(cells.shape)


def _require_nesting(small: Level, large: Level) -> None:
    if small.span >= large.span or large.span % small.span:
        times = f"a {large} side is {large.span / small.span:g} times a {small} side"
        raise KeyCodeError(f"{small} cells do not nest in {large} cells: {times}")


def _fault(code: object, number: int) -> str:
    """Say which rule a malformed code breaks."""
    if not isinstance(code, str):
        return f"{code!r}: not text"
    text, level = str(code), _LEVELS[number]
    if number < 0:
        return f"{text!r}: {len(text)} characters, where codes have 4 or 6 to 11"
    pairs = enumerate(zip(text, level.places, strict=True), 1)
    at, char, allowed = next((i, c, p.allowed) for i, (c, p) in pairs if c not in p.allowed)
    return f"{text!r}: digit {at} of a {level} code is one of {allowed}, not {char!r}"
