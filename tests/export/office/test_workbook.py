"""The workbook read back: numbers, formats, charts, and text that stays text."""

import re
import zipfile
from dataclasses import replace

import numpy as np
import openpyxl
import pytest

from futuremap.core.layer import Text
from futuremap.core.table import Table
from futuremap.errors import LabelError
from futuremap.export.brief import Comparison, Fact
from futuremap.export.workbook import write_comparisons, write_workbook
from futuremap.export.workbook.sheet import CELL_LIMIT, cell_text

HOSTILE = ["=1+1", "+81", "-1", "@SUM(A1)", "https://example.invalid/", "<r>\x0b</r>"]
SHEETS = ["概要", "人口（町丁）", "人口ピラミッド", "指標", "前提", "診断", "出典"]


@pytest.fixture
def written(tmp_path, make_brief):
    def write(**changes):
        path = tmp_path / "book.xlsx"
        brief = make_brief(**changes)
        write_workbook(brief, path)
        return brief, path, openpyxl.load_workbook(path)

    return write


def parts(path, pattern):
    with zipfile.ZipFile(path) as archive:
        return [archive.read(n).decode() for n in archive.namelist() if re.search(pattern, n)]


def rows_below(sheet, heading):
    """Cells by heading of the main table, from its filter."""
    first = sheet.auto_filter.ref.split(":")[0]
    top = int(re.sub(r"\D", "", first))
    heads = [str(cell.value).split("\n")[0] for cell in sheet[top]]
    place = heads.index(heading) + 1
    return [sheet.cell(row, place).value for row in range(top + 1, sheet.max_row + 1)]


def test_every_sheet_stands_in_order_and_is_set_up_for_a4(written):
    _, _, book = written()
    assert book.sheetnames == SHEETS
    for sheet in book:
        assert sheet.page_setup.paperSize == 9
        assert sheet.page_setup.fitToHeight == 0
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
    for name in ("人口（町丁）", "指標", "出典"):
        assert book[name].freeze_panes
        assert book[name].auto_filter.ref
        assert book[name].print_title_rows


def test_numbers_are_those_of_the_layers(written):
    brief, _, book = written()
    features = brief.themes[0][0].features
    sheet = book["人口（町丁）"]
    for column, heading in (
        ("population_2020", "人口 2020年（人）"),
        ("population_2050", "人口 2050年（人）"),
        ("ageing_rate_2050", "高齢化率 2050年（％）"),
        ("change_rate_2050", "人口の増減率 2050年（％）"),
    ):
        assert rows_below(sheet, heading) == features[column].tolist()
    assert rows_below(sheet, "区域コード") == features.index.tolist()
    assert sheet.cell(sheet.max_row, 3).number_format == "#,##0.0"


def test_no_text_becomes_a_formula_a_link_or_markup(written):
    _, path, book = written(
        names=HOSTILE,
        inputs=[Fact(Text(name, name), name, name) for name in HOSTILE],
        method=[Text(name, name) for name in HOSTILE],
    )
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", (sheet.title, cell.coordinate)
                assert cell.hyperlink is None
    assert not [
        xml for xml in parts(path, "worksheets/sheet") if "<f>" in xml or "hyperlink" in xml
    ]
    (strings,) = parts(path, "sharedStrings")
    assert "&lt;r&gt;\ufffd&lt;/r&gt;" in strings
    kept = rows_below(book["人口（町丁）"], "名称")
    assert kept[:5] == HOSTILE[:5]


def test_names_that_look_like_escapes_stay_as_they_are(written):
    names = ["_x0041_", "a\ud800b", "x" * (CELL_LIMIT + 5), "\U00020bb7" * CELL_LIMIT, "", "ok"]
    _, _, book = written(names=names)
    kept = rows_below(book["人口（町丁）"], "名称")
    # openpyxl reads the escape of the escape back
    assert kept[0].replace("_x005F_", "_") in {"_x0041_", "_x005F_x0041_"}
    assert kept[1] == "a\ufffdb"
    assert len(kept[2]) == CELL_LIMIT
    assert kept[3].endswith("…")
    assert len(kept[3].encode("utf-16-le")) // 2 <= CELL_LIMIT
    assert kept[4] is None


def test_the_same_brief_gives_the_same_bytes(tmp_path, make_brief):
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(make_brief(), tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_pyramids_are_native_charts_with_males_below_zero(written):
    brief, path, book = written()
    charts = parts(path, "charts/chart")
    pyramids = [xml for xml in charts if '<c:grouping val="stacked"/>' in xml]
    assert len(pyramids) == 2
    assert len(charts) == 3  # and people by year
    assert all('formatCode="#,##0;#,##0"' in xml for xml in pyramids)
    scales = {
        re.search(r'<c:max val="([^"]+)"/>.*?<c:min val="([^"]+)"/>', x).groups() for x in pyramids
    }
    assert len(scales) == 1  # both years on one scale
    sheet = book["人口ピラミッド"]
    table = [
        [c.value for c in row]
        for row in sheet.iter_rows()
        if row[0].value in {"0～14歳", "65歳以上"}
    ]
    np.testing.assert_allclose(table[0][1:5], [-100, 100, -80, 80])
    assert brief.people.persons[0, 0, 0, 0] == 100


def test_cells_have_the_colours_of_the_map(written):
    brief, path, _ = written()
    change = next(layer for layer in brief.themes[0] if layer.state == "change")
    (styles,) = parts(path, "styles")
    for colour in change.classes.colours:
        assert f"FF{colour[1:].upper()}" in styles.upper()
    (sheet,) = (xml for xml in parts(path, "worksheets/sheet2"))
    limits = re.findall(r'operator="greaterThanOrEqual"[^>]*><formula>([^<]+)</formula>', sheet)
    assert [float(x) for x in limits if float(x) in change.classes.limits] != []
    assert {float(x) for x in limits} >= set(change.classes.limits)


def test_intervals_stand_beside_the_key_numbers(written):
    _, _, book = written()
    rows = [[cell.value for cell in row] for row in book["概要"].iter_rows()]
    people = next(row for row in rows if row[1] == "人口")
    assert people[3:7] == [1000, 800, 700, 950]
    ageing = next(row for row in rows if row[1] == "高齢化率")
    assert ageing[3:7] == [30, 40, None, None]


def test_made_up_data_say_so_on_every_page(written):
    _, path, book = written(synthetic=True)
    assert any("合成データ" in str(c.value) for row in book["概要"].iter_rows() for c in row)
    assert all("合成データ" in sheet.oddHeader.left.text for sheet in book)
    assert all("［合成データ］" in xml for xml in parts(path, "charts/chart"))
    _, _, real = written()
    assert not any(sheet.oddHeader.left.text.startswith("［") for sheet in real)


def test_an_ampersand_in_the_title_is_no_code_of_the_page_header(written):
    _, path, _ = written(title=Text("A&B町 &D", "A&B"))
    (first, *_) = parts(path, "worksheets/sheet1")
    assert "&amp;LA&amp;&amp;B町 &amp;&amp;D&amp;R&amp;A" in first


def test_the_comparison_comes_only_with_one(written):
    tables = [
        Table.build({"population": np.array([[n]])}, years=[2050], zones=["a"]) for n in (10.0, 7.0)
    ]
    gap = Table.build({"population_difference": np.array([[-3.0]])}, years=[2050], zones=["a"])
    found = Comparison(Text("甲", "A"), Text("乙", "B"), (*tables, gap), {"a": "=cmd"})
    _, path, book = written(comparison=found)
    assert "比較" in book.sheetnames
    assert [cell.value for cell in book["比較"][4]][-3:] == [10, 7, -3]
    write_comparisons(
        [(Text("比較", "Compared"), found)], path, title=Text("甲と乙", "x"), credits=()
    )
    again = openpyxl.load_workbook(path)
    assert again.sheetnames == ["比較1", "出典"]
    assert again["比較1"]["B4"].value == "=cmd"
    assert again["比較1"]["B4"].data_type == "s"


def test_a_full_disk_is_an_error(make_brief):
    from pathlib import Path

    with pytest.raises(OSError, match="No space left"):
        write_workbook(make_brief(), Path("/dev/full"))


def test_nothing_is_written_without_a_credit(make_brief):
    with pytest.raises(LabelError, match="credit"):
        replace(make_brief(), credits=())


def test_cell_text_cuts_between_characters():
    cut = cell_text("\U00020bb7" * CELL_LIMIT)
    assert cut.encode("utf-16-le").decode("utf-16-le") == cut
