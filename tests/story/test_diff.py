"""`futuremap diff`: two runs compared from the command line, and what is refused."""

import json
import shutil
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest

pytestmark = pytest.mark.story

THEMES = ("facilities", "mesh250", "town_blocks")


@pytest.fixture
def copied(demo_output, tmp_path):
    """A copy of the demo's themes under another name, to be changed: ``copied(theme, change)``."""
    folder = tmp_path / "takamatsu_b"
    shutil.copytree(demo_output / "geoparquet", folder / "geoparquet")

    def change(theme, how):
        path = folder / "geoparquet" / f"{theme}.parquet"
        table = pq.read_table(path)
        pq.write_table(how(table).replace_schema_metadata(table.schema.metadata), path)
        return folder

    return change


def replaced(table, name, values):
    place = table.column_names.index(name)
    return table.set_column(place, table.schema.field(place), pa.array(values))


@pytest.fixture(scope="module")
def compared(demo_output, tmp_path_factory):
    """The demo against itself with the population of one block halved in 2053."""
    from futuremap.pipeline import deliver_diff, diff

    other = tmp_path_factory.mktemp("other") / "halved"
    shutil.copytree(demo_output / "geoparquet", other / "geoparquet")
    path = other / "geoparquet" / "town_blocks.parquet"
    table = pq.read_table(path)
    people = table.column("population_2053").to_numpy().copy()
    people[3] /= 2
    pq.write_table(replaced(table, "population_2053", people), path)
    out = tmp_path_factory.mktemp("out")
    found = diff(demo_output, other)
    return found, deliver_diff(found, out), other


def test_one_change_is_one_difference(compared, demo_output):
    found, _, _ = compared
    by_theme = {pair.layer.theme: pair for pair in found.pairs}
    assert set(by_theme) == {f"{theme}_difference" for theme in THEMES}
    blocks = by_theme["town_blocks_difference"].comparison.tables[2]
    gap = blocks.column("population_difference", 2053)
    base = pd.read_parquet(demo_output / "data" / "town_blocks.parquet")["population_2053"]
    assert np.flatnonzero(gap).tolist() == [3]
    assert gap[3] == pytest.approx(-base[3] / 2)
    assert blocks.column("population_difference_rate", 2053)[3] == pytest.approx(-0.5)
    assert not blocks.column("population_difference", 2048).any()
    towns = found.towns.tables[2]
    assert towns.column("population_difference", 2053)[0] == pytest.approx(gap[3])
    assert found.towns.zone_names == {"37201": "高松市"}


def test_tables_maps_and_workbook_hold_the_same_difference(compared):
    _, folder, _ = compared
    table = pd.read_parquet(folder / "data" / "town_blocks_difference.parquet").set_index("zone")
    name = folder.name
    gpkg = pyogrio.read_dataframe(
        folder / "qgis" / f"{name}.gpkg", layer="town_blocks_difference", read_geometry=False
    ).set_index("zone")
    column = "population_difference_2053"
    assert gpkg[column].tolist() == table[column].tolist()
    changed = table.index[table[column] != 0]
    assert len(changed) == 1
    for client in ("web", "pro"):
        with zipfile.ZipFile(folder / "earth" / client / "town_blocks_difference.kmz") as archive:
            kml = archive.read("doc.kml").decode("utf-8")
        assert "人口の差（B－A）" in kml
        assert f"{table.loc[changed[0], column]:,.1f}" in kml
        assert "国立社会保障・人口問題研究所" in kml
    book = openpyxl.load_workbook(folder / "excel" / f"{name}.xlsx")
    sheet = next(s for s in book if "町丁" in str(s["A1"].value))
    rows = [r for r in sheet.iter_rows(values_only=True) if r[0] == changed[0] and r[2] == "人口"]
    assert rows[0][-1] == pytest.approx(table.loc[changed[0], column])
    listed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert {e["path"] for e in listed["outputs"]} >= {f"excel/{name}.xlsx", f"qgis/{name}.gpkg"}
    assert len(listed["inputs"]) == 2 * len(THEMES)


def test_one_scale_and_one_set_of_classes(compared):
    found, _, _ = compared
    for pair in found.pairs:
        assert pair.layer.classes.labels_ja[3] == "-3～3％"
        assert pair.layer.credits == found.pairs[0].layer.credits


def test_the_same_comparison_gives_the_same_bytes(compared, demo_output, tmp_path):
    from futuremap.pipeline import deliver_diff, diff

    _, folder, other = compared
    again = deliver_diff(diff(demo_output, other), tmp_path)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "manifest.json":  # it says where the inputs lie
            assert path.read_bytes() == (again / path.relative_to(folder)).read_bytes(), path.name


def test_other_years_zones_and_themes_are_all_refused_at_once(
    futuremap, demo_output, copied, tmp_path
):
    copied("town_blocks", lambda table: table.slice(2))
    copied(
        "mesh250",
        lambda t: t.rename_columns([name.replace("_2053", "_2058") for name in t.column_names]),
    )
    folder = copied("facilities", lambda table: table)
    (folder / "geoparquet" / "facilities.parquet").unlink()
    answer = futuremap("diff", demo_output, folder, "--out", tmp_path / "out")
    assert answer.code == 3
    for code in ("FM732", "FM733", "FM734"):
        assert f"error[{code}]" in answer.err
    assert str(folder / "geoparquet" / "mesh250.parquet") in answer.err
    assert "2058" in answer.err
    assert "37201-001, 37201-002" in answer.err
    assert not (tmp_path / "out").exists()


def test_facilities_of_one_run_only_are_listed_and_not_compared(
    futuremap, demo_output, copied, tmp_path
):
    folder = copied("facilities", lambda table: table.slice(3))
    answer = futuremap("diff", demo_output, folder, "--out", tmp_path / "out")
    assert answer.code == 0
    assert "warning[FM736]" in answer.err
    assert "高松市" in answer.out
    table = pd.read_parquet(
        tmp_path / "out" / "diff_takamatsu_takamatsu_b" / "data" / "facilities_difference.parquet"
    )
    assert table["remark"].tolist()[:4] == ["Aだけにあります"] * 3 + [""]
    assert table["people_in_reach_difference_2053"].isna().tolist()[:3] == [True] * 3
    assert table["people_in_reach_difference_2053"].notna().sum() > 700


def test_what_is_no_run_is_refused(futuremap, demo_output, compared, tmp_path):
    (tmp_path / "empty").mkdir()
    for other in (tmp_path / "empty", tmp_path / "nowhere", compared[1]):
        answer = futuremap("diff", demo_output, other, "--out", tmp_path / "out")
        assert answer.code == 3, other
        assert "FM731" in answer.err
    damaged = tmp_path / "damaged"
    shutil.copytree(demo_output / "geoparquet", damaged / "geoparquet")
    (damaged / "geoparquet" / "mesh250.parquet").write_bytes(b"PAR1")
    answer = futuremap("diff", demo_output, damaged, "--out", tmp_path / "out")
    assert answer.code == 3
    assert "FM735" in answer.err
    assert "Traceback" not in answer.err


def test_a_project_is_run_and_compared_with_its_own_output(
    futuremap, demo_output, project, tmp_path
):
    """The numbers read back from a folder are those of a run, to the last bits."""
    answer = futuremap("diff", demo_output, project / "project.toml", "--out", tmp_path)
    assert answer.code == 0
    (folder,) = tmp_path.glob("diff_*")
    for theme in THEMES:
        table = pd.read_parquet(folder / "data" / f"{theme}_difference.parquet")
        for name in table.columns:
            if "difference" in name:
                assert np.nanmax(np.abs(table[name].to_numpy(dtype=float))) < 1e-9, name
