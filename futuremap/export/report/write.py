"""Writing the report: the same sections on paper and on screen."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages

from futuremap.core.layer import Text
from futuremap.errors import ExportError
from futuremap.export.brief import Brief
from futuremap.export.report.contents import contents
from futuremap.export.report.paper import Paper
from futuremap.export.report.screen import render
from futuremap.export.report.style import drawing
from futuremap.export.text import clean

PDF_START, PDF_END = b"%PDF-", b"%%EOF"


def write_report(brief: Brief, stem: Path) -> tuple[Path, Path]:
    """Write a report as PDF (A4) and as HTML; the same brief gives the same bytes.

    Parameters
    ----------
    brief
        What the run says.
    stem
        Path without ending; ``.pdf`` and ``.html`` are put behind it.

    Returns
    -------
    tuple of Path
        The PDF and the HTML file.

    Raises
    ------
    ExportError
        If the PDF is not whole.
    OSError
        If a file cannot be written.
    """
    pdf, page = (stem.with_name(f"{stem.name}.{ending}") for ending in ("pdf", "html"))
    with drawing():
        sections = contents(brief)
        made = io.BytesIO()
        # no clock in the file
        words = {
            "Title": clean(brief.title.ja),
            "Author": "futuremap",
            "Subject": clean("; ".join(credit.line() for credit in brief.credits)),
            "CreationDate": None,
        }
        with PdfPages(made, metadata=words) as pages:
            paper = Paper(pages, running=_running(brief.title), mark=brief.mark, pages=None)
            for section in sections:
                paper.section(section)
            paper.end()
        text = render(sections, title=brief.title, mark=brief.mark)
    whole = made.getvalue()
    if not (whole.startswith(PDF_START) and whole.rstrip().endswith(PDF_END)):
        raise ExportError(f"{pdf}: the PDF is not whole")
    pdf.write_bytes(whole)
    page.write_text(text, encoding="utf-8", newline="\n")
    return pdf, page


def _running(title: Text) -> str:
    return title.ja if title.ja == title.en else f"{title.ja} / {title.en}"
