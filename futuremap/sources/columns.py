"""Columns by their headings, with a suggestion for those that are missing."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from futuremap.problems import Report
from futuremap.sources import cells, mapped_ages
from futuremap.sources.cells import Place, Reason
from futuremap.sources.files import RawTable

CLOSE = 0.6  # similarity of two texts from which one may be a slip for the other
MOST_PERSONS = 2**31 - 1  # in one cell; the world holds four times as many people
ANOTHER_SHAPE = 8  # missing columns from which the table is of another kind, not misspelt
SEVERAL_LABELS = 3  # of sexes and ages in a row, more than a row of numbers has
MISREAD = {"UTF-8": "FM204", "EUC-JP": "FM571"}  # what was taken for CP932
LOOKED_AT = 40  # rows from which the encoding is judged
_SEX_HEADINGS = {"性別", "男女", "男女別", "sex", "gender"}
_AGE_HEADINGS = {"年齢", "年齢階級", "年齢区分", "年齢別", "年代", "age", "agegroup"}

_COUNT_CODES = {
    Reason.EMPTY: "FM301",
    Reason.NEGATIVE: "FM302",
    Reason.FRACTION: "FM304",
    Reason.SUPPRESSED: "FM308",
}


def count_code(reason: Reason, raw: object) -> str:
    """The problem with a cell that holds no count, FM301 to FM304, FM308 or FM484 to FM488.

    Examples
    --------
    >>> [count_code(Reason.UNREADABLE, raw) for raw in ("約100", "8人", "#REF!")]
    ['FM303', 'FM486', 'FM484']
    """
    return _COUNT_CODES.get(reason) or cells.unreadable(raw)


@dataclass(frozen=True)
class Columns:
    """A table seen through our names of its columns, with the report beside it.

    Parameters
    ----------
    table
        The table as read.
    places
        Position of each of our columns that was found.
    complete
        Whether every required column is there, once.
    report
        Takes what is found wrong in the cells.
    """

    table: RawTable
    places: Mapping[str, int]
    complete: bool
    report: Report

    def __len__(self) -> int:
        """Count of rows."""
        return len(self.table.rows)

    def raw(self, row: int, name: str) -> object:
        """The cell as found; None where the column is missing."""
        return self.table.cell(row, self.places[name]) if name in self.places else None

    def text(self, row: int, name: str) -> str:
        """The cell as text without blanks around it."""
        return cells.text(self.raw(row, name))

    def line(self, row: int) -> int:
        """Line of a row in the file."""
        return self.table.lines[row]

    def note(
        self,
        code: str,
        row: int,
        column: str,
        *,
        value: object = None,
        **detail: Any,
    ) -> None:
        """Note a problem in one cell; `column` is our name or, where we have none, its own."""
        known = column in self.places
        heading = self.table.headings[self.places[column]] if known else column
        self.report.add(
            code,
            file=self.table.file,
            sheet=self.table.sheet,
            line=self.line(row),
            column=heading,
            value=self._shown(row, column) if value is None else value,
            **detail,
        )

    def _shown(self, row: int, column: str) -> str:
        raw = self.raw(row, column)
        return str(raw) if isinstance(raw, cells.Formula) else cells.text(raw)

    def note_file(self, code: str, *, value: object = "", **detail: Any) -> None:
        """Note a problem of the table as a whole."""
        self.report.add(code, file=self.table.file, sheet=self.table.sheet, value=value, **detail)

    def only(self, rows: Sequence[int]) -> Columns:
        """Some of the rows; the rest has been noted, so this is no longer all there is."""
        table = replace(
            self.table,
            rows=[self.table.rows[row] for row in rows],
            lines=[self.table.lines[row] for row in rows],
        )
        return replace(self, table=table, complete=False)

    def persons(self, row: int, name: str, *, whole: bool = True) -> float:
        """Persons in one cell; NaN with a problem noted when it holds none. [persons]"""
        if name not in self.places:
            return math.nan  # noted once, with the headings
        if not self.table.sheet and self.places[name] >= len(self.table.rows[row]):
            ends = len(self.table.rows[row])  # in a workbook, empty cells at the end are cut
            expected = len(self.table.headings)
            self.note("FM207", row, "", value=ends, expected=expected)
            return math.nan
        read = cells.count if whole else cells.amount
        value = read(self.raw(row, name))
        if not isinstance(value, Reason) and value > MOST_PERSONS:
            self.note("FM320", row, name, expected=f"≤ {MOST_PERSONS:,}")
            return math.nan
        if not isinstance(value, Reason):
            return value
        self.note(count_code(value, self.raw(row, name)), row, name, expected="≥ 0")
        return math.nan

    def all_persons(self, name: str, *, whole: bool = True) -> NDArray[np.float64]:
        """Persons in each row of a column ``(N,)``, as :meth:`persons` gives them. [persons]"""
        raw = [self.raw(row, name) for row in range(len(self))]
        if all(type(cell) is str and len(cell) < 10 for cell in raw):  # noqa: PLR2004 - < 2³¹
            joined = "".join(raw)  # type: ignore[arg-type] # all of it is text
            if joined.isascii() and joined.isdigit() and all(raw):
                return np.array(raw, dtype=np.float64)
        return np.array([self.persons(row, name, whole=whole) for row in range(len(self))])

    def coordinate(self, row: int, name: str) -> float | None:
        """One coordinate; None when the cell is empty, NaN with a problem when unreadable."""
        value = cells.number(self.raw(row, name))
        if not isinstance(value, Reason):
            return value
        if value is Reason.EMPTY:
            return None
        self.note("FM303", row, name, expected="34.3428, 134.0466")
        return math.nan

    def in_japan(
        self,
        row: int,
        column: str,
        point: tuple[float, float],
        *,
        name: str,
        codes: tuple[str, str] = ("FM522", "FM524"),
    ) -> bool:
        """Whether a point (latitude, longitude) lies in Japan; if not, a problem is noted.

        `codes` are that of exchanged coordinates and that of others.
        """
        place = cells.place(*point)
        if place is not Place.JAPAN:
            if column == "latitude" and cells.within(point[0], cells.LATITUDES):
                column = "longitude"  # which is then the one that is wrong
            code = codes[0] if place is Place.SWAPPED else codes[1]
            self.note(code, row, column, value=f"{point[0]}, {point[1]}", name=name)
        return place is Place.JAPAN

    def _is_noted(self, code: str, row: int) -> bool:
        place = self.table.file, self.table.sheet, self.line(row)
        return any(
            p.code == code and (p.file, p.sheet, p.line) == place for p in self.report.problems
        )

    def note_garbled(self, name: str) -> bool:
        """Whether texts of a column have lost characters; noted once for the file (FM568)."""
        lost = (row for row in range(len(self)) if cells.REPLACEMENT in self.text(row, name))
        first = next(lost, None)
        if first is not None and not self._is_noted("FM322", first):
            self.note("FM568", first, name)
        texts = [self.text(row, name) for row in range(len(self))]
        encoding = cells.misread("".join(texts))
        if encoding and first is None:
            row = next(row for row, text in enumerate(texts) if not text.isascii())
            self.note(MISREAD[encoding], row, name, encoding=encoding)
        return first is not None or bool(encoding)


def find_columns(
    table: RawTable,
    headings: Mapping[str, str],
    *,
    required: Collection[str],
    report: Report,
    missing_code: Literal["FM201", "FM480"] = "FM201",
) -> Columns:
    """Our columns in a table; those that are missing or stand twice go into the report.

    Parameters
    ----------
    table
        The table with its headings.
    headings
        Heading in the source to our name. Where several headings of one name stand in the
        table, the one named first here is taken.
    required
        Our names that must be there: a problem is noted for each that is not.
    report
        Takes FM202 and `missing_code`.
    missing_code
        FM201, or FM480 where the headings are those that project.toml names.
    """
    positions: dict[str, list[int]] = {}
    for position, heading in enumerate(table.headings):
        positions.setdefault(cells.key(heading), []).append(position)
    found: dict[str, int] = {}
    twice = set()
    for heading, name in headings.items():
        of_heading = positions.get(cells.key(heading), [])
        if len(of_heading) > 1 and name not in twice:
            twice.add(name)
            report.add(
                "FM202",
                file=table.file,
                sheet=table.sheet,
                line=table.heading_line,
                column=table.headings[of_heading[1]],
            )
        if len(of_heading) == 1:
            found.setdefault(name, of_heading[0])
    missing = [name for name in required if name not in found and name not in twice]
    if not (len(missing) >= ANOTHER_SHAPE and note_other_shape(table, report=report)):
        for name in missing:
            note_missing(table, name, headings, code=missing_code, report=report)
    places = {name: place for name, place in found.items() if name not in twice}
    return Columns(table, places, not missing and not twice, report)


def note_other_shape(table: RawTable, *, report: Report) -> bool:
    """Whether a table is misread, has two rows of headings or is long; noted once if so.

    Dozens of missing columns would hide the one thing that is wrong.
    """
    place: dict[str, Any] = {"file": table.file, "sheet": table.sheet, "value": _first(table)}
    headings = {cells.key(heading).casefold() for heading in table.headings}
    if note_misread(table, report=report) or note_more_headings(table, report=report):
        return True
    is_long = bool(headings & _SEX_HEADINGS and headings & _AGE_HEADINGS)
    if is_long:
        report.add("FM209", **place, line=table.heading_line)
    return is_long


def note_more_headings(table: RawTable, *, report: Report) -> bool:
    """Whether the row below the headings still names sexes or ages; noted if so (FM205)."""
    texts = [text for text in map(cells.heading, table.rows[0]) if not text.isdigit()]
    named = [found for found in map(mapped_ages.meaning, texts) if found]
    labels = sum(
        isinstance(found.ages, mapped_ages.Span) or found.sex in {"male", "female"}
        for found in named
    )
    if labels >= SEVERAL_LABELS:
        place: dict[str, Any] = {"file": table.file, "sheet": table.sheet}
        report.add("FM205", **place, line=table.first_line, value=_first(table))
    return labels >= SEVERAL_LABELS


def note_misread(table: RawTable, *, report: Report) -> bool:
    """Whether a table was decoded as what it is not; noted if so (FM204, FM571)."""
    texts = [cells.text(cell) for row in table.rows[:LOOKED_AT] for cell in row]
    # headings have lost their half-width letters, so the cells are judged apart
    encoding = cells.misread("".join(table.headings)) or cells.misread("".join(texts))
    if encoding:
        place: dict[str, Any] = {"file": table.file, "sheet": table.sheet}
        # from the first line on, as headings that cannot be read are not found either
        report.add(MISREAD[encoding], **place, line=1, value=_first(table), encoding=encoding)
    return bool(encoding)


def _first(table: RawTable) -> str:
    return next((heading for heading in table.headings if heading), "")


def suggest(written: str, choices: Iterable[str]) -> dict[str, Any]:
    """Texts that propose the most similar of some choices, for the details of a problem.

    Examples
    --------
    >>> suggest("松島町３丁", ["松島町３丁目", "塩屋町"])["suggestion_ja"]
    '「松島町３丁目」ではありませんか'
    >>> suggest("x", ["松島町３丁目"])["suggestion_en"]
    'check the spelling'
    """
    best = closest(written, choices)
    if best is None:
        return {"suggestion_ja": "つづりを確かめてください", "suggestion_en": "check the spelling"}
    return {
        "suggestion_ja": f"「{best}」ではありませんか",
        "suggestion_en": f"did you mean {best!r}?",
    }


def closest(written: str, choices: Iterable[str]) -> str | None:
    """The choice that is most similar to what was written, if any is similar.

    Examples
    --------
    >>> closest("世帯數", ["世帯数", "総人口"]), closest("世帯数", [])
    ('世帯数', None)
    """
    plain = {cells.key(choice).casefold(): choice for choice in choices}
    found = difflib.get_close_matches(cells.key(written).casefold(), plain, n=1, cutoff=CLOSE)
    return plain[found[0]] if found else None


def note_missing(
    table: RawTable,
    name: str,
    headings: Mapping[str, str],
    *,
    report: Report,
    code: Literal["FM201", "FM480"] = "FM201",
) -> None:
    """Note that one of our columns is missing, with the heading that may be a slip for it."""
    accepted = [heading for heading, ours in headings.items() if ours == name]
    taken = {cells.key(heading) for heading in headings}
    free = [heading for heading in table.headings if heading and cells.key(heading) not in taken]
    slips = [(heading, closest(heading, free)) for heading in accepted]
    meant, slip = next((pair for pair in slips if pair[1]), (accepted[0], None))
    report.add(
        code,
        file=table.file,
        sheet=table.sheet,
        line=table.heading_line,
        column=accepted[0],
        expected=" / ".join(accepted),
        suggestion_ja=f"見出し「{slip}」を「{meant}」に直してください"
        if slip
        else f"見出しが「{meant}」の列を足してください",
        suggestion_en=f"rename the heading {slip!r} to {meant!r}"
        if slip
        else f"add a column with the heading {meant!r}",
    )
