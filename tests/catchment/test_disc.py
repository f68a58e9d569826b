"""The closed form of disc ∩ polygon against GEOS and against known areas."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.catchment.disc import area_inside, edges

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
