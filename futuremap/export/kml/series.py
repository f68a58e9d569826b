"""Bars by year: how the leading number of a shape goes on, as plain HTML of a balloon."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.fields import Field, column, describe
from futuremap.core.layer import Layer
from futuremap.export.kml.words import (
    WORDS,
    Words,
    interval_columns,
    markup,
    name_of,
    number_cells,
    unit_of,
)

Rows = NDArray[np.intp]
LEAST_YEARS = 3  # two years stand side by side in the balloon's table already
BAR_WIDTH, BAR_HEIGHT = 120, 8  # [pixels]
TIGHT = 'style="font-size:4px"'  # of cells with bars, so that a bar needs no style of its own
BAR, PALE_BAR, RANGE = "#455a64", "#b0bec5", "#c62828"
FULL = 100.0  # widths are percents of the cell


class Series(NamedTuple):
    """A number of every shape in several years.

    Parameters
    ----------
    field
        What the number is.
    years
        Ascending.
    """

    field: Field
    years: tuple[int, ...]


def series_of(layer: Layer) -> Series | None:
    """The first number in the balloon that is known in three years or more, if any is.

    Changes are left out, since a bar has no sign.
    """
    known: dict[str, list[int]] = {}
    # pandas' own way to leave out a label takes longer than all the rest
    for name in (name for name in layer.features.columns.tolist() if name != "geometry"):
        found, year = describe(name)
        if year is not None:
            known.setdefault(found.name, []).append(year)
    for name in layer.balloon:
        found, year = describe(name)
        years = known.get(found.name, [])
        if year is not None and len(years) >= LEAST_YEARS and "change" not in found.name:
            return Series(found, tuple(sorted(years)))
    return None


def series_cells(layer: Layer, series: Series, rows: Rows, *, lang: str = "ja") -> list[str]:
    """Bars of some shapes, as HTML inside XML; the state's own years are darker.

    Every shape has a scale of its own: its longest bar or interval fills the cell. Under the
    bar of a year that has an interval, a line runs from its lower to its upper end.

    Parameters
    ----------
    layer
        The state.
    series
        What `series_of` found.
    rows
        The shapes ``(F,)``.
    lang
        "ja" or "en".
    """
    columns = [column(series.field.name, year) for year in series.years]
    bounds = [interval_columns(layer, series.field.name, year) for year in series.years]
    ends = [end for pair in bounds if pair for end in pair]
    numbers = {name: _values(layer, name, rows) for name in (*columns, *ends)}
    peak = np.fmax.reduce(list(numbers.values()))
    widths = {name: percents(values, peak) for name, values in numbers.items()}
    texts = {name: number_cells(series.field, values).people for name, values in numbers.items()}
    places: list[list[str] | list[int]] = []
    for name, pair in zip(columns, bounds, strict=True):
        places.append(widths[name].tolist())
        if pair:
            low, high = (widths[end] for end in pair)
            places += [low.tolist(), (high - low).tolist()]
        places.append(texts[name])
        if pair:
            places += [texts[end] for end in pair]
    block = _block(layer, series, [pair is not None for pair in bounds], lang=lang)
    return [block % row for row in zip(*places, strict=True)]


def percents(values: NDArray[np.float64], peak: NDArray[np.float64]) -> NDArray[np.intp]:
    """Width of bars as whole percents of a cell; none where the value is not known.

    Examples
    --------
    >>> percents(np.array([25.0, np.nan, 0.0]), np.array([100.0, 100.0, 0.0])).tolist()
    [25, 0, 0]
    """
    known = np.isfinite(values) & (peak > 0)
    shares = np.divide(values, peak, out=np.zeros(np.shape(values)), where=known)
    return np.rint(FULL * shares).astype(np.intp)


def bar(colour: str, *, side: str = "left") -> str:
    """A bar whose width is the template's next place; it stays where styles are taken away.

    The space around it is half the size of the letters of its cell: see `TIGHT`.

    Parameters
    ----------
    colour
        ``#rrggbb``.
    side
        Where it starts: "left" or "right".
    """
    return f'<hr size="{BAR_HEIGHT}" color="{colour}" align="{side}" width="%d%%">'


def _values(layer: Layer, name: str, rows: Rows) -> NDArray[np.float64]:
    return np.asarray(layer.features[name].iloc[rows].to_numpy(dtype=np.float64, na_value=np.nan))


def _block(layer: Layer, series: Series, intervals: list[bool], *, lang: str) -> str:
    words = WORDS[lang]
    own = {layer.year, layer.base_year} if layer.state == "change" else {layer.year}
    unit = unit_of(series.field, lang)
    title = words.course % name_of(series.field, lang) + (unit.join(words.around) if unit else "")
    lines = "".join(
        _line(year, BAR if year in own else PALE_BAR, words if interval else None)
        for year, interval in zip(series.years, intervals, strict=True)
    )
    head = f"<b>{title.replace('%', '%%')}</b>"
    return markup(f'{head}<table cellspacing="2" cellpadding="0">{lines}</table>')


def _line(year: int, colour: str, words: Words | None) -> str:
    first = f'<tr><td>{year}</td><td width="{BAR_WIDTH}" {TIGHT}>{bar(colour)}'
    value = '</td><td align="right" nowrap>&nbsp;%s</td>'
    if words is None:
        return f"{first}{value}</tr>"
    reach = (
        '<table width="100%%" cellspacing="0" cellpadding="0"><tr><td width="%d%%"></td>'
        f'<td width="%d%%" height="2" bgcolor="{RANGE}"></td><td></td></tr></table>'
    )
    ends = words.to.join(("%s", "%s")).join(words.around)
    return f"{first}{reach}{value}<td nowrap><small>{ends}</small></td></tr>"
