"""What the linter knows of single values: coordinates, rings, colours, boxes, times."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import isfinite, isnan

from futuremap.export.kml.profiles import DECIMALS

COLOUR = re.compile(r"[0-9a-f]{8}")
TIME = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.\d+)?Z?)?)?)?")
LEAST_CORNERS = 4
MOST_CORNERS = 500_000  # of one shape; the most generous client takes fewer in a file
UNIT = 10**DECIMALS
HIGHEST = 1e6
LONGITUDES, LATITUDES = (-180.0, 180.0), (-90.0, 90.0)
ABOVE_GROUND, ABSOLUTE = (0.0, HIGHEST), (-11_000.0, HIGHEST)
NUMBERS = {
    "longitude": LONGITUDES,
    "latitude": LATITUDES,
    "range": (0.0, 1e9),
    "altitudeOffset": (-HIGHEST, HIGHEST),
    "duration": (0.0, 1e6),
}
Points = Sequence[tuple[float, ...]]


def points_of(text: str, mode: str) -> Points | None:
    """Corners of a shape; None if they are no numbers or lie where there is no ground.

    Parameters
    ----------
    text
        The coordinates.
    mode
        What the heights count from; heights above ground are not negative.

    Examples
    --------
    >>> points_of("134,34,5 134.1,34,5", "relativeToGround")
    [(134.0, 34.0, 5.0), (134.1, 34.0, 5.0)]
    >>> points_of("134,34,-5", "relativeToGround"), points_of("34,134", "")
    (None, None)
    """
    heights = ABOVE_GROUND if mode.startswith("relative") else ABSOLUTE
    try:
        points = [tuple(map(float, corner.split(","))) for corner in text.split()]
        axes = tuple(zip(*points, strict=True))
    except ValueError:
        return None
    if len(axes) not in (2, 3):
        return None
    ranges = (LONGITUDES, LATITUDES, heights)
    for (low, high), values in zip(ranges, axes, strict=False):
        # the sum is no number if one of them is none, which neither min nor max tells
        if not (low <= min(values) and max(values) <= high) or isnan(sum(values)):
            return None
    return points


def ring_fault(points: Points, *, outer: bool) -> tuple[str, str] | None:
    """What is wrong with a ring: its rule and what was seen.

    Parameters
    ----------
    points
        Its corners.
    outer
        Whether it is the edge of an area, which runs counter-clockwise, or of a hole.

    Examples
    --------
    >>> square = [(0, 0), (1, 0), (1, 1), (0, 0)]
    >>> ring_fault(square, outer=True), ring_fault(square, outer=False)
    (None, ('turn', '(0, 0)'))
    """
    if len(points) < LEAST_CORNERS or points[0] != points[-1]:
        return "ring", f"{len(points)} corners from {points[0]}"
    # whole numbers, so that the sign of a thin ring is exact
    whole = [(round(corner[0] * UNIT), round(corner[1] * UNIT)) for corner in points]
    area = sum(a * d - b * c for (a, b), (c, d) in pairwise(whole))
    return ("turn", str(points[0])) if (area < 0 if outer else area > 0) else None


def number_fault(tag: str, text: str) -> bool:
    """Whether the value of an element of `NUMBERS` is none, or out of its range.

    Examples
    --------
    >>> number_fault("altitudeOffset", "-12.5"), number_fault("duration", "-1")
    (False, True)
    """
    low, high = NUMBERS[tag]
    return not low <= _float(text) <= high


def box_fault(parts: Mapping[str, str]) -> str | None:
    """What is wrong with a box of degrees and metres.

    Examples
    --------
    >>> box_fault({"north": "34", "south": "35", "east": "134", "west": "133"})
    'north 34 ≤ south 35'
    """
    for high, low in (("north", "south"), ("east", "west"), ("maxAltitude", "minAltitude")):
        upper, lower = parts.get(high, "0"), parts.get(low, "0")
        level = high == "maxAltitude" and upper == lower
        if not (_float(upper) > _float(lower) or level):
            return f"{high} {upper} ≤ {low} {lower}"
    return None


def lod_fault(parts: Mapping[str, str]) -> str | None:
    """What is wrong with a level of detail, whose maximum -1 has no end.

    Examples
    --------
    >>> lod_fault({"minLodPixels": "128"})
    >>> lod_fault({"minLodPixels": "128", "maxLodPixels": "64"})
    'minLodPixels 128, maxLodPixels 64'
    """
    least, most = parts.get("minLodPixels", "0"), parts.get("maxLodPixels", "-1")
    endless = _float(most) == -1 and _float(least) >= 0
    if endless or 0 <= _float(least) < _float(most):
        return None
    return f"minLodPixels {least}, maxLodPixels {most}"


def time_fault(parts: Mapping[str, str]) -> str | None:
    """What is wrong with a span of time, or a time.

    Examples
    --------
    >>> time_fault({"begin": "2023", "end": "2028"})
    >>> time_fault({"begin": "2028-05", "end": "2028-04-30"})
    'begin 2028-05, end 2028-04-30'
    """
    found = {name: TIME.fullmatch(text.strip()) for name, text in parts.items()}
    seen = ", ".join(f"{name} {text}" for name, text in parts.items())
    if not all(found.values()):
        return seen
    begin, end = found.get("begin"), found.get("end")
    if begin and end:
        both = zip(begin.groups(), end.groups(), strict=True)
        pairs = [(first, last) for first, last in both if first and last]
        if [first for first, _ in pairs] > [last for _, last in pairs]:
            return seen
    return None


def _float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return float("nan")
    return value if isfinite(value) else float("nan")
