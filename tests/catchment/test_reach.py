"""Radius rules on small maps in metres."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from futuremap.catchment.reach import by_centroid, by_places, share_outside, within_radius
from futuremap.core.zones import Zones, plane_epsg
from futuremap.errors import CrsError, LabelError


def zones(shapes, kind="town_block", *, plane=3, sources=(), prefix=None):
    """Shapes in metres around the origin of a plane zone, 三原市's unless said."""
    ids = [f"{prefix or kind}{i}" for i in range(len(shapes))]
    return Zones.build(
        ids,
        gpd.GeoSeries(shapes, crs=plane_epsg(plane)).to_crs(6668).to_numpy(),
        names=ids,
        parents=["34204"] * len(ids),
        kind=kind,
        plane_zone=plane,
        sources=sources,
    )


def facilities(*places, plane=3):
    return zones([shapely.Point(place) for place in places], "facility", plane=plane, sources=["f"])


STREET = [shapely.box(x, -50, x + 100, 50) for x in range(0, 1000, 100)]


def test_people_count_by_the_share_of_their_block():
    walk = within_radius(facilities((0, 0)), zones(STREET, sources=["a"]), radius=300.0)
    weights = walk.weights.toarray()[0]
    circle = shapely.Point(0, 0).buffer(300, quad_segs=5000)
    wanted = [shape.intersection(circle).area / shape.area for shape in STREET]
    np.testing.assert_allclose(weights, wanted, rtol=0, atol=1e-6)
    assert weights[0] == weights[1] == 1
    assert walk.rule == "within 300 m, by exact area of the disc"
    assert walk.credits == ("a", "f")


def test_a_facility_with_nobody_in_reach_stays_with_nothing():
    # in town; 3 km beyond the border; on an island that has no block
    walk = within_radius(facilities((50, 0), (4000, 0), (0, 90_000)), zones(STREET), radius=300.0)
    assert walk.targets == ("facility0", "facility1", "facility2")
    assert (walk.weights.toarray()[1:] == 0).all()
    assert walk.weights.indptr.tolist()[1:] == [4, 4, 4]


def test_two_plane_zones_are_not_measured_together_but_one_by_one():
    for plane in (3, 9):
        walk = within_radius(
            facilities((0, 0), plane=plane), zones(STREET, plane=plane), radius=300.0
        )
        if plane == 3:
            first = walk.weights.toarray()
    np.testing.assert_allclose(walk.weights.toarray(), first, rtol=0, atol=1e-9)
    with pytest.raises(CrsError, match="plane zones 3 and 9"):
        within_radius(facilities((0, 0), plane=3), zones(STREET, plane=9), radius=300.0)


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)]), "Self-intersection"),
        (shapely.Polygon(), "no shape"),
        (shapely.LineString([(0, 0), (1, 1)]), "LineString"),
    ],
)
@pytest.mark.parametrize("rule", [within_radius, by_centroid])
def test_invalid_areas_are_refused_by_id(rule, shape, why):
    with pytest.raises(LabelError, match=rf"1 areas .* town_block1 \({why}"):
        rule(facilities((0, 0)), zones([STREET[0], shape]), radius=300.0)


def test_centroid_counts_whole_blocks_on_a_point_inside():
    horseshoe = shapely.box(0, 0, 400, 400).difference(shapely.box(100, 100, 400, 300))
    blocks = zones([horseshoe, shapely.box(400, 0, 600, 400)])
    middle = shapely.centroid(horseshoe)
    assert not horseshoe.contains(middle)
    walk = by_centroid(facilities((middle.x, middle.y), (500, 200)), blocks, radius=20.0)
    # nobody of the first block stands in its gap, where its centre of gravity is
    assert walk.weights.toarray().tolist() == [[0, 0], [0, 1]]
    assert "approximation" in walk.rule


def test_places_count_whole_across_plane_zones():
    homes = zones([shapely.Point(0, 0), shapely.Point(799.9, 0), shapely.Point(800.2, 0)], "place")
    walk = by_places(facilities((0, 0), (0, 0), plane=3), homes, radius=800.0)
    assert walk.weights.toarray().tolist() == [[1, 1, 0], [1, 1, 0]]
    # the zone in which lengths are measured does not matter: places need none
    elsewhere = Zones(homes.frame, "place", 9)
    again = by_places(facilities((0, 0), (0, 0), plane=3), elsewhere, radius=800.0)
    assert again.weights.toarray().tolist() == walk.weights.toarray().tolist()


def test_share_outside_the_town():
    outline = zones([shapely.box(0, -5000, 5000, 5000)], "municipality")
    share = share_outside(facilities((0, 0), (2000, 0), (-2000, 0)), outline, radius=800.0)
    np.testing.assert_allclose(share, [0.5, 0.0, 1.0], rtol=0, atol=1e-5)
