"""三原市 × 湯河原町: two towns, two plane zones, and what is made up says so everywhere."""

import json
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyproj
import pytest
import rasterio
import shapely

from futuremap.core.flows import imbalance
from futuremap.core.population import Flag
from futuremap.errors import InputRefused
from futuremap.pipeline import open_project, run
from futuremap.pipeline.overlay import all_meshes

EXAMPLE = Path(__file__).resolve().parents[2] / "fixtures" / "geo" / "mihara_yugawara"
TWELVE = EXAMPLE.parent / "twelve_municipalities"
TOWNS = ("34204", "14384")
YEARS = (2015, 2020, 2025, 2030, 2035, 2040, 2045)
MARK = "合成データ"


@pytest.fixture(scope="module")
def two_towns():
    return run(open_project(EXAMPLE))


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    out = tmp_path_factory.mktemp("two_towns")
    command = [sys.executable, "-m", "futuremap", "demo", "mihara-yugawara", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return out / "mihara_yugawara"


def published(code):
    table = pd.read_csv(EXAMPLE / "ipss2018.csv", dtype={"code": str})
    return table[table["code"] == code]


def test_blocks_sum_to_the_real_municipality_cell_by_cell(two_towns):
    for town in two_towns.towns:
        rows = published(town.town.code).query("year == 2015").set_index("sex").loc[["M", "F"]]
        ages = rows[[c for c in rows.columns if c.startswith("a")]].to_numpy(dtype=float)
        ages = np.column_stack([ages[:, :17], ages[:, 17:].sum(axis=1)])  # 85 and over
        np.testing.assert_allclose(town.people.persons[0].sum(axis=0), ages, rtol=1e-9)


def test_totals_meet_the_published_projection_in_every_year(two_towns):
    for code in TOWNS:
        totals = published(code).groupby("year")["total"].sum()
        for year in YEARS:
            ours = two_towns.municipal.frame("population").loc[year, code]
            assert ours == pytest.approx(totals[year], rel=1e-9)
    assert imbalance(two_towns.projection.population, two_towns.projection.flows) < 1e-9


def test_the_later_census_is_printed_beside_the_projection(two_towns, futuremap, tmp_path):
    assert two_towns.checks["34204"].counted == 90_573
    assert two_towns.checks["14384"].counted == 23_426
    answer = futuremap("run", EXAMPLE, "--out", tmp_path)
    assert "国勢調査 90,573人（推計は +1.3%）" in answer.out
    assert "国勢調査 23,426人（推計は -1.1%）" in answer.out


def test_made_up_numbers_are_never_flagged_as_observed(two_towns):
    flags = two_towns.projection.population.flag
    assert (flags & Flag.SYNTHETIC > 0).all()
    assert (flags & Flag.OBSERVED == 0).all()


def test_each_town_is_measured_in_its_own_plane(two_towns):
    ellipsoid = pyproj.Geod(ellps="GRS80")
    for town in two_towns.towns:
        halls = town.town.facilities.located
        degrees = shapely.get_coordinates(halls.geometry)
        plane = shapely.get_coordinates(halls.plane_geometry())
        i, j = np.triu_indices(len(degrees), k=1)
        _, _, true = ellipsoid.inv(*degrees[i].T, *degrees[j].T)
        ours = np.hypot(*(plane[i] - plane[j]).T)
        np.testing.assert_allclose(ours, true, rtol=1e-4)


def test_meshes_of_both_towns_are_one_map(two_towns):
    (meshes,) = all_meshes(two_towns)
    assert [len(theme) for theme in meshes] == [3] * 4
    assert len({theme[0].metres_per_unit for theme in meshes}) == 1
    assert meshes[0][0].theme == "mesh250_all"
    people = sum(town.people.totals()[-1].sum() for town in two_towns.towns)
    for theme in meshes:
        assert theme[0].features["population_2045"].sum() == pytest.approx(people, rel=1e-9)
        # each cell is measured in the plane of its town
        inhabited = theme[0].features.query("population_2015 > 0")
        area = inhabited["population_2015"] / inhabited["density_2015"]
        np.testing.assert_allclose(area, inhabited["area_ha"], rtol=1e-9)


def test_the_other_town_s_plane_is_refused(tmp_path, checked):
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "project"))
    text = (folder / "project.toml").read_text(encoding="utf-8")
    wrong = text.replace("plane_zone = 3", "plane_zone = 9", 1)
    (folder / "project.toml").write_text(wrong, encoding="utf-8")
    (problem,) = checked(folder).errors
    assert problem.code == "FM531"
    assert "三原市" in problem.text("title")
    assert problem.text("expected") == "3"


def test_every_kml_says_what_is_made_up(output):
    files = sorted((output / "earth").rglob("*.kmz"))
    assert len(files) >= 14
    for path in files:
        with zipfile.ZipFile(path) as archive:
            assert MARK in archive.read("doc.kml").decode("utf-8"), path.name


def test_each_town_has_a_geopackage_of_its_own_in_its_own_plane(output):
    names = sorted(path.name for path in (output / "qgis").iterdir())
    stems = [f"mihara_yugawara_{code}_baseline" for code in ("14384", "34204")]
    endings = (".gpkg", "_future.qgz", "_now.qgz")
    assert names == [f"{stem}{ending}" for stem in stems for ending in endings]
    planes = {"14384": ("EPSG:6677", "湯河原町"), "34204": ("EPSG:6671", "三原市")}
    for code, (plane, town) in planes.items():
        path = output / "qgis" / f"mihara_yugawara_{code}_baseline_future.qgz"
        with zipfile.ZipFile(path) as archive:
            root = ET.fromstring(archive.read("future.qgs"))  # noqa: S314 - our own file
        assert root.findtext("projectCrs/spatialrefsys/authid") == plane
        assert root.findtext("title").startswith(f"［{MARK}］{town}の現況と将来　将来（2045年）")
        sources = {source.text.partition("|")[0] for source in root.iter("datasource")}
        assert sources == {f"./mihara_yugawara_{code}_baseline.gpkg"}


def test_every_geopackage_layer_says_what_is_made_up(output):
    paths = sorted((output / "qgis").glob("*.gpkg"))
    assert len(paths) == 2
    for path in paths:
        with closing(sqlite3.connect(path)) as db:
            rows = db.execute(
                "SELECT table_name, identifier, description FROM gpkg_contents "
                "WHERE data_type = 'features'",
            ).fetchall()
        assert len(rows) >= 7
        for name, identifier, description in rows:
            assert MARK in identifier, name
            assert MARK in description, name


def test_every_row_of_every_table_says_what_is_made_up(output):
    tables = sorted((output / "data").glob("*.parquet"))
    assert tables
    for path in tables:
        assert set(pq.read_table(path).column("remark").to_pylist()) == {MARK}, path.name
        if path.stem in {"indicators_mesh", "indicators_facility"}:
            continue  # too many rows for a CSV
        frame = pd.read_csv(path.with_suffix(".csv"), dtype=str, encoding="utf-8-sig")
        assert (frame["備考"] == MARK).all(), path.name


def test_page_manifest_and_chart_say_what_is_made_up(output):
    assert MARK in (output / "README.html").read_text(encoding="utf-8")
    assert json.loads((output / "manifest.json").read_text(encoding="utf-8"))["synthetic"] is True
    assert MARK in (output / "comparison.svg").read_text(encoding="utf-8")


def test_towns_are_compared_in_one_table_and_one_chart(output):
    table = pd.read_parquet(output / "data" / "municipality.parquet")
    shown = table.pivot_table(index=["zone", "year"], columns="indicator", values="value")
    assert set(shown.index.get_level_values("zone")) == set(TOWNS)
    for name in ("population", "ageing_rate", "people_covered"):
        assert shown[name].notna().all()
    page = (output / "README.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "三原市" in page
    assert "湯河原町" in page


def test_one_file_leads_from_town_to_town(output):
    for profile, tour in (("web", False), ("pro", True)):
        with zipfile.ZipFile(output / "earth" / profile / "towns.kmz") as archive:
            text = archive.read("doc.kml").decode("utf-8")
        assert text.index("三原市") < text.index("湯河原町")
        assert ("<gx:Tour" in text) is tour


def test_coverage_counts_nobody_twice(two_towns):
    for town in two_towns.towns:
        halls = town.town.facilities.located
        blocks = gpd.GeoSeries(town.town.blocks.plane_geometry())
        discs = shapely.buffer(halls.plane_geometry(), 800, quad_segs=512)
        opened = town.town.facilities.opened()
        people = []
        for year, counted in zip(town.people.years, town.people.totals(), strict=True):
            union = shapely.union_all(discs[~(opened > year)])
            share = blocks.intersection(union).area / blocks.area
            people.append((share.to_numpy() * counted).sum())
        ours = two_towns.municipal.frame("people_covered")[town.town.code]
        np.testing.assert_allclose(ours, people, rtol=1e-4)
        assert (np.array(people) <= town.reach.people.totals().sum(axis=1) + 1e-6).all()


def test_a_region_of_municipalities_runs_with_the_same_code(futuremap, tmp_path):
    outcome = run(open_project(TWELVE))
    assert len(outcome.towns) == 12
    assert all(town.mesh is None for town in outcome.towns)
    table = pd.read_csv(TWELVE / "ipss2018.csv", dtype={"code": str})
    totals = table.groupby(["year", "code"])["total"].sum()
    for year in YEARS:
        for town in outcome.towns:
            ours = outcome.municipal.frame("population").loc[year, town.town.code]
            assert ours == pytest.approx(totals[year, town.town.code], rel=1e-9)
    assert futuremap("run", TWELVE, "--out", tmp_path).code == 0
    assert (tmp_path / "twelve_municipalities" / "earth" / "web" / "municipalities.kmz").is_file()


def test_ages_not_stated_are_spread_and_marked():
    outcome = run(open_project(TWELVE))
    census = pd.read_csv(TWELVE / "census_2010_2015.csv", dtype={"code": str})
    base = census[census["year"] == 2015].groupby("code")
    ours = outcome.municipal.frame("population").loc[2015]
    for code, rows in base:
        assert ours[code] == pytest.approx(rows["total"].sum(), rel=1e-12)
        share = outcome.municipal.frame("imputed_share").loc[2015, code]
        assert share == pytest.approx(rows["unknown"].sum() / rows["total"].sum(), rel=1e-9)


def test_a_real_town_beside_a_made_up_one_is_not_marked(tmp_path, futuremap):
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "project"))
    text = (folder / "project.toml").read_text(encoding="utf-8")
    first, second = text.split('[[municipality]]\ncode = "14384"')
    real = first.replace('"synthetic_blocks"', '"mine"').replace('"synthetic_halls"', '"mine"')
    credit = '\n[credit.mine]\ntext_ja = "三原市のデータ"\nlicence = "CC BY 4.0"\n'
    text = f'{real}[[municipality]]\ncode = "14384"{second}{credit}'
    (folder / "project.toml").write_text(text, encoding="utf-8")
    assert futuremap("run", folder, "--out", tmp_path / "out").code == 0
    output = tmp_path / "out" / "mihara_yugawara"
    for code, made_up in (("34204", False), ("14384", True)):
        with zipfile.ZipFile(output / "earth" / "web" / f"town_blocks_{code}.kmz") as archive:
            assert ("［合成データ］" in archive.read("doc.kml").decode("utf-8")) is made_up
    table = pd.read_parquet(output / "data" / "population.parquet")
    mine = table["zone"].astype(str).str.startswith("34204")
    assert (table.loc[mine, "remark"] == "").all()
    assert (table.loc[~mine, "remark"] == MARK).all()
    assert not table.loc[mine, "origin"].astype(str).str.contains("合成").any()


def test_rates_from_made_up_people_make_made_up_projections(tmp_path):
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "project"))
    text = (folder / "project.toml").read_text(encoding="utf-8")
    old = 'file = "synthetic_34204_2015.csv"\nformat = "register"\ncredit = "synthetic_blocks"'
    assert old in text
    credit = '\n[credit.mine]\ntext_ja = "三原市のデータ"\nlicence = "CC BY 4.0"\n'
    text = text.replace(old, old.replace("synthetic_blocks", "mine")) + credit
    (folder / "project.toml").write_text(text, encoding="utf-8")
    people = run(open_project(folder)).towns[0].people
    assert (people.flag[0] & Flag.SYNTHETIC == 0).all()
    assert (people.flag[1:] & Flag.SYNTHETIC > 0).all()


def test_a_register_town_and_a_census_town_run_together(tmp_path):
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "project"))
    text = (folder / "project.toml").read_text(encoding="utf-8")
    first, second = text.split('[[municipality]]\ncode = "14384"')
    for year in (2010, 2015):
        old = f'file = "synthetic_14384_{year}.csv"\nformat = "register"\n'
        assert old in second
        second = second.replace(old, 'file = "census.csv"\nformat = "census"\n')
    (folder / "project.toml").write_text(
        f'{first}[[municipality]]\ncode = "14384"{second}', encoding="utf-8"
    )
    outcome = run(open_project(folder))
    assert outcome.towns[1].mesh is None
    totals = published("14384").groupby("year")["total"].sum()
    assert outcome.municipal.frame("population").loc[2045, "14384"] == pytest.approx(totals[2045])


def test_what_python_refuses_says_all_problems(tmp_path):
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "project"))
    (folder / "census2020.csv").unlink()
    (folder / "halls_14384.csv").unlink()
    with pytest.raises(InputRefused, match=r"halls_14384\.csv") as refused:
        open_project(str(folder))
    assert "census2020.csv" in str(refused.value)


def test_one_town_is_counted_in_one_way(tmp_path, checked):
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "project"))
    text = (folder / "project.toml").read_text(encoding="utf-8")
    old = 'file = "synthetic_34204_2015.csv"\nformat = "register"'
    wrong = text.replace(old, 'file = "census.csv"\nformat = "census"')
    (folder / "project.toml").write_text(wrong, encoding="utf-8")
    problems = [problem for problem in checked(folder).errors if problem.code == "FM004"]
    line = text[: text.index(old)].count("\n") + 2
    assert [(problem.file, problem.line) for problem in problems] == [("project.toml", line)]


def test_each_town_has_a_report_and_all_share_one_workbook(output):
    names = sorted(path.name for path in (output / "report").glob("*.pdf"))
    assert names == [f"mihara_yugawara_baseline_{code}.pdf" for code in sorted(TOWNS)]
    page = (output / "report" / "mihara_yugawara_baseline_34204.html").read_text(encoding="utf-8")
    assert f"［{MARK}］" in page
    assert "三原市" in page
    assert "湯河原町 2020年" not in page  # what is checked there is said in its own report
    book = openpyxl.load_workbook(output / "excel" / "mihara_yugawara_baseline.xlsx")
    assert MARK in str(book["概要"]["A3"].value)
    assert all(MARK in sheet.oddHeader.left.text for sheet in book)
    shown = {cell.value for cell in book["人口（町丁）"]["C"]}
    assert {"三原市", "湯河原町"} <= shown


def test_rasters_and_geoparquet_of_both_towns_say_what_is_made_up(output):
    for code in TOWNS:
        with rasterio.open(output / "raster" / f"mesh250_{code}_population.tif") as image:
            assert image.tags()["SYNTHETIC"] == MARK
        schema = pq.read_schema(output / "geoparquet" / f"town_blocks_{code}.parquet")
        assert json.loads(schema.metadata[b"futuremap"])["synthetic"] is True
