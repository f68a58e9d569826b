"""公共施設一覧 and parks: real lists, both spellings, and each fault where it stands."""

import numpy as np
import pytest

from futuremap.sources import public_facilities

from .shapes import CLIPS, YAIZU
from .variants import found, put, write_csv

V1 = [
    "都道府県コード又は市区町村コード", "NO", "都道府県名", "市区町村名", "名称", "名称_カナ", "名称_通称",
    "POIコード", "住所", "方書", "緯度", "経度", "電話番号", "内線番号", "法人番号", "団体名", "利用可能曜日",
    "開始時間", "終了時間", "利用可能日時特記事項", "説明", "バリアフリー情報", "URL", "備考",
]  # fmt: skip
V2 = [
    "全国地方公共団体コード", "ID", "地方公共団体名", "名称", "名称_カナ", "所在地_連結表記", "緯度", "経度", "備考",
]  # fmt: skip
ROWS = [
    ["222127", "1", "静岡県", "焼津市", "港会館", "", "", "", "石津1", "", "34.84", "138.33", *[""] * 11, "公民館"],
    ["222127", "2", "静岡県", "焼津市", "栄会館", "", "", "", "栄町2", "", "34.86", "138.31", *[""] * 11, "公民館"],
]  # fmt: skip
PARK = ["ID", "公園名", "住所（番地まで）", "緯度", "経度", "延床面積（㎡）", "定員", "供用開始年"]
PARKS = [PARK, ["1", "石津浜公園", "石津2420", "34.8425", "138.334", "2,500 ", "40", "1961"]]


def read(path, report, mapping=None, base_year=2021, kinds=()):
    return public_facilities.read(
        path, facility_class="hall", town=YAIZU, credit="x", base_year=base_year,
        report=report, mapping=mapping, kinds=kinds,
    )  # fmt: skip


def test_real_parks(report):
    parks = read(CLIPS / "yaizu" / "park.csv", report)
    assert (len(parks.table), len(parks.located)) == (142, 142)
    assert parks.table["floor_area"].isna().all()  # their 面積 is that of the site
    assert (parks.opened().min(), parks.opened().max()) == (1961, 2021)
    assert not np.isnan(parks.opened()).any()
    assert not report.problems


@pytest.mark.parametrize(("name", "count"), [("city_offices.csv", 28), ("library.csv", 11)])
def test_real_lists(name, count, report):
    listed = read(CLIPS / "yaizu" / name, report)
    assert (len(listed.table), len(listed.located)) == (count, count)
    assert (listed.table["kind"] != "").all()
    assert np.isnan(listed.opened()).all()
    assert listed.table.index[0].startswith("hall-1")
    assert not report.problems


def test_both_spellings(tmp_path, report):
    first = read(write_csv(tmp_path / "v1.csv", [V1, *ROWS]), report)
    rows = [[r[0], r[1], "焼津市", r[4], "", r[8], r[10], r[11], r[23]] for r in ROWS]
    second = read(write_csv(tmp_path / "v2.csv", [V2, *rows]), report)
    assert first.table.equals(second.table)
    assert first.table["address"].tolist() == ["石津1", "栄町2"]
    assert not report.problems


def test_a_column_of_its_own_by_mapping(tmp_path, report):
    rows = [[*V1, "できた年"], [*ROWS[0], "昭和58年4月"], [*ROWS[1], "9999"]]
    path = write_csv(tmp_path / "a.csv", rows)
    assert np.isnan(read(path, report).opened()).all()
    opened = read(path, report, {"できた年": "opened"}).opened()
    assert opened[0] == 1983
    assert np.isnan(opened[1])
    assert not report.problems


def test_sizes_and_kinds(tmp_path, report):
    listed = read(write_csv(tmp_path / "a.csv", PARKS), report)
    assert listed.table[["floor_area", "capacity"]].to_numpy().tolist() == [[2500, 40]]
    assert listed.table["kind"].tolist() == [""]
    two = [V1, *put([V1, *ROWS], 2, "備考", "公民館、図書室")[1:]]
    path = write_csv(tmp_path / "b.csv", two)
    assert read(path, report, kinds=["図書室"]).table.index.tolist() == ["hall-0002"]
    assert len(read(path, report, kinds=["図書室", "公民館"]).table) == 2
    assert not report.problems


def test_a_heading_of_the_mapping_that_is_not_there(tmp_path, report):
    path = write_csv(tmp_path / "a.csv", [V1, *ROWS])
    assert read(path, report, {"できた年": "opened"}) is not None
    assert read(path, report, {"館名": "name"}) is None
    assert [(p.code, p.column) for p in report.problems] == [
        ("FM201", "できた年"), ("FM201", "館名")]  # fmt: skip


FAULTS = [
    (V1, "緯度", "", "FM612"),
    (V1, "都道府県コード又は市区町村コード", "222135", "FM620"),
    (V1, "都道府県コード又は市区町村コード", "222120", "FM620"),
    (V1, "緯度", "138.33", "FM573"),
    (V1, "NO", "2", "FM613"),
    (PARK, "延床面積（㎡）", "約3000", "FM623"),
    (PARK, "延床面積（㎡）", "-5", "FM623"),
    (PARK, "定員", "19（休床中）", "FM623"),
    (PARK, "供用開始年", "不明", "FM306"),
    (PARK, "供用開始年", "2030", "FM614"),
]


@pytest.mark.parametrize(("layout", "heading", "value", "code"), FAULTS)
def test_one_fault_is_found_where_it_stands(layout, heading, value, code, tmp_path, report):
    rows = put(PARKS if layout is PARK else [V1, *ROWS], 1, heading, value)
    listed = read(write_csv(tmp_path / "a.csv", rows), report)
    line = 3 if code == "FM613" else 2
    heading = heading.replace("（㎡）", "(m2)")
    assert found(report) == [(code, line, heading)]
    unlocated = code in {"FM612", "FM573"}
    assert len(listed.table) - len(listed.located) == unlocated


def test_addresses_without_coordinates_are_listed(tmp_path, report):
    rows = put(put([V1, *ROWS], 1, "緯度", ""), 1, "経度", "")
    listed = read(write_csv(tmp_path / "a.csv", rows), report)
    assert listed.unlocated() == ("港会館",)
    assert listed.table["address"].tolist() == ["石津1", "栄町2"]
    assert found(report) == [("FM612", 2, "緯度")]
    assert not report.errors
