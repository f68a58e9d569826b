"""Tables beside the wide ones: by year, outlines of reach, the boundary."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from test_geopackage import FUTURE, METADATA, NOW, TITLE, facility_layers, query, town_layers

from futuremap.core.zones import Zones
from futuremap.export.geopackage import write_geopackage
from futuremap.export.geopackage.places import outline_table, ring_table
from futuremap.export.geopackage.tables import theme_tables, told_apart
from futuremap.export.geopackage.years import shown_in, years_table

IDS = ["01", "02", "03", "04", "05"]
OUTLINE = Zones.build(
    ["37201"],
    [shapely.box(134.0, 34.3, 134.05, 34.31)],
    names=["試験市"],
    parents=["37201"],
    kind="municipality",
    plane_zone=4,
    notes=(("境界は簡略", "simplified"),),
)


def with_reaches(layers):
    """Rings of the first facility now, of the first two later; the third has no place."""
    discs = shapely.buffer(shapely.points([[134.0, 34.3], [134.02, 34.31]]), 0.01)
    now = np.array([discs[0], None, None], dtype=object)
    later = np.array([discs[0], shapely.multipolygons([discs[1]]), None], dtype=object)
    shapes = {"now": now, "future": later, "change": later}
    return [replace(layer, reaches=shapes[layer.state]) for layer in layers]


@pytest.fixture
def path(tmp_path):
    target = tmp_path / "town.gpkg"
    layers = [*town_layers(hide=True), *with_reaches(facility_layers())]
    write_geopackage(layers, target, title=TITLE, metadata=METADATA, outlines=[OUTLINE],
                     plane_zone=4)  # fmt: skip
    return target


def test_the_file_has_all_tables_in_the_order_in_which_they_lie(path):
    assert pyogrio.list_layers(path)[:, 0].tolist() == [
        "town_blocks", "facilities", "facilities_reach", "boundary", "town_blocks_by_year",
        "facilities_by_year", "layer_styles",
    ]  # fmt: skip


def test_a_row_a_zone_and_year_has_the_numbers_of_the_wide_row(path):
    wide = pyogrio.read_dataframe(path, layer="town_blocks").set_index("zone")
    rows = pyogrio.read_dataframe(path, layer="town_blocks_by_year")
    assert list(rows["year"].unique()) == [NOW, FUTURE]
    assert len(rows) == 2 * len(wide)
    for year, found in rows.groupby("year"):
        part = found.set_index("zone")
        assert part.index.tolist() == wide.index.tolist()
        for name in ("density", "ageing_rate"):
            assert part[name].tolist() == wide[f"{name}_{year}"].tolist()
        assert part.geometry.geom_equals(wide.geometry).all()
    assert rows.loc[rows["year"] == NOW, "change_rate"].isna().all()
    later = rows.loc[rows["year"] == FUTURE, "change_rate"]
    assert later.tolist() == wide["change_rate_2053"].tolist()


def test_a_row_holds_from_its_year_to_the_next(path):
    rows = pyogrio.read_dataframe(path, layer="town_blocks_by_year")
    moment = [pd.Timestamp(f"{year}-01-01", tz="UTC") for year in (2023, 2053, 2083)]
    assert set(rows.loc[rows["year"] == NOW, "begin"]) == {moment[0]}
    assert set(rows.loc[rows["year"] == NOW, "end"]) == {moment[1]}
    assert set(rows.loc[rows["year"] == FUTURE, "begin"]) == {moment[1]}
    assert set(rows.loc[rows["year"] == FUTURE, "end"]) == {moment[2]}
    types = dict(query(path, "SELECT name, type FROM pragma_table_info('town_blocks_by_year')"))
    assert (types["begin"], types["end"], types["year"]) == ("DATETIME", "DATETIME", "INTEGER")
    assert query(path, "SELECT DISTINCT begin FROM town_blocks_by_year ORDER BY 1") == [
        ("2023-01-01T00:00:00.000Z",), ("2053-01-01T00:00:00.000Z",),
    ]  # fmt: skip


def test_what_is_drawn_each_year_is_what_the_states_draw(path):
    rows = pyogrio.read_dataframe(path, layer="town_blocks_by_year")
    assert rows.loc[rows["year"] == NOW, "shown"].tolist() == [1, 1, 0, 1, 1]
    assert rows.loc[rows["year"] == FUTURE, "shown"].tolist() == [1, 1, 1, 1, 1]


def test_between_the_states_people_and_opening_years_decide():
    features = facility_layers()[0].features.assign(opened=[1990.0, np.nan, 2040.0])
    features["people_in_reach_2038"] = features["people_in_reach_2023"]
    places = [replace(layer, features=features) for layer in facility_layers()]
    assert shown_in(places, 2038).tolist() == [True, True, False]
    closing_down = features.assign(in_service_2038=[1.0, 0.0, 0.0])
    places = [replace(layer, features=closing_down) for layer in facility_layers()]
    assert shown_in(places, 2038).tolist() == [True, False, False]
    unlisted = features.drop(columns="opened")
    places = [replace(layer, features=unlisted, balloon=()) for layer in facility_layers()]
    assert shown_in(places, 2038).tolist() == [True, True, False]
    towns = town_layers()[0].features.assign(population_2038=[0.5, 0.49, 0.0, 3.0, 9.0])
    blocks = [replace(layer, features=towns) for layer in town_layers()]
    assert shown_in(blocks, 2038).tolist() == [True, False, False, True, True]


def test_the_style_by_year_has_the_classes_of_now_on_columns_without_a_year():
    (now, *_), table = town_layers(), years_table(town_layers())
    (drawing,) = table.drawings
    assert (drawing.colour, drawing.height) == ("ageing_rate", "density")
    assert drawing.classes is now.classes
    assert drawing.metres_per_unit == now.metres_per_unit
    assert drawing.only == '"shown" = 1'
    for part in ("年</td>", "人口密度（人/ha）", "出典："):
        assert part in drawing.tip
    assert "2023" not in drawing.tip


def test_the_style_by_year_is_temporal_and_the_others_are_not(path):
    styles = query(path, "SELECT f_table_name, styleQML FROM layer_styles")
    for table, text in styles:
        found = ET.fromstring(text).find("temporal")  # noqa: S314 - our own file
        assert (found is not None) == table.endswith("_by_year")
        if found is not None:
            assert (found.get("mode"), found.get("startField"), found.get("endField")) == (
                "2", "begin", "end",
            )  # fmt: skip


def test_rings_are_those_of_the_layer_in_each_year(path):
    rows = pyogrio.read_dataframe(path, layer="facilities_reach")
    assert list(zip(rows["zone"], rows["year"], strict=True)) == [
        ("a", NOW), ("a", FUTURE), ("b", FUTURE),
    ]  # fmt: skip
    layer = with_reaches(facility_layers())[1]
    assert rows.geometry.iloc[2].equals(layer.reaches[1])
    assert rows["people_in_reach"].tolist() == [1000.0, 800.0, 2000.0]
    assert rows["years_in_service"].iloc[:2].tolist() == [33.0, 63.0]
    assert rows["facility_class"].tolist() == ["学校", "学校", "医療"]


def test_rings_are_drawn_in_the_colour_of_their_facility_in_their_year_only():
    layers = with_reaches(facility_layers())
    now, later = ring_table(layers).drawings
    assert (now.only, later.only) == ('"year" = 2023', '"year" = 2053')
    assert now.classes is layers[0].classes
    assert {now.shape, later.shape} == {"ring"}


def test_without_reaches_there_is_no_such_table():
    assert ring_table(facility_layers()) is None
    nothing = np.array([None, None, None], dtype=object)
    assert ring_table([replace(x, reaches=nothing) for x in facility_layers()]) is None


def test_the_boundary_with_its_area(path):
    rows = pyogrio.read_dataframe(path, layer="boundary")
    assert rows[["zone", "name"]].to_numpy().tolist() == [["37201", "試験市"]]
    assert rows["area_ha"].iloc[0] == pytest.approx(OUTLINE.areas()[0] / 1e4)
    assert rows.geometry.iloc[0].geom_type == "MultiPolygon"
    identifier, text = query(path, "SELECT identifier, description FROM gpkg_contents "
                                   "WHERE table_name='boundary'")[0]  # fmt: skip
    assert identifier == "［合成データ］試験市 市区町村界"
    assert "境界は簡略" in text
    assert "出典：" in text


def test_towns_of_two_plane_zones_are_measured_each_in_its_own():
    far = replace(OUTLINE, frame=OUTLINE.frame.rename({"37201": "34204"}), plane_zone=3)
    table = outline_table([OUTLINE, far], town_layers()[0].credits, name="boundary")
    (frame,) = table.frames()
    assert frame["area_ha"].tolist() == [far.areas()[0] / 1e4, OUTLINE.areas()[0] / 1e4]


def test_a_file_may_do_without_the_tables_by_year(tmp_path):
    path = tmp_path / "a.gpkg"
    write_geopackage(town_layers(), path, title=TITLE, metadata={}, by_year=False)
    assert pyogrio.list_layers(path)[:, 0].tolist() == ["town_blocks", "layer_styles"]


def test_every_column_of_every_table_has_a_name_and_a_definition(path):
    tables = [row[0] for row in query(path, "SELECT table_name FROM gpkg_geometry_columns")]
    every = query(path, "SELECT table_name, column_name, name, description FROM gpkg_data_columns")
    for table in tables:
        columns = {row[1] for row in query(path, f"PRAGMA table_info({table})")} - {"fid", "geom"}
        named = [row[1:] for row in every if row[0] == table]
        assert {name for name, _, _ in named} == columns
        assert all(alias and text for _, alias, text in named)


def test_titles_and_names_that_are_the_same_are_told_apart():
    first, second = (
        replace(table, columns={"a": about, "b": about})
        for about, table in ((x.columns["zone"], x) for x in theme_tables(town_layers()) * 2)
    )
    one, other = told_apart([first, replace(second, name="mesh250")])
    assert (one.identifier, other.identifier) == (
        "［合成データ］試験市 町丁",
        "［合成データ］試験市 町丁（mesh250）",
    )
    assert [about.alias for about in one.columns.values()] == ["区域コード", "区域コード（b）"]


def test_text_that_no_file_can_hold_is_marked_not_cut(tmp_path):
    layers = town_layers()
    names = ["a\x00b", "c\ud800d", "e\x0bf", None, "普通"]
    features = layers[0].features.assign(name=pd.Series(names, dtype=object, index=IDS))
    layers = [replace(layer, features=features) for layer in layers]
    write_geopackage(layers, tmp_path / "a.gpkg", title=TITLE, metadata={})
    rows = query(tmp_path / "a.gpkg", "SELECT name FROM town_blocks")
    assert [row[0] for row in rows] == ["a\ufffdb", "c\ufffdd", "e\ufffdf", None, "普通"]


def test_many_rows_come_in_parts_and_lose_nothing(monkeypatch, tmp_path):
    from futuremap.export.geopackage import tables, years

    whole = tmp_path / "whole.gpkg"
    write_geopackage(town_layers(hide=True), whole, title=TITLE, metadata={})
    for module in (tables, years):
        monkeypatch.setattr(module, "BATCH", 2)
    (table,) = theme_tables(town_layers(hide=True))
    assert [len(frame) for frame in table.frames()] == [2, 2, 1]
    parts = tmp_path / "parts.gpkg"
    write_geopackage(town_layers(hide=True), parts, title=TITLE, metadata={})
    for name in ("town_blocks", "town_blocks_by_year"):
        with closing(sqlite3.connect(whole)) as one, closing(sqlite3.connect(parts)) as other:
            rows = [db.execute(f"SELECT * FROM {name}").fetchall() for db in (one, other)]  # noqa: S608
        assert rows[0] == rows[1]


@pytest.mark.parametrize("ends", [KeyboardInterrupt, ValueError])
def test_what_ends_a_stream_of_rows_is_told_as_itself(tmp_path, monkeypatch, ends):
    from futuremap.export.geopackage import rows

    def stopped(*_):
        raise ends
        yield  # a generator that GDAL asks for rows

    monkeypatch.setattr(rows, "_batches", stopped)
    (table, *_) = theme_tables(town_layers())
    with pytest.raises(ends):  # and not as an error of GDAL's
        rows.write_rows(table, tmp_path / "town.gpkg")
