"""Outlines: one shape a municipality, in degrees that are what they seem."""

import json

import pytest
import shapely
from shapely.geometry import mapping, shape

from futuremap.sources import outline

from .variants import FIXTURES

CODE, NAME = "37201", "高松市"
SQUARE = shapely.box(134.0, 34.2, 134.1, 34.3)
BESIDE = shapely.box(134.1, 34.2, 134.2, 34.3)
BOW_TIE = shapely.Polygon([(134.0, 34.0), (134.1, 34.1), (134.1, 34.0), (134.0, 34.1)])
# a square that crosses itself by ten metres at one corner
CORNER = [(134.1, 34.1), (134.1001, 34.0999), (134.0999, 34.0999)]
KNOT = shapely.Polygon([(134.0, 34.0), (134.1, 34.0), *CORNER, (134.0, 34.1)])


def feature(geometry, code=CODE, name=NAME):
    body = mapping(geometry) if isinstance(geometry, shapely.Geometry) else geometry
    properties = {"N03_004": name, "N03_007": code}
    return {"type": "Feature", "properties": properties, "geometry": body}


def saved(tmp_path, *features, **members):
    path = tmp_path / "outline.geojson"
    body = {"type": "FeatureCollection", **members, "features": list(features)}
    path.write_text(json.dumps(body), encoding="utf-8")
    return path


def read(path, report, code=CODE):
    return outline.read(path, code=code, plane_zone=4, name=NAME, credit="ksj_n03", report=report)


def refused(path, report, **more):
    assert read(path, report, **more) is None
    (problem,) = report.problems
    assert problem.file == path.name
    return problem


def test_the_bundled_outline(report):
    path = FIXTURES / "outline_n03.geojson"
    zones = read(path, report)
    (published,) = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert not report.problems
    assert (zones.ids, zones.names, zones.kind) == ((CODE,), (NAME,), "municipality")
    assert zones.sources == ("ksj_n03",)
    assert zones.geometry[0].equals(shape(published["geometry"]))
    assert zones.areas()[0] == pytest.approx(
        375.67e6, rel=0.01
    )  # 国土地理院 全国都道府県市区町村別面積調


def test_all_shapes_of_a_code_become_one(tmp_path, report):
    far = shapely.box(135.0, 34.2, 135.1, 34.3)
    others = [feature(far, "37202"), {"type": "Feature", "properties": None}, "x", None]
    zones = read(saved(tmp_path, feature(SQUARE), *others, feature(BESIDE)), report)
    assert zones.geometry[0].equals(shapely.box(134.0, 34.2, 134.2, 34.3))
    assert not report.problems


def test_a_code_may_be_a_number_and_a_name_may_be_missing(tmp_path, report):
    path = saved(tmp_path, feature(SQUARE, 1209, None))
    assert read(path, report, code="01209").names == (NAME,)
    assert not report.problems


def test_heights_are_left_out(tmp_path, report):
    zones = read(saved(tmp_path, feature(shapely.force_3d(SQUARE, 5.0))), report)
    assert not zones.geometry[0].has_z
    assert zones.geometry[0].equals(SQUARE)


@pytest.mark.parametrize(
    "name",
    [
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "urn:ogc:def:crs:EPSG::6668",
        "urn:ogc:def:crs:EPSG:6.18.3:4326",
        "EPSG:4612",
    ],
)
def test_degrees_of_today(name, tmp_path, report):
    crs = {"type": "name", "properties": {"name": name}}
    assert read(saved(tmp_path, feature(SQUARE), crs=crs), report) is not None
    assert not report.problems


@pytest.mark.parametrize(
    ("crs", "word"),
    [
        ({"properties": {"name": "urn:ogc:def:crs:EPSG::4301"}}, "旧日本測地系"),
        ({"properties": {"name": "EPSG:30164"}}, "旧日本測地系"),
        ({"properties": {"name": "EPSG:6672"}}, "経緯度"),
        ({"properties": {"name": "EPSG:14326"}}, "経緯度"),
        ({"properties": {"name": "EPSG:164326"}}, "番号"),
        ({"properties": {"name": "http://127.0.0.1/crs"}}, "番号"),
        ({"properties": {}}, "番号"),
        ({"type": "link"}, "番号"),
        (None, "番号"),
        ("EPSG:4326 ", "番号"),
    ],
)
def test_other_systems_are_refused(crs, word, tmp_path, report):
    problem = refused(saved(tmp_path, feature(SQUARE), crs=crs), report)
    assert problem.code == "FM528"
    assert word in problem.text("why")


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (shapely.box(34.2, 134.0, 34.3, 134.1), "FM522"),
        (shapely.box(0, 0, 1, 1), "FM524"),
        (shapely.box(34.2, 134.0, 135.3, 134.1), "FM524"),
        ({"type": "Polygon", "coordinates": [[[134, 34], [134.1, float("nan")], [134.1, 34.1], [134, 34]]]}, "FM524"),
        ({"type": "Polygon", "coordinates": [[[134, 34], [1e400, 34], [134.1, 34.1], [134, 34]]]}, "FM524"),
        (BOW_TIE, "FM529"),
        (shapely.Point(134, 34), "FM529"),
        (shapely.Polygon(), "FM529"),
        ({"type": "Polygon", "coordinates": [[[134, 34], [134.1, 34]]]}, "FM529"),
        ({"type": "Polygon", "coordinates": [[[134, 34], [134.1, 34], [134, 34], [134, 34]]]}, "FM529"),
        ({"type": "Polygon", "coordinates": "x"}, "FM529"),
        ({"type": "Polygon"}, "FM529"),
        ({"type": "Teapot", "coordinates": []}, "FM529"),
        ({"type": "Polygon", "coordinates": [[["a", "b"]] * 4]}, "FM529"),
        (None, "FM529"),
        ([], "FM529"),
    ],
)  # fmt: skip
def test_shapes_that_cannot_be_used(geometry, code, tmp_path, report):
    assert refused(saved(tmp_path, feature(geometry)), report).code == code


def test_a_small_fault_is_mended_and_said(tmp_path, report):
    assert not KNOT.is_valid
    zones = read(saved(tmp_path, feature(KNOT)), report)
    assert zones.geometry[0].is_valid
    assert zones.geometry[0].area == pytest.approx(KNOT.area, rel=outline.LARGEST_CHANGE)
    assert [(p.code, p.severity) for p in report.problems] == [("FM530", "warning")]


def test_every_broken_shape_is_noted(tmp_path, report):
    path = saved(tmp_path, feature(BOW_TIE), feature(SQUARE), feature(shapely.Point(134, 34)))
    assert read(path, report) is None
    assert [problem.code for problem in report.problems] == ["FM529", "FM529"]


def test_a_municipality_that_is_not_there(report):
    problem = refused(FIXTURES / "outline_n03.geojson", report, code="37202")
    assert (problem.code, problem.value) == ("FM525", "37202")


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ("", "FM558", 1),
        ('{"type": "FeatureCollection",\n "features": [\n', "FM558", 3),
        ("[" * 100_000, "FM558", None),
        ('{"features": [' + "9" * 5_000 + "]}", "FM558", None),
        ("[]", "FM102", None),
        ('{"features": {}}', "FM102", None),
        ('{"type": "Topology"}', "FM102", None),
        ("<kml></kml>", "FM558", 1),
        ("<VRTDataset></VRTDataset>", "FM558", 1),
    ],
)
def test_what_is_no_geojson(body, code, line, tmp_path, report):
    path = tmp_path / "x.geojson"
    path.write_text(body, encoding="utf-8")
    problem = refused(path, report)
    assert (problem.code, problem.line) == (code, line)


def test_a_missing_file(tmp_path, report):
    assert refused(tmp_path / "none.geojson", report).code == "FM101"


def test_other_encodings(tmp_path, report):
    path = tmp_path / "x.geojson"
    path.write_bytes(b'{"features": ["\xff\xff"]}')
    assert refused(path, report).code == "FM103"
