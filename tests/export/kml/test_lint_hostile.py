"""Files made to harm whoever checks them end in a finding, soon and in little memory."""

import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SECONDS, MEMORY = 10, 2**30
NAMESPACE = 'xmlns="http://www.opengis.net/kml/2.2"'
HEAD, TAIL = f"<kml {NAMESPACE}><Document>", "</Document></kml>"
MIB = 2**20
WORKER = """
import json, resource, signal, sys, time
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
from pathlib import Path
from futuremap.pipeline.kml_check import check_kml
for line in sys.stdin:
    started = time.process_time()  # a busy machine must not fail the test
    signal.setitimer(signal.ITIMER_PROF, 10)
    report = check_kml([Path(json.loads(line))]).report
    signal.setitimer(signal.ITIMER_PROF, 0)
    rules = sorted({dict(p.detail).get("rule", "") for p in report.problems})
    print(json.dumps([rules, time.process_time() - started]), flush=True)
"""
LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(12))
    + f"]><kml {NAMESPACE}><name>&l;</name></kml>"
)


def plain(text):
    return lambda path: path.with_suffix(".kml").write_text(text, encoding="utf-8")


def pieces(start, piece, count, end):
    def build(path):
        with path.with_suffix(".kml").open("w", encoding="utf-8") as file:
            file.write(start)
            for _ in range(count):
                file.write(piece)
            file.write(end)

    return build


def packed(members, *, method=zipfile.ZIP_DEFLATED):
    def build(path):
        with zipfile.ZipFile(path.with_suffix(".kmz"), "w", method) as archive:
            for name, body in members().items():
                archive.writestr(name, body)

    return build


def sparse(path):
    with path.with_suffix(".kml").open("wb") as file:
        file.truncate(10 * 2**30)


def many_members(path):
    with zipfile.ZipFile(path.with_suffix(".kmz"), "w") as archive:
        for number in range(30_000):
            archive.writestr(f"{number}.png", b"")


def link(path):
    info = zipfile.ZipInfo("files/legend.png")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path.with_suffix(".kmz"), "w") as archive:
        archive.writestr("doc.kml", f"{HEAD}{TAIL}")
        archive.writestr(info, "/etc/passwd")


def encrypted(path):
    packed(lambda: {"doc.kml": f"{HEAD}{TAIL}"})(path)
    kmz = path.with_suffix(".kmz")
    body = bytearray(kmz.read_bytes())
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        body[body.index(mark) + place] |= 1
    kmz.write_bytes(body)


DOCUMENT = f"{HEAD}{TAIL}"
CASES = {
    "billion laughs": ("xml", plain(LAUGHS)),
    "outer entity": ("xml", plain(f'<!DOCTYPE k [<!ENTITY e SYSTEM "file:///etc/passwd">]>{HEAD}<name>&e;</name>{TAIL}')),
    "nesting": ("limit", pieces(HEAD, "<Folder>", 200_000, "")),
    "a large file": ("limit", sparse),
    "a bomb": ("limit", packed(lambda: {"doc.kml": f"{HEAD}{' ' * 100 * MIB}{TAIL}"})),
    "a bomb beside": ("limit", packed(lambda: {"doc.kml": DOCUMENT, "a.png": bytes(100 * MIB)})),
    "many members": ("limit", many_members),
    "a packed archive": ("zip", packed(lambda: {"doc.kml": DOCUMENT, "a.kmz": b"PK\3\4"})),
    "a path that escapes": ("zip", packed(lambda: {"doc.kml": DOCUMENT, "../../a.png": b""})),
    "a path of Windows": ("zip", packed(lambda: {"doc.kml": DOCUMENT, "..\\a.png": b""})),
    "a program": ("zip", packed(lambda: {"doc.kml": DOCUMENT, "files/a.exe": b"MZ"})),
    "another method": ("zip", packed(lambda: {"doc.kml": DOCUMENT}, method=zipfile.ZIP_LZMA)),
    "a link": ("zip", link),
    "encrypted": ("zip", encrypted),
    "no zip": ("zip", lambda path: path.with_suffix(".kmz").write_bytes(b"PK\3\4" * 99)),
    "a long text": ("limit", pieces(f"{HEAD}<name>", "x" * MIB, 60, f"</name>{TAIL}")),
    "a long tag": ("limit", pieces(f'{HEAD}<name a="', "x" * MIB, 60, f'"/>{TAIL}')),
    "a long comment": ("limit", pieces(f"{HEAD}<!--", "x" * MIB, 60, f"-->{TAIL}")),
    "heads of placemarks without end": ("running", pieces(f"{HEAD}<description><![CDATA[", "<Placemark" * 1000, 1_000, f"]]></description>{TAIL}")),
    "heads far from their end": ("running", pieces(f"{HEAD}<description><![CDATA[", f"{'<Placemark>' * 50_000}</Placemark>", 10, f"<b]]></description>{TAIL}")),
    "an encoding that nobody has": ("xml", plain(f'<?xml version="1.0" encoding="UTTF-8"?>{DOCUMENT}')),
    "an encoding of several bytes": ("xml", plain(f'<?xml version="1.0" encoding="Shift_JIS"?>{DOCUMENT}')),
    "no text at all": ("xml", plain(f'<?xml version="1.0" encoding="hex"?>{DOCUMENT}')),
    "a balloon as root": ("root", plain(f"<description {NAMESPACE}>x</description>")),
    "corners as root": ("root", plain(f"<coordinates {NAMESPACE}>1,1</coordinates>")),
    "a ring as root": ("root", plain(f"<LinearRing {NAMESPACE}><coordinates>1,1</coordinates></LinearRing>")),
    "many elements": ("limit", pieces(HEAD, "<Style/>" * 1000, 9_000, TAIL)),
    "many faults": ("limit", pieces(HEAD, "<x/>" * 1000, 9_000, TAIL)),
    "many corners": ("vertices", pieces(f"{HEAD}<Placemark><Point><coordinates>", "1,1 " * 1000, 2_000, f"</coordinates></Point></Placemark>{TAIL}")),
    "a scale that takes long": ("xml", plain(f"{HEAD}<Folder id='folder-a'><description>高さ：{'1' * 200_000} ＝ </description>")),
    "tags that take long": ("running", plain(f"{HEAD}<description>{'&lt; on' * 200_000}</description>{TAIL}")),
    "blanks that take long": ("running", plain(f"{HEAD}<description>&lt;a href{' ' * 200_000}</description>{TAIL}")),
}  # fmt: skip


@pytest.fixture(scope="module")
def worker():
    with subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield process
        process.stdin.close()


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_ends_in_a_finding(name, worker, tmp_path):
    rule, build = CASES[name]
    build(tmp_path / "a")
    (path,) = tmp_path.iterdir()
    worker.stdin.write(json.dumps(str(path)) + "\n")
    worker.stdin.flush()
    answer = worker.stdout.readline()
    assert answer, "the checker died"
    found, seconds = json.loads(answer)
    assert rule in found
    assert seconds < SECONDS  # of processor time
    path.unlink()
