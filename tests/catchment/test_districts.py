"""Areas in districts and districts to their facilities, by hand and on 焼津市."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from futuremap.catchment.districts import (
    by_districts,
    check_districts,
    facility_of_district,
)
from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import compose, gather
from futuremap.core.facilities import Facilities
from futuremap.core.population import Population
from futuremap.core.zones import Zones
from futuremap.errors import CrsError, LabelError
from futuremap.problems import Report
from futuremap.sources import districts as reader
from futuremap.sources.vector import Town

CLIPS = Path(__file__).resolve().parents[2] / "fixtures" / "geo" / "clips" / "yaizu"
WEST, SOUTH, STEP = 138.25, 34.80, 0.01


def box(west, south, east, north):
    """In steps from the south-western corner; sides in quarters, which stay alike in the plane."""
    corners = WEST + west * STEP, SOUTH + south * STEP, WEST + east * STEP, SOUTH + north * STEP
    return shapely.segmentize(shapely.box(*corners), STEP / 4 * (1 + 1e-9))


def zones(shapes, *, names=None, kind="town_block", prefix="b", plane_zone=8, parents=None):
    ids = [f"{prefix}{i}" for i in range(len(shapes))]
    return Zones.build(
        ids, shapes, names=names or ids, parents=parents or ["22212"] * len(ids), kind=kind,
        plane_zone=plane_zone, sources=[prefix],
    )  # fmt: skip


def districts(shapes, names=None, parents=None):
    return zones(shapes, names=names, kind="district", prefix="d", parents=parents)


def schools(names, points=None, *, capacity=None, parents=None):
    count = len(names)
    points = points or [(0.5, 0.5)] * count
    located = zones(
        [shapely.Point(WEST + x * STEP, SOUTH + y * STEP) for x, y in points],
        names=names, kind="facility", prefix="s", parents=parents,
    )  # fmt: skip
    table = pd.DataFrame(
        {"name": names, "facility_class": "school", "address": "", "opened": np.nan,
         "parent": located.frame["parent"].to_numpy()},
        index=list(located.ids),
    )  # fmt: skip
    if capacity is not None:
        table["capacity"] = np.asarray(capacity, dtype=float)
    none = pd.DataFrame({"facility": [], "year": [], "event": []})
    return Facilities(table, located, none)


def columns(walk):
    return np.asarray(walk.weights.sum(axis=0)).ravel()


def test_areas_inside_across_and_outside():
    two = districts([box(0, 0, 1, 1), box(1, 0, 3, 1)])
    areas = zones([box(0, 0, 1, 1), box(0.5, 0, 1.5, 1), box(2, 0, 4, 1), box(5, 5, 6, 6)])
    found = by_districts(two, areas)
    expected = [[1, 0.5, 0, 0], [0, 0.5, 0.5, 0]]
    assert found.walk.weights.toarray() == pytest.approx(np.array(expected), abs=1e-4)
    assert found.outside == pytest.approx([0, 0, 0.5, 1], abs=1e-4)
    assert found.outside[[0, 1]].tolist() == [0, 0]
    assert columns(found.walk) + found.outside == pytest.approx(1, abs=1e-14)
    assert found.shared.tolist() == [0] * 4
    assert found.walk.credits == ("b", "d")


def test_ground_that_several_claim_counts_once():
    three = districts([box(0, 0, 2, 1), box(1, 0, 3, 1), box(1.5, 0, 2, 1), box(7, 0, 8, 1)])
    areas = zones([box(0, 0, 1, 1), box(1, 0, 2, 1), box(2, 0, 4, 1)])
    found = by_districts(three, areas)
    expected = [
        [1, 0.5 / 2 + 0.5 / 3, 0],
        [0, 0.5 / 2 + 0.5 / 3, 0.5],
        [0, 0.5 / 3, 0],
        [0, 0, 0],
    ]
    assert found.walk.weights.toarray() == pytest.approx(np.array(expected), abs=1e-4)
    assert found.shared == pytest.approx([0, 1, 0], abs=1e-6)
    assert columns(found.walk) + found.outside == pytest.approx(1, abs=1e-12)


def test_a_hole_and_an_island():
    ring = box(0, 0, 3, 3).difference(box(1, 1, 2, 2))
    found = by_districts(
        districts([shapely.MultiPolygon([ring, box(5, 0, 6, 1)])]),
        zones([box(1, 1, 2, 2), box(0, 1, 2, 2), box(5, 0, 6, 1)]),
    )
    assert found.walk.weights.toarray()[0] == pytest.approx([0, 0.5, 1], abs=1e-4)


def test_order_changes_nothing():
    rng = np.random.default_rng(3)
    corners = rng.uniform(0, 4, (6, 2))
    claims = [box(x, y, x + 2, y + 2) for x, y in corners]  # overlapping in many ways
    grid = [box(x, y, x + 1, y + 1) for x in range(6) for y in range(6)]
    one = by_districts(districts(claims), zones(grid))
    mixed = rng.permutation(6)
    other = by_districts(districts([claims[i] for i in mixed]), zones(grid[::-1]))
    assert other.walk.weights.toarray() == pytest.approx(
        one.walk.weights.toarray()[mixed][:, ::-1], abs=1e-9
    )
    assert columns(one.walk) + one.outside == pytest.approx(1, abs=1e-12)
    assert one.shared.max() > 0.1
    union = shapely.union_all(districts(claims).plane_geometry())
    areas = zones(grid).plane_geometry()
    inside = shapely.area(shapely.intersection(areas, union)) / shapely.area(areas)
    assert columns(one.walk) == pytest.approx(inside, abs=1e-8)


def test_broken_shapes_and_other_planes():
    bowtie = shapely.Polygon([(138.25, 34.8), (138.26, 34.81), (138.26, 34.8), (138.25, 34.81)])
    with pytest.raises(LabelError, match="d0"):
        by_districts(districts([bowtie]), zones([box(0, 0, 1, 1)]))
    with pytest.raises(LabelError, match="b0"):
        by_districts(districts([box(0, 0, 1, 1)]), zones([bowtie]))
    with pytest.raises(CrsError):
        by_districts(districts([box(0, 0, 1, 1)]), zones([box(0, 0, 1, 1)], plane_zone=9))


PLACES = [box(0, 0, 1, 1), box(1, 0, 2, 1), box(2, 0, 3, 1)]


@pytest.mark.parametrize(
    ("school", "district"),
    [
        ("港小学校", "港小学校"),
        ("焼津市立　港小学校", "港小学校区"),
        ("港小学校", "市立港小学校通学区域"),
        ("港中", "港中学区"),
        ("大井川西小学校（分校）", "大井川西小学校(分校)"),
        ("四日市市立港小学校", "港小学校"),
    ],
)
def test_names_alike(school, district):
    served = facility_of_district(schools([school, "隣小学校"]), districts(PLACES[:1], [district]))
    assert served.walk.weights.toarray().tolist() == [[1], [0]]
    assert (served.unserved, served.without) == ((), ("s1",))


def test_names_that_differ_are_listed_not_guessed():
    report = Report()
    found = schools(["港小学校", "本校"]), districts(PLACES[:2], ["港南小学校", "港中学校"])
    served = facility_of_district(*found)
    assert served.walk.weights.nnz == 0
    assert (served.unserved, served.without) == (("d0", "d1"), ("s0", "s1"))
    check_districts(*found, file="d.shp", report=report)
    assert [problem.code for problem in report.problems] == ["FM638", "FM638", "FM639"]
    assert "港南小学校 (d0)" in report.problems[0].text("title")
    assert report.problems[2].value == "港小学校、本校"
    assert not report.errors


def test_the_same_name_in_two_municipalities():
    both = ["22212", "22214"]
    served = facility_of_district(
        schools(["中央小学校"] * 2, parents=both), districts(PLACES[:2], ["中央小学校"] * 2, both)
    )
    assert served.walk.weights.toarray().tolist() == [[1, 0], [0, 1]]
    # a district over several municipalities has no municipality of its own
    other = facility_of_district(
        schools(["中央病院"]), districts(PLACES[:1], ["中央病院"], ["22000"])
    )
    assert other.walk.weights.toarray().tolist() == [[1]]


def test_facilities_inside():
    points = [(0.5, 0.5), (2.0, 0.5), (9.0, 9.0)]  # the second on a border
    served = facility_of_district(
        schools(["甲", "乙", "丙"], points), districts(PLACES), by="inside"
    )
    assert served.walk.weights.toarray().tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert (served.unserved, served.without) == (("d2",), ("s2",))
    turned = Zones(districts(PLACES).frame.iloc[::-1], "district", 8)
    other = facility_of_district(schools(["甲", "乙", "丙"], points), turned, by="inside")
    assert other.walk.weights.toarray().tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_a_list_of_its_own():
    found = schools(["甲", "乙"]), districts(PLACES[:2], ["丁", "戊"])
    served = facility_of_district(*found, by={"s0": "d1"})
    assert served.walk.weights.toarray().tolist() == [[0, 1], [0, 0]]
    assert (served.unserved, served.without) == (("d0",), ("s1",))
    for strange in ({"s9": "d0"}, {"s0": "d9"}):
        with pytest.raises(LabelError, match=r"\[.[sd]9"):
            facility_of_district(*found, by=strange)


def test_several_in_one_district_share_by_capacity():
    found = schools(["甲", "乙", "丙"], capacity=[300, 100, np.nan]), districts(PLACES[:2])
    served = facility_of_district(*found, by={"s0": "d0", "s1": "d0", "s2": "d1"})
    assert served.walk.weights.toarray().tolist() == [[0.75, 0], [0.25, 0], [0, 1]]


@pytest.mark.parametrize("capacity", [None, [300, np.nan], [300, 0]])
def test_shares_that_nobody_knows(capacity):
    found = schools(["甲", "乙"], capacity=capacity), districts(PLACES[:1], ["港"])
    report = Report()
    check_districts(*found, by="inside", file="d.shp", report=report)
    assert [problem.code for problem in report.errors] == ["FM637"]
    assert "甲、乙" in report.errors[0].text("why")
    with pytest.raises(LabelError, match="'d0'"):
        facility_of_district(*found, by="inside")


@pytest.mark.parametrize("level", ["elementary", "junior_high"])
def test_real_districts_share_all_people(level):
    report = Report()
    claims = reader.read(
        CLIPS / f"{level}_school_district.shp", town=Town("22212", 8, (138.2, 34.7, 138.4, 35.0)),
        credit="yaizu", report=report,
    )  # fmt: skip
    west, south, east, north = claims.frame.total_bounds
    cells = [
        shapely.box(x, y, x + 0.01, y + 0.01)
        for x in np.arange(west, east, 0.01)
        for y in np.arange(south, north, 0.01)
    ]
    areas = zones(cells)
    count = len(areas)
    persons = np.random.default_rng(1).gamma(2, 100, (1, count, 2, 1))
    people = Population.build(persons, years=[2020], zones=areas.ids, ages=AgeGroups((0,)))
    found = by_districts(claims, areas)
    middles = shapely.get_coordinates(shapely.point_on_surface(claims.geometry))
    points = [((x - WEST) / STEP, (y - SOUTH) / STEP) for x, y in middles]
    served = facility_of_district(schools(list(claims.names), points), claims)
    both = compose(served.walk, found.walk)
    outside = people.totals()[0] @ found.outside
    assert gather(people, both).totals().sum() + outside == pytest.approx(persons.sum(), rel=1e-12)
    covered = found.walk.weights @ areas.areas()
    assert covered == pytest.approx(claims.areas(), rel=1e-3)  # some ground is claimed twice
    union = shapely.area(shapely.union_all(claims.plane_geometry()))
    assert covered.sum() == pytest.approx(union, rel=1e-9)
    inside = facility_of_district(schools(list(claims.names), points), claims, by="inside")
    assert (inside.walk.weights != served.walk.weights).nnz == 0
