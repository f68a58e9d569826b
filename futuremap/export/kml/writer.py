"""Placemarks by template: any number of prisms in constant memory, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.layer import Layer
from futuremap.export.kml.balloon import (
    Rows,
    cells,
    column_label,
    columns,
    description_cells,
    description_template,
)
from futuremap.export.kml.shapes import DECIMALS, Outlines, foot_radius, outlines
from futuremap.export.kml.words import texts
from futuremap.export.text import ascii_id, xml_text

CHUNK = 2048  # features held in memory as text at a time
HEIGHT_DECIMALS = 1
FLAT = "flat"  # class of shapes without height
RING = "<LinearRing><coordinates>%s</coordinates></LinearRing>"
AREA = f"<outerBoundaryIs>{RING}</outerBoundaryIs>%s</Polygon>"
HOLE = f"<innerBoundaryIs>{RING}</innerBoundaryIs>"
PRISM = f"<Polygon><extrude>1</extrude><altitudeMode>relativeToGround</altitudeMode>{AREA}"
FLAT_AREA = f"<Polygon><tessellate>1</tessellate><altitudeMode>clampToGround</altitudeMode>{AREA}"


class Part(NamedTuple):
    """The features of a layer that one file holds.

    Parameters
    ----------
    layer
        The state.
    rows
        Their places in the layer, ascending.
    tile
        Number of this part and of all parts; (1, 1) if the layer is whole.
    """

    layer: Layer
    rows: Rows
    tile: tuple[int, int] = (1, 1)

    @property
    def key(self) -> str:
        """Start of every id of this state; unlike another state's of the same theme."""
        return f"y{self.layer.year}" if self.layer.state == "future" else self.layer.state

    @property
    def heading(self) -> str:
        """Name of the folder; starts with 現況, 将来 or 増減."""
        number, count = self.tile
        return self.layer.heading() + (f"（{number}/{count}）" if count > 1 else "")

    def classes(self) -> Rows:
        """Colour class of its features."""
        values = self.layer.features[self.layer.colour].to_numpy(dtype=np.float64)
        return self.layer.classes.index(values[self.rows])

    def heights(self) -> NDArray[np.float64]:
        """Height of its features as written. [m]"""
        return np.round(self.layer.heights()[self.rows], HEIGHT_DECIMALS)


def style_id(key: str, entry: int | str) -> str:
    """Id of the style of a class, or of shapes without height.

    Examples
    --------
    >>> style_id("now", 0), style_id("change", FLAT)
    ('style-now-0', 'style-change-flat')
    """
    return f"style-{key}-{entry}"


def placemarks(part: Part, *, visible: bool) -> Iterator[bytes]:
    """Placemarks of a part in pieces of some thousand features, as UTF-8.

    Raises
    ------
    ExportError
        If a shape cannot be drawn.
    """
    template = _narrow([_template(part.layer, visible=visible)])[0]
    classes, heights = part.classes(), part.heights()
    for start in range(0, len(part.rows), CHUNK):
        here = slice(start, start + CHUNK)
        found = _columns(part, part.rows[here], classes=classes[here], heights=heights[here])
        rows = zip(*map(_narrow, found), strict=True)
        yield "".join([template % row for row in rows]).encode("latin-1")


def _narrow(texts: list[str]) -> list[str]:
    # every byte of the UTF-8 as one character: python then fills in and joins bytes, not
    # wide characters, which is twice as fast
    joined = "\0".join(texts)
    if joined.isascii():
        return texts
    return joined.encode("utf-8").decode("latin-1").split("\0")


def _template(layer: Layer, *, visible: bool) -> str:
    data = "".join(
        f'<Data name="{xml_text(column)}">'
        f"<displayName>{xml_text(column_label(column)).replace('%', '%%')}</displayName>"
        "<value>%s</value></Data>"
        for column in columns(layer)
    )
    return (
        f'<Placemark id="%s"><name>%s</name><visibility>{visible:d}</visibility>'
        f"<description>{description_template(layer)}</description><styleUrl>#%s</styleUrl>"
        f"<ExtendedData>{data}</ExtendedData>%s</Placemark>\n"
    )


def _columns(
    part: Part,
    rows: Rows,
    *,
    classes: Rows,
    heights: NDArray[np.float64],
) -> list[list[str]]:
    layer, features = part.layer, part.layer.features
    both = {column: cells(layer, column, rows) for column in columns(layer)}
    names = texts(features["name"].iloc[rows])
    people = {column: found.people for column, found in both.items()}
    styles = [style_id(part.key, entry) for entry in range(len(layer.classes.entries()))]
    flat = style_id(part.key, FLAT)
    pairs = zip(classes.tolist(), heights.tolist(), strict=True)
    return [
        [ascii_id(f"{part.key}-{zone}") for zone in features.index[rows].tolist()],
        [xml_text(name) for name in names],
        *description_cells(layer, names, classes=classes, people=people),
        [styles[entry] if height > 0 else flat for entry, height in pairs],
        *(found.machine for found in both.values()),
        _geometries(layer, rows, heights),
    ]


def _geometries(layer: Layer, rows: Rows, heights: NDArray[np.float64]) -> list[str]:
    shapes = layer.features.geometry.to_numpy()[rows]
    found = outlines(shapes, radius=foot_radius(layer.view, len(layer.features)))
    tops = [f"{h:.{HEIGHT_DECIMALS}f}" if h > 0 else "0" for h in heights.tolist()]
    written = _rings(found, tops)
    templates = [PRISM if height > 0 else FLAT_AREA for height in heights.tolist()]
    return [
        _geometry(polygons, written, template)
        for polygons, template in zip(found.shapes, templates, strict=True)
    ]


def _rings(found: Outlines, tops: list[str]) -> list[str]:
    # one format for all corners of the chunk is faster than one a ring
    counts = np.diff(found.ends).tolist()
    owner = [""] * len(counts)
    for polygons, top in zip(found.shapes, tops, strict=True):
        for rings in polygons:
            for ring in rings:
                owner[ring] = top
    pairs = zip(counts, owner, strict=True)
    form = "".join([_ring(count).replace("h", top) for count, top in pairs])
    return (form % tuple(found.coordinates.ravel().tolist())).split("\n")


def _geometry(polygons: list[list[int]], rings: list[str], template: str) -> str:
    if len(polygons) == 1:
        return _polygon(polygons[0], rings, template)
    inner = "".join([_polygon(polygon, rings, template) for polygon in polygons])
    return f"<MultiGeometry>{inner}</MultiGeometry>"


def _polygon(polygon: list[int], rings: list[str], template: str) -> str:
    if len(polygon) == 1:
        return template % (rings[polygon[0]], "")
    return template % (rings[polygon[0]], "".join([HOLE % rings[hole] for hole in polygon[1:]]))


@lru_cache(maxsize=256)
def _ring(count: int) -> str:
    # the height is the same at every corner: one letter that is replaced
    return " ".join([f"%.{DECIMALS}f,%.{DECIMALS}f,h"] * count) + "\n"
