"""Names and codes of areas that were spoilt on their way: restored where that can be proved."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from futuremap.sources import cells
from futuremap.sources.columns import Columns

LONGEST_NAME = 200  # characters; Excel cuts a cell at 32,767
_DATE_LIKE = re.compile(
    r"[0-9]{1,2}月[0-9]{1,2}日|[0-9]{1,2}-(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-[0-9]{1,2}"
    r"|[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}(?: 0?0:00:00)?",
    re.IGNORECASE,
)
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]+")
_UNITS = re.compile(r"[(\[]?(?:単位[:は]?)?(?:人|名|世帯|千人|persons?)[)\]]?", re.IGNORECASE)
_NOTE = re.compile(
    r"[(\[【]?注(?:[0-9)\]】:;.]|意|記|釈|\s|$)|※|\(?(?:資料|出典|出所|備考)|\*|・|#"
)
_LOST = re.compile(f"{cells.REPLACEMENT}+")


def is_date_like(raw: object) -> bool:
    """Whether a name became a date, as 1-2 does when a spreadsheet opens it.

    Examples
    --------
    >>> is_date_like("1月2日"), is_date_like("2-Jan"), is_date_like("一番町")
    (True, True, False)
    """
    return isinstance(raw, dt.date) or _is_date_text(cells.text(raw))


@lru_cache(maxsize=4096)
def _is_date_text(text: str) -> bool:
    return bool(_DATE_LIKE.fullmatch(cells.heading(text)))


def is_scientific(raw: object) -> bool:
    """Whether a code was cut to a few digits, as 3.42E+10.

    Examples
    --------
    >>> is_scientific("3.42E+10"), is_scientific("34204001")
    (True, False)
    """
    return isinstance(raw, str) and bool(_SCIENTIFIC.fullmatch(cells.heading(raw)))


def with_lost_zero(code: str, municipality: str) -> str | None:
    """The code with the zero that a spreadsheet took from its front; None if none is missing.

    Examples
    --------
    >>> with_lost_zero("12090010", "01209"), with_lost_zero("372010010", "37201")
    ('012090010', None)
    """
    lost = municipality.startswith("0") and code.isdigit() and not code.startswith(municipality)
    return f"0{code}" if lost and f"0{code}".startswith(municipality) else None


def note_spoilt(columns: Columns, name: str) -> list[int]:
    """Rows whose name is a date (FM217) or far too long (FM326), which are noted."""
    spoilt = []
    for row in range(len(columns)):
        written = columns.text(row, name)
        if is_date_like(columns.raw(row, name)):
            columns.note("FM217", row, name)
        elif len(written) > LONGEST_NAME:
            columns.note("FM326", row, name, count=len(written), expected=LONGEST_NAME)
        else:
            continue
        spoilt.append(row)
    return spoilt


def sound_code(columns: Columns, row: int, name: str, *, municipality: str) -> str:
    """The code in a cell: digits lost are noted (FM218), a lost zero is put back (FM219)."""
    raw = columns.raw(row, name)
    code = cells.heading(raw)
    if is_scientific(raw):
        columns.note("FM218", row, name)
        return ""
    restored_code = with_lost_zero(code, municipality)
    if restored_code is None:
        return code
    columns.note("FM219", row, name, restored=restored_code)
    return restored_code


def is_unit(raw: object) -> bool:
    """Whether a cell holds a unit, such as 人 or (単位：人)."""
    return bool(_UNITS.fullmatch(cells.key(raw)))


def is_note(raw: object) -> bool:
    """Whether a text begins as remarks below a table do.

    Examples
    --------
    >>> is_note("（注）3月末現在"), is_note("注連町"), is_note("※秘匿")
    (True, False, True)
    """
    return bool(_NOTE.match(cells.heading(raw)))


def aside(columns: Columns, row: int, *, name: str, counts: list[str]) -> bool:
    """Whether a row holds no area but a remark or units; noted (FM206, FM208) if so.

    Parameters
    ----------
    columns
        The table.
    row
        Position of the row.
    name
        Our column with the name of the area.
    counts
        Our columns with persons; the row is an area if any of them holds something else.
    """
    filled = [raw for count in counts if cells.text(raw := columns.raw(row, count))]
    if filled and cells.text(filled[0])[0].isdigit():
        return False
    texts = [text for text in map(cells.text, columns.table.rows[row]) if text]
    if filled and all(is_unit(raw) for raw in filled):
        columns.note("FM208", row, "", value=texts[0])
        return True
    lone = len(texts) == 1 and not texts[0].isdigit() and not columns.text(row, name)
    if filled or not (is_note(texts[0]) or lone):
        return False
    columns.note("FM206", row, "", value=texts[0])
    return True


def restored(columns: Columns, names: Mapping[str, str], *, number: str, name: str) -> Columns:
    """The table with garbled names put right by the numbers of their rows.

    A name is taken only where its CP932 bytes, read as UTF-8, leave the very letters that
    are left in the cell.

    Parameters
    ----------
    columns
        The table.
    names
        Number of an area, without leading zeros, to its name in another month.
    number, name
        Our columns with the number and the name; without numbers, rows count from 1.
    """
    if name not in columns.places:
        return columns
    rows, place = list(columns.table.rows), columns.places[name]
    for row in range(len(columns)):
        written = columns.text(row, name)
        if cells.REPLACEMENT not in written:
            continue
        found = names.get(plain_number(columns, row, number))
        if found is None or not _may_become(found, written):
            columns.note("FM322", row, name, expected=found or "?")
            continue
        columns.note("FM321", row, name, restored=found)
        rows[row] = (*rows[row][:place], found, *rows[row][place + 1 :])
    return replace(columns, table=replace(columns.table, rows=rows))


def plain_number(columns: Columns, row: int, number: str) -> str:
    """The number of a row without leading zeros; its position where there are no numbers."""
    if number not in columns.places:
        return str(row + 1)
    return cells.heading(columns.raw(row, number)).lstrip("0")


def _may_become(name: str, garbled: str) -> bool:
    # decoders differ in how many marks they leave for a run of lost bytes
    bytes_of_name = name.encode("cp932", "replace")
    spoilt = bytes_of_name.decode("utf-8", "replace")
    left = (_LOST.sub(cells.REPLACEMENT, text.strip()) for text in (spoilt, garbled))
    return next(left) == next(left)
