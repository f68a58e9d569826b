"""Readers under arbitrary cells: they note errors or give sound nouns, and never raise."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from futuremap.problems import Report
from futuremap.sources import controls, facilities, outline, register

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
