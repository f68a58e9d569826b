"""Rings of reach: one a facility and state, on the ground, in the colour of the column."""

from dataclasses import replace

import numpy as np
import pytest
import shapely

from futuremap.errors import ExportError
from futuremap.export.kml import EARTH_PRO, EARTH_WEB, write_earth
from futuremap.export.kml.lint import lint
from futuremap.export.kml.rings import FEW
from futuremap.export.kml.schema import schema_errors

PROFILES = pytest.mark.parametrize("profile", [EARTH_WEB, EARTH_PRO], ids=lambda p: p.name)
RINGS = "//Folder[@id='reach-now']/Placemark"


@pytest.fixture
def make_reached(make_states):
    def reached(count=4, *, reaches=None, **changes):
        points = [shapely.Point(134 + i % 20 / 100, 34 + i // 20 / 100) for i in range(count)]
        circles = [point.buffer(0.008) for point in points] if reaches is None else reaches
        layers = make_states(count, shapes=points, theme="facilities", **changes)
        found = np.array(circles, dtype=object)
        return [replace(layer, reaches=found, kind="facility") for layer in layers]

    return reached


@PROFILES
def test_files_with_rings_are_sound(make_reached, tmp_path, profile):
    layers = make_reached(names=["<b>&$[name]"] * 4, ids=["a b", "a c", "zz", "区"])
    (path,) = write_earth(layers, tmp_path, profile=profile)
    assert schema_errors(path) == []
    assert lint(path, profile=profile) == []


def test_every_state_has_the_rings_of_what_it_shows(read, make_reached, tmp_path):
    now, future, change = make_reached()
    now = replace(now, shown=np.array([True, False, True, True]))
    (path,) = write_earth([now, future, change], tmp_path, profile=EARTH_WEB)
    kml = read(path)
    counts = [len(kml.all(f"//Folder[@id='reach-{key}']/Placemark")) for key in ("now", "y2050")]
    assert counts == [3, 4]
    assert kml.texts(f"{RINGS}/name") == ["0丁目（利用圏）", "2丁目（利用圏）", "3丁目（利用圏）"]
    inside = "//Folder[@id='folder-now']/Folder[@id='reach-now']/name"
    assert kml.texts(inside) == ["利用圏"]


def test_rings_lie_on_the_ground_along_the_edge_of_the_reach(read, make_reached, tmp_path):
    layers = make_reached(1)
    (path,) = write_earth(layers, tmp_path, profile=EARTH_PRO)
    kml = read(path)
    line = f"{RINGS}/MultiGeometry/LineString"
    assert kml.texts(f"{line}/altitudeMode") == ["clampToGround"]
    (text,) = kml.texts(f"{line}/coordinates")
    corners = np.array([[float(x) for x in corner.split(",")] for corner in text.split()])
    assert np.array_equal(corners[0], corners[-1])
    assert set(corners[:, 2]) == {0.0}
    away = np.hypot(*(corners[:, :2] - [134, 34]).T)
    assert np.abs(away - 0.008).max() < 2e-5  # corners are of the circle
    drawn = shapely.Polygon(corners[:, :2])
    lost = drawn.symmetric_difference(layers[0].reaches[0]).area
    assert lost / drawn.area < 0.02


def test_a_ring_has_the_colour_of_its_column(read, make_reached, tmp_path):
    layers = make_reached(3, ageing=[10, 25, 45])
    (path,) = write_earth(layers, tmp_path, profile=EARTH_PRO)
    kml = read(path)
    columns = kml.texts("//Folder[@id='folder-now']/Placemark/styleUrl")
    colours = []
    for url, kind in [(u, "Poly") for u in columns] + [
        (u, "Line") for u in kml.texts(f"{RINGS}/styleUrl")
    ]:
        (colour,) = kml.texts(f"//Style[@id='{url[1:]}']/{kind}Style/color")
        colours.append(colour)
    assert colours[:3] == colours[3:]
    assert len(set(colours)) == 3


@pytest.mark.parametrize(("count", "seen"), [(FEW, "1"), (FEW + 1, "0")])
def test_many_rings_are_off_at_first(read, make_reached, tmp_path, count, seen):
    (path,) = write_earth(make_reached(count), tmp_path, profile=EARTH_WEB)
    kml = read(path)
    assert set(kml.texts("//Folder[@id='reach-now']//visibility")) == {seen}
    assert set(kml.texts("//Folder[@id='reach-y2050']//visibility")) == {"0"}
    assert lint(path, profile=EARTH_WEB) == []


def test_facilities_without_a_reach_have_no_ring(read, make_reached, tmp_path):
    circle = shapely.Point(134, 34).buffer(0.01)
    layers = make_reached(3, reaches=[circle, None, shapely.Polygon()])
    (path,) = write_earth(layers, tmp_path, profile=EARTH_PRO)
    assert len(read(path).all(RINGS)) == 1
    (bare,) = write_earth(make_reached(2, reaches=[None, None]), tmp_path, profile=EARTH_PRO)
    assert read(bare).all("//Folder[@id='reach-now']") == []
    assert "利用圏の輪は" not in read(bare).text


def test_a_reach_in_pieces_and_with_a_lake_has_all_its_edges(read, make_reached, tmp_path):
    lake = shapely.Point(134, 34).buffer(0.02).difference(shapely.Point(134, 34).buffer(0.01))
    reach = shapely.MultiPolygon([lake, shapely.box(134.1, 34, 134.2, 34.1)])
    (path,) = write_earth(make_reached(1, reaches=[reach]), tmp_path, profile=EARTH_PRO)
    assert len(read(path).all(f"{RINGS}/MultiGeometry/LineString")) == 3


def test_rings_that_do_not_fit_are_left_out_and_it_is_said(read, make_reached, tmp_path):
    layers = make_reached(4)
    for most, there in ((33, True), (32, False)):
        profile = replace(EARTH_WEB, max_features=most)
        (path,) = write_earth(layers, tmp_path, profile=profile)
        assert bool(read(path).all(RINGS)) == there
        said = read(path).texts("//Document/description")[0]
        assert ("利用圏の輪は" in said) != there
        assert lint(path, profile=profile) == []
    tight = replace(EARTH_WEB, max_vertices=3 * 4 * 13 + 20)
    (path,) = write_earth(layers, tmp_path, profile=tight)
    assert read(path).all(RINGS) == []


def test_a_reach_that_cannot_be_drawn_is_named(make_reached, tmp_path):
    bad = shapely.box(134, 34, np.inf, 35)
    with pytest.raises(ExportError, match="z000000"):
        write_earth(make_reached(1, reaches=[bad]), tmp_path, profile=EARTH_PRO)
