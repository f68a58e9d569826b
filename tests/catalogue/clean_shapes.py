"""Clean shapes and rasters (合成データ in part) and their readers."""

import functools
import json

import geopandas as gpd
import numpy as np
import shapely

from futuremap.core import mesh
from futuremap.core.zones import Zones
from futuremap.sources import (
    boundary,
    districts,
    ksj_mesh,
    ksj_points,
    outline,
    outline_file,
    raster,
    vector,
)
from tests.catalogue.registry import on
from tests.sources.shapes import CLIPS, LAYOUT, YAIZU, frame, geotiff, squares, zip_of
from tests.sources.shapes import write as write_shapes

UTASHINAI = vector.Town("01227", 12, (141.9, 43.4, 142.2, 43.6))


def outline_json():
    """A square near 高松市 in the columns of N03."""
    shape = shapely.geometry.mapping(shapely.box(134.0, 34.2, 134.1, 34.4))
    properties = {"N03_001": "香川県", "N03_004": "高松市", "N03_007": "37201"}
    feature = {"type": "Feature", "properties": properties, "geometry": shape}
    return {"type": "FeatureCollection", "features": [feature]}


def write_json(path, found):
    path.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    return path


@on("outline", ".geojson", "text", lambda path: write_json(path, outline_json()))
def _read_outline(path, report):
    return outline.read(path, code="37201", plane_zone=4, name="高松市", credit="c", report=report)


def _outline_shp(path):
    found = outline_json()["features"]
    return write_shapes(path, gpd.GeoDataFrame.from_features(found, crs=6668))


def _read_outline_file(path, report):
    return outline_file.read(
        path, code="37201", plane_zone=4, name="高松市", credit="c", report=report
    )


on("outline_gpkg", ".gpkg", "gdal", _outline_shp)(_read_outline_file)
on("outline_zip", ".zip", "gdal", lambda p: zip_of(p, _outline_shp(p.with_suffix(".shp"))))(
    _read_outline_file
)


def boundary_json(count=3):
    """The first blocks of a real boundary file, with fewer corners."""
    found = json.loads((CLIPS / "boundary" / "utashinai_01227.geojson").read_text(encoding="utf-8"))
    found["features"] = found["features"][:count]
    for i, feature in enumerate(found["features"]):
        left = 142.0 + i * 0.01
        box = shapely.box(left, 43.5, left + 0.01, 43.51)
        feature["geometry"] = shapely.geometry.mapping(box)
    return found


@on("boundary", ".geojson", "text", lambda path: write_json(path, boundary_json()))
def _read_boundary(path, report):
    found = boundary.read(path, town=UTASHINAI, credit="c", report=report)
    return None if found.zones is None else found


def _read_vector(path, report, layout=LAYOUT, town=YAIZU):
    return vector.read(path, layout, town=town, kind="town_block", credit="c", report=report)


def _squares(path):
    return write_shapes(path, frame())


for _name, _ending, _kind in (
    ("vector", ".geojson", "text"), ("vector_shp", ".shp", "gdal"), ("vector_gpkg", ".gpkg", "gdal"),
):  # fmt: skip
    on(_name, _ending, _kind, _squares)(_read_vector)


@on("vector_refuse", ".geojson", "text", _squares)
def _read_refusing(path, report):
    layout = vector.Layout("key", "name", duplicates="refuse", broken="refuse")
    return _read_vector(path, report, layout)


@on("vector_parent", ".geojson", "text", lambda path: write_shapes(path, frame(city=["22212"] * 3)))
def _read_parent(path, report):
    return _read_vector(path, report, vector.Layout("key", "name", parent="city"))


def _zip(path):
    return zip_of(path, _squares(path.with_suffix(".shp")))


on("vector_zip", ".zip", "gdal", _zip)(_read_vector)


def district_frame():
    """A27 in its columns."""
    columns = {"A27_001": "22212", "A27_002": "焼津市立", "A27_003": ["B1", "B2", "B3"],
               "A27_004": ["東小", "西小", "南小"], "A27_005": "焼津市"}  # fmt: skip
    return frame(**columns).drop(columns=["key", "name"])


@on("districts", ".geojson", "text", lambda path: write_shapes(path, district_frame()))
def _read_districts(path, report):
    return districts.read(path, town=YAIZU, credit="c", report=report)


def point_frame(product="P29", **columns):
    """Schools of 2021 in the columns of P29."""
    shapes = [shapely.Point(138.25 + i / 100, 34.85) for i in range(3)]
    values = {1: "22212", 2: ["B1", "B2", "B3"], 3: "16001", 4: ["東小", "西小", "南小"],
              5: ["焼津市1", "焼津市2", "焼津市3"], 6: 3, 7: 1}  # fmt: skip
    named = {f"{product}_{at:03d}": value for at, value in values.items()} | columns
    return gpd.GeoDataFrame(named, geometry=shapes, crs=6668)


def _read_points(path, report):
    return ksj_points.read(
        path, facility_class="school", town=YAIZU, credit="c", base_year=2025, report=report
    )


on("ksj_points", ".geojson", "text", lambda p: write_shapes(p, point_frame()))(_read_points)
on("ksj_points_shp", ".shp", "gdal", lambda p: write_shapes(p, point_frame()))(_read_points)


def mesh_rows(years=(2025,)):
    """Four meshes of the edition of 2024."""
    rows = []
    for i, code in enumerate(mesh.children("51337700", "500m").tolist()):
        row = {"MESH_ID": int(code), "SHICODE": 34204, "PTN_2020": 100.0}
        for year in years:
            five = [float(i + 1 + group % 4) for group in range(20)]
            fill_ages(row, five, year)
            row |= {f"PTN_{year}": sum(five), f"HITOKU{year}": "", f"GASSAN{year}": ""}
        rows.append(row)
    return rows


def fill_ages(row, five, year=2025):
    """Ages of one mesh with their sums."""
    row[f"PT00_{year}"] = sum(five)
    for group, people in enumerate(five, start=1):
        row[f"PT{group:02d}_{year}"] = people
    for letter, part in (("A", five[:3]), ("B", five[3:13]), ("C", five[13:]), ("D", five[15:]),
                         ("E", five[16:])):  # fmt: skip
        row[f"PT{letter}_{year}"] = sum(part)


def write_mesh(path, rows):
    """Mesh rows with a square each, in any format."""
    boxes = squares(len(rows))
    return write_shapes(path, gpd.GeoDataFrame(rows, geometry=boxes, crs=6668))


def _read_ksj_mesh(path, report):
    return ksj_mesh.read(path, codes=("34204",), credit="c", report=report)


on("ksj_mesh", ".geojson", "text", lambda p: write_mesh(p, mesh_rows()))(_read_ksj_mesh)
on("ksj_mesh_shp", ".shp", "gdal", lambda p: write_mesh(p, mesh_rows()))(_read_ksj_mesh)


@functools.cache
def square_zones():
    """The squares as zones, for a raster."""
    return Zones.build(
        ["00", "01", "02"], np.array(squares(), dtype=object), names=["東", "西", "南"],
        parents=["22212"] * 3, kind="town_block", plane_zone=8, sources=["c"],
    )  # fmt: skip


@on("raster", ".tif", "gdal", lambda path: geotiff(path, np.ones((10, 30), np.float32)))
def _read_raster(path, report):
    return raster.read(path, square_zones(), report=report)
