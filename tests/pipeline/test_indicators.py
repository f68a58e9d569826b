"""Indicators of a whole run: every kind of zone, own tables, classes, areas, staff and tasks."""

import json
import shutil
import time

import numpy as np
import pandas as pd
import pytest
import shapely

from futuremap.core.crosswalk import to_parents
from futuremap.pipeline import deliver, open_project, run
from futuremap.pipeline.prepare import check_project
from tests.conftest import TAKAMATSU
from tests.pipeline.test_reach import districts

PROJECT = """
[project]
name = "services"
title = "高松市"
base_year = 2023
end_year = 2053

[[municipality]]
code = "37201"
name = "高松市"
plane_zone = 4
population = [
  { year = 2018, file = "register_201811.xlsx", format = "register", credit = "takamatsu_opendata" },
  { year = 2023, file = "register_202311.xlsx", format = "register", credit = "takamatsu_opendata" },
]
outline = { file = "outline_n03.geojson", format = "n03", credit = "ksj_n03" }
control = { file = "ipss2018.csv", format = "municipal_csv", credit = "ipss2018" }
point_correction = [{ zone = "松島町３丁目", lat = 34.337316, lon = 134.069335, reason = "typo" }]

[[municipality.facilities]]
class = "middle_school"
name = "中学校"
file = "middle_school.xlsx"
credit = "takamatsu_opendata"

[[municipality.facilities]]
class = "community_center"
name = "集会所"
file = "halls.csv"
credit = "takamatsu_opendata"

[[municipality.districts]]
class = "middle_school"
file = "districts.geojson"
key = "code"
name = "name"
credit = "takamatsu_opendata"

[[reach.rule]]
class = "middle_school"
rule = "districts"

[mesh]
level = "1km"

[indicators]
month = 11

[[indicators.table]]
file = "own.csv"
credit = "takamatsu_opendata"

[[indicators.school]]
class = "middle_school"
kind = "lower_secondary"
special = 0.05

[[indicators.area]]
name = "medical_area"
title = "二次医療圏"
file = "areas.csv"
credit = "takamatsu_opendata"

[[indicators.area]]
name = "hazard"
title = "浸水想定区域"
file = "hazard.geojson"
format = "polygons"
key = "code"
label = "name"
credit = "takamatsu_opendata"

[indicators.staff]
file = "staff.csv"
need = "need.csv"
credit = "takamatsu_opendata"
hours_per_person = 1800

[indicators.tasks]
file = "tasks.csv"
credit = "takamatsu_opendata"
"""
OWN = """指標,区分,地域,性別,年齢から,年齢まで,率,単位,年,状態,出典,ライセンス
care_certified,all,37201,計,,,25445,count,2023,,高松市 0095,CC BY 4.0
households,,,男,15,,60,percent,2020,仮,例,例
households,,,女,15,,25,percent,2020,仮,例,例
dwelling_stock,,37201,計,,,220000,dwellings,2023,仮,例,例
dwelling_survival,,37201,計,,,0.995,ratio,2023,仮,例,例
dwelling_new,,37201,計,,,1000,dwellings,2023,仮,例,例
"""
STAFF = """職種,項目,性別,年齢から,年齢まで,年,値
土木,職員,計,30,30,,10
土木,職員,計,59,59,,4
土木,採用,計,25,25,,1
土木,離職,計,18,40,,0.1
土木,定年,計,,,,60
土木,定年,計,,,2030,61
"""
NEED = """業務,職種,件数のもと,件数,時間
道路,土木,,90,200
死亡,土木,deaths_per_year,1,0.1
"""
HALLS = """名称,住所,緯度,経度,供用開始年,延床面積
中央集会所,高松市,34.34,134.05,2000,500
東集会所,高松市,34.33,134.06,1990,
"""
TASKS = """業務,地域,件数のもと,件数,時間
死亡届,,deaths_per_year,1,2
認定,37201,care_certified,0.5,3
道路,,,100,10
"""


def write(folder):
    for name, text in (("project.toml", PROJECT), ("own.csv", OWN), ("staff.csv", STAFF),
                       ("need.csv", NEED), ("tasks.csv", TASKS), ("halls.csv", HALLS),
                       ("areas.csv", "code,area\n37201,東部\n")):  # fmt: skip
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("services") / "p"
    shutil.copytree(TAKAMATSU, made)
    facilities = open_project(TAKAMATSU).towns[0].facilities
    own = facilities.table["facility_class"] == "middle_school"
    points = facilities.located.frame
    districts(made / "districts.geojson", points[points.index.isin(facilities.table.index[own])])
    flood = shapely.box(134.0, 34.2, 134.05, 34.4)
    sea = shapely.box(134.9, 34.2, 134.95, 34.25)
    features = [
        {"type": "Feature", "properties": {"code": code, "name": name},
         "geometry": json.loads(shapely.to_geojson(shape))}
        for code, name, shape in (("A", "浸水", flood), ("B", "海", sea))
    ]  # fmt: skip
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::6668"}}
    (made / "hazard.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "crs": crs, "features": features})
    )
    write(made)
    return made


@pytest.fixture(scope="module")
def outcome(folder):
    return run(open_project(folder))


def table(outcome, level, variant="fixed"):
    (kept,) = outcome.indicators.of(level, variant)
    return kept.table


def column(outcome, level, name, year=2053, bound="value"):
    return table(outcome, level).column(name, year, bound)


LINEAR = ("care_certified", "inpatients", "pupils_primary", "deaths_per_year", "births_per_year",
          "nursery_children", "households_projected", "care_cost")  # fmt: skip


@pytest.mark.parametrize("name", LINEAR)
def test_blocks_meshes_districts_and_the_city_agree(outcome, name):
    city = column(outcome, "municipality", name)[0]
    for level in ("block", "mesh", "medical_area"):
        assert column(outcome, level, name).sum() == pytest.approx(city, rel=1e-9), level
    in_schools = ["middle_school" in zone for zone in table(outcome, "facility").zones]
    assert column(outcome, "facility", name)[in_schools].sum() == pytest.approx(city, rel=1e-9)


def test_intervals_hold_their_values_and_are_no_sums(outcome):
    for level in ("municipality", "block", "mesh", "facility", "medical_area", "hazard"):
        for name in ("care_certified", "pupils_primary"):
            value, low, high = (
                column(outcome, level, name, bound=bound) for bound in ("value", "low", "high")
            )
            assert (low <= value).all()
            assert (value <= high).all()
    city = [column(outcome, "municipality", "care_certified", bound=b)[0] for b in ("low", "high")]
    blocks = [column(outcome, "block", "care_certified", bound=b).sum() for b in ("low", "high")]
    assert city[1] - city[0] < 0.9 * (blocks[1] - blocks[0])


def test_the_city_is_as_uncertain_in_its_services_as_in_its_people(outcome):
    low, high = (outcome.municipal.column("population", 2053, b)[0] for b in ("low", "high"))
    value = outcome.municipal.column("population", 2053)[0]
    for name in ("care_certified", "pupils_primary"):
        of = [column(outcome, "municipality", name, bound=b)[0] for b in ("low", "value", "high")]
        assert of[0] / of[1] == pytest.approx(low / value, rel=0.03)
        assert of[2] / of[1] == pytest.approx(high / value, rel=0.03)


def test_a_block_alone_has_its_own_factors(outcome):
    blocks = column(outcome, "block", "care_certified", bound="low")
    value = column(outcome, "block", "care_certified")
    people = outcome.towns[0].blocks
    kept = value > 0
    ratio = people.column("population", 2053, "low")[kept] / people.column("population", 2053)[kept]
    # those of the people come from draws, these are exact
    assert np.allclose(blocks[kept] / value[kept], ratio, atol=0.08)


def test_the_base_year_was_counted(outcome):
    assert np.isnan(column(outcome, "municipality", "care_certified", 2023, "low")).all()
    assert np.isnan(column(outcome, "municipality", "births_per_year", 2023)).all()
    assert column(outcome, "municipality", "births_per_year", 2028)[0] > 0


def test_own_numbers_are_met(outcome):
    assert column(outcome, "municipality", "care_certified", 2023)[0] == pytest.approx(25445)
    assert outcome.indicators.provisional >= {"households_projected"}
    missing = {entry.field for entry in outcome.indicators.missing}
    assert "outpatients" in missing
    assert "households_projected" not in missing


def test_trends_stand_beside_fixed_rates(outcome):
    fixed, trend = (table(outcome, "municipality", v) for v in ("fixed", "trend"))
    held = (16.3 / 17.9) ** ((2031 - 2022) / 8)
    # both meet the observed number; after it the trend falls, and no further than 2031
    base = trend.column("care_needed", 2053)[0] / fixed.column("care_needed", 2053)[0]
    start = (16.3 / 17.9) ** ((2023 - 2022) / 8)
    assert base == pytest.approx(held / start, rel=1e-9)
    assert (
        trend.column("ambulance_transports", 2053)[0]
        > fixed.column("ambulance_transports", 2053)[0]
    )
    assert "inpatients" not in trend.indicators


def test_vacancies_are_dwellings_less_households(outcome):
    one = {
        n: column(outcome, "municipality", n)[0]
        for n in ("dwellings", "households_projected", "vacant_houses")
    }
    kept = 0.995**30
    assert one["dwellings"] == pytest.approx(220_000 * kept + 1000 * (1 - kept) / 0.005)
    assert one["vacant_houses"] == pytest.approx(one["dwellings"] - one["households_projected"])


def test_areas_count_by_code_and_by_overlap(outcome):
    everybody = column(outcome, "municipality", "inpatients")[0]
    assert column(outcome, "medical_area", "inpatients")[0] == pytest.approx(everybody)
    inside = column(outcome, "hazard", "population", 2023)[0]
    town = outcome.towns[0]
    box = shapely.box(134.0, 34.2, 134.05, 34.4)
    share = [shapely.intersection(s, box).area / s.area for s in town.town.blocks.geometry]
    assert inside == pytest.approx(np.dot(share, town.people.totals()[0]), rel=1e-4)
    assert 0 < inside < town.people.totals()[0].sum()
    # nobody lives in the second area, and that is said
    assert column(outcome, "hazard", "population", 2023)[1] == 0
    assert [p.value for p in outcome.prepared.report.problems if p.code == "FM824"] == ["B"]


def test_classes_of_districts(outcome):
    schools = list(outcome.indicators.of("school"))
    assert len(schools) == 1
    found = schools[0].table
    expected, plain = (found.column(n, 2053) for n in ("classes_expected", "classes_plug_in"))
    assert all("middle_school" in zone for zone in found.zones)
    assert len(expected) == len(outcome.towns[0].reach.zones) - 2  # two are halls
    assert expected.sum() == pytest.approx(column(outcome, "municipality", "classes_expected")[0])
    assert abs(expected.sum() / plain.sum() - 1) < 0.15
    assert (found.column("classes_expected", 2053, "low") <= expected + 0.5).all()
    # of pupils: about one class for each 25 to 40
    pupils = column(outcome, "municipality", "pupils_lower_secondary")
    assert 20 < pupils.sum() / expected.sum() < 40


def test_staff_run_through_the_kernel(outcome):
    staff = outcome.indicators.work.staff
    assert staff.years == tuple(range(2023, 2054))
    # ten of 30 of whom a tenth leave a year until 40, four of 59 who retire at 60 at once
    assert staff.column("staff", 2023)[0] == 14
    assert staff.column("staff", 2024)[0] == pytest.approx(10 * 0.9 + 1)
    assert staff.column("staff", 2025)[0] == pytest.approx(10 * 0.81 + 1 + 0.9)
    deaths = column(outcome, "municipality", "deaths_per_year", 2028)[0]
    assert staff.column("staff_needed", 2028)[0] == pytest.approx((90 * 200 + 0.1 * deaths) / 1800)
    gap = staff.column("staff", 2028)[0] - staff.column("staff_needed", 2028)[0]
    assert staff.column("staff_gap", 2028)[0] == pytest.approx(gap)


def test_renewal_of_halls(outcome):
    cost = outcome.indicators.renewal
    first, second = (z for z in cost.zones if "community" in z)
    # 500 m2 of 2000: a repair of 250,000 yen/m2 in 2030, a rebuilding of 400,000 in 2060
    repair = cost.frame("repair_cost")[first]
    assert repair[2033] == pytest.approx(500 * 250_000)
    assert cost.frame("renewal_cost")[first].sum() == pytest.approx(500 * 250_000)
    assert cost.frame("renewal_cost")[second].isna().any()  # the floor area is not known


def test_hours_of_tasks(outcome):
    hours = outcome.indicators.work.hours.set_index(["task", "year"])["workload_hours"]
    assert hours["死亡届", 2053] == pytest.approx(
        2 * column(outcome, "municipality", "deaths_per_year")[0]
    )
    assert hours["認定", 2053] == pytest.approx(
        1.5 * column(outcome, "municipality", "care_certified")[0]
    )
    assert hours["道路", 2023] == hours["道路", 2053] == 1000


def test_weighing_all_blocks_takes_less_than_five_seconds(outcome):
    from futuremap.pipeline.weighing import weigh_all

    prepared = outcome.prepared
    setting = prepared.project.indicators.model_copy(
        update={"on": ["block", "municipality"], "school": []}
    )
    only = prepared.project.model_copy(update={"indicators": setting})
    spread = outcome_spread(outcome)
    start = time.process_time()
    weigh_all(
        prepared._replace(project=only),
        outcome.towns,
        people=outcome.projection.population,
        flows=outcome.projection.flows,
        spread=spread,
    )
    assert time.process_time() - start < 5


def outcome_spread(outcome):
    from futuremap.pipeline.uncertainty import uncertainty

    people = outcome.projection.population
    return uncertainty(people, ["37201"] * len(people.zones), seed=1)


def test_tables_are_written_with_variant_and_provisional(outcome, tmp_path):
    folder = deliver(outcome, tmp_path) / "data"
    long = pd.read_csv(
        folder / "indicators.csv", encoding="utf-8-sig", dtype={"区域コード": str, "仮": str}
    )
    assert set(long["区域の種類"]) == {
        "市区町村",
        "町丁・字",
        "学校区",
        "二次医療圏",
        "浸水想定区域",
    }
    assert set(long["率の種類"]) == {"固定", "傾向"}
    marked = long[long["仮"] == "仮"]["指標（英名）"]
    assert set(marked) == {"households_projected", "dwellings", "vacant_houses"}
    for name in ("indicators_mesh", "indicators_facility", "staff", "workload", "renewal"):
        assert (folder / f"{name}.parquet").is_file()
    mesh = pd.read_parquet(folder / "indicators_mesh.parquet")
    assert sorted(mesh["year"].unique()) == [2023, 2053]
    page = (folder.parent / "README.html").read_text(encoding="utf-8")
    assert "【仮】" in page
    assert "患者調査" in page
    manifest = json.loads((folder.parent / "manifest.json").read_text(encoding="utf-8"))
    assert any(
        "患者調査" in json.dumps(credit, ensure_ascii=False) for credit in manifest["credits"]
    )


BROKEN = {
    "a school without districts": (
        "project.toml", 'class = "middle_school"\nkind', 'class = "primary_school"\nkind', "FM820",
    ),
    "a municipality of no area": ("areas.csv", "37201", "37202", "FM823"),
    "percent for ratio": ("own.csv", "60,percent", "60,ratio", "FM805"),
    "a task whose driver nobody knows": ("tasks.csv", "care_certified", "certified", "FM826"),
    "a task whose driver has no rates": ("tasks.csv", "care_certified", "outpatients", "FM827"),
    "staff of no known item": ("staff.csv", "採用", "異動", "FM825"),
    "staff who all leave and more": ("staff.csv", ",0.1", ",10", "FM805"),
    "an observed number of a prefecture": ("own.csv", "37201,計,,,25445", "37,計,,,25445", "FM817"),
    "an indicator to keep that nobody knows": (
        "project.toml", "month = 11", 'month = 11\nonly = ["inpatient"]', "FM801",
    ),
    "a credit that nobody knows": (
        "project.toml", 'file = "own.csv"\ncredit = "takamatsu_opendata"',
        'file = "own.csv"\ncredit = "mine"', "FM008",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "code"), BROKEN.values(), ids=BROKEN)
def test_bad_input_is_refused_with_its_place(folder, tmp_path, file, old, new, code):
    copy = shutil.copytree(folder, tmp_path / "p")
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new), encoding="utf-8")
    report = check_project(copy)
    found = [problem for problem in report.problems if problem.code == code]
    assert found, list(report.lines())
    assert all(problem.file and problem.severity == "error" for problem in found)


def test_nothing_is_weighed_where_the_project_wants_nothing(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "p")
    text = (copy / "project.toml").read_text(encoding="utf-8")
    plain = text.partition("[indicators]")[0] + "[indicators]\nrun = false\n"
    (copy / "project.toml").write_text(plain, encoding="utf-8")
    assert run(open_project(copy)).indicators is None


def test_the_walk_of_the_city_counts_every_block_once(outcome):
    people = outcome.projection.population
    assert to_parents(people.zones, ["37201"] * len(people.zones)).conserves()
