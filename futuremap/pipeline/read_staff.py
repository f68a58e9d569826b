"""Tables of staff and of tasks, read and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from futuremap.config import Project
from futuremap.core.fields import field
from futuremap.indicators.catalogue import Catalogue
from futuremap.indicators.rate_rows import PROVISIONAL, SEXES
from futuremap.indicators.staff import ITEMS, OLDEST, StaffRow
from futuremap.indicators.workload import NOTHING, Task
from futuremap.problems import Report
from futuremap.sources import cells
from futuremap.sources.files import RawTable, read_table

STAFF = {"職種": "group", "項目": "item", "性別": "sex", "年齢から": "age_from",
         "年齢まで": "age_to", "年": "year", "値": "value", "状態": "status"}  # fmt: skip
STAFF_ITEMS = {"職員": "staff", "採用": "hire", "離職": "leave", "定年": "retire"}
TASKS = {"業務": "task", "職種": "group", "地域": "area", "件数のもと": "driver",
         "件数": "amount", "時間": "hours", "年率": "growth", "状態": "status"}  # fmt: skip
# numbers of people that tasks may go with, beside the indicators
PEOPLE = ("population", "population_0_14", "population_15_64", "population_65_over",
          "population_75_over", "population_85_over")  # fmt: skip
YOUNGEST = 15


class _Sheet:
    # cells of a table by English names, and where they stand
    def __init__(self, table: RawTable, names: Mapping[str, str], report: Report) -> None:
        self.table, self.report = table, report
        self.names = [names.get(heading, heading) for heading in table.headings]

    def lacks(self, needed: Sequence[str]) -> bool:
        missing = [name for name in needed if name not in self.names]
        if missing:
            self.report.add("FM800", file=self.table.file, value="、".join(self.table.headings),
                            missing="、".join(missing))  # fmt: skip
        return bool(missing)

    def text(self, row: int, name: str) -> str:
        if name not in self.names:
            return ""
        return cells.text(self.table.cell(row, self.names.index(name)))

    def bad(self, row: int, name: str, code: str = "FM825", **detail: object) -> None:
        self.report.add(code, file=self.table.file, line=self.table.lines[row], column=name,
                        sheet="", value=self.text(row, name), **detail)  # fmt: skip

    def number(self, row: int, name: str, default: float | None = None) -> float | None:
        if default is not None and not self.text(row, name):
            return default
        value = cells.number(self.table.cell(row, self.names.index(name)))
        if not isinstance(value, float) or (value < 0 and name != "growth"):
            self.bad(row, name, "FM802")
            return None
        return value


def read_staff(project: Project, report: Report) -> tuple[StaffRow, ...]:
    """Rows of the project's staff table.

    Parameters
    ----------
    project
        The project.
    report
        Takes FM800, FM802, FM814 and FM825.
    """
    if project.indicators.staff is None:
        return ()
    table = read_table(
        project.path(project.indicators.staff.file), report=report, known=(*STAFF, *STAFF.values())
    )
    if table is None:
        return ()
    sheet = _Sheet(table, STAFF, report)
    if sheet.lacks(("group", "item", "value")):
        return ()
    rows = [_staff_row(sheet, i) for i in range(len(table.rows))]
    _say_provisional(sheet)
    return tuple(row for row in rows if row is not None)


def _staff_row(sheet: _Sheet, i: int) -> StaffRow | None:
    said = sheet.text(i, "item")
    item, sex = STAFF_ITEMS.get(said, said), SEXES.get(sheet.text(i, "sex"))
    value = sheet.number(i, "value")
    if item not in ITEMS:
        sheet.bad(i, "item")
        return None
    if sex is None:
        sheet.bad(i, "sex")
        return None
    first, last, year = (
        sheet.number(i, name, default) if name in sheet.names else default
        for name, default in (("age_from", -1.0), ("age_to", -1.0), ("year", 0.0))
    )
    if value is None or first is None or last is None or year is None:
        return None
    if item == "retire":
        first = last = value
    elif last < 0:
        last = first
    if not YOUNGEST <= first <= last <= OLDEST:
        sheet.bad(i, "age_from" if item != "retire" else "value")
        return None
    if item == "leave" and value > 1:
        sheet.bad(i, "value", "FM805", unit="ratio")
        return None
    return StaffRow(
        sheet.text(i, "group"), item, sex, int(first), int(last), int(year) or None, value
    )


def read_tasks(project: Project, path: Path, known: Catalogue, report: Report) -> tuple[Task, ...]:
    """Rows of a table of tasks.

    Parameters
    ----------
    project
        The project.
    path
        The table.
    known
        Indicators that tasks may go with.
    report
        Takes FM800, FM802, FM814, FM825 and FM826.
    """
    table = read_table(path, report=report, known=(*TASKS, *TASKS.values()))
    if table is None:
        return ()
    sheet = _Sheet(table, TASKS, report)
    if sheet.lacks(("task", "driver", "amount", "hours")):
        return ()
    # the sum of ratios over municipalities would mean nothing
    drivers = {NOTHING, *PEOPLE, *(f for f in known.fields if field(f).unit != "ratio")}
    codes = {"", *(town.code for town in project.municipality)}
    found = []
    for i in range(len(table.rows)):
        amount, hours = sheet.number(i, "amount"), sheet.number(i, "hours")
        growth = sheet.number(i, "growth", 0.0) if "growth" in sheet.names else 0.0
        driver, area = sheet.text(i, "driver"), sheet.text(i, "area")
        if driver not in drivers:
            sheet.bad(i, "driver", "FM826", near=known.near(driver, ""))
        elif area not in codes:
            sheet.bad(i, "area")
        elif amount is not None and hours is not None and growth is not None:
            found.append(
                Task(
                    sheet.text(i, "task"),
                    sheet.text(i, "group"),
                    area,
                    driver,
                    amount,
                    hours,
                    growth,
                )
            )
    _say_provisional(sheet)
    return tuple(found)


def _say_provisional(sheet: _Sheet) -> None:
    for i in range(len(sheet.table.rows)):
        if sheet.text(i, "status") in PROVISIONAL:
            sheet.bad(i, "status", "FM814")
