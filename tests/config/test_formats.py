"""What a project file may say of official files, and where it is wrong."""

import dataclasses
from pathlib import Path

import pytest

from futuremap.config import load
from futuremap.config.model import Mapping
from futuremap.problems import Report
from futuremap.sources.mapped_layout import TableMapping

HEADER = """\
[project]
name = "a"
title = "a"
base_year = 2020
end_year = 2030
[[municipality]]
code = "34204"
name = "三原市"
plane_zone = 3
outline = { file = "o.geojson", credit = "ksj_n03" }
"""
YEARS = """
[[municipality.population]]
year = 2015
file = "a.csv"
format = "{format}"
credit = "census"
{more}
[[municipality.population]]
year = 2020
file = "b.csv"
format = "{format}"
credit = "census"
{more}
"""
BLOCKS = """
[municipality.blocks]
file = "b.gpkg"
key = "KEY"
credit = "estat_boundary"
"""
TABLE = """
[municipality.population.mapping]
zone_name = "町名"
labels = { "man1" = "男 0～4歳", "小計" = "" }
skip = ["市外"]
header_rows = 2
"""
FACILITIES = """
[[municipality.facilities]]
class = "hall"
name = "館"
file = "f.csv"
kinds = ["16001"]
inside_only = true
credit = "census"
"""
AGES = """
[municipality.ages]
file = "c.csv"
credit = "census"
"""
OWN = BLOCKS.replace("municipality.blocks", "municipality.population.blocks")


def read(folder: Path, *tables: str):
    report = Report()
    (folder / "project.toml").write_text("\n".join([HEADER, *tables]), encoding="utf-8")
    return load(folder, report=report), [(p.code, p.column) for p in report.problems]


def test_a_mapping_has_every_field_of_the_reader_s():
    assert set(Mapping.model_fields) == {field.name for field in dataclasses.fields(TableMapping)}


def test_a_mapping_is_handed_on(tmp_path):
    project, problems = read(tmp_path, YEARS.format(format="mapped", more=TABLE), BLOCKS)
    assert problems == []
    town = project.municipality[0]
    table = town.population[0].mapping.table(2015)
    assert table == TableMapping(
        zone_name="町名",
        year=2015,
        labels=(("man1", "男 0～4歳"), ("小計", "")),
        skip=("市外",),
        header_rows=2,
        ages="five_year",
    )
    assert ("b.gpkg", "estat_boundary") in town.files()


def test_with_a_column_of_dates_all_years_may_stand_in_a_table():
    assert Mapping(zone_name="町", date="年").table(2015).year is None


@pytest.mark.parametrize(
    ("tables", "wanted"),
    [
        ([YEARS.format(format="mapped", more="")], ("FM011", "municipality.0.population.0.mapping")),
        ([YEARS.format(format="register", more=TABLE)],
         ("FM004", "municipality.0.population.0.mapping")),
        ([YEARS.format(format="estat_small_area", more='names_from = "c.xlsx"')],
         ("FM004", "municipality.0.population.1.names_from")),
        ([YEARS.format(format="register_series", more="")],
         ("FM011", "municipality.0.population.0.month")),
        ([YEARS.format(format="register_series", more='month = "2015-13"')],
         ("FM004", "municipality.0.population.0.month")),
        ([YEARS.format(format="estat_small_area", more="")], ("FM011", "municipality.0")),
        ([YEARS.format(format="mapped", more=TABLE + "year = 2020\n")],
         ("FM004", "municipality.0.population.0.mapping")),
        ([YEARS.format(format="mapped", more=TABLE + "ages = 5\n")],
         ("FM004", "municipality.0.population.1.mapping.ages")),
        ([YEARS.format(format="mapped", more=TABLE + 'zone_nam = "x"\n')],
         ("FM002", "municipality.0.population.0.mapping.zone_nam")),
        ([YEARS.format(format="register", more=""), BLOCKS.replace('key = "KEY"\n', "")],
         ("FM011", "municipality.0.blocks.key")),
        ([YEARS.format(format="register", more=""), BLOCKS + 'latitude = "緯度"'],
         ("FM004", "municipality.0.blocks.latitude")),
        ([YEARS.format(format="register", more=""), FACILITIES],
         ("FM004", "municipality.0.facilities.0.inside_only")),
        ([YEARS.format(format="census", more=""), BLOCKS], ("FM004", "municipality.0.blocks")),
        ([YEARS.format(format="register", more=""), AGES], ("FM004", "municipality.0.ages")),
        ([YEARS.format(format="register", more=OWN)],
         ("FM004", "municipality.0.population.0.blocks")),
        ([YEARS.format(format="register", more=""), BLOCKS.replace("estat_boundary", "who")],
         ("FM008", "municipality.0.blocks.credit")),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said_in_its_place(tmp_path, tables, wanted):
    _, problems = read(tmp_path, *tables)
    assert wanted in [(code, column) for code, column in problems]
