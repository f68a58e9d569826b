"""The door for files of shapes: formats by their first bytes, and hostile files."""

import json
import socket
import sqlite3
import struct
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
import shapely

from futuremap.sources import features, raster
from futuremap.sources.features import read_features

from .shapes import CLIPS, as_geojson, frame, nested_wkb, write, zip_of
from .variants import found

VRT = '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
RASTER_VRT = '<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand><SimpleSource><SourceFilename>{}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>'


def test_a_file_is_what_its_first_bytes_say(tmp_path, report):
    for ending in ("gpkg", "geojson"):
        path = write(tmp_path / f"a.{ending}", frame())
        assert len(read_features(path.rename(tmp_path / "a.csv"), report=report).geometry) == 3
    shape = write(tmp_path / "b.shp", frame())
    packed = zip_of(tmp_path / "b.txt", shape)
    assert len(read_features(packed, report=report).geometry) == 3
    assert not report.problems


def test_the_table_of_points(report, tmp_path):
    path = write(
        tmp_path / "a.gpkg", frame([shapely.Point(138.3, 34.8), None, shapely.Point(138.4, 35)])
    )
    table = read_features(path, report=report).only(np.array([False, True, True])).table()
    assert table.headings == ("key", "name", "latitude", "longitude") or table.headings[-2:] == (
        "latitude",
        "longitude",
    )
    assert [row[-2:] for row in table.rows] == [(None, None), (35.0, 138.4)]
    assert table.lines == [2, 3]


@pytest.mark.parametrize(
    "name", ["a.csv", "a.tif", "a.gpkg", "a.geojson", "a.shp", "a.zip", "a.vrt"]
)
@pytest.mark.parametrize("kind", [VRT, RASTER_VRT])
def test_a_vrt_is_not_followed_whatever_its_name(name, kind, tmp_path, report, zones):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.gpkg"
        for target in (address, f"/vsicurl/{address}", "/etc/passwd"):
            path = tmp_path / name
            path.write_text(kind.format(target))
            assert read_features(path, report=report) is None
            assert raster.read(path, zones, report=report) is None
        with pytest.raises(TimeoutError):
            server.accept()
    assert {p.code for p in report.problems} == {"FM102"}


@pytest.fixture
def zones():
    from futuremap.core.zones import Zones

    from .shapes import squares

    return Zones.build(["a"], squares(1), names=["a"], parents=["22212"], kind="mesh", plane_zone=8)


BODIES = {
    "empty": b"",
    "text": b"hello",
    "not json": b'{"type": ',
    "nested": b'{"a":' * 200_000,
    "nested lists": b'{"type":"FeatureCollection","features":' + b"[" * 500_000,
    "no collection": b'{"type":"Topology","features":{}}',
    "no features": b'{"type":"FeatureCollection","features":[]}',
    "features of rubbish": b'{"type":"FeatureCollection","features":[1,"a",null,{}]}',
    "long number": b'{"type":"FeatureCollection","features":[' + b"9" * 10_000 + b"]}",
    "huge": b"9" * 4_000_000,
    "utf16": "{}".encode("utf-16"),
    "zip": b"PK\x03\x04rubbish",
    "sqlite": b"SQLite format 3\0" + b"\xff" * 5000,
    "shape": b"\x00\x00\x27\x0a" + b"\xff" * 5000,
}


@pytest.mark.parametrize("body", BODIES)
def test_rubbish_is_one_located_problem(body, tmp_path, report):
    path = tmp_path / "a.geojson"
    path.write_bytes(BODIES[body])
    read = read_features(path, report=report)
    if body == "features of rubbish":  # they are seen as features without shape and key
        assert shapely.is_missing(read.geometry).all()
        return
    assert read is None
    assert len(report.errors) == 1
    assert report.errors[0].code in {
        "FM102", "FM103", "FM105", "FM331", "FM563", "FM565", "FM566", "FM567", "FM570", "FM571", "FM549", "FM557", "FM558", "FM562",
    }  # fmt: skip


def test_nested_collections_and_strange_coordinates(tmp_path, report):
    deep = {"type": "Point", "coordinates": [138.3, 34.8]}
    for _ in range(400):
        deep = {"type": "GeometryCollection", "geometries": [deep]}
    shapes = [
        deep, {"type": "Polygon", "coordinates": [[["a", "b"]]]}, {"type": "Polygon", "coordinates": 5},
        {"type": "Polygon", "coordinates": [[[1e999, 0], [0, 1], [1, 1], [1e999, 0]]]}, {"type": "Blob"},
        {"type": "Polygon", "coordinates": []}, [], "x", {"type": "Polygon"},
    ]  # fmt: skip
    found_shapes = [
        {"type": "Feature", "properties": {"key": {"a": [1]}}, "geometry": s} for s in shapes
    ]
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": found_shapes}))
    read = read_features(path, report=report)
    assert read is None or len(read.geometry) == len(shapes)


def test_crs_of_a_geojson(tmp_path, report):
    for number, crs in enumerate(["EPSG:4301", "http://127.0.0.1/x", "/etc/passwd", "EPSG:6668 "]):
        path = tmp_path / f"{number}.geojson"
        path.write_text(as_geojson(frame(), crs), encoding="utf-8")
        _ = read_features(path, report=report)
    assert [p.code for p in report.problems] == ["FM542", "FM540", "FM540"]


# zips ---------------------------------------------------------------------------------------


def packed(path, parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts:
            archive.writestr(name, body)
    return path


def link():
    entry = zipfile.ZipInfo("a.shp")
    entry.external_attr = 0o120777 << 16
    return entry


@pytest.mark.parametrize(
    "parts",
    [
        [("../../a.shp", b"x")],
        [("/etc/a.shp", b"x")],
        [("C:\\a.shp", b"x")],
        [("..\\a.shp", b"x")],
        [("a.shp", b"x"), ("b.zip", b"PK\x03\x04")],
        [("inner/a.tar.gz", b"x"), ("a.shp", b"x")],
        [("readme.txt", b"x")],
        [(link(), b"/etc/passwd")],
        [("a.shp", b"\0" * 300_000_000)],
        [(f"{i}.txt", b"") for i in range(1001)],
    ],
    ids=range(10),
)
def test_hostile_zips(parts, tmp_path, report):
    path = packed(tmp_path / "a.zip", parts)
    before = set(tmp_path.parent.rglob("*"))
    start = time.monotonic()
    assert read_features(path, report=report) is None
    assert time.monotonic() - start < 10
    assert len(report.errors) == 1
    assert report.errors[0].code in {"FM102", "FM104", "FM331", "FM333", "FM334", "FM335", "FM578"}
    assert set(tmp_path.parent.rglob("*")) == before


def test_a_zip_of_several_shapefiles(tmp_path, report):
    write(tmp_path / "town.shp", frame())
    write(tmp_path / "ward.shp", frame(name=["x"] * 3))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for part in tmp_path.glob("*.*"):
            if part.suffix != ".zip":
                archive.write(part, part.name)
    assert read_features(tmp_path / "all.zip", report=report) is None
    assert found(report) == [("FM576", None, "")]
    assert "town" in report.errors[0].text("expected")
    ward = read_features(tmp_path / "all.zip", report=report, layer="ward")
    assert set(ward.fields["name"]) == {"x"}
    assert read_features(tmp_path / "all.zip", report=report, layer="none") is None


def test_an_encrypted_zip(tmp_path, report):
    path = zip_of(tmp_path / "a.zip", write(tmp_path / "a.shp", frame()))
    body = bytearray(path.read_bytes())
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(body)
    assert read_features(path, report=report) is None
    assert "パスワード" in report.errors[0].text("why")


# shapefiles ---------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["shp", "shx", "dbf"])
def test_broken_parts_of_a_shapefile(part, tmp_path, report):
    shape = write(tmp_path / "a.shp", frame())
    whole = shape.with_suffix(f".{part}").read_bytes()
    rng = np.random.default_rng(5)
    for cut in (1, 20, 100, 101, len(whole) - 8):
        shape.with_suffix(f".{part}").write_bytes(whole[:cut])
        _ = read_features(shape, report=report)
    assert report.errors
    for _ in range(60):
        body = bytearray(whole)
        for at in rng.integers(0, len(body), 6):
            body[at] = rng.integers(0, 256)
        shape.with_suffix(f".{part}").write_bytes(body)
        _ = read_features(shape, report=report)
    allowed = {"FM102", "FM557", "FM569", "FM104", "FM105", "FM574", "FM543", "FM549"}
    assert {p.code for p in report.problems} <= allowed


def test_counts_that_lie(tmp_path, report):
    shape = write(tmp_path / "a.shp", frame())
    table = bytearray(shape.with_suffix(".dbf").read_bytes())
    struct.pack_into("<I", table, 4, 2**31)
    shape.with_suffix(".dbf").write_bytes(table)
    assert read_features(shape, report=report) is None
    assert found(report) == [("FM557", None, "")]


# GeoPackages --------------------------------------------------------------------------------


@pytest.fixture
def package(tmp_path):
    return write(tmp_path / "a.gpkg", frame(), layer="town")


def change(path, *statements):
    with sqlite3.connect(path) as database:
        for name, _ in database.execute(
            "SELECT name, 1 FROM sqlite_master WHERE type='trigger'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        for statement, *values in statements:
            database.execute(statement, values)
    database.close()
    return path


def rename(path, name):
    quoted = '"' + name.replace('"', '""') + '"'
    return change(
        path,
        (f"ALTER TABLE town RENAME TO {quoted}",),
        ("UPDATE gpkg_contents SET table_name = ?", name),
        ("UPDATE gpkg_geometry_columns SET table_name = ?", name),
    )


@pytest.mark.parametrize(
    "name", ['a"; DROP TABLE x; --', "x' OR 1=1", "表 1", "select", "a" * 5000]
)
def test_a_table_named_by_sql_is_only_a_name(name, package, report):
    read = read_features(rename(package, name), report=report)
    assert read.layer == name
    assert read.fields["name"].tolist() == ["町0", "町1", "町2"]
    assert not report.problems


def test_several_layers(package, report):
    write(package, frame(name=["x"] * 3), layer="other", mode="a")
    assert read_features(package, report=report) is None
    assert found(report) == [("FM548", None, "")]
    assert set(read_features(package, report=report, layer="other").fields["name"]) == {"x"}


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS fid, NULL AS geom FROM n"


@pytest.mark.parametrize(
    "statements",
    [
        [("DROP TABLE town",), (f"CREATE VIEW town AS {ENDLESS}",)],
        [("DROP TABLE gpkg_contents",)],
        [("DROP TABLE gpkg_contents",), (f"CREATE VIEW gpkg_contents AS {ENDLESS}",)],
        [("UPDATE gpkg_geometry_columns SET column_name = 'none'",)],
        [("UPDATE gpkg_geometry_columns SET srs_id = 77",)],
        [("UPDATE gpkg_geometry_columns SET srs_id = 'x'",)],
        [("DELETE FROM gpkg_spatial_ref_sys",)],
        [("DELETE FROM town",)],
        [("UPDATE town SET name = CAST(x'ff' AS TEXT)",)],
        [("UPDATE gpkg_spatial_ref_sys SET organization = 'x', definition = '/vsicurl/http://x'",)],
    ],
    ids=range(10),
)
def test_strange_packages_end_in_a_problem(statements, package, report):
    start = time.monotonic()
    assert read_features(change(package, *statements), report=report) is None
    assert time.monotonic() - start < 10
    assert len(report.errors) == 1


@pytest.mark.parametrize(
    "blob",
    [
        b"", b"GP", b"GP\0\0\0\0\0\0", b"GP\0\x0f\0\0\0\0" + b"\0" * 99, "text", 5, None,
        b"GP\0\x01\0\0\0\0" + nested_wkb(200_000),
        b"GP\0\x01\0\0\0\0" + struct.pack("<BII", 1, 6, 1) * 200_000 + struct.pack("<BII", 1, 3, 0),
        b"GP\0\x01\0\0\0\0" + struct.pack("<BII", 1, 3, 2**32 - 1),
        b"GP\0\x01\0\0\0\0" + struct.pack("<BIII", 1, 3, 1, 2**32 - 1),
        b"GP\0\x01\0\0\0\0" + struct.pack("<BII", 1, 17, 1),
    ],
    ids=range(12),
)  # fmt: skip
def test_strange_shapes_of_a_package(blob, package, report):
    read = read_features(
        change(package, ("UPDATE town SET geom = ? WHERE fid = 2", blob)), report=report
    )
    missing = shapely.is_missing(read.geometry) | shapely.is_empty(read.geometry)
    assert missing.tolist() == [False, True, False]


def test_a_generated_column_is_not_computed(package, report):
    change(package, ("ALTER TABLE town ADD COLUMN big AS (hex(zeroblob(400000000)))",))
    read = read_features(package, report=report)
    assert "big" not in read.fields
    assert len(read.geometry) == 3


def test_broken_packages(package, report):
    whole = package.read_bytes()
    rng = np.random.default_rng(7)
    for _ in range(60):
        body = bytearray(whole)
        for at in rng.integers(16, len(body), 40):
            body[at] = rng.integers(0, 256)
        package.write_bytes(body)
        _ = read_features(package, report=report)
    package.write_bytes(whole[: len(whole) // 2])
    assert read_features(package, report=report) is None
    assert {p.code for p in report.problems} <= {
        "FM559",
        "FM562",
        "FM105",
        "FM540",
        "FM541",
        "FM548",
        "FM524",
    }


# bounds -------------------------------------------------------------------------------------

LIMITED = """
import re, sys
from pathlib import Path
from futuremap.problems import Report
from futuremap.sources.features import read_features
report = Report()
read = read_features(Path(sys.argv[1]), report=report)
peak = re.search("VmHWM:.*?([0-9]+) kB", Path("/proc/self/status").read_text())[1]
print(len(report.errors), read is None, peak)
"""


@pytest.mark.parametrize("kind", ["brackets", "commas", "bomb", "nested"])
def test_bombs_end_within_ten_seconds_and_one_gibibyte(kind, tmp_path):
    path = tmp_path / "a.geojson"
    head = b'{"type":"FeatureCollection","features":['
    if kind == "brackets":
        path.write_bytes(head + b"[]," * 60_000_000 + b"0]}")
    elif kind == "commas":
        path.write_bytes(head + b"1," * 90_000_000 + b"0]}")
    elif kind == "nested":
        path.write_bytes(head + b"[" * 50_000_000)
    else:
        packed(path, [("a.shp", b"\0" * 250_000_000), ("a.dbf", b"\0" * 250_000_000)])
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True
    )
    assert time.monotonic() - start < 20  # imports included
    errors, is_none, used = done.stdout.split()
    assert (errors, is_none) == ("1", "True")
    assert int(used) < 2**20  # KiB


def test_the_largest_geojson_that_is_taken_fits(tmp_path):
    ring = [[138.25 + i * 1e-6, 34.8] for i in range(60)]
    feature = {
        "type": "Feature",
        "properties": {"key": "1"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    one = json.dumps(feature).encode()
    count = features.MAX_BRACKETS // (one.count(b"[") + one.count(b"{")) - 1
    path = tmp_path / "a.geojson"
    path.write_bytes(b'{"type":"FeatureCollection","features":[' + b",".join([one] * count) + b"]}")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True
    )
    errors, _, used = done.stdout.split()
    assert errors == "0"
    assert int(used) < 2**20


def test_clips_are_read(report):
    for path in sorted(CLIPS.glob("*/*.geojson")) + sorted(CLIPS.glob("yaizu/*.shp")):
        assert read_features(path, report=report) is not None
    assert not report.problems
