"""Registers at the census's level, flagged; ages that go beyond the census's last group."""

import csv

import numpy as np
import pytest

from futuremap.core.population import Flag
from futuremap.errors import InputRefused
from futuremap.pipeline import open_project, run

from .official import AGES, AREAS, CODE, by_block, municipal, names, project, utashinai

REGISTER = """
[[municipality.population]]
year = {year}
file = "{year}.csv"
credit = "census"
"""
NAMED = """
[municipality.blocks]
file = "blocks.geojson"
key = "KEY_CODE"
name = "S_NAME"
join = "name"
credit = "estat_boundary"
"""
LEVEL = """
[municipality.reconcile]
file = "census_2010_2015.csv"
year = 2015
credit = "census"
"""
SPANS = [*(f"{age}～{age + 4}歳" for age in range(0, 85, 5)), "85歳以上"]


def register(folder, *tables, factor=1.0):
    """A register by name with `factor` times the people of the census, to the nearest person."""
    made = project(folder, REGISTER.format(year=2010), REGISTER.format(year=2015), NAMED, *tables)
    headings = [f"{span}の{sex}" for sex in ("男性", "女性") for span in SPANS]
    for year in (2010, 2015):
        with (made / f"{year}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["NO", "調査年月日", "地域名", "総人口", *headings])
            for i, (name, block) in enumerate(zip(names().values(), by_block(year), strict=True)):
                wide = np.pad(block, ((0, 0), (0, 2)))
                wide[:, 16] = block[:, 15] // 3
                wide[:, 17] = block[:, 15] // 4
                wide[:, 15] -= wide[:, 16] + wide[:, 17]
                counts = np.rint(wide * factor).astype(int)
                writer.writerow([i + 1, f"{year}-10-01", name, counts.sum(), *counts.ravel()])
    return made


def found(report, code):
    return [problem for problem in report.problems if problem.code == code]


def test_a_register_at_the_level_of_the_census(tmp_path):
    prepared = open_project(register(tmp_path / "p", LEVEL, factor=1.08))
    (town,) = prepared.towns
    listed = open_project(register(tmp_path / "q", factor=1.08)).towns[0]
    census = municipal("census_2010_2015.csv", 2015)
    wide = np.concatenate([census[:, :17], census[:, 17:].sum(axis=1, keepdims=True)], axis=1)
    assert town.base.persons[0].sum(axis=0) == pytest.approx(wide)
    assert listed.base.totals().sum() == pytest.approx(1.08 * census.sum(), rel=0.01)
    # the same factors in the year before, so that change is not bent
    ratio = town.base.persons.sum(axis=1) / listed.base.persons.sum(axis=1)
    past = town.past.persons.sum(axis=1) / listed.past.persons.sum(axis=1)
    assert past == pytest.approx(ratio)
    assert (town.base.flag & Flag.RAKED).all()
    outcome = run(prepared)
    (one,) = outcome.towns
    assert one.mesh.people.totals().sum(axis=1) == pytest.approx(
        one.people.totals().sum(axis=1), rel=1e-9
    )


def test_by_one_factor_for_all(tmp_path):
    town = open_project(register(tmp_path / "p", LEVEL + 'rule = "total"\n', factor=1.08)).towns[0]
    listed = open_project(register(tmp_path / "q", factor=1.08)).towns[0]
    inside = listed.base.persons > 0
    ratio = town.base.persons[inside] / listed.base.persons[inside]
    assert np.ptp(ratio) < 1e-12
    assert town.base.totals().sum() == pytest.approx(municipal("census_2010_2015.csv", 2015).sum())


def test_a_register_of_another_town_is_refused(tmp_path):
    folder = register(tmp_path / "p", LEVEL, factor=3.0)
    with pytest.raises(InputRefused) as caught:
        open_project(folder)
    assert {(p.code, p.file) for p in caught.value.report.errors} >= {("FM475", "2015.csv")}


OLDER = """
[municipality.ages]
file = "ages.csv"
format = "mapped"
credit = "census"
[municipality.ages.mapping]
zone_name = "市町村"
date = "年"
sex = "性別"
age = "年齢"
value = "人口"
"""
LIFE = """
[municipality.oldest]
file = "life.csv"
credit = "census"
"""


def ages_table(path, last=105, name="歌志内市"):
    """Single years to `last` and over, of which few are left each year."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["市町村", "年", "性別", "年齢", "人口"])
        for year in (2010, 2015):
            for sex in "男女":
                for age in range(last + 1):
                    label = f"{age}歳以上" if age == last else f"{age}歳"
                    writer.writerow([name, f"{year}年", sex, label, max(1, 110 - age)])


def test_ages_of_a_mapped_table_go_to_100(tmp_path):
    folder = utashinai(tmp_path / "p", AREAS, OLDER)
    ages_table(folder / "ages.csv")
    prepared = open_project(folder)
    (town,) = prepared.towns
    assert town.base.ages.open_age == 100
    old = town.base.persons[0, :, :, 15:].sum(axis=(0, 1))
    shape = np.array([sum(110 - age for age in range(a, a + 5)) for a in range(75, 100, 5)])
    assert (old[:-1] / old[0]) == pytest.approx(shape / shape[0])
    assert old.sum() == pytest.approx(by_block(2015)[:, :, 15].sum())
    said = found(prepared.report, "FM468")
    assert {p.file for p in said} == {"T2010.txt", "T2015.txt"}
    assert "ages.csv" in said[0].text("title")
    cells = town.base.data["flag"].values
    assert (cells[..., 15:][town.base.persons[..., 15:] > 0] & Flag.IMPUTED).all()
    alone = cells[0, 2:, :, :15]  # not the two that were merged
    assert not (alone & Flag.IMPUTED).any()
    assert run(prepared).towns[0].people.ages.open_age == 100


def test_a_town_that_the_table_does_not_have(tmp_path):
    folder = utashinai(tmp_path / "p", AREAS, OLDER)
    ages_table(folder / "ages.csv", name="赤平市")
    with pytest.raises(InputRefused) as caught:
        open_project(folder)
    assert {(p.code, p.file) for p in caught.value.report.errors} == {("FM309", "ages.csv")}


def life_table(path, *, ages=(*range(0, 100, 5), 100), column="nLx"):
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["sex", "age", column])
        for sex in "MF":
            writer.writerows([sex, age, 500_000 - 4_000 * age] for age in ages)


def test_a_life_table_goes_on_from_the_census(tmp_path):
    folder = utashinai(tmp_path / "p", AREAS, AGES, LIFE)
    life_table(folder / "life.csv")
    prepared = open_project(folder)
    (town,) = prepared.towns
    assert town.base.ages.open_age == 100
    census = municipal("census_2010_2015.csv", 2015)
    by_age = town.base.persons[0].sum(axis=0)
    assert by_age[:, 15:18] == pytest.approx(census[:, 15:18])
    assert by_age[:, 18:].sum(axis=1) == pytest.approx(census[:, 18])
    assert by_age[0, 18] / by_age[0, 19] == pytest.approx(140_000 / 120_000)
    titles = [problem.text("title") for problem in found(prepared.report, "FM468")]
    assert len(titles) == 4
    assert "90歳以上を、life.csv" in titles[1]


@pytest.mark.parametrize(
    "more", [{"column": "lx"}, {"ages": (*range(0, 93, 3), 93)}], ids=["no nLx", "odd ages"]
)
def test_a_life_table_that_does_not_go_on(tmp_path, more):
    folder = utashinai(tmp_path / "p", AREAS, AGES, LIFE)
    life_table(folder / "life.csv", **more)
    with pytest.raises(InputRefused) as caught:
        open_project(folder)
    assert {(p.code, p.file) for p in caught.value.report.errors} == {("FM469", "life.csv")}


def test_of_the_census_is_said_to_what_age(tmp_path):
    prepared = open_project(utashinai(tmp_path / "p"))
    assert [p.text("title") for p in found(prepared.report, "FM468")] == [
        "75歳以上を、census_2010_2015.csv の年齢の形で 90歳以上まで分けました"
    ] * 2
    assert prepared.towns[0].code == CODE
