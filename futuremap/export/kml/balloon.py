"""Balloons: what a reader sees after a click on a shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from futuremap.core.fields import describe
from futuremap.core.layer import Layer
from futuremap.export.kml.marks import IMPUTED, imputed_cells
from futuremap.export.kml.pyramid import pyramid_cells
from futuremap.export.kml.series import series_cells, series_of
from futuremap.export.kml.words import (
    BOUNDS,
    MISSING,
    SQUARE,
    SYNTHETIC,
    WORDS,
    Cells,
    credit_lines,
    has_interval,
    markup,
    name_of,
    notes,
    number_cells,
    text_cells,
    unit_of,
    year_of,
)
from futuremap.export.text import html_text

Rows = NDArray[np.intp]
CHANGES = {
    "population_change": "population",
    "change_rate": "population",
    "density_change": "density",
    "reach_change": "people_in_reach",
    "reach_change_rate": "people_in_reach",
}  # whose line of a table they stand under
BREAK = "<br>"


class Line(NamedTuple):
    """A line of a balloon's table.

    Parameters
    ----------
    label
        What it says.
    cells
        Columns under each year; those of no year under None.
    kind
        "value", "interval" or "change".
    """

    label: str
    cells: dict[int | None, tuple[str, ...]]
    kind: str = "value"


def columns(layer: Layer) -> list[str]:
    """Columns whose numbers a feature carries, in order."""
    return list(dict.fromkeys((*layer.balloon, layer.height, layer.colour)))


def cells(layer: Layer, column: str, rows: Rows) -> Cells:
    """A column of some features, ready to stand in XML."""
    whole = layer.features[column]
    if whole.dtype == np.float64:  # most are, and pandas' own way to some rows takes its time
        return number_cells(describe(column)[0], whole.to_numpy()[rows])
    series = whole.iloc[rows]
    if not is_numeric_dtype(series) or is_bool_dtype(series):
        return text_cells(series)
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    return number_cells(describe(column)[0], values)


def description_template(layer: Layer, *, lang: str = "ja") -> str:
    """Description of a feature with places for its name, height, colour, class and columns.

    The name stands in it, and not in the style's template, because clients put ``$[name]``
    into HTML as it is, and a name is not ours to trust.
    """
    words, mark = WORDS[lang], SYNTHETIC[0 if lang == "ja" else 1]
    height, colour = (
        _measure(name_of(field, lang), unit_of(field, lang))
        for field in (layer.height_field, layer.colour_field)
    )
    # of a scenario it is its name, which is not ours to trust either
    heading = html_text(layer.heading(lang)).replace("%", "%%")
    name = markup(f"<b>{mark if layer.synthetic else ''}%s</b> ")
    measures = (
        f"<br>{words.height}{words.colon}{height}<br>"
        f"{words.colour}{words.colon}{colour}{words.around[0]}%s"
    )
    table = _table(table_lines(layer, lang), lang)
    return name + heading + markup(measures + table) + "%s" * len(_extras(layer))


def balloon_text(layer: Layer, *, lang: str = "ja") -> str:
    """Template of a style's balloon: the description, then notes and credits."""
    return f"$[description]{balloon_notes(layer, lang=lang)}"


def balloon_notes(layer: Layer, *, lang: str = "ja") -> str:
    """Notes and credits below a balloon, as HTML inside XML."""
    words = WORDS[lang]
    lines = [
        *([words.made_up] if layer.synthetic else []),
        *([words.interval_note] if has_interval(layer) else []),
        *notes([layer], lang),
        *(f"{words.source}{words.colon}{c}" for c in credit_lines([layer], lang)),
    ]
    small = markup(BREAK).join(html_text(line) for line in lines)
    return f"{markup('<hr><small>')}{small}{markup('</small>')}"


def description_cells(
    layer: Layer,
    names: Sequence[str],
    *,
    classes: Rows,
    people: dict[str, list[str]],
    rows: Rows,
    lang: str = "ja",
) -> list[list[str]]:
    """What goes into the template's places.

    Parameters
    ----------
    layer
        The state.
    names
        Name of each feature, ready for HTML.
    classes
        Its colour class.
    people
        The layer's columns, ready for HTML.
    rows
        Places of the features in the layer.
    lang
        "ja" or "en".
    """
    labels = class_labels(layer, lang)
    shown = [
        signed(people[column]) if line.kind == "change" else people[column]
        for line in table_lines(layer, lang)
        for under in line.cells.values()
        for column in under
    ]
    return [
        list(names),
        people[layer.height],
        people[layer.colour],
        [labels[i] for i in classes.tolist()],
        *shown,
        *(extra(rows, lang=lang) for extra in _extras(layer)),
    ]


def class_labels(layer: Layer, lang: str = "ja") -> list[str]:
    """Name of every class with a chip of its colour, as it ends the line of the colour."""
    end = WORDS[lang].around[1]
    return [
        html_text(label + end) + markup(_chip(hue)) for label, hue in layer.classes.entries(lang)
    ]


def table_lines(layer: Layer, lang: str = "ja") -> list[Line]:
    """Lines of a balloon's table: every column of the balloon once, a field in one line.

    Under the numbers of a field stand its interval and its change. What was not counted is said
    in words instead.
    """
    words, found = WORDS[lang], dict[str, Line]()
    listed = [(name, *describe(name)) for name in dict.fromkeys(layer.balloon) if name != IMPUTED]
    fields = {field.name for _, field, _ in listed}
    for column, field, year in listed:
        stem, _, bound = field.name.rpartition("_")
        if bound in BOUNDS and stem in fields:
            label, key, kind = f"　{words.interval}", f"{stem} interval", "interval"
        elif (owner := _owner(field.name)) in fields:
            label, key, kind = f"　{words.change}", f"{owner} change", "change"
        else:
            label, key, kind = field.label(lang), field.name, "value"
        line = found.setdefault(key, Line(label, {}, kind))
        line.cells[year] = (*line.cells.get(year, ()), column)
    owners = list(dict.fromkeys(key.split()[0] for key in found))
    keys = [owner + suffix for owner in owners for suffix in ("", " interval", " change")]
    return [found[key] for key in keys if key in found]


def _owner(change: str) -> str:
    """The field whose change a field is; empty if it is none."""
    stem = change.removesuffix("_rate").removesuffix("_change")
    return CHANGES.get(change, stem if stem != change and "change" in change else "")


def column_label(column: str, *, lang: str = "ja") -> str:
    """Name, year and unit of a column, as a reader sees it."""
    field, year = describe(column)
    return field.label(lang, year=year)


def signed(texts: Sequence[str]) -> list[str]:
    """Numbers as text, those above zero with their sign.

    Examples
    --------
    >>> signed(["1,234.5", "-3.0", "0.0", "—"])
    ['+1,234.5', '-3.0', '0.0', '—']
    """
    return [
        text if text.startswith("-") or not text.strip("0.,") or text == MISSING else f"+{text}"
        for text in texts
    ]


def _table(lines: Sequence[Line], lang: str) -> str:
    if not lines:
        return ""
    years = sorted({year for line in lines if line.kind == "value" for year in line.cells if year})
    heads = [f"{'→ ' if place else ''}{year_of(year, lang)}" for place, year in enumerate(years)]
    head = "".join(f'<td align="right" nowrap><b>{text}</b></td>' for text in heads)
    rows = [_row(line, years, lang) for line in lines]
    if years:  # they stand over the first line that has any
        first = next(place for place, line in enumerate(lines) if set(line.cells) & set(years))
        rows.insert(first, f"<tr><td></td>{head}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _row(line: Line, years: Sequence[int], lang: str) -> str:
    label = f"<tr><td>{_percent(line.label)}</td>"
    if line.kind != "value" or None in line.cells:
        texts = [_whole(line, under, lang) for under in line.cells.values()]
        wide = f' colspan="{len(years)}"' if len(years) > 1 else ""
        fixed = " nowrap" if line.kind != "value" else ""
        return f'{label}<td{wide} align="right"{fixed}>{BREAK.join(texts)}</td></tr>'
    texts = ["%s" if year in line.cells else "" for year in years]
    numbers = "".join(f'<td align="right">{text}</td>' for text in texts)
    return f"{label}{numbers}</tr>"


def _whole(line: Line, under: Sequence[str], lang: str) -> str:
    """Text of a cell as wide as all years: an interval, a change and its rate, or no year's."""
    if line.kind != "change":
        return WORDS[lang].to.join("%s" for _ in under)
    blank = "" if lang == "ja" else " "
    units = [_percent(unit_of(describe(column)[0], lang)) for column in under]
    first, *others = (f"%s{blank if unit else ''}{unit}" for unit in units)
    return f"<b>{first}</b>" + "".join(other.join(WORDS[lang].around) for other in others)


def _extras(layer: Layer) -> list[Callable[..., list[str]]]:
    """What follows the table: words about what was not counted, bars by year, pyramids."""
    found: list[Callable[..., list[str]]] = []
    if IMPUTED in layer.features:
        found.append(partial(imputed_cells, layer))
    series = series_of(layer)
    if series is not None:
        found.append(partial(series_cells, layer, series))
    if layer.pyramids is not None:
        found.append(partial(pyramid_cells, layer.pyramids))
    return found


def _chip(hue: str) -> str:
    # the border shows the palest colours, and the square is left where styles are taken away
    style = f"background:{hue};border:1px solid #757575"
    return f' <font color="{hue}" style="{style}">{SQUARE}</font>'


def _measure(name: str, unit: str) -> str:
    return f"{_percent(name)} %s {_percent(unit)}".rstrip()


def _percent(text: str) -> str:
    return text.replace("%", "%%")
