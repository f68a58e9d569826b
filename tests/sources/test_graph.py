"""Road graphs from GraphML: what is read, and every way in which a file can be wrong."""

import gzip
import time
from pathlib import Path

import numpy as np
import pytest

from futuremap.problems import Report
from futuremap.sources import graph, graph_osm

CLIP = Path(__file__).parents[2] / "fixtures/geo/clips/roads/tachikawa_clip.graphml"
KEYS = ("x", "y", "crs", "length", "oneway", "highway", "maxspeed", "geometry", "foot", "access")
NODES = {"1": (139.40, 35.70), "2": (139.41, 35.70), "3": (139.42, 35.70)}


def data(**values):
    return "".join(f'<data key="k_{name}">{value}</data>' for name, value in values.items())


def graphml(edges, *, nodes=NODES, crs="epsg:4326", default="directed", before=""):
    keys = "".join(f'<key id="k_{name}" attr.name="{name}"/>\n' for name in KEYS)
    text = f'<?xml version="1.0" encoding="utf-8"?>\n{before}'
    text += f'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n{keys}'
    text += f'<graph edgedefault="{default}">{data(crs=crs)}\n'
    for name, (x, y) in nodes.items():
        text += f'<node id="{name}">{data(x=x, y=y)}</node>\n'
    for start, end, values in edges:
        text += f'<edge source="{start}" target="{end}">{data(**values)}</edge>\n'
    return (text + "</graph></graphml>\n").encode()


def read(tmp_path, body, name="roads.graphml"):
    path = tmp_path / name
    path.write_bytes(body)
    report = Report()
    return graph.read(path, credit="osm", report=report), report


def edges_of(network):
    columns = (network.start, network.end, network.length.round(3))
    columns += (network.on_foot, network.by_car)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def codes(report):
    return [problem.code for problem in report.problems]


def test_the_clip_of_tachikawa():
    report = Report()
    raw = graph.parse(CLIP.read_bytes())
    network = graph.read(CLIP, credit="osm", report=report)
    assert (len(raw.nodes), len(raw.start)) == (115, 288)
    assert raw.directed
    assert not report.problems
    assert network.sources == ("osm",)
    one_way = raw.values["oneway"].count("True")
    assert one_way == 34
    lengths = np.array(raw.values["length"], dtype=float)
    backward = lengths[np.array(raw.values["oneway"]) == "True"].sum()
    assert network.length.sum() == pytest.approx(lengths.sum() + backward, rel=1e-12)
    assert network.length[network.by_car].sum() == pytest.approx(lengths.sum(), rel=1e-12)
    assert "ODbL 1.0" in CLIP.read_text(encoding="utf-8")[:200]


def test_lengths_of_the_clip_are_those_on_the_ellipsoid():
    network = graph.read(CLIP, credit="osm", report=Report())
    ends = (network.longitude, network.latitude, network.start, network.end)
    drawn = graph_osm.on_ellipsoid(*ends)
    # OSMnx measures on a sphere
    assert drawn.sum() == pytest.approx(network.length.sum(), rel=3e-3)


def test_a_gzip_around_it_and_any_name(tmp_path):
    body = graphml([("1", "2", {"length": "10"})])
    plain, _ = read(tmp_path, body)
    packed, report = read(tmp_path, gzip.compress(body), "roads.csv")
    assert not report.problems
    assert edges_of(packed) == edges_of(plain)


def test_one_way_holds_for_cars_only(tmp_path):
    edges = [("1", "2", {"length": "100", "oneway": "True", "highway": "residential"})]
    network, report = read(tmp_path, graphml(edges))
    assert not report.problems
    assert edges_of(network) == [(0, 1, 100, True, True), (1, 0, 100, True, False)]


def test_an_undirected_graph_is_open_both_ways(tmp_path):
    edges = [("1", "2", {"length": "100"}), ("2", "3", {"length": "5", "oneway": "-1"})]
    network, _ = read(tmp_path, graphml(edges, default="undirected"))
    assert edges_of(network) == [
        (0, 1, 100, True, True),
        (1, 0, 100, True, True),
        (1, 2, 5, True, False),
        (2, 1, 5, True, True),
    ]


def test_kinds_decide_who_may_go(tmp_path):
    kinds = ["motorway", "steps", "['residential', 'footway']", "primary", "construction"]
    edges = [("1", "2", {"length": "1", "highway": kind}) for kind in kinds]
    network, _ = read(tmp_path, graphml(edges))
    forward = slice(0, 5)
    assert network.on_foot[forward].tolist() == [False, True, True, True, False]
    assert network.by_car[forward].tolist() == [True, False, False, True, False]
    assert network.kind[2] == "residential;footway"


def test_parallel_edges_are_kept(tmp_path):
    edges = [("1", "2", {"length": "100"}), ("1", "2", {"length": "120"})]
    network, _ = read(tmp_path, graphml(edges))
    assert edges_of(network) == [(0, 1, 100, True, True), (0, 1, 120, True, True)]


def test_bends_become_nodes_that_both_directions_share(tmp_path):
    bend = "LINESTRING (139.40 35.70, 139.40 35.71, 139.41 35.70)"
    back = "LINESTRING (139.41 35.70, 139.40 35.71, 139.40 35.70)"
    edges = [
        ("1", "2", {"length": "3000", "geometry": bend}),
        ("2", "1", {"length": "3000", "geometry": back}),
    ]
    network, _ = read(tmp_path, graphml(edges))
    assert len(network) == 4
    assert (network.longitude[3], network.latitude[3]) == (139.40, 35.71)
    assert sorted(zip(network.start.tolist(), network.end.tolist(), strict=True)) == [
        (0, 3), (1, 3), (3, 0), (3, 1),
    ]  # fmt: skip
    assert network.length.sum() == pytest.approx(6000)


@pytest.mark.parametrize(
    ("text", "speed"),
    [("50", 50), ("50 mph", 80.467), ("['40', '50']", 40), ("30;20", 20), ("40 km/h", 40)],
)
def test_speeds_in_all_their_spellings(tmp_path, text, speed):
    network, report = read(tmp_path, graphml([("1", "2", {"length": "1", "maxspeed": text})]))
    assert network.speed[0] == pytest.approx(speed, abs=1e-3)
    assert not report.problems


def test_words_that_say_nothing_are_counted(tmp_path):
    edges = [("1", "2", {"length": "1", "maxspeed": "walk", "oneway": "reversible"})] * 2
    network, report = read(tmp_path, graphml(edges))
    found = [(problem.code, problem.value, dict(problem.detail)) for problem in report.problems]
    assert found == [
        ("FM632", "maxspeed=walk", {"count": "2"}),
        ("FM632", "oneway=reversible", {"count": "2"}),
    ]
    assert np.isnan(network.speed).all()


def test_missing_lengths_are_measured_on_the_ellipsoid(tmp_path):
    network, report = read(tmp_path, graphml([("1", "2", {}), ("2", "3", {"length": "7"})]))
    assert codes(report) == ["FM631"]
    assert report.problems[0].value == "1"
    # one degree of longitude at 35.7° on GRS80 is 90,505 m
    assert network.length[0] == pytest.approx(905.05, abs=0.05)
    assert network.length[1] == 7


def test_a_plane_system_is_turned_into_degrees(tmp_path):
    nodes = {"1": (0.0, 0.0), "2": (100.0, 0.0)}
    network, report = read(
        tmp_path, graphml([("1", "2", {"length": "100"})], nodes=nodes, crs="epsg:6677")
    )
    assert not report.problems
    assert network.longitude[0] == pytest.approx(139 + 50 / 60)
    assert network.latitude[0] == pytest.approx(36)


def test_access_says_who_may_go(tmp_path):
    edges = [
        ("1", "2", {"length": "1", "highway": "service", "access": "private"}),
        ("1", "2", {"length": "1", "highway": "primary", "foot": "no"}),
        ("1", "2", {"length": "1", "highway": "service", "access": "no", "foot": "yes"}),
    ]
    network, _ = read(tmp_path, graphml(edges))
    assert network.on_foot.tolist() == [False, False, True]
    assert network.by_car.tolist() == [False, True, False]


ENTITY = '<!DOCTYPE graphml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]>\n'
EXTERNAL = '<!DOCTYPE graphml SYSTEM "http://example.com/graph.dtd">\n'


@pytest.mark.parametrize("before", [ENTITY, EXTERNAL])
def test_document_types_and_entities_are_refused(tmp_path, before):
    network, report = read(tmp_path, graphml([("1", "2", {"length": "1"})], before=before))
    assert network is None
    assert codes(report) == ["FM102"]
    assert report.problems[0].line == 2
    assert "ENTITY" in report.problems[0].text("why")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_file_cut_off_is_refused_with_its_line(tmp_path, share):
    body = CLIP.read_bytes()
    network, report = read(tmp_path, body[: int(len(body) * share)])
    assert network is None
    assert codes(report) == ["FM102"]
    assert report.problems[0].line > 500


def test_an_edge_to_an_unknown_node_is_located(tmp_path):
    body = graphml([("1", "2", {"length": "1"}), ("2", "99", {"length": "1"})])
    network, report = read(tmp_path, body)
    assert network is None
    (problem,) = report.problems
    assert (problem.code, problem.value) == ("FM629", "99")
    assert 'target="99"' in body.decode().splitlines()[problem.line - 1]


def test_all_bad_numbers_are_reported_at_once(tmp_path):
    nodes = NODES | {"4": ("east", 35.7), "5": ("", 35.7)}
    edges = [("1", "2", {"length": length}) for length in ("-1", "nan", "inf", "long", "１")]
    network, report = read(tmp_path, graphml(edges, nodes=nodes))
    assert network is None
    assert codes(report).count("FM630") == 6
    assert codes(report).count("FM628") == 1
    assert all(problem.line for problem in report.problems)


def test_two_nodes_with_one_id(tmp_path):
    body = graphml([("1", "2", {"length": "1"})]).replace(b'id="3"', b'id="1"')
    network, report = read(tmp_path, body)
    assert network is None
    assert (codes(report), report.problems[0].value) == (["FM628"], "1")


@pytest.mark.parametrize(
    ("crs", "code"), [("", "FM541"), ("epsg:4301", "FM542"), ("epsg:27700", "FM540")]
)
def test_systems_that_are_not_taken(tmp_path, crs, code):
    network, report = read(tmp_path, graphml([("1", "2", {"length": "1"})], crs=crs))
    assert network is None
    assert codes(report) == [code]


def test_a_graph_elsewhere_or_with_its_axes_exchanged(tmp_path):
    for nodes, code in (
        ({"1": (2.35, 48.85), "2": (2.36, 48.85)}, "FM574"),
        ({"1": (35.70, 139.40), "2": (35.70, 139.41)}, "FM543"),
    ):
        network, report = read(tmp_path, graphml([("1", "2", {"length": "1"})], nodes=nodes))
        assert network is None
        assert codes(report) == [code]


def test_nothing_in_it_or_something_else(tmp_path):
    for body, code in (
        (graphml([]), "FM105"),
        (graphml([], nodes={}), "FM105"),
        (b"<html><body>404</body></html>", "FM102"),
        (b"a,b\n1,2\n", "FM102"),
        (b"", "FM102"),
    ):
        network, report = read(tmp_path, body)
        assert network is None
        assert codes(report) == [code]
    report = Report()
    assert graph.read(tmp_path / "none.graphml", credit="osm", report=report) is None
    assert codes(report) == ["FM101"]


def test_a_bomb_is_refused_while_it_inflates(tmp_path):
    body = graphml([("1", "2", {"length": "1"})]).replace(b"<graph ", b" " * 2**26 + b"<graph ")
    began = time.process_time()
    network, report = read(tmp_path, gzip.compress(body))
    assert network is None
    assert codes(report) == ["FM578"]
    assert time.process_time() - began < 5


def test_too_many_edges(tmp_path, monkeypatch):
    monkeypatch.setattr(graph, "MAX_EDGES", 1)
    network, report = read(tmp_path, graphml([("1", "2", {}), ("2", "3", {})]))
    assert network is None
    assert codes(report) == ["FM104"]


def test_deep_nesting_harms_nothing(tmp_path):
    body = b"<graphml>" + b"<data>" * 200_000 + b"</data>" * 200_000 + b"</graphml>"
    network, report = read(tmp_path, body)
    assert network is None
    assert codes(report) in (["FM105"], ["FM102"])


def test_geometry_that_is_none_leaves_the_street_straight(tmp_path):
    edges = [
        ("1", "2", {"length": "9", "geometry": text}) for text in ("LINESTRING (1", "POINT (1 2)")
    ]
    network, _ = read(tmp_path, graphml(edges))
    assert edges_of(network) == [(0, 1, 9, True, True)] * 2
