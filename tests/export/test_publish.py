import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from futuremap.errors import ExportError, LockedError
from futuremap.export import publish
from futuremap.export.publish import publishing, recover

FILES = ("a.txt", "data/b.txt", "data/c.txt")
# publishes set after set until it is killed; "two" forbids the exchange in one step
CHILD = """
import json, sys
from pathlib import Path
from futuremap.export import publish
if sys.argv[2] == "two":
    publish._exchange = lambda one, other: False
target, files = Path(sys.argv[1]), sys.argv[4:]
run = int(sys.argv[3])
while True:
    with publish.publishing(target) as folder:
        (folder / "data").mkdir()
        for name in files:
            (folder / name).write_text(str(run) * 2000)
        entries = [{"path": name} for name in files]
        (folder / "manifest.json").write_text(json.dumps({"run": run, "outputs": entries}))
    print(run, flush=True)
    run += 1
"""


def publish_set(target, run):
    with publishing(target) as folder:
        fill(folder, run)


def fill(folder, run):
    (folder / "data").mkdir()
    for name in FILES:
        (folder / name).write_text(str(run) * 2000)
    entries = [{"path": name} for name in FILES]
    (folder / "manifest.json").write_text(json.dumps({"run": run, "outputs": entries}))


def run_of(target):
    """The one run that all files of a whole set come from."""
    found = {p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file()}
    assert found == {*FILES, "manifest.json"}
    run = json.loads((target / "manifest.json").read_text())["run"]
    assert {(target / name).read_text() for name in FILES} == {str(run) * 2000}
    return run


def beside(target):
    return sorted(p.name for p in target.parent.iterdir() if p != target)


def start(target, mode, run, **streams):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(target), mode, str(run), *FILES],
        stdout=subprocess.PIPE,
        **streams,
    )


def test_publishes_a_set_and_then_the_next(tmp_path):
    target = tmp_path / "deep" / "高松市"
    publish_set(target, 1)
    assert run_of(target) == 1
    publish_set(target, 2)
    assert run_of(target) == 2
    assert beside(target) == [".高松市.lock"]


def test_two_renames_where_the_system_cannot_exchange(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "_exchange_call", lambda: None)
    target = tmp_path / "out"
    publish_set(target, 1)
    publish_set(target, 2)
    assert run_of(target) == 2
    assert beside(target) == [".out.lock"]


def test_a_failed_second_rename_puts_the_earlier_set_back(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "_exchange_call", lambda: None)
    target = tmp_path / "out"
    publish_set(target, 1)
    plain = Path.rename

    def fail(self, other):
        if ".tmp-" in self.name:
            raise OSError(5, "Input/output error", str(other))
        return plain(self, other)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(ExportError, match="Input/output error"):
        publish_set(target, 2)
    assert run_of(target) == 1
    assert beside(target) == [".out.lock"]


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 belongs to Linux")
def test_linux_exchanges_in_one_step(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    assert publish._exchange(tmp_path / "one", tmp_path / "other")
    assert (tmp_path / "one" / "other").exists()
    assert (tmp_path / "other" / "one").exists()


def test_exchange_reports_other_faults(tmp_path):
    with pytest.raises(FileNotFoundError):
        publish._exchange(tmp_path / "no", tmp_path / "none")


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_fault_leaves_the_earlier_set(tmp_path, fault):
    target = tmp_path / "out"
    publish_set(target, 1)

    def fail(folder):
        (folder / "half").touch()
        raise fault

    with pytest.raises(fault), publishing(target) as folder:
        fail(folder)
    assert run_of(target) == 1
    assert beside(target) == [".out.lock"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full belongs to Linux")
def test_a_full_disk_is_an_export_error_that_names_the_place(tmp_path):
    target = tmp_path / "out"
    publish_set(target, 1)

    def write(folder):
        (folder / "big").symlink_to("/dev/full")
        with (folder / "big").open("wb", buffering=0) as file:
            file.write(b"x")

    with pytest.raises(ExportError, match="No space left"), publishing(target) as folder:
        write(folder)
    assert run_of(target) == 1
    assert beside(target) == [".out.lock"]


def test_a_target_that_cannot_be_written_is_an_export_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="file"), publishing(tmp_path / "file" / "out"):
        pass


def test_a_folder_that_is_not_ours_is_refused(tmp_path):
    target = tmp_path / "Documents"
    target.mkdir()
    (target / "thesis.docx").write_text("ten years")
    with pytest.raises(ExportError, match="choose another folder"), publishing(target):
        pass
    assert (target / "thesis.docx").read_text() == "ten years"
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="choose another folder"), publishing(tmp_path / "file"):
        pass


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    publish_set(tmp_path / "out", 1)
    assert run_of(tmp_path / "out") == 1


def test_a_link_publishes_where_it_points(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    publish_set(tmp_path / "link", 1)
    publish_set(tmp_path / "link", 2)
    assert run_of(tmp_path / "real") == 2
    assert (tmp_path / "link").is_symlink()


def test_own_files_of_the_reader_stay_but_not_the_side_files_of_a_database(tmp_path):
    target = tmp_path / "out"
    publish_set(target, 1)
    (target / "qgis").mkdir()
    (target / "qgis" / "mine.qgz").write_text("my project")
    (target / "data" / "b.gpkg-wal").touch()
    publish_set(target, 2)
    publish_set(target, 3)
    assert (target / "qgis" / "mine.qgz").read_text() == "my project"
    assert not (target / "data" / "b.gpkg-wal").exists()
    (target / "qgis" / "mine.qgz").unlink()
    (target / "qgis").rmdir()
    assert run_of(target) == 3


def test_a_second_publisher_is_refused(tmp_path):
    target = tmp_path / "out"
    with publishing(target) as folder:
        with pytest.raises(LockedError, match="another run"), publishing(target):
            pass
        fill(folder, 1)
    assert run_of(target) == 1


def test_of_two_processes_one_is_refused(tmp_path):
    target = tmp_path / "out"
    with publishing(target) as folder:
        other = start(target, "one", 5, stderr=subprocess.PIPE)
        _, told = other.communicate()
        assert other.returncode == 1
        assert b"LockedError" in told
        fill(folder, 1)
    assert run_of(target) == 1


def test_stale_leftovers_are_swept_and_neighbours_are_not(tmp_path):
    target = tmp_path / "out"
    for name in (".out.tmp-99", ".out.tmp-7", ".out.tmp-x", ".out2.tmp-8"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    publish_set(target, 1)
    assert beside(target) == [".out.lock", ".out.tmp-x", ".out2.tmp-8"]


def test_recovery_puts_back_or_clears_away_the_earlier_set(tmp_path):
    target, earlier = tmp_path / "out", tmp_path / ".out.old"
    publish_set(earlier, 1)
    recover(target)
    assert run_of(target) == 1
    publish_set(earlier, 0)
    recover(target)
    assert run_of(target) == 1
    assert not earlier.exists()


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL belongs to POSIX")
@pytest.mark.parametrize("mode", ["one", "two"])
def test_sigkill_at_any_moment_leaves_a_whole_set(tmp_path, mode):
    chance = random.Random(mode)  # noqa: S311 - moments of a test
    target = tmp_path / "out"
    publish_set(target, 0)
    run = 0
    for _ in range(15):
        child = start(target, mode, run + 1)
        child.stdout.readline()
        time.sleep(chance.uniform(0, 0.03))
        child.kill()
        child.wait()
        child.stdout.close()
        recover(target)
        assert run_of(target) > run
        run = run_of(target)
    assert beside(target) == [".out.lock"]


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM is delivered on POSIX")
def test_sigterm_cleans_up(tmp_path):
    target = tmp_path / "out"
    child = start(target, "one", 1)
    child.stdout.readline()
    child.terminate()
    child.communicate()
    assert child.returncode == 128 + signal.SIGTERM or child.returncode == -signal.SIGTERM
    assert run_of(target) >= 1
    if child.returncode > 0:
        assert beside(target) == [".out.lock"]


def test_a_handler_of_the_callers_own_is_kept(tmp_path):
    def mine(_number, _frame):
        raise AssertionError

    before = signal.signal(signal.SIGTERM, mine)
    try:
        with publishing(tmp_path / "out") as folder:
            assert signal.getsignal(signal.SIGTERM) is mine
            fill(folder, 1)
    finally:
        signal.signal(signal.SIGTERM, before)
