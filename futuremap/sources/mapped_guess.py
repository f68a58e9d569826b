"""A guess at the mapping of a table, with how sure it is; shown to people, never used unseen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from futuremap.problems import Report
from futuremap.sources import cells, mapped, mapped_ages
from futuremap.sources.cells import Reason
from futuremap.sources.files import RawTable
from futuremap.sources.mapped_ages import Ages, Meaning, Span
from futuremap.sources.mapped_grid import read_grid
from futuremap.sources.mapped_layout import TableMapping

LOOKED_AT = 200  # rows from which the kind of a column is judged
MOST_HEADER_ROWS = 3
ENOUGH = 0.9  # share of cells that must be of a kind
WORDS = {
    "code": (
        "地域コード", "町丁字コード", "町字コード", "町丁コード", "key_code", "areacode",
        "regioncode", "コード", "code",
    ),
    "name": (
        "町丁名", "町丁・字名", "町字名", "町名", "大字町丁目名", "地域名", "地区名", "区域名",
        "行政区", "自治会名", "町丁目", "町丁", "大字", "名称", "regionname", "region", "name",
        "area", "地区", "町", "町内会", "集落",
    ),
    "date": (
        "調査年月日", "基準日", "年月日", "調査日", "調査年", "surveydate", "年月", "年次", "年",
        "date", "year", "month",
    ),
    "sex": ("性別", "男女別", "男女", "sex", "gender", "男女区分", "区分", "性"),
    "age": ("年齢階級", "年齢区分", "年齢別", "年齢", "agegroup", "age"),
    "value": ("人口", "人数", "総人口", "人口数", "population", "persons", "value", "count"),
}  # fmt: skip


class Guess(NamedTuple):
    """What a file may be.

    mapping
        The mapping to look at, and to put into project.toml if it is right.
    sure
        From 0 to 1: 1 only if the file reads without a problem by this mapping.
    lacks
        Roles that no column could be found for: "zone", "year", "sex", "age".
    """

    mapping: TableMapping
    sure: float
    lacks: tuple[str, ...]


def guess(path: Path, *, sheet: str | None = None, year: int | None = None) -> Guess | None:
    """Guess which column of a population table is what.

    Parameters
    ----------
    path
        CSV or XLSX.
    sheet
        Sheet of a workbook; the first visible one if None.
    year
        Year of the table, for a file that does not say it.

    Returns
    -------
    Guess or None
        None if the file cannot be read as a table, or has neither ages nor sexes.
    """
    guesses = []
    for header_rows in range(1, MOST_HEADER_ROWS + 1):
        grid = read_grid(path, report=Report(), header_rows=header_rows, sheet=sheet)
        found = None if grid is None else _mapping(grid, header_rows, sheet, year)
        if found is not None:
            guesses.append(_tried(path, *found))
    return max(guesses, key=lambda one: (one.sure, -one.mapping.header_rows), default=None)


def _tried(path: Path, mapping: TableMapping, lacks: tuple[str, ...]) -> Guess:
    report = Report()
    read = None if lacks else mapped.read(path, mapping=mapping, credit="", report=report)
    if read is None or read.population is None:
        faulty = min(len(report.errors), 10)
        return Guess(mapping, max(0.1, 0.6 - 0.1 * len(lacks) - 0.03 * faulty), lacks)
    return Guess(mapping, 0.9 if report.problems else 1.0, lacks)


def _mapping(
    grid: RawTable,
    header_rows: int,
    sheet: str | None,
    year: int | None,
) -> tuple[TableMapping, tuple[str, ...]] | None:
    meanings = {heading: mapped_ages.meaning(heading) for heading in grid.headings if heading}
    counts = {heading: meant for heading, meant in meanings.items() if meant is not None}
    spans = {h: meant for h, meant in counts.items() if isinstance(meant.ages, Span)}
    wide = len(spans) > 1
    taken: set[str] = set(spans)
    sex = "" if _has_sexes(counts) else _column(grid, "sex", taken, _is_sex)
    age = "" if wide else _column(grid, "age", taken, _is_age)
    if not (spans or age):
        return None
    value = _column(grid, "value", taken, _is_count) if age and sex else ""
    mapping = TableMapping(
        zone_code=_column(grid, "code", taken, _is_text),
        zone_name=_column(grid, "name", taken, _is_text),
        date=_column(grid, "date", taken, _is_date),
        year=None,
        sex=sex,
        age=age,
        value=value,
        labels=_repeated(spans),
        header_rows=header_rows,
        sheet=sheet,
    )
    if not mapping.date:
        mapping = replace(mapping, year=year)
    mapping = replace(mapping, carry_down=_is_merged(grid, mapping))
    needs = {
        "zone": mapping.zone_code or mapping.zone_name,
        "year": mapping.date or mapping.year,
        "sex": mapping.sex or _has_sexes(counts),
        "age": mapping.age or wide,
    }
    return mapping, tuple(role for role, found in needs.items() if not found)


def _has_sexes(counts: dict[str, Meaning]) -> bool:
    return {"male", "female"} <= {meant.sex for meant in counts.values()}


def _repeated(spans: dict[str, Meaning]) -> tuple[tuple[str, str], ...]:
    # wider groups that only add up others that are there
    left_out = []
    for heading, meant in spans.items():
        span = meant.ages
        others = {one.ages for one in spans.values() if one.sex == meant.sex} - {span}
        inside = [one for one in others if isinstance(one, Span) and _within(one, span)]
        if len(inside) > 1:
            left_out.append((heading, ""))
    return tuple(left_out)


def _within(inner: Span, outer: Span | Ages) -> bool:
    if not isinstance(outer, Span) or inner.lower < outer.lower:
        return False
    return outer.upper is None or (inner.upper is not None and inner.upper <= outer.upper)


def _column(
    grid: RawTable,
    role: str,
    taken: set[str],
    is_kind: Callable[[object], bool],
) -> str:
    # the heading that names the role best and whose cells are of its kind
    plain = {cells.key(heading).casefold(): heading for heading in grid.headings if heading}
    exact = [plain[word] for word in WORDS[role] if word in plain]
    ending = [plain[key] for word in WORDS[role] for key in plain if key.endswith(word)]
    for heading in (*exact, *ending):
        if heading in taken or (role in {"code", "name"} and _is_constant(grid, heading)):
            continue  # the code of the town says nothing of its areas
        if _share(grid, heading, is_kind) >= ENOUGH:
            taken.add(heading)
            return heading
    return ""


def _share(grid: RawTable, heading: str, is_kind: Callable[[object], bool]) -> float:
    filled = [raw for raw in _cells(grid, heading) if cells.text(raw)]
    return sum(map(is_kind, filled)) / len(filled) if filled else 0.0


def _is_constant(grid: RawTable, heading: str) -> bool:
    return len(grid.rows) > 1 and len({cells.text(raw) for raw in _cells(grid, heading)}) == 1


def _cells(grid: RawTable, heading: str) -> Sequence[object]:
    column = grid.headings.index(heading)
    return [grid.cell(row, column) for row in range(min(len(grid.rows), LOOKED_AT))]


def _is_merged(grid: RawTable, mapping: TableMapping) -> bool:
    # areas written once for several rows of sexes or ages
    if not (mapping.sex or mapping.age):
        return False
    heading = mapping.zone_code or mapping.zone_name
    column = _cells(grid, heading) if heading else []
    beside = _cells(grid, mapping.sex or mapping.age)
    pairs = zip(column, beside, strict=bool(heading))
    return any(cells.text(said) and not cells.text(area) for area, said in pairs)


def _is_sex(raw: object) -> bool:
    return mapped_ages.sex(cells.text(raw)) is not None


def _is_age(raw: object) -> bool:
    return mapped_ages.age(cells.text(raw)) is not None


def _is_count(raw: object) -> bool:
    return not isinstance(cells.amount(raw), Reason)


def _is_date(raw: object) -> bool:
    return not isinstance(cells.year(cells.text(raw).removesuffix("現在")), Reason)


def _is_text(raw: object) -> bool:
    return bool(cells.text(raw))
