"""QGIS styles (QML) of layers, written as XML that QGIS 3.22 and later read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from xml.etree import ElementTree as ET

import numpy as np

from futuremap.core.layer import Layer
from futuremap.export.geopackage import expressions
from futuremap.export.geopackage.tables import ThemeTable, mark_column
from futuremap.export.text import clean

QGIS_VERSION = "3.22.0"  # the oldest that reads this
CATEGORIES = "Symbology|Symbology3D|Labeling|Fields|MapTips"
DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
OUTLINE = "90,90,90,160"
LABEL_SCALE = 25_000  # names are drawn when the map is at this scale or larger
CIRCLES_MM = (1.5, 7.0)  # smallest and largest diameter
LEGEND_SHARES = (0.1, 0.5, 1.0)  # of the largest number
NO_CLASS = "#ffffff"
EXPRESSION = "3"  # kind of a data-defined property
GEOMETRY_CODE = {"Point": "0", "MultiPolygon": "2"}


def style_name(layer: Layer) -> str:
    """Name under which QGIS lists the style, at most 30 characters.

    The words of :meth:`Layer.heading` without brackets and arrows, which stand badly in menus.
    """
    name = {"now": "現況", "future": "将来", "change": f"増減{layer.base_year}-"}[layer.state]
    return f"{name}{layer.year}"


def qml(layer: Layer, table: ThemeTable) -> str:
    """The whole style of one state of a theme.

    Parameters
    ----------
    layer
        The state.
    table
        Table whose columns the style names.
    """
    mark = mark_column(layer) if table.marks else ""
    root = ET.Element(
        "qgis",
        {"version": QGIS_VERSION, "styleCategories": CATEGORIES, "labelsEnabled": "1"},
    )
    if table.geometry_type == "MultiPolygon":
        _extrusion(root, layer, mark=mark)
    _renderer(root, layer, table=table, mark=mark)
    _labels(root)
    aliases = _add(root, "aliases")
    for index, (column, alias) in enumerate(table.aliases().items(), start=1):
        _add(aliases, "alias", {"index": str(index), "field": column, "name": alias})
    _add(root, "previewExpression").text = '"name"'
    _add(root, "mapTip").text = clean(expressions.map_tip(layer))
    _add(root, "layerGeometryType").text = GEOMETRY_CODE[table.geometry_type]
    return DOCTYPE + ET.tostring(root, encoding="unicode") + "\n"


def _add(parent: ET.Element, tag: str, attributes: Mapping[str, str] | None = None) -> ET.Element:
    given = {key: clean(value) for key, value in (attributes or {}).items()}
    return ET.SubElement(parent, tag, given)


def _options(parent: ET.Element, values: Mapping[str, str]) -> None:
    options = _add(parent, "Option", {"type": "Map"})
    for name, value in values.items():
        _add(options, "Option", {"type": "QString", "name": name, "value": value})


def _data_defined(parent: ET.Element, tag: str, rules: Mapping[str, str]) -> None:
    """Properties that QGIS works out for each feature."""
    collection = _add(_add(parent, tag), "Option", {"type": "Map"})
    _add(collection, "Option", {"type": "QString", "name": "name", "value": ""})
    properties = _add(collection, "Option", {"type": "Map", "name": "properties"})
    for name, rule in rules.items():
        entry = _add(properties, "Option", {"type": "Map", "name": name})
        _add(entry, "Option", {"type": "bool", "name": "active", "value": "true"})
        _add(entry, "Option", {"type": "QString", "name": "expression", "value": rule})
        _add(entry, "Option", {"type": "int", "name": "type", "value": EXPRESSION})
    _add(collection, "Option", {"type": "QString", "name": "type", "value": "collection"})


def _renderer(root: ET.Element, layer: Layer, *, table: ThemeTable, mark: str) -> None:
    labels = [label for label, _ in layer.classes.entries()]
    if layer.classes.unknown_ja:
        # a graduated renderer draws nothing where there is no value
        rule = expressions.by_class(layer, labels, mark=mark)
        kind, method = "categorizedSymbol", {}
    else:
        rule = expressions.shown_value(layer.colour, mark=mark)
        kind, method = "graduatedSymbol", {"graduatedMethod": "GraduatedColor"}
    head = {"type": kind, "attr": rule, "symbollevels": "0", "enableorderby": "1"}
    renderer = _add(root, "renderer-v2", head | method)
    # large circles first, so that small ones stay in sight
    order = _add(_add(renderer, "orderby"), "orderByClause", {"asc": "0", "nullsFirst": "0"})
    order.text = f'abs("{layer.height}")'
    if layer.classes.unknown_ja:
        _categories(renderer, labels)
    else:
        _ranges(renderer, layer, labels)
    symbols = _add(renderer, "symbols")
    for index, (_, colour) in enumerate(layer.classes.entries()):
        _symbol(symbols, layer, table=table, name=str(index), colour=colour)
    # what QGIS takes for a new class, and where it reads the rule of the circles from
    _symbol(_add(renderer, "source-symbol"), layer, table=table, name="0", colour=NO_CLASS)
    if table.geometry_type == "Point":
        _size_legend(renderer, layer, table)


def _symbol(parent: ET.Element, layer: Layer, *, table: ThemeTable, name: str, colour: str) -> None:
    if table.geometry_type == "Point":
        peak = expressions.peak(table.layers)
        rule = expressions.diameter(layer, peak=peak, sizes=CIRCLES_MM)
        _circle(parent, name=name, colour=colour, rule=rule)
    else:
        _fill(parent, name=name, colour=colour)


def _categories(renderer: ET.Element, labels: list[str]) -> None:
    categories = _add(renderer, "categories")
    for index, label in enumerate(labels):
        about = {"value": label, "label": label, "symbol": str(index), "render": "true"}
        _add(categories, "category", about | {"type": "string"})


def _ranges(renderer: ET.Element, layer: Layer, labels: list[str]) -> None:
    limits = layer.classes.limits
    values = layer.features[layer.colour].to_numpy(dtype=np.float64)
    known = values[np.isfinite(values)]
    lowest = math.floor(min([limits[0] - 1, *known]))
    highest = math.ceil(max([limits[-1] + 1, *known]))
    # QGIS takes the first range that holds a value, ends included, but a limit belongs above
    uppers = [*(math.nextafter(limit, -math.inf) for limit in limits), highest]
    ranges = _add(renderer, "ranges")
    for index, (lower, upper) in enumerate(zip((lowest, *limits), uppers, strict=True)):
        about = {"lower": repr(lower), "upper": repr(upper), "label": labels[index]}
        _add(ranges, "range", about | {"symbol": str(index), "render": "true"})


def _fill(symbols: ET.Element, *, name: str, colour: str) -> None:
    symbol = _add(symbols, "symbol", {"type": "fill", "name": name, "alpha": "0.85"})
    layer = _add(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "pass": "0"})
    _options(
        layer,
        {
            "color": _rgba(colour),
            "style": "solid",
            "outline_color": OUTLINE,
            "outline_style": "solid",
            "outline_width": "0.1",
            "outline_width_unit": "MM",
        },
    )


def _circle(symbols: ET.Element, *, name: str, colour: str, rule: str) -> None:
    symbol = _add(symbols, "symbol", {"type": "marker", "name": name, "alpha": "0.9"})
    marker = _add(symbol, "layer", {"class": "SimpleMarker", "enabled": "1", "pass": "0"})
    _options(
        marker,
        {
            "name": "circle",
            "color": _rgba(colour),
            "outline_color": OUTLINE,
            "outline_width": "0.2",
            "size": repr(CIRCLES_MM[0]),
            "size_unit": "MM",
        },
    )
    _data_defined(marker, "data_defined_properties", {"size": rule})


def _size_legend(renderer: ET.Element, layer: Layer, table: ThemeTable) -> None:
    """Circles of the legend: round numbers near the largest of all states, and parts of it."""
    smallest, largest = CIRCLES_MM
    peak = expressions.peak(table.layers)
    title = layer.height_field.label()
    legend = _add(
        renderer,
        "data-defined-size-legend",
        {"type": "separated", "valign": "bottom", "title": title},
    )
    classes = _add(legend, "classes")
    for share in LEGEND_SHARES:
        number = float(f"{peak * share:.1g}")
        size = smallest + (largest - smallest) * math.sqrt(number / peak)
        _add(classes, "class", {"size": repr(size), "label": f"{number:,.0f}"})


def _labels(root: ET.Element) -> None:
    labeling = _add(_add(root, "labeling", {"type": "simple"}), "settings")
    style = _add(
        labeling,
        "text-style",
        {
            "fieldName": "name",
            "isExpression": "0",
            "fontSize": "9",
            "fontSizeUnit": "Point",
            "textColor": "40,40,40,255",
        },
    )
    about = {"bufferDraw": "1", "bufferSize": "0.8", "bufferSizeUnits": "MM"}
    _add(style, "text-buffer", about | {"bufferColor": "255,255,255,220"})
    scales = {"scaleVisibility": "1", "scaleMin": "1", "scaleMax": str(LABEL_SCALE)}
    _add(labeling, "rendering", scales | {"drawLabels": "1"})


def _extrusion(root: ET.Element, layer: Layer, *, mark: str) -> None:
    """Prisms for the 3D map, as high as everywhere else and in the colours of the classes."""
    renderer = _add(root, "renderer-3d", {"type": "vector", "layer": ""})
    _add(renderer, "vector-layer-3d-tiling", {"zoom-levels-count": "3"})
    symbol = _add(renderer, "symbol", {"type": "polygon", "material_type": "phong"})
    base = {"height": "0", "extrusion-height": "0", "alt-clamping": "terrain"}
    _add(symbol, "data", base | {"alt-binding": "centroid", "rendered-facade": "3"})
    grey = {"ambient": "60,60,60,255", "diffuse": "158,158,158,255"}
    material = _add(symbol, "material", grey | {"specular": "0,0,0,255", "shininess": "0"})
    colours = [colour for _, colour in layer.classes.entries()]
    rule = expressions.by_class(layer, colours, mark=mark)
    _data_defined(material, "data-defined-properties", {"diffuse": rule, "ambient": rule})
    height = {"extrusionHeight": expressions.extrusion(layer, mark=mark)}
    _data_defined(symbol, "data-defined-properties", height)


def _rgba(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},255"
