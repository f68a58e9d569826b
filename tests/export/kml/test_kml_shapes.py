"""Shapes of every kind: the right rings, or an error that names the feature."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from shapely import GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point

from futuremap.errors import ExportError
from futuremap.export.kml.shapes import HOLE, LINE, OUTER, outlines, ring_texts, vertex_counts


def drawn(*shapes, **options):
    return outlines(np.array(shapes, dtype=object), radius=50, **options)


def signed_areas(found):
    rings = [found.coordinates[a:b] for a, b in pairwise(found.ends.tolist())]
    return [float((r[:-1, 0] * r[1:, 1] - r[1:, 0] * r[:-1, 1]).sum()) / 2 for r in rings]


@pytest.mark.parametrize("turn", [False, True])
def test_every_ring_turns_its_way_and_keeps_its_corners(turn):
    rng = np.random.default_rng(3)
    towns = []
    for x, y in rng.uniform(-80, 80, (40, 2)):
        town = Point(x, y).buffer(rng.uniform(0.1, 5), quad_segs=int(rng.integers(1, 9)))
        towns.append(town.difference(Point(x, y).buffer(0.05)))
    given = [shapely.orient_polygons(t, exterior_cw=turn) for t in towns]
    found = drawn(*given)
    for area, role in zip(signed_areas(found), found.roles, strict=True):
        assert area > 0 if role == OUTER else area < 0
    for town, ((outer, hole),) in zip(towns, found.shapes, strict=True):
        a, b = found.ends[outer], found.ends[hole + 1]
        wanted = np.round(shapely.get_coordinates(town), 6)
        assert sorted(map(tuple, found.coordinates[a:b])) == sorted(map(tuple, wanted))


def test_a_point_that_is_nowhere_is_refused():
    # shapely takes a point of two NaN for an empty one
    for point in (Point(np.nan, 3), Point(np.nan, np.nan)):
        with pytest.raises(ExportError, match=r"^1 shapes .*: p$"):
            drawn(point, ids=["p"])


def test_collections_give_their_areas_points_and_lines_in_order():
    nested = GeometryCollection(
        [Point(1, 1), GeometryCollection([shapely.box(2, 2, 3, 3), LineString([(4, 4), (5, 5)])])]
    )
    found = drawn(nested, shapely.box(0, 0, 1, 1), lines=True)
    assert found.owners.tolist() == [0, 0, 0, 1]
    assert found.roles.tolist() == [OUTER, OUTER, LINE, OUTER]
    assert np.diff(found.ends).tolist() == [13, 5, 2, 5]
    assert found.shapes == [[[0], [1]], [[3]]]


def test_empty_members_of_a_collection_are_passed_over():
    found = drawn(GeometryCollection([shapely.Polygon(), shapely.box(0, 0, 1, 1), Point()]))
    assert found.shapes == [[[0]]]


def test_lines_are_drawn_only_where_asked_for():
    lines = MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]])
    found = drawn(lines, lines=True)
    assert found.roles.tolist() == [LINE, LINE]
    assert found.coordinates.tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    with pytest.raises(ExportError, match=r"1 shapes have lines.*: road$"):
        drawn(shapely.box(0, 0, 1, 1), lines, ids=["a", "road"])


@pytest.mark.parametrize(
    ("shape", "fault"),
    [
        (None, "missing or empty"),
        (Point(), "missing or empty"),
        (GeometryCollection(), "missing or empty"),
        (MultiPolygon(), "missing or empty"),
        (shapely.box(134, 89, 135, 91), "not on the globe"),
        (LineString([(0, 0), (np.inf, 1)]), "not on the globe"),
        (shapely.box(539, 0, 541, 1), "not on the globe"),
        (shapely.box(15000, -20000, 16000, -19000), "not on the globe"),
        (Point(10, 90), "not on the globe"),
        (shapely.Polygon([(-170, 80), (-50, 81), (70, 80), (170, 85), (70, 88), (-50, 89)]), None),
        (shapely.Polygon([(0, 80), (120, 80), (-120, 80)]), "around a pole"),
    ],
)
def test_what_cannot_be_drawn_is_named(shape, fault):
    shapes = np.array([shapely.box(0, 0, 1, 1), shape, shape], dtype=object)
    for draw in (vertex_counts, lambda s, **k: outlines(s, radius=50, lines=True, **k)):
        if fault is None:
            draw(shapes, ids=["a", "b", "c"])
            continue
        with pytest.raises(ExportError, match=rf"^2 shapes .*{fault}.*: b, c$"):
            draw(shapes, ids=["a", "b", "c"])
        with pytest.raises(ExportError, match=r": number 2, number 3$"):
            draw(shapes)


def test_a_message_names_a_few_of_many():
    with pytest.raises(ExportError, match=r"^9 shapes .*: z0, z1, z2, z3, z4 and 4 more$"):
        outlines(np.full(9, None, dtype=object), radius=50, ids=[f"z{i}" for i in range(9)])


FIJI = shapely.box(179, -18, 181, -16)


@pytest.mark.parametrize(
    "shape",
    [
        FIJI,
        shapely.box(-181, -18, -179, -16),
        shapely.Polygon([(179, -18), (-179, -18), (-179, -16), (179, -16)]),
        MultiPolygon([shapely.box(179, -18, 180, -16), shapely.box(-180, -18, -179, -16)]),
    ],
)
def test_areas_over_the_180th_meridian_are_cut_there(shape):
    found = drawn(shape, shapely.box(0, 0, 1, 1))
    assert found.owners.tolist() == [0, 0, 1]
    assert np.abs(found.coordinates[:, 0]).max() == 180
    assert sorted(signed_areas(found)) == [1, 2, 2]
    west_east = sorted(
        (found.coordinates[a:b, 0].min(), found.coordinates[a:b, 0].max())
        for a, b in pairwise(found.ends[:3].tolist())
    )
    assert west_east == [(-180, -179), (179, 180)]


def test_holes_lines_and_columns_over_the_meridian_are_cut_too():
    ring = FIJI.difference(shapely.box(179.5, -17.5, 180.5, -16.5))
    found = drawn(ring, LineString([(179, 0), (-179, 1)]), Point(180, 10), lines=True)
    assert sum(signed_areas(found)[: np.searchsorted(found.owners, 1)]) == 3
    line = found.coordinates[found.ends[:-1][found.roles == LINE][0] :][:4]
    assert line.tolist() == [[179, 0], [180, 0.5], [-180, 0.5], [-179, 1]]
    assert np.count_nonzero((found.owners == 2) & (found.roles == OUTER)) == 2
    assert np.abs(found.coordinates[:, 0]).max() <= 180


def test_a_shape_a_turn_too_far_is_brought_back():
    near, far = drawn(shapely.box(134, 34, 135, 35)), drawn(shapely.box(494, 34, 495, 35))
    assert set(map(tuple, near.coordinates)) == set(map(tuple, far.coordinates))
    assert signed_areas(far) == [1]


def test_what_rounding_makes_flat_is_left_out_unless_nothing_else_is_there():
    flat = shapely.box(5, 5, 5.0000001, 5.0000001)
    square, hole = shapely.box(0, 0, 1, 1), flat.reverse()
    holed = shapely.Polygon(
        shapely.box(4, 4, 6, 6).exterior, [hole.exterior, shapely.box(4.2, 4.2, 4.4, 4.4).exterior]
    )
    found = drawn(MultiPolygon([flat, square]), flat, holed, MultiPolygon([flat, flat]))
    assert found.owners.tolist() == [0, 1, 2, 2, 3]
    assert found.roles.tolist() == [OUTER, OUTER, OUTER, HOLE, OUTER]
    assert found.ends[-1] == len(found.coordinates) == 25
    assert found.shapes == [[[0]], [[1]], [[2, 3]], [[4]]]


def test_no_shapes_have_no_rings():
    found = drawn()
    assert found.shapes == []
    assert found.ends.tolist() == [0]
    assert ring_texts(found, []) == []
    assert vertex_counts(np.array([], dtype=object)).tolist() == []


def test_a_huge_multipolygon_is_counted_and_drawn():
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(150) * 0.01, np.arange(150) * 0.01))
    islands = MultiPolygon(list(shapely.box(x, y, x + 0.005, y + 0.005)))
    shapes = np.array([islands, MultiPoint([(5, 5), (6, 6)])], dtype=object)
    assert vertex_counts(shapes).tolist() == [112_500, 26]
    found = outlines(shapes, radius=50)
    assert (found.ends[-1], len(found.owners)) == (112_526, 22_502)


@pytest.mark.parametrize("span", [(130, 140), (-180, 180), (0, 9), (-99, -10), (-0.00005, 0.00005)])
def test_texts_are_the_numbers(span):
    rng = np.random.default_rng(1)
    xy = rng.uniform(*span, (300, 2)) * (1, 0.45)
    xy[:, 0] = np.sort(xy[:, 0])  # no line goes around the globe
    shapes = np.array([LineString(pair) for pair in xy.reshape(-1, 3, 2)], dtype=object)
    found = outlines(shapes, radius=50, lines=True)
    tops = [b"%.1f" % top for top in rng.uniform(-5, 9000, len(shapes))]
    texts = ring_texts(found, tops)
    for text, corners, top in zip(texts, xy.reshape(-1, 3, 2), tops, strict=True):
        wanted = " ".join(
            f"{x + 0.0:.6f},{y + 0.0:.6f},{top.decode()}" for x, y in np.round(corners, 6)
        )
        assert text.decode() == wanted
