"""Rows of a mapped table: which area, year, sex and age each is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

from futuremap.core.population import SEXES
from futuremap.sources import cells, mapped_ages, mapped_names
from futuremap.sources.cells import Reason
from futuremap.sources.columns import Columns
from futuremap.sources.mapped_ages import Ages, Meaning, Span
from futuremap.sources.mapped_layout import TableMapping

TOTAL_ROWS = {
    "計", "合計", "総計", "総数", "市計", "町計", "村計", "全市", "全町", "全域", "市全体", "total",
}  # fmt: skip
PART_ROWS = {"小計"}
EVERYWHERE = ""  # zone of the rows that give the total of all areas
_AS_OF = re.compile(r"\s*(?:末日|末)?(?:現在|時点)$")
T = TypeVar("T")


@dataclass
class Rows:
    """The rows of a table and its columns of counts, each with what it is about.

    Parameters
    ----------
    columns
        The table; each column of counts is called by "#" and its position.
    counts
        What each column of counts means.
    zone
        Zone id of each row; "" for the total of all areas, None for a row left out.
    year, sex, age
        The same for years, sexes and ages; None where the cell could not be understood.
    names, lines
        Name and first line of each zone, in the order of the file or of the zones asked for.
    sound
        Whether nothing in them is in doubt.
    understood
        Whether every label of an age, and every column of counts, was; where one was not, a
        gap between the ages would only be told a second time.
    """

    columns: Columns
    counts: dict[str, Meaning]
    zone: list[str | None]
    year: list[int | None]
    sex: list[str | None]
    age: list[Span | Ages | None]
    names: dict[str, str]
    lines: dict[str, int]
    sound: bool
    understood: bool

    @property
    def by_sex(self) -> bool:
        """Whether sexes stand in rows."""
        return "sex" in self.columns.places

    @property
    def by_age(self) -> bool:
        """Whether ages stand in rows."""
        return "age" in self.columns.places


def read_rows(
    columns: Columns,
    *,
    mapping: TableMapping,
    zones: Mapping[str, str] | None,
) -> Rows:
    """Understand the labels of all rows and columns; what cannot be is noted.

    Parameters
    ----------
    columns
        The table with the columns that the mapping names.
    mapping
        The mapping.
    zones
        Code or name to zone id; None if codes or names are the ids.
    """
    before = len(columns.report.problems)
    columns, counts = _counts(columns, mapping)
    columns.note_garbled("name")
    mapped_names.note_spoilt(columns, "name")
    zone, names, lines = _zones(columns, counts, mapping, zones)
    wanted = [row for row, found in enumerate(zone) if found is not None]
    year: list[int | None] = [mapping.year] * len(columns)
    sex: list[str | None] = [""] * len(columns)
    age: list[Span | Ages | None] = [Ages.ALL] * len(columns)
    if mapping.date:
        _fill(year, columns, wanted, "date", code="FM328", read=_year)
        _check_year(columns, wanted, year, mapping.year)
    if mapping.sex:
        _fill(sex, columns, wanted, "sex", code="FM214", read=mapped_ages.sex)
    if mapping.age:
        _fill(age, columns, wanted, "age", code="FM210", read=mapped_ages.age)
    errors = {p.code for p in columns.report.problems[before:] if p.severity == "error"}
    understood = not errors & {"FM202", "FM210", "FM215"}
    return Rows(columns, counts, zone, year, sex, age, names, lines, not errors, understood)


def _counts(columns: Columns, mapping: TableMapping) -> tuple[Columns, dict[str, Meaning]]:
    # every column with persons under a name of its own
    said = {cells.key(heading): meant for heading, meant in mapping.labels}
    taken = {place for name, place in columns.places.items() if name != "value"}
    places = dict(columns.places)
    counts: dict[str, Meaning] = {}
    for place, heading in enumerate(columns.table.headings):
        meant = said.get(cells.key(heading), heading)
        if place in taken or not meant:
            continue
        if mapping.value:
            found = Meaning("", Ages.ALL) if place == columns.places["value"] else None
        else:
            found = mapped_ages.meaning(meant)
            _check_meaning(columns, heading, meant, found)
        by_row = mapping.age and found is not None and found.ages is not Ages.ALL
        if found is not None and not by_row and not _is_twice(columns, place, found, counts):
            counts[f"#{place}"] = found
            places[f"#{place}"] = place
    if not counts:
        needs = {"expected_ja": "人口の列", "expected_en": "columns of persons"}
        columns.note_file("FM329", key="labels", **needs)
    return replace(columns, places=places), counts


def _is_twice(
    columns: Columns,
    place: int,
    meant: Meaning,
    counts: Mapping[str, Meaning],
) -> bool:
    # a total may be given in several ways, a sex and age may not
    earlier = next((name for name, found in counts.items() if found == meant), None)
    if earlier is None or meant.ages is Ages.ALL or meant.sex not in SEXES:
        return False
    table = columns.table
    heading, other = table.headings[place], table.headings[int(earlier[1:])]
    same = cells.key(heading) == cells.key(other)
    columns.report.add(
        "FM202" if same else "FM215",
        file=table.file,
        sheet=table.sheet,
        line=table.heading_line,
        column=heading,
        zone="—",
        first=f"「{other}」",
    )
    return True


def _check_meaning(columns: Columns, heading: str, meant: str, found: Meaning | None) -> None:
    mistaken = meant is not heading or mapped_ages.is_like_age(heading)
    if found is None and mistaken:
        table = columns.table
        place: dict[str, Any] = {"file": table.file, "sheet": table.sheet}
        columns.report.add("FM210", **place, line=table.heading_line, column=heading, value=meant)


def _zones(
    columns: Columns,
    counts: Mapping[str, Meaning],
    mapping: TableMapping,
    zones: Mapping[str, str] | None,
) -> tuple[list[str | None], dict[str, str], dict[str, int]]:
    skipped = {cells.key(word) for word in mapping.skip} | PART_ROWS
    by_key = None if zones is None else {cells.key(one): zone for one, zone in zones.items()}
    found: list[str | None] = []
    names: dict[str, str] = {}
    lines: dict[str, int] = {}
    above = ("", "")
    label, persons = _label(columns), list(counts)
    for row in range(len(columns)):
        written = _written(columns, row, mapping)
        if mapped_names.aside(columns, row, name=label, counts=persons):
            found.append(None)
            continue
        if not any(written) and mapping.carry_down:
            written = above
        above = written
        words = _words(written) if any(written) else _words_of(columns, row)
        if words & skipped:
            found.append(None)
        elif words & TOTAL_ROWS:
            found.append(EVERYWHERE)
        else:
            zone = _zone(columns, row, written, by_key)
            found.append(zone)
            if zone is not None and zone not in names:
                names[zone], lines[zone] = written[1] or written[0], columns.line(row)
    return found, _in_order(names, zones), lines


@lru_cache(maxsize=4096)
def _words(written: tuple[str, str]) -> frozenset[str]:
    return frozenset(cells.key(word).casefold() for word in written) - {""}


def _words_of(columns: Columns, row: int) -> frozenset[str]:
    # without a code: 合計 may stand in a column that the mapping does not name
    texts = (cell for cell in columns.table.rows[row] if isinstance(cell, str))
    return frozenset(cells.key(text).casefold() for text in texts) & TOTAL_ROWS


def _label(columns: Columns) -> str:
    return "name" if "name" in columns.places else "code"


def _written(columns: Columns, row: int, mapping: TableMapping) -> tuple[str, str]:
    code = mapped_names.sound_code(columns, row, "code", municipality=mapping.municipality)
    return code, columns.text(row, "name")


def _zone(
    columns: Columns,
    row: int,
    written: tuple[str, str],
    by_key: Mapping[str, str] | None,
) -> str | None:
    label = _label(columns)
    code, name = written
    if mapped_names.is_scientific(columns.raw(row, "code")):
        return None  # noted with the code
    if not (code if "code" in columns.places else name):
        columns.note("FM414", row, "code" if "code" in columns.places else label)
        return None
    if by_key is None and not code and cells.REPLACEMENT in name:
        return f"{name}@{columns.line(row)}"  # names that lost their letters may look alike
    if by_key is None:
        return code or name
    zone = by_key.get(cells.key(code)) or by_key.get(cells.key(name))
    if zone is None:
        columns.note("FM413", row, label, zone=name or code)
    return zone


def _in_order(names: dict[str, str], zones: Mapping[str, str] | None) -> dict[str, str]:
    if zones is None:
        return names
    return {zone: names[zone] for zone in dict.fromkeys(zones.values()) if zone in names}


def _fill(
    target: list[T],
    columns: Columns,
    rows: list[int],
    name: str,
    *,
    code: str,
    read: Callable[[Any], T],
) -> None:
    # each text is understood once; a column of one text throughout is one problem
    known: dict[object, T] = {}
    for row in rows:
        raw = columns.raw(row, name)
        if raw not in known:
            known[raw] = read(raw if name == "date" else cells.text(raw))
            if known[raw] is None:
                columns.note(code, row, name)
        target[row] = known[raw]


def _year(raw: object) -> int | None:
    found = cells.year(_AS_OF.sub("", raw.strip()) if isinstance(raw, str) else raw)
    return None if isinstance(found, Reason) else found


def _check_year(
    columns: Columns,
    rows: list[int],
    found: list[int | None],
    expected: int | None,
) -> None:
    wrong = [row for row in rows if found[row] not in {None, expected}] if expected else []
    if len(wrong) == len(rows) and len({found[row] for row in wrong}) == 1:
        wrong = wrong[:1]  # the file of another year is one fault
    for row in wrong:
        columns.note("FM307", row, "date", expected=expected)
