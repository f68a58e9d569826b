"""Coverage counts everybody once."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from futuremap.catchment.coverage import (
    covered_by_any,
    covered_places,
    overlap,
    shared,
    within_radius_of_any,
)
from futuremap.catchment.reach import by_places, within_radius
from futuremap.catchment.stand import stand
from futuremap.core.crosswalk import compose
from futuremap.core.zones import Zones, plane_epsg
from futuremap.errors import LabelError

BLOCKS = [
    shapely.box(x, y, x + 200, y + 200) for x in range(0, 2000, 200) for y in range(0, 1000, 200)
]


def zones(shapes, kind="town_block"):
    ids = [f"{kind}{i}" for i in range(len(shapes))]
    geometry = gpd.GeoSeries(shapes, crs=plane_epsg(3)).to_crs(6668).to_numpy()
    return Zones.build(ids, geometry, names=ids, parents=["34204"] * len(ids), kind=kind, plane_zone=3)  # fmt: skip


def halls(*places):
    return zones([shapely.Point(place) for place in places], "facility")


def union(facilities, radius):
    discs = shapely.buffer(facilities.plane_geometry(), radius, quad_segs=2000)
    return shapely.area(shapely.intersection(BLOCKS, shapely.union_all(discs))) / 40_000


@pytest.mark.parametrize("count", [1, 2, 30])
def test_share_of_each_block_in_the_union(count):
    places = np.random.default_rng(count).uniform(0, 1000, (count, 2))
    facilities = halls(*places)
    walk = within_radius_of_any(facilities, zones(BLOCKS), radius=300.0, target="34204")
    np.testing.assert_allclose(walk.weights.toarray()[0], union(facilities, 300.0), rtol=0, atol=1e-5)  # fmt: skip
    assert walk.targets == ("34204",)


def test_one_facility_alone_is_its_exact_reach():
    one, blocks = halls((700, 480)), zones(BLOCKS)
    alone = within_radius_of_any(one, blocks, radius=310.0, target="34204").weights.toarray()
    np.testing.assert_array_equal(alone, within_radius(one, blocks, radius=310.0).weights.toarray())


def test_the_same_facility_twice_covers_no_more():
    blocks = zones(BLOCKS)
    once, twice = (
        within_radius_of_any(halls(*[(700, 480)] * n), blocks, radius=310.0, target="x")
        for n in (1, 2)
    )
    np.testing.assert_allclose(once.weights.toarray(), twice.weights.toarray(), rtol=0, atol=1e-4)


def test_nobody_covered_is_a_target_with_nothing():
    blocks = zones(BLOCKS)
    far = halls((0, 9000))
    walk = within_radius_of_any(far, blocks, radius=800.0, target="34204")
    assert walk.targets == ("34204",)
    assert walk.weights.nnz == 0
    places = stand(blocks).places
    assert not covered_places(far, places, radius=800.0).any()
    assert covered_by_any(far, places, radius=800.0, target="34204").weights.shape == (
        1,
        len(places),
    )


def test_invalid_areas_are_refused():
    bow = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    with pytest.raises(LabelError, match="Self-intersection"):
        within_radius_of_any(halls((0, 0)), zones([bow]), radius=300.0, target="x")


def test_cells_cover_as_areas_do_and_as_their_middles_say():
    facilities, blocks = halls((500, 500), (650, 500), (1500, 300)), zones(BLOCKS)
    places, walk, _ = stand(blocks)
    cover = covered_by_any(facilities, places, radius=400.0, target="34204")
    # 200 m blocks on 100 m cells: each cell is a quarter, reached if its middle is
    middles = shapely.points(*np.meshgrid(np.arange(50, 2000, 100), np.arange(50, 1000, 100)))
    near = shapely.distance(shapely.union_all(facilities.plane_geometry()), middles) <= 400
    by_cell = compose(cover, walk).weights
    assert by_cell.sum() == pytest.approx(near.sum() / 4)
    exact = within_radius_of_any(facilities, blocks, radius=400.0, target="34204").weights
    assert by_cell.sum() == pytest.approx(exact.sum(), rel=0.02)
    reach = by_places(facilities, places, radius=400.0)
    np.testing.assert_array_equal(cover.weights.toarray()[0], overlap(reach) > 0)


def test_shared_people_are_those_in_both():
    facilities, blocks = halls((500, 500), (650, 500), (1500, 300), (500, 500)), zones(BLOCKS)
    places = stand(blocks).places
    reach = by_places(facilities, places, radius=400.0)
    people = np.random.default_rng(0).uniform(0, 9, len(places))
    both = shared(reach, people)
    weights = reach.weights.toarray()
    wanted = np.triu(weights * people @ weights.T, k=1)
    first, second = np.nonzero(wanted)
    assert both.first.tolist() == first.tolist() == [0, 0, 1]
    assert both.second.tolist() == second.tolist() == [1, 3, 3]
    np.testing.assert_allclose(both.people, wanted[first, second])
    assert both.people[1] == pytest.approx(people[weights[0] > 0].sum())


def test_shared_wants_people_by_place():
    reach = by_places(halls((0, 0)), halls((0, 0), (9, 9)), radius=400.0)
    with pytest.raises(LabelError, match=r"shape \(3,\) for 2 places"):
        shared(reach, np.ones(3))
