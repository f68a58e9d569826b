"""One page that a mayor can read: what is compared, the numbers side by side, what to open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from futuremap.core.credits import Credit
from futuremap.core.layer import Text
from futuremap.export.chart import NAMESPACE
from futuremap.export.page import PAGE, listed, safe, whole_page

MORE_STYLE = """
.lead { font-size: 1.05rem; } .lead li { margin: .2rem 0; }
.good { color: #1a6b2f; font-weight: bold; } .bad { color: #8c1020; font-weight: bold; }
td.words, th.words { text-align: left; white-space: normal; min-width: 9rem; }
@page { size: A4; margin: 12mm; }
@media print { body { font-size: 8.5pt; line-height: 1.35; } .lead { font-size: 10pt; }
  h1 { font-size: 14pt; margin: 0 0 .3rem; } h2 { font-size: 11pt; margin: .5rem 0 .2rem; }
  td, th { padding: .1rem .3rem; white-space: normal; } .scroll { overflow: visible; }
  .chart svg { max-height: 68mm; width: 100%; }
  .more, .en { break-before: page; } }
"""
SHORT = 3  # letters of a cell that is a mark, not words
GOOD, BAD = "○ ", "× "  # words carry the meaning too: a print may have no colour


@dataclass(frozen=True)
class Grid:
    """Numbers side by side.

    Parameters
    ----------
    title
        What stands over it.
    heads
        Heading of each column, the first of the rows' names.
    rows
        Cells as text; a cell that begins with ○ or × is marked.
    """

    title: Text
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Summary:
    """What the page says.

    Parameters
    ----------
    title
        What it is about.
    lead
        What a reader should know first, a sentence each.
    grids
        Numbers side by side.
    charts
        Charts as SVG.
    files
        What each file is, by its path in the folder.
    notes
        How the numbers were made.
    credits
        Credits of the data.
    appendix
        Long tables that would push the rest off the first page.
    """

    title: Text
    lead: Sequence[Text]
    grids: Sequence[Grid]
    charts: Sequence[str]
    files: Mapping[str, Text]
    notes: Sequence[Text]
    credits: Sequence[Credit]
    appendix: Sequence[Grid] = ()

    @property
    def synthetic(self) -> bool:
        """Whether any of the data is made up."""
        return any(credit.synthetic for credit in self.credits)


def write_summary(folder: Path, summary: Summary) -> Path:
    """Write ``README.html``: one file without script that loads nothing from elsewhere.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    path = folder / PAGE
    path.write_text(render_summary(summary), encoding="utf-8", newline="\n")
    return path


def render_summary(summary: Summary) -> str:
    """The page as HTML."""
    mark = ["<p class='mark'>合成データを含みます / contains synthetic data</p>"]
    files = "".join(
        f'<li><a href="{quote(path)}">{safe(path)}</a>　{safe(about.ja)}</li>'
        for path, about in sorted(summary.files.items())
    )
    parts = [
        f"<h1>{safe(summary.title.ja)}</h1>",
        *(mark if summary.synthetic else []),
        f"<div class='lead'>{listed([_point(line.ja) for line in summary.lead])}</div>",
        *(_grid(grid) for grid in summary.grids),
        *(
            f"<div class='scroll chart'>{svg.replace(NAMESPACE, '', 1)}</div>"
            for svg in summary.charts
        ),
        "<div class='more'><h2>数字の作り方</h2>",
        listed([note.ja for note in summary.notes]),
        "</div>",
        *(_grid(grid) for grid in summary.appendix),
        f"<div class='files'><h2>何を開くか</h2><ul>{files}</ul></div>",
        "<h2>出典</h2>",
        listed([credit.line() for credit in summary.credits]),
        '<div class="en" lang="en"><h2>In English</h2>',
        f"<p><b>{safe(summary.title.en)}</b></p>",
        listed([_point(line.en) for line in summary.lead]),
        listed([grid.title.en for grid in (*summary.grids, *summary.appendix)]),
        listed([note.en for note in summary.notes]),
        listed([credit.line("en") for credit in summary.credits]),
        "</div>",
    ]
    return whole_page(summary.title, parts, more_style=MORE_STYLE)


def _point(line: str) -> str:
    # lists of a terminal have their own marks
    return line.removeprefix("・").removeprefix("- ")


def _grid(grid: Grid) -> str:
    heads = "".join(f"<th scope='col'>{safe(head)}</th>" for head in grid.heads)
    rows = "".join(
        f"<tr><th scope='row' class='words'>{safe(row[0])}</th>"
        f"{''.join(_cell(cell) for cell in row[1:])}</tr>"
        for row in grid.rows
    )
    return (
        f"<h2>{safe(grid.title.ja)}</h2><div class='scroll'><table><thead><tr>{heads}</tr>"
        f"</thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(text: str) -> str:
    kind = {GOOD: " class='good'", BAD: " class='bad'"}.get(text[:2], "")
    figures = any(mark.isdigit() for mark in text[:12]) or len(text) < SHORT
    wide = "" if kind or figures else " class='words'"
    return f"<td{kind or wide}>{safe(text)}</td>"
