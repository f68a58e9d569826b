"""The desk formats of the demo: every client holds the same numbers, and all of it is accounted for."""

import errno
import html
import json
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import rasterio

from futuremap.core.mesh import centre
from futuremap.errors import ExportError
from futuremap.export.publish import publishing
from futuremap.pipeline import deliver_office
from futuremap.pipeline.draw import draw
from futuremap.problems import Report

pytestmark = pytest.mark.story

NAME = "takamatsu_baseline"


@pytest.fixture(scope="module")
def book(demo_output):
    return openpyxl.load_workbook(demo_output / "excel" / f"{NAME}.xlsx")


def table_of(sheet):
    """The main table of a sheet, its columns by their Japanese headings."""
    top = int(re.sub(r"\D", "", sheet.auto_filter.ref.split(":")[0]))
    rows = list(sheet.iter_rows(min_row=top, values_only=True))
    heads = [str(cell).split("\n")[0] for cell in rows[0]]
    return pd.DataFrame(rows[1:], columns=heads)


def layer(folder, name):
    frame = pyogrio.read_dataframe(
        folder / "qgis" / f"{NAME}.gpkg", layer=name, read_geometry=False
    )
    return frame.set_index("zone")


def balloons(folder, theme):
    """Descriptions of the placemarks of the base year by id, as text."""
    with zipfile.ZipFile(folder / "earth" / "web" / f"{theme}.kmz") as archive:
        kml = archive.read("doc.kml").decode("utf-8")
    found = re.findall(
        r'<Placemark id="now-([^"]+)">.*?<description>(.*?)</description>', kml, re.DOTALL
    )
    return {zone: html.unescape(text) for zone, text in found}


def test_workbook_geopackage_earth_and_parquet_hold_the_same_numbers(demo_output, book):
    ours = table_of(book["人口（町丁）"]).set_index("区域コード")
    gpkg = layer(demo_output, "town_blocks")
    parquet = pq.read_table(demo_output / "geoparquet" / "town_blocks.parquet").to_pandas()
    parquet = parquet.set_index("zone")
    assert ours.index.tolist() == gpkg.index.tolist() == parquet.index.tolist()
    for column, heading in (
        ("population_2023", "人口 2023年（人）"),
        ("population_2053", "人口 2053年（人）"),
        ("population_low_2053", "80％区間の下限 2053年"),
        ("population_high_2053", "80％区間の上限 2053年"),
        ("change_rate_2053", "人口の増減率 2053年（％）"),
        ("ageing_rate_2053", "高齢化率 2053年（％）"),
    ):
        theirs = gpkg[column].to_numpy(dtype=float)
        # a workbook holds 16 digits
        np.testing.assert_allclose(ours[heading].to_numpy(dtype=float), theirs, rtol=1e-15)
        np.testing.assert_array_equal(parquet[column].to_numpy(dtype=float), theirs)
    said = balloons(demo_output, "town_blocks")
    assert len(said) > 200
    for zone, text in said.items():
        now, later = re.search(
            r"<td>人口（人）</td><td[^>]*>([^<]+)</td><td[^>]*>([^<]+)</td>", text
        ).groups()
        assert now == f"{ours.loc[zone, '人口 2023年（人）']:,.1f}"
        assert later == f"{ours.loc[zone, '人口 2053年（人）']:,.1f}"


def test_facilities_are_the_same_in_workbook_geopackage_and_earth(demo_output, book):
    ours = table_of(book["施設"]).set_index("区域コード")
    gpkg = layer(demo_output, "facilities")
    assert ours.index.tolist() == gpkg.index.tolist()
    for column, heading in (
        ("people_in_reach_2023", "利用圏人口 2023年（人）"),
        ("people_in_reach_2053", "利用圏人口 2053年（人）"),
        ("years_in_service_2053", "供用開始後年数 2053年（年）"),
        ("people_in_reach_low_2053", "80％区間の下限 2053年"),
    ):
        np.testing.assert_allclose(
            ours[heading].to_numpy(dtype=float), gpkg[column].to_numpy(dtype=float), rtol=1e-15
        )
    assert ours["名称"].tolist() == gpkg["name"].tolist()
    said = balloons(demo_output, "facilities")
    assert len(said) > 500
    for zone, text in said.items():
        assert f"{ours.loc[zone, '利用圏人口 2023年（人）']:,.0f}" in text


def test_rasters_hold_the_cells_of_the_geopackage(demo_output):
    cells = layer(demo_output, "mesh250")
    places = centre(cells.index.tolist())
    with rasterio.open(demo_output / "raster" / "mesh250_population.tif") as image:
        years = [image.tags(i)["YEAR"] for i in image.indexes]
        assert years == [str(year) for year in range(2023, 2054, 5)]
        values = np.array(list(image.sample(zip(places.lon, places.lat, strict=True))))
        assert np.isfinite(image.read(1)).sum() == len(cells)
    for i, year in enumerate(years):
        np.testing.assert_array_equal(values[:, i], cells[f"population_{year}"])
    with rasterio.open(demo_output / "raster" / "mesh250_2053_class.tif") as image:
        classes = np.array(list(image.sample(zip(places.lon, places.lat, strict=True))))[:, 0]
    shown = cells["shown_future_2053"].to_numpy() == 1
    assert (classes[~shown] == 255).all()
    limits = np.searchsorted([20, 30, 40, 50], cells["ageing_rate_2053"][shown], side="right")
    assert classes[shown].tolist() == limits.tolist()


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(book):
    for sheet in book:
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" and cell.hyperlink is None for cell in row)


def test_csv_opens_in_excel_as_utf_8_and_runs_nothing(demo_output):
    for path in sorted((demo_output / "data").glob("*.csv")):
        text = path.read_bytes()
        assert text.startswith(b"\xef\xbb\xbf"), path.name
        assert b"\r\n" in text
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        words = frame.to_numpy().ravel()
        loud = [w for w in words if w[:1] in "=+@\t\r" and w] + [
            w for w in words if w.startswith("-") and not re.fullmatch(r"-[\d.]+", w)
        ]
        assert loud == [], path.name


def test_manifest_and_welcome_page_name_every_file(demo_output):
    manifest = json.loads((demo_output / "manifest.json").read_text(encoding="utf-8"))
    listed = {entry["path"] for entry in manifest["outputs"]}
    page = (demo_output / "README.html").read_text(encoding="utf-8")
    for folder in ("excel", "raster", "geoparquet", "report"):
        found = [p.relative_to(demo_output).as_posix() for p in (demo_output / folder).iterdir()]
        assert found
        for name in found:
            assert name in listed
            assert f'<a href="{name}">' in page
    assert "地図と同じ色分け（将来 2053年）" in page


def test_without_matplotlib_the_run_says_so_and_goes_on(outcome, monkeypatch, tmp_path):
    prepared = outcome.prepared._replace(report=Report())
    monkeypatch.setattr(deliver_office, "find_spec", {}.get)
    alone = outcome._replace(prepared=prepared)
    themes = [theme for theme in draw(alone) if theme[0].kind == "town_block"]
    deliver_office.deliver_office(
        alone, themes, tmp_path, scenario="baseline", about={}, progress=lambda _: None
    )
    (problem,) = prepared.report.warnings
    assert problem.code == "FM730"
    assert "印刷用の報告書は作っていません" in "".join(problem.lines())
    assert "futuremap[report]" in "".join(problem.lines())
    assert not (tmp_path / "report").exists()
    assert (tmp_path / "excel" / f"{NAME}.xlsx").is_file()
    assert (tmp_path / "geoparquet" / "town_blocks.parquet").is_file()


@pytest.mark.parametrize("ending", [".xlsx", ".tif", ".pdf", ".parquet"])
def test_a_full_disk_leaves_the_earlier_set_whole(outcome, monkeypatch, tmp_path, ending):
    """Each kind of file meets a full disk in turn; the reader's open copy stays readable too."""
    target = tmp_path / "takamatsu"
    with publishing(target) as folder:
        (folder / "earlier.txt").write_text("whole", encoding="utf-8")
        (folder / "manifest.json").write_text(
            '{"outputs": [{"path": "earlier.txt"}]}', encoding="utf-8"
        )
    write, write_table = Path.write_bytes, pq.write_table

    def full(name):
        if str(name).endswith(ending):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(name))

    def bytes_or_full(path, data):
        full(path)
        return write(path, data)

    def table_or_full(table, path, **options):
        full(path)
        return write_table(table, path, **options)

    monkeypatch.setattr(Path, "write_bytes", bytes_or_full)
    monkeypatch.setattr(pq, "write_table", table_or_full)
    themes = [theme for theme in draw(outcome) if theme[0].kind != "facility"]
    with (
        (target / "earlier.txt").open(encoding="utf-8") as open_by_the_reader,
        pytest.raises(ExportError, match="No space left"),
        publishing(target) as folder,
    ):
        deliver_office.deliver_office(
            outcome, themes, folder, scenario="baseline", about={}, progress=lambda _: None
        )
    assert open_by_the_reader.closed
    assert (target / "earlier.txt").read_text(encoding="utf-8") == "whole"
    assert [p.name for p in target.iterdir() if p.name != "manifest.json"] == ["earlier.txt"]
    assert not list(tmp_path.glob(".takamatsu.tmp-*"))
