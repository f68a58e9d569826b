"""The linter finds each fault that is planted in a sound file."""

import zipfile
from dataclasses import replace

import pytest

from futuremap.core.layer import Text
from futuremap.export.kml import EARTH_PRO, EARTH_WEB, write_earth
from futuremap.export.kml.lint import lint, lint_set
from futuremap.export.kml.lint_rules import WORDS

RING = "134.003000,34.000000,200.0 134.003000,34.002000,200.0 134.000000,34.002000,200.0 134.000000,34.000000,200.0 134.003000,34.000000,200.0"
TURNED = " ".join(RING.split()[::-1])
FAULTS = {
    "doctype": ("xml", "<kml ", '<!DOCTYPE kml [<!ENTITY a "b">]><kml '),
    "unclosed": ("xml", "</Document>", ""),
    "control character": ("xml", "0丁目", "0\x0b丁目"),
    "root": ("root", 'xmlns="http://www.opengis.net/kml/2.2"', 'xmlns="http://earth.google.com/kml/2.1"'),
    "id": ("id", 'id="now-z000001"', 'id="now-z000000"'),
    "style": ("style", "#style-now-0<", "#style-now-9<"),
    "foreign style": ("remote", "#style-now-0<", "http://example.jp/a.kml#s<"),
    "colour name": ("colour", "ff25e7fd", "#fde725"),
    "colour case": ("colour", "ff25e7fd", "FF25E7FD"),
    "open ring": ("ring", RING, RING.rsplit(" ", 1)[0]),
    "short ring": ("ring", RING, "134,34,1 134.1,34,1 134,34,1"),
    "clockwise": ("turn", RING, TURNED),
    "not a number": ("coordinates", "134.003000,34.000000,200.0 ", "134.003000,x,200.0 "),
    "no height": ("coordinates", "134.003000,34.000000,200.0 ", "134.003000,34.000000 "),
    "nan": ("coordinates", "134.003000,34.002000,200.0", "nan,34.002000,200.0"),
    "latitude first": ("coordinates", "134.003000,34.002000,200.0", "34.002000,134.003000,200.0"),
    "under ground": ("coordinates", "34.002000,200.0", "34.002000,-200.0"),
    "remote icon": ("remote", "files/legend.png", "http://example.jp/legend.png"),
    "absolute icon": ("remote", "files/legend.png", "/etc/legend.png"),
    "file above": ("remote", "files/legend.png", "../legend.png"),
    "missing icon": ("file", "files/legend.png", "files/other.png"),
    "script": ("running", "<description>", "<description>&lt;script&gt;alert(1)&lt;/script&gt;"),
    "iframe": ("running", "$[description]", '$[description]&lt;iframe src="a"&gt;'),
    "handler": ("running", "&lt;small&gt;", '&lt;small onclick="x()"&gt;'),
    "open tag": ("running", "</text>", "&lt;b</text>"),
    "place to fill in": ("running", "<description>", "<description>$[name]"),
    "link": ("remote", "<description>", '<description>&lt;a href="https://example.jp"&gt;x&lt;/a&gt;'),
    "script link": ("remote", "<description>", '<description>&lt;a href="javascript:x"&gt;x&lt;/a&gt;'),
    "hidden link": ("remote", "<description>", '<description>&lt;a href="&amp;#106;avascript:x"&gt;x&lt;/a&gt;'),
    "image": ("remote", "<description>", "<description>&lt;img src=//example.jp/a.png&gt;"),
    "network link": ("refused", "</Document>", "<NetworkLink><Link><href>a.kml</href></Link></NetworkLink></Document>"),
    "region": ("refused", "<ExtendedData>", "<Region/><ExtendedData>"),
    "tour": ("refused", "</Document>", '<x:Tour xmlns:x="http://www.google.com/kml/ext/2.2"/></Document>'),
    "two shown": ("shown", "</name><visibility>0</visibility><open>0</open>", "</name><visibility>1</visibility><open>0</open>"),
    "placemark unlike its folder": ("shown", "0丁目</name><visibility>1", "0丁目</name><visibility>0"),
    "scale": ("scale", "人口 1 人 ＝ 2 m", "人口 1 人 ＝ 3 m"),
}  # fmt: skip


@pytest.fixture
def sound(make_states, tmp_path):
    (path,) = write_earth(make_states(4), tmp_path, profile=EARTH_WEB)
    return path


def replant(path, old, new, *, count=-1):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    text = members["doc.kml"].decode()
    assert old in text, old
    members["doc.kml"] = text.replace(old, new, count).encode()
    pack(path, members)
    return path


def pack(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def rules(path, profile=EARTH_WEB):
    return {finding.rule for finding in lint(path, profile=profile)}


def test_sound_files_have_no_findings(sound, make_states, tmp_path):
    assert lint(sound, profile=EARTH_WEB) == []
    (pro,) = write_earth(make_states(4), tmp_path / "pro", profile=EARTH_PRO)
    assert lint(pro, profile=EARTH_PRO) == []
    assert rules(pro, EARTH_WEB) == {"refused"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(sound, fault):
    rule, old, new = FAULTS[fault]
    count = 2 if fault == "scale" else 1
    assert rule in rules(replant(sound, old, new, count=count))


def test_too_many_features_and_vertices(sound):
    assert "features" in rules(sound, replace(EARTH_WEB, max_features=16))
    assert "vertices" in rules(sound, replace(EARTH_WEB, max_vertices=59))
    assert rules(sound, replace(EARTH_WEB, max_features=17, max_vertices=60)) == set()


def test_parts_of_a_kmz(sound):
    with zipfile.ZipFile(sound) as archive:
        doc, png = archive.read("doc.kml"), archive.read("files/legend.png")
    pack(sound, {"files/legend.png": png, "doc.kml": doc})
    assert "zip" in rules(sound)
    pack(sound, {"doc.kml": doc, "files/legend.png": png, "more.kml": doc})
    assert rules(sound) == {"zip"}
    pack(sound, {"doc.kml": doc, "files/legend.png": png, "../x.png": png})
    assert rules(sound) == {"zip"}
    pack(sound, {})
    assert "zip" in rules(sound)


def test_a_cut_file_is_a_finding(sound):
    sound.write_bytes(sound.read_bytes()[:-40])
    assert "zip" in rules(sound)
    sound.write_bytes(b"")
    assert "zip" in rules(sound)


def test_a_plain_kml_is_read_too(sound, tmp_path):
    plain = tmp_path / "doc.kml"
    with zipfile.ZipFile(sound) as archive:
        plain.write_bytes(archive.read("doc.kml"))
    assert lint(plain, profile=EARTH_WEB) == []


def test_files_of_one_theme_share_a_scale(make_layer, tmp_path):
    paths = [
        *write_earth([make_layer("now")], tmp_path / "a", profile=EARTH_WEB),
        *write_earth(
            [make_layer("future", metres_per_unit=5.0)], tmp_path / "b", profile=EARTH_WEB
        ),
    ]
    assert [finding.rule for finding in lint_set(paths, profile=EARTH_WEB)] == ["scale"]


def test_a_name_is_text_and_no_fault(make_layer, tmp_path):
    names = [
        "a onclick = x",
        "<script>",
        "高さ：1 人 ＝ 9 m",
        "javascript:x",
        "http://example.jp",
        "$[x]",
    ]
    assert write_earth([make_layer(names=names)], tmp_path, profile=EARTH_WEB)


def test_a_theme_named_after_a_state_is_no_state(make_states, tmp_path):
    title = Text("将来人口", "Future population")
    assert write_earth(make_states(title=title), tmp_path, profile=EARTH_PRO)


def test_findings_read_in_both_languages(sound):
    (finding,) = lint(replant(sound, "ff25e7fd", "red", count=1), profile=EARTH_WEB)
    place = f"{sound.name}:{finding.line}:{finding.column}"
    assert finding.text() == f"{place}: {WORDS['colour'][0]}: red [document]"
    assert str(finding) == f"{place}: {WORDS['colour'][1]}: red [document]"
    with zipfile.ZipFile(sound) as archive:
        line = archive.read("doc.kml").decode().splitlines()[finding.line - 1]
    assert line[: finding.column - 1].endswith("<color>red")


def test_many_faults_of_a_kind_are_cut(sound):
    many = replant(sound, "<extrude>1</extrude>", '<extrude>1</extrude><a href=""/>' * 3)
    found = lint(many, profile=EARTH_WEB)
    misplaced = [finding for finding in found if finding.rule == "order"]
    assert len(misplaced) == 21
    assert misplaced[-1].seen == f"ほか / more: {3 * 12 - 20}"
