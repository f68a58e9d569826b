"""Population tables of any layout, read by a mapping of their columns.

Sexes and ages may stand in columns or in rows, headings in one row or several, years in a
column or fixed. A mapping says which column is what; labels of ages and sexes are understood
(:mod:`futuremap.sources.mapped_ages`), and every one that is not is a problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.population import Flag, Population
from futuremap.problems import Report
from futuremap.sources import mapped_ages, mapped_checks, mapped_levels
from futuremap.sources.columns import find_columns, note_misread
from futuremap.sources.mapped_cube import Cube, fill
from futuremap.sources.mapped_grid import read_grid
from futuremap.sources.mapped_layout import TableMapping
from futuremap.sources.mapped_rows import Rows, read_rows

__all__ = ["Mapped", "TableMapping", "read"]

ANY_AGE = AgeGroups((0,))


class Mapped(NamedTuple):
    """What a mapped table gives.

    population
        People of known age; None if any number, name or label is in doubt.
    unknown
        People of unknown age in one group, None where the table has no such column or row.
    names
        Name of each zone, in the order of the file.
    lines
        Line on which each zone first stands.
    sheet
        Sheet that was read.
    """

    population: Population | None
    unknown: Population | None
    names: dict[str, str]
    lines: dict[str, int]
    sheet: str


def read(
    path: Path,
    *,
    mapping: TableMapping,
    credit: str,
    report: Report,
    zones: Mapping[str, str] | None = None,
) -> Mapped | None:
    """Read a table by its mapping.

    Parameters
    ----------
    path
        CSV or XLSX.
    mapping
        Which column is what.
    credit
        Key of the credit line.
    report
        Takes the problems, all of them.
    zones
        Code or name in the table to the id of the zone, and with them all zones that must be
        there (FM412, FM413). Without it, codes or names are the ids.

    Returns
    -------
    Mapped or None
        None if the table or the columns that the mapping names could not be found.
    """
    before = len(report.errors)
    if not _is_complete(mapping, path, report):
        return None
    known = {*mapping.roles, *(heading for heading, _ in mapping.labels)}
    table = read_grid(
        path,
        report=report,
        known=known,
        header_rows=mapping.header_rows,
        header_line=mapping.header_line,
        sheet=mapping.sheet,
    )
    if table is None or note_misread(table, report=report):
        return None
    found = set(mapping.roles.values())
    columns = find_columns(
        table, mapping.roles, required=sorted(found), report=report, missing_code="FM480"
    )
    if not columns.complete:
        return None
    rows = read_rows(columns, mapping=mapping, zones=zones)
    cube = fill(rows, mapping=mapping)
    if cube is None:
        return Mapped(None, None, rows.names, rows.lines, table.sheet)
    if zones is None:  # else a row that is no zone has been noted
        cube = mapped_levels.without_sums(rows, cube)
    mapped_checks.check(rows, cube, zones=zones)
    rows.sound &= len(report.errors) == before
    return _handed_on(rows, cube, mapping, credit)


def _is_complete(mapping: TableMapping, path: Path, report: Report) -> bool:
    needs = (
        (not (mapping.zone_code or mapping.zone_name), "zone_name", "区域の列", "the areas"),
        (not (mapping.date or mapping.year), "year", "年、または年の列", "the year"),
        (bool(mapping.value) and not mapping.age, "age", "年齢の列", "the ages"),
    )
    missing = [need for need in needs if need[0]]
    for _, key, ja, en in missing:
        report.add("FM329", file=path.name, key=key, expected_ja=ja, expected_en=f"column of {en}")
    return not missing


def _handed_on(rows: Rows, cube: Cube, mapping: TableMapping, credit: str) -> Mapped:
    found, kept = mapped_ages.groups(cube.spans, five_year=mapping.ages == "five_year")
    sound = rows.sound and cube.sound and bool(np.isfinite(cube.people).all())
    unknown = np.nan_to_num(cube.unknown) if np.isfinite(cube.unknown).any() else None

    def people(persons: NDArray[np.float64], ages: AgeGroups) -> Population:
        return Population.build(
            persons,
            years=cube.years,
            zones=list(rows.names),
            ages=ages,
            flag=Flag.OBSERVED,
            sources=[credit],
        )

    merged = people(cube.people @ found.merge_matrix(kept).T, kept) if sound else None
    apart = None if unknown is None or not sound else people(unknown[..., np.newaxis], ANY_AGE)
    return Mapped(merged, apart, rows.names, rows.lines, rows.columns.table.sheet)
