"""Sheets: tables with frozen headings, filters, number formats and a page set-up for A4 paper.

Everything is written by its type, so that no text becomes a formula, a link or a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, isfinite
from typing import Any, NamedTuple
from unicodedata import east_asian_width

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from futuremap.core.fields import Field, describe
from futuremap.core.layer import Text
from futuremap.export.text import clean

A4 = 9  # of Excel's papers
CELL_LIMIT = 32_767  # UTF-16 units that a cell holds
HEADER_LIMIT = 120  # characters of a title in a page header, which holds 255 in all
RICH = ("<r>", "</r>")  # what xlsxwriter takes for its own markup and would not escape
TEXT_FORMAT = "@"
FONT = "Yu Gothic"
HEAD_COLOUR, RULE_COLOUR, PALE = "#eef1f6", "#bbbbbb", "#444444"
CELL_SIZE = 10  # points of the type of tables
BASE_SIZE = 11  # points of the type in which widths are counted
LINE_PIXELS = 1.7  # height of a line, per point of its type
ROOM = 0.95  # of a width; fonts differ
PAGE_WIDTH = 190.0  # characters across a page of A4 that can still be read


class Column(NamedTuple):
    """A column of a table.

    heading
        What stands over it.
    values
        One a row; None, NaN and "" are empty cells.
    number_format
        Format of numbers, or one a row; `TEXT_FORMAT` for words.
    width
        In characters.
    wrapped
        Whether long words take several lines.
    """

    heading: Text
    values: Sequence[object] | NDArray[Any] | pd.Series
    number_format: str | Sequence[str] = TEXT_FORMAT
    width: float = 11.0
    wrapped: bool = False


def cell_text(value: object) -> str:
    r"""Words as a cell holds them: without control characters, and never longer than it can be.

    Examples
    --------
    >>> cell_text("a\x0bb"), cell_text("<r>x</r>")
    ('a\ufffdb', '<r>x</r> ')
    """
    text = clean(str(value))
    if text.startswith(RICH[0]) and text.endswith(RICH[1]):
        text += " "  # else it would be written as markup
    if len(text) * 2 > CELL_LIMIT:  # a character has at most two units
        units = text.encode("utf-16-le")
        if len(units) // 2 > CELL_LIMIT:
            text = units[: 2 * (CELL_LIMIT - 1)].decode("utf-16-le", "ignore") + "…"
    return text


def text_width(text: str) -> int:
    """Width of words in characters; those of Japanese are twice as wide.

    Examples
    --------
    >>> text_width("人口 2053")
    9
    """
    return sum(2 if east_asian_width(character) in "WFA" else 1 for character in text)


def number_format(decimals: int) -> str:
    """Format of numbers with some decimals.

    Examples
    --------
    >>> number_format(0), number_format(2)
    ('#,##0', '#,##0.00')
    """
    return "#,##0" + (f".{'0' * decimals}" if decimals else "")


def field_column(name: str, values: Sequence[object] | NDArray[Any] | pd.Series) -> Column:
    """A column of a field, or of a field in a year; values in the unit that readers see."""
    entry, year = describe(name)
    return Column(
        Text(entry.label(year=year), entry.label("en", year=year)), values, format_of(entry)
    )


def format_of(entry: Field) -> str:
    """Number format of a field: years without a thousands separator, words as text."""
    if entry.unit == "year":
        return "0"
    if not entry.unit and not entry.decimals and entry.name not in {"capacity", "in_service"}:
        return TEXT_FORMAT
    return number_format(entry.decimals)


class Book:
    """A workbook being written, and its formats."""

    def __init__(self, workbook: Workbook, *, title: str, mark: str) -> None:
        self.workbook = workbook
        self.title = title
        self.mark = mark
        self._formats: dict[tuple[tuple[str, Any], ...], Format] = {}

    def format(self, **properties: Any) -> Format:
        """A format; the same properties give the same one."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.workbook.add_format(
                {"valign": "vcenter", "font_size": BASE_SIZE, **properties, "font_name": FONT}
            )
        return self._formats[key]

    def sheet(self, name: str, *, landscape: bool = True) -> Sheet:
        """A new sheet."""
        sheet = Sheet(self, self.workbook.add_worksheet(name))
        sheet.set_up_page(landscape=landscape)
        return sheet


class Sheet:
    """A sheet that is filled from the top."""

    def __init__(self, book: Book, worksheet: Worksheet) -> None:
        self.book = book
        self.worksheet = worksheet
        self.row = 0
        self._widths: list[float] = []

    def set_up_page(self, *, landscape: bool) -> None:
        """A4, as many pages down as are needed, one across; title and page on each."""
        page = self.worksheet
        page.set_paper(A4)
        if landscape:
            page.set_landscape()
        page.set_margins(left=0.4, right=0.4, top=0.75, bottom=0.6)
        page.fit_to_pages(1, 0)
        title = clean(self.book.title)[:HEADER_LIMIT].replace("&", "&&")
        mark = f"［{self.book.mark}］" if self.book.mark else ""
        page.set_header(f"&L{mark}{title}&R&A")
        page.set_footer("&C&P / &N")
        page.hide_gridlines(1)

    def words(self, text: str, *, bold: bool = False, size: float = 11, colour: str = "") -> None:
        """Words over the whole width of the sheet; long ones take several lines."""
        properties: dict[str, Any] = {"font_size": size}
        if bold:
            properties["bold"] = True
        if colour:
            properties["font_color"] = colour
        said = cell_text(text)
        room = sum(self._widths) * BASE_SIZE / size * ROOM
        if not self._widths or text_width(said) <= room:
            self.worksheet.write_string(self.row, 0, said, self.book.format(**properties))
        else:
            look = self.book.format(**properties, text_wrap=True)
            span = (self.row, 0, self.row, len(self._widths) - 1)
            # a merged cell is filled by type afterwards, so that nothing is guessed from the text
            self.worksheet.merge_range(*span, "", look)
            self.worksheet.write_string(self.row, 0, said, look)
            lines = ceil(text_width(said) / room)
            self.worksheet.set_row_pixels(self.row, round(lines * size * LINE_PIXELS) + 4)
        self.row += 1

    def heading(self, text: Text) -> None:
        """A heading in both languages."""
        self.words(f"{text.ja} / {text.en}", bold=True, size=13)

    def skip(self, rows: int = 1) -> None:
        """Leave rows empty."""
        self.row += rows

    def widths(self, widths: Iterable[float]) -> None:
        """Set the widths of the first columns. [characters]"""
        self._widths = list(widths)
        for i, width in enumerate(self._widths):
            self.worksheet.set_column(i, i, width)

    def table(
        self, columns: Sequence[Column], *, main: bool = False, frozen: int = 0
    ) -> tuple[int, int]:
        """Write a table.

        Parameters
        ----------
        columns
            Its columns, of one length.
        main
            Whether it is what the sheet is for: its headings stay in sight and are printed on
            every page, and rows can be filtered.
        frozen
            Count of columns at the left that stay in sight too.

        Returns
        -------
        tuple of int
            Its first and its last row of numbers; the same row where it has none.
        """
        head, sheet = self.row, self.worksheet
        look = self.book.format(
            bold=True, bg_color=HEAD_COLOUR, border=1, border_color=RULE_COLOUR, text_wrap=True,
            align="center", font_size=CELL_SIZE,
        )  # fmt: skip
        tallest = 1
        for place, column in enumerate(columns):
            said = [part for part in dict.fromkeys(column.heading) if part]
            tallest = max(
                tallest, sum(ceil(text_width(p) / self._room(place, column)) for p in said)
            )
            sheet.write_string(head, place, cell_text("\n".join(said)), look)
            self._cells(head + 1, place, column)
            if main:
                sheet.set_column(place, place, column.width)
        sheet.set_row_pixels(head, round(tallest * CELL_SIZE * LINE_PIXELS) + 6)
        rows = len(columns[0].values)
        self._heights(head + 1, columns)
        last = head + max(rows, 1)
        if main:
            sheet.freeze_panes(head + 1, frozen)
            sheet.autofilter(head, 0, last, len(columns) - 1)
            sheet.repeat_rows(head)
            across = ceil(sum(column.width for column in columns) / PAGE_WIDTH)
            sheet.fit_to_pages(across, 0)
            if frozen:
                sheet.repeat_columns(0, frozen - 1)
        self.row = last + 1
        return head + 1, last

    def _room(self, place: int, column: Column) -> float:
        width = self._widths[place] if place < len(self._widths) else column.width
        return width * ROOM

    def _heights(self, row: int, columns: Sequence[Column]) -> None:
        # not every program finds the height of wrapped cells by itself
        lines = np.ones(len(columns[0].values))
        for place, column in enumerate(columns):
            if column.wrapped:
                room = self._room(place, column)
                widths = [0 if _is_unknown(v) else text_width(cell_text(v)) for v in column.values]
                lines = np.maximum(lines, np.ceil(np.asarray(widths) / room))
        for i in np.flatnonzero(lines > 1):
            self.worksheet.set_row_pixels(row + i, round(lines[i] * CELL_SIZE * LINE_PIXELS) + 2)

    def _cells(self, row: int, place: int, column: Column) -> None:
        values = column.values
        if column.number_format == TEXT_FORMAT:
            wrap = {"text_wrap": True} if column.wrapped else {}
            look = self.book.format(font_size=CELL_SIZE, num_format=TEXT_FORMAT, **wrap)
            for i, value in enumerate(values):
                if not _is_unknown(value):
                    self.worksheet.write_string(row + i, place, cell_text(value), look)
            return
        given = column.number_format
        formats = [given] * len(values) if isinstance(given, str) else given
        looks = [self.book.format(font_size=CELL_SIZE, num_format=one) for one in formats]
        numbers = np.asarray(pd.to_numeric(pd.Series(values)), dtype=np.float64)
        for i, (number, look) in enumerate(zip(numbers.tolist(), looks, strict=True)):
            if isfinite(number):
                self.worksheet.write_number(row + i, place, number, look)


def _is_unknown(value: object) -> bool:
    return value is None or value == "" or bool(pd.isna(value))
