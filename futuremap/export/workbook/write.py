"""Writing the workbook: every sheet in order, then a look at the file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.exceptions import XlsxWriterException

from futuremap.core.credits import SYNTHETIC, Credit
from futuremap.core.layer import Text
from futuremap.errors import ExportError
from futuremap.export.brief import Brief, Comparison, Overview
from futuremap.export.workbook.numbers import (
    write_areas,
    write_comparison,
    write_facilities,
    write_indicators,
    write_overview,
)
from futuremap.export.workbook.pyramids import write_pyramids
from futuremap.export.workbook.records import write_assumptions, write_credits, write_diagnostics
from futuremap.export.workbook.sheet import BASE_SIZE, FONT, Book, cell_text
from futuremap.export.workbook.summary import chart_people, write_summary

# the same input gives the same bytes: no clock in the file
CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook knows no time zone
COMPARISON = "比較"
OVERVIEW = "まとめ"
COMPARED = Text("比較", "Comparison")
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write_workbook(brief: Brief, path: Path) -> None:
    """Write a run as a workbook with native charts.

    The same brief gives the same bytes.

    Parameters
    ----------
    brief
        What the run says.
    path
        File to write, ending in ``.xlsx``.

    Raises
    ------
    ExportError
        If the file cannot be made or is not whole.
    OSError
        If it cannot be written.
    """
    with _writing(path) as workbook:
        _fill(workbook, brief)


def write_comparisons(
    found: Sequence[tuple[Text, Comparison]],
    path: Path,
    *,
    title: Text,
    credits: Sequence[Credit],  # noqa: A002 - the noun of the field
    overview: Overview | None = None,
) -> None:
    """Write how runs differ as a workbook, a sheet a theme.

    Parameters
    ----------
    found
        Title of each sheet, and both runs.
    path
        File to write, ending in ``.xlsx``.
    title, credits
        What stands over it, and whose data they are.
    overview
        What stands on the first sheet, if several runs are put side by side.

    Raises
    ------
    ExportError
        If the file cannot be made or is not whole.
    OSError
        If it cannot be written.
    """
    with _writing(path) as workbook:
        _set_properties(workbook, title, credits)
        mark = SYNTHETIC[0] if any(credit.synthetic for credit in credits) else ""
        book = Book(workbook, title=title.ja, mark=mark)
        if overview is not None:
            write_overview(book, overview, name=OVERVIEW)
        for number, (heading, one) in enumerate(found, start=1):
            write_comparison(book, one, name=f"{COMPARISON}{number}", heading=heading)
        write_credits(book, credits)


@contextmanager
def _writing(path: Path) -> Iterator[Workbook]:
    """A workbook that is made in memory, written at once and then looked at."""
    made = io.BytesIO()
    # xlsxwriter changes the properties that it is given: a fresh dict each time
    look = {"font_name": FONT, "font_size": BASE_SIZE, "font_scheme": "none"}
    try:
        with Workbook(made, {**OPTIONS, "default_format_properties": look}) as workbook:
            yield workbook
    except XlsxWriterException as error:
        raise ExportError(f"{path}: {error}") from error
    path.write_bytes(made.getvalue())
    _verify(path)


def _fill(workbook: Workbook, brief: Brief) -> None:
    _set_properties(workbook, brief.title, brief.credits)
    workbook.set_size(2400, 1500)
    book = Book(workbook, title=brief.title.ja, mark=brief.mark)
    summary = write_summary(book, brief)
    write_areas(book, brief)
    write_pyramids(book, brief)
    write_facilities(book, brief)
    lines = write_indicators(book, brief)
    if brief.comparison is not None:
        write_comparison(book, brief.comparison, name=COMPARISON, heading=COMPARED)
    write_assumptions(book, brief)
    write_diagnostics(book, brief)
    write_credits(book, brief.credits)
    chart_people(book, summary, lines, brief)


def _set_properties(workbook: Workbook, title: Text, credits: Sequence[Credit]) -> None:  # noqa: A002
    workbook.set_properties(
        {
            "title": cell_text(title.ja),
            "subject": cell_text(title.en),
            "comments": cell_text("\n".join(credit.line() for credit in credits)),
            "author": "futuremap",
            "created": CREATED,
        },
    )


def _verify(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except zipfile.BadZipFile as error:
        raise ExportError(f"{path}: {error}") from error
    if damaged is not None:
        raise ExportError(f"{path}: {damaged} is damaged")
