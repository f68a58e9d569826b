"""`futuremap kml-check` as a person types it: one table, both languages, an exit code."""

import csv
import shutil
import zipfile

import pytest

from futuremap.export.kml.lint_rules import WORDS
from futuremap.pipeline import kml_check
from futuremap.problems import Report

NAMESPACE = 'xmlns="http://www.opengis.net/kml/2.2"'
RING = "134,34,5 134.1,34,5 134.1,34.1,5 134,34.1,5 134,34,5"
PRISM = (
    '<Placemark id="甲"><name>甲町</name><Polygon><extrude>1</extrude>'
    "<altitudeMode>relativeToGround</altitudeMode><outerBoundaryIs><LinearRing><coordinates>"
    f"{RING}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
)
SOUND = f"<kml {NAMESPACE}><Document><name>x</name>\n{PRISM}</Document></kml>"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def codes(report):
    return {problem.code for problem in report.problems}


def test_what_the_demo_publishes_has_no_findings(demo_output, futuremap):
    answer = futuremap("kml-check", demo_output / "earth", "--no-schema")
    assert answer.code == 0, answer.out
    web, pro = (len(list((demo_output / "earth" / name).glob("*.kmz"))) for name in ("web", "pro"))
    assert f"earth-pro {pro}、earth-web {web}" in answer.out


def test_a_faulty_file_is_told_in_both_languages_with_its_place(tmp_path, futuremap):
    path = write(tmp_path / "a.kml", SOUND.replace(RING, "134,34,5 134,34,5"))
    answer = futuremap("kml-check", path, "--csv", tmp_path / "found.csv")
    assert answer.code == 3
    for words in ("図形が正しくありません", "a shape is not right", "直し方", "甲", "FM653"):
        assert words in answer.out
    with (tmp_path / "found.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["code"], row["line"], row["file"]) == ("FM653", "2", str(path))


@pytest.mark.parametrize("option", ["--schema", "--no-schema"])
def test_order_is_found_with_and_without_the_schema(tmp_path, futuremap, option):
    path = write(tmp_path / "a.kml", SOUND.replace("<name>x</name>", "<Style/><name>x</name>"))
    answer = futuremap("kml-check", path, option)
    assert answer.code == 3
    assert "name in Document" in answer.out
    assert WORDS["order"][0][:8] in answer.out


def test_what_only_the_schema_knows(tmp_path):
    path = write(tmp_path / "a.kml", SOUND.replace("<extrude>1", "<extrude>yes"))
    assert codes(kml_check.check_kml([path], schema=False).report) == set()
    (problem,) = kml_check.check_kml([path]).report.problems
    assert (problem.code, problem.line) == ("FM651", 2)


def test_without_the_extra_it_says_so_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(kml_check, "has_schemas", lambda: False)
    report = kml_check.check_kml([write(tmp_path / "a.kml", SOUND)]).report
    assert (codes(report), report.errors) == ({"FM659"}, [])
    assert not kml_check.check_kml([tmp_path / "a.kml"], schema=False).report.problems


def test_the_client_is_guessed_from_the_folder(tmp_path):
    regions = SOUND.replace(PRISM, f"<Region/>{PRISM}").replace("<Region/>", "<Region><LatLonAltBox><north>2</north><south>1</south><east>2</east><west>1</west></LatLonAltBox></Region>")  # fmt: skip
    for place, found in (("earth/pro", set()), ("earth/web", {"FM652"}), ("else", {"FM652"})):
        path = write(tmp_path / place / "a.kml", regions)
        assert codes(kml_check.check_kml([path.parent]).report) == found, place
        assert codes(kml_check.check_kml([path], profile="earth-pro").report) == set()


def test_siblings_share_a_height_scale(tmp_path, demo_output):
    (now,) = (demo_output / "earth" / "web").glob("mesh250_now.kmz")
    shutil.copy(now, tmp_path / "mesh250_now.kmz")
    with zipfile.ZipFile(demo_output / "earth" / "web" / "mesh250_2053.kmz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "mesh250_2053.kmz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body.replace("人/ha ＝ ".encode(), "人/ha ＝ 9".encode()))
    assert codes(kml_check.check_kml([tmp_path], schema=False).report) == {"FM656"}
    (tmp_path / "mesh250_2053.kmz").rename(tmp_path / "other.kmz")
    assert codes(kml_check.check_kml([tmp_path], schema=False).report) == set()


def test_nothing_to_read_is_a_finding(tmp_path, futuremap):
    (tmp_path / "empty").mkdir()
    answer = futuremap("kml-check", tmp_path / "empty", tmp_path / "none.kmz")
    assert answer.code == 3
    assert answer.out.count("FM650") == 3  # two rows and how to mend it
    assert "Traceback" not in answer.err


def test_an_unknown_client_is_a_wrong_command_line(tmp_path, futuremap):
    assert futuremap("kml-check", tmp_path, "--profile", "marble").code == 2


def test_a_file_cannot_speak_to_the_terminal(tmp_path, futuremap):
    name = "a\u009b31m\u202eb"
    path = write(tmp_path / "a.kml", SOUND.replace('id="甲"', f'id="{name}"').replace(RING, "1"))
    answer = futuremap("kml-check", path)
    assert not {"\u009b", "\u202e"} & set(answer.out)
    assert "\\x9b31m" in answer.out


def test_every_rule_has_a_code():
    assert set(kml_check.CODES) == set(WORDS)
    report = Report()
    for code in {*kml_check.CODES.values(), kml_check.UNCHECKED}:
        report.add(code)
    assert len(report.problems) == 10
