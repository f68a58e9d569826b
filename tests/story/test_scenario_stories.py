"""Three stories that end in 現況, 何もしない将来 and ありたい将来 side by side, as planners run them."""

import json
import re
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest

from tests.conftest import TAKAMATSU, one_of_two

pytestmark = pytest.mark.story


def folders(kmz):
    """Names of the states in a KMZ, in their order, and whether each holds placemarks."""
    with zipfile.ZipFile(kmz) as archive:
        text = archive.read("doc.kml").decode("utf-8")
    parts = re.split(r'<Folder id="folder-', text)[1:]
    found = [
        (re.search(r"<name>(.*?)</name>", part)[1], part.count("<Placemark")) for part in parts
    ]
    return [name for name, count in found if count]


def text_of(folder):
    """The words of the page, without its marks."""
    page = (folder / "README.html").read_text(encoding="utf-8")
    return re.sub(r"<[^>]+>", "", page)


def checked(futuremap, folder):
    """Our linter has nothing against any of the files."""
    answer = futuremap("kml-check", folder / "earth")
    assert answer.code == 0, answer.out


@pytest.fixture
def city(tmp_path):
    """高松市, whose centres everybody goes to the nearest of."""
    folder = tmp_path / "project"
    shutil.copytree(TAKAMATSU, folder)
    file = folder / "project.toml"
    text = file.read_text(encoding="utf-8")
    rule = '\n[[reach.rule]]\nclass = "community_center"\nrule = "nearest"\n'
    file.write_text(text.replace("\n[projection]", f"{rule}\n[projection]", 1), encoding="utf-8")
    return folder


def test_takamatsu_merges_two_community_centres(city, tmp_path, futuremap):
    answer = futuremap("scenario", "run", city, "merge", "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    assert "2つのコミュニティセンターを統合" in answer.out
    out = tmp_path / "out" / "takamatsu_scenarios"
    assert folders(out / "earth" / "web" / "merge_facilities.kmz") == [
        "現況（2023年）",
        "何もしない将来（2053年）",
        "2つのコミュニティセンターを統合（2053年）",
        "何もしない将来との差（2053年）",
    ]
    rows = pd.read_parquet(out / "data" / "comparison.parquet")
    people = rows[(rows["kind"] == "facility") & (rows["indicator"] == "people_in_reach")]
    assert people.groupby("year")["difference"].sum().abs().max() < 1e-6  # everybody once
    last = people[people["year"] == 2053].set_index("name")["difference"]
    assert last["高松市二番丁コミュニティセンター"] < 0 < last["高松市四番丁コミュニティセンター"]
    page = text_of(out)
    assert "2035年に二番丁コミュニティセンターを四番丁コミュニティセンターに統合する" in page
    assert "Two community centres merged" in page
    assert not list(out.rglob("*town_blocks*"))  # nobody moves: the baseline's maps hold
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert any(entry["path"].endswith("merge_facilities.kmz") for entry in manifest["outputs"])
    checked(futuremap, out)


SCHOOLS = """名称,住所,緯度,経度,供用開始年,備考
合成：本郷の小学校,合成データのため番地なし,{0},{1},1978,合成データ
合成：中心部の小学校,合成データのため番地なし,34.3975,133.0785,1965,合成データ
合成：西の小学校,合成データのため番地なし,34.3870,133.0320,1971,合成データ
"""
SCHOOL = """
[[municipality.facilities]]
class = "primary_school"
name = "小学校（合成）"
file = "schools_34204.csv"
credit = "synthetic_halls"

[reach]
"""
# two grades of 16 and fewer share a class (複式学級の標準): 17 in any two grades are 51 in six
ONE_CLASS_A_GRADE = 51


@pytest.fixture
def mihara(tmp_path):
    """三原市 with three made-up schools, one of which is losing its pupils."""
    folder = one_of_two(tmp_path / "project", "34204")
    file = folder / "project.toml"
    text = file.read_text(encoding="utf-8").replace("\n[reach]\n", SCHOOL, 1)
    rule = '\n[[reach.rule]]\nclass = "primary_school"\nrule = "nearest"\n\n[mesh]'
    file.write_text(text.replace("\n[mesh]", rule, 1), encoding="utf-8")
    blocks = pd.read_csv(folder / "synthetic_34204_2015.csv", dtype=str, encoding="utf-8-sig")
    place = blocks[blocks["地域名"].str.contains("本郷")].iloc[0]
    (folder / "schools_34204.csv").write_text(
        SCHOOLS.format(place["緯度"], place["経度"]), encoding="utf-8"
    )
    return folder


@pytest.fixture
def yugawara(tmp_path):
    """湯河原町 alone."""
    return one_of_two(tmp_path / "project", "14384")


def test_mihara_keeps_a_school_on_made_up_blocks(mihara, tmp_path, futuremap):
    school = "合成：本郷の小学校"
    pupils = futuremap(
        "backcast",
        mihara,
        "--target",
        f"indicator=people_in_reach_6_11, facility={school}, year=2045, keep=0.8",
        "--target",
        f"indicator=people_in_reach_6_11, facility={school}, year=2045, "
        f"at_least={ONE_CLASS_A_GRADE}",
        "--lever",
        f"bundle=30代夫婦と子, facility={school}, from_year=2021, max=400",
        "--out",
        tmp_path / "out",
    )
    assert pupils.code == 0, pupils.err
    out = tmp_path / "out" / "mihara_yugawara_backcast"
    answer = json.loads((out / "data" / "answer.json").read_text(encoding="utf-8"))
    assert answer["feasible"]
    assert answer["proof"]["worst_margin"] >= -1e-6
    assert answer["proof"]["less_fails"] is True
    keep, one_class = answer["targets"]
    assert keep["without"] < keep["bound"]
    assert keep["value"] == pytest.approx(keep["bound"], rel=1e-9)
    assert one_class["value"] >= ONE_CLASS_A_GRADE
    amount, (low, high) = answer["levers"][0]["amount"], answer["levers"][0]["likely"]
    assert low < amount <= high  # past projections of such blocks came out too low
    said = re.search(r"・(合成：本郷の小学校の周りに、.*組.*)", pupils.out)[1]
    assert "30代夫婦と子を" in said
    assert "見込みの幅" in said
    page = text_of(out)
    assert "合成データを含みます" in page
    assert "達成" in page
    names = folders(out / "earth" / "web" / "answer_facilities.kmz")
    assert names[:3] == ["現況（2015年）", "何もしない将来（2045年）", "ありたい将来（2045年）"]
    with zipfile.ZipFile(out / "earth" / "web" / "answer_facilities.kmz") as archive:
        assert "合成" in archive.read("doc.kml").decode("utf-8")
    checked(futuremap, out)


def test_yugawara_halves_its_losses_of_the_twenties(yugawara, tmp_path, futuremap):
    listed = futuremap("scenario", "list", yugawara)
    assert "stay" in listed.out
    assert "湯河原町の20代の転出超過を半分に" in listed.out
    answer = futuremap("scenario", "run", yugawara, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    out = tmp_path / "out" / "mihara_yugawara_scenarios"
    names = folders(out / "earth" / "web" / "stay_town_blocks.kmz")
    assert names == [
        "現況（2015年）",
        "何もしない将来（2045年）",
        "湯河原町の20代の転出超過を半分に（2045年）",
        "何もしない将来との差（2045年）",
    ]
    rows = pd.read_parquet(out / "data" / "comparison.parquet")
    town = rows[(rows["kind"] == "municipality") & (rows["indicator"] == "population")]
    gap = town.set_index(["zone", "year"])["difference"]
    assert (gap.loc["14384"][[2015, 2020]] == 0).all()
    ageing = rows[(rows["kind"] == "municipality") & (rows["indicator"] == "ageing_rate")]
    assert set(ageing["unit"]) == {"％"}
    assert ageing["value"].between(30, 70).all()  # percents only where numbers leave
    assert set(ageing["indicator_ja"]) == {"高齢化率"}
    assert (np.diff(gap.loc["14384"].to_numpy()[1:]) > 0).all()
    assert "合成データを含みます" in text_of(out)
    checked(futuremap, out)


def test_the_same_scenario_gives_the_same_bytes(yugawara, tmp_path, futuremap):
    for name in ("one", "two"):
        assert futuremap("scenario", "run", yugawara, "--out", tmp_path / name).code == 0
    files = [sorted(p.relative_to(tmp_path / name) for p in (tmp_path / name).rglob("*")
                    if p.is_file()) for name in ("one", "two")]  # fmt: skip
    assert files[0] == files[1]
    for path in files[0]:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_what_cannot_be_reached_is_told_and_ends_well(yugawara, tmp_path, futuremap):
    answer = futuremap(
        "backcast", yugawara, "--target", "indicator=population, year=2045, keep=2",
        "--lever", "bundle=30代夫婦と子, max=10", "--out", tmp_path / "out",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert "達成できません" in answer.out
    page = text_of(tmp_path / "out" / "mihara_yugawara_backcast")
    assert "届かない" in page
    bad = futuremap("backcast", yugawara, "--target", "indicator=population, year=2045, keep=0.9",
                    "--lever", "bundle=30代夫婦と子, zone=本町", "--out", tmp_path / "out")  # fmt: skip
    assert bad.code == 3
    assert "FM850" in bad.err
    assert futuremap("backcast", yugawara).code == 2
    assert futuremap("scenario", "run", yugawara, "nothing").code == 2
    again = text_of(tmp_path / "out" / "mihara_yugawara_backcast")
    assert again == page  # a refusal leaves the earlier set


def test_maps_of_a_scenario_speak_the_language_that_is_asked_for(yugawara, tmp_path, futuremap):
    answer = futuremap("scenario", "run", yugawara, "--out", tmp_path, "--lang", "en")
    assert answer.code == 0, answer.err
    maps = tmp_path / "mihara_yugawara_scenarios" / "earth" / "web"
    names = folders(maps / "stay_town_blocks.kmz")
    assert names == [
        "Now (2015)",
        "If nothing is done (2045)",
        "Yugawara halves its net losses of the twenties (2045)",
        "Difference from doing nothing (2045)",
    ]
