"""Facilities: published lists in both layouts, and each fault where it stands."""

import csv

import numpy as np
import pytest

from futuremap.core.facilities import EVENT_COLUMNS
from futuremap.sources import facilities

from .variants import FIXTURES, found, put, sheet, write_csv, write_xlsx

TOWN = {"municipality": "37201", "plane_zone": 4, "credit": "takamatsu_opendata"}
ROWS = [
    ["#property", "latitude", "longitude", "name", "address", "openingDate"],
    ["1", "34.3457", "134.0409", "新番丁小学校", "錦町二丁目14-1", "1983/4/1"],
    ["2", "34.3383", "134.0399", "亀阜小学校", "亀岡町10-1", "昭和58年4月1日"],
    ["7", "34.3267", "134.0518", "花園小学校", "花園町二丁目7-7", ""],
]
STANDARD = [
    "都道府県コード又は市区町村コード", "NO", "都道府県名", "市区町村名", "名称", "名称_カナ",
    "名称_通称", "POIコード", "住所", "方書", "緯度", "経度", "電話番号",
]  # fmt: skip


def read(path, report, facility_class="school", base_year=2023, kinds=()):
    return facilities.read(
        path, facility_class=facility_class, base_year=base_year, report=report, kinds=kinds, **TOWN
    )


@pytest.mark.parametrize(
    ("name", "count"),
    [("community_center.xlsx", 52), ("primary_school.xlsx", 53), ("middle_school.xlsx", 28)],
)
def test_every_published_facility_is_read(name, count, report):
    read_list = read(FIXTURES / name, report)
    assert not report.problems
    head, *rows = sheet(FIXTURES / name)
    assert len(rows) == len(read_list.table) == len(read_list.located) == count
    for i, row in enumerate(rows):
        cell = dict(zip(head, row, strict=True))
        assert read_list.table.index[i] == f"school-{int(cell['#property']):04d}"
        assert read_list.table["name"].iloc[i] == cell["name"]
        assert read_list.table["address"].iloc[i] == cell["address"]
        point = read_list.located.geometry[i]
        assert (point.y, point.x) == (float(cell["latitude"]), float(cell["longitude"]))
    assert np.isnan(read_list.opened()).all()
    assert set(read_list.table["parent"]) == {"37201"}
    assert (read_list.located.kind, read_list.located.sources) == ("facility", (TOWN["credit"],))
    assert tuple(read_list.events.columns) == EVENT_COLUMNS
    assert read_list.events.empty


def test_the_published_medical_institutions(report):
    read_list = read(FIXTURES / "medical.csv", report, "medical")
    with (FIXTURES / "medical.csv").open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    years = [int(row["openingDate"].split("/")[0]) for row in rows]
    assert read_list.table["opened"].tolist() == years
    assert (len(read_list.table), len(read_list.located)) == (617, 616)
    assert read_list.table.index[[0, -1]].tolist() == ["medical-0001", "medical-0617"]
    assert read_list.unlocated() == ("西岡耳鼻咽喉科医院（休止中）",)
    expected = [("FM612", i, "latitude") for i, r in enumerate(rows, 2) if not r["latitude"]]
    expected += [("FM614", i, "openingDate") for i, y in enumerate(years, 2) if y > 2023]
    twins = [i for i, row in enumerate(rows, 2) if row["name"] == "神原歯科医院"]
    resting = [i for i, row in enumerate(rows, 2) if row["numberOfBeds"] == "19（休床中）"]
    expected += [("FM623", line, "numberOfBeds") for line in resting]
    assert sorted(found(report)) == sorted([*expected, ("FM616", twins[1], "name")])
    assert len(expected) == 1 + 52 + 3
    assert not report.errors


def test_medical_institutions_by_department_with_their_beds(report):
    path = FIXTURES / "medical.csv"
    every = read(path, report, "medical").table
    assert (every["capacity"].count(), every["capacity"].sum()) == (70, 5847)
    assert every["floor_area"].isna().all()
    chosen = read(path, report, "medical", kinds=["内科", "外科"]).table
    assert len(chosen) == 222
    assert chosen.equals(every.loc[chosen.index])  # ids do not depend on what is chosen
    kinds = [set(text.split("、")) for text in chosen["kind"]]
    assert all(of & {"内科", "外科"} for of in kinds)
    assert len(read(path, report, "medical", kinds=["内科"]).table) == 205


def test_kinds_that_no_facility_has(report):
    path = FIXTURES / "medical.csv"
    assert len(read(path, report, "medical", kinds=["内科", "内料"]).table) == 205
    wrong = next(p for p in report.problems if p.code == "FM560")
    assert (wrong.value, wrong.severity) == ("内料", "warning")
    assert read(path, report, "medical", kinds=["内料"]) is None
    assert [(p.code, p.value) for p in report.errors] == [("FM561", "内料")]
    assert "内科" in report.errors[0].text("expected")


def test_dates_and_numbers(tmp_path, report):
    read_list = read(write_csv(tmp_path / "a.csv", ROWS), report)
    assert read_list.table.index.tolist() == ["school-0001", "school-0002", "school-0007"]
    assert read_list.table["opened"].tolist()[:2] == [1983, 1983]
    assert np.isnan(read_list.opened()[2])  # not known, which is no fault
    assert not report.problems


@pytest.mark.parametrize("heading", ["開設年月日", "供用開始年", "開設年", "建築年"])
def test_the_headings_of_the_standard(heading, tmp_path, report):
    body = [
        ["222127", "10869", "静岡県", "焼津市", f"施設{i}", "", "", "", "鰯ケ島136", "", "34.8587",
         f"138.32{i}", "", "1961"]
        for i in range(2)
    ]  # fmt: skip
    body[1][1] = "10870"
    path = write_csv(tmp_path / "ods.csv", [[*STANDARD, heading], *body], "utf-8-sig")
    read_list = read(path, report)
    assert read_list.table.index.tolist() == ["school-10869", "school-10870"]
    assert read_list.table["address"].tolist() == ["鰯ケ島136"] * 2
    assert read_list.opened().tolist() == [1961, 1961]
    assert not report.problems


def test_without_numbers_the_order_counts(tmp_path, report):
    path = write_csv(tmp_path / "a.csv", [row[1:] for row in ROWS])
    assert read(path, report).table.index.tolist() == ["school-0001", "school-0002", "school-0003"]
    assert not report.problems


def test_empty_lines_of_the_form_are_no_facilities(tmp_path, report):
    rows = [[*ROWS[0], ""], [*ROWS[1], "←2行目以降に入力"], ["2"], ["3", "", "", "", "", "", ""]]
    assert len(read(write_xlsx(tmp_path / "form.xlsx", rows), report).table) == 1
    assert not report.problems


FAULTS = [
    ("latitude", "", "FM612"),
    ("longitude", "", "FM612"),
    ("latitude", "北緯34度", "FM303"),
    ("latitude", "0", "FM573"),
    ("longitude", "34.0409", "FM573"),
    ("latitude", "３４３４５７", "FM573"),
    ("openingDate", "不明", "FM306"),
    ("openingDate", "1983/13/1", "FM306"),
    ("openingDate", "2024/4/1", "FM614"),
    ("#property", "1", "FM613"),
    ("#property", "", "FM615"),
    ("name", "", "FM615"),
    ("name", "亀\ufffd小学校", "FM568"),
]


@pytest.mark.parametrize(("heading", "value", "code"), FAULTS)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_one_fault_is_found_where_it_stands(kind, heading, value, code, tmp_path, report):
    write = write_csv if kind == "csv" else write_xlsx
    read_list = read(write(tmp_path / f"a.{kind}", put(ROWS, 2, heading, value)), report)
    assert found(report) == [(code, 3, heading)]
    if code == "FM568":
        assert read_list is None
        return
    left_out = code in {"FM613", "FM615"}
    assert len(read_list.table) == (2 if left_out else 3)
    unlocated = code in {"FM612", "FM303", "FM573"}
    assert len(read_list.located) == len(read_list.table) - unlocated
    if not left_out:
        opened = read_list.table["opened"].iloc[1]
        expected = {"FM614": 2024, "FM306": np.nan}.get(code, 1983)
        assert np.array_equal(opened, expected, equal_nan=True)


def test_swapped_coordinates(tmp_path, report):
    rows = put(put(ROWS, 2, "latitude", "134.0399"), 2, "longitude", "34.3383")
    assert len(read(write_csv(tmp_path / "a.csv", rows), report).located) == 2
    assert found(report) == [("FM572", 3, "latitude")]


def test_as_many_problems_as_faults(tmp_path, report):
    rows, planted = [ROWS[0]], []
    for number, (heading, value, code) in enumerate(FAULTS[:-1], start=2):
        row = [str(number), "34.3", "134.0", f"学校{number}", f"町{number}", "1983"]
        row[ROWS[0].index(heading)] = value
        rows.append(row)
        planted.append((code, number, heading))
    rows.insert(1, ["1", "34.3", "134.0", "学校1", "町1", "1983"])
    path = write_csv(tmp_path / "many.csv", rows)
    read(path, report)
    assert found(report) == [(code, line + 1, heading) for code, line, heading in planted]


def test_a_facility_entered_twice_is_noted(tmp_path, report):
    rows = [*ROWS, ["8", "34.3457", "134.0409", "新番丁　小学校", "錦町２丁目14-1", ""]]
    rows[1][4] = "錦町2丁目14-1"
    read(write_csv(tmp_path / "a.csv", rows), report)
    assert found(report) == [("FM616", 5, "name")]
    assert "2 行目" in report.problems[0].text("fix")


def test_a_branch_of_the_same_name_elsewhere_is_not(tmp_path, report):
    rows = [*ROWS, ["8", "34.4", "134.1", "新番丁小学校", "別の町1", ""]]
    assert len(read(write_csv(tmp_path / "a.csv", rows), report).table) == 4
    assert not report.problems


@pytest.mark.parametrize(
    ("heading", "slip", "readable"),
    [("name", "nane", False), ("latitude", "lattitude", True), ("longitude", "x", True)],
)
def test_missing_columns(heading, slip, readable, tmp_path, report):
    rows = put(ROWS, 0, heading, slip)
    rows = put(rows, 3, "openingDate", "不明")
    read_list = read(write_csv(tmp_path / "a.csv", rows), report)
    assert found(report) == [("FM201", 1, heading), ("FM306", 4, "openingDate")]
    assert (read_list is not None) == readable
    assert read_list is None or len(read_list.located) == 0


def test_a_list_in_which_nothing_is_located(tmp_path, report):
    rows = [[*row[:1], "", "", *row[3:]] for row in ROWS[1:]]
    read_list = read(write_csv(tmp_path / "a.csv", [ROWS[0], *rows]), report)
    assert len(read_list.table) == 3
    assert len(read_list.opened()) == 0
    assert [code for code, _, _ in found(report)] == ["FM612"] * 3


def test_a_missing_file(tmp_path, report):
    assert read(tmp_path / "none.csv", report) is None
    assert found(report) == [("FM101", None, "")]
