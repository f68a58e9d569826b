"""Rows of a table, streamed to GDAL part by part so that no second copy of the data is held."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from futuremap.core.zones import GEOGRAPHIC
from futuremap.export.geopackage.tables import GEOMETRY, FeatureTable
from futuremap.export.text import NOT_XML, clean

GEOPACKAGE_VERSION = "1.3"  # QGIS 3.22 warns of files of 1.4
# a polygon behind this is a multipolygon of one, without a second shape in memory
ONE_OF_MANY = struct.pack("<BII", 1, shapely.GeometryType.MULTIPOLYGON.value, 1)
SHAPES = {b"ARROW:extension:name": b"geoarrow.wkb"}


def write_rows(table: FeatureTable, path: Path) -> None:
    """Write the features of a table into a new or an existing GeoPackage."""
    schema = pa.schema(
        [
            *(pa.field(name, about.type) for name, about in table.columns.items()),
            pa.field(GEOMETRY, pa.binary(), metadata=SHAPES),
        ],
    )
    stopped: list[BaseException] = []
    reader = pa.RecordBatchReader.from_batches(schema, _told(_batches(table, schema), stopped))
    try:
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
    except Exception:
        if stopped:
            raise stopped[0] from None
        raise


def _told(
    batches: Iterator[pa.RecordBatch], stopped: list[BaseException]
) -> Iterator[pa.RecordBatch]:
    # GDAL makes an error of its own of what ends the stream, of Ctrl-C too
    try:
        yield from batches
    except (Exception, KeyboardInterrupt) as error:
        stopped.append(error)
        raise


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
    texts = shapely.to_wkb(shapes, byte_order=1, flavor="iso")
    if multi:
        simple = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
        # as an object: NumPy's own bytes lose the zeros at their end
        texts[simple] = np.array(ONE_OF_MANY, dtype=object) + texts[simple]
    return pa.array(texts, type=pa.binary())
