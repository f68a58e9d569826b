"""``[map]`` and ``[output]`` of a project file: what can be said, and what cannot, located."""

import pytest

from futuremap.pipeline.looks import maps_of

from .test_formats import BLOCKS, YEARS, read

SMALL = YEARS.format(format="estat_small_area", more="")
ALL = """
[output]
language = "en"
[map]
meshes = ["500m", "1km"]
facilities_by_class = true
fade_by_interval = true
labels = false
motion = false
[map.mesh]
height = "population"
colour = "density"
classes = "quantile"
count = 4
palette = "cividis"
[[map.theme]]
name = "old"
zones = "mesh"
height = "population_75_over"
colour = "ageing_rate"
classes = "fixed"
limits = [30.0, 40.0]
palette = "seed"
title = "75歳以上"
[municipality.ground]
file = "dem.tif"
credit = "census"
"""


def test_everything_that_can_be_said(tmp_path):
    project, problems = read(tmp_path, SMALL, BLOCKS, ALL)
    assert problems == []
    assert project.output.language == "en"
    assert project.map_.meshes == ["500m", "1km"]
    assert ("dem.tif", "census") in project.municipality[0].files()
    first, second = maps_of(project.map_, "mesh")
    assert first.tail == ""
    assert first.look[:3] == ("population", "density", "quantile")
    assert (first.look.class_count, first.look.palette) == (4, "cividis")
    assert first.title.ja == "人口（高さ）と人口密度（色）"
    assert (second.tail, second.title) == ("_old", ("75歳以上", "75歳以上"))
    assert second.look.limits == (30.0, 40.0)
    (blocks,) = maps_of(project.map_, "town_blocks")
    assert blocks.title is None
    assert project.model_dump(mode="json", by_alias=True)["map"]["fade_by_interval"] is True


def test_without_any_word_maps_are_the_usual_ones(tmp_path):
    project, problems = read(tmp_path, SMALL, BLOCKS)
    assert problems == []
    for zones, height in (("mesh", "density"), ("facilities", "people_in_reach")):
        (only,) = maps_of(project.map_, zones)
        assert (only.tail, only.look.height, only.look.method, only.title) == (
            "", height, "usual", None,
        )  # fmt: skip


THEME = '[[map.theme]]\nname = "a"\nzones = "{}"\n'


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        ('[map.mesh]\nheight = "densty"\n', ("FM704", "map.mesh.height")),
        ('[map.facilities]\nheight = "density"\n', ("FM704", "map.facilities.height")),
        ('[map.facilities]\nheight = "years_in_service"\n', ("FM704", "map.facilities.height")),
        ('[map.town_blocks]\ncolour = "load"\n', ("FM704", "map.town_blocks.colour")),
        (THEME.format("mesh") + 'colour = "x"\n', ("FM704", "map.theme.0.colour")),
        (THEME.format("mesh") * 2, ("FM004", "map.theme.1.name")),
        (THEME.format("blocks"), ("FM004", "map.theme.0.zones")),
        ('[map.mesh]\ncolour = "density"\nclasses = "fixed"\n', ("FM705", "map.mesh.limits")),
        ("[map.mesh]\nlimits = [1.0, 2.0]\n", ("FM705", "map.mesh.limits")),
        ('[map.mesh]\nclasses = "fixed"\nlimits = [2.0, 1.0]\n', ("FM705", "map.mesh.limits")),
        (
            f'[map.mesh]\nclasses = "fixed"\nlimits = {[float(i) for i in range(9)]}\n',
            ("FM705", "map.mesh.limits"),
        ),
        ('[map.mesh]\nclasses = "jenks"\n', ("FM004", "map.mesh.classes")),
        ("[map.mesh]\ncount = 12\n", ("FM004", "map.mesh.count")),
        ('[map.mesh]\npalette = "rainbow"\n', ("FM004", "map.mesh.palette")),
        ('[map]\nmeshes = ["250m"]\n', ("FM004", "map.meshes.0")),
        ('[map]\nmeshes = ["1km", "1km"]\n', ("FM004", "map.meshes.1")),
        ('[output]\nlanguage = "fr"\n', ("FM004", "output.language")),
        ("[map]\nfade = true\n", ("FM002", "map.fade")),
    ],
)
def test_what_cannot_be_drawn_is_told_with_its_key(tmp_path, table, wanted):
    _, problems = read(tmp_path, SMALL, BLOCKS, table)
    assert problems == [wanted]
