"""Embedded projects and their print layouts, as XML; what QGIS makes of them is in tests/clients."""

import io
import json
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import replace
from xml.etree import ElementTree as ET

import pyproj
import pytest
import shapely
from test_geopackage import METADATA, TITLE, facility_layers, town_layers
from test_geopackage_tables import OUTLINE, with_reaches

from futuremap.core.credits import register
from futuremap.core.layer import Text
from futuremap.export.geopackage import Scenario, write_geopackage
from futuremap.export.geopackage.layout import LYING, STANDING, extent_of_page, page_of

PLAN = Scenario("plan_a", Text("集約する案", "Merge"))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    target = tmp_path_factory.mktemp("projects") / "test_plan_a.gpkg"
    layers = [*town_layers(hide=True), *with_reaches(facility_layers())]
    write_geopackage(layers, target, title=TITLE, metadata=METADATA, scenario=PLAN,
                     outlines=[OUTLINE], plane_zone=4)  # fmt: skip
    return target


def blobs(path):
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT name, metadata, content FROM qgis_projects").fetchall()
    return {name: (json.loads(about), bytes.fromhex(text)) for name, about, text in rows}


def project(path, name):
    with zipfile.ZipFile(io.BytesIO(blobs(path)[name][1])) as archive:
        (held,) = archive.namelist()
        return ET.fromstring(archive.read(held))  # noqa: S314 - our own file


def test_the_files_beside_have_the_bytes_of_the_embedded_ones(path):
    embedded = {name: content for name, (_, content) in blobs(path).items()}
    assert list(embedded) == ["現況", "将来"]
    assert path.with_name("test_plan_a_now.qgz").read_bytes() == embedded["現況"]
    assert path.with_name("test_plan_a_future.qgz").read_bytes() == embedded["将来"]


def test_sources_are_beside_the_project_and_named_as_the_file(path):
    for name in ("現況", "将来"):
        sources = [source.text for source in project(path, name).iter("datasource")]
        assert sources
        assert all(s.startswith("./test_plan_a.gpkg|layername=") for s in sources)
        tree = [node.get("source") for node in project(path, name).iter("layer-tree-layer")]
        assert set(sources) == {source for source in tree if source}


def test_the_title_says_whose_future_it_is(path):
    titles = {name: project(path, name).findtext("title") for name in ("現況", "将来")}
    assert titles == {
        "現況": "［合成データ］試験市の将来　現況（2023年）",
        "将来": "［合成データ］試験市の将来　将来（2053年）　集約する案",
    }


def test_the_reference_system_is_given_in_full(path):
    root = project(path, "将来")
    system = root.find("projectCrs/spatialrefsys")
    assert system.findtext("authid") == "EPSG:6672"
    assert pyproj.CRS.from_wkt(system.findtext("wkt")).to_epsg() == 6672
    assert root.findtext("properties/SpatialRefSys/ProjectionsEnabled") == "1"
    assert root.findtext("properties/Paths/Absolute") == "false"


def test_without_one_plane_zone_the_map_is_in_degrees(tmp_path):
    target = tmp_path / "a.gpkg"
    write_geopackage(town_layers(), target, title=TITLE, metadata={})
    root = project(target, "現況")
    assert root.findtext("projectCrs/spatialrefsys/authid") == "EPSG:6668"
    assert [i for i in root.iter("LayoutItem") if i.get("id") == "scale"] == []


def test_points_lie_on_rings_on_the_boundary_on_areas(path):
    tree = project(path, "将来").find("layer-tree-group")
    top = [node.get("id") for node in tree.findall("layer-tree-layer")]
    assert top == [
        "futuremap_facilities_future",
        "futuremap_facilities_reach_future",
        "futuremap_boundary_outline",
        "futuremap_town_blocks_future",
    ]
    groups = {
        g.get("name"): [n.get("checked") for n in g] for g in tree.findall("layer-tree-group")
    }
    assert groups == {
        "増減": ["Qt::Unchecked"] * 2,
        "各年（時間コントローラー用）": ["Qt::Unchecked"] * 2,
    }


def test_ids_are_long_enough_for_qgis_and_used_once(path):
    ids = [node.text for node in project(path, "将来").iter("id")]
    assert len(set(ids)) == len(ids) == 8
    assert min(map(len, ids)) > 10


def test_only_the_first_areas_are_checked(tmp_path):
    second = [replace(layer, theme="mesh250") for layer in town_layers()]
    target = tmp_path / "a.gpkg"
    write_geopackage([*second, *town_layers()], target, title=TITLE, metadata={}, plane_zone=4)
    tree = project(target, "現況").find("layer-tree-group")
    assert [(n.get("id"), n.get("checked")) for n in tree.findall("layer-tree-layer")] == [
        ("futuremap_mesh250_now", "Qt::Checked"),
        ("futuremap_town_blocks_now", "Qt::Unchecked"),
    ]


def test_years_run_from_the_first_to_the_end_of_the_last(path):
    root = project(path, "現況")
    settings = root.find("ProjectTimeSettings")
    assert (settings.get("timeStep"), settings.get("timeStepUnit")) == ("30", "y")
    moments = (settings.findtext("TemporalRange/start"), settings.findtext("TemporalRange/end"))
    assert moments == ("2023-01-01T00:00:00Z", "2083-01-01T00:00:00Z")
    controller = root.find("properties/TemporalControllerWidget")
    assert (controller.findtext("StartDateTime"), controller.findtext("EndDateTime")) == moments


def test_the_styles_of_a_project_are_those_of_the_file(path):
    with closing(sqlite3.connect(path)) as db:
        (text,) = db.execute("SELECT styleQML FROM layer_styles WHERE f_table_name='town_blocks' "
                             "AND styleName='将来2053'").fetchone()  # fmt: skip
    style = ET.fromstring(text)  # noqa: S314 - our own file
    (layer,) = [
        node
        for node in project(path, "将来").iter("maplayer")
        if node.findtext("id") == "futuremap_town_blocks_future"
    ]
    for part in ("renderer-v2", "labeling", "aliases", "mapTip", "renderer-3d"):
        assert ET.tostring(layer.find(part)) == ET.tostring(style.find(part)), part


def test_credits_and_notes_stand_on_the_page_and_in_the_project(path):
    root = project(path, "将来")
    abstract = root.findtext("projectMetadata/abstract")
    labels = {item.get("id"): item.get("labelText") for item in root.iter("LayoutItem")}
    credits_ = [f"出典：{c.line()}" for c in town_layers()[0].credits]
    assert labels["credits"].splitlines() == credits_
    assert labels["notes"].splitlines() == ["facilitiesの注記", "town_blocksの注記"]
    assert all(line in abstract for line in credits_)
    assert labels["title"] == root.findtext("title")


def test_ids_of_the_page_are_its_own_and_the_same_each_time(path, tmp_path):
    def uuids(name):
        return [item.get("uuid") for item in project(path, name).iter("LayoutItem")]

    now, later = uuids("現況"), uuids("将来")
    assert len(set(now + later)) == len(now + later)
    again = tmp_path / path.name
    layers = [*town_layers(hide=True), *with_reaches(facility_layers())]
    write_geopackage(layers, again, title=TITLE, metadata=METADATA, scenario=PLAN,
                     outlines=[OUTLINE], plane_zone=4)  # fmt: skip
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("extent", "page"),
    [((0.0, 0.0, 30.0, 10.0), LYING), ((0.0, 0.0, 10.0, 30.0), STANDING)],
)
def test_a_town_fills_the_page_that_suits_it(extent, page):
    assert page_of(extent) is page
    west, south, east, north = extent_of_page(extent, page)
    assert (east - west) / (north - south) == pytest.approx(page.map[2] / page.map[3])
    assert west < extent[0] < extent[2] < east
    assert south < extent[1] < extent[3] < north


def test_nothing_on_a_page_lies_on_something_else_or_beside_it():
    for page in (LYING, STANDING):
        boxes = [page.title, page.map, *page.legends, page.scale, page.north, page.notes,
                 page.credits]  # fmt: skip
        shapes = [shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes]
        whole = shapely.box(0, 0, *page.size)
        assert all(whole.contains(shape) for shape in shapes)
        assert not any(a.overlaps(b) for i, a in enumerate(shapes) for b in shapes[:i])


def test_what_a_reader_wrote_is_not_run(tmp_path):
    layers = town_layers(credit=register()["ksj_n03"])
    for layer in layers:
        object.__setattr__(layer, "place", Text('<&"町> [% 1 %]', "x"))
    target = tmp_path / "a.gpkg"
    write_geopackage(layers, target, title=Text('<b>&"', "x"), metadata={}, plane_zone=4)
    root = project(target, "現況")
    assert root.findtext("title").startswith('<b>&"')
    tips = [tip.text for tip in root.iter("mapTip")]
    assert all("&lt;&amp;&quot;町&gt; [&#37; 1 %]" in tip for tip in tips)


def test_a_file_of_changes_alone_has_a_project_of_them(tmp_path):
    target = tmp_path / "a.gpkg"
    layers = [layer for layer in [*town_layers(), *facility_layers()] if layer.state == "change"]
    written = write_geopackage(layers, target, title=TITLE, metadata={}, plane_zone=4)
    assert [path.name for path in written] == ["a.gpkg", "a_change.qgz"]
    tree = project(target, "増減").find("layer-tree-group")
    assert [(n.get("id"), n.get("checked")) for n in tree.findall("layer-tree-layer")] == [
        ("futuremap_facilities_change", "Qt::Checked"),
        ("futuremap_town_blocks_change", "Qt::Checked"),
    ]


def test_without_a_scenario_no_title_names_one(tmp_path):
    target = tmp_path / "a.gpkg"
    write_geopackage(town_layers(), target, title=TITLE, metadata={}, plane_zone=4)
    assert project(target, "将来").findtext("title").endswith("将来（2053年）")


def test_a_title_names_the_scenarios_whose_futures_a_file_holds(tmp_path):
    layers = [
        replace(layer, theme=f"{layer.theme}_{key}", scenario=Text(name, key), scenario_key=key)
        for key, name in (("a", "案A"), ("b", "案B"), ("c", "案C"))
        for layer in town_layers()
        if layer.state == "future"
    ]
    target = tmp_path / "plans.gpkg"
    write_geopackage(layers, target, title=TITLE, metadata=METADATA, plane_zone=4)
    year = layers[0].year
    title = project(target, "将来").get("projectname")
    assert title.endswith(f"案A（{year}年）・案B（{year}年）・ほか1")
