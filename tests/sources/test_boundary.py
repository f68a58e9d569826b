"""Town blocks of the census: people once a KEY_CODE, water left out."""

import json

import pytest

from futuremap.sources import boundary
from futuremap.sources.vector import Town

from .shapes import CLIPS, YAIZU, frame, write
from .variants import found

REAL = {
    "utashinai_01227.geojson": (Town("01227", 12), 9, 3585),
    "yubari_01209_first20.geojson": (Town("01209", 12), 20, 1619),
}
KEYS = ["222120010", "222120020", "222120010"]


def read(path, report, town=YAIZU):
    return boundary.read(path, town=town, credit="x", report=report)


@pytest.mark.parametrize("name", REAL)
def test_real_boundaries(name, report):
    town, count, people = REAL[name]
    blocks = read(CLIPS / "boundary" / name, report, town)
    features = json.loads((CLIPS / "boundary" / name).read_text(encoding="utf-8"))["features"]
    stated = [feature["properties"] for feature in features]
    assert blocks.zones.ids == tuple(row["KEY_CODE"] for row in stated)
    assert blocks.zones.names == tuple(row["S_NAME"] for row in stated)
    assert blocks.persons.tolist() == [row["JINKO"] for row in stated]
    assert blocks.households.tolist() == [row["SETAI"] for row in stated]
    assert (len(blocks.zones), blocks.persons.sum()) == (count, people)
    for mine, row in zip(blocks.zones.areas(), stated, strict=True):
        assert mine == pytest.approx(row["AREA"], rel=2e-4)
    assert blocks.zones.kind == "town_block"
    assert not report.problems


def blocks(keys=KEYS, **columns):
    count = len(keys)
    values = {
        "KEY_CODE": keys, "S_NAME": ["港", "栄町", "港"][:count], "HCODE": [8101] * count,
        "KIGO_E": ["E1", None, "E2"][:count], "JINKO": [70, 30, 70][:count],
        "SETAI": [20, 10, 20][:count],
    }  # fmt: skip
    return frame(**(values | columns))


@pytest.mark.parametrize("ending", ["shp", "gpkg", "geojson"])
@pytest.mark.parametrize("people", [[70, 30, 70], [70, 30, 0], [0, 30, 70]])
def test_people_are_counted_once_a_block(ending, people, tmp_path, report):
    read_blocks = read(write(tmp_path / f"a.{ending}", blocks(JINKO=people)), report)
    assert read_blocks.zones.ids == ("222120010", "222120020")
    assert read_blocks.zones.names == ("港", "栄町")
    assert read_blocks.persons.tolist() == [70, 30]
    assert read_blocks.households.tolist() == [20, 10]
    assert not report.problems


def test_different_numbers_of_one_block(tmp_path, report):
    read_blocks = read(write(tmp_path / "a.gpkg", blocks(JINKO=[70, 30, 60])), report)
    assert len(read_blocks.zones) == 2
    assert found(report) == [("FM553", 3, "JINKO")]


def test_water_is_left_out(tmp_path, report):
    keys = ["222120010", "222120020", "222129990"]
    data = blocks(keys, HCODE=[8101, 8101, 8154], JINKO=[1, 2, 0])
    read_blocks = read(write(tmp_path / "a.gpkg", data), report)
    assert read_blocks.zones.ids == tuple(keys[:2])
    assert not report.problems
    data["JINKO"] = [1, 2, 3]
    assert read(write(tmp_path / "b.gpkg", data), report).persons.sum() == 3
    assert found(report) == [("FM554", 3, "JINKO")]


def test_other_towns_are_left_out(tmp_path, report):
    keys = ["222120010", "372010010", "22212002001"]
    assert read(write(tmp_path / "a.gpkg", blocks(keys)), report).zones.ids == (keys[0], keys[2])
    assert not report.problems
    assert read(write(tmp_path / "b.gpkg", blocks(["372010010"] * 3)), report).zones is None
    assert found(report) == [("FM556", None, "KEY_CODE")]


def test_a_lost_zero_is_put_back(tmp_path, report):
    path = CLIPS / "boundary" / "utashinai_01227.geojson"
    features = json.loads(path.read_text(encoding="utf-8"))
    for feature in features["features"]:
        feature["properties"]["KEY_CODE"] = int(feature["properties"]["KEY_CODE"])
    changed = tmp_path / "a.geojson"
    changed.write_text(json.dumps(features), encoding="utf-8")
    assert read(changed, report, Town("01227", 12)).zones.ids[0] == "012270010"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"JINKO": [1, None, 1]}, ("FM301", 2, "JINKO")),
        ({"JINKO": ["1", "約3", "1"]}, ("FM303", 2, "JINKO")),
        ({"keys": ["222120010", None, "222120010"]}, ("FM544", 2, "KEY_CODE")),
    ],
)
def test_one_fault_is_found_where_it_stands(columns, expected, tmp_path, report):
    read_blocks = read(write(tmp_path / "a.gpkg", blocks(**columns)), report)
    assert found(report) == [expected]
    assert (read_blocks.zones is None) == (expected[0] == "FM544")


def test_a_missing_column(tmp_path, report):
    data = blocks().rename(columns={"KEY_CODE": "KEYCODE"})
    assert read(write(tmp_path / "a.gpkg", data), report).zones is None
    assert found(report) == [("FM201", None, "KEY_CODE")]
    without = blocks().drop(columns=["JINKO", "SETAI", "HCODE"])
    assert read(write(tmp_path / "b.gpkg", without), report).persons is None


@pytest.mark.parametrize("wrong", ["2221200", "22212A010", "22212001000"[:10]])
def test_codes_of_another_form(wrong, tmp_path, report):
    path = write(tmp_path / "a.gpkg", blocks(["222120010", wrong, "222120010"]))
    assert read(path, report).zones is None
    assert found(report) == [("FM313", 2, "KEY_CODE")]
