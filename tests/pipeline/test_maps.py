"""Maps of a whole run, as the project file wants them: 湯河原町 alone, to be quick."""

import json
import re
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine

from futuremap.core import mesh
from futuremap.export.kml import EARTH_PRO, EARTH_WEB
from futuremap.export.kml.lint import lint_set
from futuremap.export.kml.schema import schema_errors
from futuremap.pipeline import deliver_earth as earth
from futuremap.pipeline import open_project, run
from futuremap.pipeline.draw import credits_for, draw
from futuremap.pipeline.language import in_language
from futuremap.pipeline.overlay import all_meshes, town_meshes
from tests.conftest import ROOT

EXAMPLE = ROOT / "fixtures" / "geo" / "mihara_yugawara"
MAPS = """
[map]
meshes = ["500m", "1km"]
facilities_by_class = true
fade_by_interval = true
[map.mesh]
palette = "cividis"
[[map.theme]]
name = "old"
zones = "town_blocks"
height = "population_75_over"
colour = "population_75_over"
classes = "natural"
count = 4
[[map.theme]]
name = "full"
zones = "facilities"
colour = "load"
"""
GROUND = '\n[municipality.ground]\nfile = "dem.tif"\ncredit = "synthetic_halls"\n'
HALLS = """
[[municipality.facilities]]
class = "hall2"
name = "別の施設"
file = "halls2.csv"
credit = "synthetic_halls"
"""


def one_town(folder, *, more="", inside=""):
    shutil.copytree(EXAMPLE, folder)
    shutil.copy(folder / "halls_14384.csv", folder / "halls2.csv")
    text = (folder / "project.toml").read_text(encoding="utf-8")
    first = text.index('[[municipality]]\ncode = "34204"')
    second = text.index('[[municipality]]\ncode = "14384"')
    end = text.index("[reach]")
    whole = text[:first] + text[second:end] + inside + text[end:] + more
    (folder / "project.toml").write_text(whole, encoding="utf-8")
    return folder


def dem(path):
    """A slope that rises to the west by 100 m a hundredth of a degree."""
    values = np.tile(np.arange(30, 0, -1, dtype=np.float32) * 100, (40, 1))
    with rasterio.open(
        path, "w", driver="GTiff", height=40, width=30, count=1, dtype="float32",
        crs="EPSG:6668", transform=Affine(0.01, 0, 138.9, 0, -0.01, 35.3), nodata=-9999,
    ) as raster:  # fmt: skip
        raster.write(values, 1)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = one_town(tmp_path_factory.mktemp("maps") / "p", more=MAPS, inside=HALLS + GROUND)
    dem(folder / "dem.tif")
    return run(open_project(folder))


@pytest.fixture(scope="module")
def themes(outcome):
    return {theme[0].theme: theme for theme in draw(outcome)}


def test_there_is_a_map_for_everything_that_was_asked_for(themes, outcome):
    assert list(themes) == [
        "facilities", "facilities_hall", "facilities_hall2", "mesh250", "mesh500", "mesh1000",
        "town_blocks", "town_blocks_old",
    ]  # fmt: skip
    # no capacities are known: a map of the load would be 不明 all over
    (told,) = [p for p in outcome.prepared.report.warnings if p.code == "FM706"]
    assert told.value == "湯河原町"


def test_larger_meshes_hold_the_same_people(themes):
    for year in (2015, 2045):
        sums = {
            name: themes[name][0].features[f"population_{year}"].sum()
            for name in ("mesh250", "mesh500", "mesh1000", "town_blocks")
        }
        np.testing.assert_allclose(list(sums.values()), sums["town_blocks"], rtol=1e-9)
    fine, large = (themes[name][0].features["population_2045"] for name in ("mesh250", "mesh1000"))
    summed = fine.groupby(mesh.parent(fine.index.tolist(), "1km")).sum()
    np.testing.assert_allclose(large, summed)
    assert {"population_low_2045", "population_high_2045"} <= set(themes["mesh1000"][0].balloon)


def test_every_class_has_its_own_facilities(themes):
    whole, *parts = (
        themes[name][0] for name in ("facilities", "facilities_hall", "facilities_hall2")
    )
    assert sum(len(part.features) for part in parts) == len(whole.features)
    for part, name in zip(parts, ("集会・文化施設（合成）", "別の施設"), strict=True):
        assert set(part.features["facility_class"]) == {name}
        assert part.title.ja.startswith(f"{name}：")


def test_rings_are_as_wide_as_the_reach_and_in_the_first_view(themes):
    layer = themes["facilities"][0]
    assert all(reach is not None for reach in layer.reaches[layer.shown])
    west, _, east, _ = shapely.total_bounds(layer.reaches[layer.shown])
    across = np.cos(np.radians(layer.view.latitude)) * 111_320
    assert layer.view.width_m >= (east - west) * across * 0.98


def test_blocks_know_their_people_by_age(themes, outcome):
    layer = themes["town_blocks"][0]
    people = outcome.towns[0].people
    assert layer.pyramids.people.sum() == pytest.approx(
        sum(people.at(year).persons.sum() for year in (2015, 2045))
    )
    assert layer.pyramids.ages[0] == "0～4歳"


def test_roofs_stand_on_the_ground(themes):
    for name in ("town_blocks", "mesh250", "facilities"):
        layer = themes[name][0]
        x = shapely.get_x(shapely.centroid(layer.features.geometry.to_numpy()))
        np.testing.assert_allclose(layer.ground, (139.2 - x) * 10_000, atol=400)
        assert any("水平" in note.ja for note in layer.notes)


def test_colours_are_those_that_were_asked_for(themes):
    assert themes["mesh250"][0].classes.colours[0] == "#fee838"
    old, later, change = themes["town_blocks_old"]
    assert old.classes == later.classes
    assert len(old.classes.colours) == 4
    assert change.height == "population_75_over_change_2045"


@pytest.fixture(scope="module")
def delivered(outcome, themes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("earth")
    chosen = [themes[name] for name in ("facilities", "mesh1000", "town_blocks")]
    credits_ = credits_for(outcome, ["14384"])
    earth.deliver_earth(outcome, chosen, folder, credits=credits_, progress=lambda _: None)
    return folder / "earth"


def test_everything_that_moves_is_there_for_pro_only(delivered):
    names = {path.relative_to(delivered).as_posix() for path in delivered.rglob("*.kmz")}
    themes = ("facilities", "mesh1000", "town_blocks")
    moving = {f"pro/{theme}_{what}.kmz" for theme in themes for what in ("years", "tour")}
    assert names == {f"{part}/{t}.kmz" for part in ("web", "pro") for t in themes} | moving
    for part, profile in (("web", EARTH_WEB), ("pro", EARTH_PRO)):
        paths = sorted((delivered / part).glob("*.kmz"))
        assert lint_set([p for p in paths if "blocks" in p.name], profile=profile) == []
        for path in paths:
            assert schema_errors(path) == []


def test_names_rings_pyramids_and_paleness_are_drawn(delivered):
    def text(name):
        with zipfile.ZipFile(delivered / name) as archive:
            return archive.read("doc.kml").decode()

    for part in ("web", "pro"):
        facilities = text(f"{part}/facilities.kmz")
        assert '<Folder id="reach-now">' in facilities
        assert '<Folder id="labels">' in facilities
        blocks = text(f"{part}/town_blocks.kmz")
        assert "男女・年齢別の人口" in blocks
        assert "-pale" in blocks
        assert "<altitudeMode>absolute</altitudeMode>" in blocks
    assert "男女・年齢別の人口" not in text("web/mesh1000.kmz")


def test_too_many_cells_become_tiles(outcome, themes, tmp_path, monkeypatch):
    small = replace(EARTH_PRO, max_shown=100)
    monkeypatch.setattr(earth, "EARTH_PRO", small)
    monkeypatch.setattr(earth, "EARTH", {"web": EARTH_WEB, "pro": small})
    credits_ = credits_for(outcome, ["14384"])
    earth.deliver_earth(
        outcome, [themes["mesh250"]], tmp_path, credits=credits_, progress=lambda _: None
    )
    (pro,) = (tmp_path / "earth" / "pro").glob("*.kmz")
    with zipfile.ZipFile(pro) as archive:
        names = archive.namelist()
    assert pro.name == "mesh250.kmz"
    assert any(name.endswith("-250m.kml") for name in names)
    assert schema_errors(pro) == []
    assert {path.name for path in (tmp_path / "earth" / "web").iterdir()} == {"mesh250.kmz"}
    assert town_meshes(outcome, themes["town_blocks"]) == []
    assert all_meshes(outcome) == []  # one town is its own map


def test_the_language_can_be_asked_for(outcome):
    assert outcome.prepared.project.output.language == "ja"
    english = in_language(outcome.prepared, "en").project
    assert english.output.language == "en"
    assert english.file == outcome.prepared.project.file
    assert in_language(outcome.prepared, None) is outcome.prepared


def test_the_whole_job_in_english(tmp_path, futuremap):
    folder = one_town(tmp_path / "p")
    answer = futuremap("run", folder, "--out", tmp_path / "out", "--lang", "en")
    assert answer.code == 0
    out = tmp_path / "out" / "mihara_yugawara"
    for path in sorted((out / "earth").rglob("*.kmz")):
        with zipfile.ZipFile(path) as archive:
            kml = archive.read("doc.kml").decode()
        assert "<name>Now (2015)</name>" in kml or "Now" in kml
        descriptions = re.findall("<Placemark.*?<description>(.*?)</description>", kml)
        assert descriptions
        assert not [text for text in descriptions if "高さ" in text or "年齢別" in text]
    said = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert said["parameters"]["output"]["language"] == "en"
    assert futuremap("kml-check", out / "earth").code == 0
    assert futuremap("run", folder, "--lang", "fr").code == 2


def test_names_that_no_map_can_hold_are_told(outcome, themes, tmp_path):
    theme = themes["town_blocks"]
    names = theme[0].features["name"].astype(object).copy()
    names.iloc[0] = "壊れた\x0b名\x0c前"
    frame = theme[0].features.copy()
    frame["name"] = pd.Series(names, index=frame.index, dtype=object)
    broken = tuple(replace(layer, features=frame, pyramids=None) for layer in theme)
    credits_ = credits_for(outcome, ["14384"])
    earth.deliver_earth(outcome, [broken], tmp_path, credits=credits_, progress=lambda _: None)
    (told,) = [p for p in outcome.prepared.report.warnings if p.code == "FM707"]
    assert told.value == frame.index[0]
    assert "2 文字" in told.text("why")
