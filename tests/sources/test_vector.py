"""Zones from files of shapes: every format alike, and each fault where it stands."""

import numpy as np
import pytest
import shapely

from futuremap.sources import vector
from futuremap.sources.vector import Layout, Town

from .shapes import BOWTIE, CLIPS, LAYOUT, YAIZU, frame, squares, write, zip_of
from .variants import found

FORMATS = ["shp", "gpkg", "geojson"]


def read(path, report, layout=LAYOUT, town=YAIZU):
    return vector.read(path, layout, town=town, kind="district", credit="x", report=report)


@pytest.mark.parametrize("epsg", [6668, 4612, 4326, 2450, 6676, 32654, 6691])
@pytest.mark.parametrize("ending", ["shp", "gpkg"])
def test_formats_and_systems_give_the_same_zones(ending, epsg, tmp_path, report):
    zones = read(write(tmp_path / f"a.{ending}", frame(epsg=epsg)), report)
    assert (zones.ids, zones.names) == (("00", "01", "02"), ("町0", "町1", "町2"))
    assert (zones.kind, zones.plane_zone, zones.sources) == ("district", 8, ("x",))
    assert set(zones.frame["parent"]) == {"22212"}
    assert f"EPSG:{epsg}" in zones.notes[0][0]
    for mine, theirs in zip(zones.geometry, squares(), strict=True):
        assert shapely.hausdorff_distance(mine, theirs) < 2e-5  # WGS 84 is shifted by GDAL
    assert not report.problems


def test_geojson_and_a_zip(tmp_path, report):
    shape = write(tmp_path / "a.shp", frame())
    for path in (
        write(tmp_path / "a.geojson", frame()),
        zip_of(tmp_path / "a.zip", shape, prefix="A27-21/shp/"),
    ):
        assert read(path, report).names == ("町0", "町1", "町2")
    assert not report.problems


def test_a_geojson_without_crs_is_wgs84(tmp_path, report):
    from .shapes import as_geojson

    path = tmp_path / "a.geojson"
    path.write_text(as_geojson(frame(), crs=None), encoding="utf-8")
    assert "WGS 84" in read(path, report).notes[0][1]


def test_real_districts_measured(report):
    path = CLIPS / "yaizu" / "elementary_school_district.shp"
    zones = read(path, report, Layout("SAUID", "SAFIELD001"))
    assert len(zones) == 13
    assert "港小学校" in zones.names
    assert zones.areas().sum() / 1e6 == pytest.approx(70.565, abs=0.001)
    assert not report.problems


def test_a_real_crossing_is_mended_and_said(report):
    path = CLIPS / "yaizu" / "neighbourhood_association_26_28.shp"
    zones = read(path, report, Layout("SAFIELD000"))
    assert len(zones) == 3
    assert zones.frame.geometry.is_valid.all()
    assert found(report) == [("FM530", 2, "")]
    assert not report.errors


def test_real_lines_are_no_areas(report):
    path = CLIPS / "yaizu" / "residence_inducement_area.shp"
    assert read(path, report, Layout("area")) is None
    problem = report.errors[0]
    assert (problem.code, problem.file, problem.value) == ("FM547", path.name, "線/line")


@pytest.mark.parametrize("ending", FORMATS)
def test_parts_of_one_key(ending, tmp_path, report):
    path = write(tmp_path / f"a.{ending}", frame(key=["01", "02", "01"]))
    zones = read(path, report)
    assert zones.ids == ("01", "02")
    assert zones.names == ("町0", "町1")
    assert shapely.area(zones.geometry) == pytest.approx([2e-4, 1e-4])
    assert found(report) == [("FM546", None, "key")]


def test_parts_of_one_key_refused(tmp_path, report):
    path = write(tmp_path / "a.gpkg", frame(key=["01", "02", "01"]))
    assert read(path, report, Layout("key", duplicates="refuse")) is None
    assert found(report) == [("FM545", 3, "key")]
    assert dict(report.errors[0].detail)["line_first"] == "1"


@pytest.mark.parametrize("ending", ["shp", "gpkg", "geojson"])
def test_all_faults_of_a_file_at_once(ending, tmp_path, report):
    shapes = [*squares(2), BOWTIE, shapely.box(0, 0, 1, 1), shapely.box(138.29, 34.8, 138.3, 34.81)]
    data = frame(shapes, key=["01", None, "03", "04", "05"])
    data.loc[4, "geometry"] = None
    assert read(write(tmp_path / f"a.{ending}", data), report) is None
    assert found(report) == [
        ("FM544", 2, "key"), ("FM529", 3, ""), ("FM574", 4, ""), ("FM575", 5, ""),
    ]  # fmt: skip


def test_mending_may_be_refused(tmp_path, report):
    sliver = shapely.Polygon(
        [(138.25, 34.8), (138.26, 34.8), (138.26, 34.81), (138.2600001, 34.8100001), (138.26, 34.8100001),
         (138.2600001, 34.81), (138.25, 34.81)]
    )  # fmt: skip
    assert not sliver.is_valid
    path = write(tmp_path / "a.gpkg", frame([sliver]))
    assert len(read(path, report)) == 1
    assert [p.code for p in report.problems] == ["FM530"]
    assert read(path, report, Layout("key", broken="refuse")) is None
    assert [p.code for p in report.errors] == ["FM529"]


def test_heights_are_dropped(tmp_path, report):
    data = frame([shapely.force_3d(shape, 5.0) for shape in squares()])
    for ending in FORMATS:
        assert not shapely.has_z(read(write(tmp_path / f"a.{ending}", data), report).geometry).any()
    assert not report.problems


def test_only_the_municipality(tmp_path, report):
    path = write(tmp_path / "a.gpkg", frame(code=["222127", "22213", "22212"]))
    zones = read(path, report, Layout("key", parent="code"))
    assert zones.ids == ("00", "02")
    town = Town("37201", 4)
    assert read(path, report, Layout("key", parent="code"), town=town) is None
    assert found(report) == [("FM556", None, "code")]


@pytest.mark.parametrize("ending", FORMATS)
def test_a_missing_column_and_the_slip_for_it(ending, tmp_path, report):
    assert read(write(tmp_path / f"a.{ending}", frame()), report, Layout("KEYS")) is None
    assert found(report) == [("FM201", None, "KEYS")]
    assert "「key」" in report.errors[0].text("fix")


def test_case_of_column_names(tmp_path, report):
    assert len(read(write(tmp_path / "a.shp", frame()), report, Layout("KEY"))) == 3


@pytest.mark.parametrize("ending", ["shp", "gpkg"])
@pytest.mark.parametrize("epsg", [4301, 30168])
def test_tokyo_datum(ending, epsg, tmp_path, report):
    assert read(write(tmp_path / f"a.{ending}", frame(epsg=epsg)), report) is None
    (problem,) = report.errors
    assert problem.code == "FM542"
    shift = int(problem.text("why").split("約 ")[1].split(" m")[0])
    assert 440 <= shift <= 465  # 焼津市


@pytest.mark.parametrize(
    ("encoding", "cpg"), [("UTF-8", "UTF-8"), ("CP932", "CP932"), ("CP932", ""), ("UTF-8", "")]
)
def test_texts_by_cpg_and_without(encoding, cpg, tmp_path, report):
    path = write(tmp_path / "a.shp", frame(name=["髙橋①", "薗田", "柳新屋"]), encoding=encoding)
    path.with_suffix(".cpg").write_text(cpg) if cpg else path.with_suffix(".cpg").unlink()
    assert read(path, report).names == ("髙橋①", "薗田", "柳新屋")
    assert not report.problems


def test_a_wrong_cpg_is_said(tmp_path, report):
    path = write(tmp_path / "a.shp", frame(), encoding="CP932")
    path.with_suffix(".cpg").write_text("UTF-8")
    assert read(path, report) is None
    assert found(report) == [("FM569", None, "")]


@pytest.mark.parametrize(("part", "code"), [("prj", "FM541"), ("shx", "FM549"), ("dbf", "FM549")])
def test_missing_parts(part, code, tmp_path, report):
    path = write(tmp_path / "町.shp", frame())
    path.with_suffix(f".{part}").unlink()
    assert read(path, report) is None
    (problem,) = report.errors
    assert problem.code == code
    assert f"町.{part}" in problem.text("title") + problem.value


def test_many_shapes_of_one_key_are_quick():
    keys = np.repeat([f"{i:05d}" for i in range(20_000)], 2)
    shapes = np.array([shapely.box(i, 0, i + 1, 1) for i in range(40_000)], dtype=object)
    ids, merged = vector.dissolve(keys, shapes)
    assert len(ids) == 20_000
    assert (shapely.area(merged) == 2).all()


def test_shapes_that_were_cut_off_are_one_fault(tmp_path, report):
    path = write(tmp_path / "a.shp", frame())
    path.write_bytes(path.read_bytes()[:-40])
    assert read(path, report) is None
    assert found(report) == [("FM557", None, "")]
