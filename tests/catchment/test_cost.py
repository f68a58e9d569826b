"""Cost distance: straight lines in open ground, detours around walls, closed cells."""

import numpy as np
import pyproj
import pytest
import shapely

from futuremap.catchment.cost import AS_SURFACE, network_of, overestimate
from futuremap.catchment.network import nearest_time, within_time
from futuremap.core.surface import Surface
from futuremap.core.zones import Zones

GEOD = pyproj.Geod(ellps="GRS80")
STEP = 0.001
WALK = 0.75  # s/m: 4.8 km/h


def surface(values, width=STEP, height=STEP):
    return Surface(np.asarray(values, dtype=float), 133.0, 34.5, width, height, ("ground",))


def at(ground, cells, kind="place", source="x"):
    """Points in the middle of cells (row, column)."""
    rows, columns = np.asarray(cells).T
    ids = [f"{row}-{column}" for row, column in cells]
    return Zones.build(
        ids, shapely.points(ground.longitude[columns], ground.latitude[rows]), names=ids,
        parents=["34204"] * len(ids), kind=kind, plane_zone=3, sources=[source],
    )  # fmt: skip


def minutes(ground, start, end, *, limit=600.0):
    """Time of the network rule from cells to a cell; infinite where there is no way."""
    found = within_time(
        at(ground, [end], "facility"), at(ground, start), network_of(ground),
        minutes=limit, mode="car", speed=AS_SURFACE,
    )  # fmt: skip
    return found.nearest


def straight(ground, start, end):
    """Minutes of walking along the geodesics."""
    rows, columns = np.asarray(start).T
    count = len(rows)
    metres = GEOD.inv(
        ground.longitude[columns], ground.latitude[rows],
        np.full(count, ground.longitude[end[1]]), np.full(count, ground.latitude[end[0]]),
    )[2]  # fmt: skip
    return metres * WALK / 60


@pytest.mark.parametrize(
    ("width", "factor"), [(STEP / np.cos(np.radians(34.47)), 1.0276), (STEP, 1.0378)]
)
def test_open_ground_is_the_straight_line_within_the_factor(width, factor):
    ground = surface(np.full((61, 61), WALK), width=width)
    assert overestimate(ground) == pytest.approx(factor, abs=5e-4)
    cells = [(row, column) for row in range(0, 61, 5) for column in range(0, 61, 5)]
    cells.remove((30, 30))
    ratio = minutes(ground, cells, (30, 30)) / straight(ground, cells, (30, 30))
    assert ratio.min() >= 1 - 1e-6  # a parallel is no geodesic, by millimetres
    assert ratio.max() <= overestimate(ground)
    assert ratio.max() > 1 + 0.9 * (factor - 1)  # the factor is no loose one
    moves = [(30, 55), (55, 30), (50, 50), (50, 40), (40, 50), (10, 40), (20, 50)]
    along = minutes(ground, moves, (30, 30)) / straight(ground, moves, (30, 30))
    assert along == pytest.approx(1, abs=1e-5)


def test_each_cell_counts_with_its_part_of_the_line():
    ground = surface([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0], [64.0, 128.0, 256.0]])
    network = network_of(ground)
    pace = dict(
        zip(zip(network.start.tolist(), network.end.tolist(), strict=True),
            (3.6 / network.speed).tolist(), strict=True)
    )  # fmt: skip
    assert pace[0, 1] == pytest.approx(1.5)
    assert pace[0, 3] == pytest.approx(4.5)
    assert pace[0, 4] == pytest.approx(8.5)
    assert pace[1, 3] == pytest.approx(5.0)  # to the south-west
    assert pace[0, 5] == pytest.approx((1 + 2 + 16 + 32) / 4)
    assert pace[2, 3] == pytest.approx((4 + 2 + 16 + 8) / 4)
    assert pace[0, 7] == pytest.approx((1 + 8 + 16 + 128) / 4)
    assert pace[1, 6] == pytest.approx((2 + 16 + 8 + 64) / 4)
    assert all(pace[one] == pace[one[::-1]] for one in pace)
    assert len(pace) == 2 * (6 + 6 + 8 + 8)  # straight, straight, diagonal, knight
    assert network.sources == ("ground",)
    assert network.on_foot.all()
    assert network.by_car.all()


def test_lengths_are_geodesics():
    ground = surface(np.ones((4, 4)))
    network = network_of(ground)
    metres = GEOD.inv(
        network.longitude[network.start], network.latitude[network.start],
        network.longitude[network.end], network.latitude[network.end],
    )[2]  # fmt: skip
    assert network.length == pytest.approx(metres, rel=1e-9)


@pytest.mark.parametrize("wall", [WALK * 1e6, np.nan])
def test_a_wall_with_a_gap_forces_the_detour(wall):
    values = np.full((41, 41), WALK)
    values[:, 20] = wall
    values[2, 20] = WALK
    ground = surface(values)
    end, gap = (38, 30), (2, 20)
    found = minutes(ground, [(38, 10)], end)
    by_gap = straight(ground, [(38, 10)], gap) + straight(ground, [gap], end)
    assert by_gap[0] <= found[0] <= by_gap[0] * overestimate(ground)
    assert found[0] > 3 * straight(ground, [(38, 10)], end)[0]


@pytest.mark.parametrize("thin", ["column", "diagonal"])
def test_what_cannot_be_passed_closes(thin):
    values = np.full((21, 21), WALK)
    if thin == "column":
        values[:, 10] = np.nan
    else:  # cells that meet in their corners only
        values[np.arange(21), np.arange(21)] = np.nan
    ground = surface(values)
    network = network_of(ground)
    assert len(network) == 21 * 20
    assert np.isinf(minutes(ground, [(15, 2)], (5, 18))[0])
    nearest = nearest_time(
        at(ground, [(5, 18)], "facility"), at(ground, [(15, 2), (5, 15)]), network,
        mode="car", speed=AS_SURFACE,
    )  # fmt: skip
    assert nearest.facility.tolist() == [-1, 0]


def test_a_single_closed_cell_does_not_close_its_corner():
    values = np.full((2, 2), WALK)
    values[0, 1] = np.nan
    network = network_of(surface(values))
    pairs = set(zip(network.start.tolist(), network.end.tolist(), strict=True))
    assert pairs == {(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)}


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 5)])
def test_small_surfaces(shape):
    network = network_of(surface(np.ones(shape)))
    assert (len(network), len(network.start)) == (shape[0] * shape[1], 2 * (max(shape) - 1))


def test_credits_and_time_limit():
    ground = surface(np.full((3, 30), WALK))
    found = within_time(
        at(ground, [(1, 0)], "facility", "halls"), at(ground, [(1, 5), (1, 29)], source="homes"),
        network_of(ground), minutes=10, mode="car", speed=AS_SURFACE,
    )  # fmt: skip
    assert found.reach.weights.toarray().tolist() == [[1, 0]]  # 459 m and 2,663 m
    assert found.reach.credits == ("ground", "halls", "homes")
    assert found.times.distance == pytest.approx(straight(ground, [(1, 5)], (1, 0)), rel=1e-6)
