"""Balloons: what a reader sees after a click on a shape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from futuremap.core.fields import describe
from futuremap.core.layer import Layer
from futuremap.export.kml.words import (
    SYNTHETIC,
    WORDS,
    Cells,
    credit_lines,
    markup,
    notes,
    number_cells,
    text_cells,
)
from futuremap.export.text import html_text

Rows = NDArray[np.intp]


def columns(layer: Layer) -> list[str]:
    """Columns whose numbers a feature carries, in order."""
    return list(dict.fromkeys((*layer.balloon, layer.height, layer.colour)))


def cells(layer: Layer, column: str, rows: Rows) -> Cells:
    """A column of some features, ready to stand in XML."""
    series = layer.features[column].iloc[rows]
    if not is_numeric_dtype(series) or is_bool_dtype(series):
        return text_cells(series)
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    return number_cells(describe(column)[0], values)


def description_template(layer: Layer) -> str:
    """Description of a feature with places for its name, height, colour, class and columns.

    The name stands in it, and not in the style's template, because clients put ``$[name]``
    into HTML as it is, and a name is not ours to trust.
    """
    words = WORDS["ja"]
    height, colour = layer.height_field, layer.colour_field
    head = (
        f"<b>{SYNTHETIC.ja if layer.synthetic else ''}%s</b> {layer.heading()}<br>"
        f"{words.height}{words.colon}{_measure(height.name_ja, height.unit_ja)}<br>"
        f"{words.colour}{words.colon}{_measure(colour.name_ja, colour.unit_ja)}（%s）"
    )
    rows = "".join(
        f'<tr><td>{_percent(column_label(column))}</td><td align="right">%s</td></tr>'
        for column in layer.balloon
    )
    return markup(f"{head}<table>{rows}</table>" if rows else head)


def balloon_text(layer: Layer) -> str:
    """Template of a style's balloon: the description, then notes and credits."""
    words = WORDS["ja"]
    lines = [*notes([layer]), *(f"{words.source}{words.colon}{c}" for c in credit_lines([layer]))]
    small = markup("<br>").join(html_text(line) for line in lines)
    return f"$[description]{markup('<hr><small>')}{small}{markup('</small>')}"


def description_cells(
    layer: Layer,
    names: Sequence[str],
    *,
    classes: Rows,
    people: dict[str, list[str]],
) -> list[list[str]]:
    """What goes into the template's places; `people` are the columns, ready for HTML."""
    labels = [html_text(label) for label, _ in layer.classes.entries()]
    return [
        [html_text(name) for name in names],
        people[layer.height],
        people[layer.colour],
        [labels[i] for i in classes.tolist()],
        *(people[column] for column in layer.balloon),
    ]


def column_label(column: str) -> str:
    """Name, year and unit of a column, as Japanese readers see it."""
    field, year = describe(column)
    return field.label(year=year)


def _measure(name: str, unit: str) -> str:
    return f"{_percent(name)} %s {_percent(unit)}".rstrip()


def _percent(text: str) -> str:
    return text.replace("%", "%%")
