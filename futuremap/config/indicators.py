"""What a project.toml may say about indicators: tables of rates, school classes, areas, staff."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from futuremap.config.entry import Entry, Slug

Share = Annotated[float, Field(ge=0, le=1)]
Level = Literal["municipality", "block", "mesh", "facility", "area"]
LEVELS: tuple[Level, ...] = ("municipality", "block", "mesh", "facility", "area")


class TableFile(Entry):
    """``[[indicators.table]]``: a table of the project's own rates (CSV or XLSX)."""

    file: str
    sheet: str | None = None
    credit: str


class LimitsFile(Entry):
    """``[indicators.class_limits]``: the prefecture's own numbers of pupils to a class."""

    file: str
    credit: str


class SchoolClasses(Entry):
    """``[[indicators.school]]``: facilities whose classes are counted, by their districts.

    `elsewhere` is the share of pupils who go to national, private or other schools, `special`
    the share of the rest in classes for special needs.
    """

    facility_class: Slug = Field(alias="class")
    kind: Literal["primary", "lower_secondary"]
    elsewhere: Share = 0.0
    special: Share = 0.0


class AreaFile(Entry):
    """``[[indicators.area]]``: areas that indicators are counted in.

    "codes" is a table of municipalities (columns `code` and `area`), such as 二次医療圏; with a
    column `share`, a municipality's people are divided, as by flows to the towns of a 生活圏.
    "polygons" are shapes, such as a hazard zone, in which blocks count by overlap.
    """

    name: Slug
    title: str
    title_en: str = ""
    file: str
    format: Literal["codes", "polygons"] = "codes"
    key: str = ""
    label: str = ""
    credit: str
    provisional: bool = False


class StaffFile(Entry):
    """``[indicators.staff]``: an organisation's people by age, and what they are needed for.

    `file` holds staff by sex and age, hires and rates of leaving; `need` their tasks, by assets or
    by cases; `hours_per_person` are the hours that one of them works in a year.
    """

    file: str
    need: str
    credit: str
    hours_per_person: Annotated[float, Field(gt=0)]


class TasksFile(Entry):
    """``[indicators.tasks]``: tasks of the administration and the hours that each case takes."""

    file: str
    credit: str


class Indicators(Entry):
    """``[indicators]``: what is weighed, of whom and where.

    `month` is the month of the population's date, for school grades; `only` keeps some fields;
    `on` the kinds of zones. Rates stay as they are; where a trend was published, the trend
    variant is computed beside them.
    """

    run: bool = True
    month: Annotated[int, Field(ge=1, le=12)] = 10
    only: list[str] = []
    on: Annotated[list[Level], Field(min_length=1)] = list(LEVELS)
    table: list[TableFile] = []
    class_limits: LimitsFile | None = None
    school: list[SchoolClasses] = []
    area: list[AreaFile] = []
    staff: StaffFile | None = None
    tasks: TasksFile | None = None

    @property
    def months_after_april(self) -> int:
        """Months from 1 April to the first of `month`."""
        return (self.month - 4) % 12

    def files(self) -> list[tuple[str, str]]:
        """Every file named, with its credit key."""
        named = [(entry.file, entry.credit) for entry in self.table]
        named += [(entry.file, entry.credit) for entry in self.area]
        if self.class_limits is not None:
            named.append((self.class_limits.file, self.class_limits.credit))
        if self.tasks is not None:
            named.append((self.tasks.file, self.tasks.credit))
        if self.staff is not None:
            named += [(file, self.staff.credit) for file in (self.staff.file, self.staff.need)]
        return named
