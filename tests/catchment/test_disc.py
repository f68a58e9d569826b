"""The closed form of disc ∩ polygon against GEOS and against known areas."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.catchment import disc
from futuremap.catchment.disc import area_inside, edges, shares_inside

# thousandths: beside numbers such as 1e-309 GEOS itself is off in the fourth decimal
METRES = st.integers(-3000, 3000).map(lambda thousandths: thousandths / 1000)


def exact(polygon, x=0.0, y=0.0, radius=1.0):
    shape = edges(np.array([polygon], dtype=object))
    return float(area_inside(shape, np.array([0]), centre=np.array([[x, y]]), radius=radius)[0])


@pytest.mark.parametrize(
    ("polygon", "area"),
    [
        (shapely.box(-2, -2, 2, 2), np.pi),  # disc inside
        (shapely.box(-0.5, -0.5, 0.5, 0.5), 1.0),  # polygon inside
        (shapely.box(0, -2, 2, 2), np.pi / 2),  # edge through the centre
        (shapely.box(2, 2, 3, 3), 0.0),  # apart
        (shapely.box(1, -1, 2, 1), 0.0),  # touching
        (shapely.box(-2, -2, 2, 2).difference(shapely.box(-0.1, -0.1, 0.1, 0.1)), np.pi - 0.04),
        (shapely.box(0.5, -2, 2, 2), np.pi / 3 - np.sqrt(3) / 4),  # circular segment
        (shapely.MultiPolygon([shapely.box(0, 0, 2, 2), shapely.box(-2, -2, 0, 0)]), np.pi / 2),
    ],
)
def test_known_areas(polygon, area):
    assert exact(polygon) == pytest.approx(area, abs=1e-12)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(METRES, METRES), min_size=3, max_size=9),
    METRES,
    METRES,
    st.floats(0.1, 3),
)
def test_agrees_with_geos(points, x, y, radius):
    hull = shapely.MultiPoint(points).convex_hull
    if hull.geom_type != "Polygon" or hull.area < 1e-6:
        return
    ring = hull.difference(shapely.affinity.scale(hull, 0.3, 0.3)) if hull.area > 0.1 else hull
    circle = shapely.Point(x, y).buffer(radius, quad_segs=2000)
    assert exact(ring, x, y, radius) == pytest.approx(
        ring.intersection(circle).area,
        abs=2e-6 * radius**2 + 1e-9,
    )


def test_parts_add_up_to_the_disc():
    grid = [shapely.box(i, j, i + 1, j + 1) for i in range(-3, 3) for j in range(-3, 3)]
    shape = edges(np.array(grid, dtype=object))
    n = len(grid)
    areas = area_inside(shape, np.arange(n), centre=np.full((n, 2), 0.123), radius=2.3)
    assert areas.sum() == pytest.approx(np.pi * 2.3**2, rel=1e-14)


RING = shapely.box(-6, -6, 6, 6).difference(shapely.box(-2, -2, 2, 2))


@pytest.mark.parametrize(
    ("polygon", "area"),
    [
        (RING, 0.0),  # the disc lies in the hole
        (shapely.box(-2, -2, 2, 2), np.pi),
        (shapely.Polygon([(-2, 0), (2, -2), (2, 2)]), None),  # a corner on the ray to the west
        (shapely.MultiPolygon([RING, shapely.box(-1.5, -1.5, 1.5, 1.5)]), np.pi),  # fills it
        (shapely.MultiPolygon([RING, shapely.box(-6, 7, 6, 8)]), 0.0),
        (shapely.box(1, 0, 2, 1), 0.0),  # a corner on the circle
        (shapely.box(-2, 0, -1, 1), 0.0),  # an edge on the ray to the west
    ],
)
def test_what_no_edge_crosses_is_exact_to_the_last_bit(polygon, area):
    if area is not None:
        assert exact(polygon) == area
    else:
        assert 0 < exact(polygon) < np.pi


@pytest.mark.parametrize("turn", np.linspace(0, 2 * np.pi, 33))
def test_turning_the_plane_changes_nothing(turn):
    # corners, edges and crossings fall on either side of the ray to the west
    star = shapely.Polygon(
        [
            (
                (1.4 if i % 2 else 0.6) * np.cos(i * np.pi / 8),
                (1.4 if i % 2 else 0.6) * np.sin(i * np.pi / 8),
            )
            for i in range(16)
        ]
    )
    turned = shapely.affinity.rotate(star, turn, origin=(0, 0), use_radians=True)
    assert exact(turned) == pytest.approx(exact(star), rel=1e-13)


def test_groups_do_not_show(monkeypatch):
    rng = np.random.default_rng(3)
    shapes = np.array(
        [shapely.box(*low, *(low + size)) for low, size in rng.uniform(0.1, 2, (50, 2, 2))]
    )
    polygon = rng.integers(0, 50, 300)
    centre = rng.uniform(0, 3, (300, 2))
    together = area_inside(edges(shapes), polygon, centre=centre, radius=0.8)
    monkeypatch.setattr(disc, "CORNERS", 7)
    apart = area_inside(edges(shapes), polygon, centre=centre, radius=0.8)
    np.testing.assert_array_equal(together, apart)


def test_shares_are_sorted_and_leave_out_what_is_not_reached():
    street = np.array([shapely.box(x, -1, x + 10, 1) for x in range(0, 60, 10)])
    centre = np.array([[25.0, 0.0], [0.0, 500.0], [5.0, 0.0]])
    part = shares_inside(street, centre=centre, radius=15.0)
    assert part.disc.tolist() == [0, 0, 0, 2, 2]
    assert part.polygon.tolist() == [1, 2, 3, 0, 1]
    assert part.share[[1, 3]].tolist() == [1.0, 1.0]
    circle = shapely.Point(25, 0).buffer(15, quad_segs=5000)
    assert part.share[0] == pytest.approx(street[1].intersection(circle).area / 20, rel=1e-6)


def test_a_disc_in_a_hole_has_no_share():
    part = shares_inside(np.array([RING]), centre=np.array([[0.0, 0.0]]), radius=1.0)
    assert len(part.share) == 0


def test_nothing_gives_nothing():
    part = shares_inside(np.empty(0, dtype=object), centre=np.zeros((0, 2)), radius=1.0)
    assert len(part.share) == 0
