"""Layers of a difference: two runs in one picture, height and colour on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from futuremap.core.classes import DIVERGING, between
from futuremap.core.credits import SYNTHETIC, Credit
from futuremap.core.fields import column, field
from futuremap.core.layer import Layer, Text, metres_per_unit, view_of
from futuremap.core.table import Table
from futuremap.core.zones import GEOGRAPHIC, Kind

DIFFERENCE_RATE = replace(
    between((-30, -10, -3, 3, 10, 30), "％", "%", DIVERGING[7]),
    unknown_ja="Aでは0人",
    unknown_en="nobody in A",
)
FEWEST_SHOWN = 0.5  # persons in either run; as on every other map
TITLES = {
    "municipality": Text("市区町村の人口の差（B－A）", "Difference by municipality, B - A"),
    "town_block": Text("町丁別の人口の差（B－A）", "Difference by town block, B - A"),
    "mesh": Text("メッシュの人口の差（B－A）", "Difference on the mesh, B - A"),
    "facility": Text("利用圏人口の差（B－A）", "Difference of people in reach, B - A"),
}
OTHER = Text("差（B－A）", "Difference, B - A")


def difference_features(
    listed: gpd.GeoDataFrame, table: Table, *, made_up: bool, remarks: pd.Series | None = None
) -> gpd.GeoDataFrame:
    """Features with a difference in all years, in the units that readers see.

    Parameters
    ----------
    listed
        Name and shape of every feature, sorted by id; zones of the table are among them.
    table
        The difference.
    made_up
        Whether the data are made up.
    remarks
        What is to be said of single features.
    """
    columns = {
        column(name, year): field(name).export(table.column(name, year))
        for name in table.indicators
        for year in table.years
    }
    values = pd.DataFrame(columns, index=pd.Index(list(table.zones), dtype=object))
    kept = [name for name in ("name", "parent", "facility_class", "address") if name in listed]
    wide = pd.DataFrame(listed[kept]).join(values)
    said = pd.Series("", index=wide.index) if remarks is None else remarks.reindex(wide.index)
    if made_up:
        said = said.where(said != "", SYNTHETIC[0])
    if (said != "").any():
        wide["remark"] = said
    wide.index.name = "zone"
    return gpd.GeoDataFrame(wide, geometry=listed.geometry.to_numpy(), crs=GEOGRAPHIC)


def difference_layer(
    features: gpd.GeoDataFrame,
    years: tuple[int, int],
    *,
    theme: str,
    kind: Kind,
    place: Text,
    notes: Sequence[Text],
    credits: Sequence[Credit],  # noqa: A002 - the noun of the field
) -> Layer:
    """The difference in the last year: height its size, colour its share of the first run.

    Parameters
    ----------
    features
        What :func:`difference_features` gives.
    years
        Base year and last year.
    theme, kind, place
        ASCII name, what the features are, and where.
    notes, credits
        What a reader must know, and the credits of both runs.
    """
    base, year = years
    counted = "people_in_reach" if kind == "facility" else "population"
    tall = "people_in_reach_difference" if kind == "facility" else "density_difference"
    height = column(tall, year)
    first, second = (
        features[column(f"{counted}_{which}", year)].to_numpy(dtype=np.float64)
        for which in ("first", "second")
    )
    located = shapely.get_type_id(features.geometry.to_numpy()) >= 0
    known = located & np.isfinite(features[height].to_numpy(dtype=np.float64))
    many = np.fmax(first, second)
    shown = known & ((kind == "facility") | (np.nan_to_num(many) >= FEWEST_SHOWN))
    view = view_of(features.geometry.to_numpy()[known], np.nan_to_num(many[known]))
    heights = features[height].to_numpy(dtype=np.float64)
    parts = ("first", "second", "difference", "difference_rate")
    words = ["facility_class", "address"] if kind == "facility" else []
    balloon = [name for name in words if name in features]
    balloon += [column(f"{counted}_{part}", year) for part in parts]
    further = ("ageing_rate_difference", "population_0_14_difference",
               "population_65_over_difference")  # fmt: skip
    balloon += [column(name, year) for name in further if column(name, year) in features]
    return Layer(
        theme=theme,
        title=TITLES.get(kind, OTHER),
        place=place,
        kind=kind,
        state="future",
        year=year,
        base_year=base,
        features=features,
        height=height,
        colour=column(f"{counted}_difference_rate", year),
        classes=DIFFERENCE_RATE,
        metres_per_unit=metres_per_unit([heights], view),
        shown=shown,
        balloon=tuple(balloon),
        notes=tuple(notes),
        credits=tuple(credits),
        view=view,
    )
