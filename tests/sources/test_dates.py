"""Opening years, as lists write them."""

import datetime as dt
import math

import pytest

from futuremap.sources.cells import Reason
from futuremap.sources.dates import opening_year

SAME = [
    "昭和58年", "S58", "S58.4.1", "昭和５８年４月", "昭和58年4月1日", "昭和58年度", "S58年度", "1983", "1983年",
    "1983年度", "1983/4/1", "1983-04-01", "1983.4", "19830401", 1983, 1983.0, 30407, dt.date(1983, 4, 1),
    dt.datetime(1983, 4, 1, tzinfo=dt.UTC), "1983(昭和58)年", "1983年（昭和58年）", "昭和58年(1983年)", "昭和58年（1983）4月",
]  # fmt: skip


@pytest.mark.parametrize("written", SAME)
def test_one_year_in_many_spellings(written):
    assert opening_year(written) == 1983


@pytest.mark.parametrize("written", ["", None, "9999", 9999, 9999.0, "-99", "0", 0, math.nan, "　"])
def test_unknown_is_no_year_and_no_fault(written):
    assert math.isnan(opening_year(written))


@pytest.mark.parametrize(
    "written",
    ["不明", "昭和50年代", "昭和65年", "1983(昭和57)年", "約1983", "1983～85", "33", "1983/13/1"],
)
def test_what_is_no_date_is_said(written):
    assert opening_year(written) is Reason.UNREADABLE


def test_first_years_of_eras():
    assert [opening_year(f"{era}元年") for era in ("大正", "昭和", "平成", "令和")] == [
        1912, 1926, 1989, 2019,
    ]  # fmt: skip
