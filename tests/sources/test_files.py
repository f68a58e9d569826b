"""Files: what they hold, in which line, and what is declined before it is opened."""

import csv
import gzip
import io
import struct
import time
import zipfile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from futuremap.problems import Report
from futuremap.sources import files, limits, workbook
from futuremap.sources.columns import find_columns
from futuremap.sources.files import read_table

from .variants import FIXTURES, found, write_csv, write_xlsx

ROWS = [["名称", "人口"], ["塩屋町", "391"], ["築地町", "656"]]
SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def book(tmp_path):
    """The bytes of a sound workbook."""
    return write_xlsx(tmp_path / "sound.xlsx", ROWS).read_bytes()


def rebuilt(body, replace=None, add=(), compression=zipfile.ZIP_DEFLATED):
    """The workbook with some of its parts replaced and others added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(out, "w", compression) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, (replace or {}).get(entry.filename, old.read(entry)))
        for name, content in add:
            new.writestr(name, content)
    return out.getvalue()


def saved(tmp_path, body, name="x.xlsx"):
    path = tmp_path / name
    path.write_bytes(body)
    return path


def refused(tmp_path, report, body, name="x.xlsx"):
    """Reads bytes that must be declined as a whole, soon."""
    start = time.perf_counter()
    assert read_table(saved(tmp_path, body, name), report=report) is None
    assert time.perf_counter() - start < 10
    assert len(report.problems) == 1
    return report.problems[0]


def test_a_csv_knows_the_line_of_each_row(tmp_path, report):
    text = '\n"名称","人口"\n"二行に\nわたる名",1\n\n塩屋町,2\n'
    table = read_table(saved(tmp_path, text.encode(), "a.csv"), report=report)
    assert table.headings == ("名称", "人口")
    assert table.heading_line == 2
    assert table.rows == [("二行に\nわたる名", "1"), ("塩屋町", "2")]
    assert (table.lines, table.first_line) == ([3, 6], 3)


def test_a_workbook_knows_the_line_of_each_row(tmp_path, report):
    rows = [["台帳"], [], ROWS[0], ["塩屋町", 391], [], ["築地町", 656]]
    table = read_table(
        write_xlsx(tmp_path / "a.xlsx", rows), report=report, known=["名称", "人口", "x"]
    )
    assert (table.file, table.sheet) == ("a.xlsx", "表")
    assert (table.heading_line, table.lines) == (3, [4, 6])
    assert table.rows == [("塩屋町", 391), ("築地町", 656)]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_newline_will_do(newline, tmp_path, report):
    text = newline.join(",".join(row) for row in ROWS)
    table = read_table(saved(tmp_path, text.encode("cp932"), "a.csv"), report=report)
    assert table.rows == [("塩屋町", "391"), ("築地町", "656")]


def test_headings_are_normalised(tmp_path, report):
    path = write_csv(tmp_path / "a.csv", [[" ＮＯ", "住所（番地まで）"], ["1", "２"]])
    assert read_table(path, report=report).headings == ("NO", "住所(番地まで)")


def test_a_short_row_has_empty_cells(tmp_path, report):
    table = read_table(saved(tmp_path, b"a,b,c\n1\n", "a.csv"), report=report)
    assert [table.cell(0, column) for column in range(3)] == ["1", None, None]


def test_a_row_with_too_many_cells_is_noted(tmp_path, report):
    table = read_table(saved(tmp_path, b"a,b\n1,2\n1,234,5\n1,2,\n", "a.csv"), report=report)
    assert len(table.rows) == 3
    assert found(report) == [("FM203", 3, "")]


def test_the_first_visible_sheet_is_read(tmp_path, report):
    path = tmp_path / "a.xlsx"
    made = openpyxl.Workbook()
    made.active.title, made.active.sheet_state = "隠し", "hidden"
    for title in ("表", "入力例"):
        made.create_sheet(title).append(["a"])
        made[title].append([title])
    made.save(path)
    assert read_table(path, report=report).sheet == "表"
    assert read_table(path, report=report, sheet="入力例").rows == [("入力例",)]
    assert not report.problems
    assert read_table(path, report=report, sheet="ない") is None
    assert [(p.code, p.sheet) for p in report.problems] == [("FM106", "ない")]


def test_an_unknown_extent_does_not_matter(tmp_path, book, report):
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        part = archive.read(SHEET).decode()
    assert 'ref="A1:B3"' in part
    lying = rebuilt(book, {SHEET: part.replace('ref="A1:B3"', 'ref="A1:A1"')})
    assert len(read_table(saved(tmp_path, lying), report=report).rows[0]) == 2


def test_names_do_not_decide_what_a_file_is(tmp_path, report):
    body = (FIXTURES / "register_201811.xlsx").read_bytes()
    assert len(read_table(saved(tmp_path, body, "x.csv"), report=report).rows) == 235
    assert not report.problems


# -- declined as a whole ---------------------------------------------------------------------


def test_a_missing_file(tmp_path, report):
    for path in (tmp_path / "none.csv", tmp_path, tmp_path / "nul\0.csv"):
        assert read_table(path, report=report) is None
    assert [problem.code for problem in report.problems] == ["FM101"] * 3


@pytest.mark.parametrize(
    ("name", "body", "code", "line"),
    [
        ("a.csv", b"", "FM105", None),
        ("a.csv", b"\n \n,,\n", "FM105", None),
        ("a.csv", b"a,b\n", "FM482", 1),
        ("a.xlsx", b"", "FM105", None),
        ("a.csv", "名,数\n町,1\n".encode("utf-16"), "FM563", 1),
        ("a.csv", "名,数\n".encode() + b"\xff\xfe\xfd,1\n", "FM103", 2),
        ("a.csv", "名,数\n町,1\n".encode("cp932") + b"\x81", "FM566", 3),
        ("a.csv", b"a,b\n1,\0\n", "FM565", 2),
        ("a.csv", b"a,b\n1,\xff\n", "FM103", 2),
        ("a.csv", b"a,b\n\n1,\xa0\n", "FM103", 3),
        ("a.csv", b'a,b\n1,2\n"1,2\n', "FM339", 3),
        ("a.csv", b'a,b\n"1"x,2\n', "FM339", 2),
        ("a.csv", b"a,b\n1," + b"x" * 200_000 + b"\n", "FM339", 2),
        ("a.csv", b"a\tb\n1\t2\n", "FM338", 1),
        ("a.csv", b"a;b\n1;2\n", "FM338", 1),
        ("a.csv", b"<VRTDataset></VRTDataset>", "FM336", None),
        ("a.xls", b"\n<html><table><tr><td>1</td></tr></table></html>", "FM336", None),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "FM335", None),
        ("a.xlsx", b"a,b\n1,2\n", "FM337", None),
        ("a.xlsx", b"PK\x03\x04 not a zip", "FM331", None),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-4], "FM330", None),
        ("a.csv.gz", b"\x1f\x8b" + bytes(40), "FM330", None),
        ("a.csv.gz", gzip.compress(b"1" * 2**26, mtime=0), "FM578", None),
        ("a.csv", b"," * 1_000 + b"\n", "FM104", 1),
        ("a.csv", (b"," * 999 + b"\n") * 2_001, "FM104", 2_001),
    ],
)
def test_bytes_that_are_no_table(name, body, code, line, tmp_path, report):
    problem = refused(tmp_path, report, body, name)
    assert (problem.code, problem.line, problem.file) == (code, line, name)


def test_a_file_of_too_many_bytes(tmp_path, report, monkeypatch, book):
    monkeypatch.setattr(files, "MAX_BYTES", 1_000)
    assert refused(tmp_path, report, book).code == "FM104"


def test_a_gzip_of_too_many_bytes(tmp_path, report, monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 1_000)
    assert refused(tmp_path, report, gzip.compress(b"1" * 2_000), "a.csv.gz").code == "FM104"


def test_a_zip_bomb_is_not_opened(tmp_path, report, book, monkeypatch):
    def opened(*_args, **_kwargs):
        pytest.fail("the workbook was opened before it was weighed")

    monkeypatch.setattr(openpyxl, "load_workbook", opened)
    bomb = rebuilt(book, {SHEET: b"<t>" + b"A" * 2**28 + b"</t>"})
    assert len(bomb) < 2**19
    problem = refused(tmp_path, report, bomb)
    assert (problem.code, problem.text("expected")) == ("FM578", "≤ 200 : 1")


def test_the_parts_of_a_workbook_are_weighed_together(tmp_path, report, book, monkeypatch):
    monkeypatch.setattr(workbook, "MAX_BYTES", 2**20)
    parts = [(f"xl/media/{i}.bin", bytes(2**17)) for i in range(9)]
    problem = refused(tmp_path, report, rebuilt(book, add=parts))
    assert (problem.code, problem.text("expected")) == ("FM104", "≤ 256 MiB")


def test_a_size_that_lies_does_not_help(tmp_path, report, book):
    bomb = rebuilt(book, {SHEET: b"A" * 2**26})
    at = bomb.rindex(b"PK\x01\x02", 0, bomb.rindex(SHEET.encode()))
    lying = bomb[: at + 24] + struct.pack("<I", 100) + bomb[at + 28 :]
    assert refused(tmp_path, report, lying).code in {"FM331", "FM104"}


def test_too_many_parts(tmp_path, report, book):
    parts = [(f"xl/{i}", b"") for i in range(limits.MAX_ENTRIES)]
    assert refused(tmp_path, report, rebuilt(book, add=parts)).code == "FM104"


def test_an_archive_inside(tmp_path, report, book):
    problem = refused(tmp_path, report, rebuilt(book, add=[("xl/embeddings/a.xlsx", book)]))
    assert (problem.code, "圧縮" in problem.text("why")) == ("FM333", True)


def test_two_parts_of_one_name(tmp_path, report, book):
    with pytest.warns(UserWarning, match="Duplicate"):
        double = rebuilt(book, add=[(SHEET, b"<x/>")])
    assert refused(tmp_path, report, double).code == "FM334"


def test_a_password(tmp_path, report, book):
    at = book.index(b"PK\x01\x02")
    locked = book[: at + 8] + b"\x01" + book[at + 9 :]
    assert refused(tmp_path, report, locked).code == "FM335"


def test_an_unusual_compression(tmp_path, report, book):
    packed = rebuilt(book, compression=zipfile.ZIP_LZMA)
    assert "圧縮の方式" in refused(tmp_path, report, packed).text("why")


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">',
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities(declaration, encoding, tmp_path, report, book):
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        part = archive.read(SHEET).decode()
    body = f'<?xml version="1.0" encoding="{encoding}"?>{declaration}{part}'.encode(encoding)
    before = read_table(saved(tmp_path, book), report=report)
    table = read_table(saved(tmp_path, rebuilt(book, {SHEET: body})), report=report)
    if table is None:
        assert [problem.code for problem in report.problems] == ["FM332"]
    else:  # a declaration that no parser follows does no harm
        assert (encoding, table.rows) == ("utf-16", before.rows)


def test_defusedxml_is_active():
    assert openpyxl.DEFUSEDXML is True


@pytest.mark.parametrize(
    "reference", ["XFD1048576", "A1048577", "A99999999999", "XFD9", "ZZZZ9", "1A"]
)
def test_a_far_cell(reference, tmp_path, report, book):
    row = "".join(character for character in reference if character.isdigit())
    cell = f'<row r="{row}"><c r="{reference}" t="n"><v>1</v></c></row></sheetData>'
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        part = archive.read(SHEET).decode()
    far = rebuilt(book, {SHEET: part.replace("</sheetData>", cell)})
    assert refused(tmp_path, report, far).code in {"FM331", "FM104"}


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "[Content_Types].xml"])
def test_a_broken_part(part, tmp_path, report, book):
    assert refused(tmp_path, report, rebuilt(book, {part: b"<broken"})).code == "FM331"


@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
@given(flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=20))
def test_no_damaged_workbook_breaks_the_reader(flips, tmp_path, book):
    damaged = bytearray(book)
    for position, value in flips:
        damaged[position % len(damaged)] = value
    report = Report()
    table = read_table(saved(tmp_path, bytes(damaged)), report=report)
    assert (table is None) == bool(report.errors) or report.problems[0].code == "FM203"


@settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
@given(body=st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "replace"))))
def test_no_bytes_break_the_reader(body, tmp_path):
    report = Report()
    table = read_table(saved(tmp_path, body, "x.csv"), report=report)
    assert (table is None) <= bool(report.errors)


# -- columns ---------------------------------------------------------------------------------

HEADINGS = {"名称": "name", "施設名": "name", "緯度": "latitude", "経度": "longitude"}


def columns_of(tmp_path, report, *headings):
    path = write_csv(tmp_path / "a.csv", [headings, ["1"] * len(headings)])
    return find_columns(
        read_table(path, report=report), HEADINGS, required=["name", "latitude"], report=report
    )


def test_the_heading_named_first_is_taken(tmp_path, report):
    columns = columns_of(tmp_path, report, "施設名", "名称", "緯度")
    assert columns.places == {"name": 1, "latitude": 2}
    assert columns.complete


def test_every_missing_column_is_noted_with_a_proposal(tmp_path, report):
    columns = columns_of(tmp_path, report, "施設の名", "経度", "備考")
    assert found(report) == [("FM201", 1, "名称"), ("FM201", 1, "緯度")]
    assert not columns.complete
    assert report.problems[0].text("fix") == "見出し「施設の名」を「施設名」に直してください"
    assert "経度" not in report.problems[1].text("fix")  # that one is needed itself


def test_only_a_needed_column_may_not_stand_twice(tmp_path, report):
    columns = columns_of(tmp_path, report, "名称", "緯度", "緯度", "備考", "備考")
    assert found(report) == [("FM202", 1, "緯度")]
    assert columns.places == {"name": 0}


def test_a_published_csv_is_read_as_the_standard_library_reads_it(report):
    path = FIXTURES / "medical.csv"
    with path.open(encoding="utf-8-sig", newline="") as text:
        head, *rows = csv.reader(text)
    table = read_table(path, report=report)
    assert list(table.headings) == head
    assert [[cell or "" for cell in row] for row in table.rows] == rows
    assert not report.problems
