"""The demo, judged by its outputs: sums, reach, register, bytes, and what a person types."""

import csv
import fcntl
import hashlib
import json
import signal
import subprocess
import sys
import time
import zipfile

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely

from futuremap.core.flows import imbalance

YEARS = (2023, 2028, 2033, 2038, 2043, 2048, 2053)
PLANE = 6672  # 平面直角座標系 IV系


def hashes(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def layer(demo_output, name):
    return gpd.read_file(demo_output / "qgis" / "takamatsu_baseline.gpkg", layer=name)


def test_the_set_is_complete(demo_output):
    files = set(hashes(demo_output))
    wanted = {
        "README.html",
        "manifest.json",
        "qgis/takamatsu_baseline.gpkg",
        "data/population.parquet",
        "data/population.csv",
        "earth/web/facilities.kmz",
        "earth/web/town_blocks.kmz",
        "earth/web/mesh250_now.kmz",
        "earth/web/mesh250_2053.kmz",
        "earth/web/mesh250_change.kmz",
        "earth/pro/facilities.kmz",
        "earth/pro/town_blocks.kmz",
        "earth/pro/mesh250.kmz",
    }
    assert wanted <= files
    assert all(name.isascii() for name in files)


def test_the_manifest_names_every_file_and_every_source(demo_output):
    manifest = json.loads((demo_output / "manifest.json").read_text(encoding="utf-8"))
    listed = {entry["path"]: entry["sha256"] for entry in manifest["outputs"]}
    actual = hashes(demo_output)
    del actual["manifest.json"]
    assert listed == actual
    assert len(manifest["inputs"]) == 12
    assert all(entry["credit"] for entry in manifest["inputs"])
    assert manifest["register_census_ratio"]["37201"] == pytest.approx(1.0084, abs=1e-4)
    assert max(manifest["control_residuals"].values()) < 1e-9


def test_city_is_the_sum_of_blocks_and_of_cells_in_every_year(outcome):
    town = outcome.towns[0]
    city = outcome.municipal
    for y, year in enumerate(YEARS):
        total = city.column("population", year)[0]
        assert town.people.totals()[y].sum() == pytest.approx(total, rel=1e-9)
        assert town.mesh.people.totals()[y].sum() == pytest.approx(total, rel=1e-9)
    assert imbalance(outcome.projection.population, outcome.projection.flows) < 1e-9


def test_exported_sums_agree_too(demo_output):
    city = pd.read_parquet(demo_output / "data" / "municipality.parquet")
    totals = city[city["indicator"] == "population"].set_index("year")["value"]
    blocks, mesh = layer(demo_output, "town_blocks"), layer(demo_output, "mesh250")
    for year in YEARS:
        assert blocks[f"population_{year}"].sum() == pytest.approx(totals[year], rel=1e-9)
        assert mesh[f"population_{year}"].sum() == pytest.approx(totals[year], rel=1e-9)


def test_base_year_is_the_published_register_cell_by_cell(outcome, project):
    book = openpyxl.load_workbook(project / "register_202311.xlsx", read_only=True)
    rows = list(book.active.iter_rows(values_only=True))
    book.close()
    place = {name: i for i, name in enumerate(rows[0])}
    published = np.array(
        [
            [[int(row[place[f"{sex}{k}"]]) for k in range(1, 19)] for sex in ("man", "woman")]
            for row in rows[1:]
        ],
    )
    assert published.shape == (235, 2, 18)
    np.testing.assert_array_equal(outcome.projection.population.persons[0], published)


def test_controls_are_met_in_their_years_only(outcome, project):
    with (project / "ipss2018.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    published: dict[int, float] = {}
    for row in rows:
        published[int(row["year"])] = published.get(int(row["year"]), 0) + float(row["total"])
    for year in (2028, 2033, 2038, 2043):
        low = year - year % 5
        share = (year - low) / 5
        wanted = published[low] * (1 - share) + published[low + 5] * share
        assert outcome.municipal.column("population", year)[0] == pytest.approx(wanted, rel=1e-9)
    factors = outcome.projection.controls
    for year in (2048, 2053):
        assert factors.column("control_factor", year)[0] == 1


def test_reach_agrees_with_shapely(demo_output):
    blocks = layer(demo_output, "town_blocks").to_crs(PLANE)
    facilities = layer(demo_output, "facilities")
    located = facilities[facilities.geometry.notna()].to_crs(PLANE)
    assert len(located) == len(facilities) - 1
    discs = shapely.buffer(located.geometry.to_numpy(), 800, quad_segs=256)
    tree = shapely.STRtree(blocks.geometry.to_numpy())
    f, b = tree.query(discs, predicate="intersects")
    common = shapely.area(shapely.intersection(discs[f], blocks.geometry.to_numpy()[b]))
    share = common / blocks.area.to_numpy()[b]
    for year in (2023, 2053):
        people = blocks[f"population_{year}"].to_numpy()
        again = np.bincount(f, weights=share * people[b], minlength=len(located))
        again[(located[f"in_service_{year}"] == 0).to_numpy()] = 0  # opens later
        ours = located[f"people_in_reach_{year}"].to_numpy()
        np.testing.assert_allclose(ours, again, rtol=2e-3, atol=0.5)
        np.testing.assert_allclose(ours[again > 100], again[again > 100], rtol=1e-4)


def test_years_in_service_grow_by_the_time_that_passes(demo_output):
    facilities = layer(demo_output, "facilities")
    now, later = (facilities[f"years_in_service_{year}"] for year in (2023, 2053))
    both = now.notna()
    assert both.sum() > 400
    assert ((later - now)[both] == 30).all()
    schools = facilities["facility_class"].isin(["小学校", "中学校", "コミュニティセンター"])
    assert facilities.loc[schools, "years_in_service_2053"].isna().all()


def test_approximate_boundaries_are_said_wherever_they_are_drawn(demo_output):
    words = "境界は代表点から作成した近似"
    for path in sorted((demo_output / "earth").rglob("*.kmz")):
        with zipfile.ZipFile(path) as archive:
            assert words in archive.read("doc.kml").decode("utf-8"), path.name
    assert words in (demo_output / "README.html").read_text(encoding="utf-8")


def test_every_output_carries_its_credits(demo_output):
    for path in sorted((demo_output / "earth").rglob("*.kmz")):
        with zipfile.ZipFile(path) as archive:
            text = archive.read("doc.kml").decode("utf-8")
        for word in ("高松市オープンデータ", "国土数値情報", "国立社会保障・人口問題研究所"):
            assert word in text, path.name


def test_a_second_run_gives_the_same_bytes(demo_output, futuremap, tmp_path):
    assert futuremap("demo", "--out", tmp_path).code == 0
    assert hashes(tmp_path / "takamatsu") == hashes(demo_output)


def test_kill_during_a_rerun_leaves_the_earlier_set_whole(demo_output):
    command = [sys.executable, "-m", "futuremap", "demo", "--out", str(demo_output.parent)]
    before = hashes(demo_output)
    for seconds in (1.5, 4.0, 7.0):
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert hashes(demo_output) == before


def test_new_copies_an_example_that_passes_its_check(futuremap, tmp_path):
    assert futuremap("new", tmp_path / "town").code == 0
    answer = futuremap("check", tmp_path / "town")
    assert answer.code == 0
    again = futuremap("new", tmp_path / "town")
    assert again.code == 5
    assert futuremap("new", tmp_path / "other", "--from", "nowhere").code == 2


def test_explain_accounts_for_a_block_a_facility_and_a_cell(futuremap, project, outcome):
    block = futuremap("explain", project, "太田下町")
    assert block.code == 0
    total = outcome.towns[0].people
    last = total.totals()[-1, outcome.towns[0].town.blocks.names.index("太田下町")]
    assert f"{last:,.1f}" in block.out
    hall = futuremap("explain", project, "高松市日新コミュニティセンター")
    assert "利用圏" in hall.out
    cell = outcome.towns[0].mesh.zones.ids[2000]
    assert cell in futuremap("explain", project, cell).out
    wrong = futuremap("explain", project, "太田下町の")
    assert wrong.code == 2
    assert "太田下町" in wrong.err


def test_usage_errors_exit_2(futuremap):
    assert futuremap("run").code == 2
    assert futuremap("no-such-command").code == 2


def test_two_runs_at_once_are_kept_apart(futuremap, tmp_path):
    tmp_path.joinpath(".takamatsu.lock").touch()
    with tmp_path.joinpath(".takamatsu.lock").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        answer = futuremap("demo", "--out", tmp_path)
    assert answer.code == 6
    assert "FM701" in answer.err


def test_ctrl_c_says_so_and_leaves_the_earlier_set(demo_output):
    command = [sys.executable, "-m", "futuremap", "demo", "--out", str(demo_output.parent)]
    before = hashes(demo_output)
    running = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # a shell that runs the tests in the background has Ctrl-C ignored, and hands that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    for line in running.stderr:
        if line.startswith("Google Earth"):
            break
    running.send_signal(signal.SIGINT)
    _, said = running.communicate()
    assert running.returncode == 130
    assert "中断しました" in said
    assert "Traceback" not in said
    assert hashes(demo_output) == before
    assert not list(demo_output.parent.glob(".takamatsu.tmp-*"))


def test_whole_persons_keep_the_sums_of_zones_and_towns(demo_output):
    table = pd.read_parquet(demo_output / "data" / "population.parquet")
    assert (table["persons"] - table["persons_whole"]).abs().max() < 1
    columns = ["persons", "persons_whole"]
    totals = table.groupby("year", observed=True)[columns].sum()
    assert (totals["persons"] - totals["persons_whole"]).abs().max() <= 0.5
    zones = table.groupby(["year", "zone"], observed=True)[columns].sum()
    assert (zones["persons"] - zones["persons_whole"]).abs().max() < 1


def test_intervals_hold_their_numbers_and_reach_every_client(demo_output, outcome):
    town = outcome.towns[0]
    for table, name in (
        (town.blocks, "population"),
        (town.mesh.table, "population"),
        (town.reach.table, "people_in_reach"),
        (outcome.municipal, "population"),
    ):
        assert table.with_interval == (name,)
        for year in table.years[1:]:
            low, value, high = (table.column(name, year, b) for b in ("low", "value", "high"))
            assert ((low <= value) & (value <= high)).all()
        assert np.isnan(table.column(name, table.years[0], "low")).all()
    last = town.blocks.years[-1]
    city, blocks = (
        (t.column("population", last, "high") - t.column("population", last, "low")).sum()
        for t in (outcome.municipal, town.blocks)
    )
    assert city < blocks  # the errors of blocks partly cancel
    columns = pd.read_parquet(demo_output / "data" / "facilities.parquet").columns
    assert {"people_in_reach_low_2053", "people_in_reach_high_2053"} <= set(columns)
    with zipfile.ZipFile(demo_output / "earth" / "web" / "facilities.kmz") as archive:
        assert "80％区間の下限 2053年" in archive.read("doc.kml").decode()
