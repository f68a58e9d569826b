"""What GIS staff meet when they drag a GeoPackage of ours into QGIS: nothing left to set by hand."""

import re
import zipfile
from xml.etree import ElementTree as ET

import pytest

pytestmark = pytest.mark.client

JAPANESE = re.compile(r"[぀-ヿ㐀-鿿]")
EARTH_KEYS = {"now": "now", "y2053": "future", "change": "change"}  # how placemarks are named
OWN_TO_THE_FORMAT = {"fid", "ogc_fid"}


@pytest.fixture(scope="module")
def reports(demo_output, inspect_gpkg):
    """Inspect every GeoPackage of the demo, once."""
    result = {p.stem: inspect_gpkg(p) for p in sorted((demo_output / "qgis").glob("*.gpkg"))}
    assert result, "the demo wrote no qgis/*.gpkg"
    return result


@pytest.fixture(scope="module")
def layers(reports):
    """All layers of all files, by (file, layer)."""
    found = {(f, name): layer for f, r in reports.items() for name, layer in r["layers"].items()}
    assert found, "the GeoPackages hold no layer"
    return found


def test_every_layer_is_valid_and_filled(layers):
    faults = [key for key, layer in layers.items() if not layer["valid"] or layer["features"] == 0]
    assert faults == []


def test_every_layer_says_where_on_earth_it_is(layers):
    crs = {key: layer["crs"] for key, layer in layers.items()}
    assert {key: name for key, name in crs.items() if not name.startswith("EPSG:")} == {}


def test_areas_open_in_at_least_four_labelled_classes(layers):
    classes = {
        key: layer["classes"]
        for key, layer in layers.items()
        if layer["geometry"] == "polygon" and key[1] != "boundary"  # a line, whatever it is made of
    }
    assert {k: c for k, c in classes.items() if len([label for label in c if label]) < 4} == {}


def test_every_file_has_a_graduated_layer(reports):
    graduated = {
        f: [n for n, x in r["layers"].items() if x["renderer"] == "QgsGraduatedSymbolRenderer"]
        for f, r in reports.items()
    }
    assert {f: names for f, names in graduated.items() if not names} == {}


def test_fields_go_by_japanese_names(layers):
    plain = {
        key: [
            f
            for f, a in layer["aliases"].items()
            if f not in OWN_TO_THE_FORMAT and not JAPANESE.search(a)
        ]
        for key, layer in layers.items()
    }
    assert {key: fields for key, fields in plain.items() if fields} == {}


def test_layers_are_drawn_in_colours(layers):
    assert {key: layer["colours"] for key, layer in layers.items() if layer["colours"] < 4} == {}


def test_embedded_projects_open_whole(reports):
    """Where a file carries a project, it must be read, and every layer in it found."""
    projects = {(f, name): p for f, r in reports.items() for name, p in r["projects"].items()}
    faults = {k: p for k, p in projects.items() if not p["read"] or not all(p["layers"].values())}
    assert faults == {}


@pytest.fixture(scope="module")
def projects(reports):
    """All projects of all files, embedded and beside them, by (file, project)."""
    found = {
        (f, name): project
        for f, report in reports.items()
        for name, project in (report["projects"] | report["beside"]).items()
    }
    assert found, "the GeoPackages hold no project"
    return found


def test_now_and_future_stand_in_every_file_and_beside_it(reports):
    for file, report in reports.items():
        assert sorted(report["projects"]) == sorted(["現況", "将来"]), file
        assert sorted(report["beside"]) == [f"{file}_future.qgz", f"{file}_now.qgz"]
        inside = {name: p["title"] for name, p in report["projects"].items()}
        beside = {name: p["title"] for name, p in report["beside"].items()}
        assert set(inside.values()) == set(beside.values())


def test_projects_have_the_plane_of_the_town_and_show_all_of_it(projects):
    for key, project in projects.items():
        assert project["read"], key
        assert project["crs"] == "EPSG:6672", key  # 高松市: 平面直角座標系 IV系
        west, south, east, north = project["extent"]
        assert 30_000 < west < east < 70_000, key
        assert 115_000 < south < north < 165_000, key


def test_projects_know_the_years_and_their_layers_follow_them(projects):
    for key, project in projects.items():
        assert (project["begin"], project["end"], project["step"]) == (
            "2023-01-01",
            "2058-01-01",
            5.0,
        ), key
        assert len(project["years"]) == 3, key
        for name, found in project["years"].items():
            (first, one), (last, other) = found["2023"], found["2057"]
            assert (one, other) == ([2023], [2053]), (key, name)
            assert first == last > 0, (key, name)


def test_a_layer_keeps_the_id_and_the_place_in_the_tree_that_it_was_given(projects):
    for project in projects.values():
        assert sorted(project["tree"]) == sorted(project["layers"])
        assert all(name.startswith("futuremap_") for name in project["ids"].values())
        assert all(project["relations"].values())
        assert len(project["relations"]) == 3


def test_a_project_shows_its_own_state_and_nothing_else(projects):
    for (_, name), project in projects.items():
        word = "現況" if "現況" in name or "now" in name else "将来"
        assert len(project["shown"]) == 3
        for layer in project["shown"]:
            assert word in layer or layer == "市区町村界"
        assert f"{word}（" in project["title"]


def test_the_page_has_map_legend_scale_title_and_credits(projects):
    kinds = {"QgsLayoutItemMap", "QgsLayoutItemLegend", "QgsLayoutItemScaleBar"}
    for key, project in projects.items():
        ((name, layout),) = project["layouts"].items()
        assert name.startswith("A4 "), key
        assert layout["exported"], key
        assert layout["page"] == [210.0, 297.0], key
        assert kinds <= set(layout["items"]), key
        shown = {project["ids"][layer] for layer in project["shown"]}
        assert set(layout["legend"]) == shown, key
        texts = "\n".join(layout["texts"])
        assert project["title"] in texts, key
        assert texts.count("出典：") == 3, key


def test_classes_of_a_project_are_those_of_the_layer(reports):
    for report in reports.values():
        opened = report["layers"]["mesh250"]["classes"]
        for project in report["projects"].values():
            ours = {n: c for n, c in project["classes"].items() if n.startswith("250m")}
            assert len(ours) >= 2
            assert all(c == opened for n, c in ours.items() if "増減" not in n)


def earth_colours(path):
    """Colour of every placemark of a KMZ of ours, by (state, zone)."""
    with zipfile.ZipFile(path) as archive:
        root = ET.fromstring(archive.read("doc.kml"))  # noqa: S314 - our own file
    name = "{http://www.opengis.net/kml/2.2}"
    styles = {}
    for style in root.iter(f"{name}Style"):
        colour = style.findtext(f"{name}PolyStyle/{name}color")  # aabbggrr
        if colour is not None:
            styles[f"#{style.get('id')}"] = f"#{colour[6:8]}{colour[4:6]}{colour[2:4]}"
    found = {}
    for placemark in root.iter(f"{name}Placemark"):
        key, _, zone = (placemark.get("id") or "").partition("-")
        url = placemark.findtext(f"{name}styleUrl")
        if key in EARTH_KEYS and url in styles:
            found[EARTH_KEYS[key], zone] = styles[url]
    return found


def test_every_feature_has_in_qgis_the_colour_that_it_has_in_earth(reports, demo_output):
    (report,) = reports.values()
    drawn = report["projects"]["現況"]["drawn"] | report["projects"]["将来"]["drawn"]
    web = demo_output / "earth" / "web"
    counted = 0
    for theme in ("facilities", "town_blocks", "mesh250"):
        earth = {}
        for path in sorted(web.glob(f"{theme}*.kmz")):
            earth |= earth_colours(path)
        for state in ("now", "future", "change"):
            there = {zone: colour for (of, zone), colour in earth.items() if of == state}
            assert drawn[f"futuremap_{theme}_{state}"] == there, (theme, state)
            counted += len(there)
    assert counted > 15_000
