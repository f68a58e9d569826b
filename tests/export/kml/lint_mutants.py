"""Documents that are broken in many ways, to compare two readings of them.

    python -m tests.export.kml.lint_mutants COUNT [SEED]

looks at COUNT of them; a difference ends the run and is printed.
"""

from __future__ import annotations

import random
import re
import sys
from dataclasses import replace
from io import BytesIO

from futuremap.export.kml import EARTH_PRO, EARTH_WEB, lint_quick, lint_reader
from futuremap.export.kml.lint_document import Document
from futuremap.export.kml.lint_quick import Quick

KML = 'xmlns="http://www.opengis.net/kml/2.2"'
GX = 'xmlns:gx="http://www.google.com/kml/ext/2.2"'
HEAD = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<kml {GX} {KML}><Document id="document"><name>町</name>'
    '<visibility>1</visibility><Style id="s-0"><PolyStyle><color>ff25e7fd</color></PolyStyle>'
    "<BalloonStyle><text>$[description]$[a]</text></BalloonStyle></Style>"
    '<Style id="s-1"/><Folder id="folder-now"><name>now</name><visibility>1</visibility>'
    "<description>高さ：人口 1 人 ＝ 2 m&lt;br&gt;色</description>\n"
)
TAIL = "</Folder></Document></kml>\n"
BALLOON = (
    '&lt;b&gt;{n}丁目 R&amp;amp;D&lt;/b&gt;&lt;table width="9"&gt;&lt;td&gt;{n}&lt;/td&gt;'
    "&lt;td title=&quot;&amp;lt;&quot;&gt;x &amp;gt; y&lt;/td&gt;&lt;/table&gt;"
)
RING = "134.{n}3,34.0,9 134.{n}3,34.2,9 134.{n}0,34.2,9 134.{n}0,34.0,9 134.{n}3,34.0,9"
HOLE = "134.{n}1,34.1,9 134.{n}1,34.12,9 134.{n}2,34.1,9 134.{n}1,34.1,9"
POLYGON = (
    "<Polygon OWN><extrude>1</extrude><altitudeMode>relativeToGround</altitudeMode>"
    f"<outerBoundaryIs><LinearRing><coordinates>{RING}</coordinates></LinearRing></outerBoundaryIs>"
    "HOLE</Polygon>"
)
OWN = 'id="p{n}"'
INNER = (
    f"<innerBoundaryIs><LinearRing><coordinates>{HOLE}</coordinates></LinearRing></innerBoundaryIs>"
)
DATA = (
    '<ExtendedData><Data name="a"><displayName>甲</displayName><value>{n}</value></Data>'
    "<Data name='b'><value/></Data></ExtendedData>"
)
POINT = "<Point ><coordinates>134.{n},34.1,0</coordinates></Point>"
LINE = (
    "<LineString><tessellate>1</tessellate><coordinates>134.{n},34 134.5,34.1</coordinates>"
    "</LineString>"
)
REGION = (
    "<Region><LatLonAltBox><north>35</north><south>34</south><east>135</east><west>134</west>"
    "<minAltitude>0</minAltitude><maxAltitude>9</maxAltitude></LatLonAltBox>"
    "<Lod><minLodPixels>{n}</minLodPixels><maxLodPixels>-1</maxLodPixels></Lod></Region>"
)
VIEW = (
    "<LookAt><longitude>134.{n}</longitude><latitude>34</latitude><range>{n}</range></LookAt>"
    "<TimeSpan><begin>2023</begin><end>20{n}</end></TimeSpan>"
)
TIMED = "<TimeStamp><when>20{n}-01</when></TimeStamp>"
VISIBLE = "<gx:balloonVisibility>1</gx:balloonVisibility>"
STYLED = "<styleUrl>#s-{m}</styleUrl>"
BODY = f"<name>{{n}}</name><description>{BALLOON}</description>"
SHOWN = BODY.replace("</name>", "</name><visibility>1</visibility>")
PLAIN = POLYGON.replace(" OWN", "").replace("HOLE", "")
SEVERAL = f"{POLYGON.replace('OWN', OWN).replace('HOLE', INNER)}{POINT}{LINE}"
BODIES = [
    f"{SHOWN}{STYLED}{DATA}{PLAIN}",
    f"{BODY}{VIEW}{STYLED}{REGION}{DATA}<MultiGeometry>{SEVERAL}</MultiGeometry>",
    f"<name>{{n}}</name><description></description>{TIMED}{STYLED}\n {DATA}\n {POINT}",
    f"{BODY}{STYLED}{VISIBLE}{POINT.replace(',0<', ',-{n}<')}",
]
TEXTS = [
    "", " ", "\n", "\r\n", "0", "1", "true", "-1", "nan", "1e999", "２", "134,34,-5 134,34", "1,2,3,4", "34,134",
    "134,34,1 134.1,34,1 134,34,1", "#s-9", "#s-1", "s", "http://example.jp/a", "//a", "clampToGround", "absolute",
    "&lt;script&gt;", "&lt;b", "&lt;a href=&quot;http://x&quot;&gt;", "&lt;a href='&amp;#106;avascript:x'&gt;",
    "&lt;i on x=1&gt;", "&lt;td&gt;", "&amp;lt;script&amp;gt;", "&gt;", ">", "]]>", "]]&gt;", "<![CDATA[<script>]]>",
    "<![CDATA[x]]>", "<!-- x -->", "<!-- <Placemark> -->", "<!--</Placemark>-->", "<?x y?>", "&#60;script&#62;", "&#13;", "&x;",
    "&", "<", "$[x]", "$[description]", "$&#91;x]", "\x0b", "\x7f", "\x85", "\ufffe", "\uffff", "\ufffd", "\U0001f3d8", "2028-05",
    "高さ：人口 1 人 ＝ 3 m", "縺薙縺ｧ縺縺", "ff25e7fd", "red", "x" * 300, "files/legend.png", "files/other.png",
]  # fmt: skip
TAGS = [
    "<a>", "</a>", "<b/>", "<name>", "</name>", "<Placemark>", '<Placemark id="z">', "</Placemark>", "<Placemark/>", "<Folder>",
    "</Folder>", "<Point>", "</Point>", "<gx:x>", "<gx:Placemark>", "</gx:Placemark>", "<k:name>", "<Region/>", "<Update>", "<Change>", "</Change>", "<Style/>",
    "<NetworkLink>", "<visibility>", "<Lod/>", "<Polygon/>", "<altitudeMode>", "<coordinates>", "<Model/>", "<TimeSpan/>", "<Snippet/>",
]  # fmt: skip
FRAGMENTS = [
    "<!-- <Placemark> ", " -->", "<!--", "<![CDATA[", "]]>", "<![CDATA[<Placemark id='q'>", "<?p <Placemark> ?>",
    "<Placemark><name>n</name></Placemark>", "<!-- <Placemark><name>n</name></Placemark> -->", "<Placemark>", "<gx:Tour/>",
    f"<k:Placemark xmlns:k='{KML[7:-1]}'><!-- <Placemark> --></k:Placemark>", "<Folder id='folder-x'><name>x</name></Folder>",
    '<Style id="s-0"/>', "<Placemark id='a>b'>", "<Placemark\n>", "<Placemark id='p1'/>", "<PlacemarkX>", "<visibility>0</visibility>",
    "<ScreenOverlay><Icon><href>files/legend.png</href></Icon></ScreenOverlay>", "<description>$[x]</description>", "<extrude>1</extrude>",
    "<Folder><Placemark>", "<!-- <Placemark id='m9'>", "<Document>", f"<name {KML}/>", "<name xmlns='x'>y</name>", f"<Folder {KML}>", "<gx:altitudeOffset>x</gx:altitudeOffset>",
]  # fmt: skip
ATTRIBUTES = [
    ' id="p1"', ' id="new"', " id='z&lt;'", ' targetId="p1"', f" {KML}", ' xmlns:k="x"', ' xmlns="x"', ' name="c"', ' name="a"',
    ' a="<"', ' a=">"', " a='\"'", ' a="&x;"', ' a="1" a="2"', ' xml:space="preserve"', " a", ' gx:id="p1"', "/", " /", "\n", '\tid = "p1"',
    ' id="p1" id="p2"', " id", ' a=\' id="p1"\'', ' a="&#10;"', ' id="Ａ"',
]  # fmt: skip
WRAPS = [
    ("<!--", "-->"), ("<!-- ", " -->"), ("<Snippet><![CDATA[", "]]></Snippet>"), ("<?x ", "?>"), ("<Folder>", "</Folder>"),
    ('<Folder xmlns:gx="x">', "</Folder>"), (f"<Folder {KML}>", "</Folder>"), ("<Folder>" * 59, "</Folder>" * 59),
    ("<Folder>" * 56, "</Folder>" * 56), ("<Folder>" * 55, "</Folder>" * 55), ("<gx:Tour>", "</gx:Tour>"), ("<Update><Change>", "</Change></Update>"),
    ("<Placemark><name/>", "</Placemark>"), (f'<k:Folder xmlns:k="{KML[7:-1]}">', "</k:Folder>"), ("<Folder><visibility>0</visibility>", "</Folder>"),
    ("<Placemark/>", "<Placemark/>"), ("<Placemark><name/></Placemark>", ""), ('<Folder><name a="<Placemark>"/>', "</Folder>"),
]  # fmt: skip
AIMED = {
    b"coordinates": ["134,34,-5", "134,34,1 134.1,34,1 134,34,1", "34,134,0", "x", "134,34,0 134,34", "134.1,34", "nan,34,0"],
    b"description": ["$[x]&amp;", "&lt;script&gt;", "&lt;b", "&lt;b $[&gt;", "&lt;a href=x:y&gt;", "&lt;td&gt;", "&amp;lt;script&gt;", "縺薙縺ｧ縺縺&amp;"],
    b"styleUrl": ["#s-9", "#s-1", "http://x", "#", "s-0"],
    b"visibility": ["0", "1", "true", "false", " 1"],
    b"altitudeMode": ["clampToGround", "absolute", "x", "relativeToSeaFloor"],
    b"extrude": ["0", "1", "true"],
    b"north": ["1", "99", "x"],
    b"minLodPixels": ["-1", "0", "x"],
    b"maxLodPixels": ["0", "64", "-1"],
    b"range": ["-1", "x", "1e99"],
    b"longitude": ["181", "-180", ""],
    b"begin": ["2099", "2023-13", "x"],
    b"when": ["x", "2023-01-01", "2023-01-01T00:00:00Z"],
}  # fmt: skip
LOOKED_AT = rb"(?<=>)[^<]*(?=</(" + b"|".join(AIMED) + rb")>)"
PLACEMARK = rb"(?s)<Placemark[ >].*?</Placemark>"
PROFILES = [
    EARTH_PRO, EARTH_PRO, EARTH_PRO, EARTH_WEB, replace(EARTH_PRO, max_features=14), replace(EARTH_PRO, max_vertices=60),
    replace(EARTH_PRO, max_features=1, max_vertices=20),
]  # fmt: skip
MEMBERS = frozenset({"doc.kml", "files/legend.png"})
SEEN = (
    "scales",
    "tall",
    "ours",
    "first",
    "features",
    "vertices",
    "ids",
    "_fields",
    "_shown",
    "_timed",
)


def base(choose: random.Random) -> str:
    """A document with placemarks of a few forms; sound, but for its style of times."""
    chosen = choose.sample(BODIES, choose.choice([1, 1, 2, 3]))
    marks = []
    for n in range(choose.choice([2, 5, 12])):
        body = choose.choice(chosen).format(n=n + 30, m=n % 2)
        own = choose.choice([f' id="m{n}"', f' id="m{n}"', ""])
        marks.append(f"<Placemark{own}>{body}</Placemark>{choose.choice(['', chr(10)])}")
    return HEAD + "".join(marks) + TAIL


def mutated(data: bytes, choose: random.Random) -> bytes:
    """A document with one fault more, or none."""
    ways = [
        _in_bytes,
        _in_bytes,
        _wrapped,
        _wrapped,
        *[_in_text] * 4,
        *[_in_tag] * 4,
        _near_tag,
        *[_anywhere] * 3,
    ]
    return choose.choice(ways)(data, choose)


def _wrapped(data: bytes, choose: random.Random) -> bytes:
    one = choose.choice(list(re.finditer(PLACEMARK, data)) or [re.match(b"", data)])
    before, after = (part.encode() for part in choose.choice(WRAPS))
    return data[: one.start()] + before + one[0] + after + data[one.end() :]


def _in_bytes(data: bytes, choose: random.Random) -> bytes:
    if choose.random() < 0.5:
        at = choose.randrange(len(data))
        byte = choose.choice([b"<", b">", b"&", b'"', b"/", b"\0", b"\r", b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b";", b" ", bytes([choose.randrange(256)])])  # fmt: skip
        return data[:at] + byte + data[at + choose.randrange(3) :]
    start, end = sorted(choose.choices(range(len(data) + 1), k=2))
    end = min(end, start + choose.choice([1, 5, 40, 2000]))
    return data[:start] + choose.choice([b"", data[start:end] * 2]) + data[end:]


def _in_tag(data: bytes, choose: random.Random) -> bytes:
    spots = re.findall(rb"<[^>]*>", data) or [b""]
    tag = choose.choice(spots)
    at = choose.choice([len(tag) - 1, len(tag) - 1, choose.randrange(len(tag) + 1)])
    new = choose.choice([
        b"", tag * 2, choose.choice(spots), choose.choice(TAGS).encode(), tag[:at] + choose.choice(ATTRIBUTES).encode() + tag[at:],
        tag.replace(b"<", b"<gx:"), tag.lower(), tag.replace(b'"', b"'"), tag.replace(b">", b" >"), b"<x>" + tag, tag[:-1] + b"/>", tag.replace(b"</", b"<"),
        tag[:at] + choose.choice(ATTRIBUTES).encode() + tag[at:],
    ])  # fmt: skip
    return _put(data, rb"<[^>]*>", tag, new, choose)


def _near_tag(data: bytes, choose: random.Random) -> bytes:
    tag = choose.choice(re.findall(rb"<[^>]*>", data) or [b""])
    return _put(data, rb"<[^>]*>", tag, tag + choose.choice(FRAGMENTS + TEXTS).encode(), choose)


def _anywhere(data: bytes, choose: random.Random) -> bytes:
    text = choose.choice(re.findall(rb">[^<]*<", data) or [b""])
    return _put(data, rb">[^<]*<", text, b">" + _changed(text[1:-1], choose) + b"<", choose)


def _put(data: bytes, kind: bytes, old: bytes, new: bytes, choose: random.Random) -> bytes:
    """Put something in the place of one that is alike, or of all."""
    if choose.random() < 0.3:
        return data.replace(old, new) if old else data
    spots = [spot for spot in re.finditer(kind, data) if spot[0] == old]
    if not spots:
        return data
    spot = choose.choice(spots)
    return data[: spot.start()] + new + data[spot.end() :]


def _in_text(data: bytes, choose: random.Random) -> bytes:
    spots = list(re.finditer(LOOKED_AT, data))
    if not spots:
        return data
    spot = choose.choice(spots)
    aimed = choose.choice(AIMED[spot[1]]).encode()
    new = choose.choice([aimed, aimed, _turned(spot[0], choose), _changed(spot[0], choose)])
    return data[: spot.start()] + new + data[spot.end() :]


def _turned(text: bytes, choose: random.Random) -> bytes:
    """A text with its words in another order, or without one of them."""
    words = text.split(b" ")
    return b" ".join(choose.choice([words[::-1], words[:-1], words[1:], [*words, words[0]]]))


def _changed(text: bytes, choose: random.Random) -> bytes:
    added = choose.choice(TEXTS).encode()
    at = choose.choice([0, len(text), choose.randrange(len(text) + 1)])
    return choose.choice([added, text[:at] + added + text[at:]])


def encoded(data: bytes, choose: random.Random) -> bytes:
    """The document in another encoding, rightly declared or not."""
    kind = choose.randrange(40)
    if kind == 0:
        return b"\xef\xbb\xbf" + data
    if kind == 1:
        return data.decode("utf-8", "replace").replace("UTF-8", "UTF-16").encode("utf-16")
    if kind in (2, 3):
        parts = data.rsplit(b"<Placemark", choose.choice([1, 2]))
        data = (
            parts[0].decode("utf-8", "replace").encode("ascii", "replace") + data[len(parts[0]) :]
        )
        return data.replace(
            b"UTF-8", choose.choice([b"ISO-8859-1", b"utf-8", b"US-ASCII", b"UTF-16"])
        )
    return data.replace(b'<?xml version="1.0" encoding="UTF-8"?>\n', b"") if kind == 4 else data


class Compared:
    """What was seen of all documents so far."""

    def __init__(self) -> None:
        self.documents = self.sound = self.called_sound = self.spared = 0

    def compare(self, data: bytes, choose: random.Random) -> None:
        """Read a document in both ways; whatever the quick one calls sound has to be."""
        profile, doubts = choose.choice(PROFILES), choose.random() < 0.2
        root = choose.random() < 0.9
        options = {"members": choose.choice([MEMBERS, MEMBERS, None]), "doubts": doubts}
        slow, quick = (kind("a.kmz", profile, **options) for kind in (Document, Quick))
        slow.read(BytesIO(data), root=root)
        said = quick.sound(BytesIO(data), root=root)
        self.documents += 1
        self.sound += not slow.findings
        self.called_sound += said
        self.spared += quick._hits if said else 0
        if not said:
            return
        assert slow.findings == [], (data, slow.findings)
        for name in SEEN:
            assert getattr(slow, name) == getattr(quick, name), (name, data)
        assert slow.links.targets == quick.links.targets, data


def run(count: int, seed: int = 0) -> Compared:
    """Compare documents, read in pieces of all sizes."""
    seen, chunk = Compared(), lint_reader.CHUNK
    limits = lint_quick.MOST_BODY, lint_quick.MOST_FORMS, lint_quick.TRIALS
    try:
        for number in range(count):
            choose = random.Random(f"{seed}/{number}")  # noqa: S311
            data = base(choose).encode()
            for _ in range(choose.choice([0, 1, 1, 1, 2, 3])):
                data = mutated(data, choose)
            lint_reader.CHUNK = choose.choice([chunk, chunk, 4000, 700, 64, 7])
            lint_quick.MOST_BODY = choose.choice([limits[0], limits[0], 900, 50])
            lint_quick.MOST_FORMS = choose.choice([limits[1], 1])
            lint_quick.TRIALS = choose.choice([limits[2], 1])
            seen.compare(encoded(data, choose), choose)
    finally:
        lint_reader.CHUNK = chunk
        lint_quick.MOST_BODY, lint_quick.MOST_FORMS, lint_quick.TRIALS = limits
    return seen


if __name__ == "__main__":
    seen = run(int(sys.argv[1]), int((sys.argv[2:] or ["0"])[0]))
    sys.stdout.write(f"{vars(seen)}\n")
