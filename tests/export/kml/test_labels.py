"""Names of places: the weightiest of each piece of the screen, never in the way of the prisms."""

from dataclasses import replace

import numpy as np
import pytest
import shapely

from futuremap.core.layer import Text, View
from futuremap.export.kml import EARTH_PRO, EARTH_WEB, write_earth
from futuremap.export.kml.labels import (
    CELL_PIXELS,
    LIFT,
    MOST_WITHOUT_REGIONS,
    Label,
    cell_sizes,
    labels_of,
)
from futuremap.export.kml.lint import lint
from futuremap.export.kml.schema import schema_errors

PROFILES = pytest.mark.parametrize("profile", [EARTH_WEB, EARTH_PRO], ids=lambda p: p.name)
NAMES = "//Folder[@id='labels']/Placemark"


@pytest.fixture
def write(tmp_path, make_states):
    def written(count=9, profile=EARTH_PRO, labels=None, **changes):
        layers = make_states(count, **changes)
        names = labels_of(layers[0]) if labels is None else labels
        return write_earth(layers, tmp_path, profile=profile, labels=names)[0]

    return written


def test_a_town_and_its_blocks_have_names(make_layer):
    layer = make_layer(count=4, now=[1, 2, 3, 400], names=["北町", "", "南町", "本町"])
    town, *blocks = labels_of(layer)
    assert (town.name, town.town, town.weight) == (Text("架空町", "Sample Town"), True, 406)
    assert [block.name.ja for block in blocks] == ["北町", "南町", "本町"]
    assert [block.weight for block in blocks] == [1, 3, 400]
    middle = layer.features.geometry.iloc[3]
    assert shapely.Point(town.longitude, town.latitude).within(middle)


def test_a_name_stands_in_its_block_whatever_its_shape(make_layer):
    ring = shapely.Point(134, 34).buffer(0.1).difference(shapely.Point(134, 34).buffer(0.09))
    (_, block) = labels_of(make_layer(shapes=[ring]))
    assert shapely.Point(block.longitude, block.latitude).within(ring)


def test_the_weightiest_name_of_a_cell_gets_it():
    view = View(134.0, 34.0, 12_800.0)  # cells of 3200, 1600, … 100 m
    generator = np.random.default_rng(7)
    labels = [
        Label(Text(str(i), str(i)), 134 + x, 34 + y, w)
        for i, (x, y, w) in enumerate(generator.uniform(0, 0.05, (300, 3)).tolist())
    ]
    sizes = cell_sizes(labels, view)
    metres = [
        ((x.longitude - 134) * np.cos(np.radians(34)) * 111_320, (x.latitude - 34) * 111_320)
        for x in labels
    ]
    for size in (3200.0, 800.0, 200.0):
        cells = {}
        for number, (x, y) in enumerate(metres):
            cells.setdefault((x // size, y // size), []).append(number)
        for members in cells.values():
            heaviest = max(members, key=lambda number: labels[number].weight)
            assert sizes[heaviest] >= size
            assert [n for n in members if sizes[n] >= size] == [heaviest]
    assert cell_sizes(labels[::-1], view).tolist() == sizes[::-1].tolist()


def test_no_two_names_of_a_place_are_seen_from_afar():
    here = [Label(Text("a", "a"), 134.0, 34.0, 5.0), Label(Text("b", "b"), 134.0, 34.0, 5.0)]
    assert sorted(cell_sizes(here, View(134.0, 34.0, 12_800.0)).tolist()) == [100.0, 3200.0]


@PROFILES
def test_files_with_names_are_sound(write, profile):
    path = write(60, profile, names=["<b>&$[name]"] * 60)
    assert schema_errors(path) == []
    assert lint(path, profile=profile) == []


def test_pro_shows_each_name_when_there_is_room_for_it(read, write):
    kml = read(write())
    assert set(kml.texts(f"{NAMES}/visibility")) == {"1"}
    assert kml.texts("//Folder[@id='labels']/visibility") == ["1"]
    assert kml.texts(f"{NAMES}/name")[0] == "架空町"
    assert len(kml.all(f"{NAMES}/Region")) == len(kml.all(NAMES)) == 10
    assert set(kml.texts(f"{NAMES}/Region/Lod/minLodPixels")[1:]) == {str(CELL_PIXELS)}
    assert kml.texts(f"{NAMES}/Region/Lod/maxLodPixels")[0] != "-1"
    north, south = (
        np.array([float(x) for x in kml.texts(f"{NAMES}/Region/LatLonAltBox/{side}")])
        for side in ("north", "south")
    )
    heights = (north - south) * 111_320
    assert heights[0] == max(heights)
    assert np.all(np.diff(heights[1:]) <= 0.2)


def test_the_web_gets_few_names_and_off(read, write):
    kml = read(write(90, EARTH_WEB))
    assert set(kml.texts(f"{NAMES}/visibility")) == {"0"}
    assert kml.texts(f"{NAMES}/name")[0] == "架空町"
    places = [
        [float(x) for x in text.split(",")[:2]] for text in kml.texts(f"{NAMES}/Point/coordinates")
    ]
    assert 5 < len(places) <= MOST_WITHOUT_REGIONS
    assert kml.all("//Region") == []


def test_names_stand_above_the_roofs_of_every_state(read, make_states, tmp_path):
    layers = make_states(4, now=[100, 10, 10, 10], later=[10, 10, 10, 300])
    (path,) = write_earth(layers, tmp_path, profile=EARTH_PRO, labels=labels_of(layers[0]))
    kml = read(path)
    tops = {
        name: float(text.split(",")[2])
        for name, text in zip(
            kml.texts(f"{NAMES}/name"), kml.texts(f"{NAMES}/Point/coordinates"), strict=True
        )
    }
    lift = LIFT * layers[0].view.width_m
    assert tops["0丁目"] == pytest.approx(200 + lift, abs=1)
    assert tops["3丁目"] == pytest.approx(600 + lift, abs=1)
    assert set(kml.texts(f"{NAMES}/Point/altitudeMode")) == {"relativeToGround"}


def test_a_file_without_room_gets_no_names(read, make_states, tmp_path):
    layers = make_states(9)
    labels = labels_of(layers[0])
    for most, count in ((44, 10), (43, 0)):
        profile = replace(EARTH_PRO, max_features=most)
        (path,) = write_earth(layers, tmp_path, profile=profile, labels=labels)
        assert len(read(path).all(NAMES)) == count


def test_an_english_edition_names_the_town_in_english(read, make_states, tmp_path):
    layers = make_states(2)
    (path,) = write_earth(
        layers, tmp_path, profile=EARTH_PRO, labels=labels_of(layers[0]), lang="en"
    )
    assert read(path).texts(f"{NAMES}/name") == ["Sample Town", "0丁目", "1丁目"]
    assert read(path).texts("//Folder[@id='labels']/name") == ["Place names"]
