"""A small world by hand: overlap, the border between plane zones, costs, supply per person."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from futuremap.catchment.stand import stand_on
from futuremap.config.model import Project
from futuremap.core.ages import AgeGroups
from futuremap.core.facilities import Facilities
from futuremap.core.layer import Text
from futuremap.core.population import Population, join_zones
from futuremap.core.zones import Zones, plane_epsg
from futuremap.pipeline.prepare import Prepared, Town
from futuremap.pipeline.read_reach import ReachInputs, check_rules
from futuremap.pipeline.town_reach import in_reach
from futuremap.problems import Report

YEARS = (2020, 2025, 2030, 2050)
AGES = AgeGroups((0, 15, 65, 75))
HALLS = {  # id: place in the plane of zone 3 [m], opened, floor area, capacity
    "alone": ((530, 1020), 1990.0, 1000.0, 10.0),
    "one": ((1500, 1000), 1975.0, 500.0, 20.0),
    "border": ((1900, 1000), np.nan, 500.0, 30.0),
    "island": ((40_000, 60_000), 2000.0, np.nan, 5.0),
    "unknown": (None, 2000.0, 100.0, 5.0),
}
R = 300.0
SIDE = 2000.0  # of each town [m]
PER_KM2 = 1000.0


def degrees(shapes):
    return gpd.GeoSeries(shapes, crs=plane_epsg(3)).to_crs(6668).to_numpy()


def town(code, west, plane, facilities=None):
    shapes = degrees([shapely.box(west, 0, west + SIDE, SIDE)])
    outline, blocks = (
        Zones.build([name], shapes, names=[code], parents=[code], kind=kind, plane_zone=plane)
        for name, kind in ((code, "municipality"), (f"{code}-1", "town_block"))
    )
    cube = np.full((len(YEARS), 1, 2, 4), PER_KM2 * (SIDE / 1000) ** 2 / 8)
    cube *= np.array([1, 1, 1, 0.5])[:, None, None, None]
    people = Population.build(cube, years=YEARS, zones=blocks.ids, ages=AGES)
    classes = {} if facilities is None else {"hall": "会館"}
    return Town(code, Text(code, code), outline, blocks, people, people, people, None, "level",
                None, facilities, classes)  # fmt: skip


def halls():
    table = pd.DataFrame(
        [
            {"name": name, "facility_class": "hall", "address": "", "opened": opened,
             "parent": "34204", "floor_area": area, "capacity": room}
            for name, (_, opened, area, room) in HALLS.items()
        ],
        index=list(HALLS),
    )  # fmt: skip
    placed = [name for name, (at, *_) in HALLS.items() if at is not None]
    points = degrees([shapely.Point(HALLS[name][0]) for name in placed])
    located = Zones.build(placed, points, names=placed, parents=["34204"] * len(placed),
                          kind="facility", plane_zone=3)  # fmt: skip
    none = pd.DataFrame({"facility": [], "year": [], "event": []})
    return Facilities(table, located, none)


def world(rule, facilities=()):
    file, credit = "x.csv", "ipss2018"
    entries = [
        {
            "code": code,
            "name": code,
            "plane_zone": plane,
            "population": [{"year": 2020, "file": file, "credit": credit}],
            "outline": {"file": file, "credit": credit},
            "facilities": list(facilities),
        }
        for code, plane in (("34204", 3), ("33207", 5))
    ]
    said = {"class": "hall", "radius_m": R, **rule}
    said = {key: value for key, value in said.items() if value is not None}
    return Project.model_validate(
        {
            "project": {"name": "w", "title": "w", "base_year": 2020, "end_year": 2050},
            "municipality": entries,
            "reach": {"rule": [said]},
        }
    )


def served(rule, *, neighbour=True, some=None):
    towns = [town("34204", 0, 3, halls() if some is None else some)]
    towns += [town("33207", SIDE, 5)] if neighbour else []
    people = join_zones([one.base for one in towns])
    return in_reach(Prepared(world(rule), tuple(towns), (), Report()), towns[0], people)


def column(found, name, year=2020):
    return dict(zip(found.table.zones, found.table.column(name, year).tolist(), strict=True))


@pytest.fixture(scope="module")
def both():
    cost = {"life_years": 60, "rebuild_cost": 400_000.0, "repair_cost": 250_000.0}
    return served({**cost, "accessibility": {"supply": "capacity"}})


def test_whole_circles_count_on_both_sides_of_the_border(both):
    disc = np.pi * (R / 1000) ** 2 * PER_KM2
    people = column(both, "people_in_reach")
    for name in ("alone", "one", "border"):
        assert people[name] == pytest.approx(disc, rel=1e-3)  # the neighbour's plane is another
    assert people["island"] == 0
    ours, theirs = (column(both, f"reach_in_{side}") for side in ("town", "neighbours"))
    # a chord at 100 m from the middle cuts a third off the circle
    angle = 2 * np.arccos(100 / R)
    beyond = (angle - np.sin(angle)) / (2 * np.pi)
    assert theirs["border"] / people["border"] == pytest.approx(beyond, rel=1e-3)
    np.testing.assert_allclose(
        [ours[name] + theirs[name] for name in people], list(people.values()), rtol=1e-12
    )
    assert column(both, "reach_outside_share")["border"] == pytest.approx(beyond, rel=1e-3)
    assert column(both, "reach_missing_share")["border"] == pytest.approx(0, abs=1e-6)
    assert column(both, "reach_missing_share")["island"] == 1


def test_without_the_neighbour_its_share_is_missing(both):
    alone = served({}, neighbour=False)
    assert "reach_in_neighbours" not in alone.table.indicators
    share = column(alone, "reach_outside_share")["border"]
    assert share == pytest.approx(column(both, "reach_outside_share")["border"])
    kept = column(alone, "people_in_reach")["border"] / column(both, "people_in_reach")["border"]
    assert kept == pytest.approx(1 - share, rel=1e-3)


def test_who_has_a_choice(both):
    shared = column(both, "reach_shared_share")
    assert shared["alone"] == 0
    assert np.isnan(shared["island"])
    # two circles of 300 m, 400 m apart
    lens = (
        2 * np.arccos(400 / (2 * R)) / np.pi - 400 * np.sqrt(4 * R**2 - 400**2) / 2 / np.pi / R**2
    )
    assert shared["one"] == pytest.approx(lens, abs=0.06)  # on points 100 m apart
    only = column(both, "people_only_here")
    people = column(both, "people_in_reach")
    assert only["alone"] == people["alone"]
    assert only["island"] == 0
    assert only["one"] == pytest.approx(people["one"] * (1 - shared["one"]))


def test_coverage_on_cells_is_near_the_exact_one(both):
    (zone,) = both.access.zones
    assert zone == "34204/hall"
    exact, cells = (
        both.access.column(name, 2020)[0] for name in ("coverage_rate", "walking_coverage_rate")
    )
    assert cells == pytest.approx(exact, rel=0.12)


def test_costs_fall_due_at_half_and_at_the_end_of_life(both):
    cycle = both.life_cycle
    assert cycle.zones == tuple(HALLS)
    repair, rebuild = (cycle.frame(f"{kind}_cost") for kind in ("repair", "rebuild"))
    # opened 1990: half its life in 2020, its end in 2050; 1,000 m²
    assert repair["alone"].tolist() == [2.5e8, 0, 0, 0]
    assert rebuild["alone"].tolist() == [0, 0, 0, 4e8]
    # opened 1975: half in 2005, before the first year, and its end in 2035
    assert repair["one"].tolist() == [1.25e8, 0, 0, 0]
    assert rebuild["one"].tolist() == [0, 0, 0, 2e8]
    assert repair["border"].isna().all()  # no opening year
    assert rebuild["island"].tolist()[:3] == [0, 0, 0]  # nothing falls due
    assert repair["island"].isna().any()  # no floor area when it does
    assert rebuild["unknown"].notna().all()  # a list needs no coordinates to count costs
    total = both.access.frame("renewal_cost")["34204/hall"]
    known = (repair + rebuild).fillna(0).sum(axis=1)
    np.testing.assert_allclose(total, known)
    assert both.access.column("cost_unknown", 2020)[0] == 1
    assert cycle.frame("people_in_reach")["unknown"].isna().all()
    assert (cycle.frame("people_in_reach")["island"] == 0).all()


def test_what_is_shared_out_is_what_there_is(both):
    found = both.accessibility
    assert found.zones == ("34204-1/hall",)
    people = PER_KM2 * 4
    for year, share in ((2020, 1), (2050, 0.5)):
        per_head = found.column("accessibility", year)[0]
        # the halls in reach share 60 places; a part of those of the border goes to the neighbour
        assert 50 < per_head * people * share < 60
        town_wide = both.access.column("accessibility", year)[0]
        assert town_wide == pytest.approx(per_head)


def test_rings_weigh_nearer_people_more():
    plain, rings = (
        served({"accessibility": given}).accessibility.column("accessibility", 2020)[0]
        for given in (
            {"supply": "count", "limits": [R], "weights": [1.0]},
            {"supply": "count", "limits": [100.0, R], "weights": [1.0, 0.2]},
        )
    )
    # whatever the weights, three halls are shared by all who reach them
    assert plain * 4000 == pytest.approx(3, rel=0.12)
    assert rings * 4000 == pytest.approx(3, rel=0.12)
    assert rings > plain  # the middle of the hall at the border is this town's


def test_nothing_is_told_that_was_not_asked():
    found = served({})
    assert found.accessibility is None
    assert "renewal_cost" not in found.table.indicators
    assert np.isnan(found.access.column("renewal_cost", 2020)).all()


def checked(rule, *, event=None):
    some = halls()
    if event is not None:
        planned = pd.DataFrame({"facility": ["one"], "year": [2030], "event": [event]})
        some = Facilities(some.table, some.located, planned)
    report = Report()
    given = {"class": "hall", "name": "会館", "file": "halls.csv", "credit": "ipss2018"}
    check_rules(world(rule, [given]), 0, some, ReachInputs(), ages=AGES, report=report)
    return {one.code: one for one in report.problems}


def test_a_supply_that_nobody_knows_is_refused():
    asked = {"accessibility": {"supply": "floor_area"}}
    (problem,) = checked(asked).values()
    assert (problem.code, problem.value, problem.file) == ("FM675", "island", "halls.csv")
    assert not checked({"accessibility": {"supply": "floor_area", "unknown": 0.0}})
    assert not checked({"accessibility": {"supply": "capacity"}})
    assert not checked({"accessibility": {"supply": "count"}})


def test_lives_and_extensions_that_are_not_known_are_told():
    assert set(checked({"preset": "hall"})) == {"FM645"}  # its preset has a target, no legal life
    assert not checked({"preset": "hall", "life": "target"})
    known = {"life_years": 50}
    assert set(checked(known, event="renew")) == {"FM678"}
    assert not checked({**known, "extension_years": 20}, event="renew")
    assert not checked(known, event="rebuild")


def test_seats_are_filled_by_those_whom_a_class_serves():
    everybody, children = (
        served({"rule": "capacity", "radius_m": None, **ages}, neighbour=False).access
        for ages in ({}, {"age_to": 14})
    )
    room = 10 + 20 + 30  # nobody goes as far as the island
    rate = everybody.column("coverage_rate", 2020)[0]
    assert rate == pytest.approx(room / 4000)
    assert children.column("coverage_rate", 2020)[0] == pytest.approx(room / 1000)


def test_a_renewal_makes_the_life_longer():
    some = halls()
    planned = pd.DataFrame({"facility": ["one"], "year": [2030], "event": ["renew"]})
    some = Facilities(some.table, some.located, planned)
    found = served({"life_years": 60, "extension_years": 20}, some=some)
    left = found.life_cycle.frame("life_left")["one"]
    assert left.tolist() == [15, 10, 25, 5]


@pytest.mark.parametrize("neighbour", [False, True])
def test_where_people_live_counts_with_and_without_a_neighbour(neighbour):
    # all of the town live in one house, 100 m from a hall; the neighbour's stand all over it
    towns = [town("34204", 0, 3, halls()), *([town("33207", SIDE, 5)] if neighbour else [])]
    house = degrees([shapely.Point(1500, 1100)])
    standing = stand_on(
        towns[0].blocks,
        longitude=shapely.get_x(house),
        latitude=shapely.get_y(house),
        weight=np.ones(1),
        sources=["ipss2018"],
    )
    towns[0] = towns[0]._replace(standing=standing)
    people = join_zones([one.base for one in towns])
    found = in_reach(Prepared(world({}), tuple(towns), (), Report()), towns[0], people)
    reached = column(found, "people_in_reach")
    assert reached["one"] == pytest.approx(4000)
    assert reached["alone"] == 0
    disc = np.pi * (R / 1000) ** 2 * PER_KM2
    assert (0 < reached["border"] < disc / 2) if neighbour else reached["border"] == 0
    assert found.access.column("coverage_rate", 2020)[0] == pytest.approx(1)
