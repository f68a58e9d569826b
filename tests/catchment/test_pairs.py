"""Pairs beside geodesics, and what a tie is."""

import numpy as np
import pyproj
import pytest
import shapely

from futuremap.catchment.pairs import near, nearest
from futuremap.core.zones import Zones
from futuremap.errors import LabelError

GEOD = pyproj.Geod(ellps="GRS80")


def points(longitude, latitude, ids=None, shuffle=None):
    ids = [f"p{i:04d}" for i in range(len(longitude))] if ids is None else ids
    zones = Zones.build(
        ids,
        shapely.points(longitude, latitude),
        names=ids,
        parents=["34204"] * len(ids),
        kind="place",
        plane_zone=3,
    )
    if shuffle is None:
        return zones
    order = np.random.default_rng(shuffle).permutation(len(ids))
    return Zones(zones.frame.iloc[order], zones.kind, zones.plane_zone)


def town(count, seed, shuffle=None):
    rng = np.random.default_rng(seed)
    return points(*(np.array([[133.0], [34.4]]) + rng.normal(0, 0.02, (2, count))), shuffle=shuffle)


def named(pairs, facilities, places):
    return {
        (facilities.ids[f], places.ids[p]): d
        for f, p, d in zip(pairs.facility, pairs.place, pairs.distance, strict=True)
    }


def geodesics(facilities, places):
    one, other = (shapely.get_coordinates(zones.geometry).T for zones in (facilities, places))
    pair = np.meshgrid(np.arange(one.shape[1]), np.arange(other.shape[1]), indexing="ij")
    return GEOD.inv(*one[:, pair[0]], *other[:, pair[1]])[2]


def test_near_are_all_pairs_within_the_geodesic_and_no_other():
    halls, homes = town(40, 1), town(300, 2)
    wanted = geodesics(halls, homes)
    pairs = near(halls, homes, radius=800.0)
    facility, place = np.nonzero(wanted <= 800)
    assert pairs.facility.tolist() == facility.tolist()  # sorted, as nonzero gives them
    assert pairs.place.tolist() == place.tolist()
    np.testing.assert_allclose(pairs.distance, wanted[facility, place], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("metres", "error"), [(800, 1e-6), (10_000, 1e-4), (50_000, 2e-3)])
@pytest.mark.parametrize("start", [(141.9, 45.4), (133.0, 34.4), (123.8, 24.4)])
def test_distances_are_geodesics_all_over_japan(start, metres, error):
    azimuth = np.arange(0.0, 360.0, 30.0)
    many = np.broadcast_to(np.array(start)[:, None], (2, 12))
    east, north, _ = GEOD.fwd(*many, azimuth, np.full(12, float(metres)))
    pairs = near(points(*many[:, :1]), points(east, north), radius=2.0 * metres)
    np.testing.assert_allclose(pairs.distance, metres, rtol=0, atol=error)


def test_a_place_exactly_at_the_radius_is_within():
    halls, homes = town(5, 1), town(5, 2)
    edge = near(halls, homes, radius=5000.0).distance.max()
    assert near(halls, homes, radius=edge).distance.max() == edge
    assert near(halls, homes, radius=np.nextafter(edge, 0)).distance.max() < edge


def test_a_place_on_the_facility_is_near_at_distance_0():
    here = points([133.0], [34.4])
    assert near(here, here, radius=1.0).distance.tolist() == [0.0]
    assert nearest(here, here).distance.tolist() == [0.0]


@pytest.mark.parametrize("k", [1, 3, 40, 99])
def test_nearest_are_the_first_of_all(k):
    halls, homes = town(40, 1), town(60, 2)
    wanted = np.sort(geodesics(halls, homes), axis=0)[:k]
    pairs = nearest(halls, homes, k=k)
    assert np.bincount(pairs.place).tolist() == [min(k, 40)] * 60
    assert np.all(np.diff(pairs.facility * 60 + pairs.place) > 0)
    by_place = pairs.distance[np.lexsort((pairs.distance, pairs.place))].reshape(60, -1).T
    np.testing.assert_allclose(by_place, wanted, rtol=0, atol=1e-4)


def test_nearest_stops_at_the_farthest():
    halls, homes = town(40, 1), town(60, 2)
    all_near, few = near(halls, homes, radius=900.0), nearest(halls, homes, k=40, farthest=900.0)
    np.testing.assert_array_equal(few.place, all_near.place)
    np.testing.assert_array_equal(few.facility, all_near.facility)


@pytest.mark.parametrize("shuffle", range(5))
@pytest.mark.parametrize("k", [1, 2, 3])
def test_ties_go_to_the_lower_ids_in_any_order(k, shuffle):
    # five facilities at one address, two on either side, and others out of the way
    east = [133.01, 133.01, 133.01, 133.01, 133.01, 132.99, 133.01, 134.0, 134.0]
    ids = ["m", "f", "b", "z", "k", "c", "d", "a", "0"]
    halls = points(np.array(east), np.full(9, 34.4), ids=ids, shuffle=shuffle)
    home = points([133.0], [34.4])
    pairs = nearest(halls, home, k=k)
    assert sorted(halls.ids[f] for f in pairs.facility) == ["b", "c", "d"][:k]


def test_order_changes_nothing():
    straight = named(near(town(40, 1), town(90, 2), radius=2000.0), town(40, 1), town(90, 2))
    halls, homes = town(40, 1, shuffle=3), town(90, 2, shuffle=4)
    assert named(near(halls, homes, radius=2000.0), halls, homes) == straight


def test_none_are_near_none():
    halls, nobody = town(3, 1), points([], [])
    for pairs in (
        near(halls, nobody, radius=800.0),
        near(nobody, halls, radius=800.0),
        nearest(halls, nobody),
        nearest(nobody, halls),
        nearest(halls, points([140.0], [36.0]), farthest=800.0),
    ):
        assert [len(column) for column in pairs] == [0, 0, 0]


@pytest.mark.parametrize("radius", [0.0, -1.0, np.nan, np.inf])
def test_a_radius_is_a_number_above_0(radius):
    with pytest.raises(LabelError, match="radius of"):
        near(town(2, 1), town(2, 2), radius=radius)


def test_areas_and_empty_points_are_refused_by_id():
    homes = points([133.0, 133.1], [34.4, 34.4], ids=["good", "bad"])
    for shape in (shapely.box(133, 34, 133.1, 34.1), shapely.Point()):
        broken = homes.frame.copy()
        broken.geometry = [homes.geometry[0], shape]
        with pytest.raises(LabelError, match=r"1 zones are not points, such as \['bad'\]"):
            near(homes, Zones(broken, "place", 3), radius=800.0)


@pytest.mark.parametrize(("k", "farthest"), [(0, 800.0), (1, 0.0), (1, np.nan)])
def test_nearest_wants_numbers_above_0(k, farthest):
    with pytest.raises(LabelError, match="nearest facilities"):
        nearest(town(2, 1), town(2, 2), k=k, farthest=farthest)
