"""Documents in two languages."""

import re
from dataclasses import replace

import numpy as np
import pytest

from futuremap.export.kml import EARTH_PRO, EARTH_WEB, write_earth
from futuremap.export.kml.lint import lint
from futuremap.export.kml.schema import schema_errors

JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


@pytest.mark.parametrize("profile", [EARTH_WEB, EARTH_PRO], ids=lambda p: p.name)
def test_an_english_edition_is_english_where_its_reader_looks(read, make_states, tmp_path, profile):
    (path,) = write_earth(
        make_states(3, synthetic=True, names=list("abc")), tmp_path, profile=profile, lang="en"
    )
    assert schema_errors(path) == []
    assert lint(path, profile=profile) == []
    kml = read(path)
    assert kml.texts("//Document/name") == ["[synthetic data] Sample Town Population by block"]
    states = kml.texts("//Folder[starts-with(@id, 'folder-')]/name")
    assert states == ["Now (2020)", "Future (2050)", "Change (2020 to 2050)"]
    assert kml.texts("//ScreenOverlay/name") == ["Legend"]
    for text in kml.texts("//Folder[starts-with(@id, 'folder-')]/description"):
        assert "Height: " in text
        assert "高さ" not in text
    for text in kml.texts("//Placemark/description"):
        assert "Height: " in text
        assert not JAPANESE.search(text)
    assert not JAPANESE.search("".join(kml.texts("//Data/displayName")))
    whole = kml.texts("//Document/description")[0]
    assert whole.index("Height: ") < whole.index("高さ：")


def test_parts_of_a_state_say_which_they_are(read, make_layer, tmp_path, monkeypatch):
    monkeypatch.setattr("futuremap.export.kml.split._fits", lambda parts, _: len(parts[0].rows) < 3)
    few = EARTH_WEB.__class__(**{**EARTH_WEB.__dict__, "max_features": 8})
    paths = write_earth([make_layer(count=4)], tmp_path, profile=few)
    assert [read(path).texts("//Folder/name")[0] for path in paths] == [
        "現況（2020年）（1/2）",
        "現況（2020年）（2/2）",
    ]
    assert read(paths[0]).texts("//Document/name") == ["架空町 町丁別人口 現況（2020年）（1/2）"]


@pytest.mark.parametrize("profile", [EARTH_WEB, EARTH_PRO], ids=lambda p: p.name)
def test_wide_intervals_are_pale_where_it_is_wanted(read, make_states, tmp_path, profile):
    states = [_with_interval(layer) for layer in make_states(3)]
    (path,) = write_earth(states, tmp_path, profile=profile, fade=True)
    assert schema_errors(path) == []
    assert lint(path, profile=profile) == []
    kml = read(path)
    used = kml.texts("//Folder[@id='folder-y2050']/Placemark/styleUrl")
    assert [style.partition("-pale")[2] for style in used] == ["", "170", "96"]
    colours = dict(re.findall('id="style-(y2050[^"]*)".*?<PolyStyle><color>(..)', kml.text))
    assert [colours[style.removeprefix("#style-")] for style in used] == ["ff", "aa", "60"]
    assert "pale" not in "".join(kml.texts("//Folder[@id='folder-now']/Placemark/styleUrl"))
    (plain,) = write_earth(states, tmp_path / "plain", profile=profile)
    assert "pale" not in read(plain).text
    assert read(plain).legend != kml.legend


def _with_interval(layer):
    people = layer.features["population_2050"]
    width = np.array([0.1, 0.3, 0.9])
    frame = layer.features.assign(
        population_low_2050=people * (1 - width / 2), population_high_2050=people * (1 + width / 2)
    )
    return replace(layer, features=frame)
