"""Laws of reach that hold on any map."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from futuremap.catchment.accessibility import Steps, two_step, weighted
from futuremap.catchment.choice import only_here, within_any
from futuremap.catchment.coverage import covered_places, overlap, within_radius_of_any
from futuremap.catchment.disc import shares_inside
from futuremap.catchment.pairs import near, nearest
from futuremap.catchment.reach import by_places, within_radius
from futuremap.catchment.stand import coarser, stand
from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import compose, gather
from futuremap.core.population import Population
from futuremap.core.zones import Zones, plane_epsg

SIDE = 2000  # of the maps [m]
SEEDS = st.integers(0, 2**32 - 1)


def tiling(seed, count=40):
    """Cells that fill a square without gap, some with a hole that another cell fills."""
    rng = np.random.default_rng(seed)
    square = shapely.box(0, 0, SIDE, SIDE)
    points = shapely.multipoints(rng.uniform(0, SIDE, (count, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=square))
    cells = shapely.intersection(cells, square)
    holes = shapely.buffer(shapely.point_on_surface(cells[::3]), rng.uniform(1, 40), quad_segs=3)
    holes = holes[shapely.contains_properly(cells[::3], holes)]
    rest = shapely.difference(cells, shapely.union_all(holes))
    return np.concatenate([rest, holes])


def zones(shapes, kind="town_block", *, ids=None, plane=3):
    ids = [f"{kind}{i}" for i in range(len(shapes))] if ids is None else ids
    degrees = gpd.GeoSeries(shapes, crs=plane_epsg(plane)).to_crs(6668).to_numpy()
    return Zones.build(
        ids, degrees, names=ids, parents=["34204"] * len(ids), kind=kind, plane_zone=plane
    )


def facilities(seed, count=5):
    places = np.random.default_rng(seed).uniform(0, SIDE, (count, 2))
    return zones(shapely.points(places), "facility")


def reordered(some, seed):
    order = np.random.default_rng(seed).permutation(len(some))
    return Zones(some.frame.iloc[order], some.kind, some.plane_zone), order


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.floats(10, 900), st.floats(0, 1), st.floats(0, 1))
def test_the_parts_of_a_circle_add_up_to_it(seed, radius, east, north):
    shapes = tiling(seed)
    centre = radius + (SIDE - 2 * radius) * np.array([[east, north]])
    part = shares_inside(shapes, centre=centre, radius=radius)
    area = part.share @ shapely.area(shapes)[part.polygon]
    assert abs(area / (np.pi * radius**2) - 1) <= 1e-12


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.floats(10, 3000), st.floats(-3000, 5000), st.floats(-3000, 5000))
def test_what_lies_in_the_town_and_what_does_not_fill_the_circle(seed, radius, east, north):
    # a ring of land around the town that reaches beyond every circle
    town = tiling(seed, count=15)
    country = shapely.box(-9000, -9000, 9000, 9000).difference(shapely.box(0, 0, SIDE, SIDE))
    shapes = np.append(town, country)
    part = shares_inside(shapes, centre=np.array([[east, north]]), radius=radius)
    area = part.share @ shapely.area(shapes)[part.polygon]
    assert abs(area / (np.pi * radius**2) - 1) <= 1e-12 * max(1, 9e6 / radius**2)


@settings(max_examples=30, deadline=None)
@given(SEEDS, SEEDS, st.floats(50, 900))
def test_the_order_of_zones_and_facilities_changes_nothing(seed, other, radius):
    blocks, halls = zones(tiling(seed)), facilities(seed)
    turned, rows = reordered(blocks, other)
    moved, columns = reordered(halls, other)
    straight = within_radius(halls, blocks, radius=radius).weights.toarray()
    again = within_radius(moved, turned, radius=radius).weights.toarray()
    np.testing.assert_array_equal(again, straight[np.ix_(columns, rows)])
    cover, other_cover = (
        within_radius_of_any(f, z, radius=radius, target="x").weights.toarray()[0]
        for f, z in ((halls, blocks), (moved, turned))
    )
    np.testing.assert_allclose(other_cover, cover[rows], rtol=0, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.floats(50, 900), st.floats(0, np.pi))
def test_how_a_block_is_cut_does_not_matter(seed, radius, angle):
    shapes = tiling(seed, count=12)
    middle = shapely.get_coordinates(shapely.point_on_surface(shapes[0]))[0]
    aside = 9000 * np.array([np.cos(angle), np.sin(angle)])
    half = shapely.Polygon([middle - aside, middle + aside, middle + aside[::-1] * [-1, 1] * 2])
    halves = [shapes[0].intersection(half), shapes[0].difference(half)]
    assume(all(part.geom_type in ("Polygon", "MultiPolygon") for part in halves))
    cut = np.concatenate([halves, shapes[1:]])
    centre = np.random.default_rng(seed).uniform(0, SIDE, (20, 2))
    one, two = (shares_inside(map_, centre=centre, radius=radius) for map_ in (shapes, cut))
    area = np.bincount(one.disc, one.share * shapely.area(shapes)[one.polygon], 20)
    again = np.bincount(two.disc, two.share * shapely.area(cut)[two.polygon], 20)
    np.testing.assert_allclose(again, area, rtol=0, atol=1e-12 * SIDE**2)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.floats(0.1, 0.9))
def test_how_a_block_is_cut_moves_no_place(seed, share):
    shapes = tiling(seed, count=6)
    half = shapely.box(-1, -1, share * SIDE, SIDE + 1)
    halves = [shapes[0].intersection(half), shapes[0].difference(half)]
    assume(all(not part.is_empty for part in halves))
    whole, parts = (stand(zones(map_)) for map_ in (shapes, np.concatenate([halves, shapes[1:]])))
    assert whole.places.ids == parts.places.ids
    np.testing.assert_allclose(
        shapely.get_coordinates(parts.places.plane_geometry()),
        shapely.get_coordinates(whole.places.plane_geometry()),
        rtol=0,
        atol=1e-3,
    )
    assert parts.walk.conserves()


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.floats(300, 900))
def test_standing_people_are_reached_as_areas_are(seed, radius):
    blocks, halls = zones(tiling(seed, count=8)), facilities(seed)
    places, walk, _ = stand(blocks, spacing=25.0)
    by_cell = compose(by_places(halls, places, radius=radius), walk).weights.toarray()
    exact = within_radius(halls, blocks, radius=radius).weights.toarray()
    ground = blocks.areas()
    off = np.abs(by_cell @ ground - exact @ ground) / (np.pi * radius**2)
    assert off.max() < 0.02  # the rim passes cells of 25 m


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.floats(50, 900))
def test_coverage_is_a_union(seed, radius):
    blocks, halls = zones(tiling(seed)), facilities(seed)
    reach = within_radius(halls, blocks, radius=radius).weights.toarray()
    cover = within_radius_of_any(halls, blocks, radius=radius, target="x").weights.toarray()[0]
    assert (cover >= reach.max(axis=0) - 1e-4).all()
    assert (cover <= np.minimum(reach.sum(axis=0), 1) + 1e-4).all()


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.floats(50, 900))
def test_covered_is_what_some_facility_reaches(seed, radius):
    halls, homes = facilities(seed), facilities(seed + 1, count=60)
    covered = covered_places(halls, homes, radius=radius)
    reach = by_places(halls, homes, radius=radius)
    np.testing.assert_array_equal(covered, overlap(reach) > 0)


@settings(max_examples=30, deadline=None)
@given(SEEDS, SEEDS, st.integers(1, 6))
def test_the_nearest_do_not_depend_on_order(seed, other, k):
    # corners of a lattice: many are equally far
    rng = np.random.default_rng(seed)
    halls = zones(shapely.points(rng.integers(0, 4, (12, 2)) * 500.0), "facility")
    homes = zones(shapely.points(rng.integers(0, 7, (20, 2)) * 250.0), "place")
    turned, _ = reordered(halls, other)

    def named(some):
        pairs = nearest(some, homes, k=k)
        ids = np.asarray(some.ids, dtype=object)
        return sorted(zip(pairs.place.tolist(), ids[pairs.facility], strict=True))

    assert named(turned) == named(halls)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_nobody_in_reach_shows_0_beyond_the_border_and_on_an_island(seed):
    blocks = zones(tiling(seed, count=8))
    halls = zones(shapely.points([[SIDE / 2, 1000], [SIDE + 3000, 1000], [0, 60_000]]), "facility")
    walk = within_radius(halls, blocks, radius=800.0)
    cube = np.random.default_rng(seed).gamma(1.0, 9.0, (2, len(blocks), 2, 3))
    people = Population.build(
        cube, years=[2020, 2050], zones=blocks.ids, ages=AgeGroups((0, 15, 65))
    )
    reached = gather(people, walk).totals()
    assert (reached[:, 0] > 0).all()
    assert (reached[:, 1:] == 0).all()


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_towns_in_two_plane_zones_are_one_project(seed):
    # the same places and people, once in 三原市's zone and once beside 湯河原町's
    shapes, places = tiling(seed, count=8), np.random.default_rng(seed).uniform(0, SIDE, (4, 2))
    reaches, frames = [], []
    for plane in (3, 9):
        halls = zones(shapely.points(places), "facility", plane=plane)
        reaches.append(within_radius(halls, zones(shapes, plane=plane), radius=500.0).weights)
        frames.append(halls.frame.rename(index=lambda name, plane=plane: f"{plane}{name}"))
    np.testing.assert_allclose(*(reach.toarray() for reach in reaches), rtol=0, atol=1e-6)
    both = Zones(gpd.GeoDataFrame(pd.concat(frames), crs=6668), "facility", 3)
    pairs = near(both, both, radius=3000.0)
    assert ((pairs.facility < 4) == (pairs.place < 4)).all()


@settings(max_examples=30, deadline=None)
@given(SEEDS, SEEDS, st.floats(100, 1500))
def test_supply_is_shared_out_whole_in_any_order(seed, other, radius):
    halls, homes = facilities(seed, count=8), facilities(seed + 1, count=60)
    rng = np.random.default_rng(seed)
    supply, people = rng.integers(0, 50, 8).astype(float), rng.gamma(1.0, 40.0, (2, 60))
    steps = Steps((radius / 3, radius), (1.0, 0.4))

    def found(some, amount):
        pairs = near(some, homes, radius=radius)
        reach = weighted(pairs, facilities=some, places=homes, weight=steps)
        return two_step(reach, supply=amount, demand=people)

    straight = found(halls, supply)
    used = (people * straight.at_place).sum(axis=1)
    np.testing.assert_allclose(used + straight.unused, supply.sum(), rtol=1e-12)
    turned, order = reordered(halls, other)
    again = found(turned, supply[order]).at_place
    np.testing.assert_allclose(again, straight.at_place, rtol=1e-12, atol=1e-15)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.floats(100, 1500))
def test_who_depends_on_one_and_who_has_a_choice_are_all_who_are_covered(seed, radius):
    halls, homes = facilities(seed, count=8), facilities(seed + 1, count=60)
    reach = by_places(halls, homes, radius=radius)
    people = np.random.default_rng(seed).gamma(1.0, 40.0, 60)
    alone = (only_here(reach).weights @ people).sum()
    choice, covered = (
        float((within_any(reach, homes, at_least=least).weights @ people).sum()) for least in (2, 1)
    )
    assert abs(alone + choice - covered) <= 1e-9 * max(1.0, covered)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.floats(10, 400))
def test_coarser_cells_keep_everybody_where_they_stand_on_average(seed, spacing):
    blocks = zones(tiling(seed, count=6))
    people = np.random.default_rng(seed).gamma(1.0, 40.0, len(blocks))
    standing = stand(blocks)
    cells, crowd = coarser(standing, people, spacing=spacing)
    fine = standing.walk.weights @ people
    assert abs(crowd.sum() - people.sum()) <= 1e-9 * people.sum()
    middles = [
        amount @ shapely.get_coordinates(some.plane_geometry()) / amount.sum()
        for amount, some in ((crowd, cells), (fine, standing.places))
    ]
    np.testing.assert_allclose(*middles, atol=1e-4)
