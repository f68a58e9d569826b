"""Buses by hand: wait, ride, walk; stops that cut streets; and what nobody gains from."""

from itertools import pairwise

import numpy as np
import pytest
import shapely

from futuremap.catchment.bus import with_bus, with_junctions
from futuremap.catchment.network import nearest_time, within_time
from futuremap.catchment.streets import PER_MINUTE, WALK
from futuremap.core.network import Network
from futuremap.core.zones import Zones
from futuremap.errors import LabelError
from futuremap.sources.graph_osm import on_ellipsoid

NORTH = 34.4
DEGREE = 91_953.0  # of longitude there, about [m]


def network(*lines, one_way=False):
    """Nodes where lines of (metres east, metres north) have corners."""
    places = sorted({point for line in lines for point in line})
    at = {point: i for i, point in enumerate(places)}
    pairs = [(at[a], at[b]) for line in lines for a, b in pairwise(line)]
    if not one_way:
        pairs += [(b, a) for a, b in pairs]
    start, end = np.array(pairs).T
    east, north = np.array(places).T
    longitude, latitude = 133.0 + east / DEGREE, NORTH + north / 110_930.0
    length = on_ellipsoid(longitude, latitude, start, end)
    yes = np.ones(len(start), dtype=bool)
    return Network(longitude, latitude, start, end, length, np.full(len(start), "", dtype=object),
                   np.full(len(start), np.nan), yes, yes.copy())  # fmt: skip


def points(*places, kind="place"):
    ids = [f"{kind}{i}" for i in range(len(places))]
    shapes = [shapely.Point(133.0 + e / DEGREE, NORTH + n / 110_930.0) for e, n in places]
    return Zones.build(ids, shapes, names=ids, parents=["34204"] * len(ids), kind=kind,
                       plane_zone=3)  # fmt: skip


STREET = network(((0, 0), (4000, 0)))
STOPS = points((500, 20), (3500, 20))
HALL = points((0, 0), kind="facility")
HOMES = points((4000, 0), (3500, 0), (600, 0))
NEAR = 1e-3  # a straight piece of 4 km is a parallel to 0.2 m only
WALKED = WALK * PER_MINUTE  # metres a minute


@pytest.mark.parametrize("engine", ["numba", "scipy"])
def test_wait_ride_and_walk_add_up(engine):
    both = with_bus(STREET, network(((0, 20), (4000, 20))), STOPS, speed=15.0, wait=6.0).network
    times = within_time(HALL, HOMES, both, minutes=60, mode="bus", engine=engine).times
    ride = 3000 / (15 * PER_MINUTE)
    stop = 20 / WALKED  # from the street to the line, at either end
    expected = [1000 / WALKED + 2 * stop + 6 + ride, 500 / WALKED + 2 * stop + 6 + ride]
    np.testing.assert_allclose(times.distance[:2], expected, rtol=1e-3)
    assert times.distance[2] == pytest.approx(600 / WALKED, rel=1e-3)  # walking is sooner
    soonest = nearest_time(HALL, HOMES, both, mode="bus").minutes
    np.testing.assert_allclose(soonest, times.distance, rtol=1e-9)


def test_on_foot_and_by_car_the_bus_changes_nothing():
    both = with_bus(STREET, STREET, STOPS, speed=60.0, wait=0.0).network
    for mode in ("walk", "car"):
        plain, with_it = (
            nearest_time(HALL, HOMES, graph, mode=mode).minutes for graph in (STREET, both)
        )
        np.testing.assert_allclose(with_it, plain, atol=0.01)


def test_a_slow_bus_is_walked_past():
    both = with_bus(STREET, STREET, STOPS, speed=1.0, wait=0.0).network
    walked = nearest_time(HALL, HOMES, STREET, mode="walk").minutes
    np.testing.assert_allclose(
        nearest_time(HALL, HOMES, both, mode="bus").minutes, walked, rtol=NEAR
    )


def test_a_line_in_one_direction_brings_nobody_back():
    east = network(((0, 0), (4000, 0)), one_way=True)
    both = with_bus(STREET, east, STOPS, speed=30.0, wait=0.0).network
    walked = nearest_time(HALL, HOMES, STREET, mode="walk").minutes  # the hall is in the west
    np.testing.assert_allclose(
        nearest_time(HALL, HOMES, both, mode="bus").minutes, walked, rtol=NEAR
    )
    far_hall = points((4000, 0), kind="facility")
    ridden = nearest_time(far_hall, points((0, 0)), both, mode="bus").minutes
    expected = 1000 / WALKED + 2 * 20 / WALKED * 2 + 3000 / (30 * PER_MINUTE)
    assert ridden[0] == pytest.approx(expected, rel=5e-3)


def test_a_stop_far_from_the_line_is_named_and_not_served():
    stops = points((500, 20), (3500, 20), (2000, 400))
    found = with_bus(STREET, STREET, stops, speed=15.0, wait=0.0)
    assert found.far == ("place2",)
    before = with_bus(STREET, STREET, STOPS, speed=15.0, wait=0.0).network
    assert len(found.network) == len(before)


def test_several_stops_cut_one_street_in_their_order():
    # two of them at the ends, given out of order, in both directions
    stops = points((4000, 5), (1000, 5), (0, 5), (2500, 5))
    cut = with_junctions(STREET, stops, mode="walk")
    assert len(cut.network) == len(STREET) + 4
    assert cut.network.length.sum() == pytest.approx(STREET.length.sum(), rel=1e-12)
    np.testing.assert_allclose(cut.distance, 5, atol=0.3)
    away = nearest_time(HALL, stops, cut.network, mode="walk").minutes
    np.testing.assert_allclose(
        away, nearest_time(HALL, stops, STREET, mode="walk").minutes, rtol=NEAR
    )


def test_the_order_of_stops_changes_nothing():
    stops = points((500, 20), (3500, 20), (2000, 10))
    turned = Zones(stops.frame.iloc[[2, 0, 1]], stops.kind, stops.plane_zone)
    ways = [
        nearest_time(
            HALL, HOMES, with_bus(STREET, STREET, some, speed=20.0, wait=1.0).network, mode="bus"
        ).minutes
        for some in (stops, turned)
    ]
    np.testing.assert_allclose(ways[0], ways[1], rtol=1e-12)


def test_no_speed_or_a_negative_wait():
    for speed, wait in ((0.0, 1.0), (15.0, -1.0)):
        with pytest.raises(LabelError, match="bus"):
            with_bus(STREET, STREET, STOPS, speed=speed, wait=wait)
