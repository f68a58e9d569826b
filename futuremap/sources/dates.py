"""Opening years as facility lists state them: Western or Japanese era, or coded as unknown.

A date is parsed by :func:`futuremap.sources.cells.year`; here stand the codes with which lists
say that nobody knows, years written in both calendars, and the fiscal year (年度), which begins
in the year it is named after.
"""

from __future__ import annotations

import datetime as dt
import math
import re

from futuremap.sources import cells
from futuremap.sources.cells import Reason

UNKNOWN = frozenset({"9999", "-99", "0"})  # the first two are those of 国土数値情報
_FISCAL = re.compile(r"(.*[0-9元])\s*年?度")


def opening_year(raw: object) -> float | Reason:
    """Year of an opening; NaN where the list says that it is unknown or says nothing.

    Parameters
    ----------
    raw
        What stands in the cell: text, a number, a date or an Excel serial.

    Returns
    -------
    float or Reason
        The year, NaN for unknown, or :attr:`Reason.UNREADABLE`. [year]

    Examples
    --------
    >>> [opening_year(date) for date in ("昭和58年", "S58", "昭和58年4月", "1983/4/1", 1983, 30407)]
    [1983.0, 1983.0, 1983.0, 1983.0, 1983.0, 1983.0]
    >>> opening_year("昭和58年度"), opening_year("1983(昭和58)年"), opening_year("昭和58年(1983年)")
    (1983.0, 1983.0, 1983.0)
    >>> opening_year(9999), opening_year(""), opening_year("昭和50年代")
    (nan, nan, <Reason.UNREADABLE: 'unreadable'>)
    """
    if isinstance(raw, dt.date):
        return float(raw.year)
    if isinstance(raw, float) and math.isnan(raw):  # an empty cell of a number column
        return math.nan
    plain = cells.heading(raw)
    if not plain or plain in UNKNOWN:
        return math.nan
    year = cells.year(raw)
    if year is Reason.UNREADABLE:
        year = _written_twice(plain)
    return year if isinstance(year, Reason) else float(year)


def _written_twice(plain: str) -> int | Reason:
    # a year with the other calendar in brackets counts if both say the same
    if found := _FISCAL.fullmatch(plain):
        plain = found[1]
        return cells.year(plain if plain.isdigit() else f"{plain}年")
    inside = re.search(r"\(([^()]+)\)", plain)
    if inside is None:
        return Reason.UNREADABLE
    first = cells.year(plain.replace(inside[0], "", 1))
    second = cells.year(inside[1])
    return first if first == second else Reason.UNREADABLE
