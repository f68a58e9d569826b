"""Joined monthly registers: any months, as published, with what is missing told."""

import csv

import numpy as np
import pytest

from futuremap.problems import Report
from futuremap.sources import register, register_series

from .variants import FIXTURES, TOWN, found, write_csv

CLIPS = FIXTURES.parent / "clips" / "register"
JOINED = CLIPS / "joined_12.csv"
MONTHS = ("2020-09", "2020-12", "2021-01", "2021-03", "2023-04", "2023-11")
GONE = len(range(10, 12)) + 1 + 24 + 6  # months between them


def read(path, report, **more):
    return register_series.read(path, municipality="37201", credit="c", report=report, **more)


def rows():
    with JOINED.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_every_month_is_a_population_of_its_own(report):
    series = read(JOINED, report)
    assert series.months == MONTHS
    assert len({people.zones for people in series.populations}) == 1
    assert series.at("2020-09").years == (2020,)
    assert series.names["37201-001"] == "塩屋町"
    for month, people in zip(series.months, series.populations, strict=True):
        published = [int(row[3]) for row in rows()[1:] if row[0] == month]
        assert people.totals()[0].tolist() == published
    gaps = [problem.value for problem in report.problems if problem.code == "FM323"]
    assert len(gaps) == len(report.problems) == GONE
    assert "2021-02" in gaps


@pytest.mark.parametrize("month", ["2020-09", "2023-04", "2023-11"])
def test_a_month_is_the_workbook_it_came_from(month, report):
    series = read(JOINED, report, months=[month])
    names = register.names_by_number(CLIPS / "0066_202311_12.xlsx", report=report)
    path = CLIPS / f"0066_{month.replace('-', '')}_12.xlsx"
    one = register.read(path, year=int(month[:4]), report=report, names=names, **TOWN)
    assert np.array_equal(series.at(month).persons, one.population.persons)
    assert series.at(month).zones == one.population.zones
    assert tuple(series.names.values()) == one.zones.names
    assert not report.errors


def test_a_month_that_is_not_there_is_refused(report):
    assert read(JOINED, report, months=["2021-02", "2021-03"]) is None
    assert [(p.code, p.value) for p in report.problems] == [("FM309", "2021-02")]


@pytest.mark.parametrize(
    ("row", "heading", "value", "code"),
    [
        (3, "m00", "-1", "FM302"), (3, "m85p", "", "FM301"), (3, "f40", "X", "FM308"),
        (3, "m00", "12.5", "FM304"), (3, "m00", "3000000000", "FM320"), (3, "total", "1", "FM305"),
        (3, "month", "2020-13", "FM328"), (3, "month", "", "FM328"), (3, "no", "1", "FM411"),
        (3, "no", "", "FM414"), (3, "region", "", "FM414"), (20, "region", "築池町", "FM413"),
        (3, "region", "築\ufffd町", "FM568"), (0, "m00", "m0", "FM201"), (0, "m05", "m00", "FM202"),
    ],
)  # fmt: skip
def test_one_fault_is_found_where_it_stands(row, heading, value, code, tmp_path, report):
    table = rows()
    table[row][table[0].index(heading)] = value
    series = read(write_csv(tmp_path / "a.csv", table), report)
    shown = {"FM201": "m00", "FM202": "m00"}.get(code, heading)
    assert (code, row + 1, shown) in found(report)
    assert (series is None) == (code != "FM305")


def test_a_month_that_repeats_the_one_before_is_told(tmp_path, report):
    table = rows()[:13]
    table += [["2020-10", *row[1:]] for row in table[1:]]
    assert len(read(write_csv(tmp_path / "a.csv", table), report).months) == 2
    assert [(p.code, p.value) for p in report.problems] == [("FM324", "2020-10")]


def test_an_area_that_one_month_lacks_is_named(tmp_path, report):
    table = rows()
    assert read(write_csv(tmp_path / "a.csv", table[:20] + table[21:]), report) is None
    assert [(p.code, p.value) for p in report.errors] == [("FM412", table[20][2])]


def test_nothing_usable_is_none(tmp_path):
    assert read(tmp_path / "none.csv", Report()) is None
    assert read(write_csv(tmp_path / "a.csv", [["month"], ["2020-01"]]), Report()) is None
