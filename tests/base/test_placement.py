"""Ground of town blocks against their municipality's, and against each other's."""

import numpy as np
import pytest
import shapely

from futuremap.base.placement import check_areas
from futuremap.core.zones import Zones
from futuremap.problems import Report

WEST, SOUTH, STEP = 138.25, 34.80, 0.01


def zones(shapes, kind="town_block"):
    ids = [f"b{i}" for i in range(len(shapes))]
    return Zones.build(
        ids, np.array(shapes, dtype=object), names=[f"町{i}" for i in range(len(shapes))],
        parents=["22212"] * len(shapes), kind=kind, plane_zone=8, sources=["x"],
    )  # fmt: skip


def squares(count=5):
    lefts = [WEST + i * STEP for i in range(count)]
    return [shapely.box(left, SOUTH, left + STEP, SOUTH + STEP) for left in lefts]


TOWN = zones([shapely.union_all(squares())], kind="municipality")


def found(shapes):
    report = Report()
    check_areas(zones(shapes), TOWN, file="a.shp", report=report)
    return [(p.code, p.value) for p in report.problems]


def test_blocks_that_fill_their_town_are_fine():
    assert found(squares()) == []


def test_slivers_along_a_border_are_no_overlap():
    wider = [shapely.buffer(shape, STEP / 100) for shape in squares()]
    assert found(wider) == []


def test_a_block_elsewhere_and_a_part_of_one():
    shapes = squares()
    away = shapely.box(139.7, 35.6, 139.71, 35.61)
    assert found([*shapes[:2], away, *shapes[3:]]) == [("FM579", "b2")]
    shapes[2] = shapely.MultiPolygon([shapes[2], away])
    assert found(shapes) == [("FM582", "b2")]


def test_blocks_on_each_other():
    shapes = squares()
    shapes[3] = shapely.union(shapes[3], shapely.box(WEST, SOUTH, WEST + STEP, SOUTH + STEP / 2))
    assert found(shapes) == [("FM580", "b3")]


@pytest.mark.parametrize("metres", [0, 430])
def test_a_wrong_datum_shows_along_the_border(metres):
    off = metres / 111_000 / np.sqrt(2)
    shapes = shapely.transform(
        np.array(squares(), dtype=object), lambda xy: np.add(xy, (off, -off))
    )
    wanted = [("FM581", f"{100 * (1 - (1 - off / STEP) * (1 - off / (5 * STEP))):.0f} %")]
    assert found(list(shapes)) == (wanted if metres else [])
