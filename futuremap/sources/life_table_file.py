"""Mortality by sex and age as arrays: UN World Population Prospects, or a life table as CSV.

``read_wpp`` is checked on the WPP 2019 files of two sexes (mx by country, tab, one column a
period). 未検証: ``read_csv`` takes any table with a row for each sex and age and the usual columns
(mx, qx, lx, nLx; Japanese headings as in the tables of 厚生労働省), of which no file is at hand.

Only what the file says is handed on: a life table is made of it in ``projection``.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import SEXES
from futuremap.problems import Report
from futuremap.sources import cells, mapped_ages
from futuremap.sources.cells import Reason
from futuremap.sources.columns import Columns, find_columns
from futuremap.sources.encodings import decode
from futuremap.sources.files import RawTable, read_bytes, read_table
from futuremap.sources.limits import MAX_COLUMNS, Refused, too_large
from futuremap.sources.mapped_ages import Span

VERIFIED = False  # of read_csv; read_wpp has been run on real files
MEASURES = {
    "mx": "mx", "nmx": "mx", "m(x)": "mx", "中央死亡率": "mx",
    "qx": "qx", "nqx": "qx", "q(x)": "qx", "死亡率": "qx", "死亡確率": "qx", "死亡率nqx": "qx",
    "lx": "lx", "l(x)": "lx", "生存数": "lx", "生存数lx": "lx",
    "nLx": "nLx", "Lx": "nLx", "L(x)": "nLx", "定常人口": "nLx", "定常人口nLx": "nLx",
}  # fmt: skip
HEADINGS = {
    "sex": "sex", "Sex": "sex", "性別": "sex", "性": "sex", "男女": "sex",
    "age": "age", "Age": "age", "x": "age", "年齢": "age", "年齢x": "age",
    "year": "year", "Year": "year", "period": "year", "年": "year", "年次": "year",
    **MEASURES,
}  # fmt: skip
WPP_LABELS = {"country_code": "country_code", "age": "age"}
MOST = {"mx": 3.0, "qx": 1.0}  # a year's deaths to people, and the chance to die: more is no rate
WIDEST = 5  # years of a closed age group
ROUNDING = 1.0  # of the table's survivors, by which whole numbers may be off
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]{1,17})?[eE]-[0-9]{1,2}")  # small rates: 7.028e-05
_PERIOD = re.compile(r"([0-9]{4})(?:-([0-9]{4}))?")


@dataclass(frozen=True, eq=False)
class LifeTableFile:
    """What a file says of mortality.

    Parameters
    ----------
    periods
        First year of each period and the year after its last ``(Y,)``: (2015, 2020) is five
        years; (0, 0) where the file has one table without a year.
    ages
        Lower bounds of the age groups, the last open ``(A,)``. [years]
    values
        By measure, each ``(Y, S, A)``, men first, read-only: ``mx`` [deaths per person-year],
        ``qx`` [ratio], ``lx`` [survivors], ``nLx`` [person-years].
    sources
        Credit keys.
    """

    periods: tuple[tuple[int, int], ...]
    ages: tuple[int, ...]
    values: Mapping[str, NDArray[np.float64]]
    sources: tuple[str, ...]

    def at(self, year: int) -> dict[str, NDArray[np.float64]]:
        """The measures in the period that `year` lies in, each ``(S, A)``.

        Raises
        ------
        KeyError
            If it lies in none.
        """
        for i, (start, stop) in enumerate(self.periods):
            if (start, stop) == (0, 0) or start <= year < stop:
                return {name: cube[i] for name, cube in self.values.items()}
        raise KeyError(year)


def read_wpp(
    male: Path,
    female: Path,
    *,
    country: str,
    credit: str,
    report: Report,
) -> LifeTableFile | None:
    """Read mx of one country from the two files of WPP.

    Parameters
    ----------
    male, female
        Tab-separated: country_code, name, age (0, 1, 5 … 100), then a column for each period.
    country
        Code of the country, such as "392" for Japan.
    credit
        Key of the credit line.
    report
        Takes FM101 to FM105, FM201, FM301, FM303, FM459 to FM462 and FM484 to FM488.

    Returns
    -------
    LifeTableFile or None
        None if any of the country's numbers is in doubt, or the files differ in ages or periods.
    """
    parts = [_wpp(path, country, report) for path in (male, female)]
    if parts[0] is None or parts[1] is None:
        return None
    (periods, ages, men), (others, their_ages, women) = parts[0], parts[1]
    if (periods, ages) != (others, their_ages):
        shown = f"{others[0][0]}–{others[-1][1]}, {their_ages[0]}–{their_ages[-1]}+"
        expected = f"{periods[0][0]}–{periods[-1][1]}, {ages[0]}–{ages[-1]}+"
        report.add("FM462", file=female.name, value=shown, expected=expected, other=male.name)
        return None
    return _frozen(periods, ages, {"mx": np.stack([men, women], axis=1)}, credit)


_Part = tuple[tuple[tuple[int, int], ...], tuple[int, ...], NDArray[np.float64]]


def _wpp(path: Path, country: str, report: Report) -> _Part | None:
    try:
        table = _tab_separated(path)
    except Refused as refused:
        refused.note(report, file=path.name)
        return None
    columns = find_columns(table, WPP_LABELS, required=WPP_LABELS, report=report)
    periods = {p: period for p, text in enumerate(table.headings) if (period := _period(text))}
    if not columns.complete:
        return None
    rows = [row for row in range(len(columns)) if columns.text(row, "country_code") == country]
    if not rows or not periods:
        value, wanted = (country, "country_code") if periods else ("", "1950-1955 …")
        report.add("FM459", file=path.name, value=value, expected=wanted)
        return None
    by_age = _by_age(columns, rows)
    ordered = rows if by_age is None else by_age.values()
    cube = np.array([[_number(columns, row, p, "mx") for row in ordered] for p in periods])
    if by_age is None or not np.isfinite(cube).all():
        return None
    return tuple(periods.values()), tuple(by_age), cube


def _tab_separated(path: Path) -> RawTable:
    text = decode(read_bytes(path))
    try:
        rows = [
            (line, tuple(cell or None for cell in row))
            for line, row in enumerate(csv.reader(io.StringIO(text), delimiter="\t"), start=1)
            if any(row)
        ]
    except csv.Error as error:
        reason = f"欄の区切りが正しくありません / its cells cannot be told apart ({error})"
        raise Refused.format("TSV", reason, code="FM339") from error
    if len(rows) < 2:  # noqa: PLR2004 - headings and one row
        raise Refused("FM105")
    headings = tuple(cells.heading(cell) for cell in rows[0][1])
    if len(headings) > MAX_COLUMNS:
        raise too_large("columns", line=rows[0][0])
    lines, body = zip(*rows[1:], strict=True)
    return RawTable(path.name, "", headings, list(body), list(lines), rows[0][0])


def _period(text: object) -> tuple[int, int] | None:
    found = _PERIOD.fullmatch(cells.key(text))
    if found is None:
        return None
    start = int(found[1])
    return start, int(found[2]) if found[2] else start + 1


def _by_age(columns: Columns, rows: Iterable[int]) -> dict[int, int] | None:
    """Rows of one sex and period by the lower bound of their age, ascending; None with FM460."""
    by_age: dict[int, int] = {}
    for row in rows:
        found = mapped_ages.age(columns.text(row, "age"))
        if not isinstance(found, Span) or found.lower in by_age:
            columns.note("FM460", row, "age", expected="0, 1, 5, 10 … 100")
            return None
        by_age[found.lower] = row
    ascending = sorted(by_age)
    for before, after in pairwise([-1, *ascending]):
        if after != 0 if before < 0 else after - before > WIDEST:
            columns.note("FM460", by_age[after], "age", expected=f"≤ {max(before, 0) + WIDEST}")
            return None
    return {age: by_age[age] for age in ascending}


_RATE_CODES = {Reason.EMPTY: "FM301", Reason.NEGATIVE: "FM303", Reason.SUPPRESSED: "FM487"}


def _number(columns: Columns, row: int, position: int, measure: str) -> float:
    raw = columns.table.cell(row, position)
    small = _SCIENTIFIC.fullmatch(cells.heading(raw))
    value = float(small[0]) if small else cells.amount(raw)
    column = columns.table.headings[position]
    if isinstance(value, Reason):
        code = _RATE_CODES.get(value) or cells.unreadable(raw)
        columns.note(code, row, column, value=cells.text(raw), expected="0.00123")
        return np.nan
    if value > MOST.get(measure, np.inf):
        columns.note("FM461", row, column, value=cells.text(raw), expected=f"≤ {MOST[measure]:g}")
        return np.nan
    return value


def read_csv(path: Path, *, credit: str, report: Report) -> LifeTableFile | None:
    """Read a life table with a row for each sex and age (and year, if there are several).

    Parameters
    ----------
    path
        CSV or XLSX with the columns sex (男, 女, M, F …), age (lower bounds or labels) and at
        least one of mx, qx, lx and nLx; mx and qx as ratios, not per 1,000.
    credit
        Key of the credit line.
    report
        Takes FM101 to FM106, FM201, FM202, FM301, FM303, FM411, FM459 to FM463 and FM484 to
        FM488.

    Returns
    -------
    LifeTableFile or None
        None if any number is in doubt.
    """
    table = read_table(path, report=report, known=HEADINGS)
    if table is None:
        return None
    columns = find_columns(table, HEADINGS, required=("sex", "age"), report=report)
    measures = [name for name in dict.fromkeys(MEASURES.values()) if name in columns.places]
    if not measures:
        columns.note_file("FM459", value=", ".join(table.headings), expected="mx, qx, lx, nLx")
    if not columns.complete or not measures:
        return None
    groups = _by_year_and_sex(columns)
    by_age = {} if groups is None else {k: _by_age(columns, rows) for k, rows in groups.items()}
    sound = {key: found for key, found in by_age.items() if found is not None}
    if not sound or len(sound) < len(by_age):
        return None
    ages = tuple(next(iter(sound.values())))
    for (period, sex), found in sound.items():
        if tuple(found) != ages:
            shown, other = f"{period[0] or ''} {sex} {max(found)}+".strip(), path.name
            columns.note_file("FM462", value=shown, expected=f"{max(ages)}+", other=other)
            return None
    periods = tuple(sorted({period for period, _ in sound}))
    rows = np.array([[list(sound[period, sex].values()) for sex in SEXES] for period in periods])
    values = {name: _cube(columns, rows, name) for name in measures}
    if not all(np.isfinite(cube).all() for cube in values.values()):
        return None
    return (
        _frozen(periods, ages, values, credit) if _is_sound(columns, rows, values, ages) else None
    )


_Groups = dict[tuple[tuple[int, int], str], list[int]]


def _by_year_and_sex(columns: Columns) -> _Groups | None:
    groups: _Groups = {}
    fine = True
    for row in range(len(columns)):
        sex = mapped_ages.sex(columns.text(row, "sex"))
        period = _period(columns.raw(row, "year")) if "year" in columns.places else (0, 0)
        if sex is None or period is None:
            fine = False
            column = "sex" if sex is None else "year"
            columns.note("FM303", row, column, expected="男, 女" if sex is None else "2020")
        elif sex in SEXES:
            groups.setdefault((period, sex), []).append(row)
    periods = sorted({period for period, _ in groups})
    for period in periods:
        for sex in SEXES:
            if (period, sex) not in groups:
                fine = False
                columns.note_file("FM463", value=period[0] or "", sex=sex)
    if not groups and fine:
        columns.note_file("FM463", value="", sex=SEXES[0])
    return groups if fine and groups else None


def _cube(columns: Columns, rows: NDArray[np.intp], name: str) -> NDArray[np.float64]:
    flat = [_number(columns, row, columns.places[name], name) for row in rows.ravel().tolist()]
    return np.reshape(flat, rows.shape)


def _is_sound(
    columns: Columns,
    rows: NDArray[np.intp],
    values: Mapping[str, NDArray[np.float64]],
    ages: tuple[int, ...],
) -> bool:
    """Whether survivors only fall, and the person-years lie between those of start and end."""
    faults: dict[str, tuple[NDArray[np.bool_], str]] = {}
    if "lx" in values:
        alive = values["lx"]
        faults["lx"] = alive[..., 1:] > alive[..., :-1], "l(x) ≥ l(x+n)"
        if "nLx" in values:
            width, lived = np.diff(ages), values["nLx"][..., :-1]
            high, low = width * (alive[..., :-1] + ROUNDING), width * (alive[..., 1:] - ROUNDING)
            faults["nLx"] = (lived > high) | (lived < low), "n·l(x+n) ≤ nLx ≤ n·l(x)"
    for name, (wrong, expected) in faults.items():
        for row in rows[..., 1 if name == "lx" else 0 :][..., : wrong.shape[-1]][wrong].tolist():
            columns.note("FM461", row, name, expected=expected)
    return not any(wrong.any() for wrong, _ in faults.values())


def _frozen(
    periods: tuple[tuple[int, int], ...],
    ages: tuple[int, ...],
    values: Mapping[str, NDArray[np.float64]],
    credit: str,
) -> LifeTableFile:
    for cube in values.values():
        cube.flags.writeable = False
    return LifeTableFile(periods, ages, MappingProxyType(dict(values)), (credit,))
