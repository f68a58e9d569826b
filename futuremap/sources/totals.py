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

HEADINGS = {"code": "code", "year": "year", "total": "total"}


def read(path: Path, *, code: str, name: str, year: int, report: Report) -> Table | None:
    """Read the total of one municipality in one year.

    Parameters
    ----------
    path
        CSV or XLSX with the columns code, year and total.
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
    columns = find_columns(table, HEADINGS, required=HEADINGS, report=report)
    if not columns.complete:
        return None
    years = {}
    for row in range(len(columns)):
        found = cells.year(columns.raw(row, "year"))
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
