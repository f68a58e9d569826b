"""The bridge to simplekml, for people who want to add placemarks of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import simplekml
from numpy.typing import NDArray

from futuremap.core.layer import Layer
from futuremap.errors import ExportError
from futuremap.export.kml.balloon import cells, column_label, columns
from futuremap.export.kml.document import colour, heading
from futuremap.export.kml.shapes import foot_radius, outlines
from futuremap.export.kml.words import document_name, legend_text, texts
from futuremap.export.kml.writer import Part
from futuremap.export.text import clean, html_text

MOST_FEATURES = 10_000  # simplekml needs about 12 kB of memory a feature

Parts = list[list[NDArray[np.float64]]]  # polygons of a shape, each an outer ring and holes


def to_simplekml(layer: Layer, *, lang: str = "ja") -> simplekml.Kml:
    """A layer as a simplekml document.

    Its files are not schema-valid, whatever is put in; deliverables come from `write_earth`.

    Parameters
    ----------
    layer
        The state.
    lang
        "ja" or "en".

    Raises
    ------
    ExportError
        If the layer shows more than 10,000 features or a shape cannot be drawn.
    """
    part = Part(layer, np.flatnonzero(layer.shown))
    if len(part.rows) > MOST_FEATURES:
        raise ExportError(
            f"simplekml is for at most {MOST_FEATURES:,} features, {layer.theme} shows "
            f"{len(part.rows):,}; write_earth has no such limit",
        )
    kml = simplekml.Kml(name=clean(document_name([layer], lang)))
    kml.document.description = "<br>".join(
        _inner_html(line) for line in legend_text(layer, lang=lang)
    )
    folder = kml.newfolder(name=heading(part, lang))
    styles = [_style(hue) for _, hue in layer.classes.entries(lang)]
    data = {column: cells(layer, column, part.rows).machine for column in columns(layer)}
    names = texts(layer.features["name"].iloc[part.rows])
    shapes = layer.features.geometry.to_numpy()[part.rows]
    heights, classes = part.heights().tolist(), part.classes().tolist()
    found = outlines(shapes, radius=foot_radius(layer.view, len(layer.features)))
    rings = np.split(found.coordinates, found.ends[1:-1])
    for row, polygons in enumerate(found.shapes):
        parts = [[rings[ring] for ring in polygon] for polygon in polygons]
        prism = _prism(folder, parts, name=clean(names[row]), height=heights[row])
        prism.style = styles[classes[row]]
        for column, values in data.items():
            # cells are escaped already: simplekml writes these values as they are
            prism.extendeddata.newdata(column, values[row], column_label(column, lang=lang))
    return kml


def _prism(folder: simplekml.Folder, parts: Parts, *, name: str, height: float) -> Any:
    target = folder if len(parts) == 1 else folder.newmultigeometry(name=name)
    for rings in parts:
        outer, *holes = [_corners(ring, height) for ring in rings]
        made = target.newpolygon(outerboundaryis=outer, innerboundaryis=holes)
        made.extrude = int(height > 0)
        mode = simplekml.AltitudeMode
        made.altitudemode = mode.relativetoground if height > 0 else mode.clamptoground
        if target is folder:
            made.name = name
            return made
    return target


def _corners(ring: NDArray[np.float64], height: float) -> list[tuple[float, float, float]]:
    return [(x, y, height) for x, y in ring.tolist()]


def _style(hue: str) -> simplekml.Style:
    style = simplekml.Style()
    style.polystyle.color = colour(hue)
    style.polystyle.outline = 0
    return style


def _inner_html(line: str) -> str:
    # simplekml does the escaping for XML itself
    return html_text(line).replace("&amp;", "&")
