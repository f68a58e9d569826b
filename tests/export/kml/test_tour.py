"""The tour from now to the future: what is lifted ends at its height of the future, and back."""

import hashlib
import re
from dataclasses import replace

import numpy as np
import pytest
import shapely

from futuremap.export.kml import EARTH_PRO, write_earth
from futuremap.export.kml.kmz import write_motion
from futuremap.export.kml.lint import lint
from futuremap.export.kml.schema import schema_errors
from futuremap.export.kml.tour import APART, FLIGHT, NEAR, STOPS, journey

SPACES = {"k": "http://www.opengis.net/kml/2.2", "gx": "http://www.google.com/kml/ext/2.2"}


@pytest.fixture
def write(tmp_path):
    def written(layers, **options):
        paths = write_motion(layers, tmp_path, profile=EARTH_PRO, **options)
        return {path.name: path for path in paths}["town_blocks_tour.kmz"]

    return written


@pytest.fixture
def find(read):
    def found(path, query):
        return read(path).root.xpath(query, namespaces=SPACES)

    return found


def top(polygon):
    return float(polygon.find(".//k:coordinates", SPACES).text.split()[0].split(",")[2])


def changes(find, path):
    """Updates of the tour that change shapes: the way there and the way back."""
    found = find(path, "//gx:AnimatedUpdate[k:Update/k:Change/k:Polygon]")
    assert len(found) == 2
    return found


def offsets(update):
    return {
        polygon.get("targetId"): float(polygon.find("gx:altitudeOffset", SPACES).text)
        for polygon in update.iterfind(".//k:Polygon", SPACES)
    }


def test_it_is_valid_sound_and_the_same_every_time(write, make_states):
    digests = set()
    for _ in range(2):
        path = write(make_states(9))
        assert schema_errors(path) == []
        assert lint(path, profile=EARTH_PRO) == []
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_prisms_end_at_their_height_of_the_future(find, write, make_states, tmp_path):
    layers = make_states(5, now=[100, 250, 80, 60, 40.4], later=[50, 400, 80, 0, 10.1])
    path = write(layers)
    there, back = changes(find, path)
    lifted = offsets(there)
    (plain,) = write_earth([layers[1]], tmp_path / "plain", profile=EARTH_PRO)
    wanted = {
        mark.get("id").removeprefix("y2050-"): top(mark)
        for mark in find(plain, "//k:Placemark[k:Polygon]")
    }
    for polygon in find(path, "//k:Folder[@id='folder-now']//k:Polygon"):
        zone = polygon.get("id").partition("-now-")[2]
        rise = lifted.get(polygon.get("id"), 0.0)
        assert top(polygon) + rise == pytest.approx(wanted[zone], abs=1e-9)
    assert len(lifted) == 4  # the third one stays
    assert offsets(back) == dict.fromkeys(lifted, 0.0)


def test_every_piece_of_a_town_is_lifted(find, write, make_states):
    islands = shapely.MultiPolygon(
        [shapely.box(134, 34, 134.1, 34.1), shapely.box(135, 34, 136, 35)]
    )
    path = write(
        make_states(shapes=[islands, shapely.box(136, 34, 137, 35)], now=[10, 9], later=[5, 3])
    )
    assert sorted(offsets(changes(find, path)[0]).values()) == [-12.0, -10.0, -10.0]


def test_every_target_exists_once(find, write, make_states):
    path = write(make_states(7, names=["<&>"] * 7, ids=[f"区 {i}" for i in range(7)]))
    ids = [str(own) for own in find(path, "//@id")]
    assert len(ids) == len(set(ids))
    targets = {str(target) for target in find(path, "//@targetId")}
    assert targets
    assert targets <= set(ids)


def test_colours_go_from_class_to_class(find, write, make_states):
    layers = make_states(4, ageing=[10, 16, 27, 45])  # five years on: 15, 21, 32, 50
    path = write(layers)
    urls = [url.text for url in find(path, "//k:Folder[@id='folder-now']//k:styleUrl")]
    assert urls == [f"#style-tour-{a}-{b}" for a, b in ((0, 0), (0, 1), (1, 2), (3, 3))]
    before = {
        style.get("id"): style.find("k:color", SPACES).text
        for style in find(path, "//k:Style/k:PolyStyle[@id]")
    }
    assert before["colour-tour-0-1"] == before["colour-tour-0-0"] != before["colour-tour-1-2"]
    there, back = (
        {
            s.get("targetId"): s.find("k:color", SPACES).text
            for s in update.iterfind(".//k:PolyStyle", SPACES)
        }
        for update in changes(find, path)
    )
    assert there == {
        "colour-tour-0-1": before["colour-tour-1-2"],
        "colour-tour-1-2": "ff8c9121",
    }
    assert back == {key: before[key] for key in there}


def test_stops_are_where_most_changes_and_apart(find, write, make_states):
    layers = make_states(100, now=np.full(100, 50.0), later=50.0 + np.arange(100))
    path = write(layers)
    flights = find(path, "//gx:FlyTo/k:LookAt")
    stops, view = flights[1:-1], layers[0].view
    assert len(stops) == STOPS
    assert {look.find("k:range", SPACES).text for look in stops} == {
        f"{view.width_m * NEAR * 1.6:.0f}"
    }
    opened = find(path, "//k:Change/k:Placemark[gx:balloonVisibility='1']/@targetId")
    closed = find(path, "//k:Change/k:Placemark[gx:balloonVisibility='0']/@targetId")
    assert opened == closed
    assert "now-z000099" in opened
    shapes = layers[0].features.geometry
    places = np.array([shapes[own.removeprefix("now-")].centroid.coords[0] for own in opened])
    places *= 111_320 * np.array([np.cos(np.radians(view.latitude)), 1])
    gaps = np.hypot(*(places[:, None] - places[None, :]).transpose(2, 0, 1))
    assert gaps[np.triu_indices(STOPS, 1)].min() >= APART * view.width_m * 0.999


def test_it_waits_while_prisms_grow_and_ends_as_it_began(find, write, make_states):
    path = write(make_states(4))
    steps = find(path, "//gx:Playlist/*")
    words = [re.sub(r"\{.*\}", "", step.tag) for step in steps]
    assert words[:5] == ["FlyTo", "Wait", "AnimatedUpdate", "Wait", "FlyTo"]
    assert words[-3:] == ["FlyTo", "AnimatedUpdate", "Wait"]
    growth, wait = (float(step.find("gx:duration", SPACES).text) for step in steps[2:4])
    assert wait >= growth > FLIGHT
    first, last = find(path, "//gx:FlyTo/k:LookAt")[0], find(path, "//gx:FlyTo/k:LookAt")[-1]
    assert [x.text for x in first] == [x.text for x in last]


def test_what_has_no_height_now_appears_later(find, write, make_states):
    layers = make_states(3, now=[0.0, 100, 90], later=[70, 60, 90])
    path = write(layers)
    assert find(path, "//k:Folder[@id='later']/k:Placemark/@id") == ["y2050-z000000"]
    assert find(path, "//k:Folder[@id='later']//k:visibility/text()") == ["0", "0"]
    there, back = changes(find, path)
    for update, seen in ((there, "1"), (back, "0")):
        shown = update.xpath(".//*[k:visibility]", namespaces=SPACES)
        assert [x.get("targetId") for x in shown] == ["later", "y2050-z000000"]
        assert {x.find("k:visibility", SPACES).text for x in shown} == {seen}
    assert "#style-now-flat" in find(path, "//k:styleUrl/text()")


def test_what_is_gone_sinks_to_the_ground(find, write, make_states):
    now, future, change = make_states(3, now=[10, 20, 30], later=[1, 2, 3])
    future = replace(future, shown=np.array([False, True, True]))
    path = write([now, future, change])
    assert sorted(offsets(changes(find, path)[0]).values()) == [-54.0, -36.0, -20.0]


def test_a_colour_that_is_not_known_later_stays(make_states):
    now, future, change = make_states(3, ageing=[25, 35, 45])
    frame = now.features.assign(ageing_rate_2050=[np.nan, 40.0, 50.0])
    known = replace(now.classes, unknown_ja="", unknown_en="")
    shown = np.array([False, True, True])
    layers = [
        replace(now, features=frame, classes=known),
        replace(future, features=frame, classes=known, shown=shown),
    ]
    trip = journey([*layers, change], EARTH_PRO)
    assert [x.tolist() for x in trip.classes()] == [[1, 2, 3], [1, 3, 3]]


def test_there_is_no_tour_without_anything_to_lift(make_states):
    flat = make_states(3, now=[0, 0, 0], later=[1, 2, 3])
    assert journey(flat, EARTH_PRO) is None
    assert journey(make_states(3)[:1], EARTH_PRO) is None
    assert journey(make_states(9), replace(EARTH_PRO, max_features=10)) is None


def test_an_english_edition(find, write, make_states):
    path = write(make_states(3), lang="en")
    assert find(path, "//gx:Tour/k:name/text()") == ["From now to the future (2020 to 2050)"]
