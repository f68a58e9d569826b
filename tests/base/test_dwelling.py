"""Where people stand: on the places of their block, by area without any, totals kept."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from futuremap.base.dwelling import Places, share
from futuremap.base.meshes import BY_AREA, BY_PLACES, on_mesh
from futuremap.core import mesh
from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import Crosswalk, gather
from futuremap.core.population import Population
from futuremap.core.zones import Zones
from futuremap.errors import LabelError
from futuremap.problems import Report
from futuremap.sources import boundary
from futuremap.sources.vector import Town

CLIPS = Path(__file__).resolve().parents[2] / "fixtures/geo/clips/boundary"
SOUTH, WEST, NORTH, EAST = mesh.bounds("51344013")  # 16 cells of 250 m
HIGH, WIDE = (NORTH - SOUTH) / 4, (EAST - WEST) / 4


def box(column, row, columns, rows):
    return shapely.box(
        WEST + column * WIDE,
        SOUTH + row * HIGH,
        WEST + (column + columns) * WIDE,
        SOUTH + (row + rows) * HIGH,
    )


def blocks(*shapes):
    ids = [f"3720100{i}0" for i in range(1, len(shapes) + 1)]
    return Zones.build(
        ids, list(shapes), names=[f"{i}丁目" for i in range(1, len(shapes) + 1)],
        parents=["37201"] * len(shapes), kind="town_block", plane_zone=4, sources=["estat"],
    )  # fmt: skip


# west: two cells wide and high; east: the same beside it
TWO = blocks(box(0, 0, 2, 2), box(2, 0, 2, 2))


def at(*places, **more):
    """Places (column, row, weight), columns and rows in 250 m cells."""
    column, row, weight = np.array(places, dtype=float).reshape(-1, 3).T
    return Places(WEST + column * WIDE, SOUTH + row * HIGH, weight, **more)


def made(zones, places, level="250m"):
    report = Report()
    found = share(zones, level, places=places, made_of="buildings", report=report, file="b.csv")
    assert found.crosswalk.conserves()
    return found, report


def test_people_stand_where_the_buildings_are():
    places = at((0.5, 0.5, 30), (1.5, 0.5, 10), (3.2, 1.7, 2), (9, 9, 100), sources=("city",))
    found, report = made(TWO, places)
    shares = found.crosswalk.weights.toarray()
    cells = found.crosswalk.targets
    west, east = shares[:, 0], shares[:, 1]
    assert {cells[i]: west[i] for i in np.flatnonzero(west)} == {
        "5134401311": 0.75,
        "5134401312": 0.25,
    }
    assert {cells[i]: east[i] for i in np.flatnonzero(east)} == {"5134401324": 1.0}
    assert found.crosswalk.rule == "town blocks to mesh level 250m by buildings"
    assert found.crosswalk.credits == ("city", "estat")
    assert not found.by_area.any()
    assert report.problems == []


def test_a_block_without_a_place_is_shared_by_area_and_told():
    found, report = made(TWO, at((0.5, 0.5, 3), (2.5, 0.5, 0)))
    assert found.by_area.tolist() == [False, True]
    by_area = on_mesh(TWO, "250m").crosswalk.weights.toarray()
    np.testing.assert_array_equal(found.crosswalk.weights.toarray()[:, 1], by_area[:, 1])
    assert found.crosswalk.rule.endswith("; 1 of 2 by area")
    assert [(p.code, p.file, p.value) for p in report.problems] == [("FM474", "b.csv", "1")]
    assert "2丁目" in report.problems[0].text("expected")


def test_without_any_place_all_is_by_area():
    found, _ = made(TWO, at())
    by_area = on_mesh(TWO, "250m").crosswalk
    np.testing.assert_array_equal(found.crosswalk.weights.toarray(), by_area.weights.toarray())
    assert found.by_area.all()


def test_the_block_of_a_place_may_be_given():
    # a building on the line between the two belongs to the second, as its address says
    line = at((1.99, 0.5, 1), (2.01, 0.5, 1), zone=np.array([1, 1]))
    found, _ = made(TWO, line)
    assert found.by_area.tolist() == [True, False]
    east = found.crosswalk.weights.toarray()[:, 1]
    assert sorted(east[east > 0]) == [0.5, 0.5]
    outside, _ = made(TWO, at((0.5, 0.5, 1), zone=np.array([-1])))
    assert outside.by_area.all()


def test_coarse_cells_of_a_raster_are_spread_over_the_mesh():
    # one cell of 500 m over both columns of the west block, and one that both blocks share
    whole = at((1, 1, 7), cell=(2 * WIDE, 2 * HIGH))
    found, _ = made(TWO, whole)
    np.testing.assert_allclose(found.crosswalk.weights.toarray()[:, 0].max(), 0.25, rtol=1e-12)
    astride = at((2, 0.5, 8), cell=(WIDE, HIGH), zone=np.array([0]))  # its middle lies in one
    found, _ = made(TWO, astride)
    assert not found.by_area.any()
    assert [np.count_nonzero(column) for column in found.crosswalk.weights.toarray().T] == [1, 1]
    # cells of a quarter of a mesh cell are taken as they are
    fine = at((0.6, 0.6, 1), cell=(WIDE / 4, HIGH / 4), zone=np.array([1]))
    assert made(TWO, fine)[0].by_area.tolist() == [True, False]


def test_points_in_chunks_make_the_same(monkeypatch):
    random = np.random.default_rng(1)
    places = at(*np.column_stack([random.uniform(0, 4, (500, 2)), random.uniform(0, 9, 500)]),
                cell=(WIDE, HIGH))  # fmt: skip
    whole, _ = made(TWO, places)
    monkeypatch.setattr("futuremap.base.dwelling.CHUNK", 100)
    parts, _ = made(TWO, places)
    np.testing.assert_allclose(
        parts.crosswalk.weights.toarray(), whole.crosswalk.weights.toarray(), rtol=1e-12
    )


def test_what_does_not_fit_is_refused():
    with pytest.raises(LabelError, match="weights"):
        made(TWO, at((0.5, 0.5, -1)))
    with pytest.raises(LabelError, match="weights"):
        made(TWO, at((0.5, 0.5, np.inf)))
    with pytest.raises(LabelError, match="coordinates"):
        made(TWO, Places(np.zeros(2), np.zeros(1), np.ones(2)))
    with pytest.raises(LabelError, match="blocks from"):
        made(TWO, at((0.5, 0.5, 1), zone=np.array([2])))
    nowhere = Places(np.array([np.nan]), np.array([34.3]), np.ones(1))
    assert made(TWO, nowhere)[0].by_area.all()


def test_on_mesh_takes_the_crosswalk():
    found, _ = made(TWO, at((0.5, 0.5, 1), (3.5, 1.5, 1)))
    meshed = on_mesh(TWO, "250m", dwelling=found.crosswalk)
    plain = on_mesh(TWO, "250m")
    assert meshed.crosswalk is found.crosswalk
    assert meshed.zones.ids == plain.zones.ids
    assert (meshed.zones.notes, plain.zones.notes) == ((BY_PLACES,), (BY_AREA,))
    with pytest.raises(LabelError, match="not one of these blocks"):
        on_mesh(TWO, "125m", dwelling=found.crosswalk)
    walk = found.crosswalk
    half = Crosswalk(walk.weights * 0.5, walk.targets, walk.sources, "half")
    with pytest.raises(LabelError, match="keep totals"):
        on_mesh(TWO, "250m", dwelling=half)


@pytest.mark.parametrize("level", ["1km", "500m", "250m", "125m"])
def test_totals_of_real_blocks_are_kept(level):
    report = Report()
    read = boundary.read(
        CLIPS / "yubari_01209_first20.geojson", town=Town("01209", 12), credit="x", report=report
    )
    zones = read.zones
    random = np.random.default_rng(0)
    middle = shapely.point_on_surface(zones.geometry[:15])
    places = Places(
        np.repeat(shapely.get_x(middle), 9) + random.normal(0, 1e-4, 135),
        np.repeat(shapely.get_y(middle), 9) + random.normal(0, 1e-4, 135),
        random.uniform(0, 5, 135),
    )
    found, _ = made(zones, places, level)
    people = Population.build(
        read.persons.reshape(1, -1, 1, 1) * [[[0.5], [0.5]]], years=[2015], zones=zones.ids,
        ages=AgeGroups((0,)),
    )  # fmt: skip
    assert gather(people, found.crosswalk).totals().sum() == pytest.approx(1619, rel=1e-9)
    assert found.by_area.sum() >= 5
