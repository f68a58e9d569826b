"""Tables by year: a row a feature and year, with the time in which it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from futuremap.core.fields import column, describe
from futuremap.core.layer import Layer
from futuremap.export.geopackage.drawing import SHOWN, years_drawing
from futuremap.export.geopackage.tables import (
    BATCH,
    Column,
    FeatureTable,
    bounds_of,
    data_columns,
    description_of,
    has_shape,
    named_column,
    place_of,
    shared_notes,
    text_column,
    title_of,
)
from futuremap.export.themes import FEWEST_SHOWN, in_service

PERIOD = ("begin", "end")
MOMENT = pa.timestamp("ms", tz="UTC")  # the only time that GeoPackage knows
ENDING = "by_year"


def periods(years: Sequence[int]) -> list[tuple[int, int]]:
    """First year in which each year's numbers hold, and the first in which they no longer do.

    They hold until the next numbers do; the last as long as the ones before.

    Examples
    --------
    >>> periods([2023, 2028, 2033])
    [(2023, 2028), (2028, 2033), (2033, 2038)]
    """
    last = years[-1] + (years[-1] - years[-2] if len(years) > 1 else 1)
    return list(pairwise([*years, last]))


def years_of(features: gpd.GeoDataFrame) -> list[int]:
    """The years that the columns of features name, in order."""
    named = (describe(name)[1] for name in features.columns if name != features.geometry.name)
    return sorted({year for year in named if year is not None})


def years_table(layers: Sequence[Layer]) -> FeatureTable:
    """All years of a theme in one table, for QGIS's temporal controller.

    Parameters
    ----------
    layers
        The states of one theme.
    """
    first, features = layers[0], layers[0].features
    years, columns = years_of(features), _columns(features)

    def frames() -> Iterator[gpd.GeoDataFrame]:
        for year, period in zip(years, periods(years), strict=True):
            shown = shown_in(layers, year)
            for start in range(0, len(features), BATCH):
                part = slice(start, start + BATCH)
                rows = _rows(features.iloc[part], columns, year=year, period=period)
                yield rows.assign(**{SHOWN: shown[part]})

    shaped = int(has_shape(features).sum())
    return FeatureTable(
        name=f"{first.theme}_{ENDING}",
        title=first.title.ja,
        identifier=f"{title_of(layers)}（各年）",
        description=description_of(layers, [*shared_notes(layers), _note(first)]),
        geometry_type=place_of(first),
        columns=columns,
        drawings=(years_drawing(layers),),
        rows=len(features) * len(years),
        located=shaped * len(years),
        bounds=bounds_of(features),
        frames=frames,
        period=PERIOD,
    )


def shown_in(layers: Sequence[Layer], year: int) -> NDArray[np.bool_]:
    """Which features are drawn in a year ``(N,)``: by the rule of now and future in all years."""
    for layer in layers:
        if layer.year == year and layer.state != "change":
            return layer.shown
    first, features = layers[0], layers[0].features
    if first.kind == "facility":
        standing = np.ones(len(features), dtype=np.bool_)
        if "opened" in features:
            standing = ~(features["opened"].to_numpy(dtype=np.float64) > year)
        return has_shape(features) & in_service(features, year, otherwise=standing)
    people = column("population", year)
    if people not in features:
        return has_shape(features)
    return np.asarray(features[people].to_numpy(dtype=np.float64) >= FEWEST_SHOWN)


def _note(layer: Layer) -> str:
    if layer.kind == "facility":
        return "各年の図では、その年に供用していない施設を描いていません。"
    return f"各年の図では、その年の人口が{FEWEST_SHOWN:g}人未満の区域を描いていません。"


def _columns(features: gpd.GeoDataFrame) -> dict[str, Column]:
    known = data_columns(features)
    columns = {"zone": text_column("zone"), "year": named_column("year", pa.int64())}
    columns |= {name: named_column(name, MOMENT) for name in PERIOD}
    columns |= {name: about for name, about in known.items() if describe(name)[1] is None}
    for name, about in known.items():
        entry, year = describe(name)
        if year is not None:
            columns.setdefault(entry.name, named_column(entry.name, about.type))
    columns[SHOWN] = named_column(SHOWN, pa.int32())
    return columns


def _rows(
    features: gpd.GeoDataFrame,
    columns: dict[str, Column],
    *,
    year: int,
    period: tuple[int, int],
) -> gpd.GeoDataFrame:
    begin, end = (pd.Timestamp(f"{when}-01-01", tz="UTC") for when in period)
    held: dict[str, object] = {"zone": features.index, "year": year, "begin": begin, "end": end}
    for name in columns.keys() - held.keys() - {SHOWN}:
        of_year = f"{name}_{year}"
        if name in features:
            held[name] = features[name]
        elif of_year in features:
            held[name] = features[of_year]
        else:  # a change has no base year, nor has an interval
            held[name] = np.nan
    frame = pd.DataFrame(held, index=features.index)
    return gpd.GeoDataFrame(frame, geometry=features.geometry.to_numpy(), crs=features.crs)
