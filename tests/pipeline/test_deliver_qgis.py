"""Which files for QGIS a run gives, what they are called and what they say of themselves."""

import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from futuremap.core.layer import Text
from futuremap.export.geopackage import Scenario
from futuremap.pipeline import open_project, run
from futuremap.pipeline.deliver import record
from futuremap.pipeline.deliver_qgis import write_qgis
from futuremap.pipeline.draw import draw

TWELVE = Path(__file__).resolve().parents[2] / "fixtures" / "geo" / "twelve_municipalities"
PLAN = Scenario("plan_b", Text("住み替えの案", "Moving"))


@pytest.fixture(scope="module")
def twelve():
    return run(open_project(TWELVE))


@pytest.fixture(scope="module")
def files(twelve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("twelve") / "qgis"
    return write_qgis(twelve, draw(twelve), folder, run=record(twelve.prepared), scenario=PLAN)


def test_municipalities_that_are_their_own_only_zone_share_a_file(files):
    assert [path.name for path in files] == [
        "twelve_municipalities_plan_b.gpkg",
        "twelve_municipalities_plan_b_now.qgz",
        "twelve_municipalities_plan_b_future.qgz",
    ]
    with closing(sqlite3.connect(files[0])) as db:
        tables = db.execute("SELECT table_name FROM gpkg_geometry_columns").fetchall()
        towns = db.execute("SELECT count(*) FROM boundary").fetchone()
    assert sorted(tables) == [("boundary",), ("municipalities",), ("municipalities_by_year",)]
    assert towns == (12,)


def test_towns_of_many_planes_are_mapped_in_degrees(files):
    with zipfile.ZipFile(files[1]) as archive:
        root = ET.fromstring(archive.read("now.qgs"))  # noqa: S314 - our own file
    assert root.findtext("projectCrs/spatialrefsys/authid") == "EPSG:6668"


def test_the_scenario_stands_in_title_and_metadata(files):
    with zipfile.ZipFile(files[2]) as archive:
        root = ET.fromstring(archive.read("future.qgs"))  # noqa: S314 - our own file
    assert root.findtext("title").endswith("将来（2045年）　住み替えの案")
    with closing(sqlite3.connect(files[0])) as db:
        said = json.loads(db.execute("SELECT metadata FROM gpkg_metadata").fetchone()[0])
    assert said["scenario"] == {"name": "plan_b", "title": {"ja": "住み替えの案", "en": "Moving"}}


def test_the_file_carries_what_the_manifest_says_of_the_run(twelve, files):
    with closing(sqlite3.connect(files[0])) as db:
        said = json.loads(db.execute("SELECT metadata FROM gpkg_metadata").fetchone()[0])
    assert {entry["path"] for entry in said["inputs"]} == {
        path.name for path, _ in twelve.prepared.inputs
    }
    assert all(len(entry["sha256"]) == 64 for entry in said["inputs"])
    assert all(credit["text_ja"] for credit in said["credits"])
    assert (said["project"], said["base_year"], said["end_year"]) == (
        "twelve_municipalities", 2015, 2045,
    )  # fmt: skip
    assert len(said["municipalities"]) == 12
    assert set(said["versions"]) >= {"futuremap", "gdal", "proj"}
    assert "outputs" not in said
