"""Splitting of a theme into files that a client accepts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from futuremap.core.layer import Layer
from futuremap.errors import ExportError
from futuremap.export.kml.balloon import Rows
from futuremap.export.kml.profiles import Profile
from futuremap.export.kml.shapes import vertex_counts
from futuremap.export.kml.writer import Part
from futuremap.export.text import file_stem

FRAME_FEATURES = 6  # document, legend, folder of the states and the states' folders


def files_of(
    layers: Sequence[Layer],
    profile: Profile,
    *,
    prefix: str,
    fade: bool = False,
) -> dict[str, list[Part]]:
    """File name of every file, with what it holds.

    All states in one file if the client takes them together, else one file a state, else
    numbered tiles of a state from west to east.

    Raises
    ------
    ExportError
        If a shape cannot be drawn, or one alone has more vertices than the client takes.
    """
    wholes = [Part(layer, np.flatnonzero(layer.shown), fade=fade) for layer in layers]
    theme = f"{prefix}{file_stem(layers[0].theme)}"
    if _fits(wholes, profile):
        return {f"{theme}.kmz": wholes}
    files: dict[str, list[Part]] = {}
    for whole in wholes:
        suffix = str(whole.layer.year) if whole.layer.state == "future" else whole.layer.state
        if whole.layer.scenario_key:
            suffix += f"_{file_stem(whole.layer.scenario_key)}"
        tiles = [whole] if _fits([whole], profile) else _tiles(whole, profile)
        for tile in tiles:
            number, count = tile.tile
            place = f"_{number}of{count}" if count > 1 else ""
            files[f"{theme}_{suffix}{place}.kmz"] = [tile]
    return files


def _fits(parts: Sequence[Part], profile: Profile) -> bool:
    features = sum(len(part.rows) for part in parts) + FRAME_FEATURES
    vertices = sum(int(_vertices(part).sum()) for part in parts)
    return features <= profile.max_features and vertices <= profile.max_vertices


def _vertices(part: Part) -> Rows:
    features = part.layer.features
    ids = features.index[part.rows].tolist()
    return vertex_counts(features.geometry.to_numpy()[part.rows], ids=ids)


def _tiles(whole: Part, profile: Profile) -> list[Part]:
    counts = _vertices(whole)
    if counts.max(initial=0) > profile.max_vertices:
        zone = whole.layer.features.index[whole.rows[int(counts.argmax())]]
        raise ExportError(
            f"{whole.layer.theme}: the shape of {zone} alone has {counts.max():,} vertices, "
            f"{profile.name} takes {profile.max_vertices:,} a file; simplify the boundaries",
        )
    shapes = whole.layer.features.geometry.to_numpy()[whole.rows]
    west, _, east, _ = shapely.bounds(shapes).T
    order = np.lexsort((whole.rows, west + east))
    room = profile.max_features - FRAME_FEATURES
    least = max(-(-len(order) // room), -(-int(counts.sum()) // profile.max_vertices))
    for count in range(least, len(order) + 1):
        pieces = [np.sort(piece) for piece in np.array_split(order, count)]
        if all(counts[piece].sum() <= profile.max_vertices for piece in pieces):
            break
    return [
        whole._replace(rows=whole.rows[piece], tile=(number, count))
        for number, piece in enumerate(pieces, start=1)
    ]
