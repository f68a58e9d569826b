"""N03 as it is distributed: a Shapefile, a zip of one, a GeoPackage or GeoJSON."""

import os

import geopandas as gpd
import pytest
import shapely

from futuremap.sources import outline_file

from .shapes import BOWTIE, squares, write, zip_of
from .variants import found


def n03(shapes, *, codes="22212", names="焼津市", crs=6668):
    given = [codes] * len(shapes) if isinstance(codes, str) else codes
    return gpd.GeoDataFrame(
        {"N03_004": [names] * len(shapes), "N03_007": given}, geometry=shapes, crs=crs
    )


def read(path, report, code="22212"):
    return outline_file.read(
        path, code=code, plane_zone=8, name="x", credit="ksj_n03", report=report
    )


@pytest.mark.parametrize("ending", ["shp", "zip", "gpkg", "geojson"])
def test_islands_of_one_code_are_one_zone(ending, tmp_path, report):
    shapes = squares(3)
    data = n03(shapes, codes=["22212", "22212", "22210"])
    if ending == "zip":
        path = zip_of(tmp_path / "N03.zip", write(tmp_path / "N03.shp", data))
    else:
        path = write(tmp_path / f"N03.{ending}", data)
    zones = read(path, report)
    assert (zones.ids, zones.names, zones.sources) == (("22212",), ("焼津市",), ("ksj_n03",))
    assert zones.geometry[0].equals(shapely.union_all(shapes[:2]))
    assert not report.problems


def test_the_accuracy_of_the_system_is_said(tmp_path, report):
    zones = read(write(tmp_path / "a.gpkg", n03(squares(1), crs=4612)), report)
    assert "1 m" in zones.notes[0][0]


def test_only_the_own_shapes_are_judged(tmp_path, report):
    data = n03([*squares(1), BOWTIE], codes=["22212", "22210"])
    path = write(tmp_path / "a.gpkg", data)
    assert read(path, report) is not None
    assert not report.problems
    assert read(path, report, code="22210") is None
    assert found(report) == [("FM529", 2, "")]


def test_no_such_town_and_no_such_column(tmp_path, report):
    path = write(tmp_path / "a.gpkg", n03(squares(1)))
    assert read(path, report, code="34204") is None
    assert read(write(tmp_path / "b.gpkg", n03(squares(1)).drop(columns="N03_007")), report) is None
    assert [p.code for p in report.problems] == ["FM525", "FM201"]
    assert read(tmp_path / "none.zip", report) is None
    assert report.problems[-1].code == "FM101"


def test_a_pipe_is_no_file(tmp_path, report):
    os.mkfifo(tmp_path / "a.shp")
    assert read(tmp_path / "a.shp", report) is None
    assert found(report) == [("FM101", None, "")]
