"""Municipal censuses of several years at once: rates need two, a backtest of them three.

One file holds them all (code, year, sex, total, a00 … a90p, unknown; boundaries of one date).
It is checked column by column: 31 prefectures from 1980 to 2015 are 18,000 rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from futuremap.core.population import SEXES, Flag, Population
from futuremap.problems import Report
from futuremap.sources import cells
from futuremap.sources.cells import Reason
from futuremap.sources.census import ANY_AGE, Census
from futuremap.sources.columns import Columns, find_columns
from futuremap.sources.files import read_table
from futuremap.sources.municipal import (
    AGE_HEADINGS,
    AGES,
    LABELS,
    ROUNDING,
    SEX_WORDS,
    UNKNOWN,
)

COUNTED = (*AGE_HEADINGS, UNKNOWN)


def read(
    path: Path,
    *,
    years: Sequence[int],
    codes: Collection[str] = (),
    credit: str,
    report: Report,
) -> Census | None:
    """Read several censuses of several municipalities.

    Parameters
    ----------
    path
        CSV, may be gzipped, in the layout of :func:`futuremap.sources.municipal.read_municipal`,
        with a column ``unknown`` for people of unknown age.
    years
        The censuses wanted.
    codes
        The municipalities wanted, all of the file if empty; they become the zones, ascending.
    credit
        Key of the credit line.
    report
        Takes FM101 to FM105, FM201, FM202, FM301 to FM308, and for each municipality FM309
        where a year is missing, FM411 where one stands twice, FM431 where it is not there at
        all, FM433 where one sex is missing.

    Returns
    -------
    Census or None
        People of known and of unknown age in all years wanted, ascending; None if any of these
        numbers is in doubt. Other rows are not looked at.
    """
    headings = {heading: heading for heading in (*LABELS, *COUNTED)}
    table = read_table(path, report=report, known=headings)
    if table is None:
        return None
    columns = find_columns(table, headings, required=headings, report=report)
    if not columns.complete:
        return None
    wanted = sorted(set(years))
    found = _frame(columns, set(codes), wanted)
    zones = sorted(codes) if codes else sorted(set(found["code"]))
    complete = _is_complete(columns, found, zones, wanted)
    persons = _persons(columns, found["row"].to_numpy())
    if not complete or not zones or not np.isfinite(persons).all():
        return None
    order = np.lexsort([found["sex"], found["code"].astype(str), found["year"]])
    cube = persons[order].reshape(len(wanted), len(zones), len(SEXES), len(COUNTED))
    known, unknown = (
        Population.build(
            part, years=wanted, zones=zones, ages=ages, flag=Flag.OBSERVED, sources=[credit]
        )
        for part, ages in ((cube[..., : len(AGES)], AGES), (cube[..., len(AGES) :], ANY_AGE))
    )
    return Census(known, unknown)


def _frame(columns: Columns, codes: set[str], years: list[int]) -> pd.DataFrame:
    """Row, municipality, year and number of the sex of the rows that are wanted."""
    of_row = [cells.heading(columns.raw(row, "code")) for row in range(len(columns))]
    rows = [row for row, code in enumerate(of_row) if (code in codes if codes else code)]
    year = _parsed(columns, rows, "year", cells.year, "2015, 2020 …")
    sex = _parsed(columns, rows, "sex", _sex, "M, F")
    frame = pd.DataFrame(
        {"row": rows, "code": [of_row[row] for row in rows], "year": year, "sex": sex}
    )
    return frame[frame["year"].isin(years) & (frame["sex"] >= 0)].reset_index(drop=True)


def _sex(raw: object) -> int | Reason:
    word = SEX_WORDS.get(cells.heading(raw).upper())
    return Reason.UNREADABLE if word is None else SEXES.index(word)


def _parsed(
    columns: Columns,
    rows: list[int],
    name: str,
    read_cell: Callable[[object], int | Reason],
    expected: str,
) -> list[int]:
    """Values of a column of few distinct texts; -1 with FM303 noted where one is unreadable."""
    known: dict[object, int | Reason] = {}
    values = []
    for row in rows:
        raw = columns.raw(row, name)
        if raw not in known:
            known[raw] = read_cell(raw)
        value = known[raw]
        if isinstance(value, Reason):
            columns.note("FM303", row, name, expected=expected)
            value = -1
        values.append(value)
    return values


def _is_complete(
    columns: Columns,
    found: pd.DataFrame,
    zones: list[str],
    years: list[int],
) -> bool:
    """Whether every municipality has one row for each year and sex."""
    first = found.drop_duplicates(["code", "year", "sex"])
    at = dict(
        zip(zip(first["code"], first["year"], first["sex"], strict=True), first["row"], strict=True)
    )
    again = found[found.duplicated(["code", "year", "sex"])]
    for row, code, year, sex in again.itertuples(index=False):
        zone, line_first = f"{code} {year} {SEXES[sex]}", columns.line(at[code, year, sex])
        columns.note("FM411", row, "year", zone=zone, line_first=line_first)
    lacking = False
    present = {code: sorted(set(years)) for code, years in first.groupby("code")["year"]}
    for code in zones:
        if code not in present:
            lacking = True
            columns.note_file("FM431", value=code)
            continue
        for year in years:
            missing = [sex for i, sex in enumerate(SEXES) if (code, year, i) not in at]
            lacking |= bool(missing)
            if len(missing) == len(SEXES):
                there = "、".join(map(str, present[code]))
                columns.note_file("FM309", value=year, name=code, expected=there)
            elif missing:
                columns.note_file("FM433", value=code, year=year, sex=missing[0][0].upper())
    return not lacking and again.empty and bool(zones)


def _persons(columns: Columns, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """People of known and unknown age of each row ``(N, A + 1)``; NaN, noted, where in doubt."""
    *of_group, total = _columns(columns, rows, [*COUNTED, "total"])
    counted = np.column_stack(of_group)
    parts = counted.sum(axis=1)
    for i in np.flatnonzero(np.abs(parts - total) > ROUNDING).tolist():  # not where one is NaN
        code = columns.text(rows[i], "code")
        columns.note("FM305", rows[i], "total", zone=code, expected=f"{parts[i]:g}")
    return counted


def _columns(
    columns: Columns,
    rows: NDArray[np.intp],
    names: list[str],
) -> NDArray[np.float64]:
    raw = [columns.raw(row, name) for name in names for row in rows.tolist()]
    numbers = pd.to_numeric(pd.Series(raw, dtype=object), errors="coerce")
    found = np.array(numbers, dtype=np.float64).reshape(len(names), len(rows))
    plain = np.isfinite(found) & (found >= 0) & (found < cells.LARGEST_COUNT)
    for at, i in np.argwhere(~plain).tolist():  # few: each is looked at, noted if it is wrong
        found[at, i] = columns.persons(rows[i], names[at], whole=False)
    return found
