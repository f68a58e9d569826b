"""Scenarios on the desk: the workbook, rasters and GeoParquet hold the numbers of the runs."""

import zipfile
from html import unescape
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import rasterio

from futuremap.config.scenario import Scenario
from futuremap.core.fields import field
from futuremap.pipeline.deliver_scenarios import deliver_scenarios
from futuremap.pipeline.scenarios import Comparison, play

KML = "{http://www.opengis.net/kml/2.2}"
SAID = {
    "come": {"name": "家族が来る", "people": [{"bundle": "family_30s", "per_year": 100.0}]},
    "open": {"name": "新しい会館", "facility": [
        {"class": "community_center", "name": "新会館", "year": 2035, "latitude": 34.34,
         "longitude": 134.045}]},
    "care": {"name": "介護予防", "rate": [{"indicator": "care_needed", "factor": 0.8}]},
}  # fmt: skip


@pytest.fixture(scope="module")
def played(outcome):
    settings = {key: Scenario.model_validate(one) for key, one in SAID.items()}
    return Comparison(outcome, tuple(play(outcome, key, one) for key, one in settings.items()))


@pytest.fixture(scope="module")
def written(played, tmp_path_factory):
    return deliver_scenarios(played, tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="module")
def book(written):
    return openpyxl.load_workbook(written / "excel" / "takamatsu_scenarios.xlsx")


def test_the_first_sheet_has_every_scenario_beside_the_baseline(book, played):
    rows = list(book["まとめ"].iter_rows(min_row=2, values_only=True))
    heads = [str(cell).split("\n")[0] for cell in rows[0]]
    assert heads[3:] == [
        "現況（2023年）", "何もしない将来（2053年）", "家族が来る", "家族が来る：何もしない将来との差",
        "新しい会館", "新しい会館：何もしない将来との差", "介護予防", "介護予防：何もしない将来との差",
    ]  # fmt: skip
    table = {row[1]: dict(zip(heads[3:], row[3:], strict=True)) for row in rows[1:] if row[1]}
    for one in played.scenarios:
        population = float(one.outcome.municipal.column("population", 2053)[0])
        assert table["人口"][one.setting.name] == pytest.approx(population)
    care = table[field("care_needed").name_ja]
    assert care["介護予防：何もしない将来との差"] < 0
    assert care["新しい会館：何もしない将来との差"] == 0


def test_sheets_show_the_places_that_differ_and_only_those(book):
    titles = {sheet.title: sheet["A1"].value for sheet in book if sheet.title.startswith("比較")}
    said = [title.split(" / ")[0] for title in titles.values()]
    assert said == [
        "家族が来る：市区町村",
        "家族が来る：町丁",
        "家族が来る：施設",
        "新しい会館：施設",
    ]
    sheet = book[list(titles)[-1]]
    rows = [row for row in sheet.iter_rows(min_row=4, values_only=True) if row[0]]
    new = [row for row in rows if row[1] == "新会館"]
    assert len(new) == 1
    assert new[0][-3] == 0 < new[0][-2]  # nobody without it
    assert all(any(row[i] != 0 for i in range(6, len(row), 3)) for row in rows)


def test_rasters_and_geoparquet_hold_the_differences(written, played):
    stem = written / "raster" / "mesh250_come"
    with rasterio.open(f"{stem}_population_difference.tif") as image:
        gap = image.read(image.count, masked=True)
    baseline, come = played.baseline, played.scenarios[0].outcome
    more = come.projection.population.totals()[-1].sum()
    more -= baseline.projection.population.totals()[-1].sum()
    assert float(gap.sum()) == pytest.approx(more, rel=1e-5)
    shapes = gpd.read_parquet(written / "geoparquet" / "town_blocks_come.parquet")
    assert float(shapes["population_difference_2053"].sum()) == pytest.approx(more)
    assert not list((written / "raster").glob("*open*"))  # no raster where nobody differs
    assert np.isfinite(gap.compressed()).all()


def test_the_page_names_what_was_written_and_bytes_are_the_same_again(written, played, tmp_path):
    again = deliver_scenarios(played, tmp_path)
    page = (written / "README.html").read_text(encoding="utf-8")
    for path in sorted(written.rglob("*.*")):
        name = path.relative_to(written)
        if path.is_file() and path.name != "manifest.json":
            assert path.read_bytes() == (again / name).read_bytes(), name
        if name.parts[0] in {"excel", "raster"} and path.suffix != ".xml":
            assert name.as_posix() in page
    assert "使われ方が変わるサービス" in page


def test_a_scenario_of_a_hostile_name_is_a_text_everywhere(outcome, tmp_path):
    name = '10%s =cmd|<b>&]]>$[name]"'
    setting = Scenario.model_validate(SAID["come"] | {"name": name})
    out = deliver_scenarios(Comparison(outcome, (play(outcome, "x", setting),)), tmp_path)
    with zipfile.ZipFile(out / "earth" / "web" / "x_town_blocks.kmz") as archive:
        root = ET.fromstring(archive.read("doc.kml"))  # noqa: S314 - our own
    texts = [element.text or "" for element in root.iter(f"{KML}description")]
    shown = unescape(next(text for text in texts if "10%s" in text))
    assert f"{name}（2053年）" in shown
    assert "$[" not in "".join(texts)
    assert "<b>&]]" not in (out / "README.html").read_text(encoding="utf-8")
    book = openpyxl.load_workbook(out / "excel" / "takamatsu_scenarios.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
