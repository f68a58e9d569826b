"""Registers as towns really publish them, and tables spoilt on their way through other programs."""

import csv
import datetime as dt

import openpyxl
import pytest

from futuremap.problems import Report
from futuremap.sources import register

from .variants import (
    FIXTURES,
    TOWN,
    found,
    put,
    read_base,
    register_rows,
    write_csv,
    write_xlsx,
)

CLIPS = FIXTURES.parent / "clips" / "register"
SOUND = CLIPS / "0066_202311_12.xlsx"
GARBLED = CLIPS / "0066_202304_12.xlsx"


def stated(path):
    """Sum of the published totals, read the ordinary way."""
    return sum(int(row[7]) for row in list(openpyxl.load_workbook(path).active.values)[1:])


def read(path, report, year, **more):
    return register.read(path, year=year, report=report, **TOWN, **more)


@pytest.mark.parametrize("month", ["202009", "202311", "202401", "202404"])
def test_published_variants_are_read_as_they_are(month, report):
    path = CLIPS / f"0066_{month}_12.xlsx"
    people = read(path, report, int(month[:4])).population
    assert not report.problems
    assert len(people.zones) == 12
    assert people.totals().sum() == stated(path)


def test_garbled_names_are_refused_without_help(report):
    assert read(GARBLED, report, 2023) is None
    assert found(report) == [("FM568", 2, "regionName")]
    assert register.names_by_number(GARBLED, report=Report()) is None


def test_garbled_names_are_restored_from_another_month(report):
    names = register.names_by_number(SOUND, report=report)
    restored = read(GARBLED, report, 2023, names=names)
    assert found(report) == [("FM321", line, "regionName") for line in range(2, 14)]
    assert restored.zones.names == tuple(names.values())
    assert restored.population.totals().sum() == stated(GARBLED)
    ids = dict(zip(restored.zones.names, restored.zones.ids, strict=True))
    more = {"year": 2023, "ids_by_name": ids, "credit": "c", "report": report}
    past = register.read_year(GARBLED, names=names, **more)
    assert (past.persons == restored.population.persons).all()


def test_a_name_that_does_not_fit_its_letters_is_not_restored(report):
    names = register.names_by_number(SOUND, report=report)
    swapped = names | {"1": names["2"], "2": names["1"]}
    del swapped["5"]
    assert read(GARBLED, report, 2023, names=swapped) is None
    refused = [(p.code, p.line) for p in report.errors if p.code == "FM322"]
    assert refused == [("FM322", 2), ("FM322", 3), ("FM322", 6)]


def test_names_without_numbers_go_by_their_place(tmp_path, report):
    rows = [list(row[1:]) for row in openpyxl.load_workbook(GARBLED).active.values]
    names = {
        str(i): name
        for i, name in enumerate(register.names_by_number(SOUND, report=report).values(), 1)
    }
    restored = read(write_csv(tmp_path / "a.csv", rows), report, 2023, names=names)
    assert restored.population is not None
    assert {p.code for p in report.problems} == {"FM321"}


ROWS = register_rows()
JAPANESE = [
    [
        "地域コード",
        "調査年月日",
        "地域名",
        "総人口",
        *(f"{age}の{sex}" for age in register.AGES.labels() for sex in ("男性", "女性")),
    ]
]
JAPANESE += [["", row[5], row[6], row[7], *row[10:46]] for row in ROWS[1:]]


@pytest.mark.parametrize(
    ("encoding", "code", "said"), [("euc_jp", "FM571", "EUC-JP"), ("utf-8", "FM204", "UTF-8")]
)
def test_a_table_in_another_encoding_is_one_problem(encoding, code, said, tmp_path, report):
    path = write_csv(tmp_path / "a.csv", JAPANESE)
    raw = path.read_text(encoding="utf-8").replace("～", "-").encode(encoding)
    path.write_bytes(raw.decode("cp932", "replace").encode())
    assert read_base(path, report) is None
    assert [(p.code, p.line) for p in report.problems] == [(code, 1)]
    assert said in report.problems[0].text("title")


def test_names_in_another_encoding_are_one_problem(tmp_path, report):
    path = write_csv(tmp_path / "a.csv", ROWS)
    path.write_bytes(path.read_text(encoding="utf-8").encode("euc_jp"))
    assert read_base(path, report) is None
    assert found(report) == [("FM571", 2, "regionName")]


def two_rows(rows):
    top = [
        "",
        "調査年月日",
        "地域名",
        "総人口",
        *(cell for sex in ("男性", "女性") for cell in [sex, *[""] * 17]),
    ]
    return [
        top,
        ["", "", "", "", *register.AGES.labels() * 2],
        *[row[:4] + row[4:40] for row in rows[1:]],
    ]


def long_table(_):
    return [["地域名", "調査年月日", "性別", "年齢", "人口"], ["塩屋町", "2023", "男", "0-4", "1"]]


SHAPES = {
    "two rows of headings": (two_rows, ("FM205", 2, "")),
    "long": (long_table, ("FM209", 1, "")),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_a_table_of_another_shape_is_one_problem(shape, tmp_path, report):
    make, place = SHAPES[shape]
    read_base(write_csv(tmp_path / "a.csv", make(JAPANESE)), report)
    assert place in found(report)
    assert "FM201" not in [p.code for p in report.problems]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda rows: [*rows, ["※3月末現在。外国人を含む"]], ("FM206", 10, "")),
        (lambda rows: [*rows, ["", "", "", "", "", "", "（注）外国人を含む"]], ("FM206", 10, "")),
        (lambda rows: [rows[0], [*[""] * 7, *["人"] * 39], *rows[1:]], ("FM208", 2, "")),
    ],
)
def test_rows_that_are_no_areas_are_left_out(change, place, tmp_path, report):
    clean = read_base(write_csv(tmp_path / "a.csv", ROWS), report).population
    people = read_base(write_csv(tmp_path / "b.csv", change(ROWS)), report).population
    assert found(report) == [place]
    assert people.zones == clean.zones
    assert (people.persons == clean.persons).all()


def test_a_row_that_ends_early_is_one_problem(tmp_path, report):
    rows = [*ROWS[:4], ROWS[4][:20], *ROWS[5:]]
    read_base(write_csv(tmp_path / "a.csv", rows), report)
    assert found(report) == [("FM207", 5, "")]


@pytest.mark.parametrize(
    ("heading", "value", "code"),
    [
        ("regionName", "1月2日", "FM217"),
        ("regionName", "2-Jan", "FM217"),
        ("regionName", "町" * 201, "FM326"),
        ("man3", "3000000000", "FM320"),
        ("man3", str(2**53), "FM320"),
        ("man3", "9" * 20, "FM485"),
        ("man3", "1e309", "FM485"),
        ("man3", "100人", "FM486"),
        *(("man3", value, "FM308") for value in ("-", "－", "―", "X", "Ｘ", "***", "*", "…")),
        *(("man3", value, "FM303") for value in ("#", "約100", "NaN", "inf")),
    ],
)
def test_one_fault_is_found_where_it_stands(heading, value, code, tmp_path, report):
    people = read_base(
        write_csv(tmp_path / "a.csv", put(ROWS, 4, heading, value)), report
    ).population
    assert found(report) == [(code, 5, heading)]
    assert people is None


def test_codes_that_a_spreadsheet_spoilt(tmp_path, report):
    rows = ROWS
    for number in range(1, 9):
        rows = put(rows, number, "regionCode", f"120900{number}")
        rows = put(rows, number, "prefCode", "1209")
    town = {**TOWN, "municipality": "01209"}
    path = write_csv(tmp_path / "a.csv", rows)
    ids = register.read(path, year=2023, report=report, **town).population.zones
    assert ids[0] == "01209001"
    assert {p.code for p in report.problems} == {"FM219"}
    path = write_csv(tmp_path / "b.csv", put(rows, 3, "regionCode", "3.42E+10"))
    register.read(path, year=2023, report=report, **town)
    assert ("FM218", 4, "regionCode") in found(report)


def test_a_date_in_a_workbook_is_no_name(tmp_path, report):
    path = write_xlsx(tmp_path / "a.xlsx", ROWS)
    book = openpyxl.load_workbook(path)
    book.active["G3"] = dt.date(2024, 1, 2)
    book.save(path)
    assert read_base(path, report).population is None
    assert found(report) == [("FM217", 3, "regionName")]


def test_what_other_programs_write_is_read(tmp_path, report):
    plain = read_base(write_csv(tmp_path / "a.csv", ROWS), report).population
    path = tmp_path / "b.csv"
    path.write_bytes((tmp_path / "a.csv").read_bytes().replace(b"\r\n", b"\r"))
    assert (read_base(path, report).population.persons == plain.persons).all()
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["#LINK", "x"], ["#license", "y"], *ROWS])
    assert (read_base(path, report).population.persons == plain.persons).all()
    assert not report.problems


def test_further_sheets_are_named(tmp_path, report):
    path = write_xlsx(tmp_path / "a.xlsx", ROWS)
    book = openpyxl.load_workbook(path)
    book.create_sheet("別表")
    book.create_sheet("隠し").sheet_state = "hidden"
    book.save(path)
    assert read_base(path, report).population is not None
    assert [(p.code, p.sheet, p.value) for p in report.problems] == [("FM327", "表", "表")]


def test_a_table_of_nothing_but_remarks_is_told(tmp_path, report):
    # found by atheris: nothing had been read, and nothing said
    path = write_csv(tmp_path / "a.csv", [ROWS[0], ["※ 秘匿あり"]])
    assert read_base(path, report) is None
    assert found(report) == [("FM482", None, ""), ("FM206", 2, "")]
