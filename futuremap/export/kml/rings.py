"""Reach as flat rings on the ground, beside the columns of the facilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.core.layer import Text
from futuremap.export.kml.balloon import Rows
from futuremap.export.kml.shapes import foot_radius, outlines, ring_texts, vertex_counts
from futuremap.export.kml.split import FRAME_FEATURES
from futuremap.export.kml.words import texts
from futuremap.export.kml.writer import Part
from futuremap.export.text import ascii_ids, html_text, xml_text

HEADING = Text("利用圏", "Reach")
FEW = 60  # rings that do not hide each other, nor the ground, in the first view
CHUNK = 256  # rings held in memory as text at a time
WIDTH = 2.0  # pixels
COARSE = 5e-5  # degrees, about 5 m: as near as the line of a ring keeps to its reach


def ring_rows(part: Part) -> Rows:
    """Features of a part that have a reach to draw."""
    reaches = part.layer.reaches
    if reaches is None:
        return part.rows[:0]
    found = reaches[part.rows]
    drawn: Rows = part.rows[~(shapely.is_missing(found) | shapely.is_empty(found))]
    return drawn


def size_of(parts: Sequence[Part], *, with_rings: bool) -> tuple[int, int]:
    """Features and vertices of a file, at most.

    Parameters
    ----------
    parts
        What the file holds.
    with_rings
        Whether rings of reach are drawn beside the shapes.
    """
    features = vertices = 0
    for part in parts:
        rows, given = ring_rows(part), part.layer.features
        shapes, zones = given.geometry.to_numpy(), given.index
        features += len(part.rows)
        vertices += int(vertex_counts(shapes[part.rows], ids=zones[part.rows].tolist()).sum())
        if with_rings and part.layer.reaches is not None and len(rows):
            features += len(rows) + 1
            simple = _simple(part.layer.reaches, rows)
            vertices += int(vertex_counts(simple, ids=zones[rows].tolist()).sum())
    return FRAME_FEATURES + features, vertices


def ring_style(key: str, entry: int) -> str:
    """Id of the style of the rings of a class.

    Examples
    --------
    >>> ring_style("now", 2)
    'ring-now-2'
    """
    return f"ring-{key}-{entry}"


def ring_classes(part: Part) -> list[int]:
    """Colour class of every ring of a part."""
    entries: list[int] = part._replace(rows=ring_rows(part)).classes().tolist()
    return entries


def rings(part: Part, *, shown: bool, lang: str = "ja") -> Iterator[bytes]:
    """Folder of the rings of a part, as UTF-8; nothing if there is none.

    Rings are in the colour of their column, and at first only seen where they are few.

    Parameters
    ----------
    part
        A state of a theme, or a part of it.
    shown
        Whether the state is shown at first.
    lang
        "ja" or "en".

    Raises
    ------
    ExportError
        If a reach cannot be drawn; the message names the feature.
    """
    rows = ring_rows(part)
    if not len(rows):
        return
    visible = shown and len(rows) <= FEW
    word = HEADING[lang != "ja"]
    yield (
        f'<Folder id="reach-{part.key}"><name>{word}</name>'
        f"<visibility>{visible:d}</visibility><open>0</open>\n"
    ).encode()
    entries = ring_classes(part)
    for start in range(0, len(rows), CHUNK):
        here = slice(start, start + CHUNK)
        styles = [ring_style(part.key, entry) for entry in entries[here]]
        yield _placemarks(part, rows[here], styles=styles, word=word, visible=visible)
    yield b"</Folder>\n"


def _placemarks(
    part: Part,
    rows: Rows,
    *,
    styles: Sequence[str],
    word: str,
    visible: bool,
) -> bytes:
    layer, reaches = part.layer, part.layer.reaches
    if reaches is None:
        return b""
    zones = layer.features.index[rows].tolist()
    found = outlines(_simple(reaches, rows), radius=foot_radius(layer.view, len(rows)), ids=zones)
    corners = [text.decode() for text in ring_texts(found, [b"0"] * len(rows))]
    starts = np.searchsorted(found.owners, np.arange(len(rows) + 1)).tolist()
    shapes = ["".join(map(_line, corners[start:end])) for start, end in pairwise(starts)]
    ids = ascii_ids([f"reach-{part.key}-{zone}" for zone in zones])
    names = [f"{name}（{word}）" for name in texts(layer.features["name"].iloc[rows])]
    return "".join(
        f'<Placemark id="{key}"><name>{xml_text(name)}</name><visibility>{visible:d}</visibility>'
        f"<description>{html_text(name)}</description><styleUrl>#{style}</styleUrl>"
        f"<MultiGeometry>{shape}</MultiGeometry></Placemark>\n"
        for key, name, style, shape in zip(ids, names, styles, shapes, strict=True)
    ).encode()


class _Held:
    """An array as a key: it is itself, whatever stands in it."""

    def __init__(self, array: NDArray[np.object_]) -> None:
        self.array = array

    def __hash__(self) -> int:
        return id(self.array)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.array is self.array


def _simple(reaches: NDArray[np.object_], rows: Rows) -> NDArray[np.object_]:
    found: NDArray[np.object_] = _simplified(_Held(reaches))[rows]
    return found


@lru_cache(maxsize=16)
def _simplified(reaches: _Held) -> NDArray[np.object_]:
    # asked for when a file is measured, when it is written, and by every scenario of a baseline
    found = reaches.array.copy()
    known = np.isfinite(shapely.bounds(found)).all(axis=1)  # the others are refused by name
    found[known] = shapely.simplify(found[known], COARSE)
    found.flags.writeable = False
    return found


def _line(corners: str) -> str:
    # a line, because not every client draws the edge of an area that lies on the ground
    return (
        "<LineString><tessellate>1</tessellate><altitudeMode>clampToGround</altitudeMode>"
        f"<coordinates>{corners}</coordinates></LineString>"
    )
