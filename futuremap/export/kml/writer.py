"""Placemarks by template: any number of prisms in constant memory, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from futuremap.core.layer import Layer
from futuremap.export.kml.balloon import (
    Rows,
    cells,
    column_label,
    columns,
    description_cells,
    description_template,
)
from futuremap.export.kml.marks import ALPHAS, IMPUTED, imputed_cells, opacity
from futuremap.export.kml.shapes import HOLE, Outlines, foot_radius, outlines, ring_texts
from futuremap.export.kml.words import texts
from futuremap.export.text import (
    ascii_ids,
    html_text,
    html_texts,
    plain,
    replaced,
    xml_text,
    xml_texts,
)

CHUNK = 4096  # features held in memory as text at a time
CHUNK_CORNERS = 5 * CHUNK  # and their corners, where shapes have many
HEIGHT_DECIMALS = 1
FLAT = "flat"  # class of shapes without height
PLACE = "\0"  # where a feature's own text goes; no text that XML holds has it
RAISED = "<extrude>1</extrude><altitudeMode>%s</altitudeMode>"
ON_GROUND = "<tessellate>1</tessellate><altitudeMode>clampToGround</altitudeMode>"
RING, RING_END = "<LinearRing><coordinates>", "</coordinates></LinearRing>"


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
    fade
        Whether shapes are the paler the wider their interval is.
    """

    layer: Layer
    rows: Rows
    tile: tuple[int, int] = (1, 1)
    fade: bool = False

    @property
    def key(self) -> str:
        """Start of every id of this state; unlike another state's of the same theme."""
        state = f"y{self.layer.year}" if self.layer.state == "future" else self.layer.state
        return f"{state}-{self.layer.scenario_key}" if self.layer.scenario_key else state

    @property
    def heading(self) -> str:
        """Name of the folder; starts with 現況, 将来 or 増減."""
        number, count = self.tile
        return self.layer.heading() + (f"（{number}/{count}）" if count > 1 else "")

    def classes(self) -> Rows:
        """Colour class of its features."""
        values = self.layer.features[self.layer.colour].to_numpy(dtype=np.float64)
        return self.layer.classes.index(values[self.rows])

    def fades(self) -> NDArray[np.intp]:
        """Opacity of its features, 255 where nothing is in doubt."""
        known = opacity(self.layer) if self.fade else None
        whole = np.full(len(self.rows), ALPHAS[0], dtype=np.intp)
        return whole if known is None else known[self.rows]

    def heights(self) -> NDArray[np.float64]:
        """Height of its features as written. [m]"""
        return np.round(self.layer.heights()[self.rows], HEIGHT_DECIMALS)

    def tops(self) -> NDArray[np.float64]:
        """Altitude of the roofs of its features: above the sea if the ground is known. [m]"""
        ground = self.layer.ground
        heights = self.heights()
        if ground is None:
            return heights
        # adding zero makes the negative zero a plain one
        return np.round(ground[self.rows] + heights, HEIGHT_DECIMALS) + 0.0


def style_id(key: str, entry: int | str, alpha: int = ALPHAS[0]) -> str:
    """Id of the style of a class, or of shapes without height.

    Examples
    --------
    >>> style_id("now", 0), style_id("change", FLAT), style_id("y2053", 2, 170)
    ('style-now-0', 'style-change-flat', 'style-y2053-2-pale170')
    """
    return f"style-{key}-{entry}" + (f"-pale{alpha}" if alpha != ALPHAS[0] else "")


def placemarks(part: Part, *, visible: bool, lang: str = "ja") -> Iterator[bytes]:
    """Placemarks of a part in pieces of some thousand features, as UTF-8.

    Areas and points are prisms, lines are walls; without height they lie on the ground. Where
    the layer knows the ground, roofs are level: as high above the sea as ground and height.

    Raises
    ------
    ExportError
        If a shape cannot be drawn; the message names the feature.
    """
    fixed = _fixed(part.layer, visible=visible, lang=lang)
    classes, heights, tops = part.classes(), part.heights(), part.tops()
    styles = _style_ids(part, classes=classes, raised=heights > 0)
    for here in _chunks(part):
        found = _columns(
            part.layer, part.rows[here], key=part.key, classes=classes[here], styles=styles[here],
            lang=lang,
        )  # fmt: skip
        shapes = _geometries(part, part.rows[here], heights=heights[here], tops=tops[here])
        yield _filled(fixed, [*_as_bytes(found), *shapes])


def compact_placemarks(
    part: Part,
    *,
    regions: Sequence[str] = (),
    lang: str = "ja",
) -> Iterator[bytes]:
    """Placemarks whose balloon is made by their style out of their data, in pieces of UTF-8.

    For files of so many shapes that a balloon of its own for each would be too much: a
    description holds no more than the name and what was not counted.

    Parameters
    ----------
    part
        The shapes, all visible.
    regions
        Region of each shape as KML; none if all are always there.
    lang
        "ja" or "en".

    Raises
    ------
    ExportError
        If a shape cannot be drawn; the message names the feature.
    """
    layer, features = part.layer, part.layer.features
    data = "".join(
        f'<Data name="{xml_text(column)}"><value>{PLACE}</value></Data>'
        for column in columns(layer)
    )
    whole = (
        f'<Placemark id="{PLACE}"><name>{PLACE}</name><visibility>1</visibility>'
        f"<description>{PLACE}</description><styleUrl>#{PLACE}</styleUrl>{PLACE}"
        f"<ExtendedData>{data}</ExtendedData>{3 * PLACE}</Placemark>\n"
    )
    fixed = [text.encode() for text in whole.split(PLACE)]
    classes, heights, tops = part.classes(), part.heights(), part.tops()
    styles = _style_ids(part, classes=classes, raised=heights > 0)
    own = list(regions) or [""] * len(part.rows)
    for here in _chunks(part):
        rows = part.rows[here]
        names = texts(features["name"].iloc[rows])
        doubts = imputed_cells(layer, rows, lang=lang) if IMPUTED in features else [""] * len(rows)
        found = [
            ascii_ids([f"{part.key}-{zone}" for zone in features.index[rows].tolist()]),
            xml_texts(names),
            [html_text(name) + doubt for name, doubt in zip(names, doubts, strict=True)],
            styles[here],
            own[here],
            *(cells(layer, column, rows).machine for column in columns(layer)),
        ]
        shapes = _geometries(part, rows, heights=heights[here], tops=tops[here])
        yield _filled(fixed, [*_as_bytes(found), *shapes])


def replaced_characters(part: Part) -> dict[str, int]:
    """Features with characters that XML cannot hold, and how many were replaced by U+FFFD.

    Control characters and lone surrogates in names and in other text of a balloon; the writer
    replaces them, and who calls it tells the reader.
    """
    features = part.layer.features.iloc[part.rows]
    counts = np.zeros(len(features), dtype=int)
    for column in dict.fromkeys(("name", *columns(part.layer))):
        series = features[column]
        if not is_numeric_dtype(series) or is_bool_dtype(series):
            counts += np.array([replaced(text) for text in texts(series)], dtype=np.int64)
    return {str(features.index[row]): int(counts[row]) for row in np.flatnonzero(counts)}


def _chunks(part: Part) -> Iterator[slice]:
    corners = shapely.get_num_coordinates(part.layer.features.geometry.to_numpy()[part.rows])
    room = np.maximum(corners, CHUNK_CORNERS // CHUNK)  # no chunk has more than CHUNK features
    number = (np.cumsum(room) - room) // CHUNK_CORNERS
    starts = np.flatnonzero(np.diff(number, prepend=-1)).tolist()
    for start, end in pairwise([*starts, len(part.rows)]):
        yield slice(start, end)


def _fixed(layer: Layer, *, visible: bool, lang: str) -> list[bytes]:
    """What stands between the texts of a feature's own, from the first to the last."""
    balloon = description_template(layer, lang=lang)
    places = balloon.replace("%%", "").count("%s")
    data = "".join(
        f'<Data name="{xml_text(column)}">'
        f"<displayName>{xml_text(column_label(column, lang=lang))}</displayName>"
        f"<value>{PLACE}</value></Data>"
        for column in columns(layer)
    )
    whole = (
        f'<Placemark id="{PLACE}"><name>{PLACE}</name><visibility>{visible:d}</visibility>'
        f"<description>{balloon % ((PLACE,) * places)}</description>"
        f"<styleUrl>#{PLACE}</styleUrl><ExtendedData>{data}</ExtendedData>{3 * PLACE}</Placemark>\n"
    )
    return [text.encode() for text in whole.split(PLACE)]


def _filled(fixed: Sequence[bytes], found: Sequence[list[bytes]]) -> bytes:
    # one join of all pieces of the chunk is twice as fast as a template a feature
    width = len(fixed) + len(found)
    one = [b""] * width
    one[::2] = fixed
    pieces = one * len(found[0])
    for place, column in enumerate(found):
        pieces[2 * place + 1 :: width] = column
    return b"".join(pieces)


def _as_bytes(found: Sequence[list[str]]) -> list[list[bytes]]:
    # columns are alike where nothing had to be escaped: one is encoded, all its cells at once
    known: list[tuple[list[str], list[bytes]]] = []
    encoded = []
    for column in found:
        same = next((done for other, done in known if other == column), None)
        if same is None:
            same = PLACE.join(column).encode().split(PLACE.encode())
            known.append((column, same))
        encoded.append(same)
    return encoded


def _style_ids(part: Part, *, classes: Rows, raised: NDArray[np.bool_]) -> list[str]:
    entries = [*range(len(part.layer.classes.entries())), FLAT]
    wanted = np.array([[style_id(part.key, e, alpha) for e in entries] for alpha in ALPHAS])
    paleness = (part.fades()[:, None] == np.array(ALPHAS)).argmax(axis=1)
    chosen = np.where(raised, paleness, 0), np.where(raised, classes, -1)
    found: list[str] = wanted.astype(object)[chosen].tolist()
    return found


def _columns(
    layer: Layer,
    rows: Rows,
    *,
    key: str,
    classes: Rows,
    styles: list[str],
    lang: str,
) -> list[list[str]]:
    features = layer.features
    both = {column: cells(layer, column, rows) for column in columns(layer)}
    names = texts(features["name"].iloc[rows])
    people = {column: found.people for column, found in both.items()}
    escaped, names = (names, names) if plain(names) else (xml_texts(names), html_texts(names))
    return [
        ascii_ids([f"{key}-{zone}" for zone in features.index[rows].tolist()]),
        escaped,
        *description_cells(layer, names, classes=classes, people=people, rows=rows, lang=lang),
        styles,
        *(found.machine for found in both.values()),
    ]


def _geometries(
    part: Part,
    rows: Rows,
    *,
    heights: NDArray[np.float64],
    tops: NDArray[np.float64],
) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Three texts that together are the geometry of each feature."""
    layer = part.layer
    found = outlines(
        layer.features.geometry.to_numpy()[rows],
        radius=foot_radius(layer.view, len(layer.features)),
        ids=layer.features.index[rows].tolist(),
        lines=True,
    )
    raised = heights > 0
    form = f"%.{HEIGHT_DECIMALS}f\n" * len(rows)
    written = (form % tuple(tops.tolist())).encode().split(b"\n")[:-1]
    altitudes = [top if up else b"0" for top, up in zip(written, raised.tolist(), strict=True)]
    mode = "relativeToGround" if layer.ground is None else "absolute"
    before, after = _frames(found, raised, mode=mode)
    rings = ring_texts(found, altitudes)
    if len(rings) == len(rows):
        return before, rings, after
    pieces = [b"".join(three) for three in zip(before, rings, after, strict=True)]
    starts = np.searchsorted(found.owners, np.arange(len(rows) + 1)).tolist()
    nothing = [b""] * len(rows)
    return nothing, [b"".join(pieces[start:end]) for start, end in pairwise(starts)], nothing


def _frames(
    found: Outlines,
    raised: NDArray[np.bool_],
    *,
    mode: str,
) -> tuple[list[bytes], list[bytes]]:
    """What stands before and after the corners of every ring."""
    heads, multi = found.roles != HOLE, "<MultiGeometry>"
    several = (np.bincount(found.owners[heads]) > 1)[found.owners]
    first = np.diff(found.owners, prepend=-1) > 0
    last_of_shape, last_of_polygon = np.append(first[1:], True), np.append(heads[1:], True)
    opening = np.array(_openings(mode), dtype=object)
    outer, inner = (f"{RING_END}</{side}BoundaryIs>" for side in ("outer", "inner"))
    closing = [outer, inner, "</coordinates></LineString>"]
    ends = [*closing, f"{outer}</Polygon>", f"{inner}</Polygon>", closing[2]]
    before = opening[found.roles + 3 * raised[found.owners]]
    after = np.array([end.encode() for end in ends], dtype=object)[
        found.roles + 3 * last_of_polygon
    ]
    before[several & first] = multi.encode() + before[several & first]
    after[several & last_of_shape] += multi.replace("<", "</").encode()
    return before.tolist(), after.tolist()


def _openings(mode: str) -> list[bytes]:
    """What stands before an outer ring, a hole and a line, on the ground and raised."""
    found = []
    for way in (ON_GROUND, RAISED % mode):
        found += [
            f"<Polygon>{way}<outerBoundaryIs>{RING}",
            f"<innerBoundaryIs>{RING}",
            f"<LineString>{way}<coordinates>",
        ]
    return [text.encode() for text in found]
