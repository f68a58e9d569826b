"""Every file is taken for what it is, within two seconds, and none makes it stop."""

import gzip
import json
import shutil
import time
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from futuremap.problems import Report
from futuremap.sources import recognise_tables, totals
from futuremap.sources.recognise import recognise
from futuremap.sources.recognised import TITLES, Clues, recognised

from . import (
    estat_files,
    shapes,
    test_estat_small_area,
    test_ipss,
    test_ksj_mesh,
    test_ksj_points,
    test_life_table_file,
    test_register,
)

GEO = Path(__file__).resolve().parents[2] / "fixtures" / "geo"
CLIPS = GEO / "clips"

REAL = {  # file: kind, years, zones, people
    "takamatsu/register_201811.xlsx": ("register", (2018,), 235, 428_276),
    "takamatsu/register_202211.csv": ("register", (2022,), 235, 422_756),
    "takamatsu/ipss2018.csv": ("projection", tuple(range(2015, 2046, 5)), 1, 378_118),
    "takamatsu/outline_n03.geojson": ("outline", (), 1, None),
    "takamatsu/medical.csv": ("facilities", (), 617, None),
    "takamatsu/primary_school.xlsx": ("facilities", (), 53, None),
    "takamatsu/project.toml": ("project", (2023, 2053), None, None),
    "mihara_yugawara/census.csv": ("census", tuple(range(1980, 2016, 5)), 2, 121_220),
    "mihara_yugawara/census2020.csv": ("census_totals", (2020,), 2, 113_999),
    "mihara_yugawara/halls_34204.csv": ("facilities", (), 24, None),
    "twelve_municipalities/outline_n03.geojson": ("outline", (), 12, None),
    "clips/boundary/utashinai_01227.geojson": ("boundary", (2015,), 9, 3_585),
    "clips/estat/tblT001102Q5240_clip.txt": ("estat_mesh", (2020,), None, None),
    "clips/register/joined_12.csv": ("register_series", None, 12, None),
    "clips/register/0066_202401_12.xlsx": ("register", (2024,), 12, None),
    "clips/yaizu/elementary_school_district.shp": ("districts", (), 13, None),
    "clips/yaizu/neighbourhood_association_26_28.shp": ("vector", (), None, None),
    "clips/yaizu/park.csv": ("facilities", (), None, None),
    "README.md": ("unknown", (), None, None),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_taken_for_what_they_are(name):
    kind, years, zones, people = REAL[name]
    started = time.monotonic()
    found = recognise(GEO / name)
    assert time.monotonic() - started < 2
    assert (found.kind, found.verified) == (kind, True)
    assert years is None or found.years == years
    assert zones is None or found.zones == zones
    assert people is None or found.people == people


def test_sound_files_are_sure_and_say_their_town_and_month():
    found = recognise(GEO / "takamatsu" / "register_201811.xlsx")
    assert found.sure == 1.0
    assert not found.lacks
    assert [town.code for town in found.clues.towns] == ["37201"]
    assert (found.clues.towns[0].name, found.clues.month) == ("高松市", "2018-11")
    assert found.clues.located
    assert recognise(GEO / "mihara_yugawara" / "halls_34204.csv").clues.made_up


def test_garbled_names_are_told_with_their_code():
    found = recognise(CLIPS / "register" / "0066_202304_12.xlsx")
    assert found.kind == "register"
    assert not found.usable
    assert any(ja.startswith("FM568") for ja, _ in found.lacks)


def test_every_kind_of_the_package_has_a_file_here(tmp_path):
    made = made_files(tmp_path)
    kinds = {recognise(path).kind for path in made}
    kinds |= {recognise(GEO / name).kind for name in REAL}
    assert kinds == set(TITLES)


def made_files(folder):
    """合成データ: a file of each kind of which there is no real one."""
    small = estat_files.write(folder / "tblT001082C01.txt", test_estat_small_area.rows())
    mesh = test_ksj_mesh.write(folder / "mesh.geojson", test_ksj_mesh.records())
    points = test_ksj_points.points(test_ksj_points.EDITIONS["P27"])
    life = folder / "life.csv"
    life.write_text("\n".join(",".join(row) for row in test_life_table_file.life_table()), "utf-8")
    raster = shapes.geotiff(folder / "people.tif", np.array([[1.0, 2.0], [3.0, 4.0]]))
    mapped = folder / "people_2020.csv"
    mapped.write_text(
        "町丁名,男0～4歳,男5歳以上,女0～4歳,女5歳以上\n甲町,1,2,3,4\n乙町,1,1,1,1\n", "utf-8"
    )
    shapes.write(folder / "areas.shp", shapes.frame())
    kinds = {
        "ipss_workbook": test_ipss.workbook(folder),
        "estat_small_area": small,
        "ksj_mesh": mesh,
        "ksj_points": shapes.write(folder / "P27.geojson", points),
        "life_table": life,
        "raster": raster,
        "mapped_table": mapped,
        "part": folder / "areas.dbf",
        "vector": folder / "areas.shp",
    }
    return {path: kind for kind, path in kinds.items()}


def test_layouts_never_read_from_a_real_file_are_marked(tmp_path):
    unverified = {"ipss_workbook", "estat_small_area", "ksj_mesh", "ksj_points", "life_table"}
    for path, kind in made_files(tmp_path).items():
        found = recognise(path)
        assert (found.kind, found.verified) == (kind, kind not in unverified)


def test_what_is_counted_in_made_files(tmp_path):
    made = {kind: recognise(path) for path, kind in made_files(tmp_path).items()}
    assert made["estat_small_area"].zones == 4
    assert made["estat_small_area"].people == test_estat_small_area.ALL[0]
    assert [town.code for town in made["estat_small_area"].clues.towns] == ["01209"]
    assert made["ksj_mesh"].years == (2020, 2025, 2030)
    assert made["mapped_table"].years == (2020,)
    assert made["mapped_table"].people == 14
    assert made["ksj_points"].title_ja.endswith("P27 文化施設")
    assert "key" in made["vector"].lacks[0][0]


def test_the_wpp_files_other_than_mortality_are_not_life_tables(tmp_path):
    path = test_life_table_file.wpp(tmp_path, "male")
    path = path if isinstance(path, Path) else next(tmp_path.glob("*.txt"))
    assert recognise(path).kind == "life_table"
    other = tmp_path / "tfr.txt"
    other.write_text("country_code\tname\t1950-1955\n392\tJapan\t2.9\n")
    assert recognise(other).kind == "unknown"


def hostile(folder):
    """Files that are not what they say, or nothing at all."""
    real = (GEO / "takamatsu" / "register_202311.xlsx").read_bytes()
    shp = (CLIPS / "yaizu" / "elementary_school_district.shp").read_bytes()
    bodies = {
        "empty.csv": b"",
        "nul.csv": b"a\0b,c\n" * 9,
        "noise.csv": bytes(range(256)) * 40,
        "headings.csv": "地域名,総人口\n".encode(),
        "vrt.csv": b"<OGRVRTDataSource></OGRVRTDataSource>",
        "vrt.tif": b"<VRTDataset></VRTDataset>",
        "vrt.gpkg": b"<VRTDataset></VRTDataset>",
        "cut.xlsx": real[: len(real) // 2],
        "cut.gz": gzip.compress(b"code,year\n" * 999)[:40],
        "cut.shp": shp[:200],
        "cut.tif": b"II*\0" + b"\xff" * 90,
        "cut.gpkg": b"SQLite format 3\0" + b"\0" * 90,
        "deep.geojson": b'{"a":' * 9_000,
        "list.json": b"[1, 2, 3]",
        "old.xls": b"\xd0\xcf\x11\xe0" + b"\0" * 600,
        "bad.toml": b"a = 01209",
        "other.toml": b"[tool]\nname = 1\n",
        "wrong.toml": b"project = 1\nmunicipality = 2\n",
        "bomb.gz": gzip.compress(b"0" * 40_000_000),
        "KEY.txt": b"KEY_CODE,HTKSYORI,HTKSAKI,GASSAN,T999999001\n,,,,\n1,0,,,x\n",
        "wide.csv": b",".join([b"x"] * 5_000) + b"\n1\n",
        "noname.prj": b"GEOGCS[]",
    }
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    with zipfile.ZipFile(folder / "zeros.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tbl.txt", b"0" * 60_000_000)
    with zipfile.ZipFile(folder / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 60_000_000)
    with zipfile.ZipFile(folder / "empty.zip", "w"):
        pass
    far = openpyxl.Workbook()
    far.active["XFD1048576"] = 1
    far.save(folder / "far.xlsx")
    return sorted(folder.iterdir())


def test_hostile_files_are_told_and_never_raise(tmp_path):
    for path in hostile(tmp_path):
        started = time.monotonic()
        found = recognise(path)
        assert time.monotonic() - started < 2, path.name
        if found.kind != "project":
            assert not found.usable, path.name
            assert found.lacks, path.name
            assert all(ja and en for ja, en in found.lacks)


def test_a_file_that_cannot_be_opened_is_told(tmp_path):
    assert recognise(tmp_path / "none.csv").kind == "unknown"


def test_a_reader_that_stops_is_told(tmp_path, monkeypatch):
    def stop(path, table):
        raise ValueError(path, table)

    monkeypatch.setitem(recognise_tables.READERS, "projection", stop)
    found = recognise(shutil.copy(GEO / "takamatsu" / "ipss2018.csv", tmp_path) and
                      tmp_path / "ipss2018.csv")  # fmt: skip
    assert found.kind == "unknown"
    assert "ValueError" in found.lacks[0][1]


def repeated(source, target, times):
    head, *rows = source.read_text("utf-8-sig").splitlines()
    target.write_text("\n".join([head, *rows * times]), "utf-8")
    return target


def test_large_files_are_told_by_their_headings_within_two_seconds(tmp_path):
    takamatsu = GEO / "takamatsu"
    features = json.loads((CLIPS / "boundary" / "yubari_01209_first20.geojson").read_text("utf-8"))
    features["features"] *= 9_000_000 // len(json.dumps(features))
    outline = tmp_path / "large.geojson"
    outline.write_text(json.dumps(features), "utf-8")
    cases = {
        repeated(takamatsu / "medical.csv", tmp_path / "facilities.csv", 20): ("facilities", 0.9),
        repeated(takamatsu / "register_202211.csv", tmp_path / "reg.csv", 60): ("register", 0.9),
        repeated(takamatsu / "ipss2018.csv", tmp_path / "ipss.csv", 5_000): ("projection", 0.6),
        outline: ("boundary", 0.6),
    }
    for path, expected in cases.items():
        started = time.monotonic()
        found = recognise(path)
        assert time.monotonic() - started < 2, path.name
        assert (found.kind, found.sure) == expected
    assert recognise(tmp_path / "reg.csv").zones == 235 * 60


def test_a_table_that_cannot_be_tried_is_a_guess_by_its_headings(tmp_path):
    ages = [f"{sex}{age}" for sex in "男女" for age in ("0～4歳", "5歳以上")]
    path = tmp_path / "wide.csv"
    path.write_text("\n".join([",".join(["町丁名", *ages])] + ["甲,1,2,3,4"] * 4_000), "utf-8")
    found = recognise(path)
    assert (found.kind, found.zones, found.usable) == ("mapped_table", 4_000, False)


def test_what_was_not_tried_is_usable_but_not_sure():
    found = recognised(Path("a"), "raster", clues=Clues(tried=False))
    assert (found.sure, found.usable, found.tried) == (0.9, True, False)


def test_totals_of_ssds_as_they_were_found(tmp_path):
    text = (
        "調査年 コード,調査年,JCODE,地域,ALL,U14\n"
        '2020100000,2020年度,01100,北海道 札幌市,"1,973,395","215,366"\n'
        '2020100000,2020年度,01101,北海道 札幌市 中央区,"248,680","23,868"\n'
        '2020100000,2020年度,34204,広島県 三原市,"90,573","9,950"\n'
    )
    path = tmp_path / "census_2020.csv"
    path.write_text(text, encoding="utf-8")
    found = recognise(path)
    assert (found.kind, found.years, found.zones, found.people) == (
        "census_totals",
        (2020,),
        3,
        None,
    )
    assert found.tried
    report = Report()
    read = totals.read(path, code="34204", name="三原市", year=2020, report=report)
    assert not report.problems
    assert read.column("population", 2020).tolist() == [90573]


def test_meshes_of_125_m_are_known_by_their_table(tmp_path):
    # one file a prefecture, as T001231 is given out
    body = estat_files.CLIP.read_bytes().replace(b"T001102", b"T001231")
    head, rows = body.split(b"\r\n")[:2], body.split(b"\r\n")[2:]
    finer = [row.replace(b",", b"1,", 1) for row in rows if row.split(b",")[1:2] == [b"0"]]
    path = tmp_path / "tblT001231E37.txt"
    path.write_bytes(b"\r\n".join([*head, *finer]) + b"\r\n")
    found = recognise(path)
    assert (found.kind, found.years, found.zones) == ("estat_mesh", (2020,), len(finer))
    assert found.clues.detail == "T001231 125 m"
    assert found.usable
    assert not found.verified


def test_the_year_of_a_table_may_stand_in_its_title(tmp_path):
    ages = ["0～4歳", "5歳以上"]
    rows = [
        ["町丁別年齢別人口"], ["令和２年９月末現在"],
        ["町丁", "区分", *ages], ["甲", "男", 3, 4], [None, "女", 5, 6], [None, "計", 8, 10],
        ["乙", "男", 1, 2], [None, "女", 2, 1], [None, "計", 3, 3],
    ]  # fmt: skip
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "machi.xlsx")
    found = recognise(tmp_path / "machi.xlsx")
    assert (found.kind, found.years, found.zones, found.people) == ("mapped_table", (2020,), 2, 24)
    assert dict(found.clues.mapping)["sex"] == "区分"
    rows[0] = ["平成27年から令和2年まで"]  # not one year only
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "machi.xlsx")
    assert recognise(tmp_path / "machi.xlsx").years == ()


def test_a_long_table_that_is_large_is_still_told(tmp_path):
    path = tmp_path / "long.csv"
    row = "2020-10-01,甲,男,0～4歳,3"
    path.write_text("\n".join(["年月日,行政区,性別,年齢,人数", *[row] * 4_000]), "utf-8")
    assert recognise(path).kind == "mapped_table"


def test_all_municipalities_of_one_register_are_named(tmp_path):
    rows = test_register.register_rows(12)
    code, name = rows[0].index("prefCode"), rows[0].index("regionName")
    number, others = rows[0].index("#property"), []
    for i, row in enumerate(rows[1:]):
        other = list(row)
        other[code], other[name], other[number] = "342041", f"隣{i}", str(900 + i)
        others.append(other)
    path = test_register.write_csv(tmp_path / "both.csv", [*rows, *others])
    found = recognise(path)
    assert [town.code for town in found.clues.towns] == ["37201", "34204"]
    assert (found.kind, found.zones, found.usable) == ("register", len(rows) - 1, True)
