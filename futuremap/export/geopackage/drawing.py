"""Drawings: how the features of a table look in one state, whatever its columns are called."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from futuremap.core.classes import Classes
from futuremap.core.fields import describe
from futuremap.core.layer import Layer, State
from futuremap.export.geopackage import expressions
from futuremap.export.geopackage.expressions import Row

Shape = Literal["area", "circle", "ring", "outline"]
YEARS_STYLE = "各年"
OUTLINE_STYLE = "境界"
CIRCLES_MM = (1.5, 7.0)  # smallest and largest diameter
MANY = 100  # circles; more are drawn smaller, so that the map below stays in sight
SMALLEST_MM = (1.0, 3.0)
AREA_LINE_MM, MESH_LINE_MM = 0.15, 0.05
SHOWN = "shown"  # column of a table by year that says what is drawn


@dataclass(frozen=True)
class Drawing:
    """What a style says of a table.

    Parameters
    ----------
    style
        Name under which QGIS lists the style, at most 30 characters.
    heading
        State and year as a reader sees them.
    state
        State of a theme; "years" for all its years one after the other, "" for what has none.
    shape
        How a feature is drawn: filled, as a circle that grows with the height column, as a
        ring in the colour of its class, or as a plain outline.
    tip
        HTML that QGIS shows over a feature.
    only
        Expression that is true for features that are drawn; empty if all are.
    height, colour
        Columns of the height and of the colour; empty for a plain outline.
    height_label, colour_label
        Names of the height and the colour for a legend.
    classes
        Classes of the colour column.
    metres_per_unit
        Height of one unit, the same as in every other client. [m]
    peak
        Largest height value of all states, so that one circle means one number everywhere.
    span
        Smallest and largest value of the colour column.
    sizes
        Diameter of the smallest and the largest circle. [mm]
    line
        Width of the line around an area. [mm]
    named
        Whether names are drawn at every scale.
    notes
        What a reader of the map must know, in Japanese.
    """

    style: str
    heading: str
    state: State | Literal["years", ""]
    shape: Shape
    tip: str
    only: str = ""
    height: str = ""
    colour: str = ""
    height_label: str = ""
    colour_label: str = ""
    classes: Classes | None = None
    metres_per_unit: float = 1.0
    peak: float = 1.0
    span: tuple[float, float] = (0.0, 0.0)
    sizes: tuple[float, float] = CIRCLES_MM
    line: float = AREA_LINE_MM
    named: bool = False
    notes: tuple[str, ...] = ()


class _Which(NamedTuple):
    # what tells one drawing of a layer from another
    style: str
    heading: str
    state: State | Literal["years"]
    only: str


def mark_column(layer: Layer) -> str:
    """Column that says whether a layer draws a feature."""
    return f"shown_{layer.state}_{layer.year}"


def style_name(layer: Layer) -> str:
    """Name under which QGIS lists the style of a state, at most 30 characters.

    The words of :meth:`Layer.heading` without brackets and arrows, which stand badly in menus.
    """
    name = {"now": "現況", "future": "将来", "change": f"増減{layer.base_year}-"}[layer.state]
    return f"{name}{layer.year}"


def state_drawing(layer: Layer, layers: Sequence[Layer], *, marked: bool) -> Drawing:
    """One state of a theme.

    Parameters
    ----------
    layer, layers
        The state, and all states of its theme.
    marked
        Whether the table has a column that says what the state draws.
    """
    rows = [Row.of(name, layer.features[name], column=name) for name in layer.balloon]
    return _of(
        layer,
        layers,
        _Which(
            style_name(layer),
            layer.heading(),
            layer.state,
            f'"{mark_column(layer)}" = 1' if marked else "",
        ),
        columns=(layer.height, layer.colour),
        rows=rows,
    )


def years_drawing(layers: Sequence[Layer]) -> Drawing:
    """All years of a theme, drawn as the state of the base year is."""
    now = first_of(layers)
    rows = [Row.of("year", now.year, column="year")]
    for name in now.balloon:
        plain = yearless(name)
        if plain not in {row.column for row in rows}:
            rows.append(Row.of(plain, now.features[name], column=plain))
    return _of(
        now,
        layers,
        _Which(YEARS_STYLE, YEARS_STYLE, "years", f'"{SHOWN}" = 1'),
        columns=(yearless(now.height), yearless(now.colour)),
        rows=rows,
    )


def ring_drawing(layer: Layer, layers: Sequence[Layer]) -> Drawing:
    """Outlines of reach in the state of one year."""
    columns = (yearless(layer.height), yearless(layer.colour))
    rows = [Row.of(yearless(name), layer.features[name], column=yearless(name))
            for name in (layer.height, layer.colour)]  # fmt: skip
    return _of(
        layer,
        layers,
        _Which(style_name(layer), layer.heading(), layer.state, f'"year" = {layer.year}'),
        columns=columns,
        rows=rows,
        shape="ring",
    )


def outline_drawing(tip: str) -> Drawing:
    """The boundary of a municipality: a line that hides nothing."""
    return Drawing(OUTLINE_STYLE, "市区町村界", "", "outline", tip)


def first_of(layers: Sequence[Layer]) -> Layer:
    """The state that a table shows when it is opened: now, where there is one."""
    return next((layer for layer in layers if layer.state == "now"), layers[0])


def yearless(column: str) -> str:
    """Name of the field of a column, without its year.

    Examples
    --------
    >>> yearless("population_2053"), yearless("address")
    ('population', 'address')
    """
    return describe(column)[0].name


def _of(
    layer: Layer,
    layers: Sequence[Layer],
    which: _Which,
    *,
    columns: tuple[str, str],
    rows: Sequence[Row],
    shape: Shape | None = None,
) -> Drawing:
    height, colour = columns
    return Drawing(
        style=which.style,
        heading=which.heading,
        state=which.state,
        shape=shape or ("circle" if layer.kind == "facility" else "area"),
        tip=expressions.map_tip(
            layer,
            rows,
            heading=which.heading,
            unknown={colour: layer.classes.unknown_ja},
        ),
        only=which.only,
        height=height,
        colour=colour,
        height_label=layer.height_field.label(),
        colour_label=layer.colour_field.label(),
        classes=layer.classes,
        metres_per_unit=layer.metres_per_unit,
        peak=expressions.peak(layers),
        span=_span(layer, colour),
        sizes=_sizes(len(layer.features)),
        # thousands of cells would be all lines
        line=MESH_LINE_MM if layer.kind == "mesh" else AREA_LINE_MM,
        named=layer.kind == "municipality",
        notes=tuple(note.ja for note in layer.notes),
    )


def _sizes(count: int) -> tuple[float, float]:
    """Diameters of the smallest and the largest of some circles. [mm]

    Examples
    --------
    >>> _sizes(80), _sizes(400), _sizes(5000)
    ((1.5, 7.0), (1.0, 3.5), (1.0, 3.0))
    """
    shrink = math.sqrt(min(MANY / max(count, 1), 1.0))
    smallest, largest = (
        max(size * shrink, least) for size, least in zip(CIRCLES_MM, SMALLEST_MM, strict=True)
    )
    return smallest, largest


def _span(layer: Layer, field: str) -> tuple[float, float]:
    """Smallest and largest known value of a column, or of a field in all its years."""
    features = layer.features
    columns = [
        n for n in features if n == field or (n != features.geometry.name and yearless(n) == field)
    ]
    values = features[columns].to_numpy(dtype=np.float64)
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
