"""Facilities that move: the map of the future shows them where they will stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.core.layer import Layer, Text

SHOWN = 5  # names in a note


def with_moves(layers: Sequence[Layer], moved: Mapping[str, shapely.Point]) -> tuple[Layer, ...]:
    """The layers of a theme, its future with the facilities that move at their new places.

    Parameters
    ----------
    layers
        Now, future and change, with the same features.
    moved
        Where facilities stand in the future, by id; those that stay are not in it.

    Returns
    -------
    tuple of Layer
        With a note, in all of them, if any facility moves. The map of change, and a table that
        has one place for all states, keep the place of today.
    """
    ids = [zone for zone in layers[0].features.index if zone in moved]
    if not ids:
        return tuple(layers)
    names = "、".join(layers[0].features.loc[ids, "name"].iloc[:SHOWN])
    names += " など" if len(ids) > SHOWN else ""
    note = Text(
        f"移転する{len(ids)}施設（{names}）は、将来の図では移転先に立ち、現況・増減の図とQGISでは今の場所"
        "に立っています。",
        f"{len(ids)} facilities that move ({names}) stand at their new places on the map of the "
        "future, at those of today on the others and in QGIS.",
    )
    noted = [replace(layer, notes=(*layer.notes, note)) for layer in layers]
    later = layers[0].features.copy()
    geometry = later.geometry.copy()
    geometry.loc[ids] = [moved[zone] for zone in ids]
    later = later.set_geometry(geometry)
    return tuple(
        replace(layer, features=later, reaches=_elsewhere(layer, ids))
        if layer.state == "future"
        else layer
        for layer in noted
    )


def _elsewhere(layer: Layer, ids: Sequence[str]) -> NDArray[np.object_] | None:
    """Outlines of reach without those around the old places."""
    if layer.reaches is None:
        return None
    kept = layer.reaches.copy()
    kept[layer.features.index.get_indexer(list(ids))] = None
    return kept
