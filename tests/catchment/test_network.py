"""Travel times on a road graph: hand-worked streets, scipy on random graphs, and what never changes."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from futuremap.catchment import bounded
from futuremap.catchment.bounded import Arrival, least, search, to_nearest
from futuremap.catchment.network import check_network, components, nearest_time, within_time
from futuremap.catchment.streets import car_speeds, streets
from futuremap.core.crosswalk import compose, from_pairs
from futuremap.core.network import Network
from futuremap.core.zones import Zones
from futuremap.errors import CrsError, LabelError
from futuremap.problems import Report
from futuremap.sources import graph

CLIP = Path(__file__).parents[2] / "fixtures/geo/clips/roads/tachikawa_clip.graphml"
EAST, NORTH = 133.0, 34.4
X, Y = 1 / 91_940.0, 1 / 110_930.0  # degrees of a metre at 34.4°, about
ENGINES = ("scipy", "numba")


def road(nodes, edges, *, kind="residential", sources=("osm",)):
    """Edges of (start, end, length[, on_foot, by_car, speed])."""
    rows = [(*edge, *(True, True, np.nan)[len(edge) - 3 :]) for edge in edges]
    start, end, length, foot, car, speed = zip(*rows, strict=True)
    east, north = np.array(nodes, dtype=float).T
    return Network(
        EAST + east * X, NORTH + north * Y, np.array(start), np.array(end),
        np.array(length, dtype=float), np.array([kind] * len(rows), dtype=object),
        np.array(speed, dtype=float), np.array(foot, dtype=bool), np.array(car, dtype=bool), sources,
    )  # fmt: skip


def both(*edges):
    return [*edges, *((edge[1], edge[0], *edge[2:]) for edge in edges)]


def points(places, kind="place", *, plane_zone=3):
    at = [(EAST + x * X, NORTH + y * Y) for x, y in places]
    return Zones.build(
        [f"{kind}{i}" for i in range(len(at))], shapely.points(np.array(at).reshape(-1, 2)),
        names=[f"{kind} {i}" for i in range(len(at))], parents=["34204"] * len(at), kind=kind,
        plane_zone=plane_zone, sources=[f"{kind}_source"],
    )  # fmt: skip


def times(found):
    pairs = zip(*(column.tolist() for column in found.times), strict=True)
    return {(facility, place): round(minutes, 3) for facility, place, minutes in pairs}


STREET = road([(0, 0), (800, 0)], both((0, 1, 800)))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_street_is_split_where_people_and_facilities_stand(engine):
    halls, homes = points([(200, 0)], "facility"), points([(0, 0), (600, 0), (800, 0), (210, 0)])
    found = within_time(halls, homes, STREET, minutes=60, mode="walk", engine=engine)
    assert times(found) == {
        (0, 0): pytest.approx(2.5, abs=0.002),
        (0, 1): pytest.approx(5.0, abs=0.002),
        (0, 2): pytest.approx(7.5, abs=0.002),
        (0, 3): pytest.approx(0.125, abs=0.002),
    }


def test_the_straight_line_to_the_street_is_walked_by_car_too():
    halls, homes = points([(0, 0)], "facility"), points([(800, 80)])
    walk = within_time(halls, homes, STREET, minutes=60, mode="walk")
    car = within_time(halls, homes, STREET, minutes=60, mode="car", speed=48.0)
    assert walk.nearest[0] == pytest.approx(10 + 1, abs=0.002)
    assert car.nearest[0] == pytest.approx(1 + 1, abs=0.002)


@pytest.mark.parametrize("length", [100.0, 97.0])  # eight of 97 m pass 9.7 minutes by rounding
def test_the_limit_itself_is_within(length):
    nodes = [(length * i, 0) for i in range(9)]
    path = road(nodes, both(*((i, i + 1, length) for i in range(8))))
    halls, homes = points([nodes[0]], "facility"), points([nodes[8]])
    limit = 8 * length / 80
    assert len(within_time(halls, homes, path, minutes=limit, mode="walk").times.place) == 1
    found = within_time(halls, homes, path, minutes=limit - 0.001, mode="walk")
    assert not len(found.times.place)


def test_streets_that_are_equally_near_all_count():
    # two streets that end at one place without meeting, as on a bridge and below it
    nodes = [(0, 0), (0, 400), (0, 0), (400, 0)]
    apart = road(nodes, both((0, 1, 400), (2, 3, 400)))
    halls, homes = points([nodes[1], nodes[3]], "facility"), points([(-30, -40)])
    found = within_time(halls, homes, apart, minutes=60, mode="walk")
    assert times(found) == {
        (0, 0): pytest.approx(5.625, abs=0.002),
        (1, 0): pytest.approx(5.625, abs=0.002),
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_one_way_streets_bind_cars_on_the_way_to_the_facility(engine):
    # from 0 to 1 to 2 along a one-way street, and back by a detour of 10 km
    nodes = [(0, 0), (500, 0), (1000, 0)]
    edges = [(0, 1, 500), (1, 2, 500), (1, 0, 500, True, False), (2, 1, 500, True, False)]
    ring = road(nodes, [*edges, (2, 0, 10_000, False, True)])
    ends = points([nodes[0], nodes[2]], "facility")
    homes = points([nodes[0], nodes[2]])
    drive = within_time(ends, homes, ring, minutes=60, mode="car", speed=60.0, engine=engine)
    walk = within_time(ends, homes, ring, minutes=60, mode="walk", engine=engine)
    assert times(drive) == {(0, 0): 0.0, (0, 1): 10.0, (1, 0): 1.0, (1, 1): 0.0}
    assert times(walk) == {(0, 0): 0.0, (0, 1): 12.5, (1, 0): 12.5, (1, 1): 0.0}


def test_on_one_one_way_street_cars_go_round_the_block():
    nodes = [(0, 0), (1000, 0)]
    ring = road(nodes, [(0, 1, 1000), (1, 0, 3000)])
    halls = points([(400, 0)], "facility")
    homes = points([(300, 0), (500, 0)])
    # the way back is drawn over the way there: it is the same street to a point
    found = within_time(halls, homes, ring, minutes=60, mode="car", speed=60.0)
    assert found.nearest == pytest.approx([0.1, 0.3], abs=0.001)
    only_there = road(nodes, [(0, 1, 1000)])
    found = within_time(halls, homes, only_there, minutes=60, mode="car", speed=60.0)
    assert found.nearest == pytest.approx([0.1, np.inf], abs=0.001)


def test_the_faster_of_parallel_edges_counts_and_loops_lead_nowhere():
    edges = [(0, 1, 900), (0, 1, 400), (1, 0, 800), (1, 1, 5), (0, 0, 0)]
    found = within_time(
        points([(800, 0)], "facility"), points([(0, 0)]), road([(0, 0), (800, 0)], edges),
        minutes=60, mode="walk",
    )  # fmt: skip
    assert found.nearest.tolist() == [5.0]


@pytest.mark.parametrize("engine", ENGINES)
def test_edges_of_no_length_connect(engine):
    nodes = [(0, 0), (100, 0), (100, 0), (200, 0)]
    bridge = road(nodes, both((0, 1, 100), (1, 2, 0), (2, 3, 100)))
    halls, homes = points([nodes[0]], "facility"), points([nodes[3]])
    found = within_time(halls, homes, bridge, minutes=60, mode="walk", engine=engine)
    assert found.nearest.tolist() == [2.5]


def test_who_stands_too_far_is_listed():
    halls = points([(0, 0), (0, 5000)], "facility")
    homes = points([(0, 0), (800, 400), (800, 600)])
    found = within_time(halls, homes, STREET, minutes=60, mode="walk")
    assert found.far_facilities == ("facility1",)
    assert found.far_places == ("place2",)
    assert found.reach.targets == halls.ids
    assert found.reach.weights.toarray().tolist() == [[1, 1, 0], [0, 0, 0]]
    assert np.isinf(found.nearest[2])
    wider = within_time(halls, homes, STREET, minutes=60, mode="walk", farthest=700)
    assert wider.far_places == ()


def test_speeds_by_kind_and_limits():
    nodes, edges = [(0, 0), (800, 0)], [(0, 1, 800, True, True, 30.0), (1, 0, 800)]
    there = streets(road(nodes, edges, kind="primary"), mode="car")
    assert (there.up[0], there.down[0]) == pytest.approx((0.8 / 30 * 60, 0.8 / 35 * 60))
    slowest = streets(road(nodes, edges[1:], kind="primary;residential"), mode="car")
    assert slowest.down[0] == pytest.approx(0.8 / 20 * 60)
    other = streets(road(nodes, edges[1:], kind="ferry"), mode="car")
    assert other.down[0] == pytest.approx(0.8 / car_speeds()[""] * 60)
    own = streets(road(nodes, edges, kind="primary"), mode="car", speed={"primary": 10.0})
    assert own.up[0] == pytest.approx(0.8 / 10 * 60)
    slow = streets(road(nodes, edges), mode="walk", speed=2.4)
    assert slow.up[0] == pytest.approx(20.0)


def test_nonsense_is_refused():
    halls, homes = points([(0, 0)], "facility"), points([(0, 0)])
    for more in (
        {"minutes": -1.0}, {"minutes": np.nan}, {"speed": 0.0}, {"farthest": np.nan},
    ):  # fmt: skip
        with pytest.raises(LabelError):
            within_time(halls, homes, STREET, **{"minutes": 5.0, "mode": "walk"} | more)
    with pytest.raises(LabelError, match="known"):
        within_time(halls, homes, STREET, minutes=5, mode="car", speed={})
    with pytest.raises(CrsError):
        within_time(halls, points([(0, 0)], plane_zone=9), STREET, minutes=5, mode="walk")


def test_nothing_at_either_end():
    none, some = points([], "facility"), points([(0, 0)])
    for engine in ENGINES:
        found = within_time(none, some, STREET, minutes=5, mode="walk", engine=engine)
        assert found.reach.weights.shape == (0, 1)
        found = within_time(points([(0, 0)], "facility"), points([]), STREET, minutes=5,
                            mode="walk", engine=engine)  # fmt: skip
        assert found.reach.weights.shape == (1, 0)
    assert nearest_time(none, some, STREET, mode="walk").facility.tolist() == [-1]
    closed = road([(0, 0), (800, 0)], [(0, 1, 800, False, False)])
    found = within_time(points([(0, 0)], "facility"), some, closed, minutes=5, mode="walk")
    assert found.far_facilities == ("facility0",)
    assert found.far_places == ("place0",)


def test_credits_rule_and_dwelling():
    halls, homes = points([(0, 0)], "facility"), points([(0, 0), (800, 0)])
    reach = within_time(halls, homes, STREET, minutes=5, mode="walk").reach
    assert reach.rule == "within 5 minutes on foot on the road network"
    assert reach.credits == ("facility_source", "osm", "place_source")
    walk = from_pairs(np.array([0, 1]), np.array([0, 0]), np.array([0.25, 0.75]),
                      targets=homes.ids, sources=["block"], rule="by area")  # fmt: skip
    assert compose(reach, walk).weights.toarray().tolist() == [[0.25]]


def grid(side, rng, *, removed=0.2):
    at = np.arange(side * side).reshape(side, side)
    pairs = [*zip(at[:, :-1].ravel(), at[:, 1:].ravel(), strict=True)]
    pairs += [*zip(at[:-1].ravel(), at[1:].ravel(), strict=True)]
    pairs = [pair for pair in pairs if rng.random() > removed]
    edges = []
    for a, b in pairs:
        length, car = rng.uniform(90, 150), bool(rng.random() < 0.8)
        edges += [(a, b, length), (b, a, length, True, car)]
    return road([(100 * (i % side), 100 * (i // side)) for i in range(side * side)], edges)


def by_hand(halls, homes, network, *, mode, speed):
    """All times by plain Dijkstra, facilities and places being nodes of the grid."""
    usable = network.on_foot if mode == "walk" else network.by_car
    cost = network.length[usable] / (speed * 1000 / 60)
    count = len(network)
    matrix = sparse.csr_array((cost, (network.start[usable], network.end[usable])), (count, count))
    return dijkstra(matrix)[np.ix_(homes, halls)].T


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mode", ["walk", "car"])
@pytest.mark.parametrize("seed", range(4))
def test_random_grids_as_scipy_finds_them(engine, mode, seed):
    rng = np.random.default_rng(seed)
    network = grid(15, rng)
    speed = 4.8 if mode == "walk" else 20.0
    halls, homes = rng.choice(225, 12, replace=False), rng.choice(225, 80, replace=False)
    places = [(100 * (i % 15), 100 * (i // 15)) for i in range(225)]
    zones = (points([places[i] for i in halls], "facility"), points([places[i] for i in homes]))
    expected = by_hand(halls, homes, network, mode=mode, speed=speed)
    connected = np.bincount(network.start, minlength=225) > 0  # others stand at the next street
    if mode == "car":
        connected = np.bincount(network.start[network.by_car], minlength=225) > 0
        connected |= np.bincount(network.end[network.by_car], minlength=225) > 0
    rows, columns = connected[halls], connected[homes]
    limit = 6.0 if mode == "walk" else 2.0
    found = within_time(
        *zones, network, minutes=limit, mode=mode, speed=speed, farthest=1.0, engine=engine
    )
    dense = np.full(expected.shape, np.inf)
    dense[found.times.facility, found.times.place] = found.times.distance
    expected = np.where(expected <= limit * (1 + 1e-9), expected, np.inf)
    expected[~rows], expected[:, ~columns] = np.inf, np.inf
    np.testing.assert_allclose(dense, expected, rtol=1e-6, atol=1e-6)
    soonest = nearest_time(*zones, network, mode=mode, speed=speed, farthest=1.0)
    np.testing.assert_allclose(
        np.where(soonest.minutes <= limit, soonest.minutes, np.inf), dense.min(axis=0), rtol=1e-9
    )


@pytest.mark.parametrize("sources_together", [1, 3, 128])
def test_both_engines_settle_the_same(monkeypatch, sources_together):
    monkeypatch.setattr(bounded, "TOGETHER", sources_together)
    monkeypatch.setattr(bounded, "DENSE", 300)  # so that a part is answered in several rows
    rng = np.random.default_rng(7)
    matrix = sparse.random_array((200, 200), density=0.02, rng=rng, format="csr")
    matrix = sparse.csr_array(matrix)
    matrix.data[::5] = 0.0
    seeds = Arrival(
        np.sort(rng.integers(0, 10, 30)), rng.integers(0, 200, 30), rng.uniform(0, 0.3, 30)
    )
    answers = []
    for engine in ENGINES:
        parts = list(search(matrix, seeds, sources=10, limit=0.8, engine=engine))
        whole = Arrival(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        assert (np.diff(whole.source) >= 0).all()
        answers.append(least(whole, nodes=200))
    for one, other in zip(*answers, strict=True):
        assert one.tolist() == other.tolist()
    nearest = to_nearest(matrix, seeds, sources=10, limit=0.8)
    soonest = np.full(200, np.inf)
    np.minimum.at(soonest, answers[0].node, answers[0].cost)
    assert nearest.cost.tolist() == soonest[np.isfinite(soonest)].tolist()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["walk", "car"]))
def test_nothing_depends_on_the_order_of_nodes_and_edges(seed, mode):
    rng = np.random.default_rng(seed)
    network = grid(8, rng)
    halls, homes = (points(rng.uniform(-50, 750, (n, 2)), kind) for n, kind in ((6, "facility"), (30, "place")))  # fmt: skip
    node, edge = rng.permutation(64), rng.permutation(len(network.start))
    new = np.argsort(node)
    shuffled = Network(
        network.longitude[node], network.latitude[node], new[network.start[edge]],
        new[network.end[edge]], network.length[edge], network.kind[edge], network.speed[edge],
        network.on_foot[edge], network.by_car[edge],
    )  # fmt: skip
    for engine in ENGINES:
        one, other = (
            within_time(halls, homes, roads, minutes=5, mode=mode, engine=engine)
            for roads in (network, shuffled)
        )
        for first, second in zip(one.times, other.times, strict=True):
            assert first.tolist() == second.tolist()
    one, other = (nearest_time(halls, homes, roads, mode=mode) for roads in (network, shuffled))
    assert one.minutes.tolist() == other.minutes.tolist()


def test_order_of_facilities_and_places_follows_only():
    rng = np.random.default_rng(3)
    network = grid(10, rng)
    halls, homes = rng.uniform(0, 900, (300, 2)), rng.uniform(0, 900, (50, 2))
    found = within_time(
        points(halls, "facility"), points(homes), network, minutes=4, mode="walk"
    ).reach.weights.toarray()
    turned = within_time(
        points(halls[::-1], "facility"), points(homes[::-1]), network, minutes=4, mode="walk"
    ).reach.weights.toarray()
    assert (found == turned[::-1, ::-1]).all()
    assert found.any()


def test_graph_in_pieces_and_who_is_off_it_are_reported():
    nodes = [(0, 0), (900, 0), (0, 300), (100, 300), (5, 5)]
    apart = road(nodes, both((0, 1, 900), (2, 3, 100)))
    halls, homes = points([(0, 0), (0, 5000)], "facility"), points([(0, 0), (0, -700)])
    report = Report()
    check_network(halls, homes, apart, mode="walk", file="roads.graphml", report=report)
    assert [(p.code, p.severity, p.value) for p in report.problems] == [
        ("FM624", "warning", "2"), ("FM625", "warning", "facility1"), ("FM626", "warning", "place1"),
    ]  # fmt: skip
    pieces, facility, places = (dict(problem.detail) for problem in report.problems)
    assert pieces["share"] == "10.00%"
    assert facility["distance"].startswith("4,70")
    assert (places["count"], places["all"]) == ("1", "2")
    assert "?" not in "".join(p.text(part, lang) for p in report.problems for part in ("title", "expected", "why") for lang in ("ja", "en"))  # fmt: skip
    assert components(apart, mode="walk").piece.tolist() == [0, 0, 1, 1, -1]


def test_a_sound_graph_says_nothing_and_an_unusable_one_is_refused():
    halls, homes = points([(0, 0)], "facility"), points([(0, 0)])
    report = Report()
    check_network(halls, homes, STREET, mode="car", file="a", report=report)
    assert not report.problems
    closed = road([(0, 0), (800, 0)], [(0, 1, 800, True, False)])
    check_network(halls, homes, closed, mode="car", file="a", report=report)
    assert [p.code for p in report.errors] == ["FM627"]


def test_the_clip_of_tachikawa():
    network = graph.read(CLIP, credit="osm", report=Report())
    rng = np.random.default_rng(0)
    east, north = rng.uniform(139.410, 139.416, 40), rng.uniform(35.695, 35.699, 40)
    halls, homes = (
        Zones.build([f"{kind}{i}" for i in range(len(x))], shapely.points(x, y), names=x,
                    parents=["13202"] * len(x), kind=kind, plane_zone=9)
        for kind, x, y in (("facility", east[:10], north[:10]), ("place", east[10:], north[10:]))
    )  # fmt: skip
    one, other = (
        within_time(halls, homes, network, minutes=15, mode="walk", engine=engine)
        for engine in ENGINES
    )
    assert one.times.distance.tolist() == other.times.distance.tolist()
    # nobody is faster than the straight line, within OSMnx's sphere
    straight = 80 * one.times.distance
    plane = [shapely.get_coordinates(zones.plane_geometry()) for zones in (halls, homes)]
    apart = np.hypot(*(plane[0][one.times.facility] - plane[1][one.times.place]).T)
    assert (straight >= apart * (1 - 3e-3)).all()
    assert len(apart) > 100
