"""Readers under arbitrary cells: they note errors or give sound nouns, and never raise."""

import gzip
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from futuremap.problems import Report
from futuremap.sources import controls, facilities, outline, recognise, register

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "fuzz"))

import fuzz_harness
import fuzz_sources
import fuzz_worker
import mutate

from .variants import FIXTURES, TOWN, ids_by_name, read_base, register_rows, sheet, write_csv

ROWS = register_rows(4)
FACILITIES = [list(row) for row in sheet(FIXTURES / "middle_school.xlsx")[:5]]
PROJECTION = [
    line.split(",") for line in (FIXTURES / "ipss2018.csv").read_text(encoding="utf-8").split("\n")
]
CELL = st.one_of(
    st.sampled_from(["", "-", "X", "塩屋町", "1", "-1", "1e9", "34.3,134.0", "134.0,34.3", "S58"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.text("0123456789.,/-年月日", max_size=12),
)
CHANGES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60), CELL), max_size=12)
EASY = settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)


def changed(rows, changes):
    """The table with some cells replaced, headings among them, and some rows longer."""
    table = [list(row) for row in rows]
    for row, column, value in changes:
        cells = table[row % len(table)]
        if column < len(cells):
            cells[column] = value
        elif column == len(cells):
            cells.append(value)
    return table


@EASY
@given(changes=CHANGES)
def test_registers(changes, tmp_path):
    report = Report()
    path = write_csv(tmp_path / "a.csv", changed(ROWS, changes))
    base = read_base(path, report)
    assert report.errors or base.population.zones == base.zones.ids
    names = ids_by_name(base) if base else {"塩屋町": "1"}
    past = register.read_year(path, year=2023, ids_by_name=names, credit="c", report=report)
    assert report.errors or (past.persons == base.population.persons).all()
    list(report.lines())


@EASY
@given(changes=CHANGES)
def test_facilities(changes, tmp_path):
    report = Report()
    path = write_csv(tmp_path / "a.csv", changed(FACILITIES, changes))
    read = facilities.read(path, facility_class="x", base_year=2023, report=report, **TOWN)
    assert report.errors or len(read.table) >= 1
    list(report.lines())


@EASY
@given(changes=CHANGES)
def test_controls(changes, tmp_path):
    report = Report()
    path = write_csv(tmp_path / "a.csv", changed(PROJECTION[:5], changes))
    read = controls.read(path, code="37201", name="高松市", credit="c", report=report)
    assert (read is None) <= bool(report.errors)
    list(report.lines())


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.sampled_from([134.0, 34.1, "Polygon"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.sampled_from(["type", "coordinates", "properties"]), inner, max_size=4),
    ),
)


@EASY
@given(geometry=JSON, crs=JSON, rings=st.lists(st.lists(st.lists(st.floats(), min_size=2))))
def test_outlines(geometry, crs, rings, tmp_path):
    polygon = {"type": "Polygon", "coordinates": rings}
    for shape in (geometry, polygon):
        feature = {"properties": {"N03_007": "37201"}, "geometry": shape}
        for more in ({}, {"crs": crs}):
            report = Report()
            path = tmp_path / "a.geojson"
            path.write_text(json.dumps({"features": [feature], **more}), encoding="utf-8")
            read = outline.read(
                path, code="37201", plane_zone=4, name="高松市", credit="c", report=report
            )
            assert (read is None) == bool(report.errors)
            list(report.lines())


READERS = {
    name: reader for name, reader in fuzz_harness.load().items() if name not in fuzz_harness.SAME
}
# the extra `test` brings it on Linux, where it must be there
WITH_ATHERIS = pytest.mark.skipif(sys.platform != "linux", reason="atheris is for Linux")
TEXTS = [name for name, reader in READERS.items() if reader.kind == "text"]
PACKED = [name for name, reader in READERS.items() if reader.kind != "text"]


@pytest.mark.parametrize("name", TEXTS)
def test_changed_texts(name, tmp_path):
    harness = fuzz_harness.Harness(name, tmp_path)
    rng = random.Random(f"{name} in the tests")  # noqa: S311
    for _ in range(60):
        harness.run(mutate.text(harness.seeds[harness.path], rng))
    assert not harness.findings


@pytest.mark.parametrize("name", PACKED)
def test_changed_workbooks_and_shapes_in_a_process_of_their_own(name, tmp_path):
    account = fuzz_sources.Account(tmp_path, name, packed=True, wanted=40)
    fuzz_sources.fuzz(account, runs=40, seconds=60)
    assert account.tally["inputs"] == 40
    assert not account.findings


LED_BY_COVERAGE = ("register", "estat_small_area", "vector")


@WITH_ATHERIS
@pytest.mark.parametrize("name", LED_BY_COVERAGE)
def test_atheris_finds_nothing_in_a_short_run(name, tmp_path, monkeypatch):
    monkeypatch.setenv("FUZZ_COVERAGE", "1")
    account = fuzz_sources.Account(tmp_path, name, packed=False, wanted=300)
    fuzz_sources.fuzz(account, runs=300, seconds=60)
    assert account.tally["inputs"] >= 300
    assert account.tally["edges"] > account.tally["edges_of_clean_file"] > 0
    assert not account.findings


@WITH_ATHERIS
def test_a_run_led_by_coverage_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setenv("FUZZ_COVERAGE", "1")
    for inputs in (300, 600):
        account = fuzz_sources.Account(tmp_path, "totals", packed=False, wanted=inputs)
        fuzz_sources.fuzz_all([account], seconds=60, state=tmp_path)
        figures = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))[0]
        assert figures["inputs"] >= inputs
        assert figures["edges"] > figures["edges_of_clean_file"] > 0
        assert not figures["findings"]
    assert figures["sessions"] == 2


def test_a_finding_is_kept(tmp_path, monkeypatch):
    harness = fuzz_harness.Harness("totals", tmp_path)
    for error in (ValueError("odd"), KeyError("odd")):

        def fail(_path, _report, error=error):
            raise error

        monkeypatch.setattr(harness, "reader", harness.reader._replace(read=fail))
        harness.run(b"code,year\n")
    kinds = [finding["kind"].split(" at ")[0] for finding in harness.findings.values()]
    assert kinds == ["ValueError", "KeyError"]
    assert next(tmp_path.glob("finding-*.csv")).read_bytes() == b"code,year\n"
    silent = harness.reader._replace(read=lambda _path, _report: None)
    monkeypatch.setattr(harness, "reader", silent)
    harness.run(b"code,year\n")
    assert "nothing was said" in list(harness.findings.values())[-1]["text"]


@pytest.mark.parametrize(("packing", "code"), [("gzip", "FM102"), ("zip", "FM331")])
def test_a_broken_packing_is_told(packing, code, tmp_path):
    # found by atheris: reading it had stopped with zlib.error and OSError
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "町名,人口\n" * 9)
    packed = gzip.compress(b"a,b\n1,2\n" * 9) if packing == "gzip" else whole.getvalue()
    path = tmp_path / f"a.csv.{packing[:2]}"
    said = set()
    for at in range(12, len(packed)):
        for byte in (0x00, 0x5A, 0xFF):
            path.write_bytes(packed[:at] + bytes([byte]) + packed[at + 1 :])
            found = recognise.recognise(path)
            said |= {en.partition(":")[0] for _, en in found.lacks}
            assert not any("stopped (" in en for _, en in found.lacks)
    assert code in said


def test_shapes_of_which_none_is_drawn_are_told(tmp_path):
    # found by the fuzzer: reading it had stopped with ValueError
    feature = {"type": "Feature", "properties": {"key": "1"}, "geometry": None}
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature] * 2}))
    found = recognise.recognise(path)
    assert found.lacks
    assert not any("stopped (" in en for _, en in found.lacks)


def test_mutations_can_be_repeated():
    seeds = (b"a,b\n1,2\n", b"")
    for change in (mutate.text, mutate.packed, mutate.raw):

        def all_of(seed, change=change):
            return [change(seed, random.Random(i)) for i in range(200)]  # noqa: S311

        made = [all_of(seed) for seed in seeds]
        assert made == [all_of(seed) for seed in seeds]
        assert len(set(made[0])) > 50


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [(-11, "", "crash (SIGSEGV)"), (-14, "", "hang"), (70, "timeout after 10", "hang"), (1, "x", "worker ended with 1")],
)  # fmt: skip
def test_a_worker_that_ends_badly_is_a_finding(code, said, kind, tmp_path, monkeypatch):
    def worker(_name, folder, **_more):
        (folder / "clean.csv").write_bytes(b"code,year\n")
        fuzz_harness.Counter(folder / "count").add()
        return code, said

    account = fuzz_sources.Account(tmp_path, "totals", packed=False, wanted=1)
    with monkeypatch.context() as changed_worker:
        changed_worker.setattr(fuzz_sources, "_worker", worker)
        fuzz_sources.fuzz(account, runs=1, seconds=9)
    assert [finding["kind"] for finding in account.findings] == [kind]
    kept = account.kept / account.findings[0]["input"]
    assert kept.read_bytes() == b"code,year\n"
    first, second = fuzz_sources.checks_of(account)
    assert first["ok"]
    assert not second["ok"]
    # read again by the reader as it is, it is no finding any more
    if kind == "hang":
        assert account.replay() == 1
        assert not list(account.kept.iterdir())


HANGS = """
import sys, time
sys.path[:0] = [{scripts!r}]
import fuzz_worker
fuzz_worker.HANG = 1.0
class Slow(fuzz_worker.Harness):
    def run(self, body, part=None):
        if b"99999" in body:
            time.sleep(60)
fuzz_worker.Harness = Slow
fuzz_worker.work("totals", fuzz_worker.Path({folder!r}), runs=100_000, seconds=50, seed=0)
"""


@pytest.mark.parametrize("coverage", [False, pytest.param(True, marks=WITH_ATHERIS)])
def test_a_hang_ends_the_worker(coverage, tmp_path):
    scripts = str(Path(fuzz_worker.__file__).parent)
    more = {"FUZZ_COVERAGE": "1"} if coverage else {}
    done = subprocess.run(
        [sys.executable, "-c", HANGS.format(scripts=scripts, folder=str(tmp_path))],
        env=os.environ | more, capture_output=True, timeout=50, check=False,
    )  # fmt: skip
    said = done.stderr.decode("utf-8", "replace")
    assert fuzz_sources._ended(done.returncode, said) == "hang"
