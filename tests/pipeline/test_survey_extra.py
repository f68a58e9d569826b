"""What a town can also have is named in the starter, and the starter runs with it."""

import csv
import json
import shutil

import geopandas as gpd
import numpy as np
import pytest

from futuremap.config import load
from futuremap.pipeline import check_project, open_project, run
from futuremap.pipeline.survey import starter, survey_folder, survey_lines
from futuremap.problems import Report
from tests.sources.shapes import geotiff

from . import mesh_files
from .official import BOUNDARY, CODE, TWELVE, municipal
from .test_rival import meshes
from .test_survey import CLIPS, GEO, OUTLINE, official_folder, written

YAIZU = "22212"


def only(target, source, code):
    """A file of twelve municipalities with the rows or shapes of one."""
    if source.suffix == ".geojson":
        content = json.loads(source.read_text(encoding="utf-8"))
        content["features"] = [f for f in content["features"] if f["properties"]["N03_007"] == code]
        target.write_text(json.dumps(content), encoding="utf-8")
        return target
    rows = list(csv.reader(source.read_text(encoding="utf-8-sig").splitlines()))
    with target.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([rows[0], *(row for row in rows if row[0] == code)])
    return target


def life_table(path):
    """合成データ: survivors of both sexes to 100 and over."""
    rows = [["sex", "age", "nLx"]]
    for sex, pace in (("男", 0.10), ("女", 0.08)):
        for age in range(0, 105, 5):
            lived = 500_000 * np.exp(-pace * max(age - 60, 0) / 5 * 1.5)
            rows.append([sex, f"{age}～{age + 4}歳" if age < 100 else "100歳以上", f"{lived:.0f}"])
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    return path


def test_meshes_rivals_and_a_life_table_of_a_census_town(tmp_path):
    folder = official_folder(tmp_path / "utashinai")
    written(folder)
    blocks = open_project(folder).towns[0].blocks
    codes, cells = mesh_files.placed(blocks, 2015)
    mesh_files.write(folder / "tblT001102Q6442.txt", codes, cells.sum(axis=1))
    meshes(folder / "500m_mesh_2018_01.geojson", years=(2025, 2030))
    life_table(folder / "life.csv")
    (folder / "project.toml").unlink()
    found = written(folder)
    (town,) = found.towns
    extra = town.extra
    assert [file.path.name for file in extra.margins] == ["tblT001102Q6442.txt"]
    assert [file.path.name for file in extra.rivals] == ["500m_mesh_2018_01.geojson"]
    assert extra.oldest.path.name == "life.csv"
    report = Report()
    (entry,) = load(folder, report=report).municipality
    assert not report.problems
    assert entry.mesh_margins.files == ["tblT001102Q6442.txt"]
    assert (entry.mesh_margins.year, entry.rival[0].format) == (2020, "ksj_mesh")
    outcome = run(open_project(folder))
    (town,) = outcome.towns
    assert town.people.ages.open_age == 100
    assert [row.year for row in outcome.rivals[CODE]] == [2025, 2030]
    assert "地域メッシュ統計" in town.mesh.zones.notes[-1][0]
    shown = "\n".join(survey_lines(found))
    for words in ("メッシュ統計/mesh statistics", "比べる推計/rival", "生命表/life table"):
        assert words in shown


def test_real_school_districts_become_rules_of_reach(tmp_path):
    folder = tmp_path / "yaizu"
    shutil.copytree(CLIPS / "yaizu", folder)
    for name in ("census_2010_2015.csv", "ipss2018.csv", OUTLINE):
        only(folder / name, TWELVE / name, YAIZU)
    head = "都道府県コード又は市区町村コード,NO,都道府県名,市区町村名,名称,住所,緯度,経度"
    middle = gpd.read_file(folder / "elementary_school_district.shp").to_crs(6668)
    rows = [
        f"222127,{i},静岡県,焼津市,第{i}小学校,本町,{place.y:.6f},{place.x:.6f}"
        for i, place in enumerate(middle.representative_point(), 1)
    ]
    (folder / "elementary_school.csv").write_text("\n".join([head, *rows]), "utf-8")
    found = written(folder)
    assert found.ready
    project = load(folder, report=Report())
    (entry,) = project.municipality
    assert [(d.facility_class, d.file) for d in entry.districts] == [
        ("elementary_school", "elementary_school_district.shp")
    ]
    assert [(r.facility_class, r.rule) for r in project.reach.rule] == [
        ("elementary_school", "districts")
    ]
    assert "junior_high_school_district.shp" in starter(found)  # whose schools no list has
    assert not check_project(folder).errors
    outcome = run(open_project(folder))
    assert len(outcome.prepared.towns[0].facilities.table) > len(rows)


def test_a_census_near_the_register_and_a_raster_are_proposed(tmp_path):
    folder = tmp_path / "p"
    shutil.copytree(GEO / "takamatsu", folder, ignore=shutil.ignore_patterns("project.toml"))
    rows = [["code", "year", "sex", "total", *municipal_heads(), "unknown"]]
    for sex, people in zip("MF", municipal("census_2010_2015.csv", 2015), strict=True):
        rows.append(["37201", "2020", sex, str(people.sum()), *map(str, people), "0"])
    with (folder / "census.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    geotiff(folder / "land.tif", np.ones((10, 30), np.float32))
    found = written(folder)
    text = starter(found)
    assert "# [municipality.reconcile]" in text
    assert '# file = "census.csv"' in text
    assert "#       [municipality.dwelling]" in text
    assert not check_project(folder).errors
    lines = text.splitlines()
    at = lines.index("# [municipality.reconcile]")
    live = [line.removeprefix("# ") for line in lines[at : at + 5]]
    text = "\n".join([*lines[:at], *live, *lines[at + 5 :]])
    (folder / "project.toml").write_text(text, encoding="utf-8")
    report = Report()
    assert load(folder, report=report) is not None
    assert not report.problems


def municipal_heads():
    return [*(f"a{age:02d}" for age in range(0, 90, 5)), "a90p"]


@pytest.mark.parametrize("ending", ["shp", "gpkg", "zip"])
def test_an_outline_in_any_format_of_n03(ending, tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    for name in ("census_2010_2015.csv", "ipss2018.csv"):
        only(folder / name, TWELVE / name, YAIZU)
    outlines = gpd.read_file(TWELVE / OUTLINE)
    if ending == "zip":
        inner = tmp_path / "inner"
        inner.mkdir()
        outlines.to_file(inner / "N03-21_22.shp", encoding="utf-8")
        shutil.make_archive(str(folder / "N03-20210101_22_GML"), "zip", inner)
    else:
        outlines.to_file(folder / f"N03-21_22.{ending}", encoding="utf-8")
    found = written(folder)
    assert found.ready
    assert [town.code for town in found.towns] == [YAIZU]
    assert not check_project(folder).errors
    (town,) = open_project(folder).towns
    plain = outlines[outlines["N03_007"] == YAIZU].to_crs(6676).area.sum()
    assert town.blocks.areas().sum() == pytest.approx(plain, rel=1e-6)


def test_the_plane_zone_follows_the_blocks_where_there_is_no_outline(tmp_path):
    shutil.copy(BOUNDARY, tmp_path / "h27ka01227.geojson")
    (town,) = survey_folder(tmp_path).towns
    assert town.plane_zones == (12,)
