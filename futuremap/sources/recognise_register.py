"""Registers on trial: one month by area, or several joined; with what other tables share."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.problems import Report
from futuremap.sources import cells, register, register_series
from futuremap.sources.cells import Reason
from futuremap.sources.columns import Columns, find_columns
from futuremap.sources.files import RawTable
from futuremap.sources.recognised import Clues, Lack, Place, Recognised, faults, recognised
from futuremap.sources.register_towns import FEWEST, town_of

ANYWHERE = 9  # a plane zone for trial readings, in which nothing is measured
NOWHERE = "00000"  # and a municipality
LOOKED_AT = 6  # rows in which a value that all rows share is looked for
CODE_DIGITS, WITH_CHECK_DIGIT = 5, 6
MONTHS = 12
MOST_AREAS = 2_500  # rows of a register that is tried
MADE_UP = "合成データ"
CITY = {"市区町村名": "city", "cityName": "city"}
_MONTH = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})(?![0-9])")
_MONTH_FIRST = re.compile(r"([0-9]{1,2})[-/][0-9]{1,2}[-/]([0-9]{4})")


def register_table(path: Path, table: RawTable) -> Recognised:
    """A register of one month, its areas' points judged apart: only the base year needs them."""
    columns = find_columns(table, {**register.HEADINGS, **CITY}, required=(), report=Report())
    code = municipality(first_text(columns, "municipality"))
    dated = next((raw for row in range(len(columns)) if (raw := columns.raw(row, "date"))), None)
    read = cells.year(dated)
    year = 0 if isinstance(read, Reason) else read
    clues = Clues(
        towns=_towns(columns) or ((Place(code, first_text(columns, "city")),) if code else ()),
        month=month_of(dated, year),
        located=bool({"location", "latitude"} & set(columns.places)),
        made_up=is_made_up(table),
        tried=len(columns) <= MOST_AREAS,
    )
    lacks: tuple[Lack, ...] = ()
    if not year:
        lacks = (("調査年月日が読めません", "the date cannot be read"),)
    years = (year,) if year else ()
    if not clues.tried:
        zones = len(columns)
        return recognised(path, "register", years=years, zones=zones, lacks=lacks, clues=clues)
    report, found = Report(), _tried(path, year, code or NOWHERE)
    register.read_year(
        path, year=year, ids_by_name=None, credit="", report=report, municipality=code
    )
    points = np.empty(0, dtype=object) if found is None else found.zones.geometry
    known = ~(shapely.is_missing(points) | shapely.is_empty(points))
    people = None if found is None else found.population
    return recognised(
        path,
        "register",
        years=years,
        zones=len(columns) if found is None else len(points),
        people=None if people is None else float(people.totals().sum()),
        lacks=(*lacks, *faults(report)),
        clues=replace(
            clues, located=bool(known.all() and known.size), middle=middle_of(points[known])
        ),
    )


def _towns(columns: Columns) -> tuple[Place, ...]:
    """Municipalities of a file that holds several, the first one first; none if it holds one."""
    codes = [town_of(columns, row, "") for row in range(len(columns))]
    rows = {code: codes.index(code) for code in dict.fromkeys(codes) if code}
    several = [code for code in rows if codes.count(code) >= FEWEST]
    if len(several) == 1:
        return ()
    return tuple(Place(code, columns.text(rows[code], "city")) for code in several)


def _tried(path: Path, year: int, code: str) -> register.Register | None:
    return register.read(
        path, year=year, municipality=code, plane_zone=ANYWHERE, credit="", report=Report()
    )


def middle_of(points: NDArray[np.object_]) -> tuple[float, float] | None:
    """Longitude and latitude that half of the points lie beyond; None without points."""
    if not len(points):
        return None
    east, north = np.median(shapely.get_coordinates(points), axis=0).tolist()
    return east, north


def first_text(columns: Columns, name: str) -> str:
    """The first text of a column of which all rows say the same."""
    texts = (columns.text(row, name) for row in range(min(len(columns), LOOKED_AT)))
    return next(filter(None, texts), "")


def municipality(written: str) -> str:
    """Code of 5 digits of a municipality, with or without its check digit; empty if it is none.

    Examples
    --------
    >>> municipality("372013"), municipality("1209"), municipality("高松市")
    ('37201', '01209', '')
    """
    plain = cells.heading(written)
    if not plain.isascii() or not plain.isdigit() or len(plain) > WITH_CHECK_DIGIT:
        return ""
    if len(plain) == WITH_CHECK_DIGIT:
        return plain[:CODE_DIGITS]
    return plain.zfill(CODE_DIGITS) if len(plain) >= CODE_DIGITS - 1 else ""


def month_of(raw: object, year: int) -> str:
    """Month of a date as "2018-11"; empty if it says none.

    Examples
    --------
    >>> month_of("11/1/2018", 2018), month_of("2020/09/01", 2020), month_of("45292", 2024)
    ('2018-11', '2020-09', '2024-01')
    """
    plain = cells.heading(raw)
    days = int(plain) if re.fullmatch(r"[0-9]{5}", plain) else 0
    if cells.SERIALS[0] <= days < cells.SERIALS[1]:
        raw = dt.date(1899, 12, 30) + dt.timedelta(days)
    if isinstance(raw, dt.date):
        return f"{raw:%Y-%m}"
    found, other = _MONTH.match(plain), _MONTH_FIRST.match(plain)
    month = int(found[2]) if found else int(other[1]) if other else 0
    return f"{year}-{month:02d}" if 1 <= month <= MONTHS else ""


def is_made_up(table: RawTable) -> bool:
    """Whether the first rows say themselves that they are 合成データ."""
    return any(MADE_UP in cells.text(cell) for row in table.rows[:LOOKED_AT] for cell in row)


def series_table(path: Path, table: RawTable) -> Recognised:
    """Registers of several months; the last one is read."""
    columns = find_columns(table, register_series.HEADINGS, required=(), report=Report())
    months = sorted({cells.heading(columns.raw(row, "month")) for row in range(len(columns))})
    report = Report()
    found = register_series.read(
        path, municipality=NOWHERE, credit="", report=report, months=months[-1:]
    )
    last = None if found is None or not found.populations else found.populations[-1]
    years = tuple(sorted({int(month[:4]) for month in months if _MONTH.match(month)}))
    return recognised(
        path,
        "register_series",
        years=years,
        zones=None if last is None else len(last.zones),
        people=None if last is None else float(last.totals().sum()),
        lacks=faults(report),
        clues=Clues(
            month=months[-1],
            detail=f"{len(months)} か月/months",
            months=tuple(month for month in months if _MONTH.match(month)),
        ),
    )
