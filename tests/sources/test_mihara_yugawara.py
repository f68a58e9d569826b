"""The example of 三原市 and 湯河原町: its made-up blocks add up to the real towns, and say so."""

import csv

import numpy as np
import pytest
import shapely

from futuremap.config import load
from futuremap.pipeline import prepare
from futuremap.problems import Report
from futuremap.sources import controls, facilities, outline, register

from .variants import FIXTURES as TAKAMATSU

FOLDER = TAKAMATSU.parent / "mihara_yugawara"
MARK = "合成データ"
TOWNS = {"34204": (3, 225, 24), "14384": (9, 18, 7)}  # plane zone, blocks, halls
AGES = [f"a{age:02d}" for age in range(0, 90, 5)] + ["a90p"]
METRES_OUTSIDE = 60  # two points of 三原市 lie up to 53 m outside the simplified outline

each_town = pytest.mark.parametrize("code", TOWNS)


def rows_of(name):
    with (FOLDER / name).open(encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text))


def blocks(code, report, year=2015):
    town = {"municipality": code, "plane_zone": TOWNS[code][0], "credit": "synthetic_blocks"}
    return register.read(FOLDER / f"synthetic_{code}_{year}.csv", year=year, report=report, **town)


def persons(code, report, year=2015):
    return blocks(code, report, year).population.persons[0]


def census(code, year):
    """Known ages, 85 and over together, and the total, of men and of women."""
    by_sex = {r["sex"]: r for r in rows_of("census.csv") if (r["code"], r["year"]) == (code, year)}
    known = np.array([[int(by_sex[sex][age]) for age in AGES] for sex in "MF"])
    merged = np.column_stack([known[:, :-2], known[:, -2:].sum(axis=1)])
    return merged, np.array([int(by_sex[sex]["total"]) for sex in "MF"])


def outline_of(code, report):
    return outline.read(
        FOLDER / "outline_n03.geojson",
        code=code,
        plane_zone=TOWNS[code][0],
        name="",
        credit="ksj_n03",
        report=report,
    ).plane_geometry()[0]


def halls(code, report):
    return facilities.read(
        FOLDER / f"halls_{code}.csv",
        facility_class="hall",
        municipality=code,
        plane_zone=TOWNS[code][0],
        credit="synthetic_halls",
        base_year=2016,
        report=report,
    )


@each_town
def test_blocks_of_2015_add_up_to_the_base_of_ipss_in_every_cell(code, report):
    ipss = controls.read(FOLDER / "ipss2018.csv", code=code, name="", credit="x", report=report)
    base = ipss.persons[ipss.years.index(2015), 0]
    merged = np.column_stack([base[:, :-2], base[:, -2:].sum(axis=1)])
    assert np.array_equal(persons(code, report).sum(axis=0), merged)
    assert np.array_equal(merged.sum(axis=1), census(code, "2015")[1])
    assert not report.problems


@each_town
def test_blocks_of_2010_add_up_to_the_census_with_its_unknown_ages_spread(code, report):
    known, total = census(code, "2010")
    cells = persons(code, report, 2010).sum(axis=0)
    assert np.array_equal(cells.sum(axis=1), total)
    proportional = known * (total / known.sum(axis=1))[:, None]
    assert np.abs(cells - proportional).max() < 1
    assert not report.problems


@each_town
def test_blocks_have_sound_points_and_the_same_names_in_both_years(code, report):
    plane_zone, count, _ = TOWNS[code]
    zones, before = blocks(code, report).zones, blocks(code, report, 2010).zones
    assert zones.plane_zone == plane_zone
    assert len(set(zones.names)) == len(set(zones.ids)) == len(zones) == count
    assert (zones.ids, zones.names) == (before.ids, before.names)
    assert set(zones.frame["parent"]) == {code}
    points = zones.plane_geometry()
    assert len(np.unique(shapely.get_coordinates(points), axis=0)) == count
    assert shapely.distance(points, outline_of(code, report)).max() < METRES_OUTSIDE
    assert not report.problems


@each_town
def test_cohorts_go_on_from_2010_to_2015(code, report):
    before, after = persons(code, report, 2010), persons(code, report)
    assert before.sum(axis=(1, 2)).min() > 0
    assert after.sum(axis=(1, 2)).min() > 0
    start = before[:, :, :-1].copy()
    start[:, :, -1] += before[:, :, -1]
    assert (after[:, :, 1:][start == 0] == 0).all()
    many = start >= 10
    ratios = after[:, :, 1:][many] / start[many]
    assert 0.3 < ratios.min() < ratios.max() < 1.8
    large = before.sum(axis=(1, 2)) >= 100
    growth = after.sum(axis=(1, 2))[large] / before.sum(axis=(1, 2))[large]
    assert 0.7 < growth.min() < 0.95 < growth.max() < 1.2


@each_town
def test_halls_stand_in_their_town_in_every_class_of_age(code, report):
    found = halls(code, report)
    assert not report.problems
    assert len(found.table) == TOWNS[code][2] == len(found.located)
    assert found.table["name"].is_unique
    assert shapely.contains(outline_of(code, report), found.located.plane_geometry()).all()
    opened = found.table["opened"].to_numpy()
    assert np.isnan(opened).sum() == 1
    assert np.nanmax(opened) <= 2016
    in_service = 2015 - opened[opened <= 2015]
    assert np.histogram(in_service, [0, 15, 30, 60, 100])[0].min() >= 1


def test_halls_of_both_towns_have_ids_of_their_own(report):
    ids = [set(halls(code, report).table.index) for code in TOWNS]
    assert not ids[0] & ids[1]


def test_every_made_up_row_says_so():
    files = sorted(path.name for path in FOLDER.glob("*.csv"))
    made_up = [name for name in files if name.startswith(("synthetic_", "halls_"))]
    assert len(made_up) == 6
    for name in made_up:
        assert {row["備考"] for row in rows_of(name)} == {MARK}, name
        if name.startswith("halls_"):
            assert all(row["名称"].startswith("合成：") for row in rows_of(name))
            assert all(MARK in row["住所"] for row in rows_of(name))
    for name in set(files) - set(made_up):
        assert MARK not in (FOLDER / name).read_text(encoding="utf-8"), name


def test_the_census_of_2020_is_there_for_both_towns():
    totals = {row["code"]: int(row["total"]) for row in rows_of("census2020.csv")}
    assert totals == {"34204": 90573, "14384": 23426}
    for row in rows_of("census2020.csv"):
        known = sum(int(row[age]) for age in ("u14", "a15_64", "o65"))
        assert 0.98 < known / int(row["total"]) <= 1  # the rest is of unknown age


def test_the_project_is_right_and_credits_what_is_made_up(report):
    project = load(FOLDER, report=report)
    prepared = prepare(project, report=report, progress=lambda _: None)
    assert not report.errors
    assert "FM614" in {problem.code for problem in report.warnings}  # the hall of 2016
    assert {town.code for town in prepared.towns} == set(TOWNS)
    own = project.own_credits()
    for path, key in prepared.inputs:
        made_up = path.name.startswith(("synthetic_", "halls_"))
        assert (key in own and own[key].synthetic) == made_up, path.name
        assert not made_up or own[key].text_ja.startswith(MARK)


def test_a_town_replaces_what_is_made_up_by_one_edit_of_the_project(tmp_path):
    # the edit that the comments of the project file show: three lines and a credit
    text = (FOLDER / "project.toml").read_text(encoding="utf-8")
    for year in (2010, 2015):
        rows = (FOLDER / f"synthetic_34204_{year}.csv").read_bytes()
        (tmp_path / f"mihara_{year}10.csv").write_bytes(rows)
        old = f'file = "synthetic_34204_{year}.csv"'
        assert old in text
        text = text.replace(old, f'file = "mihara_{year}10.csv"')
    first, second = text.split('code = "14384"')
    first = first.replace('credit = "synthetic_blocks"', 'credit = "mihara_opendata"')
    head, sample = second.split("# [credit.mihara_opendata]")
    sample, rest = sample.split("\n\n", 1)
    sample = "[credit.mihara_opendata]" + sample.replace("\n# ", "\n") + "\n\n" + rest
    for path in FOLDER.iterdir():
        if path.suffix != ".toml":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "project.toml").write_text(f'{first}code = "14384"{head}{sample}', encoding="utf-8")
    report = Report()
    project = load(tmp_path, report=report)
    prepared = prepare(project, report=report, progress=lambda _: None)
    assert not report.errors
    keys = {path.name: key for path, key in prepared.inputs}
    assert keys["mihara_201510.csv"] == "mihara_opendata"
    assert not project.own_credits()["mihara_opendata"].synthetic


def test_the_page_about_the_example_names_each_file():
    page = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    for path in FOLDER.iterdir():
        assert path.name in page
