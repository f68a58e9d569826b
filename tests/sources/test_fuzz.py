"""Readers under arbitrary cells: they note errors or give sound nouns, and never raise."""

import json
import random
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from futuremap.problems import Report
from futuremap.sources import controls, facilities, outline, register

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "fuzz"))

import fuzz_sources
import mutate

from tests.catalogue.clean import READERS

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


TEXTS = [name for name, reader in READERS.items() if reader.kind == "text"]
PACKED = [name for name, reader in READERS.items() if reader.kind != "text"]


@pytest.mark.parametrize("name", [name for name in TEXTS if name not in fuzz_sources.SAME])
def test_changed_texts(name, tmp_path):
    harness = fuzz_sources.Harness(name, tmp_path)
    rng = random.Random(f"{name} in the tests")  # noqa: S311
    for _ in range(60):
        harness.run(mutate.text(harness.seeds[harness.path], rng))
    assert not harness.findings


@pytest.mark.parametrize("name", [name for name in PACKED if name not in fuzz_sources.SAME])
def test_changed_workbooks_and_shapes_in_a_process_of_their_own(name, tmp_path):
    tally = fuzz_sources.fuzz(name, runs=40, seconds=60, keep=tmp_path, packed=True)
    assert tally.inputs == 40
    assert not tally.findings


def test_a_finding_is_kept(tmp_path, monkeypatch):
    harness = fuzz_sources.Harness("totals", tmp_path)
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
        (folder / "clean.csv").write_bytes(b"the input")
        fuzz_sources.Counter(folder / "count").add()
        return code, said

    monkeypatch.setattr(fuzz_sources, "_worker", worker)
    tally = fuzz_sources.fuzz("totals", runs=1, seconds=9, keep=tmp_path, packed=False)
    assert [finding["kind"] for finding in tally.findings] == [kind]
    assert (tmp_path / "totals" / "clean.csv").read_bytes() == b"the input"
    first, second = fuzz_sources.checks_of("totals", tally, 1)
    assert first["ok"]
    assert not second["ok"]
