"""Laws of the KML writer: no name breaks a document, and no shape is drawn the wrong way."""

import sys
from pathlib import Path

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.export.kml.shapes import HOLE, outlines, ring_areas, ring_texts

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "bench"))

import kml_names

anything = st.text(alphabet=st.characters(exclude_categories=()), max_size=40)


def test_five_thousand_names_come_back_and_add_nothing():
    assert kml_names.failures(kml_names.make_names(5_000, seed=20)) == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(anything, min_size=1, max_size=20))
def test_any_names_come_back_and_add_nothing(names):
    assert kml_names.failures(names) == 0


def test_the_names_check_can_fail(monkeypatch):
    names = ["a", "<b>c</b>", "&amp;"]
    assert kml_names.failures(names) == 0
    monkeypatch.setattr("futuremap.export.kml.writer.xml_texts", list)
    assert kml_names.failures(names) > 0
    assert kml_names.failures(["&"]) == 1  # not well-formed: all names of the document


@st.composite
def stars(draw):
    """A star of any number of corners, with or without a hole, near the 180th meridian or not."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    corners = draw(st.integers(3, 30))
    turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
    far = rng.uniform(0.2, 1.0, corners)
    middle = np.array([draw(st.sampled_from([-179.7, 0.0, 134.0, 179.6])), rng.uniform(-60, 60)])
    ring = middle + np.column_stack([far * np.cos(turn), far * np.sin(turn)])
    star = shapely.make_valid(shapely.Polygon(ring))
    if draw(st.booleans()):
        star = star.difference(shapely.Point(middle).buffer(0.1))
    return star.reverse() if draw(st.booleans()) else star


@settings(max_examples=80, deadline=None)
@given(st.lists(stars(), min_size=1, max_size=6))
def test_rings_keep_the_area_turn_their_way_and_stay_on_the_globe(shapes):
    given_shapes = np.array(shapes, dtype=object)
    found = outlines(given_shapes, radius=50, lines=True)
    areas = ring_areas(found.coordinates, found.ends) / 2e12
    solid = areas != 0
    assert ((areas < 0) == (found.roles == HOLE))[solid].all()
    assert (np.abs(found.coordinates) <= (180, 90)).all()
    drawn = np.bincount(found.owners, areas, minlength=len(shapes))
    np.testing.assert_allclose(drawn, shapely.area(given_shapes), atol=1e-4)
    texts = ring_texts(found, [b"1.5"] * len(shapes))
    read = [[float(x) for x in corner.split(b",")] for text in texts for corner in text.split()]
    np.testing.assert_array_equal(np.array(read)[:, :2], found.coordinates)
