"""QGIS expressions: class, colour and shown value of a feature, from the columns of its table."""

from __future__ import annotations

import html

import numpy as np
from pandas.api.types import is_numeric_dtype

from futuremap.core.fields import describe
from futuremap.core.layer import Layer

ESCAPED = "map('&','&amp;','<','&lt;','>','&gt;')"  # what HTML must not take for markup


def quoted(text: str) -> str:
    """Text as a literal of an expression.

    Examples
    --------
    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def by_class(layer: Layer, results: list[str], *, mark: str) -> str:
    """The result of a feature's class; no value where the layer does not draw the feature.

    Parameters
    ----------
    layer
        Layer with the classes.
    results
        One text a class, the unknown one last.
    mark
        Column that says what is drawn; empty if all is.
    """
    column, limits = f'"{layer.colour}"', layer.classes.limits
    cases = [f'WHEN "{mark}" = 0 THEN NULL'] if mark else []
    unknown = quoted(results[-1]) if layer.classes.unknown_ja else "NULL"
    cases.append(f"WHEN {column} IS NULL THEN {unknown}")
    for limit, result in zip(limits, results, strict=False):
        cases.append(f"WHEN {column} < {limit!r} THEN {quoted(result)}")
    return f"CASE {' '.join(cases)} ELSE {quoted(results[len(limits)])} END"


def shown_value(column: str, *, mark: str) -> str:
    """The column itself, or no value where the layer does not draw the feature."""
    return f'CASE WHEN "{mark}" = 1 THEN "{column}" END' if mark else column


def extrusion(layer: Layer, *, mark: str) -> str:
    """Height of a feature's prism. [m]"""
    metres = f'abs("{layer.height}") * {layer.metres_per_unit!r}'
    return f'CASE WHEN "{mark}" = 1 THEN {metres} ELSE 0 END' if mark else metres


def diameter(layer: Layer, *, peak: float, sizes: tuple[float, float]) -> str:
    """Diameter of a feature's circle, growing with the root of the height column. [mm]"""
    smallest, span = sizes[0], sizes[1] - sizes[0]
    share = f'sqrt(abs("{layer.height}") / {peak!r})'
    return f"coalesce({smallest!r} + {span!r} * {share}, {smallest!r})"


def map_tip(layer: Layer) -> str:
    """HTML that QGIS shows over a feature: name, numbers and credits."""
    rows = "".join(_row(layer, column) for column in layer.balloon)
    mark = "［合成データ］" if layer.synthetic else ""
    sources = "<br>".join(_words(f"出典：{credit.line()}") for credit in layer.credits)
    name = f'[% replace("name", {ESCAPED}) %]'
    heading = _words(f"{mark}{layer.place.ja} {layer.title.ja}　{layer.heading()}")
    return f"<b>{name}</b><br>{heading}<table>{rows}</table><small>{sources}</small>"


def _row(layer: Layer, column: str) -> str:
    entry, year = describe(column)
    if not is_numeric_dtype(layer.features[column].dtype):
        value = f'replace("{column}", {ESCAPED})'
    elif entry.unit == "year":
        value = f'to_string("{column}")'
    else:
        value = f'format_number("{column}", {entry.decimals})'
    absent = layer.classes.unknown_ja if column == layer.colour else ""
    absent = absent or ("不明" if entry.unit == "year" else "―")
    shown = f"[% coalesce({value}, {quoted(absent)}) %]"
    return f'<tr><td>{_words(entry.label(year=year))}</td><td align="right">{shown}</td></tr>'


def _words(text: str) -> str:
    # "[%" in our own words would be run as an expression
    return html.escape(text).replace("[%", "[&#37;")


def peak(layers: tuple[Layer, ...]) -> float:
    """Largest height value of all states, so that one circle means one number."""
    values = [layer.features[layer.height].to_numpy(dtype=np.float64) for layer in layers]
    found = [float(np.nanmax(np.abs(v))) for v in values if not np.isnan(v).all()]
    return max(found, default=0.0) or 1.0
