"""The slider of years: every year once, at its own time, by the rules of its theme."""

import hashlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from lxml import etree

from futuremap.export.kml import EARTH_PRO, EARTH_WEB
from futuremap.export.kml.kmz import write_motion
from futuremap.export.kml.lint import lint
from futuremap.export.kml.schema import schema_errors
from futuremap.export.kml.slider import year_layers, year_parts

SPACES = {"k": "http://www.opengis.net/kml/2.2", "gx": "http://www.google.com/kml/ext/2.2"}
YEARS = (2020, 2030, 2040, 2050)


@pytest.fixture
def make_years(make_states):
    def years(count=4, **columns):
        layers = make_states(count)
        frame = layers[0].features.copy()
        for year, share in zip(YEARS[1:-1], (0.9, 0.7), strict=True):
            frame[f"population_{year}"] = frame["population_2020"] * share
            frame[f"ageing_rate_{year}"] = frame["ageing_rate_2020"] + 30 * (1 - share)
        for name, values in columns.items():
            frame[name] = values
        return [replace(layer, features=frame) for layer in layers]

    return years


@pytest.fixture
def write(tmp_path, make_years):
    def written(layers=None, **options):
        paths = write_motion(layers or make_years(), tmp_path, profile=EARTH_PRO, **options)
        return {path.name: path for path in paths}["town_blocks_years.kmz"]

    return written


def find(read, path, query):
    return read(path).root.xpath(query, namespaces=SPACES)


def folders(read, path):
    found = find(read, path, "//k:Folder[@id='folder-years']/k:Folder")
    return {int(folder.get("id").removeprefix("year-")): folder for folder in found}


def test_it_is_valid_sound_and_the_same_every_time(write):
    digests = set()
    for _ in range(2):
        path = write()
        assert schema_errors(path) == []
        assert lint(path, profile=EARTH_PRO) == []
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_a_folder_a_year_each_until_the_next_one_begins(read, write):
    path = write()
    spans = {
        year: tuple(folder.find(f"k:TimeSpan/k:{side}", SPACES).text for side in ("begin", "end"))
        for year, folder in folders(read, path).items()
    }
    assert list(spans) == list(YEARS)
    assert spans[2020] == ("2020-01-01T00:00:00Z", "2029-12-31T23:59:59Z")
    assert spans[2050] == ("2050-01-01T00:00:00Z", "2059-12-31T23:59:59Z")
    ordered = list(spans.values())
    for (_, end), (begin, _) in pairwise(ordered):
        assert np.datetime64(begin[:-1]) - np.datetime64(end[:-1]) == np.timedelta64(1, "s")
    assert {v.text for v in find(read, path, "//k:visibility")} == {"1"}


def test_the_slider_starts_at_the_first_year(read, write):
    path = write()
    for view in find(read, path, "//k:LookAt"):
        (span,) = view.findall("gx:TimeSpan", SPACES)
        assert [side.text for side in span] == ["2020-01-01", "2020-01-02"]


def test_heights_and_colours_are_those_of_the_year(read, write, make_years):
    layers = make_years()
    path = write(layers)
    frame, classes = layers[0].features, layers[0].classes
    for year, folder in folders(read, path).items():
        tops = [
            float(ring.text.split()[0].split(",")[2])
            for ring in folder.iterfind(".//k:coordinates", SPACES)
        ]
        assert tops == pytest.approx(2.0 * frame[f"population_{year}"].to_numpy(), abs=0.05)
        urls = [url.text for url in folder.iterfind("k:Placemark/k:styleUrl", SPACES)]
        entries = [int(url.rpartition("-")[2]) for url in urls]
        assert entries == classes.index(frame[f"ageing_rate_{year}"]).tolist()
    assert len({etree.tostring(folder) for folder in folders(read, path).values()}) == len(YEARS)


def test_a_year_needs_both_height_and_colour(make_years):
    layers = make_years(population_2045=1.0)
    assert [layer.year for layer in year_layers(layers)] == list(YEARS)


def test_facilities_stand_from_the_year_they_open(make_years):
    layers = make_years(opened=[1990.0, 2030.0, 2031.0, np.nan])
    shown = {layer.year: layer.shown.tolist() for layer in year_layers(layers)}
    assert shown[2030] == [True, True, False, True]
    assert shown[2040] == [True] * 4
    assert shown[2020] == [True] * 4  # the theme's own layer, as it was given


def test_areas_are_left_out_in_years_when_nobody_lives_there(make_years):
    layers = make_years(population_2030=[0.4, 0.5, 7, 9], population_2040=[0, 0.49, 7, 9])
    shown = {layer.year: layer.shown.tolist() for layer in year_layers(layers)}
    assert shown[2030] == [False, True, True, True]
    assert shown[2040] == [False, False, True, True]


def test_a_client_gets_as_many_years_as_it_takes(make_years):
    layers = make_years(10)

    def years(most):
        parts = year_parts(layers, replace(EARTH_PRO, max_features=most))
        return [part.layer.year for part in parts]

    assert years(60) == list(YEARS)
    assert years(45) == [2020, 2040, 2050]
    assert years(30) == [2020, 2050]
    assert years(27) == []


def test_nothing_moves_without_a_future_or_on_the_web(tmp_path, make_years):
    now, *others = make_years()
    assert write_motion([now], tmp_path, profile=EARTH_PRO) == []
    assert write_motion([now, *others], tmp_path, profile=EARTH_WEB) == []
    assert list(tmp_path.iterdir()) == []


def test_an_english_edition(read, write):
    path = write(lang="en")
    names = [name.text for name in find(read, path, "//k:Folder/k:name")]
    assert names == ["2020 to 2050 (slider)", "Now (2020)", *(f"Future ({y})" for y in YEARS[1:])]


def test_what_has_closed_is_gone(make_years):
    layers = make_years(opened=2000.0, in_service_2030=1.0, in_service_2040=[1.0, 0.0, 1.0, 0.0])
    assert [int(layer.shown.sum()) for layer in year_layers(layers)] == [4, 4, 2, 4]


def test_a_balloon_holds_the_numbers_of_its_year_only(read, write):
    for year, folder in folders(read, write()).items():
        (place, *_) = folder.findall("k:Placemark", SPACES)
        data = {one.get("name") for one in place.iterfind(".//k:Data", SPACES)}
        assert data == {"address", f"population_{year}", f"ageing_rate_{year}"}
        assert place.findtext("k:description", namespaces=SPACES).count("<hr") == 0
