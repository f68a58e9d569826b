"""Rasters of travel cost: what is read, what is refused, and what is said."""

import numpy as np
import pytest

from futuremap.catchment.cost import network_of
from futuremap.core.zones import Zones
from futuremap.sources import cost_raster

from .shapes import SOUTH, STEP, WEST, geotiff, squares
from .variants import found


@pytest.fixture
def zones():
    return Zones.build(
        ["a", "b", "c"], squares(), names=["甲", "乙", "丙"], parents=["22212"] * 3,
        kind="town_block", plane_zone=8,
    )  # fmt: skip


def costs(rows=10, columns=30):
    return np.full((rows, columns), 0.75, dtype="float32")


def read(path, zones, report, **more):
    return cost_raster.read(path, zones, credit="x", report=report, **more)


@pytest.mark.parametrize("epsg", [6668, 4612, 4326])
def test_costs_lie_where_they_were(epsg, zones, tmp_path, report):
    values = costs()
    values[0, 0], values[9, 29] = 2.0, -9999
    path = geotiff(tmp_path / "a.tif", values, epsg=epsg, nodata=-9999)
    surface = read(path, zones, report)
    assert surface.shape == (10, 30)
    assert surface.values[0, 0] == 2.0
    assert np.isnan(surface.values[9, 29])
    assert np.isnan(surface.values).sum() == 1
    assert surface.longitude[0] == pytest.approx(WEST + STEP / 20, abs=1e-12)
    assert surface.latitude[-1] == pytest.approx(SOUTH + STEP / 20, abs=1e-12)
    assert surface.sources == ("x",)
    assert not report.problems
    assert len(network_of(surface)) == 299


@pytest.mark.parametrize(("beyond", "cells"), [(0.0, (0, 0)), (200.0, (2, 3)), (1e6, (95, 135))])
def test_a_margin_for_ways_around(beyond, cells, zones, tmp_path, report):
    values = np.arange(200 * 300, dtype="float32").reshape(200, 300) + 1
    # the border of the zones runs through the middle of cells
    options = {"west": WEST - 0.1355, "north": SOUTH + STEP + 0.0955}
    surface = read(geotiff(tmp_path / "a.tif", values, **options), zones, report, beyond=beyond)
    up, left = cells
    window = values[95 - up : 106 + up, 135 - left : 166 + left]
    assert surface.values.tolist() == window.tolist()
    assert surface.north == pytest.approx(SOUTH + STEP + 0.0005 + up * 0.001, abs=1e-9)
    assert surface.west == pytest.approx(WEST - 0.0005 - left * 0.001, abs=1e-9)


def test_classes_and_those_that_were_forgotten(zones, tmp_path, report):
    values = np.tile(np.array([1, 5, 7, 255, 7], dtype="uint8"), (10, 6))
    path = geotiff(tmp_path / "a.tif", values, nodata=255)
    surface = read(path, zones, report, classes={7: 0.75, 5: 3.0})
    assert surface.values[0, :5] == pytest.approx([np.nan, 3, 0.75, np.nan, 0.75], nan_ok=True)
    assert found(report) == [("FM636", None, "")]
    assert report.warnings[0].value == "1"
    assert "60" in report.warnings[0].text("title")


@pytest.mark.parametrize("value", [0, -9999, np.inf])
def test_impossible_costs(value, zones, tmp_path, report):
    values = costs()
    values[3, 3:5] = value
    assert read(geotiff(tmp_path / "a.tif", values), zones, report) is None
    assert found(report) == [("FM635", None, "")]
    assert "2 cells" in report.errors[0].text("why", "en")


@pytest.mark.parametrize("classes", [None, {}, {99: 1.0}])
def test_nothing_to_pass(classes, zones, tmp_path, report):
    values = costs() if classes is not None else np.full((10, 30), np.nan, dtype="float32")
    assert read(geotiff(tmp_path / "a.tif", values), zones, report, classes=classes) is None
    assert found(report) == [("FM635", None, "")]


def test_a_raster_in_metres_is_not_resampled(zones, tmp_path, report):
    path = geotiff(tmp_path / "a.tif", costs(), epsg=6676, west=0.0, north=0.0, cell=20.0)
    assert read(path, zones, report) is None
    assert found(report) == [("FM634", None, "")]
    assert report.errors[0].value == "EPSG:6676"


@pytest.mark.parametrize(
    ("change", "code"),
    [({"epsg": None}, "FM541"), ({"epsg": 4301}, "FM542"), ({"west": WEST + 0.005}, "FM551")],
)
def test_the_checks_of_all_rasters(change, code, zones, tmp_path, report):
    assert read(geotiff(tmp_path / "a.tif", costs(), **change), zones, report) is None
    assert found(report) == [(code, None, "")]
    assert read(tmp_path / "none.tif", zones, report) is None
    assert report.errors[-1].code == "FM101"


def test_too_many_cells(zones, tmp_path, report, monkeypatch):
    monkeypatch.setattr(cost_raster, "MAX_CELLS", 100)
    assert read(geotiff(tmp_path / "a.tif", costs()), zones, report) is None
    assert found(report) == [("FM104", None, "")]
