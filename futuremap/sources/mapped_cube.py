"""Persons of a mapped table by year, zone, sex and age, with the cell that each came from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import SEXES
from futuremap.sources import cells, mapped_ages
from futuremap.sources.columns import Columns, note_other_shape
from futuremap.sources.mapped_ages import Ages, Fault, Meaning, Span
from futuremap.sources.mapped_layout import TableMapping
from futuremap.sources.mapped_rows import EVERYWHERE, Rows

BOTH = len(SEXES)  # position of both sexes together
CODES = {"gap": "FM211", "overlap": "FM212", "open": "FM213"}


@dataclass
class Cube:
    """Persons as they stand in the table; NaN where it has no cell.

    Parameters
    ----------
    years, spans
        Labels of the first and the last axis, ascending.
    stated
        ``(Y, Z + 1, S + 1, A + 2)``: the last zone is all areas, the last sex both, the last
        ages all and unknown. [persons]
    row, column
        Row of each number, and position of its column among the counts; -1 where there is
        none. Same shape.
    sound
        Whether no cell, sex or age is in doubt.
    """

    years: list[int]
    spans: list[Span]
    stated: NDArray[np.float64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    sound: bool

    @property
    def people(self) -> NDArray[np.float64]:
        """People of known age ``(Y, Z, S, A)``. [persons]"""
        return self.stated[:, :-1, :BOTH, :-2]

    @property
    def unknown(self) -> NDArray[np.float64]:
        """People of unknown age ``(Y, Z, S)``. [persons]"""
        return self.stated[:, :-1, :BOTH, -1]


def fill(rows: Rows, *, mapping: TableMapping) -> Cube | None:
    """Put each number in its place; every fault of numbers, ages and repetition is noted.

    Parameters
    ----------
    rows
        What each row and column is about.
    mapping
        The mapping.

    Returns
    -------
    Cube or None
        None if the age groups do not close, sexes are missing, or nothing is left to count.
    """
    before = len(rows.columns.report.errors)
    table = _without_dashes(rows.columns, rows.counts) if mapping.dash_is_zero else rows.columns
    use = [row for row in range(len(table)) if _is_clear(rows, row)]
    part = table.only(use)
    values = {name: part.all_persons(name, whole=mapping.whole) for name in rows.counts}
    spans = _spans(rows, use)
    use = use if rows.names else []
    if not use and len(rows.columns.report.errors) == before:
        rows.columns.note_file("FM105")
    elif rows.understood and use and not spans:
        _note_no_ages(rows)
    if not use or not spans or not rows.understood or not _closes(rows, use, spans):
        return None
    years = sorted({year for row in use if (year := rows.year[row]) is not None})
    shape = (len(years), len(rows.names) + 1, BOTH + 1, len(spans) + 2)
    nowhere = np.full(shape, -1, dtype=np.int64)
    cube = Cube(years, spans, np.full(shape, np.nan), nowhere, nowhere.copy(), sound=False)
    for position, (name, meant) in enumerate(rows.counts.items()):
        where = _where(rows, use, meant, cube)
        _place(rows, cube, np.array(use), where, position=position, values=values[name])
    cube.sound = len(rows.columns.report.errors) == before
    return cube


def _note_no_ages(rows: Rows) -> None:
    columns = rows.columns
    if not note_other_shape(columns.table, report=columns.report):
        needs = {"expected_ja": "年齢別の列または行", "expected_en": "columns or rows of ages"}
        columns.note_file("FM329", key="age", **needs)


def _is_clear(rows: Rows, row: int) -> bool:
    labels = rows.zone[row], rows.year[row], rows.sex[row], rows.age[row]
    return all(label is not None for label in labels) and (
        rows.zone[row] == EVERYWHERE or rows.zone[row] in rows.names
    )


def _without_dashes(columns: Columns, counts: dict[str, Meaning]) -> Columns:
    places = {columns.places[name] for name in counts}
    dashed = [
        tuple(
            0 if place in places and cells.heading(cell) == "-" else cell
            for place, cell in enumerate(row)
        )
        for row in columns.table.rows
    ]
    return replace(columns, table=replace(columns.table, rows=dashed))


def _spans(rows: Rows, use: list[int]) -> list[Span]:
    in_rows = {rows.age[row] for row in use}
    in_columns = {meant.ages for meant in rows.counts.values()}
    spans = {found for found in in_rows | in_columns if isinstance(found, Span)}
    return sorted(spans, key=lambda span: (span.lower, span.upper or mapped_ages.OLDEST + 1))


def _closes(rows: Rows, use: list[int], spans: list[Span]) -> bool:
    sexes = {rows.sex[row] for row in use} | {meant.sex for meant in rows.counts.values()}
    if not set(SEXES) <= sexes:
        needs = {"expected_ja": "男と女の列または行", "expected_en": "columns or rows of each sex"}
        rows.columns.note_file("FM329", key="sex", **needs)
        return False
    before = len(rows.columns.report.errors)
    for sex in SEXES:
        of_sex = [span for span in spans if _first_cell(rows, use, sex, span) is not None]
        for fault in mapped_ages.faults(of_sex):
            _note_ages(rows, use, sex, of_sex[fault.position], fault)
    sound = len(rows.columns.report.errors) == before
    if sound:  # each sex is whole; are they cut at the same ages?
        for fault in mapped_ages.faults(spans):
            _note_ages(rows, use, "", spans[fault.position], fault)
    return len(rows.columns.report.errors) == before


def _first_cell(rows: Rows, use: list[int], sex: str, span: Span) -> tuple[int | None, str] | None:
    # row (None for the headings) and column where a sex and age is named; any sex if ""
    wanted = {sex} if sex else set(SEXES)
    for name, meant in rows.counts.items():
        if meant.ages == span and (meant.sex in wanted or (rows.by_sex and sex)):
            return None, name
        if meant.ages is not Ages.ALL or not rows.by_age:
            continue
        for row in use:
            if rows.age[row] == span and (rows.sex[row] or meant.sex) in wanted:
                return row, "age"
    return None


def _note_ages(rows: Rows, use: list[int], sex: str, span: Span, fault: Fault) -> None:
    columns, table = rows.columns, rows.columns.table
    row, name = _first_cell(rows, use, sex, span) or (None, "")
    if row is not None:
        columns.note(CODES[fault.kind], row, name, expected=fault.expected)
        return
    columns.report.add(
        CODES[fault.kind],
        file=table.file,
        sheet=table.sheet,
        line=table.heading_line,
        column=table.headings[columns.places[name]] if name else "",
        expected=fault.expected,
    )


def _where(rows: Rows, use: list[int], meant: Meaning, cube: Cube) -> NDArray[np.int64]:
    # place of each row's number in the cube, flat
    years = {year: i for i, year in enumerate(cube.years)}
    zones: dict[str | None, int] = {zone: i for i, zone in enumerate(rows.names)}
    zones[EVERYWHERE] = len(rows.names)
    sexes = {sex: i for i, sex in enumerate(SEXES)}
    ages: dict[Span | Ages, int] = {span: i for i, span in enumerate(cube.spans)}
    ages |= {Ages.ALL: len(ages), Ages.UNKNOWN: len(ages) + 1}
    index = np.empty((4, len(use)), dtype=np.int64)
    for i, row in enumerate(use):
        year, age = rows.year[row], rows.age[row]
        of_ages = meant.ages if meant.ages is not Ages.ALL or age is None else age
        index[0, i] = years[year or 0]
        index[1, i] = zones[rows.zone[row]]
        index[2, i] = sexes.get(rows.sex[row] or meant.sex, BOTH)
        index[3, i] = ages[of_ages]
    flat = np.ravel_multi_index(tuple(index), cube.stated.shape)
    return np.asarray(flat, dtype=np.int64)


def _place(
    rows: Rows,
    cube: Cube,
    use: NDArray[np.int64],
    where: NDArray[np.int64],
    *,
    position: int,
    values: NDArray[np.float64],
) -> None:
    # the first of each place stays; what comes again is a problem, unless it is a total
    taken = cube.row.ravel()
    _, first = np.unique(where, return_index=True)
    again = np.ones(len(where), dtype=bool)
    again[first] = False
    again |= taken[where] >= 0
    fresh = ~again
    cube.stated.ravel()[where[fresh]] = values[fresh]
    cube.row.ravel()[where[fresh]] = use[fresh]
    cube.column.ravel()[where[fresh]] = position
    label = "name" if "name" in rows.columns.places else "code"
    for i in np.flatnonzero(again):
        at = np.unravel_index(int(where[i]), cube.stated.shape)
        if at[2] == BOTH or at[3] >= len(cube.spans) or at[1] == len(rows.names):
            continue  # a total may be given in several ways
        row = int(use[i])
        zone = rows.columns.text(row, label)
        earlier = f"{rows.columns.line(int(taken[where[i]]))} 行目/line"
        rows.columns.note("FM215", row, label, zone=zone, first=earlier)
