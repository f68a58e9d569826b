import csv
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from futuremap.core.ages import AgeGroups
from futuremap.core.population import FLAG_NAMES, Flag, Population
from futuremap.core.table import Table
from futuremap.errors import LabelError
from futuremap.export.tabular import write_frame, write_population, write_table

NAMES = {"01209": "=SUM(A1)", "01210": "夕張市、本町"}


def people(flag=Flag.OBSERVED):
    persons = np.arange(8.0).reshape(1, 2, 2, 2) + 0.123456789
    return Population.build(
        persons, years=[2023], zones=list(NAMES), ages=AgeGroups((0, 5)), flag=flag
    )


def rows_of(path):
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\n") == raw.count(b"\r\n")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_population_has_one_row_a_number(tmp_path):
    parquet, text = write_population(people(), tmp_path / "population", names=NAMES)
    assert (parquet.name, text.name) == ("population.parquet", "population.csv")
    frame = pd.read_parquet(parquet)
    assert list(frame.columns) == [
        "zone", "name", "year", "sex", "age", "age_group", "persons", "origin",
    ]  # fmt: skip
    assert frame["persons"].tolist() == people().persons.ravel().tolist()
    last = frame.iloc[-1].to_dict()
    assert last == {
        "zone": "01210", "name": "夕張市、本町", "year": 2023, "sex": "female", "age": 5,
        "age_group": "5歳以上", "persons": 7.123456789, "origin": "観測",
    }  # fmt: skip


def test_csv_has_japanese_headings_and_runs_no_formula(tmp_path):
    _, text = write_population(people(), tmp_path / "population", names=NAMES)
    rows = rows_of(text)
    assert rows[0] == [
        "区域コード", "名称", "年", "性別", "年齢（歳以上）", "年齢階級", "人口（人）", "数値の由来",
    ]  # fmt: skip
    assert rows[1] == ["01209", "'=SUM(A1)", "2023", "男", "0", "0～4歳", "0.123457", "観測"]
    assert rows[-1][3:5] == ["女", "5"]
    assert len(rows) == 1 + 8


def test_origin_names_every_flag_of_a_row(tmp_path):
    assert set(FLAG_NAMES) == set(Flag)
    flags = np.full((1, 2, 2, 2), Flag.OBSERVED, dtype=np.uint8)
    flags[0, 1, 1, 0] = Flag.IMPUTED | Flag.PROJECTED
    parquet, _ = write_population(people(flags), tmp_path / "p", names=NAMES)
    origins = pd.read_parquet(parquet)["origin"].tolist()
    assert origins == ["観測"] * 6 + ["補完・推計", "観測"]


def test_flags_of_a_zone_hold_for_its_rows(tmp_path):
    flags = np.array([[Flag.OBSERVED, Flag.SYNTHETIC]], dtype=np.uint8)
    parquet, _ = write_population(people(flags), tmp_path / "p", names=NAMES)
    assert pd.read_parquet(parquet)["origin"].tolist() == ["観測"] * 4 + ["合成"] * 4


def test_indicators_stand_in_reader_units_in_both_files(tmp_path):
    values = {
        "population": np.array([[12.0, -0.0], [1e-9, 3.5]]),
        "ageing_rate": np.array([[0.255, np.nan], [0.3, 1 / 3]]),
    }
    table = Table.build(values, years=[2023, 2053], zones=list(NAMES))
    parquet, text = write_table(table, tmp_path / "indicators", names=NAMES)
    frame = pd.read_parquet(parquet)
    assert frame["unit"].tolist() == ["人"] * 4 + ["％"] * 3
    assert frame["value"].tolist()[-3:] == pytest.approx([25.5, 30.0, 100 / 3])
    rows = rows_of(text)
    assert rows[0] == ["区域コード", "名称", "年", "指標（英名）", "指標", "単位", "値"]
    assert [row[-1] for row in rows[1:]] == ["12", "0", "0", "3.5", "25.5", "30", "33.333333"]
    assert rows[-1][1:6] == ["夕張市、本町", "2053", "ageing_rate", "高齢化率", "％"]


def test_a_zone_without_a_name_is_an_error(tmp_path):
    with pytest.raises(LabelError, match="01210"):
        write_population(people(), tmp_path / "p", names={"01209": "旭川"})


def test_facilities_without_coordinates_are_listed(tmp_path):
    features = gpd.GeoDataFrame(
        {
            "name": ["小学校", "@病院"],
            "address": [None, "本町1"],
            "opened": [1990.0, np.nan],
            "people_in_reach_2023": [1000.25, np.nan],
        },
        index=["a", "b"],
        geometry=[shapely.Point(134.5, 34.25), None],
        crs=6668,
    )
    parquet, text = write_frame(features, tmp_path / "facilities")
    assert rows_of(text) == [
        ["区域コード", "名称", "所在地", "開設年", "利用圏人口 2023年（人）",
         "経度（JGD2011）", "緯度（JGD2011）"],
        ["a", "小学校", "", "1990", "1000.25", "134.5", "34.25"],
        ["b", "'@病院", "本町1", "", "", "", ""],
    ]  # fmt: skip
    schema = pq.read_schema(parquet)
    assert str(schema.field("opened").type) == "int64"
    assert schema.metadata is None
    assert "geometry" not in schema.names


def test_areas_have_no_coordinates(tmp_path):
    features = gpd.GeoDataFrame(
        {"name": ["町"]}, index=["a"], geometry=[shapely.box(0, 0, 1, 1)], crs=6668
    )
    _, text = write_frame(features, tmp_path / "towns")
    assert rows_of(text)[0] == ["区域コード", "名称"]


@pytest.mark.parametrize("made_up", [set(NAMES), {"01210"}])
def test_made_up_zones_say_so_in_every_row(tmp_path, made_up):
    values = np.array([[12.0, 3.0]])
    table = Table.build({"population": values}, years=[2023], zones=list(NAMES))
    written = {
        kind: [
            write_population(people(), tmp_path / f"p{len(kind)}", names=NAMES, made_up=kind),
            write_table(table, tmp_path / f"t{len(kind)}", names=NAMES, made_up=kind),
        ]
        for kind in (frozenset(), frozenset(made_up))
    }
    for (plain, plain_text), (marked, marked_text) in zip(*written.values(), strict=True):
        before, after = pd.read_parquet(plain), pd.read_parquet(marked)
        assert list(after.columns) == [*before.columns, "remark"]
        said = after["zone"].astype(str).isin(made_up)
        assert (after["remark"].astype(str) == np.where(said, "合成データ", "")).all()
        remarks = [row[-1] for row in rows_of(marked_text)]
        assert remarks[0] == "備考"
        assert remarks[1:] == np.where(said, "合成データ", "").tolist()
        assert [row[:-1] for row in rows_of(marked_text)] == rows_of(plain_text)


def test_same_input_same_bytes(tmp_path):
    files = [write_population(people(), tmp_path / name, names=NAMES) for name in ("a", "b")]
    for one, other in zip(*files, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_city_is_written_in_a_moment(tmp_path):
    chance = np.random.default_rng(1)
    zones = [f"37201{z:04d}" for z in range(235)]
    population = Population.build(
        chance.uniform(0, 50, (7, 235, 2, 18)),
        years=range(2023, 2054, 5),
        zones=zones,
        ages=AgeGroups.five_year(open_age=85),
    )
    started = time.perf_counter()
    _, text = write_population(population, tmp_path / "p", names=dict.fromkeys(zones, "町"))
    assert time.perf_counter() - started < 5
    assert len(rows_of(text)) == 1 + 59_220
