"""What a report is made of, on paper or on screen: words, tables and figures under a heading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from futuremap.core.layer import Text

WIDTH = 180.0  # of what is printed on A4 [mm]


class Frame(NamedTuple):
    """A rectangle of a figure, in shares of the whole, from the lower left corner.

    figure
        The figure.
    left, bottom, width, height
        Where it lies.
    """

    figure: Figure
    left: float = 0.0
    bottom: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Axes in a part of the frame, in shares of the frame."""
        return self.figure.add_axes(
            (
                self.left + left * self.width,
                self.bottom + bottom * self.height,
                width * self.width,
                height * self.height,
            ),
        )


class Words(NamedTuple):
    """Paragraphs, one an entry.

    lines
        The paragraphs.
    size
        Of the type. [pt]
    alarm
        Whether it must not be overlooked.
    """

    lines: Sequence[str]
    size: int = 9
    alarm: bool = False


class Grid(NamedTuple):
    """A table.

    headings, rows
        What stands in it; as many cells a row as headings.
    widths
        Width of each column, in any unit.
    texts
        Count of columns at the left that hold words; the others hold numbers.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]
    texts: int = 1


class Drawing(NamedTuple):
    """A figure over the whole width.

    draw
        Draws it into a frame.
    height
        Its height. [mm]
    said
        What it shows, for those who don't see it.
    """

    draw: Callable[[Frame], None]
    height: float
    said: str


Block = Words | Grid | Drawing


class Section(NamedTuple):
    """A page, or more of them where one does not hold it.

    title
        Heading.
    blocks
        What stands below it.
    """

    title: Text
    blocks: Sequence[Block]
