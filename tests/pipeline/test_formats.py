"""Every format that a project file may name gives people, places and warnings of its own."""

import csv
import json
import shutil

import geopandas as gpd
import numpy as np
import pytest
import shapely

from futuremap.core.population import Flag
from futuremap.errors import InputRefused
from futuremap.pipeline import open_project

from .official import (
    AGES,
    AREAS,
    CODE,
    GEO,
    OPEN,
    SMALL_AREA,
    by_block,
    ipss_workbook,
    keys,
    municipal,
    names,
    project,
    small_area,
    utashinai,
)

REGISTERS = GEO / "clips" / "register"


def codes(report):
    return sorted({problem.code for problem in report.problems})


def opened(folder):
    prepared = open_project(folder)
    (town,) = prepared.towns
    return town, prepared.report


def refused(folder):
    with pytest.raises(InputRefused) as caught:
        open_project(folder)
    return caught.value.report


def found(report, code):
    return [problem for problem in report.problems if problem.code == code]


def test_small_areas_restored_split_and_put_into_their_boundaries(tmp_path):
    town, report = opened(utashinai(tmp_path / "p"))
    assert report.errors == []
    assert town.base.zones == town.blocks.ids == tuple(keys())
    assert town.blocks.kind == "town_block"
    assert town.blocks.areas().min() > 1e5
    assert town.base.ages.open_age == 90
    for year, people in ((2010, town.past), (2015, town.base)):
        published = municipal("census_2010_2015.csv", year)
        assert people.persons[0].sum(axis=0) == pytest.approx(published, abs=1e-6)
        assert people.totals()[0] == pytest.approx(by_block(year).sum(axis=(1, 2)))
    flags = town.base.flag[0]
    assert (flags[:2] & Flag.MERGED == Flag.MERGED).all()
    assert not (flags[2:] & Flag.MERGED).any()
    share = town.base.imputed_share[0]
    assert share[0] == share[1] == 1
    old = by_block(2015)[2, :, OPEN].sum() / by_block(2015)[2].sum()
    assert share[2] == pytest.approx(old)
    assert "FM010" in codes(report)
    assert "FM017" not in codes(report)


def test_without_municipal_ages_the_open_group_stays_and_is_told(tmp_path):
    town, report = opened(utashinai(tmp_path / "p", AREAS))
    assert town.base.ages.open_age == 75
    assert {problem.file for problem in found(report, "FM017")} == {"T2010.txt", "T2015.txt"}


def test_people_without_a_shape_and_shapes_without_people(tmp_path):
    folder = utashinai(tmp_path / "p")
    file = folder / "blocks.geojson"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["features"][2]["properties"]["KEY_CODE"] = "012270500"
    content["features"][8]["properties"]["KEY_CODE"] = "012270600"
    file.write_text(json.dumps(content), encoding="utf-8")
    report = refused(folder)
    (people,) = found(report, "FM013")
    assert (people.file, people.line, people.value) == ("T2015.txt", 6, "012270030")
    assert "737" not in people.text("title")
    (stated,) = found(report, "FM015")
    assert (stated.file, stated.value) == ("blocks.geojson", "012270500")
    assert "737 人" in stated.text("title")
    assert [p.file for p in found(report, "FM014")] == ["T2015.txt"]  # 字西山, nobody
    assert [p.file for p in found(report, "FM016")] == ["blocks.geojson"]


def test_a_boundary_of_another_town_is_one_problem(tmp_path):
    folder = utashinai(tmp_path / "p")
    content = json.loads((folder / "blocks.geojson").read_text(encoding="utf-8"))
    for feature in content["features"]:
        feature["properties"]["KEY_CODE"] = feature["properties"]["KEY_CODE"] + "99"
    (folder / "blocks.geojson").write_text(json.dumps(content), encoding="utf-8")
    report = refused(folder)
    assert [problem.code for problem in report.errors] == ["FM444"]


def test_blocks_that_are_missing_are_asked_for(tmp_path):
    report = refused(utashinai(tmp_path / "p", AGES))
    assert "FM011" in codes(report)
    assert "[municipality.blocks]" in found(report, "FM011")[0].text("title")


def test_codes_of_another_census_are_linked_by_name(tmp_path):
    folder = utashinai(tmp_path / "p")
    small_area(folder / "T2010.txt", 2010, [f"0122709{i}0" for i in range(9)])
    town, report = opened(folder)
    assert report.errors == []
    assert town.past.zones == town.base.zones == tuple(keys())
    assert town.past.totals()[0] == pytest.approx(by_block(2010).sum(axis=(1, 2)))


def test_a_block_that_is_gone_without_a_shape_is_left_out_and_told(tmp_path):
    folder = utashinai(tmp_path / "p")
    file = folder / "blocks.geojson"
    content = json.loads(file.read_text(encoding="utf-8"))
    small_area(folder / "T2010.txt", 2010, [*list(keys())[:8], "012270777"])
    text = (folder / "T2010.txt").read_bytes()
    (folder / "T2010.txt").write_bytes(
        text.replace("字西山".encode("cp932"), "大沢".encode("cp932"))
    )
    file.write_text(json.dumps(content), encoding="utf-8")
    town, report = opened(folder)
    assert report.errors == []
    assert "FM471" in codes(report)
    assert town.past.zones == town.blocks.ids
    lost = by_block(2010)[8].sum()
    assert town.past.totals().sum() == municipal("census_2010_2015.csv", 2010).sum() - lost
    assert bool(found(report, "FM018")) == bool(lost)


def test_blocks_that_were_divided_are_counted_together(tmp_path):
    own = """
    [municipality.population.blocks]
    file = "old.geojson"
    format = "estat_boundary"
    credit = "estat_boundary"
    """
    first, second = SMALL_AREA.split("\n\n")
    folder = project(tmp_path / "p", first, own, second, AREAS, AGES)
    small_area(folder / "T2010.txt", 2010, [*list(keys())[:8], "012270777"])
    small_area(folder / "T2015.txt", 2015)
    content = json.loads((folder / "blocks.geojson").read_text(encoding="utf-8"))
    one, other = content["features"][7], content["features"][8]
    ground = shapely.union(*(shapely.from_geojson(json.dumps(f["geometry"])) for f in (one, other)))
    west, south, east, north = ground.bounds
    for feature, half in ((one, (west, (west + east) / 2)), (other, ((west + east) / 2, east))):
        part = shapely.intersection(ground, shapely.box(half[0], south, half[1], north))
        feature["geometry"] = json.loads(shapely.to_geojson(part))
    other["properties"]["KEY_CODE"] = "012270777"
    (folder / "old.geojson").write_text(json.dumps(content), encoding="utf-8")
    town, report = opened(folder)
    assert "FM470" in codes(report)
    assert len(town.blocks) == 8
    assert town.past.totals().sum() == municipal("census_2010_2015.csv", 2010).sum()
    assert town.base.totals().sum() == municipal("census_2010_2015.csv", 2015).sum()


def test_three_years_of_different_codes_come_onto_the_base_year(tmp_path):
    between = SMALL_AREA.split("\n\n")[0].replace("2010", "2013")
    folder = utashinai(tmp_path / "p", between, AREAS)
    small_area(folder / "T2010.txt", 2010, [f"0122709{i}0" for i in range(9)])
    shutil.copy(folder / "T2010.txt", folder / "T2013.txt")
    small_area(folder / "T2010.txt", 2010, [f"0122708{i}0" for i in reversed(range(9))])
    town, report = opened(folder)
    assert report.errors == []
    assert town.history.years == (2010, 2013, 2015)
    assert town.history.zones == town.blocks.ids == tuple(keys())
    before = by_block(2010).sum(axis=(1, 2))
    assert town.history.totals()[:2] == pytest.approx(np.array([before, before]))


def test_people_who_cannot_be_put_together_are_a_problem(tmp_path):
    folder = utashinai(tmp_path / "p")
    file = folder / "census_2010_2015.csv"
    rows = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines()))
    for cells in rows:
        if cells[:2] == [CODE, "2015"]:
            at = rows[0].index("a75")
            old = sum(int(cell) for cell in cells[at : at + 4])
            cells[at : at + 4] = ["0"] * 4
            cells[rows[0].index("a20")] = str(int(cells[rows[0].index("a20")]) + old)
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    (problem,) = refused(folder).errors
    assert (problem.code, problem.file) == ("FM443", "T2015.txt")


MAPPED = """
[[municipality.population]]
year = {year}
file = "people.csv"
format = "mapped"
credit = "estat_small_area"
[municipality.population.mapping]
zone_name = "町名"
date = "年"
sex = "性"
age = "年齢"
value = "人"
"""
POINTS = """
[municipality.blocks]
file = "points.csv"
format = "points"
key = "町名"
latitude = "北緯"
longitude = "東経"
join = "name"
credit = "estat_boundary"
"""


def mapped_project(folder, blocks=POINTS):
    made = project(folder, MAPPED.format(year=2010), MAPPED.format(year=2015), blocks, AGES)
    spans = [*(f"{age}～{age + 4}歳" for age in range(0, 75, 5)), "75歳以上"]
    with (made / "people.csv").open("w", encoding="cp932", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["町名", "年", "性", "年齢", "人"])
        for year in (2010, 2015):
            for name, block in zip(names().values(), by_block(year), strict=True):
                for sex, counts in zip("男女", block.tolist(), strict=True):
                    rows = zip(spans, counts, strict=True)
                    writer.writerows([name, f"{year}年", sex, span, n] for span, n in rows)
    areas = gpd.read_file(made / "blocks.geojson")
    with (made / "points.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["町名", "北緯", "東経"])
        for name, place in zip(areas["S_NAME"], areas.representative_point(), strict=True):
            writer.writerow([name, f"{place.y:.6f}", f"{place.x:.6f}"])
    return made


def test_a_mapped_table_with_points(tmp_path):
    town, report = opened(mapped_project(tmp_path / "p"))
    assert report.errors == []
    assert town.base.zones == tuple(names().values())
    assert town.base.totals()[0] == pytest.approx(by_block(2015).sum(axis=(1, 2)))
    assert town.past.persons[0].sum(axis=0) == pytest.approx(
        municipal("census_2010_2015.csv", 2010)
    )
    whole = shapely.area(town.outline.plane_geometry())[0]
    assert town.blocks.areas().sum() == pytest.approx(whole, rel=1e-6)


def test_a_mapped_table_with_areas_found_by_name(tmp_path):
    vector = """
    [municipality.blocks]
    file = "blocks.geojson"
    key = "KEY_CODE"
    name = "S_NAME"
    join = "name"
    credit = "estat_boundary"
    """
    town, _ = opened(mapped_project(tmp_path / "p", vector))
    areas = gpd.read_file(GEO / "clips" / "boundary" / "utashinai_01227.geojson")
    shapes = dict(zip(areas["S_NAME"], areas.geometry, strict=True))
    for zone, shape in zip(town.blocks.ids, town.blocks.geometry, strict=True):
        assert shapely.equals(shapely.normalize(shape), shapely.normalize(shapes[zone]))


def test_a_name_that_stands_twice_is_not_guessed(tmp_path):
    folder = mapped_project(tmp_path / "p")
    text = (folder / "points.csv").read_text(encoding="utf-8")
    (folder / "points.csv").write_text(text.replace("字東光", "字上歌"), encoding="utf-8")
    assert "FM019" in codes(refused(folder))


def test_ages_that_are_not_five_years_wide(tmp_path):
    folder = mapped_project(tmp_path / "p")
    toml = (folder / "project.toml").read_text(encoding="utf-8")
    wide = 'ages = "as_found"'
    (folder / "project.toml").write_text(
        toml.replace('value = "人"', f'value = "人"\n{wide}'), encoding="utf-8"
    )
    lines = (folder / "people.csv").read_text(encoding="cp932").splitlines()
    merged = [line.replace("0～4歳", "0～9歳") for line in lines if ",5～9歳," not in line]
    (folder / "people.csv").write_text("\n".join(merged), encoding="cp932")
    assert codes(refused(folder))[0] == "FM012"


SERIES = """
[project]
name = "takamatsu"
title = "高松市"
base_year = 2023
end_year = 2028

[[municipality]]
code = "37201"
name = "高松市"
plane_zone = 4
outline = { file = "outline_n03.geojson", credit = "ksj_n03" }
"""


def takamatsu(folder, *tables):
    folder.mkdir()
    for name in ("0066_202311_12.xlsx", "0066_202304_12.xlsx"):
        shutil.copy(REGISTERS / name, folder / name)
    shutil.copy(GEO / "takamatsu" / "outline_n03.geojson", folder / "outline_n03.geojson")
    lines = (REGISTERS / "joined_12.csv").read_text(encoding="utf-8").splitlines()
    # the joined file begins in 2020: its first month is put two years back
    earlier = [line.replace("2020-09,", "2018-11,", 1) for line in lines]
    (folder / "joined.csv").write_text("\n".join(earlier) + "\n", encoding="utf-8")
    (folder / "project.toml").write_text("\n".join([SERIES, *tables]), encoding="utf-8")
    return folder


MONTH = """
[[municipality.population]]
year = {year}
file = "joined.csv"
format = "register_series"
month = "{month}"
credit = "takamatsu_opendata"
"""
OF_REGISTER = """
[municipality.blocks]
file = "0066_202311_12.xlsx"
format = "register"
credit = "takamatsu_opendata"
"""


def test_months_of_a_joined_register(tmp_path):
    months = [MONTH.format(year=y, month=m) for y, m in ((2018, "2018-11"), (2023, "2023-11"))]
    town, report = opened(takamatsu(tmp_path / "p", *months, OF_REGISTER))
    assert report.errors == []
    assert len(town.blocks) == len(town.base.zones) == 12
    assert town.past.years == (2018,)
    assert town.past.totals()[0, 0] == 227  # 塩屋町, first line of the file
    whole = shapely.area(town.outline.plane_geometry())[0]
    assert town.blocks.areas().sum() == pytest.approx(whole, rel=1e-6)


def test_the_month_is_that_of_the_year(tmp_path):
    months = [MONTH.format(year=y, month=m) for y, m in ((2018, "2020-12"), (2023, "2023-11"))]
    (problem,) = refused(takamatsu(tmp_path / "p", *months, OF_REGISTER)).errors
    assert (problem.code, problem.column) == ("FM004", "municipality.0.population.0.month")


def test_a_month_that_is_not_said(tmp_path):
    months = MONTH.format(year=2018, month="2018-11") + MONTH.format(year=2023, month="2023-11")
    folder = takamatsu(tmp_path / "p", months.replace('month = "2023-11"\n', ""), OF_REGISTER)
    assert codes(refused(folder)) == ["FM011"]


def test_garbled_names_come_from_another_month(tmp_path):
    register = """
    [[municipality.population]]
    year = {year}
    file = "{file}"
    credit = "takamatsu_opendata"
    """
    base = register.format(year=2023, file="0066_202311_12.xlsx")
    garbled = register.format(year=2018, file="0066_202304_12.xlsx")
    folder = takamatsu(tmp_path / "p", base, garbled)
    without = codes(refused(folder))
    toml = (folder / "project.toml").read_text(encoding="utf-8")
    named = '0066_202304_12.xlsx"\nnames_from = "0066_202311_12.xlsx"'
    (folder / "project.toml").write_text(
        toml.replace('0066_202304_12.xlsx"', named), encoding="utf-8"
    )
    with_names = codes(refused(folder))  # it is of 2023, so the year remains
    assert set(without) - set(with_names), (without, with_names)


def test_a_workbook_of_ipss_is_the_control_and_says_that_it_was_never_tried(tmp_path):
    control = """
    [municipality.control]
    file = "01.xlsx"
    format = "ipss_workbook"
    credit = "ipss2023"
    """
    folder = utashinai(tmp_path / "p", AREAS, AGES, control)
    ipss_workbook(folder / "01.xlsx")
    town, report = opened(folder)
    assert town.controls.at(2025).totals()[0, 0] == municipal("ipss2018.csv", 2025).sum()
    assert "01.xlsx" in {problem.file for problem in found(report, "FM010")}


FACILITIES = """
[[municipality.facilities]]
class = "{name}"
name = "施設"
file = "{file}"
format = "{format}"
credit = "census"
"""


def test_public_facilities_and_points_of_ksj(tmp_path):
    folder = utashinai(
        tmp_path / "p",
        AREAS,
        AGES,
        FACILITIES.format(name="hall", file="halls.csv", format="public_facilities")
        + 'mapping = { "できた年" = "opened" }\n',
        FACILITIES.format(name="culture", file="p27.geojson", format="ksj"),
        FACILITIES.format(name="clinic", file="p04.geojson", format="ksj") + "inside_only = true\n",
    )
    inside = gpd.read_file(folder / "blocks.geojson").representative_point()[0]
    (folder / "halls.csv").write_text(
        f"名称,緯度,経度,できた年,面積\n会館,{inside.y},{inside.x},昭和58年,120.5\n",
        encoding="utf-8",
    )
    culture = {f"P27_{n:03d}": [v] for n, v in
               ((1, CODE), (2, 3), (3, "03002"), (4, "03002"), (5, "館"), (6, "本町"), (7, 3),
                (8, -99), (9, 9999))}  # fmt: skip
    gpd.GeoDataFrame(culture, geometry=[inside], crs=6668).to_file(folder / "p27.geojson")
    far = shapely.Point(143.2, 42.9)
    clinics = {f"P04_{n:03d}": [v, v] for n, v in
               ((1, 1), (2, "医院"), (3, "本町"), (4, "内"), (5, ""), (6, ""), (7, 4), (8, 0),
                (9, 1), (10, 1))}  # fmt: skip
    gpd.GeoDataFrame(clinics, geometry=[inside, far], crs=6668).to_file(folder / "p04.geojson")
    town, report = opened(folder)
    frame = town.facilities.table
    assert frame["facility_class"].tolist() == ["hall", "culture", "clinic"]
    assert frame.loc["hall-0001", "opened"] == 1983
    assert np.isnan(frame.loc[frame["facility_class"] == "culture", "opened"]).all()
    assert {p.file for p in found(report, "FM010")} >= {"p27.geojson", "p04.geojson"}


def test_a_register_without_points_in_areas_of_its_own(tmp_path):
    register = """
    [[municipality.population]]
    year = {year}
    file = "{year}.csv"
    credit = "census"
    """
    vector = """
    [municipality.blocks]
    file = "blocks.geojson"
    key = "KEY_CODE"
    name = "S_NAME"
    join = "name"
    credit = "estat_boundary"
    """
    tables = [register.format(year=2010), register.format(year=2015), vector]
    folder = project(tmp_path / "p", *tables)
    spans = [*(f"{age}～{age + 4}歳" for age in range(0, 85, 5)), "85歳以上"]
    columns = [f"{span}の{sex}" for sex in ("男性", "女性") for span in spans]
    for year in (2010, 2015):
        with (folder / f"{year}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["NO", "調査年月日", "地域名", "総人口", *columns])
            for i, (name, block) in enumerate(zip(names().values(), by_block(year), strict=True)):
                counts = np.pad(block, ((0, 0), (0, 2))).ravel().tolist()
                writer.writerow([i + 1, f"{year}-10-01", name, block.sum(), *counts])
    town, report = opened(folder)
    assert report.errors == []
    assert town.blocks.names == tuple(names().values())
    assert town.base.totals()[0] == pytest.approx(by_block(2015).sum(axis=(1, 2)))
    assert town.blocks.areas().sum() > 1e7
    toml = (folder / "project.toml").read_text(encoding="utf-8").replace(vector, "")
    (folder / "project.toml").write_text(toml, encoding="utf-8")
    assert "FM201" in codes(refused(folder))


def test_years_in_different_formats_are_one_problem(tmp_path):
    folder = utashinai(tmp_path / "p")
    toml = (folder / "project.toml").read_text(encoding="utf-8")
    mixed = toml.replace('format = "estat_small_area"', 'format = "register"', 1)
    (folder / "project.toml").write_text(mixed, encoding="utf-8")
    assert "FM004" in codes(refused(folder))
