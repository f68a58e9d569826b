"""The report on paper: sections flow over A4 sheets, each with its heading, number and mark."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from futuremap.core.layer import Text
from futuremap.export.kml.legend import font, wrap
from futuremap.export.report.blocks import WIDTH, Block, Drawing, Frame, Grid, Section, Words
from futuremap.export.report.style import ALARM, GROUND, INK, PALE, RULE
from futuremap.export.text import clean

A4 = (210.0, 297.0)  # [mm]
LEFT = (A4[0] - WIDTH) / 2
TOP, BOTTOM = 270.0, 20.0  # of what is printed [mm from below]
MM_PER_INCH, MM_PER_POINT = 25.4, 25.4 / 72
LEADING = 1.5  # line height over type size
GAP = 4.0  # between blocks [mm]
CELL = 7  # type of tables [pt]
PAD = 1.1  # in a cell [mm]


class Paper:
    """Sheets being filled from the top."""

    def __init__(self, pdf: PdfPages, *, running: str, mark: str, pages: int | None) -> None:
        self._pdf = pdf
        self._running = running
        self._mark = mark
        self._pages = pages
        self.count = 0
        self._figure: Figure | None = None
        self._title = Text("", "")
        self._y = TOP

    @property
    def figure(self) -> Figure:
        """The sheet that is being filled."""
        if self._figure is None:
            raise AssertionError("no sheet has been begun")
        return self._figure

    def section(self, section: Section) -> None:
        """Print a section from the top of a new sheet."""
        self._title = section.title
        self._begin(section.title.ja)
        for block in section.blocks:
            self._block(block)

    def end(self) -> None:
        """Finish the last sheet."""
        if self._figure is not None:
            self._pdf.savefig(self._figure)  # type: ignore[no-untyped-call]
            self._figure = None

    def _begin(self, title: str) -> None:
        self.end()
        self._figure = Figure(figsize=(A4[0] / MM_PER_INCH, A4[1] / MM_PER_INCH))
        self.count += 1
        of = "" if self._pages is None else f" / {self._pages}"
        self._text(A4[0] - LEFT, 283, f"{self.count}{of}", 7.5, ink=PALE, side="right")
        start = LEFT
        if self._mark:
            mark = f"［{self._mark}］"
            self._text(LEFT, 283, mark, 9, ink=ALARM)
            start += font(9).getlength(mark) * MM_PER_POINT + 2
        self._text(start, 283, self._running, 7.5, ink=PALE, room=WIDTH - (start - LEFT) - 15)
        self._rule(281.0, 0, WIDTH)
        self._text(LEFT, 274.5, title, 14)
        self._text(LEFT, 270.3, self._title.en, 7.5, ink=PALE)
        self._y = TOP - 3.5

    def _block(self, block: Block) -> None:
        if isinstance(block, Drawing):
            self._drawing(block)
        elif isinstance(block, Grid):
            self._grid(block)
        else:
            self._words(block)
        self._y -= GAP

    def _need(self, height: float) -> None:
        if self._y - height < BOTTOM:
            self._begin(f"{self._title.ja}（続き）")

    def _drawing(self, block: Drawing) -> None:
        self._need(block.height)
        self._y -= block.height
        frame = Frame(
            self.figure, LEFT / A4[0], self._y / A4[1], WIDTH / A4[0], block.height / A4[1]
        )
        block.draw(frame)

    def _words(self, block: Words) -> None:
        step = block.size * MM_PER_POINT * LEADING
        for paragraph in block.lines:
            for line in wrap(paragraph, block.size, width=int(WIDTH / MM_PER_POINT * 0.99)):
                self._need(step)
                self._y -= step
                ink = ALARM if block.alarm else INK
                self._text(LEFT, self._y + step * 0.25, line, block.size, ink=ink)
            self._y -= step * 0.25

    def _grid(self, block: Grid) -> None:
        scale = WIDTH / sum(block.widths)
        edges = [LEFT]
        for width in block.widths:
            edges.append(edges[-1] + width * scale)
        step = CELL * MM_PER_POINT * 1.3
        head = [self._lines(text, b - a) for text, a, b in
                zip(block.headings, edges, edges[1:], strict=False)]  # fmt: skip
        tall = max(len(lines) for lines in head) * step + 2 * PAD
        for number, row in enumerate(block.rows or [[""] * len(block.headings)]):
            cells = [self._lines(text, b - a) for text, a, b in
                     zip(row, edges, edges[1:], strict=False)]  # fmt: skip
            height = max(len(lines) for lines in cells) * step + 2 * PAD
            before = self.count
            self._need(height if number else height + tall)
            if number == 0 or self.count > before:  # the heading again on the next sheet
                self._shade(tall)
                self._row(head, edges, tall, step, texts=block.texts)
            self._row(cells, edges, height, step, texts=block.texts)

    def _row(
        self, cells: Sequence[Sequence[str]], edges: Sequence[float], height: float, step: float,
        *, texts: int,
    ) -> None:  # fmt: skip
        for place, lines in enumerate(cells):
            left = place < texts
            x = edges[place] + PAD if left else edges[place + 1] - PAD
            for n, line in enumerate(lines):
                y = self._y - PAD - (n + 0.8) * step
                self._text(x, y, line, CELL, side="left" if left else "right")
        self._y -= height
        self._rule(self._y, 0, WIDTH)

    def _lines(self, text: str, width: float) -> list[str]:
        room = (width - 2 * PAD) / MM_PER_POINT
        return wrap(text, CELL, width=max(int(room), CELL)) if text else [""]

    def _shade(self, height: float) -> None:
        self.figure.add_artist(
            Rectangle(
                (LEFT / A4[0], (self._y - height) / A4[1]),
                WIDTH / A4[0],
                height / A4[1],
                facecolor=GROUND,
                linewidth=0,
                transform=self.figure.transFigure,
                zorder=0,
            ),
        )

    def _rule(self, y: float, start: float, end: float) -> None:
        self.figure.add_artist(
            Line2D(
                [(LEFT + start) / A4[0], (LEFT + end) / A4[0]],
                [y / A4[1], y / A4[1]],
                color=RULE,
                linewidth=0.5,
            ),
        )

    def _text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        ink: str = INK,
        side: str = "left",
        room: float = WIDTH,
    ) -> None:
        shown = clean(text)
        if side == "left":  # a title that is too long for its line is set smaller
            most = min(room, A4[0] - LEFT - x) / MM_PER_POINT
            wide = font(max(1, ceil(size))).getlength(shown)
            size = size * min(1.0, most / wide) if wide else size
        self.figure.text(x / A4[0], y / A4[1], shown, fontsize=size, color=ink, ha=side,
                         va="baseline", parse_math=False)  # fmt: skip
