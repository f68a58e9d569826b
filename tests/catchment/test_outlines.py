"""Outlines of reach: round on the ground, all districts, around those who come in time."""

import numpy as np
import pyproj
import pytest
import shapely

from futuremap.catchment.outlines import AROUND, circles, hulls, of_districts
from futuremap.core.crosswalk import from_pairs
from futuremap.core.zones import Zones
from futuremap.errors import LabelError


def points(longitudes, latitudes, *, kind="facility", zone=3):
    ids = [f"{kind}{i}" for i in range(len(longitudes))]
    return Zones.build(
        ids, shapely.points(longitudes, latitudes), names=ids, parents=["34204"] * len(ids),
        kind=kind, plane_zone=zone,
    )  # fmt: skip


@pytest.mark.parametrize(("where", "zone"), [((133.08, 34.4), 3), ((139.1, 35.15), 9)])
def test_circles_are_round_on_the_ellipsoid(where, zone):
    hall = points([where[0]], [where[1]], zone=zone)
    (ring,) = circles(hall, radius=800.0)
    corners = shapely.get_coordinates(ring)
    middle = np.broadcast_to(where, corners.shape)
    _, _, metres = pyproj.Geod(ellps="GRS80").inv(*middle.T, *corners.T)
    np.testing.assert_allclose(metres, 800.0, rtol=2e-4)


def test_a_radius_of_nothing_is_refused():
    with pytest.raises(LabelError, match="circle"):
        circles(points([133.0], [34.4]), radius=0.0)


def test_several_districts_are_one_area():
    districts = Zones.build(
        ["a", "b", "c"], [shapely.box(133 + i, 34, 134 + i, 35) for i in range(3)],
        names=list("abc"), parents=["34204"] * 3, kind="district", plane_zone=3,
    )  # fmt: skip
    served = from_pairs(
        np.array([0, 0]), np.array([0, 1]), np.ones(2), targets=["school", "none"],
        sources=["a", "b", "c"], rule="test",
    )  # fmt: skip
    first, second = of_districts(served, districts)
    assert first.equals(shapely.box(133, 34, 135, 35))
    assert second is None
    with pytest.raises(LabelError, match="districts"):
        of_districts(served, points([133.0], [34.0], kind="district"))


def test_a_hull_holds_all_places_reached_and_no_far_ones():
    halls = points([133.0, 133.1], [34.4, 34.4])
    near = np.random.default_rng(1).uniform(-0.01, 0.01, (60, 2)) + np.array([133.0, 34.4])
    far = np.array([[133.3, 34.4]])
    places = points(*np.concatenate([near, far]).T, kind="place")
    reach = from_pairs(
        np.zeros(60, dtype=int), np.arange(60), np.ones(60), targets=halls.ids,
        sources=places.ids, rule="test",
    )  # fmt: skip
    own, alone = hulls(reach, halls, places)
    assert shapely.covers(own, places.geometry[:60]).all()
    assert not shapely.covers(own, places.geometry[60])
    assert own.is_valid
    # nobody reaches the second: a disc around itself
    metres = pyproj.Geod(ellps="GRS80").geometry_area_perimeter(alone)[0]
    assert abs(metres) == pytest.approx(np.pi * AROUND**2, rel=0.05)


def test_places_on_a_line_have_an_area():
    halls, places = points([133.0], [34.4]), points([133.0, 133.01], [34.4, 34.4], kind="place")
    reach = from_pairs(
        np.zeros(2, dtype=int), np.arange(2), np.ones(2), targets=halls.ids, sources=places.ids,
        rule="test",
    )  # fmt: skip
    (own,) = hulls(reach, halls, places)
    assert own.geom_type == "Polygon"
    assert own.area > 0
    with pytest.raises(LabelError, match="places"):
        hulls(reach, halls, halls)
