"""Workbooks of IPSS: real numbers of Takamatsu put into the published layout, then broken."""

import csv

import numpy as np
import openpyxl
import pytest

from futuremap.core.population import Flag
from futuremap.problems import Report
from futuremap.sources import controls, ipss

from .variants import FIXTURES, found

CSV = FIXTURES / "ipss2018.csv"
OLDEST = {2018: "90歳以上", 2023: "95歳～"}


def published(edition=2018):
    """Years, and persons (years, sexes, ages) as whole numbers; 2023 has one group more."""
    with CSV.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    years = sorted({int(row["year"]) for row in rows})
    ages = [name for name in rows[0] if name[0] == "a"]
    by_key = {(int(row["year"]), row["sex"]): row for row in rows}
    persons = np.array([[[int(by_key[y, s][a]) for a in ages] for s in "MF"] for y in years])
    if edition == 2018:
        return years, persons
    last = persons[..., -1:] // 4
    split = np.concatenate([persons[..., :-1], persons[..., -1:] - last, last], axis=-1)
    return [year + 5 for year in years], split


def labels(edition):
    closed = [f"{age}～{age + 4}歳" for age in range(0, 90 if edition == 2018 else 95, 5)]
    return [*closed, OLDEST[edition]]


def sheet_rows(edition, *, heads=("男女計", "男", "女")):
    """A sheet as rows: title, years, total, ages, and what is counted again."""
    years, persons = published(edition)
    both = persons.sum(axis=1)
    blocks = [both, persons[:, 0], persons[:, 1]]
    rows = [["37201", "高松市"], [], line(heads, [[f"{y}年" for y in years]] * 3)]
    rows.append(line(["総数"] * 3, [block.sum(axis=1).tolist() for block in blocks]))
    for i, label in enumerate(labels(edition)):
        rows.append(line([label] * 3, [block[:, i].tolist() for block in blocks]))
    rows.append(line(["（再掲）"] * 3, [[None] * len(years)] * 3))
    rows.append(line(["0～14歳"] * 3, [block[:, :3].sum(axis=1).tolist() for block in blocks]))
    rows.append(line(["75歳以上"] * 3, [block[:, 15:].sum(axis=1).tolist() for block in blocks]))
    return rows


def line(names, blocks):
    cells = []
    for name, block in zip(names, blocks, strict=True):
        cells += [name, *block, None]
    return cells[:-1]


def write(path, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    book.save(path)
    return path


def workbook(folder, edition=2018, rows=None):
    rows = sheet_rows(edition) if rows is None else rows
    return write(folder / "37.xlsx", {"3700_香川県": sheet_rows(edition), "37201_高松市": rows})


def read(path, report, code="37201"):
    return ipss.read(path, code=code, name="高松市", credit="ipss2018", report=report)


@pytest.mark.parametrize("edition", [2018, 2023])
def test_every_cell_of_both_editions_is_read(edition, tmp_path, report):
    projection = read(workbook(tmp_path, edition), report)
    years, persons = published(edition)
    assert not report.problems
    assert projection.years == tuple(years)
    assert projection.zones == ("37201",)
    assert projection.ages.open_age == (90 if edition == 2018 else 95)
    assert np.array_equal(projection.persons[:, 0], persons)
    assert (projection.flag == Flag.PROJECTED).all()


def test_workbook_and_table_give_the_same(tmp_path, report):
    table = controls.read(CSV, code="37201", name="高松市", credit="ipss2018", report=report)
    projection = read(workbook(tmp_path), report)
    assert np.array_equal(projection.persons, table.persons)
    assert projection.ages == table.ages


def test_the_prefecture_and_codes_without_their_zero(tmp_path, report):
    sheets = {"100_北海道": sheet_rows(2023), "1100_札幌市": sheet_rows(2023)}
    path = write(tmp_path / "01.xlsx", sheets)
    assert read(path, report, code="01000").zones == ("01000",)
    assert read(path, report, code="01100").zones == ("01100",)
    assert not report.problems
    assert read(path, report, code="01101") is None
    assert [(p.code, p.value) for p in report.problems] == [("FM431", "01101")]


def test_blocks_are_told_by_label_whatever_their_order(tmp_path, report):
    years, persons = published(2018)
    rows, width = sheet_rows(2018), len(years) + 2
    wide = [[*row, *[None] * (3 * width - len(row))] for row in rows]
    swapped = [[*row[2 * width :], *row[: 2 * width]] for row in wide]  # women, both, men
    projection = read(workbook(tmp_path, rows=[rows[0], *swapped[1:]]), report)
    assert np.array_equal(projection.persons[:, 0], persons)


def test_blocks_without_labels_stand_in_their_usual_order(tmp_path, report):
    rows = sheet_rows(2018, heads=("", "", ""))
    assert np.array_equal(read(workbook(tmp_path, rows=rows), report).persons[:, 0], published()[1])
    assert not report.problems


@pytest.mark.parametrize(
    ("row", "column", "value", "expected"),
    [
        (5, 10, -1, ("FM302", 6, "男 2015年")),
        (5, 10, "X", ("FM308", 6, "男 2015年")),
        (5, 12, "約100", ("FM303", 6, "男 2025年")),
        (5, 20, None, ("FM301", 6, "女 2020年")),
        (6, 0, "10～1４才まで?", ("FM451", 7, "")),
        (6, 0, "15～19歳", ("FM451", 8, "")),
    ],
)
def test_one_fault_is_found_where_it_stands(row, column, value, expected, tmp_path, report):
    rows = sheet_rows(2018)
    rows[row][column] = value
    assert read(workbook(tmp_path, rows=rows), report) is None
    assert expected in found(report)
    assert all(problem.sheet == "37201_高松市" for problem in report.problems)


def test_many_faults_are_all_reported(tmp_path, report):
    rows = sheet_rows(2018)
    for row in range(4, 14):
        for column in (1, 10, 19):
            rows[row][column] = "?"
    assert read(workbook(tmp_path, rows=rows), report) is None
    assert [code for code, _, _ in found(report)] == ["FM303"] * 30


def test_sums_that_do_not_agree_are_said(tmp_path, report):
    rows = sheet_rows(2018)
    rows[3][1] += 500
    rows[8][10] += 300
    assert read(workbook(tmp_path, rows=rows), report) is not None
    assert ("FM305", 4, "男女計 2015年") in found(report)
    assert ("FM305", 4, "男 2015年") in found(report)
    assert ("FM305", None, "男女計 2015年") in found(report)


def test_a_missing_age_group_and_another_table(tmp_path, report):
    rows = sheet_rows(2018)
    del rows[9]
    assert read(workbook(tmp_path, rows=rows), report) is None
    assert {code for code, _, _ in found(report)} == {"FM451"}
    other = Report()
    assert read(workbook(tmp_path, rows=[["総人口", "指数"], [1, 2]]), other) is None
    assert [problem.code for problem in other.problems] == ["FM450"]


def test_labels_that_contradict_each_other_are_refused(tmp_path, report):
    rows = sheet_rows(2018, heads=("男", "男", "女"))
    assert read(workbook(tmp_path, rows=rows), report) is None
    assert [problem.code for problem in report.problems] == ["FM450"]


def test_what_is_no_workbook(tmp_path, report):
    assert read(CSV, report) is None
    assert read(tmp_path / "none.xlsx", report) is None
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 and nothing more")
    assert read(broken, report) is None
    assert [problem.code for problem in report.problems] == ["FM337", "FM101", "FM331"]
