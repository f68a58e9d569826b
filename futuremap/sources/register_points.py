"""The points of a register's areas: where each lies, corrected and checked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely

from futuremap.problems import Problem
from futuremap.sources import cells
from futuremap.sources.cells import Reason
from futuremap.sources.columns import Columns, note_missing

Point = tuple[float, float]  # latitude, longitude, as people write them


def first_of_each_name(columns: Columns) -> list[int]:
    """Rows whose name stands in no row above."""
    first: dict[str, int] = {}
    for row in range(len(columns)):
        first.setdefault(cells.key(columns.raw(row, "name")), row)
    return list(first.values())


def points_of(
    columns: Columns,
    corrections: Mapping[str, Point],
    *,
    headings: Mapping[str, str],
) -> list[Point | None]:
    """Latitude and longitude of each row; None, with a problem noted, where there is none.

    Parameters
    ----------
    columns
        The register.
    corrections
        Name of an area to its right point, used instead of the file's.
    headings
        Heading to our name, for the column that is missing where no place is given at all.
    """
    by_key = _checked_corrections(columns, corrections)
    has_places = "location" in columns.places or {"latitude", "longitude"} <= set(columns.places)
    if not has_places and not corrections:
        note_missing(columns.table, "location", headings, report=columns.report)
        return [None] * len(columns)
    points: list[Point | None] = []
    at: dict[Point, int] = {}
    for row in range(len(columns)):
        name_key = cells.key(columns.raw(row, "name"))
        point = by_key[name_key] if name_key in by_key else _point(columns, row)
        points.append(point)
        if point is None:
            continue
        other = at.setdefault(point, row)
        if other != row:
            zone, name = columns.text(row, "name"), columns.text(other, "name")
            columns.note("FM527", row, "location", zone=zone, other=name)
    return points


def _checked_corrections(
    columns: Columns,
    corrections: Mapping[str, Point],
) -> dict[str, Point | None]:
    names = {cells.key(columns.raw(row, "name")): row for row in first_of_each_name(columns)}
    checked: dict[str, Point | None] = {}
    for name, point in corrections.items():
        row = names.get(cells.key(name))
        if row is None:
            continue  # whoever holds the project file says where it names an unknown area
        sound = columns.in_japan(row, "point_correction", point, name=name)
        checked[cells.key(name)] = point if sound else None
    return checked


def _point(columns: Columns, row: int) -> Point | None:
    zone = columns.text(row, "name")
    if {"latitude", "longitude"} <= set(columns.places):
        column = "latitude"
        pair = columns.coordinate(row, "latitude"), columns.coordinate(row, "longitude")
    else:
        column = "location"
        pair = _location(columns, row)
    latitude, longitude = pair
    ends_early = any(p.code == "FM207" and p.line == columns.line(row) for p in _of(columns))
    if (latitude is None or longitude is None) and ends_early:
        return None  # the point was cut off with the rest
    if latitude is None or longitude is None:
        columns.note("FM521", row, column, zone=zone)
        return None
    if np.isnan(latitude) or np.isnan(longitude):
        return None
    point = latitude, longitude
    return point if columns.in_japan(row, column, point, name=zone) else None


def _of(columns: Columns) -> list[Problem]:
    return [p for p in columns.report.problems if p.file == columns.table.file]


def _location(columns: Columns, row: int) -> tuple[float | None, float | None]:
    raw = columns.raw(row, "location")
    both = cells.latitude_longitude(raw)
    if both is Reason.EMPTY:
        return None, None
    if not isinstance(both, Reason):
        return both
    beside = columns.places["location"] + 1
    if not any(columns.table.headings[beside : beside + 1]):
        latitude, longitude = cells.number(raw), cells.number(columns.table.cell(row, beside))
        if not isinstance(latitude, Reason) and not isinstance(longitude, Reason):
            return latitude, longitude
    columns.note("FM303", row, "location", expected="34.3428,134.0466")
    return np.nan, np.nan


def shape_of(point: Point | None) -> shapely.Point | None:
    """The point as a shape, longitude first."""
    return None if point is None else shapely.Point(point[1], point[0])
