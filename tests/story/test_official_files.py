"""歌志内市 from official files: small areas, their boundary, IPSS's workbook, lists; then a run."""

import csv
import sqlite3
from contextlib import closing

import pytest

from futuremap.core.population import Flag
from futuremap.pipeline import open_project, run
from tests.pipeline.official import (
    AGES,
    AREAS,
    by_block,
    ipss_workbook,
    keys,
    municipal,
    utashinai,
)

CONTROL = """
[municipality.control]
file = "01.xlsx"
format = "ipss_workbook"
credit = "ipss2023"

[[municipality.facilities]]
class = "hall"
name = "集会施設"
file = "halls.csv"
format = "public_facilities"
credit = "census"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = utashinai(tmp_path_factory.mktemp("official") / "p", AREAS, AGES, CONTROL)
    ipss_workbook(made / "01.xlsx")
    (made / "halls.csv").write_text("名称,緯度,経度\n会館,43.5215,142.0350\n", encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def outcome(folder):
    return run(open_project(folder))


def test_check_says_what_was_never_tried_and_accepts(folder, futuremap):
    answer = futuremap("check", folder)
    assert answer.code == 0, answer.err
    said = answer.out + answer.err
    assert "FM010" in said
    assert "未検証" in said


def test_totals_are_met(outcome):
    published = {2015: "census_2010_2015.csv", 2020: "ipss2018.csv", 2025: "ipss2018.csv"}
    for year, name in published.items():
        projected = outcome.projection.population.at(year).totals().sum()
        assert projected == pytest.approx(municipal(name, year).sum(), rel=1e-6)


def test_blocks_are_those_of_the_boundary_and_nobody_lives_where_nobody_did(outcome):
    (town,) = outcome.towns
    assert town.people.zones == tuple(keys())
    before = by_block(2015).sum(axis=(1, 2))
    for year in town.people.years:
        assert not town.people.at(year).totals()[0][before == 0].any()
    assert town.mesh.people.totals().sum(axis=1) == pytest.approx(
        town.people.totals().sum(axis=1), rel=1e-6
    )


def test_what_was_suppressed_stays_marked_in_every_year(outcome):
    (town,) = outcome.towns
    assert (town.people.flag[:, :2] & Flag.MERGED).all()
    assert (town.people.imputed_share[0, :2] == 1).all()


def test_the_published_folder_says_it_too(folder, futuremap, tmp_path):
    answer = futuremap("run", folder, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    out = tmp_path / "out" / "utashinai"
    page = (out / "README.html").read_text(encoding="utf-8")
    for words in ("小地域", "境界データ", "令和5(2023)年推計"):
        assert words in page
    (package,) = out.rglob("*.gpkg")
    with closing(sqlite3.connect(package)) as base:
        tables = [row[0] for row in base.execute("select table_name from gpkg_contents")]
        columns = {t: [c[1] for c in base.execute(f'pragma table_info("{t}")')] for t in tables}
    assert "imputed_share" in {name for table in columns.values() for name in table}
    with (out / "data" / "population.csv").open(encoding="utf-8-sig", newline="") as text:
        rows = [row for row in csv.DictReader(text) if row["年"] == "2015"]
    origins = {zone: {r["数値の由来"] for r in rows if r["区域コード"] == zone} for zone in keys()}
    first, second, *others = origins.values()
    assert first == second == {"補完・合算"}
    assert all("合算" not in origin for own in others for origin in own)
