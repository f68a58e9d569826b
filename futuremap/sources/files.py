"""Files as tables of raw cells: CSV in UTF-8 or CP932, XLSX behind guards.

What a file is gets decided by its first bytes, never by its name, and nothing here goes
through GDAL: a ".csv" that is really a virtual raster would make GDAL open addresses.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from futuremap.problems import Report
from futuremap.sources import cells, workbook
from futuremap.sources.encodings import decode
from futuremap.sources.limits import (
    CHUNK,
    MAX_BYTES,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_RATIO,
    RATIO_FROM,
    Refused,
    too_large,
)

Row = tuple[object, ...]
HEADING_SEARCH = 100  # rows above the headings that a title or licence block may take
ZIP, GZIP, OLE2 = b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0"
PACKED = (ZIP, GZIP, b"BZh", b"7z\xbc\xaf", b"Rar!", b"\xfd7zXZ")  # begin other archives
TAR, TAR_AT = b"ustar", 257  # what a tar has, and where
KNOWN_AS = "CSV (UTF-8, CP932), XLSX"


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in a file.

    Parameters
    ----------
    file, sheet
        Where it comes from, for problems; no sheet in a CSV.
    headings
        Texts of the heading row, NFKC-normalised, without blanks around them.
    rows
        Cells of each row that is not blank, as found: text, numbers, dates or None.
    lines
        Line of each row in the file, from 1, as an editor or Excel shows it.
    heading_line
        Line of the headings.
    """

    file: str
    sheet: str
    headings: tuple[str, ...]
    rows: list[Row]
    lines: list[int]
    heading_line: int

    @property
    def first_line(self) -> int:
        """Line of the first row below the headings."""
        return self.lines[0]

    def cell(self, row: int, column: int) -> object:
        """One cell; None where the row is shorter than the headings."""
        cells_of_row = self.rows[row]
        return cells_of_row[column] if column < len(cells_of_row) else None


def read_table(
    path: Path,
    *,
    report: Report,
    sheet: str | None = None,
    known: Collection[str] = (),
) -> RawTable | None:
    """Read a CSV or XLSX file as a table.

    Parameters
    ----------
    path
        The file; a ``.gz`` around a CSV is taken off.
    report
        Takes FM101 to FM106, FM203, FM330 to FM339, FM482, FM563 to FM571 and FM578.
    sheet
        Sheet of a workbook; the first visible one if not given.
    known
        Headings that the reader looks for. The row that holds most of them among the first
        hundred is the heading row; what stands above is a title or licence block. Without
        them it is the first row that is not blank.

    Returns
    -------
    RawTable or None
        None when the file could not be read; the report says why.
    """
    try:
        body = read_bytes(path)
        if body.startswith(ZIP):
            title, rows = workbook.read_rows(body, sheet=sheet)
        else:
            title, rows = "", list(_csv_rows(body, suffix=path.suffix.lower()))
        return _table(rows, path, title, known=known, report=report)
    except Refused as refused:
        refused.note(report, file=path.name)
        return None


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, taken out of a gzip if they are in one.

    Raises
    ------
    Refused
        If there is no such file, it is too large, or the gzip is broken.
    """
    try:
        if not path.is_file():
            raise Refused("FM101")
        if path.stat().st_size > MAX_BYTES:
            raise too_large("bytes")
        body = path.read_bytes()
    except OSError as error:
        raise Refused("FM101", value=error.strerror or "") from error
    return _only_one(_gunzip(body)) if body.startswith(GZIP) else body


def _only_one(body: bytes) -> bytes:
    """What was in a gzip, if it is no archive itself."""
    if body.startswith(PACKED) or body[TAR_AT : TAR_AT + len(TAR)] == TAR:
        reason = "中に別の圧縮ファイルがあります。先に展開してください / it holds another archive"
        raise Refused.format(KNOWN_AS, reason, code="FM333")
    return body


def _gunzip(body: bytes) -> bytes:
    out, size = [], 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            while part := stream.read(CHUNK):
                size += len(part)
                if size > MAX_BYTES:
                    raise too_large("bytes")
                if size > RATIO_FROM and size > MAX_RATIO * len(body):
                    raise too_large("ratio")
                out.append(part)
    except (OSError, EOFError, zlib.error) as error:
        reason = "gzip が壊れているか、途中で切れています / the gzip is broken or cut off"
        raise Refused.format(KNOWN_AS, reason, code="FM330") from error
    return b"".join(out)


def _csv_rows(body: bytes, *, suffix: str) -> Iterator[tuple[int, Row]]:
    if body.startswith(OLE2):
        reason = "古い形式（.xls）か、パスワード付きです / it is an old .xls, or has a password"
        raise Refused.format(KNOWN_AS, reason, code="FM335")
    text = decode(body)
    _refuse_other_formats(text, suffix)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line, count = 1, 0
    try:
        for row in reader:
            count += len(row)
            if len(row) > MAX_COLUMNS:
                raise too_large("columns", line=line)
            if count > MAX_CELLS:
                raise too_large("cells", line=line)
            yield line, tuple(cell or None for cell in row)
            line = reader.line_num + 1
    except csv.Error as error:
        reason = f"引用符や欄の区切りが正しくありません / quotes or commas are wrong ({error})"
        raise Refused.format("CSV", reason, line=line, code="FM339") from error


def _refuse_other_formats(text: str, suffix: str) -> None:
    first = text.lstrip().partition("\n")[0]
    if "," not in first and ("\t" in first or ";" in first):
        reason = "欄の区切りがコンマではありません / cells are not separated by commas"
        raise Refused.format("CSV", reason, line=1, code="FM338")
    if text.lstrip()[:1] == "<":
        reason = "中身が表ではなく HTML か XML です / it holds HTML or XML, not a table"
        raise Refused.format(KNOWN_AS, reason, code="FM336")
    if text and suffix in {".xlsx", ".xlsm", ".xls"}:
        reason = "Excel ブック（xlsx）ではありません / it is not an Excel workbook (xlsx)"
        raise Refused.format("XLSX", reason, code="FM337")


def _table(
    rows: list[tuple[int, Row]],
    path: Path,
    sheet: str,
    *,
    known: Collection[str],
    report: Report,
) -> RawTable:
    filled = [(line, row) for line, row in rows if any(cells.text(cell) for cell in row)]
    if not filled:
        raise Refused("FM105", sheet=sheet)
    top = _heading_row(filled, known)
    headings = tuple(cells.heading(cell) for cell in filled[top][1])
    body = [(line, row) for line, row in filled[top + 1 :] if not _is_remark(headings, row)]
    if not body:
        raise Refused("FM482", sheet=sheet, line=filled[top][0])
    table = RawTable(
        file=path.name,
        sheet=sheet,
        headings=headings,
        rows=[row for _, row in body],
        lines=[line for line, _ in body],
        heading_line=filled[top][0],
    )
    if not sheet:  # cells of a workbook stand under their column whatever happens
        _note_overlong(table, report)
    return table


def _heading_row(rows: Iterable[tuple[int, Row]], known: Collection[str]) -> int:
    wanted = {cells.key(heading) for heading in known}
    hits = [
        len({cells.key(cell) for cell in row} & wanted) for _, row in islice(rows, HEADING_SEARCH)
    ]
    return hits.index(max(hits))


def _is_remark(headings: tuple[str, ...], row: Row) -> bool:
    # in tables that begin with #property, rows such as #object_type_xsd describe the columns
    first = cells.text(row[0])
    return headings[0].startswith("#") and first[:1] == "#" and first[1:2].islower()


def _note_overlong(table: RawTable, report: Report) -> None:
    width = len(table.headings)
    for line, row in zip(table.lines, table.rows, strict=True):
        surplus = [cells.text(cell) for cell in row[width:] if cells.text(cell)]
        if surplus:
            report.add(
                "FM203",
                file=table.file,
                line=line,
                value=surplus[0],
                expected=width,
                count=len(row),
            )
