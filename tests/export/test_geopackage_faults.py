"""Whatever keeps the file from being written is said with its place; earlier files stay whole."""

import errno
import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from test_geopackage import METADATA, TITLE, facility_layers, town_layers

from futuremap.cli.console import complain
from futuremap.errors import ExportError
from futuremap.export.geopackage import faults, write_geopackage

NOBODY = 65534


def write(path):
    return write_geopackage(town_layers(), path, title=TITLE, metadata=METADATA)


def everything(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def earlier(tmp_path):
    write_geopackage(facility_layers(), tmp_path / "town.gpkg", title=TITLE, metadata=METADATA)
    return tmp_path / "town.gpkg"


@pytest.mark.parametrize(
    "name",
    ["a|b.gpkg", "a?b.gpkg", "a*.gpkg", 'a"b.gpkg', "a<b>.gpkg", "a:b.gpkg", "a\\b.gpkg",
     "a\nb.gpkg", "a\x00b.gpkg", "a\x7f.gpkg", "a\ud800.gpkg", "a\ufffe.gpkg", "con.gpkg",
     "LPT1.gpkg", "a.gpkg ", "a.gpkg.", "a;b.gpkg", "a!b.gpkg", f"{'町' * 70}.gpkg"],
)  # fmt: skip
def test_a_name_that_a_system_or_qgis_misreads_is_refused(tmp_path, name):
    with pytest.raises(ExportError) as refused:
        write(tmp_path / name)
    assert refused.value.code == "FM720"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["三原市 (案) [1].gpkg", "a'b--.gpkg", "a%20b&c#d.gpkg", "-a.gpkg"]
)
def test_any_other_name_is_taken(tmp_path, name):
    assert write(tmp_path / name)[0].name == name
    with closing(sqlite3.connect(tmp_path / name)) as db:
        assert db.execute("SELECT count(*) FROM qgis_projects").fetchone() == (2,)


def test_a_folder_at_whose_name_pyogrio_stops_reading_is_refused(tmp_path):
    for name in ("a;b", "a!b"):
        (tmp_path / name).mkdir()
        with pytest.raises(ExportError) as refused:
            write(tmp_path / name / "town.gpkg")
        assert refused.value.code == "FM720"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a!b", "a;b"]


@pytest.mark.parametrize("theme", ["町丁", 'a"; DROP TABLE b', "gpkg_x", "qgis_projects", "A", ""])
def test_a_name_that_no_table_can_have_is_refused(tmp_path, theme):
    layers = town_layers()
    for layer in layers:
        object.__setattr__(layer, "theme", theme)
    with pytest.raises(ExportError) as refused:
        write_geopackage(layers, tmp_path / "a.gpkg", title=TITLE, metadata={})
    assert refused.value.code == "FM720"
    assert list(tmp_path.iterdir()) == []


def test_two_tables_of_one_name_are_refused(tmp_path):
    layers = [*town_layers(), *facility_layers()]
    for layer in layers[3:]:
        object.__setattr__(layer, "theme", "town_blocks_by_year")
    with pytest.raises(ExportError) as refused:
        write_geopackage(layers, tmp_path / "a.gpkg", title=TITLE, metadata={})
    assert refused.value.code == "FM720"


def test_a_file_that_is_open_in_another_program_is_not_replaced(earlier):
    before = earlier.read_bytes()
    with closing(sqlite3.connect(earlier)) as db:  # as QGIS opens it
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("UPDATE gpkg_contents SET description = 'x'")
        db.commit()
        with pytest.raises(ExportError) as refused:
            write(earlier)
        assert (refused.value.code, refused.value.file) == ("FM721", str(earlier))
        assert "town.gpkg-wal" in str(refused.value)
        assert earlier.read_bytes()[100:] == before[100:]
    write(earlier)  # closed, it can be


def test_a_reader_of_the_old_file_does_not_stop_the_new_one(earlier):
    with closing(sqlite3.connect(earlier)) as db:
        rows = db.execute("SELECT name FROM facilities")
        assert rows.fetchone() is not None
        write(earlier)
        assert len(rows.fetchall()) == 2  # it still sees what it opened
    with closing(sqlite3.connect(earlier)) as db:
        assert db.execute("SELECT count(*) FROM town_blocks").fetchone() == (5,)


def test_a_file_that_windows_keeps_open_is_said_to_be(earlier, monkeypatch):
    before = everything(earlier.parent)

    def kept(_self, _target):
        raise PermissionError(errno.EACCES, "Access is denied", str(earlier))

    monkeypatch.setattr(Path, "replace", kept)
    with pytest.raises(ExportError) as refused:
        write(earlier)
    assert refused.value.code == "FM721"
    assert everything(earlier.parent) == before


@contextmanager
def read_only(folder):
    """A folder in which this process may not write, even if it is root's."""
    folder.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        folder.chmod(0o755)


def test_a_folder_that_is_read_only_is_said_to_be():
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        write(folder / "town.gpkg")
        before = everything(folder)
        with read_only(folder), pytest.raises(ExportError) as refused:
            write(folder / "town.gpkg")
        assert refused.value.code == "FM723"
        assert everything(folder) == before


def test_no_folder_is_no_folder(tmp_path):
    with pytest.raises(ExportError) as refused:
        write(tmp_path / "none" / "a.gpkg")
    assert (refused.value.code, refused.value.file) == ("FM723", str(tmp_path / "none" / "a.gpkg"))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "FM722"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "FM722"),
        (OSError(errno.EROFS, "Read-only file system"), "FM723"),
        (sqlite3.OperationalError("database or disk is full"), "FM722"),
        (sqlite3.DatabaseError("malformed"), ""),
    ],
)
def test_what_the_system_says_is_told_apart(tmp_path, error, code):
    assert faults.fault_of(error, tmp_path / "a.gpkg").code == code


def test_where_the_words_do_not_tell_the_disk_is_asked(tmp_path, monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    words = "sqlite3_exec(INSERT INTO x VALUES ('a failed: b')) failed: no transaction is active"
    found = faults.fault_of(faults.pyogrio.errors.DataLayerError(words), tmp_path / "a.gpkg")
    assert found.code == "FM722"
    assert str(found).endswith("no transaction is active: No space left on device")


def test_a_person_reads_what_happened_and_what_to_do(capsys):
    complain(ExportError("a.gpkg-wal", code="FM721", file="out/a.gpkg"))
    said = capsys.readouterr().err
    for words in (
        "FM721",
        "--> out/a.gpkg",
        "ほかのプログラムが開いています",
        "remove its layers in QGIS",
    ):
        assert words in said
