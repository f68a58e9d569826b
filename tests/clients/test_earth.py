"""What earth/web looks like on a globe that knows no more KML than Google Earth on the web does."""

import re
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image, ImageChops

from futuremap.export.kml import EARTH_PRO, write_overlay

pytestmark = pytest.mark.client
BENCH = Path(__file__).resolve().parents[2] / "scripts" / "bench"

NOW, FUTURE, CHANGE = "現況", "将来", "増減"
KEYS = {NOW: "now", FUTURE: r"y\d{4}", CHANGE: "change"}
FIRST = "LookAt of "  # the client says whose view it took
RADIO = "warn: KML - Unsupported ListStyle with listItemType: radioFolder"
REGIONS = "warn: KML - Placemark Regions are unsupported"  # of names, which Earth Pro thins out
SIDE = (134.02, 34.30, 45_000.0, 86.0)  # longitude, latitude, range and tilt: from the south
WIDE, HIGH, LEGEND_EDGE = 800, 400, 395
LENS = WIDE / 2 / np.tan(np.radians(30))  # the client sees 60° of the longer side
EARTH = 6_371_000.0


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


def folder(kml, state):
    """The part of a document that draws a state, with the folders in it."""
    found = re.search(
        rf'<Folder id="folder-{KEYS[state]}">.*?(?=<Folder id="folder-|\Z)', kml, re.DOTALL
    )
    return found[0] if found else ""


def pixels(picture):
    return np.asarray(picture, dtype=np.int64)


def test_draws_every_shape_of_every_state(drawn):
    counts = {
        (name, shot["name"]): (
            shot["visiblePolygons"],
            folder(d.kml, shot["name"]).count("<Polygon"),
        )
        for name, d in drawn.items()
        for shot in d.report["each"]
    }
    assert {state for _, state in counts} == {NOW, FUTURE, CHANGE}
    assert {key: pair for key, pair in counts.items() if pair[0] != pair[1]} == {}


def test_opens_where_the_file_says(drawn):
    assert [n for n, d in drawn.items() if not d.report["view"].startswith(FIRST)] == []


def test_warns_of_nothing(drawn):
    assert {name: d.report["log"] for name, d in drawn.items() if d.report["log"]} == {}


def test_the_place_stands_in_the_middle(drawn):
    shares = {}
    for name, d in drawn.items():
        ours = (pixels(d.picture) != pixels(d.empty)).any(axis=2)
        height, width = ours.shape
        shares[name] = ours[height // 4 : -height // 4, width // 4 : -width // 4].mean()
    assert {name: share for name, share in shares.items() if share < 0.03} == {}


def test_pictures_have_the_colours_of_the_classes(drawn):
    """Light changes how bright a face is, hardly its hue: most of a picture is of some class."""
    for name, d in drawn.items():
        for state, picture in d.states.items():
            style = rf'<Style id="style-{KEYS[state]}-\d+"><PolyStyle><color>ff([0-9a-f]{{6}})'
            hues = {tuple(bytes.fromhex(text))[::-1] for text in re.findall(style, d.kml)}
            ours = pixels(picture)[(pixels(picture) != pixels(d.empty)).any(axis=2)]
            classes = np.array(sorted(hues), dtype=np.float64)
            classes /= np.linalg.norm(classes, axis=1)[:, None]
            likeness = ours @ classes.T / np.linalg.norm(ours, axis=1).clip(1)[:, None]
            seen = np.bincount(likeness.argmax(axis=1)[likeness.max(axis=1) > 0.995])
            assert seen.sum() > 0.6 * len(ours), (name, state)
            assert (seen > 30).sum() >= min(3, len(hues)), (name, state)


@pytest.fixture(scope="module")
def from_the_south(demo_output, render_kml, tmp_path_factory):
    """The blocks nearly from the side, so that heights stand against the sky."""
    png = tmp_path_factory.mktemp("side") / "side.png"
    longitude, latitude, metres, tilt = SIDE
    kmz = demo_output / "earth" / "web" / "town_blocks.kmz"
    report = render_kml(
        kmz, png, size=f"{WIDE}x{HIGH}", each=[NOW, FUTURE, CHANGE],
        lookat=f"{longitude},{latitude},{metres},0,{tilt}", empty=png.with_suffix(".empty.png"),
    )  # fmt: skip
    with zipfile.ZipFile(kmz) as archive:
        kml = archive.read("doc.kml").decode("utf-8")
    states = {shot["name"]: _picture(shot["png"]) for shot in report["each"]}
    return Drawn(report, _picture(png), _picture(png.with_suffix(".empty.png")), states, kml)


def on_screen(points):
    """Column and row of a point in the picture, by a lens that the test makes itself."""
    longitude, latitude, metres, tilt = SIDE
    down = np.radians(90 - tilt)
    east = np.radians(points[:, 0] - longitude) * EARTH * np.cos(np.radians(latitude))
    north = np.radians(points[:, 1] - latitude) * EARTH
    up = points[:, 2] - (east**2 + north**2) / 2 / EARTH
    ahead, above = north + metres * np.cos(down), up - metres * np.sin(down)
    depth = ahead * np.cos(down) - above * np.sin(down)
    rise = above * np.cos(down) + ahead * np.sin(down)
    return WIDE / 2 + LENS * east / depth, HIGH / 2 - LENS * rise / depth


def skyline(kml, state):
    """Row of the uppermost edge of the state's roofs in every column of the picture."""
    rows = np.full(WIDE, float(HIGH))
    for text in re.findall(r"<extrude>1<.*?<coordinates>([^<]+)", folder(kml, state)):
        corners = np.array([corner.split(",") for corner in text.split()], dtype=np.float64)
        x, y = on_screen(corners)
        for one in range(len(x) - 1):
            ends = np.argsort(x[one : one + 2]) + one
            first, last = np.ceil(x[ends[0]]), np.floor(x[ends[1]])
            columns = np.arange(max(first, 0), min(last, WIDE - 1) + 1).astype(int)
            rows[columns] = np.minimum(rows[columns], np.interp(columns, x[ends], y[ends]))
    return rows


@pytest.mark.parametrize("state", [NOW, FUTURE, CHANGE])
def test_stands_taller_where_it_is_denser(from_the_south, state):
    """Column for column as high as the numbers say, to two pixels."""
    ours = pixels(from_the_south.states[state]) != pixels(from_the_south.empty)
    ours = ours.any(axis=2)
    seen = np.where(ours.any(axis=0), ours.argmax(axis=0), HIGH)
    wanted = skyline(from_the_south.kml, state)
    both = (seen < HIGH) & (wanted < HIGH) & (np.arange(WIDE) > LEGEND_EDGE)
    assert both.sum() > 150
    assert np.ptp(wanted[both]) > 15
    assert np.median(np.abs(seen - wanted)[both]) < 2
    assert np.corrcoef(seen[both], wanted[both])[0, 1] > 0.97


def test_earth_pro_warns_of_its_radio_folder_and_regions_only(demo_output, render_kml, tmp_path):
    report = render_kml(
        demo_output / "earth" / "pro" / "town_blocks.kmz", tmp_path / "pro.png", size="400x300"
    )
    assert set(report["log"]) == {RADIO, REGIONS}
    assert (report["pageErrors"], report["externalRequests"]) == ([], [])
    assert 0 < report["visiblePolygons"] < report["polygons"]


def test_the_slider_shows_one_year_at_a_time(demo_output, render_kml, tmp_path):
    kmz = demo_output / "earth" / "pro" / "town_blocks_years.kmz"
    with zipfile.ZipFile(kmz) as archive:
        kml = archive.read("doc.kml").decode("utf-8")
    pictures = []
    for year in (2023, 2053):
        one = re.search(rf'<Folder id="year-{year}">.*?(?=<Folder id="year-|\Z)', kml, re.DOTALL)[0]
        png = tmp_path / f"{year}.png"
        report = render_kml(kmz, png, size="800x600", time=f"{year}-06-01T00:00:00Z")
        assert (report["log"], report["pageErrors"], report["externalRequests"]) == ([], [], [])
        assert report["visiblePolygons"] == one.count("<Polygon")
        pictures.append(_picture(png))
    assert _share_that_differs(*pictures) > 0.02


def test_a_tour_is_taken_and_starts_from_what_stands_now(demo_output, render_kml, tmp_path):
    kmz = demo_output / "earth" / "pro" / "town_blocks_tour.kmz"
    report = render_kml(kmz, tmp_path / "tour.png", size="400x300")
    (tour,) = report["tours"]
    assert tour["entries"] > 10
    assert report["pageErrors"] == []
    # the client tells what it does not know of tours: that prisms grow is Earth Pro's alone
    assert {line for line in report["log"] if "AnimatedUpdate" not in line} == set()
    assert report["visiblePolygons"] > 200


def test_rings_lie_around_the_columns_when_they_are_shown(demo_output, render_kml, tmp_path):
    kmz = demo_output / "earth" / "web" / "facilities.kmz"
    without, shown = tmp_path / "without.png", tmp_path / "with.png"
    first = render_kml(kmz, without, size="500x400")
    rings = [one for one in first["containers"] if one["name"] == "利用圏"]
    assert len(rings) == 3
    assert not any(one["shown"] for one in rings)  # they are many, and hide the columns
    render_kml(kmz, shown, size="500x400", show="利用圏")
    assert _share_that_differs(_picture(without), _picture(shown)) > 0.02


@pytest.fixture(scope="module")
def tile(tmp_path_factory):
    """A tile of a super-overlay as the client reads it once its region is near."""
    sys.path.insert(0, str(BENCH))
    try:
        from kml_prefecture import prefecture
    finally:
        sys.path.remove(str(BENCH))
    folder = tmp_path_factory.mktemp("overlay")
    (kmz,) = write_overlay(prefecture(1, 1, empty=0.3), folder, profile=EARTH_PRO)
    with zipfile.ZipFile(kmz) as archive:
        names = {name: archive.read(name) for name in archive.namelist() if "now/" in name}
    for name, kml in names.items():
        # the client draws regions at every distance, but knows no links on region
        (folder / name.rpartition("/")[2]).write_bytes(re.sub(rb"<NetworkLink>.*\n", b"", kml))
    return folder


def test_tiles_draw_all_their_cells_on_every_mesh(tile, render_kml, tmp_path):
    tops = {}
    for name in ("513200-1km", "513200-250m"):
        path = tile / f"{name}.kml"
        report = render_kml(
            path, tmp_path / f"{name}.png", size="500x400", lookat="132.0625,34.042,24000,0,50"
        )
        assert report["visiblePolygons"] == path.read_bytes().count(b"<Polygon")
        assert {line for line in report["log"] if "Region" not in line} == set()
        picture = pixels(_picture(tmp_path / f"{name}.png"))
        tops[name] = (picture != picture[0, 0]).any(axis=2).any(axis=1).argmax()
    # one scale for all: a large cell is as high as its people are dense, hence lower
    assert tops["513200-250m"] < tops["513200-1km"]
