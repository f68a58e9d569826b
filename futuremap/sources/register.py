"""Resident registers by area and age: 自治体標準オープンデータセット「地域・年齢別人口」.

Both spellings are read: the Japanese headings of the standard, and the English property names
that 高松市 publishes (``#property``, ``regionName``, ``man1`` … ``woman18``). The standard has
no coordinates; 高松市 adds ``location`` ("latitude,longitude"), in some months split over two
columns of which the second has no heading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.population import SEXES, Flag, Population
from futuremap.core.zones import Zones
from futuremap.problems import Report
from futuremap.sources import cells, mapped_names
from futuremap.sources.cells import Reason
from futuremap.sources.columns import Columns, find_columns
from futuremap.sources.files import read_table
from futuremap.sources.levels import sums_of_others
from futuremap.sources.mapped_grid import note_sheets
from futuremap.sources.register_points import Point, first_of_each_name, points_of, shape_of
from futuremap.sources.register_towns import of_municipality, town_of

AGES = AgeGroups.five_year(open_age=85)
COUNTS = tuple(f"{sex} {age}" for sex in SEXES for age in AGES.lower)
_ENGLISH = [f"{word}{number}" for word in ("man", "woman") for number in range(1, len(AGES) + 1)]
_JAPANESE = [f"{age}の{word}" for word in ("男性", "女性") for age in AGES.labels()]
HEADINGS = {
    "#property": "number", "NO": "number",
    "prefCode": "municipality", "都道府県コード又は市区町村コード": "municipality",
    "regionCode": "code", "地域コード": "code",
    "surveyDate": "date", "調査年月日": "date",
    "regionName": "name", "地域名": "name",
    "totalPopulation": "total", "総人口": "total",
    "male": "male", "男性": "male",
    "woman": "female", "女性": "female",
    **dict(zip(_ENGLISH, COUNTS, strict=True)),  # man1 … woman18
    **dict(zip(_JAPANESE, COUNTS, strict=True)),  # 0～4歳の男性 … 85歳以上の女性
    "location": "location",
    "latitude": "latitude", "緯度": "latitude",
    "longitude": "longitude", "経度": "longitude",
}  # fmt: skip
REQUIRED = ("name", "date", "total", *COUNTS)
TOTAL_ROWS = {"計", "合計", "総計", "総数", "小計", "市計", "町計", "村計"}


class Register(NamedTuple):
    """What a register gives: people, and the areas in which they live.

    ``population`` is None when any of its numbers, names or ids is in doubt; the report then
    holds the errors. ``zones`` are all areas that have a name of their own, so that what else
    may be wrong with them is found in the same run: a zone without a sound point then has no
    geometry, and if any number is not sound, all are called by their lines ("37201@5").
    ``sheet`` and ``lines`` say where each zone stands in the file.
    """

    population: Population | None
    zones: Zones
    sheet: str
    lines: dict[str, int]


def read(
    path: Path,
    *,
    year: int,
    municipality: str,
    plane_zone: int,
    credit: str,
    report: Report,
    corrections: Mapping[str, Point] | None = None,
    names: Mapping[str, str] | None = None,
) -> Register | None:
    """Read the register of the base year: population and the points of its areas.

    Parameters
    ----------
    path
        CSV or XLSX.
    year
        Year of the register as the project has it.
    municipality
        Code of the municipality, parent of all zones.
    plane_zone
        Plane rectangular zone of the municipality.
    credit
        Key of the credit line.
    report
        Takes the problems.
    corrections
        Name of an area to its right (latitude, longitude), used instead of the file's.
    names
        Number of an area to its name, from :func:`names_by_number` of another month: garbled
        names are then restored, each with a warning.

    Returns
    -------
    Register or None
        None if the file is no such table or its names are garbled. Zones are in the order of
        the file; their ids are the area codes if every row has one, else the code of the
        municipality and the number in the row ("37201-001").
    """
    columns = _open(path, report, names, municipality)
    if columns is None:
        return None
    _check_municipality(columns, municipality)
    cube = _checked_rows(columns, year)
    points = points_of(columns, corrections or {}, headings=HEADINGS)
    ids = _ids(columns, municipality)
    sound = _unique(columns) & np.array([zone != "" for zone in ids], dtype=bool)
    if columns.note_garbled("name") or "name" not in columns.places or not len(columns):
        return None
    rows = first_of_each_name(columns)
    if not sound.all():
        ids = [f"{municipality}@{line}" for line in columns.table.lines]
    zones = Zones.build(
        [ids[row] for row in rows],
        np.array([shape_of(points[row]) for row in rows], dtype=object),
        names=[columns.text(row, "name") for row in rows],
        parents=[municipality] * len(rows),
        kind="town_block",
        plane_zone=plane_zone,
        sources=[credit],
    )
    usable = columns.complete and sound.all() and np.isfinite(cube).all()
    people = _population(cube, year, zones.ids, credit) if usable else None
    lines = {ids[row]: columns.line(row) for row in rows}
    return Register(people, zones, columns.table.sheet, lines)


def read_year(
    path: Path,
    *,
    year: int,
    ids_by_name: Mapping[str, str] | None,
    credit: str,
    report: Report,
    names: Mapping[str, str] | None = None,
    municipality: str = "",
) -> Population | None:
    """Read the register of another year onto the areas of the base year, by their names.

    Parameters
    ----------
    path
        CSV or XLSX; points are not looked at.
    year
        Year of the register as the project has it.
    ids_by_name
        Name of each area of the base year to its id; gives the order of the result. None if
        the base year could not be read: the cells are then checked all the same.
    credit
        Key of the credit line.
    report
        Takes the problems, among them FM412 and FM413 for areas of only one of the years.
    names
        As in :func:`read`.
    municipality
        Its code, by which rows of others are left out (FM491); all rows are taken without.

    Returns
    -------
    Population or None
        None if any of its numbers or names is in doubt.
    """
    columns = _open(path, report, names, municipality)
    if columns is None:
        return None
    cube = _checked_rows(columns, year)
    unique = _unique(columns)
    if columns.note_garbled("name") or "name" not in columns.places or ids_by_name is None:
        return None
    rows = _rows_of_base(columns, ids_by_name, year)
    matched = len(rows) == len(columns) == len(ids_by_name)
    if not (matched and columns.complete and unique.all() and np.isfinite(cube).all()):
        return None
    return _population(cube[rows], year, tuple(ids_by_name.values()), credit)


def names_by_number(path: Path, *, report: Report) -> dict[str, str] | None:
    """Names by number, without leading zeros, to restore the garbled ones of another month.

    Returns
    -------
    dict or None
        None if the file is no register, or its names are garbled or stand twice.
    """
    columns = _open(path, report, None, "")
    if columns is None or "name" not in columns.places:
        return None
    if not _unique(columns).all() or columns.note_garbled("name"):
        return None
    return {
        mapped_names.plain_number(columns, row, "number"): columns.text(row, "name")
        for row in range(len(columns))
    }


def _open(
    path: Path,
    report: Report,
    names: Mapping[str, str] | None,
    municipality: str,
) -> Columns | None:
    table = read_table(path, report=report, known=HEADINGS)
    if table is None:
        return None
    note_sheets(path, table.sheet, report=report)
    found = find_columns(table, HEADINGS, required=REQUIRED, report=report)
    if not found.places.keys() & set(COUNTS):
        return None  # a table of another kind; what else is in it says nothing
    columns = _areas_only(of_municipality(found, municipality) if municipality else found)
    if not len(columns):  # nothing but remarks and totals
        columns.note_file("FM482")
        return None
    if names is None:
        return columns
    return mapped_names.restored(columns, names, number="number", name="name")


def _areas_only(columns: Columns) -> Columns:
    counts = [name for name in ("total", *COUNTS) if name in columns.places]
    asides = {
        row
        for row in range(len(columns))
        if counts and mapped_names.aside(columns, row, name="name", counts=counts)
    }
    rows = [row for row in range(len(columns)) if row not in asides]
    areas = [row for row in rows if _is_area(columns, row)]
    sums = _note_sums(columns, areas)
    rows, areas = ([row for row in some if row not in sums] for some in (rows, areas))
    if len(areas) == len(columns):
        return columns
    # a row that only describes the others leaves nothing out
    complete = columns.complete and len(areas) == len(rows)
    return replace(columns.only(areas), complete=complete)


def _note_sums(columns: Columns, areas: list[int]) -> set[int]:
    """Those of some rows that only add up others, such as 地区計; noted (FM490)."""
    counts = np.array([[_plain_count(columns.raw(row, n)) for n in COUNTS] for row in areas])
    names = [columns.text(row, "name") for row in areas]
    sums = sums_of_others(counts.reshape(len(areas), len(COUNTS)), names)
    for one in sums:
        first, last = (columns.line(areas[part]) for part in (one.first, one.last))
        columns.note("FM490", areas[one.row], "name", zone=names[one.row], first=first, last=last)
    return {areas[one.row] for one in sums}


def _plain_count(raw: object) -> float:
    found = cells.count(raw)
    return np.nan if isinstance(found, Reason) else float(found)


def _is_area(columns: Columns, row: int) -> bool:
    name = columns.text(row, "name")
    if "name" in columns.places and not name:
        columns.note("FM414", row, "name")
    elif cells.key(name) in TOTAL_ROWS:
        columns.note("FM415", row, "name", zone=name)
    else:
        return True
    return False


def _population(
    cube: NDArray[np.float64],
    year: int,
    ids: Sequence[str],
    credit: str,
) -> Population:
    return Population.build(
        cube[np.newaxis],
        years=[year],
        zones=ids,
        ages=AGES,
        flag=Flag.OBSERVED,
        sources=[credit],
    )


def _checked_rows(columns: Columns, year: int) -> NDArray[np.float64]:
    # persons (Z, S, A), NaN where a cell holds none; every cell is looked at
    cube = np.full((len(columns), len(SEXES), len(AGES)), np.nan)
    by_column = [columns.all_persons(name) for name in COUNTS]
    for row in range(len(columns)):
        cube[row] = np.reshape([persons[row] for persons in by_column], cube.shape[1:])
        by_sex = cube[row].sum(axis=1)
        for name, expected in zip(("total", *SEXES), (by_sex.sum(), *by_sex), strict=True):
            _check_total(columns, row, name, expected)
    _check_dates(columns, year)
    return cube


def _check_total(columns: Columns, row: int, name: str, expected: float) -> None:
    if name not in columns.places:
        return
    stated = columns.persons(row, name)
    if np.isfinite(stated + expected) and stated != expected:
        zone = columns.text(row, "name")
        code = cells.total_fault(stated, expected)
        columns.note(code, row, name, zone=zone, expected=f"{expected:.0f}")


def _check_municipality(columns: Columns, municipality: str) -> None:
    # with or without the check digit; a column that is empty or of the prefecture says nothing
    for row in range(len(columns)):
        if town_of(columns, row, municipality) not in ("", municipality):
            columns.note("FM416", row, "municipality", expected=municipality)
            return


def _check_dates(columns: Columns, year: int) -> None:
    if "date" not in columns.places:
        return
    years = [cells.year(columns.raw(row, "date")) for row in range(len(columns))]
    wrong = [row for row, found in enumerate(years) if found != year]
    if len(wrong) == len(years) and len(set(years)) == 1:
        wrong = wrong[:1]  # the file of another year is one fault
    for row in wrong:
        columns.note("FM307", row, "date", expected=year)


def _unique(columns: Columns) -> NDArray[np.bool_]:
    # which rows repeat neither number, code nor name of an earlier one
    unique = np.ones(len(columns), dtype=bool)
    unique[mapped_names.note_spoilt(columns, "name")] = False
    noted: set[tuple[int, int]] = set()
    for name in ("number", "code", "name"):
        first: dict[str, int] = {}
        for row in range(len(columns)):
            written = cells.key(columns.raw(row, name))
            if not written or (name == "name" and cells.REPLACEMENT in written):
                continue
            if name == "number":
                written = _padded(written)  # 1 and 001 would become one id
            earlier = first.setdefault(written, row)
            unique[row] &= earlier == row
            if earlier != row and (row, earlier) not in noted:
                noted.add((row, earlier))
                zone = columns.text(row, "name")
                columns.note("FM411", row, name, zone=zone, line_first=columns.line(earlier))
    return unique


def _ids(columns: Columns, municipality: str) -> list[str]:
    # empty text where a row has no id
    rows = range(len(columns))
    codes = [
        mapped_names.sound_code(columns, row, "code", municipality=municipality) for row in rows
    ]
    if all(codes):
        return codes
    numbers = [cells.heading(columns.raw(row, "number")) for row in rows]
    if not any(numbers):
        numbers = [str(row + 1) for row in rows]
    for row in rows:
        if not numbers[row]:
            columns.note("FM414", row, "number")
    return [f"{municipality}-{_padded(number)}" if number else "" for number in numbers]


def _rows_of_base(columns: Columns, ids_by_name: Mapping[str, str], year: int) -> list[int]:
    # the row of each area of the base year, in the order of the base year
    rows = {cells.key(columns.raw(row, "name")): row for row in first_of_each_name(columns)}
    wanted = {cells.key(name): name for name in ids_by_name}
    for name_key, row in rows.items():
        if name_key not in wanted:
            columns.note("FM413", row, "name", zone=columns.text(row, "name"))
    for name_key, name in wanted.items():
        if name_key not in rows:
            columns.note_file("FM412", value=name, zone=name, year=year)
    return [rows[name_key] for name_key in wanted if name_key in rows]


def _padded(number: str) -> str:
    return f"{number:0>3}"
