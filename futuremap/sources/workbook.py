"""Rows of an XLSX workbook, opened only after its parts have been weighed.

A workbook of 1 MB can hold a text of 1 GB, or a single cell at the far end of the sheet; both
have brought down spreadsheet libraries. Sizes are counted while inflating, because the sizes
that an archive states about itself need not be true.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

import openpyxl

from futuremap.sources.cells import Formula
from futuremap.sources.limits import (
    CHUNK,
    MAX_BYTES,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_ENTRIES,
    MAX_RATIO,
    MAX_ROWS,
    RATIO_FROM,
    Refused,
    too_large,
)

Row = tuple[object, ...]
ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"Rar!", b"\xfd7zXZ")
DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY")
FORMULAS = (b"<f>", b"<f ")
# XML in which these could not be seen; every spreadsheet writes UTF-8
NOT_UTF8 = re.compile(
    rb"(?:\xff\xfe|\xfe\xff|\0|<\0)|\s*<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-?8|us-ascii)",
    re.IGNORECASE,
)

if not openpyxl.DEFUSEDXML:  # without it, entities in a sheet would be expanded
    raise ImportError("openpyxl does not use defusedxml; install defusedxml")


def read_rows(body: bytes, *, sheet: str | None) -> tuple[str, list[tuple[int, Row]]]:
    """Title and rows, with their row numbers, of one sheet of a workbook.

    Parameters
    ----------
    body
        The bytes of the file.
    sheet
        Title of the sheet; the first visible one if None.

    Raises
    ------
    Refused
        If it is no workbook, larger than agreed, or has no such sheet.
    """
    try:
        has_formulas = _weigh(body)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and validations that openpyxl leaves out
            found = _sheet(_open(body, results=True).worksheets, sheet)
            rows = _rows(found)
            if has_formulas:
                formulas = _sheet(_open(body, results=False).worksheets, found.title)
                return found.title, list(_without_results(rows, _rows(formulas)))
            return found.title, list(rows)
    except Refused:
        raise
    except Exception as error:  # whatever a broken workbook sets off inside its parsers
        reason = f"ブックが壊れています / the workbook is broken ({type(error).__name__})"
        raise Refused.format("XLSX", reason, code="FM331") from error


def _open(body: bytes, *, results: bool) -> Any:
    return openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=results)


def _without_results(
    rows: Iterable[tuple[int, Row]],
    formulas: Iterable[tuple[int, Row]],
) -> Iterator[tuple[int, Row]]:
    """Rows whose empty cells say so where a formula stands in them."""
    known = dict(rows)
    for line, written in formulas:
        row = known.get(line, ())
        padded = (*row, *(None for _ in written[len(row) :]))
        yield (
            line,
            tuple(
                _formula(told) if found is None else found
                for found, told in zip(padded, (*written, *padded[len(written) :]), strict=True)
            ),
        )


def _formula(told: object) -> Formula | None:
    text = getattr(told, "text", told)  # an array formula is an object with its text
    return Formula(text) if isinstance(text, str) and text.startswith("=") else None


def _weigh(body: bytes) -> bool:
    """Refuse a workbook that is a trap; whether any of its sheets holds a formula."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            raise too_large("entries")
        if len({entry.filename for entry in entries}) != len(entries):
            reason = "同じ名前の部品が2つあります / two parts have the same name"
            raise Refused.format("XLSX", reason, code="FM334")
        total, has_formulas = 0, False
        for entry in entries:
            if entry.flag_bits & 1:
                reason = "パスワードで保護されています / it is protected by a password"
                raise Refused.format("XLSX", reason, code="FM335")
            if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                reason = (
                    "圧縮の方式が xlsx のものではありません / its compression is not that of xlsx"
                )
                raise Refused.format("XLSX", reason)
            size, holds_formula = _weigh_entry(archive, entry, room=MAX_BYTES - total)
            total += size
            has_formulas |= holds_formula
    return has_formulas


def _weigh_entry(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    *,
    room: int,
) -> tuple[int, bool]:
    """Size of a part, counted while inflating, and whether it holds a formula."""
    size, tail, found = 0, b"", False
    with archive.open(entry) as part:
        while chunk := part.read(CHUNK):
            if not size and chunk.startswith(ARCHIVES):
                reason = "中に別の圧縮ファイルがあります / it holds another archive"
                raise Refused.format("XLSX", reason, code="FM333")
            if not size and b"<" in chunk and NOT_UTF8.match(chunk):
                reason = "XML の文字コードが UTF-8 ではありません / its XML is not in UTF-8"
                raise Refused.format("XLSX", reason, code="FM332")
            size += len(chunk)
            if size > room:
                raise too_large("bytes")
            if size > RATIO_FROM and size > MAX_RATIO * max(entry.compress_size, 1):
                raise too_large("ratio")
            if any(mark in tail + chunk for mark in DECLARATIONS):
                reason = "XML の中に DOCTYPE か ENTITY があります / its XML declares entities"
                raise Refused.format("XLSX", reason, code="FM332")
            found |= any(mark in tail + chunk for mark in FORMULAS)
            tail = chunk[-len(DECLARATIONS[0]) :]
    return size, found


def _sheet(sheets: Iterable[Any], title: str | None) -> Any:
    for sheet in sheets:
        if sheet.title == title or (title is None and sheet.sheet_state == "visible"):
            return sheet
    raise Refused("FM106", sheet=title or "", value=title or "")


def _rows(sheet: Any) -> Iterator[tuple[int, Row]]:
    # the stated extent of a sheet is often wrong; without it the rows are as long as they are
    sheet.reset_dimensions()
    count = 0
    for line, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        if line > MAX_ROWS:
            raise too_large("rows", sheet=sheet.title, line=line)
        if not row:
            continue
        last = max((i for i, cell in enumerate(row) if cell is not None), default=-1)
        count += last + 1
        if last >= MAX_COLUMNS:
            raise too_large("columns", sheet=sheet.title, line=line)
        if count > MAX_CELLS:
            raise too_large("cells", sheet=sheet.title, line=line)
        yield line, row[: last + 1]
