"""公共施設一覧 of the 自治体標準オープンデータセット, in both spellings, and lists of parks.

Version 1 has 24 columns (real files of 焼津市 were read); the spelling of version 2 is 未検証,
taken from its description. The standard has no opening year: cities add one under various
headings, and any other heading can be given as a mapping.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from futuremap.core.facilities import Facilities
from futuremap.problems import Report
from futuremap.sources import cells, facilities
from futuremap.sources.cells import Reason
from futuremap.sources.columns import Columns, find_columns
from futuremap.sources.files import read_table
from futuremap.sources.vector import Town

VERIFIED = ("公共施設一覧 v1", "焼津市 公園")  # layouts that were read from real files
HEADINGS = {
    **facilities.HEADINGS,
    "都道府県コード又は市区町村コード": "code", "全国地方公共団体コード": "code",
    "供用開始年度": "opened", "開設日": "opened", "供用開始日": "opened", "開園年月日": "opened",
    "開園年": "opened", "建築年度": "opened", "建築年月日": "opened", "竣工年": "opened",
    "面積（㎡）": "area", "面積": "area", "延床面積（㎡）": "area", "延床面積": "area",
    "備考": "kind", "施設種別": "kind", "分類": "kind",
}  # fmt: skip
CHECK_WEIGHTS = (6, 5, 4, 3, 2)


def read(
    path: Path,
    *,
    facility_class: str,
    town: Town,
    credit: str,
    base_year: int,
    report: Report,
    mapping: Mapping[str, str] | None = None,
) -> Facilities | None:
    """Read a list of public facilities or parks.

    Parameters
    ----------
    path
        CSV or XLSX.
    facility_class
        Class of all of them, such as "library"; begins their ids.
    town
        The municipality.
    credit
        Key of the credit line.
    base_year
        Openings after this year are noted.
    report
        Takes the problems: FM612 with the line for each that has an address but no
        coordinates (it stays in the list), FM306 for dates and FM623 for areas that cannot be
        read, FM620 for rows with the code of another municipality.
    mapping
        Headings of this file that say what a known one says, as heading to one of number,
        name, address, latitude, longitude, opened, area, kind, code. They go before ours.

    Returns
    -------
    Facilities or None
        With the further columns ``area`` [m^2], NaN where unknown, and ``kind`` (text). None if
        no facility could be read.
    """
    headings = dict(mapping or {})
    given = set(headings.values())
    headings |= {head: name for head, name in HEADINGS.items() if name not in given}
    table = read_table(path, report=report, known=headings)
    if table is None:
        return None
    columns = find_columns(table, headings, required=facilities.REQUIRED, report=report)
    rows = range(len(columns))
    extra: dict[str, list[object]] = {
        "area": [number(columns, row, "area") for row in rows],
        "kind": [columns.text(row, "kind") for row in rows],
    }
    _check_codes(columns, town.code)
    return facilities.build(
        columns,
        facility_class=facility_class,
        municipality=town.code,
        plane_zone=town.plane_zone,
        credit=credit,
        base_year=base_year,
        extra=extra,
    )


def number(columns: Columns, row: int, column: str) -> float:
    """A size of 0 or more; NaN where there is none, with FM623 noted if it cannot be read."""
    value = cells.amount(columns.raw(row, column))
    if not isinstance(value, Reason):
        return value
    if value is not Reason.EMPTY:
        columns.note("FM623", row, column, name=columns.text(row, "name"))
    return math.nan


def with_check_digit(code: str) -> str:
    """Municipality code of 6 digits, as 標準オープンデータセット writes it, from that of 5.

    Examples
    --------
    >>> with_check_digit("22212"), with_check_digit("37201")
    ('222127', '372013')
    """
    total = sum(int(digit) * weight for digit, weight in zip(code, CHECK_WEIGHTS, strict=True))
    return f"{code}{(11 - total % 11) % 10}"


def _check_codes(columns: Columns, code: str) -> None:
    right = with_check_digit(code)
    for row in range(len(columns)):
        written = cells.heading(columns.raw(row, "code"))
        if written and written.zfill(5) != code and written.zfill(6) != right:
            name = columns.text(row, "name")
            columns.note("FM620", row, "code", name=name, expected=f"{right} / {code}")
