"""Small files of shapes, made for one test each."""

import json
import struct
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely

from futuremap.sources.vector import Layout, Town

CLIPS = Path(__file__).resolve().parents[2] / "fixtures" / "geo" / "clips"
YAIZU = Town("22212", 8, (138.2, 34.7, 138.4, 35.0))
LAYOUT = Layout("key", "name")
WEST, SOUTH, STEP = 138.25, 34.80, 0.01  # in 焼津市
BOWTIE = shapely.Polygon([(138.25, 34.8), (138.26, 34.81), (138.26, 34.8), (138.25, 34.81)])


def squares(count=3):
    """Squares in a row from west to east, each sharing a side with the next."""
    lefts = [WEST + i * STEP for i in range(count)]
    return [shapely.box(left, SOUTH, left + STEP, SOUTH + STEP) for left in lefts]


def frame(shapes=None, epsg=6668, **columns):
    shapes = squares() if shapes is None else shapes
    count = len(shapes)
    values = {"key": [f"0{i}" for i in range(count)], "name": [f"町{i}" for i in range(count)]}
    return gpd.GeoDataFrame(values | columns, geometry=shapes, crs=6668).to_crs(epsg)


def write(path, data, **options):
    """Any format by its ending; a .geojson names its system as GDAL does."""
    if path.suffix == ".geojson":
        path.write_text(as_geojson(data), encoding="utf-8")
    else:
        data.to_file(path, **options)
    return path


def as_geojson(data, crs="urn:ogc:def:crs:EPSG::6668"):
    found = json.loads(data.to_json(drop_id=True, to_wgs84=False))
    found.pop("crs", None)
    if crs:
        found["crs"] = {"type": "name", "properties": {"name": crs}}
    return json.dumps(found, ensure_ascii=False)


def zip_of(path, stem, *, prefix=""):
    """A zip of all parts of a shapefile."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(stem.parent.glob(f"{stem.stem}.*")):
            if part.suffix != ".zip":
                archive.write(part, prefix + part.name)
    return path


def nested_wkb(depth):
    return struct.pack("<BII", 1, 7, 1) * depth + struct.pack("<BII", 1, 3, 0)


def geotiff(path, values, *, epsg=6668, west=WEST, north=SOUTH + STEP, cell=STEP / 10, **options):
    """A raster whose upper left corner is that of the squares."""
    values = np.asarray(values)
    profile = {
        "driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1,
        "dtype": values.dtype, "crs": epsg and f"EPSG:{epsg}",
        "transform": rasterio.Affine(cell, 0, west, 0, -cell, north),
    }  # fmt: skip
    with rasterio.open(path, "w", **(profile | options)) as out:
        out.write(values, 1)
    return path
