"""The table that municipal censuses and projections share: code, year, sex, five-year ages."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.population import SEXES
from futuremap.problems import Report
from futuremap.sources import cells
from futuremap.sources.cells import Reason
from futuremap.sources.columns import Columns, find_columns
from futuremap.sources.files import read_table

AGES = AgeGroups.five_year(open_age=90)
UNKNOWN = "unknown"  # people whose age was not stated
AGE_HEADINGS = [f"a{age:02d}" for age in AGES.lower[:-1]] + [f"a{AGES.open_age}p"]
LABELS = ("code", "year", "sex", "total")
SEX_WORDS = {"M": "male", "F": "female"}
ROUNDING = 0.5 * len(AGES)  # persons by which rounded groups may miss their rounded total


class MunicipalTable(NamedTuple):
    """All years of one municipality.

    years
        Ascending.
    persons
        ``(Y, S, A)`` [persons]
    unknown
        People of unknown age ``(Y, S)``, 0 where the table has no such column. [persons]
    """

    years: list[int]
    persons: NDArray[np.float64]
    unknown: NDArray[np.float64]


def read_municipal(
    path: Path,
    *,
    code: str,
    name: str,
    report: Report,
    with_unknown: bool,
) -> MunicipalTable | None:
    """Read one municipality.

    Parameters
    ----------
    path
        CSV, may be gzipped, with the columns code, year, sex (M or F), total, a00, a05 …
        a85, a90p. Rows of other municipalities are not looked at.
    code, name
        The municipality; its name is for the problems.
    report
        Takes the problems.
    with_unknown
        Whether a column ``unknown`` is required and counted into the totals.

    Returns
    -------
    MunicipalTable or None
        None if any of its numbers is in doubt.
    """
    counted = [*AGE_HEADINGS, UNKNOWN] if with_unknown else AGE_HEADINGS
    headings = {heading: heading for heading in (*LABELS, *counted)}
    table = read_table(path, report=report, known=headings)
    if table is None:
        return None
    columns = find_columns(table, headings, required=headings, report=report)
    if "code" not in columns.places:
        return None
    rows = [row for row in range(len(columns)) if cells.heading(columns.raw(row, "code")) == code]
    if not rows:
        columns.note_file("FM431", value=code)
        return None
    persons = {row: _persons(columns, row, name, counted) for row in rows}
    by_key = _by_year_and_sex(columns, rows, name)
    years = sorted({year for year, _ in by_key})
    complete = len(by_key) == len(rows) and _both_sexes(columns, by_key, years)
    if not complete or not columns.complete:
        return None
    cube = np.array([[persons[by_key[year, sex]] for sex in SEXES] for year in years])
    if not np.isfinite(cube).all():
        return None
    groups = len(AGES)
    unknown = cube[:, :, groups] if with_unknown else np.zeros(cube.shape[:2])
    return MunicipalTable(years, cube[:, :, :groups], unknown)


def _persons(columns: Columns, row: int, name: str, counted: list[str]) -> NDArray[np.float64]:
    groups = np.array([columns.persons(row, heading, whole=False) for heading in counted])
    total = columns.persons(row, "total", whole=False)
    if abs(groups.sum() - total) > ROUNDING:  # false when either is NaN
        columns.note("FM305", row, "total", zone=name, expected=f"{groups.sum():g}")
    return groups


def _by_year_and_sex(columns: Columns, rows: list[int], name: str) -> dict[tuple[int, str], int]:
    by_key: dict[tuple[int, str], int] = {}
    for row in rows:
        year = cells.year(columns.raw(row, "year"))
        sex = SEX_WORDS.get(cells.heading(columns.raw(row, "sex")).upper())
        if isinstance(year, Reason) and "year" in columns.places:
            columns.note("FM303", row, "year", expected="2020, 2025 …")
        if sex is None and "sex" in columns.places:
            columns.note("FM303", row, "sex", expected="M, F")
        if isinstance(year, Reason) or sex is None:
            continue
        earlier = by_key.setdefault((year, sex), row)
        if earlier != row:
            zone = f"{name} {year} {columns.text(row, 'sex')}"
            columns.note("FM411", row, "year", zone=zone, line_first=columns.line(earlier))
    return by_key


def _both_sexes(columns: Columns, by_key: dict[tuple[int, str], int], years: list[int]) -> bool:
    complete = True
    for year in years:
        for letter, sex in SEX_WORDS.items():
            if (year, sex) not in by_key:
                complete = False
                columns.note_file("FM433", year=year, sex=letter)
    return complete
