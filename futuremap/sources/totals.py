"""Municipal totals of a later count, against which a projection is checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from futuremap.core.table import Table
from futuremap.problems import Report
from futuremap.sources import cells
from futuremap.sources.cells import Reason
from futuremap.sources.columns import find_columns
from futuremap.sources.files import read_table

ROLES = ("code", "year", "total")
# ours, and those of e-Stat's 社会・人口統計体系 as downloaded or handed on
HEADINGS = {
    "code": "code", "地域 コード": "code", "JCODE": "code",
    "year": "year", "調査年": "year",
    "total": "total", "A1101_総人口【人】": "total", "総人口": "total", "ALL": "total",
}  # fmt: skip


def year_of(raw: object) -> int | Reason:
    """Year of a row, also of a fiscal year (年度) as e-Stat writes it.

    Examples
    --------
    >>> year_of("2020年度"), year_of(2020)
    (2020, 2020)
    """
    return cells.year(cells.heading(raw).removesuffix("度"))


def read(path: Path, *, code: str, name: str, year: int, report: Report) -> Table | None:
    """Read the total of one municipality in one year.

    Parameters
    ----------
    path
        CSV or XLSX with a code, a year and a total in the columns of `HEADINGS`.
    code, name
        The municipality.
    year
        Year of the count.
    report
        Takes the problems: FM309 where municipality or year is missing.

    Returns
    -------
    Table or None
        ``population`` of one zone in one year.
    """
    table = read_table(path, report=report, known=HEADINGS)
    if table is None:
        return None
    columns = find_columns(table, HEADINGS, required=ROLES, report=report)
    if not columns.complete:
        return None
    years = {}
    for row in range(len(columns)):
        found = year_of(columns.raw(row, "year"))
        if cells.heading(columns.raw(row, "code")) == code and not isinstance(found, Reason):
            years[found] = row
    if year not in years:
        shown = "、".join(str(one) for one in sorted(years)) or code
        report.add("FM309", file=path.name, column="year", value=year, name=name, expected=shown)
        return None
    total = columns.persons(years[year], "total")
    if np.isnan(total):
        return None
    return Table.build({"population": np.array([[total]])}, years=[year], zones=[code])
