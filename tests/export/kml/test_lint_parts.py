"""Tours, sliders, regions, several documents: the linter knows what must hold in each."""

import zipfile
from dataclasses import replace

import pytest

from futuremap.export.kml import EARTH_PRO, EARTH_WEB
from futuremap.export.kml.lint import lint

GX = "http://www.google.com/kml/ext/2.2"
HEAD = (
    f'<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="{GX}"><Document id="d"><name>x</name>'
)
TAIL = "</Document></kml>"
SQUARE = "134,34,5 134.1,34,5 134.1,34.1,5 134,34.1,5 134,34,5"
PRISM = (
    '<Placemark id="p"><name>n</name><Polygon id="g"><extrude>1</extrude>'
    "<altitudeMode>relativeToGround</altitudeMode><outerBoundaryIs><LinearRing><coordinates>"
    f"{SQUARE}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
)
TOURS = replace(
    EARTH_PRO,
    extensions=EARTH_PRO.extensions | {"AnimatedUpdate", "altitudeOffset", "delayedStart"},
    refused=EARTH_PRO.refused,
)
BOX = "<north>35</north><south>34</south><east>135</east><west>134</west>"


def rules(tmp_path, body, profile=TOURS, *, doubts=False):
    path = tmp_path / "a.kml"
    path.write_text(f"{HEAD}{body}{TAIL}", encoding="utf-8")
    return {finding.rule for finding in lint(path, profile=profile, doubts=doubts)}


def tour(change, duration="3"):
    return (
        "<gx:Tour><name>t</name><gx:Playlist><gx:AnimatedUpdate>"
        f"<gx:duration>{duration}</gx:duration><Update><targetHref/><Change>{change}</Change>"
        f"</Update></gx:AnimatedUpdate></gx:Playlist></gx:Tour>{PRISM}"
    )


def span(begin, end, parent="Folder"):
    return f"<{parent}><name>x</name><TimeSpan><begin>{begin}</begin><end>{end}</end></TimeSpan></{parent}>"


def region(box=BOX, lod="<minLodPixels>64</minLodPixels><maxLodPixels>128</maxLodPixels>"):
    inner = f"<LatLonAltBox>{box}</LatLonAltBox><Lod>{lod}</Lod>"
    return f"<Folder><name>x</name><Region>{inner}</Region></Folder>"


OFFSET = '<Polygon targetId="{}"><gx:altitudeOffset>{}</gx:altitudeOffset></Polygon>'


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (tour(OFFSET.format("g", "-12.5")), set()),
        (tour(OFFSET.format("h", "-12.5")), {"target"}),
        (tour(OFFSET.format("g", "high")), {"number"}),
        (tour(OFFSET.format("g", "nan")), {"number"}),
        (tour(OFFSET.format("g", "1"), duration="-1"), {"number"}),
        (tour(OFFSET.format("g", "1")).replace("<targetHref/>", "<targetHref>http://x.jp/a.kml</targetHref>"), {"remote"}),
        (tour('<Placemark targetId="p"><styleUrl>#none</styleUrl></Placemark>'), {"style"}),
        (tour('<Placemark targetId="p"><visibility>0</visibility></Placemark>'), set()),
        (span("2023", "2028"), set()),
        (span("2023", "2023"), set()),
        (span("2028-01-01", "2023"), {"time"}),
        (span("令和5年", "2028"), {"time"}),
        (region(), set()),
        (region(box=BOX.replace("35", "33")), {"box"}),
        (region(box=BOX.replace("135", "133")), {"box"}),
        (region(box=f"{BOX}<minAltitude>9</minAltitude><maxAltitude>1</maxAltitude>"), {"box"}),
        (region(box=f"{BOX}<minAltitude>0</minAltitude><maxAltitude>0</maxAltitude>"), set()),
        (region(lod="<minLodPixels>256</minLodPixels><maxLodPixels>-1</maxLodPixels>"), set()),
        (region(lod="<minLodPixels>256</minLodPixels><maxLodPixels>256</maxLodPixels>"), {"lod"}),
        ("<LookAt><longitude>134</longitude><latitude>134</latitude><range>9</range></LookAt>", {"number"}),
        ("<visibility>1</visibility><name>x</name>", {"order"}),
        ("<coordinates>134,34</coordinates>", {"order"}),
        (f"<Style><BalloonStyle><text>$[name] $[people/displayName]</text></BalloonStyle></Style>{PRISM}", {"placeholder"}),
        ('<Style><BalloonStyle><text>$[people]</text></BalloonStyle></Style><Placemark><ExtendedData><Data name="people"><value>1</value></Data></ExtendedData></Placemark>', set()),
        ('<?xml-stylesheet href="http://x.jp/a.xsl"?>', {"running"}),
        (PRISM.replace(",5", ",-5"), {"coordinates"}),
        (PRISM.replace("relativeToGround", "absolute").replace(",5", ",-5"), set()),
        (PRISM.replace("34,5 134.1", "34,nan 134.1"), {"coordinates"}),
    ],
)  # fmt: skip
def test_what_must_hold_in_a_part(tmp_path, body, found):
    assert rules(tmp_path, body) == found


def test_wrong_encodings_are_doubts_only(tmp_path):
    for name in ("西\ufffd条", "縺薙縺ｧ縺", "é«\x98æ\x9d\x9e"):
        body = f"<Folder><name>{name}</name></Folder>"
        assert rules(tmp_path, body) == set()
        assert rules(tmp_path, body, doubts=True) == {"mojibake"}
    assert rules(tmp_path, "<Folder><name>縺れる町</name></Folder>", doubts=True) == set()


def test_the_web_takes_neither_regions_nor_times_nor_tours(tmp_path):
    for body in (region(), span("2023", "2028"), tour(OFFSET.format("g", "1"))):
        assert "refused" in rules(tmp_path, body, EARTH_WEB)


def states(shown, *, timed=False):
    span_ = "<TimeSpan><begin>2023</begin><end>2028</end></TimeSpan>" if timed else ""
    return "".join(
        f'<Folder id="folder-{n}"><name>x</name><visibility>{on}</visibility>{span_}'
        f'<Folder id="rings-{n}"><name>r</name><visibility>{on}</visibility></Folder></Folder>'
        for n, on in enumerate(shown)
    )


def test_one_state_is_on_or_all_that_a_slider_shows(tmp_path):
    assert rules(tmp_path, states("100")) == set()
    assert rules(tmp_path, states("110")) == {"shown"}
    assert rules(tmp_path, states("00")) == {"shown"}
    assert rules(tmp_path, states("11", timed=True)) == set()
    assert rules(tmp_path, states("10", timed=True)) == {"shown"}


def test_the_place_of_a_finding_is_told(tmp_path):
    path = tmp_path / "a.kml"
    body = PRISM.replace(SQUARE, "134,34,5 134,34,5")
    path.write_text(f"{HEAD}\n{body}{TAIL}", encoding="utf-8")
    (finding,) = lint(path, profile=EARTH_WEB)
    assert (finding.rule, finding.line, finding.feature) == ("ring", 2, "p")
    assert body[: finding.column - 1].endswith("134,34,5 134,34,5")


POLL = (
    "<refreshMode>onInterval</refreshMode><refreshInterval>5</refreshInterval>"
    "<viewRefreshMode>onRegion</viewRefreshMode>"
)


def link(href, mode="<viewRefreshMode>onRegion</viewRefreshMode>"):
    return (
        f"<NetworkLink><name>x</name>{region()[22:-9]}<Link><href>{href}</href>{mode}</Link>"
        "</NetworkLink>"
    )


def test_several_documents_in_a_kmz(tmp_path):
    tile = f"{HEAD}{PRISM}{TAIL}"
    cases = {
        "sound": ({"doc.kml": f"{HEAD}{link('tiles/a.kml')}{TAIL}", "tiles/a.kml": tile}, set()),
        "lost": (
            {"doc.kml": f"{HEAD}{link('tiles/b.kml')}{TAIL}", "tiles/a.kml": tile},
            {"file", "link"},
        ),
        "sideways": (
            {
                "doc.kml": f"{HEAD}{link('tiles/a.kml')}{TAIL}",
                "tiles/a.kml": f"{HEAD}{link('b.kml')}{TAIL}",
                "tiles/b.kml": tile,
            },
            set(),
        ),
        "round": (
            {
                "doc.kml": f"{HEAD}{link('tiles/a.kml')}{TAIL}",
                "tiles/a.kml": f"{HEAD}{link('../doc.kml')}{TAIL}",
            },
            {"link"},
        ),
        "alone": (
            {
                "doc.kml": f"{HEAD}{link('tiles/a.kml')}{TAIL}",
                "tiles/a.kml": tile,
                "tiles/b.kml": tile,
            },
            {"link"},
        ),
        "at once": (
            {"doc.kml": f"{HEAD}{link('tiles/a.kml', '')}{TAIL}", "tiles/a.kml": tile},
            {"link"},
        ),
        "again and again": (
            {
                "doc.kml": f"{HEAD}{link('tiles/a.kml', POLL)}{TAIL}",
                "tiles/a.kml": tile,
            },
            {"link"},
        ),
        "outside": ({"doc.kml": f"{HEAD}{link('../a.kml')}{TAIL}"}, {"remote"}),
        "remote": ({"doc.kml": f"{HEAD}{link('https://x.jp/a.kml')}{TAIL}"}, {"remote"}),
        "faulty": (
            {
                "doc.kml": f"{HEAD}{link('tiles/a.kml')}{TAIL}",
                "tiles/a.kml": tile.replace(SQUARE, SQUARE[:-9]),
            },
            {"ring"},
        ),
    }
    for name, (members, found) in cases.items():
        path = tmp_path / f"{name}.kmz"
        with zipfile.ZipFile(path, "w") as archive:
            for inner, text in members.items():
                archive.writestr(inner, text)
        findings = lint(path, profile=TOURS)
        assert {finding.rule for finding in findings} == found, name
        if name == "faulty":
            assert findings[0].file == "faulty.kmz/tiles/a.kml"
        assert {"zip", "refused"} & {f.rule for f in lint(path, profile=EARTH_WEB)}
