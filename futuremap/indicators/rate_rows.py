"""Rate tables at the door: rows read and checked, every fault with its line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from futuremap.indicators.catalogue import BY_AGE, UNITS, Catalogue, Indicator
from futuremap.problems import Report

COLUMNS = (
    "indicator", "level", "area", "sex", "age_from", "age_to", "rate", "unit", "year", "status",
    "trend", "source", "url", "licence", "terms", "seen_at", "note",
)  # fmt: skip
NEEDED = ("indicator", "rate", "unit", "year", "source", "licence")
# what a planner may write over a column
ALIASES = {
    "指標": "indicator", "区分": "level", "地域": "area", "性別": "sex", "年齢から": "age_from",
    "年齢まで": "age_to", "率": "rate", "単位": "unit", "年": "year", "状態": "status",
    "傾向": "trend", "出典": "source", "ライセンス": "licence", "利用条件": "terms",
    "確認した場所": "seen_at", "備考": "note", "URL": "url", "license": "licence",
}  # fmt: skip
SEXES = {"": "both", "both": "both", "計": "both", "男女計": "both", "B": "both",
         "male": "male", "男": "male", "M": "male", "female": "female", "女": "female",
         "F": "female"}  # fmt: skip
PROVISIONAL = {"provisional", "仮"}
REFERENCE = "national_population"  # people of the country, to calibrate with
PERCENT = 100.0
Cells = Sequence[tuple[int, Mapping[str, str]]]


@dataclass(frozen=True)
class RateRow:
    """One row of a rate table, its rate as written.

    Parameters
    ----------
    indicator, level
        What is measured.
    area
        "" for the country, two digits of a prefecture, five of a municipality.
    sex
        "both", "male" or "female".
    age_from, age_to
        First and last age; None if there are no ages, or no last one. [years]
    rate, unit
        As the source gives it.
    year
        Of the figure.
    provisional
        Marked 仮: not confirmed, for a demonstration.
    trend
        Key of the trend that a trend variant follows; empty if there is none.
    source, url, licence, terms
        Where the figure is from, and how it may be used.
    own
        From the project's own table.
    file, line
        Where the row stands.
    """

    indicator: str
    level: str
    area: str
    sex: str
    age_from: int | None
    age_to: int | None
    rate: float
    unit: str
    year: int
    provisional: bool
    trend: str
    source: str
    url: str
    licence: str
    terms: str
    own: bool
    file: str
    line: int

    @property
    def key(self) -> tuple[str, str]:
        """Indicator and level."""
        return self.indicator, self.level

    @property
    def value(self) -> float:
        """The rate in the unit of the indicator per person."""
        return self.rate * UNITS[self.unit]


def named(headings: Sequence[str]) -> list[str]:
    """Column names of headings in Japanese or English.

    Examples
    --------
    >>> named(["指標", "rate", "memo"])
    ['indicator', 'rate', 'memo']
    """
    return [ALIASES.get(heading.strip(), heading.strip()) for heading in headings]


def rate_rows(
    cells: Cells,
    *,
    file: str,
    catalogue: Catalogue,
    report: Report,
    own: bool = True,
) -> list[RateRow]:
    """Rows of a rate table; those at fault are noted and left out.

    Parameters
    ----------
    cells
        Line of the file and cells by column name, all texts.
    file
        Name of the file.
    catalogue
        The indicators that there are.
    report
        Takes FM800 to FM811.
    own
        Whether it is the project's own table, or came with the program.
    """
    if cells:
        missing = [name for name in NEEDED if name not in cells[0][1]]
        if missing:
            report.add("FM800", file=file, value="、".join(cells[0][1]),
                       missing="、".join(missing))  # fmt: skip
            return []
    rows = []
    for line, row in cells:
        found = _row(row, _Line(file, line, report), catalogue=catalogue, own=own)
        if found is not None:
            rows.append(found)
    _check_groups(rows, catalogue, report)
    return rows


class _Line:
    """Notes what is wrong with one line."""

    def __init__(self, file: str, line: int, report: Report) -> None:
        self.file, self.line, self.report = file, line, report
        self.fine = True

    def bad(self, code: str, column: str, value: object, **detail: object) -> None:
        """Note a fault."""
        self.fine = False
        self.report.add(
            code, file=self.file, sheet="", line=self.line, column=column, value=value, **detail
        )


def _row(
    row: Mapping[str, str],
    at: _Line,
    *,
    catalogue: Catalogue,
    own: bool,
) -> RateRow | None:
    cell = {name: row.get(name, "").strip() for name in COLUMNS}
    entry = catalogue.find(cell["indicator"], cell["level"])
    if entry is None and cell["indicator"] != REFERENCE:
        near = catalogue.near(cell["indicator"], cell["level"])
        wanted = "/".join(filter(None, (cell["indicator"], cell["level"])))
        at.bad("FM801", "indicator", wanted, near=near)
        return None
    for name in ("source", "licence", "year"):
        if not cell[name]:
            at.bad("FM808", name, "", key=name)
    rate, year, sex = _number(cell["rate"]), _year(cell["year"], at), SEXES.get(cell["sex"])
    if rate is None or rate < 0:
        at.bad("FM802", "rate", cell["rate"])
    if sex is None:
        at.bad("FM811", "sex", cell["sex"])
    ages = _ages(cell, at)
    if rate is not None:
        _check_unit(entry, cell["unit"], rate, at)
    if not at.fine or rate is None or year is None or sex is None:
        return None
    return RateRow(
        cell["indicator"], cell["level"], cell["area"], sex, *ages, rate, cell["unit"], year,
        cell["status"] in PROVISIONAL, cell["trend"], cell["source"], cell["url"],
        cell["licence"], cell["terms"], own, at.file, at.line,
    )  # fmt: skip


def _year(text: str, at: _Line) -> int | None:
    year = _whole(text)
    if text and (year is None or not 1900 <= year <= 2200):  # noqa: PLR2004 - years
        at.bad("FM802", "year", text)
        return None
    return year


def _ages(cell: Mapping[str, str], at: _Line) -> tuple[int | None, int | None]:
    lower, upper = _whole(cell["age_from"]), _whole(cell["age_to"])
    for name, value in (("age_from", lower), ("age_to", upper)):
        if cell[name] and value is None:
            at.bad("FM811", name, cell[name])
    if lower is None and cell["age_to"]:
        at.bad("FM811", "age_from", cell["age_from"])
    elif lower is not None and upper is not None and upper < lower:
        at.bad("FM811", "age_to", cell["age_to"])
    return lower, upper


def _check_unit(entry: Indicator | None, unit: str, rate: float, at: _Line) -> None:
    if unit not in UNITS:
        at.bad("FM809", "unit", unit, units="、".join(UNITS))
    elif entry is not None and unit not in (*entry.units, "count"):
        at.bad("FM809", "unit", unit, units="、".join(entry.units))
    elif entry is None or entry.most is None or unit == "count":
        return
    elif rate * UNITS[unit] > entry.most:
        percent = unit == "ratio" and rate <= PERCENT
        at.bad("FM805" if percent else "FM806", "rate", rate, unit=unit)


def _check_groups(rows: Sequence[RateRow], catalogue: Catalogue, report: Report) -> None:
    def group(row: RateRow) -> tuple[str, str, str, int, bool]:
        return row.indicator, row.level, row.area, row.year, row.unit == "count"

    for _, found in groupby(sorted(rows, key=group), key=group):
        members = list(found)
        entry = catalogue.find(members[0].indicator, members[0].level)
        sexes = {row.sex for row in members}
        if sexes not in ({"both"}, {"male", "female"}):
            row = members[0]
            report.add("FM807", file=row.file, line=row.line, column="sex",
                       value="、".join(sorted(sexes)), name=row.indicator)  # fmt: skip
        for sex in sorted(sexes):
            mine = sorted((r for r in members if r.sex == sex), key=lambda r: r.age_from or 0)
            by_age = entry is not None and entry.kind in BY_AGE and members[0].unit != "count"
            _check_ages(mine, entry if by_age else None, report)


def _check_ages(rows: Sequence[RateRow], entry: Indicator | None, report: Report) -> None:
    for one, other in pairwise(rows):
        same = (one.age_from, one.age_to) == (other.age_from, other.age_to)
        if same:
            report.add("FM810", file=other.file, line=other.line, column="indicator",
                       value=other.indicator, other=one.line)  # fmt: skip
        elif one.age_to is None or other.age_from != one.age_to + 1:
            until = "" if one.age_to is None else one.age_to
            report.add("FM803", file=other.file, line=other.line, column="age_from",
                       value=other.age_from, name=other.indicator, before=until,
                       wanted="" if one.age_to is None else one.age_to + 1)  # fmt: skip
    if entry is None or not rows:
        return
    first, last = rows[0], rows[-1]
    wanted = f"{entry.age_from or 0}～{'' if entry.age_to is None else entry.age_to}"
    if first.age_from != (entry.age_from or 0):
        report.add("FM804", file=first.file, line=first.line, column="age_from",
                   value="" if first.age_from is None else first.age_from,
                   name=first.indicator, wanted=wanted)  # fmt: skip
    if last.age_to != entry.age_to and last.age_from is not None:
        report.add("FM804", file=last.file, line=last.line, column="age_to",
                   value="" if last.age_to is None else last.age_to,
                   name=last.indicator, wanted=wanted)  # fmt: skip


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _whole(text: str) -> int | None:
    value = _number(text)
    return int(value) if value is not None and value.is_integer() and value >= 0 else None
