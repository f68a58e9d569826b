"""Tables on trial: registers, censuses, projections, e-Stat texts, lists of facilities.

Told apart by their headings; of each, years and areas are counted and its reader is tried.
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.problems import Report
from futuremap.sources import (
    cells,
    facilities,
    ipss,
    life_table_file,
    mapped,
    mapped_ages,
    mapped_guess,
    municipal,
    public_facilities,
    register,
    register_series,
    totals,
)
from futuremap.sources.cells import Reason
from futuremap.sources.columns import Columns, find_columns, note_misread
from futuremap.sources.estat_bytes import KEY
from futuremap.sources.files import RawTable, read_table
from futuremap.sources.mapped_layout import TableMapping
from futuremap.sources.recognise_estat import estat_file
from futuremap.sources.recognise_register import (
    ANYWHERE,
    CITY,
    CODE_DIGITS,
    NOWHERE,
    first_text,
    is_made_up,
    middle_of,
    municipality,
    register_table,
    series_table,
)
from futuremap.sources.recognised import (
    TOO_LARGE,
    Clues,
    Kind,
    Lack,
    Place,
    Recognised,
    faults,
    reason_of,
    recognised,
)
from futuremap.sources.vector import Town

MOST_TRIED = 15_000  # cells of a table whose columns are guessed, which reads it several times
MOST_FACILITIES = 1_500  # rows of a list that is tried
MAX_TEXT = 6 * 2**20  # bytes of a text, inflated, that is read whole
MAX_ESTAT = 40 * 2**20  # and of one of e-Stat, read faster: 125 m meshes of a prefecture
ENOUGH_COUNTS = 30  # of the 36 columns of a register by which it is known
LIKELY = 0.3  # sureness of a guess from which it is worth showing
TITLE_ROWS = 4  # of a table whose headings are not known: its title and dates may be among them
SHOWN = 6  # headings shown of a table that is not known
MOST_PEOPLE = 3.0  # deaths per person-year are below; people, in thousands, are above
MUNICIPAL = {name: name for name in (*municipal.LABELS, *municipal.AGE_HEADINGS)}
KNOWN = {
    **register.HEADINGS, **register_series.HEADINGS, **public_facilities.HEADINGS, **MUNICIPAL,
    **life_table_file.HEADINGS, municipal.UNKNOWN: municipal.UNKNOWN, **totals.HEADINGS,
}  # fmt: skip
JAPAN = "392"
_SHEET = re.compile(r'<sheet [^>]*?name="([0-9]{4,5}_[^"]*)"')
_DATED = re.compile(r"(?:(?:昭和|平成|令和)(?:[0-9]{1,2}|元)|(?:19|20)[0-9]{2})年")
_NAME = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})[-_]?(0[1-9]|1[0-2])?(?![0-9]{3})")


def text_file(path: Path, head: bytes, *, size: int) -> Recognised:
    """What a text is.

    Parameters
    ----------
    path
        The file, which may be packed.
    head
        Its first bytes, unpacked.
    size
        Bytes of it, unpacked.
    """
    first = _first_line(head)
    if first.startswith(KEY) and "HTKSYORI" in first:
        return estat_file(path, first, whole=size <= MAX_ESTAT)
    if first.startswith("country_code\t"):
        return _wpp(path, first)
    if size > MAX_TEXT:
        kind = _kind({cells.key(heading) for heading in first.split(",")})
        return recognised(path, kind or "unknown", lacks=(TOO_LARGE,))
    return _table(path)


def workbook_file(path: Path) -> Recognised:
    """What a workbook is."""
    return _table(path)


def _first_line(head: bytes) -> str:
    line = head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].rstrip(b"\r")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp932", "replace")


def _table(path: Path) -> Recognised:
    report = Report()
    table = read_table(path, report=report, known=KNOWN)
    if table is None:
        return recognised(path, "unknown", lacks=(reason_of(report),))
    if table.sheet and (named := _municipal_sheets(path)):
        return _ipss(path, named)
    kind = _kind({cells.key(heading) for heading in table.headings})
    if kind is not None:
        return READERS[kind](path, table)
    return _guessed(path, table)


def _kind(headings: set[str]) -> Kind | None:
    def has(*wanted: str) -> bool:
        return all(cells.key(heading) in headings for heading in wanted)

    counts = {cells.key(h) for h, name in register.HEADINGS.items() if name in register.COUNTS}
    measured = {cells.key(heading) for heading in life_table_file.MEASURES} & headings
    rates = _has_roles(headings, life_table_file.HEADINGS, ("sex", "age"))
    points = ("name", "latitude", "longitude")
    rules: tuple[tuple[Kind, bool], ...] = (
        ("register_series", has("month", "region", "m00", "f00", "m85p")),
        ("census", has(*MUNICIPAL, municipal.UNKNOWN)),
        ("projection", has(*MUNICIPAL)),
        ("register", len(counts & headings) >= ENOUGH_COUNTS),
        ("census_totals", _has_roles(headings, totals.HEADINGS, totals.ROLES) and not has("sex")),
        ("facilities", _has_roles(headings, public_facilities.HEADINGS, points)),
        ("life_table", bool(measured) and rates),
    )
    return next((kind for kind, fits in rules if fits), None)


def _has_roles(headings: set[str], known: dict[str, str], roles: Iterable[str]) -> bool:
    found = {name for heading, name in known.items() if cells.key(heading) in headings}
    return set(roles) <= found


def _municipal(path: Path, table: RawTable, *, kind: Kind) -> Recognised:
    columns = find_columns(table, {**MUNICIPAL, **totals.HEADINGS}, required=(), report=Report())
    rows = range(len(columns))
    codes = [cells.heading(columns.raw(row, "code")) for row in rows]
    years = [totals.year_of(columns.raw(row, "year")) for row in rows]
    known = sorted({year for year in years if not isinstance(year, Reason)})
    people = {code: [0.0, 0] for code in codes}
    for row in rows:
        count = cells.amount(columns.raw(row, "total"))
        if known and years[row] == known[-1] and not isinstance(count, Reason):
            people[codes[row]][0] += count
    towns = tuple(
        Place(code) for code in sorted(people) if len(code) == CODE_DIGITS and code.isdigit()
    )
    counted = sum(one[0] for one in people.values()) or None
    if kind == "census_totals" and _has_levels(people):
        counted = None
    lacks: tuple[Lack, ...] = ()
    if not towns:
        lacks = (("市区町村の行がありません", "it has no rows of municipalities"),)
    return recognised(
        path,
        kind,
        years=tuple(known),
        zones=len(people),
        people=counted,
        lacks=lacks or _try_municipal(path, kind, towns[0].code, known),
        clues=Clues(towns=towns, made_up=is_made_up(table)),
    )


def _has_levels(codes: Iterable[str]) -> bool:
    """Whether wards, or prefectures, may stand beside the city or the towns they are counted in."""
    return any(code[2:3] == "1" or code[2:] == "000" for code in codes)


def _try_municipal(path: Path, kind: Kind, code: str, years: list[int]) -> tuple[Lack, ...]:
    report = Report()
    if kind == "census_totals":
        totals.read(path, code=code, name=code, year=years[-1] if years else 0, report=report)
    else:
        with_unknown = kind == "census"
        municipal.read_municipal(
            path, code=code, name=code, report=report, with_unknown=with_unknown
        )
    return faults(report)


def _facilities(path: Path, table: RawTable) -> Recognised:
    columns = find_columns(table, {**public_facilities.HEADINGS, **CITY}, required=(),
                           report=Report())  # fmt: skip
    code, tried = municipality(first_text(columns, "code")), len(columns) <= MOST_FACILITIES
    report, found = Report(), None
    if tried:
        found = public_facilities.read(
            path,
            facility_class="trial",
            town=Town(code or NOWHERE, ANYWHERE),
            credit="",
            base_year=9999,
            report=report,
        )
    points = _points(columns) if found is None else found.located.geometry
    opened = 0 if found is None else int(found.table["opened"].notna().sum())
    clues = Clues(
        towns=(Place(code, first_text(columns, "city")),) if code else (),
        located=found is not None and len(found.located) == len(found.table),
        middle=middle_of(points),
        made_up=is_made_up(table),
        tried=tried,
        detail=f"開設年/opened {opened}" if opened else "",
        form="list" if _is_plain_list(table) else "public_facilities",
    )
    return recognised(
        path,
        "facilities",
        zones=len(columns) if found is None else len(found.table),
        lacks=faults(report),
        clues=clues,
    )


def _is_plain_list(table: RawTable) -> bool:
    """Whether the plain reader finds the same columns in a list as that of the standard."""
    written = [cells.key(heading) for heading in table.headings]
    known, plain = public_facilities.HEADINGS, {cells.key(h) for h in facilities.HEADINGS}
    return {cells.key(h) for h in known if cells.key(h) in written} <= plain


def _points(columns: Columns) -> NDArray[np.object_]:
    """Some of the points of a list that is too large to be tried."""
    rows = range(min(len(columns), MOST_FACILITIES))
    read = [[cells.number(columns.raw(row, n)) for n in ("longitude", "latitude")] for row in rows]
    known = [pair for pair in read if not any(isinstance(one, Reason | None) for one in pair)]
    found: NDArray[np.object_] = shapely.points(np.array(known, dtype=np.float64).reshape(-1, 2))
    return found


def _life_table(path: Path, table: RawTable) -> Recognised:
    del table
    report = Report()
    found = life_table_file.read_csv(path, credit="", report=report)
    years = () if found is None else tuple(start for start, _ in found.periods if start)
    verified = life_table_file.VERIFIED
    has_survivors = found is not None and "nLx" in found.values
    clues = Clues(form="nLx" if has_survivors else "")
    return recognised(
        path, "life_table", years=years, lacks=faults(report), verified=verified, clues=clues
    )


def _wpp(path: Path, first: str) -> Recognised:
    report = Report()
    found = life_table_file.read_wpp(path, path, country=JAPAN, credit="", report=report)
    if found is not None and float(found.values["mx"].max()) < MOST_PEOPLE:
        years = tuple(start for start, _ in found.periods)
        return recognised(path, "life_table", years=years, clues=Clues(detail="UN WPP mx"))
    shown = "、".join(first.split("\t")[:SHOWN])
    lack = (f"国連 WPP の表ですが死亡率（mx）ではありません（{shown} …）", "of UN WPP, but not mx")
    return recognised(path, "unknown", lacks=(lack,))


def _municipal_sheets(path: Path) -> list[str]:
    # names of sheets only; the parts of the workbook have been weighed by reading it
    with zipfile.ZipFile(path) as archive, archive.open("xl/workbook.xml") as stream:
        text = stream.read(2**20).decode("utf-8", "replace")
    return [html.unescape(name) for name in _SHEET.findall(text)]


def _ipss(path: Path, sheets: list[str]) -> Recognised:
    towns = []
    for sheet in sheets:
        number, _, name = sheet.partition("_")
        towns.append(Place(number.zfill(5), name))
    report, first = Report(), towns[0]
    found = ipss.read(path, code=first.code, name=first.name, credit="", report=report)
    return recognised(
        path,
        "ipss_workbook",
        years=() if found is None else found.years,
        zones=len(towns),
        people=None if found is None else float(found.totals()[-1].sum()),
        lacks=faults(report),
        verified=ipss.VERIFIED,
        clues=Clues(towns=tuple(towns)),
    )


def _guessed(path: Path, table: RawTable) -> Recognised:
    shown = "、".join(heading for heading in table.headings if heading)
    seen = "、".join([h for h in table.headings if h][:SHOWN])
    report = Report()
    if note_misread(table, report=report):
        return recognised(path, "unknown", lacks=faults(report))
    headings: Lack = (f"見出し：{seen} …", f"headings: {shown[:60]} …")
    if len(table.rows) * len(table.headings) > MOST_TRIED:
        long = _names_columns(table, "sex") and _names_columns(table, "age")
        kind: Kind = "mapped_table" if long or _names_ages(table) else "unknown"
        return recognised(path, kind, zones=len(table.rows), lacks=(TOO_LARGE, headings))
    year = _year_in_name(path) or _year_in_title(table)
    guess = mapped_guess.guess(path, year=year)
    if guess is None or guess.sure < LIKELY:
        return recognised(path, "unknown", lacks=(headings,))
    read = None
    if not guess.lacks:
        read = mapped.read(path, mapping=guess.mapping, credit="", report=report)
    people = None if read is None else read.population
    lacks: tuple[Lack, ...] = tuple(WANTING[role] for role in guess.lacks)
    return recognised(
        path,
        "mapped_table",
        years=() if people is None else people.years,
        zones=None if people is None else len(people.zones),
        people=None if people is None else float(people.totals()[-1].sum()),
        lacks=(*lacks, *faults(report), headings),
        clues=Clues(mapping=_said(guess.mapping)),
    )


def _said(mapping: TableMapping) -> tuple[tuple[str, str | int], ...]:
    """What a mapping says beyond its defaults, in words and numbers; `year` is said elsewhere."""
    plain, given = asdict(TableMapping()), asdict(mapping)
    changed = ((key, given[key]) for key in given if given[key] != plain[key] and key != "year")
    return tuple((key, value) for key, value in changed if isinstance(value, str | int))


def _names_ages(table: RawTable) -> bool:
    meant = [mapped_ages.meaning(heading) for heading in table.headings if heading]
    return sum(one is not None and isinstance(one.ages, mapped_ages.Span) for one in meant) > 1


def _names_columns(table: RawTable, role: str) -> bool:
    return bool({cells.key(heading) for heading in table.headings} & set(mapped_guess.WORDS[role]))


def _year_in_title(table: RawTable) -> int | None:
    """The year that the first rows speak of, as in 令和2年9月末現在, if it is one only."""
    rows = (table.headings, *table.rows[:TITLE_ROWS]) if table.headings else ()
    texts = [cells.heading(cell) for row in rows for cell in row if isinstance(cell, str)]
    years = {cells.year(found[0]) for text in texts for found in _DATED.finditer(text)}
    known = [year for year in years if not isinstance(year, Reason)]
    return known[0] if len(known) == 1 else None


def _year_in_name(path: Path) -> int | None:
    found = _NAME.search(path.stem)
    return int(found[1]) if found else None


WANTING: dict[str, Lack] = {
    "zone": ("区域の列が分かりません", "no column of areas was found"),
    "year": ("年が分かりません", "its year is not known"),
    "sex": ("男女の別がありません", "it does not tell the sexes apart"),
    "age": ("年齢の列が分かりません", "no column of ages was found"),
}
READERS: dict[Kind, Callable[[Path, RawTable], Recognised]] = {
    "register": register_table,
    "register_series": series_table,
    "census": lambda path, table: _municipal(path, table, kind="census"),
    "projection": lambda path, table: _municipal(path, table, kind="projection"),
    "census_totals": lambda path, table: _municipal(path, table, kind="census_totals"),
    "facilities": _facilities,
    "life_table": _life_table,
}
