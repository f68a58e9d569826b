"""Lists of facilities: 高松市's English property names and 標準ODS 公共施設一覧.

The standard has no opening date; cities add one under various headings (供用開始年, 建築年 …).
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import shapely

from futuremap.core.facilities import EVENT_COLUMNS, Facilities
from futuremap.core.zones import Zones
from futuremap.problems import Report
from futuremap.sources import cells, dates
from futuremap.sources.cells import Reason
from futuremap.sources.columns import Columns, find_columns
from futuremap.sources.files import read_table

HEADINGS = {
    "#property": "number", "NO": "number", "ID": "number",
    "name": "name", "名称": "name", "施設名": "name", "公園名": "name",
    "address": "address", "住所": "address", "所在地": "address",
    "住所（番地まで）": "address", "所在地_連結表記": "address",
    "latitude": "latitude", "緯度": "latitude",
    "longitude": "longitude", "経度": "longitude",
    "stop_name": "name", "stop_lat": "latitude", "stop_lon": "longitude",
    "openingDate": "opened", "開設年月日": "opened", "供用開始年月日": "opened",
    "開設年": "opened", "供用開始年": "opened", "建築年": "opened",
    "診療科目": "kind", "medicalSubjects": "kind", "分類": "kind", "施設種別": "kind",
    "certifiedType": "kind", "service": "kind",
    "numberOfBeds": "capacity", "病床数": "capacity", "病床数（床）": "capacity",
    "capacity": "capacity", "定員": "capacity", "定員（人）": "capacity",
    "延床面積": "floor_area", "延床面積（㎡）": "floor_area", "延べ床面積（㎡）": "floor_area",
}  # fmt: skip
REQUIRED = ("name", "latitude", "longitude")
OUTSIDE = ("FM572", "FM573")  # coordinates exchanged, and those of another place
SEPARATOR = "、"
# not ・ nor /, which stand within the name of one (消化器・肝臓内科)
_SEPARATORS = re.compile(r"[、，,;；\r\n]+")
SHOWN = 12  # kinds that are there, named where one was chosen that is not


def read(
    path: Path,
    *,
    facility_class: str,
    municipality: str,
    plane_zone: int,
    credit: str,
    base_year: int,
    report: Report,
    kinds: Collection[str] = (),
) -> Facilities | None:
    """Read the facilities of one class.

    Rows in which only the number is filled are lines of the form that were left empty, and
    are no facilities.

    Parameters
    ----------
    path
        CSV or XLSX.
    facility_class
        Class of all of them, such as "medical"; begins their ids ("medical-0001").
    municipality
        Code of the municipality that the list is of.
    plane_zone
        Plane rectangular zone of the municipality.
    credit
        Key of the credit line.
    base_year
        Openings after this year are noted (FM614); the year is kept.
    report
        Takes the problems: FM623 for sizes that cannot be read, FM560 and FM561 for kinds that
        no facility has.
    kinds
        Kinds to take, such as 内科: all facilities that are of one of them; all if empty.

    Returns
    -------
    Facilities or None
        With ``kind`` (several joined by 、), ``floor_area`` [m^2] and ``capacity``, empty or NaN
        where the list does not say them. None if no facility could be read. Those without sound
        coordinates stay in the table but are not located; an opening year that is missing or
        unreadable is NaN.
    """
    table = read_table(path, report=report, known=HEADINGS)
    if table is None:
        return None
    columns = find_columns(table, HEADINGS, required=REQUIRED, report=report)
    return build(
        columns,
        facility_class=facility_class,
        municipality=municipality,
        plane_zone=plane_zone,
        credit=credit,
        base_year=base_year,
        kinds=kinds,
    )


def build(
    columns: Columns,
    *,
    facility_class: str,
    municipality: str,
    plane_zone: int,
    credit: str,
    base_year: int,
    kinds: Collection[str] = (),
    nowhere: Literal["FM612", "FM577"] = "FM612",
) -> Facilities | None:
    """Facilities from a table whose columns are known under our names.

    Parameters
    ----------
    columns
        The table; the columns are number, name, address, latitude, longitude, opened, kind,
        floor_area and capacity.
    facility_class, municipality, plane_zone, credit, base_year, kinds
        As for :func:`read`.
    nowhere
        What a facility without coordinates is told by: those of a list, or of points.
    """
    filled = [row for row in range(len(columns)) if _is_filled(columns, row)]
    if not filled:  # nothing but empty lines of the form
        columns.note_file("FM483")
    of_kind = {row: _kinds(columns, row) for row in filled}
    rows = _chosen(columns, of_kind, kinds)
    points = {row: _point(columns, row, nowhere) for row in rows}
    opened = {row: _opened(columns, row, base_year) for row in rows}
    ids = _ids(columns, {row: i for i, row in enumerate(filled, start=1) if row in opened},
               facility_class)  # fmt: skip
    _note_twins(columns, rows)
    if "name" not in columns.places or columns.note_garbled("name") or not ids:
        return None
    frame = _frame(columns, ids, opened).assign(facility_class=facility_class, parent=municipality)
    frame["kind"] = [SEPARATOR.join(of_kind[row]) for row in ids]
    for size in ("floor_area", "capacity"):
        frame[size] = np.array([_size(columns, row, size) for row in ids], dtype=np.float64)
    located = {row: point for row in ids if (point := points[row]) is not None}
    zones = Zones.build(
        [ids[row] for row in located],
        np.array(list(located.values()), dtype=object),
        names=[columns.text(row, "name") for row in located],
        parents=[municipality] * len(located),
        kind="facility",
        plane_zone=plane_zone,
        sources=[credit],
    )
    return Facilities(frame, zones, pd.DataFrame(columns=list(EVENT_COLUMNS)))


def _frame(columns: Columns, ids: dict[int, str], opened: dict[int, float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": [columns.text(row, "name") for row in ids],
            "address": [columns.text(row, "address") for row in ids],
            "opened": np.array([opened[row] for row in ids], dtype=np.float64),
        },
        index=pd.Index(list(ids.values()), dtype=object, name="facility"),
    )


def _is_filled(columns: Columns, row: int) -> bool:
    if any(columns.text(row, column) for column in ("name", "address", "latitude", "longitude")):
        return True
    # a number alone is an empty line of the form; anything else would be lost, so it is kept
    number = columns.places.get("number")
    others = (cell for i, cell in enumerate(columns.table.rows[row]) if i != number)
    return number is None or any(cells.text(cell) for cell in others)


def _kinds(columns: Columns, row: int) -> list[str]:
    parts = (part.strip() for part in _SEPARATORS.split(columns.text(row, "kind")))
    return list(dict.fromkeys(part for part in parts if part))


def _chosen(
    columns: Columns,
    of_kind: dict[int, list[str]],
    kinds: Collection[str],
) -> list[int]:
    # the rows of one of these kinds; those that no row has are noted
    if not kinds or not of_kind:
        return list(of_kind)
    wanted = {cells.key(kind): kind for kind in kinds}
    found = {row: {cells.key(kind) for kind in has} & wanted.keys() for row, has in of_kind.items()}
    there = sorted({kind for has in of_kind.values() for kind in has})
    shown = SEPARATOR.join(there[:SHOWN]) + (" …" if len(there) > SHOWN else "") or "（なし/none）"
    met = set().union(*found.values())
    missing = [wanted[key] for key in wanted if key not in met]
    if not met:
        every = SEPARATOR.join(missing)
        columns.note_file("FM561", value=every, kind=every, expected=shown)
        return []
    for kind in missing:
        columns.note_file("FM560", value=kind, kind=kind, expected=shown)
    return [row for row in of_kind if found[row]]


def _size(columns: Columns, row: int, column: str) -> float:
    # 0 or more; NaN where there is none or it cannot be read
    value = cells.amount(columns.raw(row, column))
    if not isinstance(value, Reason):
        return value
    if value is not Reason.EMPTY:
        columns.note("FM623", row, column, name=columns.text(row, "name"))
    return math.nan


def _ids(columns: Columns, order: dict[int, int], facility_class: str) -> dict[int, str]:
    # row to id, for the rows that have a name and a number of their own, or their place if
    # the list has no numbers: the same whichever kinds are chosen
    rows = list(order)
    has_numbers = any(columns.text(row, "number") for row in rows)
    first: dict[str, int] = {}
    for row in rows:
        name = columns.text(row, "name")
        number = cells.heading(columns.raw(row, "number")) if has_numbers else str(order[row])
        for column, written in (("name", name), ("number", number)):
            if not written and (column in columns.places):
                columns.note("FM615", row, column)
        if not name or not number:
            continue
        earlier = first.setdefault(f"{facility_class}-{number:0>4}", row)
        if earlier != row:
            columns.note("FM613", row, "number", name=name, line_first=columns.line(earlier))
    return {row: facility for facility, row in first.items()}


def _note_twins(columns: Columns, rows: list[int]) -> None:
    # the same name at the same place is one facility entered twice, whatever its number
    first: dict[tuple[str, ...], int] = {}
    for row in rows:
        place = ("address",) if columns.text(row, "address") else ("latitude", "longitude")
        twin = tuple(cells.key(columns.raw(row, column)) for column in ("name", *place))
        earlier = first.setdefault(twin, row)
        if earlier != row and all(twin):
            name = columns.text(row, "name")
            columns.note("FM616", row, "name", name=name, line_first=columns.line(earlier))


def _point(columns: Columns, row: int, nowhere: str) -> shapely.Point | None:
    if not {"latitude", "longitude"} <= set(columns.places):
        return None  # noted once, with the headings
    name = columns.text(row, "name")
    latitude, longitude = columns.coordinate(row, "latitude"), columns.coordinate(row, "longitude")
    if latitude is None or longitude is None:
        columns.note(nowhere, row, "latitude" if latitude is None else "longitude", name=name)
        return None
    if np.isnan(latitude) or np.isnan(longitude):
        return None
    if not columns.in_japan(row, "latitude", (latitude, longitude), name=name, codes=OUTSIDE):
        return None
    return shapely.Point(longitude, latitude)


def _opened(columns: Columns, row: int, base_year: int) -> float:
    opened = dates.opening_year(columns.raw(row, "opened"))
    name = columns.text(row, "name")
    if isinstance(opened, Reason):
        columns.note("FM306", row, "opened", name=name)
        return np.nan
    if opened > base_year:
        columns.note("FM614", row, "opened", name=name, base_year=base_year)
    return opened
