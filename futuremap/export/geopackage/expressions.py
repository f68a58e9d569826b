"""QGIS expressions: class, colour and shown value of a feature, from the columns of its table."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from futuremap.core.classes import Classes
from futuremap.core.credits import SYNTHETIC, Credit
from futuremap.core.fields import describe
from futuremap.core.layer import Layer

ESCAPED = "map('&','&amp;','<','&lt;','>','&gt;')"  # what HTML must not take for markup


class Row(NamedTuple):
    """A line of a map tip.

    label
        Name of the number.
    column
        Column of the table.
    decimals
        Decimals of a number; None for text and years.
    is_text, is_year
        What the column holds, if not a number to be rounded.
    """

    label: str
    column: str
    decimals: int | None
    is_text: bool
    is_year: bool

    @classmethod
    def of(cls, name: str, values: pd.Series | int, *, column: str) -> Row:
        """The line of a field, for values like these.

        Parameters
        ----------
        name
            Name of the field, with its year if the label shall have it.
        values
            What the column holds.
        column
            Column of the table.
        """
        entry, year = describe(name)
        text = isinstance(values, pd.Series) and not is_numeric_dtype(values.dtype)
        is_year = entry.unit == "year"
        decimals = None if text or is_year else entry.decimals
        return cls(entry.label(year=year), column, decimals, text, is_year)


def quoted(text: str) -> str:
    """Text as a literal of an expression.

    Examples
    --------
    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def by_class(colour: str, classes: Classes, results: Sequence[str], *, only: str) -> str:
    """The result of a feature's class; no value where the feature is not drawn.

    Parameters
    ----------
    colour, classes
        Column of the colour, and its classes.
    results
        One text a class, the unknown one last.
    only
        Expression that is true for what is drawn; empty if all is.
    """
    column, limits = f'"{colour}"', classes.limits
    cases = [f"WHEN NOT ({only}) THEN NULL"] if only else []
    unknown = quoted(results[-1]) if classes.unknown_ja else "NULL"
    cases.append(f"WHEN {column} IS NULL THEN {unknown}")
    for limit, result in zip(limits, results, strict=False):
        cases.append(f"WHEN {column} < {limit!r} THEN {quoted(result)}")
    return f"CASE {' '.join(cases)} ELSE {quoted(results[len(limits)])} END"


def shown_value(column: str, *, only: str) -> str:
    """The column itself, or no value where the feature is not drawn."""
    return f'CASE WHEN {only} THEN "{column}" END' if only else column


def extrusion(height: str, metres_per_unit: float, *, only: str) -> str:
    """Height of a feature's prism. [m]"""
    metres = f'abs("{height}") * {metres_per_unit!r}'
    return f"CASE WHEN {only} THEN {metres} ELSE 0 END" if only else metres


def diameter(height: str, *, peak: float, sizes: tuple[float, float]) -> str:
    """Diameter of a feature's circle, growing with the root of the height column. [mm]"""
    smallest, span = sizes[0], sizes[1] - sizes[0]
    share = f'sqrt(abs("{height}") / {peak!r})'
    return f"coalesce({smallest!r} + {span!r} * {share}, {smallest!r})"


def map_tip(
    layer: Layer,
    rows: Sequence[Row],
    *,
    heading: str,
    unknown: Mapping[str, str],
) -> str:
    """HTML that QGIS shows over a feature: name, numbers and credits.

    Parameters
    ----------
    layer
        Whose words and credits are shown.
    rows
        The numbers.
    heading
        State and year.
    unknown
        What is said where a column has no value, instead of a dash.
    """
    mark = f"［{SYNTHETIC[0]}］" if layer.synthetic else ""
    first = f"{mark}{layer.place.ja} {layer.title.ja}　{heading}"
    table = "".join(_line(row, unknown.get(row.column, "")) for row in rows)
    return plain_tip(first, table=f"<table>{table}</table>", credits=layer.credits)


def plain_tip(first: str, *, table: str = "", credits: Sequence[Credit]) -> str:  # noqa: A002
    """HTML of a map tip: the name of the feature, a line of words, a table and the credits."""
    sources = "<br>".join(_words(f"出典：{credit.line()}") for credit in credits)
    name = f'[% replace("name", {ESCAPED}) %]'
    return f"<b>{name}</b><br>{_words(first)}{table}<small>{sources}</small>"


def _line(row: Row, unknown: str) -> str:
    if row.is_text:
        value = f'replace("{row.column}", {ESCAPED})'
    elif row.is_year:
        value = f'to_string("{row.column}")'
    else:
        value = f'format_number("{row.column}", {row.decimals})'
    absent = unknown or ("不明" if row.is_year else "―")
    shown = f"[% coalesce({value}, {quoted(absent)}) %]"
    return f'<tr><td>{_words(row.label)}</td><td align="right">{shown}</td></tr>'


def _words(text: str) -> str:
    # "[%" in our own words would be run as an expression
    return html.escape(text).replace("[%", "[&#37;")


def peak(layers: Sequence[Layer]) -> float:
    """Largest height value of all states, so that one circle means one number."""
    values = [layer.features[layer.height].to_numpy(dtype=np.float64) for layer in layers]
    found = [float(np.nanmax(np.abs(v))) for v in values if not np.isnan(v).all()]
    return max(found, default=0.0) or 1.0
