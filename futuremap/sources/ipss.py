"""Workbooks of 社人研 日本の地域別将来推計人口, as published: {prefecture}.xlsx of 2018 and 2023.

未検証 (VERIFIED = False): no workbook of IPSS is at hand; the layout is the one that programs
reading the 2023 edition describe. One sheet a municipality, named ``34204_三原市`` without the
leading zero of the code (``1100_札幌市``), the prefecture's first. On a sheet three blocks stand
side by side: both sexes, men, women, each with a column of labels and one a year; rows 総数, the
age groups (to 90歳以上 in 2018, 95歳以上 in 2023), then （再掲）, which repeats and is not read.
Blocks are found by their years and told apart by their labels, never by column numbers.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import openpyxl
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.population import SEXES, Flag, Population
from futuremap.problems import Report
from futuremap.sources import cells, mapped_ages, workbook
from futuremap.sources.cells import Reason
from futuremap.sources.columns import count_code
from futuremap.sources.files import read_bytes
from futuremap.sources.limits import Refused
from futuremap.sources.mapped_ages import Ages, Span

VERIFIED = False
FEWEST_YEARS = 3  # columns of years in a row that make a block
IN_ORDER = ("both", *SEXES)  # of the blocks, where their labels do not say
WORDS = {"both": "男女計", "male": "男", "female": "女"}
ALSO = "再掲"  # "also counted above"
ROUNDING = 20.0  # persons by which sums of some 40 rounded numbers may miss a rounded total
Rows = list[tuple[int, workbook.Row]]


class _Block(NamedTuple):
    """One sex on a sheet: the column of its labels and those of its years."""

    sex: str
    label: int
    columns: dict[int, int]


class _Sheet(NamedTuple):
    """A sheet with its place, for problems."""

    file: str
    title: str
    name: str
    rows: Rows
    report: Report

    def note(
        self,
        code: str,
        *,
        line: int | None = None,
        column: str = "",
        value: object = "",
        **detail: object,
    ) -> None:
        self.report.add(
            code,
            file=self.file,
            sheet=self.title,
            line=line,
            column=column,
            value=value,
            **detail,
        )


def read(
    path: Path,
    *,
    code: str,
    name: str,
    credit: str,
    report: Report,
) -> Population | None:
    """Read the projection of one municipality, or of the prefecture.

    Parameters
    ----------
    path
        The workbook of its prefecture.
    code
        Its code, 5 digits (34000 for the prefecture 34); becomes the only zone.
    name
        Its name, for the problems.
    credit
        Key of the credit line.
    report
        Takes FM101 to FM105, FM301 to FM308, FM431, FM450 and FM451.

    Returns
    -------
    Population or None
        One zone in all years of the sheet, flagged as projected in all of them: the base year
        too is IPSS's, people of unknown age having been spread. None if any number is in doubt.
    """
    try:
        body = read_bytes(path)
        title = _title(body, code, path.suffix)
        if title is None:
            report.add("FM431", file=path.name, value=code)
            return None
        rows = workbook.read_rows(body, sheet=title)[1]
    except Refused as refused:
        refused.note(report, file=path.name)
        return None
    return _population(_Sheet(path.name, title, name, rows, report), code=code, credit=credit)


def _title(body: bytes, code: str, suffix: str) -> str | None:
    if not body.startswith(b"PK\x03\x04"):
        reason = f"Excel ブック（xlsx）ではありません / it is no Excel workbook ({suffix})"
        raise Refused.format("XLSX", reason, code="FM337")
    _ = workbook.read_rows(body, sheet=None)  # weighs the parts: only then is it opened here
    book = openpyxl.load_workbook(io.BytesIO(body), read_only=True)
    wanted = {int(code)} if code.isdigit() else set()
    if code.endswith("000") and wanted:  # a prefecture's sheet has two zeros after its number
        wanted.add(int(code[:2]) * 100)
    for title in book.sheetnames:
        number = re.match(r"[0-9]+(?=\D|$)", cells.heading(title))
        if number is not None and int(number[0]) in wanted:
            return str(title)
    return None


def _population(sheet: _Sheet, *, code: str, credit: str) -> Population | None:
    top, blocks = _blocks(sheet.rows)
    if blocks is None:
        seen = " ".join(cells.text(cell) for _, row in sheet.rows[:3] for cell in row)
        sheet.note("FM450", value=seen[:80], name=sheet.name)
        return None
    read = {block.sex: _read_block(sheet, sheet.rows[top + 1 :], block) for block in blocks}
    if any(found is None for found in read.values()):
        return None
    groups = {sex: found for sex, found in read.items() if found is not None}
    years, (ages, both) = sorted(blocks[0].columns), groups["both"]
    for sex, (other, _) in groups.items():
        if other != ages:
            said = f"{ages.labels()[-1]}（{WORDS['both']}）"
            _note_ages(sheet, None, f"{other.labels()[-1]}（{WORDS[sex]}）", said)
            return None
    persons = np.stack([groups[sex][1] for sex in SEXES], axis=1)  # (Y, S, A)
    _check(sheet, "both", years, parts=persons.sum(axis=(1, 2)), total=both.sum(axis=1))
    if not np.isfinite(persons).all():
        return None
    return Population.build(
        persons[:, np.newaxis],
        years=years,
        zones=[code],
        ages=ages,
        flag=Flag.PROJECTED,
        sources=[credit],
    )


def _blocks(rows: Rows) -> tuple[int, list[_Block] | None]:
    """The row of the years and the three blocks; None where they cannot be told."""
    for top, (_, row) in enumerate(rows):
        runs = list(_runs_of_years(row))
        if len(runs) == len(IN_ORDER) and all(list(years) == list(runs[0][1]) for _, years in runs):
            said = [_sex(rows[: top + 1], first - 1) for first, _ in runs]
            told = [sex for sex in said if sex is not None]
            sexes = told if set(told) == set(IN_ORDER) else list(IN_ORDER)
            if any(sex not in {None, sexes[i]} for i, sex in enumerate(said)):
                break
            return top, [
                _Block(sex, max(first - 1, 0), years)
                for sex, (first, years) in zip(sexes, runs, strict=True)
            ]
    return 0, None


def _runs_of_years(row: workbook.Row) -> Iterable[tuple[int, dict[int, int]]]:
    years = [_year(cell) for cell in row]
    for known, run in groupby(range(len(row)), key=lambda column: years[column] is not None):
        columns = list(run)
        by_year = {year: c for c in columns if (year := years[c]) is not None}
        if known and len(by_year) == len(columns) >= FEWEST_YEARS:
            yield columns[0], by_year


def _year(cell: object) -> int | None:
    found = re.fullmatch(r"([0-9]{4})年?(?:\([^)]*\))?", cells.key(cell))
    year = None if found is None else int(found[1])
    return year if year is not None and cells.YEARS[0] <= year <= cells.YEARS[1] else None


def _sex(rows: Rows, column: int) -> str | None:
    # beside the years, or above that
    for _, row in reversed(rows):
        found = mapped_ages.sex(cells.text(row[column])) if 0 <= column < len(row) else None
        if found is not None:
            return found
    return None


def _read_block(
    sheet: _Sheet,
    rows: Rows,
    block: _Block,
) -> tuple[AgeGroups, NDArray[np.float64]] | None:
    by_age, totals = _rows_of_ages(sheet, rows, block)
    spans = [span for span, _ in by_age]
    faults = mapped_ages.faults(spans)
    for fault in faults:
        line, row = by_age[fault.position][1]
        _note_ages(sheet, line, row[block.label], fault.expected)
    if not spans:
        _note_ages(sheet, None, "", "0～4歳 …")
    if faults or not spans:
        return None
    by_age.sort(key=lambda entry: entry[0].lower)
    ages = AgeGroups(tuple(span.lower for span, _ in by_age))
    years = sorted(block.columns)
    cube = np.array([[_cell(sheet, row, block, year) for _, row in by_age] for year in years])
    for row in totals:
        total = np.array([_cell(sheet, row, block, year) for year in years])
        _check(sheet, block.sex, years, parts=cube.sum(axis=1), total=total, line=row[0])
    return ages, cube


def _rows_of_ages(
    sheet: _Sheet,
    rows: Rows,
    block: _Block,
) -> tuple[list[tuple[Span, tuple[int, workbook.Row]]], Rows]:
    """The rows of the age groups and that of the total, if there is one."""
    by_age: list[tuple[Span, tuple[int, workbook.Row]]] = []
    totals: Rows = []
    for line, row in rows:
        label = cells.text(row[block.label]) if block.label < len(row) else ""
        if ALSO in label or (by_age and by_age[-1][0].upper is None):
            break  # what follows repeats in other groups
        found = mapped_ages.age(label) if label else None
        if isinstance(found, Span):
            by_age.append((found, (line, row)))
        elif found is Ages.ALL:
            totals.append((line, row))
        elif label and mapped_ages.is_like_age(label):
            _note_ages(sheet, line, label, "0～4歳, 5～9歳 …")
    return by_age, totals[:1]


def _note_ages(sheet: _Sheet, line: int | None, value: object, expected: str) -> None:
    sheet.note("FM451", line=line, value=value, name=sheet.name, expected=expected)


def _cell(sheet: _Sheet, row: tuple[int, workbook.Row], block: _Block, year: int) -> float:
    line, values = row
    column = block.columns[year]
    raw = values[column] if column < len(values) else None
    value = cells.amount(raw)
    if not isinstance(value, Reason):
        return value
    heading = f"{WORDS[block.sex]} {year}年"
    sheet.note(count_code(value, raw), line=line, column=heading, value=raw, expected="≥ 0")
    return np.nan


def _check(
    sheet: _Sheet,
    sex: str,
    years: list[int],
    *,
    parts: NDArray[np.float64],
    total: NDArray[np.float64],
    line: int | None = None,
) -> None:
    """Note totals that their parts do not add up to, but for rounding."""
    for i in np.flatnonzero(np.abs(parts - total) > ROUNDING).tolist():  # not where one is NaN
        sheet.note(
            "FM305",
            line=line,
            column=f"{WORDS[sex]} {years[i]}年",
            value=f"{total[i]:g}",
            zone=sheet.name,
            expected=f"{parts[i]:g}",
        )
