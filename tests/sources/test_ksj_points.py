"""国土数値情報 points: each edition by its columns, and what cannot be told apart."""

import math

import geopandas as gpd
import pytest
import shapely

from futuremap.sources import ksj_points

from .shapes import YAIZU, write
from .variants import found

HERE = [shapely.Point(138.30, 34.85), shapely.Point(138.31, 34.86), shapely.Point(138.20, 34.95)]
CODES = ["22212", "22212", "22214"]
NAMES = ["港", "栄", "隣"]
ADDRESSES = ["焼津市石津1", "焼津市栄町2", "藤枝市3"]


def columns(product, values):
    return {f"{product}_{number:03d}": column for number, column in values.items()}


EDITIONS = {
    "P02": columns("P02", {1: CODES, 2: [3] * 3, 3: [16] * 3, 4: NAMES, 5: ADDRESSES, 6: [3] * 3}),
    "P05": columns("P05", {1: CODES, 2: [1] * 3, 3: NAMES, 4: ADDRESSES}),
    "P14 2021": columns(
        "P14",
        {1: ["静岡県"] * 3, 2: ["焼津市"] * 3, 3: CODES, 4: ADDRESSES, 5: [1] * 3, 6: [101] * 3,
         7: [1] * 3, 8: NAMES, 9: [3] * 3, 10: [1] * 3},
    ),
    "P27": columns(
        "P27",
        {1: CODES, 2: [3] * 3, 3: ["03002"] * 3, 4: ["03002"] * 3, 5: NAMES, 6: ADDRESSES,
         7: [3] * 3, 8: [-99] * 3, 9: [1989, 9999, 1970]},
    ),
    "P29 2013": columns(
        "P29",
        {1: CODES, 2: [16] * 3, 3: ["16001"] * 3, 4: ["16001", "16002", "16001"], 5: NAMES,
         6: ADDRESSES, 7: [3] * 3},
    ),
    "P29 2021": columns(
        "P29",
        {1: CODES, 2: ["B1", "C1", "B2"], 3: [16001, 16002, 16001], 4: NAMES, 5: ADDRESSES,
         6: [3] * 3, 7: [1, 1, 1]},
    ),
}  # fmt: skip
P04 = columns(
    "P04",
    {1: [1, 2, 1], 2: NAMES, 3: ADDRESSES, 4: ["内"] * 3, 5: [None] * 3, 6: [None] * 3, 7: [4] * 3,
     8: [471, 0, 30], 9: [1] * 3, 10: [9] * 3},
)  # fmt: skip


def points(values, shapes=HERE):
    return gpd.GeoDataFrame(values, geometry=shapes, crs=6668)


def read(path, report, mapping=None, **wanted):
    return ksj_points.read(
        path, facility_class="x", town=YAIZU, credit="c", base_year=2025, report=report,
        wanted=ksj_points.Wanted(**wanted), mapping=mapping,
    )  # fmt: skip


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("ending", ["geojson", "shp", "gpkg"])
def test_editions(edition, ending, tmp_path, report):
    listed = read(write(tmp_path / f"a.{ending}", points(EDITIONS[edition])), report)
    assert listed.table["name"].tolist() == NAMES[:2]
    assert listed.table["address"].tolist() == ADDRESSES[:2]
    assert [point.x for point in listed.located.geometry] == [138.30, 138.31]
    assert set(listed.table["parent"]) == {"22212"}
    assert not report.problems


def test_a_year_of_9999_is_unknown(tmp_path, report):
    opened = read(write(tmp_path / "a.shp", points(EDITIONS["P27"])), report).opened()
    assert opened[0] == 1989
    assert math.isnan(opened[1])
    assert not report.problems


def test_kinds_and_names_of_reinfolib(tmp_path, report):
    values = dict(EDITIONS["P29 2021"])
    values |= {"P29_004_ja": values.pop("P29_004"), "P29_005_ja": values.pop("P29_005")}
    values["P29_003_name_ja"] = ["小学校", "中学校", "小学校"]
    path = write(tmp_path / "a.geojson", points(values))
    assert read(path, report, kinds={"16001"}).table["name"].tolist() == ["港"]
    assert read(path, report, kinds={"16001"}).table.index.tolist() == ["x-00B1"]
    assert not report.problems


def test_medical_institutions_by_outline(tmp_path, report):
    path = write(tmp_path / "a.geojson", points(P04))
    inside = read(path, report, outline=shapely.box(138.25, 34.8, 138.35, 34.9))
    assert inside.table["capacity"].tolist() == [471, 0]
    assert inside.table["kind"].tolist() == ["1、内", "2、内"]
    assert len(read(path, report).table) == 3
    assert read(path, report, kinds=["2"]).table["name"].tolist() == ["栄"]
    assert len(read(path, report, kinds=["内"]).table) == 3
    assert not report.problems


P14_2015 = columns(
    "P14",
    {1: ["静岡県"] * 3, 2: ["焼津市"] * 3, 3: ADDRESSES, 4: [1] * 3, 5: [1] * 3,
     6: [101, 804, 101], 7: NAMES, 8: [3] * 3, 9: [1] * 3},
)  # fmt: skip


def test_welfare_of_2015_is_told_by_its_addresses(tmp_path, report):
    path = write(tmp_path / "a.geojson", points(P14_2015))
    inside = read(path, report, outline=shapely.box(138.25, 34.8, 138.35, 34.9))
    assert inside.table["name"].tolist() == NAMES[:2]
    assert inside.table["address"].tolist() == ADDRESSES[:2]
    assert inside.table["kind"].tolist() == ["101", "804"]
    mixed = points(P14_2015 | {"P14_003": [ADDRESSES[0], "22212", ADDRESSES[2]]})
    assert read(write(tmp_path / "b.geojson", mixed), report) is None
    assert found(report) == [("FM621", None, "")]


OF_ANY = {"施設名": NAMES, "市": CODES, "年": [1990, 9999, 1], "床": [120.5, None, 1.0]}


def test_columns_of_no_known_edition_by_mapping(tmp_path, report):
    path = write(tmp_path / "a.geojson", points(OF_ANY))
    assert read(path, report) is None
    report.problems.clear()
    mapping = {"施設名": "name", "市": "code", "年": "opened", "床": "floor_area"}
    listed = read(path, report, mapping=mapping)
    assert listed.table["name"].tolist() == NAMES[:2]
    assert listed.table["opened"].tolist()[0] == 1990
    assert math.isnan(listed.table["opened"].iloc[1])
    assert listed.table["floor_area"].tolist()[0] == 120.5
    assert math.isnan(listed.table["floor_area"].iloc[1])
    assert not report.problems


def test_a_mapping_goes_before_the_edition(tmp_path, report):
    path = write(tmp_path / "a.geojson", points(EDITIONS["P02"] | {"できた年": [1970, 1980, 1990]}))
    listed = read(path, report, mapping={"できた年": "opened", "P02_002": "kind"})
    assert listed.opened().tolist() == [1970, 1980]
    assert listed.table["kind"].tolist() == ["3", "3"]
    assert listed.table["name"].tolist() == NAMES[:2]
    assert read(path, report, mapping={"P02_009": "opened"}) is None
    assert found(report) == [("FM201", 0, "P02_009")]


def test_schools_closed_for_the_time_being(tmp_path, report):
    values = EDITIONS["P29 2021"] | {"P29_007": [2, 1, 1]}
    assert len(read(write(tmp_path / "a.geojson", points(values)), report).table) == 2
    assert found(report) == [("FM622", 1, "P29_007")]


@pytest.mark.parametrize("values", [{"name": NAMES}, EDITIONS["P29 2021"] | {"P29_003": [1] * 3}])
def test_what_cannot_be_told_apart_is_refused(values, tmp_path, report):
    assert read(write(tmp_path / "a.geojson", points(values)), report) is None
    assert found(report) == [("FM621", None, "")]


def test_points_without_a_place_are_listed(tmp_path, report):
    path = write(tmp_path / "a.geojson", points(EDITIONS["P05"], [HERE[0], None, HERE[2]]))
    listed = read(path, report)
    assert listed.unlocated() == ("栄",)
    assert found(report) == [("FM577", 2, "latitude")]
    zero = write(
        tmp_path / "b.geojson", points(EDITIONS["P05"], [HERE[0], shapely.Point(0, 0), HERE[2]])
    )
    assert read(zero, report).unlocated() == ("栄",)
    assert [p.code for p in report.errors] == ["FM573"]


def test_no_facility_of_the_town(tmp_path, report):
    path = write(tmp_path / "a.geojson", points(EDITIONS["P05"] | {"P05_001": ["1"] * 3}))
    assert read(path, report) is None
    assert found(report) == [("FM556", None, "P05_001")]
    assert read(write(tmp_path / "b.geojson", points(P04)), report, kinds={"9"}) is None
    assert report.errors[-1].code == "FM561"
    assert "1、2" in report.errors[-1].text("expected")
