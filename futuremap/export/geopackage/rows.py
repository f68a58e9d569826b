"""Rows of a table, streamed to GDAL part by part so that no second copy of the data is held."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely
from numpy.typing import NDArray

from futuremap.core.zones import GEOGRAPHIC
from futuremap.export.geopackage.tables import GEOMETRY, FeatureTable
from futuremap.export.text import NOT_XML, clean

GEOPACKAGE_VERSION = "1.3"  # QGIS 3.22 warns of files of 1.4
SHAPES = {b"ARROW:extension:name": b"geoarrow.wkb"}


def write_rows(table: FeatureTable, path: Path) -> None:
    """Write the features of a table into a new or an existing GeoPackage."""
    schema = pa.schema(
        [
            *(pa.field(name, about.type) for name, about in table.columns.items()),
            pa.field(GEOMETRY, pa.binary(), metadata=SHAPES),
        ],
    )
    reader = pa.RecordBatchReader.from_batches(schema, _batches(table, schema))
    pyogrio.write_arrow(
        reader,
        path,
        layer=table.name,
        driver="GPKG",
        geometry_name=GEOMETRY,
        geometry_type=table.geometry_type,
        crs=f"EPSG:{GEOGRAPHIC}",
        dataset_options={"VERSION": GEOPACKAGE_VERSION},
        layer_options={
            "FID": "fid",
            "GEOMETRY_NAME": GEOMETRY,
            "SPATIAL_INDEX": "YES",
            "IDENTIFIER": table.identifier,
            "DESCRIPTION": table.description,
        },
    )


def _batches(table: FeatureTable, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for frame in table.frames():
        columns = [_column(frame[name], about.type) for name, about in table.columns.items()]
        shapes = _shapes(frame, multi=table.geometry_type == "MultiPolygon")
        yield pa.RecordBatch.from_arrays([*columns, shapes], schema=schema)


def _column(values: pd.Series, kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        texts = values.astype(object).where(values.notna(), None).tolist()
        # GDAL ends a text at its first NUL, and half a surrogate pair is no text
        if NOT_XML.search("\n".join(text or "" for text in texts)):
            texts = [text and clean(text) for text in texts]
        return pa.array(texts, type=kind)
    return pa.array(values, type=kind, from_pandas=True)


def _shapes(frame: gpd.GeoDataFrame, *, multi: bool) -> pa.Array:
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    return pa.array(shapely.to_wkb(_multi(shapes) if multi else shapes, flavor="iso"))


def _multi(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    simple = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
    if not simple.any():
        return shapes
    several = shapes.copy()
    polygons = shapes[simple]
    several[simple] = shapely.multipolygons(polygons, indices=np.arange(len(polygons)))
    return several
