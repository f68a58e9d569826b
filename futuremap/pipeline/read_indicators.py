"""What indicators need, read and checked: the sourced tables, the project's own, limits, areas."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from futuremap.config import Project
from futuremap.config.indicators import AreaFile
from futuremap.core.population import SEXES
from futuremap.core.zones import Zones
from futuremap.indicators.catalogue import Catalogue, catalogue
from futuremap.indicators.make_rates import Setting, person_rates
from futuremap.indicators.rate_rows import COLUMNS, RateRow, named, rate_rows
from futuremap.indicators.schools import class_limits
from futuremap.indicators.staff import StaffRow
from futuremap.indicators.trends import Trend, trends
from futuremap.indicators.workload import NOTHING, Task
from futuremap.pipeline.read_common import place_of
from futuremap.pipeline.read_reach import rule_of
from futuremap.pipeline.read_staff import PEOPLE, read_staff, read_tasks
from futuremap.problems import Report
from futuremap.projection.single_years import LAST_AGE
from futuremap.sources import cells, vector
from futuremap.sources.files import RawTable, read_table
from futuremap.sources.vector import Layout

# tables of rates that come with the program, each with the key of its credit
SOURCED = {
    "care": "rates_care", "medical": "rates_medical", "children": "rates_children",
    "fire": "rates_fire", "vital": "rates_vital",
}  # fmt: skip
LIMITS_CREDIT = "class_limits"
LIMIT_HEADINGS = {"年度": "fiscal_year", "学年": "grade", "上限": "limit"}
AREA_HEADINGS = {"市区町村コード": "code", "コード": "code", "圏域": "area", "圏域名": "area",
                 "割合": "share"}  # fmt: skip
WHOLE = 1e-6  # what the shares of a municipality may miss 1 by
GRADES = range(1, 10)
Limits = Mapping[tuple[int, int], int]


class AreaInput(NamedTuple):
    """Areas of a project.

    entry
        What the project says of them.
    of_code
        Areas of each municipality with the share of its people that count there; None for
        polygons.
    zones
        The polygons; None for codes.
    """

    entry: AreaFile
    of_code: Mapping[str, Mapping[str, float]] | None = None
    zones: Zones | None = None


class IndicatorInputs(NamedTuple):
    """Everything that indicators are made from but the people.

    catalogue, trends
        As they come with the program.
    rows
        Rates that come with the program, and the project's own.
    limits
        Pupils to a class by fiscal year and grade.
    areas
        Areas that are counted in beside the usual zones.
    staff
        Rows of the staff table.
    needs, tasks
        What staff are needed for, and tasks whose hours are counted.
    """

    catalogue: Catalogue
    trends: dict[str, Trend]
    rows: tuple[RateRow, ...]
    limits: Limits
    areas: tuple[AreaInput, ...] = ()
    staff: tuple[StaffRow, ...] = ()
    needs: tuple[Task, ...] = ()
    tasks: tuple[Task, ...] = ()


def _text(name: str) -> str:
    table = files("futuremap.indicators") / "tables" / f"{name}.csv"
    return table.read_text(encoding="utf-8")


@cache
def sourced() -> IndicatorInputs:
    """What comes with the program.

    Raises
    ------
    ValueError
        If one of the tables does not pass its own check.
    """
    known, report = catalogue(_text("catalogue")), Report()
    rows: list[RateRow] = []
    for name in SOURCED:
        lines = list(enumerate(csv.DictReader(_text(name).splitlines()), start=2))
        rows += rate_rows(lines, file=f"{name}.csv", catalogue=known, report=report, own=False)
    if report.problems:
        raise ValueError("\n".join(report.lines()))
    return IndicatorInputs(
        known, trends(_text("trends")), tuple(rows), class_limits(_text("class_limits"))
    )


def read_indicators(project: Project, outlines: Sequence[Zones], report: Report) -> IndicatorInputs:
    """Read the tables of a project's indicators.

    Parameters
    ----------
    project
        The project.
    outlines
        Outlines of its municipalities, in its order.
    report
        Takes FM800 to FM823 and the problems of the readers.
    """
    base, setting = sourced(), project.indicators
    if not setting.run:
        return base
    own: list[RateRow] = []
    for given in setting.table:
        table = read_table(project.path(given.file), report=report, sheet=given.sheet,
                           known=(*COLUMNS, *_JA))  # fmt: skip
        if table is not None:
            own += rate_rows(_dicts(table), file=table.file, catalogue=base.catalogue,
                             report=report)  # fmt: skip
    _check_areas_of_rows(project, own, report)
    _check_only(project, base.catalogue, report)
    _check_provisional(own, report)
    _check_schools(project, report)
    limits = dict(base.limits)
    if setting.class_limits is not None:
        limits |= _limits(project.path(setting.class_limits.file), report)
    areas = [_area(project, i, outlines, report) for i in range(len(setting.area))]
    found = base._replace(
        rows=(*own, *base.rows),
        limits=limits,
        areas=tuple(area for area in areas if area is not None),
        staff=read_staff(project, report),
    )
    if setting.staff is not None:
        path = project.path(setting.staff.need)
        found = found._replace(needs=read_tasks(project, path, base.catalogue, report))
    if setting.tasks is not None:
        path = project.path(setting.tasks.file)
        found = found._replace(tasks=read_tasks(project, path, base.catalogue, report))
    _check_drivers(project, found, report)
    return found


def _check_drivers(project: Project, inputs: IndicatorInputs, report: Report) -> None:
    # an indicator without rates would leave a task without cases
    town = project.municipality[0].code
    nobody = np.zeros((len(SEXES), LAST_AGE + 1))
    setting = Setting((project.project.base_year,), town, 0.0, nobody, {})
    made = person_rates(inputs.rows, inputs.catalogue, setting).rates.names
    flows = [e.field for e in inputs.catalogue.entries if e.kind == "flow"]
    known = {NOTHING, *PEOPLE, *made, *flows}
    for task in (*inputs.needs, *inputs.tasks):
        if task.driver not in known:
            report.add("FM827", file=project.file.name, value=task.driver, name=task.task)


_JA = ("指標", "区分", "地域", "性別", "年齢から", "年齢まで", "率", "単位", "年", "出典")


def _dicts(table: RawTable) -> list[tuple[int, dict[str, str]]]:
    names = named(table.headings)
    return [
        (line, {name: cells.text(table.cell(i, c)) for c, name in enumerate(names)})
        for i, line in enumerate(table.lines)
    ]


def _check_areas_of_rows(project: Project, rows: Sequence[RateRow], report: Report) -> None:
    codes = [town.code for town in project.municipality]
    known = {"", *codes, *(code[:2] for code in codes)}
    for row in rows:
        if row.area not in known:
            report.add("FM812", file=row.file, line=row.line, column="area", value=row.area,
                       known="、".join(codes))  # fmt: skip
        elif row.unit == "count" and row.area not in codes:
            report.add("FM817", file=row.file, line=row.line, column="area", value=row.area,
                       known="、".join(codes))  # fmt: skip
        elif row.unit == "count" and abs(row.year - project.project.base_year) > 2:  # noqa: PLR2004
            report.add("FM816", file=row.file, line=row.line, column="year", value=row.year,
                       base_year=project.project.base_year)  # fmt: skip


def _check_only(project: Project, known: Catalogue, report: Report) -> None:
    for i, name in enumerate(project.indicators.only):
        if name not in known.fields:
            line = project.line("indicators", "only", i)
            report.add("FM801", file=project.file.name, line=line, column="indicators.only",
                       value=name, near=known.near(name, ""))  # fmt: skip


def _check_provisional(rows: Sequence[RateRow], report: Report) -> None:
    for row in rows:
        if row.provisional:
            report.add("FM814", file=row.file, line=row.line, value=row.indicator)


def _check_schools(project: Project, report: Report) -> None:
    for i, entry in enumerate(project.indicators.school):
        name = entry.facility_class
        having = [
            town
            for town in project.municipality
            if any(listed.facility_class == name for listed in town.facilities)
        ]
        by_district = rule_of(project, name).rule == "districts"
        given = all(any(d.facility_class == name for d in t.districts) for t in having)
        if not having or not by_district or not given:
            line = project.line("indicators", "school", i)
            report.add("FM820", file=project.file.name, line=line, value=name, name=name)


def _limits(path: Path, report: Report) -> dict[tuple[int, int], int]:
    needed = ("fiscal_year", "grade", "limit")
    table = read_table(path, report=report, known=(*needed, *LIMIT_HEADINGS))
    if table is None:
        return {}
    names = [LIMIT_HEADINGS.get(heading, heading) for heading in table.headings]
    missing = [name for name in needed if name not in names]
    if missing:
        report.add("FM800", file=table.file, value="、".join(table.headings),
                   missing="、".join(missing))  # fmt: skip
        return {}
    found = {}
    for i, line in enumerate(table.lines):
        values = []
        for name in needed:
            value = cells.count(table.cell(i, names.index(name)))
            if not isinstance(value, int):
                report.add("FM802", file=table.file, line=line, column=name,
                           value=cells.text(table.cell(i, names.index(name))))  # fmt: skip
            else:
                values.append(value)
        if len(values) == len(needed):
            if values[1] not in GRADES or values[2] < 1:
                report.add("FM822", file=table.file, line=line, value=f"{values[1]}, {values[2]}")
            found[values[0], values[1]] = values[2]
    return found


def _area(
    project: Project,
    number: int,
    outlines: Sequence[Zones],
    report: Report,
) -> AreaInput | None:
    entry = project.indicators.area[number]
    path = project.path(entry.file)
    if entry.format == "codes":
        of_code = _area_codes(project, path, report)
        return None if of_code is None else AreaInput(entry, of_code=of_code)
    town = place_of(project.municipality[0], outlines[0])
    layout = Layout(entry.key, entry.label or entry.key)
    zones = vector.read(path, layout, town=town, kind="district", credit=entry.credit,
                        report=report)  # fmt: skip
    return None if zones is None else AreaInput(entry, zones=zones)


def _area_codes(
    project: Project,
    path: Path,
    report: Report,
) -> dict[str, dict[str, float]] | None:
    table = read_table(path, report=report, known=("code", "area", "share", *AREA_HEADINGS))
    if table is None:
        return None
    names = [AREA_HEADINGS.get(heading, heading) for heading in table.headings]
    missing = [name for name in ("code", "area") if name not in names]
    if missing:
        report.add("FM800", file=table.file, value="、".join(table.headings),
                   missing="、".join(missing))  # fmt: skip
        return None
    found: dict[str, dict[str, float]] = {}
    for i, line in enumerate(table.lines):
        code, area = (cells.text(table.cell(i, names.index(name))) for name in ("code", "area"))
        share = cells.number(table.cell(i, names.index("share"))) if "share" in names else 1.0
        if not isinstance(share, float) or not 0 <= share <= 1:
            report.add("FM802", file=table.file, line=line, column="share",
                       value=cells.text(table.cell(i, names.index("share"))))  # fmt: skip
            continue
        if area in found.get(code, {}) or not area:
            report.add("FM823", file=table.file, line=line, column="code", value=code)
        found.setdefault(code, {})[area] = share
    for town in project.municipality:
        total = sum(found.get(town.code, {}).values())
        if abs(total - 1) > WHOLE:
            shown = f"{town.code} {town.name}（{total:g}）"
            report.add("FM823", file=table.file, column="code", value=shown)
    return found
