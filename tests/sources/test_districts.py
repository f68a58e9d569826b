"""School districts, recognised by their columns."""

import pytest

from futuremap.sources import districts
from futuremap.sources.vector import Layout

from .shapes import CLIPS, YAIZU, frame, write
from .variants import found


def read(path, report, layout=None):
    return districts.read(path, town=YAIZU, credit="x", report=report, layout=layout)


@pytest.mark.parametrize(
    ("name", "count", "first"),
    [("elementary", 13, "大井川東小学校"), ("junior_high", 9, "東益津中学校")],
)
def test_real_districts(name, count, first, report):
    zones = read(CLIPS / "yaizu" / f"{name}_school_district.shp", report)
    assert (len(zones), zones.names[0], zones.kind) == (count, first, "district")
    assert zones.areas().sum() / 1e6 == pytest.approx(70.565, abs=0.001)
    assert not report.problems


@pytest.mark.parametrize("product", ["A27", "A32"])
def test_ksj_districts_of_one_city(product, tmp_path, report):
    columns = {
        f"{product}_001": ["22212", "22213", "22212"],
        f"{product}_002": ["焼津市立"] * 3,
        f"{product}_003": ["B122221200010", "B122221300010", "B122221200010"],
        f"{product}_004": ["港小学校", "隣小学校", "港小学校"],
        f"{product}_005": ["石津"] * 3,
    }
    zones = read(write(tmp_path / "a.geojson", frame(**columns)), report)
    assert zones.ids == ("B122221200010",)
    assert zones.names == ("港小学校",)
    assert found(report) == [("FM546", None, f"{product}_003")]


def test_unknown_layouts_and_lines(tmp_path, report):
    path = write(tmp_path / "a.gpkg", frame())
    assert read(path, report) is None
    assert found(report) == [("FM555", None, "")]
    assert len(read(path, report, Layout("key", "name"))) == 3
    assert read(CLIPS / "yaizu" / "residence_inducement_area.shp", report) is None
    assert report.errors[-1].code == "FM547"
