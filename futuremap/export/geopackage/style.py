"""QGIS styles (QML) of drawings, written as XML that QGIS 3.22 and later read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from futuremap.core.classes import Classes
from futuremap.export.geopackage import expressions
from futuremap.export.geopackage.drawing import Drawing
from futuremap.export.geopackage.tables import FeatureTable
from futuremap.export.geopackage.xml import (
    QGIS_VERSION,
    add,
    data_defined,
    document,
    options,
    rgba,
)

CATEGORIES = "Symbology|Symbology3D|Labeling|Fields|MapTips|Temporal"
THIN_LINE = "90,90,90,160"
HALO = "255,255,255,255"  # parts circles from what lies below, in whatever colour
GREY_LINE = "90,90,90,255"
BOUNDARY_LINE = "38,38,38,255"
LABEL_SCALE = 25_000  # names are drawn when the map is at this scale or larger
LEGEND_SHARES = (0.1, 0.5, 1.0)  # of the largest number
NO_CLASS = "#ffffff"
GEOMETRY_CODE = {"Point": "0", "MultiPolygon": "2"}


def qml(drawing: Drawing, table: FeatureTable) -> str:
    """The whole style of one drawing of a table."""
    labels = str(int(has_labels(drawing)))
    root = ET.Element(
        "qgis",
        {"version": QGIS_VERSION, "styleCategories": CATEGORIES, "labelsEnabled": labels},
    )
    add_style(root, drawing, table)
    add(root, "layerGeometryType", text=GEOMETRY_CODE[table.geometry_type])
    return document(root)


def has_labels(drawing: Drawing) -> bool:
    """Whether names are drawn: rings and boundaries go round what has one of its own."""
    return drawing.shape in ("area", "circle")


def add_style(root: ET.Element, drawing: Drawing, table: FeatureTable) -> None:
    """Put the parts of a style into a style file or into a layer of a project."""
    if table.period:
        begin, end = table.period
        # a row begins to hold at its beginning, and no longer does at its end
        mode = {"enabled": "1", "mode": "2", "limitMode": "0", "accumulate": "0"}
        fields = {"startField": begin, "endField": end, "durationUnit": "min"}
        add(root, "temporal", mode | fields)
    if drawing.shape == "area":
        _extrusion(root, drawing)
    if drawing.classes is None:
        renderer = {"type": "singleSymbol", "symbollevels": "0", "enableorderby": "0"}
        symbols = add(add(root, "renderer-v2", renderer), "symbols")
        _symbol(symbols, drawing, name="0", colour=NO_CLASS)
    else:
        _renderer(root, drawing, drawing.classes)
    _labels(root, always=drawing.named)
    aliases = add(root, "aliases")
    for index, (name, about) in enumerate(table.columns.items(), start=1):
        add(aliases, "alias", {"index": str(index), "field": name, "name": about.alias})
    add(root, "previewExpression", text='"name"')
    add(root, "mapTip", text=drawing.tip)


def _renderer(root: ET.Element, drawing: Drawing, classes: Classes) -> None:
    labels = [label for label, _ in classes.entries()]
    if classes.unknown_ja:
        # a graduated renderer draws nothing where there is no value
        rule = expressions.by_class(drawing.colour, classes, labels, only=drawing.only)
        kind, method = "categorizedSymbol", {}
    else:
        rule = expressions.shown_value(drawing.colour, only=drawing.only)
        kind, method = "graduatedSymbol", {"graduatedMethod": "GraduatedColor"}
    head = {"type": kind, "attr": rule, "symbollevels": "0", "enableorderby": "1"}
    renderer = add(root, "renderer-v2", head | method)
    # large circles first, so that small ones stay in sight
    order = add(add(renderer, "orderby"), "orderByClause", {"asc": "0", "nullsFirst": "0"})
    order.text = f'abs("{drawing.height}")'
    if classes.unknown_ja:
        _categories(renderer, labels)
    else:
        _ranges(renderer, drawing, labels)
    symbols = add(renderer, "symbols")
    for index, (_, colour) in enumerate(classes.entries()):
        _symbol(symbols, drawing, name=str(index), colour=colour)
    # what QGIS takes for a new class, and where it reads the rule of the circles from
    _symbol(add(renderer, "source-symbol"), drawing, name="0", colour=NO_CLASS, halo=GREY_LINE)
    if drawing.shape == "circle":
        _size_legend(renderer, drawing)


def _categories(renderer: ET.Element, labels: Sequence[str]) -> None:
    categories = add(renderer, "categories")
    for index, label in enumerate(labels):
        about = {"value": label, "label": label, "symbol": str(index), "render": "true"}
        add(categories, "category", about | {"type": "string"})


def _ranges(renderer: ET.Element, drawing: Drawing, labels: Sequence[str]) -> None:
    limits = drawing.classes.limits if drawing.classes is not None else ()
    lowest = math.floor(min(limits[0] - 1, drawing.span[0]))
    highest = math.ceil(max(limits[-1] + 1, drawing.span[1]))
    # QGIS takes the first range that holds a value, ends included, but a limit belongs above
    uppers = [*(math.nextafter(limit, -math.inf) for limit in limits), highest]
    ranges = add(renderer, "ranges")
    for index, (lower, upper) in enumerate(zip((lowest, *limits), uppers, strict=True)):
        about = {"lower": repr(lower), "upper": repr(upper), "label": labels[index]}
        add(ranges, "range", about | {"symbol": str(index), "render": "true"})


def _symbol(
    parent: ET.Element,
    drawing: Drawing,
    *,
    name: str,
    colour: str,
    halo: str = HALO,
) -> None:
    if drawing.shape == "circle":
        rule = expressions.diameter(drawing.height, peak=drawing.peak, sizes=drawing.sizes)
        size = sum(drawing.sizes) / 2  # in the legend
        _circle(parent, name=name, colour=colour, size=size, line=halo, rule=rule)
    elif drawing.shape == "area":
        _fill(parent, name=name, colour=colour, line=THIN_LINE, width=drawing.line)
    elif drawing.shape == "ring":
        _fill(parent, name=name, colour=None, line=rgba(colour), width=0.3)
    else:
        _fill(parent, name=name, colour=None, line=BOUNDARY_LINE, width=0.5)


def _fill(parent: ET.Element, *, name: str, colour: str | None, line: str, width: float) -> None:
    # opaque: what is mixed with a background is no longer the colour of the legend
    symbol = add(parent, "symbol", {"type": "fill", "name": name, "alpha": "1"})
    options(
        add(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "pass": "0"}),
        {
            "color": rgba(colour or NO_CLASS),
            "style": "solid" if colour else "no",
            "outline_color": line,
            "outline_style": "solid",
            "outline_width": repr(width),
            "outline_width_unit": "MM",
        },
    )


def _circle(
    parent: ET.Element,
    *,
    name: str,
    colour: str,
    size: float,
    line: str,
    rule: str,
) -> None:
    symbol = add(parent, "symbol", {"type": "marker", "name": name, "alpha": "1"})
    marker = add(symbol, "layer", {"class": "SimpleMarker", "enabled": "1", "pass": "0"})
    options(
        marker,
        {
            "name": "circle",
            "color": rgba(colour),
            "outline_color": line,
            "outline_width": "0.2",
            "size": repr(size),
            "size_unit": "MM",
        },
    )
    data_defined(marker, "data_defined_properties", {"size": rule})


def _size_legend(renderer: ET.Element, drawing: Drawing) -> None:
    """Circles of the legend: round numbers near the largest of all states, and parts of it."""
    smallest, largest = drawing.sizes
    legend = add(
        renderer,
        "data-defined-size-legend",
        {"type": "separated", "valign": "bottom", "title": drawing.height_label},
    )
    classes = add(legend, "classes")
    for share in LEGEND_SHARES:
        number = float(f"{drawing.peak * share:.1g}")
        size = smallest + (largest - smallest) * math.sqrt(number / drawing.peak)
        add(classes, "class", {"size": repr(size), "label": f"{number:,.0f}"})


def _labels(root: ET.Element, *, always: bool) -> None:
    labeling = add(add(root, "labeling", {"type": "simple"}), "settings")
    style = add(
        labeling,
        "text-style",
        {
            "fieldName": "name",
            "isExpression": "0",
            "fontSize": "11" if always else "9",
            "fontSizeUnit": "Point",
            "textColor": "40,40,40,255",
        },
    )
    about = {"bufferDraw": "1", "bufferSize": "0.8", "bufferSizeUnits": "MM"}
    add(style, "text-buffer", about | {"bufferColor": "255,255,255,220"})
    scales = {
        "scaleVisibility": str(int(not always)),
        "scaleMin": "1",
        "scaleMax": str(LABEL_SCALE),
    }
    add(labeling, "rendering", scales | {"drawLabels": "1"})


def _extrusion(root: ET.Element, drawing: Drawing) -> None:
    """Prisms for the 3D map, as high as everywhere else and in the colours of the classes."""
    renderer = add(root, "renderer-3d", {"type": "vector", "layer": ""})
    add(renderer, "vector-layer-3d-tiling", {"zoom-levels-count": "3"})
    symbol = add(renderer, "symbol", {"type": "polygon", "material_type": "phong"})
    base = {"height": "0", "extrusion-height": "0", "alt-clamping": "terrain"}
    add(symbol, "data", base | {"alt-binding": "centroid", "rendered-facade": "3"})
    grey = {"ambient": "60,60,60,255", "diffuse": "158,158,158,255"}
    material = add(symbol, "material", grey | {"specular": "0,0,0,255", "shininess": "0"})
    if drawing.classes is not None:
        colours = [colour for _, colour in drawing.classes.entries()]
        rule = expressions.by_class(drawing.colour, drawing.classes, colours, only=drawing.only)
        data_defined(material, "data-defined-properties", {"diffuse": rule, "ambient": rule})
    metres = expressions.extrusion(drawing.height, drawing.metres_per_unit, only=drawing.only)
    data_defined(symbol, "data-defined-properties", {"extrusionHeight": metres})
