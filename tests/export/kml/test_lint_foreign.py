"""What other writers of KML make, and what is known to be wrong with it."""

import geopandas as gpd
import pyogrio
import pytest
import shapely
import simplekml

from futuremap.export.kml import EARTH_PRO, EARTH_WEB, to_simplekml
from futuremap.export.kml.lint import lint
from futuremap.export.kml.schema import schema_errors

SQUARE = [(134, 34, 5), (134.1, 34, 5), (134.1, 34.1, 5), (134, 34.1, 5), (134, 34, 5)]


def rules(path, profile=EARTH_WEB):
    return {finding.rule for finding in lint(path, profile=profile)}


def kml(tmp_path, *, ring=SQUARE):
    document = simplekml.Kml(name="架空町")
    area = document.newpolygon(name="甲", outerboundaryis=ring)
    area.extrude, area.altitudemode = 1, "relativeToGround"
    area.style.polystyle.color = "ff25e7fd"
    path = tmp_path / "a.kml"
    document.save(str(path))
    return path


def test_simplekml_puts_styles_before_the_name(tmp_path):
    found = lint(kml(tmp_path), profile=EARTH_WEB)
    assert {finding.rule for finding in found} == {"order"}
    assert [finding.seen for finding in found] == ["name in Document"]
    assert schema_errors(tmp_path / "a.kml")


def test_simplekml_leaves_rings_as_they_are(tmp_path):
    assert rules(kml(tmp_path, ring=SQUARE[::-1])) == {"order", "turn"}
    assert rules(kml(tmp_path, ring=SQUARE[:-1])) == {"order", "ring"}


def test_a_kmz_of_simplekml_and_its_picture_from_afar(tmp_path):
    document = simplekml.Kml()
    document.newpoint(coords=[(134, 34)])
    document.newscreenoverlay().icon.href = "http://example.jp/legend.png"
    document.newnetworklink().link.href = "http://example.jp/a.kml"
    document.savekmz(str(tmp_path / "a.kmz"))
    assert rules(tmp_path / "a.kmz") == {"remote", "refused"}


def test_the_bridge_has_the_order_of_simplekml_and_no_other_fault(make_states, tmp_path):
    to_simplekml(make_states(2)[0]).save(str(tmp_path / "a.kml"))
    assert rules(tmp_path / "a.kml") - {"order"} == set()


@pytest.mark.parametrize("driver", ["LIBKML", "KML"])
def test_gdal(tmp_path, driver):
    ring = shapely.Polygon(SQUARE[::-1])
    frame = gpd.GeoDataFrame({"Name": ["甲"], "people": [1.5]}, geometry=[ring], crs="EPSG:4326")
    path = tmp_path / "a.kml"
    pyogrio.write_dataframe(frame, path, driver=driver)
    assert schema_errors(path) == []
    # the attributes are SchemaData, which neither Cesium nor Esri shows
    assert {"refused"} <= rules(path, EARTH_PRO)
    seen = {finding.seen.rpartition(" ")[2] for finding in lint(path, profile=EARTH_PRO)}
    assert "SchemaData" in seen


def test_a_kmz_of_gdal_with_two_layers_has_network_links(tmp_path):
    path = tmp_path / "a.kmz"
    frame = gpd.GeoDataFrame({"Name": ["甲"]}, geometry=[shapely.Point(134, 34)], crs="EPSG:4326")
    for layer in ("a", "b"):
        pyogrio.write_dataframe(frame, path, driver="LIBKML", layer=layer, append=path.exists())
    assert {"zip", "refused"} <= rules(path)
