"""GeoParquet of the themes: shapes and all columns in one file that geopandas, DuckDB and R read.

Written after the specification, version 1.1.0, with the Japanese names of the columns, the
title and the credits beside it.

References
----------
GeoParquet specification 1.1.0, https://geoparquet.org/releases/v1.1.0/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely
from numpy.typing import NDArray

from futuremap.core.fields import describe
from futuremap.core.layer import Layer, Text
from futuremap.core.zones import GEOGRAPHIC
from futuremap.export.tabular import whole_years

SPECIFICATION = "1.1.0"
GEOMETRY = "geometry"
ABOUT = b"futuremap"  # key of what we say of a theme ourselves


def write_geoparquet(layers: Sequence[Layer], path: Path, *, about: Mapping[str, object]) -> None:
    """Write a theme, a row a feature.

    The same layers give the same bytes.

    Parameters
    ----------
    layers
        The layers of one theme, which share their features.
    path
        File to write, ending in ``.parquet``.
    about
        What the file says about the run, as JSON can hold it.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    features = layers[0].features
    shapes = np.asarray(features.geometry.to_numpy(), dtype=object)
    rows = whole_years(pd.DataFrame(features.drop(columns=features.geometry.name)))
    table = pa.Table.from_pandas(rows.reset_index(names="zone"), preserve_index=False)
    table = table.append_column(GEOMETRY, pa.array(shapely.to_wkb(shapes), type=pa.binary()))
    named = [_with_names(entry) for entry in table.schema]
    metadata = {
        b"geo": _json(_geo(shapes)),
        ABOUT: _json({**about, **_theme(layers)}),
    }
    table = table.cast(pa.schema(named)).replace_schema_metadata(metadata)
    pq.write_table(table, path, compression="zstd")


def _with_names(entry: pa.Field) -> pa.Field:
    if entry.name == GEOMETRY:
        return entry
    meant, year = describe(entry.name)
    said = {
        "name_ja": meant.label(year=year),
        "name_en": meant.label("en", year=year),
        "definition_ja": meant.definition_ja,
    }
    return entry.with_metadata({key: value.encode() for key, value in said.items()})


def _geo(shapes: NDArray[np.object_]) -> dict[str, object]:
    known = shapes[shapely.get_type_id(shapes) >= 0]
    types = sorted(
        {str(shapely.geometry.base.GEOMETRY_TYPES[i]) for i in shapely.get_type_id(known)}
    )
    column: dict[str, object] = {
        "encoding": "WKB",
        "geometry_types": types,
        "crs": pyproj.CRS.from_epsg(GEOGRAPHIC).to_json_dict(),
    }
    if known.size:
        column["bbox"] = [float(side) for side in shapely.total_bounds(known)]
    return {"version": SPECIFICATION, "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


def _theme(layers: Sequence[Layer]) -> dict[str, object]:
    first = layers[0]
    years = sorted({year for layer in layers for year in (layer.base_year, layer.year)})
    return {
        "theme": first.theme,
        "kind": first.kind,
        "title": list(first.title),
        "place": list(first.place),
        "years": years,
        "notes": [list(note) for note in shared_notes(layers)],
        "credits": [
            {
                "key": credit.key,
                "text_ja": credit.text_ja,
                "text_en": credit.text_en,
                "licence": credit.licence,
                "url": credit.url,
                "synthetic": credit.synthetic,
            }
            for credit in first.credits
        ],
        "synthetic": first.synthetic,
    }


def shared_notes(layers: Sequence[Layer]) -> list[Text]:
    """Notes about a theme itself, without those about one of its maps."""
    return [note for note in layers[0].notes if all(note in layer.notes for layer in layers)]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
