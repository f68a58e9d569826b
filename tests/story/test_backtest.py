"""`futuremap backtest`: what is hidden, what is written, what is refused."""

import json
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from futuremap.projection.methods import METHODS
from tests.conftest import TAKAMATSU
from tests.story.test_demo import hashes

pytestmark = pytest.mark.story


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    out = tmp_path_factory.mktemp("backtest")
    command = [sys.executable, "-m", "futuremap", "backtest", str(TAKAMATSU), "--out", str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return done.stdout, out / "takamatsu_backtest"


def test_it_says_which_method_did_best(tried):
    said, folder = tried
    found = json.loads((folder / "backtest.json").read_text(encoding="utf-8"))
    assert found["chosen"] in METHODS
    assert found["chosen"] in said
    assert "年先" in said
    assert found["launches"] == [2019, 2020, 2021, 2022]
    assert found["targets"] == [2020, 2021, 2022, 2023]
    assert found["shelf_life_years"][found["chosen"]] >= 2


def test_its_table_has_every_method_and_size(tried):
    _, folder = tried
    table = pd.read_parquet(folder / "backtest.parquet")
    assert set(table["horizon"]) == {1, 2, 3, 4}
    assert {"small_area", "damped", "raw", "parent", "constant"} <= set(table["method"])
    whole = table[table["size_class"] == "50人以上"].set_index(["method", "horizon"])
    # parts of a hundred in files, and the composed method beats raw ratios on every horizon
    for years in (1, 2, 3, 4):
        assert 0.5 < whole.loc[("small_area", years), "mape"] < whole.loc[("raw", years), "mape"]
    assert whole.loc[("small_area", 1), "interval_coverage"] > 60
    csv = (folder / "backtest.csv").read_text(encoding="utf-8-sig")
    assert csv.startswith("推計の方法,何年先か")


def test_its_files_are_listed_and_credited(tried):
    _, folder = tried
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    names = {entry["path"] for entry in manifest["outputs"]}
    assert names == {"backtest.csv", "backtest.parquet", "backtest.json", "backtest.svg"}
    assert "高松市" in (folder / "backtest.svg").read_text(encoding="utf-8")


def test_the_same_past_gives_the_same_bytes(tried, futuremap, project, tmp_path):
    _, folder = tried
    assert futuremap("backtest", project, "--out", tmp_path).code == 0
    assert hashes(tmp_path / folder.name) == hashes(folder)


def test_two_years_are_refused_with_the_way_to_mend_it(futuremap, project, tmp_path):
    copy = tmp_path / "two_years"
    shutil.copytree(project, copy)
    toml = (copy / "project.toml").read_text(encoding="utf-8")
    head, *blocks = toml.split("[[municipality.population]]")
    kept = [b for b in blocks if "year = 2018" in b or "year = 2023" in b]
    tail = blocks[-1].split("# 町丁の境界", 1)[1]
    text = head + "".join(f"[[municipality.population]]{b}" for b in kept)
    if "# 町丁の境界" not in text:
        text += f"\n# 町丁の境界{tail}"
    (copy / "project.toml").write_text(text, encoding="utf-8")
    answer = futuremap("backtest", copy, "--out", tmp_path)
    assert answer.code == 3
    assert "FM439" in answer.err


def test_an_unknown_method_is_refused_with_its_line(futuremap, project, tmp_path):
    copy = tmp_path / "unknown_method"
    shutil.copytree(project, copy)
    file = copy / "project.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace('method = "small_area"', 'method = "small"'),
        encoding="utf-8",
    )
    answer = futuremap("check", copy)
    assert answer.code == 3
    assert "small_area" in answer.err
    assert "projection.method" in answer.err
