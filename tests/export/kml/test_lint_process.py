"""Files are as strictly checked by another process as by this one, and never unchecked."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from futuremap.errors import ExportError
from futuremap.export.kml import EARTH_PRO, EARTH_WEB, lint_process, write_earth, write_motion
from futuremap.export.kml.drafts import Drafts
from futuremap.export.kml.kmz import publish
from futuremap.export.kml.lint_process import LintProcess

ROOT = Path(__file__).resolve().parents[3]
UNSOUND = (
    '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>村\udc00\u2028"</name>'
    "<styleUrl>#none</styleUrl></Document></kml>"
).encode("utf-8", "replace")


@pytest.fixture
def soon(monkeypatch):
    """However small the files, another process is asked."""
    monkeypatch.setattr(lint_process, "LEAST", 0)


def unsound(path, linter=None):
    document = [UNSOUND.replace(b"none", b"none" * n) for n in range(1, 8)]
    files = {path / f"{n}.kmz": [("doc.kml", [text])] for n, text in enumerate(document)}
    publish(files, profile=EARTH_WEB, linter=linter)


def process_of(linter):
    assert linter._process is not None
    return linter._process


def bytes_below(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("soon")
def test_files_are_the_same_with_another_process(make_states, tmp_path):
    alone, both = tmp_path / "alone", tmp_path / "both"
    for folder, linter in ((alone, None), (both, LintProcess())):
        told = []
        if linter is not None:
            linter.__enter__()
        told += write_earth(make_states(9), folder, profile=EARTH_WEB, linter=linter)
        told += write_motion(make_states(9), folder, profile=EARTH_PRO, linter=linter)
        if linter is not None:
            process = process_of(linter)
            assert not any(path.exists() for path in told)  # nothing stands there unchecked
            linter.__exit__(None, None, None)
            assert process.returncode is not None
        assert all(path.exists() for path in told)
    assert bytes_below(alone) == bytes_below(both)
    assert len(bytes_below(both)) == 3


@pytest.mark.usefixtures("soon")
def test_findings_are_told_in_the_same_words_and_nothing_is_left(make_states, tmp_path):
    with pytest.raises(ExportError) as alone:
        unsound(tmp_path)
    linter = LintProcess()
    write_earth(make_states(4), tmp_path, profile=EARTH_WEB, linter=linter)
    unsound(tmp_path, linter)
    write_motion(make_states(4), tmp_path, profile=EARTH_PRO, linter=linter)
    assert linter._process is not None
    with pytest.raises(ExportError) as told, linter:
        linter.settle()
    assert str(told.value) == str(alone.value)
    assert str(told.value).startswith("7 faults in files for earth-web: .0.kmz.part:1:")
    # what came before is in its place; neither the unsound nor what came after is
    assert sorted(bytes_below(tmp_path)) == ["town_blocks.kmz"]


def test_no_process_is_started_for_little(make_states, tmp_path):
    with LintProcess() as linter:
        (path,) = write_earth(make_states(4), tmp_path, profile=EARTH_WEB, linter=linter)
        assert linter._process is None
        assert path.exists()
        with pytest.raises(ExportError):
            unsound(tmp_path, linter)
    assert sorted(bytes_below(tmp_path)) == ["town_blocks.kmz"]


def test_a_process_is_started_when_little_adds_up(make_states, tmp_path, monkeypatch):
    (path,) = write_earth(make_states(4), tmp_path, profile=EARTH_WEB)
    monkeypatch.setattr(lint_process, "LEAST", 3 * path.stat().st_size - 1)
    started = []
    with LintProcess() as linter:
        for folder in "abcd":
            write_earth(make_states(4), tmp_path / folder, profile=EARTH_WEB, linter=linter)
            started.append(linter._process is not None)
    assert started == [False, False, True, True]
    assert len(list(tmp_path.rglob("*.kmz"))) == 5


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("moment", ["before it is asked", "before it answers"])
def test_a_process_that_dies_is_done_without(make_states, tmp_path, moment):
    linter = LintProcess()
    write_earth(make_states(4), tmp_path, profile=EARTH_WEB, linter=linter)
    if moment == "before it is asked":
        process_of(linter).kill()
        process_of(linter).wait()
    unsound(tmp_path, linter)
    if moment == "before it answers":
        process_of(linter).kill()
    with pytest.raises(ExportError, match="7 faults"), linter:
        linter.settle()
    assert sorted(bytes_below(tmp_path)) == ["town_blocks.kmz"]


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("program", ["", None, "/nowhere/python3", "/usr/bin/qgis"])
def test_a_process_that_cannot_start_is_done_without(make_states, tmp_path, monkeypatch, program):
    monkeypatch.setattr(sys, "executable", program)
    with LintProcess() as linter:
        (path,) = write_earth(make_states(4), tmp_path, profile=EARTH_WEB, linter=linter)
        assert linter._process is None
        assert path.exists()
        with pytest.raises(ExportError, match="7 faults"):
            unsound(tmp_path, linter)


@pytest.mark.usefixtures("soon")
def test_what_the_process_cannot_check_is_told_here(make_states, tmp_path):
    linter = LintProcess()
    write_earth(make_states(4), tmp_path, profile=EARTH_WEB, linter=linter)
    gone = tmp_path / ".b.kmz.part"
    gone.mkdir()  # nobody can read it
    linter.take(Drafts({gone: tmp_path / "b.kmz"}, EARTH_WEB))
    asked = process_of(linter)
    with pytest.raises(ExportError, match="cannot be written"):
        linter.settle()
    assert asked.returncode is not None


@pytest.mark.usefixtures("soon")
def test_another_fault_leaves_no_drafts(make_states, tmp_path):
    linter = LintProcess()
    write_earth(make_states(4), tmp_path, profile=EARTH_WEB, linter=linter)
    process = process_of(linter)
    with pytest.raises(ZeroDivisionError), linter:
        raise ZeroDivisionError
    assert process.returncode is not None
    assert bytes_below(tmp_path) == {}


CALLER = """
import sys, time
from pathlib import Path
from futuremap.export.kml import EARTH_WEB
from futuremap.export.kml import lint_process
from futuremap.export.kml.drafts import Drafts
lint_process.LEAST = 0
draft = Path(sys.argv[1])
draft.write_bytes(b"<kml>" + b"<a></a>" * 3_000_000)
linter = lint_process.LintProcess()
linter.take(Drafts({draft: draft}, EARTH_WEB))
linter.take(Drafts({draft: draft}, EARTH_WEB))
print(linter._process.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("at_once", [True, False])
def test_nothing_outlives_a_killed_run(tmp_path, at_once):
    with subprocess.Popen(
        [sys.executable, "-c", CALLER, str(tmp_path / "a.kml")], cwd=ROOT, stdout=subprocess.PIPE
    ) as caller:
        other = int(caller.stdout.readline())
        if not at_once:
            time.sleep(0.5)
            os.kill(other, signal.SIGINT)  # of a terminal; it is not for the linter to heed
            time.sleep(0.1)
            os.kill(other, 0)
        caller.kill()
    for _ in range(100):
        try:
            os.kill(other, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(other, signal.SIGKILL)
    pytest.fail("the linter lives on")
