"""Bus lines and stops as files of a project: points or a list, far from lines, or of another town."""

import json

import numpy as np
import pytest

from futuremap.catchment.network import nearest_time
from futuremap.config.model import Project
from futuremap.pipeline.read_bus import read_bus
from futuremap.problems import Report
from tests.catchment.test_bus import DEGREE, HALL, HOMES, NORTH, STREET

LINE = [[133.0, NORTH], [133.0 + 4000 / DEGREE, NORTH]]


def collection(*geometries):
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::6668"}}
    features = [{"type": "Feature", "properties": {"n": i}, "geometry": g}
                for i, g in enumerate(geometries)]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "crs": crs, "features": features})


def read(folder, stops, text):
    (folder / "lines.geojson").write_text(
        collection({"type": "LineString", "coordinates": LINE}), encoding="utf-8"
    )
    (folder / stops).write_text(text, encoding="utf-8")
    town = {
        "code": "34204",
        "name": "三原市",
        "plane_zone": 3,
        "population": [{"year": 2020, "file": "x.csv", "credit": "ipss2018"}],
        "outline": {"file": "x.geojson", "credit": "ksj_n03"},
        "bus": {"lines": "lines.geojson", "stops": stops, "speed_kmh": 15.0, "wait_minutes": 6.0,
                "credit": "ksj_n03"},
    }  # fmt: skip
    header = {"name": "w", "title": "w", "base_year": 2020, "end_year": 2050}
    project = Project.model_validate({"project": header, "municipality": [town]})
    project._file = folder / "project.toml"
    report = Report()
    return read_bus(project, 0, roads=STREET, area=None, report=report), report


def listed(*east):
    rows = [f"s{i},停留所{i},{NORTH},{133.0 + e / DEGREE}" for i, e in enumerate(east)]
    return "\n".join(["stop_id,stop_name,stop_lat,stop_lon", *rows]) + "\n"


def test_a_list_of_gtfs_and_points_are_the_same_stops(tmp_path):
    by_list, report = read(tmp_path, "stops.txt", listed(500, 3500))
    assert not report.errors
    shapes = [{"type": "Point", "coordinates": [133.0 + e / DEGREE, NORTH]} for e in (500, 3500)]
    by_points, report = read(tmp_path, "stops.geojson", collection(*shapes))
    assert not report.errors
    ways = [nearest_time(HALL, HOMES, one, mode="bus").minutes for one in (by_list, by_points)]
    np.testing.assert_allclose(ways[0], ways[1], rtol=1e-9)
    walked = nearest_time(HALL, HOMES, STREET, mode="walk").minutes
    assert ways[0][0] < walked[0]


def test_a_stop_off_the_line_is_named(tmp_path):
    text = listed(500, 3500) + f"s9,山の上,{NORTH + 0.01},133.02\n"
    found, report = read(tmp_path, "stops.csv", text)
    assert found is not None
    (problem,) = [one for one in report.problems if one.code == "FM676"]
    assert problem.value == "山の上"


def test_stops_of_another_town_are_refused(tmp_path):
    found, report = read(tmp_path, "stops.csv", "stop_name,stop_lat,stop_lon\n遠い,35.0,134.0\n")
    assert found is None
    assert [one.code for one in report.errors] == ["FM677"]


@pytest.mark.parametrize("text", ["stop_name,stop_lat,stop_lon\n空,,\n", "a,b\n1,2\n"])
def test_stops_without_coordinates_are_no_traceback(tmp_path, text):
    found, report = read(tmp_path, "stops.csv", text)
    assert found is None
    assert report.errors
