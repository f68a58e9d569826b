"""Other projections beside ours, and meshes of 国土数値情報 as totals."""

import pytest

from futuremap.errors import InputRefused
from futuremap.pipeline import deliver, open_project, run
from tests.sources import test_ksj_mesh as ksj

from .official import AGES, AREAS, CODE, ipss_workbook, municipal, utashinai

RIVAL = """
[[municipality.rival]]
name = "{name}"
file = "{file}"
format = "{format}"
credit = "ksj_mesh_projection"
"""
CONTROL = """
[municipality.control]
file = "mesh.geojson"
format = "ksj_mesh"
credit = "ksj_mesh_projection"
"""


def meshes(path, *, code=CODE, years=(2020, 2025)):
    """Eight meshes of 2018, made up; the last is of another town."""
    rows = ksj.records(2018, years=years)
    for row in rows:
        row["SHICODE"] = int(code) if row["SHICODE"] == int(ksj.TOWN) else row["SHICODE"]
    ksj.write(path, rows)
    return {y: sum(row[f"PTN_{y}"] for row in rows[:7]) for y in years}


def found(report, code):
    return [problem for problem in report.problems if problem.code == code]


def refused(folder):
    with pytest.raises(InputRefused) as caught:
        open_project(folder)
    return caught.value.report


def test_rivals_stand_beside_ours_in_every_year(tmp_path):
    tables = (
        RIVAL.format(name="社人研", file="01.xlsx", format="ipss_workbook"),
        RIVAL.format(name="メッシュ", file="mesh.geojson", format="ksj_mesh"),
        RIVAL.format(name="社人研 CSV", file="ipss2018.csv", format="municipal_csv"),
    )
    folder = utashinai(tmp_path / "p", AREAS, AGES, *tables)
    ipss_workbook(folder / "01.xlsx")
    sums = meshes(folder / "mesh.geojson")
    outcome = run(open_project(folder))
    rows = outcome.rivals[CODE]
    assert [(row.name, row.year) for row in rows] == [
        (name, year) for name in ("社人研", "メッシュ", "社人研 CSV") for year in (2020, 2025)
    ]
    ours = outcome.towns[0].people.totals().sum(axis=1)
    for row in rows:
        expected = (
            sums[row.year] if row.name == "メッシュ" else municipal("ipss2018.csv", row.year).sum()
        )
        assert row.counted == pytest.approx(expected)
        assert row.projected == pytest.approx(ours[(row.year - 2015) // 5])
    assert "社人研" in rows[0].text.ja
    assert "社人研" in rows[0].text.en
    assert outcome.checks == {}
    assert outcome.prepared.towns[0].controls is None  # a rival binds nothing
    unverified = {problem.file for problem in found(outcome.prepared.report, "FM010")}
    assert {"mesh.geojson", "01.xlsx"} <= unverified
    page = (deliver(outcome, tmp_path / "out") / "README.html").read_text(encoding="utf-8")
    assert rows[0].text.ja in page
    manifest = (tmp_path / "out" / "utashinai" / "manifest.json").read_text(encoding="utf-8")
    assert "mesh.geojson" in manifest


def test_a_rival_of_other_years_is_said_with_its_line(tmp_path):
    table = RIVAL.format(name="古い", file="mesh.geojson", format="ksj_mesh")
    folder = utashinai(tmp_path / "p", AREAS, AGES, table)
    meshes(folder / "mesh.geojson", years=(2035, 2040))
    prepared = open_project(folder)
    (problem,) = found(prepared.report, "FM467")
    text = (folder / "project.toml").read_text(encoding="utf-8").splitlines()
    assert text[problem.line - 1] == 'file = "mesh.geojson"'
    assert run(prepared).rivals == {}


def test_years_between_those_of_a_rival_are_said_to_be_interpolated(tmp_path):
    table = RIVAL.format(name="国", file="mesh.geojson", format="ksj_mesh")
    folder = utashinai(tmp_path / "p", AREAS, AGES, table)
    sums = meshes(folder / "mesh.geojson", years=(2015, 2025))
    between, last = run(open_project(folder)).rivals[CODE]
    assert (between.name, last.name) == ("国（直線補間）", "国")
    assert between.counted == pytest.approx((sums[2015] + sums[2025]) / 2)


def test_meshes_of_the_town_are_its_control(tmp_path):
    folder = utashinai(tmp_path / "p", AREAS, AGES, CONTROL)
    sums = meshes(folder / "mesh.geojson")
    outcome = run(open_project(folder))
    people = outcome.towns[0].people.totals().sum(axis=1)
    assert people[1:] == pytest.approx([sums[2020], sums[2025]], rel=1e-9)


def test_meshes_of_another_town_or_without_its_code_are_refused(tmp_path):
    folder = utashinai(tmp_path / "p", AREAS, AGES, CONTROL)
    meshes(folder / "mesh.geojson", code="34207")
    (problem,) = refused(folder).errors
    assert (problem.code, problem.file, problem.value) == ("FM431", "mesh.geojson", CODE)
    rows = ksj.records(2018, years=(2020, 2025))
    for row in rows:
        del row["SHICODE"]
    ksj.write(folder / "mesh.geojson", rows)
    (problem,) = refused(folder).errors
    assert (problem.code, problem.file) == ("FM452", "mesh.geojson")
    assert "SHICODE" in problem.text("expected")
