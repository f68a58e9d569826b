"""Services from end to end: what the demo writes, and what the command line says."""

import pandas as pd

from tests.conftest import ROOT


def test_the_demo_writes_indicators_with_their_credits(demo_output):
    data = demo_output / "data"
    long = pd.read_csv(data / "indicators.csv", encoding="utf-8-sig", dtype={"区域コード": str})
    assert set(long["区域の種類"]) == {"市区町村", "町丁・字"}
    city = long[(long["区域の種類"] == "市区町村") & (long["率の種類"] == "固定")]
    now = city[city["年"] == 2023].set_index("指標（英名）")["値"]
    # rates of the country on the city's register: a tenth fewer certified than the city counts
    assert 0.90 < now["care_certified"] / 25_445 < 0.92
    assert 1.0 < now["deaths_per_year"] / 5_341 < 1.06
    blocks = long[(long["区域の種類"] == "町丁・字") & (long["率の種類"] == "固定")]
    sums = blocks[blocks["年"] == 2053].groupby("指標（英名）")["値"].sum()
    then = city[city["年"] == 2053].set_index("指標（英名）")["値"]
    for name in ("care_certified", "inpatients", "pupils_primary", "deaths_per_year"):
        assert abs(sums[name] / then[name] - 1) < 1e-6
    assert "仮" not in long
    page = (demo_output / "README.html").read_text(encoding="utf-8")
    for word in ("暮らしの指標", "患者調査", "World Population Prospects 2024", "外来患者"):
        assert word in page


def test_the_command_line_shows_services_and_says_what_is_synthetic(futuremap, tmp_path):
    answer = futuremap("demo", "maizuru", "--out", tmp_path)
    assert answer.code == 0, answer.err
    assert "暮らしの指標" in answer.out
    assert "要介護（要支援）認定者" in answer.out
    staff = pd.read_csv(tmp_path / "maizuru" / "data" / "staff.csv", encoding="utf-8-sig")
    assert set(staff["区域コード"]) == {"土木", "建築"}


def test_a_bad_table_of_rates_is_refused_before_anything_runs(futuremap, tmp_path):
    import shutil

    copy = shutil.copytree(ROOT / "fixtures" / "geo" / "kumamoto_three", tmp_path / "p")
    rates = copy / "headship.csv"
    rates.write_text(
        rates.read_text(encoding="utf-8").replace("28.9,percent", "28.9,ratio"), encoding="utf-8"
    )
    answer = futuremap("run", copy, "--out", tmp_path / "out")
    assert answer.code == 3
    assert "FM805" in answer.err
    assert "headship.csv:3" in answer.err
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
