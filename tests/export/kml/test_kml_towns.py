"""Towns: a list that flies to each, a tour for Earth Pro only, and the rules of all our files."""

import hashlib
import re
import zipfile
from html.parser import HTMLParser

import pytest
import shapely
from lxml import etree

from futuremap.core.credits import Credit
from futuremap.core.layer import Text, View
from futuremap.errors import ExportError
from futuremap.export.kml import EARTH_PRO, EARTH_WEB, Stop, write_towns
from futuremap.export.kml.lint import lint
from futuremap.export.kml.schema import schema_errors

SPACES = {"k": "http://www.opengis.net/kml/2.2", "gx": "http://www.google.com/kml/ext/2.2"}
PROFILES = pytest.mark.parametrize("profile", [EARTH_WEB, EARTH_PRO], ids=lambda p: p.name)
CREDIT = Credit("town", "架空町「人口」を加工して作成", "Made from Population (Town)", "CC BY 4.0")
MADE_UP = Credit("made_up", "例示用の数値", "Numbers made up", "CC0", synthetic=True)
ISLANDS = shapely.MultiPolygon(
    [
        shapely.Polygon(
            [(133, 34.3), (133.2, 34.3), (133.2, 34.5), (133, 34.5)],
            [[(133.1, 34.4), (133.11, 34.4), (133.11, 34.41)]],
        ),
        shapely.box(133.25, 34.3, 133.26, 34.31),
    ]
)
MIHARA = Stop(
    Text("三原市", "Mihara"),
    View(133.08, 34.4, 30_000.0),
    ISLANDS,
    [("年", "2015年", "2045年"), ("人口（人）", "96,194", "66,453"), ("利用圏", "", "61.0")],
)
YUGAWARA = Stop(
    Text("湯河原町", "Yugawara"),
    View(139.1, 35.15, 8_000.0),
    shapely.box(139.05, 35.1, 139.15, 35.2),
    [("人口（人）", "25,026", "13,321")],
)


def write(folder, profile=EARTH_PRO, stops=(MIHARA, YUGAWARA), **changes):
    given = {
        "title": Text("二つの町", "Two towns"),
        "credits": [CREDIT],
        "notes": [Text("円は直線距離", "Straight distance")],
    }
    return write_towns(stops, folder / "towns.kmz", profile=profile, **(given | changes))


def read(path):
    with zipfile.ZipFile(path) as archive:
        return etree.fromstring(archive.read("doc.kml"))


def texts(path, query):
    return [element.text or "" for element in read(path).xpath(query, namespaces=SPACES)]


class Cells(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.rows = []
        self.feed(text)

    def handle_starttag(self, tag, _):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag):
        if tag == "table":
            self.handle_data = lambda _: None


@PROFILES
def test_it_is_valid_sound_and_the_same_every_time(tmp_path, profile):
    paths = [write(tmp_path / run, profile, credits=[CREDIT, MADE_UP]) for run in ("a", "b")]
    for path in paths:
        assert schema_errors(path) == []
        assert lint(path, profile=profile) == []
    assert len({hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}) == 1
    with zipfile.ZipFile(paths[0]) as archive:
        (member,) = archive.infolist()
    assert (member.filename, member.date_time) == ("doc.kml", (1980, 1, 1, 0, 0, 0))
    assert list(paths[0].parent.iterdir()) == [paths[0]]


@PROFILES
def test_every_town_is_a_folder_that_is_flown_to(tmp_path, profile):
    path = write(tmp_path, profile)
    assert texts(path, "//k:Folder/k:name") == ["三原市", "湯河原町"]
    assert texts(path, "//k:Folder/k:LookAt/k:longitude") == ["133.080000", "139.100000"]
    assert texts(path, "//k:Folder/k:LookAt/k:range") == ["48000", "12800"]
    assert texts(path, "//k:Placemark[k:Point]/k:name") == ["三原市", "湯河原町"]
    assert texts(path, "//k:Point/k:coordinates")[0] == "133.080000,34.400000,0"
    assert set(texts(path, "//k:visibility")) == {"1"}


def test_the_first_view_holds_all_towns(tmp_path):
    both = write(tmp_path / "both")
    west, east = 133.0, 139.15
    assert texts(both, "/k:kml/k:Document/k:LookAt/k:longitude") == [f"{(west + east) / 2:.6f}"]
    width = float(texts(both, "/k:kml/k:Document/k:LookAt/k:range")[0]) / 1.6
    assert width == pytest.approx((east - west) * 91_000, rel=0.02)
    one = write(tmp_path / "one", stops=[YUGAWARA])
    assert texts(one, "/k:kml/k:Document/k:LookAt/k:range") == ["12800"]


@PROFILES
def test_outlines_are_lines_on_the_ground(tmp_path, profile):
    path = write(tmp_path, profile)
    rings = texts(path, "//k:LineString/k:coordinates")
    assert len(rings) == 4
    assert [ring.split()[0] == ring.split()[-1] for ring in rings] == [True] * 4
    corners = {tuple(map(float, corner.split(","))) for corner in rings[-1].split()}
    assert corners == {(x, y, 0.0) for x in (139.05, 139.15) for y in (35.1, 35.2)}
    assert set(texts(path, "//k:LineString/k:altitudeMode")) == {"clampToGround"}
    assert texts(path, "//k:Icon/k:href") == []


@PROFILES
def test_the_balloon_sets_now_beside_future(tmp_path, profile):
    for text in texts(write(tmp_path, profile), "//k:Folder[1]//k:description"):
        assert text.startswith("<b>三原市</b> Mihara<table>")
        assert Cells(text).rows == [
            ["", "現況", "", "将来"],
            ["年", "2015年", "→", "2045年"],
            ["人口（人）", "96,194", "→", "66,453"],
            ["利用圏", "", "", "61.0"],
        ]
        assert "円は直線距離<br>出典：架空町「人口」を加工して作成（CC BY 4.0）" in text


def test_only_pro_gets_a_tour_through_the_list(tmp_path):
    web, pro = write(tmp_path / "web", EARTH_WEB), write(tmp_path / "pro")
    assert read(web).xpath("//gx:*", namespaces=SPACES) == []
    assert "google" not in etree.tostring(read(web)).decode()
    assert texts(pro, "//gx:Tour/k:name") == ["三原市から湯河原町へ"]
    steps = [step.tag.rpartition("}")[2] for step in read(pro).find(".//gx:Playlist", SPACES)]
    assert steps == ["FlyTo", "Wait"] * 2
    assert set(texts(pro, "//gx:flyToMode")) == {"bounce"}
    assert texts(pro, "//gx:FlyTo/k:LookAt/k:longitude") == ["133.080000", "139.100000"]
    one = write(tmp_path / "one", stops=[YUGAWARA])
    assert texts(one, "//gx:Tour/k:name") == ["湯河原町へ"]


def test_the_linter_lets_a_tour_pass_for_pro_only(tmp_path):
    pro = write(tmp_path)
    assert {finding.rule for finding in lint(pro, profile=EARTH_WEB)} == {"refused"}
    with zipfile.ZipFile(pro) as archive:
        text = archive.read("doc.kml").decode()
    sound = "<gx:SoundCue><href>a.mp3</href></gx:SoundCue></gx:Playlist>"
    with zipfile.ZipFile(pro, "w") as archive:
        archive.writestr("doc.kml", text.replace("</gx:Playlist>", sound))
    assert "refused" in {finding.rule for finding in lint(pro, profile=EARTH_PRO)}


@PROFILES
def test_made_up_data_say_so_in_name_and_balloon(tmp_path, profile):
    path = write(tmp_path / "a", profile, credits=[CREDIT, MADE_UP])
    assert texts(path, "//k:Document/k:name") == ["［合成データ］二つの町"]
    assert all("<b>［合成データ］" in text for text in texts(path, "//k:Folder//k:description"))
    assert "出典：［合成データ］例示用の数値" in texts(path, "//k:Document/k:description")[0]
    plain = write(tmp_path / "b", profile)
    assert "合成" not in etree.tostring(read(plain), encoding="unicode")
    said = Text("二つの町（合成データ）", "x")
    once = write(tmp_path / "c", profile, credits=[MADE_UP], title=said)
    assert texts(once, "//k:Document/k:name") == ["二つの町（合成データ）"]


@PROFILES
def test_words_are_escaped(tmp_path, profile):
    nasty = Text("<script>&]]>$[name]\x0b", "<img src=//example.jp>")
    stop = MIHARA._replace(name=nasty, rows=[(nasty.ja, nasty.ja, nasty.en)])
    bad = Credit("bad", nasty.ja, nasty.en, "<b>")
    path = write(tmp_path, profile, stops=[stop], title=nasty, notes=[nasty], credits=[bad])
    assert schema_errors(path) == []
    assert texts(path, "//k:Folder/k:name") == ["<script>&]]>$[name]\ufffd"]
    for text in texts(path, "//k:description"):
        assert not re.search(r"<script|<img|\$\[", text)


def test_towns_of_one_name_are_two_towns(tmp_path):
    path = write(tmp_path, stops=[MIHARA, MIHARA])
    ids = read(path).xpath("//@id")
    assert len(ids) == len(set(ids))
    assert texts(path, "//k:Folder/k:name") == ["三原市"] * 2


def test_twelve_towns_are_one_list(tmp_path):
    path = write(tmp_path, EARTH_WEB, stops=[MIHARA, YUGAWARA] * 6)
    assert len(texts(path, "//k:Folder/k:name")) == 12
    assert schema_errors(path) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stops": []}, "0 towns"),
        ({"credits": []}, "0 credits"),
        ({"stops": [MIHARA._replace(outline=shapely.Polygon())]}, "1 shapes"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, changes, message):
    with pytest.raises(ExportError, match=message):
        write(tmp_path, **changes)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_run_leaves_the_old_file(tmp_path, monkeypatch):
    path = write(tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr("futuremap.export.kml.towns.STYLE_ID", "nowhere")
    with pytest.raises(ExportError, match="leads nowhere"):
        write(tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
