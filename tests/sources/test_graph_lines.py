"""Road graphs from line layers and from PBF, both made here: no real file was at hand."""

import json
import struct
import zlib

import geopandas as gpd
import numpy as np
import pytest
import shapely

from futuremap.problems import Report
from futuremap.sources import graph, graph_lines
from futuremap.sources.graph_lines import LineLayout

EAST, NORTH = 139.40, 35.70
METRE = 1 / 111_000  # degrees of latitude, about


def line(*corners):
    return shapely.LineString([(EAST + x * METRE, NORTH + y * METRE) for x, y in corners])


def read(tmp_path, shapes, layout=None, **columns):
    path = tmp_path / "roads.gpkg"
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs=6668).to_file(path, layer="roads")
    report = Report()
    return graph.read(path, credit="ksj_n01", report=report, layout=layout), report


def streets(network):
    # pairs of nodes in metres from the corner, with who may go
    east = ((network.longitude - EAST) / METRE).round().astype(int)
    north = ((network.latitude - NORTH) / METRE).round().astype(int)
    at = list(zip(east.tolist(), north.tolist(), strict=True))
    ends = zip(network.start.tolist(), network.end.tolist(), network.by_car.tolist(), strict=True)
    return sorted((at[a], at[b], car) for a, b, car in ends)


def test_lines_meet_at_shared_corners_but_not_where_they_cross(tmp_path):
    shapes = [line((0, 0), (100, 0), (200, 0)), line((100, 0), (100, 50)), line((50, -9), (50, 9))]
    network, report = read(tmp_path, shapes)
    assert not report.problems
    assert len(network) == 6
    degrees = np.bincount(network.start, minlength=6)
    assert sorted(degrees.tolist()) == [1, 1, 1, 1, 1, 3]
    assert network.on_foot.all()
    assert network.by_car.all()


@pytest.mark.parametrize(("gap", "nodes"), [(0.05, 3), (0.2, 4)])
def test_ends_within_a_tenth_of_a_metre_meet(tmp_path, gap, nodes):
    network, _ = read(tmp_path, [line((0, 0), (0, 100)), line((0, 100 + gap), (0, 200))])
    assert len(network) == nodes


def test_an_end_meets_a_corner_within_another_line(tmp_path):
    shapes = [line((0, 0), (0, 100), (0, 200)), line((0.05, 100), (100, 100))]
    network, _ = read(tmp_path, shapes)
    assert len(network) == 4


def test_lengths_are_on_the_ellipsoid(tmp_path):
    degree = shapely.LineString([(EAST, 35.5), (EAST, 35.5 + 1 / 60)])
    network, _ = read(tmp_path, [degree])
    assert network.length.tolist() == pytest.approx([1849.2] * 2, abs=0.2)  # a minute of latitude


def test_one_way_and_kind_and_speed_by_their_columns(tmp_path):
    layout = LineLayout(kind="highway", oneway="ow", maxspeed="limit")
    network, report = read(
        tmp_path, [line((0, 0), (100, 0)), line((100, 0), (200, 0)), line((200, 0), (300, 0))],
        layout, highway=["primary", "footway", "residential"], ow=["F", "B", "T"],
        limit=[40, 0, 30],
    )  # fmt: skip
    assert [(problem.code, problem.value) for problem in report.problems] == [
        ("FM632", "maxspeed=0")
    ]
    assert streets(network) == [
        ((0, 0), (100, 0), True),
        ((100, 0), (0, 0), False),
        ((100, 0), (200, 0), False),
        ((200, 0), (100, 0), False),
        ((200, 0), (300, 0), False),
        ((300, 0), (200, 0), True),
    ]
    assert np.nanmax(network.speed) == 40


def test_order_of_lines_and_their_direction_change_nothing(tmp_path):
    shapes = [line((0, 0), (100, 0), (200, 0)), line((100, 0), (100, 50)), line((50, 9), (90, 9))]
    (tmp_path / "again").mkdir()
    one, _ = read(tmp_path, shapes)
    other, _ = read(tmp_path / "again", [shape.reverse() for shape in shapes[::-1]])
    assert streets(one) == streets(other)
    assert one.longitude.tolist() == other.longitude.tolist()


def test_multi_lines_and_points_that_stand_twice(tmp_path):
    twice = shapely.MultiLineString([line((0, 0), (0, 0), (0, 100)), line((0, 100), (0, 200))])
    network, report = read(tmp_path, [twice])
    assert not report.problems
    assert (len(network), len(network.start)) == (3, 4)


def test_shapes_that_are_no_lines_and_columns_that_are_not_there(tmp_path):
    network, report = read(tmp_path, [line((0, 0), (9, 9)), shapely.Point(EAST, NORTH)])
    assert network is None
    assert [(p.code, p.line) for p in report.problems] == [("FM633", 2)]
    network, report = read(tmp_path, [line((0, 0), (9, 9))], LineLayout(oneway="none"))
    assert network is None
    assert [p.code for p in report.problems] == ["FM201"]


def test_geojson_without_any_shape(tmp_path):
    path = tmp_path / "roads.geojson"
    feature = {"type": "Feature", "properties": {}, "geometry": None}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    report = Report()
    assert graph.read(path, credit="x", report=report) is None
    assert report.errors


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, body):
    if isinstance(body, int):
        return varint(number << 3) + varint(body)
    return varint(number << 3 | 2) + varint(len(body)) + body


def deltas(numbers):
    steps = np.diff([0, *numbers]).tolist()
    return b"".join(varint(step << 1 if step >= 0 else (-step << 1) - 1) for step in steps)


def blob(kind, body):
    packed = field(2, len(body)) + field(3, zlib.compress(body))
    header = field(1, kind) + field(3, len(packed))
    return struct.pack(">I", len(header)) + header + packed


def pbf(nodes, ways):
    """An OpenStreetMap PBF by hand: dense nodes by id, ways with nodes and tags."""
    words = [b"", *sorted({w.encode() for _, tags in ways for pair in tags.items() for w in pair})]
    strings = b"".join(field(1, word) for word in words)
    dense = field(1, deltas(nodes))
    dense += field(8, deltas([round(lat * 1e7) for _, lat in nodes.values()]))
    dense += field(9, deltas([round(lon * 1e7) for lon, _ in nodes.values()]))
    groups = field(2, field(2, dense))
    made = b""
    for number, (refs, tags) in enumerate(ways, 1):
        keys = b"".join(varint(words.index(key.encode())) for key in tags)
        values = b"".join(varint(words.index(value.encode())) for value in tags.values())
        way = field(1, number) + field(2, keys) + field(3, values) + field(8, deltas(refs))
        made += field(3, way)
    groups += field(2, made)
    head = field(4, b"OsmSchema-V0.6") + field(4, b"DenseNodes")
    return blob(b"OSMHeader", head) + blob(b"OSMData", field(1, strings) + groups)


NODES = {1: (139.40, 35.70), 2: (139.41, 35.70), 3: (139.42, 35.70), 4: (139.41, 35.71)}
WAYS = [
    ([1, 2, 3], {"highway": "residential", "oneway": "yes", "maxspeed": "30"}),
    ([2, 4], {"highway": "footway"}),
    ([1, 4], {"waterway": "stream"}),
]


def read_pbf(tmp_path, body, **more):
    path = tmp_path / "town.osm.pbf"
    path.write_bytes(body)
    report = Report()
    return graph.read(path, credit="osm", report=report, **more), report


def test_pbf_roads_with_their_tags(tmp_path):
    network, report = read_pbf(tmp_path, pbf(NODES, WAYS))
    assert not report.problems
    assert len(network) == 4
    assert len(network.start) == 6
    assert network.on_foot.all()
    assert network.by_car.sum() == 2
    east = network.longitude
    assert (east[network.start] < east[network.end])[network.by_car].all()
    assert set(network.speed[network.kind == "residential"]) == {30.0}


def test_pbf_cut_off_or_without_roads(tmp_path):
    body = pbf(NODES, WAYS)
    network, report = read_pbf(tmp_path, body[:-30])
    assert network is None
    assert [p.code for p in report.problems] == ["FM102"]
    network, report = read_pbf(tmp_path, pbf(NODES, WAYS[2:]))
    assert network is None
    assert [p.code for p in report.problems] == ["FM105"]


def test_pbf_near_the_town_only(tmp_path):
    network, report = read_pbf(tmp_path, pbf(NODES, WAYS), near=(140.0, 36.0, 140.1, 36.1))
    assert network is None
    assert [p.code for p in report.problems] == ["FM105"]


def test_pbf_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(graph_lines, "MAX_PBF", 10)
    network, report = read_pbf(tmp_path, pbf(NODES, WAYS))
    assert network is None
    assert [p.code for p in report.problems] == ["FM104"]
