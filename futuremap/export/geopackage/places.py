"""Tables that go with the themes: outlines of reach, and the boundary of the municipality."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from futuremap.core.credits import Credit
from futuremap.core.layer import Layer
from futuremap.core.zones import Zones
from futuremap.export.geopackage.drawing import (
    first_of,
    outline_drawing,
    ring_drawing,
    yearless,
)
from futuremap.export.geopackage.expressions import plain_tip
from futuremap.export.geopackage.tables import (
    Column,
    FeatureTable,
    bounds_of,
    described,
    description_of,
    named_column,
    shared_notes,
    synthetic_mark,
    text_column,
    title_of,
    type_of,
)

HECTARE = 10_000.0  # m²
RINGS = "reach"
BOUNDARY = "市区町村界"


def ring_table(layers: Sequence[Layer]) -> FeatureTable | None:
    """Outlines of reach of facilities in the years of now and future; None if there are none.

    Parameters
    ----------
    layers
        The states of one theme.
    """
    states = [layer for layer in layers if layer.state != "change" and _has_ring(layer).any()]
    if not states:
        return None
    first = first_of(states)
    features = pd.concat([_rings(layer) for layer in states])
    columns = {"zone": text_column("zone"), "year": named_column("year", pa.int64())}
    columns |= {name: text_column(name) for name in ("name", "facility_class") if name in features}
    for name in (yearless(first.height), yearless(first.colour)):
        columns[name] = named_column(name, pa.float64())
    order = [first, *(layer for layer in states if layer is not first)]
    return FeatureTable(
        name=f"{first.theme}_{RINGS}",
        title=f"{first.title.ja}（利用圏の範囲）",
        identifier=f"{title_of(layers)}（利用圏の範囲）",
        description=description_of(layers, shared_notes(layers)),
        geometry_type="MultiPolygon",
        columns=columns,
        drawings=tuple(ring_drawing(layer, layers) for layer in order),
        rows=len(features),
        located=len(features),
        bounds=bounds_of(features),
        frames=lambda: iter([features]),
    )


def _has_ring(layer: Layer) -> NDArray[np.bool_]:
    if layer.reaches is None:
        return np.zeros(len(layer.features), dtype=np.bool_)
    known = ~(shapely.is_missing(layer.reaches) | shapely.is_empty(layer.reaches))
    return np.asarray(known & layer.shown)


def _rings(layer: Layer) -> gpd.GeoDataFrame:
    drawn = np.flatnonzero(_has_ring(layer))
    features = layer.features.iloc[drawn]
    held: dict[str, object] = {"zone": features.index, "year": layer.year}
    held |= {n: features[n] for n in ("name", "facility_class") if n in features}
    held |= {yearless(n): features[n] for n in (layer.height, layer.colour)}
    shapes = np.asarray(layer.reaches, dtype=object)[drawn]
    frame = pd.DataFrame(held, index=features.index)
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=features.crs)


def outline_table(
    outlines: Sequence[Zones],
    credits: Sequence[Credit],  # noqa: A002
    *,
    name: str,
) -> FeatureTable:
    """The boundary of municipalities, each measured in its own plane zone.

    Parameters
    ----------
    outlines
        Municipalities as polygons.
    credits
        Credits of the data.
    name
        Name of the table.
    """
    frame = gpd.GeoDataFrame(pd.concat([zones.frame for zones in outlines]))
    areas = np.concatenate([zones.areas() for zones in outlines]) / HECTARE
    features = frame[["name", "geometry"]].assign(zone=frame.index, area_ha=areas).sort_index()
    columns: dict[str, Column] = {key: text_column(key) for key in ("zone", "name")}
    columns["area_ha"] = named_column("area_ha", type_of("area_ha", features["area_ha"]))
    names = "・".join(features["name"])
    identifier = f"{synthetic_mark(credits)}{names} {BOUNDARY}"
    notes = [note[0] for zones in outlines for note in zones.notes]
    return FeatureTable(
        name=name,
        title=BOUNDARY,
        identifier=identifier,
        description=described(credits, notes),
        geometry_type="MultiPolygon",
        columns=columns,
        drawings=(outline_drawing(plain_tip(BOUNDARY, credits=credits)),),
        rows=len(features),
        located=len(features),
        bounds=bounds_of(features),
        frames=lambda: iter([features]),
    )
