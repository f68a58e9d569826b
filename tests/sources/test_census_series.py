"""Censuses of several years and municipalities: the bundled counts, then each fault of them."""

import csv

import numpy as np
import pytest

from futuremap.core.population import Flag
from futuremap.sources import census, census_series

from .variants import FIXTURES, found, put, write_csv

TOWNS = FIXTURES.parent / "mihara_yugawara" / "census.csv"
TWELVE = FIXTURES.parent / "twelve_municipalities" / "census_2010_2015.csv"
CODES = ("14384", "34204")


def read(path, report, years=(2010, 2015), codes=CODES):
    return census_series.read(path, years=years, codes=codes, credit="census", report=report)


def published(path=TOWNS):
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.reader(text))


def row_of(rows, code, year, sex):
    return next(i for i, row in enumerate(rows) if row[:3] == [code, str(year), sex])


def test_all_years_are_what_one_by_one_gives(report):
    years = range(1980, 2016, 5)
    series = read(TOWNS, report, years=years)
    assert series.known.years == tuple(years)
    assert series.known.zones == CODES
    for y, year in enumerate(years):
        for z, code in enumerate(CODES):
            one = census.read(TOWNS, code=code, name=code, year=year, credit="c", report=report)
            assert np.array_equal(series.known.persons[y, z], one.known.persons[0, 0])
            assert np.array_equal(series.unknown.persons[y, z], one.unknown.persons[0, 0])
    assert (series.known.flag == Flag.OBSERVED).all()
    assert not report.problems


def test_totals_of_the_towns(report):
    series = read(TOWNS, report)
    totals = series.known.totals() + series.unknown.totals()
    assert totals.tolist() == [[26848, 100509], [25026, 96194]]


def test_all_municipalities_of_a_file(report):
    series = read(TWELVE, report, codes=())
    rows = published(TWELVE)
    assert len(series.known.zones) == 12
    together = sum(float(row[rows[0].index("total")]) for row in rows[1:])
    assert series.known.persons.sum() + series.unknown.persons.sum() == together
    assert not report.problems


def test_order_of_rows_does_not_matter(tmp_path, report):
    head, *rows = published()
    path = write_csv(tmp_path / "a.csv", [head, *reversed(rows)])
    assert np.array_equal(read(path, report).known.persons, read(TOWNS, report).known.persons)


@pytest.mark.parametrize(
    ("heading", "value", "code", "usable"),
    [
        ("a00", "-1", "FM302", False),
        ("a45", "約100", "FM303", False),
        ("a90p", "", "FM301", False),
        ("unknown", "X", "FM308", False),
        ("a10", "1e309", "FM485", False),
        ("a10", "１,２３４", None, True),
        ("total", "1", "FM305", True),
        ("sex", "T", "FM303", False),
        ("year", "来年", "FM303", False),
    ],
)
def test_one_fault_is_found_where_it_stands(heading, value, code, usable, tmp_path, report):
    rows = published()
    at = row_of(rows, "34204", 2015, "F")
    series = read(write_csv(tmp_path / "a.csv", put(rows, at, heading, value)), report)
    assert (series is not None) == usable
    if code:
        assert (code, at + 1, heading) in found(report)


def test_what_is_not_asked_for_is_not_looked_at(tmp_path, report):
    rows = published()
    rows = put(rows, row_of(rows, "34204", 1980, "M"), "a00", "?")
    rows = put(rows, row_of(rows, "14384", 1985, "M"), "a00", "?")
    assert read(write_csv(tmp_path / "a.csv", rows), report) is not None
    assert not report.problems


def test_missing_years_sexes_and_towns_are_all_said(tmp_path, report):
    rows = published()
    del rows[row_of(rows, "14384", 2015, "M")]
    path = write_csv(tmp_path / "a.csv", rows)
    assert read(path, report, years=(2015, 2020), codes=[*CODES, "99999"]) is None
    said = [(problem.code, problem.value) for problem in report.problems]
    assert ("FM433", "14384") in said
    assert said.count(("FM309", "2020")) == 2
    assert ("FM431", "99999") in said
    assert len(said) == 4


def test_a_row_that_stands_twice(tmp_path, report):
    rows = published()
    at = row_of(rows, "34204", 2015, "F")
    assert read(write_csv(tmp_path / "a.csv", [*rows, rows[at]]), report) is None
    assert found(report) == [("FM411", len(rows) + 1, "year")]


def test_a_missing_column_and_an_empty_choice(tmp_path, report):
    rows = published()
    path = write_csv(tmp_path / "a.csv", put(rows, 0, "a85", "a85p"))
    assert read(path, report) is None
    assert found(report) == [("FM201", 1, "a85")]
    assert read(tmp_path / "none.csv", report) is None
    head = [published()[0], ["", "2015", "M", *["1"] * 21]]
    assert read(write_csv(tmp_path / "b.csv", head), report, codes=()) is None
