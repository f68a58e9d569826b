"""Thiessen cells and the mesh: cover without overlap, nothing lost."""

import numpy as np
import pytest
import shapely

from futuremap.base.meshes import on_mesh
from futuremap.base.placement import check_blocks, distance_outside
from futuremap.base.thiessen import thiessen
from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import gather
from futuremap.core.population import Population
from futuremap.core.zones import Zones
from futuremap.errors import CrsError, LabelError
from futuremap.problems import Report


def zones(shapes, kind, ids=None):
    ids = ids or [f"37201-{i:03d}" for i in range(len(shapes))]
    return Zones.build(
        ids, shapes, names=ids, parents=["37201"] * len(ids), kind=kind, plane_zone=4
    )


@pytest.fixture
def town():
    west = shapely.box(134.0, 34.3, 134.03, 34.33)
    island = shapely.box(134.04, 34.34, 134.045, 34.345)
    outline = zones([shapely.union(west, island)], "municipality", ["37201"])
    rng = np.random.default_rng(2)
    points = shapely.points(rng.uniform([134.0, 34.3], [134.03, 34.33], (25, 2)))
    return zones(points, "town_block"), outline


def test_cells_tile_the_outline_and_hold_their_points(town):
    points, outline = town
    cells = thiessen(points, outline)
    assert cells.ids == points.ids
    assert cells.areas().sum() == pytest.approx(outline.areas()[0], rel=1e-9)
    overlaps = shapely.area(shapely.union_all(cells.plane_geometry()))
    assert overlaps == pytest.approx(outline.areas()[0], rel=1e-9)
    assert shapely.covers(cells.geometry, points.geometry).all()
    assert "境界は代表点から作成した近似" in cells.notes[0][0]


def test_coinciding_or_missing_points_are_refused(town):
    points, outline = town
    shapes = points.geometry.copy()
    shapes[1] = shapes[0]
    with pytest.raises(LabelError, match="coincide"):
        thiessen(zones(shapes, "town_block"), outline)
    shapes[1] = None
    with pytest.raises(LabelError, match="without a point"):
        thiessen(zones(shapes, "town_block"), outline)


def test_the_mesh_keeps_every_person(town):
    cells = thiessen(*town)
    meshed = on_mesh(cells, "250m")
    assert meshed.crosswalk.conserves()
    people = Population.build(
        np.random.default_rng(0).gamma(1, 9, (2, 25, 2, 3)),
        years=[2020, 2025],
        zones=cells.ids,
        ages=AgeGroups((0, 15, 65)),
    )
    gathered = gather(people, meshed.crosswalk)
    np.testing.assert_allclose(gathered.persons.sum(1), people.persons.sum(1), rtol=1e-12)
    assert all(len(code) == 10 for code in meshed.zones.ids)


def test_a_point_outside_is_refused_with_its_distance(town):
    points, outline = town
    shapes = points.geometry.copy()
    shapes[4] = shapely.Point(134.0, 34.0)
    moved = zones(shapes, "town_block")
    assert distance_outside(moved, outline)[4] == pytest.approx(33_280, rel=0.01)
    report = Report()
    where = {"file": "register.xlsx", "sheet": "Sheet1", "lines": {"37201-004": 6}}
    check_blocks(moved, outline, **where, report=report)
    (problem,) = report.problems
    assert (problem.code, problem.line) == ("FM523", 6)
    assert "37201-004" in problem.text("title")


def test_zones_know_their_plane():
    with pytest.raises(CrsError):
        Zones.build(
            ["a"],
            [shapely.Point(134, 34)],
            names=["a"],
            parents=["x"],
            kind="facility",
            plane_zone=20,
        )
