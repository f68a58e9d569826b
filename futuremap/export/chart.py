"""Line charts over years as one SVG text: named at the line, readable in grey and on a phone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from futuremap.core.credits import Credit
from futuremap.core.layer import Text
from futuremap.errors import ExportError
from futuremap.export.kml.legend import font, wrap
from futuremap.export.text import ascii_id, xml_text

NAMESPACE = ' xmlns="http://www.w3.org/2000/svg"'
FONTS = "Hiragino Sans, Yu Gothic UI, Meiryo, Noto Sans CJK JP, sans-serif"
# Okabe and Ito's colours without yellow, which is lost on white
COLOURS = ("#0072b2", "#d55e00", "#000000", "#56b4e9", "#009e73", "#cc79a7", "#e69f00")
# shapes tell lines apart in a grey print: circle, square, triangle, diamond
MARKERS = (
    "m-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0z",
    "m-3.2-3.2h6.4v6.4h-6.4z",
    "m0-4.2l4.2 7.2h-8.4z",
    "m0-4.6l4.6 4.6l-4.6 4.6l-4.6-4.6z",
)
DASHED, AGAIN, BOTH = "7 4", "2 3", "9 3 2 3"
INK, PALE_INK, GRID, AXIS, ALARM = "#1b1b1b", "#444444", "#dcdcdc", "#6b6b6b", "#8c1020"
MARK = "合成データ"
MOST_PANELS = 3
# of one, two or three panels, so that each is about as wide as a phone is [pixels, as below]
PLOT_WIDTHS = (520, 320, 196)
PLOT_HEIGHT = 300
SERIES_ROOM = 30  # of height a line, where there are many
MARGIN, GAP, TOP_ROOM, FOOT_ROOM = 12, 28, 26, 38
LEADER = 22  # from the end of a line to its name
TITLE, HEADING, LABEL, TICK, NOTE = 21, 17, 15, 14, 13
SPACING = 1.35  # of lines of text, in heights of type
YEAR_ROOM = 45  # a year and a blank beside it
TICKS = 7
WHOLE = 1000  # from here on, decimals say nothing


class Series(NamedTuple):
    """One line.

    Parameters
    ----------
    name
        What stands at its end; a name has the same colour in all panels.
    values
        A value a year ``(Y,)`` in the unit that readers see; NaN breaks the line.
    dashed
        Whether the line is dashed.
    """

    name: Text
    values: NDArray[np.float64]
    dashed: bool = False


class Panel(NamedTuple):
    """One diagram.

    Parameters
    ----------
    title
        What is measured.
    unit_ja
        Its unit; empty if it has none.
    series
        The lines.
    """

    title: Text
    unit_ja: str
    series: tuple[Series, ...]

    @property
    def heading(self) -> str:
        """Title and unit."""
        return f"{self.title.ja}（{self.unit_ja}）" if self.unit_ja else self.title.ja


class _Frame(NamedTuple):
    """Where a panel is drawn: all of it from `start` to `end`, its lines from `left` and `top`."""

    panel: Panel
    years: Sequence[int]
    ticks: Sequence[float]
    start: float
    left: float
    end: float
    top: float
    width: float
    height: float

    @property
    def heading(self) -> list[str]:
        return wrap(self.panel.heading, HEADING, width=int(self.end - self.start))

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def x(self, year: float) -> float:
        span = max(self.years[-1] - self.years[0], 1)
        return self.left + (year - self.years[0]) / span * self.width

    def y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.top + (high - value) / (high - low) * self.height


def line_chart(
    panels: Sequence[Panel],
    *,
    years: Sequence[int],
    title: Text,
    notes: Sequence[Text],
    credits: Sequence[Credit] = (),  # noqa: A002 - the word that all exports use
    base_year: int | None = None,
    base_word: str = "基準年",
    synthetic: bool = False,
) -> str:
    """Up to three panels side by side as SVG, without script, style sheet or reference.

    Every axis contains zero, so that a decline looks as large as it is.

    Parameters
    ----------
    panels
        The diagrams.
    years
        Years of all values, ascending ``(Y,)``.
    title
        What stands above.
    notes
        What a reader must know; drawn below.
    credits
        Credits of the data; drawn below the notes.
    base_year
        Year that is marked as the base.
    base_word
        What stands over the mark.
    synthetic
        Whether 合成データ is drawn; it is too where a credit says so.

    Raises
    ------
    ExportError
        If there are no panels or too many, or years and values don't fit.
    """
    _check(panels, years)
    made_up = synthetic or any(credit.synthetic for credit in credits)
    frames, colours = _frames(panels, years), _colours(panels)
    width = frames[-1].end + MARGIN
    head, top = _head(title, width=width, made_up=made_up)
    body = [part for frame in frames for part in _panel(frame, (base_year, base_word), colours)]
    said = [*(note.ja for note in notes), *(f"出典：{credit.line()}" for credit in credits)]
    foot, bottom = _foot(said, top=top + frames[0].bottom + FOOT_ROOM, width=width)
    parts = [*head, f'<g transform="translate(0 {top:.1f})">', *body, "</g>", *foot]
    words = [MARK] * made_up + [_said(panel, years) for panel in panels] + [title.en]
    return _svg(parts, title=title.ja, words=" ".join(words), size=(width, bottom))


def ticks(low: float, high: float) -> list[float]:
    """Rounded places of an axis that reaches from zero or below to zero or above.

    Examples
    --------
    >>> ticks(25_000, 93_000)
    [0.0, 20000.0, 40000.0, 60000.0, 80000.0, 100000.0]
    >>> ticks(-0.3, 0.1)
    [-0.3, -0.2, -0.1, 0.0, 0.1]
    """
    low, high = min(low, 0.0), max(high, 0.0)
    high = high if high > low else 1.0
    wanted = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(wanted))
    step = min(s * power for s in (1, 2, 5, 10) if s * power >= wanted * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{n * step:.12g}") for n in range(first, last + 1)]


def spread(wanted: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Places at least a gap apart and between two ends, as near as can be to those wanted.

    Examples
    --------
    >>> spread([10.0, 12.0, 50.0], gap=10, low=0, high=100)
    [6.0, 16.0, 50.0]
    """
    order = np.argsort(np.asarray(wanted), kind="stable")
    steps = np.arange(len(order)) * gap
    # least squares under "each a gap below the one before" is a monotone regression
    fitted = isotonic_regression(np.asarray(wanted, dtype=np.float64)[order] - steps).x
    places = np.empty(len(order))
    places[order] = np.clip(fitted, low, max(low, high - steps[-1])) + steps
    return [float(place) for place in places]


def _check(panels: Sequence[Panel], years: Sequence[int]) -> None:
    if not 0 < len(panels) <= MOST_PANELS:
        raise ExportError(f"a chart has one to {MOST_PANELS} panels, not {len(panels)}")
    if not years or any(a >= b for a, b in pairwise(years)):
        raise ExportError(f"the years of a chart must ascend: {list(years)}")
    for panel in panels:
        for series in panel.series:
            if series.values.shape != (len(years),):
                shape = series.values.shape
                raise ExportError(f"{series.name.en}: {shape} values for {len(years)} years")


def _range(panel: Panel) -> tuple[float, float]:
    known = [v for series in panel.series for v in series.values.tolist() if math.isfinite(v)]
    return min(known, default=0.0), max(known, default=0.0)


def _measure(text: str, size: int) -> float:
    return float(font(size).getlength(text))


def _frames(panels: Sequence[Panel], years: Sequence[int]) -> list[_Frame]:
    width = PLOT_WIDTHS[len(panels) - 1]
    height = max(PLOT_HEIGHT, *(len(panel.series) * SERIES_ROOM for panel in panels))
    frames, start = [], float(MARGIN)
    for panel in panels:
        axis = ticks(*_range(panel))
        left = start + max(_measure(label, TICK) for label in _tick_labels(axis)) + 10
        names = [_measure(series.name.ja, LABEL) for series in panel.series]
        end = left + width + LEADER + 6 + max(names, default=0.0)
        frames.append(_Frame(panel, years, axis, start, left, end, 0.0, width, height))
        start = end + GAP
    # below the longest heading, so that the axes are in line
    top = max(len(frame.heading) for frame in frames) * HEADING * SPACING + TOP_ROOM
    return [frame._replace(top=top) for frame in frames]


def _tick_labels(axis: Sequence[float]) -> list[str]:
    decimals = max(0, -math.floor(math.log10(axis[1] - axis[0]) + 1e-9))
    return [f"{tick:,.{decimals}f}" for tick in axis]


def _colours(panels: Sequence[Panel]) -> dict[str, int]:
    names = dict.fromkeys(series.name.ja for panel in panels for series in panel.series)
    return {name: number for number, name in enumerate(names)}


def _text(
    text: str,
    size: int,
    *,
    at: tuple[float, float],
    anchor: str = "start",
    ink: str = INK,
    bold: bool = False,
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return (
        f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" font-size="{size}" fill="{ink}"'
        f"{side}{weight}>{xml_text(text)}</text>"
    )


def _lines(lines: Sequence[str], size: int, *, left: float, top: float) -> tuple[list[str], float]:
    """Lines of text, headings bold and notes pale, and where the next one would start."""
    ink, bold, step = PALE_INK if size == NOTE else INK, size >= HEADING, size * SPACING
    drawn = [
        _text(line, size, at=(left, top + size + number * step), ink=ink, bold=bold)
        for number, line in enumerate(lines)
    ]
    return drawn, top + len(lines) * step


def _head(title: Text, *, width: float, made_up: bool) -> tuple[list[str], float]:
    room = _measure(MARK, LABEL) + 22 if made_up else 0.0
    lines = wrap(title.ja, TITLE, width=int(width - 2 * MARGIN - room))
    drawn, end = _lines(lines, TITLE, left=MARGIN + room, top=MARGIN)
    if made_up:
        # at the left, where a phone shows it before anything is moved
        frame = f"M{MARGIN}.0 {MARGIN}.0h{room - 10:.1f}v26.0h{10 - room:.1f}z"
        drawn.append(_path(frame, ALARM, width=2))
        drawn.append(_text(MARK, LABEL, at=(MARGIN + 6, MARGIN + 18.5), ink=ALARM, bold=True))
    return drawn, end + 10


def _foot(said: Sequence[str], *, top: float, width: float) -> tuple[list[str], float]:
    # other machines have other fonts: a little room at the right
    room = int((width - 2 * MARGIN) * 0.97)
    lines = [line for text in said for line in wrap(text, NOTE, width=room)]
    drawn, end = _lines(lines, NOTE, left=MARGIN, top=top)
    return drawn, end + MARGIN


def _panel(frame: _Frame, base: tuple[int | None, str], colours: dict[str, int]) -> list[str]:
    heading, _ = _lines(frame.heading, HEADING, left=frame.start, top=0)
    return [*heading, *_grid(frame, *base), *_curves(frame, colours)]


def _grid(frame: _Frame, base_year: int | None, base_word: str) -> list[str]:
    drawn = []
    for tick, label in zip(frame.ticks, _tick_labels(frame.ticks), strict=True):
        y, hue = frame.y(tick), AXIS if tick == 0 else GRID
        drawn.append(_path(f"M{frame.left:.1f} {y:.1f}H{frame.right:.1f}", hue, width=1))
        drawn.append(_text(label, TICK, at=(frame.left - 8, y + 5), anchor="end"))
    for year in _shown_years(frame, base_year):
        x, bold = frame.x(year), year == base_year
        drawn.append(_path(f"M{x:.1f} {frame.bottom:.1f}v5.0", AXIS, width=1))
        at = (x, frame.bottom + 20)
        drawn.append(_text(str(year), TICK, at=at, anchor="middle", bold=bold))
        if bold:
            line = f"M{x:.1f} {frame.top - 6:.1f}V{frame.bottom:.1f}"
            drawn.append(_path(line, AXIS, width=1.5, dash="3 3"))
            at = (x, frame.top - 10)
            drawn.append(_text(base_word, NOTE, at=at, anchor="middle", ink=PALE_INK))
    return drawn


def _shown_years(frame: _Frame, base_year: int | None) -> list[int]:
    """Years with room for their label: the base and both ends first."""
    base = [year for year in frame.years if year == base_year]
    shown: list[int] = []
    for year in (*base, frame.years[-1], *frame.years):
        near = min((abs(frame.x(year) - frame.x(other)) for other in shown), default=math.inf)
        shown += [year] if near >= YEAR_ROOM else []
    return sorted(shown)


def _curves(frame: _Frame, colours: dict[str, int]) -> list[str]:
    """Lines, their points, and their names at the right."""
    known = [s for s in frame.panel.series if np.isfinite(s.values).any()]
    if not known:
        return []
    ends = [np.flatnonzero(np.isfinite(series.values))[-1] for series in known]
    wanted = [frame.y(float(s.values[end])) for s, end in zip(known, ends, strict=True)]
    places = spread(wanted, gap=LABEL * SPACING, low=frame.top, high=frame.bottom)
    left, curves, names = frame.right + LEADER, [], []
    for series, end, y, place in zip(known, ends, wanted, places, strict=True):
        number = colours[series.name.ja]
        hue, x = COLOURS[number % len(COLOURS)], frame.x(frame.years[end])
        curves += _curve(frame, series, number)
        names.append(_path(f"M{x + 6:.1f} {y:.1f}L{left:.1f} {place:.1f}", hue, width=1))
        names.append(_text(series.name.ja, LABEL, at=(left + 4, place + 5)))
    return [*curves, *names]


def _curve(frame: _Frame, series: Series, number: int) -> list[str]:
    again = number >= len(COLOURS)
    dash = (BOTH if again else DASHED) if series.dashed else AGAIN if again else ""
    hue, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
    line, points, before = "", "", False
    for year, value in zip(frame.years, series.values.tolist(), strict=True):
        if math.isfinite(value):
            place = f"{frame.x(year):.1f} {frame.y(value):.1f}"
            line += f"{'L' if before else 'M'}{place}"
            points += f"M{place}{marker}"
        before = math.isfinite(value)
    return [_path(line, hue, width=2.4, dash=dash), f'<path d="{points}" fill="{hue}"/>']


def _path(line: str, hue: str, *, width: float, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{line}" fill="none" stroke="{hue}" stroke-width="{width}"{dashes}/>'


def _svg(parts: Sequence[str], *, title: str, words: str, size: tuple[float, float]) -> str:
    key = ascii_id(f"chart-{title}-{words}")
    wide, high = (math.ceil(length) for length in size)
    return (
        f'<svg{NAMESPACE} width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" role="img"'
        f' aria-labelledby="{key}" aria-describedby="{key}.d" font-family="{FONTS}">\n'
        f'<title id="{key}">{xml_text(title)}</title>\n'
        f'<desc id="{key}.d">{xml_text(words)}</desc>\n'
        f'<rect width="{wide}" height="{high}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _said(panel: Panel, years: Sequence[int]) -> str:
    """The first and the last number of every line in words, for those who don't see them."""
    found = []
    for series in panel.series:
        known = np.flatnonzero(np.isfinite(series.values))
        shown = [
            f"{years[i]}年 {series.values[i]:,.{0 if abs(series.values[i]) >= WHOLE else 1}f}"
            for i in dict.fromkeys((known[0], known[-1]) if known.size else ())
        ]
        found.append(f"{series.name.ja} {'、'.join(shown) or '―'}")
    return f"{panel.heading}：{'；'.join(found)}。"
