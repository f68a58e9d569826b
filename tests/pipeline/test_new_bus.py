"""A scenario's bus: along the roads, from its year on, for the classes that go by bus alone."""

import shutil

import numpy as np
import pytest
import shapely

from futuremap.catchment.bus import along_roads
from futuremap.config.scenario import Scenario
from futuremap.core.zones import Zones
from futuremap.pipeline import open_project, run
from futuremap.pipeline.prepare import check_project
from futuremap.pipeline.scenarios import play
from futuremap.sources import graph
from tests.conftest import TAKAMATSU
from tests.pipeline.test_reach import STEP, graphml

ROADS = """
[municipality.roads]
file = "roads.graphml"
credit = "osm"

[[reach.rule]]
class = "community_center"
rule = "walk"
minutes = 15
"""
# along the grid, through the middle of the city and out to its south
STOPS = [[34.3425, 134.0475], [34.3225, 134.0475], [34.3025, 134.0525], [34.2725, 134.0525]]
OFTEN = [[34.3425 - STEP * 2 * i, 134.0475] for i in range(15)]
LINE = {"name": "南北線", "stops": OFTEN, "speed_kmh": 18.0, "wait_minutes": 3.0}
BY_BUS = {"class": "community_center", "rule": "bus", "minutes": 15.0, "from_year": 2035}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("bus") / "p"
    shutil.copytree(TAKAMATSU, made)
    graphml(made / "roads.graphml", kind="residential")
    file = made / "project.toml"
    file.write_text(file.read_text(encoding="utf-8") + ROADS, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def baseline(folder):
    return run(open_project(folder))


def played(baseline, **said):
    setting = Scenario.model_validate({"name": "新しいバス", **said})
    return play(baseline, "bus", setting).outcome


def of_centres(outcome):
    town = outcome.towns[0]
    table = town.town.facilities.table
    ids = [i for i in town.reach.zones.ids if table.loc[i, "facility_class"] == "community_center"]
    return town.reach.people.only(ids).totals()


def test_a_bus_brings_more_people_from_its_year_on(baseline):
    found = played(baseline, bus=[LINE], reach=[BY_BUS])
    before, after = of_centres(baseline), of_centres(found)
    years = np.array(baseline.municipal.years)
    assert np.array_equal(after[years < 2035], before[years < 2035])
    # nobody is farther away than on foot, and along the line many come nearer
    assert (after[years >= 2035] >= before[years >= 2035] - 1e-9).all()
    assert (after[-1] > 1.05 * before[-1]).sum() >= 4
    assert (after[-1] > 1.5 * before[-1]).any()
    late = played(baseline, bus=[{**LINE, "from_year": 2045}], reach=[BY_BUS])
    assert np.array_equal(of_centres(late)[years < 2045], before[years < 2045])
    assert np.array_equal(of_centres(late)[years >= 2045], after[years >= 2045])


def test_classes_that_do_not_go_by_bus_are_the_baseline_to_the_bit(baseline):
    found = played(baseline, bus=[LINE], reach=[BY_BUS])
    one, like = found.towns[0].reach, baseline.towns[0].reach
    table = found.towns[0].town.facilities.table
    other = [i for i in one.zones.ids if table.loc[i, "facility_class"] != "community_center"]
    assert np.array_equal(one.people.only(other).persons, like.people.only(other).persons)
    assert found.projection is baseline.projection
    kept = {key for key in like.memory.states if key[0] != "bus"}
    assert all(one.memory.states[key] is like.memory.states[key] for key in kept)


def test_another_rule_alone_holds_from_its_year_on(baseline):
    nearest = {"class": "community_center", "rule": "nearest", "from_year": 2040}
    years = np.array(baseline.municipal.years)
    found = of_centres(played(baseline, reach=[nearest]))
    assert np.array_equal(found[years < 2040], of_centres(baseline)[years < 2040])
    city = baseline.projection.population.totals().sum(axis=1)
    np.testing.assert_allclose(found[years >= 2040].sum(axis=1), city[years >= 2040], rtol=1e-9)


def test_the_line_takes_the_shortest_way_by_road(folder):
    from futuremap.problems import Report

    roads = graph.read(folder / "roads.graphml", credit="osm", report=Report())
    points = shapely.points([x for _, x in STOPS], [y for y, _ in STOPS])
    stops = Zones.build(list("abcd"), points, names=list("abcd"), parents=["37201"] * 4,
                        kind="place", plane_zone=4)  # fmt: skip
    there = along_roads(roads, stops, back=False)
    both = along_roads(roads, stops)
    assert there.broken == ()
    assert both.network.length.sum() == pytest.approx(2 * there.network.length.sum())
    # a grid: as long as the way north to south and that from west to east
    north, east = (34.3425 - 34.2725) / STEP, (134.0525 - 134.0475) / STEP
    assert len(there.network.length) == pytest.approx(north + east, abs=4)
    assert (there.distance < 100).all()


BAD = [
    ("FM875", {}, ""),
    ("FM876", {"stops": [[34.3425, 134.0475], [34.90, 134.0475]]}, "2番目"),
    ("FM841", {"municipality": "37202"}, "37201"),
    ("FM843", {"from_year": 2023}, "2024"),
]


@pytest.mark.parametrize(("code", "changes", "shown"), BAD)
def test_a_line_that_cannot_run_is_refused_with_its_place(folder, tmp_path, code, changes, shown):
    made = tmp_path / "p"
    shutil.copytree(folder, made)
    line = {**LINE, **changes}
    rule = '[[scenario.x.reach]]\nclass = "community_center"\nrule = "bus"\nminutes = 15\n'
    text = [f"{key} = {value!r}" for key, value in line.items()]
    said = "\n".join(["", '[scenario.x]\nname = "バス"', "[[scenario.x.bus]]", *text, ""])
    file = made / "project.toml"
    good = file.read_text(encoding="utf-8")
    file.write_text(good + said + ("" if code == "FM875" else rule), encoding="utf-8")
    found = [one for one in check_project(made).errors if one.code == code]
    assert found, check_project(made).errors
    assert found[0].line is not None
    assert found[0].line > good.count("\n")
    words = "".join(found[0].text(part) for part in ("title", "expected", "fix"))
    assert shown in words


def test_a_town_without_roads_has_no_new_bus(tmp_path):
    made = tmp_path / "p"
    shutil.copytree(TAKAMATSU, made)
    file = made / "project.toml"
    said = f'\n[scenario.x]\nname = "バス"\n[[scenario.x.bus]]\nstops = {STOPS}\nspeed_kmh = 15\n'
    file.write_text(
        file.read_text(encoding="utf-8") + said + "wait_minutes = 5\n", encoding="utf-8"
    )
    assert {"FM670", "FM875"} <= {one.code for one in check_project(made).errors}
