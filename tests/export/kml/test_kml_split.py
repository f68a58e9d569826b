"""Themes that are too large for one file."""

from dataclasses import replace

import pytest
import shapely

from futuremap.errors import ExportError
from futuremap.export.kml import EARTH_PRO, EARTH_WEB, profile_named, write_earth

SMALL = replace(EARTH_WEB, max_features=20, max_vertices=200)


def names(paths):
    return [path.name for path in paths]


def test_a_small_theme_is_one_file(make_states, tmp_path):
    paths = write_earth(make_states(4), tmp_path, profile=SMALL, prefix="a_")
    assert names(paths) == ["a_town_blocks.kmz"]


def test_a_larger_theme_is_a_file_a_state(make_states, tmp_path, read):
    paths = write_earth(make_states(14), tmp_path, profile=SMALL)
    assert names(paths) == ["town_blocks_now.kmz", "town_blocks_2050.kmz", "town_blocks_change.kmz"]
    for path in paths:
        assert read(path).texts("//Folder/visibility") == ["1"]
        assert read(path).texts("//Placemark/visibility") == ["1"] * 14


def test_a_large_state_is_cut_from_west_to_east(make_layer, tmp_path, read):
    paths = write_earth([make_layer(count=25)], tmp_path, profile=SMALL)
    assert names(paths) == ["town_blocks_now_1of2.kmz", "town_blocks_now_2of2.kmz"]
    west, east = (read(path) for path in paths)
    assert max(x for r in west.rings("//outerBoundaryIs") for x, *_ in r) <= 134.009001
    assert len(west.all("//Placemark")) + len(east.all("//Placemark")) == 25
    assert not set(west.texts("//Placemark/name")) & set(east.texts("//Placemark/name"))
    assert west.texts("//Folder/name") == ["現況（2020年）（1/2）"]


def test_vertices_count_too(make_layer, tmp_path):
    circles = [shapely.Point(134 + i / 100, 34).buffer(0.001, quad_segs=24) for i in range(5)]
    paths = write_earth([make_layer(shapes=circles)], tmp_path, profile=SMALL)
    assert len(paths) == 3


def test_one_shape_that_no_file_can_hold_is_refused(make_layer, tmp_path):
    coast = shapely.Point(134, 34).buffer(0.1, quad_segs=64)
    with pytest.raises(ExportError, match="z000000 alone has 257 vertices"):
        write_earth([make_layer(shapes=[coast])], tmp_path, profile=SMALL)


def test_the_web_limit_holds_and_pro_takes_all(make_layer, tmp_path, read):
    layer = make_layer(count=10_050)
    paths = write_earth([layer], tmp_path, profile=EARTH_WEB)
    assert names(paths) == ["town_blocks_now_1of2.kmz", "town_blocks_now_2of2.kmz"]
    assert all(len(read(path).all("//Placemark")) <= 10_000 for path in paths)
    assert names(write_earth([layer], tmp_path, profile=EARTH_PRO)) == ["town_blocks.kmz"]


def test_profiles_are_known_by_name():
    assert profile_named("earth-pro") is EARTH_PRO
    with pytest.raises(ExportError, match="earth-mars"):
        profile_named("earth-mars")
