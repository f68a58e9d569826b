"""What earth/web looks like on a globe that knows no more KML than Google Earth on the web does."""

import re
import zipfile
from typing import NamedTuple

import pytest
from PIL import Image, ImageChops

pytestmark = pytest.mark.client

NOW, FUTURE, CHANGE = "現況", "将来", "変化"


class Drawn(NamedTuple):
    """One KMZ as the client drew it."""

    report: dict
    picture: Image.Image
    empty: Image.Image  # the same view with all features hidden, the legend staying
    states: dict  # name of a state's folder -> picture of that state alone
    kml: str


def _picture(path):
    with Image.open(path) as image:
        return image.convert("RGB")


def _share_that_differs(one, other):
    difference = ImageChops.difference(one, other).convert("L")
    return 1 - difference.histogram()[0] / (difference.width * difference.height)


@pytest.fixture(scope="module")
def drawn(demo_output, render_kml, tmp_path_factory):
    """Draw every KMZ for Earth on the web, once: a picture takes a software renderer seconds."""
    folder = tmp_path_factory.mktemp("earth")
    result = {}
    for kmz in sorted((demo_output / "earth" / "web").glob("*.kmz")):
        png, empty = folder / f"{kmz.stem}.png", folder / f"{kmz.stem}.empty.png"
        report = render_kml(kmz, png, size="800x600", each=[NOW, FUTURE, CHANGE], empty=empty)
        with zipfile.ZipFile(kmz) as archive:
            kml = archive.read("doc.kml").decode("utf-8")
        states = {shot["name"]: _picture(shot["png"]) for shot in report["each"]}
        result[kmz.stem] = Drawn(report, _picture(png), _picture(empty), states, kml)
    assert result, "the demo wrote no earth/web/*.kmz"
    return result


def test_loads_without_error(drawn):
    faults = {name: d.report["pageErrors"] for name, d in drawn.items() if d.report["pageErrors"]}
    assert faults == {}


def test_asks_nothing_of_the_network(drawn):
    asked = {name: d.report["externalRequests"] for name, d in drawn.items()}
    assert {name: urls for name, urls in asked.items() if urls} == {}


def test_is_drawn_to_the_end(drawn):
    assert [name for name, d in drawn.items() if not d.report["settled"]] == []


def test_shows_prisms_when_opened(drawn):
    assert [name for name, d in drawn.items() if d.report["visiblePolygons"] == 0] == []


def test_every_state_has_prisms(drawn):
    shots = {(name, shot["name"]): shot for name, d in drawn.items() for shot in d.report["each"]}
    assert [key for key, shot in shots.items() if shot["visiblePolygons"] == 0] == []


def test_features_fill_part_of_the_first_view(drawn):
    shares = {name: _share_that_differs(d.picture, d.empty) for name, d in drawn.items()}
    assert {name: share for name, share in shares.items() if share < 0.01} == {}


def test_colours_tell_classes_apart(drawn):
    few = {}
    for name, d in drawn.items():
        hidden = {colour for _, colour in d.empty.getcolors(2**24)}
        colours = {colour for _, colour in d.picture.getcolors(2**24)} - hidden
        if len(colours) < 8:
            few[name] = len(colours)
    assert few == {}


def test_carries_a_legend(drawn):
    """On the screen, or as text in the description of the document or a folder."""

    def has_legend(d):
        descriptions = re.findall(r"<description>(.*?)</description>", d.kml, re.DOTALL)
        return (
            d.report["screenOverlays"] > 0
            or any("legend" in url for url in d.report["kmlRequests"])
            or any("凡例" in text or "legend" in text for text in descriptions)
        )

    assert [name for name, d in drawn.items() if not has_legend(d)] == []


def test_now_and_future_look_different(drawn):
    """As two folders of one file, or as two files of one layer (mesh250_now, mesh250_2053)."""
    pairs = {
        n: (d.states[NOW], d.states[FUTURE])
        for n, d in drawn.items()
        if {NOW, FUTURE} <= d.states.keys()
    }
    for name, d in drawn.items():
        layer, _, year = name.rpartition("_")
        if year.isdigit() and f"{layer}_now" in drawn:
            pairs[name] = (drawn[f"{layer}_now"].picture, d.picture)
    assert pairs, "no file shows both states, and no two files do"
    shares = {name: _share_that_differs(*pair) for name, pair in pairs.items()}
    assert {name: share for name, share in shares.items() if share < 0.002} == {}
