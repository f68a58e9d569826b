"""Shapes of every kind as placemarks: lines, collections, level roofs, nothing at all."""

import numpy as np
import pytest
import shapely

from futuremap.export.kml import EARTH_PRO, EARTH_WEB, write_earth
from futuremap.export.kml.schema import schema_errors
from futuremap.export.kml.writer import Part, placemarks, replaced_characters

PROFILES = pytest.mark.parametrize("profile", [EARTH_WEB, EARTH_PRO], ids=lambda p: p.name)


def test_where_the_ground_is_known_roofs_are_level(make_layer, tmp_path, read):
    ground = np.array([120.04, -3.5, 80.0])
    layer = make_layer(count=3, now=[10.0, 20.0, 0.0], metres_per_unit=5.0, ground=ground)
    (path,) = write_earth([layer], tmp_path, profile=EARTH_WEB)
    doc = read(path)
    assert [{z for *_, z in ring} for ring in doc.rings("//outerBoundaryIs")] == [
        {170.0},
        {96.5},
        {0.0},
    ]
    assert doc.texts("//Polygon/altitudeMode") == ["absolute", "absolute", "clampToGround"]
    assert doc.texts("//Polygon/extrude") == ["1", "1"]
    assert schema_errors(path) == []


def test_lines_are_walls_and_lie_on_the_ground_without_height(make_layer, tmp_path, read):
    lines = [
        shapely.LineString([(134, 34), (134.1, 34.1)]),
        shapely.LineString([(135, 35), (136, 35)]),
    ]
    (path,) = write_earth([make_layer(shapes=lines, now=[10.0, 0.0])], tmp_path, profile=EARTH_WEB)
    doc = read(path)
    assert doc.texts("//LineString/altitudeMode") == ["relativeToGround", "clampToGround"]
    assert doc.texts("//LineString/extrude") == ["1"]
    assert doc.texts("//LineString/coordinates") == [
        "134.000000,34.000000,20.0 134.100000,34.100000,20.0",
        "135.000000,35.000000,0 136.000000,35.000000,0",
    ]
    assert schema_errors(path) == []


@PROFILES
def test_a_collection_is_one_feature_of_all_its_parts(make_layer, tmp_path, read, profile):
    mixed = shapely.GeometryCollection(
        [
            shapely.Point(134, 34),
            shapely.box(134.1, 34.1, 134.2, 34.2).difference(
                shapely.box(134.12, 34.12, 134.15, 34.15)
            ),
            shapely.LineString([(134.3, 34.3), (134.4, 34.4)]),
        ]
    )
    layer = make_layer(shapes=[mixed, shapely.box(135, 34, 136, 35)])
    (path,) = write_earth([layer], tmp_path, profile=profile)
    doc = read(path)
    assert [child.tag.rpartition("}")[2] for child in doc.all("//MultiGeometry")[0]] == [
        "Polygon",
        "Polygon",
        "LineString",
    ]
    assert len(doc.all("//innerBoundaryIs")) == 1
    assert len(doc.all("//Placemark")) == 2
    assert schema_errors(path) == []


def test_a_shape_over_the_180th_meridian_is_two_polygons(make_layer, tmp_path, read):
    layer = make_layer(shapes=[shapely.box(179.9, 34, 180.1, 34.2)])
    (path,) = write_earth([layer], tmp_path, profile=EARTH_WEB)
    rings = read(path).rings("//MultiGeometry/Polygon/outerBoundaryIs")
    assert sorted({x for ring in rings for x, *_ in ring}) == [-180, -179.9, 179.9, 180]
    assert schema_errors(path) == []


@PROFILES
def test_a_layer_may_show_nothing(make_layer, tmp_path, read, profile):
    layer = make_layer(count=3, shown=[False] * 3)
    (path,) = write_earth([layer], tmp_path, profile=profile)
    assert read(path).all("//Placemark") == []
    assert len(read(path).all("//Folder")) == 1
    assert schema_errors(path) == []


def test_equal_heights_stay_equal(make_layer, tmp_path, read):
    (path,) = write_earth([make_layer(count=9, now=[7.0] * 9)], tmp_path, profile=EARTH_WEB)
    assert {z for ring in read(path).rings("//outerBoundaryIs") for *_, z in ring} == {14.0}


def test_pieces_hold_few_corners_and_make_the_same_document(make_layer, monkeypatch):
    shapes = [shapely.Point(134 + i / 50, 34).buffer(0.004, quad_segs=1 + i % 7) for i in range(40)]
    part = Part(make_layer(shapes=shapes), np.arange(40))
    whole = list(placemarks(part, visible=True))
    monkeypatch.setattr("futuremap.export.kml.writer.CHUNK_CORNERS", 60)
    monkeypatch.setattr("futuremap.export.kml.writer.CHUNK", 10)
    pieces = list(placemarks(part, visible=True))
    assert len(whole) == 1
    assert len(pieces) > 4
    assert max(piece.count(b"<Placemark ") for piece in pieces) <= 10
    assert b"".join(pieces) == whole[0]


def test_replaced_characters_are_counted_by_feature(make_layer):
    names = ["a\x0b\ud800", "町\r\n\u202e", "\uffff"]
    part = Part(make_layer(count=3, names=names), np.array([0, 1]))
    # the balloon has a second column with the same text
    assert replaced_characters(part) == {"z000000": 4}
