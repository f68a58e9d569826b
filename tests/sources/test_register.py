"""Registers: the published ones cell by cell, every fault in its place, every spelling alike."""

import datetime as dt
import gzip

import numpy as np
import pytest

from futuremap.core.population import Flag
from futuremap.sources import register

from .variants import (
    FIXTURES,
    RIGHT_POINT,
    found,
    ids_by_name,
    put,
    read_base,
    register_rows,
    sheet,
    write_csv,
    write_xlsx,
)

PUBLISHED = {2018: 428_276, 2023: 419_894}
NAMES = {
    "surveyDate": "調査年月日", "regionName": "地域名", "totalPopulation": "総人口",
    "male": "男性", "woman": "女性", "regionCode": "地域コード",
}  # fmt: skip
AGES = [f"{low}-{low + 4}歳の" for low in range(0, 85, 5)] + ["85歳以上の"]


def japanese(rows):
    """The rows under the headings of the standard, which has neither numbers nor places."""
    names = dict(NAMES)
    for number, age in enumerate(AGES, start=1):
        names |= {f"man{number}": f"{age}男性", f"woman{number}": f"{age}女性"}
    keep = [i for i, heading in enumerate(rows[0]) if heading in names]
    return [[names[rows[0][i]] for i in keep], *([row[i] for i in keep] for row in rows[1:])]


def same(left, right):
    return left.zones == right.zones and np.array_equal(left.persons, right.persons)


@pytest.fixture
def base(tmp_path, report):
    """The eight areas as they were published."""
    return read_base(write_csv(tmp_path / "base.csv", register_rows()), report)


@pytest.mark.parametrize("year", PUBLISHED)
def test_every_published_cell_is_read(year, report):
    path = FIXTURES / f"register_{year}11.xlsx"
    read = register.read(
        path, year=year, municipality="37201", plane_zone=4, credit="c", report=report
    )
    assert not report.problems
    assert read.population.totals().sum() == PUBLISHED[year]
    assert read.population.years == (year,)
    assert read.population.sources == ("c",)
    assert (read.population.flag == Flag.OBSERVED).all()
    headings, *rows = sheet(path)
    assert len(rows) == len(read.zones) == 235
    for i, row in enumerate(rows):
        cell = dict(zip(headings, row, strict=True))
        for s, word in enumerate(("man", "woman")):
            expected = [int(cell[f"{word}{number}"]) for number in range(1, 19)]
            assert read.population.persons[0, i, s].tolist() == expected
        latitude, longitude = map(float, cell["location"].split(","))
        point = read.zones.geometry[i]
        assert (point.y, point.x) == (latitude, longitude)
        assert read.zones.names[i] == cell["regionName"]
        assert read.zones.ids[i] == f"37201-{int(cell['#property']):03d}"
    assert set(read.zones.frame["parent"]) == {"37201"}


def test_a_correction_replaces_the_published_point(report):
    read = read_base(FIXTURES / "register_202311.xlsx", report, corrections=RIGHT_POINT)
    at = read.zones.names.index("松島町３丁目")
    assert (read.zones.geometry[at].y, read.zones.geometry[at].x) == RIGHT_POINT["松島町３丁目"]
    assert not report.problems


def test_the_other_year_stands_on_the_zones_of_the_base_year(report):
    base = read_base(FIXTURES / "register_202311.xlsx", report)
    backwards = dict(reversed(ids_by_name(base).items()))
    past = register.read_year(
        FIXTURES / "register_201811.xlsx",
        year=2018,
        ids_by_name=backwards,
        credit="c",
        report=report,
    )
    assert past.zones == tuple(backwards.values())
    first = sheet(FIXTURES / "register_201811.xlsx")[1]
    assert past.totals()[0, -1] == int(first[7])
    assert not report.problems


FAULTS = [
    ("man4", "-3", "FM302"),
    ("man4", "△3", "FM302"),
    ("woman9", "約100", "FM303"),
    ("woman9", "#REF!", "FM484"),
    ("man18", "", "FM301"),
    ("woman1", "12.5", "FM304"),
    ("man2", "X", "FM308"),
    ("man2", "***", "FM308"),
    ("man2", "-", "FM308"),
    ("totalPopulation", "99999", "FM489"),
    ("totalPopulation", "", "FM301"),
    ("male", "99999", "FM489"),
    ("woman", "99999", "FM489"),
    ("surveyDate", "2022/11/1", "FM307"),
    ("surveyDate", "不明", "FM307"),
    ("surveyDate", "", "FM307"),
    ("#property", "1", "FM411"),
    ("#property", "００１", "FM411"),
    ("#property", "", "FM414"),
    ("regionName", "塩屋町", "FM411"),
    ("regionName", "塩 屋町", "FM411"),
    ("regionName", "", "FM414"),
    ("regionName", "合　計", "FM415"),
    ("regionName", "築\ufffd町", "FM568"),
    ("location", "", "FM521"),
    ("location", "134.05,34.34", "FM522"),
    ("location", "0,0", "FM524"),
    ("location", "3434.2286,134.055021", "FM524"),
    ("location", "34.34", "FM303"),
    ("location", "34.342286,134.055021", "FM527"),
]


@pytest.mark.parametrize(
    ("form", "heading", "value", "code"),
    [
        (form, *fault)
        for form in ("csv", "cp932", "xlsx")
        for fault in FAULTS
        if form != "cp932" or fault[2] != "FM568"  # which cannot hold a lost character
    ],
)
def test_one_fault_is_found_where_it_stands(form, heading, value, code, tmp_path, report):
    rows = put(register_rows(), 4, heading, value)
    path = tmp_path / f"register.{form}"
    if form == "xlsx":
        write_xlsx(path, rows)
    else:
        write_csv(path, rows, "cp932" if form == "cp932" else "utf-8")
    read = read_base(path, report)
    assert found(report) == [(code, 5, heading)]
    shown = report.problems[0].value.replace(" ", "")
    assert shown == value.replace(" ", "") or heading == "location"
    assert report.problems[0].sheet == ("表" if form == "xlsx" else "")
    about_people = (
        code in {"FM484", "FM301", "FM302", "FM303", "FM304", "FM308"} and heading != "location"
    )
    about_names = code in {"FM411", "FM414", "FM415"}
    if code == "FM568":
        assert read is None
    else:
        in_doubt = about_names or (about_people and heading != "totalPopulation")
        assert (read.population is None) == in_doubt


def test_as_many_problems_as_faults(tmp_path, report):
    rows = register_rows(40)
    planted = []
    for number, (heading, value, code) in enumerate(FAULTS, start=3):
        if code != "FM568":
            rows = put(rows, number, heading, value)
            planted.append((code, number + 1, heading))
    read = read_base(write_csv(tmp_path / "many.csv", rows), report)
    assert found(report) == sorted(planted, key=lambda place: (place[1], place[0], place[2]))
    assert read.population is None
    assert read.zones is not None


def test_a_fault_does_not_hide_another_in_the_same_row(tmp_path, report):
    rows = register_rows()
    for heading, value in (("man1", "-1"), ("woman1", "x"), ("man2", ""), ("location", "0,0")):
        rows = put(rows, 2, heading, value)
    read_base(write_csv(tmp_path / "row.csv", rows), report)
    codes = [code for code, _, _ in found(report)]
    assert sorted(codes) == ["FM301", "FM302", "FM308", "FM524"]


def test_a_row_pasted_twice_is_one_problem(tmp_path, report):
    rows = register_rows()
    rows.append(rows[3])
    assert read_base(write_csv(tmp_path / "twice.csv", rows), report).population is None
    assert ("FM411", 10, "#property") in found(report)
    assert len([code for code, _, _ in found(report) if code == "FM411"]) == 1
    assert "4 行目" in report.problems[-1].text("fix")


@pytest.mark.parametrize(("heading", "value"), [("#property", "1"), ("#property", "")])
def test_a_fault_of_the_base_year_is_not_told_of_the_other(heading, value, tmp_path, report):
    path = write_csv(tmp_path / "base.csv", put(register_rows(), 4, heading, value))
    base = read_base(path, report)
    past = write_csv(tmp_path / "past.csv", register_rows(file="register_201811.xlsx"))
    ids = ids_by_name(base)
    register.read_year(past, year=2018, ids_by_name=ids, credit="c", report=report)
    assert len(report.problems) == 1
    assert (base.population, base.zones.ids[3]) == (None, "37201@5")


def test_a_file_of_another_year_is_one_problem(tmp_path, report):
    path = write_csv(tmp_path / "year.csv", register_rows(file="register_201811.xlsx"))
    read_base(path, report)
    assert found(report) == [("FM307", 2, "surveyDate")]


def test_a_missing_column_hides_no_other_fault(tmp_path, report):
    rows = put(put(register_rows(), 2, "man1", "-1"), 0, "woman5", "womam5")
    read = read_base(write_csv(tmp_path / "column.csv", rows), report)
    assert found(report) == [("FM201", 1, "woman5"), ("FM302", 3, "man1")]
    assert "「womam5」を「woman5」に" in report.problems[0].text("fix")
    assert read.population is None


def test_a_column_that_stands_twice_is_refused(tmp_path, report):
    rows = put(register_rows(), 0, "note", "man5")
    assert read_base(write_csv(tmp_path / "two.csv", rows), report).population is None
    assert found(report) == [("FM202", 1, "man5")]


def test_garbled_names_are_one_problem_and_hide_nothing(tmp_path, report):
    rows = register_rows()
    for number in range(1, 9):
        rows = put(rows, number, "regionName", f"\ufffd{number}")
    path = write_csv(tmp_path / "garbled.csv", put(rows, 2, "man1", "-1"))
    names = {"塩屋町": "37201-001"}
    more = {"year": 2023, "credit": "c", "report": report}
    assert register.read_year(path, ids_by_name=names, **more) is None
    assert found(report) == [("FM568", 2, "regionName"), ("FM302", 3, "man1")]


def test_numbers_that_lost_their_characters_are_still_numbers(tmp_path, report):
    rows = put(put(register_rows(), 2, "#property", "\ufffd"), 5, "#property", "\ufffd")
    read = read_base(write_csv(tmp_path / "garbled.csv", rows), report)
    assert found(report) == [("FM411", 6, "#property")]
    assert len(set(read.zones.ids)) == 8


def test_areas_of_only_one_year_are_named(base, tmp_path, report):
    rows = put(register_rows(file="register_201811.xlsx"), 3, "regionName", "新しい町")
    path = write_csv(tmp_path / "past.csv", rows)
    more = {"year": 2018, "credit": "c", "report": report}
    assert register.read_year(path, ids_by_name=ids_by_name(base), **more) is None
    assert found(report) == [("FM412", None, ""), ("FM413", 4, "regionName")]
    gone = next(problem for problem in report.problems if problem.code == "FM412")
    assert gone.value == base.zones.names[2]
    assert "2018" in gone.text("title")


def test_the_other_year_is_checked_even_without_a_base_year(tmp_path, report):
    path = write_csv(tmp_path / "past.csv", put(register_rows(), 1, "man1", "-1"))
    more = {"year": 2023, "credit": "c", "report": report}
    assert register.read_year(path, ids_by_name=None, **more) is None
    assert found(report) == [("FM302", 2, "man1")]


def test_the_other_year_needs_no_places(base, tmp_path, report):
    rows = [row[:-1] for row in register_rows()]
    path = write_csv(tmp_path / "past.csv", rows)
    more = {"year": 2023, "credit": "takamatsu_opendata", "report": report}
    assert same(register.read_year(path, ids_by_name=ids_by_name(base), **more), base.population)


@pytest.mark.parametrize(("point", "code"), [((134.0, 34.3), "FM522"), ((3.4, 134.0), "FM524")])
def test_a_wrong_correction_is_refused(point, code, tmp_path, report):
    path = write_csv(tmp_path / "base.csv", register_rows())
    read = read_base(path, report, corrections={"塩屋町": point})
    assert found(report) == [(code, 2, "point_correction")]
    assert read.zones.geometry[0] is None


def test_without_places_the_column_is_asked_for_once(tmp_path, report):
    path = write_csv(tmp_path / "base.csv", [row[:-1] for row in register_rows()])
    assert read_base(path, report).population is not None
    assert found(report) == [("FM201", 1, "location")]


def test_without_places_each_uncorrected_area_is_named(tmp_path, report):
    path = write_csv(tmp_path / "base.csv", japanese(register_rows()))
    corrections = {row[6]: (34.3 + i / 100, 134.0) for i, row in enumerate(register_rows()[2:])}
    read_base(path, report, corrections=corrections)
    assert found(report) == [("FM521", 2, "location")]


def _with_places(rows):
    head = [*rows[0][:-1], "緯度", "経度"]
    return [head, *([*row[:-1], *row[-1].split(",")] for row in rows[1:])]


def _split_location(rows):
    return [[*rows[0], ""], *([*row[:-1], *row[-1].split(",")] for row in rows[1:])]


def _spelt(rows, change):
    head, *body = rows
    return [head, *([*row[:7], *map(change, row[7:46]), *row[46:]] for row in body)]


WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
SAME_TABLES = {
    "location in two columns": _split_location,
    "latitude and longitude": _with_places,
    "full width": lambda rows: _spelt(rows, lambda cell: cell.translate(WIDE)),
    "thousands": lambda rows: _spelt(rows, lambda cell: f"{int(cell):,}"),
    "decimals": lambda rows: _spelt(rows, lambda cell: f"{cell}.0"),
    "columns reversed": lambda rows: [row[::-1] for row in rows],
    "wide headings": lambda rows: [[cell.replace("man", "ｍａｎ") for cell in rows[0]], *rows[1:]],
    "licence block": lambda rows: [["#LINK", "x"], ["#license", "CC BY"], [], *rows],
    "descriptions": lambda rows: [rows[0], ["#object_type_xsd", "string"], *rows[1:]],
    "blank rows": lambda rows: [rows[0], [""] * 49, *rows[1:], ["　"]],
    "serial dates": lambda rows: [rows[0], *(put(rows, i, "surveyDate", "45231")[i] for i in range(1, 9))],
    "era dates": lambda rows: put(rows, 1, "surveyDate", "令和5年11月1日"),
}  # fmt: skip


@pytest.mark.parametrize("form", SAME_TABLES)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_other_spellings_give_the_same(form, kind, base, tmp_path, report):
    rows = SAME_TABLES[form](register_rows())
    write = write_csv if kind == "csv" else write_xlsx
    read = read_base(write(tmp_path / f"other.{kind}", rows), report)
    assert not report.problems
    assert same(read.population, base.population)
    assert read.zones.frame.equals(base.zones.frame)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932"])
def test_other_encodings_give_the_same(encoding, base, tmp_path, report):
    path = write_csv(tmp_path / "other.csv", register_rows(), encoding)
    packed = tmp_path / "other.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for other in (path, packed):
        assert same(read_base(other, report).population, base.population)
    assert not report.problems


def test_dates_of_a_workbook_are_dates(base, tmp_path, report):
    rows = register_rows()
    for number in range(1, 9):
        rows = put(rows, number, "surveyDate", dt.date(2023, 11, 1))
    assert same(
        read_base(write_xlsx(tmp_path / "d.xlsx", rows), report).population, base.population
    )
    assert not report.problems


def test_the_headings_of_the_standard_give_the_same(base, tmp_path, report):
    rows = japanese(register_rows())
    rows[0] = [heading.replace("-", "～") for heading in rows[0]]
    points = {
        name: (p.y, p.x) for name, p in zip(base.zones.names, base.zones.geometry, strict=True)
    }
    read = read_base(write_csv(tmp_path / "ods.csv", rows), report, corrections=points)
    assert not report.problems
    assert same(read.population, base.population)
    assert read.zones.frame.equals(base.zones.frame)


def test_area_codes_become_the_ids_when_every_row_has_one(tmp_path, report):
    rows = register_rows()
    for number in range(1, 9):
        rows = put(rows, number, "regionCode", f"0{number}")
    read = read_base(write_csv(tmp_path / "codes.csv", rows), report)
    assert read.zones.ids == tuple(f"0{number}" for number in range(1, 9))
    rows = put(rows, 8, "regionCode", "")
    read = read_base(write_csv(tmp_path / "codes.csv", rows), report)
    assert read.zones.ids[0] == "37201-001"
    assert not report.problems
    read_base(write_csv(tmp_path / "codes.csv", put(rows, 4, "regionCode", "03")), report)
    assert found(report) == [("FM411", 5, "regionCode")]


def test_nothing_usable_is_none(tmp_path, report):
    assert read_base(tmp_path / "none.csv", report) is None
    rows = put(register_rows(), 0, "regionName", "x")
    assert read_base(write_csv(tmp_path / "noname.csv", rows), report) is None
    assert found(report)[0] == ("FM101", None, "")
    assert ("FM201", 1, "regionName") in found(report)


def test_a_register_of_another_town_is_refused_once(tmp_path, report):
    rows = register_rows()
    place = rows[0].index("prefCode")
    rows = [rows[0], *([*row[:place], "342041", *row[place + 1 :]] for row in rows[1:])]
    read_base(write_csv(tmp_path / "base.csv", rows), report)
    assert [(p.code, p.line) for p in report.problems if p.code == "FM416"] == [("FM416", 2)]


def test_several_municipalities_in_one_table(tmp_path, report):
    rows = register_rows(12)
    code, name = rows[0].index("prefCode"), rows[0].index("regionName")
    number, others = rows[0].index("#property"), []
    for i, row in enumerate(rows[1:]):
        other = list(row)
        other[code], other[name], other[number] = "342041", f"隣{i}", str(900 + i)
        others.append(other)
    alone = read_base(write_csv(tmp_path / "alone.csv", rows), report)
    assert not report.problems
    mixed = [rows[0], *others[:5], *rows[1:], *others[5:]]
    both = read_base(write_csv(tmp_path / "both.csv", mixed), report)
    assert [(p.code, p.line) for p in report.problems] == [("FM491", 2)]
    assert both.zones.names == alone.zones.names
    assert (both.population.persons == alone.population.persons).all()
    # one or two rows of another code are slips, and not left out unsaid
    read_base(write_csv(tmp_path / "slip.csv", [*rows, others[0]]), report)
    assert "FM416" in [p.code for p in report.errors]
