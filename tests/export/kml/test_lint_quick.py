"""The quick reading calls nothing sound in which the other finds a fault."""

import random
import sys
import zipfile
from dataclasses import replace
from io import BytesIO
from xml.parsers import expat

import pytest
from lint_mutants import BODIES, HEAD, TAIL, run

from futuremap.export.kml import EARTH_PRO, EARTH_WEB, lint_quick, write_earth
from futuremap.export.kml.kmz import write_motion
from futuremap.export.kml.lint import lint
from futuremap.export.kml.lint_document import Document
from futuremap.export.kml.lint_forms import split
from futuremap.export.kml.lint_quick import Quick
from futuremap.export.kml.lint_reader import DEEPEST

MARKS = [f'<Placemark id="m{n}">{BODIES[0].format(n=n, m=0)}</Placemark>\n' for n in range(30, 40)]


def document(*marks, head=HEAD, tail=TAIL):
    return f"{head}{''.join(marks)}{tail}".encode()


def both(data, profile=EARTH_PRO, **options):
    """Rules that the whole reading finds, whether the quick one finds any, and what it spared."""
    slow, quick = (kind("a.kmz", profile, **options) for kind in (Document, Quick))
    slow.read(BytesIO(data))
    sound = quick.sound(BytesIO(data))
    assert sound <= (not slow.findings)
    return {finding.rule for finding in slow.findings}, sound, quick._hits


def test_broken_documents():
    seen = run(1_500, seed=1)
    assert 0.15 < seen.sound / seen.documents < 0.5
    assert seen.called_sound == seen.sound  # none of these needs a second reading
    assert seen.spared > seen.sound


def test_the_second_placemark_of_a_form_is_spared():
    assert both(document(*MARKS)) == (set(), True, len(MARKS) - 1)


def test_our_own_files_are_read_quickly(make_states, tmp_path):
    layers = make_states(200)
    written = [
        *write_earth(layers, tmp_path / "web", profile=EARTH_WEB),
        *write_earth(layers, tmp_path / "pro", profile=EARTH_PRO),
        *write_motion(layers, tmp_path / "pro", profile=EARTH_PRO),
    ]
    for path in written:
        with zipfile.ZipFile(path) as archive:
            data, names = archive.read("doc.kml"), frozenset(archive.namelist())
        count = data.count(b"<Placemark ")
        profile = EARTH_WEB if path.parent.name == "web" else EARTH_PRO
        found, sound, spared = both(data, profile, members=names)
        assert (found, sound) == (set(), True)
        assert count >= 200
        assert spared >= count - 12, path.name  # of every form the first, and stops of a tour


FAULTS = {
    "an id of a placemark": ('id="m33"', 'id="m32"'),
    "a colour of a style": ("<name>33</name>", "<name>33</name><Style/>"),
    "a reference that is no name": ("33丁目", "33&丁目"),
    "an entity": ("33丁目", "33&b;丁目"),
    "a control character": ("33丁目", "33\x01丁目"),
    "a character that XML has not": ("33丁目", "33\ufffe丁目"),
    "the end of CDATA": ("33丁目", "33]]>丁目"),
    "a script": ("33丁目", "&lt;script&gt;"),
    "a place to fill in": ("33丁目", "$[x]"),
    "a style that is not there": ("s-0</styleUrl>{}33", "s-9</styleUrl>{}33"),
    "a ring that is not closed": (" 134.333,34.0,9<", "<"),
    "a ring that runs the wrong way": ("134.333,34.2,9 134.330,34.2,9 134.330,34.0,9", "134.330,34.0,9 134.330,34.2,9 134.333,34.2,9"),
    "a placemark unlike its folder": ("<name>33</name><visibility>1", "<name>33</name><visibility>0"),
    "an end tag with an id": ("<value>33</value>", '<value>33</value id="x">'),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_placemark_that_would_be_spared(fault):
    between = '<ExtendedData><Data name="a"><displayName>甲</displayName><value>'
    old, new = (text.replace("{}", between) for text in FAULTS[fault])
    sound = document(*MARKS).decode()
    assert sound.count(old) == 1
    found, quick, spared = both(sound.replace(old, new).encode())
    assert found
    assert not quick
    assert spared >= 2  # those before it


def test_bytes_that_are_no_utf8():
    data = document(*MARKS).replace("33丁目".encode(), b"33\xed\xa0\x80")
    assert both(data)[:2] == ({"xml"}, False)


def test_a_mark_that_stands_for_an_id_is_no_tag():
    marks = [f"<Placemark>{BODIES[1].format(n=n, m=0)}</Placemark>" for n in (30, 31, 32)]
    assert both(document(*marks)) == (set(), True, 2)
    marks[2] = marks[2].replace('<Polygon id="p32">', "<Polygon id>")
    assert both(document(*marks))[:2] == ({"xml"}, False)
    marks[2] = marks[2].replace("<Polygon id>", '<Polygon id="p31">')
    assert both(document(*marks))[:2] == ({"id"}, False)


@pytest.mark.parametrize("own", ["id='p'", 'id ="p"', ' id="p&amp;"', 'id="p" a=""', 'id="p" '])
def test_an_id_that_is_written_otherwise_is_not_met_twice(own):
    mark = MARKS[0].replace("<Polygon>", f"<Polygon {own}>").replace(' id="m30"', "")
    assert both(document(mark)) == (set(), True, 0)
    assert both(document(mark, mark))[:2] == ({"id"}, False)


@pytest.mark.parametrize("depth", range(DEEPEST - 12, DEEPEST))
def test_a_form_that_is_met_again_further_inside(depth):
    # below kml, Document and a folder; what is in a placemark is four elements deep
    inner = f"{'<Folder>' * depth}{MARKS[1]}{'</Folder>' * depth}"
    found, sound, _ = both(document(MARKS[0], inner))
    deep = 3 + depth + 1 + 4 > DEEPEST
    assert (found, sound) == ({"limit"} if deep else set(), not deep)


def test_an_element_of_another_namespace_of_the_same_name():
    mark = (
        '<Placemark><ExtendedData><Data name="a"/></ExtendedData>'
        "<gx:balloonVisibility>1</gx:balloonVisibility></Placemark>"
    )
    assert both(document(mark, mark)) == (set(), True, 1)
    other = f'<Folder xmlns:gx="x">{mark}</Folder>'
    assert both(document(mark, mark, other))[:2] == ({"refused"}, False)
    own = mark.replace("<Placemark", '<Placemark xmlns:gx="x"')
    assert both(document(mark, mark, own))[:2] == ({"refused"}, False)


def test_letters_of_another_encoding():
    plain = "<Placemark><name>{}</name></Placemark>"
    head = f"{HEAD.partition('<Style')[0].replace('町', 'x')}<Folder>"
    marks = [plain.format(name) for name in ("a", "b", "\x80")]
    latin = head.replace("UTF-8", "US-ASCII")
    assert both(document(*marks, head=head.replace("UTF-8", "ISO-8859-1")))[2] == 0
    assert both(document(*marks, head=head))[:2] == (set(), True)
    assert both(document(*marks, head=latin))[:2] == ({"xml"}, False)
    data = document(*marks, head=head.replace("UTF-8", "UTF-16")).decode().encode("utf-16")
    assert both(data) == (set(), True, 0)


@pytest.mark.parametrize(
    ("before", "after"),
    [("<!--", "-->"), ("<Snippet><![CDATA[", "]]></Snippet>"), ("<?x ", "?>")],
)
def test_a_placemark_that_is_none(before, after):
    hidden = document(*MARKS[:3], f"<Folder>{before}{MARKS[0]}", MARKS[1], f"{after}</Folder>")
    assert both(hidden)[1:] == (before != "<?x ", 2)


def test_more_elements_than_are_looked_at():
    few = replace(EARTH_PRO, max_features=12, max_vertices=60)
    assert both(document(*MARKS), few)[:2] == (set(), True)
    body = BODIES[0].format(n=33, m=0)
    many = body.replace("</ExtendedData>", "<Data/>" * 300 + "</ExtendedData>")
    marks = [f"<Placemark>{many}</Placemark>" for _ in MARKS]
    assert both(document(*marks), few)[:2] == ({"limit"}, False)


def test_documents_without_forms_are_not_searched_for_them(monkeypatch):
    monkeypatch.setattr(lint_quick, "TRIALS", 3)
    marks = [f"<Placemark><name a='{n}'/></Placemark>" for n in range(9)]
    data = document(*marks, *MARKS)
    assert both(data) == (set(), True, 0)


def test_a_document_that_ends_in_a_placemark():
    data = document(*MARKS)
    for end in range(data.rindex(b"<Placemark"), len(data) - 1, 7):
        assert both(data[:end])[:2] == ({"xml"}, False)


def test_texts_of_all_characters_that_are_let_through_are_xml():
    letters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    blocks = ["".join(letters[start : start + 256]) for start in range(0, len(letters), 256)]
    odd = [letter for text in blocks if not split(text.encode()) for letter in text]
    stopped = [letter for letter in odd if not split(letter.encode())]
    assert len(stopped) == 30 + 1 + 2 + 1 + 2  # controls, DEL, the brackets, &, U+FFFE and U+FFFF
    passed = "".join(letters).translate(dict.fromkeys(map(ord, stopped)))
    text = f"<a>{passed}</a>".encode()
    seen = []
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.CharacterDataHandler = seen.append
    parser.Parse(text, True)  # noqa: FBT003
    assert "".join(seen) == passed


@pytest.mark.parametrize("doubts", [False, True])
def test_findings_are_those_of_the_whole_reading(make_states, tmp_path, monkeypatch, doubts):
    (path,) = write_earth(make_states(40), tmp_path, profile=EARTH_WEB)
    kmz, choose = bytearray(path.read_bytes()), random.Random(3)  # noqa: S311
    with zipfile.ZipFile(path) as archive:
        document = archive.getinfo("doc.kml").compress_size
    found = []
    for quick in (True, False):
        if not quick:
            monkeypatch.setattr(Quick, "sound", lambda *_, **__: False)
        choose.seed(3)
        for _ in range(60):
            broken = kmz.copy()
            broken[choose.randrange(document)] ^= 1 << choose.randrange(8)
            path.write_bytes(broken)
            found.append(lint(path, profile=EARTH_WEB, doubts=doubts))
    assert found[:60] == found[60:]
    assert 30 < sum(map(bool, found[:60])) <= 60
