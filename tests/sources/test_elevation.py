"""Rasters of altitude: read with what they do not know, refused with what is none."""

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from futuremap.core.zones import Zones
from futuremap.problems import Report
from futuremap.sources import elevation

TOWN = Zones.build(
    ["34204"], [shapely.box(133.05, 34.35, 133.15, 34.45)], names=["三原市"], parents=["34204"],
    kind="municipality", plane_zone=3,
)  # fmt: skip


def write(path, values, *, nodata=None, epsg=6668, origin=(133.0, 34.5), cell=0.01):
    with rasterio.open(
        path, "w", driver="GTiff", height=values.shape[0], width=values.shape[1], count=1,
        dtype=values.dtype, crs=f"EPSG:{epsg}", transform=Affine(cell, 0, origin[0], 0, -cell, origin[1]),
        nodata=nodata,
    ) as raster:  # fmt: skip
        raster.write(values, 1)
    return path


def read(path):
    report = Report()
    return elevation.read(path, TOWN, credit="dem", report=report), report


def test_altitudes_are_read_around_the_town(tmp_path):
    values = np.tile(np.arange(20, dtype=np.float32), (20, 1))
    values[0, 0] = -9999
    found, report = read(write(tmp_path / "dem.tif", values, nodata=-9999))
    assert report.problems == []
    assert found.sources == ("dem",)
    assert found.below(TOWN.geometry)[0] == pytest.approx(9.5, abs=0.3)


def test_sea_is_not_known(tmp_path):
    values = np.full((20, 20), 12.0, dtype=np.float32)
    values[:, 12:] = -9999
    found, _ = read(write(tmp_path / "dem.tif", values, nodata=-9999))
    assert np.isnan(found.at(np.array([133.135]), np.array([34.4])))[0]
    assert found.below(TOWN.geometry).tolist() == [12.0]


def test_a_plane_raster_is_read_too(tmp_path):
    values = np.full((400, 400), 7.0, dtype=np.float32)
    path = write(tmp_path / "dem.tif", values, epsg=6671, origin=(70_000.0, -160_000.0), cell=100.0)
    found, report = read(path)
    assert report.problems == []
    assert found.below(TOWN.geometry).tolist() == [7.0]


@pytest.mark.parametrize(("value", "seen"), [(-9999.0, "-9999"), (np.inf, "inf"), (9000.0, "9000")])
def test_what_is_no_altitude_is_refused(tmp_path, value, seen):
    values = np.full((20, 20), 12.0, dtype=np.float32)
    values[8, 8] = value
    found, report = read(write(tmp_path / "dem.tif", values))
    assert found is None
    (problem,) = report.errors
    assert (problem.code, problem.value, problem.file) == ("FM703", seen, "dem.tif")


def test_a_raster_of_nothing_is_refused(tmp_path):
    values = np.full((20, 20), -9999, dtype=np.float32)
    found, report = read(write(tmp_path / "dem.tif", values, nodata=-9999))
    assert found is None
    assert [problem.code for problem in report.errors] == ["FM703"]


def test_it_must_cover_the_town(tmp_path):
    found, report = read(write(tmp_path / "dem.tif", np.ones((5, 5), dtype=np.float32)))
    assert found is None
    assert [problem.code for problem in report.errors] == ["FM551"]
