"""Control totals: the published projection, and each fault of the rows that are used."""

import csv
import gzip

import numpy as np
import pytest

from futuremap.core.population import Flag
from futuremap.sources import controls

from .variants import FIXTURES, found, put, write_csv

PATH = FIXTURES / "ipss2018.csv"


def published():
    with PATH.open(encoding="utf-8", newline="") as text:
        return list(csv.reader(text))


def read(path, report, code="37201"):
    return controls.read(path, code=code, name="高松市", credit="ipss2018", report=report)


def test_every_published_cell_is_read(report):
    projection = read(PATH, report)
    head, *rows = published()
    assert not report.problems
    assert projection.zones == ("37201",)
    assert projection.years == (2015, 2020, 2025, 2030, 2035, 2040, 2045)
    assert projection.ages.lower == tuple(range(0, 91, 5))
    assert (projection.flag == Flag.PROJECTED).all()
    assert projection.sources == ("ipss2018",)
    for row in rows:
        year, sex = projection.years.index(int(row[1])), "MF".index(row[2])
        assert projection.persons[year, 0, sex].tolist() == [int(cell) for cell in row[4:]]
        assert projection.persons[year, 0, sex].sum() == int(row[head.index("total")])


def test_other_forms_give_the_same(tmp_path, report):
    head, *rows = published()
    strangers = [["01100", "x", "?", "-1", *[""] * 19], ["", "2020", "M", *["1"] * 20]]
    path = write_csv(tmp_path / "all.csv", [head, *strangers, *reversed(rows)])
    packed = tmp_path / "all.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for other in (path, packed):
        assert np.array_equal(read(other, report).persons, read(PATH, report).persons)
    assert not report.problems


def test_rounded_groups_may_miss_their_total(tmp_path, report):
    rows = put(published(), 3, "a00", "8268.4")
    rows = put(rows, 5, "total", str(int(rows[5][3]) + 9))
    assert read(write_csv(tmp_path / "a.csv", rows), report).persons[1, 0, 1, 0] == 8268.4
    assert not report.problems


@pytest.mark.parametrize(
    ("heading", "value", "code", "usable"),
    [
        ("a00", "-1", "FM302", False),
        ("a45", "約100", "FM303", False),
        ("a90p", "", "FM301", False),
        ("a10", "X", "FM308", False),
        ("a10", "-", "FM308", False),
        ("total", "1", "FM305", True),
        ("total", "?", "FM303", True),
        ("year", "来年", "FM303", False),
        ("year", "", "FM303", False),
        ("sex", "T", "FM303", False),
    ],
)
def test_one_fault_is_found_where_it_stands(heading, value, code, usable, tmp_path, report):
    projection = read(write_csv(tmp_path / "a.csv", put(published(), 3, heading, value)), report)
    beside = [place for place in found(report) if place[0] != "FM433"]
    assert beside == [(code, 4, heading)]
    assert (projection is not None) == usable


def test_a_year_that_stands_twice(tmp_path, report):
    rows = published()
    assert read(write_csv(tmp_path / "a.csv", [*rows, rows[2]]), report) is None
    assert found(report) == [("FM411", 16, "year")]
    assert "3 行目" in report.problems[0].text("fix")


def test_a_sex_that_is_missing(tmp_path, report):
    rows = published()
    gone = rows.pop(4)
    assert read(write_csv(tmp_path / "a.csv", rows), report) is None
    (problem,) = report.problems
    assert problem.code == "FM433"
    assert gone[1] in problem.text("title")
    assert gone[2] in problem.text("fix")


def test_a_municipality_that_is_not_there(report):
    assert read(PATH, report, code="37202") is None
    assert [(p.code, p.value) for p in report.problems] == [("FM431", "37202")]


def test_missing_columns_hide_no_other_fault(tmp_path, report):
    rows = put(put(published(), 0, "a90p", "a90+"), 3, "a00", "-1")
    assert read(write_csv(tmp_path / "a.csv", rows), report) is None
    assert found(report) == [("FM201", 1, "a90p"), ("FM302", 4, "a00")]
    rows = put(published(), 0, "code", "kode")
    assert read(write_csv(tmp_path / "b.csv", rows), report) is None
    assert ("FM201", 1, "code") in found(report)


def test_a_missing_file(tmp_path, report):
    assert read(tmp_path / "none.csv", report) is None
    assert found(report) == [("FM101", None, "")]
