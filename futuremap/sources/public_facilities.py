"""公共施設一覧 of the 自治体標準オープンデータセット, in both spellings, and lists of parks.

Version 1 has 24 columns (real files of 焼津市 were read); the spelling of version 2 is 未検証,
taken from its description. The standard has no opening year: cities add one under various
headings, and any other heading can be given as a mapping. The 面積 of parks is that of their
site: it is not taken for a floor area.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from futuremap.core.facilities import Facilities
from futuremap.problems import Report
from futuremap.sources import cells, facilities
from futuremap.sources.columns import Columns, find_columns, note_missing
from futuremap.sources.files import read_table
from futuremap.sources.vector import Town

VERIFIED = ("公共施設一覧 v1", "焼津市 公園")  # layouts that were read from real files
HEADINGS = {
    **facilities.HEADINGS,
    "都道府県コード又は市区町村コード": "code", "全国地方公共団体コード": "code",
    "供用開始年度": "opened", "開設日": "opened", "供用開始日": "opened", "開園年月日": "opened",
    "開園年": "opened", "建築年度": "opened", "建築年月日": "opened", "竣工年": "opened",
    "備考": "kind",  # where the standard has no column of kinds, cities write them here
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
    kinds: Collection[str] = (),
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
        coordinates (it stays in the list), FM306 for dates and FM623 for sizes that cannot be
        read, FM620 for rows with the code of another municipality, FM560 and FM561 for kinds
        that no facility has, FM201 for headings of the mapping that the file lacks.
    mapping
        Headings of this file that say what a known one says, as heading to one of number,
        name, address, latitude, longitude, opened, kind, floor_area, capacity, code. They go
        before ours.
    kinds
        Kinds to take; all if empty.

    Returns
    -------
    Facilities or None
        As :func:`futuremap.sources.facilities.read`.
    """
    headings = dict(mapping or {})
    given = set(headings.values())
    headings |= {head: name for head, name in HEADINGS.items() if name not in given}
    table = read_table(path, report=report, known=headings)
    if table is None:
        return None
    columns = find_columns(table, headings, required=facilities.REQUIRED, report=report)
    note_unmapped(columns, mapping or {}, report=report)
    _check_codes(columns, town.code)
    return facilities.build(
        columns,
        facility_class=facility_class,
        municipality=town.code,
        plane_zone=town.plane_zone,
        credit=credit,
        base_year=base_year,
        kinds=kinds,
    )


def note_unmapped(columns: Columns, mapping: Mapping[str, str], *, report: Report) -> None:
    """Note headings that a mapping names and the table lacks (FM201)."""
    there = {cells.key(heading) for heading in columns.table.headings}
    for heading, name in mapping.items():
        noted = name in facilities.REQUIRED and name not in columns.places
        if cells.key(heading) not in there and not noted:
            note_missing(columns.table, name, {heading: name}, report=report)


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
