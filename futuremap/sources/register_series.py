"""A town's monthly registers joined in one CSV: month, area, sexes and five-year ages in columns.

The layout is ``month,no,region,total,male,female,m00,f00,m05,f05 … m85p,f85p,households`` with
one row for each month and area. Months that are missing or repeat the one before are told, and
left as they are; households are not read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.population import SEXES, Flag, Population
from futuremap.problems import Report
from futuremap.sources import cells
from futuremap.sources.columns import Columns, find_columns
from futuremap.sources.files import read_table

AGES = AgeGroups.five_year(open_age=85)
_LETTERS = {"male": "m", "female": "f"}
_AGE_MARKS = [f"{age:02d}" for age in AGES.lower[:-1]] + [f"{AGES.open_age}p"]
COUNTS = tuple(f"{_LETTERS[sex]}{mark}" for sex in SEXES for mark in _AGE_MARKS)
TOTALS = ("total", *SEXES)
HEADINGS = {name: name for name in ("month", "no", "region", *TOTALS, *COUNTS)}
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


class RegisterSeries(NamedTuple):
    """The registers of several months, on the areas of the first of them.

    months
        "2018-11" …, ascending.
    populations
        One of a single year for each month, all with the same zones and ages.
    names
        Name of each zone.
    """

    months: tuple[str, ...]
    populations: tuple[Population, ...]
    names: dict[str, str]

    def at(self, month: str) -> Population:
        """The population in one of the months."""
        return self.populations[self.months.index(month)]


def read(
    path: Path,
    *,
    municipality: str,
    credit: str,
    report: Report,
    months: Collection[str] | None = None,
) -> RegisterSeries | None:
    """Read some or all months of a joined register.

    Parameters
    ----------
    path
        The CSV, may be gzipped.
    municipality
        Code that zone ids begin with, as those of :func:`futuremap.sources.register.read`.
    credit
        Key of the credit line.
    report
        Takes the problems: FM323 where a month between the first and the last is missing
        (only when all are read), FM324 where one repeats the month before, FM309 where a
        month that was asked for is not there.
    months
        The months to read, as "2018-11"; all if None. Others are not looked at.

    Returns
    -------
    RegisterSeries or None
        None if any number, name or month is in doubt.
    """
    table = read_table(path, report=report, known=HEADINGS)
    if table is None:
        return None
    columns = find_columns(table, HEADINGS, required=HEADINGS, report=report)
    if not columns.complete:
        return None
    before = len(report.errors)
    by_month = _rows_by_month(columns, months)
    for month in sorted(set(months or ()) - set(by_month)):
        shown = f"{min(by_month, default='')} – {max(by_month, default='')}"
        columns.note_file("FM309", value=month, name=municipality, expected=shown)
    columns, by_month = _chosen(columns, by_month)
    persons = _persons(columns)
    ordered = {month: _in_order(columns, rows, month) for month, rows in by_month.items()}
    _check_names(columns, ordered)
    if len(report.errors) > before or not ordered:
        return None
    cubes = {month: persons[rows] for month, rows in ordered.items()}
    _check_months(columns, cubes, every_month=months is None)
    return _series(columns, ordered, cubes, municipality, credit)


def _series(
    columns: Columns,
    ordered: dict[str, list[int]],
    cubes: dict[str, NDArray[np.float64]],
    municipality: str,
    credit: str,
) -> RegisterSeries:
    first = next(iter(ordered.values()))
    names = {
        f"{municipality}-{_number(columns, row):0>3}": columns.text(row, "region") for row in first
    }
    populations = tuple(
        Population.build(
            cube[np.newaxis],
            years=[int(month[:4])],
            zones=list(names),
            ages=AGES,
            flag=Flag.OBSERVED,
            sources=[credit],
        )
        for month, cube in cubes.items()
    )
    return RegisterSeries(tuple(ordered), populations, names)


def _number(columns: Columns, row: int) -> str:
    return cells.heading(columns.raw(row, "no")).lstrip("0")


def _rows_by_month(columns: Columns, months: Collection[str] | None) -> dict[str, list[int]]:
    by_month: dict[str, list[int]] = {}
    for row in range(len(columns)):
        month = cells.heading(columns.raw(row, "month"))
        if not _MONTH.fullmatch(month):
            columns.note("FM328", row, "month")
        elif months is None or month in months:
            by_month.setdefault(month, []).append(row)
    return dict(sorted(by_month.items()))


def _chosen(
    columns: Columns,
    by_month: dict[str, list[int]],
) -> tuple[Columns, dict[str, list[int]]]:
    # only the rows that are needed, month after month
    chosen = [row for rows in by_month.values() for row in rows]
    starts = np.cumsum([0, *map(len, by_month.values())]).tolist()
    within = zip(by_month, pairwise(starts), strict=True)
    table = columns.table
    rows, lines = [table.rows[row] for row in chosen], [table.lines[row] for row in chosen]
    part = replace(columns, table=replace(table, rows=rows, lines=lines))
    return part, {month: list(range(*bounds)) for month, bounds in within}


def _persons(columns: Columns) -> NDArray[np.float64]:
    # (N, S, A), with the totals checked
    by_column = np.array([columns.all_persons(name) for name in COUNTS])
    persons = by_column.T.reshape(len(columns), len(SEXES), len(AGES))
    by_sex = persons.sum(axis=2)
    for name, expected in zip(TOTALS, (by_sex.sum(axis=1), *by_sex.T), strict=True):
        stated = columns.all_persons(name)
        wrong = np.isfinite(stated + expected) & (stated != expected)
        for row in np.flatnonzero(wrong).tolist():
            zone = f"{columns.text(row, 'month')} {columns.text(row, 'region')}"
            columns.note("FM305", row, name, zone=zone, expected=f"{expected[row]:.0f}")
    return persons


def _in_order(columns: Columns, rows: Sequence[int], month: str) -> list[int]:
    first: dict[str, int] = {}
    for row in rows:
        number = _number(columns, row)
        if not number or not columns.text(row, "region"):
            columns.note("FM414", row, "region" if number else "no")
            continue
        earlier = first.setdefault(number, row)
        if earlier != row:
            zone = f"{month} {columns.text(row, 'region')}"
            columns.note("FM411", row, "no", zone=zone, line_first=columns.line(earlier))
    return [first[number] for number in sorted(first, key=lambda number: (len(number), number))]


def _check_names(columns: Columns, ordered: dict[str, list[int]]) -> None:
    # every month has the areas of the first, under the same names
    columns.note_garbled("region")
    first: dict[str, str] = {}
    for month, rows in ordered.items():
        names = {_number(columns, row): row for row in rows}
        for number, row in names.items():
            name = columns.text(row, "region")
            if month == next(iter(ordered)):
                first[number] = name
            elif cells.key(first.get(number)) != cells.key(name):
                columns.note("FM413", row, "region", zone=name)
        for number in first.keys() - names.keys():
            columns.note_file("FM412", value=first[number], zone=first[number], year=month)


def _check_months(
    columns: Columns,
    cubes: dict[str, NDArray[np.float64]],
    *,
    every_month: bool,
) -> None:
    for earlier, later in pairwise(cubes):
        if np.array_equal(cubes[earlier], cubes[later]):
            columns.note_file("FM324", value=later, expected=earlier)
        counts = [int(month[:4]) * 12 + int(month[5:]) - 1 for month in (earlier, later)]
        for missing in range(counts[0] + 1, counts[1] if every_month else 0):
            month = f"{missing // 12}-{missing % 12 + 1:02d}"
            columns.note_file("FM323", value=month, expected=f"{earlier} … {later}")
