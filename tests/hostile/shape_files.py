"""Hostile shapes, databases and rasters."""

import json
import sqlite3
import struct

import numpy as np

from tests.catalogue import clean
from tests.hostile.files import CASES, VRT, case
from tests.sources.shapes import geotiff

__all__ = ["CASES", "VRT"]


def geojson(body):
    """A GeoJSON of any text."""

    def build(folder, port):
        path = folder / "hostile.geojson"
        path.write_text(body(port) if callable(body) else body, encoding="utf-8")
        return path

    return build


for _reader in ("vector", "outline", "boundary", "ksj_points"):
    CASES[f"brackets 500,000 deep for {_reader}"] = (
        _reader, ("FM558", "FM104"), geojson('{"features":' + "[" * 500_000),
    )  # fmt: skip
CASES["a number of 5,000,000 digits"] = (
    "outline",
    ("FM558",),
    geojson('{"features":' + "9" * 5_000_000),
)
CASES["12,000,000 values"] = (
    "vector", ("FM558", "FM104"), geojson('{"features":[' + "0," * 12_000_000 + "0]}"),
)  # fmt: skip
CASES["a system that is an address"] = "vector", ("FM540",), geojson(
    lambda port: json.dumps(
        {"features": json.loads(_one())["features"],
         "crs": {"type": "link", "properties": {"name": f"http://127.0.0.1:{port}/4326",
                                                "href": f"http://127.0.0.1:{port}/4326"}}}
    )
)  # fmt: skip


def _one():
    box = [[[138.25, 34.8], [138.26, 34.8], [138.26, 34.81], [138.25, 34.8]]]
    feature = {"type": "Feature", "properties": {"key": "1", "name": "a"},
               "geometry": {"type": "Polygon", "coordinates": box}}  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": [feature]})


@case("a collection nested 50,000 deep", "vector", "FM558", "FM529", "FM547")
def _(folder, port):
    deep = '{"type":"GeometryCollection","geometries":[' * 50_000 + "]}" * 50_000
    return geojson('{"features":[{"properties":{"key":"1","name":"a"},"geometry":' + deep + "}]}")(
        folder, port
    )


def prj(text):
    """A shapefile with another .prj."""

    def build(folder, port):
        path = clean.clean("vector_shp", folder)
        path.with_suffix(".prj").write_text(text.format(port=port), encoding="utf-8")
        return path

    return build


CASES["a .prj nested 5,000 deep"] = "vector_shp", ("FM540",), prj("GEOGCS[" * 5_000)
CASES["a .prj of 30 MB"] = "vector_shp", ("FM540", "FM104"), prj("GEOGCS[" + "x" * 30_000_000)
CASES["a .prj that is an address"] = "vector_shp", ("FM540",), prj("http://127.0.0.1:{port}/4326")
CASES["a .prj that is a pipeline"] = (
    "vector_shp",
    ("FM540",),
    prj("+proj=longlat +nadgrids=@http://127.0.0.1:{port}/g"),
)


def patched(reader, suffix, *patches):
    """A clean binary file with other bytes at some places."""

    def build(folder, _port):
        path = clean.clean(reader, folder)
        part = path.with_suffix(suffix)
        found = bytearray(part.read_bytes())
        for at, form, value in patches:
            struct.pack_into(form, found, at, value)
        part.write_bytes(found)
        return path

    return build


CASES["a polygon of 2 billion corners"] = (
    "vector_shp", ("FM557", "FM529", "FM575"), patched("vector_shp", ".shp", (100 + 8 + 40, "<i", 2**31 - 1)),
)  # fmt: skip
CASES["a shape record of 2 GiB"] = (
    "vector_shp", ("FM557", "FM529", "FM575"), patched("vector_shp", ".shx", (104, ">i", 2**30 - 1)),
)  # fmt: skip
CASES["a table of 4 billion rows"] = (
    "vector_shp", ("FM557",), patched("vector_shp", ".dbf", (4, "<I", 2**32 - 1)),
)  # fmt: skip
CASES["a table of rows without width"] = (
    "ksj_mesh_shp", ("FM557",), patched("ksj_mesh_shp", ".dbf", (10, "<H", 0)),
)  # fmt: skip


def gpkg(*statements):
    """A clean GeoPackage after some SQL."""

    def build(folder, _port):
        path = clean.clean("vector_gpkg", folder)
        database = sqlite3.connect(path)
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        for statement in statements:
            database.execute(statement)
        database.commit()
        database.close()
        return path

    return build


ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t)"
CASES["a table that is an endless view"] = (
    "vector_gpkg",
    ("FM559", "FM548"),
    gpkg(
        "ALTER TABLE clean RENAME TO town",
        f"CREATE VIEW clean AS {ENDLESS} SELECT n AS fid, 'a' AS key, 'a' AS name, NULL AS geom FROM t",  # noqa: S608
        "UPDATE gpkg_contents SET table_name = 'clean'",
        "UPDATE gpkg_geometry_columns SET table_name = 'clean'",
    ),
)
CASES["contents that are an endless view"] = (
    "vector_gpkg",
    ("FM559",),
    gpkg(
        "DROP TABLE gpkg_contents",
        f"CREATE VIEW gpkg_contents AS {ENDLESS} SELECT 'clean' AS table_name, 'features' AS data_type FROM t",  # noqa: S608
    ),
)
CASES["a text of 200 MB"] = (
    "vector_gpkg",
    ("FM562", "FM104"),
    gpkg("UPDATE clean SET name = CAST(zeroblob(200000000) AS TEXT) WHERE fid = 1"),
)
CASES["a table whose system is an address"] = (
    "vector_gpkg",
    ("FM540",),
    gpkg(
        "UPDATE gpkg_spatial_ref_sys SET organization = 'x', definition = 'http://127.0.0.1/4326'"
    ),
)


@case("a raster of 2,000,000 cells a side", "raster", "FM104", "FM102", "FM551")
def _(folder, _port):
    path = geotiff(folder / "a.tif", np.ones((10, 30), np.float32))
    found = bytearray(path.read_bytes())
    (ifd,) = struct.unpack_from("<I", found, 4)
    (count,) = struct.unpack_from("<H", found, ifd)
    for at in range(ifd + 2, ifd + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from("<H", found, at)
        if tag in {256, 257}:  # width and height
            struct.pack_into("<HHII", found, at, tag, 4, 1, 1_999_999)
    path.write_bytes(found)
    return path


@case("directories of a TIFF in a ring", "raster", "FM102", "FM540", "FM541", "FM550")
def _(folder, _port):
    path = folder / "a.tif"
    path.write_bytes(b"II*\0" + struct.pack("<IHHHIII", 8, 1, 256, 4, 1, 9, 8))
    return path


@case("a raster of another format in the clothes of a TIFF", "raster", "FM102")
def _(folder, port):
    path = folder / "a.tif"
    path.write_bytes(b"II*\0" + VRT.format(port=port).encode())
    return path
