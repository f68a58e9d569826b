"""Cells: four states kept apart, every date spelling, and no text that breaks the door."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from futuremap.sources import cells
from futuremap.sources.cells import Place, Reason

EMPTY, SUPPRESSED, UNREADABLE = Reason.EMPTY, Reason.SUPPRESSED, Reason.UNREADABLE
NEGATIVE, FRACTION = Reason.NEGATIVE, Reason.FRACTION

COUNTS = [
    ("0", 0), ("12", 12), ("1,234", 1234), ("1,234,567", 1_234_567), ("１，２３４", 1234),
    (" 7 ", 7), ("　７　", 7), ("+3", 3), (5, 5), (5.0, 5), ("5.0", 5), ("007", 7),
    (None, EMPTY), ("", EMPTY), (" 　", EMPTY),
    ("-", SUPPRESSED), ("－", SUPPRESSED), ("―", SUPPRESSED), ("ー", SUPPRESSED), ("−", SUPPRESSED),
    ("X", SUPPRESSED), ("Ｘ", SUPPRESSED), ("***", SUPPRESSED), ("*", SUPPRESSED),
    ("…", SUPPRESSED), ("秘匿", SUPPRESSED),
    ("-3", NEGATIVE), ("－３", NEGATIVE), ("△3", NEGATIVE), ("▲1,000", NEGATIVE), (-1, NEGATIVE),
    ("12.5", FRACTION), (0.1, FRACTION),
    ("約100", UNREADABLE), ("100人", UNREADABLE), ("1,23", UNREADABLE), ("12,34", UNREADABLE),
    ("1e3", UNREADABLE), ("1e309", UNREADABLE), ("nan", UNREADABLE), ("inf", UNREADABLE),
    (math.nan, UNREADABLE), (math.inf, UNREADABLE), (True, UNREADABLE), ("#REF!", UNREADABLE),
    (10**4000, UNREADABLE), ("9" * 17, UNREADABLE), (2**53, 2**53), (dt.time(9), UNREADABLE),
    ("١٢", UNREADABLE), ("1 2", UNREADABLE), ("1\x002", UNREADABLE),
]  # fmt: skip

YEARS = [
    ("1983/4/1", 1983), ("1983-04-01", 1983), ("1983.4.1", 1983), ("1983年4月1日", 1983),
    ("1983年4月", 1983), ("1983/4", 1983), ("1983年", 1983), ("１９８３年", 1983), ("1983", 1983),
    (1983, 1983), (1983.0, 1983), ("1983-04-01 00:00:00", 1983), ("1983-04-01T00:00:00", 1983),
    ("19830401", 1983), ("11/1/2018", 2018), ("13/1/2018", 2018), ("2020/09/01", 2020),
    (dt.date(1983, 4, 1), 1983), (45292, 2024), ("45292", 2024), (45291, 2023),
    ("昭和58年4月1日", 1983), ("昭和５８年", 1983), ("S58.4.1", 1983), ("s58", 1983),
    ("昭和64年1月7日", 1989), ("平成元年", 1989), ("平成31年4月", 2019), ("令和5年", 2023),
    ("R5.11.1", 2023), ("令和 5 年 11 月 1 日", 2023), ("大正15年", 1926), ("明治45年", 1912),
    ("西暦1983年", 1983),
    (None, EMPTY), ("", EMPTY), ("　", EMPTY),
    ("不明", UNREADABLE), ("1983/13/1", UNREADABLE), ("1983/2/30", UNREADABLE),
    ("2/30/1983", UNREADABLE), ("昭和65年", UNREADABLE), ("昭和0年", UNREADABLE),
    ("58/4/1", UNREADABLE), ("9999", UNREADABLE), ("0", UNREADABLE), (True, UNREADABLE),
    ("1983頃", UNREADABLE), ("1983/4/1～", UNREADABLE), (dt.time(9), UNREADABLE),
    ("198304", UNREADABLE), ("9" * 5000, UNREADABLE), (-5, UNREADABLE), ("99999999", UNREADABLE),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "expected"), COUNTS)
def test_counts(raw, expected):
    assert cells.count(raw) is expected or cells.count(raw) == expected


@pytest.mark.parametrize("dash", ["-", "－", "―", "−"])
def test_a_dash_is_zero_only_where_the_format_says_so(dash):
    assert cells.count(dash, dash_is_zero=True) == 0
    assert cells.count(dash) is SUPPRESSED


@pytest.mark.parametrize(("raw", "expected"), YEARS)
def test_years(raw, expected):
    assert cells.year(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("34.342286,134.055021", (34.342286, 134.055021)),
        ("３４．３，１３４．０", (34.3, 134.0)),
        ("34.3, 134.0", (34.3, 134.0)),
        ("", EMPTY),
        (None, EMPTY),
        ("34.3", UNREADABLE),
        (34.3, UNREADABLE),
        ("34.3,", UNREADABLE),
        ("34.3,x", UNREADABLE),
        ("34.3,134.0,5", UNREADABLE),
        ("北緯34度", UNREADABLE),
    ],
)
def test_latitude_and_longitude(raw, expected):
    assert cells.latitude_longitude(raw) == expected


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((34.34, 134.05), Place.JAPAN),
        ((20.4, 136.1), Place.JAPAN),
        ((24.4, 122.9), Place.JAPAN),
        ((134.05, 34.34), Place.SWAPPED),
        ((0.0, 0.0), Place.ELSEWHERE),
        ((34.34, -134.05), Place.ELSEWHERE),
        ((343428.6, 1340330.1), Place.ELSEWHERE),
        ((math.nan, 134.05), Place.ELSEWHERE),
        ((math.inf, 134.05), Place.ELSEWHERE),
    ],
)
def test_places(point, expected):
    assert cells.place(*point) is expected


def test_names_are_kept_and_compared_without_width():
    assert cells.text("　塩屋町１ ") == "塩屋町１"
    assert cells.key("塩屋町１") == cells.key("塩屋町 1")
    assert cells.key("塩屋町1") != cells.key("塩屋町2")


ANY_CELL = st.one_of(
    st.text(), st.text("0123456789,.-/年月日昭平令元ＳHR 　△"), st.none(), st.booleans(),
    st.integers(), st.floats(), st.dates(), st.datetimes(), st.times(), st.binary(),
)  # fmt: skip


@given(ANY_CELL)
def test_no_cell_breaks_the_door(raw):
    count, year = cells.count(raw), cells.year(raw)
    assert isinstance(count, Reason) or 0 <= count <= cells.LARGEST_COUNT
    assert isinstance(cells.number(raw), float | Reason)
    assert isinstance(year, Reason | int)
    assert isinstance(cells.latitude_longitude(raw), tuple | Reason)
    assert isinstance(cells.key(raw), str)


@given(st.integers(0, 2**53))
def test_a_count_survives_every_spelling(count):
    wide = str.maketrans("0123456789,", "０１２３４５６７８９，")
    for written in (count, str(count), f"{count:,}", f"{count:,}".translate(wide), f" {count}　"):
        assert cells.count(written) == count


@given(st.dates(dt.date(1927, 6, 1), dt.date(2099, 12, 31)))
def test_a_date_survives_every_spelling(date):
    serial = (date - dt.date(1899, 12, 30)).days
    for written in (date, f"{date:%Y/%m/%d}", f"{date:%Y年%m月%d日}", f"{date:%m/%d/%Y}", serial):
        assert cells.year(written) == date.year
