"""Rows of latitude find every pair that trying all of them finds, from metres to the whole earth."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.catchment import rows
from futuremap.catchment.pairs import cartesian, near
from futuremap.core.zones import Zones


def zones(degrees):
    ids = [f"z{i}" for i in range(len(degrees))]
    return Zones.build(ids, shapely.points(degrees), names=ids, parents=["34204"] * len(ids),
                       kind="place", plane_zone=3)  # fmt: skip


def all_pairs(facilities, places, radius):
    one, two = cartesian(facilities), cartesian(places)
    chord = np.sqrt(((one[:, None] - two[None]) ** 2).sum(axis=2))
    arc = 2 * 6_371_000 * np.arcsin(np.minimum(chord / (2 * 6_371_000), 1))
    return np.nonzero(arc <= radius), arc


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(0.0, 6.3),
    st.sampled_from([(139.7, 35.7), (123.8, 24.3), (145.0, 44.0), (139.0, 88.0), (30.0, -0.001)]),
)
def test_all_pairs_and_no_others(seed, size, middle):
    radius = 10.0**size  # 1 m to 2,000 km
    rng = np.random.default_rng(seed)
    spread = np.array([4.0, 3.0]) * radius / 111_000
    scatter = rng.uniform(-1, 1, (80, 2)) * np.minimum(spread, [30.0, 1.9])
    points = middle + scatter
    points[40:44] = points[:4]  # some at one place
    facilities, places = zones(points[:30]), zones(points[30:])
    found = near(facilities, places, radius=radius)
    (facility, place), arc = all_pairs(facilities, places, radius)
    np.testing.assert_array_equal(found.facility, facility)
    np.testing.assert_array_equal(found.place, place)
    np.testing.assert_allclose(found.distance, arc[facility, place], rtol=1e-9, atol=1e-6)


def test_on_a_lattice_the_limit_is_within(monkeypatch):
    # due north and due east at exactly the radius, row edges between them
    monkeypatch.setattr(rows, "AT_ONCE", 7)
    axis = np.arange(-6, 7) * 0.001
    grid = np.stack(np.meshgrid(133.0 + axis, 34.0 + axis), axis=-1).reshape(-1, 2)
    places = zones(grid)
    radius = float(near(zones(grid[84:85]), zones(grid[[84 + 3 * 13]]), radius=1e3).distance[0])
    for limit in (radius, np.nextafter(radius, 0)):
        found = near(places, places, radius=limit)
        (facility, place), _ = all_pairs(places, places, limit)
        np.testing.assert_array_equal(found.facility, facility)
        np.testing.assert_array_equal(found.place, place)


@pytest.mark.parametrize("counts", [(0, 5), (5, 0), (0, 0)])
def test_nothing_on_either_side(counts):
    some, others = (zones(np.full((count, 2), [133.0, 34.0])) for count in counts)
    assert len(near(some, others, radius=500.0).place) == 0
