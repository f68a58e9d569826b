"""What GIS staff meet when they drag a GeoPackage of ours into QGIS: nothing left to set by hand."""

import re

import pytest

pytestmark = pytest.mark.client

JAPANESE = re.compile(r"[぀-ヿ㐀-鿿]")
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
    classes = {k: layer["classes"] for k, layer in layers.items() if layer["geometry"] == "polygon"}
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
