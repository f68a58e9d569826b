"""Where people stand inside their blocks."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from futuremap.catchment.stand import stand, stand_on
from futuremap.core.zones import Zones, plane_epsg
from futuremap.errors import LabelError


def zones(shapes, parents=None, ids=None):
    ids = [f"b{i}" for i in range(len(shapes))] if ids is None else ids
    return Zones.build(
        ids,
        gpd.GeoSeries(shapes, crs=plane_epsg(3)).to_crs(6668).to_numpy(),
        names=ids,
        parents=["34204"] * len(ids) if parents is None else parents,
        kind="town_block",
        plane_zone=3,
        sources=["blocks"],
    )


def degrees(x, y):
    points = gpd.GeoSeries(gpd.points_from_xy(x, y), crs=plane_epsg(3)).to_crs(6668)
    return {"longitude": points.x.to_numpy(), "latitude": points.y.to_numpy()}


def test_shares_are_those_of_the_ground_in_each_cell():
    # 150 m x 100 m, half a cell beyond the lines of the grid; and a house of 10 m
    standing = stand(zones([shapely.box(50, 0, 200, 100), shapely.box(310, 10, 320, 20)]))
    assert standing.places.ids == ("34204@0N0E", "34204@0N100E", "34204@0N300E")
    wanted = [[1 / 3, 0], [2 / 3, 0], [0, 1]]
    np.testing.assert_allclose(standing.walk.weights.toarray(), wanted, rtol=0, atol=1e-6)
    middles = shapely.get_coordinates(standing.places.plane_geometry())
    np.testing.assert_allclose(middles, [[75, 50], [150, 50], [315, 15]], rtol=0, atol=1e-3)
    assert standing.walk.conserves()
    assert standing.by_area.tolist() == [True, True]
    assert standing.places.kind == "place"
    assert standing.places.sources == standing.walk.credits == ("blocks",)


def test_holes_and_parts():
    ring = shapely.box(0, 0, 300, 300).difference(shapely.box(100, 100, 200, 200))
    parts = shapely.MultiPolygon([shapely.box(1000, 0, 1100, 100), shapely.box(-100, 0, 0, 300)])
    standing = stand(zones([ring, parts]))
    weights = standing.walk.weights.toarray()
    np.testing.assert_allclose(weights[weights[:, 0] > 1e-6, 0], 1 / 8, rtol=1e-5)
    np.testing.assert_allclose(weights[weights[:, 1] > 1e-6, 1], 1 / 4, rtol=1e-5)
    assert "34204@100N100E" not in {
        place for place, ground in zip(standing.places.ids, weights.sum(axis=1), strict=True) if ground > 1e-6
    }  # fmt: skip


def test_neighbours_in_a_cell_share_its_place_unless_a_border_runs_through():
    pair = [shapely.box(0, 0, 40, 100), shapely.box(40, 0, 100, 100)]
    assert len(stand(zones(pair)).places) == 1
    apart = stand(zones(pair, parents=["34204", "34203"]))
    assert set(apart.places.frame["parent"]) == {"34204", "34203"}
    assert apart.walk.weights.nnz == 2


@pytest.mark.parametrize("spacing", [0.0, -100.0, np.nan, np.inf])
def test_a_spacing_is_a_number_above_0(spacing):
    with pytest.raises(LabelError, match="a spacing of"):
        stand(zones([shapely.box(0, 0, 1, 1)]), spacing=spacing)


def test_invalid_areas_are_refused():
    bow = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    with pytest.raises(LabelError, match=r"b1 \(Self-intersection"):
        stand(zones([shapely.box(0, 0, 1, 1), bow]))


def test_given_places_by_weight_and_the_rest_by_area():
    blocks = zones([shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100), shapely.box(200, 0, 400, 100)])  # fmt: skip
    standing = stand_on(
        blocks,
        # two houses in the first block, one of no weight in the second, one outside all
        **degrees([10, 90, 150, 999], [50, 50, 50, 50]),
        weight=np.array([1.0, 3.0, 0.0, 7.0]),
        sources=["houses"],
    )
    assert standing.by_area.tolist() == [False, True, True]
    assert standing.places.ids == ("34204#0", "34204#1", "34204@0N100E", "34204@0N200E", "34204@0N300E")  # fmt: skip
    wanted = [[0.25, 0, 0], [0.75, 0, 0], [0, 1, 0], [0, 0, 0.5], [0, 0, 0.5]]
    np.testing.assert_allclose(standing.walk.weights.toarray(), wanted, rtol=0, atol=1e-6)
    assert standing.walk.conserves()
    assert standing.walk.credits == ("blocks", "houses")
    assert standing.walk.rule == "people on 2 given places; 2 areas evenly"


@pytest.mark.parametrize("turn", [False, True])
def test_a_place_on_a_border_goes_to_the_lower_id(turn):
    # borders in whole degrees of a grid, so that the point is on both
    ids = ["b", "a"] if turn else ["a", "b"]
    shapes = {
        "a": shapely.box(133.0, 34.0, 133.5, 34.5),
        "b": shapely.box(133.5, 34.0, 134.0, 34.5),
    }
    blocks = Zones.build(ids, [shapes[i] for i in ids], names=ids, parents=["34204"] * 2, kind="town_block", plane_zone=3)  # fmt: skip
    standing = stand_on(
        blocks,
        longitude=np.array([133.5, 133.75]),
        latitude=np.array([34.25, 34.25]),
        weight=np.ones(2),
        sources=[],
    )
    assert not standing.by_area.any()
    assert standing.walk.weights[0, ids.index("a")] == 1
    assert standing.walk.weights[1, ids.index("b")] == 1


def test_no_places_at_all_is_the_grid():
    blocks = zones([shapely.box(0, 0, 250, 100)])
    nothing = np.empty(0)
    standing = stand_on(blocks, longitude=nothing, latitude=nothing, weight=nothing, sources=["houses"])  # fmt: skip
    grid = stand(blocks)
    assert standing.places.ids == grid.places.ids
    np.testing.assert_array_equal(standing.walk.weights.toarray(), grid.walk.weights.toarray())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": np.ones(2)}, "longitudes, latitudes and weights"),
        ({"weight": np.array([-1.0])}, "not negative"),
        ({"weight": np.array([np.nan])}, "finite"),
        ({"longitude": np.array([np.nan])}, "coordinates"),
    ],
)
def test_numbers_of_places_are_checked(change, message):
    given = {"longitude": np.array([133.0]), "latitude": np.array([34.0]), "weight": np.ones(1)}
    with pytest.raises(LabelError, match=message):
        stand_on(zones([shapely.box(0, 0, 1, 1)]), **(given | change), sources=[])
