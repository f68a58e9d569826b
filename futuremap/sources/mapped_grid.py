"""Tables whose headings take one row or several, with merged cells carried along."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Sequence
from itertools import islice, pairwise
from pathlib import Path

from defusedxml import ElementTree

from futuremap.problems import Report
from futuremap.sources import cells, mapped_ages, workbook
from futuremap.sources.columns import note_more_headings
from futuremap.sources.files import HEADING_SEARCH, ZIP, RawTable, Row, _csv_rows, read_bytes
from futuremap.sources.limits import Refused

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
Lines = Sequence[tuple[int, Row]]


def read_grid(
    path: Path,
    *,
    report: Report,
    known: Collection[str] = (),
    header_rows: int = 1,
    header_line: int | None = None,
    sheet: str | None = None,
) -> RawTable | None:
    """Read a CSV or XLSX file as a table whose headings may take several rows.

    Parameters
    ----------
    path
        The file.
    report
        Takes FM101 to FM106, FM203 for rows of a CSV that are too long, FM205 for headings of
        more rows than `header_rows`, FM327 for further sheets.
    known
        Headings that the mapping names. With labels of ages and sexes they decide where the
        headings stand.
    header_rows
        Rows that the headings take. Empty cells above a heading take the sex or the ages to
        their left, as merged cells leave them.
    header_line
        First line of the headings, where it is known.
    sheet
        Sheet of a workbook; the first visible one if None.

    Returns
    -------
    RawTable or None
        The heading of a column is the texts of its rows, from above, with blanks between.
    """
    try:
        body = read_bytes(path)
        if body.startswith(ZIP):
            title, rows = workbook.read_rows(body, sheet=sheet)
            if sheet is None:
                _note_sheets(body, title, path.name, report)
        else:
            title, rows = "", list(_csv_rows(body, suffix=path.suffix.lower()))
        filled = [(line, row) for line, row in rows if any(cells.text(cell) for cell in row)]
        top = _top(filled, known, header_rows, header_line) if filled else 0
        return _grid(filled, path.name, title, top=top, header_rows=header_rows, report=report)
    except Refused as refused:
        refused.note(report, file=path.name)
        return None


def _grid(
    filled: Lines,
    file: str,
    sheet: str,
    *,
    top: int,
    header_rows: int,
    report: Report,
) -> RawTable | None:
    if not filled:
        raise Refused("FM105", sheet=sheet)
    below = top + header_rows
    headings = joined([row for _, row in filled[top:below]])
    rows = [(line, row) for line, row in filled[below:] if not _describes(headings, row)]
    heading_line = filled[min(below, len(filled)) - 1][0]
    if not rows:
        raise Refused("FM482", sheet=sheet, line=heading_line)
    table = RawTable(
        file=file,
        sheet=sheet,
        headings=headings,
        rows=[row for _, row in rows],
        lines=[line for line, _ in rows],
        heading_line=heading_line,
    )
    if note_more_headings(table, report=report):
        return None
    for line, row in rows if not sheet else []:
        surplus = [cells.text(cell) for cell in row[len(headings) :] if cells.text(cell)]
        if surplus:
            width = len(headings)
            report.add(
                "FM203", file=file, line=line, value=surplus[0], expected=width, count=len(row)
            )
    return table


def joined(rows: Sequence[Row]) -> tuple[str, ...]:
    """Headings of columns whose texts stand in several rows, some of them merged.

    Only what says something of sexes or ages reaches over the columns to its right.

    Examples
    --------
    >>> joined([("町名", "男", None, "女", None), (None, "0～4歳", "計", "0～4歳", "計")])
    ('町名', '男 0~4歳', '男 計', '女 0~4歳', '女 計')
    """
    width = max(len(row) for row in rows)
    texts = [[cells.heading(cell) for cell in (*row, *[None] * (width - len(row)))] for row in rows]
    for above, below in pairwise(texts):
        carried = ""
        for column in range(width):
            if above[column]:
                carried = above[column] if mapped_ages.meaning(above[column]) else ""
            elif below[column]:
                above[column] = carried
    parts = (dict.fromkeys(text for text in column if text) for column in zip(*texts, strict=True))
    return tuple(" ".join(part) for part in parts)


def _top(filled: Lines, known: Collection[str], header_rows: int, line: int | None) -> int:
    # where the headings begin: the rows that say most of what the mapping and we know
    if line is not None:
        return next((i for i, (found, _) in enumerate(filled) if found >= line), len(filled) - 1)
    wanted = {cells.key(heading) for heading in known}
    hits = [_hits(row, wanted) for _, row in islice(filled, HEADING_SEARCH)]
    windows = [sum(hits[i : i + header_rows]) for i in range(len(hits))]
    return windows.index(max(windows))


def _hits(row: Row, wanted: set[str]) -> int:
    texts = {cells.key(cell) for cell in row} - {""}
    ages = sum(not text.isdigit() and mapped_ages.meaning(text) is not None for text in texts)
    return ages + 2 * len(texts & wanted)


def _describes(headings: tuple[str, ...], row: Row) -> bool:
    # below #property, rows such as #object_type_xsd describe the columns
    first = cells.text(row[0]) if row else ""
    return headings[0].startswith("#") and first[:1] == "#" and first[1:2].islower()


def note_sheets(path: Path, title: str, *, report: Report) -> None:
    """Note the visible sheets of a workbook beside the one that was read (FM327)."""
    if title:
        _note_sheets(read_bytes(path), title, path.name, report)


def _note_sheets(body: bytes, title: str, file: str, report: Report) -> None:
    # the parts have been weighed when the sheet was read
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            root = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    except (KeyError, ValueError, ElementTree.ParseError):  # ValueError: what it declares
        return  # openpyxl found its sheets elsewhere
    shown = [
        sheet.get("name", "")
        for sheet in root.iter(f"{_MAIN}sheet")
        if sheet.get("state", "visible") == "visible"
    ]
    if len(shown) > 1:
        others = "、".join(name for name in shown if name != title)
        report.add("FM327", file=file, sheet=title, value=title, others=others)
