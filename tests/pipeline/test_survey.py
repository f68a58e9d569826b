"""A folder is surveyed, and the starter that is written for it can be run."""

import csv
import json
import os
import shutil
import time
from pathlib import Path

import geopandas as gpd
import pytest

from futuremap.config import load
from futuremap.errors import InputRefused
from futuremap.pipeline import check_project, open_project, survey
from futuremap.pipeline.survey import starter, survey_folder, survey_lines
from futuremap.problems import Report

from .official import BOUNDARY, CODE, TWELVE, ipss_workbook, keys, small_area

GEO = Path(__file__).resolve().parents[2] / "fixtures" / "geo"
CLIPS = GEO / "clips"
OUTLINE, REGISTER = "outline_n03.geojson", "register_202311.xlsx"


def folder_of(target, name, *, without=()):
    """A copy of an example without its project file and some of its files."""
    skip = shutil.ignore_patterns("project.toml", *without)
    return Path(shutil.copytree(GEO / name, target / name, ignore=skip))


def written(folder):
    """The survey of a folder, its starter written into it."""
    found = survey_folder(folder)
    (folder / "project.toml").write_text(starter(found), encoding="utf-8")
    return found


def totals(folder):
    return {t.code: float(t.base.totals().sum()) for t in open_project(folder).towns}


@pytest.mark.parametrize("name", ["takamatsu", "mihara_yugawara", "twelve_municipalities"])
def test_the_starter_of_an_example_runs_with_the_same_people(tmp_path, name):
    folder = folder_of(tmp_path, name)
    found = written(folder)
    assert found.ready
    assert not found.report.errors
    report = Report()
    project = load(folder, report=report)
    assert project is not None
    assert not report.problems
    assert not check_project(folder).errors
    assert totals(folder) == totals(GEO / name)
    example = load(GEO / name, report=Report())
    assert project.years[0] == example.years[0]
    zones = {town.code: town.plane_zone for town in project.municipality}
    assert zones == {town.code: town.plane_zone for town in example.municipality}


def test_takamatsu_has_its_years_lists_and_a_stand_in_for_the_wrong_point(tmp_path):
    found = survey_folder(folder_of(tmp_path, "takamatsu"))
    (town,) = found.towns
    assert (town.code, town.name, town.form, found.base_year) == (
        "37201",
        "高松市",
        "register",
        2023,
    )
    assert list(town.people) == [2018, 2019, 2020, 2021, 2022, 2023]
    assert [file.path.stem for file in town.facilities] == [
        "community_center", "medical", "middle_school", "primary_school",
    ]  # fmt: skip
    (wrong,) = town.corrections
    assert wrong.zone == "松島町３丁目"
    latitude, longitude = wrong.place
    assert abs(latitude - 34.337316) < 0.005  # the place that the example gives
    assert abs(longitude - 134.069465) < 0.01
    assert [problem.code for problem in found.report.problems] == ["FM110"]
    assert "仮" in starter(found)


def test_made_up_people_stay_marked(tmp_path):
    folder = folder_of(tmp_path, "mihara_yugawara")
    written(folder)
    project = load(folder, report=Report())
    made_up = {entry.credit for town in project.municipality for entry in town.population}
    assert all(project.own_credits()[key].synthetic for key in made_up)
    assert not project.own_credits()["my_outline"].synthetic
    assert {town.check.year for town in project.municipality} == {2020}


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (OUTLINE, "境界"),
        ("register_201811.xlsx", "5年はなれた"),
        (REGISTER, "5年はなれた"),  # 2018 to 2022: none is five years after another
    ],
)
def test_what_is_missing_is_said_and_stands_in_the_starter(tmp_path, missing, expected):
    found = survey_folder(folder_of(tmp_path, "takamatsu", without=[missing]))
    assert not found.ready
    shown = "\n".join(survey_lines(found))
    text = starter(found)
    assert expected in shown
    assert expected in text
    assert {p.code for p in found.report.errors} == {"FM009"}
    assert "★" in text


def test_a_base_year_without_points_is_said(tmp_path):
    folder = folder_of(tmp_path, "takamatsu", without=["*.xlsx", "medical.csv"])
    text = (folder / "register_202211.csv").read_text("utf-8-sig")
    (folder / "register_201711.csv").write_text(text.replace("2022-11", "2017-11"), "utf-8")
    found = survey_folder(folder)
    assert any("2022年の台帳の緯度・経度" in ja for ja, _ in found.lacks)


def test_of_several_months_those_of_the_same_are_taken_and_garbled_ones_left(tmp_path):
    for file in (CLIPS / "register").glob("0066_*.xlsx"):
        shutil.copy(file, tmp_path)
    early = tmp_path / "early.csv"
    text = (CLIPS / "register" / "joined_12.csv").read_text("utf-8")
    early.write_text(text, "utf-8")
    found = survey_folder(tmp_path)
    kinds = {found.relative(file): file.kind for file in found.files}
    assert kinds["early.csv"] == "register_series"
    assert kinds["0066_202304_12.xlsx"] == "register"
    assert not found.ready
    assert "0066_202304_12.xlsx" in starter(found)  # among those not used


def test_files_of_other_places_and_years_are_comments(tmp_path):
    folder = folder_of(tmp_path, "takamatsu")
    shutil.copy(CLIPS / "estat" / "tblT001102Q5240_clip.txt", folder)
    shutil.copy(CLIPS / "boundary" / "utashinai_01227.geojson", folder)
    text = starter(survey_folder(folder))
    for name in ("tblT001102Q5240_clip.txt", "utashinai_01227.geojson"):
        assert {line[0] for line in text.splitlines() if name in line} == {"#"}


def table_of(path, year, number):
    """Small areas of a table of another number, which tells their year."""
    small_area(path, year)
    path.write_bytes(path.read_bytes().replace(b"T001082", number))


def ksj(path, product, values):
    """Points of 国土数値情報 in each block of 歌志内市."""
    places = gpd.read_file(BOUNDARY).representative_point()
    named = {f"{product}_{number:03d}": column for number, column in values.items()}
    path.write_text(gpd.GeoDataFrame(named, geometry=places).to_json(), encoding="utf-8")


def official_folder(folder):
    """Small areas of two censuses, their boundary, N03, IPSS and KSJ, as downloaded."""
    folder.mkdir()
    table_of(folder / "tblT000849C01.txt", 2010, b"T000849")  # the people of 2010, as if of 2015
    table_of(folder / "tblT001082C01.txt", 2015, b"T001082")
    shutil.copy(BOUNDARY, folder / "h27ka01227.geojson")
    shutil.copy(TWELVE / OUTLINE, folder)
    ipss_workbook(folder / "01.xlsx")
    count = len(keys())
    names = [f"第{i}小学校" for i in range(count)]
    schools = {1: CODE, 2: [f"B{i}" for i in range(count)], 3: "16001", 4: names, 5: "本町", 6: 3,
               7: 1}  # fmt: skip
    ksj(folder / "P29-21_01.geojson", "P29", schools)
    clinics = {1: 2, 2: [f"医院{i}" for i in range(count)], 3: "本町", 4: "内科", 5: "", 6: "",
               7: 4, 8: 19}  # fmt: skip
    ksj(folder / "P04-20_01.geojson", "P04", clinics)
    return folder


def test_the_starter_of_downloaded_official_files(tmp_path):
    folder = official_folder(tmp_path / "utashinai")
    found = written(folder)
    assert found.ready
    (town,) = found.towns
    assert (town.code, town.form, found.base_year) == (CODE, "estat_small_area", 2020)
    project = load(folder, report=Report())
    (entry,) = project.municipality
    assert (entry.blocks.format, entry.control.format) == ("estat_boundary", "ipss_workbook")
    lists = [(e.facility_class, e.format, e.inside_only, e.name) for e in entry.facilities]
    assert lists == [
        ("p04-20_01", "ksj", True, "医療機関"), ("p29-21_01", "ksj", False, "学校")]  # fmt: skip
    assert not check_project(folder).errors
    (ready,) = open_project(folder).towns
    assert ready.base.totals().sum() == pytest.approx(3585)
    assert len(ready.facilities.table) == 2 * len(keys())
    assert set(ready.facilities.table["kind"]) == {"16001", "2、内科"}
    assert ready.facilities.table["capacity"].sum() == 19 * len(keys())
    text = starter(found)
    assert "未検証" in text


def test_small_areas_without_their_boundary_ask_for_it(tmp_path):
    folder = official_folder(tmp_path / "utashinai")
    (folder / "h27ka01227.geojson").unlink()
    for name in ("P04-20_01.geojson", "P29-21_01.geojson"):
        (folder / name).unlink()
    content = json.loads((folder / OUTLINE).read_text(encoding="utf-8"))
    content["features"] = [f for f in content["features"] if f["properties"]["N03_007"] == CODE]
    (folder / OUTLINE).write_text(json.dumps(content), encoding="utf-8")
    found = survey_folder(folder)
    assert [ja for ja, _ in found.lacks] == ["歌志内市：町丁・字等別境界（e-Stat）"]
    assert '# format = "estat_boundary"' in starter(found)


def test_the_starter_of_joined_registers(tmp_path):
    folder = tmp_path / "joined"
    folder.mkdir()
    registers = CLIPS / "register"
    shutil.copy(registers / "0066_202311_12.xlsx", folder)
    shutil.copy(GEO / "takamatsu" / OUTLINE, folder)
    text = (registers / "joined_12.csv").read_text(encoding="utf-8")
    (folder / "joined.csv").write_text(text.replace("\n2020-09,", "\n2018-11,"), encoding="utf-8")
    found = written(folder)
    assert found.ready
    (town,) = found.towns
    assert (town.form, found.base_year) == ("register_series", 2023)
    assert town.places.months == {2018: "2018-11", 2023: "2023-11"}
    project = load(folder, report=Report())
    assert project.municipality[0].blocks.format == "register"
    assert not check_project(folder).errors
    (ready,) = open_project(folder).towns
    assert ready.past.totals()[0, 0] == 227
    (folder / "0066_202311_12.xlsx").unlink()  # nothing says any more where they live
    assert not survey_folder(folder).ready


def test_the_starter_of_lists_of_facilities(tmp_path):
    folder = tmp_path / "yaizu"
    folder.mkdir()
    for name in ("park.csv", "library.csv", "city_offices.csv"):
        shutil.copy(CLIPS / "yaizu" / name, folder)
    found = survey_folder(folder)
    assert not found.ready
    text = starter(found)
    for name in ("park.csv", "library.csv", "city_offices.csv"):
        assert name in text
    content = json.loads((TWELVE / OUTLINE).read_text(encoding="utf-8"))
    content["features"] = [f for f in content["features"] if f["properties"]["N03_007"] == "22212"]
    (folder / OUTLINE).write_text(json.dumps(content), encoding="utf-8")
    for name in ("census_2010_2015.csv", "ipss2018.csv"):
        rows = list(csv.reader((TWELVE / name).read_text(encoding="utf-8-sig").splitlines()))
        with (folder / name).open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([rows[0], *(row for row in rows if row[0] == "22212")])
    found = written(folder)
    assert found.ready
    project = load(folder, report=Report())
    formats = {e.file: e.format for e in project.municipality[0].facilities}
    assert formats == {
        "park.csv": "list", "library.csv": "public_facilities",
        "city_offices.csv": "public_facilities",
    }  # fmt: skip
    assert not check_project(folder).errors
    (ready,) = open_project(folder).towns
    assert len(ready.facilities.table) == 142 + 11 + 28
    parks = ready.facilities.table[ready.facilities.table["facility_class"] == "park"]
    assert parks["opened"].min() == 1961


def test_tables_of_no_standard_and_shapes_are_proposed_as_comments(tmp_path):
    rows = [["町名", "年", "男女", "年齢", "人口"]]
    rows += [[name, "2023", sex, age, "5"] for name in ("東町", "西町") for sex in "男女"
             for age in ("0～4歳", "5～9歳", "10～64歳", "65歳以上")]  # fmt: skip
    with (tmp_path / "people.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    gpd.read_file(BOUNDARY)[["S_NAME", "geometry"]].to_file(tmp_path / "areas.gpkg")
    text = starter(survey_folder(tmp_path))
    for line in ('format = "mapped"', 'zone_name = "町名"', 'format = "vector"', 'key = "★"'):
        assert f"#       {line}" in text


def test_a_table_that_is_not_read_is_named(tmp_path):
    table_of(tmp_path / "tblT001192H34.txt", 2015, b"T001192")
    body = (tmp_path / "tblT001192H34.txt").read_bytes().replace(b"HYOSYO,CITYNAME,NAME,", b"")
    (tmp_path / "tblT001192H34.txt").write_bytes(body)
    found = survey_folder(tmp_path)
    (file,) = found.files
    assert (file.kind, file.usable) == ("estat_mesh", False)
    assert "T001192" in "\n".join(survey_lines(found))


def test_a_list_with_an_error_is_left_out_with_the_reason(tmp_path):
    folder = folder_of(tmp_path, "takamatsu")
    rows = "名称,緯度,経度\n甲館,134.05,34.34\n乙館,134.06,34.33\n"  # swapped
    (folder / "halls.csv").write_text(rows, "utf-8")
    found = written(folder)
    assert "halls.csv" not in [file.path.name for file in found.towns[0].facilities]
    assert "halls.csv" in starter(found)
    assert not check_project(folder).errors


def test_lists_of_the_same_name_get_classes_of_their_own(tmp_path):
    folder = folder_of(tmp_path, "takamatsu")
    for name in ("施設一覧", "公園 2"):
        shutil.copy(folder / "middle_school.xlsx", folder / f"{name}.xlsx")
    (folder / "sub").mkdir()
    shutil.copy(folder / "middle_school.xlsx", folder / "sub")
    written(folder)
    project = load(folder, report=Report())
    classes = [entry.facility_class for entry in project.municipality[0].facilities]
    assert len(set(classes)) == len(classes) == 7
    assert {"facility", "middle_school", "middle_school_2"} <= set(classes)


def test_names_with_quotes_and_line_ends_cannot_break_the_starter(tmp_path):
    folder = folder_of(tmp_path, "takamatsu")
    for name in ('a"b\\c.xlsx', "]]\n[credit.x]\n.xlsx", "x\x7f.xlsx"):
        shutil.copy(folder / "middle_school.xlsx", folder / name)
    found = written(folder)
    report = Report()
    project = load(folder, report=report)
    assert project is not None
    assert not report.problems
    assert 'a"b\\c.xlsx' in [entry.file for entry in project.municipality[0].facilities]
    assert [p.code for p in found.report.problems].count("FM107") == 2


def test_links_out_of_the_folder_pipes_and_outputs_are_not_opened(tmp_path):
    outside = tmp_path / "secret.csv"
    outside.write_text("a,b\n1,2\n")
    folder = folder_of(tmp_path, "takamatsu", without=["*.xlsx", "*.csv"])
    (folder / "link.csv").symlink_to(outside)
    (folder / "circle.csv").symlink_to("circle.csv")
    (folder / "inside.geojson").symlink_to(OUTLINE)
    (folder / "linked").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(folder / "pipe.csv")
    (folder / "out").mkdir()
    (folder / "out" / "manifest.json").write_text("{}")
    (folder / "out" / "a.csv").write_text("a,b\n1,2\n")
    found = survey_folder(folder)
    assert [found.relative(file) for file in found.files] == ["inside.geojson", OUTLINE]
    links = [p.file for p in found.report.problems if p.code == "FM109"]
    assert links == ["circle.csv", "link.csv"]


def test_no_more_files_are_opened_than_agreed(tmp_path, monkeypatch):
    monkeypatch.setattr(survey, "MAX_FILES", 3)
    for i in range(5):
        (tmp_path / f"{i}.csv").write_text("a,b\n1,2\n")
    found = survey_folder(tmp_path)
    assert len(found.files) == 3
    assert "FM108" in [p.code for p in found.report.problems]
    deep = tmp_path / "deep"
    for _ in range(9):
        deep = deep / "x"
    deep.mkdir(parents=True)
    assert any(
        "too deep" in p.text("why", "en") for p in survey_folder(tmp_path / "deep").report.problems
    )


def test_an_empty_folder_and_none_at_all(tmp_path):
    found = survey_folder(tmp_path)
    assert not found.ready
    assert "どの市区町村" in "\n".join(survey_lines(found))
    assert starter(found).startswith("#")
    assert [p.code for p in survey_folder(tmp_path / "none").report.problems] == ["FM101"]
    (tmp_path / "project.toml").write_text(starter(found), encoding="utf-8")
    with pytest.raises(InputRefused):
        open_project(tmp_path)


def test_a_census_of_all_japan_alone_does_not_choose_a_town(tmp_path):
    rows = [f"{code:05d},{year},{sex},20," + ",".join(["1"] * 20)
            for code in range(1001, 1101) for year in (2010, 2015) for sex in "MF"]  # fmt: skip
    ages = ",".join([*(f"a{age:02d}" for age in range(0, 90, 5)), "a90p", "unknown"])
    text = "\n".join([f"code,year,sex,total,{ages}", *rows])
    (tmp_path / "census.csv").write_text(text, "utf-8")
    found = survey_folder(tmp_path)
    assert found.files[0].usable
    assert found.towns == ()
    shutil.copy(GEO / "twelve_municipalities" / OUTLINE, tmp_path)
    assert len(survey_folder(tmp_path).towns) == 12


def test_the_terminal_says_what_each_file_is_in_both_languages(tmp_path):
    folder = folder_of(tmp_path, "takamatsu")
    (folder / "notes.md").write_text("# notes")
    started = time.monotonic()
    shown = "\n".join(survey_lines(survey_folder(folder)))
    assert time.monotonic() - started < 10
    for text in ("○ register_202311.xlsx", "419,894 人/persons", "× notes.md", "高松市（37201）",
                 "2018年 register_201811.xlsx", "resident register"):  # fmt: skip
        assert text in shown
